/*
 * libbb.c - libbb's own formatting, beside libc's; what gzip deflated, beside what it was
 *
 * SPDX-License-Identifier: 0BSD
 *
 *   libbb printf         scnprintf, xasprintf and snprintf give the same text
 *   libbb decimal N      the floats of N random bit patterns come back, as short as may be
 *   libbb inflate SIZE   stdin, a gzip file without a name, unpacked to SIZE bytes
 *   libbb malloc         blocks grow, shrink, and keep what is in them
 */
#include "mmapr.h"

int bb_sigpipe_was_ignored;
sigset_t bb_inherited_mask;

static int wrong;

static void differ(const char *what, const char *ours, const char *theirs)
{
	printf("# %s: '%s', expected '%s'\n", what, ours, theirs);
	wrong++;
}

#define SAME(...) do { \
	char ours[200], theirs[200], *all = xasprintf(__VA_ARGS__); \
	int len = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
	if ((int)scnprintf(ours, sizeof(ours), __VA_ARGS__) != len || strcmp(ours, theirs)) \
		differ(#__VA_ARGS__, ours, theirs); \
	if (strcmp(all, theirs)) \
		differ("xasprintf " #__VA_ARGS__, all, theirs); \
	scnprintf(ours, 5, __VA_ARGS__); \
	snprintf(theirs, 5, __VA_ARGS__); \
	if (strcmp(ours, theirs)) \
		differ("cut: " #__VA_ARGS__, ours, theirs); \
} while (0)

static void check_printf(void)
{
	static const long long values[] = { 0, 1, -1, 7, 10, -10, 99999, INT_MAX, INT_MIN, UINT_MAX,
		INT64_MAX, INT64_MIN };

	SAME("%s", "");
	SAME("plain %% text %s and %s", "one", "two");
	SAME("%8s|%-8s|%2s|%-2s|", "abc", "abc", "abc", "abc");
	SAME("%.*s|%.*s|%.*s", 2, "abc", 9, "abc", 0, "abc");
	SAME("%c%c|%c", 'a', 'b', '\n');
	SAME("%p", (void *)&wrong);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		long long v = values[i];

		SAME("%d %u %x %#x %o %#o", (int)v, (int)v, (int)v, (int)v, (int)v, (int)v);
		SAME("%ld %lu %lx %#lx", (long)v, (long)v, (long)v, (long)v);
		SAME("%lld %llu %llx %jd %ju", v, v, v, (intmax_t)v, (uintmax_t)v);
		SAME("%zu %zd", (size_t)v, (ssize_t)v);
		SAME("%6d|%-6d|%06d|%6u|%04ju|%08lx", (int)v, (int)v, (int)v, (int)v, (uintmax_t)v,
			(long)v);
		SAME("%02x%04x|%12lld|%-12lld|%020lld", (unsigned)v & 255, (unsigned)v, v, v, v);
	}
}

/* How many digits of a number are not zeros at its ends. */
static int digits(const char *s)
{
	int n = 0, last = 0;

	for (; *s && *s != 'e'; s++)
		if (isdigit((unsigned char)*s) && (n || *s != '0')) {
			n++;
			last = *s != '0' ? n : last;
		}
	return last;
}

static void check_decimal(long n)
{
	uint64_t bits = 88172645463325252ULL, again;
	char ours[32], theirs[64];

	for (; n; n--) {
		double d;
		int places = 0;

		bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17; /* xorshift */
		memcpy(&d, &bits, sizeof(d));
		if (n % 3 == 0)
			d = (double)(bits % 1000000) / 1000;
		if (d != d)
			continue;
		format_decimal(ours, sizeof(d), (memcpy(&again, &d, sizeof(d)), again));
		do
			snprintf(theirs, sizeof(theirs), "%.*g", ++places, d);
		while (strtod(theirs, NULL) != d);
		if (strtod(ours, NULL) != d || digits(ours) != digits(theirs))
			differ("double", ours, theirs);
		if (parse_decimal(theirs, sizeof(d), &again) || memcmp(&again, &d, sizeof(d)))
			differ("back from", theirs, ours);
	}
}

static void check_malloc(void)
{
	static const size_t sizes[] = { 1, 100, 5000, 4000, 1 << 20, 10 };
	char *p = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = xrealloc(p, sizes[i]);
		if (i && p[0] != 'x')
			differ("realloc", "lost", "kept");
		if ((uintptr_t)p % _Alignof(max_align_t))
			differ("realloc", "odd", "aligned");
		memset(p, 'x', sizes[i]);
	}
	free(p);
	free(NULL);
	if (realloc(NULL, SIZE_MAX - 8) || calloc(SIZE_MAX / 2, 3) || errno != ENOMEM)
		differ("too much", "given", "ENOMEM");
}

static void unpack(size_t size)
{
	uint8_t *deflated = xmalloc(size + 1024);
	char *text = xmalloc(size);

	full_read(STDIN_FILENO, deflated, size + 1024);
	inflate(text, deflated + 10);
	full_write(STDOUT_FILENO, text, size);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "printf") == 0)
		check_printf();
	else if (strcmp(what, "decimal") == 0)
		check_decimal(atol(argv[2]));
	else if (strcmp(what, "malloc") == 0)
		check_malloc();
	else
		unpack(atol(argv[2]));
	return wrong != 0;
}
