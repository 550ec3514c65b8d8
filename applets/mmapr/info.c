/*
 * info.c - what a board file says of itself
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapr.h"

static void PRINTF(3, 4) item(enum record_form style, const char *name, const char *fmt, ...)
{
	char value[BOARD_HEADER_MAX];
	va_list args;

	va_start(args, fmt);
	vscnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	if (style == JSON)
		xprintf("%s\"%s\":\"", strcmp(name, "version") ? "," : "{", name);
	else
		xprintf(style == PAIRS ? "%s='" : "%s: ", name);
	print_text((unsigned char *)value, strlen(value), style);
	xprintf(style == JSON ? "\"" : style == PAIRS ? "' " : "\n");
}

static uint32_t word(const struct board *b, size_t i)
{
	uint32_t value = atomic_load(b->map + i);

	return b->swap ? __builtin_bswap32(value) : value;
}

/* The pid is of the writer's namespace: the name is told only if the start fits. */
static void show_writer(const struct board *b, enum record_form style, int alive)
{
	uint32_t pid = word(b, BOARD_WORD(writer_pid));
	uint32_t start[2] = { atomic_load(b->map + BOARD_WORD(writer_start)),
		atomic_load(b->map + BOARD_WORD(writer_start) + 1) };
	uint64_t told, found;
	char name[32];

	memcpy(&told, start, sizeof(told));
	found = process_start(pid, name);
	item(style, "writer", "%s", alive ? "alive"
		: word(b, BOARD_WORD(state)) == BOARD_CLOSED ? "closed" : "dead");
	item(style, "pid", "%u", (unsigned)pid);
	if (alive && found && found == told)
		item(style, "name", "%s", name);
	item(style, "generation", "%u", (unsigned)word(b, BOARD_WORD(writer_generation)));
}

void print_info(struct board *b, enum record_form style, int alive)
{
	int little = *(const char *)&(int){ 1 };

	item(style, "version", "%u.%u", b->head.major, b->head.minor);
	item(style, "byte_order", "%s", little ^ b->swap ? "little" : "big");
	item(style, "schema", "%s", b->text);
	item(style, "record_size", "%u", (unsigned)b->head.record_size);
	item(style, "slots", "%u", (unsigned)b->head.nslots);
	item(style, "boot", "%s", b->other_boot ? "earlier" : "this");
	show_writer(b, style, alive);
	b->slot->publications = 0;
	(void)board_latest(b);
	item(style, "seq", "%" PRIu64, b->slot->publications);
	if (b->slot->publications)
		item(style, "time", "%" PRIu64 ".%09u", (uint64_t)(b->slot->realtime_ns / NS_PER_S),
			(unsigned)(b->slot->realtime_ns % NS_PER_S));
	xprintf(style == JSON ? "}\n" : style == PAIRS ? "\n" : "");
}
