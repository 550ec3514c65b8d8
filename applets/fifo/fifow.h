/*
 * fifow.h - what the parts of fifow share; each part uses only those above it
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifo.h"

enum { CHUNK = 64 * 1024 };

/* --- input.c: stdin, as far as it has been read: from "at" on it is not yet taken, up to "seen"
 * there is no end of a message. */
struct input {
	char *buf;		/* NULL: the messages do not come from stdin */
	size_t size, len, at, seen;
	char delimiter;
	int eof, error;
};

/* The next message, which stays; NULL: it is not complete. A message that is longer than any may
 * be is handed out in part, to be refused. */
char *input_peek(struct input *in, size_t *len);
void input_take(struct input *in, size_t len);
/* After input_peek found nothing: one read(2). */
void input_read(struct input *in);

/* --- queue.c: a ring of records, each with its message. */
enum { DROP_NONE, DROP_NEWEST, DROP_OLDEST };
struct queue {
	char *ring;
	size_t size, head, used; /* size 0: there is no queue */
	int drop;
	uintmax_t ahead, behind; /* dropped before the first record, after the last one */
	char *msg;		/* the one that left the queue last */
	size_t msg_size;
	struct fifo *f;		/* whose messages are counted: queued, dropped */
};

/* False: there is no room, and the message stays where it is until its turn comes, as does one
 * that is too large to be sent at all. */
int queue_push(struct queue *q, const char *msg, size_t len);
/* The first message, or NULL; lost: how many were dropped before it. */
char *queue_pop(struct queue *q, size_t *len, uintmax_t *lost);
char *queue_keep(struct queue *q, size_t len); /* room for a message beside the ring */

/* --- peer.c: the other end. */
enum { EPIPE_WAIT, EPIPE_DROP, EPIPE_FAIL };
struct writer {
	struct fifo f;
	struct input in;
	struct queue queue;
	size_t atomic;		/* PIPE_BUF: up to here a write(2) is whole */
	int nonblock, on_epipe;
	int lock;		/* keep out of another's long message, and others out of ours */
	int packets;		/* the descriptor is in packet mode now */
	int no_packets;		/* this kernel has none */
	int idle;		/* no message is there yet: --timeout does not count */
	int false_hints;	/* poll(2) said that there is room, and there was none: so often */
	char end;		/* what ends a long message that is cut by the end of a reader */
};

/* Waits for events of fd, which may be -1; FIFO_MOVED comes only with watch. Meanwhile stdin is
 * read into the queue, if there is one. */
enum fifo_event fifow_wait(struct writer *w, int fd, int events, int watch, int64_t deadline);
/* True, or with -N -E drop, false: there is none. */
int fifow_find_reader(struct writer *w, int64_t deadline);
/* Waits until write(2) can be tried again; false: with -N -E drop, that is never. */
int fifow_wait_for_room(struct writer *w, int64_t deadline);
/* One write(2) of at most PIPE_BUF, or a piece of raw bytes, or a long message under the lock.
 * NEW_READER: the reader before has left, and nothing of this was sent to the new one. */
enum fifow_sent { DROPPED, SENT, NEW_READER };
enum fifow_sent fifow_send(struct writer *w, const char *buf, size_t len, int packet,
	int64_t deadline);
/* --drain: until all of it has been read. */
void fifow_drain(struct writer *w, int64_t duration);

/* --- message.c: messages become lines, packets or frames. */
struct fifow_output {
	char *buf;		/* whole messages for the next write(2) */
	size_t size, len, messages, bytes;
	int end;		/* what ends a message in the pipe, or -1 */
	int foreign;		/* a message may contain that: it is not what ends our input */
	int large;		/* messages above PIPE_BUF are allowed */
	int at_once;		/* each message is sent before the next one is looked at */
	uint32_t writer, run, seq;
};

void message_init(struct writer *w, struct fifow_output *out, int large);
/* Dies if this message cannot be sent; what came before it is sent first. */
void message_check(struct writer *w, struct fifow_output *out, const char *msg, size_t len);
void message_put(struct writer *w, struct fifow_output *out, const char *msg, size_t len);
/* The reader is told at the place where messages are missing. */
void message_tell_lost(struct writer *w, struct fifow_output *out, uintmax_t lost);
void message_flush(struct writer *w, struct fifow_output *out);
