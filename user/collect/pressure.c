// SPDX-License-Identifier: GPL-2.0-or-later
/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=123", and "full ..." behind it; microseconds. */
#include "user/collect/pressure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/clock.h"
#include "user/lib/fs.h"
#include "user/lib/span.h"

#define PRESSURE_MAX 4096

int rf_pressure_parse(const char *text, size_t len, uint64_t *ret)
{
	struct rf_span rest = { text, len }, line;
	const char *at;
	uint64_t value;

	if (!rf_span_next_line(&rest, &line) || line.n < 5 || memcmp(line.s, "some ", 5) != 0)
		return -EBADMSG;
	at = memmem(line.s, line.n, " total=", 7);
	if (!at || !rf_span_u64((struct rf_span){ at + 7, line.n - (size_t)(at + 7 - line.s) }, &value) ||
	    value > UINT64_MAX / RF_NSEC_PER_USEC)
		return -EBADMSG;
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
