/*
 * walk.c - find what a path means, without following a stranger's link
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/statfs.h>
#include <sys/syscall.h>
#include "libbb.h"

#ifndef SYS_openat2
#define SYS_openat2 -1 /* The C library is older than Linux 5.6. */
#endif

/* In a directory that others can write to, a stranger can put a file or a link where ours is
 * awaited. The rule is that of fs.protected_fifos, protected_regular and protected_symlinks
 * (proc_sys_fs(5)), which may be off: what belongs to us or to the directory's owner is trusted.
 * The name is walked directory by directory, with descriptors that read and write nothing (O_PATH
 * in open(2)). The file is opened through the last of them, so that nobody can put another file in
 * its place between the look and the open.
 * Where a stranger can write he can also give a second name to a file, a FIFO or a link of ours
 * (link(2)), unless fs.protected_hardlinks is set. Then what we mean to write would change the file
 * that has the other name. */

enum { MOST_LINKS = 40 /* as in path_resolution(7) */, PROC_MAGIC = 0x9fa0 /* statfs(2) */ };

/* Root and this user are no strangers, and the owner of a file may link it. */
static int stranger_owns(const struct stat *parent, const struct stat *st)
{
	return parent->st_uid && parent->st_uid != geteuid() && parent->st_uid != st->st_uid;
}

int bb_refuse_stranger(const char *path, const struct stat *st, const struct stat *parent,
	const char *what)
{
	int shared = parent->st_mode & (S_IWGRP | S_IWOTH);

	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1 && (shared || stranger_owns(parent, st))) {
		bb_error_msg("can't open '%s': %s has %ju hard links, in a directory that others"
			     " can write to: remove this one first", path, what,
			(uintmax_t)st->st_nlink);
		return 1;
	}
	if (!shared || st->st_uid == geteuid() || st->st_uid == parent->st_uid)
		return 0;
	bb_error_msg("can't open '%s': %s belongs to user %u, in a directory that others can write"
		     " to", path, what, (unsigned)st->st_uid);
	return 1;
}

void bb_refuse_owner(const struct bb_walk *w, const struct stat *st, const char *what)
{
	if (bb_refuse_stranger(w->path, st, &w->parent, what))
		exit(xfunc_error_retval);
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

int bb_open_without_links(const char *path, int flags)
{
	struct { uint64_t flags, mode, resolve; } how = { flags, 0, 4 /* RESOLVE_NO_SYMLINKS */ };

	if (!strchr(path, '/'))
		return openat(AT_FDCWD, path, flags | O_NOFOLLOW);
	if (!(flags & O_PATH))
		how.flags |= O_LARGEFILE;
	return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* The walk begins in the directory of the last name if no link leads there, so that one call
 * replaces many steps. Otherwise it begins where the path begins. */
static void begin(struct bb_walk *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash && slash[1] ? slash + 1 - path : 0;

	scnprintf(w->rest, sizeof(w->rest), "%.*s", (int)len, path);
	w->dir = len ? bb_open_without_links(w->rest, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	scnprintf(w->rest, sizeof(w->rest), "%s", w->dir < 0 ? path : path + len);
	if (w->dir < 0)
		w->dir = open_place(AT_FDCWD, *path == '/' ? "/" : ".", 0);
	w->works = w->dir >= 0;
}

/* Puts the link's target before the rest. The text of a link in /proc need not be a path
 * (proc_pid_fd(5)), so the kernel follows such a link. Returns a descriptor of the directory where
 * the new rest begins, or of what the link in /proc leads to, or -1. */
static int follow(struct bb_walk *w, int link)
{
	char text[sizeof(w->rest)];
	struct statfs fs;
	ssize_t len = 0;

	w->is_magic = fstatfs(link, &fs) == 0 && fs.f_type == PROC_MAGIC;
	if (!w->is_magic)
		len = readlinkat(link, "", text, sizeof(text));
	if (len < 0)
		return -1;
	if (++w->links > MOST_LINKS || len + strlen(w->rest) >= sizeof(text)) {
		errno = ELOOP;
		return -1;
	}
	strcpy(text + len, w->rest);
	strcpy(w->rest, text);
	if (w->is_magic)
		return open_place(w->dir, w->name, 0);
	return open_place(*text == '/' ? AT_FDCWD : w->dir, *text == '/' ? "/" : ".", 0);
}

/* Goes on to the next name in the rest of the path. A '/' at the end says that the name is that of
 * a directory. Returns a descriptor of what the name means, or -1. */
static int step(struct bb_walk *w)
{
	const char *start = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(start, "/");
	struct stat st;
	int fd, link;

	scnprintf(w->name, sizeof(w->name), "%.*s", len ? (int)len : 1, len ? start : ".");
	memmove(w->rest, start + len, strlen(start + len) + 1);
	w->is_magic = 0;
	w->works = fstat(w->dir, &w->parent) == 0; /* It works since Linux 3.6 (open(2)). */
	if (!w->works)
		return -1;
	fd = open_place(w->dir, w->name, O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISLNK(st.st_mode))
		return fd;
	w->is_refused = bb_refuse_stranger(w->path, &st, &w->parent, "a link on its way");
	link = fd;
	fd = w->is_refused ? -1 : follow(w, link);
	close(link);
	return fd;
}

int bb_walk(struct bb_walk *w, const char *path)
{
	int fd = -1, is_last = 0;

	w->dir = -1;
	w->works = 1;
	errno = *path ? ENAMETOOLONG : ENOENT; /* path_resolution(7) */
	if (!*path || strlen(path) >= PATH_MAX)
		return -1;
	begin(w, path);
	while (w->works && !is_last) {
		fd = step(w);
		is_last = fd < 0 || !*w->rest;
		if (!is_last)
			go_to(w, fd);
	}
	if (w->dir >= 0 && fd < 0 && (*w->rest || errno != ENOENT || w->is_refused))
		go_to(w, -1);
	return fd;
}

int bb_find(struct bb_walk *w, const char *path)
{
	int fd = bb_walk(w, path);

	if (w->is_refused)
		exit(xfunc_error_retval);
	if (w->dir >= 0)
		close(w->dir);
	return fd;
}
