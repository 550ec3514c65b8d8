/*
 * meter.c - times the operations, places the processes and makes the channels they measure
 *
 * SPDX-License-Identifier: 0BSD
 *
 * A measurement has slices of equal time, not of equal work, so that a slow board needs no longer
 * than a fast one. The clock is read once per batch of operations, and a batch takes so long that
 * reading the clock does not count. Before the first slice, calibrate() warms up for the time of
 * a slice.
 */
#include <sched.h>
#include <sys/socket.h>
#include "../engine.h"
#include "bench.h"
#include "meter.h"

enum { SAMPLES = 1 << 16 };

static struct meter *m;
static float *samples; /* are in nanoseconds */
static uint32_t sampled;
static bool sampling;

void bench_meter_use(struct meter *meter)
{
	m = meter;
}

size_t bench_page(void)
{
	return getpagesize();
}

void bench_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(m->figures->reason, sizeof(m->figures->reason), fmt, args);
	va_end(args);
	m->figures->slices = 0;
	_exit(EXIT_SUCCESS);
}

long bench_did(long result, const char *call)
{
	if (result < 0)
		bench_skip("%s: %s", call, strerror(errno));
	return result;
}

/* Takes the value of a pass, whose slices are done, into the mean of the passes. */
static void into_mean(double *mean, double value)
{
	*mean += (value - *mean) * SLICES_OF_PASS / m->figures->slices;
}

void bench_fairness(double part)
{
	into_mean(&m->figures->fairness, part);
}

/* --- Time */

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

void bench_sample(int64_t ns)
{
	if (!sampling)
		return;
	samples[sampled++ % SAMPLES] = ns;
}

static void summarize(void)
{
	static const uint8_t percent[] = { 50, 90, 99 };
	uint32_t n = sampled < SAMPLES ? sampled : SAMPLES;
	struct figures *f = m->figures;

	if (!n)
		return;
	qsort(samples, n, sizeof(*samples), by_size);
	for (unsigned i = 0; i < ARRAY_SIZE(percent); i++)
		into_mean(&f->percentile[i], samples[percent[i] * (n - 1) / 100] / 1e3);
	if (samples[n - 1] / 1e3 > f->longest)
		f->longest = samples[n - 1] / 1e3;
}

struct slice {
	double amount; /* sums what the calls of op returned */
	double operations;
	double seconds;
};

static struct slice run_slice(double (*op)(uint32_t n), uint32_t batch)
{
	int64_t begin = monotonic_ns(), now = begin, end = begin + m->slice_ns;
	struct slice s = { 0 };

	while (now < end) {
		s.amount += op(batch);
		s.operations += batch;
		now = monotonic_ns();
	}
	s.seconds = (double)(now - begin) / NS_PER_S;
	return s;
}

/* Returns how many operations take a twentieth of a slice. The search runs for at least one slice,
 * which warms up the caches and the processor. */
static uint32_t calibrate(double (*op)(uint32_t n))
{
	int64_t begin = monotonic_ns(), before, took;
	uint32_t batch = 1;

	for (;; batch *= 2) {
		before = monotonic_ns();
		op(batch);
		took = monotonic_ns() - before;
		if (took >= m->slice_ns / 20 || batch >= UINT32_MAX / 4)
			break;
	}
	while (monotonic_ns() < begin + m->slice_ns)
		op(batch);
	return batch;
}

/* Keeps the slices in order. */
static void insert(struct figures *f, double value)
{
	unsigned at = f->slices++;

	for (; at && f->slice[at - 1] > value; at--)
		f->slice[at] = f->slice[at - 1];
	f->slice[at] = value;
}

static void measure(double (*op)(uint32_t n), double scale, bool rate)
{
	uint32_t batch;

	samples = bench_memory_of(SAMPLES * sizeof(*samples));
	batch = calibrate(op);
	sampling = true;
	for (unsigned i = 0; i < SLICES_OF_PASS; i++) {
		struct slice s = run_slice(op, batch);

		insert(m->figures,
			scale * (rate ? s.amount / s.seconds : s.seconds / s.operations));
	}
	summarize();
}

void bench_rate(double (*op)(uint32_t n), double scale)
{
	measure(op, scale, true);
}

void bench_each(double (*op)(uint32_t n), double scale)
{
	measure(op, scale, false);
}

/* --- Processors */

static bool pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

void bench_place(enum placing where)
{
	m->peer_cpu = -1;
	if (where == APART)
		where = m->cpu[1] < 0 ? SAME_CPU : OTHER_CPU;
	if (where == OTHER_CPU && m->cpu[1] < 0)
		bench_skip("there is one processor");
	if (where == UNPINNED || m->cpu[0] < 0 || !pin(m->cpu[0]))
		return;
	m->peer_cpu = m->cpu[where == OTHER_CPU];
	scnprintf(m->figures->cpus, sizeof(m->figures->cpus), "%d,%d", m->cpu[0], m->peer_cpu);
}

/* The child begins on its processor. If the parent had a real-time priority and did not wait, the
 * child could not run on the parent's processor, not even to leave it. */
pid_t bench_peer(void (*body)(long arg), long arg)
{
	pid_t parent = getpid(), pid;

	if (m->peer_cpu >= 0)
		(void)pin(m->peer_cpu);
	pid = bench_did(fork(), "fork");
	if (pid) {
		if (m->peer_cpu >= 0)
			(void)pin(m->cpu[0]);
		return pid;
	}
	die_with_parent(parent);
	body(arg);
	_exit(EXIT_SUCCESS);
}

/* --- Channels, memory and files to measure with */

/* The name of the only file that there is at a time. The engine removes it if this process dies. */
static const char *file_name(void)
{
	if (!pipetest.dir)
		bench_skip("no directory to write in");
	return "f";
}

void bench_channel(enum channel kind, int fd[2])
{
	if (kind == A_SOCKETPAIR) {
		bench_did(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), "socketpair");
	} else if (kind == A_PIPE) {
		bench_did(pipe(fd), "pipe");
	} else {
		const char *name = file_name();

		bench_did(mkfifo(name, 0600), "mkfifo");
		fd[0] = bench_did(open(name, O_RDONLY | O_NONBLOCK), "open");
		fd[1] = bench_did(open(name, O_WRONLY), "open");
		bench_did(unlink(name), "unlink");
		bench_did(fcntl(fd[0], F_SETFL, 0), "fcntl");
	}
}

void *bench_map(size_t len, int flags, int fd)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		bench_skip("mmap: %s", strerror(errno));
	return p;
}

void *bench_memory_of(size_t len)
{
	return memset(bench_map(len, MAP_SHARED | MAP_ANONYMOUS, -1), 1, len);
}

int bench_null(void)
{
	return bench_did(open("/dev/null", O_WRONLY), "open /dev/null");
}

int bench_file(size_t len)
{
	const char *name = file_name();
	int fd = bench_did(open(name, O_RDWR | O_CREAT | O_EXCL, 0600), "open");
	char block[4096];

	(void)unlink(name);
	memset(block, 1, sizeof(block));
	for (size_t n = 0; n < len; n += sizeof(block))
		if (full_write(fd, block, sizeof(block)) != sizeof(block))
			bench_skip("no room for %zu bytes", len);
	return fd;
}

void bench_read(int fd, void *buf, size_t n)
{
	if (full_read(fd, buf, n) != (ssize_t)n)
		_exit(EXIT_FAILURE);
}

void bench_write(int fd, const void *buf, size_t n)
{
	if (full_write(fd, buf, n) != (ssize_t)n)
		_exit(EXIT_FAILURE);
}
