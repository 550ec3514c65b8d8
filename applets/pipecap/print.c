/*
 * print.c - a pipe as a line of a table, or as a record
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

/* text is NULL if the fact cannot be seen. */
static void put_text(const char *name, const char *text, enum record_form form)
{
	if (form)
		record_literal(name, text ? text : "null");
	else
		xprintf("\t%s", text ? text : "?");
}

/* A negative number means that the fact cannot be seen. */
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
	put_number("fd", h->fd, JSON);
	put_flag("blocked", h->blocked, JSON);
	put_flag("opening", h->fd < 0, JSON);
	record_unnest('}');
}

/* A space in the name would split the word in two, so '_' replaces it. */
static void put_name(const char *comm, enum record_form form)
{
	char name[sizeof(((struct holder *)0)->comm)];
	size_t len = strlen(comm);

	for (size_t i = 0; i < len; i++)
		name[i] = isspace((unsigned char)comm[i]) ? '_' : comm[i];
	print_text(name, len, form);
}

/* Prints "PID:FD(NAME)", and '*' after it if the process is blocked there. FD is "open" if the
 * process waits in open(2). */
void pipecap_put_holder(const struct holder *h, enum record_form form)
{
	if (h->fd < 0)
		xprintf("%d:open(", (int)h->pid);
	else
		xprintf("%d:%d(", (int)h->pid, h->fd);
	put_name(h->comm, form);
	xprintf(")%s", h->blocked < 0 ? "?" : h->blocked ? "*" : "");
}

/* In PAIRS a quote opens and closes the word, as brackets do a JSON array. */
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
			pipecap_put_holder(h, form);
			separator = " ";
		}
	}
	if (form)
		record_unnest(form == JSON ? ']' : '\'');
	else if (!*separator)
		xprintf("-");
}

/* The first three columns are those of util-linux's pipesz. The others are added by pipecap. */
void pipecap_print_header(bool verbose)
{
	xprintf("pipe\tsize\tunread%s\n", verbose
		? "\tslots\tmax_slots\twritable\twedged\tinode\treaders\twriters" : "");
}

const char *pipecap_writable(const struct look *look)
{
	if (look->slots < 0 || look->max_slots < 0)
		return NULL;
	return look->slots < look->max_slots ? "true" : "false";
}

const char *pipecap_wedged(const struct look *look)
{
	if (look->slots < 0 || look->max_slots < 0 || look->unread < 0)
		return NULL;
	return look->slots >= look->max_slots && look->unread < look->size ? "true" : "false";
}

void pipecap_print_look(const struct look *look, enum record_form form, bool verbose)
{
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
		put_text("writable", pipecap_writable(look), form);
		put_text("wedged", pipecap_wedged(look), form);
		put_number("inode", look->n_holders ? (intmax_t)look->holders->ino : -1, form);
		put_side(look, false, form);
		put_side(look, true, form);
	}
	if (form)
		record_end();
	else
		xprintf("\n");
}

/* Prints each line with print_text, so that no control character reaches a terminal. */
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

void pipecap_print_queue(const char *name, const char *bytes, size_t len, enum record_form form)
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
