#!/bin/sh
# These tests look where the bytes go: into DST itself, only into blocks that differ, into a file
# that is resumed, into a clone, or to a disk. They also read the bytes back.
. "${0%/*}/../tap.sh"
. "$room/pcopy.sh"
export EMULATOR
if ! command -v python3 >/dev/null; then skip 'pcopy puts each byte where it belongs' 'no python3'; exit; fi

bytes() { python3 -c 'import random, sys; r = random.Random(int(sys.argv[1]))
sys.stdout.buffer.write(r.randbytes(int(sys.argv[1])))' "$1"; }
holds_old() { [ "$(cat "$1")" = old ]; }
# poke FILE OFFSET - changes the byte at OFFSET
poke() { printf '\252' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
# written LOG - prints how many bytes pwrite(2) has written, according to the LOG of strace
written() { awk '/pwrite64/ && !/unfinished/ { sum += $NF } END { print sum + 0 }' "$1"; }

page=$(getconf PAGESIZE)
size=3000003
bytes $size >src
kept=$(kept dst)
crc=$(python3 -c 'import zlib; print("%08x" % zlib.crc32(open("src", "rb").read()))')

# --- in place
head -c 5000000 /dev/zero >dst; ln dst hard; inode=$(stat -c %i dst)
run box pcopy --inplace -B 64k src dst 3
is '--inplace succeeds without a word' '0  ' "$rc $out $err"
ok '--inplace copies each byte' cmp src dst
ok '--inplace changes what a hard link of DST shows' cmp src hard
is 'DST is still the same inode' "$inode" "$(stat -c %i dst)"
run box pcopy -v -e rw src dst
like 'pcopy -v says that other hard links of DST keep the old content' "0 *'dst' has other hard links: they keep the old content*" "$rc $err"
rm -f dst hard
box pcopy --inplace src dst
ok '--inplace makes a new file with each byte' cmp src dst
is 'a new file of --inplace has the mode of SRC less umask' "$(stat -c %a src)" "$(stat -c %a dst)"
rm -f dst
run box pcopy --inplace --expect 0 src dst
is '--inplace removes a new file whose copy fails' "5 " "$rc $(ls dst 2>/dev/null)"
head -c 100 src >short; echo longer than that, and more and more >dst
head -c 10 src >short; box pcopy --inplace short dst
ok '--inplace cuts a longer DST to a shorter SRC' cmp short dst
printf 'piped' | box pcopy --inplace - dst
is '--inplace copies a stream' piped "$(cat dst)"

# --- only what differs
cp src dst; truncate -s 4000000 dst; poke dst 70000; poke dst 2999999; inode=$(stat -c %i dst)
if has_strace; then
	strace -f -o log -e trace=pwrite64 "$IPCBOX" pcopy -u -B 256k src dst 3
	is '--update-blocks writes the pages that differ' $((page + size % page)) "$(written log)"
	strace -f -o log -e trace=pwrite64,write "$IPCBOX" pcopy -u src dst
	is '--update-blocks writes nothing if no page differs' 0 "$(grep -c write log)"
else
	box pcopy -u -B 256k src dst 3
	skip '--update-blocks writes the pages that differ' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
fi
ok '--update-blocks makes DST equal to SRC' cmp src dst
is 'DST is still the same inode' "$inode" "$(stat -c %i dst)"
run box pcopy -uc src dst
is '--update-blocks prints the checksum of the whole file' "$crc $size dst" "$out"
poke dst 70000
run box pcopy -u -v src dst
like '-v says what --update-blocks saved' "0 *pcopy: 2.8 MiB of 'dst' were there already*" "$rc $err"
poke dst 70000; poke dst 2999999
run box pcopy -u -J src dst 3
like '--update-blocks counts what it saved to the byte' "0 *\"saved_bytes\":$((size - page - size % page)),*" "$rc $out"
truncate -s 1000000 holes; poke holes 500000; bytes 1000000 >dst
box pcopy -u holes dst
ok '--update-blocks copies holes over data' cmp holes dst
ok '--update-blocks turns data into holes, but for a part of a page at the end' test "$(stat -c %b dst)" -le $(($(stat -c %b holes) + page / 512))
if has_strace; then
	bytes 1000000 >dst
	run strace -f -o log -e trace=fallocate -e inject=fallocate:error=EOPNOTSUPP "$IPCBOX" pcopy -uc holes dst
	ok '--update-blocks writes zeros where there can be no holes' cmp holes dst
	is 'holes that become zeros count in the checksum' "0 $(python3 -c 'import zlib; print("%08x" % zlib.crc32(open("holes", "rb").read()))') 1000000 dst" "$rc $out"
fi
rm -f dst; box pcopy -u src dst
ok '--update-blocks makes a DST that is missing' cmp src dst
head -c 1000 src | box pcopy -u - dst
ok '--update-blocks copies a stream that is shorter than DST' cmp -n 1000 src dst
is '--update-blocks cuts DST to the length of a stream' 1000 "$(stat -c %s dst)"
cp src dst; poke dst 70000
head -c 2000000 src >short
no_locks='no locks in /proc/PID/fdinfo' cached='pages of a file do not leave the memory here'
if locks_show; then resumes=-R; else resumes= && skip 'pcopy -R compares a stream with the old content' "$no_locks"; fi
for options in -u $resumes; do
	cp short $kept; poke $kept 70000
	cp short dst; poke dst 70000
	run box pcopy $options -J - dst <short
	like "pcopy $options compares a stream with the old content" "0 *\"saved_bytes\":$((2000000 - page)),*" "$rc $out"
	ok "pcopy $options copies each byte of a stream that it compares" cmp short dst
done
rm -f $kept

# --- resume
echo old >dst
if ! locks_show; then
	skip '--resume goes on after a failed run' "$no_locks"
elif has_strace; then
	run strace -f -o log -e trace=pread64 -e inject=pread64:error=EIO:when=15 "$IPCBOX" pcopy -R -B 256k -j 1 src dst
	like '--resume reports a read error with its offset' "1 pcopy: can't read 'src' at byte [0-9]*: I/O error" "$rc $err"
	ok 'DST stays as it was where --resume reports a read error' holds_old dst
	ok '--resume keeps what was copied' test -s $kept
	strace -f -o log -e trace=pwrite64 "$IPCBOX" pcopy -R -B 256k src dst
	ok 'the run after a failed --resume writes the rest only' test "$(written log)" -lt $((size - 256 * 1024))
	ok 'the run after a failed --resume makes DST equal to SRC' cmp src dst
	ok 'the run after a failed --resume leaves no temporary file' no_temporary
else
	skip '--resume goes on after a failed run' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
fi
if ! locks_show || ! nameless; then
	skip 'a copy that is killed while it waits for the medium leaves a file only with --resume' "no O_TMPFILE, or $no_locks"
elif has_strace && [ "$(id -u)" = 0 ]; then
	# fsync(2) comes after the owner of DST was given to the new file. pcopy is killed there.
	for options in '' -R; do
		echo old >dst; chown 12:34 dst
		# shellcheck disable=SC2086 # words
		strace -f -o log -e trace=fsync -e inject=fsync:signal=SIGKILL:when=1 "$IPCBOX" pcopy $options src dst 2>err
		is "a copy that is killed while it waits for the medium leaves a file only with --resume: '$options'" "${options:+1 12}" "$(find . -name '.pcopy-*' -printf '1 %U')"
		ok "DST stays as it was if pcopy $options is killed while it waits for the medium" holds_old dst
		# shellcheck disable=SC2086
		run box pcopy $options src dst
		is "pcopy $options succeeds after a run that was killed" '0 ' "$rc $err"
		ok "pcopy $options copies each byte after a run that was killed" cmp src dst
		ok "pcopy $options leaves no temporary file after a run that was killed" no_temporary
		rm -f dst
	done
else
	skip 'a copy that is killed while it waits for the medium leaves a file only with --resume' 'not root, or no strace'
fi
bytes 3500000 >$kept
cp src dst2; poke $kept 5
box pcopy --resume src dst
ok '--resume compares a foreign file under its name with SRC' cmp src dst
if locks_show; then
	ln -s ../precious $kept
	run box pcopy --resume src dst
	like 'a link in place of the file of --resume is not followed' "1 pcopy: can't open '$kept' beside 'dst' (--inplace needs none): *" "$rc $err"
	if [ "$(id -u)" = 0 ]; then
		mkdir -m 777 open; cp src open/$kept; chmod 644 src
		chown 65534:65534 open/$kept; chmod 444 open/$kept
		locked open/$kept sh -c 'echo >is-locked; until [ -e release ]; do sleep 0.1; done' & holder=$!
		wait_for test -e is-locked
		as_nobody pcopy -R -J src open/dst
		is 'the read-only file of a running --resume keeps its mode' "3 444" "$rc $(stat -c %a open/$kept)"
		: >release; wait $holder
		as_nobody pcopy -R -J src open/dst
		like '--resume goes on with a read-only file' "0 *\"saved_bytes\":$size,*" "$rc $out$err"
		ok '--resume copies each byte with a read-only file' cmp src open/dst
	else
		skip '--resume goes on with a read-only file' 'not root'
	fi
	rm $kept; mkfifo $kept
	run box pcopy --resume src dst
	like '--resume refuses a FIFO under its name without waiting for a writer' "1 pcopy: '$kept' beside 'dst' is not a file that pcopy made*" "$rc $err"
	rm $kept; : >$kept
	locked $kept $EMULATOR "$IPCBOX" pcopy --resume src dst >log 2>err; rc=$?
	is 'two processes do not resume the same file' "3 pcopy: another pcopy is resuming 'dst'" "$rc $(cat err)"
else
	skip '--resume looks at the file that it finds under its name' "$no_locks"
fi
: >$kept
locked $kept sh -c 'echo >held; sleep 0.5' & orphan=$!
wait_for test -e held
run box pcopy --resume src dst
is '--resume waits for the last worker of a pcopy that was killed' '0 ' "$rc $err"
wait $orphan
mkdir killed
for i in $(seq 60); do
	rm -f killed/dst
	$EMULATOR "$IPCBOX" pcopy -R -B 64k src killed/dst 4 2>err & pid=$!
	sleep "0.00$((i % 10))"
	kill -s KILL $pid; wait $pid
	run box pcopy -R src killed/dst
	[ "$rc" = 0 ] && cmp -s src killed/dst || echo "round $i: $rc $err"
done >rounds 2>log
is '--resume right after a kill -9 succeeds 60 times' '' "$(cat rounds)"
rm -r killed

# --- checksums that must be
echo old >dst
run box pcopy --expect "$crc" -c src dst 2
is '--expect accepts the CRC of SRC' "0 $crc $size dst" "$rc $out"
echo old >dst
run box pcopy --expect 0x1234abcd src dst
is '--expect refuses another CRC' "5 pcopy: 'src' has the CRC-32 $crc, not 1234abcd" "$rc $err"
ok '--expect refuses another CRC: DST stays as it was' holds_old dst
for wrong in '' 123456789 xyz -1 '12 '; do
	run box pcopy --expect="$wrong" src dst
	is "--expect refuses what is no CRC-32: '$wrong'" 2 "$rc"
done

# --- verify
if pages_leave; then
	for options in '' '-B 64k -j 3' '-e direct' '-e mmap' '--inplace' '-u' '-R' '--no-sync'; do
		# shellcheck disable=SC2086 # words
		run box pcopy -y $options src dst
		is "pcopy --verify $options succeeds" '0 ' "$rc $err"
		ok "pcopy --verify $options copies each byte" cmp src dst
	done
	run box pcopy --verify - dst <src
	is '--verify reads a stream back' '0 ' "$rc $err"
	truncate -s 100000000 holes
	run box pcopy -vy holes dst 2
	like '-v says which worker verified which chunks' '0 *worker [12] of 2: verified chunks *' "$rc $err"
else
	skip '--verify reads each byte back' "$cached"
fi
run box pcopy -y src /dev/null
is "--verify refuses what can't be read back" "77 pcopy: can't read '/dev/null' back" "$rc $err"
if has_strace && pages_leave; then
	echo old >dst
	strace -f -o log -e trace=fsync -e inject=fsync:delay_exit=1000000:when=1 "$IPCBOX" pcopy -y -B 1M src dst 2>err & pid=$!
	wait_for grep -q fsync log
	poke "$(temporary)" 2500000
	wait $pid; rc=$?
	like '--verify finds a byte that changes on its way to the medium' "5*pcopy: 'dst' is not on the medium as it was copied: chunk 3, from byte 2097152*" "$rc $(cat err)"
	ok 'DST stays as it was where --verify finds a changed byte' holds_old dst
	ok '--verify leaves no temporary file where it finds a changed byte' no_temporary
fi
# ramfs refuses O_DIRECT. Since Linux 6.6, tmpfs accepts it, but reads from memory.
for fs in ramfs tmpfs; do
	if [ "$(id -u)" = 0 ] && mkdir -p mnt && mount -t $fs none mnt 2>err; then
		run box pcopy -y src mnt/dst
		like "--verify refuses a file of $fs, which stays in memory" "77 pcopy: can't verify: 'mnt/dst' stays in memory*" "$rc $err"
		is "--verify leaves no temporary file on $fs" '' "$(ls -A mnt)"
		umount mnt
	else
		skip "--verify refuses a file of $fs, which stays in memory" 'not root, or none here'
	fi
done

# --- clones
for fs in xfs btrfs; do
	mkdir -p mnt
	if [ "$(id -u)" = 0 ] && truncate -s 512M image && mkfs.$fs -q image >log 2>&1 && mount -o loop image mnt 2>err; then
		head -c $((20 * page + 5)) src >mnt/src; : >mnt/empty
		for options in '' --inplace; do
			for old in 0 1 $((30 * page)); do
				head -c $old src >mnt/dst
				# shellcheck disable=SC2086 # words
				run box pcopy --reflink=always -J $options mnt/src mnt/dst
				like "$fs: --reflink=always $options clones over $old bytes" '0 *"engine":"clone","jobs":0,*' "$rc $out$err"
				ok "$fs: a clone of --reflink=always $options over $old bytes has each byte" cmp mnt/src mnt/dst
			done
			for reflink in always auto; do
				# shellcheck disable=SC2086
				run box pcopy --reflink=$reflink -J $options mnt/empty mnt/dst
				like "$fs: --reflink=$reflink $options clones an empty file" '0 *"bytes":0,*"engine":"clone",*' "$rc $out$err"
				is "$fs: a clone of an empty file is empty" 0 "$(stat -c %s mnt/dst)"
			done
		done
		umount mnt
	else
		skip "$fs: pcopy clones a file" 'not root, or none here'
	fi
	rm -f image
done

# --- block devices
loop=
if [ "$(id -u)" = 0 ]; then
	truncate -s 4M disk
	loop=$(losetup -f --show disk 2>err)
fi
if [ -n "$loop" ]; then
	trap 'umount mnt 2>/dev/null; losetup -d $loop; rm -rf "$T"; echo "1..$N"' EXIT
	bytes 4194304 >disk2; dd if=disk2 of="$loop" bs=1M status=none
	truncate -s 4M sparse; poke sparse 3000000
	run box pcopy -B 512k sparse "$loop" 2
	is 'a file is copied onto a device' '0 ' "$rc $err"
	ok 'the zeros of SRC are written onto a device' cmp sparse "$loop"
	run box pcopy -y src "$loop"
	is '--verify reads a device back' '0 ' "$rc $err"
	ok '--verify copies each byte onto a device' cmp -n $size src "$loop"
	run box pcopy -c "$loop" dst 2
	ok 'a device is copied whole' cmp "$loop" dst
	run box pcopy "$loop" "$loop"
	is 'a device is not copied onto itself' "1 pcopy: '$loop' and '$loop' are the same file" "$rc $err"
	bytes 4194305 >large
	run box pcopy large "$loop"
	is 'a SRC that is larger than the device is refused' "1 pcopy: can't write '$loop': needs 4.0 MiB, has 4.0 MiB" "$rc $err"
	ok 'a SRC that is too large for a device is found before its first byte' cmp -n $size src "$loop"
	if mkfs.ext4 -q "$loop" 2>err && mkdir -p mnt && mount "$loop" mnt 2>err; then
		run box pcopy src "$loop"
		is 'a mounted device is refused' "1 pcopy: '$loop' is in use: unmount it first" "$rc $err"
		if has_strace; then
			bytes 1000000 >mnt/src; echo old >mnt/dst
			printf 'a byte of this is lost' | dd of=mnt/src bs=1 seek=600000 conv=notrunc status=none
			sync -f mnt
			at=$(grep -abo 'a byte of this is lost' disk | cut -d: -f1)
			strace -f -o log -e trace=fsync -e inject=fsync:delay_exit=1000000:when=1 "$IPCBOX" pcopy -y -B 256k mnt/src mnt/dst 2>err & pid=$!
			wait_for grep -q fsync log
			wait_for sh -c "[ \$(grep -abo 'a byte of this is lost' disk | wc -l) -ge 2 ]"
			poke disk "$(grep -abo 'a byte of this is lost' disk | cut -d: -f1 | grep -vx "$at" | head -1)"
			wait $pid; rc=$?
			like '--verify finds a byte that is lost below the file system' "5*pcopy: 'mnt/dst' is not on the medium as it was copied: chunk 3, from byte 524288*" "$rc $(cat err)"
			ok 'DST stays as it was where a byte is lost below the file system' holds_old mnt/dst
			is '--verify leaves no temporary file where a byte is lost below the file system' 3 "$(find mnt -mindepth 1 -maxdepth 1 | wc -l)"
		else
			skip '--verify finds a byte that is lost below the file system' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
		fi
	else
		skip 'a mounted device is refused' 'no mkfs.ext4'
	fi
else
	skip 'pcopy copies block devices' 'not root, or no loop devices'
fi
