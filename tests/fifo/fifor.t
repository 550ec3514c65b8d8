#!/bin/sh
. "${0%/*}/../tap.sh"

# spawn APPLET ARG... &: as box, and $! is the applet itself
spawn() { exec $EMULATOR "$IPCBOX" "$@"; }
words() { tr '\n' ' ' <got | sed 's/ $//'; }

mkfifo f
# start ARG...: a reader in the background, output in ./got, status from wait $reader
start() { : >got; spawn fifor "$@" >got 2>err & reader=$!; }
has() { test "$(cat got)" = "$1"; }
text() { printf '%b' "$1"; }

start f
for word in one two three; do echo $word >f; done
ok 'read:MESSAGE a line, writers come and go' wait_for has "$(text 'read:one\nread:two\nread:three')"
printf bytes >f
ok 'what comes without newline is a message' wait_for has "$(text 'read:one\nread:two\nread:three\nread:bytes')"
kill $reader; wait $reader
is 'fifor reads until SIGTERM ends it with 143' 143 $?

start -e exit f
printf 'a\nb\nc' >f
wait $reader
is '--eof=exit: the end of the last writer is the end' "$(text '0 read:a\nread:b\nread:c')" "$? $(cat got)"
start -eexit -oplain f; box fifow f 'x
y' ''; wait $reader
is 'a packet is one message, with its newlines' "$(text '0 x\ny')" "$? $(cat got)"
start -eexit -0 -oplain f; box fifow -Fline f 1 2; wait $reader
is '-0 ends messages with NUL' '1:2:' "$(tr '\0' : <got)"
start -n 2 f; box fifow -E drop f 1 2 3; wait $reader # it may leave before the third
is 'fifor -n 2 prints two messages of three' "$(text '0 read:1\nread:2')" "$? $(cat got)"

rm f; mkfifo f # gVisor keeps a queue that nobody has open
exec 9<>f
box fifow -t 1 f 'p
q' r
printf 'a\nb\nc\nd' >&9
: >got
for n in 1 2 2; do run box fifor -t 5 -o plain -n $n f; echo "$out ." >>got; done
is '-n takes no more than it prints, and packets stay apart from lines' 'p q . r a . b c .' "$(words)"
run box fifor -t 100ms -o plain f
is 'what fifor -n leaves is for the next reader' d "$out"
exec 9>&-

exec 9<>f
box fifow -t 1 f aa bb
printf 'x\ny\n' >&9
run box fifor -t 100ms f
is 'lines behind packets are lines' "$(text 'read:aa\nread:bb\nread:x\nread:y')" "$out"
exec 9>&-
# Linux appends a packet to plain bytes that leave room in their page.
exec 9<>f
echo x >&9
printf 'y\0p\nq\0z\0r\ns\0' | box fifow -0 f -
has_packets && box fifow -F packet f t u
run box fifor -J -t 100ms f
is 'packets behind lines are packets' "$(text 'x\ny\np\\u000aq\nz\nr\\u000as')$(has_packets && text '\nt\nu')" "$(echo "$out" | sed 's/.*"data":"//; s/"}//')"
exec 9>&-
# What ends a command late may still have the FIFO: a new one is empty.
rm f; mkfifo f
case $(exec 9<>f; box fifow -N -Fpacket f x 2>&1) in
*"can't switch"*) skip '--frame=packet: with the newline at its end' 'no pipes of packets' ;;
*)
	start -eexit -oplain -Fpacket f; box fifow -Fpacket f 'x
' ''; wait $reader
	is '--frame=packet: with the newline at its end' "0 x . . ." "$? $(sed 's/$/ ./' got | xargs)"
	;;
esac

start -o plain f
exec 9>f
printf 'he' >&9; printf 'llo\nwor' >&9
ok 'the beginning of a line waits for its end' wait_for grep -qx 'h*e*llo' got
printf 'ld\n' >&9
ok 'a line that came in two pieces is joined' wait_for grep -qx world got
exec 9>&-
kill $reader; wait $reader
start -eexit -oplain -Fline f
(printf cut; printf ' line\n') >f
wait $reader
is '--frame=line never takes a part for a message' 'cut line' "$(cat got)"

start -r -eexit f
head -c 300000 /dev/urandom >data; cat data >f
wait $reader
ok '-r: the bytes as they come' cmp data got

run box fifor -t 100ms f
is 'fifor -t: no message within the time limit is exit 124' "124 fifor: timed out: no message in 'f'" "$rc $err"
run box fifor --open-timeout 100ms f
is 'fifor --open-timeout: no writer within the time limit is exit 124' 124 "$rc"
(exec 9<>f; printf 'a\npar' >&9; run box fifor -F line -t 100ms f; echo "$rc $out") >got
is 'a line without its end is printed when the time limit ends fifor' "$(text '124 read:a\nread:par')" "$(cat got)"
(exec 9<>f; box fifow -t 1 f 'a
b
'; run box fifor -o plain -0 -t 100ms f; tr '\0' : <.out) >got
is 'a packet keeps the newline at its end' "$(text 'a\nb\n:')" "$(cat got)"
start -t 100ms --open-timeout 10 f; echo x >f; wait $reader
is '-t counts from the message before' '124 read:x' "$? $(cat got)"

box fifor f | head -n 1 >got &
pipe=$!
echo x >f
wait $pipe
is 'fifor into head prints the message that came' read:x "$(cat got)"
(box fifor f; echo $? >rc) | : &
ok 'fifor ends when nobody reads its output, before it takes a message' wait_for test -s rc
wait # an open(2) that a SIGCHLD interrupts is an error to busybox's sh
(timeout 10 "$IPCBOX" fifor f >/dev/full 2>err; echo $? >rc) & : >rc
echo x >f
wait $!
like 'fifor into a full disk is exit 1' "1 fifor: can't write to standard output: *" "$(cat rc err | tr '\n' ' ')"
exec 8<>f # The FIFO has a writer that stays.
seq 40 | box fifow -F packet f - 2>sent
start -o plain f
has_lines() { [ "$(wc -l <got)" = "$1" ]; }
name='fifor prints all packets that were queued, though no more come'
case $(cat sent) in
*"can't switch"*) skip "$name" 'no pipes of packets' ;;
*) ok "$name" wait_for has_lines 40 ;;
esac
kill $reader; wait $reader 2>/dev/null
exec 8>&-
echo x >f & # A pipe takes the words of fifor, since no file may grow.
run sh -c '{ (ulimit -f 0; timeout 10 "$1" fifor f 2>&1 >limited); echo $?; } | cat' sh "$IPCBOX"
wait $!
is 'fifor over the limit of a file size is exit 1' "fifor: can't write to standard output: File too large
1" "$out"
(exec >&-; timeout 10 "$IPCBOX" fifor f 2>err); rc=$?
is 'fifor says that its stdout is closed' "1 fifor: can't write to standard output: Bad file descriptor" "$rc $(cat err)"

if has_strace; then
	strace -f -o calls "$IPCBOX" fifor f >got &
	tracer=$!
	wait_for grep -q inotify_add_watch calls
	echo a >f; box fifow -F line f b; echo c >f
	wait_for has "$(text 'read:a\nread:b\nread:c')"
	pkill -P $tracer; wait $tracer
	waits=$(grep -c poll calls)
	ok "fifor waits $waits times for 3 writers" test "$waits" -lt 20
	is 'fifor waits without a sleep or a timer once it watches the name' '' \
		"$(sed '1,/inotify_init1/d' calls | grep -E 'nanosleep|timer|ppoll.*tv_sec')"
	strace -o calls -e inject=flock:delay_enter=300000 "$IPCBOX" fifor -e exit -t 5 f & reader=$!
	(exec 9>f)
	wait $reader
	is '--eof=exit sees a writer that came and left while it started' 0 $?
	exec 9<>f
	echo there >&9
	is 'fifor watches no name for a message that is there already, because watches make its end late' 'read:there 0' \
		"$(strace -o calls "$IPCBOX" fifor -n 1 f) $(grep -c inotify calls)"
	printf 'ab\ncd\n' >&9
	strace -o calls -e inject=tee:error=ENOSYS "$IPCBOX" fifor -v -n 1 f >got 2>err
	is 'fifor -n takes no more than it prints without tee(2)' "read:ab fifor: can't look ahead: lines only: Function not implemented read:cd" \
		"$(cat got err | tr '\n' ' ')$(box fifor -n 1 f)"
	exec 9>&-
else
	skip 'fifor waits without a sleep or a timer once it watches the name' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
fi

if command -v script >/dev/null && [ -z "$EMULATOR" ]; then
	# C1, bytes that are no characters, a tab, the override U+202E and the isolate U+2066
	box fifow f "$(printf '\033[2Jx\302\233\233\377y\tz\303\251\342\200\256\342\201\246')" &
	run script -qec "$IPCBOX fifor -t 5 -n 1 f" /dev/null
	is 'a terminal gets no control sequence and no override of the direction' \
		"$(printf 'read:?[2Jx???y\tz\303\251??')" "$(echo "$out" | tr -d '\r')"
else
	skip 'a terminal gets no control sequence and no override of the direction' 'no script'
fi
box fifow f "$(printf 'a\033\177\302\233\342\200\256\\"é€')" & PIDS="$PIDS $!"
run box fifor -J -t 5 -n 1 f
like 'fifor -J escapes what a terminal must not get' '*"data":"a\\u001b\\u007f\\u009b\\u202e\\\\\\"é€"}' "$out"

if command -v gcc >/dev/null; then
	# The programs of the tutorial, without their blank lines.
	cat >w.c <<-'EOF'
	#include <stdio.h>
	#include <string.h>
	#include <unistd.h>
	#include <fcntl.h>
	int main(int argc, char *argv[])
	{
		int fd = open(argv[argc - 1], O_WRONLY), num = 1;
		char buf[256];
		while (1) {
			memset(buf, 0, sizeof(buf));
			sprintf(buf, "xiaoming%04d", num++);
			write(fd, buf, strlen(buf));
			sleep(1);
		}
	}
	EOF
	cat >r.c <<-'EOF'
	#include <stdio.h>
	#include <unistd.h>
	#include <fcntl.h>
	int main(int argc, char *argv[])
	{
		int fd = open(argv[argc - 1], O_RDONLY), ret;
		char buf[256];
		while (1) {
			ret = read(fd, buf, sizeof(buf));
			if (ret > 0)
				printf("read:%s\n", buf), fflush(stdout);
		}
	}
	EOF
	gcc -w -o w w.c && gcc -w -o r r.c
	start -n 2 f; ./w f & w=$!
	wait $reader
	is 'the tutorial writes, fifor reads' "$(text '0 read:xiaoming0001\nread:xiaoming0002')" "$? $(cat got)"
	kill $w; wait $w
	./r f >got & r=$!
	box fifow --generate -n 2 -i 100ms f 2>/dev/null
	ok 'fifow writes, the tutorial reads' wait_for has "$(text 'read:xiaoming0001\nread:xiaoming0002')"
	kill $r; wait $r
else
	skip 'the programs of the tutorial' 'no compiler'
fi

start -u --create=0600 g
ok 'fifor --create makes the FIFO' wait_for test -p g
kill $reader; wait $reader
ok 'fifor --unlink removes the FIFO that it made' test ! -e g
: >file
run box fifor file
is 'fifor refuses a file that is not a FIFO' "1 fifor: 'file' is not a FIFO" "$rc $err"
ln -s nowhere dangling
run box fifor -p dangling
is 'fifor --create refuses a link that points to nothing' "1 fifor: can't open 'dangling': No such file or directory" "$rc $err"
ok 'fifor --create makes no file where a link points' test ! -e nowhere
for args in '' 'f f' '-n 0 f' '-e x f' '-o x f' '-F x f' '-t x f' '-r -n 1 f'; do
	run box fifor $args
	is "usage: fifor $args" 2 "$rc"
done
