// SPDX-License-Identifier: GPL-2.0-or-later
/* Events as lines: the columns, what each kind says, and that no tenant can forge or break a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ringfence/policy_map.h"
#include "tests/unit/model/sample_event.h"
#include "user/lib/clock.h"

static const struct rf_event_names nameless;

/* What follows the time, which is checked on its own. */
static void expect_named(const union sample_event *e, const struct rf_event_names *names, const char *want)
{
	_cleanup_strbuf_ struct rf_strbuf line = RF_STRBUF_INIT;

	assert_int_equal(rf_event_validate(e, sizeof(*e)), 0);
	rf_event_text(&line, &e->header, names);
	assert_int_equal(rf_strbuf_error(&line), 0);
	assert_true(line.len > 13);
	assert_int_equal(line.data[12], ' ');
	assert_string_equal(line.data + 13, want);
}

static void expect(const union sample_event *e, const char *want)
{
	expect_named(e, &sample_names, want);
}

static void the_time_is_the_wall_clocks(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf line = RF_STRBUF_INIT, before = RF_STRBUF_INIT, after = RF_STRBUF_INIT;
	union sample_event e = sample_event(RF_EVENT_FORK);

	(void)state;
	setenv("TZ", "UTC", 1);
	e.header.time_ns = rf_clock_boot();
	rf_clock_format(&before, rf_clock_real() - RF_NSEC_PER_MSEC);
	rf_event_text(&line, &e.header, &nameless);
	rf_clock_format(&after, rf_clock_real() + RF_NSEC_PER_MSEC);
	line.data[12] = '\0';
	/* Only midnight makes the order of the texts another than that of the times. */
	if (strncmp(before.data, after.data, 10) == 0) {
		before.data[23] = '\0';
		after.data[23] = '\0';
		assert_true(strcmp(before.data + 11, line.data) <= 0 && strcmp(line.data, after.data + 11) <= 0);
	}
}

static void a_denied_flow_says_who_where_and_by_which_rule(void **state)
{
	union sample_event e = sample_event(RF_EVENT_FLOW_DENY);

	(void)state;
	expect(&e, "flow-deny deny acme/prod/web curl[123] egress tcp 10.0.0.5:4242 -> 10.0.0.9:80 "
		   "policy acme/prod/web rule \"default\" web.yaml:12");
	e.header.verdict = RF_WOULD_DENY;
	e.flow.direction = RF_INGRESS;
	expect(&e, "flow-deny would-deny acme/prod/web curl[123] ingress tcp 10.0.0.5:4242 <- 10.0.0.9:80 "
		   "policy acme/prod/web rule \"default\" web.yaml:12");
}

static void without_names_there_are_numbers(void **state)
{
	union sample_event e = sample_event(RF_EVENT_FLOW_DENY);

	(void)state;
	expect_named(&e, &nameless,
		     "flow-deny deny #2 curl[123] egress tcp 10.0.0.5:4242 -> 10.0.0.9:80 ruleset 7 default");
	expect_named(&e, NULL, "flow-deny deny #2 curl[123] egress tcp 10.0.0.5:4242 -> 10.0.0.9:80 ruleset 7 default");
	e.flow.rule = 5;
	e.header.workload = RF_WORKLOAD_NONE;
	expect_named(&e, &nameless,
		     "flow-deny deny - curl[123] egress tcp 10.0.0.5:4242 -> 10.0.0.9:80 ruleset 7 rule 5");
}

static void what_no_process_did_has_a_dash(void **state)
{
	union sample_event e = sample_event(RF_EVENT_FORK);

	(void)state;
	e.header.tgid = 0;
	e.header.comm[0] = '\0';
	expect_named(&e, &nameless, "fork allow #2 - child 125");
	e.header.tgid = 1;
	expect_named(&e, &nameless, "fork allow #2 -[1] child 125");
}

static void addresses_are_written_by_their_family(void **state)
{
	union sample_event e = sample_event(RF_EVENT_CONNECT);

	(void)state;
	expect_named(&e, &nameless, "connect allow #2 curl[123] egress tcp 10.0.0.5:4242 -> 10.0.0.9:80");
	e.flow.family = AF_INET6;
	memset(e.flow.local, 0, 16);
	e.flow.local[15] = 1;
	memset(e.flow.remote, 0xff, 16);
	expect_named(&e, &nameless,
		     "connect allow #2 curl[123] egress tcp [::1]:4242 -> "
		     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:80");
	e.flow.protocol = IPPROTO_ICMPV6;
	e.flow.local_port = e.flow.remote_port = RF_ICMP_PORT(128, 0);
	expect_named(&e, &nameless,
		     "connect allow #2 curl[123] egress icmpv6/echo-request ::1 -> "
		     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	e.flow.local_port = e.flow.remote_port = RF_ICMP_UNREAD;
	expect_named(&e, &nameless,
		     "connect allow #2 curl[123] egress icmpv6 ::1 -> "
		     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void a_socket_without_an_address_shows_none(void **state)
{
	union sample_event e = sample_event(RF_EVENT_CONNECT);

	(void)state;
	memset(e.flow.local, 0, 16);
	expect_named(&e, &nameless, "connect allow #2 curl[123] egress tcp 0.0.0.0:4242 -> 10.0.0.9:80");
	e.flow.local_port = 0;
	expect_named(&e, &nameless, "connect allow #2 curl[123] egress tcp -> 10.0.0.9:80");
}

static void a_denied_accelerator_has_its_name_and_operation(void **state)
{
	static const struct {
		uint32_t access;
		const char *word;
	} rows[] = {
		{ RF_DEVICE_SUBMIT, "submit" }, { RF_DEVICE_ALLOC, "alloc" }, { RF_DEVICE_MAP, "map" },
		{ RF_DEVICE_ADMIN, "admin" },	{ RF_DEVICE_READ, "r" },
	};
	const struct rf_event_names named = { .device = "dri/renderD128" };
	union sample_event e = sample_event(RF_EVENT_DEVICE_DENY);
	char want[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		e.device.access = rows[i].access;
		snprintf(want, sizeof(want),
			 "device-deny deny #2 curl[123] char 195:255 dri/renderD128 %s device set 3 rule 1",
			 rows[i].word);
		expect_named(&e, &named, want);
	}
	/* An ioctl of no class has no bit of its own: it is denied to whoever may not open the node. */
	e.device.use = 1;
	expect_named(&e, &nameless, "device-deny deny #2 curl[123] char 195:255 ioctl device set 3 rule 1");
}

static void each_kind_says_what_happened(void **state)
{
	union sample_event e;

	(void)state;
	e = sample_event(RF_EVENT_EXEC);
	expect(&e, "exec allow acme/prod/web curl[123] /usr/bin/curl parent 100");
	e = sample_event(RF_EVENT_FORK);
	expect(&e, "fork allow acme/prod/web curl[123] child 125");
	e = sample_event(RF_EVENT_EXIT);
	expect(&e, "exit allow acme/prod/web curl[123] status 3 after 1.234s");
	e.exit.exit_code = 9;
	expect(&e, "exit allow acme/prod/web curl[123] signal 9 after 1.234s");
	e = sample_event(RF_EVENT_ACCEPT);
	expect_named(&e, &nameless, "accept allow #2 curl[123] ingress tcp 10.0.0.5:4242 <- 10.0.0.9:80");
	e = sample_event(RF_EVENT_DEVICE_DENY);
	expect(&e, "device-deny deny acme/prod/web curl[123] char 195:255 rw "
		   "policy acme/prod/web rule \"default\" web.yaml:12");
	e.device.type = 1;
	e.device.access = RF_DEVICE_MKNOD;
	e.device.minor = RF_DEVICE_ANY;
	expect_named(&e, &nameless, "device-deny deny #2 curl[123] block 195:* m device set 3 rule 1");
	e = sample_event(RF_EVENT_SOCKET_DENY);
	expect_named(&e, &nameless, "socket-deny deny #2 curl[123] inet raw protocol 1 rule \"sockets.deny[raw]\"");
	e.socket.family = 99;
	e.socket.type = 11;
	expect_named(&e, &nameless, "socket-deny deny #2 curl[123] 99 11 protocol 1 rule \"sockets.deny[raw]\"");
	e.socket.family = AF_NETLINK;
	e.socket.type = SOCK_DGRAM;
	e.socket.rule = RF_SOCKET_NETLINK + 1;
	expect_named(&e, &nameless, "socket-deny deny #2 curl[123] netlink dgram protocol 1 rule \"sockets.netlink\"");
	e.socket.protocol = 0;
	e.socket.rule = RF_SOCKET_NETLINK;
	expect_named(&e, &nameless,
		     "socket-deny deny #2 curl[123] netlink dgram NETLINK_ROUTE rule \"sockets.netlink\"");
	e.socket.family = AF_UNIX;
	e.socket.rule = RF_SOCKET_UNIX;
	e.socket.peer_workload = 7;
	expect_named(&e, &nameless,
		     "socket-deny deny #2 curl[123] unix dgram -> #7 rule \"sockets.deny[unixOtherTenants]\"");
	e.socket.direction = RF_INGRESS;
	expect(&e, "socket-deny deny acme/prod/web curl[123] unix dgram <- umbra/prod/db "
		   "policy acme/prod/web rule \"default\" web.yaml:12");
	e = sample_event(RF_EVENT_GUARD_DENY);
	expect_named(&e, &nameless, "guard-deny deny #2 curl[123] link (one of our links)");
	e = sample_event(RF_EVENT_ISOLATION);
	expect(&e, "isolation-deny deny acme/prod/web curl[123] kill signal 9 -> umbra/prod/db[321] "
		   "policy acme/prod/web rule \"default\" web.yaml:12");
	e.isolation.operation = RF_OPERATION_NICE;
	e.isolation.argument = -5;
	e.isolation.direction = RF_INGRESS;
	expect_named(
		&e, &nameless,
		"isolation-deny deny #2 curl[123] setpriority nice -5 <- #7 on [321] rule \"isolation[schedule]\"");
	e.isolation = (struct rf_event_isolation){ .header = e.header, .operation = RF_OPERATION_PERF_CPU };
	expect_named(&e, &nameless,
		     "isolation-deny deny #2 curl[123] perf_event_open of a CPU rule \"isolation[perf]\"");
	e = sample_event(RF_EVENT_KERNEL_DENY);
	expect_named(&e, &nameless, "kernel-deny deny #2 curl[123] mount tmpfs by mount rule \"kernel.deny[mount]\"");
	strcpy(e.kernel.detail, "a b\n");
	e.kernel.rule = RF_KERNEL_RULE_CAPABILITY(63);
	e.kernel.capability = 63;
	e.kernel.syscall = RF_KERNEL_NONE;
	expect(&e, "kernel-deny deny acme/prod/web curl[123] capability 63 a\\x20b\\x0a "
		   "policy acme/prod/web rule \"default\" web.yaml:12");
	e = sample_event(RF_EVENT_FILE_DENY);
	expect_named(&e, &nameless, "file-deny deny #2 curl[123] read key.pem of -");
	expect(&e, "file-deny deny acme/prod/web curl[123] read key.pem of weights "
		   "policy acme/prod/web rule \"default\" web.yaml:12");
	e.file.access = 1u << RF_FILE_RENAME;
	e.file.denied = 1u << RF_FILE_READ | 1u << RF_FILE_MMAP;
	expect_named(&e, &nameless, "file-deny deny #2 curl[123] rename key.pem of - leaves it, denied read,mmap-exec");
	e.file.denied = RF_FILE_ALL;
	e.file.zone = RF_ZONE_UNPLACED;
	e.file.name[0] = '\0';
	expect_named(&e, &nameless, "file-deny deny #2 curl[123] rename - of no known directory");
	e = sample_event(RF_EVENT_QUOTA);
	expect_named(&e, &nameless,
		     "accelerator-quota deny #2 curl[123] 261:0 share of the namespace over by 12.500 ms");
	e.quota.kind = RF_QUOTA_MEMORY;
	e.quota.wait_ns = 0;
	expect_named(&e, &nameless, "accelerator-quota deny #2 curl[123] 261:0 memory of the namespace");
	e = sample_event(RF_EVENT_XID);
	expect_named(&e, &nameless,
		     "accelerator-xid allow #2 curl[123] 0000:3b:00.0 xid 79 GPU has fallen off the bus.");
	e.xid.gpu_instance = 1;
	e.xid.compute_instance = 2;
	e.xid.bystander = 1;
	expect_named(&e, &nameless,
		     "accelerator-xid allow #2 curl[123] 0000:3b:00.0 instance 1/2 xid 79 bystander "
		     "GPU has fallen off the bus.");
	e = sample_event(RF_EVENT_EXEC_FIRST);
	expect_named(&e, &nameless, "exec-first allow #2 curl[123] /opt/tool device 8:1 inode 77");
	e.exec_first.digest_len = 2;
	e.exec_first.digest_of = RF_DIGEST_VERITY;
	e.exec_first.digest[1] = 0xcd;
	expect_named(&e, &nameless, "exec-first allow #2 curl[123] /opt/tool device 8:1 inode 77 verity 00cd");
	e.exec_first.digest_of = RF_DIGEST_IMA;
	expect_named(&e, &nameless, "exec-first allow #2 curl[123] /opt/tool device 8:1 inode 77 ima 00cd");
	e = sample_event(RF_EVENT_EXEC_DENY);
	expect_named(&e, &nameless, "exec-deny deny #2 curl[123] program /opt/tool rule set 5 rule 2");
	expect(&e, "exec-deny deny acme/prod/web curl[123] program /opt/tool rule "
		   "policy acme/prod/web rule \"default\" web.yaml:12");
	e.exec_deny.role = RF_EXEC_INTERPRETER;
	e.exec_deny.reason = RF_EXEC_DEFAULT;
	e.exec_deny.rule = RF_RULE_DEFAULT;
	expect_named(&e, &nameless, "exec-deny deny #2 curl[123] interpreter /opt/tool default set 5 default");
	e.exec_deny.role = RF_EXEC_LIBRARY;
	e.exec_deny.reason = RF_EXEC_DRIFT;
	expect_named(&e, &nameless, "exec-deny deny #2 curl[123] library /opt/tool drift");
	e.exec_deny.reason = RF_EXEC_UNREADABLE;
	strcpy(e.exec_deny.path, "memfd:x y");
	expect_named(&e, &nameless, "exec-deny deny #2 curl[123] library memfd:x\\x20y unreadable");
	e = sample_event(RF_EVENT_POLICY);
	expect_named(&e, &nameless, "policy allow #2 curl[123] generation 4: 3 workloads, 2 rule sets, 1 policies");
	e = sample_event(RF_EVENT_CGROUP_NEW);
	expect_named(&e, &nameless, "cgroup-new allow #2 curl[123] /system.slice/a.service id 4711");
	e = sample_event(RF_EVENT_CGROUP_GONE);
	expect_named(&e, &nameless, "cgroup-gone allow #2 curl[123] /system.slice/a.service id 4711");
	e = sample_event(RF_EVENT_FLOW_START);
	expect_named(&e, &nameless,
		     "flow-start allow #2 curl[123] egress tcp 10.0.0.5:4242 -> 192.0.2.9:443 public ruleset 7 rule 2");
	e = sample_event(RF_EVENT_FLOW_END);
	expect_named(&e, &nameless,
		     "flow-end allow #2 curl[123] egress tcp 10.0.0.5:4242 -> 192.0.2.9:443 public closed after 0.500s "
		     "tx 60 B 1 packets rx 9007199254740993 B 3 packets retransmits 2 rtt 1500us ruleset 7 rule 2");
	e = sample_event(RF_EVENT_GAP);
	expect_named(&e, &nameless, "gap allow #2 curl[123] 5 events lost on lane audit between 3 and 9");
}

static void a_tenants_name_cannot_forge_a_column_or_drive_the_terminal(void **state)
{
	union sample_event e = sample_event(RF_EVENT_EXEC);

	(void)state;
	strcpy(e.header.comm, "a] b\n\x1b[2J\\\"");
	strcpy(e.exec.path, "/x y\t\x9b\x7f\xc3\xa9");
	e.exec.path_len = strlen(e.exec.path);
	expect_named(&e, &nameless,
		     "exec allow #2 a]\\x20b\\x0a\\x1b[2J\\x5c\\x22[123] /x\\x20y\\x09\\x9b\\x7f\\xc3\\xa9 parent 100");
}

static void names_are_escaped_as_well(void **state)
{
	const struct rf_event_names names = { "t/n/a b", "p\n", "say \"x\"", "a b.yaml", 0, NULL, NULL, NULL };
	union sample_event e = sample_event(RF_EVENT_FLOW_DENY);

	(void)state;
	expect_named(&e, &names,
		     "flow-deny deny t/n/a\\x20b curl[123] egress tcp 10.0.0.5:4242 -> 10.0.0.9:80 "
		     "policy p\\x0a rule \"say \\x22x\\x22\" a\\x20b.yaml");
}

static void a_long_path_shows_its_end(void **state)
{
	union sample_event e = sample_event(RF_EVENT_EXEC);
	char want[512];

	(void)state;
	memset(e.exec.path, 'x', 96);
	e.exec.path[96] = '\0';
	e.exec.path_len = 96;
	snprintf(want, sizeof(want), "exec allow #2 curl[123] %s parent 100", e.exec.path);
	expect_named(&e, &nameless, want);
	memmove(e.exec.path + 1, e.exec.path, 97);
	e.exec.path[0] = '/';
	e.exec.path_len = 97;
	snprintf(want, sizeof(want), "exec allow #2 curl[123] ...%s parent 100", e.exec.path + 1);
	expect_named(&e, &nameless, want);
}

static void a_path_that_was_cut_says_so(void **state)
{
	union sample_event e = sample_event(RF_EVENT_CGROUP_NEW);
	char want[512], shown[97];

	(void)state;
	memset(shown, 'x', 96);
	shown[96] = '\0';
	memset(e.cgroup.path, 'x', RF_PATH_MAX - 1);
	e.cgroup.path_len = 1000;
	snprintf(want, sizeof(want), "cgroup-new allow #2 curl[123] ...%s... id 4711", shown);
	expect_named(&e, &nameless, want);
	e.cgroup.path[RF_PATH_MAX - 2] = '\0';
	e.cgroup.path_len = RF_PATH_MAX - 2;
	snprintf(want, sizeof(want), "cgroup-new allow #2 curl[123] ...%s id 4711", shown);
	expect_named(&e, &nameless, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_time_is_the_wall_clocks),
		cmocka_unit_test(a_denied_flow_says_who_where_and_by_which_rule),
		cmocka_unit_test(without_names_there_are_numbers),
		cmocka_unit_test(what_no_process_did_has_a_dash),
		cmocka_unit_test(addresses_are_written_by_their_family),
		cmocka_unit_test(a_socket_without_an_address_shows_none),
		cmocka_unit_test(a_denied_accelerator_has_its_name_and_operation),
		cmocka_unit_test(each_kind_says_what_happened),
		cmocka_unit_test(a_tenants_name_cannot_forge_a_column_or_drive_the_terminal),
		cmocka_unit_test(names_are_escaped_as_well),
		cmocka_unit_test(a_long_path_shows_its_end),
		cmocka_unit_test(a_path_that_was_cut_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
