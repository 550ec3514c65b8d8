/*
 * torn - read a board of eight equal words COUNT times: torn BOARD COUNT
 *
 * The reader is that of mmapr --emit-c, without its CRC: a record that the reader calls whole
 * is torn if its eight words are not equal.
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <stdio.h>
#include <stdlib.h>
#include "board.h"

enum {
	HEAD = 8, /* the words of a slot before its record: board(5) */
	WORDS = HEAD + sizeof(struct board_record) / 4
};

int main(int argc, char **argv)
{
	long reads = argc > 2 ? atol(argv[2]) : 0, torn = 0, again = 0;
	uint32_t copy[WORDS], n, first, last;
	struct board b;
	if (board_open(&b, argv[1], 0))
		return 1;
	first = last = board_seq(&b);
	for (long i = 0; i < reads; ) {
		n = board_seq(&b);
		for (unsigned k = 0; k < WORDS; k++)
			copy[k] = __atomic_load_n(board_slot(&b, n) + k, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (board_seq(&b) - n >= b.slots - 1 && ++again)
			continue;
		for (unsigned k = HEAD + 1; k < WORDS; k++)
			if (copy[k] != copy[HEAD]) {
				torn++;
				break;
			}
		last = n;
		i++;
	}
	fprintf(stderr, "%u publications; %ld reads tried again\n",
		(unsigned)(last - first), again);
	return printf("%ld\n", torn) < 0 || last == first;
}
