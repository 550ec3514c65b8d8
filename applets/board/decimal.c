/*
 * decimal.c - turn decimal text into floats, and floats into the shortest such text
 *
 * SPDX-License-Identifier: 0BSD
 *
 * strtod(3) and "%g" do the arithmetic: both round exactly in musl and glibc. This file adds what
 * they leave open: it takes no spaces, no hexadecimal and no "infinity", and it prints as few
 * digits as possible.
 */
#include <float.h>
#include "board.h"

int board_is_decimal(const char *s)
{
	size_t before = strspn(s, "0123456789"), after = 0;

	s += before;
	if (*s == '.') {
		after = strspn(s + 1, "0123456789");
		s += 1 + after;
	}
	if (before + after == 0)
		return 0;
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '-' || *s == '+';
		before = strspn(s, "0123456789");
		s += before;
		if (!before)
			return 0;
	}
	return !*s;
}

/* Returns the value of the bits. A double can hold each float. */
static double value_of(unsigned size, uint64_t bits)
{
	uint32_t low = bits;
	double d;
	float f;

	memcpy(&d, &bits, sizeof(d));
	memcpy(&f, &low, sizeof(f));
	return size == sizeof(f) ? f : d;
}

static uint64_t bits_of(unsigned size, double value)
{
	uint64_t bits;
	uint32_t low;
	float f = value;

	memcpy(&bits, &value, sizeof(bits));
	memcpy(&low, &f, sizeof(low));
	return size == sizeof(f) ? low : bits;
}

const char *board_parse_decimal(const char *s, unsigned size, uint64_t *bits)
{
	const char *digits = s + (*s == '-');
	int named = strcmp(digits, "inf") == 0 || strcmp(digits, "nan") == 0;
	double value;

	if (!named && !board_is_decimal(digits))
		return "invalid";
	value = size == sizeof(float) ? strtof(s, NULL) : strtod(s, NULL);
	if (!named && (value > DBL_MAX || value < -DBL_MAX))
		return "out of range";
	*bits = bits_of(size, value);
	return NULL;
}

/* A decimal number of DBL_DIG digits (FLT_DIG for a float) survives the way to binary and back
 * (C11, 5.2.4.2.2), so the search for the shortest text begins with that many. Subnormal numbers
 * have fewer bits, so there it begins with one. */
void board_format_decimal(char text[32], unsigned size, uint64_t bits)
{
	int is_float = size == sizeof(float);
	int digits = is_float ? FLT_DIG : DBL_DIG;
	double value = value_of(size, bits), least = is_float ? FLT_MIN : DBL_MIN;
	uint64_t again;

	if (value > -least && value < least && value != 0)
		digits = 1;
	do
		scnprintf(text, 32, "%.*g", digits++, value);
	while (value == value && (board_parse_decimal(text, size, &again) || again != bits));
}
