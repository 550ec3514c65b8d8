/*
 * pipetest - prove the kernel's pipe, FIFO and mapping semantics, case by case
 *
 * SPDX-License-Identifier: 0BSD

config PIPETEST
	bool "pipetest"
	default y
	help
	  usage: pipetest [-elnqvxJ] [-t GLOB]... [-c CLASSES] [OPTION]...

	  Run the cases; print KTAP. Exit 0: no "not ok"; 1: some; 4: all skipped.

	  -l, --list            name, ids, class, needs and rule of each case
	  --explain ID          a case's rule, its source, what the tutorial says
	  -t, --test GLOB       only these, by name or id; -t may repeat
	  -c, --class PLIBE     only these: POSIX, Linux, implementation, bug probes,
	                        environment
	  -x, --exotic          also what costs much or touches others' quota
	  -m, --multiplier X    longer time limits: 2, 0.5
	  -s, --soak D          repeat each stress case for D: 10s, 5m
	  -r, --repeat N        run each case N times
	  --seed N              of the stress cases; the header prints it
	  --strict[=TOKEN,...]  a skip is a failure, but for these reasons
	  -e, --exit-first      stop at the first failure
	  -v, --verbose         show each call and its result
	  -n, --nested          a subtest per group
	  -q, --quiet           failures and totals only
	  -J, --json            a JSON object a line; --tap, --lava, --ptest: others'
	  -d, --dir DIR         where the cases' files go ($TMPDIR, /tmp, /run ...)

	  -b, --bench[=LIST]    measure instead: all, or what LIST names, as -b -l shows,
	                        or "sheet"; bars on a terminal, else KTAP; -J, --lava
	  -D, --duration D      of the whole run (10s)     --size LIST  chunks: 64,4k
	  --cpu A,B             the processors of the two sides
	  --compare FILE        what -b -J wrote before, beside this run, or beside a
	                        second FILE as operand: exit 5 if a figure's best slice
	                        is slower than its worst before
	  --tolerance P         by more than so many percent (25)
*/
#include "engine.h"
#include "bench/bench.h"

static const char *needs(const struct test_case *c)
{
	static const struct {
		unsigned char flag;
		char name[7];
	} flags[] = {
		{ NEEDS_PROC, "proc" },
		{ NEEDS_DIR, "dir" },
		{ EXOTIC, "exotic" },
		{ STRESS, "stress" },
		{ MYTH, "myth" },
	};
	static char text[40];
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (c->flags & flags[i].flag)
			len += scnprintf(text + len, sizeof(text) - len, len ? ",%s" : "%s",
				flags[i].name);
	return len ? text : "-";
}

static void list_json(const struct pick *p)
{
	record_begin(JSON);
	record_string("name", p->name);
	record_string("ids", pipetest_case_text(p->row, IDS));
	record_bytes("class", &p->c->class, 1);
	record_string("needs", needs(p->c));
	record_string("rule", pipetest_case_text(p->row, RULE));
	record_string("source", pipetest_case_text(p->row, SOURCE));
	record_end();
}

static void list(const struct pick *p)
{
	xprintf("%-28s %-16s %c %s %s\n", p->name, pipetest_case_text(p->row, IDS), p->c->class,
		needs(p->c), pipetest_case_text(p->row, RULE));
}

static void explain(const struct test_case *c, const char *row)
{
	static const char classes[] = "PLIBE";
	static const char *const meanings[] = {
		"POSIX shall", "Linux ABI", "implementation detail: reported, never judged",
		"probe for a known kernel bug", "environment",
	};

	xprintf("%s (%s)\nclass:  %c, %s\nrule:   %s\nsource: %s\n", pipetest_case_text(row, NAME),
		pipetest_case_text(row, IDS), c->class,
		meanings[strchr(classes, c->class) - classes],
		pipetest_case_text(row, RULE), pipetest_case_text(row, SOURCE));
}

static struct pick *cases_called(char *glob, unsigned *count)
{
	char *globs[] = { glob, NULL };
	struct options o = { .globs = globs, .exotic = true };
	struct pick *picks = pipetest_pick_cases(&o, count);

	if (!*count)
		bb_show_usage("no case '%s': pipetest -l lists them", glob);
	return picks;
}

static int explain_all(char *id)
{
	unsigned count;
	struct pick *picks = cases_called(id, &count);

	for (unsigned i = 0; i < count; i++)
		if (i == 0 || picks[i].c != picks[i - 1].c)
			explain(picks[i].c, picks[i].row);
	return EXIT_SUCCESS;
}

/* Parses "2" or "0.5" by xatodur(), and refuses a unit. With a multiplier of a
 * million, one case may run for about four months. */
static double multiplier(const char *str)
{
	enum { MAX = 1000000 };
	int64_t ns = xatodur("multiplier", str);

	if (ns == 0 || ns > MAX * NS_PER_S || !isdigit((unsigned char)str[strlen(str) - 1]))
		bb_show_usage("invalid multiplier: '%s'", str);
	return (double)ns / NS_PER_S;
}

static void check_classes(const char *classes)
{
	if (classes && (!*classes || strspn(classes, "PLIBE") != strlen(classes)))
		bb_show_usage("invalid classes: '%s'", classes);
}

static int64_t soak_time(const char *str)
{
	int64_t ns = xatodur("duration", str);

	if (ns == 0)
		bb_show_usage("invalid duration: '%s'", str);
	return ns;
}

/* These are the arguments of options that parse_words() and choose_format() parse. */
struct words {
	char *multiplier, *soak, *repeat, *seed, *strict;
	int tap, lava, ptest;
};

/* The first process of a kernel (libbb/init.c) sets TERM to "", because programs read its
 * console. */
static bool at_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(term && !*term);
}

/* Two output formats exclude each other. --lava goes with KTAP and TAP, because LAVA's parser finds
 * its lines between others. */
static enum format choose_format(opts_t opts, const struct words *w)
{
	bool json = opts & OPT('J'), tap = w->tap || w->lava || opts & OPT('n');

	if (json + w->ptest + tap > 1)
		bb_show_usage("--%s goes with no other output", json ? "json" : "ptest");
	if (json || w->ptest || w->tap)
		return json ? JSON_LINES : w->ptest ? PTEST : TAP13;
	if (w->lava || opts & (OPT('q') | OPT('n') | OPT('v')))
		return KTAP;
	return at_terminal() ? TERMINAL : KTAP;
}

static void parse_words(struct options *o, const struct words *w)
{
	if (w->multiplier)
		o->pace.multiplier = multiplier(w->multiplier);
	if (w->soak)
		o->pace.soak = soak_time(w->soak);
	if (w->repeat)
		o->pace.repeat = xatou_range("number of runs", w->repeat, 1, UINT_MAX);
	t.seed = w->seed ? xatou_range("seed", w->seed, 0, UINT32_MAX) : (uint32_t)monotonic_ns();
	o->strict = w->strict;
	o->lava = w->lava;
}

static struct pick *choose_cases(const struct options *o, unsigned *count)
{
	struct pick *picks;

	for (char **glob = o->globs; glob && *glob; glob++)
		(void)cases_called(*glob, count); /* dies if the glob matches no case */
	picks = pipetest_pick_cases(o, count);
	if (!*count)
		bb_show_usage("no such case%s without --exotic",
			o->classes ? " of these classes, or" : "");
	return picks;
}

/* Refuses the options of measurements without --bench, and those of cases with it. */
static void check_bench(opts_t opts, const struct bench_words *words)
{
	const char *of_cases = "cxmsrenqv";

	if (!(opts & OPT('b'))
		&& (words->duration || words->sizes || words->cpus || words->tolerance
			|| words->compare))
		bb_show_usage("--duration, --size, --cpu, --compare, --tolerance go with --bench");
	for (; opts & OPT('b') && *of_cases; of_cases++)
		if (opts & OPT(*of_cases))
			bb_show_usage("-%c goes without --bench", *of_cases);
}

static enum bench_form choose_bench_form(const struct options *o)
{
	if (o->format == TAP13 || o->format == PTEST)
		bb_show_usage("--bench prints a table, KTAP, --lava or --json");
	if (o->format == JSON_LINES)
		return BENCH_JSON;
	return o->lava || !at_terminal() ? BENCH_KTAP : BENCH_TABLE;
}

static opts_t pipetest_options(char **argv, struct options *o, char **id, char **dir,
	struct bench_plan *plan)
{
	struct bench_words words = { 0 };
	struct words w = { 0 };
	opts_t opts = getopt32(argv,
		"l(list)(explain):t(test):*c(class):x(exotic)m(multiplier):s(soak):r(repeat):"
		"(seed):(strict)::e(exit-first)v(verbose)n(nested)q(quiet)J(json)(tap)(lava)"
		"(ptest)d(dir):b(bench)::D(duration):(size):(cpu):(compare):(tolerance):",
		id, &o->globs, &o->classes, &w.multiplier, &w.soak, &w.repeat, &w.seed, &w.strict,
		&w.tap, &w.lava, &w.ptest, dir, &words.list, &words.duration, &words.sizes,
		&words.cpus, &words.compare, &words.tolerance);

	words.saved = argv[optind];
	if (words.saved && (!(opts & OPT('b')) || argv[optind + 1]))
		bb_show_usage("unexpected operand '%s'", argv[optind + !!(opts & OPT('b'))]);
	check_classes(o->classes);
	parse_words(o, &w);
	o->format = choose_format(opts, &w);
	o->exotic = opts & OPT('x');
	o->exit_first = opts & OPT('e');
	o->quiet = opts & OPT('q');
	o->nested = opts & OPT('n') && !o->quiet; /* -q prints failures without their group */
	t.verbose = opts & OPT('v');
	check_bench(opts, &words);
	if (opts & OPT('b')) {
		if (o->strict)
			bb_show_usage("--strict goes without --bench");
		plan->globs = o->globs;
		plan->lava = o->lava;
		plan->form = choose_bench_form(o);
		bench_parse(plan, &words);
	}
	return opts;
}

static int measure(const struct bench_plan *plan, bool list_only, const char *dir)
{
	if (list_only) {
		bench_list(plan);
		return EXIT_SUCCESS;
	}
	if (!plan->saved) {
		pipetest_children_start();
		pipetest_probe(dir);
	}
	return bench_run(plan);
}

int pipetest_main(char **argv)
{
	struct options o = { .pace = { .multiplier = 1, .repeat = 1 } };
	char *id = NULL, *dir = NULL;
	struct bench_plan plan = { 0 };
	opts_t opts = pipetest_options(argv, &o, &id, &dir, &plan);
	struct pick *picks;
	unsigned count;
	int sig, status;

	if (id)
		return explain_all(id);
	if (opts & OPT('b'))
		return measure(&plan, opts & OPT('l'), dir);
	picks = choose_cases(&o, &count);
	if (opts & OPT('l')) {
		for (unsigned i = 0; i < count; i++)
			(o.format == JSON_LINES ? list_json : list)(&picks[i]);
		return EXIT_SUCCESS;
	}
	pipetest_children_start();
	pipetest_probe(dir);
	pipetest_report_start(&o, picks, count);
	sig = pipetest_run_cases(picks, count, &o);
	status = pipetest_report_end(sig);
	if (sig) {
		pipetest_directory_remove();
		die_of_signal(sig);
	}
	return status;
}
