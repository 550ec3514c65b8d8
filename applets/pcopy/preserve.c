/*
 * preserve.c - the mode, owner, times and extended attributes of DST
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/xattr.h>
#include "pcopy.h"

static const char *const words[] = { "mode", "owner", "time", "xattr", "all" };
enum { MODE = 1, OWNER = 2, TIME = 4, XATTR = 8, ALL = 15 };

/* -p alone and "all" mean as much as possible; what is named must be done. */
void parse_preserve(struct job *job, const char *list)
{
	size_t len, i;

	job->preserve = list ? 0 : MODE | OWNER | TIME;
	for (; list; list = list[len] ? list + len + 1 : NULL) {
		len = strcspn(list, ",");
		for (i = 0; i < ARRAY_SIZE(words); i++)
			if (strlen(words[i]) == len && memcmp(words[i], list, len) == 0)
				break;
		if (i == ARRAY_SIZE(words))
			bb_show_usage("invalid --preserve: '%s'", list);
		if (1 << i > ALL) {
			job->preserve |= ALL;
		} else {
			job->preserve |= 1 << i;
			job->preserve_all |= 1 << i;
		}
	}
}

/* Whose DST will be; st_mode is 0: ours. */
const struct stat *future_owner(const struct job *job)
{
	return job->preserve & OWNER ? &job->from : &job->old;
}

static void complain(const struct job *job, int what, const char *word)
{
	if (job->preserve_all & what)
		bb_perror_msg_and_die("can't preserve the %s of '%s'", word, job->src);
	if (asked(job, 'v'))
		bb_perror_msg("can't preserve the %s of '%s'", word, job->src);
}

/* An ACL is part of the mode: without it, the group would get all that it lets anyone have
 * (acl(5)). One that the directory has given is not wanted. */
static void copy_acl(const struct job *job, const struct stat *like)
{
	static const char name[] = "system.posix_acl_access";
	ssize_t size = like == &job->from ? fgetxattr(job->in, name, job->buf, BUFFER_SIZE)
					  : getxattr(job->dst, name, job->buf, BUFFER_SIZE);

	if (size < 0)
		(void)fremovexattr(job->out, name); /* there is none, most of the time */
	else if (fsetxattr(job->out, name, job->buf, size, 0) < 0)
		complain(job, MODE, "ACL");
}

/* Names and values have at most 64 KiB (xattr(7)). */
static void copy_xattrs(const struct job *job)
{
	char *names = job->buf, *value = names + BUFFER_SIZE;
	ssize_t size, len = flistxattr(job->in, names, BUFFER_SIZE);

	if (len < 0)
		complain(job, XATTR, "attributes");
	for (char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
		if (strncmp(name, "system.", strlen("system.")) == 0)
			continue;
		size = fgetxattr(job->in, name, value, BUFFER_SIZE);
		if (size < 0 || fsetxattr(job->out, name, value, size, 0) < 0)
			complain(job, XATTR, name);
	}
}

/* Who may not give a file away can give it to a group of his. */
static int set_owner(const struct job *job, const struct stat *owner)
{
	if (fchown(job->out, owner->st_uid, owner->st_gid) == 0)
		return 0;
	(void)fchown(job->out, -1, owner->st_gid); /* as much as possible */
	return -1;
}

/* What is not preserved stays as it was. A new file gets the mode of SRC as far as the kernel
 * lets it when it is made. chown(2) clears the set-id bits, so that it comes first; they stay
 * only with the owner and the group that they would give away. */
void set_metadata(const struct job *job)
{
	const struct stat *owner = future_owner(job);
	const struct stat *like = job->preserve & MODE ? &job->from : &job->old;
	mode_t mode = job->mode;
	int inplace = job->name == job->base && job->old.st_mode;
	struct stat now;

	if ((owner == &job->from || (owner->st_mode && !inplace))
	    && set_owner(job, owner) < 0 && owner == &job->from)
		complain(job, OWNER, "owner");
	if (job->preserve & XATTR)
		copy_xattrs(job);
	if (like->st_mode && (like == &job->from || !inplace))
		copy_acl(job, like);
	if (like->st_mode) {
		mode = like->st_mode & 07777;
		if (fstat(job->out, &now) < 0 || now.st_uid != like->st_uid
			|| now.st_gid != like->st_gid)
			mode &= 01777;
	}
	if ((like == &job->from || !inplace) && fchmod(job->out, mode) < 0) {
		if (errno != EPERM && errno != EOPNOTSUPP) /* FAT, which has no modes */
			bb_perror_msg_and_die("can't set the mode of '%s'", job->dst);
		complain(job, MODE, "mode");
	}
	if (job->preserve & TIME
	    && futimens(job->out, (struct timespec[]){ job->from.st_atim, job->from.st_mtim }) < 0)
		complain(job, TIME, "time");
}
