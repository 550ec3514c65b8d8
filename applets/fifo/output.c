/*
 * output.c - the messages on stdout: text, JSON, or what a terminal may show
 *
 * SPDX-License-Identifier: 0BSD
 */
#include <sys/syscall.h>
#include <sys/uio.h>
#include "fifor.h"

void fifor_output_failed(void)
{
	if (errno != EPIPE)
		bb_perror_msg("can't write to standard output");
	exit(EXIT_FAILURE);
}

/* RWF_NOWAIT of pwritev2(2) fills a pipe without blocking. Where it cannot, poll(2) waits, and
 * notices signals. After POLLOUT a write of PIPE_BUF bytes does not block. */
static ssize_t put_some(const struct reader *r, const char *buf, size_t len)
{
	enum { MY_RWF_NOWAIT = 8 };
	struct iovec all = { (char *)buf, len };
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t n = syscall(SYS_pwritev2, STDOUT_FILENO, &all, 1, -1L, -1L, MY_RWF_NOWAIT);

	if (n > 0)
		return n;
	fifo_poll(&out, 1, INT64_MAX);
	return safe_write(STDOUT_FILENO, buf, len < r->out.chunk ? len : r->out.chunk);
}

void fifor_flush_output(struct reader *r)
{
	size_t done = 0;
	ssize_t n;
	int hints = 0;

	r->f.unsaved = 1;
	while (done < r->out.len) {
		n = put_some(r, r->out.buf + done, r->out.len - done);
		if (n >= 0)
			done += n;
		else if (errno != EAGAIN)
			fifor_output_failed();
		hints = n < 0 ? hints + 1 : 0;
		fifo_rest(hints, INT64_MAX);
	}
	r->out.len = 0;
}

void fifor_put_bytes(struct reader *r, const char *buf, size_t len)
{
	while (len) {
		size_t n = OUTPUT - r->out.len;

		if (n > len)
			n = len;
		memcpy(r->out.buf + r->out.len, buf, n);
		r->out.len += n;
		buf += n;
		len -= n;
		if (r->out.len == OUTPUT)
			fifor_flush_output(r);
	}
}

static void put_json_string(struct reader *r, const char *s, size_t len)
{
	char escape[8];
	size_t n;

	for (; len; s += n, len -= n) {
		n = unsafe_len(s, len);
		if (n) {
			fifor_put_bytes(r, escape, scnprintf(escape, sizeof(escape), "\\u%04x",
				utf8_code(s, n)));
			continue;
		}
		if (*s == '"' || *s == '\\')
			fifor_put_bytes(r, "\\", 1);
		n = utf8_len(s, len);
		fifor_put_bytes(r, s, n);
	}
}

static void put_base64(struct reader *r, const char *s, size_t len)
{
	char four[4];

	for (size_t i = 0; i < len; i += 3) {
		base64_four(four, s + i, len - i);
		fifor_put_bytes(r, four, sizeof(four));
	}
}

static void put_json(struct reader *r, const char *msg, size_t len, const char *frame)
{
	struct timespec ts;
	char head[80];

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	fifor_put_bytes(r, head, scnprintf(head, sizeof(head), "{\"ts\":%jd.%06ld,\"len\":%zu",
		(intmax_t)ts.tv_sec,
		ts.tv_nsec / 1000, len));
	fifor_put_bytes(r, frame, strlen(frame));
	if (is_utf8(msg, len)) {
		fifor_put_bytes(r, ",\"data\":\"", 9);
		put_json_string(r, msg, len);
	} else {
		fifor_put_bytes(r, ",\"data_b64\":\"", 13);
		put_base64(r, msg, len);
	}
	fifor_put_bytes(r, "\"}", 2);
}

/* Of the characters that act on a terminal, it gets the tab and the newline only. */
static void put_visible(struct reader *r, const char *s, size_t len)
{
	size_t n;

	for (; len; s += n, len -= n) {
		n = unsafe_len(s, len);
		if (n && *s != '\t' && *s != '\n') {
			fifor_put_bytes(r, "?", 1);
		} else {
			n = utf8_len(s, len);
			fifor_put_bytes(r, s, n);
		}
	}
}

int fifor_is_pending(const struct reader *r)
{
	int pending = r->frames.held != 0;

	for (const struct end *e = r->ends.named; e; e = e->older)
		pending |= e->rest.len || e->part.len;
	return pending;
}

int fifor_wants_more(const struct reader *r)
{
	return r->f.left || fifor_is_pending(r);
}

/* When the last wanted message is printed, the time begins in which messages that have come in part
 * must come whole. */
void fifor_put_message(struct reader *r, const char *msg, size_t len, const char *frame)
{
	fifor_put_bytes(r, r->out.prefix, strlen(r->out.prefix));
	if (r->f.asked.json)
		put_json(r, msg, len, frame ? frame : "");
	else if (r->out.tty)
		put_visible(r, msg, len);
	else
		fifor_put_bytes(r, msg, len);
	fifor_put_bytes(r, &r->out.end, 1);
	r->f.count.messages++;
	r->f.count.bytes += len;
	if (r->f.left) {
		r->f.left--;
		r->deadline = fifo_deadline(r->f.left ? r->f.asked.timeout : TURN_S * NS_PER_S);
	}
}

void fifor_report_bytes(const struct reader *r, const char *what, uintmax_t bytes)
{
	if (r->f.asked.verbose >= 0)
		bb_error_msg("%s=%ju", what, bytes);
}

void fifor_buffer_add(struct buffer *b, const void *data, size_t len)
{
	if (b->len + len > b->size)
		b->data = xrealloc(b->data, b->size = 2 * (b->len + len));
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}
