/*
 * list.c - all pipes that /proc shows, in columns for people or as records
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

enum { NUMBERS = 7, READERS = NUMBERS, WRITERS, COLUMNS, NUMBER_SIZE = 24, WORD_SIZE = 128 };

static const char *const titles[COLUMNS] = {
	"size", "unread", "slots", "max_slots", "writable", "wedged", "inode", "readers", "writers",
};

/* Returns "pipe:[4711]" or the FIFO's path, or NULL if all processes that had the pipe open have
 * ended. */
static char *name_of(const struct look *look)
{
	const struct holder *h = look->holders, *end = h + look->n_holders;
	char name[PATH_MAX];
	ssize_t n = -1;

	for (; h < end && n < 0; h++)
		if (h->fd < 0)
			return h->path;
		else
			n = readlink(pipecap_fd_path(h->pid, h->fd), name, sizeof(name) - 1);
	if (n < 0)
		return errno == ENOENT && look->size < 0 ? NULL : xasprintf("?");
	name[n] = '\0';
	return xasprintf("%s", name);
}

static bool is_wanted(const struct look *look, char **pids)
{
	for (; pids && *pids; pids++)
		for (size_t i = 0; i < look->n_holders; i++)
			if (look->holders[i].pid == (pid_t)leading_number(*pids))
				return true;
	return !pids;
}

static void number_text(char text[NUMBER_SIZE], long number)
{
	scnprintf(text, NUMBER_SIZE, number < 0 ? "?" : "%ld", number);
}

static void flag_text(char text[NUMBER_SIZE], const char *flag)
{
	scnprintf(text, NUMBER_SIZE, "%s", flag ? flag : "?");
}

static void row_texts(char row[NUMBERS][NUMBER_SIZE], const struct look *look)
{
	number_text(row[0], look->size);
	number_text(row[1], look->unread);
	number_text(row[2], look->slots);
	number_text(row[3], look->max_slots);
	flag_text(row[4], pipecap_writable(look));
	flag_text(row[5], pipecap_wedged(look));
	scnprintf(row[6], NUMBER_SIZE, "%ju", (uintmax_t)look->holders->ino);
}

/* Returns the number of columns that print_text needs. */
static int width_of(const char *text)
{
	size_t left = strlen(text), n;
	int width = 0;

	for (; left; text += n, left -= n) {
		n = unsafe_len(text, left);
		width += n == 0 ? 1 : n == 3 ? (int)strlen("\\u202e") : (int)strlen("\\x1b");
		n += n == 0 ? utf8_len(text, left) : 0;
	}
	return width;
}

static int width_of_holder(const struct holder *h)
{
	char words[WORD_SIZE];

	return scnprintf(words, sizeof(words), h->fd < 0 ? "%d:open()" : "%d:%d()", (int)h->pid,
			h->fd) + width_of(h->comm) + (h->blocked != 0);
}

static void widen(int *width, int needed)
{
	if (*width < needed)
		*width = needed;
}

static void find_widths(int widths[COLUMNS], const struct look *looks, size_t count)
{
	char row[NUMBERS][NUMBER_SIZE];

	for (int c = 0; c < COLUMNS; c++)
		widths[c] = strlen(titles[c]);
	for (; count; count--, looks++) {
		row_texts(row, looks);
		for (int c = 0; c < NUMBERS; c++)
			widen(widths + c, strlen(row[c]));
		for (size_t i = 0; i < looks->n_holders; i++) {
			const struct holder *h = looks->holders + i;

			if (h->reads)
				widen(widths + READERS, width_of_holder(h));
			if (h->writes)
				widen(widths + WRITERS, width_of_holder(h));
		}
	}
}

/* Returns the next holder of this side from *i on, or NULL. *i becomes the index after that
 * holder. */
static const struct holder *next_of_side(const struct look *look, size_t *i, bool writers)
{
	while (*i < look->n_holders) {
		const struct holder *h = look->holders + (*i)++;

		if (writers ? h->writes : h->reads)
			return h;
	}
	return NULL;
}

static void print_holder(const struct holder *h, int width, const char *nobody)
{
	xprintf("  ");
	if (h)
		pipecap_put_holder(h, NO_RECORD);
	else
		xprintf("%s", nobody);
	xprintf("%*s", width - (h ? width_of_holder(h) : (int)strlen(nobody)), "");
}

/* The first line has the numbers, the first reader, the first writer and the name. Each further
 * line has the next reader and the next writer. */
static void print_list_row(const int widths[COLUMNS], const struct look *look)
{
	char row[NUMBERS][NUMBER_SIZE];
	size_t next_reader = 0, next_writer = 0;
	const struct holder *reader = next_of_side(look, &next_reader, false);
	const struct holder *writer = next_of_side(look, &next_writer, true);
	bool first = true;

	row_texts(row, look);
	while (first || reader || writer) {
		for (int c = 0; c < NUMBERS; c++)
			xprintf("%s%*s", c ? "  " : "", widths[c], first ? row[c] : "");
		print_holder(reader, widths[READERS], first ? "-" : "");
		print_holder(writer, writer || first ? widths[WRITERS] : 0, first ? "-" : "");
		if (first) {
			xprintf("  ");
			print_text(look->name, strlen(look->name), NO_RECORD);
		}
		xprintf("\n");
		reader = next_of_side(look, &next_reader, false);
		writer = next_of_side(look, &next_writer, true);
		first = false;
	}
}

static void print_list(const struct look *looks, size_t count)
{
	int widths[COLUMNS];

	find_widths(widths, looks, count);
	for (int c = 0; c < COLUMNS; c++)
		xprintf(c < NUMBERS ? "%*s  " : "%-*s  ", widths[c], titles[c]);
	xprintf("pipe\n");
	for (; count; count--, looks++)
		print_list_row(widths, looks);
}

/* A pipe that all processes have closed in the meantime is left out. */
static size_t name_all(struct look *looks, size_t count, bool quiet)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		looks[i].name = name_of(looks + i);
		if (!looks[i].name)
			continue;
		if (looks[i].error == ETIMEDOUT && !quiet)
			bb_error_msg("can't look into '%s': a process keeps it locked",
				looks[i].name);
		looks[kept++] = looks[i];
	}
	return kept;
}

void pipecap_list(const struct holders *all, char **pids, enum record_form form, bool quiet)
{
	struct look *looks = xmalloc((all->count + 1) * sizeof(*looks));
	struct look look = { .holders = all->at };
	size_t count = 0;

	for (; look.holders < all->at + all->count; look.holders += look.n_holders) {
		look.n_holders = pipecap_count_holders(all, look.holders);
		if (is_wanted(&look, pids))
			looks[count++] = look;
	}
	pipecap_look_all(looks, count);
	count = name_all(looks, count, quiet);
	for (size_t i = 0; form && i < count; i++)
		pipecap_print_look(looks + i, form, true);
	if (!form)
		print_list(looks, count);
	free(looks);
}
