#!/bin/sh
. "${0%/*}/../tap.sh"

# root uses a FIFO in a directory where nobody (65534) can write, too. The kernel's fs.protected_*
# are taken as off. strace(1) holds root at a call while nobody acts, so that each race is certain.
if [ "$(id -u)" != 0 ] || ! command -v python3 >/dev/null; then
	skip 'fifow and fifor refuse what strangers made' 'not root, or no python3'
	exit
fi
chmod 755 "$T"
others='in a directory that others can write to'

for mode in 1777 777 1775; do
	mkdir -m $mode "m$mode"
	chgrp 65534 "m$mode"
	nobody mkfifo "m$mode/his"
	for applet in 'fifow -N' 'fifow -N -p' 'fifor -t 10ms -p' 'fifor --hold -t 10ms -p'; do
		case $applet in fifow*) message=x ;; *) message= ;; esac
		run box $applet "m$mode/his" $message
		is "$applet refuses a stranger's FIFO in a directory of mode $mode" \
			"1 ${applet%% *}: can't open 'm$mode/his': it belongs to user 65534, $others" "$rc $err"
	done
	run box fifor -t 10ms "m$mode/his"
	is "fifor without -p reads a stranger's FIFO in a directory of mode $mode" 124 "$rc"
	run box fifow -p -u -N "m$mode/ours" x
	is "fifow -p makes a FIFO in a directory of mode $mode" "3 fifow: 'm$mode/ours' has no reader" "$rc $err"
done
mkdir -m 755 his; chown 65534 his
nobody mkfifo -m 666 his/f
run box fifow -N his/f x
is "fifow writes to a FIFO of the directory's owner" "3 fifow: 'his/f' has no reader" "$rc $err"

# Links: at the end of the name, on its way, and behind a link of our own.
mkfifo f; mkdir d; mkfifo d/f
nobody ln -s "$T/f" m1777/link
nobody ln -s ../d m1777/dir
ln -s m1777/link ours
for name in m1777/link m1777/dir/f ours; do
	for applet in 'fifow -N' 'fifor -t 10ms'; do
		case $applet in fifow*) message=x ;; *) message= ;; esac
		run box $applet $name $message
		is "$applet refuses a stranger's link: $name" \
			"1 ${applet%% *}: can't open '$name': a link on its way belongs to user 65534, $others" "$rc $err"
	done
done
run box fifow -p -N m1777/dir/new x
is "fifow -p makes nothing behind a stranger's link" 1 "$rc$(ls d/new 2>/dev/null)"
ln -s "$T/d/" whole; ln -s d/../d/./f odd
for name in whole/f odd ./d//f "$T/whole/f"; do
	run box fifow -N "$name" x
	is "fifow follows our own links: ${name#"$T/"}" 3 "$rc"
done
ln -s loop loop
run box fifow -N loop x
like 'fifow refuses a loop of links' "1 fifow: can't open 'loop'*: *ymbolic link*" "$rc $err"
exec 7<>f
run box fifow -N /dev/fd/7 x
is 'fifow writes to a descriptor by its name in /dev/fd' '0 read:x' "$rc $(box fifor -t 10ms f 2>/dev/null)"
exec 7>&-

if ! has_strace; then
	skip 'nothing changes hands between look and open' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
	exit
fi
export ASAN_OPTIONS=detect_leaks=0
# The first open(2) is that of the root directory, the second that of the FIFO.
# nobody replaces the FIFO by a link to one that root alone may use. A reader in open(2) shows
# whether anybody has opened that one for writing.
mkdir -m 700 secret; mkfifo secret/f
(exec 8<secret/f; : >opened) & PIDS="$PIDS $!"
mkfifo m777/f
held open 2 -- fifow -N m777/f secret
nobody sh -c 'mv m777/f m777/away && ln -s ../secret/f m777/f'
let_go
is 'fifow opens the FIFO that it looked at, not the one put in its place' \
	"3 fifow: 'm777/f' has no reader no" "$rc $err $(ls opened 2>/dev/null || echo no)"
# A message waits in the other FIFO, where a reader would take it.
mkfifo m777/in
exec 8<>secret/f; echo secret >&8
held open 2 -- fifor -t 1ms m777/in
nobody sh -c 'mv m777/in m777/away && ln -s ../secret/f m777/in'
let_go
is 'fifor opens the FIFO that it looked at, not the one put in its place' \
	"1  fifor: can't open 'm777/in': a link on its way belongs to user 65534, $others" "$rc $out $err"
is 'fifor takes no message out of the FIFO that a new link leads to' 7 "$(box pipecap -g -f secret/f | cut -f3)"
exec 8>&-

# A FIFO that is made has its mode at once, whatever the umask, and no later call narrows it.
for command in 'fifow -p -N m777/new x' 'fifor -p -t 1ms m777/new' 'fifor -p --hold -t 1ms m777/new' \
	'fifow --create=620 -N m777/new x'; do
	(umask 0; strace -f -o calls -e trace=mknod,mknodat,chmod,fchmod,fchmodat "$IPCBOX" $command 2>/dev/null)
	case $command in *=620*) mode=620 ;; *) mode=600 ;; esac
	is "the FIFO is private from its first instant: $command" "S_IFIFO|0$mode" \
		"$(sed -n 's/^[0-9 ]*mknod.*, \(S_IFIFO.*\)) *= 0$/\1/p; /chmod/p' calls)"
	rm -f m777/new
done

# nobody puts his FIFO in the place of the one that was just made.
held '?newfstatat,?fstatat64,?statx' 1 -- fifow -p -u -N m777/made x
nobody sh -c 'mv m777/made m777/was && mkfifo m777/made'
let_go
is "fifow -p -u uses no FIFO that a stranger put in the place of its own" \
	"1 fifow: can't open 'm777/made': it belongs to user 65534, $others" "$rc $err"
ok "fifow -p -u removes no FIFO that it did not make" test -p m777/made
# The same, when the FIFO is in use.
bg fifor -p -u m777/used 2>err
wait_for test -p m777/used
nobody sh -c 'mv m777/used m777/old && mkfifo m777/used'
wait_for test -s err
wait "$pid"
is "fifor -p -u leaves a FIFO that a stranger put in the place of its own, and ends" \
	"1 fifor: can't open 'm777/used': it belongs to user 65534, $others" "$? $(cat err)"
ok 'the FIFO of a stranger is not removed' test -p m777/used


# A FIFO that everybody may write to: nobody locks it in each way that a writer can.
mkfifo -m 622 mail
bg fifor --hold mail
cat >lock.py <<-'EOF'
	import fcntl, os, struct, sys, time
	fd = os.open(sys.argv[1], os.O_WRONLY)
	fcntl.flock(fd, fcntl.LOCK_EX)
	fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)) # F_OFD_SETLK
	open(sys.argv[2], "w").close()
	time.sleep(60)
EOF
chmod 644 lock.py; mkdir -m 1777 word
python3 -c "$be_nobody" python3 lock.py mail word/locked & locker=$! PIDS="$PIDS $!"
wait_for test -e word/locked
box fifow -N mail letter
run box fifor -n 1 -t 5 mail
is "a writer's locks do not stop fifor" "0 read:letter fifor: a writer has locked 'mail': other readers are not kept out" "$rc $out $err"
box fifow -N mail letter
run box fifor -X -q -n 1 -t 5 mail
is "a writer's locks do not stop fifor --exclusive" '0 read:letter ' "$rc $out $err"
run box fifow --stats -N -E drop -F line mail x
is 'fifow -N -E drop drops a message that would wait for a lock' \
	'0 fifow: messages=0 bytes=0 dropped=1 reconnects=0 waits=0' "$rc $err"
run box fifow -N -F line mail x
is 'fifow -N is exit 3 where another has the lock' "3 fifow: 'mail' is locked by another writer" "$rc $err"
kill "$locker"; wait "$locker" 2>/dev/null

# nested headers and endless messages: each claims a part that the next one begins in
cat >headers.py <<-'EOF'
	import os, struct, sys
	head = struct.pack("<4sIIHHIIII", b"IPF\2", 1 << 26, 0, int(sys.argv[2]), 0, 1, 1, 1, 1)
	with open(sys.argv[1], "wb") as f:
	    for _ in range(64):
	        f.write(head * 2048)
EOF
chmod 644 headers.py
for part in 0 4064 65535; do
	bg fifor -q mail >/dev/null
	nobody timeout 100 python3 headers.py mail $part
	wait_for eval 'box pipecap -g -f mail | grep -q "	0$"'
	# the time of the processor in ticks, user and system (proc_pid_stat(5))
	took=$(($(cut -d " " -f 14 "/proc/$pid/stat") + $(cut -d " " -f 15 "/proc/$pid/stat")))
	took=$((took / $(getconf CLK_TCK)))
	kill "$pid"; wait "$pid"
	rc=$?
	ok "4 MiB of nested headers, each with a part of $part bytes, take fifor $took s of the processor" test $took -le 5
	is "SIGTERM ends fifor after nested headers, each with a part of $part bytes" 143 $rc
done
