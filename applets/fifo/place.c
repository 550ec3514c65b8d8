/*
 * place.c - the FIFO that a name means: found without following a stranger's link, then opened
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifo.h"
#include "wait.h"

/* Returns true if the name exists, and sets f->place.found and f->place.fd. If the kernel has no
 * O_PATH, f->place.fd is -1. */
static int find_place(struct fifo *f, struct bb_walk *w)
{
	if (f->place.fd >= 0)
		close(f->place.fd);
	f->place.fd = bb_find(w, f->path);
	if (f->place.fd >= 0 && fstat(f->place.fd, &f->place.found) == 0)
		return 1;
	f->place.found = (struct stat){ 0 };
	return !w->works && stat(fifo_directory(f->path), &w->parent) == 0
		&& stat(f->path, &f->place.found) == 0;
}

/* A stranger's FIFO may be read, unless --create was given. One with a second name may not: he may
 * have linked a FIFO of ours, whose messages are for another reader. */
int fifo_open(struct fifo *f, int flags)
{
	struct bb_walk w = { .path = f->path };
	int fd = -1;

	if (find_place(f, &w)) {
		if (!S_ISFIFO(f->place.found.st_mode))
			bb_error_msg_and_die("'%s' is not a FIFO", f->path);
		if (flags != O_RDONLY || f->asked.mode >= 0 || f->place.found.st_nlink > 1)
			bb_refuse_owner(&w, &f->place.found, "it");
		f->place.known = 1;
		fd = fifo_reopen(f, flags | O_NONBLOCK);
	}
	if (fd < 0 && errno != ENXIO && ((errno != ENOENT && errno != ENOTDIR) || !f->place.known))
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

	scnprintf(name, sizeof(name), "/proc/self/fd/%d", f->place.fd);
	fd = f->place.fd < 0 ? -1 : open(name, flags | O_CLOEXEC);
	if (fd >= 0 || (f->place.fd >= 0 && errno == ENXIO))
		return fd;
	fd = open(f->path, flags | O_CLOEXEC); /* There is no /proc or no O_PATH. */
	if (fd < 0)
		return -1;
	errno = ENOENT; /* unless fstat(2) fails */
	if (fstat(fd, &st) == 0 && same_inode(&st, &f->place.found))
		return fd;
	close(fd);
	return -1;
}

/* The FIFO is made in a directory that no stranger's link leads to. As with mkfifo -m, the umask
 * does not count. */
void fifo_create(struct fifo *f)
{
	const char *slash = strrchr(f->path, '/'), *base = slash ? slash + 1 : f->path;
	struct bb_walk w = { .path = f->path };
	struct stat st;
	mode_t mask;
	int dir, made;

	if (f->asked.mode < 0)
		return;
	dir = bb_find(&w, fifo_directory(f->path));
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
		unlinkat(dir, base, 0); /* This FIFO cannot be recognized later. */
		exit(EXIT_FAILURE);
	}
	if (dir >= 0 && fstat(dir, &w.parent) == 0)
		bb_refuse_owner(&w, &st, "it"); /* Somebody may have replaced our FIFO. */
	fifo_remove_at_end(dir, base, &st);
}
