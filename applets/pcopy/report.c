/*
 * report.c - how far it is, and what was done
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

static uint64_t bytes_done(const struct job *job)
{
	uint64_t sum = 0;

	for (int i = 0; i < job->jobs; i++)
		sum += (uint64_t)__atomic_load_n(&job->shared->done[i], __ATOMIC_RELAXED)
			<< DONE_SHIFT;
	return job->data && sum > (uint64_t)job->data ? (uint64_t)job->data : sum;
}

/* One line, as a write(2) of its own. On a terminal it takes the place of the last one. */
void show_progress(const struct job *job, enum progress how)
{
	uint64_t done = bytes_done(job), ms = (monotonic_ns() - job->start) / (NS_PER_S / 1000) + 1;
	uint64_t rate = done * 1000 / ms, total = job->data;
	unsigned percent = total ? done * 100 / total : 0;
	uint64_t left = total && rate ? (total - done) / rate : 0;
	const char *before = how == PROGRESS_BAR ? "\r" : "";
	const char *after = how == PROGRESS_BAR ? "\033[K" : "";
	char text[3][16], line[128];

	if (how == PROGRESS_JSON)
		scnprintf(line, sizeof(line), "{\"bytes\":%" PRIu64 ",\"total\":%" PRIu64
			",\"percent\":%u,\"rate\":%" PRIu64 ",\"eta\":%" PRIu64 "}\n",
			done, total, percent, rate, left);
	else if (total)
		scnprintf(line, sizeof(line), "%s%s of %s  %u%%  %s/s  %" PRIu64 " s left%s",
			before, human(text[0], done), human(text[1], total), percent,
			human(text[2], rate), left, after);
	else
		scnprintf(line, sizeof(line), "%s%s  %s/s%s", before, human(text[0], done),
			human(text[2], rate), after);
	if (how == PROGRESS_AUTO) /* SIGUSR1 */
		bb_error_msg("%s", line);
	else
		(void)full_write(STDERR_FILENO, line, strlen(line));
}

static void print_json(const struct job *job)
{
	uint64_t ms = (monotonic_ns() - job->start) / (NS_PER_S / 1000);
	char crc[16], seconds[32];

	scnprintf(crc, sizeof(crc), "%08" PRIx32, job->crc);
	scnprintf(seconds, sizeof(seconds), "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
	record_begin(JSON);
	record_string("src", job->in == STDIN_FILENO ? "-" : job->src);
	record_string("dst", job->dst);
	record_number("bytes", job->size);
	record_number("data_bytes", job->data);
	if (job->compare)
		record_number("saved_bytes", job->saved);
	record_number("holes", job->holes);
	record_string("engine", engine_names[job->engine]);
	record_number("jobs", job->jobs);
	if (job->crc_wanted)
		record_string("crc32", crc);
	else
		record_literal("crc32", "null");
	record_literal("verified", asked(job, 'y') ? "true" : "false");
	record_string("synced", sync_names[job->sync]);
	record_literal("sec", seconds);
	record_end();
}

void report(const struct job *job)
{
	char size[16];

	if (asked(job, 'v'))
		bb_error_msg("copied %s to '%s': engine %s, %d worker%s", human(size, job->size),
			job->dst, engine_names[job->engine], job->jobs, job->jobs == 1 ? "" : "s");
	if (asked(job, 'v') && job->compare)
		bb_error_msg("%s of '%s' were there already", human(size, job->saved), job->dst);
	if (asked(job, 'c') && !asked(job, 'J')) {
		xprintf("%08" PRIx32 " %jd ", job->crc, (intmax_t)job->size);
		print_text(job->dst, strlen(job->dst), NO_RECORD);
		xprintf("\n");
	}
	if (asked(job, 'J'))
		print_json(job);
}
