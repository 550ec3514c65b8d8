#!/bin/sh
# What judges and shows the boards; the boards themselves: make qemu-all.
. "${0%/*}/tap.sh"
qemu=$tests/../qemu
if [ ! -d "$qemu" ]; then skip 'boards' 'no qemu/ here'; exit; fi
export OUT="$T/out"
mkdir -p out/qemu

# judged RESULT REASON LOG-EDIT...: the verdict on a good log after sed
judged() {
	name=$1; shift
	printf '%s\r\n' '[    0.5] noise' '' 'KTAP version 1' '1..3' \
		'# ipcbox 1 pipetest on Linux 6.1.0 s390x, 64 bits, big endian' \
		'# page 4096, PIPE_BUF 4096' 'ok 1 a.b' '# why' 'ok 2 a.c # SKIP none' 'ok 3 a.d # XFAIL known' \
		'# Totals: pass:1 fail:0 xfail:1 xpass:0 skip:1 error:0' '# ipcbox end rc=0' |
		sed "$@" >out/qemu/t.log
	awk -v name=t -v seconds=5 -v guest=1 -f "$qemu/judge.awk" out/qemu/t.log >out/qemu/t.result
	got="$? $(cut -d' ' -f2,11 out/qemu/t.result)"
}
judged good ''
is 'a complete log passes' '0 pass -' "$got"
is 'with its figures' 't pass 6.1.0 4096 big 1 0 1 1 5 -' "$(cat out/qemu/t.result)"
judged empty d
is 'an empty log fails' '1 FAIL no-header' "$got"
judged short '/^ok 3/d'
is 'a missing case fails' '1 FAIL incomplete' "$got"
judged notok 's/^ok 1/not ok 1/'
is 'a failure fails' '1 FAIL not-ok' "$got"
judged panic '/end rc/d'
is 'a guest that does not reach its end fails, whatever QEMU returns' '1 FAIL no-end' "$got"
judged rc 's/rc=0/rc=1/'
is 'a failed end fails' '1 FAIL rc=1' "$got"
judged totals 's/pass:1/pass:2/'
is 'totals that do not add up fail' '1 FAIL totals' "$got"

if command -v cpio >/dev/null; then
	ok 'an initramfs is made without root or nodes' "$qemu/cpio.sh" initramfs "$IPCBOX" a.gz
	cp "$IPCBOX" other; touch -d 2001-01-01 other; chmod 700 other
	(umask 077; "$qemu/cpio.sh" initramfs other b.gz)
	ok 'the same bytes in, the same bytes out' cmp a.gz b.gz
	is 'it holds the box as /init' init "$(gzip -dc a.gz | cpio -t --quiet)"
	"$qemu/cpio.sh" cpio "$IPCBOX" c.gz pipetest pipecap
	is 'the other archive holds it with its names' 'usr
usr/bin
usr/bin/ipcbox
usr/bin/pipecap
usr/bin/pipetest' "$(gzip -dc c.gz | cpio -t --quiet)"
else
	skip 'archives' 'no cpio'
fi

judged bad 's/^ok 1/not ok 1/; s/# why/# <b> \& <\/script>/'
LIMIT=60 run "$qemu/table.sh" t gone
is 'the table: one that failed is status 1' 1 "$rc"
like 'with a line for each target' '*t  *FAIL *big *not-ok*gone *FAIL *did-not-run*2 failed*' "$out"
ok 'JSON' python3 -c 'import json; assert len(json.load(open("out/boards.json"))) == 2'
browser=$(command -v chromium-headless-shell || command -v chromium)
if [ -n "$browser" ]; then
	# --virtual-time-budget: the page has drawn itself when it is printed
	LIMIT=60 run "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$T/profile" \
		--virtual-time-budget=2000 --dump-dom "file://$T/out/boards.html"
	like 'the page: a browser draws the sum' '*<p id="sum">0 pass, 2 fail, 0 skip of 2 targets; 3 cases</p>*' "$out"
	like 'and the matrix' '*<td class="fail">FAIL 1</td>*' "$out"
	like 'a log cannot end its element' '*<\\/script>*' "$out"
else
	skip 'the page in a browser' 'no chromium'
fi
is 'the page needs no network' '' "$(grep -oE '(src|href)="[^"]*"|https?:' out/boards.html)"

# The table of targets is complete, and what is made of it.
. "$qemu/lib.sh"
here=$qemu
is 'each board has its architecture' '' "$(for b in $(names board); do
	[ -n "$(lines arch "${b%%-*}")" ] || echo "$b"; done)"
like 'make deps qemu ARCH=arm64 needs' '*gcc*qemu-system-arm*' "$("$qemu/deps.sh" arm64 deps qemu | sort | tr '\n' ' ')"
is 'make deps check needs none of it' '' "$("$qemu/deps.sh" arm64 deps check)"
