/*
 * printf.c - text from a format: cut to a buffer, in memory of its own, or on stdout
 *
 * The formats are libc's. The buffer of stdout is ours, not stdio's: an error of stdout is told
 * once, by name, and a forked child never writes the buffer a second time (xfork).
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

static char buffer[16 * 1024];
static size_t used;

/* The destructor attribute has exit(3) call this function. By then the exit status is set, so the
 * result is ignored. */
int __attribute__((destructor)) flush_stdout(void)
{
	size_t len = used;

	used = 0;
	return full_write(STDOUT_FILENO, buffer, len) == (ssize_t)len ? 0 : -1;
}

void xfflush_stdout(void)
{
	if (flush_stdout() == 0)
		return;
	if (errno != EPIPE)
		bb_perror_msg("can't write to standard output");
	exit(EXIT_FAILURE); /* The handlers of exit(3) remove temporary files. */
}

static void end_of_line(void)
{
	static int terminal = -1;

	if (!used || buffer[used - 1] != '\n')
		return;
	if (terminal < 0)
		terminal = isatty(STDOUT_FILENO);
	if (terminal)
		xfflush_stdout();
}

void xwrite_stdout(const void *data, size_t len)
{
	const char *from = data;

	while (len) {
		size_t room = sizeof(buffer) - used, n = len < room ? len : room;

		memcpy(buffer + used, from, n);
		used += n;
		from += n;
		len -= n;
		if (len)
			xfflush_stdout();
	}
	end_of_line();
}

size_t vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	int len = vsnprintf(buf, size, fmt, args);

	return len < (int)size ? (size_t)len : size - 1;
}

size_t scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	size_t len;
	va_list args;

	va_start(args, fmt);
	len = vscnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}

static char *xvasprintf(const char *fmt, va_list args) PRINTF(1, 0);
static char *xvasprintf(const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		bb_error_msg_and_die("out of memory: can't format a text");
	return text;
}

char *xasprintf(const char *fmt, ...)
{
	char *text;
	va_list args;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	return text;
}

void xprintf(const char *fmt, ...)
{
	size_t room = sizeof(buffer) - used, len;
	char *text;
	va_list args;

	va_start(args, fmt);
	len = vsnprintf(buffer + used, room, fmt, args);
	va_end(args);
	if (len < room) {
		used += len;
		end_of_line();
		return;
	}
	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	xwrite_stdout(text, len);
	free(text);
}
