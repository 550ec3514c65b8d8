/*
 * sleepers.c - what the threads of a process sleep in: a pipe's read or write, a FIFO's open
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <dirent.h>
#include <sys/syscall.h>
#include "pipecap.h"

void pipecap_read_line(int dir, const char *path, char *buf, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : safe_read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	n -= n > 0 && buf[n - 1] == '\n';
	buf[n > 0 ? n : 0] = '\0';
}

/* The file "syscall" (proc(5)) contains "number 0xargument ...", or "running", or "-1 ..." outside
 * of a system call. This process may not be allowed to read it (ptrace(2), PTRACE_MODE_ATTACH). */
struct call pipecap_read_call(int process, const char *tid)
{
	struct call call = { UNKNOWN_CALL, 0, { 0 } };
	char path[300], text[128];
	const char *s = text;

	scnprintf(path, sizeof(path), "task/%s/syscall", tid);
	pipecap_read_line(process, path, text, sizeof(text));
	if (*text == 'r' || *text == '-')
		call.state = NO_CALL;
	if (!isdigit((unsigned char)*text))
		return call;
	s = parse_digits(text, 10, &call.number);
	for (size_t i = 0; i < ARRAY_SIZE(call.args) && s && *s; i++)
		s = parse_digits(s + strlen(" 0x"), 16, call.args + i);
	call.state = s ? SLEEPS_IN_CALL : UNKNOWN_CALL;
	return call;
}

/* Each entry is a call that moves bytes through a descriptor, and the position of the descriptor
 * among the arguments. */
static bool moves_bytes(const struct call *call, int fd)
{
	static const struct { short number, arg; } calls[] = {
		{ SYS_read, 0 }, { SYS_readv, 0 }, { SYS_write, 0 }, { SYS_writev, 0 },
		{ SYS_splice, 0 }, { SYS_splice, 2 }, { SYS_tee, 0 }, { SYS_tee, 1 },
		{ SYS_vmsplice, 0 }, { SYS_sendfile, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (call->number == (unsigned)calls[i].number
		    && call->args[calls[i].arg] == (unsigned)fd)
			return true;
	return false;
}

void pipecap_mark_blocked(struct holder *h, const struct holder *end, const struct call *call)
{
	for (; h < end; h++)
		if (call->state == SLEEPS_IN_CALL && moves_bytes(call, h->fd))
			h->blocked = 1;
		else if (call->state == UNKNOWN_CALL && !h->blocked)
			h->blocked = -1;
}

/* Reads the path that the process gave to open(2), as seen from the root or directory of that
 * process. */
static bool read_path(char *buf, size_t size, int pid, const struct call *call, bool at)
{
	char from[64], *path = buf;
	int mem;
	ssize_t n;

	scnprintf(from, sizeof(from), "/proc/%d/mem", pid);
	mem = open(from, O_RDONLY | O_CLOEXEC);
	if (mem < 0)
		return false;
	path += scnprintf(buf, size, "/proc/%d/", pid);
	if (at && (int)call->args[0] != AT_FDCWD)
		path += scnprintf(path, 32, "fd/%d/", (int)call->args[0]);
	else
		path += scnprintf(path, 32, "cwd/");
	n = pread(mem, path, size - (path - buf), call->args[at]);
	close(mem);
	if (n <= 0 || !memchr(path, '\0', n) || !*path)
		return false;
	if (*path == '/') {
		memmove(buf + scnprintf(from, sizeof(from), "/proc/%d/root", pid), path,
			strlen(path) + 1);
		memcpy(buf, from, strlen(from));
	}
	return true;
}

/* The FIFO is opened with O_PATH, which wakes nobody. /proc then shows the FIFO's name. */
static bool find_fifo(const char *path, struct holder *h, char *name)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	ssize_t n;
	bool found = fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);

	if (found) {
		n = readlink(pipecap_fd_path(0, fd), name, PATH_MAX - 1);
		name[n < 0 ? 0 : n] = '\0';
		h->dev = st.st_dev;
		h->ino = st.st_ino;
		h->uid = st.st_uid;
	}
	if (fd >= 0)
		close(fd);
	return found;
}

bool pipecap_waits_in_open(struct holder *h, const struct call *call, char *name)
{
	bool at = call->number == SYS_openat;
	char path[PATH_MAX + 64];
	unsigned mode = call->args[1 + at] & O_ACCMODE;

	if (call->state != SLEEPS_IN_CALL || (!at && call->number != (unsigned)SYS_open)
	    || mode == O_RDWR || !read_path(path, sizeof(path), h->pid, call, at)
	    || !find_fifo(path, h, name))
		return false;
	h->fd = -1;
	h->reads = mode == O_RDONLY;
	h->writes = mode == O_WRONLY;
	h->blocked = 1;
	return true;
}
