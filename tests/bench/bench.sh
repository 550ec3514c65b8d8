#!/bin/sh
# bench.sh [DIR] - measures ipcbox beside the tools that a user would take instead: make bench
#
#   BENCH='F1 C2'  only these lines (F1-F4 M1-M3 C1-C6 T1 S1-S4)
#   SIZE=1G        of the large files; the counts of messages follow
#   PAIRS=5        runs of each command after one to warm up
#
# bench.sh prints a table, and writes bench.json and, with gnuplot, bench.svg into DIR.  The
# commands of a line take turns, so that other work of the machine hits all of them.  bench.sh
# names each peer that is not installed; a peer that is three times slower than the best one runs
# only once.  A missed target is no failure: the status is 1 only if a command could not run.
#
# M3, C6 and S4 measure single short processes, pinned to one processor.  Processes that talk to
# each other are not pinned, for some peers have threads.
#
# place.sh and contest.sh are parts of bench.sh; fifo.sh, board.sh, copy.sh and box.sh have the
# lines by topic; tool.c (the stop watch), limit.c (bare loops) and torn.c are its programs;
# statistics.awk, report.awk and chart.gp show the results.
#
# SPDX-License-Identifier: 0BSD
set -u
here=${0%/*}
: "${IPCBOX:=$here/../../ipcbox}" "${BENCH:=F1 F2 F3 F4 M1 M2 M3 C1 C2 C3 C4 C5 C6 T1 S1 S2 S3 S4}"
: "${SIZE:=1G}" "${PAIRS:=5}" "${MAKE:=make}" "${CC:=cc}"
IPCBOX=$(realpath "$IPCBOX") TOP=$(realpath "$here/../..") OUT=$(realpath "${1:-.}") || exit
LC_ALL=C
export IPCBOX LC_ALL

die() { echo "bench: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
fs_of() { df --output=fstype "$1" | tail -n 1; }

for part in place contest fifo board copy box; do
	# shellcheck disable=SC1090 # each is checked as a file of its own
	. "$here/$part.sh"
done

pairs=$PAIRS
governor=$(cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor 2>/dev/null)
cpu=$(awk -F ': ' '/^model name|^Hardware|^cpu\t/ { print $2; exit }' /proc/cpuinfo)
cat <<END
machine   $(uname -m), $(nproc) processors, ${cpu:-unknown}
kernel    $(uname -sr); page size $(getconf PAGESIZE); governor ${governor:-unknown}; load $(cut -d' ' -f1-3 /proc/loadavg)
files     $mib MiB on $(fs_of "$MEM") in $MEM and on $(fs_of "$DISK") in $DISK
runs      1 to warm up, then $PAIRS in turn: median (min .. max); pinned: M3 C6 S4
ratio     ipcbox / the other: smaller is better; then the target
END
for line in $BENCH; do
	case $line in
	F[1-4] | M[1-3] | C[1-6] | T1 | S[1-4]) line_"$line" ;;
	*) die "no line '$line'" ;;
	esac
done

mkdir -p "$OUT"
{
	printf '{"machine":"%s","cpu":"%s","processors":%d,"kernel":"%s","page_size":%d,"governor":"%s","file_size":%s,"pairs":%d,"lines":[' \
		"$(uname -m)" "${cpu:-unknown}" "$(nproc)" "$(uname -sr)" "$(getconf PAGESIZE)" "${governor:-unknown}" "$SIZE" "$PAIRS"
	report json "$RESULTS"
	echo ']}'
} >"$OUT/bench.json.new" && mv "$OUT/bench.json.new" "$OUT/bench.json" || exit
report bars "$RESULTS" >"$MEM/bars"
if ! have gnuplot; then
	echo "written   $OUT/bench.json; no gnuplot, no bench.svg"
elif [ -s "$MEM/bars" ] && gnuplot -e "out='$OUT/bench.svg.new'; bars='$MEM/bars'; machine='$(uname -m), $(uname -sr)'" \
	"$here/chart.gp" >"$MEM/gnuplot" 2>&1; then
	mv "$OUT/bench.svg.new" "$OUT/bench.svg"
	echo "written   $OUT/bench.json $OUT/bench.svg"
else
	echo "written   $OUT/bench.json"
fi
exit $FAILED
