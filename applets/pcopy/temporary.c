/*
 * temporary.c - the file that is written until it is whole, and what of it goes at the end
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/file.h>
#include <sys/xattr.h>
#include "pcopy.h"

/* A temporary file has no name at all where the file system and /proc allow that (O_TMPFILE,
 * open(2)): nothing is left of it after kill -9. Elsewhere its name is ".pcopy-HASH.N" if a lock
 * proves that its maker lives, so that the next pcopy can remove what a killed one left; and a
 * random name if not. The lock proves it on a file system of this kernel only: through FUSE, NFS
 * or overlayfs the same file can be locked twice. */

enum { NAMED = 4 }; /* the number of names .pcopy-HASH.N */

/* What exit(3) must remove, or keep under another name, if the name still leads to that file. */
static struct doomed {
	int dir;
	const char *name;
	const char *kept;	/* NULL: the file is removed */
	struct stat st;
} *doomed;
static int dooms;

static void discard_one(const struct doomed *d)
{
	struct stat now;

	if (fstatat(d->dir, d->name, &now, AT_SYMLINK_NOFOLLOW) < 0 || !same_inode(&now, &d->st))
		return;
	if (!d->kept || renameat(d->dir, d->name, d->dir, d->kept) < 0)
		(void)unlinkat(d->dir, d->name, 0); /* A failure cannot be helped here. */
}

void pcopy_discard(void)
{
	while (dooms > 0)
		discard_one(&doomed[--dooms]);
}

static void doom(const struct target *target, const char *kept)
{
	struct doomed *d;

	doomed = xrealloc(doomed, (dooms + 1) * sizeof(*doomed));
	d = &doomed[dooms];
	d->dir = target->dir;
	d->name = target->written;
	d->kept = kept;
	if (fstat(target->fd, &d->st) == 0)
		dooms++;
}

void pcopy_doom(const struct target *target)
{
	doom(target, NULL);
}

static void end_doom(const struct target *target, int spare)
{
	for (int i = dooms - 1; i >= 0; i--) {
		if (doomed[i].dir != target->dir || doomed[i].name != target->written)
			continue;
		if (!spare)
			discard_one(&doomed[i]);
		doomed[i] = doomed[--dooms];
	}
}

void pcopy_spare(const struct target *target)
{
	end_doom(target, 1);
}

void pcopy_drop(const struct target *target)
{
	end_doom(target, 0);
}

static char *hashed_name(const char *base, const char *suffix)
{
	return xasprintf(".pcopy-%08" PRIx32 ".%s", crc32(0, base, strlen(base)), suffix);
}

static char *numbered_name(const struct target *target, int i)
{
	char number[2] = { '0' + i };

	return hashed_name(target->base, number);
}

/* Returns a different name each time. The name need not be secret, because O_EXCL and the
 * comparison of inodes make its use safe. */
static char *random_name(void)
{
	static uint64_t state;

	state = (state ^ (uint64_t)monotonic_ns()) * 0x9E3779B97F4A7C15; /* 2^64 / golden ratio */
	state ^= state >> 29;
	return xasprintf(".pcopy-%012" PRIx64, state & 0xFFFFFFFFFFFF);
}

/* Returns true for file systems of this kernel whose files have one inode here. The numbers are
 * those of statfs(2). */
static int has_real_locks(const struct target *target)
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
static void remove_stale(int dir, const char *name)
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

/* After a success, the file that an earlier --resume has left for this DST is useless. */
void pcopy_remove_resumed(const struct target *target)
{
	char *resume = hashed_name(target->base, "resume");
	char *kept = hashed_name(target->base, "kept");

	if (has_real_locks(target))
		remove_stale(target->dir, resume);
	else
		(void)unlinkat(target->dir, kept, 0); /* nobody writes it under this name */
	free(resume);
	free(kept);
}

/* Returns the permissions that the directory's default ACL allows (acl(5)), or umask(2) if there is
 * none. The attribute has a version of 4 bytes, and entries of 8: tag, permissions, id. */
static mode_t allowed_mode(const struct target *target)
{
	enum { USER = 1, GROUP = 4, MASK = 16, OTHER = 32 };
	unsigned char acl[1024], perm[OTHER + 1] = { [MASK] = 8 };
	ssize_t n = fgetxattr(target->dir, "system.posix_acl_default", acl, sizeof(acl));
	mode_t mask;

	if (n < 4) {
		mask = umask(0);
		umask(mask);
		return ~mask;
	}
	for (ssize_t i = 4; i + 8 <= n; i += 8)
		if (acl[i] <= OTHER)
			perm[acl[i]] = acl[i + 2];
	return perm[USER] << 6 | (perm[MASK] < 8 ? perm[MASK] : perm[GROUP]) << 3 | perm[OTHER];
}

/* A new file is private until it is whole. Its later mode is that of SRC as far as this directory
 * allows it. */
int pcopy_create(struct copy *copy, const char *name)
{
	const struct source *source = &copy->source;
	struct target *target = &copy->target;
	mode_t usual = source->fd == STDIN_FILENO ? 0666 : source->st.st_mode & 0777;
	int flags = name ? O_CREAT | O_EXCL | O_NOFOLLOW : O_TMPFILE;

	target->mode = usual & allowed_mode(target);
	target->fd = openat(target->dir, name ? name : ".", flags | O_RDWR | O_CLOEXEC, 0600);
	target->written = name;
	return target->fd;
}

int pcopy_link_target(const struct target *target, const char *name)
{
	char self[64];

	scnprintf(self, sizeof(self), "/proc/self/fd/%d", target->fd);
	return linkat(AT_FDCWD, self, target->dir, name, AT_SYMLINK_FOLLOW);
}

/* A link to an existing name shows whether the file can get a name later: EEXIST means yes. */
static int create_nameless(struct copy *copy)
{
	if (pcopy_create(copy, NULL) < 0)
		return 0;
	if (pcopy_link_target(&copy->target, ".") < 0 && errno == EEXIST)
		return 1;
	close(copy->target.fd);
	return 0;
}

/* Returns true unless a remove_stale() was faster, or this kernel has no locks. */
static int create_locked(struct copy *copy, const char *name)
{
	struct stat st;

	if (pcopy_create(copy, name) < 0)
		return 0;
	pcopy_doom(&copy->target);
	if (flock(copy->target.fd, LOCK_EX | LOCK_NB) == 0 && fstat(copy->target.fd, &st) == 0
	    && st.st_nlink)
		return 1;
	pcopy_drop(&copy->target);
	close(copy->target.fd);
	return 0;
}

static int create_numbered(struct copy *copy)
{
	for (int i = 0; i < NAMED; i++)
		if (create_locked(copy, numbered_name(&copy->target, i)))
			return 1;
	return 0;
}

static int create_random(struct copy *copy)
{
	enum { TRIES = 100 };

	for (int i = 0; i < TRIES; i++) {
		char *name = random_name();

		if (pcopy_create(copy, name) >= 0) {
			pcopy_doom(&copy->target);
			return 1;
		}
		free(name);
		if (errno != EEXIST)
			return 0;
	}
	return 0;
}

/* The name exists only for a moment before the rename. The lock shows that this pcopy lives. */
char *pcopy_temporary_name(const struct target *target, int i)
{
	if (i < NAMED && has_real_locks(target) && flock(target->fd, LOCK_EX | LOCK_NB) == 0)
		return numbered_name(target, i);
	return random_name();
}

int pcopy_open_temporary(struct copy *copy)
{
	struct target *target = &copy->target;
	int real_locks = has_real_locks(target);

	for (int i = 0; real_locks && i < NAMED; i++) {
		char *name = numbered_name(target, i);

		remove_stale(target->dir, name);
		free(name);
	}
	if (create_nameless(copy) || (real_locks && create_numbered(copy)) || create_random(copy))
		return 0;
	bb_perror_msg("can't create a temporary file beside '%s'%s", target->name,
		target->old.st_mode ? " (--inplace needs none)" : "");
	return EXIT_FAILURE;
}

/* A kept file may have DST's mode already, which lets us not write. The mode that a living pcopy
 * has set is put back. */
static int open_read_only(const struct target *target, const char *name)
{
	int fd = -1, path = openat(target->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char *self = xasprintf("/proc/self/fd/%d", path);
	struct stat st;

	if (path >= 0 && fstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1
	    && st.st_uid == geteuid() && chmod(self, 0600) == 0) {
		fd = open(self, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && pcopy_lock(fd))
			(void)chmod(self, st.st_mode & 07777); /* A failure does no harm. */
	}
	free(self);
	close(path);
	errno = EACCES;
	return fd;
}

/* O_CREAT for a file that exists would be EACCES in a sticky directory, even for root, if the file
 * is not ours (fs.protected_regular). */
static int open_kept(struct copy *copy, const char *name)
{
	struct target *target = &copy->target;

	target->fd = openat(target->dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (target->fd < 0 && errno == ENOENT)
		(void)pcopy_create(copy, name);
	if (target->fd < 0 && errno == EACCES)
		target->fd = open_read_only(target, name);
	target->written = name;
	if (target->fd >= 0)
		return 0;
	bb_perror_msg("can't open '%s' beside '%s'", name, target->name);
	return EXIT_FAILURE;
}

static int check_kept(struct copy *copy)
{
	struct target *target = &copy->target;
	struct stat st, named;

	if (fstat(target->fd, &st) < 0)
		return pcopy_cannot("examine", target->written);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1
	    || (st.st_uid != geteuid() && st.st_uid != pcopy_future_owner(copy)->st_uid)) {
		bb_error_msg("'%s' beside '%s' is not a file that pcopy made: remove it",
			target->written, target->name);
		return EXIT_FAILURE;
	}
	if (pcopy_lock(target->fd)
	    || fstatat(target->dir, target->written, &named, AT_SYMLINK_NOFOLLOW) < 0
	    || !same_inode(&named, &st)) {
		bb_error_msg("another pcopy is resuming '%s'", target->name);
		return EXIT_NOT_NOW;
	}
	target->taken = st.st_blocks * 512LL;
	return 0;
}

/* What an earlier --resume left, if nobody writes it but we and, at the end, its owner; else a new
 * file. Nothing about it is believed, not even its size. Where a lock proves nothing, the file is
 * ours once we have renamed it: only one rename(2) of the same name succeeds. */
int pcopy_open_resumed(struct copy *copy)
{
	struct target *target = &copy->target;
	const char *name = hashed_name(target->base, "resume"), *kept = NULL;
	int status;

	target->mode = copy->source.st.st_mode & 0777 & allowed_mode(target);
	if (!has_real_locks(target)) {
		kept = hashed_name(target->base, "kept");
		name = random_name();
		/* There may be no such file. */
		(void)renameat(target->dir, kept, target->dir, name);
	}
	status = open_kept(copy, name);
	if (!status && kept)
		doom(target, kept);
	return status ? status : check_kept(copy);
}
