/*
 * poll_calls.c - cases of poll: what ends it, and its arguments
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/resource.h>
#include "../case.h"

/* --- a poll that blocks ----------------- */

static long poll_forever(int fd, int events)
{
	struct pollfd p = { fd, events, 0 };
	long got = ret(poll(&p, 1, -1));

	return got == 1 ? p.revents : got;
}

static long poll_for(long timeout)
{
	struct pollfd p = { t.r, POLLIN, 0 };

	return ret(poll(&p, 1, (int)timeout));
}

static long poll_reader(long events)
{
	close(t.w);
	return poll_forever(t.r, events);
}

static long poll_writer(long events)
{
	close(t.r);
	return poll_forever(t.w, events);
}

/* A kernel may report other bits beside the one that ends the poll. */
static long only(long revents, long bit)
{
	return revents < 0 ? revents : revents & bit;
}

static long poll_for_hup(long events)
{
	return only(poll_reader(events), POLLHUP);
}

static long poll_for_err(long events)
{
	return only(poll_writer(events), POLLERR);
}

static void wakes_on_write(void)
{
	pid_t job = t_blocked(poll_reader, POLLIN);

	p_write(1);
	t_returns(job, POLLIN);
}

static void wakes_on_writer_gone(void)
{
	pid_t job = t_blocked(poll_for_hup, POLLIN);

	p_close_w();
	t_returns(job, POLLHUP);
}

static void nonblock_waits(void)
{
	pid_t job;

	p_nonblock_r();
	job = t_blocked(poll_reader, POLLIN);
	p_write(1);
	t_returns(job, POLLIN);
}

static void negative_waits(void)
{
	static const int limits[] = { -2, -1000, INT_MIN };

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		pid_t job = t_blocked(poll_for, limits[i]);

		t_kill(job);
	}
}

static void wakes_on_drain(void)
{
	size_t n = p_fill();
	pid_t job = t_blocked(poll_writer, POLLOUT);

	p_drain(n);
	t_returns(job, POLLOUT);
}

static void wakes_on_reader_gone(void)
{
	pid_t job;

	p_fill();
	job = t_blocked(poll_for_err, POLLOUT);
	p_close_r();
	t_returns(job, POLLERR);
}

static void eintr(int sa_flags)
{
	t_catch(SIGUSR1, sa_flags);
	t_eintr(t_start(poll_reader, POLLIN));
}

static void eintr_plain(void)
{
	eintr(0);
}

static void eintr_restart(void)
{
	eintr(SA_RESTART);
}

/* --- arguments ----------------- */

static void mixed_set(void)
{
	struct pollfd p[] = {
		{ -1, POLLIN, -1 }, { t.r, POLLIN, 0 }, { t.r, 0, 0 }, { -5, POLLOUT, -1 },
	};

	p_close_w();
	want_ret(poll(p, 4, 0), 2, "poll of 4, two of them negative");
	want(p[0].revents | p[3].revents, 0, "revents of a negative fd");
	want(p[1].revents & POLLHUP, POLLHUP, "POLLHUP in revents of the read end");
	want(p[2].revents, POLLHUP, "revents of the same with events 0");
	want(p[1].events, POLLIN, "events, which poll must not change");
}

static void counts(void)
{
	struct pollfd p[] = { { t.r, POLLIN, 0 }, { t.w, POLLOUT, 0 }, { t.r, POLLIN, 0 } };

	want_ret(poll(p, 3, 0), 1, "poll of 3 entries, of which 1 is ready");
	p_close_w();
	p[1].fd = -1;
	want_ret(poll(p, 3, 0), 2, "poll of 3 entries, of which 2 are ready");
}

static void copies(void)
{
	int copy = t_dup(t.r);

	p_write(1);
	p_close_r();
	t_poll(copy, POLLIN, POLLIN);
}

static void clears_revents(void)
{
	struct pollfd p = { t.r, POLLIN, POLLIN | POLLHUP };

	t_ok(poll(&p, 1, 0), "poll of an empty pipe");
	want(p.revents, 0, "revents, which was not 0 before");
}

static void closed_fd(void)
{
	int fd = t.w;

	p_close_w();
	t_poll(fd, POLLOUT, POLLNVAL);
	t_poll(fd, 0, POLLNVAL);
}

static void too_many(void)
{
	enum { LIMIT = 8 };
	struct pollfd p[LIMIT + 1];

	t_limit(RLIMIT_NOFILE, LIMIT);
	for (int i = 0; i <= LIMIT; i++)
		p[i] = (struct pollfd){ -1, POLLIN, 0 };
	wantf(ret(poll(p, LIMIT, 0)), 0, "poll of %d", LIMIT);
	wantf(ret(poll(p, LIMIT + 1, 0)), -EINVAL, "poll of %d", LIMIT + 1);
}

static void bad_pointer(void)
{
	struct pollfd *p = t_nowhere();

	want_ret(poll(p, 1, 0), -EFAULT, "poll of memory that is not there");
}

static void minus_one_entries(void)
{
	struct pollfd p = { t.r, POLLIN, 0 };
	volatile nfds_t all = -1; /* compilers would warn of a constant -1 */

	want_ret(poll(&p, all, 0), -EINVAL, "poll of -1 entries");
}

static void unknown_bits(void)
{
	enum { UNKNOWN = 0x4000 };
	struct pollfd p = { t.w, POLLOUT | UNKNOWN, 0 };

	want_ret(poll(&p, 1, 0), 1, "poll for POLLOUT and a bit without a name");
	want(p.revents, POLLOUT, "its revents");
}

static void regular_files(void)
{
	int file = t_data(1), both = POLLIN | POLLOUT;

	t_poll(file, both, both);
	t_drain(file, 1);
	t_poll(file, both, both);
}

const struct test_case poll_calls_cases[] = {
	CASE("pol.wakes_on_write", "POL-03", 'P', KINDS, 0,
		"a write ends the poll of a reader",
		"POSIX poll, DESCRIPTION: shall block until a requested event occurs",
		wakes_on_write),
	CASE("pol.wakes_on_writer_gone", "POL-03", 'P', KINDS, 0,
		"the last writer's close ends the poll of a reader",
		"POSIX poll, DESCRIPTION: POLLHUP; shall block until an event occurs",
		wakes_on_writer_gone),
	CASE("pol.nonblock_waits", "POL-19", 'P', KINDS, 0,
		"poll of an end with O_NONBLOCK waits all the same",
		"POSIX poll, DESCRIPTION: shall not be affected by the O_NONBLOCK flag",
		nonblock_waits),
	CASE("pol.negative_waits", "POL-20", 'L', 0, 0,
		"any negative time limit means to wait for ever",
		"poll(2), DESCRIPTION: a negative value means an infinite timeout", negative_waits),
	CASE("pol.wakes_on_drain", "POL-03", 'P', KINDS, 0,
		"reading ends the poll of a writer",
		"POSIX poll, DESCRIPTION: POLLOUT; shall block until a requested event occurs",
		wakes_on_drain),
	CASE("pol.wakes_on_reader_gone", "POL-03", 'L', KINDS, 0,
		"the last reader's close ends the poll of a writer",
		"poll(2), POLLERR: the write end of a pipe when the read end has been closed",
		wakes_on_reader_gone),
	CASE("pol.eintr", "POL-05", 'P', KINDS, 0,
		"a handler ends poll with EINTR",
		"POSIX poll, ERRORS: EINTR: a signal was caught", eintr_plain),
	CASE("pol.eintr_restart", "POL-05", 'L', KINDS, 0,
		"a handler with SA_RESTART ends poll with EINTR, too",
		"signal(7), Interruption of system calls: poll is never restarted", eintr_restart),
	CASE("pol.mixed_set", "POL-04", 'P', KINDS, 0,
		"a negative fd is passed over, and events are not changed",
		"POSIX poll, DESCRIPTION: fd less than 0: events shall be ignored, revents 0",
		mixed_set),
	CASE("pol.counts", "POL-39", 'P', KINDS, 0,
		"poll returns the number of entries with revents",
		"POSIX poll, RETURN VALUE: the total number of descriptors that have been selected",
		counts),
	CASE("pol.clears_revents", "POL-39", 'P', KINDS, 0,
		"poll clears revents where nothing has happened",
		"POSIX poll, DESCRIPTION: shall clear the revents member", clears_revents),
	CASE("pol.copies", "POL-40", 'P', KINDS, 0,
		"poll of a copy reports what is ready after the end itself is closed",
		"POSIX dup, DESCRIPTION: the same open file description; poll", copies),
	CASE("pol.closed_fd", "POL-04", 'P', KINDS, 0,
		"a closed fd reports POLLNVAL",
		"POSIX poll, DESCRIPTION: POLLNVAL: the fd value is invalid", closed_fd),
	CASE("pol.too_many", "POL-04", 'P', 0, 0,
		"more entries than RLIMIT_NOFILE give EINVAL",
		"POSIX poll, ERRORS: EINVAL: nfds is greater than {OPEN_MAX}; poll(2)", too_many),
	CASE("pol.bad_pointer", "POL-04", 'L', 0, 0,
		"poll of a bad address gives EFAULT",
		"poll(2), ERRORS: EFAULT", bad_pointer),
	CASE("pol.minus_one_entries", "POL-22", 'P', 0, 0,
		"poll of -1 entries gives EINVAL",
		"POSIX poll, ERRORS: EINVAL: nfds is greater than {OPEN_MAX}", minus_one_entries),
	CASE("pol.unknown_bits", "POL-21", 'I', 0, 0,
		"a bit of events that has no name is passed over",
		"fs/select.c", unknown_bits),
	CASE("pol.regular_files", "POL-23", 'P', FILES, 0,
		"a regular file is always ready, also at its end",
		"POSIX poll, DESCRIPTION: regular files shall always poll TRUE for reading and "
		"writing", regular_files),
};
ALL_ROWS(poll_calls);
