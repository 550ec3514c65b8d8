/*
 * walk.c - find what a path means, without following a stranger's link
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/statfs.h>
#include "libbb.h"

/* In a directory that others can write to, a stranger can put his own file or link where ours is
 * awaited. The rule is that of fs.protected_fifos, protected_symlinks and protected_hardlinks
 * (proc_sys_fs(5)), which may be off: what belongs to us or to the directory's owner is trusted.
 * The name is walked directory by directory, with descriptors that read and write nothing
 * (open(2), O_PATH). The file is opened through the last of them, so that nobody can put another
 * file in its place between the look and the open. */

enum { MOST_LINKS = 40 /* as path_resolution(7) */, PROC_MAGIC = 0x9fa0 /* statfs(2) */ };

int bb_is_strange(const struct stat *st, const struct stat *parent)
{
	return parent->st_mode & (S_IWGRP | S_IWOTH) && st->st_uid != geteuid()
		&& st->st_uid != parent->st_uid;
}

void bb_refuse_owner(const struct bb_walk *w, const struct stat *st, const char *what)
{
	if (bb_is_strange(st, &w->parent))
		bb_error_msg_and_die("can't open '%s': %s belongs to user %u, in a directory that "
			"others can write to", w->path, what, (unsigned)st->st_uid);
}

static int open_place(int dir, const char *name, int flags)
{
	return openat(dir, name, O_PATH | O_CLOEXEC | flags);
}

static void go_to(struct bb_walk *w, int dir)
{
	close(w->dir);
	w->dir = dir;
}

static void begin(struct bb_walk *w, const char *path)
{
	scnprintf(w->rest, sizeof(w->rest), "%s", path);
	w->dir = open_place(AT_FDCWD, *path == '/' ? "/" : ".", 0);
	w->works = w->dir >= 0;
}

/* Puts the link's target before the rest. The text of a link in /proc is no path that could be
 * followed (proc_pid_fd(5)), so the kernel follows such a link. Returns where the new rest begins,
 * or -1. */
static int follow(struct bb_walk *w, int link, const char *name, const char *rest)
{
	char text[sizeof(w->rest)];
	struct statfs fs;
	ssize_t len = 0;
	int is_magic = fstatfs(link, &fs) == 0 && fs.f_type == PROC_MAGIC;

	if (!is_magic)
		len = readlinkat(link, "", text, sizeof(text));
	if (len < 0)
		return -1;
	if (++w->links > MOST_LINKS || len + strlen(rest) >= sizeof(text)) {
		errno = ELOOP;
		return -1;
	}
	strcpy(text + len, rest);
	strcpy(w->rest, text);
	if (is_magic)
		return open_place(w->dir, name, 0);
	return open_place(*text == '/' ? AT_FDCWD : w->dir, *text == '/' ? "/" : ".", 0);
}

/* Goes on to the next name in the rest of the path. A '/' at the end says that the name is that of
 * a directory. Returns what the name means, or -1. */
static int step(struct bb_walk *w)
{
	const char *start = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(start, "/");
	char name[NAME_MAX + 2]; /* One character too many gives ENAMETOOLONG. */
	struct stat st;
	int fd, link;

	scnprintf(name, sizeof(name), "%.*s", len ? (int)len : 1, len ? start : ".");
	fd = open_place(w->dir, name, O_NOFOLLOW);
	if (fd < 0 || fstat(w->dir, &w->parent) < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISLNK(st.st_mode)) {
		memmove(w->rest, start + len, strlen(start + len) + 1);
		return fd;
	}
	bb_refuse_owner(w, &st, "a link on its way");
	link = fd;
	fd = follow(w, link, name, start + len);
	close(link);
	return fd;
}

int bb_find(struct bb_walk *w, const char *path)
{
	int fd = 0;

	begin(w, path);
	if (!w->works)
		return -1;
	if (!*path) { /* path_resolution(7), "Empty pathname" */
		close(w->dir);
		errno = ENOENT;
		return -1;
	}
	while (*w->rest && fd >= 0) {
		fd = step(w);
		if (fd >= 0)
			go_to(w, fd);
	}
	if (fd < 0)
		close(w->dir);
	return fd < 0 ? -1 : w->dir;
}
