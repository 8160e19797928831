/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Claims ("rule 7 matches 10.0.0.0/8, but not 10.1.0.0/16 of it") -> for every
 * prefix where the answer changes, the vector of all rules that match there.
 */
#ifndef RF_POLICY_SWEEP_H
#define RF_POLICY_SWEEP_H

#include "user/policy/prefix.h"
#include "user/policy/vectors.h"

struct rf_claim {
	struct rf_prefix prefix;
	bool except;	   /* takes back what @claimant claims; lies inside its claim */
	uint16_t rule;	   /* below 64 * words */
	uint32_t claimant; /* whoever a claim and its exceptions belong to, from 0 */
};

struct rf_claims {
	struct rf_claim *list;
	size_t n;
	size_t capacity;
	uint32_t n_claimants;
};

#define RF_CLAIMS_INIT	 { NULL, 0, 0, 0 }
#define _cleanup_claims_ _cleanup_(rf_claims_fini)

void rf_claims_fini(struct rf_claims *c);
int rf_claims_add(struct rf_claims *c, struct rf_prefix prefix, bool except, uint16_t rule, uint32_t claimant);

struct rf_swept {
	struct rf_prefix prefix;
	uint32_t set; /* index in the vectors */
};

/*
 * @base: the rules that match everywhere; none of them may have a claim. A prefix whose vector is that of the next
 * wider one is left out: a longest prefix match finds the same. *ret_list is sorted and distinct. O(n log n), and one
 * vector hashed a prefix. Reorders the claims. -E2BIG as rf_vectors_add().
 */
int rf_claims_sweep(struct rf_claims *c, const uint64_t *base, struct rf_vectors *vectors, struct rf_swept **ret_list,
		    uint32_t *ret_n);

#endif
