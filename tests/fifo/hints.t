#!/bin/sh
. "${0%/*}/../tap.sh"

# Some kernels say by poll(2) that a call can be made, and the call then fails with EAGAIN. strace(1)
# makes such a kernel. fifow and fifor look again, but more and more seldom: after 12 such answers they
# have paused for 1, 2, 4, 8, 16, 32, 64, 100 and 100 ms. A busy machine only makes that longer.
if ! has_strace; then
	skip 'false reports of poll do not cost processor time' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
	exit
fi
export ASAN_OPTIONS=detect_leaks=0
mkfifo f

# hinted NAME "CALL..." APPLET [ARG...] [3<INPUT]: each CALL fails with EAGAIN, or as CALL:error=ERROR.
# What the applet prints goes to $to. An applet that ends early leaves too few answers.
to=/dev/null
exec 3</dev/null
answers() { grep 'EAGAIN.*INJECTED' calls; }
enough() { test "$(answers | wc -l)" -ge 12 || ! kill -0 $tracer; }
# milliseconds between the first and the twelfth answer
between() { answers | awk '{ t = $(1 + ($2 + 0 > 0)) } NR == 1 { first = t } NR == 12 { printf "%d", (t - first) * 1000 }'; }
hinted() {
	name=$1 faults=
	for call in $2; do
		case $call in *:*) ;; *) call=$call:error=EAGAIN ;; esac
		faults="$faults -e inject=$call"
	done
	shift 2
	: >calls
	# shellcheck disable=SC2086 # words
	timeout -s KILL 60 strace -f -qq -ttt -o calls $faults "$IPCBOX" "$@" >"$to" 2>err <&3 & tracer=$!
	wait_for enough
	kill -KILL "-$tracer" 2>/dev/null # timeout(1) leads a process group
	wait $tracer 2>/dev/null
	took=$(between)
	ok "$name: 12 calls that failed with EAGAIN took $took ms" test "$took" -ge 200
}
exec 9<>f
yes message | head -n 1000 >&9
hinted 'fifor does not spin if splice gets nothing' splice fifor f
hinted 'fifor -n does not spin if tee gets nothing' tee fifor -n 1 f
hinted 'fifor -F line does not spin if read gets nothing' read fifor -F line f
hinted 'fifor -r does not spin if splice gets nothing' splice fifor -r f
hinted 'fifor -r does not spin if read gets nothing' 'splice:error=EINVAL read' fifor -r f
mkfifo out; exec 8<>out; to=out
hinted 'fifor does not spin if its output takes nothing' write fifor f
to=/dev/null
yes message | head -n 1000 >&9
is 'fifor --flush ends although read gets nothing' flushed=0 \
	"$(timeout -s KILL 60 strace -qq -o calls -e inject=read:error=EAGAIN "$IPCBOX" fifor --flush f)"
ok "fifor --flush does not spin if read gets nothing: $(answers | wc -l) calls" test "$(answers | wc -l)" -lt 12
box fifor --flush f >got
hinted 'fifow does not spin if write has no room' write fifow f message
hinted 'fifow -r does not spin if splice has no room' splice fifow -r f 3<"$IPCBOX"
hinted 'fifow -r does not spin if write has no room' 'splice:error=EINVAL write' fifow -r f 3<"$IPCBOX"
yes message | head -n 100000 >many
hinted 'fifow does not spin if its input has nothing' read fifow f 3<many
hinted 'fifow -b does not spin if its input has nothing' read fifow -b 1k f 3<many
hinted 'fifow -r does not spin if its input has nothing' 'splice:error=EINVAL read' fifow -r f 3<many

# The messages come although write(2) never succeeds.
mkfifo in
timeout -s KILL 20 strace -qq -o calls -e trace=write -e inject=write:error=EAGAIN "$IPCBOX" fifow -b 16k -D newest f <in & PIDS="$PIDS $!"
ok 'fifow -b -D newest takes its input although write has no room' timeout 10 sh -c 'cat many >in'
calls=$(grep -c EAGAIN calls)
ok "fifow -b -D newest tries only now and then: $calls calls of write" test "$calls" -ge 1 -a "$calls" -le 150
yes noise >f & noise=$! PIDS="$PIDS $!"
run box fifor --flush f
like 'fifor --flush ends although a writer never stops' '0 flushed=*' "$rc $out"
kill $noise
