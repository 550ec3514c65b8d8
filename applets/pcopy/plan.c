/*
 * plan.c - chunks for the queue, workers for the chunks, and the engine that fits
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* The value is in ioctl_ficlone(2). Not every system has linux/fs.h. */
#define MY_FICLONE _IOW(0x94, 9, int)

const char *const pcopy_engines[] = { "auto", "clone", "cfr", "rw", "mmap", "direct", NULL };

/* A file of sysfs reports the size of a page, but is shorter. A file without blocks may also be
 * only a hole. */
static int has_no_blocks(const struct source *source)
{
	return S_ISREG(source->st.st_mode) && source->size <= getpagesize()
	       && source->st.st_blocks == 0;
}

/* The old content of a disk or a stream is unknown, so no hole may be left there. */
int pcopy_make_plan(struct copy *copy)
{
	enum { MAX_CHUNKS = 1 << 24 }; /* 64 MiB of CRCs */
	struct plan *plan = &copy->plan;
	struct source *source = &copy->source;
	const struct request *request = copy->request;
	int seekable = copy->target.seekable || request->compare;
	int made_up = has_no_blocks(source);

	plan->sparse = request->blocks.sparse;
	if (!seekable || S_ISBLK(copy->target.old.st_mode))
		plan->sparse = NEVER;
	source->data = source->size;
	if (plan->sparse != NEVER)
		pcopy_measure(source);
	plan->chunk = request->block;
	while (source->size / plan->chunk >= MAX_CHUNKS)
		plan->chunk *= 2;
	if (made_up && plan->sparse == AUTO)
		plan->sparse = ALWAYS;
	if (!made_up && seekable)
		plan->chunks = source->size / plan->chunk + (source->size % plan->chunk != 0);
	plan->step = CACHED_STEP;
	plan->direct = -1;
	plan->compare = request->place == UPDATE || request->place == RESUME;
	plan->crc = request->expect >= 0 || asked(request, 'c') || asked(request, 'y');
	plan->shared = mmap(NULL, offsetof(struct shared, crc[plan->chunks + 1]),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (plan->shared == MAP_FAILED)
		return pcopy_cannot("get memory for", copy->target.name);
	return 0;
}

/* Only one process at a time can write into a file's cache. A second one would wait for the first,
 * and helps only if there is other work, too. */
void pcopy_set_jobs(struct copy *copy, int parallel)
{
	enum { USUAL = 4 };
	struct plan *plan = &copy->plan;

	plan->jobs = copy->request->max_jobs ? copy->request->max_jobs : parallel ? USUAL : 1;
	if ((uint32_t)plan->jobs > plan->chunks)
		plan->jobs = plan->chunks ? plan->chunks : 1;
}

/* Opens DST a second time: through /proc, since a temporary file may have no name, or else by the
 * name, if it still leads to this file. */
int pcopy_open_direct(const struct target *target, int flags)
{
	struct stat st, expected;
	char self[64];
	int fd;

	flags |= O_DIRECT | O_NONBLOCK | O_CLOEXEC;
	scnprintf(self, sizeof(self), "/proc/self/fd/%d", target->fd);
	fd = open(self, flags);
	if (fd >= 0 || !target->written)
		return fd;
	fd = openat(target->dir, target->written, flags);
	if (fd >= 0 && fstat(fd, &st) == 0 && fstat(target->fd, &expected) == 0
	    && !same_inode(&st, &expected)) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

/* The best way when nothing is shared. A server copies its own files without the network, and in a
 * tmpfs splice moves single pages as fast as anything. What is to be on the medium goes there past
 * the cache: one copy less, and nothing to wait for at the end (ext4, Linux 6.18: 0.5 to 0.9 of the
 * time). Else, read and write move whole folios (ext4: 0.9 of the processor's time that
 * copy_file_range takes). */
static enum engine best_copier(const struct copy *copy, int plain)
{
	static const uint32_t types[] = { /* statfs(2): NFS, SMB, SMB2, Ceph, FUSE */
		0x6969, 0xFF534D42, 0xFE534D42, 0x00C36400, 0x65735546, MY_TMPFS_MAGIC,
	};
	const struct request *request = copy->request;
	const struct source *source = &copy->source;
	uint32_t type = copy->target.fs.f_type;
	size_t i = 0;

	while (i < ARRAY_SIZE(types) && types[i] != type)
		i++;
	if (!plain)
		return ENGINE_RW;
	if (i < ARRAY_SIZE(types) && !copy->plan.crc && request->blocks.reflink != NEVER)
		return ENGINE_CFR;
	return request->sync != SYNC_NONE && source->data == source->size && source->size > SHORT
			&& type != MY_TMPFS_MAGIC ? ENGINE_DIRECT : ENGINE_RW;
}

/* In the middle of a longer DST, a part of a block can't be shared: EINVAL (ioctl_ficlone(2)). What
 * can share nothing says something else, and is left as it is. */
static int clone_file(const struct copy *copy)
{
	const struct target *target = &copy->target;
	off_t size = copy->source.size;

	if (ioctl(target->fd, MY_FICLONE, copy->source.fd) == 0)
		return 1;
	return errno == EINVAL && copy->request->place == INPLACE && target->old.st_size > size
	       && ftruncate(target->fd, size) == 0
	       && ioctl(target->fd, MY_FICLONE, copy->source.fd) == 0;
}

static int may_clone(const struct copy *copy)
{
	const struct plan *plan = &copy->plan;

	return (plan->sparse == AUTO || copy->source.size == 0) && !plan->compare
	       && copy->source.fd != STDIN_FILENO;
}

static enum engine open_engine(struct copy *copy, enum engine engine)
{
	if (engine != ENGINE_DIRECT)
		return engine;
	copy->plan.direct = pcopy_open_direct(&copy->target, O_WRONLY);
	if (copy->plan.direct < 0)
		return ENGINE_RW;
	copy->plan.step = BUFFER_SIZE;
	return engine;
}

/* Copies all at once, or decides with what the workers begin. Only rw looks into the pages, and
 * reads a source that has no size or begins in its middle. */
int pcopy_choose_engine(struct copy *copy)
{
	struct plan *plan = &copy->plan;
	const struct request *request = copy->request;
	int plain = plan->sparse != ALWAYS && !plan->compare && plan->chunks;
	enum engine engine = best_copier(copy, plain), wanted = request->engine;

	plan->engine = ENGINE_CLONE;
	errno = EINVAL;
	if (wanted <= ENGINE_CLONE && request->blocks.reflink != NEVER) {
		if (may_clone(copy) && clone_file(copy))
			return 0;
		pcopy_say_fallback(request, ENGINE_CLONE, engine);
	}
	if (request->blocks.reflink == ALWAYS) {
		(void)pcopy_cannot("clone", copy->source.name);
		return EXIT_UNSUPPORTED;
	}
	if (wanted <= ENGINE_CLONE)
		wanted = engine;
	else if (plain && !(wanted == ENGINE_CFR && plan->crc))
		engine = wanted;
	plan->engine = open_engine(copy, engine);
	if (plan->engine != wanted)
		pcopy_say_fallback(request, wanted, plan->engine);
	return 0;
}
