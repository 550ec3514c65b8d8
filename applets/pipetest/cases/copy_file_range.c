/*
 * copy_file_range.c - cases of copy_file_range
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/resource.h>
#include "../case.h"

static void needed(void)
{
	t_needs(ret(copy_file_range(-1, NULL, -1, NULL, 1, 0)), "no-copy_file_range");
}

/* Makes a memfd, or a file with this name: each file system copies in a way of its own. */
static int data(const char *name, size_t n)
{
	int fd;

	if (!t_in_dir())
		return t_data(n);
	fd = t_file(name, 0);
	t_write(fd, n, n);
	t_seek(fd, 0);
	return fd;
}

/* Copies all of n bytes. A file system may copy fewer at a time. */
static void copy_by_range(int in, off_t *from, int out, off_t *to, size_t n)
{
	while (n) {
		long got = ret(copy_file_range(in, from, out, to, n, 0));

		want_part(got, n, "copy_file_range");
		n -= got;
	}
}

static void contents(void)
{
	size_t n = t.page + 9;
	int in = data("in", n), out = data("out", 0);

	needed();
	copy_by_range(in, NULL, out, NULL, n);
	want_ret(copy_file_range(in, NULL, out, NULL, 1, 0), 0, "copy_file_range at the end");
	t_position(in, n);
	t_position(out, n);
	t_seek(out, 0);
	t_drain(out, n);
	t_size(out, n);
}

static void offsets(void)
{
	size_t n = t.page;
	int in = data("in", 2 * n), out = data("out", 0);
	off_t from = 9, to = n - 7;

	needed();
	copy_by_range(in, &from, out, &to, n);
	want(from, 9 + n, "source's offset");
	want(to, 2 * n - 7, "copy's offset");
	t_position(in, 0);
	t_position(out, 0);
	t_seek(out, n - 7);
	t.stream->consumed = 9;
	t_drain(out, n);
	t_size(out, to);
}

static void holes(void)
{
	size_t size = 4 * t.page;
	int in = data("in", 9), out = data("out", 0);
	char *p;

	needed();
	t_truncate(in, size, 0);
	copy_by_range(in, NULL, out, NULL, size);
	t_size(out, size);
	t_seek(out, 0);
	t_drain(out, 9);
	p = t_view(out, size);
	for (size_t i = 9; i < size; i++)
		if (p[i])
			t_fail("byte %zu of a hole's copy is not 0", i);
}

static void refused(int in, int out, unsigned flags, long expected)
{
	wantf(ret(copy_file_range(in, NULL, out, NULL, 1, flags)), expected,
		"copy_file_range(%d to %d, flags %u)", in, out, flags);
}

static void errors(void)
{
	int in = t_file("in", t.page), out = t_file("out", t.page);
	int writer = t_open("in", O_WRONLY), reader = t_open("out", O_RDONLY);
	int append = t_open("out", O_WRONLY | O_APPEND), dir = t_open(".", O_RDONLY | O_DIRECTORY);

	needed();
	refused(-1, out, 0, -EBADF);
	refused(in, -1, 0, -EBADF);
	refused(writer, out, 0, -EBADF);
	refused(in, reader, 0, -EBADF);
	refused(in, append, 0, -EBADF);
	refused(t.r, out, 0, -EINVAL);
	refused(in, t.w, 0, -EINVAL);
	refused(dir, out, 0, -EISDIR);
	refused(in, dir, 0, -EISDIR);
	refused(in, out, 1, -EINVAL);
}

static void behind_end(void)
{
	int in = data("in", 9), out = data("out", 3);
	off_t from = 9, to = 0;

	needed();
	want_ret(copy_file_range(in, &from, out, &to, 5, 0), 0, "copy_file_range at the end");
	from = 100;
	want_ret(copy_file_range(in, &from, out, &to, 5, 0), 0, "copy_file_range behind the end");
	t_size(out, 3);
}

static void device(void)
{
	int zero = open("/dev/zero", O_RDWR);

	needed();
	if (zero < 0)
		t_skip("no-dev-zero");
	refused(zero, t_data(0), 0, -EINVAL);
	refused(t_data(9), zero, 0, -EINVAL);
}

static void size_limit(void)
{
	int in = data("in", 9), out = data("out", 0);
	off_t from = 0, to = 100;

	needed();
	t_signal(SIGXFSZ, SIG_IGN);
	t_limit(RLIMIT_FSIZE, 100);
	want_ret(copy_file_range(in, &from, out, &to, 9, 0), -EFBIG,
		"copy_file_range to behind RLIMIT_FSIZE");
	t_size(out, 0);
}

static void overlap(void)
{
	int fd = data("file", 2 * t.page);
	off_t from = 0, to = t.page - 1;

	needed();
	want_ret(copy_file_range(fd, &from, fd, &to, t.page, 0), -EINVAL, "overlapping ranges");
	copy_by_range(fd, &from, fd, &to, t.page - 1);
	want(from, t.page - 1, "offset after a copy that does not overlap");
}

static void mtime(void)
{
	int in = data("in", 9), out = data("out", 9);

	needed();
	t_epoch(out);
	copy_by_range(in, NULL, out, NULL, 9);
	want(t_stat(out)->st_mtime > 0, true, "st_mtime is marked");
}

static void suid(void)
{
	int in = data("in", 9), out = data("out", 9);

	needed();
	t_ok(fchmod(out, 04600), "fchmod");
	t_drop_capabilities(); /* CAP_FSETID would keep the bit */
	copy_by_range(in, NULL, out, NULL, 9);
	want(t_stat(out)->st_mode & 07777, 0600, "mode of the copy");
}

const struct test_case copy_file_range_cases[] = {
	CASE("cfr.contents", "CFR-01", 'L', FILES, 0,
		"the bytes are copied, both positions move, and at the end the result is 0",
		"copy_file_range(2), DESCRIPTION; LTP copy_file_range01", contents),
	CASE("cfr.offsets", "CFR-01", 'L', FILES, 0,
		"with offsets the offsets move, and the positions stay",
		"copy_file_range(2), DESCRIPTION: off_in is adjusted, the file offset is not "
		"changed", offsets),
	CASE("cfr.holes", "CFR-01", 'L', FILES, 0,
		"the copy of a hole is zeros",
		"copy_file_range(2), DESCRIPTION: copies bytes; NOTES: sparse files", holes),
	CASE("cfr.errno", "CFR-02", 'L', NEEDS_DIR, 0,
		"copy_file_range: wrong mode, O_APPEND: EBADF; pipes, flags: EINVAL; directories: "
		"EISDIR",
		"copy_file_range(2), ERRORS; LTP copy_file_range02", errors),
	CASE("cfr.behind_end", "CFR-04", 'L', FILES, 0,
		"a source at its end, or behind it, gives 0, and the copy stays as it was",
		"copy_file_range(2), RETURN VALUE: at or past the end of file 0; xfstests "
		"generic/430", behind_end),
	CASE("cfr.device", "CFR-05", 'L', 0, 0,
		"copy_file_range from or to a device gives EINVAL",
		"copy_file_range(2), ERRORS: EINVAL: not a regular file; LTP copy_file_range02",
		device),
	CASE("cfr.size_limit", "CFR-06", 'L', FILES, 0,
		"a copy behind RLIMIT_FSIZE gives EFBIG, and nothing is written",
		"copy_file_range(2), ERRORS: EFBIG; LTP copy_file_range02", size_limit),
	CASE("cfr.overlap", "CFR-02", 'B', FILES, BROKEN(4, 5, 5, 3),
		"copy_file_range within one file gives EINVAL if the ranges overlap, and else "
		"copies",
		"96e6e8f4a68d (5.3) fixed it; it was so since 4.5", overlap),
	CASE("cfr.mtime", "CFR-03", 'I', FILES, 0,
		"st_mtime of the copy is marked",
		"LTP copy_file_range03; copy_file_range(2) does not say it", mtime),
	CASE("cfr.suid", "CFR-03", 'I', FILES, 0,
		"the set-uid bit of the copy is cleared",
		"write(2), NOTES says it of write; fs/inode.c file_modified", suid),
};
ALL_ROWS(copy_file_range);
