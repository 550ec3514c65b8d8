/*
 * fifor - print the messages that come through a named pipe
 *
 * SPDX-License-Identifier: 0BSD

config FIFOR
	bool "fifor"
	default y
	help
	  usage: fifor [options] FIFO

	  Print read:MESSAGE, a line for each message, for ever: writers come and go.
	  -o, --output=plain   bare messages, without read: (--output=prefix)
	  -0, --null           end messages with NUL    -J, --json   one object each
	  -r, --raw            bytes as they come: a cat that stays
	  -F, --frame=KIND     how fifow sends: packet, line, nul, len, raw; or auto
	                       (default): packets, lines and whatever comes at once
	  -e, --eof=exit       exit 0 when the last writer leaves (--eof=wait)
	  -n, --count N        exit 0 after N messages (one such reader at a time)
	  -t, --timeout D      exit 124 if no message comes within D: 500ms, 2, 1m
	      --open-timeout D   the same for the first writer
	  -p, --create[=MODE]  make the FIFO if missing (0600)
	  -u, --unlink         remove it at the end if we made it
	  -X, --exclusive      refuse to be a second fifor, or to let one in (exit 3)
	      --flush          throw away what is queued, print flushed=BYTES
	      --hold [-- CMD]  read nothing: keep the queue for later, while CMD runs
	  -z, --pipe-size SIZE|max     --stats at the end and on SIGUSR1
	  -q, --quiet          -v, --verbose
	  A message goes to one reader only; for all to see it: mmapr.
*/
#include <endian.h>
#include <sys/file.h>
#include "fifor.h"

/* A reader's descriptor that has seen its last writer leave reports POLLHUP for ever, a
 * fresh one nothing until the next writer comes (fifo(7), fs/pipe.c: f_version and
 * w_counter). The fresh one is opened before the old one is closed, so that the pipe
 * never is without a reader, and keeps what is in it. */

/* The lock is on a descriptor of its own, for the one that reads is renewed at each end of
 * file. fcntl(2) has no exclusive lock for a descriptor that can only read. */
static void exclude_others(struct reader *r)
{
	int before = r->lock;

	r->lock = fifo_open(&r->f, O_RDONLY);
	if (r->lock >= 0 && flock(r->lock, r->lock_kind | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK) {
			bb_error_msg("'%s' has a reader already", r->f.path);
			exit(EXIT_NOT_NOW);
		}
		if (r->lock_kind == LOCK_EX) /* else: no locks here, so nobody has one */
			bb_perror_msg_and_die("can't lock '%s'", r->f.path);
	}
	if (before >= 0)
		close(before); /* or writers to a FIFO that was replaced would see a reader */
}

static int same_fifo(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && same_inode(&x, &y);
}

static void close_old(struct reader *r)
{
	if (r->old >= 0)
		close(r->old);
	r->old = -1;
}

/* Where the name means another FIFO, or none, who writes to the old one does not know that,
 * and may just have begun: it stays open too, until its writers have left. */
static void open_reader(struct reader *r)
{
	int fd, size;

	do {
		fd = fifo_open(&r->f, O_RDONLY);
		if (r->f.fd >= 0 && same_fifo(r->f.fd, fd)) {
			close(r->f.fd);
		} else {
			close_old(r);
			r->old = r->f.fd;
			r->old_live = 1;
			exclude_others(r);
		}
		r->f.fd = fd;
	} while (fifo_watch(&r->f));
	r->live = 0;
	r->packet = r->f.frame == FRAME_PACKET ? PACKET : NO_PACKET;
	if (fd >= 0)
		fifo_resize(&r->f);
	size = fcntl(fd, F_GETPIPE_SZ);
	r->pipe_size = size > 0 ? size : OUTPUT;
}

/* What is left without its end is a message all the same. */
static void fifor_settle(struct reader *r)
{
	if (r->f.frame == FRAME_LEN)
		take_frames(r, 1);
	else if (r->len)
		put_message(r, r->buf, r->len, NULL);
	r->len = 0;
}

static void exchange(struct reader *r)
{
	int fd = r->f.fd, live = r->live;

	r->f.fd = r->old;
	r->live = r->old_live;
	r->old = fd;
	r->old_live = live;
	r->on_old = !r->on_old;
	r->packet = r->f.frame == FRAME_PACKET ? PACKET : NO_PACKET;
}

static void swap_fifos(struct reader *r)
{
	fifor_settle(r);
	exchange(r);
}

/* What has come of a message waits for the rest of it first. */
static void open_replacement(struct reader *r)
{
	open_reader(r);
	if (r->len && r->old >= 0)
		exchange(r);
}

/* False if the end of the last writer is ours too. */
static int reopen(struct reader *r)
{
	fifor_settle(r);
	if (r->on_old) {
		exchange(r);
		close_old(r);
		return 1;
	}
	r->f.reconnects++;
	if (r->exit_at_eof)
		return 0;
	open_reader(r);
	return 1;
}

/* Room for all that the pipe holds: a read that empties it cuts no message, so that
 * several readers may share the FIFO. */
static void make_room(struct reader *r)
{
	size_t need = r->len + r->pipe_size;

	if (r->len > FIFO_MAX_MESSAGE + sizeof(struct fifo_header))
		bb_error_msg_and_die("message is larger than %d bytes", FIFO_MAX_MESSAGE);
	if (need > r->size) {
		r->size = need + r->len;
		r->buf = xrealloc(r->buf, r->size);
	}
}

/* stdout is watched too: if nobody reads what we print, no message shall be taken. A part of
 * a frame is looked at again each second: a lock that is let go wakes nobody. The old FIFO has
 * that long to bring the rest of a message. */
static void poll_fifos(struct reader *r)
{
	int64_t until = r->len && (r->on_old || r->f.frame == FRAME_LEN) ? fifo_deadline(NS_PER_S)
									 : INT64_MAX;
	struct pollfd fds[] = {
		{ .fd = r->f.fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
		{ .fd = r->on_old ? -1 : r->f.watch, .events = POLLIN },
		{ .fd = r->on_old ? -1 : r->old, .events = POLLIN },
	};

	flush_output(r);
	r->f.unsaved = 0;
	r->f.queued = r->len != 0; /* lost, if a signal ends us */
	r->f.waits++;
	if (!fifo_poll(fds, ARRAY_SIZE(fds), until < r->deadline ? until : r->deadline)) {
		if (until < r->deadline) {
			if (r->on_old)
				swap_fifos(r);
			return;
		}
		fifor_settle(r);
		flush_output(r);
		r->f.queued = 0;
		bb_error_msg("timed out: no message in '%s'", r->f.path);
		exit(EXIT_TIMED_OUT);
	}
	if (fds[1].revents) {
		errno = fds[1].revents & POLLNVAL ? EBADF : EPIPE;
		fifor_output_failed();
	}
	if (fds[3].revents) {
		r->old_live = 1;
		swap_fifos(r);
		return;
	}
	if (!fds[0].revents) {
		if (fifo_watch(&r->f))
			open_replacement(r);
		return;
	}
	if (r->f.open_timeout != INT64_MAX) {
		r->f.open_timeout = INT64_MAX;
		r->deadline = fifo_deadline(r->f.timeout);
	}
	r->live = 1;
}

static void wait_for_message(struct reader *r)
{
	if (r->on_old && !r->len)
		exchange(r);
	poll_fifos(r);
	r->f.queued = 0;
}

static void cannot_look(struct reader *r)
{
	if (r->f.verbose > 0)
		bb_perror_msg("can't look ahead: lines only");
	r->probe[0] = -1;
	if (r->f.limited)
		r->f.frame = FRAME_LINE; /* byte by byte */
}

/* Copies up to len of size bytes at the head of the queue, which stay there. 0: the end, or
 * that we cannot look; -1: nothing has come. */
static ssize_t look(struct reader *r, char *buf, size_t len, size_t size)
{
	ssize_t n = tee(r->f.fd, r->probe[1], size, SPLICE_F_NONBLOCK);

	if (n < 0 && errno != EAGAIN) {
		cannot_look(r);
		return 0;
	}
	if (n <= 0)
		return n;
	if (safe_read(r->probe[0], buf, len) < 0)
		bb_perror_msg_and_die("can't read '%s'", r->f.path);
	return n;
}

/* Of two bytes of the head of the queue a read of one takes all of a packet (pipe(2): the
 * excess bytes are discarded): nothing is left then. A packet of one byte is printed in the
 * same way as a line without end. -1: nothing has come. */
static int packet_next(struct reader *r)
{
	char c;
	ssize_t n = look(r, &c, 1, 2);

	return n < 2 ? n < 0 ? -1 : 0 : safe_read(r->probe[0], &c, 1) < 0;
}

/* How much of the slot at the head to take for the messages that are still wanted: what
 * comes behind them is for the next reader. Who cannot look takes byte after byte. -1:
 * nothing has come. */
static ssize_t wanted(struct reader *r, char *buf, size_t size)
{
	ssize_t n = r->probe[0] < 0 ? 0 : look(r, buf, size, size);
	uintmax_t messages = 0;

	if (n <= 0)
		return n < 0 ? n : 1;
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] == r->end && ++messages == r->f.left)
			return i + 1;
	return n;
}

/* The same for a frame: its header, then the rest of it. */
static size_t wanted_of_frame(struct reader *r, size_t size)
{
	struct fifo_header h;
	size_t need = sizeof(h);

	if (r->len >= sizeof(h)) {
		memcpy(&h, r->buf, sizeof(h));
		need += le32toh(h.length);
	}
	return need > r->len && need - r->len < size ? need - r->len : size;
}

/* The pipe for looking ahead has one slot: a copy never goes past the head of the queue. */
static void make_probe(struct reader *r)
{
	xpipe(r->probe);
	if (fcntl(r->probe[1], F_SETPIPE_SZ, 1) < 0 || fcntl(r->probe[0], F_SETFL, O_NONBLOCK) < 0)
		cannot_look(r);
}

/* Behind a packet there are others: that costs no second look, until a newline at the end
 * says that it was a line. */
static ssize_t fifor_read(struct reader *r)
{
	char *buf = r->buf + r->len;
	ssize_t n = r->size - r->len;
	int packet;

	if (!r->packet && r->f.frame == FRAME_AUTO && r->probe[0] >= 0) {
		packet = packet_next(r);
		if (packet < 0)
			return -1;
		r->packet = packet ? PACKET : NO_PACKET;
	}
	if (r->f.limited && r->f.frame == FRAME_LEN)
		n = wanted_of_frame(r, n);
	else if (r->f.limited && !r->packet)
		n = wanted(r, buf, n);
	if (n < 0)
		return -1;
	n = safe_read(r->f.fd, buf, n);
	if (n < 0 && errno != EAGAIN)
		bb_perror_msg_and_die("can't read '%s'", r->f.path);
	return n;
}

/* Adds what has come to the buffer; 0 if the last writer left. */
static size_t fill(struct reader *r)
{
	ssize_t n = -1;

	for (;;) {
		make_room(r);
		if (r->live && !bb_got_signal)
			n = fifor_read(r);
		if (n >= 0)
			break;
		if (is_abandoned(r))
			take_frames(r, 1);
		wait_for_message(r);
	}
	r->len += n;
	return n;
}

/* Until the end, or until splice(2) says that it cannot: read(2) and write(2) then tell why
 * or do it. Some kernels know no SPLICE_F_NONBLOCK for a FIFO, but take its O_NONBLOCK. */
static int splice_raw(struct reader *r)
{
	unsigned flags = SPLICE_F_NONBLOCK;
	ssize_t n;

	for (;;) {
		n = -1;
		errno = EAGAIN;
		if (r->live)
			n = splice(r->f.fd, NULL, STDOUT_FILENO, NULL, SPLICE_MAX, flags);
		if (n > 0) {
			r->f.bytes += n;
			r->deadline = fifo_deadline(r->f.timeout);
		} else if (n == 0) {
			if (!reopen(r))
				return 1;
		} else if (errno == EAGAIN) {
			fifo_poll(&(struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT }, 1,
				INT64_MAX);
			wait_for_message(r);
		} else if (errno == EOPNOTSUPP && flags) {
			flags = 0;
		} else {
			if (r->f.verbose > 0)
				bb_perror_msg("splice(2) stopped: read(2) and write(2) instead");
			return 0;
		}
	}
}

/* Prints the messages that are complete; the rest begins at the front of the buffer. */
static void take_lines(struct reader *r, size_t fresh)
{
	char *msg = r->buf, *limit = r->buf + r->len, *from = limit - fresh, *end;

	while ((end = memchr(from, r->end, limit - from))) {
		put_message(r, msg, end - msg, NULL);
		msg = from = end + 1;
	}
	r->len = limit - msg;
	memmove(r->buf, msg, r->len);
}

static void take(struct reader *r, size_t fresh)
{
	size_t old = r->len - fresh;
	int line = r->buf[r->len - 1] == '\n';

	if (r->f.frame == FRAME_RAW) {
		put_bytes(r, r->buf, fresh);
		r->f.bytes += fresh;
		r->len = 0;
	} else if (r->f.frame == FRAME_LEN) {
		take_frames(r, 0);
	} else if (r->packet == PACKET || (r->packet && !line)
		|| (r->f.frame == FRAME_AUTO && old == 0 && !memchr(r->buf, '\n', fresh))) {
		/* fifow sends an empty packet as a newline */
		put_message(r, r->buf + old, fresh - (line && fresh == 1), NULL);
		r->len = old;
	} else {
		take_lines(r, fresh);
	}
	if (r->f.frame == FRAME_AUTO)
		r->packet = r->packet && !line && !r->f.limited ? PACKET_LIKELY : NO_PACKET;
}

static void fifor_read_messages(struct reader *r)
{
	size_t fresh;

	for (;;) {
		fresh = fill(r);
		if (fresh)
			take(r, fresh);
		else if (!reopen(r))
			break;
	}
	flush_output(r);
}

/* Writers find a reader, and the queue stays, as long as CMD, which inherits the
 * descriptor, or without CMD until a signal. */
static int fifor_hold(struct reader *r, char **cmd)
{
	while (!*cmd) {
		fifo_poll(&(struct pollfd){ .fd = r->f.watch, .events = POLLIN }, 1, INT64_MAX);
		if (fifo_watch(&r->f))
			open_replacement(r);
	}
	fcntl(r->f.fd, F_SETFD, 0);
	fcntl(r->lock, F_SETFD, 0);
	xexec(cmd);
}

static int flush_queue(struct reader *r)
{
	uintmax_t total = 0;
	ssize_t n;

	make_room(r);
	while ((n = safe_read(r->f.fd, r->buf, r->size)) > 0)
		total += n;
	if (n < 0 && errno != EAGAIN)
		bb_perror_msg_and_die("can't read '%s'", r->f.path);
	xprintf(r->f.json ? "{\"flushed\":%ju}\n" : "flushed=%ju\n", total);
	return EXIT_SUCCESS;
}

int fifor_main(char **argv)
{
	static const char *const outputs[] = { "prefix", "plain", NULL };
	static const char *const eofs[] = { "wait", "exit", NULL };
	char *output = NULL, *eof = NULL;
	static struct reader r; /* read at exit */
	opts_t opts = getopt32(argv,
		FIFO_OPTIONS "0(null)o(output):e(eof):X(exclusive)-f(flush)-k(hold)",
		FIFO_ARGUMENTS(&r.f), &output, &eof);
	struct stat st;

	r.f.path = argv[optind];
	argv += optind + !!r.f.path;
	if (*argv && (!(opts & OPT('k')) || opts & OPT('u')))
		bb_show_usage("unexpected operand '%s'", *argv);
	r.exit_at_eof = xchoose("--eof", eof, eofs);
	r.prefix = xchoose("--output", output, outputs) || opts & OPT('J') ? "" : "read:";
	r.tty = isatty(STDOUT_FILENO);
	r.out_end = opts & OPT('0') ? '\0' : '\n';
	fifo_init(&r.f, opts);
	r.end = r.f.frame == FRAME_NUL ? '\0' : '\n';
	r.out = xmalloc(OUTPUT);
	r.old = r.lock = -1;
	fifo_create(&r.f);
	r.lock_kind = opts & OPT('X') ? LOCK_EX : LOCK_SH;
	open_reader(&r);
	if (opts & OPT('f'))
		return flush_queue(&r);
	if (opts & OPT('k'))
		return fifor_hold(&r, argv);
	r.deadline = fifo_deadline(r.f.open_arg ? r.f.open_timeout : r.f.timeout);
	r.out_chunk = pathconf(r.f.path, _PC_PIPE_BUF);
	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		r.out_chunk = OUTPUT;
	if (r.f.frame == FRAME_AUTO || r.f.limited)
		make_probe(&r);
	if (r.f.frame != FRAME_RAW || !splice_raw(&r))
		fifor_read_messages(&r);
	return EXIT_SUCCESS;
}
