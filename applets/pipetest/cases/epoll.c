/*
 * epoll.c - cases of epoll on pipes, and the functions that all cases of epoll use
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/epoll.h>
#include "../case.h"
#include "epoll.h"

int t_epoll_instance(void)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 && (errno == ENOSYS || errno == EPERM))
		t_skip("no-epoll");
	t_ok(ep < 0 ? -1 : 0, "epoll_create1");
	return ep;
}

long t_epoll_control(int ep, int op, int fd, unsigned events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return ret(epoll_ctl(ep, op, fd, &ev));
}

void t_epoll_control_gives(int ep, int op, int fd, unsigned events, long expected)
{
	wantf(t_epoll_control(ep, op, fd, events), expected, "epoll_ctl(%d, op %d, %d, events %#x)",
		ep, op, fd, events);
}

void t_epoll_watch(int ep, int fd, unsigned events)
{
	t_epoll_control_gives(ep, EPOLL_CTL_ADD, fd, events, 0);
}

int t_epoll_with(int fd, unsigned events)
{
	int ep = t_epoll_instance();

	t_epoll_watch(ep, fd, events);
	return ep;
}

void t_epoll_reports(int ep, unsigned events)
{
	struct epoll_event ev[2] = { { 0 } };

	want_ret(epoll_wait(ep, ev, 2, 0), events != 0, "epoll_wait");
	want(ev[0].events, events, "its events");
}

long t_epoll_wait_in(long ep)
{
	struct epoll_event ev = { 0 };
	long got = ret(epoll_wait(ep, &ev, 1, -1));

	return got == 1 ? (long)ev.events : got;
}

static void level(void)
{
	int r = t_epoll_with(t.r, EPOLLIN), w = t_epoll_with(t.w, EPOLLOUT);

	t_epoll_reports(r, 0);
	t_epoll_reports(w, EPOLLOUT);
	p_write(2);
	t_epoll_reports(r, EPOLLIN);
	p_read(1, 1);
	t_epoll_reports(r, EPOLLIN);
	p_read(1, 1);
	t_epoll_reports(r, 0);
	p_fill();
	t_epoll_reports(w, 0);
	p_drain(t.page);
	t_epoll_reports(w, EPOLLOUT);
}

static void hup(void)
{
	int ep = t_epoll_with(t.r, EPOLLIN);

	p_write(1);
	p_close_w();
	t_epoll_reports(ep, EPOLLIN | EPOLLHUP);
	p_read(1, 1);
	want(t_epoll_wait_in(ep) & EPOLLHUP, EPOLLHUP, "EPOLLHUP after the data were read");
}

static void err(void)
{
	int ep = t_epoll_with(t.w, 0);

	t_epoll_reports(ep, 0);
	p_close_r();
	t_epoll_reports(ep, EPOLLERR);
}

static long wait_as_reader(long ep)
{
	close(t.w);
	return t_epoll_wait_in(ep);
}

/* A kernel may report other events beside the one that ends the wait. */
static long only(long events, long event)
{
	return events < 0 ? events : events & event;
}

static long wait_for_hup(long ep)
{
	return only(wait_as_reader(ep), EPOLLHUP);
}

static long wait_for_err(long ep)
{
	close(t.r);
	return only(t_epoll_wait_in(ep), EPOLLERR);
}

static void wakes_on_write(void)
{
	pid_t job = t_blocked(wait_as_reader, t_epoll_with(t.r, EPOLLIN));

	p_write(1);
	t_returns(job, EPOLLIN);
}

static void wakes_on_hup(void)
{
	pid_t job = t_blocked(wait_for_hup, t_epoll_with(t.r, EPOLLIN));

	p_close_w();
	t_returns(job, EPOLLHUP);
}

static void wakes_on_err(void)
{
	pid_t job;

	p_fill();
	job = t_blocked(wait_for_err, t_epoll_with(t.w, EPOLLOUT));
	p_close_r();
	t_returns(job, EPOLLERR);
}

static void ctl_errors(void)
{
	int ep = t_epoll_with(t.r, EPOLLIN);
	struct epoll_event ev;

	t_epoll_control_gives(ep, EPOLL_CTL_ADD, t.r, EPOLLIN, -EEXIST);
	t_epoll_control_gives(ep, EPOLL_CTL_MOD, t.w, EPOLLIN, -ENOENT);
	t_epoll_control_gives(ep, EPOLL_CTL_DEL, t.w, 0, -ENOENT);
	t_epoll_control_gives(ep, EPOLL_CTL_ADD, -1, EPOLLIN, -EBADF);
	t_epoll_control_gives(t.r, EPOLL_CTL_ADD, t.w, EPOLLIN, -EINVAL);
	want_ret(epoll_wait(ep, &ev, 0, 0), -EINVAL, "epoll_wait for 0 events");
	t_epoll_control_gives(ep, EPOLL_CTL_DEL, t.r, 0, 0);
	p_write(1);
	t_epoll_reports(ep, 0);
}

static void rotation(void)
{
	enum { PIPES = 3 };
	int ep = t_epoll_instance();
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

static void only_asked(void)
{
	int r = t_epoll_with(t.r, EPOLLOUT | EPOLLPRI), w = t_epoll_with(t.w, EPOLLIN);

	p_write(1);
	t_epoll_reports(r, 0);
	t_epoll_reports(w, 0);
}

static void regular_eperm(void)
{
	int ep = t_epoll_instance();

	t_epoll_control_gives(ep, EPOLL_CTL_ADD, t_data(1), EPOLLIN, -EPERM);
}

static void last_close(void)
{
	int ep = t_epoll_with(t.r, EPOLLIN), copy = t_dup(t.r);

	p_write(1);
	p_close_r();
	t_epoll_reports(ep, EPOLLIN);
	t_close(copy);
	t_epoll_reports(ep, 0);
}

/* The instances are five deep, the most that epoll_ctl(2) allows (ELOOP). */
static void nested(void)
{
	int ep = t_epoll_with(t.r, EPOLLIN);

	for (int depth = 0; depth < 4; depth++)
		ep = t_epoll_with(ep, EPOLLIN);
	t_epoll_reports(ep, 0);
	t_poll(ep, POLLIN, 0);
	p_write(1);
	t_poll(ep, POLLIN, POLLIN);
	t_epoll_reports(ep, EPOLLIN);
	p_read(1, 1);
	t_epoll_reports(ep, 0);
}

static void loop_eloop(void)
{
	int a = t_epoll_instance(), b = t_epoll_with(a, EPOLLIN), c = t_epoll_with(b, EPOLLIN);

	t_epoll_control_gives(a, EPOLL_CTL_ADD, a, EPOLLIN, -EINVAL);
	t_epoll_control_gives(a, EPOLL_CTL_ADD, b, EPOLLIN, -ELOOP);
	t_epoll_control_gives(a, EPOLL_CTL_ADD, c, EPOLLIN, -ELOOP);
}

static void pwait_mask(void)
{
	int ep = t_epoll_with(t.r, EPOLLIN);
	struct epoll_event ev;
	sigset_t set, none;

	t_catch(SIGUSR1, SA_RESTART);
	sigemptyset(&none);
	t_block(SIGUSR1, &set);
	t_raise(SIGUSR1);
	want_ret(epoll_pwait(ep, &ev, 1, -1, &none), -EINTR, "epoll_pwait with an empty mask");
	t_signals(1);
	t_raise(SIGUSR1);
	t_signals(1);
}

const struct test_case epoll_cases[] = {
	CASE("epoll.level", "POL-08", 'L', KINDS, 0,
		"what is ready is reported as long as it is ready",
		"epoll(7), Level-triggered and edge-triggered: as poll(2)", level),
	CASE("epoll.hup", "POL-08", 'L', KINDS, 0,
		"without a writer: EPOLLIN and EPOLLHUP with data, EPOLLHUP without",
		"epoll_ctl(2), EPOLLHUP: end of file only after the data have been consumed", hup),
	CASE("epoll.err", "POL-08", 'L', KINDS, 0,
		"without a reader EPOLLERR is reported, even if not asked for",
		"epoll_ctl(2), EPOLLERR: the write end of a pipe when the read end has been closed",
		err),
	CASE("epoll.wakes_on_write", "POL-08", 'L', KINDS, 0,
		"a write ends the wait of a reader",
		"epoll_wait(2), DESCRIPTION: blocks until a descriptor delivers an event",
		wakes_on_write),
	CASE("epoll.wakes_on_hup", "POL-08", 'L', KINDS, 0,
		"the last writer's close ends the wait of a reader",
		"epoll_ctl(2), EPOLLHUP; LTP epoll_wait11", wakes_on_hup),
	CASE("epoll.wakes_on_err", "POL-08", 'L', KINDS, 0,
		"the last reader's close ends the wait of a writer",
		"epoll_ctl(2), EPOLLERR; LTP epoll_wait12", wakes_on_err),
	CASE("epoll.ctl_errors", "POL-08", 'L', KINDS, 0,
		"epoll_ctl gives EEXIST, ENOENT, EBADF and EINVAL; what is removed is silent",
		"epoll_ctl(2), ERRORS; EPOLL_CTL_DEL; LTP epoll_ctl02", ctl_errors),
	CASE("epoll.rotation", "POL-08", 'L', 0, 0,
		"where each wait asks for one event, each ready descriptor has its turn",
		"epoll_wait(2), NOTES: round robin; LTP epoll_wait14", rotation),
	CASE("epoll.only_asked", "POL-28", 'L', KINDS, 0,
		"what was not asked for is not reported",
		"epoll_ctl(2), events: the event types that the caller is interested in",
		only_asked),
	CASE("epoll.regular_eperm", "POL-29", 'L', FILES, 0,
		"epoll_ctl of a regular file gives EPERM",
		"epoll_ctl(2), ERRORS: EPERM: a regular file; LTP epoll_ctl02", regular_eperm),
	CASE("epoll.last_close", "POL-13", 'L', KINDS, 0,
		"the close of the last descriptor ends the reports, that of a copy does not",
		"epoll(7), Questions and answers: closing a file descriptor", last_close),
	CASE("epoll.nested", "POL-14", 'L', KINDS, 0,
		"an instance is readable when one in it is, five deep",
		"epoll(7), Questions and answers: the epoll descriptor is poll-able; epoll_ctl(2), "
		"ELOOP", nested),
	CASE("epoll.loop_eloop", "POL-14", 'L', 0, 0,
		"epoll instances in a circle give ELOOP",
		"epoll_ctl(2), ERRORS: ELOOP, EINVAL: fd is epfd", loop_eloop),
	CASE("epoll.pwait_mask", "POL-15", 'L', KINDS, 0,
		"the mask of epoll_pwait lets a pending signal in, once",
		"epoll_wait(2), epoll_pwait: atomically sets the mask", pwait_mask),
};
ALL_ROWS(epoll);
