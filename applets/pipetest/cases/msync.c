/*
 * msync.c - cases of msync
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

static void t_msync(char *p, size_t len, int flags, long expected)
{
	wantf(ret(msync(p, len, flags)), expected, "msync(%p, %zu, %d)", p, len, flags);
}

static void succeeds(void)
{
	static const int flags[] = {
		MS_SYNC, MS_ASYNC, 0, MS_SYNC | MS_INVALIDATE, MS_ASYNC | MS_INVALIDATE,
	};
	int fd = t_object(2 * t.page);
	char *p = t_share(fd, 2 * t.page);

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		p[t.page] = 'a' + i;
		t_msync(p, 2 * t.page, flags[i], 0);
		t_msync(p + t.page, 1, flags[i], 0);
		t_get(fd, t.page, 'a' + i);
	}
}

/* The case unmaps the page in the middle. */
static void refuses(void)
{
	char *p = t_anon_shared(3 * t.page), *mid = p + t.page;

	t_msync(p, t.page, MS_SYNC | MS_ASYNC, -EINVAL);
	t_unmap(mid, t.page);
	if (msync(mid, t.page, MS_SYNC) == 0 && t_emulated())
		t_skip("emulated");
	t_msync(mid, t.page, MS_SYNC, -ENOMEM);
	t_msync(p, 3 * t.page, MS_SYNC, -ENOMEM);
}

static void unaligned(void)
{
	t_msync((char *)t_anon_shared(2 * t.page) + 1, t.page, MS_SYNC, -EINVAL);
}

static void nothing_mapped(void)
{
	char *p = t_pages(1);

	t_unmap(p, t.page);
	t_msync(p, 0, MS_SYNC, 0);
}

static void locked(void)
{
	char *p = t_share(t_object(t.page), t.page);

	if (mlock(p, t.page) < 0)
		t_skip("memlock-limit");
	t_msync(p, t.page, MS_SYNC | MS_INVALIDATE, -EBUSY);
	t_msync(p, t.page, MS_SYNC, 0);
}

/* Returns the 64-bit entry with this index, or 0 if this process may not read it: proc(5). */
static uint64_t entry(const char *path, uint64_t index)
{
	uint64_t e = 0;
	int fd = open(path, O_RDONLY);

	if (pread(fd, &e, sizeof(e), index * sizeof(e)) != sizeof(e))
		e = 0;
	close(fd);
	return e;
}

/* pagemap gives the number of the page frame, and kpageflags the flags of that frame. */
static bool dirty(const char *p)
{
	enum { DIRTY = 1 << 4 };
	uint64_t frame = entry("/proc/self/pagemap", (uintptr_t)p / t.page) & ((1ULL << 55) - 1);

	if (!frame)
		t_skip("no-pagemap");
	return entry("/proc/kpageflags", frame) & DIRTY;
}

static void cleans(void)
{
	char *p = t_share(t_file("f", t.page), t.page);
	bool before;

	*p = 'a';
	t_msync(p, t.page, MS_ASYNC, 0);
	before = dirty(p);
	t_msync(p, t.page, MS_SYNC, 0);
	t_info("a page with a store is dirty: %d; after MS_SYNC: %d", before, dirty(p));
}

const struct test_case msync_cases[] = {
	CASE("msy.succeeds", "MSY-01", 'L', FILES, 0,
		"MS_SYNC, MS_ASYNC, MS_INVALIDATE and 0 succeed, for any length",
		"msync(2), DESCRIPTION and NOTES: neither flag; LTP msync01, 02", succeeds),
	CASE("msy.refuses", "MSY-02", 'P', 0, 0,
		"MS_SYNC with MS_ASYNC gives EINVAL, a page that is not mapped ENOMEM",
		"POSIX msync, ERRORS: EINVAL: flags; ENOMEM", refuses),
	CASE("msy.unaligned", "MSY-02", 'L', 0, 0,
		"msync of an address within a page gives EINVAL",
		"msync(2), ERRORS: EINVAL: not a multiple of the page size; LTP msync03",
		unaligned),
	CASE("msy.nothing_mapped", "MSY-02", 'I', 0, 0,
		"msync of 0 bytes where nothing is mapped succeeds",
		"gVisor msync.cc UnmappedAddressWithZeroLengthSucceeds", nothing_mapped),
	CASE("msy.locked", "MSY-03", 'P', FILES, 0,
		"MS_INVALIDATE of a locked page gives EBUSY",
		"POSIX msync, ERRORS: EBUSY", locked),
	CASE("msy.cleans", "MSY-04", 'I', NEEDS_DIR | NEEDS_PROC, 0,
		"whether the page is clean after MS_SYNC",
		"proc(5), /proc/kpageflags", cleans),
};
ALL_ROWS(msync);
