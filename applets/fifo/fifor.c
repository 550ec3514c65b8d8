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

enum { MS = 1000 * 1000, LONGEST_PAUSE = 100 * MS };

static int same_fifo(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && same_inode(&x, &y);
}

static void close_end(struct reader *r, struct end *e)
{
	fifor_text_settle(r, e);
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}

/* A writer to the old FIFO does not know that the name means another FIFO now, and may just have
 * begun. The old FIFO stays open until its writers have left. */
static void replace_end(struct reader *r)
{
	struct end named = r->end[NAMED];

	close_end(r, &r->end[BEFORE]);
	r->end[NAMED] = r->end[BEFORE]; /* The buffers can be used again. */
	r->end[BEFORE] = named;
	r->end[BEFORE].live = 1;
}

/* After the last writer has left, a reader's descriptor reports POLLHUP for ever. A new descriptor
 * reports nothing until the next writer comes (fifo(7); fs/pipe.c, f_version and w_counter). The
 * new descriptor is opened before the old one is closed, so that the pipe always has a reader and
 * keeps its content. */
static void open_reader(struct reader *r)
{
	struct end *e = &r->end[NAMED];
	int fd;

	do {
		fd = fifo_open(&r->f, O_RDONLY);
		if (e->fd >= 0 && same_fifo(e->fd, fd)) {
			close(e->fd);
		} else {
			if (e->fd >= 0)
				replace_end(r);
			fifor_exclude_others(r);
		}
		r->f.fd = e->fd = fd;
		e->live = e->some = 0;
	} while (fifo_watch(&r->f));
	if (e->fd >= 0)
		fifo_resize(&r->f);
}

static int is_hung_up(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1 && pfd.revents == POLLHUP;
}

/* Some kernels (gVisor) report POLLHUP even for a new descriptor, if there was a writer earlier. On
 * other kernels that happens only if a writer has come and left since the open, and hardly for two
 * descriptors in a row. */
static void look_for_false_hang_up(struct reader *r)
{
	int fd;

	if (r->f.fd < 0 || !is_hung_up(r->f.fd))
		return;
	fd = fifo_reopen(&r->f, O_RDONLY | O_NONBLOCK);
	r->hangs_up = fd >= 0 && is_hung_up(fd);
	if (fd >= 0)
		close(fd);
}

/* Returns false if fifor must exit when the last writer leaves. */
static int next_writer(struct reader *r, struct end *e)
{
	int some = e->some;

	fifor_text_settle(r, e);
	if (r->end[!(e - r->end)].fd < 0)
		fifor_frames_end(r);
	if (e == &r->end[BEFORE]) {
		close_end(r, e);
		return 1;
	}
	r->f.count.reconnects++;
	if (r->exit_at_eof)
		return 0;
	open_reader(r);
	if (!some)
		look_for_false_hang_up(r);
	return 1;
}

static NORETURN void time_out(struct reader *r)
{
	for (struct end *e = r->end; e < r->end + ENDS; e++)
		fifor_text_settle(r, e);
	fifor_frames_end(r);
	fifor_flush_output(r);
	if (!r->f.left)
		exit(EXIT_SUCCESS);
	bb_error_msg("timed out: no message in '%s'", r->f.path);
	exit(EXIT_TIMED_OUT);
}

/* stdout is watched, too: if its reader has gone, no message may be taken. */
static enum fifo_event wait_for_event(struct reader *r, struct pollfd *fds)
{
	enum fifo_event event;

	fifor_flush_output(r);
	fifor_end_turn(r);
	r->f.unsaved = 0;
	r->f.queued = fifor_is_pending(r); /* These are lost if a signal ends fifor. */
	r->f.count.waits++;
	for (int i = 0; i < ENDS; i++)
		fds[i] = (struct pollfd){ .fd = r->end[i].fd, .events = POLLIN };
	fds[ENDS] = (struct pollfd){ .fd = STDOUT_FILENO };
	event = fifo_wait(&r->f, fds, ENDS + 1, r->deadline);
	r->f.queued = 0;
	return event;
}

/* Returns an end that has something to read, or whose last writer has left. */
static struct end *wait_for_end(struct reader *r)
{
	struct pollfd fds[ENDS + 2]; /* The other two are stdout and the watch. */
	enum fifo_event event;
	struct end *e;

	while ((event = wait_for_event(r, fds)) == FIFO_MOVED)
		open_reader(r);
	if (event == FIFO_LATE)
		time_out(r);
	if (fds[ENDS].revents) {
		errno = fds[ENDS].revents & POLLNVAL ? EBADF : EPIPE;
		fifor_output_failed();
	}
	e = &r->end[fds[BEFORE].revents ? BEFORE : NAMED];
	if (r->f.asked.open_timeout != INT64_MAX && !(r->hangs_up && is_hung_up(e->fd))) {
		r->f.asked.open_timeout = INT64_MAX;
		r->deadline = fifo_deadline(r->f.asked.timeout);
	}
	e->live = 1;
	return e;
}

/* After a signal nothing more is taken out of the pipe, but what was taken is printed. */
static ssize_t take_run(struct reader *r, struct end *e)
{
	struct run run;
	ssize_t n;

	if (!r->feed.left && bb_got_signal) {
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

/* poll(2) has reported data, but there was none. Either another reader was faster, or the kernel
 * reports data wrongly. The pauses begin with the third time. The deadline is checked here, because
 * on such a kernel no poll(2) ends at the deadline. */
static void pause_after_false_hints(struct reader *r, int hints)
{
	int64_t pause = MS;

	for (int n = 3; n < hints && pause < LONGEST_PAUSE; n++)
		pause *= 2;
	if (hints < 3)
		return;
	(void)fifo_poll(NULL, 0, fifo_earlier(r->deadline, fifo_deadline(pause)));
	if (monotonic_ns() >= r->deadline)
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
		if (n == 0 && r->hangs_up && !e->some)
			n = -1;
		hints = n < 0 ? hints + 1 : 0;
		pause_after_false_hints(r, hints);
		while (n > 0 && fifor_wants_more(r))
			n = take_run(r, e);
		if (n == 0)
			writers = next_writer(r, e);
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
	int spliced = 1, hints = 0, writers = 1;
	struct end *e;
	ssize_t n;

	while (r->bytes && writers) {
		(void)fifo_poll(&out, 1, INT64_MAX);
		e = wait_for_end(r);
		for (n = 1; n > 0 && r->bytes; hints = n < 0 ? hints + 1 : 0) {
			n = move_raw(r, e->fd, &spliced, &flags);
			if (n > 0) {
				e->some = 1;
				r->f.count.bytes += n;
				r->bytes -= r->bytes == UINTMAX_MAX ? 0 : n;
				r->deadline = fifo_deadline(r->f.asked.timeout);
			}
		}
		if (n == 0 && r->hangs_up && !e->some)
			hints++;
		pause_after_false_hints(r, hints);
		if (n == 0 && !(r->hangs_up && !e->some))
			writers = next_writer(r, e);
	}
	fifor_flush_output(r);
}

static void reopen(struct fifo *f)
{
	open_reader((struct reader *)f); /* f is the first member of struct reader. */
}

static void fifor_hold(struct reader *r, char **cmd)
{
	if (*cmd && r->others.lock >= 0)
		fcntl(r->others.lock, F_SETFD, 0);
	fifo_hold(&r->f, cmd, fifo_deadline(r->f.asked.timeout), reopen);
}

/* A writer that was blocked in open(2) goes on when fifor opens the FIFO, and its message is thrown
 * away, too. So fifor waits a moment for such a message, to count it. */
static int flush_queue(struct reader *r)
{
	struct pollfd in = { .fd = r->f.fd, .events = POLLIN };
	uintmax_t total = 0;
	char buf[4096];
	ssize_t n = -1;

	while (n < 0 && fifo_poll(&in, 1, fifo_deadline(LONGEST_PAUSE))) {
		while ((n = safe_read(r->f.fd, buf, sizeof(buf))) > 0)
			total += n;
		if (n < 0 && errno != EAGAIN)
			bb_perror_msg_and_die("can't read '%s'", r->f.path);
	}
	xprintf(r->f.asked.json ? "{\"flushed\":%ju}\n" : "flushed=%ju\n", total);
	return EXIT_SUCCESS;
}

static void fifor_check_options(opts_t opts, const struct fifo_asked *asked,
	const struct fifor_long *l)
{
	static const char *const exclude[] = {
		"raw:frame json null count",
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
	static struct reader r; /* exit handlers read it */
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
	r.end[NAMED].fd = r.end[BEFORE].fd = r.others.lock = r.others.turn = -1;
	fifo_create(&r.f);
	r.others.kind = opts & OPT('X') ? EXCLUSIVE : l.hold ? NO_READER : SHARED;
	open_reader(&r);
	look_for_false_hang_up(&r);
	r.atomic = pathconf(r.f.path, _PC_PIPE_BUF);
	if (l.flush)
		return flush_queue(&r);
	if (l.hold)
		fifor_hold(&r, argv);
	return read_fifo(&r);
}
