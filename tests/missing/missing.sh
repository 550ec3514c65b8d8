# missing.sh - functions and lists that the tests of this folder share, read after tap.sh
# shellcheck shell=sh
#
#   calls_of CMD...           prints the system calls that CMD and its children make, but for those
#                             that without.c lets through or that a program cannot do without
#   "$without" ERROR WHAT CMD...   runs CMD where WHAT is missing: see without.c
#   $errors                   is the list of errors to try: ENOSYS, or all of them with LONG
#   $operations               is a list of parts of calls that some kernels lack
#
# The test ends here, with a skip, where there is no compiler or no seccomp.

without=$T/without
errors=ENOSYS
[ -z "$LONG" ] || errors='ENOSYS EPERM EINVAL'
needed='execve|exit|exit_group|arch_prctl|set_tid_address|set_robust_list|rseq|rt_sigreturn|restart_syscall|brk'

operations='
fcntl:1=F_GETFD fcntl:1=F_SETFD fcntl:1=F_GETFL fcntl:1=F_SETFL fcntl:1=F_DUPFD fcntl:1=F_DUPFD_CLOEXEC
fcntl:1=F_GETLK fcntl:1=F_SETLK fcntl:1=F_SETLKW fcntl:1=F_OFD_GETLK fcntl:1=F_OFD_SETLK fcntl:1=F_OFD_SETLKW
fcntl:1=F_SETOWN fcntl:1=F_SETSIG fcntl:1=F_GETPIPE_SZ fcntl:1=F_SETPIPE_SZ
fcntl:1=F_ADD_SEALS fcntl:1=F_GET_SEALS
ioctl:1=FIONREAD ioctl:1=FIONBIO ioctl:1=FIOASYNC ioctl:1=TIOCGWINSZ ioctl:1=FICLONE ioctl:1=BLKGETSIZE64
kill:0<0 wait4:0<0 waitid:0=2
open:1&O_TMPFILE,openat:2&O_TMPFILE open:1&O_PATH,openat:2&O_PATH open:1&O_DIRECT,openat:2&O_DIRECT
open:1&O_NOFOLLOW,openat:2&O_NOFOLLOW open:1&O_DIRECTORY,openat:2&O_DIRECTORY
mmap:3&MAP_SHARED mmap:3&MAP_FIXED mmap:3&MAP_POPULATE mmap:3&MAP_NORESERVE mmap:3&MAP_FIXED_NOREPLACE
mremap:3&MREMAP_MAYMOVE mremap:3&MREMAP_FIXED
splice:5&SPLICE_F_NONBLOCK splice:5&SPLICE_F_MOVE tee:3&SPLICE_F_NONBLOCK vmsplice:3&SPLICE_F_GIFT
clone:0&CLONE_VM clone:0&CLONE_THREAD clone:0&CLONE_NEWUSER prctl:0=PR_SET_PDEATHSIG
fallocate:1&FALLOC_FL_PUNCH_HOLE'

if [ -n "$EMULATOR" ] || ! command -v cc >/dev/null || ! command -v strace >/dev/null; then
	skip 'calls are missing' 'no cc, or no strace'
	exit
fi
echo '#include <sys/syscall.h>' | cc -E -dM - | sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/CALL(\1)/p' >calls.h
ok 'the filter is built' cc -O1 -Wall -Wextra -I. -o without "$top/tests/missing/without.c"
"$without" ENOSYS getpid true || { skip 'calls are missing' 'no seccomp filters'; exit; }

calls_of() {
	strace -f -qq -o "$T/.trace" "$@" >/dev/null 2>&1
	sed -nE 's/^[0-9]+ +([a-z][a-z0-9_]*)\(.*/\1/p' "$T/.trace" | sort -u | grep -vxE "$needed"
}
