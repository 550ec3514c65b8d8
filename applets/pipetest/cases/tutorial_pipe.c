/*
 * tutorial_pipe.c - cases of the tutorial's programs with pipes (cases/INVENTORY), corrected
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

/* --- P1 to P3: who reads, who still holds a write end --------------------------------- */

/* P1: the parent writes "hello pipe\n"; the child reads it, and then the end of file. */
static void p1_hello(void)
{
	pid_t reader = t_blocked(t_call_read, 11);

	p_write(11);
	p_close_w();
	t_returns(reader, 11);
	p_read(1, 0);
}

static void p1_no_write(void)
{
	pid_t reader = t_blocked(t_call_read, 11); /* this process holds a write end */

	p_close_w();
	t_returns(reader, 0);
}

static void close_writer(int sig)
{
	(void)sig;
	close(t.w);
}

/* The reader keeps its own write end, as the tutorial's parent does. At SIGUSR1 it closes that end,
 * and its read, which goes on after the signal, returns 0. */
static long read_with_own_writer(long n)
{
	struct sigaction sa = { .sa_handler = close_writer, .sa_flags = SA_RESTART };

	t_ok(sigaction(SIGUSR1, &sa, NULL), "sigaction");
	p_drain(n);
	p_read(1, 0);
	return 0;
}

/* The reader is the last process with a write end, and blocks until it closes that end. */
static void own_writer_ends(pid_t reader)
{
	p_close_w();
	t_blocks(reader);
	t_send(reader, SIGUSR1);
	t_returns(reader, 0);
}

static long write_after_close(long n)
{
	int fd = t.w;

	p_close_w();
	return ret(write(fd, "hello\n", n));
}

static void p2_own_writer(void)
{
	pid_t reader = t_start(read_with_own_writer, 0), child = t_start(write_after_close, 6);

	t_returns(child, -EBADF); /* reaps the child, for the reader does not wait for one */
	own_writer_ends(reader);
}

static void p2b_as_printed(void)
{
	pid_t reader = t_start(read_with_own_writer, 6);

	t_child(t_call_write, 6, 6);
	own_writer_ends(reader);
}

static void p2b_corrected(void)
{
	pid_t writer = t_start(t_call_write, 6);

	p_close_w();
	p_read(256, 6);
	p_read(256, 0);
	t_returns(writer, 6);
}

static void p3_empty(void)
{
	t_child(write_after_close, 6, -EBADF);
	p_close_w();
	p_read(256, 0);
}

static void p3_data(void)
{
	t_child(t_call_write, 6, 6);
	p_close_w();
	p_read(256, 6);
	p_read(256, 0);
}

static void p3_writer_kept(void)
{
	pid_t reader;

	t_child(t_call_write, 6, 6);
	p_read(256, 6);
	reader = t_blocked(t_call_read, 256);
	p_close_w(); /* is the last write end, in another process than the reader */
	t_returns(reader, 0);
}

/* --- P4 to P6: full, and without readers ---------------------------------------------- */

static long write_bytes(long n)
{
	long got;

	while ((got = t_try_write(t.w, n)) == n)
		;
	return got;
}

static void p4_bytes_until_full(void)
{
	pid_t writer;

	p_leave_some();
	writer = t_start(write_bytes, 1);
	t_wait_until(t_has_unread, t.cap, "as many bytes as F_GETPIPE_SZ says");
	t_blocks(writer);
	p_unread(t.cap);
}

/* P5: the tutorial says that a full pipe kills its writer. In fact the last reader's exit does. */
static void p5_full_blocks(void)
{
	pid_t writer;

	p_fill();
	t_catch(SIGPIPE, 0);
	writer = t_blocked(t_call_write, t.page);
	p_close_r();
	t_returns(writer, -EPIPE);
	t_caught(writer, 1);
}

static void p6_sigpipe_caught(void)
{
	pid_t writer;

	t_catch(SIGPIPE, 0);
	p_close_r();
	writer = t_start(t_call_write, 6);
	t_returns(writer, -EPIPE);
	t_caught(writer, 1);
}

/* --- P7, P8: without blocking ----------------------------------------------------------- */

static void p7_blocking_closed(void)
{
	p_close_w();
	p_read(256, 0);
}

static void p7_blocking_open(void)
{
	pid_t reader = t_blocked(t_call_read, 256);

	p_write(6);
	t_returns(reader, 6);
}

static void p7_nonblock_closed(void)
{
	p_nonblock_r();
	p_close_w();
	p_read(256, 0);
}

static void p7_nonblock_open(void)
{
	p_nonblock_r();
	p_read(256, -EAGAIN);
}

static void s10_four_rules(void)
{
	p_nonblock_r();
	p_read(256, -EAGAIN);
	p_write(6);
	p_read(256, 6);
	p_write(6);
	p_close_w();
	p_read(256, 6);
	p_read(256, 0);
}

/* A write has two pages and 854 bytes. With pages of 4 KiB that is the tutorial's 9046. */
static void p8_nonblock_writer(void)
{
	size_t chunk = 2 * t.page + 854, total = 0, whole = 0;
	long n;

	p_nonblock_w();
	while ((n = t_try_write(t.w, chunk)) > 0) {
		total += n;
		whole += n == (long)chunk;
	}
	wantf(n, -EAGAIN, "write(%zu bytes) to a full pipe", chunk);
	t_info("%zu x %zu + %zu = %zu of %zu bytes: only what fits whole shares the last slot",
		whole, chunk, total - whole * chunk, total, t.cap);
	p_holds(total);
}

/* --- P9: a pipeline --------------------------------------------------------------------- */

static void become(int fd, int standard)
{
	wantf(ret(dup2(fd, standard)), standard, "dup2(%d, %d)", fd, standard);
	p_close_r();
	p_close_w();
}

static long left_of_pipe(long n)
{
	become(t.w, STDOUT_FILENO);
	t_write(STDOUT_FILENO, n, n);
	return 0;
}

static long right_of_pipe(long n)
{
	become(t.r, STDIN_FILENO);
	t_drain(STDIN_FILENO, n);
	t_read(STDIN_FILENO, 1, 0);
	return 0;
}

static void p9_pipeline(void)
{
	long n = 2 * t.cap + 1;
	pid_t left = t_start(left_of_pipe, n), right = t_start(right_of_pipe, n);

	p_close_r();
	p_close_w();
	t_returns(right, 0);
	t_returns(left, 0);
}

static void p9_leak(void)
{
	long n = 2 * t.cap + 1;
	pid_t left = t_start(left_of_pipe, n), right = t_start(read_with_own_writer, n);

	p_close_r();
	t_returns(left, 0);
	own_writer_ends(right);
}

static void p9b_parent_closes(void)
{
	pid_t left = t_start(left_of_pipe, 100), right = t_start(right_of_pipe, 100);

	t_returns(left, 0);
	t_blocks(right);
	want(waitpid(right, NULL, WNOHANG), 0, "waitpid(WNOHANG) of one that lives");
	p_close_w();
	t_returns(right, 0);
}

/* --- P13: two pipes --------------------------------------------------------------------- */

/* The child answers through a second pipe. */
static long answer_child(long fd)
{
	p_read(7, 7);
	t_write(fd, 7, 7);
	return 0;
}

static void p13_duplex(void)
{
	pid_t child;
	int back[2];

	t_pipe(back);
	child = t_blocked(answer_child, back[1]);
	p_write(7);
	t_read(back[0], 7, 7);
	t_returns(child, 0);
}

const struct test_case tutorial_pipe_cases[] = {
	CASE("tut.p1.hello", "TUT-P1a P1 S5", 'P', KINDS, 0,
		"what the parent writes the child reads, then end of file",
		"POSIX pipe, DESCRIPTION: first in, first out; read: 0 without writers", p1_hello),
	CASE("tut.p1.no_write", "TUT-P1b P1 S6", 'P', KINDS | MYTH, 0,
		"without a write the reader gets 0 when the last writer closes",
		"POSIX read, DESCRIPTION: blocks until the pipe is closed by all writers; the "
		"tutorial says that the child blocks for ever", p1_no_write),
	CASE("tut.p2.own_writer", "TUT-P2 P2 S7", 'P', KINDS | MYTH, 0,
		"a reader that keeps its own write end blocks until it closes that",
		"POSIX read, DESCRIPTION: blocks while some process has the pipe open for writing; "
		"the tutorial says that its child blocks, but that got EBADF", p2_own_writer),
	CASE("tut.p2b.as_printed", "TUT-P2b P2b", 'P', KINDS | MYTH, 0,
		"6 bytes, then no end of file while the reader keeps a write end",
		"POSIX read, DESCRIPTION: blocks while some process has the pipe open for writing; "
		"the tutorial says that ret:0 comes next", p2b_as_printed),
	CASE("tut.p2b.corrected", "TUT-P2b P2b S8", 'P', KINDS, 0,
		"6 bytes, then 0, if the reader has closed its write end",
		"POSIX read, DESCRIPTION: 0 if no process has the pipe open for writing",
		p2b_corrected),
	CASE("tut.p3.empty", "TUT-P3a P3", 'P', KINDS, 0,
		"an empty pipe whose write ends are all closed gives 0",
		"POSIX read, DESCRIPTION: 0 if no process has the pipe open for writing", p3_empty),
	CASE("tut.p3.data", "TUT-P3b P3 S8", 'P', KINDS, 0,
		"a pipe with data whose write ends are all closed gives the data, then 0",
		"POSIX read, DESCRIPTION: when attempting to read from an empty pipe", p3_data),
	CASE("tut.p3.writer_kept", "TUT-P3c P3 S7", 'P', KINDS, 0,
		"a write end in another process keeps the reader blocked",
		"POSIX read, DESCRIPTION: blocks while some process has the pipe open for writing",
		p3_writer_kept),
	CASE("tut.p4.bytes_until_full", "TUT-P4 P4", 'I', KINDS | MYTH, 0,
		"as many single bytes fit as F_GETPIPE_SZ says, and the next write blocks",
		"fs/pipe.c; the tutorial says 65536 everywhere", p4_bytes_until_full),
	CASE("tut.p5.full_blocks", "TUT-P5 P5", 'P', KINDS | MYTH, 0,
		"a full pipe blocks its writer; SIGPIPE comes when the last reader leaves",
		"POSIX write, DESCRIPTION: on normal completion it shall return nbyte; ERRORS: "
		"EPIPE; the tutorial says that full means SIGPIPE, not blocking", p5_full_blocks),
	CASE("tut.p5.partial", "TUT-P5 P5", 'I', KINDS | MYTH, 0,
		"the last reader leaves a long write: it counts its bytes, with a SIGPIPE; the "
		"next gives EPIPE",
		"gVisor pipe.cc BlockPartialWriteClosed; the tutorial says that a full pipe "
		"raises SIGPIPE", t_case_partial_then_epipe),
	CASE("tut.p6.sigpipe_caught", "TUT-P6 P6", 'P', KINDS, 0,
		"a write without readers gives EPIPE and one SIGPIPE",
		"POSIX write, ERRORS: EPIPE, a SIGPIPE shall be sent", p6_sigpipe_caught),
	CASE("tut.p6.sigpipe_kills", "TUT-P6 P6", 'P', KINDS, 0,
		"a write without readers: SIGPIPE kills by default",
		"POSIX write, ERRORS: EPIPE; <signal.h>: SIGPIPE terminates", t_case_sigpipe_kills),
	CASE("tut.p6.read_after_close", "TUT-P6 P6", 'P', KINDS | MYTH, 0,
		"a read of an end that this process has closed gives EBADF, not 0",
		"POSIX read, ERRORS: EBADF; the tutorial says loop until 0, so its parent spins",
		t_case_read_after_close),
	CASE("tut.p7.blocking_closed", "TUT-P7 P7 S6", 'P', KINDS, 0,
		"a blocking read of an empty pipe without writers gives 0",
		"POSIX read, DESCRIPTION: 0 if no process has the pipe open for writing",
		p7_blocking_closed),
	CASE("tut.p7.blocking_open", "TUT-P7 P7 S7", 'P', KINDS | MYTH, 0,
		"a blocking read of an empty pipe with a writer blocks until the writer writes",
		"POSIX read, DESCRIPTION: blocks until some data is written; the tutorial says "
		"EAGAIN, without O_NONBLOCK", p7_blocking_open),
	CASE("tut.p7.nonblock_closed", "TUT-P7 P7", 'P', KINDS, 0,
		"with O_NONBLOCK a read of an empty pipe without writers gives 0",
		"POSIX read, DESCRIPTION: 0 if no process has the pipe open for writing",
		p7_nonblock_closed),
	CASE("tut.p7.nonblock_open", "TUT-P7 P7", 'P', KINDS, 0,
		"with O_NONBLOCK a read of an empty pipe with a writer gives EAGAIN",
		"POSIX read, DESCRIPTION: -1 with EAGAIN", p7_nonblock_open),
	CASE("tut.s10.four_rules", "TUT-S10 S10", 'P', KINDS, 0,
		"O_NONBLOCK reader, writer open or closed, empty or not: EAGAIN, n, n, 0",
		"POSIX read, DESCRIPTION: when attempting to read from an empty pipe",
		s10_four_rules),
	CASE("tut.p8.nonblock_writer", "TUT-P8 P8", 'P', KINDS | MYTH, 0,
		"O_NONBLOCK, large writes: whole or partial, then EAGAIN; no byte is lost",
		"POSIX write, DESCRIPTION: more than {PIPE_BUF} bytes; the tutorial says 65536, "
		"but shows 58372", p8_nonblock_writer),
	CASE("tut.p9.pipeline", "TUT-P9 P9", 'P', KINDS, 0,
		"stdout of one process to stdin of the other: every byte, then end of file",
		"POSIX dup2; read, DESCRIPTION", p9_pipeline),
	CASE("tut.p9.leak", "TUT-P9 P9", 'P', KINDS, 0,
		"the right process never sees the end while it keeps a write end",
		"POSIX read, DESCRIPTION: blocks while some process has the pipe open for writing",
		p9_leak),
	CASE("tut.p9b.parent_closes", "TUT-P9b S9b P9", 'P', KINDS | MYTH, 0,
		"the parent's write end counts; waitpid with WNOHANG does not wait, and returns 0",
		"POSIX waitpid, WNOHANG and RETURN VALUE; the tutorial says reaped, of a status "
		"never set", p9b_parent_closes),
	CASE("tut.p10.nonblock_bytes", "TUT-P10 P10", 'I', 0, 0,
		"as many single bytes fit as F_GETPIPE_SZ says, then EAGAIN",
		"fs/pipe.c", t_case_bytes_fill_capacity),
	CASE("tut.s11.sizes", "TUT-S11 S11", 'I', MYTH, 0,
		"PIPE_BUF, capacity and maximum are three numbers of bytes",
		"pipe(7), Pipe capacity and PIPE_BUF; the tutorial says 4096 bits and 65535 bits",
		t_case_sizes),
	CASE("tut.p13.duplex", "TUT-P13 P13 S1", 'P', KINDS, 0,
		"two pipes carry a question and its answer, without sleep",
		"POSIX pipe, DESCRIPTION: first in, first out", p13_duplex),
};
ALL_ROWS(tutorial_pipe);
