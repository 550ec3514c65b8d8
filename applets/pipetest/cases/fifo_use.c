/*
 * fifo_use.c - FIFOs: what an open one does
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include "../case.h"

/* A new FIFO, its read end non-blocking. */
static void open_both(void)
{
	t_fifo("f");
	p_nonblock_r();
}

static void eagain(void)
{
	open_both();
	p_read(1, -EAGAIN);
	p_write(3);
	p_read(9, 3);
	p_read(1, -EAGAIN);
	p_close_w();
	p_read(1, 0);
}

/* Set into the past, so that relatime, too, updates. overlayfs shows the times of a file
 * below it, that nobody marks. */
static void times(void)
{
	enum { OVERLAYFS = 0x794c7630 }; /* statfs(2) */
	const struct stat *st;
	struct statfs fs;
	open_both();
	t_ok(fstatfs(t.r, &fs), "fstatfs");
	if (fs.f_type == OVERLAYFS)
		skip("overlayfs");
	t_epoch(t.r);
	p_write(1);
	st = t_stat(t.r);
	want(st->st_mtime > 0, true, "write marks st_mtime");
	want(st->st_atime, 0, "st_atime after write");
	if (fs.f_flags & ST_NOATIME)
		skip("noatime");
	p_read(1, 1);
	t_stat(t.r);
	want(st->st_atime > 0, true, "read marks st_atime");
}

static void truncate_einval(void)
{
	open_both();
	p_write(9);
	want_ret(truncate("f", 0), -EINVAL, "truncate");
	want_ret(ftruncate(t.w, 0), -EINVAL, "ftruncate");
	t_open("f", O_WRONLY | O_TRUNC);
	p_read(99, 9);
}

static void eof_revived(void)
{
	open_both();
	p_write(5);
	p_close_w();
	p_read(9, 5);
	p_read(9, 0);
	p_read(9, 0);
	t.w = t_open("f", O_WRONLY);
	p_read(9, -EAGAIN);
	p_write(3);
	p_read(9, 3);
}

static void unlinked(void)
{
	open_both();
	t_ok(unlink("f"), "unlink");
	want_ret(open("f", O_RDONLY | O_NONBLOCK), -ENOENT, "open");
	p_write(9);
	p_read(9, 9);
}

static void names(void)
{
	open_both();
	if (link("f", "g") < 0)
		skip("no-link");
	p_close_w();
	t_ok(rename("f", "h"), "rename");
	t_write(open("h", O_WRONLY), 3, 3);
	t_write(open("g", O_WRONLY), 4, 4);
	p_read(9, 7);
}

static void data_gone(void)
{
	open_both();
	p_write(9);
	p_close_r();
	p_close_w();
	t.r = t_open("f", O_RDONLY | O_NONBLOCK);
	t.w = t_open("f", O_WRONLY);
	p_unread(0);
	p_read(9, -EAGAIN);
}

/* --- what else one can do with it ------------------------------------------------------- */

static void o_path(void)
{
	int fd;

	open_both();
	fd = t_open("f", O_PATH);
	t_read(fd, 1, -EBADF);
	t_write(fd, 1, -EBADF);
	t_poll(fd, POLLIN, POLLNVAL);
}

static void o_path_reopen(void)
{
	open_both();
	t_write(t_reopen(t_open("f", O_PATH), O_WRONLY), 9, 9);
	p_read(9, 9);
}

static void size_is_shared(void)
{
	if (t.slots == 1)
		skip("soft-limit");
	open_both();
	t_page_pipe(t.w);
	t_capacity(t_open("f", O_RDONLY), t.page);
}

static void size_reset(void)
{
	if (t.slots == 1)
		skip("soft-limit");
	open_both();
	t_page_pipe(t.w);
	p_close_r();
	p_close_w();
	want(fcntl(t_open("f", O_RDWR), F_GETPIPE_SZ) > (int)t.page, true, "the size grew back");
}

static void not_a_file(void)
{
	open_both();
	t_no_map(PROT_READ, MAP_SHARED, t.r, -ENODEV);
	want_ret(lseek(t.r, 0, SEEK_CUR), -ESPIPE, "lseek");
	want_ret(open("f", O_RDONLY | O_NONBLOCK | O_DIRECTORY), -ENOTDIR, "open, O_DIRECTORY");
	t_ok(chmod("f", 0700), "chmod");
	want_ret(execl("f", "f", (char *)NULL), -EACCES, "execl");
}

const struct test_case fifo_use_cases[] = {
	CASE("fif.eagain", "FIF-07", 'P', NEEDS_DIR, 0,
		"non-blocking read: EAGAIN while there is a writer, 0 after",
		"POSIX read; LTP read03", eagain),
	CASE("fif.times", "FIF-04", 'P', NEEDS_DIR, 0,
		"write marks st_mtime, read marks st_atime",
		"POSIX read, write", times),
	CASE("fif.truncate_einval", "FIF-11", 'L', NEEDS_DIR, 0,
		"truncate, ftruncate: EINVAL; O_TRUNC is ignored",
		"truncate(2); POSIX open", truncate_einval),
	CASE("fif.eof_revived", "FIF-12 P15", 'L', NEEDS_DIR, 0,
		"end of file stays until a new writer opens; it revives the same fd",
		"POSIX read; fs/pipe.c", eof_revived),
	CASE("fif.unlinked", "FIF-13", 'P', NEEDS_DIR, 0,
		"an unlinked FIFO still works for who has it open; a new open is ENOENT",
		"POSIX unlink; LTP unlink05", unlinked),
	CASE("fif.data_gone", "FIF-15 S17", 'P', NEEDS_DIR, 0,
		"the last close discards the data; the next open finds none",
		"POSIX close", data_gone),
	CASE("fif.names", "FIF-16", 'L', NEEDS_DIR, 0,
		"a hard link and a new name lead to the same pipe",
		"the pipe is the inode's", names),
	CASE("fif.o_path", "FIF-17", 'L', NEEDS_DIR, 0,
		"an O_PATH fd: EBADF, POLLNVAL",
		"open(2)", o_path),
	CASE("fif.o_path_reopen", "FIF-17", 'L', NEEDS_DIR | NEEDS_PROC, 0,
		"an O_PATH fd opens again through /proc/self/fd",
		"open(2)", o_path_reopen),
	CASE("fif.set_size", "FIF-18", 'L', NEEDS_DIR, 0,
		"F_SETPIPE_SZ counts for who opens later",
		"fcntl(2)", size_is_shared),
	CASE("fif.size_reset", "FIF-18", 'L', NEEDS_DIR, 0,
		"F_SETPIPE_SZ is forgotten at the last close",
		"fs/pipe.c", size_reset),
	CASE("fif.not_a_file", "FIF-19", 'L', NEEDS_DIR, 0,
		"mmap ENODEV, lseek ESPIPE, O_DIRECTORY ENOTDIR, exec EACCES",
		"POSIX mmap, lseek, open, exec", not_a_file),
};
ALL_ROWS(fifo_use);
