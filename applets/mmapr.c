/*
 * mmapr - read the record that mmapw publishes
 *
 * SPDX-License-Identifier: 0BSD

config MMAPR
	bool "mmapr"
	default y
	help
	  usage: mmapr [-1] [-i D] FILE

	  Print the latest record of the board FILE once a second, as
	  id=10<TAB> name=xiao bai<TAB> sex=M. The bare C struct that mmapw --raw
	  writes is read too.

	  -1, --once          print it once
	  -i, --interval D    time between prints (1s)

	  Exit 3: nothing is published yet. Exit 5: FILE is damaged or not a board.
*/
#include "board.h"

/* Bytes for people: what could command a terminal goes out as \xHH. */
static void print_text(const unsigned char *p, size_t len)
{
	for (; len && *p; len--, p++)
		if (iscntrl(*p))
			xprintf("\\x%02x", *p);
		else
			putchar(*p); /* the flush reports */
}

static void print_element(const struct field *f, const unsigned char *p, int swap)
{
	uint64_t value;

	if (f->kind == 's' || f->kind == 'c') {
		print_text(p, f->size);
	} else if (f->kind == 'x') {
		for (uint32_t i = 0; i < f->size; i++)
			xprintf("%02x", p[i]);
	} else {
		value = field_load(f, p, swap);
		if (f->kind == 'i') /* the sign, from f->size bytes to all of them */
			xprintf("%" PRId64, (int64_t)(value << (64 - 8 * f->size)) >> (64 - 8 * f->size));
		else
			xprintf("%" PRIu64, value);
	}
}

static void print_record(const struct board *b)
{
	for (uint32_t i = 0; i < b->schema.count; i++) {
		const struct field *f = &b->schema.fields[i];

		xprintf("%s%s=", i ? "\t " : "", f->name);
		for (uint32_t k = 0; k < f->count; k++) {
			if (k)
				putchar(',');
			print_element(f, b->slot->record + f->offset + (size_t)k * f->size, b->swap);
		}
	}
	putchar('\n');
	xfflush_stdout();
}

static void open_board(struct board *b)
{
	/* not blocked by a FIFO of that name */
	b->fd = open(b->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (b->fd < 0)
		bb_perror_msg_and_die("can't open '%s'", b->path);
	board_map(b, PROT_READ);
}

/* A writer on another boot makes the file anew; one that is removed keeps its last record. */
static void follow_replaced(struct board *b)
{
	struct stat st;

	if (!board_in_place(b) && stat(b->path, &st) == 0) {
		board_unmap(b);
		open_board(b);
	}
}

int mmapr_main(char **argv)
{
	char *interval = NULL;
	opts_t opts = getopt32(argv, "1(once)i(interval):", &interval);
	struct board b = { .path = argv[optind] };
	int64_t period = interval ? xatodur("interval", interval) : NS_PER_S, next = monotonic_ns();

	if (!b.path)
		bb_show_usage("no file");
	if (argv[optind + 1])
		bb_show_usage("unexpected operand '%s'", argv[optind + 1]);
	open_board(&b);
	for (;;) {
		if (!board_latest(&b)) {
			bb_error_msg("nothing is published in '%s' yet", b.path);
			return EXIT_NOT_NOW;
		}
		print_record(&b);
		if (opts & OPT('1'))
			return EXIT_SUCCESS;
		next += period;
		sleep_until(next);
		follow_replaced(&b);
	}
}
