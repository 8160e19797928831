/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bit vectors of rules, each distinct one kept once. Vector 0 is empty. */
#ifndef RF_POLICY_VECTORS_H
#define RF_POLICY_VECTORS_H

#include <stdint.h>

#include "user/lib/cleanup.h"

struct rf_vectors {
	uint32_t words; /* of one vector */
	uint32_t n;
	uint32_t capacity; /* vectors that @list has room for; half of @slots */
	uint64_t *list;	   /* n * words */
	uint32_t *slots;   /* hash table: index + 1, 0 free */
};

#define RF_VECTORS_INIT	  { 0, 0, 0, NULL, NULL }
#define _cleanup_vectors_ _cleanup_(rf_vectors_fini)

int rf_vectors_init(struct rf_vectors *v, uint32_t words);
void rf_vectors_fini(struct rf_vectors *v);
/* The index of @vector (of v->words words). -E2BIG: no rule set could hold so many in the kernel. */
int rf_vectors_add(struct rf_vectors *v, const uint64_t *vector, uint32_t *ret_index);

static inline void rf_vector_set(uint64_t *vector, uint32_t bit)
{
	vector[bit / 64] |= 1ULL << (bit % 64);
}

static inline void rf_vector_clear(uint64_t *vector, uint32_t bit)
{
	vector[bit / 64] &= ~(1ULL << (bit % 64));
}

#endif
