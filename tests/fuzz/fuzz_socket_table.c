// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text is some table; what is found in it is a row of it, and a text cut anywhere has no more rows. */
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

#include "user/collect/task_wait.h"
#include "user/lib/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t rows(struct rf_span text, const struct rf_port_range *given)
{
	struct rf_span rest = text;
	struct rf_socket_row row;
	size_t n = 0;

	for (; rf_socket_table_next(&rest, &row); n++) {
		assert(row.local.family == AF_INET || row.local.family == AF_INET6);
		assert(rest.s + rest.n == text.s + text.n);
		/* Each time the whole is searched. */
		if (n < 16)
			assert((rf_socket_table_opened(text, row.inode, given) != -ENOENT) == (row.inode != 0));
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rf_span all = { (const char *)data, size }, half = { (const char *)data, size / 2 };
	struct rf_port_range given = { 32768, 60999 };
	struct rf_task_call call = { .number = 7 };
	pid_t pids[3];
	size_t n;

	assert(rows(half, &given) <= rows(all, &given) + 1);
	if (rf_port_range_parse(all, &given) == 0)
		assert(given.first && given.first <= given.last);
	else
		assert(given.first == 32768 && given.last == 60999);
	if (rf_task_call_parse(all.s, all.n, &call) == 0)
		assert(call.number >= -1 && (!call.runs || call.number == -1));
	else
		assert(call.number == 7);
	n = rf_task_children_parse(all.s, all.n, pids, ARRAY_SIZE(pids));
	assert(n <= ARRAY_SIZE(pids));
	for (size_t i = 0; i < n; i++)
		assert(pids[i] > 0);
	return 0;
}
