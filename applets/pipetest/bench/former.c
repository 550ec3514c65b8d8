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

/* A line without figures says why nothing was measured. */
static double figure(const char *key, const char *line, size_t len)
{
	const char *value = strstr(line, key);

	return value && value < line + len ? strtod(value + strlen(key), NULL) : 0;
}

/* Returns NULL if -b -J did not write the line. */
static const char *take_line(struct former *f, const char *line, size_t len)
{
	const char *name = line + sizeof(begin) - 1;
	size_t name_len;

	if (len < sizeof(begin) || strncmp(line, begin, sizeof(begin) - 1) != 0)
		return NULL;
	name_len = strcspn(name, "\"\n");
	if (!name_len || name_len >= sizeof(f->name))
		return NULL;
	scnprintf(f->name, sizeof(f->name), "%.*s", (int)name_len, name);
	f->median = figure("\"median\":", line, len);
	f->min = figure("\"min\":", line, len);
	f->max = figure("\"max\":", line, len);
	return line;
}

/* Another user may have put a FIFO or a sparse file there, so the file must be regular, and no more
 * is read than a run writes. O_NONBLOCK: the open of a FIFO would wait for its writer. */
static char *read_text(const char *path)
{
	enum { MOST = 1 << 20 };
	struct bb_walk walk = { .path = path };
	char *text = xmalloc(MOST + 1);
	struct stat st;
	ssize_t n;
	int fd;

	close(bb_find(&walk, path)); /* This refuses a stranger's link. */
	fd = xopen(path, O_RDONLY | O_NONBLOCK);
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		bb_error_msg_and_die("can't use '%s': not a regular file", path);
	n = full_read(fd, text, MOST);
	if (n < 0)
		bb_perror_msg_and_die("can't read '%s'", path);
	close(fd);
	text[n] = '\0';
	return text;
}

struct former *bench_read_former(const char *path)
{
	char *text = read_text(path);
	struct former *all = NULL;
	unsigned count = 0;

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		all = xrealloc(all, (count + 2) * sizeof(*all));
		if (!take_line(&all[count], line, len))
			bb_error_msg_and_die("'%s' has a line that is not of -b -J", path);
		all[++count].name[0] = '\0';
		line += len + (line[len] == '\n');
	}
	free(text);
	if (!all)
		bb_error_msg_and_die("'%s' is empty", path);
	return all;
}
