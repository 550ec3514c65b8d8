/*
 * info.c - what a board file says of itself
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapr.h"

/* The pid counts in the writer's PID namespace. In this namespace it may be another process's, so
 * a name is printed only if the start of the process is the one in the board. */
static void show_writer(const struct board *b, int alive)
{
	char name[32];

	record_string("writer", alive ? "alive"
		: board_word(b, BOARD_WORD(state)) == BOARD_CLOSED ? "closed" : "dead");
	record_number("pid", board_word(b, BOARD_WORD(writer_pid)));
	if (alive && board_writer_name(b, name))
		record_string("name", name);
	record_number("generation", board_word(b, BOARD_WORD(writer_generation)));
}

void board_print_info(struct board *b, enum record_form style, int alive)
{
	char text[32];

	record_begin(style);
	scnprintf(text, sizeof(text), "%u.%u", b->head.major, b->head.minor);
	record_string("version", text);
	record_string("byte_order", LITTLE ^ b->swap ? "little" : "big");
	record_string("schema", b->text);
	record_number("record_size", b->head.record_size);
	record_number("slots", b->head.nslots);
	record_string("boot", b->other_boot ? "earlier" : "this");
	show_writer(b, alive);
	b->slot->publications = 0;
	(void)board_latest(b);
	record_number("seq", b->slot->publications);
	if (b->slot->publications)
		record_literal("time", board_format_time(text, b->slot));
	record_end();
}
