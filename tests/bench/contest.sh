# contest.sh - answers a question: its commands take turns, then statistics.awk reads the samples.
# Part of bench.sh.
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

# report FORM FILE prints the results in FILE by FORM.awk.
report() {
	case $1 in picture | page) chart="-f $here/chart.awk" ;; *) chart= ;; esac
	# shellcheck disable=SC2086 # two words, or none
	awk -F '\t' -f "$here/results.awk" $chart -f "$here/$1.awk" "$2"
}

# too_slow SAMPLES prints the peers that are three times slower than the best one, but no bare loop.
too_slow() {
	awk '$2 != "ipcbox" && $2 !~ /^bare_/ { v[$2] = $3; if (!best || $3 < best) best = $3 }
		END { for (n in v) if (v[n] > 3 * best) printf " %s ", n }' "$1"
}

# missing_peer NAME succeeds if the command of a peer is not installed. The command is the name up to
# its first _ or comma: that of dd_oflag=direct is dd.
missing_peer() {
	case $1 in ipcbox | bare_* | shell*) return 1 ;; esac
	! have "${1%%[,_]*}"
}

# take ROUND PEER measures PEER once and notes the sample.
take() {
	round=$1
	if value=$($trial "$2" </dev/null) && [ "$value" ]; then
		echo "$1 $2 $value" >>"$samples"
	else
		echo "bench: $id: $2 failed" >&2
		state="$state $2:failed " FAILED=1
	fi
}

# contest ID FUNCTION UNIT AMOUNT OURS QUESTION WORK [PEER...]
# FUNCTION PEER prints the nanoseconds (or the bytes, if UNIT is KiB) that the work took. The report
# shows them in UNIT: us, ms, s, KiB, or AMOUNT in a second: MB/s, messages/s ... In a name _ stands
# for a blank. OURS is what ipcbox runs. A name that begins with bare_ is a bare loop.
contest() {
	id=$1 trial=$2 unit=$3 amount=$4 ours=$5 question=$6 work=$7 state=''
	shift 7
	[ ! -t 2 ] || printf '%s %s ...\r' "$id" "$question" >&2
	samples=$MEM/samples
	: >"$samples"
	for peer in ipcbox "$@"; do
		if missing_peer "$peer"; then state="$state $peer:missing "; else take 0 "$peer"; fi
	done
	slow=$(too_slow "$samples")
	for turn in $(seq "$PAIRS"); do
		for peer in ipcbox "$@"; do
			case "$state $slow " in *" $peer:"* | *" $peer "*) ;; *) take "$turn" "$peer" ;; esac
		done
	done
	{
		awk -f "$here/statistics.awk" "$samples"
		for s in $state; do echo "${s%:*} ${s#*:}"; done
	} | while read -r name rest; do
		printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$id" "$question" "$work" "$unit" "$amount" "$ours" "$name" "$rest"
	done >"$samples.out"
	cat "$samples.out" >>"$RESULTS"
	[ ! -t 2 ] || printf '\033[K' >&2
	report table "$samples.out"
}

# once ID FUNCTION UNIT OURS QUESTION WORK measures once what does not vary, or is the sum of a long run.
once() {
	if value=$($2 </dev/null) && [ "$value" ]; then
		rest="$value $value $value 1 1 1"
	else
		FAILED=1 rest=failed
	fi
	printf '%s\t%s\t%s\t%s\t0\t%s\tipcbox\t%s\n' "$1" "$5" "$6" "$3" "$4" "$rest" | tee -a "$RESULTS" >"$MEM/once"
	report table "$MEM/once"
	[ ! -f "$MEM/note" ] || sed 's/^/      /' "$MEM/note"
	rm -f "$MEM/note"
}
