/*
 * texts.c - the texts that configs/gen.sh has gathered and gzip has compressed
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"
#include "texts.z.h"

enum { GZIP_HEADER = 10 }; /* The header has this length because it holds no name (RFC 1952). */

const char *bb_text(unsigned number)
{
	static char texts[TEXTS_SIZE];
	const char *text = texts;

	if (!*texts)
		inflate(texts, deflated + GZIP_HEADER);
	while (number--)
		text += strlen(text) + 1;
	return text;
}
