/*
 * pipecap - see into pipes: size, slots, what is queued, who holds them; and set the size
 * also: pipesz
 *
 * SPDX-License-Identifier: 0BSD

config PIPECAP
	bool "pipecap"
	default y
	help
	  usage: pipecap [-m] [-C] [-w BYTES] [-z SIZE] [--packet] | -I | -l [-p PID]
	     or: pipecap -g|-k[N] [-cqvJ] [TARGET]...
	     or: pipecap -s SIZE|max [-cqv] [--hold] [TARGET]... [-- CMD [ARG...]]

	  Fill a new pipe and print what it holds, as size=65536.
	  -m, --measure        that; -w, --write BYTES at a time; -z, --pipe-size SIZE
	  -C, --curve          the same for many BYTES, or -w LIST;  --packet: O_DIRECT
	  -I, --info           the limits, explained
	  -l, --list           the pipes of all processes; -p PID: of one; *: blocked
	  -g, --get            size and unread bytes; -v: slots, readers, writers too
	  -k, --peek[=N]       what is queued, without consuming it
	  -s, --set SIZE       set the size; max: the largest that is granted
	      --hold           a FIFO forgets: keep it open until a signal, or CMD ends
	  TARGET (else stdin; -s: stdout):
	  -f, --file FIFO   -n, --fd FD   -p, --pid PID:FD
	  -i, --stdin       -o, --stdout  -e, --stderr
	  -c, --check   any failure is status 1, and CMD does not run
	  -q, --quiet  -v, --verbose  -J, --json  --pairs
	  A pipe is wedged when its slots are taken though bytes would fit: small
	  writes that did not merge. As pipesz it behaves as util-linux's.
*/
#include "pipecap.h"

static struct {
	bool lenient;	/* called as pipesz */
	bool check, quiet, verbose, failed, no_proc;
	enum record_form form;
} mode;

/* --- failures ------------------------------------------------------------------------ */

/* pipesz warns and goes on unless --check; pipecap remembers. */
static void target_failed(bool setting, const char *name)
{
	int err = errno;

	mode.failed = true;
	if (mode.quiet)
		return;
	if (mode.lenient)
		bb_perror_msg("cannot %s pipe buffer size of %s", setting ? "set" : "get", name);
	else if (err != EBADF && err != ENXIO)
		bb_perror_msg("can't %s '%s'", setting ? "set the size of" : "look into", name);
	else if (err == EBADF)
		bb_error_msg("%s: not a pipe", name);
	else if (mode.no_proc)
		bb_error_msg("%s: can't be looked into quietly without /proc", name);
	else
		bb_error_msg(
			"%s: nobody whom we may see has it open (try as root, or --hold)", name);
}

static void explain_refusal(int fd, const char *name, long size)
{
	int err = errno, unread = 0;
	long max = pipe_max_size();

	if (mode.quiet || mode.lenient || (err != EPERM && err != EBUSY)) {
		target_failed(true, name);
		return;
	}
	mode.failed = true;
	if (err == EBUSY && ioctl(fd, FIONREAD, &unread) == 0)
		bb_error_msg(
			"%s: %d bytes are queued and would not fit into %ld", name, unread, size);
	else if (max >= 0 && size > max)
		bb_error_msg("%s: %ld is above /proc/sys/fs/pipe-max-size, %ld, and needs "
			     "CAP_SYS_RESOURCE",
			name, size, max);
	else
		bb_error_msg("%s: this user's pipes are over /proc/sys/fs/pipe-user-pages-soft, "
			     "%ld pages",
			name, read_number("/proc/sys/fs/pipe-user-pages-soft"));
}

static int final_status(void)
{
	return mode.failed && (mode.check || !mode.lenient) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- what is done to each target ----------------------------------------------------- */

static void get(int fd, const char *name, const struct holders *all)
{
	struct look look = look_at(fd, name);
	struct stat st;

	if (look.size < 0) {
		target_failed(false, name);
		return;
	}
	if (all && fstat(fd, &st) == 0)
		look.holders = holders_of(all, st.st_dev, st.st_ino, &look.n_holders);
	print_look(&look, mode.form, mode.verbose && !mode.lenient);
}

/* SIZE, or the largest power of two that is granted. */
static void set(int fd, const char *name, long size)
{
	long wish = size, got;

	if (wish == 0) {
		wish = pipe_max_size() > 0 ? pipe_max_size() : 1 << 20;
		if (has_capability(CAP_SYS_RESOURCE) && !mode.lenient)
			wish = 1 << 30;
	}
	do {
		got = fcntl(fd, F_SETPIPE_SZ, (int)wish);
		wish /= 2;
	} while (got < 0 && (errno == EPERM || errno == ENOMEM) && size == 0
		&& wish >= getpagesize());
	if (got < 0)
		explain_refusal(fd, name, size ? size : wish);
	else if (mode.verbose)
		bb_error_msg("%s pipe buffer size set to %ld", name, got);
}

static void peek(int fd, const char *name, size_t len)
{
	int scratch[2];
	long size = fcntl(fd, F_GETPIPE_SZ);
	ssize_t n = size < 0 ? -1 : copy_queue(fd, size, len, scratch);
	char *buf;

	if (n < 0) {
		if (size >= 0)
			errno = ENXIO; /* opened for writing: tee needs a reader */
		target_failed(false, name);
		return;
	}
	buf = xmalloc(size);
	close(scratch[1]);
	while ((n = safe_read(scratch[0], buf, size)) > 0)
		if (full_write(STDOUT_FILENO, buf, n) != n)
			bb_perror_msg_and_die("can't write to standard output");
	free(buf);
	close(scratch[0]);
}

/* --- targets -------------------------------------------------------------------------- */

struct action {
	enum { GET, SET, PEEK } verb;
	bool hold;
	size_t number;	/* SET: the size, 0 for max; PEEK: bytes */
	const struct holders *all;
};

static void act(const struct action *a, int fd, const char *name)
{
	if (a->verb == SET)
		set(fd, name, a->number);
	else if (a->verb == PEEK)
		peek(fd, name, a->number);
	else
		get(fd, name, a->all);
}

/* With --hold the descriptor stays open, for us or for CMD. O_RDWR neither waits nor lets
 * a peer see an end: fifo(7). */
static void act_on_path(const struct action *a, const char *path, const char *name)
{
	int fd = a->hold ? open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) : open_quietly(path, a->all);

	if (fd < 0) {
		target_failed(a->verb == SET, name);
		return;
	}
	act(a, fd, name);
	if (!a->hold)
		close(fd);
}

static void act_on_fd(const struct action *a, int fd)
{
	char name[16];

	snprintf(name, sizeof(name), "fd %d", fd);
	act(a, fd, name);
}

/* "PID:FD" */
static void act_on_process(const struct action *a, const char *target)
{
	const char *colon = strchr(target, ':');
	char *pid;

	if (!colon)
		bb_show_usage("invalid PID:FD: '%s'", target);
	pid = xasprintf("%.*s", (int)(colon - target), target);
	act_on_path(a, xasprintf("/proc/%ju/fd/%ju", xatou_range("PID", pid, 1, INT_MAX),
				 xatou_range("FD", colon + 1, 0, INT_MAX)), target);
}

/* A FIFO's size and what is queued in it last as long as somebody has it open. */
static int hold(char **argv)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, 0 };
	sigset_t blocked, old;
	int status;
	pid_t pid;

	if (argv[0]) {
		pid = xfork();
		if (pid == 0)
			xexec(argv);
		while (waitpid(pid, &status, 0) < 0)
			;
		return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	sigemptyset(&blocked);
	for (const int *sig = sigs; *sig; sig++)
		sigaddset(&blocked, *sig);
	sigprocmask(SIG_BLOCK, &blocked, &old);
	bb_signals(sigs);
	while (!bb_got_signal)
		sigsuspend(&old);
	die_of_signal(bb_got_signal);
}

/* What the user said. */
struct args {
	opts_t opts;
	char *write_sizes, *pipe_size, *size, *peek_len;
	char **files, **fds, **pids;
};

static void act_on_targets(const struct action *a, const struct args *args)
{
	static const char standard[] = { 'i', 'o', 'e' };
	opts_t any = OPT('f') | OPT('n') | OPT('p') | OPT('i') | OPT('o') | OPT('e');

	for (char **file = args->files; file && *file; file++)
		act_on_path(a, *file, *file);
	for (char **pid = args->pids; pid && *pid; pid++)
		act_on_process(a, *pid);
	for (char **fd = args->fds; fd && *fd; fd++)
		act_on_fd(a, xatou_range("file descriptor", *fd, 0, INT_MAX));
	for (int fd = 0; fd < 3; fd++)
		if (args->opts & OPT(standard[fd])
			|| (!(args->opts & any) && fd == (a->verb == SET)))
			act_on_fd(a, fd);
}

/* -g, -k and -s; command is what -s runs then, or NULL. */
static int act_as_told(int m, const struct args *args, char **command)
{
	struct action a = { .verb = m == 'g' ? GET : m == 'k' ? PEEK : SET };
	struct holders all = { 0 };

	a.hold = args->opts & OPT('H');
	if (m == 'k')
		a.number = args->peek_len
			? xatosize("number of bytes", args->peek_len, 1, INT_MAX)
			: INT_MAX;
	else if (args->size && strcmp(args->size, "max") != 0)
		a.number = xatosize("size", args->size, 1, 1U << 31);
	if (args->files || args->pids || (m == 'g' && (mode.verbose || mode.form)))
		all = find_holders();
	mode.no_proc = !all.seen;
	a.all = &all;
	act_on_targets(&a, args);
	if (mode.failed && (mode.check || !*command))
		return final_status();
	if (a.hold)
		return hold(command);
	if (*command)
		xexec(command);
	return final_status();
}

static int list(char **pids)
{
	pid_t pid = pids ? (int)xatou_range("PID", *pids, 1, INT_MAX) : 0;
	struct holders all = find_holders();

	if (!all.seen) {
		xfunc_error_retval = EXIT_UNSUPPORTED;
		bb_error_msg_and_die("/proc is not mounted: the pipes of processes can't be seen");
	}
	list_pipes(&all, pid, mode.form);
	if (all.hidden && !mode.quiet)
		bb_error_msg("%u processes of other users are not shown: run as root", all.hidden);
	return EXIT_SUCCESS;
}

static const char modes[] = "mCIlgks";

/* The one mode that was asked for: 0 if there is none, usage error if there are two. */
static int the_mode(opts_t opts)
{
	int found = 0;

	for (const char *m = modes; *m; m++)
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
		"s(set):-H(hold)f(file):*n(fd):*p(pid):*i(stdin)o(stdout)e(stderr)c(check)q(quiet)"
		"v(verbose)J(json)-A(pairs)",
		&args.write_sizes, &args.pipe_size, &args.peek_len, &args.size, &args.files,
		&args.fds, &args.pids);
	bool packet = opts & OPT('P');
	int m = the_mode(opts);

	argv += optind;
	mode.lenient = strcmp(applet_name, "pipesz") == 0;
	mode.check = opts & OPT('c');
	mode.quiet = opts & OPT('q');
	mode.verbose = opts & OPT('v');
	mode.form = opts & OPT('J') ? JSON : opts & OPT('A') ? PAIRS : NO_RECORD;
	if (!m)
		m = mode.lenient ? 's' : 'm';
	if (m != 's' && argv[0])
		bb_show_usage("unexpected operand '%s'", argv[0]);
	if (strchr("gks", m))
		return act_as_told(m, &args, argv);
	if (m == 'l')
		return list(args.pids);
	if (m == 'C')
		print_curve(args.write_sizes, args.pipe_size, packet, mode.form);
	else if (m == 'I')
		explain_limits(mode.form);
	else
		measure(args.write_sizes, args.pipe_size, packet);
	return EXIT_SUCCESS;
}
