/*
 * fifo.c - cases of FIFOs: how they are made and opened, and where they work
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/mount.h>
#include "../case.h"

/* --- how a FIFO is made ----------------------------------------------------------------- */

/* The result is valid until the next call. */
static const struct stat *stat_of(const char *name)
{
	static struct stat st;

	t_ok(lstat(name, &st), "lstat");
	return &st;
}

static void is_fifo(const char *name, mode_t mode)
{
	wantf(stat_of(name)->st_mode, S_IFIFO | mode, "mode of %s", name);
}

static void mode_and_type(void)
{
	int dir;

	t_mkfifo("f"); /* skips the case where there are no FIFOs */
	t_ok(mkdir("d", 0700), "mkdir");
	dir = t_open("d", O_RDONLY);
	t_needs_call("umask");
	umask(027);
	t_ok(mkfifo("1", 0666), "mkfifo");
	is_fifo("1", 0640);
	t_ok(mknod("2", S_IFIFO | 0777, 0), "mknod");
	is_fifo("2", 0750);
	t_ok(mkfifoat(dir, "3", 0602), "mkfifoat");
	is_fifo("d/3", 0600);
}

static void refused(const char *path, long expected)
{
	wantf(ret(mkfifo(path, 0600)), expected, "mkfifo(\"%.20s\")", path);
}

static void create_errno(void)
{
	static char too_long[PATH_MAX + 1];

	t_mkfifo("f");
	t_ok(symlink("none", "dangling"), "symlink");
	refused("f", -EEXIST);
	refused("dangling", -EEXIST);
	refused("none/f", -ENOENT);
	refused("", -ENOENT);
	refused("f/f", -ENOTDIR);
	refused(memset(too_long, 'x', PATH_MAX), -ENAMETOOLONG);
}

static void create_errno_linux(void)
{
	t_mkfifo("f");
	want_ret(mkfifo(t_nowhere(), 0600), -EFAULT, "mkfifo of a bad address");
	want_ret(mknod("new", S_IFMT | 0600, 0), -EINVAL, "mknod of a type that there is not");
}

/* Timestamps may be coarser than the clock, so the case allows a second. It first sets the times of
 * its directory to 1970. */
static void new_times(void)
{
	time_t before = time(NULL) - 1;
	const struct stat *st;

	t_mkfifo("first");
	t_epoch(t_open(".", O_RDONLY));
	t_ok(mkfifo("f", 0600), "mkfifo");
	st = stat_of("f");
	want(st->st_atime >= before, true, "st_atime of a new FIFO is the time of mkfifo()");
	want(st->st_mtime >= before, true, "st_mtime of a new FIFO is the time of mkfifo()");
	want(st->st_ctime >= before, true, "st_ctime of a new FIFO is the time of mkfifo()");
	want(stat_of(".")->st_mtime >= before, true, "mkfifo marks st_mtime of the directory");
}

/* POSIX mkfifo allows the group of the process and that of the directory. */
static void fifo_owner(void)
{
	const struct stat *st;
	gid_t dir;

	t_mkfifo("f");
	dir = stat_of(".")->st_gid;
	st = stat_of("f");
	want(st->st_uid, geteuid(), "st_uid of a new FIFO, and geteuid");
	want(st->st_gid == getegid() || st->st_gid == dir, true, "st_gid, getegid");
}

static void create_eacces(void)
{
	t_mkfifo("f");
	t_ok(mkdir("d", 0500), "mkdir");
	t_drop_capabilities();
	want_ret(mkfifo("d/f", 0600), -EACCES, "mkfifo in a directory of mode 0500");
}

static void setgid_dir(void)
{
	gid_t other = getegid() == 65534 ? 65533 : 65534, usual;

	t_mkfifo("f");
	t_ok(mkdir("d", 0755), "mkdir");
	if (chown("d", -1, other) < 0)
		t_skip("no-other-group");
	t_ok(mkfifo("d/process", 0600), "mkfifo");
	close(open("d/file", O_WRONLY | O_CREAT, 0600));
	/* a file gets the group of the process, or under grpid that of the directory: mount(8) */
	usual = stat_of("d/file")->st_gid;
	want(stat_of("d/process")->st_gid, usual, "group of a FIFO in it, a file's");
	if (chmod("d", 02755) < 0 || !(stat_of("d")->st_mode & S_ISGID))
		t_skip("no-set-gid");
	t_ok(mkfifo("d/directory", 0600), "mkfifo");
	want(stat_of("d/directory")->st_gid, other, "group of a FIFO in a set-gid directory");
}

/* --- how a FIFO is opened --------------------------------------------------------------- */

static long call_open(long flags)
{
	return open("f", flags) < 0 ? -errno : 0;
}

static void open_r_blocks(void)
{
	pid_t reader;

	t_mkfifo("f");
	reader = t_blocked(call_open, O_RDONLY);
	t_open("f", O_WRONLY);
	t_returns(reader, 0);
}

static void open_w_blocks(void)
{
	pid_t writer;

	t_mkfifo("f");
	writer = t_blocked(call_open, O_WRONLY);
	t_open("f", O_RDONLY);
	t_returns(writer, 0);
}

static void open_enxio(void)
{
	int r;

	t_mkfifo("f");
	want(call_open(O_WRONLY | O_NONBLOCK), -ENXIO, "open to write, no reader");
	r = t_open("f", O_RDONLY | O_NONBLOCK);
	want(call_open(O_WRONLY | O_NONBLOCK), 0, "open to write, a reader");
	t_close(r);
	want(call_open(O_WRONLY | O_NONBLOCK), -ENXIO, "open to write, the reader gone");
}

/* An open that failed must leave no end behind, so the two later opens wait for each other. */
static void after_enxio(void)
{
	pid_t reader;

	t_mkfifo("f");
	want(call_open(O_WRONLY | O_NONBLOCK), -ENXIO, "open to write, no reader");
	reader = t_blocked(call_open, O_RDONLY);
	t_open("f", O_WRONLY);
	t_returns(reader, 0);
	want(call_open(O_WRONLY | O_NONBLOCK), -ENXIO, "open to write, the reader gone");
}

static void nonblock_reader(void)
{
	t_mkfifo("f");
	t_read(t_open("f", O_RDONLY | O_NONBLOCK), 1, 0);
}

/* POSIX does not say whether a read that would give 0 makes the FIFO readable. */
static void poll_no_writer(void)
{
	struct pollfd p = { -1, POLLIN, 0 };

	t_mkfifo("f");
	p.fd = t_open("f", O_RDONLY | O_NONBLOCK);
	want(ret(poll(&p, 1, 0)) < 0, false, "poll fails");
	want(p.revents & POLLHUP, 0, "POLLHUP in its revents");
	t_info("before the first writer poll reports %#x", (unsigned)p.revents);
}

static void read_write(void)
{
	int fd;

	t_mkfifo("f");
	fd = t_open("f", O_RDWR);
	t_write(fd, 9, 9);
	t_read(fd, 9, 9);
	t_close(t_open("f", O_WRONLY));
	t_nonblock(fd);
	t_read(fd, 1, -EAGAIN); /* is no end of file, because the descriptor is a writer itself */
}

static long call_open_read(long n)
{
	return ret(read(open("f", O_RDONLY), &n, 1));
}

/* The writer is gone before the reader runs. The reader's open returns all the same, because a
 * writer has opened the FIFO meanwhile. */
static void brief_writer(void)
{
	t_mkfifo("f");
	for (int i = 0; i < 10; i++) {
		pid_t reader = t_blocked(call_open_read, 0);

		t_close(t_open("f", O_WRONLY));
		t_returns(reader, 0);
	}
}

/* --- on other file systems --------------------------------------------------------------- */

static bool enter(const char *type, const char *options)
{
	bool here = t_enter(type, options);

	t_info("%s: %s", type, here ? "yes" : "not here");
	return here;
}

static void carries(void)
{
	int fd = t_open("f", O_RDWR);

	t_write(fd, 9, 9);
	t_read(fd, 9, 9);
	t_close(fd);
}

static void file_systems(void)
{
	t_mkfifo("f");
	carries();
	if (!t_own_mounts())
		return;
	if (enter("ramfs", NULL)) {
		t_mkfifo("f");
		carries();
		t_ok(chdir(".."), "chdir");
	}
	if (!enter("tmpfs", NULL))
		return;
	t_mkfifo("f");
	carries();
	want(mkdir("upper", 0700) | mkdir("work", 0700) | mkdir("lower", 0700), 0, "mkdir");
	t_ok(rename("f", "lower/f"), "rename");
	if (enter("overlay", "lowerdir=lower,upperdir=upper,workdir=work"))
		carries();
}

static void read_only(void)
{
	if (!t_own_mounts() || !enter("tmpfs", NULL))
		t_skip("no-mount");
	t_mkfifo("f");
	t_ok(mount("none", ".", NULL, MS_REMOUNT | MS_RDONLY, NULL), "remount");
	want_ret(mkfifo("g", 0600), -EROFS, "mkfifo");
	carries();
}

const struct test_case fifo_cases[] = {
	CASE("fif.create", "FIF-01 S14", 'P', NEEDS_DIR, 0,
		"mkfifo, mknod and mkfifoat make a FIFO of mode & ~umask",
		"POSIX mkfifo, mkfifoat, mknod, DESCRIPTION: modified by the file creation mask",
		mode_and_type),
	CASE("fif.create_errno", "FIF-02 S14", 'P', NEEDS_DIR, 0,
		"mkfifo gives EEXIST, ENOENT, ENOTDIR and ENAMETOOLONG",
		"POSIX mkfifo, ERRORS; LTP mknod06", create_errno),
	CASE("fif.create_errno_linux", "FIF-02", 'L', NEEDS_DIR, 0,
		"mkfifo of a bad address gives EFAULT, mknod of a type that there is not EINVAL",
		"mknod(2), ERRORS: EFAULT, EINVAL; LTP mknod06, mknod09", create_errno_linux),
	CASE("fif.owner", "FIF-22", 'P', NEEDS_DIR, 0,
		"a new FIFO has the user of its maker, and its maker's group or the directory's",
		"POSIX mkfifo, DESCRIPTION: the user ID and group ID", fifo_owner),
	CASE("fif.new_times", "FIF-04", 'P', NEEDS_DIR, 0,
		"mkfifo marks the three times of the FIFO, and the directory's st_mtime",
		"POSIX mkfifo, DESCRIPTION: shall mark for update", new_times),
	CASE("fif.create_eacces", "FIF-02", 'P', NEEDS_DIR, 0,
		"mkfifo in a directory without write permission gives EACCES",
		"POSIX mkfifo, ERRORS: EACCES; LTP mknod07", create_eacces),
	CASE("fif.setgid_dir", "FIF-21", 'L', NEEDS_DIR, 0,
		"a FIFO in a set-gid directory gets the directory's group",
		"inode(7), set-group-ID bit of a directory; LTP mknod02-05", setgid_dir),
	CASE("fif.open_r_blocks", "FIF-03 S14", 'P', NEEDS_DIR, 0,
		"open for reading blocks until a writer opens",
		"POSIX open, O_NONBLOCK clear: shall block until a thread opens for writing",
		open_r_blocks),
	CASE("fif.open_w_blocks", "FIF-03 S14 S15", 'P', NEEDS_DIR | MYTH, 0,
		"open for writing blocks until a reader opens",
		"POSIX open, O_NONBLOCK clear: shall block until a thread opens for reading; the "
		"tutorial opens O_WRONLY, then O_RDONLY in one process: for ever", open_w_blocks),
	CASE("fif.open_enxio", "FIF-05", 'P', NEEDS_DIR, 0,
		"open O_WRONLY with O_NONBLOCK and without a reader gives ENXIO",
		"POSIX open, ERRORS: ENXIO; LTP open06", open_enxio),
	CASE("fif.after_enxio", "FIF-23", 'P', NEEDS_DIR, 0,
		"an open that gave ENXIO leaves the FIFO as it was",
		"POSIX open, RETURN VALUE: if -1 is returned no files shall be created or modified",
		after_enxio),
	CASE("fif.nonblock_reader", "FIF-06", 'P', NEEDS_DIR, 0,
		"open O_RDONLY with O_NONBLOCK succeeds without a writer, and read gives 0",
		"POSIX open, O_NONBLOCK set: shall return without delay; read", nonblock_reader),
	CASE("fif.poll_no_writer", "FIF-06", 'P', NEEDS_DIR, 0,
		"before the first writer a reader's poll reports no POLLHUP",
		"POSIX poll, DESCRIPTION: POLLHUP: closed by the last process that had it open for "
		"writing", poll_no_writer),
	CASE("fif.read_write", "FIF-08 S15", 'L', NEEDS_DIR, 0,
		"open O_RDWR never blocks and keeps the end of file away",
		"fifo(7), DESCRIPTION: opening a FIFO for read and write succeeds", read_write),
	CASE("fif.brief_writer", "FIF-10", 'P', NEEDS_DIR, 0,
		"a writer that opens and closes at once releases the reader's open",
		"POSIX open, O_NONBLOCK clear: shall block until a thread opens for writing",
		brief_writer),
	CASE("fif.file_systems", "FIF-20", 'E', NEEDS_DIR, 0,
		"a FIFO works on this file system, ramfs, tmpfs, overlay",
		"gVisor issues 8037, 12504", file_systems),
	CASE("fif.read_only", "FIF-20 FIF-02", 'E', NEEDS_DIR, 0,
		"on a read-only mount mkfifo gives EROFS, and a FIFO that is there works",
		"POSIX mkfifo, open, ERRORS: EROFS", read_only),
};
ALL_ROWS(fifo);
