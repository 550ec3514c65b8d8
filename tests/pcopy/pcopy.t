#!/bin/sh
# These tests copy one file: its names, kinds, holes and engines, failures, signals and changes.
. "${0%/*}/../tap.sh"
. "$room/pcopy.sh"
export EMULATOR
if ! command -v python3 >/dev/null; then skip 'a worker whose parent is in another PID namespace copies each byte' 'no python3'; exit; fi

# bytes N - prints N random bytes, which are the same for each N, so that a byte in the wrong place
# shows
bytes() { python3 -c 'import random, sys; r = random.Random(int(sys.argv[1]))
sys.stdout.buffer.write(r.randbytes(int(sys.argv[1])))' "$1"; }
holds_old() { [ "$(cat "$1")" = old ]; }
copies() { box pcopy "$@" && cmp "$1" "$2"; }

page=$(getconf PAGESIZE)
bad=
for size in 0 1 2 3 4 $((page - 1)) "$page" $((page + 1)) $((7 * page + 3)) $((64 * page)); do
	bytes "$size" >src
	for n in 1 2 3 7 1000; do
		rm -f dst
		copies src dst $n -B "$page" >log 2>&1 || bad="$bad $size/$n"
		echo 'what was there' >dst
		copies src dst $n -B "$page" >log 2>&1 || bad="$bad $size/$n"
	done
done
is 'pcopy copies files of each size with each number of workers, onto nothing and onto a file' '' "$bad"
ok 'copies of each size with each number of workers leave no temporary file' no_temporary

bytes 20000003 >src
crc=$(python3 -c 'import zlib; print("%08x" % zlib.crc32(open("src", "rb").read()))')
run box pcopy -c src dst 3
is '--checksum prints what zlib computes' "$crc 20000003 dst" "$out"
run box pcopy --checksum -B 100k -j 7 src dst
is '--checksum does not depend on the size of the slices' "$crc 20000003 dst" "$out"
box pcopy -c - dst <src >out
is '--checksum of a pipe is that of the file' "$crc 20000003 dst" "$(cat out)"

run box pcopy -v -e cfr src dst 4
like '-v says which worker copied which chunks' '*worker ? of 3: copied chunks [1-3]*' "$err"
chunks=$(echo "$err" | sed -n 's/.*copied chunks//p' | tr ' ' '\n' | sort -n | tr -d '\n')
like 'each chunk is copied by one worker' '*[1-3]*' "$chunks"
run box pcopy -v -e rw -B 64k src dst 4
total=$(echo "$err" | sed -n 's/.*copied chunks//p' | awk '{ for (i = 1; i <= NF; i++) {
	n = split($i, r, "-"); sum += n > 1 ? r[2] - r[1] + 1 : 1 } } END { print sum }')
is 'the chunks that -v lists for the workers make up the file' $(((20000003 + 65535) / 65536)) "$total"

# --- names
mkdir -p dir/dst
box pcopy src dir
ok 'a directory as DST gets a file with the name of SRC' cmp src dir/src
run box pcopy -T src dir
is '-T refuses a directory as DST' '1 pcopy: '\''dir'\'' is a directory' "$rc $err"
run box pcopy dst dir
is 'a directory is never replaced' '1 pcopy: '\''dir/dst'\'' is a directory' "$rc $err"
run box pcopy dir dst
like 'a directory as SRC is refused' "1 pcopy: 'dir' is a directory*" "$rc $err"
run box pcopy src src
is 'a file is not copied onto itself' "1 pcopy: 'src' and 'src' are the same file" "$rc $err"
ln src hard; ln -s ../src dir/link
run box pcopy src hard
is 'a file is not copied onto a hard link of it' "1 pcopy: 'src' and 'hard' are the same file" "$rc $err"
run box pcopy dir/link src
is 'SRC and DST that are one file through a symbolic link are refused' "1 pcopy: 'dir/link' and 'src' are the same file" "$rc $err"
rm hard
echo old >target; ln -s ../target dir/to; ln -s to dir/tofrom
box pcopy src dir/tofrom
ok 'pcopy replaces the file that a symbolic link as DST leads to' cmp src target
is 'a symbolic link as DST stays a link' to "$(readlink dir/tofrom)"
ln -s nowhere dangling
run box pcopy src dangling
like 'a symbolic link to nowhere is refused' "1 pcopy: 'dangling' is a symbolic link to nowhere*" "$rc $err"
echo old >gone; exec 9<>gone; rm gone
run box pcopy src /dev/fd/9
is 'a DST without a name is refused' "1 pcopy: '/dev/fd/9' has no name, or has been replaced" "$rc $err"
is 'pcopy makes no file for a DST without a name' '' "$(ls gone* 2>/dev/null)"
run box pcopy -n src /dev/fd/9
is '-n refuses a DST without a name as one that exists' "1 pcopy: '/dev/fd/9' exists" "$rc $err"
exec 9>&-
run box pcopy src missing/dst
is 'the message names the DST whose directory is missing' "1 pcopy: can't open the directory of 'missing/dst': No such file or directory" "$rc $err"
run box pcopy src -n dst
is '-n does not replace an existing file' "1 pcopy: 'dst' exists" "$rc $err"
run box pcopy -n src new
is '-n makes a new file' 0 "$rc"
ok '-n makes a new file whole' cmp src new
name=$(printf '%0255d' 7)
box pcopy src "$name"
ok 'a file with a name of 255 bytes can be DST' cmp src "$name"
rm -f "$name" new
nl='a
b'
run box pcopy -c src "$nl"
is '-c prints a name of two lines on one' "$crc 20000003 a\\x0ab" "$out"
ok 'a file with a name of two lines can be DST' cmp src "$nl"
rm "$nl"
box pcopy src ./-dash
ok 'a file whose name begins with a dash can be DST' cmp src ./-dash

# --- other kinds of files
box pcopy - dst <src
ok 'standard input is copied whole' cmp src dst
{ dd bs=1000 count=1 of=log status=none; box pcopy - dst; } <src
ok 'standard input is copied from its current offset' cmp src dst 1000 0
head -c 20000003 src | box pcopy -T - dst
ok 'a pipe is copied whole' cmp src dst
box pcopy src - | cmp src - && box pcopy src - >dst
ok 'standard output gets each byte' cmp src dst
if [ -r /proc/version ]; then
	box pcopy /proc/version dst
	ok 'a file of size 0 with content is read to its end' cmp /proc/version dst
else
	skip 'a file of size 0 with content is read to its end' 'no /proc'
fi
thp=/sys/kernel/mm/transparent_hugepage/enabled
if [ -r $thp ]; then
	run box pcopy -c $thp dst
	is 'a copy of a file of sysfs that is shorter than its size succeeds' 0 "$rc"
	ok 'a file of sysfs that is shorter than its size is copied to its end' cmp $thp dst
	is 'a copy of a file of sysfs ends where its content ends' "$(wc -c <$thp)" "$(stat -c %s dst)"
fi
truncate -s 100 hole; rm -f dst
if sparse . && pages_leave; then
	box pcopy -y hole dst
	is 'a small file that is all hole stays a hole' '100 0' "$(stat -c '%s %b' dst)"
else
	skip 'a small file that is all hole stays a hole' 'no holes here, or pages that stay in memory'
fi
is 'a hole to a pipe is written as zeros' 100 "$(box pcopy hole - | wc -c)"
head -c 100000 /dev/zero >zeros
is 'zeros to a pipe are written with --sparse=always' 100000 "$(box pcopy --sparse=always zeros - | wc -c)"
rm -f dst; box pcopy --sparse=never hole dst
is 'a small hole is written with --sparse=never' 1 "$(($(stat -c %b dst) > 0))"
mkfifo fifo
timeout 10 cat fifo >dst & reader=$!
box pcopy src fifo; wait $reader
ok 'a FIFO as DST gets each byte' cmp src dst
$EMULATOR "$IPCBOX" pcopy src fifo 2>log & pid=$!
waits() { grep -q 'State:.*S' /proc/$pid/status && grep -q pcopy /proc/$pid/cmdline; }
if [ -r /proc/self/status ]; then wait_for waits; fi
kill -s TERM $pid; wait $pid 2>/dev/null; rc=$?
is 'a FIFO without a reader can be interrupted' TERM "$(kill -l $rc)"
echo tiny >tiny
for args in 'fifo dst' 'tiny fifo'; do
	# shellcheck disable=SC2086 # words
	$EMULATOR "$IPCBOX" pcopy $args 2>log & pid=$!
	if [ -r /proc/self/status ]; then wait_for waits; else sleep 1; fi
	kill -s USR1 $pid
	exec 9<>fifo
	[ "$args" = 'tiny fifo' ] || { echo tiny >&9; exec 9>&-; }
	wait $pid
	like "pcopy $args answers SIGUSR1 while it opens a FIFO" '0 pcopy: *' "$? $(cat log)"
	exec 9>&-
done
ok "pcopy $args copies each byte after SIGUSR1" cmp tiny dst
exec 9<>fifo; echo tiny >&9
LIMIT=5 run box pcopy fifo fifo
is 'a FIFO is not copied into itself' "1 pcopy: 'fifo' and 'fifo' are the same file" "$rc $err"
exec 9>&-
run box pcopy src /dev/null
is '/dev/null can be DST' 0 "$rc"
run box pcopy src /dev/full
is 'a full device is an error' "1 pcopy: can't write '/dev/full': No space left on device" "$rc $err"
run sh -c '$EMULATOR "$1" pcopy src - >/dev/full' sh "$IPCBOX"
is 'a full standard output is an error' "1 pcopy: can't write 'standard output': No space left on device" "$rc $err"
run sh -c '{ $EMULATOR "$1" pcopy src -; echo $? >&2; } | head -c 1 >/dev/null' sh "$IPCBOX"
is 'pcopy prints no message where a reader closes its standard output' 1 "$err"
run sh -c '$EMULATOR "$1" pcopy -c src dst >/dev/full' sh "$IPCBOX"
is "a checksum that can't be printed is an error" "1 pcopy: can't write to standard output: No space left on device" "$rc $err"
run sh -c '$EMULATOR "$1" pcopy - dst <&-' sh "$IPCBOX"
is 'a closed standard input is an error' "1 pcopy: can't read 'standard input' at byte 0: Bad file descriptor" "$rc $err"

for to in - /dev/stdout; do
	run sh -c '$EMULATOR "$1" pcopy tiny "$2" >&-' sh "$IPCBOX" $to
	like "a closed standard output is an error, and no directory: $to" "1 pcopy: can't write '*': Bad file descriptor" "$rc $err"
done

# --- modes
umask 027
rm -f dst; chmod 4755 src; box pcopy src dst
is 'a new file has the mode of SRC less umask and set-id' 750 "$(stat -c %a dst)"
chmod 604 dst; box pcopy src dst
is 'an existing file keeps its mode' 604 "$(stat -c %a dst)"
rm -f dst; box pcopy - dst <src
is 'a new file from standard input has the mode of any new file' 640 "$(stat -c %a dst)"
umask 022

if [ "$(id -u)" = 0 ]; then
	mkdir drop; chmod 733 drop; chmod 644 src
	as_nobody pcopy src drop/dst
	ok 'a directory that may be written but not read takes a copy' cmp src drop/dst
	chmod 4755 src
else
	skip 'a directory that may be written but not read takes a copy' 'not root'
fi

# --- holes
truncate -s 5G sparse
printf begin | dd of=sparse conv=notrunc status=none
printf middle | dd of=sparse bs=1M seek=2500 conv=notrunc status=none
printf end | dd of=sparse bs=1 seek=$((5 * 1024 * 1024 * 1024 - 3)) conv=notrunc status=none
if [ "$(stat -c %b sparse)" -lt 10000 ]; then
	run box pcopy --no-sync -c sparse dst 3
	is 'the copy of 5 GiB is as long as SRC' "$(stat -c %s sparse)" "$(stat -c %s dst)"
	is 'the checksum of 5 GiB counts the holes' "03fa5e63 5368709120 dst" "$out"
	ok 'the holes of 5 GiB stay holes' test "$(stat -c %b dst)" -le "$(stat -c %b sparse)"
	is 'the data between holes are where they were' "begin middle end" "$(head -c 5 dst) $(dd if=dst bs=1M skip=2500 count=1 status=none | head -c 6) $(tail -c 3 dst)"
	run box pcopy --no-sync dst dst2
	is '5 GiB with holes are copied without a checksum' "$(stat -c '%s %b' dst)" "$(stat -c '%s %b' dst2)"
	ok 'the start of the copy of 5 GiB is right' cmp -n 100000 dst dst2
	ok 'the end of the copy of 5 GiB is right' cmp dst dst2 5368700000 5368700000
	: "${NARROW:=$top/obj/i386/ipcbox}"
	if "$NARROW" --version >/dev/null 2>&1; then
		run "$NARROW" pcopy --no-sync -c sparse dst2 3
		is 'a 32-bit build copies the same 5 GiB' "03fa5e63 5368709120 dst2 $(stat -c %b dst)" "$out $(stat -c %b dst2)"
	else
		skip 'a 32-bit build copies the same 5 GiB' 'no 32-bit build: make cross ARCH=i386'
	fi
	rm -f dst2
else
	skip 'pcopy copies 5 GiB with holes' 'no sparse files here'
fi
rm -f sparse dst

# All blocks of this file are data, except the last one, which is a hole.
head -c $((16 * page)) src >hole; truncate -s $((16 * page + 100)) hole
rm -f dst; box pcopy hole dst
is 'a copy keeps a hole that ends within a block' "$(stat -c '%s %b' hole)" "$(stat -c '%s %b' dst)"
if [ "$(id -u)" = 0 ] && [ -z "$EMULATOR" ] && mkdir -p most && mount -t tmpfs none most 2>log && sparse most && truncate -s 9223372036854775807 most/src 2>log; then
	printf x | dd of=most/src conv=notrunc status=none
	LIMIT=200 run box pcopy -v --no-sync -B 1T most/src most/dst 1 # 13 s of processor time
	like 'the largest file that off_t can hold is copied' '0 *chunks 1-8388608*' "$rc $err"
	is 'the copy of the largest file has its size and its first byte' '9223372036854775807 x' "$(stat -c %s most/dst) $(head -c 1 most/dst)"
else
	skip 'the largest file that off_t can hold is copied' 'not root, emulated, or no tmpfs with holes'
fi
umount most 2>log

# --- engines
truncate -s 300000 holes
bytes 100000 | dd of=holes bs=4096 seek=20 conv=notrunc status=none
holes=$(python3 -c 'import zlib; print("%08x" % zlib.crc32(open("holes", "rb").read()))')
for engine in auto clone cfr rw mmap direct; do
	rm -f dst
	run box pcopy -c -e $engine -B 64k -j 3 src dst
	is "--engine $engine prints the right checksum" "0 $crc 20000003 dst " "$rc $out $err"
	ok "--engine $engine copies each byte of SRC" cmp src dst
	run box pcopy -c -e $engine -B $((3 * page)) -j 3 holes dst
	is "--engine $engine copies a file with holes" "0 $holes 300000 dst " "$rc $out $err"
	ok "--engine $engine keeps the holes of SRC in DST" test "$(stat -c %b dst)" -le "$(stat -c %b holes)"
	run box pcopy -v -e $engine src dst
	like "-v names the engine of --engine $engine" "0 *engine*" "$rc $err"
done
if df --output=fstype . >log 2>&1 && grep -qE 'ext[234]' log; then
	run box pcopy --reflink=always src dst
	like "--reflink=always is status 77 where it can't clone" "77 pcopy: can't clone 'src': *" "$rc $err"
	head -c 25000000 /dev/zero >large
	for options in --inplace -u; do
		for to in old large; do
			echo old >old; cp $to dst
			run box pcopy $options --reflink=always src dst
			like "--reflink=always $options is status 77 where it can't clone" "77 pcopy: can't clone 'src': *" "$rc $err"
			ok "DST stays as it was where --reflink=always $options can't clone" cmp $to dst
		done
	done
	rm old large
else
	skip "--reflink=always is status 77 where it can't clone" 'not ext4'
fi
run box pcopy --sparse=never holes dst
ok '--sparse=never leaves no holes' test "$(stat -c %b dst)" -ge 586
ok 'a copy has the same bytes with and without holes' cmp holes dst
run box pcopy --sparse=always dst holes2
ok '--sparse=always makes holes where SRC has zeros' test "$(stat -c %b holes2)" -le "$(stat -c %b holes)"
ok 'a copy has the same bytes with and without holes' cmp holes holes2
box pcopy --sparse=always - holes2 <dst
ok '--sparse=always makes holes from a stream' test "$(stat -c %b holes2)" -le "$(stat -c %b holes)"
ok 'a stream with --sparse=always is whole to its last byte' cmp holes holes2
rm -f dst holes holes2

# --- failures
echo old >dst
if [ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=1M none small 2>log; then
	echo old >small/dst
	run box pcopy src small/dst
	like 'pcopy notices a full disk before it writes the first byte' "1 pcopy: can't write 'small/dst': needs 19.0 MiB, 10??.0 KiB free" "$rc $err"
	ok 'DST stays as it was where pcopy notices a full disk' holds_old small/dst
	for options in --inplace -u; do
		run box pcopy $options src small/dst
		if [ "$(stat -c %b small/dst)" = $((page / 512)) ]; then
			like "pcopy $options notices a full disk before the old content goes" "1 pcopy: can't write 'small/dst': needs 19.0 MiB, 1.0 MiB free" "$rc $err"
		else
			skip "pcopy $options notices a full disk before the old content goes" 'a file does not count its whole pages as blocks'
		fi
		ok "DST stays as it was where pcopy $options notices a full disk" holds_old small/dst
	done
	head -c 700000 src >short; head -c 800000 src >small/large
	run box pcopy --inplace short small/large
	is '--inplace counts the blocks of DST as space on a full disk' '0 ' "$rc $err"
	ok '--inplace copies each byte into the blocks of DST on a full disk' cmp short small/large
	rm small/large
	truncate -s 5M holes
	run box pcopy --sparse=never holes small/dst
	like 'pcopy --sparse=never notices a full disk before it fills holes' "1 pcopy: can't write 'small/dst': needs 5.0 MiB, 10??.0 KiB free" "$rc $err"
	if sparse .; then
		run box pcopy holes small/holes
		is 'a file of holes needs no space on a full disk' '0 ' "$rc $err"
		rm small/holes
	else
		skip 'a file of holes needs no space on a full disk' 'no holes here'
	fi
	rm holes
	run box pcopy - small/dst <src
	is 'a stream that fills a disk is an error' "1 pcopy: can't write 'small/dst': No space left on device" "$rc $err"
	is 'DST stays as it was where a stream fills the disk' 'old dst' "$(cat small/dst) $(ls -A small)"
	umount small
else
	skip 'pcopy notices a full disk' 'not root, or no tmpfs'
fi
run sh -c 'ulimit -f 100; exec $EMULATOR "$1" pcopy src dst' sh "$IPCBOX"
is 'pcopy finds a limit of the file size before it copies' "1 pcopy: can't set the size of 'dst': File too large" "$rc $err"
ok 'DST stays as it was under a limit of the file size' holds_old dst
run sh -c 'ulimit -f 100; exec $EMULATOR "$1" pcopy --inplace src dst' sh "$IPCBOX"
is 'pcopy --inplace finds a limit of the file size before it copies' "1 pcopy: can't set the size of 'dst': File too large" "$rc $err"
ok 'DST stays as it was where --inplace finds a limit of the file size' holds_old dst
if has_strace; then
	run strace -f -o log -e trace=copy_file_range -e inject=copy_file_range:error=EXDEV "$IPCBOX" pcopy -v -e cfr src dst 2
	like 'without copy_file_range a copy falls back to read and write' '0 *falling back from cfr to rw: *ross-device link*' "$rc $err"
	ok 'pcopy copies each byte without copy_file_range' cmp src dst
	run strace -f -o log -e trace=copy_file_range -e inject=copy_file_range:retval=0 "$IPCBOX" pcopy -e cfr src dst 2
	ok 'pcopy copies each byte where copy_file_range copies nothing' cmp src dst
	echo old >dst
	run strace -f -o log -e trace=copy_file_range -e inject=copy_file_range:signal=SIGKILL:when=1 "$IPCBOX" pcopy -e cfr src dst 3
	like 'a copy fails if one of its workers is killed' '1 pcopy: worker ? of 3 was killed by signal 9' "$rc $err"
	ok 'DST stays as it was if a worker is killed' holds_old dst
	truncate -s 30000000 holes; dd if=src of=holes bs=1M seek=9 count=2 conv=notrunc status=none
	for error in ENOSPC EDQUOT; do
		for file in src holes; do
			run strace -f -o log -e trace=fallocate,pwrite64 -e inject="fallocate:error=$error" "$IPCBOX" pcopy $file dst
			if grep -q fallocate log; then
				like "pcopy finds $error for '$file' before it writes the first byte" "1 pcopy: can't write 'dst': * 0" "$rc $err $(grep -c pwrite64 log)"
			else
				skip "pcopy finds $error for '$file' before it writes the first byte" 'nothing is reserved on this file system'
			fi
		done
	done
	rm holes
	run strace -f -o log -e trace=pwrite64 -e inject=pwrite64:error=EINVAL:when=1 "$IPCBOX" pcopy -v -e direct src dst 1
	like '--engine direct goes through the cache where O_DIRECT is refused' '0 *falling back from direct to rw: Invalid argument*' "$rc $err"
	ok '--engine direct copies each byte where O_DIRECT is refused' cmp src dst
	run strace -f -o log -e trace=fork,clone -e inject=fork,clone:error=EAGAIN:when=2+ "$IPCBOX" pcopy -J src dst 3
	ok 'a copy with one worker instead of three is whole' cmp src dst
	like 'JSON counts one worker that copies instead of three as one' '*"jobs":1,*' "$out"
	# Each lseek(2) for data fails, and none for holes does.
	truncate -s 300000 holes
	LIMIT=5 run strace -f -o log -e trace=lseek -e inject=lseek:error=EIO:when=1+2 "$IPCBOX" pcopy holes dst
	is 'pcopy reads a whole file as data where lseek finds no data' '0 ' "$rc $err"
	ok 'pcopy copies each byte where lseek finds no data' cmp holes dst
	rm holes
	strace -o log -f -e trace=rename,renameat,renameat2,fsync "$IPCBOX" pcopy src dst 2
	is 'pcopy syncs the file before its rename, and the directory after the rename' 'fsync rename fsync' "$(sed 's/^[0-9]* *//; s/\(rename\|fsync\).*/\1/; /exited/d; /SIGCHLD/d' log | xargs)"
	strace -o log -f -e trace=fsync,fdatasync,sync_file_range "$IPCBOX" pcopy --no-sync src dst 2
	is '--no-sync makes no call that waits for the medium' 0 "$(grep -c sync log)"
	for error in ENOSPC:'No space left on device' ESTALE:'Stale file handle'; do
		run strace -f -o log -P "$T/dst" -e trace=close -e inject=close:error="${error%%:*}" "$IPCBOX" pcopy --inplace --no-sync src dst
		like "--no-sync reports the bytes that are lost at close(2): ${error%%:*}" \
			"1 *pcopy: can't bring 'dst' to the medium: ${error#*:}" "$rc $err"
	done
	run strace -f -o log -e trace=read -e inject=read:error=EIO:when=1 "$IPCBOX" pcopy src dst
	is 'a file of /proc that cannot be read makes DST no mount point' '0 ' "$rc $err"
	head -c 100000 src >short
	for fault in pread64:EINTR pwrite64:EAGAIN fsync:EINTR; do
		call=${fault%:*} error=${fault#*:}
		echo old >dst
		strace -o log -e trace=$call -e inject=$call:error=$error "$IPCBOX" pcopy short dst & tracer=$!
		wait_for grep -q $error log
		pid=$(children_of $tracer)
		ended() { ! kill -0 $pid 2>/dev/null; }
		kill -s TERM $pid
		wait_for ended || kill -s KILL $pid
		wait $tracer 2>/dev/null; rc=$?
		is "SIGTERM ends a copy whose $call(2) fails with $error again and again" TERM "$(kill -l $rc)"
		ok "DST stays as it was where $call(2) fails with $error again and again" holds_old dst
	done
else
	skip 'pcopy survives faults that strace injects' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
fi
ok '--no-sync leaves no temporary file' no_temporary

# --- signals: pcopy waits for a FIFO when they come. It leaves those ignored that are so (nohup(1)).
for sig in INT TERM HUP; do
	rm -f fifo; mkfifo fifo; echo old >dst
	python3 -c 'import signal, os, sys
for sig in signal.SIGINT, signal.SIGTERM, signal.SIGHUP: signal.signal(sig, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' $EMULATOR "$IPCBOX" pcopy fifo dst 2>log & pid=$!
	exec 9>fifo
	echo new >&9
	wait_for writes_some
	kill -s $sig $pid; wait $pid 2>/dev/null; rc=$?
	is "pcopy dies of the SIG$sig that ends it" "$(kill -l $rc)" $sig
	ok "DST stays as it was where SIG$sig ends pcopy" holds_old dst
	ok "pcopy leaves no temporary file where SIG$sig ends it" no_temporary
	exec 9>&-
done
if [ -r /proc/self/status ]; then
	# The file does not fit into the pipe, and nobody reads, so pcopy waits.
	head -c 1000000 src >short; rm -f fifo; mkfifo fifo
	for to in fifo -; do
		exec 9<>fifo
		$EMULATOR "$IPCBOX" pcopy short $to 2>err 9<&- >fifo & pid=$!
		wait_for waits
		ask() { kill -s USR1 $pid; grep -q . err; }
		wait_for ask
		like "pcopy answers SIGUSR1 while the reader of '$to' stands still" 'pcopy: * of 976.5 KiB  *' "$(head -1 err)"
		kill -s TERM $pid; exec 9>&-; wait $pid 2>/dev/null; rc=$?
		is 'SIGTERM ends a copy whose reader stands still' TERM "$(kill -l $rc)"
	done
else
	skip 'pcopy answers SIGUSR1 while a reader stands still' 'no /proc'
fi
if [ -z "$EMULATOR" ] && unshare -p true 2>log; then
	run unshare -p "$IPCBOX" pcopy src apart 1
	is 'a copy by a worker whose parent is in another PID namespace succeeds' '0 ' "$rc $err"
	ok 'a worker whose parent is in another PID namespace copies each byte' cmp src apart
else
	skip 'a copy by a worker whose parent is in another PID namespace succeeds' 'not root'
fi
mkfifo fifo2
$EMULATOR "$IPCBOX" pcopy fifo2 dst 2>log & pid=$!
exec 9>fifo2
echo new >&9
wait_for writes_some
kill -s KILL $pid; wait $pid 2>log
ok 'DST stays as it was where SIGKILL ends pcopy' holds_old dst
exec 9>&-
box pcopy src dst
ok 'the run after a SIGKILL copies' cmp src dst
if locks_show || nameless; then
	ok 'the run after a SIGKILL removes the temporary file of the killed run' no_temporary
else
	skip 'the run after a SIGKILL removes the temporary file of the killed run' 'no O_TMPFILE, and no locks in /proc/PID/fdinfo'
fi

# --- SRC changes while strace holds a worker at its first call: DST must not be touched
if has_strace; then
	# changes CHANGE CALL OPTION... - runs CHANGE while strace delays the first CALL of pcopy
	changes() {
		change=$1 call=$2; shift 2
		cp src src2; echo old >dst
		strace -f -o log -e trace="$call" -e inject="$call:delay_enter=1000000:when=1" \
			"$IPCBOX" pcopy "$@" src2 dst >out 2>err & pid=$!
		wait_for temporary
		$change
		wait $pid; rc=$?
		like "pcopy $* is status 4 where SRC changes: $change" "4*pcopy: 'src2' * while it was copied*" "$rc $(cat err)"
		ok "pcopy $* leaves DST as it was where SRC changes: $change" holds_old dst
	}
	changes 'truncate -s 100 src2' pread64 -e rw
	changes 'truncate -s 30000000 src2' pread64 -c
	changes 'touch src2' copy_file_range -e cfr
	changes 'truncate -s 100 src2' copy_file_range -e cfr
	changes 'truncate -s 100 src2' munmap -e mmap -j 2
	changes 'truncate -s 100 src2' pread64 -e direct -c
	grow() { echo more >>src2; }
	: >empty; mv src src3; mv empty src
	changes grow read
	rm -f log; cp src3 src2; echo old >dst
	strace -f -o log -e trace=read -e inject=read:delay_exit=1000000:when=1 "$IPCBOX" pcopy - dst <src2 2>err & pid=$!
	wait_for grep -q read log
	touch src2
	wait $pid; rc=$?
	is 'standard input that changes is status 4' "4 pcopy: 'standard input' changed while it was copied" "$rc $(cat err)"
	ok 'DST stays as it was where standard input changes' holds_old dst
	rm log
	strace -f -o log -e trace=fsync -e inject=fsync:delay_exit=1000000:when=1 "$IPCBOX" pcopy src3 dst 2>err & pid=$!
	wait_for grep -q fsync log
	kill -s USR1 "$(sed -n 's/ .*fsync.*//p' log | head -1)"
	wait $pid
	like 'pcopy answers SIGUSR1 while it waits for the medium' "0 pcopy: 19.0 MiB of 19.0 MiB  100%  *" "$? $(cat err)"
	# DST is examined, and a second later it is a link to another file.
	for call in openat readlinkat; do
		rm -f dst log; echo old >other; echo old >before
		[ $call = openat ] || ln -s before dst
		strace -f -o log -e trace=$call,linkat -e inject="$call:delay_exit=300000" "$IPCBOX" pcopy src3 dst >out 2>err & pid=$!
		wait_for grep -qE '"dst"|"before"' log
		ln -sf other dst
		wait $pid
		ok "pcopy does not follow a link that takes the place of DST after $call" holds_old other
	done
	mv src3 src
	if [ "$(id -u)" = 0 ] && mkdir -p small && mount -t tmpfs -o size=1M none small 2>log; then
		echo old >small/dst
		run strace -f -o log -e trace=/fstatfs -e inject=/fstatfs:error=ENOSYS "$IPCBOX" pcopy -e mmap src small/dst
		is '--engine mmap reports a disk that runs full as an error' "1 pcopy: can't write 'small/dst': No space left on device" "$rc $err"
		is 'DST stays as it was where the disk runs full under --engine mmap' 'old dst' "$(cat small/dst) $(ls -A small)"
		umount small
	else
		skip '--engine mmap reports a disk that runs full as an error' 'not root, or no tmpfs'
	fi
fi
ok 'copies whose SRC changes or whose disk runs full leave no temporary file' no_temporary

# --- usage
run box pcopy src dst 0x
is 'a number of jobs that is no number is refused' "2 pcopy: invalid number of jobs: '0x'
Try 'pcopy --help'." "$rc $err"
for args in 'src' '' 'src dst 0' 'src dst 2 3' '-j -1 src dst' '-B 0 src dst' '-B 1025G src dst' '--sync=half src dst' '-c src -'; do
	# shellcheck disable=SC2086 # words
	run box pcopy $args
	is "the operands '$args' are status 2" 2 "$rc"
done
