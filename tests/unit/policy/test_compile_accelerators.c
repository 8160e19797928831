// SPDX-License-Identifier: GPL-2.0-or-later
/* Which nodes an accelerator rule matches, and what it says of them, on a host that has some. */
#include "tests/unit/policy/accelerator_host.h"
#include "user/policy/compile_accelerators.h"

static void a_rule_that_gives_nothing_matches_every_accelerator(void **state)
{
	struct fixture *open = fixture_new(DENY, 1), *closed = fixture_new(ALLOW, 1);

	(void)state;
	closed->rules[0].action = DENY;
	compiled(open);
	compiled(closed);
	for (size_t i = 0; i < ARRAY_SIZE(host_nodes); i++) {
		assert_allowed(open, host_nodes[i].major, host_nodes[i].minor, ALL);
		assert_allowed(closed, host_nodes[i].major, host_nodes[i].minor, 0);
	}
	fixture_free(open);
	fixture_free(closed);
}

static void what_is_no_accelerator_is_left_alone(void **state)
{
	struct fixture *f = fixture_new(DENY, 0);
	uint32_t rule;

	(void)state;
	compiled(f);
	assert_allowed(f, 1, 3, ALL);
	assert_allowed(f, 511, 1, ALL);
	assert_true(rf_device_evaluate(f->image, 1, 195, 0, RF_DEVICE_READ, &rule)); /* a block device */
	assert_allowed(f, 195, 0, 0);
	fixture_free(f);
}

static void without_accelerators_the_rules_have_nothing_to_say(void **state)
{
	static const struct rf_accelerators none;
	struct fixture *f = fixture_new(DENY, 0);

	(void)state;
	assert_int_equal(compile_tier(f, RF_TIER_ENFORCE, NULL), 0);
	assert_int_equal(f->image->n_entries, 2);
	assert_allowed(f, 195, 0, ALL);
	assert_int_equal(compile_tier(f, RF_TIER_ENFORCE, &none), 0);
	assert_allowed(f, 195, 0, ALL);
	fixture_free(f);
}

static void the_default_decides_what_no_rule_names(void **state)
{
	struct fixture *closed = fixture_new(DENY, 0), *open = fixture_new(ALLOW, 0);

	(void)state;
	compiled(closed);
	compiled(open);
	assert_allowed(closed, 226, 128, 0);
	assert_allowed(open, 226, 128, ALL);
	assert_decided(closed, 226, 128, RF_DEVICE_READ, "t/ns/gpu", "default", 20);
	assert_decided(open, 226, 128, RF_DEVICE_SUBMIT, "t/ns/gpu", "default", 20);
	fixture_free(closed);
	fixture_free(open);
}

static void a_class_is_all_of_its_devices_and_all_their_nodes(void **state)
{
	struct fixture *f = fixture_new(DENY, 1);

	(void)state;
	f->rules[0].class = RF_ACCELERATOR_NVIDIA;
	compiled(f);
	assert_allowed(f, 195, 0, ALL);
	assert_allowed(f, 195, 1, ALL);
	assert_allowed(f, 226, 128, ALL); /* the node of drm of a device of nvidia */
	assert_allowed(f, 240, 11, ALL);
	assert_allowed(f, 226, 129, 0);
	assert_allowed(f, 231, 192, 0);
	f->rules[0].class = RF_ACCELERATOR_DRM;
	compiled(f);
	assert_allowed(f, 226, 1, ALL);
	assert_allowed(f, 226, 129, ALL);
	assert_allowed(f, 195, 0, ALL);
	assert_allowed(f, 195, 1, 0); /* has no node of drm */
	fixture_free(f);
}

static void an_index_is_the_number_in_the_class(void **state)
{
	struct fixture *f = fixture_new(DENY, 1);

	(void)state;
	f->rules[0].class = RF_ACCELERATOR_DRM;
	f->rules[0].index = 1;
	compiled(f);
	assert_allowed(f, 226, 129, ALL);
	assert_allowed(f, 226, 1, ALL);
	assert_allowed(f, 226, 128, 0);
	f->rules[0].class = RF_ACCELERATOR_NVIDIA;
	compiled(f);
	assert_allowed(f, 195, 1, ALL);
	assert_allowed(f, 195, 0, 0);
	f->rules[0].index = 2;
	compiled(f);
	assert_allowed(f, 195, 1, 0);
	fixture_free(f);
}

static void an_address_or_a_uuid_is_one_device(void **state)
{
	struct fixture *f = fixture_new(DENY, 1);

	(void)state;
	f->rules[0].pci = "0000:65:00.0";
	compiled(f);
	assert_allowed(f, 195, 1, ALL);
	assert_allowed(f, 240, 10, ALL);
	assert_allowed(f, 195, 0, 0);
	f->rules[0].pci = NULL;
	f->rules[0].uuid = "GPU-a";
	compiled(f);
	assert_allowed(f, 195, 0, ALL);
	assert_allowed(f, 226, 128, ALL);
	assert_allowed(f, 195, 1, 0);
	assert_allowed(f, 226, 129, 0); /* has none */
	fixture_free(f);
}

static void all_that_is_given_must_match(void **state)
{
	struct fixture *f = fixture_new(DENY, 1);

	(void)state;
	f->rules[0].uuid = "GPU-a";
	f->rules[0].pci = "0000:17:00.0";
	f->rules[0].class = RF_ACCELERATOR_DRM;
	f->rules[0].index = 0;
	compiled(f);
	assert_allowed(f, 195, 0, ALL);
	f->rules[0].pci = "0000:65:00.0";
	compiled(f);
	assert_allowed(f, 195, 0, 0);
	assert_allowed(f, 195, 1, 0);
	fixture_free(f);
}

static void an_instance_that_is_allowed_comes_with_its_gpu_and_with_nothing_else(void **state)
{
	struct fixture *f = fixture_new(DENY, 1);

	(void)state;
	f->rules[0].gpu_instance = 1;
	compiled(f);
	assert_allowed(f, 240, 10, ALL);
	assert_allowed(f, 240, 11, ALL);
	assert_allowed(f, 240, 12, ALL);
	assert_allowed(f, 240, 20, 0);
	assert_allowed(f, 240, 21, 0);
	assert_allowed(f, 195, 1, ALL);
	assert_allowed(f, 195, 255, ALL);
	f->rules[0].compute_instance = 0;
	compiled(f);
	assert_allowed(f, 240, 10, ALL); /* what 1/0 is an instance of */
	assert_allowed(f, 240, 11, ALL);
	assert_allowed(f, 240, 12, 0);
	assert_allowed(f, 240, 21, 0);
	assert_allowed(f, 195, 1, ALL);
	fixture_free(f);
}

static void a_gpu_that_has_no_such_instance_is_not_matched(void **state)
{
	struct fixture *f = fixture_new(DENY, 1);

	(void)state;
	f->rules[0].gpu_instance = 1;
	compiled(f);
	assert_allowed(f, 195, 1, ALL);
	assert_allowed(f, 195, 0, 0);
	assert_allowed(f, 226, 129, 0);
	assert_allowed(f, 231, 192, 0);
	f->rules[0].gpu_instance = 7;
	compiled(f);
	assert_allowed(f, 195, 1, 0);
	f->rules[0].gpu_instance = 2;
	f->rules[0].compute_instance = 1;
	compiled(f);
	assert_allowed(f, 195, 1, 0);
	fixture_free(f);
}

static void an_instance_that_is_denied_does_not_take_its_gpu_along(void **state)
{
	struct fixture *f = fixture_new(ALLOW, 1);

	(void)state;
	f->rules[0].action = DENY;
	f->rules[0].gpu_instance = 1;
	compiled(f);
	assert_allowed(f, 240, 10, 0);
	assert_allowed(f, 240, 12, 0);
	assert_allowed(f, 240, 20, ALL);
	assert_allowed(f, 195, 1, ALL);
	f->rules[0].compute_instance = 0;
	compiled(f);
	assert_allowed(f, 240, 11, 0);
	assert_allowed(f, 240, 10, ALL);
	assert_allowed(f, 240, 12, ALL);
	fixture_free(f);
}

static void to_allow_an_operation_is_to_allow_opening(void **state)
{
	struct fixture *f = fixture_new(DENY, 1);

	(void)state;
	f->rules[0].operations = RF_DEVICE_SUBMIT | RF_DEVICE_MAP;
	compiled(f);
	assert_allowed(f, 226, 129, OPEN | RF_DEVICE_SUBMIT | RF_DEVICE_MAP);
	assert_allowed(f, 195, 255, OPEN | RF_DEVICE_SUBMIT | RF_DEVICE_MAP);
	fixture_free(f);
}

static void to_deny_an_operation_is_not_to_deny_opening(void **state)
{
	struct fixture *f = fixture_new(ALLOW, 1), *closed = fixture_new(DENY, 1);

	(void)state;
	f->rules[0].action = closed->rules[0].action = DENY;
	f->rules[0].operations = closed->rules[0].operations = RF_DEVICE_ADMIN;
	compiled(f);
	assert_allowed(f, 226, 129, ALL & ~RF_DEVICE_ADMIN);
	assert_decided(f, 226, 129, RF_DEVICE_ADMIN, "t/ns/gpu", "a0", 21);
	assert_decided(f, 226, 129, RF_DEVICE_READ, "t/ns/gpu", "default", 20);
	/* Nor does it allow it. */
	compiled(closed);
	assert_allowed(closed, 226, 129, 0);
	assert_decided(closed, 226, 129, RF_DEVICE_READ, "t/ns/gpu", "default", 20);
	fixture_free(f);
	fixture_free(closed);
}

static void the_first_rule_that_matches_decides_each_operation(void **state)
{
	struct fixture *f = fixture_new(DENY, 3);

	(void)state;
	f->rules[0].action = DENY;
	f->rules[0].operations = RF_DEVICE_ALLOC;
	f->rules[0].class = RF_ACCELERATOR_AMD;
	f->rules[1].class = RF_ACCELERATOR_DRM;
	f->rules[2].action = DENY;
	f->rules[2].pci = "0000:17:00.0";
	compiled(f);
	assert_allowed(f, 226, 129, ALL & ~RF_DEVICE_ALLOC);
	assert_decided(f, 226, 129, RF_DEVICE_ALLOC, "t/ns/gpu", "a0", 21);
	assert_decided(f, 226, 129, RF_DEVICE_SUBMIT, "t/ns/gpu", "a1", 22);
	assert_allowed(f, 226, 128, ALL); /* the denial comes too late */
	assert_allowed(f, 195, 1, 0);
	fixture_free(f);
}

static void what_devices_share_is_for_whoever_may_use_one(void **state)
{
	struct fixture *f = fixture_new(DENY, 2);

	(void)state;
	f->rules[0].class = RF_ACCELERATOR_NVIDIA;
	f->rules[0].index = 1;
	f->rules[1].action = DENY;
	compiled(f);
	assert_allowed(f, 195, 255, ALL);
	assert_allowed(f, 509, 0, ALL);
	assert_allowed(f, 511, 0, 0); /* of another class */
	assert_decided(f, 509, 0, RF_DEVICE_MAP, "t/ns/gpu", "a0", 21);
	assert_decided(f, 511, 0, RF_DEVICE_MAP, "t/ns/gpu", "a1", 22);
	/* What one may be asked for and what the other: each from whoever allows it. */
	f->rules[0].operations = RF_DEVICE_SUBMIT;
	f->rules[1] = f->rules[0];
	f->rules[1].index = 0;
	f->rules[1].operations = RF_DEVICE_ALLOC;
	compiled(f);
	assert_allowed(f, 509, 0, OPEN | RF_DEVICE_SUBMIT | RF_DEVICE_ALLOC);
	assert_allowed(f, 195, 0, OPEN | RF_DEVICE_ALLOC);
	fixture_free(f);
}

static void what_is_shared_by_none_is_for_whoever_may_use_all_of_the_class(void **state)
{
	struct fixture *f = fixture_new(DENY, 1);

	(void)state;
	f->rules[0].class = RF_ACCELERATOR_HABANALABS;
	compiled(f);
	assert_allowed(f, 236, 0, ALL);
	f->rules[0].index = 0;
	compiled(f);
	assert_allowed(f, 236, 0, 0);
	fixture_free(f);
}

static void a_device_that_just_came_needs_a_rule_for_all_it_may_be(void **state)
{
	struct fixture *f = fixture_new(DENY, 1);

	(void)state;
	f->rules[0].class = RF_ACCELERATOR_DRM;
	compiled(f);
	assert_allowed(f, 226, 130, ALL);
	assert_allowed(f, 231, 200, 0);
	f->rules[0].index = 2; /* which it may be or not */
	compiled(f);
	assert_allowed(f, 226, 130, 0);
	f->rules[0].index = RF_ACCELERATOR_ANY;
	f->rules[0].class = RF_ACCELERATOR_AMD; /* whose it may be or not */
	compiled(f);
	assert_allowed(f, 226, 130, 0);
	f->rules[0].class = RF_ACCELERATOR_CLASS_COUNT;
	f->rules[0].pci = "0000:66:00.0";
	compiled(f);
	assert_allowed(f, 226, 130, 0);
	f->rules[0].pci = NULL;
	f->rules[0].gpu_instance = 3;
	compiled(f);
	assert_allowed(f, 240, 30, 0);
	fixture_free(f);
}

static void a_device_that_just_came_is_denied_by_a_rule_that_may_mean_it(void **state)
{
	struct fixture *f = fixture_new(ALLOW, 1);

	(void)state;
	f->rules[0].action = DENY;
	f->rules[0].pci = "0000:66:00.0";
	compiled(f);
	assert_allowed(f, 226, 130, 0);
	assert_allowed(f, 226, 129, ALL);
	f->rules[0].pci = NULL;
	f->rules[0].class = RF_ACCELERATOR_AMD;
	compiled(f);
	assert_allowed(f, 226, 130, 0); /* a GPU, and perhaps AMD's */
	assert_allowed(f, 261, 0, 0);
	assert_allowed(f, 195, 2, ALL); /* certainly not */
	assert_allowed(f, 231, 200, ALL);
	f->rules[0].class = RF_ACCELERATOR_DRM;
	compiled(f);
	assert_allowed(f, 195, 2, 0); /* NVIDIA's, which may have a node of drm */
	assert_allowed(f, 231, 200, ALL);
	f->rules[0].class = RF_ACCELERATOR_INFINIBAND;
	compiled(f);
	assert_allowed(f, 231, 200, 0);
	assert_allowed(f, 226, 130, ALL);
	fixture_free(f);
}

static void assert_idle(const struct rf_accelerator_rule *rule, const char *expected)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	assert_int_equal(rf_accelerator_rule_is_idle(rule, &host_accelerators, &text), expected != NULL);
	assert_string_equal(rf_strbuf_str(&text), expected ? expected : "");
}

static void a_rule_that_matches_no_device_says_what_it_is_about(void **state)
{
	static const struct rf_accelerators none;
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	struct fixture *f = fixture_new(DENY, 1);
	struct rf_accelerator_rule *rule = &f->rules[0];

	(void)state;
	assert_idle(rule, NULL);
	assert_true(rf_accelerator_rule_is_idle(rule, &none, &text));
	assert_string_equal(rf_strbuf_str(&text), "any");
	rule->class = RF_ACCELERATOR_NVIDIA;
	rule->index = 1;
	assert_idle(rule, NULL);
	rule->index = 2;
	assert_idle(rule, "class nvidia, index 2");
	rule->index = RF_ACCELERATOR_ANY;
	rule->gpu_instance = 2;
	rule->compute_instance = 0;
	assert_idle(rule, NULL);
	rule->compute_instance = 1;
	assert_idle(rule, "class nvidia, mig 2/1");
	rule->gpu_instance = rule->compute_instance = RF_MIG_NONE;
	rule->uuid = "GPU-a";
	assert_idle(rule, NULL);
	rule->pci = "0000:03:00.0"; /* another's */
	assert_idle(rule, "class nvidia, pci 0000:03:00.0, uuid GPU-a");
	/* A node that all of the class share is no device. */
	rule->pci = rule->uuid = NULL;
	rule->class = RF_ACCELERATOR_HABANALABS;
	assert_idle(rule, "class habanalabs");
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_that_gives_nothing_matches_every_accelerator),
		cmocka_unit_test(what_is_no_accelerator_is_left_alone),
		cmocka_unit_test(without_accelerators_the_rules_have_nothing_to_say),
		cmocka_unit_test(the_default_decides_what_no_rule_names),
		cmocka_unit_test(a_class_is_all_of_its_devices_and_all_their_nodes),
		cmocka_unit_test(an_index_is_the_number_in_the_class),
		cmocka_unit_test(an_address_or_a_uuid_is_one_device),
		cmocka_unit_test(all_that_is_given_must_match),
		cmocka_unit_test(an_instance_that_is_allowed_comes_with_its_gpu_and_with_nothing_else),
		cmocka_unit_test(a_gpu_that_has_no_such_instance_is_not_matched),
		cmocka_unit_test(an_instance_that_is_denied_does_not_take_its_gpu_along),
		cmocka_unit_test(to_allow_an_operation_is_to_allow_opening),
		cmocka_unit_test(to_deny_an_operation_is_not_to_deny_opening),
		cmocka_unit_test(the_first_rule_that_matches_decides_each_operation),
		cmocka_unit_test(what_devices_share_is_for_whoever_may_use_one),
		cmocka_unit_test(what_is_shared_by_none_is_for_whoever_may_use_all_of_the_class),
		cmocka_unit_test(a_device_that_just_came_needs_a_rule_for_all_it_may_be),
		cmocka_unit_test(a_device_that_just_came_is_denied_by_a_rule_that_may_mean_it),
		cmocka_unit_test(a_rule_that_matches_no_device_says_what_it_is_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
