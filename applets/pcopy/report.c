/*
 * report.c - how far it is, and what was done
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* The length of the character at s, or 0 if it is not UTF-8: a JSON string must be (RFC 8259). */
static int utf8_length(const unsigned char *s)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int len = *s < 0x80 ? 1 : *s >> 5 == 6 ? 2 : *s >> 4 == 14 ? 3 : *s >> 3 == 30 ? 4 : 0;
	uint32_t c = *s & 0x7F >> len;

	for (int i = 1; i < len; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		c = c << 6 | (s[i] & 0x3F);
	}
	return len > 1 && (c < smallest[len] || c > 0x10FFFF || c >> 11 == 0x1B) ? 0 : len;
}

static void print_base64(const unsigned char *s, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		int more = MIN(len - i - 1, 2); /* the string ends with NUL: s[i + 1] is there */
		uint32_t bits = s[i] << 16 | s[i + 1] << 8 | (more == 2 ? s[i + 2] : 0);

		xprintf("%c%c%c%c", digits[bits >> 18], digits[bits >> 12 & 63],
			more ? digits[bits >> 6 & 63] : '=', more == 2 ? digits[bits & 63] : '=');
	}
}

/* "key":"string", or "key_b64" if it is not UTF-8. */
static void print_json(const char *key, const char *str)
{
	const unsigned char *s = (const unsigned char *)str;
	int len;

	while ((len = *s ? utf8_length(s) : 0) > 0)
		s += len;
	if (*s) {
		xprintf("\"%s_b64\":\"", key);
		print_base64((const unsigned char *)str, strlen(str));
	} else {
		xprintf("\"%s\":\"", key);
		for (; *str; str++)
			xprintf((unsigned char)*str < ' ' ? "\\u%04x" : *str == '"' || *str == '\\' ? "\\%c" : "%c",
				(unsigned char)*str);
	}
	xprintf("\",");
}

static uint64_t bytes_done(const struct job *job)
{
	uint64_t sum = 0;

	for (int i = 0; i < job->jobs; i++)
		sum += (uint64_t)__atomic_load_n(&job->shared->done[i], __ATOMIC_RELAXED) << DONE_SHIFT;
	return job->data && sum > (uint64_t)job->data ? (uint64_t)job->data : sum;
}

/* One line, as a write(2) of its own. On a terminal it takes the place of the last one. */
void show_progress(const struct job *job, enum progress how)
{
	uint64_t done = bytes_done(job), ms = (monotonic_ns() - job->start) / (NS_PER_S / 1000) + 1;
	uint64_t rate = done * 1000 / ms, total = job->data;
	unsigned percent = total ? done * 100 / total : 0;
	uint64_t left = total && rate ? (total - done) / rate : 0;
	char text[3][16], line[128];

	if (how == PROGRESS_JSON)
		snprintf(line, sizeof(line), "{\"bytes\":%" PRIu64 ",\"total\":%" PRIu64
			",\"percent\":%u,\"rate\":%" PRIu64 ",\"eta\":%" PRIu64 "}\n",
			done, total, percent, rate, left);
	else if (total)
		snprintf(line, sizeof(line), "%s of %s  %u%%  %s/s  %" PRIu64 " s left", human(text[0], done),
			human(text[1], total), percent, human(text[2], rate), left);
	else
		snprintf(line, sizeof(line), "%s  %s/s", human(text[0], done), human(text[2], rate));
	if (how == PROGRESS_BAR) {
		memmove(line + 1, line, strlen(line) + 1);
		line[0] = '\r';
		strcat(line, "\033[K");
	}
	if (how == PROGRESS_AUTO) /* SIGUSR1 */
		bb_error_msg("%s", line);
	else
		(void)full_write(STDERR_FILENO, line, strlen(line));
}

void report(const struct job *job)
{
	static const char *const synced[] = { "full", "data", "none" };
	const char *engine = engine_names[job->used];
	uint64_t ms = (monotonic_ns() - job->start) / (NS_PER_S / 1000);
	char size[16], crc[16] = "null";

	if (job->verbose)
		bb_error_msg("copied %s to '%s': engine %s, %d worker%s", human(size, job->size), job->dst,
			engine, job->jobs, job->jobs == 1 ? "" : "s");
	if (job->checksum) {
		xprintf("%08" PRIx32 " %jd ", job->crc, (intmax_t)job->size);
		for (const char *s = job->dst; *s; s++) /* one line, and nothing that a terminal obeys */
			xprintf("%c", iscntrl((unsigned char)*s) ? '?' : *s);
		xprintf("\n");
	}
	if (!job->json)
		return;
	if (job->crc_wanted)
		snprintf(crc, sizeof(crc), "\"%08" PRIx32 "\"", job->crc);
	xprintf("{");
	print_json("src", job->in == STDIN_FILENO ? "-" : job->src);
	print_json("dst", job->dst);
	xprintf("\"bytes\":%jd,\"data_bytes\":%jd,\"holes\":%" PRIu32 ",\"engine\":\"%s\",\"jobs\":%d,"
		"\"crc32\":%s,\"verified\":%s,\"synced\":\"%s\",\"sec\":%" PRIu64 ".%03u}\n",
		(intmax_t)job->size, (intmax_t)job->data, job->holes, engine, job->jobs, crc,
		job->verify ? "true" : "false", synced[job->sync], ms / 1000, (unsigned)(ms % 1000));
}
