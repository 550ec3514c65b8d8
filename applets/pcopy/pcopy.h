/*
 * pcopy.h - what the parts of pcopy share
 *
 * SPDX-License-Identifier: 0BSD
 *
 * A copy goes through these files in this order: pcopy.c reads the command line into a request;
 * files.c calls the rest for each file. source.c opens SRC; target.c finds DST, and refuse.c asks
 * whether it can become the new file; temporary.c or inplace.c opens what is written; plan.c
 * divides the work; workers.c does it with the steps of engine.c and holes.c; metadata.c, verify.c
 * and commit.c end it.
 *
 * A function that returns an int returns 0, or the exit status after it has printed the message.
 */
#ifndef PCOPY_H
#define PCOPY_H

#include <sys/vfs.h>
#include "libbb.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* A step through the cache should find its bytes in the processor's cache; a step past the cache
 * should be worth the wait. A process costs more than a copy of SHORT bytes. */
enum { MAX_JOBS = 256, CACHED_STEP = 256 << 10, BUFFER_SIZE = 4 << 20, SHORT = 8 << 20 };
enum { MY_TMPFS_MAGIC = 0x01021994 }; /* statfs(2) */
enum sync { SYNC_FULL, SYNC_DATA, SYNC_NONE };
enum progress { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_JSON };
enum when { AUTO, NEVER, ALWAYS };
enum engine { ENGINE_AUTO, ENGINE_CLONE, ENGINE_CFR, ENGINE_RW, ENGINE_MMAP, ENGINE_DIRECT };
enum place { REPLACE, INPLACE, UPDATE, RESUME };

/* The user's request, which is the same for each file. */
struct request {
	opts_t opts;		/* the letters that say yes or no */
	enum place place;
	enum engine engine;
	struct blocks {
		enum when sparse, reflink, preallocate;
	} blocks;		/* of DST on the medium */
	enum sync sync;
	enum progress progress;
	int max_jobs;		/* 0: as many as help */
	off_t block;
	int64_t expect;		/* a CRC-32, or -1 */
	struct keep {
		int wanted, must;
	} keep;			/* bits of metadata.c: what to take over from SRC */
	int growing, compare;
};

/* Where the bytes come from. */
struct source {
	const char *name;
	int fd;
	struct stat st;		/* at the start of the copy */
	off_t size, data;	/* bytes; those that are not in holes */
	uint32_t holes;
};

/* Where the bytes go. */
struct target {
	const char *name;	/* as the user knows it */
	struct stat old;	/* st_mode is 0 if there was no file; a deleted file has no links */
	struct statfs fs;	/* of a regular file; zeros if that is not known */
	int dir;		/* the directory of DST; AT_FDCWD: DST gets no new name */
	const char *base;	/* DST's name in there */
	const char *written;	/* the name of what is written: base, a temporary name, or NULL */
	int fd;
	int seekable;		/* pwrite(2) works */
	mode_t mode;		/* of a new file */
	off_t taken;		/* room that the old content has, and that can be used again */
};

/* The workers and the parent share this memory. It consists of 32-bit words, which every processor
 * can change in one step, and of results. */
struct shared {
	uint32_t next;		/* the queue: the number of the next chunk */
	uint32_t failed;	/* a worker has reported why the copy fails */
	uint32_t engine;	/* all workers use the engine that one has fallen back to */
	struct count {
		uint32_t high, low, high_again;
	} done[MAX_JOBS];	/* data that each worker has copied: see workers.c */
	uint64_t streamed;	/* bytes of a stream, once its only worker has ended */
	uint64_t saved[MAX_JOBS];	/* bytes that each worker has found in place */
	uint32_t crc[];		/* of each chunk */
};

/* How the work is divided and done. */
struct plan {
	enum engine engine;	/* the engine at the start; at the end: the one that copied */
	enum when sparse;
	int compare;		/* only differing bytes are written */
	int crc;		/* a CRC is wanted */
	size_t step;		/* the bytes that a worker reads at once */
	off_t chunk;		/* a multiple of the page size */
	uint32_t chunks;	/* 0: a stream, read to its end by one worker */
	int jobs;
	int direct;		/* a second descriptor of DST, with O_DIRECT; or -1 */
	int64_t start;
	struct shared *shared;
};

/* One file on its way from SRC to DST. */
struct copy {
	const struct request *request;
	struct source source;
	struct target target;
	struct plan plan;
	uint32_t crc;		/* at the end: of the file */
	uint64_t saved;		/* at the end: bytes that were in place */
	int pending;		/* the copy waits for commit.c */
};

/* One process, or the parent itself, and the chunk that it works on. */
struct worker {
	const struct copy *copy;
	const struct task *task;
	const struct source *source;	/* what is read: SRC, or DST when it is verified */
	char *buf;		/* three of BUFFER_SIZE: SRC, DST, zeros */
	int id;
	off_t data_end;		/* there is no hole between the last read and this */
	uint64_t copied, saved;
	uint32_t crc;		/* of the chunk so far */
	int status;		/* why this process gives up: an exit status */
};

/* A task is what is done with each chunk. step moves at most len bytes at off. It returns their
 * number, or -1 after printing a message. hole returns 0 if it has handled the hole. Otherwise the
 * hole is read as zeros. */
struct task {
	const char *verb;	/* "copied" */
	ssize_t (*step)(struct worker *w, off_t off, size_t len);
	/* takes what step has read; or NULL */
	int (*put)(struct worker *w, size_t len, off_t off);
	int (*hole)(struct worker *w, off_t off, off_t len);
	int (*end_chunk)(struct worker *w, uint32_t chunk);
};

static inline int asked(const struct request *request, char option)
{
	return (request->opts & OPT(option)) != 0;
}

/* files.c: the n files src, each to dst or into it; returns the exit status */
int pcopy_files(const struct request *request, char **src, int n, const char *dst);

/* source.c */
int pcopy_cannot(const char *verb, const char *name);
int pcopy_open_source(struct copy *copy, const char *name);
int pcopy_check_source(const struct copy *copy);

/* holes.c: [off, end) of what is read, or a stream. next_data is false if no data are at or after
 * *off. */
int pcopy_range(struct worker *w, off_t off, off_t end);
int pcopy_skip_hole(struct worker *w, off_t off, off_t len);
int pcopy_hole(struct worker *w, off_t off, off_t len);
void pcopy_measure(struct source *source);
int pcopy_next_data(const struct source *source, off_t *off, off_t *end);

/* target.c: which file DST is, and of which kind; a directory gets the name of SRC */
int pcopy_find_target(struct copy *copy, const char *name);
int pcopy_is_directory(const char *name);
const char *pcopy_base_name(const char *path);
char *pcopy_human(char text[16], uint64_t bytes);

/* refuse.c: what can be known before the first byte */
int pcopy_check_target(struct copy *copy);
int pcopy_check_room(const struct copy *copy);

/* discard.c: what exit(3) must remove, or keep under another name */
void pcopy_doom(const struct target *target, const char *kept);
void pcopy_spare(const struct target *target);
void pcopy_drop(const struct target *target);
void pcopy_discard(void) __attribute__((destructor));

/* names.c: names for temporary files, and the locks that show whose they are */
enum { NAMED = 4 }; /* the number of names .pcopy-HASH.N */
char *pcopy_hashed_name(const char *base, const char *suffix);
char *pcopy_numbered_name(const struct target *target, int i);
char *pcopy_random_name(void);
char *pcopy_temporary_name(const struct target *target, int i);
int pcopy_has_real_locks(const struct target *target);
int pcopy_lock(int fd);
void pcopy_remove_stale(int dir, const char *name);

/* create.c: a new file, which is private until it is whole */
mode_t pcopy_allowed_mode(const struct target *target);
int pcopy_create(struct copy *copy, const char *name);
int pcopy_link_target(const struct target *target, const char *name);

/* temporary.c and resume.c: the file that is written until it is whole */
int pcopy_open_temporary(struct copy *copy);
int pcopy_open_resumed(struct copy *copy);
void pcopy_remove_resumed(const struct target *target);

/* inplace.c: DST itself is written; its size and its room */
int pcopy_open_written(struct copy *copy);
int pcopy_set_size(const struct copy *copy);
int pcopy_check_size(const struct copy *copy);
int pcopy_reserve(const struct copy *copy);

/* plan.c: chunks for the queue, workers for the chunks, and the engine that fits */
extern const char *const pcopy_engines[];
int pcopy_make_plan(struct copy *copy);
int pcopy_choose_engine(struct copy *copy);
void pcopy_set_jobs(struct copy *copy, int parallel);
int pcopy_open_direct(const struct target *target, int flags);

/* engine.c: the steps */
int pcopy_first_failure(struct worker *w, int status);
int pcopy_give_up(struct worker *w, const char *verb, const char *name);
ssize_t pcopy_step_read(struct worker *w, off_t off, size_t len);
ssize_t pcopy_step(struct worker *w, off_t off, size_t len);
int pcopy_put(struct worker *w, size_t len, off_t off);
int pcopy_stream(struct worker *w);
void pcopy_say_fallback(const struct request *request, enum engine from, enum engine to);

/* crc.c: the CRC of n zero bytes after crc, and of two parts whose second has len bytes */
uint32_t pcopy_crc_zeros(uint32_t crc, uint64_t n);
uint32_t pcopy_crc_combine(uint32_t first, uint32_t second, uint64_t len);

/* metadata.c: after the bytes, before they are brought to the medium */
void pcopy_parse_keep(struct request *request, const char *list);
const struct stat *pcopy_future_owner(const struct copy *copy);
int pcopy_set_metadata(const struct copy *copy);
void pcopy_set_flags(const struct target *target);

/* commit.c: n copies become the new files, with one sync for all; returns the exit status */
extern const char *const pcopy_syncs[];
int pcopy_commit(struct copy *copies[], int n);

/* progress.c: PROGRESS_AUTO is a message of its own. */
void pcopy_show_progress(const struct copy *copy, enum progress how);
void pcopy_report(const struct copy *copy);

/* workers.c: signals are held back until a wait, or check_signals, looks for them. Requests for
 * a status line come first: a process that waits in open(2) dies of the other signals only. */
void pcopy_hold_requests(void);
void pcopy_hold_signals(void);
void pcopy_check_signals(const struct copy *copy);
void pcopy_count_done(struct worker *w, size_t n);
uint64_t pcopy_bytes_done(const struct copy *copy);
int pcopy_run(struct copy *copy, const struct task *task, const struct source *source);

/* verify.c: after the bytes were brought to the medium, they are what was copied; compare needs
 * no copy */
int pcopy_verify(struct copy *copy);
int pcopy_compare(struct copy *copy);

#endif
