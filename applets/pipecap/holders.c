/*
 * holders.c - who has a pipe open: the descriptors that /proc shows
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <dirent.h>
#include <sys/syscall.h>
#include "pipecap.h"

/* A directory of /proc whose entries are numbers: processes, threads, descriptors. */
static DIR *open_numbers(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? NULL : fdopendir(fd);
}

/* NULL at the end, or with errno. */
static const char *next_number(DIR *dir)
{
	const struct dirent *entry;

	errno = 0;
	do
		entry = readdir(dir);
	while (entry && !isdigit((unsigned char)entry->d_name[0]));
	return entry ? entry->d_name : NULL;
}

/* A small file of /proc, a line; "" if it cannot be read. */
static void read_line(int dir, const char *path, char *buf, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : safe_read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	n -= n > 0 && buf[n - 1] == '\n';
	buf[n > 0 ? n : 0] = '\0';
}

/* proc(5): "number 0xargument ..." of a thread that sleeps in a system call. */
static void mark_what_sleeps(struct holder *h, const struct holder *end, const char *call)
{
	static const struct { short number, arg; } calls[] = {
		{ SYS_read, 0 }, { SYS_readv, 0 }, { SYS_write, 0 }, { SYS_writev, 0 },
		{ SYS_splice, 0 }, { SYS_splice, 2 }, { SYS_tee, 0 }, { SYS_tee, 1 },
		{ SYS_vmsplice, 0 }, { SYS_sendfile, 0 },
	};
	uintmax_t number, args[3] = { 0 };

	call = parse_digits(call, 10, &number);
	for (size_t i = 0; i < ARRAY_SIZE(args) && call && *call; i++)
		call = parse_digits(call + strlen(" 0x"), 16, args + i);
	for (; h < end && call; h++)
		for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
			if (number == (unsigned)calls[i].number
			    && args[calls[i].arg] == (unsigned)h->fd)
				h->blocked = 1;
}

/* Who is in a call that moves bytes through a descriptor blocks there. We may not be allowed
 * to know: ptrace(2), PTRACE_MODE_ATTACH. */
static void mark_blocked(struct holder *h, const struct holder *end, int process)
{
	DIR *tasks = open_numbers(process, "task");
	const char *tid;
	char path[300], call[128];
	bool unknown = !tasks;

	while (tasks && (tid = next_number(tasks))) {
		scnprintf(path, sizeof(path), "%s/syscall", tid);
		read_line(dirfd(tasks), path, call, sizeof(call));
		if (isdigit((unsigned char)*call))
			mark_what_sleeps(h, end, call);
		else
			unknown |= *call != 'r' && *call != '-'; /* running; in no call */
	}
	for (; h < end && unknown; h++)
		if (!h->blocked)
			h->blocked = -1;
	if (tasks)
		closedir(tasks);
}

static void add_holder(struct holders *all, const struct holder *h)
{
	if ((all->count & (all->count - 1)) == 0) /* grows at powers of two */
		all->at = xrealloc(all->at, (all->count ? 2 * all->count : 1) * sizeof(*h));
	all->at[all->count++] = *h;
}

/* A link to "pipe:[...]" or to a path can be a pipe or FIFO; stat tells. The mode of the
 * link itself is how the descriptor was opened: proc(5). */
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

/* A process that ends, or closes a descriptor, meanwhile just has no more entries. */
static bool is_unexpected(int err)
{
	return err && err != ENOENT && err != ESRCH;
}

/* False if we could not see it all. A file of another's FUSE is EACCES, even for root, and no
 * pipe. */
static bool scan_process(struct holders *all, int proc, const char *name)
{
	struct holder h = { .pid = leading_number(name) };
	size_t first = all->count;
	int process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *fds = process < 0 ? NULL : open_numbers(process, "fd");
	const char *fd;
	bool unseen = false;

	while (fds && (fd = next_number(fds))) {
		if (!examine(dirfd(fds), fd, &h)) {
			unseen |= is_unexpected(errno) && errno != EACCES;
			continue;
		}
		if (!*h.comm)
			read_line(process, "comm", h.comm, sizeof(h.comm));
		add_holder(all, &h);
	}
	unseen |= is_unexpected(errno);
	if (all->count > first)
		mark_blocked(all->at + first, all->at + all->count, process);
	if (fds)
		closedir(fds);
	if (process >= 0)
		close(process);
	return !unseen;
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

struct holders find_holders(void)
{
	struct holders all = { 0 };
	DIR *proc = open_numbers(AT_FDCWD, "/proc");
	const char *name;

	if (!proc)
		return all;
	all.seen = faccessat(dirfd(proc), "self/fd", R_OK, 0) == 0;
	while ((name = next_number(proc)))
		all.hidden += !scan_process(&all, dirfd(proc), name);
	all.hidden += errno != 0;
	closedir(proc);
	if (all.count)
		qsort(all.at, all.count, sizeof(*all.at), compare);
	return all;
}

size_t count_holders(const struct holders *all, const struct holder *first)
{
	const struct holder *h = first;

	while (h < all->at + all->count && h->ino == first->ino && h->dev == first->dev)
		h++;
	return h - first;
}

const struct holder *holders_of(const struct holders *all, dev_t dev, ino_t ino, size_t *count)
{
	const struct holder *h = all->at, *end = h + all->count;

	while (h < end && (h->ino != ino || h->dev != dev))
		h++;
	*count = count_holders(all, h);
	return h;
}

const char *fd_path(int pid, int fd)
{
	static char path[48];

	scnprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	return path;
}

int open_through(const struct holder *h, size_t count)
{
	int fd = -1;

	errno = ENXIO;
	for (int mode = O_RDONLY; mode <= O_WRONLY; mode++)
		for (size_t i = 0; i < count && fd < 0; i++)
			if (mode == O_WRONLY ? h[i].writes : h[i].reads)
				fd = open(fd_path(h[i].pid, h[i].fd),
					mode | O_NONBLOCK | O_CLOEXEC);
	return fd;
}
