/*
 * children.c - waits for a case's first process, ends its group, and loses nobody
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "engine.h"

/* The engine keeps SIGCHLD and the signals that end it blocked and waits for them with
 * sigtimedwait: no handler, no race. As a subreaper it gets the orphans of a case too, so
 * that "the group is gone" can be seen. The group is killed before its leader is reaped:
 * until then nobody else can have its number.
 *
 * A kernel that lacks one of these calls is watched instead: wait4(2) and a short sleep. */

enum { KILL_S = 5 };

static sigset_t signals;
static bool by_signal;	/* they are held, and can be waited for */

/* A signal that was ignored when we were started (nohup, a job in the background) stays so. The
 * handlers are for await_stdout, and for a kernel on which no signal can be waited for. */
void children_start(void)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, 0 };
	static const struct timespec now;
	sigset_t held;

	bb_signals(ours);
	signal(SIGXFSZ, SIG_IGN); /* output that meets RLIMIT_FSIZE fails with EFBIG */
	signal(SIGCHLD, SIG_DFL); /* ignored, it would reap the cases: waitpid(2) */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigemptyset(&held);
	for (const int *sig = ours; *sig; sig++) {
		struct sigaction sa;

		if (sigaction(*sig, NULL, &sa) == 0 && sa.sa_handler != SIG_IGN)
			sigaddset(&signals, *sig);
	}
	by_signal = sigtimedwait(&held, NULL, &now) < 0 && errno == EAGAIN
		&& sigprocmask(SIG_BLOCK, &signals, NULL) == 0;
}

/* The next signal that came for the engine, or 0 after a while, and at once when a child ends. */
static int next_signal(int64_t most)
{
	enum { LOOK = NS_PER_S / 10, STEP = NS_PER_S / 10000 };
	int64_t ns = most < LOOK ? most : LOOK; /* has a process given a verdict meanwhile? */
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

/* Without waitid(2) the leader is reaped here, before its group is killed. */
static bool has_ended(struct leader *leader)
{
	siginfo_t info = { 0 };

	if (!leader->reaped && waitid(P_PID, leader->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		return info.si_pid == leader->pid;
	if (!leader->reaped)
		leader->reaped = waitpid(leader->pid, &leader->status, WNOHANG) == leader->pid;
	return leader->reaped;
}

/* A process of the case may have given the verdict while the leader waits for what will not
 * come now: it gets a moment. */
int await_leader(struct leader *leader, int64_t deadline)
{
	enum { GRACE = NS_PER_S / 5 };
	bool judged = false;

	for (;;) {
		int64_t left;
		int sig;

		if (has_ended(leader))
			return 0;
		if (!judged && engine.shared->verdict != PASS) {
			judged = true;
			deadline = monotonic_ns() + GRACE;
		}
		left = deadline - monotonic_ns();
		if (left <= 0)
			return judged ? 0 : -1;
		sig = next_signal(left);
		if (sig == SIGUSR1)
			report_progress();
		else if (sig)
			return sig;
	}
}

/* Where there is no kill(2) a signal to its first thread kills a process, too. */
static void kill_hard(pid_t pid)
{
	if (kill(pid, SIGKILL) < 0 && errno != ESRCH)
		(void)syscall(SYS_tkill, pid, SIGKILL);
}

/* Where no groups can be made or addressed, the kernel kills the rest when the leader dies:
 * die_with_parent. */
static void kill_group(const struct leader *leader)
{
	if (kill(-leader->pid, SIGKILL) < 0 && !leader->reaped)
		kill_hard(leader->pid);
}

/* Reaps one process of the group; 0 if none has ended, -1 if there are none. */
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

bool end_group(struct leader *leader)
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
		kill_group(leader); /* one that was forked meanwhile */
		(void)next_signal(NS_PER_S / 100);
	}
	while (waitpid(0, NULL, WNOHANG) > 0) /* of a case that could make no group */
		;
	return leader->reaped;
}
