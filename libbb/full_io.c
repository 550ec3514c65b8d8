/*
 * full_io.c - read(2) and write(2) without surprises
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

ssize_t safe_read(int fd, void *buf, size_t len)
{
	ssize_t n;

	do
		n = read(fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n;
}

ssize_t safe_write(int fd, const void *buf, size_t len)
{
	ssize_t n;

	do
		n = write(fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n;
}

ssize_t full_read(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = safe_read(fd, (char *)buf + done, len - done);

		if (n < 0 && done == 0)
			return -1;
		if (n <= 0)
			break;
		done += n;
	}
	return done;
}

ssize_t full_write(int fd, const void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = safe_write(fd, (const char *)buf + done, len - done);

		if (n < 0)
			return done ? (ssize_t)done : -1;
		done += n;
	}
	return done;
}
