/*
 * mmapw.h - the parts of mmapw
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef MMAPW_H
#define MMAPW_H

#include "board.h"

/* Sets what is named: FIELD=VALUE words; a line of them, quoted as for a shell, or one JSON
 * object. -1, after a message, if anything is wrong; record may be half changed then. */
int board_set_words(const struct schema *s, unsigned char *record, char **words);
int board_set_line(const struct schema *s, unsigned char *record, char *line, const char *end);

/* A new file, but for its name: written whole, then renamed. */
struct image {
	off_t size;
	const void *head, *slot; /* what is not zero in it; slot may be NULL */
	size_t head_len, slot_len;
	off_t slot_at;
	mode_t mode;
	const struct stat *old; /* what is replaced, or NULL: nothing may be */
	int persist, verbose;
};

void board_create(const char *path, const struct image *image);
void board_fill_holes(const struct board *b);
/* The name's file, open and locked; false if there is none yet, or an empty one, which is
 * locked then. Another writer is waited for until the deadline, then: EXIT_TIMED_OUT; with
 * deadline 0: EXIT_NOT_NOW. */
int board_attach(struct board *b, int64_t deadline);
/* Whatever waits comes back with EINTR after first_ns, and each second: a signal that came
 * just before the wait is seen then. */
void board_tick(int64_t first_ns);
int board_has_ticked(void); /* since it was asked */
/* The text with every offset said. */
char *schema_text(const struct schema *s);
/* The beginning of a file: the header and the schema; size is its header_size. */
struct board_header *board_make_header(const struct schema *s, uint32_t nslots);
/* Dates it to this boot, and computes its CRC. */
void board_seal_header(struct board_header *h);

#endif
