/*
 * processes.c - cases of processes: who holds an end of a pipe, and what passes through it
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

/* --- passing descriptors ---------------------------------------------------------------- */

static long write_received(long socket)
{
	t_write(t_receive_fd(socket), 5, 5);
	return 0;
}

/* The writer inherits no write end, because its parent closes the only one before the fork. */
static void passed(void)
{
	int s[2];

	t_socketpair(s);
	t_send_fd(s[0], t.w);
	p_close_w();
	t_child(write_received, s[1], 0);
	p_read(10, 5);
	p_read(10, 0);
}

static void in_flight(void)
{
	int s[2];

	t_socketpair(s);
	t_send_fd(s[0], t.w);
	p_close_w();
	p_poll_r(POLLIN, 0);
	t_close(s[0]);
	p_poll_r(POLLIN, 0);
	t_close(s[1]);
	p_read(1, 0);
}

/* --- who holds an end -------------------------------------------------------------------- */

static void dup_writer(void)
{
	int copy = t_dup(t.w);

	p_close_w();
	p_poll_r(POLLIN, 0);
	t_write(copy, 5, 5);
	t_close(copy);
	p_read(10, 5);
	p_read(10, 0);
}

/* Each holder is a job that keeps one end open, and sleeps in a read of the gate. */
static int gate[2];

static long hold_gate(void)
{
	char byte;

	return ret(read(gate[0], &byte, 1));
}

static long hold_writer(long unused)
{
	(void)unused;
	close(t.r);
	return hold_gate();
}

static long hold_reader(long unused)
{
	(void)unused;
	close(t.w);
	return hold_gate();
}

static pid_t holder(long (*hold)(long unused))
{
	if (!gate[1])
		t_pipe(gate);
	return t_blocked(hold, 0);
}

static void fork_writers(void)
{
	enum { HOLDERS = 5 };
	pid_t jobs[HOLDERS];

	t_catch(SIGUSR1, 0);
	for (int i = 0; i < HOLDERS; i++)
		jobs[i] = holder(hold_writer);
	p_close_w();
	for (int i = 0; i < HOLDERS; i++) {
		p_poll_r(POLLIN, 0);
		t_eintr(jobs[i]);
	}
	p_read(1, 0);
}

static void killed_writer(void)
{
	pid_t job = holder(hold_writer);

	p_close_w();
	p_poll_r(POLLIN, 0);
	t_kill(job);
	p_read(1, 0);
}

static void killed_reader(void)
{
	pid_t job = holder(hold_reader);

	t_catch(SIGPIPE, 0);
	p_close_r();
	p_write(1);
	t_kill(job);
	p_no_write(1, -EPIPE);
}

/* POSIX does not say how much the writer puts in before it blocks. */
static void killed_in_write(void)
{
	size_t all = p_fill();
	pid_t job;
	long got;

	p_drain(all);
	p_write(t.pipe_buf);
	job = t_blocked(t_call_write, all);
	p_close_w();
	t_kill(job);
	p_drain(t.pipe_buf);
	do
		got = t_checked_read(t.r, all);
	while (got > 0);
	want(got, 0, "the last read");
}

static void keeps_number(void)
{
	char byte;
	pid_t pid = t_exec(t.w);

	p_close_w();
	while (read(t.r, &byte, 1) == 1)
		t_handled.count++;
	want(t_handled.count > 0, 1, "what the program wrote to descriptor 1 is read here");
	t_reap(pid, EXIT_SUCCESS);
}

/* A child of vfork borrows the memory, but has descriptors of its own. */
static void vfork_inherits(void)
{
	const char *bytes = t_pattern(5);
	pid_t pid = vfork();

	if (pid == 0) {
		close(t.r);
		_exit(write(t.w, bytes, 5) != 5);
	}
	if (pid < 0 && errno == EAGAIN)
		t_skip("process-limit");
	want(pid > 0, true, "vfork works");
	t_reap(pid, EXIT_SUCCESS);
	t_pattern_wrote(5);
	p_read(10, 5);
}

static long read_five(long fd)
{
	char bytes[5];

	return ret(read(fd, bytes, sizeof(bytes)));
}

static void closed_under_reader(void)
{
	pid_t job = t_thread(read_five, t.r);

	t_blocks(job);
	p_close_r();
	t_blocks(job);
	t_info("close() by another thread does not end a read");
	p_write(5);
	t_returns(job, 5);
}

/* --- what passes through ------------------------------------------------------------------ */

static void boundaries(void)
{
	p_write(3);
	p_write(3);
	p_read(10, 6);
	p_write(3);
	for (int i = 0; i < 3; i++)
		p_read(1, 1);
	p_holds(0);
}

static long echo(long back)
{
	uint32_t n;

	close(t.w);
	while (read(t.r, &n, sizeof(n)) == sizeof(n))
		if (write(back, &n, sizeof(n)) != sizeof(n))
			break;
	return 0;
}

static void ping_pong(void)
{
	enum { TRIPS = 500 };
	uint32_t answer;
	pid_t job;
	int back[2];

	t_pipe(back);
	job = t_start(echo, back[1]);
	p_close_r();
	t_close(back[1]);
	for (uint32_t i = 0; i < TRIPS; i++)
		if (write(t.w, &i, sizeof(i)) != sizeof(i)
			|| read(back[0], &answer, sizeof(answer)) != sizeof(answer) || answer != i)
			t_fail("round trip %u did not come back: %s", (unsigned)i, strerror(errno));
	p_close_w();
	t_returns(job, 0);
}

static const int chunks[] = { 1, 2, 3, 511, 4095, 4097, 65537 };
enum { ROUNDS = 20 };

static long write_chunks(long unused)
{
	(void)unused;
	close(t.r);
	for (int i = 0; i < ROUNDS; i++)
		for (size_t c = 0; c < ARRAY_SIZE(chunks); c++)
			p_write(chunks[c]);
	return 0;
}

static void stream(void)
{
	pid_t job = t_start(write_chunks, 0);

	p_close_w();
	for (int i = 0; i < ROUNDS; i++)
		for (size_t c = ARRAY_SIZE(chunks); c--; )
			p_drain(chunks[c]);
	p_read(1, 0);
	t_returns(job, 0);
}

static _Atomic uint32_t *sum;	/* sums up all bytes that the readers got */

static void add_up(const char *buf, long n)
{
	while (n-- > 0)
		*sum += (unsigned char)buf[n];
}

static long read_share(long n)
{
	char *buf = xmalloc(n);
	long got = ret(read(t.r, buf, n));

	add_up(buf, got);
	return got;
}

static void share_among(unsigned n)
{
	size_t share = t.pipe_buf / n, rest = t.pipe_buf % n;
	pid_t jobs[50];

	*sum = 0;
	add_up(t_pattern(t.pipe_buf), t.pipe_buf);
	*sum = -*sum;
	p_write(t.pipe_buf);
	for (unsigned i = 0; i < n; i++)
		jobs[i] = t_start(read_share, share);
	for (unsigned i = 0; i < n; i++)
		t_returns(jobs[i], share);
	p_unread(rest);
	if (rest)
		want(read_share(rest), rest, "the rest");
	wantf(*sum, 0, "what came out of the sum of what went in, %u readers", n);
}

static void readers(void)
{
	static const unsigned char counts[] = { 1, 2, 3, 4, 10, 50 };

	sum = t_anon_shared(sizeof(*sum));
	for (size_t c = 0; c < ARRAY_SIZE(counts); c++)
		share_among(counts[c]);
}

static long write_letters(long letter)
{
	size_t n = 3 * t.cap + 7;

	close(t.r);
	return ret(write(t.w, memset(xmalloc(n), letter, n), n));
}

static void two_writers(void)
{
	pid_t a = t_start(write_letters, 'a'), b = t_start(write_letters, 'b');
	size_t expected = 3 * t.cap + 7, count[2] = { 0, 0 };
	char *buf = xmalloc(t.page);
	long n;

	p_close_w();
	while ((n = ret(read(t.r, buf, t.page))) > 0)
		for (long i = 0; i < n; i++)
			count[buf[i] == 'b']++;
	want(n, 0, "the last read");
	want(count[0], expected, "bytes of the first writer");
	want(count[1], expected, "bytes of the second");
	t_returns(a, expected);
	t_returns(b, expected);
}

const struct test_case processes_cases[] = {
	CASE("bas.passed", "BAS-15 S3", 'L', KINDS | MYTH, 0,
		"an end sent over a socket works in a process that inherited none",
		"unix(7), SCM_RIGHTS: as though created with dup(2); the tutorial says that only "
		"related processes share a pipe", passed),
	CASE("bas.in_flight", "BAS-15", 'I', KINDS, 0,
		"no end of file while a write end is on its way in a socket",
		"unix(7), SCM_RIGHTS does not say it", in_flight),
	CASE("bas.dup_writer", "BAS-22", 'P', KINDS, 0,
		"end of file comes when the last duplicate of the write end is closed",
		"POSIX read, DESCRIPTION: 0 if no process has the pipe open for writing; dup",
		dup_writer),
	CASE("bas.fork_writers", "BAS-23 S6", 'P', KINDS, 0,
		"end of file comes when the last child that has the write end is gone",
		"POSIX read, DESCRIPTION: 0 if no process has the pipe open for writing; fork",
		fork_writers),
	CASE("bas.killed_writer", "BAS-31", 'P', KINDS, 0,
		"a process that was killed has closed its write end",
		"POSIX _Exit, Consequences of Process Termination: all descriptors shall be closed",
		killed_writer),
	CASE("bas.killed_reader", "BAS-31", 'P', KINDS, 0,
		"a process that was killed has closed its read end: EPIPE",
		"POSIX _Exit, Consequences of Process Termination; write, ERRORS: EPIPE",
		killed_reader),
	CASE("bas.killed_in_write", "BAS-31", 'P', KINDS, 0,
		"a blocked writer can be killed: earlier data stay, and then the end of file comes",
		"POSIX kill; _Exit, Consequences of Process Termination: all descriptors shall be "
		"closed", killed_in_write),
	CASE("bas.exec_keeps", "BAS-32", 'P', KINDS | NEEDS_PROC, 0,
		"an end survives exec under its number",
		"POSIX exec, DESCRIPTION: open descriptors shall remain open", keeps_number),
	CASE("bas.vfork", "BAS-33", 'L', KINDS, 0,
		"a child of vfork inherits the ends, and its close is its own",
		"vfork(2), Linux description: the child has a copy of the descriptors",
		vfork_inherits),
	CASE("bas.closed_under_reader", "BAS-34 EOF-04", 'I', 0, 0,
		"a read goes on when another thread closes its descriptor",
		"gVisor pipe.cc ReadFromClosedFd; POSIX close does not say it",
		closed_under_reader),
	CASE("bas.boundaries", "BAS-18 S2", 'P', KINDS, 0,
		"writes join and reads split: a pipe has no records",
		"POSIX pipe, DESCRIPTION: first in, first out; read, DESCRIPTION: nbyte bytes",
		boundaries),
	CASE("bas.ping_pong", "BAS-16 P13 S1 S2", 'P', KINDS | STRESS, 0,
		"round trips through two pipes: none is lost, none gets stuck",
		"POSIX read, DESCRIPTION: shall block until some data is written", ping_pong),
	CASE("bas.stream", "BAS-17 S2", 'P', KINDS | STRESS, 0,
		"bytes keep their order through writes and reads of any size",
		"POSIX write, DESCRIPTION: each request shall append to the end of the pipe",
		stream),
	CASE("bas.readers", "BAS-24", 'L', KINDS, 0,
		"up to 50 readers share what is there: each byte is read once",
		"pipe(7), I/O on pipes: a byte stream; LTP pipe11", readers),
	CASE("bas.two_writers", "BAS-25", 'P', KINDS | STRESS, 0,
		"two writers at once: nothing is lost and nothing added",
		"POSIX write, DESCRIPTION: each request shall append to the end of the pipe",
		two_writers),
};
ALL_ROWS(processes);
