/*
 * target.c - DST: which file it is, of which kind, and in which directory it has its name
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

static int is_same(const struct stat *a, const struct stat *b)
{
	if (S_ISBLK(a->st_mode))
		return S_ISBLK(b->st_mode) && a->st_rdev == b->st_rdev;
	return (S_ISREG(a->st_mode) || S_ISFIFO(a->st_mode)) && same_inode(a, b);
}

/* For a file that does not exist, st is all zeros. The kernel follows the link, because it can
 * refuse a link that another user has put into /tmp (fs.protected_symlinks). */
static int stat_target(const char *name, struct stat *st)
{
	struct stat link;

	if (stat(name, st) == 0)
		return 0;
	if (errno != ENOENT)
		return pcopy_cannot("examine", name);
	if (lstat(name, &link) == 0) {
		bb_error_msg("'%s' is a symbolic link to nowhere: remove it first", name);
		return EXIT_FAILURE;
	}
	memset(st, 0, sizeof(*st));
	return 0;
}

/* Returns the name at the end of all links, because the file there is replaced, and not a link. */
static char *resolve_links(const char *name)
{
	enum { MAX_LINKS = 40 }; /* path_resolution(7) */
	char *path = xasprintf("%s", name), link[PATH_MAX];
	ssize_t len;

	for (int i = 0; i < MAX_LINKS && (len = readlink(path, link, sizeof(link))) >= 0; i++) {
		char *next = xasprintf("%.*s%.*s",
			*link == '/' ? 0 : (int)(pcopy_base_name(path) - path), path,
			(int)len, link);

		free(path);
		path = next;
	}
	return path;
}

/* Refuses a link that has replaced DST since DST was examined. It also refuses to make a new file
 * "x (deleted)", which is what /proc calls a deleted file of /dev/fd/N. */
static int check_found(const struct target *target)
{
	struct stat now;

	if (!target->old.st_mode
	    || (fstatat(target->dir, target->base, &now, AT_SYMLINK_NOFOLLOW) == 0
		    && same_inode(&now, &target->old)))
		return 0;
	bb_error_msg("'%s' has no name, or has been replaced", target->name);
	return EXIT_FAILURE;
}

/* Finds DST's name in its directory, and keeps the directory open. The temporary file and the final
 * file are then in the same place, even if a directory is renamed. */
static int open_directory(struct target *target)
{
	char *path = target->old.st_mode ? resolve_links(target->name)
					 : xasprintf("%s", target->name), *dir;

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
	(void)fstatfs(target->dir, &target->fs); /* The values may stay zero. */
	return check_found(target);
}

static int is_seekable(const struct stat *st)
{
	return st->st_mode == 0 || S_ISREG(st->st_mode) || S_ISBLK(st->st_mode);
}

/* If DST is a directory, the target is the file in it with SRC's name. */
static int find_name(struct copy *copy)
{
	struct target *target = &copy->target;
	int status = stat_target(target->name, &target->old);

	if (status || !S_ISDIR(target->old.st_mode) || asked(copy->request, 'T'))
		return status;
	if (copy->source.fd == STDIN_FILENO) {
		bb_error_msg("'%s' is a directory, and standard input has no name", target->name);
		return EXIT_FAILURE;
	}
	target->name = xasprintf(*pcopy_base_name(target->name) ? "%s/%s" : "%s%s", target->name,
		pcopy_base_name(copy->source.name));
	return stat_target(target->name, &target->old);
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

/* A target that is neither a file nor a disk is written as it is: a FIFO, a terminal, /dev/null.
 * Opening a FIFO may wait for a reader, so no signal that ends pcopy is blocked yet. */
static int open_stream(struct target *target)
{
	target->fd = open(target->name, O_WRONLY | O_CLOEXEC);
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
	if (!target->seekable)
		return open_stream(target);
	return S_ISBLK(target->old.st_mode) ? 0 : open_directory(target);
}
