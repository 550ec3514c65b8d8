#!/bin/sh
# A board that comes, changes under its name, and goes: no reader shows a stale one.
. "${0%/*}/../tap.sh"

# follow OPTIONS...: mmapr in the background, which prints the ids into the file ids
follow() { rm -f ids err; bg mmapr -F '%{id}\n' "$@" >ids 2>err; }
shows() { [ "$(tail -n 1 ids)" = "$1" ]; }
asleep() { grep -q '^State:.S' "/proc/$pid/status"; }
leave() { kill $pid 2>/dev/null; wait $pid 2>/dev/null; }

# Boot order: the reader comes first.
for opts in -w -f '-f -s 0'; do
	rm -f late
	follow $opts late
	wait_for asleep
	box mmapw late id=1
	ok "mmapr $opts of a missing file prints the first record" wait_for shows 1
	leave
done
for opts in -w -f; do
	run box mmapr $opts -t 50ms missing
	is "mmapr $opts -t of a missing file is exit 124" "124 mmapr: no publication in 'missing' in time" "$rc $err"
done
for opts in -1 '' -H --info --check --emit-c '-1 -W'; do
	run box mmapr $opts missing
	is "mmapr $opts of a missing file is exit 3" "3 mmapr: nothing is published in 'missing' yet: there is no such file" "$rc $err"
done
mkdir -p dir
follow -f dir/below/b
wait_for asleep
mkdir dir/below
box mmapw dir/below/b id=4
ok 'mmapr -f of a file in a missing directory prints the first record' wait_for shows 4
leave
: >blank
follow -f blank
wait_for asleep
box mmapw blank id=5
ok 'mmapr -f of an empty file prints the first record' wait_for shows 5
leave
follow -f late
wait_for asleep
kill -USR1 $pid
wait_for grep -q . err
rm late
rm -f err2
is 'SIGUSR1 is answered while mmapr -f follows' "mmapr: 'late': printed 0, missed 0, no writer" "$(cat err)"
box mmapw late id=7
ok 'mmapr -f follows a board through its removal and creation' wait_for shows 7
leave
follow -f nofile
wait_for asleep
kill -USR1 $pid
wait_for grep -q . err
is 'SIGUSR1 is answered while mmapr -f awaits a file' "mmapr: 'nofile': printed 0, missed 0, no such file yet" "$(cat err)"
leave

# mmapr -i prints nothing while the board is gone.
box mmapw gone id=1
follow -i 10ms gone
wait_for shows 1
rm gone
wait_for sh -c 'n=$(wc -l <ids); sleep 0.1; [ $n = $(wc -l <ids) ]'
is 'mmapr -i prints nothing of a board that was removed' same \
	"$(n=$(wc -l <ids); sleep 0.2; [ "$n" = "$(wc -l <ids)" ] && echo same)"
box mmapw gone id=2
ok 'mmapr -i prints a board that comes back' wait_for shows 2
leave

# A link to nowhere is no board yet.
ln -s nowhere link
run box mmapr -1 link
is 'mmapr -1 names the target of a dangling link' "3 mmapr: 'link' is a symbolic link to 'nowhere', which does not exist" "$rc $err"
run box mmapw link id=1
is 'mmapw names the target of a dangling link' "1 mmapw: can't open 'link': it is a symbolic link to 'nowhere', which does not exist" "$rc $err"
follow -f link
wait_for asleep
box mmapw nowhere id=8
ok 'mmapr -f of a dangling link prints the first record of its target' wait_for shows 8
leave

# Another file under the name: by rename(2), by a bind mount, or by overlayfs's copy.
for mode in '-i 10ms' -f; do
	rm -f name other
	box mmapw name id=1
	box mmapw other id=2
	follow $mode name
	wait_for asleep
	mv other name
	ok "mmapr $mode sees the file that was renamed to the name" wait_for shows 2
	leave
done
if [ "$(id -u)" = 0 ] && mkdir mnt && mount -t tmpfs tmpfs mnt 2>/dev/null; then
	mkdir mnt/lower mnt/upper mnt/work mnt/merged
	for mode in '-i 10ms' -f; do
		rm -f name other
		box mmapw name id=1
		box mmapw other id=2
		follow $mode name
		wait_for asleep
		mount --bind other name
		ok "mmapr $mode sees the file that was mounted at the name" wait_for shows 2
		leave
		umount name
	done
	box mmapw mnt/lower/b id=1
	if mount -t overlay -o lowerdir=mnt/lower,upperdir=mnt/upper,workdir=mnt/work overlay mnt/merged 2>/dev/null; then
		n=1
		for mode in '-i 10ms' -f -w; do
			rm -rf mnt/upper/* # copied anew each time
			umount mnt/merged
			mount -t overlay -o lowerdir=mnt/lower,upperdir=mnt/upper,workdir=mnt/work overlay mnt/merged
			follow $mode mnt/merged/b
			wait_for asleep
			n=$((n + 1))
			box mmapw mnt/merged/b id=$n
			ok "mmapr $mode sees what mmapw writes to overlayfs's copy of a lower file" wait_for shows $n
			case $mode in -f) is 'mmapr -f prints the publication of the copy once' "$n" "$(cat ids)" ;; esac
			leave
		done
		umount mnt/merged
	else
		skip "mmapr sees what mmapw writes to overlayfs's copy of a lower file" 'no overlayfs'
	fi
	umount mnt
else
	skip 'mmapr sees the file that was mounted at the name' 'cannot mount'
fi

# After a reboot the header is renewed in place.
if command -v python3 >/dev/null; then
	cat >reboot.py <<-'END2'
		import struct, sys, zlib
		d = bytearray(open(sys.argv[1], 'rb').read())
		d[48] ^= 1
		d[44:48] = bytes(4)
		d[44:48] = struct.pack('=I', zlib.crc32(d[:64]))
		open(sys.argv[1], 'r+b').write(d)
	END2
	rm -f link
	box mmapw -n 4 -i 1ms -c 6 target
	python3 reboot.py target
	ln -s target link
	inode=$(stat -c %i target)
	run box mmapw link name=x
	is 'a board behind a symbolic link survives a reboot' '0 7 15 x' "$rc $(box mmapr -1 -F '%{seq} %{id} %{name}' target)"
	is 'the board is the same file as before the reboot' "$inode" "$(stat -c %i target)"
	ok 'the renewed board is whole' box mmapr --check target
	is 'the renewed board has the boot_id of this boot' 'boot: this' "$(box mmapr --info target | grep boot:)"
	if [ "$(id -u)" = 0 ] && mkdir closed && box mmapw closed/b id=1; then
		python3 reboot.py closed/b
		chown 65534 closed/b
		chmod 755 closed
		as_nobody mmapw "$T/closed/b" id=2
		is 'a board in a directory that mmapw may not write to survives a reboot' '0  id=2' "$rc $err $(box mmapr -1 -o id closed/b)"
		as_nobody mmapw "$T/closed/new" id=2
		is 'mmapw says that it must write to the directory of a new file' \
			"1 mmapw: can't create '$T/closed/new': its directory must be writable: Permission denied" "$rc $err"
	else
		skip 'a board in a directory that mmapw may not write to survives a reboot' 'not root'
	fi
	box mmapw old id=1
	python3 reboot.py old
	follow -f old
	wait_for asleep
	box mmapw old id=2
	ok 'mmapr -f of an earlier boot follows the writer that renews the header' wait_for shows 2
	is 'mmapr -f prints each publication once while the header is renewed' 2 "$(cat ids)"
	leave
	# An old record does not become young: its time on CLOCK_BOOTTIME was of another boot.
	box mmapw aged id=1
	python3 - <<-'END2'
		import struct
		d = bytearray(open('aged', 'rb').read())
		at = 192 + 64
		d[at + 24:at + 32] = struct.pack('=Q', struct.unpack_from('=Q', d, at + 24)[0] - 10 ** 13)
		open('aged', 'r+b').write(d)
	END2
	python3 reboot.py aged
	box mmapw aged - </dev/null
	run box mmapr -1 -a 1h aged
	is 'a record of an earlier boot keeps its age' "4 mmapr: 'aged' has only a record that is too old" "$rc $err"
	run box mmapr -1 -a 5h -o id aged
	is 'mmapr --max-age prints a record of an earlier boot that is young enough' '0 id=1' "$rc $out"
else
	skip 'a board survives a reboot' 'no python3'
fi
