/*
 * plan.c - the division of SRC into chunks, the number of workers, and the choice of the engine
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* ioctl_ficlone(2) documents this request. musl does not have linux/fs.h, which defines it. */
#define MY_FICLONE _IOW(0x94, 9, int)

const char *const pcopy_engines[] = { "auto", "clone", "cfr", "rw", "mmap", "direct", NULL };

/* Returns true for a file whose size may be wrong. A file of /proc reports no bytes, and one of
 * sysfs reports a page (fs/sysfs/file.c), whatever they hold, and neither has blocks. A file that
 * is one hole has no blocks either. */
static int has_no_blocks(const struct source *source)
{
	return S_ISREG(source->st.st_mode) && source->size <= getpagesize()
	       && source->st.st_blocks == 0;
}

/* Holes are only for regular files: where a hole is left on a disk, the old bytes would show, and a
 * stream is written without gaps. A file whose size may be wrong is read to its end as a stream,
 * and its zeros become holes, because it may be one hole. */
int pcopy_make_plan(struct copy *copy)
{
	enum { MAX_CHUNKS = 1 << 24 }; /* Their CRC-32s take 64 MiB. */
	struct plan *plan = &copy->plan;
	struct source *source = &copy->source;
	const struct request *request = copy->request;
	int seekable = copy->target.seekable, made_up = has_no_blocks(source);

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
		PROT_READ | PROT_WRITE,
		MAP_ANONYMOUS | (pcopy_is_short(copy) ? MAP_PRIVATE : MAP_SHARED), -1, 0);
	if (plan->shared == MAP_FAILED)
		return pcopy_cannot("get memory for", copy->target.name);
	return 0;
}

/* parallel is true if the workers have more to do than to write through the page cache. Only one
 * process at a time can write a file this way, because the kernel locks the inode
 * (generic_file_write_iter() in mm/filemap.c), so a second worker would only wait for the first. */
void pcopy_set_jobs(struct copy *copy, int parallel)
{
	enum { USUAL = 4 };
	struct plan *plan = &copy->plan;

	plan->jobs = copy->request->max_jobs ? copy->request->max_jobs : parallel ? USUAL : 1;
	if ((uint32_t)plan->jobs > plan->chunks)
		plan->jobs = plan->chunks ? plan->chunks : 1;
}

/* Opens DST a second time. This works through /proc, because a temporary file may have no name.
 * Without /proc, the name is used if it still leads to the same file. */
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

/* Returns the fastest engine for a file that cannot be cloned. plain is true if SRC has chunks
 * whose bytes need not be looked at. With copy_file_range(2), a server copies its own files without
 * the network, and a tmpfs copies page by page at full speed. With O_DIRECT, bytes that must reach
 * the medium are copied once instead of twice, and fsync(2) has nothing to wait for: this took 0.5
 * to 0.9 of the time on ext4 under Linux 6.18. Otherwise read(2) and write(2) are best, because
 * they move many pages in one step: they took 0.9 of the processor time of copy_file_range(2) on
 * ext4. */
static enum engine best_copier(const struct copy *copy, int plain)
{
	static const uint32_t types[] = { /* statfs(2), linux/magic.h: NFS, SMB, SMB2, Ceph, FUSE */
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

/* Returns true if DST shares the blocks of SRC now. If DST is longer than SRC, its last shared
 * block would be a part of a block in the middle of a file, which gives EINVAL (ioctl_ficlone(2)).
 * Then DST is cut first. A file system that cannot share blocks gives EOPNOTSUPP or another error,
 * and DST is not cut. */
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

/* Clones SRC, or decides with which engine the workers begin. Only the engine rw can read a stream,
 * and can leave out bytes that are zeros or that DST has already. */
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
