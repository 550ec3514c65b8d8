/*
 * printf.c - text from a format, for a buffer or for stdout
 *
 * Not libc's: with floating point, wide characters and locks that is 14 KB of musl, a tenth
 * of the six applets, for conversions that nothing here uses. There are %c %s %p %d %u %x %o
 * and %%, the flags - 0 and #, a width, the precision of a string, and the lengths l ll j z;
 * they mean what POSIX fprintf says.
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

struct sink {
	char *at, *end;
	size_t lost;		/* bytes that did not fit */
};

struct conversion {
	char left, zero, alternate, wide, ells;
	int width, precision;			/* -1: none */
};

/* By address a va_list goes from function to function only within a struct. */
struct arguments {
	va_list list;
};

static char out_buffer[16 * 1024];
static struct sink out = { out_buffer, out_buffer + sizeof(out_buffer), 0 };

/* Also when exit(3) finds something left; then the status is set already. */
int __attribute__((destructor)) flush_stdout(void)
{
	ssize_t len = out.at - out_buffer;

	out.at = out_buffer;
	return full_write(STDOUT_FILENO, out_buffer, len) == len ? 0 : -1;
}

static void put(struct sink *s, const char *text, size_t len)
{
	while (len) {
		size_t room = s->end - s->at, n = len < room ? len : room;

		memcpy(s->at, text, n);
		s->at += n;
		text += n;
		len -= n;
		if (!len)
			break;
		if (s != &out) {
			s->lost += len;
			break;
		}
		xfflush_stdout();
	}
}

static void pad(struct sink *s, char c, int width)
{
	while (width-- > 0)
		put(s, &c, 1);
}

static void put_string(struct sink *s, const struct conversion *c, const char *text, size_t len)
{
	if (!c->left)
		pad(s, ' ', c->width - (int)len);
	put(s, text, len);
	if (c->left)
		pad(s, ' ', c->width - (int)len);
}

static void put_number(struct sink *s, struct conversion *c, const char *prefix, uintmax_t value,
	unsigned base)
{
	char digits[3 * sizeof(value)], *at = digits + sizeof(digits);
	size_t signs = strlen(prefix), len;

	do
		*--at = "0123456789abcdef"[value % base];
	while (value /= base);
	len = digits + sizeof(digits) - at;
	c->width -= signs;
	if (!c->left && !c->zero)
		pad(s, ' ', c->width - (int)len);
	put(s, prefix, signs);
	if (c->zero)
		pad(s, '0', c->width - (int)len);
	if (!c->left)
		c->width = 0;
	put_string(s, c, at, len);
}

/* What is between the % and the letter, to which it returns. */
static const char *parse(struct conversion *c, const char *fmt, struct arguments *a)
{
	*c = (struct conversion){ .precision = -1 };
	for (;; fmt++) {
		if (*fmt == '-')
			c->left = 1;
		else if (*fmt == '0')
			c->zero = 1;
		else if (*fmt == '#')
			c->alternate = 1;
		else
			break;
	}
	for (; isdigit((unsigned char)*fmt); fmt++)
		c->width = 10 * c->width + *fmt - '0';
	if (*fmt == '.') {
		c->precision = va_arg(a->list, int); /* always ".*" */
		fmt += 2;
	}
	for (; strchr("ljz", *fmt); fmt++)
		c->wide |= c->ells++ || *fmt == 'j' || sizeof(long) == sizeof(intmax_t);
	return fmt;
}

/* A long that is not wide is passed as an int is. */
static uintmax_t integer(struct arguments *a, int wide, int is_signed)
{
	unsigned value;

	if (wide)
		return va_arg(a->list, uintmax_t);
	value = va_arg(a->list, unsigned);
	return is_signed ? (uintmax_t)(int)value : value;
}

static void convert(struct sink *s, struct conversion *c, char letter, struct arguments *a)
{
	const char *text = &letter, *prefix = "";
	uintmax_t value;

	if (letter == 's') {
		text = va_arg(a->list, const char *);
		put_string(s, c, text, strnlen(text, c->precision));
		return;
	}
	if (letter == 'c' || letter == '%') {
		if (letter == 'c')
			letter = va_arg(a->list, int);
		put_string(s, c, text, 1);
		return;
	}
	if (letter == 'p')
		c->wide = sizeof(void *) == sizeof(uintmax_t);
	value = integer(a, c->wide, letter == 'd');
	if (letter == 'd' && (intmax_t)value < 0) {
		prefix = "-";
		value = -value;
	} else if (value && (c->alternate || letter == 'p')) {
		prefix = letter == 'o' ? "0" : "0x";
	}
	put_number(s, c, prefix, value, letter == 'o' ? 8 : strchr("du", letter) ? 10 : 16);
}

static void format(struct sink *s, const char *fmt, va_list args)
{
	struct arguments a;

	va_copy(a.list, args);
	while (*fmt) {
		size_t len = strcspn(fmt, "%");
		struct conversion c;

		put(s, fmt, len);
		fmt += len;
		if (*fmt) {
			fmt = parse(&c, fmt + 1, &a);
			convert(s, &c, *fmt++, &a);
		}
	}
	va_end(a.list);
}

size_t vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct sink s = { buf, buf + size - 1, 0 };

	format(&s, fmt, args);
	*s.at = '\0';
	return s.at - buf;
}

size_t scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	size_t len;
	va_list args;

	va_start(args, fmt);
	len = vscnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}

char *xasprintf(const char *fmt, ...)
{
	struct sink s = { out_buffer, out_buffer, 0 }; /* no NULL: memcpy(3) takes none */
	char *text;
	va_list args;

	va_start(args, fmt);
	format(&s, fmt, args);
	va_end(args);
	text = xmalloc(s.lost + 1);
	va_start(args, fmt);
	vscnprintf(text, s.lost + 1, fmt, args);
	va_end(args);
	return text;
}

/* A terminal gets each line at once. */
static void end_of_line(void)
{
	static int terminal = -1;

	if (out.at == out_buffer || out.at[-1] != '\n')
		return;
	if (terminal < 0)
		terminal = isatty(STDOUT_FILENO);
	if (terminal)
		xfflush_stdout();
}

void xprintf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	format(&out, fmt, args);
	va_end(args);
	end_of_line();
}

void xwrite_stdout(const void *data, size_t len)
{
	put(&out, data, len);
	end_of_line();
}

void xfflush_stdout(void)
{
	if (flush_stdout() == 0)
		return;
	if (errno != EPIPE)
		bb_perror_msg("can't write to standard output");
	exit(EXIT_FAILURE); /* temporary files go */
}

