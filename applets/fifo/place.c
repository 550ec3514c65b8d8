/*
 * place.c - the FIFO that a name means: found without following a stranger's link, then opened
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/statfs.h>
#include "fifo.h"
#include "wait.h"

/* In a directory that others can write to, a stranger can put his own file or link where ours is
 * awaited. The rule is that of fs.protected_fifos, protected_symlinks and protected_hardlinks
 * (proc_sys_fs(5)), which may be off: what belongs to us or to the directory's owner is trusted.
 * The name is walked directory by directory, with descriptors that read and write nothing
 * (open(2), O_PATH). Then the FIFO is opened through the last of them, so that nobody can put
 * another file in its place between the look and the open. */

enum { MOST_LINKS = 40 /* as path_resolution(7) */, PROC_MAGIC = 0x9fa0 /* statfs(2) */ };

struct walk {
	const char *path;
	int dir;		/* where the rest of the path begins */
	int works;		/* this kernel has O_PATH */
	struct stat parent;	/* of the directory of the last step */
	int links;
	char rest[2 * PATH_MAX];
};

static int is_strange(const struct stat *st, const struct stat *parent)
{
	return parent->st_mode & (S_IWGRP | S_IWOTH) && st->st_uid != geteuid()
		&& st->st_uid != parent->st_uid;
}

static void refuse_owner(const struct walk *w, const struct stat *st, const char *what)
{
	if (is_strange(st, &w->parent))
		bb_error_msg_and_die("can't open '%s': %s belongs to user %u, in a directory that "
			"others can write to", w->path, what, (unsigned)st->st_uid);
}

static int look_up(int dir, const char *name, int flags)
{
	return openat(dir, name, O_PATH | O_CLOEXEC | flags);
}

static void go_to(struct walk *w, int dir)
{
	close(w->dir);
	w->dir = dir;
}

static void begin(struct walk *w, const char *path)
{
	scnprintf(w->rest, sizeof(w->rest), "%s", path);
	w->dir = look_up(AT_FDCWD, *path == '/' ? "/" : ".", 0);
	w->works = w->dir >= 0;
}

/* Puts the link's target before the rest. The links of /proc have no text that could be followed
 * (proc_pid_fd(5)). Returns where the new rest begins, or -1. */
static int follow(struct walk *w, int link, const char *name, const char *rest)
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
		return look_up(w->dir, name, 0);
	return look_up(*text == '/' ? AT_FDCWD : w->dir, *text == '/' ? "/" : ".", 0);
}

/* Goes on to the next name in the rest of the path. A '/' at the end says that the name is that of
 * a directory. Returns what the name means, or -1. */
static int step(struct walk *w)
{
	const char *start = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(start, "/");
	char name[NAME_MAX + 2]; /* One character too many gives ENAMETOOLONG. */
	struct stat st;
	int fd, link;

	scnprintf(name, sizeof(name), "%.*s", len ? (int)len : 1, len ? start : ".");
	fd = look_up(w->dir, name, O_NOFOLLOW);
	if (fd < 0 || fstat(w->dir, &w->parent) < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISLNK(st.st_mode)) {
		memmove(w->rest, start + len, strlen(start + len) + 1);
		return fd;
	}
	refuse_owner(w, &st, "a link on its way");
	link = fd;
	fd = follow(w, link, name, start + len);
	close(link);
	return fd;
}

/* Returns a descriptor of what the path means, or -1. */
static int find(struct walk *w, const char *path)
{
	int fd = 0;

	begin(w, path);
	if (!w->works)
		return -1;
	while (*w->rest && fd >= 0) {
		fd = step(w);
		if (fd >= 0)
			go_to(w, fd);
	}
	if (fd < 0)
		close(w->dir);
	return fd < 0 ? -1 : w->dir;
}

/* Returns true if the name exists, and sets f->found and f->place. */
static int find_place(struct fifo *f, struct walk *w)
{
	if (f->place >= 0)
		close(f->place);
	f->place = find(w, f->path);
	if (f->place >= 0 && fstat(f->place, &f->found) == 0)
		return 1;
	f->found = (struct stat){ 0 };
	return !w->works && stat(fifo_directory(f->path), &w->parent) == 0
		&& stat(f->path, &f->found) == 0;
}

/* A FIFO of a stranger may be read if nobody asked for making it. */
int fifo_open(struct fifo *f, int flags)
{
	struct walk w = { .path = f->path };
	int fd = -1;

	if (find_place(f, &w)) {
		if (!S_ISFIFO(f->found.st_mode))
			bb_error_msg_and_die("'%s' is not a FIFO", f->path);
		if (flags != O_RDONLY || f->asked.mode >= 0)
			refuse_owner(&w, &f->found, "it");
		f->known = 1;
		fd = fifo_reopen(f, flags | O_NONBLOCK);
	}
	if (fd < 0 && errno != ENXIO && ((errno != ENOENT && errno != ENOTDIR) || !f->known))
		bb_perror_msg_and_die(
			"can't open '%s'%s", f->path,
			errno == ENOENT && f->asked.mode < 0 ? " (--create makes it)" : "");
	return fd;
}

int fifo_reopen(const struct fifo *f, int flags)
{
	char name[40];
	struct stat st;
	int fd;

	scnprintf(name, sizeof(name), "/proc/self/fd/%d", f->place);
	fd = f->place < 0 ? -1 : open(name, flags | O_CLOEXEC);
	if (fd >= 0 || (f->place >= 0 && errno == ENXIO))
		return fd;
	fd = open(f->path, flags | O_CLOEXEC); /* There is no /proc. */
	if (fd >= 0 && (fstat(fd, &st) < 0 || !same_inode(&st, &f->found))) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

/* The FIFO is made in a directory that no stranger's link leads to. As with mkfifo -m, the umask
 * does not count. */
void fifo_create(struct fifo *f)
{
	const char *slash = strrchr(f->path, '/'), *base = slash ? slash + 1 : f->path;
	struct walk w = { .path = f->path };
	struct stat st;
	mode_t mask;
	int dir, made;

	if (f->asked.mode < 0)
		return;
	dir = find(&w, fifo_directory(f->path));
	if (dir < 0) {
		dir = AT_FDCWD;
		base = f->path;
	}
	mask = umask(0);
	made = mkfifoat(dir, base, f->asked.mode) == 0;
	umask(mask);
	if (!made && errno != EEXIST)
		bb_perror_msg_and_die("can't make the FIFO '%s'", f->path);
	if (!made || !f->asked.unlink)
		return;
	if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		bb_perror_msg("can't look at '%s'", f->path);
		unlinkat(dir, base, 0); /* It was just made, and cannot be recognized later. */
		exit(EXIT_FAILURE);
	}
	if (dir >= 0 && fstat(dir, &w.parent) == 0)
		refuse_owner(&w, &st, "it"); /* Somebody has put it in the place of ours. */
	fifo_remove_at_end(dir, base, &st);
}
