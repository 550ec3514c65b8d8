/*
 * mprotect.c - cases of mprotect
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/syscall.h>
#include "../case.h"

/* Makes the system call itself, because musl's mprotect() rounds the address down to a page. */
static void protect(char *p, size_t len, int prot, long expected)
{
	wantf(ret(syscall(SYS_mprotect, p, len, prot)), expected, "mprotect(%zu bytes, prot %#x)",
		len, (unsigned)prot);
}

static void unaligned(void)
{
	char *p = t_pages(2);

	protect(p + 1, t.page, PROT_READ, -EINVAL);
	t_touch(p, 'w');
}

static void unknown_bits(void)
{
	enum { UNKNOWN = 1 << 22 };	/* no architecture has a protection there */
	char *p = t_pages(1);

	protect(p, t.page, PROT_READ | UNKNOWN, -EINVAL);
	t_touch(p, 'w');
}

/* Maps three pages, and unmaps the middle one again. */
static char *with_hole(void)
{
	char *p = t_pages(3);

	t_unmap(p + t.page, t.page);
	return p;
}

static void hole(void)
{
	char *p = with_hole();

	protect(p, 3 * t.page, PROT_READ, -ENOMEM);
	protect(p + t.page, t.page, PROT_READ, -ENOMEM);
}

static void before_hole(void)
{
	char *p = with_hole();

	protect(p, 3 * t.page, PROT_READ, -ENOMEM);
	t_segv(p, 'w', SEGV_ACCERR);
	t_touch(p + 2 * t.page, 'w');
}

static void huge(void)
{
	char *p = t_pages(1);

	protect(p, 0 - t.page, PROT_READ, -ENOMEM);
}

static void one_byte(void)
{
	char *p = t_pages(2);

	protect(p, 1, PROT_READ, 0);
	t_segv(p + t.page - 1, 'w', SEGV_ACCERR);
	t_touch(p + t.page, 'w');
}

static void no_bytes(void)
{
	char *p = t_pages(1);

	protect(p, 0, PROT_NONE, 0);
	t_touch(p, 'w');
}

static void keeps_contents(void)
{
	char *p = t_pages(1);

	*p = 'k';
	protect(p, t.page, PROT_NONE, 0);
	t_segv(p, 'r', SEGV_ACCERR);
	protect(p, t.page, RW, 0);
	want(*p, 'k', "the byte that was stored before");
}

static void middle(void)
{
	char *p = t_pages(3);

	protect(p + t.page, t.page, PROT_READ, 0);
	t_touch(p, 'w');
	t_segv(p + t.page, 'w', SEGV_ACCERR);
	t_touch(p + 2 * t.page, 'w');
}

/* The second mapping is private. Where a cache has aliases, ARM refuses a shared one at an address
 * of another colour with EINVAL (arch/arm/mm/mmap.c); POSIX mmap, EINVAL, allows that. */
static void two_mappings(void)
{
	char *p = t_pages(2);
	void *second = mmap(p + t.page, t.page, PROT_READ, ANON | MAP_FIXED, -1, 0);

	want(second == p + t.page, true, "MAP_PRIVATE, MAP_FIXED: the second page");
	protect(p, 2 * t.page, RW, 0);
	t_touch(p, 'w');
	t_touch(p + t.page, 'w');
}

/* The kernel itself obeys the protection when it copies. */
static void system_calls(void)
{
	char *p = t_pages(1);

	p_write(1);
	protect(p, t.page, PROT_READ, 0);
	want_ret(read(t.r, p, 1), -EFAULT, "read to a page that may only be read");
	protect(p, t.page, PROT_NONE, 0);
	want_ret(write(t.w, p, 1), -EFAULT, "write from a page without access");
}

static long lock_page(long address)
{
	char *p = (char *)address;

	protect(p, t.page, PROT_NONE, 0);
	return t_fault_of(p, 'r');
}

static void of_the_process(void)
{
	char *p = t_anon_shared(t.page);

	t_child(lock_page, (long)p, SIGSEGV);
	t_touch(p, 'w');
}

const struct test_case mprotect_cases[] = {
	CASE("mpr.unaligned", "MPR-01", 'L', 0, 0,
		"mprotect of an address within a page gives EINVAL, and nothing changes",
		"mprotect(2), ERRORS: EINVAL: not a multiple of the page size; LTP mprotect01",
		unaligned),
	CASE("mpr.unknown_bits", "MPR-01", 'L', 0, 0,
		"mprotect with unknown bits gives EINVAL, and nothing changes",
		"mprotect(2), ERRORS: EINVAL: invalid flags in prot", unknown_bits),
	CASE("mpr.hole", "MPR-02", 'P', 0, 0,
		"mprotect of a page that is not mapped gives ENOMEM",
		"POSIX mprotect, ERRORS: ENOMEM: one or more pages which are not mapped", hole),
	CASE("mpr.before_hole", "MPR-02", 'I', 0, 0,
		"the pages before a hole are changed, those behind it are not",
		"mm/mprotect.c; POSIX: some of the pages may have been changed", before_hole),
	CASE("mpr.huge", "MPR-03", 'P', 0, 0,
		"mprotect of more than the address space gives ENOMEM",
		"POSIX mprotect, ERRORS: ENOMEM: invalid for the address space", huge),
	CASE("mpr.one_byte", "MPR-04", 'P', 0, 0,
		"a length of 1 changes the whole page, and no other",
		"POSIX mprotect, DESCRIPTION: those whole pages containing any part", one_byte),
	CASE("mpr.no_bytes", "MPR-04", 'I', 0, 0,
		"a length of 0 succeeds and changes nothing",
		"mm/mprotect.c", no_bytes),
	CASE("mpr.keeps_contents", "MPR-05", 'P', 0, 0,
		"PROT_NONE keeps the contents",
		"POSIX mprotect, DESCRIPTION: shall change the access protections", keeps_contents),
	CASE("mpr.middle", "MPR-06", 'P', 0, 0,
		"mprotect in the middle leaves both ends as they were",
		"POSIX mprotect, DESCRIPTION: those whole pages", middle),
	CASE("mpr.two_mappings", "MPR-06", 'P', 0, 0,
		"mprotect may span two mappings",
		"POSIX mprotect, DESCRIPTION: those whole pages", two_mappings),
	CASE("mpr.system_calls", "MPR-07", 'L', KINDS, 0,
		"read to a page that may only be read, write from PROT_NONE: EFAULT",
		"read(2), write(2), ERRORS: EFAULT", system_calls),
	CASE("mpr.of_the_process", "MPR-08", 'P', 0, 0,
		"mprotect in a child does not touch the parent",
		"POSIX mprotect, DESCRIPTION: the address space of the process; fork",
		of_the_process),
};
ALL_ROWS(mprotect);
