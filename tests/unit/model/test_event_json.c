// SPDX-License-Identifier: GPL-2.0-or-later
/* Events as JSON: the members of each kind, and text that parses whatever a tenant chose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ringfence/policy_map.h"
#include "tests/unit/model/sample_event.h"
#include "user/lib/clock.h"
#include "user/lib/json_in.h"

static const struct rf_event_names nameless;

/* What follows "time", which is checked on its own: @common, then @own. */
static void expect_named(const union sample_event *e, const struct rf_event_names *names, const char *common,
			 const char *own)
{
	static const char start[] = "{\"time\":\"2026-11-21T04:30:48.123Z\",";
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT, want = RF_STRBUF_INIT;
	_cleanup_jin_ struct rf_jin *root = NULL;

	assert_int_equal(rf_event_validate(e, sizeof(*e)), 0);
	rf_event_json(&text, &e->header, names);
	assert_int_equal(rf_strbuf_error(&text), 0);
	assert_int_equal(rf_jin_parse(text.data, text.len, &root, NULL), 0);
	assert_true(text.len > sizeof(start) - 1);
	rf_strbuf_addf(&want, "%s,%s}", common, own);
	assert_string_equal(text.data + sizeof(start) - 1, rf_strbuf_str(&want));
}

#define HEAD(kind, verdict, lane, workload)                                                       \
	"\"kind\":\"" kind "\",\"verdict\":\"" verdict "\",\"lane\":\"" lane "\",\"sequence\":9," \
	"\"workload\":" workload ",\"workload_id\":2,\"cgroup_id\":4711,\"pid\":123,\"tid\":124," \
	"\"uid\":1000,\"comm\":\"curl\""
#define TELEMETRY(kind) HEAD(kind, "allow", "telemetry", "null")
#define FLOW(direction)                                                               \
	"\"protocol\":\"tcp\",\"direction\":\"" direction "\",\"hook\":\"connect4\"," \
	"\"local\":{\"address\":\"10.0.0.5\",\"port\":4242},"                         \
	"\"remote\":{\"address\":\"10.0.0.9\",\"port\":80}"
#define NO_NAMES "\"policy\":null,\"rule\":null,\"file\":null,\"line\":null,"

static void the_time_is_the_wall_clocks(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT, before = RF_STRBUF_INIT, after = RF_STRBUF_INIT;
	_cleanup_jin_ struct rf_jin *root = NULL;
	union sample_event e = sample_event(RF_EVENT_FORK);
	const char *time;

	(void)state;
	e.header.time_ns = rf_clock_boot();
	rf_clock_format(&before, rf_clock_real() - RF_NSEC_PER_MSEC);
	rf_event_json(&text, &e.header, NULL);
	rf_clock_format(&after, rf_clock_real() + RF_NSEC_PER_MSEC);
	assert_int_equal(rf_jin_parse(text.data, text.len, &root, NULL), 0);
	time = rf_jin_string(root, "time", "");
	assert_true(strcmp(before.data, time) <= 0 && strcmp(time, after.data) <= 0);
}

static void a_denied_flow_names_its_rule(void **state)
{
	union sample_event e = sample_event(RF_EVENT_FLOW_DENY);

	(void)state;
	expect_named(&e, &sample_names, HEAD("flow-deny", "deny", "audit", "\"acme/prod/web\""),
		     FLOW("egress") ",\"tier\":\"enforce\",\"ruleset\":7,\"policy\":\"acme/prod/web\","
				    "\"rule\":\"default\",\"file\":\"web.yaml\",\"line\":12,\"rule_index\":null");
	e.flow.rule = 5;
	e.flow.tier = RF_TIER_AUDIT;
	expect_named(&e, &nameless, HEAD("flow-deny", "deny", "audit", "null"),
		     FLOW("egress") ",\"tier\":\"audit\",\"ruleset\":7," NO_NAMES "\"rule_index\":5");
}

static void a_message_of_icmp_has_a_type_and_no_port(void **state)
{
	union sample_event e = sample_event(RF_EVENT_FLOW_DENY);
	char want[512];

	(void)state;
	for (int read = 1; read >= 0; read--) {
		e.flow.protocol = IPPROTO_ICMP;
		e.flow.local_port = e.flow.remote_port = read ? RF_ICMP_PORT(3, 4) : RF_ICMP_UNREAD;
		snprintf(want, sizeof(want),
			 "\"protocol\":\"icmp\",\"icmp_type\":%s,\"icmp_code\":%s,\"direction\":\"egress\","
			 "\"hook\":\"connect4\",\"local\":{\"address\":\"10.0.0.5\",\"port\":0},"
			 "\"remote\":{\"address\":\"10.0.0.9\",\"port\":0},\"tier\":\"enforce\",\"ruleset\":7," NO_NAMES
			 "\"rule_index\":null",
			 read ? "3" : "null", read ? "4" : "null");
		expect_named(&e, &nameless, HEAD("flow-deny", "deny", "audit", "null"), want);
	}
}

static void a_flow_has_the_same_members_in_both_families(void **state)
{
	union sample_event e = sample_event(RF_EVENT_CONNECT);

	(void)state;
	expect_named(&e, &nameless, TELEMETRY("connect"), FLOW("egress"));
	e.flow.family = AF_INET6;
	memset(e.flow.local, 0, 16);
	memset(e.flow.remote, 0, 16);
	e.flow.remote[15] = 1;
	expect_named(&e, &nameless, TELEMETRY("connect"),
		     "\"protocol\":\"tcp\",\"direction\":\"egress\",\"hook\":\"connect4\","
		     "\"local\":{\"address\":\"::\",\"port\":4242},\"remote\":{\"address\":\"::1\",\"port\":80}");
	e = sample_event(RF_EVENT_ACCEPT);
	expect_named(&e, &nameless, TELEMETRY("accept"), FLOW("ingress"));
}

static void a_process_has_its_members(void **state)
{
	union sample_event e = sample_event(RF_EVENT_EXEC);

	(void)state;
	expect_named(&e, NULL, TELEMETRY("exec"), "\"path\":\"/usr/bin/curl\",\"path_cut\":false,\"parent_pid\":100");
	e = sample_event(RF_EVENT_FORK);
	expect_named(&e, NULL, TELEMETRY("fork"), "\"child_pid\":125");
	e = sample_event(RF_EVENT_EXIT);
	expect_named(&e, NULL, TELEMETRY("exit"), "\"status\":3,\"signal\":null,\"lifetime_ns\":1234567890");
	e.exit.exit_code = 9;
	expect_named(&e, NULL, TELEMETRY("exit"), "\"status\":null,\"signal\":9,\"lifetime_ns\":1234567890");
}

static void a_denied_device_has_its_members(void **state)
{
	union sample_event e = sample_event(RF_EVENT_DEVICE_DENY);

	(void)state;
	expect_named(&e, &nameless, HEAD("device-deny", "deny", "audit", "null"),
		     "\"type\":\"char\",\"major\":195,\"minor\":255,\"access\":[\"read\",\"write\"],"
		     "\"tier\":\"enforce\",\"device_set\":3," NO_NAMES "\"rule_index\":1");
	e.device.type = 1;
	e.device.access = RF_DEVICE_MKNOD;
	e.device.major = e.device.minor = RF_DEVICE_ANY;
	expect_named(&e, &nameless, HEAD("device-deny", "deny", "audit", "null"),
		     "\"type\":\"block\",\"major\":null,\"minor\":null,\"access\":[\"mknod\"],"
		     "\"tier\":\"enforce\",\"device_set\":3," NO_NAMES "\"rule_index\":1");
}

static void a_denied_accelerator_has_its_name_and_operation(void **state)
{
	static const struct {
		uint32_t access;
		const char *words;
	} rows[] = {
		{ RF_DEVICE_SUBMIT, "\"submit\"" },
		{ RF_DEVICE_ALLOC, "\"alloc\"" },
		{ RF_DEVICE_MAP, "\"map\"" },
		{ RF_DEVICE_ADMIN, "\"admin\"" },
		{ RF_DEVICE_READ | RF_DEVICE_MAP, "\"read\",\"map\"" },
	};
	const struct rf_event_names named = { .device = "accel/accel0" };
	union sample_event e = sample_event(RF_EVENT_DEVICE_DENY);
	char want[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		e.device.access = rows[i].access;
		snprintf(want, sizeof(want),
			 "\"device\":\"accel/accel0\",\"type\":\"char\",\"major\":195,\"minor\":255,"
			 "\"access\":[%s],\"tier\":\"enforce\",\"device_set\":3," NO_NAMES "\"rule_index\":1",
			 rows[i].words);
		expect_named(&e, &named, HEAD("device-deny", "deny", "audit", "null"), want);
	}
	/* An ioctl of no class has no bit of its own. */
	e.device.access = RF_DEVICE_READ;
	e.device.use = 1;
	expect_named(&e, &nameless, HEAD("device-deny", "deny", "audit", "null"),
		     "\"type\":\"char\",\"major\":195,\"minor\":255,\"access\":[\"ioctl\"],"
		     "\"tier\":\"enforce\",\"device_set\":3," NO_NAMES "\"rule_index\":1");
}

static void a_denied_file_has_its_members(void **state)
{
	union sample_event e = sample_event(RF_EVENT_FILE_DENY);

	(void)state;
	e.file.access = 1u << RF_FILE_RENAME;
	e.file.denied = 1u << RF_FILE_READ | 1u << RF_FILE_MMAP;
	expect_named(&e, &nameless, HEAD("file-deny", "deny", "audit", "null"),
		     "\"access\":[\"rename\"],\"denied\":[\"read\",\"mmap-exec\"],\"label\":null,\"name\":\"key.pem\","
		     "\"inode\":77,\"device_major\":8,\"device_minor\":1,\"tier\":\"enforce\"," NO_NAMES
		     "\"rule_index\":null");
}

static void a_denied_socket_has_its_members(void **state)
{
	union sample_event e = sample_event(RF_EVENT_SOCKET_DENY);

	(void)state;
	expect_named(&e, &nameless, HEAD("socket-deny", "deny", "audit", "null"),
		     "\"family\":\"inet\",\"type\":\"raw\",\"protocol\":1,\"tier\":\"enforce\",\"policy\":null,"
		     "\"rule\":\"sockets.deny[raw]\",\"file\":null,\"line\":null,\"rule_index\":null");
	e.socket.family = AF_NETLINK;
	e.socket.protocol = 9;
	e.socket.rule = RF_SOCKET_NETLINK + 9;
	expect_named(&e, &nameless, HEAD("socket-deny", "deny", "audit", "null"),
		     "\"family\":\"netlink\",\"type\":\"raw\",\"protocol\":9,\"netlink\":\"NETLINK_AUDIT\","
		     "\"tier\":\"enforce\",\"policy\":null,\"rule\":\"sockets.netlink\",\"file\":null,\"line\":null,"
		     "\"rule_index\":null");
	e.socket = (struct rf_event_socket){ .header = e.header,
					     .family = AF_UNIX,
					     .type = SOCK_STREAM,
					     .peer_workload = 3,
					     .rule = RF_SOCKET_UNIX,
					     .tier = RF_TIER_AUDIT,
					     .direction = RF_INGRESS };
	expect_named(
		&e, &sample_names, HEAD("socket-deny", "deny", "audit", "\"acme/prod/web\""),
		"\"family\":\"unix\",\"type\":\"stream\",\"protocol\":0,\"direction\":\"ingress\","
		"\"peer\":\"umbra/prod/db\",\"peer_id\":3,\"tier\":\"audit\",\"policy\":\"acme/prod/web\","
		"\"rule\":\"sockets.deny[unixOtherTenants]\",\"file\":\"web.yaml\",\"line\":12,\"rule_index\":null");
}

static void what_the_lock_refused_has_its_members(void **state)
{
	union sample_event e = sample_event(RF_EVENT_GUARD_DENY);

	(void)state;
	expect_named(&e, &nameless, HEAD("guard-deny", "deny", "audit", "null"),
		     "\"operation\":\"link\",\"target\":44");
}

static void a_denied_act_has_its_members(void **state)
{
	union sample_event e = sample_event(RF_EVENT_ISOLATION);

	(void)state;
	expect_named(&e, &sample_names, HEAD("isolation-deny", "deny", "audit", "\"acme/prod/web\""),
		     "\"operation\":\"kill\",\"signal\":9,\"between\":\"tenants\",\"direction\":\"egress\","
		     "\"peer\":\"umbra/prod/db\",\"peer_id\":7,\"target_pid\":321,\"tier\":\"enforce\","
		     "\"policy\":\"acme/prod/web\",\"rule\":\"isolation[signal]\",\"file\":\"web.yaml\",\"line\":12,"
		     "\"rule_index\":null");
	e.isolation = (struct rf_event_isolation){ .header = e.header,
						   .operation = RF_OPERATION_PERF_CPU,
						   .tier = RF_TIER_AUDIT };
	expect_named(&e, &nameless, HEAD("isolation-deny", "deny", "audit", "null"),
		     "\"operation\":\"perf_event_open of a CPU\",\"between\":\"tenants\",\"direction\":\"egress\","
		     "\"tier\":\"audit\",\"policy\":null,\"rule\":\"isolation[perf]\",\"file\":null,\"line\":null,"
		     "\"rule_index\":null");
}

static void a_denied_interface_has_its_members(void **state)
{
	union sample_event e = sample_event(RF_EVENT_KERNEL_DENY);

	(void)state;
	expect_named(&e, &nameless, HEAD("kernel-deny", "deny", "audit", "null"),
		     "\"interface\":\"mount\",\"capability\":null,\"syscall\":\"mount\",\"detail\":\"tmpfs\","
		     "\"tier\":\"enforce\",\"policy\":null,\"rule\":\"kernel.deny[mount]\",\"file\":null,"
		     "\"line\":null,\"rule_index\":null");
	e.kernel.rule = RF_KERNEL_RULE_CAPABILITY(21);
	e.kernel.capability = 21;
	e.kernel.syscall = RF_KERNEL_NONE;
	e.kernel.detail[0] = '\0';
	e.kernel.tier = RF_TIER_AUDIT;
	expect_named(&e, &sample_names, HEAD("kernel-deny", "deny", "audit", "\"acme/prod/web\""),
		     "\"interface\":null,\"capability\":\"CAP_SYS_ADMIN\",\"syscall\":null,\"detail\":null,"
		     "\"tier\":\"audit\",\"policy\":\"acme/prod/web\",\"rule\":\"default\",\"file\":\"web.yaml\","
		     "\"line\":12,\"rule_index\":null");
}

static void a_denied_program_has_its_members(void **state)
{
	union sample_event e = sample_event(RF_EVENT_EXEC_DENY);

	(void)state;
	expect_named(&e, &nameless, HEAD("exec-deny", "deny", "audit", "null"),
		     "\"role\":\"program\",\"path\":\"/opt/tool\",\"path_cut\":false,\"reason\":\"rule\","
		     "\"tier\":\"enforce\",\"set\":5," NO_NAMES "\"rule_index\":2");
	e.exec_deny.reason = RF_EXEC_MEMFD;
	e.exec_deny.rule = RF_RULE_DEFAULT;
	e.exec_deny.role = RF_EXEC_LIBRARY;
	expect_named(&e, &nameless, HEAD("exec-deny", "deny", "audit", "null"),
		     "\"role\":\"library\",\"path\":\"/opt/tool\",\"path_cut\":false,\"reason\":\"memfd\","
		     "\"tier\":\"enforce\",\"set\":5," NO_NAMES "\"rule_index\":null");
}

static void a_quota_that_is_over_has_its_members(void **state)
{
	const struct rf_event_names named = { .device = "accel/accel0", .policy = "t/default/x" };
	union sample_event e = sample_event(RF_EVENT_QUOTA);

	(void)state;
	expect_named(&e, &named, HEAD("accelerator-quota", "deny", "audit", "null"),
		     "\"device\":\"accel/accel0\",\"major\":261,\"minor\":0,\"quota\":\"share\",\"of\":\"namespace\","
		     "\"wait_ns\":12500000,\"policy\":\"t/default/x\"");
	e.quota.kind = RF_QUOTA_MEMORY;
	e.quota.level = RF_ACCEL_TENANT;
	e.quota.wait_ns = 0;
	expect_named(&e, &nameless, HEAD("accelerator-quota", "deny", "audit", "null"),
		     "\"major\":261,\"minor\":0,\"quota\":\"memory\",\"of\":\"tenant\",\"wait_ns\":0,\"policy\":null");
}

static void an_error_of_a_device_has_its_members(void **state)
{
	const struct rf_event_names named = { .device = "nvidia0" };
	union sample_event e = sample_event(RF_EVENT_XID);

	(void)state;
	expect_named(&e, &named, HEAD("accelerator-xid", "allow", "audit", "null"),
		     "\"device\":\"nvidia0\",\"address\":\"0000:3b:00.0\",\"xid\":79,\"bystander\":false,"
		     "\"message\":\"GPU has fallen off the bus.\"");
	e.xid.gpu_instance = 1;
	e.xid.compute_instance = 2;
	e.xid.bystander = 1;
	expect_named(&e, &nameless, HEAD("accelerator-xid", "allow", "audit", "null"),
		     "\"device\":null,\"address\":\"0000:3b:00.0\",\"xid\":79,\"gpu_instance\":1,"
		     "\"compute_instance\":2,\"bystander\":true,\"message\":\"GPU has fallen off the bus.\"");
}

static void a_program_that_is_new_has_its_members(void **state)
{
	union sample_event e = sample_event(RF_EVENT_EXEC_FIRST);

	(void)state;
	expect_named(&e, &nameless, HEAD("exec-first", "allow", "telemetry", "null"),
		     "\"path\":\"/opt/tool\",\"path_cut\":false,\"major\":8,\"minor\":1,\"inode\":77,\"verity\":null,"
		     "\"ima\":null");
	e.exec_first.digest_len = 2;
	e.exec_first.digest_of = RF_DIGEST_VERITY;
	e.exec_first.digest[0] = 0xab;
	expect_named(
		&e, &nameless, HEAD("exec-first", "allow", "telemetry", "null"),
		"\"path\":\"/opt/tool\",\"path_cut\":false,\"major\":8,\"minor\":1,\"inode\":77,\"verity\":\"ab00\","
		"\"ima\":null");
	e.exec_first.digest_of = RF_DIGEST_IMA;
	expect_named(&e, &nameless, HEAD("exec-first", "allow", "telemetry", "null"),
		     "\"path\":\"/opt/tool\",\"path_cut\":false,\"major\":8,\"minor\":1,\"inode\":77,\"verity\":null,"
		     "\"ima\":\"ab00\"");
}

static void a_generation_and_a_cgroup_have_their_members(void **state)
{
	static const char cgroup[] =
		"\"path\":\"/system.slice/a.service\",\"path_cut\":false,\"parent_id\":1,\"level\":2";
	union sample_event e = sample_event(RF_EVENT_POLICY);

	(void)state;
	expect_named(&e, NULL, TELEMETRY("policy"), "\"generation\":4,\"workloads\":3,\"rulesets\":2,\"policies\":1");
	e = sample_event(RF_EVENT_CGROUP_NEW);
	expect_named(&e, NULL, TELEMETRY("cgroup-new"), cgroup);
	e = sample_event(RF_EVENT_CGROUP_GONE);
	expect_named(&e, NULL, TELEMETRY("cgroup-gone"), cgroup);
}

static void the_record_of_a_flow_has_every_count(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	union sample_event e = sample_event(RF_EVENT_FLOW_END);

	(void)state;
	rf_event_json(&text, &e.header, NULL);
	assert_non_null(strstr(rf_strbuf_str(&text), "\"remote\":{\"address\":\"192.0.2.9\",\"port\":443},"
						     "\"peer\":\"public\",\"start\":\""));
	assert_non_null(strstr(rf_strbuf_str(&text),
			       "\"reason\":\"closed\",\"tx_bytes\":60,\"rx_bytes\":9007199254740993,\"tx_packets\":1,"
			       "\"rx_packets\":3,\"retransmits\":2,\"rtt_us\":1500,\"tier\":\"enforce\","
			       "\"ruleset\":7," NO_NAMES "\"rule_index\":2}"));
}

static void a_gap_says_what_is_missing_and_since_when(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	_cleanup_jin_ struct rf_jin *root = NULL;
	union sample_event e = sample_event(RF_EVENT_GAP);

	(void)state;
	rf_event_json(&text, &e.header, NULL);
	assert_int_equal(rf_jin_parse(text.data, text.len, &root, NULL), 0);
	assert_string_equal(rf_jin_string(root, "lane", ""), "audit");
	assert_int_equal(rf_jin_i64(root, "lost", 0), 5);
	assert_int_equal(rf_jin_i64(root, "after_sequence", 0), 3);
	assert_int_equal(rf_jin_i64(root, "before_sequence", 0), 9);
	assert_int_equal(strlen(rf_jin_string(root, "after_time", "")), strlen("2026-11-21T04:30:48.123Z"));
	/* Lost before anything was seen. */
	e.gap.after_sequence = 0;
	e.header.lane = RF_LANE_TELEMETRY;
	expect_named(&e, NULL, TELEMETRY("gap"),
		     "\"lost\":5,\"after_sequence\":0,\"before_sequence\":9,\"after_time\":null");
}

static void what_a_tenant_chose_comes_back_as_it_was(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	_cleanup_jin_ struct rf_jin *root = NULL;
	union sample_event e = sample_event(RF_EVENT_EXEC);

	(void)state;
	strcpy(e.header.comm, "\"},\n\x1b{\"");
	strcpy(e.exec.path, "/\xff\xc3\xa9\\");
	e.exec.path_len = strlen(e.exec.path);
	rf_event_json(&text, &e.header, NULL);
	assert_int_equal(rf_jin_parse(text.data, text.len, &root, NULL), 0);
	assert_string_equal(rf_jin_string(root, "comm", ""), e.header.comm);
	assert_string_equal(rf_jin_string(root, "path", ""), "/\xef\xbf\xbd\xc3\xa9\\");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_time_is_the_wall_clocks),
		cmocka_unit_test(a_denied_flow_names_its_rule),
		cmocka_unit_test(a_message_of_icmp_has_a_type_and_no_port),
		cmocka_unit_test(a_flow_has_the_same_members_in_both_families),
		cmocka_unit_test(a_process_has_its_members),
		cmocka_unit_test(a_denied_device_has_its_members),
		cmocka_unit_test(a_denied_accelerator_has_its_name_and_operation),
		cmocka_unit_test(a_denied_file_has_its_members),
		cmocka_unit_test(a_denied_socket_has_its_members),
		cmocka_unit_test(what_the_lock_refused_has_its_members),
		cmocka_unit_test(a_denied_act_has_its_members),
		cmocka_unit_test(a_denied_interface_has_its_members),
		cmocka_unit_test(a_denied_program_has_its_members),
		cmocka_unit_test(an_error_of_a_device_has_its_members),
		cmocka_unit_test(a_program_that_is_new_has_its_members),
		cmocka_unit_test(a_quota_that_is_over_has_its_members),
		cmocka_unit_test(a_generation_and_a_cgroup_have_their_members),
		cmocka_unit_test(the_record_of_a_flow_has_every_count),
		cmocka_unit_test(a_gap_says_what_is_missing_and_since_when),
		cmocka_unit_test(what_a_tenant_chose_comes_back_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
