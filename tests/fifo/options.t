#!/bin/sh
. "${0%/*}/../tap.sh"

# The options that decide what happens when the other end is missing, slow or gone.
spawn() { exec $EMULATOR "$IPCBOX" "$@"; }
mkfifo f in
seq 100000 >many

run box fifow -N f a
is 'fifow --nonblock without a reader is exit 3' "3 fifow: 'f' has no reader" "$rc $err"
mkfifo full; exec 7<>full
run box fifow -N full - <many
is 'fifow --nonblock into a full pipe is exit 3' "3 fifow: 'full' is full" "$rc $err"
exec 7>&-

# lonely POLICY: a writer whose reader leaves after the first message
lonely() {
	spawn fifow --stats -J -E "$1" f - <in 2>err &
	writer=$!
	exec 9>in
	spawn fifor -n 1 f >got & reader=$!
	echo a >&9
	wait $reader
	printf 'b\nc\n' >&9
	exec 9>&-
	wait $writer
}
lonely drop
is 'fifow --on-epipe=drop is exit 0 when its reader leaves' 0 $?
is 'fifow --on-epipe=drop counts the dropped messages' \
	'{"applet":"fifow","messages":1,"bytes":1,"dropped":2,"reconnects":0,"waits":W}' "$(sed 's/"waits":[01]/"waits":W/' err)"
lonely fail
is 'fifow --on-epipe=fail is exit 1 when its reader leaves' "1 fifow: the last reader of 'f' has left" "$? $(head -n 1 err)"

spawn fifor --stats f >got 2>err & reader=$!
box fifow f abc
ok 'fifor --stats prints the message that came' wait_for test -s got
kill -USR1 $reader
ok 'SIGUSR1 prints a status line' wait_for grep -q 'fifor: messages=1 bytes=3 dropped=0' err
kill $reader; wait $reader
is 'a fifor that got SIGUSR1 lives until SIGTERM' 143 $?
is 'fifor --stats prints the status line once more at the end' 2 "$(wc -l <err)"

mkfifo size; exec 7<>size
run box fifow -z 131072 size a
if [ "$rc" = 0 ]; then
	size=$(python3 -c 'import fcntl; print(fcntl.fcntl(7, 1032))' 2>/dev/null || echo 131072)
	is 'fifow --pipe-size sets the size of the pipe' 131072 "$size"
else
	skip 'fifow --pipe-size sets the size of the pipe' "$err"
fi
run box fifow -v -z max size b
like 'fifow -z max takes the size that the kernel grants' "0 *fifow: 'size' holds * bytes" "$rc $err"
exec 7>&-
for args in '-z 0 f a' '-z x f a' '-E x f a' '-F x f a'; do
	run box fifow $args
	is "usage: fifow $args" 2 "$rc"
done

# Raw bytes, by splice(2) and without it.
start() { spawn fifor -t 10 -e exit -r f >"$1" 2>err & reader=$!; }
head -c 3000000 /dev/urandom >data
start got
box fifow -r f <data; wait $reader
ok 'fifow -r and fifor -r pass a file on' cmp data got
spawn fifor -e exit -r f >>added & reader=$!
tail -c +1 data | box fifow -r f; wait $reader
ok 'fifow -r reads a pipe, fifor -r appends to a file' cmp data added
box fifow -r f <data & writer=$!
dd if=f bs=1000 count=1000 iflag=fullblock 2>/dev/null >got
start rest
wait $writer $reader
cat rest >>got
ok 'the next reader gets the rest of raw bytes when a reader has left' cmp data got
if has_strace; then
	start got
	ASAN_OPTIONS=detect_leaks=0 timeout 20 strace -o calls -e trace=splice -e inject=splice:error=EINVAL "$IPCBOX" fifow -r f <data; wait $reader
	ok 'fifow -r sends a file without splice(2)' cmp data got
	start got
	ASAN_OPTIONS=detect_leaks=0 timeout 20 strace -o calls -e trace=fcntl -e inject=fcntl:error=EINVAL:when=2+ "$IPCBOX" fifow f a b; wait $reader
	ok 'fifow sends lines where the kernel has no packets' cmp -s got - <<-EOF
	a
	b
	EOF
	# A reader comes after the message, has left again when fifow opens the FIFO, and stays away.
	(sleep 0.1; : <f) &
	echo late | timeout 10 strace -o calls -e inject=open:error=ENXIO:when=2+ "$IPCBOX" fifow -t 300ms f - 2>err
	is 'fifow -t counts from the first message of stdin, though a reader comes and leaves' \
		"124 fifow: timed out: 'f' has no reader" "$? $(cat err)"
else
	skip 'fifow -r sends a file without splice(2)' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
fi

# Another FIFO under the name: both ends go there.
mkfifo r
spawn fifor -o plain r >got 2>err & reader=$!
echo old >r
wait_for grep -q old got
rm r; mkfifo r
box fifow -t 10 r made-again
ok 'a reader notices a FIFO that was made again' wait_for grep -q made-again got
mkfifo new; mv new r
box fifow -t 10 r renamed
ok 'a reader notices a FIFO that was renamed to the name' wait_for grep -q renamed got
kill $reader; wait $reader
mkfifo here elsewhere; ln -s here link
spawn fifor -o plain link >got 2>err & reader=$!
exec 9<>here # no end of file makes it look
echo one >&9
wait_for grep -q one got
ln -sfn elsewhere link
box fifow -t 10 link two
ok 'a reader notices that a link points to another FIFO' wait_for grep -q two got
exec 9<&-
kill $reader; wait $reader
spawn fifow r hello & writer=$!
wait_for children_of "$writer"
rm r; mkfifo r
run box fifor -t 10 -n 1 r
is 'a waiting writer notices a FIFO that was made again' '0 read:hello' "$rc $out"
wait $writer

# A writer that stays while its FIFO is replaced: it does not know, and loses nothing.
spawn fifor -o plain r >got & reader=$!
spawn fifow --stats -J r - <in 2>err & writer=$!
exec 9>in
echo before >&9
wait_for grep -q before got
rm r; mkfifo r
box fifow -t 10 r new
cat many >&9; exec 9>&-
wait $writer
is 'a writer to the FIFO that was replaced loses nothing' '0 100001' "$? $(grep -o '"messages":[0-9]*' err | cut -d : -f 2)"
box fifow -t 10 r last
ok 'the FIFO that was replaced is read beside the new one' wait_for grep -q last got
(echo before; echo new; cat many; echo last) | sort >wanted
sort got >sorted
ok 'all messages for both FIFOs come' cmp wanted sorted
[ -n "$EMULATOR" ] || ok 'fifor closes the FIFO that was replaced when its writers have left' test -z "$(ls -l /proc/$reader/fd | grep deleted)"
kill $reader; wait $reader
spawn fifow -E drop -F line --stats -J r - <in 2>err & writer=$!
exec 9>in
head -n 1 r >got 9>&- & echo one >&9; wait $!
: >got
rm r; mkfifo r; cat r >got 9>&- & reader=$!
again() { echo more >&9; test -s got; }
wait_for again
exec 9>&-; wait $writer; wait $reader
is '--on-epipe=drop: the new one is found' more "$(sort -u got)"

if has_strace; then
	strace -f -o calls "$IPCBOX" fifow -t 1 f x 2>err
	is 'a writer waits twice for a reader: until it watches the name, and then to the end' 2 "$(grep -c 'poll(' calls)"
else
	skip 'a writer waits twice for a reader' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
fi
