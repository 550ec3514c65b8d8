/*
 * terminal.c - shows the run to a person at a terminal
 *
 * SPDX-License-Identifier: 0BSD
 *
 * Each group has a field, and a line has three fields. The line with the running group is redrawn
 * all the time. The failures and their reasons are printed at the end.
 */
#include "engine.h"

enum { FIELDS = 3, NAME_WIDTH = 16, REDRAW_MS = 100, SHOWN_LINES = 6 };

/* A case that failed is printed at the end. */
struct failure {
	char *name, *text;
	const char *row;
};

static struct {
	const struct pick *picks;
	unsigned count, done;
	unsigned begin;			/* is the first case of the running group */
	unsigned failed, skipped;	/* count cases of the running group */
	unsigned field;
	char line[FIELDS * 40];		/* holds the finished fields of the current line */
	int64_t drawn;
	struct failure *failures;
	unsigned n_failures;
	bool colour;
} view;

static bool same_words(unsigned a, unsigned b)
{
	return view.picks[a].group == view.picks[b].group;
}

static unsigned group_size(void)
{
	unsigned end = view.begin;

	while (end < view.count && same_words(view.begin, end))
		end++;
	return end - view.begin;
}

/* Returns "tutorial pipe" for the group tutorial_pipe. */
static const char *group_words(void)
{
	static char words[NAME_WIDTH + 1];

	scnprintf(words, sizeof(words), "%s", view.picks[view.begin].group);
	for (char *c = words; *c; c++)
		if (*c == '_')
			*c = ' ';
	return words;
}

static const char *coloured(const char *code)
{
	return view.colour ? code : "";
}

/* Writes the name and the state of the running or just finished group, a third of a line wide. */
static void format_field(char *field, size_t size)
{
	unsigned ran = view.done - view.begin, all = group_size();
	char state[16];

	if (view.failed)
		scnprintf(state, sizeof(state), "%u failed", view.failed);
	else if (ran < all)
		scnprintf(state, sizeof(state), "%u/%u", ran, all);
	else if (view.skipped == all)
		scnprintf(state, sizeof(state), "skipped");
	else
		scnprintf(state, sizeof(state), "%u ok", ran - view.skipped);
	scnprintf(field, size, "%-*s%s%-9s%s ", NAME_WIDTH, group_words(),
		coloured(view.failed ? "\033[31m" : ran == all ? "\033[32m" : ""), state,
		coloured("\033[0m"));
}

static void draw(void)
{
	char field[64];

	format_field(field, sizeof(field));
	xprintf("\r%s%s", view.line, field);
	xfflush_stdout();
	view.drawn = monotonic_ns();
}

static void end_group_field(void)
{
	size_t len = strlen(view.line);

	draw();
	format_field(view.line + len, sizeof(view.line) - len);
	view.begin = view.done;
	view.failed = view.skipped = 0;
	if (++view.field % FIELDS && view.done < view.count)
		return;
	xprintf("\n");
	view.line[0] = '\0';
}

static void keep_failure(const struct result *r)
{
	struct failure f = { xasprintf("%s", r->name), xasprintf("%s", r->text), r->row };

	view.failures = xrealloc(view.failures, (view.n_failures + 1) * sizeof(f));
	view.failures[view.n_failures++] = f;
}

void pipetest_terminal_start(const struct pick *picks, unsigned count)
{
	view.picks = picks;
	view.count = count;
	view.colour = !getenv("NO_COLOR"); /* https://no-color.org defines this variable */
}

void pipetest_terminal_result(const struct result *r)
{
	bool failed = r->verdict == FAIL || r->verdict == ERROR;

	view.done++;
	view.failed += failed;
	view.skipped += r->verdict == SKIP;
	if (failed)
		keep_failure(r);
	if (view.done == view.count || !same_words(view.begin, view.done))
		end_group_field();
	else if (monotonic_ns() > view.drawn + REDRAW_MS * NS_PER_S / 1000)
		draw();
}

/* Prints only the last lines, which say why the case failed. */
static void print_end_of(const char *text)
{
	unsigned lines = 0;

	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	for (; *text; text += strcspn(text, "\n") + 1)
		if (lines-- <= SHOWN_LINES)
			xprintf("    %.*s\n", (int)strcspn(text, "\n"), text);
}

void pipetest_terminal_end(void)
{
	if (view.done < view.count && view.line[0])
		xprintf("\n");
	for (unsigned i = 0; i < view.n_failures; i++) {
		const struct failure *f = &view.failures[i];

		xprintf("\n%snot ok %s%s\n  rule:   %s\n  source: %s\n", coloured("\033[31m"),
			f->name, coloured("\033[0m"), pipetest_case_text(f->row, RULE),
			pipetest_case_text(f->row, SOURCE));
		print_end_of(f->text);
	}
	if (view.n_failures)
		xprintf("\n");
}
