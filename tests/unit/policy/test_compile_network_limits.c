// SPDX-License-Identifier: GPL-2.0-or-later
/* Network rules to rule sets: at each limit, and one past it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/policy/compile.h"

/* In this translation unit, so that the build needs no rule for it. */
#include "tests/unit/policy/random_policy.c"

static struct rf_cidr host(uint32_t number)
{
	struct rf_cidr cidr = { .family = AF_INET, .prefix = 32 };
	uint32_t address = htonl(0x0a000000 + number);

	memcpy(cidr.addr, &address, sizeof(address));
	return cidr;
}

static int rule_of(const struct rf_ruleset_image *image, uint32_t number)
{
	struct rf_cidr cidr = host(number);
	uint32_t rule = UINT32_MAX;

	rf_ruleset_evaluate(image, AF_INET, cidr.addr, IPPROTO_TCP, 443, &rule);
	return rule;
}

static void the_last_rule_of_the_limit_compiles_and_decides(void **state)
{
	struct rf_ruleset_image *image = NULL;
	struct rf_diags diags = RF_DIAGS_INIT;
	struct arena a = { NULL };
	struct rf_policy *p = policy_new(&a, "web", RF_MODE_ENFORCE);
	struct rf_network_direction *d = policy_network(&a, p, RF_EGRESS, RF_ACTION_DENY, 10, RF_MAX_RULES);
	const struct rf_policy *policies[] = { p };

	(void)state;
	for (uint32_t i = 0; i < RF_MAX_RULES; i++) {
		d->rules[i].peers = arena_new(&a, sizeof(*d->rules[i].peers));
		d->rules[i].peers[0].cidr = host(i);
		d->rules[i].n_peers = 1;
	}
	assert_int_equal(rf_ruleset_compile(policies, 1, RF_EGRESS, RF_TIER_ENFORCE, &diags, &image), 0);
	assert_int_equal(image->n_rules, RF_MAX_RULES);
	assert_int_equal(image->words, RF_RULE_WORDS);
	assert_int_equal(image->n_peers4, RF_MAX_RULES);
	assert_int_equal(rule_of(image, 0), 0);
	assert_int_equal(rule_of(image, 63), 63);
	assert_int_equal(rule_of(image, 64), 64);
	assert_int_equal(rule_of(image, RF_MAX_RULES - 1), RF_MAX_RULES - 1);
	assert_int_equal(rule_of(image, RF_MAX_RULES), RF_MAX_RULES); /* the default */
	assert_int_equal(diags.n, 0);
	rf_ruleset_image_free(image);
	rf_diags_fini(&diags);
	arena_free(&a);
}

static void one_rule_past_the_limit_is_refused_by_policy_and_line(void **state)
{
	struct rf_ruleset_image *untouched = (void *)1;
	struct rf_diags diags = RF_DIAGS_INIT;
	const struct rf_policy *policies[2];
	struct arena a = { NULL };
	struct rf_policy *late = policy_new(&a, "late", RF_MODE_ENFORCE);
	struct rf_policy *early = policy_new(&a, "early", RF_MODE_ENFORCE);

	(void)state;
	policy_network(&a, early, RF_EGRESS, RF_ACTION_DENY, 10, RF_MAX_RULES - 2);
	policy_network(&a, late, RF_EGRESS, RF_ACTION_DENY, 10, 3);
	policies[0] = early;
	policies[1] = late;
	assert_int_equal(rf_ruleset_compile(policies, 2, RF_EGRESS, RF_TIER_ENFORCE, &diags, &untouched), -E2BIG);
	assert_ptr_equal(untouched, (void *)1);
	assert_int_equal(diags.n_errors, 1);
	assert_string_equal(diags.list[0].file, "late.yaml");
	assert_int_equal(diags.list[0].mark.line, 13); /* its third rule */
	assert_non_null(strstr(diags.list[0].message, "t/ns/late"));
	assert_non_null(strstr(diags.list[0].message, "1024"));
	rf_diags_fini(&diags);
	arena_free(&a);
}

/*
 * Every address is a peer of two rules, and no two addresses of the same two:
 * as many distinct vectors as addresses, and two more (none, all).
 */
static int vectors_compile(uint32_t addresses, struct rf_diags *diags, struct rf_ruleset_image **ret)
{
	struct arena a = { NULL };
	struct rf_policy *p = policy_new(&a, "wide", RF_MODE_ENFORCE);
	struct rf_network_direction *d = policy_network(&a, p, RF_EGRESS, RF_ACTION_DENY, 7, RF_MAX_RULES);
	const struct rf_policy *policies[] = { p };
	uint32_t steps = addresses / RF_MAX_RULES + 1;
	int r;

	for (uint32_t i = 0; i < RF_MAX_RULES; i++)
		d->rules[i].peers = arena_new(&a, 2 * steps * sizeof(struct rf_peer));
	for (uint32_t i = 0; i < addresses; i++) {
		struct rf_network_rule *first = &d->rules[i % RF_MAX_RULES];
		struct rf_network_rule *second = &d->rules[(i + i / RF_MAX_RULES + 1) % RF_MAX_RULES];

		first->peers[first->n_peers++].cidr = host(i);
		second->peers[second->n_peers++].cidr = host(i);
	}
	r = rf_ruleset_compile(policies, 1, RF_EGRESS, RF_TIER_ENFORCE, diags, ret);
	arena_free(&a);
	return r;
}

static void vectors_that_fill_the_kernels_map_compile_and_one_more_is_refused(void **state)
{
	struct rf_ruleset_image *image = NULL, *untouched = (void *)1;
	uint32_t room = RF_MAX_SET_WORDS / RF_RULE_WORDS - 2;
	struct rf_diags diags = RF_DIAGS_INIT;

	(void)state;
	assert_int_equal(vectors_compile(room, &diags, &image), 0);
	assert_int_equal(image->n_sets, RF_MAX_SET_WORDS / RF_RULE_WORDS);
	assert_int_equal(image->n_peers4, room);
	assert_int_equal(rule_of(image, 1025), 1);
	assert_int_equal(rule_of(image, 1023), 0);
	assert_int_equal(diags.n, 0);
	rf_ruleset_image_free(image);
	assert_int_equal(vectors_compile(room + 1, &diags, &untouched), -E2BIG);
	assert_ptr_equal(untouched, (void *)1);
	assert_int_equal(diags.n_errors, 1);
	assert_int_equal(diags.list[0].mark.line, 7);
	assert_non_null(strstr(diags.list[0].message, "t/ns/wide"));
	rf_diags_fini(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_rule_of_the_limit_compiles_and_decides),
		cmocka_unit_test(one_rule_past_the_limit_is_refused_by_policy_and_line),
		cmocka_unit_test(vectors_that_fill_the_kernels_map_compile_and_one_more_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
