#!/bin/sh
# table.sh TARGET... - print the results of $OUT/qemu as a table, the differences to qemu/EXPECTED,
# and the sum; write $OUT/boards.json and $OUT/boards.html. Exit 1 if a target failed.
#
# SPDX-License-Identifier: 0BSD
. "${0%/*}/lib.sh"
set -u
: "${OUT:=obj}"

for t; do
	[ -e "$OUT/qemu/$t.result" ] || verdict "$t" FAIL did-not-run
	cat "$OUT/qemu/$t.result"
done >"$OUT/boards.txt"

as_table <"$OUT/boards.txt"

awk 'BEGIN { print "[" } { printf "%s{\"target\":\"%s\",\"result\":\"%s\",\"kernel\":\"%s\",\"page\":%d,\"order\":\"%s\"," \
	"\"pass\":%d,\"fail\":%d,\"xfail\":%d,\"skip\":%d,\"seconds\":%d,\"reason\":\"%s\"}", sep, $1, tolower($2), $3, $4, $5, $6, $7, $8, $9, $10, $11
	sep = ",\n" } END { print "\n]" }' "$OUT/boards.txt" >"$OUT/boards.json"

# The page is one file: its script reads the results and the logs from elements of the page. The
# text of a log must not end its element.
{
	sed '/@RESULTS@/,$d' "$here/page.html"
	cat "$OUT/boards.json"
	sed '1,/@RESULTS@/d; /@LOGS@/,$d' "$here/page.html"
	for t; do
		[ -e "$OUT/qemu/$t.log" ] || continue
		echo "<script type=\"text/plain\" data-target=\"$t\">"
		sed 's/\r$//; s|</|<\\/|g; s/<!--/<\\!--/g' "$OUT/qemu/$t.log" | tr -cd '\11\12\40-\176'
		echo '</script>'
	done
	sed '1,/@LOGS@/d' "$here/page.html"
} >"$OUT/boards.html"

"$here/expected.sh" "$@"
awk '{ n[$2]++ } END { printf "%d passed, %d failed, %d skipped\n", n["pass"], n["FAIL"], n["SKIP"] }' "$OUT/boards.txt"
! grep -q ' FAIL ' "$OUT/boards.txt"
