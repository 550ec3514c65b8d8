/*
 * pipesz - set or show pipe sizes with the options, numbers, words and statuses of util-linux
 *
 * SPDX-License-Identifier: 0BSD

config PIPESZ
	bool "pipesz"
	default n
	depends on PIPECAP
	help
	  usage: pipesz [-cqv] [-s SIZE] [TARGET]... [--] [CMD [ARG...]]
	     or: pipesz -g [-cqv] [TARGET]...

	  Set the size of pipes, then run CMD; or print their sizes. util-linux has a
	  pipesz of its own, of which this one keeps the options, words and statuses;
	  pipecap does more.
	  -g, --get         print the size and the unread bytes
	  -s, --set SIZE    the size (default: /proc/sys/fs/pipe-max-size)
	  TARGET (default: stdout; with -g stdin), as often as you like:
	  -f, --file FIFO   -n, --fd FD
	  -i, --stdin       -o, --stdout      -e, --stderr
	  -c, --check       the first failure ends it with 1, and CMD does not run
	  -q, --quiet       no warnings
	  -v, --verbose     print the sizes that were set; with -g: a header
*/
#include <getopt.h>
#include "pipecap.h"

static const char shorts[] = "+:gs:n:f:ioecqvVh";

static const struct option longs[] = {
	{ "get", no_argument, NULL, 'g' },
	{ "set", required_argument, NULL, 's' },
	{ "fd", required_argument, NULL, 'n' },
	{ "file", required_argument, NULL, 'f' },
	{ "stdin", no_argument, NULL, 'i' },
	{ "stdout", no_argument, NULL, 'o' },
	{ "stderr", no_argument, NULL, 'e' },
	{ "check", no_argument, NULL, 'c' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct pipesz {
	bool get, check, quiet, verbose;
	int sizes;		/* how often --set was given */
	int size;
	char **targets;		/* each is an option's letter and then its argument */
	size_t n_targets;
};

/* --- usage ------------------------------------------------------------------------------ */

static const struct option *long_of(int letter)
{
	const struct option *o = longs;

	while (o->val != letter)
		o++;
	return o;
}

/* word is not the beginning of exactly one option's name. */
static void unknown_word(const char *word)
{
	char *names = xasprintf("%s", "");
	size_t len = strcspn(word + 2, "=");

	for (const struct option *o = longs; o->name; o++)
		if (strncmp(o->name, word + 2, len) == 0)
			names = xasprintf("%s '--%s'", names, o->name);
	if (*names)
		bb_error_msg("option '%s' is ambiguous; possibilities:%s", word, names);
	else
		bb_error_msg("unrecognized option '%s'", word);
}

/* c is the result of getopt_long(3). An option that lacks its argument is the last word. */
static void tell_wrong_option(int argc, char **argv, int c)
{
	const char *word = argv[(c == ':' ? argc : optind) - 1];
	bool is_long = strncmp(word, "--", 2) == 0;

	if (c == ':' && is_long)
		bb_error_msg("option '--%s' requires an argument", long_of(optopt)->name);
	else if (c == ':')
		bb_error_msg("option requires an argument -- '%c'", optopt);
	else if (!optopt)
		unknown_word(word);
	else if (is_long && strchr(shorts, optopt))
		bb_error_msg("option '--%s' doesn't allow an argument", long_of(optopt)->name);
	else
		bb_error_msg("invalid option -- '%c'", optopt);
}

static void NORETURN show_try(void)
{
	static const char line[] = "Try 'pipesz --help' for more information.\n";

	/* No message could report this failure. */
	(void)full_write(STDERR_FILENO, line, strlen(line));
	exit(EXIT_FAILURE);
}

/* --- numbers ---------------------------------------------------------------------------- */

/* Returns the unit for what follows the letter of a suffix: "" or "iB" (1024), or "B" (1000).
 * Returns 0 for anything else. */
static unsigned unit_of(const char *s)
{
	return !*s || strcasecmp(s, "ib") == 0 ? 1024 : strcasecmp(s, "b") == 0 ? 1000 : 0;
}

/* Reads the digits after a point and moves *s past them. */
static double fraction_at(const char **s)
{
	double fraction = 0, place = 1;

	for (; isdigit((unsigned char)**s); ++*s)
		fraction += (**s - '0') * (place /= 10);
	return fraction;
}

/* Sets *size and returns 0, or returns an errno. A size is a number as strtoumax(3) reads it in any
 * base, a fraction, and a suffix from k to Y. */
static int parse_pipesz_size(const char *s, uintmax_t *size)
{
	static const char letters[] = "kmgtpezy";
	const char *letter;
	double fraction = 0, factor = 1;
	unsigned unit;
	char *end;

	s += strspn(s, " \t\n\v\f\r");
	if (*s == '-')
		return EINVAL;
	errno = 0;
	*size = strtoumax(s, &end, 0);
	if (end == s || errno)
		return errno ? errno : EINVAL;
	if (!*end)
		return 0;
	s = end;
	if (*s == '.') {
		s++;
		fraction = fraction_at(&s);
	}
	letter = *s ? strchr(letters, tolower((unsigned char)*s)) : NULL;
	unit = letter ? unit_of(s + 1) : 0;
	if (!unit)
		return EINVAL;
	for (; letter >= letters; letter--, factor *= unit)
		if (__builtin_mul_overflow(*size, unit, size))
			return ERANGE;
	*size += fraction * factor;
	return 0;
}

/* util-linux prints the words of the C library that it is built with. Other libraries have other
 * words, so these are copied here. */
static const char *number_error(int error)
{
	return error == ERANGE ? "Numerical result out of range" : "Invalid argument";
}

static int size_of(const char *text)
{
	uintmax_t size;
	int error = parse_pipesz_size(text, &size);

	if (error)
		bb_error_msg_and_die("invalid size: '%s': %s", text, number_error(error));
	return size < INT_MAX ? size : INT_MAX;
}

static int fd_of(const char *text)
{
	char *end;
	long fd;

	errno = 0;
	fd = strtol(text, &end, 10);
	if (end == text || *end)
		bb_error_msg_and_die("invalid fd argument: '%s'", text);
	if (fd < INT_MIN || fd > INT_MAX)
		errno = ERANGE;
	if (errno)
		bb_error_msg_and_die("invalid fd argument: '%s': %s", text, number_error(errno));
	return fd;
}

/* --- targets ----------------------------------------------------------------------------- */

/* --check makes the warning the last message and ends the program. */
static void target_warns(const struct pipesz *p, const char *what, const char *name)
{
	if (p->check)
		bb_perror_msg_and_die("cannot %s %s", what, name);
	if (!p->quiet)
		bb_perror_msg("cannot %s %s", what, name);
}

static void act_on(const struct pipesz *p, int fd, const char *name)
{
	int got = p->get ? fcntl(fd, F_GETPIPE_SZ) : fcntl(fd, F_SETPIPE_SZ, p->size), unread;

	if (got < 0)
		target_warns(p, p->get ? "get pipe buffer size of"
			: "set pipe buffer size of", name);
	else if (p->get && ioctl(fd, FIONREAD, &unread) < 0)
		target_warns(p, "get the unread bytes of", name);
	else if (p->get)
		xprintf("%s\t%d\t%d\n", name, got, unread);
	else if (p->verbose)
		bb_error_msg("%s pipe buffer size set to %d", name, got);
}

/* util-linux waits in open(2) until a FIFO has a peer. With O_NONBLOCK open(2) does not wait. */
static void act_on_file(const struct pipesz *p, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		target_warns(p, "open", path);
		return;
	}
	act_on(p, fd, path);
	close(fd);
}

static void act_on_word(const struct pipesz *p, const char *word)
{
	int fd = *word == 'n' ? fd_of(word + 1) : *word == 'i' ? 0 : *word == 'o' ? 1 : 2;

	if (*word == 'f')
		act_on_file(p, word + 1);
	else
		act_on(p, fd, xasprintf("fd %d", fd));
}

/* --- options ------------------------------------------------------------------------------ */

/* util-linux goes through the options twice. The first time it obeys only --help and --version, but
 * reports wrong options. The second time it reports a wrong option again and exits. */
static void look_for_help(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		if (c == 'h') {
			bb_show_help();
		} else if (c == 'V') {
			xprintf("%s (ipcbox) %s\n", applet_name, VERSION);
			xfflush_stdout();
			exit(EXIT_SUCCESS);
		} else if (c == '?' || c == ':') {
			tell_wrong_option(argc, argv, c);
		}
}

static void add_target(struct pipesz *p, int letter, const char *argument)
{
	if (letter == 'n')
		fd_of(argument);
	p->targets = xrealloc(p->targets, (p->n_targets + 1) * sizeof(*p->targets));
	p->targets[p->n_targets++] = xasprintf("%c%s", letter, argument ? argument : "");
}

static void take_pipesz_option(struct pipesz *p, int argc, char **argv, int c)
{
	if (strchr("nfioe", c)) {
		add_target(p, c, optarg);
		return;
	}
	if (c == '?' || c == ':') {
		tell_wrong_option(argc, argv, c);
		show_try();
	}
	p->get |= c == 'g';
	p->check |= c == 'c';
	p->quiet |= c == 'q';
	p->verbose |= c == 'v';
	p->sizes += c == 's';
	if (p->get && p->sizes)
		bb_error_msg_and_die("options --get and --set cannot be combined");
	if (c == 's')
		p->size = size_of(optarg);
}

int pipesz_main(char **argv)
{
	struct pipesz p = { .size = 0 };
	int argc = 0, c;

	while (argv[argc])
		argc++;
	opterr = 0;
	look_for_help(argc, argv);
	optind = 1;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		take_pipesz_option(&p, argc, argv, c);
	argv += optind;
	if (p.get && *argv)
		bb_error_msg_and_die("cannot specify a command with --get");
	if (p.sizes > 1 && !p.quiet)
		bb_error_msg("using last specified size");
	if (!p.sizes)
		p.size = pipecap_limit("max-size");
	if (!p.n_targets)
		add_target(&p, p.get ? 'i' : 'o', NULL);
	if (p.get && p.verbose)
		xprintf("pipe\tsize\tunread\n");
	for (size_t i = 0; i < p.n_targets; i++)
		act_on_word(&p, p.targets[i]);
	if (!*argv)
		return EXIT_SUCCESS;
	exec_command(argv);
	xfunc_error_retval = errno == ENOENT ? 127 : 126;
	bb_perror_msg_and_die("failed to execute %s", *argv);
}
