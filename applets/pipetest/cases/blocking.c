/*
 * blocking.c - cases of reads and writes that block, and of what wakes them
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

struct crowd {
	unsigned n;
	pid_t job[100];
};

static void start_crowd(struct crowd *crowd, unsigned n, long (*call)(long arg), long arg)
{
	crowd->n = n;
	for (unsigned i = 0; i < n; i++) {
		crowd->job[i] = t_start(call, arg);
		if (t.proc || i == n - 1) /* without /proc all jobs share one period of grace */
			t_blocks(crowd->job[i]);
	}
}

static bool one_returned(long arg)
{
	const struct crowd *crowd = (const struct crowd *)(intptr_t)arg;

	for (unsigned i = 0; i < crowd->n; i++)
		if (t_returned(crowd->job[i]))
			return true;
	return false;
}

/* Waits until one job returns, and returns the number of that job. All others must still block. */
static unsigned only_one_returns(const struct crowd *crowd)
{
	unsigned first = crowd->n;

	t_wait_until(one_returned, (long)(intptr_t)crowd, "one of those that block returns");
	for (unsigned i = 0; i < crowd->n; i++)
		if (first == crowd->n && t_returned(crowd->job[i]))
			first = i;
		else
			t_blocks(crowd->job[i]);
	return first;
}

/* --- reads ----------------------------------------------------------------------------------- */

static void read_waits_for_some(void)
{
	pid_t reader = t_blocked(t_call_read, 100);

	p_write(7);
	t_returns(reader, 7);
}

static void one_byte_one_reader(void)
{
	struct crowd readers;

	start_crowd(&readers, 5, t_call_read, 1);
	p_write(1);
	only_one_returns(&readers);
}

static void eof_wakes(unsigned n)
{
	struct crowd readers;

	start_crowd(&readers, n, t_call_read, 1);
	p_close_w();
	for (unsigned i = 0; i < n; i++)
		t_returns(readers.job[i], 0);
}

static void eof_wakes_all(void)
{
	eof_wakes(10);
}

static void eof_wakes_100(void)
{
	eof_wakes(100);
}

static void late_nonblock(void)
{
	pid_t reader = t_blocked(t_call_read, 1);

	p_nonblock_r();
	t_blocks(reader);
	p_write(1);
	t_returns(reader, 1);
}

static void stop_and_continue(void)
{
	pid_t reader = t_start(t_call_read, 1);
	int status = 0;

	t_blocks(reader);
	t_send(reader, SIGSTOP);
	want_ret(waitpid(reader, &status, WUNTRACED), reader, "waitpid(WUNTRACED)");
	want(WIFSTOPPED(status), 1, "WIFSTOPPED");
	t_send(reader, SIGCONT);
	t_blocks(reader);
	p_write(1);
	t_returns(reader, 1);
}

/* --- writes ---------------------------------------------------------------------------------- */

static void full_blocks(void)
{
	pid_t writer;

	p_fill();
	writer = t_blocked(t_call_write, 1);
	t_kill(writer);
}

static void waits_for_all_room(void)
{
	size_t all = p_fill();
	pid_t writer = t_blocked(t_call_write, t.pipe_buf);

	p_drain(all);
	t_returns(writer, t.pipe_buf);
	p_holds(t.pipe_buf);
}

static void puts_nothing_in(void)
{
	size_t unread = t.cap - 100, slot = unread < t.page ? unread : t.page;
	pid_t writer;

	p_write(unread);
	writer = t_blocked(t_call_write, t.pipe_buf);
	p_unread(unread);
	p_drain(slot);
	t_returns(writer, t.pipe_buf);
	p_drain(unread - slot + t.pipe_buf);
}

static void larger_than_pipe(void)
{
	size_t all = p_fill(), n = 2 * all + 1;
	pid_t writer;

	p_drain(all);
	writer = t_blocked(t_call_write, n);
	p_drain(all);
	t_blocks(writer); /* the pipe has no room for the writer's last byte */
	p_drain(all + 1);
	t_returns(writer, n);
}

static void epipe_wakes_all(void)
{
	struct crowd writers;

	p_fill();
	t_catch(SIGPIPE, 0);
	start_crowd(&writers, 10, t_call_write, t.pipe_buf);
	p_close_r();
	for (unsigned i = 0; i < writers.n; i++) {
		t_returns(writers.job[i], -EPIPE);
		t_caught(writers.job[i], 1);
	}
}

static long write_and_again(long n)
{
	wantf(t_call_write(n), t.cap + t.page, "a write of %ld bytes, a page was read", n);
	t_signals(1);
	return ret(write(t.w, "x", 1));
}

void t_case_partial_then_epipe(void)
{
	pid_t writer;

	t_catch(SIGPIPE, 0);
	writer = t_start(write_and_again, 2 * t.cap + 1);
	t_wait_until(t_has_unread, t.cap, "a full pipe");
	p_drain(t.page);
	t_wait_until(t_has_unread, t.cap, "a pipe that is full again");
	t_blocks(writer);
	p_close_r();
	t_returns(writer, -EPIPE);
	t_caught(writer, 2);
}

static void growth_wakes_writer(void)
{
	pid_t writer;
	long size = ret(fcntl(t.w, F_SETPIPE_SZ, (int)t.page));

	want(size, t.page, "F_SETPIPE_SZ to a page");
	p_fill();
	writer = t_blocked(t_call_write, 1);
	size = ret(fcntl(t.w, F_SETPIPE_SZ, (int)(2 * t.page)));
	if (size == -EPERM)
		t_skip("soft-limit");
	want(size, 2 * t.page, "F_SETPIPE_SZ to two pages");
	t_returns(writer, 1);
}

static void order_of_writers(void)
{
	struct crowd writers;

	p_fill();
	start_crowd(&writers, 2, t_call_write, t.page);
	p_drain(t.page);
	t_info("of two blocked writers the %s went on",
		only_one_returns(&writers) ? "second" : "first");
}

const struct test_case blocking_cases[] = {
	CASE("blk.read_waits_for_some", "BLK-01 S5 S7", 'P', KINDS, 0,
		"a read of 100 bytes from an empty pipe blocks until 7 bytes come",
		"POSIX read, DESCRIPTION: shall block until some data is written",
		read_waits_for_some),
	CASE("blk.full_blocks", "BLK-02", 'P', KINDS, 0,
		"a write to a full pipe blocks until SIGKILL ends it",
		"POSIX write, DESCRIPTION: on normal completion it shall return nbyte; kill",
		full_blocks),
	CASE("blk.waits_for_all_room", "BLK-03 S12", 'P', KINDS, 0,
		"a write of PIPE_BUF bytes to a full pipe blocks until all of them are in",
		"POSIX write, DESCRIPTION: O_NONBLOCK clear: on completion it shall return nbyte",
		waits_for_all_room),
	CASE("blk.puts_nothing_in", "BLK-03 S12", 'I', KINDS, 0,
		"a write of PIPE_BUF bytes that blocks where 100 fit has put nothing in",
		"fs/pipe.c; POSIX asks only that it is not interleaved", puts_nothing_in),
	CASE("blk.larger_than_pipe", "BLK-04 S12", 'P', KINDS, 0,
		"a write of more than a pipe holds returns when all is in",
		"POSIX write, DESCRIPTION: O_NONBLOCK clear: on completion it shall return nbyte",
		larger_than_pipe),
	CASE("blk.one_byte_one_reader", "BLK-05", 'I', KINDS, 0,
		"5 readers block and 1 byte comes: one of them returns",
		"fs/pipe.c; POSIX read: concurrent reads are unspecified", one_byte_one_reader),
	CASE("blk.eof_wakes_all", "BLK-06 REG-01", 'L', KINDS, 0,
		"10 readers block and the last writer closes: all return 0",
		"pipe(7), I/O on pipes: all write ends closed gives end-of-file; LTP pipe13",
		eof_wakes_all),
	CASE("blk.eof_wakes_100", "BLK-06", 'L', 0, 0,
		"100 readers block and the last writer closes: all return 0",
		"pipe(7), I/O on pipes: all write ends closed gives end-of-file; LTP pipe13",
		eof_wakes_100),
	CASE("blk.epipe_wakes_all", "BLK-07", 'P', KINDS, 0,
		"10 writers block and the last reader closes: EPIPE and one SIGPIPE each",
		"POSIX write, ERRORS: EPIPE, a SIGPIPE shall be sent to the thread",
		epipe_wakes_all),
	CASE("blk.partial_then_epipe", "BLK-08", 'I', KINDS, 0,
		"the last reader leaves a long write: it counts its bytes, with a SIGPIPE; the "
		"next gives EPIPE",
		"gVisor pipe.cc BlockPartialWriteClosed; fs/pipe.c", t_case_partial_then_epipe),
	CASE("blk.late_nonblock", "BLK-09", 'I', KINDS, 0,
		"O_NONBLOCK that another process sets does not wake a reader",
		"fs/pipe.c", late_nonblock),
	CASE("blk.growth_wakes_writer", "BLK-10 REG-06", 'B', 0, BROKEN(5, 8, 6, 8),
		"F_SETPIPE_SZ that makes room wakes a blocked writer",
		"e95aada4cb93 (6.8) fixed it, c73be61cede5 (5.8) broke it", growth_wakes_writer),
	CASE("blk.stop_and_continue", "BLK-11", 'L', KINDS, 0,
		"SIGSTOP and SIGCONT leave a blocked read as it was",
		"signal(7), Interruption by stop signals: read of a pipe is not among those that "
		"fail", stop_and_continue),
	CASE("blk.order_of_writers", "BLK-12", 'I', KINDS, 0,
		"which of two blocked writers goes on first",
		"fs/pipe.c", order_of_writers),
};
ALL_ROWS(blocking);
