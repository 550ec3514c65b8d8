/*
 * fifow.h - what the parts of fifow share; each part uses only those above it
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifo.h"

enum { CHUNK = 64 * 1024 };

/* --- input.c. This is what has been read of stdin. Bytes before "at" have been taken, and no
 * message ends between "at" and "seen". */
struct input {
	char *buf;
	size_t size, len, at, seen;
	char delimiter;
	int eof, error;
	int hints;		/* how often poll(2) has reported bytes, but there were none */
	int64_t look;		/* when stdin is looked at again after that; 0: at once */
};

/* Returns the next message, which stays in the buffer, or NULL if it is not complete. A message
 * over the longest length is returned in part, so that it can be refused. */
char *fifow_input_peek(struct input *in, size_t *len);
void fifow_input_take(struct input *in, size_t len);
/* Called after fifow_input_peek has returned NULL. Calls read(2) once. */
void fifow_input_read(struct input *in);

/* --- queue.c: a ring of records, each with its message. */
enum { DROP_NONE, DROP_NEWEST, DROP_OLDEST };
struct queue {
	char *ring;
	size_t size, head, used; /* size 0: there is no queue */
	int drop;
	/* messages dropped before the first record, and after the last one */
	uintmax_t ahead, behind;
	char *msg;		/* the message that left the queue last */
	size_t msg_size;
	struct fifo *f;		/* its counts of queued and dropped messages are kept here */
};

/* Returns true if the message is now in the queue, or dropped. Returns false if there is no room
 * for the message and it may not be dropped, because of --drop=none or because it is too large to
 * be sent at all. The message then stays in the input. */
int fifow_queue_push(struct queue *q, const char *msg, size_t len);
/* Returns the first message, or NULL if the queue is empty. *lost becomes the number of messages
 * that were dropped before this place. */
char *fifow_queue_pop(struct queue *q, size_t *len, uintmax_t *lost);
/* Returns room for a message of len bytes outside the ring, which lasts until the next call. */
char *fifow_queue_keep(struct queue *q, size_t len);

/* --- peer.c: the other end. */

/* How the open FIFO is written to. Only peer.c changes it. */
struct fifow_pipe {
	int lock;		/* fifow locks, so that no write lands inside a long message */
	int own[2];		/* the pipe that packets are made in; own[1] is 0 or -1: none */
	int no_packets;		/* this kernel has no packets */
};

enum { EPIPE_WAIT, EPIPE_DROP, EPIPE_FAIL };
struct writer {
	struct fifo f;
	struct input in;
	struct queue queue;
	size_t atomic;		/* PIPE_BUF: a write(2) of at most this is whole */
	int nonblock;		/* --nonblock; 0 while the rest of a long message is sent */
	int on_epipe;
	struct fifow_pipe pipe;
	int idle;		/* there is no message yet, so --timeout does not count */
	int64_t first_due;	/* when stdin's first message is too late, or --hold ends */
	int false_hints;	/* how often poll(2) has reported room, but there was none */
	char end;		/* ends a long message that was cut when its reader left */
};

/* Waits for events of fd, which may be -1. FIFO_MOVED is returned only with watch. Meanwhile stdin
 * is read into the queue, if there is one. */
enum fifo_event fifow_wait(struct writer *w, int fd, int events, int watch, int64_t deadline);
/* Waits until the FIFO has a reader, and opens it. Returns false if there is no reader and the
 * options are -N -E drop. Ends the program at the deadline, or at once with -N alone. */
int fifow_find_reader(struct writer *w, int64_t deadline);
/* Waits until write(2) can be tried again. Returns false if that never happens, with -N -E drop. */
int fifow_wait_for_room(struct writer *w, int64_t deadline);
/* Sends at most PIPE_BUF in one write(2), or a piece of raw bytes, or a long message under the
 * lock. NEW_READER means that the old reader has left, and that nothing of buf was sent to the new
 * one. */
enum fifow_sent { DROPPED, SENT, NEW_READER };
enum fifow_sent fifow_send(struct writer *w, const char *buf, size_t len, int packet,
	int64_t deadline);
/* Waits until all bytes have been read (--drain), or ends the program. */
void fifow_drain(struct writer *w, int64_t duration);

/* --- message.c: messages become lines, packets or frames. */
struct fifow_output {
	char *buf;		/* whole messages for the next write(2) */
	size_t size, len, messages, bytes;
	int end;		/* what ends a message in the pipe, or -1 */
	int foreign;		/* a message may contain end, because stdin has another delimiter */
	int large;		/* messages above PIPE_BUF are allowed */
	int at_once;		/* each message is sent before the next one is looked at */
	uint32_t writer, run, seq;
};

void fifow_message_init(struct writer *w, struct fifow_output *out, int large);
/* Ends the program if this message cannot be sent. Earlier messages are sent first. */
void fifow_message_check(struct writer *w, struct fifow_output *out, const char *msg, size_t len);
/* Puts a message into the buffer. Sends the buffer at once if the message must not wait. */
void fifow_message_put(struct writer *w, struct fifow_output *out, const char *msg, size_t len);
/* Tells the reader that lost messages are missing at this place. */
void fifow_message_tell_lost(struct writer *w, struct fifow_output *out, uintmax_t lost);
void fifow_message_flush(struct writer *w, struct fifow_output *out);
