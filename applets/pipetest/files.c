/*
 * files.c - makes files, FIFOs and mappings for the cases
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sched.h>
#include <setjmp.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include "engine.h"

void t_mkfifo(const char *name)
{
	long made;

	t_needs_call("mkfifo");
	t_needs_call("open"); /* a FIFO is of no use without open(2) */
	pipetest_directory_note(name);
	t_callingf("mkfifo(%s)", name);
	made = call_value(mkfifo(name, 0600));
	if (made == -EPERM || made == -EOPNOTSUPP) /* vfat and 9p answer so, for example */
		t_skip("no-fifo-here");
	t_want_result(made, 0);
}

void t_fifo(const char *name)
{
	t_mkfifo(name);
	t.r = t_open(name, O_RDONLY | O_NONBLOCK);
	t.w = t_open(name, O_WRONLY);
	t_ok(fcntl(t.r, F_SETFL, 0), "F_SETFL");
}

struct flag {
	int bits;
	char name[16];
};

/* The tables name the flags that a kernel may lack and those that a reader of the diagnostics
 * wants to see. The result is "O_RDWR|O_NONBLOCK", for example. */
static const char *flag_names(const struct flag *table, size_t count, int flags)
{
	static char text[64];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		if ((flags & table[i].bits) == table[i].bits)
			len += scnprintf(text + len, sizeof(text) - len, "%s%s", len ? "|" : "",
				table[i].name);
	return len ? text : "0";
}

static const char *open_flags(int flags)
{
	static const struct flag names[] = {
		{ O_RDWR, "O_RDWR" },
		{ O_WRONLY, "O_WRONLY" },
		{ O_NONBLOCK, "O_NONBLOCK" },
		{ O_APPEND, "O_APPEND" },
		{ O_TRUNC, "O_TRUNC" },
		{ O_PATH, "O_PATH" },
		{ O_DIRECT, "O_DIRECT" },
		{ O_DIRECTORY, "O_DIRECTORY" },
		{ O_NOFOLLOW, "O_NOFOLLOW" },
	};

	return flag_names(names, ARRAY_SIZE(names), flags);
}

static const char *map_flags(int flags)
{
	static const struct flag names[] = {
		{ MAP_PRIVATE, "MAP_PRIVATE" },
		{ MAP_SHARED, "MAP_SHARED" },
		{ MAP_ANONYMOUS, "MAP_ANONYMOUS" },
		{ MAP_FIXED, "MAP_FIXED" },
		{ MAP_POPULATE, "MAP_POPULATE" },
		{ MAP_NORESERVE, "MAP_NORESERVE" },
		{ MAP_LOCKED, "MAP_LOCKED" },
		{ MAP_GROWSDOWN, "MAP_GROWSDOWN" },
	};

	return flag_names(names, ARRAY_SIZE(names), flags);
}

int t_open(const char *name, int flags)
{
	int fd;

	t_callingf("open(\"%s\", %s)", name, open_flags(flags));
	fd = open(name, flags);
	if (fd < 0 && t_lacks("open"))
		t_skip("no-open");
	t_want_result(call_value(fd), fd < 0 ? 0 : fd);
	return fd;
}

static void call_map(size_t len, int prot, int flags, int fd, off_t off)
{
	t_callingf("mmap(%zu, prot %d, %s, fd %d, %lld)", len, prot, map_flags(flags), fd,
		(long long)off);
}

void *t_map_at(size_t len, int prot, int flags, int fd, off_t off)
{
	void *p;

	call_map(len, prot, flags, fd, off);
	p = mmap(NULL, len, prot, flags, fd, off);
	if (p == MAP_FAILED && errno == ENODEV && t_in_dir()) /* 9p and JFFS2 answer so */
		t_skip("no-mmap-here");
	t_want_result(p == MAP_FAILED ? -errno : 0, 0);
	return p;
}

void *t_map(size_t len, int prot, int flags, int fd)
{
	return t_map_at(len, prot, flags, fd, 0);
}

void *t_share(int fd, size_t len)
{
	return t_map(len, RW, MAP_SHARED, fd);
}

void *t_view(int fd, size_t len)
{
	return t_map(len, PROT_READ, MAP_SHARED, fd);
}

void *t_anon(size_t len)
{
	return t_map(len, RW, ANON, -1);
}

void *t_anon_shared(size_t len)
{
	return t_map(len, RW, ANON_SHARED, -1);
}

void *t_pages(unsigned n)
{
	return t_anon(n * t.page);
}

void *t_nowhere(void)
{
	return t_map(t.page, PROT_NONE, ANON, -1);
}

long t_try_map(size_t len, int prot, int flags, int fd, off_t off)
{
	call_map(len, prot, flags, fd, off);
	return t_call_result(mmap(NULL, len, prot, flags, fd, off) == MAP_FAILED ? -1 : 0);
}

void t_no_map(int prot, int flags, int fd, long expected)
{
	call_map(t.page, prot, flags, fd, 0);
	t_want_result(t_try_map(t.page, prot, flags, fd, 0), expected);
}

void t_unmap(void *p, size_t len)
{
	wantf(ret(munmap(p, len)), 0, "munmap(%p, %zu)", p, len);
}

const struct stat *t_stat(int fd)
{
	static struct stat st;

	t_ok(fstat(fd, &st), "fstat");
	return &st;
}

void t_size(int fd, off_t expected)
{
	want(t_stat(fd)->st_size, expected, "st_size");
}

void t_seek(int fd, off_t to)
{
	wantf(lseek(fd, to, SEEK_SET) == to, true, "lseek(%d, %lld) goes there", fd, (long long)to);
}

void t_position(int fd, off_t expected)
{
	wantf(ret(lseek(fd, 0, SEEK_CUR)), expected, "the position of fd %d", fd);
}

void t_epoch(int fd)
{
	static const struct timespec epoch[2];

	t_ok(futimens(fd, epoch), "futimens");
}

int t_reopen(int fd, int flags)
{
	char path[40];

	scnprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return t_open(path, flags);
}

void t_socketpair(int s[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		t_skip("no-unix-sockets");
}

/* The message is one byte with room for a descriptor as ancillary data: unix(7). */
static struct msghdr *fd_message(void)
{
	static union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	static char byte;
	static struct iovec v = { &byte, 1 };
	static struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control };

	m.msg_controllen = sizeof(control);
	return &m;
}

void t_send_fd(int socket, int fd)
{
	struct msghdr *m = fd_message();
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	c->cmsg_len = CMSG_LEN(sizeof(fd));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	want_ret(sendmsg(socket, m, 0), 1, "sendmsg of a descriptor");
}

int t_receive_fd(int socket)
{
	struct msghdr *m = fd_message();
	struct cmsghdr *c;
	int fd;

	want_ret(recvmsg(socket, m, 0), 1, "recvmsg");
	c = CMSG_FIRSTHDR(m);
	want(c && c->cmsg_type == SCM_RIGHTS, true, "a descriptor has come");
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

void t_truncate(int fd, off_t len, long expected)
{
	wantf(ret(ftruncate(fd, len)), expected, "ftruncate(%d, %lld)", fd, (long long)len);
}

/* A file or memfd that exceeds RLIMIT_FSIZE gives SIGXFSZ: setrlimit(2). */
static void need_files(void)
{
	enum { LARGEST = 4 << 20 };
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < LARGEST)
		t_skip("file-size-limit");
}

int t_file(const char *name, size_t len)
{
	int fd;

	need_files();
	pipetest_directory_note(name);
	t_callingf("open(\"%s\", O_CREAT)", name);
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	t_want_result(call_value(fd), fd < 0 ? 0 : fd);
	t_truncate(fd, len, 0);
	return fd;
}

/* All memfds were executable before Linux 6.3. Without MFD_EXEC, the sysctl vm.memfd_noexec may add
 * a seal: memfd_create(2). */
static int make_memfd(const char *name, unsigned flags)
{
	enum { EXEC = 0x10 }; /* MFD_EXEC has this value since Linux 6.3 */
	int fd;

	need_files();
	fd = memfd_create(name, flags | EXEC);
	return fd < 0 && errno == EINVAL ? memfd_create(name, flags) : fd;
}

int t_memfd(const char *name, unsigned flags)
{
	int fd = make_memfd(name, flags);

	if (fd < 0)
		t_skip("no-memfd");
	return fd;
}

bool t_in_dir(void)
{
	return pipetest.kind == ON_FILE;
}

/* Prefers a memfd, which needs no directory, unless the case asks for a file. */
static int nameless(void)
{
	int fd = t_in_dir() ? -1 : make_memfd("object", 0);

	if (fd < 0 && pipetest.kind == ON_MEMFD)
		t_skip("no-memfd");
	if (fd < 0 && !pipetest.dir)
		t_skip("no-dir");
	if (fd < 0) {
		fd = t_file("object", 0);
		t_ok(unlink("object"), "unlink");
	}
	return fd;
}

int t_object(size_t len)
{
	int fd = nameless();

	t_truncate(fd, len, 0);
	return fd;
}

int t_data(size_t len)
{
	int fd = nameless();

	t_write(fd, len, len);
	t_seek(fd, 0);
	return fd;
}

void t_put(int fd, char byte, off_t at, long expected)
{
	wantf(ret(pwrite(fd, &byte, 1, at)), expected, "pwrite(%d, %d, 1, %lld)", fd, byte,
		(long long)at);
}

void t_get(int fd, off_t at, char expected)
{
	char byte = 0;

	wantf(ret(pread(fd, &byte, 1, at)), 1, "pread(%d, 1, %lld)", fd, (long long)at);
	want(byte, expected, "the byte it finds");
}

siginfo_t t_fault;
static sigjmp_buf after_fault;

static void note_fault(int sig, siginfo_t *si, void *context)
{
	(void)sig;
	(void)context;
	t_fault = *si;
	siglongjmp(after_fault, 1);
}

int t_fault_of(void *p, char access)
{
	/* SA_NODEFER is for kernels without sigprocmask(2). Elsewhere the mask is restored, too:
	 * qemu-riscv64 7.2 delivers no second fault otherwise. */
	struct sigaction sa = {
		.sa_sigaction = note_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};
	volatile char *byte = p;

	t_needs_call("sigaction");
	memset(&t_fault, 0, sizeof(t_fault));
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	if (sigsetjmp(after_fault, 1) == 0) {
		if (access == 'w')
			*byte = 1;
		else
			(void)*byte;
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return t_fault.si_signo;
}

static void want_fault(void *p, char access, int sig)
{
	wantf(t_fault_of(p, access), sig, "signal of '%c' at %p", access, p);
}

void t_touch(void *p, char access)
{
	want_fault(p, access, 0);
}

static void want_code(int expected)
{
	if (t_fault.si_code != expected && t_emulated())
		t_skip("emulated");
	want(t_fault.si_code, expected, "its si_code");
}

void t_segv(void *p, char access, int si_code)
{
	want_fault(p, access, SIGSEGV);
	want_code(si_code);
}

void t_bus(void *p, char access)
{
	want_fault(p, access, SIGBUS);
	want_code(BUS_ADRERR);
}

bool t_own_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0
		&& mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

bool t_enter(const char *type, const char *options)
{
	t_ok(mkdir(type, 0700), "mkdir");
	return mount(type, type, type, 0, options) == 0 && chdir(type) == 0;
}
