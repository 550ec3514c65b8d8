#!/bin/sh
# bloat.sh OLD NEW - which functions and data grew or shrank, in bytes.
for f in "$1" "$2"; do
	[ -f "$f" ] || { echo "no $f: run \"make baseline\" on the old tree first" >&2; exit 1; }
done
{ "${NM:-nm}" -S "$1" | sed 's/^/old /'; "${NM:-nm}" -S "$2" | sed 's/^/new /'; } | awk '
function hex(s,  v) {
	for (v = 0; s != ""; s = substr(s, 2)) v = v * 16 + index("123456789abcdef", substr(s, 1, 1))
	return v
}
NF == 5 { sub(/\..*/, "", $5); size[$1, $5] += hex($3); name[$5] }
END {
	sorted = "sort -k4,4nr"
	for (s in name) if (d = size["new", s] - size["old", s]) {
		printf "%-36s %7d %7d %+7d\n", s, size["old", s], size["new", s], d | sorted
		total += d
	}
	close(sorted)
	printf "%-52s %+7d\n", "total", total
}'
