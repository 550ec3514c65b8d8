/*
 * refuse.c - what would make the copy fail at its end, found before its first byte
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/sysmacros.h>
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

/* cp(1) opens DST for writing, and so learns whether it may write. The file of a running program
 * may be replaced (ETXTBSY). EPERM means an immutable or append-only file (ioctl_iflags(2)). */
static int check_writable(struct copy *copy)
{
	struct target *target = &copy->target;
	int fd = openat(target->dir, target->base, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int error = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (error == ENOENT) { /* Another process, or another mount, has removed it since. */
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

/* Returns the number after "mnt_id:" in fdinfo (proc(5)), or -1. */
static long mount_id(int fd)
{
	char name[64], text[512], *found;
	int info;
	ssize_t n;

	scnprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	info = open(name, O_RDONLY | O_CLOEXEC);
	n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
	close(info);
	if (n < 0)
		return -1;
	text[n] = '\0';
	found = strstr(text, "mnt_id:");
	return found ? strtol(found + strlen("mnt_id:"), NULL, 10) : -1;
}

/* A file can be a mount point, as containers mount a configuration. Such a file can be written, but
 * rename(2) cannot replace it (EBUSY). */
static int check_mount(const struct target *target)
{
	int fd = openat(target->dir, target->base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int is_mounted = fd >= 0 && mount_id(fd) != mount_id(target->dir);

	close(fd);
	if (!is_mounted)
		return 0;
	bb_error_msg("can't replace '%s': it is a mount point (use --inplace)", target->name);
	return EXIT_FAILURE;
}

/* In a directory with the sticky bit, such as /tmp, only the owner of a file, the owner of the
 * directory and root may replace the file (rename(2)). */
static int check_sticky(const struct target *target)
{
	enum { CAP_FOWNER = 3 };
	struct stat dir;

	if (fstat(target->dir, &dir) < 0 || !(dir.st_mode & S_ISVTX)
	    || dir.st_uid == geteuid() || target->old.st_uid == geteuid()
	    || has_capability(CAP_FOWNER))
		return 0;
	bb_error_msg("can't replace '%s': another user owns it, and its directory is sticky"
		     " (use --inplace)", target->name);
	return EXIT_FAILURE;
}

/* Returns true if mountinfo (proc(5)) has a devtmpfs with this device number. Without /proc, the
 * device number of /dev is compared. */
static int is_devtmpfs(dev_t dev)
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

/* A name in /dev that does not exist becomes a file in memory, not a disk. */
static int check_new(const struct copy *copy)
{
	const struct target *target = &copy->target;
	struct stat dir;

	if (asked(copy->request, 'f') || fstat(target->dir, &dir) < 0 || !is_devtmpfs(dir.st_dev))
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
		return 0; /* open(2) will report it. */
	if (target->old.st_mode)
		status = check_writable(copy);
	if (status || target->old.st_mode == 0)
		return status ? status : check_new(copy);
	status = check_mount(target);
	return status ? status : check_sticky(target);
}

/* A full disk is noticed here, as far as statfs(2) tells, and not at the end of the copy. Root may
 * also use the space that is reserved for root. */
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
