/*
 * frame.c - messages out of the frames of --frame=len (fifo.5)
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <endian.h>
#include "fifor.h"

/* Each run of fifow is another peer, so without a limit fifor would need more and more memory. */
enum { MAGIC_LEN = sizeof(FIFO_MAGIC) - 1, MOST_PEERS = 64 * 1024 };

/* The search looks for the last byte of the magic number, because this byte is rare in text. */
const char *fifor_frame_find(const char *at, const char *limit)
{
	size_t n = limit - at < MAGIC_LEN ? limit - at : MAGIC_LEN - 1;

	for (const char *p = at; (p = memchr(p, FIFO_MAGIC[MAGIC_LEN - 1], limit - p)); p++) {
		const char *magic = p - MAGIC_LEN + 1;

		if (p - at >= MAGIC_LEN - 1 && memcmp(magic, FIFO_MAGIC, MAGIC_LEN) == 0)
			return magic;
	}
	while (n && memcmp(limit - n, FIFO_MAGIC, n))
		n--;
	return limit - n;
}

static void get_header(struct fifo_header *h, const char *part)
{
	memcpy(h, part, sizeof(*h));
	h->length = le32toh(h->length);
	h->offset = le32toh(h->offset);
	h->part = le16toh(h->part);
	h->writer = le32toh(h->writer);
	h->run = le32toh(h->run);
	h->seq = le32toh(h->seq);
	h->crc = le32toh(h->crc);
}

void fifor_frames_init(struct reader *r)
{
	struct frames *f = &r->frames;

	f->key = fifo_random() | 1;
	f->open.older = f->open.newer = &f->open;
	f->silent.older = f->silent.newer = &f->silent;
}

ssize_t fifor_frame_size(const struct reader *r, const char *p, size_t len)
{
	struct fifo_header h;

	if (memcmp(p, FIFO_MAGIC, len < MAGIC_LEN ? len : MAGIC_LEN))
		return -1;
	if (len < sizeof(h))
		return 0;
	get_header(&h, p);
	if (h.zero || sizeof(h) + h.part > r->atomic || h.length > FIFO_MAX_MESSAGE
		|| h.offset > h.length || h.part > h.length - h.offset)
		return -1;
	if (len - sizeof(h) < h.part)
		return 0;
	return h.crc == fifo_crc((const struct fifo_header *)p, p + sizeof(h), h.part)
		? (ssize_t)(sizeof(h) + h.part) : -1;
}

/* Returns the place of the peer in its chain, or where the chain ends. The key is random, so that
 * no writer can make its chain long by the numbers that it chooses. */
static struct peer **look_up(struct frames *f, uint32_t writer, uint32_t run)
{
	uint64_t hash = ((uint64_t)writer << 32 | run) * f->key;
	struct peer **at = &f->chains[hash >> (64 - CHAIN_BITS)];

	while (*at && ((*at)->writer != writer || (*at)->run != run))
		at = &(*at)->next;
	return at;
}

/* A list is a circle, and "list" is no peer, but stands between its newest and its oldest one. */
static void put_on_list(struct peer *list, struct peer *p)
{
	p->newer = list;
	p->older = list->older;
	p->older->newer = list->older = p;
}

static void take_off_list(struct peer *p)
{
	p->older->newer = p->newer;
	p->newer->older = p->older;
}

static void note_lost(struct reader *r, struct peer *p, uint32_t lost)
{
	p->lost += lost;
	r->f.count.dropped += lost;
}

static void close_message(struct frames *f, struct peer *p)
{
	f->held -= p->msg.len;
	free(p->msg.data);
	p->msg = (struct buffer){ 0 };
	p->open = 0;
}

static void report_cut(struct reader *r, struct peer *p, size_t bytes)
{
	if (p->cut)
		return;
	p->cut = 1;
	note_lost(r, p, 1);
	if (r->f.asked.verbose >= 0)
		bb_error_msg("cut=%zu writer=%u", bytes, p->writer);
}

static void cut_off(struct reader *r, struct peer *p)
{
	report_cut(r, p, p->msg.len);
	close_message(&r->frames, p);
}

static void cut_off_oldest(struct reader *r)
{
	struct frames *f = &r->frames;
	struct peer *oldest = f->open.newer;

	cut_off(r, oldest);
	take_off_list(oldest);
	put_on_list(&f->silent, oldest);
}

static void forget_oldest(struct reader *r)
{
	struct frames *f = &r->frames;
	struct peer *p;

	if (f->silent.newer == &f->silent)
		cut_off_oldest(r);
	p = f->silent.newer;
	take_off_list(p);
	*look_up(f, p->writer, p->run) = p->next;
	free(p);
	f->known--;
	if (!f->forgets && r->f.asked.verbose >= 0)
		bb_error_msg("more than %d writers: a loss can go unseen", MOST_PEERS);
	f->forgets = 1;
}

/* Returns the peer that has sent the part. This peer is on no list. */
static struct peer *find_peer(struct reader *r, const struct fifo_header *h)
{
	struct frames *f = &r->frames;
	struct peer *p = *look_up(f, h->writer, h->run);

	if (p) {
		take_off_list(p);
		return p;
	}
	if (f->known == MOST_PEERS)
		forget_oldest(r);
	p = xmalloc(sizeof(*p));
	*p = (struct peer){ .writer = h->writer, .run = h->run,
		.seq = h->seq - 1 }; /* Earlier messages are not missing. */
	*look_up(f, h->writer, h->run) = p;
	f->known++;
	return p;
}

/* Begins a new message. Its number says how many messages are missing since the last one. */
static void next_message(struct reader *r, struct peer *p, const struct fifo_header *h)
{
	uint32_t lost = h->seq - p->seq - 1;

	if (lost > UINT32_MAX / 2)
		lost = 0; /* The number is lower than the last one. */
	note_lost(r, p, lost);
	if (lost && r->f.asked.verbose >= 0)
		bb_error_msg("lost=%u writer=%u", lost, h->writer);
	p->seq = h->seq;
	p->cut = 0;
}

/* Returns true if this part continues the peer's open message or begins a message. A writer that
 * has found a new reader sends its message again from the start, with the same number. */
static int fits(struct reader *r, struct peer *p, const struct fifo_header *h)
{
	if (p->open && p->seq == h->seq && h->offset == 0)
		close_message(&r->frames, p);
	if (p->open && (p->seq != h->seq || p->length != h->length || p->msg.len != h->offset))
		cut_off(r, p);
	if (p->open)
		return 1;
	if (p->seq != h->seq)
		next_message(r, p, h);
	if (h->offset)
		report_cut(r, p, h->part);
	p->length = h->length;
	return h->offset == 0;
}

static void deliver(struct reader *r, struct peer *p, const char *msg, size_t len)
{
	char text[96];

	scnprintf(text, sizeof(text), ",\"writer\":%u,\"seq\":%u,\"lost\":%ju", p->writer, p->seq,
		p->lost);
	p->lost = 0;
	fifor_put_message(r, msg, len, text);
}

/* The memory for a message grows with the bytes that have come, and never with the length that its
 * header claims. All open messages share FIFO_MAX_MESSAGE bytes: the oldest make room. */
static void add_to_message(struct reader *r, struct peer *p, const char *data, size_t len)
{
	struct frames *f = &r->frames;

	p->open = 1;
	fifor_buffer_add(&p->msg, data, len);
	f->held += len;
	if (p->msg.len == p->length) {
		deliver(r, p, p->msg.data, p->msg.len);
		close_message(f, p);
	}
	while (f->held > FIFO_MAX_MESSAGE)
		cut_off_oldest(r);
}

void fifor_frame_take(struct reader *r, const char *part)
{
	const char *data = part + sizeof(struct fifo_header);
	struct fifo_header h;
	struct peer *p;

	get_header(&h, part);
	if (r->frames.skipped)
		fifor_report_bytes(r, "resync", r->frames.skipped);
	r->frames.skipped = 0;
	p = find_peer(r, &h);
	if (fits(r, p, &h)) {
		if (h.offset == 0 && h.part == h.length)
			deliver(r, p, data, h.part);
		else
			add_to_message(r, p, data, h.part);
	}
	put_on_list(p->open ? &r->frames.open : &r->frames.silent, p);
}

void fifor_frame_skip(struct reader *r, size_t len)
{
	r->frames.skipped += len;
}

void fifor_frames_end(struct reader *r)
{
	struct frames *f = &r->frames;

	if (f->skipped)
		fifor_report_bytes(r, "resync", f->skipped);
	f->skipped = 0;
	while (f->open.newer != &f->open)
		cut_off_oldest(r);
}
