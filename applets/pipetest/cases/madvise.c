/*
 * madvise.c - cases of madvise, and of holes that fallocate punches into files
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

static void advise(void *p, size_t len, int advice)
{
	long got = ret(madvise(p, len, advice));

	if (missing(got))
		t_skip("no-madvise");
	wantf(got, 0, "madvise(%zu bytes, advice %d)", len, advice);
}

/* Skips the case where this kernel or file system does not know the advice. */
static void advise_if_known(void *p, size_t len, int advice, const char *token)
{
	long got = ret(madvise(p, len, advice));

	if (got == -EINVAL || got == -EOPNOTSUPP || missing(got))
		t_skip(token);
	wantf(got, 0, "madvise(%zu bytes, advice %d)", len, advice);
}

static void dontneed_anonymous(void)
{
	char *p = t_pages(2);

	memset(p, 'a', 2 * t.page);
	advise(p, t.page, MADV_DONTNEED);
	want(p[0], 0, "the first byte that was given up");
	want(p[t.page - 1], 0, "the last byte that was given up");
	want(p[t.page], 'a', "the page behind it");
}

static void dontneed_shared(void)
{
	int fd = t_object(t.page);
	char *p = t_share(fd, t.page);

	*p = 's';
	advise(p, t.page, MADV_DONTNEED);
	want(*p, 's', "the byte in the mapping");
	t_get(fd, 0, 's');
}

static void dontneed_private(void)
{
	int fd = t_object(t.page);
	char *p = t_map(t.page, RW, MAP_PRIVATE, fd);

	t_put(fd, 'f', 0, 1);
	*p = 'p';
	advise(p, t.page, MADV_DONTNEED);
	want(*p, 'f', "the byte, which is the file's");
}

static void hole(void)
{
	char *p = t_pages(3);

	memset(p, 'a', 3 * t.page);
	t_unmap(p + t.page, t.page);
	if (missing(ret(madvise(p, t.page, MADV_NORMAL))))
		t_skip("no-madvise");
	want_ret(madvise(p, 3 * t.page, MADV_DONTNEED), -ENOMEM, "madvise over a hole");
	want(p[0], 0, "the page before the hole");
	want(p[2 * t.page], 0, "the page behind the hole");
}

static void bad_arguments(void)
{
	char *p = t_pages(2);

	advise(p, t.page, MADV_NORMAL);
	want_ret(madvise(p + 1, t.page, MADV_NORMAL), -EINVAL, "madvise of an address in a page");
	want_ret(madvise(p, t.page, 12345), -EINVAL, "madvise with an unknown advice");
	t_ok(madvise(p, 0, MADV_NORMAL), "madvise of 0 bytes");
}

static void hints(void)
{
	static const int advice[] = { MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED };
	int fd = t_object(2 * t.page);
	char *p = t_share(fd, 2 * t.page);

	*p = 'a';
	for (size_t i = 0; i < ARRAY_SIZE(advice); i++)
		advise(p, 2 * t.page, advice[i]);
	want(*p, 'a', "the byte that was stored before");
}

static long fault_at(long address)
{
	return t_fault_of((void *)address, 'r');
}

static void dontfork(void)
{
	char *p = t_pages(2);

	memset(p, 'a', 2 * t.page);
	advise_if_known(p, t.page, MADV_DONTFORK, "no-MADV_DONTFORK");
	t_child(fault_at, (long)p, SIGSEGV);
	t_child(fault_at, (long)(p + t.page), 0);
	want(*p, 'a', "the parent's byte");
	advise(p, t.page, MADV_DOFORK);
	t_child(fault_at, (long)p, 0);
}

static long byte_of(long address)
{
	return *(char *)address;
}

static void wipeonfork(void)
{
	char *p = t_pages(2);

	memset(p, 'a', 2 * t.page);
	advise_if_known(p, t.page, 18, "no-MADV_WIPEONFORK"); /* since Linux 4.14 */
	t_child(byte_of, (long)p, 0);
	t_child(byte_of, (long)(p + t.page), 'a');
	want(*p, 'a', "the parent's byte");
}

/* Expects that the file has three pages of letters, of which the middle one is a hole. */
static void is_punched(int fd, const char *p)
{
	want(p[0], 'a', "the page before the hole, in the mapping");
	want(p[t.page], 0, "the hole, in the mapping");
	want(p[2 * t.page], 'a', "the page behind the hole, in the mapping");
	t_get(fd, t.page, 0);
	t_size(fd, 3 * t.page);
}

static char *three_pages(int *fd)
{
	char *p;

	*fd = t_object(3 * t.page);
	p = t_share(*fd, 3 * t.page);
	memset(p, 'a', 3 * t.page);
	return p;
}

static void removed(void)
{
	int fd;
	char *p = three_pages(&fd);

	advise_if_known(p + t.page, t.page, MADV_REMOVE, "no-MADV_REMOVE");
	is_punched(fd, p);
}

static void punched(void)
{
	enum { PUNCH_HOLE = 3 }; /* is FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE */
	int fd;
	char *p = three_pages(&fd);
	long got = ret(fallocate(fd, PUNCH_HOLE, t.page, t.page));

	if (got == -EOPNOTSUPP || missing(got))
		t_skip("no-punch-hole");
	want(got, 0, "fallocate with FALLOC_FL_PUNCH_HOLE");
	is_punched(fd, p);
}

const struct test_case madvise_cases[] = {
	CASE("adv.dontneed_anonymous", "ADV-01", 'L', 0, 0,
		"MADV_DONTNEED: private anonymous memory is zero after it",
		"madvise(2), MADV_DONTNEED: zero-fill-on-demand pages; gVisor madvise.cc "
		"ZerosPrivateAnonPage", dontneed_anonymous),
	CASE("adv.dontneed_shared", "ADV-01", 'L', FILES, 0,
		"MADV_DONTNEED: a shared mapping keeps its bytes",
		"madvise(2), MADV_DONTNEED: contents of the mapped file; gVisor madvise.cc "
		"DoesNotModifySharedFilePage", dontneed_shared),
	CASE("adv.dontneed_private", "ADV-01", 'L', FILES, 0,
		"MADV_DONTNEED: a private mapping shows the file again",
		"gVisor madvise.cc CleansPrivateFilePage; QEMU tests/tcg linux-madvise.c test_file",
		dontneed_private),
	CASE("adv.hole", "ADV-02", 'L', 0, 0,
		"madvise over a hole gives ENOMEM, and the advice holds for the rest",
		"madvise(2), VERSIONS, Linux: applies the call to the rest, but returns ENOMEM; "
		"LTP madvise02", hole),
	CASE("adv.bad_arguments", "ADV-03", 'L', 0, 0,
		"madvise: an address within a page, or an unknown advice, gives EINVAL; 0 bytes "
		"succeed",
		"madvise(2), ERRORS: EINVAL; VERSIONS, Linux: length may be zero; LTP madvise02",
		bad_arguments),
	CASE("adv.hints", "ADV-07", 'L', FILES, 0,
		"hints about the use of a mapping succeed and change no byte",
		"madvise(2), DESCRIPTION: do not influence the semantics of the application; LTP "
		"madvise01", hints),
	CASE("adv.dontfork", "ADV-04", 'L', 0, 0,
		"MADV_DONTFORK: a child does not have the page; MADV_DOFORK undoes it",
		"madvise(2), MADV_DONTFORK, MADV_DOFORK; gVisor madvise.cc DontforkAnonPrivate",
		dontfork),
	CASE("adv.wipeonfork", "ADV-05", 'L', 0, 0,
		"MADV_WIPEONFORK: a child finds zeros, and the parent its bytes",
		"madvise(2), MADV_WIPEONFORK: zero-filled memory in the child; LTP madvise10",
		wipeonfork),
	CASE("adv.removed", "ADV-06", 'L', FILES, 0,
		"MADV_REMOVE: the range shows as zeros, in the mapping and in the file",
		"madvise(2), MADV_REMOVE: subsequent accesses see data with a value of zero",
		removed),
	CASE("adv.punched", "ADV-06", 'L', FILES, 0,
		"a punched hole shows as zeros, in the mapping and in the file",
		"fallocate(2), FALLOC_FL_PUNCH_HOLE: subsequent reads return zeros", punched),
};
ALL_ROWS(madvise);
