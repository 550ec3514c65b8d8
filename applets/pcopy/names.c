/*
 * names.c - names for temporary files, and the locks that show whose files they are
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/file.h>
#include "pcopy.h"

/* Where the file system and /proc allow it, a temporary file has no name (O_TMPFILE in open(2)),
 * and the kernel removes the file when pcopy is killed. Elsewhere the file gets the name
 * ".pcopy-HASH.N", and pcopy locks it. If pcopy is killed, the kernel ends the lock (flock(2)), and
 * the next pcopy removes the file. This needs a lock that every process sees.
 * pcopy_has_real_locks() knows the file systems that have such locks. On FUSE, NFS or overlayfs,
 * two processes can lock the same file through two mounts. There, and where each N is in use, the
 * file gets a random name, and no other pcopy removes it. */

char *pcopy_hashed_name(const char *base, const char *suffix)
{
	return xasprintf(".pcopy-%08" PRIx32 ".%s", crc32(0, base, strlen(base)), suffix);
}

char *pcopy_numbered_name(const struct target *target, int i)
{
	char number[2] = { '0' + i };

	return pcopy_hashed_name(target->base, number);
}

/* Returns a different name each time. The name need not be secret: open(2) with O_EXCL fails if the
 * name exists, and commit.c compares the inode before it renames the file. */
char *pcopy_random_name(void)
{
	static uint64_t state;

	state = (state ^ (uint64_t)monotonic_ns()) * 0x9E3779B97F4A7C15; /* 2^64 / golden ratio */
	state ^= state >> 29;
	return xasprintf(".pcopy-%012" PRIx64, state & 0xFFFFFFFFFFFF);
}

/* Returns true if each file has only one inode in this kernel, so that flock(2) excludes every
 * other process. The numbers are from statfs(2), linux/magic.h (exFAT) and fs/ubifs/ubifs.h. */
int pcopy_has_real_locks(const struct target *target)
{
	/* In this order they are ext, XFS, btrfs, tmpfs, ramfs, f2fs, UBIFS, exFAT and FAT. */
	static const uint32_t types[] = {
		0xEF53, 0x58465342, 0x9123683E, MY_TMPFS_MAGIC, MY_RAMFS_MAGIC, 0xF2F52010,
		0x24051905, 0x2011BAB0, 0x4D44,
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(types) && types[i] != (uint32_t)target->fs.f_type)
		i++;
	return i < ARRAY_SIZE(types);
}

/* Removes a file that a killed pcopy has left. If no process has the file locked, its maker is
 * dead. A pcopy that has just made the file, and has not locked it yet, loses the file here, and
 * makes another one: see create_locked(). */
void pcopy_remove_stale(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
	    && (st.st_uid == geteuid() || geteuid() == 0) /* Root may have given it away. */
	    && flock(fd, LOCK_EX | LOCK_NB) == 0 && !pcopy_has_writer(fd))
		(void)unlinkat(dir, name, 0); /* Another pcopy may have been faster. */
	close(fd);
}

/* Returns a name for a file without a name, which has this name only until the rename. Where it
 * can, this function locks the file first, so that no other pcopy removes it. */
char *pcopy_temporary_name(const struct target *target, int i)
{
	if (i < NAMED && pcopy_has_real_locks(target) && flock(target->fd, LOCK_EX | LOCK_NB) == 0)
		return pcopy_numbered_name(target, i);
	return pcopy_random_name();
}
