/*
 * wait.c - waiting that ends at a deadline, at a signal, or when the name means another FIFO
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/inotify.h>
#include "fifo.h"
#include "wait.h"

/* After a signal, a message that was already taken may be printed or sent for so long. */
enum { GRACE_S = 3 };

/* A signal or exit(3) needs these: the FIFO that this process made, if it must be removed, the
 * counts to report, and the mask that lets the signals in. */
static struct {
	const char *base;	/* the FIFO's name in dir, or NULL */
	int dir;
	struct stat made;
	struct fifo *fifo;
	sigset_t mask;
	int64_t grace;		/* a signal may wait until then */
} at_end;

static void print_status(const struct fifo *f)
{
	static const char text[] =
		"%s: messages=%ju bytes=%ju dropped=%ju reconnects=%ju waits=%ju\n";
	static const char json[] =
		"{\"applet\":\"%s\",\"messages\":%ju,\"bytes\":%ju,\"dropped\":%ju,"
		"\"reconnects\":%ju,\"waits\":%ju}\n";
	const struct fifo_counts *c = &f->count;
	char line[256]; /* This has room for five numbers of 20 digits. */
	size_t len = scnprintf(line, sizeof(line), f->asked.json ? json : text, applet_name,
		c->messages, c->bytes, c->dropped, c->reconnects, c->waits);

	/* No message could report a failure of stderr. */
	(void)full_write(STDERR_FILENO, line, len);
}

void fifo_end_child(struct fifo *f)
{
	if (f->child > 0) {
		kill(f->child, SIGKILL);
		(void)waitpid(f->child, NULL, 0); /* How it ended does not matter. */
	}
	f->child = 0;
}

static void __attribute__((destructor)) fifo_leave(void)
{
	struct fifo *f = at_end.fifo;
	struct stat st;

	if (!f)
		return;
	fifo_end_child(f);
	f->count.dropped += f->queued;
	if (f->asked.stats)
		print_status(f);
	if (!at_end.base)
		return;
	if (fstatat(at_end.dir, at_end.base, &st, AT_SYMLINK_NOFOLLOW) < 0
	    || (same_inode(&st, &at_end.made) && unlinkat(at_end.dir, at_end.base, 0) < 0))
		if (errno != ENOENT && errno != ENOTDIR)
			bb_perror_msg("can't remove '%s'", f->path);
}

void fifo_remove_at_end(int dir, const char *base, const struct stat *st)
{
	at_end.dir = dir;
	at_end.base = base;
	at_end.made = *st;
}

void fifo_catch_signals(struct fifo *f)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, 0 };
	sigset_t set;

	sigemptyset(&set);
	for (const int *sig = ends; *sig; sig++)
		sigaddset(&set, *sig);
	sigprocmask(SIG_BLOCK, &set, &at_end.mask);
	bb_signals(ends);
	at_end.fifo = f;
}

/* A path that does not fit into dir cannot be opened anyway. */
const char *fifo_directory(const char *path)
{
	static char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? slash - path + 1 : 0;

	if (len >= sizeof(dir))
		len = 0;
	memcpy(dir, path, len);
	strcpy(dir + len, len ? "" : ".");
	return dir;
}

int64_t fifo_deadline(int64_t duration)
{
	int64_t end;

	if (duration == INT64_MAX || __builtin_add_overflow(monotonic_ns(), duration, &end))
		return INT64_MAX;
	return end;
}

int64_t fifo_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Some kernels report POLLIN or POLLOUT where the call then fails with EAGAIN: gVisor reports
 * POLLOUT with less than PIPE_BUF free. On every kernel another process may have been faster. */
int64_t fifo_after_hints(int hints)
{
	int64_t pause = MS;

	for (; hints > 3 && pause < LONGEST_PAUSE; hints--)
		pause *= 2;
	return hints < 3 ? 0 : fifo_deadline(fifo_earlier(pause, LONGEST_PAUSE));
}

/* A name can come to mean another file when a directory or a link on its way is moved or removed,
 * so each of them is watched. A link itself is watched and counted, because its target has a way of
 * its own. The last directory is watched, too, if it can be: some kernels (gVisor) report nothing
 * of a file when rename(2) gives its name to another. Returns the number of links, or -1 if
 * something could not be watched. */
static int watch_way(int watch, const char *path)
{
	const uint32_t mask =
		IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF | IN_DONT_FOLLOW | IN_MASK_ADD;
	char part[PATH_MAX];
	struct stat st;
	int links = 0;

	(void)inotify_add_watch(watch, fifo_directory(path), IN_MOVED_TO | IN_MASK_ADD);
	for (size_t len = 1; len < sizeof(part); len++) {
		if (path[len] && path[len] != '/')
			continue;
		memcpy(part, path, len);
		part[len] = '\0';
		if (inotify_add_watch(watch, part, mask) < 0)
			return -1;
		links += lstat(part, &st) == 0 && S_ISLNK(st.st_mode);
		if (!path[len])
			return links;
	}
	return -1;
}

/* Returns true if the watches notice everything that can happen to the name. They do not if there
 * is no such file, although the watch of its directory reports when one is made. */
static int watch_name(const struct fifo *f, int exists)
{
	char real[PATH_MAX];
	int links = watch_way(f->watch.fd, f->path);

	if (exists)
		return links == 0
			|| (links > 0 && realpath(f->path, real)
			    && watch_way(f->watch.fd, real) == 0);
	(void)inotify_add_watch(f->watch.fd, fifo_directory(f->path),
		IN_CREATE | IN_MOVED_TO | IN_MASK_ADD);
	return 0;
}

/* An event can come before the name changes: unlink(2) reports IN_ATTRIB, and then the name goes
 * (fs/namei.c, vfs_unlink). So after each event the name is looked at three times more, after 10
 * ms, 100 ms and a second. Without complete watches it is looked at once a second. */
static void look_again(struct fifo *f, int complete, int changes)
{
	if (!complete)
		f->watch.pause = NS_PER_S;
	else if (changes)
		f->watch.pause = NS_PER_S / 100;
	else if (f->watch.pause < NS_PER_S)
		f->watch.pause *= 10;
	else
		f->watch.pause = INT64_MAX;
	f->watch.look = fifo_deadline(f->watch.pause);
}

static int means_another(const struct fifo *f, const struct stat *named, int exists)
{
	return exists && !same_inode(named, &f->place.found);
}

/* The watches are made before the name is looked at for the second time, so a change in between is
 * an event. */
static int renew_watches(struct fifo *f)
{
	struct stat named = { 0 }, before;
	int exists = stat(f->path, &named) == 0, news;
	char events[4096];

	if (f->watch.fd < 0)
		f->watch.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (f->watch.fd < 0 && f->watch.pause == INT64_MAX && f->asked.verbose > 0)
		bb_perror_msg("no inotify(7): '%s' is looked at once a second", f->path);
	news = f->watch.fd >= 0 && safe_read(f->watch.fd, events, sizeof(events)) > 0;
	if (news || !exists || f->watch.pause != INT64_MAX || !same_inode(&named, &f->watch.seen)) {
		int complete = f->watch.fd >= 0 && watch_name(f, exists);

		f->watch.seen = before = named;
		exists = stat(f->path, &named) == 0;
		look_again(f, complete, news || !exists || !same_inode(&named, &before));
	}
	return means_another(f, &named, exists);
}

/* The end of a process that has watches takes 1 to 30 ms, because the kernel waits until no
 * processor uses the watches (fsnotify_destroy_group in fs/notify/group.c), and a transfer may take
 * less. So there are no watches before a wait was idle; until then the name is looked at each tenth
 * of a second. */
int fifo_watch(struct fifo *f)
{
	struct stat named;

	if (f->watch.idle)
		return renew_watches(f);
	f->watch.look = fifo_deadline(NS_PER_S / 10);
	return means_another(f, &named, stat(f->path, &named) == 0);
}

/* A message that was taken out of the pipe or from stdin is not lost at a signal, if it can be
 * printed or sent within the grace time. Signals are blocked here, so none comes in between. */
static int64_t look_at_signals(int64_t deadline)
{
	int sig = bb_got_signal;

	if (sig == SIGUSR1) {
		print_status(at_end.fifo);
		bb_got_signal = 0;
	} else if (sig) {
		if (!at_end.grace)
			at_end.grace = fifo_deadline(GRACE_S * NS_PER_S);
		if (!at_end.fifo->unsaved || monotonic_ns() >= at_end.grace) {
			fifo_leave();
			die_of_signal(sig);
		}
		deadline = at_end.grace;
	}
	return deadline;
}

/* ppoll(2) opens the signal mask and waits in one step, so no signal is missed between the two. */
int fifo_poll(struct pollfd *fds, int n, int64_t deadline)
{
	struct timespec ts;
	int64_t left;
	int ready;

	do {
		deadline = look_at_signals(deadline);
		left = deadline - monotonic_ns();
		if (left < 0)
			left = 0;
		ts = (struct timespec){ left / NS_PER_S, left % NS_PER_S };
		ready = ppoll(fds, n, deadline == INT64_MAX ? NULL : &ts, &at_end.mask);
	} while (ready < 0 && errno == EINTR);
	(void)look_at_signals(deadline);
	if (ready < 0)
		bb_perror_msg_and_die("can't poll");
	return ready;
}

void fifo_rest(int hints, int64_t deadline)
{
	int64_t look = fifo_after_hints(hints);

	if (look)
		(void)fifo_poll(NULL, 0, fifo_earlier(look, deadline));
}

/* While the FIFO is busy, each poll(2) can end before it is time to look at the name, so the clock
 * is asked after each poll(2). */
enum fifo_event fifo_wait(struct fifo *f, struct pollfd *fds, int n, int64_t deadline)
{
	enum { IDLE_NS = NS_PER_S / 50 };
	int64_t look, now;
	int ready, news;

	for (;;) {
		look = f->watch.idle ? f->watch.look : fifo_deadline(IDLE_NS);
		fds[n] = (struct pollfd){ .fd = f->watch.fd, .events = POLLIN };
		ready = fifo_poll(fds, n + 1, fifo_earlier(deadline, look));
		news = fds[n].revents != 0;
		now = monotonic_ns();
		f->watch.idle |= !ready && now >= look;
		if ((news || now >= look || now >= f->watch.look) && fifo_watch(f))
			return FIFO_MOVED;
		if (ready > news)
			return FIFO_READY;
		if (!ready && now >= deadline)
			return FIFO_LATE;
	}
}
