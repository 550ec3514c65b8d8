/*
 * record.c - one record a line, as JSON or as words that a shell can eval
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

static enum record_form form;
static int fields;

/* Length of the UTF-8 sequence at p, 0 if it is none: RFC 3629 section 4. */
static size_t utf8_len(const unsigned char *p, size_t left)
{
	size_t len = *p < 0x80 ? 1
		: *p < 0xC2    ? 0
		: *p < 0xE0    ? 2
		: *p < 0xF0    ? 3
		: *p < 0xF5    ? 4
			       : 0;

	if (len > left)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F) ||
	    (*p == 0xF0 && p[1] < 0x90) || (*p == 0xF4 && p[1] > 0x8F))
		return 0;
	return len;
}

static int is_utf8(const unsigned char *p, size_t len)
{
	for (size_t n; len; p += n, len -= n) {
		n = utf8_len(p, len);
		if (!n)
			return 0;
	}
	return 1;
}

static void json_text(const unsigned char *p, size_t len)
{
	for (; len; p++, len--)
		if (*p < ' ' || *p == 0x7F)
			xprintf("\\u%04x", *p);
		else
			xprintf(*p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
}

static void base64(const unsigned char *p, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t n = p[i] << 16 | (i + 1 < len ? p[i + 1] : 0) << 8
			| (i + 2 < len ? p[i + 2] : 0);

		xprintf("%c%c%c%c", digits[n >> 18], digits[n >> 12 & 63],
			i + 1 < len ? digits[n >> 6 & 63] : '=',
			i + 2 < len ? digits[n & 63] : '=');
	}
}

/* Within a JSON array there is no name. */
static void key(const char *name, const char *suffix)
{
	if (fields++)
		xprintf(form == JSON ? "," : " ");
	if (name)
		xprintf(form == JSON ? "\"%s%s\":" : "%s%s=", name, suffix);
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
	const unsigned char *p = data;

	if (form == JSON) {
		int utf8 = is_utf8(p, len);

		key(name, utf8 ? "" : "_b64");
		xprintf("\"");
		(utf8 ? json_text : base64)(p, len);
		xprintf("\"");
		return;
	}
	key(name, "");
	xprintf("'");
	for (; len; p++, len--)
		xprintf(*p == '\'' ? "'\\''" : "%c", *p);
	xprintf("'");
}

void record_string(const char *name, const char *text)
{
	record_bytes(name, text, strlen(text));
}

void record_number(const char *name, intmax_t value)
{
	key(name, "");
	xprintf(form == JSON ? "%jd" : "'%jd'", value);
}

void record_literal(const char *name, const char *text)
{
	key(name, "");
	xprintf(form == JSON ? "%s" : "'%s'", text);
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
