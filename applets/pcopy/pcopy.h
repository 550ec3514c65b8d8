/*
 * pcopy.h - what the parts of pcopy share
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef PCOPY_H
#define PCOPY_H

#include <sys/vfs.h>
#include "libbb.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* A step through the cache should find its bytes in the processor's; one past it should be
 * worth the wait. SHORT is what a process of its own would cost more than. */
enum { MAX_JOBS = 256, CACHED_STEP = 256 << 10, BUFFER_SIZE = 4 << 20, SHORT = 8 << 20,
	DONE_SHIFT = 12 };
enum { MY_TMPFS_MAGIC = 0x01021994 }; /* statfs(2) */
enum sync { SYNC_FULL, SYNC_DATA, SYNC_NONE };
enum progress { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_JSON };
enum when { AUTO, NEVER, ALWAYS };
enum engine { ENGINE_AUTO, ENGINE_CLONE, ENGINE_CFR, ENGINE_RW, ENGINE_MMAP, ENGINE_DIRECT };

/* What the workers tell each other and the parent: shared memory, and words of 32 bits,
 * which every processor can change in one piece. */
struct shared {
	uint32_t next;		/* the queue: the number of the next chunk */
	uint32_t failed;	/* a worker has said why the copy fails */
	uint32_t engine;	/* one worker's fallback is everybody's */
	uint32_t done[MAX_JOBS];	/* data that each worker has copied, in units that fit */
	uint64_t streamed;	/* bytes of a stream, once its only worker has ended */
	uint64_t saved[MAX_JOBS];	/* bytes that each worker has found in place */
	uint32_t crc[];		/* of each chunk */
};

/* The copy; fork() gives each worker its own. What is above the blank line is the user's. */
struct job {
	opts_t opts;
	const char *src, *dst;
	enum sync sync;
	enum engine engine;	/* at the end: the one that did it */
	enum when sparse, reflink, preallocate;
	int max_jobs;		/* 0: as many as help */
	int64_t expect;		/* a CRC-32, or -1 */
	enum progress progress;
	int preserve, preserve_all;	/* bits: wanted, and must be done */
	int crc_wanted;

	int in, out, out_direct;
	int seekable;		/* pwrite(2) works on DST */
	int compare;		/* most of it may be there: only what differs is written */
	int verifying;		/* SRC is DST, and the CRCs are known */
	struct stat from;	/* SRC when the copy began */
	off_t size, data;	/* bytes; those that are not in holes */
	uint32_t holes;
	off_t data_end;		/* no hole of SRC is between what was copied last and this */
	off_t copied, saved;	/* by this worker; of these, what was in place */
	int64_t start;
	int id;
	off_t taken;		/* by what DST was, and can be used again */
	size_t step;		/* how much a worker reads at once */
	off_t chunk;		/* a multiple of the page size */
	uint32_t chunks;	/* 0: a stream, read to its end by one worker */
	int jobs;
	char *buf;		/* three of BUFFER_SIZE: SRC, DST, zeros */
	uint32_t crc;		/* of the chunk that is being copied; at the end, of the file */
	int status;		/* why this process gives up: an exit status */
	struct shared *shared;

	int dir;		/* the directory of DST */
	const char *base;	/* DST's name in there */
	const char *name;	/* what job->out is called in there: that, or a temporary name */
	mode_t mode;		/* of a new DST */
	struct stat old;	/* st_mode is 0: there was none; a deleted file has no links */
	struct statfs fs;	/* of a file DST; zeros if it is not known */
};

static inline int asked(const struct job *job, char option)
{
	return (job->opts & OPT(option)) != 0;
}

/* engine.c: moves bytes, and says so when it can't: -1, job->status, and one message. */
extern const char *const engine_names[];
int first_failure(struct job *job, int status);
int give_up(struct job *job, const char *verb, const char *name);
int again(int fd, short events);
int put(struct job *job, size_t len, off_t off);
int copy_data(struct job *job, off_t off, off_t end);
void count_done(struct job *job, size_t n);
int open_direct(int dir, const char *name, int flags, int same_as);
enum engine start_engine(struct job *job);

/* copy.c: [off, end) of SRC, or all of a stream; 0 or -1 as above. next_data is false if there
 * are no more at or after *off. */
int copy_range(struct job *job, off_t off, off_t end);
int copy_stream(struct job *job);
void begin_writeback(const struct job *job, off_t off, off_t end);
void measure_data(struct job *job);
int next_data(const struct job *job, off_t *off, off_t *end);

/* crc.c: that of n zero bytes after crc, and of two parts whose second has len bytes. */
uint32_t crc32_zeros(uint32_t crc, uint64_t n);
uint32_t crc32_combine(uint32_t first, uint32_t second, uint64_t len);

/* target.c: DST is found, becomes job->out, in place or as a temporary file, and then final.
 * What was begun goes when the process exits. */
extern const char *const sync_names[];
void find_target(struct job *job);
void open_target(struct job *job);
void check_room(const struct job *job);
void set_size(const struct job *job);
void reserve_space(const struct job *job);
void sync_target(const struct job *job);
void commit(struct job *job);
void discard(void) __attribute__((destructor));
char *human(char text[16], uint64_t bytes);

/* preserve.c: after the bytes, before they are brought to the medium. */
void parse_preserve(struct job *job, const char *list);
const struct stat *future_owner(const struct job *job);
void set_metadata(const struct job *job);

/* report.c: PROGRESS_AUTO is a message of its own. */
void show_progress(const struct job *job, enum progress how);
void report(const struct job *job);

/* workers.c: signals are held back until a wait, or check_signals, looks for them. Requests for
 * a status line are first: whoever waits in open(2) dies of the others only. */
void hold_requests(void);
void hold_signals(void);
void check_signals(const struct job *job);
void set_jobs(struct job *job, int parallel);
int run_workers(struct job *job);

/* verify.c: after the bytes were brought to the medium: they are what was copied, or exit. */
void verify(struct job *job);

#endif
