#!/bin/sh
. "${0%/*}/../tap.sh"

# The processor time of a message grows with its bytes. A message of 64 MiB takes 16 times as long as
# one of 4 MiB. If the time grew with the square of the bytes, it would take 256 times as long, so
# the limit stands far from both: at 64.
if ! command -v python3 >/dev/null; then
	skip 'the time of a message grows with its bytes' 'no python3'
	exit
fi
mkfifo f
cat >linear.py <<'END'
import os, subprocess, sys
box, (what, writer, reader) = sys.argv[1].split(), sys.argv[2].split('>')
MIB = 1 << 20
def cost(size):
    """The seconds that both ends take for one message, which comes to fifow through a pipe"""
    r = subprocess.Popen(box + ['fifor', '-e', 'exit', '-t', '60'] + reader.split() + ['f'], stdout=subprocess.PIPE)
    count = subprocess.Popen(['wc', '-c'], stdin=r.stdout, stdout=subprocess.PIPE)
    w = subprocess.Popen(box + ['fifow'] + writer.split() + ['f', '-'], stdin=subprocess.PIPE)
    for _ in range(size // MIB):
        w.stdin.write(b'x' * MIB)
    w.stdin.close()
    ends = [os.wait4(p.pid, 0) for p in (w, r)]
    if any(status for _, status, _ in ends): sys.exit('failed: %s' % ends)
    r.stdout.close()
    got = int(count.communicate()[0])
    if got not in (size, size + len('read:\n')): sys.exit('%d bytes of %d came' % (got, size))
    return [usage.ru_utime + usage.ru_stime for _, _, usage in ends]
few = [min(times) for times in zip(*(cost(4 * MIB) for _ in range(3)))]
many = cost(64 * MIB)
for name, a, b in zip(('fifow', 'fifor'), few, many):
    print('%s: %.0f ms for 4 MiB, %.0f ms for 64 MiB' % (name, a * 1000, b * 1000))
    if b > 64 * max(a, .002): print('TOO SLOW')
END
for case in 'frames>-F len>-F len' 'frames, which the default reader knows>-L>' 'a line>-L -F line>-F line' \
	'a line, for the default reader>-L -F line>' 'a message that NUL ends>-L -F nul>-F nul' 'raw bytes>-r>-r'; do
	python3 linear.py "$EMULATOR $IPCBOX" "$case" >out 2>&1
	ok "64 MiB cost at most 64 times what 4 MiB cost: ${case%%>*}" sh -c 'cat out; test $(wc -l <out) = 2'
	sed 's/^/#   /' out
done

# nobody may write to the FIFO of root, and sends no newline.
if [ "$(id -u)" != 0 ]; then
	skip 'bytes without an end do not stop fifor' 'not root'
	exit
fi
chmod 755 "$T"
mkfifo -m 622 mail
as() { python3 -c "$be_nobody" "$@"; }
# The default reader takes PIPE_BUF bytes or fewer that come at once for a message. So each write(2)
# has 64 KiB, however few bytes the other commands pass on at a time.
bytes() { as sh -c "exec 2>/dev/null; yes | tr -d '\n' | head -c $1 | dd obs=64k >mail"; }
kilobytes() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"; }
all_read() { [ "$(box pipecap -g -f mail | cut -f 3)" = 0 ]; }
bg fifor -o plain mail >got 2>err
exec 9>mail # There is no end of file between the writers.
bytes 80000000
wait_for all_read
first=$(kilobytes)
bytes 320000000
wait_for all_read
second=$(kilobytes)
ok "fifor takes $first KiB after 80 MB without an end, and $second KiB after 400 MB" test $((second - first)) -le 1024
as sh -c 'echo; echo next' >mail
wait_for test -s got
is 'fifor passes over 400 MB without an end, reports them, and lives on' 'next fifor: oversized=400000000' "$(cat got err | xargs)"
as sh -c 'exec 2>/dev/null; yes | tr -d "\n" >mail' 2>/dev/null & endless=$! PIDS="$PIDS $!"
sleep 0.3
kill "$pid"
ended() { ! grep -q '^State:.[^Z]' "/proc/$pid/status" 2>/dev/null; }
ok 'SIGTERM ends fifor while bytes without an end come' wait_for ended
wait "$pid"
is 'the status of fifor after SIGTERM is 143' 143 $?
