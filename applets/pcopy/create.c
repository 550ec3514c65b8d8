/*
 * create.c - a new file, which is private until it is whole
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/xattr.h>
#include "pcopy.h"

/* Returns the permissions that a new file may have: those of the directory's default ACL (acl(5)),
 * or those that umask(2) leaves if there is no such ACL. The attribute begins with a version of 4
 * bytes. Each entry has 8 bytes: a tag and permissions of 2 bytes each, and an ID of 4, all little
 * endian (struct posix_acl_xattr_entry in linux/posix_acl_xattr.h). If there is a mask, it stands
 * for the group. Permissions are below 8, so 8 says that there is no mask. */
mode_t pcopy_allowed_mode(const struct target *target)
{
	enum { USER = 1, GROUP = 4, MASK = 16, OTHER = 32 };
	unsigned char acl[1024], perm[OTHER + 1] = { [MASK] = 8 };
	ssize_t n = fgetxattr(target->dir, "system.posix_acl_default", acl, sizeof(acl));
	mode_t mask;

	if (n < 4) {
		mask = umask(0);
		umask(mask);
		return ~mask;
	}
	for (ssize_t i = 4; i + 8 <= n; i += 8)
		if (acl[i] <= OTHER)
			perm[acl[i]] = acl[i + 2];
	return perm[USER] << 6 | (perm[MASK] < 8 ? perm[MASK] : perm[GROUP]) << 3 | perm[OTHER];
}

/* No other user may open the new file until it is whole, so its mode is 0600. At the end, a new DST
 * gets the mode of SRC, or 0666 for standard input, as far as the directory allows it. */
int pcopy_create(struct copy *copy, const char *name)
{
	const struct source *source = &copy->source;
	struct target *target = &copy->target;
	mode_t usual = source->fd == STDIN_FILENO ? 0666 : source->st.st_mode & 0777;
	int flags = name ? O_CREAT | O_EXCL | O_NOFOLLOW : O_TMPFILE;

	target->mode = usual & pcopy_allowed_mode(target);
	target->fd = openat(target->dir, name ? name : ".", flags | O_RDWR | O_CLOEXEC, 0600);
	target->written = name;
	return target->fd;
}

int pcopy_create_doomed(struct copy *copy, const char *name)
{
	int fd;

	pcopy_hold_signals();
	fd = pcopy_create(copy, name);
	if (fd >= 0)
		pcopy_doom(&copy->target, NULL);
	pcopy_let_signals();
	return fd;
}

/* The link is made through /proc, because AT_EMPTY_PATH can need a capability (link(2)). */
int pcopy_link_target(const struct target *target, const char *name)
{
	char self[64];

	scnprintf(self, sizeof(self), "/proc/self/fd/%d", target->fd);
	return linkat(AT_FDCWD, self, target->dir, name, AT_SYMLINK_FOLLOW);
}
