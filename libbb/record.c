/*
 * record.c - one record a line, as JSON or as words that a shell can eval
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

static enum record_form form;
static int fields;

/* The bytes of the character at text, 0 if it is none (RFC 3629). */
size_t utf8_len(const void *text, size_t left)
{
	const unsigned char *p = text;
	size_t n = *p < 0x80 ? 1
		: *p < 0xC2  ? 0
		: *p < 0xE0  ? 2
		: *p < 0xF0  ? 3
		: *p < 0xF5  ? 4
			     : 0;
	unsigned second = n > 1 && n <= left ? p[1] : 0x80;

	if (n > left || (*p == 0xE0 && second < 0xA0) || (*p == 0xED && second >= 0xA0)
		|| (*p == 0xF0 && second < 0x90) || (*p == 0xF4 && second >= 0x90))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	return n;
}

int is_utf8(const void *text, size_t len)
{
	const unsigned char *p = text;
	size_t n = 1;

	for (; len && n; p += n, len -= n)
		n = utf8_len(p, len);
	return n != 0;
}

/* A record is a line, which a script may read alone and eval: the rest of a text with a newline
 * would be its next command. POSIX shells before 2024 have no other word for one than this:
 * IFS is a space, a tab and a newline, unless the script has changed that. */
static const char newline[] = "'\"${IFS#??}\"'";

void print_text(const void *text, size_t len, enum record_form style)
{
	const unsigned char *p = text;
	size_t n;

	for (; len; p += n, len -= n) {
		n = utf8_len(p, len);
		if (style != PAIRS
			&& (!n || *p < ' ' || *p == 0x7F || (*p == 0xC2 && p[1] < 0xA0))) {
			xprintf(style == JSON ? "\\u%04x" : "\\x%02x", n == 2 ? p[1] : *p);
			n += !n;
		} else if (style == PAIRS && *p == '\'') {
			xprintf("'\\''");
		} else if (style == PAIRS && *p == '\n') {
			xprintf("%s", newline);
		} else {
			n += !n;
			if (style == JSON && (*p == '"' || *p == '\\'))
				xprintf("\\");
			xwrite_stdout(p, n);
		}
	}
}

void base64_four(char four[4], const void *data, size_t left)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = data;
	uint32_t bits = p[0] << 16 | (left > 1 ? p[1] << 8 : 0) | (left > 2 ? p[2] : 0);

	for (size_t i = 0; i < 4; i++)
		four[i] = i > left ? '=' : digits[bits >> (18 - 6 * i) & 63];
}

void print_base64(const void *data, size_t len)
{
	char four[4];

	for (size_t i = 0; i < len; i += 3) {
		base64_four(four, (const char *)data + i, len - i);
		xwrite_stdout(four, sizeof(four));
	}
}

/* Within a JSON array there is no name. */
static void key(const char *name, const char *suffix)
{
	static const char before[][2] = { "\n", [JSON] = ",", [PAIRS] = " " };

	if (fields++)
		xprintf("%s", before[form]);
	if (name)
		xprintf(form == JSON ? "\"%s%s\":" : form == PAIRS ? "%s%s=" : "%s%s: ",
			name, suffix);
}

/* Numbers and literals are bare but for a shell. */
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

	key(name, base64 ? "_b64" : "");
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
	key(name, "");
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
	key(name, "");
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
