/*
 * lock.c - the writer's lock
 *
 * SPDX-License-Identifier: 0BSD
 *
 * A writer holds F_WRLCK on the whole file. That lock needs a descriptor that is open for writing
 * (fcntl_locking(2)), so a process that may only read the board cannot look like a writer. A mere
 * reader can take F_RDLCK. It keeps F_WRLCK away, but it does not look like a writer, because
 * board_has_writer asks about F_RDLCK, and only F_WRLCK conflicts with that. flock(2) counts only
 * where fcntl(2) has no locks at all, because any reader can take it.
 */
#include <sys/file.h>
#include "board.h"

static int is_held(void)
{
	return errno == EAGAIN || errno == EACCES;
}

/* Makes the call ofd, or the call posix where the kernel does not know ofd. Returns 0 for the
 * one, 1 for the other, -1 for neither. Locks of open file descriptions came with Linux 3.15. The
 * locks of processes conflict with them, and end when the process closes any descriptor of the
 * file (fcntl_locking(2)); mmapw has only one. */
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
		return is_held(); /* where no lock works, mmapw does not write */
	(void)flock(fd, LOCK_UN);
	return 0;
}
