/*
 * names.c - names for temporary files, and the locks that show whose files they are
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/file.h>
#include "pcopy.h"

/* A temporary file has no name at all where the file system and /proc allow that (O_TMPFILE,
 * open(2)): nothing is left of it after kill -9. Elsewhere its name is ".pcopy-HASH.N" if a lock
 * proves that its maker lives, so that the next pcopy can remove what a killed one left; and a
 * random name if not. The lock proves it on a file system of this kernel only: through FUSE, NFS
 * or overlayfs the same file can be locked twice. */

char *pcopy_hashed_name(const char *base, const char *suffix)
{
	return xasprintf(".pcopy-%08" PRIx32 ".%s", crc32(0, base, strlen(base)), suffix);
}

char *pcopy_numbered_name(const struct target *target, int i)
{
	char number[2] = { '0' + i };

	return pcopy_hashed_name(target->base, number);
}

/* Returns a different name each time. The name need not be secret, because O_EXCL and the
 * comparison of inodes make its use safe. */
char *pcopy_random_name(void)
{
	static uint64_t state;

	state = (state ^ (uint64_t)monotonic_ns()) * 0x9E3779B97F4A7C15; /* 2^64 / golden ratio */
	state ^= state >> 29;
	return xasprintf(".pcopy-%012" PRIx64, state & 0xFFFFFFFFFFFF);
}

/* Returns true for file systems of this kernel whose files have one inode here. The numbers are
 * those of statfs(2). */
int pcopy_has_real_locks(const struct target *target)
{
	/* ext, XFS, btrfs, tmpfs, ramfs, f2fs, UBIFS, exFAT, FAT */
	static const uint32_t types[] = {
		0xEF53, 0x58465342, 0x9123683E, MY_TMPFS_MAGIC, 0x858458F6, 0xF2F52010, 0x24051905,
		0x2011BAB0, 0x4D44,
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(types) && types[i] != (uint32_t)target->fs.f_type)
		i++;
	return i < ARRAY_SIZE(types);
}

/* Returns 0, or EXIT_NOT_NOW without a message. The workers of a killed pcopy die soon after it, so
 * this function waits for them. A file that cannot be locked counts as locked by this process. */
int pcopy_lock(int fd)
{
	enum { TRIES = 100, PAUSE_MS = 20 };

	for (int i = 0; i < TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
			return 0;
		(void)poll(NULL, 0, PAUSE_MS);
	}
	return EXIT_NOT_NOW;
}

/* A file that no process has locked was left by a killed pcopy. A pcopy locks its file right after
 * making it, and makes another one if it was too late. */
void pcopy_remove_stale(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
	    && (st.st_uid == geteuid() || geteuid() == 0) /* root may have given it away */
	    && flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(dir, name, 0); /* Another pcopy may have removed it already. */
	close(fd);
}

/* The name exists only for a moment before the rename. The lock shows that this pcopy lives. */
char *pcopy_temporary_name(const struct target *target, int i)
{
	if (i < NAMED && pcopy_has_real_locks(target) && flock(target->fd, LOCK_EX | LOCK_NB) == 0)
		return pcopy_numbered_name(target, i);
	return pcopy_random_name();
}
