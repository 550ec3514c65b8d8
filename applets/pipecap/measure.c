/*
 * measure.c - how much a pipe holds, by filling one
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

enum { CHUNK = 64 * 1024 };

struct filled {
	size_t bytes, writes;
	int size;	/* of the pipe; -1: unknown, so the answer is what the pipe took */
};

/* Returns the pipe's size after setting it if size is given. Returns -1 if no size is given and the
 * kernel does not know F_GETPIPE_SZ. */
static int set_size_of_new(int fd, const char *size)
{
	long wish = size ? xatosize("pipe size", size, 1, LARGEST_SIZE) : 0;
	int got = wish ? fcntl(fd, F_SETPIPE_SZ, (int)wish) : fcntl(fd, F_GETPIPE_SZ);

	if (got >= 0 || !wish)
		return got;
	xfunc_error_retval = pipecap_refusal_status();
	pipecap_explain_refusal("new pipe", wish, 0);
	exit(xfunc_error_retval);
}

int pipecap_new_pipe(int fd[2], const char *size, bool packet)
{
	int got;

	xpipe(fd);
	got = set_size_of_new(fd[1], size);
	if (fcntl(fd[1], F_SETFL, O_NONBLOCK | (packet ? O_DIRECT : 0)) < 0) {
		xfunc_error_retval = EXIT_UNSUPPORTED;
		bb_perror_msg_and_die("can't switch a pipe to %s mode",
			packet ? "packet" : "non-blocking");
	}
	return got;
}

void pipecap_close_pipe(const int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

/* Writes until the pipe refuses. The bytes of a partial write count, too. The loop has a limit in
 * case a kernel accepts more than any pipe can hold. */
static void write_until_full(int fd, size_t chunk, struct filled *total)
{
	char *buf = memset(xmalloc(chunk), 0, chunk);
	size_t most = total->size > 0 ? total->size : LARGEST_SIZE;
	ssize_t n;

	for (; (n = safe_write(fd, buf, chunk)) > 0; total->writes++) {
		total->bytes += n;
		if (total->bytes > most)
			bb_error_msg_and_die("a pipe of %zu bytes took %zu", most, total->bytes);
	}
	if (n == 0 || errno != EAGAIN)
		bb_perror_msg_and_die("can't write to the pipe");
	free(buf);
}

/* Fills a new pipe with writes of chunk bytes. A chunk larger than the pipe is cut to the pipe's
 * size, with the same result. With chunk 0 the pipe takes what writes of one byte would store, in
 * some dozens of calls: large writes fill whole slots, and then each write is half as large and
 * fills room that was too small before. */
static struct filled fill_new_pipe(size_t chunk, const char *pipe_size, bool packet)
{
	struct filled total = { 0, 0, 0 };
	int fd[2];

	total.size = pipecap_new_pipe(fd, pipe_size, packet);
	if (chunk && total.size < 0)
		total.size = fill_new_pipe(0, pipe_size, false).bytes;
	if (chunk > (size_t)total.size)
		chunk = total.size;
	if (chunk)
		write_until_full(fd[1], chunk, &total);
	for (size_t half = chunk ? 0 : CHUNK; half; half /= 2)
		write_until_full(fd[1], half, &total);
	pipecap_close_pipe(fd);
	return total;
}

long pipecap_capacity(void)
{
	return fill_new_pipe(0, NULL, false).bytes;
}

/* The results change around one byte, half a page and a page, for any page size. The other sizes
 * are those that the tutorial writes. */
static char *default_curve(void)
{
	int page = getpagesize();

	return xasprintf("1,%d,%d,%d,%d,%d,%d,5000,9046,65536",
		page / 4, page / 2, page / 2 + 1, page - 1, page, page + 1);
}

static void print_filled(
	const struct filled *filled, size_t chunk, bool table, enum record_form form)
{
	int percent = (uint64_t)filled->bytes * 100 / filled->size;

	if (!form && table)
		xprintf("%8zu %10zu %6d%% %8zu\n", chunk, filled->bytes, percent, filled->writes);
	else if (!form)
		xprintf("size=%zu\n", filled->bytes);
	if (!form)
		return;
	record_begin(form);
	if (table)
		record_number("write", chunk);
	record_number(table ? "stored" : "size", filled->bytes);
	if (table) {
		record_number("percent", percent);
		record_number("writes", filled->writes);
	}
	record_end();
}

void pipecap_measure(char *write_sizes, const char *pipe_size, bool packet, bool table,
	enum record_form form)
{
	char *word;

	if (table && !write_sizes)
		write_sizes = default_curve();
	if (table && !form)
		xprintf("%8s %10s %7s %8s\n", "write", "stored", "percent", "writes");
	do {
		size_t chunk = 0;
		struct filled filled;

		word = table ? strsep(&write_sizes, ",") : write_sizes;
		if (word)
			chunk = xatosize("write size", word, 1, INT_MAX);
		filled = fill_new_pipe(chunk, pipe_size, packet);
		print_filled(&filled, chunk, table, form);
	} while (table && write_sizes);
}
