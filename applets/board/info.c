/*
 * info.c - what a board file says of itself
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapr.h"

static uint32_t word(const struct board *b, size_t i)
{
	uint32_t value = atomic_load(b->map + i);

	return b->swap ? __builtin_bswap32(value) : value;
}

/* The pid is of the writer's namespace: the name is told only if the start fits. */
static void show_writer(const struct board *b, int alive)
{
	uint32_t pid = word(b, BOARD_WORD(writer_pid));
	uint32_t start[2] = { atomic_load(b->map + BOARD_WORD(writer_start)),
		atomic_load(b->map + BOARD_WORD(writer_start) + 1) };
	uint64_t told, found;
	char name[32];

	memcpy(&told, start, sizeof(told));
	found = board_process_start(pid, name);
	record_string("writer", alive ? "alive"
		: word(b, BOARD_WORD(state)) == BOARD_CLOSED ? "closed" : "dead");
	record_number("pid", pid);
	if (alive && found && found == told)
		record_string("name", name);
	record_number("generation", word(b, BOARD_WORD(writer_generation)));
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
