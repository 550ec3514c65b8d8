/*
 * commit.c - bring copies to the medium, and give them their names
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/syscall.h>
#include "pcopy.h"

enum { MY_RENAME_NOREPLACE = 1 }; /* musl has no name for this flag of rename(2). */

const char *const pcopy_syncs[] = { "full", "data", "none", NULL };

static int is_io_error(void)
{
	return errno == EIO || errno == ENOSPC || errno == EDQUOT;
}

/* SYNC_DATA need not bring the mode and the times to the medium (fdatasync(2)). SYNC_NONE makes
 * no sync, but a file system such as NFS can report at a close(2) that it has lost bytes. A special
 * file cannot be synced, so EINVAL and EROFS are no errors (fsync(2)). If pcopy may not read the
 * directory, its descriptor is O_PATH, and fsync(2) fails with EBADF (open(2)). Then the whole file
 * system is synced. */
static int sync_fd(const struct copy *copy, int fd, enum sync how)
{
	const struct target *target = &copy->target;
	int error;

	if (how == SYNC_NONE)
		return close(dup(fd)) < 0 && errno != EBADF && errno != EINTR ? -1 : 0;
	do
		error = how == SYNC_FULL ? fsync(fd) : fdatasync(fd);
	while (error < 0 && errno == EINTR);
	if (error < 0 && errno == EBADF && fd == target->dir)
		error = syncfs(target->fd);
	return error < 0 && errno != EINVAL && errno != EROFS ? -1 : 0;
}

static int sync_failed(const char *what, const struct target *target)
{
	bb_perror_msg("can't bring %s'%s' to the medium", what, target->name);
	return EXIT_FAILURE;
}

static int sync_name(const struct copy *copy)
{
	return sync_fd(copy, copy->target.dir, SYNC_FULL) == 0
		? 0 : sync_failed("the name ", &copy->target);
}

static int no_longer(struct copy *copy, int status)
{
	copy->pending = 0;
	return status;
}

/* Brings many files to the medium together, by one syncfs(2). This waits less often than an
 * fsync(2) for each file. Returns -1 if this kernel cannot do this.
 * syncfs(2) reports an error only since Linux 5.8, and not for which file. So sync_file_range(2)
 * finds out whether the bytes of each file have reached the medium. What it reports is final: the
 * kernel reports an error only once to each descriptor (its Documentation/core-api/errseq.rst), so
 * fsync(2) would not report it again. */
static int sync_together(struct copy *copies[], int n, int fd)
{
	enum { WAIT = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE
		| SYNC_FILE_RANGE_WAIT_AFTER };
	int failed = syncfs(fd), worst = 0;

	for (int i = 0; i < n; i++) {
		if (!copies[i]->pending
		    || (!failed && sync_file_range(copies[i]->target.fd, 0, 0, WAIT) == 0))
			continue;
		if (!worst && !is_io_error())
			return -1;
		worst = no_longer(copies[i], sync_failed("", &copies[i]->target));
	}
	return worst;
}

/* If all files are on one file system, one syncfs(2) is enough. Then this function returns the
 * descriptor of one of them, else -1. */
static int find_shared(struct copy *copies[], int n)
{
	const struct target *first = NULL;

	for (int i = 0; i < n; i++) {
		const struct target *target = &copies[i]->target;

		if (!copies[i]->pending)
			continue;
		if (target->dir == AT_FDCWD
		    || (first && first->parent.st_dev != target->parent.st_dev))
			return -1;
		first = target;
	}
	return first ? first->fd : -1;
}

static int sync_all(struct copy *copies[], int n)
{
	const struct request *request = copies[0]->request;
	enum sync how = request->sync;
	int worst = -1;

	if (how == SYNC_NONE && asked(request, 'y'))
		how = SYNC_DATA;
	if (how != SYNC_NONE && n > 1)
		worst = sync_together(copies, n, find_shared(copies, n));
	if (worst >= 0)
		return worst;
	worst = 0;
	for (int i = 0; i < n; i++)
		if (copies[i]->pending && sync_fd(copies[i], copies[i]->target.fd, how) < 0)
			worst = no_longer(copies[i], sync_failed("", &copies[i]->target));
	return worst;
}

/* Gives the file a new name, but does not replace a file that another process has made.
 * renameat2(2) needs Linux 3.15 and a file system that supports the flag (rename(2)). Otherwise
 * link(2) is called, which does not replace a file either. If the file system has no hard links,
 * rename(2) is called. It replaces a file that another process makes at this moment. */
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

/* Gives a temporary name to a file without a name. To replace DST, the file needs a name: rename(2)
 * replaces a file, but link(2) fails with EEXIST. */
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
	bb_error_msg("'%s' %s another process while it was copied", target->name, what);
	return EXIT_NOT_NOW;
}

/* Checks that name leads to the file that pcopy wrote. If it does not, the message says what has
 * happened to DST. */
static int check_ours(const struct target *target, const char *name, const char *what)
{
	struct stat ours, named;

	if (fstat(target->fd, &ours) == 0
	    && pcopy_stat_name(target->dir, name, &named) == 0
	    && same_inode(&ours, &named))
		return 0;
	return not_now(target, what);
}

static int check_temporary(const struct target *target)
{
	return check_ours(target, target->written, "lost its temporary file to");
}

/* Checks that DST is still the file that was examined, and that the file that will replace it is
 * the one that pcopy wrote. */
static int check_names(const struct target *target)
{
	struct stat now;

	if (pcopy_stat_name(target->dir, target->base, &now) < 0) {
		if (errno == ENOENT)
			return not_now(target, "was removed by");
		return pcopy_cannot("examine", target->name);
	}
	if (!same_inode(&now, &target->old))
		return not_now(target, "was replaced by");
	return check_temporary(target);
}

static int replace(struct copy *copy)
{
	struct target *target = &copy->target;
	int status;

	if (!target->written && give_name(target) < 0)
		return pcopy_cannot("link the temporary file of", target->name);
	status = check_names(target);
	if (status)
		return status;
	if (target->old.st_nlink > 1 && asked(copy->request, 'v'))
		bb_error_msg("'%s' has other hard links: they keep the old content", target->name);
	if (renameat(target->dir, target->written, target->dir, target->base) == 0)
		return 0;
	return pcopy_cannot("rename the temporary file to", target->name);
}

static int make_name(const struct copy *copy)
{
	const struct target *target = &copy->target;
	int status = target->written ? check_temporary(target) : 0;

	if (status || rename_new(target) == 0)
		return status;
	if (errno == EEXIST && !asked(copy->request, 'n'))
		return not_now(target, "was made by");
	if (errno != EEXIST)
		return pcopy_cannot("rename the temporary file to", target->name);
	bb_error_msg("'%s' exists", target->name);
	return EXIT_FAILURE;
}

/* Gives the copy the name DST. Another process can put its own file under a name after pcopy has
 * checked the name, so DST is checked again after the rename. */
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
		status = check_ours(target, target->base, "was replaced by");
	if (is_renamed && copy->request->place == REPLACE)
		pcopy_remove_resumed(target);
	return status;
}

static int sync_directories(struct copy *copies[], int n)
{
	const struct target *synced = NULL;
	int worst = 0, status;

	for (int i = 0; i < n; i++) {
		const struct target *target = &copies[i]->target;

		if (!copies[i]->pending || target->dir == AT_FDCWD
		    || (synced && same_inode(&synced->parent, &target->parent)))
			continue;
		synced = target;
		status = sync_name(copies[i]);
		if (status)
			worst = no_longer(copies[i], status);
	}
	return worst;
}

static int verify_and_commit(struct copy *copy)
{
	int status = asked(copy->request, 'y') ? pcopy_verify(copy) : 0;

	pcopy_hold_signals();
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
	pcopy_let_signals();
	status = copies[0]->request->sync == SYNC_FULL ? sync_directories(copies, n) : 0;
	return status ? status : worst;
}
