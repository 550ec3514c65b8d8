/*
 * fifow.h - what the parts of fifow share
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifo.h"

enum { CHUNK = 64 * 1024 };
enum { EPIPE_WAIT, EPIPE_DROP, EPIPE_FAIL };
enum { DROP_NONE, DROP_NEWEST, DROP_OLDEST };

/* stdin, as far as it has been read: from "at" on not yet taken, up to "seen" without an
 * end of a message. */
struct input {
	char *buf;
	size_t size, len, at, seen;
	char delimiter;
	int eof, error;
};

/* A ring of records: a struct record and its message each. */
struct queue {
	char *ring;
	size_t size, head, used; /* size 0: there is no queue */
	int drop;
	uintmax_t ahead, behind; /* dropped before the first record, after the last one */
	char *msg;		/* the one that left the queue last */
	size_t msg_size;
};

struct writer {
	struct fifo f;
	size_t atomic;		/* PIPE_BUF: up to here a write(2) is whole */
	int end;		/* what ends a message in the pipe, or -1 */
	int foreign;		/* a message may contain that: it is not what ends our input */
	int large;		/* messages above it are allowed */
	int lock;		/* keep out of another's large one, and others out of ours */
	int nonblock, on_epipe;
	int64_t interval, next;	/* next: when the next message is due */
	char *out;		/* messages for the next write(2) */
	size_t out_size, out_len, out_messages, out_bytes;
	uint32_t seq, pid;
	struct input in;
	struct queue queue;
};

/* queue.c */
/* poll(2) for events of fd and for what watch reports, until the deadline; 0 if that came
 * first. Either may be -1. With a queue, stdin is read meanwhile. */
int fifow_wait(struct writer *w, int fd, int events, int watch, int64_t deadline);
void await_input(void);
/* The next message of stdin without a queue, NULL at the end. */
char *next_of_input(struct writer *w, size_t *len);
/* With a queue: how many were dropped before it is in lost, which alone is news too. Each
 * message is to be taken off f.queued when it is done. */
char *next_of_queue(struct writer *w, size_t *len, uintmax_t *lost);

/* peer.c */
void fifow_wait_for_reader(struct writer *w, int64_t deadline);
void await_room(struct writer *w, int64_t deadline);
/* One message, or a piece of raw bytes. False: dropped, as --on-epipe says. */
int write_whole(struct writer *w, const char *buf, size_t len);
/* Nothing is held back while we wait for more, and nothing at the end. */
void flush_messages(struct writer *w);
