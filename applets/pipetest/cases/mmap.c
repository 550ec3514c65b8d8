/*
 * mmap.c - mmap: its arguments, and what is shared with whom
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

/* A descriptor of a file of two pages, opened anew with these flags. */
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
		skip("no-O_PATH");
	t_no_map(PROT_READ, MAP_PRIVATE, fd, -EBADF);
}

static void no_length(void)
{
	void *p = mmap(NULL, 0, RW, ANON, -1, 0);

	want_ret(p == MAP_FAILED ? -1 : 0, -EINVAL, "mmap of 0 bytes");
	want((long)p, -1, "MAP_FAILED");
	want(try_map(0, PROT_READ, MAP_SHARED, t_object(t.page), 0), -EINVAL, "mmap");
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
		skip("no-MAP_SHARED_VALIDATE");
	t_ok(p == MAP_FAILED ? -1 : 0, "mmap with both");
	p[0] = 's';
	t_get(fd, 0, 's');
}

static void unaligned(void)
{
	size_t offs[] = { 1, 512, t.page / 2, t.page - 1, t.page + 1 };
	int fd = t_object(3 * t.page);
	char *p = t_anon(2 * t.page), *at;

	for (size_t i = 0; i < ARRAY_SIZE(offs); i++) {
		want(try_map(1, PROT_READ, MAP_SHARED, fd, offs[i]), -EINVAL, "mmap");
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
		skip("no-root-dir");
	t_no_map(PROT_READ, MAP_PRIVATE, dir, -ENODEV);
}

/* 1 GiB may fit on 32 bits: there it is all but a page. */
static void too_long(void)
{
	size_t huge = sizeof(huge) > 4 ? SIZE_MAX / 4 + 1 : 0 - t.page;

	for (int i = 0; i < 3; i++) /* s390x has room for so many */
		(void)!mmap(NULL, huge, PROT_NONE, ANON, -1, 0);
	want(try_map(huge, PROT_NONE, ANON, -1, 0), -ENOMEM, "mmap");
	want(try_map(huge, PROT_READ, MAP_SHARED, t_object(1), 0), -ENOMEM, "mmap");
}

static void offset_overflow(void)
{
	off_t last = INT64_MAX & ~(off_t)(t.page - 1);

	if (sizeof(long) < 8)
		skip("32-bit");
	want(try_map(2 * t.page, PROT_READ, MAP_SHARED, t_object(1), last), -EOVERFLOW, "mmap");
}

/* --- who sees what ------------------------------------------------------------------------ */

static void shared_store(void)
{
	int fd = t_object(2 * t.page);
	char *p = t_share(fd, 2 * t.page);
	const char *second = t_map_at(t.page, PROT_READ, MAP_SHARED, fd, t.page);

	p[0] = 'a';
	p[t.page] = 'b';
	t_get(fd, 0, 'a');
	want(second[0], 'b', "what a second mapping shows");
}

static void written_shows(void)
{
	int fd = t_object(t.page);
	const char *p = t_view(fd, t.page);

	want(p[1], 0, "the byte before");
	want_ret(pwrite(fd, "xy", 2, 0), 2, "pwrite");
	want(p[1], 'y', "the byte after");
}

/* Two addresses of one page: what caches that go by virtual address get wrong. */
static void coherent(void)
{
	enum { PAGES = 4, ROUNDS = 2000 };
	int fd = t_object(PAGES * t.page);
	char *p = t_share(fd, PAGES * t.page);
	const char *q = t_view(fd, PAGES * t.page);

	for (int i = 0; i < ROUNDS; i++) {
		size_t at = t_random(PAGES * t.page) - 1;
		char byte = t_random(256);

		if (byte & 1)
			p[at] = byte;
		else
			t_put(fd, byte, at, 1);
		t_get(fd, at, byte);
		if (p[at] != byte || q[at] != byte)
			fail("round %d: byte %zu is not %d everywhere", i, at, byte);
	}
}

static void private_store(void)
{
	int fd = t_object(t.page);
	char *p = t_map(t.page, RW, MAP_PRIVATE, fd);
	const char *second = t_map(t.page, PROT_READ, MAP_PRIVATE, fd);

	p[0] = 'a';
	t_ok(msync(p, t.page, MS_SYNC), "msync");
	t_unmap(p, t.page);
	t_get(fd, 0, 0);
	want(second[0], 0, "the byte of another mapping");
}

static void private_sees(void)
{
	int fd = t_object(2 * t.page);
	char *p = t_map(2 * t.page, RW, MAP_PRIVATE, fd);

	p[0] = 'a';
	want_ret(pwrite(fd, "f", 1, 1) + pwrite(fd, "f", 1, t.page), 2, "pwrite");
	info("a later write(2) to the file shows in a private page: untouched %s, changed %s",
	     p[t.page] == 'f' ? "yes" : "no", p[1] == 'f' ? "yes" : "no");
}

static long store_byte(long address)
{
	char *p = (char *)address;
	long was = *p;

	*p = 'c';
	return was;
}

/* A child finds what was stored before fork; its own store reaches the parent or not. */
static void over_fork(char *p, int seen)
{
	*p = 'p';
	t_child(store_byte, (long)p, 'p');
	want(*p, seen, "the parent's byte after the child's store");
}

static void anon_shared(void)
{
	over_fork(t_anon_shared(t.page), 'c');
}

static void anon_private(void)
{
	over_fork(t_anon(t.page), 'p');
}

static void file_over_fork(void)
{
	int fd = t_object(t.page);

	over_fork(t_share(fd, t.page), 'c');
	t_get(fd, 0, 'c');
}

static long unmap(long address)
{
	long was = store_byte(address);

	return was + munmap((void *)address, t.page);
}

static void fork_address(void)
{
	char *p = t_anon_shared(t.page);

	*p = 'p';
	t_child(unmap, (long)p, 'p');
	want(*p, 'c', "the byte after the child stored and unmapped");
}

static void anon_fd(void)
{
	static const int fds[] = { -1, 0, 999 };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		char *p = t_map(t.page, RW, i ? ANON : ANON_SHARED, fds[i]);

		for (size_t at = 0; at < t.page; at++)
			if (p[at])
				fail("byte %zu of new memory is %d", at, p[at]);
	}
}

static void dev_zero(void)
{
	int fd = open("/dev/zero", O_RDWR);
	struct stat st;
	char *a, *b;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
		skip("no-dev-zero");
	over_fork(t_map(t.page, RW, MAP_PRIVATE, fd), 'p');
	a = t_share(fd, t.page);
	b = t_share(fd, t.page);
	want(a[t.page - 1], 0, "a byte of /dev/zero");
	over_fork(a, 'c');
	want(b[0], 0, "the byte of another mapping");
}

static void tail(void)
{
	int fd = t_object(13);
	char *p = t_share(fd, 13), *end = p + t.page - 1, buf[16];
	struct stat st;

	for (char *at = p + 13; at <= end; at++)
		if (*at)
			fail("byte %d behind the end is %d", (int)(at - p), *at);
	*end = 'x';
	t_ok(msync(p, t.page, MS_SYNC), "msync");
	want_ret(pread(fd, buf, sizeof(buf), 0), 13, "pread of 16");
	t_ok(fstat(fd, &st), "fstat");
	want(st.st_size, 13, "the size");
	t_truncate(fd, t.page, 0);
	info("a byte stored behind the end %s when the file grows", *end ? "is there" : "is gone");
}

/* A child fills a record with one byte after the other, for as long as we look. */
static void torn(void)
{
	static const uint32_t each_byte = 0x01010101;
	struct record {
		_Atomic uint32_t id;
		char text[24];
	};
	struct record *m = t_anon_shared(sizeof(*m));
	int64_t end = monotonic_ns() + NS_PER_S / 50;
	unsigned reads = 0, ids = 0, texts = 0, pairs = 0;
	char text[sizeof(m->text)];

	if (t_fork() == 0)
		for (unsigned char i = 0;; i++) {
			m->id = i * each_byte;
			memset(text, i, sizeof(text));
			memcpy(m->text, text, sizeof(text));
		}
	for (; monotonic_ns() < end; reads++) {
		uint32_t id = m->id;

		memcpy(text, m->text, sizeof(text));
		ids += id % each_byte != 0;
		texts += text[0] != text[sizeof(text) - 1];
		pairs += text[0] != (char)id;
	}
	info("%u reads: %u ids torn, %u texts torn, %u do not match", reads, ids, texts, pairs);
}

const struct test_case mmap_cases[] = {
	CASE("map.aligned", "MAP-01 S21", 'P', 0, 0,
		"a mapping of any length starts at a page, not at 0, and is zero",
		"POSIX mmap", aligned),
	CASE("map.bad_fd", "MAP-02 S33", 'P', 0, 0,
		"mmap of -1 or of a closed descriptor gives EBADF",
		"POSIX mmap", bad_fd),
	CASE("map.path_fd", "MAP-02", 'L', 0, 0,
		"mmap of an O_PATH descriptor gives EBADF",
		"open(2)", path_fd),
	CASE("map.no_length", "MAP-03 S32 R7", 'P', 0, 0,
		"mmap of 0 bytes gives EINVAL and MAP_FAILED, that is -1",
		"POSIX mmap", no_length),
	CASE("map.no_sharing", "MAP-04 S23", 'P', 0, 0,
		"neither MAP_SHARED nor MAP_PRIVATE gives EINVAL",
		"POSIX mmap", no_sharing),
	CASE("map.both_sharings", "MAP-04 S23", 'L', 0, 0,
		"MAP_SHARED | MAP_PRIVATE is MAP_SHARED_VALIDATE, and shared",
		"mmap(2), Linux 4.15", both_sharings),
	CASE("map.unaligned", "MAP-05 S31 R6", 'P', MYTH, 0,
		"an offset, or a fixed address, within a page gives EINVAL",
		"POSIX mmap; the tutorial says a multiple of 4K", unaligned),
	CASE("map.write_only_fd", "MAP-06 R1", 'P', NEEDS_DIR, 0,
		"a descriptor without read access gives EACCES, whatever the protection",
		"POSIX mmap", write_only_fd),
	CASE("map.read_only_fd", "MAP-07 R2", 'P', NEEDS_DIR, 0,
		"a read-only descriptor: PROT_WRITE shared EACCES, private works",
		"POSIX mmap", read_only_fd),
	CASE("map.no_upgrade", "MAP-08 R2", 'P', NEEDS_DIR, 0,
		"mprotect cannot add PROT_WRITE to a shared mapping of a read-only descriptor",
		"POSIX mprotect", no_upgrade),
	CASE("map.wrong_object", "MAP-09 S33", 'P', KINDS, 0,
		"mmap of a pipe or a directory gives ENODEV",
		"POSIX mmap", wrong_object),
	CASE("map.too_long", "MAP-09 S33", 'P', 0, 0,
		"more than the address space gives ENOMEM",
		"POSIX mmap", too_long),
	CASE("map.offset_overflow", "MAP-09", 'B', 0, BROKEN(2, 6, 4, 17),
		"offset + length over the largest offset gives EOVERFLOW",
		"be83bbf80682 (4.17); POSIX mmap", offset_overflow),
	CASE("map.shared_store", "MAP-10 S25", 'P', 0, 0,
		"a store shows at once to pread and in another mapping",
		"POSIX mmap", shared_store),
	CASE("map.coherent", "MAP-10 MAP-11", 'L', STRESS, 0,
		"stores, pwrite, pread and two mappings agree on every byte",
		"mmap(2)", coherent),
	CASE("map.written_shows", "MAP-11 S25", 'L', 0, 0,
		"what is written to the file shows in a mapping",
		"mmap(2)", written_shows),
	CASE("map.private_store", "MAP-12 S26", 'P', 0, 0,
		"a private store reaches neither the file nor another mapping",
		"POSIX mmap", private_store),
	CASE("map.private_sees", "MAP-13 S26", 'I', 0, 0,
		"whether a later change of the file shows in a private mapping",
		"POSIX: unspecified", private_sees),
	CASE("map.anon_shared", "MAP-14 S27 S34", 'L', MYTH, 0,
		"shared anonymous memory is common to parent and child",
		"mmap(2); the tutorial says that it cannot be shared", anon_shared),
	CASE("map.anon_private", "MAP-14 S27", 'P', 0, 0,
		"private memory is copied by fork",
		"POSIX fork", anon_private),
	CASE("map.file_over_fork", "MAP-14 S34", 'P', 0, 0,
		"a shared mapping of a file is common to parent and child",
		"POSIX fork", file_over_fork),
	CASE("map.fork_address", "MAP-50 S34", 'P', 0, 0,
		"a child finds a mapping at the same address; its munmap is its own",
		"POSIX fork, munmap", fork_address),
	CASE("map.anon_fd", "MAP-15 S30", 'L', 0, 0,
		"MAP_ANONYMOUS ignores the descriptor and gives zeros",
		"mmap(2)", anon_fd),
	CASE("map.dev_zero", "MAP-16 S30", 'L', 0, 0,
		"/dev/zero: zeros; shared only over fork",
		"mem(4)", dev_zero),
	CASE("map.tail", "MAP-17 S35", 'P', 0, 0,
		"behind the end the last page is zero, and is never part of the file",
		"POSIX mmap", tail),
	CASE("map.torn", "MAP-18 P19 P20", 'I', MYTH, 0,
		"how often a record without a protocol is seen torn",
		"the tutorial copies its record in and out and hopes", torn),
};
ALL_ROWS(mmap);
