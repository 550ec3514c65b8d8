#!/bin/sh
# pipetest where it is not welcome: verdicts stay right or are skips with a reason, nothing
# hangs, nothing stays behind.
LIMIT=100
. "${0%/*}/../tap.sh"
# shellcheck disable=SC2016 # the inner shell expands

mkdir dir
export TMPDIR="$T/dir" # the cases' own directory
command -v bash >/dev/null && bash='bash -c' || bash=

# The processes whose directory is or was in ours: all of a run's.
left() { ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -F -- "-> $T/dir/pipetest."; ls dir; }
totals() { tail -n 1 .out; }
# NAME SHELL-COMMAND...: a run of which nothing fails. $P is pipetest, $SOME a part of it.
SOME="-t bas.* -t fif.* -t blk.* -t prm.* -t map.*"
right() {
	name=$1 shell=$2; shift 2
	run env P="$IPCBOX pipetest -q" SOME="$SOME" $shell "set -f; $*"
	like "$name: no case fails" '0 *# Totals: pass:*[0-9][0-9][0-9] fail:0 xfail:* xpass:0 skip:* error:0' \
		"$rc $out"
	is "$name: pipetest writes nothing to stderr" '' "$err"
	is "$name: no file and no process is left" '' "$(left)"
}

if [ "$EMULATOR" ]; then
	skip 'pipetest copes with limits and signals' 'they would be the emulator'"'"'s'
	exit
fi

# --- inherited: signals, masks, limits, closed descriptors
right 'SIGPIPE and SIGCHLD ignored' 'sh -c' 'trap "" PIPE CHLD USR1; exec $P $SOME'
right 'umask 777' 'sh -c' 'umask 777; exec $P $SOME'
right 'no stdin, no stderr' 'sh -c' 'exec $P $SOME <&- 2>&-'
right '64 descriptors' 'sh -c' 'ulimit -n 64; exec $P'
if command -v python3 >/dev/null; then
	cat >blocked.py <<-'EOF'
		import os, signal, sys
		signal.signal(signal.SIGPIPE, signal.SIG_DFL)
		signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
		os.execvp(sys.argv[1], sys.argv[1:])
	EOF
	right 'all signals blocked' 'python3 blocked.py sh -c' 'exec $P $SOME'
	run python3 blocked.py "$IPCBOX" pipetest -t bas.lowest
	like 'the header says that SIGPIPE was inherited as blocked' '*SIGPIPE inherited as blocked*' "$out"
fi
run sh -c 'ulimit -n 24; exec "$@"' sh "$IPCBOX" pipetest -t 'bas.*'
is 'where 24 descriptors are the limit all cases are skipped, and the status is 4' 4 "$rc"
like 'a case without room for its descriptors is skipped with the reason fd-limit' '*ok 1 bas.write_read.pipe # SKIP fd-limit*' "$out"
run sh -c 'ulimit -n 4; exec "$@"' sh "$IPCBOX" pipetest
like 'where there is no descriptor for a pipe pipetest says so' "1 pipetest: can't make a pipe: *" "$rc $err"
if [ "$bash" ]; then
	# These cases run with the least memory with which pipetest starts.
	least() {
		for kib in $(seq 800 50 3000); do
			run $bash "ulimit -v $kib; exec \"\$@\"" sh "$IPCBOX" pipetest "$@"
			case $out in *'# Totals: '*) return ;; esac
		done
	}
	least -t 'tut.*' -t 'sig.*'
	is "no case fails with the least memory ($kib KiB)" 0 "$rc"
	like 'a case that finds no memory is skipped' '*ok * # SKIP no-memory*' "$out"
	least -q -t bas.two_writers -t reg.stream
	like 'a case of which one process finds no memory is skipped, and the others judge nothing' \
		'*no-memory:* fail:0 xfail:0 xpass:0 skip:[1-9]* error:0' "$out"
fi
if [ "$bash" ]; then
	for n in 0 3; do right "$n signals in the queue" "$bash" "ulimit -i $n; exec \$P"; done
	for n in 0 1; do right "$n KiB of locked memory" "$bash" "ulimit -l $n; exec \$P \$SOME"; done
fi
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	for error in ENOSYS EPERM; do
		run strace -f -o /dev/null -e trace=tee -e inject=tee:error=$error \
			"$IPCBOX" pipetest -t 'tee.*' -t 'fio.tee*' -t 'reg.efault*' -t 'eof.*'
		like "where tee(2) is $error no case fails" '0 * fail:0 xfail:* error:0' "$rc $out"
		for case in tee.partial fio.tee_splice reg.efault_tee; do
			like "$case is skipped where tee(2) is $error" "* $case.pipe # SKIP no-tee*" "$out"
		done
	done
else
	skip 'pipetest copes with a kernel without tee(2)' 'no strace'
fi
run sh -c '(ulimit -f 0; exec "$1" pipetest -q) | cat' sh "$IPCBOX"
like 'the cases that make files are skipped where no file may grow' '*# Totals: pass:[1-9]* fail:0 xfail:* xpass:0 skip:[1-9]* error:0' "$out"
run sh -c '(ulimit -f 0; "$1" pipetest 2>&1 >out) | cat' sh "$IPCBOX"
like 'output into a file that may not grow is an error' "pipetest: can't write to standard output: *" "$out"
is 'a run whose output failed leaves no file and no process' '' "$(left)"

# --- another user, with few processes; a file that cannot be entered by others is the point
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && [ "$bash" ]; then
	cp "$IPCBOX" ipcbox.anyone && chmod 755 "$T" ipcbox.anyone && chmod 1777 dir
	as_nobody='setpriv --reuid 64123 --regid 64123 --clear-groups'
	for n in 40 5 2; do
		run $as_nobody bash -c "ulimit -u $n; exec ./ipcbox.anyone pipetest -t \"bas.*\" -t blk.eof_wakes_100 -t sig.own_thread"
		like "where a user may have $n processes each case passes or is skipped" \
			'*# Totals: pass:[1-9]* fail:0 xfail:* xpass:0 skip:* error:0' "$out"
	done
	like 'a case that may not fork is skipped with the reason process-limit' '*# SKIP process-limit*' "$out"
	is 'runs by another user leave no file and no process' '' "$(left)"
else
	skip 'pipetest copes with few processes' 'not root, or no setpriv or bash'
fi

if unshare -U true 2>/dev/null; then
	right 'a user namespace that maps no user' 'unshare -U sh -c' 'exec $P -t api.* $SOME'
else
	skip 'a user namespace that maps no user: no case fails' 'not allowed here'
fi

# --- namespaces: no /proc, another's /proc, no directory to write in
ns='unshare -m'
[ "$(id -u)" = 0 ] || ns='unshare -Urm'
if $ns mount -t tmpfs none dir 2>/dev/null; then
	right 'no /proc' "$ns sh -c" 'umount -l /proc; exec $P'
	right 'PID 1 under the /proc of others' "$ns -pf sh -c" 'exec $P $SOME'
	right 'PID 1' "$ns -pf --mount-proc sh -c" 'exec $P $SOME'
	run $ns sh -c 'mount -t tmpfs -o size=64k none dir; exec "$@"' sh "$IPCBOX" pipetest -d dir
	like '-d with a full directory is an error that says so' "1 pipetest: can't make a directory in 'dir': No space*" "$rc $err"
	run $ns sh -c 'mount -t tmpfs -o size=64k none dir; exec "$@"' sh "$IPCBOX" pipetest -t 'fif.*'
	like 'where $TMPDIR is full another directory is used' '0 *# files in /*' "$rc $out"
	nodir='mkdir dir/root && cp "$1" dir/root/ipcbox && mount -t tmpfs none dir/root && cp "$1" dir/root/ipcbox &&
		mkdir dir/root/proc && mount -t proc none dir/root/proc && mount -o remount,ro dir/root &&
		exec chroot dir/root /ipcbox pipetest -t "bas.*" -t "fif.*"'
	run $ns -pf sh -c "$nodir" sh "$IPCBOX"
	like 'where no directory can be written to the header says so' '0 *# files in none (no directory to write in)*' "$rc $out"
	like 'a case that needs a directory is skipped with the reason no-dir' '*# SKIP no-dir*' "$out"
	rm -rf dir/root
else
	skip 'pipetest copes with a full or read-only directory' 'not allowed here'
fi

# --- stdout
for form in '' -n -J -q -l --ptest '-J -l' '--explain *'; do
	set -f
	run sh -c 'exec "$@" >/dev/full' sh "$IPCBOX" pipetest -t 'bas.*' $form
	like "pipetest $form on a full disk is an error" "1 pipetest: can't write to standard output: No space*" "$rc $err"
	run sh -c 'exec "$@" >&-' sh "$IPCBOX" pipetest -t 'bas.*' $form
	like "pipetest $form with a closed stdout is an error" "1 pipetest: can't write to standard output: Bad file*" "$rc $err"
	# The reader goes first: what fits into the pipe would be written without a failure.
	run sh -c '{ sleep 0.3; "$@" 2>err; echo $? >status; } | :' sh "$IPCBOX" pipetest $form
	is "pipetest $form into a pipe without a reader exits with 1 and without a word" '1 ' "$(cat status) $(cat err)"
	set +f
done
is 'runs whose output failed in each form leave no file and no process' '' "$(left)"

# The status of the background job, which must end by itself; nobody waits for ever.
ended() {
	{ sleep 20; kill -KILL "$pid"; } >/dev/null 2>&1 &
	watchdog=$!
	wait "$pid" 2>/dev/null
	rc=$?
	kill $watchdog
}

# --- the directory of a run is removed or renamed
# The case that runs at that moment may fail, which is an ERROR, and all others find a new directory.
for what in 'rm -rf pipetest.*' 'mv pipetest.* moved'; do
	bg pipetest -q -t 'fif.*' -r 20 >run 2>err
	wait_for sh -c 'ls dir | grep -q pipetest'
	sleep 0.2 # to be among the cases
	wait_for sh -c "cd dir && $what"
	ended
	rm -rf dir/moved
	like "no case fails when another program does $what" '*# Totals: * fail:0 xfail:* error:[01]' "$(cat run)"
	is "pipetest writes nothing to stderr when another program does $what" '' "$(cat err)"
	is "no file and no process is left when another program does $what" '' "$(left)"
done

# --- signals
bg pipetest -q -r 1000000 >bailed 2>err
wait_for sh -c 'ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -F -- "-> $PWD/dir/pipetest."'
kill -USR1 "$pid"
wait_for grep -q . err
like 'SIGUSR1 prints a status line on stderr' 'pipetest: 0 of * cases done, 0 failed, now tut.p1.*' "$(cat err)"
kill -HUP "$pid"
ended
is 'SIGHUP ends a run with status 129' 129 "$rc"
like 'a run that SIGHUP ends prints its totals' 'Bail out! signal
# Totals: *' "$(cat bailed)"
is 'a run that SIGHUP ended leaves no file and no process' '' "$(left)"

mkfifo stalled
exec 3<>stalled
dd if=/dev/zero of=stalled bs=4096 oflag=nonblock 2>/dev/null
bg pipetest -v >stalled
wait_for sh -c 'ls dir | grep -q pipetest'
sleep 0.2 # to reach its first line; if that is later, the signal waits for it
kill "$pid"
ended
exec 3>&-
is 'SIGTERM ends a run also while nobody reads what pipetest prints' 143 "$rc"
is 'a run that SIGTERM ended while nobody read leaves no file and no process' '' "$(left)"

if command -v python3 >/dev/null; then
	cat >nonblock.py <<-'EOF'
		import os, subprocess, sys, time
		r, w = os.pipe()
		os.set_blocking(w, False)
		p = subprocess.Popen(sys.argv[1:], stdout=w)
		os.close(w)
		time.sleep(1)
		while os.read(r, 65536): pass
		sys.exit(p.wait())
	EOF
	ok 'a slow reader of a pipe that does not block loses nothing' \
		python3 nonblock.py "$IPCBOX" pipetest -v -t 'bas.*' -t 'nbk.*'
fi

# --- a case that hangs: its first process is stopped from outside, while others are there
bg pipetest -m 0.1 -t blk.eof_wakes_100 -r 1000000 >hung
stop() {
	first=$(pgrep -P "$pid" | head -n 1)
	kill -STOP "$first" && grep '^State:.T' "/proc/$first/status" || return
	left | sed -n 's|.*/proc/\([0-9]*\)/cwd.*|\1|p' | grep -vx "$pid" >stopped
	[ "$(wc -l <stopped)" -ge 50 ] || { kill -CONT "$first"; return 1; }
}
wait_for stop
ended
is 'a case that hangs fails, and the status is 1' 1 "$rc"
like 'a case that hangs is reported as killed, and the run goes on' '*# killed at its time limit of *
not ok 1 blk.eof_wakes_100
*error:1' "$(cat hung)"
is 'the processes of a case that hung are gone' '' "$(while read -r p; do ls -d "/proc/$p" 2>/dev/null; done <stopped)"
is 'a run with a case that hung leaves no file and no process' '' "$(left)"
