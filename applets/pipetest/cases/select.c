/*
 * select.c - cases of select and pselect, and of the time limits and masks of poll and ppoll
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/select.h>
#include "../case.h"

enum { WAIT_MS = 15 };

/* --- time limits and signals ----------------- */

static void at_least(int64_t start, int ms)
{
	int64_t took = monotonic_ns() - start;

	if (took < ms * (NS_PER_S / 1000))
		t_fail("the call took %ld us, expected at least %d ms", (long)(took / 1000), ms);
}

static void time_limit(void)
{
	struct pollfd p = { t.r, POLLIN, 0 };
	int64_t start = monotonic_ns();

	wantf(ret(poll(&p, 1, WAIT_MS)), 0, "poll for %d ms", WAIT_MS);
	at_least(start, WAIT_MS);
	t_ok(poll(NULL, 0, 1), "poll of nothing for 1 ms");
	p_write(1);
	want_ret(poll(&p, 1, INT_MAX), 1, "poll with data and a long limit");
}

/* The signal is pending and blocked, so only the mask that the call takes lets it in. */
static sigset_t pending_signal(void)
{
	sigset_t set, none;

	t_catch(SIGUSR1, 0);
	sigemptyset(&none);
	t_block(SIGUSR1, &set);
	t_raise(SIGUSR1);
	t_signals(0);
	return none;
}

static void let_in_once(long got)
{
	sigset_t now;

	want(got, -EINTR, "the call whose mask is empty");
	t_signals(1);
	t_ok(sigprocmask(SIG_BLOCK, NULL, &now), "sigprocmask");
	want(sigismember(&now, SIGUSR1), 1, "SIGUSR1 is blocked again");
}

static void ppoll_mask(void)
{
	struct pollfd p = { t.r, POLLIN, 0 };
	sigset_t none = pending_signal();

	let_in_once(ret(ppoll(&p, 1, NULL, &none)));
}

static void pselect_mask(void)
{
	sigset_t none = pending_signal();

	let_in_once(ret(pselect(0, NULL, NULL, NULL, NULL, &none)));
}

/* --- select ----------------- */

enum { R = 1, W = 2, X = 4 };

static int ready(int fd)
{
	struct timeval now = { 0, 0 };
	fd_set r, w, x;

	if (fd < 0)
		return 0;
	if (fd >= FD_SETSIZE)
		t_skip("FD_SETSIZE");
	FD_ZERO(&r);
	FD_SET(fd, &r);
	w = x = r;
	if (ret(select(fd + 1, &r, &w, &x, &now)) < 0)
		return -errno;
	return (FD_ISSET(fd, &r) ? R : 0) | (FD_ISSET(fd, &w) ? W : 0) | (FD_ISSET(fd, &x) ? X : 0);
}

static void selected(int reader, int writer)
{
	want(ready(t.r), reader, "select of the read end: 1 readable, 2 writable, 4 exceptional");
	want(ready(t.w), writer, "select of the write end");
}

static void ready_for(int fd, int which, bool expected)
{
	wantf((ready(fd) & which) != 0, expected, "fd %d is selected for %s", fd,
		which == R ? "reading" : "writing");
}

static void select_states(void)
{
	ready_for(t.r, R, false);
	ready_for(t.w, W, true);
	p_fill();
	ready_for(t.r, R, true);
	ready_for(t.w, W, false);
}

static void select_details(void)
{
	selected(0, W);
	p_write(1);
	selected(R, t.slots > 1 ? W : 0);
}

static void select_eof(void)
{
	p_write(1);
	p_close_w();
	ready_for(t.r, R, true);
	p_read(1, 1);
	ready_for(t.r, R, true);
}

/* The pipe is full, but a write returns at once, because no reader is left. */
static void select_reader_gone(void)
{
	p_fill();
	p_close_r();
	ready_for(t.w, W, true);
}

/* POLLERR makes a descriptor readable and writable: fs/select.c. */
static void select_reader_gone_both(void)
{
	p_close_r();
	selected(0, R | W);
}

/* A select that fails must leave the set as it was. The set holds the read end, which is not ready,
 * so that a select that succeeds would clear it. */
static void fails_with(int nfds, int extra, struct timeval *limit, long expected)
{
	fd_set r, before;

	if (t.r >= FD_SETSIZE)
		t_skip("FD_SETSIZE");
	FD_ZERO(&r);
	FD_SET(t.r, &r);
	if (extra >= 0)
		FD_SET(extra, &r);
	before = r;
	wantf(ret(select(nfds, &r, NULL, NULL, limit)), expected, "select of %d descriptors", nfds);
	want(memcmp(&r, &before, sizeof(r)), 0, "difference in the set");
}

static void select_ebadf(void)
{
	struct timeval now = { 0, 0 };
	int closed = t_dup(t.r);

	close(closed);
	fails_with(closed + 1, closed, &now, -EBADF);
}

static void select_einval(void)
{
	struct timeval now = { 0, 0 }, negative = { -1, 0 };

	fails_with(-1, -1, &now, -EINVAL);
	fails_with(t.r + 1, -1, &negative, -EINVAL);
}

static void bad_timespec(long seconds, long ns)
{
	struct pollfd p = { t.r, POLLIN, 0 };
	struct timespec limit = { seconds, ns };

	wantf(ret(ppoll(&p, 1, &limit, NULL)), -EINVAL, "ppoll for %ld s %ld ns", seconds, ns);
	wantf(ret(pselect(0, NULL, NULL, NULL, &limit, NULL)), -EINVAL, "pselect for %ld s %ld ns",
		seconds, ns);
}

static void bad_timespecs(void)
{
	bad_timespec(-1, 0);
	bad_timespec(0, -1);
	bad_timespec(0, NS_PER_S);
}

static void select_count(void)
{
	struct timeval now = { 0, 0 };
	fd_set r, w;

	if (t.r >= FD_SETSIZE || t.w >= FD_SETSIZE)
		t_skip("FD_SETSIZE");
	p_write(1);
	FD_ZERO(&r);
	FD_SET(t.r, &r);
	FD_ZERO(&w);
	FD_SET(t.w, &w);
	want_ret(select((t.r > t.w ? t.r : t.w) + 1, &r, &w, NULL, &now), t.slots > 1 ? 2 : 1,
		"select of both ends");
}

static void select_nfds(void)
{
	struct timeval now = { 0, 0 };
	fd_set r;

	if (t.r >= FD_SETSIZE)
		t_skip("FD_SETSIZE");
	p_write(1);
	FD_ZERO(&r);
	FD_SET(t.r, &r);
	t_ok(select(t.r, &r, NULL, NULL, &now), "select of the descriptors below the read end");
}

static void select_clears(void)
{
	struct timeval now = { 0, 0 };
	fd_set r;

	if (t.r >= FD_SETSIZE)
		t_skip("FD_SETSIZE");
	FD_ZERO(&r);
	FD_SET(t.r, &r);
	t_ok(select(t.r + 1, &r, NULL, NULL, &now), "select of an empty pipe");
	want(FD_ISSET(t.r, &r) != 0, false, "the read end is in the set afterwards");
}

static void select_regular(void)
{
	int file = t_data(1);

	ready_for(file, R, true);
	ready_for(file, W, true);
	t_drain(file, 1);
	ready_for(file, R, true);
}

static void select_time_limit(void)
{
	struct timeval tv = { 0, WAIT_MS * 1000 };
	struct timespec ts = { 0, WAIT_MS * 1000000 };
	int64_t start = monotonic_ns();

	wantf(ret(select(0, NULL, NULL, NULL, &tv)), 0, "select for %d ms", WAIT_MS);
	at_least(start, WAIT_MS);
	wantf(ret(pselect(0, NULL, NULL, NULL, &ts, NULL)), 0, "pselect for %d ms", WAIT_MS);
	at_least(start, 2 * WAIT_MS);
}

const struct test_case select_cases[] = {
	CASE("pol.time_limit", "POL-05", 'P', KINDS, 0,
		"poll waits as long as it is told, if nothing is ready",
		"POSIX poll, DESCRIPTION: shall wait at least timeout milliseconds", time_limit),
	CASE("pol.ppoll_mask", "POL-15", 'L', KINDS, 0,
		"the mask of ppoll lets a pending signal in, once",
		"poll(2), ppoll: atomically sets the mask", ppoll_mask),
	CASE("pol.pselect_mask", "POL-15", 'P', 0, 0,
		"the mask of pselect lets a pending signal in, once",
		"POSIX pselect, DESCRIPTION: shall replace the mask, and restore it", pselect_mask),
	CASE("pol.select_states", "POL-06", 'P', KINDS, 0,
		"select: an empty pipe is writable and not readable, a full one the other way "
		"round",
		"POSIX select, DESCRIPTION: ready if a call would not block", select_states),
	CASE("pol.select_details", "POL-06", 'I', KINDS, 0,
		"select: a pipe with a free slot is writable, and no pipe is exceptional",
		"fs/pipe.c; POSIX select: exceptional conditions are implementation-defined",
		select_details),
	CASE("pol.select_eof", "POL-06", 'P', KINDS, 0,
		"select: the end of file is readable",
		"POSIX select, DESCRIPTION: an end-of-file indication is ready for reading",
		select_eof),
	CASE("pol.select_reader_gone", "POL-06", 'P', KINDS, 0,
		"select: without a reader the write end is writable",
		"POSIX select, DESCRIPTION: ready if the call would not block, whether or not it "
		"would succeed", select_reader_gone),
	CASE("pol.select_reader_gone_both", "POL-06", 'I', KINDS, 0,
		"select: without a reader the write end is readable, too",
		"fs/select.c: POLLERR counts as both", select_reader_gone_both),
	CASE("pol.select_ebadf", "POL-24", 'P', 0, 0,
		"select of a closed descriptor gives EBADF and leaves the sets alone",
		"POSIX select, ERRORS: EBADF; DESCRIPTION: on failure the sets shall not be "
		"modified", select_ebadf),
	CASE("pol.select_einval", "POL-24", 'P', 0, 0,
		"select of -1 descriptors, or for a negative time, gives EINVAL and leaves the "
		"sets alone",
		"POSIX select, ERRORS: EINVAL; DESCRIPTION: on failure the sets shall not be "
		"modified", select_einval),
	CASE("pol.bad_timespecs", "POL-25", 'L', 0, 0,
		"ppoll and pselect for a negative time, or for 10^9 ns, give EINVAL",
		"poll(2), ERRORS: EINVAL (ppoll); select(2), ERRORS: EINVAL", bad_timespecs),
	CASE("pol.select_regular", "POL-23", 'P', FILES, 0,
		"select: a regular file is always readable and writable",
		"POSIX select, DESCRIPTION: regular files shall always select true",
		select_regular),
	CASE("pol.select_count", "POL-38", 'I', KINDS, 0,
		"select returns the number of bits of all sets",
		"POSIX select, RETURN VALUE: the total number of bits set; the second end needs a "
		"free slot", select_count),
	CASE("pol.select_nfds", "POL-38", 'P', KINDS, 0,
		"select does not look at descriptors from nfds on",
		"POSIX select, DESCRIPTION: the descriptors from zero through nfds-1", select_nfds),
	CASE("pol.select_clears", "POL-38", 'P', KINDS, 0,
		"a descriptor that is not ready is out of the set afterwards",
		"POSIX select, DESCRIPTION: if the timeout expires the sets shall have all bits "
		"set to 0", select_clears),
	CASE("pol.select_time_limit", "POL-06", 'P', 0, 0,
		"select and pselect wait as long as they are told",
		"POSIX select, DESCRIPTION: shall block for the time specified", select_time_limit),
};
ALL_ROWS(select);
