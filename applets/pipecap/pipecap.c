/*
 * pipecap - see into pipes: size, slots, what is queued, who holds them; and set the size
 * also: pipesz
 *
 * SPDX-License-Identifier: 0BSD

config PIPECAP
	bool "pipecap"
	default y
	help
	  usage: pipecap [-m] [-C] [-w BYTES] [-z SIZE] [--packet] | -I | -l [-p PID]...
	     or: pipecap -g|-k[N] [-cqvJ] [TARGET]...
	     or: pipecap -s SIZE|max [-cqvJ] [--hold] [TARGET]... [-- CMD [ARG...]]

	  Fill a new pipe and print what it holds, as size=65536.
	  -m, --measure        that; -w, --write BYTES at a time; -z, --pipe-size SIZE
	  -C, --curve          the same for many BYTES, or -w LIST;  --packet: O_DIRECT
	  -I, --info           the limits, explained
	  -l, --list           the pipes of all processes, or of PID; *: blocked there
	  -g, --get            size and unread bytes; -v: slots, readers, writers too
	  -k, --peek[=N]       what is queued, without consuming it
	  -s, --set SIZE       set the size; max: the largest that is granted
	      --hold           a FIFO forgets: keep it open until a signal, or CMD ends;
	                       SIGUSR1: say what is queued
	  TARGET (else stdin; -s: stdout):
	  -f, --file FIFO   -n, --fd FD   -p, --pid PID[:FD]
	  -i, --stdin       -o, --stdout  -e, --stderr
	  -c, --check   the first failure ends it, and CMD does not run
	  -q, --quiet  -v, --verbose  -J, --json  --pairs;  ? or null: can't be seen
	  A pipe is wedged when its slots are taken though bytes would fit: small
	  writes that did not merge. As pipesz it behaves as util-linux's.
*/
#include "pipecap.h"

static struct {
	bool lenient;	/* called as pipesz */
	bool check, quiet, verbose, wide;
	enum record_form form;
	int status;	/* of what failed */
} mode;

struct action {
	enum { GET, SET, PEEK, REPORT } verb;
	long number;		/* SET: the size, 0 for max; PEEK: bytes */
	bool hold, has_command;
};

/* Found when they are needed: that takes a walk through all of /proc. */
static const struct holders *holders(void)
{
	static struct holders all;
	static bool found;

	if (!found)
		all = find_holders();
	found = true;
	return &all;
}

/* errno says why; fd is -1 if it could not be opened, size what was refused, or 0. As
 * pipesz, we warn and go on, unless --check makes it an error that ends us. */
static void target_failed(const struct action *a, int fd, const char *name, long size)
{
	bool setting = a->verb == SET;

	mode.status = mode.lenient ? EXIT_FAILURE : status_of_refusal();
	if (mode.quiet && !mode.check)
		return;
	if (mode.lenient && fd < 0 && errno != EBADF)
		bb_perror_msg("cannot open %s", name);
	else if (mode.lenient)
		bb_perror_msg("cannot %s pipe buffer size of %s", setting ? "set" : "get", name);
	else if (errno == EBADF)
		bb_error_msg("%s: not a pipe", name);
	else if (errno == ENXIO && !holders()->seen)
		bb_error_msg("%s: can't be looked into quietly without /proc", name);
	else if (errno == ENXIO)
		bb_error_msg("%s: nobody whom we may see reads it (try as root, or --hold)", name);
	else if (size)
		explain_refusal(fd, name, size);
	else
		bb_perror_msg("can't %s '%s'", setting ? "set the size of" : "look into", name);
	if (mode.check)
		exit(mode.status);
}

/* --- what is done to each target ----------------------------------------------------- */

static void get(const struct action *a, int fd, const char *name)
{
	const struct holder *h = NULL;
	struct look look;
	struct stat st;
	size_t count = 0;

	if (mode.wide && fstat(fd, &st) == 0)
		h = holders_of(holders(), st.st_dev, st.st_ino, &count);
	look = look_at(fd, name, h, count);
	if (look.size < 0)
		target_failed(a, fd, name, 0);
	else if (a->verb == REPORT)
		bb_error_msg("%s: %ld of %ld bytes are queued", name, look.unread, look.size);
	else
		print_look(&look, mode.form, mode.wide);
}

/* max is the largest power of two that is granted. */
static void set(const struct action *a, int fd, const char *name)
{
	int wish = a->number ? a->number : LARGEST_SIZE, got;

	while ((got = fcntl(fd, F_SETPIPE_SZ, wish)) < 0 && !a->number && wish > 1
	       && (errno == EPERM || errno == ENOMEM))
		wish /= 2;
	if (got < 0) {
		target_failed(a, fd, name, a->number);
		return;
	}
	if (mode.verbose || (got != a->number && !mode.lenient && !mode.quiet))
		bb_error_msg("%s pipe buffer size set to %d", name, got);
	if (mode.form)
		get(a, fd, name);
}

/* The writing end cannot tee; then another's reading end does it. */
static ssize_t copy_either_end(int fd, long size, size_t len, int scratch[2])
{
	ssize_t n = copy_queue(fd, size, len, scratch);

	if (n >= 0 || errno != EBADF)
		return n;
	fd = open_quietly(xasprintf("/proc/self/fd/%d", fd), holders());
	return fd < 0 ? -1 : copy_queue(fd, size, len, scratch);
}

static void peek(const struct action *a, int fd, const char *name)
{
	int scratch[2], unread = 0;
	long size = fcntl(fd, F_GETPIPE_SZ);
	ssize_t n;
	char *buf;

	(void)ioctl(fd, FIONREAD, &unread); /* not a pipe: then size tells */
	n = size < 0 ? -1 : copy_either_end(fd, size, a->number, scratch);
	if (n < 0) {
		target_failed(a, fd, name, 0);
		return;
	}
	buf = xmalloc(n);
	if (full_read(scratch[0], buf, n) != n)
		bb_perror_msg_and_die("can't read the copy of '%s'", name);
	print_queue(name, buf, n, mode.form);
	if (n < unread && n < a->number && fcntl(scratch[0], F_GETPIPE_SZ) < size) {
		errno = EPERM; /* the copy did not fit into what the quota left us */
		target_failed(a, fd, name, size);
	}
	free(buf);
	close(scratch[0]);
	close(scratch[1]);
}

static void act(const struct action *a, int fd, const char *name)
{
	if (a->verb == SET)
		set(a, fd, name);
	else if (a->verb == PEEK)
		peek(a, fd, name);
	else
		get(a, fd, name);
}

/* --- targets -------------------------------------------------------------------------- */

/* O_RDWR neither waits nor lets a peer see an end: fifo(7). CMD inherits it, out of the way
 * of the numbers that a script uses. */
static int open_to_hold(const struct action *a, const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && a->has_command ? fcntl(fd, F_DUPFD, 10) : fd;
}

static void act_on_path(const struct action *a, const char *path, const char *name)
{
	int fd = a->hold ? open_to_hold(a, path) : open_quietly(path, holders());

	if (fd < 0) {
		target_failed(a, fd, name, 0);
		return;
	}
	act(a, fd, name);
	if (!a->hold || a->verb == REPORT)
		close(fd);
}

static void act_on_fd(const struct action *a, int fd)
{
	char name[16];

	snprintf(name, sizeof(name), "fd %d", fd);
	act(a, fd, name);
}

static void act_on_fd_of(const struct action *a, int pid, int fd)
{
	act_on_path(a, xasprintf("/proc/%d/fd/%d", pid, fd), xasprintf("%d:%d", pid, fd));
}

/* May we see its descriptors? Else errno. */
static bool can_see(int pid)
{
	return access(xasprintf("/proc/%d/fd", pid), R_OK) == 0;
}

/* "PID:FD", or all pipes of PID */
static void act_on_process(const struct action *a, char *target)
{
	char *colon = strchr(target, ':');
	const struct holders *all = holders();
	const struct holder *h = all->at;
	int pid;

	if (colon)
		*colon = '\0';
	pid = xatou_range("PID", target, 1, INT_MAX);
	if (colon) {
		*colon = ':';
		act_on_fd_of(a, pid, xatou_range("FD", colon + 1, 0, INT_MAX));
		return;
	}
	if (!can_see(pid))
		target_failed(a, -1, target, 0);
	for (; h < all->at + all->count; h++)
		if (h->pid == pid)
			act_on_fd_of(a, pid, h->fd);
}

/* target[-1] is the letter of its option. */
static void act_on_target(const struct action *a, char *target)
{
	switch (target[-1]) {
	case 'f':
		act_on_path(a, target, target);
		break;
	case 'p':
		act_on_process(a, target);
		break;
	case 'n':
		act_on_fd(a, xatou_range("file descriptor", target, 0, INT_MAX));
		break;
	default:
		act_on_fd(a, target[-1] == 'i' ? 0 : target[-1] == 'o' ? 1 : 2);
	}
}

static void act_on_targets(const struct action *a, char **targets)
{
	for (; *targets; targets++)
		act_on_target(a, *targets);
}

/* A FIFO's size and what is queued in it last as long as somebody has it open. */
static void NORETURN hold(struct action *a, char **targets)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, 0 };
	sigset_t all, old;

	xfflush_stdout();
	a->verb = REPORT;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	bb_signals(sigs);
	for (;;) {
		sigsuspend(&old);
		if (bb_got_signal && bb_got_signal != SIGUSR1)
			die_of_signal(bb_got_signal);
		if (bb_got_signal)
			act_on_targets(a, targets);
		bb_got_signal = 0;
	}
}

/* --- modes ---------------------------------------------------------------------------- */

/* What the user said. */
struct args {
	opts_t opts;
	char *write_sizes, *pipe_size, *peek_len;
	char **sizes, **targets;
};

/* 0 for max. pipesz without --set means the most that everybody may have. */
static long wanted_size(char **sizes)
{
	uintmax_t size;

	if (!sizes)
		return pipe_max_size() < 0 ? 0 : pipe_max_size();
	for (; sizes[1]; sizes++)
		if (!mode.quiet)
			bb_error_msg("using last specified size");
	if (strcmp(*sizes, "max") == 0)
		return 0;
	size = xatosize("size", *sizes, 1, UINTMAX_MAX);
	if (size > LARGEST_SIZE && !mode.lenient)
		bb_show_usage("size '%s' is too large: no pipe reaches 2 GiB", *sizes);
	return size < LARGEST_SIZE ? size : LARGEST_SIZE;
}

static void say_what_is_hidden(void)
{
	if (holders()->hidden && !mode.quiet)
		bb_error_msg("can't look into %u processes: run as root", holders()->hidden);
}

/* -g, -k and -s; command is what -s runs then. */
static int act_as_told(int m, const struct args *args, char **command)
{
	static char in[] = "i", out[] = "o";
	struct action a = { .verb = m == 'g' ? GET : m == 'k' ? PEEK : SET };
	char *usual[] = { (m == 's' ? out : in) + 1, NULL };
	char **targets = args->targets ? args->targets : usual;

	a.hold = args->opts & OPT('H');
	a.has_command = *command;
	a.number = INT_MAX;
	if (m == 's')
		a.number = wanted_size(args->sizes);
	else if (args->peek_len)
		a.number = xatosize("number of bytes", args->peek_len, 1, INT_MAX);
	if (m == 'g' && mode.verbose && !mode.form)
		print_header(mode.wide);
	act_on_targets(&a, targets);
	if (m == 'g' && mode.wide && mode.verbose)
		say_what_is_hidden();
	if (a.has_command)
		xexec(command);
	if (a.hold && !mode.status)
		hold(&a, targets);
	return mode.lenient ? EXIT_SUCCESS : mode.status;
}

static int list(char **targets)
{
	static const struct action look = { .verb = GET };

	if (!holders()->seen) {
		xfunc_error_retval = EXIT_UNSUPPORTED;
		bb_error_msg_and_die("/proc is not mounted: the pipes of processes can't be seen");
	}
	for (char **t = targets; t && *t; t++) {
		if ((*t)[-1] != 'p')
			bb_show_usage("-l does not go with -%c", (*t)[-1]);
		if (!can_see(xatou_range("PID", *t, 1, INT_MAX)))
			target_failed(&look, -1, *t, 0);
	}
	list_pipes(holders(), targets, mode.form);
	say_what_is_hidden();
	return mode.status;
}

/* The one mode that was asked for: 0 if there is none, usage error if there are two. */
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

int pipecap_main(char **argv)
{
	struct args args = { 0 };
	opts_t opts = args.opts = getopt32(argv,
		"+m(measure)C(curve)w(write):z(pipe-size):-P(packet)I(info)l(list)g(get)k(peek)::"
		"s(set):*-H(hold)f(file):*n(fd):*p(pid):*i(stdin)*o(stdout)*e(stderr)*c(check)"
		"q(quiet)v(verbose)J(json)-A(pairs)",
		&args.write_sizes, &args.pipe_size, &args.peek_len, &args.sizes, &args.targets,
		&args.targets, &args.targets, &args.targets, &args.targets, &args.targets);
	bool packet = opts & OPT('P');
	int m = the_mode(opts);

	argv += optind;
	mode.lenient = strcmp(applet_name, "pipesz") == 0;
	mode.check = opts & OPT('c');
	mode.quiet = opts & OPT('q');
	mode.verbose = opts & OPT('v');
	mode.form = opts & OPT('J') ? JSON : opts & OPT('A') ? PAIRS : NO_RECORD;
	mode.wide = mode.form || (mode.verbose && !mode.lenient);
	if (!m)
		m = mode.lenient ? 's' : args.targets ? 'g' : 'm';
	if (m != 's' && argv[0])
		bb_show_usage("unexpected operand '%s'", argv[0]);
	if (strchr("gks", m))
		return act_as_told(m, &args, argv);
	if (m == 'l')
		return list(args.targets);
	if (m == 'C')
		print_curve(args.write_sizes, args.pipe_size, packet, mode.form);
	else if (m == 'I')
		print_limits(mode.form);
	else
		measure(args.write_sizes, args.pipe_size, packet, mode.form);
	return EXIT_SUCCESS;
}
