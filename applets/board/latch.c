/*
 * latch.c - read what is published
 *
 * SPDX-License-Identifier: 0BSD
 *
 * Readers never look at the slot that is being written. The writer puts publication n
 * into slot n mod nslots, behind a release fence, and then stores n to seq. A reader that
 * sees any word of publication n + nslots therefore sees, behind its acquire fence, a seq
 * of at least n + nslots - 1, and reads again. A writer that dies anywhere leaves seq and
 * the slot it names as they were.
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

/* NULL, or what is wrong. A slot that was not written yet, or not since the first writer after
 * a reboot, holds zeros; but the slot that seq names never does. */
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
		return 0; /* a writer may have been at it */
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

/* Reads the head of slot i alone; true if it may be that of a publication. */
static int is_used(struct board *b, uint32_t i)
{
	copy_words(b, i, sizeof(*b->slot) / 4);
	return b->slot->publications && !((b->slot->n ^ i) & (b->head.nslots - 1))
		&& (uint32_t)b->slot->publications == b->slot->n;
}

/* The slot at or after slot i that holds data: a sparse file may claim to be large and hold
 * nothing, and reading its holes would cost what it claims. */
static uint32_t skip_holes(const struct board *b, uint32_t i)
{
	off_t at = (off_t)board_slot_word(b, i) * 4, data = lseek(b->fd, at, SEEK_DATA);

	if (data < 0) /* ENXIO: only holes are left; else this file system cannot tell */
		return errno == ENXIO ? b->head.nslots : i;
	return i + (data - at) / b->head.slot_stride;
}

/* The newest publication by the heads of the slots alone; 0 if there is none. */
static uint64_t newest_head(struct board *b)
{
	uint64_t newest = 0;

	for (uint32_t i = 0; i < b->head.nslots && (i = skip_holes(b, i)) < b->head.nslots; i++)
		if (is_used(b, i) && b->slot->publications > newest)
			newest = b->slot->publications;
	return newest;
}

/* The newest publication whose slot is whole; 0 if there is none. Reads at most as much as the
 * file weighs, and one record of the largest size. */
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

/* After a power cut the disk may hold seq and the slots as they were at different times: the
 * newest slot that is whole is the record. If none is, seq tells whether the first publication
 * was ever complete. A program that took no notice of the boot may be writing meanwhile; what
 * has changed since is looked for again. */
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

/* 1: b->slot is the latest publication; 0: there is none; -1: try once more. */
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

