/*
 * tutorial_map.c - cases of the tutorial's programs with mappings (cases/INVENTORY), corrected
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/sendfile.h>
#include "../case.h"

/* --- P16 to P18: one process, then a parent and its child ------------------------------ */

static void p16_file(void)
{
	static const char text[] = "Hello, World!";
	enum { SIZE = sizeof(text) - 1 };
	char *map, got[SIZE + 1] = "";
	int fd = t_file("mmap.txt", SIZE);

	map = t_map(SIZE, PROT_WRITE, MAP_SHARED, fd);
	memcpy(map, text, SIZE);
	t_unmap(map, SIZE);
	t_close(fd);
	fd = open("mmap.txt", O_RDONLY);
	want_ret(read(fd, got, sizeof(got)), SIZE, "read of the file");
	want(memcmp(got, text, SIZE), 0, "difference to what was stored");
}

static void p17_unmap(void)
{
	char *p = t_anon(2 * t.page);

	p[0] = '1';
	p[t.page] = '2';
	t_unmap(p, t.page);
	want(p[t.page], '2', "the second page");
	t_segv(p, 'r', SEGV_MAPERR);
	t_unmap(p + t.page, t.page);
	t_segv(p + t.page, 'r', SEGV_MAPERR);
}

/* This is P17 as the tutorial prints it. It is right for pages of 4096 bytes only. */
static void p17_literal(void)
{
	enum { LITERAL = 4096 };
	char *p = t_map(2 * LITERAL, RW, ANON, 0);

	t_info("page %zu: munmap(p, %d) = %ld", t.page, LITERAL, ret(munmap(p, LITERAL)));
	t_info("reading p + %d: signal %d", LITERAL, t_fault_of(p + LITERAL, 'r'));
	t_info("munmap(p + %d, %d) = %ld", LITERAL, LITERAL, ret(munmap(p + LITERAL, LITERAL)));
}

static int var = 100;

static long set_both(long point)
{
	*(int *)point = 2000;
	var = 1000;
	return var;
}

static void p18_both(int *point)
{
	t_child(set_both, (long)point, 1000);
	want(*point, 2000, "*point");
	want(var, 100, "var");
}

static void p18_unlinked(void)
{
	int fd = t_file("temp", sizeof(int));
	int *point;

	t_ok(unlink("temp"), "unlink");
	point = t_share(fd, sizeof(int));
	t_close(fd);
	p18_both(point);
}

static void p18_anonymous(void)
{
	p18_both(t_anon_shared(sizeof(int)));
}

/* --- P19, P20: a record in a file, for processes that are not related ------------------- */

struct student {
	_Atomic int32_t id;
	char name[20];
	char sex;
};

enum { LAST_ID = 20000 };

static long write_students(long unused)
{
	int fd = open("shared", O_RDWR);
	struct student *m = t_share(fd, sizeof(*m));

	close(fd);
	for (int id = 1; id <= LAST_ID; id++) {
		memcpy(m->name, "xiao bai", sizeof("xiao bai"));
		m->sex = 'M';
		m->id = id;
	}
	return unused;
}

static void p19_visible(void)
{
	int fd = t_file("shared", sizeof(struct student)), rd = open("shared", O_RDONLY);
	const struct student *m = t_view(rd, sizeof(*m));
	int id, last = 0;
	pid_t writer;

	t_close(fd);
	t_close(rd);
	writer = t_start(write_students, 0);
	for (; last < LAST_ID; last = id) {
		id = m->id;
		if (id < last)
			t_fail("id %d after %d", id, last);
		if (monotonic_ns() > t.deadline)
			t_fail("id %d is not visible, only %d", LAST_ID, id);
	}
	t_returns(writer, 0);
	want(strcmp(m->name, "xiao bai") == 0 && m->sex == 'M', 1, "the rest of the record");
}

/* The case reserves the page behind the record first, so that nothing else is mapped there. */
static void s36_length(void)
{
	int fd = t_object(3 * t.page);
	/* a mapping of the same file has an address that suits the file (SHMLBA) */
	char *p = t_map(2 * t.page, PROT_NONE, MAP_SHARED, fd);

	want(mmap(p, sizeof(struct student), PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == p, 1,
		"mmap of the record, MAP_FIXED,");
	t_touch(p + t.page - 1, 'r');
	want(t_fault_of(p + t.page, 'r'), SIGSEGV, "signal behind it");
}

/* --- P21: a copy by n processes --------------------------------------------------------- */

/* Process i begins at size * i / n, where process i - 1 ends, and the last one ends at size. */
static void copy_part(char *dst, const char *src, size_t size, size_t i, size_t n)
{
	size_t from = size * i / n;

	memcpy(dst + from, src + from, size * (i + 1) / n - from);
}

static void copy_by(size_t n, int out, int in, size_t size)
{
	char *src, *dst;
	pid_t pid[8];

	t_truncate(out, 0, 0);
	t_truncate(out, size, 0);
	if (size == 0)
		return; /* mmap refuses 0 bytes */
	src = t_view(in, size);
	dst = t_map(size, PROT_WRITE, MAP_SHARED, out);
	for (size_t i = 0; i < n; i++) {
		pid[i] = t_fork();
		if (pid[i] == 0) {
			copy_part(dst, src, size, i, n);
			_exit(EXIT_SUCCESS);
		}
	}
	for (size_t i = 0; i < n; i++)
		t_reap(pid[i], EXIT_SUCCESS);
	munmap(src, size);
	munmap(dst, size);
}

static void p21_copy(void)
{
	static const unsigned char by[] = { 1, 2, 3, 7 };
	static const struct {
		signed char pages, n, more;
	} sizes[] = {
		{ 0, 0, 0 }, { 0, 0, 1 }, { 0, 1, -1 }, { 0, 1, 0 }, { 0, 1, 1 }, { 1, 0, -1 },
		{ 1, 0, 0 }, { 1, 0, 1 }, { 4, 1, -1 },
	};
	size_t room = 5 * t.page;
	char *text = memcpy(xmalloc(room), t_pattern(room), room), *got = xmalloc(room);
	int in = t_object(0), out = t_object(0);

	for (size_t i = 0; i < ARRAY_SIZE(by) * ARRAY_SIZE(sizes); i++) {
		int n = by[i / ARRAY_SIZE(sizes)], k = i % ARRAY_SIZE(sizes);
		size_t size = sizes[k].pages * t.page + sizes[k].n * n + sizes[k].more;

		t_truncate(in, 0, 0);
		want_ret(pwrite(in, text, size, 0), size, "pwrite");
		copy_by(n, out, in, size);
		wantf(ret(pread(out, got, room, 0)), size, "bytes copied by %d", n);
		wantf(memcmp(got, text, size), 0, "difference in %zu bytes", size);
	}
}

/* The tutorial's last process enlarges its block before it computes where the block begins. */
static void p21_arithmetic(void)
{
	static const struct {
		short size, n;
	} copies[] = { { 12, 3 }, { 10, 3 }, { 100, 7 }, { 4097, 2 }, { 2, 3 } };

	for (size_t k = 0; k < ARRAY_SIZE(copies); k++) {
		int size = copies[k].size, n = copies[k].n, gap = 0, overrun = 0;
		char copied[8192] = { 0 };

		for (int i = 0; i < n; i++) {
			int block = size / n + (i == n - 1 ? size % n : 0);

			memset(copied + block * i, 1, block);
		}
		for (int i = 0; i < (int)sizeof(copied); i++) {
			gap += i < size && !copied[i];
			overrun += i >= size && copied[i];
		}
		t_info("%d bytes by %d: %d not copied, %d behind the end", size, n, gap, overrun);
	}
}

/* --- S18 to S20: three ways out of a file ------------------------------------------------ */

enum { CHUNK = 64 * 1024, WHOLE = 16 * CHUNK };

static unsigned by_read_write(int out, int in)
{
	char *buf = xmalloc(CHUNK);
	unsigned calls = 0;
	ssize_t n;

	for (; (n = read(in, buf, CHUNK)) > 0; calls += 2)
		want_ret(write(out, buf, n), n, "write");
	free(buf);
	return calls + 1;
}

static unsigned by_mmap_write(int out, int in)
{
	char *p = t_view(in, WHOLE);

	want_ret(write(out, p, WHOLE), WHOLE, "write of the mapping");
	munmap(p, WHOLE);
	return 3;
}

static unsigned by_sendfile(int out, int in)
{
	off_t off = 0;
	unsigned calls = 0;

	for (; off < WHOLE; calls++)
		if (sendfile(out, in, &off, WHOLE - off) <= 0)
			t_skip("no-sendfile");
	return calls;
}

static void s18_ways(void)
{
	static const struct {
		char name[12];
		unsigned (*copy)(int out, int in);
	} ways[] = {
		{ "read+write", by_read_write },
		{ "mmap+write", by_mmap_write },
		{ "sendfile", by_sendfile },
	};
	const char *text = t_pattern(WHOLE);
	int in = t_object(0);

	want_ret(pwrite(in, text, WHOLE, 0), WHOLE, "pwrite");
	for (size_t k = 0; k < ARRAY_SIZE(ways); k++) {
		int out = t_object(0);
		int64_t start = monotonic_ns();
		unsigned calls = ways[k].copy(out, in), us = (monotonic_ns() - start) / 1000;
		const char *copy = t_view(out, WHOLE);

		wantf(memcmp(copy, text, WHOLE), 0, "difference after %s", ways[k].name);
		t_info("%s of %d bytes: %u calls, %u us", ways[k].name, WHOLE, calls, us);
		close(out);
	}
}

const struct test_case tutorial_map_cases[] = {
	CASE("tut.p16.file", "TUT-P16 P16", 'P', NEEDS_DIR, 0,
		"what is stored in a shared mapping is in the file, and nothing else",
		"POSIX mmap, MAP_SHARED: write references shall change the underlying object",
		p16_file),
	CASE("tut.p17.unmap", "TUT-P17 P17 R5", 'P', 0, 0,
		"the first page can be unmapped alone; the second stays",
		"POSIX munmap, DESCRIPTION: those entire pages; references shall give SIGSEGV",
		p17_unmap),
	CASE("tut.p17.literal", "TUT-P17 P17", 'I', MYTH, 0,
		"munmap of 4096 bytes, whatever a page is",
		"POSIX munmap; the tutorial takes every page for 4096 bytes", p17_literal),
	CASE("tut.p18.unlinked", "TUT-P18 P18", 'P', NEEDS_DIR, 0,
		"a child's store shows in a shared mapping, not in a variable",
		"POSIX mmap: the mapping type is retained across fork; fork: a copy of the process",
		p18_unlinked),
	CASE("tut.p18.anonymous", "TUT-P18 P18 S34", 'L', MYTH, 0,
		"a child's store shows in a shared anonymous mapping, not in a variable",
		"mmap(2), MAP_ANONYMOUS and MAP_SHARED; the tutorial calls an unlinked file "
		"anonymous", p18_anonymous),
	CASE("tut.p19.visible", "TUT-P19 P19 P20", 'P', NEEDS_DIR | STRESS, 0,
		"each stored id becomes visible to another process, and none goes back",
		"POSIX mmap, MAP_SHARED: write references shall change the underlying object",
		p19_visible),
	CASE("tut.s36.length", "TUT-S36 S36", 'P', FILES | MYTH, 0,
		"a mapping is as long as asked for, in whole pages",
		"POSIX mmap, DESCRIPTION: any partial page is included; the tutorial says as long "
		"as the file", s36_length),
	CASE("tut.p21.copy", "TUT-P21 P21", 'P', FILES, 0,
		"n processes copy a file of any size through mappings, byte for byte",
		"POSIX mmap, MAP_SHARED: write references shall change the underlying object",
		p21_copy),
	CASE("tut.p21.arithmetic", "TUT-P21 P21", 'I', MYTH, 0,
		"what the tutorial's copy leaves out when n does not divide the size",
		"the tutorial's last process multiplies its own, larger block", p21_arithmetic),
	CASE("tut.s18.ways", "TUT-S18 S18 S19 S20", 'I', MYTH, 0,
		"read+write, mmap+write and sendfile give the same file: calls and time",
		"the tutorial counts 4 copies by the processor for read+write, which makes 2",
		s18_ways),
};
ALL_ROWS(tutorial_map);
