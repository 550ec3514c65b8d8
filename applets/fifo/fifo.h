/*
 * fifo.h - what both ends of a named pipe have in common
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef FIFO_H
#define FIFO_H

#include "libbb.h"

enum { FRAME_AUTO, FRAME_LINE, FRAME_PACKET, FRAME_NUL, FRAME_LEN, FRAME_RAW };
enum { FIFO_MAX_MESSAGE = 64 * 1024 * 1024, SPLICE_MAX = 1024 * 1024 };

/* The arguments of the options that both ends take, as they were given; NULL: not given. */
struct fifo_arguments {
	char *mode, *frame, *count, *timeout, *open_timeout, *size;
	int stats;
};
#define FIFO_OPTIONS "p(create)::u(unlink)F(frame):r(raw)n(count):t(timeout):(open-timeout):" \
	"z(pipe-size):(stats)q(quiet)v(verbose)J(json)"
#define FIFO_ARGUMENTS(a) &(a)->mode, &(a)->frame, &(a)->count, &(a)->timeout, \
	&(a)->open_timeout, &(a)->size, &(a)->stats

/* What the options ask for. */
struct fifo_asked {
	int frame, frame_named;	/* named: by --frame */
	int mode;		/* of the FIFO that --create makes; -1: it makes none */
	int unlink;
	int limited;		/* --count was given */
	int64_t timeout, open_timeout;	/* INT64_MAX: none */
	int size, size_named;	/* of the pipe; 0: as it is, below 0: at most that */
	int verbose;		/* -1: quiet */
	int json, stats;
};

/* What is reported at the end and on SIGUSR1. */
struct fifo_counts {
	uintmax_t messages, bytes, dropped, reconnects, waits;
};

struct fifo {
	const char *path;
	struct fifo_asked asked;
	int fd;			/* -1: not open */
	int known;		/* there was a FIFO of that name */
	int watch;		/* inotify(7) of the name, or -1 */
	int blind;		/* the watch misses something: look at the name once a second */
	struct stat watched;
	uintmax_t left;		/* messages that are still wanted */
	pid_t child;		/* blocks in a call for us; 0: none */
	int unsaved;		/* a message would be lost if we died now */
	uintmax_t queued;	/* messages in memory: they are dropped if we die */
	struct fifo_counts count;
};

/* An option by its long name, and whether it was given; the last one has no name. */
struct fifo_option {
	const char *name;
	int given;
};
/* Each rule is "name: names": the first option excludes the others; or, with needs, is only for
 * them. A usage error names both. */
void fifo_exclude(const struct fifo_option *options, const char *const rules[]);
void fifo_need(const struct fifo_option *options, const char *const rules[]);
/* Takes the options, and blocks the signals that end a program: from then on only fifo_poll
 * sees them, and removes a FIFO that shall not stay. */
void fifo_init(struct fifo *f, opts_t opts, const struct fifo_arguments *a);
void fifo_create(struct fifo *f);	/* --create, once the other options are right */
/* The directory part of a path, "." if there is none; valid until the next call. */
const char *fifo_directory(const char *path);
/* Never blocks; -1 without a reader (ENXIO), or if the FIFO has gone since (ENOENT). */
int fifo_open(struct fifo *f, int flags);
/* Renews the watch; true if the name means another FIFO than f->fd. */
int fifo_watch(struct fifo *f);
/* Ends f->child, and has waited for it: what the child held open is closed. The end of the
 * program does this too, except by SIGKILL. */
void fifo_end_child(struct fifo *f);
/* Makes the open pipe as large as asked.size says. */
void fifo_resize(struct fifo *f);
/* The end of a duration that begins now; INT64_MAX is for ever. */
int64_t fifo_deadline(int64_t duration);
int64_t fifo_earlier(int64_t a, int64_t b);
/* poll(2) until the deadline; 0 if the deadline came first. */
int fifo_poll(struct pollfd *fds, int n, int64_t deadline);
/* The same, with the watch of the name in fds[n], for which the caller leaves room. MOVED: the
 * name means another FIFO, or none. */
enum fifo_event { FIFO_LATE, FIFO_READY, FIFO_MOVED };
enum fifo_event fifo_wait(struct fifo *f, struct pollfd *fds, int n, int64_t deadline);
/* Runs the command, which inherits f->fd and so holds the FIFO open; without a command, holds it
 * until the deadline or a signal, and calls reopen if the name moves. */
void fifo_hold(struct fifo *f, char **cmd, int64_t deadline, void (*reopen)(struct fifo *f));

/* What --frame=len puts before each part of a message (fifo.5); little endian. */
struct fifo_header {
	uint32_t magic, length, offset;
	uint16_t part, zero;
	uint32_t writer, run, seq, crc;
};
#define FIFO_MAGIC "IPF\2"
/* The crc of a header and its part of a message. */
uint32_t fifo_crc(const struct fifo_header *h, const char *part, size_t len);

#endif
