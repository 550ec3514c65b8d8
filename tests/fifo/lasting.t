#!/bin/sh
. "${0%/*}/../tap.sh"

# What exit 0 means, readers that take turns, best effort, and names that move.
spawn() { exec $EMULATOR "$IPCBOX" "$@"; }
mkfifo f
seq 20 | box fifow --drain f - & writer=$!
for n in $(seq 20); do box fifor -n 1 -t 10 -o plain f; done >got
wait $writer
is '--drain: each of 20 readers of one message gets one' "0 $(seq 20 | xargs)" "$? $(xargs <got)"
spawn fifow --drain=10 f a b 2>err & writer=$!
box fifor -n 1 -t 10 f >got
wait $writer
is '--drain: what the last reader leaves is exit 3' \
	"3 fifow: 2 bytes in 'f' are unread, and the last reader has left" "$? $(cat err)"
rm f; mkfifo f # Some kernels keep a queue that nobody has open.
exec 9<>f
run box fifow --drain=100ms f a
is '--drain: a reader that does not read is exit 124' "124 fifow: timed out: 2 bytes in 'f' are unread" "$rc $err"
exec 9>&-

# A FIFO that nobody has open: what ends a command late may still have the first one.
rm f; mkfifo f
seq 5 >five
run box fifow -N -E drop --stats f - <five
is 'best effort without a reader ends with stdin, and counts' \
	'0 fifow: messages=0 bytes=0 dropped=5 reconnects=0 waits=0' "$rc $err"
run box fifow f </dev/null
is 'an empty standard input sends nothing' '0 ' "$rc $err"

exec 9<>f
seq 100 | box fifow f -
readers=
for n in 1 2 3 4 5 6 7 8 9 10; do spawn fifor -n 10 -o plain -t 10 f >got.$n & readers="$readers $!"; done
wait $readers
is 'ten readers at a time take ten messages each, and none twice' "$(seq 100 | xargs)" "$(cat got.* | sort -n | xargs)"
printf abcdef >&9
is '--bytes takes so many and leaves the rest' 'ab cdef' "$(box fifor -r --bytes 2 f) $(box fifor -r --bytes 4 f)"
exec 9>&-

# Messages that are longer than the pipe come in parts, mixed with each other. Some kernels keep the
# size of a pipe that nobody has open: fifor -r has set it to a megabyte.
rm f; mkfifo f
mkdir sent; writers=
exec 9<>f
for n in 1 2 3 4 5 6; do
	yes $n | tr -d '\n' | head -c 300000 >sent/$n
	spawn fifow -L f - <sent/$n & writers="$writers $!"
done
: >got; : >err
while [ "$(wc -c <got)" -lt 1800006 ] && [ ! -s err ]; do box fifor -n 1 -t 5 -o plain f >>got 2>>err; done
wait $writers
is 'readers of one message each lose none that comes in parts between' "1800006 6 " \
	"$(wc -c <got) $(awk 'length == 300000' got | sort -u | wc -l) $(cat err)"
spawn fifow -L f - <sent/1 & writer=$!
full() { [ "$(box pipecap -g -f f | cut -f 3)" -gt 60000 ]; }
wait_for full
kill -KILL $writer; wait $writer 2>/dev/null
box fifow -t 10 f short & writer=$!
run box fifor -n 1 -t 10 f
wait $writer
like 'a message whose writer was killed does not keep a reader with --count' \
	'0 read:short fifor: cut=*' "$rc $out $err"
exec 9>&-

# moved NAME COMMAND...: a reader of d/f that waits while the command gives the name to another FIFO
moved() {
	name=$1; shift
	rm -rf d d.old; mkdir d; mkfifo d/f
	spawn fifor -n 1 -t 10 d/f >got & reader=$!
	wait_for sh -c "ls -l /proc/$reader/fd | grep -q inotify"
	"$@"
	run box fifow -t 10 d/f hi
	wait $reader
	is "a reader follows a name: $name" '0 0 read:hi' "$rc $? $(cat got)"
}
away() { mv d d.old; mkdir d; mkfifo d/f; }
anew() { rm -rf d; mkdir d; mkfifo d/f; }
moved 'its directory was moved away' away
moved 'its directory was made anew' anew
