// SPDX-License-Identifier: GPL-2.0-or-later
/* An event as a JSON object: the members of its kind, after those that every event has. */
#include <sys/wait.h>

#include "ringfence/policy_map.h"
#include "ringfence/workload_map.h"
#include "user/lib/clock.h"
#include "user/model/accelerator.h"
#include "user/model/event_text.h"
#include "user/model/icmp.h"
#include "user/model/isolation.h"
#include "user/model/kernel.h"
#include "user/model/label.h"
#include "user/model/programs.h"
#include "user/model/sockets.h"

static void put_header(struct rf_json *j, const struct rf_event_header *e, const struct rf_event_names *names)
{
	rf_json_time(j, "time", rf_clock_boot_to_real(e->time_ns));
	rf_json_string(j, "kind", rf_event_kind_name(e->kind));
	rf_json_string(j, "verdict", rf_verdict_name(e->verdict));
	rf_json_string(j, "lane", rf_lane_name(e->lane));
	rf_json_u64(j, "sequence", e->sequence);
	rf_json_string(j, "workload", names->workload);
	rf_json_u64(j, "workload_id", e->workload);
	rf_json_u64(j, "cgroup_id", e->cgroup_id);
	rf_json_u64(j, "pid", e->tgid);
	rf_json_u64(j, "tid", e->tid);
	rf_json_u64(j, "uid", e->uid);
	rf_json_string(j, "comm", e->comm);
}

static void put_endpoint(struct rf_json *j, const char *key, unsigned int family, const __u8 addr[16],
			 unsigned int port)
{
	char address[RF_ADDRESS_MAX];

	rf_json_object(j, key);
	rf_json_string(j, "address", rf_event_address(family, addr, address));
	rf_json_u64(j, "port", port);
	rf_json_object_end(j);
}

/* Null where the packet did not carry them. */
static void put_icmp(struct rf_json *j, unsigned int port)
{
	if (port == RF_ICMP_UNREAD) {
		rf_json_null(j, "icmp_type");
		rf_json_null(j, "icmp_code");
		return;
	}
	rf_json_u64(j, "icmp_type", port >> 8);
	rf_json_u64(j, "icmp_code", port & UINT8_MAX);
}

static void put_protocol(struct rf_json *j, unsigned int protocol, unsigned int remote_port)
{
	char name[8];

	rf_json_string(j, "protocol", rf_protocol_name(protocol, name));
	if (rf_protocol_is_icmp(protocol))
		put_icmp(j, remote_port);
}

static void put_endpoints(struct rf_json *j, unsigned int family, unsigned int protocol, const __u8 local[16],
			  unsigned int local_port, const __u8 remote[16], unsigned int remote_port)
{
	bool icmp = rf_protocol_is_icmp(protocol);

	put_endpoint(j, "local", family, local, icmp ? 0 : local_port);
	put_endpoint(j, "remote", family, remote, icmp ? 0 : remote_port);
}

/* "rule_index" stays where the names are no longer known; null is what is no rule: the default, a limit. */
static void put_rule(struct rf_json *j, const struct rf_event_names *names, unsigned int rule)
{
	rf_json_string(j, "policy", names->policy);
	rf_json_string(j, "rule", names->rule);
	rf_json_string(j, "file", names->file);
	if (names->line)
		rf_json_u64(j, "line", names->line);
	else
		rf_json_null(j, "line");
	if (rule >= RF_MAX_RULES)
		rf_json_null(j, "rule_index");
	else
		rf_json_u64(j, "rule_index", rule);
}

static void put_flow(struct rf_json *j, const struct rf_event_flow *e, const struct rf_event_names *names)
{
	put_protocol(j, e->protocol, e->remote_port);
	rf_json_string(j, "direction", rf_event_direction_name(e->direction));
	rf_json_string(j, "hook", rf_hook_name(e->hook));
	put_endpoints(j, e->family, e->protocol, e->local, e->local_port, e->remote, e->remote_port);
	/* What was allowed is not asked which rule it was. */
	if (e->header.kind != RF_EVENT_FLOW_DENY && !names->policy)
		return;
	rf_json_string(j, "tier", rf_event_tier_name(e->tier));
	rf_json_u64(j, "ruleset", e->ruleset);
	put_rule(j, names, e->rule);
}

static void put_flow_record(struct rf_json *j, const struct rf_event_flow_record *e, const struct rf_event_names *names)
{
	put_protocol(j, e->protocol, e->remote_port);
	rf_json_string(j, "direction", rf_event_direction_name(e->direction));
	put_endpoints(j, e->family, e->protocol, e->local, e->local_port, e->remote, e->remote_port);
	rf_json_string(j, "peer", rf_peer_class_name(e->peer_class));
	rf_json_time(j, "start", rf_clock_boot_to_real(e->start_ns));
	rf_json_string(j, "reason", rf_flow_reason_name(e->reason));
	rf_json_u64(j, "tx_bytes", e->tx_bytes);
	rf_json_u64(j, "rx_bytes", e->rx_bytes);
	rf_json_u64(j, "tx_packets", e->tx_packets);
	rf_json_u64(j, "rx_packets", e->rx_packets);
	rf_json_u64(j, "retransmits", e->retransmits);
	rf_json_u64(j, "rtt_us", e->rtt_us);
	rf_json_string(j, "tier", rf_event_tier_name(e->tier));
	rf_json_u64(j, "ruleset", e->ruleset);
	put_rule(j, names, e->rule);
}

static void put_device_number(struct rf_json *j, const char *key, uint32_t number)
{
	if (number == RF_DEVICE_ANY)
		rf_json_null(j, key);
	else
		rf_json_u64(j, key, number);
}

static void put_device(struct rf_json *j, const struct rf_event_device *e, const struct rf_event_names *names)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} access[] = { { RF_DEVICE_READ, "read" },     { RF_DEVICE_WRITE, "write" }, { RF_DEVICE_MKNOD, "mknod" },
		       { RF_DEVICE_SUBMIT, "submit" }, { RF_DEVICE_ALLOC, "alloc" }, { RF_DEVICE_MAP, "map" },
		       { RF_DEVICE_ADMIN, "admin" } };

	if (names->device)
		rf_json_string(j, "device", names->device);
	rf_json_string(j, "type", e->type == 1 ? "block" : "char");
	put_device_number(j, "major", e->major);
	put_device_number(j, "minor", e->minor);
	rf_json_array(j, "access");
	for (size_t i = 0; i < ARRAY_SIZE(access); i++)
		if (e->use == 0 && e->access & access[i].bit)
			rf_json_string(j, NULL, access[i].name);
	if (e->use)
		rf_json_string(j, NULL, "ioctl");
	rf_json_array_end(j);
	rf_json_string(j, "tier", rf_event_tier_name(e->tier));
	rf_json_u64(j, "device_set", e->device_set);
	put_rule(j, names, e->rule);
}

static void put_socket(struct rf_json *j, const struct rf_event_socket *e, const struct rf_event_names *names)
{
	char word[RF_SOCKET_WORD], rule[RF_SOCKET_RULE_NAME];
	struct rf_event_names named = *names;

	rf_json_string(j, "family", rf_socket_family_name(e->family, word));
	rf_json_string(j, "type", rf_socket_type_name(e->type, word));
	rf_json_u64(j, "protocol", e->protocol);
	if (e->rule >= RF_SOCKET_NETLINK)
		rf_json_string(j, "netlink", rf_netlink_name(e->protocol));
	if (e->peer_workload != RF_WORKLOAD_NONE) {
		rf_json_string(j, "direction", rf_event_direction_name(e->direction));
		rf_json_string(j, "peer", names->peer);
		rf_json_u64(j, "peer_id", e->peer_workload);
	}
	rf_json_string(j, "tier", rf_event_tier_name(e->tier));
	/* What it is called does not depend on whose it is. */
	named.rule = rf_socket_rule_name(e->rule, rule);
	put_rule(j, &named, RF_RULE_DEFAULT);
}

static void put_isolation(struct rf_json *j, const struct rf_event_isolation *e, const struct rf_event_names *names)
{
	const char *argument = rf_isolation_argument_name(e->operation);
	struct rf_event_names named = *names;

	rf_json_string(j, "operation", rf_isolation_operation_name(e->operation));
	if (argument)
		rf_json_i64(j, argument, (int32_t)e->argument);
	rf_json_string(j, "between", rf_between_names[e->between]);
	rf_json_string(j, "direction", rf_event_direction_name(e->direction));
	if (e->peer_workload != RF_WORKLOAD_NONE) {
		rf_json_string(j, "peer", names->peer);
		rf_json_u64(j, "peer_id", e->peer_workload);
	}
	/* Of the process that was acted on. */
	if (e->peer_tgid)
		rf_json_u64(j, "target_pid", e->peer_tgid);
	rf_json_string(j, "tier", rf_event_tier_name(e->tier));
	named.rule = rf_isolation_rule_name(rf_isolation_operation_kind(e->operation));
	put_rule(j, &named, RF_RULE_DEFAULT);
}

/* Null is what it did not ask for, or what cannot be told. */
static void put_kernel(struct rf_json *j, const struct rf_event_kernel *e, const struct rf_event_names *names)
{
	struct rf_event_names named = *names;
	char rule[RF_KERNEL_RULE_NAME];

	rf_json_string(j, "interface", e->rule < RF_KERNEL_KIND_COUNT ? rf_kernel_kind_names[e->rule] : NULL);
	rf_json_string(j, "capability", rf_capability_name(e->capability));
	rf_json_string(j, "syscall", rf_syscall_name(e->syscall));
	rf_json_string(j, "detail", e->detail[0] ? e->detail : NULL);
	rf_json_string(j, "tier", rf_event_tier_name(e->tier));
	if (!named.rule)
		named.rule = rf_kernel_rule_name(e->rule, rule);
	put_rule(j, &named, RF_RULE_DEFAULT);
}

static void put_accesses(struct rf_json *j, const char *key, uint32_t access)
{
	rf_json_array(j, key);
	for (int i = 0; i < RF_FILE_ACCESS_COUNT; i++)
		if (access & 1u << i)
			rf_json_string(j, NULL, rf_file_access_names[i]);
	rf_json_array_end(j);
}

static void put_file(struct rf_json *j, const struct rf_event_file *e, const struct rf_event_names *names)
{
	put_accesses(j, "access", e->access);
	put_accesses(j, "denied", e->denied);
	rf_json_string(j, "label", names->label);
	rf_json_string(j, "name", e->name);
	rf_json_u64(j, "inode", e->inode);
	rf_json_u64(j, "device_major", e->device >> 20);
	rf_json_u64(j, "device_minor", e->device & 0xfffff);
	rf_json_string(j, "tier", rf_event_tier_name(e->tier));
	put_rule(j, names, RF_RULE_DEFAULT);
}

static void put_exec_deny(struct rf_json *j, const struct rf_event_exec_deny *e, const struct rf_event_names *names)
{
	rf_json_string(j, "role", rf_exec_role_name(e->role));
	rf_json_string(j, "path", e->path);
	rf_json_bool(j, "path_cut", rf_event_path_cut(e->path_len));
	rf_json_string(j, "reason", rf_exec_reason_name(e->reason));
	rf_json_string(j, "tier", rf_event_tier_name(e->tier));
	rf_json_u64(j, "set", e->set);
	put_rule(j, names, e->rule);
}

static void put_quota(struct rf_json *j, const struct rf_event_quota *e, const struct rf_event_names *names)
{
	if (names->device)
		rf_json_string(j, "device", names->device);
	rf_json_u64(j, "major", e->major);
	rf_json_u64(j, "minor", e->minor);
	rf_json_string(j, "quota", rf_quota_kind_name(e->kind));
	rf_json_string(j, "of", rf_accel_level_name(e->level));
	rf_json_u64(j, "wait_ns", e->wait_ns);
	rf_json_string(j, "policy", names->policy);
}

static void put_xid(struct rf_json *j, const struct rf_event_xid *e, const struct rf_event_names *names)
{
	rf_json_string(j, "device", names->device);
	rf_json_string(j, "address", e->device);
	rf_json_u64(j, "xid", e->code);
	if (e->gpu_instance != UINT32_MAX)
		rf_json_u64(j, "gpu_instance", e->gpu_instance);
	if (e->compute_instance != UINT32_MAX)
		rf_json_u64(j, "compute_instance", e->compute_instance);
	rf_json_bool(j, "bystander", e->bystander);
	rf_json_string(j, "message", e->text);
}

static void put_exec_first(struct rf_json *j, const struct rf_event_exec_first *e)
{
	char digest[2 * RF_DIGEST_MAX + 1] = "";

	for (uint32_t i = 0; i < e->digest_len; i++)
		snprintf(digest + 2 * (size_t)i, 3, "%02x", e->digest[i]);
	rf_json_string(j, "path", e->path);
	rf_json_bool(j, "path_cut", rf_event_path_cut(e->path_len));
	rf_json_u64(j, "major", e->device >> 20);
	rf_json_u64(j, "minor", e->device & 0xfffff);
	rf_json_u64(j, "inode", e->inode);
	rf_json_string(j, "verity", e->digest_of == RF_DIGEST_VERITY ? digest : NULL);
	rf_json_string(j, "ima", e->digest_of == RF_DIGEST_IMA ? digest : NULL);
}

static void put_exit(struct rf_json *j, const struct rf_event_exit *e)
{
	if (WIFSIGNALED(e->exit_code)) {
		rf_json_null(j, "status");
		rf_json_i64(j, "signal", WTERMSIG(e->exit_code));
	} else {
		rf_json_i64(j, "status", WEXITSTATUS(e->exit_code));
		rf_json_null(j, "signal");
	}
	rf_json_u64(j, "lifetime_ns", e->lifetime_ns);
}

static void put_cgroup(struct rf_json *j, const struct rf_event_cgroup *e)
{
	rf_json_string(j, "path", e->path);
	rf_json_bool(j, "path_cut", rf_event_path_cut(e->path_len));
	rf_json_u64(j, "parent_id", e->parent_id);
	rf_json_u64(j, "level", e->level);
}

static void put_gap(struct rf_json *j, const struct rf_event_gap *e)
{
	rf_json_u64(j, "lost", e->lost);
	rf_json_u64(j, "after_sequence", e->after_sequence);
	rf_json_u64(j, "before_sequence", e->before_sequence);
	if (e->after_sequence)
		rf_json_time(j, "after_time", rf_clock_boot_to_real(e->after_time_ns));
	else
		rf_json_null(j, "after_time");
}

static void put_policy(struct rf_json *j, const struct rf_event_policy *e)
{
	rf_json_u64(j, "generation", e->generation);
	rf_json_u64(j, "workloads", e->workloads);
	rf_json_u64(j, "rulesets", e->rulesets);
	rf_json_u64(j, "policies", e->policies);
}

void rf_event_json(struct rf_strbuf *out, const struct rf_event_header *event, const struct rf_event_names *names)
{
	static const struct rf_event_names nameless;
	const void *e = event;
	const struct rf_event_exec *exec = e;
	struct rf_json j;

	if (!names)
		names = &nameless;
	rf_json_init(&j, out);
	rf_json_object(&j, NULL);
	put_header(&j, event, names);
	switch ((enum rf_event_kind)event->kind) {
	case RF_EVENT_EXEC:
		rf_json_string(&j, "path", exec->path);
		rf_json_bool(&j, "path_cut", rf_event_path_cut(exec->path_len));
		rf_json_u64(&j, "parent_pid", exec->parent_tgid);
		break;
	case RF_EVENT_FORK:
		rf_json_u64(&j, "child_pid", ((const struct rf_event_fork *)e)->child_tgid);
		break;
	case RF_EVENT_EXIT:
		put_exit(&j, e);
		break;
	case RF_EVENT_CONNECT:
	case RF_EVENT_ACCEPT:
	case RF_EVENT_FLOW_DENY:
		put_flow(&j, e, names);
		break;
	case RF_EVENT_FLOW_START:
	case RF_EVENT_FLOW_END:
		put_flow_record(&j, e, names);
		break;
	case RF_EVENT_DEVICE_DENY:
		put_device(&j, e, names);
		break;
	case RF_EVENT_SOCKET_DENY:
		put_socket(&j, e, names);
		break;
	case RF_EVENT_GUARD_DENY:
		rf_json_string(&j, "operation", rf_guard_operation_name(((const struct rf_event_guard *)e)->operation));
		rf_json_u64(&j, "target", ((const struct rf_event_guard *)e)->target);
		break;
	case RF_EVENT_ISOLATION:
		put_isolation(&j, e, names);
		break;
	case RF_EVENT_KERNEL_DENY:
		put_kernel(&j, e, names);
		break;
	case RF_EVENT_FILE_DENY:
		put_file(&j, e, names);
		break;
	case RF_EVENT_QUOTA:
		put_quota(&j, e, names);
		break;
	case RF_EVENT_XID:
		put_xid(&j, e, names);
		break;
	case RF_EVENT_EXEC_FIRST:
		put_exec_first(&j, e);
		break;
	case RF_EVENT_EXEC_DENY:
		put_exec_deny(&j, e, names);
		break;
	case RF_EVENT_POLICY:
		put_policy(&j, e);
		break;
	case RF_EVENT_CGROUP_NEW:
	case RF_EVENT_CGROUP_GONE:
		put_cgroup(&j, e);
		break;
	case RF_EVENT_GAP:
		put_gap(&j, e);
		break;
	case RF_EVENT_NONE:
	case RF_EVENT_KINDS:
		break;
	}
	rf_json_object_end(&j);
}
