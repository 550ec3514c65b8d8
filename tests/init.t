#!/bin/sh
# The box as PID 1: in namespaces, where powering off ends the namespace. With a kernel of
# its own: make qemu.
LIMIT=100
. "${0%/*}/tap.sh"

ns='unshare -pfm'
[ "$(id -u)" = 0 ] || ns='unshare -Urpfm'
if [ -n "$EMULATOR" ] || ! $ns true 2>/dev/null; then
	skip 'PID 1' 'no namespaces here'
	exit
fi
mkdir root && cp "$IPCBOX" root/init || exit

run $ns chroot root /init
like 'it is its own init: pipetest runs' '*
KTAP version 1
1..*
# Totals: pass:* fail:0 *' "$out"
is 'the end is the last line' '# ipcbox end rc=0' "$(printf '%s\n' "$out" | tail -n 1)"
like 'it has mounted /proc' '*, /proc yes, *' "$out"
like 'and a tmpfs to write in' '*# files in /tmp/pipetest.?????? (tmpfs)*' "$out"
is 'nothing on stderr' '' "$err"
is 'the mounts went with it' '' "$(find root/proc root/tmp -mindepth 1)"

run $ns --mount-proc "$IPCBOX" --version
like 'with /proc mounted it is a container: an applet runs' '0 ipcbox [0-9]*' "$rc $out"
run $ns --mount-proc "$IPCBOX" pipecap
like 'and any command line works' '0 *size=*' "$rc $out"
