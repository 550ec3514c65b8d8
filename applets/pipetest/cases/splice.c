/*
 * splice.c - cases of splice: files and pipes
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/resource.h>
#include "../case.h"

enum {
	NOWAIT = SPLICE_F_NONBLOCK,
	UNKNOWN_FLAG = 0x80,
};

static int empty_file(void)
{
	t_needs_splice();
	return t_data(0);
}

static int data_file(size_t n)
{
	t_needs_splice();
	return t_data(n);
}

/* --- files ----------------- */

/* Moves the whole file. A small pipe needs more calls. */
static void file_to_file(void)
{
	size_t n = 3 * t.page + 7;
	int from = data_file(n), to = t_data(0);

	for (size_t done = 0; done < n;) {
		long in = t_splice_now(from, t.w, n), out;

		want_part(in, n, "splice from a file");
		done += in;
		for (; in; in -= out) {
			out = t_splice_now(t.r, to, in);
			want_part(out, in, "splice to a file");
		}
	}
	t_seek(to, 0);
	t_drain(to, n);
	t_read(to, 1, 0);
}

static void offset_in(void)
{
	int file = data_file(200);
	off_t off = 100;

	want_ret(splice(file, &off, t.w, NULL, 50, NOWAIT), 50, "splice from offset 100");
	want(off, 150, "the offset");
	t_position(file, 0);
	t.stream->consumed += 100;
	p_read(100, 50);
}

static void offset_out(void)
{
	int file = empty_file();
	off_t off = 10;

	p_write(50);
	want_ret(splice(t.r, NULL, file, &off, 50, NOWAIT), 50, "splice of 50 bytes to offset 10");
	want(off, 60, "the offset");
	t_position(file, 0);
	t_size(file, 60);
	t_seek(file, 10);
	t_read(file, 100, 50);
}

static void append_einval(void)
{
	int file = empty_file();

	t_setfl(file, O_APPEND);
	p_write(10);
	t_splice(t.r, file, 10, -EINVAL);
	p_read(10, 10);
}

static void file_eof(void)
{
	int file = data_file(10);

	t_splice(file, t.w, t.page, 10);
	p_read(20, 10);
	t_splice(file, t.w, t.page, 0);
}

static void efbig_keeps(void)
{
	int file = empty_file();
	off_t off = 100;

	t_signal(SIGXFSZ, SIG_IGN);
	t_limit(RLIMIT_FSIZE, 100);
	p_write(50);
	want_ret(splice(t.r, NULL, file, &off, 50, NOWAIT), -EFBIG, "splice past RLIMIT_FSIZE");
	want(off, 100, "the offset");
	p_read(100, 50);
}

static void zero_copy(void)
{
	int file = data_file(t.page);
	char byte = 0;

	t_splice(file, t.w, t.page, t.page);
	t_put(file, '!', 0, 1);
	want_ret(read(t.r, &byte, 1), 1, "read");
	t_info("zero-copy: %s (a later write to the file is %sseen in the pipe)",
		byte == '!' ? "yes" : "no", byte == '!' ? "" : "not ");
}

static void truncated(void)
{
	int file = data_file(t.page);

	t_splice(file, t.w, t.page, t.page);
	t_truncate(file, 0, 0);
	p_unread(t.page);
	t_info("read after the file was truncated: %ld", ret(read(t.r, xmalloc(t.page), t.page)));
}

/* --- errors ----------------- */

static void refused(int in, off_t *in_at, int out, off_t *out_at, long expected)
{
	wantf(ret(splice(in, in_at, out, out_at, 10, NOWAIT)), expected,
		"splice(%d from %lld to %d at %lld)", in, in_at ? (long long)*in_at : 0, out,
		out_at ? (long long)*out_at : 0);
}

static void errors(void)
{
	int file = data_file(10), other = t_data(10);
	off_t zero = 0;

	if (t.slots > 1) /* before 6.8 a full pipe gives EAGAIN, even where the offset is wrong */
		p_write(10);
	refused(file, NULL, other, NULL, -EINVAL); /* neither is a pipe */
	refused(t.r, NULL, t.w, NULL, -EINVAL); /* to itself */
	refused(t.r, &zero, file, NULL, -ESPIPE);
	refused(file, NULL, t.w, &zero, -ESPIPE);
	refused(t.w, NULL, file, NULL, -EBADF); /* the wrong end */
	refused(file, NULL, t.r, NULL, -EBADF);
	refused(-1, NULL, t.w, NULL, -EBADF);
	refused(t.r, NULL, -1, NULL, -EBADF);
	p_unread(t.slots > 1 ? 10 : 0);
}

static void negative_offset(void)
{
	int file = data_file(10);
	off_t negative = -1;

	p_write(10);
	refused(t.r, NULL, file, &negative, -EINVAL);
	p_read(10, 10);
	refused(file, &negative, t.w, NULL, -EINVAL);
}

static void offset_overflow(void)
{
	int file = empty_file();
	const off_t last = INT64_MAX - 4;
	off_t at = last;

	t_signal(SIGXFSZ, SIG_IGN);
	p_write(10);
	want(ret(splice(t.r, NULL, file, &at, 10, NOWAIT)) < 0, true,
		"splice to an offset that overflows fails");
	want(at == last, true, "the offset is the old one");
	t_size(file, 0);
	p_read(20, 10);
}

/* The file reaches its limit in the middle. Splice counts what fits, and the rest stays. */
static void part_at_limit(void)
{
	int file = empty_file();
	long got;

	t_signal(SIGXFSZ, SIG_IGN);
	t_limit(RLIMIT_FSIZE, 60);
	p_write(100);
	got = t_splice_now(t.r, file, 100);
	want_part(got, 60, "splice of 100 bytes where the file may have 60");
	t_size(file, got);
	t_seek(file, 0);
	t_drain(file, got);
	p_holds(100 - got);
}

static void unknown_flags(void)
{
	int file = data_file(10);

	want_ret(splice(file, NULL, t.w, NULL, 10, UNKNOWN_FLAG), -EINVAL, "splice, flags 0x80");
}

static void lengths(void)
{
	int file = data_file(10);

	t_splice(file, t.w, 0, 0);
	t_info("splice of SIZE_MAX bytes = %ld", t_splice_now(file, t.w, SIZE_MAX));
	t_info("splice of 0x7ffff000 bytes = %ld", t_splice_now(t_data(10), t.w, 0x7ffff000));
}

static void epipe(void)
{
	int file = data_file(10);

	t_catch(SIGPIPE, 0);
	p_close_r();
	t_splice(file, t.w, 10, -EPIPE);
	t_signals(1);
}

/* --- pipes ----------------- */

static void pipe_to_pipe(void)
{
	int to[2];

	t_needs_splice();
	t_pipe(to);
	p_write(100);
	t_splice(t.r, to[1], 30, 30);
	p_unread(70);
	t_read(to[0], 100, 30);
	t_splice(t.r, to[1], 100, 70);
	p_unread(0);
	t_read(to[0], 100, 70);
	t_splice(t.r, to[1], 1, -EAGAIN);
}

static void small_target(void)
{
	int to[2];
	size_t n = p_fill();

	t_needs_splice();
	t_pipe(to);
	t_page_pipe(to[1]);
	t_splice(t.r, to[1], n, t.page);
	t_splice(t.r, to[1], n, -EAGAIN);
	p_unread(n - t.page);
	t_drain(to[0], t.page);
	p_drain(n - t.page);
}

static void circular(void)
{
	int to[2];

	t_needs_splice();
	t_pipe(to);
	p_write(100);
	for (int i = 0; i < 100; i++) {
		t_splice(t.r, to[1], 100, 100);
		t_splice(to[0], t.w, 100, 100);
	}
	p_read(200, 100);
}

static long splice_from(long to)
{
	close(t.w);
	return ret(splice(t.r, NULL, to, NULL, t.page, 0));
}

static void empty_blocks(void)
{
	int file = empty_file();
	pid_t job = t_blocked(splice_from, file);

	p_write(5);
	t_returns(job, 5);
	job = t_blocked(splice_from, file);
	p_close_w();
	t_returns(job, 0);
}

static void empty_eagain(void)
{
	int file = empty_file();

	t_splice(t.r, file, 1, -EAGAIN);
	p_close_w();
	t_splice(t.r, file, 1, 0);
}

/* The last slot has room for 128 bytes more, but splice needs a slot of its own. */
static void no_slot_eagain(void)
{
	int file;

	t_needs_splice();
	p_write(t.cap - 128);
	file = t_data(10);
	t_splice(file, t.w, 10, -EAGAIN);
	t_splice(file, t.w, 10, -EAGAIN);
	p_drain(t.cap - 128);
}

static void slot_each(void)
{
	int file = data_file(1000);
	size_t n = 0;
	long got;

	while ((got = t_splice_now(file, t.w, 1)) == 1)
		n++;
	wantf(got, -EAGAIN, "splice of a byte after %zu", n);
	want(n, t.slots, "splices of a byte that fit");
}

const struct test_case splice_cases[] = {
	CASE("spl.file_to_file", "SPL-01", 'L', KINDS | FILES, 0,
		"file to pipe to file keeps the bytes",
		"splice(2), DESCRIPTION: moves data; LTP splice01, 02", file_to_file),
	CASE("spl.offset_in", "SPL-02", 'L', KINDS | FILES, 0,
		"a source offset moves, the file's position does not",
		"splice(2), DESCRIPTION: off_in is adjusted, the file offset is not changed",
		offset_in),
	CASE("spl.offset_out", "SPL-02", 'L', KINDS | FILES, 0,
		"a target offset moves, the file's position does not",
		"splice(2), DESCRIPTION: analogous statements for off_out", offset_out),
	CASE("spl.pipe_to_pipe", "SPL-03", 'L', KINDS, 0,
		"pipe to pipe moves the bytes, also part of a slot",
		"splice(2), DESCRIPTION; LTP splice04; gVisor splice.cc TwoPipes", pipe_to_pipe),
	CASE("spl.small_target", "SPL-03", 'L', KINDS, 0,
		"what the target has no room for stays",
		"splice(2), RETURN VALUE: the number of bytes spliced; ERRORS: EAGAIN",
		small_target),
	CASE("spl.errors", "SPL-04", 'L', KINDS, 0,
		"no pipe, the same pipe: EINVAL; a pipe's offset: ESPIPE; wrong end: EBADF; the "
		"data stay",
		"splice(2), ERRORS; LTP splice03, 07", errors),
	CASE("spl.negative_offset", "SPL-04", 'I', KINDS, 0,
		"splice at a negative offset gives EINVAL",
		"gVisor splice.cc NegativeOffset", negative_offset),
	CASE("spl.offset_overflow", "SPL-21", 'L', KINDS, 0,
		"a target offset that overflows: an error, the data and the offset stay",
		"splice(2), RETURN VALUE: on error -1; gVisor splice.cc WriteOverflow",
		offset_overflow),
	CASE("spl.part_at_limit", "SPL-22", 'L', KINDS | FILES, 0,
		"RLIMIT_FSIZE in the middle: the part is counted, the rest stays in the pipe",
		"splice(2), RETURN VALUE: the number of bytes spliced; setrlimit(2), RLIMIT_FSIZE",
		part_at_limit),
	CASE("spl.unknown_flags", "SPL-04", 'B', 0, BROKEN(2, 6, 4, 10),
		"splice with unknown flags gives EINVAL",
		"3d6ea290f337 (4.10) fixed it; it was so since 2.6.17", unknown_flags),
	CASE("spl.lengths", "SPL-05", 'I', 0, 0,
		"splice of 0 bytes, of SIZE_MAX (EINVAL since 6.8) and of 0x7ffff000",
		"fs/splice.c", lengths),
	CASE("spl.append_einval", "SPL-06", 'L', KINDS | FILES, 0,
		"splice to a file with O_APPEND gives EINVAL; the data stay",
		"splice(2), ERRORS: EINVAL: opened in append mode", append_einval),
	CASE("spl.empty_blocks", "SPL-07", 'L', KINDS, 0,
		"splice from an empty pipe blocks until data come or the last writer closes",
		"splice(2), RETURN VALUE: 0 if there are no data and no writers", empty_blocks),
	CASE("spl.empty_eagain", "SPL-07", 'L', KINDS, 0,
		"SPLICE_F_NONBLOCK: EAGAIN from an empty pipe, 0 without writers",
		"splice(2), ERRORS: EAGAIN; RETURN VALUE: 0", empty_eagain),
	CASE("spl.file_eof", "SPL-08", 'L', KINDS | FILES, 0,
		"splice at the end of the file gives 0",
		"splice(2), RETURN VALUE: 0 means end of input", file_eof),
	CASE("spl.efbig_keeps", "SPL-09", 'L', KINDS | FILES, 0,
		"splice past RLIMIT_FSIZE gives EFBIG; the data stay",
		"setrlimit(2), RLIMIT_FSIZE: EFBIG; gVisor splice.cc FromPipeMaxFileSize",
		efbig_keeps),
	CASE("spl.no_slot_eagain", "SPL-14", 'I', KINDS, 0,
		"splice to a pipe without a free slot gives EAGAIN, at once",
		"fs/splice.c", no_slot_eagain),
	CASE("spl.zero_copy", "SPL-16 REG-16", 'I', 0, 0,
		"whether what is spliced is a copy",
		"fs/splice.c; CVE-2026-31431 exploits pages that splice shares", zero_copy),
	CASE("spl.truncated", "SPL-17", 'I', 0, 0,
		"what is spliced outlives the file's truncation",
		"fs/splice.c", truncated),
	CASE("spl.slot_each", "SPL-18", 'I', KINDS, 0,
		"each splice of a byte takes a slot",
		"fs/splice.c", slot_each),
	CASE("spl.circular", "SPL-19", 'L', KINDS, 0,
		"splices round and round between two pipes give the same bytes",
		"splice(2), DESCRIPTION: moves data; gVisor splice.cc TwoPipesCircular", circular),
	CASE("spl.epipe", "SPL-20", 'I', KINDS, 0,
		"splice to a pipe without a reader gives EPIPE and one SIGPIPE",
		"fs/splice.c; splice(2) does not name EPIPE", epipe),
};
ALL_ROWS(splice);
