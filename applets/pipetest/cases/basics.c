/*
 * basics.c - a pipe by itself: how it is made, what it is, what it refuses
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "../case.h"

static int lowest_fd(void)
{
	int fd = dup(t.r);

	close(fd);
	return fd;
}

/* --- making one ---------------------------------------------------------------------- */

static void write_read(void)
{
	p_write(27);
	p_read(27, 27);
	p_write(t.page);
	p_read(t.cap, t.page);
}

static void lowest(void)
{
	int a = dup(t.r), between = dup(t.r), b = dup(t.r), fd[2];

	close(a);
	close(b);
	t_pipe(fd);
	wantf(fd[0] < fd[1] ? fd[0] : fd[1], a, "the lower one, with %d in use,", between);
	want(fd[0] < fd[1] ? fd[1] : fd[0], b, "the higher one");
}

static void flags(void)
{
	static const int mode[2] = { O_RDONLY, O_WRONLY };
	int fd[2];

	t_pipe(fd);
	for (int end = 0; end < 2; end++) {
		want(fcntl(fd[end], F_GETFL) & (O_ACCMODE | O_NONBLOCK), mode[end], "F_GETFL");
		t_getfd(fd[end], 0);
	}
}

static void wrong_end(void)
{
	t_read(t.w, 1, -EBADF);
	t_write(t.r, 1, -EBADF);
}

static void close_twice(void)
{
	t_close(t.r);
	want_ret(close(t.r), -EBADF, "close(the read end) again");
	t_close(t.w);
	want_ret(close(t.w), -EBADF, "close(the write end) again");
}

/* The system call itself: a libc may store through the pointer. */
static void bad_pointer(void)
{
	int before = lowest_fd(), after;
	void *bad[] = { NULL, t_nowhere(),
		t_map(t.page, PROT_READ, ANON, -1) };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		wantf(ret(syscall(SYS_pipe2, bad[i], 0)), -EFAULT, "pipe2(%p)", bad[i]);
	after = lowest_fd();
	if (after != before && emulated())
		skip("emulated");
	want(after, before, "the lowest free descriptor");
}

static void one_fd_left(void)
{
	int last = lowest_fd(), fd[2];

	t_limit(RLIMIT_NOFILE, last + 1);
	want_ret(pipe(fd), -EMFILE, "pipe with one descriptor left");
	want_ret(dup(t.r), last, "that one");
	want_ret(pipe(fd), -EMFILE, "pipe with none left");
}

static void as_many_as_fit(void)
{
	int limit = lowest_fd() + 21, open = 0, fd[2];
	long made = 0, result;

	t_limit(RLIMIT_NOFILE, limit);
	for (int i = 0; i < limit; i++)
		open += fcntl(i, F_GETFD) >= 0;
	while ((result = ret(pipe(fd))) == 0)
		made++;
	if (result == -ENFILE) /* pipe-user-pages-hard: pipe(7) */
		skip("pipe-quota");
	wantf(result, -EMFILE, "pipe number %ld", made + 1);
	want(made, (limit - open) / 2, "pipes");
}

static void reopened(void)
{
	enum { TIMES = 1000 };
	int first = lowest_fd(), fd[2];

	for (int i = 0; i < TIMES; i++)
		if (pipe(fd) < 0 || close(fd[0]) < 0 || close(fd[1]) < 0)
			fail("pipe %d: %s", i, strerror(errno));
	want(lowest_fd(), first, "the lowest free descriptor after 1000 pipes");
	t_pipe(fd);
	t_write(fd[1], t.page, t.page);
	t_read(fd[0], t.page, t.page);
}

/* --- what it is ---------------------------------------------------------------------- */

static void fstat_both(void)
{
	const struct stat *st;
	dev_t dev;
	ino_t ino;
	int other[2];

	t_pipe(other);
	p_write(7);
	st = t_stat(t.r);
	dev = st->st_dev;
	ino = st->st_ino;
	want(st->st_mode, S_IFIFO | 0600, "st_mode");
	want(st->st_size, 0, "st_size with 7 bytes in the pipe");
	want(st->st_nlink, 1, "st_nlink");
	t_stat(t.w);
	want(st->st_ino == ino && st->st_dev == dev, true, "one inode for both ends");
	t_stat(other[0]);
	want(st->st_ino == ino && st->st_dev == dev, false, "one inode for two pipes");
}

static void fstatfs_it(void)
{
	struct statfs fs;

	t_ok(fstatfs(t.r, &fs), "fstatfs");
	want((uint32_t)fs.f_type, 0x50495045, "f_type"); /* PIPEFS_MAGIC, statfs(2) */
	want(fs.f_bsize, t.page, "f_bsize");
	want(fs.f_namelen, NAME_MAX, "f_namelen");
}

static void size(void)
{
	t_capacity(t.r, t.cap);
	want(t.cap % t.page, 0, "F_GETPIPE_SZ modulo the page size");
	want(t.slots & (t.slots - 1), 0, "the number of its pages, less the highest bit");
	want(t.slots > 0, true, "at least one page");
}

static void pipe_buf(void)
{
	want(fpathconf(t.r, _PC_PIPE_BUF), t.pipe_buf, "_PC_PIPE_BUF of the read end");
	want(fpathconf(t.w, _PC_PIPE_BUF), t.pipe_buf, "_PC_PIPE_BUF of the write end");
	want(t.pipe_buf >= _POSIX_PIPE_BUF, true, "PIPE_BUF is enough for POSIX");
	p_nonblock_w();
	p_write(t.pipe_buf);
}

static void locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	info("flock %s", flock(t.r, LOCK_EX | LOCK_NB) ? strerror(errno) : "works");
	info("fcntl F_SETLK %s", fcntl(t.w, F_SETLK, &lock) ? strerror(errno) : "works");
	info("fchmod %s", fchmod(t.r, 0640) ? strerror(errno) : "works");
}

static void times(void)
{
	const struct stat *st;

	t_epoch(t.r);
	p_write(1);
	p_read(1, 1);
	st = t_stat(t.r);
	info("write %s st_mtime, read %s st_atime", st->st_mtime ? "updates" : "does not update",
		st->st_atime ? "updates" : "does not update");
}

static void proc_name(void)
{
	char path[40], name[40], expected[40];
	long n;

	scnprintf(path, sizeof(path), "/proc/self/fd/%d", t.w);
	scnprintf(expected, sizeof(expected), "pipe:[%llu]", (long long)t_stat(t.w)->st_ino);
	n = ret(readlink(path, name, sizeof(name) - 1));
	wantf(n, strlen(expected), "readlink(%s)", path);
	name[n] = '\0';
	if (strcmp(name, expected))
		fail("%s is '%s', expected '%s'", path, name, expected);
}

static void proc_reopen(void)
{
	int fd = t_reopen(t.r, O_WRONLY);

	p_close_w();
	p_poll_r(POLLIN, 0);
	t_write(fd, 5, 5);
	p_read(10, 5);
	t_close(fd);
	p_read(10, 0);
}

/* --- what it refuses ------------------------------------------------------------------ */

static void espipe(void)
{
	char byte = 0;
	struct iovec v = { &byte, 1 };

	p_write(1);
	for (int whence = SEEK_SET; whence <= SEEK_HOLE; whence++) {
		want_ret(lseek(t.r, 0, whence), -ESPIPE, "lseek of the read end");
		want_ret(lseek(t.w, 0, whence), -ESPIPE, "lseek of the write end");
	}
	want_ret(pread(t.r, &byte, 1, 0), -ESPIPE, "pread");
	want_ret(pwrite(t.w, &byte, 1, 0), -ESPIPE, "pwrite");
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
		skip("no-RWF_NOWAIT");
	want(got, -EAGAIN, "preadv2(RWF_NOWAIT) of an empty pipe");
	p_write(1);
	want(preadv2_nowait(&v), 1, "preadv2(RWF_NOWAIT) of one byte");
}

static void no_sync(void)
{
	want_ret(fsync(t.r), -EINVAL, "fsync(read end)");
	want_ret(fsync(t.w), -EINVAL, "fsync(write end)");
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
	t_no_map(PROT_READ, MAP_SHARED, t.r, -ENODEV);
	t_no_map(PROT_READ, MAP_SHARED, t.w, -EACCES);
	want_ret(ioctl(t.r, TIOCGWINSZ, &ws), -ENOTTY, "ioctl(TIOCGWINSZ)");
}

/* --- odd amounts and addresses --------------------------------------------------------- */

static void zero(void)
{
	p_read(0, 0);
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
	want(memcmp(tail, text + sizeof(head), sizeof(tail)), 0, "memcmp of the second");
}

static void iovcnt(void)
{
	static const struct {
		long count, expected;
	} table[] = { { 0, 0 }, { IOV_MAX + 1, -EINVAL }, { -1, -EINVAL } };
	char byte = 0;
	struct iovec v = { &byte, 1 };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		long n = table[i].count;

		wantf(ret(syscall(SYS_writev, t.w, &v, n)), table[i].expected, "writev of %ld", n);
		wantf(ret(syscall(SYS_readv, t.r, &v, n)), table[i].expected, "readv of %ld", n);
	}
}

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
	p_read(200, 100);
}

/* How much of it is queued POSIX leaves open; that it is what write returns, not. */
static void half_bad(size_t half)
{
	size_t len = 2 * t.page;
	char *p = t_anon(2 * len);
	long got;

	memcpy(p + len - half, pattern(half), half);
	t_ok(mprotect(p + len, len, PROT_NONE), "mprotect");
	p_nonblock_w();
	got = ret(write(t.w, p + len - half, 2 * half));
	if (got != -EFAULT && (got <= 0 || got > (long)half))
		fail("write of %zu bytes, half of them unreadable, = %ld %s", 2 * half, got,
			errname(got));
	p_unread(got > 0 ? got : 0);
	p_drain(got > 0 ? got : 0);
}

static void efault_half(void)
{
	half_bad(50);
}

static void efault_pages(void)
{
	half_bad(t.page + 50);
}

const struct test_case basics_cases[] = {
	CASE("bas.write_read", "BAS-01 S4", 'P', KINDS, 0,
		"what is written can be read: the same number of the same bytes",
		"POSIX write, read", write_read),
	CASE("bas.lowest", "BAS-02 S4", 'P', 0, 0, "pipe() takes the two lowest free descriptors",
		"POSIX pipe", lowest),
	CASE("bas.flags", "BAS-02 S4", 'P', 0, 0,
		"fd[0] is for reading, fd[1] for writing; O_NONBLOCK and FD_CLOEXEC clear",
		"POSIX pipe", flags),
	CASE("bas.wrong_end", "BAS-03 S1", 'L', KINDS, 0,
		"reading the write end, writing the read end: EBADF", "read(2), write(2)",
		wrong_end),
	CASE("bas.close_twice", "BAS-03", 'P', KINDS, 0, "closing an end a second time: EBADF",
		"POSIX close", close_twice),
	CASE("bas.bad_pointer", "BAS-04", 'L', 0, 0,
		"pipe2() to a bad address: EFAULT, and no descriptor is lost", "pipe(2)",
		bad_pointer),
	CASE("bas.one_fd_left", "BAS-05", 'P', 0, 0,
		"with one free descriptor pipe() is EMFILE and takes none", "POSIX pipe",
		one_fd_left),
	CASE("bas.as_many_as_fit", "BAS-06", 'P', 0, 0,
		"there are half as many pipes as free descriptors", "POSIX pipe", as_many_as_fit),
	CASE("bas.reopened", "BAS-30", 'P', 0, 0,
		"a thousand pipes, one after the other, leave no descriptor behind", "POSIX close",
		reopened),
	CASE("bas.fstat", "BAS-07", 'L', KINDS, 0,
		"S_IFIFO, 0600, size 0, one link; the ends share an inode, two pipes do not",
		"inode(7)", fstat_both),
	CASE("bas.fstatfs", "BAS-08", 'L', 0, 0, "PIPEFS_MAGIC, blocks of a page, names of 255",
		"fstatfs(2)", fstatfs_it),
	CASE("bas.size", "BAS-26", 'L', KINDS, 0,
		"F_GETPIPE_SZ is a power of two of pages, for both ends", "fcntl(2)", size),
	CASE("bas.pipe_buf", "BAS-27", 'P', KINDS, 0,
		"fpathconf() says at least 512, and that much fits", "POSIX limits.h", pipe_buf),
	CASE("bas.locks", "BAS-28", 'I', 0, 0, "whether a pipe can be locked and its mode changed",
		"POSIX allows either", locks),
	CASE("bas.times", "BAS-29 REG-19", 'I', KINDS, 0,
		"whether write and read update the timestamps",
		"POSIX: they do; Linux 6.15: no longer for pipes, f017b0a4951f", times),
	CASE("bas.proc_name", "BAS-14", 'L', NEEDS_PROC, 0,
		"its link in /proc/self/fd is pipe:[inode]", "proc(5)", proc_name),
	CASE("bas.proc_reopen", "BAS-14 S3", 'L', KINDS | NEEDS_PROC, 0,
		"the read end's /proc/self/fd opened O_WRONLY is a writer", "proc(5)", proc_reopen),
	CASE("bas.espipe", "BAS-09", 'P', KINDS, 0, "lseek, pread, pwrite, preadv, pwritev: ESPIPE",
		"POSIX lseek, pread", espipe),
	CASE("bas.rwf_nowait", "BAS-10", 'L', 0, 0, "preadv2(RWF_NOWAIT) of an empty pipe: EAGAIN",
		"afed6271f5b0, Linux 6.4", rwf_nowait),
	CASE("bas.no_sync", "BAS-11", 'P', KINDS, 0, "fsync, fdatasync, ftruncate: EINVAL",
		"POSIX fsync, ftruncate", no_sync),
	CASE("bas.errnos", "BAS-11", 'L', KINDS, 0,
		"what calls for files and terminals say: ESPIPE, EINVAL, ENODEV, ENOTTY",
		"posix_fadvise(2), mmap(2) ...", errnos),
	CASE("bas.zero", "BAS-12", 'L', KINDS, 0,
		"0 bytes: 0 at once, empty or full, and nothing is queued", "read(2), write(2)",
		zero),
	CASE("bas.zero_no_reader", "BAS-12", 'L', KINDS, 0,
		"a write of 0 bytes without readers: 0, no SIGPIPE", "write(2)", zero_no_reader),
	CASE("bas.vectors", "BAS-13", 'P', KINDS, 0, "writev gathers and readv scatters in order",
		"POSIX writev", vectors),
	CASE("bas.iovcnt", "BAS-13", 'L', KINDS, 0,
		"no vectors: 0; too many or a negative number: EINVAL", "readv(2)", iovcnt),
	CASE("bas.efault_write", "BAS-19", 'L', KINDS, 0,
		"a write from a bad address: EFAULT, and nothing is queued", "write(2)",
		efault_write),
	CASE("bas.efault_read", "BAS-20", 'L', KINDS, 0,
		"a read to a bad address: EFAULT, and the data stay", "read(2)", efault_read),
	CASE("bas.efault_half", "BAS-21", 'P', KINDS, 0,
		"a half bad buffer: what write counts is queued, no more, no less", "POSIX write",
		efault_half),
	CASE("bas.efault_pages", "BAS-21", 'P', KINDS, 0,
		"the same with more than a page in the good half", "POSIX write", efault_pages),
};
ALL_ROWS(basics);
