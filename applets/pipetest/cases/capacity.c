/*
 * capacity.c - cases of capacity: F_SETPIPE_SZ, F_GETPIPE_SZ and their limits
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/resource.h>
#include "../case.h"

enum {
	USUAL_SLOTS = 16,		/* is the default: pipe(7) */
	CAP_SYS_ADMIN = 21,		/* lifts the soft limit: capabilities(7) */
	NOTIFICATION_PIPE = O_EXCL,	/* is O_NOTIFICATION_PIPE of linux/watch_queue.h */
};

static void make_slots(unsigned slots)
{
	if (t.slots < slots)
		t_grow(t.w, slots * t.page);
	else
		t_resize(t.w, slots * t.page, slots * t.page);
}

static unsigned long max_size(void)
{
	long max = read_number("/proc/sys/fs/pipe-max-size");

	return max > 0 ? max : 1 << 20; /* is the default: pipe(7) */
}

void t_case_bytes_fill_capacity(void)
{
	p_leave_some();
	p_fill_by(1);
	want(t.stream->written, t.cap, "bytes before EAGAIN");
	p_drain(t.cap);
}

static void fills_at_once(void)
{
	p_nonblock_w();
	p_write(t.cap);
	p_no_write(1, -EAGAIN);
	p_drain(t.cap);
}

void t_case_sizes(void)
{
	t_info("PIPE_BUF %zu: a write of so many bytes, or fewer, is atomic", t.pipe_buf);
	t_info("ulimit -p %zu: the shell's PIPE_BUF / 512, no limit of the kernel",
		t.pipe_buf / 512);
	t_info("F_GETPIPE_SZ %zu bytes (not bits): %zu slots of a page, %zu", t.cap, t.slots,
		t.page);
	t_info("bytes that fit %zu", p_fill());
	t_info("pipe-max-size %ld", read_number("/proc/sys/fs/pipe-max-size"));
}

static void at_least(void)
{
	long got = 0;

	make_slots(4);
	for (size_t size = 3 * t.page + 1; size > 100; size /= 2) {
		got = ret(fcntl(t.w, F_SETPIPE_SZ, size));
		wantf(got >= (long)size, true, "F_SETPIPE_SZ of %zu = %ld is enough", size, got);
		t_capacity(t.w, got);
	}
	want(got >= (long)t.page, true, "F_SETPIPE_SZ of less than a page gives a page");
}

/* The largest size comes first, because a pipe over the soft limit may only shrink. */
static void rounds_up(void)
{
	const struct {
		size_t size, pages;
	} table[] = {
		{ 3 * t.page + 1, 4 }, { 3 * t.page, 4 }, { t.page + t.page / 4, 2 },
		{ t.page + 1, 2 }, { t.page, 1 }, { 1, 1 },
	};

	make_slots(4);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		t_resize(t.w, table[i].size, table[i].pages * t.page);
}

static void zero_is_a_page(void)
{
	if (ret(fcntl(t.w, F_SETPIPE_SZ, 0L)) == -EINVAL)
		t_skip("no-size-0"); /* kernels before 4.16 refuse a size below a page */
	t_capacity(t.r, t.page);
}

static void both_ends_agree(void)
{
	make_slots(4);
	for (unsigned slots = 4; slots; slots /= 2) {
		int end = slots > 1 ? t.w : t.r; /* F_SETPIPE_SZ works on either end */
		long got = ret(fcntl(end, F_SETPIPE_SZ, slots * t.page));

		t_capacity(t.r, got);
		t_capacity(t.w, got);
	}
}

static void huge_einval(void)
{
	t_resize(t.w, 0x80000001UL, -EINVAL);
	t_resize(t.w, 0xffffffffUL, -EINVAL);
	t_capacity(t.w, t.cap);
}

static void over_max_eperm(void)
{
	unsigned long max = t.proc ? max_size() : 1UL << 30; /* no system has so large a limit */

	if (max > 1UL << 30)
		t_skip("pipe-max-size");
	t_drop_capabilities();
	t_resize(t.w, max + 1, -EPERM);
	t_capacity(t.w, t.cap);
}

static void new_within_max(void)
{
	long max = read_number("/proc/sys/fs/pipe-max-size");

	if (max < 0)
		t_skip("no-pipe-max-size");
	if ((long)t.cap > max)
		t_fail("a new pipe has %zu bytes, pipe-max-size is %ld", t.cap, max);
}

static void up_to_max(void)
{
	unsigned long max = max_size();

	if (max > 1 << 26)
		t_skip("pipe-max-size"); /* the slots would take too much memory */
	t_drop_capabilities();
	t_grow(t.w, max);
	t_capacity(t.r, max);
}

static void shrink_ebusy(void)
{
	make_slots(8);
	p_write(4 * t.page + 1);
	t_resize(t.w, 4 * t.page, -EBUSY);
	p_drain(4 * t.page + 1);
	t_resize(t.w, 4 * t.page, 4 * t.page);
}

static void used_slots_ebusy(void)
{
	make_slots(8);
	p_write(4 * t.page + 1);
	p_read(t.page - 1, t.page - 1);
	t_resize(t.w, 4 * t.page, -EBUSY); /* a slot with one byte left is a used slot */
	p_read(1, 1);
	t_resize(t.w, 4 * t.page, 4 * t.page);
	p_drain(3 * t.page + 1);
}

/* With pages of 64 KiB a new pipe has pipe-max-size already, so the case shrinks it first. */
static void grow_keeps_data(void)
{
	size_t size = t.slots > 1 ? t.cap / 2 : t.cap, n;

	t_resize(t.w, size, size);
	n = p_fill();
	p_drain(n / 2);
	n -= n / 2;
	n += p_fill(); /* the ring wraps if the pipe has two slots */
	t_grow(t.w, 2 * size);
	n += p_fill();
	want(n >= 2 * size - t.page / 2, true, "it is full after growing");
	p_drain(n);
	p_unread(0);
}

static void shrink_keeps_data(void)
{
	make_slots(4);
	p_write(4 * t.page);
	p_drain(3 * t.page);
	p_write(t.page); /* goes to slot 0, because slot 3 was the last */
	t_resize(t.w, 2 * t.page, 2 * t.page);
	p_nonblock_w();
	p_no_write(1, -EAGAIN);
	p_drain(t.page);
	p_write(t.page);
	p_drain(2 * t.page);
	p_unread(0);
}

static void not_a_pipe(void)
{
	int fd = t_open("/", O_RDONLY);

	t_capacity(fd, -EBADF);
	t_resize(fd, t.page, -EBADF);
	t_resize(-1, t.page, -EBADF);
}

static void o_path(void)
{
	int fd;

	t_mkfifo("f");
	fd = t_open("f", O_PATH);
	t_capacity(fd, -EBADF);
	t_resize(fd, t.page, -EBADF);
}

/* --- the soft limit: each user has one, so nobody's pipes do not count for root ---------- */

static bool is_exempt(void)
{
	return t_capable(CAP_SYS_RESOURCE) || t_capable(CAP_SYS_ADMIN);
}

/* The uid follows from the pid, so that two runs do not share a limit. */
static void be_unprivileged(void)
{
	enum { FIRST = 30000, NUMBERS = 30000 };

	if (is_exempt()) /* setuid has failed, or has left the capabilities */
		(void)t_setuid(FIRST + t_self() % NUMBERS);
	if (is_exempt())
		t_skip("privileged");
}

/* Uses up the user's pages, most of them by pipes of the largest size. The first new pipe that is
 * smaller than usual becomes the case's own. */
static void over_soft_limit(void)
{
	long soft = read_number("/proc/sys/fs/pipe-user-pages-soft");
	bool growing = true;
	int fd[2];

	if (soft == 0 || soft > 1 << 16 || max_size() < USUAL_SLOTS * t.page)
		t_skip("soft-limit");
	be_unprivileged();
	t_limit(RLIMIT_NOFILE, UINT64_MAX);
	do {
		if (pipe(fd) < 0)
			t_skip("nofile");
		t_use_pipe(fd);
		growing = growing && fcntl(t.w, F_SETPIPE_SZ, max_size()) >= 0;
	} while (t.slots >= USUAL_SLOTS);
}

static void soft_two_pages(void)
{
	over_soft_limit();
	want(t.slots, 2, "pages of a new pipe over the soft limit");
}

static void soft_no_growth(void)
{
	over_soft_limit();
	t_resize(t.w, USUAL_SLOTS * t.page, -EPERM);
	t_page_pipe(t.w);
}

/* The job server of GNU make needs room for a write while a token is in the pipe. */
static void token_and_page(void)
{
	p_nonblock_w();
	p_write(1);
	p_write(t.page);
	p_drain(1 + t.page);
}

static void soft_jobserver(void)
{
	over_soft_limit();
	token_and_page();
}

static void two_pages_token(void)
{
	make_slots(2);
	token_and_page();
}

static void one_page_token(void)
{
	t_page_pipe(t.w);
	p_nonblock_w();
	p_write(1);
	p_no_write(t.page, -EAGAIN);
	p_write(t.page - 1);
}

static void quota(void)
{
	size_t usual = USUAL_SLOTS * t.page;

	if (usual > max_size())
		usual = max_size();
	t_info("a new pipe has %zu slots", t.slots);
	if (t.cap < usual && t.slots <= 2)
		t_skip("soft-limit");
	want(t.cap, usual, "the size of a new pipe");
}

static bool new_pipe_holds(long n)
{
	int fd[2];
	bool holds;

	t_pipe(fd);
	holds = t_capacity_of(fd[0], fd[1]) >= (size_t)n;
	t_close(fd[0]);
	t_close(fd[1]);
	return holds;
}

/* So many pipes take a user over the soft limit, unless the kernel gives their pages back. The case
 * waits, because other processes of the same user may hold pages for a while. */
static void accounting(void)
{
	unsigned long usual;

	be_unprivileged();
	usual = t_new_capacity();
	for (int i = 0; i < 2000; i++) {
		int cycle[2];

		if (pipe(cycle) < 0)
			t_fail("pipe %d: %s", i, strerror(errno));
		if (i % 16 == 0)
			fcntl(cycle[0], F_SETPIPE_SZ, i % 32 ? max_size() : (unsigned long)t.page);
		close(cycle[0]);
		close(cycle[1]);
	}
	t_wait_until(new_pipe_holds, usual, "a new pipe is as large as before 2000 others");
}

static void accounting_notes(void)
{
	enum { NOTES = 32 };	/* is how many notes take a page */
	int fd[2];

	be_unprivileged();
	t_needs_call("pipe2");
	if (pipe2(fd, NOTIFICATION_PIPE) < 0)
		t_skip("no-watch-queue");
	t_ok(ioctl(fd[0], _IO('W', 0x60), NOTES), "IOC_WATCH_QUEUE_SET_SIZE");
	t_close(fd[0]);
	t_close(fd[1]);
	t_pipe(fd);
	t_capacity(fd[0], t.cap);
	t_resize(fd[0], 2 * t.page, 2 * t.page);
	t_resize(fd[0], 4 * t.page, 4 * t.page);
}

static void atomic_in_a_page(void)
{
	size_t n = t.page - t.pipe_buf + 1;

	t_page_pipe(t.w);
	p_nonblock_w();
	p_write(n);
	p_no_write(t.pipe_buf, -EAGAIN);
	p_unread(n);
	p_write(t.pipe_buf - 1);
	p_drain(t.page);
	p_write(t.pipe_buf);
	p_read(t.page, t.pipe_buf);
}

const struct test_case capacity_cases[] = {
	CASE("cap.bytes_fill_capacity", "CAP-01 P4 P10", 'I', KINDS, 0,
		"as many single bytes fit as F_GETPIPE_SZ says",
		"fs/pipe.c; fcntl(2), F_SETPIPE_SZ: the number of bytes depends on the size of "
		"the writes", t_case_bytes_fill_capacity),
	CASE("cap.fills_at_once", "CAP-01", 'L', KINDS, 0,
		"one write of as many bytes as F_GETPIPE_SZ says fills the pipe",
		"LTP pipe12; gVisor pipe.cc BlockWriteClosed", fills_at_once),
	CASE("cap.side_by_side", "CAP-01 TUT-S11 S11 S12", 'I', MYTH, 0,
		"what PIPE_BUF, ulimit -p, F_GETPIPE_SZ and pipe-max-size say",
		"pipe(7), Pipe capacity; the tutorial takes 8 x 512 bits for the capacity, then "
		"65535 bits", t_case_sizes),
	CASE("cap.rounds_up", "CAP-02", 'I', KINDS, 0,
		"F_SETPIPE_SZ rounds up to a power of two of pages",
		"fcntl(2), F_SETPIPE_SZ: the current implementation", rounds_up),
	CASE("cap.at_least", "CAP-02", 'L', KINDS, 0,
		"F_SETPIPE_SZ gives at least what was asked for, and a page, and returns what it "
		"gives",
		"fcntl(2), F_SETPIPE_SZ: at least arg bytes; below a page; the actual capacity is "
		"returned", at_least),
	CASE("cap.zero_is_a_page", "CAP-02", 'L', KINDS, 0,
		"F_SETPIPE_SZ of 0 gives one page",
		"fcntl(2), F_SETPIPE_SZ: below the page size is rounded up to the page size",
		zero_is_a_page),
	CASE("cap.both_ends_agree", "CAP-03", 'L', KINDS, 0,
		"F_SETPIPE_SZ returns what F_GETPIPE_SZ says of both ends",
		"fcntl(2), F_SETPIPE_SZ: the actual capacity is returned; LTP fcntl30",
		both_ends_agree),
	CASE("cap.huge_einval", "CAP-04", 'L', KINDS, 0,
		"F_SETPIPE_SZ of more than 2 GiB gives EINVAL and changes nothing",
		"LTP fcntl37; gVisor pipe.cc SizeChangeMax", huge_einval),
	CASE("cap.over_max_eperm", "CAP-05", 'L', KINDS, 0,
		"F_SETPIPE_SZ of more than pipe-max-size gives EPERM without CAP_SYS_RESOURCE",
		"fcntl(2), F_SETPIPE_SZ: above the limit in pipe-max-size: EPERM; LTP fcntl37",
		over_max_eperm),
	CASE("cap.new_within_max", "CAP-05 REG-08", 'B', NEEDS_PROC, BROKEN(2, 6, 4, 9),
		"a new pipe is not larger than pipe-max-size",
		"086e774a57fb (4.9) fixed it; it was so since 2.6.35", new_within_max),
	CASE("cap.up_to_max", "CAP-06", 'L', KINDS, 0,
		"anyone may grow a pipe to pipe-max-size",
		"fcntl(2), F_SETPIPE_SZ: any value up to the limit; LTP fcntl30", up_to_max),
	CASE("cap.shrink_ebusy", "CAP-07", 'L', KINDS, 0,
		"F_SETPIPE_SZ of less than the data in the pipe gives EBUSY",
		"fcntl(2), F_SETPIPE_SZ: EBUSY; LTP fcntl37; gVisor pipe.cc SizeChangeFull",
		shrink_ebusy),
	CASE("cap.used_slots_ebusy", "CAP-07", 'I', KINDS, 0,
		"a slot of which one byte is left unread is a used slot: EBUSY",
		"fs/pipe.c", used_slots_ebusy),
	CASE("cap.grow_keeps_data", "CAP-08", 'L', KINDS, 0,
		"growing a pipe keeps its data and adds room",
		"fcntl(2), F_SETPIPE_SZ: change the capacity", grow_keeps_data),
	CASE("cap.shrink_keeps_data", "CAP-08", 'L', KINDS, 0,
		"shrinking a pipe keeps its data, also of a ring that wraps",
		"fcntl(2), F_SETPIPE_SZ: EBUSY rather than a loss of data", shrink_keeps_data),
	CASE("cap.not_a_pipe", "CAP-09", 'I', 0, 0,
		"F_GETPIPE_SZ and F_SETPIPE_SZ of a file that is no pipe give EBADF",
		"fs/pipe.c; fcntl(2) does not say it", not_a_pipe),
	CASE("cap.o_path", "CAP-09", 'L', NEEDS_DIR, 0,
		"F_GETPIPE_SZ and F_SETPIPE_SZ of an O_PATH descriptor give EBADF",
		"open(2), O_PATH: other file operations fail with EBADF", o_path),
	CASE("cap.soft_two_pages", "CAP-10 REG-05", 'B', EXOTIC, BROKEN(4, 5, 5, 14),
		"over the soft limit a new pipe has 2 pages",
		"46c4c9d1beb7 (5.14) fixed it; 759c01142a5d (4.5) brought the limit",
		soft_two_pages),
	CASE("cap.soft_no_growth", "CAP-10", 'L', EXOTIC, 0,
		"over the soft limit a pipe may shrink, but not grow",
		"pipe(7), pipe-user-pages-soft; BUGS: only when increasing", soft_no_growth),
	CASE("cap.soft_jobserver", "CAP-11 REG-05", 'B', EXOTIC, BROKEN(4, 5, 5, 14),
		"over the soft limit a new pipe takes 1 byte and 1 page",
		"46c4c9d1beb7 (5.14) fixed it; 759c01142a5d (4.5) brought the limit; LTP pipe15",
		soft_jobserver),
	CASE("cap.two_pages_token", "CAP-11", 'I', KINDS, 0,
		"1 byte and 1 page fit in 2 pages",
		"46c4c9d1beb7 (5.14) relies on it; LTP pipe15; no man page says what fits",
		two_pages_token),
	CASE("cap.one_page_token", "CAP-11", 'I', KINDS, 0,
		"1 byte and 1 page do not fit in 1 page",
		"pipe(7), Pipe capacity", one_page_token),
	CASE("cap.quota", "CAP-12", 'E', 0, 0,
		"a new pipe has 16 pages, or its user is over the soft limit",
		"pipe(7), pipe-user-pages-soft", quota),
	CASE("cap.accounting", "CAP-13", 'L', STRESS, 0,
		"the pages of closed pipes are given back to the user's limit",
		"pipe(7), pipe-user-pages-soft: the total size of all pipes", accounting),
	CASE("cap.accounting_notes", "CAP-13 REG-14", 'B', EXOTIC, BROKEN(6, 8, 6, 15),
		"the pages of closed notification pipes are given back",
		"f13abc1e8e1a (6.15) fixed it; e95aada4cb93 (6.8) broke it", accounting_notes),
	CASE("cap.atomic_in_a_page", "CAP-14", 'L', KINDS, 0,
		"PIPE_BUF bytes are written whole or not at all, in a pipe of one page",
		"pipe(7), PIPE_BUF: O_NONBLOCK enabled, n <= PIPE_BUF", atomic_in_a_page),
};
ALL_ROWS(capacity);
