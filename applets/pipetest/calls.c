/*
 * calls.c - what a case says: calls with expected results, and calls that block
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/statfs.h>
#include "engine.h"

struct state t;
struct engine engine;

/* --- verdicts and diagnostics -------------------------------------------------------- */

static void add_line(uint32_t room, const char *fmt, va_list args) PRINTF(2, 0);
static void add_line(uint32_t room, const char *fmt, va_list args)
{
	struct shared *s = engine.shared;
	char line[512];
	size_t len = vscnprintf(line, sizeof(line) - 1, fmt, args);
	uint32_t at = s->text_len;

	line[len++] = '\n';
	do
		if (at + len >= room) {
			s->lines_lost++;
			return;
		}
	while (!atomic_compare_exchange_weak(&s->text_len, &at, at + len));
	memcpy(s->text + at, line, len);
}

void info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_line(engine.text_room, fmt, args);
	va_end(args);
}

void fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_line(TEXT_SIZE, fmt, args);
	va_end(args);
	engine.shared->verdict = FAIL;
	_exit(EXIT_FAILURE);
}

void skip(const char *token)
{
	scnprintf(engine.shared->reason, sizeof(engine.shared->reason), "%s", token);
	engine.shared->verdict = SKIP;
	_exit(EXIT_SUCCESS);
}

size_t t_random(size_t max)
{
	t.seed = t.seed * 1664525 + 1013904223;
	return 1 + (t.seed >> 8) % max;
}

long ret(long result)
{
	return result < 0 ? -errno : result;
}

const char *errname(long result)
{
	static const struct {
		int err;
		char name[14];
	} names[] = {
		{ EAGAIN, "EAGAIN" },
		{ EPIPE, "EPIPE" },
		{ EBADF, "EBADF" },
		{ EINVAL, "EINVAL" },
		{ EINTR, "EINTR" },
		{ EFAULT, "EFAULT" },
		{ EPERM, "EPERM" },
		{ EACCES, "EACCES" },
		{ ENOENT, "ENOENT" },
		{ EEXIST, "EEXIST" },
		{ ENXIO, "ENXIO" },
		{ EBUSY, "EBUSY" },
		{ ENOMEM, "ENOMEM" },
		{ ENODEV, "ENODEV" },
		{ ENOTDIR, "ENOTDIR" },
		{ EISDIR, "EISDIR" },
		{ EMFILE, "EMFILE" },
		{ ENFILE, "ENFILE" },
		{ ENOTTY, "ENOTTY" },
		{ ESPIPE, "ESPIPE" },
		{ ENOSPC, "ENOSPC" },
		{ EROFS, "EROFS" },
		{ EFBIG, "EFBIG" },
		{ ENOSYS, "ENOSYS" },
		{ ENAMETOOLONG, "ENAMETOOLONG" },
		{ ELOOP, "ELOOP" },
		{ EOVERFLOW, "EOVERFLOW" },
		{ EOPNOTSUPP, "EOPNOTSUPP" },
		{ EXDEV, "EXDEV" },
		{ ENOPKG, "ENOPKG" },
		{ EIO, "EIO" },
		{ ETXTBSY, "ETXTBSY" },
		{ ECHILD, "ECHILD" },
		{ ESRCH, "ESRCH" },
		{ EDEADLK, "EDEADLK" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].err == -result)
			return names[i].name;
	return "";
}

void t_show(long result, const char *what)
{
	info("%s = %ld %s", what, result, errname(result));
}

/* A full disk is no verdict. It is looked at, because no pipe may answer ENOSPC. */
static bool no_space(long got)
{
	enum { ENOUGH = 8 << 20 };
	struct statfs fs;

	if (got != -ENOSPC || statfs(".", &fs) < 0)
		return got == -EDQUOT;
	return fs.f_bavail < ENOUGH / (unsigned long)fs.f_bsize || (fs.f_files && !fs.f_ffree);
}

void want(long got, long expected, const char *what)
{
	if (got != expected && no_space(got))
		skip("no-space");
	if (got != expected)
		fail("%s = %ld %s, expected %ld %s", what, got, errname(got), expected,
			errname(expected));
	if (t.verbose)
		t_show(got, what);
}

void want_ret(long result, long expected, const char *call)
{
	want(ret(result), expected, call);
}

void want_part(long got, size_t most, const char *call)
{
	if (got < 1 || got > (long)most)
		fail("%s = %ld %s, expected 1 to %zu", call, got, errname(got), most);
}

void want_if_there(long result, long expected, const char *call)
{
	long got = ret(result);

	if (!missing(got))
		want(got, expected, call);
}

void t_ok(int result, const char *call)
{
	want_ret(result, 0, call);
}

void wantf(long got, long expected, const char *fmt, ...)
{
	char call[128];
	va_list args;

	va_start(args, fmt);
	vscnprintf(call, sizeof(call), fmt, args);
	va_end(args);
	want(got, expected, call);
}

void t_signals(int expected)
{
	want(t.caught, expected, "signals caught");
}

/* --- the stream ---------------------------------------------------------------------- */

/* Positions that differ by less than 64 Ki, or by a multiple of a page, differ in what
 * follows: bytes that are lost, doubled or out of order show. */
static char byte_at(uint32_t pos)
{
	return pos ^ pos >> 8 ^ pos >> 13;
}

const char *pattern(size_t n)
{
	static char *buf;
	static size_t size;

	if (n > size)
		buf = xrealloc(buf, size = n);
	for (size_t i = 0; i < n; i++)
		buf[i] = byte_at(t.stream->written + i);
	return n ? buf : "";
}

void pattern_wrote(long result)
{
	if (result > 0)
		t.stream->written += result;
}

/* The position moves first: a reader may answer, and write what follows, before we run again. */
long try_write(int fd, size_t n)
{
	const char *buf = pattern(n);
	long got;

	t.stream->written += n;
	got = ret(write(fd, buf, n));
	t.stream->written -= n - (got > 0 ? got : 0);
	return got;
}

void t_write(int fd, size_t n, long expected)
{
	wantf(try_write(fd, n), expected, "write(%d, %zu bytes)", fd, n);
}

long checked_read(int fd, size_t n)
{
	char *buf = xmalloc(n ? n : 1);
	long got = ret(read(fd, buf, n));

	for (long i = 0; i < got; i++)
		if (buf[i] != byte_at(t.stream->consumed + i))
			fail("read(%d, %zu) = %ld, but byte %ld is not the next of the stream", fd,
				n, got, i);
	if (got > 0)
		t.stream->consumed += got;
	free(buf);
	return got;
}

void t_read(int fd, size_t n, long expected)
{
	wantf(checked_read(fd, n), expected, "read(%d, %zu)", fd, n);
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
	wantf(ret(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | flag)), 0, "fcntl(%d, F_SETFL, %#x)",
		fd, (unsigned)flag);
}

void nonblock(int fd)
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

/* Halving chunks find the room that larger ones leave. */
size_t t_fill(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	size_t total = 0;
	long n = 0;

	nonblock(fd);
	for (size_t chunk = t.page; chunk; chunk /= 2)
		while ((n = try_write(fd, chunk)) > 0)
			total += n;
	want(n, -EAGAIN, "write to a full pipe");
	wantf(ret(fcntl(fd, F_SETFL, flags)), 0, "fcntl(%d, F_SETFL)", fd);
	return total;
}

void t_drain(int fd, size_t n)
{
	while (n) {
		long got = checked_read(fd, n);

		if (got <= 0)
			fail("read(%d) = %ld %s with %zu bytes to come", fd, got, errname(got), n);
		n -= got;
	}
}

void t_pipe(int fd[2])
{
	t_ok(pipe(fd), "pipe");
}

void t_needs(long result, const char *token)
{
	if (result == -ENOSYS || result == -EPERM)
		skip(token);
	wantf(result, -EBADF, "%s: the call with fd -1", token);
}

long splice_now(int in, int out, size_t n)
{
	return ret(splice(in, NULL, out, NULL, n, SPLICE_F_NONBLOCK));
}

void t_needs_splice(void)
{
	t_needs(splice_now(-1, -1, 1), "no-splice");
}

void t_needs_tee(void)
{
	t_needs(ret(tee(-1, -1, 1, SPLICE_F_NONBLOCK)), "no-tee");
}

void t_splice(int in, int out, size_t n, long expected)
{
	wantf(splice_now(in, out, n), expected, "splice(%d to %d, %zu)", in, out, n);
}
