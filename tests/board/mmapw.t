#!/bin/sh
. "${0%/*}/../tap.sh"

# The tutorial's job, for two publications.
run box mmapw -i 1ms -c 2 student
is 'mmapw FILE publishes in silence' '0  ' "$rc $out $err"
run box mmapr -1 student
is 'mmapw publishes the second record of the tutorial'\''s job has the next id' "id=11	 name=xiao bai	 sex=M" "$out"

run box mmapw student name='li si'
is 'mmapw FILE FIELD=VALUE publishes once' 0 "$rc"
run box mmapr -1 student
is 'fields that the command line of mmapw does not name keep their value' "id=11	 name=li si	 sex=M" "$out"

run box mmapw other sex=F
run box mmapr -1 other
is 'fields that the command line of mmapw does not name are zero in a new file' "id=0	 name=	 sex=F" "$out"

# One value out of range, unknown or too long: nothing happens.
while IFS='|' read -r word why; do
	run box mmapw student sex=X "$word"
	is "mmapw student $word is a usage error" "2 mmapw: $why" "$rc $err"
done <<-'END'
	id=99999999999|field 'id': '99999999999' is out of range for i32
	id=2147483648|field 'id': '2147483648' is out of range for i32
	id=-2147483649|field 'id': '-2147483649' is out of range for i32
	id=1x|field 'id': '1x' is invalid for i32
	id=|field 'id': '' is invalid for i32
	id=+1|field 'id': '+1' is invalid for i32
	name=12345678901234567890|field 'name': '12345678901234567890' is too long for str20
	sex=MF|field 'sex': 'MF' is too long for char
	age=1|no field 'age': there are id, name, sex
	nam=1|no field 'nam': there are id, name, sex
	id|'id' is not FIELD=VALUE
END
run box mmapr -1 student
is 'wrong values leave the record as it was' "id=11	 name=li si	 sex=M" "$out"
run box mmapw new sex=X age=1
is 'a new file with a wrong field is not made' '2 no' "$rc $([ -e new ] && echo yes || echo no)"

run box mmapw -S 'a:u8,b:u64,c:i16[3],d:bin4,e:bool,f:str5[2],g:i64@64,h:u16' all \
	a=255 b=18446744073709551615 c=-1,2,-32768 d=DEadbeef e=true f=ab,cdef g=-9223372036854775808 h=65535
is 'mmapw takes a value of every type' '0 ' "$rc $err"
run box mmapr -1 all
is 'mmapr prints a value of every type' "a=255	 b=18446744073709551615	 c=-1,2,-32768	 d=deadbeef	 e=1	 f=ab,cdef	 g=-9223372036854775808	 h=65535" "$out"
for word in a=256 a=-1 b=18446744073709551616 c=1,2 c=1,2,3,4 c=1,2,32768 d=dead d=deadbeeg e=2 f=abcde,x g=9223372036854775808; do
	run box mmapw all $word
	is "mmapw refuses $word, which does not fit its type" 2 "$rc"
done
while read -r schema; do
	run box mmapw -S "$schema" new id=1
	is "a schema of '$schema' is a usage error" "2 mmapw: invalid schema '$schema'" "$rc ${err%%: a[n ]*}"
done <<-'END'

	id
	id:
	:i32
	id:i33
	id:i32,
	id:i32,id:i8
	2id:i8
	i-d:i8
	id:str
	id:str0
	id:str05
	id:i32[0]
	id:f64[03]
	id:f64[+3]
	id:f64[ 3]
	id:f64[]
	id:f64[3][2]
	id:i32@00
	id:i32@08
	id:i08
	id:u64[4294967297]
	id:str 5
	id: i32
	a:i8, b:i8
	id:i32[2
	id:i32[2]x
	id:i32@
	id:i32@x
	a:i32,b:i8@3
	a:i32@0,b:i8@-1
	id:str99999999999
	id:u64[99999999]
	id:i32@4294967296
END
run box mmapw -S id:i32 student id=1
like 'mmapw refuses another schema than that of the file' "1 *has another schema: 'id:i32@0,name:str20@4,sex:char@24', not 'id:i32@0': use --replace" "$rc $err"
run box mmapw -S id:i32@0,name:str20,sex:char@24 student id=1
is 'mmapw takes the schema of the file in other words' '0 ' "$rc $err"

# The writer's lock.
$EMULATOR "$IPCBOX" mmapw -i 100s busy &
pid=$!
wait_for box mmapr -1 busy
run box mmapw busy id=1
like 'the refusal of a second writer names the process of the first' "3 mmapw: 'busy' is held by pid $pid (*)" "$rc $err"
kill -KILL $pid
wait $pid 2>/dev/null
run box mmapw busy id=1
is 'mmapw publishes after a writer that was killed' '0 ' "$rc $err"
$EMULATOR "$IPCBOX" mmapw -i 100s busy &
pid=$!
wait_for box mmapr -1W busy
kill $pid
wait $pid 2>/dev/null
is 'mmapw dies of the SIGTERM that ends it' 143 $?

# Files that are not ours.
: >empty
run box mmapw empty id=4
is 'mmapw makes an empty file a board' '0 id=4	 name=	 sex=' "$rc $(box mmapr -1 empty)"
echo 'precious data' >text
run box mmapw text id=1
is 'mmapw does not touch a file that is no board' '5 precious data' "$rc $(cat text)"
run box mmapw --raw text id=1
is 'mmapw --raw does not touch a file that is no board' '5 precious data' "$rc $(cat text)"
ln -s empty2 link
: >empty2
run box mmapw link id=1
is 'mmapw does not replace a symbolic link to an empty file' "1 mmapw: can't replace 'link': it is a symbolic link 0" "$rc $err $(wc -c <./link)"
box mmapw empty2 id=1
box mmapw link id=5
is 'mmapw writes a board behind a symbolic link' 'id=5' "$(box mmapr -1 -o id empty2)"
ln -s nowhere/x dangling
run box mmapw dangling id=1
is 'mmapw fails at a link to nowhere' 1 "$rc"
run box mmapw nowhere/x id=1
is 'mmapw names the file whose directory is missing' "1 mmapw: can't create 'nowhere/x': No such file or directory" "$rc $err"
run box mmapw . id=1
is 'mmapw refuses a directory' "1 mmapw: can't open '.': Is a directory" "$rc $err"
run box mmapw '' id=1
like 'mmapw refuses an empty name' '2 mmapw: no file*' "$rc $err"
mkfifo fifo
mknod null c 1 3 2>/dev/null
for special in fifo null; do
	[ -e $special ] || continue
	run box mmapw $special id=1
	is "mmapw does not replace a $special" "1 mmapw: can't use '$special': not a regular file no" \
		"$rc $err $([ -f $special ] && echo yes || echo no)"
done
is 'mmapw leaves no temporary file after errors' '' "$(ls -d .mmapw* 2>/dev/null)"
(umask 027; box mmapw masked id=1)
is 'a new board has mode 0644, less the umask' '-rw-r-----' "$(stat -c %A masked)"

# A disk too small for the board is found out before there is a file.
if [ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
	run box mmapw -S 'x:str99999' small/b x=1
	is 'mmapw fails on a full disk, and leaves nothing' "1 mmapw: can't create 'small/b': No space left on device " "$rc $err $(ls -A small)"
	box mmapw -S x:str20000 holes - </dev/null
	for raw in '' --raw; do
		if [ $raw ]; then truncate -s 28 small/b; else
			head -c 4096 holes >small/b; truncate -s "$(stat -c %s holes)" small/b; fi
		cat /dev/zero >small/fill 2>/dev/null
		# Where stat(2) counts a hole as blocks of the file, nobody can see it.
		truncate -s 8192 small/probe
		if [ "$(stat -c %b small/probe)" != 0 ]; then
			skip "mmapw $raw finds on a full disk that the file has holes, before it writes" 'st_blocks-counts-holes'
		else
			run box mmapw $raw small/b
			is "mmapw $raw finds on a full disk that the file has holes, before it writes" \
				"1 mmapw: can't fill the holes of 'small/b': No space left on device" "$rc $err"
		fi
		rm -f small/fill small/b small/probe
	done
	umount small
else
	skip 'mmapw fails on a full disk, and leaves nothing' 'cannot mount a tmpfs'
fi

# What becomes of the file under a writer is noticed within a second, and at the end.
for how in 'rm gone' 'mv other gone' 'truncate -s 100 gone' 'truncate -s 0 gone'; do
	rm -f gone other
	box mmapw other id=1
	timeout 10 $EMULATOR "$IPCBOX" mmapw -i 100s gone 2>err &
	pid=$!
	wait_for box mmapr -1W gone
	$how
	wait $pid
	like "mmapw ends when somebody changes its file: $how" "[15] mmapw: 'gone' *" "$? $(cat err)"
done
mkfifo feed
rm -f gone
$EMULATOR "$IPCBOX" mmapw gone - <feed 2>err &
pid=$! PIDS="$PIDS $!"
exec 9>feed
wait_for box mmapr --info gone
rm gone
echo id=1 >&9
exec 9>&-
wait $pid
is 'mmapw fails if its last publication went to a removed file' "1 mmapw: 'gone' was removed or replaced" "$? $(cat err)"

# The tutorial's bare struct.
run box mmapw --raw raw id=7 name=abc sex=F
is 'mmapw --raw writes the bare struct' '0 28' "$rc $(($(wc -c <raw)))"
run box mmapw --raw raw id=8
run box mmapr -1 raw
is 'mmapr knows a bare struct by its size' "id=8	 name=abc	 sex=F" "$out"
run box mmapw raw id=8
like 'mmapw without --raw refuses a bare struct' "1 mmapw: 'raw' is a raw record: *" "$rc $err"
run box mmapw --raw student id=8
like 'mmapw --raw refuses a board' "1 mmapw: 'student' is a board: *" "$rc $err"

# Lines of stdin.
lines() { run sh -c "printf '%s\n' \"\$@\" | $EMULATOR $IPCBOX mmapw ${opts-} l -" sh "$@"; }
opts='-S n:i32[2],s:str12,b:bool,c:char,x:bin2,t:str4[2],u:u64'
lines 'n=1,2 s=abc' '' "t=a,b s='it'\''s \"a\"' c=\\' x=00ff" '  b=1 u=18446744073709551615	'
is 'mmapw FILE - takes lines of words' '0 ' "$rc $err"
opts=
run box mmapr -1 -F '%{seq} %{n} %{s} %{b} %{c} %{x} %{t} %{u}' l
is 'mmapw FILE - publishes each line of words' "3 1,2 it's \"a\" 1 ' 00ff a,b 18446744073709551615" "$out"
box mmapr -1 --pairs --prefix '' l >pairs
box mmapr -1 -J l >json
cp l before
lines ' { "n" : [ -1 , 2 ] , "s" : "\u20ac\ud83d\ude00\n\"" , "b" : false, "c":"\\", "x":"FF00","t":["",","],"u":0 } '
run box mmapr -1J l
is 'mmapw FILE - takes a JSON object with spaces and escapes' '{"n":[-1,2],"s":"€😀\u000a\"","b":false,"c":"\\","x":"ff00","t":["",","],"u":0}' "$out"
lines '{"s_b64":"/wECAw==","c_b64":"gA==","t_b64":["/w==","YWI="],"x":"0001"}'
run box mmapr -1J l
is 'bytes that are no UTF-8 go in and out as NAME_b64' '{"n":[-1,2],"s_b64":"/wECAw==","b":false,"c_b64":"gA==","x":"0001","t_b64":["/w==","YWI="],"u":0}' "$out"
want=$out
lines "$want"
is 'mmapw takes the NAME_b64 that mmapr prints' "0  $want" "$rc $err $(box mmapr -1J l)"
box mmapw -S a_b64:u8,a:str3 named - <<-'END'
	{"a_b64":7,"a":"x"}
END
is 'a field may be called NAME_b64 itself' '{"a_b64":7,"a":"x"}' "$(box mmapr -1J named)"
lines '{}'
is 'mmapw FILE - publishes the old values for a JSON object without fields' '7' "$(box mmapr -1 -F '%{seq}' l)"
for form in pairs json; do
	lines '{"s":"","u":1}' "$(cat $form)"
	is "mmapw takes what mmapr prints as $form" "$(cat json)" "$(box mmapr -1J l)"
done
while IFS='|' read -r line why; do
	lines u=7 "$line" 'b=1'
	is "mmapw FILE - refuses the line $line" "2 mmapw: $why" "$rc $err"
	is "mmapw FILE - takes the lines around $line" '7 1' "$(box mmapr -1 -F '%{u} %{b}' l)"
	lines u=8 b=0
done <<-'END'
	u=9 n=1|field 'n': '1' is not of the right length for i32[2]
	u=9 z=1|no field 'z': there are n, s, b, c, x, t, u
	u=9 s='abc|a quotation is not closed
	{"u":9,"z":1}|no field 'z': there are n, s, b, c, x, t, u
	{"u":9,"n":[1]}|field 'n' is i32[2]: it takes an array of 2 elements
	{"u":9,"n":[1,2,3]}|field 'n' is i32[2]: it takes an array of 2 elements
	{"u":9,"n":1}|field 'n' is i32[2]: it takes an array of 2 elements
	{"u":9,"s":abc}|field 's': 'abc' is invalid for str12
	{"u":9,"s":null}|field 's': 'null' is invalid for str12
	{"u":9,"s":"\u0000"}|not a JSON object of the board's fields
	{"u":9,"s":"\ud800"}|not a JSON object of the board's fields
	{"u":9,"s":"\udc00\ud800"}|not a JSON object of the board's fields
	{"u":9,"s":"\q"}|not a JSON object of the board's fields
	{"u":9,"s":"\u12"}|not a JSON object of the board's fields
	{"u":9,"s":"a|not a JSON object of the board's fields
	{"u":9,"s":"123456789012"}|field 's': '123456789012' is too long for str12
	{"u":9,"s_b64":"/w"}|field 's': 'base64' is invalid for str12
	{"u":9,"s_b64":"/w="}|field 's': 'base64' is invalid for str12
	{"u":9,"s_b64":"/w==="}|field 's': 'base64' is invalid for str12
	{"u":9,"s_b64":"/x=="}|field 's': 'base64' is invalid for str12
	{"u":9,"s_b64":"/w==/w=="}|field 's': 'base64' is invalid for str12
	{"u":9,"s_b64":"A"}|field 's': 'base64' is invalid for str12
	{"u":9,"s_b64":"YQBi"}|field 's': 'base64' is invalid for str12
	{"u":9,"s_b64":"Y Q="}|field 's': 'base64' is invalid for str12
	{"u":9,"s_b64":"//////////////////////"}|field 's': 'base64' is invalid for str12
	{"u":9,"s_b64":9}|field 's': 'base64' is invalid for str12
	{"u":9,"c_b64":"//8="}|field 'c': 'base64' is too long for char
	{"u":9,"x_b64":"//8="}|no field 'x_b64': there are n, s, b, c, x, t, u
	{"u":9,"u_b64":"//8="}|no field 'u_b64': there are n, s, b, c, x, t, u
	{"u":9,"_b64":"//8="}|no field '_b64': there are n, s, b, c, x, t, u
	{"u":9.5}|field 'u': '9.5' is invalid for u64
	{"u":9|not a JSON object of the board's fields
	{"u":9}}|not a JSON object of the board's fields
	{"u":9,}|not a JSON object of the board's fields
	{"u":9 "b":1}|not a JSON object of the board's fields
	{"u"}|not a JSON object of the board's fields
	{|not a JSON object of the board's fields
END
run sh -c "printf 'b=0\nu=11\\0b=1\n' | $EMULATOR $IPCBOX mmapw l -"
is 'mmapw FILE - takes nothing of a line with a NUL in it' '2 mmapw: a line has a NUL in it 8 0' \
	"$rc $err $(box mmapr -1 -F '%{u} %{b}' l)"
printf 'u=11\nu=12' | box mmapw l -
is 'mmapw FILE - takes a last line without a newline' 12 "$(box mmapr -1 -F '%{u}' l)"
printf 'u=%d\n' 1 2 3 4 5 | box mmapw -c 2 l -
is 'mmapw --count ends after that number of lines' 2 "$(box mmapr -1 -F '%{u}' l)"
run sh -c "head -c 70000 /dev/zero | tr '\\0' x | $EMULATOR $IPCBOX mmapw l -"
is 'mmapw FILE - refuses a line without an end' 1 "$rc"
run sh -c "$EMULATOR $IPCBOX mmapw nothing - </dev/null; $EMULATOR $IPCBOX mmapr -1 nothing"
is 'mmapw FILE - makes a board of no line, where nothing is published' "3 mmapr: nothing is published in 'nothing' yet" "$rc $err"
run sh -c "$EMULATOR $IPCBOX mmapw l - <&-"
is 'mmapw FILE - fails where stdin is closed' "1 mmapw: can't read standard input: Bad file descriptor" "$rc $err"

# The file's options.
box mmapw -n 8 -m 600 -i 1ms -c 20 slots
is 'mmapw --mode gives a new board its mode' '-rw-------' "$(stat -c %A slots)"
run box mmapr -H -F '%{id} ' slots
is 'mmapw --slots keeps that many records, but for the one that a writer may be at' '23 24 25 26 27 28 29 ' "$out"
run box mmapr --history=2 -F '%{id} ' slots
is 'mmapr --history=2 prints the last two records' '28 29 ' "$out"
run box mmapr -H -s 18 -F '%{id} ' slots
is 'mmapr -H -s 18 prints the records after the 18th' '28 29 ' "$out"
box mmapw -n 8 few id=1
box mmapw few id=2
run box mmapr -H -o id few
is 'mmapr -H prints nothing of slots that were never used' "id=1
id=2" "$out"
run box mmapw -n 4 slots id=1
is 'mmapw refuses another number of slots than that of the file' "1 mmapw: 'slots' has 8 slots: use --replace" "$rc $err"
run box mmapw --unlink slots id=1
is 'mmapw --unlink leaves a file that another run made' '0  id=1' "$rc $err $(box mmapr -1 -o id slots)"
run box mmapw --unlink --replace -S id:i32 slots id=2
is 'mmapw --unlink removes the file that --replace made' '0 gone' "$rc $([ -e slots ] || echo gone)"
: >slots
run box mmapw --unlink slots id=1
is 'mmapw --unlink removes the board that it made of an empty file' '0 gone' "$rc $([ -e slots ] || echo gone)"
run box mmapw --unlink slots id=1
is 'mmapw --unlink removes the file at the end' '0 gone' "$rc $([ -e slots ] || echo gone)"
$EMULATOR "$IPCBOX" mmapw --unlink slots &
pid=$!
wait_for box mmapr -1 slots
kill $pid
wait $pid 2>/dev/null
is 'mmapw --unlink removes the file when a signal ends it' '143 gone' "$? $([ -e slots ] || echo gone)"

box mmapw target id=1
ln -s target way
run box mmapw --unlink --replace -n 4 way id=2
is 'mmapw --unlink does not remove a symbolic link, which it has not made' \
	"1 mmapw: can't remove 'way': it is a symbolic link id=2" "$rc $err $(box mmapr -1 -o id way)"
mkdir behind
run box mmapw --unlink --replace -n 8 behind/../target id=3
is 'mmapw --unlink removes a file in another directory' '0 gone' "$rc $([ -e target ] || echo gone)"
# strace stops mmapw between its look at the name and the removal.
mkdir another; box mmapw another/b id=7
if [ -z "$EMULATOR" ] && strace -o calls -e inject=rename,renameat:delay_enter=1 true 2>log; then
	# removing FILE: begins to remove it, and stops before that
	removing() {
		rm -f calls "$1"
		strace -o calls -e trace=rename,renameat -e inject=rename,renameat:delay_enter=1000000 \
			"$IPCBOX" mmapw --unlink "$1" id=2 2>err & pid=$! PIDS="$PIDS $!"
		wait_for grep -qE '^rename(at)?\(' calls
	}
	removing behind/b
	mv behind moved; ln -s another behind
	wait $pid
	is 'mmapw --unlink removes its own file, though another directory got the name of its directory' '0 id=7 ' \
		"$? $(box mmapr -1 -o id another/b) $(ls -A moved)"
	removing moved/b
	mv another/b moved/b
	wait $pid
	is 'mmapw --unlink leaves a file that got the name just before the removal' \
		"1 mmapw: can't remove 'moved/b': it was replaced id=7 b" "$? $(cat err) $(box mmapr -1 -o id moved/b) $(ls -A moved)"
else
	skip 'mmapw --unlink removes its own file, though another directory got the name of its directory' 'strace cannot delay a call here'
fi

# What is there, but empty: its owner and mode stay.
(umask 77; : >private)
box mmapw private id=1
is 'an empty file that becomes a board keeps its mode' 600 "$(stat -c %a private)"
run box mmapw -m 9 private id=1
is 'mmapw refuses a wrong mode for an existing file too' 2 "$rc"
if [ "$(id -u)" = 0 ]; then
	: >theirs; chown 65534 theirs
	box mmapw theirs id=1
	is 'an empty file that becomes a board keeps its owner' 65534 "$(stat -c %u theirs)"
else
	skip 'an empty file that becomes a board keeps its owner' 'not root'
fi
mkdir limited
is 'mmapw fails over RLIMIT_FSIZE, and leaves nothing' "mmapw: can't create 'limited/b': File too large 1  " \
	"$( (ulimit -f 0; box mmapw limited/b id=1; echo $?) 2>&1 | tr "\n" " ") $(ls -A limited)"

# The lock's options.
$EMULATOR "$IPCBOX" mmapw -X held id=1 &
pid=$!
wait_for box mmapr -1 held
run box mmapr -1W held
is 'mmapw --exclusive stays the writer after its publication' 0 "$rc"
run box mmapw -w 100ms held id=2
like 'mmapw --wait-lock is exit 124 when the other writer stays' "124 mmapw: 'held' is held by pid $pid (*)" "$rc $err"
run box mmapw -w 0 held id=2
like 'mmapw --wait-lock 0 is exit 124 at once' "124 mmapw: 'held' is held by pid $pid (*)" "$rc $err"
$EMULATOR "$IPCBOX" mmapw -w 10 held id=3 &
second=$!
wait_for grep -q '^State:.S' /proc/$second/status
kill $pid
wait $pid 2>/dev/null
wait $second
is 'mmapw --wait-lock publishes when the other writer ends' '0 id=3' "$? $(box mmapr -1 -o id held)"

# SIGUSR1 asks for a status, and disturbs nothing.
more() { [ "$(wc -l <err)" -gt "$told" ]; }
usr1() { told=$(wc -l <err); kill -USR1 $pid && wait_for more; }
rm -f held
bg mmapw -i 100s held 2>err
wait_for box mmapr -1 held
ok 'mmapw answers SIGUSR1 while it sleeps' usr1
is 'mmapw answers SIGUSR1 with what it published' "mmapw: 'held': published 1, now at publication 1" "$(cat err)"
bg mmapw -w 100 held id=2 2>err
wait_for grep -q -e "->.*:$(stat -c %i held) " /proc/locks
ok 'mmapw answers SIGUSR1 while it waits for the lock' usr1
is 'mmapw answers SIGUSR1 with what it waits for' "mmapw: 'held': waiting for its writer's end" "$(sort -u err)"
for p in $PIDS; do [ "$p" = "$pid" ] || kill "$p" 2>/dev/null; done
wait $pid
is 'mmapw goes on waiting for the lock after SIGUSR1' '0 id=2' "$? $(box mmapr -1 -o id held)"
mkfifo in
$EMULATOR "$IPCBOX" mmapw held - <in 2>err &
pid=$! PIDS="$PIDS $!"
exec 9>in
echo id=3 >&9
wait_for sh -c "[ \"\$($EMULATOR $IPCBOX mmapr -1 -o id held)\" = id=3 ]"
ok 'mmapw answers SIGUSR1 while it waits for a line' usr1
printf 'id=' >&9
ok 'mmapw answers SIGUSR1 in the middle of a line' usr1
echo 4 >&9
exec 9>&-
wait $pid
is 'mmapw loses nothing of a line after SIGUSR1' "0 id=4" "$? $(box mmapr -1 -o id held)"
like 'mmapw answers each SIGUSR1' "mmapw: 'held': published 1, now at publication 3*" "$(cat err)"
(trap '' USR1; exec $EMULATOR "$IPCBOX" mmapw -i 100s ignored) 2>err &
pid=$!
wait_for box mmapr -1 ignored
kill -USR1 $pid
box mmapr -1W ignored >/dev/null
kill $pid
wait $pid 2>/dev/null
is 'mmapw ignores a SIGUSR1 that its parent ignored' '143 ' "$? $(cat err)"

# --quiet and --verbose.
bg mmapw -X held
wait_for box mmapr -1W held
run box mmapw -q held id=5
is 'mmapw --quiet tells of a held lock by its exit status alone' '3  ' "$rc $out $err"
kill $pid
wait $pid 2>/dev/null
run box mmapw -q held id=x
is 'mmapw --quiet tells of a wrong value by its exit status alone' '2  ' "$rc $out $err"
run box mmapw -q -i x held
like 'mmapw --quiet has a message for a wrong option' "2 mmapw: invalid interval*" "$rc $err"
run box mmapw -v new2 id=1
is 'mmapw --verbose says that the file is made, and what is in it' "0  mmapw: made 'new2'
mmapw: 'new2': schema id:i32@0,name:str20@4,sex:char@24, 2 slots, publication 0; the first writer
mmapw: 'new2': published 1, now at publication 1" "$rc $out $err"
run box mmapw -v new2 id=1
like 'mmapw --verbose says that the former writer ended in order' "0 *publication 1; the former writer ended in order
*" "$rc $err"
bg mmapw -i 100s new2
wait_for box mmapr -1 -s 2 new2
kill -KILL $pid
wait $pid 2>/dev/null
run box mmapw -v new2 id=1
like 'mmapw --verbose says that the former writer died' "0 *; the former writer died
*" "$rc $err"
if has_strace && strace -o calls -e inject=fallocate:error=EOPNOTSUPP "$IPCBOX" mmapw probe id=1 2>/dev/null; then
	mkdir unable
	run strace -o calls -e inject=fallocate:error=EOPNOTSUPP "$IPCBOX" mmapw -v zeroed id=1
	like 'mmapw --verbose says that zeros stand in for fallocate' "0 mmapw: no fallocate(2) here: 320 zeros
*" "$rc $err"
	run strace -o calls -e inject=fallocate:error=EINTR:when=1..3 "$IPCBOX" mmapw interrupted id=1
	is 'mmapw tries an interrupted fallocate again' '0 id=1' "$rc $(box mmapr -1 -o id interrupted)"
	for what in fcntl,flock:error=ENOSYS renameat2,link,rename:error=EINVAL fsync:error=EINVAL; do
		run strace -o calls -e inject=$what "$IPCBOX" mmapw --persist unable/b id=1
		like "mmapw is exit 77 on a file system with $what, and names /dev/shm" \
			"77 mmapw: can't share 'unable/b' on this file system: use /dev/shm or /run: * " "$rc $err $(ls -A unable)"
	done
	run strace -o calls -e inject=fcntl:error=EINVAL "$IPCBOX" mmapw -v flocked id=1
	like 'mmapw --verbose says that flock(2) stands in for the lock' "0 *mmapw: no locks of fcntl(2) here: flock(2) stands in
*" "$rc $err"
else
	skip 'mmapw --verbose says that zeros stand in for fallocate' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
fi

# After another boot, as after a power cut: the newest slot that is whole counts.
if command -v python3 >/dev/null; then
	# earlier FILE [SEQ [BOOT_ID]]: as if it had been made before the last boot
	cat >earlier.py <<-'END'
		import struct, sys, zlib
		name, seq, boot_id = (sys.argv[1:] + [None, None])[:3]
		d = bytearray(open(name, 'rb').read())
		order = '<I' if d[8] == 4 else '>I'
		d[48:64] = bytes.fromhex(boot_id) if boot_id else bytes([d[48] ^ 1]) + d[49:64]
		d[44:48] = bytes(4)
		d[44:48] = struct.pack(order, zlib.crc32(d[:64]))
		if seq: d[64:68] = struct.pack(order, int(seq))
		open(name, 'wb').write(d)
	END
	box mmapw -n 4 -i 1ms -c 6 boot
	python3 earlier.py boot
	printf X | dd of=boot bs=1 seek=$((192 + 64 * 2 + 40)) conv=notrunc 2>/dev/null
	run box mmapr -1 -o id boot
	is 'mmapr reads the newest whole slot after a power cut' '0 id=14' "$rc $out"
	run box mmapw boot sex=F
	run box mmapr -1 -F '%{seq} %{id} %{sex}' boot
	is 'mmapw continues the newest whole slot after a power cut' '0 6 14 F' "$rc $out"
	is 'mmapw gives a board of an earlier boot the identity of this one' "$(tr -d - </proc/sys/kernel/random/boot_id)" "$(od -An -tx1 -j48 -N16 boot | tr -d ' \n')"
	is 'the board that mmapw continues after a power cut is whole' '0 ' "$(box mmapr --check boot 2>&1; echo $?) "
	is 'mmapr -H prints the history since a power cut' "$(printf '5 14\n6 14')" "$(box mmapr -H -F '%{seq} %{id}\n' boot)"
	run box mmapr -f -s 0 -t 10ms -F '%{seq} ' boot
	is 'mmapr -f prints the history since a power cut' '124 5 6 ' "$rc $out"
	for seq in 3 9; do # seq is older than the slots on the disk, or newer
		rm -f cut
		box mmapw -n 8 -i 1ms -c 6 cut
		python3 earlier.py cut $seq
		is "mmapr -1 prints the newest slot after a power cut that left seq at $seq" '6 15' "$(box mmapr -1 -F '%{seq} %{id}' cut)"
		is "mmapr -H ends with the newest slot after a power cut that left seq at $seq" '4 5 6 ' "$(box mmapr -H3 -F '%{seq} ' cut)"
		run box mmapr -f -s 4 -t 10ms -F '%{seq} ' cut
		is "mmapr -f prints up to the newest slot after a power cut that left seq at $seq" '124 5 6 ' "$rc $out"
	done
	box mmapw -n 2 -i 1ms -c 6 nobody
	python3 earlier.py nobody '' 00000000000000000000000000000000
	like 'a board whose boot is unknown counts as made in this one' '*boot: this*' "$(box mmapr --info nobody)"
fi
for persist in '' =each =never =1ms; do
	run box mmapw --persist$persist -i 1ms -c 3 disk
	is "mmapw --persist$persist publishes" '0 ' "$rc $err"
done
if has_strace; then
	strace -f -o calls "$IPCBOX" mmapw --persist -i 1ms -c 3 disk 2>/dev/null
	is 'mmapw --persist writes each publication to disk' 3 "$(grep -c 'msync(.*MS_SYNC) *= 0' calls)"
	strace -f -o calls "$IPCBOX" mmapw --persist fresh id=1 2>/dev/null
	is 'mmapw --persist writes a new file and its directory to disk' 2 "$(grep -c 'fsync(.*= 0' calls)"
	mkfifo slow
	rm -f calls
	strace -o calls "$IPCBOX" mmapw --persist=20ms disk - <slow 2>/dev/null &
	exec 9>slow
	printf 'id=%d\n' 1 2 3 >&9
	ok 'mmapw --persist=20ms writes to disk what was published, also when nothing more comes' \
		wait_for grep -q 'msync(.*MS_SYNC) *= 0' calls
	sleep 0.1
	echo id=4 >&9
	ok 'mmapw --persist=20ms writes to disk what came later' wait_for sh -c '[ $(grep -c "msync(.*MS_SYNC) *= 0" calls) = 2 ]'
	exec 9>&-
	wait $!
	is 'mmapw --persist=20ms writes nothing to disk twice' 2 "$(grep -c 'msync(.*MS_SYNC) *= 0' calls)"
else
	skip 'mmapw --persist writes each publication to disk' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
fi

run box mmapw
like 'mmapw without a file is a usage error' '2 mmapw: no file*' "$rc $err"
for opt in '-i -1' '-i x' '-i 9223372036' '-c 0' '-c x' '-n 1' '-n 3' '-n x' '-m 8' '-m 10000' '-w x' --persist=x '--raw -n 2' '--raw -S x:u8'; do
	run box mmapw $opt f id=1
	is "mmapw $opt is a usage error" 2 "$rc"
done
