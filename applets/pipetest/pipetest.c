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
	  -e, --exit-first      stop at the first failure
	  -v, --verbose         show each call and its result
	  -n, --nested          a subtest per group
	  -q, --quiet           failures and totals only
	  -J, --json            a JSON object a line; --tap, --lava, --ptest: others'
	  -d, --dir DIR         where the cases' files go ($TMPDIR, /tmp, /run ...)
*/
#include "pipetest.h"

static void list(const struct pick *p)
{
	unsigned flags = p->c->flags;

	xprintf("%-28s %-16s %c %s%s%s%s %s\n", p->name, case_text(p->row, IDS), p->c->class,
		flags & NEEDS_PROC ? "proc" : flags & NEEDS_DIR ? "dir" : "-",
		flags & EXOTIC ? ",exotic" : "", flags & STRESS ? ",stress" : "",
		flags & MYTH ? ",myth" : "", case_text(p->row, RULE));
}

static void explain(const struct test_case *c, const char *row)
{
	static const char classes[] = "PLIBE";
	static const char *const meanings[] = {
		"POSIX shall", "Linux ABI", "implementation detail: reported, never judged",
		"probe for a known kernel bug", "environment",
	};

	xprintf("%s (%s)\nclass:  %c, %s\nrule:   %s\nsource: %s\n", case_text(row, NAME),
		case_text(row, IDS), c->class, meanings[strchr(classes, c->class) - classes],
		case_text(row, RULE), case_text(row, SOURCE));
}

static int explain_all(char *id)
{
	char *globs[] = { id, NULL };
	struct options o = { .globs = globs, .exotic = true };
	unsigned count;
	struct pick *picks = pick_cases(&o, &count);

	if (!count)
		bb_show_usage("no case '%s': pipetest -l lists them", id);
	for (unsigned i = 0; i < count; i++)
		if (i == 0 || picks[i].c != picks[i - 1].c)
			explain(picks[i].c, picks[i].row);
	return EXIT_SUCCESS;
}

/* "2", "0.5": what xatodur takes, without a unit. */
static double multiplier(const char *str)
{
	int64_t ns = xatodur("multiplier", str);

	if (ns == 0 || !isdigit((unsigned char)str[strlen(str) - 1]))
		bb_show_usage("invalid multiplier: '%s'", str);
	return (double)ns / NS_PER_S;
}

static void check_classes(const char *classes)
{
	if (classes && (!*classes || strspn(classes, "PLIBE") != strlen(classes)))
		bb_show_usage("invalid classes: '%s'", classes);
}

int pipetest_main(char **argv)
{
	struct options o = { .multiplier = 1, .repeat = 1 };
	char *id = NULL, *mult = NULL, *soak = NULL, *repeat = NULL, *seed = NULL, *dir = NULL;
	opts_t opts = getopt32(argv,
		"l(list)-E(explain):t(test):*c(class):x(exotic)m(multiplier):s(soak):"
		"r(repeat):-S(seed):e(exit-first)v(verbose)n(nested)q(quiet)J(json)-T(tap)-L(lava)-"
		"P(ptest)d(dir):",
		&id, &o.globs, &o.classes, &mult, &soak, &repeat, &seed, &dir);
	struct pick *picks;
	unsigned count;
	int sig, status;

	if (argv[optind])
		bb_show_usage("unexpected operand '%s'", argv[optind]);
	if (id)
		return explain_all(id);
	check_classes(o.classes);
	if (mult)
		o.multiplier = multiplier(mult);
	if (soak)
		o.soak = xatodur("duration", soak);
	if (repeat)
		o.repeat = xatou_range("number of runs", repeat, 1, UINT_MAX);
	t.seed = seed ? xatou_range("seed", seed, 0, UINT32_MAX) : (uint32_t)monotonic_ns();
	o.exotic = opts & OPT('x');
	o.exit_first = opts & OPT('e');
	picks = pick_cases(&o, &count);
	if (!count)
		bb_show_usage("no case matches");
	if (opts & OPT('l')) {
		for (unsigned i = 0; i < count; i++)
			list(&picks[i]);
		return EXIT_SUCCESS;
	}
	probe(dir, opts & OPT('v'));
	report_start(opts & OPT('J') ? JSON_LINES : opts & OPT('P') ? PTEST : opts & OPT('L') ? LAVA
		: opts & OPT('T') ? TAP13 : KTAP, opts & OPT('n'), opts & OPT('q'), picks, count);
	sig = run_cases(picks, count, &o);
	status = report_end(sig);
	if (sig) {
		remove_dir();
		die_of_signal(sig);
	}
	return status;
}
