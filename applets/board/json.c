/*
 * json.c - set the fields of a record that one JSON object names
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapw.h"

/* Returns the number that four hexadecimal digits make, or -1 if they are not four. */
static int hex4(const char *s)
{
	unsigned char byte[2];

	for (int i = 0; i < 4; i++)
		if (!isxdigit((unsigned char)s[i]))
			return -1;
	(void)board_hex_bytes(byte, 2, s);
	return byte[0] << 8 | byte[1];
}

/* Writes the character whose XXXX of \uXXXX begins at s to *to, as UTF-8. A surrogate takes the
 * other half from the \uXXXX that follows (RFC 8259, section 7). Returns what follows, or NULL
 * for half a pair, for a wrong digit, and for NUL, which a string of C cannot hold. */
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

/* Decodes, in place, the string whose first quotation mark is at s. Returns what follows it, or
 * NULL if it is no JSON string. */
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

/* Returns the value of a digit of base64, or -1. */
static int base64_digit(unsigned char c)
{
	return isalpha(c) ? (c & 31) - 1 + (c & 32 ? 26 : 0)
		: isdigit(c) ? c - '0' + 52
		: c == '+' ? 62
		: c == '/' ? 63 : -1;
}

/* Decodes base64 (RFC 4648, section 4) in place. Returns false if the text is no base64, or if
 * the bytes hold a NUL. */
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
	/* The last group may be 2 digits and "==", or 3 digits and "=". The bits that it does not
	 * need are 0. */
	bits &= (1U << have) - 1;
	have = have < 6 && !bits && strspn(s, "=") == have / 2 && !s[have / 2];
	*to = '\0';
	return have;
}

struct json {
	const struct schema *schema;
	unsigned char *record;
	const struct field *field;
	int base64; /* the name is NAME_b64: mmapr prints a text so if it is no UTF-8 */
	int bad;    /* a message has been written */
};

/* Returns true for a number of RFC 8259, section 6: no digit follows a leading 0, and digits stand
 * on both sides of a point. */
static int is_json_number(const char *s)
{
	const char *point = strchr(s, '.');

	s += *s == '-';
	return board_is_decimal(s) && isdigit((unsigned char)*s)
		&& (*s != '0' || !isdigit((unsigned char)s[1]))
		&& (!point || isdigit((unsigned char)point[1]));
}

/* Sets one element from a text without quotation marks. Returns NULL, or why it cannot. JSON has
 * neither NaN nor infinity. mmapr prints NaN as null, so null sets NaN here. */
static const char *set_bare(const struct field *f, unsigned char *p, const char *text)
{
	const char *name = text + (*text == '-');

	if (strchr("scx", f->kind))
		return "invalid";
	if (f->kind == 'f' && strcmp(text, "null") == 0)
		return board_set_element(f, p, "nan");
	if (f->kind == 'f' && (*name == 'i' || *name == 'I'))
		return "infinite, which JSON cannot say,";
	if (f->kind == 'b' ? strcmp(text, "true") && strcmp(text, "false") && !is_json_number(text)
			   : !is_json_number(text))
		return "invalid";
	return board_set_element(f, p, text);
}

/* Sets one element from the text between quotation marks. Returns NULL, or why it cannot. */
static const char *set_quoted(const struct json *j, unsigned char *p, char *text)
{
	if (j->base64 && !decode_base64(text))
		return "invalid";
	if (j->field->kind == 'f') /* a quoted "inf" is refused as a bare one is */
		return set_bare(j->field, p, text);
	return board_set_element(j->field, p, text);
}

/* Sets element i of the field from the scalar at s. Returns what follows it, or NULL. */
static char *json_element(struct json *j, uint32_t i, char *s)
{
	const struct field *f = j->field;
	unsigned char *p = j->record + f->offset + (size_t)i * f->size;
	char *text = s, *end = s + strcspn(s, ",]} \t\r"), saved;
	const char *why;

	if (*s == '"') {
		text = s + 1;
		end = json_string(s);
		if (!end)
			return NULL;
	}
	saved = *end;
	*end = '\0';
	why = text == s ? set_bare(f, p, text) : set_quoted(j, p, text);
	if (why) /* after decoding, a text of base64 may be any bytes, so it is not shown */
		j->bad = board_bad_value(f, j->base64 ? "base64" : text, why);
	*end = saved;
	return why ? NULL : end;
}

/* Sets the field from the array at s. Returns what follows it, or NULL. */
static char *json_array(struct json *j, char *s)
{
	uint32_t i, n = j->field->count;

	for (i = 0; i < n && *s == (i ? ',' : '['); i++) {
		s = json_element(j, i, board_skip_space(s + 1));
		if (!s)
			return NULL;
		s = board_skip_space(s);
	}
	if (i == n && *s == ']')
		return s + 1;
	bb_error_msg("field '%s' is %s: it takes an array of %u elements", j->field->name,
		j->field->type, (unsigned)n);
	j->bad = 1;
	return NULL;
}

/* Finds the field that the name means. A field whose own name ends with _b64 comes first. */
static void json_field(struct json *j, const char *name)
{
	size_t len = strlen(name);

	j->field = board_schema_find(j->schema, name, len);
	j->base64 = !j->field && len > 4 && strcmp(name + len - 4, "_b64") == 0;
	if (j->base64)
		j->field = board_schema_find(j->schema, name, len - 4);
	if (!j->field || (j->base64 && !strchr("sc", j->field->kind)))
		j->bad = board_no_field(j->schema, name, len);
}

/* Sets the fields that the object at p names. Returns what follows the object, or NULL. */
static char *json_object(struct json *j, char *p)
{
	char *name;

	p = board_skip_space(p + 1);
	if (*p == '}')
		return p + 1;
	for (;; p = board_skip_space(p + 1)) {
		name = p + 1;
		if (*p != '"' || !(p = json_string(p)))
			return NULL;
		json_field(j, name);
		p = board_skip_space(p);
		if (j->bad || *p != ':')
			return NULL;
		p = board_skip_space(p + 1);
		p = j->field->is_array ? json_array(j, p) : json_element(j, 0, p);
		if (!p)
			return NULL;
		p = board_skip_space(p);
		if (*p == '}')
			return p + 1;
		if (*p != ',')
			return NULL;
	}
}

int board_set_json(const struct schema *s, unsigned char *record, char *line, const char *end)
{
	struct json j = { .schema = s, .record = record };

	line = json_object(&j, line);
	if (line && board_skip_space(line) == end)
		return 0;
	if (!j.bad)
		bb_error_msg("not a JSON object of the board's fields");
	return -1;
}
