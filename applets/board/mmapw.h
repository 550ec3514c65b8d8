/*
 * mmapw.h - the parts of mmapw
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef MMAPW_H
#define MMAPW_H

#include "board.h"

/* --- value.c, json.c: set the fields of a record from text */

/* Sets the element at p. Returns NULL, or why the text does not fit the field. */
const char *board_set_element(const struct field *f, unsigned char *p, const char *text);
/* These set the fields that the text names. The text is FIELD=VALUE words, a line of such words
 * that are quoted as for a shell, or one JSON object; end is the end of the line. If anything is
 * wrong they write a message and return -1, and the record may be half changed. */
int board_set_words(const struct schema *s, unsigned char *record, char **words);
int board_set_line(const struct schema *s, unsigned char *record, char *line, const char *end);
int board_set_json(const struct schema *s, unsigned char *record, char *line, const char *end);
/* Returns the first character that is no space, tab or carriage return. */
char *board_skip_space(char *s);
/* These two write a message and return -1. */
int board_bad_value(const struct field *f, const char *text, const char *why);
int board_no_field(const struct schema *s, const char *name, size_t len);

/* --- file.c: make a file whole under another name, then rename it */

/* What the new file will be. */
struct image {
	off_t size;
	const void *head, *slot; /* the parts that are not zero; slot may be NULL */
	size_t head_len, slot_len;
	off_t slot_at;
	mode_t mode;
	const struct stat *old; /* the file that is replaced; NULL: no file may be replaced */
	int through_link;       /* a symbolic link stays, and the file behind it is replaced */
	int persist, verbose;
};

/* Returns the new file, open and locked, or -1 if another process made one first. */
int board_create(const char *path, const struct image *image);
/* Removes the file of the board, or ends the program if the name is a link or another file. */
void board_remove(const struct board *b);
/* Reserves the blocks of holes, which a store to a full disk would find as SIGBUS. */
void board_fill_holes(const struct board *b);
/* Returns the schema as text, with every offset. */
char *board_schema_text(const struct schema *s);
/* Returns the beginning of a file: the header and the schema, of header_size bytes. */
struct board_header *board_make_header(const struct schema *s, uint32_t nslots);
/* Gives the header this boot's identity, and its CRC. */
void board_seal_header(struct board_header *h);

/* --- open.c: opens the file that is written to */

/* What the user asked for. */
struct wanted {
	const char *schema;      /* NULL: not given */
	uint32_t nslots;         /* 0: not given */
	int mode;                /* < 0: not given */
	int raw, replace, persist, exclusive, verbose;
	int64_t lock_deadline;   /* 0: another writer is not waited for */
	char **words;            /* the first record, or NULL */
};

/* Opens b->path, or makes the file, and returns true if it made one. When it returns, b is mapped
 * and locked, the file is one of this boot, and its schema and slots are those that were asked
 * for. */
int board_open(struct board *b, const struct wanted *want);
/* Sets the fields that the words name. Without words it sets the record of the tutorial's job:
 * done is how many records were published before. */
int board_set_record(const struct schema *s, unsigned char *record, char **words, uintmax_t done);

/* --- remake.c: makes a board anew */

/* Makes a new file of the schema under the same name. Fields of the same name keep their value if
 * it fits. Returns the file, open and locked, or -1 if another process was faster. */
int board_remake(struct board *b, const struct schema *s, uint32_t nslots,
	const struct wanted *want);
/* Makes a board of an earlier boot one of this boot, in place. */
void board_renew(struct board *b, int persist);

/* --- publish.c: begins to write, publishes, ends in order */

struct writer {
	struct board b;
	struct board_slot *next;
	int64_t persist;         /* nanoseconds between two writes to disk; < 0: never */
	int64_t next_sync;       /* when the next one is due; INT64_MAX: none is */
	uintmax_t published;
	int unlink;              /* the file, which this run made, is removed at the end */
	int verbose;
};

/* Makes w->next a copy of the board's record, or zeros if it has none, which the first
 * publication will change. Writes into the board who the writer is. */
void board_begin(struct writer *w, char **words);
/* Publishes w->next. With wake it wakes the readers that wait. */
void board_publish(struct writer *w, int wake);
/* Answers SIGUSR1, writes to disk if that is due, and ends the program if the name is another
 * file's. Whoever waits calls it once a second. */
void board_attend(struct writer *w);
void board_show_status(const struct writer *w);
/* Ends the writing in order: state becomes BOARD_CLOSED, and the readers are woken. */
void board_end(struct writer *w);
void board_wake(_Atomic uint32_t *map);
void board_store_words(_Atomic uint32_t *to, const void *from, size_t words);
/* From now on each system call that waits fails with EINTR after first_ns, and then once a
 * second. So a signal that came just before the call is seen after a second at most. */
void board_tick(int64_t first_ns);

#endif
