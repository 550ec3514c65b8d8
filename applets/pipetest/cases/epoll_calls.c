/*
 * epoll_calls.c - cases of epoll: what its calls do with their arguments
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/epoll.h>
#include "../case.h"
#include "epoll.h"

static void user_data(void)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0x123456789abcdef0 };
	int ep = t_epoll_instance();

	t_ok(epoll_ctl(ep, EPOLL_CTL_ADD, t.r, &ev), "epoll_ctl");
	memset(&ev, 0, sizeof(ev));
	p_write(1);
	want_ret(epoll_wait(ep, &ev, 1, 0), 1, "epoll_wait");
	want(ev.data.u64 == 0x123456789abcdef0, true, "the data are those of epoll_ctl");
}

static void modified(void)
{
	int ep = t_epoll_with(t.r, EPOLLIN);

	p_write(1);
	t_epoll_control_gives(ep, EPOLL_CTL_MOD, t.r, EPOLLOUT, 0);
	t_epoll_reports(ep, 0);
	t_epoll_control_gives(ep, EPOLL_CTL_MOD, t.r, EPOLLIN, 0);
	t_epoll_reports(ep, EPOLLIN);
}

static void added_again(void)
{
	int ep = t_epoll_with(t.r, EPOLLIN);

	p_write(1);
	t_epoll_control_gives(ep, EPOLL_CTL_DEL, t.r, 0, 0);
	t_epoll_reports(ep, 0);
	t_epoll_watch(ep, t.r, EPOLLIN);
	t_epoll_reports(ep, EPOLLIN);
}

static void time_limit(void)
{
	enum { WAIT_MS = 15 };
	int ep = t_epoll_with(t.r, EPOLLIN);
	int64_t start = monotonic_ns();
	struct epoll_event ev;

	t_ok(epoll_wait(ep, &ev, 1, WAIT_MS), "epoll_wait for 15 ms");
	want(monotonic_ns() - start >= WAIT_MS * (NS_PER_S / 1000), true, "15 ms have passed");
}

static long wait_as_reader(long ep)
{
	close(t.w);
	return t_epoll_wait_in(ep);
}

static void eintr(void)
{
	t_catch(SIGUSR1, SA_RESTART);
	t_eintr(t_start(wait_as_reader, t_epoll_with(t.r, EPOLLIN)));
}

static void copies(void)
{
	int ep = t_epoll_with(t.r, EPOLLIN), copy = t_dup(t.r);
	struct epoll_event ev[3];

	t_epoll_watch(ep, copy, EPOLLIN);
	p_write(1);
	want_ret(epoll_wait(ep, ev, 3, 0), 2, "epoll_wait with a descriptor and its copy");
}

static void bad_address(void)
{
	int ep = t_epoll_with(t.r, EPOLLIN);

	p_write(1);
	want_ret(epoll_wait(ep, t_nowhere(), 1, 0), -EFAULT, "epoll_wait to a bad address");
	want_ret(epoll_ctl(ep, EPOLL_CTL_MOD, t.r, t_nowhere()), -EFAULT,
		"epoll_ctl from a bad address");
}

static void create_flags(void)
{
	int ep = t_epoll_instance();

	t_getfd(ep, FD_CLOEXEC);
	want_ret(epoll_create1(~EPOLL_CLOEXEC), -EINVAL, "epoll_create1 with unknown flags");
}

const struct test_case epoll_calls_cases[] = {
	CASE("epoll.user_data", "POL-31", 'L', KINDS, 0,
		"the data that epoll_wait returns are those of epoll_ctl",
		"epoll_ctl(2), DESCRIPTION: the data that the kernel should save and return",
		user_data),
	CASE("epoll.modified", "POL-32", 'L', KINDS, 0,
		"EPOLL_CTL_MOD changes what is reported",
		"epoll_ctl(2), EPOLL_CTL_MOD: to the new settings", modified),
	CASE("epoll.added_again", "POL-32", 'L', KINDS, 0,
		"a descriptor that was removed can be added once more",
		"epoll_ctl(2), EPOLL_CTL_DEL and EPOLL_CTL_ADD", added_again),
	CASE("epoll.time_limit", "POL-33", 'L', 0, 0,
		"epoll_wait waits as long as it is told, if nothing is ready",
		"epoll_wait(2), DESCRIPTION: the number of milliseconds that it will block",
		time_limit),
	CASE("epoll.eintr", "POL-34", 'L', KINDS, 0,
		"a handler ends epoll_wait with EINTR, also with SA_RESTART",
		"signal(7), Interruption of system calls: epoll_wait is never restarted", eintr),
	CASE("epoll.copies", "POL-35", 'L', KINDS, 0,
		"a descriptor and its copy are two entries, and both are reported",
		"epoll(7), Questions and answers: duplicates can be added", copies),
	CASE("epoll.bad_address", "POL-36", 'L', 0, 0,
		"epoll_wait to a bad address, and epoll_ctl from one, give EFAULT",
		"epoll_wait(2), ERRORS: EFAULT; LTP epoll_ctl02", bad_address),
	CASE("epoll.create_flags", "POL-37", 'L', 0, 0,
		"epoll_create1 obeys EPOLL_CLOEXEC, and unknown flags give EINVAL",
		"epoll_create(2), ERRORS: EINVAL; LTP epoll_create1_02", create_flags),
};
ALL_ROWS(epoll_calls);
