/*
 * regressions.c - cases of bugs that released kernels have had
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include "../case.h"

/* --- signals ---------------------------------------------------------------------------- */

/* The case uses SIGRTMIN, which is queued. Of several SIGIO only one would be pending. */
static void sigio(void)
{
	static const struct timespec at_once;
	sigset_t set;

	t_block(SIGRTMIN, &set);
	t_async(t.r, SIGRTMIN);
	for (int i = 0; i < 3; i++)
		p_write(1);
	for (int i = 0; i < 3; i++)
		want_ret(sigtimedwait(&set, NULL, &at_once), SIGRTMIN, "sigtimedwait");
}

/* --- streams in odd pieces, which hang where a wake-up is lost --------------------------- */

static long call_stream(long total)
{
	close(t.r);
	for (long left = total; left; ) {
		size_t n = t_random(3 * t.page);
		long got;

		if ((long)n > left)
			n = left;
		got = t_try_write(t.w, n);
		if (got < 0)
			return got;
		left -= got;
	}
	return total;
}

static void drain_stream(int fd, size_t total)
{
	while (total) {
		size_t n = t_random(3 * t.page);

		if (n > total)
			n = total;
		t_drain(fd, n);
		total -= n;
	}
	t_read(fd, 1, 0);
}

static void stream(void)
{
	size_t total = 64 * t.page;
	pid_t writer = t_start(call_stream, total);

	p_close_w();
	drain_stream(t.r, total);
	t_returns(writer, total);
}

static long call_splice(long out)
{
	long n, total = 0;

	while ((n = ret(splice(t.r, NULL, out, NULL, t_random(3 * t.page), 0))) > 0)
		total += n;
	return n < 0 ? n : total;
}

static void splice_stream(void)
{
	size_t total = 64 * t.page;
	pid_t writer, splicer;
	int next[2];

	t_needs_splice();
	t_page_pipe(t.w);
	writer = t_start(call_stream, total);
	p_close_w();
	t_pipe(next);
	t_page_pipe(next[1]);
	splicer = t_start(call_splice, next[1]);
	t_close(next[1]);
	drain_stream(next[0], total);
	t_returns(writer, total);
	t_returns(splicer, total);
}

/* --- what is in the pipe ------------------------------------------------------------------ */

static void bad_write(void)
{
	want_ret(write(t.w, t_nowhere(), 1), -EFAULT, "write of a bad address");
}

static void efault_poll(void)
{
	bad_write();
	p_unread(0);
	p_poll_r(POLLIN, 0);
}

static void efault_splice(void)
{
	int next[2];

	t_needs_splice();
	t_pipe(next);
	bad_write();
	t_splice(t.r, next[1], 1, -EAGAIN);
}

/* The failed write leaves an empty buffer. Since Linux 5.9 splice skips it, but tee does not. */
static void efault_tee(void)
{
	int next[2];

	t_needs_tee();
	t_pipe(next);
	bad_write();
	want_ret(tee(t.r, next[1], 1, SPLICE_F_NONBLOCK), -EAGAIN, "tee");
}

static void two_pages(void)
{
	p_nonblock_w();
	p_write(1);
	p_write(t.pipe_buf);
}

/* The file is the case's own. If the pipe has one slot only, the write finds the pipe full. */
static void dirty_pipe(void)
{
	int file = t_file("file", t.page), fd = t_open("file", O_RDONLY);

	t_needs_splice();
	p_drain(p_fill());
	p_nonblock_w();
	if (t_splice_now(fd, t.w, 1) != 1)
		t_skip("no-splice");
	if (write(t.w, "x", 1) < 0)
		want(-errno, -EAGAIN, "write behind the file's page");
	t_get(file, 0, 0);
	t_get(file, 1, 0);
}

static void cow_leak(void)
{
	volatile char *p = t_pages(1);
	struct iovec iov = { (void *)p, 1 };
	char byte = 0;
	pid_t pid;

	t_needs(ret(vmsplice(-1, &iov, 1, 0)), "no-vmsplice");
	*p = 'o';
	pid = t_fork();
	if (pid == 0)
		_exit(vmsplice(t.w, &iov, 1, SPLICE_F_NONBLOCK) != 1);
	t_reap(pid, EXIT_SUCCESS);
	*p = 'n';
	want_ret(read(t.r, &byte, 1), 1, "read");
	want(byte, 'o', "what the child gave, before the parent wrote");
}

/* --- limits ------------------------------------------------------------------------------- */

static void max_size(void)
{
	long max = read_number("/proc/sys/fs/pipe-max-size");
	int fd[2];

	if (max < 0 || max >= INT_MAX)
		t_skip("no-pipe-max-size");
	t_drop_capabilities();
	t_pipe(fd);
	want(fcntl(fd[0], F_GETPIPE_SZ) <= max, true, "a new pipe's size is within pipe-max-size");
	t_resize(fd[0], max + 1, -EPERM);
}

static void size_is_int(void)
{
	int got;

	if (!t_capable(CAP_SYS_RESOURCE))
		t_skip("no-CAP_SYS_RESOURCE");
	got = fcntl(t.w, F_SETPIPE_SZ, 1UL << 31);
	t_info("F_SETPIPE_SZ, 2 GiB = %d %s", got, got == -1 ? t_errname(-errno) : "");
}

/* --- other calls -------------------------------------------------------------------------- */

/* On a kernel with the bug sendfile blocks, and the timer ends that. */
static void sendfile_eagain(void)
{
	static const struct itimerval timer = { { 0, 20000 }, { 0, 20000 } };
	int in = t_data(9);

	t_needs(ret(sendfile(-1, -1, NULL, 1)), "no-sendfile");
	p_fill();
	p_nonblock_w();
	t_catch(SIGALRM, 0);
	t_ok(setitimer(ITIMER_REAL, &timer, NULL), "setitimer");
	want_ret(sendfile(t.w, in, NULL, 9), -EAGAIN, "sendfile to a full pipe");
}

static void copy_of_proc(void)
{
	int in = open("/proc/version", O_RDONLY), out = t_data(0);
	long got;

	if (in < 0)
		t_skip("no-proc-version"); /* /proc is mounted with subset=pid */
	got = ret(copy_file_range(in, NULL, out, NULL, t.page, 0));
	t_needs(ret(copy_file_range(-1, NULL, -1, NULL, 1, 0)), "no-copy_file_range");
	t_show(got, "copy_file_range of /proc/version");
	if (got == 0)
		t_fail("0 looks like an empty file");
}

/* --- what this kernel does ---------------------------------------------------------------- */

static void nowait(void)
{
	enum { RWF_NOWAIT_ = 8 }; /* is RWF_NOWAIT of preadv2(2), which not every libc declares */
	char byte;
	struct iovec iov = { &byte, 1 };

	t_show(ret(syscall(SYS_preadv2, t.r, &iov, 1L, -1L, -1L, (long)RWF_NOWAIT_)),
		"preadv2 of an empty pipe, RWF_NOWAIT");
}

static void read_merging(void)
{
	size_t full = p_fill(), n = full + t.page;
	pid_t writer = t_start(t_call_write, t.page);
	long got;

	t_blocks(writer);
	got = ret(read(t.r, xmalloc(n), n));
	t_info("read(%zu) of a full pipe of %zu with a writer waiting = %ld", n, full, got);
	if (got > 0)
		t.stream->consumed += got;
	p_drain(n - got);
	t_returns(writer, t.page);
}

const struct test_case regressions_cases[] = {
	CASE("reg.efault_poll", "REG-02", 'B', KINDS, BROKEN(5, 5, 6, 15),
		"after a write that gave EFAULT poll says that the pipe is empty",
		"ee5eda8ea595 (6.15) fixed it; a194dfe6e6f6 (5.5) broke it", efault_poll),
	CASE("reg.efault_splice", "REG-02", 'B', KINDS, BROKEN(5, 5, 5, 9),
		"after a write that gave EFAULT splice from the pipe gives EAGAIN, not 0",
		"d1a819a2ec2d (5.9) fixed it; a194dfe6e6f6 (5.5) broke it", efault_splice),
	CASE("reg.efault_tee", "REG-02", 'B', KINDS, BROKEN(5, 5, 6, 15),
		"after a write that gave EFAULT tee from the pipe gives EAGAIN, not 0",
		"ee5eda8ea595 (6.15) fixed it; a194dfe6e6f6 (5.5) broke it", efault_tee),
	CASE("reg.sigio", "REG-04", 'B', KINDS, BROKEN(5, 5, 5, 14),
		"O_ASYNC sends a signal for each write, also when nobody reads",
		"fe67f4dd8daa (5.14) fixed it; 1b6b26ae7053 (5.5) broke it", sigio),
	CASE("reg.two_pages", "REG-05", 'B', 0, BROKEN(4, 5, 5, 14),
		"a new pipe takes a byte and PIPE_BUF more, also over the quota",
		"46c4c9d1beb7 (5.14) fixed it; 759c01142a5d (4.5) brought the limit; LTP pipe15",
		two_pages),
	CASE("reg.splice_stream", "REG-07", 'B', STRESS, BROKEN(5, 6, 5, 9),
		"write, splice and read in odd pieces: no wake-up is lost",
		"472e5b056f00 (5.9) fixed it; 0ddad21d3e99 (5.6) broke it", splice_stream),
	CASE("reg.max_size", "REG-08", 'B', NEEDS_PROC, BROKEN(2, 6, 4, 9),
		"pipe-max-size bounds new pipes, and F_SETPIPE_SZ gives EPERM",
		"086e774a57fb (4.9) fixed it; it was so since 2.6.35; LTP fcntl35, fcntl37",
		max_size),
	CASE("reg.dirty_pipe", "REG-09", 'B', KINDS | NEEDS_DIR, BROKEN(5, 8, 5, 17),
		"a write to a pipe leaves the file alone that was spliced to it",
		"CVE-2022-0847: 9d2231c5d74e (5.17) fixed it; f6dd975583bd (5.8) exposed it",
		dirty_pipe),
	CASE("reg.stream", "REG-12", 'P', KINDS | STRESS, 0,
		"write and read in odd pieces: no wake-up is lost",
		"POSIX read, write, DESCRIPTION: a call blocks only while there is no data, no "
		"room", stream),
	CASE("reg.copy_of_proc", "REG-13", 'B', NEEDS_PROC, BROKEN(5, 3, 5, 19),
		"copy_file_range of a /proc file is not 0",
		"868f9f2f8e00 (5.19) fixed it; 5dae222a5ff0 (5.3) broke it", copy_of_proc),
	CASE("reg.sendfile_eagain", "REG-15 SND-05", 'B', KINDS, BROKEN(5, 12, 5, 19),
		"sendfile to a full non-blocking pipe gives EAGAIN",
		"bdeb77bc2c40 (5.19) fixed it; b964bf53e540 (5.12) broke it", sendfile_eagain),
	CASE("reg.nowait", "REG-20", 'I', KINDS, 0,
		"whether RWF_NOWAIT works on a pipe",
		"afed6271f5b0 (6.4)", nowait),
	CASE("reg.cow_leak", "REG-21", 'B', 0, BROKEN(2, 6, 5, 8),
		"what a child vmsplices does not show its parent's later writes",
		"CVE-2020-29374: 17839856fd58 (5.8) fixed it; vmsplice(2) came with it (2.6.17)",
		cow_leak),
	CASE("reg.read_merging", "REG-23", 'I', 0, 0,
		"whether read waits for what blocked writers have",
		"fs/pipe.c, until 5.5", read_merging),
	CASE("reg.size_is_int", "REG-24", 'I', EXOTIC, 0,
		"whether a size of 2 GiB is returned as a negative number",
		"fcntl returns an int: util-linux issue 3692", size_is_int),
};
ALL_ROWS(regressions);
