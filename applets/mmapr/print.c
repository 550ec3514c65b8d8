/*
 * print.c - a record for people, shells, JSON parsers and formats
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapr.h"

/* What the slot says itself, for --fields and --format. */
static const struct field seq_field = { .name = "seq", .count = 1, .kind = 'u' };
static const struct field time_field = { .name = "time", .count = 1, .kind = 'u' };

/* The bytes of the UTF-8 character at p, or 0: RFC 3629, neither overlong nor a surrogate. */
static size_t utf8_len(const unsigned char *p, size_t len)
{
	size_t n = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 0;
	unsigned second = n > 1 && n <= len ? p[1] : 0x80;

	if (n > len || (*p == 0xE0 && second < 0xA0) || (*p == 0xED && second >= 0xA0)
	    || (*p == 0xF0 && second < 0x90) || (*p == 0xF4 && second >= 0x90))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	return n;
}

static int is_utf8(const unsigned char *p, size_t len)
{
	size_t n = 1;

	for (; len && n; p += n, len -= n)
		n = utf8_len(p, len);
	return n != 0;
}

/* No control character, of C1 neither, and no half of a character reaches a terminal. */
void print_string(const unsigned char *p, size_t len, enum record_form style)
{
	size_t n;

	for (; len; p += n, len -= n) {
		n = utf8_len(p, len);
		if (!n || *p < ' ' || *p == 0x7F || (*p == 0xC2 && p[1] < 0xA0)) {
			xprintf(style == JSON ? "\\u%04x" : "\\x%02x", n == 2 ? p[1] : *p);
			n += !n;
		} else if (style == PAIRS && *p == '\'') {
			xprintf("'\\''");
		} else {
			if (style == JSON && (*p == '"' || *p == '\\'))
				putchar('\\');
			fwrite(p, 1, n, stdout); /* the flush reports */
		}
	}
}

static void print_base64(const unsigned char *p, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		unsigned bits = p[i] << 16 | (i + 1 < len ? p[i + 1] << 8 : 0) | (i + 2 < len ? p[i + 2] : 0);

		for (size_t k = 0; k < 4; k++)
			putchar(i + k > len ? '=' : digits[bits >> (18 - 6 * k) & 63]);
	}
}

/* As few digits as give the same bits back. JSON has neither inf nor nan. */
static void print_float(uint64_t bits, unsigned size, enum record_form style)
{
	int precision = size == 8 ? 15 : 6;
	uint32_t low = bits;
	uint64_t again;
	char text[40];
	double number;
	float narrow;

	memcpy(&number, &bits, sizeof(number));
	if (size == 4) {
		memcpy(&narrow, &low, sizeof(narrow));
		number = narrow;
	}
	do
		snprintf(text, sizeof(text), "%.*g", precision, number);
	while (++precision <= 17 && (parse_decimal(text, size, &again) || again != bits));
	xprintf("%s", style == JSON && strpbrk(text, "in") ? "null" : text);
}

static void print_element(const struct board *b, const struct field *f, const unsigned char *p,
	enum record_form style, int base64)
{
	int shift = 64 - 8 * f->size;
	uint64_t value;

	if (strchr("scx", f->kind)) {
		if (style == JSON)
			putchar('"');
		if (base64)
			print_base64(p, strnlen((const char *)p, f->size));
		else if (f->kind != 'x')
			print_string(p, strnlen((const char *)p, f->size), style);
		else
			for (uint32_t i = 0; i < f->size; i++)
				xprintf("%02x", p[i]);
		if (style == JSON)
			putchar('"');
		return;
	}
	value = field_load(f, p, b->swap);
	if (f == &seq_field)
		xprintf("%" PRIu64, b->slot->publications);
	else if (f == &time_field)
		xprintf("%" PRIu64 ".%09u", (uint64_t)(b->slot->realtime_ns / NS_PER_S),
			(unsigned)(b->slot->realtime_ns % NS_PER_S));
	else if (f->kind == 'i') /* the sign, from f->size bytes to all */
		xprintf("%" PRId64, (int64_t)(value << shift) >> shift);
	else if (f->kind == 'f')
		print_float(value, f->size, style);
	else if (f->kind == 'b' && style == JSON)
		xprintf(value ? "true" : "false");
	else
		xprintf("%" PRIu64, value);
}

static const unsigned char *element(const struct board *b, const struct field *f, uint32_t i)
{
	return b->slot->record + f->offset + (size_t)i * f->size;
}

static void print_value(const struct board *b, const struct field *f, enum record_form style, int base64)
{
	if (f->is_array && style == JSON)
		putchar('[');
	for (uint32_t i = 0; i < f->count; i++) {
		if (i)
			putchar(',');
		print_element(b, f, element(b, f, i), style, base64);
	}
	if (f->is_array && style == JSON)
		putchar(']');
}

/* NAME=VALUE; nth counts what stands before it on the line. */
static void print_field(const struct board *b, const struct field *f, enum record_form style, int nth)
{
	static const char before[][5] = { "\t ", " ", "," };
	int base64 = 0;

	for (uint32_t i = 0; i < f->count && style == JSON && strchr("sc", f->kind); i++)
		base64 |= !is_utf8(element(b, f, i), strnlen((const char *)element(b, f, i), f->size));
	if (nth)
		xprintf("%s", before[style]);
	if (style == JSON)
		xprintf("\"%s%s\":", f->name, base64 ? "_b64" : "");
	else
		xprintf("%s=%s", f->name, style == PAIRS ? "'" : "");
	print_value(b, f, style, base64);
	if (style == PAIRS)
		putchar('\'');
}

static const struct field *named(const struct board *b, const char *name, size_t len)
{
	const struct field *f = schema_find(&b->schema, name, len);

	if (!f && len == 3 && strncmp(name, seq_field.name, len) == 0)
		f = &seq_field;
	if (!f && len == 4 && strncmp(name, time_field.name, len) == 0)
		f = &time_field;
	if (!f)
		bb_show_usage("no field '%.*s'", (int)len, name);
	return f;
}

static void print_format(const struct board *b, const char *s)
{
	static const char escapes[] = "nrt0\\", bytes[] = "\n\r\t\0\\";
	const char *end;

	for (; *s; s++) {
		if (s[0] == '%' && s[1] == '{' && (end = strchr(s, '}'))) {
			print_value(b, named(b, s + 2, end - s - 2), NO_RECORD, 0);
			s = end;
		} else if (s[0] == '\\' && s[1] && (end = strchr(escapes, s[1]))) {
			putchar(bytes[end - escapes]);
			s++;
		} else {
			s += s[0] == '%' && s[1] == '%';
			putchar(*s);
		}
	}
}

void print_record(const struct board *b, const struct output *out)
{
	const char *name = out->fields;
	int nth = 0;

	if (out->format) {
		print_format(b, out->format);
		xfflush_stdout();
		return;
	}
	if (out->style == JSON)
		putchar('{');
	for (; name && *name; name += *name == ',') {
		size_t len = strcspn(name, ",");

		print_field(b, named(b, name, len), out->style, nth++);
		name += len;
	}
	for (uint32_t i = 0; !out->fields && i < b->schema.count; i++)
		print_field(b, &b->schema.fields[i], out->style, nth++);
	xprintf(out->style == JSON ? "}\n" : "\n");
	xfflush_stdout();
}
