/*
 * former.c - reads the figures of a former run, as -b -J wrote them
 *
 * SPDX-License-Identifier: 0BSD
 *
 * This file reads only the lines that print_json() in print.c writes, not JSON in general: such a
 * line begins with the name, and none of its strings has a quotation mark in it.
 */
#include "bench.h"

static const char begin[] = "{\"bench\":\"";

/* Only these characters of a file reach a terminal. */
#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-+~/"

static bool take_word(char *to, size_t size, const char *line, const char *key)
{
	const char *value = strstr(line, key);
	size_t len = value ? strspn(value += strlen(key), WORD) : 0;

	if (!len || len >= size || value[len] != '"')
		return false;
	scnprintf(to, size, "%.*s", (int)len, value);
	return true;
}

static double figure(const char *line, const char *key)
{
	const char *value = strstr(line, key);

	return value ? strtod(value + strlen(key), NULL) : 0;
}

/* A damaged file may have any number there, and not each fits into an int. */
static int count(const char *line, const char *key)
{
	double value = figure(line, key);

	return value > 0 && value < INT_MAX ? value : 0;
}

/* A line without figures says why nothing was measured. */
static bool take_figures(struct former *f, const char *line)
{
	f->median = figure(line, "\"median\":");
	f->min = figure(line, "\"min\":");
	f->max = figure(line, "\"max\":");
	if (strstr(line, "\"reason\":\""))
		return f->median == 0;
	return f->min > 0 && f->min <= f->median && f->median <= f->max && f->max < 1e18;
}

static bool take_machine(struct former *f, const char *line)
{
	char kernel[48], machine[24];

	if (!take_word(kernel, sizeof(kernel), line, "\"kernel\":\"")
		|| !take_word(machine, sizeof(machine), line, "\"machine\":\""))
		return false;
	bench_describe(f->where, machine, count(line, "\"processors\":"),
		count(line, "\"page_size\":"), kernel);
	return true;
}

/* Returns false if -b -J did not write the line, or not all of it. */
static bool take_line(struct former *f, const char *line, size_t len)
{
	return len > sizeof(begin) && strncmp(line, begin, sizeof(begin) - 1) == 0
		&& line[len - 1] == '}' && take_word(f->name, sizeof(f->name), line, begin)
		&& take_word(f->unit, sizeof(f->unit), line, "\"unit\":\"")
		&& take_figures(f, line) && take_machine(f, line);
}

/* Another user may have put a FIFO or a sparse file there, so the file must be regular, and no more
 * is read than a run writes. O_NONBLOCK: the open of a FIFO would wait for its writer. */
static char *read_text(const char *path)
{
	enum { MOST = 1 << 20 };
	struct bb_walk walk = { .path = path };
	char *text = xmalloc(MOST + 1), self[40];
	struct stat st;
	ssize_t n;
	int fd;

	scnprintf(self, sizeof(self), "/proc/self/fd/%d", bb_find(&walk, path));
	/* What was found is opened, unless there is no /proc. */
	fd = open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		fd = xopen(path, O_RDONLY | O_NONBLOCK);
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		bb_error_msg_and_die("can't use '%s': not a regular file", path);
	n = full_read(fd, text, MOST);
	if (n < 0)
		bb_perror_msg_and_die("can't read '%s'", path);
	close(fd);
	text[n] = '\0';
	if (n == MOST || strlen(text) < (size_t)n)
		bb_error_msg_and_die("'%s' is over 1 MiB, or has a NUL byte", path);
	return text;
}

struct former *bench_read_former(const char *path)
{
	char *text = read_text(path);
	struct former *all = NULL;
	unsigned count = 0;

	for (char *line = text; *line;) {
		char *end = strchrnul(line, '\n'), *next = end + (*end == '\n');

		*end = '\0';
		all = xrealloc(all, (count + 2) * sizeof(*all));
		if (!take_line(&all[count], line, end - line))
			bb_error_msg_and_die("'%s' has a line that -b -J did not write",
				path);
		all[++count].name[0] = '\0';
		line = next;
	}
	free(text);
	if (!all)
		bb_error_msg_and_die("'%s' is empty", path);
	return all;
}
