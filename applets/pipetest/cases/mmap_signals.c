/*
 * mmap_signals.c - cases of mappings: what faults, and with which signal
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

static void gone(char *p)
{
	t_segv(p, 'r', SEGV_MAPERR);
}

/* --- protections -------------------------------------------------------------------------- */

static void prot_none(void)
{
	char *p = t_nowhere();

	t_segv(p + 1, 'r', SEGV_ACCERR);
	t_segv(p + t.page - 1, 'w', SEGV_ACCERR);
	t_ok(mprotect(p, t.page, RW), "mprotect");
	t_touch(p, 'w');
}

/* The case compares pages only, because s390 reports no more than the page of an address. */
static void fault_at(char *p, char access)
{
	uintptr_t page = (uintptr_t)p / t.page;

	wantf(t_fault_of(p, access) != 0, 1, "a signal of '%c' at %p", access, p);
	if ((uintptr_t)t_fault.si_addr / t.page != page && t_emulated())
		t_skip("emulated");
	wantf((uintptr_t)t_fault.si_addr / t.page, page, "the page of si_addr, %p",
		t_fault.si_addr);
}

static void fault_address(void)
{
	char *none = t_map(2 * t.page, PROT_NONE, ANON, -1);
	char *bus = t_share(t_object(1), 2 * t.page);

	fault_at(none + 1, 'r');
	fault_at(none + 2 * t.page - 1, 'w');
	fault_at(bus + t.page, 'r');
	fault_at(bus + 2 * t.page - 1, 'w');
}

static void write_only(void)
{
	int fd = t_object(t.page);
	char *p = t_map(t.page, PROT_WRITE, MAP_SHARED, fd);

	t_touch(p, 'w');
	t_get(fd, 0, 1);
	t_info("reading it: signal %d", t_fault_of(p, 'r'));
}

static void read_only(void)
{
	int fd = t_object(t.page);
	char *p = t_view(fd, t.page);

	t_put(fd, 'r', 0, 1);
	t_segv(p, 'w', SEGV_ACCERR);
	want(*p, 'r', "the byte");
}

/* The function refers to no address, so that its first bytes can be copied and run. */
__attribute__((noinline, no_profile_instrument_function)) static int answer(void)
{
	return 42;
}

/* The lowest bit of a function's address may be a mode (Thumb), or the function may lie at an odd
 * address, so the case keeps that bit. The pointer is volatile, because compilers take the bit for
 * 0. */
static uintptr_t place(void)
{
	int (*volatile function)(void) = answer;

	return (uintptr_t)function;
}

static void call_copy(void *p)
{
	if (((int (*)(void))((uintptr_t)p + place() % 2))() != 42)
		abort();
}

static char *code(void)
{
	enum { ENOUGH = 64 };
	char *p = t_pages(1);

	memcpy(p, (void *)(place() - place() % 2), ENOUGH);
	__builtin___clear_cache(p, p + ENOUGH);
	return p;
}

static void exec_runs(void)
{
	char *p = code();

	if (mprotect(p, t.page, PROT_READ | PROT_EXEC) < 0)
		t_skip("no-exec-memory");
	want(t_signal_of(call_copy, p), 0, "signal of code in a PROT_EXEC page");
}

static void exec_refused(void)
{
	t_info("code in a page without PROT_EXEC: signal %d", t_signal_of(call_copy, code()));
}

/* Stores the letters of p's mapping. Its line begins "ADDRESS-END rwxp", and a read of
 * /proc/self/maps gives whole lines: proc(5). */
static void perms(const char *p, char got[5])
{
	char text[4097], key[24], *line = NULL, *next;
	int fd = open("/proc/self/maps", O_RDONLY);
	ssize_t n;

	scnprintf(key, sizeof(key), "%08lx-", (unsigned long)p);
	while (!line && (n = read(fd, text, sizeof(text) - 1)) > 0) {
		text[n] = '\0';
		for (line = text; line && strncmp(line, key, strlen(key)); line = next)
			next = (next = strchr(line, '\n')) ? next + 1 : NULL;
	}
	close(fd);
	line = line ? strchr(line, ' ') : NULL;
	scnprintf(got, 5, "%s", line ? line + 1 : "");
}

/* POSIX mmap lets a mapping allow more than was asked for: RISC-V has no write-only pages. */
static void in_maps(void)
{
	static const char rwx[][4] = { "---", "r--", "-w-", "rw-" };
	int fd = t_object(t.page);

	for (int prot = PROT_NONE; prot <= RW; prot++)
		for (int flags = MAP_SHARED; flags <= MAP_PRIVATE; flags++) {
			const char *expected = rwx[prot];
			char got[5];

			perms(t_map(t.page, prot, flags, fd), got);
			if (prot == PROT_WRITE && got[0] == 'r')
				expected = rwx[RW];
			wantf(memcmp(got, expected, 2), 0, "\"%s\" against %s", got, expected);
			want(got[3], flags == MAP_SHARED ? 's' : 'p', "the last letter");
		}
}

/* --- munmap ------------------------------------------------------------------------------- */

static void unmap_first(void)
{
	char *p = t_pages(2);

	t_unmap(p, t.page);
	gone(p);
	gone(p + t.page - 1);
	t_touch(p + t.page, 'w');
}

static void unmap_middle(void)
{
	char *p = t_pages(3);

	t_unmap(p + t.page, t.page);
	gone(p + t.page);
	t_touch(p, 'w');
	t_touch(p + 2 * t.page, 'w');
}

static void unmap_twice(void)
{
	char *p = t_pages(3);

	t_unmap(p + t.page, t.page);
	t_unmap(p + t.page, t.page);
	t_unmap(p, 3 * t.page);
	gone(p + 2 * t.page);
}

static void unmap_invalid(void)
{
	char *p = t_pages(2);

	want_ret(munmap(p, 0), -EINVAL, "munmap of 0 bytes");
	want_ret(munmap(p, 0 - t.page), -EINVAL, "munmap of more than there can be");
	t_touch(p + t.page, 'w');
}

static void unmap_unaligned(void)
{
	char *p = t_pages(2);

	want_ret(munmap(p + 1, t.page), -EINVAL, "munmap of an address within a page");
	t_touch(p + t.page, 'w');
}

static void unmap_byte(void)
{
	char *p = t_pages(2);

	t_unmap(p, 1);
	gone(p + t.page - 1);
	t_touch(p + t.page, 'r');
}

/* Where a cache goes by virtual addresses, as on ARMv6, addresses and offsets must have the same
 * distance (SHMLBA). So the second mapping is one of a file as well. */
static void unmap_two(void)
{
	const size_t len = 4 * t.page, half = 2 * t.page;
	char *p = t_share(t_object(len), len), *second = p + half;

	want(mmap(second, t.page, RW, MAP_SHARED | MAP_FIXED, t_object(len), half) == second, 1,
		"MAP_FIXED");
	t_unmap(p + t.page, 2 * t.page);
	gone(p + t.page);
	gone(second);
	t_touch(p, 'w');
	t_touch(second + t.page, 'w');
}

/* --- the end of the file -------------------------------------------------------------------- */

static void past_end(void)
{
	char *p = t_share(t_object(t.page + 1), 3 * t.page);

	t_touch(p + 2 * t.page - 1, 'w');
	t_bus(p + 2 * t.page, 'r');
	t_bus(p + 3 * t.page - 1, 'w');
}

static void empty(void)
{
	char *p = t_share(t_object(0), t.page);

	t_bus(p, 'r');
	t_bus(p, 'w');
}

static long resize(long fd)
{
	return ret(ftruncate(fd, 0));
}

static void truncated(void)
{
	int fd = t_object(2 * t.page);
	char *p = t_share(fd, 2 * t.page);

	memset(p, 5, 2 * t.page);
	t_child(resize, fd, 0);
	t_bus(p, 'r');
	t_truncate(fd, t.page, 0);
	want(p[0] + p[t.page - 1], 0, "what comes back when the file grows");
	t_bus(p + t.page, 'r');
}

/* A private page that was stored to must not outlive the end of its file either. */
static void private_truncated(void)
{
	int fd = t_object(2 * t.page);
	char *p = t_map(2 * t.page, RW, MAP_PRIVATE, fd);

	p[t.page] = 'x';
	t_truncate(fd, t.page, 0);
	want(t_fault_of(p + t.page, 'r'), SIGBUS, "signal of a private page behind the new end");
}

static void system_call(void)
{
	char *p = t_share(t_object(1), 2 * t.page);

	want_ret(write(t.w, p + t.page, 1), -EFAULT, "write of a byte behind the end");
	p_unread(0);
	p_write(1);
	want_ret(read(t.r, p + t.page, 1), -EFAULT, "read to behind the end");
}

static void grown(void)
{
	int fd = t_object(0);
	char *p = t_share(fd, 2 * t.page);

	t_bus(p, 'w');
	t_truncate(fd, t.page + 1, 0);
	t_touch(p, 'w');
	t_touch(p + t.page, 'w');
	t_get(fd, t.page, 1);
}

/* The case fills a small file system, which only this process sees. */
static void no_space(void)
{
	enum { PAGES = 64 };
	char size[32], *p;
	int n = 0;

	scnprintf(size, sizeof(size), "size=%zu", 4 * t.page);
	if (!t_own_mounts() || !t_enter("tmpfs", size))
		t_skip("no-mount");
	p = t_share(t_file("sparse", PAGES * t.page), PAGES * t.page);
	while (n < PAGES && t_fault_of(p + n * t.page, 'w') == 0)
		n++;
	want(n, 4, "pages stored");
	t_bus(p + 4 * t.page, 'w');
}

const struct test_case mmap_signals_cases[] = {
	CASE("map.prot_none", "MAP-20 S22", 'P', 0, 0,
		"PROT_NONE: any access gives SIGSEGV with SEGV_ACCERR",
		"POSIX mmap, DESCRIPTION: shall not permit any access; <signal.h>: SEGV_ACCERR",
		prot_none),
	CASE("map.fault_address", "MAP-20 MAP-70", 'L', FILES, 0,
		"si_addr is in the page that faults",
		"sigaction(2), si_addr: the address of the fault", fault_address),
	CASE("map.prot_write", "MAP-21 R1 S22", 'P', FILES | MYTH, 0,
		"PROT_WRITE alone can be mapped and stored to",
		"POSIX mmap, DESCRIPTION: shall support PROT_WRITE; the tutorial says that "
		"PROT_READ is required", write_only),
	CASE("map.prot_read", "MAP-22 S22", 'P', FILES, 0,
		"PROT_READ: a store gives SIGSEGV and changes nothing",
		"POSIX mmap, DESCRIPTION: shall not permit a write where PROT_WRITE has not been "
		"set; <signal.h>: SEGV_ACCERR", read_only),
	CASE("map.prot_exec", "MAP-23 S22", 'L', 0, 0,
		"code in a PROT_EXEC page runs",
		"mprotect(2), PROT_EXEC: the memory can be executed; LTP mmap03", exec_runs),
	CASE("map.no_exec", "MAP-23 S22", 'I', 0, 0,
		"what code in a page without PROT_EXEC gives",
		"mmap(2), NOTES: it depends on the processor", exec_refused),
	CASE("map.in_maps", "MAP-24 S22", 'L', NEEDS_PROC, 0,
		"/proc/self/maps shows protection and sharing",
		"proc(5), /proc/PID/maps: perms; LTP mmap04", in_maps),
	CASE("map.unmap_first", "MAP-60 MAP-61 R5", 'P', MYTH, 0,
		"a part can be unmapped: SIGSEGV with SEGV_MAPERR there, and the rest stays",
		"POSIX munmap, DESCRIPTION; <signal.h>: SEGV_MAPERR; the tutorial says only what "
		"mmap returned", unmap_first),
	CASE("map.unmap_middle", "MAP-62 MAP-61 R5", 'P', MYTH, 0,
		"munmap in the middle leaves both ends",
		"POSIX munmap, DESCRIPTION: those entire pages; the tutorial says only what mmap "
		"returned", unmap_middle),
	CASE("map.unmap_twice", "MAP-63", 'P', 0, 0,
		"munmap where nothing is succeeds",
		"POSIX munmap, DESCRIPTION: no mappings: no effect", unmap_twice),
	CASE("map.unmap_invalid", "MAP-64", 'P', 0, 0,
		"munmap of 0 bytes, or of more than there can be, gives EINVAL",
		"POSIX munmap, ERRORS: EINVAL", unmap_invalid),
	CASE("map.unmap_unaligned", "MAP-64", 'L', 0, 0,
		"munmap of an address within a page gives EINVAL",
		"munmap(2), DESCRIPTION: addr must be a multiple of the page size; LTP munmap03",
		unmap_unaligned),
	CASE("map.unmap_byte", "MAP-65", 'P', 0, 0,
		"munmap of a byte unmaps its page",
		"POSIX munmap, DESCRIPTION: those entire pages containing any part", unmap_byte),
	CASE("map.unmap_two", "MAP-66", 'P', FILES, 0,
		"munmap may span two mappings",
		"POSIX munmap, DESCRIPTION: any mappings", unmap_two),
	CASE("map.past_end", "MAP-70", 'P', FILES, 0,
		"a page wholly behind the end gives SIGBUS with BUS_ADRERR",
		"POSIX mmap, DESCRIPTION: whole pages following the end: SIGBUS; <signal.h>",
		past_end),
	CASE("map.empty", "MAP-71 R4", 'P', FILES | MYTH, 0,
		"an empty file can be mapped; an access gives SIGBUS",
		"POSIX mmap, DESCRIPTION: whole pages following the end: SIGBUS; the tutorial says "
		"that it cannot", empty),
	CASE("map.truncated", "MAP-72", 'L', FILES, 0,
		"after another process truncates: SIGBUS; after growth: zeros",
		"mmap(2), ERRORS: SIGBUS; gVisor mmap.cc ReadSharedTruncateDownThenUp; xfstests "
		"generic/029", truncated),
	CASE("map.private_truncated", "MAP-86", 'L', FILES, 0,
		"a private page that was stored to gives SIGBUS behind the file's new end",
		"mmap(2), ERRORS: SIGBUS: lies beyond the end of the mapped file",
		private_truncated),
	CASE("map.system_call", "MAP-73", 'L', KINDS, 0,
		"a system call on a page behind the end gives EFAULT, and no signal",
		"read(2), write(2), ERRORS: EFAULT", system_call),
	CASE("map.grown", "MAP-74", 'L', FILES, 0,
		"growth of the file makes its pages usable",
		"mmap(2), ERRORS: SIGBUS only beyond the end; gVisor mmap.cc WriteSharedTruncateUp",
		grown),
	CASE("map.no_space", "MAP-75", 'I', NEEDS_DIR | EXOTIC, 0,
		"no space for a page of a sparse file: SIGBUS",
		"POSIX mmap, DESCRIPTION: an implementation may generate SIGBUS", no_space),
};
ALL_ROWS(mmap_signals);
