/*
 * fif_use.c - FIFOs: what an open one does
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include "pipetest.h"

/* A new FIFO, its read end non-blocking. */
static void open_both(int *r, int *w)
{
	t_mkfifo("f");
	*r = t_open("f", O_RDONLY | O_NONBLOCK);
	*w = t_open("f", O_WRONLY);
}

static void eagain(void)
{
	int r, w;

	open_both(&r, &w);
	t_read(r, 1, -EAGAIN);
	t_write(w, 3, 3);
	t_read(r, 9, 3);
	t_read(r, 1, -EAGAIN);
	t_close(&w);
	t_read(r, 1, 0);
}

static void size_zero(void)
{
	struct stat st;
	int r, w;

	open_both(&r, &w);
	t_write(w, t.pipe_buf, t.pipe_buf);
	t_ok(fstat(r, &st), "fstat");
	want(st.st_size, 0, "st_size");
	want(st.st_blocks, 0, "st_blocks");
}

/* Set into the past, so that no clock is too coarse and relatime, too, updates. overlayfs
 * shows the times of a file below it, that nobody marks. */
static void times(void)
{
	enum { OVERLAYFS = 0x794c7630 }; /* statfs(2) */
	static const struct timespec past[2]; /* 1970: no clock is older */
	struct statfs fs;
	struct stat st;
	int r, w;

	open_both(&r, &w);
	t_ok(fstatfs(r, &fs), "fstatfs");
	if (fs.f_type == OVERLAYFS)
		skip("overlayfs");
	t_ok(futimens(r, past), "futimens");
	t_write(w, 1, 1);
	t_ok(fstat(r, &st), "fstat");
	want(st.st_mtime > 0, true, "write marks st_mtime");
	want(st.st_atime, 0, "st_atime after write");
	if (fs.f_flags & ST_NOATIME)
		skip("noatime");
	t_read(r, 1, 1);
	t_ok(fstat(r, &st), "fstat");
	want(st.st_atime > 0, true, "read marks st_atime");
}

static void truncate_einval(void)
{
	int r, w;

	open_both(&r, &w);
	t_write(w, 9, 9);
	want_ret(truncate("f", 0), -EINVAL, "truncate");
	want_ret(ftruncate(w, 0), -EINVAL, "ftruncate");
	t_open("f", O_WRONLY | O_TRUNC);
	t_read(r, 99, 9);
}

static void eof_revived(void)
{
	int r, w;

	open_both(&r, &w);
	t_write(w, 5, 5);
	t_close(&w);
	t_read(r, 9, 5);
	t_read(r, 9, 0);
	t_read(r, 9, 0);
	w = t_open("f", O_WRONLY);
	t_read(r, 9, -EAGAIN);
	t_write(w, 3, 3);
	t_read(r, 9, 3);
}

static void unlinked(void)
{
	int r, w;

	open_both(&r, &w);
	t_ok(unlink("f"), "unlink");
	want_ret(open("f", O_RDONLY | O_NONBLOCK), -ENOENT, "open");
	t_write(w, 9, 9);
	t_read(r, 9, 9);
}

static void names(void)
{
	int r, w;

	open_both(&r, &w);
	if (link("f", "g") < 0)
		skip("no-link");
	t_close(&w);
	t_ok(rename("f", "h"), "rename");
	t_write(open("h", O_WRONLY), 3, 3);
	t_write(open("g", O_WRONLY), 4, 4);
	t_read(r, 9, 7);
}

static void data_gone(void)
{
	int r, w;

	open_both(&r, &w);
	t_write(w, 9, 9);
	t_close(&r);
	t_close(&w);
	r = t_open("f", O_RDONLY | O_NONBLOCK);
	w = t_open("f", O_WRONLY);
	t_fionread(r, 0);
	t_read(r, 9, -EAGAIN);
}

/* --- many readers and writers ----------------------------------------------------------- */

enum { WRITERS = 3, READERS = 3, RECORDS = 300, RECORD_WORDS = 16 };

static void write_records(int fd, int writer)
{
	uint32_t record[RECORD_WORDS];

	for (int i = 0; i < RECORDS; i++) {
		for (int word = 0; word < RECORD_WORDS; word++)
			record[word] = writer * RECORDS + i;
		if (write(fd, record, sizeof(record)) != sizeof(record))
			fail("record %d was not written", i);
	}
}

static void read_records(int fd, _Atomic uint32_t *seen)
{
	uint32_t record[RECORD_WORDS];
	long n;

	while ((n = ret(read(fd, record, sizeof(record)))) != 0) {
		if (n != sizeof(record))
			fail("read of a record = %ld %s", n, errname(n));
		for (int word = 1; word < RECORD_WORDS; word++)
			if (record[word] != record[0])
				fail("two records are mixed");
		if (record[0] >= WRITERS * RECORDS)
			fail("nobody wrote record %u", (unsigned)record[0]);
		seen[record[0]]++;
	}
}

/* While keeper is open no open blocks, and no reader sees the end of file. */
static void many(void)
{
	_Atomic uint32_t *seen = t_map(WRITERS * RECORDS * sizeof(*seen), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[WRITERS + READERS];
	int keeper;

	t_mkfifo("f");
	keeper = t_open("f", O_RDWR);
	for (int i = 0; i < WRITERS + READERS; i++) {
		int fd = t_open("f", i < WRITERS ? O_WRONLY : O_RDONLY);

		pids[i] = t_fork();
		if (pids[i] == 0) {
			close(keeper);
			if (i < WRITERS)
				write_records(fd, i);
			else
				read_records(fd, seen);
			_exit(EXIT_SUCCESS);
		}
		close(fd);
	}
	for (int i = 0; i < WRITERS + READERS; i++) {
		if (i == WRITERS)
			t_close(&keeper);
		t_reap(pids[i], EXIT_SUCCESS);
	}
	for (int i = 0; i < WRITERS * RECORDS; i++)
		if (seen[i] != 1)
			fail("record %d came %u times", i, (unsigned)seen[i]);
}

/* --- what else one can do with it ------------------------------------------------------- */

static void o_path(void)
{
	int r, w, fd;

	open_both(&r, &w);
	fd = t_open("f", O_PATH);
	t_read(fd, 1, -EBADF);
	t_write(fd, 1, -EBADF);
	t_poll(fd, POLLIN, POLLNVAL);
}

static void o_path_reopen(void)
{
	char path[40];
	int r, w;

	open_both(&r, &w);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", t_open("f", O_PATH));
	t_write(open(path, O_WRONLY), 9, 9);
	t_read(r, 9, 9);
}

static void set_size(void)
{
	int r, w;

	if (t.slots == 1)
		skip("soft-limit");
	open_both(&r, &w);
	want_ret(fcntl(w, F_SETPIPE_SZ, (int)t.page), t.page, "F_SETPIPE_SZ");
	want_ret(fcntl(t_open("f", O_RDONLY), F_GETPIPE_SZ), t.page, "F_GETPIPE_SZ, opened later");
}

static void size_reset(void)
{
	int r, w;

	if (t.slots == 1)
		skip("soft-limit");
	open_both(&r, &w);
	want_ret(fcntl(w, F_SETPIPE_SZ, (int)t.page), t.page, "F_SETPIPE_SZ");
	t_close(&r);
	t_close(&w);
	want(fcntl(t_open("f", O_RDWR), F_GETPIPE_SZ) > (int)t.page, true, "the size grew back");
}

static void not_a_file(void)
{
	int r, w;

	open_both(&r, &w);
	want(mmap(NULL, t.page, PROT_READ, MAP_SHARED, r, 0) == MAP_FAILED ? -errno : 0, -ENODEV,
	     "mmap");
	want_ret(lseek(r, 0, SEEK_CUR), -ESPIPE, "lseek");
	want_ret(open("f", O_RDONLY | O_NONBLOCK | O_DIRECTORY), -ENOTDIR, "open, O_DIRECTORY");
	t_ok(chmod("f", 0700), "chmod");
	want_ret(execl("f", "f", (char *)NULL), -EACCES, "execl");
}

const struct test_case fif_use_cases[] = {
	CASE("fif.eagain", "FIF-07", 'P', NEEDS_DIR, 0,
	  "non-blocking read: EAGAIN while there is a writer, 0 after", "POSIX read; LTP read03",
	  eagain),
	CASE("fif.size_zero", "FIF-04 S14 S17", 'L', NEEDS_DIR, 0,
	  "with data queued st_size and st_blocks are 0",
	  "fifo(7): nothing is written to the file system", size_zero),
	CASE("fif.times", "FIF-04", 'P', NEEDS_DIR, 0, "write marks st_mtime, read marks st_atime",
	  "POSIX read, write", times),
	CASE("fif.truncate_einval", "FIF-11", 'L', NEEDS_DIR, 0,
	  "truncate, ftruncate: EINVAL; O_TRUNC is ignored", "truncate(2); POSIX open",
	  truncate_einval),
	CASE("fif.eof_revived", "FIF-12 P15", 'L', NEEDS_DIR, 0,
	  "end of file stays until a new writer opens; it revives the same fd",
	  "POSIX read; fs/pipe.c", eof_revived),
	CASE("fif.unlinked", "FIF-13", 'P', NEEDS_DIR, 0,
	  "an unlinked FIFO still works for who has it open; a new open is ENOENT",
	  "POSIX unlink; LTP unlink05", unlinked),
	CASE("fif.many", "FIF-14 S16", 'L', NEEDS_DIR | STRESS, 0,
	  "N writers, M readers: each record comes whole, to exactly one reader",
	  "POSIX write; of several readers it says nothing", many),
	CASE("fif.data_gone", "FIF-15 S17", 'P', NEEDS_DIR, 0,
	  "the last close discards the data; the next open finds none", "POSIX close", data_gone),
	CASE("fif.names", "FIF-16", 'L', NEEDS_DIR, 0,
	  "a hard link and a new name lead to the same pipe", "the pipe is the inode's", names),
	CASE("fif.o_path", "FIF-17", 'L', NEEDS_DIR, 0, "an O_PATH fd: EBADF, POLLNVAL", "open(2)",
	  o_path),
	CASE("fif.o_path_reopen", "FIF-17", 'L', NEEDS_DIR | NEEDS_PROC, 0,
	  "an O_PATH fd opens again through /proc/self/fd", "open(2)", o_path_reopen),
	CASE("fif.set_size", "FIF-18", 'L', NEEDS_DIR, 0, "F_SETPIPE_SZ counts for who opens later",
	  "fcntl(2)", set_size),
	CASE("fif.size_reset", "FIF-18", 'L', NEEDS_DIR, 0,
	  "F_SETPIPE_SZ is forgotten at the last close", "fs/pipe.c", size_reset),
	CASE("fif.not_a_file", "FIF-19", 'L', NEEDS_DIR, 0,
	  "mmap ENODEV, lseek ESPIPE, O_DIRECTORY ENOTDIR, exec EACCES",
	  "POSIX mmap, lseek, open, exec", not_a_file),
	{ 0 }
};
