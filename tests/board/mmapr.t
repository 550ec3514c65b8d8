#!/bin/sh
. "${0%/*}/../tap.sh"

box mmapw b id=10 name='xiao bai' sex=M
run box mmapr -1 b
is 'mmapr -1 prints the record' '0 id=10	 name=xiao bai	 sex=M' "$rc $out"

# The tutorial's job: the same line again and again, and what is published in between.
$EMULATOR "$IPCBOX" mmapr -i 10ms b >lines &
pid=$!
wait_for sh -c '[ $(wc -l <lines) -ge 3 ]'
box mmapw b id=11
wait_for grep -q 'id=11' lines
kill $pid
wait $pid 2>/dev/null
is 'mmapr without -1 prints the record again and again' 'id=10	 name=xiao bai	 sex=M,id=11	 name=xiao bai	 sex=M' "$(uniq lines | paste -sd, -)"
run timeout 10 $EMULATOR "$IPCBOX" mmapr -i 0 b -h
is 'mmapr takes options after the file' 0 "$rc"
$EMULATOR "$IPCBOX" mmapr -i 1ms b 2>err | head -n 1 >/dev/null
is 'mmapr says nothing when the reader of its output leaves' '' "$(cat err)"
if [ -w /dev/full ]; then
	run sh -c "$EMULATOR $IPCBOX mmapr -1 b >/dev/full"
	is 'mmapr fails where stdout is a full disk' "1 mmapr: can't write to standard output: No space left on device" "$rc $err"
fi

box mmapw esc name="$(printf 'a\033[2Jb\tc\177')"
run box mmapr -1 esc
is 'mmapr prints no control character of a record' 'id=0	 name=a\x1b[2Jb\x09c\x7f	 sex=' "$out"

# What is no board.
run box mmapr missing
is 'mmapr of a missing file is exit 3' "3 mmapr: nothing is published in 'missing' yet: there is no such file" "$rc $err"
run box mmapr .
is 'mmapr refuses a directory' "1 mmapr: can't use '.': not a regular file" "$rc $err"
mkfifo fifo
run box mmapr fifo
is 'mmapr refuses a FIFO without waiting for its writer' "1 mmapr: can't use 'fifo': not a regular file" "$rc $err"
: >empty
run box mmapr empty
is 'mmapr calls an empty file damaged' "5 mmapr: 'empty' is damaged: not a board (too short)" "$rc $err"
head -c 500 /dev/zero >zeros
run box mmapr zeros
is 'mmapr calls a file of zeros damaged' "5 mmapr: 'zeros' is damaged: not a board (wrong magic)" "$rc $err"

# Truncated under the reader: to nothing (SIGBUS), within the page, and long again.
for sizes in 0 64 100 200 '200 320' '0 320'; do
	rm -f cut lines
	box mmapw cut id=1
	$EMULATOR "$IPCBOX" mmapr -i 1ms cut >lines 2>err &
	pid=$!
	wait_for test -s lines
	for size in $sizes; do truncate -s $size cut; done
	wait $pid 2>/dev/null
	like "mmapr -i is exit 5 when the file is cut to $sizes bytes" "5 mmapr: 'cut' is damaged: *" "$? $(cat err)"
	rm -f cut lines
	box mmapw cut id=1
	[ "$sizes" != '200 320' ] || continue # the header is whole: news may come
	timeout 10 $EMULATOR "$IPCBOX" mmapr -f -s 0 cut >lines 2>err &
	pid=$!
	wait_for test -s lines
	for size in $sizes; do truncate -s $size cut; done
	wait $pid
	is "mmapr -f is exit 5 when the file is cut to $sizes bytes" 5 $?
done

# A file that is replaced is read anew.
$EMULATOR "$IPCBOX" mmapr -i 1ms b >lines &
pid=$!
wait_for test -s lines
box mmapw -S x:u8 new x=42
mv new b
ok 'mmapr -i sees a board that replaces the file' wait_for grep -qx x=42 lines
kill $pid

# What the file says of itself.
box mmapw -n 4 -i 1ms -c 6 -S id:u16,name:str9,sex:char i
run box mmapr --info i
like 'mmapr --info prints the header' "version: 1.0
byte_order: *
schema: id:u16@0,name:str9@2,sex:char@11
record_size: 12
slots: 4
boot: this
writer: closed
pid: *
generation: 1
seq: 6
time: [0-9]*.*" "$out"
$EMULATOR "$IPCBOX" mmapw -X -i 1h i &
pid=$!
wait_for box mmapr -1 -s 6 i
run box mmapr --info -J i
like 'mmapr --info -J names the pid of a live writer' '{"version":"1.0",*"writer":"alive","pid":'$pid',*' "$out"
[ -n "$EMULATOR" ] || like 'mmapr --info -J names the program of a live writer' '*"name":"*"*' "$out"
if command -v python3 >/dev/null; then
	ok 'what mmapr --info -J prints is JSON' python3 -c 'import json, sys; json.loads(sys.argv[1])' "$out"
fi
kill -KILL $pid
wait $pid 2>/dev/null
run box mmapr --info --pairs i
is 'mmapr --info says that a writer was killed' "7 dead" "$(eval "$out"; echo "$seq $writer")"
run box mmapr --check i
is 'mmapr --check says nothing of a whole board' '0  ' "$rc $out $err"
printf X | dd of=i bs=1 seek=$((192 + 2 * 64 + 40)) conv=notrunc 2>/dev/null
run box mmapr -1 -o id i
is 'mmapr -1 prints the record beside an older slot that is damaged' '0 id=10' "$rc $out"
run box mmapr --check i
is 'mmapr --check finds an older slot that is damaged' "5 mmapr: 'i' is damaged: wrong CRC of the record" "$rc $err"

# C programs that know nothing of ipcbox.
cat >use.c <<'END'
#include <stdio.h>
#include "board.h"
int main(int argc, char **argv)
{
	struct board b, second;
	struct board_record r;

	if (board_open(&b, argv[1], argc > 2) < 0 || board_read(&b, &r) != 1)
		return 1;
	if (argc > 2 && board_open(&second, argv[1], 1) == 0)
		return 2;
	r.c += r.b[2] == -3 && r.f == 1.5 && r.s[1][0] == 'y' && r.x[0] == 0xAB;
	r.d = 0.25;
	if (argc > 2)
		board_write(&b, &r);
	else
		board_wait(&b, board_seq(&b) - 1);
	printf("%d %u %s\n", (int)r.a, (unsigned)r.c, r.s[0]);
	return 0;
}
END
box mmapw -S a:i8,b:i16[3],c:u64,d:f64,e:bool,f:f32,s:str3[2],x:bin3,g:u32@101 c a=-1 b=1,2,-3 c=0 f=1.5 s=x,y x=abcdef
box mmapr --emit-c c >board.h
box mmapw none - </dev/null
is '--emit-c of the default schema has at most 150 lines' yes \
	"$([ "$(box mmapr --emit-c none | wc -l)" -le 150 ] && echo yes)"
n=0
for cc in gcc 'gcc -std=c99 -D_GNU_SOURCE' clang 'g++ -x c++ -std=c++98' 'clang -x c++'; do
	if [ -n "$EMULATOR" ] || ! command -v "${cc%% *}" >/dev/null; then skip "--emit-c compiles with $cc" "no $cc"; continue; fi
	run $cc -Wall -Wextra -pedantic -Wshadow -Wconversion -Werror -O2 -o use use.c
	is "--emit-c compiles with $cc" '0 ' "$rc $err"
	n=$((n + 1))
	is "a program with --emit-c writes with $cc" "-1 $n x" "$(./use c w)"
	is "mmapr reads what a program with --emit-c wrote with $cc" "a=-1	 c=$n	 d=0.25	 seq=$((n + 1))" "$(box mmapr -1 -o a,c,d,seq c && box mmapr --check c)"
	is "a program with --emit-c reads with $cc" "-1 $((n + 1)) x" "$(./use c)"
done

# Fields named as keywords of C or C++, types, macros of the headers, and what would collide.
names='int int_ class new and true this _Bool __x linux unix errno NULL O_RDONLY st_mtime int32_t pad_4 _pad4 template operator typeof constexpr requires board_record T'
schema=$(for name in $names; do printf '%s:u8,' "$name"; done)
box mmapw -S "${schema}last:u32" words int=1 int_=2
box mmapr --emit-c words >board.h
cat >words.c <<'END'
#include <errno.h>
#include <stdio.h>
#include "board.h"
int main(void)
{
	struct board b;
	struct board_record r;
	return board_open(&b, "words", 0) || board_read(&b, &r) != 1 || r.int_ != 1 || r.int__ != 2 || r.class_;
}
END
for cc in gcc 'gcc -std=gnu2x' clang 'g++ -x c++' 'clang -x c++ -std=c++20'; do
	if [ -n "$EMULATOR" ] || ! command -v "${cc%% *}" >/dev/null; then skip "keywords as names compile with $cc" "no $cc"; continue; fi
	run $cc -Wall -Wextra -pedantic -Werror -o words.bin words.c
	is "keywords as names compile with $cc" '0 ' "$rc $err"
	ok "fields named as keywords are read with $cc" ./words.bin
done
is '--emit-c says the name of a field named as a keyword' '	uint8_t class_; /* class */' "$(grep "class_" board.h)"

# The bare struct, from C programs that map it as those of the tutorial do, and back.
if command -v cc >/dev/null && [ -z "$EMULATOR" ]; then
	cat >raw.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <unistd.h>
		struct record { int id; char name[20]; char sex; };
		int main(int argc, char **argv)
		{
			int fd = open(argv[1], argc > 2 ? O_RDONLY : O_RDWR | O_CREAT, 0664);
			struct record *r;
			if (argc == 2 && ftruncate(fd, sizeof(*r)))
				return 1;
			r = mmap(NULL, sizeof(*r), argc > 2 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			if (r == MAP_FAILED)
				return 1;
			if (argc == 2)
				*r = (struct record){ 10, "xiao bai", 'M' };
			return printf("id=%d\t name=%s\t sex=%c\n", r->id, r->name, r->sex) < 0;
		}
	END
	cc -o raw raw.c && ./raw bare >/dev/null
	run box mmapr -1 bare
	is 'mmapr reads the struct of a C program' 'id=10	 name=xiao bai	 sex=M' "$out"
	box mmapw --raw bare id=12
	run ./raw bare x
	is 'a C program reads the struct of mmapw --raw' 'id=12	 name=xiao bai	 sex=M' "$out"
else
	skip 'mmapr reads the struct of a C program' 'no cc'
fi

# Output forms.
box mmapw -S 'n:i32[2],s:str12,b:bool,c:char,x:bin2,t:str4[2]' o n=-1,2 s="it's \"a\"" b=1 c=\\ x=00ff t=a,b
run box mmapr -1 o
is 'mmapr -1 prints every type for people' "n=-1,2	 s=it's \"a\"	 b=1	 c=\\	 x=00ff	 t=a,b" "$out"
box mmapw -S said:str20 two said="$(printf 'a\ntouch b #')"
run box mmapr -1 --pairs two
is 'mmapr --pairs prints a record with a newline on one line' 1 "$(printf '%s\n' "$out" | wc -l)"
is 'a shell reads a newline back from mmapr --pairs' "$(printf 'a\ntouch b #')" "$(eval "$out"; printf '%s\n' "$board_said")"
run box mmapr -1 --pairs o
is 'mmapr --pairs prefixes the names and quotes the values' "board_n='-1,2' board_s='it'\\''s \"a\"' board_b='1' board_c='\\' board_x='00ff' board_t='a,b'" "$out"
is 'a shell reads quotes back from mmapr --pairs' "-1,2 it's \"a\"" "$(eval "$out"; echo "$board_n $board_s")"
box mmapw -S PATH:str64 path PATH=/nobody
is 'a field called PATH leaves the PATH of a script as it was' "$PATH /nobody" \
	"$(eval "$(box mmapr -1 --pairs path)"; echo "$PATH $board_PATH")"
run box mmapr -1 --pairs --prefix=my_ path
is 'mmapr --prefix=my_ puts my_ before each name' "0 my_PATH='/nobody'" "$rc $out"
for word in 'a;b' 1x 'a b' 'a-'; do
	run box mmapr -1 --pairs --prefix="$word" path
	is "mmapr refuses the prefix '$word', which no name of a shell begins with" '2 ' "$rc $out"
done
run box mmapr -1J o
is 'mmapr --json prints every type' '{"n":[-1,2],"s":"it'\''s \"a\"","b":true,"c":"\\","x":"00ff","t":["a","b"]}' "$out"
run box mmapr -1 -o s,n,seq o
is 'mmapr --fields prints the fields in the order asked for' "s=it's \"a\"	 n=-1,2	 seq=1" "$out"
run box mmapr -1 -F '%{seq}:%{b}\t100%%\n%{s}' o
is 'mmapr --format prints fields, escapes and percent signs' "1:1	100%
it's \"a\"" "$out"
run box mmapr -1 -F '%{nope}' o
like 'an unknown field in a format is a usage error' "2 mmapr: no field 'nope'*" "$rc $err"
run box mmapr -w -J -o n,nope o
like 'an unknown field is found before mmapr waits or prints' "2  mmapr: no field 'nope'*" "$rc $out $err"
run box mmapr -w -F '%%{no} \%{nope}' o
like 'an unknown field in a format is found before mmapr waits' "2  mmapr: no field 'nope'*" "$rc $out $err"
# Invalid UTF-8: a lone byte, overlong, surrogate, too large, cut off; C1 and DEL.
for bytes in '\0377' '\0300\0200' '\0340\0200\0200' '\0355\0240\0200' '\0364\0220\0200\0200' '\0303'; do
	box mmapw esc name="$(printf %b "$bytes")"
	run box mmapr -1 -J -o name esc
	is "mmapr -J prints $bytes, which is no UTF-8, as base64" "{\"name_b64\":\"$(printf %b "$bytes" | base64)\"}" "$out"
done
box mmapw esc name="$(printf '\302\233x\177\342\202\254')"
run box mmapr -1 -J -o name esc
is 'mmapr -J escapes control characters beyond ASCII' '{"name":"\u009bx\u007f€"}' "$out"
run box mmapr -1 -o name esc
is 'mmapr -1 escapes control characters beyond ASCII' 'name=\x9bx\x7f€' "$out"

# Waiting.  Each of these ends only because a publication wakes it.
follow() { rm -f lines; $EMULATOR "$IPCBOX" mmapr "$@" w >lines 2>err & pid=$!; }
asleep() { grep -q futex "/proc/$pid/wchan" 2>/dev/null || grep -q '^State:.S' "/proc/$pid/status"; }
box mmapw w id=1
follow -w -o id
wait_for asleep
box mmapw w id=2
wait $pid
is 'mmapr --wait prints the next publication' '0 id=2' "$? $(cat lines)"
follow -f -F '%{id},'
wait_for asleep
box mmapw w id=3
wait_for grep -q 3, lines
box mmapw w id=4
wait_for grep -q 4, lines
kill $pid
is 'mmapr --follow prints each publication that comes' '3,4,' "$(cat lines)"
run box mmapr -w -t 50ms w
is 'mmapr --timeout is exit 124' "124 mmapr: no publication in 'w' in time" "$rc $err"
run box mmapr -w -s 3 -o id w
is 'mmapr -w --since prints at once a record that is newer already' '0 id=4' "$rc $out"
run box mmapr -1 -s 4 w
is 'mmapr -1 --since is exit 3 where nothing is newer' 3 "$rc"
for since in 5 2147483647 2147483648 4000000000 4294967296 9223372036854775807; do
	run box mmapr -1 -s $since w
	is "mmapr -1 --since $since is exit 3" 3 "$rc"
done

# SIGUSR1 asks for a status, and disturbs nothing.
usr1() { : >err; kill -USR1 $pid && wait_for test -s err; }
follow -f -o id
wait_for asleep
ok 'mmapr -f answers SIGUSR1 while it waits' usr1
is 'mmapr -f answers SIGUSR1 with what it printed' "mmapr: 'w': printed 0, missed 0, no writer" "$(cat err)"
box mmapw w id=5
wait_for grep -q 5 lines
ok 'mmapr -f answers a second SIGUSR1' usr1
is 'mmapr -f answers a second SIGUSR1 with what it printed since' "mmapr: 'w': printed 1, missed 0, no writer" "$(cat err)"
kill $pid
wait $pid 2>/dev/null
is 'mmapr -f prints each publication in spite of SIGUSR1' '143 id=5' "$? $(cat lines)"
follow -f -o id -s 1
wait_for grep -q 5 lines
ok 'mmapr -f answers SIGUSR1 after some records were overwritten' usr1
is 'mmapr -f answers SIGUSR1 with how many records it missed' "mmapr: 'w': printed 1, missed 3, no writer" "$(cat err)"
kill $pid
follow -i 100s -o id
wait_for test -s lines
ok 'mmapr -i answers SIGUSR1 between two prints' usr1
is 'mmapr -i prints no record for SIGUSR1' 'id=5' "$(cat lines)"
kill $pid
follow -w -t 300ms
wait_for asleep
while kill -USR1 $pid 2>/dev/null; do :; done
wait $pid
is 'SIGUSR1 does not prolong the time limit of mmapr -w' 124 $?

# Nothing published: the file is there, but no more.
rm w
box mmapw w - </dev/null
run box mmapr w
is 'mmapr is exit 3 where nothing is published' "3 mmapr: nothing is published in 'w' yet" "$rc $err"
follow -w -o id
wait_for asleep
box mmapw w id=5
wait $pid
is 'mmapr --wait waits for the first publication' '0 id=5' "$? $(cat lines)"

# A writer: alive, killed; a record: fresh, old.
run box mmapr -1W w
is 'mmapr --require-writer is exit 4 without a writer' "4 mmapr: 'w' has no live writer" "$rc $err"
$EMULATOR "$IPCBOX" mmapw -i 100s w &
writer=$!
wait_for box mmapr -1W w
follow -f -W
wait_for asleep
is 'mmapr -W takes nothing from the writer' 3 "$(box mmapw w id=1 2>/dev/null; echo $?)"
kill -KILL $writer
wait $writer 2>/dev/null
wait $pid
is 'mmapr -f -W notices that the writer was killed' "4 mmapr: 'w' has no live writer" "$? $(cat err)"
run box mmapr -1 -a 0 w
is 'mmapr --max-age is exit 4 for a record that is too old' "4 mmapr: 'w' has only a record that is too old" "$rc $err"
run box mmapr -1 -a 1h -o name w
is 'mmapr --max-age prints a record that is young enough' '0 name=xiao bai' "$rc $out"
for mode in -H --info --check; do
	run box mmapr $mode -W -o id w
	is "mmapr $mode --require-writer is exit 4 without a writer" 4 "$rc"
done

# A file that is replaced while we wait.
follow -w
wait_for asleep
box mmapw -S x:u8 other x=1
mv other w
wait $pid
is 'mmapr -w prints the record of a board that takes the name' '0 x=1' "$? $(cat lines)"
box mmapw --raw bare id=1
follow -f
wait_for asleep
mv bare w
wait $pid
is 'mmapr -f ends when a raw record takes the name' "1 mmapr: 'w' is a raw record: only -1 and -i can be had of it" "$? $(cat err)"

for opts in '-w -f' '-1 -i 1' '-J --pairs' '-t 1' '-a x' '-F x -o y' '-H0' '-s -1' '-s 18446744073709551616' '--info --check' '-1 --emit-c'; do
	run box mmapr $opts b
	is "mmapr $opts is a usage error" 2 "$rc"
done
run box mmapr -s x missing
is 'a wrong option is a usage error where the file is missing' 2 "$rc"
box mmapw --raw bare id=1
for mode in -f --emit-c; do
	run box mmapr $mode bare
	is "mmapr $mode refuses a raw record" 1 "$rc"
done
run box mmapr
like 'mmapr without a file is a usage error' '2 mmapr: no file*' "$rc $err"
run box mmapr -f -t 0.1 ''
like 'mmapr refuses an empty name, for which -f would wait for ever' '2 mmapr: no file*' "$rc $err"
run box mmapr b b
like 'mmapr with two files is a usage error' "2 mmapr: unexpected operand 'b'*" "$rc $err"
