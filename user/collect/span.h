/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A piece of a text that somebody else owns: what the parsers here cut paths and lines into. */
#ifndef RF_COLLECT_SPAN_H
#define RF_COLLECT_SPAN_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
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

#endif
