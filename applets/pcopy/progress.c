/*
 * progress.c - print how far a copy is, and what it has done
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

struct state {
	uint64_t done, total, rate, left;	/* bytes, bytes, bytes a second, seconds */
	unsigned percent;
	int is_known;	/* true: the total is known */
};

static struct state observe(const struct copy *copy)
{
	struct state s = { .done = pcopy_bytes_done(copy), .total = copy->source.data };
	uint64_t ms = (monotonic_ns() - copy->plan.start) / (NS_PER_S / 1000) + 1;

	s.is_known = copy->source.data != 0;
	if (s.is_known && s.done > s.total)
		s.done = s.total; /* Bytes of holes were copied, too. */
	s.rate = s.done * 1000 / ms;
	s.percent = s.total ? s.done * 100 / s.total : 100;
	s.left = s.rate && s.is_known ? (s.total - s.done) / s.rate : 0;
	return s;
}

/* Returns the width of the terminal, but at most so many columns. A terminal that does not know its
 * width gets 80 columns. */
static int columns(int most)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return 80;
	return MIN(size.ws_col, most);
}

/* Adds part to line, and returns true, if the line still has fewer than width columns then. */
static int add_part(char *line, int width, const char *part)
{
	if (strlen(line) + strlen(part) >= (size_t)width)
		return 0;
	strcat(line, part);
	return 1;
}

static void add_bar(char *line, int width, unsigned percent)
{
	enum { LEAST = 10, MOST = 60 };
	int room = width - 5 - (int)strlen(line), full;
	char bar[MOST + 8] = "  [";

	room = MIN(room, MOST);
	if (room < LEAST)
		return;
	full = (int)percent * room / 100;
	for (int i = 0; i < room; i++)
		bar[3 + i] = i < full ? '=' : ' ';
	if (full && percent < 100)
		bar[2 + full] = '>';
	bar[3 + room] = ']';
	add_part(line, width, bar);
}

/* Adds as many parts as fit. If the first one does not, the percentage stands alone. */
static void describe(const struct state *s, char *line, int width)
{
	char part[3][48], text[2][16], percent[16] = "";
	int n = 0, i = 0;

	line[0] = '\0';
	if (s->is_known)
		scnprintf(percent, sizeof(percent), "%u%%", s->percent);
	scnprintf(part[n++], sizeof(part[0]), s->is_known ? "%s of %s  %s" : "%s",
		pcopy_human(text[0], s->done), pcopy_human(text[1], s->total), percent);
	scnprintf(part[n++], sizeof(part[0]), "  %s/s", pcopy_human(text[0], s->rate));
	if (s->is_known)
		scnprintf(part[n++], sizeof(part[0]), "  %" PRIu64 " s left", s->left);
	while (i < n && add_part(line, width, part[i]))
		i++;
	if (i == 0)
		add_part(line, width, percent);
}

static void print_state(const struct state *s)
{
	char line[192], total[64] = "\"total\":null,\"percent\":null", eta[32] = "null";

	if (s->is_known)
		scnprintf(total, sizeof(total), "\"total\":%" PRIu64 ",\"percent\":%u", s->total,
			s->percent);
	if (s->is_known && (s->rate || s->done == s->total))
		scnprintf(eta, sizeof(eta), "%" PRIu64, s->left);
	scnprintf(line, sizeof(line),
		"{\"bytes\":%" PRIu64 ",%s,\"rate\":%" PRIu64 ",\"eta\":%s}\n", s->done, total,
		s->rate, eta);
	(void)full_write(STDERR_FILENO, line, strlen(line));
}

/* Prints one line with one write(2), so that other output does not get into it. On a terminal it
 * replaces the line before: \r goes to the start of the line, and \033[K clears the rest of it
 * (console_codes(4)). */
void pcopy_show_progress(const struct copy *copy, enum progress how)
{
	struct state s = observe(copy);
	char text[256], line[sizeof(text) + 8];
	int most = sizeof(text), width = how == PROGRESS_BAR ? columns(most) : most;

	if (how == PROGRESS_JSON) {
		print_state(&s);
		return;
	}
	describe(&s, text, width);
	if (how == PROGRESS_AUTO) { /* A signal has asked for it: SIGUSR1. */
		bb_error_msg("%s", text);
		return;
	}
	if (s.is_known)
		add_bar(text, width, s.percent);
	scnprintf(line, sizeof(line), "\r%s\033[K", text);
	(void)full_write(STDERR_FILENO, line, strlen(line));
}

static void print_record(const struct copy *copy)
{
	const struct request *request = copy->request;
	uint64_t ms = (monotonic_ns() - copy->plan.start) / (NS_PER_S / 1000);
	char crc[16], seconds[32];

	scnprintf(crc, sizeof(crc), "%08" PRIx32, copy->crc);
	scnprintf(seconds, sizeof(seconds), "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
	record_begin(JSON);
	record_string("src", copy->source.fd == STDIN_FILENO ? "-" : copy->source.name);
	record_string("dst", copy->target.name);
	record_number("bytes", copy->source.size);
	record_number("data_bytes", copy->source.data);
	if (copy->plan.compare)
		record_number("saved_bytes", copy->saved);
	record_number("holes", copy->source.holes);
	record_string("engine", request->compare ? "compare" : pcopy_engines[copy->plan.engine]);
	record_number("jobs", copy->plan.jobs);
	if (copy->plan.crc)
		record_string("crc32", crc);
	else
		record_literal("crc32", "null");
	record_literal("verified", asked(request, 'y') ? "true" : "false");
	record_string("synced", pcopy_syncs[request->sync]);
	record_literal("sec", seconds);
	record_end();
}

static void say_result(const struct copy *copy)
{
	const char *engine = pcopy_engines[copy->plan.engine];
	int jobs = copy->plan.jobs;
	char size[16];

	if (copy->request->compare) {
		bb_error_msg("%s of '%s' and '%s' are the same",
			pcopy_human(size, copy->source.size), copy->source.name, copy->target.name);
		return;
	}
	bb_error_msg("copied %s to '%s': engine %s, %d worker%s",
		pcopy_human(size, copy->source.size), copy->target.name, engine, jobs,
		jobs == 1 ? "" : "s");
	if (copy->plan.compare)
		bb_error_msg("%s of '%s' were there already", pcopy_human(size, copy->saved),
			copy->target.name);
}

void pcopy_report(const struct copy *copy)
{
	if (asked(copy->request, 'v'))
		say_result(copy);
	if (asked(copy->request, 'c') && !asked(copy->request, 'J')) {
		xprintf("%08" PRIx32 " %jd ", copy->crc, (intmax_t)copy->source.size);
		print_text(copy->target.name, strlen(copy->target.name), NO_RECORD);
		xprintf("\n");
	}
	if (asked(copy->request, 'J'))
		print_record(copy);
}
