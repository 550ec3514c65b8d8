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
	  keep their value; in a new FILE they are zero. FIELD[K]=VALUE sets one
	  element of an array, from [0] on.

	  -S, --schema SCHEMA    NAME:TYPE[@OFFSET],... (id:i32,name:str20,sex:char)
	                         i8-i64, u8-u64, f32, f64, bool, char, strN (N - 1
	                         bytes), binN (hex); TYPE[K] is an array: V,V,...
	  -i, --interval D       time between publications (1s; of lines: 0)
	  -c, --count N          end after N publications
	  -n, --slots N          how many a new FILE holds: 2, 4, 8, ... (2)
	  -m, --mode MODE        of a new FILE (0644)
	  -w, --wait-lock D      wait for another writer's end, else exit 124, not 3
	  -X, --exclusive        stay the writer until a signal ends it
	      --replace          make FILE anew with another schema or number of
	                         slots; fields of the same name keep their value
	      --persist[=each|never|D]    write to disk each time (or each D)
	      --unlink           remove FILE at the end if this run made it
	      --raw              the bare C struct, as without mmapw: may tear
	  -q, --quiet            no diagnostics: the exit status tells
	  -v, --verbose          say what FILE was and is; at the end, as on SIGUSR1, how
	                         many were published
*/
#include "mmapw.h"

struct input {
	char *buf;
	size_t size, start, end;
};

static void nap_until(struct writer *w, int64_t deadline)
{
	for (; !bb_got_signal && monotonic_ns() < deadline; board_attend(w))
		(void)sleep_until(deadline);
}

/* Returns the next line, or NULL at the end. *more tells whether another line has been read
 * already. */
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
			board_attend(w);
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
		eol = in->buf + in->end++; /* the last line may lack it; buf has room */
	*eol = '\0';
	line = in->buf + in->start;
	in->start = eol + 1 - in->buf;
	*more = memchr(in->buf + in->start, '\n', in->end - in->start) != NULL;
	return line;
}

/* A line with a mistake publishes nothing. The lines after it are published, and the exit status
 * tells of the mistake at the end. */
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
		if (!*board_skip_space(line))
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
		board_publish(w, !more || period || todo == 1);
		todo--;
		next_time = period ? monotonic_ns() + period : 0;
	}
	return status;
}

static void publish_words(
	struct writer *w, char **words, int64_t period, uintmax_t todo)
{
	int64_t next_time = monotonic_ns();

	for (uintmax_t done = 0; done < todo && !bb_got_signal; nap_until(w, next_time)) {
		/* board_begin has tried the words */
		(void)board_set_record(&w->b.schema, w->next->record, words, done);
		board_publish(w, 1);
		if (++done < todo)
			next_time += period;
	}
}

static int parse_board_mode(const char *mode)
{
	uintmax_t bits;
	const char *end = parse_digits(mode, 8, &bits);

	if (!end || *end || bits > 07777)
		bb_show_usage("invalid mode: '%s'", mode);
	return bits;
}

static uint32_t parse_slots(const char *text)
{
	uint32_t n = text ? xatou_range("number of slots", text, 2, BOARD_SLOTS_MAX) : 0;

	if (n & (n - 1))
		bb_show_usage("invalid number of slots: '%s': not 2, 4, 8, ...", text);
	return n;
}

/* Returns the nanoseconds between two writes to disk, or < 0 for never. */
static int64_t parse_persist(const char *when)
{
	if (!when || strcmp(when, "never") == 0)
		return -1;
	return !*when || strcmp(when, "each") == 0 ? 0 : xatodur("persist", when);
}

/* Messages go to /dev/null from here on. Errors of usage were told before, as pipesz --quiet
 * tells them. Where there is no /dev/null, all messages are still told. */
static void be_quiet(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)dup2(fd, STDERR_FILENO);
}

static void check_wanted(const struct wanted *want)
{
	if (want->raw && (want->schema || want->nslots))
		bb_show_usage("--raw has its own schema and no slots");
	if (want->raw && want->replace)
		bb_show_usage("--raw and --replace exclude each other");
	if (want->replace && !want->schema && !want->nslots)
		bb_show_usage("--replace needs -S or -n");
}

static int is_lines(char *const *operands)
{
	return *operands && strcmp(*operands, "-") == 0 && !operands[1];
}

static int mmapw_run(struct writer *w, const struct wanted *want, int64_t period, uintmax_t todo)
{
	static const int signals[] = { SIGINT, SIGTERM, 0 };
	int status = EXIT_SUCCESS;

	bb_signals(signals);
	board_catch_usr1(0);
	w->unlink &= board_open(&w->b, want);
	board_tick(NS_PER_S);
	board_begin(w, want->words);
	if (want->words)
		publish_words(w, want->words, period, todo);
	else
		status = publish_lines(w, period, todo);
	if (want->exclusive)
		nap_until(w, INT64_MAX);
	board_end(w);
	if (w->verbose)
		board_show_status(w);
	if (bb_got_signal)
		die_of_signal(bb_got_signal);
	return status;
}

int mmapw_main(char **argv)
{
	char *schema = NULL, *mode = NULL, *interval = NULL, *count = NULL, *slots = NULL;
	char *wait_lock = NULL, *persist = NULL, **operands;
	struct wanted want = { .mode = -1 };
	struct writer w = { .next_sync = INT64_MAX };
	opts_t opts = getopt32(argv,
		"S(schema):i(interval):c(count):n(slots):m(mode):w(wait-lock):X(exclusive)"
		"(persist)::(unlink)(raw)(replace)q(quiet)v(verbose)",
		&schema, &interval, &count, &slots, &mode, &wait_lock, &persist, &w.unlink,
		&want.raw, &want.replace);
	int64_t period = interval ? xatodur("interval", interval) : NS_PER_S;
	int lines, once;

	if (!argv[optind] || !*argv[optind])
		bb_show_usage("no file");
	operands = argv + optind + 1;
	lines = is_lines(operands);
	once = *operands && !lines && !interval;
	w.b = (struct board){ .path = argv[optind], .fd = -1 };
	w.persist = parse_persist(persist);
	w.verbose = want.verbose = !!(opts & OPT('v'));
	want.words = lines ? NULL : operands;
	want.schema = schema;
	want.nslots = parse_slots(slots);
	if (mode)
		want.mode = parse_board_mode(mode);
	want.persist = w.persist >= 0;
	want.exclusive = !!(opts & OPT('X'));
	want.lock_deadline = wait_lock ? monotonic_ns() + xatodur("time to wait", wait_lock) : 0;
	check_wanted(&want);
	if (opts & OPT('q'))
		be_quiet();
	return mmapw_run(&w, &want, lines && !interval ? 0 : period,
		count ? xatou_range("count", count, 1, UINTMAX_MAX) : once ? 1 : UINTMAX_MAX);
}
