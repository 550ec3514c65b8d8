/*
 * poll.c - cases of poll: what each end of a pipe reports
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

static void empty(void)
{
	both(0, OUT);
}

static void data(void)
{
	p_write(1);
	p_poll_r(ANYTHING, IN);
	p_read(1, 1);
	p_poll_r(ANYTHING, 0);
}

static void data_writer(void)
{
	p_write(1);
	p_poll_w(ANYTHING, t.slots > 1 ? OUT : 0); /* a slot with one byte is a used slot */
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

/* Expects that poll reports all of these bits. It may report others, too. */
static void reports_bits(int fd, int events, int bits)
{
	struct pollfd p = { fd, events, 0 };

	wantf(ret(poll(&p, 1, 0)), 1, "poll(%d, events %#x)", fd, events);
	wantf(p.revents & bits, bits, "those of the bits %#x in its revents", bits);
}

/* Expects that poll reports none of these bits. */
static void reports_none_of(int fd, int events, int bits)
{
	struct pollfd p = { fd, events, 0 };

	wantf(ret(poll(&p, 1, 0)) >= 0, true, "poll(%d, events %#x) succeeds", fd, events);
	wantf(p.revents & bits, 0, "those of the bits %#x in its revents", bits);
}

static void writer_gone(void)
{
	p_write(1);
	p_close_w();
	reports_bits(t.r, ANYTHING, IN | POLLHUP);
	p_read(1, 1);
	reports_bits(t.r, ANYTHING, POLLHUP);
}

static void drained_only_hup(void)
{
	p_close_w();
	p_poll_r(ANYTHING, POLLHUP);
}

static void reader_gone(void)
{
	p_close_r();
	reports_bits(t.w, ANYTHING, POLLERR);
}

static void reader_gone_out(void)
{
	p_close_r();
	p_poll_w(ANYTHING, OUT | POLLERR);
}

static void full_reader_gone(void)
{
	p_fill();
	p_close_r();
	reports_bits(t.w, ANYTHING, POLLERR);
}

static void unasked(void)
{
	p_write(1);
	p_poll_r(0, 0);
	p_close_w();
	p_poll_r(0, POLLHUP);
}

static void unasked_err(void)
{
	p_poll_w(0, 0);
	p_close_r();
	p_poll_w(0, POLLERR);
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

/* --- reports that stay --------- */

static void level(void)
{
	p_write(1);
	for (int i = 0; i < 3; i++)
		p_poll_r(POLLIN, POLLIN);
}

/* --- what POLLOUT promises --------------- */

static bool writable(void)
{
	struct pollfd p = { t.w, POLLOUT, 0 };

	return poll(&p, 1, 0) == 1 && p.revents == POLLOUT;
}

/* The first write brings the pipe to each of these levels. */
static void writable_means_pipe_buf(void)
{
	const size_t first[] = { 0, 1, t.pipe_buf / 2, t.pipe_buf - 1, t.page - 1 };

	p_nonblock_w();
	for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
		size_t n = first[i];

		p_write(n);
		for (; writable(); n += t.pipe_buf) {
			if (n > 2 * t.cap)
				t_fail("writable with %zu bytes in a pipe of %zu", n, t.cap);
			p_write(t.pipe_buf);
		}
		if (n == first[i] && (n == 0 || t.slots > 1))
			t_fail("not writable with %zu bytes in a pipe of %zu", n, t.cap);
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
	reports_none_of(t.r, ANYTHING, POLLHUP);
	writer_comes_and_goes();
	reports_bits(t.r, ANYTHING, POLLHUP);
	writer_comes_and_goes();
	reports_bits(t.r, ANYTHING, POLLHUP);
}

static void fifo_fresh_reader(void)
{
	reader_first();
	writer_comes_and_goes();
	t_poll(open_fifo(O_RDONLY), ANYTHING, 0);
	p_poll_r(ANYTHING, POLLHUP);
}

const struct test_case poll_cases[] = {
	CASE("pol.empty", "POL-01", 'P', KINDS, 0,
		"an empty pipe: only the write end is ready",
		"POSIX poll, DESCRIPTION: POLLIN may be read, POLLOUT may be written without "
		"blocking", empty),
	CASE("pol.data", "POL-01", 'P', KINDS, 0,
		"data in the pipe: the read end is ready",
		"POSIX poll, DESCRIPTION: POLLIN: data may be read without blocking", data),
	CASE("pol.data_writer", "POL-01", 'I', KINDS, 0,
		"data in the pipe: the write end is ready while a slot is free",
		"fs/pipe.c", data_writer),
	CASE("pol.full", "POL-01", 'P', KINDS, 0,
		"a full pipe: only the read end is ready",
		"POSIX poll, DESCRIPTION: POLLOUT: data may be written without blocking", full),
	CASE("pol.slot_frees", "POL-01", 'I', KINDS, 0,
		"a full pipe is writable again when a whole slot is free",
		"fs/pipe.c", slot_frees),
	CASE("pol.writer_gone", "POL-01", 'P', KINDS, 0,
		"without a writer: POLLIN and POLLHUP with data, POLLHUP without",
		"POSIX poll, DESCRIPTION: POLLHUP: closed by the last process that had it open for "
		"writing", writer_gone),
	CASE("pol.drained_only_hup", "POL-01", 'I', KINDS, 0,
		"without a writer and without data POLLHUP is all that is reported",
		"fs/pipe.c; POSIX allows POLLIN beside it", drained_only_hup),
	CASE("pol.reader_gone", "POL-01", 'L', KINDS, 0,
		"without a reader the write end reports POLLERR",
		"poll(2), POLLERR: the write end of a pipe when the read end has been closed",
		reader_gone),
	CASE("pol.reader_gone_out", "POL-01", 'I', KINDS, 0,
		"without a reader the write end reports POLLOUT beside POLLERR",
		"fs/pipe.c", reader_gone_out),
	CASE("pol.full_reader_gone", "POL-01", 'L', KINDS, 0,
		"a full pipe without a reader reports POLLERR",
		"poll(2), POLLERR: the write end of a pipe when the read end has been closed",
		full_reader_gone),
	CASE("pol.unasked", "POL-02", 'P', KINDS, 0,
		"events 0 still reports POLLHUP, and nothing else",
		"POSIX poll, DESCRIPTION: shall set POLLHUP, POLLERR and POLLNVAL even if not "
		"asked", unasked),
	CASE("pol.unasked_err", "POL-02", 'L', KINDS, 0,
		"events 0 still reports POLLERR",
		"poll(2), POLLERR; DESCRIPTION: returned even if events is zero", unasked_err),
	CASE("pol.only_asked", "POL-01 POL-04", 'P', KINDS, 0,
		"POLLIN, POLLOUT, POLLRDNORM and POLLWRNORM are reported if asked for",
		"POSIX poll, DESCRIPTION: shall set the bit that was requested if the condition is "
		"true", only_asked),
	CASE("pol.level", "POL-04", 'P', KINDS, 0,
		"what is ready is reported by each poll",
		"POSIX poll, DESCRIPTION: shall set the bit if the condition is true", level),
	CASE("pol.writable_means_pipe_buf", "POL-07", 'I', KINDS, 0,
		"what poll calls writable takes PIPE_BUF bytes",
		"fs/pipe.c; POSIX poll promises no amount", writable_means_pipe_buf),
	CASE("pol.fifo_hup", "POL-16", 'P', NEEDS_DIR, 0,
		"no POLLHUP before the first writer; POLLHUP after the last, until one comes",
		"POSIX poll, DESCRIPTION: POLLHUP: shall persist until some process opens the FIFO "
		"for writing", fifo_hup),
	CASE("pol.fifo_fresh_reader", "POL-17 REG-22", 'I', NEEDS_DIR, 0,
		"POLLHUP is reported only to a reader that has seen a writer",
		"fs/pipe.c", fifo_fresh_reader),
	CASE("pol.never_rdhup_pri", "POL-18", 'I', KINDS, 0,
		"POLLRDHUP and POLLPRI are never reported of a pipe",
		"fs/pipe.c", never_rdhup_pri),
};
ALL_ROWS(poll);
