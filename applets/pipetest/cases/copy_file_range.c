/*
 * copy_file_range.c - copy_file_range
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

static void needed(void)
{
	t_needs(ret(copy_file_range(-1, NULL, -1, NULL, 1, 0)), "no-copy_file_range");
}

/* On the file system of the directory, if there is one: each has its own way to copy. */
static int data(const char *name, size_t n)
{
	int fd;

	if (!t.dir)
		return t_data(n);
	fd = t_file(name, 0);
	t_write(fd, n, n);
	t_seek(fd, 0);
	return fd;
}

/* All of n bytes: a file system may give them piece by piece. */
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
			fail("byte %zu of a hole's copy is not 0", i);
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
	drop_capabilities(); /* CAP_FSETID would keep it */
	copy_by_range(in, NULL, out, NULL, 9);
	want(t_stat(out)->st_mode & 07777, 0600, "mode of the copy");
}

const struct test_case copy_file_range_cases[] = {
	CASE("cfr.contents", "CFR-01", 'L', 0, 0,
		"the bytes come, both positions move, 0 at the end",
		"copy_file_range(2); LTP copy_file_range01", contents),
	CASE("cfr.offsets", "CFR-01", 'L', 0, 0,
		"offsets move, the positions stay",
		"copy_file_range(2)", offsets),
	CASE("cfr.holes", "CFR-01", 'L', 0, 0,
		"a hole's copy is zeros",
		"copy_file_range(2)", holes),
	CASE("cfr.errno", "CFR-02", 'L', NEEDS_DIR, 0,
		"EBADF wrong mode or O_APPEND, EINVAL pipes and flags, EISDIR",
		"copy_file_range(2); LTP copy_file_range02", errors),
	CASE("cfr.overlap", "CFR-02", 'B', 0, BROKEN(4, 5, 5, 3),
		"within one file: EINVAL if it overlaps, else fine",
		"96e6e8f4a68d, Linux 5.3", overlap),
	CASE("cfr.mtime", "CFR-03", 'L', 0, 0,
		"st_mtime of the copy is marked",
		"LTP copy_file_range03", mtime),
	CASE("cfr.suid", "CFR-03", 'L', 0, 0,
		"the set-uid bit of the copy is cleared",
		"write(2); file_modified in fs/inode.c", suid),
};
ALL_ROWS(copy_file_range);
