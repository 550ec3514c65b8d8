/*
 * look.c - what is in a pipe, without consuming it and without waking anybody
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

/* A pipe is a ring of slots, one page at most each, and is full when the slots are taken,
 * whatever they hold. tee(2) duplicates slot by slot and merges nothing (link_pipe in the
 * kernel's fs/splice.c); a packet takes one slot, however small (pipe(2), O_DIRECT). So a
 * scratch pipe of the same size that first takes the copy and then packets until it is full
 * tells how many slots the copy has. */

ssize_t copy_queue(int fd, const struct look *look, size_t len, int scratch[2])
{
	ssize_t n;

	if (pipe2(scratch, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	(void)fcntl(scratch[1], F_SETPIPE_SZ, (int)look->size); /* over the quota it stays small */
	n = tee(fd, scratch[1], len, SPLICE_F_NONBLOCK);
	if (n < 0 && errno == EBADF && (fd = open_through(look->holders, look->n_holders)) >= 0) {
		n = tee(fd, scratch[1], len, SPLICE_F_NONBLOCK);
		close(fd);
	}
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		close_pipe(scratch);
	return n;
}

/* -1 when a call is refused, or the scratch pipe did not take it all. */
static int count_slots(int fd, const struct look *look)
{
	int scratch[2], slots = -1;
	ssize_t copied = copy_queue(fd, look, INT_MAX, scratch);

	if (copied < 0)
		return -1;
	if (copied >= look->unread && fcntl(scratch[1], F_SETFL, O_NONBLOCK | O_DIRECT) == 0) {
		slots = fcntl(scratch[1], F_GETPIPE_SZ) / getpagesize();
		while (safe_write(scratch[1], "", 1) == 1)
			slots--;
		if (errno != EAGAIN)
			slots = -1;
	}
	close_pipe(scratch);
	return slots;
}

void look_into(struct look *look, int fd)
{
	int unread;

	look->unread = look->slots = look->max_slots = -1;
	look->size = fcntl(fd, F_GETPIPE_SZ);
	if (look->size < 0)
		return;
	look->max_slots = look->size / getpagesize();
	if (ioctl(fd, FIONREAD, &unread) == 0)
		look->unread = unread;
	look->slots = look->unread == 0 ? 0 : count_slots(fd, look);
}

bool is_pipe(const char *path, struct stat *st)
{
	if (stat(path, st) < 0)
		return false;
	errno = EBADF; /* as F_GETPIPE_SZ says it */
	return S_ISFIFO(st->st_mode);
}

/* fifo_open in the kernel's fs/pipe.c wakes a peer that waits in open(2) when the first
 * reader, or the first writer, arrives. A side that already has an open descriptor has no
 * peer left that waits for it: joining that side is silent. */
int open_quietly(const char *path, const struct holders *all)
{
	const struct holder *h;
	struct stat st;
	size_t count;

	if (!is_pipe(path, &st))
		return -1;
	h = holders_of(all, st.st_dev, st.st_ino, &count);
	return open_through(h, count);
}
