// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Walks the sorted prefixes as a tree, parents first, with the prefixes that
 * contain the present one on a stack. A rule holds where more of its claims are
 * open than are taken back: one claim's exception does not touch the others'.
 */
#include "user/policy/sweep.h"

#include <errno.h>

#include "ringfence/limits.h"

/* One prefix that is open: its claims, list[first .. end - 1], and its vector. */
struct level {
	size_t first;
	size_t end;
	uint32_t set;
};

struct sweep {
	const struct rf_claim *list;
	int32_t holds[RF_MAX_RULES];	/* by rule: open claims that are not taken back */
	uint32_t *excepted;		/* by claimant: open exceptions, which may be nested */
	uint64_t vector[RF_RULE_WORDS]; /* what matches at the present prefix */
	struct level stack[RF_PREFIX_MAX + 1];
	unsigned int depth;
};

void rf_claims_fini(struct rf_claims *c)
{
	free(c->list);
	*c = (struct rf_claims)RF_CLAIMS_INIT;
}

int rf_claims_add(struct rf_claims *c, struct rf_prefix prefix, bool except, uint16_t rule, uint32_t claimant)
{
	if (c->n == c->capacity) {
		size_t capacity = c->capacity ? 2 * c->capacity : 128;
		struct rf_claim *list = reallocarray(c->list, capacity, sizeof(*list));

		if (!list)
			return -ENOMEM;
		c->list = list;
		c->capacity = capacity;
	}
	c->list[c->n++] = (struct rf_claim){ prefix, except, rule, claimant };
	return 0;
}

static int claim_compare(const void *a, const void *b)
{
	return rf_prefix_compare(&((const struct rf_claim *)a)->prefix, &((const struct rf_claim *)b)->prefix);
}

/* The count may pass through -1, when an exception is as wide as its claim and comes first. */
static void rule_gain(struct sweep *s, uint16_t rule)
{
	if (++s->holds[rule] == 1)
		rf_vector_set(s->vector, rule);
}

static void rule_lose(struct sweep *s, uint16_t rule)
{
	if (--s->holds[rule] == 0)
		rf_vector_clear(s->vector, rule);
}

static void level_enter(struct sweep *s, size_t first, size_t end)
{
	for (const struct rf_claim *claim = s->list + first; claim < s->list + end; claim++) {
		if (!claim->except)
			rule_gain(s, claim->rule);
		else if (s->excepted[claim->claimant]++ == 0)
			rule_lose(s, claim->rule);
	}
	s->stack[s->depth++] = (struct level){ .first = first, .end = end };
}

static void level_leave(struct sweep *s)
{
	const struct level *level = &s->stack[--s->depth];

	for (const struct rf_claim *claim = s->list + level->first; claim < s->list + level->end; claim++) {
		if (!claim->except)
			rule_lose(s, claim->rule);
		else if (--s->excepted[claim->claimant] == 0)
			rule_gain(s, claim->rule);
	}
}

int rf_claims_sweep(struct rf_claims *c, const uint64_t *base, struct rf_vectors *vectors, struct rf_swept **ret_list,
		    uint32_t *ret_n)
{
	_cleanup_free_ uint32_t *excepted = calloc(c->n_claimants + 1, sizeof(*excepted));
	_cleanup_free_ struct rf_swept *list = calloc(c->n + 1, sizeof(*list));
	struct sweep s = { .list = c->list, .excepted = excepted };
	uint32_t base_set, n = 0;
	int r;

	if (!excepted || !list)
		return -ENOMEM;
	memcpy(s.vector, base, vectors->words * sizeof(*base));
	r = rf_vectors_add(vectors, base, &base_set);
	if (r < 0)
		return r;
	if (c->n)
		qsort(c->list, c->n, sizeof(*c->list), claim_compare);

	for (size_t first = 0, end; first < c->n; first = end) {
		const struct rf_prefix *prefix = &c->list[first].prefix;
		uint32_t outer, set;

		for (end = first + 1; end < c->n; end++)
			if (rf_prefix_compare(&c->list[end].prefix, prefix))
				break;
		while (s.depth && !rf_prefix_contains(&c->list[s.stack[s.depth - 1].first].prefix, prefix))
			level_leave(&s);
		outer = s.depth ? s.stack[s.depth - 1].set : base_set;
		level_enter(&s, first, end);
		r = rf_vectors_add(vectors, s.vector, &set);
		if (r < 0)
			return r;
		s.stack[s.depth - 1].set = set;
		if (set != outer)
			list[n++] = (struct rf_swept){ *prefix, set };
	}
	*ret_list = TAKE_PTR(list);
	*ret_n = n;
	return 0;
}
