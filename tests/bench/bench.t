#!/bin/sh
# These tests check what make bench prints and leaves behind; they judge no measured result.
. "${0%/*}/../tap.sh"

bench="$room/bench.sh"
export TMPDIR="$T" IPCBOX SIZE=64M PAIRS=1
# shellcheck disable=SC2009 # no process of ours has the name but in its arguments
gone() { [ "$(echo ipcbox-bench.*)" = 'ipcbox-bench.*' ] && [ "$shm" ] && [ ! -e "$shm" ] && ! ps -e -o args | grep -q "\(^\|[ =]\)$shm/"; }
shm_of() { shm=$(sed -n 's/^files .* in \([^ ]*\) and .*/\1/p' "$1"); }

if ! command -v cc >/dev/null; then
	skip 'bench.sh measures ipcbox and its peers' 'no cc'
	exit
fi
LIMIT=60 BENCH='F1 C6' run "$bench" .
is 'bench.sh of two questions ends with status 0, without a word on stderr' "0 $err" "$rc "
like 'bench.sh prints the machine first' 'machine *kernel *page size *' "$out"
like 'the first lines say the date, and what the first touch of memory costs' '*date *memory * MB/s at its first touch*' "$out"
like 'a question has its unit, and which way is better' '*F1  How fast does a file go through a FIFO?
*64 MiB from *; MB/s, more is better
*median *best run *worst run *our time / its*' "$out"
like 'the bare loop is named' '*bare splice loop * bare loop*C6 *' "$out"
like 'the best peer is named' '*C6 *, best peer*' "$out"
like 'what ipcbox runs is marked' '*C6 *
   \* pcopy --no-sync *' "$out"
shm_of .out
ok 'bench.sh leaves neither files nor processes' gone
ok 'bench.json holds each line with its runs' python3 - <<'END'
import json
bench = json.load(open("bench.json"))
lines = bench["lines"]
assert [l["id"] for l in lines] == ["F1", "C6"], lines
assert bench["file_size"] == 64 << 20
for line in lines:
    ours = [r for r in line["runs"] if r["name"] == "ipcbox"]
    assert len(ours) == 1 and ours[0]["min"] <= ours[0]["median"] <= ours[0]["max"], line
    assert line["best_peer"]["ratio"] > 0 and line["best_peer"]["ratio_of_minima"] > 0, line
assert lines[0]["bare_loop"]["name"] == "bare splice loop", lines[0]
assert bench["date"] and bench["version"] and bench["first_touch_mb_per_s"] > 0
END
cat >drawn.py <<'END'
import re, sys, xml.dom.minidom
svg = open(sys.argv[2]).read()
picture = xml.dom.minidom.parseString(svg)
texts = ["".join(n.data for n in t.childNodes) for t in picture.getElementsByTagName("text")]
for words in ("How fast does a file go through a FIFO?", "fifow -r, fifor -r", "bare splice loop", "MB/s: more is better"):
    assert words in texts, words
assert any(t.startswith("Linux") for t in texts) and any(re.search(r"20\d\d-\d\d-\d\d", t) for t in texts)
assert any(re.search("x86_64|aarch64|%s" % sys.argv[1], t) for t in texts)
assert not re.search(">F1|>C6|baseline-shift|<sub", svg)
assert min(float(t.getAttribute("font-size")) for t in picture.getElementsByTagName("text")) >= 13
for t in picture.getElementsByTagName("text"): # a letter is at most 0.62 of its size wide, on average
    width = len(t.firstChild.data) * 0.62 * float(t.getAttribute("font-size"))
    assert t.getAttribute("text-anchor") or float(t.getAttribute("x")) + width <= 800, t.firstChild.data
for box in picture.getElementsByTagName("rect"):
    assert 0 <= float(box.getAttribute("x") or 0) and float(box.getAttribute("x") or 0) + float(box.getAttribute("width")) <= 800
END
ok 'bench.svg is a picture 800 wide, with questions, tools, units, machine, kernel and date as plain words' \
	python3 drawn.py "$(uname -m)" bench.svg
# uname(2) has room for 64 characters.
sed 's/"kernel":"[^"]*"/"kernel":"Linux 5.10.198-android12-9-00085-g226a9632f13d-ab11136126-standard-16k"/; s/"runs":1/"runs":3/g' bench.json >long.json
"$room/show.sh" picture long.json >long.svg
ok 'the longest name of a kernel fits into the picture' python3 drawn.py "$(uname -m)" long.svg
ok 'a picture that show.sh draws says what the first touch of memory costs, and how many runs there were' grep -qE \
	'First touch of memory: [0-9]+ MB/s, later [0-9]+ MB/s\. One run to warm up, then 1 in turn\.' long.svg
ok 'a whisker has a light edge, or it would not be seen on a dark bar' grep -q 'stroke="#fff" stroke-width="4"' long.svg
like 'bench.html has a table beside each chart' '*<svg*>fifow -r, fifor -r<*</svg>
<table>*bare loop*</table>*<svg*>pcopy --no-sync<*<table>*best peer*</table>*</html>*' "$(cat bench.html)"
like 'the table of bench.html says what ran once' '*<th>bare splice loop</th>*bare loop (1 run)</td>*' "$(cat bench.html)"

# show.sh shows it again.
is 'show.sh table prints the tables of bench.json as bench.sh printed them' "$(sed -n '/^F1 /,/^written/{/^written/!p;}' .out)" \
	"$("$room/show.sh" table bench.json | sed 1d)"
printf '%s\n' one 'SPEED (old)' '' '    old' '' 'NEXT' '' last >old.txt
is 'show.sh readme puts the figures into the section SPEED and changes nothing else' "one
SPEED (make bench, 64 MiB; $(uname -m), $(nproc) processors, Linux $(uname -r | sed 's/\(\.[0-9]*\.[0-9]*\).*/\1/'), $(sed -n '1s/.*"date":"\([^"]*\).*/\1/p' bench.json))

file fifow -r, fifor -r
4 pcopy --no-sync

NEXT

last" "$("$room/show.sh" readme bench.json old.txt | sed 's/^    file .*\(fifow -r, fifor -r\) *[0-9,]* MB.s .* [0-9,]*$/file \1/
	s/^    4 KiB copy *\(pcopy --no-sync\) *[0-9,]* us .* [0-9,]*$/4 \1/; /^ .* best other tool$/d')"
is 'two runs agree if both are the same' 0 "$("$room/show.sh" agree bench.json bench.json >agreed; echo $?)"
printf 'F1\tHow fast?\tx\tms\t1\tfifow\t%s\n' 'ipcbox	5 4 6 3 1 1' 'cp	8 7 9 3 .5 .5' 'dd	6 5 7 3 1 1' >first
printf 'F1\tHow fast?\tx\tms\t1\tfifow\t%s\n' 'ipcbox	5 4 6 3 1 1' 'cp	2 1 3 3 2 2' 'dd	2 1 3 3 2 2' >second
is 'two runs contradict each other only if all runs say so in both' '1 F1  How fast? (x)
    behind dd
    THE RUNS CONTRADICT EACH OTHER: cp
1 questions, 1 contradictions' "$(awk -f "$room/agree.awk" first second >agreed; echo "$? $(cat agreed)")"

# The statistics of samples whose answers are known: ipcbox takes half of the time of its pair.
printf '%s\n' '0 ipcbox 9' '0 slow 99' '0 cp 9' '1 ipcbox 5' '1 cp 10' '2 ipcbox 50' '2 cp 100' '3 ipcbox 6' '3 cp 12' >samples
is 'a ratio is the median of the pairs of a turn, and that of the minima stands beside it' \
	'ipcbox 6 5 50 3 1 1
slow 99 99 99 1 0.06061 0.05051
cp 12 10 100 3 0.5 0.5' "$(awk -f "$room/statistics.awk" samples)"

BENCH=M2 LIMIT=60 run "$bench" .
like 'a reader of mmapr --emit-c sees no torn record' '*How many records does a reader see torn?
*reads of a board*
   \* mmapw -, a reader of mmapr --emit-c * 0
*' "$out"
BENCH=M1 LIMIT=60 run "$bench" .
like 'the time to a new record is measured on one processor, too' '*How long until a reader on the same processor has a new record?
*bare futex loop *' "$out"
shm_of .out
ok 'bench.sh of boards leaves neither files nor processes' gone

mkdir bin
for tool in sh cc as ld awk basename cat cmp cut date dd df getconf grep head mkdir mkfifo mktemp mv nproc realpath rm \
	sed seq sort tail uname umount wc; do
	ln -s "$(command -v $tool)" bin/
done
BENCH=F1 LIMIT=60 run env PATH="$T/bin" sh "$bench" .
is 'bench.sh without any peer ends with status 0' 0 "$rc"
like 'bench.sh names each peer that is not installed' '*pv *missing*socat *missing*mbuffer *missing*' "$out"

BENCH='S4 Z9' run "$bench" .
is 'bench.sh refuses an unknown line and names it' "1 bench: no line 'Z9'" "$rc $err"
SIZE=-1 run "$bench" .
is 'bench.sh refuses an invalid SIZE and gives examples' "1 bench: invalid SIZE: '-1' (64M, 1G)" "$rc $err"

# A Ctrl-C reaches all processes of the terminal: the signal goes to the whole group.
cat >signalled.py <<'END'
import os, signal, subprocess, sys
bench = subprocess.Popen([sys.argv[2], "."], stdout=subprocess.PIPE, text=True, start_new_session=True)
signal.signal(signal.SIGALRM, lambda *_: os.killpg(bench.pid, signal.SIGKILL))
signal.alarm(60)
for line in bench.stdout:
    print(line, end="")
    if line.startswith("ratios"):
        os.killpg(bench.pid, getattr(signal, "SIG" + sys.argv[1]))
        break
bench.stdout.read()
print("status", bench.wait())
END
for signal in TERM INT; do
	BENCH=F4 run python3 signalled.py $signal "$bench"
	like "SIG$signal ends bench.sh" '*status 1[34]*' "$out"
	shm_of .out
	ok "bench.sh leaves neither files nor processes after SIG$signal" wait_for gone
done
