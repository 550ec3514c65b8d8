/*
 * frame.c - messages out of the frames of --frame=len (formats.md 2)
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <endian.h>
#include "fifor.h"

/* How many messages of that writer did not come: those between the last one and this. */
static uint32_t note_peer(struct reader *r, uint32_t writer, uint32_t seq)
{
	uint32_t lost = 0;
	unsigned i = 0;

	while (i < PEERS && r->peers[i].writer != writer)
		i++;
	if (i == PEERS)
		i = r->next_peer++ % PEERS;
	else if (seq - r->peers[i].seq - 1 < UINT32_MAX / 2 && seq != 1)
		lost = seq - r->peers[i].seq - 1; /* seq 1: a new process with an old pid */
	r->peers[i].writer = writer;
	r->peers[i].seq = seq;
	return lost;
}

/* 1: a frame, 0: not yet, -1: none */
static int parse_frame(const char *buf, size_t len, struct fifo_header *h)
{
	uint32_t magic = htole32(FIFO_MAGIC);

	if (memcmp(buf, &magic, len < sizeof(magic) ? len : sizeof(magic)))
		return -1;
	if (len < sizeof(*h))
		return 0;
	memcpy(h, buf, sizeof(*h));
	if (le32toh(h->length) > FIFO_MAX_MESSAGE)
		return -1;
	if (len - sizeof(*h) < le32toh(h->length))
		return 0;
	return le32toh(h->crc) == fifo_crc(h, buf + sizeof(*h), le32toh(h->length)) ? 1 : -1;
}

static void report_skipped(struct reader *r, size_t *skipped)
{
	if (*skipped && r->f.verbose >= 0)
		bb_error_msg("resync=%zu", *skipped);
	*skipped = 0;
}

/* What is no frame is passed over, byte by byte, up to the next one. */
void take_frames(struct reader *r, int final)
{
	size_t at = 0, skipped = 0;
	struct fifo_header h;
	char text[80];
	uint32_t lost;
	int found;

	while (at < r->len) {
		found = parse_frame(r->buf + at, r->len - at, &h);
		if (found == 0 && !final)
			break;
		if (found <= 0) {
			skipped++;
			at++;
			continue;
		}
		report_skipped(r, &skipped);
		lost = note_peer(r, le32toh(h.writer), le32toh(h.seq));
		if (!lost) /* before the first one of this writer that we see */
			lost = told_lost(r->buf + at + sizeof(h), le32toh(h.length));
		r->f.dropped += lost;
		if (lost && r->f.verbose >= 0)
			bb_error_msg("lost=%u writer=%u", lost, le32toh(h.writer));
		scnprintf(text, sizeof(text), ",\"writer\":%u,\"seq\":%u,\"lost\":%u",
			le32toh(h.writer), le32toh(h.seq), lost);
		put_message(r, r->buf + at + sizeof(h), le32toh(h.length), text);
		at += sizeof(h) + le32toh(h.length);
	}
	report_skipped(r, &skipped);
	r->len -= at;
	memmove(r->buf, r->buf + at, r->len);
}

/* The writer of a long frame holds the lock as long as it lives (formats.md 2). Without a
 * lock and with nothing more to read, a frame within what should be its text is the next one;
 * bytes that cat(1) passes on without a lock have none. */
int is_abandoned(struct reader *r)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct pollfd more = { .fd = r->f.fd, .events = POLLIN };
	struct fifo_header h;

	if (r->f.frame != FRAME_LEN || !r->len || fcntl(r->f.fd, F_OFD_GETLK, &fl) < 0
		|| fl.l_type != F_UNLCK || poll(&more, 1, 0) != 0)
		return 0;
	for (size_t at = 1; at < r->len; at++)
		if (parse_frame(r->buf + at, r->len - at, &h) == 1)
			return 1;
	return 0;
}
