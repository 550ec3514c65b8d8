/*
 * memory.c - measures page faults and the ways to copy a file
 *
 * SPDX-License-Identifier: 0BSD
 *
 * The tutorial (see cases/INVENTORY) copies a file through two mappings and calls that "zero copy".
 * These measurements compare that way with others: each page of both mappings costs a page fault.
 */
#include <sys/sendfile.h>
#include "bench.h"

/* --- The first access to a page */

enum { FAULT_PAGES = 256 };
enum fault { ANONYMOUS, SHARED_FILE, POPULATED };
static enum fault fault_kind;
static int file;

static void touch_once(void)
{
	size_t page = bench_page(), len = FAULT_PAGES * page;
	int flags = fault_kind == SHARED_FILE ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	volatile char *p = bench_map(len, flags | (fault_kind == POPULATED ? MAP_POPULATE : 0),
		fault_kind == SHARED_FILE ? file : -1);

	/* A huge page would take one fault for many pages, and the figure is the time per page. */
	(void)madvise((void *)p, len, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < len; at += page)
		p[at] = 1;
	munmap((void *)p, len);
}

static double touches(uint32_t n)
{
	while (n--)
		touch_once();
	return 0;
}

static void page_fault(struct variant v)
{
	fault_kind = v.how;
	bench_place(SAME_CPU);
	if (fault_kind == SHARED_FILE)
		file = bench_file(FAULT_PAGES * bench_page());
	bench_each(touches, 1e9 / FAULT_PAGES);
}

/* --- Copies of a file that is in the page cache */

enum { FILE_SIZE = 8 * 1024 * 1024 };
static int from, to;
static char *block;
static size_t block_size;

static void copy_read_write(void)
{
	ssize_t n;

	while ((n = bench_did(safe_read(from, block, block_size), "read")) > 0)
		bench_write(to, block, n);
}

/* The tutorial copies a file this way. */
static void copy_mappings(void)
{
	void *in = bench_map(FILE_SIZE, MAP_SHARED, from);
	void *out = bench_map(FILE_SIZE, MAP_SHARED, to);

	memcpy(out, in, FILE_SIZE);
	munmap(in, FILE_SIZE);
	munmap(out, FILE_SIZE);
}

static void copy_map_write(void)
{
	void *in = bench_map(FILE_SIZE, MAP_SHARED, from);

	bench_write(to, in, FILE_SIZE);
	munmap(in, FILE_SIZE);
}

static void copy_sendfile(void)
{
	while (bench_did(sendfile(to, from, NULL, FILE_SIZE), "sendfile") > 0)
		;
}

static void copy_file_range_all(void)
{
	while (bench_did(copy_file_range(from, NULL, to, NULL, FILE_SIZE, 0), "copy_file_range")
		> 0)
		;
}

static int through[2];

static void copy_splice(void)
{
	ssize_t n;

	while ((n = bench_did(splice(from, NULL, through[1], NULL, FILE_SIZE, 0), "splice")) > 0)
		while (n > 0)
			n -= bench_did(splice(through[0], NULL, to, NULL, n, 0), "splice");
}

enum method { READ_WRITE, MAPPINGS, MAP_WRITE, SENDFILE, SPLICE, COPY_FILE_RANGE };
static void (*const methods[])(void) = {
	[READ_WRITE] = copy_read_write,
	[MAPPINGS] = copy_mappings,
	[MAP_WRITE] = copy_map_write,
	[SENDFILE] = copy_sendfile,
	[SPLICE] = copy_splice,
	[COPY_FILE_RANGE] = copy_file_range_all,
};
static enum method method;

static double copies(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		(void)lseek(from, 0, SEEK_SET);
		(void)lseek(to, 0, SEEK_SET);
		methods[method]();
	}
	return (double)n * FILE_SIZE;
}

static void copy_file(struct variant v)
{
	method = v.how;
	bench_place(SAME_CPU);
	block_size = v.size;
	if (v.how == READ_WRITE)
		block = bench_memory_of(block_size);
	if (v.how == SPLICE)
		bench_channel(A_PIPE, through);
	from = bench_file(FILE_SIZE);
	to = bench_file(FILE_SIZE);
	bench_rate(copies, 1e-6);
}

const struct bench bench_memory[] = {
	{ "memory.fault.anonymous", "ns", page_fault, ANONYMOUS, PLAIN, 0 },
	{ "memory.fault.shared_file", "ns", page_fault, SHARED_FILE, PLAIN, 0 },
	{ "memory.fault.populated", "ns", page_fault, POPULATED, PLAIN, 0 },
	{ "copy.read_write", "MB/s", copy_file, READ_WRITE, BYTES,
		4 * KIB | 64 * KIB | 1024 * KIB },
	{ "copy.two_mappings", "MB/s", copy_file, MAPPINGS, PLAIN, 0 },
	{ "copy.mapping_and_write", "MB/s", copy_file, MAP_WRITE, PLAIN, 0 },
	{ "copy.sendfile", "MB/s", copy_file, SENDFILE, PLAIN, 0 },
	{ "copy.splice", "MB/s", copy_file, SPLICE, PLAIN, 0 },
	{ "copy.copy_file_range", "MB/s", copy_file, COPY_FILE_RANGE, PLAIN, 0 },
	{ 0 }
};
