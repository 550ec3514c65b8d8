/*
 * shortest.c - a float as the shortest decimal that stands for it
 *
 * SPDX-License-Identifier: 0BSD
 *
 * A mantissa times 2^-k is the mantissa times 5^k, with the point k digits to the left: an
 * integer that has all the digits there are. Printed are as many, rounded, as it takes to
 * read the same bits again.
 */
#include "mmapr.h"

/* The digits without zeros at the end, ended by a NUL; returns the power of ten of the
 * first one. */
static int exact_digits(uint64_t bits, unsigned size, char digits[BIG_DIGITS])
{
	int stored = size == 8 ? 52 : 23, exponent = bits >> stored, power = 0;
	uint64_t mantissa = bits & ((1ULL << stored) - 1);
	struct big b = { .n = 2 };
	char *end = digits + BIG_DIGITS, *at = end;

	if (exponent--)
		mantissa |= 1ULL << stored;
	else
		exponent = 0;
	b.w[0] = mantissa;
	b.w[1] = mantissa >> 32;
	for (exponent -= size == 8 ? 1074 : 149; exponent > 0; exponent--)
		big_multiply_add(&b, 2, 0);
	for (; exponent < 0; exponent++, power--)
		big_multiply_add(&b, 5, 0);
	while (b.n)
		*--at = '0' + big_divide(&b, 10);
	power += (int)(end - at) - 1;
	while (end[-1] == '0')
		end--;
	memmove(digits, at, end - at);
	digits[end - at] = '\0';
	return power;
}

/* One more in the last of n digits; true if that makes them 1000..., ten times as much. */
static int carry(char *digits, int n)
{
	while (n && digits[n - 1] == '9')
		digits[--n] = '0';
	if (n)
		digits[n - 1]++;
	else
		*digits = '1';
	return !n;
}

/* n digits, the first of them worth 10^power, as printf's %g has them: with an exponent
 * where it is shorter, and without zeros at the end. */
static void write_decimal(char *text, const char *digits, int n, int power, int widest)
{
	int fixed = power >= -4 && power < widest, point = fixed ? power : 0;

	while (n > 1 && digits[n - 1] == '0')
		n--;
	for (int i = point < 0 ? point : 0; i < n || i <= point; i++) {
		*text++ = i >= 0 && i < n ? digits[i] : '0';
		if (i == point && i + 1 < n)
			*text++ = '.';
	}
	*text = '\0';
	if (!fixed)
		scnprintf(text, 6, "e%c%02d", power < 0 ? '-' : '+', abs(power));
}

void format_decimal(char *text, unsigned size, uint64_t bits)
{
	uint64_t again, sign = 1ULL << (8 * size - 1);
	uint64_t infinity = size == 8 ? 0x7FFULL << 52 : 0xFFULL << 23;
	char all[BIG_DIGITS], digits[BIG_DIGITS];
	int usual = size == 8 ? 15 : 6; /* digits that each number can have */
	int power, n = 0;

	if (bits & sign) {
		*text++ = '-';
		bits &= ~sign;
	}
	if (bits >= infinity || !bits) {
		strcpy(text, !bits ? "0" : bits == infinity ? "inf" : "nan");
		return;
	}
	power = exact_digits(bits, size, all);
	do {
		int tens = power;

		strcpy(digits, all);
		if (all[n])
			n++;
		if (all[n] > '5' || (all[n] == '5' && (all[n + 1] || all[n - 1] & 1)))
			tens += carry(digits, n);
		write_decimal(text, digits, n, tens, n > usual ? n : usual);
	} while (parse_decimal(text, size, &again) || again != bits);
}
