/*
 * target.c - DST: what it is, its temporary file, and the moment it becomes the new one
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/file.h>
#include <sys/syscall.h>
#include "pcopy.h"

enum { MY_RENAME_NOREPLACE = 1 }; /* renameat2(2); musl has no name for it */

const char *const sync_names[] = { "full", "data", "none", NULL };

/* What exit(3) must remove, whoever calls it, except for a worker. */
static struct {
	int dir;
	const char *name;
	pid_t owner;
} doomed;

void discard(void)
{
	if (doomed.name && doomed.owner == getpid())
		(void)unlinkat(doomed.dir, doomed.name, 0); /* nothing is left to do about it */
	doomed.name = NULL;
}

char *human(char text[16], uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	int unit = 0;

	while (bytes >> unit >= 1024 && unit < 60)
		unit += 10;
	if (unit)
		scnprintf(text, 16, "%u.%u %ciB", (unsigned)(bytes >> unit),
			(unsigned)((bytes >> (unit - 10) & 1023) * 10 / 1024), units[unit / 10]);
	else
		scnprintf(text, 16, "%u B", (unsigned)bytes);
	return text;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int is_same(const struct stat *a, const struct stat *b)
{
	if (S_ISBLK(a->st_mode))
		return S_ISBLK(b->st_mode) && a->st_rdev == b->st_rdev;
	return (S_ISREG(a->st_mode) || S_ISFIFO(a->st_mode)) && same_inode(a, b);
}

/* False if there is no such file. The kernel follows the link, not we, so that it can
 * refuse one that another user has put into /tmp (fs.protected_symlinks). */
static int stat_target(const char *name, struct stat *st)
{
	struct stat link;

	if (stat(name, st) == 0)
		return 1;
	if (errno != ENOENT)
		bb_perror_msg_and_die("can't examine '%s'", name);
	if (lstat(name, &link) == 0)
		bb_error_msg_and_die("'%s' is a symbolic link to nowhere: remove it first", name);
	memset(st, 0, sizeof(*st));
	return 0;
}

/* The file that the name leads to, through all links: that is what is replaced, not a link. */
static char *follow(const char *name)
{
	enum { MAX_LINKS = 40 }; /* path_resolution(7) */
	char *path = xasprintf("%s", name), link[PATH_MAX];
	ssize_t len;

	for (int i = 0; i < MAX_LINKS && (len = readlink(path, link, sizeof(link))) >= 0; i++) {
		char *next = xasprintf("%.*s%.*s", *link == '/' ? 0 : (int)(base_name(path) - path),
			path, (int)len, link);

		free(path);
		path = next;
	}
	return path;
}

/* A link that took the place of DST since it was examined must not lead elsewhere. Nor is the
 * name of what /dev/fd/N was, "x (deleted)", one for a new file. */
static void check_found(const struct job *job)
{
	struct stat now;

	if (job->old.st_mode
	    && (fstatat(job->dir, job->base, &now, AT_SYMLINK_NOFOLLOW) < 0
		|| !same_inode(&now, &job->old)))
		bb_error_msg_and_die("'%s' has no name, or has been replaced", job->dst);
}

/* Names DST in its directory, which stays open: whatever is renamed meanwhile, the
 * temporary and the final file are in the same place. */
static void open_directory(struct job *job)
{
	char *path = job->old.st_mode ? follow(job->dst) : xasprintf("%s", job->dst), *dir;

	job->base = base_name(path);
	if (!*job->base)
		bb_error_msg_and_die("'%s' is not a directory", job->dst);
	dir = xasprintf("%.*s", (int)(job->base - path), path);
	job->dir = open(*dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (job->dir < 0 && errno == EACCES)
		job->dir = open(*dir ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (job->dir < 0)
		bb_perror_msg_and_die("can't open the directory of '%s'", job->dst);
	free(dir);
	check_found(job);
}

static void need_seekable(const struct job *job)
{
	if (job->seekable || !(job->opts & (OPT('y') | OPT('u') | OPT('R'))))
		return;
	bb_error_msg("can't read '%s' back", job->dst);
	exit(EXIT_UNSUPPORTED);
}

/* Which file, and which kind. What is neither a file nor a disk is written as it is: a FIFO,
 * a terminal, /dev/null. */
void find_target(struct job *job)
{
	job->dir = AT_FDCWD;
	if (strcmp(job->dst, "-") == 0) {
		job->dst = "standard output";
		job->out = STDOUT_FILENO;
		if (fstat(job->out, &job->old) < 0)
			bb_perror_msg_and_die("can't write '%s'", job->dst);
	} else if (stat_target(job->dst, &job->old) && S_ISDIR(job->old.st_mode)
		&& !asked(job, 'T')) {
		if (job->in == STDIN_FILENO)
			bb_error_msg_and_die(
				"'%s' is a directory, and standard input has no name", job->dst);
		job->dst = xasprintf(
			*base_name(job->dst) ? "%s/%s" : "%s%s", job->dst, base_name(job->src));
		stat_target(job->dst, &job->old);
	}
	if (is_same(&job->from, &job->old))
		bb_error_msg_and_die("'%s' and '%s' are the same file", job->src, job->dst);
	if (job->out == STDOUT_FILENO) {
		need_seekable(job);
		return;
	}
	if (S_ISDIR(job->old.st_mode))
		bb_error_msg_and_die("'%s' is a directory", job->dst);
	if (asked(job, 'n') && job->old.st_mode)
		bb_error_msg_and_die("'%s' exists", job->dst);
	job->seekable = job->old.st_mode == 0 || S_ISREG(job->old.st_mode)
		|| S_ISBLK(job->old.st_mode);
	job->compare = (job->opts & (OPT('u') | OPT('R'))) != 0;
	job->name = job->dst;
	need_seekable(job);
	if (!job->seekable)
		/* may wait for a reader: no signal that ends us is held yet */
		job->out = xopen(job->dst, O_WRONLY);
	else if (!S_ISBLK(job->old.st_mode))
		open_directory(job);
}

/* Full disks are noticed here, as far as statvfs(3) tells, and not after the last byte but
 * one. Of what is reserved for root, root may use all. */
void check_room(const struct job *job)
{
	uint64_t bytes = geteuid() ? job->fs.f_bavail : job->fs.f_bfree;
	char need[16], have[16];

	bytes = bytes * (job->fs.f_frsize ? job->fs.f_frsize : job->fs.f_bsize) + job->taken;
	if (job->fs.f_blocks == 0 || job->sparse == ALWAYS)
		return;
	if (bytes < (uint64_t)job->data)
		bb_error_msg_and_die("can't write '%s': needs %s, %s free", job->dst,
			human(need, job->data), human(have, bytes));
}

/* Space that is reserved is in one piece, and does not run out; on a tmpfs it would only be
 * cleared twice. */
void reserve_space(const struct job *job)
{
	off_t off = 0, end = job->size;

	if (job->fs.f_blocks == 0 || job->sparse == ALWAYS || job->preallocate == NEVER
	    || job->fs.f_type == MY_TMPFS_MAGIC)
		return;
	for (; job->holes ? next_data(job, &off, &end) : off < end; off = end)
		if (fallocate(job->out, 0, off, end - off) < 0
		    && (errno == ENOSPC || errno == EDQUOT))
			bb_perror_msg_and_die("can't write '%s'", job->dst);
}

/* A file that nobody holds locked was left by a pcopy that was killed. The owner locks it
 * right after it made it, and makes another if it was too late. */
static void remove_stale(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
	    && (st.st_uid == geteuid() || geteuid() == 0) /* who may have given it away */
	    && flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(dir, name, 0); /* it may be gone by now, as it should */
	close(fd);
}

/* True unless a remove_stale() was faster. Where files can't be locked, nothing is stale. */
static int lock(int fd)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return 0;
	return fstat(fd, &st) < 0 || st.st_nlink;
}

/* Room for ".NAME.pcopy.resume" in NAME_MAX. */
enum { NAME_ROOM = 255 - sizeof("..pcopy.resume") };

static char *temporary_name(const struct job *job, unsigned n)
{
	return xasprintf(".%.*s.pcopy.%06x", NAME_ROOM, job->base, n);
}

static void doom(const struct job *job)
{
	doomed.dir = job->dir;
	doomed.name = job->name;
	doomed.owner = getpid();
}

static mode_t usual_mode(const struct job *job)
{
	return job->in == STDIN_FILENO ? 0666 : job->from.st_mode & 0777;
}

/* What of that a new file gets is for the kernel to say: by umask(2), or by the default ACL of
 * the directory (acl(5)). Until the file is whole nobody else may read it. */
static int create_private(struct job *job, const char *name)
{
	int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(job->dir, name, flags, usual_mode(job));
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		job->mode = st.st_mode & 0777;
		(void)fchmod(fd, 0600); /* FAT has no modes */
	}
	return fd;
}

/* The first names are the same each time, so that what killed runs left is found without
 * reading the directory; the others are for a directory where somebody blocks those. */
static void make_temporary(struct job *job)
{
	enum { SAME = 8, TRIES = 100 };
	char *name;

	job->out = -1;
	for (int i = 0; i < SAME; i++, free(name)) {
		name = temporary_name(job, i);
		remove_stale(job->dir, name);
	}
	for (int i = 0; i < TRIES; i++, free(name)) {
		name = temporary_name(
			job, i < SAME ? (unsigned)i : (unsigned)monotonic_ns() & 0xFFFFFF);
		job->out = create_private(job, name);
		if (job->out >= 0 && lock(job->out)) {
			job->name = name;
			doom(job);
			return;
		}
		if (job->out >= 0)
			close(job->out);
		else if (errno != EEXIST)
			break;
	}
	bb_perror_msg_and_die("can't create a temporary file beside '%s'", job->dst);
}

/* For a file that exists: O_CREAT would be EACCES in a sticky directory, even for root, if the
 * file is not ours (fs.protected_regular). For one that does not: the opposite. */
static int open_or_create(struct job *job, int exists)
{
	return exists ? openat(job->dir, job->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
		      : create_private(job, job->name);
}

/* One that was killed may have left DST's mode, which lets us not write. The mode that one has
 * set which still lives is put back. */
static int open_read_only(const struct job *job)
{
	int fd = -1, path = openat(job->dir, job->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char *self = xasprintf("/proc/self/fd/%d", path);
	struct stat st;

	if (path >= 0 && fstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1
	    && st.st_uid == geteuid() && chmod(self, 0600) == 0) {
		fd = open(self, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && !lock(fd))
			(void)chmod(self, st.st_mode & 07777); /* as well as we can */
	}
	free(self);
	close(path);
	errno = EACCES;
	return fd;
}

/* What an earlier --resume left, if nobody writes it but we and, at the end, its owner; else a
 * new one. Nothing about it is believed, not even its size. */
static void open_resumed(struct job *job)
{
	struct stat st, named;
	mode_t mask = umask(0);

	umask(mask);
	job->mode = usual_mode(job) & ~mask; /* unless the file is a new one */
	job->name = xasprintf(".%.*s.pcopy.resume", NAME_ROOM, job->base);
	job->out = open_or_create(job, 1);
	if (job->out < 0 && errno == ENOENT)
		job->out = open_or_create(job, 0);
	if (job->out < 0 && errno == EACCES)
		job->out = open_read_only(job);
	if (job->out < 0 || fstat(job->out, &st) < 0)
		bb_perror_msg_and_die("can't open '%s' beside '%s'", job->name, job->dst);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1
	    || (st.st_uid != geteuid() && st.st_uid != future_owner(job)->st_uid))
		bb_error_msg_and_die("'%s' beside '%s' is not a file that pcopy made: remove it",
			job->name, job->dst);
	if (!lock(job->out) || fstatat(job->dir, job->name, &named, AT_SYMLINK_NOFOLLOW) < 0
	    || !same_inode(&named, &st)) {
		bb_error_msg("another pcopy is resuming '%s'", job->dst);
		exit(EXIT_NOT_NOW);
	}
	job->taken = st.st_blocks * 512LL;
}

static void open_inplace(struct job *job)
{
	struct stat st;

	job->name = job->base;
	job->out = open_or_create(job, job->old.st_mode != 0);
	if (job->out >= 0 && job->old.st_mode == 0)
		doom(job);
	if (job->out < 0 || fstat(job->out, &st) < 0)
		bb_perror_msg_and_die("can't open '%s'", job->dst);
	if (!S_ISREG(st.st_mode))
		bb_error_msg_and_die("'%s' is no longer a file", job->dst);
	job->taken = st.st_blocks * 512LL;
}

/* O_EXCL: refused while it is mounted, or part of something that is (open(2)). */
static void open_device(struct job *job)
{
	char need[16], have[16];
	off_t size;

	job->out = open(job->dst, O_RDWR | O_EXCL | O_CLOEXEC);
	if (job->out < 0 && errno == EBUSY)
		bb_error_msg_and_die("'%s' is in use: unmount it first", job->dst);
	if (job->out < 0)
		bb_perror_msg_and_die("can't open '%s'", job->dst);
	size = lseek(job->out, 0, SEEK_END);
	if (size < job->size)
		bb_error_msg_and_die("can't write '%s': needs %s, has %s", job->dst,
			human(need, job->size), human(have, size));
}

void open_target(struct job *job)
{
	if (!job->seekable)
		return;
	if (S_ISBLK(job->old.st_mode)) {
		open_device(job);
		return;
	}
	if (asked(job, 'R'))
		open_resumed(job);
	else if (job->opts & (OPT('i') | OPT('u')))
		open_inplace(job);
	else
		make_temporary(job);
	(void)fstatfs(job->out, &job->fs);
}

/* Here ends the old content that is not compared with; a size that can't be ends nothing. A
 * stream is cut at its end. */
void set_size(const struct job *job)
{
	int anew = asked(job, 'i') && !job->compare && job->shared->engine != ENGINE_CLONE;

	if (!job->seekable || S_ISBLK(job->old.st_mode) || (job->compare && job->chunks == 0))
		return;
	if (ftruncate(job->out, job->size) < 0
	    || (anew && (ftruncate(job->out, 0) < 0 || ftruncate(job->out, job->size) < 0)))
		bb_perror_msg_and_die("can't set the size of '%s'", job->dst);
}

/* renameat2(2): Linux 3.15, and not on every file system; link(2) does not replace either. */
static int rename_new(const struct job *job)
{
	if (syscall(SYS_renameat2, job->dir, job->name, job->dir, job->base, MY_RENAME_NOREPLACE)
		== 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EPERM)
		return -1;
	if (linkat(job->dir, job->name, job->dir, job->base, 0) < 0)
		return -1;
	return unlinkat(job->dir, job->name, 0);
}

/* fsync and not fdatasync: this must bring the mode and the times to the medium too. What
 * is not stored has no sync: EINVAL (fsync(2)). A directory that may not be read is O_PATH,
 * EBADF: then all of its file system is brought. */
static void sync_fd(const struct job *job, int fd, int full, const char *what)
{
	int error;

	do
		error = full ? fsync(fd) : fdatasync(fd);
	while (error < 0 && errno == EINTR);
	if (error < 0 && errno == EBADF && fd == job->dir)
		error = syncfs(job->out);
	if (error < 0 && errno != EINVAL && errno != EROFS)
		bb_perror_msg_and_die("can't bring %s'%s' to the medium", what, job->dst);
}

/* Metadata first: fsync takes it along. What is verified must be on the medium. */
void sync_target(const struct job *job)
{
	if (job->dir != AT_FDCWD)
		set_metadata(job);
	if (job->sync != SYNC_NONE || asked(job, 'y'))
		sync_fd(job, job->out, job->sync == SYNC_FULL, "");
	check_signals(job);
}

void commit(struct job *job)
{
	if (job->dir == AT_FDCWD)
		return;
	if (job->name != job->base) {
		if (job->old.st_nlink > 1 && asked(job, 'v'))
			bb_error_msg(
				"'%s' has other hard links: they keep the old content", job->dst);
		if ((asked(job, 'n') ? rename_new(job)
		     : renameat(job->dir, job->name, job->dir, job->base)) < 0)
			bb_perror_msg_and_die("can't rename the temporary file to '%s'", job->dst);
	}
	doomed.name = NULL;
	if (job->sync == SYNC_FULL)
		sync_fd(job, job->dir, 1, "the directory of ");
}
