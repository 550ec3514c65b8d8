#!/bin/sh
. "${0%/*}/../tap.sh"

# spawn APPLET ARG... &: as box, and $! is the applet itself
spawn() { exec $EMULATOR "$IPCBOX" "$@"; }
words() { tr '\n' ' ' <got | sed 's/ $//'; }

# reader N: the next N messages go to ./got, a line each
reader() { : >got; spawn fifor -t 10 -o plain -n "$1" f >got & reader=$!; }
big=$(printf '%05000d' 0)
mkfifo f

reader 3
run box fifow f one 'two words' ''
is 'each operand is a message' '0 ' "$rc $err"
wait $reader
is 'the messages of the operands arrive, the empty one too' 'one:two words::' "$(tr '\n' : <got)"

reader 3
printf 'a\nb\nlast' | box fifow f
wait $reader
is 'each line of stdin is a message' "0 a b last" "$? $(words)"
reader 2
printf 'a\nb\n' | box fifow f -
wait $reader
is 'the operand - sends each line of stdin' "0 a b" "$? $(words)"
reader 1
printf 'a\nb' | box fifow -0 f
wait $reader
is 'fifow -0: newlines are part of the message' "$(printf '0 a\nb')" "$? $(cat got)"

cat f >got & box fifow --frame=line f a b; wait
is 'fifow --frame=line sends lines to cat' "$(printf 'a\nb')" "$(cat got)"
dd if=f bs=64 count=1 2>/dev/null >got & box fifow -F packet f abc 2>err; wait
case $(cat err) in
*"can't switch"*) skip 'a packet has no newline: dd gets the bytes' 'no pipes of packets' ;;
*) is 'a packet has no newline: dd gets the bytes' abc "$(cat got)" ;;
esac
cat f >got & head -c 300000 /dev/zero | box fifow -r f; wait
is 'fifow -r sends the bytes as they come' 300000 "$(wc -c <got)"

run box fifow -t 100ms f a
is 'fifow -t: no reader within the time limit is exit 124' '124 fifow: timed out: '\''f'\'' has no reader' "$rc $err"
run box fifow --open-timeout 100ms f a
is 'fifow --open-timeout: no reader within the time limit is exit 124' 124 "$rc"
mkfifo full; exec 7<>full
seq 100000 >many
run box fifow -t 100ms full <many
is 'fifow -t: a reader that does not read is exit 124' "124 fifow: timed out: 'full' is full" "$rc $err"
exec 7>&-

run box fifow f "$big"
is 'a message above PIPE_BUF fails at once' '1 fifow: message of 5000 bytes is larger than PIPE_BUF (4096): use --lock or --frame=len' "$rc $err"
run box fifow f small "$big"
is 'a message above PIPE_BUF fails before the others are sent' 1 "$rc"
run box fifow -F line f 'a
b'
is 'fifow --frame=line refuses a newline within a message' 1 "$rc"

reader 2
printf 'a\nb\n%05000d\nc\n' 0 | box fifow -F line f 2>err; rc=$?
wait $reader
is 'what came before one that is refused is sent' '1 a b' "$rc $(words)"
run box fifow -p -F line none "$big"
is 'fifow --create refuses a message above PIPE_BUF' "1 fifow: message of 5000 bytes with its end is larger than PIPE_BUF (4096): use --lock or --frame=len" "$rc $err"
ok 'fifow --create makes no FIFO for a message that it refuses' test ! -e none
reader 3
spawn fifow --generate -E drop -i 0 f 2>err & writer=$!
wait $reader
kill $writer; wait $writer
is 'SIGTERM ends a fifow --on-epipe=drop without a reader' 143 $?

# A feed that stays open: the writer lives on while readers come and go.
mkfifo in
spawn fifow f - <in &
writer=$!
exec 9>in
reader 1
echo a >&9
wait $reader
echo b >&9
ok 'a fifow without a reader waits for one' wait_for children_of "$writer"
reader 1
wait $reader
is 'the next reader gets the message that found no reader' b "$(cat got)"
reader 1
printf 'c\nd\ne\n' >&9
wait $reader
echo f >&9
ok 'fifow waits when its reader has left with messages unread' wait_for children_of "$writer"
reader 3
wait $reader
is 'the next reader gets the messages that the reader before left' 'd e f' "$(words)"
exec 9>&-
wait $writer

reader 2
box fifow --generate -n 2 -i 10ms f 2>err
wait $reader
is 'fifow --generate sends the names of the tutorial' 'xiaoming0001 xiaoming0002' "$(words)"
like 'fifow --generate says what it sends, without messages' 'fifow: no message*xiaoming0001*' "$(cat err)"
uptime() { tr -d . </proc/uptime | cut -d ' ' -f 1; } # in centiseconds
start=$(uptime)
reader 4
run box fifow -i 100ms f 1 2 3 4
wait $reader
ok 'fifow -i keeps an interval between messages' test $(($(uptime) - start)) -ge 29

spawn fifow -u --create=0640 g x &
writer=$!
ok 'fifow --create makes the FIFO' wait_for test -p g
is 'fifow --create=0640 makes the FIFO with that mode' 640 "$(stat -c %a g)"
kill $writer; wait $writer
is 'SIGTERM ends a waiting fifow with 143' 143 $?
ok 'fifow --unlink removes the FIFO that it made' test ! -e g
spawn fifow --create --unlink f x &
writer=$!
wait_for children_of "$writer"
kill $writer; wait $writer
ok 'fifow --unlink keeps a FIFO that was there before' test -p f
gone() { ! grep -q '^State:.[^Z]' "/proc/$child/status" 2>/dev/null; }
left='' hup=HUP
case $(awk '/^SigIgn/ { print $2 }' /proc/self/status) in *[13579bdf]) hup=TERM ;; esac # nohup
for sig in TERM $hup TERM $hup TERM $hup TERM; do
	spawn fifow f x &
	writer=$!
	wait_for children_of "$writer"; child=$(children_of "$writer")
	kill -s $sig $writer; wait $writer
	gone || left="$left $sig"
done
is 'no child outlives a fifow that a signal ends' '' "$left"
spawn fifow f x &
writer=$!
wait_for children_of "$writer"; child=$(children_of "$writer")
kill -9 $writer; wait $writer 2>/dev/null
ok 'no child outlives a fifow that SIGKILL ends' wait_for gone

: >file
run box fifow file x
is 'fifow refuses a file that is not a FIFO' "1 fifow: 'file' is not a FIFO" "$rc $err"
if [ "$(id -u)" = 0 ]; then
	mkdir -m 1777 sticky
	ln -s ../f sticky/link; chown -h 65534 sticky/link
	ln -s ../f sticky/ours
	run box fifow -N sticky/link x
	is "fifow refuses another user's link in a sticky directory" "1 fifow: can't open 'sticky/link': a link on its way belongs to user 65534, in a directory that others can write to" "$rc $err"
	run box fifow -N sticky/ours x
	is 'fifow follows our own link in a sticky directory' 3 "$rc"
else
	skip "fifow refuses another user's link in a sticky directory" 'not root'
fi
run box fifow nope x
like 'fifow names --create where there is no FIFO' "1 fifow: can't open 'nope' (--create makes it): *" "$rc $err"
for args in '' '-n 0 f a' '-n x f a' '-F x f a' '-t -1 f a' '--create=8 f a' '-x' '-r f a' '-r -i 1 f'; do
	run box fifow $args
	is "usage: fifow $args" 2 "$rc"
done
