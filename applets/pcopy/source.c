/*
 * source.c - SRC: what it is, and whether it is still the same after the copy
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

int pcopy_cannot(const char *verb, const char *name)
{
	bb_perror_msg("can't %s '%s'", verb, name);
	return EXIT_FAILURE;
}

enum { REFUSED = -2 };

/* Returns a descriptor, -1 with errno, or REFUSED after a message about a stranger's link. A path
 * without links is opened at once. Otherwise the walk finds the directory of SRC, and there
 * O_NOFOLLOW lets no link take the place of SRC. Only if SRC is a link in /proc, the kernel follows
 * it. */
static int open_source(const char *name)
{
	const int flags = O_RDONLY | O_CLOEXEC;
	struct bb_walk w = { .path = name };
	int fd = bb_open_without_links(name, flags), place;

	if (fd >= 0)
		return fd;
	place = bb_walk(&w, name);
	if (!w.works) /* This kernel has no O_PATH. */
		return openat(AT_FDCWD, name, flags);
	if (place >= 0) {
		fd = openat(w.dir, w.name, flags | (w.is_magic ? 0 : O_NOFOLLOW));
		close(place);
	}
	if (w.dir >= 0)
		close(w.dir);
	return w.is_refused ? REFUSED : fd;
}

int pcopy_open_source(struct copy *copy, const char *name)
{
	struct source *source = &copy->source;

	source->name = name;
	if (strcmp(name, "-") == 0) {
		source->name = "standard input";
		source->fd = STDIN_FILENO;
	} else {
		source->fd = open_source(name);
	}
	if (source->fd < 0)
		return source->fd == REFUSED ? EXIT_FAILURE : pcopy_cannot("open", name);
	if (fstat(source->fd, &source->st) < 0)
		return pcopy_cannot("read", source->name);
	if (source->fd == STDIN_FILENO)
		return 0;
	if (S_ISDIR(source->st.st_mode)) {
		bb_error_msg("'%s' is a directory: pcopy copies files", source->name);
		return EXIT_FAILURE;
	}
	if (S_ISREG(source->st.st_mode))
		source->size = source->st.st_size;
	else if (S_ISBLK(source->st.st_mode))
		source->size = lseek(source->fd, 0, SEEK_END);
	if (source->size < 0)
		return pcopy_cannot("find the size of", source->name);
	return 0;
}

static int same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* A new mode, owner, link or name changes st_ctime, but not the content, so st_mtim is compared. A
 * file of /proc has no size, and its content is made as it is read, so its time does not count. */
int pcopy_check_source(const struct copy *copy)
{
	const struct source *source = &copy->source;
	int growing = copy->request->growing;
	struct stat now;

	if (!S_ISREG(source->st.st_mode))
		return 0;
	if (fstat(source->fd, &now) < 0)
		return pcopy_cannot("examine", source->name);
	if (growing ? now.st_size >= source->st.st_size
		    : now.st_size == source->st.st_size
			&& (now.st_size == 0 || same_time(&now.st_mtim, &source->st.st_mtim)))
		return 0;
	bb_error_msg("'%s' changed while it was copied%s", source->name,
		now.st_size > source->st.st_size && !growing ? " (--growing allows growth)" : "");
	return EXIT_STALE;
}
