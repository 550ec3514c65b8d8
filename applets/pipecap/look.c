/*
 * look.c - what is in a pipe, without consuming it and without waking anybody
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

/* A pipe is a ring of slots. A slot holds at most one page, and the pipe is full when all slots are
 * taken, however little they hold. tee(2) duplicates each slot and merges nothing (link_pipe in the
 * kernel's fs/splice.c). A packet always takes one slot (pipe(2), O_DIRECT). The queue is copied
 * into an empty scratch pipe of the same size, and packets are written until that pipe is full. As
 * many packets as fit, so many slots were free. The other slots are those of the copy. */

/* Returns the number of bytes, or -1. tee(2) cannot copy from a writing end, so then a holder's
 * reading end is opened. */
static ssize_t copy_to(int to, const struct look *look, int fd, size_t len)
{
	ssize_t n = tee(fd, to, len, SPLICE_F_NONBLOCK);

	if (n < 0 && errno == EBADF
	    && (fd = pipecap_open_through(look->holders, look->n_holders)) >= 0) {
		n = tee(fd, to, len, SPLICE_F_NONBLOCK);
		close(fd);
	}
	return n < 0 && errno == EAGAIN ? 0 : n;
}

/* A size over the quota is refused, and the scratch pipe then stays small. */
static void size_scratch(const struct look *look, const int scratch[2])
{
	if (look->size > 0)
		(void)fcntl(scratch[1], F_SETPIPE_SZ, (int)look->size);
}

/* Returns -1 if a call is refused, or if the scratch pipe did not take the whole copy. */
static int count_slots(const struct look *look, int fd)
{
	int scratch[2], slots = -1;
	ssize_t copied;

	if (pipe2(scratch, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	size_scratch(look, scratch);
	copied = copy_to(scratch[1], look, fd, INT_MAX);
	if (copied >= 0 && copied >= look->unread
	    && fcntl(scratch[1], F_SETFL, O_NONBLOCK | O_DIRECT) == 0) {
		slots = fcntl(scratch[1], F_GETPIPE_SZ) / getpagesize();
		while (slots >= 0 && safe_write(scratch[1], "", 1) == 1)
			slots--;
		if (errno != EAGAIN)
			slots = -1;
	}
	pipecap_close_pipe(scratch);
	return slots;
}

/* A kernel without F_GETPIPE_SZ tells only the number of unread bytes. */
static void look_here(struct look *look, int fd)
{
	struct stat st;
	int unread;

	look->size = fcntl(fd, F_GETPIPE_SZ);
	if (look->size < 0 && (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))) {
		look->error = EBADF;
		return;
	}
	if (look->size >= 0)
		look->max_slots = look->size / getpagesize();
	if (ioctl(fd, FIONREAD, &unread) == 0)
		look->unread = unread;
	if (look->unread == 0)
		look->slots = 0;
	else if (look->size >= 0)
		look->slots = count_slots(look, fd);
}

/* --- in a child, because each call that asks a pipe takes the lock of the pipe */

struct view {
	struct look *looks;
	int fd;			/* of the only pipe; -1: open each pipe through a holder */
	const int *scratch;	/* the pipe that gets a copy of the queue, or NULL */
	size_t len;		/* the most bytes to copy */
	int size;		/* the size to set, or 0 */
	bool largest;		/* or the largest size that the kernel grants */
	ssize_t result;		/* the bytes that were copied, or the size that was set, or -1 */
	int error;
};

struct answer {
	struct look look;
	ssize_t result;
	int error;
};

static void copy_here(struct answer *answer, const struct view *view, int fd)
{
	size_scratch(&answer->look, view->scratch);
	answer->result = copy_to(view->scratch[1], &answer->look, fd, view->len);
	answer->error = errno;
}

static void resize_here(struct answer *answer, const struct view *view, int fd)
{
	int size = view->size, unread;

	while ((answer->result = fcntl(fd, F_SETPIPE_SZ, size)) < 0 && view->largest && size > 1
	       && (errno == EPERM || errno == ENOMEM))
		size /= 2;
	answer->error = errno;
	answer->look.size = size;
	if (ioctl(fd, FIONREAD, &unread) == 0)
		answer->look.unread = unread;
}

static void look_in_child(void *data, size_t item, int answers)
{
	const struct view *view = data;
	struct answer answer = { view->looks[item], -1, 0 };
	struct look *look = &answer.look;
	int fd = view->fd >= 0 ? view->fd : pipecap_open_through(look->holders, look->n_holders);

	if (fd < 0)
		look->error = errno;
	else if (view->size)
		resize_here(&answer, view, fd);
	else
		look_here(look, fd);
	if (view->scratch && !look->error)
		copy_here(&answer, view, fd);
	if (fd >= 0 && fd != view->fd)
		close(fd);
	pipecap_answer(answers, item, &answer, sizeof(answer));
}

static void take_look(void *data, size_t item, const void *answer)
{
	struct view *view = data;
	const struct answer *said = answer;

	if (!said) {
		view->looks[item].error = view->error = ETIMEDOUT;
		return;
	}
	view->looks[item] = said->look;
	view->result = said->result;
	view->error = said->error;
}

static void look_through(struct view *view, size_t count)
{
	struct errand errand = { count, look_in_child, take_look, sizeof(struct answer), view,
				 view->fd };

	view->result = -1;
	for (size_t i = 0; i < count; i++) {
		struct look *look = view->looks + i;

		look->size = look->unread = look->slots = look->max_slots = -1;
		look->error = 0;
	}
	pipecap_run(&errand);
}

void pipecap_look(struct look *look, int fd)
{
	struct view view = { .looks = look, .fd = fd };

	look_through(&view, 1);
}

void pipecap_look_all(struct look *looks, size_t count)
{
	struct view view = { .looks = looks, .fd = -1 };

	look_through(&view, count);
}

ssize_t pipecap_copy_queue(struct look *look, int fd, size_t len, const int scratch[2])
{
	struct view view = { .looks = look, .fd = fd, .scratch = scratch, .len = len };

	look_through(&view, 1);
	errno = look->error ? look->error : view.error;
	return view.result;
}

int pipecap_resize(struct look *look, int fd, int size, bool largest)
{
	struct view view = { .looks = look, .fd = fd, .size = size, .largest = largest };

	look_through(&view, 1);
	errno = look->error ? look->error : view.error;
	return view.result;
}

/* fifo_open in the kernel's fs/pipe.c wakes a peer that waits in open(2) when the first reader or
 * the first writer arrives. If a side already has an open descriptor, no peer waits for that side,
 * and one more open of that side wakes nobody. */
int pipecap_find_pipe(struct look *look, const char *path, const struct holders *all)
{
	struct bb_walk walk = { .path = look->name };
	struct stat st;
	int place = bb_find(&walk, path);

	if (place < 0 ? walk.works || stat(path, &st) < 0 : fstat(place, &st) < 0)
		return errno;
	close(place);
	if (!S_ISFIFO(st.st_mode))
		return EBADF;
	look->holders = pipecap_holders_of(all, st.st_dev, st.st_ino, &look->n_holders);
	for (size_t i = 0; i < look->n_holders; i++)
		if (look->holders[i].fd >= 0)
			return 0;
	return ENXIO;
}
