/*
 * remake.c - make a board anew with another schema, or make it one of this boot
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapw.h"

/* Returns what CLOCK_BOOTTIME would have said at realtime_ns. A record from before the boot has a
 * negative time, so that its age goes on. */
static uint64_t boottime_of(uint64_t realtime_ns)
{
	return board_now(CLOCK_BOOTTIME) - (board_now(CLOCK_REALTIME) - realtime_ns);
}

/* Copies a field by way of its text. A value that does not fit is told, and the field stays 0. A
 * text of C may fill its field (board(5)), which board_set_element refuses, so it is copied. */
static void carry_field(const struct board *from, const struct field *f, const struct field *new,
	unsigned char *record)
{
	char *text = xmalloc(2 * (size_t)f->size + 32);
	int same = f->kind == 's' && new->kind == 's' && f->size == new->size;

	for (uint32_t i = 0; i < f->count && i < new->count; i++) {
		const unsigned char *old = from->slot->record + f->offset + (size_t)i * f->size;
		unsigned char *to = record + new->offset + (size_t)i * new->size;
		const char *why;

		if (same) {
			memcpy(to, old, f->size);
			continue;
		}
		board_element_text(from, f, old, text);
		why = board_set_element(new, to, text);
		if (why)
			(void)board_bad_value(new, text, why);
	}
	free(text);
}

/* Copies the fields whose names are in both schemas. */
static void carry_record(const struct board *from, const struct schema *s, unsigned char *record)
{
	for (uint32_t i = 0; i < s->count; i++) {
		const struct field *new = &s->fields[i];
		const struct field *f = board_schema_find(&from->schema, new->name,
			strlen(new->name));

		if (f)
			carry_field(from, f, new, record);
	}
}

/* Returns the slot of the latest publication for the new file, with its number and its time. */
static struct board_slot *carry_slot(struct board *b, const struct schema *s)
{
	size_t size = sizeof(struct board_slot) + s->record_size;
	struct board_slot *slot = memset(xmalloc(size), 0, size);

	if (!board_latest(b))
		return slot;
	slot->publications = b->raw ? 1 : b->slot->publications;
	slot->n = slot->publications;
	slot->realtime_ns = b->slot->realtime_ns;
	slot->boottime_ns = b->other_boot ? boottime_of(slot->realtime_ns) : b->slot->boottime_ns;
	if (s == &b->schema && !b->swap)
		memcpy(slot->record, b->slot->record, s->record_size);
	else
		carry_record(b, s, slot->record);
	slot->crc = crc32(0, slot->record, s->record_size);
	return slot;
}

int board_remake(struct board *b, const struct schema *s, uint32_t nslots,
	const struct wanted *want)
{
	struct board_header *h = board_make_header(s, nslots);
	struct board_slot *slot = carry_slot(b, s);
	struct image m = {
		.size = h->header_size + (off_t)nslots * h->slot_stride,
		.head = h, .head_len = h->header_size,
		.mode = want->mode >= 0 ? (mode_t)want->mode : b->st.st_mode & 07777,
		.old = &b->st, .through_link = 1,
		.persist = want->persist, .verbose = want->verbose,
	};
	int fd;

	h->seq = slot->n;
	if (!b->raw) {
		h->writer_generation = board_word(b, BOARD_WORD(writer_generation));
		h->state = board_word(b, BOARD_WORD(state));
	}
	if (slot->publications) {
		m.slot = slot;
		m.slot_len = sizeof(*slot) + s->record_size;
		m.slot_at = h->header_size + (off_t)(slot->n & (nslots - 1)) * h->slot_stride;
	}
	fd = board_create(b->path, &m);
	if (fd >= 0 && !b->raw)
		board_wake(b->map); /* else readers would look at the name a second later */
	free(slot);
	free(h);
	return fd;
}

/* Empties each slot but the newest. */
static void clear_others(struct board *b, const struct board_slot *newest)
{
	static const struct board_slot empty;

	for (uint32_t i = 0; i < b->head.nslots; i++)
		if (!newest->publications || i != (newest->n & (b->head.nslots - 1)))
			board_store_words(
				b->map + board_slot_word(b, i), &empty, sizeof(empty) / 4);
}

static void sync_renewed(const struct board *b, int persist)
{
	if (persist && (msync(b->map, b->len, MS_SYNC) < 0 || fsync(b->fd) < 0))
		bb_perror_msg_and_die("can't write '%s' to disk", b->path);
}

/* As long as the header is one of an earlier boot, readers search the slots for the newest record
 * and do not use seq. So the slots and seq are put right first. The header comes last: its CRC
 * and boot_id are 20 bytes within one sector, and go there in one call. If a kill or a power cut
 * stops this in the middle, the next writer finds the newest record again. */
void board_renew(struct board *b, int persist)
{
	const size_t from = offsetof(struct board_header, header_crc);
	const size_t len = offsetof(struct board_header, seq) - from;
	uint32_t seq = board_latest(b) ? b->slot->n : 0;

	clear_others(b, b->slot);
	if (b->slot->publications) {
		b->slot->boottime_ns = boottime_of(b->slot->realtime_ns);
		board_store_words(b->map + board_slot_word(b, seq), b->slot, sizeof(*b->slot) / 4);
	}
	atomic_store(b->map + BOARD_WORD(seq), seq);
	sync_renewed(b, persist);
	board_seal_header(&b->head);
	if (pwrite(b->fd, (const char *)&b->head + from, len, from) != (ssize_t)len)
		bb_perror_msg_and_die("can't write '%s'", b->path);
	sync_renewed(b, persist);
	b->other_boot = 0;
}
