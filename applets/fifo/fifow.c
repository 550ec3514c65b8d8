/*
 * fifow - send messages through a named pipe, each of them whole
 *
 * SPDX-License-Identifier: 0BSD

config FIFOW
	bool "fifow"
	default y
	help
	  usage: fifow [options] FIFO MESSAGE...
	     or: fifow [options] FIFO [-]     each line of stdin is a message
	     or: fifow [options] FIFO         stdin is a terminal or /dev/null:
	                                      xiaoming0001 ... one a second
	  -p, --create[=MODE]  make the FIFO if missing (0600)
	  -u, --unlink         remove it at the end if we made it
	  -F, --frame=KIND     one message is one read (packet; the default where
	                       the kernel can), ends with a newline (line) or a NUL
	                       (nul), has a header that shows loss (len)
	  -0, --null           NUL, not newline, ends a message of stdin
	  -r, --raw            bytes of stdin as they come
	  -L, --lock           messages above PIPE_BUF stay whole too
	  -t, --timeout D      for each message: 500ms, 2, 1m (else exit 124)
	      --open-timeout D   wait for a reader at most D
	  -N, --nonblock       no reader, or full: exit 3 at once
	  -E, --on-epipe=wait|drop|fail   when the last reader has left (wait)
	  -b, --buffer SIZE    read on while messages wait: SIZE bytes of them in memory
	  -D, --drop=none|newest|oldest   if those are too many: wait (none), or drop
	                       some; the reader gets a message "dropped N"
	  -n, --count N        stop after N       -i, --interval D   between messages
	  -z, --pipe-size SIZE|max                --stats at the end and on SIGUSR1
	  -q, --quiet          -v, --verbose      -J, --json   for the statistics

	  No order among writers, no acknowledgement; for all to see it: mmapw.
*/
#include <endian.h>
#include <sys/sysmacros.h>
#include "fifow.h"

enum { SPLICE_MAX = 1024 * 1024 };

static void check_message(struct writer *w, const char *msg, size_t len)
{
	int tail = w->end >= 0;
	int foreign = w->foreign && tail && memchr(msg, w->end, len);
	int large = len + tail > w->atomic && (!w->large || w->f.frame == FRAME_PACKET);

	if (foreign || large || len > FIFO_MAX_MESSAGE)
		flush_messages(w); /* what came before goes before we end */
	if (foreign)
		bb_error_msg_and_die(
			"a message contains a %s: use --frame=len", w->end ? "newline" : "NUL");
	if (large)
		bb_error_msg_and_die("message of %zu bytes%s is larger than PIPE_BUF (%zu): "
			"use %s--frame=len", len, tail ? " with its end" : "", w->atomic,
			w->large ? "" : "--lock or ");
	if (len > FIFO_MAX_MESSAGE)
		bb_error_msg_and_die(
			"message of %zu bytes is larger than %d", len, FIFO_MAX_MESSAGE);
}

/* A write(2) of at most PIPE_BUF is whole (pipe(7)), be it one message or many of them: those
 * that are there already go together. A packet is one message by nature, -N tells for each
 * one whether it is full, and with an interval there is no other one. */
static void fifow_append(struct writer *w, const void *data, size_t len)
{
	memcpy(w->out + w->out_len, data, len);
	w->out_len += len;
}

/* An empty packet cannot be, for write(2) of 0 bytes does nothing (pipe(2)): it goes as a
 * newline. */
static void fifow_put(struct writer *w, const char *msg, size_t len, int counted)
{
	struct fifo_header h = { htole32(FIFO_MAGIC), htole32(len), htole32(w->pid), 0, 0 };
	size_t head = w->f.frame == FRAME_LEN ? sizeof(h) : 0;
	size_t tail = w->end >= 0 || (!head && !len), size = head + len + tail;

	if (w->out_len + size > w->atomic)
		flush_messages(w);
	if (w->out_size < size)
		w->out = xrealloc(w->out, w->out_size = 2 * size + w->atomic);
	if (head) {
		h.seq = htole32(++w->seq);
		h.crc = htole32(fifo_crc(&h, msg, len));
	}
	fifow_append(w, &h, head);
	fifow_append(w, msg, len);
	fifow_append(w, w->end ? "\n" : "", tail);
	w->out_messages += counted;
	w->out_bytes += counted ? len : 0;
	if (w->f.frame == FRAME_PACKET || w->nonblock || w->interval)
		flush_messages(w);
}

static void send_message(struct writer *w, const char *msg, size_t len)
{
	check_message(w, msg, len);
	if (w->interval) {
		if (w->next)
			fifow_wait(w, -1, 0, -1, w->next);
		w->next = fifo_deadline(w->interval);
	}
	fifow_put(w, msg, len, 1);
}

static ssize_t read_input(char *buf, size_t size)
{
	ssize_t n;

	do {
		await_input();
		n = safe_read(STDIN_FILENO, buf, size);
	} while (n < 0 && errno == EAGAIN);
	if (n < 0)
		bb_perror_msg_and_die("can't read standard input");
	return n;
}

/* Until the end, or until splice(2) says that it cannot: read(2) and write(2) then tell why
 * or do it. Some kernels know no SPLICE_F_NONBLOCK for a FIFO, but take its O_NONBLOCK. */
static int splice_raw(struct writer *w)
{
	unsigned flags = SPLICE_F_NONBLOCK;
	ssize_t n;

	for (;;) {
		await_input();
		n = splice(STDIN_FILENO, NULL, w->f.fd, NULL, SPLICE_MAX, flags);
		if (n == 0)
			return 1;
		if (n > 0)
			w->f.bytes += n;
		else if (errno == EAGAIN)
			await_room(w, fifo_deadline(w->f.timeout));
		else if (errno == EOPNOTSUPP && flags)
			flags = 0;
		else
			return 0;
	}
}

static void send_raw(struct writer *w)
{
	char *buf;
	ssize_t n;

	if (splice_raw(w))
		return;
	if (w->f.verbose > 0)
		bb_perror_msg("splice(2) stopped: read(2) and write(2) instead");
	buf = xmalloc(CHUNK);
	while ((n = read_input(buf, CHUNK)) > 0)
		if (write_whole(w, buf, n))
			w->f.bytes += n;
		else
			w->f.dropped++;
}

/* The reader is told, at the place where they are missing; with --frame=len their numbers
 * are missing too. */
static void tell(struct writer *w, uintmax_t lost)
{
	char msg[32];
	size_t len = scnprintf(msg, sizeof(msg), "dropped %ju", lost);

	w->seq += lost;
	fifow_put(w, msg, len, 0); /* no reader: none misses them */
}

static void send_queue(struct writer *w)
{
	uintmax_t lost;
	size_t len;
	char *msg;

	while ((msg = next_of_queue(w, &len, &lost)) || lost) {
		if (lost)
			tell(w, lost);
		if (msg)
			send_message(w, msg, len);
	}
}

static void send_input(struct writer *w)
{
	size_t len;
	char *msg;

	if (w->queue.size)
		send_queue(w);
	else
		while ((msg = next_of_input(w, &len)))
			send_message(w, msg, len);
	errno = w->in.error;
	if (errno)
		bb_perror_msg_and_die("can't read standard input");
}

/* What the tutorial's writer sends. */
static void send_names(struct writer *w)
{
	char msg[64];

	if (w->f.verbose >= 0)
		bb_error_msg(
			"no message: sending xiaoming0001, xiaoming0002 ... (--help tells more)");
	for (uintmax_t n = 1; w->f.left; n++, w->f.left--)
		send_message(w, msg, scnprintf(msg, sizeof(msg), "xiaoming%04ju", n));
}

/* Nobody has put anything on stdin: a terminal or /dev/null. */
static int no_input(void)
{
	struct stat st;

	return isatty(STDIN_FILENO)
		|| (fstat(STDIN_FILENO, &st) == 0 && S_ISCHR(st.st_mode)
			&& st.st_rdev == makedev(1, 3));
}

static void make_queue(struct writer *w, const char *size, int delimiter)
{
	w->queue.size = size ? xatosize("buffer size", size, 1, SIZE_MAX / 2) : 0;
	if (w->queue.size)
		w->queue.ring = xmalloc(w->queue.size);
	w->in.size = size && w->queue.size < CHUNK ? w->queue.size : CHUNK;
	w->in.buf = xmalloc(w->in.size);
	w->in.delimiter = delimiter;
}

int fifow_main(char **argv)
{
	static const char *const drops[] = { "none", "newest", "oldest", NULL };
	static const char *const on_epipes[] = { "wait", "drop", "fail", NULL };
	static const signed char ends[] = { -1, '\n', -1, '\0', -1, -1 }; /* by frame */
	char *interval = NULL, *on_epipe = NULL, *buffer = NULL, *drop = NULL;
	static struct writer w; /* read at exit */
	opts_t opts = getopt32(argv,
		FIFO_OPTIONS "0(null)L(lock)N(nonblock)E(on-epipe):i(interval):b(buffer):D(drop):",
		FIFO_ARGUMENTS(&w.f), &on_epipe, &interval, &buffer, &drop);
	int names, delimiter = opts & OPT('0') ? '\0' : '\n';

	w.f.path = argv[optind];
	argv += optind + !!w.f.path;
	names = !*argv && no_input();
	argv += *argv && strcmp(*argv, "-") == 0 && !argv[1]; /* stdin */
	w.on_epipe = xchoose("--on-epipe", on_epipe, on_epipes);
	w.queue.drop = xchoose("--drop", drop, drops);
	w.interval = interval ? xatodur("interval", interval) : names ? NS_PER_S : 0;
	w.nonblock = !!(opts & OPT('N'));
	fifo_init(&w.f, opts);
	if (opts & OPT('L') && w.f.frame == FRAME_AUTO)
		w.f.frame = FRAME_LINE; /* a packet cannot be longer */
	if (w.f.frame == FRAME_RAW && (interval || *argv))
		bb_show_usage("raw bytes come from stdin, and without intervals");
	if (buffer && (w.nonblock || w.f.frame == FRAME_RAW || names || *argv))
		bb_show_usage("--buffer is for messages of stdin that may wait");
	if (drop && !buffer)
		bb_show_usage("--drop needs --buffer: how much may wait");
	if (!*argv && !names)
		make_queue(&w, buffer, delimiter);
	w.end = ends[w.f.frame];
	w.large = opts & OPT('L') || w.f.frame == FRAME_LEN;
	w.pid = getpid();
	w.atomic = pathconf(w.f.path, _PC_PIPE_BUF);
	w.foreign = *argv || delimiter != w.end;
	for (int i = 0; argv[i]; i++)
		check_message(&w, argv[i], strlen(argv[i])); /* all or none */
	fifo_create(&w.f);
	fifow_wait_for_reader(&w, fifo_deadline(w.f.timeout));
	if (w.f.frame == FRAME_RAW)
		send_raw(&w);
	else if (names)
		send_names(&w);
	else if (!*argv)
		send_input(&w);
	for (; *argv && w.f.left; argv++, w.f.left--)
		send_message(&w, *argv, strlen(*argv));
	flush_messages(&w);
	return EXIT_SUCCESS;
}
