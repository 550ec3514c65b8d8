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

ssize_t copy_queue(int fd, long size, size_t len, int scratch[2])
{
	ssize_t n;

	if (pipe2(scratch, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	(void)fcntl(scratch[1], F_SETPIPE_SZ, (int)size); /* over the quota it stays small */
	n = tee(fd, scratch[1], len, SPLICE_F_NONBLOCK);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0) {
		close(scratch[0]);
		close(scratch[1]);
	}
	return n;
}

/* -1 when a call is refused, or the scratch pipe did not take it all. */
static int count_slots(int fd, long size, long unread)
{
	int scratch[2], slots = -1;
	ssize_t copied = copy_queue(fd, size, INT_MAX, scratch);

	if (copied < 0)
		return -1;
	if (copied >= unread && fcntl(scratch[1], F_SETFL, O_NONBLOCK | O_DIRECT) == 0) {
		slots = fcntl(scratch[1], F_GETPIPE_SZ) / getpagesize();
		while (safe_write(scratch[1], "", 1) == 1)
			slots--;
		if (errno != EAGAIN)
			slots = -1;
	}
	close(scratch[0]);
	close(scratch[1]);
	return slots;
}

struct look look_at(int fd, const char *name, const struct holder *h, size_t count)
{
	struct look look = { name, fcntl(fd, F_GETPIPE_SZ), -1, -1, -1, h, count };
	int unread;

	if (look.size < 0)
		return look;
	look.max_slots = look.size / getpagesize();
	if (ioctl(fd, FIONREAD, &unread) == 0)
		look.unread = unread;
	look.slots = look.unread == 0 ? 0 : count_slots(fd, look.size, look.unread);
	if (look.slots < 0 && (fd = open_through(h, count)) >= 0) {
		look.slots = count_slots(fd, look.size, look.unread); /* fd was the other end */
		close(fd);
	}
	return look;
}

/* fifo_open in the kernel's fs/pipe.c wakes a peer that waits in open(2) when the first
 * reader, or the first writer, arrives. A side that already has an open descriptor has no
 * peer left that waits for it: joining that side is silent. */
int open_quietly(const char *path, const struct holders *all)
{
	const struct holder *h;
	struct stat st;
	size_t count;

	if (stat(path, &st) < 0)
		return -1;
	if (!S_ISFIFO(st.st_mode)) {
		errno = EBADF; /* as F_GETPIPE_SZ says it */
		return -1;
	}
	h = holders_of(all, st.st_dev, st.st_ino, &count);
	return open_through(h, count);
}
