/*
 * end_of_file.c - cases in which the other side is gone: end of file, EPIPE and SIGPIPE
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include "../case.h"

/* --- no writer ---------------------------------------------------------------------------- */

static void empty(void)
{
	p_close_w();
	p_read(1, 0);
	p_nonblock_r();
	p_read(1, 0);
}

static void data_first(void)
{
	p_write(t.pipe_buf);
	p_close_w();
	p_read(1, 1);
	p_read(t.pipe_buf, t.pipe_buf - 1);
	p_read(t.pipe_buf, 0);
}

static void sticky(void)
{
	p_write(1);
	p_close_w();
	p_read(1, 1);
	for (int i = 0; i < 5; i++)
		p_read(1, 0);
}

void t_case_read_after_close(void)
{
	int fd = t.r;

	p_write(1);
	p_close_r();
	t_read(fd, 1, -EBADF);
}

static long exit_at_once(long unused)
{
	return unused;
}

static void zombie(void)
{
	pid_t job = t_start(exit_at_once, 0);
	siginfo_t gone;

	p_close_w();
	t_ok(waitid(P_PID, job, &gone, WEXITED | WNOWAIT), "waitid(WNOWAIT)");
	p_read(1, 0);
	t_returns(job, 0);
}

static long stop_self(long unused)
{
	t_raise(SIGSTOP);
	return unused;
}

static void stopped(void)
{
	pid_t job = t_start(stop_self, 0);
	int status;

	p_close_w();
	want_ret(waitpid(job, &status, WUNTRACED), job, "waitpid(WUNTRACED)");
	want(WIFSTOPPED(status), 1, "stopped");
	p_poll_r(POLLIN, 0);
	t_send(job, SIGCONT);
	t_returns(job, 0);
	p_read(1, 0);
}

/* --- no reader ---------------------------------------------------------------------------- */

void t_case_sigpipe_kills(void)
{
	p_close_r();
	t_dies(t_start(t_call_write, 1), SIGPIPE);
}

static void one_each(void)
{
	t_catch(SIGPIPE, 0);
	p_write(1);
	p_close_r();
	for (int i = 1; i <= 3; i++) {
		p_no_write(t.page, -EPIPE);
		t_signals(i);
	}
}

static void pending(void)
{
	static const struct timespec now;
	sigset_t set, got;

	t_block(SIGPIPE, &set);
	p_close_r();
	p_no_write(1, -EPIPE);
	t_ok(sigpending(&got), "sigpending");
	want(sigismember(&got, SIGPIPE), 1, "SIGPIPE is pending");
	want_ret(sigtimedwait(&set, NULL, &now), SIGPIPE, "sigtimedwait");
	want_ret(sigtimedwait(&set, NULL, &now), -EAGAIN, "a second sigtimedwait");
}

static long write_one(long fd)
{
	return ret(write(fd, "", 1));
}

/* A signal that is sent to the process goes to its first thread that does not block the signal.
 * That is this thread, and not the one that writes. */
static void thread_directed(void)
{
	pid_t job;

	t_catch(SIGPIPE, 0);
	p_close_r();
	job = t_thread(write_one, t.w);
	t_returns(job, -EPIPE);
	t_signals(1);
	want(t_handled.thread, job, "the thread that caught it, says gettid");
}

static void ignored(void)
{
	char byte = 0;
	struct iovec v = { &byte, 1 };

	t_signal(SIGPIPE, SIG_IGN);
	p_close_r();
	want_ret(write(t.w, &byte, 1), -EPIPE, "write");
	want_ret(writev(t.w, &v, 1), -EPIPE, "writev");
}

static void want_epipe(int file, int other)
{
	char byte = 0;
	struct iovec v = { &byte, 1 };

	want_if_there(vmsplice(t.w, &v, 1, SPLICE_F_NONBLOCK), -EPIPE, "vmsplice");
	want_if_there(tee(other, t.w, 1, SPLICE_F_NONBLOCK), -EPIPE, "tee");
	want_if_there(t_splice_now(other, t.w, 1), -EPIPE, "splice from a pipe");
	want_if_there(t_splice_now(file, t.w, 1), -EPIPE, "splice from a file");
	want_if_there(sendfile(t.w, file, NULL, 1), -EPIPE, "sendfile");
}

static void all_calls(void)
{
	int file = t_data(t.page), other[2];

	t_pipe(other);
	t_write(other[1], 1, 1);
	t_signal(SIGPIPE, SIG_IGN);
	p_close_r();
	want_epipe(file, other[0]);
}

static void reader_again(void)
{
	int fd, left = -1;

	t_catch(SIGPIPE, 0);
	p_write(5);
	p_close_r();
	p_no_write(1, -EPIPE);
	fd = t_reopen(t.w, O_RDONLY | O_NONBLOCK);
	ioctl(fd, FIONREAD, &left);
	t_info("of 5 unread bytes %d are left when there is a reader again", left);
	p_write(1);
}

/* --- over exec ----------------------------------------------------------------------------- */

static void inherited(void)
{
	t_info("SIGPIPE was inherited %s", bb_sigpipe_was_ignored ? "ignored" : "at its default");
}

static void exec_traced(void (*disposition)(int))
{
	t_signal(SIGPIPE, disposition);
	t_dup2(t.w, STDOUT_FILENO);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
		t_exec_self();
	_exit(EXIT_UNSUPPORTED);
}

/* The tracer sends SIGPIPE after exec and before the program's first instruction. The signal kills
 * the program unless exec has kept SIGPIPE ignored. */
static int signal_after_exec(void (*disposition)(int))
{
	int status;
	pid_t pid = t_fork();

	if (pid == 0)
		exec_traced(disposition);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		t_skip("no-exec");
	t_ok(ptrace(PTRACE_DETACH, pid, NULL, (void *)(long)SIGPIPE), "PTRACE_DETACH with SIGPIPE");
	want_ret(waitpid(pid, &status, 0), pid, "waitpid");
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void nothing(int sig)
{
	(void)sig;
}

static void over_exec(void)
{
	want(signal_after_exec(SIG_IGN), 0,
		"signal that kills a program started with SIGPIPE ignored");
	want(signal_after_exec(SIG_DFL), SIGPIPE,
		"signal that kills a program started with SIGPIPE at its default");
	want(signal_after_exec(nothing), SIGPIPE,
		"signal that kills a program whose SIGPIPE was caught before exec");
}

const struct test_case end_of_file_cases[] = {
	CASE("eof.empty", "EOF-01 S6 S7 S10", 'P', KINDS, 0,
		"an empty pipe without writers gives 0 at once, with O_NONBLOCK or without",
		"POSIX read, DESCRIPTION: 0 if no process has the pipe open for writing", empty),
	CASE("eof.data_first", "EOF-02 S6 S8 S10", 'P', KINDS, 0,
		"a pipe without writers gives first the data, then 0",
		"POSIX read, DESCRIPTION: when attempting to read from an empty pipe", data_first),
	CASE("eof.sticky", "EOF-03", 'P', KINDS, 0,
		"each read at the end of file gives 0",
		"POSIX read, DESCRIPTION: 0 if no process has the pipe open for writing", sticky),
	CASE("eof.closed_self", "EOF-04", 'P', KINDS, 0,
		"a read end that its reader has closed gives EBADF, not end of file",
		"POSIX read, ERRORS: EBADF", t_case_read_after_close),
	CASE("eof.zombie", "EOF-12", 'P', KINDS, 0,
		"a writer that has exited, but is not yet reaped, is no writer",
		"POSIX _Exit, Consequences of Process Termination: all descriptors shall be closed",
		zombie),
	CASE("eof.stopped", "EOF-12", 'P', KINDS, 0,
		"a stopped writer is a writer",
		"POSIX read, DESCRIPTION: some process has the pipe open for writing", stopped),
	CASE("eof.sigpipe_kills", "EOF-05 P6 P14", 'P', KINDS, 0,
		"without a reader SIGPIPE kills the writer",
		"POSIX write, ERRORS: EPIPE; <signal.h>: SIGPIPE terminates", t_case_sigpipe_kills),
	CASE("eof.one_each", "EOF-06 P6", 'P', KINDS, 0,
		"without a reader each write gives EPIPE and exactly one SIGPIPE",
		"POSIX write, ERRORS: EPIPE, a SIGPIPE shall be sent; LTP pipe08", one_each),
	CASE("eof.pending", "EOF-08 EOF-06 P6", 'P', KINDS, 0,
		"a blocked SIGPIPE is pending, once; sigtimedwait takes it",
		"POSIX write, ERRORS: EPIPE; sigtimedwait", pending),
	CASE("eof.thread_directed", "EOF-07 P6", 'P', KINDS, 0,
		"SIGPIPE is sent to the thread that writes",
		"POSIX write, ERRORS: EPIPE, a SIGPIPE shall be sent to the thread",
		thread_directed),
	CASE("eof.ignored", "EOF-10 EOF-06", 'P', KINDS, 0,
		"SIGPIPE ignored: write and writev give EPIPE",
		"POSIX write, writev, ERRORS: EPIPE", ignored),
	CASE("eof.all_calls", "EOF-10 EOF-06", 'I', KINDS, 0,
		"SIGPIPE ignored: vmsplice, tee, splice and sendfile give EPIPE",
		"fs/splice.c; their man pages do not name EPIPE", all_calls),
	CASE("eof.reader_again", "EOF-09", 'I', KINDS | NEEDS_PROC, 0,
		"what is left for a reader that opens the pipe after the last reader has closed it",
		"fs/pipe.c", reader_again),
	CASE("eof.inherited", "EOF-11", 'I', 0, 0,
		"whether SIGPIPE was ignored by whoever started this program",
		"POSIX exec, DESCRIPTION: signals set to be ignored", inherited),
	CASE("eof.over_exec", "EOF-11", 'P', NEEDS_PROC, 0,
		"exec keeps SIGPIPE ignored, and resets a handler",
		"POSIX exec, DESCRIPTION: signals set to be ignored; signals set to be caught",
		over_exec),
};
ALL_ROWS(end_of_file);
