# pcopy.sh - the functions that the tests of this folder share
# shellcheck shell=sh
#
# A test reads this file after tap.sh: . "$room/pcopy.sh"
#
#   temporary          prints the path of the temporary file that $pid or its child has open; the
#                      path is in /proc, because the file may have no name (O_TMPFILE in open(2))
#   writes_some        succeeds if that file has bytes
#   no_temporary       succeeds if no temporary file is below this directory
#   kept NAME          prints the name of the file that --resume keeps for the DST called NAME

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
