/*
 * pipecap.h - what the parts of pipecap share
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef PIPECAP_H
#define PIPECAP_H

#include <stdbool.h>
#include "libbb.h"

/* One descriptor that some process has of a pipe or FIFO, as /proc shows it. */
struct holder {
	dev_t dev;
	ino_t ino;
	pid_t pid;
	int fd;
	bool reads, writes, blocked;
	char comm[16];
};

struct holders {
	struct holder *at;	/* sorted by dev, ino, pid, fd */
	size_t count;
	unsigned hidden;	/* processes that we may not look into */
	bool seen;		/* there is a /proc */
};

struct holders find_holders(void);
/* The first of a pipe, and how many there are. */
const struct holder *holders_of(const struct holders *all, dev_t dev, ino_t ino, size_t *count);

/* What can be seen without disturbing or consuming. */
struct look {
	const char *name;
	long size, unread;	/* bytes; -1: cannot be seen */
	int slots, max_slots;	/* taken, and all; -1: cannot be seen */
	const struct holder *holders;
	size_t n_holders;
};

struct look look_at(int fd, const char *name);
/* A scratch pipe, non-blocking, with a copy of at most len of the bytes queued in fd, a pipe
 * of that size. Returns the bytes, or -1 if that cannot be. */
ssize_t copy_queue(int fd, long size, size_t len, int scratch[2]);

/* A descriptor of the pipe that wakes nobody who waits in open(2), or -1 with errno; ENXIO
 * if nobody has it open. */
int open_quietly(const char *path, const struct holders *all);

void print_look(const struct look *look, enum record_form form, bool verbose);
void list_pipes(const struct holders *all, pid_t pid, enum record_form form);
void measure(const char *write_size, const char *pipe_size, bool packet);
void print_curve(
	const char *write_sizes, const char *pipe_size, bool packet, enum record_form form);
void explain_limits(enum record_form form);
long pipe_max_size(void);	/* /proc/sys/fs/pipe-max-size, or -1 */

#endif
