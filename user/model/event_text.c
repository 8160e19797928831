// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An event as a line for people:
 *
 *	TIME KIND VERDICT WORKLOAD comm[pid] details
 *
 * What a tenant chose (a name, a path) is shown as printable ASCII without
 * spaces, everything else as \xHH: it can neither drive the terminal nor
 * pretend to be another column.
 */
#include "user/model/accelerator.h"
#include "user/model/accelerator_ioctl.h"
#include "user/model/event_text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "ringfence/policy_map.h"
#include "ringfence/rate_map.h"
#include "ringfence/workload_map.h"
#include "user/lib/clock.h"
#include "user/model/icmp.h"
#include "user/model/isolation.h"
#include "user/model/kernel.h"
#include "user/model/label.h"
#include "user/model/programs.h"
#include "user/model/sockets.h"

#define PATH_SHOWN 96 /* bytes of a path before it is cut in front: its end tells more */

const char *rf_event_address(unsigned int family, const __u8 addr[16], char buffer[static RF_ADDRESS_MAX])
{
	inet_ntop((int)family, addr, buffer, RF_ADDRESS_MAX);
	return buffer;
}

const char *rf_event_direction_name(unsigned int direction)
{
	return direction == RF_INGRESS ? "ingress" : "egress";
}

const char *rf_event_tier_name(unsigned int tier)
{
	return tier == RF_TIER_AUDIT ? "audit" : "enforce";
}

/* @lowest: the smallest byte shown as it is. Quotes would end what is quoted. */
static void add_escaped(struct rf_strbuf *out, const char *s, size_t len, unsigned char lowest)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];

		if (c >= lowest && c < 0x7f && c != '\\' && c != '"')
			rf_strbuf_addc(out, (char)c);
		else
			rf_strbuf_addf(out, "\\x%02x", c);
	}
}

static void add_word(struct rf_strbuf *out, const char *s)
{
	add_escaped(out, s, strlen(s), '!');
}

/* In the time zone of the host, as its other logs are. */
static void add_time(struct rf_strbuf *out, uint64_t boot_ns)
{
	uint64_t real_ns = rf_clock_boot_to_real(boot_ns);
	time_t seconds = real_ns / RF_NSEC_PER_SEC;
	struct tm tm;

	localtime_r(&seconds, &tm);
	rf_strbuf_addf(out, "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec,
		       (unsigned int)(real_ns % RF_NSEC_PER_SEC / RF_NSEC_PER_MSEC));
}

static void add_columns(struct rf_strbuf *out, const struct rf_event_header *e, const struct rf_event_names *names)
{
	add_time(out, e->time_ns);
	rf_strbuf_addf(out, " %s %s ", rf_event_kind_name(e->kind), rf_verdict_name(e->verdict));
	if (names->workload)
		add_word(out, names->workload);
	else if (e->workload != RF_WORKLOAD_NONE)
		rf_strbuf_addf(out, "#%u", e->workload);
	else
		rf_strbuf_addc(out, '-');
	rf_strbuf_addc(out, ' ');
	if (e->tgid == 0) {
		rf_strbuf_addc(out, '-');
		return;
	}
	add_word(out, e->comm[0] ? e->comm : "-");
	rf_strbuf_addf(out, "[%u]", e->tgid);
}

static void add_path(struct rf_strbuf *out, const char path[RF_PATH_MAX])
{
	size_t len = strlen(path);
	size_t skip = len > PATH_SHOWN ? len - PATH_SHOWN : 0;

	if (len == 0)
		rf_strbuf_addc(out, '-');
	if (skip)
		rf_strbuf_adds(out, "...");
	add_escaped(out, path + skip, len - skip, '!');
	if (rf_event_path_cut(len))
		rf_strbuf_adds(out, "...");
}

/* What two kinds of event tell of a flow. */
struct flow {
	unsigned int family, protocol, direction;
	unsigned int local_port, remote_port;
	const __u8 *local, *remote;
};

static void add_endpoint(struct rf_strbuf *out, const struct flow *f, const __u8 addr[16], unsigned int port)
{
	char address[RF_ADDRESS_MAX];
	bool ports = f->protocol == IPPROTO_TCP || f->protocol == IPPROTO_UDP || f->protocol == IPPROTO_SCTP;

	rf_event_address(f->family, addr, address);
	if (!ports)
		rf_strbuf_adds(out, address);
	else
		rf_strbuf_addf(out, f->family == AF_INET6 ? "[%s]:%u" : "%s:%u", address, port);
}

/* Which rule, by the names if the daemon knew them. */
static void add_rule(struct rf_strbuf *out, const struct rf_event_names *names, const char *set_word, uint32_t set,
		     unsigned int rule)
{
	if (!names->policy) {
		if (rule == RF_RULE_DEFAULT)
			rf_strbuf_addf(out, " %s %u default", set_word, set);
		else if (rule >= RF_MAX_RULES)
			rf_strbuf_addf(out, " limit %s",
				       rule == RF_RULE_CONNECTIONS ? "connections" : "connectionsPerSecond");
		else
			rf_strbuf_addf(out, " %s %u rule %u", set_word, set, rule);
		return;
	}
	rf_strbuf_adds(out, " policy ");
	add_word(out, names->policy);
	if (names->rule) {
		rf_strbuf_adds(out, " rule \"");
		add_escaped(out, names->rule, strlen(names->rule), ' ');
		rf_strbuf_addc(out, '"');
	}
	if (names->file) {
		rf_strbuf_addc(out, ' ');
		add_word(out, names->file);
		if (names->line)
			rf_strbuf_addf(out, ":%u", names->line);
	}
}

static void add_endpoints(struct rf_strbuf *out, const struct flow *f)
{
	static const __u8 any[16];
	char protocol[8];
	bool local_known = (f->local_port && !rf_protocol_is_icmp(f->protocol)) ||
			   memcmp(f->local, any, sizeof(any)) != 0;

	rf_strbuf_addf(out, " %s %s", rf_event_direction_name(f->direction), rf_protocol_name(f->protocol, protocol));
	if (rf_protocol_is_icmp(f->protocol))
		rf_icmp_add(out, f->protocol, f->remote_port, f->remote_port);
	rf_strbuf_addc(out, ' ');
	/* Before a socket is bound it has no address of its own. */
	if (local_known) {
		add_endpoint(out, f, f->local, f->local_port);
		rf_strbuf_addc(out, ' ');
	}
	rf_strbuf_adds(out, f->direction == RF_INGRESS ? "<- " : "-> ");
	add_endpoint(out, f, f->remote, f->remote_port);
}

static void add_flow(struct rf_strbuf *out, const struct rf_event_flow *e, const struct rf_event_names *names)
{
	const struct flow flow = { e->family,	   e->protocol, e->direction, e->local_port,
				   e->remote_port, e->local,	e->remote };

	add_endpoints(out, &flow);
	if (e->header.verdict != RF_ALLOW || names->policy)
		add_rule(out, names, "ruleset", e->ruleset, e->rule);
}

static void add_flow_record(struct rf_strbuf *out, const struct rf_event_flow_record *e,
			    const struct rf_event_names *names)
{
	const struct flow flow = { e->family,	   e->protocol, e->direction, e->local_port,
				   e->remote_port, e->local,	e->remote };
	uint64_t ns = e->header.time_ns > e->start_ns ? e->header.time_ns - e->start_ns : 0;

	add_endpoints(out, &flow);
	rf_strbuf_addf(out, " %s", rf_peer_class_name(e->peer_class));
	if (e->header.kind == RF_EVENT_FLOW_END) {
		rf_strbuf_addf(out,
			       " %s after %" PRIu64 ".%03us tx %" PRIu64 " B %" PRIu64 " packets rx %" PRIu64
			       " B %" PRIu64 " packets",
			       rf_flow_reason_name(e->reason), (uint64_t)(ns / RF_NSEC_PER_SEC),
			       (unsigned int)(ns % RF_NSEC_PER_SEC / RF_NSEC_PER_MSEC), (uint64_t)e->tx_bytes,
			       (uint64_t)e->tx_packets, (uint64_t)e->rx_bytes, (uint64_t)e->rx_packets);
		if (e->retransmits)
			rf_strbuf_addf(out, " retransmits %u", e->retransmits);
		if (e->rtt_us)
			rf_strbuf_addf(out, " rtt %uus", e->rtt_us);
	}
	if (e->ruleset || e->header.verdict != RF_ALLOW || names->policy)
		add_rule(out, names, "ruleset", e->ruleset, e->rule);
}

static void add_device_number(struct rf_strbuf *out, uint32_t number)
{
	if (number == RF_DEVICE_ANY)
		rf_strbuf_addc(out, '*');
	else
		rf_strbuf_addf(out, "%u", number);
}

static void add_device(struct rf_strbuf *out, const struct rf_event_device *e, const struct rf_event_names *names)
{
	rf_strbuf_addf(out, " %s ", e->type == 1 ? "block" : "char");
	add_device_number(out, e->major);
	rf_strbuf_addc(out, ':');
	add_device_number(out, e->minor);
	if (names->device)
		rf_strbuf_addf(out, " %s", names->device);
	if (e->use)
		rf_strbuf_adds(out, " ioctl");
	else if (e->access & RF_DEVICE_IOCTLS)
		rf_strbuf_addf(out, " %s",
			       rf_accel_class_names[RF_ACCEL_SUBMIT + __builtin_ctz(e->access / RF_DEVICE_SUBMIT)]);
	else
		rf_strbuf_addf(out, " %s%s%s", e->access & RF_DEVICE_READ ? "r" : "",
			       e->access & RF_DEVICE_WRITE ? "w" : "", e->access & RF_DEVICE_MKNOD ? "m" : "");
	add_rule(out, names, "device set", e->device_set, e->rule);
}

static void add_socket(struct rf_strbuf *out, const struct rf_event_socket *e, const struct rf_event_names *names)
{
	char word[RF_SOCKET_WORD], rule[RF_SOCKET_RULE_NAME];
	const char *netlink = e->rule >= RF_SOCKET_NETLINK ? rf_netlink_name(e->protocol) : NULL;

	rf_strbuf_addf(out, " %s ", rf_socket_family_name(e->family, word));
	rf_strbuf_adds(out, rf_socket_type_name(e->type, word));
	if (netlink)
		rf_strbuf_addf(out, " %s", netlink);
	else if (e->peer_workload == RF_WORKLOAD_NONE)
		rf_strbuf_addf(out, " protocol %u", e->protocol);
	if (e->peer_workload != RF_WORKLOAD_NONE) {
		rf_strbuf_adds(out, e->direction == RF_INGRESS ? " <- " : " -> ");
		if (names->peer)
			add_word(out, names->peer);
		else
			rf_strbuf_addf(out, "#%u", e->peer_workload);
	}
	if (names->policy)
		add_rule(out, names, "", 0, 0);
	else
		rf_strbuf_addf(out, " rule \"%s\"", rf_socket_rule_name(e->rule, rule));
}

static void add_isolation(struct rf_strbuf *out, const struct rf_event_isolation *e, const struct rf_event_names *names)
{
	const char *argument = rf_isolation_argument_name(e->operation);

	rf_strbuf_addf(out, " %s", rf_isolation_operation_name(e->operation));
	if (argument)
		rf_strbuf_addf(out, " %s %d", argument, (int)e->argument);
	if (e->peer_workload != RF_WORKLOAD_NONE) {
		rf_strbuf_adds(out, e->direction == RF_INGRESS ? " <- " : " -> ");
		if (names->peer)
			add_word(out, names->peer);
		else
			rf_strbuf_addf(out, "#%u", e->peer_workload);
	}
	if (e->peer_tgid)
		rf_strbuf_addf(out, e->direction == RF_INGRESS ? " on [%u]" : "[%u]", e->peer_tgid);
	if (names->policy)
		add_rule(out, names, "", 0, 0);
	else
		rf_strbuf_addf(out, " rule \"%s\"", rf_isolation_rule_name(rf_isolation_operation_kind(e->operation)));
}

static void add_kernel(struct rf_strbuf *out, const struct rf_event_kernel *e, const struct rf_event_names *names)
{
	const char *capability = rf_capability_name(e->capability), *syscall = rf_syscall_name(e->syscall);
	char rule[RF_KERNEL_RULE_NAME];

	if (e->rule < RF_KERNEL_KIND_COUNT)
		rf_strbuf_addf(out, " %s", rf_kernel_kind_names[e->rule]);
	if (capability)
		rf_strbuf_addf(out, " %s", capability);
	else if (e->capability != RF_KERNEL_NONE)
		rf_strbuf_addf(out, " capability %u", e->capability);
	if (e->detail[0]) {
		rf_strbuf_addc(out, ' ');
		add_word(out, e->detail);
	}
	if (syscall)
		rf_strbuf_addf(out, " by %s", syscall);
	if (names->policy)
		add_rule(out, names, "", 0, 0);
	else
		rf_strbuf_addf(out, " rule \"%s\"", rf_kernel_rule_name(e->rule, rule));
}

static void add_accesses(struct rf_strbuf *out, uint32_t access)
{
	for (int i = 0, n = 0; i < RF_FILE_ACCESS_COUNT; i++)
		if (access & 1u << i)
			rf_strbuf_addf(out, "%s%s", n++ ? "," : "", rf_file_access_names[i]);
}

static void add_file(struct rf_strbuf *out, const struct rf_event_file *e, const struct rf_event_names *names)
{
	rf_strbuf_addc(out, ' ');
	add_accesses(out, e->access);
	rf_strbuf_addc(out, ' ');
	add_word(out, e->name[0] ? e->name : "-");
	if (names->label) {
		rf_strbuf_adds(out, " of ");
		add_word(out, names->label);
	} else {
		rf_strbuf_adds(out, e->zone == RF_ZONE_UNPLACED ? " of no known directory" : " of -");
	}
	/* What leaves a label must not be denied anything there. */
	if (!(e->access & e->denied)) {
		rf_strbuf_adds(out, " leaves it, denied ");
		add_accesses(out, e->denied);
	}
	if (names->policy)
		add_rule(out, names, "", 0, 0);
}

static void add_exec_deny(struct rf_strbuf *out, const struct rf_event_exec_deny *e, const struct rf_event_names *names)
{
	rf_strbuf_addf(out, " %s ", rf_exec_role_name(e->role));
	add_path(out, e->path);
	rf_strbuf_addf(out, " %s", rf_exec_reason_name(e->reason));
	if (names->policy || e->reason == RF_EXEC_RULE || e->reason == RF_EXEC_DEFAULT)
		add_rule(out, names, "set", e->set, e->rule);
}

static void add_quota(struct rf_strbuf *out, const struct rf_event_quota *e, const struct rf_event_names *names)
{
	rf_strbuf_addf(out, " %u:%u", e->major, e->minor);
	if (names->device)
		rf_strbuf_addf(out, " %s", names->device);
	rf_strbuf_addf(out, " %s of the %s", rf_quota_kind_name(e->kind), rf_accel_level_name(e->level));
	if (e->wait_ns)
		rf_strbuf_addf(out, " over by %.3f ms", (double)e->wait_ns / 1e6);
	if (names->policy)
		rf_strbuf_addf(out, " %s", names->policy);
}

static void add_xid(struct rf_strbuf *out, const struct rf_event_xid *e, const struct rf_event_names *names)
{
	rf_strbuf_addc(out, ' ');
	add_word(out, names->device ? names->device : e->device);
	if (e->gpu_instance != UINT32_MAX)
		rf_strbuf_addf(out, " instance %u", e->gpu_instance);
	if (e->compute_instance != UINT32_MAX)
		rf_strbuf_addf(out, "/%u", e->compute_instance);
	rf_strbuf_addf(out, " xid %u%s ", e->code, e->bystander ? " bystander" : "");
	add_escaped(out, e->text, strlen(e->text), ' ');
}

static void add_exec_first(struct rf_strbuf *out, const struct rf_event_exec_first *e)
{
	rf_strbuf_addc(out, ' ');
	add_path(out, e->path);
	rf_strbuf_addf(out, " device %u:%u inode %" PRIu64, e->device >> 20, e->device & 0xfffff, (uint64_t)e->inode);
	if (e->digest_of != RF_DIGEST_NONE)
		rf_strbuf_adds(out, e->digest_of == RF_DIGEST_IMA ? " ima " : " verity ");
	for (uint32_t i = 0; i < e->digest_len; i++)
		rf_strbuf_addf(out, "%02x", e->digest[i]);
}

static void add_exit(struct rf_strbuf *out, const struct rf_event_exit *e)
{
	if (WIFSIGNALED(e->exit_code))
		rf_strbuf_addf(out, " signal %d", WTERMSIG(e->exit_code));
	else
		rf_strbuf_addf(out, " status %d", WEXITSTATUS(e->exit_code));
	rf_strbuf_addf(out, " after %" PRIu64 ".%03us", (uint64_t)(e->lifetime_ns / RF_NSEC_PER_SEC),
		       (unsigned int)(e->lifetime_ns % RF_NSEC_PER_SEC / RF_NSEC_PER_MSEC));
}

void rf_event_text(struct rf_strbuf *out, const struct rf_event_header *event, const struct rf_event_names *names)
{
	static const struct rf_event_names nameless;
	const void *e = event;
	const struct rf_event_exec *exec = e;
	const struct rf_event_cgroup *cgroup = e;
	const struct rf_event_policy *policy = e;
	const struct rf_event_gap *gap = e;
	const struct rf_event_guard *guard = e;

	if (!names)
		names = &nameless;
	add_columns(out, event, names);
	switch ((enum rf_event_kind)event->kind) {
	case RF_EVENT_EXEC:
		rf_strbuf_addc(out, ' ');
		add_path(out, exec->path);
		rf_strbuf_addf(out, " parent %u", exec->parent_tgid);
		break;
	case RF_EVENT_FORK:
		rf_strbuf_addf(out, " child %u", ((const struct rf_event_fork *)e)->child_tgid);
		break;
	case RF_EVENT_EXIT:
		add_exit(out, e);
		break;
	case RF_EVENT_CONNECT:
	case RF_EVENT_ACCEPT:
	case RF_EVENT_FLOW_DENY:
		add_flow(out, e, names);
		break;
	case RF_EVENT_FLOW_START:
	case RF_EVENT_FLOW_END:
		add_flow_record(out, e, names);
		break;
	case RF_EVENT_DEVICE_DENY:
		add_device(out, e, names);
		break;
	case RF_EVENT_SOCKET_DENY:
		add_socket(out, e, names);
		break;
	case RF_EVENT_GUARD_DENY:
		rf_strbuf_addf(out, " %s (%s)", rf_guard_operation_name(guard->operation),
			       rf_guard_operation_help(guard->operation));
		break;
	case RF_EVENT_ISOLATION:
		add_isolation(out, e, names);
		break;
	case RF_EVENT_KERNEL_DENY:
		add_kernel(out, e, names);
		break;
	case RF_EVENT_FILE_DENY:
		add_file(out, e, names);
		break;
	case RF_EVENT_QUOTA:
		add_quota(out, e, names);
		break;
	case RF_EVENT_XID:
		add_xid(out, e, names);
		break;
	case RF_EVENT_EXEC_FIRST:
		add_exec_first(out, e);
		break;
	case RF_EVENT_EXEC_DENY:
		add_exec_deny(out, e, names);
		break;
	case RF_EVENT_POLICY:
		rf_strbuf_addf(out, " generation %u: %u workloads, %u rule sets, %u policies", policy->generation,
			       policy->workloads, policy->rulesets, policy->policies);
		break;
	case RF_EVENT_CGROUP_NEW:
	case RF_EVENT_CGROUP_GONE:
		rf_strbuf_addc(out, ' ');
		add_path(out, cgroup->path);
		rf_strbuf_addf(out, " id %" PRIu64, (uint64_t)event->cgroup_id);
		break;
	case RF_EVENT_GAP:
		rf_strbuf_addf(out, " %" PRIu64 " events lost on lane %s between %" PRIu64 " and %" PRIu64,
			       (uint64_t)gap->lost, rf_lane_name(event->lane), (uint64_t)gap->after_sequence,
			       (uint64_t)gap->before_sequence);
		break;
	case RF_EVENT_NONE:
	case RF_EVENT_KINDS:
		break;
	}
}
