/*
 * crc.c - CRC-32 of slices: joined, and of runs of zeros
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* A CRC is a remainder of polynomials over GF(2). Each byte that follows multiplies it by x^8. In
 * the reflected form, bit 31 is x^0 and bit 0 is x^31. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (uint32_t bit = 1U << 31; bit; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b >> 1 ^ (b & 1 ? 0xEDB88320 : 0);
	}
	return product;
}

/* Returns x^(8n), by squaring. */
static uint32_t shift(uint64_t n)
{
	uint32_t power = 1U << 31, square = 1U << 23;

	for (; n; n >>= 1) {
		if (n & 1)
			power = multiply(power, square);
		square = multiply(square, square);
	}
	return power;
}

uint32_t pcopy_crc_zeros(uint32_t crc, uint64_t n)
{
	return ~multiply(shift(n), ~crc);
}

uint32_t pcopy_crc_combine(uint32_t first, uint32_t second, uint64_t len)
{
	return multiply(shift(len), first) ^ second;
}
