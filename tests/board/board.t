#!/bin/sh
# The board file, byte for byte, and what becomes of it when bytes are wrong.
. "${0%/*}/../tap.sh"

if ! command -v python3 >/dev/null; then
	skip 'the board has the documented format' 'no python3'
	exit
fi
cat >board.py <<'END'
import struct, sys, zlib

class Board:
    """A decoder of its own, out of the format's description."""
    def __init__(self, path):
        self.data = d = open(path, 'rb').read()
        assert d[:8] == b'\x89IPBB\r\n\x1a', 'magic'
        self.e = e = '<' if d[8] == 4 else '>'
        (bom, self.major, self.minor, self.header_size, self.flags, self.nslots, self.stride, self.record_size,
            schema_len, schema_crc, header_crc) = struct.unpack_from(e + 'IHH8I', d, 8)
        assert bom == 0x01020304 and self.major == 1
        assert header_crc == zlib.crc32(d[:44] + bytes(4) + d[48:64]), 'header_crc'
        self.boot_id = d[48:64].hex()
        self.seq, self.state, self.pid, self.generation, self.start = struct.unpack_from(e + 'IIIIQ', d, 64)
        assert d[88:128] == bytes(40), 'reserved'
        self.schema = d[128:128 + schema_len].decode()
        assert zlib.crc32(self.schema.encode()) == schema_crc, 'schema_crc'
        assert self.header_size % 64 == 0 and self.stride % 64 == 0
        assert len(d) == self.header_size + self.nslots * self.stride, 'size'
        at = self.header_size + (self.seq & (self.nslots - 1)) * self.stride
        self.n, crc, self.publications, self.boottime, self.realtime = struct.unpack_from(e + 'IIQQQ', d, at)
        self.record = d[at + 32:at + 32 + self.record_size]
        assert self.seq == 0 or zlib.crc32(self.record) == crc, 'crc'
END
show() { python3 -c 'from board import *; import sys; b = Board(sys.argv[1]); print(eval(sys.argv[2]))' "$@"; }

box mmapw b id=10 name='xiao bai' sex=M
box mmapw b id=11
is 'the file holds the schema with its offsets' 'id:i32@0,name:str20@4,sex:char@24' "$(show b b.schema)"
is 'the file holds the number of the publication three times' '2 2 2' "$(show b 'str(b.seq)+" "+str(b.n)+" "+str(b.publications)')"
is 'the header holds slots, sizes and flags' '(2, 28, 192, 0)' "$(show b '(b.nslots, b.record_size, b.header_size, b.flags)')"
is 'the record of the default schema is the C struct' True \
	"$(show b 'b.record == struct.pack(b.e + "i20sc3x", 11, b"xiao bai", b"M")')"
is 'the header says that the second writer ended in order' '(2, 2)' "$(show b '(b.state, b.generation)')"
is 'the slot holds the time of its publication' True "$(show b '(lambda t: abs(t.time_ns() - b.realtime) < 60e9 and
	0 < t.clock_gettime_ns(t.CLOCK_BOOTTIME) - b.boottime < 60e9)(__import__("time"))')"
if [ -r /proc/sys/kernel/random/boot_id ]; then
	is 'the header holds the boot_id of this boot' "$(tr -d - </proc/sys/kernel/random/boot_id)" "$(show b b.boot_id)"
fi
box mmapw -S a:u8,b:u64,c:u16 -c 3 -i 1ms c a=1
is 'numbers stand at multiples of their size, on i386 too' '(24, "a:u8@0,b:u64@8,c:u16@16")' "$(show c '(b.record_size, b.schema)' | tr \' \")"
$EMULATOR "$IPCBOX" mmapw -i 100s live &
pid=$!
wait_for box mmapr -1 live
[ -n "$EMULATOR" ] || is 'the header holds the state and the start of a live writer' "(1, $(cut -d' ' -f'22' /proc/$pid/stat))" "$(show live '(b.state, b.start)')"
kill -KILL $pid
wait $pid 2>/dev/null
is 'a writer that was killed leaves state 1' 1 "$(show live b.state)"

# Every byte of a small board, flipped in turn: a right record or exit 5.  What the reader
# prints is the record of one publication, whole; seq flipped may name the one before.
cat >flip.py <<'END'
import os, subprocess, sys
box, bits = sys.argv[1].split(), int(sys.argv[2])
good = open('f', 'rb').read()
right = {b'id=12\t name=xiao bai\t sex=M\n', b'id=11\t name=xiao bai\t sex=M\n'}
bad = []
for i in range(len(good)):
    data = bytearray(good)
    data[i] ^= bits
    open('g', 'wb').write(data)
    p = subprocess.run(box + ['mmapr', '-1', 'g'], capture_output=True, timeout=20)
    if not (p.returncode == 0 and p.stdout in right and not p.stderr
            or p.returncode == 5 and not p.stdout and p.stderr.startswith(b"mmapr: 'g' is damaged: ")):
        bad.append((i, p.returncode, p.stdout, p.stderr))
print(bad)
END
box mmapw -c 3 -i 1ms f
for bits in 255 1; do
	is "mmapr prints a right record or is exit 5 for each byte flipped (^ $bits)" '[]' "$(python3 flip.py "$EMULATOR $IPCBOX" $bits)"
done

# What follows makes boards in this machine's byte order.
if [ "$(show b 'b.e == dict(little="<", big=">")[__import__("sys").byteorder]')" = False ]; then
	skip 'hostile headers, floats, the other byte order, seq wraps' 'emulated with another byte order'
	exit
fi

# Each field of the header wrong, with CRCs that are right again.
cat >hostile.py <<'END'
import struct, subprocess, sys, zlib
box = sys.argv[1].split()
good = bytearray(open('f', 'rb').read())
def crc(d):
    d[44:48] = bytes(4)
    d[44:48] = struct.pack('=I', zlib.crc32(d[:64]))
def schema(text):
    d = bytearray(good)
    d[36:40] = struct.pack('=I', len(text))
    d[40:44] = struct.pack('=I', zlib.crc32(text))
    d[128:128 + len(text)] = text
    crc(d)
    return d[:len(good)]
def word(at, value, size=4):
    d = bytearray(good)
    d[at:at + size] = struct.pack('=I' if size == 4 else '=H', value)
    crc(d)
    return d
boards = [word(at, v) for at in (8, 16, 24, 28, 32, 36) for v in
    (0, 1, 3, 31, 63, 64, 65, 127, 128, 129, 1 << 10, 1 << 16, 1 << 24, 1 << 31, (1 << 32) - 64, (1 << 32) - 1)]
boards += [word(12, v, 2) for v in (0, 2, 65535)]
boards += [schema(t) for t in (b'', b'id:i32@25', b'id:i32@4294967295', b'a:i32@4,b:i32@0', b'\0', b'id:i32\0', b'id', b'id:str29@0',
    b'id:i8[29]', b'id:i8[4294967297]', b'id:i64@24', b'\033[2J:i8', b'id:i8,id:i8', b'x' * 64, b',' * 64)]
# What no CRC covers: seq, the writer's words, the reserved ones.
boards += [word(at, v) for at in range(64, 128, 4) for v in (0, 1, 2, 4, 5, 1 << 31, (1 << 32) - 1)]
# Each word of the head of the slot that counts, and of the other.
boards += [word(at, v) for slot in (192, 256) for at in range(slot, slot + 32, 4) for v in (0, 1, 2, 4, 5, 1 << 31, (1 << 32) - 1)]
# Another boot's, where the slots are searched.
def other_boot(d):
    d = bytearray(d)
    if len(d) > 64:
        d[48] ^= 1
        crc(d)
    return d
boards += [other_boot(d) for d in boards]
boards += [bytes(good[:n]) for n in range(0, len(good), 7) if n != 28]
bad = []
for i, d in enumerate(boards):
    open('g', 'wb').write(d)
    p = subprocess.run(box + ['mmapr', '-1', 'g'], capture_output=True, timeout=20)
    right = p.returncode == 0 and p.stdout in (b'id=12\t name=xiao bai\t sex=M\n', b'id=11\t name=xiao bai\t sex=M\n')
    # seq 0 is a board where nothing was published yet, and slot 0 was not used then
    nothing = p.returncode == 3 and p.stderr == b"mmapr: nothing is published in 'g' yet\n"
    damaged = p.returncode == 5 and not p.stdout and b'\033' not in p.stderr and p.stderr.startswith(b"mmapr: 'g' is damaged: ")
    if not right and not damaged and not nothing:
        bad.append((i, p))
    p = subprocess.run(box + ['mmapw', 'g', 'id=13'], capture_output=True, timeout=20)
    if p.returncode not in (0, 1, 5) or not p.stderr != (p.returncode == 0) or p.stderr.count(b'\n') > 1:
        bad.append(('mmapw', i, p))
print(bad[:9])
END
is 'mmapr and mmapw survive each field of the header being wrong' '[]' "$(python3 hostile.py "$EMULATOR $IPCBOX")"

# Floats: python parses and prints right, and so must we.
cat >floats.py <<'END'
import random, struct, subprocess, sys
box = sys.argv[1].split()
random.seed(int(sys.argv[2]))
words = ['0', '-0', '.5', '5.', '1e', '0.1', '1e308', '1.7976931348623157e308', '1.7976931348623158e308', '4.9e-324', '2.4703282292062328e-324',
    '2.4703282292062327e-324', '2.2250738585072011e-308', '1e-400', '9007199254740993', '9007199254740992.99999', '1' + '0' * 300,
    '0.' + '0' * 300 + '1', '3.4028235e38', '1e-45', '7.006492321624085e-46', '7.006492321624086e-46', '0e4000', '1e-4000',
    '9007199254740993.' + '0' * 700 + '1', '1' * 900 + 'e-700', '16777217', '1.00000017881393432617187499', '1.00000017881393432617187500']
words += [repr(struct.unpack('d', random.randbytes(8))[0]) for _ in range(700)]
words += ['%d.%de%d' % (random.getrandbits(90), random.getrandbits(20), random.randint(-60, 20)) for _ in range(700)]
words = [w for w in words if 'n' not in w]
def nearest(size, w):
    """The nearest float of either size, exactly; None if it is too large."""
    from fractions import Fraction
    from math import inf
    try: bits = struct.pack('=d', float(w))
    except (ValueError, OverflowError): return None
    if size == 8: return bits if abs(float(w)) != inf else None
    x, (f,) = Fraction(w), struct.unpack('=f', struct.pack('=f', float(w))) if abs(float(w)) < 3.5e38 else (inf,)
    if f == inf: return None
    (n,) = struct.unpack('=I', struct.pack('=f', f))
    near = [struct.pack('=I', m) for m in (n - 1, n, n + 1) if m >= 0 and m & 0x7F800000 != 0x7F800000 and (m ^ n) >> 31 == 0]
    return min(near, key=lambda b: (abs(Fraction(struct.unpack('=f', b)[0]) - x), b[0] & 1 if sys.byteorder == 'little' else b[3] & 1))
bad = []
for size in 4, 8:
    lines, wanted = [], []
    for w in words:
        try:
            b = nearest(size, w)
        except (OverflowError, ValueError):
            b = None
        lines.append('x=0\nx=%s\n' % w)
        wanted.append(bytes(size) if b is None else b)
    name = 'float%d' % size
    subprocess.run(box + ['mmapw', '-n', str(1 << 13), '-S', 'x:f%d' % (8 * size), name, '-'], input=''.join(lines).encode(), stderr=subprocess.DEVNULL)
    data = open(name, 'rb').read()
    head, stride = struct.unpack_from('=I', data, 16)[0], struct.unpack_from('=I', data, 28)[0]
    n = 0
    for w, b in zip(words, wanted):
        n += 1 if b == bytes(size) and nearest(size, w) is None else 2
        got = data[head + n * stride + 32:][:size]
        if got != b: bad.append((size, w[:40], got.hex(), b.hex()))
    out = subprocess.run(box + ['mmapr', '-H', '-F', '%{x}\n', name], capture_output=True).stdout.decode().split()
    for i, text in enumerate(out):
        number = struct.unpack_from('=d' if size == 8 else '=f', data, head + (i + 1) * stride + 32)[0]
        if struct.pack('=d' if size == 8 else '=f', float(text)) != data[head + (i + 1) * stride + 32:][:size]: bad.append(('print', text, number))
        if size == 8 and abs(number) > 1e-300 and len(text) > len(repr(number)) + 2: bad.append(('long', text, number))
print(len(out) > 2000, bad)
END
is 'mmapw parses and mmapr prints floats to the nearest bit' '(True, [])' "($(python3 floats.py "$EMULATOR $IPCBOX" "$(date +%j)" | sed 's/ /, /'))"
box mmapw -S 'a:f32[3],b:f64' inf a=inf,-inf,nan b=-0
is 'mmapr -J prints inf and nan as null' '{"a":[null,null,null],"b":-0}' "$(box mmapr -1J inf)"
is 'mmapr prints inf and nan for people' 'a=inf,-inf,nan	 b=-0' "$(box mmapr -1 inf)"

# A board of the other byte order, as its machine would have made it.
cat >swap.py <<'END'
import struct, sys, zlib
d = bytearray(open(sys.argv[1], 'rb').read())
head, = struct.unpack_from('=I', d, 16); n, stride, size, text = struct.unpack_from('=4I', d, 24)
def turn(at, width, count=1):
    for i in range(at, at + width * count, width):
        d[i:i + width] = d[i:i + width][::-1]
other = '>' if sys.byteorder == 'little' else '<'
turn(8, 4); turn(12, 2, 2); turn(16, 4, 7); turn(64, 4, 4); turn(80, 8)
d[44:48] = bytes(4)
d[44:48] = struct.pack(other + 'I', zlib.crc32(d[:64]))
for s in range(head, head + n * stride, stride):
    for at, width, count in eval(sys.argv[3]):
        turn(s + 32 + at, width, count)
    turn(s, 4); turn(s + 8, 8, 3)
    d[s + 4:s + 8] = struct.pack(other + 'I', zlib.crc32(d[s + 32:s + 32 + size]))
open(sys.argv[2], 'wb').write(d)
END
box mmapw -S 'a:i16,b:u32[2],s:str5,c:i64,f:f64' native a=-2 b=1,4000000000 s=abc c=-5 f=0.1
box mmapw native a=-3
python3 swap.py native other '((0, 2, 1), (4, 4, 2), (24, 8, 1), (32, 8, 1))'
is 'the decoder of this test reads the other byte order' 'a:i16@0,b:u32[2]@4,s:str5@12,c:i64@24,f:f64@32' "$(show other b.schema)"
is 'mmapr reads the other byte order' "$(box mmapr -1 -F '%{seq} %{a} %{b} %{s} %{c} %{f} %{time}' native)" \
	"$(box mmapr -1 -F '%{seq} %{a} %{b} %{s} %{c} %{f} %{time}' other)"
run box mmapr --check other
is 'mmapr --check reads the other byte order' '0 ' "$rc $err"
run box mmapw other a=1
is 'mmapw refuses the other byte order' "1 mmapw: can't write 'other': it is in another machine's byte order" "$rc $err"
run box mmapr -w -t 50ms other
is 'mmapr -w waits at a board of the other byte order' 124 "$rc"

# A build for 32 bits, where there is one, and this one: each reads and wakes the other.
: "${NARROW:=$top/obj/i386/ipcbox}"
if "$NARROW" --version >/dev/null 2>&1; then
	schema='a:u8,b:u64,c:i16[3],d:f64,e:str5,f:i64@64,g:f32'
	"$NARROW" mmapw -S $schema narrow a=1 b=18446744073709551615 c=-1,2,3 d=0.1 e=abc f=-5 g=1e-45
	box mmapw -S $schema wide a=1 b=18446744073709551615 c=-1,2,3 d=0.1 e=abc f=-5 g=1e-45
	is 'mmapr reads what a 32-bit mmapw wrote' "$(box mmapr -1 wide)" "$(box mmapr -1 narrow)"
	is 'a 32-bit mmapr reads what mmapw wrote' "$(box mmapr -1 wide)" "$("$NARROW" mmapr -1 wide)"
	"$NARROW" mmapr -w -o a,seq wide >lines &
	pid=$!
	wait_for grep -q '^State:.S' /proc/$pid/status
	box mmapw wide a=2
	wait $pid
	is 'mmapw wakes a 32-bit mmapr' '0 a=2	 seq=2' "$? $(cat lines)"
	$EMULATOR "$IPCBOX" mmapr -w -o a,seq wide >lines &
	pid=$!
	wait_for grep -q '^State:.S' /proc/$pid/status
	"$NARROW" mmapw wide a=3
	wait $pid
	is 'a 32-bit mmapw wakes mmapr' '0 a=3	 seq=3' "$? $(cat lines)"
else
	skip '32-bit and 64-bit programs share a board' 'no 32-bit build: make cross ARCH=i386'
fi

# seq wraps: publication 0 is one as any other.
cat >wrap.py <<'END'
import struct
d = bytearray(open('f', 'rb').read())
d[64:68] = struct.pack('=I', 0xFFFFFFFE)
for at, n in (192, 0xFFFFFFFE), (256, 0xFFFFFFFD):
    d[at:at + 4] = struct.pack('=I', n)
    d[at + 8:at + 16] = struct.pack('=Q', n)
open('wrap', 'wb').write(d)
END
box mmapw -n 2 -i 1ms -c 4 f
python3 wrap.py
for n in 4294967295 4294967296 4294967297; do
	$EMULATOR "$IPCBOX" mmapr -w -o seq wrap >lines &
	pid=$!
	wait_for grep -q '^State:.S' /proc/$pid/status
	box mmapw wrap id=$((n - 4294967290))
	wait $pid
	is "publication $n wakes a reader" "0 seq=$n" "$? $(cat lines)"
	is "mmapr -1 prints publication $n after seq has wrapped" "id=$((n - 4294967290))" "$(box mmapr -1 -o id wrap)"
done
