/*
 * reg.c - probes for bugs that released kernels have had
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include "pipetest.h"

enum { NO_FIX = RELEASE(255, 0) };

static void needs_splice(void)
{
	t_needs(ret(splice(-1, NULL, -1, NULL, 1, 0)), "no-splice");
}

static void set_size(int fd, size_t size)
{
	long got = ret(fcntl(fd, F_SETPIPE_SZ, (int)size));

	if (got == -EPERM)
		skip("soft-limit");
	want(got, size, "fcntl(%d, F_SETPIPE_SZ, %zu)", fd, size);
}

static void *bad_address(void)
{
	return t_map(t.page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* --- who is woken ----------------------------------------------------------------------- */

static void close_wakes(void)
{
	struct job readers[10];

	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		readers[i] = t_start(call_read, 1);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		t_blocks(readers[i]);
	t_close(&t.w);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		t_returns(readers[i], 0);
}

static void epoll_edge(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int fd = epoll_create1(0);

	if (fd < 0)
		skip("no-epoll");
	want(ret(epoll_ctl(fd, EPOLL_CTL_ADD, t.r, &event)), 0, "epoll_ctl");
	for (int i = 0; i < 3; i++) {
		t_write(t.w, 1, 1);
		want(ret(epoll_wait(fd, &event, 1, 0)), 1, "epoll_wait after write %d", i);
		want(ret(epoll_wait(fd, &event, 1, 0)), 0, "epoll_wait again");
	}
}

static void sigio(void)
{
	static const struct timespec at_once = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN); /* queues, as SIGIO would not */
	want(ret(sigprocmask(SIG_BLOCK, &set, NULL)), 0, "sigprocmask");
	want(ret(fcntl(t.r, F_SETOWN, getpid())), 0, "F_SETOWN");
	want(ret(fcntl(t.r, F_SETSIG, SIGRTMIN)), 0, "F_SETSIG");
	want(ret(fcntl(t.r, F_SETFL, fcntl(t.r, F_GETFL) | O_ASYNC)), 0, "F_SETFL, O_ASYNC");
	for (int i = 0; i < 3; i++)
		t_write(t.w, 1, 1);
	for (int i = 0; i < 3; i++)
		want(ret(sigtimedwait(&set, NULL, &at_once)), SIGRTMIN, "signal of write %d", i);
}

static void grow_wakes(void)
{
	struct job writer;

	set_size(t.w, t.page);
	t_fill(t.w);
	writer = t_start(call_write, t.page);
	t_blocks(writer);
	set_size(t.w, 2 * t.page);
	t_returns(writer, t.page);
}

/* --- streams in odd pieces: what is lost is a wake-up, and then the case hangs ------------ */

static size_t odd(size_t max)
{
	t.seed = t.seed * 1664525 + 1013904223;
	return 1 + (t.seed >> 8) % max;
}

static long call_stream(long total)
{
	close(t.r);
	for (long left = total; left; ) {
		size_t n = odd(3 * t.page);
		long got;

		if ((long)n > left)
			n = left;
		got = ret(write(t.w, pattern(n), n));
		if (got < 0)
			return got;
		pattern_wrote(got);
		left -= got;
	}
	return total;
}

static void drain_stream(int fd, size_t total)
{
	while (total) {
		size_t n = odd(3 * t.page);

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
	struct job writer = t_start(call_stream, total);

	t_close(&t.w);
	drain_stream(t.r, total);
	t_returns(writer, total);
}

static long call_splice(long out)
{
	long n, total = 0;

	while ((n = ret(splice(t.r, NULL, out, NULL, odd(3 * t.page), 0))) > 0)
		total += n;
	return n < 0 ? n : total;
}

static void splice_stream(void)
{
	size_t total = 64 * t.page;
	struct job writer, splicer;
	int next[2];

	needs_splice();
	set_size(t.w, t.page);
	writer = t_start(call_stream, total);
	t_close(&t.w);
	t_pipe(next);
	set_size(next[1], t.page);
	splicer = t_start(call_splice, next[1]);
	t_close(&next[1]);
	drain_stream(next[0], total);
	t_returns(writer, total);
	t_returns(splicer, total);
}

/* --- what is in the pipe ------------------------------------------------------------------ */

static void efault_poll(void)
{
	want(ret(write(t.w, bad_address(), 1)), -EFAULT, "write of a bad address");
	t_fionread(t.r, 0);
	t_poll(t.r, POLLIN, 0);
}

static void efault_splice(void)
{
	int next[2];

	needs_splice();
	t_pipe(next);
	want(ret(write(t.w, bad_address(), 1)), -EFAULT, "write of a bad address");
	want(ret(splice(t.r, NULL, next[1], NULL, 1, SPLICE_F_NONBLOCK)), -EAGAIN, "splice");
}

/* tee does not skip the empty buffer that the write leaves, as splice does since 5.9. */
static void efault_tee(void)
{
	int next[2];

	needs_splice();
	t_pipe(next);
	want(ret(write(t.w, bad_address(), 1)), -EFAULT, "write of a bad address");
	want(ret(tee(t.r, next[1], 1, SPLICE_F_NONBLOCK)), -EAGAIN, "tee");
}

static void two_pages(void)
{
	nonblock(t.w);
	t_write(t.w, 1, 1);
	t_write(t.w, t.pipe_buf, t.pipe_buf);
}

/* On a file of our own. Where the pipe has one slot the write finds it full. */
static void dirty_pipe(void)
{
	int file = t_file("file", t.page), fd = open("file", O_RDONLY);
	char bytes[2] = "";
	off_t at = 0;

	needs_splice();
	t_drain(t.r, t_fill(t.w));
	nonblock(t.w);
	if (splice(fd, &at, t.w, NULL, 1, 0) != 1)
		skip("no-splice");
	if (write(t.w, "x", 1) < 0)
		want(-errno, -EAGAIN, "write behind the file's page");
	want(ret(pread(file, bytes, 2, 0)), 2, "pread");
	want(bytes[0] | bytes[1], 0, "the file's bytes");
}

static void cow_leak(void)
{
	enum { PROT = PROT_READ | PROT_WRITE, FLAGS = MAP_PRIVATE | MAP_ANONYMOUS };
	volatile char *p = t_map(t.page, PROT, FLAGS, -1, 0);
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
	want(ret(read(t.r, &byte, 1)), 1, "read");
	want(byte, 'o', "what the child gave, before the parent wrote");
}

/* --- limits ------------------------------------------------------------------------------- */

static void max_size(void)
{
	long max = read_number("/proc/sys/fs/pipe-max-size");
	int fd[2];

	if (max < 0 || max >= INT_MAX)
		skip("no-pipe-max-size");
	drop_capabilities();
	t_pipe(fd);
	want(fcntl(fd[0], F_GETPIPE_SZ) <= max, true, "a new pipe's size is within %ld", max);
	want(ret(fcntl(fd[0], F_SETPIPE_SZ, (int)max + 1)), -EPERM, "F_SETPIPE_SZ, %ld", max + 1);
}

static void watch_queue(void)
{
	enum { NOTES = 64 };
	int fd[2], other[2];

	drop_capabilities();
	t_pipe(other);
	set_size(other[0], 2 * t.cap);
	if (pipe2(fd, O_EXCL) < 0) /* O_NOTIFICATION_PIPE */
		skip("no-watch-queue");
	want(ret(ioctl(fd[0], _IO('W', 0x60), NOTES)), 0, "IOC_WATCH_QUEUE_SET_SIZE");
	t_close(&fd[0]);
	t_close(&fd[1]);
	want(ret(fcntl(t.w, F_SETPIPE_SZ, (int)(2 * t.cap))), 2 * t.cap, "F_SETPIPE_SZ");
}

static void size_is_int(void)
{
	int got;

	if (!has_capability(CAP_SYS_RESOURCE))
		skip("no-CAP_SYS_RESOURCE");
	got = fcntl(t.w, F_SETPIPE_SZ, 1UL << 31);
	info("F_SETPIPE_SZ, 2 GiB = %d %s", got, got == -1 ? errname(-errno) : "");
}

/* --- other calls -------------------------------------------------------------------------- */

/* Where it blocks a timer ends it: no other process is needed. */
static void sendfile_eagain(void)
{
	static const struct itimerval timer = { { 0, 20000 }, { 0, 20000 } };
	int in = t_data(9);

	t_needs(ret(sendfile(-1, -1, NULL, 1)), "no-sendfile");
	t_fill(t.w);
	nonblock(t.w);
	t_catch(SIGALRM, 0);
	want(ret(setitimer(ITIMER_REAL, &timer, NULL)), 0, "setitimer");
	want(ret(sendfile(t.w, in, NULL, 9)), -EAGAIN, "sendfile to a full pipe");
}

static void copy_of_proc(void)
{
	int in = open("/proc/version", O_RDONLY), out = t_data(0);
	long got = ret(copy_file_range(in, NULL, out, NULL, t.page, 0));

	t_needs(ret(copy_file_range(-1, NULL, -1, NULL, 1, 0)), "no-copy_file_range");
	info("copy_file_range of /proc/version = %ld %s", got, errname(got));
	if (got == 0)
		fail("0 looks like an empty file");
}

static void sealed_map(void)
{
	int fd = t_memfd("sealed", MFD_ALLOW_SEALING);

	t_truncate(fd, t.page, 0);
	want(ret(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)), 0, "F_SEAL_WRITE");
	t_map(t.page, PROT_READ, MAP_SHARED, fd, 0);
}

static void noreplace(void)
{
	enum { NOREPLACE = 0x100000 }; /* MAP_FIXED_NOREPLACE, Linux 4.17 */
	char *p = t_map(2 * t.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;

	p[t.page] = 'x';
	want(ret(munmap(p, t.page)), 0, "munmap");
	q = mmap(p, 2 * t.page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | NOREPLACE, -1, 0);
	if (q != MAP_FAILED && q != p)
		skip("no-noreplace"); /* to an older kernel the address is a hint */
	want(q == MAP_FAILED ? -errno : 0, -EEXIST, "mmap over the end of a hole");
	want(p[t.page], 'x', "what was mapped");
}

static long call_splice_in(long s)
{
	return ret(splice(s, NULL, t.w, NULL, 1, 0));
}

static long call_read_byte(long n)
{
	return ret(read(t.r, &n, 1));
}

static bool settled(long arg)
{
	struct job job = *(struct job *)arg;

	return t_returned(job) || t_asleep(job);
}

/* The reader sleeps uninterruptibly: first the splicer has to go. */
static void splice_lock(void)
{
	struct job splicer, reader;
	bool returned;
	int s[2];

	needs_splice();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		skip("no-unix-sockets");
	nonblock(t.r);
	splicer = t_start(call_splice_in, s[0]);
	t_blocks(splicer);
	reader = t_start(call_read_byte, 0);
	wait_until(settled, (long)&reader, "the reader");
	returned = t_returned(reader);
	kill(splicer.pid, SIGKILL);
	t_dies(splicer, SIGKILL);
	t_returns(reader, -EAGAIN);
	if (!returned)
		fail("a non-blocking read slept while splice waited for its socket");
}

/* --- reports ------------------------------------------------------------------------------ */

static void zero_copy(void)
{
	int fd = t_data(1);
	char byte = 0;

	needs_splice();
	if (splice(fd, NULL, t.w, NULL, 1, SPLICE_F_NONBLOCK) != 1 || pwrite(fd, "x", 1, 0) != 1
	    || read(t.r, &byte, 1) != 1)
		skip("no-splice");
	info("zero-copy splice: %s", byte == 'x' ? "yes, a later write to the file shows" : "no");
}

static void splice_sources(void)
{
	static const char paths[][24] = {
		"/proc/version", "/proc/self/maps", "/proc/self/mountinfo", "/dev/zero",
		"/dev/urandom",
	};

	needs_splice();
	nonblock(t.r);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = open(paths[i], O_RDONLY | O_NONBLOCK);
		long got = ret(splice(fd, NULL, t.w, NULL, 1, SPLICE_F_NONBLOCK));

		info("splice from %s = %ld %s", paths[i], got, errname(got));
		if (got > 0)
			call_read_byte(0);
	}
}

static void timestamps(void)
{
	static const struct timespec past[2] = { { 1000, 0 }, { 1000, 0 } };
	struct stat st;

	if (futimens(t.w, past) < 0)
		skip("no-futimens");
	t_write(t.w, 1, 1);
	t_read(t.r, 1, 1);
	want(ret(fstat(t.w, &st)), 0, "fstat");
	info("write marks st_mtime: %s, read st_atime: %s", st.st_mtime > 1000 ? "yes" : "no",
	     st.st_atime > 1000 ? "yes" : "no");
}

static void nowait(void)
{
	enum { RWF_NOWAIT_ = 8 }; /* preadv2(2) */
	char byte;
	struct iovec iov = { &byte, 1 };
	long got = ret(syscall(SYS_preadv2, t.r, &iov, 1L, -1L, -1L, (long)RWF_NOWAIT_));

	info("preadv2 of an empty pipe, RWF_NOWAIT = %ld %s", got, errname(got));
}

static void fifo_hangup(void)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };

	t_mkfifo("f");
	p[0].fd = open("f", O_RDONLY | O_NONBLOCK);
	close(open("f", O_WRONLY));
	p[1].fd = open("f", O_RDONLY | O_NONBLOCK);
	poll(p, 2, 0);
	info("when the writers have left poll gives a reader %#x, a fresh one %#x",
	     (unsigned)p[0].revents, (unsigned)p[1].revents);
}

static void read_merging(void)
{
	size_t full = t_fill(t.w), n = full + t.page;
	struct job writer = t_start(call_write, t.page);
	long got;

	t_blocks(writer);
	got = ret(read(t.r, xmalloc(n), n));
	info("read(%zu) of a full pipe of %zu with a writer waiting = %ld", n, full, got);
	if (got > 0)
		t.shared->consumed += got;
	t_drain(t.r, n - got);
	t_returns(writer, t.page);
}

const struct test_case reg_cases[] = {
	CASE("reg.close_wakes", "REG-01", 'B', KINDS, RELEASE(5, 6),
		"the last writer's close wakes every reader",
		"6551d5c56eb0, Linux 5.6; LTP pipe13", close_wakes),
	CASE("reg.efault_poll", "REG-02", 'B', KINDS, RELEASE(6, 15),
		"after EFAULT the pipe polls empty", "ee5eda8ea595, Linux 6.15; broken in 5.5",
		efault_poll),
	CASE("reg.efault_splice", "REG-02", 'B', KINDS, RELEASE(5, 9),
		"after EFAULT splice is EAGAIN, not 0", "d1a819a2ec2d, Linux 5.9; broken in 5.5",
		efault_splice),
	CASE("reg.efault_tee", "REG-02", 'B', KINDS, RELEASE(6, 15),
		"after EFAULT tee is EAGAIN, not 0", "ee5eda8ea595, Linux 6.15; broken in 5.5",
		efault_tee),
	CASE("reg.epoll_edge", "REG-03", 'B', KINDS, RELEASE(5, 14),
		"EPOLLET: an event for each write, also when nobody reads",
		"3b844826b6c6, Linux 5.14; broken in 5.5", epoll_edge),
	CASE("reg.sigio", "REG-04", 'B', KINDS, RELEASE(5, 14),
		"O_ASYNC: a signal for each write, also when nobody reads",
		"fe67f4dd8daa, Linux 5.14; broken in 5.5", sigio),
	CASE("reg.two_pages", "REG-05", 'B', 0, RELEASE(5, 14),
		"a new pipe takes a byte and PIPE_BUF more, also over the quota",
		"46c4c9d1beb7, Linux 5.14; LTP pipe15", two_pages),
	CASE("reg.grow_wakes", "REG-06", 'B', 0, RELEASE(6, 8),
		"F_SETPIPE_SZ that grows a full pipe wakes its writer",
		"e95aada4cb93, Linux 6.8; broken in 5.8", grow_wakes),
	CASE("reg.splice_stream", "REG-07", 'B', STRESS, RELEASE(5, 9),
		"write, splice, read in odd pieces: no wake-up is lost", "472e5b056f00, Linux 5.9",
		splice_stream),
	CASE("reg.max_size", "REG-08", 'B', NEEDS_PROC, RELEASE(4, 9),
		"pipe-max-size bounds new pipes, and F_SETPIPE_SZ: EPERM",
		"086e774a57fb, Linux 4.9; LTP fcntl35, fcntl37", max_size),
	CASE("reg.dirty_pipe", "REG-09", 'B', KINDS | NEEDS_DIR, RELEASE(5, 17),
		"write to a pipe leaves the file alone that was spliced to it",
		"CVE-2022-0847: 9d2231c5d74e, Linux 5.17", dirty_pipe),
	CASE("reg.sealed_map", "REG-10", 'B', 0, RELEASE(6, 13),
		"a memfd with F_SEAL_WRITE can be mapped shared, read-only",
		"8ec396d05d1b, Linux 6.13; before 6.7: 158978945f31", sealed_map),
	CASE("reg.noreplace", "REG-11", 'B', 0, RELEASE(4, 19),
		"MAP_FIXED_NOREPLACE sees a mapping that begins later", "7aa867dd8952, Linux 4.19",
		noreplace),
	CASE("reg.stream", "REG-12", 'B', KINDS | STRESS, RELEASE(6, 14),
		"write and read in odd pieces: no wake-up is lost", "3d252160b818, Linux 6.14",
		stream),
	CASE("reg.copy_of_proc", "REG-13", 'B', NEEDS_PROC, RELEASE(5, 19),
		"copy_file_range of a /proc file is not 0",
		"868f9f2f8e00, Linux 5.19; broken in 5.3", copy_of_proc),
	CASE("reg.watch_queue", "REG-14", 'B', EXOTIC, RELEASE(6, 15),
		"a closed notification pipe gives back its quota", "f13abc1e8e1a, Linux 6.15",
		watch_queue),
	CASE("reg.sendfile_eagain", "REG-15 SND-05", 'B', KINDS, RELEASE(5, 19),
		"sendfile to a full non-blocking pipe: EAGAIN",
		"bdeb77bc2c40, Linux 5.19; broken in 5.12", sendfile_eagain),
	CASE("reg.zero_copy", "REG-16", 'I', 0, 0,
		"whether splice shares pages with the file: CVE-2026-31431 and its kin need it",
		"Copy Fail itself is not probed", zero_copy),
	CASE("reg.splice_sources", "REG-17", 'I', 0, 0, "which files splice takes",
		"36e2c7421f02, Linux 5.10", splice_sources),
	CASE("reg.splice_lock", "REG-18", 'B', NEEDS_PROC | EXOTIC, NO_FIX,
		"splice from an idle socket does not lock others out of the pipe",
		"no fix is known in Linux 6.18", splice_lock),
	CASE("reg.timestamps", "REG-19", 'I', KINDS, 0,
		"whether write and read mark a pipe's times",
		"f017b0a4951f, Linux 6.15: anonymous no more", timestamps),
	CASE("reg.nowait", "REG-20", 'I', KINDS, 0, "RWF_NOWAIT on a pipe",
		"afed6271f5b0, Linux 6.4", nowait),
	CASE("reg.cow_leak", "REG-21", 'B', 0, RELEASE(5, 8),
		"what a child vmsplices does not show its parent's later writes",
		"CVE-2020-29374: 17839856fd58, Linux 5.8", cow_leak),
	CASE("reg.fifo_hangup", "REG-22", 'I', NEEDS_DIR, 0,
		"POLLHUP of an old and of a fresh reader", "fs/pipe.c pipe_poll", fifo_hangup),
	CASE("reg.read_merging", "REG-23", 'I', 0, 0,
		"whether read waits for what blocked writers have", "until Linux 5.5",
		read_merging),
	CASE("reg.size_is_int", "REG-24", 'I', EXOTIC, 0, "the sign of a size of 2 GiB",
		"fcntl returns an int: util-linux 3692", size_is_int),
	{ 0 }
};
