#!/bin/sh
# pipecap in hostile hands: wrong and odd arguments, names, rights and moments.
. "${0%/*}/../tap.sh"

page=$(getconf PAGESIZE)
tab=$(printf '\t')
have() { command -v "$1" >/dev/null 2>&1; }
mkfifo fifo free
exec 8<>fifo # held, and empty

# A kernel whose pipes count bytes has neither slots nor packets, and grants any size.
slotted=y
box pipecap --packet -w 1 >/dev/null 2>&1 || slotted=

# --- arguments ------------------------------------------------------------------------------
run box pipecap -s 2G -n 8
like 'the message about a size of 2 GiB says that no pipe reaches it' "2 pipecap: size '2G' is too large: no pipe reaches 2 GiB
Try *" "$rc $err"
for size in '' -1 1x 1.5 1.k .5k 99999999999999999999 4096kk; do
	run box pipecap -s "$size" -n 8
	like "pipecap -s refuses the size '$size' and names it" "2 pipecap: invalid size: '$size'*" "$rc $err"
done
run box pipecap -C -w ''
like 'pipecap -C refuses an empty list of write sizes' "2 *invalid write size: ''*" "$rc $err"
run box pipecap -f fifo
is 'a target without a mode means pipecap --get' "fifo$tab$((16 * page))${tab}0" "$out"
run box pipecap -l -n 8
like 'pipecap -l takes no descriptor' "2 *-l does not go with -n*" "$rc $err"
run box pipecap -m -J
is 'pipecap -m -J prints the size as JSON' "{\"size\":$((16 * page))}" "$out"
run box pipecap -w 2147483647
is 'pipecap -w 2147483647 needs no more memory than the pipe' "size=$((16 * page))" "$out"
if [ "$slotted" ]; then
	run box pipecap -z 4k -w 1 --packet --pairs
	is 'pipecap --pairs prints the measured size for eval' "size='$((page > 4096 ? 1 : 4096 / page))'" "$out"
else
	skip 'pipecap --pairs prints the measured size for eval' 'pipes-have-no-slots'
fi
for target in /dev/null . "$IPCBOX" /dev/tty; do
	run box pipecap -g -f "$target"
	like "pipecap -g says that ${target##*/} is not a pipe" '1 pipecap: *: not a pipe' "$rc $err"
	run box pipecap -s 4k --hold -f "$target" -c -- echo ran
	is "pipecap --hold says that ${target##*/} is not a pipe, and runs no command" "1 pipecap: $target: not a pipe" "$rc $err$out"
done
run box pipecap -g -f "$(printf '%04200d' 0)"
like 'pipecap -g says that a name is too long' '1 pipecap: *: *name too long' "$rc $err"

# --- standard descriptors ----------------------------------------------------------------------
run sh -c '"$1" pipecap -g <&-; echo $?; "$1" pipecap -s 4k -o >&-; echo $? >&2; "$1" pipecap -g -e 2>&-; echo $?' sh "$IPCBOX"
is 'pipecap says that closed standard descriptors are no pipes' "1
1 pipecap: fd 0: not a pipe
pipecap: fd 1: not a pipe
1" "$out $err"
for args in -g -k -s8192; do
	is "pipecap $args takes none of its own pipes for a descriptor that is closed" \
		"$(printf '1 pipecap: fd %d: not a pipe\n' 3 4 5 6)" \
		"$(for n in 3 4 5 6; do (run box pipecap $args -n $n 3>&- 4>&- 5>&- 6>&-; echo "$rc $out$err"); done)"
done
for mode in '-l -q' -I -C -m '-k -f fifo'; do
	echo x >&8
	# shellcheck disable=SC2086 # words
	run sh -c '"$@" >/dev/full' sh $EMULATOR "$IPCBOX" pipecap $mode
	is "pipecap $mode on /dev/full ends with 1 and a message" "1 pipecap: can't write to standard output: No space left on device" "$rc $err"
done
run sh -c '{ (ulimit -f 0; exec "$@" -I 2>&1 >limited); echo $?; } | cat' sh $EMULATOR "$IPCBOX" pipecap
is 'pipecap -I over the limit of a file size ends with 1 and a message' \
	"pipecap: can't write to standard output: File too large
1" "$out"
run sh -c 'exec 2>&1; "$@" -s 1 -- sh -c "ulimit -f 0; echo x >limited"' sh $EMULATOR "$IPCBOX" pipecap
is 'a CMD of pipecap over the limit of a file size dies of SIGXFSZ' 153 "$rc"
run sh -c '{ sleep 0.2; "$@" -k -f fifo; echo $? >rc; } | true' sh $EMULATOR "$IPCBOX" pipecap
is 'pipecap -k into a closed pipe ends with 1 without a message' '1 ' "$(cat rc) $err"

# --- what a FIFO's holder sees ------------------------------------------------------------------
run box pipecap -g -f free
like 'pipecap -g of a FIFO that nobody has open is 3 and says so' '3 pipecap: free: nobody whom we may see has it open *' "$rc $err"
bg pipecap -v -s 8k --hold -f free 2>held
wait_for grep -q set held
echo hello >free
kill -USR1 "$pid"
wait_for grep -q queued held
is 'SIGUSR1 makes pipecap --hold say what is queued' "pipecap: free pipe buffer size set to $((page > 8192 ? page : 8192))
pipecap: free: 6 of $((page > 8192 ? page : 8192)) bytes are queued" "$(cat held)"
is 'pipecap --hold goes on after SIGUSR1' hello "$(box pipecap -k -f free)"
head -c 6 free >/dev/null # gVisor keeps unread bytes when nobody has the FIFO open
kill "$pid"
wait "$pid"
is 'pipecap --hold ends with SIGTERM' 143 $?
is 'pipecap --hold -- CMD becomes CMD, so that the death of CMD is its own' 137 \
	"$(box pipecap -q -s 8k --hold -f free -- sh -c 'kill -9 $$' 2>/dev/null; echo $?)"
is 'the descriptor that CMD inherits has no number that scripts use' '' \
	"$(box pipecap -q -s 8k --hold -f free -- sh -c 'exec 3>&- 4>&- 9>&-; ls -l /proc/$$/fd' | grep ' [3-7] -> .*free')"
is 'the descriptor that CMD inherits keeps the size of the FIFO' "free$tab$((page > 8192 ? page : 8192))${tab}0" \
	"$(box pipecap -q -s 8k --hold -f free -- "$IPCBOX" pipecap -g -f free)"
is 'pipecap --hold -p PID:FD holds a pipe that has no name' "fd 0$tab$((page > 8192 ? page : 8192))${tab}0" \
	"$(: | sh -c '"$@" -q -s 8k --hold -p $$:0 -- "$@" -g' sh $EMULATOR "$IPCBOX" pipecap)"

# --- signals and the rest need python ------------------------------------------------------------
if [ ! "$slotted" ]; then
	skip 'pipecap copes with rights, processes and moments' 'pipes-have-no-slots'
	exit 0
fi
if ! have python3; then
	skip 'pipecap copes with rights, processes and moments' 'no python3'
	exit 0
fi
cat >use.py <<'END'
import base64, fcntl, json, os, pty, re, subprocess, sys, time
ipcbox = sys.argv[1:]
page = os.sysconf('SC_PAGESIZE')
def run(*args, **kw):
    fds = [fd for fd in map(int, os.listdir('/proc/self/fd')) if fd > 2 and os.path.exists(f'/proc/self/fd/{fd}')]
    return subprocess.run(ipcbox + ['pipecap', *args], capture_output=True, pass_fds=fds, timeout=20, **kw)
def json_of(*args, **kw): return [json.loads(x) for x in run(*args, **kw).stdout.splitlines()]
def show(*words): print(*words, flush=True)
def child(work):
    pid = os.fork()
    if pid == 0:
        try: work()
        finally: os._exit(0)
    while open(f'/proc/{pid}/stat', 'rb').read().rsplit(b')', 1)[1].split()[0] != b'S': time.sleep(0.001)
    return pid
def end(pid):
    os.kill(pid, 9)
    os.waitpid(pid, 0)
me = os.getpid()

# The writing end: another's reading end counts the slots and copies the queue.
r, w = os.pipe()
fcntl.fcntl(w, 1031, 2 * page)
os.write(w, b'a' * (page // 2 + 1)); os.write(w, b'b' * (page // 2 + 1))
x = json_of('-g', '-J', '-n', str(w))[0]
show('other-end', x['slots'], x['wedged'], run('-k2', '-n', str(w)).stdout)
# As text, as words and as an object the same.
table = run('-gv', '-n', str(r)).stdout.decode().split('\n')
row = dict(zip(table[0].split('\t'), table[1].split('\t')))
show('text', row['slots'], row['max_slots'], row['writable'], row['wedged'], row['inode'] == str(os.fstat(r).st_ino),
     f'{me}:{r}(' in row['readers'], f'{me}:{w}(' in row['writers'])

# Blocked: in read, splice and sendfile.
a, b = os.pipe(), os.pipe()
def blocked(fd, side): return [h['blocked'] for h in json_of('-g', '-J', '-n', str(fd))[0][side] if h['pid'] == pid]
pid = child(lambda: os.read(a[0], 1))
show('read', blocked(a[1], 'readers'))
end(pid)
os.write(b[1], bytes(16 * page))
os.write(a[1], b'x')
pid = child(lambda: os.splice(a[0], b[1], 1))
show('splice', blocked(b[1], 'writers'), blocked(a[0], 'readers'))
end(pid)
plain = os.open('plain', os.O_RDWR | os.O_CREAT); os.write(plain, b'x' * 9)
pid = child(lambda: os.sendfile(b[1], plain, 0, 9))
show('sendfile', blocked(b[1], 'writers'))
end(pid)

# 300 descriptors: none is left out of the words.
pid = child(lambda: ([os.dup(a[1]) for _ in range(300)], time.sleep(99)))
words = run('-g', '--pairs', '-n', str(a[0])).stdout
said = {sh: subprocess.run(sh.split() + ['-c', 'eval "$1"; printf "%s" "$writers"', 'sh', words], capture_output=True).stdout.split()
        for sh in ('dash', 'busybox sh', 'sh') if not subprocess.run(['sh', '-c', 'command -v ' + sh.split()[0]], capture_output=True).returncode}
show('words', [sum(x.startswith(b'%d:' % pid) for x in v) == 301 for v in said.values()] == [True] * len(said))
end(pid)
# A process may choose its name.
def called():
    open('/proc/self/comm', 'wb').write(b"a b'$(\n\xff\x1b)")
    time.sleep(99)
pid = child(called)
x = [h for h in json_of('-g', '-J', '-n', str(a[0]))[0]['writers'] if h['pid'] == pid][0]
show('comm', base64.b64decode(x['name_b64']) == b"a b'$(\n\xff\x1b)", b'\x1b' in run('-gv', '-n', str(a[0])).stdout)
words = run('-g', '--pairs', '-n', str(a[0])).stdout
echo = subprocess.run(['sh', '-c', 'eval "$1"; printf "%s\n" $writers', 'sh', words], capture_output=True).stdout.splitlines()
show('word', any(x.startswith(b"%d:%d(a_b'$(_\xff\x1b)" % (pid, a[1])) for x in echo), len(echo) >= 2, b'\x1b' in words)
end(pid)

# All pipes of a process, and only of it.
pid = child(lambda: time.sleep(99))
# The standard descriptors may be pipes of another user, which may not be opened again.
mine = {f'{pid}:{fd}' for fd in map(int, os.listdir(f'/proc/{pid}/fd')) if 'pipe:' in os.readlink(f'/proc/{pid}/fd/{fd}')
        and (os.access(f'/proc/{pid}/fd/{fd}', os.R_OK) or os.access(f'/proc/{pid}/fd/{fd}', os.W_OK))}
show('pid', {x['name'] for x in json_of('-g', '-J', '-p', str(pid))} == mine, len(mine) >= 6)
two = json_of('-l', '-J', '-p', str(pid), '-p', str(me))
show('pids', len(two) == len({x['inode'] for x in two}) >= 3)
end(pid)
x = run('-l', '-p', str(pid)); show('gone', x.returncode, b"can't look into '%d'" % pid in x.stderr)
x = run('-g', '-p', str(pid)); show('gone2', x.returncode, b"can't look into '%d'" % pid in x.stderr)

# Peeking: all forms, and a terminal.
r, w = os.pipe()
os.write(w, b'a\x1b[31m\n\xff\0"')
show('json', json_of('-k', '-J', '-n', str(r)))
os.read(r, 99)
os.write(w, b"it's\n")
show('pairs', run('-k', '--pairs', '-n', str(r)).stdout)
os.write(w, b'\x1b[31m')
pid, tty = pty.fork()
if pid == 0: os.execvp(ipcbox[0], ipcbox + ['pipecap', '-k', '-n', str(os.dup2(r, 9))])
said = b''
try:
    while more := os.read(tty, 99): said += more
except OSError: pass # EIO: the other side is closed
show('tty', said)
os.waitpid(pid, 0)
show('empty', run('-k', '-n', str(os.pipe()[0])).stdout)

# Setting: the record, EBUSY, several targets of which one fails.
x = json_of('-s', str(3 * page + 1), '-J', '-n', str(r))[0]
show('set', x['size'] == 4 * page)
os.write(w, b'x' * 3 * page)
x = run('-s', str(page), '-n', str(w), '-n', str(a[0])); show('busy', x.returncode, fcntl.fcntl(a[0], 1032) == page)
x = run('-c', '-s', str(2 * page), '-n', str(w), '-n', str(a[0]), '--', 'echo', 'ran')
show('check', x.returncode, x.stdout, fcntl.fcntl(a[0], 1032) == page)

# Processes come and go while they are listed.
busy = subprocess.Popen(['sh', '-c', 'while :; do true | true | true; done'])
hidden = rb"(pipecap: can't look into \d+ processes: run as root\n)?"
bad = [x for x in (run('-l', '-J') for _ in range(30)) if x.returncode or not re.fullmatch(hidden, x.stderr) or not [json.loads(l) for l in x.stdout.splitlines()]]
show('busy-list', bad)
busy.kill(); busy.wait()

# Who waits in open is not woken, on either side, by any mode but --hold.
os.mkfifo('waited')
for flags in os.O_RDONLY, os.O_WRONLY:
    pid = child(lambda: os.open('waited', flags))
    for mode in '-g', '-k', '-gv', '-s8k', '-l': run(mode, *(['-f', 'waited'] if mode != '-l' else []))
    show('waits', os.waitpid(pid, os.WNOHANG))
    end(pid)
END
timeout 200 python3 use.py $EMULATOR "$IPCBOX" >py.out 2>py.err 8>&-
said() { grep "^$1 " py.out | cut -d' ' -f2-; }
is 'pipecap sees slots and queue of a writing end through the end of a reader' "2 True b'aa'" "$(said other-end)"
is 'pipecap -gv prints as a table what -J prints as a record' '2 2 false true True True True' "$(said text)"
is 'a process in read(2) shows as blocked' '[True]' "$(said read)"
is 'a process in splice(2) shows as blocked at both pipes' '[True] [True]' "$(said splice)"
is 'a process in sendfile(2) shows as blocked' '[True]' "$(said sendfile)"
is 'pipecap --pairs prints 300 holders as 300 words' True "$(said words)"
is 'pipecap prints the hostile name of a process without an escape sequence' 'True False' "$(said comm)"
is 'the hostile name of a process stays within one word for eval, without a raw escape sequence' 'True True False' "$(said word)"
is 'pipecap -g -p PID shows each pipe of that process' 'True True' "$(said pid)"
is 'pipecap -l -p PID -p PID shows each pipe once' True "$(said pids)"
is 'pipecap -l -p of a process that has ended is 1 and says so' '1 True' "$(said gone)"
is 'pipecap -g -p of a process that has ended is 1 and says so' '1 True' "$(said gone2)"
is 'pipecap -k -J prints what is not UTF-8 as base64' "[{'name': 'fd N', 'len': 10, 'data_b64': 'YRtbMzFtCv8AIg=='}]" "$(said json | sed 's/fd [0-9]*/fd N/')"
is 'pipecap -k --pairs prints one line' "$(cat <<'END'
b'name=\'fd N\' len=\'5\' data=\'it\'\\\'\'s\'"${IFS#??}"\'\'\n'
END
)" "$(said pairs | sed 's/fd [0-9]*/fd N/')"
is 'pipecap -k on a terminal prints lines without an escape sequence' "b\"it's\\r\\n\\\\x1b[31m\\r\\n\"" "$(said tty)"
is 'pipecap -k of an empty pipe prints nothing' "b''" "$(said empty)"
is 'pipecap -s -J prints the record of the pipe as it is now' True "$(said set)"
is 'pipecap -s sets the other targets where one fails, and ends with 1' '1 True' "$(said busy)"
is 'pipecap -c stops at the first failure and does not run CMD' "1 b'' True" "$(said check)"
is 'pipecap -l gives no error while processes come and go' '[]' "$(said busy-list)"
is 'no mode of pipecap but --hold wakes a process that waits in open(2)' '(0, 0)
(0, 0)' "$(said waits)"
is 'the Python helper of use.t found no error' '' "$(cat py.err)"

# --- without rights --------------------------------------------------------------------------------
if [ "$(id -u)" != 0 ] || [ -n "$EMULATOR" ]; then
	skip 'pipecap works without rights' 'not root, or emulated'
	exit 0
fi
as_nobody pipecap -l
like 'pipecap -l as nobody says how many processes it cannot see' "pipecap: can't look into [1-9]* processes: run as root" "$err"
as_nobody pipecap -z 1G
like 'the message about EPERM of --pipe-size names the limit' '1 pipecap: new pipe: 1073741824 is above /proc/sys/fs/pipe-max-size, * and needs CAP_SYS_RESOURCE' "$rc $err"
cat >quota.py <<'END'
import ctypes, json, os, resource, subprocess, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (3000, 3000))
os.setgroups([]); os.setgid(65533); os.setuid(65533)
ctypes.CDLL(None).prctl(4, 1) # PR_SET_DUMPABLE: else /proc/self is root's
soft = int(open('/proc/sys/fs/pipe-user-pages-soft').read())
page = os.sysconf('SC_PAGESIZE')
r, w = os.pipe()
os.write(w, b'x' * 4 * page)
def pipecap(*args): return subprocess.run([sys.argv[1], 'pipecap', *args], capture_output=True, pass_fds=[r], text=True)
def pages(): return json.loads(pipecap('-I', '-J').stdout)['pipe_pages']
before = pages()
pipes = [os.pipe() for _ in range(100)]
print(round((pages() - before) / 16, -1)) # but for those of the moment
print(len(pipecap('-k', '-n', str(r)).stdout) == 4 * page)
pipes += [os.pipe() for _ in range(soft // 16 + 1)]
x = pipecap('-k', '-n', str(r))
print(x.returncode, len(x.stdout) // page, 'pipe-user-pages-soft, %d' % soft in x.stderr)
x = json.loads(pipecap('-g', '-J', '-n', str(r)).stdout)
print(x['unread'] // page, x['slots'], x['max_slots'], x['wedged'])
END
is 'over the quota pipecap -I counts the pages, -k says that its copy is not whole, and slots are unknown' "100.0
True
1 2 True
4 None 16 None" "$(python3 quota.py "$T/ipcbox.anyone")"
if unshare -m true 2>/dev/null; then
	run unshare -m sh -c 'mount -t tmpfs none /proc; "$@" -l; echo $?; echo 123 | { sleep 0.2; "$@" -gJ; }; "$@" -I -J; "$@" -g -f fifo; "$@" -q -s max -o' sh "$IPCBOX" pipecap
	like 'pipecap -l without /proc is exit 77, and records have null for what cannot be seen' '77
{"name":"fd 0",*"unread":4,*"slots":1,*"inode":null,"readers":null,"writers":null}
{*"pipe_max_size":null,*"pipe_pages":null,*}' "$out"
	like 'the messages of pipecap without /proc say so' "pipecap: /proc is not mounted: *
pipecap: fifo: can't be looked into quietly without /proc*" "$err"
else
	skip 'pipecap works without /proc' 'no mount namespace'
fi
