#!/bin/sh
. "${0%/*}/../tap.sh"

page=$(getconf PAGESIZE)
slots=16
have() { command -v "$1" >/dev/null 2>&1; }

# A kernel whose pipes count bytes has neither slots nor packets, and grants any size.
slotted=y
box pipecap --packet -w 1 >/dev/null 2>&1 || slotted=

# --- measuring ----------------------------------------------------------------------------
run box pipecap
is 'a new pipe holds 16 pages' "size=$((slots * page))" "$out"
is 'pipecap alone prints nothing on stderr and ends with 0' '0 ' "$rc $err"
run box pipecap -z $((2 * page))
is 'pipecap --pipe-size measures a pipe of that size' "size=$((2 * page))" "$out"
if [ "$slotted" ]; then
	run box pipecap -m -w $((page / 2 + 1))
	is 'writes of half a page and one byte waste nearly half' "size=$((slots * (page / 2 + 1)))" "$out"
else
	skip 'writes of half a page and one byte waste nearly half' 'pipes-have-no-slots'
fi
run box pipecap --write=1
is 'pipecap --write=1 stores as many bytes as the fast way finds' "size=$((slots * page))" "$out"
if [ "$slotted" ]; then
	run box pipecap --packet -w 1
	is 'a packet of one byte takes a whole slot' "size=$slots" "$out"
else
	skip 'a packet of one byte takes a whole slot' 'pipes-have-no-slots'
fi
if have strace && [ -z "$EMULATOR" ]; then
	calls=$(strace -f "$IPCBOX" pipecap 2>&1 >/dev/null | wc -l)
	ok "pipecap measures in less than 1000 system calls: $calls" test "$calls" -lt 1000
else
	skip 'pipecap measures in less than 1000 system calls' 'no strace'
fi
run box pipecap -C -w $page,$((page + 1)) --pairs
is 'pipecap -C --pairs prints words for eval' "write='$page' stored='$((slots * page))' percent='100' writes='$slots'" \
	"$(printf '%s\n' "$out" | head -n 1)"
is 'pipecap -C prints a line for each write size' 2 "$(printf '%s\n' "$out" | wc -l)"
if [ "$slotted" ]; then
	run box pipecap -C
	like 'pipecap -C prints a table for people' "*write *stored*percent*
 *$((page / 2 + 1)) *$((slots * (page / 2 + 1))) *50% *$slots*" "$out"
else
	skip 'pipecap -C prints a table for people' 'pipes-have-no-slots'
fi
run box pipecap -I
like 'pipecap -I explains the limits' "*page size *$page *PIPE_BUF *4096*pipe-max-size*ulimit -p *8 *" "$out"

# --- usage ----------------------------------------------------------------------------------
run box pipecap -z 0
is 'pipecap -z 0 is a usage error' 2 "$rc"
like 'the message about a wrong pipe size names the size' "pipecap: invalid pipe size: '0'*Try 'pipecap --help'." "$err"
run box pipecap extra
is 'an operand of pipecap is a usage error' 2 "$rc"
run box pipecap -g -s 1
is 'two modes of pipecap are a usage error' 2 "$rc"
run box pipecap -g -- true
is 'pipecap -g with a command is a usage error' 2 "$rc"
run box pipecap -g -n x
is 'a descriptor that is no number is a usage error' 2 "$rc"
run box pipecap -s 3G -o
is 'a size of more than 2 GiB is a usage error' 2 "$rc"

# --- looking ------------------------------------------------------------------------------------
tab=$(printf '\t')
is 'pipecap -g prints the size and the unread bytes of the pipe on stdin' "fd 0$tab$((slots * page))${tab}4" "$({ echo 123; sleep 0.2; } | { sleep 0.1; box pipecap -g; })"
run box pipecap -g </dev/null
is 'pipecap -g says that /dev/null on stdin is not a pipe' '1 pipecap: fd 0: not a pipe' "$rc $err"
if [ ! "$slotted" ]; then
	skip 'pipecap shows slots, peeks and lists' 'pipes-have-no-slots'
	exit 0
fi
if ! have python3; then
	skip 'pipecap shows slots, peeks and lists' 'no python3'
	exit 0
fi
cat >pipes.py <<'END'
import fcntl, json, os, resource, subprocess, sys, threading, time
ipcbox = sys.argv[1:]
page = os.sysconf('SC_PAGESIZE')
SET = 1031
def get(fd, *args):
    out = subprocess.run(ipcbox + ['pipecap', '-g', '-J', '-n', str(fd), *args], pass_fds=[fd],
                         capture_output=True, check=True).stdout
    return json.loads(out)
def show(*words): print(*words, flush=True)

# Two small writes that cannot merge wedge a pipe of two pages.
r, w = os.pipe()
fcntl.fcntl(w, SET, 2 * page)
os.write(w, b'a' * (page // 2 + 1)); os.write(w, b'b' * (page // 2 + 1))
x = get(r)
show('wedged', x['slots'], x['max_slots'], x['writable'], x['wedged'], x['unread'] < x['size'])
peeked = subprocess.run(ipcbox + ['pipecap', '-k', '-n', str(r)], pass_fds=[r], capture_output=True).stdout
show('peek', peeked == b'a' * (page // 2 + 1) + b'b' * (page // 2 + 1))
show('peek3', subprocess.run(ipcbox + ['pipecap', '-k3', '-n', str(r)], pass_fds=[r], capture_output=True).stdout)
show('unread', get(r)['unread'] == page // 2 * 2 + 2)
show('content', os.read(r, 10 * page) == peeked)

# Slots are exact for every number of packets.
r2, w2 = os.pipe2(os.O_DIRECT)
counts = []
for n in range(17):
    counts.append(get(r2)['slots'])
    if n < 16: os.write(w2, b'x' * (n % 3 + 1))
show('slots', counts == list(range(17)))

# A process that is blocked in write shows as blocked.
r3, w3 = os.pipe()
child = os.fork()
if child == 0:
    os.close(r3)
    os.write(w3, b'z' * 10 * 65536 * 16)
    os._exit(0)
def state(): return open(f'/proc/{child}/stat').read().rsplit(')')[1].split()[0]
while state() != 'S': time.sleep(0.001)
show('blocked', [h['blocked'] for h in get(w3)['writers'] if h['pid'] == child])
os.kill(child, 9); os.wait()

# The list agrees with what we know of 50 pipes of ours.
pipes = [os.pipe() for _ in range(50)]
for n, (_, wr) in enumerate(pipes): os.write(wr, b'q' * n)
t = time.monotonic()
out = subprocess.run(ipcbox + ['pipecap', '-l', '-J', '-q'], capture_output=True, check=True).stdout
listed = {x['inode']: x for x in map(json.loads, out.splitlines())}
good = 0
for n, (rd, wr) in enumerate(pipes):
    x = listed[os.fstat(rd).st_ino]
    good += (x['unread'] == n and x['slots'] == (n > 0) and x['size'] == fcntl.fcntl(rd, 1032)
             and [h['fd'] for h in x['readers'] if h['pid'] == os.getpid()] == [rd]
             and [h['fd'] for h in x['writers'] if h['pid'] == os.getpid()] == [wr]
             and x['name'] == 'pipe:[%d]' % os.fstat(rd).st_ino)
show('list', good)
mine = subprocess.run(ipcbox + ['pipecap', '-l', '-J', '-p', str(os.getpid())], capture_output=True, check=True).stdout
show('of-pid', all(any(h['pid'] == os.getpid() for h in x['readers'] + x['writers'])
                    for x in map(json.loads, mine.splitlines())), len(mine.splitlines()) >= 50)

# 2,000 pipes: a second of the processor.
resource.setrlimit(resource.RLIMIT_NOFILE, (4200, max(4200, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
many = [os.pipe() for _ in range(1950)]
over = threading.Event()
for _ in range(50): threading.Thread(target=over.wait).start()
used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
t = used()
n = len(subprocess.run(ipcbox + ['pipecap', '-l', '-q'], capture_output=True, check=True).stdout.splitlines())
t = used() - t
over.set()
show('2000', n > 2000, 'in %.2f s' % t if t > 1 else 'in time')

# A FIFO with a hostile name, held by us on one side: the peer that waits in open stays there.
name = "a\nb'$(x)\x1b[31m"
os.mkfifo(name)
x = subprocess.run(ipcbox + ['pipecap', '-g', '-f', name], capture_output=True)
show('alone', x.returncode, x.stderr.count(b'\n'), b'\x1b' in x.stderr)
reader = os.fork()
if reader == 0:
    os.open(name, os.O_RDONLY)
    os._exit(0)
while open(f'/proc/{reader}/stat').read().rsplit(')')[1].split()[0] != 'S': time.sleep(0.001)
subprocess.run(ipcbox + ['pipecap', '-g', '-v', '-f', name], capture_output=True, timeout=5)
show('undisturbed', os.waitpid(reader, os.WNOHANG))
os.kill(reader, 9); os.wait()
hold = os.open(name, os.O_RDWR)
os.write(hold, b'hello')
x = json.loads(subprocess.run(ipcbox + ['pipecap', '-gJ', '-f', name], capture_output=True, check=True).stdout)
show('fifo', x['name'] == name, x['unread'], x['slots'])
pairs = subprocess.run(ipcbox + ['pipecap', '-g', '--pairs', '-f', name], capture_output=True, check=True).stdout
echo = subprocess.run(['sh', '-c', 'eval "$1"; printf %s "$name"', 'sh', pairs], capture_output=True).stdout
show('eval', echo == name.encode())
text = subprocess.run(ipcbox + ['pipecap', '-gv', '-f', name], capture_output=True, check=True).stdout
show('terminal', b'\x1b' in text, text.count(b'\n'))
x = subprocess.run(ipcbox + ['pipecap', '-g', '-p', '%d:%d' % (os.getpid(), hold)], capture_output=True, check=True).stdout
# The 2,000 pipes are over the quota of a user without privilege: a new FIFO is smaller then.
show('pid:fd', x.split(b'\t')[1:] == [b'%d' % fcntl.fcntl(hold, 1032), b'5\n'])

# Nothing that looks may take a byte from a reader that compares every one.
stop = []
def look():
    while not stop:
        subprocess.run(ipcbox + ['pipecap', '-gv', '-n', str(r5)], pass_fds=[r5], capture_output=True)
        subprocess.run(ipcbox + ['pipecap', '-k', '-n', str(r5)], pass_fds=[r5], capture_output=True)
r5, w5 = os.pipe()
looker = threading.Thread(target=look); looker.start()
pattern = bytes(i * 7 % 251 for i in range(251 * 400)); got = b''
def write():
    for i in range(0, len(pattern), 997): os.write(w5, pattern[i:i + 997])
    os.close(w5)
threading.Thread(target=write).start()
while chunk := os.read(r5, 611): got += chunk
stop.append(1); looker.join()
show('unconsumed', got == pattern)
END
timeout 200 python3 pipes.py $EMULATOR "$IPCBOX" >py.out 2>py.err
said() { grep "^$1 " py.out | cut -d' ' -f2-; }
is 'a two-page pipe with two small writes is not writable and wedged' '2 2 False True True' "$(said wedged)"
is 'pipecap -k prints what is queued' True "$(said peek)"
is 'pipecap -k3 prints three bytes at most' "b'aaa'" "$(said peek3)"
is 'pipecap -k leaves what it prints in the pipe' 'True True' "$(said unread) $(said content)"
is 'the number of taken slots is exact for 0 to 16 packets' True "$(said slots)"
is 'a process blocked in write shows as blocked' '[True]' "$(said blocked)"
is 'pipecap -l -J agrees with what is known of 50 pipes' 50 "$(said list)"
is 'pipecap -l -p PID shows the pipes of that process only' 'True True' "$(said of-pid)"
is 'pipecap -l of 2000 pipes of a process with 50 threads takes less than a second of the processor' 'True in time' "$(said 2000)"
is 'a FIFO that nobody has open is status 3 with one line and no escape sequence' '3 1 False' "$(said alone)"
is 'pipecap -g does not wake a process that waits in open(2)' '(0, 0)' "$(said undisturbed)"
is 'pipecap -g -J prints the hostile name of a FIFO as it is' 'True 5 1' "$(said fifo)"
is 'pipecap -g --pairs prints the hostile name of a FIFO so that eval gets it' True "$(said eval)"
is 'pipecap -g for people prints no escape sequence of the name of a FIFO' 'False 2' "$(said terminal)"
is 'pipecap -g -p PID:FD shows that descriptor' True "$(said pid:fd)"
is 'pipecap -g and -k take no byte from a reader that compares every byte' True "$(said unconsumed)"
is 'the Python helper of pipecap.t found no error' '' "$(cat py.err)"

# --- setting -----------------------------------------------------------------------------------
is 'pipecap -s SIZE -- CMD runs CMD with a pipe of that size' "fd 1$tab$((4 * page))${tab}0" \
	"$({ box pipecap -s $((3 * page + 1)) -o -- sh -c 'sleep 0.2'; } 2>err | box pipecap -q -s $((3 * page + 1)) -i -- sh -c "exec 1>&2; $EMULATOR '$IPCBOX' pipecap -g | sed 's/fd 0/fd 1/'" 2>&1)"
is 'pipecap -s reports the granted size where it is another one' "pipecap: fd 1 pipe buffer size set to $((4 * page))" "$(cat err)"
run sh -c '"$1" pipecap -s max -o 2>err | cat; cat err >&2' sh "$IPCBOX"
like 'pipecap -s max takes what is granted, and says how much' 'pipecap: fd 1 pipe buffer size set to [1-9]*' "$err"
mkfifo fifo
bg pipecap -s $((2 * page)) --hold -f fifo >held 2>&1
wait_for sh -c '"$1" pipecap -g -f fifo' sh "$IPCBOX"
is 'pipecap --hold keeps the size of a FIFO' "fifo$tab$((2 * page))${tab}0" "$(box pipecap -g -f fifo)"
echo queued >fifo
is 'pipecap --hold keeps what is queued in a FIFO' queued "$(box pipecap -k -f fifo)"
kill "$pid"
wait "$pid"
is 'pipecap --hold dies of SIGTERM' 143 $?
box pipecap -s $((2 * page)) --hold -f fifo -- sh -c "$EMULATOR '$IPCBOX' pipecap -g -f fifo; exit 7" >held
is 'pipecap --hold -- CMD ends with the status of CMD' 7 $?
is 'pipecap --hold -- CMD keeps the size while CMD runs' "fifo$tab$((2 * page))${tab}0" "$(cat held)"
{ box pipecap -s "$page" -o -- ./nosuch 2>/dev/null; echo $? >rc; } | cat
is 'pipecap -s with a missing command ends with 127' 127 "$(cat rc)"
{ box pipecap -s "$page" -o -- /dev/null 2>/dev/null; echo $? >rc; } | cat
is 'pipecap -s with a command that cannot be run ends with 126' 126 "$(cat rc)"

python3 - "$IPCBOX" >refused 2>&1 <<'END'
import fcntl, os, subprocess, sys
page = os.sysconf('SC_PAGESIZE')
r, w = os.pipe()
os.write(w, b'x' * 3 * page)
x = subprocess.run([sys.argv[1], 'pipecap', '-s', str(page), '-n', str(w)], pass_fds=[w], capture_output=True)
print(x.returncode, x.stderr.decode(), end='')
END
is 'the message about EBUSY names the bytes that are queued' "1 pipecap: fd N: $((3 * page)) bytes are queued and would not fit into $page" \
	"$(sed 's/fd [0-9]*/fd N/' refused)"
if [ "$(id -u)" = 0 ]; then
	mkfifo owned && chmod 666 owned
	exec 8<>owned
	as_nobody pipecap -s 1G -n 8
	like 'the message about EPERM names the limit' "pipecap: fd 8: 1073741824 is above /proc/sys/fs/pipe-max-size, *" "$err"
	exec 8>&-
	cat >quota.py <<'END'
import os, resource, subprocess, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (3000, 3000))
os.setgroups([]); os.setgid(65533); os.setuid(65533)
soft = int(open('/proc/sys/fs/pipe-user-pages-soft').read())
r, w = os.pipe()
pipes = [os.pipe() for _ in range(soft // 16 + 1)]
def pipecap(*args): return subprocess.run([sys.argv[1], 'pipecap', *args], capture_output=True, pass_fds=[w], text=True)
print([l for l in pipecap('-I').stdout.splitlines() if l.startswith('quota')][0].split()[2])
x = pipecap('-s', '128k', '-n', str(w))
print(x.returncode, 'pipe-user-pages-soft' in x.stderr, str(soft) in x.stderr)
END
	is 'over the quota pipecap -I says so, and the message about EPERM names the quota' "1
1 True True" "$(python3 quota.py "$T/ipcbox.anyone")"
else
	skip 'the message about EPERM names the limit' 'not root'
fi
