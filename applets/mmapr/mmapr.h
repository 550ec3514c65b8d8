/*
 * mmapr.h - the parts of mmapr
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef MMAPR_H
#define MMAPR_H

#include "board.h"

enum style { TEXT, PAIRS, JSON };

struct output {
	enum style style;
	char *fields; /* of --fields, or NULL: all */
	char *format; /* of --format, or NULL */
};

/* b->slot on stdout, which is flushed. */
void print_record(const struct board *b, const struct output *out);

/* Text for people, shells (within '') or JSON parsers (within ""). */
void print_string(const unsigned char *p, size_t len, enum style style);
void print_info(struct board *b, enum style style, int alive);
void emit_c(const struct board *b);

#endif
