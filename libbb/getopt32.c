/*
 * getopt32.c - libc's getopt_long behind one compact specification
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <getopt.h>
#include "libbb.h"

/* Long-only options are numbered from NO_SHORT on. */
enum { MAX_OPTIONS = 64, MAX_NAMES = 768, MAX_NAME = 31, NO_SHORT = 0x100 };

struct options {
	char shorts[3 * MAX_OPTIONS + 3];
	char names[MAX_NAMES];
	struct option longs[MAX_OPTIONS];
	void *args[MAX_OPTIONS];
	int is_list[MAX_OPTIONS];
	int count;
};

/* Adds one option, "[c](long)[:[:]][*]", and returns what follows it in the specification. */
static const char *add_option(struct options *o, const char *spec, char **name)
{
	struct option *opt = &o->longs[o->count];
	char *s = o->shorts + strlen(o->shorts);
	int has_short = *spec != '(';

	opt->val = has_short ? *spec++ : NO_SHORT + o->count;
	opt->name = *name;
	for (spec++; *spec != ')';)
		*(*name)++ = *spec++;
	*(*name)++ = '\0';
	spec++;
	if (has_short)
		*s++ = opt->val;
	for (; *spec == ':'; spec++) {
		opt->has_arg++;
		if (has_short)
			*s++ = ':';
	}
	*s = '\0';
	o->is_list[o->count] = *spec == '*';
	return spec + o->is_list[o->count++];
}

/* A plain long-only option has an int to set; any other option has a pointer if it takes an
 * argument or fills a list. */
static int has_pointer(const struct options *o, int i)
{
	return o->longs[i].has_arg || o->is_list[i] || o->longs[i].val >= NO_SHORT;
}

static void add_to_list(char ***list, int letter, const char *arg)
{
	int n = 0;

	while (*list && (*list)[n])
		n++;
	*list = xrealloc(*list, (n + 2) * sizeof(**list));
	(*list)[n] = xasprintf("%c%s", letter, arg ? arg : "") + 1;
	(*list)[n + 1] = NULL;
}

static int find_option(const struct options *o, int val)
{
	int i = 0;

	while (i < o->count && o->longs[i].val != val)
		i++;
	return i;
}

/* Returns V. Levenshtein's distance: how many characters of a (of length len) and b differ, are
 * missing or are too many. row[j] is the distance between the part of a that was read and the first
 * j characters of b. */
static unsigned distance(const char *a, size_t len, const char *b)
{
	unsigned row[MAX_NAME + 1], corner, above;
	size_t columns = strlen(b);

	for (size_t j = 0; j <= columns; j++)
		row[j] = j;
	for (size_t i = 0; i < len; i++) {
		corner = row[0]++;
		for (size_t j = 0; j < columns; j++) {
			above = row[j + 1];
			row[j + 1] = corner + (a[i] != b[j]);
			if (above + 1 < row[j + 1])
				row[j + 1] = above + 1;
			if (row[j] + 1 < row[j + 1])
				row[j + 1] = row[j] + 1;
			corner = above;
		}
	}
	return row[columns];
}

/* word is the option as the user wrote it, with its "--". If several names begin with it, the
 * message lists them. Otherwise it names the nearest option, if at most two letters and at most
 * half of them differ. */
static void NORETURN unknown_long(const struct options *o, const char *word)
{
	const char *name = word + 2, *nearest = NULL;
	size_t len = strcspn(name, "=");
	unsigned least = len / 2 < 3 ? len / 2 + 1 : 3;
	char *matches = NULL;

	for (int i = 0; i < o->count; i++) {
		const char *known = o->longs[i].name;
		unsigned d = distance(name, len, known);

		if (strncmp(known, name, len) == 0)
			matches = xasprintf("%s%s--%s", matches ? matches : "",
				matches ? ", " : "", known);
		if (d < least) {
			least = d;
			nearest = known;
		}
	}
	if (matches)
		bb_show_usage("option '%s' is ambiguous: %s", word, matches);
	if (nearest)
		bb_show_usage("unknown option '%s' (--%s?)", word, nearest);
	bb_show_usage("unknown option '%s'", word);
}

/* For a long option that is unknown or ambiguous, getopt_long(3) sets optopt to 0. For any other
 * wrong option optopt is its value. argv[optind - 1] is the word of a long option. */
static void NORETURN bad_option(const struct options *o, char **argv, int c)
{
	int i = find_option(o, optopt);
	const char *word = argv[optind - 1];

	if (!optopt)
		unknown_long(o, word);
	if (i == o->count)
		bb_show_usage("unknown option '-%c'", optopt);
	if (c == ':')
		bb_show_usage("option '--%s' needs an argument", o->longs[i].name);
	bb_show_usage("option '--%s' takes no argument: '%s'", o->longs[i].name, word);
}

static void show_version(void)
{
	xprintf("%s (ipcbox) %s\n", applet_name, VERSION);
	xfflush_stdout();
	exit(EXIT_SUCCESS);
}

static void take_option(struct options *o, int c)
{
	int i = find_option(o, c);

	if (o->is_list[i])
		add_to_list(o->args[i], c < NO_SHORT ? c : 0, optarg);
	else if (o->longs[i].has_arg)
		*(char **)o->args[i] = !optarg && c >= NO_SHORT ? (char *)"" : optarg;
	else if (o->args[i])
		*(int *)o->args[i] = 1;
}

opts_t getopt32(char **argv, const char *spec, ...)
{
	struct options o = { .shorts = ":" };
	char *name = o.names;
	opts_t seen = 0;
	va_list args;
	int argc = 0, c;

	if (*spec == '+') {
		strcpy(o.shorts, "+:");
		spec++;
	}
	va_start(args, spec);
	while (*spec) {
		spec = add_option(&o, spec, &name);
		if (has_pointer(&o, o.count - 1))
			o.args[o.count - 1] = va_arg(args, void *);
	}
	va_end(args);
	add_option(&o, "h(help)", &name);
	add_option(&o, "V(version)", &name);
	while (argv[argc])
		argc++;
	opterr = 0;
	while ((c = getopt_long(argc, argv, o.shorts, o.longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			bad_option(&o, argv, c);
		if (c == 'h')
			bb_show_help();
		if (c == 'V')
			show_version();
		take_option(&o, c);
		if (c < NO_SHORT)
			seen |= OPT(c);
	}
	return seen;
}
