/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sockets that addresses and ports say nothing of: which of them a workload
 * may make or reach, and how tenants are told apart.
 */
#ifndef RINGFENCE_SOCKET_MAP_H
#define RINGFENCE_SOCKET_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum rf_socket_kind {
	RF_SOCKET_RAW,	   /* AF_INET and AF_INET6, SOCK_RAW */
	RF_SOCKET_PACKET,  /* AF_PACKET, SOCK_PACKET, AF_XDP: whole frames */
	RF_SOCKET_VSOCK,   /* AF_VSOCK */
	RF_SOCKET_UNIX,	   /* AF_UNIX, to or from a workload of another tenant */
	RF_SOCKET_NETLINK, /* AF_NETLINK, but for the families that are allowed; the last */
	RF_SOCKET_KINDS
};

#define RF_NETLINK_FAMILIES 32 /* MAX_LINKS of linux/netlink.h: the kernel makes no other */

/* Of a tier, in struct rf_workload_bank. All zero: no opinion. */
struct rf_socket_limits {
	__u32 deny;    /* 1 << enum rf_socket_kind */
	__u32 netlink; /* 1 << family: those that RF_SOCKET_NETLINK does not deny */
};

/*
 * What stands for a rule in struct rf_event_socket: the kind, and for netlink
 * RF_SOCKET_NETLINK and the family, where the last stands for all that the
 * kernel does not have.
 */
#define RF_SOCKET_RULES (RF_SOCKET_NETLINK + RF_NETLINK_FAMILIES + 1)

/*
 * rf_tenant_map: hash; key the tenant's name, zero padded; value its number,
 * which no other tenant has had. Read by daemons alone: programs compare the
 * numbers of two banks.
 */
#define RF_TENANT_KEY 256

#endif
