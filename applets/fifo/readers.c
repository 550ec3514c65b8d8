/*
 * readers.c - several readers of one FIFO: --exclusive, and turns with --count
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/file.h>
#include "fifor.h"

/* Each reader holds a read lock on one of two bytes, which says of which kind the reader is. Only a
 * process that may read the FIFO can have a read lock (fcntl(2)), so a writer cannot pretend to be
 * a reader. A writer's own lock on these bytes says nothing, and stops no reader. Where there are
 * no such locks, flock(2) takes their place, although a writer can take its lock, too. */

static struct flock kind_byte(enum reader_kind kind, int type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET,
		.l_start = (off_t)FIFO_WRITERS_LOCK + kind, .l_len = 1 };
}

static int has_reader(const struct reader *r, enum reader_kind kind)
{
	struct flock fl = kind_byte(kind, F_WRLCK);

	return fcntl(r->others.lock, F_OFD_GETLK, &fl) == 0 && fl.l_type == F_RDLCK;
}

static NORETURN void refuse(const struct reader *r)
{
	bb_error_msg("'%s' has a reader already", r->f.path);
	exit(EXIT_NOT_NOW);
}

static void refuse_second(const struct reader *r)
{
	if (has_reader(r, EXCLUSIVE) || (r->others.kind == EXCLUSIVE && has_reader(r, SHARED)))
		refuse(r);
}

static void lock_whole(const struct reader *r)
{
	int exclusive = r->others.kind == EXCLUSIVE;

	if (flock(r->others.lock, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
		return;
	if (errno == EWOULDBLOCK)
		refuse(r);
	if (exclusive) /* SHARED goes on: without locks in this file system no reader has one. */
		bb_perror_msg_and_die("can't lock '%s'", r->f.path);
}

/* The lock is on a descriptor of its own, because the descriptor that fifor reads is renewed at
 * each end of file. Two readers that start at once may refuse each other. */
void fifor_exclude_others(struct reader *r)
{
	struct flock fl = kind_byte(r->others.kind, F_RDLCK);
	int before = r->others.lock, locked;

	if (r->others.kind == NO_READER)
		return;
	r->others.lock = fifo_reopen(&r->f, O_RDONLY | O_NONBLOCK);
	if (r->others.lock >= 0) {
		refuse_second(r);
		locked = fcntl(r->others.lock, F_OFD_SETLK, &fl) == 0;
		if (locked)
			refuse_second(r);
		else if (errno != EAGAIN && errno != EACCES)
			lock_whole(r);
		else if (r->f.asked.verbose >= 0)
			bb_error_msg("a writer has locked '%s': other readers are not kept out",
				r->f.path);
	}
	if (before >= 0)
		close(before); /* Writers to a replaced FIFO must see no reader. */
}

void fifor_end_turn(struct reader *r)
{
	if (r->others.has_turn && !fifor_is_pending(r))
		r->others.has_turn = flock(r->others.turn, LOCK_UN) < 0;
}

/* Readers with --count take turns to look ahead and take. Any process may lock a directory that it
 * can read, so the wait for a turn has a limit. */
int fifor_take_turn(struct reader *r)
{
	int64_t end = fifo_earlier(r->deadline, fifo_deadline(TURN_S * NS_PER_S)), pause = MS;
	struct others *o = &r->others;

	while (o->turn >= 0 && !o->has_turn) {
		if (flock(o->turn, LOCK_EX | LOCK_NB) == 0) {
			o->has_turn = 1;
		} else if (errno != EWOULDBLOCK) {
			o->turn = -1; /* This file system has no locks. */
		} else if (monotonic_ns() >= r->deadline) {
			return 0;
		} else if (monotonic_ns() >= end) {
			bb_error_msg("another process keeps its turn for %d s: not waiting for it",
				TURN_S);
			o->turn = -1;
		} else {
			(void)fifo_poll(NULL, 0, fifo_earlier(end, fifo_deadline(pause)));
			pause = fifo_earlier(2 * pause, LONGEST_PAUSE);
		}
	}
	return 1;
}
