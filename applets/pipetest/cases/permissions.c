/*
 * permissions.c - cases of who may open a FIFO
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "../case.h"

enum { CAP_SETUID = 7, OTHER_UID = 65534 };

static void opens(const char *name, int flags, long expected)
{
	int fd = open(name, flags | O_NONBLOCK, 0600);

	wantf(fd < 0 ? -errno : 0, expected, "open(\"%s\", %#o)", name, (unsigned)flags);
}

static void only_writes(const char *name)
{
	opens(name, O_RDONLY, -EACCES);
	opens(name, O_WRONLY, -ENXIO);
}

static void only_reads(const char *name)
{
	opens(name, O_WRONLY, -EACCES);
	opens(name, O_RDONLY, 0);
}

static void make(const char *name, mode_t mode)
{
	t_mkfifo(name);
	wantf(ret(chmod(name, mode)), 0, "chmod(\"%s\", %#o)", name, (unsigned)mode);
}

static void owner(void)
{
	make("w", 0200);
	make("r", 0400);
	t_drop_capabilities();
	only_writes("w");
	only_reads("r");
}

/* POSIX open leaves undefined what O_RDWR does with a FIFO. */
static void read_write(void)
{
	make("w", 0200);
	make("r", 0400);
	make("both", 0600);
	t_drop_capabilities();
	opens("w", O_RDWR, -EACCES);
	opens("r", O_RDWR, -EACCES);
	opens("both", O_RDWR, 0);
}

/* Other users may not search the current directory, so the case makes another one. */
static void open_dir(mode_t mode)
{
	t_ok(mkdir("d", 0700), "mkdir");
	t_ok(chmod("d", mode), "chmod");
	t_ok(chdir("d"), "chdir");
	if (!t_capable(CAP_SETUID))
		t_skip("no-other-uid");
}

static void become_other(void)
{
	if (t_setuid(OTHER_UID) < 0)
		t_skip("no-other-uid");
	t_drop_capabilities();
}

static void other(void)
{
	open_dir(0755);
	make("w", 0622);
	make("r", 0644);
	become_other();
	only_writes("w");
	only_reads("r");
}

static void later_chmod(void)
{
	t_fifo("f");
	t_ok(chmod("f", 0), "chmod");
	t_drop_capabilities();
	opens("f", O_RDONLY, -EACCES);
	p_write(9);
	p_read(9, 9);
}

static void protected_fifos(void)
{
	long level = read_number("/proc/sys/fs/protected_fifos");
	pid_t pid;

	if (level < 0)
		t_skip("no-protected_fifos");
	open_dir(01777);
	pid = t_fork();
	if (pid == 0) {
		become_other();
		make("f", 0666);
		_exit(EXIT_SUCCESS);
	}
	t_reap(pid, EXIT_SUCCESS);
	if (access("f", F_OK) < 0) /* the child has said why it skips */
		_exit(EXIT_SUCCESS);
	t_info("fs.protected_fifos is %ld", level);
	opens("f", O_RDWR, 0);
	opens("f", O_RDWR | O_CREAT, level ? -EACCES : 0);
	t_ok(chmod(".", 01775), "chmod");
	opens("f", O_RDWR | O_CREAT, level > 1 ? -EACCES : 0);
}

static void ioctls_of_reader(void)
{
	long result;
	int fd, n;

	make("f", 0400);
	t_drop_capabilities();
	fd = open("f", O_RDONLY | O_NONBLOCK);
	result = ret(fcntl(fd, F_SETPIPE_SZ, (int)t.page));
	t_info("without write permission: F_SETPIPE_SZ = %ld %s", result, t_errname(result));
	result = ret(ioctl(fd, FIONREAD, &n));
	t_info("without write permission: FIONREAD = %ld %s", result, t_errname(result));
}

const struct test_case permissions_cases[] = {
	CASE("prm.owner", "PRM-01", 'P', NEEDS_DIR, 0,
		"modes 0200 and 0400: the owner's open the other way gives EACCES",
		"POSIX open, ERRORS: EACCES", owner),
	CASE("prm.read_write", "PRM-01", 'L', NEEDS_DIR, 0,
		"modes 0200 and 0400: the owner's open with O_RDWR gives EACCES",
		"open(2), ERRORS: EACCES; fifo(7): read and write", read_write),
	CASE("prm.other", "PRM-01", 'P', NEEDS_DIR, 0,
		"modes 0622 and 0644: another user's open the other way gives EACCES",
		"POSIX open, ERRORS: EACCES", other),
	CASE("prm.later_chmod", "PRM-02", 'I', NEEDS_DIR, 0,
		"chmod does not touch a FIFO that is open",
		"POSIX chmod, APPLICATION USAGE: open descriptors stay valid", later_chmod),
	CASE("prm.protected_fifos", "PRM-03", 'L', NEEDS_DIR | NEEDS_PROC, 0,
		"O_CREAT of another's FIFO in a sticky directory: fs.protected_fifos decides",
		"proc_sys_fs(5), protected_fifos: O_CREAT of a FIFO that one does not own",
		protected_fifos),
	CASE("prm.ioctls_of_reader", "PRM-04", 'I', NEEDS_DIR, 0,
		"a process that may only read can use F_SETPIPE_SZ and FIONREAD",
		"fcntl(2)", ioctls_of_reader),
};
ALL_ROWS(permissions);
