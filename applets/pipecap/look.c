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

	if (pipe2(scratch, O_NONBLOCK | O_DIRECT | O_CLOEXEC) < 0)
		return -1;
	(void)fcntl(scratch[1], F_SETPIPE_SZ, (int)size); /* over the quota it stays small */
	n = tee(fd, scratch[1], len, SPLICE_F_NONBLOCK);
	return n < 0 && errno == EAGAIN ? 0 : n;
}

/* -1 when tee is refused, or the scratch pipe did not take it all. */
static int count_slots(int fd, long size, long unread)
{
	int scratch[2], slots, free_slots = 0;
	ssize_t copied = copy_queue(fd, size, INT_MAX, scratch);

	if (copied < 0)
		return -1;
	slots = fcntl(scratch[1], F_GETPIPE_SZ) / getpagesize();
	while (safe_write(scratch[1], "", 1) == 1)
		free_slots++;
	close(scratch[0]);
	close(scratch[1]);
	return copied < unread ? -1 : slots - free_slots;
}

struct look look_at(int fd, const char *name)
{
	struct look look = { .name = name, .unread = -1, .slots = -1, .max_slots = -1 };
	int unread;

	look.size = fcntl(fd, F_GETPIPE_SZ);
	if (look.size < 0)
		return look;
	look.max_slots = look.size / getpagesize();
	if (ioctl(fd, FIONREAD, &unread) == 0)
		look.unread = unread;
	look.slots = look.unread == 0 ? 0 : count_slots(fd, look.size, look.unread);
	return look;
}

/* These two: true, false, or -1 if it cannot be seen. */
static int is_writable(const struct look *look)
{
	return look->slots < 0 ? -1 : look->slots < look->max_slots;
}

static int is_wedged(const struct look *look)
{
	return look->slots < 0 ? -1 : look->slots >= look->max_slots && look->unread < look->size;
}

/* fifo_open in the kernel's fs/pipe.c wakes a peer that waits in open(2) when the first
 * reader, or the first writer, arrives. A side that already has an open descriptor has no
 * peer left that waits for it: joining that side is silent. */
int open_quietly(const char *path, const struct holders *all)
{
	const struct holder *h;
	struct stat st;
	size_t count;
	bool reads = false, writes = false;
	int fd = -1;

	if (stat(path, &st) < 0)
		return -1;
	if (!S_ISFIFO(st.st_mode)) {
		errno = EBADF; /* as F_GETPIPE_SZ says it */
		return -1;
	}
	h = holders_of(all, st.st_dev, st.st_ino, &count);
	for (size_t i = 0; i < count; i++) {
		reads |= h[i].reads;
		writes |= h[i].writes;
	}
	errno = ENXIO;
	if (reads)
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && writes)
		fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return fd;
}

/* --- printing -------------------------------------------------------------------------- */

static void record_flag(const char *name, int flag)
{
	record_literal(name, flag < 0 ? "null" : flag ? "true" : "false");
}

static void record_maybe(const char *name, long number)
{
	if (number < 0)
		record_literal(name, "null");
	else
		record_number(name, number);
}

/* As objects in JSON, else "PID:FD", with a '*' if it is blocked. */
static void record_side(
	const struct look *look, const char *name, bool writers, enum record_form form)
{
	char words[1024] = "";
	size_t len = 0;

	if (form == JSON)
		record_nest(name, '[');
	for (size_t i = 0; i < look->n_holders; i++) {
		const struct holder *h = look->holders + i;

		if (!(writers ? h->writes : h->reads))
			continue;
		if (form == JSON) {
			record_nest(NULL, '{');
			record_number("pid", h->pid);
			record_string("name", h->comm);
			record_number("fd", h->fd);
			record_flag("blocked", h->blocked);
			record_unnest('}');
		} else if (len < sizeof(words) - 32) {
			len += snprintf(words + len, sizeof(words) - len, "%s%d:%d%s",
				len ? " " : "", (int)h->pid, h->fd, h->blocked ? "*" : "");
		}
	}
	if (form == JSON)
		record_unnest(']');
	else
		record_string(name, words);
}

static void record_look(const struct look *look, enum record_form form)
{
	record_begin(form);
	record_string("name", look->name);
	if (look->n_holders)
		record_number("inode", look->holders->ino);
	record_maybe("size", look->size);
	record_maybe("unread", look->unread);
	record_maybe("slots", look->slots);
	record_maybe("max_slots", look->max_slots);
	record_flag("writable", is_writable(look));
	record_flag("wedged", is_wedged(look));
	record_side(look, "readers", false, form);
	record_side(look, "writers", true, form);
	record_end();
}

static void print_side(const struct look *look, bool writers)
{
	const char *separator = "";

	for (size_t i = 0; i < look->n_holders; i++) {
		const struct holder *h = look->holders + i;

		if (!(writers ? h->writes : h->reads))
			continue;
		xprintf("%s", separator);
		print_text(h->comm, strlen(h->comm), NO_RECORD);
		xprintf("[%d]:%d%s", (int)h->pid, h->fd, h->blocked ? "*" : "");
		separator = ",";
	}
	if (!*separator)
		xprintf("-");
}

void print_look(const struct look *look, enum record_form form, bool verbose)
{
	if (form) {
		record_look(look, form);
		return;
	}
	print_text(look->name, strlen(look->name), NO_RECORD);
	xprintf("\t%ld\t%ld", look->size, look->unread < 0 ? 0 : look->unread);
	if (verbose) {
		if (look->slots < 0)
			xprintf("\t?\t%d\t?\t?\t", look->max_slots);
		else
			xprintf("\t%d\t%d\t%s\t%s\t", look->slots, look->max_slots,
				is_writable(look) ? "yes" : "no", is_wedged(look) ? "yes" : "no");
		print_side(look, false);
		xprintf("\t");
		print_side(look, true);
	}
	xprintf("\n");
}

/* Reads through a descriptor of the holder's own: prefer one that reads, for tee. */
static struct look look_through(const struct holder *h, size_t count)
{
	const struct holder *through = h;
	struct look look = { .size = -1, .unread = -1, .slots = -1, .max_slots = -1 };
	char path[48];
	int fd;

	for (size_t i = 0; i < count && !through->reads; i++)
		if (h[i].reads)
			through = h + i;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)through->pid, through->fd);
	fd = open(path, (through->reads ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		look = look_at(fd, "");
		close(fd);
	}
	look.holders = h;
	look.n_holders = count;
	return look;
}

/* "pipe:[4711]", or the FIFO's path. */
static const char *link_of(const struct holder *h, char *buf, size_t size)
{
	char path[48];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)h->pid, h->fd);
	n = readlink(path, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

void list_pipes(const struct holders *all, pid_t pid, enum record_form form)
{
	char name[PATH_MAX];
	size_t count;

	if (!form)
		xprintf("name\tsize\tunread\tslots\tmax\twritable\twedged\treaders\twriters\n");
	for (size_t i = 0; i < all->count; i += count) {
		const struct holder *h = all->at + i;
		struct look look;
		bool ours = pid == 0;

		for (count = 0; i + count < all->count && h[count].ino == h->ino
		     && h[count].dev == h->dev; count++)
			ours |= h[count].pid == pid;
		if (!ours)
			continue;
		look = look_through(h, count);
		look.name = link_of(h, name, sizeof(name));
		if (*name) /* else its last holder died meanwhile */
			print_look(&look, form, true);
	}
}
