/*
 * peer.c - the other end: wait for a reader, room or a lock, and write to it
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifow.h"

/* fifow waits for a reader in open(2) of the write end, the only call that a reader wakes in every
 * case. inotify(7) does not see a reader that is itself blocked in open(2), since IN_OPEN comes
 * after the open, and without a descriptor there is no poll(2). So a child blocks in open(2), while
 * the parent waits in ppoll(2) for the child, for signals, stdin and the deadline. The old
 * descriptor is kept until the next one is open, because the bytes that readers left in the pipe
 * are lost when the last descriptor is closed (fs/pipe.c, put_pipe_info). */

/* A packet takes a slot, and a pipe has 16 of them at first (pipe(7)). With more slots both ends
 * sleep less often. A message may then be old when it is read; --buffer avoids that. */
enum { SLOTS = 64 };

static void fill_queue(struct writer *w)
{
	size_t len;
	char *msg;

	while (w->f.left && (msg = fifow_input_peek(&w->in, &len))
	       && fifow_queue_push(&w->queue, msg, len)) {
		fifow_input_take(&w->in, len);
		w->f.left--;
	}
}

/* After a signal that will end fifow, nothing more is read from stdin. */
static int wants_input(struct writer *w)
{
	size_t len;

	return w->idle || (w->queue.size && w->f.left && !w->in.eof && !bb_got_signal
		&& !fifow_input_peek(&w->in, &len));
}

/* The first bytes of stdin start --timeout. If stdin ends without any, there is nothing to wait
 * for, and fifow exits. */
static void first_input(struct writer *w)
{
	w->idle = 0;
	if (!w->in.buf)
		return;
	fifow_input_read(&w->in);
	w->first_due = fifo_deadline(w->f.asked.timeout);
	if (!w->in.eof || w->in.len)
		return;
	errno = w->in.error;
	if (errno)
		bb_perror_msg_and_die("can't read standard input");
	exit(EXIT_SUCCESS);
}

/* The event is looked at before stdin is read, because a message that can be sent need not be
 * dropped. */
enum fifo_event fifow_wait(struct writer *w, int fd, int events, int watch, int64_t deadline)
{
	struct pollfd fds[3]; /* The last entry is for the watch. */
	enum fifo_event event;
	int unsaved = w->f.unsaved, input;
	int64_t end;

	w->f.unsaved |= w->queue.size && fd >= 0 && fd == w->f.fd;
	do {
		if (w->queue.size)
			fill_queue(w);
		input = wants_input(w);
		end = deadline;
		if (input && w->in.look > monotonic_ns()) {
			input = 0;
			end = fifo_earlier(end, w->in.look);
		}
		fds[0] = (struct pollfd){ .fd = fd, .events = events };
		fds[1] = (struct pollfd){ .fd = input ? STDIN_FILENO : -1, .events = POLLIN };
		if (watch)
			event = fifo_wait(&w->f, fds, 2, end);
		else
			event = fifo_poll(fds, 2, end) ? FIFO_READY : FIFO_LATE;
		if (event == FIFO_MOVED || fds[0].revents)
			break;
		if (event == FIFO_READY && w->idle) {
			first_input(w);
			deadline = fifo_earlier(deadline, w->first_due);
		} else if (event == FIFO_READY) {
			fifow_input_read(&w->in);
		}
		event = FIFO_LATE;
	} while (monotonic_ns() < deadline);
	w->f.unsaved = unsaved;
	return event;
}

/* The messages that have been read from stdin are lost now, so they are counted as dropped. */
static NORETURN void fifow_give_up(struct writer *w, const char *why)
{
	size_t len;

	while (w->in.buf && w->f.left && fifow_input_peek(&w->in, &len)) {
		fifow_input_take(&w->in, len);
		w->f.left--;
		w->f.count.dropped++;
	}
	bb_error_msg("%s'%s' %s", w->nonblock ? "" : "timed out: ", w->f.path, why);
	exit(w->nonblock ? EXIT_NOT_NOW : EXIT_TIMED_OUT);
}

static int set_packets(int fd, int on)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK | (on ? O_DIRECT : 0)) == 0;
}

/* Linux has packets since 3.4 (O_DIRECT in pipe(2)), but some other kernels with Linux's system
 * calls have none. */
static void try_packets(struct writer *w)
{
	if (w->pipe.no_packets || (set_packets(w->f.fd, 1) && set_packets(w->f.fd, 0)))
		return;
	w->pipe.no_packets = 1;
	if (w->f.asked.frame == FRAME_PACKET && w->f.asked.frame_named) {
		xfunc_error_retval = EXIT_UNSUPPORTED;
		bb_perror_msg_and_die("can't switch '%s' to packets", w->f.path);
	}
	if (w->f.asked.verbose > 0)
		bb_perror_msg("no packets here, but lines");
}

static int open_writer(struct writer *w)
{
	int frame = w->f.asked.frame, fd = fifo_open(&w->f, O_WRONLY);

	if (fd < 0)
		return -1;
	if (w->f.fd >= 0)
		close(w->f.fd);
	w->f.fd = fd;
	if (frame == FRAME_AUTO || frame == FRAME_PACKET)
		try_packets(w);
	w->pipe.lock = frame == FRAME_LINE || frame == FRAME_NUL;
	if (frame == FRAME_PACKET && !w->pipe.no_packets && !w->f.asked.size_named && w->in.buf
	    && !w->queue.size)
		w->f.asked.size = -SLOTS * getpagesize();
	fifo_resize(&w->f);
	return 0;
}

/* Makes a call that blocks, in a child that dies with this process: the wait for a lock or, without
 * fl, open(2). The child and this process share the lock, since they share the open file
 * (F_OFD_SETLKW in fcntl_locking(2)). FIFO_READY means that the child's call has returned. If it
 * has succeeded, the child still holds its end open. */
static enum fifo_event block_in_child(struct writer *w, struct flock *fl, int64_t deadline)
{
	pid_t parent = getpid();
	enum fifo_event event;
	int up[2];

	w->f.count.waits++;
	xpipe(up);
	w->f.child = xfork();
	if (w->f.child == 0) {
		die_with_parent(parent);
		if ((fl ? fcntl(w->f.fd, F_OFD_SETLKW, fl)
			: fifo_reopen(&w->f, O_WRONLY)) >= 0) {
			if (safe_write(up[1], "", 1) < 0)
				close(up[1]); /* This, too, wakes the parent. */
			pause();
		}
		_exit(EXIT_FAILURE);
	}
	close(up[1]);
	event = fifow_wait(w, up[0], POLLIN, 1, deadline);
	close(up[0]);
	return event;
}

/* A user who types messages sees why nothing happens. */
static void say_waiting(const struct writer *w)
{
	int verbose = w->f.asked.verbose;

	if (verbose > 0 || (verbose == 0 && isatty(STDIN_FILENO) && isatty(STDERR_FILENO)))
		bb_error_msg("waiting for a reader of '%s'", w->f.path);
}

int fifow_find_reader(struct writer *w, int64_t deadline)
{
	int64_t limit = fifo_earlier(fifo_deadline(w->f.asked.open_timeout), deadline), end;
	enum fifo_event event = FIFO_READY;
	int gone;

	for (int round = 0; open_writer(w) < 0; round++) {
		gone = errno != ENXIO;
		fifo_end_child(&w->f);
		if (w->nonblock && w->on_epipe == EPIPE_DROP)
			return 0;
		if (w->nonblock)
			fifow_give_up(w, "has no reader");
		if (round == 0)
			say_waiting(w);
		/* The first message may have come while an earlier reader was there. */
		end = fifo_earlier(limit, w->first_due);
		if (!fifo_watch(&w->f) || !gone)
			event = gone ? fifow_wait(w, -1, 0, 1, end) : block_in_child(w, NULL, end);
		if (event == FIFO_LATE)
			fifow_give_up(w, "has no reader");
	}
	fifo_end_child(&w->f);
	return 1;
}

/* Small messages exclude only a long message, not each other: each process locks the one byte whose
 * offset is the number of the process, and a long message locks all bytes. (A write-only descriptor
 * can take no shared lock.) */
static int set_lock(struct writer *w, size_t len, int type, struct flock *fl)
{
	*fl = (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_len = FIFO_WRITERS_LOCK };
	if (len <= w->atomic) {
		fl->l_start = getpid();
		fl->l_len = 1;
	}
	return fcntl(w->f.fd, F_OFD_SETLK, fl);
}

/* A process that can only read may take a shared lock, but no writer does. Such a lock is
 * ignored. */
static int held_by_reader(struct writer *w, const struct flock *wanted)
{
	struct flock fl = *wanted;

	fl.l_pid = 0;
	return fcntl(w->f.fd, F_OFD_GETLK, &fl) == 0 && fl.l_type == F_RDLCK;
}

/* Returns true if the lock is held, false if none is needed, or -1 if the message must be
 * dropped. */
static int fifow_lock(struct writer *w, size_t len, int64_t deadline)
{
	struct flock fl;

	while (set_lock(w, len, F_WRLCK, &fl) < 0) {
		if (errno != EAGAIN && errno != EACCES) {
			if (len <= w->atomic)
				return w->pipe.lock = 0;
			if (errno == EINVAL || errno == ENOSYS)
				/* Linux before 3.15 has no such locks. */
				xfunc_error_retval = EXIT_UNSUPPORTED;
			bb_perror_msg_and_die("can't lock '%s'", w->f.path);
		}
		if (held_by_reader(w, &fl))
			return 0;
		if (w->nonblock && w->on_epipe == EPIPE_DROP)
			return -1;
		if (w->nonblock || block_in_child(w, &fl, deadline) == FIFO_LATE)
			fifow_give_up(w, "is locked by another writer");
		fifo_end_child(&w->f);
	}
	return 1;
}

int fifow_wait_for_room(struct writer *w, int64_t deadline)
{
	int64_t look = fifo_after_hints(w->false_hints++);

	w->f.count.waits++;
	if (w->nonblock && w->on_epipe == EPIPE_DROP)
		return 0;
	if (w->nonblock)
		fifow_give_up(w, "is full");
	if (look)
		(void)fifow_wait(w, -1, 0, 0, fifo_earlier(deadline, look));
	if (monotonic_ns() >= deadline
		|| fifow_wait(w, w->f.fd, POLLOUT, 0, deadline) == FIFO_LATE)
		fifow_give_up(w, "is full");
	return 1;
}

/* Returns false if the message is dropped. */
static int next_reader(struct writer *w, int64_t deadline)
{
	if (w->on_epipe == EPIPE_FAIL)
		bb_error_msg_and_die("the last reader of '%s' has left", w->f.path);
	if (w->on_epipe == EPIPE_DROP) {
		(void)fifo_poll(NULL, 0, 0); /* fifo_poll looks at signals. */
		return open_writer(w) == 0; /* The name may mean another FIFO now. */
	}
	w->f.count.reconnects++;
	return fifow_find_reader(w, deadline);
}

/* A reader that leaves in the middle of a long line loses that message. The next reader gets the
 * message from the start, after the byte that ends the piece in the pipe. */
static int separate(struct writer *w, size_t done)
{
	if (done && w->f.asked.frame != FRAME_RAW && w->pipe.lock)
		/* The next write reports a missing reader. */
		(void)safe_write(w->f.fd, &w->end, 1);
	return 1;
}

/* write(2) appends even a packet to plain bytes that leave room in their page, and then it is none
 * (pipe_write in fs/pipe.c). splice(2) appends nothing. So a pipe of fifow's own makes the packet,
 * if it can. A read of one byte discards a packet that was not moved (pipe(2)). */
static ssize_t write_packet(struct writer *w, const char *buf, size_t len)
{
	int *own = w->pipe.own;
	ssize_t n;
	char c;

	if (!own[1] && pipe2(own, O_NONBLOCK | O_CLOEXEC) == 0 && !set_packets(own[1], 1))
		own[1] = -1;
	if (own[1] > 0 && safe_write(own[1], buf, len) > 0) {
		n = splice(own[0], NULL, w->f.fd, NULL, len, SPLICE_F_NONBLOCK);
		if (n < 0)
			(void)safe_read(own[0], &c, 1); /* This succeeds, so errno stays. */
		if (n > 0 || errno == EAGAIN || errno == EPIPE)
			return n;
	}
	if (!set_packets(w->f.fd, 1))
		bb_perror_msg_and_die("can't switch '%s' to packets", w->f.path);
	n = safe_write(w->f.fd, buf, len);
	(void)set_packets(w->f.fd, 0); /* It has worked before. errno stays. */
	return n;
}

/* The lock is released while nothing of the message is in the pipe. Once a part of a long line is
 * in the pipe, only the rest may follow: no time limit counts, and a signal has to wait. */
enum fifow_sent fifow_send(struct writer *w, const char *buf, size_t len, int packet,
	int64_t deadline)
{
	int raw = w->f.asked.frame == FRAME_RAW, nonblock = w->nonblock, held = 0, error;
	enum fifow_sent sent = SENT;
	struct flock fl;
	size_t done = 0;
	ssize_t n;

	if (w->f.fd < 0 && !fifow_find_reader(w, deadline))
		return DROPPED;
	while (done < len && sent == SENT) {
		if (w->pipe.lock && !held)
			held = fifow_lock(w, len, deadline);
		if (held < 0)
			return DROPPED;
		n = packet ? write_packet(w, buf, len)
			: safe_write(w->f.fd, buf + done, len - done);
		error = n < 0 ? errno : 0;
		done += error ? 0 : n;
		if (n > 0)
			w->false_hints = 0;
		if (held && (done == 0 || done == len || error == EPIPE))
			held = set_lock(w, len, F_UNLCK, &fl);
		if (!raw && done && done < len) {
			w->f.unsaved = 1;
			w->nonblock = 0;
			deadline = INT64_MAX;
		}
		if (error == EPIPE)
			sent = !next_reader(w, deadline) ? DROPPED
				: separate(w, done) && raw ? SENT : NEW_READER;
		else if (error == EAGAIN)
			sent = fifow_wait_for_room(w, deadline) ? SENT : DROPPED;
		else if (error) {
			errno = error;
			bb_perror_msg_and_die("can't write to '%s'", w->f.path);
		}
	}
	w->f.unsaved = 0;
	w->nonblock = nonblock;
	return sent;
}

/* A reader wakes a writer only if the pipe was full (fs/pipe.c, pipe_read). So fifow looks at the
 * pipe again and again, with growing pauses. Between two readers there may be a gap, so fifow waits
 * for the next reader for --open-timeout, or GAP_S seconds. */
void fifow_drain(struct writer *w, int64_t duration)
{
	enum { GAP_S = 3 };
	int64_t end = fifo_deadline(duration), left = INT64_MAX, pause = MS;
	struct pollfd pfd = { .fd = w->f.fd };
	int unread, before = 0;

	while (w->f.fd >= 0) {
		if (ioctl(w->f.fd, FIONREAD, &unread) < 0) {
			xfunc_error_retval = EXIT_UNSUPPORTED;
			bb_perror_msg_and_die("can't count what is unread in '%s'", w->f.path);
		}
		if (unread == 0)
			return;
		if (!(fifo_poll(&pfd, 1, 0) && pfd.revents & POLLERR))
			left = INT64_MAX;
		else if (left == INT64_MAX)
			left = w->nonblock || w->on_epipe != EPIPE_WAIT ? 0
				: fifo_deadline(w->f.asked.open_timeout == INT64_MAX
					? GAP_S * NS_PER_S : w->f.asked.open_timeout);
		if (monotonic_ns() >= fifo_earlier(end, left))
			break;
		pause = unread == before ? fifo_earlier(2 * pause, LONGEST_PAUSE) : MS;
		before = unread;
		(void)fifo_poll(NULL, 0, fifo_earlier(end, fifo_deadline(pause)));
	}
	if (w->f.fd < 0)
		return;
	bb_error_msg(left == INT64_MAX ? "timed out: %d bytes in '%s' are unread"
		: "%d bytes in '%s' are unread, and the last reader has left", unread, w->f.path);
	exit(left == INT64_MAX ? EXIT_TIMED_OUT : EXIT_NOT_NOW);
}
