#!/bin/sh
# update.sh IMAGE TARGET [CRC] - put a firmware image on a partition or into a file, and prove it
#
# TARGET, a file, has its old content or the new one, also after a power cut; what a partition holds
# is read back from the medium. CRC is what "cksum -a crc32b" or "pcopy -c" printed where the image
# was made.
#
# SPDX-License-Identifier: 0BSD
image=${1:?usage: update.sh IMAGE TARGET [CRC]} target=${2:?usage: update.sh IMAGE TARGET [CRC]}

for try in 1 2 3; do
	pcopy --verify ${3:+--expect "$3"} "$image" "$target"
	status=$?
	case $status in
	0)
		echo "update.sh: $target is on the medium and verified"
		exit 0 ;;
	4) # The image changed while it was copied, as when a download is not complete.
		echo "update.sh: $image changed during try $try" >&2
		sleep "${PAUSE:-5}" ;;
	5) # The medium gave back other bytes, or the image has another CRC. To try again can hide a
		# medium that fails. Do not boot from TARGET: keep the other slot, and report the medium.
		echo "update.sh: $target is not what was sent: do not boot it" >&2
		exit 5 ;;
	*) # pcopy has said why. A file still has its old content.
		exit $status ;;
	esac
done
exit 4
