/*
 * fifor.h - what the parts of fifor share; each part uses only those above it
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifo.h"

enum {
	OUTPUT = 64 * 1024,
	CHAIN_BITS = 12,
	/* the longest wait of a reader for its turn, or for the rest of a message */
	TURN_S = 3
};

struct buffer {
	char *data;
	size_t len, size;
};

/* An open FIFO: the one that has the name, or an older one, which is read until its writers have
 * left. */
struct end {
	int fd;			/* -1: there is no FIFO of that name */
	int some;		/* bytes have come since it was opened */
	struct buffer rest;	/* a message whose end has not come */
	struct buffer part;	/* a part of a frame that has not come whole */
	uintmax_t oversized;	/* bytes of a message that is too long, and passed over */
	struct end *older;	/* the next older one, or NULL */
};

/* ends.c owns the list of ends. */
struct ends {
	struct end *named;	/* the end that has the name; older ones follow it */
	int count;
	int served_older;	/* how often in a row an older one was served */
	int hangs_up;		/* this kernel reports POLLHUP for a new descriptor */
	struct pollfd *fds;	/* room for stdout, all ends, and the watch */
};

/* These bytes came at once. The bytes from "packet" on are a packet. If packet == len, there is no
 * packet. */
struct run {
	char *buf;
	size_t len, packet;
};

/* feed.c owns these: how bytes come out of the FIFO. */

/* The pipes of fifor's own that the bytes go through. */
struct feed_pipes {
	int fetched[2];		/* bytes taken out of the FIFO, or with look a copy of them */
	int copy[2];		/* a copy of the bytes in fetched */
	int slot[2];		/* one slot, moved out of copy */
};

/* How many bytes these pipes hold. */
struct feed_bytes {
	size_t held;		/* bytes in fetched */
	size_t left;		/* those of them that are in copy, too */
	size_t behind;		/* bytes that fetched has given out and copy has not */
};

/* Where unwanted bytes go. */
struct feed_sink {
	char *scratch;		/* room for OUTPUT bytes */
	int null;		/* /dev/null; -1: there is none */
};

struct feed {
	int look;		/* --count: fifor looks first, then takes what is wanted */
	int packets;		/* packets are told from plain bytes */
	int usable;		/* the pipes below are there */
	int bytewise;		/* fifor cannot look ahead and takes bytes one by one */
	unsigned flags;		/* for splice(2) and tee(2) */
	struct feed_pipes pipes;
	struct feed_bytes bytes;
	struct buffer buf;	/* the bytes of the run that was read last */
	struct feed_sink sink;
};

/* frame.c owns these: the writers, and their messages that come in parts. */
struct peer {
	uint32_t writer, run, seq, length;
	int open;		/* a message has come in part */
	int cut;		/* it was reported that message seq is cut off */
	uintmax_t lost;		/* lost messages, not yet reported */
	struct buffer msg;
	struct peer *next;	/* in its chain */
	struct peer *older, *newer; /* in the order in which they were heard */
};
struct frames {
	uint64_t key;		/* of the hash that says in which chain a peer is */
	struct peer *chains[1 << CHAIN_BITS];
	size_t known;		/* peers in all chains */
	int forgets;		/* it was reported that a peer was forgotten */
	/* These two begin the lists of the peers that have an open message, and of the others. */
	struct peer open, silent;
	/* held: bytes of open messages; skipped: bytes that were no frame */
	uintmax_t held, skipped;
};

/* output.c owns this: what stdout gets. */
struct fifor_output {
	char *buf;
	size_t len, chunk;	/* chunk: as much as one write(2) takes without blocking */
	const char *prefix;
	int tty;
	char end;
};

/* readers.c owns this: what fifor does about other readers. */
enum reader_kind { SHARED, EXCLUSIVE, NO_READER };
struct others {
	enum reader_kind kind;	/* EXCLUSIVE: --exclusive; NO_READER: --hold */
	int lock;		/* a descriptor with the lock that says which kind this reader is */
	int turn;		/* the FIFO's directory: readers with --count lock it in turn */
	int has_turn;		/* this reader has the lock */
};

struct reader {
	struct fifo f;		/* f.fd is that of the end that has the name */
	struct ends ends;
	struct feed feed;
	struct frames frames;
	struct fifor_output out;
	size_t atomic;		/* PIPE_BUF */
	struct others others;
	int exit_at_eof;
	int64_t deadline;	/* for the next message */
	uintmax_t bytes;	/* raw bytes that are still wanted */
};

/* --- ends.c */
/* Opens the FIFO that has the name now, and keeps the older ones. */
void fifor_open(struct reader *r);
/* Finds out whether this kernel reports an end of file where no writer has been.
 * fifor_is_false_end returns true if e has come to such an end. */
void fifor_look_for_false_end(struct reader *r);
int fifor_is_false_end(const struct reader *r, const struct end *e);
/* Called when the last writer of e has left. Returns false if fifor must exit. Frees e if it is an
 * older end. */
int fifor_next_writer(struct reader *r, struct end *e);

/* --- readers.c. fifor_exclude_others ends the program if another fifor reads the FIFO, and either
 * of the two is --exclusive. */
void fifor_exclude_others(struct reader *r);
/* With --count, waits until no other such reader has its turn. Returns false if the deadline came
 * first. */
int fifor_take_turn(struct reader *r);
/* Ends the turn, unless parts of a message were taken. */
void fifor_end_turn(struct reader *r);

/* --- output.c. The output is buffered until it reaches OUTPUT bytes, or until
 * fifor_flush_output. */
void fifor_output_failed(void) NORETURN;
void fifor_flush_output(struct reader *r);
void fifor_put_bytes(struct reader *r, const char *buf, size_t len);
/* Returns true if parts of a message were taken out of the FIFO, so that no other reader can get
 * them. */
int fifor_is_pending(const struct reader *r);
/* Returns true if more messages are wanted (--count), or if some are pending. */
int fifor_wants_more(const struct reader *r);
/* Prints a message in the form that the options ask for. frame is what JSON adds, or NULL. */
void fifor_put_message(struct reader *r, const char *msg, size_t len, const char *frame);
/* Prints "what=BYTES" on stderr. */
void fifor_report_bytes(const struct reader *r, const char *what, uintmax_t bytes);
void fifor_buffer_add(struct buffer *b, const void *data, size_t len);

/* --- frame.c */
void fifor_frames_init(struct reader *r);
/* Returns the next magic number in the text, or the beginning of one at the text's end, or limit if
 * there is none. */
const char *fifor_frame_find(const char *at, const char *limit);
/* Returns the size of the part at p, 0 if the part has not come whole, or -1 if there is no
 * frame. */
ssize_t fifor_frame_size(const struct reader *r, const char *p, size_t len);
/* Takes a part that fifor_frame_size has found whole. */
void fifor_frame_take(struct reader *r, const char *part);
/* Counts bytes that are no frame, with --frame=len. */
void fifor_frame_skip(struct reader *r, size_t len);
/* Called when no more parts will come. */
void fifor_frames_end(struct reader *r);

/* --- text.c. fifor_text_take returns how many bytes of the run were used: all, or those up
 * to the last message that is wanted. */
size_t fifor_text_take(struct reader *r, struct end *e, const struct run *run);
/* Called when no more bytes of e will come. Prints what has come without an end as a message. */
void fifor_text_settle(struct reader *r, struct end *e);

/* --- feed.c */
void fifor_feed_init(struct reader *r);
/* Reads the next run and returns its length, 0 if the last writer has left, or -1 if nothing has
 * come. */
ssize_t fifor_feed_next(struct reader *r, struct end *e, struct run *run);
/* With look, takes len bytes of the run out of the FIFO. */
void fifor_feed_take(struct reader *r, struct end *e, size_t len);
