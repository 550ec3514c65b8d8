/*
 * flags.c - cases of a pipe's flags: pipe2(2), and FD_CLOEXEC over exec
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/syscall.h>
#include "../case.h"

/* The cases make the system call itself, because musl's pipe2() refuses some flags on its own. */
static long make(int fd[2], int flags)
{
	fd[0] = fd[1] = -1;
	return ret(syscall(SYS_pipe2, fd, flags));
}

/* --- FD_CLOEXEC ---------------------------------------------------------------------------- */

/* Starts a program that stays, because its output is a full pipe. */
static pid_t run_program(void)
{
	int out[2];

	t_pipe(out);
	t_fill(out[1]);
	return t_exec(out[1]);
}

static void cloexec(void)
{
	pid_t pid;

	t_setfd(t.w, FD_CLOEXEC);
	pid = run_program();
	p_close_w();
	p_read(1, 0);
	t_ok(waitpid(pid, NULL, WNOHANG), "waitpid: the program still runs");
}

static void no_cloexec(void)
{
	pid_t pid;

	t_setfd(t.w, 0);
	pid = run_program();
	p_close_w();
	p_poll_r(POLLIN, 0);
	t_send(pid, SIGKILL);
	p_read(1, 0);
}

static void one_end(void)
{
	int before = fcntl(t.w, F_GETFD);

	for (int flag = FD_CLOEXEC; flag >= 0; flag -= FD_CLOEXEC) {
		wantf(ret(fcntl(t.r, F_SETFD, flag)), 0, "F_SETFD %d of the read end", flag);
		t_getfd(t.r, flag);
		t_getfd(t.w, before);
	}
}

static void duplicate(void)
{
	t_setfd(t.r, FD_CLOEXEC);
	t_getfd(t_dup(t.r), 0);
	t_getfd(ret(fcntl(t.r, F_DUPFD_CLOEXEC, 0)), FD_CLOEXEC);
}

/* --- pipe2 ----------------------------------------------------------------------------------- */

static void unknown(void)
{
	static const int flags[] = { O_APPEND, O_CREAT, O_TRUNC, O_RDWR, O_NONBLOCK | O_APPEND,
		0xdead };
	int first = t_dup(t.r), fd[2];

	close(first);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		wantf(make(fd, flags[i]), -EINVAL, "pipe2(%#x)", flags[i]);
	want(t_dup(t.r), first, "the lowest free descriptor");
}

/* O_DIRECT says how writes become packets (pipe(2)), so only the write end must have it. */
static void combination(int flags)
{
	int fd[2];
	long got = make(fd, flags);

	if (got == -EINVAL && flags & O_DIRECT)
		t_skip("no-packet-mode");
	wantf(got, 0, "pipe2(%#x)", flags);
	for (int end = 0; end < 2; end++) {
		t_getfl(fd[end], O_NONBLOCK, flags & O_NONBLOCK);
		t_getfd(fd[end], flags & O_CLOEXEC ? FD_CLOEXEC : 0);
	}
	t_getfl(fd[1], O_DIRECT, flags & O_DIRECT);
}

static void combinations(void)
{
	for (int i = 0; i < 8; i++)
		combination((i & 1 ? O_CLOEXEC : 0) | (i & 2 ? O_NONBLOCK : 0)
			| (i & 4 ? O_DIRECT : 0));
}

/* O_EXCL is O_NOTIFICATION_PIPE since Linux 5.8. */
static void notification_pipe(int fd[2])
{
	long got = make(fd, O_EXCL | O_NONBLOCK);

	if (got == -ENOPKG || got == -EINVAL || missing(got))
		t_skip("no-watch-queue");
	want(got, 0, "pipe2(O_NOTIFICATION_PIPE)");
}

static void notification(void)
{
	int fd[2];

	notification_pipe(fd);
	want_ret(write(fd[1], "", 1), -EXDEV, "write");
}

/* Before f13abc1e8e1a (Linux 6.15) the call spoils the user's pipe quota. */
static void notification_size(void)
{
	int fd[2];

	notification_pipe(fd);
	t_ok(ioctl(fd[0], _IO('W', 0x60), 1), "IOC_WATCH_QUEUE_SET_SIZE");
}

/* POSIX.1-2024 has FD_CLOFORK, but Linux has no number for it yet. So the case sets all bits. */
static void clofork(void)
{
	t_setfd(t.r, ~FD_CLOEXEC);
	t_info("descriptor flags that are kept besides FD_CLOEXEC: %#x",
		(unsigned)fcntl(t.r, F_GETFD));
}

const struct test_case flags_cases[] = {
	CASE("flg.cloexec", "FLG-01", 'P', KINDS | NEEDS_PROC, 0,
		"exec closes an end with FD_CLOEXEC while the program runs",
		"POSIX exec, DESCRIPTION: descriptors with FD_CLOEXEC are closed; read: 0 without "
		"writers", cloexec),
	CASE("flg.no_cloexec", "FLG-01", 'P', KINDS | NEEDS_PROC, 0,
		"exec keeps an end without FD_CLOEXEC",
		"POSIX exec, DESCRIPTION: open descriptors shall remain open", no_cloexec),
	CASE("flg.one_end", "FLG-05", 'P', KINDS, 0,
		"F_SETFD of one end leaves the other alone",
		"POSIX fcntl, F_SETFD: a flag of the descriptor", one_end),
	CASE("flg.duplicate", "FLG-05", 'P', KINDS, 0,
		"dup clears FD_CLOEXEC in the copy, and F_DUPFD_CLOEXEC sets it",
		"POSIX dup, DESCRIPTION; fcntl, F_DUPFD_CLOEXEC", duplicate),
	CASE("flg.unknown", "FLG-02", 'L', 0, 0,
		"pipe2() with other flags gives EINVAL, and no descriptor is lost",
		"pipe(2), ERRORS: EINVAL", unknown),
	CASE("flg.combinations", "FLG-03", 'L', 0, 0,
		"pipe2() with each set of O_CLOEXEC, O_NONBLOCK and O_DIRECT sets just these",
		"pipe(2), DESCRIPTION: the flags", combinations),
	CASE("flg.notification", "FLG-04", 'I', 0, 0,
		"a write to a notification pipe gives EXDEV",
		"fs/pipe.c", notification),
	CASE("flg.notification_size", "FLG-04", 'L', EXOTIC, 0,
		"a notification pipe can be given a size",
		"watch_queue.rst, IOC_WATCH_QUEUE_SET_SIZE; LTP wqueue01", notification_size),
	CASE("flg.clofork", "FLG-06", 'I', 0, 0,
		"whether FD_CLOFORK is there",
		"POSIX.1-2024 fcntl, FD_CLOFORK", clofork),
};
ALL_ROWS(flags);
