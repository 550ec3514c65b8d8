#!/bin/sh
# bench.sh [DIR] - measures ipcbox beside the tools that a user would take instead: make bench
#
#   BENCH='F1 C2'  only these questions (F1-F5 M1-M3 C1-C7 T1 S4; also S1-S3, which build: see make sizes)
#   SIZE=1G        of the large files; the counts of messages follow
#   PAIRS=5        runs of each command after one to warm up; 3 where SIZE is under 512M
#   BEFORE=FILE    says at the end if the run agrees with that bench.json on who is ahead
#
# bench.sh prints a table for each question, and writes bench.json, bench.svg (the charts) and
# bench.html (charts and tables) into DIR. The commands of a question take turns, so that other work
# of the machine hits all of them, and a ratio is that of the two runs of a turn. bench.sh names each
# peer that is not installed; a peer that is three times slower than the best one runs only once. The
# status is 1 only if a command could not run, or if BEFORE contradicts the run.
#
# M3, C6 and S4 measure single short processes, pinned to one processor. Processes that talk to
# each other are not pinned, for some peers have threads.
#
# place.sh and contest.sh are parts of bench.sh; fifo.sh, board.sh, copy.sh and box.sh have the
# questions by topic; tool.c (the stop watch), limit.c (bare loops) and torn.c are its programs;
# statistics.awk reads the samples, results.awk with another awk file beside it shows them. show.sh
# shows an earlier bench.json, compares two, and prints README's table.
#
# SPDX-License-Identifier: 0BSD
set -u
here=${0%/*}
: "${IPCBOX:=$here/../../ipcbox}" "${BENCH:=F1 F2 F3 F4 F5 M1 M2 M3 C1 C2 C3 C4 C5 C6 C7 T1 S4}"
: "${SIZE:=1G}" "${MAKE:=make}" "${CC:=cc}"
IPCBOX=$(realpath "$IPCBOX") TOP=$(realpath "$here/../..") OUT=$(realpath "${1:-.}") || exit
LC_ALL=C
export IPCBOX LC_ALL

die() { echo "bench: $*" >&2; exit 1; }
# shellcheck disable=SC2317 # the parts call it
commas() { echo "$1" | sed -e :a -e 's/\(.*[0-9]\)\([0-9]\{3\}\)/\1,\2/' -e ta; }
# shellcheck disable=SC2317
have() { command -v "$1" >/dev/null 2>&1; }
fs_of() { df --output=fstype "$1" | tail -n 1; }

# place.sh sets SIZE to a number: a short run has fewer turns, too.
for part in place contest fifo board copy box; do
	# shellcheck disable=SC1090 # each is checked as a file of its own
	. "$here/$part.sh"
done

governor=$(cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor 2>/dev/null)
cpu=$(awk -F ': ' '/^model name|^Hardware|^cpu\t/ { print $2; exit }' /proc/cpuinfo)
load=$(cut -d' ' -f1-3 /proc/loadavg)
date=$(date -u +%Y-%m-%d)
version=$("$IPCBOX" --version | head -n 1)
# The first write to memory is dear where a hypervisor has to find it.
touched=$("$TOOL" touch $((SIZE < 268435456 ? SIZE : 268435456)))
first=${touched% *} again=${touched#* }
cat <<END
machine   $(uname -m), $(nproc) processors, ${cpu:-unknown}
kernel    $(uname -sr); page size $(getconf PAGESIZE); governor ${governor:-unknown}; load $load
date      $date; $version
files     $mib MiB on $(fs_of "$MEM") in $MEM and on $(fs_of "$DISK") in $DISK
memory    $(commas "$first") MB/s at its first touch, $(commas "$again") MB/s later: a copy to a new name on tmpfs touches new memory
runs      1 to warm up, then $PAIRS in turn; pinned: M3 C6 S4
ratios    our time / the time of the other, so less than 1 is faster: the median of the pairs, then that of the best runs
          ahead, behind: all our runs were faster than those of the other, or slower; alike: neither
END
for line in $BENCH; do
	case $line in
	F[1-5] | M[1-3] | C[1-7] | T1 | S[1-4]) line_"$line" ;;
	*) die "no line '$line'" ;;
	esac
done

CAPTION="$(uname -m), $(nproc) processors, ${cpu:-unknown}
$(uname -sr), page size $(getconf PAGESIZE)
$date, $version; load before: $load
First touch of memory: $(commas "$first") MB/s, later $(commas "$again") MB/s. One run to warm up, then $PAIRS in turn."
export CAPTION
mkdir -p "$OUT"
# written NAME FORM writes a file of the results under its name when it is whole.
written() {
	report "$2" "$RESULTS" >"$OUT/$1.new" && mv "$OUT/$1.new" "$OUT/$1" || exit
	files="$files $OUT/$1"
}
files=$OUT/bench.json
{
	printf '{"machine":"%s","cpu":"%s","processors":%d,"kernel":"%s","page_size":%d,"governor":"%s","date":"%s","version":"%s",' \
		"$(uname -m)" "${cpu:-unknown}" "$(nproc)" "$(uname -sr)" "$(getconf PAGESIZE)" "${governor:-unknown}" "$date" "$version"
	printf '"file_size":%s,"pairs":%d,"first_touch_mb_per_s":%s,"later_touch_mb_per_s":%s,"lines":[' "$SIZE" "$PAIRS" "$first" "$again"
	report json "$RESULTS"
	echo ']}'
} >"$OUT/bench.json.new" && mv "$OUT/bench.json.new" "$OUT/bench.json" || exit
written bench.svg picture
written bench.html page
echo
echo "written   $files"
if [ "${BEFORE-}" ]; then
	echo
	"$here/show.sh" agree "$BEFORE" "$OUT/bench.json" || FAILED=1
fi
exit $FAILED
