#!/bin/sh
# pipecap as root beside a user who wants it to hang, or to open what he may not.
. "${0%/*}/../tap.sh"

if [ "$(id -u)" != 0 ] || [ -n "$EMULATOR" ] || ! command -v cc >/dev/null || ! command -v strace >/dev/null; then
	skip 'pipecap copes with the pipes of a hostile user' 'not root, emulated, no cc or no strace'
	exit
fi

# --- the lock of a pipe, held through a page that never comes ------------------------------------
cat >holder.c <<'END'
/* Writes into a pipe, or into the FIFO argv[1], from a page that nobody fills in: userfaultfd(2). The
 * kernel waits for the page while it holds the pipe's lock. Prints the pipe's inode. */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long page = sysconf(_SC_PAGESIZE);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC), fd[2];
	void *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stat st;

	reg.range.start = (unsigned long)p;
	reg.range.len = page;
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &reg))
		return 77;
	if (argc > 1)
		fd[0] = fd[1] = open(argv[1], O_RDWR);
	else if (pipe(fd))
		return 1;
	if (fstat(fd[0], &st))
		return 1;
	printf("%lu\n", (unsigned long)st.st_ino);
	fflush(stdout);
	return write(fd[1], p, page) < 0;
}
END
ok 'the helper that holds the lock of a pipe is built' cc -O1 -o holder holder.c
trap 'kill $PIDS 2>/dev/null; umount -l mnt* 2>/dev/null; rm -rf "$T"; echo "1..$N"' EXIT
# A page of FUSE needs no privilege: fusermount3 mounts for each user.
chmod 755 .
mkdir mnt1 mnt2; chown 65534 mnt1 mnt2
# holds COMMAND... - COMMAND's child holds the lock of a pipe or FIFO; sets $holder and $child
holds() {
	: >inode
	timeout 100 "$@" >inode & PIDS="$PIDS $!"
	wait_for sh -c "test -s inode || ! kill -0 $!" 2>/dev/null
	[ -s inode ] || return
	holder=$(children_of $!)
	child=$(children_of "$holder" || echo "$holder")
	# The sleep in write(2) is what holds the lock.
	wait_for grep -q '^1 ' "/proc/$child/syscall"
}
# leave - ends the child, by the end of what serves its page
leave() { kill "$holder"; wait_for test ! -e "/proc/$child"; }
# copes WHO BY - pipecap beside a process that holds the lock of a pipe
copes() {
	run box pipecap -l -J
	is "pipecap -l ends though $1 holds the lock of a pipe by $2" 0 "$rc"
	like "pipecap -l says which pipe $1 has locked by $2" \
		"*pipecap: can't look into 'pipe:?$(cat inode)?': a process keeps it locked*" "$err"
	like "pipecap -l lists the pipe that $1 has locked by $2 with null for its size" \
		"*\"size\":null,\"unread\":null,*\"inode\":$(cat inode),*" "$out"
	like "pipecap -l lists the other pipes with their size while $1 has one locked by $2" '*"size":[1-9]*' "$out"
	fd=$(find -L "/proc/$child/fd" -inum "$(cat inode)" 2>/dev/null | head -n 1)
	run box pipecap -g -p "$child:${fd##*/}"
	is "pipecap -g of a pipe that $1 has locked by $2 ends, and says why" \
		"1 pipecap: can't look into '$child:${fd##*/}': a process keeps it locked" "$rc $err"
	run box pipecap -I
	is "pipecap -I ends though $1 holds the lock of a pipe by $2" 0 "$rc"
}
# copes_with_fifo WHO BY - pipecap beside a process that holds the lock of the FIFO locked. Whoever
# reads the output to its end must not wait for a child that was left behind.
copes_with_fifo() {
	for mode in -g -k '-s 8k' '-s 8k --hold -c'; do
		timeout 20 sh -c "'$IPCBOX' pipecap $mode -f locked 2>&1 | cat" >said
		is "pipecap $mode of a FIFO that $1 has locked by $2 ends, leaves no writer of its output behind, and says why" \
			"0 pipecap: can't look into 'locked': a process keeps it locked" "$? $(cat said)"
	done
	timeout 20 sh -c "'$IPCBOX' pipecap -l 2>/dev/null | cat" >said
	is "pipecap -l beside a FIFO that $1 has locked by $2 leaves no writer of its output behind" '0 1' "$? $(grep -c /locked said)"
}
mkfifo -m 666 locked
if holds ./holder; then
	copes root 'userfaultfd(2)'
	leave
	holds ./holder locked
	copes_with_fifo root 'userfaultfd(2)'
	leave
else
	skip 'pipecap copes with the lock of a pipe that root holds by userfaultfd(2)' 'no userfaultfd'
fi
if command -v python3 >/dev/null && command -v fusermount3 >/dev/null && [ -c /dev/fuse ] &&
	holds python3 "$room/holder.py" "$T/mnt1"; then
	copes 'the user nobody' 'a page of FUSE'
	leave
	holds python3 "$room/holder.py" "$T/mnt2" "$T/locked"
	copes_with_fifo 'the user nobody' 'a page of FUSE'
	leave
else
	skip 'pipecap copes with the lock of a pipe that the user nobody holds by a page of FUSE' 'no fusermount3, or no /dev/fuse'
fi

# --- a link that another user made ------------------------------------------------------------------
if command -v python3 >/dev/null; then
	chmod 755 "$T"
	mkdir -m 700 closed; mkfifo closed/f
	exec 7<>closed/f
	for mode in 1777 777 1775; do
		mkdir -m $mode "m$mode"
		chgrp 65534 "m$mode"
		nobody ln -s ../closed/f "m$mode/link"
		nobody ln -s ../closed "m$mode/way"
		nobody mkfifo -m 666 "m$mode/his"
		ln -s "m$mode/link" "ours$mode"
		ln -s ../closed/f "m$mode/mine"
		for name in "m$mode/link" "m$mode/way/f" "ours$mode"; do
			for action in -g -k '-s 8k' '-s 8k --hold'; do
				run box pipecap $action -f "$name"
				is "pipecap $action does not follow a stranger's link in a directory of mode $mode: $name" \
					"1 pipecap: can't open '$name': a link on its way belongs to user 65534, in a directory that others can write to" "$rc $err"
			done
		done
		run box pipecap -g -f "m$mode/mine"
		is "pipecap follows its user's link in a directory of mode $mode" '0 ' "$rc $err"
		exec 6<>"m$mode/his"
		run box pipecap -q -s 8k -f "m$mode/his"
		is "pipecap sets the size of a stranger's FIFO in a directory of mode $mode" '0 8192' \
			"$rc $(box pipecap -g -f "m$mode/his" | cut -f2)"
		exec 6>&-
	done
	is 'the FIFO that a link led to has its size' 65536 "$(box pipecap -g -n 7 | cut -f2)"
	exec 7>&-

	# pipecap --hold has looked at the FIFO, and then nobody puts a link in its place. A reader in
	# open(2) shows whether anybody opens what the link leads to.
	if [ "$(uname -m)" = x86_64 ]; then # other machines have no open(2)
		(exec 8<closed/f; : >opened) & PIDS="$PIDS $!"
		mkfifo m777/f
		# The child opens the FIFO. pipecap waits for it in poll(2) a second at most, so it is
		# held there, too.
		held open 2 -e trace=open,poll -e inject=poll:delay_enter=4000000000 -- pipecap -q -s 8k --hold -f m777/f -- true
		nobody sh -c 'mv m777/f m777/away && ln -s ../closed/f m777/f'
		let_go
		is 'pipecap --hold opens the FIFO that it looked at, not one to which a new link leads' '0  no' \
			"$rc $err $(ls opened 2>/dev/null || echo no)"
	else
		skip 'pipecap --hold opens the FIFO that it looked at' 'not x86_64'
	fi
else
	skip "pipecap does not follow a stranger's link" 'no python3'
fi

# --- another file gets under the name between the look and the open ----------------------------------
# The process has a FIFO open as descriptor 5. strace delays each open(2) of pipecap; when that of
# the descriptor is due, it becomes one of a file that only root may read.
if [ "$(uname -m)" != x86_64 ] || ! [ -r /proc/self/syscall ] || ! command -v python3 >/dev/null; then
	skip 'a descriptor that is swapped is not opened' 'not x86_64, no python3, or no /proc/PID/syscall'
	exit
fi
cat >swap.py <<'END'
import os, time
os.mkfifo('hostile')
fifo, secret = os.open('hostile', os.O_RDWR), os.open('secret', os.O_RDWR | os.O_CREAT, 0o600)
os.dup2(fifo, 5); os.close(fifo)
path = b'/proc/%d/fd/5' % os.getpid()
print(os.getpid(), flush=True)
def opens(pid):
    """Does the process stand in front of an open(2), number 2, of that path?"""
    try:
        call = open(f'/proc/{pid}/syscall').read().split()
        if call[0] != '2': return False
        with open(f'/proc/{pid}/mem', 'rb') as mem:
            mem.seek(int(call[1], 16))
            return mem.read(len(path) + 1) == path + b'\0'
    except (OSError, ValueError): return False
while not any(opens(pid) for pid in os.listdir('/proc') if pid.isdigit()): time.sleep(0.001)
os.dup2(secret, 5)
open('swapped', 'w').close()
time.sleep(60)
END
python3 swap.py >swap.pid & PIDS="$PIDS $!"
wait_for test -s swap.pid
swapper=$(cat swap.pid)
run strace -f -qq -o trace -e trace=open -e inject=open:delay_enter=500000 \
	"$IPCBOX" pipecap -g -p "$swapper:5"
ok 'the descriptor was swapped in front of the open' wait_for test -e swapped
like 'a descriptor that was swapped for another file is no pipe to pipecap' \
	"1 pipecap: $swapper:5: not a pipe" "$rc $err"
like 'pipecap opens a path in /proc as a mere path' '*O_PATH*' "$(grep -F "/proc/$swapper/fd/5" trace)"
is 'pipecap never opens a descriptor in /proc before it knows that it is a pipe' '' \
	"$(grep -F "/proc/$swapper/fd/5" trace | grep -v O_PATH)"
