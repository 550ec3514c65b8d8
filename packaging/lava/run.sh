#!/bin/sh
# run.sh - run pipetest in a job of LAVA: a result for each case and fix, the totals, the data sheet
#
# LAVA's shell takes a result from lava-test-case, and no signal of a program outside a test case.
#
# SPDX-License-Identifier: 0BSD
: "${PIPETEST:=pipetest}"
log=$(mktemp) || exit
trap 'rm -f "$log"' EXIT
{ $PIPETEST --lava; $PIPETEST -b=sheet -D 3s --lava; } >"$log"
grep -v '^<LAVA_SIGNAL' "$log"
# Each line of awk is one command: its words have no blanks.
awk '
	function measured(name, value, units) { print name, "--result pass --measurement", value, "--units", units }
	/^<LAVA_SIGNAL_TESTCASE / {
		sub(/>$/, "")
		id = $2; result = $3; units = $4; value = $5
		sub(/.*=/, "", id); sub(/.*=/, "", result); sub(/.*=/, "", units); sub(/.*=/, "", value)
		print id, "--result", result (value != "" ? " --measurement " value " --units " units : "")
	}
	/^# Your kernel lacks these fixes:/ { lacks = 1; next }
	!/^#   / { lacks = 0 }
	lacks { sub(/^#   /, ""); gsub(/[^A-Za-z0-9.]+/, "_"); print "missing_fix." $0, "--result fail" }
	/^# Totals: / && !totals++ {
		for (i = 3; i <= NF; i++) { split($i, part, ":"); measured("total." part[1], part[2], "cases") }
	}' "$log" | while read -r words; do
	# shellcheck disable=SC2086 # words
	lava-test-case $words
done
