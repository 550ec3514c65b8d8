/*
 * info.c - the limits that apply to this user's pipes, explained
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

/* The sources are pipe(7) and bash: its ulimit -p counts in units of 512 bytes. */
enum { DEFAULT_SLOTS = 16, SHELL_UNIT = 512 };

long pipecap_limit(const char *name)
{
	char path[48];

	scnprintf(path, sizeof(path), "/proc/sys/fs/pipe-%s", name);
	return read_number(path);
}

/* In a record the name is in lower case, and '_' stands for each character that is no letter or
 * digit. */
static void record_fact(const char *name, const char *number)
{
	char key[32], *k = key;

	for (; *name; name++)
		if (isalnum((unsigned char)*name))
			*k++ = tolower((unsigned char)*name);
		else if (k[-1] != '_')
			*k++ = '_';
	*k = '\0';
	record_literal(key, number);
}

/* The kernel does not publish its count of a user's pages. This count is of the pipes that /proc
 * shows. */
static long pages_of(uid_t uid)
{
	struct holders all = pipecap_find_holders();
	const struct holder *h = all.at;
	struct look *looks = xmalloc((all.count + 1) * sizeof(*looks));
	size_t n = 0;
	long pages = 0;

	for (; h < all.at + all.count; h += pipecap_count_holders(&all, h))
		if (h->uid == uid)
			looks[n++] = (struct look){ .holders = h,
						    .n_holders = pipecap_count_holders(&all, h) };
	pipecap_look_all(looks, n);
	for (; n; n--)
		if (looks[n - 1].size > 0)
			pages += looks[n - 1].size / getpagesize();
	free(looks);
	return all.seen ? pages : -1;
}

void pipecap_print_limits(enum record_form form)
{
	static const char *const facts[][2] = {
		{ "page size", "bytes in a slot" },
		{ "PIPE_BUF", "a write of up to so many bytes is atomic" },
		{ "new pipe", "bytes that a new pipe can hold" },
		{ "slots", "writes that it can hold if none can merge" },
		{ "pipe-max-size", "largest size without CAP_SYS_RESOURCE" },
		{ "pipe-user-pages-soft",
			"pages of all pipes of a user; beyond, new ones get 2 (0: no limit)" },
		{ "pipe-user-pages-hard", "beyond, there is no new pipe at all (0: no limit)" },
		{ "pipe pages", "of this user's pipes that /proc shows" },
		{ "CAP_SYS_RESOURCE", "1: these limits do not apply" },
		{ "quota reached", "1: this user is over pipe-user-pages-soft" },
		{ "ulimit -p",
			"what shells print: PIPE_BUF in units of 512; neither limit nor capacity" },
	};
	long page = getpagesize();
	char number[24];
	int fd[2];
	long size = pipecap_new_pipe(fd, NULL, false), pipe_buf = fpathconf(fd[0], _PC_PIPE_BUF);
	const long values[ARRAY_SIZE(facts)] = {
		page, pipe_buf, size < 0 ? pipecap_capacity() : size, size < 0 ? -1 : size / page,
		pipecap_limit("max-size"), pipecap_limit("user-pages-soft"),
		pipecap_limit("user-pages-hard"), pages_of(getuid()),
		has_capability(CAP_SYS_RESOURCE), size < 0 ? -1 : size < DEFAULT_SLOTS * page,
		pipe_buf / SHELL_UNIT,
	};

	if (form)
		record_begin(form);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		scnprintf(number, sizeof(number),
			values[i] >= 0 ? "%ld" : form ? "null" : "?", values[i]);
		if (form)
			record_fact(facts[i][0], number);
		else
			xprintf("%-21s %10s  %s\n", facts[i][0], number, facts[i][1]);
	}
	if (form)
		record_end();
}

int pipecap_refusal_status(void)
{
	return errno == EINVAL || errno == ENOSYS ? EXIT_UNSUPPORTED : EXIT_FAILURE;
}

void pipecap_explain_refusal(const char *name, long size, long unread)
{
	int err = errno;
	long max = pipecap_limit("max-size"), pages = pipecap_limit("user-pages-soft");

	if (err == EBUSY && unread > 0)
		bb_error_msg("%s: %ld bytes are queued and would not fit into %ld",
			name, unread, size);
	else if (err == EPERM && max >= 0 && size > max)
		bb_error_msg("%s: %ld is above /proc/sys/fs/pipe-max-size, %ld, and needs "
			     "CAP_SYS_RESOURCE", name, size, max);
	else if (err == EPERM && pages >= 0)
		bb_error_msg("%s: %ld is more than /proc/sys/fs/pipe-user-pages-soft, %ld pages, "
			     "or -hard, %ld, leave you",
			name, size, pages, pipecap_limit("user-pages-hard"));
	else {
		errno = err;
		bb_perror_msg("can't get or set the size of '%s'", name);
	}
}
