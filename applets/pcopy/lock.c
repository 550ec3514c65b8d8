/*
 * lock.c - the locks that show who writes a file
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/file.h>
#include "pcopy.h"

/* A process that may only read DST must not stop pcopy. So the lock is F_WRLCK of fcntl(2), which
 * needs a descriptor that is open for writing. The lock belongs to the open file (F_OFD_SETLK in
 * fcntl_locking(2)), so it lasts as long as the workers. A reader can keep the lock away with
 * F_RDLCK. Then flock(2) stands in, which any reader can take. It also does so where the kernel has
 * no F_OFD_SETLK (before Linux 3.15), and at disks, where flock(2) is the custom
 * (systemd.io/BLOCK_DEVICE_LOCKING). */
enum { MY_OFD_GETLK = 36, MY_OFD_SETLK = 37 }; /* All machines have these (asm-generic/fcntl.h). */
enum locked { LOCKED, UNKNOWN, BY_READERS, BY_WRITER };

/* The question is whether F_RDLCK could be had, because only F_WRLCK keeps it away. */
int pcopy_has_writer(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return fcntl(fd, MY_OFD_GETLK, &lock) == 0 && lock.l_type == F_WRLCK;
}

/* Takes the lock. If readers keep it away, takes F_RDLCK, so that no later pcopy gets F_WRLCK when
 * the readers go. This F_RDLCK belongs to the process (F_SETLK in fcntl_locking(2)), because
 * /proc/locks names the process of such a lock. */
static enum locked lock_for_writing(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, MY_OFD_SETLK, &lock) == 0)
		return LOCKED;
	if (errno != EAGAIN && errno != EACCES)
		return UNKNOWN;
	if (pcopy_has_writer(fd))
		return BY_WRITER;
	lock.l_type = F_RDLCK;
	(void)fcntl(fd, F_SETLK, &lock); /* It fails if DST can only be written. */
	return BY_READERS;
}

/* Writes " DEVICE:INODE " as /proc/locks has it. Its device is not always that of fstat(2): btrfs
 * has one for each subvolume, and /proc/locks has one for all. So this function looks at our own
 * F_RDLCK (proc_pid_fdinfo(5)): "lock: 1: POSIX  ADVISORY  READ PID DEVICE:INODE 0 EOF". */
static void name_in_locks(int fd, const struct stat *st, char file[64])
{
	char name[64], content[1000], *found;

	scnprintf(file, 64, " %02x:%02x:%ju ", major(st->st_dev), minor(st->st_dev),
		(uintmax_t)st->st_ino);
	scnprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	found = pcopy_read_start(name, content) ? strstr(content, " READ ") : NULL;
	found = found ? strchr(found + strlen(" READ "), ' ') : NULL;
	if (found)
		scnprintf(file, 64, "%.*s ", (int)strcspn(found + 1, " ") + 1, found);
}

/* Returns true if the process of this number may write to the file, or if that is not known. Root,
 * this user and the owner may write. */
static int is_writer(uintmax_t pid, const struct stat *st)
{
	char name[64];
	long uid;

	scnprintf(name, sizeof(name), "/proc/%ju/status", pid);
	uid = pid ? pcopy_read_field(name, "\nUid:\t") : 0;
	return uid == 0 || uid == (long)geteuid() || uid == (long)st->st_uid;
}

/* Returns true if each process that has a lock on the file may not write to it, or has ended. A
 * line of /proc/locks has the number of the process before the device (proc_locks(5)). If the group
 * or others may write to the file, this function does not look, and returns false. */
static int is_locked_by_readers(int fd, const struct stat *st)
{
	int others = !S_ISREG(st->st_mode) || st->st_mode & (S_IWGRP | S_IWOTH);
	FILE *f = others ? NULL : fopen("/proc/locks", "re");
	int readers = 0, writers = 0;
	char line[256], file[64], *pid;

	name_in_locks(fd, st, file);
	while (f && fgets(line, sizeof(line), f)) {
		pid = strstr(line, " OFDLCK ") ? NULL : strstr(line, file);
		while (pid && pid > line && isdigit((unsigned char)pid[-1]))
			pid--;
		if (pid && leading_number(pid) != (uintmax_t)getpid())
			*(is_writer(leading_number(pid), st) ? &writers : &readers) += 1;
	}
	if (f)
		fclose(f);
	return readers && !writers;
}

/* A killed pcopy's workers keep its lock until they die, which they do at once (PR_SET_PDEATHSIG in
 * prctl(2)), so this function waits for at most two seconds. On a file system without locks, and if
 * only a reader has the lock, pcopy goes on without the lock. */
int pcopy_lock(int fd)
{
	enum { TRIES = 100, PAUSE_MS = 20 };
	enum locked how;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return EXIT_NOT_NOW;
	for (int i = 0; i < TRIES; i++) {
		how = S_ISREG(st.st_mode) ? lock_for_writing(fd) : UNKNOWN;
		if (how == LOCKED)
			return 0;
		if (how != BY_WRITER && (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
			|| is_locked_by_readers(fd, &st)))
			return 0;
		(void)poll(NULL, 0, PAUSE_MS);
	}
	return EXIT_NOT_NOW;
}
