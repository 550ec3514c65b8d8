/*
 * file.c - make a board file
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapw.h"

/* This is RENAME_NOREPLACE of renameat2(2), since Linux 3.15. */
enum { NO_REPLACE = 1 };

static size_t round_up(size_t size)
{
	return (size + BOARD_ALIGN - 1) & ~(size_t)(BOARD_ALIGN - 1);
}

char *board_schema_text(const struct schema *s)
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
	char *text = board_schema_text(s);
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

/* Reserves the blocks, so that no store to the mapping finds the disk full. Returns 1 if this
 * file system cannot do that. SIGUSR1 and the alarm interrupt the call, which then begins
 * again. */
static int reserve(int fd, off_t size)
{
	int rc;

	do
		rc = fallocate(fd, 0, 0, size);
	while (rc < 0 && errno == EINTR && !bb_got_signal);
	return rc < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL
			       || errno == EPERM) ? 1 : rc;
}

/* A copy of a board may have holes. On a full disk a store into a hole raises SIGBUS. The holes of
 * another user's file stay: he chose their size, and his truncating would raise SIGBUS, too. */
void board_fill_holes(const struct board *b)
{
	if (b->st.st_uid == geteuid() && (off_t)b->st.st_blocks * 512 < (off_t)b->len
	    && reserve(b->fd, b->len) < 0)
		bb_perror_msg_and_die("can't fill the holes of '%s'", b->path);
}

/* Writes the parts of the image that are not zero, and the zeros where they cannot be reserved:
 * posix_fallocate(3) of musl does not do that. */
static int fill_file(int fd, const struct image *m)
{
	static char zeros[4096]; /* it is not const, so that it is in .bss, not in the file */
	int rc = reserve(fd, m->size);
	ssize_t n;

	if (rc > 0 && m->verbose)
		bb_error_msg("no fallocate(2) here: %jd zeros", (intmax_t)m->size);
	for (off_t left = m->size; rc > 0 && left; left -= n) {
		n = left < (off_t)sizeof(zeros) ? left : (off_t)sizeof(zeros);
		if (bb_got_signal || full_write(fd, zeros, n) != n)
			return -1;
	}
	if (rc < 0)
		return -1;
	if (pwrite(fd, m->head, m->head_len, 0) != (ssize_t)m->head_len
	    || (m->slot && pwrite(fd, m->slot, m->slot_len, m->slot_at) != (ssize_t)m->slot_len))
		return -1;
	return m->persist ? fsync(fd) : 0;
}

/* Returns -1 if the file cannot be mapped shared and writable. 9p without a cache and JFFS2 have
 * no such mappings. */
static int check_sharing(int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? -1 : munmap(map, size);
}

/* A seccomp filter may lack unlink(2) and have unlinkat(2). */
static int remove_temporary(const char *path)
{
	return unlink(path) == 0 || errno != ENOSYS ? 0 : unlinkat(AT_FDCWD, path, 0);
}

/* Gives the file its name if no file has the name. Returns 1 if one has it. Where a file system
 * has neither RENAME_NOREPLACE nor links (vfat), two writers that create the board at the same
 * time may replace each other's file. */
static int name_new_file(const char *temp, const char *path)
{
	if (syscall(SYS_renameat2, AT_FDCWD, temp, AT_FDCWD, path, NO_REPLACE) == 0)
		return 0;
	if (errno != EEXIST && link(temp, path) == 0)
		return remove_temporary(temp);
	if (errno == EEXIST)
		return remove_temporary(temp) < 0 ? -1 : 1;
	return errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL
		? rename(temp, path) : -1;
}

/* Gives the file its name, and replaces old only. Returns 1 if another file has the name now. */
static int put_in_place(const char *temp, const char *path, const struct stat *old)
{
	struct stat now;

	if (!old)
		return name_new_file(temp, path);
	if (stat(path, &now) == 0 && same_inode(&now, old))
		return rename(temp, path);
	return remove_temporary(temp) < 0 ? -1 : 1;
}

/* fsync(2) of a file does not write its name. That is in the directory. */
static int sync_directory(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	close(fd);
	return rc;
}

/* Makes the temporary file what the image says. It has mode 0600 until it is whole, and is locked
 * before it gets its name, so that no other writer can be faster. */
static int make_whole(int fd, const struct image *m)
{
	int call;

	if (m->old)
		(void)fchown(fd, m->old->st_uid, m->old->st_gid); /* chown(2): root may */
	if (fill_file(fd, m) < 0 || check_sharing(fd, m->size) < 0)
		return -1;
	call = board_lock(fd, 0);
	if (call < 0)
		return -1;
	if (m->verbose)
		board_tell_lock(call);
	return fchmod(fd, m->mode);
}

static void NORETURN cannot_create(const char *path)
{
	if (bb_got_signal)
		die_of_signal(bb_got_signal);
	if (board_is_unsupported())
		board_unsupported(path);
	if (errno == EACCES || errno == EPERM || errno == EROFS || errno == EBUSY)
		bb_perror_msg_and_die(
			"can't create '%s': its directory must be writable", path);
	bb_perror_msg_and_die("can't create '%s'", path);
}

/* Returns the path of the file itself, so that a symbolic link to it stays. */
static char *real_path(const char *path, const struct image *m)
{
	struct stat st;
	char *real;

	if (!m->old || lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
		return xasprintf("%s", path);
	if (!m->through_link)
		bb_error_msg_and_die("can't replace '%s': it is a symbolic link", path);
	real = realpath(path, NULL);
	if (!real)
		bb_perror_msg_and_die("can't follow '%s'", path);
	return real;
}

static char *directory_in(const char *file)
{
	const char *slash = strrchr(file, '/');

	return xasprintf("%.*s", slash ? (int)(slash + 1 - file) : 2, slash ? file : "./");
}

/* Returns the directory of a file, with a '/' at its end. Where there is /proc it is a path through
 * a descriptor, *place, so that nobody can put another directory in its place. */
static char *directory_of(const char *path, const char *file, int *place)
{
	char *dir = directory_in(file);
	struct bb_walk w = { .path = path };
	char *safe;

	*place = bb_find(&w, dir);
	safe = xasprintf("/proc/self/fd/%d/", *place);
	if (access(safe, F_OK) < 0)
		return dir;
	free(dir);
	return safe;
}

static void NORETURN cannot_remove(const struct board *b)
{
	bb_perror_msg_and_die("can't remove '%s'", b->path);
}

/* No call removes a file by its inode. So the board first gets a name that no other program uses,
 * and is looked at there. If another file came to the old name just before, that file gets it
 * back. */
void board_remove(const struct board *b)
{
	const char *slash = strrchr(b->path, '/'), *base = slash ? slash + 1 : b->path;
	char *temp = xasprintf(".mmapw.%" PRIx64, board_now(CLOCK_REALTIME));
	struct stat st;
	int ours;

	if (chdir(directory_in(b->path)) < 0 || lstat(base, &st) < 0)
		cannot_remove(b);
	ours = same_inode(&st, &b->st);
	if (ours && (rename(base, temp) < 0 || lstat(temp, &st) < 0))
		cannot_remove(b);
	if (same_inode(&st, &b->st)) {
		if (remove_temporary(temp) < 0)
			cannot_remove(b);
		return;
	}
	if (ours && syscall(SYS_renameat2, AT_FDCWD, temp, AT_FDCWD, base, NO_REPLACE) < 0
	    && link(temp, base) == 0)
		(void)remove_temporary(temp);
	bb_error_msg_and_die("can't remove '%s': it %s", b->path,
		S_ISLNK(st.st_mode) ? "is a symbolic link" : "was replaced");
}

/* The file gets its name only when it is complete. */
int board_create(const char *path, const struct image *m)
{
	char *file = real_path(path, m), *slash = strrchr(file, '/');
	int place, fd, taken = -1, err;
	char *dir = directory_of(path, file, &place);
	char *temp = xasprintf("%s.mmapw.XXXXXX", dir);
	char *real = xasprintf("%s%s", dir, slash ? slash + 1 : file);

	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		cannot_create(path);
	if (make_whole(fd, m) == 0)
		taken = put_in_place(temp, real, m->old);
	if (taken < 0) {
		err = errno;
		(void)remove_temporary(temp);
		errno = err;
		cannot_create(path);
	}
	if (m->persist && sync_directory(dir) < 0)
		cannot_create(path);
	if (m->verbose && !taken)
		bb_error_msg("made '%s'", path);
	if (taken)
		close(fd);
	if (place >= 0)
		close(place);
	free(real);
	free(temp);
	free(dir);
	free(file);
	return taken ? -1 : fd;
}
