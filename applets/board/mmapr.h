/*
 * mmapr.h - the parts of mmapr
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef MMAPR_H
#define MMAPR_H

#include "board.h"

struct output {
	enum record_form style;
	char *fields; /* of --fields, or NULL: all */
	char *format; /* of --format, or NULL */
};

/* Dies if a field is named that is not there. */
void board_check_output(const struct board *b, const struct output *out);
/* b->slot on stdout, which is flushed. */
void board_print(const struct board *b, const struct output *out);

/* A slot's time in seconds, with nine decimals; returns text. */
const char *board_format_time(char text[32], const struct board_slot *slot);
void board_print_info(struct board *b, enum record_form style, int alive);
void board_emit_c(const struct board *b);

#endif
