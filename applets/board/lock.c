/*
 * lock.c - the writer's lock
 *
 * SPDX-License-Identifier: 0BSD
 *
 * A writer holds F_WRLCK on the whole file, for which it must have opened the file for writing
 * (fcntl_locking(2)): whoever may only read the board cannot look like a writer. F_RDLCK is
 * what a mere reader can take. It keeps F_WRLCK away, but it says nothing about writers; those
 * are asked for with F_RDLCK, which only F_WRLCK conflicts with. flock(2) does not count: any
 * reader can hold it.
 */
#include <sys/file.h>
#include "board.h"

static int is_held(void)
{
	return errno == EAGAIN || errno == EACCES;
}

/* Locks of open file descriptions came with Linux 3.15. Those of processes conflict with them,
 * and serve as long as the process closes no other descriptor of the file. */
static int lock_call(int fd, int ofd, int posix, struct flock *lock)
{
	int type = lock->l_type;

	if (fcntl(fd, ofd, lock) == 0)
		return 0;
	if (is_held() || errno == EINTR)
		return -1;
	lock->l_type = type;
	return fcntl(fd, posix, lock) == 0 ? 1 : -1;
}

int board_lock(int fd, int wait)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int rc = wait ? lock_call(fd, OFD_SETLKW, F_SETLKW, &lock)
		: lock_call(fd, OFD_SETLK, F_SETLK, &lock);

	if (rc >= 0 || is_held() || errno == EINTR)
		return rc;
	return flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) == 0 ? 2 : -1;
}

void board_tell_lock(int call)
{
	if (call == 1)
		bb_error_msg(
			"no F_OFD_SETLK here (Linux 3.15): F_SETLK, not flock(2), stands in");
	if (call == 2)
		bb_error_msg("no locks of fcntl(2) here: flock(2) stands in");
}

int board_has_writer(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	if (lock_call(fd, OFD_GETLK, F_GETLK, &lock) >= 0)
		return lock.l_type == F_WRLCK;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return 1;
	(void)flock(fd, LOCK_UN);
	return 0;
}
