/*
 * pipecap.h - what the parts of pipecap share
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef PIPECAP_H
#define PIPECAP_H

#include <stdbool.h>
#include "libbb.h"

/* fcntl(2) returns the size as an int, and the kernel rounds up to a power of two. */
enum { LARGEST_SIZE = 1 << 30 };

/* --- holders.c. One descriptor that some process has of a pipe or FIFO, as /proc shows it. */
struct holder {
	dev_t dev;
	ino_t ino;
	uid_t uid;		/* of the pipe */
	pid_t pid;
	int fd;
	bool reads, writes;
	signed char blocked;	/* -1: cannot be seen */
	char comm[16];
};

struct holders {
	struct holder *at;	/* sorted by dev, ino, pid, fd */
	size_t count;
	unsigned hidden;	/* processes that we could not look into */
	bool seen;		/* there is a /proc */
};

struct holders find_holders(void);
/* The first of a pipe, and how many there are. */
const struct holder *holders_of(const struct holders *all, dev_t dev, ino_t ino, size_t *count);
/* How many of them, from this one on, hold the same pipe. */
size_t count_holders(const struct holders *all, const struct holder *first);
/* "/proc/PID/fd/FD", until the next call */
const char *fd_path(int pid, int fd);
/* A descriptor of the pipe, one that reads if that can be had, or -1 with errno; ENXIO if
 * there are no holders. */
int open_through(const struct holder *h, size_t count);

/* --- look.c. What can be seen without disturbing or consuming; -1: it cannot. */
struct look {
	const char *name;
	long size, unread;	/* bytes */
	long slots, max_slots;	/* taken, and all */
	const struct holder *holders;
	size_t n_holders;	/* 0: they cannot be seen, for the pipe is open */
};

/* Adds the numbers to the name and the holders. */
void look_into(struct look *look, int fd);
/* A scratch pipe, non-blocking, with a copy of at most len of the bytes queued in fd, or, if
 * that is a writing end, in the reading end of a holder. Returns the bytes, or -1. */
ssize_t copy_queue(int fd, const struct look *look, size_t len, int scratch[2]);
/* A FIFO, or a pipe in /proc/PID/fd; else errno says why not, EBADF for another file. */
bool is_pipe(const char *path, struct stat *st);
/* One of them, opened so that nobody who waits in open(2) wakes up; ENXIO if
 * that cannot be. */
int open_quietly(const char *path, const struct holders *all);

/* --- print.c */
void print_header(bool verbose);
void print_look(const struct look *look, enum record_form form, bool verbose);
void print_queue(const char *name, const char *bytes, size_t len, enum record_form form);
/* Those that one of the processes has open; NULL: all. */
void list_pipes(const struct holders *all, char **pids, enum record_form form);

/* --- measure.c, info.c */
/* Non-blocking, of that size unless it is NULL. Returns its size. */
int new_pipe(int fd[2], const char *size, bool packet);
void close_pipe(const int fd[2]);
/* For each of write_sizes a line of a table, if that is wanted. */
void pipecap_measure(char *write_sizes, const char *pipe_size, bool packet, bool table,
	enum record_form form);
void print_limits(enum record_form form);
long pipe_limit(const char *name); /* /proc/sys/fs/pipe-NAME; -1: unknown */
/* F_SETPIPE_SZ failed, as errno says: the limit behind it, and the exit status. EINVAL is what
 * a kernel says that does not know it. */
void explain_refusal(int fd, const char *name, long size);
int status_of_refusal(void);

#endif
