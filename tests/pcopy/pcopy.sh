# pcopy.sh - what the tests of this folder share: . "$room/pcopy.sh" after tap.sh
# shellcheck shell=sh
#
#   temporary          prints the path of the temporary file of $pid, or of its child: in /proc,
#                      since the file has no name where the file system allows that
#   writes_some        something is in it
#   no_temporary       no temporary file is below this directory
#   kept NAME          the name of what --resume keeps for DST NAME

temporary() {
	for process in $pid $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
		for fd in "/proc/$process/fd"/*; do
			case $(readlink "$fd") in "$T"/*'(deleted)' | "$T"/*.pcopy-*) echo "$fd"; return ;; esac
		done
	done
	return 1
}
writes_some() { fd=$(temporary) && [ -s "$fd" ]; }
no_temporary() { [ -z "$(find . -name '.pcopy-*')" ]; }
kept() { python3 -c 'import sys, zlib; print(".pcopy-%08x.resume" % zlib.crc32(sys.argv[1].encode()))' "$1"; }
