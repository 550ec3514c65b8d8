/*
 * resume.c - the file that --resume keeps
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* After a copy without --resume has succeeded, the file that an earlier --resume has kept for this
 * DST is useless, and is removed. */
void pcopy_remove_resumed(const struct target *target)
{
	char *resume = pcopy_hashed_name(target->base, "resume");
	char *kept = pcopy_hashed_name(target->base, "kept");

	if (pcopy_has_real_locks(target))
		pcopy_remove_stale(target->dir, resume);
	else
		(void)unlinkat(target->dir, kept, 0); /* No pcopy writes a file of this name. */
	free(resume);
	free(kept);
}

/* Opens a kept file that its owner may not write to, because pcopy was killed after it had given
 * the mode of DST to the file. If another pcopy still has the file locked, its mode is put back. */
static int open_read_only(const struct target *target, const char *name)
{
	int fd = -1, path = openat(target->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char *self = xasprintf("/proc/self/fd/%d", path);
	struct stat st;

	if (path >= 0 && fstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1
	    && st.st_uid == geteuid() && chmod(self, 0600) == 0) {
		fd = open(self, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && pcopy_lock(fd))
			(void)chmod(self, st.st_mode & 07777); /* Else it stays private. */
	}
	free(self);
	close(path);
	errno = EACCES;
	return fd;
}

/* A kept file is opened without O_CREAT: in a sticky directory, O_CREAT would fail with EACCES for
 * the file of another user, even for root (fs.protected_regular in proc_sys_fs(5)). */
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
	bb_perror_msg("can't open '%s' beside '%s'%s", name, target->name,
		target->old.st_mode ? " (--inplace needs none)" : "");
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
	    || pcopy_stat_name(target->dir, target->written, &named) < 0
	    || !same_inode(&named, &st)) {
		bb_error_msg("another pcopy is resuming '%s'", target->name);
		return EXIT_NOT_NOW;
	}
	target->taken = st.st_blocks * 512LL;
	return 0;
}

/* A user who could open the kept file may still have it open, and would see the bytes that come
 * now. If DST is to be more private than the kept file, pcopy begins again with a new file. */
static void remove_exposed(const struct copy *copy, const char *name)
{
	int dir = copy->target.dir;
	struct stat st;

	if (pcopy_stat_name(dir, name, &st) == 0
	    && st.st_mode & 077 & ~pcopy_future_mode(copy))
		pcopy_remove_stale(dir, name);
}

/* Opens the file that an earlier --resume has kept, or a new file. check_kept() accepts only a file
 * of this user or of the future owner of DST. All its bytes are compared with SRC, and its size is
 * not trusted. Where a lock proves nothing, pcopy renames the kept file before it opens the file:
 * if two processes do so, only one rename(2) finds the old name. */
int pcopy_open_resumed(struct copy *copy)
{
	struct target *target = &copy->target;
	const char *name = pcopy_hashed_name(target->base, "resume"), *kept = NULL;
	int status;

	target->mode = copy->source.st.st_mode & 0777 & pcopy_allowed_mode(target);
	if (!pcopy_has_real_locks(target)) {
		pcopy_hold_signals();
		kept = pcopy_hashed_name(target->base, "kept");
		name = pcopy_random_name();
		/* There may be no such file. */
		(void)renameat(target->dir, kept, target->dir, name);
	}
	remove_exposed(copy, name);
	status = open_kept(copy, name);
	if (!status && kept)
		pcopy_doom(target, kept);
	pcopy_let_signals();
	return status ? status : check_kept(copy);
}
