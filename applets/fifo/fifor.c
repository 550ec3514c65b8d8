/*
 * fifor - print the messages that come through a named pipe
 *
 * SPDX-License-Identifier: 0BSD

config FIFOR
	bool "fifor"
	default y
	help
	  usage: fifor [options] FIFO
	     or: fifor --hold [options] FIFO [-- CMD]

	  Print read:MESSAGE, a line for each message, for ever: writers come and go.
	  -o, --output=plain   bare messages, without read: (--output=prefix)
	  -0, --null           end messages with NUL    -J, --json   one object each
	  -r, --raw            bytes as they come: a cat that stays
	      --bytes N        with -r: take N bytes, leave the rest, exit 0
	  -F, --frame=auto|line|packet|nul|len|raw   how fifow sends; auto
	                       (default), all of them: newline and NUL end a message of
	                       plain bytes; no more than PIPE_BUF at once need no end
	  -e, --eof=exit       exit 0 when the last writer leaves (--eof=wait)
	  -n, --count N        exit 0 after N messages, and those in parts that began
	                       before; several such readers take turns
	  -t, --timeout D      exit 124 if no message comes within D: .5, 500ms, 1m
	      --open-timeout D   the same for the first writer
	  -p, --create[=MODE]  make the FIFO if missing (0600)
	  -u, --unlink         remove it at the end if we made it
	  -X, --exclusive      refuse to be a second fifor, or to let one in (exit 3)
	      --flush          throw away what is queued, print flushed=BYTES
	      --hold           read nothing: writers see a reader and never the end of
	                       the last one; the queue stays while CMD runs, or for -t
	  -z, --pipe-size SIZE|max     --stats at the end and on SIGUSR1
	  -q, --quiet          -v, --verbose

	  Exit 0: each message that was taken is printed; some of another writer may
	  be left. A message goes to one reader only; for all to see it: mmapr.
*/
#include "fifor.h"

struct fifor_long {
	int flush, hold;
	char *bytes;
};

/* After RUNS runs of one end, fifor looks at the name, the other ends and the signals, even if the
 * writer never stops. */
enum { RUNS = 16 };

static NORETURN void time_out(struct reader *r)
{
	for (struct end *e = r->ends.named; e; e = e->older)
		fifor_text_settle(r, e);
	fifor_frames_end(r);
	fifor_flush_output(r);
	if (!r->f.left)
		exit(EXIT_SUCCESS);
	bb_error_msg("timed out: no message in '%s'", r->f.path);
	exit(EXIT_TIMED_OUT);
}

/* stdout is watched, too: if its reader has gone, no message may be taken. */
static enum fifo_event wait_for_event(struct reader *r)
{
	struct pollfd *fd = r->ends.fds;
	enum fifo_event event;

	fifor_flush_output(r);
	fifor_end_turn(r);
	r->f.unsaved = 0;
	r->f.queued = fifor_is_pending(r); /* Such messages are lost if a signal ends fifor. */
	r->f.count.waits++;
	*fd++ = (struct pollfd){ .fd = STDOUT_FILENO };
	for (struct end *e = r->ends.named; e; e = e->older)
		*fd++ = (struct pollfd){ .fd = e->fd, .events = POLLIN };
	event = fifo_wait(&r->f, r->ends.fds, fd - r->ends.fds, r->deadline);
	r->f.queued = 0;
	return event;
}

/* Returns the oldest end that has something to read, or whose last writer has left. A writer to an
 * older FIFO that never stops must not keep the others away for ever. */
static struct end *choose_end(struct reader *r)
{
	const struct pollfd *fd = r->ends.fds + 1;
	struct end *chosen = r->ends.named;

	if (!fd->revents || r->ends.served_older < RUNS)
		for (struct end *e = r->ends.named; e; e = e->older)
			if ((fd++)->revents)
				chosen = e;
	r->ends.served_older = chosen == r->ends.named ? 0 : r->ends.served_older + 1;
	return chosen;
}

static struct end *wait_for_end(struct reader *r)
{
	const struct pollfd *out;
	enum fifo_event event;
	struct end *e;

	while ((event = wait_for_event(r)) == FIFO_MOVED)
		fifor_open(r);
	if (event == FIFO_LATE)
		time_out(r);
	out = r->ends.fds;
	if (out->revents) {
		errno = EPIPE;
		fifor_output_failed();
	}
	e = choose_end(r);
	if (r->f.asked.open_timeout != INT64_MAX && !fifor_is_false_end(r, e)) {
		r->f.asked.open_timeout = INT64_MAX;
		r->deadline = fifo_deadline(r->f.asked.timeout);
	}
	return e;
}

/* After a signal nothing more is taken out of the pipe, but what was taken is printed. */
static ssize_t take_run(struct reader *r, struct end *e)
{
	struct run run;
	ssize_t n;

	if (!r->feed.bytes.held && bb_got_signal) {
		errno = EAGAIN;
		return -1;
	}
	if (!fifor_take_turn(r))
		time_out(r);
	n = fifor_feed_next(r, e, &run);
	e->some |= n > 0;
	if (n > 0)
		fifor_feed_take(r, e, fifor_text_take(r, e, &run));
	return n;
}

/* poll(2) has reported data, but there was none. The deadline is checked here, because on a kernel
 * that always does so no poll(2) ends at the deadline. */
static void pause_after_false_hints(struct reader *r, int hints)
{
	fifo_rest(hints, r->deadline);
	if (hints && monotonic_ns() >= r->deadline)
		time_out(r);
}

static void fifor_read_messages(struct reader *r)
{
	int hints = 0, writers = 1;
	struct end *e;
	ssize_t n;

	while (fifor_wants_more(r) && writers) {
		e = wait_for_end(r);
		n = take_run(r, e);
		if (n == 0 && fifor_is_false_end(r, e))
			n = -1;
		hints = n < 0 ? hints + 1 : 0;
		pause_after_false_hints(r, hints);
		/* What was taken out of the pipe is printed before anything else is waited for. */
		for (int i = 0; n > 0 && (i < RUNS || r->feed.bytes.held) && fifor_wants_more(r);
			i++)
			n = take_run(r, e);
		if (n == 0)
			writers = fifor_next_writer(r, e);
	}
	fifor_flush_output(r);
}

/* Returns true if splice(2) does not work here. read(2) and write(2) then move the bytes or report
 * the error. Some kernels do not know SPLICE_F_NONBLOCK for a FIFO, but obey the FIFO's
 * O_NONBLOCK. */
static int splice_fails(struct reader *r, unsigned *flags)
{
	if (errno == EOPNOTSUPP && *flags) {
		*flags = 0;
		return 0;
	}
	if (r->f.asked.verbose > 0)
		bb_perror_msg("splice(2) stopped: read(2) and write(2) instead");
	return 1;
}

/* Returns the bytes that one call has moved, 0 if the last writer has left, or -1 if nothing has
 * come. */
static ssize_t move_raw(struct reader *r, int fd, int *spliced, unsigned *flags)
{
	size_t most = r->bytes < SPLICE_MAX ? r->bytes : SPLICE_MAX;
	static char buf[OUTPUT];
	ssize_t n = -1;

	if (*spliced)
		n = splice(fd, NULL, STDOUT_FILENO, NULL, most, *flags);
	if (*spliced && n < 0 && errno != EAGAIN)
		*spliced = !splice_fails(r, flags);
	if (*spliced)
		return n;
	n = safe_read(fd, buf, most < OUTPUT ? most : OUTPUT);
	if (n < 0 && errno != EAGAIN)
		bb_perror_msg_and_die("can't read '%s'", r->f.path);
	if (n > 0)
		fifor_put_bytes(r, buf, n);
	return n;
}

static void read_raw(struct reader *r)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	unsigned flags = SPLICE_F_NONBLOCK;
	int spliced = 1, hints = 0, writers = 1, i;
	struct end *e;
	ssize_t n;

	while (r->bytes && writers) {
		(void)fifo_poll(&out, 1, INT64_MAX);
		e = wait_for_end(r);
		n = 1;
		for (i = 0; i < RUNS && n > 0 && r->bytes; i++) {
			n = move_raw(r, e->fd, &spliced, &flags);
			if (n > 0) {
				e->some = 1;
				r->f.count.bytes += n;
				r->bytes -= r->bytes == UINTMAX_MAX ? 0 : n;
				r->deadline = fifo_deadline(r->f.asked.timeout);
			}
		}
		if (n == 0 && fifor_is_false_end(r, e))
			n = -1;
		/* After a call that brought bytes, a drained FIFO is no false hint. */
		hints = n < 0 && i == 1 ? hints + 1 : 0;
		pause_after_false_hints(r, hints);
		if (n == 0)
			writers = fifor_next_writer(r, e);
	}
	fifor_flush_output(r);
}

static void reopen(struct fifo *f)
{
	fifor_open((struct reader *)f); /* f is the first member of struct reader. */
}

static void fifor_hold(struct reader *r, char **cmd)
{
	if (*cmd && r->others.lock >= 0)
		fcntl(r->others.lock, F_SETFD, 0);
	fifo_hold(&r->f, cmd, fifo_deadline(r->f.asked.timeout), reopen);
}

/* A writer that was blocked in open(2) goes on when fifor opens the FIFO, and its message is thrown
 * away, too. So fifor waits a moment for such a message, to count it. A writer that never stops
 * does not keep fifor. */
static int flush_queue(struct reader *r)
{
	struct pollfd in = { .fd = r->f.fd, .events = POLLIN };
	int64_t end = fifo_deadline(LONGEST_PAUSE);
	uintmax_t total = 0;
	int queued = 0, hints = 0;
	char buf[4096];
	ssize_t n = 1;

	(void)ioctl(r->f.fd, FIONREAD, &queued);
	while (n && (monotonic_ns() < end || (n > 0 && total < (uintmax_t)queued))
	       && fifo_poll(&in, 1, end)) {
		n = safe_read(r->f.fd, buf, sizeof(buf));
		if (n < 0 && errno != EAGAIN)
			bb_perror_msg_and_die("can't read '%s'", r->f.path);
		total += n > 0 ? n : 0;
		hints = n < 0 ? hints + 1 : 0;
		fifo_rest(hints, end);
	}
	xprintf(r->f.asked.json ? "{\"flushed\":%ju}\n" : "flushed=%ju\n", total);
	return EXIT_SUCCESS;
}

static void fifor_check_options(opts_t opts, const struct fifo_asked *asked,
	const struct fifor_long *l)
{
	static const char *const exclude[] = {
		"raw:frame json null output count",
		"json:null output",
		"flush:hold raw frame null output eof count timeout open-timeout bytes pipe-size",
		"hold:raw frame null output eof count json open-timeout bytes",
		"quiet:verbose",
		NULL
	};
	static const char *const need[] = { "bytes:raw", "unlink:create", NULL };
	const struct fifo_option options[] = {
		{ "raw", asked->frame == FRAME_RAW },
		{ "frame", asked->frame_named && asked->frame != FRAME_RAW },
		{ "json", asked->json }, { "null", !!(opts & OPT('0')) },
		{ "output", !!(opts & OPT('o')) }, { "eof", !!(opts & OPT('e')) },
		{ "count", asked->limited }, { "bytes", l->bytes != NULL },
		{ "timeout", !!(opts & OPT('t')) },
		{ "open-timeout", asked->open_timeout != INT64_MAX },
		{ "pipe-size", asked->size_named }, { "flush", l->flush }, { "hold", l->hold },
		{ "quiet", !!(opts & OPT('q')) }, { "verbose", !!(opts & OPT('v')) },
		{ "unlink", !!(opts & OPT('u')) }, { "create", !!(opts & OPT('p')) },
		{ NULL, 0 }
	};

	fifo_exclude(options, exclude);
	fifo_need(options, need);
}

static void prepare_output(struct reader *r)
{
	struct fifor_output *out = &r->out;
	struct stat st;

	/* Not every kernel's poll(2) reports a descriptor that cannot be written to (gVisor). */
	if (safe_write(STDOUT_FILENO, "", 0) < 0 && errno == EBADF)
		fifor_output_failed();
	out->tty = isatty(STDOUT_FILENO);
	out->buf = xmalloc(OUTPUT);
	out->chunk = r->atomic;
	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		out->chunk = OUTPUT;
}

static int read_fifo(struct reader *r)
{
	int64_t open_timeout = r->f.asked.open_timeout;

	r->deadline = fifo_deadline(
		open_timeout != INT64_MAX ? open_timeout : r->f.asked.timeout);
	prepare_output(r);
	if (r->f.asked.limited)
		r->others.turn = open(
			fifo_directory(r->f.path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fifor_feed_init(r);
	fifor_frames_init(r);
	if (r->f.asked.frame == FRAME_RAW)
		read_raw(r);
	else
		fifor_read_messages(r);
	return EXIT_SUCCESS;
}

int fifor_main(char **argv)
{
	static const char *const outputs[] = { "prefix", "plain", NULL };
	static const char *const eofs[] = { "wait", "exit", NULL };
	char *output = NULL, *eof = NULL;
	struct fifo_arguments a = { 0 };
	struct fifor_long l = { 0 };
	static struct reader r; /* the destructor of wait.c reads r.f */
	opts_t opts = getopt32(argv,
		FIFO_OPTIONS "0(null)o(output):e(eof):X(exclusive)(flush)(hold)(bytes):",
		FIFO_ARGUMENTS(&a), &output, &eof, &l.flush, &l.hold, &l.bytes);

	r.f.path = argv[optind];
	argv += optind + !!r.f.path;
	if (*argv && (!l.hold || opts & OPT('u')))
		bb_show_usage("unexpected operand '%s'", *argv);
	r.exit_at_eof = xchoose("--eof", eof, eofs);
	fifo_init(&r.f, opts, &a);
	fifor_check_options(opts, &r.f.asked, &l);
	r.bytes = l.bytes ? xatosize("number of bytes", l.bytes, 1, UINTMAX_MAX - 1) : UINTMAX_MAX;
	r.out.prefix = xchoose("--output", output, outputs) || r.f.asked.json ? "" : "read:";
	r.out.end = opts & OPT('0') ? '\0' : '\n';
	r.others.lock = r.others.turn = -1;
	fifo_create(&r.f);
	r.others.kind = opts & OPT('X') ? EXCLUSIVE : l.hold ? NO_READER : SHARED;
	fifor_open(&r);
	fifor_look_for_false_end(&r);
	r.atomic = pathconf(r.f.path, _PC_PIPE_BUF);
	if (l.flush)
		return flush_queue(&r);
	if (l.hold)
		fifor_hold(&r, argv);
	return read_fifo(&r);
}
