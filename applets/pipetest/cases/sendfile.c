/*
 * sendfile.c - cases of sendfile
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/sendfile.h>
#include "../case.h"

/* Sends n bytes from in, at its position or at *at, to out. */
static void send_file(int out, int in, off_t *at, size_t n, long expected)
{
	t_needs(ret(sendfile(-1, -1, NULL, 1)), "no-sendfile");
	wantf(ret(sendfile(out, in, at, n)), expected, "sendfile(%d, %d, %s, %zu)", out, in,
		at ? "at" : "NULL", n);
}

static void to_pipe(void)
{
	int in = t_data(t.page);

	send_file(t.w, in, NULL, t.page, t.page);
	t_position(in, t.page);
	p_drain(t.page);
}

static void to_file(void)
{
	size_t n = t.page + 9;
	int in = t_data(n), out = t_data(0);

	send_file(out, in, NULL, n, n);
	t_position(in, n);
	t_position(out, n);
	t_seek(out, 0);
	t_drain(out, n);
}

static void to_socket(void)
{
	int s[2];

	t_socketpair(s);
	send_file(s[0], t_data(99), NULL, 99, 99);
	t_drain(s[1], 99);
}

static void offset(void)
{
	int in = t_data(30);
	off_t at = 9;

	send_file(t.w, in, &at, 20, 20);
	want(at, 29, "the offset");
	t_position(in, 0);
	t.stream->consumed = 9;
	p_drain(20);
}

static void errors(void)
{
	int in = t_data(9), out = t_data(0);
	off_t *bad = t_nowhere();
	off_t zero = 0, negative = -1;

	send_file(-1, in, NULL, 9, -EBADF);
	send_file(out, -1, NULL, 9, -EBADF);
	send_file(t.r, in, NULL, 9, -EBADF); /* the wrong end */
	send_file(out, t.w, NULL, 9, -EBADF);
	send_file(out, t.r, &zero, 9, -ESPIPE);
	send_file(out, in, bad, 9, -EFAULT);
	send_file(out, in, &negative, 9, -EINVAL);
	if (sizeof(size_t) == 8) /* a 64-bit kernel takes -1 of a 32-bit process for 4 GiB - 1 */
		send_file(out, in, NULL, -1, -EINVAL);
	t_position(in, 0);
	t_position(out, 0);
}

static void from_pipe(void)
{
	int out = t_data(0);

	p_nonblock_r();
	p_write(9);
	t_show(ret(sendfile(out, t.r, NULL, 9)), "sendfile from a pipe");
}

static long call_send(long in)
{
	return ret(sendfile(t.w, in, NULL, t.page));
}

static void full_pipe(void)
{
	size_t n = p_fill();
	int in = t_data(t.page);
	pid_t sender;

	t_needs(ret(sendfile(-1, -1, NULL, 1)), "no-sendfile");
	sender = t_blocked(call_send, in);
	p_drain(n);
	t_returns(sender, t.page);
	p_drain(t.page);
}

enum { MUCH = 70000 };	/* is more than a usual pipe holds */

/* The offset moves by what sendfile counts, and the pipe holds that much. */
static void much_nonblock(void)
{
	int in = t_data(MUCH);
	off_t at = 0;
	long got;

	t_needs(ret(sendfile(-1, -1, NULL, 1)), "no-sendfile");
	p_nonblock_w();
	while (at < MUCH) {
		off_t before = at;

		got = ret(sendfile(t.w, in, &at, MUCH - before));
		want_part(got, MUCH - before, "sendfile to an empty non-blocking pipe");
		want(at - before, got, "how far the offset has moved");
		p_drain(got);
	}
	p_holds(0);
}

static long send_much(long in)
{
	off_t at = 0;
	long got = 0;

	while (at < MUCH && (got = ret(sendfile(t.w, in, &at, MUCH - at))) > 0)
		;
	return got < 0 ? got : at;
}

static void much_blocking(void)
{
	int in = t_data(MUCH);
	pid_t sender;

	t_needs(ret(sendfile(-1, -1, NULL, 1)), "no-sendfile");
	sender = t_start(send_much, in);
	p_drain(MUCH);
	t_returns(sender, MUCH);
}

static void overflow(void)
{
	int in = t_data(9);
	off_t at = INT64_MAX - 4;
	long got;

	t_needs(ret(sendfile(-1, -1, NULL, 1)), "no-sendfile");
	got = ret(sendfile(t.w, in, &at, 100));
	want(got == -EOVERFLOW ? -EINVAL : got, -EINVAL,
		"sendfile from an offset that overflows, where EOVERFLOW will do,");
	want(at == INT64_MAX - 4, true, "the offset is the old one");
}

static void append_mode(void)
{
	int in = t_data(9), out = t_data(0);

	t_setfl(out, O_APPEND);
	send_file(out, in, NULL, 9, -EINVAL);
}

static void full_socket(void)
{
	enum {
		MAX_FRAGS = 45
	}; /* is the largest CONFIG_MAX_SKB_FRAGS: before 6.5 the last buffer takes so many */
	int s[2], in = t_data(9), tries = 0;
	off_t at;

	t_socketpair(s);
	t_fill(s[0]);
	t_nonblock(s[0]);
	do
		at = 0;
	while (sendfile(s[0], in, &at, 9) == 9 && ++tries < MAX_FRAGS);
	at = 0;
	send_file(s[0], in, &at, 9, -EAGAIN);
}

static void large_offset(void)
{
	const off_t five_gib = 5LL << 30;
	int in = t_data(0);
	off_t at = five_gib;

	t_signal(SIGXFSZ, SIG_IGN);
	if (ftruncate(in, five_gib) < 0)
		t_skip("no-large-files");
	t_seek(in, five_gib);
	t_write(in, 9, 9);
	send_file(t.w, in, &at, 99, 9);
	want(at - five_gib, 9, "the offset, less 5 GiB");
	p_drain(9);
}

/* The kernel cuts the count to MAX_RW_COUNT of include/linux/fs.h. */
static void clamped(void)
{
	int in = open("/dev/zero", O_RDONLY), out = open("/dev/null", O_WRONLY);

	if (in < 0 || out < 0 || sendfile(out, in, NULL, 1) != 1)
		t_skip("no-dev-zero");
	send_file(out, in, NULL, INT_MAX, INT_MAX & ~(t.page - 1));
}

static void same_file(void)
{
	int fd = t_data(99);
	off_t at = 0;

	t_seek(fd, 99);
	send_file(fd, fd, &at, 99, 99);
	t_seek(fd, 0);
	t_drain(fd, 99);
	t.stream->consumed = 0;
	t_drain(fd, 99);
	t_read(fd, 1, 0);
}

static void short_file(void)
{
	int in = t_data(9);

	send_file(t.w, in, NULL, 0, 0);
	send_file(t.w, in, NULL, 99, 9);
	p_read(99, 9); /* a pipe of one page would be full, and block at the end of the file, too */
	send_file(t.w, in, NULL, 99, 0);
}

const struct test_case sendfile_cases[] = {
	CASE("snd.to_pipe", "SND-01 S20", 'L', KINDS | FILES, 0,
		"file to pipe: the bytes come, the file's position moves",
		"sendfile(2), DESCRIPTION: offset NULL: the file offset is updated", to_pipe),
	CASE("snd.to_file", "SND-01 S20", 'L', FILES, 0,
		"file to file: both positions move",
		"sendfile(2), DESCRIPTION: since Linux 2.6.33 any file; LTP sendfile02", to_file),
	CASE("snd.to_socket", "SND-01 S20", 'L', 0, 0,
		"file to socket: the bytes come",
		"sendfile(2), DESCRIPTION; LTP sendfile02", to_socket),
	CASE("snd.offset", "SND-01 S20", 'L', KINDS | FILES, 0,
		"with an offset, that offset moves, and the file's position stays",
		"sendfile(2), DESCRIPTION: offset not NULL; LTP sendfile06", offset),
	CASE("snd.errno", "SND-02 S20", 'L', 0, 0,
		"wrong mode: EBADF; a pipe's offset: ESPIPE; bad address: EFAULT; negative offset: "
		"EINVAL",
		"sendfile(2), ERRORS; LTP sendfile03-05; gVisor sendfile.cc InvalidOffset", errors),
	CASE("snd.from_pipe", "SND-03 S20", 'I', 0, 0,
		"a pipe as input: whether this kernel takes it",
		"sendfile(2), DESCRIPTION: in_fd must support mmap-like operations", from_pipe),
	CASE("snd.full_pipe", "SND-03 S20", 'L', KINDS, 0,
		"sendfile to a full pipe blocks until the pipe is drained",
		"sendfile(2), ERRORS: EAGAIN only with O_NONBLOCK; gVisor sendfile.cc "
		"SendPipeBlocks", full_pipe),
	CASE("snd.much_nonblock", "SND-09", 'L', KINDS | FILES, 0,
		"70,000 bytes to a non-blocking pipe: the offset moves by what is counted, none is "
		"lost",
		"sendfile(2), RETURN VALUE: the number of bytes written; DESCRIPTION: offset",
		much_nonblock),
	CASE("snd.much_blocking", "SND-09", 'L', KINDS | FILES, 0,
		"70,000 bytes to a blocking pipe: a loop of sendfile loses none",
		"sendfile(2), RETURN VALUE: may write fewer bytes; the caller should be prepared "
		"to retry", much_blocking),
	CASE("snd.overflow", "SND-10", 'L', 0, 0,
		"sendfile with an offset and a count that overflow gives EINVAL or EOVERFLOW",
		"sendfile(2), ERRORS: EOVERFLOW: count is too large; gVisor sendfile.cc Overflow: "
		"EINVAL", overflow),
	CASE("snd.append", "SND-04 S20", 'L', 0, 0,
		"sendfile to a file with O_APPEND gives EINVAL",
		"sendfile(2), ERRORS: EINVAL: out_fd has the O_APPEND flag set", append_mode),
	CASE("snd.full_socket", "SND-05 S20", 'L', 0, 0,
		"sendfile to a full non-blocking socket gives EAGAIN",
		"sendfile(2), ERRORS: EAGAIN; LTP sendfile07", full_socket),
	CASE("snd.large_offset", "SND-06 S20", 'L', 0, 0,
		"sendfile from an offset of 5 GiB gives the bytes there",
		"sendfile(2), DESCRIPTION: offset; LTP sendfile09", large_offset),
	CASE("snd.clamped", "SND-06 S20", 'L', EXOTIC, 0,
		"2 GiB at once are cut to INT_MAX, rounded down to a page",
		"sendfile(2), NOTES: at most 0x7ffff000 bytes", clamped),
	CASE("snd.same_file", "SND-07 S20", 'L', 0, 0,
		"sendfile from a file to itself copies the bytes",
		"sendfile(2), DESCRIPTION: copies data; since Linux 2.6.33 any file; gVisor "
		"sendfile.cc SendFileToSelf", same_file),
	CASE("snd.short_file", "SND-08 S20", 'L', KINDS | FILES, 0,
		"sendfile gives what there is, 0 at the end, 0 for 0 bytes",
		"sendfile(2), RETURN VALUE; gVisor sendfile.cc SendZeroBytes", short_file),
};
ALL_ROWS(sendfile);
