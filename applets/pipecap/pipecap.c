/*
 * pipecap - see into pipes: size, slots, what is queued, who holds them; and set the size
 *
 * SPDX-License-Identifier: 0BSD

config PIPECAP
	bool "pipecap"
	default y
	help
	  usage: pipecap [-m] [-C] [-w BYTES] [-z SIZE] [--packet] | -I | -l [-p PID]...
	     or: pipecap -g|-k[N] [-cqvJ] [TARGET]...
	     or: pipecap -s SIZE|max [-cqvJ] [--hold] [TARGET]... [-- CMD [ARG...]]

	  Fill a new pipe and print how many bytes it holds, as size=65536.
	  -m, --measure        this; -w, --write BYTES at a time; -z, --pipe-size SIZE
	  -C, --curve          the same for many BYTES, or -w LIST;  --packet: O_DIRECT
	  -I, --info           the limits, explained
	  -l, --list           the pipes of all processes, or of PID, who holds them, and
	                       who is blocked (*), also in open(2) of a FIFO
	  -g, --get            size and unread bytes; -v: slots, readers, writers too
	  -k, --peek[=N]       what is queued, without consuming it
	  -s, --set SIZE       set the size; max: the largest that is granted
	      --hold           a FIFO without openers loses its size: keep it open until
	                       a signal, or until CMD ends; SIGUSR1: say what is queued
	  TARGET (default: stdin, with -s stdout):
	  -f, --file FIFO   -n, --fd FD   -p, --pid PID[:FD]
	  -i, --stdin       -o, --stdout  -e, --stderr
	  -c, --check   stop at the first failure, and do not run CMD
	  -q, --quiet  -v, --verbose  -J, --json  --pairs;  ? or null: can't be seen
	  A pipe is wedged when all slots are taken though bytes would fit: small
	  writes that did not merge. A FIFO that nobody has open is exit 3.
*/
#include "pipecap.h"

/* The signals are blocked before the first line about a target is printed, because a reader of that
 * line may send a signal at once. */
static void block_held_signals(sigset_t *old)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, 0 };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, old);
	bb_signals(sigs);
}

/* A FIFO keeps its size and its queue only while a process has it open. */
static void NORETURN hold_targets(struct request *r, char **targets, const sigset_t *unblocked)
{
	xfflush_stdout();
	r->verb = REPORT;
	for (;;) {
		sigsuspend(unblocked);
		if (bb_got_signal && bb_got_signal != SIGUSR1)
			die_of_signal(bb_got_signal);
		if (bb_got_signal)
			pipecap_act(r, targets);
		bb_got_signal = 0;
	}
}

/* Returns the size, or 0 for max. */
static long wanted_size(const struct request *r, char **sizes)
{
	uintmax_t size;

	for (; sizes[1]; sizes++)
		if (!r->quiet)
			bb_error_msg("using last specified size");
	if (strcmp(*sizes, "max") == 0)
		return 0;
	size = xatosize("size", *sizes, 0, UINTMAX_MAX);
	if (size > LARGEST_SIZE)
		bb_show_usage("size '%s' is too large: no pipe reaches 2 GiB", *sizes);
	return size + !size; /* The kernel takes 0 and 1 as a page, and 0 means max here. */
}

static void say_what_is_hidden(struct request *r)
{
	if (pipecap_holders(r)->hidden && !r->quiet)
		bb_error_msg("can't look into %u processes: run as root",
			pipecap_holders(r)->hidden);
}

/* Carries out -g, -k or -s. command is what runs after -s. */
static int act_as_told(struct request *r, char **targets, char **command)
{
	static char in[] = "i", out[] = "o";
	char *usual[] = { (r->verb == SET ? out : in) + 1, NULL };
	bool shows_holders = r->verb == GET && r->verbose;
	sigset_t before;

	if (!targets)
		targets = usual;
	if (r->hold && !*command)
		block_held_signals(&before);
	if (shows_holders && !r->form)
		pipecap_print_header(true);
	r->has_command = *command;
	pipecap_act(r, targets);
	if (shows_holders)
		say_what_is_hidden(r);
	if (*command)
		xexec(command);
	if (r->hold && !r->status)
		hold_targets(r, targets, &before);
	return r->status;
}

static int list_as_told(struct request *r, char **targets)
{
	if (!pipecap_holders(r)->seen) {
		xfunc_error_retval = EXIT_UNSUPPORTED;
		bb_error_msg_and_die("/proc %s: the pipes of processes can't be seen",
			access("/proc/self", F_OK) < 0 ? "is not mounted" : "can't be read");
	}
	for (char **t = targets; t && *t; t++)
		pipecap_check_process(r, xatou_range("PID", *t, 1, INT_MAX), *t);
	pipecap_list(pipecap_holders(r), targets, r->form, r->quiet);
	say_what_is_hidden(r);
	return r->status;
}

/* --- which options go together --------------------------------------------------------- */

/* Returns the one mode that was given, or 0 if there is none. Two modes are a usage error. */
static int the_mode(opts_t opts)
{
	int found = 0;

	for (const char *m = "mCIlgks"; *m; m++)
		if (opts & OPT(*m)) {
			if (found)
				bb_show_usage("-%c and -%c exclude each other", found, *m);
			found = *m;
		}
	return found;
}

struct rule {
	const char *option, *modes; /* the modes that allow the option */
	bool given;
};

static void check_rules(const struct rule *rule, int mode)
{
	for (; rule->option; rule++)
		if (rule->given && !strchr(rule->modes, mode))
			bb_show_usage("-%c does not go with %s", mode, rule->option);
}

/* Users often give a target to a long option that takes no argument, as in "--get=3". */
static void explain_arguments(char **argv)
{
	static const char *const words[][2] = {
		{ "--get=", "--fd" }, { "--list=", "--pid" },
	};

	for (; *argv && **argv == '-' && strcmp(*argv, "--"); argv++)
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			size_t len = strlen(words[i][0]);
			const char *value = *argv + len;
			bool is_path = *value && value[strspn(value, "0123456789")];

			if (strncmp(*argv, words[i][0], len) == 0)
				bb_show_usage("option '%.*s' takes no argument: write '%.*s %s=%s'",
					(int)len - 1, *argv, (int)len - 1, *argv,
					is_path ? "--file" : words[i][1], value);
		}
}

static void NORETURN explain_operand(const char *word, int mode, char **targets)
{
	bool is_number = *word && !word[strspn(word, "0123456789")];
	char **last = targets;

	while (last && last[1])
		last++;
	if (is_number && mode == 'k')
		bb_show_usage("unexpected operand '%s': %s bytes are '-k%s', descriptor %s is "
			      "'-k -n %s'", word, word, word, word, word);
	if (is_number && last && (*last)[-1] == 'p')
		bb_show_usage("unexpected operand '%s': descriptor %s of process %s is '-p %s:%s'",
			word, word, *last, *last, word);
	if (is_number)
		bb_show_usage("unexpected operand '%s': descriptor %s is '-n %s'",
			word, word, word);
	bb_show_usage("unexpected operand '%s': a FIFO is '-f %s'", word, word);
}

struct options {
	opts_t letters;
	char *write_sizes, *pipe_size, *peek_len, **sizes, **targets;
	int packet, hold, pairs, mode;
};

static void check_combination(const struct options *o)
{
	const struct rule rules[] = {
		{ "-w", "mC", o->write_sizes }, { "-z", "mC", o->pipe_size },
		{ "--packet", "mC", o->packet }, { "--hold", "s", o->hold },
		{ "-f", "gks", o->letters & OPT('f') }, { "-n", "gks", o->letters & OPT('n') },
		{ "-i", "gks", o->letters & OPT('i') },
		{ "-o", "gks", o->letters & OPT('o') },
		{ "-e", "gks", o->letters & OPT('e') },
		{ "-p", "lgks", o->letters & OPT('p') },
		{ "-c", "gks", o->letters & OPT('c') },
		{ "-q", "lgks", o->letters & OPT('q') },
		{ "-v", "gs", o->letters & OPT('v') },
		{ NULL, NULL, false },
	};

	check_rules(rules, o->mode);
	if (o->letters & OPT('J') && o->pairs)
		bb_show_usage("--json and --pairs exclude each other");
}

static char **take_pipecap_options(struct options *o, char **argv)
{
	explain_arguments(argv + 1);
	o->letters = getopt32(argv,
		"+m(measure)C(curve)w(write):z(pipe-size):(packet)I(info)l(list)g(get)k(peek)::"
		"s(set):*(hold)f(file):*n(fd):*p(pid):*i(stdin)*o(stdout)*e(stderr)*c(check)"
		"q(quiet)v(verbose)J(json)(pairs)",
		&o->write_sizes, &o->pipe_size, &o->packet, &o->peek_len, &o->sizes, &o->hold,
		&o->targets, &o->targets, &o->targets, &o->targets, &o->targets, &o->targets,
		&o->pairs);
	argv += optind;
	o->mode = the_mode(o->letters);
	if (!o->mode)
		o->mode = o->targets ? 'g' : 'm';
	if (o->mode != 's' && argv[0])
		explain_operand(argv[0], o->mode, o->targets);
	check_combination(o);
	return argv;
}

int pipecap_main(char **argv)
{
	struct options o = { 0 };
	char **command = take_pipecap_options(&o, argv);
	struct request r = {
		.verb = o.mode == 's' ? SET : o.mode == 'k' ? PEEK : GET,
		.check = o.letters & OPT('c'), .quiet = o.letters & OPT('q'),
		.verbose = o.letters & OPT('v'), .hold = o.hold,
		.form = o.letters & OPT('J') ? JSON : o.pairs ? PAIRS : NO_RECORD,
		.number = INT_MAX,
	};

	if (o.sizes)
		r.number = wanted_size(&r, o.sizes);
	if (o.peek_len)
		r.number = xatosize("number of bytes", o.peek_len, 1, INT_MAX);
	switch (o.mode) {
	case 'l':
		return list_as_told(&r, o.targets);
	case 'I':
		pipecap_print_limits(r.form);
		return EXIT_SUCCESS;
	case 'm':
	case 'C':
		pipecap_measure(o.write_sizes, o.pipe_size, o.packet, o.mode == 'C', r.form);
		return EXIT_SUCCESS;
	default:
		return act_as_told(&r, o.targets, command);
	}
}
