// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the DNS parser of bpf/lib/dns.bpf.h where a test wants it: on a message in a map, and on the payload of a
 * packet as a cgroup's program meets it. Each buffer is a map of its own, so that the verifier knows where it ends.
 */
#include "bpf/lib/dns.bpf.h"

#define PAYLOAD 28 /* IPv4 without options, UDP */

char _license[] SEC("license") = "GPL";

struct dns_input {
	__u8 message[RF_DNS_MESSAGE_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dns_input);
} input SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rf_dns_work);
} work SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rf_dns_message);
} output SEC(".maps");

__u32 message_len;
int message_status;

SEC("syscall")
int dns_parse(void *ctx)
{
	__u32 zero = 0;
	struct dns_input *from = bpf_map_lookup_elem(&input, &zero);
	struct rf_dns_work *scratch = bpf_map_lookup_elem(&work, &zero);
	struct rf_dns_message *to = bpf_map_lookup_elem(&output, &zero);

	(void)ctx;
	if (!from || !scratch || !to)
		return 1;
	message_status = rf_dns_parse(from->message, message_len, scratch, to);
	return 0;
}

SEC("cgroup_skb/ingress")
int dns_parse_packet(struct __sk_buff *skb)
{
	__u32 zero = 0, len = skb->len - PAYLOAD;
	struct dns_input *from = bpf_map_lookup_elem(&input, &zero);
	struct rf_dns_work *scratch = bpf_map_lookup_elem(&work, &zero);
	struct rf_dns_message *to = bpf_map_lookup_elem(&output, &zero);

	message_status = -1;
	if (!from || !scratch || !to || len - 1 >= RF_DNS_MESSAGE_MAX)
		return 1;
	/* What Linux 6.1 believes to be from 1 to the size of the buffer. */
	rf_barrier_var(len);
	len = ((len - 1) & (RF_DNS_MESSAGE_MAX - 1)) + 1;
	if (bpf_skb_load_bytes(skb, PAYLOAD, from->message, len))
		return 1;
	message_status = rf_dns_parse(from->message, len, scratch, to);
	return 1;
}
