/*
 * epoll_edge.c - cases of epoll: edges, one-shot and exclusive entries
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/epoll.h>
#include "../case.h"
#include "epoll.h"

static void edge_each_write(void)
{
	int ep = t_epoll_with(t.r, EPOLLIN | EPOLLET);

	for (int i = 0; i < 3; i++) {
		p_write(1);
		t_epoll_reports(ep, EPOLLIN);
		t_epoll_reports(ep, 0);
	}
}

static void edge_read_silent(void)
{
	int ep = t_epoll_with(t.r, EPOLLIN | EPOLLET);

	p_write(10);
	t_epoll_reports(ep, EPOLLIN);
	p_read(5, 5);
	t_epoll_reports(ep, 0);
}

static void edge_writer(void)
{
	int ep = t_epoll_with(t.w, EPOLLOUT | EPOLLET);

	t_epoll_reports(ep, EPOLLOUT);
	if (t.slots > 1) {
		p_write(1);
		p_read(1, 1);
		t_epoll_reports(ep, 0);
	}
	p_fill();
	p_read(100, 100);
	t_epoll_reports(ep, 0);
	p_drain(t.page - 100);
	t_epoll_reports(ep, EPOLLOUT);
}

/* The writer waits only after EAGAIN, as epoll(7) advises. */
static void edge_fill_drain(void)
{
	int ep = t_epoll_with(t.w, EPOLLOUT | EPOLLET);

	t_epoll_reports(ep, EPOLLOUT);
	for (int i = 0; i < 3; i++) {
		size_t all = p_fill();

		t_epoll_reports(ep, 0);
		p_drain(all);
		t_epoll_reports(ep, EPOLLOUT);
	}
}

/* Two pipes have data, and each wait asks for one event only. */
static void edge_two_pipes(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = t_epoll_instance(), seen = 0;

	for (int i = 1; i <= 2; i++) {
		int fd[2];

		t_pipe(fd);
		ev.data.u32 = i;
		t_ok(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &ev), "epoll_ctl");
		t_write(fd[1], 1, 1);
		t.stream->consumed++;
	}
	for (int i = 0; i < 2; i++) {
		want_ret(epoll_wait(ep, &ev, 1, 0), 1, "epoll_wait for one event");
		seen |= ev.data.u32;
	}
	want(seen, 3, "the set of pipes reported");
	t_ok(epoll_wait(ep, &ev, 1, 0), "epoll_wait after both edges were reported");
}

static void oneshot_with(unsigned flags)
{
	int ep = t_epoll_with(t.r, EPOLLIN | EPOLLONESHOT | flags);

	p_write(1);
	t_epoll_reports(ep, EPOLLIN);
	p_write(1);
	t_epoll_reports(ep, 0);
	t_epoll_control_gives(ep, EPOLL_CTL_MOD, t.r, EPOLLIN | EPOLLONESHOT | flags, 0);
	t_epoll_reports(ep, EPOLLIN);
	t_epoll_reports(ep, 0);
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
	int ep = t_epoll_instance();
	long got = t_epoll_control(ep, EPOLL_CTL_ADD, t.r, events);
	pid_t job;

	if (got == -EINVAL && events & EPOLLEXCLUSIVE)
		t_skip("no-EPOLLEXCLUSIVE");
	wantf(got, 0, "epoll_ctl(add %d)", t.r);
	job = t_blocked(t_epoll_wait_in, ep);
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
	t_wait_until(one_is_back, (long)jobs, "one of two exclusive waiters to wake");
	t_info("%s", t_returned(jobs[0]) && t_returned(jobs[1]) ? "both woke" : "one woke");
}

static void exclusive_mod(void)
{
	int ep = t_epoll_instance();
	long got = t_epoll_control(ep, EPOLL_CTL_ADD, t.r, EPOLLIN | EPOLLEXCLUSIVE);

	if (got == -EINVAL)
		t_skip("no-EPOLLEXCLUSIVE");
	want(got, 0, "epoll_ctl(add, EPOLLEXCLUSIVE)");
	t_epoll_control_gives(ep, EPOLL_CTL_MOD, t.r, EPOLLIN, -EINVAL);
	t_epoll_control_gives(ep, EPOLL_CTL_DEL, t.r, 0, 0);
	t_epoll_watch(ep, t.r, EPOLLIN);
	t_epoll_control_gives(ep, EPOLL_CTL_MOD, t.r, EPOLLIN | EPOLLEXCLUSIVE, -EINVAL);
}

const struct test_case epoll_edge_cases[] = {
	CASE("epoll.edge_each_write", "POL-09 REG-03", 'B', KINDS, BROKEN(5, 5, 5, 14),
		"edge-triggered epoll: each write gives an event, read or not",
		"3a34b13a88ca (5.14) fixed it, 1b6b26ae7053 (5.5) broke it; LTP epoll_wait06",
		edge_each_write),
	CASE("epoll.edge_read_silent", "POL-09", 'I', KINDS, 0,
		"edge-triggered: no event after a partial read",
		"epoll(7), Level-triggered and edge-triggered: the wait may hang",
		edge_read_silent),
	CASE("epoll.edge_writer", "POL-10", 'I', KINDS, 0,
		"edge-triggered: a writer hears of the first free slot only",
		"fs/pipe.c", edge_writer),
	CASE("epoll.edge_fill_drain", "POL-26", 'L', KINDS, 0,
		"edge-triggered: after EAGAIN and a drain a writer hears of the room, each time",
		"epoll(7), Level-triggered and edge-triggered: wait after EAGAIN; LTP epoll_wait06",
		edge_fill_drain),
	CASE("epoll.edge_two_pipes", "POL-27", 'L', 0, 0,
		"edge-triggered: where each wait asks for one event, each of two pipes is "
		"reported once",
		"epoll_wait(2), NOTES: round robin; epoll(7), edge-triggered", edge_two_pipes),
	CASE("epoll.oneshot", "POL-11", 'L', KINDS, 0,
		"EPOLLONESHOT reports once; EPOLL_CTL_MOD arms it and reports what is there",
		"epoll_ctl(2), EPOLLONESHOT; LTP epoll_wait07", oneshot),
	CASE("epoll.oneshot_edge", "POL-11", 'L', KINDS, 0,
		"EPOLLONESHOT with EPOLLET reports once, until EPOLL_CTL_MOD",
		"epoll_ctl(2), EPOLLONESHOT", oneshot_edge),
	CASE("epoll.all_wake", "POL-12", 'L', KINDS, 0,
		"a write wakes each instance that waits",
		"epoll_ctl(2), EPOLLEXCLUSIVE: by default all; LTP epoll_wait15", all_wake),
	CASE("epoll.exclusive", "POL-12", 'L', KINDS, 0,
		"with EPOLLEXCLUSIVE a write wakes at least one instance",
		"epoll_ctl(2), EPOLLEXCLUSIVE: one or more; LTP epoll_wait16", exclusive),
	CASE("epoll.exclusive_mod", "POL-30", 'L', 0, 0,
		"EPOLL_CTL_MOD of an exclusive entry, or to one, gives EINVAL",
		"epoll_ctl(2), ERRORS: EINVAL: EPOLLEXCLUSIVE with EPOLL_CTL_MOD", exclusive_mod),
};
ALL_ROWS(epoll_edge);
