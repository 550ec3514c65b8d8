#!/bin/sh
# After any cut of power, a file is the old one or the new one. It is the new one if its command had
# ended with status 0 before the cut.
. "${0%/*}/../tap.sh"

# CUTS is the number of images for each file system: it is 300 here, and 10000 in make check-long.
: "${CUTS:=300}"
for need in python3 nbdkit nbdfuse losetup; do
	command -v $need >/dev/null || { skip 'no cut of power breaks a promise of pcopy or mmapw' "no $need"; exit; }
done
if [ "$(id -u)" != 0 ] || [ -n "$EMULATOR" ]; then skip 'no cut of power breaks a promise of pcopy or mmapw' 'not root, or emulated'; exit; fi
[ -c /dev/fuse ] || { skip 'no cut of power breaks a promise of pcopy or mmapw' 'no /dev/fuse'; exit; }
losetup -f >log 2>&1 || { skip 'no cut of power breaks a promise of pcopy or mmapw' 'no loop devices'; exit; }
trap 'umount "$W"/*/cut "$W"/*/mnt 2>/dev/null; kill $PIDS 2>/dev/null; rm -rf "$T" "$W"; echo "1..$N"' EXIT
# The images are made in memory, if it can be had.
W=$(mktemp -d -p /dev/shm ipcbox.XXXXXX 2>log) || W=$T/work
export IPCBOX

# count NAME - prints the number that the last line of cut.py has for NAME on $fs
count() { sed -n "\$s/.*\\<$1=\\([0-9]*\\).*/\\1/p" $fs.cuts; }
# cut_power - records the commands on a disk with the file system $fs, and cuts the power
cut_power() {
	mkdir -p "$W/$fs"
	timeout 300 sh "$room/record.sh" $fs "$W/$fs" >$fs.log 2>$fs.err
	echo $? >$fs.status
	[ "$(cat $fs.status)" != 0 ] || python3 "$room/cut.py" "$W/$fs" $fs "$CUTS" ${SEED:+"$SEED"} >$fs.cuts 2>&1
	rm -rf "${W:?}/$fs"
}
torn=0 tried=
for fs in ext4 xfs btrfs; do
	if ! command -v mkfs.$fs >/dev/null || ! grep -qw $fs /proc/filesystems; then
		skip "$fs: no cut of power breaks a promise" "no mkfs.$fs, or not in this kernel"
		continue
	fi
	tried="$tried $fs"
	cut_power & PIDS="$PIDS $!"
done
wait
for fs in $tried; do
	is "$fs: the commands succeed on the disk that is recorded" '0 ' "$(cat $fs.status) $(cat $fs.err)"
	[ -s $fs.cuts ] || continue
	say "$(tail -n 1 $fs.cuts)"
	is "$fs: no cut of power breaks a promise" '' "$(sed '$d' $fs.cuts | head -n 5)"
	ok "$fs: at least 9 of 10 images can be mounted" test "$(($(count unmountable) * 10))" -lt "$(count images)"
	ok "$fs: some cuts leave a file that --resume goes on with" test "$(count resumed)" -gt 0
	torn=$((torn + $(count cp)))
done
[ -z "$tried" ] || ok "the same cuts catch cp && sync with half a file, or an old one: $torn times" test "$torn" -gt 0
