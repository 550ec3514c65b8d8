/*
 * emit.c - a C header that reads and writes boards of one schema
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapr.h"

static void emit_type(const struct field *f)
{
	if (strchr("iu", f->kind))
		xprintf("	%sint%u_t", f->kind == 'u' ? "u" : "", 8 * (unsigned)f->size);
	else
		xprintf("	%s", f->kind == 'f' ? f->size == 4 ? "float" : "double"
			: f->kind == 'b' ? "uint8_t"
			: f->kind == 'x' ? "unsigned char" : "char");
}

/* words.txt holds the keywords of C23 and C++23, and the types and macros that come with the
 * headers or with gcc. Names without a lower-case letter count as reserved too, because macros
 * look so, and names that begin with _, which belong to the compiler. Underscores at the end do
 * not count: int becomes int_ and int_ becomes int__, so that no two fields get the same name. */
static int is_reserved(const char *name)
{
	size_t len = strlen(name);

	while (len > 1 && name[len - 1] == '_')
		len--;
	for (const char *w = bb_text(TEXT_words); *w; w += strcspn(w, " \n") + 1)
		if (strcspn(w, " \n") == len && strncmp(w, name, len) == 0)
			return 1;
	return *name == '_' || !strpbrk(name, "abcdefghijklmnopqrstuvwxyz");
}

/* Prints a member that fills the bytes between two fields. Returns where it ends. */
static uint32_t emit_gap(uint32_t from, uint32_t to)
{
	if (from < to)
		xprintf("	char _pad%u[%u];\n", (unsigned)from, (unsigned)(to - from));
	return to;
}

/* In the text @ stands for the prefix, and $ for the prefix in capitals. */
static void emit_text(const char *s, const char *prefix)
{
	for (size_t len; *s; s += len) {
		len = strcspn(s, "@$");
		xwrite_stdout(s, len);
		for (const char *p = prefix; s[len] && *p; p++)
			xprintf("%c", s[len] == '$' ? toupper((unsigned char)*p) : *p);
		len += s[len] != '\0';
	}
}

static void emit_field(const struct field *f)
{
	int reserved = is_reserved(f->name);

	emit_type(f);
	xprintf(" %s%s", f->name, reserved ? "_" : "");
	if (f->is_array)
		xprintf("[%u]", (unsigned)f->count);
	if (strchr("sx", f->kind))
		xprintf("[%u]", (unsigned)f->size);
	xprintf(";");
	if (reserved)
		xprintf(" /* %s */", f->name);
	xprintf("\n");
}

/* Each gap is a member of its own, so that all compilers agree where the fields are. A struct that
 * is not packed has a size that its alignment divides. */
void board_emit_c(const struct board *b, const char *prefix)
{
	uint32_t at = 0;
	int packed = 0;

	emit_text("#ifndef $_SCHEMA\n#define $_SCHEMA \"", prefix);
	xprintf("%s", b->text);
	emit_text("\"\n#ifndef _GNU_SOURCE\n#define _GNU_SOURCE\n#endif\n"
		"#include <stdint.h>\nstruct @_record {\n", prefix);
	for (uint32_t i = 0; i < b->schema.count; i++) {
		const struct field *f = &b->schema.fields[i];

		at = emit_gap(at, f->offset) + f->size * f->count;
		emit_field(f);
		packed |= !strchr("sx", f->kind) && (f->offset | b->head.record_size) % f->size;
	}
	emit_gap(at, b->head.record_size);
	xprintf("}%s;\n", packed ? " __attribute__((packed))" : "");
	emit_text(bb_text(TEXT_emit), prefix);
}
