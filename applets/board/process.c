/*
 * process.c - know this boot, find the writer's process, answer the signal that asks for a status
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "board.h"

/* Reads a file of /proc, as a string. One read(2) takes all of a file that is so short. The string
 * is empty if the file cannot be read. */
static void read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : safe_read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[len < 0 ? 0 : len] = '\0';
}

size_t board_hex_bytes(unsigned char *to, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n < 2 * size; text++)
		if (isxdigit((unsigned char)*text)) {
			to[n / 2] = to[n / 2] << 4 | ((*text & 15) + (*text > '9' ? 9 : 0));
			n++;
		}
	return n;
}

void board_boot_id(unsigned char id[16])
{
	char text[64];

	read_file("/proc/sys/kernel/random/boot_id", text, sizeof(text));
	memset(id, 0, 16);
	(void)board_hex_bytes(id, 16, text); /* without /proc there are no digits: all stays 0 */
}

void board_unblock(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static volatile sig_atomic_t status_asked;

static void on_usr1(int sig)
{
	(void)sig;
	status_asked = 1;
}

void board_catch_usr1(int flags)
{
	struct sigaction sa = { .sa_handler = on_usr1, .sa_flags = flags }, old;

	if (sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(SIGUSR1, &sa, NULL);
}

int board_status_asked(void)
{
	int asked = status_asked;

	status_asked = 0;
	return asked;
}

/* Returns the start of a process, or 0, and copies its name. The file is "412 (name) S 1 ...",
 * where the name may hold spaces and brackets, and field 22 is the start (proc_pid_stat(5)). */
static uint64_t start_in(const char *path, char name[32])
{
	char buf[1024], *comm, *end, *s;
	uintmax_t start;

	read_file(path, buf, sizeof(buf));
	comm = strchr(buf, '(');
	end = strrchr(buf, ')');
	if (!comm || !end)
		return 0;
	scnprintf(name, 32, "%.*s", (int)(end - comm - 1), comm + 1);
	s = end;
	for (int field = 3; s && field <= 22; field++)
		s = strchr(s + 1, ' ');
	return s && parse_digits(s + 1, 10, &start) ? start : 0;
}

/* "self" is right in each PID namespace. The pid is right only where /proc was mounted in the
 * namespace of the process. */
uint64_t board_own_start(void)
{
	char name[32];

	return start_in("/proc/self/stat", name);
}

uint64_t board_writer_start(const struct board *b)
{
	uint32_t words[2] = { atomic_load(b->map + BOARD_WORD(writer_start)),
		atomic_load(b->map + BOARD_WORD(writer_start) + 1) };
	uint64_t start;

	memcpy(&start, words, sizeof(start));
	return b->swap ? __builtin_bswap64(start) : start;
}

const char *board_writer_name(const struct board *b, char name[32])
{
	uint64_t start = board_writer_start(b);
	uint32_t pid = board_word(b, BOARD_WORD(writer_pid));
	char path[32];

	scnprintf(path, sizeof(path), "/proc/%u/stat", (unsigned)pid);
	return start && start == start_in(path, name) ? name : NULL;
}

uint64_t board_now(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts); /* it fails only for a clock that is unknown */
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}
