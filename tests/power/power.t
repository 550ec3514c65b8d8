#!/bin/sh
# After any cut of power a file is the old or the new one, and the new one if its command had ended
# with status 0.
. "${0%/*}/../tap.sh"

# CUTS is the number of images for each file system: 300 here, 10000 in make check-long.
: "${CUTS:=300}"
for need in python3 nbdkit nbdfuse losetup; do
	command -v $need >/dev/null || { skip 'no cut of power breaks a promise of pcopy or mmapw' "no $need"; exit; }
done
if [ "$(id -u)" != 0 ] || [ -n "$EMULATOR" ]; then skip 'no cut of power breaks a promise of pcopy or mmapw' 'not root, or emulated'; exit; fi
[ -c /dev/fuse ] || { skip 'no cut of power breaks a promise of pcopy or mmapw' 'no /dev/fuse'; exit; }
losetup -f >log 2>&1 || { skip 'no cut of power breaks a promise of pcopy or mmapw' 'no loop devices'; exit; }
trap 'umount "$W"/*/cut "$W"/*/mnt 2>/dev/null; kill $PIDS 2>/dev/null; rm -rf "$T" "$W"; echo "1..$N"' EXIT
# Images go into memory where there is room for them.
W=$(mktemp -d -p /dev/shm ipcbox.XXXXXX 2>log) || W=$T/work
export IPCBOX

# count NAME - prints the number of NAME in the last line of cut.py
count() { sed -n "\$s/.*\\<$1=\\([0-9]*\\).*/\\1/p" cuts; }
torn=0 tried=
for fs in ext4 xfs btrfs; do
	if ! command -v mkfs.$fs >/dev/null || ! grep -qw $fs /proc/filesystems; then
		skip "$fs: no cut of power breaks a promise" "no mkfs.$fs, or not in this kernel"
		continue
	fi
	mkdir -p "$W/$fs"
	LIMIT=300 run sh "$room/record.sh" $fs "$W/$fs"
	is "$fs: the commands succeed on the disk that is recorded" '0 ' "$rc $err"
	[ "$rc" = 0 ] || continue
	python3 "$room/cut.py" "$W/$fs" $fs "$CUTS" ${SEED:+"$SEED"} >cuts 2>err || cat err >>cuts
	say "$(tail -n 1 cuts)"
	is "$fs: no cut of power breaks a promise" '' "$(sed '$d' cuts | head -n 5)"
	ok "$fs: at least 9 of 10 images can be mounted" test "$(($(count unmountable) * 10))" -lt "$(count images)"
	ok "$fs: some cuts leave a file that --resume goes on with" test "$(count resumed)" -gt 0
	torn=$((torn + $(count cp))) tried="$tried $fs"
	rm -rf "${W:?}/$fs"
done
[ -z "$tried" ] || ok "the same cuts catch cp && sync with half a file, or an old one: $torn times" test "$torn" -gt 0
