/*
 * vmsplice.c - cases of vmsplice
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/uio.h>
#include "../case.h"

/* A later kernel may make vmsplice a plain copy, which may block where vmsplice did not, and refuse
 * SPLICE_F_NONBLOCK on a FIFO. So a call has the flag, or has so few bytes that all fit. */
static long do_vmsplice(int fd, const void *buf, size_t n, unsigned flags)
{
	struct iovec iov = { (void *)buf, n };
	long got = ret(vmsplice(fd, &iov, 1, flags));

	if (got == -EOPNOTSUPP)
		t_skip("no-nonblock");
	return got;
}

static void need_vmsplice(void)
{
	t_needs(do_vmsplice(-1, "", 1, SPLICE_F_NONBLOCK), "no-vmsplice");
}

static void vmspliced(int fd, const void *buf, size_t n, long expected)
{
	wantf(do_vmsplice(fd, buf, n, SPLICE_F_NONBLOCK), expected, "vmsplice(%d, %zu)", fd, n);
}

/* Returns the next n bytes of the stream, in pages of their own. */
static char *memory(size_t n)
{
	char *p = t_anon(n);

	return memcpy(p, t_pattern(n), n);
}

static void to_pipe_to_file(void)
{
	size_t n = t.cap;
	int file = t_data(0);

	need_vmsplice();
	t_needs_splice();
	vmspliced(t.w, memory(n), n, n);
	t_pattern_wrote(n);
	for (size_t done = 0; done < n;) {
		long got = t_splice_now(t.r, file, n - done);

		want_part(got, n - done, "splice to a file");
		done += got;
	}
	t_seek(file, 0);
	t_drain(file, n);
}

static void no_more_than_fits(void)
{
	size_t n = t.cap + 2 * t.page;

	need_vmsplice();
	vmspliced(t.w, memory(n), n, t.cap);
	t_pattern_wrote(t.cap);
	p_drain(t.cap);
}

static void errors(void)
{
	enum { TOO_MANY = 1025 };	/* is IOV_MAX + 1 */
	struct iovec *iov = xmalloc(TOO_MANY * sizeof(*iov));

	memset(iov, 0, TOO_MANY * sizeof(*iov));
	need_vmsplice();
	vmspliced(t_data(10), "x", 1, -EBADF);
	want_ret(vmsplice(t.w, iov, TOO_MANY, SPLICE_F_NONBLOCK), -EINVAL,
		"vmsplice of 1025 parts");
	p_unread(0);
}

static void bad_address(void)
{
	struct iovec none = { 0 };
	void *hole = t_nowhere();

	need_vmsplice();
	want_ret(vmsplice(t.w, &none, 0, SPLICE_F_NONBLOCK), 0, "vmsplice of no part");
	vmspliced(t.w, hole, 1, -EFAULT);
	p_unread(0);
}

static void unknown_flags(void)
{
	need_vmsplice();
	want(do_vmsplice(t.w, "x", 1, SPLICE_F_NONBLOCK | 0x80), -EINVAL,
		"vmsplice with flag 0x80");
}

static void from_pipe(void)
{
	char buf[100], *expected;

	need_vmsplice();
	expected = memory(60);
	p_write(60);
	vmspliced(t.r, buf, sizeof(buf), 60);
	want(memcmp(buf, expected, 60), 0, "memcmp with what was written");
	p_unread(0);
}

static void full_eagain(void)
{
	need_vmsplice();
	p_fill();
	vmspliced(t.w, "x", 1, -EAGAIN);
}

static long vmsplice_byte(long arg)
{
	close(t.r);
	return do_vmsplice(t.w, "x", arg, 0);
}

static void full_blocks(void)
{
	pid_t job;

	need_vmsplice();
	p_fill();
	job = t_blocked(vmsplice_byte, 1);
	p_drain(t.page);
	t_returns(job, 1);
}

static void zero_copy(void)
{
	char *p = memory(t.page), byte = 0;

	need_vmsplice();
	vmspliced(t.w, p, t.page, t.page);
	p[0] = '!';
	want_ret(read(t.r, &byte, 1), 1, "read");
	t_info("zero-copy: %s (a later change of the memory is %sseen in the pipe)",
		byte == '!' ? "yes" : "no", byte == '!' ? "" : "not ");
}

static void gift_unaligned(void)
{
	char *p = memory(t.page);

	need_vmsplice();
	t_info("SPLICE_F_GIFT of 10 bytes in a page: %ld",
		do_vmsplice(t.w, p + 1, 10, SPLICE_F_NONBLOCK | SPLICE_F_GIFT));
}

const struct test_case vmsplice_cases[] = {
	CASE("vms.to_pipe_to_file", "VMS-01", 'L', KINDS, 0,
		"memory to pipe to file keeps the bytes",
		"vmsplice(2), DESCRIPTION; LTP vmsplice01", to_pipe_to_file),
	CASE("vms.no_more_than_fits", "VMS-01", 'L', KINDS, 0,
		"SPLICE_F_NONBLOCK: no more goes in than fits",
		"vmsplice(2), RETURN VALUE: the number of bytes transferred", no_more_than_fits),
	CASE("vms.errors", "VMS-02", 'L', KINDS, 0,
		"no pipe gives EBADF, more than IOV_MAX parts give EINVAL, and then nothing is "
		"queued",
		"vmsplice(2), ERRORS: EBADF, EINVAL; LTP vmsplice02", errors),
	CASE("vms.bad_address", "VMS-02", 'I', KINDS, 0,
		"no parts give 0; a bad address gives EFAULT, and then nothing is queued",
		"fs/splice.c; vmsplice(2) does not name EFAULT", bad_address),
	CASE("vms.unknown_flags", "VMS-02", 'B', KINDS, BROKEN(2, 6, 4, 10),
		"vmsplice with unknown flags gives EINVAL",
		"3d6ea290f337 (4.10) fixed it; it was so since 2.6.17", unknown_flags),
	CASE("vms.from_pipe", "VMS-03", 'L', KINDS, 0,
		"pipe to memory keeps the bytes",
		"vmsplice(2), DESCRIPTION; LTP vmsplice03", from_pipe),
	CASE("vms.full_eagain", "VMS-04", 'L', KINDS, 0,
		"SPLICE_F_NONBLOCK: a full pipe gives EAGAIN",
		"vmsplice(2), ERRORS: EAGAIN; LTP vmsplice04", full_eagain),
	CASE("vms.full_blocks", "VMS-04", 'L', KINDS, 0,
		"vmsplice to a full pipe blocks until there is room",
		"vmsplice(2), SPLICE_F_NONBLOCK: else it blocks; LTP vmsplice04", full_blocks),
	CASE("vms.zero_copy", "VMS-05", 'I', 0, 0,
		"whether what is spliced is a copy",
		"vmsplice(2), NOTES", zero_copy),
	CASE("vms.gift_unaligned", "VMS-06", 'I', 0, 0,
		"whether SPLICE_F_GIFT takes a part of a page",
		"vmsplice(2), SPLICE_F_GIFT", gift_unaligned),
};
ALL_ROWS(vmsplice);
