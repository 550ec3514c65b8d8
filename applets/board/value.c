/*
 * value.c - set the fields of a record that words name
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

int board_bad_value(const struct field *f, const char *text, const char *why)
{
	bb_error_msg("field '%s': '%s' is %s for %s", f->name, text, why, f->type);
	return -1;
}

/* Returns NULL, or why the text is no such integer. */
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

const char *board_set_element(const struct field *f, unsigned char *p, const char *text)
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
		why = board_parse_decimal(text, f->size, &value);
	else
		why = f->kind == 'b' ? parse_bool(text, &value) : parse_int(f, text, &value);
	if (!why)
		field_store(f, p, value);
	return why;
}

static unsigned char *element_at(const struct field *f, unsigned char *record, uint32_t i)
{
	return record + f->offset + (size_t)i * f->size;
}

/* Sets a field. The text for an array is V,V,..., one V for each element. */
static int set_field(const struct field *f, unsigned char *record, char *text)
{
	char *element = text;

	for (uint32_t i = 0; i < f->count; i++) {
		char *comma = f->is_array ? strchr(element, ',') : NULL;
		const char *why;

		if (f->is_array && !comma != (i == f->count - 1))
			return board_bad_value(f, text, "not of the right length");
		if (comma)
			*comma = '\0';
		why = board_set_element(f, element_at(f, record, i), element);
		if (why)
			return board_bad_value(f, element, why);
		if (comma) {
			*comma = ',';
			element = comma + 1;
		}
	}
	return 0;
}

/* Sets one element of an array. index is what follows the name, "[K]". K has no leading zeros, as
 * the numbers in a schema have none: a shell would take [010] for 8. */
static int set_one(const struct field *f, unsigned char *record, const char *index,
	const char *text)
{
	uintmax_t k;
	const char *end = parse_digits(index + 1, 10, &k), *why;

	if (!f->is_array) {
		bb_error_msg("field '%s' is %s: it has no elements", f->name, f->type);
		return -1;
	}
	if (!end || strcmp(end, "]") || k >= f->count || (index[1] == '0' && end > index + 2)) {
		bb_error_msg("no element '%s' of field '%s': %s has [0] to [%u]", index, f->name,
			f->type, (unsigned)f->count - 1);
		return -1;
	}
	why = board_set_element(f, element_at(f, record, k), text);
	return why ? board_bad_value(f, text, why) : 0;
}

int board_no_field(const struct schema *s, const char *name, size_t len)
{
	bb_error_msg("no field '%.*s': there are %s", (int)len, name, board_field_list(s));
	return -1;
}

static int set_field_word(const struct schema *s, unsigned char *record, char *word)
{
	char *value = strchr(word, '='), *index;
	const struct field *f;
	size_t len;

	if (!value) {
		bb_error_msg("'%s' is not FIELD=VALUE", word);
		return -1;
	}
	*value++ = '\0';
	index = strchr(word, '[');
	len = index ? (size_t)(index - word) : strlen(word);
	f = board_schema_find(s, word, len);
	if (!f)
		return board_no_field(s, word, len);
	return index ? set_one(f, record, index, value) : set_field(f, record, value);
}

int board_set_words(const struct schema *s, unsigned char *record, char **words)
{
	for (; *words; words++) {
		char *word = xasprintf("%s", *words); /* the words are needed again next time */
		int rc = set_field_word(s, record, word);

		free(word);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* strspn(3) would fill in a table at each call. */
char *board_skip_space(char *s)
{
	while (*s == ' ' || *s == '\t' || *s == '\r')
		s++;
	return s;
}

/* Cuts the next word off the line, in place, and takes its quotation marks away. Returns NULL at
 * the end. If a quotation is not closed it returns NULL too, and *line is not at its end then. */
static char *next_word(char **line)
{
	char *s = board_skip_space(*line), *word = s, *to = s, quote = '\0';

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

int board_set_line(const struct schema *s, unsigned char *record, char *line, const char *end)
{
	char *word;

	line = board_skip_space(line);
	if (*line == '{')
		return board_set_json(s, record, line, end);
	while ((word = next_word(&line)))
		if (set_field_word(s, record, word) < 0)
			return -1;
	if (line == end)
		return 0;
	bb_error_msg(*line ? "a quotation is not closed" : "a line has a NUL in it");
	return -1;
}
