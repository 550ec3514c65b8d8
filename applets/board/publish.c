/*
 * publish.c - begin to write, publish, and end in order
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/time.h>
#include "mmapw.h"

static volatile sig_atomic_t ticked;

static void on_alarm(int sig)
{
	(void)sig;
	ticked = 1;
}

/* Returns true if the alarm has come since the last call. */
static int has_ticked(void)
{
	int result = ticked;

	ticked = 0;
	return result;
}

void board_tick(int64_t first_ns)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	int64_t us = first_ns / 1000 + 1; /* 0 would stop the timer (setitimer(2)) */
	struct itimerval timer = { { 1, 0 }, { us / 1000000, us % 1000000 } };

	sigaction(SIGALRM, &sa, NULL);
	board_unblock(SIGALRM);
	setitimer(ITIMER_REAL, &timer, NULL);
}

void board_wake(_Atomic uint32_t *map)
{
	/* The result is how many waited. It may be 0. */
	(void)syscall(SYS_futex, map + BOARD_WORD(seq), FUTEX_OP_WAKE, INT_MAX, NULL, NULL, 0);
}

/* The first word comes last. In a slot that is the number: what a dead writer leaves is whole only
 * if it has its times, too, which the CRC does not cover. */
void board_store_words(_Atomic uint32_t *to, const void *from, size_t words)
{
	const uint32_t *word = from;

	while (words--)
		atomic_store_explicit(to + words, word[words], memory_order_relaxed);
}

/* msync(2) writes the pages and then waits until the medium has them (POSIX, msync, MS_SYNC). A
 * power cut before it returns leaves the former publication, which is in another slot. */
static void sync_board(struct writer *w)
{
	if (msync(w->b.map, w->b.len, MS_SYNC) < 0)
		bb_perror_msg_and_die("can't write '%s' to disk", w->b.path);
	w->next_sync = INT64_MAX;
}

void board_show_status(const struct writer *w)
{
	bb_error_msg("'%s': published %ju, now at publication %" PRIu64, w->b.path, w->published,
		w->next ? w->next->publications : 0);
}

/* Returns true if the board still has its name. Ends the program if it was truncated. */
static int in_place(const struct board *b)
{
	board_check_length(b);
	return board_has_name(b);
}

void board_attend(struct writer *w)
{
	if (board_status_asked())
		board_show_status(w);
	if (!has_ticked())
		return;
	if (monotonic_ns() >= w->next_sync)
		sync_board(w);
	if (!in_place(&w->b))
		bb_error_msg_and_die("'%s' was removed or replaced", w->b.path);
}

/* Writes to disk now, or lets the alarm come when that is due. */
static void persist(struct writer *w)
{
	if (!w->persist) {
		sync_board(w);
	} else if (w->persist > 0 && w->next_sync == INT64_MAX) {
		w->next_sync = monotonic_ns() + w->persist;
		board_tick(w->persist < NS_PER_S ? w->persist : NS_PER_S);
	}
}

/* This is the writer's half of the latch. latch.c says why it is right. */
void board_publish(struct writer *w, int wake)
{
	struct board *b = &w->b;
	struct board_slot *next = w->next;

	if (b->raw) {
		board_store_words(b->map, next->record, b->len / 4);
	} else {
		next->n = ++next->publications;
		next->crc = crc32(0, next->record, b->head.record_size);
		next->boottime_ns = board_now(CLOCK_BOOTTIME);
		next->realtime_ns = board_now(CLOCK_REALTIME);
		atomic_thread_fence(memory_order_release);
		board_store_words(b->map + board_slot_word(b, next->n), next,
			(sizeof(*next) + b->head.record_size + 3) / 4);
		atomic_store_explicit(b->map + BOARD_WORD(seq), next->n, memory_order_release);
		if (wake)
			board_wake(b->map);
	}
	w->published++;
	persist(w);
	board_attend(w);
}

/* Stores into the header who the writer is. */
static void write_down(const struct writer *w)
{
	const struct board *b = &w->b;
	struct board_header own = { .state = BOARD_READY, .writer_pid = getpid() };
	uint64_t start = board_own_start();

	memcpy(own.writer_start, &start, sizeof(start));
	own.writer_generation = board_word(b, BOARD_WORD(writer_generation)) + 1;
	if (w->verbose)
		bb_error_msg("'%s': schema %s, %u slots, publication %" PRIu64 "; %s", b->path,
			b->text, (unsigned)b->head.nslots, w->next->publications,
			own.writer_generation == 1 ? "the first writer"
			: board_word(b, BOARD_WORD(state)) == BOARD_CLOSED
			? "the former writer ended in order" : "the former writer died");
	board_store_words(
		b->map + BOARD_WORD(state), &own.state, BOARD_WORD(reserved) - BOARD_WORD(state));
}

void board_begin(struct writer *w, char **words)
{
	struct board *b = &w->b;
	size_t size = sizeof(struct board_slot) + b->head.record_size + 3;

	w->next = memset(xmalloc(size), 0, size);
	if (board_latest(b))
		memcpy(w->next, b->slot, size - 3);
	if (words && board_set_record(&b->schema, w->next->record, words, 0) < 0)
		exit(EXIT_USAGE);
	if (!b->raw)
		write_down(w);
}

/* The file is closed before the readers are woken, so that one who needs a live writer sees that
 * there is none. */
void board_end(struct writer *w)
{
	struct board *b = &w->b;
	int found;

	if (w->next_sync != INT64_MAX)
		sync_board(w);
	found = in_place(b);
	if (!found && !bb_got_signal)
		bb_error_msg_and_die("'%s' was removed or replaced", b->path);
	if (found && w->unlink)
		board_remove(b);
	if (!b->raw)
		atomic_store(b->map + BOARD_WORD(state), BOARD_CLOSED);
	close(b->fd);
	if (!b->raw)
		board_wake(b->map);
}
