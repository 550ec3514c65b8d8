#!/bin/sh
# These tests run pcopy on other file systems. It works there as on ext4, or refuses the copy before
# the first byte.
. "${0%/*}/../tap.sh"
. "$room/pcopy.sh"
export EMULATOR
if ! command -v python3 >/dev/null; then skip 'pcopy works on other file systems' 'no python3'; exit; fi
if [ "$(id -u)" != 0 ] || [ -n "$EMULATOR" ]; then skip 'pcopy works on other file systems' 'not root, or emulated'; exit; fi

trap 'umount "$T"/* 2>/dev/null; kill $PIDS 2>/dev/null; rm -rf "$T"; echo "1..$N"' EXIT
have() { command -v "$1" >/dev/null; }
head -c 3000003 /dev/urandom >src
head -c 2000000 /dev/urandom >other
mkdir mnt real a b low up work

# copies NAME DIR OPTION... - checks that pcopy makes a new file in DIR and replaces an old one, and
# leaves nothing else; NAME is that of the file system
copies() {
	fs=$1 dir=$2; shift 2
	rm -f "$dir/dst"
	for before in nothing 'an old file'; do
		run box pcopy "$@" src "$dir/dst"
		is "$fs: pcopy $* over $before succeeds" '0 ' "$rc $err"
		ok "$fs: pcopy $* over $before copies each byte" cmp src "$dir/dst"
		cp other "$dir/dst"
	done
	is "$fs: pcopy $* leaves no temporary file" '' "$(ls -A "$dir" | grep '^.pcopy-')"
}
# longest DIR - prints the number of bytes of the longest name that a file in DIR can have
longest() { python3 -c 'import os, sys
for n in range(255, 0, -1):
    name = sys.argv[1] + "/" + "7" * n
    try: os.close(os.open(name, os.O_CREAT)); os.unlink(name); print(n); break
    except OSError: pass' "$1"; }
# all_modes NAME DIR - checks all ways to copy into DIR, which is on the file system NAME
all_modes() {
	copies "$1" "$2"
	for options in --inplace -u -R '-e mmap' '-p -c' '--sparse=always'; do
		# shellcheck disable=SC2086 # words
		copies "$1" "$2" $options
	done
	bytes=$(longest "$2")
	long=$(printf "%0${bytes}d" 7)
	for options in '' -R --inplace; do
		# shellcheck disable=SC2086
		run box pcopy $options src "$2/$long"
		is "$1: DST of pcopy $options can have the longest name of $bytes bytes" '0 ' "$rc $err"
	done
	rm -f "$2/$long"
	greek=$(python3 -c 'import sys; print("\u00e9" * min(120, int(sys.argv[1]) // 2))' "$bytes")
	run box pcopy src "$2/$greek"
	is "$1: DST has a name of letters that take two bytes each" '0 ' "$rc $err"
	rm -f "$2/$greek"
	run box pcopy src other "$2"
	is "$1: two files go into a directory" '0 ' "$rc $err"
	ok "$1: the second of two files is whole" cmp other "$2/other"
	run box pcopy --compare src "$2/src"
	is "$1: --compare finds no difference" '0 ' "$rc $err"
	printf x | dd of="$2/src" bs=1 seek=2500000 conv=notrunc status=none
	run box pcopy --compare src "$2/src"
	like "$1: --compare names the first byte" "[05] *" "$rc $err"
}

for fs in ext4 xfs btrfs; do
	if have mkfs.$fs && truncate -s 512M image && mkfs.$fs -q image >log 2>&1 && mount -o loop image mnt 2>log; then
		all_modes $fs mnt
		copies $fs mnt -y
		umount mnt
	else
		skip "$fs: pcopy works on this file system" "no mkfs.$fs, or no loop devices"
	fi
	rm -f image
done
if mount -t tmpfs none mnt 2>log; then
	all_modes tmpfs mnt
	umount mnt
else
	skip tmpfs 'it can not be mounted here'
fi

# The upper directory is on a tmpfs, because the kernel refuses one on an overlayfs, which / can be.
if mount -t tmpfs none up 2>log && mkdir up/up up/work && mount -t overlay -o lowerdir=low,upperdir=up/up,workdir=up/work none mnt 2>log; then
	all_modes overlayfs mnt
	umount mnt
	cp other low/dst
	mount -t overlay -o lowerdir=low,upperdir=up/up,workdir=up/work none mnt
	copies 'overlayfs over a file of the lower layer' mnt
	ok 'overlayfs: the file of the lower layer stays as it was' cmp other low/dst
	umount mnt
else
	skip overlayfs 'it can not be mounted here'
fi
umount up 2>log

# bindfs refuses FUSE_FLUSH with ENOSYS, and close(2) then succeeds on Linux. A kernel where close
# fails instead is not tried with FUSE.
fuse='no bindfs, or no /dev/fuse'
broken_fuse() {
	cp other a/probe 2>err && rm a/probe && return 1
	umount a b
	fuse='close(2) of a file on bindfs fails'
}
# Each mount of bindfs has locks of its own: a lock of one does not exclude a lock of the other.
if have bindfs && bindfs real a 2>log && bindfs real b 2>log && ! broken_fuse; then
	all_modes bindfs a
	head -c 30000000 /dev/urandom >one; head -c 30000000 /dev/urandom >two
	# both OPTION... - copies two files to one DST through two mounts; the second copy ends later
	both() {
		mkfifo feed1 feed2
		box pcopy "$@" - a/both <feed1 2>err1 & first=$!
		box pcopy "$@" - b/both <feed2 2>err2 & second=$!
		exec 8>feed1 9>feed2
		head -c 10000000 one >&8; head -c 10000000 two >&9
		tail -c +10000001 one >&8; exec 8>&-
		wait $first; status1=$?
		seen=$(cksum <real/both)
		tail -c +10000001 two >&9; exec 9>&-
		wait $second; status2=$?
		rm feed1 feed2
	}
	for options in '' -R; do
		rm -f a/both b/both
		# shellcheck disable=SC2086
		both $options
		is "two mounts, pcopy $options: the first copy is whole when its status is 0" "0 $(cksum <one)" "$status1 $seen"
		is "two mounts, pcopy $options: the second copy finds another file in its place" \
			"3 pcopy: 'b/both' was made by another process while it was copied" "$status2 $(cat err2)"
		ok "two mounts, pcopy $options: DST is still the first copy" cmp one real/both
	done
	rm -f real/.pcopy-* a/both b/both
	for round in 1 2 3 4 5; do
		box pcopy one a/both 2>err & first=$!
		box pcopy two b/both 2>err; status2=$?
		wait $first; status1=$?
		holds=none
		if cmp -s one real/both; then holds=1; elif cmp -s two real/both; then holds=2; fi
		case $status1$status2$holds in
		001 | 002 | 031 | 302) ;; *) echo "round $round: $status1 $status2 holds $holds" ;; esac
	done >bad
	is 'two mounts: DST is the whole file of a copy that succeeded' '' "$(cat bad)"
	if have strace && strace -o log true 2>err; then
		EMULATOR='strace -f -qq -o log --seccomp-bpf -e trace=flock -e inject=flock:error=ENOSYS'
		all_modes 'bindfs without flock(2)' a
		EMULATOR=
	fi
	umount a b
else
	skip bindfs "$fuse"
fi

skip 'a FUSE file system that refuses flock(2)' 'none is packaged: bindfs with strace stands for it'
mkdir crypt
have_fuse() { [ "${fuse#close}" = "$fuse" ] && have "$1"; }
if have_fuse encfs && encfs --standard --extpass='echo secret' "$T/crypt" "$T/mnt" >log 2>&1; then
	all_modes encfs mnt
	umount mnt
else
	skip encfs 'no encfs, or no /dev/fuse'
fi

if have_fuse mount.exfat-fuse && have mkfs.exfat && truncate -s 64M image && mkfs.exfat image >log 2>&1 \
	&& loop=$(losetup -f --show image) && mount.exfat-fuse "$loop" mnt >log 2>&1; then
	all_modes exfat mnt
	umount mnt
else
	skip exfat 'no exfat-fuse, or no /dev/fuse'
fi
[ -z "$loop" ] || losetup -d "$loop"
loop=
if have_fuse ntfs-3g && have mkntfs && truncate -s 64M image2 && mkntfs -qF image2 >log 2>&1 \
	&& loop=$(losetup -f --show image2) && ntfs-3g "$loop" mnt >log 2>&1; then
	all_modes ntfs mnt
	umount mnt
else
	skip ntfs 'no ntfs-3g, or no /dev/fuse'
fi
[ -z "$loop" ] || losetup -d "$loop"
if have mksquashfs && mksquashfs src squash -quiet -no-progress >log 2>&1 && mount -o loop squash mnt 2>log; then
	run box pcopy -y mnt/src dst
	is 'squashfs: pcopy copies a file from there' '0 ' "$rc $err"
	ok 'squashfs: pcopy copies each byte from there' cmp src dst
	run box pcopy src mnt/new
	like 'squashfs: pcopy refuses to make a file there' "1 pcopy: can't create a temporary file beside 'mnt/new': Read-only file system" "$rc $err"
	run box pcopy other mnt/src
	like 'squashfs: pcopy refuses to replace a file there' "1 pcopy: can't write 'mnt/src': Read-only file system" "$rc $err"
	umount mnt
else
	skip squashfs 'no mksquashfs, or it can not be mounted here'
fi
