/*
 * queue.c - the messages of stdin, and those that wait in memory
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifow.h"

/* One loop: whatever we wait for (a reader, room in the pipe, a lock, an interval) is
 * waited for in fifow_wait(), which also reads stdin into the queue. Where there is nothing to
 * wait for, messages go from stdin straight to the pipe. One that is being sent is out of
 * the queue: it is no longer dropped. */

struct record {
	uintmax_t lost;		/* dropped between the record before and this one */
	size_t len;
};

void await_input(void)
{
	fifo_poll(&(struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN }, 1, INT64_MAX);
}

/* A message that is longer than any may be is handed out in part, to be refused. */
static char *peek(struct input *in, size_t *len)
{
	char *end = memchr(in->buf + in->seen, in->delimiter, in->len - in->seen);

	if (!end) {
		in->seen = in->len;
		end = in->buf + in->len;
		if (in->len - in->at <= FIFO_MAX_MESSAGE
		    && (!in->eof || in->error || in->len == in->at))
			return NULL;
	}
	*len = end - (in->buf + in->at);
	return in->buf + in->at;
}

static void take(struct writer *w, size_t len)
{
	struct input *in = &w->in;

	in->at += len + 1;
	if (in->at > in->len)
		in->at = in->len; /* the last one had no end */
	in->seen = in->at;
	w->f.left--;
}

/* After peek() found nothing: what is left is a part of a message, and moves to the front. */
static void read_more(struct input *in)
{
	ssize_t n;

	in->len -= in->at;
	in->seen = in->len;
	memmove(in->buf, in->buf + in->at, in->len);
	in->at = 0;
	if (in->len == in->size)
		in->buf = xrealloc(in->buf, in->size *= 2);
	n = safe_read(STDIN_FILENO, in->buf + in->len, in->size - in->len);
	if (n > 0)
		in->len += n;
	else if (n == 0 || errno != EAGAIN)
		in->eof = 1;
	if (n < 0 && in->eof)
		in->error = errno;
}

char *next_of_input(struct writer *w, size_t *len)
{
	char *msg = NULL;

	while (w->f.left && !(msg = peek(&w->in, len)) && !w->in.eof) {
		flush_messages(w);
		await_input();
		read_more(&w->in);
	}
	if (msg)
		take(w, *len);
	return msg;
}

static void put_in(struct queue *q, const void *data, size_t len)
{
	size_t at = (q->head + q->used) % q->size, n = q->size - at;

	if (n > len)
		n = len;
	memcpy(q->ring + at, data, n);
	memcpy(q->ring, (const char *)data + n, len - n);
	q->used += len;
}

static void take_out(struct queue *q, void *data, size_t len)
{
	size_t n = q->size - q->head;

	if (n > len)
		n = len;
	memcpy(data, q->ring + q->head, n);
	memcpy((char *)data + n, q->ring, len - n);
	q->head = (q->head + len) % q->size;
	q->used -= len;
}

static void drop_oldest(struct writer *w)
{
	struct queue *q = &w->queue;
	struct record r;

	take_out(q, &r, sizeof(r));
	q->head = (q->head + r.len) % q->size;
	q->used -= r.len;
	q->ahead += r.lost + 1;
	w->f.dropped++;
	w->f.queued--;
}

/* False: it stays where it is until its turn comes; as does one that is too large to be sent
 * at all, which is to be refused then. */
static int push(struct writer *w, const char *msg, size_t len)
{
	struct queue *q = &w->queue;
	struct record r = { q->behind, len };
	size_t need = sizeof(r) + len;

	if (q->drop == DROP_OLDEST && need <= q->size)
		while (q->size - q->used < need)
			drop_oldest(w);
	if (q->size - q->used < need) {
		if (q->drop == DROP_NONE || len > FIFO_MAX_MESSAGE)
			return 0;
		q->behind++;
		w->f.dropped++;
		return 1;
	}
	put_in(q, &r, sizeof(r));
	put_in(q, msg, len);
	q->behind = 0;
	w->f.queued++;
	return 1;
}

static void fill(struct writer *w)
{
	size_t len;
	char *msg;

	while (w->f.left && (msg = peek(&w->in, &len)) && push(w, msg, len))
		take(w, len);
}

/* A signal is about to end us: stdin keeps what it has. */
static int wants_input(struct writer *w)
{
	size_t len;

	return w->queue.size && w->f.left && !w->in.eof && !bb_got_signal && !peek(&w->in, &len);
}

/* What a reader may still take is worth the grace that a signal gives. What we wait for goes
 * before stdin: what can be sent need not be dropped. */
int fifow_wait(struct writer *w, int fd, int events, int watch, int64_t deadline)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = events },
		{ .fd = watch, .events = POLLIN },
		{ .events = POLLIN },
	};
	int late;

	w->f.unsaved = w->queue.size && fd >= 0 && fd == w->f.fd;
	for (;;) {
		if (w->queue.size)
			fill(w);
		fds[2].fd = wants_input(w) ? STDIN_FILENO : -1;
		late = !fifo_poll(fds, ARRAY_SIZE(fds), deadline);
		if (late || fds[0].revents || fds[1].revents || monotonic_ns() >= deadline)
			break;
		read_more(&w->in);
	}
	w->f.unsaved = 0;
	return fds[0].revents || fds[1].revents;
}

static char *keep(struct queue *q, size_t len)
{
	if (len >= q->msg_size)
		q->msg = xrealloc(q->msg, q->msg_size = 2 * len + CHUNK);
	return q->msg;
}

char *next_of_queue(struct writer *w, size_t *len, uintmax_t *lost)
{
	struct queue *q = &w->queue;
	struct record r;
	char *msg;

	if (!q->used && !peek(&w->in, len))
		flush_messages(w); /* which can fill the queue */
	if (q->used) {
		take_out(q, &r, sizeof(r));
		take_out(q, keep(q, r.len), r.len);
		*len = r.len;
		*lost = q->ahead + r.lost;
		q->ahead = 0;
		return q->msg;
	}
	*lost = q->ahead + q->behind;
	q->ahead = q->behind = 0;
	msg = *lost ? NULL : next_of_input(w, len);
	if (!msg)
		return NULL;
	w->f.queued++;
	return memcpy(keep(q, *len), msg, *len);
}
