/*
 * print.c - a pipe as a line of a table, or as a record
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

/* text is NULL if it cannot be seen. */
static void put_text(const char *name, const char *text, enum record_form form)
{
	if (form)
		record_literal(name, text ? text : "null");
	else
		xprintf("\t%s", text ? text : "?");
}

/* -1: it cannot be seen. */
static void put_number(const char *name, intmax_t number, enum record_form form)
{
	if (number < 0)
		put_text(name, NULL, form);
	else if (form)
		record_number(name, number);
	else
		xprintf("\t%jd", number);
}

static void put_flag(const char *name, int flag, enum record_form form)
{
	put_text(name, flag < 0 ? NULL : flag ? "true" : "false", form);
}

static void put_object(const struct holder *h)
{
	record_nest(NULL, '{');
	record_number("pid", h->pid);
	record_string("name", h->comm);
	record_number("fd", h->fd);
	put_flag("blocked", h->blocked, JSON);
	record_unnest('}');
}

/* "PID:FD(NAME)", with '*' behind it if it is blocked there. A blank within a word of its
 * own would make two of it. */
static void put_word(const struct holder *h, enum record_form form)
{
	char name[sizeof(h->comm)];

	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = isspace((unsigned char)h->comm[i]) ? '_' : h->comm[i];
	xprintf("%d:%d(", (int)h->pid, h->fd);
	print_text(name, strlen(name), form);
	xprintf(")%s", h->blocked < 0 ? "?" : h->blocked ? "*" : "");
}

/* A word opens and closes as a JSON array does, with a quote. */
static void put_side(const struct look *look, bool writers, enum record_form form)
{
	const char *name = writers ? "writers" : "readers", *separator = "";

	if (!look->n_holders) {
		put_text(name, NULL, form);
		return;
	}
	if (form)
		record_nest(name, form == JSON ? '[' : '\'');
	else
		xprintf("\t");
	for (size_t i = 0; i < look->n_holders; i++) {
		const struct holder *h = look->holders + i;

		if (!(writers ? h->writes : h->reads))
			continue;
		if (form == JSON) {
			put_object(h);
		} else {
			xprintf("%s", separator);
			put_word(h, form);
			separator = " ";
		}
	}
	if (form)
		record_unnest(form == JSON ? ']' : '\'');
	else if (!*separator)
		xprintf("-");
}

/* The columns that pipesz prints, and ours. */
void print_header(bool verbose)
{
	xprintf("pipe\tsize\tunread%s\n", verbose
		? "\tslots\tmax_slots\twritable\twedged\tinode\treaders\twriters" : "");
}

void print_look(const struct look *look, enum record_form form, bool verbose)
{
	bool unknown = look->slots < 0 || look->unread < 0;
	bool full = look->slots >= look->max_slots;

	if (form) {
		record_begin(form);
		record_string("name", look->name);
	} else {
		print_text(look->name, strlen(look->name), NO_RECORD);
	}
	put_number("size", look->size, form);
	put_number("unread", look->unread, form);
	if (form || verbose) {
		put_number("slots", look->slots, form);
		put_number("max_slots", look->max_slots, form);
		put_flag("writable", unknown ? -1 : !full, form);
		put_flag("wedged", unknown ? -1 : full && look->unread < look->size, form);
		put_number("inode", look->n_holders ? (intmax_t)look->holders->ino : -1, form);
		put_side(look, false, form);
		put_side(look, true, form);
	}
	if (form)
		record_end();
	else
		xprintf("\n");
}

/* "pipe:[4711]", or the FIFO's path; false if all who had it open have died meanwhile. */
static bool read_name(const struct look *look, char *buf, size_t size)
{
	const struct holder *h = look->holders, *end = h + look->n_holders;
	ssize_t n = -1;

	for (; h < end && n < 0; h++)
		n = readlink(fd_path(h->pid, h->fd), buf, size - 1);
	if (n < 0)
		buf[0] = '?';
	buf[n < 0 ? 1 : n] = '\0';
	return n >= 0 || errno != ENOENT;
}

static bool is_wanted(const struct look *look, char **pids)
{
	for (; pids && *pids; pids++)
		for (size_t i = 0; i < look->n_holders; i++)
			if (look->holders[i].pid == (pid_t)leading_number(*pids))
				return true;
	return !pids;
}

void list_pipes(const struct holders *all, char **pids, enum record_form form)
{
	char name[PATH_MAX];
	struct look look = { .name = name, .holders = all->at };

	if (!form)
		print_header(true);
	for (; look.holders < all->at + all->count; look.holders += look.n_holders) {
		int fd;

		look.n_holders = count_holders(all, look.holders);
		if (!is_wanted(&look, pids))
			continue;
		fd = open_through(look.holders, look.n_holders);
		look_into(&look, fd);
		if (fd >= 0)
			close(fd);
		if (read_name(&look, name, sizeof(name)) || look.size >= 0)
			print_look(&look, form, true);
	}
}

/* Whole lines, so that no control character reaches a terminal. */
static void print_lines(const char *text, size_t left)
{
	const char *end = text + left, *line;

	for (; text < end; text = line + 1) {
		line = memchr(text, '\n', end - text);
		if (!line)
			line = end;
		print_text(text, line - text, NO_RECORD);
		xprintf("\n");
	}
}

void print_queue(const char *name, const char *bytes, size_t len, enum record_form form)
{
	if (form) {
		record_begin(form);
		record_string("name", name);
		record_number("len", len);
		record_bytes("data", bytes, len);
		record_end();
	} else if (isatty(STDOUT_FILENO)) {
		print_lines(bytes, len);
	} else {
		xwrite_stdout(bytes, len);
	}
}
