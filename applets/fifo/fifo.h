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
enum { MS = 1000 * 1000, LONGEST_PAUSE = 100 * MS };
/* Writers lock bytes of the FIFO below this offset, and readers lock bytes from this offset on. */
enum { FIFO_WRITERS_LOCK = INT32_MAX };

/* The arguments of the options that both ends take, as the user wrote them. NULL: the option was
 * not given. */
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
	int frame, frame_named;	/* named: --raw was given, or --frame with other than auto */
	int mode;		/* of the FIFO that --create makes; -1: there is no --create */
	int unlink;
	int limited;		/* --count was given */
	int64_t timeout, open_timeout;	/* INT64_MAX: none */
	int size;		/* of the pipe; 0: it stays as it is; below 0: at most -size */
	int size_named;		/* --pipe-size was given */
	int verbose;		/* 1: --verbose, -1: --quiet */
	int json, stats;
};

/* These counts are reported at the end and on SIGUSR1. */
struct fifo_counts {
	uintmax_t messages, bytes, dropped, reconnects, waits;
};

/* What fifo_open has found under the name. Only place.c changes it, after fifo_init. */
struct fifo_place {
	struct stat found;	/* all zero: nothing was found */
	int fd;			/* an O_PATH descriptor of that; -1: none */
	int known;		/* there was a FIFO of that name */
};

/* How a change of the name is noticed. Only wait.c changes it, after fifo_init. */
struct fifo_watch {
	int fd;			/* inotify(7) of the name, or -1 */
	int idle;		/* fifo_wait has waited a while, so watches are worth it */
	int64_t look;		/* when the name is looked at, even without an event */
	int64_t pause;		/* how long that is after the last look; INT64_MAX: never */
	struct stat seen;	/* the file that had the name when fifo_watch last made watches */
};

/* What both ends know of the FIFO and of their work. Each end owns one, as the first member of its
 * own struct. */
struct fifo {
	const char *path;
	struct fifo_asked asked;
	int fd;			/* -1: not open */
	struct fifo_place place;
	struct fifo_watch watch;
	uintmax_t left;		/* messages that are still wanted */
	pid_t child;		/* a child that blocks in a call for this process; 0: none */
	int unsaved;		/* a message would be lost if this process died now */
	uintmax_t queued;	/* messages in memory, which are dropped at a signal */
	struct fifo_counts count;
};

/* An option's long name, and whether it was given. The last entry of a list has no name. */
struct fifo_option {
	const char *name;
	int given;
};
/* Each rule is an option, a ':' and more options with spaces between them. With fifo_exclude the
 * first option excludes each of the others. With fifo_need the first option needs all of the
 * others. A usage error names two options. */
void fifo_exclude(const struct fifo_option *options, const char *const rules[]);
void fifo_need(const struct fifo_option *options, const char *const rules[]);
/* Takes the options, and blocks the signals that end a program, and SIGUSR1. From then on only
 * fifo_poll lets these signals in. Before it ends the program, it removes a FIFO that must not
 * stay. */
void fifo_init(struct fifo *f, opts_t opts, const struct fifo_arguments *a);
void fifo_create(struct fifo *f);	/* carries out --create after all options were checked */
/* Returns the directory part of a path, or "." if it has none. The text is valid until the next
 * call. */
const char *fifo_directory(const char *path);
/* Opens the FIFO without waiting. Returns a descriptor, or -1 with ENXIO if there is no reader, or
 * with ENOENT or ENOTDIR if a FIFO that was there has gone. After any other error it ends the
 * program. So it does if a link on the way is a stranger's, or if the FIFO is a stranger's, and
 * fifow opens it or --create was given. */
int fifo_open(struct fifo *f, int flags);
/* Opens once more what fifo_open has found, even if the name means another FIFO now. Without /proc
 * it then fails with ENOENT. Without O_NONBLOCK it waits for the other end. Returns -1 with errno
 * if the open fails. */
int fifo_reopen(const struct fifo *f, int flags);
/* Renews the watch. Returns true if the name means another file than fifo_open has found. */
int fifo_watch(struct fifo *f);
/* Ends f->child and waits for its end, so that the files which the child held open are closed. The
 * end of the program does this too, except after SIGKILL. */
void fifo_end_child(struct fifo *f);
/* Makes the open pipe as large as asked.size says. */
void fifo_resize(struct fifo *f);
/* Returns the end of a duration that begins now. INT64_MAX is for ever. */
int64_t fifo_deadline(int64_t duration);
int64_t fifo_earlier(int64_t a, int64_t b);
/* poll(2) has reported so many times in a row what was not so. Returns when it is time for the next
 * look: 0 for at once, or after a pause that grows from the third time on. */
int64_t fifo_after_hints(int hints);
/* Works as poll(2) until the deadline. Returns 0 if the deadline came first. */
int fifo_poll(struct pollfd *fds, int n, int64_t deadline);
void fifo_rest(int hints, int64_t deadline); /* makes that pause */
/* Works as fifo_poll, with the watch of the name in fds[n], for which the caller leaves room.
 * FIFO_MOVED says that the name means another file than fifo_open has found. */
enum fifo_event { FIFO_LATE, FIFO_READY, FIFO_MOVED };
enum fifo_event fifo_wait(struct fifo *f, struct pollfd *fds, int n, int64_t deadline);
/* Runs the command, which inherits f->fd and so holds the FIFO open. Without a command, this
 * process holds the FIFO open until the deadline or a signal, and calls reopen if the name
 * moves. */
void fifo_hold(struct fifo *f, char **cmd, int64_t deadline, void (*reopen)(struct fifo *f));

/* With --frame=len this header stands before each part of a message (fifo(5)). All numbers are
 * little endian. */
struct fifo_header {
	uint32_t magic, length, offset;
	uint16_t part, zero;
	uint32_t writer, run, seq, crc;
};
#define FIFO_MAGIC "IPF\2"
uint64_t fifo_random(void);
/* Returns the CRC of a header and its part of a message. */
uint32_t fifo_crc(const struct fifo_header *h, const char *part, size_t len);

#endif
