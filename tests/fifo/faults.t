#!/bin/sh
. "${0%/*}/../tap.sh"

# Each system call of a message's way made to fail in turn: the message arrives and both say
# 0, or one says what it could not do, with a status of the table. A fault in eleven; FAULTS=all:
# each error at each call.
errors='ENOSYS EINTR EAGAIN ENOMEM EIO EPERM EMFILE ENOSPC EINVAL'
LIMIT=9
if ! has_strace; then
	skip 'system calls that fail' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
	exit
fi
export ASAN_OPTIONS=detect_leaks=0
made=0 f=
long=$(printf '%09000d' 7)
printf 'a\n%s\n' "$long" >long.in
printf 'a\nb\n' >short.in
head -c 100000 /dev/urandom >raw.in

# work KIND [STRACE ARG...]: sets $rc, leaves got and err
work() {
	kind=$1; shift
	rm -f "$f" got calls; f=f$((made += 1)); mkfifo $f
	case $kind in
	late | queue) (sleep 0.1; exec timeout $LIMIT cat $f >got) & ;;
	raw-w) timeout $LIMIT "$IPCBOX" fifor -t 5 -e exit -r $f >got 2>/dev/null & ;;
	*-w) timeout $LIMIT "$IPCBOX" fifor -t 5 -e exit -o plain -F "${kind%-w}" $f >got 2>/dev/null & ;;
	raw-r) timeout $LIMIT "$IPCBOX" fifow -t 5 -r $f <raw.in 2>/dev/null & ;;
	*-r) timeout $LIMIT "$IPCBOX" fifow -t 5 -F "${kind%-r}" $f <"$input" 2>/dev/null & ;;
	esac
	peer=$!
	case $kind in
	late) set -- "$@" "$IPCBOX" fifow -t 5 -F line $f - ;;
	queue) set -- "$@" "$IPCBOX" fifow -t 5 -b 1k -F line $f - ;;
	raw-w) set -- "$@" "$IPCBOX" fifow -t 5 -r $f - ;;
	*-w) set -- "$@" "$IPCBOX" fifow -t 5 -F "${kind%-w}" $f - ;;
	raw-r) set -- "$@" "$IPCBOX" fifor -t 5 -e exit -r $f ;;
	*-r) set -- "$@" "$IPCBOX" fifor -t 5 -e exit -o plain -F "${kind%-r}" $f ;;
	esac
	case $kind in
	*-r) timeout -s KILL $LIMIT strace -f -qq -o calls "$@" </dev/null >got 2>err ;;
	*) timeout -s KILL $LIMIT strace -f -qq -o calls "$@" <"$input" 2>err ;;
	esac
	rc=$?
	[ $rc = 0 ] || kill $peer 2>/dev/null
	wait $peer 2>/dev/null
}
# What is wrong, if anything
verdict() {
	case $rc in
	0) cmp -s got "$input" || echo "status 0, but $(wc -c <got) bytes" ;;
	1 | 3 | 77 | 124) [ -s err ] || grep -q 'write(2.*INJECTED' calls || echo "status $rc without a word" ;;
	*) echo "status $rc" ;;
	esac
}

for kind in line-w packet-w len-w raw-w late queue line-r len-r auto-r raw-r; do
	case $kind in raw*) input=raw.in ;; len*) input=long.in ;; *) input=short.in ;; esac
	work $kind
	ok "$kind: all arrives when no call fails, and the status is 0 ($rc)" eval 'test "$rc" = 0 && cmp got "$input"'
	n=0
	: >wrong
	# A signal's and the loader's own calls are nobody's to check; pause(2) has no error.
	calls=$(sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' calls | sort -u |
		grep -vE '^(execve|exit|exit_group|arch_prctl|set_tid_address|kill|pause|rt_sigreturn)$')
	for fault in $(for call in $calls; do for e in $errors; do echo "$call:error=$e:when="; done; done); do
		n=$((n + 1))
		[ "${FAULTS-}" = all ] || [ $((n % 11)) = 0 ] || continue
		for when in 1 2; do
			work $kind -e inject="$fault$when"
			why=$(verdict)
			[ -z "$why" ] || echo "$fault$when: $why: $(cat err)" >>wrong
		done
	done
	ok "fifow and fifor of $kind lose nothing when a system call fails, or say so" test ! -s wrong
	sed 's/^/#   /' wrong
done
