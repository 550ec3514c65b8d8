/*
 * message.c - messages become lines, packets or frames
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <endian.h>
#include "fifow.h"

/* By default, a message of one line is sent as a line. Any reader understands a line, even a
 * shell's read, which takes byte after byte. A message of several lines is sent as a packet
 * (pipe(2), O_DIRECT): one read(2) returns it and discards its excess bytes, and fifor sees where
 * it ends. A message over PIPE_BUF is sent as frames. */

void fifow_message_init(struct writer *w, struct fifow_output *out, int large)
{
	/* The index is the value of --frame. */
	static const signed char ends[] = { '\n', '\n', -1, '\0', -1, -1 };

	out->end = ends[w->f.asked.frame];
	w->end = out->end;
	out->large = large || w->f.asked.frame == FRAME_LEN;
	out->at_once = w->nonblock;
	out->writer = getpid();
	out->run = fifo_random();
	out->size = 2 * w->atomic;
	out->buf = xmalloc(out->size);
}

void fifow_message_check(struct writer *w, struct fifow_output *out, const char *msg, size_t len)
{
	int frame = w->f.asked.frame, tail = out->end >= 0;
	int foreign = out->foreign && tail && frame != FRAME_AUTO && memchr(msg, out->end, len);
	int large = len + tail > w->atomic && (!out->large || frame == FRAME_PACKET);

	if (foreign || large || len > FIFO_MAX_MESSAGE)
		/* Earlier messages are sent before the program ends. */
		fifow_message_flush(w, out);
	if (foreign)
		bb_error_msg_and_die(
			"a message contains a %s: use --frame=len", out->end ? "newline" : "NUL");
	if (large)
		bb_error_msg_and_die("message of %zu bytes%s is larger than PIPE_BUF (%zu): "
			"use %s--frame=len", len,
			tail && (frame != FRAME_AUTO || len <= w->atomic) ? " with its end" : "",
			w->atomic, out->large ? "" : "--lock or ");
	if (len > FIFO_MAX_MESSAGE)
		bb_error_msg_and_die(
			"message of %zu bytes is larger than %d", len, FIFO_MAX_MESSAGE);
}

static void account(struct writer *w, enum fifow_sent sent, size_t messages, size_t bytes)
{
	if (sent == SENT) {
		w->f.count.messages += messages;
		w->f.count.bytes += bytes;
	} else {
		w->f.count.dropped += messages;
	}
	w->f.queued -= messages;
}

static void send_buffer(struct writer *w, struct fifow_output *out, int packet)
{
	int64_t deadline = fifo_deadline(w->f.asked.timeout);
	enum fifow_sent sent;

	if (out->len == 0)
		return;
	do
		sent = fifow_send(w, out->buf, out->len, packet, deadline);
	while (sent == NEW_READER);
	account(w, sent, out->messages, out->bytes);
	out->len = out->messages = out->bytes = 0;
}

void fifow_message_flush(struct writer *w, struct fifow_output *out)
{
	send_buffer(w, out, 0);
}

/* A write(2) of at most PIPE_BUF is whole (pipe(7)), whether it holds one message or several. The
 * messages that are already there share one write(2). */
static void make_room(struct writer *w, struct fifow_output *out, size_t size)
{
	if (out->len + size > w->atomic)
		fifow_message_flush(w, out);
	if (out->size < size)
		out->buf = xrealloc(out->buf, out->size = 2 * size);
}

static void fifow_append(struct fifow_output *out, const void *data, size_t len)
{
	memcpy(out->buf + out->len, data, len);
	out->len += len;
}

/* Appends one part of a message: n of its bytes, from offset on. */
static void append_part(struct fifow_output *out, const char *msg, size_t len,
	size_t offset, size_t n)
{
	struct fifo_header h = { .length = htole32(len), .offset = htole32(offset),
		.part = htole16(n), .writer = htole32(out->writer), .run = htole32(out->run),
		.seq = htole32(out->seq) };

	memcpy(&h.magic, FIFO_MAGIC, sizeof(h.magic));
	h.crc = htole32(fifo_crc(&h, msg + offset, n));
	fifow_append(out, &h, sizeof(h));
	fifow_append(out, msg + offset, n);
}

/* Each part is a write(2) of its own. A new reader gets the message from its start. */
static void send_parts(struct writer *w, struct fifow_output *out, const char *msg, size_t len)
{
	int64_t deadline = fifo_deadline(w->f.asked.timeout);
	enum fifow_sent sent = SENT;
	size_t offset = 0, n;

	fifow_message_flush(w, out);
	out->seq++;
	while (offset < len && sent != DROPPED) {
		n = w->atomic - sizeof(struct fifo_header);
		if (n > len - offset)
			n = len - offset;
		append_part(out, msg, len, offset, n);
		sent = fifow_send(w, out->buf, out->len, 0, deadline);
		offset = sent == NEW_READER ? 0 : offset + n;
		out->len = 0;
	}
	account(w, sent, 1, len);
}

static void put_frame(struct writer *w, struct fifow_output *out, const char *msg, size_t len)
{
	make_room(w, out, sizeof(struct fifo_header) + len);
	out->seq++;
	append_part(out, msg, len, 0, len);
}

/* An empty packet does not exist, because write(2) of 0 bytes does nothing (pipe(2)). So an empty
 * message is sent as a newline. */
static void put_plain(struct writer *w, struct fifow_output *out, const char *msg, size_t len,
	int packet)
{
	char end = out->end < 0 ? '\n' : out->end;
	int tail = out->end >= 0 || !len;

	make_room(w, out, len + tail);
	if (packet)
		fifow_message_flush(w, out);
	fifow_append(out, msg, len);
	fifow_append(out, &end, tail);
}

static int has_magic(const char *msg, size_t len)
{
	return len >= 4 && memcmp(msg, FIFO_MAGIC, 4) == 0;
}

/* Returns true if fifor would take the message for something else if it were sent as a line. */
static int is_odd(const struct writer *w, const char *msg, size_t len)
{
	int frame = w->f.asked.frame;

	if (frame == FRAME_AUTO)
		return memchr(msg, '\n', len) || memchr(msg, '\0', len)
			|| memchr(msg, FIFO_MAGIC[3], len);
	return frame == FRAME_LINE && len < w->atomic && memchr(msg, '\0', len);
}

static void put_any(struct writer *w, struct fifow_output *out, const char *msg, size_t len,
	int counted)
{
	int frame = w->f.asked.frame, odd = is_odd(w, msg, len);
	int packet = (frame == FRAME_PACKET || odd) && !w->pipe.no_packets;
	int framed = frame == FRAME_LEN || (frame == FRAME_AUTO && (len >= w->atomic
		|| has_magic(msg, len) || (odd && !packet)));

	if (framed && sizeof(struct fifo_header) + len > w->atomic) {
		send_parts(w, out, msg, len);
		return;
	}
	packet = packet && !framed;
	if (framed)
		put_frame(w, out, msg, len);
	else
		put_plain(w, out, msg, len, packet);
	out->messages += counted;
	out->bytes += counted ? len : 0;
	if (packet || out->at_once)
		send_buffer(w, out, packet);
}

void fifow_message_put(struct writer *w, struct fifow_output *out, const char *msg, size_t len)
{
	put_any(w, out, msg, len, 1);
}

/* Sends a part of a message without bytes. The reader learns the number of the message, and that it
 * is cut off. */
static void put_empty_part(struct writer *w, struct fifow_output *out)
{
	make_room(w, out, sizeof(struct fifo_header));
	append_part(out, "", 1, 0, 0);
}

/* The number of the last dropped message tells the reader how many are missing. A reader reports no
 * loss before the first number that it sees, so the first number is sent, too. */
static void tell_by_number(struct writer *w, struct fifow_output *out, uintmax_t lost)
{
	if (out->seq == 0) {
		out->seq++;
		lost--;
		put_empty_part(w, out);
	}
	out->seq += lost;
	if (lost)
		put_empty_part(w, out);
}

void fifow_message_tell_lost(struct writer *w, struct fifow_output *out, uintmax_t lost)
{
	char msg[32];

	if (w->f.asked.frame == FRAME_LEN)
		tell_by_number(w, out, lost);
	else /* Without a reader this message may be dropped, too. It is not counted. */
		put_any(w, out, msg, scnprintf(msg, sizeof(msg), "dropped %ju", lost), 0);
}
