#!/bin/sh
# record.sh FS DIR - runs the commands that promise durability, on a disk that records each write
#
# DIR/log is the record. It also has the marks "start NAME" and "done NAME" of each command. DIR/old
# and DIR/new hold the old and the new content of the files. $IPCBOX is the box. $WITHOUT, if there
# is one, is tests/missing/without.c: with it, pcopy runs once where nothing is ever flushed.
#
# It runs in a mount namespace of its own (unshare -m), which takes the mounts along when it ends.
set -eu
fs=$1 dir=$2 here=$(cd "${0%/*}" && pwd)
case $fs in xfs) size=320 ;; btrfs) size=128 ;; *) size=64 ;; esac
mkdir -p "$dir/fuse" "$dir/mnt"
mnt=$dir/mnt
until_there() { tries=0; until [ -e "$1" ]; do tries=$((tries + 1)); [ $tries -lt 1000 ]; sleep 0.01; done; }
nbdkit -f -U "$dir/sock" python "$here/disk.py" log="$dir/log" size=$((size << 20)) & server=$!
until_there "$dir/sock"
nbdfuse "$dir/fuse" --unix "$dir/sock" & fuse=$!
trap 'touch "$dir/stop"; umount -l "$mnt" "$dir/fuse" 2>/dev/null || :; kill $server $fuse 2>/dev/null || :' EXIT
until_there "$dir/fuse/nbd"
disk=$dir/fuse/nbd
case $fs in
ext4) mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 "$disk" ;;
xfs) mkfs.xfs -q -K -f "$disk" ;;
btrfs) mkfs.btrfs -q -K -f "$disk" ;;
esac
mount -o loop "$disk" "$mnt"
# mark TEXT - writes a record of the kind M (see disk.py) with one write
mark() {
	text=$*
	# shellcheck disable=SC2059 # the length is an escape of the format
	printf 'M\0\0\0\0\0\0\0\0'"\\$(printf %03o ${#text})"'\0\0\0%s' "$text" >>"$dir/log"
}

# sync_beside - makes the journal commit in the middle of a copy, so that a wrong order of writes
# shows
sync_beside() { while [ ! -e "$dir/stop" ]; do sync -f "$mnt"; done; }
# step NAME CMD... - runs CMD, with a mark before and after it
step() {
	name=$1; shift
	mark "start" "$name"
	"$@" >/dev/null || echo "record.sh: $name: status $?" >&2
	mark "done" "$name"
}
pcopy() { "$IPCBOX" pcopy "$@"; }
# interrupted - leaves the file of a copy that failed in its middle, with which --resume goes on
interrupted() {
	head -c 450000 "$dir/new" | pcopy -R --expect 0 - "$mnt/resume" 2>"$dir/err" || [ $? = 5 ]
	sync -f "$mnt"
}
torn() {
	for again in 1 2 3 4 5 6; do cp "$dir/old" "$mnt/cp"; cp "$dir/new" "$mnt/cp"; done
	sync
}
# careless - is a pcopy that believes each flush is done, and none is
careless() {
	"$WITHOUT" 0 fsync,fdatasync,syncfs,sync,sync_file_range,msync "$IPCBOX" pcopy "$dir/new" "$mnt/careless"
}

head -c 300000 /dev/urandom >"$dir/old"
head -c 900000 /dev/urandom >"$dir/new"
head -c 9000000 /dev/urandom >"$dir/large"
mkdir "$mnt/several" "$dir/many"
for name in one two three; do cp "$dir/new" "$dir/many/$name"; cp "$dir/old" "$mnt/several/$name"; done
for name in default preserve resume data direct cp careless; do cp "$dir/old" "$mnt/$name"; done
head -c 900000 /dev/zero >"$mnt/update"
"$IPCBOX" mmapw "$mnt/board" id=0
sync -f "$mnt"
mark start all
sync_beside & beside=$!
step default pcopy "$dir/new" "$mnt/default"
step preserve pcopy -p -y -B 128k "$dir/new" "$mnt/preserve" 2
step fresh pcopy "$dir/new" "$mnt/fresh"
step interrupted interrupted
step resume pcopy -R "$dir/new" "$mnt/resume"
step update pcopy -u "$dir/new" "$mnt/update"
step several pcopy "$dir/many/one" "$dir/many/two" "$dir/many/three" "$mnt/several"
step data pcopy --sync=data "$dir/new" "$mnt/data"
step cp torn
for id in 1 2 3 4 5 6; do
	step "board $id" "$IPCBOX" mmapw --persist=each "$mnt/board" id=$id
done
# The large file comes last: each image behind it costs twice as much to read.
step direct pcopy "$dir/large" "$mnt/direct" 2
touch "$dir/stop"
wait $beside
# No sync is beside this one: what it leaves to the kernel is not on the disk when it ends.
[ -z "${WITHOUT-}" ] || step careless careless
umount "$mnt"
# The loop device may keep its file open for a moment: nbdfuse ends when it is closed.
umount -l "$dir/fuse"
wait $fuse
