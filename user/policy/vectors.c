// SPDX-License-Identifier: GPL-2.0-or-later
/* A growing list of vectors and an open hash table over it, never more than half full. */
#include "user/policy/vectors.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "ringfence/limits.h"
#include "user/policy/digest.h"

#define VECTORS_FIRST 64 /* a power of two; most rule sets have fewer */

static uint64_t vector_hash(const uint64_t *vector, uint32_t words)
{
	uint64_t hash = RF_DIGEST_INIT;

	for (uint32_t i = 0; i < words; i++)
		hash = rf_digest_add(hash, vector[i]);
	return hash;
}

static uint32_t *slot_find(const struct rf_vectors *v, const uint64_t *vector)
{
	uint32_t mask = 2 * v->capacity - 1, at = vector_hash(vector, v->words) & mask;

	while (v->slots[at]) {
		const uint64_t *kept = v->list + (size_t)(v->slots[at] - 1) * v->words;

		if (!memcmp(kept, vector, v->words * sizeof(*vector)))
			break;
		at = (at + 1) & mask;
	}
	return &v->slots[at];
}

static int vectors_grow(struct rf_vectors *v)
{
	uint32_t capacity = v->capacity ? 2 * v->capacity : VECTORS_FIRST;
	_cleanup_free_ uint32_t *slots = calloc(2 * (size_t)capacity, sizeof(*slots));
	uint64_t *list;

	if (!slots)
		return -ENOMEM;
	list = realloc(v->list, (size_t)capacity * v->words * sizeof(*list));
	if (!list)
		return -ENOMEM;
	v->list = list;
	free(v->slots);
	v->slots = TAKE_PTR(slots);
	v->capacity = capacity;
	for (uint32_t i = 0; i < v->n; i++)
		*slot_find(v, v->list + (size_t)i * v->words) = i + 1;
	return 0;
}

int rf_vectors_init(struct rf_vectors *v, uint32_t words)
{
	static const uint64_t empty[RF_RULE_WORDS];
	uint32_t index;

	*v = (struct rf_vectors){ .words = words };
	return rf_vectors_add(v, empty, &index);
}

void rf_vectors_fini(struct rf_vectors *v)
{
	free(v->list);
	free(v->slots);
	*v = (struct rf_vectors)RF_VECTORS_INIT;
}

int rf_vectors_add(struct rf_vectors *v, const uint64_t *vector, uint32_t *ret_index)
{
	uint32_t *slot;

	if (v->n == v->capacity) {
		int r = vectors_grow(v);

		if (r < 0)
			return r;
	}
	slot = slot_find(v, vector);
	if (!*slot) {
		if ((v->n + 1) * (uint64_t)v->words > RF_MAX_SET_WORDS)
			return -E2BIG;
		memcpy(v->list + (size_t)v->n * v->words, vector, v->words * sizeof(*vector));
		*slot = ++v->n;
	}
	*ret_index = *slot - 1;
	return 0;
}
