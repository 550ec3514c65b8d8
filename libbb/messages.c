/*
 * messages.c - one message, one line, one write(2)
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

const char *applet_name = "ipcbox";
int xfunc_error_retval = EXIT_FAILURE;

/* A line has room for the longest path and a sentence. A longer text is cut, but its tail (the
 * error or the usage hint) is always printed whole. */
enum { LINE_SIZE = PATH_MAX + 1024, TAIL_SIZE = 256 };

static void write_message(const char *tail, const char *fmt, va_list args) PRINTF(2, 0);
static void write_message(const char *tail, const char *fmt, va_list args)
{
	char line[LINE_SIZE];
	size_t len = scnprintf(line, LINE_SIZE - TAIL_SIZE, "%s: ", applet_name);
	size_t text = vscnprintf(line + len, LINE_SIZE - TAIL_SIZE - len, fmt, args);

	len += make_safe(line + len, text);
	len += scnprintf(line + len, TAIL_SIZE, "%s\n", tail);
	/* No message could report a failure of stderr. */
	(void)full_write(STDERR_FILENO, line, len);
}

/* After EMFILE the message also names the limit, because the user can raise it. */
static void write_errno_message(const char *fmt, va_list args) PRINTF(1, 0);
static void write_errno_message(const char *fmt, va_list args)
{
	char tail[TAIL_SIZE];
	size_t len = scnprintf(tail, sizeof(tail) - 1, ": %s", strerror(errno));

	if (errno == EMFILE)
		scnprintf(tail + len, sizeof(tail) - 1 - len, " (ulimit -n is %d)",
			getdtablesize());
	write_message(tail, fmt, args);
}

void bb_error_msg(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_message("", fmt, args);
	va_end(args);
}

void bb_perror_msg(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_errno_message(fmt, args);
	va_end(args);
}

void bb_error_msg_and_die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_message("", fmt, args);
	va_end(args);
	exit(xfunc_error_retval);
}

void bb_perror_msg_and_die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_errno_message(fmt, args);
	va_end(args);
	exit(xfunc_error_retval);
}

void bb_show_usage(const char *fmt, ...)
{
	char tail[TAIL_SIZE];
	va_list args;

	scnprintf(tail, sizeof(tail) - 1, "\nTry '%s --help'.", applet_name);
	va_start(args, fmt);
	write_message(tail, fmt, args);
	va_end(args);
	exit(EXIT_USAGE);
}
