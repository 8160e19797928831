// SPDX-License-Identifier: GPL-2.0-or-later
/* Wire events: names, sizes, and every way of not being one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "ringfence/rate_map.h"
#include "tests/unit/model/sample_event.h"

static const enum rf_event_kind all_kinds[] = {
	RF_EVENT_EXEC,	      RF_EVENT_FORK,	    RF_EVENT_EXIT,	  RF_EVENT_CONNECT,   RF_EVENT_ACCEPT,
	RF_EVENT_FLOW_DENY,   RF_EVENT_DEVICE_DENY, RF_EVENT_SOCKET_DENY, RF_EVENT_POLICY,    RF_EVENT_CGROUP_NEW,
	RF_EVENT_CGROUP_GONE, RF_EVENT_GAP,	    RF_EVENT_FLOW_START,  RF_EVENT_FLOW_END,  RF_EVENT_ISOLATION,
	RF_EVENT_KERNEL_DENY, RF_EVENT_FILE_DENY,   RF_EVENT_GUARD_DENY,  RF_EVENT_EXEC_DENY, RF_EVENT_EXEC_FIRST,
	RF_EVENT_QUOTA,	      RF_EVENT_XID,
};

static int validate(const union sample_event *e)
{
	return rf_event_validate(e, sizeof(*e));
}

/* The sample of @kind with one statement done to it. */
#define spoiled(kind, statement)                           \
	({                                                 \
		union sample_event e = sample_event(kind); \
		assert_int_equal(validate(&e), 0);         \
		statement;                                 \
		validate(&e);                              \
	})
#define refused(kind, statement)  assert_int_equal(spoiled(kind, statement), -EBADMSG)
#define accepted(kind, statement) assert_int_equal(spoiled(kind, statement), 0)

static void every_kind_is_valid_at_its_size_and_not_one_byte_shorter(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_SIZE(all_kinds), RF_EVENT_KINDS - 1);
	for (size_t i = 0; i < ARRAY_SIZE(all_kinds); i++) {
		union sample_event e = sample_event(all_kinds[i]);
		size_t size = rf_event_size(all_kinds[i]);
		/* On the heap, so that the address sanitizer sees a read past the end. */
		_cleanup_free_ char *exact = malloc(size), *shorter = malloc(size - 1);

		memcpy(exact, &e, size);
		memcpy(shorter, &e, size - 1);
		assert_int_equal(rf_event_validate(exact, size), 0);
		assert_int_equal(rf_event_validate(shorter, size - 1), -EBADMSG);
		for (size_t len = 0; len < sizeof(e.header); len++)
			assert_int_equal(rf_event_validate(shorter, len), -EBADMSG);
	}
	assert_int_equal(rf_event_validate(NULL, 0), -EBADMSG);
}

static void an_event_may_lie_anywhere(void **state)
{
	char bytes[sizeof(union sample_event) + 1];
	union sample_event e = sample_event(RF_EVENT_FLOW_DENY);

	(void)state;
	memcpy(bytes + 1, &e, sizeof(e));
	assert_int_equal(rf_event_validate(bytes + 1, sizeof(e)), 0);
}

static void a_header_out_of_range_is_refused(void **state)
{
	(void)state;
	refused(RF_EVENT_FORK, e.header.version = RF_EVENT_VERSION + 1);
	refused(RF_EVENT_FORK, e.header.version = 0);
	refused(RF_EVENT_FORK, e.header.kind = RF_EVENT_NONE);
	refused(RF_EVENT_FORK, e.header.kind = RF_EVENT_KINDS);
	refused(RF_EVENT_FORK, e.header.kind = 0xffff);
	refused(RF_EVENT_FORK, e.header.size++);
	refused(RF_EVENT_FORK, e.header.size--);
	refused(RF_EVENT_FORK, e.header.lane = RF_LANES);
	accepted(RF_EVENT_FORK, e.header.lane = RF_LANES - 1);
	refused(RF_EVENT_FORK, e.header.verdict = RF_VERDICTS);
	refused(RF_EVENT_FORK, e.header.workload = RF_MAX_WORKLOADS);
	accepted(RF_EVENT_FORK, e.header.workload = RF_MAX_WORKLOADS - 1);
	refused(RF_EVENT_FORK, memset(e.header.comm, 'x', sizeof(e.header.comm)));
	accepted(RF_EVENT_FORK, memset(e.header.comm, 'x', sizeof(e.header.comm) - 1));
}

static void a_denial_that_allows_is_refused(void **state)
{
	(void)state;
	refused(RF_EVENT_FLOW_DENY, e.header.verdict = RF_ALLOW);
	refused(RF_EVENT_DEVICE_DENY, e.header.verdict = RF_ALLOW);
	refused(RF_EVENT_SOCKET_DENY, e.header.verdict = RF_ALLOW);
	accepted(RF_EVENT_SOCKET_DENY, e.header.verdict = RF_WOULD_DENY);
	refused(RF_EVENT_ISOLATION, e.header.verdict = RF_ALLOW);
	accepted(RF_EVENT_ISOLATION, e.header.verdict = RF_WOULD_DENY);
	refused(RF_EVENT_EXEC_DENY, e.header.verdict = RF_ALLOW);
	accepted(RF_EVENT_EXEC_DENY, e.header.verdict = RF_WOULD_DENY);
	accepted(RF_EVENT_FLOW_DENY, e.header.verdict = RF_WOULD_DENY);
	accepted(RF_EVENT_DEVICE_DENY, e.header.verdict = RF_WOULD_DENY);
}

static void a_flow_out_of_range_is_refused(void **state)
{
	(void)state;
	refused(RF_EVENT_FLOW_DENY, e.flow.family = 0);
	refused(RF_EVENT_FLOW_DENY, e.flow.family = AF_UNIX);
	accepted(RF_EVENT_FLOW_DENY, e.flow.family = AF_INET6);
	refused(RF_EVENT_CONNECT, e.flow.direction = RF_DIRECTIONS);
	accepted(RF_EVENT_CONNECT, e.flow.direction = RF_INGRESS);
	refused(RF_EVENT_ACCEPT, e.flow.tier = RF_TIERS);
	accepted(RF_EVENT_ACCEPT, e.flow.tier = RF_TIER_AUDIT);
	refused(RF_EVENT_FLOW_DENY, e.flow.ruleset = RF_MAX_RULESETS);
	accepted(RF_EVENT_FLOW_DENY, e.flow.ruleset = RF_MAX_RULESETS - 1);
	refused(RF_EVENT_FLOW_DENY, e.flow.rule = RF_MAX_RULES);
	accepted(RF_EVENT_FLOW_DENY, e.flow.rule = RF_MAX_RULES - 1);
	accepted(RF_EVENT_FLOW_DENY, (e.flow.ruleset = 0, e.flow.rule = RF_RULE_CONNECTIONS));
	accepted(RF_EVENT_FLOW_DENY, (e.flow.ruleset = 0, e.flow.rule = RF_RULE_CONNECTION_RATE));
	refused(RF_EVENT_FLOW_DENY, (e.flow.ruleset = 1, e.flow.rule = RF_RULE_CONNECTIONS));
	accepted(RF_EVENT_FLOW_DENY, (e.flow.ruleset = 1, e.flow.rule = RF_RULE_OF_CONNECTIONS | (RF_MAX_RULES - 1)));
	accepted(RF_EVENT_FLOW_DENY, (e.flow.ruleset = 1, e.flow.rule = RF_RULE_OF_CONNECTION_RATE | 0));
	refused(RF_EVENT_FLOW_DENY, (e.flow.ruleset = 1, e.flow.rule = RF_RULE_OF_CONNECTIONS | RF_MAX_RULES));
	refused(RF_EVENT_FLOW_DENY,
		(e.flow.ruleset = 1, e.flow.rule = RF_RULE_OF_CONNECTIONS | RF_RULE_OF_CONNECTION_RATE));
	refused(RF_EVENT_FLOW_DENY, (e.flow.ruleset = 0, e.flow.rule = RF_RULE_CONNECTION_RATE - 1));
	refused(RF_EVENT_FLOW_DENY, e.flow.hook = RF_HOOK_COUNT);
	accepted(RF_EVENT_FLOW_DENY, e.flow.hook = RF_HOOK_COUNT - 1);
}

static void a_flow_record_out_of_range_is_refused(void **state)
{
	(void)state;
	refused(RF_EVENT_FLOW_START, e.record.family = AF_UNIX);
	refused(RF_EVENT_FLOW_END, e.record.direction = RF_DIRECTIONS);
	refused(RF_EVENT_FLOW_END, e.record.tier = RF_TIERS);
	refused(RF_EVENT_FLOW_END, e.record.ruleset = RF_MAX_RULESETS);
	accepted(RF_EVENT_FLOW_END, (e.record.ruleset = 0, e.record.rule = RF_RULE_DEFAULT));
	refused(RF_EVENT_FLOW_END, e.record.peer_class = RF_PEER_CLASSES);
	accepted(RF_EVENT_FLOW_END, e.record.peer_class = RF_PEER_CLASSES - 1);
	refused(RF_EVENT_FLOW_END, e.record.reason = RF_REASON_COUNT);
	accepted(RF_EVENT_FLOW_END, e.record.reason = RF_REASON_COUNT - 1);
	refused(RF_EVENT_FLOW_END, e.record.reason = RF_REASON_OPEN);
	refused(RF_EVENT_FLOW_START, e.record.reason = RF_REASON_IDLE);
}

static void a_device_out_of_range_is_refused(void **state)
{
	(void)state;
	refused(RF_EVENT_DEVICE_DENY, e.device.type = 0);
	refused(RF_EVENT_DEVICE_DENY, e.device.type = 3);
	accepted(RF_EVENT_DEVICE_DENY, e.device.type = 1);
	refused(RF_EVENT_DEVICE_DENY, e.device.access = 128);
	accepted(RF_EVENT_DEVICE_DENY, e.device.access = 127);
	refused(RF_EVENT_DEVICE_DENY, e.device.tier = RF_TIERS);
	accepted(RF_EVENT_DEVICE_DENY, e.device.rule = RF_RULE_DEFAULT);
}

static void a_socket_out_of_range_is_refused(void **state)
{
	(void)state;
	refused(RF_EVENT_KERNEL_DENY, e.header.verdict = RF_ALLOW);
	refused(RF_EVENT_KERNEL_DENY, e.kernel.rule = RF_KERNEL_RULES);
	accepted(RF_EVENT_KERNEL_DENY, e.kernel.rule = RF_KERNEL_RULES - 1);
	refused(RF_EVENT_KERNEL_DENY, e.kernel.capability = RF_CAPABILITIES);
	accepted(RF_EVENT_KERNEL_DENY, e.kernel.capability = RF_CAPABILITIES - 1);
	refused(RF_EVENT_KERNEL_DENY, e.kernel.syscall = RF_SYSCALL_COUNT);
	accepted(RF_EVENT_KERNEL_DENY, e.kernel.syscall = RF_KERNEL_NONE);
	refused(RF_EVENT_KERNEL_DENY, e.kernel.tier = RF_TIERS);
	refused(RF_EVENT_KERNEL_DENY, memset(e.kernel.detail, 'x', sizeof(e.kernel.detail)));
	refused(RF_EVENT_EXEC_DENY, e.exec_deny.rule = RF_MAX_RULES);
	accepted(RF_EVENT_EXEC_DENY, e.exec_deny.rule = RF_MAX_RULES - 1);
	accepted(RF_EVENT_EXEC_DENY, e.exec_deny.rule = RF_RULE_DEFAULT);
	refused(RF_EVENT_EXEC_DENY, e.exec_deny.tier = RF_TIERS);
	accepted(RF_EVENT_EXEC_DENY, e.exec_deny.tier = RF_TIER_AUDIT);
	refused(RF_EVENT_EXEC_DENY, e.exec_deny.reason = RF_EXEC_REASONS);
	accepted(RF_EVENT_EXEC_DENY, e.exec_deny.reason = RF_EXEC_REASONS - 1);
	refused(RF_EVENT_EXEC_DENY, e.exec_deny.role = RF_EXEC_LIBRARY + 1);
	accepted(RF_EVENT_EXEC_DENY, e.exec_deny.role = RF_EXEC_LIBRARY);
	refused(RF_EVENT_EXEC_DENY, e.exec_deny.path_len++);
	refused(RF_EVENT_QUOTA, e.quota.kind = RF_QUOTA_KINDS);
	refused(RF_EVENT_QUOTA, e.quota.level = RF_ACCEL_LEVELS);
	accepted(RF_EVENT_QUOTA, e.quota.kind = RF_QUOTA_KINDS - 1);
	accepted(RF_EVENT_QUOTA, e.header.verdict = RF_ALLOW);
	accepted(RF_EVENT_XID, e.xid.bystander = 1);
	refused(RF_EVENT_XID, e.xid.bystander = 2);
	refused(RF_EVENT_XID, memset(e.xid.device, 'x', sizeof(e.xid.device)));
	refused(RF_EVENT_XID, memset(e.xid.text, 'x', sizeof(e.xid.text)));
	refused(RF_EVENT_EXEC_FIRST, e.exec_first.path_len++);
	refused(RF_EVENT_EXEC_FIRST, e.exec_first.digest_len = RF_DIGEST_MAX + 1);
	refused(RF_EVENT_EXEC_FIRST, e.exec_first.digest_of = RF_DIGESTS);
	accepted(RF_EVENT_EXEC_FIRST, e.exec_first.digest_len = RF_DIGEST_MAX);
	refused(RF_EVENT_SOCKET_DENY, e.socket.rule = RF_SOCKET_RULES);
	accepted(RF_EVENT_SOCKET_DENY, e.socket.rule = RF_SOCKET_RULES - 1);
	refused(RF_EVENT_SOCKET_DENY, e.socket.tier = RF_TIERS);
	accepted(RF_EVENT_SOCKET_DENY, e.socket.tier = RF_TIER_AUDIT);
	refused(RF_EVENT_SOCKET_DENY, e.socket.direction = RF_DIRECTIONS);
	accepted(RF_EVENT_SOCKET_DENY, e.socket.direction = RF_INGRESS);
	refused(RF_EVENT_SOCKET_DENY, e.socket.peer_workload = RF_MAX_WORKLOADS);
	accepted(RF_EVENT_SOCKET_DENY, e.socket.peer_workload = RF_MAX_WORKLOADS - 1);
	refused(RF_EVENT_FILE_DENY, e.header.verdict = RF_ALLOW);
	refused(RF_EVENT_FILE_DENY, e.file.access = 0);
	refused(RF_EVENT_FILE_DENY, e.file.access = RF_FILE_ALL + 1);
	accepted(RF_EVENT_FILE_DENY, e.file.access = RF_FILE_ALL);
	refused(RF_EVENT_FILE_DENY, e.file.denied = 0);
	refused(RF_EVENT_FILE_DENY, e.file.denied = RF_FILE_ALL + 1);
	refused(RF_EVENT_FILE_DENY, e.file.zone = RF_ZONE_NONE);
	refused(RF_EVENT_FILE_DENY, e.file.zone = RF_MAX_ZONES + 1);
	accepted(RF_EVENT_FILE_DENY, e.file.zone = RF_MAX_ZONES);
	accepted(RF_EVENT_FILE_DENY, e.file.zone = RF_ZONE_UNPLACED);
	refused(RF_EVENT_FILE_DENY, e.file.tier = RF_TIERS);
	refused(RF_EVENT_FILE_DENY, memset(e.file.name, 'x', sizeof(e.file.name)));
	accepted(RF_EVENT_SOCKET_DENY, (e.socket.family = 0xffff, e.socket.type = 0xffff, e.socket.protocol = ~0u));
}

static void an_act_out_of_range_is_refused(void **state)
{
	(void)state;
	refused(RF_EVENT_ISOLATION, e.isolation.operation = RF_OPERATION_COUNT);
	accepted(RF_EVENT_ISOLATION, e.isolation.operation = RF_OPERATION_COUNT - 1);
	refused(RF_EVENT_ISOLATION, e.isolation.between = RF_BETWEENS);
	accepted(RF_EVENT_ISOLATION, e.isolation.between = RF_BETWEENS - 1);
	refused(RF_EVENT_ISOLATION, e.isolation.tier = RF_TIERS);
	accepted(RF_EVENT_ISOLATION, e.isolation.tier = RF_TIER_AUDIT);
	refused(RF_EVENT_ISOLATION, e.isolation.direction = RF_DIRECTIONS);
	accepted(RF_EVENT_ISOLATION, e.isolation.direction = RF_INGRESS);
	refused(RF_EVENT_ISOLATION, e.isolation.peer_workload = RF_MAX_WORKLOADS);
	accepted(RF_EVENT_ISOLATION, e.isolation.peer_workload = RF_MAX_WORKLOADS - 1);
	accepted(RF_EVENT_ISOLATION, e.isolation.argument = e.isolation.peer_tgid = ~0u);
}

static void a_path_must_be_as_long_as_it_says(void **state)
{
	(void)state;
	refused(RF_EVENT_EXEC, e.exec.path_len++);
	refused(RF_EVENT_EXEC, e.exec.path_len--);
	refused(RF_EVENT_EXEC, memset(e.exec.path, 'x', RF_PATH_MAX));
	refused(RF_EVENT_EXEC, memset(e.exec.path, 'x', RF_PATH_MAX); e.exec.path_len = RF_PATH_MAX);
	refused(RF_EVENT_EXEC, memset(e.exec.path, 'x', RF_PATH_MAX - 1); e.exec.path_len = RF_PATH_MAX);
	accepted(RF_EVENT_EXEC, memset(e.exec.path, 'x', RF_PATH_MAX - 1); e.exec.path_len = RF_PATH_MAX - 1);
	accepted(RF_EVENT_EXEC, e.exec.path[0] = '\0'; e.exec.path_len = 0);
}

static void the_path_of_a_cgroup_may_have_been_longer(void **state)
{
	(void)state;
	refused(RF_EVENT_CGROUP_NEW, e.cgroup.path_len++);
	refused(RF_EVENT_CGROUP_GONE, e.cgroup.path_len = 1000);
	refused(RF_EVENT_CGROUP_NEW, memset(e.cgroup.path, 'x', RF_PATH_MAX); e.cgroup.path_len = 1000);
	accepted(RF_EVENT_CGROUP_NEW, memset(e.cgroup.path, 'x', RF_PATH_MAX - 1); e.cgroup.path_len = 1000);
}

static void every_kind_is_parsed_by_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all_kinds); i++)
		assert_int_equal(rf_event_kind_parse(rf_event_kind_name(all_kinds[i])), all_kinds[i]);
	assert_string_equal(rf_event_kind_name(RF_EVENT_FLOW_DENY), "flow-deny");
	assert_null(rf_event_kind_name(RF_EVENT_KINDS));
	assert_int_equal(rf_event_kind_parse("none"), -EINVAL);
	assert_int_equal(rf_event_kind_parse("Exec"), -EINVAL);
	assert_int_equal(rf_event_kind_parse(""), -EINVAL);
	assert_int_equal(rf_event_size(RF_EVENT_NONE), 0);
	assert_int_equal(rf_event_size(RF_EVENT_KINDS), 0);
}

static void verdicts_lanes_and_hooks_have_their_names(void **state)
{
	(void)state;
	for (enum rf_verdict v = 0; v < RF_VERDICTS; v++)
		assert_int_equal(rf_verdict_parse(rf_verdict_name(v)), v);
	assert_string_equal(rf_verdict_name(RF_WOULD_DENY), "would-deny");
	assert_int_equal(rf_verdict_parse("drop"), -EINVAL);
	assert_string_equal(rf_verdict_name(RF_VERDICTS), "unknown");
	assert_string_equal(rf_lane_name(RF_LANE_TELEMETRY), "telemetry");
	assert_string_equal(rf_lane_name(RF_LANE_AUDIT), "audit");
	assert_string_equal(rf_lane_name(RF_LANE_IDENTITY), "identity");
	assert_string_equal(rf_lane_name(RF_LANES), "unknown");
	assert_string_equal(rf_hook_name(RF_HOOK_CONNECT4), "connect4");
	assert_string_equal(rf_hook_name(RF_HOOK_COUNT), "unknown");
}

static void a_protocol_has_a_name_or_is_its_number(void **state)
{
	char buffer[8];

	(void)state;
	assert_string_equal(rf_protocol_name(IPPROTO_TCP, buffer), "tcp");
	assert_string_equal(rf_protocol_name(IPPROTO_UDP, buffer), "udp");
	assert_string_equal(rf_protocol_name(IPPROTO_SCTP, buffer), "sctp");
	assert_string_equal(rf_protocol_name(IPPROTO_ICMP, buffer), "icmp");
	assert_string_equal(rf_protocol_name(IPPROTO_ICMPV6, buffer), "icmpv6");
	assert_string_equal(rf_protocol_name(0, buffer), "0");
	assert_string_equal(rf_protocol_name(255, buffer), "255");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_valid_at_its_size_and_not_one_byte_shorter),
		cmocka_unit_test(an_event_may_lie_anywhere),
		cmocka_unit_test(a_header_out_of_range_is_refused),
		cmocka_unit_test(a_denial_that_allows_is_refused),
		cmocka_unit_test(a_flow_out_of_range_is_refused),
		cmocka_unit_test(a_flow_record_out_of_range_is_refused),
		cmocka_unit_test(a_device_out_of_range_is_refused),
		cmocka_unit_test(a_socket_out_of_range_is_refused),
		cmocka_unit_test(an_act_out_of_range_is_refused),
		cmocka_unit_test(a_path_must_be_as_long_as_it_says),
		cmocka_unit_test(the_path_of_a_cgroup_may_have_been_longer),
		cmocka_unit_test(every_kind_is_parsed_by_its_name),
		cmocka_unit_test(verdicts_lanes_and_hooks_have_their_names),
		cmocka_unit_test(a_protocol_has_a_name_or_is_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
