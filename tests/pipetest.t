#!/bin/sh
LIMIT=60
. "${0%/*}/tap.sh"

run box pipetest
is 'all cases pass on this kernel, or are skipped' 0 "$rc"
printf '%s\n' "$out" >run.ktap
is 'KTAP: an empty line, the version' "
KTAP version 1" "$(head -n 2 run.ktap)"
plan=$(sed -n 's/^1\.\.//p' run.ktap)
is 'the plan is complete' "$plan" "$(grep -cE '^(not )?ok ' run.ktap)"
is 'names are one word and unique' "$plan" \
	"$(sed -nE 's/^(not )?ok [0-9]+ ([a-z0-9_.-]+)( # .*)?$/\2/p' run.ktap | sort -u | wc -l)"
like 'totals are the last line' '# Totals: pass:* fail:0 * error:0' "$(tail -n 1 run.ktap)"
is 'nothing on stderr' '' "$err"
if command -v prove >/dev/null; then ok 'prove reads it' prove -e cat run.ktap; else skip 'prove reads it' 'no prove'; fi

run box pipetest -t 'tut.p1.*' --tap
is '--tap has the header of TAP 13' 'TAP version 13' "$(sed -n 2p "$T/.out")"
run box pipetest -t tut.p1.hello.pipe -J
if command -v python3 >/dev/null; then
	ok '-J is JSON line by line' python3 -c 'import json,sys; [json.loads(l) for l in open(sys.argv[1])]' "$T/.out"
else
	skip '-J is JSON line by line' 'no python3'
fi
run box pipetest -t TUT-P5 -q
is 'a case is found by its id, and -q is brief' 1 "$(printf '%s\n' "$out" | wc -l)"
run box pipetest --explain P5
like '--explain tells what the tutorial says' '*the tutorial says*' "$out"
run box pipetest --explain nonsense
is 'an unknown id is a usage error' 2 "$rc"
run box pipetest -t nonsense
is 'no case: a usage error' 2 "$rc"
run box pipetest -c X
is 'an unknown class: a usage error' 2 "$rc"

mkdir dir
run box pipetest -q -d dir
is 'nothing is left in the directory' '' "$(ls dir)"
