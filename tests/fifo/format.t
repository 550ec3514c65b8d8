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

	# Frames at random: parts that are lost, double, cut or damaged, numbers that come again or are
	# left out, and other bytes between them.
	cat >random.py <<'END'
import random, struct, sys, zlib
rng = random.Random(int(sys.argv[1]))
def part(run, writer, seq, length, offset, text):
    head = struct.pack('<4sIIHHIII', b'IPF\2', length, offset, len(text), 0, writer, run, seq)
    return head + struct.pack('<I', zlib.crc32(text, zlib.crc32(head))) + text
def message(run, writer, seq):
    most = 4096 - 32
    text = bytes(rng.choices(b'abIPF\2\n', k=rng.choice((0, 1, 5, 100, most, most + 1, 9000))))
    parts = [part(run, writer, seq, len(text), at, text[at:at + most]) for at in range(0, len(text) or 1, most)]
    at, fault = rng.randrange(len(parts)), rng.randrange(20)
    if fault == 0: del parts[at]
    elif fault == 1: parts.insert(at, parts[at])
    elif fault == 2: parts[at] = parts[at][:rng.randrange(len(parts[at]))]
    elif fault == 3:
        damaged = bytearray(parts[at])
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        parts[at] = bytes(damaged)
    return parts
for run in range(300):
    writers = []
    for writer in range(rng.randint(1, 4)):
        seq, parts = rng.randrange(3), []
        for _ in range(rng.randint(1, 6)):
            seq += rng.choice((0, 1, 1, 1, 2))
            parts += message(run, writer, seq)
        writers.append(parts)
    while any(writers):
        sys.stdout.buffer.write(rng.choice([w for w in writers if w]).pop(0))
        if rng.randrange(10) == 0:
            sys.stdout.buffer.write(rng.choice((b'noise\n', b'IPF\2', b'IPF\2' + bytes(28))))
END
	seed=$(od -An -N3 -tu4 /dev/urandom)
	python3 random.py $((seed)) >stream
	bg fifor -t 60 -e exit -F len -o plain -q f >got
	cat stream >f
	wait "$pid"
	python3 "$top/examples/fifo.py" stream >python
	ok 'examples/fifo.py and fifor read the same in frames at random' sh -c 'test -s got && cmp got python'
	cmp -s got python || echo "# seed $seed"
else
	skip 'examples/fifo.py reads the golden frames as fifor does' 'no python3, or no examples'
fi
