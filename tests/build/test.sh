#!/bin/sh
# test.sh IPCBOX - run the tests that need a shell and nothing else on the built binary: make test
#
# They use no compiler, no network, no privilege and no variable of the environment. test.sh takes a
# minute at most: it names each file for which the minute left no time, and does not call it passed.
set -u
cd "${0%/*}/../.." || exit
files='box/box fifo/options fifo/fifow fifo/fifor board/mmapr board/mmapw pcopy/report'
seconds=60

begin=$(date +%s)
log=$(mktemp "${TMPDIR:-/tmp}/ipcbox-test.XXXXXX") || exit
trap 'rm -f "$log"' EXIT
trap 'exit 1' INT TERM
umask 022
failed=0 passed=0 late=
for file in $files; do
	left=$((seconds - $(date +%s) + begin))
	if [ $left -le 0 ]; then late="$late $file"; continue; fi
	timeout -k 1 $left env -i PATH="$PATH" HOME=/ TMPDIR="${TMPDIR:-/tmp}" EMULATOR="${EMULATOR-}" IPCBOX="$1" \
		sh "tests/$file.t" >"$log" 2>&1 </dev/null
	rc=$?
	if [ $rc = 124 ] || [ $rc = 137 ]; then late="$late $file"; fi
	passed=$((passed + $(grep -c '^ok ' "$log")))
	if grep -q '^not ok' "$log" || ! grep -q '^1\.\.[1-9]' "$log" && [ $rc != 124 ] && [ $rc != 137 ]; then
		failed=$((failed + 1))
		echo "tests/$file.t:"
		grep -A8 '^not ok' "$log" || tail -n 8 "$log"
	fi
done
[ -z "$late" ] || echo "no time was left for all of:$late"
echo "make test: $passed assertions passed, $failed of $(echo $files | wc -w) files have failures"
[ $failed = 0 ] && [ $passed -gt 0 ]
