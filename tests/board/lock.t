#!/bin/sh
# The writer's lock: what a mere reader can do, and who is named.
. "${0%/*}/../tap.sh"

if [ -n "$EMULATOR" ] || ! command -v python3 >/dev/null; then
	skip "a reader cannot stop a writer" 'emulated, or no python3'
	exit
fi

# hold LOCK FILE: a process that opened FILE for reading holds LOCK until it is killed
cat >hold.py <<'END2'
import fcntl, os, struct, sys, time
kind, path = sys.argv[1:]
fd = os.open(path, os.O_RDONLY)
lock = struct.pack('hhqqi4x', fcntl.F_RDLCK, 0, 0, 0, 0)
if kind == 'F_RDLCK': fcntl.fcntl(fd, fcntl.F_SETLK, lock)
elif kind == 'F_OFD_RDLCK': fcntl.fcntl(fd, 37, lock)
elif kind == 'LOCK_EX': fcntl.flock(fd, fcntl.LOCK_EX)
elif kind == 'LOCK_SH': fcntl.flock(fd, fcntl.LOCK_SH)
open('held', 'w').close()
time.sleep(100)
END2
hold() { rm -f held; python3 hold.py "$@" & pid=$! PIDS="$PIDS $!"; wait_for test -e held; }
leave() { kill $pid 2>/dev/null; wait $pid 2>/dev/null; }

n=0
for kind in F_RDLCK F_OFD_RDLCK LOCK_EX LOCK_SH; do
	rm -f b
	box mmapw b id=0 name=kept
	hold $kind b
	n=$((n + 1))
	run box mmapw b id=$n
	is "a reader that holds $kind does not stop mmapw" "0  id=$n	 name=kept	 sex=" "$rc $err $(box mmapr -1 b)"
	is 'the numbers of the publications go on' "seq=2" "$(box mmapr -1 -o seq b)"
	run box mmapr -1 -W b
	is "a reader that holds $kind does not look like a writer" "4 mmapr: 'b' has no live writer" "$rc $err"
	run box mmapw -w 10 b id=$n
	is "a reader that holds $kind does not let --wait-lock wait" '0 ' "$rc $err"
	: >blank
	leave
	hold $kind blank
	run box mmapw blank id=$n
	is "a reader that holds $kind of an empty file does not stop mmapw" '0 ' "$rc $err"
	leave
done
rm -f b
box mmapw b id=1
hold F_RDLCK b
bg mmapr -f -o id b >lines; reader=$pid
box mmapr -1 b >first
sleep=$(grep -c . first)
is 'a board that a reader has locked is still read' 1 "$sleep"
wait_for grep -q '^State:.S' "/proc/$reader/status"
box mmapw b id=2
ok 'mmapr -f goes along when mmapw makes a locked board anew' wait_for grep -qx id=2 lines
is 'mmapr -f prints each publication once while the board is made anew' id=2 "$(cat lines)"
kill "$reader" 2>/dev/null
run box mmapw -v b id=3
like 'mmapw -v tells that a reader has locked the board' "0 *" "$rc $err"
bg mmapw -X b id=4; writer=$pid
wait_for box mmapr -1W b
run box mmapw b id=5
like 'mmapw names the live writer of a board that a reader has locked' "3 mmapw: 'b' is held by pid $writer (*)" "$rc $err"
run box mmapr --info b
like 'mmapr --info says that the writer lives' '*writer: alive*' "$out"
kill "$writer"

# The pid in the board is one of the writer's PID namespace.
if unshare --pid --fork true 2>/dev/null; then
	rm -f b
	unshare --pid --fork --kill-child "$IPCBOX" mmapw -X b id=1 2>/dev/null &
	PIDS="$PIDS $!"
	wait_for box mmapr -1W b
	run box mmapw b id=2
	is 'a writer in another PID namespace is not named by a pid of this one' \
		"3 mmapw: 'b' is held by a process of another container" "$rc $err"
	like 'mmapr --info names no process for a writer in another PID namespace' 'no name' \
		"$(box mmapr --info b | grep name: | grep -v schema: || echo no name)"
else
	skip 'a writer in another PID namespace is not named by a pid of this one' 'no PID namespaces'
fi

# What a stranger has put into a directory that all can write to.
if [ "$(id -u)" = 0 ]; then
	for mode in 1777 777; do
		rm -rf open; mkdir open; chmod $mode open
		box mmapw mine id=1
		cp mine open/theirs
		: >open/blank
		ln -s ../mine open/link
		chown -h 65534 open/theirs open/blank open/link
		for name in theirs blank link; do
			what=it; [ $name != link ] || what='a link on its way'
			run box mmapw open/$name id=2
			is "mmapw refuses a stranger's $name in a directory of mode $mode" \
				"1 mmapw: can't open 'open/$name': $what belongs to user 65534, in a directory that others can write to" "$rc $err"
		done
		rm -rf elsewhere; mkdir elsewhere; ln -s ../elsewhere open/way; chown -h 65534 open/way
		run box mmapw open/way/new id=2
		is "mmapw makes no board behind a stranger's link in a directory of mode $mode" \
			"1 mmapw: can't open 'open/way/new': a link on its way belongs to user 65534, in a directory that others can write to " "$rc $err $(ls -A elsewhere)"
		box mmapw elsewhere/old id=1
		run box mmapw open/way/old id=2
		is "mmapw writes to no board behind a stranger's link in a directory of mode $mode" \
			"1 id=1" "$rc $(box mmapr -1 -o id elsewhere/old)"
		is "mmapr reads a stranger's board in a directory of mode $mode" id=1 "$(box mmapr -1 -o id open/theirs)"
		is "the target of a stranger's link stays in a directory of mode $mode" id=1 "$(box mmapr -1 -o id mine)"
		box mmapw open/ours id=3
		run box mmapw open/ours id=4
		is "mmapw writes its own board in a directory of mode $mode" 0 "$rc"
	done
	# strace stops mmapw between its look at the name and its open. x86_64 has open(2), not openat(2).
	rm -rf open; mkdir -m 777 open
	box mmapw open/b id=1
	if [ -z "$EMULATOR" ] && strace -o calls -e inject=open:delay_enter=1 "$IPCBOX" mmapw open/b id=1 2>log && grep -q DELAYED calls; then
		strace -o calls -e inject=open:delay_enter=1000000 "$IPCBOX" mmapw open/b id=2 2>err & pid=$! PIDS="$PIDS $!"
		wait_for sh -c "ls -l /proc/[0-9]*/fd 2>&1 | grep -q 'open/b\$'"
		rm open/b; ln -s ../elsewhere/old open/b; chown -h 65534 open/b
		wait $pid
		is 'mmapw refuses a link that a stranger puts there between the look and the open' \
			"1 mmapw: can't open 'open/b': a link on its way belongs to user 65534, in a directory that others can write to id=1" \
			"$? $(cat err) $(box mmapr -1 -o id elsewhere/old)"
	else
		skip 'mmapw refuses a link that a stranger puts there between the look and the open' 'strace cannot delay open(2) here'
	fi
else
	skip "mmapw refuses a stranger's board in a directory that all can write to" 'not root'
fi

# The cost of a hostile file is what it weighs: 2 GiB, of which almost nothing is there.
cat >sparse.py <<'END2'
import os, struct, zlib
size, slots = 1 << 24, 128
schema = b'x:u8[%d]@0' % (size - 64)
head = b'\x89IPBB\r\n\x1a' + struct.pack('=IHH7I', 0x01020304, 1, 0, 192, 0, slots, size + 64, size - 64, len(schema), zlib.crc32(schema))
boot = b'\x11' * 16
head += struct.pack('=I', zlib.crc32(head + bytes(4) + boot)) + boot + struct.pack('=4IQ', 1, 2, 1, 1, 0) + bytes(40) + schema
with open('sparse', 'wb') as f:
    f.write(head)
    for i in range(slots):
        f.seek(192 + i * (size + 64))
        f.write(struct.pack('=IIQ', i + 128, 0, i + 128))
    f.truncate(192 + slots * (size + 64))
    f.flush()
    print('holes' if os.lseek(f.fileno(), 0, os.SEEK_HOLE) < f.seek(0, 2) else 'none')
END2
if [ "$(python3 sparse.py)" = holes ]; then
	run sh -c "ulimit -t 1; exec '$IPCBOX' mmapr -1 sparse"
	like 'a sparse board of 2 GiB costs mmapr less than a second' "5 mmapr: 'sparse' is damaged: no slot is whole*" "$rc $err"
else
	skip 'a sparse board of 2 GiB costs mmapr less than a second' 'this kernel knows no holes'
fi
rm sparse

# A parent may leave signals blocked.
cat >blocked.py <<'END2'
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGBUS, signal.SIGUSR1])
os.execv(sys.argv[1], sys.argv[1:])
END2
rm -f b
bg mmapw -X b id=1
wait_for box mmapr -1W b
run python3 blocked.py "$IPCBOX" mmapw -w 100ms b id=2
like 'mmapw --wait-lock ends in time where SIGALRM was blocked' "124 mmapw: 'b' is held by *" "$rc $err"
kill $pid
rm -f cut
box mmapw cut id=1
python3 blocked.py "$IPCBOX" mmapr -i 1ms cut >lines 2>err &
pid=$! PIDS="$PIDS $!"
wait_for test -s lines
truncate -s 0 cut
wait $pid
is 'mmapr is exit 5 at a file that is cut off where SIGBUS was blocked' 5 $?
