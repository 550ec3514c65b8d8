/*
 * calls.c - calls with expected results, and the stream of bytes that they carry
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "engine.h"

/* --- The stream ---------------------------------------------------------------------- */

/* Two positions that differ by less than 64 Ki or by a multiple of a page are followed by
 * different bytes. So lost, doubled and misplaced bytes show. */
static char byte_at(uint32_t pos)
{
	return pos ^ pos >> 8 ^ pos >> 13;
}

const char *t_pattern(size_t n)
{
	static char *buf;
	static size_t size;

	if (n > size)
		buf = xrealloc(buf, size = n);
	for (size_t i = 0; i < n; i++)
		buf[i] = byte_at(t.stream->written + i);
	return n ? buf : "";
}

void t_pattern_wrote(long result)
{
	if (result > 0)
		t.stream->written += result;
}

/* The position moves before the write: a reader may answer and write the bytes that follow before
 * this process runs again. */
long t_try_write(int fd, size_t n)
{
	const char *buf = t_pattern(n);
	long got;

	t.stream->written += n;
	t_calling_io("write", fd, n);
	got = t_call_result(write(fd, buf, n));
	t.stream->written -= n - (got > 0 ? got : 0);
	return got;
}

void t_write(int fd, size_t n, long expected)
{
	wantf(t_try_write(fd, n), expected, "write(%d, %zu)", fd, n);
}

long t_checked_read(int fd, size_t n)
{
	char *buf = xmalloc(n ? n : 1);
	long got;

	t_calling_io("read", fd, n);
	got = t_call_result(read(fd, buf, n));
	for (long i = 0; i < got; i++)
		if (buf[i] != byte_at(t.stream->consumed + i))
			t_fail("read(%d, %zu) = %ld, but byte %ld is not the next of the stream",
				fd, n, got, i);
	if (got > 0)
		t.stream->consumed += got;
	free(buf);
	return got;
}

void t_read(int fd, size_t n, long expected)
{
	wantf(t_checked_read(fd, n), expected, "read(%d, %zu)", fd, n);
}

void t_close(int fd)
{
	wantf(ret(close(fd)), 0, "close(%d)", fd);
}

void t_poll(int fd, int events, int revents)
{
	struct pollfd p = { fd, events, 0 };

	wantf(ret(poll(&p, 1, 0)), revents != 0, "poll(%d, events %#x)", fd, events);
	want(p.revents, revents, "its revents");
}

void t_fionread(int fd, long expected)
{
	int n = -1;

	wantf(ret(ioctl(fd, FIONREAD, &n)), 0, "ioctl(%d, FIONREAD)", fd);
	want(n, expected, "the bytes it finds");
}

void t_setfl(int fd, int flag)
{
	wantf(ret(fcntl(fd, F_SETFL, ret(fcntl(fd, F_GETFL)) | flag)), 0, "fcntl(%d, F_SETFL, %#x)",
		fd, (unsigned)flag);
}

void t_nonblock(int fd)
{
	t_setfl(fd, O_NONBLOCK);
}

void t_getfl(int fd, int flag, bool expected)
{
	wantf((ret(fcntl(fd, F_GETFL)) & flag) != 0, expected, "fcntl(%d, F_GETFL) & %#x", fd,
		(unsigned)flag);
}

void t_setfd(int fd, int flags)
{
	wantf(ret(fcntl(fd, F_SETFD, flags)), 0, "fcntl(%d, F_SETFD, %d)", fd, flags);
}

void t_getfd(int fd, int expected)
{
	wantf(ret(fcntl(fd, F_GETFD)), expected, "fcntl(%d, F_GETFD)", fd);
}

/* No pipe and no socket of the cases holds 4096 pages. The limit ends a case on a kernel that
 * never refuses a write. */
static void check_total(size_t total)
{
	enum { PAGES = 4096 };

	if (total > PAGES * t.page)
		t_fail("%zu bytes were taken, and write never says EAGAIN", total);
}

/* Smaller chunks fill the room that larger ones leave. */
static size_t write_to_the_brim(int fd)
{
	size_t total = 0;
	long got = 0;

	for (size_t chunk = t.page; chunk; chunk /= 2)
		for (; (got = t_try_write(fd, chunk)) > 0; total += got)
			check_total(total);
	wantf(got, -EAGAIN, "write(%d, 1) after %zu bytes", fd, total);
	return total;
}

size_t t_fill(int fd)
{
	int flags = ret(fcntl(fd, F_GETFL));
	size_t total;

	t_nonblock(fd);
	t_callingf("write(%d, 1 to %zu), again and again", fd, t.page);
	total = t_call_result(write_to_the_brim(fd));
	wantf(ret(fcntl(fd, F_SETFL, flags)), 0, "fcntl(%d, F_SETFL, %#x)", fd, (unsigned)flags);
	return total;
}

size_t t_fill_by(int fd, size_t n)
{
	size_t total = 0;
	long got;

	t_callingf("write(%d, %zu), again and again", fd, n);
	for (; (got = t_try_write(fd, n)) > 0; total += got) {
		if (got != (long)n && n <= t.pipe_buf)
			t_fail("write(%zu) = %ld, expected all or EAGAIN", n, got);
		check_total(total);
	}
	wantf(got, -EAGAIN, "write(%d, %zu) after %zu bytes", fd, n, total);
	return t_call_result(total);
}

void t_drain(int fd, size_t n)
{
	size_t left = n;

	t_callingf("read(%d, %zu in all)", fd, n);
	while (left) {
		long got = t_checked_read(fd, left);

		if (got <= 0)
			t_fail("read(%d, %zu) = %ld %s with all that to come", fd, left, got,
				t_errname(got));
		left -= got;
	}
	(void)t_call_result(n);
}

void t_pipe(int fd[2])
{
	t_ok(pipe(fd), "pipe");
}

void t_needs(long result, const char *token)
{
	t_needs_call(token + strlen("no-"));
	if (missing(result))
		t_skip(token);
	wantf(result, -EBADF, "%s: the call with fd -1", token);
}

int t_dup(int fd)
{
	t_needs_call("dup");
	return dup(fd);
}

int t_dup2(int fd, int to)
{
	t_needs_call("dup2");
	return dup2(fd, to);
}

pid_t t_self(void)
{
	t_needs_call("getpid");
	return getpid();
}

/* raise(3) calls tkill(2) with a thread number that musl asked of gettid(2) at the last fork. */
void t_raise(int sig)
{
	t_needs_call("gettid");
	t_needs_call("tkill");
	wantf(ret(raise(sig)), 0, "raise(%d)", sig);
}

void t_send(pid_t pid, int sig)
{
	wantf(ret(kill(pid, sig)), 0, "kill(%d, %d)", (int)pid, sig);
}

void t_signal(int sig, void (*handler)(int sig))
{
	t_needs_call("sigaction");
	signal(sig, handler);
}

bool t_capable(int capability)
{
	t_needs_call("capget");
	return has_capability(capability);
}

long t_splice_now(int in, int out, size_t n)
{
	return ret(splice(in, NULL, out, NULL, n, SPLICE_F_NONBLOCK));
}

void t_needs_splice(void)
{
	t_needs(t_splice_now(-1, -1, 1), "no-splice");
}

void t_needs_tee(void)
{
	t_needs(ret(tee(-1, -1, 1, SPLICE_F_NONBLOCK)), "no-tee");
}

void t_splice(int in, int out, size_t n, long expected)
{
	wantf(t_splice_now(in, out, n), expected, "splice(%d to %d, %zu)", in, out, n);
}
