/*
 * verify.c - compare the bytes on the medium with the copy, or DST with SRC
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* Returns true if a page of the file is still in memory. A read would get the bytes from there, and
 * would not show what the medium has. */
static int is_cached(int fd, off_t size)
{
	enum { PAGES = 4096 };
	static unsigned char in_memory[PAGES];
	size_t pages, page = getpagesize(), window = PAGES * page;
	int cached = 0;

	for (off_t off = 0; off < size && !cached; off += window) {
		size_t len = MIN(size - off, (off_t)window);
		void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, off);

		pages = (len + page - 1) / page;
		memset(in_memory, 1, pages);
		if (p != MAP_FAILED) {
			/* If mincore(2) fails, in_memory keeps its ones, and the pages count as
			 * cached. */
			(void)mincore(p, len, in_memory);
			munmap(p, len);
		}
		while (pages-- && !cached)
			cached = in_memory[pages] & 1;
	}
	return cached;
}

/* Takes all pages of the file out of memory, and returns -1 if one stays. A page that another
 * process is just reading stays for a moment, so pcopy tries again. A page that a process has
 * mapped stays as long as the mapping. */
static int drop_cache(int fd, off_t size)
{
	enum { TRIES = 10, PAUSE_MS = 10 };

	for (int i = 0; i < TRIES; i++) {
		/* posix_fadvise(2) does not say what it has dropped, so is_cached() looks. */
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		if (!is_cached(fd, size))
			return 0;
		(void)poll(NULL, 0, PAUSE_MS);
	}
	return -1;
}

/* Compares the CRC-32 of a chunk on the medium with that of the copied chunk. */
static int check_chunk(struct worker *w, uint32_t chunk)
{
	if (w->copy->plan.shared->crc[chunk] == w->crc)
		return 0;
	if (pcopy_first_failure(w, EXIT_INTEGRITY))
		bb_error_msg("'%s' is not on the medium as it was copied: chunk %" PRIu32
			     ", from byte %jd", w->source->name, chunk + 1,
			(intmax_t)(chunk * w->copy->plan.chunk));
	return -1;
}

/* Begins again at the first chunk, for a task that reads all bytes after the copy. */
static void restart(struct copy *copy)
{
	struct shared *shared = copy->plan.shared;

	shared->next = 0;
	memset(shared->done, 0, sizeof(shared->done));
	if (copy->plan.chunks) /* A read of so many bytes fails in /proc/sys (ENOMEM). */
		copy->plan.step = BUFFER_SIZE;
	copy->plan.start = monotonic_ns();
	pcopy_set_jobs(copy, 1);
}

/* Reads DST back from the medium. For this, the pages of DST must leave the memory: O_DIRECT alone
 * is not enough, because file systems such as tmpfs accept it, and read from memory. If the pages
 * have left it and O_DIRECT does not work, an ordinary read comes from the medium, too. */
int pcopy_verify(struct copy *copy)
{
	static const struct task verifying = {
		.verb = "verified", .step = pcopy_step_read, .hole = pcopy_skip_hole,
		.end_chunk = check_chunk,
	};
	const struct target *target = &copy->target;
	struct source medium = copy->source;
	int jobs = copy->plan.jobs, status = 0;

	if (drop_cache(target->fd, medium.size) < 0) {
		bb_error_msg("can't verify: '%s' stays in memory and hides the medium",
			target->name);
		return EXIT_UNSUPPORTED;
	}
	medium.name = target->name;
	medium.fd = pcopy_open_direct(target, O_RDONLY);
	if (medium.fd < 0 && asked(copy->request, 'v'))
		bb_perror_msg("can't read '%s' with O_DIRECT", target->name);
	if (medium.fd < 0)
		medium.fd = target->fd;
	restart(copy);
	if (copy->plan.chunks)
		status = pcopy_run(copy, &verifying, &medium);
	if (medium.fd != target->fd)
		close(medium.fd);
	copy->plan.jobs = jobs;
	return status;
}

static int differs_at(struct worker *w, off_t off)
{
	if (pcopy_first_failure(w, EXIT_INTEGRITY))
		bb_error_msg("'%s' and '%s' differ at byte %jd", w->copy->source.name,
			w->copy->target.name, (intmax_t)off);
	return -1;
}

/* Compares the len bytes of SRC in w->buf with those of DST at off. O_DIRECT can require whole
 * pages, so a read that ends within a page has reached the end of DST. */
static int compare_bytes(struct worker *w, size_t len, off_t off)
{
	char *other = w->buf + BUFFER_SIZE;
	size_t page = getpagesize(), got = 0, same = 0;

	while (got < len && got % page == 0) {
		ssize_t n = pread(w->copy->target.fd, other + got,
			(len - got + page - 1) / page * page, off + got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pcopy_give_up(w, "read", w->copy->target.name);
		if (n == 0)
			break;
		got += n;
	}
	while (same < MIN(got, len) && w->buf[same] == other[same])
		same++;
	return same < len ? differs_at(w, off + same) : 0;
}

static ssize_t step_compare(struct worker *w, off_t off, size_t len)
{
	ssize_t n = pcopy_step_read(w, off, len);

	return n > 0 && compare_bytes(w, n, off) < 0 ? -1 : n;
}

/* Keeps the CRC-32 of a chunk for --expect and --checksum. */
static int pass_chunk(struct worker *w, uint32_t chunk)
{
	w->copy->plan.shared->crc[chunk] = w->crc;
	return 0;
}

static int open_compared(struct target *target)
{
	target->fd = pcopy_reopen(target, O_RDONLY);
	if (target->fd < 0)
		return pcopy_cannot("open", target->name);
	(void)fsync(target->fd); /* A page that is not written yet would stay in memory. */
	return 0;
}

/* Refuses a DST that is longer than SRC. On a disk, the bytes after the end of SRC do not count. */
static int check_end(const struct copy *copy)
{
	const struct target *target = &copy->target;

	if (!S_ISREG(target->old.st_mode) || target->old.st_size <= copy->source.size)
		return 0;
	bb_error_msg("'%s' and '%s' differ at byte %jd: '%s' ends there", copy->source.name,
		target->name, (intmax_t)copy->source.size, copy->source.name);
	return EXIT_INTEGRITY;
}

/* Compares DST with SRC. Only one worker does so, because a second one could report a later
 * difference first. */
int pcopy_compare(struct copy *copy)
{
	static const struct task comparing = {
		.verb = "compared", .step = step_compare, .put = compare_bytes,
		.end_chunk = pass_chunk,
	};
	struct target *target = &copy->target;
	int status = open_compared(target), fd;

	if (status)
		return status;
	if (drop_cache(target->fd, S_ISREG(target->old.st_mode) ? target->old.st_size
								: copy->source.size) < 0
	    && asked(copy->request, 'v'))
		bb_error_msg("'%s' stays in memory and hides the medium", target->name);
	/* A stream is compared without O_DIRECT, because its reads can end within a page. */
	fd = copy->plan.chunks ? pcopy_open_direct(target, O_RDONLY) : -1;
	if (fd >= 0) {
		close(target->fd);
		target->fd = fd;
	}
	restart(copy);
	copy->plan.jobs = 1;
	copy->source.holes = 0;
	status = pcopy_run(copy, &comparing, &copy->source);
	if (!status && copy->plan.chunks == 0)
		copy->source.size = copy->plan.shared->streamed;
	return status ? status : check_end(copy);
}
