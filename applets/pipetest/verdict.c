/*
 * verdict.c - announces the calls of a case, shows their results and judges them
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/resource.h>
#include <sys/statfs.h>
#include "engine.h"

struct state t;
struct engine pipetest;

/* --- Lines of diagnostics -------------------------------------------------------------- */

/* Adds a line. Returns the new length of the text, or 0 if there was no room. */
static uint32_t add_line(uint32_t room, const char *fmt, va_list args) PRINTF(2, 0);
static uint32_t add_line(uint32_t room, const char *fmt, va_list args)
{
	struct said *s = &pipetest.shared->said;
	char line[512];
	size_t len = vscnprintf(line, sizeof(line) - 1, fmt, args);
	uint32_t at = s->text_len;

	line[len++] = '\n';
	do
		if (at + len >= room) {
			s->lines_lost++;
			return 0;
		}
	while (!atomic_compare_exchange_weak(&s->text_len, &at, at + len));
	memcpy(s->text + at, line, len);
	return at + len;
}

static uint32_t say(const char *fmt, ...) PRINTF(1, 2);
static uint32_t say(const char *fmt, ...)
{
	va_list args;
	uint32_t end;

	va_start(args, fmt);
	end = add_line(pipetest.text_room, fmt, args);
	va_end(args);
	return end;
}

void t_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)add_line(pipetest.text_room, fmt, args);
	va_end(args);
}

/* --- Verdicts. Several processes of a case may give one, and the first one counts. ------- */

static void give(enum verdict verdict)
{
	uint32_t none = PASS;

	(void)atomic_compare_exchange_strong(&pipetest.shared->said.verdict, &none, verdict);
}

void t_skip(const char *token)
{
	struct said *said = &pipetest.shared->said;

	if (said->verdict == PASS)
		scnprintf(said->reason, sizeof(said->reason), "%s", token);
	give(SKIP);
	_exit(EXIT_FAILURE);
}

/* If the kernel lacks the call, the case is skipped whatever the call returned. */
static void skip_if_lacking(const char *what)
{
	const char *name = pipetest_lacking(what);

	if (name)
		t_needs_call(name);
}

void t_fail(const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	if (pipetest.shared->probed.any_absent) {
		va_list again;

		va_copy(again, args);
		vscnprintf(text, sizeof(text), fmt, again);
		va_end(again);
		skip_if_lacking(text);
	}
	if (pipetest.shared->said.verdict != SKIP)
		(void)add_line(TEXT_SIZE, fmt, args);
	va_end(args);
	give(FAIL);
	_exit(EXIT_FAILURE);
}

size_t t_random(size_t max)
{
	t.seed = t.seed * 1664525 + 1013904223;
	return 1 + (t.seed >> 8) % max;
}

const char *t_errname(long result)
{
	static const struct {
		int err;
		char name[14];
	} names[] = {
		{ EAGAIN, "EAGAIN" },
		{ EPIPE, "EPIPE" },
		{ EBADF, "EBADF" },
		{ EINVAL, "EINVAL" },
		{ EINTR, "EINTR" },
		{ EFAULT, "EFAULT" },
		{ EPERM, "EPERM" },
		{ EACCES, "EACCES" },
		{ ENOENT, "ENOENT" },
		{ EEXIST, "EEXIST" },
		{ ENXIO, "ENXIO" },
		{ EBUSY, "EBUSY" },
		{ ENOMEM, "ENOMEM" },
		{ ENODEV, "ENODEV" },
		{ ENOTDIR, "ENOTDIR" },
		{ EISDIR, "EISDIR" },
		{ EMFILE, "EMFILE" },
		{ ENFILE, "ENFILE" },
		{ ENOTTY, "ENOTTY" },
		{ ESPIPE, "ESPIPE" },
		{ ENOSPC, "ENOSPC" },
		{ EROFS, "EROFS" },
		{ EFBIG, "EFBIG" },
		{ ENOSYS, "ENOSYS" },
		{ ENAMETOOLONG, "ENAMETOOLONG" },
		{ ELOOP, "ELOOP" },
		{ EOVERFLOW, "EOVERFLOW" },
		{ EOPNOTSUPP, "EOPNOTSUPP" },
		{ EXDEV, "EXDEV" },
		{ ENOPKG, "ENOPKG" },
		{ EIO, "EIO" },
		{ ETXTBSY, "ETXTBSY" },
		{ ECHILD, "ECHILD" },
		{ ESRCH, "ESRCH" },
		{ EDEADLK, "EDEADLK" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].err == -result)
			return names[i].name;
	return "";
}

void t_show(long result, const char *what)
{
	t_info("%s = %ld %s", what, result, t_errname(result));
}

/* --- A call is announced before it is made ----------------------------------------------- */

/* Announcements nest: a case may announce a call and then use a helper that announces its own.
 * Other processes see only the outermost announcement. The thread of t_thread() has announcements
 * of its own. */
enum { DEPTH = 4 };

static struct caller {
	struct call *seen;	/* is the copy for the engine and the other processes */
	unsigned depth;
	uint32_t line_end;	/* is where the line of the announcement ends; 0: none */
	char text[DEPTH][CALL_SIZE];
} main_caller, thread_caller;

static struct caller *me(void)
{
	return pipetest_on_thread() ? &thread_caller : &main_caller;
}

void pipetest_caller_starts(struct call *seen)
{
	struct caller *c = me();

	c->seen = seen;
	c->depth = 0;
	seen->made = false;
	seen->text[0] = '\0';
}

/* The text is written before made is set, because other processes read it when made is true. */
static void announce(struct caller *c)
{
	if (c->depth++ || !c->seen)
		return;
	strcpy(c->seen->text, c->text[0]);
	c->seen->made = true;
	if (t.verbose)
		c->line_end = say("%s", c->text[0]);
}

/* Ends the announcement and returns its text, which the next announcement overwrites. */
static const char *came_back(struct caller *c)
{
	if (--c->depth == 0 && c->seen)
		c->seen->made = false;
	return c->text[c->depth < DEPTH ? c->depth : DEPTH - 1];
}

static char *room_for_text(struct caller *c)
{
	return c->text[c->depth < DEPTH ? c->depth : DEPTH - 1];
}

void t_calling(const char *what)
{
	struct caller *c = me();

	scnprintf(room_for_text(c), CALL_SIZE, "%s", what);
	announce(c);
}

void t_callingf(const char *fmt, ...)
{
	struct caller *c = me();
	va_list args;

	va_start(args, fmt);
	vscnprintf(room_for_text(c), CALL_SIZE, fmt, args);
	va_end(args);
	announce(c);
}

/* Inside another announcement this function formats no text, because a helper that fills a pipe
 * byte by byte would otherwise be slow. */
void t_calling_io(const char *name, int fd, size_t n)
{
	struct caller *c = me();

	if (c->depth)
		c->depth++;
	else
		t_callingf("%s(%d, %zu)", name, fd, n);
}

/* Appends the result to the line of the announcement, unless another line has followed it. */
static void show_result(struct caller *c, const char *what, long got)
{
	struct said *said = &pipetest.shared->said;
	char result[48];
	uint32_t end = c->line_end;
	size_t len = scnprintf(result, sizeof(result), " = %ld %s\n", got, t_errname(got));

	if (c->depth || !t.verbose || !c->seen)
		return;
	if (end && end + len < pipetest.text_room
		&& atomic_compare_exchange_strong(&said->text_len, &end, end + len - 1))
		memcpy(said->text + end - 1, result, len);
	else
		t_show(got, what);
}

long t_call_result(long got)
{
	struct caller *c = me();
	const char *what = came_back(c);

	if (got < 0)
		got = -errno;
	if (got < 0)
		skip_if_lacking(what);
	show_result(c, what, got);
	return got;
}

/* --- The result is judged ------------------------------------------------------------------ */

/* ENOSPC skips the case only if the disk is full, because ENOSPC from a pipe is a failure. */
static bool no_space(long got)
{
	enum { ENOUGH = 8 << 20 };
	struct statfs fs;

	if (got != -ENOSPC || statfs(".", &fs) < 0)
		return got == -EDQUOT;
	return fs.f_bavail < ENOUGH / (unsigned long)fs.f_bsize || (fs.f_files && !fs.f_ffree);
}

/* ENOMEM skips the case only if a limit leaves little memory, because else it is a failure. */
static bool no_memory(long got)
{
	enum { ENOUGH = 64 << 20 };
	static const int limits[] = { RLIMIT_AS, RLIMIT_DATA };
	struct rlimit limit;

	for (size_t i = 0; got == -ENOMEM && i < ARRAY_SIZE(limits); i++)
		if (getrlimit(limits[i], &limit) == 0 && limit.rlim_cur < ENOUGH)
			return true;
	return false;
}

/* ENOSYS skips the case also for a call that probes.c does not list. */
static void skip_enosys(const char *what)
{
	char token[40];

	scnprintf(token, sizeof(token), "no-%.*s", (int)strcspn(what, " (,"), what);
	t_skip(token);
}

void t_want_result(long got, long expected)
{
	struct caller *c = me();
	const char *what = came_back(c);

	if (got != expected && no_space(got))
		t_skip("no-space");
	if (got != expected && no_memory(got))
		t_skip("no-memory");
	skip_if_lacking(what);
	if (got == -ENOSYS && got != expected)
		skip_enosys(what);
	if (got != expected)
		t_fail("%s = %ld %s, expected %ld %s", what, got, t_errname(got), expected,
			t_errname(expected));
	show_result(c, what, got);
}

void t_want_part_result(long got, size_t most)
{
	const char *what = came_back(me());

	skip_if_lacking(what);
	if (got < 1 || got > (long)most)
		t_fail("%s = %ld %s, expected 1 to %zu", what, got, t_errname(got), most);
}

void t_want_if_there_result(long result, long expected)
{
	long got = result < 0 ? -errno : result;

	if (missing(got))
		(void)came_back(me());
	else
		t_want_result(got, expected);
}

void t_signals(int expected)
{
	want(t_handled.count, expected, "signals caught");
}
