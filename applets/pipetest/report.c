/*
 * report.c - KTAP and its relatives, that every parser reads
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipetest.h"

/* One line is one write(2) of at most PIPE_BUF bytes, so that neither another process nor
 * the console of a board can tear it. Results are flat and their names one word: nested
 * output and a '#' in a name are what parsers stumble over. */

static struct {
	enum format format;
	bool nested, quiet;
	const struct pick *picks;
	unsigned count, done, in_group;
	unsigned totals[N_VERDICTS];
} out;

static const char *const names[N_VERDICTS] = { "pass", "fail", "xfail", "xpass", "skip", "error" };

static void line(const char *fmt, ...) PRINTF(1, 2);
static void line(const char *fmt, ...)
{
	char buf[PIPE_BUF];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	if (len >= (int)sizeof(buf)) {
		len = sizeof(buf);
		buf[len - 1] = '\n';
	}
	if (full_write(STDOUT_FILENO, buf, len) == len)
		return;
	if (errno != EPIPE)
		bb_perror_msg("can't write to standard output");
	exit(EXIT_FAILURE);
}

/* The length of the group's name, which stands before the first dot. */
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

/* stdout is flushed by the line. */
static void json_end(void)
{
	record_end();
	xfflush_stdout();
}

static void json_environment(const char *fmt, ...) PRINTF(1, 2);
static void json_environment(const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	record_begin(JSON);
	record_bytes("environment", text + strlen("# "), strlen(text) - strlen("# \n"));
	json_end();
}

static void json_result(const struct result *r, const char *verdict)
{
	size_t room = PIPE_BUF / 2; /* the escapes and the other fields need some, too */

	record_begin(JSON);
	record_string("name", r->name);
	record_string("ids", case_text(r->row, IDS));
	record_bytes("class", &r->c->class, 1);
	record_string("result", verdict);
	record_string("reason", r->reason);
	record_number("us", r->ns / 1000);
	record_nest("diag", '[');
	for (const char *text = r->text; *text;) {
		size_t len = strcspn(text, "\n");

		if (len > room)
			break;
		record_bytes(NULL, text, len);
		room -= len;
		text += len + 1;
	}
	record_unnest(']');
	json_end();
}

static void json_totals(void)
{
	record_begin(JSON);
	record_nest("totals", '{');
	for (int v = 0; v < N_VERDICTS; v++)
		record_number(names[v], out.totals[v]);
	record_unnest('}');
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

/* A group fails if one of its cases does. */
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
	const char *indent = out.nested ? "  " : "";
	const char *name = r->name + (out.nested ? group_len(r->name) + 1 : 0);
	const char *directive = r->verdict == SKIP ? " # SKIP "
		: r->verdict == XFAIL              ? " # XFAIL "
						   : "";

	if (!out.quiet || failed)
		diagnostics(r->text, indent);
	if (!out.quiet || failed)
		line("%s%sok %u %s%s%s\n", indent, failed ? "not " : "",
			out.nested ? out.in_group : out.done, name, directive,
			*directive ? r->reason : "");
}

/* --- what the engine calls ------------------------------------------------------------ */

void report_start(
	enum format format, bool nested, bool quiet, const struct pick *picks, unsigned count)
{
	out.format = format;
	out.nested = nested;
	out.quiet = quiet;
	out.picks = picks;
	out.count = count;
	if (format == JSON_LINES)
		print_environment(json_environment);
	if (quiet || format == JSON_LINES || format == PTEST)
		return;
	line("\n%s\n", format == TAP13 ? "TAP version 13" : "KTAP version 1");
	line("1..%u\n", nested ? count_groups() : count);
	print_environment(line);
}

void report_result(const struct result *r)
{
	static const char ptest[N_VERDICTS][6] = { "PASS", "FAIL", "XFAIL", "XPASS", "SKIP",
		"ERROR" };
	static const char lava[N_VERDICTS][5] = { "pass", "fail", "pass", "fail", "skip", "fail" };
	static bool group_failed;
	bool failed = r->verdict == FAIL || r->verdict == ERROR;
	unsigned us = r->ns / 1000;

	out.totals[r->verdict]++;
	out.done++;
	if (out.nested && (out.done == 1 || !same_group(out.done - 2, out.done - 1))) {
		group_start(out.done - 1);
		group_failed = false;
	}
	out.in_group++;
	group_failed |= failed;
	if (out.format == JSON_LINES)
		json_result(r, names[r->verdict]);
	else if (out.format == PTEST)
		line("%s: %s\n", ptest[r->verdict], r->name);
	else
		tap_result(r, failed);
	if (out.format == LAVA)
		line("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=%s RESULT=%s UNITS=ms "
			"MEASUREMENT=%u.%03u>\n",
			r->name, lava[r->verdict], us / 1000, us % 1000);
	if (out.nested)
		group_end(out.done - 1, group_failed);
}

int report_end(int sig)
{
	const unsigned *n = out.totals;

	if (out.format == JSON_LINES) {
		json_totals();
	} else {
		if (out.done < out.count)
			line("Bail out! %s\n", sig ? "signal" : "first failure");
		line("# Totals: pass:%u fail:%u xfail:%u xpass:%u skip:%u error:%u\n",
		     n[PASS], n[FAIL], n[XFAIL], n[XPASS], n[SKIP], n[ERROR]);
	}
	if (n[FAIL] || n[ERROR])
		return EXIT_FAILURE;
	return n[SKIP] == out.done ? EXIT_STALE : EXIT_SUCCESS;
}
