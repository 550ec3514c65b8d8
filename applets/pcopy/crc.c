/*
 * crc.c - the CRC-32 of two parts, or of a run of zeros, without their bytes
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "pcopy.h"

/* Returns a times b. A CRC is the remainder of a division of polynomials over GF(2), here by that
 * of libbb/crc32.c. Each zero byte that follows multiplies the remainder by x^8. In the reflected
 * form, bit 31 is x^0 and bit 0 is x^31. */
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

/* Returns x^(8n), by which n zero bytes multiply a remainder. Repeated squaring takes at most 64
 * rounds. */
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

/* A CRC-32 is stored with all bits inverted (IEEE 802.3), so they are inverted before the
 * multiplication, and again after it. */
uint32_t pcopy_crc_zeros(uint32_t crc, uint64_t n)
{
	return ~multiply(shift(n), ~crc);
}

/* Here nothing is inverted: the inversions of the two parts cancel each other out. */
uint32_t pcopy_crc_combine(uint32_t first, uint32_t second, uint64_t len)
{
	return multiply(shift(len), first) ^ second;
}
