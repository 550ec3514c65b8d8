/*
 * commit.c - the moment at which a copy becomes the new file, and its way to the medium
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/syscall.h>
#include "pcopy.h"

enum { MY_RENAME_NOREPLACE = 1 }; /* renameat2(2); musl has no name for it */

const char *const pcopy_syncs[] = { "full", "data", "none", NULL };

/* fsync(2) and not fdatasync(2), because the mode and the times must reach the medium, too. A file
 * that is not stored has no sync and gives EINVAL (fsync(2)). The descriptor of a directory that
 * may not be read is O_PATH and gives EBADF. Then the whole file system is synced. */
static int sync_fd(const struct target *target, int fd, int full)
{
	int error;

	do
		error = full ? fsync(fd) : fdatasync(fd);
	while (error < 0 && errno == EINTR);
	if (error < 0 && errno == EBADF && fd == target->dir)
		error = syncfs(target->fd);
	return error < 0 && errno != EINVAL && errno != EROFS ? -1 : 0;
}

static int sync_failed(const struct target *target)
{
	bb_perror_msg("can't bring '%s' to the medium", target->name);
	return EXIT_FAILURE;
}

static int sync_file(const struct target *target, int full)
{
	return sync_fd(target, target->fd, full) == 0 ? 0 : sync_failed(target);
}

static int sync_name(const struct target *target)
{
	if (sync_fd(target, target->dir, 1) == 0)
		return 0;
	bb_perror_msg("can't bring the directory of '%s' to the medium", target->name);
	return EXIT_FAILURE;
}

static int no_longer(struct copy *copy, int status)
{
	copy->pending = 0;
	return status;
}

static int is_io_error(void)
{
	return errno == EIO || errno == ENOSPC || errno == EDQUOT;
}

/* Brings the bytes of each file to the medium. The kernel reports an error only once, so a later
 * fsync(2) would not report it again. Returns -1 if this kernel cannot do this. */
static int sync_bytes(struct copy *copies[], int n)
{
	enum { WAIT = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE
		| SYNC_FILE_RANGE_WAIT_AFTER };
	int worst = 0;

	for (int i = 0; i < n; i++) {
		if (!copies[i]->pending || sync_file_range(copies[i]->target.fd, 0, 0, WAIT) == 0)
			continue;
		if (!is_io_error())
			return -1;
		worst = no_longer(copies[i], sync_failed(&copies[i]->target));
	}
	return worst;
}

/* Many files go to the medium together: first their bytes, then everything else of their file
 * system. Returns -1 if this kernel cannot do this. */
static int sync_together(struct copy *copies[], int n)
{
	int worst = sync_bytes(copies, n);

	if (worst < 0 || syncfs(copies[0]->target.fd) == 0)
		return worst;
	if (!is_io_error())
		return -1;
	for (int i = 0; i < n; i++)
		if (copies[i]->pending)
			worst = no_longer(copies[i], sync_failed(&copies[i]->target));
	return worst;
}

static int share_file_system(struct copy *copies[], int n)
{
	struct stat st, first = { 0 };

	for (int i = 0; i < n; i++) {
		if (!copies[i]->pending)
			continue;
		if (copies[i]->target.dir == AT_FDCWD || fstat(copies[i]->target.dir, &st) < 0
		    || (first.st_mode && first.st_dev != st.st_dev))
			return 0;
		first = st;
	}
	return first.st_mode != 0;
}

static int sync_all(struct copy *copies[], int n)
{
	const struct request *request = copies[0]->request;
	int worst = -1, status;

	if (request->sync == SYNC_NONE && !asked(request, 'y'))
		return 0;
	if (n > 1 && share_file_system(copies, n))
		worst = sync_together(copies, n);
	if (worst >= 0)
		return worst;
	worst = 0;
	for (int i = 0; i < n; i++) {
		status = copies[i]->pending
			? sync_file(&copies[i]->target, request->sync == SYNC_FULL) : 0;
		if (status)
			worst = no_longer(copies[i], status);
	}
	return worst;
}

/* Gives the file a new name. renameat2(2) needs Linux 3.15 and support by the file system. link(2)
 * does not replace a file either. On a file system without both, a file that another process makes
 * in between is replaced. */
static int rename_new(const struct target *target)
{
	int dir = target->dir;

	if (!target->written)
		return pcopy_link_target(target, target->base);
	if (syscall(SYS_renameat2, dir, target->written, dir, target->base, MY_RENAME_NOREPLACE)
		== 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EPERM)
		return -1;
	if (linkat(dir, target->written, dir, target->base, 0) == 0)
		return unlinkat(dir, target->written, 0);
	if (errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP)
		return -1;
	return renameat(dir, target->written, dir, target->base);
}

/* rename(2) replaces a file, but link(2) does not. So a file without a name gets a temporary
 * name. */
static int give_name(struct target *target)
{
	enum { TRIES = 100 };

	for (int i = 0; i < TRIES; i++) {
		char *name = pcopy_temporary_name(target, i);

		if (pcopy_link_target(target, name) == 0) {
			target->written = name;
			pcopy_doom(target, NULL);
			return 0;
		}
		free(name);
		if (errno != EEXIST)
			break;
	}
	return -1;
}

static int not_now(const struct target *target, const char *what)
{
	bb_error_msg("'%s' %s while it was copied", target->name, what);
	return EXIT_NOT_NOW;
}

/* Checks that this name leads to the file that pcopy wrote. */
static int check_ours(const struct target *target, const char *name, const char *what)
{
	struct stat ours, named;

	if (fstat(target->fd, &ours) == 0
	    && fstatat(target->dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0
	    && same_inode(&ours, &named))
		return 0;
	return not_now(target, what);
}

static int check_temporary(const struct target *target)
{
	return check_ours(target, target->written, "lost its temporary file to another process");
}

/* Checks that DST is still the file that was examined, and that the file which replaces DST is the
 * one that pcopy wrote. */
static int check_names(const struct target *target)
{
	struct stat now;

	if (fstatat(target->dir, target->base, &now, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return not_now(target, "was removed by another process");
		return pcopy_cannot("examine", target->name);
	}
	if (!same_inode(&now, &target->old))
		return not_now(target, "was replaced by another process");
	return check_temporary(target);
}

static int replace(struct copy *copy)
{
	struct target *target = &copy->target;
	int status;

	if (!target->written && give_name(target) < 0) {
		bb_perror_msg("can't link the temporary file of '%s'", target->name);
		return EXIT_FAILURE;
	}
	status = check_names(target);
	if (status)
		return status;
	if (target->old.st_nlink > 1 && asked(copy->request, 'v'))
		bb_error_msg("'%s' has other hard links: they keep the old content", target->name);
	if (renameat(target->dir, target->written, target->dir, target->base) == 0)
		return 0;
	bb_perror_msg("can't rename the temporary file to '%s'", target->name);
	return EXIT_FAILURE;
}

static int make_name(const struct copy *copy)
{
	const struct target *target = &copy->target;
	int status = target->written ? check_temporary(target) : 0;

	if (status || rename_new(target) == 0)
		return status;
	if (errno == EEXIST && !asked(copy->request, 'n'))
		return not_now(target, "was made by another process");
	if (errno == EEXIST)
		bb_error_msg("'%s' exists", target->name);
	else
		bb_perror_msg("can't rename the temporary file to '%s'", target->name);
	return EXIT_FAILURE;
}

/* Another process can put its own file under a name after the name was checked, so what has become
 * DST is checked again. */
static int take_name(struct copy *copy)
{
	struct target *target = &copy->target;
	int is_renamed = target->dir != AT_FDCWD && target->written != target->base, status = 0;

	if (is_renamed)
		status = target->old.st_mode ? replace(copy) : make_name(copy);
	if (status)
		return status;
	pcopy_spare(target);
	if (target->dir != AT_FDCWD)
		status = check_ours(target, target->base, "was replaced by another process");
	if (is_renamed && copy->request->place == REPLACE)
		pcopy_remove_resumed(target);
	return status;
}

static int is_same_directory(const struct target *a, const struct target *b)
{
	struct stat st[2];

	return fstat(a->dir, &st[0]) == 0 && fstat(b->dir, &st[1]) == 0
	       && same_inode(&st[0], &st[1]);
}

static int sync_directories(struct copy *copies[], int n)
{
	const struct target *synced = NULL;
	int worst = 0, status;

	for (int i = 0; i < n; i++) {
		const struct target *target = &copies[i]->target;

		if (!copies[i]->pending || target->dir == AT_FDCWD
		    || (synced && is_same_directory(synced, target)))
			continue;
		synced = target;
		status = sync_name(target);
		if (status)
			worst = no_longer(copies[i], status);
	}
	return worst;
}

static int verify_and_commit(struct copy *copy)
{
	int status = asked(copy->request, 'y') ? pcopy_verify(copy) : 0;

	pcopy_check_signals(copy);
	return status ? status : take_name(copy);
}

int pcopy_commit(struct copy *copies[], int n)
{
	int worst = sync_all(copies, n), status;

	for (int i = 0; i < n; i++) {
		status = copies[i]->pending ? verify_and_commit(copies[i]) : 0;
		if (status)
			worst = no_longer(copies[i], status);
	}
	status = copies[0]->request->sync == SYNC_FULL ? sync_directories(copies, n) : 0;
	return status ? status : worst;
}
