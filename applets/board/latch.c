/*
 * latch.c - read what is published
 *
 * SPDX-License-Identifier: 0BSD
 *
 * Readers never look at the slot that is being written. The writer puts publication n into slot
 * n mod nslots, behind a release fence, and then stores n to seq. If a reader of publication n
 * copies any word of publication n + nslots, the two fences make its second load of seq give at
 * least n + nslots - 1 (C11, 7.17.4, paragraph 2), and it reads again. A writer that dies
 * anywhere leaves seq, and the slot that seq names, as they were. The proof is
 * tests/board/latch.pml.
 */
#include "board.h"

uint32_t board_seq(const struct board *b)
{
	uint32_t seq = atomic_load_explicit(b->map + BOARD_WORD(seq), memory_order_acquire);

	return b->swap ? __builtin_bswap32(seq) : seq;
}

uint32_t board_word(const struct board *b, size_t index)
{
	uint32_t word = atomic_load(b->map + index);

	return b->swap ? __builtin_bswap32(word) : word;
}

size_t board_slot_word(const struct board *b, uint32_t n)
{
	return (b->head.header_size + (size_t)(n & (b->head.nslots - 1)) * b->head.slot_stride) / 4;
}

static void swap_slot(struct board_slot *slot)
{
	slot->n = __builtin_bswap32(slot->n);
	slot->crc = __builtin_bswap32(slot->crc);
	slot->publications = __builtin_bswap64(slot->publications);
	slot->boottime_ns = __builtin_bswap64(slot->boottime_ns);
	slot->realtime_ns = __builtin_bswap64(slot->realtime_ns);
}

static void copy_words(struct board *b, uint32_t n, size_t words)
{
	_Atomic uint32_t *from = b->map + board_slot_word(b, n);

	for (size_t i = 0; i < words; i++)
		((uint32_t *)b->slot)[i] = atomic_load_explicit(from + i, memory_order_relaxed);
	if (b->swap)
		swap_slot(b->slot);
}

static void copy_slot(struct board *b, uint32_t n)
{
	copy_words(b, n, (sizeof(*b->slot) + b->head.record_size + 3) / 4);
}

static int was_never_used(const struct board_slot *slot)
{
	return !slot->n && !slot->publications;
}

/* Returns NULL, or what is wrong with the copy of slot n. A slot holds zeros until it is written
 * for the first time, and again after board_renew has cleared it. The slot that seq names never
 * holds zeros, unless seq is 0. */
static const char *check_slot(const struct board *b, uint32_t n)
{
	const struct board_slot *slot = b->slot;

	if (was_never_used(slot) && (!n || n != board_seq(b)))
		return NULL;
	if (slot->n != n || (uint32_t)slot->publications != n)
		return "wrong number of the publication";
	if (crc32(0, slot->record, b->head.record_size) != slot->crc)
		return "wrong CRC of the record";
	return NULL;
}

int board_copy(struct board *b, uint32_t n)
{
	const char *wrong;

	copy_slot(b, n);
	atomic_thread_fence(memory_order_acquire);
	if (board_seq(b) - n >= b->head.nslots - 1)
		return 0; /* the writer may have changed the slot meanwhile */
	wrong = check_slot(b, n);
	if (wrong)
		board_damaged(b, wrong);
	return 1;
}

int board_copy_whole(struct board *b, uint32_t n)
{
	copy_slot(b, n);
	return !was_never_used(b->slot) && !check_slot(b, n);
}

/* Copies the head of slot i alone. Returns true if it may be the head of a publication. */
static int is_used(struct board *b, uint32_t i)
{
	copy_words(b, i, sizeof(*b->slot) / 4);
	return b->slot->publications && !((b->slot->n ^ i) & (b->head.nslots - 1))
		&& (uint32_t)b->slot->publications == b->slot->n;
}

/* Returns the first slot from slot i on that holds data. A sparse file may be large and hold
 * nothing; to read its holes would cost as much as its size says. */
static uint32_t skip_holes(const struct board *b, uint32_t i)
{
	off_t at = (off_t)board_slot_word(b, i) * 4, data = lseek(b->fd, at, SEEK_DATA);

	if (data < 0) /* ENXIO: only holes follow; another error: this file system cannot tell */
		return errno == ENXIO ? b->head.nslots : i;
	return i + (data - at) / b->head.slot_stride;
}

/* Returns the newest publication by the heads of the slots alone, or 0 if there is none. */
static uint64_t newest_head(struct board *b)
{
	uint64_t newest = 0;

	for (uint32_t i = 0; i < b->head.nslots && (i = skip_holes(b, i)) < b->head.nslots; i++)
		if (is_used(b, i) && b->slot->publications > newest)
			newest = b->slot->publications;
	return newest;
}

/* Returns the newest publication whose slot is whole, or 0 if there is none. It reads at most as
 * many bytes as the file has on the disk, and those of one record of the largest size. */
static uint64_t newest_whole(struct board *b)
{
	uint64_t newest = 0, found, left = BOARD_RECORD_MAX + (uint64_t)b->st.st_blocks * 512;

	for (uint32_t i = 0; i < b->head.nslots && (i = skip_holes(b, i)) < b->head.nslots; i++) {
		if (!is_used(b, i) || b->slot->publications <= newest || left < b->head.record_size)
			continue;
		left -= b->head.record_size;
		found = b->slot->publications;
		if (board_copy_whole(b, found))
			newest = found;
	}
	return newest;
}

/* Copies the record of a board of an earlier boot, and returns what try_latest does. After a
 * power cut the disk may hold seq and the slots as they were at different times, so the record is
 * the newest slot that is whole. If no slot is whole, seq 0 tells that nothing was published yet.
 * A program that does not know the boot may write meanwhile; then the search begins again. */
static int newest_slot(struct board *b)
{
	uint32_t seq = board_seq(b);
	uint64_t newest = newest_head(b);

	if (newest && board_copy_whole(b, newest))
		return 1;
	newest = newest_whole(b);
	if (newest)
		return board_copy_whole(b, newest) ? 1 : -1;
	if (seq != board_seq(b))
		return -1;
	if (seq)
		board_damaged(b, "no slot is whole: remove it to begin anew");
	memset(b->slot, 0, sizeof(*b->slot));
	return 0;
}

static int latest_raw(struct board *b)
{
	for (int i = 0; i < BOARD_RAW_SIZE / 4; i++)
		((uint32_t *)b->slot->record)[i] = atomic_load_explicit(
			b->map + i, memory_order_relaxed);
	return 1;
}

/* Returns 1 if b->slot is the latest publication, 0 if there is none, and -1 if a writer was
 * faster and another try may succeed. */
static int try_latest(struct board *b)
{
	if (b->other_boot)
		return newest_slot(b);
	if (!board_copy(b, board_seq(b)))
		return -1;
	if (!b->slot->publications)
		board_check_length(b);
	return b->slot->publications != 0;
}

int board_latest(struct board *b)
{
	enum { TRIES = 1000 };
	int result;

	if (b->raw)
		return latest_raw(b);
	for (int tries = 0; tries < TRIES; tries++) {
		result = try_latest(b);
		if (result >= 0)
			return result;
	}
	bb_error_msg("can't read '%s': the writer is too fast for %u slots", b->path,
		(unsigned)b->head.nslots);
	exit(EXIT_NOT_NOW);
}

