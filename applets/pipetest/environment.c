/*
 * environment.c - finds out once what the cases must know of this machine, and prints the header
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/resource.h>
#include <sched.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include "engine.h"

/* Times forks and round trips, of which the cases mainly consist. A current PC takes about 10 ms.
 * An emulated board takes ten times as long and gets ten times the limits. The factor is at most
 * 10, because a busy moment would otherwise let a case that hangs last for an hour. */
static double calibrate(void)
{
	enum { FORKS = 10, TRIPS = 50, USUAL_NS = 10000000, MAX = 10 };
	int64_t start = monotonic_ns();
	double factor;

	for (int i = 0; i < FORKS; i++) {
		int to[2], from[2];
		char byte = 0;
		pid_t pid;

		xpipe(to);
		xpipe(from);
		pid = xfork();
		if (pid == 0) {
			for (int trip = 0; trip < TRIPS; trip++)
				if (safe_read(to[0], &byte, 1) != 1
					|| safe_write(from[1], &byte, 1) != 1)
					break;
			_exit(EXIT_SUCCESS);
		}
		for (int trip = 0; trip < TRIPS; trip++)
			if (safe_write(to[1], &byte, 1) != 1 || safe_read(from[0], &byte, 1) != 1)
				break;
		for (int end = 0; end < 2; end++) {
			close(to[end]);
			close(from[end]);
		}
		waitpid(pid, NULL, 0);
	}
	factor = (double)(monotonic_ns() - start) / USUAL_NS;
	return factor < 1 ? 1 : factor > MAX ? MAX : factor;
}

/* After unshare -p without --mount-proc, /proc belongs to another PID namespace and describes other
 * processes. fork(2) returns the child's number, which must be the first field of the child's
 * /proc/self/stat: proc(5). getpid(2), which a kernel may lack, is not needed. */
static bool proc_is_ours(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		char self[16] = "";
		int fd = open("/proc/self/stat", O_RDONLY);

		if (fd >= 0 && read(fd, self, sizeof(self) - 1) > 0)
			pipetest.shared->proc_self = leading_number(self);
		_exit(EXIT_SUCCESS);
	}
	return waitpid(pid, &status, 0) == pid && pipetest.shared->proc_self == pid;
}

/* Makes the memory that the engine shares with the cases, by shmat(2) where mmap(2) fails. */
static void make_shared(void)
{
	size_t size = sizeof(*pipetest.shared);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		int err = errno, id = shmget(IPC_PRIVATE, size, 0600);

		p = id < 0 ? MAP_FAILED : shmat(id, NULL, 0);
		if (id >= 0)
			(void)shmctl(id, IPC_RMID, NULL);
		errno = err;
	}
	if (p == MAP_FAILED)
		bb_perror_msg_and_die("can't map %zu shared bytes", size);
	pipetest.shared = p;
	t.stream = &pipetest.shared->stream;
}

void pipetest_probe(const char *dir)
{
	enum { MIN_FDS = 32 };
	struct rlimit limit;
	int fd[2];

	t.page = getpagesize();
	make_shared();
	pipetest_probe_calls();
	umask(022);
	pipetest.text_room = TEXT_SIZE;
	pipetest.few_fds = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < MIN_FDS;
	xpipe(fd);
	t.pipe_buf = fpathconf(fd[1], _PC_PIPE_BUF);
	close(fd[0]);
	close(fd[1]);
	t.proc = proc_is_ours();
	pipetest.no_proc = t_lacks("open") ? "no-open" : "no-proc";
	t.factor = calibrate();
	pipetest.dir = pipetest_directory_make(dir);
	pipetest.no_dir = t_lacks("mkdir") ? "no-mkdir" : t_lacks("chdir") ? "no-chdir" : "no-dir";
}

/* These are the structs of version 3 in capget(2), which has up to 64 capabilities. */
struct cap_header {
	uint32_t version;
	int32_t pid;
};
struct cap_data {
	uint32_t effective, permitted, inheritable;
};

void t_drop_capabilities(void)
{
	struct cap_header header = { 0x20080522, 0 };
	struct cap_data none[2] = { { 0, 0, 0 } };

	if (syscall(SYS_capset, &header, none) < 0)
		t_skip("no-capset");
}

/* qemu's user mode makes the socket pair, then fails to store the descriptors' numbers at a bad
 * address, and leaves the two descriptors open. */
static bool pair_is_lost(void)
{
	void *nowhere = t_nowhere();
	int before = dup(t.r), after;

	close(before);
	(void)!socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere);
	after = dup(t.r);
	close(after);
	return after != before;
}

/* qemu's user mode also reports 0 threads in field 20 of /proc/self/stat: proc(5). */
static bool has_no_threads(void)
{
	enum { BETWEEN_NAME_AND_THREADS = 18 };
	char stat[512];
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, stat, sizeof(stat) - 1);
	const char *at;

	close(fd);
	stat[n < 0 ? 0 : n] = '\0';
	at = strrchr(stat, ')');
	for (int i = 0; at && i < BETWEEN_NAME_AND_THREADS; i++)
		at = strchr(at + 1, ' ');
	return at && leading_number(at + 1) == 0;
}

bool t_emulated(void)
{
	return has_no_threads() && pair_is_lost();
}

static const char *file_system(char *buf, size_t size)
{
	static const struct {
		unsigned long magic;
		char name[10];
	} known[] = {
		{ 0xEF53, "ext4" },
		{ 0x01021994, "tmpfs" },
		{ 0x858458F6, "ramfs" },
		{ 0x9123683E, "btrfs" },
		{ 0x58465342, "xfs" },
		{ 0x794C7630, "overlay" },
		{ 0x01021997, "9p" },
		{ 0x6969, "nfs" },
		{ 0x4D44, "vfat" },
		{ 0xF2F52010, "f2fs" },
		{ 0x24051905, "ubifs" },
		{ 0x65735546, "fuse" },
	};
	struct statfs fs;

	if (statfs(".", &fs) < 0)
		return "unknown";
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].magic == (unsigned long)fs.f_type)
			return known[i].name;
	scnprintf(buf, size, "magic %#lx", (unsigned long)fs.f_type);
	return buf;
}

int pipetest_processors(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	(void)sched_getaffinity(0, sizeof(set), &set);
	return CPU_COUNT(&set);
}

void pipetest_print_environment(void (*line)(const char *fmt, ...))
{
	struct utsname u;
	const int one = 1;
	unsigned tenths = (unsigned)(10 * t.factor + 0.5);
	char magic[32], largest[24];
	long max = read_number("/proc/sys/fs/pipe-max-size");
	int fd[2], size;

	uname(&u);
	xpipe(fd);
	size = fcntl(fd[0], F_GETPIPE_SZ);
	line("# ipcbox %s pipetest on %s %s %s, %zu bits, %s endian\n", VERSION, u.sysname,
		u.release, u.machine, CHAR_BIT * sizeof(long), *(char *)&one ? "little" : "big");
	scnprintf(largest, sizeof(largest), max < 0 ? "unknown" : "%ld", max);
	line("# page %zu, PIPE_BUF %zu, a new pipe %d, pipe-max-size %s\n", t.page, t.pipe_buf,
		size, largest);
	line("# %s\n",
		size < (int)(16 * t.page)
			? "over the pipe quota (pipe-user-pages-soft): new pipes are small"
			: "within the pipe quota");
	line("# uid %d, CAP_SYS_RESOURCE %s, %d processors\n", (int)getuid(),
		has_capability(CAP_SYS_RESOURCE) ? "yes" : "no", pipetest_processors());
	line("# SIGPIPE inherited as %s, /proc %s, clock CLOCK_MONOTONIC\n",
		bb_sigpipe_was_ignored ? "ignored"
			: sigismember(&bb_inherited_mask, SIGPIPE) ? "blocked"
			: "default",
		t.proc ? "yes" : "no");
	line("# files in %s (%s), time factor %u.%u, seed %u\n",
		pipetest.dir ? pipetest_directory_name() : "none",
		pipetest.dir ? file_system(magic, sizeof(magic)) : "no directory to write in",
		tenths / 10, tenths % 10, (unsigned)t.seed);
	close(fd[0]);
	close(fd[1]);
}
