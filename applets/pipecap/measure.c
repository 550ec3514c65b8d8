/*
 * measure.c - how much a pipe holds, by filling one
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

enum { CHUNK = 64 * 1024 };

struct filled {
	size_t bytes, writes;
};

static void new_pipe(int fd[2], const char *size, bool packet)
{
	xpipe(fd);
	if (size && fcntl(fd[1], F_SETPIPE_SZ, (int)xatosize("pipe size", size, 1, INT_MAX)) < 0)
		bb_perror_msg_and_die("can't set the size of a pipe to %s", size);
	if (fcntl(fd[1], F_SETFL, O_NONBLOCK | (packet ? O_DIRECT : 0)) < 0) {
		xfunc_error_retval = EXIT_UNSUPPORTED;
		bb_perror_msg_and_die(
			"can't switch the pipe to %s mode", packet ? "packet" : "non-blocking");
	}
}

/* Writes until the pipe refuses; what a partial write stored counts too. */
static struct filled fill(int fd, size_t chunk)
{
	struct filled total = { 0, 0 };
	char *buf = memset(xmalloc(chunk), 0, chunk);
	ssize_t n;

	for (; (n = safe_write(fd, buf, chunk)) > 0; total.writes++)
		total.bytes += n;
	if (errno != EAGAIN)
		bb_perror_msg_and_die("can't write to the pipe");
	free(buf);
	return total;
}

/* What writes of one byte would store, in some dozens of calls: large writes fill whole
 * slots, and each halving of the chunk fills what the larger one did not fit into. */
static size_t fill_to_the_brim(int fd)
{
	size_t total = 0;

	for (size_t chunk = CHUNK; chunk; chunk /= 2)
		total += fill(fd, chunk).bytes;
	return total;
}

void measure(const char *write_size, const char *pipe_size, bool packet)
{
	size_t chunk = write_size ? xatosize("write size", write_size, 1, INT_MAX) : 0;
	int fd[2];

	new_pipe(fd, pipe_size, packet);
	xprintf("size=%zu\n", chunk ? fill(fd[1], chunk).bytes : fill_to_the_brim(fd[1]));
}

static void curve_line(size_t write_size, const char *pipe_size, bool packet, enum record_form form)
{
	int fd[2];
	struct filled filled;
	int size, percent;

	new_pipe(fd, pipe_size, packet);
	size = fcntl(fd[1], F_GETPIPE_SZ);
	filled = fill(fd[1], write_size);
	percent = (uint64_t)filled.bytes * 100 / size;
	close(fd[0]);
	close(fd[1]);
	if (!form) {
		xprintf("%8zu %10zu %6d%% %8zu\n", write_size, filled.bytes, percent,
			filled.writes);
		return;
	}
	record_begin(form);
	record_number("write", write_size);
	record_number("stored", filled.bytes);
	record_number("percent", percent);
	record_number("writes", filled.writes);
	record_end();
}

/* Where it gets interesting, on any page size: one byte, half a page and a byte more, a page
 * and a byte around it; and the sizes that the tutorial writes. */
static void default_curve(const char *pipe_size, bool packet, enum record_form form)
{
	size_t page = getpagesize();
	const size_t sizes[] = {
		1, page / 4, page / 2, page / 2 + 1, page - 1, page, page + 1, 5000, 9046, CHUNK,
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		curve_line(sizes[i], pipe_size, packet, form);
}

void print_curve(const char *write_sizes, const char *pipe_size, bool packet, enum record_form form)
{
	if (!form)
		xprintf("%8s %10s %7s %8s\n", "write", "stored", "percent", "writes");
	if (!write_sizes)
		default_curve(pipe_size, packet, form);
	while (write_sizes && *write_sizes) {
		size_t len = strcspn(write_sizes, ",");
		char *word = xasprintf("%.*s", (int)len, write_sizes);

		curve_line(xatosize("write size", word, 1, INT_MAX), pipe_size, packet, form);
		write_sizes += len + (write_sizes[len] == ',');
	}
}
