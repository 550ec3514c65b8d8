#!/bin/sh
# judge.sh LOG - the verdict on a captured console: make judge LOG=console.txt
#
# LOG may have carriage returns, boot messages before the run and kernel messages between its
# lines; the last of several runs counts. judge.sh prints the table that the boards get, then the
# failed cases and the fixes that the kernel lacks. Exit 0: no case failed; 1: a case failed, or the
# run was cut off.
. "${0%/*}/lib.sh"
set -eu
[ $# = 1 ] || die 'usage: judge.sh LOG'
[ -r "$1" ] || die "can't read '$1'"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# Only the last run is judged, without what the kernel said before it.
tr -d '\r' <"$1" | awk '/^KTAP version 1$/ { run = ""; on = 1 } on { run = run $0 "\n" } END { printf "%s", run }' \
	>"$dir/console.log"
name=$(basename "$1")
rc=0
judge "${name%.*}" 0 "$dir/console.log" || rc=1
sed -n '/^# Your kernel lacks these fixes:/,/^# Totals/{/^# Totals/!p;}' "$dir/console.log"
exit $rc
