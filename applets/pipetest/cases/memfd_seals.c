/*
 * memfd_seals.c - cases of sealed memory files: every way to write, and newer flags
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/sendfile.h>
#include "../case.h"

enum { PUNCH_HOLE = 3, NOEXEC_SEAL = 8, SEAL_EXEC = 0x20 };	/* fallocate(2), memfd_create(2) */

/* Makes a memfd with a page of 'm', and seals it against writes. */
static int write_sealed(void)
{
	int fd = t_memfd("sealed", MFD_ALLOW_SEALING);
	char *page = xmalloc(t.page);

	memset(page, 'm', t.page);
	want_ret(write(fd, page, t.page), t.page, "write before the seal");
	t_seek(fd, 0);
	t_ok(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), "F_ADD_SEALS, F_SEAL_WRITE");
	return fd;
}

static void unchanged(int fd)
{
	t_size(fd, t.page);
	t_get(fd, 0, 'm');
	t_get(fd, t.page - 1, 'm');
}

static void punch(void)
{
	int fd = write_sealed();
	long got = ret(fallocate(fd, PUNCH_HOLE, 0, t.page));

	if (got == -ENOSYS || got == -EOPNOTSUPP)
		t_skip("no-punch-hole");
	want(got, -EPERM, "fallocate with FALLOC_FL_PUNCH_HOLE");
	unchanged(fd);
}

static void by_splice(void)
{
	int fd = write_sealed();

	t_needs_splice();
	p_write(10);
	t_splice(t.r, fd, 10, -EPERM);
	unchanged(fd);
	p_holds(10);
}

static void by_sendfile(void)
{
	int fd = write_sealed(), in = t_data(10);

	t_needs(ret(sendfile(-1, -1, NULL, 1)), "no-sendfile");
	want_ret(sendfile(fd, in, NULL, 10), -EPERM, "sendfile to a sealed memfd");
	unchanged(fd);
}

static void by_copy(void)
{
	int fd = write_sealed(), in = t_data(10);

	t_needs(ret(copy_file_range(-1, NULL, -1, NULL, 1, 0)), "no-copy_file_range");
	want_ret(copy_file_range(in, NULL, fd, NULL, 10, 0), -EPERM,
		"copy_file_range to a sealed memfd");
	unchanged(fd);
}

static void by_truncation(void)
{
	int fd = t_memfd("shrink", MFD_ALLOW_SEALING);
	char path[40];

	t_truncate(fd, t.page, 0);
	t_ok(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), "F_ADD_SEALS, F_SEAL_SHRINK");
	scnprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	want_ret(open(path, O_RDWR | O_TRUNC), -EPERM, "open with O_TRUNC, through /proc");
	t_size(fd, t.page);
}

static void noexec_seal(void)
{
	int fd = memfd_create("noexec", NOEXEC_SEAL);

	if (fd < 0 && (errno == EINVAL || missing(-errno)))
		t_skip("no-MFD_NOEXEC_SEAL");
	want(t_stat(fd)->st_mode & 0111, 0, "its execute bits");
	wantf(ret(fcntl(fd, F_GET_SEALS)) & SEAL_EXEC, SEAL_EXEC, "F_SEAL_EXEC in its seals");
	want_ret(fchmod(fd, 0777), -EPERM, "fchmod(0777)");
}

static void null_name(void)
{
	close(t_memfd("probe", 0));
	want_ret(memfd_create(t_nowhere(), 0), -EFAULT, "memfd_create of a bad address");
}

const struct test_case memfd_seals_cases[] = {
	CASE("mfd.sealed_punch", "MFD-08", 'L', 0, 0,
		"F_SEAL_WRITE: a hole cannot be punched: EPERM",
		"fcntl(2), F_SEAL_WRITE: fallocate with FALLOC_FL_PUNCH_HOLE fails with EPERM",
		punch),
	CASE("mfd.sealed_splice", "MFD-08", 'L', KINDS, 0,
		"F_SEAL_WRITE: splice to the file gives EPERM, and the pipe keeps its data",
		"fcntl(2), File Sealing: fail with EPERM; F_SEAL_WRITE: you cannot modify the "
		"contents", by_splice),
	CASE("mfd.sealed_sendfile", "MFD-08", 'L', 0, 0,
		"F_SEAL_WRITE: sendfile to the file gives EPERM",
		"fcntl(2), File Sealing: fail with EPERM; F_SEAL_WRITE: you cannot modify the "
		"contents", by_sendfile),
	CASE("mfd.sealed_copy", "MFD-08", 'L', 0, 0,
		"F_SEAL_WRITE: copy_file_range to the file gives EPERM",
		"fcntl(2), File Sealing: fail with EPERM; F_SEAL_WRITE: you cannot modify the "
		"contents", by_copy),
	CASE("mfd.sealed_truncation", "MFD-09", 'L', NEEDS_PROC, 0,
		"F_SEAL_SHRINK: open with O_TRUNC through /proc gives EPERM",
		"fcntl(2), F_SEAL_SHRINK: affects open with O_TRUNC; open(2), ERRORS: EPERM: a "
		"file seal", by_truncation),
	CASE("mfd.noexec_seal", "MFD-10", 'L', 0, 0,
		"MFD_NOEXEC_SEAL: no execute bits, and F_SEAL_EXEC keeps them away",
		"mfd_noexec.rst of the kernel: MFD_NOEXEC_SEAL (since Linux 6.3); kernel selftest "
		"memfd_test", noexec_seal),
	CASE("mfd.null_name", "MFD-11", 'L', 0, 0,
		"memfd_create without a name gives EFAULT",
		"memfd_create(2), ERRORS: EFAULT; LTP memfd_create02", null_name),
};
ALL_ROWS(memfd_seals);
