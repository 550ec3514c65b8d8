/*
 * jobs.c - runs calls in other processes, which block, return or are interrupted
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "engine.h"

enum { IDLE, CALLING, RETURNED };

struct handled t_handled;

static void count(int sig)
{
	(void)sig;
	t_handled.count++;
	t_handled.thread = syscall(SYS_gettid);
}

void t_catch(int sig, int sa_flags)
{
	struct sigaction sa = { .sa_handler = count, .sa_flags = sa_flags };

	wantf(ret(sigaction(sig, &sa, NULL)), 0, "sigaction(%d)", sig);
}

/* If the signal of F_SETSIG finds no room in the queue, the kernel sends SIGIO instead: fcntl(2). A
 * case queues up to three signals, and those of the user's other processes count, too. */
void t_async(int fd, int sig)
{
	enum { ROOM = 16 };

	if (sig)
		t_needs_limit(RLIMIT_SIGPENDING, ROOM, "sigpending-limit");
	t_ok(fcntl(fd, F_SETOWN, t_self()), "F_SETOWN");
	t_ok(fcntl(fd, F_SETSIG, sig), "F_SETSIG");
	t_setfl(fd, O_ASYNC);
}

void t_block(int sig, sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, sig);
	wantf(ret(sigprocmask(SIG_BLOCK, set, NULL)), 0, "sigprocmask(SIG_BLOCK, %d)", sig);
}

static void pause_briefly(void)
{
	sleep_until(monotonic_ns() + NS_PER_S / 10000);
}

/* Once another process of the case has given the verdict, waiting makes no sense. */
static void check_deadline(const char *what)
{
	if (pipetest.shared->said.verdict != PASS)
		_exit(EXIT_FAILURE);
	if (monotonic_ns() > t.deadline)
		t_fail("still waiting: %s", what);
}

void t_wait_until(bool (*cond)(long arg), long arg, const char *what)
{
	while (!cond(arg)) {
		check_deadline(what);
		pause_briefly();
	}
}

bool t_has_unread(long n)
{
	int got = -1;

	t_needs_call("FIONREAD");
	return ioctl(t.w < 0 ? t.r : t.w, FIONREAD, &got) == 0 && got == n;
}

/* Puts the pid into the first slot that holds "was". If all slots are in use, the engine does not
 * learn of the process. */
static void note_process(pid_t was, pid_t pid)
{
	_Atomic int32_t *slot = pipetest.shared->forked.pid;

	for (int i = 0; i < MAX_JOBS; i++) {
		int32_t expected = was;

		if (atomic_compare_exchange_strong(&slot[i], &expected, pid))
			return;
	}
}

pid_t t_fork(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0 && errno == EAGAIN)
		t_skip("process-limit");
	if (pid < 0)
		t_fail("fork: %s", strerror(errno));
	if (pid == 0) {
		static struct call unseen;

		die_with_parent(parent);
		pipetest_caller_starts(&unseen);
	} else {
		note_process(0, pid);
	}
	return pid;
}

static struct job *new_job(void)
{
	struct jobs *jobs = &pipetest.shared->jobs;
	unsigned slot = atomic_fetch_add(&jobs->count, 1);

	if (slot >= MAX_JOBS)
		t_fail("more than %d jobs", MAX_JOBS);
	return &jobs->job[slot];
}

/* Finds the last job with this pid, because the kernel may have reused the pid of an older job. */
static struct job *job_of(pid_t pid)
{
	struct jobs *jobs = &pipetest.shared->jobs;
	struct job *job = &jobs->job[jobs->count];

	while (job-- > jobs->job)
		if (job->pid == pid)
			return job;
	t_fail("%d is no job", (int)pid);
}

/* Returns the text of the call that the job makes or made last. */
static const char *call_of(const struct job *job)
{
	return *job->call.text ? job->call.text : "the call";
}

static void do_job(struct job *job, long (*call)(long arg), long arg)
{
	pipetest_caller_starts(&job->call);
	job->state = CALLING;
	job->result = call(arg);
	job->caught = t_handled.count;
	job->state = RETURNED;
}

pid_t t_start(long (*call)(long arg), long arg)
{
	struct job *job = new_job();
	pid_t pid = t_fork();

	if (pid == 0) {
		do_job(job, call, arg);
		_exit(EXIT_SUCCESS);
	}
	return job->pid = pid;
}

static struct {
	struct job *job;
	long (*call)(long arg);
	long arg;
} thread;

static _Alignas(16) char thread_stack[64 * 1024];

bool pipetest_on_thread(void)
{
	char *here = __builtin_frame_address(0);

	return here >= thread_stack && here < thread_stack + sizeof(thread_stack);
}

static int run_thread(void *unused)
{
	(void)unused;
	do_job(thread.job, thread.call, thread.arg);
	return 0;
}

/* pthread_create(3) would add 6 KB for one thread that makes one call, so t_thread() calls clone.
 * Since musl 1.2.5 the wrapper clone() refuses CLONE_THREAD. The function __clone() that it wraps
 * is in each static libc. */
extern __typeof__(clone) __clone __attribute__((weak));

pid_t t_thread(long (*call)(long arg), long arg)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD
		| CLONE_SYSVSEM;
	struct job *job = thread.job = new_job();

	job->thread = true;
	thread.call = call;
	thread.arg = arg;
	errno = 0;
	job->pid = (__clone ? __clone : clone)(
		run_thread, thread_stack + sizeof(thread_stack), flags, NULL);
	if (job->pid < 0 && !errno) /* musl's __clone() returns -errno */
		errno = -job->pid;
	if (job->pid < 0 && errno == EAGAIN)
		t_skip("process-limit");
	if (job->pid < 0 && (errno == EINVAL || errno == ENOSYS || errno == EPERM))
		t_skip("no-bare-thread");
	if (job->pid < 0)
		t_fail("clone: %s", strerror(errno));
	return job->pid;
}

void t_exec_self(void)
{
	static char name[] = "ipcbox", option[] = "--version";
	static char *argv[] = { name, option, NULL };

	execv("/proc/self/exe", argv);
}

pid_t t_exec(int out)
{
	int said[2], err;
	pid_t pid;

	t_ok(pipe2(said, O_CLOEXEC), "pipe2");
	pid = t_fork();
	if (pid == 0) {
		t_dup2(out, STDOUT_FILENO);
		t_exec_self();
		err = errno;
		_exit(write(said[1], &err, sizeof(err)) < 0);
	}
	close(said[1]);
	if (read(said[0], &err, sizeof(err)) != 0)
		t_skip("no-exec");
	close(said[0]);
	return pid;
}

long t_call_read(long n)
{
	close(t.w);
	return t_checked_read(t.r, n);
}

long t_call_write(long n)
{
	close(t.r);
	return t_try_write(t.w, n);
}

bool t_returned(pid_t pid)
{
	return job_of(pid)->state == RETURNED;
}

/* Returns field 3 of /proc/PID/stat, which follows the name in parentheses: proc(5). Returns 0 if
 * the process is gone. */
static int process_state(pid_t pid)
{
	char path[40], stat[512], *paren;
	ssize_t n = -1;
	int fd;

	if (!t.proc)
		return 0;
	scnprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
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

/* A job is in state D for a moment while the kernel reads a page of the program from a disk or
 * waits for a lock. Only a job that stays in state D for long may be in a call that blocks. */
static int lasting_state(pid_t pid)
{
	enum { LONG_NS = NS_PER_S / 2 };
	int64_t end = monotonic_ns() + LONG_NS;
	int state = process_state(pid);

	while (state == 'D' && !t_returned(pid) && monotonic_ns() < end) {
		pause_briefly();
		state = process_state(pid);
	}
	return state;
}

/* A job that has announced its call, has not returned, and sleeps must sleep in the call, because
 * nothing else between the announcement and the call sleeps for long. */
bool t_asleep(pid_t pid)
{
	int state = job_of(pid)->state == CALLING ? lasting_state(pid) : 0;

	return (state == 'S' || state == 'D') && !t_returned(pid);
}

/* Without /proc, a job that has not returned after a grace period counts as asleep, and t_blocks()
 * prints that. */
static bool sleeps(pid_t pid, int64_t grace_end)
{
	if (t.proc)
		return t_asleep(pid);
	return job_of(pid)->state == CALLING && monotonic_ns() > grace_end;
}

/* Reaps the process and returns its wait status. */
static int wait_status(pid_t pid)
{
	int status;

	t_callingf("waitpid(%d)", (int)pid);
	t_want_result(call_value(waitpid(pid, &status, 0)), pid);
	note_process(pid, 0);
	return status;
}

void t_reap(pid_t pid, int status)
{
	int got = wait_status(pid);

	if (WIFSIGNALED(got))
		t_fail("process %d died of signal %d", (int)pid, WTERMSIG(got));
	wantf(WEXITSTATUS(got), status, "exit status of process %d", (int)pid);
}

/* A job that is a zombie and has no result found no memory, or a signal killed it. */
static void check_alive(pid_t pid)
{
	if (process_state(pid) != 'Z' || t_returned(pid))
		return;
	t_reap(pid, EXIT_SUCCESS);
	t_fail("process %d ended before its call returned", (int)pid);
}

void t_blocks(pid_t pid)
{
	int64_t grace_end = monotonic_ns() + (int64_t)(t.factor * NS_PER_S / 50);

	while (!sleeps(pid, grace_end)) {
		if (t_returned(pid)) {
			const struct job *job = job_of(pid);

			t_fail("%s = %ld %s, expected it to block", call_of(job), (long)job->result,
				t_errname(job->result));
		}
		check_alive(pid);
		check_deadline("the call neither blocks nor returns");
		pause_briefly();
	}
	if (!t.proc)
		t_info("blocking not confirmed (no /proc)");
	else if (t.verbose)
		t_info("process %d blocks", (int)pid);
}

pid_t t_blocked(long (*call)(long arg), long arg)
{
	pid_t pid = t_start(call, arg);

	t_blocks(pid);
	return pid;
}

void t_settles(pid_t pid)
{
	if (!t.proc)
		pause_briefly();
	while (t.proc && !t_returned(pid) && !sleeps(pid, 0)) {
		check_alive(pid);
		check_deadline("the call neither blocks nor returns");
		pause_briefly();
	}
}

void t_returns(pid_t pid, long expected)
{
	struct job *job = job_of(pid);

	while (job->state != RETURNED) {
		if (monotonic_ns() > t.deadline)
			t_fail("%s still blocks, expected it to return %ld %s", call_of(job),
				expected, t_errname(expected));
		check_deadline("");
		if ((kill(pid, 0) < 0 && errno == ESRCH) || process_state(pid) == 'Z')
			break;
		pause_briefly();
	}
	if (!job->thread)
		t_reap(pid, EXIT_SUCCESS);
	wantf(job->result, expected, "%s, in process %d,", call_of(job), (int)pid);
}

void t_child(long (*call)(long arg), long arg, long expected)
{
	t_returns(t_start(call, arg), expected);
}

/* When kill(2) returns, the signal has woken the job, which sleeps again only after its handler
 * has run. */
void t_interrupt(pid_t pid)
{
	t_blocks(pid);
	t_send(pid, SIGUSR1);
}

/* Without /proc the first signal may arrive before the job is in its call, so the signal is sent
 * again and again. */
void t_eintr(pid_t pid)
{
	t_interrupt(pid);
	while (!t.proc && !t_returned(pid) && monotonic_ns() < t.deadline) {
		pause_briefly();
		kill(pid, SIGUSR1);
	}
	t_returns(pid, -EINTR);
}

void t_caught(pid_t pid, int expected)
{
	want(job_of(pid)->caught, expected, "signals it caught");
}

void t_dies(pid_t pid, int sig)
{
	int status = wait_status(pid);

	if (!WIFSIGNALED(status))
		t_fail("the call returned %d, expected death of signal %d",
			(int)job_of(pid)->result, sig);
	wantf(WTERMSIG(status), sig, "signal that killed process %d", (int)pid);
}

void t_kill(pid_t pid)
{
	t_send(pid, SIGKILL);
	t_dies(pid, SIGKILL);
}

int t_signal_of(void (*touch)(void *p), void *p)
{
	int status;
	pid_t pid = t_fork();

	if (pid == 0) {
		touch(p);
		_exit(EXIT_SUCCESS);
	}
	status = wait_status(pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* t_limit() and t_setuid() make bare system calls, because libc's setrlimit and setuid would add
 * 2 KB of code that does the same in all threads. */
void t_limit(int resource, uint64_t soft)
{
	uint64_t limit[2];
	long got = ret(syscall(SYS_prlimit64, 0, resource, NULL, limit));

	if (missing(got))
		t_skip("no-prlimit");
	want(got, 0, "prlimit");
	limit[0] = soft < limit[1] ? soft : limit[1];
	wantf(ret(syscall(SYS_prlimit64, 0, resource, limit, NULL)), 0, "limit %d to %lld",
		resource, (long long)limit[0]);
}

void t_needs_limit(int resource, uint64_t least, const char *token)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) == 0 && limit.rlim_cur < least)
		t_skip(token);
}

long t_setuid(uid_t uid)
{
	return ret(syscall(SYS_setuid, uid));
}
