#!/bin/sh
# judge.sh LOG - the verdict on a captured console: make judge LOG=console.txt
#
# LOG may have carriage returns, boot messages before the run and kernel messages between its
# lines; the last of several runs counts. judge.sh prints the table that the boards get, then the
# failed cases, the fixes that the kernel lacks, and the data sheet that pipetest -b prints. Exit 0: no case failed; 1: a case failed, or the
# run was cut off.
. "${0%/*}/lib.sh"
set -eu
[ $# = 1 ] || die 'usage: judge.sh LOG'
[ -r "$1" ] || die "can't read '$1'"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# Only the last run of the cases is judged, without what the kernel said before it, and with the
# measurements of pipetest -b behind it.
tr -d '\r' <"$1" | awk '
	function keep() { if (run ~ /\nok [0-9]+ bench\./) sheet = run; else if (run != "") { cases = run; sheet = "" } }
	/^KTAP version 1$/ { keep(); run = ""; on = 1 }
	on { run = run $0 "\n" }
	END { keep(); printf "%s%s", cases, sheet }' >"$dir/console.log"
name=$(basename "$1")
rc=0
judge "${name%.*}" 0 "$dir/console.log" || rc=1
awk '/^# Your kernel lacks these fixes:/ { on = 1; print; next }
	!/^#   / { on = 0 }
	on || /^# Data sheet: /' "$dir/console.log"
exit $rc
