#!/bin/sh
. "${0%/*}/../tap.sh"

# Each writer, each reader, each size: a message arrives whole and once, or its writer refuses it
# before the first byte. Left out is what nobody can promise: writers that are not ours above
# PIPE_BUF, or without a newline where there are several; messages of several lines that end
# with NUL, for the default reader.
if ! command -v python3 >/dev/null; then
	skip 'writers, readers and sizes' 'no python3'
	exit
fi
cat >matrix.py <<'END'
import base64, json, os, random, subprocess, sys, threading
box, pipe_buf = sys.argv[1].split(), os.pathconf('.', 'PC_PIPE_BUF')
random.seed(1)
SIZES = [0, 1, pipe_buf - 1, pipe_buf, pipe_buf + 1, 65536, 100000, 1 << 20]

def make(kind, size, tag):
    """A message of that size that no other one is equal to, if it has room for the tag."""
    if kind == 'text':
        body = b'x' * size
    elif kind == 'lines':
        body = (b'line\n' * (size // 5 + 1))[:size]
    else:
        body = bytes(random.choice([b for b in range(1, 256) if b != 10]) for _ in range(min(size, 997)))
        body = (body * (size // 997 + 1))[:size]
    return (tag + body)[:size]

# The command of a writer, its input, and how it is told several messages.
WRITERS = {
    'default': [], '-F line': ['-F', 'line'], '-F nul': ['-F', 'nul', '-0'], '-F len': ['-F', 'len'],
    '-L': ['-L'], '-L -F line': ['-L', '-F', 'line'],
}
def ours(name, messages, several_lines):
    args = WRITERS[name]
    if several_lines and '-0' not in args:
        args = args + ['-0']
    end = b'\0' if '-0' in args else b'\n'
    return subprocess.Popen(box + ['fifow', '-t', '20', *args, 'f', '-'], stdin=subprocess.PIPE,
        stderr=subprocess.PIPE), b''.join(m + end for m in messages)
def foreign(name, messages):
    """Without a newline, each message has to be taken before the next one comes."""
    end = b'' if name in ('printf', 'tutorial') else b'\n'
    return subprocess.Popen([sys.executable, '-c', '''
import array, fcntl, os, sys, termios
out, unread = os.open("f", os.O_WRONLY), array.array("i", [1])
for m in eval(sys.stdin.buffer.read()):
    os.write(out, m)
    while sys.argv[1] and (fcntl.ioctl(out, termios.FIONREAD, unread), unread[0])[1]: pass''',
        '' if end else 'wait'], stdin=subprocess.PIPE, stderr=subprocess.PIPE), repr([m + end for m in messages]).encode()

def read_all(frame, jobs):
    reader = subprocess.Popen(box + ['fifor', '-J', '-t', '20', '-e', 'exit', '-F', frame, 'f'], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    hold = os.open('f', os.O_WRONLY) # no end of file before all writers are done
    jobs = [job() for job in jobs]
    codes = [None] * len(jobs)
    def feed(i, p, data):
        codes[i] = (None, p.communicate(data)[1])
        codes[i] = (p.returncode, codes[i][1])
    threads = [threading.Thread(target=feed, args=(i, *job)) for i, job in enumerate(jobs)]
    for t in threads: t.start()
    def finish():
        for t in threads: t.join()
        os.close(hold)
    t = threading.Thread(target=finish)
    t.start()
    out, err = reader.communicate()
    t.join()
    got = []
    for line in out.splitlines():
        m = json.loads(line)
        got.append(m['data'].encode() if 'data' in m else base64.b64decode(m['data_b64']))
    return got, codes, reader.returncode, err

def limit(writer):
    return pipe_buf - (writer in ('default', '-F line', '-F nul', 'echo'))
def refuses(writer, kind, size):
    if writer in ('-F len', '-L', '-L -F line'): return False
    return size > limit(writer)

bad = []
def cell(writers, frame, kind, size, count):
    sent, jobs, expect = [], [], []
    # gVisor reports the end of an earlier cell's writers, so fifor would take a writer that sends
    # nothing for no writer.
    os.unlink('f')
    os.mkfifo('f')
    for i, w in enumerate(writers):
        messages = [make(kind, size, b'%d.%d.' % (i, n)) for n in range(count)]
        if w in WRITERS:
            jobs.append(lambda w=w, m=messages: ours(w, m, kind == 'lines'))
        else:
            jobs.append(lambda w=w, m=messages: foreign(w, m))
        refused = w in WRITERS and (refuses(w, kind, size)
            or (kind == 'lines' and w in ('-F line', '-L -F line') and size > 4))
        expect.append(refused)
        sent += [] if refused else messages
    got, codes, rc, err = read_all(frame, jobs)
    if rc or sorted(got) != sorted(sent) or [bool(c[0]) for c in codes] != expect or err:
        bad.append(f'{writers} -> {frame}, {kind} of {size}: {len(got)} of {len(sent)} came, '
            f'lengths {[len(g) for g in got][:6]}, writers {codes}, reader {rc} {err[:80]}')

cells = 0
for kind in 'text', 'lines', 'binary':
    for size in SIZES:
        groups = []
        for w in WRITERS:
            if not (w == '-F nul' and kind == 'lines'):
                groups += [([w], 'auto'), ([w] * 3, 'auto')]
            if w.startswith('-F'):
                groups += [([w] * n, w[3:]) for n in (1, 3)]
        groups += [(['-L -F line'] * n, 'line') for n in (1, 3)]
        groups += [(['default', '-L', '-F len'], 'auto'), (['-L'] * 2 + ['-F len'], 'auto')]
        if kind != 'lines':
            groups += [(['default', '-F nul', '-F line'], 'auto')]
            groups += [(['default', '-L', 'echo'], 'auto')] if size < pipe_buf else [(['echo'], 'auto')]
            groups += [(['echo'] * 3, 'auto')] if size < pipe_buf else []
            groups += [(['printf'], 'auto')] if 0 < size <= pipe_buf else []
            groups += [(['tutorial'], 'auto')] if 0 < size <= 255 else []
        for i, (writers, frame) in enumerate(groups):
            cells += 1
            cell(writers, frame, kind, size, 2 if size > 100000 else 4)
print(cells, 'cells')
print('\n'.join(b[:400] for b in bad))
END
mkfifo f
timeout 600 python3 matrix.py "$EMULATOR $IPCBOX" >out 2>&1 </dev/null
is 'the matrix of writers, readers and sizes: each message arrives whole and once, or is refused' '' "$(sed 1d out)"
ok "the matrix has more than 400 cells: $(head -n 1 out)" test "$(sed -n '1s/ .*//p' out)" -gt 400
