/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The addresses of a network namespace, from the files that the kernel shows of
 * a process in it: no need to enter it, and nothing of the workload's own is run
 * or believed. Loopback, link-local and multicast addresses are left out: they
 * are nobody's own.
 */
#ifndef RF_COLLECT_NET_ADDRESS_H
#define RF_COLLECT_NET_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#define RF_NET_ADDRESSES_MAX 1024 /* of one namespace; the rest is not looked at */

struct rf_net_address {
	uint8_t family;	  /* AF_INET, AF_INET6 */
	uint8_t addr[16]; /* network order; IPv4 in the first four bytes, the rest zero */
};

struct rf_net_addresses {
	struct rf_net_address list[RF_NET_ADDRESSES_MAX];
	size_t n;
};

/* Pure, over the texts of /proc/net/fib_trie and if_inet6. A line that is not one is passed over. */
void rf_net_fib_trie_parse(const char *text, size_t len, struct rf_net_addresses *a);
void rf_net_if_inet6_parse(const char *text, size_t len, struct rf_net_addresses *a);

/* Of process @pid. 0 or a negative errno; a family that the kernel does not have is no error. */
int rf_net_addresses_read(int pid, struct rf_net_addresses *ret);
/* Tells network namespaces apart. */
int rf_net_namespace_read(int pid, uint64_t *ret_inode);
/* The first process of the cgroup at @fd; -ESRCH: none. */
int rf_cgroup_first_process(int fd, int *ret_pid);

#endif
