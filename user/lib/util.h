/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small macros that every file needs. */
#ifndef RF_LIB_UTIL_H
#define RF_LIB_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)                     \
	({                            \
		__auto_type _a = (a); \
		__auto_type _b = (b); \
		_a < _b ? _a : _b;    \
	})
#define MAX(a, b)                     \
	({                            \
		__auto_type _a = (a); \
		__auto_type _b = (b); \
		_a > _b ? _a : _b;    \
	})

#define RF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

static inline bool rf_streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline bool rf_strprefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* By how much a counter has grown; one that went back has begun anew. */
static inline uint64_t rf_counter_grown(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

#endif
