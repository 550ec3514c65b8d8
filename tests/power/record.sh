#!/bin/sh
# record.sh FS DIR - runs the commands that promise durability, on a disk that records each write
#
# DIR/log is the record. It also has the marks "start NAME" and "done NAME" of each command. DIR/old
# and DIR/new hold the old and the new content of the files. $IPCBOX is the box.
set -eu
fs=$1 dir=$2 here=$(cd "${0%/*}" && pwd)
case $fs in xfs) size=320 ;; btrfs) size=128 ;; *) size=64 ;; esac
mkdir -p "$dir/fuse" "$dir/mnt"
mnt=$dir/mnt
cleanup() {
	umount "$mnt" 2>/dev/null || :
	[ -z "${loop-}" ] || losetup -d "$loop" || :
	# The loop device keeps its file open for a moment.
	tries=0
	until umount "$dir/fuse" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || break
		sleep 0.01
	done
	kill "$server" 2>/dev/null || :
}
nbdkit -f -U "$dir/sock" python "$here/disk.py" log="$dir/log" size=$((size << 20)) & server=$!
trap cleanup EXIT
until_there() { tries=0; until [ -e "$1" ]; do tries=$((tries + 1)); [ $tries -lt 1000 ]; sleep 0.01; done; }
until_there "$dir/sock"
nbdfuse "$dir/fuse" --unix "$dir/sock" &
until_there "$dir/fuse/nbd"
loop=$(losetup -f --show "$dir/fuse/nbd")
case $fs in
ext4) mkfs.ext4 -q -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 "$loop" ;;
xfs) mkfs.xfs -q -K -f "$loop" ;;
btrfs) mkfs.btrfs -q -K -f "$loop" ;;
esac
mount "$loop" "$mnt"
mark() { python3 -c 'import struct, sys
text = sys.argv[2].encode()
open(sys.argv[1], "ab", buffering=0).write(struct.pack("<cQI", b"M", 0, len(text)) + text)' "$dir/log" "$*"; }

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

head -c 300000 /dev/urandom >"$dir/old"
head -c 900000 /dev/urandom >"$dir/new"
head -c 9000000 /dev/urandom >"$dir/large"
mkdir "$mnt/several" "$dir/many"
for name in one two three; do cp "$dir/new" "$dir/many/$name"; cp "$dir/old" "$mnt/several/$name"; done
for name in default preserve resume data direct cp; do cp "$dir/old" "$mnt/$name"; done
head -c 900000 /dev/zero >"$mnt/update"
"$IPCBOX" mmapw "$mnt/board" id=0
sync -f "$mnt"
mark start all
sync_beside & beside=$!
for round in 1 2; do
	step default pcopy "$dir/new" "$mnt/default"
	step preserve pcopy -p -y -B 128k "$dir/new" "$mnt/preserve" 2
	step fresh pcopy "$dir/new" "$mnt/fresh$round"
	step interrupted interrupted
	step resume pcopy -R "$dir/new" "$mnt/resume"
	step update pcopy -u "$dir/new" "$mnt/update"
	step several pcopy "$dir/many/one" "$dir/many/two" "$dir/many/three" "$mnt/several"
	step data pcopy --sync=data "$dir/new" "$mnt/data"
	step direct pcopy "$dir/large" "$mnt/direct" 2
	step cp torn
	for id in 1 2 3 4 5 6; do
		step "board $((round * 10 + id))" "$IPCBOX" mmapw --persist=each "$mnt/board" id=$((round * 10 + id))
	done
done
: >"$dir/stop"
wait $beside
umount "$mnt"
