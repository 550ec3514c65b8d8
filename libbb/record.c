/*
 * record.c - one record a line, as JSON or as words that a shell can eval
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

static enum record_form form;
static int fields;

/* name is NULL for an element of a JSON array. */
static void begin_field(const char *name, const char *suffix)
{
	static const char before[][2] = { "\n", [JSON] = ",", [PAIRS] = " " };

	if (fields++)
		xprintf("%s", before[form]);
	if (name)
		xprintf(form == JSON ? "\"%s%s\":" : form == PAIRS ? "%s%s=" : "%s%s: ",
			name, suffix);
}

/* JSON has quotes around texts only, but words for a shell have quotes around numbers, too. */
static void quote(int is_text)
{
	static const char mark[][2] = { "", [JSON] = "\"", [PAIRS] = "'" };

	if (is_text || form == PAIRS)
		xprintf("%s", mark[form]);
}

void record_begin(enum record_form f)
{
	form = f;
	fields = 0;
	if (form == JSON)
		xprintf("{");
}

void record_bytes(const char *name, const void *data, size_t len)
{
	int base64 = form == JSON && !is_utf8(data, len);

	begin_field(name, base64 ? "_b64" : "");
	quote(1);
	if (base64)
		print_base64(data, len);
	else
		print_text(data, len, form);
	quote(1);
}

void record_string(const char *name, const char *text)
{
	record_bytes(name, text, strlen(text));
}

void record_literal(const char *name, const char *text)
{
	begin_field(name, "");
	quote(0);
	xprintf("%s", text);
	quote(0);
}

void record_number(const char *name, intmax_t value)
{
	char digits[24];

	scnprintf(digits, sizeof(digits), "%jd", value);
	record_literal(name, digits);
}

void record_nest(const char *name, char bracket)
{
	begin_field(name, "");
	xprintf("%c", bracket);
	fields = 0;
}

void record_unnest(char bracket)
{
	xprintf("%c", bracket);
	fields = 1;
}

void record_end(void)
{
	xprintf(form == JSON ? "}\n" : "\n");
}
