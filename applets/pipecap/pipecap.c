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

/* What the user asked for, and what came of it. */
struct job {
	enum { GET, SET, PEEK, REPORT } verb;
	bool lenient;		/* called as pipesz */
	bool check, quiet, verbose, wide, hold, has_command;
	enum record_form form;
	int status;		/* of what failed */
	long number;		/* SET: the size, 0 for max; PEEK: bytes */
	struct holders all;	/* when they are needed: it takes a walk through /proc */
};

static const struct holders *holders(struct job *job)
{
	if (!job->all.seen)
		job->all = find_holders();
	return &job->all;
}

/* errno says why; fd is -1 if it could not be opened, size what was refused, or 0. As
 * pipesz, we warn and go on, unless --check makes it an error that ends us. */
static void target_failed(struct job *job, int fd, const char *name, long size)
{
	bool setting = job->verb == SET;

	job->status = job->lenient ? EXIT_FAILURE : status_of_refusal();
	if (job->quiet && !job->check)
		return;
	if (job->lenient && fd < 0 && errno != EBADF)
		bb_perror_msg("cannot open %s", name);
	else if (job->lenient)
		bb_perror_msg("cannot %s pipe buffer size of %s", setting ? "set" : "get", name);
	else if (errno == EBADF)
		bb_error_msg("%s: not a pipe", name);
	else if (errno == ENXIO)
		bb_error_msg("%s: %s", name, holders(job)->seen
			? "nobody whom we may see reads it (try as root, or --hold)"
			: "can't be looked into quietly without /proc");
	else if (size)
		explain_refusal(fd, name, size);
	else
		bb_perror_msg("can't %s '%s'", setting ? "set the size of" : "look into", name);
	if (job->check)
		exit(job->status);
}

/* --- what is done to each target ----------------------------------------------------- */

/* false if it is no pipe */
static bool look_at(struct look *look, struct job *job, int fd, const char *name)
{
	struct stat st;

	look->name = name;
	look->n_holders = 0;
	if ((job->wide || job->verb == PEEK) && fstat(fd, &st) == 0)
		look->holders = holders_of(
			holders(job), st.st_dev, st.st_ino, &look->n_holders);
	look_into(look, fd);
	return look->size >= 0;
}

static void get_capacity(struct job *job, int fd, const char *name)
{
	struct look look;

	if (!look_at(&look, job, fd, name))
		target_failed(job, fd, name, 0);
	else if (job->verb == REPORT)
		bb_error_msg("%s: %ld of %ld bytes are queued", name, look.unread, look.size);
	else
		print_look(&look, job->form, job->wide);
}

/* max is the largest power of two that is granted. */
static void set_capacity(struct job *job, int fd, const char *name)
{
	int wish = job->number ? job->number : LARGEST_SIZE, got;

	while ((got = fcntl(fd, F_SETPIPE_SZ, wish)) < 0 && !job->number && wish > 1
	       && (errno == EPERM || errno == ENOMEM))
		wish /= 2;
	if (got < 0) {
		target_failed(job, fd, name, job->number);
		return;
	}
	if (job->verbose || (got != job->number && !job->lenient && !job->quiet))
		bb_error_msg("%s pipe buffer size set to %d", name, got);
	if (job->form)
		get_capacity(job, fd, name);
}

static void peek_into(struct job *job, int fd, const char *name)
{
	struct look look;
	int scratch[2];
	ssize_t n = -1;
	char *buf;

	if (look_at(&look, job, fd, name))
		n = copy_queue(fd, &look, job->number, scratch);
	if (n < 0) {
		target_failed(job, fd, name, 0);
		return;
	}
	buf = xmalloc(n);
	if (full_read(scratch[0], buf, n) != n)
		bb_perror_msg_and_die("can't read the copy of '%s'", name);
	print_queue(name, buf, n, job->form);
	if (n < look.unread && n < job->number && fcntl(scratch[0], F_GETPIPE_SZ) < look.size) {
		errno = EPERM; /* the copy did not fit into what the quota left us */
		target_failed(job, fd, name, look.size);
	}
	free(buf);
	close_pipe(scratch);
}

static void act(struct job *job, int fd, const char *name)
{
	if (job->verb == SET)
		set_capacity(job, fd, name);
	else if (job->verb == PEEK)
		peek_into(job, fd, name);
	else
		get_capacity(job, fd, name);
}

/* --- targets -------------------------------------------------------------------------- */

/* O_RDWR neither waits nor lets a peer see an end: fifo(7). A device might act on it. CMD
 * inherits it, out of the way of the numbers that a script uses. */
static int open_to_hold(struct job *job, const char *path)
{
	struct stat st;
	int fd = is_pipe(path, &st) ? open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;

	return fd >= 0 && job->has_command ? fcntl(fd, F_DUPFD, 10) : fd;
}

static void act_on_path(struct job *job, const char *path, const char *name)
{
	int fd = job->hold ? open_to_hold(job, path) : open_quietly(path, holders(job));

	if (fd < 0) {
		target_failed(job, fd, name, 0);
		return;
	}
	act(job, fd, name);
	if (!job->hold || job->verb == REPORT)
		close(fd);
}

static void act_on_fd(struct job *job, int fd)
{
	char name[16];

	scnprintf(name, sizeof(name), "fd %d", fd);
	act(job, fd, name);
}

static void act_on_fd_of(struct job *job, int pid, int fd)
{
	act_on_path(job, fd_path(pid, fd), xasprintf("%d:%d", pid, fd));
}

/* May we see its descriptors? */
static void check_process(struct job *job, int pid, const char *name)
{
	char *path = xasprintf("/proc/%d/fd", pid);

	if (access(path, R_OK) < 0)
		target_failed(job, -1, name, 0);
	free(path);
}

/* "PID:FD", or all pipes of PID */
static void act_on_process(struct job *job, char *target)
{
	char *colon = strchr(target, ':');
	const struct holders *all = holders(job);
	const struct holder *h = all->at;
	int pid;

	if (colon)
		*colon = '\0';
	pid = xatou_range("PID", target, 1, INT_MAX);
	if (colon) {
		act_on_fd_of(job, pid, xatou_range("FD", colon + 1, 0, INT_MAX));
		*colon = ':';
		return;
	}
	check_process(job, pid, target);
	for (; h < all->at + all->count; h++)
		if (h->pid == pid)
			act_on_fd_of(job, pid, h->fd);
}

/* target[-1] is the letter of its option. */
static void act_on_target(struct job *job, char *target)
{
	switch (target[-1]) {
	case 'f':
		act_on_path(job, target, target);
		break;
	case 'p':
		act_on_process(job, target);
		break;
	case 'n':
		act_on_fd(job, xatou_range("file descriptor", target, 0, INT_MAX));
		break;
	default:
		act_on_fd(job, target[-1] == 'i' ? 0 : target[-1] == 'o' ? 1 : 2);
	}
}

static void act_on_targets(struct job *job, char **targets)
{
	for (; *targets; targets++)
		act_on_target(job, *targets);
}

/* Before the first word about a target: whoever reads it may send a signal at once. */
static void block_held_signals(sigset_t *old)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, 0 };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, old);
	bb_signals(sigs);
}

/* A FIFO's size and what is queued in it last as long as somebody has it open. */
static void NORETURN hold_targets(struct job *job, char **targets, const sigset_t *unblocked)
{
	xfflush_stdout();
	job->verb = REPORT;
	for (;;) {
		sigsuspend(unblocked);
		if (bb_got_signal && bb_got_signal != SIGUSR1)
			die_of_signal(bb_got_signal);
		if (bb_got_signal)
			act_on_targets(job, targets);
		bb_got_signal = 0;
	}
}

/* --- modes ---------------------------------------------------------------------------- */

/* 0 for max. pipesz without --set means the most that everybody may have. */
static long wanted_size(const struct job *job, char **sizes)
{
	long max = pipe_limit("max-size");
	uintmax_t size;

	if (!sizes)
		return max < 0 ? 0 : max;
	for (; sizes[1]; sizes++)
		if (!job->quiet)
			bb_error_msg("using last specified size");
	if (strcmp(*sizes, "max") == 0)
		return 0;
	size = xatosize("size", *sizes, 0, UINTMAX_MAX);
	size += !size; /* a page, both to the kernel; 0 is max here */
	if (size > LARGEST_SIZE && !job->lenient)
		bb_show_usage("size '%s' is too large: no pipe reaches 2 GiB", *sizes);
	return size < LARGEST_SIZE ? size : LARGEST_SIZE;
}

static void say_what_is_hidden(struct job *job)
{
	if (holders(job)->hidden && !job->quiet)
		bb_error_msg("can't look into %u processes: run as root", holders(job)->hidden);
}

/* -g, -k and -s; command is what -s runs then. */
static int act_as_told(struct job *job, char **targets, char **command)
{
	static char in[] = "i", out[] = "o";
	char *usual[] = { (job->verb == SET ? out : in) + 1, NULL };
	bool prints = job->verb == GET && job->verbose;
	sigset_t before;

	if (!targets)
		targets = usual;
	if (job->hold && !*command)
		block_held_signals(&before);
	if (prints && !job->form)
		print_header(job->wide);
	job->has_command = *command;
	act_on_targets(job, targets);
	if (prints && job->wide)
		say_what_is_hidden(job);
	if (*command)
		xexec(command);
	if (job->hold && !job->status)
		hold_targets(job, targets, &before);
	return job->lenient ? EXIT_SUCCESS : job->status;
}

static int list_as_told(struct job *job, char **targets)
{
	if (!holders(job)->seen) {
		xfunc_error_retval = EXIT_UNSUPPORTED;
		bb_error_msg_and_die("/proc is not mounted: the pipes of processes can't be seen");
	}
	for (char **t = targets; t && *t; t++) {
		if ((*t)[-1] != 'p')
			bb_show_usage("-l does not go with -%c", (*t)[-1]);
		check_process(job, xatou_range("PID", *t, 1, INT_MAX), *t);
	}
	list_pipes(holders(job), targets, job->form);
	say_what_is_hidden(job);
	return job->status;
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
	struct job job = { .verb = GET, .number = INT_MAX };
	char *write_sizes = NULL, *pipe_size = NULL, *peek_len = NULL;
	char **sizes = NULL, **targets = NULL;
	int packet = 0, stay = 0, pairs = 0;
	opts_t opts = getopt32(argv,
		"+m(measure)C(curve)w(write):z(pipe-size):(packet)I(info)l(list)g(get)k(peek)::"
		"s(set):*(hold)f(file):*n(fd):*p(pid):*i(stdin)*o(stdout)*e(stderr)*c(check)"
		"q(quiet)v(verbose)J(json)(pairs)",
		&write_sizes, &pipe_size, &packet, &peek_len, &sizes, &stay,
		&targets, &targets, &targets, &targets, &targets, &targets, &pairs);
	int m = the_mode(opts);

	argv += optind;
	job.lenient = strcmp(applet_name, "pipesz") == 0;
	job.check = opts & OPT('c');
	job.quiet = opts & OPT('q');
	job.verbose = opts & OPT('v');
	job.hold = stay;
	job.form = opts & OPT('J') ? JSON : pairs ? PAIRS : NO_RECORD;
	job.wide = job.form || (job.verbose && !job.lenient);
	if (!m)
		m = job.lenient ? 's' : targets ? 'g' : 'm';
	if (m != 's' && argv[0])
		bb_show_usage("unexpected operand '%s'", argv[0]);
	if (m == 's') {
		job.verb = SET;
		job.number = wanted_size(&job, sizes);
	}
	if (m == 'k') {
		job.verb = PEEK;
		if (peek_len)
			job.number = xatosize("number of bytes", peek_len, 1, INT_MAX);
	}
	if (m == 'l')
		return list_as_told(&job, targets);
	if (m == 'I')
		print_limits(job.form);
	else if (m == 'm' || m == 'C')
		pipecap_measure(write_sizes, pipe_size, packet, m == 'C', job.form);
	else
		return act_as_told(&job, targets, argv);
	return EXIT_SUCCESS;
}
