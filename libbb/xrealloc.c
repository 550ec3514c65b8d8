/*
 * xrealloc.c - not in xfuncs.c: realloc(3) brings the whole allocator along
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (!p && size)
		bb_error_msg_and_die("out of memory: can't get %zu bytes", size);
	return p;
}
