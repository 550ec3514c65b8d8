/*
 * basics.c - cases of a pipe by itself: how pipe() makes it, and what fstat and /proc say of it
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include "../case.h"

static int lowest_fd(void)
{
	int fd = t_dup(t.r);

	close(fd);
	return fd;
}

/* --- how pipe() makes a pipe --------------------------------------------------------- */

static void write_read(void)
{
	p_write(27);
	p_read(27, 27);
	p_write(t.pipe_buf);
	p_read(2 * t.pipe_buf, t.pipe_buf);
}

static void lowest(void)
{
	int a = t_dup(t.r), between = t_dup(t.r), b = t_dup(t.r), fd[2];

	close(a);
	close(b);
	t_pipe(fd);
	wantf(fd[0] < fd[1] ? fd[0] : fd[1], a, "the lower one, with %d in use,", between);
	want(fd[0] < fd[1] ? fd[1] : fd[0], b, "the higher one");
}

static void flags(void)
{
	int fd[2];

	t_pipe(fd);
	for (int end = 0; end < 2; end++) {
		t_getfl(fd[end], O_NONBLOCK, false);
		t_getfd(fd[end], 0);
	}
}

static void access_modes(void)
{
	int fd[2];

	t_pipe(fd);
	want(fcntl(fd[0], F_GETFL) & O_ACCMODE, O_RDONLY, "F_GETFL of the read end");
	want(fcntl(fd[1], F_GETFL) & O_ACCMODE, O_WRONLY, "F_GETFL of the write end");
}

static void wrong_end(void)
{
	t_read(t.w, 1, -EBADF);
	t_write(t.r, 1, -EBADF);
}

static void close_twice(void)
{
	t_close(t.r);
	want_ret(close(t.r), -EBADF, "the second close of the read end");
	t_close(t.w);
	want_ret(close(t.w), -EBADF, "the second close of the write end");
}

/* The case makes the system call itself, because a libc may store through the pointer. */
static void bad_pointer(void)
{
	int before = lowest_fd(), after;
	void *bad[] = { NULL, t_nowhere(),
		t_map(t.page, PROT_READ, ANON, -1) };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		wantf(ret(syscall(SYS_pipe2, bad[i], 0)), -EFAULT, "pipe2(%p)", bad[i]);
	after = lowest_fd();
	if (after != before && t_emulated())
		t_skip("emulated");
	want(after, before, "the lowest free descriptor");
}

static void one_fd_left(void)
{
	int last = lowest_fd(), fd[2];

	t_limit(RLIMIT_NOFILE, last + 1);
	want_ret(pipe(fd), -EMFILE, "pipe with one descriptor left");
	want_ret(t_dup(t.r), last, "dup, which takes the last descriptor,");
	want_ret(pipe(fd), -EMFILE, "pipe with none left");
}

static void fails_untouched(void)
{
	int fd[2] = { -7, -8 };

	t_limit(RLIMIT_NOFILE, lowest_fd());
	want_ret(pipe(fd), -EMFILE, "pipe with no descriptor left");
	want(fd[0], -7, "the first element of its array");
	want(fd[1], -8, "the second element of its array");
}

static void as_many_as_fit(void)
{
	int limit = lowest_fd() + 21, open = 0, fd[2];
	long made = 0, result;

	t_needs_call("F_GETFD");
	t_limit(RLIMIT_NOFILE, limit);
	for (int i = 0; i < limit; i++)
		open += fcntl(i, F_GETFD) >= 0;
	while ((result = ret(pipe(fd))) == 0)
		made++;
	if (result == -ENFILE) /* the user is at pipe-user-pages-hard: pipe(7) */
		t_skip("pipe-quota");
	wantf(result, -EMFILE, "pipe number %ld", made + 1);
	want(made, (limit - open) / 2, "pipes");
}

static void reopened(void)
{
	enum { TIMES = 1000 };
	int first = lowest_fd(), fd[2];

	for (int i = 0; i < TIMES; i++)
		if (pipe(fd) < 0 || close(fd[0]) < 0 || close(fd[1]) < 0)
			t_fail("pipe %d: %s", i, strerror(errno));
	want(lowest_fd(), first, "the lowest free descriptor after 1000 pipes");
	t_pipe(fd);
	t_write(fd[1], t.pipe_buf, t.pipe_buf);
	t_read(fd[0], t.pipe_buf, t.pipe_buf);
}

/* --- what a pipe is ------------------------------------------------------------------ */

static bool same_inode_of(int a, int b)
{
	struct stat st = *t_stat(a);

	return st.st_ino == t_stat(b)->st_ino && st.st_dev == t_stat(b)->st_dev;
}

static void is_a_fifo(void)
{
	int other[2];

	t_pipe(other);
	want(S_ISFIFO(t_stat(t.r)->st_mode), true, "S_ISFIFO of the read end");
	want(S_ISFIFO(t_stat(t.w)->st_mode), true, "S_ISFIFO of the write end");
	want(same_inode_of(t.r, other[0]), false, "two pipes have the same inode");
}

static void fstat_both(void)
{
	const struct stat *st;

	p_write(7);
	st = t_stat(t.r);
	want(st->st_mode, S_IFIFO | 0600, "st_mode");
	want(st->st_size, 0, "st_size with 7 bytes in the pipe");
	want(st->st_nlink, 1, "st_nlink");
	want(same_inode_of(t.r, t.w), true, "both ends have the same inode");
}

static void owner(void)
{
	const struct stat *st = t_stat(t.r);

	want(st->st_uid, geteuid(), "st_uid, and geteuid");
	want(st->st_gid, getegid(), "st_gid, and getegid");
}

static void fstatfs_it(void)
{
	struct statfs fs;

	t_ok(fstatfs(t.r, &fs), "fstatfs");
	want((uint32_t)fs.f_type, 0x50495045, "f_type"); /* PIPEFS_MAGIC, statfs(2) */
}

static void fstatfs_sizes(void)
{
	struct statfs fs;

	t_ok(fstatfs(t.r, &fs), "fstatfs");
	want(fs.f_bsize, t.page, "f_bsize");
	want(fs.f_namelen, NAME_MAX, "f_namelen");
}

static void size(void)
{
	t_capacity(t.r, t.cap);
	t_capacity(t.w, t.cap);
	want(t.cap >= t.pipe_buf, true, "the capacity is enough for PIPE_BUF bytes");
}

static void power_of_two(void)
{
	want(t.cap % t.page, 0, "F_GETPIPE_SZ modulo the page size");
	want(t.slots & (t.slots - 1), 0, "the number of its pages, less the highest bit");
}

static void pipe_buf(void)
{
	want(fpathconf(t.r, _PC_PIPE_BUF), t.pipe_buf, "_PC_PIPE_BUF of the read end");
	want(fpathconf(t.w, _PC_PIPE_BUF), t.pipe_buf, "_PC_PIPE_BUF of the write end");
	want(t.pipe_buf >= _POSIX_PIPE_BUF, true, "PIPE_BUF is at least _POSIX_PIPE_BUF");
	p_nonblock_w();
	p_write(t.pipe_buf);
}

static void locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	t_info("flock %s", flock(t.r, LOCK_EX | LOCK_NB) ? strerror(errno) : "works");
	t_info("fcntl F_SETLK %s", fcntl(t.w, F_SETLK, &lock) ? strerror(errno) : "works");
	t_info("fchmod %s", fchmod(t.r, 0640) ? strerror(errno) : "works");
}

static void times(void)
{
	const struct stat *st;

	t_epoch(t.r);
	p_write(1);
	p_read(1, 1);
	st = t_stat(t.r);
	want(st->st_mtime > 0, true, "write marks st_mtime");
	want(st->st_atime > 0, true, "read marks st_atime");
}

/* Timestamps may be coarser than the clock, so the case allows a second. */
static void new_times(void)
{
	time_t before = time(NULL) - 1;
	const struct stat *st;
	int fd[2];

	t_pipe(fd);
	st = t_stat(fd[0]);
	want(st->st_atime >= before, true, "st_atime of a new pipe is the time of pipe()");
	want(st->st_mtime >= before, true, "st_mtime of a new pipe is the time of pipe()");
	want(st->st_ctime >= before, true, "st_ctime of a new pipe is the time of pipe()");
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
		t_fail("%s is '%s', expected '%s'", path, name, expected);
}

/* The case opens the write end a second time. The end of file comes when both are closed. */
static void proc_reopen(void)
{
	int fd = t_reopen(t.w, O_WRONLY);

	p_close_w();
	p_poll_r(POLLIN, 0);
	t_write(fd, 5, 5);
	p_read(10, 5);
	t_close(fd);
	p_read(10, 0);
}

static void proc_other_end(void)
{
	int fd = t_reopen(t.r, O_WRONLY);

	t_write(fd, 5, 5);
	p_read(10, 5);
	t_info("the link of the read end, opened O_WRONLY, is a writer");
}

const struct test_case basics_cases[] = {
	CASE("bas.write_read", "BAS-01 S4", 'P', KINDS, 0,
		"what is written can be read: the same number of the same bytes",
		"POSIX pipe, DESCRIPTION: a read accesses what was written, first in, first out",
		write_read),
	CASE("bas.lowest", "BAS-02 S4", 'P', 0, 0,
		"pipe() takes the two lowest free descriptors",
		"POSIX pipe, DESCRIPTION; XSH 2.14: shall allocate the lowest numbered descriptors",
		lowest),
	CASE("bas.flags", "BAS-02 S4", 'P', 0, 0,
		"both ends of a new pipe have O_NONBLOCK and FD_CLOEXEC clear",
		"POSIX pipe, DESCRIPTION: O_NONBLOCK and FD_CLOEXEC shall be clear", flags),
	CASE("bas.access_modes", "BAS-02 S4", 'L', 0, 0,
		"fd[0] is open for reading only, fd[1] for writing only",
		"pipe(7), Portability notes: on Linux pipes are not bidirectional", access_modes),
	CASE("bas.wrong_end", "BAS-03 S1", 'L', KINDS, 0,
		"a read of the write end and a write to the read end give EBADF",
		"read(2), write(2), ERRORS: EBADF; LTP pipe03", wrong_end),
	CASE("bas.close_twice", "BAS-03", 'P', KINDS, 0,
		"the second close of an end gives EBADF",
		"POSIX close, ERRORS: EBADF", close_twice),
	CASE("bas.bad_pointer", "BAS-04", 'L', 0, 0,
		"pipe2() to a bad address gives EFAULT, and no descriptor is lost",
		"pipe(2), ERRORS: EFAULT; LTP pipe05", bad_pointer),
	CASE("bas.one_fd_left", "BAS-05", 'P', 0, 0,
		"with one free descriptor pipe() gives EMFILE and takes none",
		"POSIX pipe, ERRORS: EMFILE; RETURN VALUE: no descriptors shall be allocated",
		one_fd_left),
	CASE("bas.fails_untouched", "BAS-05", 'P', 0, 0,
		"a pipe() that fails leaves its array as it was",
		"POSIX pipe, RETURN VALUE: the contents of fildes shall be left unmodified",
		fails_untouched),
	CASE("bas.as_many_as_fit", "BAS-06", 'P', 0, 0,
		"there are half as many pipes as free descriptors",
		"POSIX pipe, ERRORS: EMFILE only when all, or all but one, are open",
		as_many_as_fit),
	CASE("bas.reopened", "BAS-30", 'P', 0, 0,
		"a thousand pipes, one after the other, leave no descriptor behind",
		"POSIX close, DESCRIPTION: the descriptor is made available for later calls",
		reopened),
	CASE("bas.is_a_fifo", "BAS-07", 'P', KINDS, 0,
		"S_ISFIFO is true of both ends, and two pipes are two files",
		"POSIX <sys/stat.h>: S_ISFIFO; st_ino and st_dev together uniquely identify the "
		"file", is_a_fifo),
	CASE("bas.owner", "BAS-07", 'P', 0, 0,
		"a pipe has the effective user and group of its maker",
		"POSIX pipe, DESCRIPTION: the pipe's user ID and group ID", owner),
	CASE("bas.fstat", "BAS-07", 'I', KINDS, 0,
		"a pipe has mode 0600, size 0 and one link; both ends have the same inode",
		"gVisor pipe.cc Inode tests the inode only; no man page says the rest", fstat_both),
	CASE("bas.fstatfs", "BAS-08", 'L', 0, 0,
		"the file system of a pipe is PIPEFS_MAGIC",
		"statfs(2), DESCRIPTION: PIPEFS_MAGIC", fstatfs_it),
	CASE("bas.fstatfs_sizes", "BAS-08", 'I', 0, 0,
		"the file system of pipes has blocks of a page and names of 255 bytes",
		"gVisor pipe.cc StatFS; statfs(2) names no values", fstatfs_sizes),
	CASE("bas.size", "BAS-26", 'L', KINDS, 0,
		"F_GETPIPE_SZ is the same for both ends, and enough for PIPE_BUF bytes",
		"fcntl(2), F_GETPIPE_SZ: the capacity of the pipe", size),
	CASE("bas.power_of_two", "BAS-26", 'I', KINDS, 0,
		"F_GETPIPE_SZ is a power of two of pages",
		"fcntl(2), F_SETPIPE_SZ: the current implementation", power_of_two),
	CASE("bas.pipe_buf", "BAS-27", 'P', KINDS, 0,
		"fpathconf() says at least 512, and an empty pipe takes that much at once",
		"POSIX <limits.h>: {PIPE_BUF}; write: an empty pipe shall take at least {PIPE_BUF} "
		"bytes", pipe_buf),
	CASE("bas.locks", "BAS-28", 'I', 0, 0,
		"whether a pipe can be locked and its mode changed",
		"POSIX fcntl, fchmod: EINVAL is allowed", locks),
	CASE("bas.times", "BAS-29 REG-19", 'B', 0, BROKEN_SINCE(6, 15),
		"write marks st_mtime of an unnamed pipe, and read marks st_atime",
		"f017b0a4951f (6.15) gave it up; POSIX read, write, DESCRIPTION: shall mark for "
		"update", times),
	CASE("bas.new_times", "BAS-29", 'P', 0, 0,
		"pipe() marks all three times of the pipe",
		"POSIX pipe, DESCRIPTION: the last access, modification and status change "
		"timestamps", new_times),
	CASE("bas.proc_name", "BAS-14", 'L', NEEDS_PROC, 0,
		"the link of a pipe in /proc/self/fd is pipe:[inode]",
		"proc_pid_fd(5): the link of a pipe is type:[inode]", proc_name),
	CASE("bas.proc_reopen", "BAS-14 S3", 'L', KINDS | NEEDS_PROC, 0,
		"the link of the write end in /proc/self/fd, when it is opened, is one more write "
		"end",
		"proc_pid_fd(5): a new descriptor of the same pipe; gVisor pipe.cc "
		"OpenViaProcSelfFD", proc_reopen),
	CASE("bas.proc_other_end", "BAS-14", 'I', KINDS | NEEDS_PROC, 0,
		"whether the link of the read end in /proc/self/fd can be opened for writing",
		"fs/proc/fd.c; no man page says it", proc_other_end),
};
ALL_ROWS(basics);
