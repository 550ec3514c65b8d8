/*
 * xfuncs.c - done, or dead with the object named
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

void *xmalloc(size_t size)
{
	void *p = malloc(size);

	if (!p && size)
		bb_error_msg_and_die("out of memory: can't get %zu bytes", size);
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	char *s;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&s, fmt, args) < 0)
		bb_error_msg_and_die("out of memory");
	va_end(args);
	return s;
}

int xopen(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0666);

	if (fd < 0)
		bb_perror_msg_and_die("can't open '%s'", path);
	return fd;
}

void xpipe(int fd[2])
{
	if (pipe2(fd, O_CLOEXEC) < 0)
		bb_perror_msg_and_die("can't make a pipe");
}

/* What stdio holds would be written by both processes. */
pid_t xfork(void)
{
	pid_t pid;

	xfflush_stdout();
	pid = fork();
	if (pid < 0)
		bb_perror_msg_and_die("can't fork");
	return pid;
}

void xexec(char **argv)
{
	if (!bb_sigpipe_was_ignored)
		signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &bb_inherited_mask, NULL);
	xfflush_stdout();
	execvp(argv[0], argv);
	xfunc_error_retval = errno == ENOENT ? 127 : 126;
	bb_perror_msg_and_die("can't run '%s'", argv[0]);
}

static void stdout_failed(void)
{
	if (errno == EPIPE)
		_exit(EXIT_FAILURE);
	bb_perror_msg("can't write to standard output");
	_exit(EXIT_FAILURE);
}

void xprintf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (vprintf(fmt, args) < 0)
		stdout_failed();
	va_end(args);
}

void xfflush_stdout(void)
{
	if (fflush(stdout) || ferror(stdout))
		stdout_failed();
}
