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
	  -n, --count N        stop after N       -i, --interval D   between messages
	  -z, --pipe-size SIZE|max                --stats at the end and on SIGUSR1
	  -q, --quiet          -v, --verbose      -J, --json   for the statistics

	  No order among writers, no acknowledgement; for all to see it: mmapw.
*/
#include <endian.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include "libbb.h"

/* Waiting for a reader. open(2) of the write end is the only call that a reader wakes in
 * every case: inotify sees no reader that is itself blocked in open(2), since its IN_OPEN
 * comes after the open; and there is no poll(2) before there is a descriptor. So a child
 * blocks in open(2) while we wait in ppoll(2) for it, for signals and for the deadline.
 * The descriptor that we have is kept until the next one is open: what readers left in
 * the pipe would be lost with the last descriptor. */

enum { CHUNK = 64 * 1024, SPLICE_MAX = 1024 * 1024 };
enum { EPIPE_WAIT, EPIPE_DROP, EPIPE_FAIL };

struct writer {
	struct fifo f;
	size_t atomic;		/* PIPE_BUF: up to here a write(2) is whole */
	int end;		/* what ends a message in the pipe, or -1 */
	int foreign;		/* a message may contain that: it is not what ends our input */
	int lock, nonblock, on_epipe;
	int64_t interval, next;	/* next: when the next message is due */
	char *framed;		/* for a header and its message */
	size_t framed_size;
	uint32_t seq;
};

static NORETURN void give_up(struct writer *w, const char *why)
{
	bb_error_msg("%s'%s' %s", w->nonblock ? "" : "timed out: ", w->f.path, why);
	exit(w->nonblock ? EXIT_NOT_NOW : EXIT_TIMED_OUT);
}

static void set_frame(struct writer *w)
{
	int flags = fcntl(w->f.fd, F_GETFL);

	if (w->f.frame == FRAME_AUTO || w->f.frame == FRAME_PACKET) {
		if (fcntl(w->f.fd, F_SETFL, flags | O_DIRECT) == 0) {
			w->f.frame = FRAME_PACKET;
		} else if (w->f.frame_name) {
			xfunc_error_retval = EXIT_UNSUPPORTED;
			bb_perror_msg_and_die("can't switch '%s' to packets", w->f.path);
		} else {
			w->f.frame = FRAME_LINE;
			w->end = '\n';
			if (w->f.verbose > 0)
				bb_perror_msg("no packets here, but lines");
		}
	}
}

static int open_writer(struct writer *w)
{
	int fd = fifo_open(&w->f, O_WRONLY);

	if (fd < 0)
		return -1;
	if (w->f.fd >= 0)
		close(w->f.fd);
	w->f.fd = fd;
	set_frame(w);
	fifo_resize(&w->f);
	return 0;
}

/* What blocks, in a child that dies with us: a lock, which is ours since the open file is
 * the same (fcntl(2), open file description locks), or else open(2). True if it was done
 * before the deadline, or the name may mean another FIFO; the child still holds its end. */
static int block_in_child(struct writer *w, struct flock *fl, int64_t deadline, pid_t *child)
{
	pid_t parent = getpid();
	struct pollfd fds[] = { { .events = POLLIN }, { .fd = w->f.watch, .events = POLLIN } };
	int up[2], done;

	w->f.waits++;
	xpipe(up);
	*child = xfork();
	if (*child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent && (fl ? fcntl(w->f.fd, F_OFD_SETLKW, fl)
					    : open(w->f.path, O_WRONLY | O_CLOEXEC)) >= 0)
			if (safe_write(up[1], "", 1) == 1)
				pause();
		_exit(EXIT_FAILURE);
	}
	close(up[1]);
	fds[0].fd = up[0];
	done = fifo_poll(fds, ARRAY_SIZE(fds), deadline);
	close(up[0]);
	return done;
}

static void end_child(pid_t *child)
{
	if (*child > 0) {
		kill(*child, SIGKILL);
		(void)waitpid(*child, NULL, 0); /* its status is our signal */
	}
	*child = 0;
}

static void await_reader(struct writer *w, int64_t deadline)
{
	int64_t end = fifo_deadline(w->f.open_timeout);
	pid_t child = 0;
	int gone, come;

	if (end > deadline)
		end = deadline;
	while (open_writer(w) < 0) {
		gone = errno == ENOENT;
		end_child(&child);
		if (w->nonblock)
			give_up(w, "has no reader");
		if (w->f.verbose > 0)
			bb_error_msg("waiting for a reader of '%s'", w->f.path);
		come = fifo_watch(&w->f);
		if (!gone)
			come = block_in_child(w, NULL, end, &child);
		else if (!come)
			come = fifo_poll(
				&(struct pollfd){ .fd = w->f.watch, .events = POLLIN }, 1, end);
		if (!come)
			give_up(w, "has no reader");
	}
	end_child(&child);
}

/* Small messages exclude only a long one, not each other: they lock one byte of the FIFO,
 * another one in each process, the long one locks all. (A write-only descriptor can take no
 * shared lock.) */
static struct flock range(struct writer *w, size_t len, int type)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET };

	if (len <= w->atomic) {
		fl.l_start = getpid();
		fl.l_len = 1;
	}
	return fl;
}

static void lock(struct writer *w, size_t len, int64_t deadline)
{
	struct flock fl = range(w, len, F_WRLCK);
	pid_t child;

	while (fcntl(w->f.fd, F_OFD_SETLK, &fl) < 0) {
		if (errno == EINVAL || errno == ENOSYS)
			xfunc_error_retval = EXIT_UNSUPPORTED; /* before Linux 3.15 */
		if (errno != EAGAIN && errno != EACCES)
			bb_perror_msg_and_die("can't lock '%s'", w->f.path);
		if (w->nonblock || !block_in_child(w, &fl, deadline, &child))
			give_up(w, "is locked by another writer");
		end_child(&child);
	}
}

static int unlock(struct writer *w, size_t len)
{
	struct flock fl = range(w, len, F_UNLCK);

	return fcntl(w->f.fd, F_OFD_SETLK, &fl);
}

static void await_room(struct writer *w, int64_t deadline)
{
	w->f.waits++;
	if (w->nonblock
		|| !fifo_poll(&(struct pollfd){ .fd = w->f.fd, .events = POLLOUT }, 1, deadline))
		give_up(w, "is full");
}

/* False: the message is dropped. */
static int next_reader(struct writer *w, int64_t deadline)
{
	if (w->on_epipe == EPIPE_FAIL)
		bb_error_msg_and_die("the last reader of '%s' has left", w->f.path);
	if (w->on_epipe == EPIPE_DROP) {
		w->f.dropped++;
		return 0;
	}
	w->f.reconnects++;
	await_reader(w, deadline);
	return 1;
}

/* A reader that leaves in the middle of a long message costs that reader the message: the
 * next one gets it from the start, after the end of the piece that may be in the pipe.
 * The lock is not kept where nothing of the message is in the pipe yet. */
static int put(struct writer *w, const char *buf, size_t len)
{
	int64_t deadline = fifo_deadline(w->f.timeout);
	int held = 0, error;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		if (w->lock && !held)
			lock(w, len, deadline);
		held = w->lock;
		n = safe_write(w->f.fd, buf + done, len - done);
		error = n < 0 ? errno : 0;
		done += error ? 0 : n;
		if (held && (done == 0 || done == len || error == EPIPE))
			held = unlock(w, len);
		if (error == EPIPE) {
			if (!next_reader(w, deadline))
				return 0;
			if (done && w->end >= 0)
				(void)safe_write(
					w->f.fd, &(char){ w->end }, 1); /* no reader: seen next */
			if (w->f.frame != FRAME_RAW)
				done = 0;
		} else if (error == EAGAIN) {
			await_room(w, deadline);
		} else if (error) {
			errno = error;
			bb_perror_msg_and_die("can't write to '%s'", w->f.path);
		}
	}
	return 1;
}

static void check_message(struct writer *w, const char *msg, size_t len)
{
	if (w->foreign && w->end >= 0 && memchr(msg, w->end, len))
		bb_error_msg_and_die(
			"a message contains a %s: use --frame=len", w->end ? "newline" : "NUL");
	len += w->end >= 0;
	if (len > w->atomic && (!w->lock || w->f.frame == FRAME_PACKET))
		bb_error_msg_and_die("message of %zu bytes is larger than PIPE_BUF (%zu): "
			"use --lock or --frame=len", len, w->atomic);
	if (len > FIFO_MAX_MESSAGE)
		bb_error_msg_and_die(
			"message of %zu bytes is larger than %d", len, FIFO_MAX_MESSAGE);
}

static int put_framed(struct writer *w, const char *msg, size_t len)
{
	struct fifo_header h = {
		htole32(FIFO_MAGIC), htole32(len), htole32(getpid()), htole32(++w->seq), 0
	};

	h.crc = htole32(fifo_crc(&h, msg, len));
	if (sizeof(h) + len > w->framed_size)
		w->framed = xrealloc(w->framed, w->framed_size = 2 * (sizeof(h) + len));
	memcpy(w->framed, &h, sizeof(h));
	memcpy(w->framed + sizeof(h), msg, len);
	return put(w, w->framed, sizeof(h) + len);
}

/* msg has room for one byte more. An empty packet cannot be, for write(2) of 0 bytes does
 * nothing (pipe(2)): it goes as a newline. */
static void send_message(struct writer *w, char *msg, size_t len)
{
	size_t bytes = len;
	int sent;

	check_message(w, msg, len);
	if (w->interval) {
		if (w->next)
			fifo_poll(NULL, 0, w->next);
		w->next = fifo_deadline(w->interval);
	}
	msg[len] = w->end >= 0 ? w->end : '\n';
	if (w->f.frame == FRAME_LEN)
		sent = put_framed(w, msg, len);
	else
		sent = put(w, msg, len + (w->end >= 0 || len == 0));
	if (sent) {
		w->f.messages++;
		w->f.bytes += bytes;
	}
	w->f.left--;
}

static void await_input(void)
{
	fifo_poll(&(struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN }, 1, INT64_MAX);
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
		if (put(w, buf, n))
			w->f.bytes += n;
	free(buf);
}

/* One byte of the buffer stays free for send_message. */
static void send_input(struct writer *w, int delimiter)
{
	size_t size = CHUNK, len = 0, seen = 0;
	char *buf = xmalloc(size + 1), *msg, *end;
	ssize_t n;

	while (w->f.left && (n = read_input(buf + len, size - len)) > 0) {
		len += n;
		for (msg = buf; w->f.left && (end = memchr(buf + seen, delimiter, len - seen));
			msg = end + 1) {
			seen = end + 1 - buf;
			send_message(w, msg, end - msg);
		}
		len -= msg - buf;
		memmove(buf, msg, len);
		seen = len;
		if (len == size) {
			if (len > FIFO_MAX_MESSAGE)
				check_message(w, buf, len);
			buf = xrealloc(buf, (size *= 2) + 1);
		}
	}
	if (w->f.left && len)
		send_message(w, buf, len);
	free(buf);
}

/* What the tutorial's writer sends. */
static void send_names(struct writer *w)
{
	char msg[64];

	if (w->f.verbose >= 0)
		bb_error_msg(
			"no message: sending xiaoming0001, xiaoming0002 ... (--help tells more)");
	for (uintmax_t n = 1; w->f.left; n++)
		send_message(w, msg, sprintf(msg, "xiaoming%04ju", n));
}

/* Nobody has put anything on stdin: a terminal or /dev/null. */
static int no_input(void)
{
	struct stat st;

	return isatty(STDIN_FILENO)
		|| (fstat(STDIN_FILENO, &st) == 0 && S_ISCHR(st.st_mode)
			&& st.st_rdev == makedev(1, 3));
}

int fifow_main(char **argv)
{
	static const char *const on_epipes[] = { "wait", "drop", "fail", NULL };
	static const signed char ends[] = { -1, '\n', -1, '\0', -1, -1 }; /* by frame */
	char *interval = NULL, *on_epipe = NULL;
	static struct writer w = { .f.fd = -1, .f.watch = -1 }; /* read at exit */
	opts_t opts = getopt32(argv,
		FIFO_OPTIONS "0(null)L(lock)N(nonblock)E(on-epipe):i(interval):",
		FIFO_ARGUMENTS(&w.f), &on_epipe, &interval);
	int names, delimiter = opts & OPT('0') ? '\0' : '\n';

	w.f.path = argv[optind];
	argv += optind + !!w.f.path;
	names = !*argv && no_input();
	w.on_epipe = fifo_choose("--on-epipe", on_epipe, on_epipes);
	w.interval = interval ? xatodur("interval", interval) : names ? NS_PER_S : 0;
	w.nonblock = !!(opts & OPT('N'));
	fifo_init(&w.f, opts);
	if (opts & OPT('L') && w.f.frame == FRAME_AUTO)
		w.f.frame = FRAME_LINE; /* a packet cannot be longer */
	if (w.f.frame == FRAME_RAW && (interval || (*argv && (strcmp(*argv, "-") || argv[1]))))
		bb_show_usage("raw bytes come from stdin, and without intervals");
	w.end = ends[w.f.frame];
	w.lock = opts & OPT('L') || w.f.frame == FRAME_LEN;
	w.atomic = pathconf(w.f.path, _PC_PIPE_BUF);
	w.foreign = *argv || delimiter != '\n';
	for (int i = 0; argv[i]; i++)
		check_message(&w, argv[i], strlen(argv[i])); /* all or none */
	await_reader(&w, fifo_deadline(w.f.timeout));
	if (w.f.frame == FRAME_RAW)
		send_raw(&w);
	else if (names)
		send_names(&w);
	else if (!*argv || (strcmp(*argv, "-") == 0 && !argv[1]))
		send_input(&w, delimiter);
	else
		for (; *argv && w.f.left; argv++)
			send_message(&w, *argv, strlen(*argv));
	return EXIT_SUCCESS;
}
