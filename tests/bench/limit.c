/*
 * limit - make the system calls of ipcbox in a bare loop, to measure what this machine allows
 *
 *   limit put COUNT SIZE           COUNT writes of SIZE bytes to stdout
 *   limit put-packets COUNT SIZE   COUNT writes with O_DIRECT, each of which is one packet
 *   limit get SIZE                 reads of SIZE bytes from stdin until its end
 *   limit splice                   splice from stdin to stdout; one of them is a pipe
 *   limit read-write               read and write from stdin to stdout
 *   limit write-back               the same, durable: write-back starts after each chunk
 *   limit publish                  each line of stdin goes to a process that waits at a futex, which
 *                                  writes "time=SECONDS.NANOSECONDS line" to stdout
 *
 * SPDX-License-Identifier: 0BSD
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1 << 20, LINE = 200 };

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

static void splice_all(void)
{
	ssize_t n;

	fcntl(0, F_SETPIPE_SZ, CHUNK), fcntl(1, F_SETPIPE_SZ, CHUNK);
	while ((n = splice(0, NULL, 1, NULL, CHUNK, 0)) > 0)
		;
	if (n < 0)
		fail("splice");
}

static void read_write(size_t chunk, int durable)
{
	static char buf[CHUNK];
	off_t at = 0;
	ssize_t n;

	fcntl(0, F_SETPIPE_SZ, CHUNK), fcntl(1, F_SETPIPE_SZ, CHUNK);
	for (; (n = read(0, buf, chunk)) > 0; at += n) {
		if (write(1, buf, n) != n)
			fail("write");
		if (durable)
			sync_file_range(1, at, n, SYNC_FILE_RANGE_WRITE);
	}
	if (n < 0 || (durable && fsync(1) < 0))
		fail("read-write");
}

struct record {
	uint32_t number;
	char text[LINE];
};

static void show(struct record *r)
{
	char text[LINE];

	for (uint32_t seen = 0;;) {
		while (__atomic_load_n(&r->number, __ATOMIC_ACQUIRE) == seen)
			syscall(SYS_futex, &r->number, FUTEX_WAIT, seen, NULL, NULL, 0);
		seen = __atomic_load_n(&r->number, __ATOMIC_ACQUIRE);
		memcpy(text, r->text, sizeof(text));
		if (!*text)
			_exit(0);
		if (write(1, text, strlen(text)) < 0)
			_exit(1);
	}
}

static void publish(void)
{
	struct record *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char line[LINE / 2];
	struct timespec ts;
	pid_t parent;
	ssize_t n;

	if (r == MAP_FAILED)
		fail("mmap");
	parent = getpid();
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		show(r);
	}
	do {
		n = read(0, line, sizeof(line) - 1);
		line[n > 0 ? n : 0] = '\0';
		clock_gettime(CLOCK_REALTIME, &ts);
		r->text[0] = '\0';
		if (n > 0)
			sprintf(r->text, "time=%lld.%09ld %s", (long long)ts.tv_sec, ts.tv_nsec, line);
		__atomic_add_fetch(&r->number, 1, __ATOMIC_RELEASE);
		syscall(SYS_futex, &r->number, FUTEX_WAKE, 1, NULL, NULL, 0);
	} while (n > 0);
	wait(NULL);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (!strcmp(verb, "put") && argc > 3)
		put(atol(argv[2]), atol(argv[3]), 0);
	else if (!strcmp(verb, "put-packets") && argc > 3)
		put(atol(argv[2]), atol(argv[3]), O_DIRECT);
	else if (!strcmp(verb, "get") && argc > 2)
		get(atol(argv[2]));
	else if (!strcmp(verb, "splice"))
		splice_all();
	else if (!strcmp(verb, "read-write"))
		read_write(CHUNK / 8, 0);
	else if (!strcmp(verb, "write-back"))
		read_write(CHUNK, 1);
	else if (!strcmp(verb, "publish"))
		publish();
	else
		return 2;
	return 0;
}
