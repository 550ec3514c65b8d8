/*
 * mmap_sharing.c - cases of mmap: what is shared with whom, and the end of the file
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/statvfs.h>
#include "../case.h"

/* --- who sees what ------------------------------------------------------------------------ */

static void shared_store(void)
{
	int fd = t_object(2 * t.page);
	char *p = t_share(fd, 2 * t.page);
	const char *second = t_map_at(t.page, PROT_READ, MAP_SHARED, fd, t.page);

	p[0] = 'a';
	p[t.page] = 'b';
	want(second[0], 'b', "what a second mapping shows");
	t_ok(msync(p, 2 * t.page, MS_SYNC), "msync");
	t_get(fd, 0, 'a');
}

static void shared_store_read(void)
{
	int fd = t_object(t.page);
	char *p = t_share(fd, t.page);

	p[0] = 'a';
	t_get(fd, 0, 'a');
}

static void written_shows(void)
{
	int fd = t_object(t.page);
	const char *p = t_view(fd, t.page);

	want(p[1], 0, "the byte before");
	want_ret(pwrite(fd, "xy", 2, 0), 2, "pwrite");
	want(p[1], 'y', "the byte after");
}

/* Each page has two addresses, which a cache that goes by virtual addresses may confuse. */
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
			t_fail("round %d: byte %zu is not %d everywhere", i, at, byte);
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
	t_info("a later write(2) to the file shows in a private page: untouched %s, changed %s",
		p[t.page] == 'f' ? "yes" : "no", p[1] == 'f' ? "yes" : "no");
}

static long store_byte(long address)
{
	char *p = (char *)address;
	long was = *p;

	*p = 'c';
	return was;
}

/* A child finds what was stored before fork. After the child's store the parent sees 'seen'. */
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

	return was + ret(munmap((void *)address, t.page));
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
				t_fail("byte %zu of new memory is %d", at, p[at]);
	}
}

static int open_dev_zero(void)
{
	int fd = open("/dev/zero", O_RDWR);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
		t_skip("no-dev-zero");
	return fd;
}

static void dev_zero(void)
{
	int fd = open_dev_zero();
	char *p = t_map(t.page, RW, MAP_PRIVATE, fd);

	want(p[0] | p[t.page - 1], 0, "two bytes of a private mapping of /dev/zero");
	over_fork(p, 'p');
	want(t_share(fd, t.page) != NULL, true, "/dev/zero can be mapped shared, too");
}

static void dev_zero_shared(void)
{
	int fd = open_dev_zero();
	char *a = t_share(fd, t.page), *b = t_share(fd, t.page);

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
			t_fail("byte %d behind the end is %d", (int)(at - p), *at);
	*end = 'x';
	t_ok(msync(p, t.page, MS_SYNC), "msync");
	want_ret(pread(fd, buf, sizeof(buf), 0), 13, "pread of 16");
	t_ok(fstat(fd, &st), "fstat");
	want(st.st_size, 13, "the size");
	t_truncate(fd, t.page, 0);
	t_info("a byte stored behind the end %s when the file grows",
		*end ? "is there" : "is gone");
}

/* The case stores a byte behind the end, within the last page, and then the file grows. */
static void tail_regrown(void)
{
	int fd = t_object(13);
	char *p = t_share(fd, t.page);

	p[20] = 'x';
	t_ok(msync(p, t.page, MS_SYNC), "msync");
	t_truncate(fd, 2 * t.page, 0);
	t_get(fd, 20, 0);
}

/* The case cuts the file off within a page, and lets it grow again. */
static void cut_and_regrown(void)
{
	int fd = t_object(t.page);
	char *p = t_share(fd, t.page);

	memset(p, 'x', t.page);
	t_truncate(fd, 13, 0);
	t_truncate(fd, t.page, 0);
	want(p[12], 'x', "the last byte that was kept");
	want(p[13], 0, "the first byte that was cut off, in the mapping");
	t_get(fd, t.page - 1, 0);
}

/* The case reads a file into the file's own mapping, and writes it from there. */
static void own_mapping(void)
{
	int fd = t_object(2 * t.page);
	char *p = t_share(fd, 2 * t.page);

	memset(p, 'a', t.page);
	want_ret(pread(fd, p + t.page, t.page, 0), t.page, "pread into the file's own mapping");
	want(p[2 * t.page - 1], 'a', "the last byte that was read");
	memset(p, 'b', t.page);
	want_ret(pwrite(fd, p, t.page, t.page), t.page, "pwrite from the file's own mapping");
	want(p[2 * t.page - 1], 'b', "the last byte that was written");
}

static void first_reference(void)
{
	int fd = t_file("f", t.page);
	const char *p;
	struct statvfs fs;

	t_ok(fstatvfs(fd, &fs), "fstatfs, for fstatvfs");
	if (fs.f_flag & ST_NOATIME)
		t_skip("noatime");
	t_epoch(fd);
	p = t_view(fd, t.page);
	want(*p, 0, "the first byte");
	want(t_stat(fd)->st_atime > 0, true, "st_atime is marked");
}

/* A child fills a record with one value after the other, as long as the parent reads. */
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
	t_info("%u reads: %u ids torn, %u texts torn, %u do not match", reads, ids, texts, pairs);
}

const struct test_case mmap_sharing_cases[] = {
	CASE("map.shared_store", "MAP-10 S25", 'P', FILES, 0,
		"a store shows at once in another mapping, and after msync to pread",
		"POSIX mmap, MAP_SHARED: write references shall change the object; msync",
		shared_store),
	CASE("map.shared_store_read", "MAP-10 S25", 'L', FILES, 0,
		"a store shows at once to pread",
		"POSIX mmap, MAP_SHARED: shall change the object; illumos smbclient-tests mmap_010",
		shared_store_read),
	CASE("map.coherent", "MAP-10 MAP-11", 'L', STRESS | FILES, 0,
		"stores, pwrite, pread and two mappings agree on every byte",
		"gVisor mmap.cc ReadSharedConsistentWithPartialOverwrite; illumos smbclient-tests "
		"mmap_010", coherent),
	CASE("map.written_shows", "MAP-11 S25", 'L', FILES, 0,
		"what is written to the file shows in a mapping",
		"gVisor mmap.cc ReadSharedConsistentWithOverwrite; illumos smbclient-tests "
		"mmap_010", written_shows),
	CASE("map.private_store", "MAP-12 S26", 'P', FILES, 0,
		"a private store reaches neither the file nor another mapping",
		"POSIX mmap, MAP_PRIVATE: visible only to the calling process; msync",
		private_store),
	CASE("map.private_sees", "MAP-13 S26", 'I', FILES, 0,
		"whether a later change of the file shows in a private mapping",
		"POSIX mmap, MAP_PRIVATE: unspecified", private_sees),
	CASE("map.anon_shared", "MAP-14 S27 S34", 'L', MYTH, 0,
		"shared anonymous memory is common to parent and child",
		"mmap(2), MAP_ANONYMOUS and MAP_SHARED; the tutorial says that it cannot be shared",
		anon_shared),
	CASE("map.anon_private", "MAP-14 S27", 'P', 0, 0,
		"private memory is copied by fork",
		"POSIX fork, DESCRIPTION: an exact copy; mmap, MAP_PRIVATE", anon_private),
	CASE("map.file_over_fork", "MAP-14 S34", 'P', FILES, 0,
		"a shared mapping of a file is common to parent and child",
		"POSIX mmap: the mapping type is retained across fork", file_over_fork),
	CASE("map.fork_address", "MAP-50 S34", 'P', 0, 0,
		"a child finds a mapping at the same address, and its munmap is its own",
		"POSIX fork, DESCRIPTION: mappings shall be retained in the child; munmap: of the "
		"process", fork_address),
	CASE("map.anon_fd", "MAP-15 S30", 'L', 0, 0,
		"MAP_ANONYMOUS ignores the descriptor and gives zeros",
		"mmap(2), MAP_ANONYMOUS: contents are zero, fd is ignored", anon_fd),
	CASE("map.dev_zero", "MAP-16 S30", 'L', 0, 0,
		"a private mapping of /dev/zero is zeros, and copied by fork",
		"LTP mmap10; gVisor mmap.cc MapDevZeroPrivate, MapDevZeroSharedMultiplePages",
		dev_zero),
	CASE("map.dev_zero_shared", "MAP-16", 'I', 0, 0,
		"a shared mapping of /dev/zero is shared with a child, and not with another "
		"mapping",
		"gVisor mmap.cc MapDevZeroNoPersistence; no man page says it", dev_zero_shared),
	CASE("map.tail", "MAP-17 S35", 'P', FILES, 0,
		"behind the end the last page is zero, and is never part of the file",
		"POSIX mmap, DESCRIPTION: shall zero-fill; shall never write out", tail),
	CASE("map.tail_regrown", "MAP-78", 'I', FILES, 0,
		"what is stored behind the end is no part of the file when the file grows",
		"POSIX mmap, DESCRIPTION: never write out; fs/shmem.c and others let it show",
		tail_regrown),
	CASE("map.cut_and_regrown", "MAP-79", 'L', FILES, 0,
		"what was cut off and grows again is zero, in the file and in a mapping",
		"gVisor mmap.cc ReadSharedTruncateDownThenUp; xfstests generic/029",
		cut_and_regrown),
	CASE("map.own_mapping", "MAP-80", 'I', FILES, 0,
		"a file is read into its own mapping, and written from it",
		"xfstests generic/647; no man page says it", own_mapping),
	CASE("map.first_reference", "MAP-54", 'P', NEEDS_DIR, 0,
		"the first reference to a mapping marks st_atime of its file",
		"POSIX mmap, DESCRIPTION: the initial reference shall mark the last data access "
		"timestamp", first_reference),
	CASE("map.torn", "MAP-18 P19 P20", 'I', MYTH, 0,
		"how often a record is seen torn where reader and writer have no protocol",
		"the tutorial copies its record in and out and hopes", torn),
};
ALL_ROWS(mmap_sharing);
