/*
 * value.c - fields of a record out of words and JSON objects
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapw.h"

static void field_store(const struct field *f, void *p, uint64_t value)
{
	unsigned char *b = p;

	for (unsigned i = 0; i < f->size; i++)
		b[LITTLE ? i : f->size - 1 - i] = value >> 8 * i;
}

static int report_value(const struct field *f, const char *text, const char *why)
{
	bb_error_msg("field '%s': '%s' is %s for %s", f->name, text, why, f->type);
	return -1;
}

/* NULL, or why not. */
static const char *parse_int(const struct field *f, const char *text, uint64_t *value)
{
	int negative = *text == '-';
	uint64_t limit = UINT64_MAX >> (64 + (f->kind == 'i') - 8 * f->size);
	const char *end = parse_digits(text + negative, 10, value);

	if (!isdigit((unsigned char)text[negative]) || (end && *end))
		return "invalid";
	if (negative)
		limit = f->kind == 'i' ? limit + 1 : 0;
	if (!end || *value > limit)
		return "out of range";
	if (negative)
		*value = -*value;
	return NULL;
}

static const char *parse_bool(const char *text, uint64_t *value)
{
	static const char words[][6] = { "0", "1", "false", "true" };

	for (*value = 0; *value < ARRAY_SIZE(words); ++*value)
		if (strcmp(text, words[*value]) == 0) {
			*value &= 1;
			return NULL;
		}
	return "invalid";
}

static const char *parse_hex(unsigned char *p, size_t size, const char *text)
{
	if (strlen(text) != 2 * size)
		return "not of the right length";
	return board_hex_bytes(p, size, text) == 2 * size ? NULL : "invalid";
}

static const char *set_element(const struct field *f, unsigned char *p, const char *text)
{
	uint64_t value = (unsigned char)*text;
	const char *why = NULL;

	if (f->kind == 'x')
		return parse_hex(p, f->size, text);
	if (f->kind == 's') {
		if (strlen(text) >= f->size)
			return "too long";
		memset(p, 0, f->size);
		memcpy(p, text, strlen(text));
		return NULL;
	}
	if (f->kind == 'c')
		why = *text && text[1] ? "too long" : NULL;
	else if (f->kind == 'f')
		why = parse_decimal(text, f->size, &value);
	else
		why = f->kind == 'b' ? parse_bool(text, &value) : parse_int(f, text, &value);
	if (!why)
		field_store(f, p, value);
	return why;
}

/* The elements of an array are V,V,...: as many as it has. */
static int set_field(const struct field *f, unsigned char *record, char *text)
{
	char *element = text;

	for (uint32_t i = 0; i < f->count; i++) {
		char *comma = f->is_array ? strchr(element, ',') : NULL;
		const char *why;

		if (f->is_array && !comma != (i == f->count - 1))
			return report_value(f, text, "not of the right length");
		if (comma)
			*comma = '\0';
		why = set_element(f, record + f->offset + (size_t)i * f->size, element);
		if (why)
			return report_value(f, element, why);
		if (comma) {
			*comma = ',';
			element = comma + 1;
		}
	}
	return 0;
}

static int no_field(const char *name, size_t len)
{
	bb_error_msg("no field '%.*s'", (int)len, name);
	return -1;
}

static int set_word(const struct schema *s, unsigned char *record, char *word)
{
	char *value = strchr(word, '=');
	const struct field *f;

	if (!value) {
		bb_error_msg("'%s' is not FIELD=VALUE", word);
		return -1;
	}
	f = schema_find(s, word, value - word);
	return f ? set_field(f, record, value + 1) : no_field(word, value - word);
}

int board_set_words(const struct schema *s, unsigned char *record, char **words)
{
	for (; *words; words++)
		if (set_word(s, record, *words) < 0)
			return -1;
	return 0;
}

/* Cuts the next word off, in place. NULL at the end, or with *line not at its end if a
 * quotation is not closed. */
static char *next_word(char **line)
{
	char *s = *line + strspn(*line, " \t\r"), *word = s, *to = s, quote = '\0';

	if (!*s) {
		*line = s;
		return NULL;
	}
	for (; *s && (quote || (*s != ' ' && *s != '\t' && *s != '\r')); s++)
		if (*s == quote)
			quote = '\0';
		else if (!quote && (*s == '\'' || *s == '"'))
			quote = *s;
		else if (*s == '\\' && quote != '\'' && s[1])
			*to++ = *++s;
		else
			*to++ = *s;
	if (quote)
		return NULL;
	*line = s + (*s != '\0');
	*to = '\0';
	return word;
}

/* --- JSON: one object of scalars and arrays of scalars ----------------------------------- */

static char *skip_space(char *s)
{
	return s + strspn(s, " \t\r");
}

/* Four hexadecimal digits, or -1. */
static int hex4(const char *s)
{
	unsigned char byte[2];

	for (int i = 0; i < 4; i++)
		if (!isxdigit((unsigned char)s[i]))
			return -1;
	(void)board_hex_bytes(byte, 2, s);
	return byte[0] << 8 | byte[1];
}

/* \uXXXX at s, and its other half, as UTF-8; returns what follows, or NULL. NUL has no
 * place in a string of C. */
static char *put_unicode(char **to, char *s)
{
	int c = hex4(s), low;

	s += 4;
	if (c >= 0xD800 && c < 0xE000) {
		low = s[0] == '\\' && s[1] == 'u' ? hex4(s + 2) : -1;
		if (c >= 0xDC00 || low < 0xDC00 || low >= 0xE000)
			return NULL;
		c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
		s += 6;
	}
	if (c <= 0)
		return NULL;
	if (c >= 0x10000)
		*(*to)++ = 0xF0 | c >> 18;
	if (c >= 0x800)
		*(*to)++ = c >= 0x10000 ? 0x80 | (c >> 12 & 63) : 0xE0 | c >> 12;
	if (c >= 0x80)
		*(*to)++ = c >= 0x800 ? 0x80 | (c >> 6 & 63) : 0xC0 | c >> 6;
	*(*to)++ = c >= 0x80 ? 0x80 | (c & 63) : c;
	return s;
}

/* The string whose first quotation mark is at s, in place; returns what follows, or NULL. */
static char *json_string(char *s)
{
	static const char escapes[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	char *to = ++s;

	while (*s != '"') {
		const char *e;

		if ((unsigned char)*s < ' ')
			return NULL;
		if (*s != '\\') {
			*to++ = *s++;
		} else if (s[1] == 'u') {
			s = put_unicode(&to, s + 2);
			if (!s)
				return NULL;
		} else {
			e = s[1] ? strchr(escapes, s[1]) : NULL;
			if (!e)
				return NULL;
			*to++ = bytes[e - escapes];
			s += 2;
		}
	}
	*to = '\0';
	return s + 1;
}

static int base64_digit(unsigned char c)
{
	return isalpha(c) ? (c & 31) - 1 + (c & 32 ? 26 : 0)
		: isdigit(c) ? c - '0' + 52
		: c == '+' ? 62
		: c == '/' ? 63 : -1;
}

/* RFC 4648, section 4, in place; false if it is none, or has a NUL in it. */
static int decode_base64(char *s)
{
	char *to = s;
	unsigned bits = 0, have = 0;

	for (; base64_digit(*s) >= 0; s++) {
		bits = bits << 6 | base64_digit(*s);
		have += 6;
		if (have >= 8) {
			have -= 8;
			*to = bits >> have;
			if (!*to++)
				return 0;
		}
	}
	/* 2 digits and "==", or 3 and "=", are left; the bits that fill them up are 0. */
	bits &= (1U << have) - 1;
	have = have < 6 && !bits && strspn(s, "=") == have / 2 && !s[have / 2];
	*to = '\0';
	return have;
}

struct json {
	const struct schema *schema;
	unsigned char *record;
	const struct field *field;
	int base64; /* the name is NAME_b64, as mmapr prints what is no UTF-8 */
	int bad;    /* a message has been written */
};

/* One scalar at s into element i of the field; returns what follows, or NULL. */
static char *json_element(struct json *j, uint32_t i, char *s)
{
	const struct field *f = j->field;
	char *text = s, *end = s + strcspn(s, ",]} \t\r"), saved;
	const char *why = NULL;

	if (*s == '"') {
		text = s + 1;
		end = json_string(s);
		if (!end)
			return NULL;
	}
	saved = *end;
	*end = '\0';
	if (text == s && strchr("scx", f->kind)) {
		why = "invalid";
	} else if (j->base64 && !decode_base64(text)) {
		why = "invalid";
	} else {
		why = set_element(f, j->record + f->offset + (size_t)i * f->size, text);
	}
	if (why)
		j->bad = report_value(f, j->base64 ? "base64" : text, why); /* spoiled, or bytes */
	*end = saved;
	return why ? NULL : end;
}

static char *json_value(struct json *j, char *s)
{
	if (!j->field->is_array)
		return json_element(j, 0, s);
	for (uint32_t i = 0; i < j->field->count; i++) {
		if (*s++ != (i ? ',' : '['))
			return NULL;
		s = json_element(j, i, skip_space(s));
		if (!s)
			return NULL;
		s = skip_space(s);
	}
	return *s == ']' ? s + 1 : NULL;
}

/* A field may itself be called so. */
static void json_field(struct json *j, const char *name)
{
	size_t len = strlen(name);

	j->field = schema_find(j->schema, name, len);
	j->base64 = !j->field && len > 4 && strcmp(name + len - 4, "_b64") == 0;
	if (j->base64)
		j->field = schema_find(j->schema, name, len - 4);
	if (!j->field || (j->base64 && !strchr("sc", j->field->kind)))
		j->bad = no_field(name, len);
}

/* What follows the object at p, or NULL. */
static char *json_object(struct json *j, char *p)
{
	char *name;

	p = skip_space(p + 1);
	if (*p == '}')
		return p + 1;
	for (;; p = skip_space(p + 1)) {
		name = p + 1;
		if (*p != '"' || !(p = json_string(p)))
			return NULL;
		json_field(j, name);
		p = skip_space(p);
		if (j->bad || *p != ':')
			return NULL;
		p = json_value(j, skip_space(p + 1));
		if (!p)
			return NULL;
		p = skip_space(p);
		if (*p == '}')
			return p + 1;
		if (*p != ',')
			return NULL;
	}
}

int board_set_line(const struct schema *s, unsigned char *record, char *line, const char *end)
{
	struct json j = { .schema = s, .record = record };
	char *word;

	line = skip_space(line);
	if (*line == '{') {
		line = json_object(&j, line);
		if (line && skip_space(line) == end)
			return 0;
		if (!j.bad)
			bb_error_msg("not a JSON object of the board's fields");
		return -1;
	}
	while ((word = next_word(&line)))
		if (set_word(s, record, word) < 0)
			return -1;
	if (line == end)
		return 0;
	bb_error_msg(*line ? "a quotation is not closed" : "a line has a NUL in it");
	return -1;
}

