/*
 * fifo_use.c - cases of FIFOs that are open
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include "../case.h"

/* Opens both ends of a new FIFO, the read end with O_NONBLOCK. */
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

/* Returns the flags of the mount, or skips the case: overlayfs shows the times of a file in a lower
 * layer, which no read or write marks. */
static long mount_flags(void)
{
	enum { OVERLAYFS = 0x794c7630 }; /* statfs(2) */
	struct statfs fs;

	t_ok(fstatfs(t.r, &fs), "fstatfs");
	if (fs.f_type == OVERLAYFS)
		t_skip("overlayfs");
	return fs.f_flags;
}

/* t_epoch sets the times so far back that a read under relatime marks them, too: mount(8). */
static void times(void)
{
	const struct stat *st;
	long flags;

	open_both();
	flags = mount_flags();
	t_epoch(t.r);
	p_write(1);
	st = t_stat(t.r);
	want(st->st_mtime > 0, true, "write marks st_mtime");
	if (flags & ST_NOATIME)
		t_skip("noatime");
	p_read(1, 1);
	t_stat(t.r);
	want(st->st_atime > 0, true, "read marks st_atime");
}

static struct timespec changed;

/* The clock of timestamps may be coarse, so the case writes until the time changes. */
static bool write_changes_ctime(long unused)
{
	const struct stat *st;

	(void)unused;
	p_write(1);
	p_read(1, 1);
	st = t_stat(t.w);
	return st->st_ctim.tv_sec != changed.tv_sec || st->st_ctim.tv_nsec != changed.tv_nsec;
}

static void change_time(void)
{
	open_both();
	(void)mount_flags(); /* skips overlayfs */
	changed = t_stat(t.w)->st_ctim;
	t_wait_until(write_changes_ctime, 0, "st_ctime to be marked by write");
}

static void truncate_name(void)
{
	open_both();
	p_write(9);
	want_ret(truncate("f", 0), -EINVAL, "truncate of a FIFO");
	p_read(99, 9);
}

static void truncate_einval(void)
{
	open_both();
	p_write(9);
	want_ret(ftruncate(t.w, 0), -EINVAL, "ftruncate");
	p_read(99, 9);
}

static void open_truncates_nothing(void)
{
	open_both();
	p_write(9);
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
		t_skip("no-link");
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
	p_read(9, -EAGAIN);
}

/* --- O_PATH, F_SETPIPE_SZ, and what a FIFO refuses -------------------------------------- */

static void o_path(void)
{
	int fd;

	open_both();
	fd = t_open("f", O_PATH);
	t_read(fd, 1, -EBADF);
	t_write(fd, 1, -EBADF);
}

static void o_path_poll(void)
{
	open_both();
	t_poll(t_open("f", O_PATH), POLLIN, POLLNVAL);
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
		t_skip("soft-limit");
	open_both();
	t_page_pipe(t.w);
	t_capacity(t_open("f", O_RDONLY), t.page);
}

static void size_reset(void)
{
	if (t.slots == 1)
		t_skip("soft-limit");
	open_both();
	t_page_pipe(t.w);
	p_close_r();
	p_close_w();
	want(fcntl(t_open("f", O_RDWR), F_GETPIPE_SZ) > (int)t.page, true, "the size grew back");
}

static void no_map(void)
{
	open_both();
	t_no_map(PROT_READ, MAP_SHARED, t.r, -ENODEV);
}

static void not_a_file(void)
{
	open_both();
	want_ret(lseek(t.r, 0, SEEK_CUR), -ESPIPE, "lseek");
	want_ret(open("f", O_RDONLY | O_NONBLOCK | O_DIRECTORY), -ENOTDIR, "open, O_DIRECTORY");
	t_ok(chmod("f", 0700), "chmod");
	want_ret(execl("f", "f", (char *)NULL), -EACCES, "execl");
}

const struct test_case fifo_use_cases[] = {
	CASE("fif.eagain", "FIF-07", 'P', NEEDS_DIR, 0,
		"a non-blocking read gives EAGAIN while there is a writer, and 0 after",
		"POSIX read, DESCRIPTION: when attempting to read from an empty pipe; LTP read03",
		eagain),
	CASE("fif.times", "FIF-04", 'P', NEEDS_DIR, 0,
		"write marks st_mtime of a FIFO, read marks st_atime",
		"POSIX write, read, DESCRIPTION: shall mark for update", times),
	CASE("fif.change_time", "FIF-04", 'P', NEEDS_DIR, 0,
		"write marks st_ctime of a FIFO",
		"POSIX write, DESCRIPTION: shall mark the last file status change timestamp",
		change_time),
	CASE("fif.truncate_einval", "FIF-11", 'L', NEEDS_DIR, 0,
		"ftruncate of a FIFO gives EINVAL and discards nothing",
		"truncate(2), ERRORS: EINVAL (ftruncate): no regular file; gVisor pipe.cc Truncate",
		truncate_einval),
	CASE("fif.truncate_name", "FIF-11", 'I', NEEDS_DIR, 0,
		"truncate of a FIFO's name gives EINVAL and discards nothing",
		"gVisor pipe.cc Truncate; truncate(2) says it of ftruncate only", truncate_name),
	CASE("fif.open_truncates_nothing", "FIF-11", 'P', NEEDS_DIR, 0,
		"O_TRUNC discards nothing of a FIFO",
		"POSIX open, O_TRUNC: shall have no effect on FIFO special files",
		open_truncates_nothing),
	CASE("fif.eof_revived", "FIF-12 P15", 'P', NEEDS_DIR, 0,
		"the end of file stays until a new writer opens, for the same descriptor",
		"POSIX read, DESCRIPTION: some process has the pipe open for writing", eof_revived),
	CASE("fif.unlinked", "FIF-13", 'P', NEEDS_DIR, 0,
		"an unlinked FIFO works for those that have it open; a new open gives ENOENT",
		"POSIX unlink, DESCRIPTION: shall be postponed until all references are closed",
		unlinked),
	CASE("fif.data_gone", "FIF-15 S17", 'P', NEEDS_DIR, 0,
		"the last close discards the data; the next open finds none",
		"POSIX close, DESCRIPTION: any data remaining in the pipe or FIFO shall be "
		"discarded", data_gone),
	CASE("fif.names", "FIF-16", 'P', NEEDS_DIR, 0,
		"a hard link and a new name lead to the same pipe",
		"POSIX link, rename, DESCRIPTION: the same file", names),
	CASE("fif.o_path", "FIF-17", 'L', NEEDS_DIR, 0,
		"read and write of an O_PATH descriptor give EBADF",
		"open(2), O_PATH: other file operations fail with EBADF", o_path),
	CASE("fif.o_path_poll", "FIF-17", 'I', NEEDS_DIR, 0,
		"poll of an O_PATH descriptor gives POLLNVAL",
		"fs/select.c", o_path_poll),
	CASE("fif.o_path_reopen", "FIF-17", 'L', NEEDS_DIR | NEEDS_PROC, 0,
		"an O_PATH descriptor opens again through /proc/self/fd",
		"open(2), O_PATH: through /proc/self/fd", o_path_reopen),
	CASE("fif.set_size", "FIF-18", 'L', NEEDS_DIR, 0,
		"F_SETPIPE_SZ counts for those that open later",
		"fifo(7), DESCRIPTION: exactly one pipe object for each FIFO; fcntl(2), "
		"F_SETPIPE_SZ", size_is_shared),
	CASE("fif.size_reset", "FIF-18", 'I', NEEDS_DIR, 0,
		"F_SETPIPE_SZ is forgotten at the last close",
		"fs/pipe.c", size_reset),
	CASE("fif.not_a_file", "FIF-19", 'P', NEEDS_DIR, 0,
		"of a FIFO lseek gives ESPIPE, O_DIRECTORY ENOTDIR, and exec EACCES",
		"POSIX lseek, open, exec, ERRORS", not_a_file),
	CASE("fif.no_map", "FIF-19", 'L', NEEDS_DIR, 0,
		"mmap of a FIFO gives ENODEV",
		"POSIX mmap, ERRORS: ENODEV: a type that mmap does not support; open_posix mmap "
		"23-1; gVisor mmap.cc MapPipe", no_map),
};
ALL_ROWS(fifo_use);
