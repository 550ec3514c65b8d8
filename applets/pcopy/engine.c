/*
 * engine.c - the steps that move bytes from one file to another
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <setjmp.h>
#include "pcopy.h"

/* Several workers can meet the same error, but one message is enough. */
int pcopy_first_failure(struct worker *w, int status)
{
	w->status = status;
	w->is_first = !__atomic_exchange_n(&w->copy->plan.shared->failed, 1, __ATOMIC_RELAXED);
	return w->is_first;
}

int pcopy_give_up(struct worker *w, const char *verb, const char *name)
{
	if (pcopy_first_failure(w, EXIT_FAILURE))
		bb_perror_msg("can't %s '%s'", verb, name);
	return -1;
}

/* Returns true if a call has failed with EINTR or EAGAIN, and must be repeated. EAGAIN means that
 * another process has made the shared open file description non-blocking (open(2)), so the worker
 * waits here until fd is ready. */
static int must_repeat(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (errno == EAGAIN)
		(void)poll(&p, 1, -1); /* If poll(2) fails, the call gives EAGAIN again. */
	return errno == EINTR || errno == EAGAIN;
}

void pcopy_say_fallback(const struct request *request, enum engine from, enum engine to)
{
	if (asked(request, 'v'))
		bb_perror_msg("falling back from %s to %s", pcopy_engines[from], pcopy_engines[to]);
}

static enum engine current_engine(const struct worker *w)
{
	return __atomic_load_n(&w->copy->plan.shared->engine, __ATOMIC_RELAXED);
}

/* Replaces an engine that has failed with errno by rw, which always works. Only the first worker
 * that does so prints a message. */
static void fall_back(struct worker *w, enum engine from)
{
	if (__atomic_exchange_n(&w->copy->plan.shared->engine, ENGINE_RW, __ATOMIC_RELAXED) == from)
		pcopy_say_fallback(w->copy->request, from, ENGINE_RW);
}

/* Works like pwrite(2). O_DIRECT can require that the address, the offset and the length are
 * aligned (NOTES in open(2)), so it gets whole pages only. The rest of the bytes, and those that
 * O_DIRECT refuses, go through the page cache. */
static ssize_t write_some(struct worker *w, const char *buf, size_t len, off_t off)
{
	const struct target *target = &w->copy->target;
	size_t page = getpagesize(), whole = len / page * page;

	if (current_engine(w) == ENGINE_DIRECT && whole
	    && ((uintptr_t)buf | (uintptr_t)off) % page == 0) {
		ssize_t n = pwrite(w->copy->plan.direct, buf, whole, off);

		if (n > 0 || errno == EINTR)
			return n;
		fall_back(w, ENGINE_DIRECT);
	}
	return target->seekable ? pwrite(target->fd, buf, len, off) : write(target->fd, buf, len);
}

/* Returns true if DST is standard output, or /dev/stdout. If its reader has had enough and leaves,
 * pcopy prints no message. */
static int is_stdout(const struct target *target)
{
	struct stat st;

	return target->fd == STDOUT_FILENO
	       || (fstat(STDOUT_FILENO, &st) == 0 && same_inode(&st, &target->old));
}

static int write_fully(struct worker *w, const char *buf, size_t len, off_t off)
{
	const struct target *target = &w->copy->target;

	while (len) {
		ssize_t n = write_some(w, buf, len, off);

		if (n < 0 && must_repeat(target->fd, POLLOUT))
			continue;
		if (n < 0 && errno == EPIPE && is_stdout(target)) {
			(void)pcopy_first_failure(w, EXIT_FAILURE);
			return -1;
		}
		if (n < 0)
			return pcopy_give_up(w, "write", target->name);
		buf += n;
		off += n;
		len -= n;
	}
	return 0;
}

/* Writes the len bytes in w->buf to DST at off. If plan->compare is true, DST is read first, and
 * the pages that it has already are left out. If DST cannot be read, all pages are written. If
 * plan->compare is false, DST has only zeros so far, and --sparse=always leaves out the pages of
 * zeros. */
int pcopy_put(struct worker *w, size_t len, off_t off)
{
	const struct plan *plan = &w->copy->plan;
	char *buf = w->buf, *other = buf + BUFFER_SIZE;
	size_t page = getpagesize(), start = 0, at, n;

	if (!plan->compare && plan->sparse == ALWAYS)
		other += BUFFER_SIZE;
	else if (!plan->compare || pread(w->copy->target.fd, other, len, off) != (ssize_t)len)
		return write_fully(w, buf, len, off);
	for (at = 0; at < len; at += n) {
		n = MIN(page, len - at);
		if (memcmp(buf + at, other + at, n) != 0)
			continue;
		if (write_fully(w, buf + start, at - start, off + start) < 0)
			return -1;
		start = at + n;
		w->saved += n;
	}
	return write_fully(w, buf + start, len - start, off + start);
}

static int read_failed(struct worker *w, off_t off)
{
	if (pcopy_first_failure(w, EXIT_FAILURE))
		bb_perror_msg("can't read '%s' at byte %jd", w->source->name, (intmax_t)off);
	return -1;
}

/* Reads at most len bytes at off into w->buf, and adds them to the CRC-32. To verify the bytes, or
 * after a clone, this is all that a step does. It asks for whole pages, which O_DIRECT can require,
 * even if SRC ends within the last one. */
ssize_t pcopy_step_read(struct worker *w, off_t off, size_t len)
{
	size_t page = getpagesize();
	ssize_t n;

	len = MIN(len, w->copy->plan.step);
	do
		n = pread(w->source->fd, w->buf, (len + page - 1) / page * page, off);
	while (n < 0 && must_repeat(w->source->fd, POLLIN));
	if (n < 0)
		return read_failed(w, off);
	if (n == 0) {
		if (pcopy_first_failure(w, EXIT_STALE))
			bb_error_msg("'%s' shrank while it was copied", w->source->name);
		return -1;
	}
	n = MIN((size_t)n, len);
	if (w->copy->plan.crc)
		w->crc = crc32(w->crc, w->buf, n);
	return n;
}

/* Like task->step, the step of an engine returns a number of bytes, or -1 after a message. But it
 * returns 0, with errno, if the engine cannot do this step. Then rw does the step, or reports the
 * error. */

static ssize_t step_cfr(struct worker *w, off_t off, size_t len)
{
	off_t to = off;
	ssize_t n = copy_file_range(w->source->fd, &off, w->copy->target.fd, &to, len, 0);

	/* SRC was truncated, or is a virtual file that Linux before 5.19 cannot copy: BUGS in
	 * copy_file_range(2). */
	if (n == 0)
		errno = ENODATA;
	return n < 0 ? 0 : n;
}

static ssize_t step_rw(struct worker *w, off_t off, size_t len)
{
	ssize_t n = pcopy_step_read(w, off, len);

	return n > 0 && pcopy_put(w, n, off) < 0 ? -1 : n;
}

/* An access to a mapped page raises SIGBUS if another process has truncated the file (mmap(2)), or
 * if the disk is full. Then rw repeats the step, and reports the error. */
static sigjmp_buf bus_error;

static void on_bus_error(int sig)
{
	siglongjmp(bus_error, sig);
}

/* Returns true, or false with errno if there was a SIGBUS. */
static int copy_mapped(struct worker *w, char *to, const char *from, size_t size)
{
	struct sigaction sa = { .sa_handler = on_bus_error };
	int failed;

	sigaction(SIGBUS, &sa, NULL);
	failed = sigsetjmp(bus_error, 1);
	if (!failed) {
		memcpy(to, from, size);
		if (w->copy->plan.crc)
			w->crc = crc32(w->crc, to, size);
	}
	signal(SIGBUS, SIG_DFL);
	errno = EFAULT;
	return !failed;
}

static ssize_t step_mmap(struct worker *w, off_t off, size_t len)
{
	enum { WINDOW = 4 << 20 };
	size_t before = off % getpagesize(), size = MIN(len, WINDOW) + before;
	int in = w->source->fd, out = w->copy->target.fd;
	char *from = mmap(NULL, size, PROT_READ, MAP_SHARED, in, off - before), *to = MAP_FAILED;
	ssize_t n = 0;

	if (from == MAP_FAILED)
		return 0;
	to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, out, off - before);
	if (to != MAP_FAILED) {
		if (copy_mapped(w, to + before, from + before, size - before))
			n = size - before;
		munmap(to, size);
	}
	munmap(from, size);
	return n;
}

/* pcopy_choose_engine() has already made the clone, so a worker only computes its CRC-32. */
static ssize_t (*const steps[])(struct worker *w, off_t off, size_t len) = {
	[ENGINE_CLONE] = pcopy_step_read,
	[ENGINE_CFR] = step_cfr,
	[ENGINE_RW] = step_rw,
	[ENGINE_MMAP] = step_mmap,
	[ENGINE_DIRECT] = step_rw,
};

ssize_t pcopy_step(struct worker *w, off_t off, size_t len)
{
	for (;;) {
		enum engine engine = current_engine(w);
		ssize_t n = steps[engine](w, off, len);

		if (n != 0)
			return n;
		fall_back(w, engine);
	}
}

/* Copies SRC as a stream, to its end: it cannot seek, or it has content but no size, like the files
 * in /proc. After each chunk, the kernel is asked to begin to write. An error is ignored here,
 * because fsync(2) reports it later. */
int pcopy_stream(struct worker *w)
{
	const struct plan *plan = &w->copy->plan;
	off_t off = 0;
	ssize_t n;

	while ((n = read(w->source->fd, w->buf, plan->step)) != 0) {
		if (n < 0 && must_repeat(w->source->fd, POLLIN))
			continue;
		if (n < 0)
			return read_failed(w, off);
		if (plan->crc)
			w->crc = crc32(w->crc, w->buf, n);
		if (w->task->put(w, n, off) < 0)
			return -1;
		off += n;
		pcopy_count_done(w, n);
		if (w->copy->request->sync != SYNC_NONE
		    && off / plan->chunk > (off - n) / plan->chunk)
			(void)sync_file_range(w->copy->target.fd, 0, off, SYNC_FILE_RANGE_WRITE);
	}
	plan->shared->streamed = off;
	plan->shared->crc[0] = w->crc;
	return 0;
}
