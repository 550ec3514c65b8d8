/*
 * mmapr - read the record that mmapw publishes
 *
 * SPDX-License-Identifier: 0BSD

config MMAPR
	bool "mmapr"
	default y
	help
	  usage: mmapr [options] FILE

	  Print the latest record of FILE once a second, as
	  id=10<TAB> name=xiao bai<TAB> sex=M. mmapw --raw's bare struct is read too.

	  -1, --once             print it once
	  -w, --wait             wait for the next publication, print it, exit
	  -f, --follow           print each publication as it comes; both wait for
	                         FILE if there is none yet, else exit 3
	  -H, --history[=N]      print what the slots still hold (the last N)
	  -s, --since SEQ        only what was published after publication SEQ
	  -i, --interval D       time between prints (1s)
	  -t, --timeout D        wait at most D for a publication, else exit 124
	  -a, --max-age D        exit 4 if the record is older
	  -W, --require-writer   exit 4 if no writer lives
	  -o, --fields A,B       these fields; seq and time are the publication's
	  -F, --format STRING    as 'id=%{id}\n'
	  -J, --json             as {"id":10,...}; what is no UTF-8 as NAME_b64
	      --pairs            as board_id='10' board_name='xiao bai' board_sex='M'
	      --prefix WORD      WORD instead of board_ in --pairs
	      --plain            lines on a terminal too, where -f and -i else show
	                         a field a line in place, and * where it changed
	      --info             the header, the schema, the writer (also -J, --pairs)
	      --check            exit 5, and say why, if FILE is damaged, else 0
	      --emit-c[=PREFIX]  a C header to read and write such a board with;
	                         its names begin with PREFIX (board)
	  On SIGUSR1 it says how many it printed and missed.
*/
#include "mmapr.h"

/* Copies the latest record. Returns false if there is none, or none after --since. */
static int has_record(struct board_reader *r)
{
	return board_latest(&r->b) && (r->asked.since < 0 || (int32_t)(r->b.slot->n - r->last) > 0);
}

static void print_copied(struct board_reader *r)
{
	board_require_writer(r);
	board_print_checked(r);
}

static void print_latest(struct board_reader *r)
{
	if (!has_record(r))
		board_nothing_published(r);
	print_copied(r);
}

static void print_history(struct board_reader *r)
{
	board_require_writer(r);
	if ((int32_t)(board_last_number(&r->b) - r->last) <= 0 || !board_latest(&r->b))
		board_nothing_published(r);
	/* There is nothing to print from before the first publication. */
	if (r->b.slot->n - r->last > r->b.slot->publications)
		r->last = r->b.slot->n - r->b.slot->publications;
	board_print_news(r);
}

/* Checks each slot but the one that the writer may change. board_map has checked all else. */
static void check_slots(struct board_reader *r)
{
	struct board *b = &r->b;

	if (!b->raw && board_latest(b)) {
		uint32_t seq = b->slot->n, n = b->head.nslots - 1;

		for (n = n < b->slot->publications ? n : b->slot->publications; n; n--)
			(void)board_copy(b, seq - n + 1); /* ends the program if it is damaged */
	}
}

/* Sleeps in slices of a second, so that a SIGUSR1 that comes just before a sleep is answered
 * within a second. */
static void nap_until(const struct board_reader *r, int64_t deadline)
{
	for (int64_t now; (now = monotonic_ns()) < deadline; board_answer_usr1(r))
		(void)sleep_until(deadline - now < NS_PER_S ? deadline : now + NS_PER_S);
}

static void print_once(struct board_reader *r)
{
	print_latest(r);
}

static void print_next(struct board_reader *r)
{
	board_wait_for_news(r);
	r->asked.since = -1;
	print_latest(r);
}

static void print_followed(struct board_reader *r)
{
	for (;;) {
		board_wait_for_news(r);
		board_print_news(r);
	}
}

/* Prints the latest record once each period. While nothing has the board's name, nothing is
 * printed. A board that comes back may have no record at first. */
static void repeat(struct board_reader *r)
{
	int64_t next = monotonic_ns();

	print_latest(r);
	r->asked.waits = 1;
	for (;;) {
		next += r->asked.period;
		nap_until(r, next);
		if (board_go_along(r) && has_record(r))
			print_copied(r);
	}
}

static void print_board_header(struct board_reader *r)
{
	board_print_info(&r->b, r->out.style, !r->b.raw && board_has_writer(r->b.fd));
	board_require_writer(r);
}

static void check(struct board_reader *r)
{
	check_slots(r);
	board_require_writer(r);
}

static void emit(struct board_reader *r)
{
	board_emit_c(&r->b, r->asked.emit_prefix);
	board_require_writer(r);
}

/* --- the options ----------------------------------------------------------------------- */

enum { ONCE, WAIT, FOLLOW, HISTORY, REPEAT, INFO, CHECK, EMIT, MODES };

/* run does what the mode is for. The flags say whether the mode awaits a missing file, needs
 * numbered publications (a raw record has none), and shows records in place on a terminal. */
static const struct {
	void (*run)(struct board_reader *r);
	char waits, need_sequence, in_place;
} modes[MODES] = {
	[ONCE] = { print_once, 0, 0, 0 },
	[WAIT] = { print_next, 1, 1, 0 },
	[FOLLOW] = { print_followed, 1, 1, 1 },
	[HISTORY] = { print_history, 0, 1, 0 },
	[REPEAT] = { repeat, 0, 0, 1 },
	[INFO] = { print_board_header, 0, 1, 0 },
	[CHECK] = { check, 0, 0, 0 },
	[EMIT] = { emit, 0, 1, 0 },
};

static int pick_mode(const char given[MODES])
{
	int mode = REPEAT, n = 0;

	for (int i = 0; i < MODES; i++)
		if (given[i]) {
			mode = i;
			n++;
		}
	if (n > 1)
		bb_show_usage(
			"only one of -1, -w, -f, -H, -i, --info, --check and --emit-c can be");
	return mode;
}

static void check_forms(const struct output *out, int json, int pairs)
{
	if (json + pairs + !!out->format > 1)
		bb_show_usage("only one of -J, --pairs and -F can be");
	if (out->format && out->fields)
		bb_show_usage("-F names its fields itself: leave -o out");
	if (out->prefix && !pairs)
		bb_show_usage("--prefix needs --pairs");
}

/* A prefix is what may begin the name of a variable in shell and C. */
static const char *check_prefix(const char *word)
{
	size_t len = strspn(word,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	if (word[len] || isdigit((unsigned char)*word))
		bb_show_usage("invalid prefix: '%s': letters, digits and _", word);
	return word;
}

/* Returns how many records --history wants, or 0 without --history. */
static uint32_t parse_history(int given, const char *history)
{
	if (!given)
		return 0;
	return history ? xatou_range("number of records", history, 1, UINT32_MAX / 2)
		: UINT32_MAX / 2;
}

static void mmapr_run(struct board_reader *r, int mode)
{
	board_catch_usr1(SA_RESTART); /* stdio would take EINTR for a failure to write */
	r->asked.waits = modes[mode].waits;
	r->asked.need_sequence |= modes[mode].need_sequence;
	if (board_reader_open(r)) {
		if (!r->b.raw)
			board_set_start(r);
	} else if (!r->asked.waits) {
		board_nothing_published(r);
	}
	modes[mode].run(r);
}

int mmapr_main(char **argv)
{
	char *interval = NULL, *since = NULL, *history = NULL, *timeout = NULL, *age = NULL;
	char *emit_prefix = NULL, *prefix = NULL;
	struct board_reader r = { .asked = { .max_age = -1, .timeout = -1, .since = -1 } };
	int pairs = 0, plain = 0, info = 0, check_only = 0, mode;
	opts_t opts = getopt32(argv,
		"1(once)w(wait)f(follow)H(history)::s(since):i(interval):t(timeout):"
		"a(max-age):W(require-writer)o(fields):F(format):J(json)(pairs)(prefix):(plain)"
		"(info)(check)(emit-c)::",
		&history, &since, &interval, &timeout, &age, &r.out.fields, &r.out.format,
		&pairs, &prefix, &plain, &info, &check_only, &emit_prefix);
	const char given[MODES] = { [ONCE] = !!(opts & OPT('1')), [WAIT] = !!(opts & OPT('w')),
		[FOLLOW] = !!(opts & OPT('f')), [HISTORY] = !!(opts & OPT('H')),
		[REPEAT] = !!interval, [INFO] = info, [CHECK] = check_only,
		[EMIT] = !!emit_prefix };

	if (!argv[optind] || !*argv[optind])
		bb_show_usage("no file");
	if (argv[optind + 1])
		bb_show_usage("unexpected operand '%s'", argv[optind + 1]);
	mode = pick_mode(given);
	if (timeout && !modes[mode].waits)
		bb_show_usage("-t needs -w or -f");
	r.out.prefix = prefix;
	check_forms(&r.out, !!(opts & OPT('J')), pairs);
	r.asked.period = interval ? xatodur("interval", interval) : NS_PER_S;
	if (timeout)
		r.asked.timeout = xatodur("timeout", timeout);
	if (age)
		r.asked.max_age = xatodur("age", age);
	if (since)
		r.asked.since = xatou_range("publication", since, 0, INT64_MAX);
	r.asked.history = parse_history(given[HISTORY], history);
	r.asked.need_writer = !!(opts & OPT('W'));
	r.asked.need_sequence = r.asked.need_writer || since || age;
	r.out.style = opts & OPT('J') ? JSON : pairs ? PAIRS : NO_RECORD;
	r.out.prefix = check_prefix(prefix ? prefix : "board_");
	r.asked.emit_prefix = emit_prefix && *emit_prefix ? emit_prefix : "board";
	(void)check_prefix(r.asked.emit_prefix);
	if (modes[mode].in_place && !plain && r.out.style == NO_RECORD && !r.out.format)
		r.out.screen = board_screen();
	r.b = (struct board){ .path = argv[optind], .fd = -1 };
	mmapr_run(&r, mode);
	return EXIT_SUCCESS;
}
