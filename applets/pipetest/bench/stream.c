/*
 * stream.c - measures how many bytes a second go through a pipe, a FIFO or a socket pair
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/uio.h>
#include "bench.h"

static int reader, writer;
static char *buffer;
static size_t chunk;

/* A writer has a buffer of its own: the processors of two processes that use the same memory would
 * fight for it. */
static void be_writer(void)
{
	close(reader);
	buffer = bench_memory_of(chunk);
}

static void write_for_ever(long arg)
{
	(void)arg;
	be_writer();
	for (;;)
		bench_write(writer, buffer, chunk);
}

static double read_chunks(uint32_t n)
{
	double bytes = 0;

	while (n--)
		bytes += bench_did(safe_read(reader, buffer, chunk), "read");
	return bytes;
}

static void open_channel(enum channel kind, size_t size)
{
	int fd[2];

	bench_place(APART);
	bench_channel(kind, fd);
	reader = fd[0];
	writer = fd[1];
	chunk = size;
	buffer = bench_memory_of(chunk);
}

static void measure(void (*body)(long arg), double (*op)(uint32_t n))
{
	bench_peer(body, 0);
	close(writer);
	bench_rate(op, 1e-6);
}

static void throughput(struct variant v)
{
	open_channel(v.how, v.size);
	measure(write_for_ever, read_chunks);
}

/* The rows differ in the size of the pipe. Each call moves up to 256 KiB, so that the calls find
 * the pipe full or empty. */
static void pipe_size(struct variant v)
{
	open_channel(A_PIPE, 256 * 1024);
	bench_did(fcntl(writer, F_SETPIPE_SZ, v.size), "F_SETPIPE_SZ");
	measure(write_for_ever, read_chunks);
}

static int null;

static double splice_chunks(uint32_t n)
{
	double bytes = 0;

	while (n--)
		bytes += bench_did(splice(reader, NULL, null, NULL, chunk, 0), "splice");
	return bytes;
}

static void splice_away(struct variant v)
{
	open_channel(A_PIPE, v.size);
	null = bench_null();
	measure(write_for_ever, splice_chunks);
}

static void vmsplice_for_ever(long arg)
{
	struct iovec all, left;

	(void)arg;
	be_writer();
	left = all = (struct iovec){ buffer, chunk };
	for (;;) {
		ssize_t n = vmsplice(writer, &left, 1, 0);

		if (n < 0)
			_exit(EXIT_FAILURE);
		left.iov_base = (char *)left.iov_base + n;
		left.iov_len -= n;
		if (!left.iov_len)
			left = all;
	}
}

static void vmsplice_in(struct variant v)
{
	int probe[2];
	char byte;
	struct iovec one = { &byte, 1 };

	bench_did(pipe(probe), "pipe");
	bench_did(vmsplice(probe[1], &one, 1, SPLICE_F_NONBLOCK), "vmsplice");
	open_channel(A_PIPE, v.size);
	measure(vmsplice_for_ever, read_chunks);
}

static int copy[2];

/* tee(2) duplicates bytes, which are then read from the copy and from the pipe itself. */
static double tee_chunks(uint32_t n)
{
	double bytes = 0;

	while (n--) {
		ssize_t got = bench_did(tee(reader, copy[1], chunk, 0), "tee");

		bench_read(copy[0], buffer, got);
		bench_read(reader, buffer, got);
		bytes += got;
	}
	return bytes;
}

static void tee_away(struct variant v)
{
	open_channel(A_PIPE, v.size);
	bench_channel(A_PIPE, copy);
	measure(write_for_ever, tee_chunks);
}

/* Several processes write records, and each counts its own records in shared memory. */
enum { RECORD = 64, MOST_WRITERS = 64 };
static _Atomic uint32_t *sent;

static void write_records(long number)
{
	be_writer();
	for (;; sent[number]++)
		bench_write(writer, buffer, RECORD);
}

static double read_records(uint32_t n)
{
	return read_chunks(n) / RECORD;
}

static void many_writers(struct variant v)
{
	uint32_t least = UINT32_MAX, most = 1;

	open_channel(A_PIPE, 64 * 1024);
	sent = bench_memory_of(MOST_WRITERS * sizeof(*sent));
	for (long i = 0; i < v.size; i++) {
		sent[i] = 1; /* so that even the share of a writer that never ran is over 0 */
		bench_peer(write_records, i);
	}
	close(writer);
	bench_rate(read_records, 1);
	for (long i = 0; i < v.size; i++) {
		least = sent[i] < least ? sent[i] : least;
		most = sent[i] > most ? sent[i] : most;
	}
	bench_fairness((double)least / most);
}

const struct bench bench_stream[] = {
	{ "pipe.throughput", "MB/s", throughput, A_PIPE, BYTES,
		1 | 64 | 512 | 4 * KIB | 16 * KIB | 64 * KIB | 256 * KIB | 1024 * KIB },
	{ "fifo.throughput", "MB/s", throughput, A_FIFO, BYTES,
		64 | 4 * KIB | 64 * KIB | 1024 * KIB },
	{ "socketpair.throughput", "MB/s", throughput, A_SOCKETPAIR, BYTES,
		64 | 4 * KIB | 64 * KIB },
	{ "pipe.size", "MB/s", pipe_size, 0, PAGES, 1 | 4 | 16 | 64 | 256 },
	{ "pipe.splice_to_null", "MB/s", splice_away, 0, BYTES, 64 * KIB },
	{ "pipe.vmsplice", "MB/s", vmsplice_in, 0, BYTES, 64 * KIB },
	{ "pipe.tee", "MB/s", tee_away, 0, BYTES, 64 * KIB },
	{ "pipe.writers", "records/s", many_writers, 0, PLAIN, 1 | 2 | 4 | 8 },
	{ 0 }
};
