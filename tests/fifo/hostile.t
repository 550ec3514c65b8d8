#!/bin/sh
. "${0%/*}/../tap.sh"

# Writers that want fifor to use up memory or processor time. Memory is the peak that the kernel
# reports. Two times of one run are compared only where a slow way takes at least 50 times as long.
if ! command -v python3 >/dev/null; then
	skip 'hostile writers do not stop fifor' 'no python3'
	exit
fi
mkfifo f
cat >hostile.py <<'END'
import array, fcntl, os, struct, subprocess, sys, termios, time, zlib
box = sys.argv[1].split()
def part(writer, run, seq, text=b'', total=None):
    head = struct.pack('<4sIIHHIII', b'IPF\2', len(text) if total is None else total, 0, len(text), 0,
        writer, run, seq)
    return head + struct.pack('<I', zlib.crc32(text, zlib.crc32(head))) + text
class Reader:
    """fifor, and the end of the FIFO that this program writes to"""
    def __init__(self, *args):
        self.err = open('err', 'w+b')
        self.child = subprocess.Popen(box + ['fifor', '-t', '60', '-e', 'exit', *args, 'f'],
            stdout=subprocess.DEVNULL, stderr=self.err)
        self.to = open('f', 'wb', 0)
    def send(self, parts):
        buf = bytearray()
        for p in parts:
            buf += p
            if len(buf) > 60000:
                self.to.write(buf)
                buf.clear()
        self.to.write(buf)
        unread = array.array('i', [1])
        while fcntl.ioctl(self.to, termios.FIONREAD, unread) == 0 and unread[0] and self.child.poll() is None:
            time.sleep(0.01)
    def peak(self):
        """The peak of the memory in KiB"""
        for line in open('/proc/%d/status' % self.child.pid):
            if line.startswith('VmHWM:'): return int(line.split()[1])
    def spent(self):
        """User time in seconds"""
        return int(open('/proc/%d/stat' % self.child.pid).read().split()[13]) / os.sysconf('SC_CLK_TCK')
    def end(self):
        """The lines on stderr"""
        self.to.close()
        self.child.wait()
        self.err.seek(0)
        return self.err.read().decode().splitlines()
exec(sys.argv[2])
END
hostile() { python3 hostile.py "$EMULATOR $IPCBOX" "$1" 2>&1; }

name='the memory of fifor stays, however many writers come, and fifor says that it forgets some'
if grep -q VmHWM /proc/self/status; then
	is "$name" \
	'fifor: more than 65536 writers: a loss can go unseen' "$(hostile '
r = Reader("-F", "len")
r.send(part(n, 1, 1) for n in range(70000))
first = r.peak()
r.send(part(n, 2, 1) for n in range(250000))
second = r.peak()
if second - first > 1024: print("it grew from %d to %d KiB" % (first, second))
print(*r.end(), sep="\n")')"
else
	skip "$name" 'no VmHWM in /proc/PID/status'
fi
is 'fifor knows 65536 writers, and sees the loss of each' '65536' "$(hostile '
r = Reader("-F", "len")
r.send(part(n, 1, seq) for seq in (1, 3) for n in range(65536))
print(sum("lost=1 " in line for line in r.end()))')"
is 'a writer that fifor hears again and again is not forgotten' 'lost=1 writer=7' "$(hostile '
r = Reader("-F", "len")
r.send(part(*p) for n in range(200000) for p in ([(7, 7, 1 + n // 1000)] if n % 1000 == 0 else []) + [(n, 1, 1)])
r.send([part(7, 7, 202)])
print(*(line[7:] for line in r.end() if "lost" in line))')"
is 'a message that one of 70000 writers leaves open is cut off and counted' '70000' "$(hostile '
r = Reader()
r.send(part(n, 1, 1, b"x", 2) for n in range(70000))
print(sum("cut=1 " in line for line in r.end()))')"
# Their lower bits are the same, so that a simple table has them all in one place.
ok 'writers with chosen numbers cost fifor at most 5 times what others cost' hostile '
def cost(step):
    r = Reader("-F", "len", "-q")
    r.send(part(n * step % 2**32, n * step >> 32, 1) for n in range(60000))
    spent = r.spent()
    r.end()
    return spent
usual, chosen = cost(1), cost(1 << 16)
print(usual, chosen)
assert chosen < 5 * usual + 0.1'
ok 'open messages above 64 MiB cost fifor at most 5 times what those below it cost' hostile '
r = Reader("-F", "len", "-q")
def cost(run, count):
    before = r.spent()
    r.send(part(n, run, 1, b"x" * 1500, 2000) for n in range(count))
    return r.spent() - before
below = cost(1, 10000)
cost(2, 40000)
above = cost(3, 10000)
print(below, above)
assert above < 5 * below + 0.1'
