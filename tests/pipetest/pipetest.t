#!/bin/sh
LIMIT=60
. "${0%/*}/../tap.sh"

run box pipetest
is 'all cases pass on this kernel or are skipped, and the exit status is 0' 0 "$rc"
printf '%s\n' "$out" >run.ktap
is 'the output begins with an empty line and the version of KTAP' "
KTAP version 1" "$(head -n 2 run.ktap)"
plan=$(sed -n 's/^1\.\.//p' run.ktap)
is 'a run prints as many results as it plans' "$plan" "$(grep -cE '^(not )?ok ' run.ktap)"
is 'the names of results are one word and unique' "$plan" \
	"$(sed -nE 's/^(not )?ok [0-9]+ ([a-z0-9_.-]+)( # .*)?$/\2/p' run.ktap | sort -u | wc -l)"
like 'the totals are the last line of a run' '# Totals: pass:* fail:0 * error:0' "$(tail -n 1 run.ktap)"
is 'a run without failures writes nothing to stderr' '' "$err"
if command -v prove >/dev/null; then ok 'prove reads the KTAP of a run' prove -e cat run.ktap; else skip 'prove reads the KTAP of a run' 'no prove'; fi

run box pipetest -t 'tut.p1.*' --tap
is '--tap prints the header of TAP 13 on the first line, as tappy wants it' 'TAP version 13' "$(sed -n 1p "$T/.out")"
run box pipetest -t tut.p1.hello.pipe -J
if command -v python3 >/dev/null; then
	ok '-J prints JSON line by line' python3 -c 'import json,sys; [json.loads(l) for l in open(sys.argv[1])]' "$T/.out"
else
	skip '-J prints JSON line by line' 'no python3'
fi
run box pipetest -t TUT-P5 -q
is '-t finds a case by its id, and -q prints one line for it' 1 "$(printf '%s\n' "$out" | wc -l)"
run box pipetest --explain P5
like '--explain tells what the tutorial says about a rule' '*the tutorial says*' "$out"
run box pipetest --explain tut.p5.partial
like '--explain takes the name that it prints' 'tut.p5.partial (*' "$out"
is '-t with the name of a case picks each of its kinds of pipe' 'tut.p5.partial.pipe tut.p5.partial.pipe2 tut.p5.partial.page tut.p5.partial.fifo' \
	"$(box pipetest -l -t tut.p5.partial | cut -d' ' -f1 | paste -sd' ' -)"
is '-t matches ids by patterns, too' "$(box pipetest -l -t 'BAS-0?' | sort)" \
	"$(box pipetest -l | grep -E '^[^ ]+ +([^ ]+ )*BAS-0. ' | sort)"
run box pipetest --explain nonsense
is '--explain of an unknown id is a usage error' 2 "$rc"
run box pipetest -t nonsense
is '-t of an unknown name is a usage error' 2 "$rc"
like 'the error about an unknown case names it' "pipetest: no case 'nonsense'*" "$err"
run box pipetest -t 'bas.*' -t nonsense
like 'an unknown case is an error among known ones, too' "2 pipetest: no case 'nonsense'*" "$rc $err"
run box pipetest -t cap.soft_two_pages
like 'the error about a case that needs --exotic says so' '2 pipetest: no such case without --exotic*' "$rc $err"
for none in 'tut.p5.partia' 'ut.p5.partial' 'tut.p5.partial?' 'P' 'TUT-P5 ' ''; do
	run box pipetest -l -t "$none"
	is "-t '$none' matches no case" 2 "$rc"
done
is 'a star in a pattern may stand for nothing' "$(box pipetest -l -t 'tut.p5.*')" "$(box pipetest -l -t '**t*ut.*p5**.*')"
run box pipetest -l -t "$(printf '%060d' 0 | tr 0 '*')zz"
is 'a pattern of many stars takes no time' 2 "$rc"
run box pipetest -c X
is '-c with an unknown class is a usage error' 2 "$rc"

for dir in nosuch ''; do
	run box pipetest -d "$dir"
	is "-d '$dir', which does not exist, is an error that names the directory" "1 pipetest: can't make a directory in '$dir': No such file or directory" "$rc $err"
done
TMPDIR='' run box pipetest -t bas.lowest
like 'an empty TMPDIR counts as none' '*# files in /?*/pipetest.* (*' "$out"

run box pipetest -m x
is '-m with a word is a usage error' 2 "$rc"
for wrong in '-m 0' '-m -1' '-m 1s' '-m 1000001' '-r 0' '-r 4294967296' '-s 0' '-s 5x' '--seed -1' '--seed 4294967296'; do
	run box pipetest $wrong
	like "$wrong is a usage error that names the value" "2 pipetest: invalid *: '${wrong##* }'*" "$rc $err"
done

run box pipetest -l
is '-l lists as many cases as run' "$plan" "$(printf '%s\n' "$out" | wc -l)"
ok "at least 330 cases run by default: $plan" test "$plan" -ge 330
for id in $(seq -f P%g 1 21) $(seq -f S%g 1 36) $(seq -f R%g 1 6); do
	printf '%s\n' "$out" | grep -qE "^[^ ]+ +([^ ]+ )*$id " || echo "$id"
done >unnamed
is 'every program and rule of the tutorial has a case' '' "$(cat unnamed)"
for group in BAS:34 BLK:12 NBK:12 EOF:12 ATM:10 CAP:14 PKT:8 FLG:6 POL:18 FIO:4 SIG:8 SPL:20 TEE:4 VMS:6 \
	FIF:21 PRM:4 MSY:4 MFD:7 SND:8 CFR:3 REG:24; do
	box pipetest -x -l >list
	for n in $(seq "${group#*:}"); do
		id=$(printf '%s-%02d' "${group%:*}" "$n")
		grep -qE "^[^ ]+ +([^ ]+ )*$id " list || echo "$id"
	done
done >unnamed
is 'every id of the inventory of cases has a case' '' "$(cat unnamed)"

run box pipetest -t 'tut.p1.*' -r 3 -v
like '-r 3 runs a case three times' '*passed 3 times*' "$out"
like '-v shows each call with its arguments and its result' '*# write(* = 11 *' "$out"
run box pipetest -t bas.stream.pipe -s 200ms --seed 7
like '-s repeats a stress case as long as it says' '*passed * times*' "$out"
like 'the header shows the seed of --seed' '*seed 7*' "$out"
run box pipetest -t 'tut.p1.*' -n
like '-n prints subtests, then the result of their group' '*
  1..*
  ok 1 p1.*
ok 1 tut*' "$out"
run box pipetest -t 'tut.p1.*' --ptest
like '--ptest prints PASS and the name' 'PASS: tut.p1.*' "$out"
run box pipetest -t 'tut.p1.*' --lava
like '--lava prints a signal for each case' '*<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=tut.p1.* RESULT=pass UNITS=ms MEASUREMENT=*>*' "$out"

# A time limit that nothing can keep: the run goes on, says so, and leaves nothing behind.
mkdir dir
run box pipetest -m 0.00001 -t 'blk.*' -d dir
is 'a run whose cases find no time fails' 1 "$rc"
like 'a case that does not end is reported as killed' '*# killed at its time limit of *not ok * blk.*' "$out"
is 'the cases behind one that is killed still run' "$(box pipetest -l -t 'blk.*' | wc -l)" "$(printf '%s\n' "$out" | grep -c ' blk\.')"
is 'cases that are killed leave no file in the directory of -d' '' "$(ls dir)"
run box pipetest -m 0.00001 -t 'blk.*' -e
like '-e says that it stops at the first failure' '*Bail out! first failure*# Totals: *' "$out"
is '-e runs no case behind the first failure' 1 "$(printf '%s\n' "$out" | grep -c '^not ok ')"

bg pipetest -q -r 1000000 -d dir >bailed
wait_for sh -c 'ls dir | grep -q pipetest'
kill "$pid"
wait "$pid"
is 'SIGTERM ends a run with status 143' 143 $?
like 'a run that SIGTERM ends prints its totals' 'Bail out! signal*# Totals: *' "$(cat bailed)"
is 'a run that SIGTERM ends leaves no file and no process behind' '' "$(ls dir; ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -F -- "-> $T/dir/")"
if command -v script >/dev/null && [ -z "$EMULATOR" ]; then
	# Ctrl-C on a terminal
	{ wait_for sh -c 'ls dir | grep -q pipetest'; sleep 0.2; printf '\003'; sleep 1; } |
		timeout 20 script -qec "'$IPCBOX' pipetest -q -r 1000000 -d dir; echo status \$?" typescript >bailed 2>&1
	like 'Ctrl-C on a terminal ends a run, which prints its totals' '*Bail out! signal*# Totals: *' "$(cat bailed)"
	is 'a run that Ctrl-C ends leaves no file behind' '' "$(ls dir)"
else
	skip 'Ctrl-C on a terminal ends a run' 'no script'
fi

run box pipetest -q -d dir
is 'a whole run leaves no file in the directory of -d' '' "$(ls dir)"
