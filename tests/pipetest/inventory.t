#!/bin/sh
# The inventory of cases, and the rows: each id of a row is there, and each id there has a row.
. "${0%/*}/../tap.sh"
inventory=$top/applets/pipetest/cases/INVENTORY
[ -f "$inventory" ] || { skip 'INVENTORY lists the cases of pipetest' 'no source here'; exit; }

id='^(TUT-)?[A-Z]+-?[0-9]+[a-z]?$'
box pipetest -x -l | awk -v id="$id" '{ for (i = 2; $i ~ id && $i !~ /^[PLIBE]$/; i++) print $i }' | sort -u >rows
# An entry begins in the first column; the list of TUT- ids has several in a line.
awk -v id="$id" '/^[A-Z]/ && $1 ~ id { print $1; for (i = 2; $i ~ /^TUT-/; i++) print $i }' "$inventory" |
	sort >entries
is 'each id that a row of pipetest cites stands in INVENTORY' '' "$(sort -u entries | comm -23 rows -)"
is 'each id of INVENTORY is cited by a row of pipetest' '' "$(sort -u entries | comm -13 rows -)"
is 'no id stands in INVENTORY twice' '' "$(uniq -d entries)"
ok 'INVENTORY has ids' test "$(wc -l <entries)" -gt 300
is 'INVENTORY fits 80 columns' '' "$(awk 'length > 80' "$inventory")"
