/*
 * mmapw - publish a record in a shared file, for mmapr and any other reader
 *
 * SPDX-License-Identifier: 0BSD

config MMAPW
	bool "mmapw"
	default y
	help
	  usage: mmapw [options] FILE                  id=10 name='xiao bai' sex=M,
	                                               id up by one every second
	     or: mmapw [options] FILE FIELD=VALUE...   once
	     or: mmapw [options] FILE -                each line of stdin: such words,
	                                               or a JSON object of the fields

	  Publish in FILE a record that every mmapr sees whole. Fields not named
	  keep their value; in a new FILE they are zero.

	  -S, --schema SCHEMA    NAME:TYPE[@OFFSET],... (id:i32,name:str20,sex:char)
	                         i8-i64, u8-u64, f32, f64, bool, char, strN (N - 1
	                         bytes), binN (hex); TYPE[K] is an array: V,V,...
	  -i, --interval D       time between publications (1s; of lines: 0)
	  -c, --count N          end after N publications
	  -n, --slots N          how many a new FILE holds: 2, 4, 8, ... (2)
	  -m, --mode MODE        of a new FILE (0644)
	  -w, --wait-lock D      wait for another writer's end, else exit 124, not 3
	  -X, --exclusive        stay the writer until a signal ends it
	      --persist[=each|never|D]    write to disk each time (or each D)
	      --unlink           remove FILE at the end
	      --raw              the bare C struct, as without mmapw: may tear
	  -q, --quiet            no diagnostics: the exit status tells
	  -v, --verbose          say what FILE was and is; at the end, as on SIGUSR1, how
	                         many were published
*/
#include "mmapw.h"

struct writer {
	struct board b;
	struct board_slot *next;
	opts_t opts;
	char **words;            /* operands; none: the tutorial's job */
	const char *schema;
	uint32_t nslots;         /* 0: not said */
	int mode;                /* < 0: not said */
	int64_t lock_deadline;
	int64_t persist, next_sync; /* persist < 0: never; next_sync INT64_MAX: nothing is due */
	uintmax_t published;
};

struct input {
	char *buf;
	size_t size, start, end;
};

/* --- what is published ----------------------------------------------------------------- */

static int set_record(const struct writer *w, const struct schema *s, unsigned char *record,
	uintmax_t done)
{
	char id[16], name[] = "name=xiao bai", sex[] = "sex=M";
	char *job[] = { id, name, sex, NULL };

	scnprintf(id, sizeof(id), "id=%" PRId32, (int32_t)(10 + done));
	return board_set_words(s, record, *w->words ? w->words : job);
}

static void futex_wake(_Atomic uint32_t *word)
{
	(void)syscall(SYS_futex, word, FUTEX_OP_WAKE, INT_MAX, NULL, NULL, 0); /* no one may wait */
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts); /* cannot fail with the clocks used here */
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void store_words(_Atomic uint32_t *to, const void *from, size_t words)
{
	for (size_t i = 0; i < words; i++)
		atomic_store_explicit(to + i, ((const uint32_t *)from)[i], memory_order_relaxed);
}

static void sync_board(struct writer *w)
{
	if (msync(w->b.map, w->b.len, MS_SYNC) < 0)
		bb_perror_msg_and_die("can't write '%s' to disk", w->b.path);
	w->next_sync = INT64_MAX;
}

static void show_status(const struct writer *w)
{
	bb_error_msg("'%s': published %ju, now at publication %" PRIu64, w->b.path, w->published,
		w->next ? w->next->publications : 0);
}

/* What has to be done from time to time: each wait ends once a second. */
static void attend(struct writer *w)
{
	if (board_status_asked())
		show_status(w);
	if (!board_has_ticked())
		return;
	if (monotonic_ns() >= w->next_sync)
		sync_board(w);
	if (!board_in_place(&w->b))
		bb_error_msg_and_die("'%s' was removed or replaced", w->b.path);
}

static void persist(struct writer *w)
{
	if (!w->persist) {
		sync_board(w);
	} else if (w->persist > 0 && w->next_sync == INT64_MAX) {
		w->next_sync = monotonic_ns() + w->persist;
		board_tick(w->persist < NS_PER_S ? w->persist : NS_PER_S);
	}
}

/* The latch: see board.c. */
static void publish(struct writer *w, int wake)
{
	struct board *b = &w->b;
	struct board_slot *next = w->next;

	if (b->raw) {
		store_words(b->map, next->record, b->len / 4);
	} else {
		next->n = ++next->publications;
		next->crc = crc32(0, next->record, b->head.record_size);
		next->boottime_ns = now_ns(CLOCK_BOOTTIME);
		next->realtime_ns = now_ns(CLOCK_REALTIME);
		atomic_thread_fence(memory_order_release);
		store_words(b->map + board_slot_word(b, next->n), next,
			(sizeof(*next) + b->head.record_size + 3) / 4);
		atomic_store_explicit(b->map + BOARD_WORD(seq), next->n, memory_order_release);
		if (wake)
			futex_wake(b->map + BOARD_WORD(seq));
	}
	w->published++;
	persist(w);
	attend(w);
}

/* --- the file -------------------------------------------------------------------------- */

static void check_match(const struct writer *w, const struct schema *s)
{
	const struct board *b = &w->b;
	int raw = !!(w->opts & OPT('r'));

	if (b->raw != raw)
		bb_error_msg_and_die("'%s' is a %s --raw", b->path,
			raw ? "board: leave out" : "raw record: use");
	if (b->swap)
		bb_error_msg_and_die(
			"can't write '%s': it is in another machine's byte order", b->path);
	if (w->schema && strcmp(schema_text(s), b->text))
		bb_error_msg_and_die("'%s' has another schema: '%s'", b->path, b->text);
	if (w->nslots && w->nslots != b->head.nslots)
		bb_error_msg_and_die("'%s' has %u slots", b->path, (unsigned)b->head.nslots);
}

static int parse_board_mode(const char *mode)
{
	uintmax_t bits;
	const char *end = parse_digits(mode, 8, &bits);

	if (!end || *end || bits > 07777)
		bb_show_usage("invalid mode: '%s'", mode);
	return bits;
}

/* What was asked for, or that of the empty file which is there, or as of any new file. */
static mode_t file_mode(const struct writer *w)
{
	mode_t mask = umask(0);

	umask(mask);
	if (w->mode >= 0)
		return w->mode;
	return w->b.fd >= 0 ? w->b.st.st_mode & 0777 : 0644 & ~mask;
}

/* After these checks the file is made, so that a wrong field leaves nothing behind. */
static void make_file(const struct writer *w, const struct schema *s, unsigned char *record)
{
	struct board_header *h = board_make_header(s, w->nslots ? w->nslots : 2);
	struct image m = {
		.size = h->header_size + (off_t)h->nslots * h->slot_stride,
		.head = h, .head_len = h->header_size, .mode = file_mode(w),
		.old = w->b.fd >= 0 ? &w->b.st : NULL, .persist = w->persist >= 0,
		.verbose = w->b.verbose,
	};

	if (w->opts & OPT('r')) {
		m.size = m.head_len = s->record_size;
		m.head = record;
	}
	board_create(w->b.path, &m);
	free(h);
}

/* After a reboot the times in a board mean nothing, and a power cut may have kept seq and
 * the slots of different publications: the newest that is whole begins a new file. */
static void remake_file(const struct writer *w, struct board *b)
{
	struct board_header *h = xmalloc(b->head.header_size);
	struct image m = {
		.size = b->len, .head = h, .head_len = b->head.header_size,
		.mode = b->st.st_mode & 0777, .old = &b->st, .persist = w->persist >= 0,
		.verbose = b->verbose,
	};

	if (pread(b->fd, h, m.head_len, 0) != (ssize_t)m.head_len)
		bb_perror_msg_and_die("can't read '%s'", b->path);
	h->seq = 0;
	board_seal_header(h);
	if (board_latest(b)) {
		h->seq = b->slot->n;
		m.slot = b->slot;
		m.slot_len = sizeof(*b->slot) + b->head.record_size;
		m.slot_at = (off_t)board_slot_word(b, h->seq) * 4;
	}
	board_create(b->path, &m);
	free(h);
}

static void open_board(struct writer *w)
{
	struct schema s;
	const char *wrong = schema_parse(&s, xasprintf("%s", w->schema ? w->schema : BOARD_SCHEMA));
	struct board *b = &w->b;
	unsigned char *record;
	int tries = 0;

	if (wrong)
		bb_show_usage("invalid schema '%s': %s", w->schema, wrong);
	for (; !board_attach(b, w->lock_deadline); make_file(w, &s, record)) {
		record = memset(xmalloc(s.record_size), 0, s.record_size);
		if (w->words && set_record(w, &s, record, 0) < 0)
			exit(EXIT_USAGE);
		if (tries++ == 10) /* a link to nowhere */
			bb_perror_msg_and_die("can't open '%s'", b->path);
	}
	board_map(b, PROT_READ | PROT_WRITE);
	check_match(w, &s);
	if (b->other_boot) {
		remake_file(w, b);
		board_unmap(b);
		b->fd = -1;
		if (!board_attach(b, w->lock_deadline))
			bb_perror_msg_and_die("can't open '%s'", b->path);
		board_map(b, PROT_READ | PROT_WRITE);
	}
	board_fill_holes(b);
}

/* What the board says now, or zeros, is what the first publication changes. */
static void begin(struct writer *w)
{
	struct board *b = &w->b;
	struct board_header own = { .state = BOARD_READY, .writer_pid = getpid() };
	size_t size = sizeof(struct board_slot) + b->head.record_size + 3;
	uint64_t start;
	char name[32];

	w->next = memset(xmalloc(size), 0, size);
	if (board_latest(b))
		memcpy(w->next, b->slot, size - 3);
	if (w->words && set_record(w, &b->schema, w->next->record, 0) < 0)
		exit(EXIT_USAGE);
	if (b->raw)
		return;
	start = board_process_start(own.writer_pid, name);
	memcpy(own.writer_start, &start, sizeof(start));
	own.writer_generation = atomic_load(b->map + BOARD_WORD(writer_generation)) + 1;
	if (b->verbose)
		bb_error_msg("'%s': schema %s, %u slots, publication %" PRIu64 "; %s", b->path,
			b->text, (unsigned)b->head.nslots, w->next->publications,
			own.writer_generation == 1 ? "the first writer"
			: atomic_load(b->map + BOARD_WORD(state)) == BOARD_CLOSED
			? "the former writer ended in order" : "the former writer died");
	store_words(
		b->map + BOARD_WORD(state), &own.state, BOARD_WORD(reserved) - BOARD_WORD(state));
}

/* Who needs a live writer is woken and sees that there is none. */
static void end(struct writer *w)
{
	struct board *b = &w->b;
	int in_place;

	if (w->next_sync != INT64_MAX)
		sync_board(w);
	in_place = board_in_place(b);
	if (!in_place && !bb_got_signal)
		bb_error_msg_and_die("'%s' was removed or replaced", b->path);
	if (in_place && w->opts & OPT('u') && unlink(b->path) < 0)
		bb_perror_msg_and_die("can't remove '%s'", b->path);
	if (!b->raw)
		atomic_store(b->map + BOARD_WORD(state), BOARD_CLOSED);
	close(b->fd);
	if (!b->raw)
		futex_wake(b->map + BOARD_WORD(seq));
}

/* --- the three ways ---------------------------------------------------------------------- */

static void nap_until(struct writer *w, int64_t deadline)
{
	for (; !bb_got_signal && monotonic_ns() < deadline; attend(w))
		(void)sleep_until(deadline);
}

/* The next line, or NULL at the end; *more: another is there already. */
static char *next_line(struct writer *w, struct input *in, int *more)
{
	char *line, *eol;
	ssize_t n = 1;

	while (!(eol = memchr(in->buf + in->start, '\n', in->end - in->start)) && n) {
		memmove(in->buf, in->buf + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
		if (in->end == in->size)
			bb_error_msg_and_die("can't take a line of more than %zu bytes", in->size);
		do {
			attend(w);
			n = bb_got_signal
				? 0
				: read(STDIN_FILENO, in->buf + in->end, in->size - in->end);
		} while (n < 0 && errno == EINTR);
		if (bb_got_signal)
			return NULL;
		if (n < 0)
			bb_perror_msg_and_die("can't read standard input");
		in->end += n;
	}
	if (!eol && in->start == in->end)
		return NULL;
	if (!eol)
		eol = in->buf + in->end++; /* the last one has no end; there is room for it */
	*eol = '\0';
	line = in->buf + in->start;
	in->start = eol + 1 - in->buf;
	*more = memchr(in->buf + in->start, '\n', in->end - in->start) != NULL;
	return line;
}

/* A line with a mistake publishes nothing, and is remembered to the end. */
static int publish_lines(struct writer *w, int64_t period, uintmax_t todo)
{
	uint32_t size = w->b.head.record_size;
	struct input in = { .size = (1 << 16) + 9 * (size_t)size };
	unsigned char *record = xmalloc(size);
	int status = EXIT_SUCCESS, more;
	int64_t next_time = monotonic_ns();
	char *line;

	in.buf = xmalloc(in.size + 1);
	while (todo && (line = next_line(w, &in, &more))) {
		if (!line[strspn(line, " \t\r")])
			continue;
		memcpy(record, w->next->record, size);
		if (board_set_line(&w->b.schema, record, line, in.buf + in.start - 1) < 0) {
			status = EXIT_USAGE;
			continue;
		}
		if (period)
			nap_until(w, next_time);
		if (bb_got_signal)
			break;
		memcpy(w->next->record, record, size);
		publish(w, !more || period || todo == 1);
		todo--;
		next_time = period ? monotonic_ns() + period : 0;
	}
	return status;
}

static void publish_words(struct writer *w, int64_t period, uintmax_t todo)
{
	int64_t next_time = monotonic_ns();

	for (uintmax_t done = 0; done < todo && !bb_got_signal; nap_until(w, next_time)) {
		(void)set_record(w, &w->b.schema, w->next->record, done); /* begin() has tried */
		publish(w, 1);
		if (++done < todo)
			next_time += period;
	}
}

static int64_t parse_persist(opts_t opts, const char *when)
{
	if (!(opts & OPT('p')) || (when && strcmp(when, "never") == 0))
		return -1;
	return !when || strcmp(when, "each") == 0 ? 0 : xatodur("persist", when);
}

/* As pipesz does: errors of usage are told, what comes later is not. Without a /dev/null it
 * stays on stderr. */
static void be_quiet(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)dup2(fd, STDERR_FILENO);
}

int mmapw_main(char **argv)
{
	static const int signals[] = { SIGINT, SIGTERM, 0 };
	char *schema = NULL, *mode = NULL, *interval = NULL, *count = NULL, *slots = NULL;
	char *wait_lock = NULL, *persist = NULL;
	struct writer w = { .opts = getopt32(argv,
				    "S(schema):i(interval):c(count):n(slots):m(mode):"
				    "w(wait-lock):X(exclusive)-p(persist)::-u(unlink)-r(raw)"
				    "q(quiet)v(verbose)",
				    &schema, &interval, &count, &slots, &mode, &wait_lock,
				    &persist) };
	int64_t period = interval ? xatodur("interval", interval) : NS_PER_S;
	int lines, status = EXIT_SUCCESS;
	uintmax_t todo;

	if (!argv[optind])
		bb_show_usage("no file");
	w.b = (struct board){ .path = argv[optind], .fd = -1, .verbose = !!(w.opts & OPT('v')) };
	w.words = argv + optind + 1;
	lines = *w.words && strcmp(*w.words, "-") == 0 && !w.words[1];
	todo = count ? xatou_range("count", count, 1, UINTMAX_MAX)
		: *w.words && !lines && !interval ? 1 : UINTMAX_MAX;
	w.schema = schema;
	w.mode = mode ? parse_board_mode(mode) : -1;
	w.nslots = slots ? xatou_range("number of slots", slots, 2, BOARD_SLOTS_MAX) : 0;
	w.lock_deadline = wait_lock ? monotonic_ns() + xatodur("time to wait", wait_lock) : 0;
	w.next_sync = INT64_MAX;
	w.persist = parse_persist(w.opts, persist);
	if (w.nslots & (w.nslots - 1))
		bb_show_usage("invalid number of slots: '%s': not 2, 4, 8, ...", slots);
	if (w.opts & OPT('r') && (schema || slots))
		bb_show_usage("--raw has its own schema and no slots");
	if (lines)
		w.words = NULL;
	bb_signals(signals);
	signal(SIGXFSZ, SIG_IGN); /* write(2) and fallocate(2): EFBIG instead */
	board_catch_usr1(0);
	if (w.opts & OPT('q'))
		be_quiet();
	open_board(&w);
	board_tick(NS_PER_S);
	begin(&w);
	if (lines)
		status = publish_lines(&w, interval ? period : 0, todo);
	else
		publish_words(&w, period, todo);
	if (w.opts & OPT('X'))
		nap_until(&w, INT64_MAX);
	end(&w);
	if (w.b.verbose)
		show_status(&w);
	if (bb_got_signal)
		die_of_signal(bb_got_signal);
	return status;
}
