/*
 * follow.c - read a board that is made, replaced and removed meanwhile
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapr.h"

int board_reader_open(struct board_reader *r)
{
	struct board *b = &r->b;
	struct stat st;

	b->fd = board_open_path(b->path, O_RDONLY);
	if (b->fd < 0 && errno == ENOENT)
		return 0;
	if (b->fd < 0)
		bb_perror_msg_and_die("can't open '%s'", b->path);
	/* mmapw makes a board of an empty file, so a follower waits for that. */
	if (r->asked.waits && fstat(b->fd, &st) == 0 && S_ISREG(st.st_mode) && !st.st_size) {
		close(b->fd);
		return 0;
	}
	board_map(b, PROT_READ);
	if (b->raw && r->asked.need_sequence)
		bb_error_msg_and_die(
			"'%s' is a raw record: only -1 and -i can be had of it", b->path);
	board_check_output(b, &r->out);
	return 1;
}

/* Turns the 64 bits of a publication's number into the 32 bits of seq. A number that is more than
 * 2^31 away from the latest one becomes the farthest number that 32 bits can tell from it. */
static uint32_t after(struct board *b, uint64_t number)
{
	uint64_t now = board_latest(b) ? b->slot->publications : 0;
	int64_t ahead = number - now;

	return now + (ahead > INT32_MAX ? INT32_MAX : ahead < -INT32_MAX ? -INT32_MAX : ahead);
}

/* In a file of an earlier boot seq may be older or newer than the slots, so the slots are
 * searched there. */
uint32_t board_last_number(struct board *b)
{
	return !b->other_boot ? board_seq(b) : board_latest(b) ? b->slot->n : 0;
}

void board_set_start(struct board_reader *r)
{
	uint32_t n = r->b.head.nslots, from;

	r->last = board_last_number(&r->b);
	if (r->asked.history)
		r->last -= r->asked.history < n ? r->asked.history : n - 1;
	if (r->asked.since >= 0) {
		from = after(&r->b, r->asked.since);
		if (!r->asked.history || (int32_t)(from - r->last) > 0)
			r->last = from;
	}
}

/* Returns the time of publication n, or 0 if it is not there. */
static uint64_t time_of(struct board *b, uint32_t n)
{
	return !b->raw && board_copy_whole(b, n) ? b->slot->realtime_ns : 0;
}

/* If the new file holds the last publication too, with the same time, it continues the old
 * one: the board was copied, or made anew. Else it is a new board, and all its publications
 * are news. */
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
		r->last = after(&r->b, r->asked.since > 0 ? r->asked.since : 0);
	return r->b.map && place != BOARD_GONE;
}

static void NORETURN stale(const struct board_reader *r, const char *why)
{
	bb_error_msg("'%s' %s", r->b.path, why);
	exit(EXIT_STALE);
}

void board_require_writer(const struct board_reader *r)
{
	if (r->asked.need_writer && !board_has_writer(r->b.fd))
		stale(r, "has no live writer");
}

/* CLOCK_BOOTTIME counts while the machine sleeps (clock_gettime(2)), but begins anew with each
 * boot; for a board of an earlier boot CLOCK_REALTIME has to do. A record whose time is still to
 * come has no known age, and counts as too old. */
static void require_age(const struct board_reader *r)
{
	const struct board_slot *slot = r->b.slot;
	uint64_t age = r->b.other_boot ? board_now(CLOCK_REALTIME) - slot->realtime_ns
		: board_now(CLOCK_BOOTTIME) - slot->boottime_ns;

	if (r->asked.max_age >= 0 && age > (uint64_t)r->asked.max_age)
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

/* Copies publication n. Returns false if it was overwritten, or was not kept over a reboot. */
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

	/* Before Linux 5.1 a 32-bit kernel has only the call with 32-bit times (futex(2)). However
	 * the call ends, the caller looks at the word again. */
	if (!wide || (syscall(SYS_futex_time64, word, FUTEX_OP_WAIT, value, &ts, NULL, 0) < 0
		      && errno == ENOSYS))
		(void)syscall(SYS_futex, word, FUTEX_OP_WAIT, value, old, NULL, 0);
}

/* Sleeps until a missing name is looked at again. Each sleep is twice as long as the one before,
 * up to a second. */
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

/* Sleeps in slices of a second, because nobody wakes a reader when a writer dies or when another
 * program replaces the file. */
void board_wait_for_news(struct board_reader *r)
{
	int64_t deadline = monotonic_ns() + r->asked.timeout, left, slice = NS_PER_S / 100;
	uint32_t seq;

	for (;;) {
		left = r->asked.timeout >= 0 ? deadline - monotonic_ns() : NS_PER_S;
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
