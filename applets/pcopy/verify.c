/*
 * verify.c - what the medium has, compared with what was copied
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* True if a page is still in memory, where reading would find it, whatever the medium has. */
static int is_cached(int fd, off_t size)
{
	enum { WINDOW = 16 << 20 };
	size_t pages, page = getpagesize();
	unsigned char *in_memory = xmalloc(WINDOW / page + 1);
	int cached = 0;

	for (off_t off = 0; off < size && !cached; off += WINDOW) {
		size_t len = MIN(size - off, WINDOW);
		void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, off);

		pages = (len + page - 1) / page;
		memset(in_memory, 1, pages);
		if (p != MAP_FAILED) {
			(void)mincore(p, len, in_memory); /* if it fails, we don't know: cached */
			munmap(p, len);
		}
		while (pages-- && !cached)
			cached = in_memory[pages] & 1;
	}
	free(in_memory);
	return cached;
}

/* A page that somebody is just looking at stays; who has it mapped keeps it for good. */
static void drop_cache(const struct job *job)
{
	enum { TRIES = 10, PAUSE_MS = 10 };

	for (int i = 0; i < TRIES; i++) {
		(void)posix_fadvise(job->out, 0, 0, POSIX_FADV_DONTNEED); /* we look ourselves */
		if (!is_cached(job->out, job->size))
			return;
		(void)poll(NULL, 0, PAUSE_MS);
	}
	bb_error_msg("can't verify '%s': it stays in memory and hides the medium", job->dst);
	exit(EXIT_UNSUPPORTED);
}

/* O_DIRECT alone is not enough: tmpfs and others take it and read from the cache. Nor needed:
 * what is not there comes from the medium. */
void verify(struct job *job)
{
	struct job check = *job;

	check.verifying = 1;
	check.compare = 0;
	check.src = job->dst;
	check.data_end = 0;
	check.start = monotonic_ns();
	check.step = BUFFER_SIZE;
	check.shared->engine = ENGINE_CLONE;
	check.shared->next = 0;
	memset(check.shared->done, 0, sizeof(check.shared->done));
	set_jobs(&check, 1);
	drop_cache(job);
	check.in = open_direct(job->dir, job->name, O_RDONLY, job->out);
	if (check.in < 0) {
		if (asked(job, 'v'))
			bb_perror_msg("can't read '%s' with O_DIRECT", job->dst);
		check.in = job->out;
	}
	if (job->chunks && run_workers(&check) < 0)
		exit(check.status);
}
