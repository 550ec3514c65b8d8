/*
 * atomicity.c - cases of atomicity: writes of up to PIPE_BUF bytes are never split
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/uio.h>
#include "../case.h"

/* --- writers of letters ----------------------------------------------------------------- */

enum { WRITERS = 4, LETTER_SHIFT = 24 };

struct runs {
	unsigned count;
	size_t len;	/* is the length of the last run */
	char letter;
	size_t at;	/* is where the next run goes in the text */
	char text[400];
};

static long letters(unsigned writer, size_t n)
{
	return (long)('A' + writer) << LETTER_SHIFT | n;
}

static char *letters_of(long arg, size_t *n)
{
	char *buf;

	*n = arg & ((1 << LETTER_SHIFT) - 1);
	buf = xmalloc(*n);
	memset(buf, arg >> LETTER_SHIFT, *n);
	return buf;
}

long t_call_letters(long arg)
{
	size_t n;
	char *buf = letters_of(arg, &n);

	return ret(write(t.w, buf, n));
}

static void end_run(struct runs *runs)
{
	if (runs->count && runs->at < sizeof(runs->text))
		runs->at += scnprintf(runs->text + runs->at, sizeof(runs->text) - runs->at,
			" %c%zu", runs->letter, runs->len);
}

static void add_letters(struct runs *runs, const char *buf, size_t n)
{
	for (size_t i = 0; i < n; i++, runs->len++) {
		if (runs->count && buf[i] == runs->letter)
			continue;
		end_run(runs);
		runs->letter = buf[i];
		runs->len = 0;
		runs->count++;
	}
}

static void settle_all(const pid_t *jobs, unsigned n)
{
	while (n--)
		t_settles(jobs[n]);
}

static void drain_and_settle(size_t n, size_t chunk, const pid_t *jobs, unsigned writers)
{
	for (size_t part; n; n -= part) {
		part = n < chunk ? n : chunk;
		p_drain(part);
		settle_all(jobs, writers);
	}
}

static void read_runs(struct runs *runs, size_t n, size_t chunk, const pid_t *jobs,
	unsigned writers)
{
	char *buf = xmalloc(chunk);

	while (n) {
		long got = ret(read(t.r, buf, chunk));

		want_part(got, n, "read of letters");
		add_letters(runs, buf, got);
		n -= got;
		settle_all(jobs, writers);
	}
	end_run(runs);
	free(buf);
}

unsigned t_letter_runs(unsigned writers, long (*call)(long arg), size_t n, size_t chunk)
{
	struct runs runs = { 0 };
	pid_t jobs[WRITERS] = { 0 };
	size_t unread = t.stream->written - t.stream->consumed;

	for (unsigned i = 0; i < writers; i++) {
		jobs[i] = t_start(call, letters(i, n));
		t_settles(jobs[i]);
	}
	drain_and_settle(unread, chunk < t.page ? t.page : chunk, jobs, writers);
	read_runs(&runs, writers * n, chunk, jobs, writers);
	for (unsigned i = 0; i < writers; i++)
		t_returns(jobs[i], n);
	if (runs.count > writers || t.verbose)
		t_info("%u writers of %zu bytes:%s", writers, n, runs.text);
	return runs.count;
}

/* --- writers that wait at a full pipe ----------------------------------------------------- */

static void never_split(long (*call)(long arg), size_t n, size_t chunk)
{
	p_fill();
	wantf(t_letter_runs(WRITERS, call, n, chunk), WRITERS, "pieces of %d writes of %zu bytes",
		WRITERS, n);
}

static void blocked_writers(void)
{
	never_split(t_call_letters, 2, 1);
	never_split(t_call_letters, t.pipe_buf - 1, 1000);
	never_split(t_call_letters, t.pipe_buf, 1000);
	for (int i = 0; i < 8; i++) /* the reader takes the whole pipe, which wakes all writers */
		never_split(t_call_letters, t.pipe_buf, t.cap);
}

/* The pipe has room for half of the first write, or for all of the second. */
static void small_beside_large(void)
{
	size_t unread = p_leave_room(t.pipe_buf / 2 + 100);
	struct runs runs = { 0 };
	pid_t jobs[2];

	jobs[0] = t_start(t_call_letters, letters(0, t.pipe_buf));
	t_settles(jobs[0]);
	jobs[1] = t_start(t_call_letters, letters(1, 100));
	t_settles(jobs[1]);
	drain_and_settle(unread, t.cap, jobs, 2);
	read_runs(&runs, t.pipe_buf + 100, t.cap, jobs, 2);
	want(runs.count, 2, "pieces of a large and a small write");
}

static void larger(void)
{
	const size_t sizes[] = { t.page + 1, 2 * t.page, 2 * t.page + 854 };
	const size_t chunks[] = { 100, t.page, t.cap };

	for (size_t i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(chunks); i++) {
		size_t n = sizes[i / ARRAY_SIZE(chunks)], chunk = chunks[i % ARRAY_SIZE(chunks)];

		p_fill();
		t_info("%zu bytes each, read by %zu: %u pieces", n, chunk,
			t_letter_runs(2, t_call_letters, n, chunk));
	}
}

static long call_writev(long arg)
{
	size_t n;
	char *buf = letters_of(arg, &n);
	struct iovec iov[] = { { buf, 1 }, { buf, n / 2 }, { buf, n - 1 - n / 2 } };

	return ret(writev(t.w, iov, ARRAY_SIZE(iov)));
}

/* The room that is left would hold the first vector alone. */
static void writev_blocked(void)
{
	p_leave_room(100);
	wantf(t_letter_runs(WRITERS, call_writev, t.pipe_buf, 1000), WRITERS,
		"pieces of %d writevs of %zu bytes", WRITERS, t.pipe_buf);
}

static long call_open(long arg)
{
	close(t.r);
	close(t.w);
	t.w = open("f", O_WRONLY);
	return t_call_letters(arg);
}

static void fifo_openers(void)
{
	t_fifo("f");
	never_split(call_open, t.pipe_buf - 1, 1000);
	never_split(call_open, t.pipe_buf, t.pipe_buf);
}

/* --- writers that run ---------------------------------------------------------------------- */

enum { RECORDS = 16 };

static long call_records(long arg)
{
	size_t n;
	char *buf = letters_of(arg, &n);
	struct pollfd p = { t.w, POLLOUT, 0 };

	for (int i = 0; i < RECORDS; i++) {
		long got;

		while ((got = ret(write(t.w, buf, n))) == -EAGAIN)
			poll(&p, 1, -1);
		wantf(got, n, "write(%zu bytes)", n);
	}
	return 0;
}

static void check_records(struct runs *runs, const char *buf, size_t got, size_t n)
{
	for (size_t i = 0; i < got; i++) {
		size_t len = runs->len;
		unsigned count = runs->count;

		add_letters(runs, buf + i, 1);
		if (count && runs->count > count && len % n)
			t_fail("a record of %zu bytes was split after %zu", n, len % n);
	}
}

static void records(size_t n)
{
	size_t chunk = 1 + (t.seed + n) % (2 * t.page), left = WRITERS * RECORDS * n;
	pid_t jobs[WRITERS];
	struct runs runs = { 0 };
	char *buf = xmalloc(chunk);

	for (unsigned i = 0; i < WRITERS; i++)
		jobs[i] = t_start(call_records, letters(i, n));
	while (left) {
		long got = ret(read(t.r, buf, chunk));

		want_part(got, left, "read of records");
		check_records(&runs, buf, got, n);
		left -= got;
	}
	for (unsigned i = 0; i < WRITERS; i++)
		t_returns(jobs[i], 0);
	free(buf);
}

static void running_writers(void)
{
	records(512); /* _POSIX_PIPE_BUF */
	records(t.pipe_buf - 1);
	records(t.pipe_buf);
}

static void nonblock_writers(void)
{
	p_nonblock_w();
	records(t.pipe_buf - 1);
	records(t.pipe_buf);
}

/* --- other rules --------------------------------------------------------------------------- */

static long call_raw_read(long n)
{
	char *buf = xmalloc(n);

	return ret(read(t.r, buf, n));
}

static void reads_split(void)
{
	pid_t a = t_blocked(call_raw_read, t.page), b = t_start(call_raw_read, t.page);

	t_blocks(b);
	p_write(2 * t.page);
	t_returns(a, t.page);
	t_returns(b, t.page);
	t_info("one write of %zu bytes: half to each of two readers", 2 * t.page);
}

static void append_mode(void)
{
	t_setfl(t.w, O_APPEND);
	p_write(3);
	p_write(3);
	p_read(7, 6);
}

/* The pipe has room for 100 bytes, which a kernel that splits writes would fill. */
static void signal_writes_nothing(void)
{
	size_t unread;

	t_catch(SIGUSR1, 0);
	unread = p_leave_room(100);
	t_eintr(t_start(t_call_write, t.pipe_buf));
	p_holds(unread);
}

const struct test_case atomicity_cases[] = {
	CASE("atm.running_writers", "ATM-01 S12", 'P', KINDS | STRESS, 0,
		"4 writers of records of up to PIPE_BUF bytes are never interleaved",
		"POSIX write, DESCRIPTION: {PIPE_BUF} bytes or less shall not be interleaved",
		running_writers),
	CASE("atm.blocked_writers", "ATM-02 S12 S13", 'P', KINDS, 0,
		"4 writers of up to PIPE_BUF bytes that wait at a full pipe are never split",
		"POSIX write, DESCRIPTION: {PIPE_BUF} bytes or less shall not be interleaved",
		blocked_writers),
	CASE("atm.small_beside_large", "ATM-02 S12", 'P', KINDS, 0,
		"a small write that fits never lands within one that waits",
		"POSIX write, DESCRIPTION: {PIPE_BUF} bytes or less shall not be interleaved",
		small_beside_large),
	CASE("atm.larger", "ATM-03 S13", 'I', 0, 0,
		"how many pieces 2 writes of more than a page come in",
		"POSIX write, DESCRIPTION: more than {PIPE_BUF} bytes may be interleaved", larger),
	CASE("atm.nonblock_writers", "ATM-04 S12", 'P', KINDS | STRESS, 0,
		"with O_NONBLOCK writes of up to PIPE_BUF bytes are whole or EAGAIN, never "
		"interleaved",
		"POSIX write, DESCRIPTION: {PIPE_BUF} or fewer bytes: all the data, or none",
		nonblock_writers),
	CASE("atm.writev", "ATM-06", 'P', KINDS, 0,
		"writev of up to PIPE_BUF bytes in all is one write",
		"POSIX writev, DESCRIPTION: equivalent to write", writev_blocked),
	CASE("atm.fifo_openers", "ATM-07", 'P', NEEDS_DIR, 0,
		"the writes of processes that opened a FIFO by its name are never split",
		"POSIX write, DESCRIPTION: {PIPE_BUF} bytes or less shall not be interleaved",
		fifo_openers),
	CASE("atm.reads_split", "ATM-08", 'I', 0, 0,
		"two readers share the bytes of one write",
		"POSIX read, DESCRIPTION: concurrent reads are unspecified", reads_split),
	CASE("atm.append", "ATM-09", 'I', KINDS, 0,
		"O_APPEND is accepted and changes nothing",
		"fs/pipe.c; pipe(7), Open file status flags", append_mode),
	CASE("atm.signal_writes_nothing", "ATM-10 S12", 'L', KINDS, 0,
		"a signal in a write of PIPE_BUF bytes that waits: EINTR, and nothing was written",
		"pipe(7), PIPE_BUF: all n bytes are written atomically; POSIX write, RATIONALE: a "
		"partial write never happens", signal_writes_nothing),
};
ALL_ROWS(atomicity);
