// SPDX-License-Identifier: GPL-2.0-or-later
/* STATUS and WORKLOAD against what include/ringfence/control.h draws, read back by the parser that the client uses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/export/sample_snapshot.h"
#include "user/export/metrics.h"
#include "user/export/status_json.h"
#include "user/lib/json_in.h"

/* A reply line with the status under "status" and the workloads beside it. */
static struct rf_jin *reply(const struct rf_snapshot *s)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	struct rf_jin *root = NULL;
	struct rf_json json;

	rf_json_init(&json, &out);
	rf_json_object(&json, NULL);
	rf_status_json(s, &json, "status");
	rf_workloads_json(s, &json);
	rf_json_bool(&json, "ok", true);
	rf_json_object_end(&json);
	assert_int_equal(rf_strbuf_error(&out), 0);
	assert_null(strchr(rf_strbuf_str(&out), '\n')); /* one line */
	assert_int_equal(rf_jin_parse(rf_strbuf_str(&out), out.len, &root, NULL), 0);
	return root;
}

static int count_member(const char *key, const struct rf_jin *value, void *arg)
{
	(void)key;
	(void)value;
	(*(size_t *)arg)++;
	return 0;
}

static int find_member(const char *key, const struct rf_jin *value, void *arg)
{
	(void)value;
	return rf_streq(key, arg);
}

/* Exactly these members (NULL ends), whatever their values; a JSON null is a member too. */
static void assert_shape(const struct rf_jin *object, const char *const *names)
{
	size_t n = 0, members = 0;

	assert_true(rf_jin_is_object(object));
	for (; names[n]; n++)
		if (!rf_jin_each(object, find_member, (void *)names[n]))
			fail_msg("no member '%s'", names[n]);
	rf_jin_each(object, count_member, &members);
	assert_int_equal(members, n);
}

#define SHAPE(object, ...) assert_shape(object, (const char *const[]){ __VA_ARGS__, NULL })

static void status_has_the_members_of_the_protocol(void **state)
{
	struct sample sample;
	_cleanup_jin_ struct rf_jin *root = NULL;
	const struct rf_jin *s;

	(void)state;
	sample_fill(&sample);
	sample.snapshot.last_error = (char *)"web.yaml:3:1: no";
	root = reply(&sample.snapshot);
	s = rf_jin_get(root, "status");
	SHAPE(s, "version", "pid", "uptime_s", "level", "root", "bpffs", "adopted", "generation", "policies",
	      "workloads", "cgroups", "rulesets", "source", "confirm_left_s", "last_error", "features", "hooks",
	      "lanes", "errors", "guard", "maps", "flow_history", "lineage", "gpu", "cost");
	SHAPE(rf_jin_get(s, "lineage"), "rows", "max_rows", "dropped", "lost", "stored", "bytes", "why");
	SHAPE(rf_jin_get(s, "flow_history"), "rows", "max_rows", "dropped", "lost", "stored", "bytes", "why");
	SHAPE(rf_jin_get(s, "last_error"), "time", "text");
	assert_int_equal(rf_jin_len(rf_jin_get(s, "features")), RF_FEATURE_COUNT);
	SHAPE(rf_jin_at(rf_jin_get(s, "features"), 0), "name", "support", "why", "section");
	assert_int_equal(rf_jin_len(rf_jin_get(s, "hooks")), RF_HOOK_COUNT);
	SHAPE(rf_jin_at(rf_jin_get(s, "hooks"), 0), "name", "attached", "self_test", "probe_hits", "errors", "why",
	      "run_count", "run_ns", "recursion_misses", "repairs");
	assert_int_equal(rf_jin_len(rf_jin_get(s, "lanes")), RF_LANES);
	SHAPE(rf_jin_at(rf_jin_get(s, "lanes"), 0), "name", "submitted", "shed", "lost", "gaps");
	assert_int_equal(rf_jin_len(rf_jin_get(s, "errors")), RF_ERROR_COUNT);
	SHAPE(rf_jin_at(rf_jin_get(s, "errors"), 0), "name", "count", "help");
	assert_int_equal(rf_jin_len(rf_jin_get(s, "maps")), 3);
	SHAPE(rf_jin_at(rf_jin_get(s, "maps"), 0), "name", "entries", "max_entries", "bytes");
	SHAPE(rf_jin_get(s, "cost"), "cpu_s", "rss_bytes", "children_cpu_s", "children_rss_bytes", "bpf_bytes",
	      "bpf_run_ns");
}

static void status_has_the_values_of_the_snapshot(void **state)
{
	struct sample sample;
	_cleanup_jin_ struct rf_jin *root = NULL;
	const struct rf_jin *s, *hook, *lane;

	(void)state;
	sample_fill(&sample);
	root = reply(&sample.snapshot);
	s = rf_jin_get(root, "status");
	assert_string_equal(rf_jin_string(s, "version", ""), RF_VERSION);
	assert_int_equal(rf_jin_i64(s, "pid", 0), 4242);
	assert_int_equal(rf_jin_i64(s, "level", 0), 1);
	assert_true(rf_jin_bool(s, "adopted", false));
	assert_int_equal(rf_jin_i64(s, "workloads", 0), SAMPLE_WORKLOADS);
	assert_int_equal(rf_jin_i64(s, "cgroups", 0), 40);
	assert_string_equal(rf_jin_string(s, "source", ""), "directory");
	hook = rf_jin_at(rf_jin_get(s, "hooks"), RF_HOOK_LSM_PROBE);
	assert_string_equal(rf_jin_string(hook, "name", ""), "lsm_probe");
	assert_string_equal(rf_jin_string(hook, "self_test", ""), "not run");
	assert_false(rf_jin_bool(hook, "attached", true));
	assert_true(rf_jin_bool(rf_jin_at(rf_jin_get(s, "hooks"), RF_HOOK_CONNECT4), "attached", false));
	lane = rf_jin_at(rf_jin_get(s, "lanes"), RF_LANE_AUDIT);
	assert_string_equal(rf_jin_string(lane, "name", ""), "audit");
	assert_int_equal(rf_jin_i64(lane, "shed", 0), 11);
	assert_true(rf_jin_double(rf_jin_get(s, "cost"), "cpu_s", 0) == 1.5);
}

static void the_last_error_is_an_object_or_null(void **state)
{
	struct sample sample;
	_cleanup_jin_ struct rf_jin *with = NULL, *without = NULL;
	const struct rf_jin *error;

	(void)state;
	sample_fill(&sample);
	without = reply(&sample.snapshot);
	assert_false(rf_jin_is_object(rf_jin_get(rf_jin_get(without, "status"), "last_error")));
	sample.snapshot.last_error = (char *)"a \"quoted\"\nreason";
	sample.snapshot.last_error_real_ns = SAMPLE_REAL_NS;
	with = reply(&sample.snapshot);
	error = rf_jin_get(rf_jin_get(with, "status"), "last_error");
	assert_string_equal(rf_jin_string(error, "time", ""), "2023-11-14T22:13:20.123Z");
	assert_string_equal(rf_jin_string(error, "text", ""), "a \"quoted\"\nreason");
}

static void what_is_not_known_is_null(void **state)
{
	struct sample sample;
	_cleanup_jin_ struct rf_jin *root = NULL;
	const struct rf_jin *s, *db;

	(void)state;
	sample_fill(&sample);
	root = reply(&sample.snapshot);
	s = rf_jin_get(root, "status");
	assert_int_equal(rf_jin_i64(s, "confirm_left_s", -7), -7);
	assert_int_equal(rf_jin_i64(rf_jin_get(s, "cost"), "bpf_run_ns", -7), -7);
	assert_int_equal(rf_jin_i64(rf_jin_at(rf_jin_get(s, "hooks"), 0), "run_count", -7), -7);
	assert_int_equal(rf_jin_i64(rf_jin_at(rf_jin_get(s, "maps"), 0), "entries", -7), -7);
	assert_int_equal(rf_jin_i64(rf_jin_at(rf_jin_get(s, "maps"), 1), "entries", -7), 40);
	db = rf_jin_at(rf_jin_get(root, "workloads"), 2);
	assert_int_equal(rf_jin_i64(db, "memory_bytes", -7), -7);
	assert_int_equal(rf_jin_i64(db, "tasks", -7), 7);
}

static void workloads_have_the_members_of_the_protocol(void **state)
{
	struct sample sample;
	_cleanup_jin_ struct rf_jin *root = NULL;
	const struct rf_jin *list, *web, *counters;
	size_t n = 0;

	(void)state;
	sample_fill(&sample);
	root = reply(&sample.snapshot);
	assert_int_equal(rf_jin_i64(root, "time_ns", 0), 777000000001LL);
	list = rf_jin_get(root, "workloads");
	assert_int_equal(rf_jin_len(list), SAMPLE_WORKLOADS);
	web = rf_jin_at(list, 1);
	SHAPE(web, "id", "name", "path", "identity", "mode", "policies", "tasks", "cpu_usec", "memory_bytes",
	      "counters", "peers");
	assert_int_equal(rf_jin_i64(web, "id", 0), 2);
	assert_string_equal(rf_jin_string(web, "name", ""), "acme/prod/web");
	assert_string_equal(rf_jin_string(rf_jin_get(web, "identity"), "manager", ""), "systemd");
	assert_int_equal(rf_jin_len(rf_jin_get(web, "policies")), 2);
	assert_string_equal(rf_jin_as_string(rf_jin_at(rf_jin_get(web, "policies"), 0), ""), "acme/prod/base");
	counters = rf_jin_get(web, "counters");
	rf_jin_each(counters, count_member, &n);
	assert_int_equal(n, RF_COUNTER_COUNT + RF_SUM_COUNT);
	assert_int_equal(rf_jin_i64(counters, "tx_bytes", 0), 9007199254740993LL);
	assert_int_equal(rf_jin_i64(counters, "exec", 0), 2000);
	/* What passed: with what would have been denied, without what was. */
	assert_int_equal(rf_jin_i64(counters, "accept", 0), 2005 + 2017);
}

static void an_account_has_the_peers_that_there_were(void **state)
{
	struct sample sample;
	_cleanup_jin_ struct rf_jin *root = NULL;
	const struct rf_jin *peers, *traffic;

	(void)state;
	sample_fill(&sample);
	root = reply(&sample.snapshot);
	assert_int_equal(rf_jin_len(rf_jin_get(rf_jin_at(rf_jin_get(root, "workloads"), 0), "peers")), 0);
	peers = rf_jin_get(rf_jin_at(rf_jin_get(root, "workloads"), 1), "peers");
	assert_int_equal(rf_jin_len(peers), 1);
	SHAPE(rf_jin_at(peers, 0), "peer", "traffic", "retransmits", "rtt_us", "rtt_samples", "dns_queries",
	      "dns_answers", "dns_refused");
	assert_string_equal(rf_jin_string(rf_jin_at(peers, 0), "peer", ""), "public");
	assert_int_equal(rf_jin_i64(rf_jin_at(peers, 0), "rtt_us", 0), 1500001);
	traffic = rf_jin_get(rf_jin_at(peers, 0), "traffic");
	assert_int_equal(rf_jin_len(traffic), RF_VERDICTS * RF_DIRECTIONS);
	SHAPE(rf_jin_at(traffic, 2), "verdict", "direction", "bytes", "packets", "connections");
	assert_string_equal(rf_jin_string(rf_jin_at(traffic, 2), "verdict", ""), "deny");
	assert_string_equal(rf_jin_string(rf_jin_at(traffic, 2), "direction", ""), "egress");
	assert_int_equal(rf_jin_i64(rf_jin_at(traffic, 2), "packets", 0), 2007);
}

static void no_workloads_are_an_empty_list(void **state)
{
	struct sample sample;
	_cleanup_jin_ struct rf_jin *root = NULL;

	(void)state;
	sample_fill(&sample);
	sample.snapshot.n_workloads = 0;
	sample.snapshot.workloads = NULL;
	root = reply(&sample.snapshot);
	assert_true(rf_jin_is_array(rf_jin_get(root, "workloads")));
	assert_int_equal(rf_jin_len(rf_jin_get(root, "workloads")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_has_the_members_of_the_protocol),
		cmocka_unit_test(status_has_the_values_of_the_snapshot),
		cmocka_unit_test(the_last_error_is_an_object_or_null),
		cmocka_unit_test(what_is_not_known_is_null),
		cmocka_unit_test(workloads_have_the_members_of_the_protocol),
		cmocka_unit_test(an_account_has_the_peers_that_there_were),
		cmocka_unit_test(no_workloads_are_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
