#!/bin/sh
# These tests run the scripts of qemu/ with guests that a script feigns; make qemu-all boots real ones.
#
# SPDX-License-Identifier: 0BSD
. "${0%/*}/../tap.sh"
qemu=$top/qemu
if [ ! -d "$qemu" ]; then skip 'the scripts of the boards work with a QEMU that is feigned' 'no qemu/ here'; exit; fi
export OUT="$T/out" XDG_CACHE_HOME="$T/cache"
unset IPCBOX_TIMEOUT IPCBOX_TIMEOUT_SCALE IPCBOX_SILENCE IPCBOX_APPEND IPCBOX_QEMU_APPEND ACCEL TARGETS TIER
mkdir -p out/qemu cache empty bin

# judged NAME SED-COMMAND... sets $got to the verdict on a good log that sed has edited
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
is 'judge: a complete log passes' '0 pass -' "$got"
is 'judge: the record of a log has its kernel, page size, byte order and counts' 't pass 6.1.0 4096 big 1 0 1 1 5 -' "$(cat out/qemu/t.result)"
judged empty d
is 'judge: an empty log fails' '1 FAIL no-header' "$got"
judged short '/^ok 3/d'
is 'judge: a log that lacks a case of its plan fails' '1 FAIL incomplete' "$got"
judged plan '/^1\.\./d'
is 'judge: a log without a plan fails' '1 FAIL no-plan' "$got"
judged notok 's/^ok 1/not ok 1/'
is 'judge: a log with a not ok fails' '1 FAIL not-ok' "$got"
judged panic '/end rc/d'
is 'judge: a log without the end marker of a guest fails' '1 FAIL no-end' "$got"
judged rc 's/rc=0/rc=1/'
is 'judge: a guest that ends with another status than 0 fails' '1 FAIL rc=1' "$got"
judged totals 's/pass:1/pass:2/'
is 'judge: a log whose totals do not add up fails' '1 FAIL totals' "$got"
judged sheet "s/^# ipcbox end.*/KTAP version 1\\n1..1\\n# Data sheet: pipe 12.5 MB\\/s, round trip 5 us\\nnot ok 1 bench.x\\n&/"
is 'judge: the measurements behind the cases take nothing from the verdict' '0 pass -' "$got"
cat >>out/qemu/t.log <<'END'
# Your kernel lacks these fixes:
#   abc "1" (6.7) fixed it: a rule
# Skips: none:1
END
awk -v record="$(cat out/qemu/t.result)" -v date=2026-01-02 -f "$qemu/record.awk" out/qemu/t.log >record.json
ok 'record: boards.json has kernel, machine, page size, version, date, fixes and data sheet as fields' python3 - <<'END'
import json
r = json.load(open("record.json"))
assert (r["target"], r["result"], r["kernel"], r["machine"], r["page"]) == ("t", "pass", "6.1.0", "s390x", 4096), r
assert (r["version"], r["date"], r["order"]) == ("1", "2026-01-02", "big"), r
assert r["missing_fixes"] == ['abc "1" (6.7) fixed it: a rule'], r
assert r["data_sheet"] == [{"what": "pipe", "value": 12.5, "unit": "MB/s"}, {"what": "round trip", "value": 5, "unit": "us"}], r
END

# An expected failure: qemu/EXPECTED gives its reason.
cp -r "$qemu" scripts
printf '%s\n' 'a.b not ok: it differs there | other t' 'a.d not ok: nothing of t | other' 'k.* not ok: of each kind | t' >scripts/EXPECTED
judged expected 's/^ok 1/not ok 1/; s/pass:1 fail:0/pass:0 fail:1/'
(. scripts/lib.sh; here=scripts; judge t 5 out/qemu/t.log guest) >/dev/null 2>&1
is 'judge: a failure that EXPECTED has a reason for counts as expected' 't pass 6.1.0 4096 big 0 0 2 1 5 -' "$(cat out/qemu/t.result)"
like 'judge: the log gives the reason of an expected failure' '*not ok 1 a.b # EXPECTED a.b: it differs there
*' "$(cat out/qemu/t.log)"
judged other 's/^ok 1 a.b/not ok 1 a.c/; s/pass:1 fail:0 xfail:1/pass:0 fail:2 xfail:0/; s/XFAIL known/no/; s/^ok 3/not ok 3/'
(. scripts/lib.sh; here=scripts; judge t 5 out/qemu/t.log guest) >/dev/null 2>&1
is 'judge: a failure that EXPECTED gives to another board fails' 'FAIL 2 not-ok' "$(cut -d' ' -f2,7,11 out/qemu/t.result)"
judged kinds 's/^ok 1 a.b/not ok 1 k.pipe/; s/pass:1 fail:0/pass:0 fail:0/; s/error:0/error:1/'
(. scripts/lib.sh; here=scripts; judge t 5 out/qemu/t.log guest) >/dev/null 2>&1
is 'judge: a reason can be for all kinds of a case, and an ERROR is a failure, too' 'pass 0 2' "$(cut -d' ' -f2,7,8 out/qemu/t.result)"

# boot.sh gets a feigned QEMU, which runs ./guest.
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
# booted GUEST [VAR=VALUE...] sets $rc, $out, $err, and $got to status, result and reason
booted() {
	echo "$1" >guest; shift
	run env IPCBOX_QEMU="$T/fake-qemu" INITRAMFS=none "$@" "$qemu/boot.sh" amd64 ./vmlinuz
	got="$rc $(cut -d' ' -f2,11 out/qemu/amd64.result)"
}
booted "$head; $totals; $end"
is 'boot: a guest that runs all cases and ends passes' '0 pass - ' "$got $err"
like 'boot: the verdict is printed below the titles of its columns' 'target *kernel *page *
amd64 *pass *2 *0 *' "$out"
like 'boot: QEMU emulates without KVM, and has no graphics' \
	'-accel tcg *-smp 2 *-nodefaults -display none -serial stdio -monitor none -no-reboot *panic=-1*' "$(cat args)"
booted "$head; $totals; $end" ACCEL=kvm IPCBOX_APPEND=ipcbox.run=pipecap
like 'boot: a board measures its data sheet after the cases' '*ipcbox.run=pipetest;pipetest,-b=sheet,-D,3s*ipcbox.run=pipecap*' "$(cat args)"
like 'boot: ACCEL=kvm asks for KVM, IPCBOX_APPEND reaches the command line of the kernel' '*-accel kvm *ipcbox.run=pipecap*' "$(cat args)"
booted "$head; $totals; $end; exec sleep 60"
is 'boot: a guest that ended but cannot power itself off passes' '0 pass -' "$got"
booted 'seq 30 | sed "s/^/# line /"; echo "Kernel panic - not syncing"'
is 'boot: a guest that panics fails although QEMU exits with 0' '1 FAIL no-header' "$got"
like 'boot: the last 20 lines of a failed log are printed' '*last 20 lines of *:
# line 12
*Kernel panic - not syncing' "$err"
booted "$head; $totals; echo Kernel panic"
is 'boot: a guest that panics after the totals fails' '1 FAIL no-end' "$got"
booted ''
is 'boot: a guest without any output fails' '1 FAIL no-header' "$got"
booted "$head; exec sleep 60" IPCBOX_SILENCE=2
is 'boot: a guest that prints nothing for IPCBOX_SILENCE seconds fails' '1 FAIL totals' "$got"
like 'boot: the log of a silent guest says how long it was silent' '*ok 2 a.c
# nothing for 2 s*' "$err"
booted "$head; while :; do echo '# more'; sleep 0.5; done" IPCBOX_TIMEOUT=3
is 'boot: a guest that runs longer than IPCBOX_TIMEOUT fails' '1 FAIL totals' "$got"
booted "$head; $totals; $end" IPCBOX_QEMU=none
is 'boot: a missing QEMU is a failure that names the make command to get it' \
	'1 FAIL no-none boot.sh: no none: make deps qemu ARCH=amd64' "$got $err"
run "$qemu/boot.sh" amd64 ./nosuch-vmlinuz
is 'boot: a kernel image that does not exist is refused with its name' "1 boot.sh: no kernel './nosuch-vmlinuz'" "$rc $err"
run "$qemu/boot.sh" nosuch
like 'boot: an unknown board is refused with the names of those that exist' "1 boot.sh: no board 'nosuch': one of amd64 *" "$rc $err"

# A kernel that is a program is started without QEMU.
if [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ]; then
	cp fake-qemu kernel-Image
	echo "$head; $totals; $end" >guest
	run env IPCBOX_QEMU=none INITRAMFS=archive "$qemu/boot.sh" amd64-uml ./kernel-Image
	is 'boot: a kernel that runs as a program needs no QEMU' '0 pass -' "$rc $(cut -d' ' -f2,11 out/qemu/amd64-uml.result)"
	like 'boot: a kernel that runs as a program takes its memory, initramfs, console and command line as arguments' \
		'mem=256M initrd=archive *con0=null,fd:1 console=tty0 quiet panic=-1*' "$(cat args)"
else
	skip 'boot: a kernel that runs as a program' 'it is built for amd64'
fi

# user.sh gets a feigned qemu-user, which runs ./guest.
cp fake-qemu bin/qemu-aarch64-static
user() {
	echo "$1" >guest
	run env PATH="$T/bin:$PATH" IPCBOX_TIMEOUT=2 "$qemu/user.sh" arm64
	got="$rc $(cut -d' ' -f2,11 out/qemu/arm64-user.result)"
}
user "$head; $totals"
is 'user: a complete log of qemu-user passes' '0 pass -' "$got"
user "$head; exec sleep 60"
is 'user: a run that takes longer than IPCBOX_TIMEOUT fails' '1 FAIL totals' "$got"

# gVisor runs a program with "runsc OPTIONS do CMD": a feigned runsc runs ./guest.
cp fake-qemu runsc
# gvisor GUEST [VAR=VALUE...] sets $rc, $out, $err, and $got to status, result and reason
gvisor() {
	echo "$1" >guest; shift
	rm -f out/qemu/gvisor.result
	run env RUNSC= IPCBOX_TIMEOUT=5 "$@" "$qemu/user.sh" gvisor
	got="$rc $(cut -d' ' -f2,11 out/qemu/gvisor.result 2>/dev/null)"
}
if ! command -v dpkg >/dev/null; then
	skip 'user: gVisor is skipped without RUNSC' 'no dpkg'
else
	gvisor "$head; $totals"
	is 'user: without RUNSC gVisor is skipped' '0 SKIP no-runsc' "$got"
	is 'user: stderr says that gVisor was skipped, and how to run it' \
		'gvisor: SKIP: gVisor is not here: make gvisor RUNSC=PATH' "$err"
	gvisor "$head; $totals" RUNSC=./nosuch
	is 'user: a RUNSC that does not exist is an error, no skip' "1 user.sh: can't read './nosuch'" "$rc $err"
fi
if [ "$(id -u)" != 0 ] || ! command -v dpkg >/dev/null; then
	skip 'user: the output of runsc is judged' 'runsc needs root'
else
	gvisor "$head; $totals" RUNSC=./runsc
	is 'user: the output of runsc is judged' '0 pass -' "$got"
	like 'user: runsc runs the box of this machine' "*--network=none* do $T/out/*/ipcbox pipetest -b=sheet*" "$(cat args)"
	gvisor "$head; exec sleep 60" RUNSC=./runsc IPCBOX_TIMEOUT=1
	is 'user: a run under gVisor that takes longer than IPCBOX_TIMEOUT fails' '1 FAIL totals' "$got"
	if command -v xz >/dev/null; then
		xz -k runsc
		gvisor "$head; $totals" RUNSC=./runsc.xz
		is 'user: a packed runsc is unpacked' '0 pass -' "$got"
	else
		skip 'user: a packed runsc is unpacked' 'no xz'
	fi
fi

# sandbox.sh sets a filter of system calls.
mkdir sandbox
if command -v cc >/dev/null && "$qemu/sandbox.sh" "$T/sandbox" 2>/dev/null; then
	run "$qemu/sandbox.sh" "$T/sandbox" unshare -U true
	like 'sandbox: what the profile refuses is EPERM' '1 *Operation not permitted*' "$rc $err"
	run "$qemu/sandbox.sh" "$T/sandbox" sh -c 'echo a | cat; exit 7'
	is 'sandbox: a command that the filter allows runs, and its status is kept' '7 a' "$rc $out"
	if [ "$(id -u)" = 0 ]; then
		is 'sandbox: root has the capabilities of a container' a80425fb \
			"$("$qemu/sandbox.sh" "$T/sandbox" sed -n 's/^CapEff:[^a-f1-9]*//p' /proc/self/status)"
	else
		skip 'sandbox: root has the capabilities of a container' 'needs root'
	fi
else
	skip "sandbox: the filter refuses what a container's profile refuses" 'no cc, or no seccomp filters'
fi

# all.sh gets a Debian archive without packages.
fleet() {
	run env IPCBOX_ARCHIVE="file://$T/empty" IPCBOX_QEMU="$T/fake-qemu" "$@" "$qemu/all.sh" 2
}
if command -v apt-get >/dev/null; then
	fleet TARGETS='amd64 amd64-6.12' MAKE=true
	like 'all: of the kernels that cannot be fetched tier 1 fails, tier 2 is skipped' '1 *
amd64 *FAIL *no-kernel
amd64-6.12 *SKIP *no-kernel
0 passed, 1 failed, 1 skipped' "$rc $out"
	like 'all: the reason of a skipped board is on stderr' '*amd64-6.12: SKIP: trixie has no linux-image-cloud-amd64 that can be fetched*' "$err"
else
	skip 'all: a kernel that cannot be fetched has a reason' 'no apt-get'
fi
fleet TARGETS='mips-user mipsel-user' MAKE=false
like 'all: each target of an architecture that does not build fails' '1 *
mips-user *FAIL *no-build
mipsel-user *FAIL *no-build
0 passed, 2 failed, 0 skipped' "$rc $out"

# cpio.sh makes the archives.
if command -v cpio >/dev/null; then
	ok 'cpio: an initramfs is made' "$qemu/cpio.sh" initramfs "$IPCBOX" a.gz
	cp "$IPCBOX" other; touch -d 2001-01-01 other; chmod 700 other
	(umask 077; "$qemu/cpio.sh" initramfs other b.gz)
	ok 'cpio: the same binary gives the same archive, whatever its mode, time and name' cmp a.gz b.gz
	is 'cpio: an initramfs holds the box as /init alone' init "$(gzip -dc a.gz | cpio -t --quiet)"
	like 'cpio: /init belongs to root, is executable and has the time 0' '-rwxr-xr-x*root/root *1970*init' \
		"$(gzip -dc a.gz | TZ=UTC cpio -tv --quiet | sed 's| 0/0 | root/root |; s|root *root|root/root|')"
	"$qemu/cpio.sh" cpio "$IPCBOX" c.gz pipetest pipecap
	is 'cpio: an archive to add holds the box with a link for each name' 'usr
usr/bin
usr/bin/ipcbox
usr/bin/pipecap
usr/bin/pipetest' "$(gzip -dc c.gz | cpio -t --quiet)"
else
	skip 'cpio: the archives are made' 'no cpio'
fi

# Another user guessed the name of a temporary file, and made a link of that name.
mkdir planted
cat >bin/mktemp <<'END'
#!/bin/sh
mkdir "$T/planted/guessed" && echo "$T/planted/guessed"
END
chmod 755 bin/mktemp
export T
if command -v cpio >/dev/null; then
	echo secret >victim
	for suffix in .cpio .err .new; do ln -s "$T/victim" "planted/guessed$suffix"; done
	PATH="$T/bin:$PATH" "$qemu/cpio.sh" initramfs "$IPCBOX" d.gz
	is 'cpio: cpio.sh writes nothing beside its private directory' 'secret 0' "$(cat victim) $(cmp a.gz d.gz >&2; echo $?)"
	is 'cpio: cpio.sh removes its private directory at the end' '' "$(ls planted | grep -x guessed)"
else
	skip 'cpio: cpio.sh writes nothing beside its private directory' 'no cpio'
fi
rm -f bin/mktemp

# fetched COMMAND... sets $rc and $err to what fetch.sh says of a cache after COMMAND
fetched() {
	rm -rf cache/ipcbox
	mkdir -p cache/ipcbox
	"$@" cache/ipcbox
	run env IPCBOX_ARCHIVE="file://$T/empty" "$qemu/fetch.sh" bookworm amd64 musl-dev
}
fetched chmod 777
like 'fetch: a cache that others can write is refused' "1 fetch.sh: others can write '$T/cache/ipcbox': *" "$rc $err"
if [ "$(id -u)" = 0 ]; then
	fetched chown 65534
	like 'fetch: a cache of another user is refused' "1 fetch.sh: others can write '$T/cache/ipcbox': *" "$rc $err"
else
	skip 'fetch: a cache of another user is refused' 'needs root'
fi
rm -rf cache/ipcbox

# table.sh prints the table and writes the page.
judged bad -e 's/^ok 1/not ok 1/; s/# why/# <b> \& <\/script>/; s/a\.d/bas.locks/' \
	-e '$aKTAP version 1\n1..1\n# Data sheet: pipe 12.5 MB/s, round trip 5 us'
LIMIT=60 run "$qemu/table.sh" t gone
is 'table: a failed target makes the status 1' 1 "$rc"
like 'table: each target has a line, the sum comes last' \
	'*t  *FAIL *big *not-ok*gone *FAIL *did-not-run*
0 passed, 2 failed, 0 skipped' "$out"
ok 'table: boards.json is JSON with an object for each target' python3 -c 'import json; assert len(json.load(open("out/boards.json"))) == 2'
browser=$(command -v chromium-headless-shell || command -v chromium)
# drawn PAGE - print PAGE as a browser has it when the scripts of the page have run
drawn() {
	LIMIT=60 run "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$T/profile" \
		--virtual-time-budget=2000 --dump-dom "file://$T/$1"
}
if [ -n "$browser" ]; then
	drawn out/boards.html
	like 'page: a browser draws a row for each target' \
		'*>t</button>*<td class="fail">fail: not-ok</td>*>gone</button>*<td class="fail">fail: did-not-run</td>*' "$out"
	like 'page: the sum of targets and cases is drawn' '*<p id="sum">0 pass, 2 fail, 0 skip of 2 targets; 3 cases</p>*' "$out"
	like 'page: a group has the words of its file, and the figures of the data sheet have a column each' \
		'*<th>pipe, MB/s</th><th>round trip, us</th><th>fixes missing</th>*12.5*basics</button>*' "$out"
	like 'page: the matrix shows a failed group in words and colour' '*<td class="fail">FAIL 1</td>*' "$out"
	like 'page: a script end tag in a log does not end the element of the log' '*<\\/script>*' "$out"
	# A script of the test opens the group and touches the cell of the failed case.
	sed '$d' out/boards.html >touched.html
	cat >>touched.html <<'END'
<script>
document.querySelector("#matrix button").click();
document.querySelector("#matrix tr.case td.fail").click();
</script>
END
	drawn touched.html
	like 'page: a touched cell opens the lines of the log behind it' \
		'*<dialog id="log" open="">*<b id="what">t: a.b</b><pre>*not ok 1 a.b</pre>*' "$out"
else
	skip 'page: a browser draws a row for each target' 'no chromium'
fi
is 'page: the page refers to nothing outside its file' '' "$(grep -oE '(src|href)="[^"]*"|https?:' out/boards.html)"

# table.sh prints a diff to qemu/EXPECTED: in this log all known facts of amd64 are gone.
printf '%s\n' 'KTAP version 1' '1..1' 'ok 1 a.b # SKIP new-here' 'KTAP version 1' '1..1' '# 5 MB/s' 'ok 1 bench.x' >out/qemu/amd64.log
echo 'amd64 pass 6.1 4096 little 0 0 0 1 5 -' >out/qemu/amd64.result
run "$qemu/table.sh" amd64 s390x-user
case $out in *' as qemu/EXPECTED says'*) said=yes ;; *) said=no ;; esac
is 'expected: a board that did not run is named, and no sentence says that all are as expected' 'no s390x-user' \
	"$said $(printf '%s\n' "$out" | sed -n 's/^not compared, for they did not run or did not pass:.* \(s390x-user\)$/\1/p')"
run "$qemu/table.sh" amd64
like 'expected: a fact that is new and a fact that is gone are printed' "*what differs from qemu/EXPECTED:
*< amd64 reg.efault_tee.pipe XFAIL known-kernel-bug
*> amd64 a.b SKIP new-here
not compared*" "$out"

# The table of targets is complete, and deps.sh reads it.
. "$qemu/lib.sh"
here=$qemu
is 'targets: each board belongs to an architecture of the table' '' "$(for b in $(names board); do
	[ -n "$(lines arch "${b%%-*}")" ] || echo "$b"; done)"
is 'targets: each name that runs the tests names a board or this machine' '' "$(for b in $(names tests); do
	[ -n "$(lines board "$b")$(lines here "$b")" ] || echo "$b"; done)"
like 'deps: make deps qemu ARCH=arm64 takes its compiler and its QEMU' '*gcc*qemu-system-arm*' "$("$qemu/deps.sh" arm64 deps qemu | sort | tr '\n' ' ')"
is 'deps: make deps check takes no emulator' '' "$("$qemu/deps.sh" arm64 deps check)"
