#!/bin/sh
# These boards are on file systems of FUSE: on two that are packaged, and on fuse.py, which answers
# with the errors that some others give.
. "${0%/*}/../tap.sh"

if [ "$(id -u)" != 0 ] || [ -n "$EMULATOR" ]; then skip 'a board works on FUSE, or mmapw is exit 77 and names /dev/shm' 'not root, or emulated'; exit; fi
if ! [ -c /dev/fuse ] || ! command -v python3 >/dev/null; then skip 'a board works on FUSE, or mmapw is exit 77 and names /dev/shm' 'no /dev/fuse, or no python3'; exit; fi
trap 'kill $PIDS 2>/dev/null; umount -l mnt 2>/dev/null; [ -z "$loop" ] || losetup -d "$loop"; rm -rf "$T"; echo "1..$N"' EXIT
mkdir mnt lower

is_mounted() { grep -q " $T/mnt fuse" /proc/mounts; }
# mounted OPTION... - mounts fuse.py with these options
mounted() {
	python3 "$room/fuse.py" "$T/mnt" "$@" 2>log & PIDS="$PIDS $!"
	for try in 1 2 3 4 5 6 7 8 9 10; do
		! is_mounted || return 0
		sleep 0.2
	done
	cat log
	return 1
}
unmounted() { umount mnt; }
refused="77 mmapw: can't share 'mnt/b' on this file system: use /dev/shm or /run: "

if ! mounted; then skip 'a board works on FUSE, or mmapw is exit 77 and names /dev/shm' "$(cat log)"; exit; fi
# Some kernels mount it, and do not know all that it asks for.
if ! ls mnt >log 2>&1; then skip 'a board works on FUSE, or mmapw is exit 77 and names /dev/shm' "$(cat log)"; exit; fi
run box mmapw mnt/b id=1
is 'mmapw makes a board on FUSE' '0 id=1' "$rc $(box mmapr -1 -o id mnt/b)"
run box mmapw mnt/b id=2
is 'mmapw writes to a board on FUSE' '0 id=2' "$rc $(box mmapr -1 -o id mnt/b)"
bg mmapw -X mnt/b id=3
wait_for sh -c "[ \"\$('$IPCBOX' mmapr -1W -o id mnt/b)\" = id=3 ]"
run box mmapw mnt/b id=4
like 'the lock keeps a second writer away on FUSE' "3 mmapw: 'mnt/b' is held by pid $pid (*" "$rc $err"
kill $pid; wait $pid 2>/dev/null
run box mmapw --replace -S id:i64 mnt/b id=4
is 'mmapw --replace makes the board anew on FUSE' '0 id=4 b' "$rc $(box mmapr -1 mnt/b) $(ls -A mnt)"
unmounted

mounted direct
run box mmapw mnt/b id=1
is 'mmapw is exit 77 where FUSE has no shared mappings' "${refused}No such device" "$rc $err$(ls -A mnt)"
box mmapw lower/b id=1
cp lower/b mnt/b
run box mmapr -1 mnt/b
is 'mmapr is exit 77 where FUSE has no shared mappings' \
	"77 mmapr: can't share 'mnt/b' on this file system: use /dev/shm or /run: No such device" "$rc $err"
unmounted

# The numbers are those of asm-generic/errno.h; MIPS, alpha, sparc and parisc have others.
case $(uname -m) in
mips* | alpha | sparc* | parisc*) skip 'mmapw is exit 77 where FUSE refuses locks' 'other numbers of errors'; exit ;;
esac
for error in '38 ENOSYS' '22 EINVAL' '95 EOPNOTSUPP' '37 ENOLCK'; do
	name=${error#* }
	mounted locks="${error% *}"
	run box mmapw mnt/b id=1
	like "mmapw is exit 77 where FUSE answers locks with $name" "$refused*" "$rc $err"
	is "mmapw leaves no file where FUSE answers locks with $name" '' "$(ls -A mnt)"
	cp lower/b mnt/b
	run box mmapw mnt/b id=2
	like "mmapw of an old board is exit 77 where FUSE answers locks with $name" "$refused*" "$rc $err"
	run box mmapr -1 -o id mnt/b
	is "mmapr reads a board where FUSE answers locks with $name" '0 id=1 ' "$rc $out $err"
	run box mmapr -1W mnt/b
	is "mmapr -W sees no writer where FUSE answers locks with $name" "4 mmapr: 'mnt/b' has no live writer" "$rc $err"
	unmounted
done
mounted posix=38
run box mmapw -v mnt/b id=1
like 'mmapw -v says that flock(2) stands in where FUSE has no locks of fcntl(2)' \
	'0 mmapw: *no locks of fcntl(2) here: flock(2) stands in*' "$rc $err"
bg mmapw -X mnt/b id=2
wait_for sh -c "[ \"\$('$IPCBOX' mmapr -1W -o id mnt/b)\" = id=2 ]"
run box mmapw mnt/b id=3
is 'flock(2) keeps a second writer away where FUSE has no locks of fcntl(2)' 3 "$rc"
kill $pid; wait $pid 2>/dev/null
unmounted

# passes NAME - the board works as on any file system
passes() {
	run box mmapw mnt/b id=1
	is "mmapw makes a board on $1" '0 id=1 b' "$rc $(box mmapr -1 -o id mnt/b) $(ls -A mnt | grep b)"
	bg mmapr -f -s 0 -t 10s -o id mnt/b >seen
	wait_for grep -q id=1 seen
	run box mmapw mnt/b id=2
	wait_for grep -q id=2 seen
	is "mmapr -f sees a publication on $1" 'id=2' "$(tail -n 1 seen)"
	kill $pid; wait $pid 2>/dev/null
}
if command -v bindfs >/dev/null && bindfs lower mnt 2>log; then
	rm -f lower/b
	passes bindfs
	unmounted
else
	skip 'mmapw makes a board on bindfs' 'no bindfs'
fi
if command -v ntfs-3g >/dev/null && command -v mkfs.ntfs >/dev/null && truncate -s 20M ntfs.img &&
	mkfs.ntfs -q -F ntfs.img >log 2>&1 && ntfs-3g ntfs.img mnt 2>log; then
	passes ntfs-3g
	unmounted
else
	skip 'mmapw makes a board on ntfs-3g' 'no ntfs-3g, or no image of it'
fi
if command -v mount.exfat-fuse >/dev/null && command -v mkfs.exfat >/dev/null && truncate -s 20M exfat.img &&
	mkfs.exfat exfat.img >log 2>&1 && loop=$(losetup -f --show exfat.img 2>log) &&
	mount.exfat-fuse "$loop" mnt >log 2>&1; then
	passes exfat-fuse
	run box mmapw --replace -S id:i64 mnt/b id=3
	is 'mmapw --replace makes the board anew on exfat-fuse' '0 id=3 b' "$rc $(box mmapr -1 mnt/b) $(ls mnt)"
	unmounted
else
	skip 'mmapw makes a board on exfat-fuse' 'no exfat-fuse, no exfatprogs, or no loop devices'
fi
