/*
 * xfuncs.c - calls that succeed, or end the program with a message that names the object
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/prctl.h>
#include "libbb.h"

void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (!p)
		bb_error_msg_and_die("out of memory: can't get %zu bytes", size);
	return p;
}

void *xmalloc(size_t size)
{
	return xrealloc(NULL, size);
}

int xopen(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0666);

	if (fd < 0)
		bb_perror_msg_and_die("can't open '%s'", path);
	return fd;
}

int same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

void xpipe(int fd[2])
{
	if (pipe2(fd, O_CLOEXEC) == 0)
		return;
	if (pipe(fd) < 0)
		bb_perror_msg_and_die("can't make a pipe");
	(void)fcntl(fd[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd[1], F_SETFD, FD_CLOEXEC);
}

/* The buffer of stdout is flushed first because otherwise both processes would write its
 * content. */
pid_t xfork(void)
{
	pid_t pid;

	xfflush_stdout();
	pid = fork();
	if (pid < 0)
		bb_perror_msg_and_die("can't fork");
	return pid;
}

void die_with_parent(pid_t parent)
{
	pid_t now;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	now = getppid();
	/* getppid(2) is 0 for a parent in another PID namespace. */
	if (now != parent && now > 0 && parent > 0)
		_exit(EXIT_FAILURE);
}

void exec_command(char **argv)
{
	if (!bb_sigpipe_was_ignored)
		signal(SIGPIPE, SIG_DFL);
	if (!bb_sigxfsz_was_ignored)
		signal(SIGXFSZ, SIG_DFL);
	sigprocmask(SIG_SETMASK, &bb_inherited_mask, NULL);
	xfflush_stdout();
	execvp(argv[0], argv);
}

void xexec(char **argv)
{
	exec_command(argv);
	xfunc_error_retval = errno == ENOENT ? 127 : 126;
	bb_perror_msg_and_die("can't run '%s'", argv[0]);
}
