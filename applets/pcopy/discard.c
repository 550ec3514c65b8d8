/*
 * discard.c - what pcopy removes when it ends, or keeps under another name
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* When pcopy ends, by exit(3) or by a signal, it removes each doomed file, or gives it the name
 * kept. It does so only if the name still leads to the file with this inode. */
static struct doomed {
	int dir;
	const char *name;
	const char *kept;	/* NULL for a file that is removed */
	struct stat st;
} *doomed;
static int dooms;

static void discard_one(const struct doomed *d)
{
	struct stat now;

	if (pcopy_stat_name(d->dir, d->name, &now) < 0 || !same_inode(&now, &d->st))
		return;
	if (!d->kept || renameat(d->dir, d->name, d->dir, d->kept) < 0)
		(void)unlinkat(d->dir, d->name, 0); /* If this fails, the file stays. */
}

void pcopy_discard(void)
{
	pcopy_hold_signals();
	while (dooms > 0)
		discard_one(&doomed[--dooms]);
}

void pcopy_doom(const struct target *target, const char *kept)
{
	struct doomed *d;

	pcopy_catch_signals();
	doomed = xrealloc(doomed, (dooms + 1) * sizeof(*doomed));
	d = &doomed[dooms];
	d->dir = target->dir;
	d->name = target->written;
	d->kept = kept;
	if (fstat(target->fd, &d->st) == 0)
		dooms++;
}

static void end_doom(const struct target *target, int spare)
{
	int was_held = pcopy_hold_signals();

	for (int i = dooms - 1; i >= 0; i--) {
		if (doomed[i].dir != target->dir || doomed[i].name != target->written)
			continue;
		if (!spare)
			discard_one(&doomed[i]);
		doomed[i] = doomed[--dooms];
	}
	if (!was_held)
		pcopy_let_signals();
}

void pcopy_spare(const struct target *target)
{
	end_doom(target, 1);
}

void pcopy_drop(const struct target *target)
{
	end_doom(target, 0);
}
