/*
 * pipecap - see into pipes: how much one holds
 *
 * SPDX-License-Identifier: 0BSD

config PIPECAP
	bool "pipecap"
	default y
	help
	  usage: pipecap [-w BYTES] [-z SIZE]

	  Fill a new pipe until it takes no more and print what it holds, as
	  size=65536.

	  -w, --write BYTES      write BYTES at a time (1), and stop at the first
	                         write that does not fit as a whole
	  -z, --pipe-size SIZE   give the pipe this size first: 64k, 1M, ...

	  A pipe is a ring of slots, each of a page. Writes that leave a slot
	  partly filled can leave it so: pipecap -w 2049 shows half the size.
*/
#include "libbb.h"

/* Writes until the pipe refuses; what a partial write stored counts too. */
static size_t fill(int fd, const char *buf, size_t chunk)
{
	size_t total = 0;
	ssize_t n;

	while ((n = safe_write(fd, buf, chunk)) > 0)
		total += n;
	if (errno != EAGAIN)
		bb_perror_msg_and_die("can't write to the pipe");
	return total;
}

/* What writes of one byte would store, in some dozens of calls: large writes fill whole
 * slots, and each halving of the chunk fills what the larger one did not fit into. */
static size_t fill_to_the_brim(int fd, const char *buf, size_t chunk)
{
	size_t total = 0;

	for (; chunk; chunk /= 2)
		total += fill(fd, buf, chunk);
	return total;
}

static void set_size(int fd, const char *size)
{
	if (fcntl(fd, F_SETPIPE_SZ, (int)xatosize("pipe size", size, 1, INT_MAX)) < 0)
		bb_perror_msg_and_die("can't set the size of the pipe to %s", size);
}

int pipecap_main(char **argv)
{
	enum { CHUNK = 64 * 1024 };
	char *write_size = NULL, *pipe_size = NULL;
	opts_t opts = getopt32(argv, "w(write):z(pipe-size):", &write_size, &pipe_size);
	size_t chunk = CHUNK, total;
	int fd[2];
	char *buf;

	if (argv[optind])
		bb_show_usage("unexpected operand '%s'", argv[optind]);
	if (write_size)
		chunk = xatosize("write size", write_size, 1, INT_MAX);
	buf = memset(xmalloc(chunk), 0, chunk);
	xpipe(fd);
	if (pipe_size)
		set_size(fd[1], pipe_size);
	if (fcntl(fd[1], F_SETFL, O_NONBLOCK) < 0)
		bb_perror_msg_and_die("can't make the pipe non-blocking");
	total = opts & OPT('w') ? fill(fd[1], buf, chunk) : fill_to_the_brim(fd[1], buf, chunk);
	xprintf("size=%zu\n", total);
	return EXIT_SUCCESS;
}
