#!/bin/sh
. "${0%/*}/../tap.sh"

# A file of frames that stays as it is: parts of two writers, a line between them, a damaged
# part, a gap, and a message that is cut off. What fifor makes of it, any other reader must, too.
golden=$room/frames.golden
[ -e "$golden" ] || { skip 'the golden frames' 'they are not here'; exit; }
mkfifo f
bg fifor -t 10 -e exit -F len -J f >got 2>err
cat "$golden" >f
wait "$pid"
is 'the golden frames: writers, numbers and losses' '7 1 0,7 2 0,8 1 0,7 3 0,7 6 2,7 8 1' \
	"$(sed -E 's/.*"writer":([0-9]*),"seq":([0-9]*),"lost":([0-9]*).*/\1 \2 \3/' got | paste -s -d, -)"
is 'the golden frames: what is reported' 'resync=7 resync=39 lost=2 writer=7 cut=3 writer=7' "$(sed 's/^fifor: //' err | xargs)"
if command -v python3 >/dev/null && [ -e "$top/examples/fifo.py" ]; then
	bg fifor -t 10 -e exit -F len -o plain -q f >got
	cat "$golden" >f
	wait "$pid"
	ok 'the golden frames: the bytes' python3 -c '
expected = [b"one", b"", b"other", bytes(range(256)) * 32, b"two\nlines", b"last"]
assert open("got", "rb").read() == b"".join(m + b"\n" for m in expected)'
	python3 "$top/examples/fifo.py" "$golden" >python
	ok 'examples/fifo.py reads the golden frames as fifor does' cmp got python
	python3 "$top/examples/fifo.py" f >python & reader=$!
	box fifow -t 10 -F len f "$(printf %0100000d 7)" 'two
lines' ''
	wait $reader
	printf '%0100000d\ntwo\nlines\n\n' 7 >wanted
	ok 'examples/fifo.py reads what fifow sends' cmp wanted python
else
	skip 'examples/fifo.py reads the golden frames as fifor does' 'no python3, or no examples'
fi
