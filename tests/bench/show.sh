#!/bin/sh
# show.sh - shows what an earlier make bench has measured
#
#   show.sh table|picture|page FILE    as bench.sh does: FILE is its bench.json
#   show.sh readme FILE [README]       README's table of speed, or README with this table in it
#   show.sh agree FILE FILE            says who is ahead in both runs; the status is 1 if they
#                                      contradict each other
#
# SPDX-License-Identifier: 0BSD
set -u
here=${0%/*}
LC_ALL=C
export LC_ALL

usage() { sed -n 's/^#   //p' "$0" >&2; exit 2; }
# member KEY FILE prints the value of a member of the first line.
member() { sed -n "1s/.*\"$1\":\"\\{0,1\\}\\([^\",]*\\).*/\\1/p" "$2"; }

[ $# -ge 2 ] || usage
for file; do
	[ "$file" = "$1" ] || [ -r "$file" ] || { echo "show.sh: can't read '$file'" >&2; exit 1; }
done
case $1 in
agree)
	[ $# -eq 3 ] || usage
	dir=$(mktemp -d) || exit
	trap 'rm -rf "$dir"' EXIT
	awk -f "$here/read.awk" "$2" >"$dir/1" && awk -f "$here/read.awk" "$3" >"$dir/2" || exit
	awk -f "$here/agree.awk" "$dir/1" "$dir/2"
	exit ;;
readme)
	size=$(member file_size "$2")
	CAPTION="SPEED (make bench, $((size >> 20)) MiB; $(member machine "$2"), $(member processors "$2") processors, $(member kernel "$2" | sed 's/\(\.[0-9]*\.[0-9]*\).*/\1/'), $(member date "$2"))" ;;
table | picture | page)
	CAPTION="$(member machine "$2"), $(member processors "$2") processors, $(member cpu "$2")
$(member kernel "$2"), page size $(member page_size "$2")
$(member date "$2"), $(member version "$2")
First touch of memory: $(member first_touch_mb_per_s "$2") MB/s, later $(member later_touch_mb_per_s "$2") MB/s. One run to warm up, then $(member pairs "$2") in turn." ;;
*) usage ;;
esac
export CAPTION
chart=
case $1 in picture | page) chart="-f $here/chart.awk" ;; esac
# shellcheck disable=SC2086 # two words, or none
shown() { awk -f "$here/read.awk" "$2" | awk -F '\t' -f "$here/results.awk" $chart -f "$here/$1.awk"; }
[ $# -eq 3 ] || { shown "$@"; exit; }
# The old table goes from its heading to the next line that is not indented.
TABLE=$(shown "$@") awk '
	/^SPEED \(/ { print ENVIRON["TABLE"] "\n"; old = 1; next }
	old && !/^[^ ]/ { next }
	{ old = 0; print }' "$3"
