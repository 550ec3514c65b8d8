#!/bin/sh
# These tests let each system call fail, and kill pcopy at random. DST must be the old file or the
# new one.
. "${0%/*}/../tap.sh"
. "$room/pcopy.sh"
export EMULATOR
if ! command -v python3 >/dev/null; then skip 'DST survives each failure and each kill of pcopy' 'no python3'; exit; fi

bytes() { python3 -c 'import random, sys; r = random.Random(int(sys.argv[1]))
sys.stdout.buffer.write(r.randbytes(int(sys.argv[1])))' "$1"; }
temporaries() { find . -name '.pcopy-*'; }

page=$(getconf PAGESIZE)
if ! has_strace; then
	skip 'DST survives each system call that fails' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
else
	bytes $((3 * page + 5)) >src
	bytes 777 >old
	# strace injects no error into these calls: they cannot fail, or they start and end a process.
	cannot='execve|exit|exit_group|brk|arch_prctl|set_tid_address|set_thread_area|rt_sigreturn|getpid|getppid|gettid|geteuid32|geteuid|umask'
	# inject ERROR OPTION... - lets each call fail with ERROR, and prints what goes wrong
	inject() {
		error=$1; shift
		mkdir "$error" && cd "$error" && cp ../src ../old . || exit
		for name in $names; do
			# EAGAIN of flock(2) means that another pcopy has locked the file (EWOULDBLOCK), and that
			# pcopy would remove the file.
			[ $name-$error != flock-EAGAIN ] || continue
			for when in $whens; do
				cp old dst
				timeout 60 strace --seccomp-bpf -f -qq -o log -e trace="$name" -e inject="$name:error=$error:when=$when" \
					"$IPCBOX" pcopy "$@" src dst 2 >out 2>err
				rc=$?
				case $rc in
				0) cmp -s src dst || echo "$name $error $when: status 0, another content" ;;
				1 | 3 | 4 | 5 | 77)
					cmp -s old dst || cmp -s src dst || echo "$name $error $when: status $rc, DST is damaged"
					grep -q '^pcopy: ' err || echo "$name $error $when: status $rc, no message" ;;
				*) echo "$name $error $when: status $rc" ;;
				esac
				if [ "$1 $(temporaries)" = "-R ./$kept" ]; then
					"$IPCBOX" pcopy -R src dst 2>err && cmp -s src dst || echo "$name $error $when: not resumed"
				fi
				[ -z "$(temporaries)" ] || { echo "$name $error $when: $(temporaries)"; rm -f .pcopy-*; }
			done
		done
	}
	# fails OPTION... - calls inject for each error, and prints what goes wrong. The errors are tried
	# side by side, because each copy waits for the disk most of the time.
	fails() {
		cp old dst
		strace -f -o calls "$IPCBOX" pcopy "$@" src dst 2 >out 2>err
		names=$(sed -n 's/^[0-9]* *\([a-z_0-9]*\)(.*/\1/p' calls | sort -u | grep -vxE "$cannot")
		for error in ENOSPC EIO EINTR EAGAIN EMFILE ENOMEM EPERM ENOSYS; do
			(trap - EXIT; inject $error "$@") >$error.bad 2>&1 &
		done
		wait
		cat ./*.bad
		rm -rf E*
	}
	kept=$(kept dst) whens='1 2'
	bad=$(fails -B "$page")
	is "pcopy leaves DST whole where a system call fails: $(wc -l <calls) lines of strace" '' "$bad"
	whens=1
	for options in '-y -p --preallocate=never -e direct' '-R -c -e rw'; do
		# shellcheck disable=SC2086 # words
		bad=$(fails $options -B "$page")
		is "DST survives each system call that fails: $options" '' "$bad"
	done
fi

# --- killed
head -c 20000000 /dev/urandom >src
head -c 3000000 /dev/urandom >old
cat >kill.py <<'END'
"""kill.py COUNT PCOPY - copies COUNT times, kills each copy at random, and prints what is wrong."""
import filecmp, os, random, signal, subprocess, sys, time
count, box = int(sys.argv[1]), sys.argv[2]
seed = random.randrange(1 << 30)
random.seed(seed)
bad, done, killed = 0, 0, 0
def workers(pid):
    try:
        return [int(p) for p in open(f"/proc/{pid}/task/{pid}/children").read().split()]
    except OSError:
        return []
longest = 0.02
for i in range(count):
    subprocess.run(["cp", "old", "dst"])
    start = time.monotonic()
    p = subprocess.Popen([box, "pcopy", "-B", "1M", "src", "dst", "3"], stderr=subprocess.DEVNULL, process_group=0) \
        if sys.version_info >= (3, 11) else subprocess.Popen(
        [box, "pcopy", "-B", "1M", "src", "dst", "3"], stderr=subprocess.DEVNULL, preexec_fn=os.setpgrp)
    time.sleep(random.random() * longest)
    whom = i % 3
    try:
        if whom == 0:
            os.kill(p.pid, signal.SIGKILL)
        elif whom == 1:
            os.killpg(p.pid, signal.SIGKILL)
        else:
            for w in workers(p.pid)[:1]:
                os.kill(w, signal.SIGKILL)
    except OSError:
        pass
    rc = p.wait()
    took = time.monotonic() - start
    if rc == 0:
        done += 1
        longest = 0.9 * longest + 0.1 * took
    else:
        killed += 1
    new, old = filecmp.cmp("src", "dst", False), filecmp.cmp("old", "dst", False)
    if not new and not old or rc == 0 and not new:
        bad += 1
        print(f"seed {seed}, run {i}: status {rc}, DST is {'old' if old else 'damaged'}")
if killed < count / 10:
    print(f"only {killed} of {count} were killed in time")
END
export LIMIT="${LONG:-100}"
run python3 kill.py "${KILLS:-200}" "$IPCBOX"
is 'DST survives a kill of the parent, of the group or of a worker at random' '0 ' "$rc $out$err"
ok 'no worker outlives its parent' wait_for sh -c '! pgrep -f "[p]copy -B 1M src dst 3"'
box pcopy src dst
is 'the next pcopy removes the temporary files of runs that were killed' '' "$(temporaries)"
