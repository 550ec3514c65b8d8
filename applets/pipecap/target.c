/*
 * target.c - what is done to each pipe that the user names
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pipecap.h"

const struct holders *pipecap_holders(struct request *r)
{
	if (!r->all.seen)
		r->all = pipecap_find_holders();
	return &r->all;
}

/* Called if nobody has the FIFO open. Perhaps a process waits in open(2) for the other side. */
static void nobody_has(struct request *r, const char *name, const struct look *look)
{
	if (!pipecap_holders(r)->seen)
		bb_error_msg("%s: can't be looked into quietly without /proc", name);
	else if (look->n_holders)
		bb_error_msg("%s: nobody has it open; pid %d (%s) waits in open(2) for a %s", name,
			(int)look->holders->pid, look->holders->comm,
			look->holders->reads ? "writer" : "reader");
	else
		bb_error_msg("%s: nobody whom we may see has it open (try as root, or --hold)",
			name);
}

/* errno says why the target failed. size is the size that was refused, or 0. */
static void target_failed(struct request *r, const struct look *look, const char *name, long size)
{
	int status = size ? pipecap_refusal_status() : EXIT_FAILURE;

	if (errno == ENXIO)
		status = pipecap_holders(r)->seen ? EXIT_NOT_NOW : EXIT_UNSUPPORTED;
	r->status = status;
	if (r->quiet && !r->check)
		return;
	if (errno == EBADF)
		bb_error_msg("%s: not a pipe", name);
	else if (status == EXIT_NOT_NOW || (status == EXIT_UNSUPPORTED && !size))
		nobody_has(r, name, look);
	else if (errno == ETIMEDOUT)
		bb_error_msg("can't look into '%s': a process keeps it locked", name);
	else if (size)
		pipecap_explain_refusal(name, size, look->unread);
	else
		bb_perror_msg("can't %s '%s'",
			r->verb == SET ? "set the size of" : "look into", name);
	if (r->check)
		exit(status);
}

/* --- what is done to each target. look has the holders. fd is -1 if only they have the pipe
 * open */

static void show_pipe(struct request *r, struct look *look, int fd)
{
	pipecap_look(look, fd);
	if (look->error) {
		errno = look->error;
		target_failed(r, look, look->name, 0);
	} else if (r->verb == REPORT) {
		bb_error_msg("%s: %ld of %ld bytes are queued", look->name, look->unread,
			look->size);
	} else {
		pipecap_print_look(look, r->form, r->verbose);
	}
}

/* With max, the size becomes the largest power of two that the kernel grants. */
static void set_capacity(struct request *r, struct look *look, int fd)
{
	int got = pipecap_resize(look, fd, r->number ? r->number : LARGEST_SIZE, !r->number);

	if (got < 0) {
		target_failed(r, look, look->name, look->error ? 0 : look->size);
		return;
	}
	if (r->verbose || (got != r->number && !r->quiet))
		bb_error_msg("%s pipe buffer size set to %d", look->name, got);
	if (r->form)
		show_pipe(r, look, fd);
}

/* The quota allowed only a scratch pipe that is too small for the whole queue. */
static void peek_was_cut(struct request *r, const char *name, ssize_t copied, long unread)
{
	long soft = pipecap_limit("user-pages-soft");

	r->status = EXIT_FAILURE;
	bb_error_msg("%s: only %zd of %ld queued bytes could be copied: this user's pipes have "
		     "reached /proc/sys/fs/pipe-user-pages-soft, %ld pages", name, copied, unread,
		soft);
	if (r->check)
		exit(r->status);
}

static void peek_into(struct request *r, struct look *look, int fd)
{
	int scratch[2];
	ssize_t n;
	char *buf;

	xpipe(scratch);
	(void)fcntl(scratch[1], F_SETFL, O_NONBLOCK);
	n = pipecap_copy_queue(look, fd, r->number, scratch);
	if (n < 0) {
		target_failed(r, look, look->name, 0);
		pipecap_close_pipe(scratch);
		return;
	}
	buf = xmalloc(n + 1);
	if (full_read(scratch[0], buf, n) != n)
		bb_perror_msg_and_die("can't read the copy of '%s'", look->name);
	pipecap_print_queue(look->name, buf, n, r->form);
	if (n < look->unread && n < r->number && fcntl(scratch[0], F_GETPIPE_SZ) < look->size)
		peek_was_cut(r, look->name, n, look->unread);
	free(buf);
	pipecap_close_pipe(scratch);
}

static void act(struct request *r, struct look *look, int fd)
{
	struct stat st;

	if (!look->n_holders && fd >= 0 && (r->verbose || r->form || r->verb == PEEK)
	    && fstat(fd, &st) == 0)
		look->holders = pipecap_holders_of(pipecap_holders(r), st.st_dev, st.st_ino,
			&look->n_holders);
	if (r->verb == SET)
		set_capacity(r, look, fd);
	else if (r->verb == PEEK)
		peek_into(r, look, fd);
	else
		show_pipe(r, look, fd);
}

/* --- targets -------------------------------------------------------------------------- */

/* O_RDWR does not wait for a peer, and no peer sees an end while the descriptor is open (fifo(7)).
 * CMD inherits the descriptor, which is 10 or more because scripts use lower numbers. */
static int open_to_hold(const struct request *r, const char *path, const char *name)
{
	int fd = pipecap_open_path(path, name, O_RDWR | O_NONBLOCK);

	return fd >= 0 && r->has_command ? fcntl(fd, F_DUPFD, 10) : fd;
}

/* Only --hold needs a descriptor in this process. Else the child opens the pipe. */
static void act_on_path(struct request *r, const char *path, const char *name)
{
	struct look look = { .name = name };
	int fd = -1;

	if (r->hold)
		fd = open_to_hold(r, path, name);
	else
		errno = pipecap_find_pipe(&look, path, pipecap_holders(r));
	if (fd < 0 && (errno || r->hold)) {
		target_failed(r, &look, name, 0);
		return;
	}
	act(r, &look, fd);
	if (fd >= 0 && (!r->hold || r->verb == REPORT))
		close(fd);
}

/* A descriptor that is closed must not become one of the pipes that pipecap makes. Those have
 * FD_CLOEXEC, which no inherited descriptor has (execve(2)). */
static void act_on_fd(struct request *r, int fd)
{
	char name[16];
	struct look look = { .name = name };
	int flags = fcntl(fd, F_GETFD);

	scnprintf(name, sizeof(name), "fd %d", fd);
	if (flags > 0)
		errno = EBADF;
	if (flags > 0 || (flags < 0 && errno == EBADF))
		target_failed(r, &look, name, 0);
	else
		act(r, &look, fd);
}

static void act_on_fd_of(struct request *r, int pid, int fd)
{
	act_on_path(r, pipecap_fd_path(pid, fd), xasprintf("%d:%d", pid, fd));
}

void pipecap_check_process(struct request *r, int pid, const char *name)
{
	char *path = xasprintf("/proc/%d/fd", pid);

	if (access(path, R_OK) < 0)
		target_failed(r, NULL, name, 0);
	free(path);
}

/* target is "PID:FD", or "PID" for all pipes of that process. */
static void act_on_process(struct request *r, char *target)
{
	char *colon = strchr(target, ':');
	const struct holders *all = pipecap_holders(r);
	const struct holder *h = all->at;
	int pid;

	if (colon)
		*colon = '\0';
	pid = xatou_range("PID", target, 1, INT_MAX);
	if (colon) {
		act_on_fd_of(r, pid, xatou_range("FD", colon + 1, 0, INT_MAX));
		*colon = ':';
		return;
	}
	pipecap_check_process(r, pid, target);
	for (; h < all->at + all->count; h++)
		if (h->pid == pid && h->fd >= 0)
			act_on_fd_of(r, pid, h->fd);
}

static void act_on_target(struct request *r, char *target)
{
	switch (target[-1]) {
	case 'f':
		act_on_path(r, target, target);
		break;
	case 'p':
		act_on_process(r, target);
		break;
	case 'n':
		act_on_fd(r, xatou_range("file descriptor", target, 0, INT_MAX));
		break;
	default:
		act_on_fd(r, target[-1] == 'i' ? 0 : target[-1] == 'o' ? 1 : 2);
	}
}

void pipecap_act(struct request *r, char **targets)
{
	for (; *targets; targets++)
		act_on_target(r, *targets);
}
