// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network verdicts at level 0: cgroup hooks that any kernel from 6.1 has.
 *
 * hook         decides
 * skb_egress   every packet out of a managed workload
 * skb_ingress  every packet into one
 *
 * A flow is judged in the direction it was opened, with every packet, so that
 * a change of policy cuts what it forbids. For TCP the first packet tells; any
 * other belongs to a flow that came in if somebody listens at its port. (Where
 * the listener has gone meanwhile, the flow is taken for one that went out.)
 * For protocols without a handshake, an answer may come in from where the same
 * socket has lately sent to. Where the workload has limits on connections, they
 * are asked when the rules let one open (bpf/lib/connection.bpf.h).
 *
 * Bound: one look at the flow cache a packet, else at the verdict cache, else
 * two rule sets. Failure: a packet of a managed workload that cannot be
 * parsed is denied (closed) if a policy speaks of its flows; a packet of an
 * unmanaged one is not looked into.
 */
#include "lib/connection.bpf.h"
#include "lib/flow.bpf.h"
#include "lib/kernel_socket.bpf.h"
#include "lib/log_packet.bpf.h"
#include "lib/names.bpf.h"
#include "lib/packet_flow.bpf.h"
#include "lib/peer.bpf.h"
#include "lib/verdict.bpf.h"

char _license[] SEC("license") = "GPL";

/* How long an answer may take: what connection trackers give a UDP stream. */
#define RF_REPLY_NS	  (120ULL * 1000 * 1000 * 1000)
/* A remembered peer younger than this is not written again. */
#define RF_REPLY_FRESH_NS (1ULL * 1000 * 1000 * 1000)

static __always_inline bool rf_direction_judged(const struct rf_workload_bank *bank, __u32 direction)
{
	return bank->ruleset[direction][RF_TIER_ENFORCE] || bank->ruleset[direction][RF_TIER_AUDIT];
}

/* Out of line: the rare road of two programs. */
static __noinline int rf_judgement_report(const struct rf_flow *flow, const struct rf_judgement *j)
{
	rf_flow_report(flow, &j->decision, &j->packet, j->outgoing ? RF_HOOK_SKB_EGRESS : RF_HOOK_SKB_INGRESS, false);
	return 0;
}

static __always_inline void rf_reply_key(struct rf_reply_key *key, struct __sk_buff *skb, const struct rf_flow *flow,
					 __u16 remote_port)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->cookie = bpf_get_socket_cookie(skb);
	__builtin_memcpy(key->addr, flow->addr, 16);
	/* The answer to a message of ICMP is one of another type. */
	key->port = rf_protocol_is_icmp(flow->protocol) ? 0 : remote_port;
	key->protocol = flow->protocol;
}

/* Remembers that this socket sends to this peer. Out of line, as what follows: a chain of calls has 512 bytes. */
static __noinline int rf_reply_expect(struct __sk_buff *skb, const struct rf_flow *flow)
{
	__u64 now = bpf_ktime_get_ns(), *seen;
	struct rf_reply_key key;

	rf_reply_key(&key, skb, flow, flow->port);
	seen = bpf_map_lookup_elem(&rf_reply_map, &key);
	if (seen) {
		if (now - *seen > RF_REPLY_FRESH_NS)
			*seen = now;
		return 0;
	}
	if (bpf_map_update_elem(&rf_reply_map, &key, &now, BPF_ANY))
		rf_error(RF_HOOK_SKB_EGRESS, RF_ERROR_FLOW_STATE_FULL);
	return 0;
}

static __noinline bool rf_reply_expected(struct __sk_buff *skb, const struct rf_flow *flow, __u16 remote_port)
{
	struct rf_reply_key key;
	__u64 *seen;

	rf_reply_key(&key, skb, flow, remote_port);
	seen = bpf_map_lookup_elem(&rf_reply_map, &key);
	return seen && bpf_ktime_get_ns() - *seen < RF_REPLY_NS;
}

static __always_inline void rf_traffic_add(struct rf_traffic *traffic, struct __sk_buff *skb)
{
	__sync_fetch_and_add(&traffic->bytes, skb->len);
	__sync_fetch_and_add(&traffic->packets, 1);
}

/* Of a flow that is known, of which @allowed is remembered. */
static __always_inline int rf_packet_passed(struct __sk_buff *skb, __u32 row, __u8 allowed, bool outgoing)
{
	struct rf_account *account = rf_account(row);

	if (!account)
		return 1;
	if (rf_unlikely(allowed & RF_FLOW_WOULD))
		rf_traffic_add(&account->traffic[RF_WOULD_DENY][outgoing ? RF_EGRESS : RF_INGRESS], skb);
	else
		rf_traffic_add(&account->traffic[RF_ALLOW][outgoing ? RF_EGRESS : RF_INGRESS], skb);
	return 1;
}

/* Of one that was judged, whatever the verdict; @opens: it opens a TCP connection. */
static __always_inline void rf_packet_count(struct __sk_buff *skb, const struct rf_decision *decision, bool opens,
					    bool outgoing)
{
	struct rf_account *account = rf_account(RF_ACCOUNT(decision->workload, decision->class));
	__u32 direction = outgoing ? RF_EGRESS : RF_INGRESS;
	struct rf_traffic *traffic;

	if (!account || decision->workload == RF_WORKLOAD_NONE)
		return;
	if (decision->verdict == RF_ALLOW)
		traffic = &account->traffic[RF_ALLOW][direction];
	else if (decision->verdict == RF_DENY)
		traffic = &account->traffic[RF_DENY][direction];
	else
		traffic = &account->traffic[RF_WOULD_DENY][direction];
	rf_traffic_add(traffic, skb);
	if (opens)
		__sync_fetch_and_add(&traffic->connections, 1);
}

/* A TCP connection was opened: its first packet passed. One that is sent again is told again. Out of line, as above. */
static __noinline int rf_connection_opened(const struct rf_packet *packet, const struct rf_decision *decision,
					   __u64 cgroup_id, bool outgoing)
{
	struct rf_event_flow *event;

	/* What goes out was reported by connect(), with the process. */
	if (outgoing || !rf_wants(decision->telemetry, RF_EVENT_ACCEPT))
		return 0;
	event = rf_telemetry_reserve(RF_EVENT_ACCEPT, struct rf_event_flow, decision->workload, cgroup_id, false);
	if (!event)
		return 0;
	event->family = packet->family;
	event->protocol = IPPROTO_TCP;
	event->direction = RF_INGRESS;
	event->tier = RF_TIER_ENFORCE;
	event->local_port = packet->destination_port;
	event->remote_port = packet->source_port;
	__builtin_memcpy(event->local, packet->destination, 16);
	__builtin_memcpy(event->remote, packet->source, 16);
	event->ruleset = 0;
	event->rule = RF_RULE_DEFAULT;
	event->hook = RF_HOOK_SKB_INGRESS;
	rf_telemetry_submit(event);
	return 0;
}

/* Beside 1: it passes. Nothing may be remembered of the flow yet. */
#define RF_LIMITS_FORGET 2

static __noinline int rf_limits_ask(struct __sk_buff *skb, const struct rf_flow *flow, struct rf_judgement *j)
{
	struct rf_decision *decision = &j->decision;
	bool outgoing = j->outgoing;
	__u32 limited;
	int forget;

	limited = rf_connection_admit(skb, decision->workload, j->id.version, outgoing, rf_packet_opens(&j->packet));
	forget = limited & RF_LIMIT_FORGET ? RF_LIMITS_FORGET : 0;
	if (!RF_LIMIT_VERDICT(limited))
		return 1 | forget;
	decision->ruleset = 0;
	decision->rule = RF_LIMIT_RULE(limited);
	decision->verdict = RF_LIMIT_VERDICT(limited) & 0x7f;
	decision->tier = decision->verdict == RF_DENY ? RF_TIER_ENFORCE : RF_TIER_AUDIT;
	rf_judgement_report(flow, j);
	return decision->verdict == RF_DENY ? 0 : 1 | forget;
}

/*
 * The rules let this TCP packet pass; do the limits on connections? 0: they deny. What they have to tell is told. Else
 * 1, and RF_LIMITS_FORGET.
 */
static __always_inline int rf_limits_pass(struct __sk_buff *skb, const struct rf_flow *flow, struct rf_judgement *j)
{
	return j->decision.telemetry & RF_DECISION_LIMITED ? rf_limits_ask(skb, flow, j) : 1;
}

/*
 * The slow road: a packet that the flow cache could not answer. 1: it
 * passes. Global, like rf_packet_parse_slow().
 */
__noinline int rf_packet_judge(struct __sk_buff *skb, struct rf_judgement *j)
{
	bool outgoing, established, came_in;
	struct rf_decision *decision;
	struct rf_packet *packet;
	struct rf_flow flow;
	int limits = 0;
	__u32 peer;

	if (!j)
		return 0;
	packet = &j->packet;
	decision = &j->decision;
	outgoing = j->outgoing;

	/* Judged as the packet that opened its flow: the flow came in if somebody listens at its port. */
	established = packet->protocol == IPPROTO_TCP && !rf_packet_opens(packet);
	if (!established)
		came_in = !outgoing;
	else if (packet->tcp_flags & RF_TCP_FLAG_SYN)
		came_in = outgoing;
	else
		came_in = rf_local_listens(skb, packet, outgoing);
	rf_flow_of(&flow, packet, j->id.cgroup_id, came_in ? RF_INGRESS : RF_EGRESS, outgoing);
	flow.lasts = established;
	decision->direction = flow.direction;
	rf_flow_decide(&flow, j->id.version, decision);
	if (decision->verdict == RF_ASK_PEER) {
		peer = rf_peer_by_address(&flow);
		if (peer == RF_PEER_HOST_ID)
			peer = rf_peer_by_packet(skb, packet, outgoing);
		/*
		 * A reset is sent when its socket is no longer found. It carries nothing, and without it the other end
		 * would wait for ever: between ends on this host it passes, whoever they are.
		 */
		if (peer == RF_PEER_HOST_ID && established && packet->tcp_flags & RF_TCP_FLAG_RST) {
			decision->class = rf_class_of(flow.addr[0], flow.addr[1], flow.family);
			decision->verdict = RF_ALLOW;
			decision->ruleset = 0;
			decision->rule = RF_RULE_DEFAULT;
			return 1;
		}
		rf_peer_decide(&flow, peer, j->id.version, decision);
	}
	if (established) {
		/* What would be denied was reported when the flow was opened. */
		if (decision->verdict != RF_DENY) {
			limits = rf_limits_pass(skb, &flow, j);
			if (!limits)
				return 0;
			j->allowed = limits & RF_LIMITS_FORGET ? 0 : RF_FLOW_ESTABLISHED;
			if (decision->verdict == RF_WOULD_DENY)
				j->allowed |= RF_FLOW_WOULD;
			return 1;
		}
		rf_judgement_report(&flow, j);
		return 0;
	}
	/* A name that allowed what this socket began does not end it. */
	if (decision->verdict != RF_ALLOW && outgoing && flow.owner && packet->protocol != IPPROTO_TCP &&
	    rf_reply_expected(skb, &flow, packet->destination_port)) {
		flow.lasts = 1;
		rf_flow_decide(&flow, j->id.version, decision);
	}
	if (decision->verdict != RF_ALLOW) {
		/* The answer to what this socket sent is part of the flow that egress judged. */
		if (!outgoing && packet->protocol != IPPROTO_TCP &&
		    rf_reply_expected(skb, &flow, packet->source_port)) {
			decision->verdict = RF_ALLOW;
			decision->ruleset = 0;
			decision->rule = RF_RULE_DEFAULT;
			j->allowed = RF_FLOW_IN;
			return 1;
		}
		rf_judgement_report(&flow, j);
		if (decision->verdict == RF_DENY)
			return 0;
	}
	if (packet->protocol == IPPROTO_TCP) {
		limits = rf_limits_pass(skb, &flow, j);
		if (!limits)
			return 0;
		rf_connection_opened(packet, decision, j->id.cgroup_id, outgoing);
	}
	/* What would be denied is reported each time: not remembered. */
	if (decision->verdict == RF_WOULD_DENY) {
		j->allowed = packet->protocol == IPPROTO_TCP ? RF_FLOW_WOULD : 0;
		return 1;
	}
	/* The answer may come under the next policy: whatever this one says of what comes in. */
	if (outgoing && packet->protocol != IPPROTO_TCP)
		rf_reply_expect(skb, &flow);
	j->allowed = (outgoing ? RF_FLOW_OUT : RF_FLOW_IN) |
		     (packet->protocol == IPPROTO_TCP && !(limits & RF_LIMITS_FORGET) ? RF_FLOW_ESTABLISHED : 0);
	return 1;
}

static __always_inline __u32 rf_packet_ports_key(const struct rf_packet *packet, bool outgoing)
{
	return outgoing ? (__u32)packet->source_port << 16 | packet->destination_port :
			  (__u32)packet->destination_port << 16 | packet->source_port;
}

/* What the flow cache does not know, or a packet that says no flow. 1: it passes. */
static __always_inline int rf_skb_unknown(struct __sk_buff *skb, struct rf_judgement *judgement,
					  struct rf_flow_entry *entry)
{
	__u32 workload = rf_workload_at(&judgement->id.cgroup_id);
	struct rf_decision *decision = &judgement->decision;
	bool outgoing = judgement->outgoing;
	struct rf_workload_bank *bank;
	int pass = 1;

	judgement->workload = workload;
	decision->workload = workload;
	decision->class = RF_CLASS_PUBLIC;
	decision->verdict = RF_ALLOW;
	decision->telemetry = 0;
	if (workload != RF_WORKLOAD_NONE) {
		rf_hook_seen(outgoing ? RF_HOOK_SKB_EGRESS : RF_HOOK_SKB_INGRESS, workload);
		if (outgoing && judgement->packet.protocol == RF_IPPROTO_ICMPV6 && rf_sent_by_kernel(skb))
			return 1;
		if (entry) {
			pass = rf_packet_judge(skb, judgement) & 1;
		} else {
			bank = rf_workload_bank(workload, judgement->id.version);
			if (bank && (rf_direction_judged(bank, RF_EGRESS) || rf_direction_judged(bank, RF_INGRESS))) {
				rf_error(outgoing ? RF_HOOK_SKB_EGRESS : RF_HOOK_SKB_INGRESS, RF_ERROR_PACKET_SHORT);
				rf_count(workload, outgoing ? RF_COUNTER_EGRESS_DENY : RF_COUNTER_INGRESS_DENY, 1);
				decision->verdict = RF_DENY;
				pass = 0;
			}
		}
		rf_packet_count(skb, decision, entry && rf_packet_opens(&judgement->packet), outgoing);
	}
	/* The fast road does not know what is logged. */
	if (entry && decision->telemetry & RF_DECISION_LOGGED && rf_log_packet(skb, judgement, true))
		judgement->allowed = (judgement->allowed & RF_FLOW_PASSES) << RF_FLOW_LOGGED_SHIFT |
				     (judgement->allowed & RF_FLOW_WOULD);
	if (entry)
		rf_flow_learn(entry, &judgement->id, RF_ACCOUNT(workload, decision->class), outgoing,
			      judgement->allowed);
	return pass;
}

/* It passes, and a resolver's port is at the other end. */
#define RF_PASS_DNS 3

/* Any packet: parsed in full, looked up, else judged. 1 or RF_PASS_DNS: it passes. */
static __noinline int rf_skb_any(struct __sk_buff *skb, __u64 version, __u64 cgroup_id, bool outgoing)
{
	struct rf_judgement judgement;
	struct rf_flow_id *id = &judgement.id;
	struct rf_flow_entry *entry;
	const __u64 *remote;
	__u8 allowed;
	__u32 row;

	id->cgroup_id = cgroup_id;
	id->version = version;
	id->ports = 0;
	judgement.workload = 0;
	judgement.outgoing = outgoing;
	judgement.allowed = 0;
	judgement.pad[0] = judgement.pad[1] = 0;
	entry = NULL;
	if (rf_likely(!rf_packet_parse(skb, &judgement.packet))) {
		remote = outgoing ? judgement.packet.destination : judgement.packet.source;
		id->remote[0] = remote[0];
		id->remote[1] = remote[1];
		id->ports = rf_packet_ports_key(&judgement.packet, outgoing);
		id->protocol = judgement.packet.protocol;
		entry = rf_flow_entry(id);
		if (entry && !rf_ports_are_dns(id->ports) && !rf_packet_opens(&judgement.packet) &&
		    rf_flow_known(entry, id, outgoing, &row, &allowed, true) &&
		    (!(allowed & RF_FLOW_PASSES << RF_FLOW_LOGGED_SHIFT) || rf_log_packet(skb, &judgement, false))) {
			if (row < RF_PEER_CLASSES)
				return 1;
			rf_hook_seen_by(outgoing ? RF_HOOK_SKB_EGRESS : RF_HOOK_SKB_INGRESS, row);
			return rf_packet_passed(skb, row, allowed, outgoing);
		}
	}
	return rf_skb_unknown(skb, &judgement, entry) | (rf_ports_are_dns(id->ports) ? RF_PASS_DNS & ~1 : 0);
}

/* A packet that opens a TCP connection, where the verdict is known and allows it. True: it passes. */
static __always_inline bool rf_skb_opens4(struct __sk_buff *skb, const struct rf_flow_id *id,
					  struct rf_flow_entry *entry, bool outgoing)
{
	struct rf_decision decision;
	struct rf_account *account;
	struct rf_traffic *traffic;
	struct rf_flow flow;
	__u32 row;

	__builtin_memset(&flow, 0, sizeof(flow));
	flow.addr[0] = id->remote[0];
	flow.cgroup_id = id->cgroup_id;
	flow.port = outgoing ? id->ports & 0xffff : id->ports >> 16;
	flow.protocol = IPPROTO_TCP;
	flow.direction = outgoing ? RF_EGRESS : RF_INGRESS;
	flow.family = RF_AF_INET;
	if (!rf_flow_kept(&flow, id->version, &decision) || decision.verdict != RF_ALLOW ||
	    decision.workload == RF_WORKLOAD_PROBE)
		return false;
	if (decision.telemetry & RF_DECISION_LOGGED || (!outgoing && rf_wants(decision.telemetry, RF_EVENT_ACCEPT)))
		return false;
	row = RF_ACCOUNT(decision.workload, decision.class);
	account = rf_account(row);
	if (!account)
		return false;
	traffic = &account->traffic[RF_ALLOW][outgoing ? RF_EGRESS : RF_INGRESS];
	rf_traffic_add(traffic, skb);
	__sync_fetch_and_add(&traffic->connections, 1);
	rf_flow_learn(entry, id, row, outgoing, (outgoing ? RF_FLOW_OUT : RF_FLOW_IN) | RF_FLOW_ESTABLISHED);
	return true;
}

/*
 * The fast road: plain TCP or UDP over IPv4, of a flow that is remembered or whose verdict is. It reads four words of
 * the packet and leaves everything else to rf_skb_any(). True: it passes.
 */
static __always_inline bool rf_skb_known4(struct __sk_buff *skb, __u64 version, __u64 cgroup_id, bool outgoing)
{
	const struct iphdr *ip = (void *)(long)skb->data;
	const __u8 *transport = (void *)(ip + 1);
	struct rf_flow_entry *entry;
	struct rf_flow_id id;
	__u8 allowed;
	__u32 row;

	if ((void *)(transport + 14) > (void *)(long)skb->data_end)
		return false;
	if (*(const __u8 *)ip != 0x45 || ip->frag_off & bpf_htons(0x1fff))
		return false;
	id.protocol = ip->protocol;
	if (id.protocol != IPPROTO_TCP && id.protocol != IPPROTO_UDP)
		return false;
	id.remote[0] = outgoing ? ip->daddr : ip->saddr;
	id.remote[1] = 0;
	id.cgroup_id = cgroup_id;
	id.version = version;
	id.ports = bpf_ntohl(*(const __be32 *)transport);
	if (!outgoing)
		id.ports = id.ports << 16 | id.ports >> 16;
	if (rf_ports_are_dns(id.ports))
		return false;
	entry = rf_flow_entry(&id);
	if (!entry)
		return false;
	if (id.protocol == IPPROTO_TCP && (transport[13] & (RF_TCP_FLAG_SYN | RF_TCP_FLAG_ACK)) == RF_TCP_FLAG_SYN)
		return rf_skb_opens4(skb, &id, entry, outgoing);
	if (!rf_flow_known(entry, &id, outgoing, &row, &allowed, false))
		return false;
	if (row >= RF_PEER_CLASSES) {
		rf_hook_seen_by(outgoing ? RF_HOOK_SKB_EGRESS : RF_HOOK_SKB_INGRESS, row);
		rf_packet_passed(skb, row, allowed, outgoing);
	}
	return true;
}

static __always_inline int rf_skb(struct __sk_buff *skb, bool outgoing)
{
	__u64 version, cgroup_id;
	int pass;

	version = RF_READ_ONCE(rf_config.version);
	cgroup_id = bpf_skb_cgroup_id(skb);
	if (rf_likely(skb->protocol == bpf_htons(0x0800)) && rf_skb_known4(skb, version, cgroup_id, outgoing))
		return 1;
	pass = rf_skb_any(skb, version, cgroup_id, outgoing);
	/* Here and not where it was judged: a chain of calls has 512 bytes of stack. */
	if (pass == RF_PASS_DNS)
		rf_dns_packet(skb, version, cgroup_id, outgoing);
	pass &= 1;
	rf_barrier_var(pass); /* the verifier wants to see that it is 0 or 1 */
	return pass & 1;
}

SEC("cgroup_skb/egress")
int rf_skb_egress(struct __sk_buff *skb)
{
	return rf_skb(skb, true);
}

SEC("cgroup_skb/ingress")
int rf_skb_ingress(struct __sk_buff *skb)
{
	return rf_skb(skb, false);
}
