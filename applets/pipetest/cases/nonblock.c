/*
 * nonblock.c - O_NONBLOCK: what EAGAIN means, and how much goes in before it
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

/* --- EAGAIN ------------------------------------------------------------------------------- */

static void empty_eagain(void)
{
	p_nonblock_r();
	p_read(1, -EAGAIN);
	p_write(1);
	p_read(1, 1);
	p_read(1, -EAGAIN);
}

static void full_eagain(void)
{
	size_t unread = p_fill();

	p_nonblock_w();
	p_no_write(1, -EAGAIN);
	p_no_write(t.pipe_buf, -EAGAIN);
	p_no_write(2 * t.cap, -EAGAIN);
	p_unread(unread);
}

static void short_read(void)
{
	p_write(15);
	p_nonblock_r();
	p_read(4, 4);
	p_unread(11);
	p_read(100, 11);
	p_read(100, -EAGAIN);
}

/* --- whole or not at all ------------------------------------------------------------------- */

static void all_or_nothing(void)
{
	const size_t sizes[] = { 3, 512, 1000, t.pipe_buf / 2 + 1, t.pipe_buf - 1, t.pipe_buf };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		p_drain(p_fill_by(sizes[i]));
}

/* A page's or less in the last slot: only what fits there as a whole is taken. */
static void room_for_100(void)
{
	p_write(t.cap - 100);
	p_nonblock_w();
	p_no_write(101, -EAGAIN);
	p_no_write(t.pipe_buf, -EAGAIN);
	p_unread(t.cap - 100);
}

static void exact_fit(void)
{
	p_write(t.cap - 100);
	p_nonblock_w();
	p_write(100);
	p_no_write(1, -EAGAIN);
	p_drain(t.cap);
}

static void large_is_partial(void)
{
	size_t unread = p_fill(), n = 2 * t.page;
	long got;

	p_drain(t.page);
	p_nonblock_w();
	got = try_write(t.w, n);
	want_part(got, t.page, "write of two pages where one is free");
	p_unread(unread - t.page + got);
	p_drain(unread - t.page + got);
}

/* POSIX would let 100 bytes of it go in. */
static void large_needs_slot(void)
{
	p_write(t.cap - 100);
	p_nonblock_w();
	p_no_write(t.page + 904, -EAGAIN);
}

static void slot_must_be_free(void)
{
	p_fill();
	p_nonblock_w();
	p_read(1, 1);
	p_no_write(1, -EAGAIN);
	p_drain(t.page - 2);
	p_no_write(1, -EAGAIN);
	p_read(1, 1);
	p_write(1);
}

/* --- how much goes in ---------------------------------------------------------------------- */

static void fill_table(void)
{
	const size_t p = t.page, sizes[] = {
		p / t.pipe_buf, 100, 511, 512, p / 2, p / 2 + 1, p - 1, p, p + 1, p + 904,
		2 * p - 1, 2 * p, 2 * p + 854, 16 * p - 1, 16 * p + 1, 32 * p
	};
	char text[400];
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t total = p_fill_by(sizes[i]);

		want(total <= t.cap, true, "no more went in than the capacity");
		p_drain(total);
		if (at < sizeof(text))
			at += scnprintf(text + at, sizeof(text) - at, " %zu:%zu", sizes[i], total);
	}
	info("chunk:bytes that fit%s", text);
}

static void half_filled(void)
{
	size_t n = t.page / 2 + 1, total = p_fill_by(n);

	info("writes of %zu bytes fill a pipe of %zu bytes at %zu, %zu %%", n, t.cap, total,
	     total * 100 / t.cap);
	want(total, t.slots * n, "a write in each slot");
}

/* At every level: POLLOUT must not lie. 100 bytes at a time go round all the corners of a slot. */
static void pollout_keeps_its_word(void)
{
	size_t unread = 0;

	p_nonblock_w();
	p_poll_w(POLLOUT, POLLOUT);
	for (;;) {
		struct pollfd p = { t.w, POLLOUT, 0 };

		if (poll(&p, 1, 0) == 1) {
			p_write(t.pipe_buf);
			p_drain(t.pipe_buf);
		}
		if (try_write(t.w, 100) != 100)
			break;
		unread += 100;
	}
	p_poll_w(POLLOUT, 0);
	p_drain(unread);
	p_poll_w(POLLOUT, POLLOUT);
}

/* --- whose flag it is ----------------------------------------------------------------------- */

static void want_nonblock(int fd, bool on)
{
	t_getfl(fd, O_NONBLOCK, on);
}

static long set_nonblock(long fd)
{
	return ret(fcntl(fd, F_SETFL, O_NONBLOCK));
}

static void flag_is_shared(void)
{
	int copy = dup(t.r);

	nonblock(copy);
	want_nonblock(t.r, true);
	p_read(1, -EAGAIN);
	t_ok(fcntl(t.r, F_SETFL, 0), "fcntl(F_SETFL, 0)");
	want_nonblock(copy, false);
	t_child(set_nonblock, t.r, 0);
	t_read(copy, 1, -EAGAIN);
}

static void other_end_blocks(void)
{
	pid_t writer;

	p_nonblock_r();
	want_nonblock(t.w, false);
	p_fill();
	writer = t_blocked(call_write, 1);
	p_drain(t.page);
	t_returns(writer, 1);
}

static void reopened_has_its_own(void)
{
	int fd = t_reopen(t.r, O_RDONLY | O_NONBLOCK);

	want_nonblock(fd, true);
	want_nonblock(t.r, false);
	t_read(fd, 1, -EAGAIN);
}

static void fionbio(void)
{
	int on = 1;

	t_ok(ioctl(t.r, FIONBIO, &on), "ioctl(FIONBIO, 1)");
	want_nonblock(t.r, true);
	p_read(1, -EAGAIN);
	on = 0;
	t_ok(ioctl(t.r, FIONBIO, &on), "ioctl(FIONBIO, 0)");
	want_nonblock(t.r, false);
}

static void pipe2_sets_both(void)
{
	for (int flag = 0; flag <= O_NONBLOCK; flag += O_NONBLOCK) {
		int fd[2];

		wantf(ret(pipe2(fd, flag)), 0, "pipe2(%#x)", flag);
		want_nonblock(fd[0], flag);
		want_nonblock(fd[1], flag);
	}
	want_nonblock(t.r, false);
	want_nonblock(t.w, false);
}

const struct test_case nonblock_cases[] = {
	CASE("nbk.empty_eagain", "NBK-01", 'P', KINDS, 0,
		"read of an empty pipe with a writer: EAGAIN",
		"POSIX read", empty_eagain),
	CASE("nbk.full_eagain", "NBK-02", 'P', KINDS, 0,
		"write to a full pipe: EAGAIN, whatever the size",
		"POSIX write", full_eagain),
	CASE("nbk.all_or_nothing", "NBK-03 S12", 'P', KINDS, 0,
		"up to PIPE_BUF bytes: all or EAGAIN",
		"POSIX write", all_or_nothing),
	CASE("nbk.room_for_100", "NBK-03 S12", 'P', KINDS, 0,
		"101 bytes where 100 fit: EAGAIN, nothing written",
		"POSIX write", room_for_100),
	CASE("nbk.exact_fit", "NBK-03", 'L', KINDS, 0,
		"100 bytes where 100 fit: written",
		"fs/pipe.c", exact_fit),
	CASE("nbk.large_is_partial", "NBK-04 S12", 'P', KINDS, 0,
		"more than PIPE_BUF, some room: 1 byte or more, none lost",
		"POSIX write", large_is_partial),
	CASE("nbk.large_needs_slot", "NBK-04", 'I', KINDS, 0,
		"a large write takes no part of the last slot: EAGAIN",
		"fs/pipe.c; POSIX lets a part go in", large_needs_slot),
	CASE("nbk.flag_is_shared", "NBK-05 S9", 'P', KINDS, 0,
		"copies by dup and fork share O_NONBLOCK",
		"POSIX fcntl", flag_is_shared),
	CASE("nbk.other_end_blocks", "NBK-05 S9", 'P', KINDS, 0,
		"O_NONBLOCK of one end leaves the other as it was",
		"POSIX fcntl", other_end_blocks),
	CASE("nbk.reopened_has_its_own", "NBK-05", 'L', KINDS | NEEDS_PROC, 0,
		"an end reopened through /proc has flags of its own",
		"proc(5)", reopened_has_its_own),
	CASE("nbk.fionbio", "NBK-06", 'L', KINDS, 0,
		"FIONBIO sets and clears O_NONBLOCK",
		"ioctl(2)", fionbio),
	CASE("nbk.pipe2_sets_both", "NBK-07", 'L', 0, 0,
		"pipe2(O_NONBLOCK) sets it on both ends, pipe on none",
		"pipe(2)", pipe2_sets_both),
	CASE("nbk.short_read", "NBK-08", 'P', KINDS, 0,
		"read returns what is there; what was not asked for stays",
		"POSIX read", short_read),
	CASE("nbk.fill_table", "NBK-09", 'L', KINDS, 0,
		"no size of writes gets more in than F_GETPIPE_SZ",
		"fcntl(2)", fill_table),
	CASE("nbk.half_filled", "NBK-10", 'I', KINDS, 0,
		"writes of half a page and a byte waste half of the pipe",
		"fs/pipe.c", half_filled),
	CASE("nbk.slot_must_be_free", "NBK-11", 'I', KINDS, 0,
		"a full pipe takes a byte when a whole slot has been read",
		"pipe(7)", slot_must_be_free),
	CASE("nbk.pollout_keeps_its_word", "NBK-12", 'P', KINDS, 0,
		"POLLOUT: PIPE_BUF bytes go in at once",
		"POSIX poll, write", pollout_keeps_its_word),
};
ALL_ROWS(nonblock);
