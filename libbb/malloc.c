/*
 * malloc.c - each allocation is a mapping of its own
 *
 * The applets allocate a few times each, and rarely little: an allocator that fills pages
 * with small blocks, 10 KB of musl, has nothing to do here. musl and glibc both allow a
 * program to bring its own (glibc manual, "Replacing malloc"); opendir(3) gets this one, too.
 * The sanitizers' build keeps theirs: see the Makefile.
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

union head {
	size_t size;		/* with the head */
	max_align_t alignment;
};

static void *block(void *mapping, size_t size)
{
	union head *h = mapping;

	if (mapping == MAP_FAILED)
		return NULL;
	h->size = size;
	return h + 1;
}

void *malloc(size_t size)
{
	size_t all = size > PTRDIFF_MAX ? SIZE_MAX : size + sizeof(union head);

	return block(mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		all);
}

void *calloc(size_t n, size_t size)
{
	return malloc(size && n > SIZE_MAX / size ? SIZE_MAX : n * size);
}

void *realloc(void *p, size_t size)
{
	union head *h = (union head *)p - 1;
	size_t all = size > PTRDIFF_MAX ? SIZE_MAX : size + sizeof(*h);

	return p ? block(mremap(h, h->size, all, MREMAP_MAYMOVE), all) : malloc(size);
}

void free(void *p)
{
	union head *h = (union head *)p - 1;

	if (p)
		munmap(h, h->size);
}
