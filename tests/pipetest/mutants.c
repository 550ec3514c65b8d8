/*
 * mutants.c - a wrong kernel, simulated: runs a program and falsifies one kind of system call
 *
 * SPDX-License-Identifier: 0BSD
 *
 * usage: mutants -l              the names of the mutations
 *        mutants NAME PIPETEST [ARG...]
 *
 * pipetest and all its processes run under ptrace(2). A seccomp(2) filter, which children
 * inherit, stops them at the calls that the mutation is about and at no others. At the entry of a
 * call the supervisor changes arguments or leaves the call out. At the exit it changes the result
 * and what the call has stored. It changes signals on their way. The supervisor spares the engine
 * itself, and what the engine does in a case's process before the case begins: the last such call
 * is F_GETPIPE_SZ. It never falsifies what a case learns from /proc, because that is how cases
 * see, and not what they test.
 *
 * x86_64 only: registers and struct stat have their places here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum op {
	NOTHING,
	/* These change a call at its entry. */
	SKIP,		/* the call is not made, and its result is b */
	SKIP_COUNT,	/* the call is not made, and its result is argument a, as if all were done */
	NO_WAIT,	/* EAGAIN, if the descriptor in argument 0 is not ready for b (POLLIN ...) */
	ARG_LESS,	/* argument a is 1 less, if it is more than 1 */
	ARG_MORE,	/* argument a is 1 more */
	ARG_MAX,	/* argument a is at most b */
	ARG_CLEAR,	/* argument a loses the bits b */
	ARG_SET,	/* argument a gets the bits b */
	PRIVATE, SHARED, /* argument a, the flags of mmap(2), says MAP_PRIVATE or MAP_SHARED */
	/* These change a call at its exit. */
	ADD,		/* a result of more than 0 is b more */
	RESULT,		/* a result of a is b */
	ERRNO,		/* any error is b */
	GOOD,		/* any result of 0 or more is b */
	FLIP,		/* the byte that lies b bytes behind argument a is another, unless the call failed */
	ZERO,		/* the 8 bytes that lie there are 0, unless the call failed */
	/* These change a signal. */
	DROP,		/* signal a does not arrive */
	CHANGE,		/* signal a arrives as b */
	CODE,		/* signal a has another si_code */
};

enum { MAX_CALLS = 6, N_ARGS = 6 };

struct mutation {
	const char *name;
	enum op op;
	int calls[MAX_CALLS];	/* end with 0; read(2), whose number is 0, is READ */
	long a, b;
	int cmd;		/* is what argument 1 (of fcntl, ioctl ...) must be; 0 stands for any */
};

#include "mutations.h"

enum { N = sizeof(mutations) / sizeof(*mutations), MAX_PID = 4 << 20 };

static const struct mutation *m;
static pid_t engine;
static bool armed;		/* says that a case has begun */
static unsigned long long (*saved)[N_ARGS];	/* holds by pid the arguments, which a call preserves */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- the filter ----------------------------------------------------------------------- */

static int number(int call)
{
	return call == READ ? SYS_read : call;
}

static void filter(void)
{
	struct sock_filter code[MAX_CALLS + 4] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog prog = { 0, code };
	unsigned n = 0, at = 1;

	while (n < MAX_CALLS && m->calls[n])
		n++;
	code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, n + 1, 0);
	for (unsigned i = 0; i < n; i++)
		code[at++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, number(m->calls[i]), n - i, 0);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	prog.len = at;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
		|| prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		die("seccomp");
}

/* --- one stopped process --------------------------------------------------------------- */

static unsigned long long *argument(struct user_regs_struct *r, int i)
{
	unsigned long long *const args[] = { &r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8, &r->r9 };

	return args[i];
}

/* Clears the bits at the address that are not in keep, and flips those that are in change. */
static void falsify(pid_t pid, unsigned long long address, long keep, long change)
{
	long word;

	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, pid, address, NULL);
	if (errno == 0)
		(void)ptrace(PTRACE_POKEDATA, pid, address, (word & keep) ^ change);
}

/* Says if the mutation is about this call, and if the call is no look into /proc. */
static bool meant(pid_t pid, struct user_regs_struct *r)
{
	static const char proc[8] = "/proc/";
	char path[64], target[8] = "";
	bool is_open = r->orig_rax == SYS_open;
	bool found = false;

	for (int i = 0; i < MAX_CALLS && m->calls[i]; i++)
		found |= number(m->calls[i]) == (int)r->orig_rax;
	if (!found || !armed || pid == engine)
		return false;
	if (m->cmd && m->cmd != (int)r->rsi)
		return false;
	if (is_open) {
		struct iovec here = { target, 6 }, there = { (void *)r->rdi, 6 };

		(void)process_vm_readv(pid, &here, 1, &there, 1, 0);
	} else {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)r->rdi);
		(void)!readlink(path, target, 6);
	}
	return strncmp(target, proc, 6) != 0;
}

static bool would_wait(pid_t pid, int fd, short events)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { syscall(SYS_pidfd_getfd, pidfd, fd, 0), events, 0 };
	bool waits = p.fd >= 0 && poll(&p, 1, 0) == 0;

	close(p.fd);
	close(pidfd);
	return waits;
}

static void leave_out(struct user_regs_struct *r, long long result)
{
	r->orig_rax = -1;
	r->rax = result;
}

static void change_entry(pid_t pid, struct user_regs_struct *r)
{
	unsigned long long *arg = m->a >= 0 && m->a < N_ARGS ? argument(r, m->a) : NULL;

	switch (m->op) {
	case SKIP: leave_out(r, m->b); break;
	case SKIP_COUNT: leave_out(r, *arg); break;
	case NO_WAIT:
		if (would_wait(pid, r->rdi, m->b))
			leave_out(r, -EAGAIN);
		break;
	case ARG_LESS: *arg -= *arg > 1; break;
	case ARG_MORE: ++*arg; break;
	case ARG_MAX: *arg = *arg > (unsigned long long)m->b ? (unsigned long long)m->b : *arg; break;
	case ARG_CLEAR: *arg &= ~m->b; break;
	case ARG_SET: *arg |= m->b; break;
	case PRIVATE: *arg = (*arg & ~MAP_TYPE) | MAP_PRIVATE; break;
	case SHARED: if (!(*arg & MAP_ANONYMOUS)) *arg = (*arg & ~MAP_TYPE) | MAP_SHARED; break;
	default: break;
	}
}

static void change_exit(pid_t pid, struct user_regs_struct *r)
{
	long long result = r->rax;

	if ((m->op == ADD && result > 0) || (m->op == ADD && m->cmd == F_GET_SEALS && result == 0))
		r->rax += m->b;
	if ((m->op == RESULT && result == m->a) || (m->op == GOOD && result >= 0)
		|| (m->op == ERRNO && result < 0 && result > -4096))
		r->rax = m->b;
	if (m->op == FLIP && result >= 0)
		falsify(pid, *argument(r, m->a) + m->b, -1, 1);
	if (m->op == ZERO && result >= 0)
		falsify(pid, *argument(r, m->a) + m->b, 0, 0);
}

/* Returns the ptrace(2) request with which the process goes on. */
static int at_entry(pid_t pid)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &r) < 0)
		return PTRACE_CONT;
	if (!armed && r.orig_rax == SYS_fcntl && (int)r.rsi == F_GETPIPE_SZ) {
		armed = true;
		return PTRACE_CONT;
	}
	if (!meant(pid, &r))
		return PTRACE_CONT;
	for (int i = 0; i < N_ARGS; i++)
		saved[pid][i] = *argument(&r, i);
	change_entry(pid, &r);
	(void)ptrace(PTRACE_SETREGS, pid, NULL, &r);
	return PTRACE_SYSCALL;
}

static void at_exit(pid_t pid)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &r) < 0)
		return;
	for (int i = 0; i < N_ARGS; i++)
		*argument(&r, i) = saved[pid][i];
	change_exit(pid, &r);
	(void)ptrace(PTRACE_SETREGS, pid, NULL, &r);
}

static int at_signal(pid_t pid, int sig)
{
	siginfo_t si;

	if (!armed || pid == engine || sig != m->a)
		return sig;
	if (m->op == DROP)
		return 0;
	if (m->op == CHANGE)
		return m->b;
	if (m->op == CODE && ptrace(PTRACE_GETSIGINFO, pid, NULL, &si) == 0) {
		si.si_code++;
		(void)ptrace(PTRACE_SETSIGINFO, pid, NULL, &si);
	}
	return sig;
}

/* --- all processes ----------------------------------------------------------------------- */

static void go_on(pid_t pid, int status)
{
	int sig = WSTOPSIG(status), request = PTRACE_CONT, deliver = 0;

	switch (status >> 16) {
	case PTRACE_EVENT_FORK:
		if (pid == engine)
			armed = false;
		break;
	case PTRACE_EVENT_SECCOMP:
		request = at_entry(pid);
		break;
	case PTRACE_EVENT_STOP:
		if (sig != SIGTRAP)
			request = PTRACE_LISTEN;
		break;
	case 0:
		if (sig == (SIGTRAP | 0x80))
			at_exit(pid);
		else
			deliver = at_signal(pid, sig);
	}
	(void)ptrace(request, pid, NULL, deliver); /* fails if the process was killed meanwhile */
}

static int supervise(void)
{
	int status, result = 1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0)
		if (WIFSTOPPED(status))
			go_on(pid, status);
		else if (pid == engine)
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return result;
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK
		| PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;

	if (argc == 2 && strcmp(argv[1], "-l") == 0) {
		for (int i = 0; i < N; i++)
			puts(mutations[i].name);
		return 0;
	}
	for (int i = 0; i < N && argc > 2; i++)
		if (strcmp(mutations[i].name, argv[1]) == 0)
			m = &mutations[i];
	if (!m) {
		fprintf(stderr, "usage: mutants -l | mutants NAME PIPETEST [ARG...]\n");
		return 2;
	}
	saved = mmap(NULL, MAX_PID * sizeof(*saved), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (saved == MAP_FAILED)
		die("mmap");
	engine = fork();
	if (engine < 0)
		die("fork");
	if (engine == 0) {
		raise(SIGSTOP); /* waits for the tracer, which the filter needs */
		filter();
		execv(argv[2], argv + 2);
		die(argv[2]);
	}
	if (waitpid(engine, NULL, WUNTRACED) != engine
		|| ptrace(PTRACE_SEIZE, engine, NULL, options) < 0 || kill(engine, SIGCONT) < 0)
		die("ptrace");
	return supervise();
}
