/*
 * print.c - prints figures as a table, KTAP, JSON or for LAVA, and compares with a former run
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include "../engine.h"
#include "bench.h"

static const struct bench_plan *plan;
static struct utsname system_name;
static unsigned number, measured, slower, compared, hasty;
static double limit; /* is the tolerance as a ratio */
static int bar; /* is how many characters the longest bar has; -1: a row is broken into lines */

const char *bench_number(char text[24], double value)
{
	scnprintf(text, 24, "%.*f",
		value >= 1000 ? 0
			: value >= 100 ? 1
			: value >= 10 ? 2
			: 3,
		value);
	return text;
}

static double least(const struct figures *f)
{
	return f->slice[0];
}

static double most(const struct figures *f)
{
	return f->slice[f->slices - 1];
}

/* A larger rate is better, but a larger time is worse. */
static bool is_rate(const struct bench *b)
{
	return strchr(b->unit, '/') != NULL;
}

/* Returns the former figure, if both runs have one, in the same unit, or else NULL. */
static const struct former *find_former(const struct bench_result *r)
{
	for (const struct former *f = plan->former; f && *f->name; f++)
		if (strcmp(f->name, r->name) == 0)
			return f->median > 0 && r->found.slices && strcmp(f->unit, r->b->unit) == 0
				? f : NULL;
	return NULL;
}

/* Chance makes slices slower, and the median of a few slices, too. So all of the slices must be
 * slower than all of the former ones, by more than the tolerance. */
bool bench_is_slower(const struct bench_result *r)
{
	const struct former *f = find_former(r);

	return f && (is_rate(r->b) ? f->min / most(&r->found) : least(&r->found) / f->max) > limit;
}

/* Prints what --compare says of a figure. It is noisy where the slices of either run differ by more
 * than the tolerance. Returns false if there is nothing to compare. */
static bool print_former(const char *begin, int width, const struct bench_result *r)
{
	const struct former *f = find_former(r);
	char text[24];

	if (!f)
		return false;
	xprintf("%s%*s%s", begin, width, bench_number(text, f->median),
		bench_is_slower(r) ? "  SLOWER"
			: f->max > f->min * limit || most(&r->found) > least(&r->found) * limit
			? "  noisy" : "");
	return true;
}

/* What a row of the table has before its bar takes 70 columns. A terminal that does not know its
 * width says 0. */
static int room_for_bars(void)
{
	enum { USUAL = 80, BEFORE = 70, MOST = 24 };
	struct winsize ws = { .ws_col = 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0 || !ws.ws_col)
		ws.ws_col = USUAL;
	if (ws.ws_col < USUAL)
		return -1;
	return ws.ws_col < BEFORE + MOST ? ws.ws_col - BEFORE : MOST;
}

void bench_describe(
	char text[96], const char *machine, int processors, int page, const char *kernel)
{
	scnprintf(text, 96, "%s, %d processors, pages of %d, Linux %s", machine, processors, page,
		kernel);
}

/* Figures of another machine can be compared, but what differs may be the machine. */
static void print_machines(void)
{
	const char *before = plan->former->where, *now;
	char here[96];

	bench_describe(here, system_name.machine, pipetest_processors(), bench_page(),
		system_name.release);
	now = plan->saved ? plan->saved->where : here;
	if (strncmp(before, now, strstr(now, " Linux") - now) != 0)
		bb_error_msg("'%s' is of another machine", plan->former_path);
	xprintf("# before: %s\n# now: %s\n", before, now);
}

void bench_print_start(const struct bench_plan *p, unsigned count, const int cpu[2])
{
	plan = p;
	limit = 1 + plan->tolerance / 100.0;
	uname(&system_name);
	if (plan->form == BENCH_JSON)
		return;
	bar = room_for_bars();
	if (plan->form == BENCH_KTAP)
		xprintf("\nKTAP version 1\n1..%u\n", count);
	if (!plan->saved)
		pipetest_print_environment(xprintf);
	if (plan->former)
		print_machines();
	if (cpu && cpu[0] >= 0)
		xprintf("# median, least .. most of %d slices; pinned to processors %d,%d, but not "
			"ring_hop, unpinned, fork\n", SLICES, cpu[0], cpu[cpu[1] >= 0]);
	xfflush_stdout();
}

/* Figures of one group are compared if they have the same unit. The group is the name's first
 * word. */
static bool same_group(const struct bench_result *a, const struct bench_result *b)
{
	return strncmp(a->name, b->name, strcspn(a->name, ".") + 1) == 0
		&& strcmp(a->b->unit, b->b->unit) == 0;
}

static void print_bar(double part)
{
	for (int n = bar * part + 0.5; n > 0; n--)
		xprintf("#");
}

static void print_details(const char *begin, const char *middle, const struct figures *f)
{
	if (f->longest > 0)
		xprintf("%sp50 %.2f p90 %.2f%sp99 %.2f max %.1f us", begin, f->percentile[0],
			f->percentile[1], middle, f->percentile[2], f->longest);
	if (f->fairness > 0)
		xprintf("%sslowest writer: %.0f %% of the fastest", begin, 100 * f->fairness);
}

static void print_row(const struct bench_result *r, double longest)
{
	static const char in[] = "\n                           ";
	const struct figures *f = &r->found;
	char median[24], low[24], high[24];
	bool narrow = bar < 0;

	xprintf(narrow ? "%s\n" : "%-30s ", r->name);
	if (!f->slices) {
		xprintf("- %s\n", f->reason);
		return;
	}
	xprintf("%7s %-9s", bench_number(median, bench_median(f)), r->b->unit);
	if (!print_former(narrow ? "\n before " : " before ", 8, r)) {
		xprintf("%9s .. %-8s", bench_number(low, least(f)), bench_number(high, most(f)));
		print_bar(bench_median(f) / longest);
	}
	print_details(narrow ? "\n  " : in, narrow ? "\n  " : " ", f);
	xprintf("\n");
}

/* Rows of one group are printed together, because the longest bar sets the scale of all. */
static void print_rows(const struct bench_result *first, const struct bench_result *end)
{
	double longest = 0;

	for (const struct bench_result *r = first; r < end; r++)
		if (bench_median(&r->found) > longest)
			longest = bench_median(&r->found);
	for (const struct bench_result *r = first; r < end; r++)
		print_row(r, longest);
	xfflush_stdout();
}

static const struct bench_result *waiting, *waiting_end;

static void print_table(const struct bench_result *r)
{
	if (waiting && r && same_group(waiting, r)) {
		waiting_end = r + 1;
		return;
	}
	if (waiting)
		print_rows(waiting, waiting_end);
	waiting = r;
	waiting_end = r ? r + 1 : NULL;
}

static void print_ktap(const struct bench_result *r)
{
	const struct figures *f = &r->found;
	char median[24], low[24], high[24];

	number++;
	if (!f->slices) {
		xprintf("# %s: %s\nok %u bench.%s # SKIP not-measured\n", r->name, f->reason,
			number, r->name);
		return;
	}
	bench_number(median, bench_median(f));
	xprintf("# %s %s %s, %s to %s", r->name, median, r->b->unit, bench_number(low, least(f)),
		bench_number(high, most(f)));
	print_details("; ", " ", f);
	(void)print_former("; before ", 0, r);
	xprintf("\nok %u bench.%s\n", number, r->name);
	if (plan->lava)
		xprintf("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=bench.%s RESULT=pass UNITS=%s "
			"MEASUREMENT=%s>\n", r->name, r->b->unit, median);
	xfflush_stdout();
}

static void record_figure(const char *name, double value)
{
	char text[32];

	scnprintf(text, sizeof(text), "%.6g", value);
	record_literal(name, text);
}

static void record_environment(void)
{
	int fd[2];

	xpipe(fd);
	record_string("kernel", system_name.release);
	record_string("machine", system_name.machine);
	record_number("page_size", bench_page());
	record_number("pipe_size", fcntl(fd[0], F_GETPIPE_SZ));
	record_number("pipe_max_size", read_number("/proc/sys/fs/pipe-max-size"));
	record_number("processors", pipetest_processors());
	record_string("version", VERSION);
	close(fd[0]);
	close(fd[1]);
}

void bench_record(const struct bench_result *r)
{
	record_begin(JSON);
	record_string("bench", r->name);
	record_string("unit", r->b->unit);
	record_number("size", r->size);
}

static void print_json(const struct bench_result *r)
{
	const struct figures *f = &r->found;

	bench_record(r);
	if (f->slices) {
		record_figure("median", bench_median(f));
		record_figure("min", least(f));
		record_figure("max", most(f));
		record_number("slices", f->slices);
		record_number("slice_us", r->slice_ns / 1000);
		record_string("cpus", f->cpus);
	} else {
		record_string("reason", f->reason);
	}
	if (f->longest > 0) {
		record_figure("p50_us", f->percentile[0]);
		record_figure("p90_us", f->percentile[1]);
		record_figure("p99_us", f->percentile[2]);
		record_figure("max_us", f->longest);
	}
	if (f->fairness > 0)
		record_figure("fairness", f->fairness);
	if (find_former(r)) {
		record_figure("before", find_former(r)->median);
		record_literal("slower", bench_is_slower(r) ? "true" : "false");
	}
	record_environment();
	record_end();
	xfflush_stdout();
}

void bench_print(const struct bench_result *r)
{
	static void (*const forms[])(const struct bench_result *r) = {
		[BENCH_TABLE] = print_table,
		[BENCH_KTAP] = print_ktap,
		[BENCH_JSON] = print_json,
	};

	measured += r->found.slices != 0;
	hasty += r->found.slices % SLICES != 0;
	compared += find_former(r) != NULL;
	slower += bench_is_slower(r);
	forms[plan->form](r);
}

void bench_print_sheet(const char *text)
{
	if (plan->form != BENCH_JSON)
		xprintf("# Data sheet: %s\n", text);
	xfflush_stdout();
}

static void print_end(void)
{
	if (plan->former)
		xprintf("# %u of %u figures are slower than in '%s', in each slice, by more than "
			"%u %%\n", slower, compared, plan->former_path, plan->tolerance);
	if (hasty && !plan->saved)
		xprintf("# figures of fewer slices, for lack of time: %u\n", hasty);
}

int bench_print_end(int sig)
{
	if (plan->form == BENCH_TABLE)
		print_table(NULL);
	if (plan->form != BENCH_JSON)
		print_end();
	if (sig) {
		xfflush_stdout();
		pipetest_directory_remove();
		die_of_signal(sig);
	}
	if (plan->former && !compared)
		bb_error_msg("'%s' has no figure to compare", plan->former_path);
	if (slower)
		return EXIT_INTEGRITY;
	return (plan->former ? compared : measured) ? EXIT_SUCCESS : EXIT_STALE;
}
