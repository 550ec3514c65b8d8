/*
 * kernel.c - what this kernel allows this process
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/syscall.h>
#include "libbb.h"

int has_capability(int cap)
{
	struct { uint32_t version; int32_t pid; } header = { 0x20080522, 0 };
	struct { uint32_t effective, permitted, inheritable; } data[2] = { { 0, 0, 0 } };

	return syscall(SYS_capget, &header, data) == 0 && data[cap / 32].effective >> cap % 32 & 1;
}

long read_number(const char *path)
{
	char text[32];
	uintmax_t value;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : safe_read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return parse_digits(text, 10, &value) ? (long)value : -1;
}
