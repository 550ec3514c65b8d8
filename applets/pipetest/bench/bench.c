/*
 * bench.c - chooses the measurements and runs each in a process group of its own
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sched.h>
#include "../engine.h"
#include "bench.h"
#include "meter.h"

/* These are the figures of the line "Data sheet", which describes a board. Of several rows with the
 * same text the line shows the first one that could be measured. */
static const struct sheet {
	const char *name, *what;
} sheet[] = {
	{ "pipe.throughput.64k", "pipe" },
	{ "pipe.roundtrip.other_cpu", "round trip" },
	{ "pipe.roundtrip.same_cpu", "round trip" },
	{ "pipe.roundtrip.unpinned", "round trip" },
	{ "setup.fork_exec_and_wait", "fork and exec" },
	{ "copy.read_write.64k", "copy" },
};

struct choice {
	struct bench_result *list;
	unsigned count;
};

static void name_row(char name[NAME_LEN], const struct bench *b, long size)
{
	static const char *const units[] = { "", "k", "m" };
	unsigned unit = 0;

	for (; b->scaled == BYTES && size >= 1024 && size % 1024 == 0 && unit < 2; unit++)
		size /= 1024;
	if (size)
		scnprintf(name, NAME_LEN, "%s.%ld%s", b->name, size, units[unit]);
	else
		scnprintf(name, NAME_LEN, "%s", b->name);
}

static bool on_sheet(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(sheet); i++)
		if (strcmp(sheet[i].name, name) == 0)
			return true;
	return false;
}

/* The pattern "sheet" chooses the figures of the data sheet. */
static bool bench_wanted(const struct bench_plan *plan, const char *name)
{
	for (char **glob = plan->globs; glob && *glob; glob++)
		if (pipetest_glob_matches(*glob, name, name + strlen(name))
			|| (strcmp(*glob, "sheet") == 0 && on_sheet(name)))
			return true;
	return !plan->globs;
}

static void choose(
	struct choice *all, const struct bench_plan *plan, const struct bench *b, long size)
{
	struct bench_result r = { .b = b,
		.size = b->scaled == PAGES ? size * (long)bench_page() : size };

	name_row(r.name, b, size);
	for (unsigned i = 0; i < all->count; i++)
		if (strcmp(all->list[i].name, r.name) == 0)
			return;
	if (!bench_wanted(plan, r.name))
		return;
	all->list = xrealloc(all->list, (all->count + 1) * sizeof(r));
	all->list[all->count++] = r;
}

/* With --size a row whose sizes count bytes is measured once for each of the option's sizes. */
static void choose_row(struct choice *all, const struct bench_plan *plan, const struct bench *b)
{
	uint32_t sizes = b->sizes;

	if (b->scaled == BYTES && plan->sizes) {
		for (unsigned i = 0; plan->sizes[i]; i++)
			choose(all, plan, b, plan->sizes[i]);
		return;
	}
	do {
		choose(all, plan, b, sizes & -sizes); /* the least one that is left */
		sizes &= sizes - 1;
	} while (sizes);
}

/* Makes a result of each figure of a file: its least, median and greatest slice are known. */
static struct choice choose_saved(const struct bench_plan *plan)
{
	struct choice all = { 0 };

	for (const struct former *f = plan->saved; *f->name; f++) {
		struct bench *b = xmalloc(sizeof(*b));

		*b = (struct bench){ .name = f->name, .unit = f->unit };
		choose(&all, plan, b, 0);
		if (!all.count || all.list[all.count - 1].b != b)
			continue;
		all.list[all.count - 1].found = (struct figures){
			.slice = { f->min, f->median, f->max },
			.slices = f->median > 0 ? 3 : 0,
			.reason = "not measured",
		};
	}
	return all;
}

static struct choice match(const struct bench_plan *plan)
{
	static const struct bench *const groups[] = { bench_stream, bench_latency, bench_memory,
		bench_setup };
	struct choice all = { 0 };

	if (plan->saved)
		return choose_saved(plan);
	for (unsigned i = 0; i < ARRAY_SIZE(groups); i++)
		for (const struct bench *b = groups[i]; b->name; b++)
			choose_row(&all, plan, b);
	return all;
}

static struct choice choose_all(const struct bench_plan *plan)
{
	struct bench_plan one = *plan;

	for (char **glob = plan->globs; glob && *glob; glob++) {
		one.globs = (char *[]){ *glob, NULL };
		if (!match(&one).count)
			bb_show_usage("no measurement '%s': see pipetest -b -l", *glob);
	}
	return match(plan);
}

static struct bench_result *find_result(const struct choice *all, const char *name)
{
	for (unsigned i = 0; i < all->count; i++)
		if (strcmp(all->list[i].name, name) == 0)
			return &all->list[i];
	return NULL;
}

/* Prints "pipe 2153 MB/s, round trip 5.31 us, ..." without the rows that were not measured. */
static void print_sheet(const struct choice *all)
{
	char text[200], number[24];
	const char *last = "";
	size_t len = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(sheet); i++) {
		const struct bench_result *r = find_result(all, sheet[i].name);

		if (!r || !r->found.slices || strcmp(last, sheet[i].what) == 0)
			continue;
		last = sheet[i].what;
		len += scnprintf(text + len, sizeof(text) - len, "%s%s %s %s", len ? ", " : "",
			last, bench_number(number, bench_median(&r->found)), r->b->unit);
	}
	if (len)
		bench_print_sheet(text);
}

/* Takes the processors of --cpu, or else the first two that this process may run on. Where the
 * kernel has no such call, nothing is pinned. */
static void find_processors(const struct bench_plan *plan, int cpu[2])
{
	cpu_set_t set, one;
	int n = 0;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return;
	for (int i = 0; i < CPU_SETSIZE && n < 2 && plan->cpu[0] < 0; i++)
		if (CPU_ISSET(i, &set))
			cpu[n++] = i;
	for (; n < 2 && plan->cpu[n] >= 0; n++) {
		cpu[n] = plan->cpu[n];
		CPU_ZERO(&one);
		CPU_SET(cpu[n], &one);
		if (sched_setaffinity(0, sizeof(one), &one) < 0)
			bb_perror_msg_and_die("can't run on processor %d", cpu[n]);
	}
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/* The passes that are left share the time until "end", without what their set-up takes. After
 * "stop" only the first pass of a row begins. */
static struct {
	int64_t end, stop, setup;
	unsigned passes;
} left;

/* The warm-up and most set-ups take the time of about two more slices. */
enum { SHARES = SLICES_OF_PASS + 2 };

static int64_t next_slice(void)
{
	enum { LEAST_NS = NS_PER_S / 1000 };
	int64_t slice = (left.end - left.setup - monotonic_ns()) / (left.passes-- * SHARES);

	return slice > LEAST_NS ? slice : LEAST_NS;
}

/* Runs one pass of a measurement in a process group of its own, so that its peers are killed with
 * it, even when it hangs. Returns the signal that asks the run to end, or 0. */
static int measure_once(struct bench_result *r, struct meter *m)
{
	struct leader leader = { 0 };
	pid_t parent = getpid();
	bool gone;
	int sig;

	r->slice_ns = m->slice_ns = next_slice();
	*m->figures = r->found;
	pipetest_directory_fresh();
	leader.pid = xfork();
	if (leader.pid == 0) {
		pipetest.is_child = true;
		(void)setpgid(0, 0);
		die_with_parent(parent);
		bench_meter_use(m);
		r->b->run((struct variant){ r->b->how, r->size });
		_exit(EXIT_SUCCESS);
	}
	(void)setpgid(leader.pid, leader.pid);
	sig = pipetest_await_leader(&leader, monotonic_ns() + 60 * m->slice_ns + 10 * NS_PER_S);
	gone = pipetest_end_group(&leader);
	(void)pipetest_directory_empty();
	r->found = *m->figures;
	if (sig || !gone || leader.status)
		r->found.slices = 0;
	if (!r->found.slices && !*r->found.reason)
		scnprintf(r->found.reason, sizeof(r->found.reason), "%s",
			sig < 0 ? "it hangs" : "a process died");
	return sig > 0 ? sig : 0;
}

static int measure_first(struct bench_result *r, struct meter *m)
{
	int64_t begin = monotonic_ns();
	int sig = measure_once(r, m);

	if (r->found.slices)
		r->setup_ns = monotonic_ns() - begin - SHARES * r->slice_ns;
	left.setup += (PASSES - 1) * r->setup_ns;
	return sig;
}

/* Does the passes up to this one, if the first found something and there is time. */
static int measure_up_to(struct bench_result *r, struct meter *m, unsigned passes)
{
	int sig = 0;

	for (; r->passes < passes && !sig; r->passes++) {
		left.setup -= r->setup_ns;
		if (r->passes == 0)
			sig = measure_first(r, m);
		else if (r->found.slices && monotonic_ns() < left.stop)
			sig = measure_once(r, m);
		else
			left.passes--; /* The others have this time. */
	}
	return sig;
}

/* What is slower than before by chance is not so each time: the best one of all counts. */
static int measure_again(struct bench_result *r, struct meter *m)
{
	struct bench_result again = { .b = r->b, .size = r->size };
	int sig;

	memcpy(again.name, r->name, sizeof(again.name));
	sig = measure_up_to(&again, m, PASSES);
	if (!sig && again.found.slices && !bench_is_slower(&again))
		*r = again;
	return sig;
}

double bench_median(const struct figures *f)
{
	return f->slices ? (f->slice[(f->slices - 1) / 2] + f->slice[f->slices / 2]) / 2 : 0;
}

void bench_list(const struct bench_plan *plan)
{
	struct choice all = choose_all(plan);

	for (unsigned i = 0; i < all.count; i++)
		if (plan->form == BENCH_JSON) {
			bench_record(&all.list[i]);
			record_end();
		} else {
			xprintf("%-30s %s\n", all.list[i].name, all.list[i].b->unit);
		}
}

enum which { SHEET, ALL, ALL_AND_PRINT };

static int measure_all(const struct choice *all, struct meter *m, enum which which)
{
	int sig = 0;

	for (unsigned pass = 1; pass <= PASSES; pass++)
		for (unsigned i = 0; i < all->count && !sig; i++) {
			struct bench_result *r = &all->list[i];

			if (which == SHEET && !on_sheet(r->name))
				continue;
			sig = measure_up_to(r, m, pass);
			if (which == ALL_AND_PRINT && pass == PASSES && !sig)
				bench_print(r);
		}
	return sig;
}

/* Tries what is slower so many times more. */
static int try_slower(const struct choice *all, struct meter *m, unsigned times)
{
	int sig = 0;

	for (; times && !sig; times--) {
		left.passes = left.setup = 0;
		for (unsigned i = 0; i < all->count; i++)
			left.passes += bench_is_slower(&all->list[i]) * times * PASSES;
		for (unsigned i = 0; i < all->count && !sig; i++)
			if (monotonic_ns() < left.stop && bench_is_slower(&all->list[i]))
				sig = measure_again(&all->list[i], m);
	}
	return sig;
}

static void print_all(const struct choice *all)
{
	for (unsigned i = 0; i < all->count; i++)
		bench_print(&all->list[i]);
}

static int measure(const struct bench_plan *plan, const struct choice *all)
{
	enum { AGAIN = 3 };
	int64_t begin = plan->begin, percent = plan->duration / 100;
	struct meter m = { .cpu = { -1, -1 } };
	int sig;

	m.figures = mmap(NULL, sizeof(*m.figures), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m.figures == MAP_FAILED)
		bb_perror_msg_and_die("can't map %zu bytes", sizeof(*m.figures));
	left.end = begin + percent * (plan->former ? 65 : 95); /* start and end take time, too */
	left.stop = begin + plan->most / 100 * 95;
	left.passes = all->count * PASSES;
	find_processors(plan, m.cpu);
	bench_print_start(plan, all->count, m.cpu);
	sig = measure_all(all, &m, SHEET);
	print_sheet(all);
	if (!sig)
		sig = measure_all(all, &m, plan->former ? ALL : ALL_AND_PRINT);
	left.end = begin + percent * 95;
	if (plan->former && !sig)
		sig = try_slower(all, &m, AGAIN);
	if (plan->former && !sig)
		print_all(all);
	return sig;
}

int bench_run(const struct bench_plan *plan)
{
	struct choice all = choose_all(plan);

	if (!plan->saved)
		return bench_print_end(measure(plan, &all));
	bench_print_start(plan, all.count, NULL);
	print_all(&all);
	return bench_print_end(0);
}
