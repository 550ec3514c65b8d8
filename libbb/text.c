/*
 * text.c - text that came from outside: which bytes are characters, and how they are printed
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

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

unsigned utf8_code(const void *text, size_t n)
{
	const unsigned char *p = text;
	unsigned code = n == 1 ? *p : *p & (0x7F >> n);

	for (size_t i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3F);
	return code;
}

/* The C0 and C1 controls and DEL act on a terminal. The other characters make a terminal show text
 * in a different order or place: the Bidi_Control characters (Unicode Standard Annex 9, 2.7), and
 * the separators of lines and paragraphs. */
static int is_unsafe(unsigned code)
{
	return code < ' ' || (code >= 0x7F && code < 0xA0) || code == 0x061C
		|| code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E)
		|| (code >= 0x2066 && code <= 0x2069);
}

size_t unsafe_len(const void *text, size_t left)
{
	size_t n = utf8_len(text, left);

	if (n == 0)
		return 1;
	return is_unsafe(utf8_code(text, n)) ? n : 0;
}

size_t make_safe(char *text, size_t len)
{
	size_t to = 0, n;

	for (size_t from = 0; from < len; from += n) {
		n = unsafe_len(text + from, len - from);
		if (n) {
			text[to++] = '?';
			continue;
		}
		n = utf8_len(text + from, len - from);
		memmove(text + to, text + from, n);
		to += n;
	}
	return to;
}

/* Prints an escape for people or for JSON (RFC 8259, section 7). A byte that is no character is
 * printed as the character with that number, which is below 256. */
static void print_escaped(const unsigned char *p, size_t n, enum record_form form)
{
	unsigned code = utf8_code(p, n);

	xprintf(form == JSON || code > 0xFF ? "\\u%04x" : "\\x%02x", code);
}

/* Prints, within '' for a shell, all unsafe bytes at p up to a newline, and returns their number. A
 * shell that evaluates the output gets the bytes themselves. A terminal that shows the output does
 * not get them. */
static size_t print_for_eval(const unsigned char *p, size_t left)
{
	size_t done = 0, n;

	xprintf("'\"$(printf '");
	while (done < left && p[done] != '\n' && (n = unsafe_len(p + done, left - done)))
		for (; n; n--)
			xprintf("\\%03o", p[done++]);
	xprintf("')\"'");
	return done;
}

/* A record is one line, so that a script can read and evaluate each record alone. Within '' this
 * text is a newline for any POSIX shell, because IFS is a space, a tab and a newline unless the
 * script has changed it. */
static const char newline[] = "'\"${IFS#??}\"'";

void print_text(const void *text, size_t len, enum record_form form)
{
	const unsigned char *p = text;
	size_t n;

	for (; len; p += n, len -= n) {
		n = unsafe_len(p, len);
		if (n && form != PAIRS) {
			print_escaped(p, n, form);
			continue;
		}
		if (n && *p != '\n') {
			n = print_for_eval(p, len);
			continue;
		}
		n = utf8_len(p, len);
		if (form == PAIRS && (*p == '\n' || *p == '\'')) {
			xprintf("%s", *p == '\n' ? newline : "'\\''");
			continue;
		}
		if (form == JSON && (*p == '"' || *p == '\\'))
			xprintf("\\");
		xwrite_stdout(p, n);
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
