/*
 * mmapr.h - the parts of mmapr
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef MMAPR_H
#define MMAPR_H

#include "board.h"

/* --- output.c: a record on stdout */

struct output {
	enum record_form style;
	char *fields; /* of --fields, or NULL: all */
	char *format; /* of --format, or NULL */
	const char *prefix; /* of names in --pairs */
	struct screen *screen; /* NULL: lines */
};

/* Dies if a field is named that is not there. */
void board_check_output(const struct board *b, const struct output *out);
/* b->slot on stdout, which is flushed. */
void board_print(const struct board *b, const struct output *out);
/* A slot's time in seconds, with nine decimals; returns text. */
const char *board_format_time(char text[32], const struct board_slot *slot);
/* The nth field of the line, NULL behind the last; *names are those that --fields has left. */
const struct field *board_nth_field(const struct board *b, const char **names, uint32_t nth);
/* The value for people. */
void board_print_value(const struct board *b, const struct field *f);

/* --- screen.c: a record on a terminal, in place */

/* NULL if stdout is no terminal, or a dumb one. */
struct screen *board_screen(void);
/* False, and nothing is shown, if the terminal has not enough lines. */
int board_show(const struct board *b, const struct output *out);

/* --- info.c, emit.c */
void board_print_info(struct board *b, enum record_form style, int alive);
void board_emit_c(const struct board *b, const char *prefix);

/* --- follow.c: a board that comes, changes and goes */

struct board_reader {
	struct board b;
	struct output out;
	uint32_t last;       /* printed, or not wanted any more */
	uint32_t history;    /* how many, with --history */
	int64_t since;       /* < 0: not said */
	int64_t max_age, timeout; /* < 0: not said */
	int64_t period;
	const char *emit_prefix;
	int need_writer, need_sequence, waits;
	uintmax_t printed, missed;
};

/* Maps the board; false if there is none yet. */
int board_reader_open(struct board_reader *r);
/* Sets r->last: reading begins after --since, with what comes, or with what the slots hold. */
void board_set_start(struct board_reader *r);
/* Opens the file that has the name now, if it is another. False while nothing has the name. */
int board_go_along(struct board_reader *r);
/* Waits until a publication is newer than r->last, for r->timeout at most. */
void board_wait_for_news(struct board_reader *r);
/* Prints each publication after r->last, in order, but for the slot that a writer may be at. */
void board_print_news(struct board_reader *r);
/* Prints the record in r->b.slot, if it is young enough, and counts it. */
void board_print_checked(struct board_reader *r);
void board_require_writer(const struct board_reader *r);
void board_answer_usr1(const struct board_reader *r);
void board_nothing_published(const struct board_reader *r) NORETURN;
/* The number of the latest publication. */
uint32_t board_last_number(struct board *b);

#endif
