/*
 * input.c - the messages of stdin
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifow.h"

char *fifow_input_peek(struct input *in, size_t *len)
{
	char *end = memchr(in->buf + in->seen, in->delimiter, in->len - in->seen);

	if (!end) {
		in->seen = in->len;
		end = in->buf + in->len;
		if (in->len - in->at <= FIFO_MAX_MESSAGE
		    && (!in->eof || in->error || in->len == in->at))
			return NULL;
	}
	*len = end - (in->buf + in->at);
	return in->buf + in->at;
}

void fifow_input_take(struct input *in, size_t len)
{
	in->at += len + 1;
	if (in->at > in->len)
		in->at = in->len; /* The last message had no end. */
	in->seen = in->at;
}

/* The bytes that are left are a part of a message. They move to the front of the buffer. */
void fifow_input_read(struct input *in)
{
	ssize_t n;

	in->len -= in->at;
	in->seen = in->len;
	if (in->at) /* Some memmove(3) copy even to the same place. */
		memmove(in->buf, in->buf + in->at, in->len);
	in->at = 0;
	if (in->len == in->size)
		in->buf = xrealloc(in->buf, in->size *= 2);
	n = safe_read(STDIN_FILENO, in->buf + in->len, in->size - in->len);
	if (n > 0)
		in->len += n;
	else if (n == 0 || errno != EAGAIN)
		in->eof = 1;
	if (n < 0 && in->eof)
		in->error = errno;
	in->hints = n < 0 ? in->hints + 1 : 0;
	in->look = fifo_after_hints(in->hints);
}
