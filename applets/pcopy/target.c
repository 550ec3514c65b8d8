/*
 * target.c - find DST, its kind and its directory
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

static const char *base_name(const char *path)
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

static const char *self_name(int fd, char self[64])
{
	scnprintf(self, 64, "/proc/self/fd/%d", fd);
	return self;
}

/* Keeps the directory of DST open. The temporary file and DST are then in the same directory, even
 * if another process renames the directory. A directory that pcopy may not read stays O_PATH. */
static int keep_directory(struct target *target, int dir, const char *base)
{
	target->dir = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->dir < 0 && errno == EACCES)
		target->dir = openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target->dir < 0)
		return pcopy_cannot("open the directory of", target->name);
	target->base = xasprintf("%s", base);
	(void)fstatfs(target->dir, &target->fs); /* If this fails, all is zero. */
	return 0;
}

/* Reports, with errno, that the path leads to no file, and to no place for a new file. */
static int leads_nowhere(const struct target *target)
{
	if (errno != ENOENT)
		return pcopy_cannot("examine", target->name);
	if (*base_name(target->name))
		return pcopy_cannot("open the directory of", target->name);
	bb_error_msg(*target->name ? "'%s' is not a directory" : "the name of DST is empty",
		target->name);
	return EXIT_FAILURE;
}

static int is_link_to_nowhere(const struct target *target)
{
	struct stat link;

	if (target->old.st_mode || lstat(target->name, &link) < 0 || !S_ISLNK(link.st_mode))
		return 0;
	bb_error_msg("'%s' is a symbolic link to nowhere: remove it first", target->name);
	return 1;
}

static int is_special(const struct stat *st)
{
	return st->st_mode && !S_ISREG(st->st_mode);
}

/* On a kernel without O_PATH, realpath(3) follows the links, those of strangers, too. */
static int find_by_name(struct target *target)
{
	char *path = realpath(target->name, NULL), *dir;
	int fd, status = 0;

	if ((!path && errno != ENOENT) || (path && stat(path, &target->old) < 0)
	    || !*base_name(target->name))
		return leads_nowhere(target);
	if (is_link_to_nowhere(target))
		return EXIT_FAILURE;
	if (!path)
		path = xasprintf("%s", target->name);
	dir = xasprintf("%.*s.", (int)(base_name(path) - path), path);
	fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &target->parent) < 0)
		return pcopy_cannot("open the directory of", target->name);
	if (!is_special(&target->old))
		status = keep_directory(target, fd, base_name(path));
	close(fd);
	free(dir);
	free(path);
	return status;
}

/* A link in /proc has led to the file, so the file is looked up by the path that the link shows. If
 * the file was deleted, that path ends with " (deleted)" (proc_pid_exe(5)), and pcopy must not make
 * a new file of that name. */
static int find_real_name(struct target *target)
{
	struct bb_walk w = { .path = target->name };
	struct stat st;
	char self[64], path[PATH_MAX];
	ssize_t len = readlink(self_name(target->found, self), path, sizeof(path) - 1);
	int place, is_same, status = EXIT_FAILURE;

	path[len < 0 ? 0 : len] = '\0';
	place = bb_walk(&w, path);
	is_same = place >= 0 && fstat(place, &st) == 0 && same_inode(&st, &target->old);
	target->parent = w.parent;
	if (is_same)
		status = keep_directory(target, w.dir, w.name);
	else if (!w.is_refused)
		bb_error_msg("'%s' has no name, or has been replaced", target->name);
	close(place);
	close(w.dir);
	return status;
}

/* Returns true, after a message, if DST is a standard stream that is closed. In its place main()
 * has put a descriptor of "/" with O_PATH, and /dev/stdout would mean a file in that directory. */
static int is_closed_stream(const struct target *target)
{
	struct stat st;

	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		int flags = fcntl(fd, F_GETFL);

		if (flags < 0 || !(flags & O_PATH) || fstat(fd, &st) < 0
		    || !same_inode(&st, &target->old))
			continue;
		errno = EBADF;
		return pcopy_cannot("write", target->name);
	}
	return 0;
}

/* Examines what the walk has found. The directory of the file is not known yet if a link in /proc
 * has led to the file. */
static int keep_found(struct target *target, const struct bb_walk *w)
{
	if (target->found >= 0 && fstat(target->found, &target->old) < 0)
		return pcopy_cannot("examine", target->name);
	target->parent = w->parent;
	if ((w->links && is_link_to_nowhere(target)) || (w->is_magic && is_closed_stream(target)))
		return EXIT_FAILURE;
	return w->is_magic || is_special(&target->old) ? 0
						       : keep_directory(target, w->dir, w->name);
}

/* Finds DST and its directory. Keeps DST open with O_PATH, so that what is opened or asked later is
 * the same file. O_PATH does not open a device (open(2)), so this has no effect on a device. If
 * there is no file, st_mode is 0. */
static int find_target(struct target *target)
{
	struct bb_walk w = { .path = target->name };
	int status;

	memset(&target->old, 0, sizeof(target->old));
	target->found = bb_walk(&w, target->name);
	if (!w.works)
		return find_by_name(target);
	if (w.is_refused)
		return EXIT_FAILURE;
	if (w.dir < 0)
		return leads_nowhere(target);
	status = keep_found(target, &w);
	close(w.dir);
	return status;
}

int pcopy_stat_name(int dir, const char *name, struct stat *st)
{
	int fd, result = fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW);

	if (result == 0 || errno == ENOENT)
		return result;
	/* A kernel that lacks fstatat(2) can have fstat(2). */
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	result = fd < 0 ? -1 : fstat(fd, st);
	close(fd);
	return result;
}

int pcopy_reopen(const struct target *target, int flags)
{
	char self[64];
	struct stat st;
	int fd;

	fd = target->found < 0 ? -1 : open(self_name(target->found, self), flags | O_CLOEXEC);
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

/* Returns true if each byte has an offset. --compare reads at offsets also from a character device,
 * such as a flash memory. */
static int is_seekable(const struct copy *copy)
{
	mode_t mode = copy->target.old.st_mode;

	return mode == 0 || S_ISREG(mode) || S_ISBLK(mode)
	       || (copy->request->compare && S_ISCHR(mode));
}

/* If DST is a directory, DST becomes the file in it that has the name of SRC. */
static int find_name(struct copy *copy)
{
	struct target *target = &copy->target;
	int status = find_target(target);

	if (status || !S_ISDIR(target->old.st_mode) || asked(copy->request, 'T'))
		return status;
	if (copy->source.fd == STDIN_FILENO) {
		bb_error_msg("'%s' is a directory, and standard input has no name", target->name);
		return EXIT_FAILURE;
	}
	close(target->found);
	target->name = xasprintf(*base_name(target->name) ? "%s/%s" : "%s%s", target->name,
		base_name(copy->source.name));
	return find_target(target);
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
	    || !(asked(request, 'y') || request->place == UPDATE || request->place == RESUME
		    || request->compare))
		return 0;
	bb_error_msg("can't read '%s' back", target->name);
	return EXIT_UNSUPPORTED;
}

/* Opens a DST that is neither a regular file nor a disk, such as a FIFO, a terminal or /dev/null.
 * To open a FIFO, pcopy waits for a reader (fifo(7)). */
static int open_stream(struct target *target)
{
	if (S_ISFIFO(target->old.st_mode)
	    && bb_refuse_stranger(target->name, &target->old, &target->parent, "it"))
		return EXIT_FAILURE;
	target->fd = pcopy_reopen(target, O_WRONLY);
	return target->fd < 0 ? pcopy_cannot("open", target->name) : 0;
}

int pcopy_find_target(struct copy *copy, const char *name)
{
	struct target *target = &copy->target;
	int status;

	target->name = name;
	target->dir = AT_FDCWD;
	target->fd = -1;
	if (strcmp(name, "-") == 0) {
		target->name = "standard output";
		target->fd = STDOUT_FILENO;
		if (fstat(target->fd, &target->old) < 0)
			return pcopy_cannot("write", target->name);
		return is_closed_stream(target) ? EXIT_FAILURE : check_kind(copy);
	}
	status = find_name(copy);
	if (status)
		return status;
	target->seekable = is_seekable(copy);
	status = check_kind(copy);
	if (status)
		return status;
	if (is_special(&target->old))
		target->base = target->written = target->name;
	if (!target->seekable)
		return open_stream(target);
	if (S_ISREG(target->old.st_mode) && target->dir == AT_FDCWD)
		status = find_real_name(target);
	if (status)
		return status;
	if (S_ISREG(target->old.st_mode)
	    && bb_refuse_stranger(target->name, &target->old, &target->parent, "it"))
		return EXIT_FAILURE;
	return 0;
}
