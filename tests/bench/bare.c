/*
 * bare - the loops that pipetest -b must not be slower than, with nothing around them
 *
 *   bare rate CHUNK SECONDS    one process writes CHUNK bytes at a time into a pipe, and another
 *                              reads as many: MB/s. With 256 KiB this is the protocol of
 *                              pipes-speed-test's "write | read".
 *   bare trips SECONDS         an int goes to another process and back through two pipes, on one
 *                              processor: microseconds. This is the protocol of perf bench sched
 *                              pipe.
 *
 * Prints the median and the best of five slices of time, after one to warm up.
 *
 * SPDX-License-Identifier: 0BSD
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLICES = 5, BATCH = 16 };
static int there[2], back[2];
static size_t chunk;
static char *buffer;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void must(int good)
{
	if (good)
		return;
	perror("bare");
	exit(1);
}

/* Pins the process to the first processor that it may use, or to the second. */
static void pin(int second)
{
	cpu_set_t all, one;
	int cpu = -1;

	must(sched_getaffinity(0, sizeof(all), &all) == 0);
	for (int i = 0, seen = 0; i < CPU_SETSIZE && seen <= second; i++)
		if (CPU_ISSET(i, &all)) {
			cpu = i;
			seen++;
		}
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	must(sched_setaffinity(0, sizeof(one), &one) == 0);
}

static double read_chunk(void)
{
	ssize_t n = read(there[0], buffer, chunk);

	must(n > 0);
	return n;
}

static double trip(void)
{
	int token = 0;

	must(write(there[1], &token, sizeof(token)) == sizeof(token));
	must(read(back[0], &token, sizeof(token)) == sizeof(token));
	return 1;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Prints amount per second in units of scale, or the time of each operation. */
static void measure(double (*op)(void), double seconds, double scale, int each)
{
	double slice[SLICES], length = seconds / (SLICES + 1);

	for (int i = -1; i < SLICES; i++) {
		double begin = now(), amount = 0, took;

		do
			for (int n = 0; n < BATCH; n++)
				amount += op();
		while ((took = now() - begin) < length);
		if (i >= 0)
			slice[i] = each ? scale * took / amount : scale * amount / took;
	}
	qsort(slice, SLICES, sizeof(*slice), by_size);
	printf("%.6g %.6g\n", slice[SLICES / 2], slice[each ? 0 : SLICES - 1]);
}

static void rate(double seconds)
{
	pid_t pid;

	buffer = malloc(chunk);
	must(buffer != NULL);
	memset(buffer, 1, chunk);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		pin(1);
		close(there[0]);
		for (;;)
			must(write(there[1], buffer, chunk) > 0);
	}
	pin(0);
	close(there[1]);
	measure(read_chunk, seconds, 1e-6, 0);
}

static void trips(double seconds)
{
	int token;
	pid_t pid;

	pin(0);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		close(there[1]);
		while (read(there[0], &token, sizeof(token)) == sizeof(token))
			must(write(back[1], &token, sizeof(token)) == sizeof(token));
		_exit(0);
	}
	measure(trip, seconds, 1e6, 1);
}

int main(int argc, char **argv)
{
	must(pipe(there) == 0 && pipe(back) == 0);
	if (argc == 4 && strcmp(argv[1], "rate") == 0) {
		chunk = strtoul(argv[2], NULL, 0);
		rate(atof(argv[3]));
	} else if (argc == 3 && strcmp(argv[1], "trips") == 0) {
		trips(atof(argv[2]));
	} else {
		fputs("usage: bare rate CHUNK SECONDS | bare trips SECONDS\n", stderr);
		return 2;
	}
	return 0;
}
