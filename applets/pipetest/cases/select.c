/*
 * select.c - select, pselect, ppoll: time limits and masks
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
		fail("it took %ld us, expected at least %d ms", (long)(took / 1000), ms);
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

/* The signal is pending and blocked: only the call's own mask lets it in. */
static sigset_t pending_signal(void)
{
	sigset_t set, none;

	t_catch(SIGUSR1, 0);
	sigemptyset(&none);
	t_block(SIGUSR1, &set);
	raise(SIGUSR1);
	t_signals(0);
	return none;
}

static void let_in_once(long got)
{
	sigset_t now;

	want(got, -EINTR, "the call with an empty mask");
	t_signals(1);
	sigprocmask(SIG_BLOCK, NULL, &now);
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
		skip("FD_SETSIZE");
	FD_ZERO(&r);
	FD_SET(fd, &r);
	w = x = r;
	if (select(fd + 1, &r, &w, &x, &now) < 0)
		return -errno;
	return (FD_ISSET(fd, &r) ? R : 0) | (FD_ISSET(fd, &w) ? W : 0) | (FD_ISSET(fd, &x) ? X : 0);
}

static void selected(int reader, int writer)
{
	want(ready(t.r), reader, "select of the read end: 1 readable, 2 writable, 4 exceptional");
	want(ready(t.w), writer, "select of the write end");
}

static void select_states(void)
{
	selected(0, W);
	p_write(1);
	selected(R, t.slots > 1 ? W : 0);
	p_fill();
	selected(R, 0);
}

static void select_eof(void)
{
	p_write(1);
	p_close_w();
	selected(R, 0);
	p_read(1, 1);
	selected(R, 0);
}

static void select_reader_gone(void)
{
	p_close_r();
	selected(0, R | W); /* POLLERR counts as both: fs/select.c */
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
		"POSIX poll", time_limit),
	CASE("pol.ppoll_mask", "POL-15", 'P', KINDS, 0,
		"ppoll's mask lets a pending signal in, once",
		"POSIX ppoll", ppoll_mask),
	CASE("pol.pselect_mask", "POL-15", 'P', 0, 0,
		"pselect's mask lets a pending signal in, once",
		"POSIX pselect", pselect_mask),
	CASE("pol.select_states", "POL-06", 'L', KINDS, 0,
		"select: readable with data, writable with a free slot; no exceptions",
		"POSIX select", select_states),
	CASE("pol.select_eof", "POL-06", 'P', KINDS, 0,
		"select: the end of file is readable",
		"POSIX select", select_eof),
	CASE("pol.select_reader_gone", "POL-06", 'L', KINDS, 0,
		"select: without a reader the write end is readable and writable",
		"select(2)", select_reader_gone),
	CASE("pol.select_time_limit", "POL-06", 'P', 0, 0,
		"select and pselect wait as long as they are told",
		"POSIX select", select_time_limit),
};
ALL_ROWS(select);
