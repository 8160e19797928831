/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies made in memory: by hand for one case, or at random from a seed with
 * addresses, prefixes and ports that meet, nest and touch. All of an arena is
 * freed at once.
 */
#ifndef RF_TEST_RANDOM_POLICY_H
#define RF_TEST_RANDOM_POLICY_H

#include "tests/unit/policy/reference.h"
#include "user/lib/util.h"

struct arena_block {
	struct arena_block *next;
	_Alignas(16) char data[];
};

struct arena {
	struct arena_block *blocks;
};

void *arena_new(struct arena *a, size_t size); /* zeroed; never NULL */
char *arena_format(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a);

struct random {
	uint64_t state;
};

/* RF_SEED of the environment, else a fixed one; printed under @what. */
uint64_t random_seed(const char *what);
uint64_t random_next(struct random *r);
uint32_t random_below(struct random *r, uint32_t n); /* 0..n-1 */
bool random_one_in(struct random *r, uint32_t n);

/* A policy "t/ns/<name>" of the file "<name>.yaml", with no section. */
struct rf_policy *policy_new(struct arena *a, const char *name, enum rf_mode mode);
/* Adds the section with room for @n_rules, allowing, each "r<i>" on line @line + 1 + i, without peers or ports. */
struct rf_network_direction *policy_network(struct arena *a, struct rf_policy *p, enum rf_direction direction,
					    enum rf_action dflt, uint32_t line, size_t n_rules);
struct rf_devices *policy_devices(struct arena *a, struct rf_policy *p, enum rf_action dflt, uint32_t line,
				  size_t n_rules);
/* "10.0.0.0/8", "2001:db8::/32". */
struct rf_cidr cidr_of(const char *text);

/* Up to 4 policies with both directions; 0 where none was made. */
size_t random_policies(struct arena *a, struct random *r, const struct rf_policy **policies, size_t max);
/* Up to 4 policies with @n_rules together in @direction, so narrow that the last of a thousand still decides. */
size_t random_policies_long(struct arena *a, struct random *r, const struct rf_policy **policies, size_t max,
			    enum rf_direction direction, size_t n_rules);
/* A flow at or next to an edge of some rule of @policies. */
struct reference_flow random_flow(struct random *r, const struct rf_policy *const *policies, size_t n,
				  enum rf_direction direction);
/* Somebody whom selectors of random policies may mean; NULL: nothing is known. */
struct rf_peer_view *random_view(struct arena *a, struct random *r);
/* A name that random policies may have as a peer. */
char *random_host(struct arena *a, struct random *r);

#endif
