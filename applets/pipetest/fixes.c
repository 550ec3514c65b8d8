/*
 * fixes.c - lists the fixes that this kernel lacks, as failed cases of class B show
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "engine.h"

static const char **rows;
static unsigned count;

/* A case that fails for several kinds of pipe is listed once. */
void pipetest_fixes_note(const char *row)
{
	for (unsigned i = 0; i < count; i++)
		if (rows[i] == row)
			return;
	rows = xrealloc(rows, (count + 1) * sizeof(*rows));
	rows[count++] = row;
}

void pipetest_fixes_print(void (*line)(const char *fmt, ...), const char *indent)
{
	if (count)
		line("%sYour kernel lacks these fixes:\n", indent);
	for (unsigned i = 0; i < count; i++)
		line("%s  %s: %s\n", indent, pipetest_case_text(rows[i], SOURCE),
			pipetest_case_text(rows[i], RULE));
}

void pipetest_fixes_record(void)
{
	record_nest("missing_fixes", '[');
	for (unsigned i = 0; i < count; i++) {
		record_nest(NULL, '{');
		record_string("case", pipetest_case_text(rows[i], NAME));
		record_string("fix", pipetest_case_text(rows[i], SOURCE));
		record_string("rule", pipetest_case_text(rows[i], RULE));
		record_unnest('}');
	}
	record_unnest(']');
}
