/*
 * engine.c - the ways to move bytes from one file to another
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <setjmp.h>
#include "pcopy.h"

/* ioctl_ficlone(2); linux/fs.h is not everywhere. */
#define MY_FICLONE _IOW(0x94, 9, int)

const char *const engine_names[] = { "auto", "clone", "cfr", "rw", "mmap", "direct", NULL };

/* Several workers may meet the same error: one message is enough. */
int first_failure(struct job *job, int status)
{
	job->status = status;
	return !__atomic_exchange_n(&job->shared->failed, 1, __ATOMIC_RELAXED);
}

int give_up(struct job *job, const char *verb, const char *name)
{
	if (first_failure(job, EXIT_FAILURE))
		bb_perror_msg("can't %s '%s'", verb, name);
	return -1;
}

/* A descriptor that somebody else made non-blocking is waited for. */
int again(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (errno == EAGAIN)
		(void)poll(&p, 1, -1); /* interrupted or not: the next call shows */
	return errno == EINTR || errno == EAGAIN;
}

static void say_fallback(const struct job *job, enum engine from, enum engine to)
{
	if (asked(job, 'v'))
		bb_perror_msg("falling back from %s to %s", engine_names[from], engine_names[to]);
}

static enum engine current_engine(const struct job *job)
{
	return __atomic_load_n(&job->shared->engine, __ATOMIC_RELAXED);
}

/* From what this worker could not do, for errno, to what always works; one of them says so. */
static void fall_back(struct job *job, enum engine from)
{
	if (__atomic_exchange_n(&job->shared->engine, ENGINE_RW, __ATOMIC_RELAXED) == from)
		say_fallback(job, from, ENGINE_RW);
}

/* O_DIRECT wants whole pages, in memory as in the file (open(2)); what is left over, and what
 * it can't do, goes through the cache. */
static ssize_t write_some(struct job *job, const char *buf, size_t len, off_t off)
{
	size_t page = getpagesize(), whole = len / page * page;

	if (current_engine(job) == ENGINE_DIRECT && whole
	    && ((uintptr_t)buf | (uintptr_t)off) % page == 0) {
		ssize_t n = pwrite(job->out_direct, buf, whole, off);

		if (n > 0 || errno == EINTR)
			return n;
		fall_back(job, ENGINE_DIRECT);
	}
	return job->seekable ? pwrite(job->out, buf, len, off) : write(job->out, buf, len);
}

static int write_all(struct job *job, const char *buf, size_t len, off_t off)
{
	while (len) {
		ssize_t n = write_some(job, buf, len, off);

		if (n < 0 && again(job->out, POLLOUT))
			continue;
		if (n < 0 && errno == EPIPE && job->out == STDOUT_FILENO) {
			job->status = EXIT_FAILURE; /* whoever reads has had enough: no message */
			return -1;
		}
		if (n < 0)
			return give_up(job, "write", job->dst);
		buf += n;
		off += n;
		len -= n;
	}
	return 0;
}

/* Writes the pages of job->buf that are not in DST already. What can't be read, differs;
 * and a new file is zeros. */
int put(struct job *job, size_t len, off_t off)
{
	char *buf = job->buf, *other = buf + BUFFER_SIZE;
	size_t page = getpagesize(), start = 0, at, n;

	if (!job->compare && job->sparse == ALWAYS)
		other += BUFFER_SIZE;
	else if (!job->compare || pread(job->out, other, len, off) != (ssize_t)len)
		return write_all(job, buf, len, off);
	for (at = 0; at < len; at += n) {
		n = MIN(page, len - at);
		if (memcmp(buf + at, other + at, n) != 0)
			continue;
		if (write_all(job, buf + start, at - start, off + start) < 0)
			return -1;
		start = at + n;
		job->saved += n;
	}
	return write_all(job, buf + start, len - start, off + start);
}

/* A step moves at most len bytes at off. It returns how many; 0, with errno, if this
 * engine can't: rw tries, and knows why; -1 if nothing can, and the message is out. */
static ssize_t step_cfr(struct job *job, off_t off, size_t len)
{
	off_t to = off;
	ssize_t n = copy_file_range(job->in, &off, job->out, &to, len, 0);

	if (n == 0)
		errno = ENODATA; /* truncated, or before Linux 5.19 */
	return n < 0 ? 0 : n;
}

/* Also a step of its own: what is in place already needs no more than its checksum. The
 * end of a buffer for O_DIRECT is the end of a page, also where the file ends before. */
static ssize_t step_read(struct job *job, off_t off, size_t len)
{
	size_t page = getpagesize();
	ssize_t n;

	len = MIN(len, (size_t)job->step);
	do
		n = pread(job->in, job->buf, (len + page - 1) / page * page, off);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return give_up(job, "read", job->src);
	if (n == 0) {
		if (first_failure(job, EXIT_STALE))
			bb_error_msg("'%s' shrank while it was copied", job->src);
		return -1;
	}
	n = MIN((size_t)n, len);
	if (job->crc_wanted)
		job->crc = crc32(job->crc, job->buf, n);
	return n;
}

static ssize_t step_rw(struct job *job, off_t off, size_t len)
{
	ssize_t n = step_read(job, off, len);

	return n > 0 && put(job, n, off) < 0 ? -1 : n;
}

/* What is mapped can go away: a file that is truncated, or a disk that is full, is a
 * SIGBUS. Then rw sees the error that belongs to it. */
static sigjmp_buf bus_error;

static void on_bus_error(int sig)
{
	siglongjmp(bus_error, sig);
}

static ssize_t step_mmap(struct job *job, off_t off, size_t len)
{
	enum { WINDOW = 4 << 20 };
	size_t before = off % getpagesize(), size = MIN(len, WINDOW) + before;
	struct sigaction sa = { .sa_handler = on_bus_error };
	char *from = mmap(NULL, size, PROT_READ, MAP_SHARED, job->in, off - before),
	     *to = MAP_FAILED;
	volatile ssize_t n = 0;

	if (from != MAP_FAILED)
		to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, job->out, off - before);
	if (to != MAP_FAILED) {
		sigaction(SIGBUS, &sa, NULL);
		if (sigsetjmp(bus_error, 1) == 0) {
			memcpy(to + before, from + before, size - before);
			if (job->crc_wanted)
				job->crc = crc32(job->crc, to + before, size - before);
			n = size - before;
		} else {
			errno = EFAULT;
		}
		signal(SIGBUS, SIG_DFL);
		munmap(to, size);
	}
	if (from != MAP_FAILED)
		munmap(from, size);
	return n;
}

static ssize_t (*const steps[])(struct job *job, off_t off, size_t len) = {
	[ENGINE_CLONE] = step_read,
	[ENGINE_CFR] = step_cfr,
	[ENGINE_RW] = step_rw,
	[ENGINE_MMAP] = step_mmap,
	[ENGINE_DIRECT] = step_rw,
};

void count_done(struct job *job, size_t n)
{
	job->copied += n;
	__atomic_store_n(&job->shared->done[job->id], ((job->copied - 1) >> DONE_SHIFT) + 1,
		__ATOMIC_RELAXED);
}

int copy_data(struct job *job, off_t off, off_t end)
{
	enum { STEP = 1 << 30 }; /* fits ssize_t everywhere */

	while (off < end) {
		enum engine engine = current_engine(job);
		ssize_t n = steps[engine](job, off, MIN(end - off, STEP));

		if (n < 0)
			return -1;
		if (n == 0)
			fall_back(job, engine);
		else
			count_done(job, n);
		off += n;
	}
	return 0;
}

/* A second description of an open file, which the name should still lead to. */
int open_direct(int dir, const char *name, int flags, int same_as)
{
	int fd = openat(dir, name, flags | O_DIRECT | O_NONBLOCK | O_CLOEXEC);
	struct stat st, expected;

	if (fd >= 0 && fstat(fd, &st) == 0 && fstat(same_as, &expected) == 0
	    && !same_inode(&st, &expected)) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

/* The best way when nothing is shared. A server copies its own files without the network, and
 * in a tmpfs splice moves single pages as fast as anything. What is to be on the medium goes
 * there past the cache: one copy less, and nothing to wait for at the end (ext4, Linux 6.18:
 * 0.5 to 0.9 of the time). Else, read and write move whole folios (ext4: 0.9 of the processor's
 * time that copy_file_range takes). */
static enum engine best_copier(const struct job *job, int plain)
{
	static const uint32_t types[] = { /* statfs(2): NFS, SMB, SMB2, Ceph, FUSE */
		0x6969, 0xFF534D42, 0xFE534D42, 0x00C36400, 0x65735546, MY_TMPFS_MAGIC,
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(types) && types[i] != (uint32_t)job->fs.f_type)
		i++;
	if (!plain)
		return ENGINE_RW;
	if (i < ARRAY_SIZE(types) && !job->crc_wanted && job->reflink != NEVER)
		return ENGINE_CFR;
	return job->sync != SYNC_NONE && job->data == job->size && job->size > SHORT
			&& job->fs.f_type != MY_TMPFS_MAGIC ? ENGINE_DIRECT : ENGINE_RW;
}

/* In the middle of a longer DST, a part of a block can't be shared: EINVAL (ioctl_ficlone(2)).
 * What can share nothing says something else, and is left as it is. */
static int clone(const struct job *job)
{
	if (ioctl(job->out, MY_FICLONE, job->in) == 0)
		return 1;
	return errno == EINVAL && asked(job, 'i') && job->old.st_size > job->size
	       && ftruncate(job->out, job->size) == 0
	       && ioctl(job->out, MY_FICLONE, job->in) == 0;
}

/* Copies all at once, or says with what the workers begin. Only rw looks into the pages, and
 * reads what has no size, or begins in its middle. */
enum engine start_engine(struct job *job)
{
	int plain = job->sparse != ALWAYS && !job->compare && job->chunks;
	enum engine engine = best_copier(job, plain), wanted = job->engine;

	errno = EINVAL;
	if (wanted <= ENGINE_CLONE && job->reflink != NEVER) {
		if ((job->sparse == AUTO || job->size == 0) && !job->compare
		    && job->in != STDIN_FILENO && clone(job))
			return ENGINE_CLONE;
		say_fallback(job, ENGINE_CLONE, engine);
	}
	if (job->reflink == ALWAYS) {
		xfunc_error_retval = EXIT_UNSUPPORTED;
		bb_perror_msg_and_die("can't clone '%s'", job->src);
	}
	if (wanted <= ENGINE_CLONE)
		wanted = engine;
	else if (plain && !(wanted == ENGINE_CFR && job->crc_wanted))
		engine = wanted;
	if (engine == ENGINE_DIRECT) {
		job->out_direct = open_direct(job->dir, job->name, O_WRONLY, job->out);
		if (job->out_direct < 0)
			engine = ENGINE_RW;
		else
			job->step = BUFFER_SIZE;
	}
	if (engine != wanted)
		say_fallback(job, wanted, engine);
	return engine;
}
