// SPDX-License-Identifier: GPL-2.0-or-later
/* Device rules to entries: each point of the contract by hand, then all of it against a slow reference. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ringfence/policy_map.h"
#include "user/policy/compile.h"

/* In this translation unit, so that the build needs no rule for them. */
#include "tests/unit/policy/random_policy.c"
#include "tests/unit/policy/reference.c"

#define BLOCK 1u
#define CHAR  2u
#define ANY   RF_DEVICE_ANY
#define READ  RF_DEVICE_READ
#define WRITE RF_DEVICE_WRITE
#define MKNOD RF_DEVICE_MKNOD
#define ALL   (READ | WRITE | MKNOD)

static const struct reference_path paths[] = {
	{ "/dev/null", CHAR, 1, 3 },
	{ "/dev/zero", CHAR, 1, 5 },
	{ "/dev/sda", BLOCK, 8, 0 },
	{ "/dev/nvidia0", CHAR, 195, 0 },
};

static int path_resolve(const char *path, uint32_t *ret_type, uint32_t *ret_major, uint32_t *ret_minor, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (strcmp(paths[i].path, path))
			continue;
		*ret_type = paths[i].type;
		*ret_major = paths[i].major;
		*ret_minor = paths[i].minor;
		return 0;
	}
	return strcmp(path, "/dev/secret") ? -ENOENT : -EACCES;
}

/* One policy in enforce mode with rules d0, d1, ... to fill in. */
struct fixture {
	struct arena arena;
	struct rf_policy *policy;
	struct rf_device_rule *rules;
	struct rf_diags diags;
	struct rf_device_image *image;
};

static void fixture_make(struct fixture *f, enum rf_action dflt, size_t n_rules)
{
	*f = (struct fixture){ .diags = RF_DIAGS_INIT };
	f->policy = policy_new(&f->arena, "gpu", RF_MODE_ENFORCE);
	f->rules = policy_devices(&f->arena, f->policy, dflt, 20, n_rules)->rules;
}

static void fixture_end(struct fixture *f)
{
	rf_device_image_free(f->image);
	rf_diags_fini(&f->diags);
	arena_free(&f->arena);
}

static void rule_set(struct fixture *f, size_t rule, enum rf_action action, uint32_t major, uint32_t minor,
		     uint32_t access)
{
	f->rules[rule].action = action;
	f->rules[rule].major = major;
	f->rules[rule].minor = minor;
	f->rules[rule].access = access;
}

static void path_set(struct fixture *f, size_t rule, enum rf_action action, const char *path, uint32_t access)
{
	rule_set(f, rule, action, 0, 0, access);
	f->rules[rule].path = arena_format(&f->arena, "%s", path);
}

static int compile_with(struct fixture *f, enum rf_tier tier, rf_device_resolve_fn resolve)
{
	const struct rf_policy *policies[] = { f->policy };

	rf_device_image_free(TAKE_PTR(f->image));
	return rf_device_compile(policies, 1, tier, &(const struct rf_device_host){ .resolve = resolve }, &f->diags,
				 &f->image);
}

static void compiled(struct fixture *f)
{
	assert_int_equal(compile_with(f, RF_TIER_ENFORCE, path_resolve), 0);
	assert_non_null(f->image);
}

/* The rule that decides, -1: the default. */
static int decided(const struct fixture *f, uint32_t type, uint32_t major, uint32_t minor, uint32_t access)
{
	uint32_t rule = UINT32_MAX;
	bool allow = rf_device_evaluate(f->image, type, major, minor, access, &rule);

	assert_true(rule <= f->image->n_rules);
	assert_int_equal(allow, f->image->refs[rule].action == RF_ACTION_ALLOW);
	return rule == f->image->n_rules ? -1 : (int)rule;
}

static void a_rule_matches_its_device_and_no_other(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 1);
	rule_set(&f, 0, RF_ACTION_ALLOW, 1, 3, ALL);
	compiled(&f);
	assert_int_equal(decided(&f, CHAR, 1, 3, READ), 0);
	assert_int_equal(decided(&f, CHAR, 1, 4, READ), -1);
	assert_int_equal(decided(&f, CHAR, 2, 3, READ), -1);
	assert_int_equal(decided(&f, BLOCK, 1, 3, READ), -1);
	fixture_end(&f);
}

static void each_access_is_decided_by_its_own_first_rule(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 3);
	rule_set(&f, 0, RF_ACTION_ALLOW, 1, 3, READ);
	rule_set(&f, 1, RF_ACTION_DENY, 1, 3, READ | WRITE);
	rule_set(&f, 2, RF_ACTION_ALLOW, 1, ANY, ALL);
	compiled(&f);
	assert_int_equal(decided(&f, CHAR, 1, 3, READ), 0);
	assert_int_equal(decided(&f, CHAR, 1, 3, WRITE), 1);
	assert_int_equal(decided(&f, CHAR, 1, 3, MKNOD), 2);
	assert_int_equal(decided(&f, CHAR, 1, 4, WRITE), 2);
	assert_int_equal(decided(&f, CHAR, 2, 3, READ), -1);
	fixture_end(&f);
}

static void a_wide_rule_that_comes_first_beats_a_narrow_one(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_ALLOW, 4);
	rule_set(&f, 0, RF_ACTION_ALLOW, 195, 0, READ);
	rule_set(&f, 1, RF_ACTION_DENY, 195, ANY, ALL);
	rule_set(&f, 2, RF_ACTION_ALLOW, 195, 1, ALL);
	rule_set(&f, 3, RF_ACTION_DENY, ANY, ANY, WRITE);
	compiled(&f);
	assert_int_equal(decided(&f, CHAR, 195, 0, READ), 0);
	assert_int_equal(decided(&f, CHAR, 195, 0, WRITE), 1);
	assert_int_equal(decided(&f, CHAR, 195, 1, READ), 1);
	assert_int_equal(decided(&f, CHAR, 195, 9, READ), 1);
	assert_int_equal(decided(&f, CHAR, 7, 7, WRITE), 3);
	assert_int_equal(decided(&f, CHAR, 7, 7, READ), -1);
	/* 195:1 says what 195:any says, and is left out. */
	assert_int_equal(f.image->n_entries, 4);
	fixture_end(&f);
}

static void the_last_two_entries_are_any_block_and_any_char(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 1);
	rule_set(&f, 0, RF_ACTION_ALLOW, 1, 3, ALL);
	compiled(&f);
	assert_int_equal(f.image->n_entries, 3);
	for (uint32_t i = 1; i <= 2; i++) {
		assert_int_equal(f.image->entries[i].type, i);
		assert_true(f.image->entries[i].major == ANY && f.image->entries[i].minor == ANY);
		assert_int_equal(f.image->entries[i].allow & RF_DEVICE_OPEN, 0);
		assert_int_equal(f.image->entries[i].rule[0], RF_RULE_DEFAULT);
	}
	fixture_end(&f);
}

static void a_path_stands_for_its_numbers(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 2);
	path_set(&f, 0, RF_ACTION_ALLOW, "/dev/null", ALL);
	path_set(&f, 1, RF_ACTION_ALLOW, "/dev/sda", READ);
	compiled(&f);
	assert_int_equal(decided(&f, CHAR, 1, 3, WRITE), 0);
	assert_int_equal(decided(&f, BLOCK, 8, 0, READ), 1);
	assert_int_equal(decided(&f, BLOCK, 8, 0, WRITE), -1);
	assert_int_equal(decided(&f, CHAR, 0, 0, READ), -1);
	assert_int_equal(f.diags.n, 0);
	fixture_end(&f);
}

static void a_missing_path_matches_nothing_and_is_warned_of_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 2);
	path_set(&f, 0, RF_ACTION_ALLOW, "/dev/gone", ALL);
	rule_set(&f, 1, RF_ACTION_ALLOW, 1, 3, ALL);
	compiled(&f);
	assert_int_equal(decided(&f, CHAR, 0, 0, READ), -1);
	assert_int_equal(decided(&f, CHAR, 1, 3, READ), 1);
	assert_int_equal(f.diags.n_warnings, 1);
	assert_int_equal(f.diags.n_errors, 0);
	assert_int_equal(f.diags.list[0].mark.line, 21);
	assert_non_null(strstr(f.diags.list[0].message, "/dev/gone"));
	/* Both tiers of one image hold the rule. */
	f.policy->mode = RF_MODE_AUDIT;
	assert_int_equal(compile_with(&f, RF_TIER_AUDIT, NULL), 0);
	assert_int_equal(f.diags.n_warnings, 2);
	fixture_end(&f);
}

static void a_lookup_that_fails_otherwise_fails_the_compilation(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 1);
	path_set(&f, 0, RF_ACTION_ALLOW, "/dev/secret", ALL);
	assert_int_equal(compile_with(&f, RF_TIER_ENFORCE, path_resolve), -EACCES);
	assert_null(f.image);
	fixture_end(&f);
}

static void tiers_take_what_they_should_and_no_section_is_no_opinion(void **state)
{
	struct fixture f;
	uint32_t rule;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 1);
	rule_set(&f, 0, RF_ACTION_ALLOW, 1, 3, ALL);
	assert_int_equal(compile_with(&f, RF_TIER_AUDIT, path_resolve), 0);
	assert_null(f.image);
	f.policy->mode = RF_MODE_AUDIT;
	assert_int_equal(compile_with(&f, RF_TIER_ENFORCE, path_resolve), 0);
	assert_null(f.image);
	assert_int_equal(compile_with(&f, RF_TIER_AUDIT, path_resolve), 0);
	assert_non_null(f.image);
	assert_string_equal(f.image->refs[0].policy, "t/ns/gpu");
	assert_string_equal(f.image->refs[0].rule, "d0");
	assert_int_equal(f.image->refs[0].line, 21);
	assert_int_equal(f.image->refs[1].line, 20);
	f.policy->devices.present = false;
	assert_int_equal(compile_with(&f, RF_TIER_AUDIT, path_resolve), 0);
	assert_null(f.image);
	assert_true(rf_device_evaluate(NULL, CHAR, 1, 3, READ, &rule));
	fixture_end(&f);
}

static void equal_rules_have_equal_images_and_digests_and_others_do_not(void **state)
{
	struct fixture f, g;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, 2);
	rule_set(&f, 0, RF_ACTION_ALLOW, 1, 3, ALL);
	rule_set(&f, 1, RF_ACTION_ALLOW, 1, 5, READ);
	fixture_make(&g, RF_ACTION_DENY, 2);
	path_set(&g, 0, RF_ACTION_ALLOW, "/dev/null", ALL);
	path_set(&g, 1, RF_ACTION_ALLOW, "/dev/zero", READ);
	compiled(&f);
	compiled(&g);
	assert_true(rf_device_image_equal(f.image, g.image));
	assert_true(f.image->digest == g.image->digest);
	g.rules[1].access = WRITE;
	compiled(&g);
	assert_false(rf_device_image_equal(f.image, g.image));
	assert_true(f.image->digest != g.image->digest);
	assert_false(rf_device_image_equal(f.image, NULL));
	fixture_end(&f);
	fixture_end(&g);
}

static void the_last_rule_of_the_limit_decides_and_one_more_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f, RF_ACTION_DENY, RF_MAX_DEVICE_RULES + 1);
	for (size_t i = 0; i <= RF_MAX_DEVICE_RULES; i++)
		rule_set(&f, i, RF_ACTION_ALLOW, 10 + i % 16, i, ALL);
	f.policy->devices.n_rules--;
	compiled(&f);
	assert_int_equal(decided(&f, CHAR, 10 + (RF_MAX_DEVICE_RULES - 1) % 16, RF_MAX_DEVICE_RULES - 1, READ),
			 RF_MAX_DEVICE_RULES - 1);
	assert_int_equal(decided(&f, CHAR, 10, RF_MAX_DEVICE_RULES, READ), -1);
	f.policy->devices.n_rules++;
	assert_int_equal(compile_with(&f, RF_TIER_ENFORCE, path_resolve), -E2BIG);
	assert_null(f.image);
	assert_int_equal(f.diags.n_errors, 1);
	assert_string_equal(f.diags.list[0].file, "gpu.yaml");
	assert_int_equal(f.diags.list[0].mark.line, 20 + RF_MAX_DEVICE_RULES + 1);
	assert_non_null(strstr(f.diags.list[0].message, "t/ns/gpu"));
	fixture_end(&f);
}

static uint32_t random_number(struct random *r)
{
	static const uint32_t numbers[] = { 0, 1, 3, 5, 8, 195, 0xfffff };

	return numbers[random_below(r, ARRAY_SIZE(numbers))];
}

static size_t random_device_policies(struct arena *a, struct random *r, const struct rf_policy **policies)
{
	size_t n = 1 + random_below(r, 3);

	for (size_t i = 0; i < n; i++) {
		struct rf_policy *p = policy_new(a, arena_format(a, "p%zu", i), random_below(r, RF_MODES));
		size_t n_rules = random_below(r, 12);
		struct rf_devices *d;

		policies[i] = p;
		if (random_one_in(r, 8))
			continue;
		d = policy_devices(a, p, random_below(r, RF_ACTIONS), 1, n_rules);
		for (size_t j = 0; j < n_rules; j++) {
			struct rf_device_rule *rule = &d->rules[j];

			rule->action = random_below(r, RF_ACTIONS);
			rule->access = random_below(r, ALL + 1);
			if (random_one_in(r, 4)) {
				size_t at = random_below(r, ARRAY_SIZE(paths) + 1);

				rule->path = arena_format(a, "%s", at < ARRAY_SIZE(paths) ? paths[at].path : "/gone");
				continue;
			}
			rule->type = 1 + random_below(r, 2);
			rule->major = random_one_in(r, 5) ? ANY : random_number(r);
			rule->minor = rule->major == ANY || random_one_in(r, 3) ? ANY : random_number(r);
		}
	}
	return n;
}

/* Is the rule that the image names the one that decided? */
static bool named(const struct rf_rule_ref *ref, const struct reference_answer *want)
{
	char name[64];

	snprintf(name, sizeof(name), "t/ns/%s", want->policy->name);
	return rf_streq(ref->policy, name) && rf_streq(ref->file, want->policy->file) && ref->line == want->line &&
	       ref->mode == want->policy->mode && ref->action == (want->allow ? RF_ACTION_ALLOW : RF_ACTION_DENY);
}

static unsigned int policies_compared(struct random *r, unsigned int devices)
{
	struct rf_device_image *image[RF_TIERS];
	const struct rf_policy *policies[4];
	struct arena a = { NULL };
	struct rf_diags diags = RF_DIAGS_INIT;
	size_t n = random_device_policies(&a, r, policies);
	unsigned int compared = 0;

	for (int tier = 0; tier < RF_TIERS; tier++)
		assert_int_equal(rf_device_compile(policies, n, tier,
						   &(const struct rf_device_host){ .resolve = path_resolve }, &diags,
						   &image[tier]),
				 0);
	for (unsigned int i = 0; i < devices; i++) {
		uint32_t type = 1 + random_below(r, 2), major = random_number(r), minor = random_number(r);
		uint32_t access = 1u << random_below(r, 3);

		for (int tier = 0; tier < RF_TIERS; tier++) {
			struct reference_answer want = reference_device(policies, n, tier, paths, ARRAY_SIZE(paths),
									type, major, minor, access);
			uint32_t rule = 0;
			bool allow = rf_device_evaluate(image[tier], type, major, minor, access, &rule);

			if (want.present != !!image[tier] || allow != want.allow ||
			    (want.present && (rule != want.rule || !named(&image[tier]->refs[rule], &want))))
				fail_msg("tier %d type %u %u:%u access %u: rule %u %s, not %u %s", tier, type, major,
					 minor, access, rule, allow ? "allows" : "denies", want.rule,
					 want.allow ? "allows" : "denies");
			compared += want.present;
		}
	}
	for (int tier = 0; tier < RF_TIERS; tier++)
		rf_device_image_free(image[tier]);
	assert_int_equal(diags.n_errors, 0);
	rf_diags_fini(&diags);
	arena_free(&a);
	return compared;
}

static void the_image_answers_as_the_rules_do_one_by_one(void **state)
{
	struct random r = { random_seed("device rules") };
	unsigned int compared = 0, sets = 0;

	(void)state;
	while (compared < 400000) {
		compared += policies_compared(&r, 100);
		sets++;
	}
	printf("# %u answers of %u policy sets are the same\n", compared, sets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_matches_its_device_and_no_other),
		cmocka_unit_test(each_access_is_decided_by_its_own_first_rule),
		cmocka_unit_test(a_wide_rule_that_comes_first_beats_a_narrow_one),
		cmocka_unit_test(the_last_two_entries_are_any_block_and_any_char),
		cmocka_unit_test(a_path_stands_for_its_numbers),
		cmocka_unit_test(a_missing_path_matches_nothing_and_is_warned_of_once),
		cmocka_unit_test(a_lookup_that_fails_otherwise_fails_the_compilation),
		cmocka_unit_test(tiers_take_what_they_should_and_no_section_is_no_opinion),
		cmocka_unit_test(equal_rules_have_equal_images_and_digests_and_others_do_not),
		cmocka_unit_test(the_last_rule_of_the_limit_decides_and_one_more_is_refused),
		cmocka_unit_test(the_image_answers_as_the_rules_do_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
