/*
 * fifow - send messages through a named pipe, each of them whole
 *
 * SPDX-License-Identifier: 0BSD

config FIFOW
	bool "fifow"
	default y
	help
	  usage: fifow [options] FIFO [--] MESSAGE...
	     or: fifow [options] FIFO [-]     each line of stdin is a message
	     or: fifow [options] FIFO         stdin is a terminal: as --generate
	     or: fifow --hold [options] FIFO [-- CMD]

	  -p, --create[=MODE]  make the FIFO if missing (0600)
	  -u, --unlink         remove it at the end if we made it
	  -F, --frame=auto|line|packet|nul|len|raw
	                       auto (default): a line; a packet, if it has several; or
	                       line, nul: each ends so; packet: each is one read;
	                       len: any bytes, and a header that shows loss; raw
	  -0, --null           NUL, not newline, ends a message of stdin
	  -r, --raw            bytes of stdin as they come
	  -L, --lock           messages above PIPE_BUF too: as len frames; lines and NUL
	                       by name under a lock, where kill -9 cuts them
	  -t, --timeout D      for each message: 500ms, .5, 1m (else exit 124)
	      --open-timeout D   wait for a reader at most D
	  -N, --nonblock       no reader, or full: exit 3; with -E drop never fail
	  -E, --on-epipe=wait|drop|fail   when the last reader has left (wait)
	  -b, --buffer SIZE    read on while messages wait: SIZE bytes of them in memory
	  -D, --drop=none|newest|oldest   if those are too many: wait (none), or drop
	                       some; the reader gets a message "dropped N"
	      --drain[=D]      exit 0 only when all is read; else 124, or 3: no reader
	      --hold           send nothing: readers see no end, while CMD runs
	      --generate       send xiaoming0001, xiaoming0002 ... one a second
	  -n, --count N        stop after N       -i, --interval D   between messages
	  -z, --pipe-size SIZE|max                --stats  at the end and on SIGUSR1
	  -q, --quiet          -v, --verbose      -J, --json   for the statistics

	  Exit 0: all is in the pipe, and lost if the last reader leaves it there.
	  A shell's read takes bytes: of a packet it gets the first one only.
	  No order among writers. For all to see a message: mmapw.
*/
#include "fifow.h"

struct fifow_long {
	char *drain;
	int hold, generate;
};

/* With --interval: the time between two messages, and when the next one is due. */
struct pace {
	int64_t interval, next;
};

static void wait_for_input(void)
{
	fifo_poll(&(struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN }, 1, INT64_MAX);
}

static ssize_t read_input(char *buf, size_t size)
{
	int hints = 0;
	ssize_t n;

	do {
		fifo_rest(hints++, INT64_MAX);
		wait_for_input();
		n = safe_read(STDIN_FILENO, buf, size);
	} while (n < 0 && errno == EAGAIN);
	if (n < 0)
		bb_perror_msg_and_die("can't read standard input");
	return n;
}

/* Moves bytes until the end of stdin, or until splice(2) does not work. read(2) and write(2) then
 * move the bytes or report the error. Some kernels do not know SPLICE_F_NONBLOCK for a FIFO, but
 * obey the FIFO's O_NONBLOCK. Returns true at the end of stdin. */
static int splice_raw(struct writer *w)
{
	unsigned flags = SPLICE_F_NONBLOCK;
	ssize_t n;

	for (;;) {
		wait_for_input();
		n = splice(STDIN_FILENO, NULL, w->f.fd, NULL, SPLICE_MAX, flags);
		if (n == 0)
			return 1;
		if (n > 0) {
			w->f.count.bytes += n;
			w->false_hints = 0;
		} else if (errno == EAGAIN)
			(void)fifow_wait_for_room(w, fifo_deadline(w->f.asked.timeout));
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

	if (w->f.fd >= 0 && !(w->nonblock && w->on_epipe == EPIPE_DROP) && splice_raw(w))
		return;
	if (w->f.asked.verbose > 0)
		bb_perror_msg("no splice(2): read(2) and write(2) instead");
	buf = xmalloc(CHUNK);
	while ((n = read_input(buf, CHUNK)) > 0)
		if (fifow_send(w, buf, n, 0, fifo_deadline(w->f.asked.timeout)) == SENT)
			w->f.count.bytes += n;
		else
			w->f.count.dropped++;
}

/* With --interval, each message waits for its time. */
static void send_message(struct writer *w, struct fifow_output *out, struct pace *pace,
	const char *msg, size_t len)
{
	fifow_message_check(w, out, msg, len);
	if (pace->interval) {
		if (pace->next)
			(void)fifow_wait(w, -1, 0, 0, pace->next);
		pace->next = fifo_deadline(pace->interval);
	}
	fifow_message_put(w, out, msg, len);
}

/* Returns the next message of stdin, or NULL if no more come or are wanted. Messages that were put
 * together are sent before fifow waits for more. */
static char *next_of_input(struct writer *w, struct fifow_output *out, size_t *len)
{
	char *msg = NULL;

	while (w->f.left && !(msg = fifow_input_peek(&w->in, len)) && !w->in.eof) {
		fifow_message_flush(w, out);
		if (w->in.look)
			(void)fifo_poll(NULL, 0, w->in.look);
		wait_for_input();
		fifow_input_read(&w->in);
	}
	if (!msg)
		return NULL;
	fifow_input_take(&w->in, *len);
	w->f.left--;
	w->f.queued++;
	return msg;
}

/* The queue can fill while messages are sent. A message that comes while the queue is empty skips
 * the queue, but is copied, because the input buffer changes. */
static char *next_of_queue(struct writer *w, struct fifow_output *out, size_t *len, uintmax_t *lost)
{
	struct queue *q = &w->queue;
	char *msg;

	if (!q->used && !fifow_input_peek(&w->in, len))
		fifow_message_flush(w, out); /* Meanwhile the queue can fill. */
	msg = fifow_queue_pop(q, len, lost);
	if (msg || *lost)
		return msg;
	msg = next_of_input(w, out, len);
	return msg ? memcpy(fifow_queue_keep(q, *len), msg, *len) : NULL;
}

static void send_input(struct writer *w, struct fifow_output *out, struct pace *pace)
{
	uintmax_t lost = 0;
	size_t len;
	char *msg;

	for (;;) {
		msg = w->queue.size ? next_of_queue(w, out, &len, &lost)
			: next_of_input(w, out, &len);
		if (!msg && !lost)
			break;
		if (lost)
			fifow_message_tell_lost(w, out, lost);
		if (msg)
			send_message(w, out, pace, msg, len);
	}
	fifow_message_flush(w, out);
	errno = w->in.error;
	if (errno)
		bb_perror_msg_and_die("can't read standard input");
}

/* Sends what the tutorial's writer sends. */
static void send_names(struct writer *w, struct fifow_output *out, struct pace *pace)
{
	char msg[64];

	if (w->f.asked.verbose >= 0)
		bb_error_msg(
			"no message: sending xiaoming0001, xiaoming0002 ... (--help tells more)");
	for (uintmax_t n = 1; w->f.left; n++, w->f.left--) {
		w->f.queued++;
		send_message(w, out, pace, msg, scnprintf(msg, sizeof(msg), "xiaoming%04ju", n));
	}
}

static void send_operands(struct writer *w, struct fifow_output *out, struct pace *pace,
	char **msgs)
{
	uintmax_t n = 0;

	for (; msgs[n]; n++)
		/* All messages are checked first, so that all are sent, or none. */
		fifow_message_check(w, out, msgs[n], strlen(msgs[n]));
	fifo_create(&w->f);
	w->f.queued = n < w->f.left ? n : w->f.left;
	(void)fifow_find_reader(w, fifo_deadline(w->f.asked.timeout));
	for (; *msgs && w->f.left; msgs++, w->f.left--)
		send_message(w, out, pace, *msgs, strlen(*msgs));
}

static void make_input(struct writer *w, const char *buffer, int delimiter)
{
	struct queue *q = &w->queue;

	q->size = buffer ? xatosize("buffer size", buffer, 1, SIZE_MAX / 2) : 0;
	q->f = &w->f;
	if (q->size)
		q->ring = xmalloc(q->size);
	w->in.size = buffer && q->size < CHUNK ? q->size : CHUNK;
	w->in.buf = xmalloc(w->in.size);
	w->in.delimiter = delimiter;
}

/* Sends all messages that are not operands. The FIFO is opened before there is a message, since a
 * reader may wait for the open. --timeout counts from the first message. */
static void send_stream(struct writer *w, struct fifow_output *out, struct pace *pace, int names)
{
	fifo_create(&w->f);
	w->idle = !names;
	(void)fifow_find_reader(w, names ? fifo_deadline(w->f.asked.timeout) : INT64_MAX);
	w->idle = 0;
	w->first_due = INT64_MAX;
	if (names)
		send_names(w, out, pace);
	else if (w->in.buf)
		send_input(w, out, pace);
	else
		send_raw(w);
}

static void reopen(struct fifo *f)
{
	/* f is the first member of struct writer. */
	(void)fifow_find_reader((struct writer *)f, INT64_MAX);
}

static void fifow_hold(struct writer *w, char **cmd)
{
	fifo_create(&w->f);
	w->first_due = fifo_deadline(w->f.asked.timeout);
	(void)fifow_find_reader(w, INT64_MAX);
	fifo_hold(&w->f, cmd, w->first_due, reopen);
}

static void fifow_check_options(opts_t opts, const struct fifo_asked *asked,
	const struct fifow_long *l, int operands, int names)
{
	static const char *const exclude[] = {
		"raw:frame null lock count interval buffer drop generate MESSAGE",
		"hold:raw frame null lock count interval buffer drop drain generate on-epipe",
		"generate:null buffer drop lock MESSAGE",
		"nonblock:buffer timeout open-timeout",
		"MESSAGE:null buffer",
		"quiet:verbose",
		NULL
	};
	static const char *const need[] = { "drop:buffer", "unlink:create", NULL };
	const struct fifo_option options[] = {
		{ "raw", asked->frame == FRAME_RAW },
		{ "frame", asked->frame_named && asked->frame != FRAME_RAW },
		{ "null", !!(opts & OPT('0')) }, { "lock", !!(opts & OPT('L')) },
		{ "count", asked->limited }, { "interval", !!(opts & OPT('i')) },
		{ "buffer", !!(opts & OPT('b')) }, { "drop", !!(opts & OPT('D')) },
		{ "generate", names }, { "MESSAGE", operands && !l->hold },
		{ "hold", l->hold }, { "drain", l->drain != NULL },
		{ "on-epipe", !!(opts & OPT('E')) }, { "nonblock", !!(opts & OPT('N')) },
		{ "timeout", !!(opts & OPT('t')) },
		{ "open-timeout", asked->open_timeout != INT64_MAX },
		{ "quiet", !!(opts & OPT('q')) }, { "verbose", !!(opts & OPT('v')) },
		{ "unlink", !!(opts & OPT('u')) }, { "create", !!(opts & OPT('p')) },
		{ NULL, 0 }
	};

	fifo_exclude(options, exclude);
	fifo_need(options, need);
	if (l->hold && operands && opts & OPT('u'))
		bb_show_usage("--unlink and a command exclude each other: the command stays");
}

int fifow_main(char **argv)
{
	static const char *const drops[] = { "none", "newest", "oldest", NULL };
	static const char *const on_epipes[] = { "wait", "drop", "fail", NULL };
	char *interval = NULL, *on_epipe = NULL, *buffer = NULL, *drop = NULL;
	struct fifo_arguments a = { 0 };
	struct fifow_long l = { 0 };
	static struct writer w; /* the destructor of wait.c reads w.f */
	struct fifow_output out = { 0 };
	struct pace pace = { 0 };
	opts_t opts = getopt32(argv, FIFO_OPTIONS "0(null)L(lock)N(nonblock)E(on-epipe):"
		"i(interval):b(buffer):D(drop):(drain)::(hold)(generate)", FIFO_ARGUMENTS(&a),
		&on_epipe, &interval, &buffer, &drop, &l.drain, &l.hold, &l.generate);
	int64_t drain;
	int names, from_stdin;

	w.f.path = argv[optind];
	argv += optind + !!w.f.path;
	from_stdin = *argv && strcmp(*argv, "-") == 0 && !argv[1];
	argv += from_stdin;
	names = l.generate || (!*argv && !from_stdin && !l.hold && isatty(STDIN_FILENO));
	w.on_epipe = xchoose("--on-epipe", on_epipe, on_epipes);
	w.queue.drop = xchoose("--drop", drop, drops);
	pace.interval = interval ? xatodur("interval", interval) : names ? NS_PER_S : 0;
	w.nonblock = !!(opts & OPT('N'));
	w.first_due = INT64_MAX;
	drain = l.drain && *l.drain ? xatodur("time to drain", l.drain) : INT64_MAX;
	fifo_init(&w.f, opts, &a);
	fifow_check_options(opts, &w.f.asked, &l, *argv || (from_stdin && names), names);
	if (names && !w.f.asked.frame_named)
		w.f.asked.frame = FRAME_PACKET;
	else if (!*argv && w.f.asked.frame != FRAME_RAW && !l.hold)
		make_input(&w, buffer, opts & OPT('0') ? '\0' : '\n');
	w.atomic = pathconf(w.f.path, _PC_PIPE_BUF);
	fifow_message_init(&w, &out, !!(opts & OPT('L')));
	out.at_once |= pace.interval != 0;
	out.foreign = *argv || w.in.delimiter != out.end;
	if (l.hold)
		fifow_hold(&w, argv);
	else if (*argv)
		send_operands(&w, &out, &pace, argv);
	else
		send_stream(&w, &out, &pace, names);
	fifow_message_flush(&w, &out);
	if (l.drain)
		fifow_drain(&w, drain);
	return EXIT_SUCCESS;
}
