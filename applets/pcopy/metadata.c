/*
 * metadata.c - the mode, owner, times, attributes and flags of DST
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/xattr.h>
#include "pcopy.h"

static const char *const words[] = { "mode", "owner", "time", "xattr", "all" };
enum { MODE = 1, OWNER = 2, TIME = 4, XATTR = 8, ALL = 15 };
/* The names of all attributes take at most so many bytes, and so does a value (xattr(7)). */
enum { ATTRIBUTE_SIZE = 64 << 10 };
static char names[ATTRIBUTE_SIZE], value[ATTRIBUTE_SIZE], now[ATTRIBUTE_SIZE];

/* Takes the words of --preserve. What the user names must be preserved, or the copy fails. Without
 * words, and with "all", pcopy preserves as much as it can. */
void pcopy_parse_keep(struct request *request, const char *list)
{
	size_t len, i;

	request->keep.wanted = list ? 0 : MODE | OWNER | TIME;
	for (; list; list = list[len] ? list + len + 1 : NULL) {
		len = strcspn(list, ",");
		for (i = 0; i < ARRAY_SIZE(words); i++)
			if (strlen(words[i]) == len && memcmp(words[i], list, len) == 0)
				break;
		if (i == ARRAY_SIZE(words))
			bb_show_usage("invalid --preserve: '%s'", list);
		if (1 << i > ALL) {
			request->keep.wanted |= ALL;
		} else {
			request->keep.wanted |= 1 << i;
			request->keep.must |= 1 << i;
		}
	}
}

/* Returns the stat(2) of the file whose owner DST will have. If its st_mode is 0, the user who runs
 * pcopy will own DST. */
const struct stat *pcopy_future_owner(const struct copy *copy)
{
	return copy->request->keep.wanted & OWNER ? &copy->source.st : &copy->target.old;
}

/* Returns true if an old DST itself is written, and still has its metadata. */
static int is_inplace(const struct copy *copy)
{
	return copy->target.written == copy->target.base && copy->target.old.st_mode;
}

/* Reports, with errno, what DST could not take over from SRC. This is an error only if the user has
 * named it. */
static int complain(const struct copy *copy, int what, const char *word)
{
	int must = copy->request->keep.must & what;

	if (must || asked(copy->request, 'v'))
		bb_perror_msg("can't preserve the %s of '%s'", word, copy->source.name);
	return must ? EXIT_FAILURE : 0;
}

/* Reports, with errno, what the new file could not take over from the old DST. This is no error.
 * matters is true for the owner and the security label: they affect other users, so their loss is
 * reported even without --verbose. */
static void lost(const struct copy *copy, const char *what, int matters)
{
	if (matters || asked(copy->request, 'v'))
		bb_perror_msg("can't keep the %s of '%s'", what, copy->target.name);
}

/* Returns a name by which getxattr(2) finds the old DST. The name in /proc leads to the file that
 * was examined, even if another process has renamed it. fgetxattr(2) does not take target->found,
 * which is O_PATH (open(2)). */
static const char *old_name(const struct target *target, char self[64])
{
	scnprintf(self, 64, "/proc/self/fd/%d", target->found);
	return target->found >= 0 && access(self, F_OK) == 0 ? self : target->name;
}

/* Copies the ACL, which is part of the mode. The group bits of the mode are the ACL's mask
 * (acl(5)): alone, they would give the group every right that the ACL gives to any user or group.
 * If there is no ACL to copy, the one that the new file has got from its directory is removed. */
static int copy_acl(const struct copy *copy, const struct stat *like)
{
	static const char name[] = "system.posix_acl_access";
	char self[64];
	ssize_t size = like == &copy->source.st
		? fgetxattr(copy->source.fd, name, value, ATTRIBUTE_SIZE)
		: getxattr(old_name(&copy->target, self), name, value, ATTRIBUTE_SIZE);
	int status = 0;

	if (size < 0)
		(void)fremovexattr(copy->target.fd, name); /* It rarely has one. */
	else if (fsetxattr(copy->target.fd, name, value, size, 0) < 0)
		status = complain(copy, MODE, "ACL");
	return status;
}

/* Copies the attributes of SRC, except the ACLs ("system."), which belong to the mode. */
static int copy_xattrs(const struct copy *copy)
{
	ssize_t size, len = flistxattr(copy->source.fd, names, ATTRIBUTE_SIZE);
	int status = len < 0 ? complain(copy, XATTR, "attributes") : 0;

	for (char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
		if (strncmp(name, "system.", strlen("system.")) == 0)
			continue;
		size = fgetxattr(copy->source.fd, name, value, ATTRIBUTE_SIZE);
		if (size < 0 || fsetxattr(copy->target.fd, name, value, size, 0) < 0)
			status |= complain(copy, XATTR, name);
	}
	return status;
}

/* Returns true for an attribute that a write to the old DST would not change. At a write, the
 * kernel removes the capabilities, and computes the checksums of IMA and EVM anew. The ACL
 * ("system.") belongs to the mode. */
static int stays(const char *name)
{
	static const char *const gone[] = { "security.capability", "security.ima", "security.evm" };

	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		if (strcmp(name, gone[i]) == 0)
			return 0;
	return strncmp(name, "system.", strlen("system.")) != 0;
}

/* Copies the attributes of the old DST, such as the user's and the security label, to the new file.
 * If an attribute cannot be set, but has the right value already, because the directory has given
 * it to the new file, nothing is lost. */
static void keep_xattrs(const struct copy *copy)
{
	char self[64];
	const struct target *target = &copy->target;
	const char *old = old_name(target, self);
	ssize_t size, len = listxattr(old, names, ATTRIBUTE_SIZE);

	for (char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
		size = stays(name) ? getxattr(old, name, value, ATTRIBUTE_SIZE) : -1;
		if (size < 0 || fsetxattr(target->fd, name, value, size, 0) == 0
		    || (fgetxattr(target->fd, name, now, ATTRIBUTE_SIZE) == size
			    && memcmp(now, value, size) == 0))
			continue;
		lost(copy, name, strncmp(name, "security.", strlen("security.")) == 0);
	}
}

/* Gives the new file these flags of the old DST (ioctl_iflags(2)): compress, no dump, no access
 * time, do not compress, no copy on write. This happens before the first byte is written, because
 * the last flag is for empty files (chattr(1)). */
void pcopy_set_flags(const struct target *target)
{
	enum { KEPT = 0x4 | 0x40 | 0x80 | 0x400 | 0x800000 };
	int fd, flags = 0, new = 0;

	if (!target->old.st_mode || target->dir == AT_FDCWD || target->written == target->base)
		return;
	fd = pcopy_reopen(target, O_RDONLY | O_NONBLOCK);
	if (fd >= 0 && ioctl(fd, _IOR('f', 1, long), &flags) == 0 && flags & KEPT
	    && ioctl(target->fd, _IOR('f', 1, long), &new) == 0) {
		new |= flags & KEPT;
		(void)ioctl(target->fd, _IOW('f', 2, long), &new); /* A flag is only advice. */
	}
	close(fd);
}

/* Sets the owner and the group. Only a privileged process may change the owner, but each user may
 * give a file to a group of which the user is a member (chown(2)). */
static int set_owner(const struct target *target, const struct stat *owner)
{
	if (fchown(target->fd, owner->st_uid, owner->st_gid) == 0)
		return 0;
	if (fchown(target->fd, -1, owner->st_gid) == 0 && owner->st_uid == geteuid())
		return 0;
	errno = EPERM;
	return -1;
}

static int keep_owner(const struct copy *copy)
{
	const struct stat *owner = pcopy_future_owner(copy);
	int is_source = owner == &copy->source.st;

	if (!(is_source || (owner->st_mode && !is_inplace(copy)))
	    || set_owner(&copy->target, owner) == 0)
		return 0;
	if (is_source)
		return complain(copy, OWNER, "owner");
	lost(copy, "owner", 1);
	return 0;
}

/* Returns the stat(2) of the file whose mode DST will have. Its st_mode is 0 if DST is new. */
static const struct stat *mode_giver(const struct copy *copy)
{
	return copy->request->keep.wanted & MODE ? &copy->source.st : &copy->target.old;
}

mode_t pcopy_future_mode(const struct copy *copy)
{
	const struct stat *like = mode_giver(copy);

	return like->st_mode ? like->st_mode & 07777 : copy->target.mode;
}

/* Returns the mode for DST. The set-user-ID and set-group-ID bits give away the rights of the owner
 * and the group, so they stay only if DST has the same owner and group as the file whose mode it
 * gets. */
static mode_t final_mode(const struct copy *copy, const struct stat *like)
{
	struct stat st;
	mode_t mode = pcopy_future_mode(copy);

	if (like->st_mode == 0)
		return mode;
	if (fstat(copy->target.fd, &st) < 0 || st.st_uid != like->st_uid
	    || st.st_gid != like->st_gid)
		mode &= 01777;
	return mode;
}

static int set_mode(const struct copy *copy)
{
	const struct stat *like = mode_giver(copy);
	int status = 0;

	if (like == &copy->target.old && is_inplace(copy))
		return 0;
	if (like->st_mode)
		status = copy_acl(copy, like);
	if (status || fchmod(copy->target.fd, final_mode(copy, like)) == 0)
		return status;
	if (errno != EPERM && errno != EOPNOTSUPP) /* FAT stores no mode. */
		return pcopy_cannot("set the mode of", copy->target.name);
	return complain(copy, MODE, "mode");
}

/* Gives DST what --preserve takes over from SRC. Everything else stays as it was at the old DST. A
 * new file gets the mode of SRC as far as its directory allows it: see pcopy_create(). The owner is
 * set before the mode, because chown(2) clears the set-user-ID and set-group-ID bits. */
int pcopy_set_metadata(const struct copy *copy)
{
	const struct timespec times[] = { copy->source.st.st_atim, copy->source.st.st_mtim };
	int wanted = copy->request->keep.wanted, status;

	if (copy->target.dir == AT_FDCWD)
		return 0;
	if (copy->target.old.st_mode && !is_inplace(copy))
		keep_xattrs(copy);
	status = keep_owner(copy);
	if (!status && wanted & XATTR)
		status = copy_xattrs(copy);
	if (!status)
		status = set_mode(copy);
	if (!status && wanted & TIME && futimens(copy->target.fd, times) < 0)
		status = complain(copy, TIME, "time");
	return status;
}
