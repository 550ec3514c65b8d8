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
	  -f, --follow           print each publication as it comes
	  -H, --history[=N]      print what the slots still hold (the last N)
	  -s, --since SEQ        only what was published after publication SEQ
	  -i, --interval D       time between prints (1s)
	  -t, --timeout D        wait at most D for a publication, else exit 124
	  -a, --max-age D        exit 4 if the record is older
	  -W, --require-writer   exit 4 if no writer lives
	  -o, --fields A,B       these fields; seq and time are the publication's
	  -F, --format STRING    as 'id=%{id}\n'
	  -J, --json             as {"id":10,...}; what is no UTF-8 as NAME_b64
	      --pairs            as id='10' name='xiao bai' sex='M'
	      --info             the header, the schema, the writer (also -J, --pairs)
	      --check            exit 5, and say why, if FILE is damaged, else 0
	      --emit-c           a C header to read and write such a board with
	  On SIGUSR1 it says how many it printed and missed.
*/
#include <sys/file.h>
#include "mmapr.h"

struct reader {
	struct board b;
	struct output out;
	opts_t opts;
	uint32_t last;       /* printed, or not wanted any more */
	uintmax_t since;     /* with --since */
	uint32_t history;    /* how many, with --history */
	uintmax_t printed, missed;
	int64_t max_age, timeout;
};

static void open_board(struct reader *r)
{
	/* a FIFO of that name does not block us */
	r->b.fd = xopen(r->b.path, O_RDONLY | O_NONBLOCK);
	board_map(&r->b, PROT_READ);
	if (r->b.raw && r->opts & (OPT('w') | OPT('f') | OPT('H') | OPT('s') | OPT('a') | OPT('W')
	    | OPT('n') | OPT('e')))
		bb_error_msg_and_die(
			"'%s' is a raw record: only -1 and -i can be had of it", r->b.path);
	board_check_output(&r->b, &r->out);
}

/* Where one stands after publication number: the slots have 64 bits of it, seq has 32, so
 * that what is far away is as far as seq can tell. */
static uint32_t after(struct board *b, uint64_t number)
{
	uint64_t now = board_latest(b) ? b->slot->publications : 0;
	int64_t ahead = number - now;

	return now + (ahead > INT32_MAX ? INT32_MAX : ahead < -INT32_MAX ? -INT32_MAX : ahead);
}

/* In a file from before the last boot, seq may be of another time than the slots. */
static uint32_t last_number(struct board *b)
{
	return !b->other_boot ? board_seq(b) : board_latest(b) ? b->slot->n : 0;
}

/* Another file under the name is a new board; without any, the old one stays. */
static void follow_replaced(struct reader *r)
{
	struct stat st;

	if (!board_in_place(&r->b) && stat(r->b.path, &st) == 0) {
		board_unmap(&r->b);
		open_board(r);
		r->last = after(&r->b, 0);
	}
}

static void stale(const struct reader *r, const char *why)
{
	bb_error_msg("'%s' %s", r->b.path, why);
	exit(EXIT_STALE);
}

/* Asking takes nothing, also through a descriptor that may only read. Without locks of open
 * file descriptions (before 3.15) writers use flock(2), which has no way of only asking. */
static int has_writer(const struct board *b)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(b->fd, OFD_GETLK, &lock) == 0)
		return lock.l_type != F_UNLCK;
	if (flock(b->fd, LOCK_SH | LOCK_NB) < 0)
		return 1;
	(void)flock(b->fd, LOCK_UN);
	return 0;
}

static void require_writer(const struct reader *r)
{
	if (r->opts & OPT('W') && !has_writer(&r->b))
		stale(r, "has no live writer");
}

/* Boot time runs while the machine sleeps, but starts anew with each boot. A time that is
 * still to come is as good as none. */
static void require_age(const struct reader *r)
{
	const struct board_slot *slot = r->b.slot;
	struct timespec now;
	uint64_t age;

	if (!(r->opts & OPT('a')))
		return;
	(void)clock_gettime(r->b.other_boot ? CLOCK_REALTIME : CLOCK_BOOTTIME, &now);
	age = now.tv_sec * NS_PER_S + now.tv_nsec
		- (r->b.other_boot ? slot->realtime_ns : slot->boottime_ns);
	if (age > (uint64_t)r->max_age)
		stale(r, "has only a record that is too old");
}

static void print(struct reader *r)
{
	require_age(r);
	board_print(&r->b, &r->out);
	r->printed++;
}

static void answer_usr1(const struct reader *r)
{
	if (board_status_asked())
		bb_error_msg("'%s': printed %ju, missed %ju, %s", r->b.path, r->printed, r->missed,
			r->b.raw ? "raw" : has_writer(&r->b) ? "writer alive" : "no writer");
}

/* Sleeps while *word is value, at most ns nanoseconds. */
static void futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t ns)
{
	struct timespec ts = { ns / NS_PER_S, ns % NS_PER_S };
	long old[2] = { ts.tv_sec, ts.tv_nsec };
	int wide = sizeof(time_t) > sizeof(long);

	/* Before 5.1 a 32-bit kernel has only the call with 32-bit times. */
	if (!wide || (syscall(SYS_futex_time64, word, FUTEX_OP_WAIT, value, &ts, NULL, 0) < 0
		      && errno == ENOSYS))
		(void)syscall(
			SYS_futex, word, FUTEX_OP_WAIT, value, old, NULL, 0); /* the caller looks */
}

/* Until something is newer than r->last. Slices of a second: no one wakes us when a writer
 * dies or the file is replaced. */
static void wait_for_news(struct reader *r)
{
	int64_t deadline = monotonic_ns() + r->timeout;

	for (;;) {
		uint32_t seq = board_seq(&r->b);
		int64_t left = r->opts & OPT('t') ? deadline - monotonic_ns() : NS_PER_S;

		if ((int32_t)(last_number(&r->b) - r->last) > 0)
			return;
		answer_usr1(r);
		require_writer(r);
		if (left <= 0) {
			bb_error_msg("no publication in '%s' in time", r->b.path);
			exit(EXIT_TIMED_OUT);
		}
		futex_wait(r->b.map + BOARD_WORD(seq), r->b.swap ? __builtin_bswap32(seq) : seq,
			left < NS_PER_S ? left : NS_PER_S);
		if (board_seq(&r->b) == seq)
			follow_replaced(r);
	}
}

/* False if it was overwritten, or not kept over a reboot. */
static int copy_for_print(struct board *b, uint32_t n)
{
	if (b->other_boot)
		return board_copy_whole(b, n);
	return board_copy(b, n) && b->slot->publications;
}

static void NORETURN nothing_published(const struct reader *r)
{
	bb_error_msg("nothing is published in '%s' yet", r->b.path);
	exit(EXIT_NOT_NOW);
}

/* All after r->last that no writer can be at, in order. */
static void print_news(struct reader *r)
{
	uint32_t seq = last_number(&r->b), reach = r->b.head.nslots - 1;

	if (seq - r->last > reach) {
		r->missed += seq - r->last - reach;
		r->last = seq - reach;
	}
	while (r->last != seq)
		if (copy_for_print(&r->b, ++r->last))
			print(r);
		else
			r->missed++;
}

static void print_latest(struct reader *r, int since)
{
	int published = board_latest(&r->b);

	if (published && !r->b.raw && since && (int32_t)(r->b.slot->n - r->last) <= 0)
		published = 0;
	if (!published)
		nothing_published(r);
	require_writer(r);
	print(r);
}

static int is_one_of(opts_t set)
{
	return set && !(set & (set - 1));
}

static void check_modes(opts_t opts, const char *const *operands)
{
	opts_t modes = opts & (OPT('1') | OPT('w') | OPT('f') | OPT('H') | OPT('i')
		| OPT('n') | OPT('k') | OPT('e'));
	opts_t forms = opts & (OPT('J') | OPT('p') | OPT('F'));

	if (!operands[0])
		bb_show_usage("no file");
	if (operands[1])
		bb_show_usage("unexpected operand '%s'", operands[1]);
	if (modes && !is_one_of(modes))
		bb_show_usage(
			"only one of -1, -w, -f, -H, -i, --info, --check and --emit-c can be");
	if (forms && !is_one_of(forms))
		bb_show_usage("only one of -J, --pairs and -F can be");
	if (opts & OPT('F') && opts & OPT('o'))
		bb_show_usage("-F names its fields itself: leave -o out");
	if (opts & OPT('t') && !(opts & (OPT('w') | OPT('f'))))
		bb_show_usage("-t needs -w or -f");
}

/* Where to begin: after --since, or with what comes, or with what the slots hold. */
static void set_start(struct reader *r)
{
	uint32_t last = last_number(&r->b), n = r->b.head.nslots, from;

	r->last = last;
	if (r->opts & OPT('H'))
		r->last -= r->history < n ? r->history : n - 1;
	if (r->opts & OPT('s')) {
		from = after(&r->b, r->since);
		if (!(r->opts & OPT('H')) || (int32_t)(from - r->last) > 0)
			r->last = from;
	}
}

static void print_history(struct reader *r)
{
	if ((int32_t)(last_number(&r->b) - r->last) <= 0 || !board_latest(&r->b))
		nothing_published(r);
	/* Before the first publication there is nothing to print. */
	if (r->b.slot->n - r->last > r->b.slot->publications)
		r->last = r->b.slot->n - r->b.slot->publications;
	print_news(r);
}

/* All that is not being written. board_map has checked the rest. */
static void check_slots(struct reader *r)
{
	struct board *b = &r->b;

	if (!b->raw && board_latest(b)) {
		uint32_t seq = b->slot->n, n = b->head.nslots - 1;

		for (n = n < b->slot->publications ? n : b->slot->publications; n; n--)
			(void)board_copy(b, seq - n + 1); /* dies if it is damaged */
	}
}

/* In slices of a second, for the SIGUSR1 that comes just before the sleep. */
static void nap_until(const struct reader *r, int64_t deadline)
{
	for (int64_t now; (now = monotonic_ns()) < deadline; answer_usr1(r))
		(void)sleep_until(deadline - now < NS_PER_S ? deadline : now + NS_PER_S);
}

int mmapr_main(char **argv)
{
	char *interval = NULL, *since = NULL, *history = NULL, *timeout = NULL, *age = NULL;
	struct reader r = { .max_age = 0 };
	int64_t period, next = monotonic_ns();

	r.opts = getopt32(argv,
		"1(once)w(wait)f(follow)H(history)::s(since):i(interval):t(timeout):"
		"a(max-age):W(require-writer)o(fields):F(format):J(json)-p(pairs)"
		"-n(info)-k(check)-e(emit-c)",
		&history, &since, &interval, &timeout, &age, &r.out.fields, &r.out.format);
	check_modes(r.opts, (const char *const *)argv + optind);
	period = interval ? xatodur("interval", interval) : NS_PER_S;
	r.timeout = timeout ? xatodur("timeout", timeout) : 0;
	r.max_age = age ? xatodur("age", age) : 0;
	r.since = since ? xatou_range("publication", since, 0, INT64_MAX) : 0;
	r.history = history ? xatou_range("number of records", history, 1, UINT32_MAX / 2)
		: UINT32_MAX / 2;
	r.out.style = r.opts & OPT('J') ? JSON : r.opts & OPT('p') ? PAIRS : NO_RECORD;
	r.b.path = argv[optind];
	board_catch_usr1(SA_RESTART); /* stdio takes EINTR for a failure */
	open_board(&r);
	if (!r.b.raw)
		set_start(&r);
	if (r.opts & OPT('k'))
		check_slots(&r);
	if (r.opts & OPT('n'))
		board_print_info(&r.b, r.out.style, has_writer(&r.b));
	if (r.opts & OPT('e'))
		board_emit_c(&r.b);
	if (r.opts & (OPT('k') | OPT('n') | OPT('e') | OPT('H')))
		require_writer(&r);
	if (r.opts & OPT('H'))
		print_history(&r);
	if (r.opts & (OPT('k') | OPT('n') | OPT('e') | OPT('H')))
		return EXIT_SUCCESS;
	if (r.opts & OPT('1')) {
		print_latest(&r, since != NULL);
		return EXIT_SUCCESS;
	}
	if (r.opts & OPT('w')) {
		wait_for_news(&r);
		print_latest(&r, 0);
		return EXIT_SUCCESS;
	}
	for (;;) {
		if (r.opts & OPT('f')) {
			wait_for_news(&r);
			print_news(&r);
		} else {
			print_latest(&r, since != NULL);
			next += period;
			nap_until(&r, next);
			follow_replaced(&r);
		}
		answer_usr1(&r);
	}
}
