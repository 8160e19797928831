/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel itself sends in a network namespace. Neighbour discovery and multicast listener reports leave by
 * sockets of the kernel's own, which belong to the cgroup of whoever made the namespace: of a workload, where that has
 * made one. They are the network's business and no tenant's packets: nobody chooses what is in them or where they go.
 *
 * Told by the socket and not by the message: a workload's raw socket may send the same bytes, to anywhere.
 */
#ifndef RF_BPF_KERNEL_SOCKET_H
#define RF_BPF_KERNEL_SOCKET_H

#include <bpf/bpf_core_read.h>

#include "packet.bpf.h"

/*
 * Bound: a look at the socket, for ICMPv6 that a workload's cgroup sends and the flow cache does not know. Failure:
 * what cannot be read is the workload's, and judged (closed).
 */
static __noinline bool rf_sent_by_kernel(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct sock *address = NULL;

	if (!sk)
		return false;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->type != SOCK_RAW || sk->protocol != RF_IPPROTO_ICMPV6 ||
	    !bpf_core_field_exists(struct sock, sk_kern_sock))
		return false;
	/* As a number: the verifier allows no arithmetic with a pointer to a socket. */
	if (bpf_probe_read_kernel(&address, sizeof(address), &sk))
		return false;
	return BPF_CORE_READ_BITFIELD_PROBED(address, sk_kern_sock);
}

#endif
