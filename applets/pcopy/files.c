/*
 * files.c - copy or compare each SRC, and commit many copies at once
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <search.h>
#include <sys/resource.h>
#include "pcopy.h"

/* Keeps the CRC-32 of a chunk, and asks the kernel to begin to write the chunk, so that fsync(2)
 * has less to wait for. An error is ignored here, because fsync(2) reports it later. After the only
 * chunk of a file, the sync comes at once, and can bring the pages of many files to the medium
 * together. */
static int store_crc(struct worker *w, uint32_t chunk)
{
	const struct plan *plan = &w->copy->plan;
	off_t off = chunk * plan->chunk;

	plan->shared->crc[chunk] = w->crc;
	if (w->copy->request->sync != SYNC_NONE && plan->chunks > 1)
		(void)sync_file_range(w->copy->target.fd, off,
			MIN(w->source->size - off, plan->chunk), SYNC_FILE_RANGE_WRITE);
	return 0;
}

static const struct task copying = {
	.verb = "copied", .step = pcopy_step, .put = pcopy_put, .hole = pcopy_hole,
	.end_chunk = store_crc,
};

/* Adds up what the workers have done, and checks --expect. The size of a stream is known only now.
 * The CRC-32 of the file is made of those of the chunks in their order, so it does not depend on
 * which worker copied which chunk. */
static int sum_up(struct copy *copy)
{
	const struct plan *plan = &copy->plan;
	struct source *source = &copy->source;
	int64_t expect = copy->request->expect;

	if (plan->chunks == 0)
		source->data = source->size = plan->shared->streamed;
	for (int i = 0; i < plan->jobs; i++)
		copy->saved += plan->shared->saved[i];
	copy->crc = plan->crc ? plan->shared->crc[0] : 0;
	for (uint32_t i = 1; plan->crc && i < plan->chunks; i++)
		copy->crc = pcopy_crc_combine(copy->crc, plan->shared->crc[i],
			i + 1 < plan->chunks ? plan->chunk : source->size - i * plan->chunk);
	if (expect < 0 || expect == copy->crc)
		return 0;
	bb_error_msg("'%s' has the CRC-32 %08" PRIx32 ", not %08" PRIx32, source->name, copy->crc,
		(uint32_t)expect);
	return EXIT_INTEGRITY;
}

/* Turns a stream that was copied into a file of one chunk, so that it can be verified. */
static void end_stream(struct copy *copy)
{
	if (copy->plan.chunks || copy->source.size == 0)
		return;
	copy->plan.chunk = copy->source.size;
	copy->plan.chunks = 1;
}

/* Prepares DST and the workers for the engine. A clone shares the blocks of SRC: it needs no room,
 * and no worker unless its CRC-32 is wanted. */
static int prepare(struct copy *copy)
{
	struct plan *plan = &copy->plan;
	int status = pcopy_choose_engine(copy), cloned = plan->engine == ENGINE_CLONE;

	if (status)
		return status;
	plan->shared->engine = plan->engine;
	pcopy_set_jobs(copy, plan->crc || plan->engine == ENGINE_DIRECT);
	if (cloned && (!plan->crc || plan->chunks == 0))
		plan->jobs = 0;
	status = cloned ? 0 : pcopy_check_room(copy);
	if (!status)
		status = pcopy_set_size(copy);
	return status || cloned ? status : pcopy_reserve(copy);
}

static int copy_bytes(struct copy *copy)
{
	int status = pcopy_open_written(copy);

	if (status)
		return status;
	pcopy_set_flags(&copy->target);
	status = prepare(copy);
	if (!status && copy->plan.jobs)
		status = pcopy_run(copy, &copying, &copy->source);
	if (!status)
		status = pcopy_check_source(copy);
	if (!status)
		status = sum_up(copy);
	if (!status)
		status = pcopy_check_size(copy);
	if (status)
		return status;
	end_stream(copy);
	copy->plan.engine = copy->plan.shared->engine;
	copy->pending = 1;
	return pcopy_set_metadata(copy);
}

static int compare_files(struct copy *copy)
{
	int status;

	if (!copy->target.old.st_mode) {
		errno = ENOENT;
		return pcopy_cannot("open", copy->target.name);
	}
	status = pcopy_compare(copy);
	if (!status)
		status = pcopy_check_source(copy);
	return status ? status : sum_up(copy);
}

static void *all_made; /* what this command has made: a tree of tsearch(3) */

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Returns the key of a name in a directory, or, if the name is "", of a file. */
static char *key_of(const struct stat *st, const char *name)
{
	return xasprintf("%jx %jx %s", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino, name);
}

static int is_made(const struct stat *st, const char *name)
{
	char *key = key_of(st, name);
	int found = tfind(key, &all_made, by_text) != NULL;

	free(key);
	return found;
}

/* Returns true, after a message, if this copy would replace an earlier one of the same command. The
 * earlier one can have another name: "readme" and "README" can be one file, and hard links are. */
static int is_repeated(const struct copy *copy)
{
	const struct target *target = &copy->target;

	if (target->dir == AT_FDCWD /* DST is no name in a directory, but standard output. */
	    || !(is_made(&target->parent, target->base)
		    || (target->old.st_mode && is_made(&target->old, ""))))
		return 0;
	bb_error_msg("can't copy '%s': '%s' was just made by the same command", copy->source.name,
		target->name);
	return 1;
}

static void remember(const struct stat *st, const char *name)
{
	if (!tsearch(key_of(st, name), &all_made, by_text))
		bb_error_msg_and_die("out of memory");
}

static void remember_made(const struct target *target)
{
	struct stat st;

	if (target->dir == AT_FDCWD)
		return;
	remember(&target->parent, target->base);
	if (fstat(target->fd, &st) == 0)
		remember(&st, "");
}

/* Compares one file, or copies it. The copy then waits for pcopy_commit(). */
static int copy_one(struct copy *copy, const char *src, const char *dst)
{
	int status = pcopy_open_source(copy, src);

	if (!status)
		status = pcopy_find_target(copy, dst);
	if (!status && is_repeated(copy))
		status = EXIT_FAILURE;
	if (!status && !copy->request->compare)
		status = pcopy_check_target(copy);
	if (!status)
		status = pcopy_make_plan(copy);
	if (status)
		return status;
	return copy->request->compare ? compare_files(copy) : copy_bytes(copy);
}

static void close_files(struct copy *copy)
{
	const int fds[] = { copy->source.fd, copy->target.found, copy->plan.direct };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] > STDERR_FILENO)
			close(fds[i]);
}

static void release(struct copy *copy)
{
	struct plan *plan = &copy->plan;

	if (!copy->pending)
		pcopy_drop(&copy->target);
	if (copy->target.fd > STDERR_FILENO)
		close(copy->target.fd);
	if (copy->target.dir > STDERR_FILENO)
		close(copy->target.dir);
	if (plan->shared)
		munmap(plan->shared, offsetof(struct shared, crc[plan->chunks + 1]));
	free(copy);
}

/* Returns the number of copies that can wait for their commit at once. Each of them keeps two
 * descriptors open: that of its file and that of the directory. */
static int most_at_once(void)
{
	enum { MOST = 256, OTHERS = 16 };
	struct rlimit limit = { 0 };

	/* If getrlimit(2) fails, the limit stays 0, and one copy is committed at a time. */
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= 2 * MOST + OTHERS)
		return MOST;
	return limit.rlim_cur > OTHERS + 2 ? (int)(limit.rlim_cur - OTHERS) / 2 : 1;
}

static int end_batch(struct copy *copies[], int n)
{
	int status = copies[0]->request->compare ? 0 : pcopy_commit(copies, n);

	pcopy_watch(NULL);
	for (int i = 0; i < n; i++) {
		if (copies[i]->pending)
			pcopy_report(copies[i]);
		release(copies[i]);
	}
	xfflush_stdout(); /* A signal that ends pcopy would lose what is in the buffer. */
	return status;
}

static struct copy *new_copy(const struct request *request)
{
	struct copy *copy = xmalloc(sizeof(*copy));

	memset(copy, 0, sizeof(*copy));
	copy->request = request;
	copy->source.fd = copy->plan.direct = -1;
	copy->target.fd = copy->target.dir = copy->target.found = -1;
	copy->plan.start = monotonic_ns();
	pcopy_watch(copy);
	return copy;
}

int pcopy_files(const struct request *request, char **src, int n, const char *dst)
{
	int most = most_at_once(), first = 0, status, count = 0;
	struct copy **copies = xmalloc(most * sizeof(*copies));

	for (int i = 0; i < n; i++) {
		struct copy *copy = copies[count] = new_copy(request);

		status = copy_one(copy, src[i], dst);
		copy->pending = !status;
		if (copy->pending && !request->compare)
			remember_made(&copy->target);
		close_files(copy);
		count++;
		if (!first)
			first = status;
		if (count < most && i + 1 < n)
			continue;
		status = end_batch(copies, count);
		count = 0;
		if (!first)
			first = status;
	}
	free(copies);
	return first;
}
