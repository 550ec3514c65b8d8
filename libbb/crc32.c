/*
 * crc32.c - CRC-32 (IEEE 802.3: reflected, polynomial 04C11DB7), as zlib and cksum -a crc32b
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

/* The table has one row for each byte position. Sixteen lookups that do not wait for each other
 * advance sixteen bytes ("slicing", M. Kounavis and F. Berry, 2005). table[k][b] is the CRC of byte
 * b followed by k zero bytes. */
static uint32_t table[16][256];

static void make_table(void)
{
	for (int b = 0; b < 256; b++) {
		uint32_t crc = b;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
		table[0][b] = crc;
	}
	for (int b = 0; b < 256; b++)
		for (int k = 1; k < 16; k++)
			table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 0xFF];
}

uint32_t crc32(uint32_t crc, const void *buf, size_t len)
{
	const unsigned char *p = buf;

	if (!table[0][1])
		make_table();
	crc = ~crc;
	for (; len >= 16; len -= 16, p += 16) {
		crc ^= p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
		crc = table[15][crc & 0xFF] ^ table[14][crc >> 8 & 0xFF]
			^ table[13][crc >> 16 & 0xFF] ^ table[12][crc >> 24] ^ table[11][p[4]]
			^ table[10][p[5]] ^ table[9][p[6]] ^ table[8][p[7]] ^ table[7][p[8]]
			^ table[6][p[9]] ^ table[5][p[10]] ^ table[4][p[11]] ^ table[3][p[12]]
			^ table[2][p[13]] ^ table[1][p[14]] ^ table[0][p[15]];
	}
	for (; len; len--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xFF];
	return ~crc;
}
