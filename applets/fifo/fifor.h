/*
 * fifor.h - what the parts of fifor share; each part uses only those above it
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifo.h"

enum {
	OUTPUT = 64 * 1024,
	TURN_S = 3		/* so long does a reader wait for its turn, or for what has begun */
};

struct buffer {
	char *data;
	size_t len, size;
};

/* A FIFO that has the name, or had it before. */
enum { NAMED, BEFORE, ENDS };
struct end {
	int fd;			/* -1: none */
	int live;		/* a writer has been seen: read(2) of 0 bytes is its end */
	int some;		/* bytes have come since it was opened */
	struct buffer rest;	/* a message whose end has not come */
	struct buffer part;	/* a part of a frame that has not come whole */
	uintmax_t oversized;	/* bytes of a message that is too long, and passed over */
};

/* Bytes that came at once. From "packet" on they are a packet; packet == len: there is none. */
struct run {
	char *buf;
	size_t len, packet;
};

/* feed.c: how bytes come out of the FIFO. */
struct feed {
	int look;		/* --count: look first, then take what is wanted */
	int packets;		/* packets are told from plain bytes */
	int usable;		/* the pipes below are there */
	int bytewise;		/* nothing can be looked at: bytes are taken one by one */
	unsigned flags;		/* for splice(2) and tee(2) */
	int pipe[2];		/* what was taken out of the FIFO, or with look a copy of it */
	int copy[2], slot[2];	/* a copy of that, and of one slot of it */
	size_t held, left;	/* bytes in pipe; left: that are in copy, too */
	size_t behind;		/* bytes that pipe has given out and copy has not */
	struct buffer buf;
	char *scratch;		/* OUTPUT bytes that nobody wants */
	int null;		/* takes them without a copy; -1: there is none */
};

/* frame.c: messages that come in parts, by writer. */
struct peer {
	uint32_t writer, run, seq, length;
	int known, open;	/* there is such a writer; a message of it has not come whole */
	int cut;		/* that was reported for seq */
	uint32_t lost;		/* not told with a message yet */
	uintmax_t since;	/* the open message is that old */
	struct buffer msg;
};
struct frames {
	struct peer *table;	/* hashed; its size is a power of two */
	size_t size, used;
	uintmax_t held, clock, skipped; /* bytes of open messages; that were no frame */
};

struct fifor_output {
	char *buf;
	size_t len, chunk;	/* chunk: as much as one write(2) takes without blocking */
	const char *prefix;
	int tty;
	char end;
};

struct reader {
	struct fifo f;		/* f.fd is that of the end that has the name */
	struct end end[ENDS];
	struct feed feed;
	struct frames frames;
	struct fifor_output out;
	size_t atomic;		/* PIPE_BUF */
	int lock, lock_kind;	/* LOCK_SH, or with --exclusive LOCK_EX; 0: none */
	int turn, has_turn;	/* readers with --count lock this directory, one at a time */
	int exit_at_eof;
	int hangs_up;		/* a new descriptor reports POLLHUP: this kernel does so */
	int64_t deadline;	/* for the next message */
	uintmax_t bytes;	/* still wanted of raw bytes */
};

/* --- output.c: the output is kept until it is OUTPUT bytes or flush_output. */
void fifor_output_failed(void) NORETURN;
void flush_output(struct reader *r);
void put_bytes(struct reader *r, const char *buf, size_t len);
/* Parts of a message were taken out of the FIFO, and no other reader can get them. */
int fifor_is_pending(const struct reader *r);
/* Messages are still wanted (--count), or are pending. */
int fifor_wants_more(const struct reader *r);
/* As the options say; frame is what JSON adds, or NULL. */
void put_message(struct reader *r, const char *msg, size_t len, const char *frame);
/* "what=BYTES" on stderr. */
void report_bytes(const struct reader *r, const char *what, uintmax_t bytes);
void buffer_add(struct buffer *b, const void *data, size_t len);

/* --- frame.c */
/* The next magic number in text, or the beginning of one at its end; limit if there is none. */
const char *frame_find(const char *at, const char *limit);
/* The bytes of the part at p; 0: they have not all come; -1: there is no frame. */
ssize_t frame_size(const struct reader *r, const char *p, size_t len);
void frame_take(struct reader *r, const char *part);
/* Bytes that are no frame, with --frame=len. */
void frame_skip(struct reader *r, size_t len);
/* No more parts will come. */
void frames_end(struct reader *r);

/* --- text.c: returns how many bytes of the run are done with: all, or those up to the last
 * message that is wanted. */
size_t text_take(struct reader *r, struct end *e, const struct run *run);
/* What is left without its end is a message all the same. */
void text_settle(struct reader *r, struct end *e);

/* --- feed.c */
void feed_init(struct reader *r);
/* The next run: its length; 0: the end of the last writer; -1: nothing has come. */
ssize_t feed_next(struct reader *r, struct end *e, struct run *run);
/* With look: takes that many bytes of the run out of the FIFO. */
void feed_take(struct reader *r, struct end *e, size_t len);
