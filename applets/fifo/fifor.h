/*
 * fifor.h - what the parts of fifor share
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifo.h"

enum { OUTPUT = 64 * 1024, SPLICE_MAX = 1024 * 1024, PEERS = 64 };

enum { NO_PACKET, PACKET_LIKELY, PACKET };

struct reader {
	struct fifo f;
	int live;		/* a writer has been seen on f.fd */
	int old, old_live;	/* the FIFO that had the name before, or -1 */
	int on_old;		/* that is what f.fd is now, and old is what has the name */
	int lock, lock_kind;	/* LOCK_SH, or with --exclusive LOCK_EX */
	int exit_at_eof;
	const char *prefix;
	int tty;
	char end, out_end;	/* what ends a message in the pipe and in the output */
	int64_t deadline;	/* for the next message */
	size_t pipe_size;
	char *buf;		/* what has been read and not yet printed */
	size_t len, size;
	char *out;
	size_t out_len, out_chunk;
	int packet;		/* does the queue begin with one */
	int probe[2];		/* a pipe for looking at it; -1: it cannot be looked at */
	struct {
		uint32_t writer, seq;
	} peers[PEERS];		/* of the last header of each writer */
	unsigned next_peer;
};

/* print.c: the output is kept until it is OUTPUT bytes or flush_output. */
void fifor_output_failed(void) NORETURN;
void flush_output(struct reader *r);
void put_bytes(struct reader *r, const char *buf, size_t len);
/* How many messages this one stands for: fifow --drop sends "dropped N" for N. */
uintmax_t told_lost(const char *msg, size_t len);
/* As the options say; frame is what JSON adds, NULL if the message has no header. Exits after
 * the last message wanted. */
void put_message(struct reader *r, const char *msg, size_t len, const char *frame);

/* frame.c */
/* Prints the frames that are complete; final: no more will come of what is not. */
void take_frames(struct reader *r, int final);
int is_abandoned(struct reader *r);
