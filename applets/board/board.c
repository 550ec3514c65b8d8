/*
 * board.c - open a board file and read the latest publication
 *
 * SPDX-License-Identifier: 0BSD
 *
 * Readers never look at the slot that is being written. The writer puts publication n
 * into slot n mod nslots, behind a release fence, and then stores n to seq. A reader that
 * sees any word of publication n + nslots therefore sees, behind its acquire fence, a seq
 * of at least n + nslots - 1, and reads again. A writer that dies anywhere leaves seq and
 * the slot it names as they were.
 */
#include "board.h"

static void read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : full_read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[len < 0 ? 0 : len] = '\0';
}

size_t board_hex_bytes(unsigned char *to, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n < 2 * size; text++)
		if (isxdigit((unsigned char)*text)) {
			to[n / 2] = to[n / 2] << 4 | ((*text & 15) + (*text > '9' ? 9 : 0));
			n++;
		}
	return n;
}

void board_boot_id(unsigned char id[16])
{
	char text[64];

	read_file("/proc/sys/kernel/random/boot_id", text, sizeof(text));
	memset(id, 0, 16);
	(void)board_hex_bytes(id, 16, text); /* what it does not fill stays 0 */
}

/* What the SIGBUS handler must name. */
static const char *mapped_path;

static const char truncated[] = "it was truncated";

/* What was cut off reads as zeros to the end of the page, and wholly so if the file is long
 * again: as if nothing were published. */
static int is_cut(const struct board *b)
{
	struct stat st;

	return fstat(b->fd, &st) < 0 || st.st_size < (off_t)b->len
		|| (!b->raw && !atomic_load(b->map));
}

static void damaged(const struct board *b, const char *why)
{
	if (b->map && is_cut(b))
		why = truncated;
	bb_error_msg("'%s' is damaged: %s", b->path, why);
	exit(EXIT_INTEGRITY);
}

static void check_length(const struct board *b)
{
	if (is_cut(b))
		damaged(b, truncated);
}

/* Only loads and stores of the mapping raise it: nothing of libc is under way. */
static void on_sigbus(int sig)
{
	(void)sig;
	bb_error_msg("'%s' is damaged: %s", mapped_path, truncated);
	_exit(EXIT_INTEGRITY);
}

/* head is as in the file: to this machine's order. */
static void swap_header(struct board_header *head)
{
	uint32_t *words[] = {
		&head->bom, &head->header_size, &head->flags, &head->nslots, &head->slot_stride,
		&head->record_size, &head->schema_len, &head->schema_crc, &head->header_crc,
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		*words[i] = __builtin_bswap32(*words[i]);
	head->major = __builtin_bswap16(head->major);
	head->minor = __builtin_bswap16(head->minor);
}

/* NULL, or what is wrong with the header alone. */
static const char *check_header(struct board *b)
{
	struct board_header *h = &b->head;
	uint32_t crc;

	if (memcmp(h->magic, BOARD_MAGIC, sizeof(h->magic)))
		return "not a board (wrong magic)";
	b->swap = h->bom == __builtin_bswap32(BOARD_BOM);
	crc = crc32(0, h, offsetof(struct board_header, header_crc));
	crc = crc32(crc, "\0\0\0", 4);
	crc = crc32(crc, h->boot_id, sizeof(h->boot_id));
	if (b->swap)
		swap_header(h);
	if (h->bom != BOARD_BOM)
		return "unknown byte order";
	if (h->major != BOARD_MAJOR)
		return "unknown version";
	if (h->header_crc != crc)
		return "wrong CRC of the header";
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
	wrong = schema_parse(&b->schema, xasprintf("%s", b->text));
	if (!wrong && b->schema.record_size > b->head.record_size)
		wrong = "the schema is larger than the record";
	return wrong;
}

/* The tutorial's programs write the bare struct: known by its size, which no board has. */
static const char *check_raw(struct board *b)
{
	b->raw = 1;
	schema_parse(&b->schema, xasprintf("%s", BOARD_SCHEMA));
	b->head.record_size = b->len = b->schema.record_size;
	return NULL;
}

/* Checks copies, so that nobody can change what was checked. */
static const char *check_file(struct board *b)
{
	uint64_t size;
	const char *wrong;
	ssize_t n = pread(b->fd, &b->head, sizeof(b->head), 0);

	if (n < 0)
		bb_perror_msg_and_die("can't read '%s'", b->path);
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

/* Without /proc none is known, here or where the board was made: such are the same. */
static int is_other_boot(const struct board *b)
{
	static const unsigned char unknown[16];
	unsigned char id[16];

	board_boot_id(id);
	return !b->raw && memcmp(id, unknown, sizeof(id))
		&& memcmp(b->head.boot_id, unknown, sizeof(id))
		&& memcmp(id, b->head.boot_id, sizeof(id));
}

void board_cannot_map(const char *path)
{
	if (errno != EINVAL && errno != ENODEV)
		bb_perror_msg_and_die("can't map '%s'", path);
	xfunc_error_retval = EXIT_UNSUPPORTED;
	bb_error_msg_and_die("can't share '%s' on this file system: use /dev/shm or /run", path);
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

	board_stat(b);
	wrong = check_file(b);
	if (wrong)
		damaged(b, wrong);
	b->map = mmap(NULL, b->len, prot, MAP_SHARED, b->fd, 0);
	if (b->map == MAP_FAILED)
		board_cannot_map(b->path);
	b->slot = xmalloc(sizeof(*b->slot) + b->head.record_size + 3);
	b->other_boot = is_other_boot(b);
	mapped_path = b->path;
	sigaction(SIGBUS, &sa, NULL);
}

void board_unmap(struct board *b)
{
	munmap(b->map, b->len);
	close(b->fd);
	free(b->slot);
	free(b->text);
	free((char *)b->schema.fields[0].name); /* the text that was cut up begins there */
	free(b->schema.fields);
	*b = (struct board){ .path = b->path, .verbose = b->verbose };
}

uint32_t board_seq(const struct board *b)
{
	uint32_t seq = atomic_load_explicit(b->map + BOARD_WORD(seq), memory_order_acquire);

	return b->swap ? __builtin_bswap32(seq) : seq;
}

size_t board_slot_word(const struct board *b, uint32_t n)
{
	return (b->head.header_size + (size_t)(n & (b->head.nslots - 1)) * b->head.slot_stride) / 4;
}

static void swap_slot(struct board_slot *slot)
{
	slot->n = __builtin_bswap32(slot->n);
	slot->crc = __builtin_bswap32(slot->crc);
	slot->publications = __builtin_bswap64(slot->publications);
	slot->boottime_ns = __builtin_bswap64(slot->boottime_ns);
	slot->realtime_ns = __builtin_bswap64(slot->realtime_ns);
}

static void copy_words(struct board *b, uint32_t n, size_t words)
{
	_Atomic uint32_t *from = b->map + board_slot_word(b, n);

	for (size_t i = 0; i < words; i++)
		((uint32_t *)b->slot)[i] = atomic_load_explicit(from + i, memory_order_relaxed);
	if (b->swap)
		swap_slot(b->slot);
}

static void copy_slot(struct board *b, uint32_t n)
{
	copy_words(b, n, (sizeof(*b->slot) + b->head.record_size + 3) / 4);
}

static int was_never_used(const struct board_slot *slot)
{
	return !slot->n && !slot->publications;
}

/* NULL, or what is wrong. Where nothing was written yet, or not since the file was made anew
 * after a reboot, there are zeros; but not in the slot that seq names. */
static const char *check_slot(const struct board *b, uint32_t n)
{
	const struct board_slot *slot = b->slot;

	if (was_never_used(slot) && (!n || n != board_seq(b)))
		return NULL;
	if (slot->n != n || (uint32_t)slot->publications != n)
		return "wrong number of the publication";
	if (crc32(0, slot->record, b->head.record_size) != slot->crc)
		return "wrong CRC of the record";
	return NULL;
}

int board_copy(struct board *b, uint32_t n)
{
	const char *wrong;

	copy_slot(b, n);
	atomic_thread_fence(memory_order_acquire);
	if (board_seq(b) - n >= b->head.nslots - 1)
		return 0; /* a writer may have been at it */
	wrong = check_slot(b, n);
	if (wrong)
		damaged(b, wrong);
	return 1;
}

int board_copy_whole(struct board *b, uint32_t n)
{
	copy_slot(b, n);
	return !was_never_used(b->slot) && !check_slot(b, n);
}

/* After a power cut the disk may hold seq and the slots as they were at different times:
 * what counts is the newest slot that is whole. Without one, seq tells whether the first
 * publication was ever complete. A writer may be at work, if it is a program that took no
 * notice of the boot: what has changed meanwhile is looked for again. */
static int newest_slot(struct board *b)
{
	uint32_t seq = board_seq(b), at = 0;
	uint64_t newest = 0;

	for (uint32_t i = 0; i < b->head.nslots; i++) {
		copy_words(b, i, sizeof(*b->slot) / 4); /* a large file may hold little */
		if (b->slot->publications > newest && !((b->slot->n ^ i) & (b->head.nslots - 1))
		    && board_copy_whole(b, b->slot->n)) {
			newest = b->slot->publications;
			at = b->slot->n;
		}
	}
	if (newest)
		return board_copy_whole(b, at) ? 1 : -1;
	if (seq != board_seq(b))
		return -1;
	if (seq)
		damaged(b, "no slot is whole: remove it to begin anew");
	copy_slot(b, 0);
	return 0;
}

static int latest_raw(struct board *b)
{
	for (int i = 0; i < BOARD_RAW_SIZE / 4; i++)
		((uint32_t *)b->slot->record)[i] = atomic_load_explicit(
			b->map + i, memory_order_relaxed);
	return 1;
}

/* 1: b->slot is it; 0: there is none; -1: once more. */
static int try_latest(struct board *b)
{
	if (b->other_boot)
		return newest_slot(b);
	if (!board_copy(b, board_seq(b)))
		return -1;
	if (!b->slot->publications)
		check_length(b);
	return b->slot->publications != 0;
}

int board_latest(struct board *b)
{
	enum { TRIES = 1000 };
	int result;

	if (b->raw)
		return latest_raw(b);
	for (int tries = 0; tries < TRIES; tries++) {
		result = try_latest(b);
		if (result >= 0)
			return result;
	}
	bb_error_msg("can't read '%s': the writer is too fast for %u slots", b->path,
		(unsigned)b->head.nslots);
	exit(EXIT_NOT_NOW);
}

int board_in_place(const struct board *b)
{
	struct stat st;

	if (b->map)
		check_length(b);
	return stat(b->path, &st) == 0 && same_inode(&st, &b->st);
}

static volatile sig_atomic_t status_asked;

static void on_usr1(int sig)
{
	(void)sig;
	status_asked = 1;
}

void board_catch_usr1(int flags)
{
	struct sigaction sa = { .sa_handler = on_usr1, .sa_flags = flags }, old;

	if (sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(SIGUSR1, &sa, NULL);
}

int board_status_asked(void)
{
	int asked = status_asked;

	status_asked = 0;
	return asked;
}

/* "412 (name) S 1 ...": the name may hold anything, and the start is field 22. */
uint64_t board_process_start(uint32_t pid, char name[32])
{
	char path[32], buf[1024], *comm, *end, *s;
	uintmax_t start;

	scnprintf(path, sizeof(path), "/proc/%u/stat", (unsigned)pid);
	read_file(path, buf, sizeof(buf));
	comm = strchr(buf, '(');
	end = strrchr(buf, ')');
	if (!comm || !end)
		return 0;
	scnprintf(name, 32, "%.*s", (int)(end - comm - 1), comm + 1);
	s = end;
	for (int field = 3; s && field <= 22; field++)
		s = strchr(s + 1, ' ');
	return s && parse_digits(s + 1, 10, &start) ? start : 0;
}
