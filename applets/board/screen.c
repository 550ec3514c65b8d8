/*
 * screen.c - show a record on a terminal, in place: a field a line, and * where the value changed
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapr.h"

struct screen {
	uint32_t lines;          /* how many lines the shown record has; 0: none is shown */
	char *schema;            /* its schema */
	unsigned char *record;   /* its bytes */
};

struct screen *board_screen(void)
{
	const char *term = getenv("TERM");
	struct screen *s;

	if (!isatty(STDOUT_FILENO) || !term || strcmp(term, "dumb") == 0)
		return NULL;
	s = xmalloc(sizeof(*s));
	*s = (struct screen){ 0 };
	return s;
}

/* Returns how many lines the terminal has, or 0 if it does not say. */
static unsigned rows(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 ? 0 : size.ws_row;
}

static uint32_t count_lines(const struct board *b, const struct output *out)
{
	const char *names = out->fields;
	uint32_t n = 0;

	while (board_nth_field(b, &names, n))
		n++;
	return n;
}

/* Returns false for the first record, and for seq and time, which are not in the record. */
static int has_changed(const struct board *b, const struct screen *s, const struct field *f)
{
	size_t len = (size_t)f->size * f->count;

	return s->record && len
		&& memcmp(s->record + f->offset, b->slot->record + f->offset, len) != 0;
}

static const char *schema_of(const struct board *b)
{
	return b->text ? b->text : BOARD_SCHEMA;
}

static void keep_shown(struct screen *s, const struct board *b)
{
	if (!s->schema)
		s->schema = xasprintf("%s", schema_of(b));
	s->record = xrealloc(s->record, b->head.record_size);
	memcpy(s->record, b->slot->record, b->head.record_size);
}

/* A record of another schema cannot be compared with the one that is shown. */
static void forget(struct screen *s)
{
	free(s->record);
	free(s->schema);
	*s = (struct screen){ 0 };
}

/* The sequences are CUU, which moves up, and EL, which clears to the end of the line (ECMA-48),
 * and DECAWM (DEC VT100): while it is off, a long value stays in its line. */
int board_show(const struct board *b, const struct output *out)
{
	struct screen *s = out->screen;
	uint32_t lines = count_lines(b, out);
	const char *names = out->fields;
	const struct field *f;

	if (lines >= rows())
		return 0;
	if (s->schema && strcmp(s->schema, schema_of(b)))
		forget(s);
	if (s->lines)
		xprintf("\033[%uA", (unsigned)s->lines);
	for (uint32_t n = 0; (f = board_nth_field(b, &names, n)); n++) {
		xprintf("\033[?7l%c %s=", has_changed(b, s, f) ? '*' : ' ', f->name);
		board_print_value(b, f);
		xprintf("\033[K\033[?7h\n");
	}
	xfflush_stdout();
	keep_shown(s, b);
	s->lines = lines;
	return 1;
}
