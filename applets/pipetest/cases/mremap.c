/*
 * mremap.c - cases of mremap: mappings that grow, shrink and move
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

enum { UNKNOWN_FLAG = 0x40000000 };

static void needed(void)
{
	long got = mremap(NULL, 0, 0, UNKNOWN_FLAG) == MAP_FAILED ? -errno : 0;

	if (missing(got))
		t_skip("no-mremap");
}

/* Maps n pages, each of which begins with a letter of its own. */
static char *numbered_pages(unsigned n)
{
	char *p;

	needed();
	p = t_pages(n);
	for (unsigned i = 0; i < n; i++)
		p[i * t.page] = 'a' + i;
	return p;
}

static long try_remap(void *p, size_t old, size_t len, int flags)
{
	return mremap(p, old, len, flags) == MAP_FAILED ? -errno : 0;
}

static const char *may_move(int flags)
{
	return flags & MREMAP_MAYMOVE ? "MREMAP_MAYMOVE" : "in place";
}

static void no_remap(void *p, size_t old, size_t len, int flags, long expected)
{
	wantf(try_remap(p, old, len, flags), expected, "mremap(%zu to %zu bytes, %s)", old, len,
		may_move(flags));
}

static char *remap(void *p, size_t old, size_t len, int flags)
{
	char *got = mremap(p, old, len, flags);

	wantf(got == MAP_FAILED ? -errno : 0, 0, "mremap(%zu to %zu bytes, %s)", old, len,
		may_move(flags));
	return got;
}

/* Moves len bytes to another address. Returns 0 or -errno. */
static long move_to(void *p, size_t len, void *to, int flags)
{
	return mremap(p, len, len, MREMAP_MAYMOVE | flags, to) == MAP_FAILED ? -errno : 0;
}

/* --- errors ------------------------------------------------------------------------------ */

static void unmapped(void)
{
	char *p = numbered_pages(2);

	t_unmap(p, 2 * t.page);
	no_remap(p, t.page, 2 * t.page, MREMAP_MAYMOVE, -EFAULT);
}

static void hole(void)
{
	char *p = numbered_pages(3);

	t_unmap(p + t.page, t.page);
	no_remap(p, 3 * t.page, 4 * t.page, MREMAP_MAYMOVE, -EFAULT);
	want(p[0], 'a', "the page before the hole");
}

static void bad_arguments(void)
{
	char *p = numbered_pages(2);

	no_remap(p + 1, t.page, t.page, MREMAP_MAYMOVE, -EINVAL);
	no_remap(p, t.page, 0, MREMAP_MAYMOVE, -EINVAL);
	no_remap(p, t.page, t.page, UNKNOWN_FLAG, -EINVAL);
	want(p[0], 'a', "the page");
}

static void fixed_arguments(void)
{
	char *p = numbered_pages(2), *to = t_pages(2);

	want_ret(mremap(p, t.page, t.page, MREMAP_FIXED, to) == MAP_FAILED ? -1 : 0, -EINVAL,
		"mremap, MREMAP_FIXED without MREMAP_MAYMOVE");
	want(move_to(p, t.page, to + 1, MREMAP_FIXED), -EINVAL, "mremap to an address in a page");
	want(move_to(p, 2 * t.page, p + t.page, MREMAP_FIXED), -EINVAL,
		"mremap to an address that overlaps");
	want(p[t.page], 'b', "the second page");
}

/* Maps two pages that cannot grow where they are, because another mapping lies behind them. */
static char *fenced_pages(void)
{
	char *p = numbered_pages(3);

	t_ok(mprotect(p + 2 * t.page, t.page, PROT_NONE), "mprotect");
	return p;
}

static void no_room(void)
{
	char *p = fenced_pages();

	no_remap(p, 2 * t.page, 3 * t.page, 0, -ENOMEM);
	want(p[0], 'a', "the page");
}

/* --- what moves, and what stays ------------------------------------------------------------ */

static void shrinks(void)
{
	char *p = numbered_pages(3);

	want(remap(p, 3 * t.page, t.page, 0) == p, true, "the address is the old one");
	want(p[0], 'a', "the page that is left");
	t_segv(p + t.page, 'r', SEGV_MAPERR);
	t_segv(p + 2 * t.page, 'r', SEGV_MAPERR);
}

static void grows(void)
{
	char *p = fenced_pages();

	p = remap(p, 2 * t.page, 5 * t.page, MREMAP_MAYMOVE);
	want(p[t.page], 'b', "the second page");
	want(p[4 * t.page], 0, "the last new page");
	t_touch(p + 5 * t.page - 1, 'w');
}

static void moves(void)
{
	char *p = numbered_pages(2), *to = t_pages(3);

	to[2 * t.page] = 'z';
	want(move_to(p, 2 * t.page, to, MREMAP_FIXED), 0, "mremap with MREMAP_FIXED");
	want(to[t.page], 'b', "the second page, at its new address");
	want(to[2 * t.page], 'z', "the page behind it");
	t_segv(p, 'r', SEGV_MAPERR);
}

static long store_at(long address)
{
	*(char *)address = 'c';
	return 0;
}

/* The mapping grows, and then shows more of the file, and the child still shares it. */
static void shared_stays_shared(void)
{
	int fd = t_object(3 * t.page);
	char *p;

	needed();
	p = remap(t_share(fd, t.page), t.page, 3 * t.page, MREMAP_MAYMOVE);
	p[2 * t.page] = 'p';
	t_get(fd, 2 * t.page, 'p');
	t_child(store_at, (long)(p + t.page), 0);
	want(p[t.page], 'c', "what the child stored in the second page");
	t_get(fd, t.page, 'c');
}

static void aliases_shared(void)
{
	int fd = t_object(t.page);
	char *p = t_share(fd, t.page), *second;

	needed();
	second = remap(p, 0, t.page, MREMAP_MAYMOVE);
	want(second != p, true, "the second address is another one");
	*second = 's';
	want(*p, 's', "what was stored through the second address");
	t_unmap(p, t.page);
	want(*second, 's', "what the second address shows after munmap of the first");
}

static void no_private_alias(void)
{
	char *p = numbered_pages(1);

	no_remap(p, 0, t.page, MREMAP_MAYMOVE, -EINVAL);
}

/* The old address stays mapped, and has new memory. */
static void dontunmap(void)
{
	enum { DONTUNMAP = 4 }; /* is MREMAP_DONTUNMAP, since Linux 5.7 */
	char *p = numbered_pages(1), *moved = mremap(p, t.page, t.page, MREMAP_MAYMOVE | DONTUNMAP);

	if (moved == MAP_FAILED && errno == EINVAL)
		t_skip("no-MREMAP_DONTUNMAP");
	want(moved == MAP_FAILED ? -errno : 0, 0,
		"mremap with MREMAP_MAYMOVE and MREMAP_DONTUNMAP");
	want(*moved, 'a', "the page at its new address");
	want(*p, 0, "the page at its old address");
	t_touch(p, 'w');
}

const struct test_case mremap_cases[] = {
	CASE("rem.unmapped", "REM-01", 'L', 0, 0,
		"mremap of an address where nothing is mapped gives EFAULT",
		"mremap(2), ERRORS: EFAULT; LTP mremap03", unmapped),
	CASE("rem.hole", "REM-01", 'L', 0, 0,
		"mremap of a range with a hole gives EFAULT, and what is mapped stays",
		"mremap(2), ERRORS: EFAULT: some address in the range is invalid", hole),
	CASE("rem.bad_arguments", "REM-02", 'L', 0, 0,
		"mremap: an address within a page, a new size of 0 or an unknown flag gives EINVAL",
		"mremap(2), ERRORS: EINVAL; LTP mremap02", bad_arguments),
	CASE("rem.fixed_arguments", "REM-02", 'L', 0, 0,
		"MREMAP_FIXED alone, within a page or over the old range gives EINVAL",
		"mremap(2), ERRORS: EINVAL; LTP mremap05", fixed_arguments),
	CASE("rem.no_room", "REM-03", 'L', 0, 0,
		"mremap without room to grow and without MREMAP_MAYMOVE gives ENOMEM",
		"mremap(2), ERRORS: ENOMEM: cannot be expanded at the current address; LTP "
		"mremap04", no_room),
	CASE("rem.shrinks", "REM-04", 'L', 0, 0,
		"a mapping that shrinks keeps its address, and its tail is gone",
		"mremap(2), DESCRIPTION: shrinks; gVisor mremap.cc InPlace_ShrinkingWholeVMA",
		shrinks),
	CASE("rem.grows", "REM-05", 'L', 0, 0,
		"a mapping that moves to grow keeps its bytes; new pages are zero",
		"mremap(2), DESCRIPTION: expands; gVisor mremap.cc MayMove_Expansion", grows),
	CASE("rem.moves", "REM-06", 'L', 0, 0,
		"MREMAP_FIXED replaces what is at the new address, and the old one is gone",
		"mremap(2), MREMAP_FIXED: any previous mapping is unmapped; LTP mremap05", moves),
	CASE("rem.shared_stays_shared", "REM-07", 'L', FILES, 0,
		"a shared mapping that grows stays shared, with its file and with a child",
		"mremap(2), DESCRIPTION: expands an existing mapping; LTP mremap01",
		shared_stays_shared),
	CASE("rem.aliases_shared", "REM-08", 'L', FILES, 0,
		"mremap with old size 0 makes a second address of a shared mapping",
		"mremap(2), DESCRIPTION: old_size is zero: a new mapping of the same pages",
		aliases_shared),
	CASE("rem.no_private_alias", "REM-08", 'B', 0, BROKEN(2, 6, 4, 14),
		"mremap of a private mapping with old size 0 gives EINVAL",
		"dba58d3b8c50 (4.14) fixed it, it was always so; mremap(2), BUGS",
		no_private_alias),
	CASE("rem.dontunmap", "REM-09", 'L', 0, 0,
		"MREMAP_DONTUNMAP leaves new memory at the old address",
		"mremap(2), MREMAP_DONTUNMAP: since Linux 5.7; kernel selftest mremap_dontunmap",
		dontunmap),
};
ALL_ROWS(mremap);
