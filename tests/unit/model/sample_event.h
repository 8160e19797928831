/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One valid event of each kind, for the tests to print and to spoil. */
#ifndef TESTS_UNIT_MODEL_SAMPLE_EVENT_H
#define TESTS_UNIT_MODEL_SAMPLE_EVENT_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "ringfence/isolation_map.h"
#include "ringfence/file_map.h"
#include "ringfence/policy_map.h"
#include "ringfence/socket_map.h"
#include "ringfence/workload_map.h"
#include "user/model/event.h"

union sample_event {
	struct rf_event_header header;
	struct rf_event_exec exec;
	struct rf_event_fork fork;
	struct rf_event_exit exit;
	struct rf_event_flow flow;
	struct rf_event_flow_record record;
	struct rf_event_device device;
	struct rf_event_socket socket;
	struct rf_event_guard guard;
	struct rf_event_isolation isolation;
	struct rf_event_kernel kernel;
	struct rf_event_file file;
	struct rf_event_exec_deny exec_deny;
	struct rf_event_exec_first exec_first;
	struct rf_event_quota quota;
	struct rf_event_xid xid;
	struct rf_event_policy policy;
	struct rf_event_cgroup cgroup;
	struct rf_event_gap gap;
};

static const struct rf_event_names sample_names = {
	.workload = "acme/prod/web",
	.policy = "acme/prod/web",
	.rule = "default",
	.file = "web.yaml",
	.line = 12,
	.peer = "umbra/prod/db",
	.label = "weights",
};

static inline void sample_flow(struct rf_event_flow *e)
{
	static const __u8 local[4] = { 10, 0, 0, 5 }, remote[4] = { 10, 0, 0, 9 };

	e->family = AF_INET;
	e->protocol = IPPROTO_TCP;
	e->direction = e->header.kind == RF_EVENT_ACCEPT ? RF_INGRESS : RF_EGRESS;
	e->local_port = 4242;
	e->remote_port = 80;
	memcpy(e->local, local, sizeof(local));
	memcpy(e->remote, remote, sizeof(remote));
	e->ruleset = 7;
	e->rule = RF_RULE_DEFAULT;
	e->hook = RF_HOOK_CONNECT4;
}

static inline void sample_flow_record(struct rf_event_flow_record *e, enum rf_event_kind kind)
{
	static const __u8 local[4] = { 10, 0, 0, 5 }, remote[4] = { 192, 0, 2, 9 };

	e->family = AF_INET;
	e->protocol = IPPROTO_TCP;
	e->local_port = 4242;
	e->remote_port = 443;
	memcpy(e->local, local, sizeof(local));
	memcpy(e->remote, remote, sizeof(remote));
	e->ruleset = 7;
	e->rule = 2;
	e->peer_class = RF_CLASS_PUBLIC;
	e->start_ns = 500000000;
	e->tx_bytes = 60;
	e->tx_packets = 1;
	if (kind == RF_EVENT_FLOW_START)
		return;
	e->reason = RF_REASON_CLOSED;
	e->rx_bytes = 9007199254740993ULL; /* 2^53 + 1 */
	e->rx_packets = 3;
	e->retransmits = 2;
	e->rtt_us = 1500;
}

static inline union sample_event sample_event(enum rf_event_kind kind)
{
	union sample_event e;
	bool denied = kind == RF_EVENT_FLOW_DENY || kind == RF_EVENT_DEVICE_DENY || kind == RF_EVENT_SOCKET_DENY ||
		      kind == RF_EVENT_ISOLATION || kind == RF_EVENT_KERNEL_DENY || kind == RF_EVENT_FILE_DENY ||
		      kind == RF_EVENT_GUARD_DENY || kind == RF_EVENT_EXEC_DENY;

	memset(&e, 0, sizeof(e));
	e.header.version = RF_EVENT_VERSION;
	e.header.kind = kind;
	e.header.size = rf_event_size(kind);
	e.header.lane = denied ? RF_LANE_AUDIT : RF_LANE_TELEMETRY;
	e.header.verdict = denied ? RF_DENY : RF_ALLOW;
	e.header.sequence = 9;
	e.header.time_ns = 1000000000;
	e.header.cgroup_id = 4711;
	e.header.workload = 2;
	e.header.tgid = 123;
	e.header.tid = 124;
	e.header.uid = 1000;
	strcpy(e.header.comm, "curl");
	switch (kind) {
	case RF_EVENT_EXEC:
		e.exec.parent_tgid = 100;
		strcpy(e.exec.path, "/usr/bin/curl");
		e.exec.path_len = strlen(e.exec.path);
		break;
	case RF_EVENT_FORK:
		e.fork.child_tgid = 125;
		break;
	case RF_EVENT_EXIT:
		e.exit.exit_code = 3 << 8;
		e.exit.lifetime_ns = 1234567890;
		break;
	case RF_EVENT_CONNECT:
	case RF_EVENT_ACCEPT:
	case RF_EVENT_FLOW_DENY:
		sample_flow(&e.flow);
		break;
	case RF_EVENT_FLOW_START:
	case RF_EVENT_FLOW_END:
		sample_flow_record(&e.record, kind);
		break;
	case RF_EVENT_DEVICE_DENY:
		e.device.type = 2;
		e.device.access = RF_DEVICE_READ | RF_DEVICE_WRITE;
		e.device.major = 195;
		e.device.minor = 255;
		e.device.device_set = 3;
		e.device.rule = 1;
		break;
	case RF_EVENT_SOCKET_DENY:
		e.socket.family = AF_INET;
		e.socket.type = SOCK_RAW;
		e.socket.protocol = IPPROTO_ICMP;
		e.socket.rule = RF_SOCKET_RAW;
		break;
	case RF_EVENT_GUARD_DENY:
		e.guard.operation = RF_GUARD_LINK;
		e.guard.target = 44;
		break;
	case RF_EVENT_ISOLATION:
		e.isolation.peer_workload = 7;
		e.isolation.peer_tgid = 321;
		e.isolation.argument = 9;
		e.isolation.operation = RF_OPERATION_KILL;
		break;
	case RF_EVENT_KERNEL_DENY:
		e.kernel.rule = RF_KERNEL_MOUNT;
		e.kernel.capability = RF_KERNEL_NONE;
		e.kernel.syscall = RF_SYSCALL_mount;
		strcpy(e.kernel.detail, "tmpfs");
		break;
	case RF_EVENT_FILE_DENY:
		e.file.inode = 77;
		e.file.device = 8 << 20 | 1;
		e.file.zone = 3;
		e.file.access = 1u << RF_FILE_READ;
		e.file.denied = 1u << RF_FILE_READ;
		strcpy(e.file.name, "key.pem");
		break;
	case RF_EVENT_QUOTA:
		e.header.lane = RF_LANE_AUDIT;
		e.header.verdict = RF_DENY;
		e.quota.kind = RF_QUOTA_SHARE;
		e.quota.level = RF_ACCEL_NAMESPACE;
		e.quota.major = 261;
		e.quota.minor = 0;
		e.quota.wait_ns = 12500000;
		break;
	case RF_EVENT_XID:
		e.header.lane = RF_LANE_AUDIT;
		e.xid.code = 79;
		e.xid.gpu_instance = e.xid.compute_instance = UINT32_MAX;
		strcpy(e.xid.device, "0000:3b:00.0");
		strcpy(e.xid.text, "GPU has fallen off the bus.");
		break;
	case RF_EVENT_EXEC_FIRST:
		e.exec_first.device = 8 << 20 | 1;
		e.exec_first.inode = 77;
		strcpy(e.exec_first.path, "/opt/tool");
		e.exec_first.path_len = strlen(e.exec_first.path);
		break;
	case RF_EVENT_EXEC_DENY:
		e.exec_deny.set = 5;
		e.exec_deny.rule = 2;
		e.exec_deny.reason = RF_EXEC_RULE;
		strcpy(e.exec_deny.path, "/opt/tool");
		e.exec_deny.path_len = strlen(e.exec_deny.path);
		break;
	case RF_EVENT_POLICY:
		e.policy.generation = 4;
		e.policy.workloads = 3;
		e.policy.rulesets = 2;
		e.policy.policies = 1;
		break;
	case RF_EVENT_CGROUP_NEW:
	case RF_EVENT_CGROUP_GONE:
		e.cgroup.parent_id = 1;
		e.cgroup.level = 2;
		strcpy(e.cgroup.path, "/system.slice/a.service");
		e.cgroup.path_len = strlen(e.cgroup.path);
		break;
	case RF_EVENT_GAP:
		e.header.lane = RF_LANE_AUDIT;
		e.gap.lost = 5;
		e.gap.after_sequence = 3;
		e.gap.before_sequence = 9;
		e.gap.after_time_ns = 900000000;
		break;
	case RF_EVENT_NONE:
	case RF_EVENT_KINDS:
		break;
	}
	return e;
}

#endif
