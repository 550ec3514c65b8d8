/*
 * epoll.c - epoll on pipes
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/epoll.h>
#include "../case.h"

static int instance(void)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 && (errno == ENOSYS || errno == EPERM))
		skip("no-epoll");
	t_ok(ep < 0 ? -1 : 0, "epoll_create1");
	return ep;
}

static long control(int ep, int op, int fd, unsigned events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return ret(epoll_ctl(ep, op, fd, &ev));
}

static void t_ctl(int ep, int op, int fd, unsigned events, long expected)
{
	wantf(control(ep, op, fd, events), expected, "epoll_ctl(%d, op %d, %d, events %#x)", ep, op,
		fd, events);
}

static void watch(int ep, int fd, unsigned events)
{
	t_ctl(ep, EPOLL_CTL_ADD, fd, events, 0);
}

static int with(int fd, unsigned events)
{
	int ep = instance();

	watch(ep, fd, events);
	return ep;
}

/* What is reported now: the events of the one fd, or 0. */
static void reports(int ep, unsigned events)
{
	struct epoll_event ev[2] = { { 0 } };

	want_ret(epoll_wait(ep, ev, 2, 0), events != 0, "epoll_wait");
	want(ev[0].events, events, "its events");
}

static long wait_in(long ep)
{
	struct epoll_event ev = { 0 };
	long got = ret(epoll_wait(ep, &ev, 1, -1));

	return got == 1 ? (long)ev.events : got;
}

static void level(void)
{
	int r = with(t.r, EPOLLIN), w = with(t.w, EPOLLOUT);

	reports(r, 0);
	reports(w, EPOLLOUT);
	p_write(2);
	reports(r, EPOLLIN);
	p_read(1, 1);
	reports(r, EPOLLIN);
	p_read(1, 1);
	reports(r, 0);
	p_fill();
	reports(w, 0);
	p_drain(t.page);
	reports(w, EPOLLOUT);
}

static void hup(void)
{
	int ep = with(t.r, EPOLLIN);

	p_write(1);
	p_close_w();
	reports(ep, EPOLLIN | EPOLLHUP);
	p_read(1, 1);
	reports(ep, EPOLLHUP);
}

static void err(void)
{
	int ep = with(t.w, 0);

	reports(ep, 0);
	p_close_r();
	reports(ep, EPOLLERR);
}

static long wait_as_reader(long ep)
{
	close(t.w);
	return wait_in(ep);
}

static long wait_as_writer(long ep)
{
	close(t.r);
	return wait_in(ep);
}

static void wakes_on_write(void)
{
	pid_t job = t_blocked(wait_as_reader, with(t.r, EPOLLIN));

	p_write(1);
	t_returns(job, EPOLLIN);
}

static void wakes_on_hup(void)
{
	pid_t job = t_blocked(wait_as_reader, with(t.r, EPOLLIN));

	p_close_w();
	t_returns(job, EPOLLHUP);
}

static void wakes_on_err(void)
{
	pid_t job;

	p_fill();
	job = t_blocked(wait_as_writer, with(t.w, EPOLLOUT));
	p_close_r();
	t_returns(job, EPOLLERR);
}

static void ctl_errors(void)
{
	int ep = with(t.r, EPOLLIN);
	struct epoll_event ev;

	t_ctl(ep, EPOLL_CTL_ADD, t.r, EPOLLIN, -EEXIST);
	t_ctl(ep, EPOLL_CTL_MOD, t.w, EPOLLIN, -ENOENT);
	t_ctl(ep, EPOLL_CTL_DEL, t.w, 0, -ENOENT);
	t_ctl(ep, EPOLL_CTL_ADD, -1, EPOLLIN, -EBADF);
	t_ctl(t.r, EPOLL_CTL_ADD, t.w, EPOLLIN, -EINVAL);
	want_ret(epoll_wait(ep, &ev, 0, 0), -EINVAL, "epoll_wait for 0 events");
	t_ctl(ep, EPOLL_CTL_DEL, t.r, 0, 0);
	p_write(1);
	reports(ep, 0);
}

static void rotation(void)
{
	enum { PIPES = 3 };
	int ep = instance();
	unsigned seen = 0;

	for (int i = 0; i < PIPES; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.u32 = i };
		int fd[2];

		t_pipe(fd);
		t_ok(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &ev), "epoll_ctl");
		t_write(fd[1], 1, 1);
	}
	for (int i = 0; i < PIPES; i++) {
		struct epoll_event ev = { 0 };

		want_ret(epoll_wait(ep, &ev, 1, 0), 1, "epoll_wait for one event");
		seen |= 1 << ev.data.u32;
	}
	want(seen, (1 << PIPES) - 1, "the set of pipes reported");
}

static void edge_each_write(void)
{
	int ep = with(t.r, EPOLLIN | EPOLLET);

	for (int i = 0; i < 3; i++) {
		p_write(1);
		reports(ep, EPOLLIN);
		reports(ep, 0);
	}
}

static void edge_read_silent(void)
{
	int ep = with(t.r, EPOLLIN | EPOLLET);

	p_write(10);
	reports(ep, EPOLLIN);
	p_read(5, 5);
	reports(ep, 0);
}

static void edge_writer(void)
{
	int ep = with(t.w, EPOLLOUT | EPOLLET);

	reports(ep, EPOLLOUT);
	if (t.slots > 1) {
		p_write(1);
		p_read(1, 1);
		reports(ep, 0);
	}
	p_fill();
	p_read(100, 100);
	reports(ep, 0);
	p_drain(t.page - 100);
	reports(ep, EPOLLOUT);
}

static void oneshot_with(unsigned flags)
{
	int ep = with(t.r, EPOLLIN | EPOLLONESHOT | flags);

	p_write(1);
	reports(ep, EPOLLIN);
	p_write(1);
	reports(ep, 0);
	t_ctl(ep, EPOLL_CTL_MOD, t.r, EPOLLIN | EPOLLONESHOT | flags, 0);
	reports(ep, EPOLLIN);
	reports(ep, 0);
}

static void oneshot(void)
{
	oneshot_with(0);
}

static void oneshot_edge(void)
{
	oneshot_with(EPOLLET);
}

static pid_t waiter(unsigned events)
{
	int ep = instance();
	long got = control(ep, EPOLL_CTL_ADD, t.r, events);
	pid_t job;

	if (got == -EINVAL && events & EPOLLEXCLUSIVE)
		skip("no-EPOLLEXCLUSIVE");
	wantf(got, 0, "epoll_ctl(add %d)", t.r);
	job = t_blocked(wait_in, ep);
	return job;
}

static void all_wake(void)
{
	pid_t a = waiter(EPOLLIN), b = waiter(EPOLLIN);

	p_write(1);
	t_returns(a, EPOLLIN);
	t_returns(b, EPOLLIN);
}

static bool one_is_back(long arg)
{
	const pid_t *jobs = (const pid_t *)arg;

	return t_returned(jobs[0]) || t_returned(jobs[1]);
}

static void exclusive(void)
{
	const pid_t jobs[] = { waiter(EPOLLIN | EPOLLEXCLUSIVE), waiter(EPOLLIN | EPOLLEXCLUSIVE) };

	p_write(1);
	wait_until(one_is_back, (long)jobs, "one of two exclusive waiters to wake");
	info("%s", t_returned(jobs[0]) && t_returned(jobs[1]) ? "both woke" : "one woke");
}

static void last_close(void)
{
	int ep = with(t.r, EPOLLIN), copy = dup(t.r);

	p_write(1);
	p_close_r();
	reports(ep, EPOLLIN);
	t_close(copy);
	reports(ep, 0);
}

/* As deep as the kernel's own limit allows: EP_MAX_NESTS is 4. */
static void nested(void)
{
	int ep = with(t.r, EPOLLIN);

	for (int depth = 0; depth < 4; depth++)
		ep = with(ep, EPOLLIN);
	reports(ep, 0);
	t_poll(ep, POLLIN, 0);
	p_write(1);
	t_poll(ep, POLLIN, POLLIN);
	reports(ep, EPOLLIN);
	p_read(1, 1);
	reports(ep, 0);
}

static void loop_eloop(void)
{
	int a = instance(), b = with(a, EPOLLIN), c = with(b, EPOLLIN);

	t_ctl(a, EPOLL_CTL_ADD, a, EPOLLIN, -EINVAL);
	t_ctl(a, EPOLL_CTL_ADD, b, EPOLLIN, -ELOOP);
	t_ctl(a, EPOLL_CTL_ADD, c, EPOLLIN, -ELOOP);
}

static void pwait_mask(void)
{
	int ep = with(t.r, EPOLLIN);
	struct epoll_event ev;
	sigset_t set, none;

	t_catch(SIGUSR1, SA_RESTART);
	sigemptyset(&none);
	t_block(SIGUSR1, &set);
	raise(SIGUSR1);
	want_ret(epoll_pwait(ep, &ev, 1, -1, &none), -EINTR, "epoll_pwait with an empty mask");
	t_signals(1);
	raise(SIGUSR1);
	t_signals(1);
}

const struct test_case epoll_cases[] = {
	CASE("epoll.level", "POL-08", 'L', KINDS, 0,
		"reported as long as it is so",
		"epoll(7)", level),
	CASE("epoll.hup", "POL-08", 'L', KINDS, 0,
		"no writer: IN and HUP with data, HUP without",
		"epoll_ctl(2)", hup),
	CASE("epoll.err", "POL-08", 'L', KINDS, 0,
		"no reader: ERR, even if not asked for",
		"epoll_ctl(2)", err),
	CASE("epoll.wakes_on_write", "POL-08", 'L', KINDS, 0,
		"a write ends the wait",
		"epoll(7)", wakes_on_write),
	CASE("epoll.wakes_on_hup", "POL-08", 'L', KINDS, 0,
		"the last writer's close ends the wait",
		"LTP epoll_wait11", wakes_on_hup),
	CASE("epoll.wakes_on_err", "POL-08", 'L', KINDS, 0,
		"the last reader's close ends the wait",
		"LTP epoll_wait12", wakes_on_err),
	CASE("epoll.ctl_errors", "POL-08", 'L', KINDS, 0,
		"EEXIST, ENOENT, EBADF, EINVAL; what is removed is silent",
		"epoll_ctl(2)", ctl_errors),
	CASE("epoll.rotation", "POL-08", 'L', 0, 0,
		"one event at a time: each fd has its turn",
		"epoll_wait(2)", rotation),
	CASE("epoll.edge_each_write", "POL-09 REG-03", 'B', KINDS, BROKEN(5, 5, 5, 14),
		"edge-triggered: an event for each write, read or not",
		"3a34b13a88ca, 3b844826b6c6, in 5.14; LTP epoll_wait06", edge_each_write),
	CASE("epoll.edge_read_silent", "POL-09", 'I', KINDS, 0,
		"edge-triggered: none after a partial read",
		"epoll(7)", edge_read_silent),
	CASE("epoll.edge_writer", "POL-10", 'I', KINDS, 0,
		"edge-triggered: a writer hears of the first free slot only",
		"fs/pipe.c", edge_writer),
	CASE("epoll.oneshot", "POL-11", 'L', KINDS, 0,
		"once; EPOLL_CTL_MOD arms it and reports what is there",
		"epoll_ctl(2)", oneshot),
	CASE("epoll.oneshot_edge", "POL-11", 'L', KINDS, 0,
		"the same, edge-triggered",
		"epoll_ctl(2)", oneshot_edge),
	CASE("epoll.all_wake", "POL-12", 'L', KINDS, 0,
		"a write wakes each instance that waits",
		"LTP epoll_wait15", all_wake),
	CASE("epoll.exclusive", "POL-12", 'L', KINDS, 0,
		"with EPOLLEXCLUSIVE at least one",
		"epoll_ctl(2)", exclusive),
	CASE("epoll.last_close", "POL-13", 'L', KINDS, 0,
		"the last close removes it, not that of a copy",
		"epoll(7)", last_close),
	CASE("epoll.nested", "POL-14", 'L', KINDS, 0,
		"an instance is readable when one in it is, five deep",
		"epoll(7)", nested),
	CASE("epoll.loop_eloop", "POL-14", 'L', 0, 0,
		"instances in a circle: ELOOP",
		"epoll_ctl(2)", loop_eloop),
	CASE("epoll.pwait_mask", "POL-15", 'L', KINDS, 0,
		"epoll_pwait's mask lets a pending signal in, once",
		"epoll_pwait(2)", pwait_mask),
};
ALL_ROWS(epoll);
