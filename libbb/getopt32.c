/*
 * getopt32.c - libc's getopt_long behind one compact specification
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <getopt.h>
#include "libbb.h"

enum { MAX_OPTIONS = 48, MAX_NAMES = 512, NO_SHORT = 0x100 };

struct options {
	char shorts[3 * MAX_OPTIONS + 3];
	char names[MAX_NAMES];
	struct option longs[MAX_OPTIONS];
	void *args[MAX_OPTIONS];
	int is_list[MAX_OPTIONS];
	int count;
};

/* One "[-]c(long)[:[:|*]]" of the specification; returns what follows it. */
static const char *add_option(struct options *o, const char *spec, char **name)
{
	struct option *opt = &o->longs[o->count];
	char *s = o->shorts + strlen(o->shorts);
	int no_short = *spec == '-';
	int letter;

	spec += no_short;
	letter = *spec++;
	opt->val = letter | (no_short ? NO_SHORT : 0);
	opt->name = *name;
	for (spec++; *spec != ')';)
		*(*name)++ = *spec++;
	*(*name)++ = '\0';
	spec++;
	if (!no_short)
		*s++ = letter;
	for (; *spec == ':'; spec++) {
		opt->has_arg++;
		if (!no_short)
			*s++ = ':';
	}
	*s = '\0';
	o->is_list[o->count] = *spec == '*';
	return spec + o->is_list[o->count++];
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

/* The culprit is in optopt. 0, or an option that is known, means a long one, which is the
 * word before optind, that is unknown, ambiguous or has an argument too many. */
static void bad_option(const struct options *o, char **argv, int c)
{
	int i = find_option(o, optopt);

	if (c == ':')
		bb_show_usage("option '--%s' needs an argument", o->longs[i].name);
	if (optopt && i == o->count)
		bb_show_usage("unknown option '-%c'", optopt);
	bb_show_usage("unknown option '%s'", argv[optind - 1]);
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
		add_to_list(o->args[i], c, optarg);
	else if (o->args[i])
		*(char **)o->args[i] = optarg;
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
		if (o.longs[o.count - 1].has_arg || o.is_list[o.count - 1])
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
		seen |= OPT(c & ~NO_SHORT);
	}
	return seen;
}
