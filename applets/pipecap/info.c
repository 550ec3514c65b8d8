/*
 * info.c - the limits that apply to this user's pipes, explained
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

enum { DEFAULT_SLOTS = 16, SHELL_UNIT = 512 }; /* pipe(7); bash's ulimit -p counts in 512 bytes */

struct fact {
	const char *name;	/* in records in lower case, with '_' for what is no letter */
	long value;		/* -1: unknown */
	const char *meaning;
};

static const char max_size[] = "/proc/sys/fs/pipe-max-size";
static const char soft[] = "/proc/sys/fs/pipe-user-pages-soft";
static const char hard[] = "/proc/sys/fs/pipe-user-pages-hard";

static void print_fact(const struct fact *f, enum record_form form)
{
	char key[32], *k = key, number[24];

	snprintf(number, sizeof(number), f->value < 0 ? "unknown" : "%ld", f->value);
	if (!form) {
		xprintf("%-21s %10s  %s\n", f->name, number, f->meaning);
		return;
	}
	for (const char *c = f->name; *c; c++)
		if (isalnum((unsigned char)*c))
			*k++ = tolower((unsigned char)*c);
		else if (k[-1] != '_')
			*k++ = '_';
	*k = '\0';
	record_literal(key, f->value < 0 ? "null" : number);
}

/* The kernel tells nobody what it counts; this is what /proc shows of it. */
static long pages_of(uid_t uid)
{
	struct holders all = find_holders();
	const struct holder *h = all.at;
	long pages = 0;
	size_t count;

	if (!all.seen)
		return -1;
	for (; h < all.at + all.count; h += count) {
		int fd = -1;

		count = count_holders(&all, h);
		if (h->uid == uid)
			fd = open_through(h, count);
		if (fd >= 0)
			pages += fcntl(fd, F_GETPIPE_SZ) / getpagesize();
		if (fd >= 0)
			close(fd);
	}
	return pages;
}

long pipe_max_size(void)
{
	return read_number(max_size);
}

void print_limits(enum record_form form)
{
	long page = getpagesize();
	int fd[2];
	long size, pipe_buf;

	size = new_pipe(fd, NULL, false);
	pipe_buf = fpathconf(fd[0], _PC_PIPE_BUF);
	const struct fact facts[] = {
		{ "page size", page, "bytes in a slot" },
		{ "PIPE_BUF", pipe_buf, "a write of up to so many bytes is atomic" },
		{ "new pipe", size, "bytes that a new pipe can hold" },
		{ "slots", size / page, "writes that it can hold if none can merge" },
		{ "pipe-max-size", pipe_max_size(), "largest size without CAP_SYS_RESOURCE" },
		{ "pipe-user-pages-soft", read_number(soft),
			"pages of all pipes of a user; beyond, new ones get 2 (0: no limit)" },
		{ "pipe-user-pages-hard", read_number(hard),
			"beyond, there is no new pipe at all (0: no limit)" },
		{ "pipe pages", pages_of(getuid()), "of this user's pipes that /proc shows" },
		{ "CAP_SYS_RESOURCE", has_capability(CAP_SYS_RESOURCE),
			"1: these limits do not apply" },
		{ "quota reached", size < DEFAULT_SLOTS * page,
			"1: this user is over pipe-user-pages-soft" },
		{ "ulimit -p", pipe_buf / SHELL_UNIT,
			"what shells print: PIPE_BUF in units of 512; neither limit nor capacity" },
	};

	if (form)
		record_begin(form);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		print_fact(facts + i, form);
	if (form)
		record_end();
}

int status_of_refusal(void)
{
	return errno == EINVAL || errno == ENOSYS ? EXIT_UNSUPPORTED : EXIT_FAILURE;
}

void explain_refusal(int fd, const char *name, long size)
{
	int err = errno, unread;
	long max = pipe_max_size(), pages = read_number(soft);

	if (err == EBUSY && ioctl(fd, FIONREAD, &unread) == 0)
		bb_error_msg("%s: %d bytes are queued and would not fit into %ld",
			name, unread, size);
	else if (err == EPERM && max >= 0 && size > max)
		bb_error_msg("%s: %ld is above %s, %ld, and needs CAP_SYS_RESOURCE",
			name, size, max_size, max);
	else if (err == EPERM && pages >= 0)
		bb_error_msg("%s: %ld is more than %s, %ld pages, or -hard, %ld, leave you",
			name, size, soft, pages, read_number(hard));
	else {
		errno = err;
		bb_perror_msg("can't set the size of '%s' to %ld", name, size);
	}
}
