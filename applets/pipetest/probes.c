/*
 * probes.c - finds out which calls this kernel lacks
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sched.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include "engine.h"

/* A kernel may lack a call, an operation or a flag, or a sandbox may refuse it. pipetest makes each
 * call once at the start, with arguments for which the call succeeds or gives an error such as
 * EBADF for a bad descriptor or ENOENT for an empty name. ENOSYS, EPERM, EINVAL and EOPNOTSUPP mean
 * that the call is missing. A case that later announces a missing call, as want() does, is skipped.
 * The table omits calls without which no case could run. readlink gets a name, because gVisor
 * answers EINVAL, not ENOENT, to the empty one. */

static int one[2], other[2];	/* are two pipes; the first holds two bytes */
/* This is a memfd, whose seals are probed. The engine itself makes none, because a seccomp(2)
 * filter may kill it for that. */
static int sealed = -1;
static char *memory;		/* is one page */
static pid_t engine_pid;

/* The calls below take their arguments from this struct. */
static struct {
	struct pollfd poll;
	struct {
		struct timespec spec;
		struct timeval val;
		struct itimerval timer;
	} no_time;
	struct epoll_event event;
	struct {
		struct msghdr message;
		struct iovec vector;
	} data;
	struct rlimit limit;
	struct {
		struct stat stat;
		struct statfs statfs;
	} file;
	struct {
		struct sigaction action;
		siginfo_t info;
		sigset_t none;
	} signals;
	cpu_set_t processors;
	int numbers[2];
	unsigned char pages[1];
	char name[PATH_MAX];
} with;

enum { PUNCH = 3 };		/* equals FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE */
enum { ALLOW_SEALING = 2 };	/* equals MFD_ALLOW_SEALING */

static long failed(const void *p)
{
	return p == MAP_FAILED ? -1 : 0;
}

static long map_at(void *p, int flags)
{
	return failed(mmap(p, t.page, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0));
}

static long map_once(int flags)
{
	return map_at(memory, flags);
}

/* Leaves the page where it is, or moves it to another address if flags has MREMAP_FIXED. */
static long remap(int flags)
{
	char *to = mmap(NULL, t.page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;

	p = mremap(memory, t.page, t.page, flags, to);
	if (p != MAP_FAILED)
		memory = p;
	return failed(p);
}

static long make_timer(void)
{
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	timer_t timer;

	return syscall(SYS_timer_create, CLOCK_MONOTONIC, &none, &timer);
}

/* The number is _LINUX_CAPABILITY_VERSION_3 of capget(2). */
static struct { uint32_t version; int32_t pid; } header = { 0x20080522, 0 };
static uint32_t capabilities[6];

static long get_capabilities(void)
{
	return syscall(SYS_capget, &header, capabilities);
}

static long copy_capabilities(void)
{
	return get_capabilities() < 0 ? 0 : syscall(SYS_capset, &header, capabilities);
}

static long try_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(EXIT_SUCCESS);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	return pid;
}

/* In a user namespace that maps no user, each number is invalid: user_namespaces(7). */
static long try_setuid(void)
{
	long got = syscall(SYS_setuid, getuid());

	return got < 0 && errno == EINVAL ? 0 : got;
}

/* getpid(2) and its like cannot fail by POSIX, so musl does not look for errors: where the kernel
 * lacks the call, they return -ENOSYS. */
static long id_or_errno(unsigned id)
{
	if ((int)id >= 0 || (int)id < -4095)
		return 0;
	errno = -(int)id;
	return -1;
}

/* The name is the word by which a case announces the call, and follows "no-" in the reason for a
 * skip. POSIX(...) marks the interfaces that POSIX.1-2008 demands of all systems. */
#define CALLS \
	CALL(pipe2, syscall(SYS_pipe2, with.numbers, O_CLOEXEC)) \
	POSIX(open, open("", O_RDONLY)) \
	POSIX(openat, openat(AT_FDCWD, "", O_RDONLY)) \
	CALL(O_PATH, open("", O_PATH)) \
	CALL(O_DIRECT, open("", O_DIRECT)) \
	POSIX(O_DIRECTORY, open("", O_DIRECTORY)) \
	POSIX(O_NOFOLLOW, open("", O_NOFOLLOW)) \
	POSIX(O_NONBLOCK, open("", O_NONBLOCK)) \
	POSIX(O_APPEND, open("", O_APPEND)) \
	POSIX(close, close(-1)) \
	POSIX(dup, dup(-1)) \
	POSIX(dup2, dup2(-1, 0)) \
	POSIX(F_GETFD, fcntl(one[0], F_GETFD)) \
	POSIX(F_SETFD, fcntl(one[0], F_SETFD, FD_CLOEXEC)) \
	POSIX(F_GETFL, fcntl(one[0], F_GETFL)) \
	POSIX(F_SETFL, fcntl(one[0], F_SETFL, O_NONBLOCK)) \
	POSIX(F_DUPFD, fcntl(one[0], F_DUPFD, 0)) \
	POSIX(F_DUPFD_CLOEXEC, fcntl(one[0], F_DUPFD_CLOEXEC, 0)) \
	POSIX(F_SETOWN, fcntl(one[0], F_SETOWN, 0)) \
	CALL(F_SETSIG, fcntl(one[0], F_SETSIG, 0)) \
	CALL(F_GETPIPE_SZ, fcntl(other[0], F_GETPIPE_SZ)) \
	CALL(F_SETPIPE_SZ, fcntl(other[0], F_SETPIPE_SZ, t.page)) \
	CALL(F_GET_SEALS, fcntl(sealed = memfd_create("", ALLOW_SEALING), F_GET_SEALS)) \
	CALL(F_ADD_SEALS, fcntl(sealed, F_ADD_SEALS, 0)) \
	CALL(FIONREAD, ioctl(one[0], FIONREAD, with.numbers)) \
	CALL(FIONBIO, ioctl(one[1], FIONBIO, &(int){ 1 })) \
	CALL(FIOASYNC, ioctl(one[1], FIOASYNC, &(int){ 0 })) \
	CALL(TIOCGWINSZ, ioctl(one[0], TIOCGWINSZ, with.name)) \
	CALL(tee, tee(one[0], other[1], 1, SPLICE_F_NONBLOCK)) \
	CALL(splice, splice(one[0], NULL, other[1], NULL, 1, SPLICE_F_NONBLOCK)) \
	CALL(vmsplice, vmsplice(-1, &with.data.vector, 1, 0)) \
	CALL(sendfile, sendfile(-1, -1, NULL, 1)) \
	CALL(copy_file_range, copy_file_range(-1, NULL, -1, NULL, 1, 0)) \
	POSIX(lseek, lseek(-1, 0, SEEK_CUR)) \
	POSIX(pread, pread(-1, with.name, 1, 0)) \
	POSIX(pwrite, pwrite(-1, with.name, 1, 0)) \
	CALL(readv, readv(-1, &with.data.vector, 1)) \
	CALL(writev, writev(-1, &with.data.vector, 1)) \
	CALL(preadv, preadv(-1, &with.data.vector, 1, 0)) \
	CALL(pwritev, pwritev(-1, &with.data.vector, 1, 0)) \
	CALL(preadv2, syscall(SYS_preadv2, -1, &with.data.vector, 1, 0, 0, 0)) \
	POSIX(ftruncate, ftruncate(-1, 0)) \
	POSIX(truncate, truncate("", 0)) \
	CALL(fallocate, fallocate(-1, 0, 0, 1)) \
	CALL(posix_fadvise, -(errno = posix_fadvise(-1, 0, 0, POSIX_FADV_NORMAL))) \
	CALL(sync_file_range, sync_file_range(-1, 0, 0, 0)) \
	CALL(readahead, readahead(-1, 0, 0)) \
	CALL(fsync, fsync(-1)) \
	CALL(fdatasync, fdatasync(-1)) \
	CALL(flock, flock(-1, LOCK_UN)) \
	CALL(memfd_create, memfd_create("", 0)) \
	CALL(FALLOC_FL_PUNCH_HOLE, fallocate(sealed, PUNCH, 0, 1)) \
	POSIX(MAP_SHARED, map_once(MAP_SHARED)) \
	CALL(MAP_FIXED_NOREPLACE, map_once(MAP_PRIVATE | MAP_FIXED_NOREPLACE)) \
	CALL(MAP_FIXED, map_once(MAP_PRIVATE | MAP_FIXED)) \
	CALL(MAP_POPULATE, map_once(MAP_PRIVATE | MAP_POPULATE)) \
	CALL(MAP_NORESERVE, map_once(MAP_PRIVATE | MAP_NORESERVE)) \
	POSIX(mprotect, mprotect(memory, t.page, PROT_READ | PROT_WRITE)) \
	CALL(madvise, madvise(memory, t.page, MADV_NORMAL)) \
	CALL(msync, msync(memory, t.page, MS_ASYNC)) \
	CALL(mincore, mincore(memory, t.page, with.pages)) \
	CALL(MAP_GROWSDOWN, map_once(MAP_PRIVATE | MAP_GROWSDOWN)) \
	CALL(MREMAP_MAYMOVE, remap(MREMAP_MAYMOVE)) \
	CALL(MREMAP_FIXED, remap(MREMAP_MAYMOVE | MREMAP_FIXED)) \
	CALL(mremap, failed(mremap(memory, t.page, t.page, 0))) \
	POSIX(munmap, munmap(memory, t.page)) \
	POSIX(poll, poll(&with.poll, 1, 0)) \
	CALL(ppoll, ppoll(&with.poll, 1, &with.no_time.spec, NULL)) \
	POSIX(select, select(0, NULL, NULL, NULL, &with.no_time.val)) \
	POSIX(pselect, pselect(0, NULL, NULL, NULL, &with.no_time.spec, NULL)) \
	CALL(epoll_create1, epoll_create1(0)) \
	CALL(epoll_ctl, epoll_ctl(-1, EPOLL_CTL_ADD, 0, &with.event)) \
	CALL(ioctl, ioctl(one[0], FIOCLEX)) \
	CALL(epoll_pwait, epoll_pwait(-1, &with.event, 1, 0, &with.signals.none)) \
	CALL(epoll_wait, epoll_wait(-1, &with.event, 1, 0)) \
	CALL(eventfd, eventfd(0, 0)) \
	CALL(timerfd_create, timerfd_create(CLOCK_MONOTONIC, 0)) \
	POSIX(timer_create, make_timer()) \
	CALL(signalfd, signalfd(-1, &with.signals.none, 0)) \
	CALL(inotify_init, inotify_init1(0)) \
	POSIX(socketpair, socketpair(AF_UNIX, SOCK_STREAM, 0, with.numbers)) \
	POSIX(accept, accept(-1, NULL, NULL)) \
	POSIX(sendmsg, sendmsg(-1, &with.data.message, 0)) \
	POSIX(recvmsg, recvmsg(-1, &with.data.message, 0)) \
	POSIX(sigaction, sigaction(SIGUSR1, NULL, &with.signals.action)) \
	POSIX(sigprocmask, sigprocmask(SIG_BLOCK, &with.signals.none, NULL)) \
	POSIX(sigpending, sigpending(&with.signals.none)) \
	POSIX(sigtimedwait, sigtimedwait(&with.signals.none, NULL, &with.no_time.spec)) \
	POSIX(kill, kill(engine_pid, 0)) \
	CALL(tkill, syscall(SYS_tkill, engine_pid, 0)) \
	POSIX(getpid, id_or_errno(getpid())) \
	POSIX(getppid, id_or_errno(getppid())) \
	POSIX(geteuid, id_or_errno(geteuid())) \
	POSIX(getegid, id_or_errno(getegid())) \
	CALL(gettid, syscall(SYS_gettid)) \
	POSIX(waitid, waitid(P_ALL, 0, &with.signals.info, WEXITED | WNOHANG)) \
	POSIX(execve, execl("", "", (char *)NULL)) \
	CALL(vfork, try_vfork()) \
	CALL(setitimer, setitimer(ITIMER_REAL, &with.no_time.timer, NULL)) \
	POSIX(clock_nanosleep, \
		-(errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &with.no_time.spec, NULL))) \
	CALL(prlimit, syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &with.limit)) \
	CALL(sched_getaffinity, \
		syscall(SYS_sched_getaffinity, 0, sizeof(with.processors), &with.processors)) \
	POSIX(umask, syscall(SYS_umask, 022)) \
	POSIX(stat, stat("", &with.file.stat)) \
	POSIX(lstat, lstat("", &with.file.stat)) \
	POSIX(fstat, fstat(one[0], &with.file.stat)) \
	CALL(statfs, statfs("", &with.file.statfs)) \
	CALL(fstatfs, fstatfs(-1, &with.file.statfs)) \
	POSIX(access, access("", 0)) \
	POSIX(readlink, readlink("/no-such-name", with.name, 1)) \
	POSIX(mkfifo, mkfifo("", 0600)) \
	POSIX(mkfifoat, mkfifoat(AT_FDCWD, "", 0600)) \
	POSIX(mkdir, mkdir("", 0700)) \
	POSIX(rmdir, rmdir("")) \
	POSIX(unlink, unlink("")) \
	POSIX(rename, rename("", "")) \
	POSIX(link, link("", "")) \
	POSIX(symlink, symlink("x", "")) \
	POSIX(chmod, chmod("", 0)) \
	POSIX(fchmod, fchmod(-1, 0)) \
	POSIX(chown, chown("", -1, -1)) \
	POSIX(futimens, futimens(-1, NULL)) \
	POSIX(chdir, chdir("")) \
	CALL(capget, get_capabilities()) \
	CALL(capset, copy_capabilities()) \
	POSIX(setuid, try_setuid()) \
	POSIX(setpgid, setpgid(0, 0))

enum {
#define CALL(name, call) N_##name,
#define POSIX CALL
	CALLS
#undef CALL
	N_CALLS
};

static const char names[N_CALLS][24] = {
#define CALL(name, call) #name,
	CALLS
#undef CALL
#undef POSIX
};

static const bool demanded[N_CALLS] = {
#define CALL(name, call) false,
#define POSIX(name, call) true,
	CALLS
#undef CALL
#undef POSIX
};

static long try_call(int number_of_call)
{
	long got = 0;

#define CALL(name, call) if (number_of_call == N_##name) got = call_value(call);
#define POSIX CALL
	CALLS
#undef CALL
#undef POSIX
	return got;
}

static bool says_missing(long got)
{
	return got == -ENOSYS || got == -EPERM || got == -EINVAL || got == -EOPNOTSUPP;
}

/* Probes the calls from number first on in a child, because a seccomp(2) filter may kill the
 * caller. Returns the number of the next call to probe, or N_CALLS at the end. */
static int try_from(int first)
{
	struct probed *p = &pipetest.shared->probed;
	int status;
	pid_t pid;

	p->next = first;
	pid = fork();
	if (pid == 0) {
		pipetest.is_child = true;
		for (; p->next < N_CALLS; p->next++)
			p->absent[p->next] = says_missing(try_call(p->next));
		_exit(EXIT_SUCCESS);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || p->next >= N_CALLS)
		return N_CALLS;
	p->absent[p->next] = true;
	return p->next + 1;
}

static bool make_arguments(void)
{
	memory = mmap(NULL, t.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	engine_pid = getpid();
	return memory != MAP_FAILED && pipe(one) == 0 && pipe(other) == 0
		&& write(one[1], "xx", 2) == 2;
}

void pipetest_probe_calls(void)
{
	_Static_assert((int)N_CALLS <= (int)MAX_CALLS, "struct probed has room for all");
	if (!make_arguments())
		return;
	for (int next = 0; next < N_CALLS;)
		next = try_from(next);
	for (int i = 0; i < N_CALLS; i++)
		pipetest.shared->probed.any_absent |= pipetest.shared->probed.absent[i];
	for (int end = 0; end < 2; end++) {
		close(one[end]);
		close(other[end]);
	}
	(void)munmap(memory, t.page);
}

unsigned t_missing_interfaces(void)
{
	unsigned n = 0;

	if (!make_arguments())
		t_fail("can't make a pipe");
	for (int i = 0; i < N_CALLS; i++)
		if (demanded[i]
			&& (pipetest.shared->probed.absent[i] || says_missing(try_call(i)))) {
			t_info("this kernel lacks %s", names[i]);
			n++;
		}
	return n;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len)
		if ((at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_'))
			&& !isalnum((unsigned char)at[len]) && at[len] != '_')
			return true;
	return false;
}

const char *pipetest_lacking(const char *what)
{
	if (pipetest.shared->probed.any_absent)
		for (int i = 0; i < N_CALLS; i++)
			if (pipetest.shared->probed.absent[i] && has_word(what, names[i]))
				return names[i];
	return NULL;
}

bool t_lacks(const char *name)
{
	return pipetest_lacking(name) != NULL;
}

void t_needs_call(const char *name)
{
	char token[40];

	if (!t_lacks(name))
		return;
	scnprintf(token, sizeof(token), "no-%s", name);
	t_skip(token);
}
