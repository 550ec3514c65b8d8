#!/bin/sh
. "${0%/*}/../tap.sh"

# How messages are told apart, and what becomes of long ones.
spawn() { exec $EMULATOR "$IPCBOX" "$@"; }
start() { : >got; spawn fifor -t 60 -e exit "$@" f >got 2>err & reader=$!; }
text() { printf '%b' "$1"; }
long() { printf "%0${1}d" 7; }
mkfifo f
# What nobody has read stays in the FIFO of some kernels, although nobody has it open.
anew() { rm f; mkfifo f; }

start -F nul -0
printf 'a\nb\0c' | box fifow -0 -F nul f
wait $reader
is '--frame=nul keeps newlines within messages' "$(text '0 read:a\nb:read:c:')" "$? $(tr '\0' : <got)"
run box fifow -F line f 'a
b'
is 'a newline cannot be in a line' '1 fifow: a message contains a newline: use --frame=len' "$rc $err"

start -F line -o plain
run box fifow -L -F line f "$(long 10000)" short "$(long 100000)"
wait $reader
is '--lock: long messages, as lines' '10000 5 100000' "$(awk '{ printf "%s%d", sep, length($0); sep = " " }' got)"
run box fifow -L -F packet f "$(long 5000)"
is '--lock --frame=packet refuses a message above PIPE_BUF' 1 "$rc"

start -F line -o plain
exec 9>f # so that the reader does not leave before the last of them has come
for n in 1 2 3 4; do
	yes "$n$(long 20000)" | head -n 20 | spawn fifow -L -F line f & writers="$writers $!"
done
wait $writers
exec 9>&-
wait $reader
is 'long lines of four writers with --lock at once are not mixed' '20 1 20001 20 2 20001 20 3 20001 20 4 20001' \
	"$(awk '{ print substr($0, 1, 1), length($0) }' got | sort | uniq -c | xargs)"

exec 9<>f
spawn fifow -L -F line f "$(long 100000)" & writer=$!
blocked() { grep -q '^State:.S' "/proc/$writer/status" && [ "$(box pipecap -g -f f | cut -f 3)" -gt 60000 ]; }
wait_for blocked # The lock is held then.
run box fifow -F line -t 200ms f short
is 'a writer without --lock waits while another sends a long line under its lock' \
	"124 fifow: timed out: 'f' is locked by another writer" "$rc $err"
kill -9 $writer; wait $writer 2>/dev/null
exec 9<&-
anew
if has_strace; then
	for frame in line nul len; do
		start -F $frame -o plain
		seq 10000 | strace -c -o calls "$IPCBOX" fifow -F $frame f; wait $reader
		writes=$(awk '$NF == "write" { print $4 }' calls)
		ok "fifow --frame=$frame sends 10000 short messages in $writes writes" test "$writes" -lt 200
		seq 10000 >wanted
		ok "10000 short messages of --frame=$frame arrive in order" cmp wanted got
	done
else
	skip 'fifow sends 10000 short messages in few writes' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
fi
start -F len -o plain
box fifow -F len f "$(long 100000)" '' short 'two
lines'
wait $reader
is '--frame=len: any size, any bytes' "$(text "0 $(long 100000)\n\nshort\ntwo\nlines")" "$? $(cat got)"
start -F len -J
box fifow -F len f one two three
wait $reader
is 'the number of a frame is in the JSON' '1 2 3' "$(grep -o '"seq":[0-9]*' got | cut -d : -f 2 | xargs)"
is 'the JSON of frames that all came says that none was lost' '0 0 0' "$(grep -o '"lost":[0-9]*' got | cut -d : -f 2 | xargs)"

exec 9<>f
box fifow -F len f 'x
y' z "$(long 9000)"
: >got
for n in 1 2; do box fifor -t 5 -F len -o plain -n $n f >>got; done
is '-n takes whole frames and no more' "$(printf 'x\ny\nz\n%s' "$(long 9000)")" "$(cat got)"
exec 9<&-
anew

exec 9<>f # another writer stays: no end of file
: >got; spawn fifor -t 10 -F len -o plain -n 2 f >got 2>err & reader=$!
box fifow -F len f first
wait_for grep -q first got
kill -STOP $reader
spawn fifow -F len f "$(long 120000)" & writer=$!
wait_for blocked
kill -9 $writer; wait $writer 2>/dev/null
kill -CONT $reader
timeout 5 "$IPCBOX" fifow -F len f second
wait $reader
is 'a frame whose writer was killed does not keep back the next one' '0 first second' "$? $(xargs <got)"
like 'a message whose writer was killed is reported as cut off' 'fifor: cut=* writer=*' "$(cat err)"
exec 9<&-
anew

# The FIFO is replaced in the middle of a message: the rest of it comes through the old one.
for frame in len line; do
	: >got; spawn fifor -F $frame -o plain f >got 2>err & reader=$!
	box fifow -t 10 -F $frame f first
	wait_for grep -q first got
	kill -STOP $reader
	spawn fifow -L -F $frame f "$(long 120000)" next & writer=$!
	wait_for blocked
	rm f; mkfifo f
	kill -CONT $reader
	wait $writer
	box fifow -t 10 -F $frame f new
	wait_for grep -q new got
	is "$frame: a long message in a FIFO that is replaced" "5 120000 4 3 " "$(awk '{ print length($0) }' got | xargs) $(cat err)"
	kill $reader; wait $reader
done

# frame SEQ TEXT: as fifo.5 has it, out of python's hands
if command -v python3 >/dev/null; then
	cat >frame.py <<-'EOF'
	import struct, sys, zlib
	def part(seq, text, writer=7, run=1, offset=0, n=None, total=None):
	    n = len(text) - offset if n is None else n
	    head = struct.pack('<4sIIHHIII', b'IPF\2', len(text) if total is None else total, offset, n, 0,
	        writer, run, seq)
	    data = text[offset:offset + n]
	    return head + struct.pack('<I', zlib.crc32(data, zlib.crc32(head))) + data
	frame = part
	out = None
	def send(*pieces):
	    global out
	    out = out or open("f", "wb", 0)
	    for piece in pieces: out.write(piece)
	EOF
	# parts NAME EXPECTED ERRORS PYTHON [ARG...]: what fifor prints of what python sends
	parts() {
		name=$1 expected=$2 errors=$3 program=$4; shift 4
		start -F len -o plain "$@"
		python3 -c "from frame import *
$program"
		wait $reader
		is "$name" "$expected" "$(xargs <got)"
		is "$name: what is reported" "$errors" "$(sed 's/^fifor: //' err | xargs)"
	}
	parts 'a frame that its writer never ends is passed over when the next message comes' 'next' 'cut=99 writer=7' \
		'send(part(1, b"x" * 999, n=99), part(1, b"next", 8))'
	parts 'noise, damage and a cut frame are passed over' 'one five again six' \
		'resync=44 lost=3 writer=7 resync=50 lost=4 writer=7' '
send(frame(1, b"one") + b"noise IPF" + frame(2, b"two")[:-1] + b"X" + frame(5, b"five") + frame(1, b"again", run=2))
send(struct.pack("<4sIIHHIIII", b"IPF\2", 99, 0, 99, 0, 8, 1, 1, 0) + b"a writer that died" + frame(10, b"six"))'
	parts 'bytes of a frame that come one by one are put together' 'slow and steady' '' '
import time
for byte in frame(1, b"slow") + frame(2, b"and steady"):
    send(bytes([byte]))
    time.sleep(0.01)'
	parts 'parts of several writers are put together by writer' 'abcdef ABCDEF' '' '
send(part(1, b"abcdef", n=3), part(1, b"ABCDEF", 8, n=2), part(1, b"abcdef", offset=3), part(1, b"ABCDEF", 8, offset=2))'
	parts 'two runs with one process number are two writers' 'old new' '' \
		'send(part(9, b"old"), part(1, b"new", run=2))'
	parts 'a message is cut off when its writer begins the next one' 'next' 'cut=3 writer=7' \
		'send(part(1, b"abcdef", n=3), part(2, b"next"))'
	parts 'a message that its writer begins anew is no loss' 'abcdef' '' \
		'send(part(1, b"abcdef", n=3), part(1, b"abcdef"))'
	parts 'the end of a message without its beginning is cut off, and reported once' 'next' 'cut=2 writer=7' \
		'send(part(1, b"abcdef", offset=2, n=2), part(1, b"abcdef", offset=4), part(2, b"next"))'
	parts 'a message that is cut off by the end of its writer is reported' '' 'cut=3 writer=7' \
		'send(part(1, b"abcdef", n=3))'
	parts 'a text that looks like a report of losses is text' 'dropped 41' '' 'send(part(1, b"dropped 41"))'
	start -F len -J --stats
	python3 -c '
from frame import *
for seq in 1, 3: send(b"".join(part(seq, b"", w) for w in range(1000)))'
	wait $reader
	is 'a loss is seen for each of 1000 writers' '1000 1000' \
		"$(grep -c 'lost=1 ' err) $(sed -n 's/.*"dropped":\([0-9]*\),.*/\1/p' err)"
	start -r
	box fifow -F len f hello
	wait $reader
	ok 'the bytes are those of the format' python3 -c '
from frame import *
got = open("got", "rb").read()
assert got == frame(1, b"hello", *struct.unpack("<II", got[16:24])), got'
	start -J
	box fifow f 'a"b\c	d' "$(text '\0303\0251')" "$(text '\0377x')"
	wait $reader
	ok 'JSON: text as it is, other bytes as base64' python3 -c '
import json, base64
a, b, c = map(json.loads, open("got"))
assert (a["data"], a["len"], b["data"], base64.b64decode(c["data_b64"])) == ("a\"b\\c\td", 7, "\u00e9", b"\xffx")'
else
	skip 'frames made by hand' 'no python3'
fi
