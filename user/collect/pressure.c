// SPDX-License-Identifier: GPL-2.0-or-later
/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=123", and "full ..." behind it; microseconds. */
#include "user/collect/pressure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/clock.h"
#include "user/lib/fs.h"

#define PRESSURE_MAX 4096

int rf_pressure_parse(const char *text, size_t len, uint64_t *ret)
{
	const char *end = memchr(text, '\n', len), *at;
	uint64_t value = 0;
	size_t n = end ? (size_t)(end - text) : len;

	if (n < 5 || memcmp(text, "some ", 5) != 0)
		return -EBADMSG;
	at = memmem(text, n, " total=", 7);
	if (!at || at + 7 == text + n)
		return -EBADMSG;
	for (at += 7; at < text + n; at++) {
		if (*at < '0' || *at > '9' || value > (UINT64_MAX / RF_NSEC_PER_USEC - 9) / 10)
			return -EBADMSG;
		value = value * 10 + (*at - '0');
	}
	*ret = value * RF_NSEC_PER_USEC;
	return 0;
}

int rf_pressure_read(int root_fd, const char *path, const char *file, uint64_t *ret)
{
	_cleanup_free_ char *text = NULL;
	char name[4096];
	size_t len;
	int r;

	if (*path != '/' ||
	    snprintf(name, sizeof(name), "%s%s%s", path + 1, path[1] ? "/" : "", file) >= (int)sizeof(name))
		return -EINVAL;
	r = rf_fs_read(root_fd, name, PRESSURE_MAX, &text, &len);
	return r < 0 ? r : rf_pressure_parse(text, len, ret);
}
