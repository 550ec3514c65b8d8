/*
 * ends.c - the FIFO that has the name, and the older ones that still have writers
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifor.h"

static int same_fifo(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && same_inode(&x, &y);
}

static void add_end(struct reader *r)
{
	struct ends *ends = &r->ends;
	struct end *e = xmalloc(sizeof(*e));

	*e = (struct end){ .fd = -1, .older = ends->named };
	ends->named = e;
	ends->count++;
	ends->fds = xrealloc(ends->fds, (ends->count + 2) * sizeof(*ends->fds));
}

static void close_end(struct reader *r, struct end *e)
{
	struct end **at = &r->ends.named;

	while (*at != e)
		at = &(*at)->older;
	*at = e->older;
	r->ends.count--;
	close(e->fd);
	free(e->rest.data);
	free(e->part.data);
	free(e);
}

/* An end that has seen no writer since it was opened shows no end of file. A writer that comes and
 * goes makes it show one, unless another writer is there. */
static void make_end_visible(const struct end *e)
{
	char name[40];
	int fd;

	scnprintf(name, sizeof(name), "/proc/self/fd/%d", e->fd);
	fd = open(name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
}

/* A writer to the old FIFO does not know that the name means another FIFO now, and may just have
 * begun. The old FIFO stays open until its writers have left, or, if it has none, until the name
 * means yet another FIFO. */
static void replace_end(struct reader *r)
{
	for (const struct end *e = r->ends.named->older; e; e = e->older)
		make_end_visible(e);
	add_end(r);
}

/* After the last writer has left, a reader's descriptor reports POLLHUP for ever. A new descriptor
 * reports nothing until the next writer comes (fifo(7); fs/pipe.c, f_version and w_counter). The
 * new descriptor is opened before the old one is closed, so that the pipe always has a reader and
 * keeps its content. */
void fifor_open(struct reader *r)
{
	int fd, old;

	if (!r->ends.named)
		add_end(r);
	do {
		fd = fifo_open(&r->f, O_RDONLY);
		old = r->ends.named->fd;
		if (old >= 0 && same_fifo(old, fd)) {
			close(old);
		} else {
			if (old >= 0)
				replace_end(r);
			fifor_exclude_others(r);
		}
		r->f.fd = r->ends.named->fd = fd;
		r->ends.named->some = 0;
	} while (fifo_watch(&r->f));
	if (fd >= 0)
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
void fifor_look_for_false_end(struct reader *r)
{
	int fd;

	if (r->f.fd < 0 || !is_hung_up(r->f.fd))
		return;
	fd = fifo_reopen(&r->f, O_RDONLY | O_NONBLOCK);
	r->ends.hangs_up = fd >= 0 && is_hung_up(fd);
	if (fd >= 0)
		close(fd);
}

int fifor_is_false_end(const struct reader *r, const struct end *e)
{
	return r->ends.hangs_up && e == r->ends.named && !e->some && is_hung_up(e->fd);
}

int fifor_next_writer(struct reader *r, struct end *e)
{
	int some = e->some;

	fifor_text_settle(r, e);
	if (r->ends.count == 1)
		fifor_frames_end(r);
	if (e != r->ends.named) {
		close_end(r, e);
		return 1;
	}
	r->f.count.reconnects++;
	if (r->exit_at_eof)
		return 0;
	fifor_open(r);
	if (!some)
		fifor_look_for_false_end(r);
	return 1;
}
