/*
 * fifo.c - what both ends of a named pipe need: options, a safe open, waits that signals end
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/inotify.h>
#include "fifo.h"

/* What a signal or exit(3) must find: the FIFO that we made, if it is to go with us, what
 * to report, and the signals that were blocked when we came. */
static struct {
	int remove;
	struct stat made;
	struct fifo *fifo;
	sigset_t mask;
	int64_t grace;		/* until then may a signal wait */
} at_end;

static void status(const struct fifo *f)
{
	static const char text[] =
		"%s: messages=%ju bytes=%ju dropped=%ju reconnects=%ju waits=%ju\n";
	static const char json[] =
		"{\"applet\":\"%s\",\"messages\":%ju,\"bytes\":%ju,\"dropped\":%ju,"
		"\"reconnects\":%ju,\"waits\":%ju}\n";
	char line[256]; /* enough for six numbers of 20 digits */
	size_t len = scnprintf(line, sizeof(line), f->json ? json : text, applet_name, f->messages,
		f->bytes, f->dropped, f->reconnects, f->waits);

	(void)full_write(STDERR_FILENO, line, len); /* nowhere left to complain */
}

void fifo_end_child(struct fifo *f)
{
	if (f->child > 0) {
		kill(f->child, SIGKILL);
		(void)waitpid(f->child, NULL, 0); /* its status is our signal */
	}
	f->child = 0;
}

static void __attribute__((destructor)) fifo_leave(void)
{
	struct stat st;

	if (!at_end.fifo)
		return;
	fifo_end_child(at_end.fifo);
	at_end.fifo->dropped += at_end.fifo->queued;
	if (at_end.fifo->stats)
		status(at_end.fifo);
	if (at_end.remove && lstat(at_end.fifo->path, &st) == 0 && same_inode(&st, &at_end.made))
		if (unlink(at_end.fifo->path) < 0 && errno != ENOENT)
			bb_perror_msg("can't remove '%s'", at_end.fifo->path);
}

static mode_t parse_mode(const char *str)
{
	const char *s = str;
	mode_t mode = 0;

	for (; *s >= '0' && *s <= '7' && mode <= 0777; s++)
		mode = mode * 8 + (*s - '0');
	if (*s || s == str || mode > 0777)
		bb_show_usage("invalid mode: '%s'", str);
	return mode;
}

static void fifo_make(const char *path, const char *mode, int unlink_at_exit)
{
	mode_t bits = mode ? parse_mode(mode) : 0600;
	mode_t mask = umask(0); /* as mkfifo -m: the mode that was asked for */
	int made = mkfifo(path, bits) == 0;

	umask(mask);
	if (!made && errno != EEXIST)
		bb_perror_msg_and_die("can't make the FIFO '%s'", path);
	at_end.remove = made && unlink_at_exit && stat(path, &at_end.made) == 0;
}

/* Valid until the next call; what is longer than a path may be cannot be opened anyway. */
static const char *directory(const char *path)
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

/* What fs.protected_symlinks=1 refuses (sysctl/fs.rst), for kernels where nobody set it: to
 * follow a link that a stranger put into a directory that all may write to. */
static void check_link(const char *path)
{
	struct stat link, parent;

	if (lstat(path, &link) == 0 && S_ISLNK(link.st_mode) && link.st_uid != geteuid()
	    && stat(directory(path), &parent) == 0 && parent.st_uid != link.st_uid
	    && (parent.st_mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH))
		bb_error_msg_and_die("can't open '%s': the link is another user's", path);
}

/* The type is asked before the open, since to open a device can do something, and again
 * after it, since the name may mean another file by then. */
int fifo_open(struct fifo *f, int flags)
{
	const char *path = f->path;
	struct stat st;
	int fd = -1, known;

	check_link(path);
	known = stat(path, &st) == 0;
	if (known && S_ISFIFO(st.st_mode)) {
		fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
		known = fd >= 0 && fstat(fd, &st) == 0;
	}
	if (known && !S_ISFIFO(st.st_mode))
		bb_error_msg_and_die("'%s' is not a FIFO", path);
	if (fd < 0 && errno != ENXIO && (errno != ENOENT || !f->known))
		bb_perror_msg_and_die(
			"can't open '%s'%s", path,
			errno == ENOENT && !f->created ? " (--create makes it)" : "");
	f->known = 1;
	return fd;
}

/* What is watched is noted before the watch is made: if the name changes in between, the
 * next call sees another file. To end a watch takes long, so that one that still is right
 * stays. */
int fifo_watch(struct fifo *f)
{
	struct stat named = { 0 }, ours = { 0 };
	const uint32_t gone = IN_ATTRIB | IN_MOVE_SELF;
	char events[1024];

	if (stat(f->path, &named) == 0 && f->watch >= 0 && same_inode(&named, &f->watched)) {
		(void)safe_read(f->watch, events, sizeof(events)); /* that they came is enough */
	} else {
		if (f->watch >= 0)
			close(f->watch);
		f->watched = named;
		f->watch = inotify_init1(
			IN_NONBLOCK | IN_CLOEXEC); /* without it: nothing is noticed */
		(void)inotify_add_watch(f->watch, f->path, gone | IN_DONT_FOLLOW); /* a link */
		if (inotify_add_watch(f->watch, f->path, gone) < 0
		    && inotify_add_watch(f->watch, directory(f->path), IN_CREATE | IN_MOVED_TO) < 0
		    && f->verbose > 0)
			bb_perror_msg("no inotify(7): another FIFO under the name goes unnoticed");
	}
	(void)fstat(f->fd, &ours); /* no FIFO is open: as if another were */
	return stat(f->path, &named) == 0 && !same_inode(&named, &ours);
}

/* A size below 0 is a wish, halved until the kernel grants it: a user over
 * pipe-user-pages-soft gets less (pipe(7)). */
void fifo_resize(struct fifo *f)
{
	int size = -f->size, now = fcntl(f->fd, F_GETPIPE_SZ);

	if (f->size > 0 && fcntl(f->fd, F_SETPIPE_SZ, f->size) < 0)
		bb_perror_msg_and_die("can't set the size of '%s' to %d%s", f->path, f->size,
			errno == EPERM ? " (/proc/sys/fs/pipe-max-size)" : "");
	while (size > 0 && size > now && fcntl(f->fd, F_SETPIPE_SZ, size) < 0)
		size /= 2;
	if (f->size && f->verbose > 0)
		bb_error_msg("'%s' holds %d bytes", f->path, fcntl(f->fd, F_GETPIPE_SZ));
}

/* What /proc tells, or its usual value. */
static int largest_pipe(void)
{
	long size = read_number("/proc/sys/fs/pipe-max-size");

	return size > 0 ? size : 1024 * 1024;
}

static int64_t parse_timeout(const char *str)
{
	return str ? xatodur("timeout", str) : INT64_MAX;
}

void fifo_init(struct fifo *f, opts_t opts)
{
	static const char *const frames[] = { "auto", "line", "packet", "nul", "len", "raw", NULL };
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, 0 };
	sigset_t set;

	if (!f->path)
		bb_show_usage("which FIFO?");
	f->fd = f->watch = -1;
	f->frame = opts & OPT('r') ? FRAME_RAW : xchoose("frame", f->frame_name, frames);
	f->limited = f->count != NULL;
	if (f->limited && f->frame == FRAME_RAW)
		bb_show_usage("raw bytes are no messages: --count makes no sense");
	f->left = f->count ? xatou_range("count", f->count, 1, UINTMAX_MAX) : UINTMAX_MAX;
	if (f->size_arg && strcmp(f->size_arg, "max"))
		f->size = xatosize("pipe size", f->size_arg, 1, INT_MAX);
	else if (f->size_arg || f->frame == FRAME_RAW)
		f->size = -largest_pipe();
	f->timeout = parse_timeout(f->timeout_arg);
	f->open_timeout = parse_timeout(f->open_arg);
	f->verbose = !!(opts & OPT('v')) - !!(opts & OPT('q'));
	f->json = !!(opts & OPT('J'));
	f->stats = !!(opts & OPT('s'));
	sigemptyset(&set);
	for (const int *sig = ends; *sig; sig++)
		sigaddset(&set, *sig);
	sigprocmask(SIG_BLOCK, &set, &at_end.mask);
	bb_signals(ends);
	at_end.fifo = f;
	f->created = !!(opts & OPT('p'));
	f->unlink = !!(opts & OPT('u'));
}

void fifo_create(struct fifo *f)
{
	if (f->created)
		fifo_make(f->path, f->mode, f->unlink);
}

int64_t fifo_deadline(int64_t duration)
{
	int64_t end;

	if (duration == INT64_MAX || __builtin_add_overflow(monotonic_ns(), duration, &end))
		return INT64_MAX;
	return end;
}

/* What has been taken out of the pipe is not lost with us, if it can be put down within a
 * second. The signals are blocked here: none comes in between. */
static int64_t look_at_signals(int64_t deadline)
{
	int sig = bb_got_signal;

	if (sig == SIGUSR1) {
		status(at_end.fifo);
		bb_got_signal = 0;
	} else if (sig) {
		if (!at_end.grace)
			at_end.grace = fifo_deadline(NS_PER_S);
		if (!at_end.fifo->unsaved || monotonic_ns() >= at_end.grace) {
			fifo_leave();
			die_of_signal(sig);
		}
		deadline = at_end.grace;
	}
	return deadline;
}

/* ppoll(2) opens the mask and waits in one step: no signal falls between the two. */
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

uint32_t fifo_crc(const struct fifo_header *h, const char *msg, size_t len)
{
	return crc32(crc32(0, h, offsetof(struct fifo_header, crc)), msg, len);
}
