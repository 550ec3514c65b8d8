/*
 * pcopy.h - what the parts of pcopy share
 *
 * SPDX-License-Identifier: 0BSD
 *
 * A copy goes through these files in this order. pcopy.c reads the command line into a request.
 * files.c calls the other files for each SRC. source.c opens SRC. target.c finds DST, and refuse.c
 * decides whether a new file can replace DST. plan.c divides the work. inplace.c opens the file
 * that is written: DST itself, or the file of temporary.c or resume.c. names.c makes the names of
 * such files, create.c makes a file that is new, and lock.c locks DST itself or a kept file.
 * workers.c copies the bytes with the steps of engine.c and holes.c, and crc.c joins the CRC-32s of
 * the chunks. metadata.c sets the owner and the mode. commit.c brings the bytes to the medium, lets
 * verify.c read them back (--verify), and gives the copy the name DST. progress.c reports the copy.
 * discard.c removes what a failed copy would leave. signals.c answers signals.
 *
 * Unless a comment says otherwise, a function that returns an int returns 0 if it has succeeded.
 * Otherwise it has printed a message, and returns the exit status.
 */
#ifndef PCOPY_H
#define PCOPY_H

#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include "libbb.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* CACHED_STEP is the number of bytes that a worker reads at once through the page cache: so many
 * bytes fit into the cache of a processor. BUFFER_SIZE is that number for O_DIRECT, where each call
 * waits for the medium, and fewer calls wait less. To start a process costs more time than to copy
 * SHORT bytes. */
enum { MAX_JOBS = 256, CACHED_STEP = 256 << 10, BUFFER_SIZE = 4 << 20, SHORT = 8 << 20 };
enum { MY_TMPFS_MAGIC = 0x01021994, MY_RAMFS_MAGIC = 0x858458F6 }; /* statfs(2) */
enum sync { SYNC_FULL, SYNC_DATA, SYNC_NONE };
enum progress { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_JSON };
enum when { AUTO, NEVER, ALWAYS };
enum engine { ENGINE_AUTO, ENGINE_CLONE, ENGINE_CFR, ENGINE_RW, ENGINE_MMAP, ENGINE_DIRECT };
enum place { REPLACE, INPLACE, UPDATE, RESUME };

/* This is what the user asks for. It is the same for each file. */
struct request {
	opts_t opts;		/* the options that have no argument: see asked() */
	enum place place;
	enum engine engine;
	struct blocks {
		enum when sparse, reflink, preallocate;
	} blocks;		/* how the bytes of DST lie on the medium */
	enum sync sync;
	enum progress progress;
	int max_jobs;		/* 0: pcopy chooses the number of workers */
	off_t block;		/* the bytes of a chunk */
	int64_t expect;		/* the CRC-32 that SRC must have, or -1 */
	struct keep {
		int wanted, must;
	} keep;			/* bits of metadata.c: what DST takes over from SRC */
	int growing, compare;
};

/* The bytes come from here. */
struct source {
	const char *name;
	int fd;
	struct stat st;		/* as it was at the start of the copy */
	off_t size, data;	/* all bytes; the bytes that are not in holes */
	uint32_t holes;		/* the number of holes */
};

/* The bytes go there. */
struct target {
	const char *name;	/* the name that the user gave */
	struct stat old;	/* DST before the copy; st_mode is 0 if there was no file */
	struct stat parent;	/* the directory that DST was looked up in */
	struct statfs fs;	/* the file system of a regular file; all zeros if unknown */
	int found;		/* DST before the copy, opened with O_PATH, or -1 */
	int dir;		/* the directory of DST; AT_FDCWD if DST is no regular file */
	const char *base;	/* the name of DST in dir */
	const char *written;	/* the name of the file that is written: base, a temporary name,
				 * or NULL for a file without a name */
	int fd;			/* the file that is written */
	int seekable;		/* pwrite(2) works on fd */
	mode_t mode;		/* the mode of DST if it is a new file */
	off_t taken;		/* the bytes on the medium that the copy can overwrite */
};

/* The workers and the parent share this memory. If there are no workers, it is private, because
 * that is faster. Words that several processes use at the same time have 32 bits, because every
 * processor reads or writes such a word in one step. The other words are results, which the parent
 * reads after the workers have ended. */
struct shared {
	uint32_t next;		/* the number of the next chunk in the queue */
	uint32_t failed;	/* true: a worker has failed, and the others print nothing */
	uint32_t engine;	/* the engine of all workers, also after a fallback */
	struct count {
		uint32_t high, low, high_again;
	} done[MAX_JOBS];	/* the bytes that each worker has copied: see workers.c */
	uint64_t streamed;	/* the bytes of a stream: a result of its only worker */
	uint64_t saved[MAX_JOBS];	/* the bytes that each worker has found in place */
	uint32_t crc[];		/* the CRC-32 of each chunk */
};

/* This is how the work is divided and done. */
struct plan {
	enum engine engine;	/* the engine of the start, and at the end the one that copied */
	enum when sparse;	/* which bytes become holes */
	int compare;		/* true: only bytes that differ are written */
	int crc;		/* true: the CRC-32 is computed */
	size_t step;		/* the bytes that a worker reads at once */
	off_t chunk;		/* the bytes of a chunk, a multiple of the page size */
	uint32_t chunks;	/* 0 means that one worker reads SRC to its end as a stream */
	int jobs;		/* the number of workers */
	int direct;		/* a second descriptor of DST, with O_DIRECT, or -1 */
	int64_t start;		/* the monotonic_ns() at which the copy began */
	struct shared *shared;
};

/* This is one file on its way from SRC to DST. */
struct copy {
	const struct request *request;
	struct source source;
	struct target target;
	struct plan plan;
	uint32_t crc;		/* the CRC-32 of the file, known at the end */
	uint64_t saved;		/* the bytes that were in place, known at the end */
	int pending;		/* true: the bytes are copied, and commit.c is next */
};

/* This is the state of one worker process, or of the parent if the parent copies. */
struct worker {
	const struct copy *copy;
	const struct task *task;
	const struct source *source;	/* the file that is read: SRC, or DST to verify it */
	char *buf;		/* three parts of BUFFER_SIZE: for SRC, for DST, and zeros */
	int id;			/* the number of the worker, from 0 */
	off_t data_end;		/* the data go on to this offset without a hole */
	uint64_t copied, saved;	/* bytes */
	uint32_t crc;		/* the CRC-32 of the chunk up to the last step */
	int status;		/* the exit status of a worker that gives up */
	int is_first;		/* no other worker gave up before */
};

/* A task says what a worker does with each chunk: copy it, verify it or compare it. step handles at
 * most len bytes at off, and returns their number, or -1 after it has printed a message. put takes
 * the bytes that were read from a stream. hole returns 0 if it has handled a hole; otherwise step
 * reads the hole as zeros. end_chunk gets the number of a chunk whose bytes are all handled. */
struct task {
	const char *verb;	/* the past tense for messages: "copied" */
	ssize_t (*step)(struct worker *w, off_t off, size_t len);
	int (*put)(struct worker *w, size_t len, off_t off);
	int (*hole)(struct worker *w, off_t off, off_t len);
	int (*end_chunk)(struct worker *w, uint32_t chunk);
};

static inline int asked(const struct request *request, char option)
{
	return (request->opts & OPT(option)) != 0;
}

/* files.c copies each of the n files src to dst or into dst, and returns the exit status. */
int pcopy_files(const struct request *request, char **src, int n, const char *dst);

/* source.c opens SRC, and checks at the end that SRC has not changed. pcopy_cannot prints "can't
 * VERB 'NAME'" with errno, and returns EXIT_FAILURE. */
int pcopy_cannot(const char *verb, const char *name);
int pcopy_open_source(struct copy *copy, const char *name);
int pcopy_check_source(const struct copy *copy);

/* holes.c finds the holes of SRC. pcopy_range hands the bytes from off to end to the task.
 * pcopy_hole and pcopy_skip_hole are what a task does with a hole. pcopy_measure counts the holes.
 * pcopy_next_data finds the first data at or after *off; it returns 0 if there are none. */
int pcopy_range(struct worker *w, off_t off, off_t end);
int pcopy_skip_hole(struct worker *w, off_t off, off_t len);
int pcopy_hole(struct worker *w, off_t off, off_t len);
void pcopy_measure(struct source *source);
int pcopy_next_data(const struct source *source, off_t *off, off_t *end);

/* target.c finds the file that DST means: in a directory, it is the file with the name of SRC.
 * pcopy_reopen opens the file that was found, and returns a descriptor or -1. pcopy_stat_name
 * examines a name, and not what a link of that name leads to; it returns 0 or -1. */
int pcopy_stat_name(int dir, const char *name, struct stat *st);
int pcopy_find_target(struct copy *copy, const char *name);
int pcopy_is_directory(const char *name);
int pcopy_reopen(const struct target *target, int flags);

/* refuse.c finds, before the first byte is copied, what would make the copy fail at its end.
 * pcopy_check_rename refuses what rename(2) would refuse: a new DST needs no rename if its file has
 * no name until then, and is not kept for --resume.
 * pcopy_human writes a number of bytes as text, such as "1.5 MiB". pcopy_read_start reads the first
 * 999 bytes of a file in /proc, and returns false if it cannot. pcopy_read_field returns the number
 * that follows the text there, or -1. */
int pcopy_read_start(const char *name, char content[1000]);
long pcopy_read_field(const char *name, const char *text);
char *pcopy_human(char text[16], uint64_t bytes);
int pcopy_check_target(struct copy *copy);
int pcopy_check_rename(const struct target *target);
int pcopy_check_room(const struct copy *copy);

/* discard.c removes a doomed file when pcopy ends, by exit(3) or by a signal, or gives it the name
 * kept if kept is not NULL. pcopy_spare ends this, and the file stays. pcopy_drop removes the file
 * at once. */
void pcopy_doom(const struct target *target, const char *kept);
void pcopy_spare(const struct target *target);
void pcopy_drop(const struct target *target);
void pcopy_discard(void) __attribute__((destructor));

/* lock.c locks a file that is written. pcopy_lock returns 0, or EXIT_NOT_NOW without a message.
 * pcopy_has_writer returns true if another process has the file locked for writing. */
int pcopy_lock(int fd);
int pcopy_has_writer(int fd);

/* names.c makes the names of temporary files. Locks show which of these files are in use. A name
 * is allocated by malloc(3). */
enum { NAMED = 4 }; /* the number of names .pcopy-HASH.N, whose last digit is N */
char *pcopy_hashed_name(const char *base, const char *suffix);
char *pcopy_numbered_name(const struct target *target, int i);
char *pcopy_random_name(void);
char *pcopy_temporary_name(const struct target *target, int i);
int pcopy_has_real_locks(const struct target *target);
void pcopy_remove_stale(int dir, const char *name);

/* create.c makes a new file, which no other user may open until it is whole. pcopy_create returns
 * its descriptor or -1; name is NULL for a file without a name. pcopy_create_doomed does the same
 * with a file that is doomed. pcopy_link_target gives a file without a name one, and returns 0 or
 * -1. */
mode_t pcopy_allowed_mode(const struct target *target);
int pcopy_create(struct copy *copy, const char *name);
int pcopy_create_doomed(struct copy *copy, const char *name);
int pcopy_link_target(const struct target *target, const char *name);

/* temporary.c opens a new file beside DST. resume.c opens the file that a failed --resume has kept,
 * and removes this file when it is useless. */
int pcopy_open_temporary(struct copy *copy);
int pcopy_open_resumed(struct copy *copy);
void pcopy_remove_resumed(const struct target *target);

/* inplace.c opens the file that is written. It sets the size of any target, and reserves room. */
int pcopy_open_written(struct copy *copy);
int pcopy_set_size(const struct copy *copy);
int pcopy_check_size(const struct copy *copy);
int pcopy_reserve(const struct copy *copy);

/* plan.c divides SRC into chunks, decides how many workers copy them, and chooses the engine.
 * pcopy_open_direct returns a descriptor with O_DIRECT, or -1. */
extern const char *const pcopy_engines[];
int pcopy_make_plan(struct copy *copy);
int pcopy_choose_engine(struct copy *copy);
void pcopy_set_jobs(struct copy *copy, int parallel);
int pcopy_open_direct(const struct target *target, int flags);

/* engine.c has the steps. The first worker that fails gets true from pcopy_first_failure, and
 * prints the message. pcopy_give_up does both, and returns -1, as the steps do. */
int pcopy_first_failure(struct worker *w, int status);
int pcopy_give_up(struct worker *w, const char *verb, const char *name);
ssize_t pcopy_step_read(struct worker *w, off_t off, size_t len);
ssize_t pcopy_step(struct worker *w, off_t off, size_t len);
int pcopy_put(struct worker *w, size_t len, off_t off);
int pcopy_stream(struct worker *w);
void pcopy_say_fallback(const struct request *request, enum engine from, enum engine to);

/* crc.c computes a CRC-32 without reading bytes. pcopy_crc_zeros appends n zero bytes to what has
 * the CRC-32 crc. pcopy_crc_combine joins two parts, of which the second has len bytes. */
uint32_t pcopy_crc_zeros(uint32_t crc, uint64_t n);
uint32_t pcopy_crc_combine(uint32_t first, uint32_t second, uint64_t len);

/* metadata.c sets the owner, the mode, the attributes and the times of the file that is written,
 * after the bytes are copied and before they are brought to the medium. Only pcopy_set_flags comes
 * before the first byte. */
void pcopy_parse_keep(struct request *request, const char *list);
const struct stat *pcopy_future_owner(const struct copy *copy);
mode_t pcopy_future_mode(const struct copy *copy);
int pcopy_set_metadata(const struct copy *copy);
void pcopy_set_flags(const struct target *target);

/* commit.c brings n copies to the medium, by one syncfs(2) if it can, and gives them their names.
 * It returns the exit status. */
extern const char *const pcopy_syncs[];
int pcopy_commit(struct copy *copies[], int n);

/* progress.c prints how far a copy is, and at its end what it has done. PROGRESS_AUTO prints how
 * far it is as a message of its own. */
void pcopy_show_progress(const struct copy *copy, enum progress how);
void pcopy_report(const struct copy *copy);

/* signals.c answers signals with a handler. pcopy_hold_signals keeps them away until
 * pcopy_let_signals, and returns true if they were held before. pcopy_catch_signals is called
 * before there is anything that a signal would leave behind: until then, the signal itself ends
 * pcopy, also in a call that no handler can interrupt. pcopy_watch tells for which copy SIGUSR1
 * asks; copy is NULL if there is none. */
int pcopy_hold_signals(void);
void pcopy_let_signals(void);
void pcopy_catch_signals(void);
void pcopy_watch(const struct copy *copy);

/* workers.c runs a task. pcopy_is_short returns true if no worker is started for it.
 * pcopy_end_workers kills the workers that live, and waits for them. */
void pcopy_end_workers(void);
void pcopy_count_done(struct worker *w, size_t n);
uint64_t pcopy_bytes_done(const struct copy *copy);
int pcopy_run(struct copy *copy, const struct task *task, const struct source *source);
int pcopy_is_short(const struct copy *copy);

/* verify.c reads the bytes back from the medium and compares them with what was copied, or, without
 * a copy, compares DST with SRC. */
int pcopy_verify(struct copy *copy);
int pcopy_compare(struct copy *copy);

#endif
