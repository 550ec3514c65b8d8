/*
 * decimal.c - a decimal number to the bits of the nearest IEEE 754 float
 *
 * SPDX-License-Identifier: 0BSD
 *
 * Exact integer arithmetic, to nearest, ties to even, so that it neither depends on the
 * machine's floating point nor needs strtod's long double (6 KB of musl, more without
 * hardware). The digits become a large integer; a power of ten multiplies it, or divides
 * it after a shift that leaves more than 64 bits; its top bits are the mantissa.
 */
#include "board.h"

void big_multiply_add(struct big *b, uint32_t factor, uint32_t carry)
{
	for (int i = 0; i < b->n || carry; i++) {
		uint64_t product = (uint64_t)(i < b->n ? b->w[i] : 0) * factor + carry;

		b->w[i] = product;
		carry = product >> 32;
		if (i == b->n)
			b->n++;
	}
}

uint32_t big_divide(struct big *b, uint32_t divisor)
{
	uint64_t rest = 0;

	for (int i = b->n - 1; i >= 0; i--) {
		rest = rest << 32 | b->w[i];
		b->w[i] = rest / divisor;
		rest %= divisor;
	}
	while (b->n && !b->w[b->n - 1])
		b->n--;
	return rest;
}

/* Digits with at most one point; returns what follows, or NULL if there is no digit. */
static const char *read_digits(const char *s, struct big *b, int *exponent, int *rest)
{
	int digits = 0, point = 0, seen = 0;

	for (; isdigit((unsigned char)*s) || (*s == '.' && !point); s++) {
		if (*s == '.') {
			point = 1;
			continue;
		}
		seen = 1;
		if (digits < BIG_DIGITS) {
			big_multiply_add(b, 10, *s - '0');
			digits += b->n != 0;
			*exponent -= point;
		} else {
			*rest |= *s != '0';
			*exponent += !point;
		}
	}
	return seen ? s : NULL;
}

/* b times 10^exponent is b times 2^(the result), and the rest. */
static int scale(struct big *b, int exponent, int *rest)
{
	int shift = exponent < 0 ? -exponent / 9 + 4 : 0;

	memmove(b->w + shift, b->w, b->n * sizeof(*b->w));
	memset(b->w, 0, shift * sizeof(*b->w));
	b->n += shift;
	for (; exponent > 0; exponent--)
		big_multiply_add(b, 10, 0);
	for (; exponent < 0; exponent++)
		*rest |= big_divide(b, 10) != 0;
	return -32 * shift;
}

static int bit(const struct big *b, int i)
{
	return i >= 0 && b->w[i / 32] >> i % 32 & 1;
}

/* b times 2^exponent, and more if rest: the bits that stand for it, lowest the exponent of
 * the smallest number there is. A mantissa that rounds up to 2^precision carries into the
 * exponent, as it must. */
static uint64_t round_bits(const struct big *b, int exponent, int rest, int precision, int lowest)
{
	int length = b->n ? 32 * b->n - __builtin_clz(b->w[b->n - 1]) : 0;
	int last = length + exponent - precision;
	uint64_t mantissa = 0;
	int shift;

	if (last < lowest)
		last = lowest;
	shift = last - exponent;
	for (int i = length - 1; i >= shift; i--)
		mantissa = mantissa << 1 | bit(b, i);
	for (int i = shift - 2; i >= 0 && !rest; i--)
		rest = bit(b, i);
	mantissa += bit(b, shift - 1) && (rest || mantissa & 1);
	return mantissa + ((uint64_t)(last - lowest) << (precision - 1));
}

const char *parse_decimal(const char *s, unsigned size, uint64_t *bits)
{
	int precision = size == 8 ? 53 : 24, lowest = size == 8 ? -1074 : -149;
	int negative = *s == '-', exponent = 0, rest = 0;
	uint64_t infinity = (size == 8 ? 0x7FFULL : 0xFF) << (precision - 1), sign;
	struct big b = { .n = 0 };
	const char *end;

	sign = (uint64_t)negative << (8 * size - 1);
	s += negative;
	*bits = sign | infinity;
	if (strcmp(s, "inf") == 0)
		return NULL;
	*bits = sign | infinity | 1ULL << (precision - 2);
	if (strcmp(s, "nan") == 0)
		return NULL;
	end = read_digits(s, &b, &exponent, &rest);
	if (end && (*end == 'e' || *end == 'E')) {
		int minus = *++end == '-';
		int power = 0;

		end += minus || *end == '+';
		if (!isdigit((unsigned char)*end))
			return "invalid";
		for (; isdigit((unsigned char)*end); end++)
			power = power < 10000 ? 10 * power + (*end - '0') : power;
		exponent += minus ? -power : power;
	}
	if (!end || *end)
		return "invalid";
	*bits = 0;
	if (exponent > 310 && b.n)
		return "out of range";
	if (exponent >= -BIG_DIGITS - 340 && b.n) {
		exponent = scale(&b, exponent, &rest);
		*bits = round_bits(&b, exponent, rest, precision, lowest);
	}
	if (*bits >= infinity)
		return "out of range";
	*bits |= sign;
	return NULL;
}
