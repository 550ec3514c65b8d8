/*
 * mmap_flags.c - cases of mmap: its flags, and what ends or outlives a mapping
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/resource.h>
#include "../case.h"

/* --- flags ---------------------------------------------------------------------------------- */

static void fixed(void)
{
	char *p = t_anon(3 * t.page), *mid = p + t.page;

	memset(p, 5, 3 * t.page);
	want(mmap(mid, t.page, RW, ANON | MAP_FIXED, -1, 0) == mid, 1, "MAP_FIXED takes its place");
	want(mid[0], 0, "the page that was there");
	want(mid[-1] + mid[t.page], 10, "its neighbours");
}

static void fixed_fails(void)
{
	char *p = t_pages(1);

	*p = 5;
	want_ret(mmap(p, t.page, RW, MAP_FIXED | MAP_SHARED, -1, 0) == MAP_FAILED ? -1 : 0, -EBADF,
		"MAP_FIXED, MAP_SHARED of fd -1");
	want_ret(mmap(p, 0, RW, MAP_FIXED | ANON, -1, 0) == MAP_FAILED ? -1 : 0, -EINVAL,
		"MAP_FIXED of 0 bytes");
	want(*p, 5, "the page that was there");
}

/* Without MAP_FIXED an address is a hint, and what lies there stays. */
static void no_replace(void)
{
	char *p = t_pages(2), *got;

	memset(p, 5, 2 * t.page);
	got = mmap(p, 2 * t.page, RW, ANON, -1, 0);
	want(got != MAP_FAILED, true, "mmap with the address of a mapping as a hint works");
	want(got >= p + 2 * t.page || got + 2 * t.page <= p, true, "the new one lies elsewhere");
	*got = 6;
	want(p[0] + p[t.page], 10, "the old mapping");
}

/* No kernel gives the last page away, because that page would end at address 0. */
static long map_last_page(void)
{
	void *last = (void *)(0 - t.page);

	return ret(mmap(last, t.page, RW, ANON | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0);
}

static void last_page(void)
{
	want(map_last_page(), -ENOMEM, "mmap, MAP_FIXED at the last page of all addresses");
}

static void last_page_refused(void)
{
	long got = map_last_page();

	want(got == -EINVAL ? -ENOMEM : got, -ENOMEM,
		"mmap, MAP_FIXED at the last page of all addresses, where EINVAL will do,");
}

static void address_space_limit(void)
{
	enum { LARGE = 1 << 28 };

	t_limit(RLIMIT_AS, LARGE);
	want(t_try_map(LARGE, PROT_NONE, ANON, -1, 0), -ENOMEM, "mmap of as much as RLIMIT_AS");
	t_pages(1);
}

static void validated_anonymous(void)
{
	int fd = t_object(t.page);

	if (t_try_map(t.page, RW, MAP_SHARED_VALIDATE, fd, 0) == -EINVAL)
		t_skip("no-MAP_SHARED_VALIDATE");
	t_no_map(RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, -EINVAL);
}

/* A touch of the page below the mapping makes that page, as long as there is room below it. */
static void grows_down(void)
{
	enum { ROOM = 512 }; /* is more than the 256 pages that a kernel leaves below a stack */
	char *room = t_map(ROOM * t.page, PROT_NONE, ANON, -1), *top = room + (ROOM - 1) * t.page;

	t_unmap(room, ROOM * t.page);
	if (mmap(top, t.page, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0) != top)
		t_skip("no-MAP_GROWSDOWN");
	for (int page = 0; page <= 8; page++)
		t_touch(top - page * t.page, 'w');
}

/* Maps at p, and returns 0 or -errno. Before Linux 4.17 the flag is unknown, and p is a hint. */
static long place(char *p, size_t len)
{
	char *got = mmap(p, len, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);

	if (got != MAP_FAILED && got != p)
		t_skip("no-MAP_FIXED_NOREPLACE");
	return got == p ? 0 : -errno;
}

static void noreplace(void)
{
	char *p = t_anon(t.page);

	*p = 5;
	want(place(p, t.page), -EEXIST, "MAP_FIXED_NOREPLACE on a mapping");
	want(*p, 5, "what was there");
	t_unmap(p, t.page);
	want(place(p, t.page), 0, "MAP_FIXED_NOREPLACE where nothing is");
	want(*p, 0, "the new page");
}

static void noreplace_partial(void)
{
	char *p = t_anon(3 * t.page), *mid = p + t.page;

	*mid = 5;
	t_unmap(p, t.page);
	t_unmap(mid + t.page, t.page);
	want(place(p, 2 * t.page), -EEXIST, "MAP_FIXED_NOREPLACE, its end overlaps");
	want(place(mid, 2 * t.page), -EEXIST, "MAP_FIXED_NOREPLACE, its start overlaps");
	want(place(p, 3 * t.page), -EEXIST, "MAP_FIXED_NOREPLACE around it");
	want(*mid, 5, "what was there");
}

static void hint(void)
{
	char *p = t_anon(2 * t.page), *unused = p + t.page;

	t_unmap(unused, t.page);
	t_info("hint: the free %p gives %p", unused, mmap(unused, t.page, RW, ANON, -1, 0));
	t_info("hint: the used %p gives %p", p, mmap(p, t.page, RW, ANON, -1, 0));
}

/* No architecture has a flag in bit 24. Named flags are below, and sizes of huge pages above. */
static void validated(void)
{
	enum { UNKNOWN = 1 << 24 };
	int fd = t_object(t.page);

	if (t_try_map(t.page, RW, MAP_SHARED_VALIDATE, fd, 0) == -EINVAL)
		t_skip("no-MAP_SHARED_VALIDATE");
	t_no_map(RW, MAP_SHARED_VALIDATE | UNKNOWN, fd, -EOPNOTSUPP);
	want(t_try_map(t.page, RW, MAP_SHARED | UNKNOWN, fd, 0), 0, "mmap shared, an unknown flag");
}

static void denywrite(void)
{
	const char *p;

	t_close(t_file("f", t.page));
	p = t_map(t.page, PROT_READ, MAP_SHARED | MAP_DENYWRITE, t_open("f", O_RDONLY));
	t_put(t_open("f", O_WRONLY), 'w', 0, 1);
	want(*p, 'w', "the mapping's byte");
}

/* Returns how many of the pages at p, at most 8, are in memory. */
static int resident(void *p, int pages)
{
	unsigned char in[8];
	int n = 0;

	if (mincore(p, pages * t.page, in) < 0)
		t_skip("no-mincore");
	while (pages--)
		n += in[pages] & 1;
	return n;
}

static void locked(void)
{
	void *p = mmap(NULL, 4 * t.page, RW, ANON | MAP_LOCKED, -1, 0);

	if (p == MAP_FAILED)
		t_skip("memlock-limit");
	want(resident(p, 4), 4, "pages in memory");
}

/* The limit does not bind a process with CAP_IPC_LOCK, so the case takes a uid without it. */
static void locked_limit(void)
{
	t_limit(RLIMIT_MEMLOCK, t.page);
	t_needs_limit(RLIMIT_MEMLOCK, 1, "memlock-limit"); /* a limit of 0 gives EPERM */
	if (t_capable(CAP_IPC_LOCK) && (t_setuid(65534) < 0 || t_capable(CAP_IPC_LOCK)))
		t_skip("cap-ipc-lock");
	want(t_try_map(4 * t.page, RW, ANON | MAP_LOCKED, -1, 0), -EAGAIN, "mmap over the limit");
}

static void populate(void)
{
	t_info("in memory before the first touch: %d of 8 pages, with MAP_POPULATE %d",
		resident(t_anon(8 * t.page), 8),
		resident(t_map(8 * t.page, RW, ANON | MAP_POPULATE, -1), 8));
}

static void rare_flags(void)
{
	static const struct {
		char name[12];
		int flags;
	} rare[] = {
		{ "NORESERVE", ANON | MAP_NORESERVE }, { "GROWSDOWN", ANON | MAP_GROWSDOWN },
		{ "STACK", ANON | MAP_STACK }, { "DROPPABLE", MAP_ANONYMOUS | 8 /* Linux 6.11 */ },
		{ "SYNC", MAP_SHARED_VALIDATE | 0x80000 /* MAP_SYNC, which MIPS lacks */ },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rare); i++) {
		long got = t_try_map(t.page, RW, rare[i].flags, t_object(t.page), 0);

		t_info("MAP_%s: %s", rare[i].name, got ? t_errname(got) : "ok");
	}
}

/* Pages of different protection do not merge, so each page is a mapping of its own. */
static void too_many(void)
{
	enum { MANY = 1 << 17 };
	unsigned n = 0;
	long got = 0;

	while (n < MANY
		&& (got = t_try_map(t.page, n % 2 ? PROT_READ : PROT_NONE, ANON, -1, 0)) == 0)
		n++;
	t_info("%u mappings, then %s; vm.max_map_count %ld", n, t_errname(got),
		read_number("/proc/sys/vm/max_map_count"));
}

static void append_mode(void)
{
	int fd = t_object(t.page);
	char *p;

	t_setfl(fd, O_APPEND);
	p = t_share(fd, t.page);
	*p = 'a';
	t_get(fd, 0, 'a');
}

static void mtime(void)
{
	int fd = t_file("f", t.page);
	char *p = t_share(fd, t.page);
	const struct stat *st;
	time_t old;

	t_epoch(fd);
	st = t_stat(fd);
	old = st->st_mtime; /* is not 0 on vfat, whose times begin in 1980 */
	if (time(NULL) <= old)
		t_skip("no-clock");
	*p = 'a';
	t_ok(msync(p, t.page, MS_ASYNC), "msync, MS_ASYNC");
	t_stat(fd);
	want(st->st_mtime > old, true, "a new mtime");
	t_info("the access time is %s", st->st_atime > old ? "new too" : "the old one");
}

/* --- what ends or outlives a mapping ----------------------------------------------------- */

static void closed_unlinked(void)
{
	int fd = t_file("f", t.page), other = t_dup(fd);
	char *p = t_share(fd, t.page);

	t_close(fd);
	t_ok(unlink("f"), "unlink");
	*p = 'a';
	t_get(other, 0, 'a');
}

static bool seals(long fd)
{
	t_needs_call("F_ADD_SEALS");
	return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0;
}

/* A memfd cannot be sealed against writes as long as any process maps it shared and writable. */
static void exec_drops(void)
{
	int fd = t_memfd("exec", MFD_ALLOW_SEALING);
	char *p;

	p_fill();
	t_truncate(fd, t.page, 0);
	p = t_share(fd, t.page);
	want(seals(fd), false, "sealed while it is mapped");
	t_exec(t.w);
	t_unmap(p, t.page);
	t_wait_until(seals, fd, "the program's mapping goes");
}

static void large_offset(void)
{
	off_t off = (1LL << 32) + t.page;
	int fd = t_object(2 * t.page);
	char *p, byte;

	t_signal(SIGXFSZ, SIG_IGN);
	if (ftruncate(fd, off + t.page) < 0)
		t_skip("small-files");
	p = t_map_at(t.page, RW, MAP_SHARED, fd, off);
	*p = 'a';
	want_ret(pread(fd, &byte, 1, off), 1, "pread");
	if (byte != 'a' && t_emulated())
		t_skip("emulated");
	want(byte, 'a', "the byte at 4 GiB and a page");
	t_get(fd, t.page, 0);
}

const struct test_case mmap_flags_cases[] = {
	CASE("map.fixed", "MAP-30 S24", 'P', MYTH, 0,
		"MAP_FIXED replaces what is there, and only that",
		"POSIX mmap, MAP_FIXED: any previous mappings shall be removed; the tutorial says "
		"that it gives up", fixed),
	CASE("map.fixed_fails", "MAP-81", 'P', 0, 0,
		"a MAP_FIXED that fails with EBADF or EINVAL leaves the old mapping",
		"POSIX mmap, DESCRIPTION: only other errors than EBADF and EINVAL may unmap",
		fixed_fails),
	CASE("map.no_replace", "MAP-82", 'P', 0, 0,
		"without MAP_FIXED a mapping replaces nothing, also with a mapping's address as a "
		"hint",
		"POSIX mmap, DESCRIPTION: the implementation never replaces any extant mapping",
		no_replace),
	CASE("map.last_page", "MAP-83", 'L', 0, 0,
		"MAP_FIXED at an address that no process may have gives ENOMEM",
		"mmap(2), ERRORS: ENOMEM: addr exceeds the virtual address space of the CPU",
		last_page),
	CASE("map.last_page_refused", "MAP-83", 'P', 0, 0,
		"MAP_FIXED at an address that no process may have fails, with ENOMEM or EINVAL",
		"POSIX mmap, ERRORS: ENOMEM; DESCRIPTION: MAP_FIXED may give EINVAL",
		last_page_refused),
	CASE("map.address_space_limit", "MAP-84", 'P', 0, 0,
		"a mapping over RLIMIT_AS gives ENOMEM, and a small one works",
		"POSIX getrlimit, RLIMIT_AS; mmap, ERRORS: ENOMEM", address_space_limit),
	CASE("map.noreplace", "MAP-31 S24", 'L', 0, 0,
		"MAP_FIXED_NOREPLACE gives EEXIST on a mapping, else that address",
		"mmap(2), MAP_FIXED_NOREPLACE: since Linux 4.17", noreplace),
	CASE("map.noreplace_partial", "MAP-32 REG-11", 'B', 0, BROKEN(4, 17, 4, 19),
		"MAP_FIXED_NOREPLACE sees a partial overlap",
		"7aa867dd8952 (4.19) fixed it; a4ff8e8620d3 (4.17) brought the flag",
		noreplace_partial),
	CASE("map.hint", "MAP-33", 'I', 0, 0,
		"whether an address without MAP_FIXED is taken",
		"POSIX mmap, DESCRIPTION: implementation-defined", hint),
	CASE("map.validated", "MAP-34 S24", 'L', 0, 0,
		"an unknown flag gives EOPNOTSUPP with MAP_SHARED_VALIDATE, else it is ignored",
		"mmap(2), MAP_SHARED_VALIDATE: since Linux 4.15", validated),
	CASE("map.validated_anonymous", "MAP-85", 'I', 0, 0,
		"MAP_SHARED_VALIDATE with MAP_ANONYMOUS gives EINVAL",
		"mm/mmap.c; mmap(2) does not say it", validated_anonymous),
	CASE("map.grows_down", "MAP-44", 'L', 0, 0,
		"a touch below a MAP_GROWSDOWN mapping makes it grow, page by page",
		"mmap(2), MAP_GROWSDOWN: a touch of the guard page makes it grow by a page; LTP "
		"mmap18", grows_down),
	CASE("map.denywrite", "MAP-41 S28", 'L', NEEDS_DIR | MYTH, 0,
		"MAP_DENYWRITE is ignored: the file can be written",
		"mmap(2), MAP_DENYWRITE: this flag is ignored; the tutorial says that writes are "
		"refused", denywrite),
	CASE("map.locked", "MAP-42 S29", 'I', 0, 0,
		"MAP_LOCKED: the pages are in memory",
		"mmap(2), MAP_LOCKED: mmap does not fail if populating fails", locked),
	CASE("map.locked_limit", "MAP-42 S29 S33", 'L', 0, 0,
		"MAP_LOCKED over RLIMIT_MEMLOCK gives EAGAIN",
		"mmap(2), ERRORS: EAGAIN: too much memory has been locked", locked_limit),
	CASE("map.populate", "MAP-43", 'I', 0, 0,
		"whether MAP_POPULATE brings pages into memory",
		"mmap(2), MAP_POPULATE", populate),
	CASE("map.rare_flags", "MAP-44", 'I', 0, 0,
		"what rare flags give",
		"mmap(2), the flags argument", rare_flags),
	CASE("map.too_many", "MAP-45", 'I', EXOTIC, 0,
		"how many mappings there can be",
		"proc(5), /proc/sys/vm/max_map_count", too_many),
	CASE("map.closed_unlinked", "MAP-51 R3", 'P', NEEDS_DIR, 0,
		"a mapping outlives the descriptor and the name",
		"POSIX mmap, DESCRIPTION: an extra reference that close does not remove; unlink",
		closed_unlinked),
	CASE("map.exec_drops", "MAP-52", 'L', NEEDS_PROC, 0,
		"exec drops the mappings",
		"execve(2), Effect on process attributes: memory mappings are not preserved",
		exec_drops),
	CASE("map.append", "MAP-53", 'I', FILES, 0,
		"O_APPEND does not keep a file from being mapped for writing",
		"mmap(2), ERRORS: EACCES means the attribute", append_mode),
	CASE("map.mtime", "MAP-54", 'P', NEEDS_DIR, 0,
		"after a store and msync the file's mtime is new",
		"POSIX mmap, DESCRIPTION: between a write reference and the next call to msync",
		mtime),
	CASE("map.large_offset", "MAP-76", 'L', 0, 0,
		"an offset of more than 4 GiB is that offset",
		"mmap(2), DESCRIPTION: length bytes starting at offset", large_offset),
};
ALL_ROWS(mmap_flags);
