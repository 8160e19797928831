/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a set of policies says of one flow or one device, found by walking the
 * rules in merge order, one bit at a time. Slow, and shares no code with the
 * compiler: it is what the compiler is compared with.
 */
#ifndef RF_TEST_REFERENCE_H
#define RF_TEST_REFERENCE_H

#include "ringfence/workload_map.h"
#include "user/model/policy.h"

struct reference_answer {
	bool present; /* the tier has an opinion */
	bool allow;
	uint32_t rule;			/* number in merge order; the number of rules for the default */
	const struct rf_policy *policy; /* whose rule or default decided */
	uint32_t line;
};

struct reference_flow {
	uint8_t family;
	uint8_t addr[16];
	uint8_t protocol;
	uint16_t port;
	const struct rf_peer_view *peer; /* NULL: nothing is known of it but the address */
};

struct reference_answer reference_network(const struct rf_policy *const *policies, size_t n,
					  enum rf_direction direction, enum rf_tier tier,
					  const struct reference_flow *flow);

/* @paths are those that exist, and their numbers. */
struct reference_path {
	const char *path;
	uint32_t type, major, minor;
};

struct reference_answer reference_device(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
					 const struct reference_path *paths, size_t n_paths, uint32_t type,
					 uint32_t major, uint32_t minor, uint32_t access);

#endif
