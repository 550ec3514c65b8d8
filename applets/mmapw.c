/*
 * mmapw - publish a record in a shared file, for mmapr and any other reader
 *
 * SPDX-License-Identifier: 0BSD

config MMAPW
	bool "mmapw"
	default y
	help
	  usage: mmapw [-i D] [-c N] [--raw] FILE
	     or: mmapw [-S SCHEMA] [-i D] [-c N] FILE FIELD=VALUE...

	  Publish a record in FILE; each reader sees the latest one, and whole.
	  Without fields: id=10 name='xiao bai' sex=M, id going up by one each time,
	  once a second. With fields: once. Fields not named keep their value.

	  -S, --schema SCHEMA   of a new FILE: NAME:TYPE[@OFFSET],...
	                        (id:i32,name:str20,sex:char); types i8 to i64,
	                        u8 to u64, bool, char, strN (N - 1 bytes), binN (hex),
	                        and arrays TYPE[K], whose values are V,V,...
	  -i, --interval D      time between publications (1s)
	  -c, --count N         end after N publications
	      --raw             the bare C struct, no header: a reader may see it torn

	  One writer at a time: exit 3 while another lives.
*/
#include <sys/file.h>
#include "board.h"

enum { SLOTS = 2 };

static int report(const struct field *f, const char *text, const char *why)
{
	bb_error_msg("field '%s': '%s' is %s for %s", f->name, text, why, f->type);
	return -1;
}

/* NULL, or why not. */
static const char *parse_int(const struct field *f, const char *text, uint64_t *value)
{
	int negative = *text == '-';
	uint64_t limit = UINT64_MAX >> (64 + (f->kind == 'i') - 8 * f->size);
	char *end;

	if (!isdigit((unsigned char)text[negative]))
		return "invalid";
	errno = 0;
	*value = strtoumax(text + negative, &end, 10);
	if (*end)
		return "invalid";
	if (negative)
		limit = f->kind == 'i' ? limit + 1 : 0;
	if (errno || *value > limit)
		return "out of range";
	if (negative)
		*value = -*value;
	return NULL;
}

static const char *parse_bool(const char *text, uint64_t *value)
{
	static const char words[][6] = { "0", "1", "false", "true" };

	for (*value = 0; *value < ARRAY_SIZE(words); ++*value)
		if (strcmp(text, words[*value]) == 0) {
			*value &= 1;
			return NULL;
		}
	return "invalid";
}

static const char *parse_hex(unsigned char *p, size_t size, const char *text)
{
	if (strlen(text) != 2 * size)
		return "not of the right length";
	return hex_bytes(p, size, text) == 2 * size ? NULL : "invalid";
}

static const char *set_element(const struct field *f, unsigned char *p, const char *text)
{
	uint64_t value = (unsigned char)*text;
	const char *why = NULL;

	if (f->kind == 'x')
		return parse_hex(p, f->size, text);
	if (f->kind == 's') {
		if (strlen(text) >= f->size)
			return "too long";
		memset(p, 0, f->size);
		memcpy(p, text, strlen(text));
		return NULL;
	}
	if (f->kind == 'c')
		why = *text && text[1] ? "too long" : NULL;
	else
		why = f->kind == 'b' ? parse_bool(text, &value) : parse_int(f, text, &value);
	if (!why)
		field_store(f, p, value);
	return why;
}

/* The elements of an array are V,V,...: as many as it has. */
static int set_field(const struct field *f, unsigned char *record, char *text)
{
	char *element = text;

	for (uint32_t i = 0; i < f->count; i++) {
		char *comma = f->is_array ? strchr(element, ',') : NULL;
		const char *why;

		if (f->is_array && !comma != (i == f->count - 1))
			return report(f, text, "not of the right length");
		if (comma)
			*comma = '\0';
		why = set_element(f, record + f->offset + (size_t)i * f->size, element);
		if (why)
			return report(f, element, why);
		if (comma) {
			*comma = ',';
			element = comma + 1;
		}
	}
	return 0;
}

static int set_word(const struct schema *s, unsigned char *record, char *word)
{
	char *value = strchr(word, '=');
	const struct field *f;

	if (!value) {
		bb_error_msg("'%s' is not FIELD=VALUE", word);
		return -1;
	}
	f = schema_find(s, word, value - word);
	if (!f) {
		bb_error_msg("no field '%.*s'", (int)(value - word), word);
		return -1;
	}
	return set_field(f, record, value + 1);
}

/* What is named in words, or, without any, the tutorial's job. */
static int set_record(const struct schema *s, unsigned char *record, char **words, unsigned done)
{
	char id[16], name[] = "name=xiao bai", sex[] = "sex=M";
	char *job[] = { id, name, sex, NULL };

	snprintf(id, sizeof(id), "id=%u", 10 + done);
	for (words = *words ? words : job; *words; words++)
		if (set_word(s, record, *words) < 0)
			return -1;
	return 0;
}

static void futex_wake(_Atomic uint32_t *word)
{
	(void)syscall(SYS_futex, word, FUTEX_OP_WAKE, INT_MAX, NULL, NULL, 0); /* no one may wait */
}

/* The latch: see board.c. */
static void publish(struct board *b, struct board_slot *next)
{
	size_t words = b->head.record_size / 4;
	const uint32_t *from = (const uint32_t *)next->record;
	_Atomic uint32_t *to = b->map;
	struct timespec boot, real;

	if (!b->raw) {
		(void)clock_gettime(CLOCK_BOOTTIME, &boot); /* these clocks cannot fail */
		(void)clock_gettime(CLOCK_REALTIME, &real);
		next->n = ++next->publications;
		next->crc = crc32(0, next->record, b->head.record_size);
		next->boottime_ns = boot.tv_sec * NS_PER_S + boot.tv_nsec;
		next->realtime_ns = real.tv_sec * NS_PER_S + real.tv_nsec;
		words = (sizeof(*next) + b->head.record_size + 3) / 4;
		from = (const uint32_t *)next;
		to += slot_word(b, next->n);
		atomic_thread_fence(memory_order_release);
	}
	for (size_t i = 0; i < words; i++)
		atomic_store_explicit(to + i, from[i], memory_order_relaxed);
	if (!b->raw) {
		atomic_store_explicit(b->map + BOARD_WORD(seq), next->n, memory_order_release);
		futex_wake(b->map + BOARD_WORD(seq));
	}
}

/* --- the file -------------------------------------------------------------------------- */

static size_t round_up(size_t size)
{
	return (size + BOARD_ALIGN - 1) & ~(size_t)(BOARD_ALIGN - 1);
}

/* The text with every offset said. */
static char *schema_text(const struct schema *s)
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

/* The whole beginning of the file: the header and the schema. */
static struct board_header *make_header(const struct schema *s, uint32_t nslots)
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
	board_boot_id(h->boot_id);
	h->header_crc = crc32(0, h, offsetof(struct board_header, seq)); /* with 0 for itself */
	memcpy(h + 1, text, len);
	free(text);
	return h;
}

/* Blocks are reserved now, so that no store to the mapping finds the disk full. musl's
 * posix_fallocate has no fallback for a file system that cannot. */
static int fill_file(int fd, off_t size, const void *head, size_t len)
{
	static char zeros[4096]; /* never written: not in the file */
	off_t at = 0;

	if (fallocate(fd, 0, 0, size) < 0) {
		if (errno != EOPNOTSUPP && errno != ENOSYS)
			return -1;
		for (; at < size; at += sizeof(zeros))
			if (full_write(fd, zeros, sizeof(zeros)) != sizeof(zeros))
				return -1;
		if (ftruncate(fd, size) < 0)
			return -1;
	}
	return pwrite(fd, head, len, 0) == (ssize_t)len ? 0 : -1;
}

/* rename(2) that does not replace. Where it cannot be had, two that create at once may
 * replace each other's file. */
static int rename_new(const char *from, const char *to)
{
	enum { NOREPLACE = 1 }; /* linux/fs.h */
	int rc = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, NOREPLACE);

	return rc < 0 && (errno == EINVAL || errno == ENOSYS) ? rename(from, to) : rc;
}

/* The file appears complete. Another's that was faster stays, and is what we use then. */
static void create(const char *path, mode_t mode, int replace,
	off_t size, const void *head, size_t len)
{
	const char *slash = strrchr(path, '/');
	char *temp = xasprintf("%.*s.mmapw.XXXXXX", slash ? (int)(slash + 1 - path) : 0, path);
	int fd = mkostemp(temp, O_CLOEXEC);

	if (fd < 0 || fchmod(fd, mode) < 0 || fill_file(fd, size, head, len) < 0
	    || ((replace ? rename : rename_new)(temp, path) < 0 && errno != EEXIST)) {
		int err = errno;

		if (fd >= 0)
			unlink(temp);
		errno = err;
		bb_perror_msg_and_die("can't create '%s'", path);
	}
	unlink(temp); /* gone, unless another was faster */
	free(temp);
	close(fd);
}

static void held(struct board *b)
{
	uint32_t pid = 0;
	char name[32];

	if (b->st.st_size) {
		board_map(b, PROT_READ);
		if (!b->raw)
			pid = atomic_load(b->map + BOARD_WORD(writer_pid));
	}
	if (pid && process_start(pid, name))
		bb_error_msg("'%s' is held by pid %u (%s)", b->path, (unsigned)pid, name);
	else
		bb_error_msg("'%s' is held by another writer", b->path);
	exit(EXIT_NOT_NOW);
}

/* An open file description's lock: it ends with the process, however that ends. */
static int lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, OFD_SETLK, &whole) == 0)
		return 0;
	return errno == EINVAL ? flock(fd, LOCK_EX | LOCK_NB) : -1;
}

/* False: there is no file yet, or an empty one, which is locked then. */
static int attach(struct board *b)
{
	do {
		if (b->fd >= 0)
			close(b->fd);
		b->fd = open(b->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (b->fd < 0 && errno == ENOENT)
			return 0;
		if (b->fd < 0 || fstat(b->fd, &b->st) < 0)
			bb_perror_msg_and_die("can't open '%s'", b->path);
		if (lock(b->fd) < 0) {
			if (errno == EAGAIN || errno == EACCES)
				held(b);
			bb_perror_msg_and_die("can't lock '%s'", b->path);
		}
	} while (!board_in_place(b)); /* replaced while we came */
	return b->st.st_size != 0;
}

static void check_match(const struct board *b, const struct schema *s, int raw)
{
	if (b->raw != raw)
		bb_error_msg_and_die("'%s' is a %s --raw", b->path, raw ? "board: leave out" : "raw record: use");
	if (b->swap)
		bb_error_msg_and_die("can't write '%s': it is in another machine's byte order", b->path);
	if (s && !raw && strcmp(schema_text(s), b->text))
		bb_error_msg_and_die("'%s' has another schema: '%s'", b->path, b->text);
}

static void announce(const struct board *b)
{
	struct board_header own = { .state = BOARD_READY, .writer_pid = getpid() };
	uint64_t start;
	char name[32];

	start = process_start(own.writer_pid, name);
	memcpy(own.writer_start, &start, sizeof(start));
	own.writer_generation = atomic_load(b->map + BOARD_WORD(writer_generation)) + 1;
	for (size_t i = BOARD_WORD(state); i < BOARD_WORD(reserved); i++)
		atomic_store(b->map + i, ((const uint32_t *)&own)[i]);
}

static void withdraw(const struct board *b)
{
	atomic_store(b->map + BOARD_WORD(state), BOARD_CLOSED);
	close(b->fd);
	futex_wake(b->map + BOARD_WORD(seq)); /* who needs a live writer sees that there is none */
}

/* After these checks the file is made, so that a wrong field leaves nothing behind. */
static void make_file(struct board *b, const struct schema *s, char **words, int raw)
{
	struct board_header *h = make_header(s, SLOTS);
	unsigned char *record = memset(xmalloc(s->record_size), 0, s->record_size);
	mode_t mask = umask(0);

	umask(mask);
	if (set_record(s, record, words, 0) < 0)
		exit(EXIT_USAGE);
	if (raw)
		create(b->path, 0644 & ~mask, b->fd >= 0, s->record_size, record, s->record_size);
	else
		create(b->path, 0644 & ~mask, b->fd >= 0,
			h->header_size + (off_t)h->nslots * h->slot_stride, h, h->header_size);
	free(record);
	free(h);
}

static void open_board(struct board *b, const char *schema, char **words, int raw)
{
	struct schema s;
	const char *wrong = schema_parse(&s, xasprintf("%s", schema ? schema : BOARD_SCHEMA));
	int tries = 0;

	if (wrong)
		bb_show_usage("invalid schema '%s': %s", schema, wrong);
	while (!attach(b)) {
		if (tries++ == 10) /* a link to nowhere */
			bb_perror_msg_and_die("can't open '%s'", b->path);
		make_file(b, &s, words, raw);
	}
	board_map(b, PROT_READ | PROT_WRITE);
	check_match(b, schema ? &s : NULL, raw);
	free(s.fields);
}

/* What the board says now, or zeros. */
static struct board_slot *first_slot(struct board *b)
{
	size_t size = sizeof(struct board_slot) + b->head.record_size + 3;
	struct board_slot *next = memset(xmalloc(size), 0, size);

	if (board_latest(b))
		memcpy(next, b->slot, size - 3);
	return next;
}

int mmapw_main(char **argv)
{
	static const int signals[] = { SIGINT, SIGTERM, 0 };
	char *schema = NULL, *interval = NULL, *count = NULL;
	opts_t opts = getopt32(argv, "S(schema):i(interval):c(count):-r(raw)", &schema, &interval, &count);
	struct board b = { .path = argv[optind], .fd = -1 };
	char **words = argv + optind + 1;
	int64_t period = interval ? xatodur("interval", interval) : NS_PER_S, next_time = monotonic_ns();
	uintmax_t todo = count ? xatou_range("count", count, 1, UINTMAX_MAX)
		: b.path && *words && !interval ? 1 : UINTMAX_MAX;
	struct board_slot *next;

	if (!b.path)
		bb_show_usage("no file");
	if (schema && opts & OPT('r'))
		bb_show_usage("--raw has its own schema");
	bb_signals(signals);
	open_board(&b, schema, words, !!(opts & OPT('r')));
	next = first_slot(&b);
	if (set_record(&b.schema, next->record, words, 0) < 0)
		exit(EXIT_USAGE);
	announce(&b);
	for (unsigned done = 0; !bb_got_signal;) {
		publish(&b, next);
		if (++done == todo)
			break;
		next_time += period;
		if (!sleep_until(next_time) || set_record(&b.schema, next->record, words, done) < 0)
			break;
	}
	withdraw(&b);
	if (bb_got_signal)
		die_of_signal(bb_got_signal);
	return EXIT_SUCCESS;
}
