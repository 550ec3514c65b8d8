/*
 * fif.c - FIFOs: how they come, open, carry data and go
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include "pipetest.h"

/* --- the FIFO "f" ----------------------------------------------------------------------- */

static int open_fifo(int flags)
{
	int fd = open("f", flags);

	want(ret(fd < 0 ? -1 : 0), 0, "open(\"f\", %#o)", (unsigned)flags);
	return fd;
}

/* A new FIFO, its read end non-blocking. */
static void open_both(int *r, int *w)
{
	t_mkfifo("f");
	*r = open_fifo(O_RDONLY | O_NONBLOCK);
	*w = open_fifo(O_WRONLY);
}

static long call_open(long flags)
{
	return open("f", flags) < 0 ? -errno : 0;
}

/* --- making one ------------------------------------------------------------------------- */

static void is_fifo(const char *name, mode_t mode)
{
	struct stat st;

	want(ret(lstat(name, &st)), 0, "lstat(\"%s\")", name);
	want(st.st_mode, S_IFIFO | mode, "its mode");
}

static void create(void)
{
	int dir;

	t_mkfifo("f"); /* or skip */
	want(ret(mkdir("d", 0700)), 0, "mkdir");
	dir = open("d", O_RDONLY | O_DIRECTORY);
	umask(027);
	want(ret(mkfifo("1", 0666)), 0, "mkfifo");
	is_fifo("1", 0640);
	want(ret(mknod("2", S_IFIFO | 0777, 0)), 0, "mknod");
	is_fifo("2", 0750);
	want(ret(mkfifoat(dir, "3", 0602)), 0, "mkfifoat");
	is_fifo("d/3", 0600);
}

static void create_errno(void)
{
	static char too_long[PATH_MAX + 1];
	const struct {
		const char *path;
		int err;
	} bad[] = {
		{ "f", EEXIST }, { "dangling", EEXIST }, { "none/f", ENOENT }, { "", ENOENT }, { "f/f", ENOTDIR },
		{ memset(too_long, 'x', PATH_MAX), ENAMETOOLONG },
		{ t_map(t.page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EFAULT },
	};

	t_mkfifo("f");
	want(ret(symlink("none", "dangling")), 0, "symlink");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		want(ret(mkfifo(bad[i].path, 0600)), -bad[i].err, "mkfifo, bad path %zu", i);
	want(ret(mknod("new", S_IFMT | 0600, 0)), -EINVAL, "mknod of no type");
}

static void create_eacces(void)
{
	t_mkfifo("f");
	want(ret(mkdir("d", 0500)), 0, "mkdir");
	drop_capabilities();
	want(ret(mkfifo("d/f", 0600)), -EACCES, "mkfifo in a directory of mode 0500");
}

static gid_t group_of(const char *name)
{
	struct stat st;

	want(ret(lstat(name, &st)), 0, "lstat(\"%s\")", name);
	return st.st_gid;
}

static void setgid_dir(void)
{
	gid_t other = getegid() == 65534 ? 65533 : 65534;
	struct stat st;

	t_mkfifo("f");
	want(ret(mkdir("d", 0755)), 0, "mkdir");
	if (chown("d", -1, other) < 0)
		skip("no-other-group");
	want(ret(mkfifo("d/process", 0600)), 0, "mkfifo");
	close(open("d/file", O_WRONLY | O_CREAT, 0600));
	/* the process's group, or the directory's with mount option grpid: mount(8) */
	want(group_of("d/process"), group_of("d/file"), "group of a FIFO in it, a file's");
	if (chmod("d", 02755) < 0 || stat("d", &st) < 0 || !(st.st_mode & S_ISGID))
		skip("no-set-gid");
	want(ret(mkfifo("d/directory", 0600)), 0, "mkfifo");
	want(group_of("d/directory"), other, "group of a FIFO in a set-gid directory");
}

/* --- opening it ------------------------------------------------------------------------- */

static void open_r_blocks(void)
{
	struct job reader;

	t_mkfifo("f");
	reader = t_start(call_open, O_RDONLY);
	t_blocks(reader);
	open_fifo(O_WRONLY);
	t_returns(reader, 0);
}

static void open_w_blocks(void)
{
	struct job writer;

	t_mkfifo("f");
	writer = t_start(call_open, O_WRONLY);
	t_blocks(writer);
	open_fifo(O_RDONLY);
	t_returns(writer, 0);
}

static void open_enxio(void)
{
	int r;

	t_mkfifo("f");
	want(call_open(O_WRONLY | O_NONBLOCK), -ENXIO, "open for writing, no reader");
	r = open_fifo(O_RDONLY | O_NONBLOCK);
	want(call_open(O_WRONLY | O_NONBLOCK), 0, "open for writing, a reader");
	t_close(&r);
	want(call_open(O_WRONLY | O_NONBLOCK), -ENXIO, "open for writing, the reader gone");
}

static void nonblock_reader(void)
{
	t_mkfifo("f");
	t_read(open_fifo(O_RDONLY | O_NONBLOCK), 1, 0);
}

static void poll_no_writer(void)
{
	t_mkfifo("f");
	t_poll(open_fifo(O_RDONLY | O_NONBLOCK), POLLIN, 0);
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

static void read_write(void)
{
	int fd, w;

	t_mkfifo("f");
	fd = open_fifo(O_RDWR);
	t_write(fd, 9, 9);
	t_read(fd, 9, 9);
	w = open_fifo(O_WRONLY);
	t_close(&w);
	nonblock(fd);
	t_read(fd, 1, -EAGAIN); /* no end of file: it writes itself */
}

static long call_open_caught(long sa_flags)
{
	t_catch(SIGUSR1, sa_flags);
	return call_open(O_RDONLY);
}

/* Without /proc the first signals may come before the call: send on. */
static bool interrupted(long arg)
{
	struct job *job = (struct job *)arg;

	kill(job->pid, SIGUSR1);
	return t_returned(*job);
}

static void open_eintr(void)
{
	struct job reader;

	t_mkfifo("f");
	reader = t_start(call_open_caught, 0);
	t_blocks(reader);
	wait_until(interrupted, (long)&reader, "open to be interrupted");
	t_returns(reader, -EINTR);
}

static void open_restarts(void)
{
	struct job reader;

	t_mkfifo("f");
	reader = t_start(call_open_caught, SA_RESTART);
	t_blocks(reader);
	kill(reader.pid, SIGUSR1);
	t_blocks(reader); /* kill(2) woke it before it returned */
	open_fifo(O_WRONLY);
	t_returns(reader, 0);
	want(t_caught(reader), 1, "signals");
}

static long call_open_read(long n)
{
	return ret(read(open("f", O_RDONLY), &n, 1));
}

/* The kernel counts the writers that came, not those that are there: fifo_open in fs/pipe.c. */
static void brief_writer(void)
{
	t_mkfifo("f");
	for (int i = 0; i < 10; i++) {
		struct job reader = t_start(call_open_read, 0);
		int w;

		t_blocks(reader);
		w = open_fifo(O_WRONLY);
		t_close(&w);
		t_returns(reader, 0);
	}
}

/* --- data ------------------------------------------------------------------------------- */

static void size_zero(void)
{
	struct stat st;
	int r, w;

	open_both(&r, &w);
	t_write(w, t.pipe_buf, t.pipe_buf);
	want(ret(fstat(r, &st)), 0, "fstat");
	want(st.st_size, 0, "st_size");
	want(st.st_blocks, 0, "st_blocks");
}

/* Set into the past, so that no clock is too coarse and relatime, too, updates. overlayfs
 * shows the times of a file below it, that nobody marks. */
static void times(void)
{
	enum { OVERLAYFS = 0x794c7630 }; /* statfs(2) */
	static const struct timespec past[2] = { { 1000, 0 }, { 1000, 0 } };
	struct statfs fs;
	struct stat st;
	int r, w;

	open_both(&r, &w);
	want(ret(fstatfs(r, &fs)), 0, "fstatfs");
	if (fs.f_type == OVERLAYFS)
		skip("overlayfs");
	want(ret(futimens(r, past)), 0, "futimens");
	t_write(w, 1, 1);
	want(ret(fstat(r, &st)), 0, "fstat");
	want(st.st_mtime > 1000, true, "write marks st_mtime");
	want(st.st_atime, 1000, "st_atime after write");
	if (fs.f_flags & ST_NOATIME)
		skip("noatime");
	t_read(r, 1, 1);
	want(ret(fstat(r, &st)), 0, "fstat");
	want(st.st_atime > 1000, true, "read marks st_atime");
}

static void truncate_einval(void)
{
	int r, w;

	open_both(&r, &w);
	t_write(w, 9, 9);
	want(ret(truncate("f", 0)), -EINVAL, "truncate");
	want(ret(ftruncate(w, 0)), -EINVAL, "ftruncate");
	open_fifo(O_WRONLY | O_TRUNC);
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
	w = open_fifo(O_WRONLY);
	t_read(r, 9, -EAGAIN);
	t_write(w, 3, 3);
	t_read(r, 9, 3);
}

static void unlinked(void)
{
	int r, w;

	open_both(&r, &w);
	want(ret(unlink("f")), 0, "unlink");
	want(call_open(O_RDONLY | O_NONBLOCK), -ENOENT, "open");
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
	want(ret(rename("f", "h")), 0, "rename");
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
	r = open_fifo(O_RDONLY | O_NONBLOCK);
	w = open_fifo(O_WRONLY);
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
	keeper = open_fifo(O_RDWR);
	for (int i = 0; i < WRITERS + READERS; i++) {
		int fd = open_fifo(i < WRITERS ? O_WRONLY : O_RDONLY);

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
	fd = open_fifo(O_PATH);
	t_read(fd, 1, -EBADF);
	t_write(fd, 1, -EBADF);
	t_poll(fd, POLLIN, POLLNVAL);
}

static void o_path_reopen(void)
{
	char path[40];
	int r, w;

	open_both(&r, &w);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", open_fifo(O_PATH));
	t_write(open(path, O_WRONLY), 9, 9);
	t_read(r, 9, 9);
}

static void set_size(void)
{
	int r, w;

	if (t.slots == 1)
		skip("soft-limit");
	open_both(&r, &w);
	want(ret(fcntl(w, F_SETPIPE_SZ, (int)t.page)), t.page, "F_SETPIPE_SZ");
	want(ret(fcntl(open_fifo(O_RDONLY), F_GETPIPE_SZ)), t.page, "F_GETPIPE_SZ of another open");
}

static void size_reset(void)
{
	int r, w;

	if (t.slots == 1)
		skip("soft-limit");
	open_both(&r, &w);
	want(ret(fcntl(w, F_SETPIPE_SZ, (int)t.page)), t.page, "F_SETPIPE_SZ");
	t_close(&r);
	t_close(&w);
	want(fcntl(open_fifo(O_RDWR), F_GETPIPE_SZ) > (int)t.page, true, "a default size after the last close");
}

static void not_a_file(void)
{
	int r, w;

	open_both(&r, &w);
	want(mmap(NULL, t.page, PROT_READ, MAP_SHARED, r, 0) == MAP_FAILED ? -errno : 0, -ENODEV, "mmap");
	want(ret(lseek(r, 0, SEEK_CUR)), -ESPIPE, "lseek");
	want(call_open(O_RDONLY | O_NONBLOCK | O_DIRECTORY), -ENOTDIR, "open, O_DIRECTORY");
	want(ret(chmod("f", 0700)), 0, "chmod");
	want(ret(execl("f", "f", (char *)NULL)), -EACCES, "execl");
}

/* --- on other file systems: mounted where nobody else sees them, gone with the case ------ */

static bool own_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool enter(const char *type, const char *options)
{
	bool here;

	want(ret(mkdir(type, 0700)), 0, "mkdir(\"%s\")", type);
	here = mount(type, type, type, 0, options) == 0 && chdir(type) == 0;
	info("%s: %s", type, here ? "yes" : "not here");
	return here;
}

static void carries(void)
{
	int fd = open_fifo(O_RDWR);

	t_write(fd, 9, 9);
	t_read(fd, 9, 9);
	t_close(&fd);
}

static void file_systems(void)
{
	t_mkfifo("f");
	carries();
	if (!own_mounts())
		return;
	if (enter("ramfs", NULL)) {
		t_mkfifo("f");
		carries();
		want(ret(chdir("..")), 0, "chdir");
	}
	if (!enter("tmpfs", NULL))
		return;
	t_mkfifo("f");
	carries();
	want(mkdir("upper", 0700) | mkdir("work", 0700) | mkdir("lower", 0700), 0, "mkdir");
	want(ret(rename("f", "lower/f")), 0, "rename");
	if (enter("overlay", "lowerdir=lower,upperdir=upper,workdir=work"))
		carries();
}

static void read_only(void)
{
	if (!own_mounts() || !enter("tmpfs", NULL))
		skip("no-mount");
	t_mkfifo("f");
	want(ret(mount("none", ".", NULL, MS_REMOUNT | MS_RDONLY, NULL)), 0, "remount");
	want(ret(mkfifo("g", 0600)), -EROFS, "mkfifo");
	carries();
}

const struct test_case fif_cases[] = {
	{ "fif.create", "FIF-01 S14", 'P', NEEDS_DIR, 0, "mkfifo, mknod and mkfifoat make a FIFO of mode & ~umask",
	  "POSIX mkfifo", create },
	{ "fif.create_errno", "FIF-02 S14", 'P', NEEDS_DIR, 0, "mkfifo: EEXIST, ENOENT, ENOTDIR, ENAMETOOLONG, EFAULT; mknod: EINVAL",
	  "POSIX mkfifo; LTP mknod06, mknod09", create_errno },
	{ "fif.create_eacces", "FIF-02", 'P', NEEDS_DIR, 0, "mkfifo in a directory without write permission: EACCES",
	  "POSIX mkfifo; LTP mknod07", create_eacces },
	{ "fif.setgid_dir", "FIF-21", 'P', NEEDS_DIR, 0, "a FIFO in a set-gid directory gets the directory's group",
	  "POSIX mkfifo, inode(7); LTP mknod02-05", setgid_dir },
	{ "fif.open_r_blocks", "FIF-03 S14", 'P', NEEDS_DIR, 0, "open for reading blocks until a writer opens",
	  "POSIX open", open_r_blocks },
	{ "fif.open_w_blocks", "FIF-03 S14 S15", 'P', NEEDS_DIR | MYTH, 0, "open for writing blocks until a reader opens",
	  "POSIX open; the tutorial opens first O_WRONLY, then O_RDONLY in one process: it waits for ever", open_w_blocks },
	{ "fif.open_enxio", "FIF-05", 'P', NEEDS_DIR, 0, "open O_WRONLY | O_NONBLOCK without a reader: ENXIO",
	  "POSIX open; LTP open06", open_enxio },
	{ "fif.nonblock_reader", "FIF-06", 'P', NEEDS_DIR, 0, "open O_RDONLY | O_NONBLOCK succeeds without a writer; read is 0",
	  "POSIX open, read", nonblock_reader },
	{ "fif.poll_no_writer", "FIF-06", 'L', NEEDS_DIR, 0, "before the first writer a reader polls nothing, no POLLHUP either",
	  "fs/pipe.c pipe_poll", poll_no_writer },
	{ "fif.eagain", "FIF-07", 'P', NEEDS_DIR, 0, "non-blocking read: EAGAIN while there is a writer, 0 after",
	  "POSIX read; LTP read03", eagain },
	{ "fif.read_write", "FIF-08 S15", 'L', NEEDS_DIR, 0, "open O_RDWR never blocks and keeps the end of file away",
	  "fifo(7); POSIX leaves it undefined", read_write },
	{ "fif.open_eintr", "FIF-09", 'P', NEEDS_DIR, 0, "a signal interrupts a blocked open: EINTR", "POSIX open", open_eintr },
	{ "fif.open_restarts", "FIF-09", 'P', NEEDS_DIR, 0, "with SA_RESTART a blocked open goes on",
	  "POSIX sigaction; signal(7)", open_restarts },
	{ "fif.brief_writer", "FIF-10", 'L', NEEDS_DIR, 0, "a writer that opens and closes at once releases the reader's open",
	  "fs/pipe.c fifo_open", brief_writer },
	{ "fif.size_zero", "FIF-04 S14 S17", 'L', NEEDS_DIR, 0, "with data queued st_size and st_blocks are 0",
	  "fifo(7): nothing is written to the file system", size_zero },
	{ "fif.times", "FIF-04", 'P', NEEDS_DIR, 0, "write marks st_mtime, read marks st_atime", "POSIX read, write", times },
	{ "fif.truncate_einval", "FIF-11", 'L', NEEDS_DIR, 0, "truncate, ftruncate: EINVAL; O_TRUNC is ignored",
	  "truncate(2); POSIX open", truncate_einval },
	{ "fif.eof_revived", "FIF-12 P15", 'L', NEEDS_DIR, 0, "end of file stays until a new writer opens; it revives the same fd",
	  "POSIX read; fs/pipe.c", eof_revived },
	{ "fif.unlinked", "FIF-13", 'P', NEEDS_DIR, 0, "an unlinked FIFO still works for who has it open; a new open is ENOENT",
	  "POSIX unlink; LTP unlink05", unlinked },
	{ "fif.many", "FIF-14 S16", 'L', NEEDS_DIR | STRESS, 0, "N writers, M readers: each record comes whole, to exactly one reader",
	  "POSIX write; of several readers it says nothing", many },
	{ "fif.data_gone", "FIF-15 S17", 'P', NEEDS_DIR, 0, "the last close discards the data; the next open finds none",
	  "POSIX close", data_gone },
	{ "fif.names", "FIF-16", 'L', NEEDS_DIR, 0, "a hard link and a new name lead to the same pipe", "the pipe is the inode's", names },
	{ "fif.o_path", "FIF-17", 'L', NEEDS_DIR, 0, "an O_PATH fd: EBADF, POLLNVAL", "open(2)", o_path },
	{ "fif.o_path_reopen", "FIF-17", 'L', NEEDS_DIR | NEEDS_PROC, 0, "an O_PATH fd opens again through /proc/self/fd",
	  "open(2)", o_path_reopen },
	{ "fif.set_size", "FIF-18", 'L', NEEDS_DIR, 0, "F_SETPIPE_SZ counts for who opens later", "fcntl(2)", set_size },
	{ "fif.size_reset", "FIF-18", 'L', NEEDS_DIR, 0, "F_SETPIPE_SZ is forgotten at the last close", "fs/pipe.c", size_reset },
	{ "fif.not_a_file", "FIF-19", 'L', NEEDS_DIR, 0, "mmap ENODEV, lseek ESPIPE, O_DIRECTORY ENOTDIR, exec EACCES",
	  "POSIX mmap, lseek, open, exec", not_a_file },
	{ "fif.file_systems", "FIF-20", 'E', NEEDS_DIR, 0, "a FIFO works on this file system, ramfs, tmpfs, overlay",
	  "gVisor issues 8037, 12504", file_systems },
	{ "fif.read_only", "FIF-20 FIF-02", 'E', NEEDS_DIR, 0, "read-only mount: mkfifo EROFS; a FIFO that is there works",
	  "POSIX mkfifo, open", read_only },
	{ 0 }
};
