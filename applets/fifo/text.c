/*
 * text.c - messages out of plain bytes and packets, and the frames between them
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifor.h"

/* The end of a message of plain bytes depends on --frame: a newline for line, a NUL for nul, either
 * of them for auto, none for len. Each pointer is the next place of its kind, or limit, and is
 * searched for again only when it has been passed. */
struct scan {
	const char *limit, *newline, *nul, *frame;
};

static const char *look_for(int c, const char *at, const char *limit)
{
	const char *found = memchr(at, c, limit - at);

	return found ? found : limit;
}

static const char *next_end(const struct reader *r, struct scan *s, const char *at)
{
	int frame = r->f.asked.frame;

	if (frame == FRAME_LEN)
		return s->limit;
	if (frame != FRAME_NUL && s->newline < at)
		s->newline = look_for('\n', at, s->limit);
	if (frame != FRAME_LINE && s->nul < at)
		s->nul = look_for('\0', at, s->limit);
	return s->newline < s->nul ? s->newline : s->nul;
}

static const char *next_frame(const struct reader *r, struct scan *s, const char *at)
{
	if (r->f.asked.frame != FRAME_AUTO && r->f.asked.frame != FRAME_LEN)
		return s->limit;
	if (s->frame < at)
		s->frame = fifor_frame_find(at, s->limit);
	return s->frame;
}

static void add_rest(struct reader *r, struct end *e, const char *text, size_t len)
{
	if (r->f.asked.frame == FRAME_LEN) {
		fifor_frame_skip(r, len);
	} else if (e->oversized || e->rest.len + len > FIFO_MAX_MESSAGE) {
		e->oversized += e->rest.len + len;
		e->rest.len = 0;
	} else {
		fifor_buffer_add(&e->rest, text, len);
	}
}

static void put_text_message(struct reader *r, struct end *e, const char *text, size_t len)
{
	if (e->rest.len || e->oversized || len > FIFO_MAX_MESSAGE)
		add_rest(r, e, text, len);
	else
		fifor_put_message(r, text, len, NULL);
	if (e->oversized) {
		fifor_report_bytes(r, "oversized", e->oversized);
		r->f.count.dropped++;
	} else if (e->rest.len) {
		fifor_put_message(r, e->rest.data, e->rest.len, NULL);
	}
	e->oversized = e->rest.len = 0;
}

/* Bytes that come at once, are not longer than one write may be, and contain no end are a message:
 * the tutorial's writer and printf(1) send such messages. */
static int is_whole(const struct reader *r, const struct end *e, const char *text, size_t len)
{
	struct scan s = { text + len, text - 1, text - 1, text - 1 };

	return r->f.asked.frame == FRAME_AUTO && !r->feed.bytewise && !e->rest.len && !e->oversized
		&& len && len <= r->atomic && next_end(r, &s, text) == s.limit
		&& s.limit - next_frame(r, &s, text) < (ptrdiff_t)sizeof(FIFO_MAGIC) - 1;
}

/* A frame can stand anywhere, even in the middle of a line that its writer sends in pieces. If
 * final is true, an incomplete frame will not be completed. */
static size_t take_plain(struct reader *r, struct end *e, const char *text, size_t len,
	int final)
{
	const char *at = text, *limit = text + len, *end, *frame;
	struct scan s = { limit, r->f.asked.frame == FRAME_NUL ? limit : text - 1,
		r->f.asked.frame == FRAME_LINE ? limit : text - 1, text - 1 };
	ssize_t n;

	while (fifor_wants_more(r)) {
		end = next_end(r, &s, at);
		frame = next_frame(r, &s, at);
		n = frame < end ? fifor_frame_size(r, frame, limit - frame) : 0;
		if (n == 0 && final)
			n = -1;
		if (frame < end && n < 0) {
			s.frame = fifor_frame_find(frame + 1, limit);
		} else if (frame < end && n > 0) {
			add_rest(r, e, at, frame - at);
			fifor_frame_take(r, frame);
			at = frame + n;
		} else if (frame < end || end == limit) {
			add_rest(r, e, at, frame - at);
			fifor_buffer_add(&e->part, frame, limit - frame);
			return len;
		} else {
			put_text_message(r, e, at, end - at);
			at = end + 1;
		}
	}
	return at - text;
}

/* fifow's packets end with a newline, unless --frame=packet sends them. The packet of an empty
 * message has only a newline. */
static void take_packet(struct reader *r, const char *packet, size_t len)
{
	ssize_t n = r->f.asked.frame == FRAME_AUTO ? fifor_frame_size(r, packet, len) : -1;

	if (n > 0 && (size_t)n == len)
		fifor_frame_take(r, packet);
	else
		fifor_put_message(r, packet, len - (packet[len - 1] == '\n'
			&& (len == 1 || r->f.asked.frame == FRAME_AUTO)), NULL);
}

/* The part of a frame that came before is put in front of the new bytes. */
static size_t take_with_part(struct reader *r, struct end *e, const char *text, size_t len)
{
	struct buffer part = e->part;
	size_t used;

	e->part = (struct buffer){ 0 };
	fifor_buffer_add(&part, text, len);
	used = take_plain(r, e, part.data, part.len, 0);
	used = used + len > part.len ? used + len - part.len : 0;
	free(part.data);
	return used;
}

size_t fifor_text_take(struct reader *r, struct end *e, const struct run *run)
{
	size_t used = 0;

	if (run->packet && e->part.len)
		used = take_with_part(r, e, run->buf, run->packet);
	else if (run->packet && is_whole(r, e, run->buf, used = run->packet))
		fifor_put_message(r, run->buf, run->packet, NULL);
	else if (run->packet)
		used = take_plain(r, e, run->buf, run->packet, 0);
	if (run->packet == run->len || !fifor_wants_more(r))
		return used;
	take_packet(r, run->buf + run->packet, run->len - run->packet);
	return run->len;
}

void fifor_text_settle(struct reader *r, struct end *e)
{
	struct buffer part = e->part;

	e->part = (struct buffer){ 0 };
	if (part.len)
		(void)take_plain(r, e, part.data, part.len, 1);
	free(part.data);
	if (e->rest.len || e->oversized)
		put_text_message(r, e, "", 0);
}
