/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorded flow: everything that was seen between one workload and one peer
 * at one port. Plain data, kept by flow_history.c and written by flow_db.c.
 */
#ifndef RF_STORE_FLOW_H
#define RF_STORE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ringfence/event.h"
#include "ringfence/workload_map.h"

/* A cgroup that flows were seen of, as it was then: it may be gone when somebody asks. */
struct rf_flow_subject {
	uint64_t id;
	char *workload;	    /* full name; never NULL */
	char *below;	    /* path of the cgroup below the workload's own, "" for that */
	char *identity;	    /* user/model/identity_json.h */
	uint64_t cgroup_id; /* whose identity this is; 0: of before the restart */
	size_t flows;
	bool changed; /* since it was written */
	bool stored;
};

struct rf_flow_key {
	uint64_t subject;
	uint8_t direction; /* enum rf_direction: who began */
	uint8_t protocol;
	uint8_t family;
	uint8_t pad;
	uint16_t port; /* host order, of the service: the peer's of egress, our own of ingress; what ICMP has there */
	uint16_t pad2;
	uint8_t address[16]; /* the peer's, network order; IPv4 in the first four bytes */
};

struct rf_flow {
	uint64_t id;
	struct rf_flow_subject *subject; /* borrowed */
	struct rf_flow_key key;
	enum rf_verdict verdict; /* the last one seen */
	char *peer;		 /* who had the address, as tenant/namespace/name; NULL: not known */
	char *name;		 /* the last DNS name that it was reached by; NULL: none was learnt */
	uint64_t times;
	uint64_t tx_bytes, rx_bytes;
	uint64_t first_ns, last_ns; /* CLOCK_REALTIME */
};

#endif
