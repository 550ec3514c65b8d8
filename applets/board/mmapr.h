/*
 * mmapr.h - the parts of mmapr
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef MMAPR_H
#define MMAPR_H

#include "board.h"

/* --- output.c: prints a record on stdout */

struct output {
	enum record_form style;
	char *fields; /* what --fields names; NULL: all fields */
	char *format; /* what --format says, or NULL */
	const char *prefix; /* stands before each name in --pairs */
	struct screen *screen; /* NULL: a record is a line */
};

/* Ends the program if --fields or --format names a field that the board has not. */
void board_check_output(const struct board *b, const struct output *out);
/* Prints b->slot on stdout and flushes stdout. */
void board_print(const struct board *b, const struct output *out);
/* Writes the slot's time in seconds, with nine decimals, to text. Returns text. */
const char *board_format_time(char text[32], const struct board_slot *slot);
/* Returns the nth field of the line, or NULL behind the last one. *names is what --fields has
 * left; the call takes one name off. */
const struct field *board_nth_field(const struct board *b, const char **names, uint32_t nth);
/* Prints the value of the field, as a line shows it. */
void board_print_value(const struct board *b, const struct field *f);

/* --- screen.c: shows a record on a terminal, in place */

/* Returns NULL if stdout is no terminal, or is a dumb one. */
struct screen *board_screen(void);
/* Shows b->slot. Returns false, and shows nothing, if the terminal has not enough lines. */
int board_show(const struct board *b, const struct output *out);

/* --- info.c prints the header, emit.c prints a C header for programs */
void board_print_info(struct board *b, enum record_form style, int alive);
void board_emit_c(const struct board *b, const char *prefix);

/* --- follow.c: reads a board that is made, replaced and removed meanwhile */

/* What the options ask for. */
struct asked {
	uint32_t history;                /* how many records --history wants; 0: no --history */
	int64_t since, max_age, timeout; /* < 0: not given */
	int64_t period;
	const char *emit_prefix;
	int need_writer, need_sequence;
	int waits;                       /* a file that is missing or empty is waited for */
};

struct board_reader {
	struct board b;
	struct output out;
	struct asked asked;
	uint32_t last; /* the last publication that was printed, or is not wanted any more */
	uintmax_t printed, missed;
};

/* Maps the board. Returns false if there is none yet. */
int board_reader_open(struct board_reader *r);
/* Sets r->last. --since names it. With --history it is so far back as the slots reach; else only
 * what comes from now on is news. */
void board_set_start(struct board_reader *r);
/* Looks at the name again, and maps the file that has the name now if it is another one. Returns
 * false while nothing has the name. */
int board_go_along(struct board_reader *r);
/* Waits until a publication is newer than r->last. Ends the program after the time of
 * --timeout. */
void board_wait_for_news(struct board_reader *r);
/* Prints each publication after r->last that the slots still hold, in order, and counts those
 * that they do not hold. */
void board_print_news(struct board_reader *r);
/* Prints the record in r->b.slot and counts it. Ends the program if the record is older than
 * --max-age. */
void board_print_checked(struct board_reader *r);
/* Ends the program if --require-writer was given and no writer lives. */
void board_require_writer(const struct board_reader *r);
/* Writes a status line if SIGUSR1 has come. */
void board_answer_usr1(const struct board_reader *r);
/* Ends the program, because nothing can be read yet. */
void board_nothing_published(const struct board_reader *r) NORETURN;
/* Returns the number of the latest publication, or 0 if there is none. */
uint32_t board_last_number(struct board *b);

#endif
