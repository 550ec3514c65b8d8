/*
 * engine.c - the ways to move bytes from one file to another
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* Several workers may meet the same error: one message is enough. */
static int first_failure(struct job *job, int status)
{
	job->status = status;
	return !__atomic_exchange_n(&job->shared->failed, 1, __ATOMIC_RELAXED);
}

static ssize_t fail(struct job *job, const char *verb, const char *name)
{
	if (first_failure(job, EXIT_FAILURE))
		bb_perror_msg("can't %s '%s'", verb, name);
	return -1;
}

/* A stream has no offsets. */
static ssize_t write_at(struct job *job, const char *buf, size_t len, off_t off)
{
	return job->dir < 0 && job->chunks == 0 ? write(job->out, buf, len) : pwrite(job->out, buf, len, off);
}

/* A descriptor that somebody else made non-blocking is waited for. */
static int again(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (errno == EAGAIN)
		(void)poll(&p, 1, -1); /* interrupted or not: the next call shows */
	return errno == EINTR || errno == EAGAIN;
}

static int write_all(struct job *job, const char *buf, size_t len, off_t off)
{
	while (len) {
		ssize_t n = write_at(job, buf, len, off);

		if (n < 0 && again(job->out, POLLOUT))
			continue;
		if (n < 0)
			return fail(job, "write", job->dst);
		buf += n;
		off += n;
		len -= n;
	}
	return 0;
}

/* A step moves at most len bytes at off. It returns how many; 0, with errno, if this
 * engine can't: the next one tries; -1 if nothing can, and the message is out. */
static ssize_t step_cfr(struct job *job, off_t off, size_t len)
{
	off_t to = off;
	ssize_t n;

	do
		n = copy_file_range(job->in, &off, job->out, &to, len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
		return fail(job, "write", job->dst);
	if (n == 0)
		errno = ENODATA; /* truncated, or a file system that says nothing (before Linux 5.19) */
	return n < 0 ? 0 : n;
}

static ssize_t step_rw(struct job *job, off_t off, size_t len)
{
	ssize_t n;

	do
		n = pread(job->in, job->buf, len < BUFFER_SIZE ? len : BUFFER_SIZE, off);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(job, "read", job->src);
	if (n == 0) {
		if (first_failure(job, EXIT_STALE))
			bb_error_msg("'%s' shrank while it was copied", job->src);
		return -1;
	}
	if (job->crc_wanted)
		job->crc = crc32(job->crc, job->buf, n);
	return write_all(job, job->buf, n, off) < 0 ? -1 : n;
}

const char *const engine_names[] = { "copy_file_range", "read and write" };
static ssize_t (*const steps[])(struct job *job, off_t off, size_t len) = { step_cfr, step_rw };

static int copy_data(struct job *job, off_t off, off_t end)
{
	enum { STEP = 1 << 30 }; /* fits ssize_t everywhere */

	while (off < end) {
		uint32_t engine = __atomic_load_n(&job->shared->engine, __ATOMIC_RELAXED);
		ssize_t n = steps[engine](job, off, end - off < STEP ? end - off : STEP);

		if (n < 0)
			return -1;
		if (n == 0 && __atomic_exchange_n(&job->shared->engine, ENGINE_RW, __ATOMIC_RELAXED) == engine
		    && job->verbose)
			bb_perror_msg("falling back from %s to %s", engine_names[engine], engine_names[ENGINE_RW]);
		off += n;
	}
	return 0;
}

/* The first byte at or after off that is data, or in a hole; end if that is sooner. What
 * cannot tell (lseek(2): EINVAL) has no holes. ENXIO is no data, or no file, from here on:
 * the latter shows when SRC is looked at again. */
static off_t seek(const struct job *job, off_t off, off_t end, int whence)
{
	off_t found = lseek(job->in, off, whence);

	if (found < 0)
		return whence == SEEK_DATA && errno != ENXIO ? off : end;
	return found < end ? found : end;
}

int copy_range(struct job *job, off_t off, off_t end)
{
	while (off < end) {
		off_t data = seek(job, off, end, SEEK_DATA);

		if (job->crc_wanted)
			job->crc = crc32_zeros(job->crc, data - off);
		off = data < end ? seek(job, data, end, SEEK_HOLE) : end;
		if (copy_data(job, data, off) < 0)
			return -1;
	}
	return 0;
}

/* Sources that have content but no size, as in /proc, and those that can't seek. */
int copy_stream(struct job *job)
{
	off_t off = 0;
	ssize_t n;

	while ((n = read(job->in, job->buf, BUFFER_SIZE)) != 0) {
		if (n < 0 && again(job->in, POLLIN))
			continue;
		if (n < 0)
			return fail(job, "read", job->src);
		if (job->crc_wanted)
			job->crc = crc32(job->crc, job->buf, n);
		if (write_all(job, job->buf, n, off) < 0)
			return -1;
		off += n;
	}
	job->shared->streamed = off;
	job->shared->crc[0] = job->crc;
	return 0;
}

off_t data_size(const struct job *job)
{
	off_t sum = 0, data, off;

	for (off = 0; off < job->size; sum += off - data) {
		data = seek(job, off, job->size, SEEK_DATA);
		off = data < job->size ? seek(job, data, job->size, SEEK_HOLE) : job->size;
		if (data >= job->size)
			data = off;
	}
	return sum;
}
