/*
 * file.c - make a board file, and be its one writer
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/file.h>
#include <sys/time.h>
#include "mmapw.h"

/* --- the file -------------------------------------------------------------------------- */

static size_t round_up(size_t size)
{
	return (size + BOARD_ALIGN - 1) & ~(size_t)(BOARD_ALIGN - 1);
}

/* The text with every offset said. */
char *schema_text(const struct schema *s)
{
	char *text = NULL;

	for (uint32_t i = 0; i < s->count; i++) {
		const struct field *f = &s->fields[i];
		char *longer = xasprintf("%s%s%s:%s@%u", text ? text : "", text ? "," : "",
			f->name, f->type, (unsigned)f->offset);

		free(text);
		text = longer;
	}
	return text;
}

void board_seal_header(struct board_header *h)
{
	board_boot_id(h->boot_id);
	h->header_crc = 0;
	h->header_crc = crc32(0, h, offsetof(struct board_header, seq));
}

struct board_header *board_make_header(const struct schema *s, uint32_t nslots)
{
	char *text = schema_text(s);
	size_t len = strlen(text), size = round_up(sizeof(struct board_header) + len);
	struct board_header *h = memset(xmalloc(size), 0, size);

	if (size > BOARD_HEADER_MAX)
		bb_error_msg_and_die("can't use a schema of %zu bytes: it is too long", len);
	memcpy(h->magic, BOARD_MAGIC, sizeof(h->magic));
	h->bom = BOARD_BOM;
	h->major = BOARD_MAJOR;
	h->header_size = size;
	h->nslots = nslots;
	h->slot_stride = round_up(sizeof(struct board_slot) + s->record_size);
	h->record_size = s->record_size;
	h->schema_len = len;
	h->schema_crc = crc32(0, text, len);
	board_seal_header(h);
	memcpy(h + 1, text, len);
	free(text);
	return h;
}

/* Blocks are reserved, so that no store to the mapping finds the disk full; 1, if this file
 * system cannot. Interrupted, because a status was asked for or a tick came: once more. */
static int reserve(int fd, off_t size)
{
	int rc;

	do
		rc = fallocate(fd, 0, 0, size);
	while (rc < 0 && errno == EINTR && !bb_got_signal);
	return rc < 0 && (errno == EOPNOTSUPP || errno == ENOSYS) ? 1 : rc;
}

/* A copy of a board may have holes. */
void board_fill_holes(const struct board *b)
{
	if ((off_t)b->st.st_blocks * 512 < (off_t)b->len && reserve(b->fd, b->len) < 0)
		bb_perror_msg_and_die("can't fill the holes of '%s'", b->path);
}

/* musl's posix_fallocate has no fallback for a file system that cannot. */
static int fill_file(int fd, const struct image *m)
{
	static char zeros[4096]; /* never written: not in the file */
	int rc = reserve(fd, m->size);

	if (rc > 0 && m->verbose)
		bb_error_msg("no fallocate(2) here: %jd zeros", (intmax_t)m->size);
	for (off_t at = 0; rc > 0 && at < m->size; at += sizeof(zeros))
		if (bb_got_signal || full_write(fd, zeros, sizeof(zeros)) != sizeof(zeros))
			return -1;
	if (rc < 0 || ftruncate(fd, m->size) < 0)
		return -1;
	if (pwrite(fd, m->head, m->head_len, 0) != (ssize_t)m->head_len
	    || (m->slot && pwrite(fd, m->slot, m->slot_len, m->slot_at) != (ssize_t)m->slot_len))
		return -1;
	return m->persist ? fsync(fd) : 0;
}

/* Some file systems have no shared mappings, or not for writers (9p, JFFS2). */
static int can_share(int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return map != MAP_FAILED && munmap(map, size) == 0;
}

/* A link does not replace what has the name; rename(2) does. Where there are no links
 * (vfat, some CIFS), two that create at once may replace each other's file. */
static int put_in_place(const char *temp, const char *path, int replace)
{
	int rc = replace ? -1 : link(temp, path);

	if (replace || (rc < 0 && (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS)))
		return rename(temp, path);
	return rc < 0 && errno != EEXIST ? rc : unlink(temp);
}

/* The name is on the medium when its directory is. */
static int sync_directory(const char *dir)
{
	int fd = open(*dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	close(fd);
	return rc;
}

/* The file appears complete. Another's that was faster stays, and is what we use then. */
void board_create(const char *path, const struct image *m)
{
	const char *slash = strrchr(path, '/');
	char *dir = xasprintf("%.*s", slash ? (int)(slash + 1 - path) : 0, path);
	char *temp = xasprintf("%s.mmapw.XXXXXX", dir);
	int fd, shared = 1;
	struct stat st;

	if (m->old && lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		bb_error_msg_and_die("can't replace '%s': it is a symbolic link", path);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd >= 0 && m->old)
		(void)fchown(fd, m->old->st_uid, m->old->st_gid); /* only root can */
	if (fd < 0 || fchmod(fd, m->mode) < 0 || fill_file(fd, m) < 0
	    || !(shared = can_share(fd, m->size)) || put_in_place(temp, path, m->old != NULL) < 0
	    || (m->persist && sync_directory(dir) < 0)) {
		int err = errno;

		if (fd >= 0)
			unlink(temp);
		if (bb_got_signal)
			die_of_signal(bb_got_signal);
		errno = err;
		if (!shared)
			board_cannot_map(path);
		bb_perror_msg_and_die("can't create '%s'", path);
	}
	if (m->verbose)
		bb_error_msg("made '%s'", path);
	free(temp);
	free(dir);
	close(fd);
}

static void held(struct board *b, int status)
{
	uint32_t pid = 0;
	char name[32];

	if (b->st.st_size) {
		board_map(b, PROT_READ);
		if (!b->raw)
			pid = atomic_load(b->map + BOARD_WORD(writer_pid));
	}
	if (pid && board_process_start(pid, name))
		bb_error_msg("'%s' is held by pid %u (%s)", b->path, (unsigned)pid, name);
	else
		bb_error_msg("'%s' is held by another writer", b->path);
	exit(status);
}

/* An open file description's lock: it ends with the process, however that ends. */
static int lock_board(const struct board *b, int wait)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(b->fd, wait ? OFD_SETLKW : OFD_SETLK, &whole) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	if (b->verbose)
		bb_error_msg("no locks of open file descriptions (Linux 3.15): flock(2)");
	return flock(b->fd, LOCK_EX | (wait ? 0 : LOCK_NB));
}

static volatile sig_atomic_t ticked;

static void on_alarm(int sig)
{
	(void)sig;
	ticked = 1;
}

int board_has_ticked(void)
{
	int result = ticked;

	ticked = 0;
	return result;
}

void board_tick(int64_t first_ns)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	int64_t us = first_ns / 1000 + 1; /* 0 would be never */
	struct itimerval timer = { { 1, 0 }, { us / 1000000, us % 1000000 } };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static int lock_in_time(const struct board *b, int64_t deadline)
{
	int64_t left;
	int rc;

	do {
		if (board_status_asked())
			bb_error_msg("'%s': waiting for its writer's end", b->path);
		left = deadline - monotonic_ns();
		if (left > 0)
			board_tick(left < NS_PER_S ? left : NS_PER_S);
		rc = lock_board(b, left > 0);
	} while (rc < 0 && errno == EINTR && !bb_got_signal);
	if (bb_got_signal)
		die_of_signal(bb_got_signal);
	return rc;
}

int board_attach(struct board *b, int64_t deadline)
{
	do {
		if (b->fd >= 0)
			close(b->fd);
		b->fd = open(b->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (b->fd < 0 && errno == ENOENT)
			return 0;
		if (b->fd < 0)
			bb_perror_msg_and_die("can't open '%s'", b->path);
		board_stat(b); /* a FIFO or a device is empty too, but not ours to replace */
		if ((deadline ? lock_in_time(b, deadline) : lock_board(b, 0)) < 0) {
			if (errno == EAGAIN || errno == EACCES)
				held(b, deadline ? EXIT_TIMED_OUT : EXIT_NOT_NOW);
			bb_perror_msg_and_die("can't lock '%s'", b->path);
		}
	} while (!board_in_place(b)); /* replaced while we came */
	return b->st.st_size != 0;
}
