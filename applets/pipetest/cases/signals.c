/*
 * signals.c - cases of signals that interrupt a call, and of signals that announce data or room
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/signalfd.h>
#include <sys/time.h>
#include "../case.h"

/* --- signals that interrupt a call --------------------------------------------------------- */

static void read_eintr(void)
{
	pid_t job;

	t_catch(SIGUSR1, 0);
	job = t_start(t_call_read, 5);
	t_eintr(job);
	if (t.proc)
		t_caught(job, 1);
}

static void read_restart(void)
{
	pid_t job;

	t_catch(SIGUSR1, SA_RESTART);
	job = t_start(t_call_read, 5);
	t_interrupt(job);
	t_blocks(job);
	p_write(5);
	t_returns(job, 5);
	t_caught(job, 1);
}

static void read_ignored(void)
{
	pid_t job;

	t_signal(SIGUSR1, SIG_IGN);
	job = t_start(t_call_read, 5);
	t_interrupt(job);
	t_blocks(job);
	p_write(5);
	t_returns(job, 5);
}

static void write_eintr(void)
{
	size_t all = p_fill();

	t_catch(SIGUSR1, 0);
	t_eintr(t_start(t_call_write, 1));
	p_holds(all);
}

static void write_restart(void)
{
	size_t all = p_fill();
	pid_t job;

	t_catch(SIGUSR1, SA_RESTART);
	job = t_start(t_call_write, 1);
	t_interrupt(job);
	t_blocks(job);
	p_drain(all);
	t_returns(job, 1);
	p_read(2, 1);
	t_caught(job, 1);
}

static _Atomic long *part;	/* is what the writer's call returned */

static long write_part_of(long n)
{
	*part = t_call_write(n);
	return 0;
}

/* A signal interrupts the writer when it blocks. The result is the number of bytes that the pipe
 * holds. POSIX does not say how many go in before it blocks, so EINTR and none will do, too. */
static void interrupt_part(int sa_flags)
{
	size_t all = p_fill();
	pid_t job;

	p_drain(all);
	part = t_anon_shared(sizeof(*part));
	t_catch(SIGUSR1, sa_flags);
	job = t_blocked(write_part_of, 2 * all);
	t_interrupt(job);
	t_returns(job, 0);
	if (*part != -EINTR || sa_flags)
		want_part(*part, 2 * all - 1, "the write that was interrupted");
	p_holds(*part > 0 ? *part : 0);
}

static void write_part(void)
{
	interrupt_part(0);
}

static void write_part_restart(void)
{
	interrupt_part(SA_RESTART);
}

static long open_fifo(long flags)
{
	int fd = open("f", flags);

	return ret(fd < 0 ? fd : close(fd));
}

static void open_eintr(void)
{
	t_mkfifo("f");
	t_catch(SIGUSR1, 0);
	for (int mode = O_RDONLY; mode <= O_WRONLY; mode++)
		t_eintr(t_start(open_fifo, mode));
}

static void open_restart(void)
{
	t_mkfifo("f");
	t_catch(SIGUSR1, SA_RESTART);
	for (int mode = O_RDONLY; mode <= O_WRONLY; mode++) {
		pid_t job = t_start(open_fifo, mode);

		t_interrupt(job);
		t_blocks(job);
		want(open_fifo(O_RDONLY + O_WRONLY - mode), 0, "opening the other end");
		t_returns(job, 0);
		t_caught(job, 1);
	}
}

/* On a slow machine the signals come at longer intervals, so that the writer gets on. */
static long write_timed(long left)
{
	const struct timeval tv = { 0, (int)(200 * t.factor) };
	const struct itimerval period = { tv, tv }, off = { 0 };
	enum { ENOUGH = 1000 }; /* signals stop the timer, so that a slow machine gets on */
	int interrupted = 0, parts = 0;

	close(t.r);
	t_catch(SIGALRM, 0);
	t_ok(setitimer(ITIMER_REAL, &period, NULL), "setitimer");
	while (left > 0) {
		long n = t_try_write(t.w, left);

		if (n < 0 && n != -EINTR)
			return n;
		if (n > 0)
			left -= n;
		interrupted += n < 0;
		if (t_handled.count >= ENOUGH)
			setitimer(ITIMER_REAL, &off, NULL);
		parts += n > 0;
	}
	if (t.verbose)
		t_info("%d signals: %d times EINTR, %d parts", (int)t_handled.count, interrupted,
			parts);
	return 0;
}

static void timer(void)
{
	static const struct itimerval none;
	long total = 1 << 20;
	pid_t job;

	if (setitimer(ITIMER_REAL, &none, NULL) < 0) /* CONFIG_POSIX_TIMERS is off */
		t_skip("no-setitimer");
	job = t_start(write_timed, total);
	p_close_w();
	p_drain(total);
	p_read(1, 0);
	t_returns(job, 0);
}

/* --- signals that announce data or room ------------------------------------------------------ */

static void sigio(void)
{
	t_catch(SIGIO, 0);
	t_async(t.r, 0);
	p_write(5);
	t_signals(1);
	p_read(5, 5);
	t_info("signals after the data were read: %d", (int)t_handled.count);
}

static void sigio_close(void)
{
	t_catch(SIGIO, 0);
	t_async(t.r, 0);
	p_close_w();
	t_signals(1);
}

static void sigio_room(void)
{
	size_t all = p_fill();

	t_catch(SIGIO, 0);
	t_async(t.w, 0);
	p_drain(all);
	want(t_handled.count > 0, true, "signals once there is room: at least one");
}

static void setsig(void)
{
	static const struct timespec now;
	siginfo_t got;
	sigset_t set;

	t_block(SIGRTMIN, &set);
	t_async(t.r, SIGRTMIN);
	p_write(1);
	want_ret(sigtimedwait(&set, &got, &now), SIGRTMIN, "sigtimedwait");
	if (got.si_fd != t.r && t_emulated())
		t_skip("emulated");
	want(got.si_fd, t.r, "si_fd");
	want(got.si_code, POLL_IN, "si_code");
	want(got.si_band, POLLIN | POLLRDNORM, "si_band");
}

static long read_one(long fd)
{
	char byte;

	return ret(read(fd, &byte, 1));
}

/* A signal that is sent to the process goes to its first thread that does not block the signal.
 * That is this thread, and not the one that owns the pipe. */
static void own_thread(void)
{
	struct f_owner_ex owner = { .type = F_OWNER_TID };
	pid_t job;
	int gate[2];

	t_pipe(gate);
	t_catch(SIGIO, SA_RESTART);
	job = t_thread(read_one, gate[0]);
	t_blocks(job);
	owner.pid = job;
	t_async(t.r, 0);
	t_ok(fcntl(t.r, F_SETOWN_EX, &owner), "F_SETOWN_EX");
	p_write(1);
	t_write(gate[1], 1, 1);
	t_returns(job, 1);
	t_signals(1);
	want(t_handled.thread, job, "the thread that caught it, says gettid");
}

static void signal_fd(void)
{
	struct signalfd_siginfo got;
	sigset_t set;
	int fd;

	t_block(SIGPIPE, &set);
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	if (missing(ret(fd)))
		t_skip("no-signalfd");
	p_close_r();
	p_no_write(1, -EPIPE);
	want_ret(read(fd, &got, sizeof(got)), sizeof(got), "read(signalfd)");
	want(got.ssi_signo, SIGPIPE, "ssi_signo");
	want_ret(read(fd, &got, sizeof(got)), -EAGAIN, "a second read(signalfd)");
}

const struct test_case signals_cases[] = {
	CASE("sig.read_eintr", "SIG-01", 'P', KINDS, 0,
		"a signal ends a blocked read with EINTR",
		"POSIX read, DESCRIPTION: interrupted before it reads any data: EINTR", read_eintr),
	CASE("sig.read_restart", "SIG-01", 'P', KINDS, 0,
		"with SA_RESTART a blocked read goes on",
		"POSIX sigaction, SA_RESTART: shall restart", read_restart),
	CASE("sig.read_ignored", "SIG-09", 'P', KINDS, 0,
		"a signal that is ignored does not end a blocked read",
		"POSIX sigaction, SIG_IGN: delivery of the signal shall have no effect on the "
		"process", read_ignored),
	CASE("sig.write_eintr", "SIG-02", 'P', KINDS, 0,
		"a signal ends a blocked write that has written nothing with EINTR",
		"POSIX write, DESCRIPTION: interrupted before it writes any data: EINTR",
		write_eintr),
	CASE("sig.write_restart", "SIG-02", 'P', KINDS, 0,
		"with SA_RESTART a blocked write that has written nothing goes on",
		"POSIX sigaction, SA_RESTART: shall restart", write_restart),
	CASE("sig.write_part", "SIG-02", 'P', KINDS, 0,
		"an interrupted write returns the number of bytes that can be read",
		"POSIX write, DESCRIPTION: interrupted after some data: shall return the number "
		"written", write_part),
	CASE("sig.write_part_restart", "SIG-02", 'L', KINDS, 0,
		"with SA_RESTART an interrupted write returns the number of bytes that can be read",
		"signal(7), Interruption of system calls: the number of bytes transferred",
		write_part_restart),
	CASE("sig.open_eintr", "SIG-03 FIF-09", 'P', NEEDS_DIR, 0,
		"a signal ends a FIFO's blocked open, for either end, with EINTR",
		"POSIX open, ERRORS: EINTR", open_eintr),
	CASE("sig.open_restart", "SIG-03 FIF-09", 'P', NEEDS_DIR, 0,
		"with SA_RESTART a FIFO's blocked open goes on",
		"POSIX sigaction, SA_RESTART: shall restart", open_restart),
	CASE("sig.timer", "SIG-08", 'P', KINDS | STRESS, 0,
		"a long write under an interval timer loses and doubles nothing",
		"POSIX write, DESCRIPTION: shall return the number of bytes written", timer),
	CASE("sig.sigio", "SIG-04", 'L', KINDS, 0,
		"O_ASYNC on a read end sends SIGIO when there is data",
		"pipe(7), O_ASYNC: when new input becomes available; LTP fcntl31", sigio),
	CASE("sig.sigio_close", "SIG-04", 'I', KINDS, 0,
		"O_ASYNC on a read end sends SIGIO when the writer closes",
		"fs/pipe.c", sigio_close),
	CASE("sig.sigio_room", "SIG-04", 'L', KINDS, 0,
		"O_ASYNC on a write end sends SIGIO when there is room",
		"fcntl(2), F_SETOWN and open(2), O_ASYNC: when output becomes possible",
		sigio_room),
	CASE("sig.setsig", "SIG-05", 'L', KINDS, 0,
		"F_SETSIG: its signal comes with the descriptor, POLL_IN and the events",
		"fcntl(2), F_SETSIG: si_fd; sigaction(2), SIGIO: si_band, POLL_IN; LTP fcntl31",
		setsig),
	CASE("sig.own_thread", "SIG-06", 'L', KINDS, 0,
		"F_SETOWN_EX: SIGIO is sent to the thread that owns the pipe",
		"fcntl(2), F_SETOWN_EX: F_OWNER_TID", own_thread),
	CASE("sig.signalfd", "SIG-07", 'L', KINDS, 0,
		"a blocked SIGPIPE can be read from a signalfd, once",
		"signalfd(2), DESCRIPTION: reading consumes the signal", signal_fd),
};
ALL_ROWS(signals);
