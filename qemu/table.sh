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

# records prints the results with what the logs say about the machines as a JSON array.
records() {
	sep='['
	while read -r t words; do
		log=$OUT/qemu/$t.log
		[ -e "$log" ] || log=/dev/null
		echo "$sep"
		awk -v record="$t $words" -v date="$(date -u -r "$log" +%Y-%m-%d)" -f "$here/record.awk" "$log"
		sep=,
	done <"$OUT/boards.txt"
	echo ']'
}
records >"$OUT/boards.json"

# groups prints the words of each case's group, which is the name of its file, as a JSON object.
groups() {
	awk '/^\t*CASE\("/ {
			group = FILENAME; sub(/.*\//, "", group); sub(/\.c$/, "", group); gsub(/_/, " ", group)
			split($0, part, "\"")
			printf "%s\"%s\":\"%s\"", (n++ ? "," : "{"), part[2], group
		}
		END { print (n ? "" : "{") "}" }' "$here"/../applets/pipetest/cases/*.c
}

# The page is one file: its script reads the results and the logs from elements of the page. The
# text of a log must not end its element.
{
	sed '/@RESULTS@/,$d' "$here/page.html"
	cat "$OUT/boards.json"
	sed '1,/@RESULTS@/d; /@GROUPS@/,$d' "$here/page.html"
	groups
	sed '1,/@GROUPS@/d; /@LOGS@/,$d' "$here/page.html"
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
