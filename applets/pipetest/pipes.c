/*
 * pipes.c - makes calls on the case's own pipe, and finds out how much a pipe holds
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "engine.h"

/* --- The calls of calls.c on t.r and t.w ----------------------------------------------- */

void p_write(size_t n)
{
	t_write(t.w, n, n);
}

void p_no_write(size_t n, long expected)
{
	t_write(t.w, n, expected);
}

void p_read(size_t n, long expected)
{
	t_read(t.r, n, expected);
}

void p_drain(size_t n)
{
	t_drain(t.r, n);
}

size_t p_fill(void)
{
	return t_fill(t.w);
}

size_t p_leave_room(size_t n)
{
	size_t all = p_fill();

	p_drain(all);
	p_write(all - n);
	return all - n;
}

void p_holds(size_t n)
{
	p_drain(n);
	p_nonblock_r();
	p_read(1, -EAGAIN);
}

size_t p_fill_by(size_t n)
{
	p_nonblock_w();
	return t_fill_by(t.w, n);
}

void p_leave_some(void)
{
	enum { ROOM = 1024 };
	size_t n = t.cap - ROOM;

	for (; n > t.page; n -= t.page)
		p_write(t.page);
	p_write(n);
}

void p_unread(long expected)
{
	t_fionread(t.r, expected);
}

void p_close_r(void)
{
	t_close(t.r);
	t.r = -1;
}

void p_close_w(void)
{
	t_close(t.w);
	t.w = -1;
}

void p_nonblock_r(void)
{
	t_nonblock(t.r);
}

void p_nonblock_w(void)
{
	t_nonblock(t.w);
}

void p_poll_r(int events, int revents)
{
	t_poll(t.r, events, revents);
}

void p_poll_w(int events, int revents)
{
	t_poll(t.w, events, revents);
}

/* --- Capacity -------------------------------------------------------------------------- */

void t_capacity(int fd, long expected)
{
	wantf(ret(fcntl(fd, F_GETPIPE_SZ)), expected, "fcntl(%d, F_GETPIPE_SZ)", fd);
}

/* The system call fcntl(2) takes an unsigned long here. A large int would be sign-extended. */
void t_resize(int fd, unsigned long size, long expected)
{
	wantf(ret(fcntl(fd, F_SETPIPE_SZ, size)), expected, "fcntl(%d, F_SETPIPE_SZ, %lu)", fd,
		size);
}

/* Writes whole pages until none is taken, and reads all of them back. If O_NONBLOCK cannot be set,
 * the writes would block, so the function returns what a new pipe of Linux holds. */
static size_t capacity_by_filling(int r, int w)
{
	enum { USUAL_SLOTS = 16, LARGEST_SLOTS = 4096 };
	int flags = fcntl(w, F_GETFL);
	char *page = xmalloc(t.page);
	size_t total = 0, left;

	if (flags < 0 || fcntl(w, F_SETFL, flags | O_NONBLOCK) < 0)
		return USUAL_SLOTS * t.page;
	memset(page, 0, t.page);
	for (int i = 0; i < LARGEST_SLOTS && write(w, page, t.page) == (ssize_t)t.page; i++)
		total += t.page;
	(void)fcntl(w, F_SETFL, flags);
	left = total;
	while (left) {
		ssize_t n = read(r, page, left < t.page ? left : t.page);

		if (n <= 0)
			break;
		left -= n;
	}
	free(page);
	return total;
}

size_t t_capacity_of(int r, int w)
{
	int size = fcntl(w, F_GETPIPE_SZ);

	return size > 0 ? (size_t)size : capacity_by_filling(r, w);
}

unsigned long t_new_capacity(void)
{
	int fd[2];

	t_pipe(fd);
	return t_capacity_of(fd[0], fd[1]);
}

/* A user over the limit pipe-user-pages-soft may not grow a pipe, and new pipes have 2 pages or
 * less: pipe(7). A user who still gets a new pipe of that size is not over the limit, so EPERM is a
 * failure of the kernel. */
void t_grow(int fd, unsigned long size)
{
	long got;

	t_needs_call("F_SETPIPE_SZ");
	t_callingf("fcntl(%d, F_SETPIPE_SZ, %lu)", fd, size);
	got = call_value(fcntl(fd, F_SETPIPE_SZ, size));
	if (got == -EPERM && (t_new_capacity() < size || t_new_capacity() <= 2 * t.page))
		t_skip("soft-limit");
	t_want_result(got, size);
}

void t_page_pipe(int fd)
{
	t_resize(fd, t.page, t.page);
}

void t_use_pipe(const int fd[2])
{
	t.r = fd[0];
	t.w = fd[1];
	t.cap = t_capacity_of(t.r, t.w);
	t.slots = t.cap / t.page;
}
