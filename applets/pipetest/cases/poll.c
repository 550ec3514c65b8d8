/*
 * poll.c - poll
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/resource.h>
#include "../case.h"

enum {
	IN = POLLIN | POLLRDNORM,
	OUT = POLLOUT | POLLWRNORM,
	ANYTHING = IN | OUT,
};

/* --- the states of a pipe: what both ends report when asked for IN and OUT ------------- */

static void both(int reader, int writer)
{
	if (t.r >= 0)
		p_poll_r(ANYTHING, reader);
	if (t.w >= 0)
		p_poll_w(ANYTHING, writer);
}

static int out_if_two_slots(void)
{
	return t.slots > 1 ? OUT : 0; /* a slot with one byte is a used slot */
}

static void empty(void)
{
	both(0, OUT);
}

static void data(void)
{
	p_write(1);
	both(IN, out_if_two_slots());
	p_read(1, 1);
	both(0, OUT);
}

static void full(void)
{
	p_fill();
	both(IN, 0);
}

static void slot_frees(void)
{
	p_fill();
	p_drain(t.page - 1);
	both(IN, 0);
	p_drain(1);
	both(t.slots > 1 ? IN : 0, OUT);
}

static void writer_gone(void)
{
	p_write(1);
	p_close_w();
	both(IN | POLLHUP, 0);
	p_read(1, 1);
	both(POLLHUP, 0);
}

static void reader_gone(void)
{
	p_close_r();
	both(0, OUT | POLLERR);
}

static void full_reader_gone(void)
{
	p_fill();
	p_close_r();
	both(0, POLLERR);
}

static void unasked(void)
{
	int other[2];

	t_pipe(other);
	p_write(1);
	p_poll_r(0, 0);
	p_close_w();
	p_poll_r(0, POLLHUP);
	t_close(other[0]);
	t_poll(other[1], 0, POLLERR);
}

static void only_asked(void)
{
	p_write(1);
	p_poll_r(POLLOUT, 0);
	p_poll_r(POLLIN, POLLIN);
	p_poll_r(POLLRDNORM, POLLRDNORM);
	p_read(1, 1);
	p_poll_w(POLLIN, 0);
	p_poll_w(POLLOUT, POLLOUT);
	p_poll_w(POLLWRNORM, POLLWRNORM);
}

static void never_rdhup_pri(void)
{
	enum { NEVER = POLLRDHUP | POLLPRI | POLLRDBAND };

	p_poll_r(NEVER, 0);
	p_write(1);
	p_poll_r(NEVER, 0);
	p_close_w();
	p_poll_r(NEVER, POLLHUP);
}

/* --- a poll that blocks ----------------- */

static long poll_forever(int fd, int events)
{
	struct pollfd p = { fd, events, 0 };
	long got = ret(poll(&p, 1, -1));

	return got == 1 ? p.revents : got;
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

static void wakes_on_write(void)
{
	pid_t job = t_blocked(poll_reader, POLLIN);

	p_write(1);
	t_returns(job, POLLIN);
}

static void wakes_on_writer_gone(void)
{
	pid_t job = t_blocked(poll_reader, POLLIN);

	p_close_w();
	t_returns(job, POLLHUP);
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
	job = t_blocked(poll_writer, POLLOUT);
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

static void level(void)
{
	p_write(1);
	for (int i = 0; i < 3; i++)
		p_poll_r(POLLIN, POLLIN);
}

static void mixed_set(void)
{
	struct pollfd p[] = {
		{ -1, POLLIN, -1 }, { t.r, POLLIN, 0 }, { t.r, 0, 0 }, { -5, POLLOUT, -1 },
	};

	p_close_w();
	want_ret(poll(p, 4, 0), 2, "poll of 4, two of them negative");
	want(p[0].revents | p[3].revents, 0, "revents of a negative fd");
	want(p[1].revents, POLLHUP, "revents of the read end");
	want(p[2].revents, POLLHUP, "revents of the same with events 0");
	want(p[1].events, POLLIN, "events, which poll must not change");
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

/* --- what it is good for ----------------- */

static bool writable(void)
{
	struct pollfd p = { t.w, POLLOUT, 0 };

	return poll(&p, 1, 0) == 1 && p.revents == POLLOUT;
}

/* From every fill level that the first write can bring about. */
static void writable_means_pipe_buf(void)
{
	const size_t first[] = { 0, 1, t.pipe_buf / 2, t.pipe_buf - 1, t.page - 1 };

	p_nonblock_w();
	for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
		size_t n = first[i];

		p_write(n);
		for (; writable(); n += t.pipe_buf) {
			if (n > 2 * t.cap)
				fail("writable with %zu bytes in a pipe of %zu", n, t.cap);
			p_write(t.pipe_buf);
		}
		if (n == first[i] && (n == 0 || t.slots > 1))
			fail("not writable with %zu bytes in a pipe of %zu", n, t.cap);
		p_drain(n);
	}
}

/* --- FIFOs whose writers come and go ----------------- */

static int open_fifo(int flags)
{
	return t_open("f", flags | O_NONBLOCK);
}

static void reader_first(void)
{
	t_mkfifo("f");
	t.r = open_fifo(O_RDONLY);
}

static void writer_comes_and_goes(void)
{
	t.w = open_fifo(O_WRONLY);
	p_poll_r(ANYTHING, 0);
	p_close_w();
}

static void fifo_hup(void)
{
	reader_first();
	p_poll_r(ANYTHING, 0);
	writer_comes_and_goes();
	p_poll_r(ANYTHING, POLLHUP);
	writer_comes_and_goes();
	p_poll_r(ANYTHING, POLLHUP);
}

static void fifo_fresh_reader(void)
{
	reader_first();
	writer_comes_and_goes();
	t_poll(open_fifo(O_RDONLY), ANYTHING, 0);
	p_poll_r(ANYTHING, POLLHUP);
}

const struct test_case poll_cases[] = {
	CASE("pol.empty", "POL-01", 'L', KINDS, 0,
		"empty: only the write end is ready",
		"POSIX poll", empty),
	CASE("pol.data", "POL-01", 'L', KINDS, 0,
		"data: the read end is ready; the write end while a slot is free",
		"fs/pipe.c", data),
	CASE("pol.full", "POL-01", 'L', KINDS, 0,
		"full: only the read end is ready",
		"POSIX poll", full),
	CASE("pol.slot_frees", "POL-01", 'L', KINDS, 0,
		"full: writable again when a whole slot is free",
		"fs/pipe.c", slot_frees),
	CASE("pol.writer_gone", "POL-01", 'P', KINDS, 0,
		"no writer: IN and HUP with data, HUP without",
		"POSIX poll", writer_gone),
	CASE("pol.reader_gone", "POL-01", 'L', KINDS, 0,
		"no reader: OUT and ERR",
		"poll(2)", reader_gone),
	CASE("pol.full_reader_gone", "POL-01", 'L', KINDS, 0,
		"full, no reader: ERR",
		"poll(2)", full_reader_gone),
	CASE("pol.unasked", "POL-02", 'P', KINDS, 0,
		"events 0 still reports HUP and ERR, and nothing else",
		"POSIX poll", unasked),
	CASE("pol.only_asked", "POL-01 POL-04", 'P', KINDS, 0,
		"IN, OUT, RDNORM, WRNORM are reported if asked for",
		"POSIX poll", only_asked),
	CASE("pol.wakes_on_write", "POL-03", 'P', KINDS, 0,
		"a write ends the poll of a reader",
		"POSIX poll", wakes_on_write),
	CASE("pol.wakes_on_writer_gone", "POL-03", 'P', KINDS, 0,
		"the last writer's close ends the poll of a reader",
		"POSIX poll", wakes_on_writer_gone),
	CASE("pol.wakes_on_drain", "POL-03", 'P', KINDS, 0,
		"reading ends the poll of a writer",
		"POSIX poll", wakes_on_drain),
	CASE("pol.wakes_on_reader_gone", "POL-03", 'P', KINDS, 0,
		"the last reader's close ends the poll of a writer",
		"POSIX poll", wakes_on_reader_gone),
	CASE("pol.eintr", "POL-05", 'P', KINDS, 0,
		"a handler ends poll with EINTR",
		"POSIX poll", eintr_plain),
	CASE("pol.eintr_restart", "POL-05", 'L', KINDS, 0,
		"a handler with SA_RESTART ends it too",
		"signal(7)", eintr_restart),
	CASE("pol.level", "POL-04", 'P', KINDS, 0,
		"ready is ready, however often one asks",
		"POSIX poll", level),
	CASE("pol.mixed_set", "POL-04", 'P', KINDS, 0,
		"a negative fd is passed over, events are not changed",
		"POSIX poll", mixed_set),
	CASE("pol.closed_fd", "POL-04", 'P', KINDS, 0,
		"a closed fd: NVAL",
		"POSIX poll", closed_fd),
	CASE("pol.too_many", "POL-04", 'P', 0, 0,
		"more entries than RLIMIT_NOFILE: EINVAL",
		"POSIX poll; poll(2)", too_many),
	CASE("pol.bad_pointer", "POL-04", 'L', 0, 0,
		"no memory at the pointer: EFAULT",
		"poll(2)", bad_pointer),
	CASE("pol.writable_means_pipe_buf", "POL-07", 'P', KINDS, 0,
		"what poll calls writable takes PIPE_BUF bytes",
		"POSIX poll, write", writable_means_pipe_buf),
	CASE("pol.fifo_hup", "POL-16", 'L', NEEDS_DIR, 0,
		"no HUP before the first writer; HUP after the last, until one comes",
		"poll(2), fs/pipe.c", fifo_hup),
	CASE("pol.fifo_fresh_reader", "POL-17 REG-22", 'I', NEEDS_DIR, 0,
		"HUP only for who has seen a writer",
		"fs/pipe.c", fifo_fresh_reader),
	CASE("pol.never_rdhup_pri", "POL-18", 'I', KINDS, 0,
		"RDHUP and PRI are never reported",
		"fs/pipe.c", never_rdhup_pri),
};
ALL_ROWS(poll);
