/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's small text files: one number, or lines "key number" (flat keyed, in the words of cgroup-v2.rst). */
#ifndef RF_COLLECT_FLAT_KEYED_H
#define RF_COLLECT_FLAT_KEYED_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Decimal digits up to the end of the line, and nothing else: 0 or -EBADMSG. */
static inline int rf_line_u64(const char *line, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	if (*line < '0' || *line > '9')
		return -EBADMSG;
	errno = 0;
	value = strtoull(line, &end, 10);
	if (errno || (*end && *end != '\n'))
		return -EBADMSG;
	*ret = value;
	return 0;
}

/* What is behind @key and a blank in the first such line; NULL: there is none. */
static inline const char *rf_flat_keyed_find(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, n) && line[n] == ' ')
			return line + n + 1;
	}
	return NULL;
}

#endif
