#!/bin/sh
# These tests copy several files at once, compare files, and look at what pcopy refuses before the
# first byte.
. "${0%/*}/../tap.sh"
. "$room/pcopy.sh"
export EMULATOR
if ! command -v python3 >/dev/null; then skip 'pcopy copies several files' 'no python3'; exit; fi
names() { (cd "$1" && echo *); }
holds_old() { [ "$(cat "$1")" = old ]; }

head -c 3000003 /dev/urandom >one; head -c 5000 /dev/urandom >two; : >three
mkdir dir 3

# --- several files
run box pcopy one two three dir
is 'pcopy copies three files into a directory' '0 ' "$rc $err"
ok 'the first of three files is whole' cmp one dir/one
ok 'the last of three files is empty, as it was' cmp three dir/three
rm dir/*
run box pcopy -t dir one two
is '-t takes the directory before the files' '0 one two' "$rc $(names dir)"
run box pcopy one two 3
is 'pcopy takes a third operand that is a directory as the directory' '0 one two' "$rc $(names 3)"
run box pcopy -v one copy 2
like 'pcopy takes a third operand that is a number as the number of jobs' '0 *1 worker*' "$rc $err"
run box pcopy one two nowhere
like 'the message names a third operand that is neither directory nor number' "2 pcopy: 'nowhere' is neither a directory nor a number of jobs*" "$rc $err"
run box pcopy one two three nowhere
like 'the last of four operands must be a directory' "2 pcopy: 'nowhere' is not a directory*" "$rc $err"
run box pcopy -t nowhere one
like '-t needs a directory' "2 pcopy: 'nowhere' is not a directory*" "$rc $err"
run box pcopy -T -t dir one
is '-t and -T exclude each other' 2 "$rc"
rm dir/*
run box pcopy one missing two dir
is 'a file that fails does not stop the copies of the others' \
	"1 pcopy: can't open 'missing': No such file or directory one two" "$rc $err $(names dir)"
mkdir sub; cp two sub/one
run box pcopy one sub/one dir
is 'two files of one name do not become one' \
	"1 pcopy: can't copy 'sub/one': 'dir/one' was just made by the same command" "$rc $err"
ok 'the first of two files of one name stays' cmp one dir/one
# With 20 descriptors two files are committed at once.
run sh -c 'ulimit -n 20; exec $EMULATOR "$1" pcopy one two three sub/one dir' sh "$IPCBOX"
is 'two files of one name do not become one after a commit either' \
	"1 pcopy: can't copy 'sub/one': 'dir/one' was just made by the same command" "$rc $err"
cp three sub/alias; ln -s one dir/alias
run box pcopy one sub/alias dir
is 'a file does not replace the one just made through a link' \
	"1 pcopy: can't copy 'sub/alias': 'dir/alias' was just made by the same command" "$rc $err"
rm dir/alias
ln dir/one dir/alias
run sh -c 'ulimit -n 18; exec $EMULATOR "$1" pcopy --inplace one sub/alias dir' sh "$IPCBOX"
is 'a file is not written into the one just made under another name, after a commit either' \
	"1 pcopy: can't copy 'sub/alias': 'dir/alias' was just made by the same command" "$rc $err"
ok 'the file just made under another name stays' cmp one dir/one
rm dir/alias
run box pcopy missing/one sub/one dir
is 'a file that failed stands in no other one of its name' \
	"1 pcopy: can't open 'missing/one': No such file or directory $(cat sub/one)" "$rc $err $(cat dir/one)"
cp one dir/one
run box pcopy -c one two three dir
is '-c prints a line for each file' 'dir/one dir/two dir/three' "$(printf '%s\n' "$out" | cut -d' ' -f3 | xargs)"
if pages_leave; then
	run box pcopy -y one two dir
	is '-y verifies each of several files' '0 ' "$rc $err"
else
	skip '-y verifies each of several files' 'pages of a file do not leave the memory here'
fi
mkdir many lots
for i in $(seq 700); do echo "$i" >"many/$i"; done
run box pcopy many/* lots
is '700 files are copied by one command' '0 700' "$rc $(names lots | wc -w)"
ok 'each of 700 files has its content' diff -r many lots
LIMIT=200 run sh -c 'ulimit -n 12; exec $EMULATOR "$1" pcopy many/* dir' sh "$IPCBOX" # a sync for every few files
is '700 files are copied with 12 descriptors' '0 ' "$rc $err"
if has_strace; then
	strace -f -o log -e trace=fsync,syncfs "$IPCBOX" pcopy one two three dir
	is 'several files need one sync, and one for their directory' 'fsync syncfs' \
		"$(sed -n 's/^[0-9]* *\(syncfs\|fsync\)(.*/\1/p' log | sort | xargs)"
	echo old >dir/two
	run strace -f -o log -e trace=syncfs -e inject=syncfs:error=EIO "$IPCBOX" pcopy one two dir
	like 'a sync that fails fails each file' "1 *can't bring 'dir/one' to the medium*can't bring 'dir/two' to the medium*" "$rc $err"
	ok 'a sync that fails leaves the old file' holds_old dir/two
	strace -f -o log -e trace=syncfs -e inject=syncfs:error=ENOSYS "$IPCBOX" pcopy one two dir
	ok 'without syncfs each file is synced' cmp two dir/two
fi
# The second SRC is a FIFO without a writer, so pcopy waits in open(2). It has the first file open.
if [ -r /proc/self/status ]; then
	mkfifo silent
	opens() { set -- "/proc/$pid/fd"/*; [ $# -ge 5 ] && grep -q 'State:.*S' "/proc/$pid/status"; }
	bg pcopy one silent two dir 2>err
	wait_for opens
	kill -s USR1 $pid
	ok 'pcopy answers SIGUSR1 while its second SRC waits for a writer' wait_for grep -q 'pcopy: 0 B ' err
	kill -s TERM $pid
	ended() { ! kill -0 $pid 2>/dev/null; }
	wait_for ended || kill -s KILL $pid
	wait $pid 2>/dev/null; rc=$?
	is 'SIGTERM ends pcopy while its second SRC waits for a writer' TERM "$(kill -l $rc)"
	rm silent
else
	skip 'a signal ends pcopy while its second SRC waits for a writer' 'no /proc'
fi
ok 'several files leave no temporary file' no_temporary

# --- compared only
cp one same
run box pcopy --compare one same
is '--compare of the same bytes is silent' '0  ' "$rc $out $err"
printf x | dd of=same bs=1 seek=2000000 conv=notrunc status=none
cmp -s one same && printf y | dd of=same bs=1 seek=2000000 conv=notrunc status=none
run box pcopy --compare one same
is '--compare names the first byte that differs' "5 pcopy: 'one' and 'same' differ at byte 2000000" "$rc $err"
box pcopy --compare - same <one 2>err; rc=$?
is '--compare reads standard input' "5 pcopy: 'standard input' and 'same' differ at byte 2000000" "$rc $(cat err)"
if [ -r /proc/sys/kernel/ostype ]; then
	cat /proc/sys/kernel/ostype >ostype
	run box pcopy --compare /proc/sys/kernel/ostype ostype
	is '--compare reads a file of /proc/sys' '0 ' "$rc $err"
fi
head -c 100000 one >short
run box pcopy --compare one short
is '--compare names the end of a shorter DST' "5 pcopy: 'one' and 'short' differ at byte 100000" "$rc $err"
run box pcopy --compare short one
is '--compare names the end of a shorter SRC' "5 pcopy: 'short' and 'one' differ at byte 100000: 'short' ends there" "$rc $err"
run box pcopy --compare one sub/one dir
like '--compare takes two files of one name' "5 pcopy: 'sub/one' and 'dir/one' differ at byte *" "$rc $err"
mkfifo pipe
run box pcopy --compare one pipe
is '--compare refuses a FIFO as DST, and does not open it' "77 pcopy: can't read 'pipe' back" "$rc $err"
run box pcopy --compare one /dev/zero
like '--compare reads a device that is no disk' "5 pcopy: 'one' and '/dev/zero' differ at byte *" "$rc $err"
run box pcopy --compare one missing
is '--compare needs DST' "1 pcopy: can't open 'missing': No such file or directory" "$rc $err"
for option in -y --inplace -u -R -n -p -f; do
	run box pcopy --compare $option one same
	is "--compare excludes $option" 2 "$rc"
done
if [ "$(id -u)" = 0 ] && truncate -s 4M disk && loop=$(losetup -f --show disk 2>err); then
	trap 'umount "$T"/* 2>/dev/null; losetup -d $loop; rm -rf "$T"; echo "1..$N"' EXIT
	box pcopy one "$loop"
	run box pcopy --compare one "$loop"
	is '--compare of a disk stops at the end of SRC' '0 ' "$rc $err"
	blockdev --setro "$loop"
	run box pcopy one "$loop"
	is 'the message about a read-only disk says that it is read-only' "1 pcopy: can't write '$loop': the disk is read-only (blockdev --setrw)" "$rc $err"
	blockdev --setrw "$loop"
	exec 7<>"$loop"; flock 7
	run box pcopy one "$loop"
	is 'a disk that another process has locked is status 3' "3 pcopy: another process writes '$loop', or has it locked" "$rc $err"
	exec 7<&-
else
	skip '--compare compares a disk' 'not root, or no loop devices'
fi

# --- in place: one at a time
echo old >dst
for option in --inplace -u; do
	locked dst $EMULATOR "$IPCBOX" pcopy $option one dst 2>err; rc=$?
	is "a DST that another process has locked is status 3: $option" "3 pcopy: another process writes 'dst', or has it locked" "$rc $(cat err)"
	ok "a DST that another process has locked stays as it was: $option" holds_old dst
done
rm -f dst; mkfifo feed
box pcopy --inplace - dst <feed & first=$!
exec 9>feed; echo first >&9
wait_for test -s dst
run box pcopy --inplace one dst
is 'the second copy to an absent DST in place is status 3' 3 "$rc"
exec 9>&-; wait $first
is 'the first copy to an absent DST in place ends as if alone' '0 first' "$? $(cat dst)"

# --- refused before the first byte
echo old >dst
if [ "$(id -u)" = 0 ]; then
	echo mounted >over; mount --bind over dst 2>log && {
		run box pcopy one dst
		is 'a DST that is a mount point is refused' "1 pcopy: can't replace 'dst': it is a mount point (use --inplace)" "$rc $err"
		run box pcopy --inplace one dst
		is 'a DST that is a mount point is written in place' '0 ' "$rc $err"
		ok 'the file that is mounted as DST has the bytes of SRC' cmp one over
		umount dst
	}
	for flag in i a; do
		echo old >locked
		if chattr +$flag locked 2>log; then
			run box pcopy one locked
			like "a file with chattr +$flag is refused" "1 pcopy: can't replace 'locked': it is immutable or append-only (chattr -ia)*" "$rc $err"
			chattr -$flag locked
		else
			skip "a file with chattr +$flag is refused" 'not on this file system'
		fi
	done
	mkdir keep; echo old >keep/dst
	if chattr +a keep 2>log; then
		run box pcopy one keep/dst
		is 'an append-only directory is refused where DST exists' \
			"1 pcopy: can't replace 'keep/dst': its directory is append-only (use --inplace)" "$rc $err"
		run box pcopy -R one keep/new
		is 'an append-only directory is refused where --resume would rename its file' \
			"1 pcopy: can't replace 'keep/new': its directory is append-only (use --inplace)" "$rc $err"
		is 'no file is left in an append-only directory' dst "$(ls -A keep)"
		if nameless; then
			run box pcopy one keep/new
			is 'an append-only directory gets a new file' '0 ' "$rc $err"
		fi
		if has_strace; then
			run strace -f -o log -e trace=linkat -e inject=linkat:error=ENOENT "$IPCBOX" pcopy one keep/named
			is 'an append-only directory is refused where a file cannot be without a name' \
				"1 pcopy: can't replace 'keep/named': its directory is append-only (use --inplace)" "$rc $err"
			is 'no second name is left in an append-only directory' '' "$(ls -A keep | grep 'pcopy\|named')"
		fi
		chattr -a keep
	else
		skip 'an append-only directory is refused' 'not on this file system'
	fi
	mkdir dev
	if mount -t devtmpfs none dev 2>log && grep -q "$T/dev devtmpfs" /proc/mounts; then
		run box pcopy one dev/mmcblk99
		is 'an absent name in devtmpfs is refused' "1 pcopy: 'dev/mmcblk99' does not exist, and would be a file in memory (--force makes one) no" "$rc $err $(ls dev/mmcblk99 2>/dev/null || echo no)"
		umount dev
	else
		umount dev 2>log
		skip 'an absent name in devtmpfs is refused' 'it can not be mounted here'
	fi
	mkdir sticky; chmod 1777 sticky; echo old >sticky/dst; chmod 666 sticky/dst; chmod 644 one two
	as_nobody pcopy one sticky/dst
	is 'a file of another user in a sticky directory is refused' \
		"1 pcopy: can't replace 'sticky/dst': another user owns it in a sticky directory (use --inplace)" "$rc $err"
	as_nobody pcopy --inplace one sticky/dst
	is 'a file of another user in a sticky directory is written in place' '0 ' "$rc $err"
	mkdir open closed; chmod 777 open; echo old >open/dst; chown 65534:65534 open/dst; chmod 444 open/dst
	as_nobody pcopy one open/dst
	is "pcopy refuses its user's own DST of mode 0444" "1 pcopy: can't write 'open/dst' (--force replaces it): Permission denied" "$rc $err"
	as_nobody pcopy -f one open/dst
	is '--force replaces a DST of mode 0444' '0 444' "$rc $(stat -c %a open/dst)"
	echo old >closed/dst; chmod 666 closed/dst
	as_nobody pcopy one closed/dst
	is 'the message about a directory that takes no file names --inplace' \
		"1 pcopy: can't create a temporary file beside 'closed/dst' (--inplace needs none): Permission denied" "$rc $err"
	as_nobody pcopy -R one closed/dst
	like 'the message of -R about a directory that takes no file names --inplace' \
		"1 pcopy: can't open '.pcopy-*' beside 'closed/dst' (--inplace needs none): Permission denied" "$rc $err"
	as_nobody pcopy --inplace one closed/dst
	ok 'a directory that takes no file lets DST be written in place' cmp one closed/dst
	echo old >open/write; chown 65534:65534 open/write; chmod 222 open/write
	as_nobody pcopy --inplace one open/write
	is 'a DST that may be written but not read is written in place' '0 ' "$rc $err"
	echo old >open/theirs; chmod 666 open/theirs
	as_nobody pcopy one open/theirs
	is 'pcopy says without -v that it can not keep the owner' "0 pcopy: can't keep the owner of 'open/theirs': Operation not permitted" "$rc $err"
else
	skip 'pcopy refuses what another user may not replace' 'not root'
fi

# --- what DST was, stays
setx='import os, sys; os.setxattr(sys.argv[1], sys.argv[2], b"value")'
getx='import os, sys; print(os.getxattr(sys.argv[1], sys.argv[2]))'
for name in user.note security.selinux; do
	echo old >dst
	if python3 -c "$setx" dst $name 2>log; then
		run box pcopy one dst
		is "the attribute $name of DST stays" "0 b'value'" "$rc $(python3 -c "$getx" dst $name)"
	else
		skip "the attribute $name of DST stays" 'it can not be set here'
	fi
done
mkdir mnt
if [ "$(id -u)" = 0 ] && truncate -s 256M image && mkfs.btrfs -q image >log 2>&1 && mount -o loop image mnt 2>log; then
	: >mnt/dst; chattr +C mnt/dst; echo old >mnt/dst
	run box pcopy one mnt/dst
	like 'a DST without copy on write stays without copy on write' '0 *C*' "$rc $(lsattr mnt/dst)"
	umount mnt
else
	skip 'a DST without copy on write stays without copy on write' 'no mkfs.btrfs, or no loop devices'
fi

# --- sources that live
if has_strace; then
	# lives CHANGE OPTION... - runs CHANGE on SRC while strace delays its first read
	lives() {
		change=$1; shift
		cp one live; rm -f log; echo old >dst
		strace -f -o log -e trace=pread64 -e inject=pread64:delay_exit=500000:when=1 "$IPCBOX" pcopy -e rw -j 1 "$@" live dst 2>err & pid=$!
		wait_for grep -q pread64 log
		$change
		wait $pid; rc=$?
	}
	for change in 'chmod 600 live' 'ln live link' 'mv live moved' 'rm live'; do
		lives "$change"
		is "a SRC that changes its mode or names is copied: $change" '0 ' "$rc $(cat err)"
		ok "a SRC that changes its mode or names is whole: $change" cmp one dst
		rm -f link moved
	done
	grow() { echo more >>live; }
	lives grow
	is 'the message about a SRC that grows names --growing' "4 pcopy: 'live' changed while it was copied (--growing allows growth)" "$rc $(cat err)"
	lives grow --growing
	is '--growing lets SRC grow' '0 ' "$rc $(cat err)"
	ok '--growing copies what SRC had at the start' cmp one dst
	lives 'truncate -s 100 live' --growing
	is '--growing does not let SRC shrink' 4 "$rc"
	rm -f log; cp one live
	strace -f -o log -P "$T/live" -e trace=read -e inject=read:delay_exit=1000000:when=1 "$IPCBOX" pcopy --growing - dst <live 2>err & pid=$!
	wait_for grep -q read log
	grow
	wait $pid
	is '--growing lets standard input grow' '0 ' "$? $(cat err)"
	is 'standard input grew during the copy' more "$(tail -c 5 dst)"
	ok '--growing copies what standard input had at the start' cmp -n "$(stat -c %s one)" one dst
	for error in EPERM EOPNOTSUPP; do
		truncate -s 1M holes; printf x | dd of=holes bs=1 seek=500000 conv=notrunc status=none
		rm -f dst
		run strace -f -o log -e trace=ftruncate -e inject=ftruncate:error=$error "$IPCBOX" pcopy holes dst
		is "pcopy works where ftruncate cannot grow a file: $error" '0 ' "$rc $err"
		ok "pcopy copies each byte where ftruncate cannot grow a file: $error" cmp holes dst
	done
else
	skip 'pcopy copies a SRC that changes its mode or names' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
fi
run sh -c '{ $EMULATOR "$1" pcopy one /dev/stdout; echo $? >&2; } | head -c 1 >/dev/null' sh "$IPCBOX"
is 'pcopy prints no message where the reader of /dev/stdout leaves' 1 "$err"
box pcopy -R --expect 0 one dst 2>err
if locks_show; then
	ok 'a --resume that failed keeps its file' test -s "$(kept dst)"
	like 'the file that --resume keeps says for which DST it is' "*pcopy --resume 'dst'*" "$(tail -c 100 "$(kept dst)" | tail -n 1)"
else
	skip 'a --resume that failed keeps its file' 'no locks in /proc/PID/fdinfo'
fi
box pcopy one dst
ok 'a later success removes what --resume has kept' no_temporary

# --- words that look like arguments
cp one json
for words in '-P json' '-vP bar' '-p mode'; do
	# shellcheck disable=SC2086
	run box pcopy $words one dst
	like "the message about the two words '$words' names the one word to write" "2 pcopy: '$words' is two words: write '-*" "$rc $err"
done
for option in -Pjson -P=json --progress=json; do
	run box pcopy $option one dst
	like "pcopy $option prints its progress as JSON" '0 {"bytes":3000003,"total":3000003,"percent":100,*}' "$rc $err"
done
run box pcopy --progress=json - dst <one
like '--progress=json has null for the total of a stream' '*{"bytes":*,"total":null,"percent":null,*"eta":null}*' "$err"
