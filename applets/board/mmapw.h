/*
 * mmapw.h - the parts of mmapw
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef MMAPW_H
#define MMAPW_H

#include "board.h"

/* --- value.c, json.c: fields of a record out of text */

/* Returns NULL, or why the text does not fit the field. */
const char *board_set_element(const struct field *f, unsigned char *p, const char *text);
/* These set the fields that are named: by FIELD=VALUE words, by a line of such words, quoted as
 * for a shell, or by one JSON object. They return -1, after a message, if anything is wrong;
 * the record may be half changed then. */
int board_set_words(const struct schema *s, unsigned char *record, char **words);
int board_set_line(const struct schema *s, unsigned char *record, char *line, const char *end);
int board_set_json(const struct schema *s, unsigned char *record, char *line, const char *end);
/* These write a message and return -1. */
int board_bad_value(const struct field *f, const char *text, const char *why);
int board_no_field(const struct schema *s, const char *name, size_t len);

/* --- file.c: make a file whole under another name, then rename it */

/* What the new file will be. */
struct image {
	off_t size;
	const void *head, *slot; /* what is not zero in it; slot may be NULL */
	size_t head_len, slot_len;
	off_t slot_at;
	mode_t mode;
	const struct stat *old; /* what is replaced, or NULL: nothing may be */
	int through_link;       /* a symbolic link is followed to what is replaced */
	int persist, verbose;
};

/* Returns the new file, open and locked, or -1 if another process made one first. */
int board_create(const char *path, const struct image *image);
void board_fill_holes(const struct board *b);
/* The schema as text, with every offset. */
char *board_schema_text(const struct schema *s);
/* The beginning of a file: the header and the schema; size is its header_size. */
struct board_header *board_make_header(const struct schema *s, uint32_t nslots);
/* Gives the header this boot's identity, and its CRC. */
void board_seal_header(struct board_header *h);

/* --- open.c: the file that is written to */

/* What the user asked for. */
struct wanted {
	const char *schema;      /* NULL: not said */
	uint32_t nslots;         /* 0: not said */
	int mode;                /* < 0: not said */
	int raw, replace, persist, exclusive, verbose;
	int64_t lock_deadline;   /* 0: do not wait */
	char **words;            /* what the first record will be, or NULL */
};

/* Opens b->path or makes it. Then b is mapped, locked, of this boot, and as it was asked for. */
void board_open(struct board *b, const struct wanted *want);
/* Sets the fields that the words name; without words, those of the tutorial's job. done is how
 * many records were published before. */
int board_set_record(const struct schema *s, unsigned char *record, char **words, uintmax_t done);

/* --- remake.c: a board made anew */

/* Makes a new file of the schema, with the record's fields as far as they fit. Returns the
 * file, open and locked, or -1 if another process was faster. */
int board_remake(struct board *b, const struct schema *s, uint32_t nslots,
	const struct wanted *want);
/* Makes a board of an earlier boot one of this boot, in place. */
void board_renew(struct board *b, int persist);

/* --- publish.c: what is published */
struct writer {
	struct board b;
	struct board_slot *next;
	int64_t persist, next_sync; /* persist < 0: never; next_sync INT64_MAX: nothing is due */
	uintmax_t published;
	int unlink;              /* the file goes at the end */
	int verbose;
};

/* Copies the record that the board holds, or zeros: the first publication changes that. */
void board_begin(struct writer *w, char **words);
void board_publish(struct writer *w, int wake);
/* Answers SIGUSR1, writes to disk, looks at the name. Each wait ends once a second for it. */
void board_attend(struct writer *w);
void board_show_status(const struct writer *w);
void board_end(struct writer *w);
void board_wake(_Atomic uint32_t *map);
void board_store_words(_Atomic uint32_t *to, const void *from, size_t words);
/* From now on each call that waits returns with EINTR after first_ns, and then each second. A
 * signal that came just before the wait is seen then. */
void board_tick(int64_t first_ns);

#endif
