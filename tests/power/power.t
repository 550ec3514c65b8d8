#!/bin/sh
# After any cut of power, a file is the old one or the new one. It is the new one if its command had
# ended with status 0 before the cut.
. "${0%/*}/../tap.sh"

# CUTS is the number of images for each file system: it is 300 here, and 10000 in make check-long.
: "${CUTS:=300}"
cannot() { skip 'no cut of power breaks a promise of pcopy or mmapw' "$1"; exit; }
for need in python3 nbdkit nbdfuse losetup unshare; do
	command -v $need >/dev/null || cannot "no $need"
done
if [ "$(id -u)" != 0 ] || [ -n "$EMULATOR" ]; then cannot 'not root, or emulated'; fi
[ -c /dev/fuse ] || cannot 'no /dev/fuse'
losetup -f >log 2>&1 || cannot 'no loop devices'
unshare -m true 2>log || cannot 'no mount namespaces'
trap 'kill $PIDS 2>/dev/null; rm -rf "$T" "$W"; echo "1..$N"' EXIT
# The images are made in memory, if it can be had.
W=$(mktemp -d -p /dev/shm ipcbox.XXXXXX 2>log) || W=$T/work
export IPCBOX
# A pcopy whose flushes do nothing has to be caught.
echo '#include <sys/syscall.h>' | cc -E -dM - 2>log |
	sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/CALL(\1)/p' >calls.h
cc -O1 -I. -o without "$top/tests/missing/without.c" 2>log &&
	./without 0 fsync true 2>log && export WITHOUT="$T/without"

# count NAME - prints the sum of the numbers that the last lines of cut.py have for NAME on $fs
count() { sed -n "s/^seed=.*\\<$1=\\([0-9]*\\).*/\\1/p" $fs.cuts | awk '{ n += $1 } END { print n + 0 }'; }
# cut_power - records the commands on a disk with the file system $fs, and cuts the power. Each record
# differs: there is a new one for each 1000 images.
cut_power() {
	seed=${SEED:-$(od -An -N3 -tu4 /dev/urandom)} made=-1
	: >$fs.cuts
	while [ "$(count images)" -gt "$made" ] && made=$(count images) && [ "$made" -lt "$CUTS" ]; do
		mkdir -p "$W/$fs"
		timeout 1800 unshare -m sh "$room/record.sh" $fs "$W/$fs" >$fs.log 2>$fs.err
		echo "$? $(cat $fs.err)" >$fs.status
		[ "$(cat $fs.status)" = '0 ' ] || break
		rest=$((CUTS - made))
		unshare -m python3 "$room/cut.py" "$W/$fs" $fs $((rest < 1000 ? rest : 1000)) $((seed)) >>$fs.cuts 2>&1
		rm -rf "${W:?}/$fs"
		seed=$((seed + 1))
	done
}
torn=0 careless=0 tried=
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
	is "$fs: the commands succeed on the disk that is recorded" '0 ' "$(cat $fs.status)"
	say "$(grep '^seed=' $fs.cuts)"
	is "$fs: no cut of power breaks a promise, and every image can be mounted" '' \
		"$(grep -v '^seed=' $fs.cuts | head -n 5)"
	ok "$fs: there are $CUTS images" test "$(count images)" -ge "$CUTS"
	ok "$fs: some cuts leave a file that --resume goes on with" test "$(count resumed)" -gt 0
	torn=$((torn + $(count cp))) careless=$((careless + $(count careless)))
done
[ -n "$tried" ] || exit
ok "the same cuts catch cp && sync with half a file, or an old one: $torn times" test "$torn" -gt 0
if [ -n "$WITHOUT" ]; then
	ok "the same cuts catch a pcopy that flushes nothing: $careless times" test "$careless" -gt 0
else
	skip 'the same cuts catch a pcopy that flushes nothing' 'no cc, or no seccomp'
fi
