// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Globs, by following all ways to match at once: after each byte of the text
 * there is an ascending list of the places in the pattern that may come next.
 * Most patterns keep a list of one to three places, and none can need more
 * than one step a place and byte, so that a tenant's name costs nobody time.
 */
#include "user/model/selector.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum token_kind { TOKEN_END, TOKEN_INVALID, TOKEN_BYTE, TOKEN_ANY, TOKEN_CLASS, TOKEN_STAR, TOKEN_STARS };

/* One byte of a class, '\' undone. Moves past it; false at the end of the pattern. */
static bool class_byte(const unsigned char **p, unsigned char *ret)
{
	if (**p == '\\')
		(*p)++;
	if (!**p)
		return false;
	*ret = *(*p)++;
	return true;
}

/*
 * Walks the class at @p ('[' already passed) and says whether @c is in it. NULL when it is not well-formed, then
 * *ret_error says why; else the byte after the ']'.
 */
static const unsigned char *scan_class(const unsigned char *p, unsigned char c, bool *ret_in, const char **ret_error)
{
	bool negated = *p == '!', in = false, first = true;
	unsigned char low, high;

	if (negated)
		p++;
	for (; first || *p != ']'; first = false) {
		*ret_error = "'[' without a ']'";
		if (!class_byte(&p, &low))
			return NULL;
		high = low;
		if (p[0] == '-' && p[1] != ']') {
			p++;
			if (!class_byte(&p, &high))
				return NULL;
		}
		*ret_error = "a range that ends before it begins";
		if (high < low)
			return NULL;
		in |= low <= c && c <= high;
	}
	*ret_in = in != negated;
	return p + 1;
}

/* The token at @p, and where the next one begins. *ret_hit: does a token of one byte match @c? */
static enum token_kind next_token(const unsigned char *p, unsigned char c, bool *ret_hit,
				  const unsigned char **ret_next, const char **ret_error)
{
	switch (*p) {
	case '\0':
		return TOKEN_END;
	case '*':
		*ret_next = p + (p[1] == '*' ? 2 : 1);
		return p[1] == '*' ? TOKEN_STARS : TOKEN_STAR;
	case '?':
		*ret_hit = true;
		*ret_next = p + 1;
		return TOKEN_ANY;
	case '[':
		*ret_next = scan_class(p + 1, c, ret_hit, ret_error);
		return *ret_next ? TOKEN_CLASS : TOKEN_INVALID;
	case '\\':
		p++;
		*ret_error = "'\\' at the end";
		if (!*p)
			return TOKEN_INVALID;
		break;
	}
	*ret_hit = *p == c;
	*ret_next = p + 1;
	return TOKEN_BYTE;
}

const char *rf_glob_check(const char *pattern)
{
	const unsigned char *p = (const unsigned char *)pattern, *next = p;
	const char *error = NULL;
	bool hit;

	for (;; p = next) {
		enum token_kind kind = next_token(p, 0, &hit, &next, &error);

		if (kind == TOKEN_INVALID)
			return error;
		if (kind == TOKEN_END)
			break;
	}
	if ((const char *)p - pattern > RF_STRING_MAX)
		return "longer than a string may be";
	return NULL;
}

/* Ascending places in a pattern, each at most once. */
struct places {
	size_t n;
	uint16_t at[RF_STRING_MAX + 1];
};
_Static_assert(RF_STRING_MAX < UINT16_MAX, "a place has 16 bits");

/*
 * Adds @place, and what stands behind it when it is a star that matches nothing. Callers come with places in ascending
 * order, so whatever is not above the last one is already there.
 */
static void add_place(struct places *l, const unsigned char *pattern, size_t place)
{
	while (l->n == 0 || place > l->at[l->n - 1]) {
		l->at[l->n++] = place;
		if (pattern[place] != '*')
			return;
		place += pattern[place + 1] == '*' ? 2 : 1;
	}
}

bool rf_glob_match(const char *pattern, const char *text, char separator)
{
	const unsigned char *p = (const unsigned char *)pattern;
	struct places lists[2], *now = &lists[0], *then = &lists[1];

	if (strnlen(pattern, RF_STRING_MAX + 1) > RF_STRING_MAX)
		return false;
	now->n = 0;
	add_place(now, p, 0);
	for (const unsigned char *c = (const unsigned char *)text; *c && now->n; c++) {
		bool at_separator = separator && *c == (unsigned char)separator;
		struct places *swap = now;

		then->n = 0;
		for (size_t i = 0; i < now->n; i++) {
			const unsigned char *next = NULL;
			const char *error;
			bool hit = false;

			switch (next_token(p + now->at[i], *c, &hit, &next, &error)) {
			case TOKEN_END:
			case TOKEN_INVALID:
				break;
			case TOKEN_STAR:
				if (!at_separator)
					add_place(then, p, now->at[i]);
				break;
			case TOKEN_STARS:
				add_place(then, p, now->at[i]);
				break;
			case TOKEN_ANY:
			case TOKEN_CLASS:
				hit = hit && !at_separator;
				/* fallthrough */
			case TOKEN_BYTE:
				if (hit)
					add_place(then, p, next - p);
				break;
			}
		}
		now = then;
		then = swap;
	}
	return now->n && !p[now->at[now->n - 1]];
}
