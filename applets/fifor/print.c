/*
 * print.c - the messages on stdout: text, JSON, or what a terminal may show
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "fifor.h"

void output_failed(void)
{
	if (errno != EPIPE)
		bb_perror_msg("can't write to standard output");
	exit(EXIT_FAILURE);
}

/* Waits where signals are seen; a piece of PIPE_BUF does not block after POLLOUT. */
void flush_output(struct reader *r)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	size_t done = 0, n;
	ssize_t written;

	r->f.unsaved = 1;
	while (done < r->out_len) {
		n = r->out_len - done;
		if (n > r->out_chunk)
			n = r->out_chunk;
		fifo_poll(&out, 1, INT64_MAX);
		written = safe_write(STDOUT_FILENO, r->out + done, n);
		if (written >= 0)
			done += written;
		else if (errno != EAGAIN)
			output_failed();
	}
	r->out_len = 0;
}

void put_bytes(struct reader *r, const char *buf, size_t len)
{
	while (len) {
		size_t n = OUTPUT - r->out_len;

		if (n > len)
			n = len;
		memcpy(r->out + r->out_len, buf, n);
		r->out_len += n;
		buf += n;
		len -= n;
		if (r->out_len == OUTPUT)
			flush_output(r);
	}
}

/* The length of the UTF-8 character at s, 0 if it is none (RFC 3629). */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	static const unsigned char least[] = { 0, 0, 0, 0xa0, 0x90 }, most[] = { 0, 0, 0, 0x9f, 0x8f };
	size_t n = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;

	if (n > left || ((*s == 0xe0 || *s == 0xf0) && s[1] < least[n])
	    || ((*s == 0xed || *s == 0xf4) && s[1] > most[n]))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void put_json_string(struct reader *r, const char *s, size_t len)
{
	char escape[8];

	for (; len; s++, len--) {
		if (*s == '"' || *s == '\\')
			put_bytes(r, "\\", 1);
		if ((unsigned char)*s < ' ')
			put_bytes(r, escape, sprintf(escape, "\\u%04x", *s));
		else
			put_bytes(r, s, 1);
	}
}

static void put_base64(struct reader *r, const char *s, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)s;
	char four[4];

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = p[i] << 16 | (i + 1 < len ? p[i + 1] << 8 : 0) | (i + 2 < len ? p[i + 2] : 0);

		for (int j = 0; j < 4; j++)
			four[j] = i + j > len ? '=' : digits[bits >> (18 - 6 * j) & 63];
		put_bytes(r, four, 4);
	}
}

static void put_json(struct reader *r, const char *msg, size_t len, const char *frame)
{
	struct timespec ts;
	char head[80];
	size_t i, n;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail with this clock */
	put_bytes(r, head, sprintf(head, "{\"ts\":%jd.%06ld,\"len\":%zu", (intmax_t)ts.tv_sec,
		ts.tv_nsec / 1000, len));
	put_bytes(r, frame, strlen(frame));
	for (i = 0; i < len && (n = utf8_length((const unsigned char *)msg + i, len - i)); i += n)
		;
	if (i == len) {
		put_bytes(r, ",\"data\":\"", 9);
		put_json_string(r, msg, len);
	} else {
		put_bytes(r, ",\"data_b64\":\"", 13);
		put_base64(r, msg, len);
	}
	put_bytes(r, "\"}", 2);
}

/* A terminal obeys control characters, also those of C1, which are two bytes in UTF-8. */
static void put_visible(struct reader *r, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];

		if ((c < ' ' && c != '\t' && c != '\n') || c == 0x7f
		    || (c >= 0x80 && c < 0xa0 && (i == 0 || s[i - 1] == '\xc2')))
			put_bytes(r, "?", 1);
		else
			put_bytes(r, s + i, 1);
	}
}

void put_message(struct reader *r, const char *msg, size_t len, const char *frame)
{
	if (r->f.left == 0)
		return;
	put_bytes(r, r->prefix, strlen(r->prefix));
	if (r->f.json)
		put_json(r, msg, len, frame);
	else if (r->tty)
		put_visible(r, msg, len);
	else
		put_bytes(r, msg, len);
	put_bytes(r, &r->out_end, 1);
	r->f.messages++;
	r->f.bytes += len;
	r->deadline = fifo_deadline(r->f.timeout);
	if (--r->f.left == 0) {
		flush_output(r);
		exit(EXIT_SUCCESS);
	}
}
