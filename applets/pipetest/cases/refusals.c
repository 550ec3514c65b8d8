/*
 * refusals.c - cases of a pipe by itself: what it refuses, odd amounts, and bad addresses
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "../case.h"

/* --- calls for files that can seek ----------------------------------------------------- */

static void no_lseek(int first, int last)
{
	p_write(1);
	for (int whence = first; whence <= last; whence++) {
		want_ret(lseek(t.r, 0, whence), -ESPIPE, "lseek of the read end");
		want_ret(lseek(t.w, 0, whence), -ESPIPE, "lseek of the write end");
	}
}

static void espipe(void)
{
	char byte = 0;

	no_lseek(SEEK_SET, SEEK_END);
	want_ret(pread(t.r, &byte, 1, 0), -ESPIPE, "pread");
	want_ret(pwrite(t.w, &byte, 1, 0), -ESPIPE, "pwrite");
}

static void espipe_linux(void)
{
	char byte = 0;
	struct iovec v = { &byte, 1 };

	no_lseek(SEEK_DATA, SEEK_HOLE);
	want_ret(preadv(t.r, &v, 1, 0), -ESPIPE, "preadv");
	want_ret(pwritev(t.w, &v, 1, 0), -ESPIPE, "pwritev");
}

static long preadv2_nowait(struct iovec *v)
{
	/* 8 is RWF_NOWAIT, and not every libc has the call */
	return ret(syscall(SYS_preadv2, t.r, v, 1, -1L, -1L, 8));
}

static void rwf_nowait(void)
{
	char byte;
	struct iovec v = { &byte, 1 };
	long got = preadv2_nowait(&v);

	if (got == -EOPNOTSUPP || missing(got))
		t_skip("no-RWF_NOWAIT");
	want(got, -EAGAIN, "preadv2(RWF_NOWAIT) of an empty pipe");
	p_write(1);
	want(preadv2_nowait(&v), 1, "preadv2(RWF_NOWAIT) of one byte");
}

static void no_sync(void)
{
	want_ret(fsync(t.r), -EINVAL, "fsync of the read end");
	want_ret(fsync(t.w), -EINVAL, "fsync of the write end");
	want_ret(fdatasync(t.w), -EINVAL, "fdatasync");
	want_ret(ftruncate(t.w, 0), -EINVAL, "ftruncate");
}

static void errnos(void)
{
	struct winsize ws;

	want_if_there(fallocate(t.w, 0, 0, 1), -ESPIPE, "fallocate");
	want(-posix_fadvise(t.r, 0, 0, POSIX_FADV_NORMAL), -ESPIPE, "posix_fadvise");
	want_if_there(readahead(t.r, 0, 1), -EINVAL, "readahead");
	want_if_there(sync_file_range(t.r, 0, 1, 0), -ESPIPE, "sync_file_range");
	want_if_there(copy_file_range(t.r, NULL, t.w, NULL, 1, 0), -EINVAL, "copy_file_range");
	want_ret(ioctl(t.r, TIOCGWINSZ, &ws), -ENOTTY, "ioctl(TIOCGWINSZ)");
}

static void no_map(void)
{
	t_no_map(PROT_READ, MAP_SHARED, t.r, -ENODEV);
	t_no_map(PROT_READ, MAP_SHARED, t.w, -EACCES);
}

/* --- odd amounts ------------------------------------------------------------------------ */

static void zero_read(void)
{
	p_write(3);
	p_read(0, 0);
	p_read(9, 3);
}

static void zero(void)
{
	p_nonblock_r();
	p_nonblock_w();
	t_info("read(0) of an empty pipe = %ld", t_checked_read(t.r, 0));
	p_write(0);
	p_unread(0);
	p_poll_r(POLLIN, 0);
	p_fill();
	p_write(0);
}

static void zero_no_reader(void)
{
	t_catch(SIGPIPE, 0);
	p_close_r();
	p_write(0);
	t_signals(0);
}

static void vectors(void)
{
	static char text[] = "abcdefgh", head[3], tail[5];
	static const struct iovec from[] = {
		{ text, 1 }, { NULL, 0 }, { text + 1, 5 }, { text + 6, 2 },
	};
	static const struct iovec to[] = { { head, sizeof(head) }, { tail, sizeof(tail) } };

	want_ret(writev(t.w, from, ARRAY_SIZE(from)), 8, "writev of 1 + 0 + 5 + 2 bytes");
	want_ret(readv(t.r, to, ARRAY_SIZE(to)), 8, "readv of 3 + 5 bytes");
	want(memcmp(head, text, sizeof(head)), 0, "memcmp of the first part");
	want(memcmp(tail, text + sizeof(head), sizeof(tail)), 0, "memcmp of the second part");
}

static void count_of_vectors(long n, long expected)
{
	char byte = 0;
	struct iovec v = { &byte, 1 };

	wantf(ret(syscall(SYS_writev, t.w, &v, n)), expected, "writev of %ld vectors", n);
	wantf(ret(syscall(SYS_readv, t.r, &v, n)), expected, "readv of %ld vectors", n);
}

static void iovcnt(void)
{
	count_of_vectors(IOV_MAX + 1, -EINVAL);
	count_of_vectors(-1, -EINVAL);
}

static void no_vectors(void)
{
	count_of_vectors(0, 0);
}

static void ssize_max(void)
{
	static char text[2];
	const struct iovec v[] = { { text, 1 }, { text + 1, SSIZE_MAX + (size_t)1 } };

	p_nonblock_r();
	p_nonblock_w();
	want_ret(writev(t.w, v, 2), -EINVAL, "writev of SSIZE_MAX + 2 bytes");
	want_ret(readv(t.r, v, 2), -EINVAL, "readv of SSIZE_MAX + 2 bytes");
	p_read(1, -EAGAIN);
}

static void file_size_limit(void)
{
	t_limit(RLIMIT_FSIZE, 1);
	p_write(t.pipe_buf);
	p_read(t.pipe_buf, t.pipe_buf);
}

/* --- bad addresses ----------------------------------------------------------------------- */

static void efault_write(void)
{
	want_ret(write(t.w, t_nowhere(), 100), -EFAULT, "write from PROT_NONE");
	p_unread(0);
	p_write(5);
	p_read(10, 5);
}

static void efault_read(void)
{
	p_write(100);
	want_ret(read(t.r, t_nowhere(), 100), -EFAULT, "read to PROT_NONE");
}

static void efault_read_stays(void)
{
	efault_read();
	p_read(200, 100);
}

/* Maps n bytes of memory. The page behind them allows no access. */
static char *before_nowhere(size_t n)
{
	size_t len = (n / t.page + 1) * t.page;
	char *p = t_anon(len + t.page);

	t_ok(mprotect(p + len, t.page, PROT_NONE), "mprotect");
	return p + len - n;
}

/* got is the result of a transfer of which only "good" bytes have memory. Returns how many bytes
 * the result counts. */
static size_t part_or_efault(long got, size_t good, const char *call)
{
	if (got == -EFAULT)
		return 0;
	want_part(got, good, call);
	return got;
}

static void half_bad_write(size_t half)
{
	char *p = memcpy(before_nowhere(half), t_pattern(half), half);
	size_t counted;

	p_nonblock_w();
	counted = part_or_efault(ret(write(t.w, p, 2 * half)), half, "write of a half bad buffer");
	p_holds(counted);
}

static void efault_half(void)
{
	half_bad_write(50);
}

static void efault_pages(void)
{
	half_bad_write(t.page + 50);
}

static void half_bad_read(size_t half)
{
	size_t all = p_fill(), counted;
	char *p = before_nowhere(half);

	counted = part_or_efault(ret(read(t.r, p, all)), half, "read to a half bad buffer");
	t.stream->consumed += counted;
	p_holds(all - counted);
}

static void efault_read_half(void)
{
	half_bad_read(50);
}

static void efault_read_pages(void)
{
	half_bad_read(t.slots > 1 ? t.page + 50 : t.page / 2);
}

const struct test_case refusals_cases[] = {
	CASE("bas.espipe", "BAS-09", 'P', KINDS, 0,
		"lseek, pread and pwrite give ESPIPE",
		"POSIX lseek, pread, pwrite, ERRORS: ESPIPE", espipe),
	CASE("bas.espipe_linux", "BAS-09", 'L', KINDS, 0,
		"preadv, pwritev, SEEK_DATA and SEEK_HOLE give ESPIPE",
		"lseek(2), ERRORS: ESPIPE: a pipe; readv(2), ERRORS: those of lseek(2)",
		espipe_linux),
	CASE("bas.rwf_nowait", "BAS-10", 'L', 0, 0,
		"preadv2(RWF_NOWAIT) of an empty pipe gives EAGAIN",
		"readv(2), RWF_NOWAIT: do not wait for data; afed6271f5b0 (6.4): pipes know it",
		rwf_nowait),
	CASE("bas.no_sync", "BAS-11", 'L', KINDS, 0,
		"fsync, fdatasync and ftruncate of a pipe give EINVAL",
		"fsync(2), ERRORS: EINVAL: a pipe; truncate(2), ERRORS: EINVAL: no regular file",
		no_sync),
	CASE("bas.errnos", "BAS-11", 'L', KINDS, 0,
		"fallocate, posix_fadvise, sync_file_range: ESPIPE; readahead, copy_file_range: "
		"EINVAL; terminal ioctl: ENOTTY",
		"fallocate(2), posix_fadvise(2), sync_file_range(2), readahead(2), "
		"copy_file_range(2), ioctl(2), ERRORS", errnos),
	CASE("bas.no_map", "BAS-11", 'I', KINDS, 0,
		"mmap of a read end gives ENODEV, of a write end EACCES",
		"mmap(2) names ENODEV and EACCES; which one comes first is open", no_map),
	CASE("bas.zero_read", "BAS-12", 'P', KINDS, 0,
		"read of 0 bytes gives 0, and takes nothing out",
		"POSIX read, DESCRIPTION: shall return zero and have no other results", zero_read),
	CASE("bas.zero", "BAS-12", 'I', KINDS, 0,
		"write of 0 bytes gives 0 at once, empty or full, and nothing is queued",
		"POSIX write, DESCRIPTION: unspecified; write(2): not specified", zero),
	CASE("bas.zero_no_reader", "BAS-12", 'I', KINDS, 0,
		"write of 0 bytes without readers gives 0 and no SIGPIPE",
		"POSIX write, DESCRIPTION: unspecified; write(2): not specified", zero_no_reader),
	CASE("bas.vectors", "BAS-13", 'P', KINDS, 0,
		"writev gathers and readv scatters in order",
		"POSIX writev, readv, DESCRIPTION: in the order iov[0], iov[1]", vectors),
	CASE("bas.iovcnt", "BAS-13", 'L', KINDS, 0,
		"too many vectors, or a negative number of them, give EINVAL",
		"readv(2), ERRORS: EINVAL", iovcnt),
	CASE("bas.no_vectors", "BAS-13", 'I', KINDS, 0,
		"readv and writev of no vectors give 0",
		"POSIX readv, writev: EINVAL is allowed", no_vectors),
	CASE("bas.ssize_max", "BAS-13", 'P', KINDS, 0,
		"vectors of more than SSIZE_MAX bytes in all give EINVAL",
		"POSIX readv, writev, ERRORS: EINVAL if the sum overflows an ssize_t", ssize_max),
	CASE("bas.file_size_limit", "BAS-37", 'P', KINDS, 0,
		"RLIMIT_FSIZE does not bind what is written to a pipe",
		"POSIX write, O_NONBLOCK clear: shall return nbyte; getrlimit: the limit is one of "
		"files", file_size_limit),
	CASE("bas.efault_write", "BAS-19", 'L', KINDS, 0,
		"a write from a bad address gives EFAULT, and nothing is queued",
		"write(2), ERRORS: EFAULT; LTP write05", efault_write),
	CASE("bas.efault_read", "BAS-20", 'L', KINDS, 0,
		"a read to a bad address gives EFAULT",
		"read(2), ERRORS: EFAULT; LTP read02", efault_read),
	CASE("bas.efault_read_stays", "BAS-20", 'I', KINDS, 0,
		"after a read to a bad address the data are still there",
		"read(2), RETURN VALUE: after an error the position is left unspecified",
		efault_read_stays),
	CASE("bas.efault_half", "BAS-21", 'L', KINDS, 0,
		"a write of a half bad buffer queues what it counts, no more and no less",
		"write(2), RETURN VALUE: the number of bytes written; ERRORS: EFAULT", efault_half),
	CASE("bas.efault_pages", "BAS-21", 'L', KINDS, 0,
		"a write of a bad buffer with more than a good page queues what it counts",
		"write(2), RETURN VALUE: the number of bytes written; ERRORS: EFAULT",
		efault_pages),
	CASE("bas.efault_read_half", "BAS-35", 'L', KINDS, 0,
		"a read to a half bad buffer takes out what it counts, no more",
		"read(2), RETURN VALUE: the number of bytes read; ERRORS: EFAULT",
		efault_read_half),
	CASE("bas.efault_read_pages", "BAS-35", 'L', KINDS, 0,
		"a read to a bad buffer with a good page takes out what it counts",
		"read(2), RETURN VALUE: the number of bytes read; ERRORS: EFAULT",
		efault_read_pages),
};
ALL_ROWS(refusals);
