/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets of a network namespace: /proc/PID/net/tcp, tcp6, udp and udp6
 * (Documentation/networking/proc_net_tcp.rst). Asking a socket itself, by a
 * copy of its descriptor, would wait for its lock, which its owner may hold
 * for as long as a page of what it sends does not come.
 */
#ifndef RF_COLLECT_SOCKET_TABLE_H
#define RF_COLLECT_SOCKET_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "user/lib/span.h"

struct rf_socket_end {
	uint8_t family, addr[16]; /* AF_INET or AF_INET6; in network order */
	uint16_t port;		  /* 0: none */
};

struct rf_socket_row {
	struct rf_socket_end local, remote;
	uint32_t state; /* TCP_LISTEN, ... */
	uint64_t inode; /* 0: nobody's any more */
};

/* Of ports that the kernel gives to who asks for none. */
struct rf_port_range {
	uint16_t first, last;
};

/* All pure and total. The next line that is a socket is taken off @text, others are passed over. False: no more. */
bool rf_socket_table_next(struct rf_span *text, struct rf_socket_row *ret);
/*
 * Whether this side opened @inode's connection, and to somewhere else: its peer is known and not loopback, its port is
 * one of @given, and nobody listens on that. 1 or 0; -ENOENT: it is not in the table.
 */
int rf_socket_table_opened(struct rf_span text, uint64_t inode, const struct rf_port_range *given);
/* Of ip_local_port_range, "32768\t60999\n". -EBADMSG; @ret untouched. */
int rf_port_range_parse(struct rf_span text, struct rf_port_range *ret);

#endif
