/*
 * setup.c - measures the time to make a pipe, a process, and a process that runs a program
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "bench.h"

static double pipes(uint32_t n)
{
	int fd[2];

	for (uint32_t i = 0; i < n; i++) {
		bench_did(pipe(fd), "pipe");
		close(fd[0]);
		close(fd[1]);
	}
	return n;
}

static void wait_for_child(pid_t pid)
{
	int status;

	bench_did(pid, "fork");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		bench_skip("child: %s",
			WIFEXITED(status) ? strerror(WEXITSTATUS(status)) : "killed");
}

int bench_program;
static int null = -1;

/* If null is open, each child executes this program, which writes its version there. If it cannot,
 * its exit status is the error. */
static double processes(uint32_t n)
{
	static char *const argv[] = { (char *)"ipcbox", (char *)"--version", NULL };
	char path[32];

	scnprintf(path, sizeof(path), "/proc/self/fd/%d", bench_program);
	for (uint32_t i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			if (null < 0)
				_exit(EXIT_SUCCESS);
			if (dup2(null, STDOUT_FILENO) >= 0)
				execv(path, argv);
			_exit(errno);
		}
		wait_for_child(pid);
	}
	return n;
}

static void make_pipes(struct variant v)
{
	(void)v;
	bench_place(SAME_CPU);
	bench_each(pipes, 1e6);
}

static void make_processes(struct variant v)
{
	if (v.how)
		null = bench_null();
	bench_each(processes, 1e6);
}

const struct bench bench_setup[] = {
	{ "setup.pipe_and_close", "us", make_pipes, 0, PLAIN, 0 },
	{ "setup.fork_and_wait", "us", make_processes, false, PLAIN, 0 },
	{ "setup.fork_exec_and_wait", "us", make_processes, true, PLAIN, 0 },
	{ 0 }
};
