/*
 * libbb.c - libbb's formatting, and the board's floats beside libc's; what gzip deflated
 *
 * SPDX-License-Identifier: 0BSD
 *
 *   libbb printf         scnprintf cuts; xasprintf is whole; stdout gets three lines of 100 KiB
 *   libbb decimal N      the floats of N random bit patterns come back, as short as may be
 *   libbb inflate SIZE   stdin, a gzip file without a name, unpacked to SIZE bytes
 */
#include "mmapr.h"

int bb_sigpipe_was_ignored, bb_sigxfsz_was_ignored;
sigset_t bb_inherited_mask;

static int wrong;

static void differ(const char *what, const char *ours, const char *theirs)
{
	printf("# %s: '%s', expected '%s'\n", what, ours, theirs);
	wrong++;
}

static void check_printf(void)
{
	char five[5], *all, *lines;
	size_t size = 100 * 1024; /* more than stdout's buffer holds */

	if (scnprintf(five, sizeof(five), "%s", "abcdef") != 4 || strcmp(five, "abcd"))
		differ("cut", five, "abcd");
	if (scnprintf(five, sizeof(five), "%d", 1234) != 4 || strcmp(five, "1234"))
		differ("filled", five, "1234");
	all = xasprintf("%.20s|%-4s|%05.1f", "precision", "ab", 2.25);
	if (strcmp(all, "precision|ab  |002.2"))
		differ("xasprintf", all, "precision|ab  |002.2");
	lines = memset(xmalloc(size + 1), 'x', size);
	lines[size] = '\0';
	for (int i = 0; i < 3; i++)
		xprintf("%d%s\n", i, lines);
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

static void check_one(unsigned size, double d)
{
	char ours[32], theirs[64];
	uint64_t bits = 0, again = 0;
	float f = d;
	int places = 0;

	memcpy(&bits, size == sizeof(f) ? (void *)&f : (void *)&d, size);
	board_format_decimal(ours, size, bits);
	do
		snprintf(theirs, sizeof(theirs), "%.*g", ++places, d);
	while (size == sizeof(f) ? strtof(theirs, NULL) != f : strtod(theirs, NULL) != d);
	if (digits(ours) != digits(theirs))
		differ(size == sizeof(f) ? "float" : "double", ours, theirs);
	if (board_parse_decimal(ours, size, &again) || again != bits)
		differ("back from", theirs, ours);
}

static void check_decimal(long n)
{
	uint64_t bits = 88172645463325252ULL;

	for (; n; n--) {
		double d;
		float f;

		bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17; /* xorshift */
		memcpy(&d, &bits, sizeof(d));
		memcpy(&f, &bits, sizeof(f));
		if (n % 3 == 0)
			f = d = (double)(bits % 1000000) / 1000;
		if (d == d)
			check_one(sizeof(d), d);
		if (f == f)
			check_one(sizeof(f), f);
	}
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
	else
		unpack(atol(argv[2]));
	return wrong != 0;
}
