#!/bin/sh
# What boots, judges and shows the boards, with guests of our own; real ones: make qemu-all.
. "${0%/*}/../tap.sh"
qemu=$top/qemu
if [ ! -d "$qemu" ]; then skip 'boards' 'no qemu/ here'; exit; fi
export OUT="$T/out" XDG_CACHE_HOME="$T/cache"
unset IPCBOX_TIMEOUT IPCBOX_TIMEOUT_SCALE IPCBOX_SILENCE IPCBOX_APPEND IPCBOX_QEMU_APPEND ACCEL TARGETS TIER
mkdir -p out/qemu cache empty bin

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
judged plan '/^1\.\./d'
is 'a missing plan fails' '1 FAIL no-plan' "$got"
judged notok 's/^ok 1/not ok 1/'
is 'a failure fails' '1 FAIL not-ok' "$got"
judged panic '/end rc/d'
is 'a guest that does not reach its end fails, whatever QEMU returns' '1 FAIL no-end' "$got"
judged rc 's/rc=0/rc=1/'
is 'a failed end fails' '1 FAIL rc=1' "$got"
judged totals 's/pass:1/pass:2/'
is 'totals that do not add up fail' '1 FAIL totals' "$got"

# boot.sh with a QEMU of our own, which does what ./guest says.
cat >fake-qemu <<'END'
#!/bin/sh
echo "$*" >args
. ./guest
END
chmod 755 fake-qemu
: >vmlinuz
head='echo; echo KTAP version 1; echo 1..2; echo ok 1 a.b; echo ok 2 a.c'
totals='echo "# Totals: pass:2 fail:0 xfail:0 xpass:0 skip:0 error:0"'
end='echo "# ipcbox end rc=0"'
# booted GUEST [VAR=VALUE...]: $rc, $out, $err, and $got: status, result, reason
booted() {
	echo "$1" >guest; shift
	run env IPCBOX_QEMU="$T/fake-qemu" INITRAMFS=none "$@" "$qemu/boot.sh" amd64 ./vmlinuz
	got="$rc $(cut -d' ' -f2,11 out/qemu/amd64.result)"
}
booted "$head; $totals; $end"
is 'a guest that does all passes' '0 pass - ' "$got $err"
like 'and the verdict is shown with its columns' 'target *kernel *page *
amd64 *pass *2 *0 *' "$out"
like 'it is emulated whatever /dev/kvm is, and has no graphics to print over it' \
	'-accel tcg *-smp 2 *-nodefaults -display none -serial stdio -monitor none -no-reboot *panic=-1*' "$(cat args)"
booted "$head; $totals; $end" ACCEL=kvm IPCBOX_APPEND=ipcbox.run=pipecap
like 'KVM is there for who asks for it' '*-accel kvm *ipcbox.run=pipecap*' "$(cat args)"
booted "$head; $totals; $end; exec sleep 60"
is 'a guest that has ended but cannot power off passes' '0 pass -' "$got"
booted 'seq 30 | sed "s/^/# line /"; echo "Kernel panic - not syncing"'
is 'a panic fails, though QEMU exits with 0' '1 FAIL no-header' "$got"
like 'and shows the last 20 lines' '*last 20 lines of *:
# line 12
*Kernel panic - not syncing' "$err"
booted "$head; $totals; echo Kernel panic"
is 'a panic before the end fails' '1 FAIL no-end' "$got"
booted ''
is 'no output at all fails' '1 FAIL no-header' "$got"
booted "$head; exec sleep 60" IPCBOX_SILENCE=2
is 'a silent guest is ended and fails' '1 FAIL totals' "$got"
like 'and says so' '*ok 2 a.c
# nothing for 2 s*' "$err"
booted "$head; while :; do echo '# more'; sleep 0.5; done" IPCBOX_TIMEOUT=3
is 'a guest that never ends is ended and fails' '1 FAIL totals' "$got"
booted "$head; $totals; $end" IPCBOX_QEMU=none
is 'no QEMU is a failure that names the way out' \
	'1 FAIL no-none boot.sh: no none: make deps qemu ARCH=amd64' "$got $err"
run "$qemu/boot.sh" amd64 ./nosuch-vmlinuz
is 'so is a kernel that is not there' "1 boot.sh: no kernel './nosuch-vmlinuz'" "$rc $err"
run "$qemu/boot.sh" nosuch
like 'and a board that is not in the table' "1 boot.sh: no board 'nosuch': one of amd64 *" "$rc $err"

# The same for an emulated program.
cp fake-qemu bin/qemu-aarch64-static
user() {
	echo "$1" >guest
	run env PATH="$T/bin:$PATH" IPCBOX_TIMEOUT=2 "$qemu/user.sh" arm64
	got="$rc $(cut -d' ' -f2,11 out/qemu/arm64-user.result)"
}
user "$head; $totals"
is 'qemu-user: its output counts' '0 pass -' "$got"
user "$head; exec sleep 60"
is 'and its time' '1 FAIL totals' "$got"

# The whole, with an archive that has nothing.
fleet() {
	run env IPCBOX_ARCHIVE="file://$T/empty" IPCBOX_QEMU="$T/fake-qemu" "$@" "$qemu/all.sh" 2
}
if command -v apt-get >/dev/null; then
	fleet TARGETS='amd64 amd64-6.12' MAKE=true
	like 'a kernel that cannot be fetched: tier 1 fails, tier 2 is skipped' '1 *
amd64 *FAIL *no-kernel
amd64-6.12 *SKIP *no-kernel
0 passed, 1 failed, 1 skipped' "$rc $out"
	like 'loudly' '*amd64-6.12: SKIP: trixie has no linux-image-cloud-amd64 that can be fetched*' "$err"
else
	skip 'a kernel that cannot be fetched' 'no apt-get'
fi
fleet TARGETS='mips-user mipsel-user' MAKE=false
like 'what does not build fails' '1 *
mips-user *FAIL *no-build
mipsel-user *FAIL *no-build
0 passed, 2 failed, 0 skipped' "$rc $out"

# Archives.
if command -v cpio >/dev/null; then
	ok 'an initramfs is made without root or nodes' "$qemu/cpio.sh" initramfs "$IPCBOX" a.gz
	cp "$IPCBOX" other; touch -d 2001-01-01 other; chmod 700 other
	(umask 077; "$qemu/cpio.sh" initramfs other b.gz)
	ok 'the same bytes in, the same bytes out' cmp a.gz b.gz
	is 'it holds the box as /init' init "$(gzip -dc a.gz | cpio -t --quiet)"
	like 'of root, for all to run, of no time' '-rwxr-xr-x*root/root *1970*init' \
		"$(gzip -dc a.gz | TZ=UTC cpio -tv --quiet | sed 's| 0/0 | root/root |; s|root *root|root/root|')"
	"$qemu/cpio.sh" cpio "$IPCBOX" c.gz pipetest pipecap
	is 'the other archive holds it with its names' 'usr
usr/bin
usr/bin/ipcbox
usr/bin/pipecap
usr/bin/pipetest' "$(gzip -dc c.gz | cpio -t --quiet)"
else
	skip 'archives' 'no cpio'
fi

# The table and the page.
judged bad 's/^ok 1/not ok 1/; s/# why/# <b> \& <\/script>/'
LIMIT=60 run "$qemu/table.sh" t gone
is 'the table: one that failed is status 1' 1 "$rc"
like 'with a line for each target, the sum at the end' \
	'*t  *FAIL *big *not-ok*gone *FAIL *did-not-run*
0 passed, 2 failed, 0 skipped' "$out"
ok 'JSON' python3 -c 'import json; assert len(json.load(open("out/boards.json"))) == 2'
browser=$(command -v chromium-headless-shell || command -v chromium)
# drawn PAGE: as the browser has it when its scripts have run
drawn() {
	LIMIT=60 run "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$T/profile" \
		--virtual-time-budget=2000 --dump-dom "file://$T/$1"
}
if [ -n "$browser" ]; then
	drawn out/boards.html
	like 'the page: a browser draws each target' \
		'*>t</button>*<td class="fail">fail: not-ok</td>*>gone</button>*<td class="fail">fail: did-not-run</td>*' "$out"
	like 'and the sum' '*<p id="sum">0 pass, 2 fail, 0 skip of 2 targets; 3 cases</p>*' "$out"
	like 'and the matrix, in words and colours' '*<td class="fail">FAIL 1</td>*' "$out"
	like 'a log cannot end its element' '*<\\/script>*' "$out"
	# A hand for the browser: it opens the group and touches the cell of what failed.
	sed '$d' out/boards.html >touched.html
	cat >>touched.html <<'END'
<script>
document.querySelector("#matrix button").click();
document.querySelector("#matrix tr.case td.fail").click();
</script>
END
	drawn touched.html
	like 'a touched cell shows the log behind it' \
		'*<dialog id="log" open="">*<b id="what">t: a.b</b><pre>*not ok 1 a.b</pre>*' "$out"
else
	skip 'the page in a browser' 'no chromium'
fi
is 'the page needs no network' '' "$(grep -oE '(src|href)="[^"]*"|https?:' out/boards.html)"

# What changes is a diff to qemu/EXPECTED: here all that amd64 was known for is gone.
printf '%s\n' 'KTAP version 1' '1..1' 'ok 1 a.b # SKIP new-here' >out/qemu/amd64.log
echo 'amd64 pass 6.1 4096 little 0 0 0 1 5 -' >out/qemu/amd64.result
run "$qemu/table.sh" amd64
like 'what the boards differ in is compared' "*what differs from qemu/EXPECTED:
*< amd64 reg.efault_tee.pipe XFAIL known-kernel-bug
*> amd64 a.b SKIP new-here
*" "$out"

# The table of targets is complete, and what is made of it.
. "$qemu/lib.sh"
here=$qemu
is 'each board has its architecture' '' "$(for b in $(names board); do
	[ -n "$(lines arch "${b%%-*}")" ] || echo "$b"; done)"
is 'what runs the tests is a board' '' "$(for b in $(names tests); do
	[ -n "$(lines board "$b")" ] || echo "$b"; done)"
like 'make deps qemu ARCH=arm64 needs' '*gcc*qemu-system-arm*' "$("$qemu/deps.sh" arm64 deps qemu | sort | tr '\n' ' ')"
is 'make deps check needs none of it' '' "$("$qemu/deps.sh" arm64 deps check)"
