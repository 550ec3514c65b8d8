#!/bin/sh
# A power cut while mmapw --persist publishes.  The disk then holds each page of the file as
# it was at some moment of its own.
. "${0%/*}/../tap.sh"

if ! command -v python3 >/dev/null; then
	skip 'mmapr finds a whole record after a power cut' 'no python3'
	exit
fi

# A record of more pages than one, filled with one number, which shows tearing.  Two copies of
# the file are read page by page, in any order, while it is written; each sector of the mix
# is out of the one or the other.  A machine that boots has another boot_id.
cat >power.py <<'END'
import os, random, struct, subprocess, sys, threading, time, zlib
box, rounds, limit, slots, words = sys.argv[1].split(), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4], 1500
random.seed()
deadline = time.monotonic() + limit
w = subprocess.Popen(box + ['mmapw', '--persist' + sys.argv[5], '-n', slots, '-S', 'a:u32[%d]' % words, 'b', '-'],
    stdin=subprocess.PIPE)
lines = [('a=%s\n' % ','.join([str(n)] * words)).encode() for n in range(1, 60)]
def feed():
    try:
        for n in range(10 ** 9): w.stdin.write(lines[n % len(lines)])
    except OSError: pass
threading.Thread(target=feed, daemon=True).start()
while not os.path.exists('b'): time.sleep(0.001)
fd = os.open('b', os.O_RDONLY)
size = os.fstat(fd).st_size
def copy():
    data, pages = bytearray(size), list(range(0, size, 4096))
    random.shuffle(pages)
    for at in pages: data[at:at + 4096] = os.pread(fd, 4096, at)
    return data
def newest(d):
    """The number of the publication, and the record, of the newest slot that is whole."""
    head, n, stride, length = [struct.unpack_from('=I', d, at)[0] for at in (16, 24, 28, 32)]
    best = 0, None
    for i in range(n):
        at = head + i * stride
        low, crc, publications = struct.unpack_from('=IIQ', d, at)
        record = bytes(d[at + 32:at + 32 + length])
        if publications and low == publications & 0xFFFFFFFF and low % n == i and zlib.crc32(record) == crc:
            best = max(best, (publications, record))
    return best
count = dict(whole=0, torn=0, nothing=0)
bad, done, last = [], 0, 0
while done < rounds and time.monotonic() < deadline and not bad:
    a = copy()
    time.sleep(random.choice((0, 0, 0.001, 0.01)) * random.random())
    b = copy()
    unit = random.choice((512, 4096))
    d = b''.join(bytes(random.choice((a, b))[at:at + unit]) for at in range(0, size, unit))
    d = bytearray(d)
    if random.random() < 0.9:
        d[48] ^= 1
        d[44:48] = bytes(4)
        d[44:48] = struct.pack('=I', zlib.crc32(d[:64]))
    open('c', 'wb').write(d)
    p = subprocess.run(box + ['mmapr', '-1', '-F', '%{seq} %{a}', 'c'], capture_output=True)
    publications, record = newest(d)
    got = p.stdout.decode().split(' ')
    if p.returncode == 0 and d[48] != a[48]: # after another boot: the newest
        right = got == [str(publications), ','.join(map(str, struct.unpack('=%dI' % words, record)))] and len(set(got[1].split(','))) == 1
        count['whole'] += 1
    elif p.returncode == 0: # what the header names
        right = len(set(got[1].split(','))) == 1 and int(got[0]) <= publications
        count['whole'] += 1
    elif p.returncode == 5 and not p.stdout:
        right = d[48] == a[48] or not publications
        count['torn'] += 1
    else:
        # On the same boot the header decides: it may be older than a slot only in such a mixture.
        right = p.returncode == 3 and not p.stdout and d[64:68] == bytes(4) and (d[48] == a[48] or not publications)
        count['nothing'] += 1
    if not right: bad.append((p.returncode, p.stdout[:60], p.stderr, publications))
    if p.returncode == 0 and d[48] != a[48] and random.random() < 0.2: # the writer goes on there
        q = subprocess.run(box + ['mmapw', 'c', 'a=' + ','.join(['7'] * words)], capture_output=True)
        q = subprocess.run(box + ['mmapr', '-1', '-F', '%{seq}', 'c'], capture_output=True)
        if q.stdout.decode() != str(publications + 1): bad.append(('next', publications, q))
    done += 1
w.kill()
print('# %d mixtures: %s' % (done, count), file=sys.stderr)
print('right' if not bad and count['whole'] > done / 4 and done > 20 else (bad[:3], done, count))
END
: "${MIXTURES:=250}"
for how in '2 =each' '8 =each' '2 =5ms' '8 =never'; do
	set -- $how
	rm -f b c
	is "mmapr finds the newest whole record after a power cut with --persist$2 and $1 slots" right \
		"$(timeout 60 python3 power.py "$EMULATOR $IPCBOX" "$MIXTURES" "${POWER_LIMIT:-4}" "$1" "$2" 2>figures)"
	cat figures
done

# Nothing is whole any more: no guess, neither of the reader nor of the writer.
cat >spoil.py <<'END'
import struct, zlib
d = bytearray(open('b', 'rb').read())
d[48] ^= 1
d[44:48] = bytes(4)
d[44:48] = struct.pack('=I', zlib.crc32(d[:64]))
for slot in 192, 256:
    d[slot + 40] ^= 1
open('b', 'wb').write(d)
END
rm -f b
box mmapw -i 1ms -c 3 b
if [ -n "$EMULATOR" ]; then skip 'no slot is whole' 'emulated'; exit; fi
python3 spoil.py
run box mmapr -1 b
is 'mmapr is exit 5 where no slot is whole' "5 mmapr: 'b' is damaged: no slot is whole: remove it to begin anew" "$rc $err"
run box mmapw b id=1
is 'mmapw is exit 5 where no slot is whole' "5 mmapw: 'b' is damaged: no slot is whole: remove it to begin anew" "$rc $err"
