# place.sh - the directories of the files, the size of the files, and their removal. Part of bench.sh.
# shellcheck shell=sh disable=SC2034,SC2317
#
# SPDX-License-Identifier: 0BSD

MEM='' DISK=''
cleanup() {
	if [ "$DISK" ]; then
		for m in "$DISK"/mnt.*; do [ ! -d "$m" ] || umount "$m" 2>/dev/null; done
	fi
	rm -rf ${MEM:+"$MEM"} ${DISK:+"$DISK"}
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

disk=${TMPDIR:-/tmp}
[ "$(fs_of "$disk")" != tmpfs ] || disk=/var/tmp
mem=/dev/shm
[ -w $mem ] || mem=$disk
MEM=$(mktemp -d $mem/ipcbox-bench.XXXXXX) && DISK=$(mktemp -d "$disk/ipcbox-bench.XXXXXX") || exit
export MEM DISK

case $SIZE in
*[!0-9kMG]* | '') die "invalid SIZE: '$SIZE' (64M, 1G)" ;;
*k) SIZE=$((${SIZE%k} << 10)) ;;
*M) SIZE=$((${SIZE%M} << 20)) ;;
*G) SIZE=$((${SIZE%G} << 30)) ;;
esac
free_kib() { df -Pk "$1" | awk 'END { print $4 }'; }
room=$(free_kib "$MEM") avail=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
[ "$room" -le "$avail" ] || room=$avail
wanted=$SIZE
while [ $((SIZE >> 8)) -gt "$room" ] || [ $((SIZE >> 8)) -gt "$(free_kib "$DISK")" ]; do
	SIZE=$((SIZE / 2))
done
[ "$SIZE" -eq "$wanted" ] || echo "bench: files of $((SIZE >> 20)) MiB: there is no more room" >&2
MESSAGES=$((SIZE * 1000000 >> 30))
[ $MESSAGES -ge 1000 ] || MESSAGES=1000
if [ "$SIZE" -lt 536870912 ]; then short=3 long=3; else short=5 long=10; fi
: "${PAIRS:=$short}" "${WAIT:=$long}"
pairs=$PAIRS
