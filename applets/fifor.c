/*
 * fifor - print the messages that come through a named pipe
 *
 * SPDX-License-Identifier: 0BSD

config FIFOR
	bool "fifor"
	default y
	help
	  usage: fifor [options] FIFO

	  Print read:MESSAGE, a line for each message, for ever: writers may come
	  and go.

	  -r, --raw              bytes as they come: a cat that stays
	  -o, --output=plain     bare messages, without read: (--output=prefix)
	  -0, --null             end messages with NUL
	  -F, --frame=auto       tell packets and lines apart (default); or force
	                         packet, line or raw
	  -e, --eof=exit         exit 0 when the last writer leaves (--eof=wait)
	  -n, --count N          exit 0 after N messages
	  -t, --timeout D        exit 124 if no message comes within D: 500ms, 2, 1m
	      --open-timeout D   the same for the first writer
	  -p, --create[=MODE]    make the FIFO if it is missing (0600)
	  -u, --unlink           remove it at the end if we made it

	  A message goes to one reader only; for all to see it: mmapr.
*/
#include "libbb.h"

/* A reader's descriptor that has seen its last writer leave reports POLLHUP for ever, a
 * fresh one nothing until the next writer comes (fifo(7), fs/pipe.c: f_version and
 * w_counter). The fresh one is opened before the old one is closed, so that the pipe
 * never is without a reader, and keeps what is in it. */

enum { FRAME_AUTO, FRAME_LINE, FRAME_PACKET, FRAME_RAW };
enum { MAX_MESSAGE = 64 * 1024 * 1024, OUTPUT = 64 * 1024 };

struct reader {
	const char *path;
	int fd;
	int live;		/* a writer has been seen on fd */
	int frame;
	int exit_at_eof;
	const char *prefix;
	char end;		/* what ends a message in the output */
	int64_t timeout, open_timeout;
	int64_t deadline;	/* for the next message */
	int limited;		/* to this many messages more: */
	uintmax_t left;
	size_t pipe_size;
	char *buf;		/* what has been read and not yet printed */
	size_t len, size;
	char *out;
	size_t out_len, out_chunk;
	int packet;		/* the queue begins with a packet */
	int probe[2];		/* a pipe for looking at it */
};

/* --- output: waits where signals are seen; pieces of PIPE_BUF never block after POLLOUT. */

static void output_failed(void)
{
	if (errno != EPIPE)
		bb_perror_msg("can't write to standard output");
	exit(EXIT_FAILURE);
}

static void flush_output(struct reader *r)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	size_t done = 0, n;
	ssize_t written;

	while (done < r->out_len) {
		n = r->out_len - done;
		if (n > r->out_chunk)
			n = r->out_chunk;
		fifo_poll(&out, 1, INT64_MAX);
		written = safe_write(STDOUT_FILENO, r->out + done, n);
		if (written >= 0)
			done += written;
		else if (errno != EAGAIN)
			output_failed();
	}
	r->out_len = 0;
}

static void put(struct reader *r, const char *buf, size_t len)
{
	while (len) {
		size_t n = OUTPUT - r->out_len;

		if (n > len)
			n = len;
		memcpy(r->out + r->out_len, buf, n);
		r->out_len += n;
		buf += n;
		len -= n;
		if (r->out_len == OUTPUT)
			flush_output(r);
	}
}

static void put_message(struct reader *r, const char *msg, size_t len)
{
	if (r->left == 0)
		return;
	put(r, r->prefix, strlen(r->prefix));
	put(r, msg, len);
	put(r, &r->end, 1);
	r->deadline = fifo_deadline(r->timeout);
	if (--r->left == 0) {
		flush_output(r);
		exit(EXIT_SUCCESS);
	}
}

/* --- input */

static void open_reader(struct reader *r)
{
	int fd = fifo_open(r->path, O_RDONLY);
	int size;

	if (fd < 0)
		bb_perror_msg_and_die("can't open '%s'", r->path);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = fd;
	r->live = 0;
	r->packet = r->frame == FRAME_PACKET;
	size = fcntl(fd, F_GETPIPE_SZ);
	r->pipe_size = size > 0 ? size : OUTPUT;
}

/* Room for all that the pipe holds: a read that empties it cuts no message, so that
 * several readers may share the FIFO. */
static void make_room(struct reader *r)
{
	size_t need = r->len + r->pipe_size;

	if (r->len > MAX_MESSAGE)
		bb_error_msg_and_die("message is larger than %d bytes", MAX_MESSAGE);
	if (need > r->size) {
		r->size = need + r->len;
		r->buf = xrealloc(r->buf, r->size);
	}
}

/* stdout is watched too: if nobody reads what we print, no message shall be taken. */
static void wait_for_message(struct reader *r)
{
	struct pollfd fds[2] = { { .fd = r->fd, .events = POLLIN }, { .fd = STDOUT_FILENO } };

	flush_output(r);
	if (!fifo_poll(fds, 2, r->deadline)) {
		bb_error_msg("timed out: no message in '%s'", r->path);
		exit(EXIT_TIMED_OUT);
	}
	if (fds[1].revents) {
		errno = fds[1].revents & POLLNVAL ? EBADF : EPIPE;
		output_failed();
	}
	if (r->open_timeout != INT64_MAX) {
		r->open_timeout = INT64_MAX;
		r->deadline = fifo_deadline(r->timeout);
	}
	r->live = 1;
}

/* tee(2) copies two bytes of the head of the queue, and a read of one takes all of a
 * packet (pipe(2): the excess bytes are discarded): nothing is left then. A packet of one
 * byte is printed in the same way as a line without end. */
static int packet_next(struct reader *r)
{
	ssize_t n = tee(r->fd, r->probe[1], 2, SPLICE_F_NONBLOCK);
	char c;

	return n > 0 && safe_read(r->probe[0], &c, 1) == 1 && n == 2 && safe_read(r->probe[0], &c, 1) < 0;
}

/* How much of the slot at the head to take for the messages that are still wanted: what
 * comes behind them is for the next reader. */
static size_t wanted(struct reader *r, char *buf, size_t size)
{
	ssize_t n = tee(r->fd, r->probe[1], size, SPLICE_F_NONBLOCK);
	uintmax_t messages = 0;

	if (n <= 0)
		return size;
	n = safe_read(r->probe[0], buf, n);
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] == '\n' && ++messages == r->left)
			return i + 1;
	return n;
}

/* The pipe for looking ahead has one slot: a copy never goes past the head of the queue. */
static void make_probe(struct reader *r)
{
	xpipe(r->probe);
	if (fcntl(r->probe[1], F_SETPIPE_SZ, 1) < 0 || fcntl(r->probe[0], F_SETFL, O_NONBLOCK) < 0)
		bb_perror_msg_and_die("can't set up a pipe");
}

/* A queue of packets needs no second look until something with a newline comes. */
static ssize_t read_some(struct reader *r)
{
	char *buf = r->buf + r->len;
	size_t size = r->size - r->len;
	ssize_t n;

	if (!r->packet && r->frame == FRAME_AUTO)
		r->packet = packet_next(r);
	if (!r->packet && r->limited)
		size = wanted(r, buf, size);
	n = safe_read(r->fd, buf, size);
	if (n < 0 && errno != EAGAIN)
		bb_perror_msg_and_die("can't read '%s'", r->path);
	return n;
}

/* Adds what has come to the buffer; 0 if the last writer left. */
static size_t fill(struct reader *r)
{
	ssize_t n = -1;

	for (;;) {
		make_room(r);
		if (r->live)
			n = read_some(r);
		if (n >= 0)
			break;
		wait_for_message(r);
	}
	r->len += n;
	return n;
}

/* Prints the messages that are complete; the rest begins at the front of the buffer. */
static void take_lines(struct reader *r, size_t fresh)
{
	char *msg = r->buf, *limit = r->buf + r->len, *from = limit - fresh, *end;

	while ((end = memchr(from, '\n', limit - from))) {
		put_message(r, msg, end - msg);
		msg = from = end + 1;
	}
	r->len = limit - msg;
	memmove(r->buf, msg, r->len);
}

static void take(struct reader *r, size_t fresh)
{
	size_t old = r->len - fresh;
	int line = r->buf[r->len - 1] == '\n';

	if (r->frame == FRAME_RAW) {
		put(r, r->buf, fresh);
		r->len = 0;
	} else if (r->packet || (r->frame == FRAME_AUTO && old == 0 && !memchr(r->buf, '\n', fresh))) {
		put_message(r, r->buf + old, fresh - line); /* fifow sends an empty packet as a newline */
		r->len = old;
	} else {
		take_lines(r, fresh);
	}
	if (line || r->limited)
		r->packet = r->frame == FRAME_PACKET; /* perhaps of another writer: look again */
}

static void follow(struct reader *r)
{
	size_t fresh;

	for (;;) {
		fresh = fill(r);
		if (fresh) {
			take(r, fresh);
			continue;
		}
		if (r->len)
			put_message(r, r->buf, r->len); /* a last line without newline */
		r->len = 0;
		if (r->exit_at_eof)
			break;
		open_reader(r);
	}
	flush_output(r);
}

static int choose(const char *what, const char *name, const char *const names[])
{
	int i = 0;

	while (name && strcmp(name, names[i]))
		if (!names[++i])
			bb_show_usage("invalid %s: '%s'", what, name);
	return i;
}

int fifor_main(char **argv)
{
	static const char *const frames[] = { "auto", "line", "packet", "raw", NULL };
	static const char *const outputs[] = { "prefix", "plain", NULL };
	static const char *const eofs[] = { "wait", "exit", NULL };
	char *mode = NULL, *frame = NULL, *output = NULL, *eof = NULL, *count = NULL, *timeout = NULL, *open_timeout = NULL;
	opts_t opts = getopt32(argv, "r(raw)o(output):0(null)F(frame):e(eof):n(count):t(timeout):-O(open-timeout):"
		"p(create)::u(unlink)", &output, &frame, &eof, &count, &timeout, &open_timeout, &mode);
	struct reader r = { .path = argv[optind], .fd = -1, .left = UINTMAX_MAX, .out = xmalloc(OUTPUT) };
	struct stat st;

	if (!r.path)
		bb_show_usage("which FIFO?");
	if (argv[optind + 1])
		bb_show_usage("unexpected operand '%s'", argv[optind + 1]);
	r.frame = opts & OPT('r') ? FRAME_RAW : choose("frame", frame, frames);
	r.exit_at_eof = choose("end of file", eof, eofs);
	r.prefix = choose("output", output, outputs) ? "" : "read:";
	r.end = opts & OPT('0') ? '\0' : '\n';
	r.limited = !!count;
	if (count)
		r.left = xatou_range("count", count, 1, UINTMAX_MAX);
	r.timeout = timeout ? xatodur("timeout", timeout) : INT64_MAX;
	r.open_timeout = open_timeout ? xatodur("timeout", open_timeout) : INT64_MAX;
	fifo_init();
	if (opts & OPT('p'))
		fifo_create(r.path, mode, !!(opts & OPT('u')));
	open_reader(&r);
	r.deadline = fifo_deadline(open_timeout ? r.open_timeout : r.timeout);
	r.out_chunk = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) ? OUTPUT : (size_t)fpathconf(r.fd, _PC_PIPE_BUF);
	make_probe(&r);
	follow(&r);
	return EXIT_SUCCESS;
}
