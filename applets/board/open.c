/*
 * open.c - find, lock, make or remake the board that mmapw writes to
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "mmapw.h"

enum { MANY_TRIES = 10 };
enum found { NO_FILE, EMPTY_FILE, READ_LOCKED, FOUND };

/* Ends the program because another writer holds the lock. A process is named only if its start is
 * the one in the board: in this PID namespace the pid alone may be another process's. */
static void NORETURN held(struct board *b, int status)
{
	const char *who = "another writer";
	char name[32];

	if (b->st.st_size)
		board_map(b, PROT_READ);
	if (b->map && !b->raw && board_writer_name(b, name)) {
		bb_error_msg("'%s' is held by pid %u (%s)", b->path,
			(unsigned)board_word(b, BOARD_WORD(writer_pid)), name);
		exit(status);
	}
	if (b->map && !b->raw && board_writer_start(b)
	    && board_word(b, BOARD_WORD(state)) == BOARD_READY)
		who = "a process of another container";
	bb_error_msg("'%s' is held by %s", b->path, who);
	exit(status);
}

/* Takes the lock, and waits for a writer's end until the deadline. Returns what board_lock
 * does. */
static int lock_in_time(const struct board *b, int64_t deadline, int verbose)
{
	int64_t left;
	int rc;

	do {
		if (board_status_asked())
			bb_error_msg("'%s': waiting for its writer's end", b->path);
		left = deadline - monotonic_ns();
		if (left > 0)
			board_tick(left < NS_PER_S ? left : NS_PER_S);
		rc = board_lock(b->fd, left > 0 && board_has_writer(b->fd));
	} while (rc < 0 && errno == EINTR && !bb_got_signal);
	if (bb_got_signal)
		die_of_signal(bb_got_signal);
	if (verbose)
		board_tell_lock(rc);
	return rc;
}

/* Takes the lock, or ends the program. A reader's F_RDLCK keeps the lock away, but most readers
 * hold it only for a moment, so 100 ms pass before the file counts as READ_LOCKED. */
static enum found lock_file(struct board *b, const struct wanted *want)
{
	for (int tries = 0; tries < MANY_TRIES; tries++) {
		if (lock_in_time(b, want->lock_deadline, want->verbose) >= 0)
			return b->st.st_size ? FOUND : EMPTY_FILE;
		if (board_is_unsupported())
			board_unsupported(b->path);
		if (errno != EAGAIN && errno != EACCES)
			bb_perror_msg_and_die("can't lock '%s'", b->path);
		if (board_has_writer(b->fd))
			held(b, want->lock_deadline ? EXIT_TIMED_OUT : EXIT_NOT_NOW);
		(void)sleep_until(monotonic_ns() + NS_PER_S / 100);
	}
	return b->st.st_size ? READ_LOCKED : EMPTY_FILE;
}

/* Opens the file that has the name, and locks it. */
static enum found find_file(struct board *b, const struct wanted *want)
{
	enum found found;

	do {
		if (b->fd >= 0)
			close(b->fd);
		b->fd = board_open_path(b->path, O_RDWR);
		if (b->fd < 0 && errno == ENOENT)
			return NO_FILE;
		if (b->fd < 0)
			bb_perror_msg_and_die("can't open '%s'", b->path);
		board_stat(b); /* it ends the program for a FIFO, which must not count as empty */
		found = lock_file(b, want);
	} while (!board_has_name(b)); /* another writer may replace it between open and lock */
	return found;
}

int board_set_record(const struct schema *s, unsigned char *record, char **words, uintmax_t done)
{
	char id[16], name[] = "name=xiao bai", sex[] = "sex=M";
	char *job[] = { id, name, sex, NULL };

	scnprintf(id, sizeof(id), "id=%" PRId32, (int32_t)(10 + done));
	return board_set_words(s, record, *words ? words : job);
}

/* Returns the mode of -m. Without -m it is the mode of the empty file that is there, or 0644 less
 * the umask for a new file. */
static mode_t file_mode(const struct board *b, int mode)
{
	mode_t mask = umask(0);

	umask(mask);
	if (mode >= 0)
		return mode;
	return b->fd >= 0 ? b->st.st_mode & 0777 : 0644 & ~mask;
}

/* Returns a record of zeros on which the words have been tried, or ends the program. So a wrong
 * word leaves no new file behind, and no old one changes. */
static unsigned char *try_words(const struct schema *s, char **words)
{
	unsigned char *record = memset(xmalloc(s->record_size), 0, s->record_size);

	if (words && board_set_record(s, record, words, 0) < 0)
		exit(EXIT_USAGE);
	return record;
}

/* Makes a file and returns it, or -1 if another process made one first. */
static int make_file(const struct board *b, const struct schema *s, const struct wanted *want)
{
	struct board_header *h = board_make_header(s, want->nslots ? want->nslots : 2);
	unsigned char *record = try_words(s, want->words);
	struct image m = {
		.size = h->header_size + (off_t)h->nslots * h->slot_stride,
		.head = h, .head_len = h->header_size, .mode = file_mode(b, want->mode),
		.old = b->fd >= 0 ? &b->st : NULL, .persist = want->persist,
		.verbose = want->verbose,
	};
	const char *target = board_dangling(b->path);
	int fd;

	if (target)
		bb_error_msg_and_die("can't open '%s': it is a symbolic link to '%s', which does "
			"not exist", b->path, target);
	if (want->raw) {
		m.size = m.head_len = s->record_size;
		m.head = record;
	}
	fd = board_create(b->path, &m);
	free(record);
	free(h);
	return fd;
}

/* Returns true if the file is not as it was asked for and --replace was given. Ends the program
 * if --replace would be needed, or would not help. */
static int needs_replacing(const struct board *b, const struct schema *s,
	const struct wanted *want)
{
	const char *asked = want->schema ? board_schema_text(s) : b->text;
	int other = want->schema && (b->raw || strcmp(asked, b->text));

	if (b->raw != want->raw && !(b->raw && want->replace && want->schema))
		bb_error_msg_and_die("'%s' is a %s --raw", b->path,
			want->raw ? "board: leave out" : "raw record: use");
	if (b->swap && !want->replace)
		bb_error_msg_and_die("can't write '%s': it is in another machine's byte order",
			b->path);
	if (other && !want->replace)
		bb_error_msg_and_die("'%s' has another schema: '%s', not '%s': use --replace",
			b->path, b->text, asked);
	if (want->nslots && want->nslots != b->head.nslots && !want->replace)
		bb_error_msg_and_die(
			"'%s' has %u slots: use --replace", b->path, (unsigned)b->head.nslots);
	return other || b->swap || (want->nslots && want->nslots != b->head.nslots);
}

/* Maps the file as it is, or makes it anew and maps the new one, and returns true if it made one.
 * If another process was faster, no file is mapped. */
static int settle(struct board *b, const struct schema *asked, enum found found,
	const struct wanted *want)
{
	const struct schema *s = &b->schema;
	int fd, anew;

	board_map(b, PROT_READ | PROT_WRITE);
	anew = needs_replacing(b, asked, want);
	if (!anew && found == FOUND)
		return 0;
	if (found == READ_LOCKED && want->verbose)
		bb_error_msg("'%s' is locked by a reader: it is made anew", b->path);
	if (anew && want->schema)
		s = asked;
	free(try_words(s, want->words));
	fd = board_remake(b, s, want->nslots ? want->nslots : b->raw ? 2 : b->head.nslots, want);
	board_unmap(b);
	b->fd = fd;
	if (fd < 0)
		return 0;
	board_map(b, PROT_READ | PROT_WRITE);
	return 1;
}

int board_open(struct board *b, const struct wanted *want)
{
	struct schema s;
	const char *schema = want->schema ? want->schema : BOARD_SCHEMA;
	const char *wrong = board_schema_parse(&s, xasprintf("%s", schema));
	enum found found;
	int made = 0;

	if (wrong)
		bb_show_usage("invalid schema '%s': %s", schema, wrong);
	for (int tries = 0; !b->map; tries++) {
		if (tries == MANY_TRIES)
			bb_error_msg_and_die("'%s' is replaced again and again", b->path);
		found = find_file(b, want);
		if (found == NO_FILE || found == EMPTY_FILE) {
			int fd = make_file(b, &s, want);

			if (b->fd >= 0)
				close(b->fd);
			b->fd = fd;
			found = FOUND;
			made = fd >= 0;
			if (!made)
				continue;
		}
		made |= settle(b, &s, found, want);
	}
	board_fill_holes(b);
	if (b->other_boot)
		board_renew(b, want->persist);
	return made;
}
