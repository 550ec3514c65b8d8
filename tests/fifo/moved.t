#!/bin/sh
. "${0%/*}/../tap.sh"

# A name that comes to mean another FIFO while fifor reads.
ended() { kill "$reader"; wait "$reader" 2>/dev/null; }

# The FIFO goes, its writer leaves, and the FIFO comes back under its name.
mkfifo back
bg fifor -o plain back >got 2>err
reader=$pid
exec 9>back
echo one >&9
wait_for grep -q one got
mv back away
exec 9>&-
sleep 0.1
mv away back
box fifow -t 5 back two
ok 'fifor goes on with a FIFO that went and came back' wait_for grep -q two got
ended

# Three FIFOs had the name, one after the other, and each has a writer that stays.
mkfifo many
bg fifor -o plain many >got 2>err
reader=$pid
exec 5>many
mkfifo new; mv new many
exec 6>many
mkfifo new; mv new many
exec 7>many
for n in 5 6 7; do (eval "echo $n >&$n") 2>/dev/null; done
all_three() { test "$(sort got | xargs)" = '5 6 7'; }
ok 'fifor reads every FIFO that had the name while its writer stays' wait_for all_three
exec 5>&- 6>&- 7>&-
none_deleted() { ! ls -l "/proc/$reader/fd" | grep -q deleted; }
ok 'fifor closes each FIFO that had the name when its writer has left' wait_for none_deleted

# A writer to the older FIFO never stops.
yes noise >many & noise=$! PIDS="$PIDS $!"
wait_for grep -q noise got
mkfifo new; mv new many
box fifow -t 10 many signal
ok 'a writer that never stops keeps no FIFO of the name away' wait_for grep -q signal got
kill $noise; wait $noise 2>/dev/null
ended

# The name comes to mean another FIFO while fifor looks at it. strace(1) makes each race certain:
# it delays a call, or lets a watch succeed that does not stand, as if its event had come before.
if ! has_strace; then
	skip 'fifor notices each move of the name' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
	exit
fi
export ASAN_OPTIONS=detect_leaks=0

# traced INJECTION FIFO: fifor reads the FIFO under strace
traced() {
	: >got
	strace -D -o calls -e "trace=${1%%:*}" -e "inject=$1" "$IPCBOX" fifor -o plain "$2" >got 2>err & reader=$!
	PIDS="$PIDS $reader"
	wait_for open_in_fifor "$2"
}
open_in_fifor() { ls -l "/proc/$reader/fd" | grep -q "/${1##*/}\$"; }
calls() { test "$(wc -l <calls)" -ge "$1"; }

# The name goes while its first watch is made, and the watch does not see that.
mkfifo r
traced inotify_add_watch:retval=1:delay_exit=500000:when=2 r
rm r
wait_for calls 2
sleep 0.1
mkfifo r
box fifow -t 5 r again
ok 'fifor notices a FIFO whose name went before it was looked at again' wait_for grep -q again got
ended

# An event comes from the way to the name; then the name changes, without another event.
mkdir d; mkfifo d/r
traced inotify_add_watch:retval=1:when=3+3 d/r
wait_for calls 3
chmod 700 d
wait_for calls 6
rm d/r; mkfifo d/r
box fifow -t 5 d/r renamed
ok 'fifor notices a FIFO that got the name after the event' wait_for grep -q renamed got
ended

# Bytes come all the time, and there is no watch at all.
mkfifo busy
strace -D -o calls -e trace=inotify_init1 -e inject=inotify_init1:error=EMFILE "$IPCBOX" fifor -o plain busy >got 2>err & reader=$!
PIDS="$PIDS $reader"
(while echo busy; do sleep 0.05; done) >busy 2>/dev/null & PIDS="$PIDS $!"
wait_for grep -q busy got
mkfifo new; mv new busy
box fifow -t 5 busy renamed
ok 'fifor without a watch looks at the name also while it is busy' wait_for grep -q renamed got
ended
:
