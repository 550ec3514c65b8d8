/*
 * spl.c - splice
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include "pipetest.h"

enum {
	NOWAIT = SPLICE_F_NONBLOCK,
	UNKNOWN_FLAG = 0x80,
	NEVER = RELEASE(255, 0),	/* no release has the fix */
};

static void need_splice(void)
{
	t_needs(ret(splice(-1, NULL, -1, NULL, 1, NOWAIT)), "no-splice");
}

static long do_splice(int in, int out, size_t n)
{
	return ret(splice(in, NULL, out, NULL, n, NOWAIT));
}

static void spliced(int in, int out, size_t n, long expected)
{
	want(do_splice(in, out, n), expected, "splice(%d to %d, %zu)", in, out, n);
}

static int empty_file(void)
{
	need_splice();
	return t_data(0);
}

static int data_file(size_t n)
{
	need_splice();
	return t_data(n);
}

/* --- files --------------------------------------------------------------------------------- */

/* All of it, in as many turns as the pipe is small. */
static void file_to_file(void)
{
	size_t n = 3 * t.page + 7;
	int from = data_file(n), to = t_data(0);

	for (size_t done = 0; done < n;) {
		long in = do_splice(from, t.w, n), out;

		if (in <= 0)
			fail("splice from a file = %ld %s after %zu bytes", in, errname(in), done);
		done += in;
		for (; in; in -= out) {
			out = do_splice(t.r, to, in);
			if (out <= 0)
				fail("splice to a file = %ld %s", out, errname(out));
		}
	}
	want(ret(lseek(to, 0, SEEK_SET)), 0, "lseek(%d)", to);
	t_drain(to, n);
	t_read(to, 1, 0);
}

static void offset_in(void)
{
	int file = data_file(200);
	off_t off = 100;

	want(ret(splice(file, &off, t.w, NULL, 50, NOWAIT)), 50, "splice of 50 bytes from offset 100");
	want(off, 150, "the offset");
	want(lseek(file, 0, SEEK_CUR), 0, "the file's position");
	t.shared->consumed += 100;
	t_read(t.r, 100, 50);
}

static void offset_out(void)
{
	int file = empty_file();
	off_t off = 10;

	t_write(t.w, 50, 50);
	want(ret(splice(t.r, NULL, file, &off, 50, NOWAIT)), 50, "splice of 50 bytes to offset 10");
	want(off, 60, "the offset");
	want(lseek(file, 0, SEEK_CUR), 0, "the file's position");
	want(lseek(file, 0, SEEK_END), 60, "the file's size");
	lseek(file, 10, SEEK_SET);
	t_read(file, 100, 50);
}

static void append_einval(void)
{
	int file = empty_file();

	want(ret(fcntl(file, F_SETFL, O_APPEND)), 0, "fcntl(%d, F_SETFL, O_APPEND)", file);
	t_write(t.w, 10, 10);
	spliced(t.r, file, 10, -EINVAL);
	t_read(t.r, 10, 10);
}

static void file_eof(void)
{
	int file = data_file(10);

	spliced(file, t.w, t.page, 10);
	t_read(t.r, 20, 10);
	spliced(file, t.w, t.page, 0);
}

static void efbig_keeps(void)
{
	struct rlimit lim = { 100, 100 };
	int file = empty_file();
	off_t off = 100;

	signal(SIGXFSZ, SIG_IGN);
	want(ret(setrlimit(RLIMIT_FSIZE, &lim)), 0, "RLIMIT_FSIZE to 100");
	t_write(t.w, 50, 50);
	want(ret(splice(t.r, NULL, file, &off, 50, NOWAIT)), -EFBIG, "splice past RLIMIT_FSIZE");
	want(off, 100, "the offset");
	t_read(t.r, 100, 50);
}

static void zero_copy(void)
{
	int file = data_file(t.page);
	char byte = 0;

	spliced(file, t.w, t.page, t.page);
	want(ret(pwrite(file, "!", 1, 0)), 1, "pwrite");
	want(ret(read(t.r, &byte, 1)), 1, "read");
	info("zero-copy: %s (a later write to the file is %sseen in the pipe)",
	     byte == '!' ? "yes" : "no", byte == '!' ? "" : "not ");
}

static void truncated(void)
{
	int file = data_file(t.page);

	spliced(file, t.w, t.page, t.page);
	want(ret(ftruncate(file, 0)), 0, "ftruncate");
	t_fionread(t.r, t.page);
	info("read after the file was truncated: %ld", ret(read(t.r, xmalloc(t.page), t.page)));
}

/* --- errors ---------------------------------------------------------------------------------- */

static void errors(void)
{
	int file = data_file(10), other = t_data(10);
	off_t zero = 0, negative = -1;
	const struct {
		int in, out;
		off_t *off_in, *off_out;
		int expected;
		char what[28];
	} table[] = {
		{ file, other, NULL, NULL, -EINVAL, "two files" },
		{ t.r, t.w, NULL, NULL, -EINVAL, "a pipe to itself" },
		{ t.r, file, &zero, NULL, -ESPIPE, "offset of a source pipe" },
		{ file, t.w, NULL, &zero, -ESPIPE, "offset of a target pipe" },
		{ file, t.w, &negative, NULL, -EINVAL, "negative source offset" },
		{ t.r, file, NULL, &negative, -EINVAL, "negative target offset" },
		{ t.w, file, NULL, NULL, -EBADF, "from a write end" },
		{ file, t.r, NULL, NULL, -EBADF, "to a read end" },
		{ -1, t.w, NULL, NULL, -EBADF, "from fd -1" },
		{ t.r, -1, NULL, NULL, -EBADF, "to fd -1" },
	};

	t_write(t.w, 10, 10);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		want(ret(splice(table[i].in, table[i].off_in, table[i].out, table[i].off_out, 10, NOWAIT)),
		     table[i].expected, "splice: %s", table[i].what);
	t_fionread(t.r, 10);
}

static void unknown_flags(void)
{
	int file = data_file(10);

	want(ret(splice(file, NULL, t.w, NULL, 10, UNKNOWN_FLAG)), -EINVAL, "splice with flags %#x", UNKNOWN_FLAG);
}

static void lengths(void)
{
	int file = data_file(10);

	spliced(file, t.w, 0, 0);
	info("splice of SIZE_MAX bytes = %ld", do_splice(file, t.w, SIZE_MAX));
	info("splice of 0x7ffff000 bytes = %ld", do_splice(t_data(10), t.w, 0x7ffff000));
}

static void epipe(void)
{
	int file = data_file(10);

	t_catch(SIGPIPE, 0);
	t_close(&t.r);
	spliced(file, t.w, 10, -EPIPE);
	want(t.caught, 1, "SIGPIPEs");
}

/* --- pipes ------------------------------------------------------------------------------------- */

static void pipe_to_pipe(void)
{
	int to[2];

	need_splice();
	t_pipe(to);
	t_write(t.w, 100, 100);
	spliced(t.r, to[1], 30, 30);
	t_fionread(t.r, 70);
	t_read(to[0], 100, 30);
	spliced(t.r, to[1], 100, 70);
	t_fionread(t.r, 0);
	t_read(to[0], 100, 70);
	spliced(t.r, to[1], 1, -EAGAIN);
}

static void small_target(void)
{
	int to[2];
	size_t n = t_fill(t.w);

	need_splice();
	t_pipe(to);
	want(ret(fcntl(to[1], F_SETPIPE_SZ, (unsigned long)t.page)), t.page, "F_SETPIPE_SZ to a page");
	spliced(t.r, to[1], n, t.page);
	spliced(t.r, to[1], n, -EAGAIN);
	t_fionread(t.r, n - t.page);
	t_drain(to[0], t.page);
	t_drain(t.r, n - t.page);
}

static void circular(void)
{
	int to[2];

	need_splice();
	t_pipe(to);
	t_write(t.w, 100, 100);
	for (int i = 0; i < 100; i++) {
		spliced(t.r, to[1], 100, 100);
		spliced(to[0], t.w, 100, 100);
	}
	t_read(t.r, 200, 100);
}

static long splice_from(long to)
{
	close(t.w);
	return ret(splice(t.r, NULL, to, NULL, t.page, 0));
}

static void empty_blocks(void)
{
	int file = empty_file();
	struct job job = t_start(splice_from, file);

	t_blocks(job);
	t_write(t.w, 5, 5);
	t_returns(job, 5);
	job = t_start(splice_from, file);
	t_blocks(job);
	t_close(&t.w);
	t_returns(job, 0);
}

static void empty_eagain(void)
{
	int file = empty_file();

	spliced(t.r, file, 1, -EAGAIN);
	t_close(&t.w);
	spliced(t.r, file, 1, 0);
}

/* Room for 128 bytes more in the last slot, but splice needs one of its own. */
static void no_slot_eagain(void)
{
	int file;

	need_splice();
	t_write(t.w, t.cap - 128, t.cap - 128);
	file = t_data(10);
	spliced(file, t.w, 10, -EAGAIN);
	spliced(file, t.w, 10, -EAGAIN);
	t_drain(t.r, t.cap - 128);
}

static void slot_each(void)
{
	int file = data_file(1000);
	size_t n = 0;
	long got;

	while ((got = do_splice(file, t.w, 1)) == 1)
		n++;
	want(got, -EAGAIN, "splice of a byte after %zu", n);
	want(n, t.slots, "splices of a byte that fit");
}

/* --- sockets and devices ------------------------------------------------------------------------- */

static void socket_both_ways(void)
{
	int s[2];

	need_splice();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		skip("no-unix");
	t_write(t.w, 1000, 1000);
	spliced(t.r, s[0], 1000, 1000);
	spliced(s[1], t.w, 1000, 1000);
	t_read(t.r, 2000, 1000);
}

static int device(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_NOCTTY);

	need_splice();
	if (fd < 0)
		skip("no-dev");
	return fd;
}

static void zeros_from(const char *path)
{
	int fd = device(path, O_RDONLY);
	char buf[100];

	memset(buf, 1, sizeof(buf));
	spliced(fd, t.w, sizeof(buf), sizeof(buf));
	want(ret(read(t.r, buf, sizeof(buf))), sizeof(buf), "read of what %s gave", path);
	for (size_t i = 0; i < sizeof(buf); i++)
		want(buf[i], 0, "byte %zu of it", i);
}

static void from_dev_zero(void)
{
	zeros_from("/dev/zero");
}

static void from_dev_full(void)
{
	zeros_from("/dev/full");
}

static void consumed_by(const char *path)
{
	int fd = device(path, O_WRONLY);

	t_write(t.w, 100, 100);
	spliced(t.r, fd, 200, 100);
	t_fionread(t.r, 0);
}

static void to_dev_null(void)
{
	consumed_by("/dev/null");
}

static void to_dev_zero(void)
{
	consumed_by("/dev/zero");
}

static void show(const char *name, int in)
{
	int fd[2];
	long got;

	if (in < 0)
		return;
	t_pipe(fd);
	got = do_splice(in, fd[1], 100);
	info("%s to a pipe: %ld %s", name, got, errname(got));
}

static void proc_files(void)
{
	static const char *const paths[] = {
		"/proc/version", "/proc/mounts", "/proc/cpuinfo", "/proc/sys/kernel/ostype", "/proc/self/maps",
		"/proc/self/status", "/proc/self/mem", "/proc/self/environ", "/proc/self/pagemap",
	};

	need_splice();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		show(paths[i], open(paths[i], O_RDONLY | O_NONBLOCK));
}

/* All of them non-blocking: before 5.10 splice read from anything that has a read. */
static void odd_sources(void)
{
	static const char *const paths[] = { "/", "/dev/null", "/dev/urandom", "/dev/kmsg", "/dev/ptmx" };

	need_splice();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		show(paths[i], open(paths[i], O_RDONLY | O_NONBLOCK | O_NOCTTY));
	show("a memory file", t_data(10));
	show("eventfd", eventfd(1, EFD_NONBLOCK));
	show("timerfd", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	show("inotify", inotify_init1(IN_NONBLOCK));
	show("epoll", epoll_create1(0));
}

static void odd_targets(void)
{
	static const char *const paths[] = { "/dev/full", "/dev/ptmx" };

	need_splice();
	t_write(t.w, 100, 100);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = open(paths[i], O_RDWR | O_NONBLOCK | O_NOCTTY);
		long got = fd < 0 ? 0 : do_splice(t.r, fd, 8);

		info("a pipe to %s: %ld %s", paths[i], got, errname(got));
	}
	info("a pipe to eventfd: %ld", do_splice(t.r, eventfd(0, EFD_NONBLOCK), 8));
}

/* --- several at once -------------------------------------------------------------------------- */

struct tally {
	_Atomic uint32_t bytes, sum;
};

static void tally_up(struct tally *y, const char *buf, long n)
{
	y->bytes += n;
	for (long i = 0; i < n; i++)
		y->sum += (unsigned char)buf[i];
}

static long tally_reader(long arg)
{
	char buf[700];
	long n;

	close(t.w);
	while ((n = ret(read(t.r, buf, sizeof(buf)))) > 0)
		tally_up((struct tally *)arg, buf, n);
	return n;
}

static long tally_writer(long arg)
{
	enum { WRITES = 64, MOST = 8192 };

	close(t.r);
	for (int i = 0; i < WRITES; i++) {
		size_t n;
		const char *buf;
		long got;

		t.seed = t.seed * 1664525 + 1013904223;
		n = 1 + (t.seed >> 8) % MOST;
		buf = pattern(n);
		got = ret(write(t.w, buf, n));
		if (got != (long)n)
			return got;
		tally_up((struct tally *)arg, buf, n);
		pattern_wrote(n);
	}
	return 0;
}

static void tally_spliced(struct tally *y)
{
	char buf[1000];
	int via[2];
	long n;

	t_pipe(via);
	while ((n = ret(splice(t.r, NULL, via[1], NULL, sizeof(buf), 0))) > 0) {
		want(ret(read(via[0], buf, sizeof(buf))), n, "read of what was spliced");
		tally_up(y, buf, n);
	}
	want(n, 0, "splice at the end of file");
}

static void shared_with_reader(void)
{
	struct tally *y = t_map(2 * sizeof(*y), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct job reader, writer;

	need_splice();
	reader = t_start(tally_reader, (long)&y[1]);
	writer = t_start(tally_writer, (long)&y[0]);
	t_close(&t.w);
	tally_spliced(&y[1]);
	t_returns(writer, 0);
	t_returns(reader, 0);
	want(y[1].bytes, y[0].bytes, "bytes that came out");
	want(y[1].sum, y[0].sum, "their sum");
}

static long splice_into(long from)
{
	return ret(splice(from, NULL, t.w, NULL, t.page, 0));
}


/* Whoever splices from the idle socket must end first: until then the reader can't be killed. */
static void idle_socket(void)
{
	struct job splicer, reader;
	bool stuck;
	int s[2];

	need_splice();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		skip("no-unix");
	splicer = t_start(splice_into, s[0]);
	t_blocks(splicer);
	nonblock(t.r);
	reader = t_start(call_read, 1);
	while (!t_returned(reader) && !t_asleep(reader) && monotonic_ns() < t.deadline)
		sleep_until(monotonic_ns() + NS_PER_S / 1000);
	stuck = !t_returned(reader);
	kill(splicer.pid, SIGKILL);
	t_dies(splicer, SIGKILL);
	t_returns(reader, -EAGAIN);
	if (stuck)
		fail("read of the O_NONBLOCK end slept as long as the splice did");
}

const struct test_case spl_cases[] = {
	{ "spl.file_to_file", "SPL-01", 'L', KINDS, 0, "file to pipe to file: the same bytes", "splice(2); LTP splice01, 02", file_to_file },
	{ "spl.offset_in", "SPL-02", 'L', KINDS, 0, "a source offset moves, the file's position does not", "splice(2)", offset_in },
	{ "spl.offset_out", "SPL-02", 'L', KINDS, 0, "a target offset moves, the file's position does not", "splice(2)", offset_out },
	{ "spl.pipe_to_pipe", "SPL-03", 'L', KINDS, 0, "pipe to pipe moves the bytes, also part of a slot", "LTP splice04", pipe_to_pipe },
	{ "spl.small_target", "SPL-03", 'L', KINDS, 0, "what the target has no room for stays", "splice(2)", small_target },
	{ "spl.errors", "SPL-04", 'L', KINDS, 0, "EINVAL, ESPIPE and EBADF; the data stay", "splice(2); LTP splice03, 07", errors },
	{ "spl.unknown_flags", "SPL-04", 'B', 0, RELEASE(4, 13), "unknown flags: EINVAL", "3d6ea290f337, in 4.13", unknown_flags },
	{ "spl.lengths", "SPL-05", 'I', 0, 0, "0 bytes, SIZE_MAX (EINVAL since 6.8), 0x7ffff000", "fs/splice.c", lengths },
	{ "spl.append_einval", "SPL-06", 'L', KINDS, 0, "to a file with O_APPEND: EINVAL; the data stay", "splice(2)", append_einval },
	{ "spl.empty_blocks", "SPL-07", 'L', KINDS, 0, "from an empty pipe: blocks for data or the last close", "splice(2)", empty_blocks },
	{ "spl.empty_eagain", "SPL-07", 'L', KINDS, 0, "SPLICE_F_NONBLOCK: EAGAIN if empty, 0 without writers", "splice(2)", empty_eagain },
	{ "spl.file_eof", "SPL-08", 'L', KINDS, 0, "at the end of the file: 0", "splice(2)", file_eof },
	{ "spl.efbig_keeps", "SPL-09", 'L', KINDS, 0, "EFBIG at RLIMIT_FSIZE; the data stay", "splice(2), setrlimit(2)", efbig_keeps },
	{ "spl.socket", "SPL-10", 'L', KINDS, 0, "pipe to socket to pipe: the same bytes", "LTP splice05", socket_both_ways },
	{ "spl.proc_files", "SPL-11 REG-17", 'I', NEEDS_PROC, 0, "which files of /proc can be spliced", "36e2c7421f02, in 5.10", proc_files },
	{ "spl.from_dev_zero", "SPL-12 REG-17", 'B', KINDS, RELEASE(6, 7), "/dev/zero can be spliced from", "1b057bd800c3, in 6.7",
	  from_dev_zero },
	{ "spl.from_dev_full", "SPL-12 REG-17", 'B', KINDS, RELEASE(6, 7), "/dev/full can be spliced from", "1b057bd800c3, in 6.7",
	  from_dev_full },
	{ "spl.to_dev_null", "SPL-13", 'L', KINDS, 0, "/dev/null takes it all", "LTP splice09", to_dev_null },
	{ "spl.to_dev_zero", "SPL-13", 'L', KINDS, 0, "/dev/zero takes it all", "LTP splice09", to_dev_zero },
	{ "spl.no_slot_eagain", "SPL-14", 'L', KINDS, 0, "without a free slot: EAGAIN, at once", "fs/splice.c", no_slot_eagain },
	{ "spl.shared_with_reader", "SPL-15 REG-07", 'L', KINDS | STRESS, 0, "a reader beside it: each byte comes out once",
	  "splice(2); 472e5b056f00", shared_with_reader },
	{ "spl.zero_copy", "SPL-16", 'I', 0, 0, "whether what is spliced is a copy", "fs/splice.c", zero_copy },
	{ "spl.truncated", "SPL-17", 'I', 0, 0, "what is spliced outlives the file's truncation", "fs/splice.c", truncated },
	{ "spl.slot_each", "SPL-18", 'I', KINDS, 0, "each splice of a byte takes a slot", "fs/splice.c", slot_each },
	{ "spl.circular", "SPL-19", 'L', KINDS, 0, "round and round between two pipes: the same bytes", "splice(2)", circular },
	{ "spl.epipe", "SPL-20", 'L', KINDS, 0, "without a reader: EPIPE and one SIGPIPE", "splice(2), pipe(7)", epipe },
	{ "spl.odd_sources", "SPL-30 REG-17", 'I', 0, 0, "what other files can be spliced from", "fs/splice.c", odd_sources },
	{ "spl.odd_targets", "SPL-30 REG-17", 'I', 0, 0, "what other files can be spliced to", "fs/splice.c", odd_targets },
	{ "spl.idle_socket", "SPL-31 REG-18", 'B', EXOTIC | NEEDS_PROC, NEVER, "a splice from an idle socket leaves O_NONBLOCK ends alone",
	  "none known: fs/splice.c holds the pipe's lock meanwhile", idle_socket },
	{ 0 }
};
