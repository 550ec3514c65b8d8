/*
 * fifo.c - what both ends of a named pipe need: options, statistics, a safe open
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/random.h>
#include "fifo.h"
#include "wait.h"

static int parse_mode(const char *str)
{
	const char *s = str;
	int mode = 0;

	for (; *s >= '0' && *s <= '7' && mode <= 0777; s++)
		mode = mode * 8 + (*s - '0');
	if (*s || s == str || mode > 0777)
		bb_show_usage("invalid mode: '%s'", str);
	return mode;
}

/* Returns the limit that /proc shows, or the usual limit. */
static int largest_pipe(void)
{
	long size = read_number("/proc/sys/fs/pipe-max-size");

	return size > 0 ? size : 1024 * 1024;
}

static int64_t parse_timeout(const char *str)
{
	return str ? xatodur("timeout", str) : INT64_MAX;
}

static void ask_size(struct fifo_asked *asked, const char *size)
{
	asked->size_named = size != NULL;
	if (size && strcmp(size, "max"))
		asked->size = xatosize("pipe size", size, 1, INT_MAX);
	else if (size || asked->frame == FRAME_RAW)
		asked->size = -largest_pipe();
}

void fifo_init(struct fifo *f, opts_t opts, const struct fifo_arguments *a)
{
	static const char *const frames[] = { "auto", "line", "packet", "nul", "len", "raw", NULL };
	struct fifo_asked *asked = &f->asked;

	if (!f->path)
		bb_show_usage("which FIFO?");
	f->fd = f->watch.fd = f->place.fd = -1;
	f->watch.look = f->watch.pause = INT64_MAX;
	if (opts & OPT('r') && a->frame)
		bb_show_usage("--raw and --frame exclude each other");
	asked->frame = opts & OPT('r') ? FRAME_RAW : xchoose("frame", a->frame, frames);
	asked->frame_named = opts & OPT('r') || (a->frame && asked->frame != FRAME_AUTO);
	asked->limited = a->count != NULL;
	f->left = a->count ? xatou_range("count", a->count, 1, UINTMAX_MAX) : UINTMAX_MAX;
	ask_size(asked, a->size);
	asked->timeout = parse_timeout(a->timeout);
	asked->open_timeout = parse_timeout(a->open_timeout);
	asked->verbose = !!(opts & OPT('v')) - !!(opts & OPT('q'));
	asked->json = !!(opts & OPT('J'));
	asked->stats = a->stats;
	asked->mode = a->mode ? parse_mode(a->mode) : opts & OPT('p') ? 0600 : -1;
	asked->unlink = !!(opts & OPT('u'));
	fifo_catch_signals(f);
}

static int is_given(const struct fifo_option *options, const char *name, size_t len)
{
	for (; options->name; options++)
		if (strlen(options->name) == len && memcmp(options->name, name, len) == 0)
			return options->given;
	return 0;
}

/* Finds the first rule that is broken. The first option of that rule is given, and one of its other
 * options is given although wanted is 0, or is missing although wanted is 1. Returns the name of
 * this other option, and sets *rule to the rule and *len to the length of the name. */
static const char *broken_rule(const struct fifo_option *options, const char *const rules[],
	int wanted, const char **rule, int *len)
{
	for (; (*rule = *rules); rules++) {
		if (!is_given(options, *rule, strcspn(*rule, ":")))
			continue;
		for (const char *name = strchr(*rule, ':') + 1; *name; name += *len) {
			name += *name == ' ';
			*len = strcspn(name, " ");
			if (is_given(options, name, *len) != wanted)
				return name;
		}
	}
	return NULL;
}

void fifo_exclude(const struct fifo_option *options, const char *const rules[])
{
	const char *rule, *name;
	int len;

	name = broken_rule(options, rules, 0, &rule, &len);
	if (name)
		bb_show_usage("--%.*s and --%.*s exclude each other", (int)strcspn(rule, ":"), rule,
			len, name);
}

void fifo_need(const struct fifo_option *options, const char *const rules[])
{
	const char *rule, *name;
	int len;

	name = broken_rule(options, rules, 1, &rule, &len);
	if (name)
		bb_show_usage("--%.*s needs --%.*s", (int)strcspn(rule, ":"), rule, len, name);
}

/* A size below 0 is a wish. It is halved until the kernel grants it, because a user over
 * pipe-user-pages-soft gets less (pipe(7)). */
void fifo_resize(struct fifo *f)
{
	int size = -f->asked.size, now = fcntl(f->fd, F_GETPIPE_SZ);

	if (size < 0 && fcntl(f->fd, F_SETPIPE_SZ, -size) < 0)
		bb_perror_msg_and_die("can't set the size of '%s' to %d%s", f->path, -size,
			errno == EPERM ? " (/proc/sys/fs/pipe-max-size)" : "");
	while (size > 0 && size > now && fcntl(f->fd, F_SETPIPE_SZ, size) < 0)
		size /= 2;
	if (f->asked.size && f->asked.verbose > 0)
		bb_error_msg("'%s' holds %d bytes", f->path, fcntl(f->fd, F_GETPIPE_SZ));
}

void fifo_hold(struct fifo *f, char **cmd, int64_t deadline, void (*reopen)(struct fifo *f))
{
	struct pollfd watch[1];

	if (*cmd) {
		fcntl(f->fd, F_SETFD, 0);
		xexec(cmd);
	}
	while (fifo_wait(f, watch, 0, deadline) == FIFO_MOVED)
		reopen(f);
	bb_error_msg("timed out: '%s' is held no longer", f->path);
	exit(EXIT_TIMED_OUT);
}

/* getrandom(2) fails before Linux 3.17 and early in the boot. */
uint64_t fifo_random(void)
{
	uint64_t n;

	return getrandom(&n, sizeof(n), GRND_NONBLOCK) == sizeof(n) ? n : (uint64_t)monotonic_ns();
}

uint32_t fifo_crc(const struct fifo_header *h, const char *part, size_t len)
{
	return crc32(crc32(0, h, offsetof(struct fifo_header, crc)), part, len);
}
