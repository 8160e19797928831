/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A piece of a text that somebody else owns: what parsers cut paths and lines into. */
#ifndef RF_LIB_SPAN_H
#define RF_LIB_SPAN_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define RF_SPAN_DIGITS_MAX 10

struct rf_span {
	const char *s; /* NULL: not found */
	size_t n;
};

static inline bool rf_span_eq(struct rf_span a, const char *b)
{
	return a.n == strlen(b) && memcmp(a.s, b, a.n) == 0;
}

static inline bool rf_span_has_suffix(struct rf_span a, const char *suffix)
{
	size_t n = strlen(suffix);

	return a.n > n && memcmp(a.s + a.n - n, suffix, n) == 0;
}

/* The line that @text begins with, without its end, which is cut off; false: there is no more. */
static inline bool rf_span_next_line(struct rf_span *text, struct rf_span *ret)
{
	const char *end;

	if (!text->n)
		return false;
	end = memchr(text->s, '\n', text->n);
	*ret = (struct rf_span){ text->s, end ? (size_t)(end - text->s) : text->n };
	text->s += ret->n + (end != NULL);
	text->n -= ret->n + (end != NULL);
	return true;
}

/* Something must follow the prefix. */
static inline bool rf_span_cut_prefix(struct rf_span a, const char *prefix, struct rf_span *ret_rest)
{
	size_t n = strlen(prefix);

	if (a.n <= n || memcmp(a.s, prefix, n) != 0)
		return false;
	*ret_rest = (struct rf_span){ a.s + n, a.n - n };
	return true;
}

static inline bool rf_span_cut_suffix(struct rf_span a, const char *suffix, struct rf_span *ret_rest)
{
	if (!rf_span_has_suffix(a, suffix))
		return false;
	*ret_rest = (struct rf_span){ a.s, a.n - strlen(suffix) };
	return true;
}

static inline bool rf_span_is_number(struct rf_span a)
{
	if (!a.n || a.n > RF_SPAN_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (!isdigit((unsigned char)a.s[i]))
			return false;
	}
	return true;
}

/* The decimal digits that @s begins with, taken off. False: there are none, or they are past 2^64 - 1. */
static inline bool rf_span_take_u64(struct rf_span *s, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0;

	for (; i < s->n && s->s[i] >= '0' && s->s[i] <= '9'; i++) {
		unsigned int digit = (unsigned int)(s->s[i] - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (!i)
		return false;
	*ret = value;
	*s = (struct rf_span){ s->s + i, s->n - i };
	return true;
}

/* All of it is such a number. */
static inline bool rf_span_u64(struct rf_span s, uint64_t *ret)
{
	uint64_t value;

	if (!rf_span_take_u64(&s, &value) || s.n)
		return false;
	*ret = value;
	return true;
}

/* What blanks end, taken off with those before it; false: there is nothing but blanks. */
static inline bool rf_span_take_word(struct rf_span *s, struct rf_span *ret)
{
	size_t n = 0;

	while (s->n && (*s->s == ' ' || *s->s == '\t'))
		*s = (struct rf_span){ s->s + 1, s->n - 1 };
	while (n < s->n && s->s[n] != ' ' && s->s[n] != '\t')
		n++;
	*ret = (struct rf_span){ s->s, n };
	*s = (struct rf_span){ s->s + n, s->n - n };
	return n;
}

#endif
