/*
 * holders.c - who has a pipe open, or waits to open it, as /proc shows it
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <dirent.h>
#include <sys/socket.h>
#include "pipecap.h"

/* The child's answer about one process: a holder, and the path of the FIFO that the holder waits
 * for. */
struct found {
	struct holder holder;
	char path[PATH_MAX];
};

struct scan {
	struct holders all;
	pid_t *pids;
	int proc;		/* a descriptor of /proc */
};

/* Opens a directory of /proc whose entries are numbers: processes, threads or descriptors. */
static DIR *open_numbers(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? NULL : fdopendir(fd);
}

/* Returns NULL at the end, or after an error, which errno then names. */
static const char *next_number(DIR *dir)
{
	const struct dirent *entry;

	errno = 0;
	do
		entry = readdir(dir);
	while (entry && !isdigit((unsigned char)entry->d_name[0]));
	return entry ? entry->d_name : NULL;
}

static void *grow_list(void *list, size_t count, size_t size)
{
	bool full = (count & (count - 1)) == 0; /* The array grows at powers of two. */

	return full ? xrealloc(list, (count ? 2 * count : 1) * size) : list;
}

static void add_holder(struct holders *all, const struct holder *h)
{
	all->at = grow_list(all->at, all->count, sizeof(*h));
	all->at[all->count++] = *h;
}

/* --- in the child ---------------------------------------------------------------------- */

/* A link to "pipe:[...]" or to a path can lead to a pipe or FIFO, so stat(2) is asked. The mode of
 * the link itself says how the descriptor was opened (proc(5)). */
static bool examine(int fds, const char *name, struct holder *h)
{
	struct stat st, link;
	char target[8];

	if (readlinkat(fds, name, target, sizeof(target)) < 1
	    || (target[0] != '/' && strncmp(target, "pipe:", 5) != 0)
	    || fstatat(fds, name, &st, 0) < 0 || !S_ISFIFO(st.st_mode)
	    || fstatat(fds, name, &link, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	h->dev = st.st_dev;
	h->ino = st.st_ino;
	h->uid = st.st_uid;
	h->fd = leading_number(name);
	h->reads = link.st_mode & S_IRUSR;
	h->writes = link.st_mode & S_IWUSR;
	return true;
}

/* ENOENT and ESRCH are expected, because a process can end or close a descriptor during the
 * scan. */
static bool is_unexpected(int err)
{
	return err && err != ENOENT && err != ESRCH;
}

/* Returns 0, or the error that hid some descriptors. A file on another user's FUSE file system
 * gives EACCES, even to root, but such a file is no pipe. */
static int scan_descriptors(struct holders *found, const struct holder *process, int dir)
{
	struct holder h = *process;
	DIR *fds = dir < 0 ? NULL : open_numbers(dir, "fd");
	const char *fd;
	int error = 0;

	while (fds && (fd = next_number(fds)))
		if (examine(dirfd(fds), fd, &h))
			add_holder(found, &h);
		else if (is_unexpected(errno) && errno != EACCES)
			error = errno;
	if (is_unexpected(errno))
		error = errno;
	if (fds)
		closedir(fds);
	return error;
}

static void answer_holder(int answers, size_t item, struct found *found)
{
	pipecap_answer(answers, item, found,
		offsetof(struct found, path) + strlen(found->path) + 1);
}

/* Each thread may sleep in a read or write of a descriptor, or in open(2). */
static void scan_threads(struct holders *held, struct found *found, int dir, int answers,
	size_t item)
{
	DIR *tasks = open_numbers(dir, "task");
	const char *tid;

	for (size_t i = 0; !tasks && i < held->count; i++)
		held->at[i].blocked = -1;
	while (tasks && (tid = next_number(tasks))) {
		struct call call = pipecap_read_call(dir, tid);

		pipecap_mark_blocked(held->at, held->at + held->count, &call);
		if (pipecap_waits_in_open(&found->holder, &call, found->path))
			answer_holder(answers, item, found);
	}
	if (tasks)
		closedir(tasks);
}

static void scan_process(void *data, size_t item, int answers)
{
	struct scan *scan = data;
	struct holders held = { 0 };
	static struct found found;
	char name[16];
	int dir;

	memset(&found, 0, sizeof(found));
	found.holder.pid = scan->pids[item];
	scnprintf(name, sizeof(name), "%d", (int)scan->pids[item]);
	dir = openat(scan->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		pipecap_read_line(dir, "comm", found.holder.comm, sizeof(found.holder.comm));
	found.holder.hidden = scan_descriptors(&held, &found.holder, dir);
	if (found.holder.hidden)
		answer_holder(answers, item, &found);
	found.holder.hidden = 0;
	if (dir >= 0)
		scan_threads(&held, &found, dir, answers, item);
	found.path[0] = '\0';
	for (size_t i = 0; i < held.count; i++) {
		found.holder = held.at[i];
		answer_holder(answers, item, &found);
	}
	free(held.at);
	if (dir >= 0)
		close(dir);
}

/* --- in the parent --------------------------------------------------------------------- */

static void take_holder(void *data, size_t item, const void *answer)
{
	struct scan *scan = data;
	const struct found *found = answer;
	struct holder h;

	if (found && found->holder.hidden == EMFILE) {
		errno = EMFILE;
		bb_perror_msg_and_die("can't look into process %d", (int)scan->pids[item]);
	}
	if (!found || found->holder.hidden) {
		scan->all.hidden++;
		return;
	}
	h = found->holder;
	h.path = h.fd < 0 ? xasprintf("%s", found->path) : NULL;
	add_holder(&scan->all, &h);
}

static int compare(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->pid != y->pid ? x->pid - y->pid : x->fd - y->fd;
}

struct holders pipecap_find_holders(void)
{
	struct scan scan = { .proc = -1 };
	struct errand errand = { 0, scan_process, take_holder, sizeof(struct found), &scan, -1 };
	DIR *proc = open_numbers(AT_FDCWD, "/proc");
	const char *name;
	int fd;

	if (!proc && (errno == EMFILE || errno == ENFILE))
		bb_perror_msg_and_die("can't open '/proc'");
	if (!proc)
		return scan.all;
	scan.proc = dirfd(proc);
	fd = openat(scan.proc, "self/fd", O_RDONLY | O_CLOEXEC);
	scan.all.seen = fd >= 0;
	close(fd);
	while ((name = next_number(proc))) {
		scan.pids = grow_list(scan.pids, errand.count, sizeof(*scan.pids));
		scan.pids[errand.count++] = leading_number(name);
	}
	scan.all.hidden += errno != 0;
	pipecap_run(&errand);
	if (scan.all.hidden >= errand.count)
		scan.all.seen = false;
	free(scan.pids);
	closedir(proc);
	if (scan.all.count)
		qsort(scan.all.at, scan.all.count, sizeof(*scan.all.at), compare);
	return scan.all;
}

size_t pipecap_count_holders(const struct holders *all, const struct holder *first)
{
	const struct holder *h = first;

	while (h < all->at + all->count && h->ino == first->ino && h->dev == first->dev)
		h++;
	return h - first;
}

const struct holder *pipecap_holders_of(const struct holders *all, dev_t dev, ino_t ino,
	size_t *count)
{
	const struct holder *h = all->at, *end = h + all->count;

	while (h < end && (h->ino != ino || h->dev != dev))
		h++;
	*count = pipecap_count_holders(all, h);
	return h;
}

const char *pipecap_fd_path(int pid, int fd)
{
	static char path[48];

	if (pid)
		scnprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	else
		scnprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* Opens again, through its descriptor, the pipe that was opened with O_PATH. The path is not used
 * because another file may have replaced the pipe there. */
static int reopen_pipe(int fd, const struct holder *same, int flags)
{
	struct stat st;
	int opened = -1;

	if (fstat(fd, &st) == 0) {
		errno = EBADF; /* F_GETPIPE_SZ gives the same error for other files. */
		if (S_ISFIFO(st.st_mode)
		    && (!same || (st.st_dev == same->dev && st.st_ino == same->ino)))
			opened = open(pipecap_fd_path(0, fd), flags | O_CLOEXEC);
	}
	close(fd);
	return opened;
}

int pipecap_open_through(const struct holder *h, size_t count)
{
	int fd = -1;

	errno = ENXIO;
	for (int mode = O_RDONLY; mode <= O_WRONLY; mode++)
		for (size_t i = 0; i < count && fd < 0; i++)
			if (h[i].fd >= 0 && (mode == O_WRONLY ? h[i].writes : h[i].reads)
			    && (fd = open(pipecap_fd_path(h[i].pid, h[i].fd),
					 O_PATH | O_CLOEXEC)) >= 0)
				fd = reopen_pipe(fd, h + i, mode | O_NONBLOCK);
	return fd;
}

struct opening {
	const char *path;
	int place;		/* what the path means, opened with O_PATH */
	int flags, error, fd;
	int sockets[2];		/* [1]: the child's end */
};

/* Without /proc a descriptor cannot be opened again. The path is then opened without following a
 * link, and the file is checked after the open. */
static int reopen_place(const struct opening *opening)
{
	const char *path = opening->path;
	struct stat st;
	int fd;

	if (access("/proc/self/fd", X_OK) == 0)
		return reopen_pipe(opening->place, NULL, opening->flags);
	if (lstat(path, &st) < 0 || !S_ISFIFO(st.st_mode)) {
		errno = EBADF;
		return -1;
	}
	fd = open(path, opening->flags | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))) {
		close(fd);
		errno = EBADF;
		return -1;
	}
	return fd;
}

/* --- an open in a child, because open(2) of a FIFO takes the lock of the pipe, too */

/* A descriptor is sent with one byte of data: SCM_RIGHTS of unix(7). */
union passed_fd {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

static bool send_fd(int socket, int fd)
{
	union passed_fd control = { .head = { .cmsg_len = CMSG_LEN(sizeof(fd)),
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec byte = { (char[]){ 0 }, 1 };
	struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1;
}

static int receive_fd(int socket)
{
	union passed_fd control;
	char byte;
	struct iovec bytes = { &byte, 1 };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control) };
	int fd = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) == 1
	    && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	return fd;
}

static void open_in_child(void *data, size_t item, int answers)
{
	const struct opening *opening = data;
	int fd = reopen_place(opening), error = fd < 0 ? errno : 0;

	if (fd >= 0 && !send_fd(opening->sockets[1], fd))
		error = errno;
	pipecap_answer(answers, item, &error, sizeof(error));
}

static void take_opening(void *data, size_t item, const void *answer)
{
	struct opening *opening = data;

	(void)item;
	opening->error = answer ? *(const int *)answer : ETIMEDOUT;
	if (!opening->error && (opening->fd = receive_fd(opening->sockets[0])) < 0)
		opening->error = errno;
}

int pipecap_open_path(const char *path, const char *name, int flags)
{
	struct bb_walk walk = { .path = name };
	struct opening opening = { .path = path, .flags = flags, .fd = -1 };
	struct errand errand = { 1, open_in_child, take_opening, sizeof(int), &opening, -1 };

	opening.place = bb_find(&walk, path);
	if (opening.place < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, opening.sockets) < 0)
		return reopen_place(&opening); /* This kernel has no sockets of AF_UNIX. */
	pipecap_run(&errand);
	close(opening.place);
	close(opening.sockets[0]);
	close(opening.sockets[1]);
	errno = opening.error;
	return opening.fd;
}
