#!/bin/sh
# judge.sh LOG - the verdict on a captured console: make judge LOG=console.txt
#
# LOG may have carriage returns, boot messages before the run and kernel messages between its
# lines; of several runs the last counts. Prints the table that the boards get, then what failed
# and which fixes the kernel lacks. Exit 0: all is well; 1: not, or the run was cut off.
. "${0%/*}/lib.sh"
set -eu
[ $# = 1 ] || die 'usage: judge.sh LOG'
[ -r "$1" ] || die "can't read '$1'"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# The last run alone: what the kernel said before is not judged.
tr -d '\r' <"$1" | awk '/^KTAP version 1$/ { run = ""; on = 1 } on { run = run $0 "\n" } END { printf "%s", run }' \
	>"$dir/console.log"
name=$(basename "$1")
rc=0
judge "${name%.*}" 0 "$dir/console.log" || rc=1
sed -n '/^# Your kernel lacks these fixes:/,/^# Totals/{/^# Totals/!p;}' "$dir/console.log"
exit $rc
