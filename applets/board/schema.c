/*
 * schema.c - parse a schema: name:type[@offset],...
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "board.h"

enum { NAME_LEN_MAX = 64 };

static const struct {
	char name[5], kind, size;
} types[] = {
	{ "i8", 'i', 1 }, { "i16", 'i', 2 }, { "i32", 'i', 4 }, { "i64", 'i', 8 },
	{ "u8", 'u', 1 }, { "u16", 'u', 2 }, { "u32", 'u', 4 }, { "u64", 'u', 8 },
	{ "f32", 'f', 4 }, { "f64", 'f', 8 }, { "bool", 'b', 1 }, { "char", 'c', 1 },
	{ "str", 's', 0 }, { "bin", 'x', 0 }, /* their size follows the name */
};

/* Parses a decimal number from min to BOARD_RECORD_MAX. Returns what follows it, or NULL. Leading
 * zeros are refused, because two boards have the same schema only if the texts are equal. */
static char *parse_size(char *s, uint32_t min, uint32_t *size)
{
	char *digits = s;

	for (*size = 0; isdigit((unsigned char)*s); s++)
		if ((*size = *size * 10 + (*s - '0')) > BOARD_RECORD_MAX)
			return NULL;
	return s == digits || *size < min || (*digits == '0' && s > digits + 1) ? NULL : s;
}

/* Parses TYPE or TYPE[K]. Returns what follows it, or NULL. */
static char *parse_type(struct field *f, char *s)
{
	size_t len, i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		len = strlen(types[i].name);
		if (strncmp(s, types[i].name, len) == 0
			&& (!types[i].size || !isalnum((unsigned char)s[len])))
			break;
	}
	if (i == ARRAY_SIZE(types))
		return NULL;
	f->kind = types[i].kind;
	f->size = types[i].size;
	f->count = 1;
	s += len;
	if (!f->size && !(s = parse_size(s, 1, &f->size)))
		return NULL;
	f->is_array = *s == '[';
	if (f->is_array) {
		s = parse_size(s + 1, 1, &f->count);
		if (!s || *s++ != ']')
			return NULL;
	}
	return s;
}

static int is_name(const char *s)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	return len && len <= NAME_LEN_MAX && !s[len] && !isdigit((unsigned char)*s);
}

/* Parses the next field. Returns NULL, or what is wrong. */
static const char *parse_field(struct schema *s, struct field *f, char *text)
{
	char *type = strchr(text, ':'), *after;
	uint32_t align;

	if (!type)
		return "a field is NAME:TYPE";
	*type++ = '\0';
	f->name = text;
	f->type = type;
	if (!is_name(text))
		return "a name is letters, digits and _";
	after = parse_type(f, type);
	if (!after || (*after && *after != '@'))
		return "a type is i8-i64, u8-u64, f32, f64, bool, char, strN, binN, or TYPE[K]";
	align = strchr("iuf", f->kind) ? f->size : 1;
	f->offset = (s->end + align - 1) & -align;
	if (*after == '@') {
		s->offsets++;
		*after++ = '\0';
		after = parse_size(after, 0, &f->offset);
		if (!after || *after || f->offset < s->end)
			return "an offset is a number, and not inside the field before";
	}
	if ((uint64_t)f->size * f->count + f->offset > BOARD_RECORD_MAX)
		return "a record has at most 16 MiB";
	return NULL;
}

const char *board_schema_parse(struct schema *s, char *text)
{
	uint32_t align = 1;
	const char *wrong;

	*s = (struct schema){ 0 };
	for (char *item; (item = strsep(&text, ",")); s->count++) {
		struct field f;

		wrong = parse_field(s, &f, item);
		if (!wrong && board_schema_find(s, f.name, strlen(f.name)))
			wrong = "a name is there twice";
		if (wrong)
			return wrong;
		if (strchr("iuf", f.kind) && f.size > align)
			align = f.size;
		s->end = f.offset + f.size * f.count;
		/* The table doubles when it is full. */
		if (!(s->count & (s->count - 1)))
			s->fields = xrealloc(s->fields, (s->count ? 2 * s->count : 1) * sizeof(f));
		s->fields[s->count] = f;
	}
	s->record_size = (s->end + align - 1) & -align;
	return NULL;
}

const struct field *board_schema_find(const struct schema *s, const char *name, size_t len)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (strncmp(s->fields[i].name, name, len) == 0 && !s->fields[i].name[len])
			return &s->fields[i];
	return NULL;
}

const char *board_field_list(const struct schema *s)
{
	enum { ENOUGH = 400 }; /* A message should not have more bytes of names. */
	static char list[ENOUGH + NAME_LEN_MAX + 16];
	size_t len = 0;
	uint32_t i;

	for (i = 0; i < s->count && len <= ENOUGH; i++)
		len += scnprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
			s->fields[i].name);
	return i == s->count ? list : strcat(list, ", ...");
}
