/*
 * fifo.h - what both ends of a named pipe have in common
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef FIFO_H
#define FIFO_H

#include "libbb.h"

enum { FRAME_AUTO, FRAME_LINE, FRAME_PACKET, FRAME_NUL, FRAME_LEN, FRAME_RAW };
enum { FIFO_MAX_MESSAGE = 64 * 1024 * 1024 };
struct fifo {
	const char *path;
	int fd, watch;		/* -1: not open */
	struct stat watched;
	int created, unlink;	/* --create: it was there, or we made it; --unlink */
	int known;		/* there was a FIFO of that name */
	int frame;
	int limited;		/* to this many messages more: */
	uintmax_t left;
	int64_t timeout, open_timeout;	/* INT64_MAX: none */
	int size;		/* of the pipe; 0: as it is, below 0: up to that */
	int verbose;		/* -1: quiet */
	int json, stats;
	pid_t child;		/* blocks in a call for us; 0: none */
	int unsaved;		/* a message that would be lost if we died now */
	uintmax_t queued;	/* in memory: dropped, if we die */
	uintmax_t messages, bytes, dropped, reconnects, waits;
	char *mode, *frame_name, *count, *timeout_arg, *open_arg, *size_arg; /* of options */
};
#define FIFO_OPTIONS "p(create)::u(unlink)F(frame):r(raw)n(count):t(timeout):-o(open-timeout):" \
	"z(pipe-size):-s(stats)q(quiet)v(verbose)J(json)"
#define FIFO_ARGUMENTS(f) &(f)->mode, &(f)->frame_name, &(f)->count, &(f)->timeout_arg, \
	&(f)->open_arg, &(f)->size_arg
/* Takes the options, and blocks the signals that end a program: from then on only fifo_poll
 * sees them, and removes a FIFO that shall not stay. */
void fifo_init(struct fifo *f, opts_t opts);
void fifo_create(struct fifo *f);	/* with --create: when nothing is wrong with the rest */
/* Never blocks; -1 without a reader (ENXIO), or if the FIFO has gone since (ENOENT). */
int fifo_open(struct fifo *f, int flags);
/* Makes f->watch, which poll(2) shows as readable when the name may mean another file; true
 * if it does so already. */
int fifo_watch(struct fifo *f);
/* Ends f->child, and has waited for it: what it held open is closed. So does the end of the
 * program, but for SIGKILL. */
void fifo_end_child(struct fifo *f);
/* Makes the open pipe as large as f->size says. */
void fifo_resize(struct fifo *f);
/* The end of a duration that begins now; INT64_MAX is for ever. */
int64_t fifo_deadline(int64_t duration);
/* poll(2) until the deadline; 0 if that came first. */
int fifo_poll(struct pollfd *fds, int n, int64_t deadline);

/* What --frame=len puts before each message; little endian. */
struct fifo_header {
	uint32_t magic, length, writer, seq, crc;
};
enum { FIFO_MAGIC = 'I' | 'P' << 8 | 'F' << 16 | 1 << 24 };
/* The crc of a header and its message. */
uint32_t fifo_crc(const struct fifo_header *h, const char *msg, size_t len);

#endif
