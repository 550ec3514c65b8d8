/*
 * vectored.c - cases of readv and writev, which block, end and fail as read and write do
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/uio.h>
#include "../case.h"

/* Writes n bytes of the stream in three vectors. Returns the result, or -errno. */
static long write_vectors(size_t n)
{
	char *buf = memcpy(xmalloc(n), t_pattern(n), n);
	const struct iovec v[] = { { buf, 1 }, { buf + 1, 2 }, { buf + 3, n - 3 } };
	long got;

	t.stream->written += n;
	got = ret(writev(t.w, v, ARRAY_SIZE(v)));
	t.stream->written -= n - (got > 0 ? got : 0);
	return got;
}

/* Reads into vectors of 5 and n bytes. A later read shows whether the count is true. */
static long read_vectors(size_t n)
{
	char *head = xmalloc(5), *tail = xmalloc(n);
	const struct iovec v[] = { { head, 5 }, { tail, n } };
	long got = ret(readv(t.r, v, ARRAY_SIZE(v)));

	if (got > 0)
		t.stream->consumed += got;
	return got;
}

static long call_writev(long n)
{
	close(t.r);
	return write_vectors(n);
}

static long call_readv(long n)
{
	close(t.w);
	return read_vectors(n);
}

static void all_or_nothing(void)
{
	size_t unread = p_leave_room(100);
	long got;

	p_nonblock_w();
	got = write_vectors(t.pipe_buf);
	if (got != -EAGAIN)
		want(got, t.pipe_buf, "writev of PIPE_BUF bytes in all");
	p_holds(unread + (got > 0 ? got : 0));
}

static void full_eagain(void)
{
	size_t all = p_fill();

	p_nonblock_w();
	want(write_vectors(100), -EAGAIN, "writev to a full pipe");
	p_holds(all);
}

static void empty_eagain(void)
{
	p_nonblock_r();
	want(read_vectors(100), -EAGAIN, "readv of an empty pipe");
}

static void short_read(void)
{
	p_write(8);
	want(read_vectors(100), 8, "readv of 5 + 100 bytes where 8 are there");
	p_holds(0);
}

static void end_of_file(void)
{
	p_write(3);
	p_close_w();
	want(read_vectors(100), 3, "readv of what is left");
	want(read_vectors(100), 0, "readv at the end of file");
}

static void read_blocks(void)
{
	pid_t job = t_blocked(call_readv, 100);

	p_write(7);
	t_returns(job, 7);
}

static void write_blocks(void)
{
	size_t all = p_fill();
	pid_t job = t_blocked(call_writev, t.pipe_buf);

	p_drain(all);
	t_returns(job, t.pipe_buf);
	p_holds(t.pipe_buf);
}

static void write_eintr(void)
{
	size_t all = p_fill();

	t_catch(SIGUSR1, 0);
	t_eintr(t_start(call_writev, 100));
	p_holds(all);
}

static void read_eintr(void)
{
	t_catch(SIGUSR1, 0);
	t_eintr(t_start(call_readv, 5));
}

static void bad_address(void)
{
	const struct iovec *v = t_nowhere();

	p_write(1);
	want_ret(writev(t.w, v, 1), -EFAULT, "writev of vectors at a bad address");
	want_ret(readv(t.r, v, 1), -EFAULT, "readv of vectors at a bad address");
	p_read(2, 1);
}

static void one_sigpipe(void)
{
	t_catch(SIGPIPE, 0);
	p_close_r();
	want(write_vectors(100), -EPIPE, "writev without a reader");
	t_signals(1);
}

const struct test_case vectored_cases[] = {
	CASE("vec.all_or_nothing", "VEC-01", 'P', KINDS, 0,
		"writev of PIPE_BUF bytes in all takes all, or gives EAGAIN",
		"POSIX writev, DESCRIPTION: equivalent to write; write: {PIPE_BUF} or fewer bytes",
		all_or_nothing),
	CASE("vec.full_eagain", "VEC-01", 'P', KINDS, 0,
		"writev to a full pipe gives EAGAIN",
		"POSIX writev, DESCRIPTION: equivalent to write; write, ERRORS: EAGAIN",
		full_eagain),
	CASE("vec.empty_eagain", "VEC-02", 'P', KINDS, 0,
		"readv of an empty pipe with a writer gives EAGAIN",
		"POSIX readv, DESCRIPTION: equivalent to read; read: -1 with EAGAIN", empty_eagain),
	CASE("vec.short_read", "VEC-02", 'P', KINDS, 0,
		"readv returns what is there, over several vectors",
		"POSIX readv, DESCRIPTION: shall always fill an area completely before the next",
		short_read),
	CASE("vec.end_of_file", "VEC-03", 'P', KINDS, 0,
		"readv gives what is left, then 0",
		"POSIX readv, DESCRIPTION: equivalent to read", end_of_file),
	CASE("vec.read_blocks", "VEC-04", 'P', KINDS, 0,
		"readv of an empty pipe blocks until some data come",
		"POSIX readv, DESCRIPTION: equivalent to read", read_blocks),
	CASE("vec.write_blocks", "VEC-04", 'P', KINDS, 0,
		"writev to a full pipe blocks until all of PIPE_BUF bytes are in",
		"POSIX writev, DESCRIPTION: equivalent to write", write_blocks),
	CASE("vec.write_eintr", "VEC-05", 'P', KINDS, 0,
		"a signal ends a blocked writev that has written nothing with EINTR",
		"POSIX writev, DESCRIPTION: equivalent to write, ERRORS: EINTR", write_eintr),
	CASE("vec.read_eintr", "VEC-05", 'P', KINDS, 0,
		"a signal ends a blocked readv with EINTR",
		"POSIX readv, DESCRIPTION: equivalent to read, ERRORS: EINTR", read_eintr),
	CASE("vec.one_sigpipe", "VEC-06", 'P', KINDS, 0,
		"writev without a reader gives EPIPE and one SIGPIPE",
		"POSIX writev, DESCRIPTION: equivalent to write, ERRORS: EPIPE", one_sigpipe),
	CASE("vec.bad_address", "VEC-07", 'L', KINDS, 0,
		"vectors at a bad address give EFAULT, and the data stay",
		"readv(2), ERRORS: those of read(2) and write(2): EFAULT; LTP readv02",
		bad_address),
};
ALL_ROWS(vectored);
