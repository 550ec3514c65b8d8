/*
 * holes.c - find the data and the holes of a file, and hand them to the task
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* Returns the first offset from off on that has data (SEEK_DATA), or that is in a hole (SEEK_HOLE),
 * but at most end. ENXIO for SEEK_DATA means that no data are left (lseek(2)), or that SRC is
 * shorter now, which pcopy_check_source() reports. After any other error, everything up to end
 * counts as data. pcopy looks for a hole only where data begin. If there is a hole already,
 * SEEK_DATA has failed before, and everything up to end counts as data, too. */
static off_t seek(const struct source *source, off_t off, off_t end, int whence)
{
	off_t found = lseek(source->fd, off, whence);

	if (found < 0)
		return whence == SEEK_DATA && errno != ENXIO ? off : end;
	if (whence == SEEK_HOLE && found == off)
		return end;
	return MIN(found, end);
}

/* Returns the end of the data that begin at off. A tmpfs searches for this end page by page, so
 * w->data_end keeps it for the next chunk. */
static off_t end_of_data(struct worker *w, off_t off, off_t end)
{
	if (off >= w->data_end)
		w->data_end = seek(w->source, off, w->source->size, SEEK_HOLE);
	return MIN(w->data_end, end);
}

/* Does the steps of the task with all bytes from off to end. */
static int copy_data(struct worker *w, off_t off, off_t end)
{
	enum { STEP = 1 << 30 }; /* A ssize_t of 32 bits can hold it. */

	while (off < end) {
		ssize_t n = w->task->step(w, off, MIN(end - off, STEP));

		if (n < 0)
			return -1;
		pcopy_count_done(w, n);
		off += n;
	}
	return 0;
}

int pcopy_skip_hole(struct worker *w, off_t off, off_t len)
{
	(void)off;
	if (w->copy->plan.crc)
		w->crc = pcopy_crc_zeros(w->crc, len);
	return 0;
}

/* Makes a hole in DST. A new file has a hole wherever nothing is written. In old content, the hole
 * is punched (fallocate(2)). If this fails, the result is -1, and the caller writes zeros. */
int pcopy_hole(struct worker *w, off_t off, off_t len)
{
	enum { PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE };

	if (w->copy->plan.compare && fallocate(w->copy->target.fd, PUNCH, off, len) < 0)
		return -1;
	return pcopy_skip_hole(w, off, len);
}

int pcopy_range(struct worker *w, off_t off, off_t end)
{
	if (w->source->holes == 0)
		return copy_data(w, off, end);
	while (off < end) {
		off_t data = off < w->data_end ? off : seek(w->source, off, end, SEEK_DATA);

		if (data > off && w->task->hole(w, off, data - off) != 0
		    && copy_data(w, off, data) < 0)
			return -1;
		off = data < end ? end_of_data(w, data, end) : end;
		if (copy_data(w, data, off) < 0)
			return -1;
	}
	return 0;
}

int pcopy_next_data(const struct source *source, off_t *off, off_t *end)
{
	*off = seek(source, *off, source->size, SEEK_DATA);
	if (*off >= source->size)
		return 0;
	*end = seek(source, *off, source->size, SEEK_HOLE);
	return 1;
}

/* Counts the holes of SRC and the bytes of its data. A file that has a block for each of its bytes
 * has no holes, as cp(1) assumes, too. st_blocks counts units of 512 bytes (stat(2)). */
void pcopy_measure(struct source *source)
{
	off_t off = 0, end = 0, last = 0;

	source->data = source->size;
	if (!S_ISREG(source->st.st_mode)
	    || source->st.st_blocks >= source->size / 512 + (source->size % 512 != 0))
		return;
	for (source->data = 0; pcopy_next_data(source, &off, &end); off = last = end) {
		source->holes += off > last;
		source->data += end - off;
	}
	source->holes += last < source->size;
	/* The search has moved the offset, from which a file of sysfs is read as a stream. */
	(void)lseek(source->fd, 0, SEEK_SET);
}
