#!/bin/sh
# mmapw and mmapr run as root in a directory where the user nobody can write, rename and remove.
# strace(1) holds them at a call while nobody acts, so that each race is certain.
. "${0%/*}/../tap.sh"

if [ "$(id -u)" != 0 ] || [ -n "$EMULATOR" ] || ! command -v python3 >/dev/null; then
	skip 'mmapw and mmapr as root are safe beside the user nobody' 'not root, emulated, or no python3'
	exit
fi
chmod 755 "$T"
umask 022
belongs='a link on its way belongs to user 65534, in a directory that others can write to'

# --- mmapr follows no link of another user
mkdir -m 700 closed
box mmapw closed/b id=7
for mode in 1777 777 1775; do
	mkdir -m $mode "m$mode"
	chgrp 65534 "m$mode"
	nobody ln -s ../closed/b "m$mode/link"
	nobody ln -s ../closed "m$mode/way"
	ln -s "m$mode/link" "ours$mode"
	ln -s ../closed/b "m$mode/mine"
	for name in "m$mode/link" "m$mode/way/b" "ours$mode"; do
		for action in -1 '-w -t 1' '-f -t 1' -H --info --check --emit-c; do
			run box mmapr $action "$name"
			is "mmapr $action does not follow a stranger's link in a directory of mode $mode: $name" \
				"1 mmapr: can't open '$name': $belongs" "$rc $err"
		done
	done
	run box mmapr -1 -o id "m$mode/mine"
	is "mmapr follows its user's link in a directory of mode $mode" '0 id=7 ' "$rc $out $err"
done
mkdir his; chown 65534 his; nobody ln -s ../closed/b his/link
run box mmapr -1 -o id his/link
is "mmapr follows the link of a directory's owner" '0 id=7 ' "$rc $out $err"

# --- a board that becomes a link while mmapr follows it
mkdir -m 777 open
box mmapw open/b id=1
bg mmapr -f -s 0 -t 100 -o id open/b >seen 2>err
wait_for grep -q id=1 seen
nobody sh -c 'rm open/b; ln -s ../closed/b open/b'
wait $pid
is "mmapr -f ends where a stranger's link takes the place of its board" \
	"1 mmapr: can't open 'open/b': $belongs id=1" "$? $(cat err) $(cat seen)"

# --- the cost of another user's board
cat >sparse.py <<'END2'
import struct, sys, zlib
size, slots = 1 << 22, 16
schema = b'x:u8[%d]@0' % (size - 64)
head = b'\x89IPBB\r\n\x1a' + struct.pack('=IHH7I', 0x01020304, 1, 0, 192, 0, slots, size + 64, size - 64, len(schema), zlib.crc32(schema))
boot = bytes.fromhex(open('/proc/sys/kernel/random/boot_id').read().strip().replace('-', ''))
head += struct.pack('=I', zlib.crc32(head + bytes(4) + boot)) + boot + struct.pack('=4IQ', 1, 2, 1, 1, 0) + bytes(40) + schema
with open(sys.argv[1], 'wb') as f:
    f.write(head)
    f.truncate(192 + slots * (size + 64))
END2
kib() { du -k "$1" | cut -f1; }
python3 sparse.py his/sparse; chown 65534 his/sparse
before=$(kib his/sparse)
if [ "$before" -lt 1000 ]; then
	run box mmapw his/sparse - </dev/null
	is "mmapw does not fill the holes of another user's board of 64 MiB" "$before" "$(kib his/sparse)"
else
	skip "mmapw does not fill the holes of another user's board of 64 MiB" 'this file system has no holes'
fi

if ! has_strace; then
	skip 'nothing changes hands between the look of mmapr and its open' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
	exit
fi

# --- what is being made is private, and is committed by inode
for mask in 022 000; do
	rm -f open/new
	(umask $mask; strace -o calls -e trace=open,openat,mkdir,chmod,fchmod "$IPCBOX" mmapw open/new id=1)
	is "the file that mmapw makes with umask $mask has mode 0600 from its first instant" ', 0600)' \
		"$(sed -n 's/.*O_CREAT.*\(, 0[0-7]*)\) = .*/\1/p' calls)"
done
rm -f open/b; box mmapw open/b id=1
for old in none root; do
	[ $old = root ] || rm -f open/b
	options=; [ $old = none ] || options='--replace -S id:i64'
	held '?rename,?renameat,renameat2' 1 -- mmapw $options open/b id=2
	nobody sh -c 'cd open; for f in .mmapw.*; do mv "$f" away; echo forged >"$f"; done'
	let_go
	is "mmapw fails where nobody swaps its temporary file: $old" "1 mmapw: 'open/b' was removed or replaced" "$rc $err"
	is "mmapw writes no record into a swapped temporary file: $old" forged "$(cat open/b)"
	rm -f open/away open/b; box mmapw open/b id=1
done

# --- between the look of mmapr and its open
if [ "$(uname -m)" = x86_64 ]; then # other machines have no open(2)
	held open 2 -- mmapr -1 -o id open/b
	nobody sh -c 'mv open/b open/away; ln -s ../closed/b open/b'
	let_go
	is 'mmapr reads the board that it looked at, not one to which a new link leads' '0 id=1 ' "$rc $out $err"
else
	skip 'mmapr reads the board that it looked at, not one to which a new link leads' 'not x86_64'
fi
