/*
 * children.c - waits for a case's first process, kills its group, and reaps all processes
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "engine.h"

/* The engine blocks SIGCHLD and the signals that end a run, and waits for them with
 * sigtimedwait(2), so that no signal is lost between a check and a wait. The engine is a subreaper
 * (prctl(2)): it also reaps the orphans of a case and so sees when the whole group is gone. The
 * engine kills the group before it reaps the leader, because the kernel gives the group's number
 * to no other process while the leader is a zombie.
 *
 * Where the kernel lacks one of these calls, the engine alternates waitpid(2) and short sleeps. */

enum { KILL_S = 5 };

static sigset_t signals;
static sigset_t not_default;	/* holds the signals that are handled or inherited as ignored */
static bool by_signal;	/* the signals are blocked, and sigtimedwait(2) works */

static bool has_action(int sig, void (*handler)(int sig))
{
	struct sigaction sa;

	return sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == handler;
}

/* A signal that was ignored when pipetest started (by nohup, or for a background job) stays
 * ignored. The handlers serve await_stdout() and a kernel without sigtimedwait(2). */
void pipetest_children_start(void)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, 0 };
	static const struct timespec now;
	sigset_t held;

	bb_signals(ours);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigemptyset(&held);
	for (const int *sig = ours; *sig; sig++)
		if (!has_action(*sig, SIG_IGN))
			sigaddset(&signals, *sig);
	for (int sig = 1; sig < _NSIG; sig++)
		if (!has_action(sig, SIG_DFL))
			sigaddset(&not_default, sig);
	by_signal = sigtimedwait(&held, NULL, &now) < 0 && errno == EAGAIN
		&& sigprocmask(SIG_BLOCK, &signals, NULL) == 0;
}

void pipetest_default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < _NSIG; sig++)
		if (sigismember(&not_default, sig) == 1)
			signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Returns the next signal for the engine, or 0 when a child ends or after a while. */
static int next_signal(int64_t most)
{
	enum { LOOK = NS_PER_S / 10, STEP = NS_PER_S / 10000 };
	int64_t ns = most < LOOK ? most : LOOK; /* the caller then looks for a verdict */
	struct timespec ts = { ns / NS_PER_S, ns % NS_PER_S };
	int sig;

	if (by_signal) {
		sig = sigtimedwait(&signals, NULL, &ts);
		return sig > 0 && sig != SIGCHLD ? sig : 0;
	}
	sleep_until(monotonic_ns() + (ns < STEP ? ns : STEP));
	sig = bb_got_signal;
	bb_got_signal = 0;
	return sig;
}

/* Where the kernel lacks waitid(2), this function reaps the leader before its group is killed. */
static bool has_ended(struct leader *leader)
{
	siginfo_t info = { 0 };

	if (!leader->reaped && waitid(P_PID, leader->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		return info.si_pid == leader->pid;
	if (!leader->reaped)
		leader->reaped = waitpid(leader->pid, &leader->status, WNOHANG) == leader->pid;
	return leader->reaped;
}

/* Another process of the case may have given the verdict and ended, so that the leader waits in
 * vain. After a verdict the leader therefore gets only GRACE. */
int pipetest_await_leader(struct leader *leader, int64_t deadline)
{
	enum { GRACE = NS_PER_S / 5 };
	bool judged = false;

	for (;;) {
		int64_t left;
		int sig;

		if (has_ended(leader))
			return 0;
		if (!judged && pipetest.shared->said.verdict != PASS) {
			judged = true;
			deadline = monotonic_ns() + GRACE;
		}
		left = deadline - monotonic_ns();
		if (left <= 0)
			return judged ? 0 : -1;
		sig = next_signal(left);
		if (sig == SIGUSR1)
			pipetest_report_progress();
		else if (sig)
			return sig;
	}
}

/* Where the kernel lacks kill(2), SIGKILL to the first thread kills the process, too. */
static void kill_hard(pid_t pid)
{
	if (kill(pid, SIGKILL) < 0 && errno != ESRCH)
		(void)syscall(SYS_tkill, pid, SIGKILL);
}

/* waitpid(2) says that the process is still a child of the engine, the subreaper, so that its
 * number belongs to no other process. */
static void kill_forked(void)
{
	struct forked *forked = &pipetest.shared->forked;

	for (size_t i = 0; i < ARRAY_SIZE(forked->pid); i++)
		if (forked->pid[i] > 0 && waitpid(forked->pid[i], NULL, WNOHANG) == 0)
			kill_hard(forked->pid[i]);
}

/* Where the kernel has no process groups, die_with_parent() has asked the kernel to kill the other
 * processes when the leader dies. Where it does not do that either, they are killed one by one. */
static void kill_group(const struct leader *leader)
{
	if (kill(-leader->pid, SIGKILL) == 0)
		return;
	if (!leader->reaped)
		kill_hard(leader->pid);
	kill_forked();
}

/* Reaps one process of the group. Returns 0 if none has ended, -1 if none is left. */
static pid_t reap_one(struct leader *leader)
{
	int status;
	pid_t pid = waitpid(-leader->pid, &status, WNOHANG);

	if (pid < 0 && !leader->reaped)
		pid = waitpid(leader->pid, &status, WNOHANG);
	if (pid == leader->pid) {
		leader->status = status;
		leader->reaped = true;
	}
	return pid;
}

bool pipetest_end_group(struct leader *leader)
{
	int64_t deadline = monotonic_ns() + KILL_S * NS_PER_S;

	for (kill_group(leader);;) {
		pid_t pid = reap_one(leader);

		if (pid < 0)
			break;
		if (pid > 0)
			continue;
		if (monotonic_ns() > deadline)
			return false;
		kill_group(leader); /* a process may have forked meanwhile */
		(void)next_signal(NS_PER_S / 100);
	}
	while (waitpid(0, NULL, WNOHANG) > 0) /* reaps those that setpgid(2) could not move */
		;
	return leader->reaped;
}
