/*
 * info.c - the limits that apply to this user's pipes, explained
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

enum { DEFAULT_SLOTS = 16, SHELL_UNIT = 512 }; /* pipe(7); bash's ulimit -p counts in 512 bytes */

struct fact {
	const char *name;	/* in JSON with '_' for '-' and ' ' */
	long value;
	const char *meaning;
};

static void print_fact(const struct fact *f, enum record_form form)
{
	char key[32];

	if (!form) {
		if (f->value < 0)
			xprintf("%-21s %10s  %s\n", f->name, "unknown", f->meaning);
		else
			xprintf("%-21s %10ld  %s\n", f->name, f->value, f->meaning);
		return;
	}
	snprintf(key, sizeof(key), "%s", f->name);
	for (char *c = key; *c; c++)
		*c = *c == '-' || *c == ' ' ? '_' : tolower((unsigned char)*c);
	record_number(key, f->value);
}

long pipe_max_size(void)
{
	return read_number("/proc/sys/fs/pipe-max-size");
}

void explain_limits(enum record_form form)
{
	long page = getpagesize();
	int fd[2];
	long size, pipe_buf;

	xpipe(fd);
	size = fcntl(fd[0], F_GETPIPE_SZ);
	pipe_buf = fpathconf(fd[0], _PC_PIPE_BUF);
	const struct fact facts[] = {
		{ "page size", page, "bytes in a slot" },
		{ "PIPE_BUF", pipe_buf, "a write of up to so many bytes is atomic" },
		{ "new pipe", size, "bytes that a new pipe can hold" },
		{ "slots", size / page, "writes that it can hold if none can merge" },
		{ "pipe-max-size", pipe_max_size(), "largest size without CAP_SYS_RESOURCE" },
		{ "pipe-user-pages-soft", read_number("/proc/sys/fs/pipe-user-pages-soft"),
			"pages of all pipes of a user; beyond, new ones get 2 (0: no limit)" },
		{ "pipe-user-pages-hard", read_number("/proc/sys/fs/pipe-user-pages-hard"),
			"beyond, there is no new pipe at all (0: no limit)" },
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
