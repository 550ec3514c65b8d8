/*
 * holders.c - who has a pipe open: the descriptors that /proc shows
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <dirent.h>
#include <sys/syscall.h>
#include "pipecap.h"

/* The first line of a small file of /proc; "" if it cannot be read. */
static void read_line(int dir, const char *path, char *buf, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : safe_read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

/* Is this thread in a read or a write of that descriptor? proc(5): "number 0xargument ..."
 * when it sleeps in a system call, "running" when not. */
static bool sleeps_on(int tasks, const char *tid, int fd)
{
	static const long calls[] = { SYS_read, SYS_readv, SYS_write, SYS_writev };
	char path[300], text[64], *arg;
	long number;

	snprintf(path, sizeof(path), "%s/syscall", tid);
	read_line(tasks, path, text, sizeof(text));
	if (!isdigit((unsigned char)text[0]))
		return false;
	number = strtol(text, &arg, 10);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (number == calls[i])
			return strtoul(arg, NULL, 16) == (unsigned)fd;
	return false;
}

static bool is_blocked(int process, int fd)
{
	int tasks = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = tasks < 0 ? NULL : fdopendir(tasks);
	struct dirent *entry;
	bool blocked = false;

	while (dir && !blocked && (entry = readdir(dir)))
		blocked = isdigit((unsigned char)entry->d_name[0])
			&& sleeps_on(tasks, entry->d_name, fd);
	if (dir)
		closedir(dir);
	return blocked;
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

	if (!isdigit((unsigned char)name[0]) || readlinkat(fds, name, target, sizeof(target)) < 1
	    || (target[0] != '/' && strncmp(target, "pipe:", 5) != 0)
	    || fstatat(fds, name, &st, 0) < 0 || !S_ISFIFO(st.st_mode)
	    || fstatat(fds, name, &link, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	h->dev = st.st_dev;
	h->ino = st.st_ino;
	h->fd = atoi(name);
	h->reads = link.st_mode & S_IRUSR;
	h->writes = link.st_mode & S_IWUSR;
	return true;
}

/* A process that ends meanwhile just has no more entries. */
static void scan_process(struct holders *all, int proc, const char *name)
{
	struct holder h = { .pid = atoi(name) };
	int process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fds = process < 0 ? -1 : openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fds < 0 ? NULL : fdopendir(fds);
	struct dirent *entry;

	all->hidden += process >= 0 && fds < 0 && errno == EACCES;
	while (dir && (entry = readdir(dir))) {
		if (!examine(fds, entry->d_name, &h))
			continue;
		if (!h.comm[0])
			read_line(process, "comm", h.comm, sizeof(h.comm));
		h.blocked = is_blocked(process, h.fd);
		add_holder(all, &h);
	}
	if (dir)
		closedir(dir);
	if (process >= 0)
		close(process);
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
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = proc < 0 ? NULL : fdopendir(proc);
	struct dirent *entry;

	if (!dir)
		return all;
	all.seen = faccessat(proc, "self/fd", R_OK, 0) == 0;
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			scan_process(&all, proc, entry->d_name);
	closedir(dir);
	if (all.count)
		qsort(all.at, all.count, sizeof(*all.at), compare);
	return all;
}

const struct holder *holders_of(const struct holders *all, dev_t dev, ino_t ino, size_t *count)
{
	size_t first = 0;

	*count = 0;
	while (first < all->count && (all->at[first].ino != ino || all->at[first].dev != dev))
		first++;
	while (first + *count < all->count && all->at[first + *count].ino == ino
	       && all->at[first + *count].dev == dev)
		++*count;
	return all->at + first;
}
