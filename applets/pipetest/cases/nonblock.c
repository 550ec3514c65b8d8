/*
 * nonblock.c - cases of O_NONBLOCK: what EAGAIN means, and how much goes in before it
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
	p_no_write(2 * unread, -EAGAIN);
	p_holds(unread);
}

static void short_read(void)
{
	p_write(15);
	p_nonblock_r();
	p_read(4, 4);
	p_read(100, 11);
	p_read(100, -EAGAIN);
}

/* --- whole or not at all ------------------------------------------------------------------- */

static void all_or_nothing(void)
{
	const size_t sizes[] = { 61, 512, 1000, t.pipe_buf / 2 + 1, t.pipe_buf - 1, t.pipe_buf };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		p_drain(p_fill_by(sizes[i]));
}

/* The kernel decides whether n bytes have room, but either all of them go in or none. */
static size_t all_or_eagain(size_t n)
{
	long got = t_try_write(t.w, n);

	if (got != -EAGAIN)
		wantf(got, n, "write(%d, %zu bytes)", t.w, n);
	return got > 0 ? got : 0;
}

static void room_for_100(void)
{
	size_t unread = p_leave_room(100);

	p_nonblock_w();
	unread += all_or_eagain(101);
	unread += all_or_eagain(t.pipe_buf);
	p_holds(unread);
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
	size_t all = p_fill(), unread = all - t.pipe_buf;
	long got;

	p_drain(t.pipe_buf);
	p_nonblock_w();
	got = t_try_write(t.w, 2 * all);
	if (got != -EAGAIN)
		want_part(got, 2 * all, "write of twice what a pipe holds");
	p_holds(unread + (got > 0 ? got : 0));
}

static void large_into_empty(void)
{
	size_t all = p_fill();
	long got;

	p_drain(all);
	p_nonblock_w();
	got = t_try_write(t.w, 2 * all);
	want(got >= (long)t.pipe_buf, true, "a large write to an empty pipe puts PIPE_BUF in");
	p_holds(got);
}

/* POSIX write lets the kernel take 100 of the bytes. */
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

/* Single bytes fill a pipe of one page only: cap.bytes_fill_capacity fills larger ones so, and an
 * emulated machine needs seconds for that. */
static void fill_table(void)
{
	const size_t p = t.page, sizes[] = {
		p / t.pipe_buf, 100, 511, 512, p / 2, p / 2 + 1, p - 1, p, p + 1, p + 904,
		2 * p - 1, 2 * p, 2 * p + 854, 16 * p - 1, 16 * p + 1, 32 * p
	};
	char text[400];
	size_t at = 0;

	for (size_t i = t.slots > 1; i < ARRAY_SIZE(sizes); i++) {
		size_t total = p_fill_by(sizes[i]);

		want(total <= t.cap, true, "no more went in than the capacity");
		p_drain(total);
		if (at < sizeof(text))
			at += scnprintf(text + at, sizeof(text) - at, " %zu:%zu", sizes[i], total);
	}
	t_info("chunk:bytes that fit%s", text);
}

static void half_filled(void)
{
	size_t n = t.page / 2 + 1, total = p_fill_by(n);

	t_info("writes of %zu bytes fill a pipe of %zu bytes at %zu, %zu %%", n, t.cap, total,
		total * 100 / t.cap);
	want(total, t.slots * n, "a write in each slot");
}

static bool says_pollout(void)
{
	struct pollfd p = { t.w, POLLOUT, 0 };

	return ret(poll(&p, 1, 0)) == 1 && p.revents == POLLOUT;
}

/* Fills the pipe by 100 bytes at a time, so that the writes begin at many places of a slot. As long
 * as poll reports POLLOUT, n bytes must go in. */
static void pollout_means(size_t n)
{
	size_t unread = 0;

	p_nonblock_w();
	want(says_pollout(), true, "POLLOUT is reported of an empty pipe");
	do {
		if (!says_pollout())
			continue;
		p_write(n);
		p_drain(n);
	} while (t_try_write(t.w, 100) == 100 && (unread += 100));
	p_drain(unread);
	want(says_pollout(), true, "POLLOUT is reported of a drained pipe");
}

static void pollout_keeps_its_word(void)
{
	pollout_means(1);
}

static void pollout_pipe_buf(void)
{
	pollout_means(t.pipe_buf);
}

/* --- which descriptors share O_NONBLOCK ----------------------------------------------------- */

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
	int copy = t_dup(t.r);

	t_nonblock(copy);
	want_nonblock(t.r, true);
	p_read(1, -EAGAIN);
	t_ok(fcntl(t.r, F_SETFL, 0), "fcntl(F_SETFL, 0)");
	want_nonblock(copy, false);
	t_child(set_nonblock, t.r, 0);
	t_read(copy, 1, -EAGAIN);
}

static void other_end_blocks(void)
{
	size_t all;
	pid_t writer;

	p_nonblock_r();
	want_nonblock(t.w, false);
	all = p_fill();
	writer = t_blocked(t_call_write, 1);
	p_drain(all);
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
		"read of an empty pipe with a writer gives EAGAIN",
		"POSIX read, DESCRIPTION: O_NONBLOCK set: -1 with EAGAIN", empty_eagain),
	CASE("nbk.full_eagain", "NBK-02", 'P', KINDS, 0,
		"write to a full pipe gives EAGAIN, whatever its size",
		"POSIX write, DESCRIPTION: when no data can be written, -1 with EAGAIN",
		full_eagain),
	CASE("nbk.all_or_nothing", "NBK-03 S12", 'P', KINDS, 0,
		"a write of up to PIPE_BUF bytes takes all, or gives EAGAIN",
		"POSIX write, DESCRIPTION: {PIPE_BUF} or fewer bytes: all the data, or none",
		all_or_nothing),
	CASE("nbk.room_for_100", "NBK-03 S12", 'P', KINDS, 0,
		"writes of 101 bytes and PIPE_BUF where 100 are free take all or none",
		"POSIX write, DESCRIPTION: {PIPE_BUF} or fewer bytes: all the data, or none",
		room_for_100),
	CASE("nbk.exact_fit", "NBK-03", 'L', KINDS, 0,
		"100 bytes where 100 fit are written at once",
		"pipe(7), PIPE_BUF: if there is room for n bytes, write succeeds immediately",
		exact_fit),
	CASE("nbk.large_is_partial", "NBK-04 S12", 'P', KINDS, 0,
		"a write of more than PIPE_BUF bytes puts in what it counts, no more",
		"POSIX write, DESCRIPTION: more than {PIPE_BUF} bytes: what it can, or EAGAIN",
		large_is_partial),
	CASE("nbk.large_into_empty", "NBK-04", 'P', KINDS, 0,
		"a write of more than PIPE_BUF bytes to an empty pipe puts in PIPE_BUF or more",
		"POSIX write, DESCRIPTION: when all data is read, at least {PIPE_BUF} bytes",
		large_into_empty),
	CASE("nbk.large_needs_slot", "NBK-04", 'I', KINDS, 0,
		"a large write takes no part of the last slot: EAGAIN",
		"fs/pipe.c; POSIX lets a part go in", large_needs_slot),
	CASE("nbk.flag_is_shared", "NBK-05 S9", 'P', KINDS, 0,
		"copies of an end by dup and fork share O_NONBLOCK",
		"POSIX fcntl, F_SETFL: flags of the open file description; dup, fork",
		flag_is_shared),
	CASE("nbk.other_end_blocks", "NBK-05 S9", 'P', KINDS, 0,
		"O_NONBLOCK of one end leaves the other as it was",
		"POSIX fcntl, F_SETFL: other open file descriptions are not affected",
		other_end_blocks),
	CASE("nbk.reopened_has_its_own", "NBK-05", 'L', KINDS | NEEDS_PROC, 0,
		"an end reopened through /proc has flags of its own",
		"open(2), DESCRIPTION: each open creates a new open file description; "
		"proc_pid_fd(5)", reopened_has_its_own),
	CASE("nbk.fionbio", "NBK-06", 'I', KINDS, 0,
		"FIONBIO sets and clears O_NONBLOCK",
		"ioctl(2) does not describe it; the C libraries declare it", fionbio),
	CASE("nbk.pipe2_sets_both", "NBK-07", 'L', 0, 0,
		"pipe2(O_NONBLOCK) sets it on both ends, pipe on none",
		"pipe(2), O_NONBLOCK", pipe2_sets_both),
	CASE("nbk.short_read", "NBK-08", 'P', KINDS, 0,
		"read returns what is there; what was not asked for stays",
		"POSIX read, DESCRIPTION: nbyte bytes, or fewer if fewer are there", short_read),
	CASE("nbk.fill_table", "NBK-09", 'L', KINDS, 0,
		"no size of writes gets more in than F_GETPIPE_SZ",
		"fcntl(2), F_SETPIPE_SZ: the number of bytes may be less than the nominal size",
		fill_table),
	CASE("nbk.half_filled", "NBK-10", 'I', KINDS, 0,
		"writes of half a page and a byte waste half of the pipe",
		"fcntl(2), F_SETPIPE_SZ: depending on the size of the writes", half_filled),
	CASE("nbk.slot_must_be_free", "NBK-11", 'I', KINDS, 0,
		"a full pipe takes a byte only when a whole slot has been read",
		"fs/pipe.c", slot_must_be_free),
	CASE("nbk.pollout_keeps_its_word", "NBK-12", 'P', KINDS, 0,
		"where POLLOUT is reported a byte can be written without EAGAIN",
		"POSIX poll, POLLOUT: data may be written without blocking",
		pollout_keeps_its_word),
	CASE("nbk.pollout_pipe_buf", "NBK-12", 'I', KINDS, 0,
		"where POLLOUT is reported PIPE_BUF bytes can be written without EAGAIN",
		"fs/pipe.c; POSIX poll promises no amount", pollout_pipe_buf),
};
ALL_ROWS(nonblock);
