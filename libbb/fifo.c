/*
 * fifo.c - what both ends of a named pipe need: a safe open, waits that signals can end
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

/* What a signal or exit(3) must find: the FIFO that we made, if it is to go with us, and
 * the signals that were blocked when we came. */
static struct {
	const char *path;
	struct stat made;
	sigset_t mask;
} at_end;

static void remove_fifo(void)
{
	struct stat st;

	if (at_end.path && lstat(at_end.path, &st) == 0 && st.st_ino == at_end.made.st_ino
	    && st.st_dev == at_end.made.st_dev)
		(void)unlink(at_end.path); /* best effort: another may have been quicker */
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

void fifo_create(const char *path, const char *mode, int unlink_at_exit)
{
	mode_t bits = mode ? parse_mode(mode) : 0600;
	mode_t mask = umask(0); /* as mkfifo -m: the mode that was asked for */
	int made = mkfifo(path, bits) == 0;

	umask(mask);
	if (!made && errno != EEXIST)
		bb_perror_msg_and_die("can't make the FIFO '%s'", path);
	if (made && unlink_at_exit && stat(path, &at_end.made) == 0) {
		at_end.path = path;
		atexit(remove_fifo);
	}
}

/* The type is asked before the open, since to open a device can do something, and again
 * after it, since the name may mean another file by then. */
int fifo_open(const char *path, int flags)
{
	struct stat st;
	int fd = -1, known = stat(path, &st) == 0;

	if (known && S_ISFIFO(st.st_mode)) {
		fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
		known = fd >= 0 && fstat(fd, &st) == 0;
	}
	if (known && !S_ISFIFO(st.st_mode))
		bb_error_msg_and_die("'%s' is not a FIFO", path);
	if (fd < 0 && errno != ENXIO)
		bb_perror_msg_and_die("can't open '%s'%s", path, errno == ENOENT ? " (--create makes it)" : "");
	return fd;
}

void fifo_init(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, 0 };
	sigset_t set;

	sigemptyset(&set);
	for (const int *sig = ends; *sig; sig++)
		sigaddset(&set, *sig);
	sigprocmask(SIG_BLOCK, &set, &at_end.mask);
	bb_signals(ends);
}

int64_t fifo_deadline(int64_t duration)
{
	int64_t end;

	return __builtin_add_overflow(monotonic_ns(), duration, &end) ? INT64_MAX : end;
}

/* ppoll(2) opens the mask and waits in one step: no signal falls between the two. */
int fifo_poll(struct pollfd *fds, int n, int64_t deadline)
{
	struct timespec ts;
	int64_t left;
	int ready;

	do {
		left = deadline - monotonic_ns();
		if (left < 0)
			left = 0;
		ts = (struct timespec){ left / NS_PER_S, left % NS_PER_S };
		ready = ppoll(fds, n, deadline == INT64_MAX ? NULL : &ts, &at_end.mask);
		if (bb_got_signal) {
			remove_fifo();
			die_of_signal(bb_got_signal);
		}
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		bb_perror_msg_and_die("can't poll");
	return ready;
}
