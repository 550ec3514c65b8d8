/*
 * temporary.c - the file that is written until it is whole
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/file.h>
#include "pcopy.h"

/* Returns true if the new file has no name, but can get one later. To find this out, the first file
 * on a file system is linked to the name ".", which exists: EEXIST means that /proc leads to the
 * file, and that only the name was refused. */
static int create_nameless(struct copy *copy)
{
	static dev_t known;

	if (pcopy_create(copy, NULL) < 0)
		return 0;
	if (known == copy->target.parent.st_dev
	    || (pcopy_link_target(&copy->target, ".") < 0 && errno == EEXIST)) {
		known = copy->target.parent.st_dev;
		return 1;
	}
	close(copy->target.fd);
	return 0;
}

/* Returns true if the new file has this name and is locked. pcopy_remove_stale() of another pcopy
 * can lock the file first, and removes it: then flock(2) fails, or st_nlink is 0. */
static int create_locked(struct copy *copy, const char *name)
{
	struct stat st;

	if (pcopy_create_doomed(copy, name) < 0)
		return 0;
	if (flock(copy->target.fd, LOCK_EX | LOCK_NB) == 0 && fstat(copy->target.fd, &st) == 0
	    && st.st_nlink)
		return 1;
	pcopy_drop(&copy->target);
	close(copy->target.fd);
	return 0;
}

static int create_numbered(struct copy *copy)
{
	for (int i = 0; i < NAMED; i++)
		if (create_locked(copy, pcopy_numbered_name(&copy->target, i)))
			return 1;
	return 0;
}

static int create_random(struct copy *copy)
{
	int tries = 100;

	while (pcopy_create_doomed(copy, pcopy_random_name()) < 0)
		if (errno != EEXIST || --tries == 0)
			return 0;
	return 1;
}

int pcopy_open_temporary(struct copy *copy)
{
	struct target *target = &copy->target;
	int real_locks = pcopy_has_real_locks(target);

	for (int i = 0; real_locks && i < NAMED; i++) {
		char *name = pcopy_numbered_name(target, i);

		pcopy_remove_stale(target->dir, name);
		free(name);
	}
	if (create_nameless(copy))
		return 0;
	if (pcopy_check_rename(target))
		return EXIT_FAILURE;
	if ((real_locks && create_numbered(copy)) || create_random(copy))
		return 0;
	bb_perror_msg("can't create a temporary file beside '%s'%s", target->name,
		target->old.st_mode ? " (--inplace needs none)" : "");
	return EXIT_FAILURE;
}
