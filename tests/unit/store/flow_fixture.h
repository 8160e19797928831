/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A history in a directory of its own, and made-up flows for it. */
#ifndef TESTS_STORE_FLOW_FIXTURE_H
#define TESTS_STORE_FLOW_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "ringfence/limits.h"
#include "user/lib/fs.h"
#include "user/store/flow_history.h"

#define SECOND 1000000000ULL
#define NOW    (1700000000ULL * SECOND)

static char dir[64], path[96];

static inline int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/rf-flows-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/flows.db", dir);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	umount2(dir, MNT_DETACH);
	return rf_fs_remove_tree(dir);
}

static const struct rf_identity identity = { .manager = RF_MANAGER_SYSTEMD,
					     .path = (char *)"/system.slice/app.service",
					     .unit = (char *)"app.service" };

/* A flow to 10.x.y.z, which @n counts up. */
static inline struct rf_flow_seen seen_of(unsigned int n)
{
	return (struct rf_flow_seen){
		.workload = "t/n/app",
		.below = "",
		.cgroup_id = 7,
		.identity = &identity,
		.key = { .direction = RF_EGRESS,
			 .protocol = 6,
			 .family = AF_INET,
			 .port = 443,
			 .address = { 10, n >> 16, n >> 8, n } },
		.verdict = RF_ALLOW,
		.time_ns = NOW,
		.times = 1,
	};
}

static inline struct rf_flow_history *history_new(size_t max)
{
	struct rf_flow_history *h = NULL;

	assert_int_equal(rf_flow_history_new(max, path, &h), 0);
	return h;
}

static inline void add(struct rf_flow_history *h, const struct rf_flow_seen *seen)
{
	assert_int_equal(rf_flow_history_add(h, seen), 0);
}

static inline void add_n(struct rf_flow_history *h, unsigned int n)
{
	const struct rf_flow_seen seen = seen_of(n);

	add(h, &seen);
}

static inline int sync_at(struct rf_flow_history *h, uint64_t now, const char *said)
{
	_cleanup_free_ char *error = NULL;
	int r = rf_flow_history_sync(h, now, &error);

	if (r < 0 && !said)
		fail_msg("%s", error);
	if (said) {
		assert_non_null(error);
		if (!strstr(error, said) || !strstr(error, path))
			fail_msg("\"%s\" does not say \"%s\"", error, said);
	}
	return r;
}

static inline void written(struct rf_flow_history *h)
{
	assert_int_equal(sync_at(h, NOW, NULL), 0);
}

static inline size_t rows_of(const struct rf_flow_history *h)
{
	struct rf_flow_history_stats stats;

	rf_flow_history_stats(h, &stats);
	return stats.rows;
}

static inline struct rf_flow_history_stats stats_of(const struct rf_flow_history *h)
{
	struct rf_flow_history_stats stats;

	rf_flow_history_stats(h, &stats);
	return stats;
}

struct found {
	const struct rf_flow *flow;
	uint8_t last;	  /* byte of the address */
	const char *peer; /* NULL: any */
};

static inline void find_one(const struct rf_flow *flow, void *arg)
{
	struct found *found = arg;

	if (flow->key.address[3] == found->last && (!found->peer || (flow->peer && !strcmp(flow->peer, found->peer))))
		found->flow = flow;
}

static inline const struct rf_flow *find(const struct rf_flow_history *h, uint8_t last, const char *peer)
{
	struct found found = { NULL, last, peer };

	rf_flow_history_each(h, find_one, &found);
	return found.flow;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
