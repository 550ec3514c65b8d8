/*
 * report.c - prints the results as KTAP, TAP, JSON, or for LAVA and ptest-runner
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "engine.h"

/* A line is one write(2) of at most PIPE_BUF bytes, so that the output of another process cannot
 * come into the middle of the line. Some parsers understand no nested results and no name with a
 * space or a '#'. So only -n nests the results, and each name is one word without '#'. */

static struct {
	const struct options *o;
	const struct pick *picks;
	unsigned count, done, in_group;
	unsigned totals[N_VERDICTS];
} out;

static const char *const names[N_VERDICTS] = { "pass", "fail", "xfail", "xpass", "skip", "error" };

static void stdout_failed(void) NORETURN;
static void stdout_failed(void)
{
	if (errno != EPIPE)
		bb_perror_msg("can't write to standard output");
	exit(EXIT_FAILURE);
}

/* The signals that end a run are blocked. If the reader stops reading, only SIGKILL would end a
 * write(2). ppoll(2) therefore waits until stdout takes bytes, and lets the signals in. */
static void await_stdout(void)
{
	struct pollfd p = { STDOUT_FILENO, POLLOUT, 0 };

	while (ppoll(&p, 1, NULL, &bb_inherited_mask) < 0 && errno == EINTR) {
		int sig = bb_got_signal;

		bb_got_signal = 0;
		if (sig == SIGUSR1) {
			pipetest_report_progress();
		} else if (sig) {
			pipetest_directory_remove();
			die_of_signal(sig);
		}
	}
}

static void line(const char *fmt, ...) PRINTF(1, 2);
static void line(const char *fmt, ...)
{
	char buf[PIPE_BUF];
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = vscnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	len = make_safe(buf, len - 1); /* the name of --dir may contain any character */
	buf[len++] = '\n';
	await_stdout();
	if (full_write(STDOUT_FILENO, buf, len) != (ssize_t)len)
		stdout_failed();
}

/* Breaks the text into lines of at most 80 columns for a person. */
static void wrapped(const char *fmt, ...) PRINTF(1, 2);
static void wrapped(const char *fmt, ...)
{
	enum { WIDTH = 80, INDENT = 4 };
	char buf[1024], *from = buf;
	va_list args;
	int indent = 0;

	va_start(args, fmt);
	vscnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	while (indent + strlen(from) > WIDTH + 1) {
		char *space = from + WIDTH - indent;

		while (space > from && *space != ' ')
			space--;
		if (space == from)
			break;
		*space = '\0';
		line("%*s%s\n", indent, "", from);
		from = space + 1;
		indent = INDENT;
	}
	line("%*s%s", indent, "", from);
}

/* Prints the first two lines of the header for a person: kernel, machine and sizes. */
static void brief(const char *fmt, ...) PRINTF(1, 2);
static void brief(const char *fmt, ...)
{
	enum { LINES = 2 };
	static int shown;
	char buf[256];
	va_list args;

	va_start(args, fmt);
	vscnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	if (shown++ < LINES)
		wrapped("%s", buf);
}

/* Returns the length of the group's name, which ends at the first dot. */
static size_t group_len(const char *name)
{
	return strcspn(name, ".");
}

static bool same_group(unsigned a, unsigned b)
{
	size_t len = group_len(out.picks[a].name);

	return strncmp(out.picks[a].name, out.picks[b].name, len + 1) == 0;
}

static unsigned count_groups(void)
{
	unsigned groups = out.count > 0;

	for (unsigned i = 1; i < out.count; i++)
		groups += !same_group(i - 1, i);
	return groups;
}

/* --- JSON ----------------------------------------------------------------------------- */

/* Flushes stdout after each line. */
static void json_end(void)
{
	record_end();
	await_stdout();
	if (flush_stdout() < 0)
		stdout_failed();
}

static void json_environment(const char *fmt, ...) PRINTF(1, 2);
static void json_environment(const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	record_begin(JSON);
	record_bytes("environment", text + strlen("# "), strlen(text) - strlen("# \n"));
	json_end();
}

/* If the text is too long, its first lines are omitted, because the last ones say why the case
 * failed. */
static void json_diagnostics(const char *text)
{
	size_t room = PIPE_BUF / 2; /* escapes, quotes and other fields need the rest */
	const char *from = text;

	while (strlen(from) > room)
		from += strcspn(from, "\n") + 1;
	record_nest("diag", '[');
	for (size_t len; *from; from += len + 1) {
		len = strcspn(from, "\n");
		record_bytes(NULL, from, len);
	}
	record_unnest(']');
	if (strlen(text) > room)
		record_literal("truncated", "true");
}

static void json_result(const struct result *r, const char *verdict)
{
	record_begin(JSON);
	record_string("name", r->name);
	record_string("ids", pipetest_case_text(r->row, IDS));
	record_bytes("class", &r->c->class, 1);
	record_string("result", verdict);
	record_string("reason", r->reason);
	record_number("us", r->ns / 1000);
	json_diagnostics(r->text);
	json_end();
}

static void json_totals(const char *bail_out)
{
	record_begin(JSON);
	if (bail_out)
		record_string("bail_out", bail_out);
	record_nest("totals", '{');
	for (int v = 0; v < N_VERDICTS; v++)
		record_number(names[v], out.totals[v]);
	record_unnest('}');
	pipetest_skips_record();
	pipetest_fixes_record();
	json_end();
}

/* --- TAP ------------------------------------------------------------------------------ */

static void diagnostics(const char *text, const char *indent)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		line("%s# %.*s\n", indent, (int)len, text);
		text += len + 1;
	}
}

static void group_start(unsigned first)
{
	unsigned n = 1;

	while (first + n < out.count && same_group(first, first + n))
		n++;
	line("  KTAP version 1\n");
	line("  1..%u\n", n);
	out.in_group = 0;
}

/* A group fails if one of its cases fails. */
static void group_end(unsigned last, bool failed)
{
	static unsigned groups;

	if (last + 1 < out.count && same_group(last, last + 1))
		return;
	line("%sok %u %.*s\n", failed ? "not " : "", ++groups,
		(int)group_len(out.picks[last].name), out.picks[last].name);
}

static void tap_result(const struct result *r, bool failed)
{
	const char *indent = out.o->nested ? "  " : "";
	const char *name = r->name + (out.o->nested ? group_len(r->name) + 1 : 0);
	const char *directive = r->verdict == SKIP ? " # SKIP "
		: r->verdict == XFAIL ? " # XFAIL "
		: "";

	diagnostics(r->text, indent);
	line("%s%sok %u %s%s%s\n", indent, failed ? "not " : "",
		out.o->nested ? out.in_group : out.done, name, directive,
		*directive ? r->reason : "");
}

/* --- What the engine calls ------------------------------------------------------------ */

void pipetest_report_start(const struct options *o, const struct pick *picks, unsigned count)
{
	out.o = o;
	out.picks = picks;
	out.count = count;
	if (o->format == TERMINAL)
		pipetest_terminal_start(picks, count);
	if (o->quiet || o->format == PTEST)
		return;
	if (o->format == JSON_LINES) {
		pipetest_print_environment(json_environment);
		return;
	}
	if (o->format == TERMINAL) {
		pipetest_print_environment(brief);
		return;
	}
	if (o->format == KTAP)
		line("\n"); /* a boot loader may have left the console's line unfinished */
	line("%s\n", o->format == KTAP ? "KTAP version 1" : "TAP version 13");
	line("1..%u\n", o->nested ? count_groups() : count);
	pipetest_print_environment(line);
}

static void print_case(const struct result *r, bool failed)
{
	/* LAVA and ptest-runner do not know all of automake's six words for results. LAVA has
	 * "unknown" for what neither passed nor failed: an expected failure. */
	static const char known[N_VERDICTS][8] = { "pass", "fail", "unknown", "pass", "skip",
		"fail" };
	static const char upper[N_VERDICTS][5] = { "PASS", "FAIL", "PASS", "PASS", "SKIP", "FAIL" };
	unsigned us = r->ns / 1000;

	if (out.o->format == JSON_LINES) {
		json_result(r, names[r->verdict]);
	} else if (out.o->format == PTEST) {
		diagnostics(r->text, "");
		line("%s: %s\n", upper[r->verdict], r->name);
	} else {
		tap_result(r, failed);
	}
	if (out.o->lava)
		line("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=%s RESULT=%s UNITS=ms "
			"MEASUREMENT=%u.%03u>\n",
			r->name, known[r->verdict], us / 1000, us % 1000);
}

void pipetest_report_result(const struct result *r)
{
	static bool group_failed;
	bool failed = r->verdict == FAIL || r->verdict == ERROR;

	out.totals[r->verdict]++;
	out.done++;
	if (r->verdict == SKIP)
		pipetest_skips_note(r->reason);
	if (out.o->nested && (out.done == 1 || !same_group(out.done - 2, out.done - 1))) {
		group_start(out.done - 1);
		group_failed = false;
	}
	out.in_group++;
	group_failed |= failed;
	if (out.o->format == TERMINAL)
		pipetest_terminal_result(r);
	else if (failed || !out.o->quiet)
		print_case(r, failed);
	if (out.o->nested)
		group_end(out.done - 1, group_failed);
}

void pipetest_report_progress(void)
{
	const unsigned *n = out.totals;

	bb_error_msg("%u of %u cases done, %u failed, now %s", out.done, out.count,
		n[FAIL] + n[ERROR], out.done < out.count ? out.picks[out.done].name : "ending");
}

int pipetest_report_end(int sig)
{
	const unsigned *n = out.totals;
	const char *bail_out = out.done == out.count ? NULL : sig ? "signal" : "first failure";

	if (out.o->format == TERMINAL)
		pipetest_terminal_end();
	if (out.o->format == JSON_LINES) {
		json_totals(bail_out);
	} else {
		if (out.o->format == TERMINAL)
			pipetest_fixes_print(wrapped, "");
		else
			pipetest_fixes_print(line, "# ");
		if (bail_out)
			line("Bail out! %s\n", bail_out);
		if (out.o->format == TERMINAL)
			pipetest_skips_print(wrapped, "");
		else
			pipetest_skips_print(line, "# ");
		line("# Totals: pass:%u fail:%u xfail:%u xpass:%u skip:%u error:%u\n",
			n[PASS], n[FAIL], n[XFAIL], n[XPASS], n[SKIP], n[ERROR]);
	}
	if (n[FAIL] || n[ERROR])
		return EXIT_FAILURE;
	return n[SKIP] == out.done ? EXIT_STALE : EXIT_SUCCESS;
}
