/*
 * links.c - follow links, and refuse those that strangers own
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* Refuses a file or a link that a stranger has put into a directory that others can write to.
 * Otherwise a secret of root would become readable in the stranger's file, or would go where the
 * stranger's link leads. libbb/walk.c has the rule and its source. */
int pcopy_refuse_stranger(const char *name, const struct stat *st, const struct stat *dir)
{
	if (!bb_is_strange(st, dir))
		return 0;
	bb_error_msg("can't use '%s': it belongs to user %u, in a directory that others can write"
		     " to", name, (unsigned)st->st_uid);
	return EXIT_FAILURE;
}

/* This is the state of a walk along the links that a name leads to. */
struct walk {
	char *path;
	int in_proc;	/* true: the last link was in /proc, where a link can lead to a pipe */
};

/* If the path is a link, replaces it by the path to which the link leads, and returns true. The
 * link is read through the descriptor by which its owner was checked, so that no other link can
 * take its place in between. */
static int follow_link(struct walk *walk, int *status)
{
	enum { MY_PROC_SUPER_MAGIC = 0x9fa0 }; /* statfs(2) */
	char *path = walk->path, link[PATH_MAX];
	int len = pcopy_base_name(path) - path, fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char *dir = xasprintf("%.*s.", len, path);
	struct statfs fs;
	struct stat st, parent;
	ssize_t n = -1;

	if (stat(dir, &parent) == 0 && (fd < 0 ? lstat(path, &st) : fstat(fd, &st)) == 0
	    && S_ISLNK(st.st_mode)) {
		*status = pcopy_refuse_stranger(path, &st, &parent);
		n = fd < 0 ? readlink(path, link, sizeof(link))
			   : readlinkat(fd, "", link, sizeof(link));
		walk->in_proc = statfs(dir, &fs) == 0 && fs.f_type == MY_PROC_SUPER_MAGIC;
	}
	if (n >= 0)
		walk->path = xasprintf("%.*s%.*s", *link == '/' ? 0 : len, path, (int)n, link);
	if (n >= 0)
		free(path);
	free(dir);
	close(fd);
	return n >= 0 && !*status;
}

int pcopy_check_links(const char *name, const struct stat *st, char **end)
{
	enum { MAX_LINKS = 40 }; /* path_resolution(7) */
	struct walk walk = { .path = xasprintf("%s", name) };
	int status = 0, i = 0;
	struct stat now;

	while (i < MAX_LINKS && follow_link(&walk, &status))
		i++;
	*end = walk.path;
	if (status)
		return status;
	if (lstat(walk.path, &now) == 0 ? same_inode(&now, st) : walk.in_proc)
		return 0;
	bb_error_msg("'%s' has no name, or has been replaced", name);
	return EXIT_FAILURE;
}
