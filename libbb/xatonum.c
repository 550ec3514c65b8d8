/*
 * xatonum.c - strict numbers, sizes and durations
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "libbb.h"

static unsigned digit_of(unsigned char c)
{
	return isdigit(c) ? c - '0' : isalpha(c) ? (c | 32) - 'a' + 10 : INT_MAX;
}

const char *parse_digits(const char *s, unsigned base, uintmax_t *value)
{
	const char *start = s;
	unsigned digit;

	for (*value = 0; (digit = digit_of(*s)) < base; s++)
		if (__builtin_mul_overflow(*value, base, value)
			|| __builtin_add_overflow(*value, (uintmax_t)digit, value))
			return NULL;
	return s == start ? NULL : s;
}

uintmax_t leading_number(const char *str)
{
	uintmax_t value;

	return parse_digits(str, 10, &value) ? value : 0;
}

static void NORETURN invalid(const char *what, const char *str)
{
	bb_show_usage("invalid %s: '%s'", what, str);
}

/* Returns the fraction at *s in billionths, or 0 if there is none. Digits after the ninth are cut
 * off. */
static uintmax_t parse_fraction(const char **s, const char *what, const char *str)
{
	uintmax_t fraction = 0, scale = NS_PER_S;

	if (**s != '.')
		return 0;
	if (!isdigit((unsigned char)*++*s))
		invalid(what, str);
	for (; isdigit((unsigned char)**s); ++*s)
		fraction += (**s - '0') * (scale /= 10);
	return fraction;
}

uintmax_t xatou_range(const char *what, const char *str, uintmax_t min, uintmax_t max)
{
	uintmax_t value;
	const char *s = parse_digits(str, 10, &value);

	if (!s || *s || value < min || value > max)
		invalid(what, str);
	return value;
}

uintmax_t xatosize(const char *what, const char *str, uintmax_t min, uintmax_t max)
{
	static const char prefixes[] = "kmgt";
	uintmax_t value, unit, fraction;
	const char *s = parse_digits(str, 10, &value), *prefix = NULL;

	if (!s)
		invalid(what, str);
	fraction = parse_fraction(&s, what, str);
	if (*s)
		prefix = strchr(prefixes, tolower((unsigned char)*s));
	if (prefix) {
		s++;
		unit = *s == 'B' ? 1000 : 1024;
		s += strcmp(s, "iB") == 0 ? 2 : *s == 'B';
		for (; prefix >= prefixes; prefix--) {
			fraction *= unit;
			if (__builtin_mul_overflow(value, unit, &value)
			    || __builtin_add_overflow(value, fraction / NS_PER_S, &value))
				invalid(what, str);
			fraction %= NS_PER_S;
		}
	} else if (strchr(str, '.')) { /* A byte has no parts. */
		invalid(what, str);
	}
	if (*s || value < min || value > max)
		invalid(what, str);
	return value;
}

int64_t xatodur(const char *what, const char *str)
{
	static const struct {
		char suffix[4];
		int64_t ns;
	} units[] = {
		{ "", NS_PER_S },
		{ "s", NS_PER_S },
		{ "ms", NS_PER_S / 1000 },
		{ "us", NS_PER_S / 1000000 },
		{ "m", 60 * NS_PER_S },
		{ "h", 3600 * NS_PER_S },
	};
	uintmax_t whole = 0, fraction;
	const char *s = *str == '.' ? str : parse_digits(str, 10, &whole);
	int64_t total;
	size_t i;

	if (!s)
		invalid(what, str);
	fraction = parse_fraction(&s, what, str);
	for (i = 0; i < ARRAY_SIZE(units) && strcmp(s, units[i].suffix); i++)
		;
	if (i == ARRAY_SIZE(units)
		|| __builtin_mul_overflow(whole, units[i].ns, &total)
		|| __builtin_add_overflow(
			total, (int64_t)(fraction * (units[i].ns / 1000) / NS_PER_S * 1000),
			&total)
		|| total > INT64_MAX / 2) /* The sum with the clock must not overflow. */
		invalid(what, str);
	return total;
}

int xchoose(const char *what, const char *str, const char *const names[])
{
	int i = 0;

	while (str && strcmp(str, names[i]))
		if (!names[++i])
			bb_show_usage("invalid %s: '%s'", what, str);
	return i;
}
