/*
 * inflate.c - the decoder of RFC 1951, for what the build itself has compressed
 *
 * The codes are canonical (RFC 1951, 3.2.2): the codes of one length are consecutive
 * numbers. The first of them is twice the number that follows the codes of the length
 * before. So it is enough to know how many codes there are of each length, and the symbols
 * in the order of their codes. The input is part of this program, so nothing of it is
 * checked. It has no stored blocks, because gzip stores only what it cannot make smaller.
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

enum { MAX_BITS = 15, N_LITERALS = 288, N_DISTANCES = 32, N_LENGTHS = 19, END = 256 };

struct input {
	const uint8_t *next;
	unsigned used;		/* bits of *next that have been read */
};

struct code {
	uint16_t count[MAX_BITS + 1], symbol[N_LITERALS];
};

static unsigned bits(struct input *in, unsigned n)
{
	unsigned value = 0;

	for (unsigned i = 0; i < n; i++) {
		value |= (*in->next >> in->used & 1) << i;
		in->next += in->used == 7;
		in->used = (in->used + 1) & 7;
	}
	return value;
}

static void make_code(struct code *c, const uint8_t *lengths, unsigned n)
{
	unsigned at = 0;

	for (unsigned len = 0; len <= MAX_BITS; len++) {
		unsigned first = at;

		for (unsigned i = 0; i < n; i++)
			if (len && lengths[i] == len)
				c->symbol[at++] = i;
		c->count[len] = at - first;
	}
}

static unsigned symbol(struct input *in, const struct code *c)
{
	unsigned code = bits(in, 1), first = 0, index = 0, len = 1;

	while (code - first >= c->count[len]) {
		index += c->count[len];
		first = (first + c->count[len++]) << 1;
		code = code << 1 | bits(in, 1);
	}
	return c->symbol[index + code - first];
}

/* Decodes a length or a distance (RFC 1951, 3.2.5). The first 2 << log symbols stand for
 * themselves. Each following group of 1 << log symbols has one more extra bit in the input. */
static unsigned number(struct input *in, unsigned symbol, unsigned log)
{
	unsigned extra = symbol >> log;

	if (extra < 2)
		return symbol;
	extra--;
	return (((1U << log) + (symbol & ((1U << log) - 1))) << extra) + bits(in, extra);
}

static void fixed_lengths(uint8_t *lengths)
{
	memset(lengths, 8, N_LITERALS);
	memset(lengths + 144, 9, 112);
	memset(lengths + 256, 7, 24);
	memset(lengths + N_LITERALS, 5, N_DISTANCES);
}

/* Reads the lengths of the codes (RFC 1951, 3.2.7) and returns how many literals there are. The
 * lengths of the distances' codes follow those of the literals. */
static unsigned read_lengths(struct input *in, uint8_t *lengths)
{
	static const uint8_t order[N_LENGTHS] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3,
		13, 2, 14, 1, 15 };
	unsigned literals = 257 + bits(in, 5), all = literals + 1 + bits(in, 5);
	unsigned n = 4 + bits(in, 4), at = 0;
	uint8_t of_lengths[N_LENGTHS] = { 0 };
	struct code c;

	for (unsigned i = 0; i < n; i++)
		of_lengths[order[i]] = bits(in, 3);
	make_code(&c, of_lengths, N_LENGTHS);
	memset(lengths, 0, N_LITERALS + N_DISTANCES);
	while (at < all) {
		unsigned s = symbol(in, &c);

		if (s < 16) {
			lengths[at++] = s;
			continue;
		}
		n = s == 16 ? 3 + bits(in, 2) : s == 17 ? 3 + bits(in, 3) : 11 + bits(in, 7);
		memset(lengths + at, s == 16 ? lengths[at - 1] : 0, n);
		at += n;
	}
	return literals;
}

static char *block(struct input *in, char *out, const struct code *literal,
	const struct code *distance)
{
	unsigned s;

	while ((s = symbol(in, literal)) != END) {
		unsigned len, back;

		if (s < END) {
			*out++ = s;
			continue;
		}
		s -= END + 1;
		len = s == 28 ? 258 : 3 + number(in, s, 2);
		back = 1 + number(in, symbol(in, distance), 1);
		for (; len; len--, out++)
			*out = out[-(long)back];
	}
	return out;
}

void inflate(char *out, const uint8_t *deflated)
{
	struct input in = { deflated, 0 };
	unsigned last;

	do {
		uint8_t lengths[N_LITERALS + N_DISTANCES];
		unsigned literals = N_LITERALS;
		struct code literal, distance;

		last = bits(&in, 1);
		if (bits(&in, 2) == 1)
			fixed_lengths(lengths);
		else
			literals = read_lengths(&in, lengths);
		make_code(&literal, lengths, literals);
		make_code(&distance, lengths + literals, N_DISTANCES);
		out = block(&in, out, &literal, &distance);
	} while (!last);
}
