/*
 * refuse.c - find, before the first byte, what would make the copy fail at its end
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

char *pcopy_human(char text[16], uint64_t bytes)
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

/* Refuses a DST that the user may not write to, as cp(1) does, although rename(2) would replace it.
 * A running program cannot be written to (ETXTBSY in open(2)), but it can be replaced. EPERM means
 * an immutable or append-only file (ioctl_iflags(2)). */
static int check_writable(struct copy *copy)
{
	struct target *target = &copy->target;
	int fd = openat(target->dir, target->base, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int error = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (error == ENOENT) { /* Another process has removed DST meanwhile. */
		target->old.st_mode = 0;
		return 0;
	}
	if (error == ETXTBSY || (error == EACCES && asked(copy->request, 'f')))
		return 0;
	if (error == EPERM)
		bb_perror_msg("can't replace '%s': it is immutable or append-only (chattr -ia)",
			target->name);
	else if (error == EACCES)
		bb_perror_msg("can't write '%s' (--force replaces it)", target->name);
	else
		bb_perror_msg("can't write '%s'", target->name);
	return EXIT_FAILURE;
}

int pcopy_read_start(const char *name, char content[1000])
{
	int fd = openat(AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, content, 999);

	close(fd);
	content[n < 0 ? 0 : n] = '\0';
	return n >= 0;
}

long pcopy_read_field(const char *name, const char *text)
{
	char content[1000], *found;

	found = pcopy_read_start(name, content) ? strstr(content, text) : NULL;
	return found ? strtol(found + strlen(text), NULL, 10) : -1;
}

/* Returns the ID of the mount that the descriptor is on, or -1 (proc_pid_fdinfo(5)). */
static long mount_id(int fd)
{
	char name[64];

	scnprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	return pcopy_read_field(name, "mnt_id:");
}

/* Containers mount their configuration as a file on a file. It can be written, but rename(2) cannot
 * replace it (EBUSY). */
static int is_mount_point(const struct target *target)
{
	int fd = openat(target->dir, target->base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	long id = mount_id(fd), of_directory = mount_id(target->dir);

	close(fd);
	return id >= 0 && of_directory >= 0 && id != of_directory;
}

/* In a directory with the sticky bit, such as /tmp, only the owner of the file, the owner of the
 * directory and a process with CAP_FOWNER may replace the file (EPERM in rename(2)). */
static int is_sticky(const struct target *target)
{
	enum { CAP_FOWNER = 3 };
	const struct stat *dir = &target->parent;

	return dir->st_mode & S_ISVTX && dir->st_uid != geteuid()
	       && target->old.st_uid != geteuid() && !has_capability(CAP_FOWNER);
}

/* In an append-only directory (chattr(1)), a name can be made, but it stays, and leads to the same
 * file. Not all file systems have flags (ioctl_iflags(2)). */
static int is_append_only(const struct target *target)
{
	enum { APPEND = 0x20 };
	int flags = 0;

	(void)ioctl(target->dir, _IOR('f', 1, long), &flags);
	return flags & APPEND;
}

int pcopy_check_rename(const struct target *target)
{
	int is_new = target->old.st_mode == 0;
	const char *why;

	if (is_append_only(target))
		why = "its directory is append-only";
	else if (!is_new && is_mount_point(target))
		why = "it is a mount point";
	else if (!is_new && is_sticky(target))
		why = "another user owns it in a sticky directory";
	else
		return 0;
	bb_error_msg("can't replace '%s': %s (use --inplace)", target->name, why);
	return EXIT_FAILURE;
}

/* Returns true if the device number is that of a devtmpfs, which mountinfo lists
 * (proc_pid_mountinfo(5)). If there is no /proc, /dev counts as a devtmpfs unless it is on the root
 * file system. */
static int is_listed_as_devtmpfs(dev_t dev)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[1024], wanted[32], *type;
	struct stat st, root;
	int found = 0;

	if (!f)
		return stat("/dev", &st) == 0 && stat("/", &root) == 0 && st.st_dev == dev
		       && root.st_dev != dev;
	scnprintf(wanted, sizeof(wanted), " %u:%u ", major(dev), minor(dev));
	while (!found && fgets(line, sizeof(line), f)) {
		type = strstr(line, " - ");
		found = type && strstr(line, wanted) && strncmp(type + 3, "devtmpfs ", 9) == 0;
	}
	fclose(f);
	return found;
}

/* To statfs(2), a devtmpfs looks like a tmpfs or a ramfs. Many files go into the same directory, so
 * the last answer of mountinfo is kept. */
static int is_devtmpfs(const struct target *target)
{
	static dev_t last;
	static int answer = -1;
	uint32_t type = target->fs.f_type;

	if (type && type != MY_TMPFS_MAGIC && type != MY_RAMFS_MAGIC)
		return 0;
	if (answer < 0 || last != target->parent.st_dev)
		answer = is_listed_as_devtmpfs(target->parent.st_dev);
	last = target->parent.st_dev;
	return answer;
}

/* Refuses a new file in /dev. The user probably means a disk, but the bytes would only be in
 * memory. */
static int check_new(const struct copy *copy)
{
	const struct target *target = &copy->target;
	if (asked(copy->request, 'f') || !is_devtmpfs(target))
		return 0;
	bb_error_msg("'%s' does not exist, and would be a file in memory (--force makes one)",
		target->name);
	return EXIT_FAILURE;
}

int pcopy_check_target(struct copy *copy)
{
	const struct target *target = &copy->target;
	int status = 0;

	if (target->dir == AT_FDCWD)
		return 0;
	if (target->old.st_mode
	    && (copy->request->place == INPLACE || copy->request->place == UPDATE))
		return 0; /* DST itself is opened, and open(2) reports errors. */
	if (target->old.st_mode)
		status = check_writable(copy);
	if (!status && target->old.st_mode == 0)
		status = check_new(copy);
	if (status || (target->old.st_mode == 0 && copy->request->place != RESUME))
		return status;
	return pcopy_check_rename(target);
}

/* Refuses, before the first byte, a copy that needs more space than statfs(2) reports as free. Only
 * root may use the blocks that are free but not available (f_bfree, f_bavail). The copy can also
 * use the blocks of the file that it overwrites. */
int pcopy_check_room(const struct copy *copy)
{
	const struct statfs *fs = &copy->target.fs;
	uint64_t bytes = geteuid() ? fs->f_bavail : fs->f_bfree;
	char need[16], have[16];

	bytes = bytes * (fs->f_frsize ? fs->f_frsize : fs->f_bsize) + copy->target.taken;
	if (fs->f_blocks == 0 || copy->plan.sparse == ALWAYS
	    || bytes >= (uint64_t)copy->source.data)
		return 0;
	bb_error_msg("can't write '%s': needs %s, %s free", copy->target.name,
		pcopy_human(need, copy->source.data), pcopy_human(have, bytes));
	return EXIT_FAILURE;
}
