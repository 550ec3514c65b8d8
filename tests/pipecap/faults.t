#!/bin/sh
# Each system call of pipecap fails in turn, once and for ever: the right answer, null where
# nothing can be seen, or a message and a status.
. "${0%/*}/../tap.sh"

if ! command -v strace >/dev/null || ! command -v python3 >/dev/null || [ -n "$EMULATOR" ] || ! strace -o log true 2>err; then
	skip 'pipecap survives system calls that fail' 'no strace, or no python3'
	exit 0
fi
cat >faults.py <<'END'
"""faults.py "WHEN..." "ERROR..." PIPECAP...: each system call fails in turn; prints what then was wrong."""
import fcntl, json, os, re, subprocess, sys
whens, errors, box = sys.argv[1].split(), sys.argv[2].split(), sys.argv[3:]
# What can't fail does not; what starts and ends a process is not pipecap's.
CANNOT = set('execve exit exit_group brk arch_prctl set_tid_address set_thread_area rt_sigreturn getpid getuid getuid32'.split())
page = os.sysconf('SC_PAGESIZE')
r, w = os.pipe()
os.write(w, b'x' * (page + 1))
os.mkfifo('fifo')
fifo = os.open('fifo', os.O_RDWR)
os.write(fifo, b'abc')
me, ino = os.getpid(), os.fstat(r).st_ino
def records(out): return [json.loads(line) for line in out.splitlines()]
def seen(got, want): return all(got.get(k) in (None, want[k]) for k in want)
def known(x): return seen(x, dict(size=16 * page, unread=page + 1, slots=2, max_slots=16, writable=True, wedged=False))
def held(x, err):
    ours = [h['fd'] for h in (x['readers'] or []) + (x['writers'] or []) if h['pid'] == me]
    return x['readers'] is None or ours == [r, w] or b"can't look into" in err
SCENES = {
    '': lambda out, err: out == b'size=%d\n' % (16 * page),
    '-m -w 1 --packet -z %d' % (2 * page): lambda out, err: out == b'size=2\n',
    '-C -J -w %d' % page: lambda out, err: records(out) == [dict(write=page, stored=16 * page, percent=100, writes=16)],
    '-I -J': lambda out, err: seen(records(out)[0], dict(page_size=page, new_pipe=16 * page, quota_reached=0)),
    '-g -v -J -n %d' % r: lambda out, err: known(records(out)[0]) and held(records(out)[0], err),
    '-g -J -n %d' % w: lambda out, err: known(records(out)[0]),
    '-g -f fifo': lambda out, err: out in (b'fifo\t%d\t3\n' % (16 * page), b'fifo\t%d\t?\n' % (16 * page), b'fifo\t?\t3\n'),
    '-k -n %d' % r: lambda out, err: out == b'x' * (page + 1),
    '-k -J -f fifo': lambda out, err: records(out) == [dict(name='fifo', len=3, data='abc')],
    '-l -J -p %d' % me: lambda out, err: any(x['inode'] == ino and known(x) and held(x, err) for x in records(out)) or b"can't look into" in err,
    '-s %d -n %d' % (4 * page, w): lambda out, err: fcntl.fcntl(w, 1032) == 4 * page,
    '-s max -q -f fifo': lambda out, err: fcntl.fcntl(fifo, 1032) >= 16 * page,
}
def run(words, *strace):
    fcntl.fcntl(w, 1031, 16 * page)
    return subprocess.run(['timeout', '10', 'strace', '-f', '-qq', *strace, *box, *words],
                          pass_fds=[r, w, fifo], capture_output=True)
runs = 0
for scene, good in SCENES.items():
    words = scene.split()
    x = run(words, '-o', 'calls')
    if x.returncode or not good(x.stdout, x.stderr):
        print(scene, 'fails already:', x)
    names = {}
    for line in open('calls'):
        m = re.match(r'\d+ +([a-z_0-9]+)\(', line)
        if m: names[m[1]] = names.get(m[1], 0) + 1
    for name, count in names.items():
        if name in CANNOT: continue
        for when in [n for n in whens if n.isdigit() and int(n) <= count] + [n for n in whens if not n.isdigit()]:
            for error in errors:
                if not when.isdigit() and error == 'EINTR': continue
                x = run(words, '--seccomp-bpf', '-o', 'log', '-e', 'trace=' + name, '-e', f'inject={name}:error={error}:when={when}')
                runs += 1
                what = f'pipecap {scene}: {name} {error} {when}: '
                try: right = x.returncode == 0 and good(x.stdout, x.stderr)
                except Exception as e: right = False
                if x.returncode == 0 and not right: print(what + 'status 0, wrong:', x.stdout[:300], x.stderr[:300])
                elif x.returncode not in (0, 1, 3, 77, 126): print(what + 'status', x.returncode, x.stderr)
                elif x.returncode and not (name == 'write' and not x.stderr) and not re.fullmatch(rb'(strace: .*\n)*(pipecap: [ -~]+\n)+', x.stderr):
                    if '-q' not in words: print(what + 'status', x.returncode, 'message', x.stderr)
print(runs, 'runs', file=sys.stderr)
END
# Among few processes, where that can be had: pipecap looks at all of them.
inside=
if unshare -p -f -m --mount-proc true 2>/dev/null; then inside='unshare -p -f -m --mount-proc'; fi
# shellcheck disable=SC2086 # words
is 'pipecap is right or says why not where a system call fails' '' \
	"$(timeout 300 $inside python3 faults.py "${WHENS:-1 2+}" "${ERRORS:-EPERM EINTR}" "$IPCBOX" pipecap 2>runs || echo "status $?")"
like "system calls failed in all modes of pipecap: $(cat runs)" '[1-9][0-9][0-9]* runs' "$(cat runs)"

# What a kernel says that does not know F_SETPIPE_SZ and F_GETPIPE_SZ.
for mode in '-s 4k -o' '-z 4k'; do
	# shellcheck disable=SC2086 # words
	: | strace -f -qq -o log -e inject=fcntl:error=EINVAL "$IPCBOX" pipecap $mode 2>err | cat
	like "pipecap $mode says that fcntl fails" 'pipecap: *: Invalid argument' "$(cat err)"
	# shellcheck disable=SC2086
	{ : | strace -f -qq -o log -e inject=fcntl:error=EINVAL "$IPCBOX" pipecap $mode 2>err; echo $? >rc; } | cat
	is "pipecap $mode ends with 77 where fcntl fails" 77 "$(cat rc)"
done
unsized() { strace -f -qq -o log -e inject=fcntl:error=EINVAL "$IPCBOX" pipecap "$@"; }
tab=$(printf '\t')
is 'pipecap -g has ? for the size where fcntl fails' "fd 0$tab?${tab}4" "$({ echo 123; sleep 1; } | unsized -g -i)"
is 'pipecap -g ends with 0 where fcntl fails' 0 "$(: | { unsized -g -i >out; echo $?; })"
is 'pipecap -k prints what is queued where fcntl fails' 123 "$({ echo 123; sleep 1; } | { sleep 0.5; unsized -k -i 2>/dev/null; })"
like 'pipecap -k ends with 0 or says why not where fcntl fails' '[01]' "$(: | { unsized -k -i >out 2>err; echo $?; })"
