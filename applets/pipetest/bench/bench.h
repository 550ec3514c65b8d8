/*
 * bench.h - types and functions that the measurements of pipetest -b share
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <sys/syscall.h>
#include "libbb.h"

/* A 32-bit machine with 64-bit time has no SYS_futex, only SYS_futex_time64: futex(2). */
#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

/* A machine is slower for a second, and a process has better luck with its memory than another. So
 * a measurement takes its slices in several passes through the whole list, each in new processes:
 * then its extremes show what chance does. */
enum { PASSES = 3, SLICES_OF_PASS = 2, SLICES = PASSES * SLICES_OF_PASS, NAME_LEN = 40 };

/* This struct holds what one measurement found. The process that measures shares it with the
 * engine. */
struct figures {
	double slice[SLICES];	/* each is in the row's unit; the least is the first */
	unsigned slices;
	/* These are round trips in microseconds: of each percentile the mean of the passes, and
	 * the longest of all. 0: none was timed. */
	double percentile[3], longest;
	double fairness;	/* is the slowest writer's count divided by the fastest's, or 0 */
	char cpus[16];		/* "0,1": both sides are pinned there; "": they are not */
	char reason[48];	/* says why there are no figures */
};

enum scaled { PLAIN, BYTES, PAGES };
enum { KIB = 1024 };

/* Only run() knows what these two mean. "how" is a kind of pipe or a method, and size counts the
 * bytes of a chunk, the bytes of a pipe, or processes. */
struct variant {
	int how, size;
};

/* This struct is a row: a measurement for each of its sizes. */
struct bench {
	const char *name;	/* reads group.what.parameter; name_row() appends the size */
	const char *unit;
	void (*run)(struct variant v);
	uint8_t how;
	uint8_t scaled;		/* is an enum scaled, which says what a size counts */
	uint32_t sizes;		/* each is a power of two; 0: there is no size */
};

/* These are the groups of measurements. A row { 0 } ends each of them. */
extern const struct bench bench_stream[], bench_latency[], bench_memory[], bench_setup[];

/* This struct is a figure of a run whose file --compare names. If nothing was measured, all are
 * 0. */
struct former {
	char name[NAME_LEN], unit[12];
	double median, min, max;
	char where[96];		/* is what bench_describe() wrote */
};
/* Reads what -b -J wrote, or dies. An empty name ends the list. */
struct former *bench_read_former(const char *path);

struct bench_plan {
	char **globs;		/* NULL selects all measurements */
	int64_t begin, duration; /* limit the whole run, in ns */
	int64_t most;		/* limits it where even the set-up takes longer than that */
	long *sizes;		/* lists chunk sizes up to a 0; NULL: each row has its own */
	int cpu[2];		/* -1 stands for the first two processors we may use */
	enum bench_form { BENCH_TABLE, BENCH_KTAP, BENCH_JSON } form;
	bool lava;
	const struct former *former;	/* lists the former figures; NULL: none is compared */
	const struct former *saved;	/* is compared instead of a new run, if not NULL */
	const char *former_path;
	unsigned tolerance;	/* counts percent */
};
/* These are the arguments of the options. An option that was not given has NULL. */
struct bench_words {
	char *list, *duration, *sizes, *cpus, *compare, *tolerance, *saved;
};
/* Is a descriptor of this program. It is opened before the current directory changes, after which
 * qemu's user mode no longer finds a program that was called by a relative name. */
extern int bench_program;
void bench_parse(struct bench_plan *plan, const struct bench_words *words);
void bench_list(const struct bench_plan *plan);
int bench_run(const struct bench_plan *plan);	/* returns the exit status */

/* --- What a measurement calls. Each measurement runs in a process of its own. */

void bench_skip(const char *fmt, ...) PRINTF(1, 2) NORETURN;
/* Skips the measurement if the call failed (result < 0), else returns the result. */
long bench_did(long result, const char *call);
/* op does n operations and returns how many bytes or messages they moved. The figure of a slice
 * is that amount per second, times scale. */
void bench_rate(double (*op)(uint32_t n), double scale);
/* op does n operations. The figure of a slice is the seconds that one operation took, times
 * scale. */
void bench_each(double (*op)(uint32_t n), double scale);
/* Notes the time of one operation for the percentiles. */
void bench_sample(int64_t ns);
/* Forks a child that runs body on the processor that bench_place() chose for peers. */
pid_t bench_peer(void (*body)(long arg), long arg);
/* APART is OTHER_CPU, but SAME_CPU on a machine that has one processor. */
enum placing { UNPINNED, SAME_CPU, OTHER_CPU, APART };
void bench_place(enum placing where);
void bench_fairness(double part);	/* notes the figure of that name */
size_t bench_page(void);
/* Makes a channel: fd[0] is to read from, fd[1] to write to. */
enum channel { A_PIPE, A_FIFO, A_SOCKETPAIR };
void bench_channel(enum channel kind, int fd[2]);
void *bench_map(size_t len, int flags, int fd); /* to read and write; skips if it cannot */
/* Maps len bytes, which the peers share, and writes to each page, so that no fault is measured. */
void *bench_memory_of(size_t len);
int bench_null(void); /* opens /dev/null to write */
/* Makes a file of len bytes, all of them written, and removes its name. */
int bench_file(size_t len);
/* These two read or write all n bytes. Where they cannot, the peer has ended, and they end this
 * process, too. */
void bench_read(int fd, void *buf, size_t n);
void bench_write(int fd, const void *buf, size_t n);

/* --- The results */

struct bench_result {
	const struct bench *b;
	long size;
	char name[NAME_LEN];	/* ends with the size, if the row has one */
	unsigned passes;	/* were done, or are not worth doing */
	int64_t slice_ns;	/* is how long a slice of the last pass took */
	int64_t setup_ns;	/* is what the first pass took beyond next_slice() */
	struct figures found;
};
double bench_median(const struct figures *f);
const char *bench_number(char text[24], double value);	/* shows at least four digits */
void bench_describe(
	char text[96], const char *machine, int processors, int page, const char *kernel);
/* The two sides of a measurement are pinned to the processors cpu[0] and cpu[1]. */
void bench_print_start(const struct bench_plan *plan, unsigned count, const int cpu[2]);
/* Returns true if this figure is slower than the former one. */
bool bench_is_slower(const struct bench_result *r);
void bench_print(const struct bench_result *r);
void bench_record(const struct bench_result *r); /* begins a record, and says what is measured */
void bench_print_sheet(const char *text);
int bench_print_end(int sig);	/* returns the exit status, or dies of sig if sig is not 0 */

#endif
