// SPDX-License-Identifier: GPL-2.0-or-later
/* Accelerator rules with those of devices and of other policies: who decides, who is named, and where it ends. */
#include "tests/unit/policy/accelerator_host.h"

static void entries_of_accelerators_and_no_others_say_so(void **state)
{
	struct fixture *f = fixture_new(ALLOW, 0);

	(void)state;
	policy_devices(&f->arena, f->policies[0], ALLOW, 50, 1)->rules[0].major = 1;
	f->policies[0]->devices.rules[0].access = RF_DEVICE_READ;
	f->policies[0]->devices.rules[0].action = DENY;
	compiled(f);
	assert_true(f->image->accelerators);
	for (uint32_t i = 0; i < f->image->n_entries; i++) {
		const struct rf_device_entry *e = &f->image->entries[i];
		bool is = e->type == CHAR && rf_accelerators_find(&host_accelerators, e->major, e->minor);

		assert_int_equal(!!(e->allow & RF_DEVICE_ACCELERATOR), is);
	}
	fixture_free(f);
}

static void the_section_of_devices_alone_speaks_of_no_ioctl(void **state)
{
	struct fixture *f = fixture_new(DENY, 0);

	(void)state;
	f->policies[0]->accelerators.present = false;
	policy_devices(&f->arena, f->policies[0], DENY, 50, 0);
	compiled(f);
	assert_false(f->image->accelerators);
	assert_int_equal(f->image->n_entries, 2);
	for (uint32_t i = 0; i < f->image->n_entries; i++)
		assert_int_equal(f->image->entries[i].allow, RF_DEVICE_IOCTLS);
	assert_allowed(f, 195, 0, RF_DEVICE_IOCTLS);
	fixture_free(f);
}

static void both_sections_must_allow(void **state)
{
	struct fixture *f = fixture_new(DENY, 1);
	struct rf_device_rule *device;

	(void)state;
	f->rules[0].class = RF_ACCELERATOR_NVIDIA;
	device = policy_devices(&f->arena, f->policies[0], DENY, 50, 1)->rules;
	device->major = 195;
	device->minor = ANY;
	device->access = RF_DEVICE_READ | RF_DEVICE_WRITE;
	compiled(f);
	assert_allowed(f, 195, 0, RF_DEVICE_READ | RF_DEVICE_WRITE | RF_DEVICE_IOCTLS);
	assert_allowed(f, 226, 128, RF_DEVICE_IOCTLS); /* accelerators would, devices do not */
	assert_allowed(f, 226, 129, 0);
	assert_allowed(f, 1, 3, RF_DEVICE_IOCTLS);
	assert_decided(f, 195, 0, RF_DEVICE_READ, "t/ns/gpu", "d0", 51);
	assert_decided(f, 195, 0, RF_DEVICE_MKNOD, "t/ns/gpu", "default", 50);
	assert_decided(f, 195, 0, RF_DEVICE_SUBMIT, "t/ns/gpu", "a0", 21);
	assert_decided(f, 226, 129, RF_DEVICE_READ, "t/ns/gpu", "default", 50);
	assert_decided(f, 226, 129, RF_DEVICE_SUBMIT, "t/ns/gpu", "default", 20);
	f->policies[0]->devices.default_action = ALLOW;
	compiled(f);
	assert_decided(f, 226, 129, RF_DEVICE_READ, "t/ns/gpu", "default", 20);
	fixture_free(f);
}

static void of_two_policies_the_rules_are_one_list_and_the_default_that_denies_wins(void **state)
{
	struct fixture *f = fixture_new(ALLOW, 1);
	struct rf_accelerator_rule *second;

	(void)state;
	f->policies[f->n++] = policy_new(&f->arena, "late", RF_MODE_ENFORCE);
	second = policy_accelerators(&f->arena, f->policies[1], DENY, 70, 2);
	f->rules[0].class = RF_ACCELERATOR_AMD;
	second[0].action = DENY;
	second[0].class = RF_ACCELERATOR_DRM;
	second[1].class = RF_ACCELERATOR_NVIDIA;
	policy_devices(&f->arena, f->policies[1], ALLOW, 90, 1)->rules[0].major = 1;
	f->policies[1]->devices.rules[0].access = RF_DEVICE_READ;
	f->policies[1]->devices.rules[0].action = DENY;
	compiled(f);
	assert_int_equal(f->image->n_rules, 4);
	assert_allowed(f, 226, 129, ALL);
	assert_allowed(f, 195, 0, 0);
	assert_allowed(f, 195, 1, ALL);
	assert_allowed(f, 231, 192, 0);
	assert_decided(f, 226, 129, RF_DEVICE_SUBMIT, "t/ns/gpu", "a0", 21);
	assert_decided(f, 195, 0, RF_DEVICE_READ, "t/ns/late", "a0", 71);
	assert_decided(f, 195, 1, RF_DEVICE_SUBMIT, "t/ns/late", "a1", 72);
	assert_decided(f, 231, 192, RF_DEVICE_READ, "t/ns/late", "default", 70);
	assert_decided(f, 1, 0, RF_DEVICE_READ, "t/ns/late", "d0", 91);
	assert_decided(f, 1, 0, RF_DEVICE_WRITE, "t/ns/late", "default", 90);
	fixture_free(f);
}

static void a_policy_in_audit_is_in_its_tier_alone(void **state)
{
	struct fixture *f = fixture_new(DENY, 1);

	(void)state;
	f->rules[0].class = RF_ACCELERATOR_AMD;
	assert_int_equal(compile_tier(f, RF_TIER_AUDIT, &host_accelerators), 0);
	assert_null(f->image); /* says what the enforced one does */
	f->policies[0]->mode = RF_MODE_AUDIT;
	assert_int_equal(compile_tier(f, RF_TIER_ENFORCE, &host_accelerators), 0);
	assert_null(f->image);
	assert_allowed(f, 195, 0, ALL);
	assert_int_equal(compile_tier(f, RF_TIER_AUDIT, &host_accelerators), 0);
	assert_allowed(f, 195, 0, 0);
	assert_allowed(f, 226, 129, ALL);
	assert_int_equal(f->image->refs[0].mode, RF_MODE_AUDIT);
	fixture_free(f);
}

static void the_last_rule_of_the_limit_decides_and_one_more_is_refused(void **state)
{
	struct fixture *f = fixture_new(DENY, RF_MAX_DEVICE_RULES + 1);

	(void)state;
	for (size_t i = 0; i < RF_MAX_DEVICE_RULES - 1; i++)
		f->rules[i].pci = "0000:ff:00.0";
	f->policies[0]->accelerators.n_rules--;
	compiled(f);
	assert_decided(f, 195, 0, RF_DEVICE_READ, "t/ns/gpu", "a255", 20 + RF_MAX_DEVICE_RULES);
	/* Those of devices have a limit of their own. */
	policy_devices(&f->arena, f->policies[0], ALLOW, 1000, RF_MAX_DEVICE_RULES);
	compiled(f);
	assert_int_equal(f->image->n_rules, 2 * RF_MAX_DEVICE_RULES);
	assert_decided(f, 195, 0, RF_DEVICE_SUBMIT, "t/ns/gpu", "a255", 20 + RF_MAX_DEVICE_RULES);
	f->policies[0]->accelerators.n_rules++;
	assert_int_equal(compile_tier(f, RF_TIER_ENFORCE, &host_accelerators), -E2BIG);
	assert_null(f->image);
	assert_int_equal(f->diags.n_errors, 1);
	assert_int_equal(f->diags.list[0].mark.line, 20 + RF_MAX_DEVICE_RULES + 1);
	assert_non_null(strstr(f->diags.list[0].message, "limit of 256 accelerator rules"));
	fixture_free(f);
}

static void other_devices_are_another_image(void **state)
{
	struct fixture *f = fixture_new(DENY, 1), *g = fixture_new(DENY, 1);
	struct rf_accelerators fewer = host_accelerators;

	(void)state;
	f->rules[0].class = g->rules[0].class = RF_ACCELERATOR_NVIDIA;
	compiled(f);
	compiled(g);
	assert_true(rf_device_image_equal(f->image, g->image));
	fewer.n_nodes--;
	assert_int_equal(compile_tier(g, RF_TIER_ENFORCE, &fewer), 0);
	assert_false(rf_device_image_equal(f->image, g->image));
	fixture_free(f);
	fixture_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_of_accelerators_and_no_others_say_so),
		cmocka_unit_test(the_section_of_devices_alone_speaks_of_no_ioctl),
		cmocka_unit_test(both_sections_must_allow),
		cmocka_unit_test(of_two_policies_the_rules_are_one_list_and_the_default_that_denies_wins),
		cmocka_unit_test(a_policy_in_audit_is_in_its_tier_alone),
		cmocka_unit_test(the_last_rule_of_the_limit_decides_and_one_more_is_refused),
		cmocka_unit_test(other_devices_are_another_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
