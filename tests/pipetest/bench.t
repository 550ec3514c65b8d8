#!/bin/sh
# pipetest -b: that it measures, and prints what others can read. How fast is nobody's verdict.
LIMIT=60
. "${0%/*}/../tap.sh"

run box pipetest -b -l
is 'pipetest -b -l succeeds' 0 "$rc"
like 'pipetest -b -l names throughput, round trips, copies and set-up' \
	'*pipe.throughput.64k*pipe.roundtrip.same_cpu*copy.two_mappings*setup.fork_exec_and_wait*' "$out"
all=$(printf '%s\n' "$out" | wc -l)
is 'pipetest -b -l -J prints an object a measurement' "$all" \
	"$(box pipetest -b -l -J | grep -c '^{"bench":"[a-z0-9_.]*","unit":"[A-Za-z/]*","size":[0-9]*}$')"

mkdir files
run box pipetest -b -D 1s -d files
is 'all measurements end with status 0, and say nothing on stderr' '0 ' "$rc $err"
is 'the plan counts every measurement' "1..$all" "$(printf '%s\n' "$out" | grep '^1\.\.')"
is 'each measurement has its result' "$all" "$(printf '%s\n' "$out" | grep -c '^ok [0-9]* bench\.')"
like 'the data sheet is one line with four figures' \
	'*# Data sheet: pipe * MB/s, round trip * us, fork and exec * us, copy * MB/s*' "$out"
like 'the header says how many slices there are, and where their processes are pinned' \
	'*# median, least .. most of 6 slices; pinned to processors [0-9]*,[0-9]*' "$out"
like 'writers have their number, and how fair the pipe is to them' \
	'*# pipe.writers.8 * records/s, * to *; slowest writer: * % of the fastest*' "$out"
like 'a round trip has percentiles' '*# pipe.roundtrip.same_cpu * us, * to *; p50 * p90 * p99 * max * us*' "$out"
is 'the directory of the measurements is gone' '' "$(ls files)"

run box pipetest -b=sheet -D 500ms
is 'pipetest -b=sheet measures the figures of the data sheet alone' '0 1..6' \
	"$rc $(printf '%s\n' "$out" | grep '^1\.\.')"
like 'pipetest -b=sheet prints the data sheet' \
	'*# Data sheet: pipe * MB/s, round trip * us, fork and exec * us, copy * MB/s*' "$out"

# The file that is copied has 8 MiB.
run sh -c "ulimit -v 4000; exec '$IPCBOX' pipetest -b=copy.sendfile -D 100ms -d files"
is 'a copy is measured with little memory, and leaves no file behind' '0  ' "$rc $err $(ls files)"
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	mkdir full
	# shellcheck disable=SC2016 # of the inner shell
	run unshare -m sh -c 'mount -t tmpfs -o size=2M none full && cp "$1" full/ipcbox &&
		chroot full /ipcbox pipetest -b=fifo.throughput.64 -D 100ms' sh "$IPCBOX"
	like 'without a directory of its own pipetest makes no FIFO in that of others' \
		'4 *# fifo.throughput.64: no directory to write in*' "$rc $out"
else
	skip 'without a directory of its own pipetest makes no FIFO in that of others' 'not root, or no mount namespace'
fi
emulator=qemu-$(uname -m)-static
if command -v "$emulator" >/dev/null; then
	mkdir here && cp "$IPCBOX" here/ipcbox
	run "$emulator" here/ipcbox pipetest -b=setup.fork_exec_and_wait -D 100ms
	like "under qemu's user mode a program of a relative name is found again" \
		'*# Data sheet: fork and exec * us*' "$out"
else
	skip "under qemu's user mode a program of a relative name is found again" "no $emulator"
fi

run box pipetest -b=setup.pipe_and_close -D 200ms --lava
like 'LAVA gets the figure as a measurement' \
	'*<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=bench.setup.pipe_and_close RESULT=pass UNITS=us MEASUREMENT=*>*' "$out"
run box pipetest -b -t 'pipe.throughput.*' --size 3k,64 -D 300ms
is '--size measures those sizes and no others' 'bench.pipe.throughput.3k bench.pipe.throughput.64 ' \
	"$(printf '%s\n' "$out" | sed -n 's/^ok [0-9]* //p' | sort | tr '\n' ' ')"

box pipetest -b -t 'setup.*' -t copy.sendfile -D 3s -J >first.json
is '--json prints an object a measurement' 4 "$(grep -c '^{"bench":".*","unit":".*"median":[0-9].*}$' first.json)"
if command -v python3 >/dev/null; then
	ok 'each object is JSON, and its median lies between its extremes' python3 -c '
import json
for line in open("first.json"):
    o = json.loads(line)
    assert o["min"] <= o["median"] <= o["max"], o
    assert o["page_size"] and o["kernel"] and o["machine"] and o["version"], o
    assert o["pipe_size"] and o["pipe_max_size"] and o["processors"] and o["slice_us"] and o["slices"] == 6, o'
else
	skip 'each object is JSON, and its median lies between its extremes' 'no python3'
fi
box pipetest -b -t setup.pipe_and_close -t pipe.tee.64k -D 1ms -J >hasty.json
is 'where there is no time each figure is that of one pass, which has 2 slices' '"slices":2 "slices":2 ' \
	"$(grep -o '"slices":[0-9]*' hasty.json | tr '\n' ' ')"
run box pipetest -b -t setup.pipe_and_close -D 1ms
like 'a run without time says so' '*# figures of fewer slices, for lack of time: 1' "$out"
box pipetest -b -t pipe.writers.8 -D 20ms -J >writers.json
ok 'eight writers never have the same share to a thousandth' \
	awk -F '"fairness":' '{ sub(/,.*/, "", $2); exit !($2 + 0 > 0 && $2 + 0 < 0.998) }' writers.json
run box pipetest -b -t 'setup.*' -D 200ms --compare first.json --tolerance 10000
is '--compare accepts figures within the tolerance' 0 "$rc"
like '--compare shows the former figure beside the new one' \
	'*# setup.fork_and_wait * us, * to *; before *0 of 3 figures are slower*' "$out"
sed -E 's/"(median|min|max)":[0-9.e+-]*/"\1":0.000001/g' first.json >faster.json
run box pipetest -b -t 'setup.*' -D 200ms --compare faster.json
is 'a run that is slower than the former one exits with 5' 5 "$rc"
sed -E 's/"(median|min)":[0-9.e+-]*/"\1":0.000001/g; s/"max":[0-9.e+-]*/"max":1e9/' first.json >wide.json
run box pipetest -b -t 'setup.*' -D 200ms --compare wide.json
is 'a figure within the extremes of the former run is not slower' 0 "$rc"
box pipetest -b -t 'setup.*' -D 200ms --compare faster.json -J >compared.json
is 'an object says the former figure, and whether this one is slower' 3 \
	"$(grep -c '"before":1e-06,"slower":true,' compared.json)"

# figure UNIT MEDIAN MIN MAX: a line as -b -J writes it
figure() {
	printf '{"bench":"a.b","unit":"%s","size":0,"median":%s,"min":%s,"max":%s,"slices":6,"slice_us":9,"cpus":"",' "$@"
	printf '"kernel":"6.1.0","machine":"m68k","page_size":4096,"pipe_size":65536,"pipe_max_size":1048576,'
	printf '"processors":1,"version":"1.0.0"}\n'
}
# judged NAME UNIT OLD NEW EXPECTED: OLD and NEW are each median, min and max
judged() {
	# shellcheck disable=SC2086 # words
	{ figure "$2" $3 >old.json; figure "$2" $4 >new.json; }
	run box pipetest -b --compare old.json new.json
	verdict=$(printf '%s\n' "$out" | sed -n 's/^# a\.b .*before [0-9.]*//p')
	is "of two saved runs, $1" "$5" "$rc$verdict"
}
judged 'a rate is equal to itself' MB/s '100 95 105' '100 95 105' 0
judged 'a time is equal to itself' us '100 95 105' '100 95 105' 0
judged 'half the rate is slower' MB/s '100 95 105' '50 48 53' '5  SLOWER'
judged 'twice the time is slower' us '100 95 105' '200 190 210' '5  SLOWER'
judged 'twice the rate is not slower' MB/s '100 95 105' '200 190 210' 0
judged 'half the time is not slower' us '100 95 105' '50 48 53' 0
judged 'a rate whose best slice is 24 % below the worst one is not slower' MB/s '110 100 120' '78 77 81' 0
judged 'a rate whose best slice is 27 % below the worst one is slower' MB/s '110 100 120' '78 77 78.7' '5  SLOWER'
judged 'a time whose best slice is 24 % above the worst one is not slower' us '95 90 100' '130 124 140' 0
judged 'a time whose best slice is 26 % above the worst one is slower' us '95 90 100' '130 126 140' '5  SLOWER'
judged 'a noisy former rate is not slower within its range' MB/s '100 40 105' '45 43 47' '0  noisy'
judged 'a noisy new rate is judged by its best slice' MB/s '100 95 105' '40 10 70' '5  SLOWER'
judged 'a median that is half as good in a noisy run is not slower' MB/s '100 95 105' '50 40 99' '0  noisy'
figure us 200 190 210 >new.json
figure us 100 95 105 >old.json
run box pipetest -b --compare old.json --tolerance 99 new.json
is '--tolerance 99 lets pass what takes 1.81 times as long' 0 "$rc"
run box pipetest -b --compare old.json --tolerance 80 new.json
is '--tolerance 80 does not let it pass' 5 "$rc"
run box pipetest -b --compare first.json first.json
is 'a run is as fast as itself' '0 # 0 of 4 figures are slower' "$rc $(printf '%s\n' "$out" | tail -n 1 | sed 's/ than.*//')"
sed 's/"machine":"m68k"/"machine":"sparc"/' new.json >sparc.json
run box pipetest -b --compare old.json sparc.json
is '--compare says that a file is of another machine' "5 pipetest: 'old.json' is of another machine" "$rc $err"
like '--compare shows which machines the figures are of' \
	'*# before: m68k, 1 processors, pages of 4096, Linux 6.1.0*# now: sparc, 1 *' "$out"
figure MB/s 1 1 1 >rate.json
run box pipetest -b --compare old.json rate.json
like 'figures in other units are not compared: everything was skipped' "4 pipetest: 'old.json' has no figure to compare*" "$rc $err"

# refused NAME: bad.json is not used
refused() {
	run box pipetest -b -t 'setup.*' --compare bad.json
	like "--compare refuses $1" "1 pipetest: 'bad.json' *" "$rc $err"
}
echo '{"id":1}' >bad.json; refused 'a file that -b -J did not write'
: >bad.json; refused 'an empty file'
head -c 900 first.json >bad.json; refused 'a file whose last line is cut'
sed 's/"min"/"men"/' old.json >bad.json; refused 'a line without a figure that belongs to it'
sed 's/"max":105/"max":99/' old.json >bad.json; refused 'a median above the maximum'
sed 's/"median":100/"median":nan/' old.json >bad.json; refused 'a median that is no number'
printf '{"bench":"a\033[31m","unit":"us","median":1,"min":1,"max":1,"kernel":"a","machine":"b"}\n' >bad.json
refused 'a name with an escape in it'
{ sed 1q first.json; head -c 4096 /dev/zero; } >bad.json; refused 'a file whose end is zeros, as after a power cut'
awk '{ for (i = 0; i < 1300; i++) print }' first.json >bad.json
refused 'a file of over 1 MiB'
sed 's/"processors":1/"processors":1e300/' old.json >cast.json
run box pipetest -b --compare cast.json old.json
like 'a number of processors that cannot be is none' '0*# before: m68k, 0 processors*' "$rc$out"
run box pipetest -b -t 'setup.*' --compare /nosuch
like '--compare names a file that is not there' "1 pipetest: can't open '/nosuch': *" "$rc $err"

run box pipetest -b -t setup.pipe_and_close --cpu 1023
like '--cpu names a processor that is not there' "1 pipetest: can't run on processor 1023: *" "$rc $err"

for wrong in '-b -t nosuch' '-b -D 0' '-b --size 0' '-b --cpu 1,2,3' '-b --tolerance 5' '-D 1s' '--size 4k' '-b -x' \
	'-b --tap' '-b -e' 'old.json' '-b old.json' '-b --compare old.json new.json old.json' \
	'-b --compare old.json new.json -J' '-b --compare old.json new.json -D 1s' '-b -t nosuch --compare old.json new.json' '-b -t setup.pipe_and_close -t nosuch -D 1ms' \
	'-b=' '-b -q -D 1ms' '-b -v -D 1ms'; do
	# shellcheck disable=SC2086 # words
	run box pipetest $wrong
	is "wrong usage is refused: $wrong" 2 "$rc"
done
if command -v script >/dev/null; then
	script -qc "$IPCBOX pipetest -b -t 'setup.*' -D 200ms" typescript >/dev/null 2>&1
	like 'a terminal gets a table with bars' '*setup.fork_and_wait*us*..*#*' "$(tr -d '\r' <typescript)"
	script -qc "stty cols 80; $IPCBOX pipetest -b -D 300ms" typescript >/dev/null 2>&1
	is 'no row is longer than 80 columns on a terminal of 80 columns' '' \
		"$(tr -d '\r' <typescript | grep -v '^[#S]' | grep '.\{81\}')"
	script -qc "stty cols 40; $IPCBOX pipetest -b -D 300ms" typescript >/dev/null 2>&1
	is 'no row is longer than 40 columns on a terminal of 40 columns' '' \
		"$(tr -d '\r' <typescript | grep -v '^[#S]' | grep '.\{41\}')"
	like 'a row without a bar has its percentiles' '*pipe.roundtrip.same_cpu
*us *.. *
  p50 * p90 *
  p99 * max * us
*' "$(tr -d '\r' <typescript)"
	script -qc "stty cols 40; $IPCBOX pipetest -b -t 'setup.*' -D 200ms --compare faster.json" typescript >/dev/null 2>&1
	is 'nor is one with a former figure' '3 ' "$(grep -c SLOWER typescript) $(tr -d '\r' <typescript | grep -v '^[#S]' | grep '.\{41\}')"
	script -qc "$IPCBOX pipetest -b -t 'setup.*' -D 200ms --compare faster.json" typescript >/dev/null 2>&1
	like 'a table of a comparison has the former figure, and says which is slower' \
		'*setup.fork_and_wait*us*before*0.000*SLOWER*3 of 3 figures are slower*' "$(tr -d '\r' <typescript)"
else
	skip 'a terminal gets a table with bars' 'no script(1)'
fi
