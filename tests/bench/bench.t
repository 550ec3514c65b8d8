#!/bin/sh
# What make bench prints and leaves behind; what it measures is nobody's verdict.
. "${0%/*}/../tap.sh"

bench="$room/bench.sh"
export TMPDIR="$T" IPCBOX SIZE=64M PAIRS=1
# shellcheck disable=SC2009 # no process of ours has the name but in its arguments
gone() { [ "$(echo ipcbox-bench.*)" = 'ipcbox-bench.*' ] && [ "$shm" ] && [ ! -e "$shm" ] && ! ps -e -o args | grep -q "[ =]$shm/"; }
shm_of() { shm=$(sed -n 's/^files .* in \([^ ]*\) and .*/\1/p' "$1"); }

if ! command -v cc >/dev/null; then
	skip 'make bench' 'no cc'
	exit
fi
LIMIT=60 BENCH='F1 C6' run "$bench" .
is 'two lines: status 0' "0 $err" "$rc "
like 'the machine' 'machine *kernel *page size *' "$out"
like 'F1: a ratio and its target' '*F1  64 MiB of tmpfs through a FIFO*ipcbox * ms * <= 0.35 *' "$out"
like 'C6: the same' '*C6  pcopy*ipcbox *busybox * <= 1.2 *' "$out"
shm_of .out
ok 'nothing is left' gone
ok 'bench.json' python3 - <<'END'
import json
bench = json.load(open("bench.json"))
lines = bench["lines"]
assert [l["id"] for l in lines] == ["F1", "C6"], lines
assert bench["file_size"] == 64 << 20
for line in lines:
    ours = [r for r in line["runs"] if r["name"] == "ipcbox"]
    assert len(ours) == 1 and ours[0]["min"] <= ours[0]["median"] <= ours[0]["max"], line
    assert line["verdict"] in ("met", "missed", "unknown"), line
END
if command -v gnuplot >/dev/null; then
	like 'bench.svg' '<?xml*</svg>' "$(cat bench.svg)"
else
	skip 'bench.svg' 'no gnuplot'
fi

mkdir bin
for tool in sh cc as ld awk basename cat cmp cut date dd df getconf grep head mkdir mkfifo mktemp mv nproc realpath rm \
	sed seq sort tail uname umount wc; do
	ln -s "$(command -v $tool)" bin/
done
BENCH=F1 LIMIT=60 run env PATH="$T/bin" sh "$bench" .
is 'without peers: status 0' 0 "$rc"
like 'and each is named' '*pv *missing*socat *missing*mbuffer *missing*' "$out"

BENCH='S4 Z9' run "$bench" .
is 'no such line: status 1' "1 bench: no line 'Z9'" "$rc $err"
SIZE=-1 run "$bench" .
is 'an invalid SIZE' "1 bench: invalid SIZE: '-1' (64M, 1G)" "$rc $err"

for signal in TERM INT; do
	BENCH=F4 run timeout -s $signal 2 "$bench" .
	is "SIG$signal ends it" 124 "$rc"
	shm_of .out
	ok 'and nothing is left' wait_for gone
done
