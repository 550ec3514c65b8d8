/*
 * limit - make the system calls of ipcbox in a bare loop, to measure what this machine allows
 *
 *   limit put COUNT SIZE           COUNT writes of SIZE bytes to stdout
 *   limit put-packets COUNT SIZE   COUNT writes with O_DIRECT, each of which is one packet
 *   limit get SIZE                 reads of SIZE bytes from stdin until its end
 *
 * SPDX-License-Identifier: 0BSD
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void put(long count, size_t size, int flags)
{
	static char buf[4096];

	if (flags && fcntl(1, F_SETFL, flags) < 0)
		fail("packets");
	memset(buf, 'x', sizeof(buf));
	while (count--)
		if (write(1, buf, size) != (ssize_t)size)
			fail("write");
}

static void get(size_t size)
{
	static char buf[4096];

	while (read(0, buf, size) > 0)
		;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (!strcmp(verb, "put") && argc > 3)
		put(atol(argv[2]), atol(argv[3]), 0);
	else if (!strcmp(verb, "put-packets") && argc > 3)
		put(atol(argv[2]), atol(argv[3]), O_DIRECT);
	else if (!strcmp(verb, "get"))
		get(atol(argv[2]));
	else
		return 2;
	return 0;
}
