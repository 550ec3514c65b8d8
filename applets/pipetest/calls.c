/*
 * calls.c - what a case says: calls with expected results, and calls that block
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "pipetest.h"

struct state t;

enum { IDLE, CALLING, RETURNED };

/* --- verdicts and diagnostics -------------------------------------------------------- */

static void add_line(const char *fmt, va_list args) PRINTF(1, 0);
static void add_line(const char *fmt, va_list args)
{
	struct shared *s = t.shared;
	char line[512];
	int len = vsnprintf(line, sizeof(line) - 1, fmt, args);
	uint32_t at;

	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	at = atomic_fetch_add(&s->text_len, len);
	if (at + len < TEXT_SIZE)
		memcpy(s->text + at, line, len);
}

void info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_line(fmt, args);
	va_end(args);
}

void fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_line(fmt, args);
	va_end(args);
	t.shared->verdict = FAIL;
	_exit(EXIT_FAILURE);
}

void skip(const char *token)
{
	snprintf(t.shared->reason, sizeof(t.shared->reason), "%s", token);
	t.shared->verdict = SKIP;
	_exit(EXIT_SUCCESS);
}

const char *errname(long result)
{
	static const struct {
		int err;
		char name[14];
	} names[] = {
		{ EAGAIN, "EAGAIN" }, { EPIPE, "EPIPE" }, { EBADF, "EBADF" }, { EINVAL, "EINVAL" },
		{ EINTR, "EINTR" }, { EFAULT, "EFAULT" }, { EPERM, "EPERM" }, { EACCES, "EACCES" },
		{ ENOENT, "ENOENT" }, { EEXIST, "EEXIST" }, { ENXIO, "ENXIO" }, { EBUSY, "EBUSY" },
		{ ENOMEM, "ENOMEM" }, { ENODEV, "ENODEV" }, { ENOTDIR, "ENOTDIR" }, { EISDIR, "EISDIR" },
		{ EMFILE, "EMFILE" }, { ENFILE, "ENFILE" }, { ENOTTY, "ENOTTY" }, { ESPIPE, "ESPIPE" },
		{ ENOSPC, "ENOSPC" }, { EROFS, "EROFS" }, { EFBIG, "EFBIG" }, { ENOSYS, "ENOSYS" },
		{ ENAMETOOLONG, "ENAMETOOLONG" }, { ELOOP, "ELOOP" }, { EOVERFLOW, "EOVERFLOW" },
		{ EOPNOTSUPP, "EOPNOTSUPP" }, { EXDEV, "EXDEV" }, { ENOPKG, "ENOPKG" }, { EIO, "EIO" },
		{ ETXTBSY, "ETXTBSY" }, { ECHILD, "ECHILD" }, { ESRCH, "ESRCH" }, { EDEADLK, "EDEADLK" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].err == -result)
			return names[i].name;
	return "";
}

void want(long got, long expected, const char *fmt, ...)
{
	char call[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(call, sizeof(call), fmt, args);
	va_end(args);
	if (got != expected)
		fail("%s = %ld %s, expected %ld %s", call, got, errname(got), expected, errname(expected));
	if (t.verbose)
		info("%s = %ld %s", call, got, errname(got));
}

/* One that makes the pair before it tries to store the numbers, and then forgets it. */
bool emulated(void)
{
	void *nowhere = t_map(t.page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int before = dup(t.r), after;

	close(before);
	(void)!socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere);
	after = dup(t.r);
	close(after);
	return after != before;
}

/* --- the stream ---------------------------------------------------------------------- */

/* Positions that differ by less than 64 Ki, or by a multiple of a page, differ in what
 * follows: bytes that are lost, doubled or out of order show. */
static char byte_at(uint32_t pos)
{
	return pos ^ pos >> 8 ^ pos >> 13;
}

const char *pattern(size_t n)
{
	static char *buf;
	static size_t size;

	if (n > size)
		buf = xrealloc(buf, size = n);
	for (size_t i = 0; i < n; i++)
		buf[i] = byte_at(t.shared->written + i);
	return n ? buf : "";
}

void pattern_wrote(long result)
{
	if (result > 0)
		t.shared->written += result;
}

void t_write(int fd, size_t n, long expected)
{
	long got = ret(write(fd, pattern(n), n));

	pattern_wrote(got);
	want(got, expected, "write(%d, %zu bytes)", fd, n);
}

static long checked_read(int fd, size_t n)
{
	char *buf = xmalloc(n ? n : 1);
	long got = ret(read(fd, buf, n));

	for (long i = 0; i < got; i++)
		if (buf[i] != byte_at(t.shared->consumed + i))
			fail("read(%d, %zu) = %ld, but byte %ld is not the next of the stream", fd, n, got, i);
	if (got > 0)
		t.shared->consumed += got;
	free(buf);
	return got;
}

void t_read(int fd, size_t n, long expected)
{
	want(checked_read(fd, n), expected, "read(%d, %zu)", fd, n);
}

void t_close(int *fd)
{
	want(ret(close(*fd)), 0, "close(%d)", *fd);
	*fd = -1;
}

void t_poll(int fd, int events, int revents)
{
	struct pollfd p = { fd, events, 0 };

	want(ret(poll(&p, 1, 0)), revents != 0, "poll(%d, events %#x)", fd, events);
	want(p.revents, revents, "its revents");
}

void t_fionread(int fd, long expected)
{
	int n = -1;

	want(ret(ioctl(fd, FIONREAD, &n)), 0, "ioctl(%d, FIONREAD)", fd);
	want(n, expected, "the bytes it finds");
}

void nonblock(int fd)
{
	want(ret(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)), 0, "fcntl(%d, F_SETFL, O_NONBLOCK)", fd);
}

/* Halving chunks find the room that larger ones leave. */
size_t t_fill(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	size_t total = 0;
	long n = 0;

	nonblock(fd);
	for (size_t chunk = t.page; chunk; chunk /= 2)
		while ((n = ret(write(fd, pattern(chunk), chunk))) > 0) {
			pattern_wrote(n);
			total += n;
		}
	want(n, -EAGAIN, "write to a full pipe");
	want(ret(fcntl(fd, F_SETFL, flags)), 0, "fcntl(%d, F_SETFL)", fd);
	return total;
}

void t_drain(int fd, size_t n)
{
	while (n) {
		long got = checked_read(fd, n);

		if (got <= 0)
			fail("read(%d) = %ld %s with %zu bytes to come", fd, got, errname(got), n);
		n -= got;
	}
}

void *t_map(size_t len, int prot, int flags, int fd, off_t off)
{
	void *p = mmap(NULL, len, prot, flags, fd, off);

	want(ret(p == MAP_FAILED ? -1 : 0), 0, "mmap(%zu, prot %d, flags %#x, fd %d)", len, prot, flags, fd);
	return p;
}

int t_file(const char *name, size_t len)
{
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

	if (fd < 0 || ftruncate(fd, len) < 0)
		fail("can't make a file of %zu bytes: %s", len, strerror(errno));
	return fd;
}

/* In memory where that can be had: it needs no directory. */
int t_data(size_t len)
{
	int fd = memfd_create("data", MFD_CLOEXEC);
	long n;

	if (fd < 0 && !t.dir)
		skip("no-dir");
	if (fd < 0) {
		fd = t_file("data", 0);
		unlink("data");
	}
	n = ret(write(fd, pattern(len), len));
	pattern_wrote(n);
	want(n, len, "write(%d, %zu bytes) to a file", fd, len);
	want(ret(lseek(fd, 0, SEEK_SET)), 0, "lseek(%d)", fd);
	return fd;
}

void t_pipe(int fd[2])
{
	want(ret(pipe(fd)), 0, "pipe");
}

static void count(int sig)
{
	(void)sig;
	t.caught++;
	t.catcher = syscall(SYS_gettid);
}

void t_catch(int sig, int sa_flags)
{
	struct sigaction sa = { .sa_handler = count, .sa_flags = sa_flags };

	want(ret(sigaction(sig, &sa, NULL)), 0, "sigaction(%d)", sig);
}

void t_block(int sig, sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, sig);
	want(ret(sigprocmask(SIG_BLOCK, set, NULL)), 0, "sigprocmask(SIG_BLOCK, %d)", sig);
}

/* --- other processes ----------------------------------------------------------------- */

static void pause_briefly(void)
{
	sleep_until(monotonic_ns() + NS_PER_S / 10000);
}

void wait_until(bool (*cond)(long arg), long arg, const char *what)
{
	while (!cond(arg)) {
		if (monotonic_ns() > t.deadline)
			fail("still waiting: %s", what);
		pause_briefly();
	}
}

pid_t t_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static int new_slot(void)
{
	int slot = atomic_fetch_add(&t.shared->jobs, 1);

	if (slot >= MAX_JOBS)
		fail("more than %d jobs", MAX_JOBS);
	return slot;
}

static void do_job(int slot, long (*call)(long arg), long arg)
{
	t.shared->job[slot].state = CALLING;
	t.shared->job[slot].result = call(arg);
	t.shared->job[slot].caught = t.caught;
	t.shared->job[slot].state = RETURNED;
}

struct job t_start(long (*call)(long arg), long arg)
{
	struct job job = { .slot = new_slot() };

	job.pid = t_fork();
	if (job.pid == 0) {
		do_job(job.slot, call, arg);
		_exit(EXIT_SUCCESS);
	}
	return job;
}

static struct {
	int slot;
	long (*call)(long arg);
	long arg;
} thread;

static int run_thread(void *unused)
{
	(void)unused;
	do_job(thread.slot, thread.call, thread.arg);
	return 0;
}

/* clone(2) and not pthreads: one thread that makes one call is not worth their 6 KB. */
struct job t_thread(long (*call)(long arg), long arg)
{
	enum { SIZE = 16 * 1024 };
	static _Alignas(16) char stack[SIZE];
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
	struct job job = { .slot = new_slot(), .thread = true };

	thread.slot = job.slot;
	thread.call = call;
	thread.arg = arg;
	job.pid = clone(run_thread, stack + SIZE, flags, NULL);
	if (job.pid < 0)
		fail("clone: %s", strerror(errno));
	return job;
}

pid_t t_exec(int out)
{
	char name[] = "ipcbox", option[] = "--version", *argv[] = { name, option, NULL };
	int said[2], err;
	pid_t pid;

	want(ret(pipe2(said, O_CLOEXEC)), 0, "pipe2");
	pid = t_fork();
	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		execv("/proc/self/exe", argv);
		err = errno;
		_exit(write(said[1], &err, sizeof(err)) < 0);
	}
	close(said[1]);
	if (read(said[0], &err, sizeof(err)) != 0)
		skip("no-exec");
	close(said[0]);
	return pid;
}

long call_read(long n)
{
	close(t.w);
	return checked_read(t.r, n);
}

long call_write(long n)
{
	long got;

	close(t.r);
	got = ret(write(t.w, pattern(n), n));
	pattern_wrote(got);
	return got;
}

bool t_returned(struct job job)
{
	return t.shared->job[job.slot].state == RETURNED;
}

/* Field 3 of /proc/PID/stat, after the name in parentheses: proc(5). 0 if it is gone. */
static int process_state(pid_t pid)
{
	char path[40], stat[512], *paren;
	ssize_t n = -1;
	int fd;

	if (!t.proc)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		n = read(fd, stat, sizeof(stat) - 1);
		close(fd);
	}
	if (n <= 0)
		return 0;
	stat[n] = '\0';
	paren = strrchr(stat, ')');
	return paren ? paren[2] : 0;
}

/* A process that has announced its call, sleeps and has not returned sleeps in the call:
 * between the announcement and the call it does nothing that could sleep. Without /proc a
 * grace period has to do, and says so. */
static bool sleeps(struct job job, int64_t grace_end)
{
	int state;

	if (t.shared->job[job.slot].state != CALLING)
		return false;
	if (!t.proc)
		return monotonic_ns() > grace_end;
	state = process_state(job.pid);
	return (state == 'S' || state == 'D') && !t_returned(job);
}

void t_blocks(struct job job)
{
	int64_t grace_end = monotonic_ns() + (int64_t)(t.factor * NS_PER_S / 50);

	while (!sleeps(job, grace_end)) {
		if (t_returned(job)) {
			long result = t.shared->job[job.slot].result;

			fail("the call returned %ld %s, expected it to block", result, errname(result));
		}
		if (monotonic_ns() > t.deadline)
			fail("the call neither blocks nor returns");
		pause_briefly();
	}
	if (!t.proc)
		info("blocking not confirmed (no /proc)");
	else if (t.verbose)
		info("process %d blocks", (int)job.pid);
}

void t_reap(pid_t pid, int status)
{
	int got;

	if (waitpid(pid, &got, 0) != pid)
		fail("waitpid: %s", strerror(errno));
	if (WIFSIGNALED(got))
		fail("process %d died of signal %d", (int)pid, WTERMSIG(got));
	want(WEXITSTATUS(got), status, "exit status of process %d", (int)pid);
}

void t_returns(struct job job, long expected)
{
	while (!t_returned(job)) {
		if (monotonic_ns() > t.deadline)
			fail("the call still blocks, expected it to return %ld %s", expected, errname(expected));
		if (kill(job.pid, 0) < 0 || process_state(job.pid) == 'Z')
			break;
		pause_briefly();
	}
	if (!job.thread)
		t_reap(job.pid, EXIT_SUCCESS);
	want(t.shared->job[job.slot].result, expected, "the call of process %d", (int)job.pid);
}

int t_caught(struct job job)
{
	return t.shared->job[job.slot].caught;
}

void t_dies(struct job job, int sig)
{
	int status;

	if (waitpid(job.pid, &status, 0) != job.pid)
		fail("waitpid: %s", strerror(errno));
	if (!WIFSIGNALED(status))
		fail("the call returned %d, expected death of signal %d", (int)t.shared->job[job.slot].result, sig);
	want(WTERMSIG(status), sig, "signal that killed process %d", (int)job.pid);
}

int t_signal_of(void (*touch)(void *p), void *p)
{
	int status;
	pid_t pid = t_fork();

	if (pid == 0) {
		touch(p);
		_exit(EXIT_SUCCESS);
	}
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid: %s", strerror(errno));
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
