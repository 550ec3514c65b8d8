#!/bin/sh
# figures.sh - says if pipetest -b reports what the kernel can do: make check-figures
#
# Each figure of pipetest -b is measured beside the bare loop of bare.c, and beside perf bench sched
# pipe where that is installed. The two take turns, PAIRS times (5), so that other work of the machine
# hits both. A line shows the medians of all pairs, their ratio, and the ratio of the best slices. On
# a busy machine the best slices say more, and RUN='chrt -f 5' keeps other work off the processors. The status is 1 if both ratios are off by more than
# TOLERANCE percent (5). It takes about 30 s.
#
# SPDX-License-Identifier: 0BSD
set -eu
here=${0%/*}
: "${IPCBOX:=$here/../../ipcbox}" "${PAIRS:=5}" "${TOLERANCE:=5}" "${CC:=cc}" "${RUN=}"
LC_ALL=C
export LC_ALL
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
$CC -O2 -Wall -Wextra -o "$dir/bare" "$here/bare.c"

# Each of the two prints the median and the best of its slices.
pipetest() { # NAME BEST, which is min or max
	$RUN "$IPCBOX" pipetest -b="$1" -D 700ms -J |
		sed -n "s/.*\"median\":\([^,]*\),.*\"$2\":\([^,]*\),.*/\1 \2/p" | head -n 1
}
# shellcheck disable=SC2317 # line calls it
perf_pipe() { # one run prints only its sum: five runs are five slices
	for _ in 1 2 3 4 5; do $RUN taskset -c "$first" perf bench -f simple sched pipe -l 10000; done |
		sort -n | awk '{ us[NR] = $1 * 100 } END { print us[3], us[1] }'
}
first=$(taskset -cp $$ 2>/dev/null | sed 's/.*: \([0-9]*\).*/\1/')

# line NAME BEST THE-OTHER COMMAND...
line() {
	name=$1 best=$2 other=$3; shift 3
	for pair in $(seq "$PAIRS"); do
		echo "$(pipetest "$name" "$best") $("$@")"
	done | awk -v name="$name" -v other="$other" -v tolerance="$TOLERANCE" -v best="$best" '
		function better(x, y) { return !y || (best == "min" ? x < y : x > y) ? x : y }
		function sort(a, n,   i, k, x) {
			for (i = 2; i <= n; i++) { x = a[i]; for (k = i - 1; k && a[k] > x; k--) a[k + 1] = a[k]; a[k + 1] = x }
		}
		NF == 4 { n++; ours[n] = $1; theirs[n] = $3; ratio[n] = $1 / $3; a = better($2, a); b = better($4, b) }
		function off(x) { x -= 1; return (x < 0 ? -x : x) * 100 > tolerance }
		END {
			if (!n) { print name ": not measured"; exit 1 }
			sort(ours, n); sort(theirs, n); sort(ratio, n); m = int((n + 1) / 2)
			bad = off(ratio[m]) && off(a / b)
			printf "%-26s %8.4g  %-22s %8.4g  ratio %.3f, of the best %.3f%s\n", name, ours[m], other, theirs[m],
				ratio[m], a / b, bad ? "  MORE THAN " tolerance " % OFF" : ""
			exit bad
		}' || status=1
}

status=0
line pipe.throughput.64k max 'bare loop' $RUN "$dir/bare" rate 65536 0.7
line pipe.throughput.256k max "pipes-speed-test's" $RUN "$dir/bare" rate 262144 0.7
line pipe.throughput.4k max 'bare loop' $RUN "$dir/bare" rate 4096 0.7
line pipe.roundtrip.same_cpu min 'bare loop' $RUN "$dir/bare" trips 0.7
if perf bench -f simple sched pipe -l 10 >/dev/null 2>&1 && command -v taskset >/dev/null; then
	line pipe.roundtrip.same_cpu min 'perf bench sched pipe' perf_pipe
else
	echo 'perf bench sched pipe is not installed'
fi
exit $status
