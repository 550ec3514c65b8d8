/*
 * fifow - send messages through a named pipe, each of them whole
 *
 * SPDX-License-Identifier: 0BSD

config FIFOW
	bool "fifow"
	default y
	help
	  usage: fifow [options] FIFO MESSAGE...
	     or: fifow [options] FIFO [-]        each line of stdin is a message
	     or: fifow [options] FIFO            stdin is a terminal or /dev/null:
	                                         xiaoming0001 ... one a second

	  -p, --create[=MODE]    make the FIFO if it is missing (0600)
	  -u, --unlink           remove it at the end if we made it
	  -F, --frame=packet     one read of the reader is one message (default
	                         where the kernel can)
	  -F, --frame=line       a newline ends a message
	  -0, --null             NUL, not newline, ends a message of stdin
	  -r, --raw              bytes of stdin as they come
	  -n, --count N          stop after N messages
	  -i, --interval D       from one message to the next: 500ms, 2, 1m
	  -t, --timeout D        for each message to get into the FIFO (else 124)
	      --open-timeout D   wait for a reader at most D

	  A message of up to PIPE_BUF bytes never mixes with another writer's. If
	  the readers leave, it goes to the next one. No order among writers, no
	  acknowledgement, no network; for every reader to see it: mmapw.
*/
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include "libbb.h"

/* Waiting for a reader. open(2) of the write end is the only call that a reader wakes in
 * every case: inotify sees no reader that is itself blocked in open(2), since its IN_OPEN
 * comes after the open; and there is no poll(2) before there is a descriptor. So a child
 * blocks in open(2) while we wait in ppoll(2) for it, for signals and for the deadline.
 * The descriptor that we have is kept until the next one is open: what readers left in
 * the pipe would be lost with the last descriptor. */

enum { FRAME_LINE, FRAME_PACKET, FRAME_RAW };
enum { MAX_MESSAGE = 64 * 1024 * 1024, CHUNK = 64 * 1024 };

struct writer {
	const char *path;
	int fd;
	int frame, forced;	/* forced: the user asked for that frame */
	size_t atomic;		/* PIPE_BUF: up to here a write(2) is whole */
	int64_t timeout, open_timeout, interval;
	int64_t next;		/* when the next message is due */
	uintmax_t left;		/* messages still to send */
};

static void set_mode(struct writer *w)
{
	int flags = fcntl(w->fd, F_GETFL);

	if (w->frame == FRAME_PACKET && fcntl(w->fd, F_SETFL, flags | O_DIRECT) < 0) {
		if (w->forced) {
			xfunc_error_retval = EXIT_UNSUPPORTED;
			bb_perror_msg_and_die("can't switch '%s' to packets", w->path);
		}
		w->frame = FRAME_LINE;
	}
}

static int open_writer(struct writer *w)
{
	int fd = fifo_open(w->path, O_WRONLY);

	if (fd < 0)
		return -1;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = fd;
	set_mode(w);
	return 0;
}

static pid_t open_in_child(struct writer *w, int up[2])
{
	pid_t parent = getpid(), pid = xfork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent && open(w->path, O_WRONLY | O_CLOEXEC) >= 0
		    && safe_write(up[1], "", 1) == 1)
			pause();
		_exit(EXIT_FAILURE);
	}
	return pid;
}

static void await_reader(struct writer *w, int64_t deadline)
{
	int64_t end = fifo_deadline(w->open_timeout);
	int up[2], ready;
	pid_t child;

	if (end > deadline)
		end = deadline;
	while (open_writer(w) < 0) {
		xpipe(up);
		child = open_in_child(w, up);
		close(up[1]);
		ready = fifo_poll(&(struct pollfd){ .fd = up[0], .events = POLLIN }, 1, end);
		if (ready && open_writer(w) == 0)
			end = 0;
		close(up[0]);
		kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0); /* its status is our signal */
		if (end == 0)
			break;
		if (!ready) {
			bb_error_msg("timed out: '%s' has no reader", w->path);
			exit(EXIT_TIMED_OUT);
		}
	}
}

static void put(struct writer *w, const char *buf, size_t len)
{
	int64_t deadline = fifo_deadline(w->timeout);
	ssize_t n;

	while (len) {
		n = safe_write(w->fd, buf, len);
		if (n >= 0) {
			buf += n;
			len -= n;
		} else if (errno == EPIPE) {
			await_reader(w, deadline);
		} else if (errno != EAGAIN) {
			bb_perror_msg_and_die("can't write to '%s'", w->path);
		} else if (!fifo_poll(&(struct pollfd){ .fd = w->fd, .events = POLLOUT }, 1, deadline)) {
			bb_error_msg("timed out: '%s' is full", w->path);
			exit(EXIT_TIMED_OUT);
		}
	}
}

static void check_message(struct writer *w, const char *msg, size_t len)
{
	if (w->frame == FRAME_LINE && memchr(msg, '\n', len))
		bb_error_msg_and_die("a message contains a newline: use --frame=packet");
	len += w->frame == FRAME_LINE;
	if (len > w->atomic)
		bb_error_msg_and_die("message of %zu bytes is larger than PIPE_BUF (%zu)", len, w->atomic);
}

/* msg has room for one byte more. An empty packet cannot be: write(2) of 0 bytes does
 * nothing (pipe(2)), so it goes as a newline. */
static void send_message(struct writer *w, char *msg, size_t len)
{
	check_message(w, msg, len);
	msg[len] = '\n';
	if (w->frame == FRAME_LINE || len == 0)
		len++;
	if (w->interval) {
		if (w->next)
			fifo_poll(NULL, 0, w->next);
		w->next = fifo_deadline(w->interval);
	}
	put(w, msg, len);
	w->left--;
}

static ssize_t read_input(char *buf, size_t size)
{
	ssize_t n;

	do {
		fifo_poll(&(struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN }, 1, INT64_MAX);
		n = safe_read(STDIN_FILENO, buf, size);
	} while (n < 0 && errno == EAGAIN);
	if (n < 0)
		bb_perror_msg_and_die("can't read standard input");
	return n;
}

static void send_raw(struct writer *w)
{
	char *buf = xmalloc(CHUNK);
	ssize_t n;

	while ((n = read_input(buf, CHUNK)) > 0)
		put(w, buf, n);
}

/* One byte of the buffer stays free for send_message. */
static void send_input(struct writer *w, int delimiter)
{
	size_t size = CHUNK, len = 0, seen = 0;
	char *buf = xmalloc(size + 1), *msg, *end;
	ssize_t n;

	while (w->left && (n = read_input(buf + len, size - len)) > 0) {
		len += n;
		for (msg = buf; w->left && (end = memchr(buf + seen, delimiter, len - seen)); msg = end + 1) {
			send_message(w, msg, end - msg);
			seen = end + 1 - buf;
		}
		len -= msg - buf;
		memmove(buf, msg, len);
		seen = len;
		if (len == size) {
			if (size >= MAX_MESSAGE)
				bb_error_msg_and_die("message is larger than %zu bytes", size);
			buf = xrealloc(buf, (size *= 2) + 1);
		}
	}
	if (w->left && len)
		send_message(w, buf, len);
}

/* What the tutorial's writer sends. */
static void send_names(struct writer *w)
{
	char msg[64];

	bb_error_msg("no message: sending xiaoming0001, xiaoming0002 ... (--help tells more)");
	for (uintmax_t n = 1; w->left; n++)
		send_message(w, msg, sprintf(msg, "xiaoming%04ju", n));
}

/* Nobody has put anything on stdin: a terminal or /dev/null. */
static int no_input(void)
{
	struct stat st;

	return isatty(STDIN_FILENO)
		|| (fstat(STDIN_FILENO, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
}

static void set_frame(struct writer *w, const char *name, int raw)
{
	static const char names[][8] = { "line", "packet", "raw" };

	w->frame = raw ? FRAME_RAW : FRAME_PACKET;
	w->forced = name != NULL;
	if (!name)
		return;
	for (w->frame = 0; strcmp(name, names[w->frame]); w->frame++)
		if (w->frame == FRAME_RAW)
			bb_show_usage("invalid frame: '%s'", name);
}

static int64_t duration(const char *what, const char *str, int64_t none)
{
	return str ? xatodur(what, str) : none;
}

int fifow_main(char **argv)
{
	char *mode = NULL, *frame = NULL, *count = NULL, *interval = NULL, *timeout = NULL, *open_timeout = NULL;
	opts_t opts = getopt32(argv, "p(create)::u(unlink)F(frame):0(null)r(raw)n(count):i(interval):"
		"t(timeout):-o(open-timeout):", &mode, &frame, &count, &interval, &timeout, &open_timeout);
	struct writer w = { .fd = -1, .left = UINTMAX_MAX };
	int names;

	w.path = argv[optind];
	if (!w.path)
		bb_show_usage("which FIFO?");
	argv += optind + 1;
	names = !*argv && no_input();
	set_frame(&w, frame, !!(opts & OPT('r')));
	if (count)
		w.left = xatou_range("count", count, 1, UINTMAX_MAX);
	w.timeout = duration("timeout", timeout, INT64_MAX);
	w.open_timeout = duration("timeout", open_timeout, INT64_MAX);
	w.atomic = pathconf(w.path, _PC_PIPE_BUF);
	w.interval = duration("interval", interval, names ? NS_PER_S : 0);
	for (int i = 0; w.frame != FRAME_RAW && argv[i]; i++)
		check_message(&w, argv[i], strlen(argv[i])); /* all or none */
	fifo_init();
	if (opts & OPT('p'))
		fifo_create(w.path, mode, !!(opts & OPT('u')));
	await_reader(&w, fifo_deadline(w.timeout));
	if (w.frame == FRAME_RAW)
		send_raw(&w);
	else if (names)
		send_names(&w);
	else if (!*argv || (strcmp(*argv, "-") == 0 && !argv[1]))
		send_input(&w, opts & OPT('0') ? '\0' : '\n');
	else
		for (; *argv && w.left; argv++)
			send_message(&w, *argv, strlen(*argv));
	return EXIT_SUCCESS;
}
