#!/bin/sh
# The box as PID 1: in namespaces, where powering off ends the namespace. With a kernel of
# its own: make qemu.
LIMIT=100
. "${0%/*}/../tap.sh"

ns='unshare -pfm'
[ "$(id -u)" = 0 ] || ns='unshare -Urpfm'
if [ -n "$EMULATOR" ] || ! $ns true 2>/dev/null; then
	skip 'the box works as PID 1' 'no namespaces here'
	exit
fi
mkdir root && cp "$IPCBOX" root/init || exit

run $ns chroot root /init
like 'as PID 1 the box is its own init and runs pipetest' '*
KTAP version 1
1..*
# Totals: pass:* fail:0 *' "$out"
is 'the last line of the box as PID 1 is its end' '# ipcbox end rc=0' "$(printf '%s\n' "$out" | tail -n 1)"
is 'the box as PID 1 powers off, which ends a namespace' 130 "$rc"
like 'the box as PID 1 mounts /proc' '*, /proc yes, *' "$out"
like 'the box as PID 1 mounts a tmpfs to write in' '*# files in /tmp/pipetest.?????? (tmpfs)*' "$out"
is 'the box as PID 1 prints nothing on stderr' '' "$err"
is 'the mounts of the box as PID 1 end with its namespace' '' "$(find root/proc root/tmp -mindepth 1)"

# The console of a board is a terminal, and what reads it is a log.
if command -v script >/dev/null; then
	timeout "$LIMIT" script -qc "TERM=linux $ns chroot root /init" typescript >/dev/null 2>&1
	like 'pipetest as init prints KTAP on a console that is a terminal' '*KTAP version 1*1..*# Totals: pass:*' "$(cat typescript)"
else
	skip 'pipetest as init prints KTAP on a console that is a terminal' 'no script(1)'
fi

run $ns --mount-proc "$IPCBOX" --version
like 'where /proc is mounted, PID 1 is in a container and runs an applet' '0 ipcbox [0-9]*' "$rc $out"
run $ns --mount-proc "$IPCBOX" pipecap
like 'PID 1 in a container takes any command line' '0 *size=*' "$rc $out"

# With a command line of our own: the mount of /proc, the second one, is made to fail, and the
# file that is there is read. It is the case without /proc, too. -D: the box stays PID 1.
if ! command -v strace >/dev/null || ! $ns strace -D -o log true 2>/dev/null; then
	skip 'ipcbox.run= runs the commands that it lists' 'no strace'
	exit
fi
mv root/init root/ipcbox
# cmdline WORDS: $out, without the empty lines
cmdline() {
	echo "$1" >root/proc/cmdline
	run $ns strace -D -o log -e inject=mount:error=ENODEV:when=2 chroot root /ipcbox
	out=$(printf '%s\n' "$out" | grep .)
}
cmdline "quiet ipcbox.run=pipetest,-t,tut.p1.hello.pipe panic=-1"
like 'rdinit=/ipcbox runs what the command line says, here without /proc' 'KTAP version 1
*, /proc no, *
# Totals: pass:1 *
# ipcbox end rc=0' "$out"
is 'rdinit=/ipcbox powers off at the end' 130 "$rc"
cmdline 'ipcbox.run=pipecap;--version;pipecap,-m'
like 'ipcbox.run= runs several commands one after the other' 'size=*
ipcbox [0-9]*
size=*
# ipcbox end rc=0' "$out"
cmdline 'ipcbox.run=pipecap ipcbox.run=--version ipcbox.running=pipecap'
like 'the last ipcbox.run= of the command line counts' 'ipcbox [0-9]*
# ipcbox end rc=0' "$out"
cmdline 'ipcbox.run=nosuch;--version;pipecap,--nosuch'
like 'the first failure of ipcbox.run= is the status, and the commands behind it run' 'ipcbox [0-9]*
# ipcbox end rc=127' "$out"
like 'ipcbox.run= names an applet that it does not know' "*no applet 'nosuch'*" "$err"
cmdline 'ipcbox.run=;;--version;'
like 'an empty command of ipcbox.run= is left out' 'ipcbox [0-9]*
# ipcbox end rc=0' "$out"
cmdline "ipcbox.run=pipecap$(seq 100 | sed 's/.*/,-q/' | tr -d '\n'),--nosuch"
is 'ipcbox.run= keeps every word of a command' '# ipcbox end rc=2' "$out"

# A command that is killed, with a child: fifow waits for a reader in it.
mkfifo root/f root/g
echo 'ipcbox.run=fifow,/f,x;fifor,/g' >root/proc/cmdline
$ns strace -D -o log -e inject=mount:error=ENODEV:when=2 chroot root /ipcbox >out 2>err & all=$!
PIDS="$PIDS $all"
children() { pgrep -x -P "$1" ipcbox; }
reader() { children "$box" | grep -vx -e "$writer" -e "$orphan"; }
no_zombie() { ps -o stat= --ppid "$box" | awk '/Z/ { exit 1 }'; }
wait_for children $all; box=$(children $all)
wait_for children $box; writer=$(children $box)
wait_for children $writer; orphan=$(children $writer)
kill -KILL $writer $orphan
wait_for reader
ok 'the box as PID 1 reaps zombies, also those of killed processes' wait_for no_zombie
kill -KILL "$(reader)"
wait $all
is 'the status of a command that died of a signal is 128 and the number of the signal' '# ipcbox end rc=137' "$(grep . out)"
