#!/bin/sh
# pipetest -b: that it measures, and prints what others can read. How fast is nobody's verdict.
LIMIT=60
. "${0%/*}/../tap.sh"

run box pipetest -b -l
is 'pipetest -b -l succeeds' 0 "$rc"
like 'pipetest -b -l names throughput, round trips, copies and set-up' \
	'*pipe.throughput.64k*pipe.roundtrip.same_cpu*copy.two_mappings*setup.fork_exec_and_wait*' "$out"
all=$(printf '%s\n' "$out" | wc -l)

run box pipetest -b -D 1s
is 'all measurements end with status 0, and say nothing on stderr' '0 ' "$rc $err"
is 'the plan counts every measurement' "1..$all" "$(printf '%s\n' "$out" | grep '^1\.\.')"
is 'each measurement has its result' "$all" "$(printf '%s\n' "$out" | grep -c '^ok [0-9]* bench\.')"
like 'the data sheet is one line with four figures' \
	'*# Data sheet: pipe * MB/s, round trip * us, fork and exec * us, copy * MB/s*' "$out"
like 'the header says how many slices there are, and where their processes are pinned' \
	'*# median, least .. most of 5 slices; pinned to processors [0-9]*,[0-9]*' "$out"
like 'writers have their number, and how fair the pipe is to them' \
	'*# pipe.writers.8 * records/s, * to *; the slowest writer: * % of the fastest*' "$out"
like 'a round trip has percentiles' '*# pipe.roundtrip.same_cpu * us, * to *; p50 * p90 * p99 * max * us*' "$out"
is 'the directory of the measurements is gone' '' "$(find /tmp -maxdepth 1 -name 'pipetest.*' -newer "$T/.out")"

run box pipetest -b=sheet -D 500ms
is 'pipetest -b=sheet measures the figures of the data sheet alone' '0 1..6' \
	"$rc $(printf '%s\n' "$out" | grep '^1\.\.')"
like 'pipetest -b=sheet prints the data sheet' \
	'*# Data sheet: pipe * MB/s, round trip * us, fork and exec * us, copy * MB/s*' "$out"

run box pipetest -b=setup.pipe_and_close -D 200ms --lava
like 'LAVA gets the figure as a measurement' \
	'*<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=bench.setup.pipe_and_close RESULT=pass UNITS=us MEASUREMENT=*>*' "$out"
run box pipetest -b -t 'pipe.throughput.*' --size 3k,64 -D 300ms
is '--size measures those sizes and no others' 'bench.pipe.throughput.3k bench.pipe.throughput.64 ' \
	"$(printf '%s\n' "$out" | sed -n 's/^ok [0-9]* //p' | sort | tr '\n' ' ')"

box pipetest -b -t 'setup.*' -t copy.sendfile -D 300ms -J >first.json
is '--json prints an object a measurement' 4 "$(grep -c '^{"bench":".*","unit":".*"median":[0-9].*}$' first.json)"
if command -v python3 >/dev/null; then
	ok 'each object is JSON, and its median lies between its extremes' python3 -c '
import json
for line in open("first.json"):
    o = json.loads(line)
    assert o["min"] <= o["median"] <= o["max"], o
    assert o["page_size"] and o["kernel"] and o["machine"] and o["version"], o
    assert o["pipe_size"] and o["pipe_max_size"] and o["processors"] and o["slice_us"] and o["slices"] == 5, o'
else
	skip 'each object is JSON, and its median lies between its extremes' 'no python3'
fi
box pipetest -b -t pipe.writers.8 -D 20ms -J >writers.json
ok 'eight writers never have the same share to a thousandth' \
	awk -F '"fairness":' '{ sub(/,.*/, "", $2); exit !($2 + 0 > 0 && $2 + 0 < 0.998) }' writers.json
run box pipetest -b -t 'setup.*' -D 200ms --compare first.json --tolerance 10000
is '--compare accepts figures within the tolerance' 0 "$rc"
like '--compare shows the former figure as a ratio' '*times as slow as before*0 of 3 figures are slower*' "$out"
sed 's/"\(m[a-z]*\)":[0-9.e+-]*/"\1":0.000001/g' first.json >faster.json
run box pipetest -b -t 'setup.*' -D 200ms --compare faster.json
is 'a run that is slower than the former one exits with 5' 5 "$rc"
sed 's/"median":[0-9.e+-]*/"median":0.000001/; s/"max":[0-9.e+-]*/"max":1e9/' first.json >wide.json
run box pipetest -b -t 'setup.*' -D 200ms --compare wide.json
is 'a figure within the extremes of the former run is not slower' 0 "$rc"
echo '{"id":1}' >foreign.json
run box pipetest -b -t 'setup.*' --compare foreign.json
like '--compare refuses a file that -b -J did not write' "1 pipetest: 'foreign.json' has a line *" "$rc $err"
run box pipetest -b -t 'setup.*' --compare /nosuch
like '--compare names a file that is not there' "1 pipetest: can't open '/nosuch': *" "$rc $err"

for wrong in '-b -t nosuch' '-b -D 0' '-b --size 0' '-b --cpu 1,2,3' '-b --tolerance 5' '-D 1s' '--size 4k' '-b -x' \
	'-b --tap' '-b -e'; do
	# shellcheck disable=SC2086 # words
	run box pipetest $wrong
	is "wrong usage is refused: $wrong" 2 "$rc"
done
if command -v script >/dev/null; then
	script -qc "$IPCBOX pipetest -b -t 'setup.*' -D 200ms" typescript >/dev/null 2>&1
	like 'a terminal gets a table with bars' '*setup.fork_and_wait*us*..*#*' "$(tr -d '\r' <typescript)"
	script -qc "stty cols 80; $IPCBOX pipetest -b -D 300ms" typescript >/dev/null 2>&1
	is 'no row is longer than 80 columns on a terminal of 80 columns' '' \
		"$(tr -d '\r' <typescript | grep -v '^[#S ]' | grep '.\{81\}')"
	script -qc "$IPCBOX pipetest -b -t 'setup.*' -D 200ms --compare faster.json" typescript >/dev/null 2>&1
	like 'a table of a comparison has the former figure, and says which is slower' \
		'*setup.fork_and_wait*us*before*0.000*SLOWER*3 of 3 figures are slower*' "$(tr -d '\r' <typescript)"
else
	skip 'a terminal gets a table with bars' 'no script(1)'
fi
