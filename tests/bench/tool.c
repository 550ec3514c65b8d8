/*
 * tool - measure for the benchmarks: tool time COUNT CMD..., tool rss CMD...,
 *        tool lag COUNT PERCENTILE IN OUT [own], tool touch BYTES
 *
 * SPDX-License-Identifier: 0BSD
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile pid_t group;

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void give_up(int sig)
{
	if (group > 0)
		kill(-group, SIGKILL);
	_exit(128 + sig);
}

/* Prints the mean of count runs in ns.  Each run is a process group, so that no part of it
 * survives; give_up() passes on the Ctrl-C of an interactive shell. */
static void stopwatch(int count, char **argv)
{
	const char *fresh = getenv("FRESH");
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), status;
	int64_t total = 0, start;

	signal(SIGINT, give_up), signal(SIGTERM, give_up), signal(SIGALRM, give_up);
	alarm(120);
	for (int i = 0; i < count; i++) {
		if (fresh)
			unlink(fresh);
		start = now(CLOCK_MONOTONIC);
		group = fork();
		if (group == 0) {
			setpgid(0, 0);
			signal(SIGINT, SIG_DFL), signal(SIGTERM, SIG_DFL);
			dup2(null, 1); /* the stdout of tool gets the result alone */
			execvp(*argv, argv);
			fail(*argv);
		}
		while (waitpid(group, &status, 0) < 0 && errno == EINTR)
			;
		total += now(CLOCK_MONOTONIC) - start;
		kill(-group, SIGKILL);
		if (status)
			exit(1);
	}
	printf("%lld\n", (long long)(total / count));
}

/* Prints the bytes that are resident when the process exits. getrusage(2) would count the
 * image before the exec, too. */
static void resident(char **argv)
{
	char path[64], line[128];
	long kib;
	int status;
	FILE *f;
	pid_t pid = fork();

	alarm(60);
	if (pid == 0) {
		close(1);
		open("/dev/null", O_WRONLY);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execvp(*argv, argv);
		fail(*argv);
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL));
	do {
		ptrace(PTRACE_CONT, pid, NULL, NULL);
		if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
			exit(1);
	} while (status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8));
	sprintf(path, "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "r");
	if (!f)
		fail(path);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Rss: %ld", &kib) == 1)
			printf("%ld\n", kib * 1024);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	waitpid(pid, &status, 0);
}

static int compare(const void *a, const void *b)
{
	int64_t d = *(const int64_t *)a - *(const int64_t *)b;

	return (d > 0) - (d < 0);
}

/* Prints the percentile of the ns from the time of a record to its arrival.  With "own" that is
 * the time of the write of tool; else the record has it as time=SECONDS.NANOSECONDS. */
static void lag(int count, int percentile, const char *in, const char *out, int own)
{
	int64_t *ns = calloc(count, sizeof(*ns)), sent, end;
	int r = open(out, O_RDONLY), w = open(in, O_WRONLY);
	struct pollfd p = { r, POLLIN, 0 };
	char buf[4096], *text;
	ssize_t n;

	if (w < 0 || r < 0)
		fail("lag");
	alarm(60);
	for (int i = -10; i < count; i++) {
		do {
			n = sprintf(buf, "id=%d name=xiao sex=M\n", i);
			sent = now(CLOCK_REALTIME);
			if (write(w, buf, n) != n)
				fail("write");
		} while (!poll(&p, 1, 500) && i < 0);
		n = read(r, buf, sizeof(buf) - 1);
		end = now(CLOCK_REALTIME);
		if (n <= 0)
			fail("read");
		buf[n] = '\0';
		text = strstr(buf, "time=");
		if (text && !own)
			sent = strtoll(text + 5, &text, 10) * 1000000000 + atol(text + 1);
		if (i >= 0)
			ns[i] = end - sent;
	}
	qsort(ns, count, sizeof(*ns), compare);
	printf("%lld\n", (long long)ns[(long)count * percentile / 100]);
}

/* Prints how many MB/s a process can write to memory that is new to it, and to the same memory again. */
static void touch(size_t size)
{
	long page = sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int64_t start;

	if (p == MAP_FAILED)
		fail("mmap");
	madvise(p, size, MADV_NOHUGEPAGE);
	for (int i = 0; i < 2; i++) {
		start = now(CLOCK_MONOTONIC);
		for (size_t at = 0; at < size; at += page)
			memset(p + at, i + 1, page);
		printf("%lld%c", (long long)size * 1000 / (now(CLOCK_MONOTONIC) - start), " \n"[i]);
	}
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (!strcmp(verb, "time"))
		stopwatch(atoi(argv[2]), argv + 3);
	else if (!strcmp(verb, "rss"))
		resident(argv + 2);
	else if (!strcmp(verb, "lag"))
		lag(atoi(argv[2]), atoi(argv[3]), argv[4], argv[5], argc > 6);
	else if (!strcmp(verb, "touch"))
		touch(atol(argv[2]));
	else
		return 2;
	return 0;
}
