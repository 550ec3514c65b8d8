/*
 * skips.c - counts the skipped cases by reason
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "engine.h"

static struct reason {
	char token[40];
	unsigned cases;
} *reasons;
static unsigned count;

void pipetest_skips_note(const char *token)
{
	unsigned i = 0;

	while (i < count && strcmp(reasons[i].token, token) != 0)
		i++;
	if (i == count) {
		reasons = xrealloc(reasons, (count + 1) * sizeof(*reasons));
		scnprintf(reasons[i].token, sizeof(reasons[i].token), "%s", token);
		reasons[i].cases = 0;
		count++;
	}
	reasons[i].cases++;
}

void pipetest_skips_print(void (*line)(const char *fmt, ...), const char *indent)
{
	char text[1024] = "";
	size_t len = 0;

	for (unsigned i = 0; i < count; i++)
		len += scnprintf(text + len, sizeof(text) - len, " %s:%u", reasons[i].token,
			reasons[i].cases);
	if (count)
		line("%sSkips:%s\n", indent, text);
}

void pipetest_skips_record(void)
{
	record_nest("skips", '{');
	for (unsigned i = 0; i < count; i++)
		record_number(reasons[i].token, reasons[i].cases);
	record_unnest('}');
}
