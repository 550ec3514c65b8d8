/*
 * peer.c - the other end: wait for a reader, room or a lock, and write to it
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifow.h"

/* Waiting for a reader. open(2) of the write end is the only call that a reader wakes in
 * every case: inotify sees no reader that is itself blocked in open(2), since its IN_OPEN
 * comes after the open; and there is no poll(2) before there is a descriptor. So a child
 * blocks in open(2) while we wait in ppoll(2) for it, for signals, stdin and the deadline.
 * The descriptor that we have is kept until the next one is open: what readers left in
 * the pipe would be lost with the last descriptor. */

/* A packet takes a slot, and a pipe has 16 of them (pipe(7)): with more of them both ends
 * sleep less often. A message may be old when it is read; --buffer is for who minds. */
enum { SLOTS = 64 };

static NORETURN void fifow_give_up(struct writer *w, const char *why)
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
	w->lock = w->f.frame != FRAME_PACKET && w->f.frame != FRAME_RAW;
	if (w->f.frame == FRAME_PACKET && !w->f.size_arg && w->in.buf && !w->queue.size)
		w->f.size = -SLOTS * getpagesize();
	fifo_resize(&w->f);
	return 0;
}

/* What blocks, in a child that dies with us: a lock, which is ours since the open file is
 * the same (fcntl(2), open file description locks), or else open(2). True if it was done
 * before the deadline, or the name may mean another FIFO; the child still holds its end. */
static int block_in_child(struct writer *w, struct flock *fl, int64_t deadline)
{
	pid_t parent = getpid();
	int up[2], done;

	w->f.waits++;
	xpipe(up);
	w->f.child = xfork();
	if (w->f.child == 0) {
		die_with_parent(parent);
		if ((fl ? fcntl(w->f.fd, F_OFD_SETLKW, fl)
			: open(w->f.path, O_WRONLY | O_CLOEXEC)) >= 0)
			if (safe_write(up[1], "", 1) == 1)
				pause();
		_exit(EXIT_FAILURE);
	}
	close(up[1]);
	done = fifow_wait(w, up[0], POLLIN, w->f.watch, deadline);
	close(up[0]);
	return done;
}

void fifow_wait_for_reader(struct writer *w, int64_t deadline)
{
	int64_t end = fifo_deadline(w->f.open_timeout);
	int gone, come;

	if (end > deadline)
		end = deadline;
	while (open_writer(w) < 0) {
		gone = errno == ENOENT;
		fifo_end_child(&w->f);
		if (w->nonblock)
			fifow_give_up(w, "has no reader");
		if (w->f.verbose > 0)
			bb_error_msg("waiting for a reader of '%s'", w->f.path);
		come = fifo_watch(&w->f);
		if (!gone)
			come = block_in_child(w, NULL, end);
		else if (!come)
			come = fifow_wait(w, -1, 0, w->f.watch, end);
		if (!come)
			fifow_give_up(w, "has no reader");
	}
	fifo_end_child(&w->f);
}

/* Small messages exclude only a long one, not each other: they lock one byte of the FIFO,
 * another one in each process, the long one locks all. (A write-only descriptor can take no
 * shared lock.) */
static int set_lock(struct writer *w, size_t len, int type, struct flock *fl)
{
	*fl = (struct flock){ .l_type = type, .l_whence = SEEK_SET };
	if (len <= w->atomic) {
		fl->l_start = w->pid;
		fl->l_len = 1;
	}
	return fcntl(w->f.fd, F_OFD_SETLK, fl);
}

static int fifow_lock(struct writer *w, size_t len, int64_t deadline)
{
	struct flock fl;

	while (set_lock(w, len, F_WRLCK, &fl) < 0) {
		if (errno != EAGAIN && errno != EACCES) {
			if (len <= w->atomic)
				return w->lock = 0;
			if (errno == EINVAL || errno == ENOSYS)
				xfunc_error_retval = EXIT_UNSUPPORTED; /* before Linux 3.15 */
			bb_perror_msg_and_die("can't lock '%s'", w->f.path);
		}
		if (w->nonblock || !block_in_child(w, &fl, deadline))
			fifow_give_up(w, "is locked by another writer");
		fifo_end_child(&w->f);
	}
	return 1;
}

void await_room(struct writer *w, int64_t deadline)
{
	w->f.waits++;
	if (w->nonblock || !fifow_wait(w, w->f.fd, POLLOUT, -1, deadline))
		fifow_give_up(w, "is full");
}

/* False: the message is dropped. */
static int next_reader(struct writer *w, int64_t deadline)
{
	if (w->on_epipe == EPIPE_FAIL)
		bb_error_msg_and_die("the last reader of '%s' has left", w->f.path);
	if (w->on_epipe == EPIPE_DROP) {
		(void)fifo_poll(NULL, 0, 0); /* a signal */
		return open_writer(w) == 0; /* in another FIFO under the name */
	}
	w->f.reconnects++;
	fifow_wait_for_reader(w, deadline);
	return 1;
}

/* A reader that leaves in the middle of a long message costs that reader the message: the
 * next one gets it from the start, after the end of the piece that may be in the pipe.
 * The lock is not kept where nothing of the message is in the pipe yet. */
int write_whole(struct writer *w, const char *buf, size_t len)
{
	int64_t deadline = fifo_deadline(w->f.timeout);
	int held = 0, error;
	struct flock fl;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		if (w->lock && !held)
			held = fifow_lock(w, len, deadline);
		n = safe_write(w->f.fd, buf + done, len - done);
		error = n < 0 ? errno : 0;
		done += error ? 0 : n;
		if (held && (done == 0 || done == len || error == EPIPE))
			held = set_lock(w, len, F_UNLCK, &fl);
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

void flush_messages(struct writer *w)
{
	if (w->out_len == 0)
		return;
	if (write_whole(w, w->out, w->out_len)) {
		w->f.messages += w->out_messages;
		w->f.bytes += w->out_bytes;
	} else {
		w->f.dropped += w->out_messages;
	}
	if (w->queue.size)
		w->f.queued -= w->out_messages;
	w->out_len = w->out_messages = w->out_bytes = 0;
}
