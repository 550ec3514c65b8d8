/*
 * follow.c - read a board that comes, changes and goes
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapr.h"

int board_reader_open(struct board_reader *r)
{
	struct board *b = &r->b;
	struct stat st;

	/* O_NONBLOCK: a FIFO must not block the open */
	b->fd = open(b->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (b->fd < 0 && errno == ENOENT)
		return 0;
	if (b->fd < 0)
		bb_perror_msg_and_die("can't open '%s'", b->path);
	/* mmapw makes an empty file a board. */
	if (r->waits && fstat(b->fd, &st) == 0 && S_ISREG(st.st_mode) && !st.st_size) {
		close(b->fd);
		return 0;
	}
	board_map(b, PROT_READ);
	if (b->raw && r->need_sequence)
		bb_error_msg_and_die(
			"'%s' is a raw record: only -1 and -i can be had of it", b->path);
	board_check_output(b, &r->out);
	return 1;
}

/* seq after publication number: the slots have 64 bits of the number, seq has 32. What is
 * further away than seq can tell is as far away as it can tell. */
static uint32_t after(struct board *b, uint64_t number)
{
	uint64_t now = board_latest(b) ? b->slot->publications : 0;
	int64_t ahead = number - now;

	return now + (ahead > INT32_MAX ? INT32_MAX : ahead < -INT32_MAX ? -INT32_MAX : ahead);
}

/* In a file of an earlier boot, seq may be older or newer than the slots. */
uint32_t board_last_number(struct board *b)
{
	return !b->other_boot ? board_seq(b) : board_latest(b) ? b->slot->n : 0;
}

void board_set_start(struct board_reader *r)
{
	uint32_t n = r->b.head.nslots, from;

	r->last = board_last_number(&r->b);
	if (r->history)
		r->last -= r->history < n ? r->history : n - 1;
	if (r->since >= 0) {
		from = after(&r->b, r->since);
		if (!r->history || (int32_t)(from - r->last) > 0)
			r->last = from;
	}
}

/* Returns the time of publication n, or 0 if it is not there. */
static uint64_t time_of(struct board *b, uint32_t n)
{
	return !b->raw && board_copy_whole(b, n) ? b->slot->realtime_ns : 0;
}

/* If the last publication is in the new file too, the new file continues the old one: the
 * board was copied, or made anew. Else it is a new board, and all of it is news. */
static void reopen_board(struct board_reader *r)
{
	uint64_t time = time_of(&r->b, r->last);

	board_unmap(&r->b);
	if (board_reader_open(r) && !r->b.raw && (!time || time_of(&r->b, r->last) != time))
		r->last = after(&r->b, 0);
}

int board_go_along(struct board_reader *r)
{
	enum board_place place = r->b.map ? board_look_again(&r->b) : BOARD_GONE;

	if (place == BOARD_OTHER)
		reopen_board(r);
	else if (!r->b.map && board_reader_open(r) && !r->b.raw)
		r->last = after(&r->b, r->since > 0 ? r->since : 0);
	return r->b.map && place != BOARD_GONE;
}

static void NORETURN stale(const struct board_reader *r, const char *why)
{
	bb_error_msg("'%s' %s", r->b.path, why);
	exit(EXIT_STALE);
}

void board_require_writer(const struct board_reader *r)
{
	if (r->need_writer && !board_has_writer(r->b.fd))
		stale(r, "has no live writer");
}

/* CLOCK_BOOTTIME runs while the machine sleeps, but begins anew with each boot. A record that
 * seems to come from the future has no known age: it is too old. */
static void require_age(const struct board_reader *r)
{
	const struct board_slot *slot = r->b.slot;
	uint64_t age = r->b.other_boot ? board_now(CLOCK_REALTIME) - slot->realtime_ns
		: board_now(CLOCK_BOOTTIME) - slot->boottime_ns;

	if (r->max_age >= 0 && age > (uint64_t)r->max_age)
		stale(r, "has only a record that is too old");
}

void board_print_checked(struct board_reader *r)
{
	require_age(r);
	board_print(&r->b, &r->out);
	r->printed++;
}

void board_answer_usr1(const struct board_reader *r)
{
	if (board_status_asked())
		bb_error_msg("'%s': printed %ju, missed %ju, %s", r->b.path, r->printed, r->missed,
			!r->b.map ? "no such file yet" : r->b.raw ? "raw"
			: board_has_writer(r->b.fd) ? "writer alive" : "no writer");
}

/* False if publication n was overwritten, or not kept over a reboot. */
static int copy_for_print(struct board *b, uint32_t n)
{
	if (b->other_boot)
		return board_copy_whole(b, n);
	return board_copy(b, n) && b->slot->publications;
}

void board_nothing_published(const struct board_reader *r)
{
	const char *target = r->b.map ? NULL : board_dangling(r->b.path);

	if (target)
		bb_error_msg("'%s' is a symbolic link to '%s', which does not exist",
			r->b.path, target);
	else
		bb_error_msg("nothing is published in '%s' yet%s", r->b.path,
			r->b.map ? "" : ": there is no such file");
	exit(EXIT_NOT_NOW);
}

void board_print_news(struct board_reader *r)
{
	uint32_t seq = board_last_number(&r->b), reach = r->b.head.nslots - 1;

	if (seq - r->last > reach) {
		r->missed += seq - r->last - reach;
		r->last = seq - reach;
	}
	while (r->last != seq)
		if (copy_for_print(&r->b, ++r->last))
			board_print_checked(r);
		else
			r->missed++;
}


/* Sleeps while *word is value, at most ns nanoseconds. */
static void futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t ns)
{
	struct timespec ts = { ns / NS_PER_S, ns % NS_PER_S };
	long old[2] = { ts.tv_sec, ts.tv_nsec };
	int wide = sizeof(time_t) > sizeof(long);

	/* Before 5.1 a 32-bit kernel has only the call with 32-bit times. */
	if (!wide || (syscall(SYS_futex_time64, word, FUTEX_OP_WAIT, value, &ts, NULL, 0) < 0
		      && errno == ENOSYS))
		(void)syscall(
			SYS_futex, word, FUTEX_OP_WAIT, value, old, NULL, 0); /* however it ends */
}

/* A name that is missing for long is looked at less often, but at least once a second. */
static void nap(int64_t left, int64_t *slice)
{
	(void)sleep_until(monotonic_ns() + (left < *slice ? left : *slice));
	*slice = 2 * *slice < NS_PER_S ? 2 * *slice : NS_PER_S;
}

static void NORETURN timed_out(const struct board_reader *r)
{
	bb_error_msg("no publication in '%s' in time", r->b.path);
	exit(EXIT_TIMED_OUT);
}

/* Sleeps in slices of a second: nobody wakes a reader when a writer dies or the file is
 * replaced. */
void board_wait_for_news(struct board_reader *r)
{
	int64_t deadline = monotonic_ns() + r->timeout, left, slice = NS_PER_S / 100;
	uint32_t seq;

	for (;;) {
		left = r->timeout >= 0 ? deadline - monotonic_ns() : NS_PER_S;
		board_answer_usr1(r);
		if (!r->b.map && !board_go_along(r)) {
			if (left <= 0)
				timed_out(r);
			nap(left, &slice);
			continue;
		}
		seq = board_seq(&r->b);
		if ((int32_t)(board_last_number(&r->b) - r->last) > 0)
			return;
		board_require_writer(r);
		if (left <= 0)
			timed_out(r);
		futex_wait(r->b.map + BOARD_WORD(seq), r->b.swap ? __builtin_bswap32(seq) : seq,
			left < NS_PER_S ? left : NS_PER_S);
		if (board_seq(&r->b) == seq)
			(void)board_go_along(r);
	}
}
