/*
 * board.c - open a board file, check it and map it
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "board.h"

/* The SIGBUS handler names this file. */
static const char *mapped_path;

enum { OTHER_FILE = -2 };

static const char truncated[] = "it was truncated";

/* Returns true if the file was truncated after it was mapped. Of a part that was cut off, the
 * rest of its page reads as zeros, and the pages behind raise SIGBUS (mmap(2)). If the file has
 * grown again, all of that part reads as zeros. A header of zeros shows that. */
static int is_cut(const struct board *b)
{
	struct stat st;

	return fstat(b->fd, &st) < 0 || st.st_size < (off_t)b->len
		|| (!b->raw && !atomic_load(b->map));
}

void board_damaged(const struct board *b, const char *why)
{
	if (b->map && is_cut(b))
		why = truncated;
	bb_error_msg("'%s' is damaged: %s", b->path, why);
	exit(EXIT_INTEGRITY);
}

void board_check_length(const struct board *b)
{
	if (is_cut(b))
		board_damaged(b, truncated);
}

/* Only loads and stores of the mapping raise SIGBUS, and no function of libc that keeps a state
 * makes them. So this handler may call functions that signal-safety(7) does not list. */
static void on_sigbus(int sig)
{
	(void)sig;
	bb_error_msg("'%s' is damaged: %s", mapped_path, truncated);
	_exit(EXIT_INTEGRITY);
}

static void swap_words(uint32_t *word, size_t count)
{
	for (; count; count--, word++)
		*word = __builtin_bswap32(*word);
}

/* Turns what this program uses of the header from the file's byte order to this machine's. */
static void swap_header(struct board_header *head)
{
	swap_words(&head->bom, 1);
	head->major = __builtin_bswap16(head->major);
	head->minor = __builtin_bswap16(head->minor);
	swap_words(&head->header_size, 8); /* up to header_crc */
	swap_words(&head->seq, 4);         /* up to writer_generation */
}

static uint32_t header_crc_of(const struct board_header *h)
{
	uint32_t crc = crc32(0, h, offsetof(struct board_header, header_crc));

	crc = crc32(crc, "\0\0\0", 4);
	return crc32(crc, h->boot_id, sizeof(h->boot_id));
}

/* Returns NULL, or what is wrong with the sizes that the header gives. */
static const char *check_sizes(const struct board_header *h)
{
	if (h->header_size % BOARD_ALIGN || h->header_size > BOARD_HEADER_MAX
	    || h->header_size < sizeof(*h) || h->schema_len > h->header_size - sizeof(*h))
		return "wrong header size";
	if (h->nslots < 2 || h->nslots > BOARD_SLOTS_MAX || h->nslots & (h->nslots - 1))
		return "wrong number of slots";
	if (!h->record_size || h->record_size > BOARD_RECORD_MAX || h->slot_stride % BOARD_ALIGN
	    || h->slot_stride < sizeof(struct board_slot) + h->record_size)
		return "wrong size of the record";
	return NULL;
}

/* Returns NULL, or what is wrong with the header alone. */
static const char *check_header(struct board *b)
{
	struct board_header *h = &b->head;
	uint32_t crc = header_crc_of(h);

	if (memcmp(h->magic, BOARD_MAGIC, sizeof(h->magic)))
		return "not a board (wrong magic)";
	b->swap = h->bom == __builtin_bswap32(BOARD_BOM);
	if (b->swap)
		swap_header(h);
	if (h->bom != BOARD_BOM)
		return "unknown byte order";
	if (h->major != BOARD_MAJOR)
		return "unknown version";
	if (h->header_crc != crc)
		return "wrong CRC of the header";
	return check_sizes(h);
}

/* After a reboot the first writer puts another boot_id and header_crc into the header with one
 * write(2). A read(2) may see half of that write, so the header is read until two reads in a row
 * give the same bytes. */
static ssize_t read_header(struct board *b)
{
	struct board_header again = { .bom = 0 };
	ssize_t n = pread(b->fd, &again, sizeof(again), 0);

	memset(&b->head, 0, sizeof(b->head));
	for (int tries = 0; tries < 10; tries++) {
		n = pread(b->fd, &b->head, sizeof(b->head), 0);
		if (n < 0 || memcmp(&again, &b->head, offsetof(struct board_header, seq)) == 0)
			break;
		again = b->head;
	}
	if (n < 0)
		bb_perror_msg_and_die("can't read '%s'", b->path);
	return n;
}

/* Returns NULL, or what is wrong with the schema. */
static const char *check_schema(struct board *b)
{
	uint32_t len = b->head.schema_len;
	const char *wrong;
	ssize_t n;

	b->text = xmalloc(len + 1);
	n = pread(b->fd, b->text, len, sizeof(b->head));
	if (n < 0)
		bb_perror_msg_and_die("can't read '%s'", b->path);
	if (n != (ssize_t)len)
		return "it is too short";
	b->text[len] = '\0';
	if (crc32(0, b->text, len) != b->head.schema_crc || strlen(b->text) != len)
		return "wrong CRC of the schema";
	wrong = board_schema_parse(&b->schema, xasprintf("%s", b->text));
	if (wrong)
		return wrong;
	/* Only -S of mmapw may leave offsets out. */
	if (b->schema.offsets != b->schema.count || b->schema.end > b->head.record_size)
		return "a field has no place in the record";
	b->schema.record_size = b->head.record_size; /* it need not be what C would make of it */
	return NULL;
}

/* The tutorial's programs write the bare struct of 28 bytes. A board has at least 128 bytes, so
 * the size tells the two apart. */
static const char *check_raw(struct board *b)
{
	b->raw = 1;
	board_schema_parse(&b->schema, xasprintf("%s", BOARD_SCHEMA));
	b->head.record_size = b->len = b->schema.record_size;
	return NULL;
}

/* Returns NULL, or what is wrong with the file. The header and the schema are copied, checked and
 * used in that copy, so no other process can change them between check and use. */
static const char *check_file(struct board *b)
{
	uint64_t size;
	const char *wrong;
	ssize_t n = read_header(b);

	if (n == BOARD_RAW_SIZE && memcmp(b->head.magic, BOARD_MAGIC, sizeof(b->head.magic)))
		return check_raw(b);
	if (n != sizeof(b->head))
		return "not a board (too short)";
	wrong = check_header(b);
	if (wrong)
		return wrong;
	size = b->head.header_size + (uint64_t)b->head.nslots * b->head.slot_stride;
	if (size > (uint64_t)b->st.st_size || size > SIZE_MAX / 2)
		return "it is too short";
	b->len = size;
	return check_schema(b);
}

/* Without /proc no boot_id is known, here or where the board was made. An unknown boot_id
 * counts as this boot's. */
static int is_other_boot(const struct board *b)
{
	static const unsigned char unknown[16];
	unsigned char id[16];

	board_boot_id(id);
	return !b->raw && memcmp(id, unknown, sizeof(id))
		&& memcmp(b->head.boot_id, unknown, sizeof(id))
		&& memcmp(id, b->head.boot_id, sizeof(id));
}

int board_is_unsupported(void)
{
	return errno == EINVAL || errno == ENOSYS || errno == ENODEV || errno == EOPNOTSUPP
		|| errno == ENOLCK;
}

void board_unsupported(const char *path)
{
	xfunc_error_retval = EXIT_UNSUPPORTED;
	bb_perror_msg_and_die(
		"can't share '%s' on this file system: use /dev/shm or /run", path);
}

const char *board_dangling(const char *path)
{
	char *target = xmalloc(PATH_MAX);
	ssize_t len = readlink(path, target, PATH_MAX - 1);

	if (len >= 0)
		target[len] = '\0';
	return len >= 0 && access(path, F_OK) < 0 && errno == ENOENT ? target : NULL;
}

/* Opens what the walk has found at place. Returns OTHER_FILE if the name means another file now and
 * only the name could be opened. */
static int open_found(const char *path, int place, int flags)
{
	char name[40];
	struct stat found, st;
	int fd;

	scnprintf(name, sizeof(name), "/proc/self/fd/%d", place);
	fd = open(name, flags);
	if (fd >= 0)
		return fd;
	fd = open(path, flags); /* There is no /proc, or it is closed to this process. */
	if (fd < 0 || (fstat(place, &found) == 0 && fstat(fd, &st) == 0 && same_inode(&found, &st)))
		return fd;
	close(fd);
	return OTHER_FILE;
}

int board_open_path(const char *path, int mode)
{
	/* Without O_NONBLOCK the open of a FIFO would wait for its writer. */
	int flags = mode | O_CLOEXEC | O_NONBLOCK, place, fd;
	struct bb_walk w = { .path = path };
	struct stat st;

	do {
		w.links = 0;
		place = bb_find(&w, path);
		if (!w.works) /* The kernel has no O_PATH, or a filter refuses it. */
			return open(path, flags);
		if (place < 0)
			return -1;
		if (mode != O_RDONLY && fstat(place, &st) == 0)
			bb_refuse_owner(&w, &st, "it");
		fd = open_found(path, place, flags);
		close(place);
	} while (fd == OTHER_FILE);
	return fd;
}

void board_stat(struct board *b)
{
	if (fstat(b->fd, &b->st) < 0)
		bb_perror_msg_and_die("can't stat '%s'", b->path);
	if (!S_ISREG(b->st.st_mode))
		bb_error_msg_and_die("can't use '%s': not a regular file", b->path);
}

void board_map(struct board *b, int prot)
{
	struct sigaction sa = { .sa_handler = on_sigbus };
	const char *wrong;
	void *map;

	board_stat(b);
	wrong = check_file(b);
	if (wrong)
		board_damaged(b, wrong);
	map = mmap(NULL, b->len, prot, MAP_SHARED, b->fd, 0);
	if (map == MAP_FAILED && board_is_unsupported())
		board_unsupported(b->path);
	if (map == MAP_FAILED)
		bb_perror_msg_and_die("can't map '%s'", b->path);
	b->map = map;
	b->slot = xmalloc(sizeof(*b->slot) + b->head.record_size + 3);
	memset(b->slot, 0, sizeof(*b->slot));
	b->other_boot = is_other_boot(b);
	mapped_path = b->path;
	sigaction(SIGBUS, &sa, NULL);
	board_unblock(SIGBUS);
}

void board_unmap(struct board *b)
{
	munmap(b->map, b->len);
	close(b->fd);
	free(b->slot);
	free(b->text);
	free((char *)b->schema.fields[0].name); /* the text that was cut up begins there */
	free(b->schema.fields);
	*b = (struct board){ .path = b->path, .fd = -1 };
}

/* Device and inode do not tell two files apart on overlayfs: a file that is written to for the
 * first time is copied and keeps both, and a mapping of the lower file never changes again
 * (Documentation/filesystems/overlayfs.rst, "Non-standard behavior"). Then the header in the copy
 * is ahead of the header in the mapping. */
static int is_ahead(const struct board *b, const struct board_header *found)
{
	return (int32_t)(found->seq - board_seq(b)) > 0
		|| (int32_t)(found->writer_generation
			   - board_word(b, BOARD_WORD(writer_generation))) > 0;
}

static int is_other_content(const struct board *b, int fd)
{
	struct board_header found;
	ssize_t n = pread(fd, &found, sizeof(found), 0);

	if (b->raw) /* a bare struct has no header, so the record itself is compared */
		return n != (ssize_t)b->len || memcmp(&found, (void *)b->map, b->len);
	if (n != sizeof(found))
		return 1;
	if (b->swap)
		swap_header(&found);
	return memcmp(&found, &b->head, offsetof(struct board_header, seq)) || is_ahead(b, &found);
}

enum board_place board_look_again(const struct board *b)
{
	struct stat st;
	int fd, other;

	board_check_length(b);
	fd = board_open_path(b->path, O_RDONLY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return BOARD_GONE;
	if (fd < 0 || fstat(fd, &st) < 0)
		bb_perror_msg_and_die("can't open '%s'", b->path);
	other = !same_inode(&st, &b->st) || is_other_content(b, fd);
	close(fd);
	return other ? BOARD_OTHER : BOARD_SAME;
}

int board_has_name(const struct board *b)
{
	struct stat st;
	int rc = stat(b->path, &st);

	if (rc < 0 && errno != ENOENT && errno != ENOTDIR)
		bb_perror_msg_and_die("can't stat '%s'", b->path);
	return rc == 0 && same_inode(&st, &b->st);
}
