#!/bin/sh
# These tests run pcopy as root in a directory where the user nobody can write, rename and remove.
# Each race is made certain: strace(1) stops pcopy at a system call, and the user nobody acts
# meanwhile. Most directories have no sticky bit, so that fs.protected_* does not apply
# (proc_sys_fs(5)).
. "${0%/*}/../tap.sh"
. "$room/pcopy.sh"

if [ "$(id -u)" != 0 ] || [ -n "$EMULATOR" ] || ! command -v python3 >/dev/null || ! has_strace; then
	skip 'pcopy as root is safe beside the user nobody' 'not root, emulated, no python3 or no strace'
	exit
fi
trap 'umount dir 2>/dev/null; kill $PIDS 2>/dev/null; rm -rf "$T"; echo "1..$N"' EXIT
chmod 755 "$T"
umask 022
head -c 300000 /dev/urandom | base64 >secret; chmod 600 secret
echo public >public

# fresh - makes a new directory that everybody can write to
fresh() { rm -rf dir; mkdir dir; chgrp 65534 dir; chmod 777 dir; }
# swaps_temporary - puts a file of the user nobody in the place of the temporary file
swaps_temporary() { nobody sh -c 'cd dir; for f in .pcopy-*; do mv "$f" away; echo forged >"$f"; done'; }
# without_linkat - options of strace: the temporary file then has a name, which another file can take
without_linkat='-e inject=linkat:error=ENOSYS -e trace'

# --- no other user reads or writes what is being made
for options in '' -R --inplace; do
	fresh
	for mask in 022 000; do
		rm -f dir/*
		case $options in --inplace) ;; *) : >dir/dst; chmod 600 dir/dst ;; esac
		(umask $mask; strace -f -o log -e trace=open,openat,chmod,fchmod "$IPCBOX" pcopy $options secret dir/dst)
		is "the file that pcopy $options makes with umask $mask has mode 0600 from its first instant" 0600 \
			"$(grep -E 'O_(CREAT|TMPFILE).*= [0-9]' log | sed 's/.*, \(0[0-7]*\)) *= .*/\1/' | sort -u)"
		is "a secret stays a secret after pcopy $options with umask $mask" 600 "$(stat -c %a dir/dst)"
	done
done
# Without linkat(2), the temporary file has a name, which the user nobody can see.
fresh; : >dir/dst; chmod 600 dir/dst
mkfifo feed
strace -f -o log -e trace=open,openat -e inject=linkat:error=ENOSYS -e trace=open,openat,linkat "$IPCBOX" pcopy - dir/dst <feed 2>err & pid=$!
exec 9>feed
head -c 1000 secret >&9
wait_for sh -c 'ls dir/.pcopy-*'
ok 'nobody cannot open a temporary file that has a name' sh -c '! setpriv --reuid 65534 --clear-groups cat dir/.pcopy-*'
exec 9>&-; wait $pid; rc=$?
is 'a copy through a temporary file with a name succeeds' '0 600' "$rc $(stat -c %a dir/dst)"

# The user nobody opens a file that --resume has kept, before pcopy goes on with it.
fresh; kept=$(kept dst)
: >dir/dst; chmod 600 dir/dst
echo leftover >"dir/$kept"; chmod 644 "dir/$kept"
nobody sh -c 'exec 8<"$1"; echo ready >&2; read -r line; cat <&8' sh "dir/$kept" <feed >seen 2>ready & reader=$!
exec 9>feed
wait_for grep -q ready ready
run box pcopy -R secret dir/dst
is 'pcopy -R succeeds where a kept file is less private than DST' '0 ' "$rc $err"
ok 'pcopy -R copies each byte where a kept file is less private than DST' cmp secret dir/dst
echo >&9; exec 9>&-; wait $reader
is 'nobody reads no secret through a kept file that he had open' leftover "$(cat seen)"
for mode in 666 620; do
	fresh; : >dir/dst; chmod 600 dir/dst
	echo leftover >"dir/$kept"; chmod $mode "dir/$kept"
	inode=$(stat -c %i "dir/$kept")
	exec 8<>"dir/$kept"
	run box pcopy -R secret dir/dst
	ok "pcopy -R does not write into a kept file of mode $mode" test "$rc $(stat -c %i dir/dst)" != "0 $inode"
	is "the DST of pcopy -R is private where a kept file had mode $mode" '0 600' "$rc $(stat -c %a dir/dst)"
	exec 8<&-
done

# --- what is committed is what was made
if pages_leave; then verify=-y; else verify= && skip 'pcopy -y fails where nobody swaps the temporary file' 'pages of a file do not leave the memory here'; fi
for old in none root; do
	for options in '' $verify -R; do
		fresh; [ $old = none ] || echo old >dir/dst
		held fsync 1 $without_linkat=fsync,linkat -- pcopy $options secret dir/dst
		swaps_temporary
		let_go
		like "pcopy $options fails where nobody swaps the temporary file: $old" "3 pcopy: 'dir/dst' lost its temporary file to another process*" "$rc $err"
		is "a swapped temporary file does not become DST: $old, '$options'" "$([ $old = none ] || echo old)" "$(head -c 20 dir/dst 2>/dev/null)"
	done
	# The swap comes between the last look of pcopy and its rename.
	fresh; [ $old = none ] || echo old >dir/dst
	held '?rename,renameat,?renameat2' 1 $without_linkat='?rename,renameat,?renameat2,linkat' -- pcopy secret dir/dst
	swaps_temporary
	let_go
	like "pcopy fails where nobody swaps the temporary file right before the rename: $old" "3 pcopy: 'dir/dst' was replaced by another process*" "$rc $err"
done

# --- a stranger's file is not adopted
owned="belongs to user 65534, in a directory that others can write to"
for mode in 777 1777 775; do
	for options in '' --inplace -u -R -p; do
		fresh; chmod $mode dir
		nobody sh -c 'echo his >dir/dst'
		run box pcopy $options secret dir/dst
		is "pcopy $options refuses a stranger's file in a directory of mode $mode" "1 pcopy: can't open 'dir/dst': it $owned" "$rc $err"
		is "pcopy $options leaves a stranger's file as it was in a directory of mode $mode" 'his 65534' "$(cat dir/dst) $(stat -c %u dir/dst)"
		fresh; chmod $mode dir; echo old >target; chmod 644 target
		nobody ln -s ../target dir/dst
		run box pcopy $options secret dir/dst
		is "pcopy $options does not follow a stranger's link in a directory of mode $mode" "1 pcopy: can't open 'dir/dst': a link on its way $owned" "$rc $err"
		is "pcopy $options leaves the target of a stranger's link in a directory of mode $mode" old "$(cat target)"
	done
	fresh; chmod $mode dir; nobody ln -s ../secret dir/src
	run box pcopy dir/src copy
	is "pcopy does not read through a stranger's link in a directory of mode $mode" "1 pcopy: can't open 'dir/src': a link on its way $owned" "$rc $err"
	nobody mkfifo dir/fifo
	run box pcopy secret dir/fifo
	is "pcopy does not write into a stranger's FIFO in a directory of mode $mode" "1 pcopy: can't open 'dir/fifo': it $owned" "$rc $err"
	fresh; chmod $mode dir; nobody ln -s ../secret dir/inner; ln -s dir/inner outer
	run box pcopy outer copy
	is "pcopy does not follow its user's link to a stranger's link in a directory of mode $mode" "1 pcopy: can't open 'outer': a link on its way $owned" "$rc $err"
	rm outer
done
fresh; chown 65534 dir; nobody sh -c 'echo his >dir/dst'
run box pcopy public dir/dst
is "pcopy replaces a file of the directory's owner" '0  public 65534' "$rc $err $(cat dir/dst) $(stat -c %u dir/dst)"
mkdir closed; nobody true; echo his >closed/dst; chown 65534 closed/dst
run box pcopy public closed/dst
is "pcopy replaces a user's file in a directory that only root can write to" '0  public' "$rc $err $(cat closed/dst)"
fresh; echo old >dir/target; ln -s target dir/dst
run box pcopy public dir/dst
is "pcopy follows root's own link in a directory that others can write to" '0  public' "$rc $err $(cat dir/target)"

# --- nobody's links in the middle of a path
for mode in 777 1777 775; do
	for link in dir/way dir/way/deeper; do
		for options in '' --inplace -u -R; do
			fresh; chmod $mode dir; rm -rf inner; mkdir -p inner/deeper; echo old >inner/dst; echo old >inner/deeper/dst
			nobody ln -s ../inner dir/way
			run box pcopy $options secret $link/dst
			is "pcopy $options follows no stranger's link on the way to DST: $link, mode $mode" "1 pcopy: can't open '$link/dst': a link on its way $owned" "$rc $err"
			run box pcopy $options secret $link/new
			is "pcopy $options makes no file behind a stranger's link: $link, mode $mode" "1 old old" "$rc $(cat inner/dst inner/deeper/* | paste -sd ' ')"
		done
		cp secret inner/secret; cp secret inner/deeper/secret
		run box pcopy $link/secret copy
		is "pcopy follows no stranger's link on the way to SRC: $link, mode $mode" "1 pcopy: can't open '$link/secret': a link on its way $owned" "$rc $err"
	done
	run box pcopy public secret dir/way
	is "pcopy follows no stranger's link to the directory of several files: mode $mode" "1 deeper dst secret" "$rc $(cd inner && echo *)"
	ln -s dir/way outer
	run box pcopy public outer/dst
	is "pcopy follows no stranger's link that its user's link leads through: mode $mode" "1 pcopy: can't open 'outer/dst': a link on its way $owned" "$rc $err"
	rm outer
	ln -s ../inner dir/ours
	run box pcopy public dir/ours/dst
	is "pcopy follows root's own link on the way to DST: mode $mode" '0  public' "$rc $err $(cat inner/dst)"
	chown 65534 dir
	run box pcopy public dir/way/deeper/dst
	is "pcopy follows the link of the directory's owner on the way to DST: mode $mode" '0  public' "$rc $err $(cat inner/deeper/dst)"
	chown 0 dir
	cp public inner/one; mkdir -p many
	run box pcopy dir/way/one public many
	is "a stranger's link on the way to one SRC stops no other SRC: mode $mode" '1 public' "$rc $(cd many && echo *)"
	rm -r many
done

# --- a stranger's locks stop nobody
cat >locks.py <<'END'
"""locks.py FILE LOCK... - as nobody, who can only read the file, holds these locks on it: flock, read"""
import fcntl, os, sys, time
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
file = open(sys.argv[1])
if "flock" in sys.argv:
    fcntl.flock(file, fcntl.LOCK_EX)
if "read" in sys.argv:
    fcntl.lockf(file, fcntl.LOCK_SH)
print("ready", flush=True)
time.sleep(60)
END
for locks in flock read 'flock read'; do
	for options in --inplace -u -R; do
		fresh; echo old >dir/dst; cp public "dir/$kept"; chmod 644 "dir/$kept" dir/dst
		case $options in -R) file=$kept ;; *) file=dst ;; esac
		: >ready
		# shellcheck disable=SC2086 # words
		python3 locks.py dir/$file $locks >ready & holder=$!
		wait_for grep -q ready ready
		run box pcopy $options public dir/dst
		is "no lock of a reader stops pcopy $options: $locks" '0  public' "$rc $err $(cat dir/dst)"
		if [ $options != -R ]; then
			"$IPCBOX" pcopy $options - dir/dst <feed & first=$!
			exec 9>feed; echo first >&9
			wait_for grep -q first dir/dst
			run box pcopy $options secret dir/dst
			is "two pcopy $options exclude each other beside a reader's lock: $locks" "3 pcopy: another process writes 'dir/dst', or has it locked" "$rc $err"
			exec 9>&-; wait $first
		fi
		kill $holder; wait $holder
	done
done
# On btrfs, /proc/locks has another device for the file than stat(2).
fresh
if truncate -s 256M image && mkfs.btrfs -q image >log 2>&1 && mount -o loop image dir 2>log; then
	chmod 777 dir; echo old >dir/dst; chmod 644 dir/dst; : >ready
	python3 locks.py dir/dst flock read >ready & holder=$!
	wait_for grep -q ready ready
	run box pcopy --inplace public dir/dst
	is 'no lock of a reader stops pcopy on btrfs' '0  public' "$rc $err $(cat dir/dst)"
	kill $holder; wait $holder
	umount dir
else
	skip 'no lock of a reader stops pcopy on btrfs' 'no mkfs.btrfs, or no loop devices'
fi

# --- between look and open nothing changes hands
echo shadow >shadow; chmod 600 shadow
for options in '' --inplace -u; do
	fresh; echo old >dir/dst
	held ftruncate,fchmod,fsync 1 -- pcopy $options secret dir/dst
	nobody sh -c 'rm -f dir/dst; ln -s ../shadow dir/dst'
	let_go
	is "pcopy $options writes no file that a swapped link leads to" shadow "$(cat shadow)"
	like "pcopy $options fails where DST is swapped for a link" '[13] pcopy: *' "$rc $err"
	fresh; echo old >dir/dst
	held ftruncate,fchmod,fsync 1 -- pcopy $options secret dir/dst
	nobody sh -c 'mv dir/dst dir/away; echo his >dir/dst'
	let_go
	like "pcopy $options fails where nobody swaps DST for his file" '[13] pcopy: *' "$rc $err"
	is "a file of nobody that takes the place of DST has no secret: '$options'" his "$(head -c 20 dir/dst)"
done
# pcopy has examined a FIFO, and then a link to root's file takes its place. The first open(2) is
# that of the root directory, the second that of the FIFO.
if [ "$(uname -m)" = x86_64 ]; then # other machines have no open(2)
	fresh; mkfifo dir/fifo
	held open 2 -- pcopy secret dir/fifo
	nobody sh -c 'mv dir/fifo dir/away; ln -s ../shadow dir/fifo'
	timeout 20 cat dir/away >seen & PIDS="$PIDS $!" reader=$!
	let_go; wait $reader
	is "pcopy writes no file that takes the place of a FIFO" '0  shadow' "$rc $err $(cat shadow)"
	ok 'pcopy writes into the FIFO that it has examined' cmp secret seen
	# pcopy has examined SRC, and then a link to root's file takes its place.
	fresh; echo his >dir/src; ln -s src dir/ours
	held openat "$(strace -o log -e trace=openat "$IPCBOX" pcopy dir/ours copy; grep -n '"src", O_RDONLY' log | tail -n 1 | cut -d: -f1)" -- pcopy dir/ours copy
	nobody sh -c 'mv dir/src dir/away; ln -s ../shadow dir/src'
	let_go
	like "pcopy does not read what a link leads to that takes the place of SRC" "1 pcopy: can't open 'dir/ours': *" "$rc $err"
else
	skip 'pcopy writes no file that takes the place of a FIFO' 'not x86_64'
fi
# While pcopy reads the ACL and the attributes of DST, another file has its name for a moment.
fresh; echo old >dir/dst; chmod 600 dir/dst
nobody sh -c 'echo his >dir/his'
if python3 -c 'import os, struct
os.setxattr("dir/his", "system.posix_acl_access", struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in
    [(1, 6, 2**32 - 1), (2, 6, 65534), (4, 0, 2**32 - 1), (16, 6, 2**32 - 1), (32, 0, 2**32 - 1)]))
os.setxattr("dir/his", "user.note", b"his")' 2>log; then
	# A FIFO as the second SRC keeps pcopy between the first file's attributes and its name.
	mkdir two; cp secret two/dst; mkfifo two/feed
	held listxattr 1 -- pcopy two/dst two/feed dir
	nobody sh -c 'cd dir; mv dst away; mv his dst'
	ok 'the first swap comes before listxattr(2)' is_held
	kill -KILL "$(tracer)"
	exec 9>two/feed
	nobody sh -c 'cd dir; mv dst his; mv away dst'
	exec 9>&-
	wait $pid; rc=$?
	is 'pcopy gives DST no attribute and no right of a file that took its place for a moment' "0 600 " \
		"$rc $(stat -c %a dir/dst) $(python3 -c 'import os; print(*os.listxattr("dir/dst"))')"
else
	skip 'pcopy gives DST no attribute and no right of a file that took its place for a moment' 'no ACLs here'
fi
