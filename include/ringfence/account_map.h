/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What each workload has exchanged with whom: one row a workload and a class of
 * peers. Exact, shared by all CPUs and updated with atomic adds, like
 * everything that is counted by workload.
 */
#ifndef RINGFENCE_ACCOUNT_MAP_H
#define RINGFENCE_ACCOUNT_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#include "event.h"
#include "workload_map.h"

/*
 * X(enum suffix, name), by the peer's address:
 *
 * loopback   127.0.0.0/8 and ::1
 * host       an address of this host
 * workload   an address of a workload or pod on this host that has a network of its own
 * private    RFC 1918, RFC 6598, unique local, link-local, multicast and broadcast ones
 * public     all others, and that of a packet that could not be read
 */
#define RF_CLASSES(X)           \
	X(LOOPBACK, "loopback") \
	X(HOST, "host")         \
	X(WORKLOAD, "workload") \
	X(PRIVATE, "private")   \
	X(PUBLIC, "public")

enum rf_account_class {
#define X(id, name) RF_CLASS_##id,
	RF_CLASSES(X)
#undef X
		RF_PEER_CLASSES
};

/* Packets of one verdict and direction. What was denied is counted as it came; what would have been, has passed. */
struct rf_traffic {
	__u64 bytes; /* of IP, headers included */
	__u64 packets;
	__u64 connections; /* TCP connections opened, by their first packet; one sent again is counted again */
};

/* rf_account_map: chunks of RF_ACCOUNT_CHUNK rows, mmapable, indexed by RF_ACCOUNT(). */
struct rf_account {
	struct rf_traffic traffic[RF_VERDICTS][RF_DIRECTIONS];
	__u64 retransmits; /* TCP segments */
	__u64 rtt_us;	   /* sum of the smoothed round-trip times of TCP sockets, when they went */
	__u64 rtt_samples;
	__u64 dns_queries;
	__u64 dns_answers;
	__u64 dns_refused;
};

/* The row of @workload and peers of @class; those of RF_WORKLOAD_NONE come first and stay empty. */
#define RF_ACCOUNT(workload, class) ((workload) * RF_PEER_CLASSES + (class))

#endif
