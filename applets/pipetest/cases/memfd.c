/*
 * memfd.c - cases of memory files and their seals
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/sendfile.h>
#include "../case.h"

enum { SEAL_FUTURE_WRITE = 0x10, SEAL_EXEC = 0x20 };	/* are new in Linux 5.1 and 6.3 */

/* Makes a memfd of two pages, which can be sealed and has no seal. */
static int sealable(void)
{
	int fd = t_memfd("sealable", MFD_ALLOW_SEALING);

	t_truncate(fd, 2 * t.page, 0);
	return fd;
}

static void seal(int fd, int seals, long expected)
{
	wantf(ret(fcntl(fd, F_ADD_SEALS, seals)), expected, "F_ADD_SEALS(%d, %#x)", fd, seals);
}

static void sealed(int fd, int expected)
{
	want_ret(fcntl(fd, F_GET_SEALS), expected, "fcntl(F_GET_SEALS)");
}

/* Sets a seal that this kernel may not have. F_SEAL_EXEC of a file with execute bits sets the write
 * seals, too, so other seals may be there. */
static void try_seal(int fd, int newer)
{
	t_needs_call("F_ADD_SEALS");
	if (fcntl(fd, F_ADD_SEALS, newer) < 0 && errno == EINVAL)
		t_skip("no-such-seal");
	wantf(ret(fcntl(fd, F_GET_SEALS)) & newer, newer, "F_GET_SEALS & %#x", newer);
}

static void new_file(void)
{
	int fd = t_memfd("new", 0);

	want(S_ISREG(t_stat(fd)->st_mode), true, "a regular file");
	t_size(fd, 0);
	want(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR, "the access mode, by F_GETFL");
	t_getfd(fd, 0);
	t_getfd(t_memfd("new", MFD_CLOEXEC), FD_CLOEXEC);
	t_put(fd, 'm', t.page, 1);
	t_get(fd, t.page, 'm');
}

static void name(void)
{
	static const char target[] = "/memfd:my name (deleted)";
	char path[32], link[64] = "";

	scnprintf(path, sizeof(path), "/proc/self/fd/%d", t_memfd("my name", 0));
	wantf(ret(readlink(path, link, sizeof(link))), sizeof(target) - 1, "readlink(%s)", path);
	wantf(strcmp(link, target), 0, "difference of '%s'", link);
}

static void refuses(void)
{
	enum { LONGEST = 249 };	/* is the limit of memfd_create(2) */
	char text[LONGEST + 2] = "";

	close(t_memfd(memset(text, 'n', LONGEST), 0));
	text[LONGEST] = 'n';
	wantf(ret(memfd_create(text, 0)), -EINVAL, "memfd_create, a name of %d bytes", LONGEST + 1);
	want_ret(memfd_create("", 1 << 24), -EINVAL, "memfd_create, an unknown flag");
}

static void not_sealable(void)
{
	int fd = t_memfd("plain", 0);

	sealed(fd, F_SEAL_SEAL);
	seal(fd, F_SEAL_SHRINK, -EPERM);
	t_truncate(fd, t.page, 0);
	t_truncate(fd, 0, 0);
}

static void shrink(void)
{
	int fd = sealable();

	seal(fd, F_SEAL_SHRINK, 0);
	t_truncate(fd, t.page, -EPERM);
	t_truncate(fd, 3 * t.page, 0);
}

static void grow(void)
{
	int fd = sealable();

	seal(fd, F_SEAL_GROW, 0);
	t_truncate(fd, 3 * t.page, -EPERM);
	t_put(fd, 0, 2 * t.page, -EPERM);
	t_put(fd, 'g', 0, 1);
	t_truncate(fd, t.page, 0);
}

static void writes(void)
{
	int fd = sealable();

	seal(fd, F_SEAL_WRITE, 0);
	t_put(fd, 'w', 0, -EPERM);
	t_no_map(RW, MAP_SHARED, fd, -EPERM);
	t_touch(t_map(t.page, RW, MAP_PRIVATE, fd), 'w');
	t_get(fd, 0, 0);
	t_truncate(fd, t.page, 0);
}

static void seals(void)
{
	int fd = sealable();

	seal(fd, F_SEAL_SEAL | F_SEAL_GROW, 0);
	seal(fd, F_SEAL_SHRINK, -EPERM);
	sealed(fd, F_SEAL_SEAL | F_SEAL_GROW);
	seal(t.w, F_SEAL_GROW, -EINVAL);
}

static void future_write(void)
{
	int fd = sealable();
	char *before = t_share(fd, t.page), *after;

	try_seal(fd, SEAL_FUTURE_WRITE);
	*before = 'b';
	t_get(fd, 0, 'b');
	t_put(fd, 'w', 0, -EPERM);
	t_no_map(RW, MAP_SHARED, fd, -EPERM);
	after = t_view(fd, t.page);
	want_ret(mprotect(after, t.page, RW), -EACCES, "mprotect for writing");
}

static void exec(void)
{
	int fd = sealable();

	t_ok(fchmod(fd, 0600), "fchmod(0600)");
	try_seal(fd, SEAL_EXEC);
	want_ret(fchmod(fd, 0700), -EPERM, "fchmod(0700)");
	t_ok(fchmod(fd, 0400), "fchmod(0400)");
}

/* The call fails as a whole, so F_SEAL_GROW is not set either. */
static void busy(void)
{
	int fd = sealable();
	char *p = t_share(fd, t.page);

	seal(fd, F_SEAL_WRITE | F_SEAL_GROW, -EBUSY);
	sealed(fd, 0);
	t_unmap(p, t.page);
	seal(fd, F_SEAL_WRITE | F_SEAL_GROW, 0);
}

static void read_only_map(void)
{
	int fd = sealable();
	char *p;

	t_put(fd, 'r', 0, 1);
	seal(fd, F_SEAL_WRITE, 0);
	p = t_view(fd, t.page);
	want(*p, 'r', "its byte");
	want_ret(mprotect(p, t.page, RW), -EACCES, "mprotect for writing");
}

static long store(long fd)
{
	char *p = t_share(fd, t.page);

	*p = 'c';
	seal(fd, F_SEAL_SHRINK, 0);
	return 0;
}

/* Seals belong to the file, not to the descriptor. */
static void over_fork(void)
{
	int fd = sealable();

	t_child(store, fd, 0);
	t_get(t_dup(fd), 0, 'c');
	sealed(fd, F_SEAL_SHRINK);
}

static long send_sealed(long socket)
{
	int fd = sealable();

	store(fd);
	t_send_fd(socket, fd);
	return 0;
}

/* The child makes the file, and the parent gets it through the socket only. */
static void over_socket(void)
{
	int sock[2], fd;

	close(t_memfd("probe", 0));
	t_socketpair(sock);
	t_child(send_sealed, sock[1], 0);
	fd = t_receive_fd(sock[0]);
	t_size(fd, 2 * t.page);
	t_get(fd, 0, 'c');
}

static void over_proc(void)
{
	int fd = sealable(), rd;
	char path[40];
	pid_t pid = t_fork();

	if (pid == 0)
		for (;;)
			pause();
	scnprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	t_put(fd, 'p', 0, 1);
	rd = open(path, O_RDONLY);
	if (rd < 0 && (errno == EACCES || errno == EPERM))
		t_skip("no-proc-fd");
	t_get(rd, 0, 'p');
	t_put(rd, 'p', 0, -EBADF);
	seal(rd, F_SEAL_SHRINK, -EPERM);
}

static long by_sendfile(int fd, int out, size_t n)
{
	return ret(sendfile(out, fd, NULL, n));
}

/* Moves as many bytes as the pipe holds, in as many calls as that needs. */
static void into_pipe(long (*call)(int fd, int out, size_t n))
{
	int fd = t_memfd("patterned", 0);

	t_write(fd, t.cap, t.cap);
	t_seek(fd, 0);
	for (size_t left = t.cap; left;) {
		long n = call(fd, t.w, left);

		if (missing(n))
			t_skip("seccomp");
		want_part(n, left, "splice or sendfile");
		left -= n;
	}
	p_poll_w(POLLOUT, 0);
	p_drain(t.cap);
}

static void spliced(void)
{
	into_pipe(t_splice_now);
}

static void sent(void)
{
	into_pipe(by_sendfile);
}

const struct test_case memfd_cases[] = {
	CASE("mfd.new", "MFD-01", 'L', 0, 0,
		"a new memfd is an empty regular file, open for both",
		"memfd_create(2), DESCRIPTION: behaves like a regular file; opened O_RDWR, of size "
		"0", new_file),
	CASE("mfd.name", "MFD-01", 'L', NEEDS_PROC, 0,
		"/proc shows the name of a memfd",
		"memfd_create(2), DESCRIPTION: in /proc/self/fd, always prefixed with memfd:",
		name),
	CASE("mfd.refuses", "MFD-01", 'L', 0, 0,
		"250 bytes of name, or an unknown flag, give EINVAL",
		"memfd_create(2), ERRORS: EINVAL: unknown bits, a name of more than 249 bytes",
		refuses),
	CASE("mfd.not_sealable", "MFD-02", 'L', 0, 0,
		"without MFD_ALLOW_SEALING only F_SEAL_SEAL is set: EPERM",
		"memfd_create(2), MFD_ALLOW_SEALING: else F_SEAL_SEAL; fcntl(2), F_SEAL_SEAL: "
		"EPERM", not_sealable),
	CASE("mfd.shrink", "MFD-03", 'L', 0, 0,
		"F_SEAL_SHRINK: the file cannot become smaller",
		"fcntl(2), F_SEAL_SHRINK: ftruncate fails with EPERM, increasing the size is "
		"possible", shrink),
	CASE("mfd.grow", "MFD-03", 'L', 0, 0,
		"F_SEAL_GROW: the file cannot become larger, neither by ftruncate nor by write",
		"fcntl(2), F_SEAL_GROW: write beyond the end and ftruncate fail with EPERM", grow),
	CASE("mfd.write", "MFD-03", 'L', 0, 0,
		"F_SEAL_WRITE: no write and no shared writable mapping; a private one works",
		"fcntl(2), F_SEAL_WRITE: write and new shared, writable mappings fail with EPERM",
		writes),
	CASE("mfd.seal", "MFD-03", 'L', 0, 0,
		"F_SEAL_SEAL: no seal can be added",
		"fcntl(2), F_SEAL_SEAL: any further F_ADD_SEALS fails with EPERM; F_GET_SEALS: "
		"else EINVAL", seals),
	CASE("mfd.future_write", "MFD-03", 'L', 0, 0,
		"F_SEAL_FUTURE_WRITE: only what is mapped already can change the file",
		"fcntl(2), F_SEAL_FUTURE_WRITE (since Linux 5.1): mappings created before can "
		"write", future_write),
	CASE("mfd.exec", "MFD-03", 'L', 0, 0,
		"F_SEAL_EXEC: the execute bits cannot change",
		"mfd_noexec.rst of the kernel: F_SEAL_EXEC; kernel selftest memfd_test", exec),
	CASE("mfd.busy", "MFD-04", 'L', 0, 0,
		"F_SEAL_WRITE while the file is mapped for writing gives EBUSY, and sets no seal",
		"fcntl(2), F_SEAL_WRITE: EBUSY if any writable, shared mapping exists", busy),
	CASE("mfd.read_only_map", "MFD-05 REG-10", 'B', 0, BROKEN_AGAIN(6, 7, 6, 12, 6, 13),
		"a write-sealed memfd can be mapped shared and read-only",
		"158978945f31 (6.7), 8ec396d05d1b (6.13) fixed it; 5de195060b2e (6.12) broke it",
		read_only_map),
	CASE("mfd.over_fork", "MFD-06", 'L', 0, 0,
		"what a child stores and seals is stored and sealed for all",
		"memfd_create(2), DESCRIPTION: fork(2); fcntl(2), File Sealing: seals belong to an "
		"inode", over_fork),
	CASE("mfd.over_socket", "MFD-06", 'L', 0, 0,
		"a memfd can be sent to another process",
		"memfd_create(2), NOTES, File sealing: over a UNIX domain socket; unix(7), "
		"SCM_RIGHTS", over_socket),
	CASE("mfd.over_proc", "MFD-06", 'L', NEEDS_PROC, 0,
		"a memfd opens through /proc; read-only it cannot be sealed",
		"memfd_create(2), NOTES: /proc/PID/fd; fcntl(2), F_ADD_SEALS: fd must be writable",
		over_proc),
	CASE("mfd.splice", "MFD-07", 'L', KINDS, 0,
		"splice moves a memfd's bytes into a pipe",
		"splice(2), DESCRIPTION", spliced),
	CASE("mfd.sendfile", "MFD-07", 'L', KINDS, 0,
		"sendfile copies a memfd's bytes into a pipe",
		"sendfile(2), DESCRIPTION", sent),
};
ALL_ROWS(memfd);
