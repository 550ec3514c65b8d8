/*
 * tee.c - cases of tee(2), which duplicates a pipe's data
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

/* Makes another pipe of the same size, whose to[1] is the target. */
static void target(int to[2])
{
	t_needs_tee();
	t_pipe(to);
	if (fcntl(to[1], F_SETPIPE_SZ, (unsigned long)t.cap) != (int)t.cap)
		t_skip("soft-limit");
}

static void teed(int in, int out, size_t n, long expected)
{
	wantf(ret(tee(in, out, n, SPLICE_F_NONBLOCK)), expected, "tee(%d to %d, %zu)", in, out, n);
}

/* Makes the next read expect the last n bytes a second time. */
static void expect_again(size_t n)
{
	t.stream->consumed -= n;
}

static void duplicates(void)
{
	int to[2];

	target(to);
	p_write(100);
	teed(t.r, to[1], 200, 100);
	p_unread(100);
	p_read(200, 100);
	expect_again(100);
	t_read(to[0], 200, 100);
	t_fionread(to[0], 0);
}

static void errors(void)
{
	int to[2], file = t_data(10);

	target(to);
	p_write(10);
	teed(t.r, t.w, 10, -EINVAL);
	teed(file, t.w, 10, -EINVAL);
	teed(t.r, file, 10, -EINVAL);
	p_unread(10);
}

static void wrong_end(void)
{
	int to[2];

	target(to);
	p_write(10);
	teed(t.w, to[1], 10, -EBADF);
	teed(t.r, to[0], 10, -EBADF);
	teed(t.r, -1, 10, -EBADF);
	p_unread(10);
	t_fionread(to[0], 0);
}

static void partial(void)
{
	int to[2];

	target(to);
	p_write(100);
	teed(t.r, to[1], 30, 30);
	t_read(to[0], 100, 30);
	expect_again(30);
	p_read(200, 100);
}

static void pages(void)
{
	int to[2];
	size_t n;

	target(to);
	n = p_fill();
	teed(t.r, to[1], 2 * n, n);
	teed(t.r, to[1], n, -EAGAIN); /* the target is full */
	p_drain(n);
	expect_again(n);
	t_drain(to[0], n);
}

static void small_target(void)
{
	int to[2];
	size_t n;

	target(to);
	t_page_pipe(to[1]);
	n = p_fill();
	teed(t.r, to[1], n, t.page);
	t_drain(to[0], t.page);
	expect_again(t.page);
	p_drain(n);
}

static void empty(void)
{
	int to[2];

	target(to);
	teed(t.r, to[1], 1, -EAGAIN);
	teed(t.r, to[1], 0, 0);
	p_close_w();
	teed(t.r, to[1], 1, 0);
}

static void epipe(void)
{
	int to[2];

	target(to);
	t_catch(SIGPIPE, 0);
	p_write(1);
	t_close(to[0]);
	teed(t.r, to[1], 1, -EPIPE);
	t_signals(1);
	p_read(2, 1);
}

static long tee_to(long to)
{
	close(t.w);
	return ret(tee(t.r, to, t.page, 0));
}

static void empty_blocks(void)
{
	int to[2];
	pid_t job;

	target(to);
	job = t_blocked(tee_to, to[1]);
	p_write(5);
	t_returns(job, 5);
	t_read(to[0], 10, 5);
}

static void empty_pipe(int fd)
{
	char *buf = xmalloc(t.cap);

	t_nonblock(fd);
	while (read(fd, buf, t.cap) > 0)
		;
}

static void full_blocks(void)
{
	int to[2];
	pid_t job;

	target(to);
	p_write(5);
	while (tee(t.r, to[1], 5, SPLICE_F_NONBLOCK) > 0)
		;
	job = t_blocked(tee_to, to[1]);
	empty_pipe(to[0]);
	t_returns(job, 5);
}

static void put_letter(int fd, char c, long expected)
{
	wantf(ret(write(fd, &c, 1)), expected, "write(%d, '%c')", fd, c);
}

static void get_letters(int fd, const char *expected)
{
	char buf[4];
	size_t n = strlen(expected);

	wantf(ret(read(fd, buf, sizeof(buf))), n, "read(%d)", fd);
	wantf(memcmp(buf, expected, n), 0, "difference to \"%s\"", expected);
}

/* After tee both pipes have the same page. No write to one may change what the other reads. */
static void copies_part(void)
{
	bool room = t.slots > 1;
	int to[2];

	target(to);
	p_nonblock_w();
	t_nonblock(to[1]);
	put_letter(t.w, 'a', 1);
	teed(t.r, to[1], 1, 1);
	if (room)
		put_letter(to[1], 'x', 1);
	put_letter(t.w, 'y', 1);
	get_letters(t.r, "ay");
	get_letters(to[0], room ? "ax" : "a");
}

const struct test_case tee_cases[] = {
	CASE("tee.duplicates", "TEE-01", 'L', KINDS, 0,
		"tee: both pipes have the bytes",
		"tee(2), DESCRIPTION: duplicates, does not consume; LTP tee01", duplicates),
	CASE("tee.errors", "TEE-02", 'L', KINDS, 0,
		"tee of what is no pipe, or of the same pipe, gives EINVAL; the data stay",
		"tee(2), ERRORS: EINVAL; LTP tee02; gVisor splice.cc RegularFile, SamePipe",
		errors),
	CASE("tee.wrong_end", "TEE-02", 'I', KINDS, 0,
		"tee of the wrong end of a pipe gives EBADF; the data stay",
		"fs/splice.c; tee(2) does not name EBADF", wrong_end),
	CASE("tee.partial", "TEE-03", 'L', KINDS, 0,
		"tee of part of a slot duplicates that part",
		"tee(2), DESCRIPTION: duplicates up to len bytes", partial),
	CASE("tee.pages", "TEE-03", 'L', KINDS, 0,
		"tee duplicates a whole pipe, and gives EAGAIN when the target is full",
		"tee(2), RETURN VALUE; ERRORS: EAGAIN; gVisor splice.cc MultiPage", pages),
	CASE("tee.small_target", "TEE-03", 'L', KINDS, 0,
		"tee duplicates no more than the target has room for",
		"tee(2), RETURN VALUE: the number of bytes duplicated", small_target),
	CASE("tee.empty", "TEE-03", 'L', KINDS, 0,
		"SPLICE_F_NONBLOCK: EAGAIN from an empty pipe, 0 without writers",
		"tee(2), ERRORS: EAGAIN; RETURN VALUE: 0", empty),
	CASE("tee.epipe", "TEE-03", 'I', KINDS, 0,
		"tee to a pipe without a reader gives EPIPE and one SIGPIPE; the data stay",
		"fs/splice.c; tee(2) does not name EPIPE", epipe),
	CASE("tee.empty_blocks", "TEE-03", 'L', KINDS, 0,
		"tee from an empty pipe blocks until there are data",
		"tee(2), RETURN VALUE: 0 only without writers; gVisor splice.cc Blocking",
		empty_blocks),
	CASE("tee.full_blocks", "TEE-03", 'L', KINDS, 0,
		"tee to a full pipe blocks until there is room",
		"tee(2), ERRORS: EAGAIN only with SPLICE_F_NONBLOCK; gVisor splice.cc "
		"BlockingWrite", full_blocks),
	CASE("tee.copies_part", "TEE-04 REG-09", 'L', KINDS, 0,
		"later writes to one pipe are not seen in the other",
		"tee(2), DESCRIPTION: duplicates; CVE-2022-0847", copies_part),
};
ALL_ROWS(tee);
