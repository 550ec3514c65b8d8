/*
 * mmap.c - cases of mmap: its arguments
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

/* Makes a file of two pages and opens it with these flags. */
static int reopened(int flags)
{
	int fd;

	close(t_file("f", 2 * t.page));
	fd = open("f", flags);
	wantf(fd < 0 ? -errno : 0, 0, "open of the file, flags %#x", flags);
	return fd;
}

/* --- the arguments ----------------------------------------------------------------------- */

static void aligned(void)
{
	size_t lens[] = { 1, t.page - 1, t.page, t.page + 1, 3 * t.page };

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		char *file = t_share(t_object(lens[i]), lens[i]);
		char *anon = t_anon(lens[i]);

		wantf(file && anon, 1, "%p and %p, not 0", file, anon);
		want(((uintptr_t)file | (uintptr_t)anon) % t.page, 0, "their offset in a page");
		wantf(file[lens[i] - 1] | anon[lens[i] - 1], 0, "the last byte of %zu", lens[i]);
	}
}

static void bad_fd(void)
{
	int fd = t_object(t.page), closed = fd;

	t_close(fd);
	t_no_map(PROT_READ, MAP_PRIVATE, -1, -EBADF);
	t_no_map(PROT_READ, MAP_SHARED, closed, -EBADF);
}

static void path_fd(void)
{
	int fd = open("/", O_PATH);

	if (fd < 0)
		t_skip("no-O_PATH");
	t_no_map(PROT_READ, MAP_PRIVATE, fd, -EBADF);
}

static void no_length(void)
{
	void *p = mmap(NULL, 0, RW, ANON, -1, 0);

	want_ret(p == MAP_FAILED ? -1 : 0, -EINVAL, "mmap of 0 bytes");
	want((long)p, -1, "MAP_FAILED");
	want(t_try_map(0, PROT_READ, MAP_SHARED, t_object(t.page), 0), -EINVAL, "mmap");
}

static void no_sharing(void)
{
	t_no_map(RW, MAP_ANONYMOUS, -1, -EINVAL);
	t_no_map(RW, 0, t_object(t.page), -EINVAL);
}

static void both_sharings(void)
{
	int fd = t_object(t.page);
	char *p = mmap(NULL, t.page, RW, MAP_SHARED | MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED && errno == EINVAL)
		t_skip("no-MAP_SHARED_VALIDATE");
	t_ok(p == MAP_FAILED ? -1 : 0, "mmap with MAP_SHARED and MAP_PRIVATE");
	p[0] = 's';
	t_get(fd, 0, 's');
}

static void unaligned(void)
{
	size_t offs[] = { 1, 512, t.page / 2, t.page - 1, t.page + 1 };
	int fd = t_object(3 * t.page);
	char *p = t_anon(2 * t.page), *at;

	for (size_t i = 0; i < ARRAY_SIZE(offs); i++) {
		want(t_try_map(1, PROT_READ, MAP_SHARED, fd, offs[i]), -EINVAL, "mmap");
		at = mmap(p + offs[i] % t.page, 1, RW, ANON | MAP_FIXED, -1, 0);
		want(at == MAP_FAILED ? -errno : 0, -EINVAL, "MAP_FIXED within a page");
	}
	t_map_at(1, PROT_READ, MAP_SHARED, fd, t.page);
}

static void write_only_fd(void)
{
	int fd = reopened(O_WRONLY);

	for (int prot = PROT_NONE; prot <= RW; prot++) {
		t_no_map(prot, MAP_SHARED, fd, -EACCES);
		t_no_map(prot, MAP_PRIVATE, fd, -EACCES);
	}
}

static void read_only_fd(void)
{
	int fd = reopened(O_RDONLY);
	char *p;

	t_no_map(PROT_WRITE, MAP_SHARED, fd, -EACCES);
	t_no_map(RW, MAP_SHARED, fd, -EACCES);
	p = t_map(t.page, RW, MAP_PRIVATE, fd);
	t_touch(p, 'w');
	t_get(fd, 0, 0);
}

static void no_upgrade(void)
{
	int fd = reopened(O_RDONLY);
	char *shared = t_view(fd, t.page);
	char *own = t_map(t.page, PROT_READ, MAP_PRIVATE, fd);

	want_ret(mprotect(shared, t.page, RW), -EACCES, "mprotect of the shared mapping");
	t_ok(mprotect(own, t.page, RW), "mprotect of the private mapping");
}

static void wrong_object(void)
{
	int dir = open("/", O_RDONLY);

	t_no_map(PROT_READ, MAP_PRIVATE, t.r, -ENODEV);
	if (dir < 0)
		t_skip("no-root-dir");
	t_no_map(PROT_READ, MAP_PRIVATE, dir, -ENODEV);
}

/* On 32 bits 1 GiB may fit, so the length there is all addresses but a page. */
static void too_long(void)
{
	size_t huge = sizeof(huge) > 4 ? SIZE_MAX / 4 + 1 : 0 - t.page;

	for (int i = 0; i < 3; i++) /* s390x has room for three such mappings */
		(void)!mmap(NULL, huge, PROT_NONE, ANON, -1, 0);
	want(t_try_map(huge, PROT_NONE, ANON, -1, 0), -ENOMEM, "mmap");
	want(t_try_map(huge, PROT_READ, MAP_SHARED, t_object(1), 0), -ENOMEM, "mmap");
}

static void offset_overflow(void)
{
	off_t last = INT64_MAX & ~(off_t)(t.page - 1);

	if (sizeof(long) < 8)
		t_skip("32-bit");
	want(t_try_map(2 * t.page, PROT_READ, MAP_SHARED, t_object(1), last), -EOVERFLOW, "mmap");
}

const struct test_case mmap_cases[] = {
	CASE("map.aligned", "MAP-01 S21", 'P', FILES, 0,
		"a mapping of any length starts at a page, not at 0, and is zero",
		"POSIX mmap, DESCRIPTION: whole pages, never at address 0; partial pages are "
		"zero-filled", aligned),
	CASE("map.bad_fd", "MAP-02 S33", 'P', FILES, 0,
		"mmap of -1 or of a closed descriptor gives EBADF",
		"POSIX mmap, ERRORS: EBADF", bad_fd),
	CASE("map.path_fd", "MAP-02", 'L', 0, 0,
		"mmap of an O_PATH descriptor gives EBADF",
		"open(2), O_PATH: other file operations fail with EBADF", path_fd),
	CASE("map.no_length", "MAP-03 S32 R7", 'P', FILES, 0,
		"mmap of 0 bytes gives EINVAL and MAP_FAILED, that is -1",
		"POSIX mmap, ERRORS: EINVAL: len is zero", no_length),
	CASE("map.no_sharing", "MAP-04 S23", 'P', FILES, 0,
		"mmap with neither MAP_SHARED nor MAP_PRIVATE gives EINVAL",
		"POSIX mmap, ERRORS: EINVAL: neither is set", no_sharing),
	CASE("map.both_sharings", "MAP-04 S23", 'L', 0, 0,
		"MAP_SHARED with MAP_PRIVATE is MAP_SHARED_VALIDATE, and shared",
		"mmap(2), MAP_SHARED_VALIDATE: since Linux 4.15", both_sharings),
	CASE("map.unaligned", "MAP-05 S31 R6", 'L', MYTH, 0,
		"mmap of an offset, or at a fixed address, within a page gives EINVAL",
		"mmap(2), ERRORS: EINVAL: offset not on a page boundary; the tutorial says a "
		"multiple of 4K", unaligned),
	CASE("map.write_only_fd", "MAP-06 R1", 'P', NEEDS_DIR, 0,
		"mmap of a descriptor without read access gives EACCES, whatever the protection",
		"POSIX mmap, ERRORS: EACCES: not open for read, regardless of the protection",
		write_only_fd),
	CASE("map.read_only_fd", "MAP-07 R2", 'P', NEEDS_DIR, 0,
		"mmap of a read-only descriptor: PROT_WRITE shared gives EACCES, private works",
		"POSIX mmap, ERRORS: EACCES; DESCRIPTION: unless MAP_PRIVATE is specified",
		read_only_fd),
	CASE("map.no_upgrade", "MAP-08 R2", 'P', NEEDS_DIR, 0,
		"mprotect cannot add PROT_WRITE to a shared mapping of a read-only descriptor",
		"POSIX mprotect, ERRORS: EACCES", no_upgrade),
	CASE("map.wrong_object", "MAP-09 S33", 'L', KINDS, 0,
		"mmap of a pipe's read end or of a directory gives ENODEV",
		"POSIX mmap, ERRORS: ENODEV: a type that mmap does not support; open_posix mmap "
		"23-1; gVisor mmap.cc MapPipe, MapDirectory", wrong_object),
	CASE("map.too_long", "MAP-09 S33", 'P', FILES, 0,
		"mmap of more than the address space gives ENOMEM",
		"POSIX mmap, ERRORS: ENOMEM: insufficient room in the address space", too_long),
	CASE("map.offset_overflow", "MAP-09", 'B', FILES, BROKEN(2, 6, 4, 17),
		"mmap of an offset and a length beyond the largest offset gives EOVERFLOW",
		"be83bbf80682 (4.17) fixed it, it was always so; POSIX mmap, ERRORS: EOVERFLOW",
		offset_overflow),
};
ALL_ROWS(mmap);
