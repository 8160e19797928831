// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names and validation of wire events. What passes rf_event_validate() can be
 * printed without another check.
 */
#include "user/model/event.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "ringfence/account_map.h"
#include "ringfence/isolation_map.h"
#include "ringfence/file_map.h"
#include "ringfence/policy_map.h"
#include "ringfence/rate_map.h"
#include "ringfence/socket_map.h"
#include "ringfence/workload_map.h"

static const struct {
	const char *name;
	size_t size;
} kinds[] = {
	[RF_EVENT_NONE] = { "none", 0 },
	[RF_EVENT_EXEC] = { "exec", sizeof(struct rf_event_exec) },
	[RF_EVENT_FORK] = { "fork", sizeof(struct rf_event_fork) },
	[RF_EVENT_EXIT] = { "exit", sizeof(struct rf_event_exit) },
	[RF_EVENT_CONNECT] = { "connect", sizeof(struct rf_event_flow) },
	[RF_EVENT_ACCEPT] = { "accept", sizeof(struct rf_event_flow) },
	[RF_EVENT_FLOW_DENY] = { "flow-deny", sizeof(struct rf_event_flow) },
	[RF_EVENT_DEVICE_DENY] = { "device-deny", sizeof(struct rf_event_device) },
	[RF_EVENT_POLICY] = { "policy", sizeof(struct rf_event_policy) },
	[RF_EVENT_CGROUP_NEW] = { "cgroup-new", sizeof(struct rf_event_cgroup) },
	[RF_EVENT_CGROUP_GONE] = { "cgroup-gone", sizeof(struct rf_event_cgroup) },
	[RF_EVENT_GAP] = { "gap", sizeof(struct rf_event_gap) },
	[RF_EVENT_SOCKET_DENY] = { "socket-deny", sizeof(struct rf_event_socket) },
	[RF_EVENT_FLOW_START] = { "flow-start", sizeof(struct rf_event_flow_record) },
	[RF_EVENT_FLOW_END] = { "flow-end", sizeof(struct rf_event_flow_record) },
	[RF_EVENT_GUARD_DENY] = { "guard-deny", sizeof(struct rf_event_guard) },
	[RF_EVENT_ISOLATION] = { "isolation-deny", sizeof(struct rf_event_isolation) },
	[RF_EVENT_KERNEL_DENY] = { "kernel-deny", sizeof(struct rf_event_kernel) },
	[RF_EVENT_FILE_DENY] = { "file-deny", sizeof(struct rf_event_file) },
	[RF_EVENT_EXEC_FIRST] = { "exec-first", sizeof(struct rf_event_exec_first) },
	[RF_EVENT_QUOTA] = { "accelerator-quota", sizeof(struct rf_event_quota) },
	[RF_EVENT_XID] = { "accelerator-xid", sizeof(struct rf_event_xid) },
	[RF_EVENT_EXEC_DENY] = { "exec-deny", sizeof(struct rf_event_exec_deny) },
};
static_assert(ARRAY_SIZE(kinds) == RF_EVENT_KINDS, "an event kind has no name");

static const char *const verdict_names[] = {
	[RF_ALLOW] = "allow",
	[RF_DENY] = "deny",
	[RF_WOULD_DENY] = "would-deny",
};
static_assert(ARRAY_SIZE(verdict_names) == RF_VERDICTS, "a verdict has no name");

static const char *const lane_names[] = {
	[RF_LANE_TELEMETRY] = "telemetry",
	[RF_LANE_AUDIT] = "audit",
	[RF_LANE_IDENTITY] = "identity",
};
static_assert(ARRAY_SIZE(lane_names) == RF_LANES, "a lane has no name");

static const char *const hook_names[] = {
#define X(id, name) [RF_HOOK_##id] = name,
	RF_HOOKS(X)
#undef X
};

const char *rf_event_kind_name(enum rf_event_kind kind)
{
	return (unsigned int)kind < RF_EVENT_KINDS ? kinds[kind].name : NULL;
}

int rf_event_kind_parse(const char *name)
{
	/* "none" is no kind that could be asked for. */
	for (int i = RF_EVENT_NONE + 1; i < RF_EVENT_KINDS; i++)
		if (rf_streq(kinds[i].name, name))
			return i;
	return -EINVAL;
}

static const char *const class_names[] = {
#define X(id, name) [RF_CLASS_##id] = name,
	RF_CLASSES(X)
#undef X
};

static const char *const reason_names[] = {
#define X(id, name) [RF_REASON_##id] = name,
	RF_REASONS(X)
#undef X
};

const char *rf_peer_class_name(enum rf_account_class class)
{
	return (unsigned int)class < RF_PEER_CLASSES ? class_names[class] : "unknown";
}

const char *rf_flow_reason_name(enum rf_flow_reason reason)
{
	return (unsigned int)reason < RF_REASON_COUNT ? reason_names[reason] : "unknown";
}

const char *rf_verdict_name(enum rf_verdict verdict)
{
	return (unsigned int)verdict < RF_VERDICTS ? verdict_names[verdict] : "unknown";
}

int rf_verdict_parse(const char *name)
{
	for (int i = 0; i < RF_VERDICTS; i++)
		if (rf_streq(verdict_names[i], name))
			return i;
	return -EINVAL;
}

const char *rf_lane_name(enum rf_lane lane)
{
	return (unsigned int)lane < RF_LANES ? lane_names[lane] : "unknown";
}

static const struct {
	const char *name, *help;
} operations[] = {
#define X(id, name, help) [RF_GUARD_##id] = { name, help },
	RF_GUARD_OPERATIONS(X)
#undef X
};

const char *rf_guard_operation_name(unsigned int operation)
{
	return operation < ARRAY_SIZE(operations) ? operations[operation].name : "?";
}

const char *rf_guard_operation_help(unsigned int operation)
{
	return operation < ARRAY_SIZE(operations) ? operations[operation].help : "?";
}

const char *rf_hook_name(enum rf_hook hook)
{
	return (unsigned int)hook < RF_HOOK_COUNT ? hook_names[hook] : "unknown";
}

size_t rf_event_size(enum rf_event_kind kind)
{
	return (unsigned int)kind < RF_EVENT_KINDS ? kinds[kind].size : 0;
}

const char *rf_protocol_name(unsigned int protocol, char buffer[static 8])
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	}
	/* A protocol has eight bits; whatever is given must fit. */
	snprintf(buffer, 8, "%u", protocol % 1000000);
	return buffer;
}

/* A rule of a rule set, perhaps a limit of it, its default, or a limit of the workload, which is in no rule set. */
static bool rule_valid(uint32_t ruleset, uint16_t rule)
{
	if (rule == RF_RULE_CONNECTIONS || rule == RF_RULE_CONNECTION_RATE)
		return ruleset == 0;
	if (rule == RF_RULE_DEFAULT)
		return ruleset < RF_MAX_RULESETS;
	if (rule & RF_RULE_OF_CONNECTIONS)
		rule &= ~RF_RULE_OF_CONNECTIONS;
	else
		rule &= ~RF_RULE_OF_CONNECTION_RATE;
	return ruleset < RF_MAX_RULESETS && rule < RF_MAX_RULES;
}

static bool flow_valid(const struct rf_event_flow *e)
{
	return (e->family == AF_INET || e->family == AF_INET6) && e->direction < RF_DIRECTIONS && e->tier < RF_TIERS &&
	       rule_valid(e->ruleset, e->rule) && e->hook < RF_HOOK_COUNT;
}

static bool flow_record_valid(const struct rf_event_flow_record *e)
{
	return (e->family == AF_INET || e->family == AF_INET6) && e->direction < RF_DIRECTIONS && e->tier < RF_TIERS &&
	       rule_valid(e->ruleset, e->rule) && e->peer_class < RF_PEER_CLASSES && e->reason < RF_REASON_COUNT &&
	       (e->reason == RF_REASON_OPEN) == (e->header.kind == RF_EVENT_FLOW_START);
}

static bool device_valid(const struct rf_event_device *e)
{
	return (e->type == 1 || e->type == 2) && !(e->access & ~(RF_DEVICE_OPEN | RF_DEVICE_IOCTLS)) &&
	       e->tier < RF_TIERS && e->use <= 1;
}

static bool socket_valid(const struct rf_event_socket *e)
{
	return e->peer_workload < RF_MAX_WORKLOADS && e->rule < RF_SOCKET_RULES && e->tier < RF_TIERS &&
	       e->direction < RF_DIRECTIONS;
}

static bool isolation_valid(const struct rf_event_isolation *e)
{
	return e->peer_workload < RF_MAX_WORKLOADS && e->operation < RF_OPERATION_COUNT && e->between < RF_BETWEENS &&
	       e->tier < RF_TIERS && e->direction < RF_DIRECTIONS;
}

static bool kernel_valid(const struct rf_event_kernel *e)
{
	return e->rule < RF_KERNEL_RULES && (e->capability < RF_CAPABILITIES || e->capability == RF_KERNEL_NONE) &&
	       (e->syscall < RF_SYSCALL_COUNT || e->syscall == RF_KERNEL_NONE) && e->tier < RF_TIERS &&
	       memchr(e->detail, '\0', sizeof(e->detail));
}

static bool file_valid(const struct rf_event_file *e)
{
	return e->access && !(e->access & ~RF_FILE_ALL) && e->denied && !(e->denied & ~RF_FILE_ALL) &&
	       e->tier < RF_TIERS && (e->zone == RF_ZONE_UNPLACED || (e->zone && e->zone <= RF_MAX_ZONES)) &&
	       memchr(e->name, '\0', sizeof(e->name));
}

/* @len may be more than what was kept of a path that was cut. */
static bool path_valid(const char path[RF_PATH_MAX], uint32_t len)
{
	return strnlen(path, RF_PATH_MAX) == MIN(len, (uint32_t)RF_PATH_MAX - 1);
}

static bool exec_deny_valid(const struct rf_event_exec_deny *e)
{
	return (e->rule < RF_MAX_RULES || e->rule == RF_RULE_DEFAULT) && e->tier < RF_TIERS &&
	       e->reason < RF_EXEC_REASONS && e->role <= RF_EXEC_LIBRARY && path_valid(e->path, e->path_len);
}

static bool header_valid(const struct rf_event_header *h, size_t len)
{
	bool denied = h->verdict == RF_DENY || h->verdict == RF_WOULD_DENY;
	bool about_denial = h->kind == RF_EVENT_FLOW_DENY || h->kind == RF_EVENT_DEVICE_DENY ||
			    h->kind == RF_EVENT_SOCKET_DENY || h->kind == RF_EVENT_GUARD_DENY ||
			    h->kind == RF_EVENT_ISOLATION || h->kind == RF_EVENT_KERNEL_DENY ||
			    h->kind == RF_EVENT_FILE_DENY || h->kind == RF_EVENT_EXEC_DENY;

	return h->version == RF_EVENT_VERSION && h->kind != RF_EVENT_NONE && h->kind < RF_EVENT_KINDS &&
	       h->size == kinds[h->kind].size && h->size <= len && h->lane < RF_LANES && h->verdict < RF_VERDICTS &&
	       (denied || !about_denial) && h->workload < RF_MAX_WORKLOADS && memchr(h->comm, '\0', sizeof(h->comm));
}

int rf_event_validate(const void *data, size_t len)
{
	/* A copy: @data may lie anywhere, aligned or not. */
	union {
		struct rf_event_header header;
		struct rf_event_exec exec;
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
		struct rf_event_cgroup cgroup;
		struct rf_event_gap gap;
	} e;
	bool valid = true;

	if (len < sizeof(e.header))
		return -EBADMSG;
	memcpy(&e.header, data, sizeof(e.header));
	if (!header_valid(&e.header, len))
		return -EBADMSG;
	memcpy(&e, data, MIN((size_t)e.header.size, sizeof(e)));
	switch ((enum rf_event_kind)e.header.kind) {
	case RF_EVENT_EXEC:
		valid = e.exec.path_len < RF_PATH_MAX && path_valid(e.exec.path, e.exec.path_len);
		break;
	case RF_EVENT_CONNECT:
	case RF_EVENT_ACCEPT:
	case RF_EVENT_FLOW_DENY:
		valid = flow_valid(&e.flow);
		break;
	case RF_EVENT_FLOW_START:
	case RF_EVENT_FLOW_END:
		valid = flow_record_valid(&e.record);
		break;
	case RF_EVENT_DEVICE_DENY:
		valid = device_valid(&e.device);
		break;
	case RF_EVENT_SOCKET_DENY:
		valid = socket_valid(&e.socket);
		break;
	case RF_EVENT_GUARD_DENY:
		valid = e.guard.operation < RF_GUARD_COUNT;
		break;
	case RF_EVENT_ISOLATION:
		valid = isolation_valid(&e.isolation);
		break;
	case RF_EVENT_KERNEL_DENY:
		valid = kernel_valid(&e.kernel);
		break;
	case RF_EVENT_FILE_DENY:
		valid = file_valid(&e.file);
		break;
	case RF_EVENT_EXEC_FIRST:
		valid = e.exec_first.digest_len <= RF_DIGEST_MAX && e.exec_first.digest_of < RF_DIGESTS &&
			path_valid(e.exec_first.path, e.exec_first.path_len);
		break;
	case RF_EVENT_EXEC_DENY:
		valid = exec_deny_valid(&e.exec_deny);
		break;
	case RF_EVENT_QUOTA:
		valid = e.quota.kind < RF_QUOTA_KINDS && e.quota.level < RF_ACCEL_LEVELS;
		break;
	case RF_EVENT_XID:
		valid = e.xid.bystander <= 1 && memchr(e.xid.device, '\0', sizeof(e.xid.device)) &&
			memchr(e.xid.text, '\0', sizeof(e.xid.text));
		break;
	case RF_EVENT_CGROUP_NEW:
	case RF_EVENT_CGROUP_GONE:
		valid = path_valid(e.cgroup.path, e.cgroup.path_len);
		break;
	case RF_EVENT_NONE:
	case RF_EVENT_FORK:
	case RF_EVENT_EXIT:
	case RF_EVENT_POLICY:
	case RF_EVENT_GAP:
	case RF_EVENT_KINDS:
		break;
	}
	return valid ? 0 : -EBADMSG;
}
