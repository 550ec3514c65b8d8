/*
 * bench.h - what the measurements of pipetest -b share
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <sys/syscall.h>
#include "libbb.h"

/* 32-bit machines with 64-bit time have only the futex call of that name. */
#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

enum { SLICES = 5, NAME_LEN = 40 };

/* What one measurement found. A process of its own fills it in, in shared memory. */
struct figures {
	double slice[SLICES];	/* in the row's unit */
	unsigned slices;
	double p50, p90, p99, max;	/* of single round trips, in microseconds; 0: none */
	double fairness;	/* the slowest writer's part of the fastest one's; 0: none */
	char cpus[16];		/* where the two sides are pinned: "0,1", or "" */
	char reason[48];	/* why there are no figures */
};

/* A measurement. how and size are the function's own parameters: a kind of pipe or a method;
 * bytes of a chunk, pages of a pipe, a number of processes. */
struct bench {
	const char *name;	/* group.what.parameter, without the size */
	const char *unit;
	void (*run)(const struct bench *b);
	int how;
	long size;
	enum scaled { PLAIN, BYTES, PAGES } scaled;	/* what the size counts */
};

/* Groups, each ended by { 0 }. */
extern const struct bench bench_stream[], bench_latency[], bench_memory[], bench_setup[];

/* A figure of a former run. */
struct former {
	char name[NAME_LEN];
	double median;
};
/* Reads what -J wrote, or dies; a list ended by an empty name. */
struct former *bench_read_former(const char *path);

struct bench_plan {
	char **globs;		/* NULL: all */
	int64_t duration;	/* of the whole run */
	long *sizes;		/* of chunks, ended by 0; NULL: each row's own */
	int cpu[2];		/* -1: the first two that we may use */
	enum bench_form { BENCH_TABLE, BENCH_KTAP, BENCH_JSON } form;
	bool lava;
	const struct former *former;	/* of a former run; NULL: nothing to compare with */
	const char *former_path;
	unsigned tolerance;	/* percent */
};
/* The words of the options; NULL where there is none. */
struct bench_words {
	char *list, *duration, *sizes, *cpus, *compare, *tolerance;
};
void bench_parse(struct bench_plan *plan, const struct bench_words *words);
void bench_list(const struct bench_plan *plan);
int bench_run(const struct bench_plan *plan);	/* returns the exit status */

/* --- inside a measurement, which is a process of its own */

void bench_skip(const char *fmt, ...) PRINTF(1, 2) NORETURN;
/* The call did its work, or there is no measurement. Returns the result. */
long bench_did(long result, const char *call);
/* op does n operations and returns what they came to: bytes, or messages. The figure of a slice
 * is that amount a second, times scale. */
void bench_rate(double (*op)(uint32_t n), double scale);
/* op does n operations; the figure is the time of one, in seconds times scale. */
void bench_each(double (*op)(uint32_t n), double scale);
/* One more single time, for the percentiles of the whole measurement. */
void bench_sample(int64_t ns);
/* A child that runs body, on the second processor if the measurement is pinned to two. */
pid_t bench_peer(void (*body)(long arg), long arg);
enum placing { UNPINNED, SAME_CPU, OTHER_CPU };
void bench_place(enum placing where);
void bench_fairness(double part);
size_t bench_page(void);
/* A pair of descriptors, to read and to write. */
enum channel { A_PIPE, A_FIFO, A_SOCKETPAIR };
void bench_channel(enum channel kind, int fd[2]);
/* len bytes of memory that have been touched; shared with the peers. */
void *bench_memory_of(size_t len);
/* A file without a name, of len bytes that have been written. */
int bench_file(size_t len);
/* read(2) or write(2) of all n bytes, or the process ends: its peer has. */
void bench_read(int fd, void *buf, size_t n);
void bench_write(int fd, const void *buf, size_t n);

/* --- what came out of it */

struct bench_result {
	const struct bench *b;
	long size;
	char name[NAME_LEN];	/* with the size */
	bool measured;
	struct figures found;
};
double bench_median(const struct figures *f);
const char *bench_number(char text[24], double value);	/* three or four digits of it */
void bench_print_start(const struct bench_plan *plan, unsigned count);
void bench_print(const struct bench_result *r);
void bench_print_sheet(const char *text);
int bench_print_end(int sig);	/* the exit status; dies of sig, if there was one */

#endif
