#!/bin/sh
# How the box may be started, and what it does with text from outside.
. "${0%/*}/../tap.sh"

# --- options that are nearly right ------------------------------------------------------------
run box pipecap --verbos=x
is 'an abbreviated long option is the option that begins so' \
	"pipecap: option '--verbose' takes no argument: '--verbos=x'" "$(printf '%s\n' "$err" | head -n 1)"
run box pipecap --hodl
is 'the message about an unknown long option names the nearest one' \
	"2 pipecap: unknown option '--hodl' (--hold?)" "$rc $(printf '%s\n' "$err" | head -n 1)"
run box pcopy --verfy
is 'a letter that is missing does not hide which option is meant' \
	"pcopy: unknown option '--verfy' (--verify?)" "$(printf '%s\n' "$err" | head -n 1)"
run box pcopy --blokc=4k
is 'an argument behind the unknown option does not hide which option is meant' \
	"pcopy: unknown option '--blokc=4k' (--block?)" "$(printf '%s\n' "$err" | head -n 1)"
run box pipecap --xyzzy
is 'an unknown option that resembles none gets no proposal' \
	"2 pipecap: unknown option '--xyzzy'" "$rc $(printf '%s\n' "$err" | head -n 1)"
run box pipecap --p
like 'the message about an ambiguous option lists the options that begin so' \
	"2 pipecap: option '--p' is ambiguous: *--pipe-size*--pid*" "$rc $err"
run box pipecap --fd
is 'an option without its argument is named' \
	"2 pipecap: option '--fd' needs an argument" "$rc $(printf '%s\n' "$err" | head -n 1)"

# --- text from outside ------------------------------------------------------------------------
mkfifo fifo
exec 8<>fifo
# ESC, DEL, the C1 control U+009B, the override U+202E, the isolate U+2066, a byte that is no
# character, and characters that are harmless
hostile=$(printf 'a\033\177\302\233\342\200\256\342\201\246\233é€')
run box "$hostile"
is 'a message has ? for each character that a terminal must not get' \
	"ipcbox: no applet 'a??????é€': ipcbox --list prints the names" "$err"
printf %s "$hostile" >&8
is 'text for eval has no byte that a terminal must not get' '' \
	"$(box pipecap -k --pairs -n 8 | tr -d '\040-\176\n' | tr -d '\303\251\342\202\254')"
is 'a shell that evaluates the text gets its bytes' "$hostile" \
	"$(eval "$(box pipecap -k --pairs -n 8)"; printf %s "$data")"
cat <&8 >taken & reader=$!
wait_for test -s taken
kill $reader
wait $reader 2>/dev/null
printf 'a\033\177\302\233\342\200\256\342\201\246é€' >&8
is 'JSON escapes what a terminal must not get' '"a\u001b\u007f\u009b\u202e\u2066é€"' \
	"$(box pipecap -k -J -n 8 | sed 's/.*"data":\(.*\)}/\1/')"

# --- what a parent leaves behind ----------------------------------------------------------------
if command -v python3 >/dev/null; then
	cat >blocked.py <<'END'
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [s for s in signal.Signals if s not in (signal.SIGKILL, signal.SIGSTOP)])
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execvp(sys.argv[1], sys.argv[1:])
END
	run box mmapw board id=1
	bg mmapw -q -X board
	wait_for sh -c '"$@" 2>&1 | grep -q held' sh $EMULATOR "$IPCBOX" mmapw board id=2
	run sh -c 'python3 blocked.py "$@" mmapw -w 0.1 board id=3; echo $?' sh $EMULATOR "$IPCBOX"
	is 'mmapw -w ends at its time limit though the parent left SIGALRM blocked' 124 "$out"
	kill "$pid"
	echo 12345 >src
	run python3 blocked.py $EMULATOR "$IPCBOX" pcopy src dst 2
	is 'pcopy waits for its workers though the parent left SIGCHLD ignored' '0 12345' "$rc $(cat dst)"
	run python3 blocked.py $EMULATOR "$IPCBOX" pipecap -q -s 4k -n 8 -- sh -c 'kill -TERM $$; echo lives'
	is 'a command that an applet runs gets the mask of signals that the parent left' lives "$out"
else
	skip 'applets work with signals that the parent left blocked' 'no python3'
fi

# Before Linux 5.18 a program could be started without argv[0]. A tracer takes it away here: the stack
# of a new program begins with argc, the words of argv, a NULL, and the environment.
cat >nameless.c <<'END'
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *first[] = { "ipcbox", NULL }, *env[] = { "pipecap", "PATH=/", NULL };
	struct user_regs_struct regs;
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execve(argv[argc - 1], first, env);
		return 126;
	}
	waitpid(pid, &status, 0);
	if (!WIFSTOPPED(status))
		return 99;
	ptrace(PTRACE_GETREGS, pid, 0, &regs);
	regs.rsp += 8; /* argc is now where argv[0] was */
	ptrace(PTRACE_POKEDATA, pid, regs.rsp, 0);
	ptrace(PTRACE_SETREGS, pid, 0, &regs);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}
END
if [ "$(uname -m)" = x86_64 ] && [ -z "$EMULATOR" ] && ! grep -q /ld- "$IPCBOX" && cc -o nameless nameless.c 2>/dev/null &&
	{ run ./nameless "$IPCBOX"; [ "$rc" != 99 ]; }; then
	is 'a box without argv[0] prints its help, and takes no word of the environment for an operand' \
		"0 $(box --help)" "$rc $out"
else
	skip 'a box without argv[0] prints its help' 'not x86_64, emulated, not static, no cc, or no ptrace(2)'
fi
if command -v python3 >/dev/null; then
	run python3 -c 'import os, sys; os.execve(sys.argv[1], ["ipcbox", "pipecap"], {})' "$IPCBOX"
	like 'an applet runs without an environment' '0 size=[1-9]*' "$rc $out"
fi

# --- limits and rights --------------------------------------------------------------------------
: >src
run sh -c "ulimit -n 3; exec $EMULATOR '$IPCBOX' pcopy src new"
like 'the message about too many open files names the limit' '1 pcopy: * (ulimit -n is 3)' "$rc $err"
if [ "$(id -u)" = 0 ] && [ -z "$EMULATOR" ] && command -v python3 >/dev/null; then
	cp "$IPCBOX" ipcbox.setuid
	cp "$(command -v id)" id.setuid
	chmod 755 "$T"
	chmod 4755 ipcbox.setuid id.setuid
	if [ "$(python3 -c "$be_nobody" "$T/id.setuid" -u)" = 0 ]; then
		run python3 -c "$be_nobody" "$T/ipcbox.setuid" pipecap
		is 'a set-user-ID box refuses to run' \
			'1  ipcbox: refused: the file is set-user-ID or set-group-ID, or has capabilities' "$rc $out $err"
	else
		skip 'a set-user-ID box refuses to run' "$T is mounted nosuid"
	fi
	for mode in 1777 777; do
		mkdir -m $mode "m$mode"
		mkdir -m 755 "closed$mode"
		ln -s "../closed$mode" "m$mode/link"
		chown -h 65534 "m$mode/link"
		run box --install -s "m$mode/link"
		is "--install does not follow a stranger's link in a directory of mode $mode" \
			"1 ipcbox: can't open 'm$mode/link': a link on its way belongs to user 65534, in a directory that others can write to" \
			"$rc $err$(ls "closed$mode")"
	done
else
	skip 'a set-user-ID box refuses to run' 'not root, emulated, or no python3'
fi
