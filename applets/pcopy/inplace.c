/*
 * inplace.c - open the file that is written, set its size, and reserve its room
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* Locks DST. Returns EXIT_NOT_NOW, after a message, if another process has locked it. */
static int is_locked(const struct target *target)
{
	if (!pcopy_lock(target->fd))
		return 0;
	bb_error_msg("another process writes '%s', or has it locked", target->name);
	return EXIT_NOT_NOW;
}

/* Opens a DST that exists. If the user may not read DST, --inplace can still write it, because only
 * --update-blocks and --verify read it. */
static int open_existing(const struct copy *copy)
{
	const struct target *target = &copy->target;
	int fd = openat(target->dir, target->base, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == EACCES && copy->request->place == INPLACE
	    && !asked(copy->request, 'y'))
		fd = openat(target->dir, target->base, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

/* Opens and locks DST, or makes it. A DST that exists is opened without O_CREAT: in a sticky
 * directory, O_CREAT would fail with EACCES if another user owns the file, even for root
 * (fs.protected_regular in proc_sys_fs(5)). If another process makes, removes or replaces DST
 * meanwhile, pcopy tries again. */
static int open_inplace(struct copy *copy, struct stat *st)
{
	enum { TRIES = 100 };
	struct target *target = &copy->target;
	struct stat named;

	for (int i = 0; i < TRIES; i++) {
		int is_new = 0, status;

		target->written = target->base;
		target->fd = open_existing(copy);
		if (target->fd < 0 && errno == ENOENT) {
			is_new = pcopy_create_doomed(copy, target->base) >= 0;
			if (!is_new && errno == EEXIST)
				continue;
		}
		if (target->fd < 0 || fstat(target->fd, st) < 0)
			return pcopy_cannot("open", target->name);
		status = is_locked(target);
		if (!status && pcopy_stat_name(target->dir, target->base, &named) == 0
		    && same_inode(&named, st))
			return 0;
		if (is_new)
			pcopy_spare(target); /* It belongs to the process that has locked it. */
		if (status)
			return status;
		close(target->fd);
	}
	bb_error_msg("can't open '%s': other processes keep replacing it", target->name);
	return EXIT_NOT_NOW;
}

static int open_file(struct copy *copy)
{
	struct target *target = &copy->target;
	struct stat st;
	int status = open_inplace(copy, &st);

	if (status)
		return status;
	if (!S_ISREG(st.st_mode)) {
		bb_error_msg("'%s' is no longer a file", target->name);
		return EXIT_FAILURE;
	}
	/* A file that is a mount point is on another file system than its directory. If fstatfs(2)
	 * fails, the values of the directory stay. */
	(void)fstatfs(target->fd, &target->fs);
	target->taken = st.st_blocks * 512LL;
	return bb_refuse_stranger(target->name, &st, &target->parent, "it") ? EXIT_FAILURE : 0;
}

/* Refuses a disk that is set read-only (blockdev(8)). Old kernels refuse to open such a disk for
 * writing. Newer kernels let root open it, and refuse the writes. */
static int check_read_only(const struct target *target)
{
	int read_only = 0, fd = pcopy_reopen(target, O_RDONLY | O_NONBLOCK);
	int result = ioctl(fd, _IO(0x12, 94), &read_only); /* BLKROGET */

	close(fd);
	if (result < 0 || !read_only)
		return 0;
	bb_error_msg("can't write '%s': the disk is read-only (blockdev --setrw)", target->name);
	return EXIT_FAILURE;
}

/* Opens a disk. Without O_CREAT, O_EXCL makes open(2) fail with EBUSY if the disk is in use: it is
 * mounted, or another pcopy writes to it. Another pcopy has locked the disk, too, and then the
 * result is EXIT_NOT_NOW. */
static int open_device(struct target *target)
{
	int status = check_read_only(target);

	if (status)
		return status;
	target->fd = pcopy_reopen(target, O_RDWR | O_EXCL);
	if (target->fd >= 0)
		return 0;
	if (errno != EBUSY)
		return pcopy_cannot("open", target->name);
	bb_error_msg("'%s' is in use: unmount it first", target->name);
	target->fd = pcopy_reopen(target, O_RDONLY);
	return target->fd >= 0 && pcopy_lock(target->fd) ? EXIT_NOT_NOW : EXIT_FAILURE;
}

static int check_disk(const struct copy *copy)
{
	const struct target *target = &copy->target;
	char need[16], have[16];
	off_t size = lseek(target->fd, 0, SEEK_END);

	if (size >= copy->source.size)
		return is_locked(target);
	bb_error_msg("can't write '%s': needs %s, has %s", target->name,
		pcopy_human(need, copy->source.size), pcopy_human(have, size));
	return EXIT_FAILURE;
}

int pcopy_open_written(struct copy *copy)
{
	int status;

	if (!copy->target.seekable)
		return 0;
	if (S_ISBLK(copy->target.old.st_mode)) {
		status = open_device(&copy->target);
		return status ? status : check_disk(copy);
	}
	switch (copy->request->place) {
	case REPLACE:
		return pcopy_open_temporary(copy);
	case RESUME:
		return pcopy_open_resumed(copy);
	default:
		return open_file(copy);
	}
}

/* Reserves the space for the data, so that the file has few pieces, and no later write fails
 * because the disk is full (fallocate(2)). A tmpfs would only clear its memory twice. A small file
 * needs no reservation, because one write(2) writes it whole. Only a full disk or a full quota is
 * an error. After any other failure, pcopy copies without a reservation. */
int pcopy_reserve(const struct copy *copy)
{
	const struct source *source = &copy->source;
	const struct target *target = &copy->target;
	off_t off = 0, end = source->size;

	if (target->fs.f_blocks == 0 || copy->plan.sparse == ALWAYS || source->size <= CACHED_STEP
	    || copy->request->blocks.preallocate == NEVER || target->fs.f_type == MY_TMPFS_MAGIC)
		return 0;
	for (; source->holes ? pcopy_next_data(source, &off, &end) : off < end; off = end)
		if (fallocate(target->fd, 0, off, end - off) < 0
		    && (errno == ENOSPC || errno == EDQUOT))
			return pcopy_cannot("write", target->name);
	return 0;
}

/* Sets the size of DST. Some FUSE file systems cannot make a file longer with ftruncate(2). There
 * the file grows as it is written, and pcopy_check_size() checks the size at the end. */
static int try_size(const struct copy *copy, off_t size)
{
	if (ftruncate(copy->target.fd, size) == 0 || errno == EOPNOTSUPP || errno == ENOSYS
	    || errno == EPERM || errno == EINVAL)
		return 0;
	return pcopy_cannot("set the size of", copy->target.name);
}

/* Writes the command to repeat after the bytes, for a user who finds the file when --resume has
 * failed. If the copy succeeds, pcopy_check_size() cuts the command off. */
static void sign(const struct copy *copy)
{
	char *text = xasprintf("\npcopy --resume '%s'\n", copy->target.base);

	/* If this fails, only the hint is missing. */
	(void)pwrite(copy->target.fd, text, strlen(text), copy->source.size);
	free(text);
}

/* Gives DST the size of SRC. --inplace removes the old content, but only after ftruncate(2) has
 * accepted the new size. A stream that is compared with DST has no size yet: pcopy_check_size()
 * sets it at the end. */
int pcopy_set_size(const struct copy *copy)
{
	const struct plan *plan = &copy->plan;
	enum place place = copy->request->place;
	off_t size = copy->source.size;
	int status = 0;

	if (!copy->target.seekable || S_ISBLK(copy->target.old.st_mode)
	    || (plan->compare && plan->chunks == 0))
		return 0;
	status = try_size(copy, size);
	if (!status && place == INPLACE && plan->engine != ENGINE_CLONE) {
		status = try_size(copy, 0);
		if (!status)
			status = try_size(copy, size);
	}
	if (!status && place == RESUME)
		sign(copy);
	return status;
}

/* Gives DST its final size: with ftruncate(2), or, if that cannot make DST longer, with a zero as
 * the last byte. */
int pcopy_check_size(const struct copy *copy)
{
	const struct target *target = &copy->target;
	off_t size = copy->source.size;
	struct stat st;

	if (!target->seekable || S_ISBLK(target->old.st_mode))
		return 0;
	if (fstat(target->fd, &st) == 0 && st.st_size == size)
		return 0;
	if (ftruncate(target->fd, size) == 0
	    || (st.st_size < size && pwrite(target->fd, "", 1, size - 1) == 1))
		return 0;
	return pcopy_cannot("set the size of", target->name);
}
