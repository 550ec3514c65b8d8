/*
 * queue.c - messages that wait in memory (--buffer)
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifow.h"

struct record {
	uintmax_t lost;		/* messages dropped between the last record and this one */
	size_t len;
};

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

static void drop_oldest(struct queue *q)
{
	struct record r;

	take_out(q, &r, sizeof(r));
	q->head = (q->head + r.len) % q->size;
	q->used -= r.len;
	q->ahead += r.lost + 1;
	q->f->count.dropped++;
	q->f->queued--;
}

int fifow_queue_push(struct queue *q, const char *msg, size_t len)
{
	struct record r = { q->behind, len };
	size_t need = sizeof(r) + len;

	if (q->drop == DROP_OLDEST && need <= q->size)
		while (q->size - q->used < need)
			drop_oldest(q);
	if (q->size - q->used < need) {
		if (q->drop == DROP_NONE || len > FIFO_MAX_MESSAGE)
			return 0;
		q->behind++;
		q->f->count.dropped++;
		return 1;
	}
	put_in(q, &r, sizeof(r));
	put_in(q, msg, len);
	q->behind = 0;
	q->f->queued++;
	return 1;
}

char *fifow_queue_keep(struct queue *q, size_t len)
{
	if (len >= q->msg_size)
		q->msg = xrealloc(q->msg, q->msg_size = 2 * len + CHUNK);
	return q->msg;
}

char *fifow_queue_pop(struct queue *q, size_t *len, uintmax_t *lost)
{
	struct record r;

	if (!q->used) {
		*lost = q->ahead + q->behind;
		q->ahead = q->behind = 0;
		return NULL;
	}
	take_out(q, &r, sizeof(r));
	take_out(q, fifow_queue_keep(q, r.len), r.len);
	*len = r.len;
	*lost = q->ahead + r.lost;
	q->ahead = 0;
	return q->msg;
}
