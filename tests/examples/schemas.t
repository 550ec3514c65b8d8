#!/bin/sh
# configs/schemas.json says what each JSON line has: real lines of every applet are checked against it.
. "${0%/*}/../tap.sh"
schemas=$top/configs/schemas.json
python=/usr/bin/python3 # that of the package python3-jsonschema
if ! $python -c 'import jsonschema' 2>/dev/null; then
	skip 'real JSON lines are what configs/schemas.json says' 'no python3-jsonschema'
	exit
fi
cat >check.py <<'PY'
# check.py SCHEMAS NAME: each line of stdin is of that definition; there is one, at least
import json, sys
from jsonschema import Draft7Validator
schemas = json.load(open(sys.argv[1]))
Draft7Validator.check_schema(schemas)
whole = Draft7Validator({"definitions": schemas["definitions"], "$ref": "#/definitions/" + sys.argv[2]})
lines = [json.loads(line) for line in sys.stdin]
bad = [f"{line}: {error.message}" for line in lines for error in whole.iter_errors(line)]
print("\n".join(bad[:3]) or "no line" * (not lines))
sys.exit(bool(bad) or not lines)
PY
used=
# fits NAME WHAT: the lines of the file "lines" are of the definition NAME
fits() {
	used="$used $1"
	ok "$2 prints lines of $1 in configs/schemas.json" sh -c "$python check.py '$schemas' $1 <lines"
}

# --- the check itself ----------------------------------------------------------------------------------
echo '{"size":65536}' >lines
fits pipecap 'a model'
for line in '{"size":65536,"more":1}' '{"size":"65536"}' '{}'; do
	ok "the check refuses $line as a line of pipecap" sh -c "! echo '$line' | $python check.py '$schemas' pipecap"
done
ok 'the check refuses no line at all' sh -c "! $python check.py '$schemas' pipecap </dev/null"
ok 'each definition but that of a record refuses a field that it does not name' $python -c '
import json, sys
wide = [n for n, d in json.load(open(sys.argv[1]))["definitions"].items()
        if d.get("type") == "object" and d.get("additionalProperties") is not False]
sys.exit(wide != ["mmapr_record"])' "$schemas"

# --- pipecap -----------------------------------------------------------------------------------------------
box pipecap -J >lines; fits pipecap 'pipecap'
box pipecap -J -C >lines; fits pipecap_curve 'pipecap -C'
box pipecap -J -C -w 1,4096 >lines; fits pipecap_curve 'pipecap -C -w'
box pipecap -J -w 1 >lines; fits pipecap 'pipecap -w'
box pipecap -J -I >lines; fits pipecap_info 'pipecap -I'
mkfifo fifo "$(printf 'name\377')"
exec 8<>fifo 9<>"$(printf 'name\377')"
printf 'x\377' >&8
echo text >&9
box pipecap -J -l >lines; fits pipecap_pipe 'pipecap -l'
box pipecap -J -g -f fifo >lines; fits pipecap_pipe 'pipecap -g'
box pipecap -J -g -f "$(printf 'name\377')" >lines; fits pipecap_pipe 'pipecap -g with a name that is no UTF-8'
box pipecap -J -s 65536 -f fifo >lines; fits pipecap_pipe 'pipecap -s'
box pipecap -J -k -f fifo >lines; fits pipecap_peek 'pipecap -k with bytes that are no UTF-8'
box pipecap -J -k -f "$(printf 'name\377')" >lines; fits pipecap_peek 'pipecap -k with a name that is no UTF-8'
exec 9>&-
mkfifo waits
cat waits & reader=$! PIDS="$PIDS $!"
wait_for sh -c "grep -q '^cat' /proc/$reader/cmdline"
box pipecap -J -l >lines; fits pipecap_pipe 'pipecap -l while a process waits in open(2)'
kill $reader

# --- fifow and fifor -------------------------------------------------------------------------------------------
box fifor -J --flush fifo >lines; fits fifor_flush 'fifor --flush'
exec 8>&-
# messages ARG...: fifor -J reads what fifow ARG... sends, into lines; both --stats are in stats
messages() {
	box fifor -J --stats -n 2 fifo >lines 2>stats.r & reader=$! PIDS="$PIDS $!"
	printf 'one\ntwo\377\n' | box fifow -J --stats "$@" fifo - 2>stats.w
	wait $reader
}
messages; fits fifor_message 'fifor'
cat stats.r stats.w >lines; fits fifo_stats '--stats of fifow and fifor'
messages --frame=len; fits fifor_message 'fifor of frames'

# --- mmapw and mmapr -------------------------------------------------------------------------------------------
box mmapw -c 1 -i 0 board >/dev/null
box mmapr -J -1 board >lines; fits mmapr_record 'mmapr'
box mmapr -J -1 -o id,name,seq,time board >lines; fits mmapr_record 'mmapr -o'
box mmapr -J -H board >lines; fits mmapr_record 'mmapr -H'
box mmapr -J --info board >lines; fits mmapr_info 'mmapr --info after its writer'
bg mmapw -i 1 living >/dev/null
wait_for box mmapr -1 living
box mmapr -J --info living >lines; fits mmapr_info 'mmapr --info while the writer lives'
box mmapw -S 'n:i32[2],x:f64,on:bool,s:str8' wide n=1,2 x=inf on=1 s="$(printf 'a\377')" >/dev/null
box mmapr -J -1 wide >lines; fits mmapr_record 'mmapr of arrays, infinities and bytes'
like 'mmapr prints an array, null and a field of base64 there' '{"n":[[]1,2],"x":null,"on":true,"s_b64":"*"}' "$(cat lines)"

# --- pcopy -----------------------------------------------------------------------------------------------------
head -c 100000 /dev/zero >src
for words in '' -c '-y -c' -u -R --sync=data --no-sync '-j 3'; do
	# shellcheck disable=SC2086 # words
	box pcopy -J $words src dst >lines; fits pcopy_copy "pcopy $words"
done
box pcopy -J - dst <src >lines; fits pcopy_copy 'pcopy -'
box pcopy -J src "$(printf 'dst\377')" >lines; fits pcopy_copy 'pcopy to a name that is no UTF-8'
{ cat src; sleep 1.2; } | box pcopy --progress=json - dst 2>lines; fits pcopy_progress 'pcopy --progress=json of a stream'
truncate -s 3M large
box pcopy --progress=json large dst 2>lines; fits pcopy_progress 'pcopy --progress=json of a file'

# --- pipetest --------------------------------------------------------------------------------------------------
LIMIT=60 run box pipetest -J
grep '^{"environment' "$T/.out" >lines; fits pipetest_environment 'pipetest, first,'
grep '^{"name' "$T/.out" >lines; fits pipetest_result 'pipetest, for each case,'
grep -v '^{"environment\|^{"name' "$T/.out" >lines; fits pipetest_totals 'pipetest, last,'
is 'pipetest ends with one line of totals' 1 "$(wc -l <lines)"
box pipetest -J -l >lines; fits pipetest_list 'pipetest -l'
box pipetest -J -b -D 10ms >lines; fits pipetest_bench 'pipetest -b'
sh -c "ulimit -n 8; $EMULATOR '$IPCBOX' pipetest -J -b -D 10ms" >lines 2>/dev/null; fits pipetest_bench 'pipetest -b with few descriptors'

lines=$($python -c 'import json, sys
for one in json.load(open(sys.argv[1]))["anyOf"]: print(one["$ref"].split("/")[-1])' "$schemas")
is 'each definition of a line was used' "$(echo "$lines" | sort)" "$(printf '%s\n' $used | sort -u)"
