#!/bin/sh
. "${0%/*}/../tap.sh"

# How messages are told apart, and what becomes of long ones.
spawn() { exec $EMULATOR "$IPCBOX" "$@"; }
start() { : >got; spawn fifor -t 10 -e exit "$@" f >got 2>err & reader=$!; }
text() { printf '%b' "$1"; }
long() { printf "%0${1}d" 7; }
mkfifo f

start -F nul -0
printf 'a\nb\0c' | box fifow -0 -F nul f
wait $reader
is '--frame=nul' "$(text '0 read:a\nb:read:c:')" "$? $(tr '\0' : <got)"
run box fifow -F line f 'a
b'
is 'a newline cannot be in a line' '1 fifow: a message contains a newline: use --frame=len' "$rc $err"

start -F line -o plain
run box fifow -L f "$(long 10000)" short "$(long 100000)"
wait $reader
is '--lock: long messages, as lines' '10000 5 100000' "$(awk '{ printf "%s%d", sep, length($0); sep = " " }' got)"
run box fifow -L -F packet f "$(long 5000)"
is 'but a packet cannot be longer' 1 "$rc"

start -F line -o plain
exec 9>f # so that the reader does not leave before the last of them has come
for n in 1 2 3 4; do
	yes "$n$(long 20000)" | head -n 20 | spawn fifow -L f & writers="$writers $!"
done
wait $writers
exec 9>&-
wait $reader
is 'several at once: none is mixed' '20 1 20001 20 2 20001 20 3 20001 20 4 20001' \
	"$(awk '{ print substr($0, 1, 1), length($0) }' got | sort | uniq -c | xargs)"

exec 9<>f
spawn fifow -L f "$(long 100000)" & writer=$!
wait_for grep -q 'OFDLCK.*WRITE' /proc/locks
run box fifow -F line -t 200ms f short
is 'nor with the short ones of a writer without --lock' \
	"124 fifow: timed out: 'f' is locked by another writer" "$rc $err"
kill $writer; wait $writer
exec 9<&-
if command -v strace >/dev/null && [ -z "$EMULATOR" ]; then
	for frame in line nul len; do
		start -F $frame -o plain
		seq 10000 | strace -c -o calls "$IPCBOX" fifow -F $frame f; wait $reader
		writes=$(awk '$NF == "write" { print $4 }' calls)
		ok "$frame: 10000 short messages in $writes writes" test "$writes" -lt 200
		is "$frame: and all there, in order" "$(seq 10000 | cksum)" "$(cksum <got)"
	done
else
	skip 'short messages in few writes' 'no strace'
fi
start -F len -o plain
box fifow -F len f "$(long 100000)" '' short 'two
lines'
wait $reader
is '--frame=len: any size, any bytes' "$(text "0 $(long 100000)\n\nshort\ntwo\nlines")" "$? $(cat got)"
start -F len -J
box fifow -F len f one two three
wait $reader
is 'its number and its writer are in the JSON' '1 2 3' "$(grep -o '"seq":[0-9]*' got | cut -d : -f 2 | xargs)"
is 'nothing was lost' '0 0 0' "$(grep -o '"lost":[0-9]*' got | cut -d : -f 2 | xargs)"

exec 9<>f
box fifow -F len f 'x
y' z "$(long 9000)"
: >got
for n in 1 2; do box fifor -t 5 -F len -o plain -n $n f >>got; done
is '-n takes whole frames and no more' "$(printf 'x\ny\nz\n%s' "$(long 9000)")" "$(cat got)"
exec 9<&-

exec 9<>f # another writer stays: no end of file
: >got; spawn fifor -t 10 -F len -o plain -n 2 f >got 2>err & reader=$!
box fifow -F len f first
wait_for grep -q first got
kill -STOP $reader
spawn fifow -F len f "$(long 120000)" & writer=$!
wait_for grep -q 'OFDLCK.*WRITE' /proc/locks
blocked() { grep -q '^State:.S' "/proc/$writer/status"; }
wait_for blocked
kill -9 $writer; wait $writer 2>/dev/null
kill -CONT $reader
timeout 5 "$IPCBOX" fifow -F len f second
wait $reader
is 'a frame whose writer was killed does not keep back the next one' '0 first second' "$? $(xargs <got)"
like 'with a report' 'fifor: resync=*' "$(cat err)"
exec 9<&-

# The FIFO is replaced in the middle of a message: the rest of it comes through the old one.
for frame in len line; do
	: >got; spawn fifor -F $frame -o plain f >got 2>err & reader=$!
	box fifow -t 10 -F $frame f first
	wait_for grep -q first got
	kill -STOP $reader
	spawn fifow -L -F $frame f "$(long 120000)" next & writer=$!
	wait_for grep -q 'OFDLCK.*WRITE' /proc/locks
	wait_for blocked
	rm f; mkfifo f
	kill -CONT $reader
	wait $writer
	box fifow -t 10 -F $frame f new
	wait_for grep -q new got
	is "$frame: a long message in a FIFO that is replaced" "5 120000 4 3 " "$(awk '{ print length($0) }' got | xargs) $(cat err)"
	kill $reader; wait $reader
done

# frame SEQ TEXT: as formats.md has it, out of python's hands
if command -v python3 >/dev/null; then
	cat >frame.py <<-'EOF'
	import struct, sys, zlib
	def frame(seq, text, writer=7):
	    head = struct.pack('<4sIII', b'IPF\1', len(text), writer, seq)
	    return head + struct.pack('<I', zlib.crc32(text, zlib.crc32(head))) + text
	EOF
	start -F len -o plain -n 1
	python3 -c '
from frame import *
import fcntl, time
out = open("f", "wb", 0)
lock = lambda kind: fcntl.fcntl(out, 37, struct.pack("hhqqi", kind, 0, 0, 0, 0)) # F_OFD_SETLK
lock(fcntl.F_WRLCK)
out.write(frame(1, b"x" * 999)[:99] + frame(1, b"next", 8))
time.sleep(1)
lock(fcntl.F_UNLCK)
try:
    while True: time.sleep(.1); open("/proc/'$reader'/stat").read().split()[2] == "Z" and exit()
except FileNotFoundError: pass' 2>/dev/null
	wait $reader
	is 'nor where the lock goes after the last byte has come' '0 next' "$? $(cat got)"
	start -F len -o plain
	python3 -c '
from frame import *
out = open("f", "wb", 0)
out.write(frame(1, b"one") + b"noise IPF" + frame(2, b"two")[:-1] + b"X" + frame(5, b"five") + frame(1, b"again"))
out.write(struct.pack("<4sIIII", b"IPF\1", 99, 8, 1, 0) + b"a writer that died" + frame(6, b"six"))'
	wait $reader
	is 'noise, damage and a cut frame are passed over' 'one five again six' "$(xargs <got)"
	is 'with a report' "$(text 'fifor: resync=32\nfifor: lost=3 writer=7\nfifor: resync=38\nfifor: lost=4 writer=7')" "$(cat err)"
	start -F len -o plain
	python3 -c '
import time
from frame import *
out = open("f", "wb", 0)
for byte in frame(1, b"slow") + frame(2, b"and steady"):
    out.write(bytes([byte]))
    time.sleep(0.01)'
	wait $reader
	is 'bytes that come one by one, without a lock' 'slow and steady' "$(xargs <got)"
	start -r
	box fifow -F len f hello
	wait $reader
	ok 'the bytes are those of the format' python3 -c '
from frame import *
got = open("got", "rb").read()
assert got == frame(1, b"hello", struct.unpack("<I", got[8:12])[0]), got'
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
