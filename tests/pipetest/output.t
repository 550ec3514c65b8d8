#!/bin/sh
# What pipetest prints, read as others read it.
LIMIT=60
. "${0%/*}/../tap.sh"

python='' tappy=''
for p in python3 /usr/bin/python3; do
	if command -v $p >/dev/null; then
		: "${python:=$p}"
		if $p -c 'import tap' 2>/dev/null; then tappy=$p; fi
	fi
done
cases='-t bas.* -t flg.notification'

# The grammar of Documentation/dev-tools/ktap.rst, strictly: version, plan, results in order,
# subtests before their parent, two spaces in, and a parent that fails as they do.
cat >ktap.awk <<'EOF'
function bad(why) { print FILENAME ":" NR ": " why ": " $0; wrong = 1 }
function result(d) {
	if (state[d] != "results") bad("no plan")
	not = $0 ~ /^ *not /
	number = $(not ? 3 : 2)
	if (number != ++done[d]) bad("number " number ", expected " done[d])
	if (done[d] > plan[d]) bad("more than planned")
	name = $(not ? 4 : 3)
	if (name !~ /^[a-z0-9_.-]+$/) bad("name")
	if ($(not ? 5 : 4) !~ /^#?$/) bad("what follows the name")
	if (/#/ && !/ # (SKIP|XFAIL) [a-zA-Z0-9_-]+$/) bad("directive")
	if (/# XFAIL/ && not) bad("XFAIL of what is not ok")
	if (d) {
		failed += not
	} else if (nested) {
		if (state[1] != "results" || done[1] != plan[1]) bad("subtests are missing")
		if (not != (failed > 0)) bad("parent and subtests differ")
		state[1] = ""
	}
}
length > 4095 { bad("longer than PIPE_BUF") }
/^#/ || /^  #/ { if (/^# Totals:/) totals++; next }
{ depth = /^  / ? 1 : 0 }
/^ *KTAP version 1$/ || (NR == 1 && $0 == "TAP version 13") {
	if (state[depth]) bad("a second header")
	state[depth] = "plan"; done[depth] = 0
	if (depth) failed = 0
	nested += depth
	next
}
/^ *1\.\.[1-9][0-9]*$/ {
	if (state[depth] != "plan") bad("plan without header")
	state[depth] = "results"; plan[depth] = substr($1, 4) + 0; next
}
/^ *(not )?ok / { result(depth); next }
/^$/ && NR == 1 { next }
{ bad("unknown line") }
END {
	if (done[0] != plan[0]) bad("incomplete")
	if (totals != 1 || !/^# Totals:/) bad("totals")
	exit wrong
}
EOF

# Each output, with results of all sorts; some cases fail, for their time is too short.
for form in '' -n -v '-n -v' --tap '--tap -n'; do
	set -f
	run box pipetest $cases $form
	set +f
	cp .out passed.ktap
	is "pipetest $form exits with 0 where no case fails" 0 "$rc"
	ok "pipetest $form prints results by the grammar of KTAP" awk -f ktap.awk passed.ktap
	if command -v prove >/dev/null; then
		ok "prove takes what pipetest $form prints for a success" prove -e cat passed.ktap
	else
		skip "prove takes what pipetest $form prints for a success" 'no prove'
	fi
	if [ "$tappy" ] && [ "${form#--tap}" != "$form" ]; then
		ok "tappy takes what pipetest $form prints for a success" $tappy -c 'import tap.main; tap.main.main()' passed.ktap
	fi
	set -f
	run box pipetest $cases $form -m 0.00001
	set +f
	cp .out failed.ktap
	is "pipetest $form exits with 1 where a case fails" 1 "$rc"
	ok "pipetest $form prints failures by the grammar of KTAP" awk -f ktap.awk failed.ktap
	! command -v prove >/dev/null || ok "prove sees the failures that pipetest $form prints" sh -c '! prove -e cat failed.ktap'
done
[ "$tappy" ] || skip 'tappy takes what pipetest --tap prints for a success' 'no python3-tap'

run box pipetest -t bas.stream.pipe -n -m 0.00001
like '-n shows a group as failed if one of its cases fails' '*
  not ok 1 stream.pipe
not ok 1 bas
*' "$out"

# --- JSON
cat >strict.py <<'EOF'
import json, sys
def refuse(what): raise ValueError(what)
kinds = {'name': str, 'ids': str, 'class': str, 'result': str, 'reason': str, 'us': int, 'diag': list}
lines = open(sys.argv[1], 'rb').read().decode('utf-8').split('\n')
assert lines.pop() == ''
for line in lines:
    assert len(line) < 4096, line
    o = json.loads(line, parse_constant=refuse)
    if 'name' in o and 'rule' not in o:
        o.pop('truncated', None)
        assert {k: type(v) for k, v in o.items()} == kinds, o
        assert all(type(d) is str for d in o['diag'])
assert list(o['totals']) == ['pass', 'fail', 'xfail', 'xpass', 'skip', 'error'] or sys.argv[2:]
EOF
if [ "$python" ]; then
	for args in '' '-m 0.00001' -v; do
		run box pipetest -J -t 'bas.*' -t tut.p14.killed $args
		ok "pipetest -J $args prints strict JSON line by line, no line longer than PIPE_BUF" $python strict.py "$T/.out"
	done
	run box pipetest -l -J -x
	is 'pipetest -l -J exits with 0' 0 "$rc"
	ok 'pipetest -l -J lists the cases as JSON with six fields' $python -c 'import json,sys
for line in open(sys.argv[1]):
    assert list(json.loads(line)) == ["name", "ids", "class", "needs", "rule", "source"]' "$T/.out"
else
	skip 'pipetest -J prints strict JSON' 'no python3'
fi
run box pipetest -J -e -m 0.00001 -t 'bas.*'
like 'pipetest -J -e says that it stops at the first failure' '*{"bail_out":"first failure","totals":{"pass":*},"missing_fixes":*}' "$out"
run box pipetest -v -t nbk.pollout_keeps_its_word.pipe
last=$(sed -n '/^ok/!h; /^ok/{x; s/# //; p; q;}' .out)
run box pipetest -J -v -t nbk.pollout_keeps_its_word.pipe
like '-J leaves out the first diagnostics if they are too many, and says truncated' "*,\"$last\"\\],\"truncated\":true}*" "$out"

# --- brief, and for others' parsers
for form in '' -n -J --ptest --lava --tap; do
	run box pipetest -t 'nbk.*' -q $form
	is "pipetest -q $form prints only the totals where no case fails" 1 "$(printf '%s\n' "$out" | wc -l)"
	run box pipetest -t bas.stream.pipe -q $form -m 0.00001
	like "pipetest -q $form prints failures" '*bas.stream.pipe*
*otals*' "$out"
done
run box pipetest -t bas.stream.pipe --ptest -m 0.00001
like '--ptest prints FAIL for a case that was killed' '*# killed at *
FAIL: bas.stream.pipe
*' "$out"
run box pipetest -t 'bas.lowest' --tap --lava
like '--tap and --lava go together' 'TAP version 13
1..1
*
ok 1 bas.lowest
<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=bas.lowest RESULT=pass *>
*' "$out"
run box pipetest -t 'bas.times' --lava
case $out in
*' # XFAIL '*) like 'an expected failure is no pass for LAVA' \
	'*<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=bas.times RESULT=unknown *>*' "$out" ;;
*) skip 'an expected failure is no pass for LAVA' 'bas.times does not fail on this kernel' ;;
esac
for both in '-J -n' '-J --tap' '-J --lava' '--ptest -n' '--ptest -J' '--ptest --lava' '--ptest --tap'; do
	run box pipetest -t bas.lowest $both
	is "pipetest $both is a usage error" 2 "$rc"
	like "the error about pipetest $both names one of the outputs" 'pipetest: --?* goes with no other output*' "$err"
done

# --- skips: summed by reason, and allowed or not
few() { run sh -c 'ulimit -n 24; exec "$@"' sh "$IPCBOX" pipetest -t bas.lowest -t bas.stream.pipe "$@"; }
few -q
is 'skips are summed by reason, before the totals' '# Skips: fd-limit:2
# Totals: pass:0 fail:0 xfail:0 xpass:0 skip:2 error:0' "$out"
few -J
like '-J sums skips by reason in its last object' '*,"skips":{"fd-limit":2}*' "$(printf '%s\n' "$out" | tail -n 1)"
few --strict
like 'a skip under --strict is a failure that names the reason' \
	'1 *# skipped: fd-limit, and --strict does not allow that
not ok 1 bas.lowest
*# Totals: pass:0 fail:2 *' "$rc $out"
few --strict=no-proc,fd-limit,no-dir
like '--strict allows the reasons that it lists' '4 *ok 1 bas.lowest # SKIP fd-limit*' "$rc $out"
few --strict=fd,limit
like '--strict takes whole reasons only' '1 *not ok 1 bas.lowest*' "$rc $out"
run box pipetest -t bas.lowest --strict
is 'a run without skips under --strict exits with 0' 0 "$rc"
run box pipetest -b --strict
is '--strict with --bench is a usage error' 2 "$rc"

# --- one line, one write: a pipe in packet mode keeps them apart
cat >packets.py <<'EOF'
import fcntl, os, subprocess, sys
r, w = os.pipe()
fcntl.fcntl(w, fcntl.F_SETFL, os.O_DIRECT)
p = subprocess.Popen(sys.argv[1:], stdout=w)
os.close(w)
n = 0
while True:
    packet = os.read(r, 65536)
    if not packet: break
    n += 1
    assert packet.endswith(b'\n') and packet.count(b'\n') == 1, packet
    assert len(packet) <= os.fpathconf(r, 'PC_PIPE_BUF'), packet
assert p.wait() == 0 and n > 140, (n, p.returncode)
EOF
for form in -v '-n -v' '-J -v' --lava; do
	if [ "$python" ] && [ -z "$EMULATOR" ]; then
		ok "pipetest $form prints each line by one write of at most PIPE_BUF bytes" \
			$python packets.py "$IPCBOX" pipetest -t 'bas.*' $form
	else
		skip "pipetest $form prints each line by one write" 'no python3'
	fi
done

# --- a directory of any name cannot write results, nor send escapes to a terminal
# ESC, DEL, the C1 control U+009B, the override U+202E
evil=$(printf 'x\nok 9 forged\033[31m\177\302\233\342\200\256')
mkdir "$evil"
run box pipetest -t bas.lowest -d "$evil"
like 'the name of a directory cannot look like a result' '*# files in */x?ok 9 forged?\[31m[?][?][?]/pipetest.* (*' "$out"
is 'the name of a directory sends no escape sequence to a terminal' '' "$(tr -d '\n -~' <.out)"
if [ "$python" ]; then
	run box pipetest -J -t bas.lowest -d "$evil"
	ok 'the name of a directory does not break JSON' $python strict.py "$T/.out"
fi
is 'no file stays in a directory with an evil name' '' "$(ls "$evil")"

# --- a case that fails for a known bug names the commit and the release
for case in $(box pipetest -l -x -c B | sed 's/ .*//'); do
	box pipetest --explain "$case"
done | grep '^source:' | grep -vE '[0-9a-f]{12},?( in| Linux)? \(?[0-9]\.[0-9]+|no release has a fix' >unnamed
is 'each case of class B names a commit and a release, or says that no fix is known' '' "$(cat unnamed)"
