/*
 * splice_others.c - cases of splice: sockets, devices, other files, and several processes
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include "../case.h"

static void socket_both_ways(void)
{
	int s[2];

	t_needs_splice();
	t_socketpair(s);
	p_write(1000);
	t_splice(t.r, s[0], 1000, 1000);
	t_splice(s[1], t.w, 1000, 1000);
	p_read(2000, 1000);
}

/* Closes one end, and expects that splice from the other returns 0 at once. */
static void socket_eof(int gone, int left)
{
	t_close(gone);
	t_splice(left, t.w, 10, 0);
}

static void unix_peer_gone(void)
{
	int s[2];

	t_needs_splice();
	t_socketpair(s);
	socket_eof(s[0], s[1]);
}

/* Makes a TCP connection within this machine, or skips the case. */
static void tcp_pair(int s[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	socklen_t len = sizeof(at);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	if (l < 0 || bind(l, (struct sockaddr *)&at, len) < 0 || listen(l, 1) < 0
		|| getsockname(l, (struct sockaddr *)&at, &len) < 0)
		t_skip("no-tcp");
	s[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(s[0], (struct sockaddr *)&at, len) < 0)
		t_skip("no-tcp");
	s[1] = accept(l, NULL, NULL);
	wantf(s[1] >= 0, true, "accept of the connection");
}

static long splice_byte_from(long socket)
{
	return ret(splice(socket, NULL, t.w, NULL, 1, 0));
}

/* The end of the connection may need a moment to arrive, so splice is allowed to block. */
static void tcp_peer_gone(void)
{
	int s[2];

	t_needs_splice();
	tcp_pair(s);
	t_close(s[0]);
	t_child(splice_byte_from, s[1], 0);
}

static int device(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_NOCTTY);

	t_needs_splice();
	if (fd < 0)
		t_skip("no-dev");
	return fd;
}

static void zeros_from(const char *path)
{
	int fd = device(path, O_RDONLY);
	char buf[100];

	memset(buf, 1, sizeof(buf));
	t_splice(fd, t.w, sizeof(buf), sizeof(buf));
	wantf(ret(read(t.r, buf, sizeof(buf))), sizeof(buf), "read of what %s gave", path);
	for (size_t i = 0; i < sizeof(buf); i++)
		wantf(buf[i], 0, "byte %zu of it", i);
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

	p_write(100);
	t_splice(t.r, fd, 200, 100);
	p_unread(0);
}

static void to_dev_null(void)
{
	consumed_by("/dev/null");
}

static void to_dev_zero(void)
{
	consumed_by("/dev/zero");
}

static void show_splice(const char *name, int in)
{
	int fd[2];
	long got;

	if (in < 0)
		return;
	t_pipe(fd);
	got = t_splice_now(in, fd[1], 100);
	t_info("%s to a pipe: %ld %s", name, got, t_errname(got));
}

static void proc_files(void)
{
	static const char *const paths[] = {
		"/proc/version",
		"/proc/mounts",
		"/proc/cpuinfo",
		"/proc/sys/kernel/ostype",
		"/proc/self/maps",
		"/proc/self/status",
		"/proc/self/mem",
		"/proc/self/environ",
		"/proc/self/pagemap",
	};

	t_needs_splice();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		show_splice(paths[i], open(paths[i], O_RDONLY | O_NONBLOCK));
}

/* The case opens all files with O_NONBLOCK, because before 5.10 splice read from any file. */
static void odd_sources(void)
{
	static const char *const paths[] = {
		"/", "/dev/null", "/dev/urandom", "/dev/kmsg", "/dev/ptmx",
	};

	t_needs_splice();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		show_splice(paths[i], open(paths[i], O_RDONLY | O_NONBLOCK | O_NOCTTY));
	show_splice("a memory file", t_data(10));
	show_splice("eventfd", eventfd(1, EFD_NONBLOCK));
	show_splice("timerfd", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	show_splice("inotify", inotify_init1(IN_NONBLOCK));
	show_splice("epoll", epoll_create1(0));
}

static void odd_targets(void)
{
	static const char *const paths[] = { "/dev/full", "/dev/ptmx" };

	t_needs_splice();
	p_write(100);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = open(paths[i], O_RDWR | O_NONBLOCK | O_NOCTTY);
		long got = fd < 0 ? 0 : t_splice_now(t.r, fd, 8);

		t_info("a pipe to %s: %ld %s", paths[i], got, t_errname(got));
	}
	t_info("a pipe to an eventfd: %ld", t_splice_now(t.r, eventfd(0, EFD_NONBLOCK), 8));
}

/* --- several processes ------------------------------------------------------------------------ */

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
		size_t n = t_random(MOST);

		tally_up((struct tally *)arg, t_pattern(n), n);
		p_write(n);
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
		want_ret(read(via[0], buf, sizeof(buf)), n, "read of what was spliced");
		tally_up(y, buf, n);
	}
	want(n, 0, "splice at the end of file");
}

static void shared_with_reader(void)
{
	pid_t reader, writer;
	struct tally *y;

	t_needs_splice();
	y = t_anon_shared(2 * sizeof(*y));
	reader = t_start(tally_reader, (long)&y[1]);
	writer = t_start(tally_writer, (long)&y[0]);
	p_close_w();
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


/* The process that splices from the idle socket must end first. Until then no signal kills the
 * reader. */
static void idle_socket(void)
{
	pid_t splicer, reader;
	bool stuck;
	int s[2];

	t_needs_splice();
	t_socketpair(s);
	splicer = t_blocked(splice_into, s[0]);
	p_nonblock_r();
	reader = t_start(t_call_read, 1);
	while (!t_returned(reader) && !t_asleep(reader) && monotonic_ns() < t.deadline)
		sleep_until(monotonic_ns() + NS_PER_S / 1000);
	stuck = !t_returned(reader);
	t_kill(splicer);
	t_returns(reader, -EAGAIN);
	if (stuck)
		t_fail("read of the O_NONBLOCK end slept as long as the splice did");
}

const struct test_case splice_others_cases[] = {
	CASE("spl.socket", "SPL-10", 'L', KINDS, 0,
		"pipe to socket to pipe keeps the bytes",
		"splice(2), DESCRIPTION; LTP splice05", socket_both_ways),
	CASE("spl.unix_peer_gone", "SPL-23", 'L', 0, 0,
		"splice from a unix socket whose peer has gone gives 0",
		"splice(2), RETURN VALUE: 0 means end of input", unix_peer_gone),
	CASE("spl.tcp_peer_gone", "SPL-23", 'L', 0, 0,
		"splice from a TCP connection that its peer has closed gives 0",
		"splice(2), RETURN VALUE: 0 means end of input", tcp_peer_gone),
	CASE("spl.proc_files", "SPL-11 REG-17", 'I', NEEDS_PROC, 0,
		"which files of /proc can be spliced",
		"36e2c7421f02 (5.10): only those with operations of their own", proc_files),
	CASE("spl.from_dev_zero", "SPL-12 REG-17", 'B', KINDS, BROKEN(5, 10, 6, 7),
		"/dev/zero can be spliced from",
		"1b057bd800c3 (6.7) fixed it, 36e2c7421f02 (5.10) broke it; LTP splice08",
		from_dev_zero),
	CASE("spl.from_dev_full", "SPL-12 REG-17", 'B', KINDS, BROKEN(5, 10, 6, 7),
		"/dev/full can be spliced from",
		"1b057bd800c3 (6.7) fixed it, 36e2c7421f02 (5.10) broke it; LTP splice08",
		from_dev_full),
	CASE("spl.to_dev_null", "SPL-13", 'L', KINDS, 0,
		"splice to /dev/null takes all",
		"LTP splice09; gVisor splice.cc FromPipeWithWriterToDevNull", to_dev_null),
	CASE("spl.to_dev_zero", "SPL-13 REG-17", 'B', KINDS, BROKEN(5, 10, 6, 7),
		"splice to /dev/zero takes all",
		"1b057bd800c3 (6.7) fixed it, 36e2c7421f02 (5.10) broke it; LTP splice09",
		to_dev_zero),
	CASE("spl.shared_with_reader", "SPL-15 REG-07", 'L', KINDS | STRESS, 0,
		"a splice and a reader at once: each byte comes out once",
		"splice(2), DESCRIPTION: moves data; pipe(7), I/O on pipes: a byte stream",
		shared_with_reader),
	CASE("spl.odd_sources", "SPL-30 REG-17", 'I', 0, 0,
		"what other files can be spliced from",
		"fs/splice.c", odd_sources),
	CASE("spl.odd_targets", "SPL-30 REG-17", 'I', 0, 0,
		"what other files can be spliced to",
		"fs/splice.c", odd_targets),
	CASE("spl.idle_socket", "SPL-31 REG-18", 'B', EXOTIC | NEEDS_PROC, BROKEN_SINCE(2, 6),
		"a splice from an idle socket leaves O_NONBLOCK ends alone",
		"no release has a fix: fs/splice.c holds the pipe's lock meanwhile, since 2.6.17",
		idle_socket),
};
ALL_ROWS(splice_others);
