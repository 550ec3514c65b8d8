# contest.sh - measures a line of the table: its commands take turns, then statistics.awk reads the
# samples. Part of bench.sh.
# shellcheck shell=sh disable=SC2034,SC2317
#
# SPDX-License-Identifier: 0BSD

TOOL=$MEM/tool LOOP=$MEM/limit
export TOOL LOOP
for program in tool limit; do
	$CC -O2 -o "$MEM/$program" "$here/$program.c" || die "can't compile $program.c with '$CC'"
done

clock() { "$TOOL" time 1 "$@"; }
clock_sh() { "$TOOL" time 1 sh -c "$@"; }
pin=
! have taskset || pin="taskset -c $(awk '/^Cpus_allowed_list/ { n = split($2, a, /[,-]/); print a[n] }' /proc/self/status)"

RESULTS=$MEM/results
: >"$RESULTS"
FAILED=0

statistics() { sort -k1,1 -k2,2n "$1" | awk -f "$here/statistics.awk"; }
report() { awk -F '\t' -v form="$1" -f "$here/report.awk" "$2"; }

# too_slow SAMPLES AGAINST prints the peers that are three times slower than the best one, but not
# the peer that the target names.
too_slow() {
	awk -v against="$2" '
		$1 != "ipcbox" { v[$1] = $2; if (!best || $2 < best) best = $2 }
		END { for (n in v) if (n != against && v[n] > 3 * best) printf " %s ", n }' "$1"
}

# missing_peer NAME succeeds if the command of a peer is not installed. The command is the name up to
# a comma: that of dd,direct is dd.
missing_peer() {
	case $1 in ipcbox | loop | packet-loop | while-read | fifo) return 1 ;; esac
	! have "${1%%,*}"
}

# contest ID TARGET AGAINST UNIT FUNCTION WORK [PEER...]
# measures a line of the table. FUNCTION PEER prints one value. AGAINST is a peer, "best", or "alone",
# where TARGET is no ratio, but a number of UNIT (ns, bytes, count).
contest() {
	id=$1 target=$2 against=$3 unit=$4 trial=$5 work=$6 state='' round=''
	shift 6
	[ ! -t 2 ] || printf '%s %s ...\r' "$id" "$work" >&2
	samples=$MEM/samples
	: >"$samples"
	: >"$samples.0"
	for peer in ipcbox "$@"; do
		if missing_peer "$peer"; then state="$state $peer:missing "; continue; fi
		if value=$($trial "$peer" </dev/null) && [ "$value" ]; then echo "$peer $value" >>"$samples.0"; else
			echo "bench: $id: $peer failed" >&2
			state="$state $peer:failed " FAILED=1
		fi
	done
	slow=$(too_slow "$samples.0" "$against")
	for round in $(seq "$PAIRS"); do
		for peer in ipcbox "$@"; do
			case $state in *" $peer:"*) continue ;; esac
			case $slow in *" $peer "*)
				[ "$round" -gt 1 ] || grep "^$peer " "$samples.0" >>"$samples"
				continue ;;
			esac
			if value=$($trial "$peer" </dev/null) && [ "$value" ]; then echo "$peer $value" >>"$samples"; else
				echo "bench: $id: $peer failed" >&2
				state="$state $peer:failed " FAILED=1
			fi
		done
	done
	{
		statistics "$samples"
		for s in $state; do echo "${s%:*} ${s#*:}"; done
	} | while read -r name median min max runs; do
		printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$id" "$work" "$unit" "$target" "$against" \
			"$name" "$median" "${min:-}" "${max:-}" "${runs:-0}"
	done >"$samples.out"
	cat "$samples.out" >>"$RESULTS"
	[ ! -t 2 ] || printf '\033[K' >&2
	report table "$samples.out"
}

# once ID TARGET UNIT FUNCTION WORK measures once what does not vary, or is the sum of a long run.
once() {
	if ! value=$($4 </dev/null) || [ -z "$value" ]; then
		FAILED=1 value=failed
	fi
	printf '%s\t%s\t%s\t%s\talone\tipcbox\t%s\t%s\t%s\t1\n' \
		"$1" "$5" "$3" "$2" "$value" "$value" "$value" | tee -a "$RESULTS" | report table -
	[ ! -f "$MEM/note" ] || sed 's/^/      /' "$MEM/note"
	rm -f "$MEM/note"
}
