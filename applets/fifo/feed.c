/*
 * feed.c - how bytes come out of the FIFO: by packets, and without taking more than is wanted
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifor.h"

/* A read(2) takes plain bytes on to the end of the next packet (fs/pipe.c, pipe_read). Several
 * lines in one read can therefore be one packet, or several plain lines, or plain lines before a
 * packet. So splice(2) moves the queue into the pipe "fetched", slot by slot with their kinds, and
 * tee(2) makes the pipe "copy". fifor reads "fetched". Where its bytes can mean two things, "copy"
 * is taken apart: its slots go one by one through the pipe "slot", because the last slot may be a
 * packet. A read of one byte from a slot tells: it takes a whole packet, since the excess bytes are
 * discarded (pipe(2)), but only one byte of plain bytes. */

static int feed_pipe(int fd[2], int size)
{
	return pipe(fd) == 0 && fcntl(fd[0], F_SETFD, FD_CLOEXEC) == 0
		&& fcntl(fd[1], F_SETFD, FD_CLOEXEC) == 0
		&& fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(fd[1], F_SETFL, O_NONBLOCK) == 0
		&& (fcntl(fd[1], F_SETPIPE_SZ, size) > 0 || size > 1);
}

static int knows_packets(const struct feed *feed)
{
	return fcntl(feed->pipes.slot[1], F_SETFL, O_NONBLOCK | O_DIRECT) == 0
		&& fcntl(feed->pipes.slot[1], F_SETFL, O_NONBLOCK) == 0;
}

void fifor_feed_init(struct reader *r)
{
	struct feed *feed = &r->feed;
	int auto_frame = r->f.asked.frame == FRAME_AUTO, size;

	feed->look = r->f.asked.limited;
	feed->flags = SPLICE_F_NONBLOCK;
	feed->sink.null = -1;
	if (!auto_frame && !feed->look)
		return;
	size = fcntl(r->f.fd, F_GETPIPE_SZ);
	if (size < OUTPUT)
		size = OUTPUT;
	feed->packets = auto_frame && feed_pipe(feed->pipes.slot, 1) && knows_packets(feed)
		&& feed_pipe(feed->pipes.copy, size);
	feed->usable = (feed->packets || feed->look) && feed_pipe(feed->pipes.fetched, size);
	feed->sink.scratch = xmalloc(OUTPUT);
	/* Without /dev/null, unwanted bytes are read. */
	feed->sink.null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!feed->packets && auto_frame && r->f.asked.verbose > 0)
		bb_error_msg("no packets here, but lines");
}

/* Throws away the next len bytes of a pipe. No packet is longer than a page, so it fits scratch. */
static void throw_away(struct feed *feed, int fd, size_t len)
{
	ssize_t n;

	while (len) {
		n = splice(fd, NULL, feed->sink.null, NULL, len, SPLICE_F_NONBLOCK);
		if (n < 0)
			n = safe_read(fd, feed->sink.scratch, len < OUTPUT ? len : OUTPUT);
		if (n <= 0)
			break;
		len -= n;
	}
}

/* Returns where the packet at the end of the last len bytes begins, or len if there is no packet. A
 * slot of one byte does not show its kind, but then a read that stopped before the end shows that
 * the last slot was a packet. */
static size_t find_packet(struct feed *feed, size_t len)
{
	size_t at = 0;
	ssize_t n;
	int packet;

	throw_away(feed, feed->pipes.copy[0], feed->bytes.behind - len);
	feed->bytes.behind = 0;
	for (;;) {
		n = splice(feed->pipes.copy[0], NULL, feed->pipes.slot[1], NULL, len - at,
			SPLICE_F_NONBLOCK);
		if (n <= 0)
			return len;
		if (at + n >= len)
			break;
		(void)safe_read(feed->pipes.slot[0], feed->sink.scratch, OUTPUT);
		at += n;
	}
	packet = feed->bytes.left != 0;
	if (safe_read(feed->pipes.slot[0], feed->sink.scratch, 1) == 1 && n > 1)
		packet = safe_read(feed->pipes.slot[0], feed->sink.scratch, OUTPUT) < 0;
	return packet ? at : len;
}

/* One line, or bytes without any end, are one message whether or not they were a packet. Other
 * bytes are ambiguous. */
static int is_ambiguous(const struct reader *r, const struct end *e, const char *buf, size_t len)
{
	return e->rest.len || e->part.len || e->oversized || len > r->atomic
		|| memchr(buf, '\n', len - 1) || memchr(buf, '\0', len)
		|| memchr(buf, FIFO_MAGIC[sizeof(FIFO_MAGIC) - 2], len);
}

static ssize_t move(struct feed *feed, int fd)
{
	if (feed->look)
		return tee(fd, feed->pipes.fetched[1], SPLICE_MAX, feed->flags);
	return splice(fd, NULL, feed->pipes.fetched[1], NULL, SPLICE_MAX, feed->flags);
}

/* Fills the pipes "fetched" and "copy", as far as both have room. Some kernels do not know
 * SPLICE_F_NONBLOCK for a FIFO, but obey the FIFO's O_NONBLOCK. */
static ssize_t fetch(struct feed *feed, int fd)
{
	ssize_t n = feed->bytes.held;

	throw_away(feed, feed->pipes.copy[0], feed->bytes.behind);
	feed->bytes.behind = 0;
	if (!n)
		n = move(feed, fd);
	if (n < 0 && feed->flags && (errno == EOPNOTSUPP || errno == EINVAL)) {
		feed->flags = 0;
		n = move(feed, fd);
	}
	if (n < 0 && errno != EAGAIN)
		feed->usable = 0;
	if (n <= 0)
		return n;
	feed->bytes.held = feed->bytes.left = n;
	if (feed->packets) {
		n = tee(feed->pipes.fetched[0], feed->pipes.copy[1], n, SPLICE_F_NONBLOCK);
		if (n > 0)
			feed->bytes.left = n;
		else
			feed->packets = 0;
	}
	return feed->bytes.left;
}

static void make_room(struct buffer *b, size_t size)
{
	if (b->size < size)
		b->data = xrealloc(b->data, b->size = size);
}

/* Called if the pipes are not usable, so that fifor cannot look ahead. With --count it then reads
 * byte by byte, in order to leave the bytes that are not wanted. */
static ssize_t read_directly(struct reader *r, struct end *e, struct run *run)
{
	struct buffer *b = &r->feed.buf;
	int packet = r->f.asked.frame == FRAME_PACKET;
	int size = packet ? PIPE_BUF : fcntl(e->fd, F_GETPIPE_SZ);
	ssize_t n;

	make_room(b, size > OUTPUT ? size : OUTPUT);
	r->feed.bytewise = r->feed.look && !packet;
	n = safe_read(e->fd, b->data, r->feed.bytewise ? 1 : b->size);
	if (n < 0 && errno != EAGAIN)
		bb_perror_msg_and_die("can't read '%s'", r->f.path);
	*run = (struct run){ b->data, n, packet ? 0 : n };
	return n;
}

ssize_t fifor_feed_next(struct reader *r, struct end *e, struct run *run)
{
	struct feed *feed = &r->feed;
	ssize_t n = feed->bytes.left;

	if (feed->usable && !n) {
		n = fetch(feed, e->fd);
		if (!feed->usable && r->f.asked.verbose > 0)
			bb_perror_msg("can't look ahead: lines only");
	}
	if (!feed->usable)
		return read_directly(r, e, run);
	if (n <= 0)
		return n;
	make_room(&feed->buf, n);
	n = safe_read(feed->pipes.fetched[0], feed->buf.data, n);
	if (n <= 0)
		bb_perror_msg_and_die("can't read '%s'", r->f.path);
	feed->bytes.held -= n;
	feed->bytes.left -= n;
	feed->bytes.behind += feed->packets ? n : 0;
	*run = (struct run){ feed->buf.data, n, r->f.asked.frame == FRAME_PACKET ? 0 : n };
	if (feed->packets && is_ambiguous(r, e, run->buf, n))
		run->packet = find_packet(feed, n);
	return n;
}

void fifor_feed_take(struct reader *r, struct end *e, size_t len)
{
	struct feed *feed = &r->feed;
	ssize_t n = 1;

	if (!feed->usable || !feed->look)
		return;
	for (; len && n > 0; len -= n)
		n = safe_read(e->fd, feed->sink.scratch, len < OUTPUT ? len : OUTPUT);
	if (n < 0)
		bb_perror_msg_and_die("can't read '%s'", r->f.path);
	throw_away(feed, feed->pipes.fetched[0], feed->bytes.held);
	if (feed->packets)
		throw_away(feed, feed->pipes.copy[0], feed->bytes.behind + feed->bytes.left);
	feed->bytes.held = feed->bytes.left = feed->bytes.behind = 0;
}
