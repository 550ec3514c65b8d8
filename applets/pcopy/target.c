/*
 * target.c - find DST, its kind and its directory
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

const char *pcopy_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int pcopy_is_directory(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Returns true if a copy would write into the file that it reads. Two device files with the same
 * number are the same disk. A terminal or /dev/null can be both SRC and DST. */
static int is_same(const struct stat *a, const struct stat *b)
{
	if (S_ISBLK(a->st_mode))
		return S_ISBLK(b->st_mode) && a->st_rdev == b->st_rdev;
	return (S_ISREG(a->st_mode) || S_ISFIFO(a->st_mode)) && same_inode(a, b);
}

/* Examines DST, and keeps it open with O_PATH, so that what is opened or asked later is the same
 * file. O_PATH does not open a device (open(2)), so this has no effect on it. If there is no file,
 * st_mode is 0. */
static int stat_target(struct target *target)
{
	const char *name = target->name;
	struct stat link;

	memset(&target->old, 0, sizeof(target->old));
	target->found = open(name, O_PATH | O_CLOEXEC);
	if ((target->found >= 0 && fstat(target->found, &target->old) == 0)
	    || stat(name, &target->old) == 0)
		return 0;
	if (errno != ENOENT)
		return pcopy_cannot("examine", name);
	if (lstat(name, &link) == 0) {
		bb_error_msg("'%s' is a symbolic link to nowhere: remove it first", name);
		return EXIT_FAILURE;
	}
	return 0;
}

int pcopy_reopen(const struct target *target, int flags)
{
	char self[64];
	struct stat st;
	int fd;

	scnprintf(self, sizeof(self), "/proc/self/fd/%d", target->found);
	fd = target->found < 0 ? -1 : open(self, flags | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	/* Without /proc, the name is opened, and by now it can lead to another file. */
	fd = open(target->name, flags | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && !same_inode(&st, &target->old)) {
		close(fd);
		fd = -1;
		errno = ESTALE;
	}
	return fd;
}

/* Checks that the directory still has the DST that was examined, under its name. If DST is
 * /dev/fd/N and that file was deleted, the link in /proc ends with " (deleted)" (proc(5)), and
 * pcopy must not make a new file of that name. */
static int check_found(const struct target *target)
{
	struct stat now, dir;

	if (!target->old.st_mode)
		return 0;
	if (fstatat(target->dir, target->base, &now, AT_SYMLINK_NOFOLLOW) == 0
	    && same_inode(&now, &target->old))
		return fstat(target->dir, &dir) < 0 ? pcopy_cannot("examine", target->name)
			: pcopy_refuse_stranger(target->name, &now, &dir);
	bb_error_msg("'%s' has no name, or has been replaced", target->name);
	return EXIT_FAILURE;
}

/* Divides the path into a directory and a name, and keeps the directory open. The temporary file
 * and DST are then in the same directory, even if another process renames the directory. */
static int open_directory(struct target *target, const char *path)
{
	char *dir;

	target->base = pcopy_base_name(path);
	if (!*target->base) {
		bb_error_msg("'%s' is not a directory", target->name);
		return EXIT_FAILURE;
	}
	dir = xasprintf("%.*s", (int)(target->base - path), path);
	target->dir = open(*dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->dir < 0 && errno == EACCES)
		target->dir = open(*dir ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (target->dir < 0)
		return pcopy_cannot("open the directory of", target->name);
	(void)fstatfs(target->dir, &target->fs); /* If this fails, all is zero. */
	return check_found(target);
}

static int is_seekable(const struct stat *st)
{
	return st->st_mode == 0 || S_ISREG(st->st_mode) || S_ISBLK(st->st_mode);
}

/* Examines DST. If it is a directory, DST becomes the file in it that has the name of SRC. */
static int find_name(struct copy *copy)
{
	struct target *target = &copy->target;
	int status = stat_target(target);

	if (status || !S_ISDIR(target->old.st_mode) || asked(copy->request, 'T'))
		return status;
	if (copy->source.fd == STDIN_FILENO) {
		bb_error_msg("'%s' is a directory, and standard input has no name", target->name);
		return EXIT_FAILURE;
	}
	close(target->found);
	target->name = xasprintf(*pcopy_base_name(target->name) ? "%s/%s" : "%s%s", target->name,
		pcopy_base_name(copy->source.name));
	return stat_target(target);
}

static int check_kind(const struct copy *copy)
{
	const struct request *request = copy->request;
	const struct target *target = &copy->target;

	if (is_same(&copy->source.st, &target->old)) {
		bb_error_msg("'%s' and '%s' are the same file", copy->source.name, target->name);
		return EXIT_FAILURE;
	}
	if (S_ISDIR(target->old.st_mode)) {
		bb_error_msg("'%s' is a directory", target->name);
		return EXIT_FAILURE;
	}
	if (asked(request, 'n') && target->old.st_mode && target->fd != STDOUT_FILENO) {
		bb_error_msg("'%s' exists", target->name);
		return EXIT_FAILURE;
	}
	if (target->seekable
	    || !(asked(request, 'y') || request->place == UPDATE || request->place == RESUME))
		return 0;
	bb_error_msg("can't read '%s' back", target->name);
	return EXIT_UNSUPPORTED;
}

/* Opens a DST that is neither a file nor a disk, such as a FIFO, a terminal or /dev/null. To open a
 * FIFO, pcopy waits for a reader (fifo(7)), so it has not blocked the signals that end it yet. */
static int open_stream(struct target *target, const char *path)
{
	char *dir = xasprintf("%.*s.", (int)(pcopy_base_name(path) - path), path);
	struct stat st;
	int status = S_ISFIFO(target->old.st_mode) && stat(dir, &st) == 0
		? pcopy_refuse_stranger(target->name, &target->old, &st) : 0;

	free(dir);
	if (status)
		return status;
	target->fd = pcopy_reopen(target, O_WRONLY);
	return target->fd < 0 ? pcopy_cannot("open", target->name) : 0;
}

int pcopy_find_target(struct copy *copy, const char *name)
{
	struct target *target = &copy->target;
	char *path = NULL;
	int status;

	target->name = name;
	target->dir = AT_FDCWD;
	target->fd = -1;
	if (strcmp(name, "-") == 0) {
		target->name = "standard output";
		target->fd = STDOUT_FILENO;
		if (fstat(target->fd, &target->old) < 0)
			return pcopy_cannot("write", target->name);
		return check_kind(copy);
	}
	status = find_name(copy);
	if (status)
		return status;
	target->seekable = is_seekable(&target->old);
	status = check_kind(copy);
	if (status)
		return status;
	target->base = target->written = target->name;
	if (target->old.st_mode)
		status = pcopy_check_links(target->name, &target->old, &path);
	if (status)
		return status;
	if (!target->seekable)
		return open_stream(target, path);
	if (S_ISBLK(target->old.st_mode))
		return 0;
	return open_directory(target, path ? path : target->name);
}
