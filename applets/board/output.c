/*
 * output.c - print a record as a line, as pairs, as JSON, or by a format
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapr.h"

/* These two are in the slot, not in the record. --fields and --format take their names too. */
static const struct field seq_field = { .name = "seq", .count = 1, .kind = 'u' };
static const struct field time_field = { .name = "time", .count = 1, .kind = 'u' };

static void put_char(char c)
{
	xwrite_stdout(&c, 1);
}

/* Returns the integer of f's size at p. With swap it is in the other byte order. */
static uint64_t field_load(const struct field *f, const void *p, int swap)
{
	const unsigned char *b = p;
	uint64_t value = 0;

	for (unsigned i = 0; i < f->size; i++)
		value |= (uint64_t)b[LITTLE ^ swap ? i : f->size - 1 - i] << 8 * i;
	return value;
}

const char *board_format_time(char text[32], const struct board_slot *slot)
{
	scnprintf(text, 32, "%" PRIu64 ".%09u", (uint64_t)(slot->realtime_ns / NS_PER_S),
		(unsigned)(slot->realtime_ns % NS_PER_S));
	return text;
}

static void format_number(const struct field *f, uint64_t value, char text[32])
{
	int shift = 64 - 8 * f->size;

	if (f->kind == 'f')
		board_format_decimal(text, f->size, value);
	else if (f->kind == 'i') /* the shifts extend the sign from f->size bytes to 8 */
		scnprintf(text, 32, "%" PRId64, (int64_t)(value << shift) >> shift);
	else
		scnprintf(text, 32, "%" PRIu64, value);
}

void board_element_text(const struct board *b, const struct field *f, const void *p, char *text)
{
	const unsigned char *bytes = p;

	if (f->kind == 'x') {
		for (uint32_t i = 0; i < f->size; i++)
			scnprintf(text + 2 * (size_t)i, 3, "%02x", bytes[i]);
	} else if (f->kind == 's' || f->kind == 'c') {
		size_t len = strnlen(p, f->size);

		memcpy(text, p, len);
		text[len] = '\0';
	} else {
		format_number(f, field_load(f, p, b->swap), text);
	}
}

static void print_string(const struct field *f, const unsigned char *p, enum record_form style,
	int base64)
{
	size_t len = strnlen((const char *)p, f->size);

	if (style == JSON)
		put_char('"');
	if (base64)
		print_base64(p, len);
	else if (f->kind != 'x')
		print_text(p, len, style);
	else
		for (uint32_t i = 0; i < f->size; i++)
			xprintf("%02x", p[i]);
	if (style == JSON)
		put_char('"');
}

static void print_element(const struct board *b, const struct field *f, const unsigned char *p,
	enum record_form style, int base64)
{
	uint64_t value;
	char text[32];

	if (strchr("scx", f->kind)) {
		print_string(f, p, style, base64);
		return;
	}
	value = f == &seq_field ? b->slot->publications : field_load(f, p, b->swap);
	if (f == &time_field)
		board_format_time(text, b->slot);
	else
		format_number(f, value, text);
	if (f->kind == 'b' && style == JSON)
		xprintf(value ? "true" : "false");
	else if (f->kind == 'f' && style == JSON && strpbrk(text, "in"))
		xprintf("null"); /* JSON has neither inf nor nan */
	else
		xprintf("%s", text);
}

static const unsigned char *element(const struct board *b, const struct field *f, uint32_t i)
{
	return b->slot->record + f->offset + (size_t)i * f->size;
}

static void print_value(
	const struct board *b, const struct field *f, enum record_form style, int base64)
{
	if (f->is_array && style == JSON)
		put_char('[');
	for (uint32_t i = 0; i < f->count; i++) {
		if (i)
			put_char(',');
		print_element(b, f, element(b, f, i), style, base64);
	}
	if (f->is_array && style == JSON)
		put_char(']');
}

/* Prints NAME=VALUE, or "NAME":VALUE. nth is how many fields stand before it on the line. */
static void print_field(
	const struct board *b, const struct field *f, const struct output *out, int nth)
{
	enum record_form style = out->style;
	static const char before[][3] = { [NO_RECORD] = "\t ", [PAIRS] = " ", [JSON] = "," };
	int base64 = 0;

	for (uint32_t i = 0; i < f->count && style == JSON && strchr("sc", f->kind); i++)
		base64 |= !is_utf8(
			element(b, f, i), strnlen((const char *)element(b, f, i), f->size));
	if (nth)
		xprintf("%s", before[style]);
	if (style == JSON)
		xprintf("\"%s%s\":", f->name, base64 ? "_b64" : "");
	else
		xprintf("%s%s=%s", style == PAIRS ? out->prefix : "", f->name,
			style == PAIRS ? "'" : "");
	print_value(b, f, style, base64);
	if (style == PAIRS)
		put_char('\'');
}

static const struct field *find_output_field(const struct board *b, const char *name, size_t len)
{
	const struct field *f = board_schema_find(&b->schema, name, len);

	if (!f && len == 3 && strncmp(name, seq_field.name, len) == 0)
		f = &seq_field;
	if (!f && len == 4 && strncmp(name, time_field.name, len) == 0)
		f = &time_field;
	if (!f)
		bb_show_usage("no field '%.*s': there are %s, seq and time", (int)len, name,
			board_field_list(&b->schema));
	return f;
}

/* Prints the record by the format. With dry it prints nothing, and ends the program if the format
 * names a field that the board has not. */
static void print_format(const struct board *b, const char *s, int dry)
{
	static const char escapes[] = "nrt0\\", bytes[] = "\n\r\t\0\\";
	const char *end;

	for (; *s; s++) {
		char c = *s;

		if (s[0] == '%' && s[1] == '{' && (end = strchr(s, '}'))) {
			const struct field *f = find_output_field(b, s + 2, end - s - 2);

			if (!dry)
				print_value(b, f, NO_RECORD, 0);
			s = end;
			continue;
		}
		if (s[0] == '\\' && s[1] && (end = strchr(escapes, s[1]))) {
			c = bytes[end - escapes];
			s++;
		} else {
			s += s[0] == '%' && s[1] == '%';
		}
		if (!dry)
			put_char(c);
	}
}

const struct field *board_nth_field(const struct board *b, const char **names, uint32_t nth)
{
	const struct field *f;
	size_t len;

	if (!*names)
		return nth < b->schema.count ? &b->schema.fields[nth] : NULL;
	if (!**names)
		return NULL;
	len = strcspn(*names, ",");
	f = find_output_field(b, *names, len);
	*names += len + ((*names)[len] == ',');
	return f;
}

void board_check_output(const struct board *b, const struct output *out)
{
	const char *names = out->fields;

	if (out->format)
		print_format(b, out->format, 1);
	else
		while (board_nth_field(b, &names, UINT32_MAX))
			;
}

void board_print_value(const struct board *b, const struct field *f)
{
	print_value(b, f, NO_RECORD, 0);
}

void board_print(const struct board *b, const struct output *out)
{
	const char *names = out->fields;
	const struct field *f;

	if (out->screen && board_show(b, out))
		return;
	if (out->format) {
		print_format(b, out->format, 0);
		xfflush_stdout();
		return;
	}
	if (out->style == JSON)
		put_char('{');
	for (uint32_t nth = 0; (f = board_nth_field(b, &names, nth)); nth++)
		print_field(b, f, out, nth);
	xprintf(out->style == JSON ? "}\n" : "\n");
	xfflush_stdout();
}
