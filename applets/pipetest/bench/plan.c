/*
 * plan.c - parses the options of pipetest -b
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "bench.h"

/* Splits a list such as "pipe.*,copy.*" or "64,4k" at its commas. A list without a word is itself
 * the only word, which the caller refuses. */
static char **split(char *list)
{
	char **words = xmalloc((strlen(list) / 2 + 2) * sizeof(*words));
	size_t n = 0;

	for (char *word = strtok(list, ","); word; word = strtok(NULL, ","))
		words[n++] = word;
	if (!n)
		words[n++] = list;
	words[n] = NULL;
	return words;
}

static long *parse_sizes(char *list)
{
	char **words = split(list);
	size_t n = 0;
	long *sizes;

	while (words[n])
		n++;
	sizes = xmalloc((n + 1) * sizeof(*sizes));
	sizes[n] = 0;
	while (n--)
		sizes[n] = xatosize("size", words[n], 1, 1 << 30);
	return sizes;
}

/* Parses "0,2". A single number is the processor of both sides. */
static void parse_cpus(int cpu[2], char *list)
{
	char **words = split(list);

	if (words[1] && words[2])
		bb_show_usage("invalid processors: '%s' (two numbers, as in 0,1)", list);
	cpu[0] = xatou_range("processor", words[0], 0, 1023);
	cpu[1] = words[1] ? (int)xatou_range("processor", words[1], 0, 1023) : cpu[0];
}

void bench_parse(struct bench_plan *plan, const struct bench_words *words)
{
	plan->begin = monotonic_ns();
	bench_program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	plan->duration = 10 * NS_PER_S;
	plan->most = 60 * NS_PER_S; /* an emulated board needs them */
	if (words->duration)
		plan->duration = plan->most = xatodur("duration", words->duration);
	if (plan->duration == 0)
		bb_show_usage("invalid duration: '%s'", words->duration);
	plan->tolerance =
		words->tolerance ? xatou_range("tolerance", words->tolerance, 0, 10000) : 25;
	if (words->tolerance && !words->compare)
		bb_show_usage("--tolerance goes with --compare");
	if (words->list) /* "-b=LIST" arrives here with its "=" */
		plan->globs = split(words->list + (*words->list == '='));
	if (words->sizes)
		plan->sizes = parse_sizes(words->sizes);
	plan->cpu[0] = plan->cpu[1] = -1;
	if (words->cpus)
		parse_cpus(plan->cpu, words->cpus);
	if (words->compare) {
		plan->former_path = words->compare;
		plan->former = bench_read_former(words->compare);
	}
	if (words->saved && (!words->compare || plan->form == BENCH_JSON || words->duration
		|| words->sizes || words->cpus)) /* nothing is measured */
		bb_show_usage("unexpected operand '%s'", words->saved);
	if (words->saved)
		plan->saved = bench_read_former(words->saved);
}
