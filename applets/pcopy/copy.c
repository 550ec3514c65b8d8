/*
 * copy.c - the parts of a file that an engine copies: data, not holes; or a stream
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* The first byte at or after off that is data, or in a hole; end if that is sooner. What
 * cannot tell (lseek(2): EINVAL) has no holes. ENXIO is no data, or no file, from here on:
 * the latter shows when SRC is looked at again. No hole begins where data do, unless those
 * were not found. */
static off_t seek(const struct job *job, off_t off, off_t end, int whence)
{
	off_t found = lseek(job->in, off, whence);

	if (found < 0)
		return whence == SEEK_DATA && errno != ENXIO ? off : end;
	if (whence == SEEK_HOLE && found == off)
		return end;
	return MIN(found, end);
}

/* The end of the data that begin at off; on a tmpfs it is searched for page by page, so that
 * it is remembered for the next chunk. */
static off_t end_of_data(struct job *job, off_t off, off_t end)
{
	if (off >= job->data_end)
		job->data_end = seek(job, off, job->size, SEEK_HOLE);
	return MIN(job->data_end, end);
}

int copy_range(struct job *job, off_t off, off_t end)
{
	enum { PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE };

	if (job->holes == 0)
		return copy_data(job, off, end);
	while (off < end) {
		off_t data = off < job->data_end ? off : seek(job, off, end, SEEK_DATA);

		if (job->compare && data > off && fallocate(job->out, PUNCH, off, data - off) < 0) {
			if (copy_data(job, off, data) < 0) /* zeros, written where there are none */
				return -1;
		} else if (job->crc_wanted) {
			job->crc = crc32_zeros(job->crc, data - off);
		}
		off = data < end ? end_of_data(job, data, end) : end;
		if (copy_data(job, data, off) < 0)
			return -1;
	}
	return 0;
}

/* What begins now is done when fsync asks; an error shows there. */
void begin_writeback(const struct job *job, off_t off, off_t end)
{
	if (job->sync != SYNC_NONE && !job->verifying)
		(void)sync_file_range(job->out, off, end - off, SYNC_FILE_RANGE_WRITE);
}

/* Sources that have content but no size, as in /proc, and those that can't seek. */
int copy_stream(struct job *job)
{
	off_t off = 0, begun = 0;
	ssize_t n;

	while ((n = read(job->in, job->buf, job->step)) != 0) {
		if (n < 0 && again(job->in, POLLIN))
			continue;
		if (n < 0)
			return give_up(job, "read", job->src);
		if (job->crc_wanted)
			job->crc = crc32(job->crc, job->buf, n);
		if (put(job, n, off) < 0)
			return -1;
		off += n;
		count_done(job, n);
		if (off - begun >= job->chunk) {
			begin_writeback(job, begun, off);
			begun = off;
		}
	}
	if (job->seekable && !S_ISBLK(job->old.st_mode) && ftruncate(job->out, off) < 0)
		return give_up(job, "set the size of", job->dst);
	job->shared->streamed = off;
	job->shared->crc[0] = job->crc;
	return 0;
}

int next_data(const struct job *job, off_t *off, off_t *end)
{
	*off = seek(job, *off, job->size, SEEK_DATA);
	if (*off >= job->size)
		return 0;
	*end = seek(job, *off, job->size, SEEK_HOLE);
	return 1;
}

/* The data and the holes of SRC. No file has holes that has all its blocks, unless some
 * hold no data; cp thinks so too. */
void measure_data(struct job *job)
{
	off_t off = 0, end = 0, last = 0;

	job->data = job->size;
	if (!S_ISREG(job->from.st_mode) || job->sparse == NEVER
	    || job->from.st_blocks >= job->size / 512 + (job->size % 512 != 0))
		return;
	for (job->data = 0; next_data(job, &off, &end); off = last = end) {
		job->holes += off > last;
		job->data += end - off;
	}
	job->holes += last < job->size;
	(void)lseek(job->in, 0, SEEK_SET); /* it could be here; sysfs is read as a stream */
}
