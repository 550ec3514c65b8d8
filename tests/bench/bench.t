#!/bin/sh
# These tests check what make bench prints and leaves behind; they judge no measured result.
. "${0%/*}/../tap.sh"

bench="$room/bench.sh"
export TMPDIR="$T" IPCBOX SIZE=64M PAIRS=1
# shellcheck disable=SC2009 # no process of ours has the name but in its arguments
gone() { [ "$(echo ipcbox-bench.*)" = 'ipcbox-bench.*' ] && [ "$shm" ] && [ ! -e "$shm" ] && ! ps -e -o args | grep -q "[ =]$shm/"; }
shm_of() { shm=$(sed -n 's/^files .* in \([^ ]*\) and .*/\1/p' "$1"); }

if ! command -v cc >/dev/null; then
	skip 'bench.sh measures ipcbox and its peers' 'no cc'
	exit
fi
LIMIT=60 BENCH='F1 C6' run "$bench" .
is 'bench.sh of two lines ends with status 0, without a word on stderr' "0 $err" "$rc "
like 'bench.sh prints the machine first' 'machine *kernel *page size *' "$out"
like 'the line F1 has a result, a ratio and its target' '*F1  64 MiB of tmpfs through a FIFO*ipcbox * ms * <= 0.33 *' "$out"
like 'the line C6 has a result, a ratio and its target' '*C6  pcopy*ipcbox *busybox * <= 0.8 *' "$out"
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
    assert line["verdict"] in ("met", "missed", "unknown"), line
END
if command -v gnuplot >/dev/null; then
	like 'bench.svg is an SVG file' '<?xml*</svg>' "$(cat bench.svg)"
else
	skip 'bench.svg is an SVG file' 'no gnuplot'
fi

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

for signal in TERM INT; do
	BENCH=F4 run timeout -s $signal 2 "$bench" .
	is "SIG$signal ends bench.sh" 124 "$rc"
	shm_of .out
	ok "bench.sh leaves neither files nor processes after SIG$signal" wait_for gone
done
