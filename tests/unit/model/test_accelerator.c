// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking a node up, and telling two inventories apart: what makes the daemon compile everything again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "user/lib/util.h"
#include "user/model/accelerator.h"

#define BIT(class) (1u << RF_ACCELERATOR_##class)
#define ANY	   RF_DEVICE_ANY

/* By major and minor, as the scan leaves them; several of a major, so that every turn of the search is taken. */
static struct rf_accelerator_node nodes[] = {
	{ .major = 195, .minor = 0, .part = RF_PART_DEVICE },	{ .major = 195, .minor = 1, .part = RF_PART_DEVICE },
	{ .major = 195, .minor = 255, .part = RF_PART_SHARED }, { .major = 195, .minor = ANY, .part = RF_PART_UNKNOWN },
	{ .major = 226, .minor = 128, .part = RF_PART_DEVICE }, { .major = 226, .minor = ANY, .part = RF_PART_UNKNOWN },
	{ .major = 240, .minor = 0, .part = RF_PART_SHARED },
};

static const struct rf_accelerators sorted = { .nodes = nodes, .n_nodes = ARRAY_SIZE(nodes) };

static void every_node_is_found_by_its_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		assert_ptr_equal(rf_accelerators_find(&sorted, nodes[i].major, nodes[i].minor), &nodes[i]);
}

static void a_minor_that_is_not_listed_has_its_majors_node(void **state)
{
	(void)state;
	assert_ptr_equal(rf_accelerators_find(&sorted, 195, 2), &nodes[3]);
	assert_ptr_equal(rf_accelerators_find(&sorted, 195, 254), &nodes[3]);
	assert_ptr_equal(rf_accelerators_find(&sorted, 226, 0), &nodes[5]);
	assert_ptr_equal(rf_accelerators_find(&sorted, 226, 0xfffff), &nodes[5]);
}

static void any_minor_is_the_majors_node_and_not_the_first_listed(void **state)
{
	(void)state;
	assert_ptr_equal(rf_accelerators_find(&sorted, 195, ANY), &nodes[3]);
	assert_null(rf_accelerators_find(&sorted, 240, ANY));
}

static void what_is_not_there_is_no_accelerators(void **state)
{
	static const struct rf_accelerators none;

	(void)state;
	assert_null(rf_accelerators_find(&sorted, 1, 3));
	assert_null(rf_accelerators_find(&sorted, 196, 0));
	assert_null(rf_accelerators_find(&sorted, 240, 1));
	assert_null(rf_accelerators_find(&sorted, 511, 0));
	assert_null(rf_accelerators_find(&sorted, ANY, ANY));
	assert_null(rf_accelerators_find(&none, 195, 0));
	assert_null(rf_accelerators_find(NULL, 195, 0));
}

/* One of each, on the heap as the scan's are. */
static void sample(struct rf_accelerators *ret)
{
	*ret = (struct rf_accelerators){ .devices = calloc(1, sizeof(*ret->devices)),
					 .nodes = calloc(1, sizeof(*ret->nodes)),
					 .n_devices = 1,
					 .n_nodes = 1 };
	assert_non_null(ret->devices);
	assert_non_null(ret->nodes);
	ret->devices[0] = (struct rf_accelerator){ .name = strdup("nvidia0"),
						   .driver = strdup("nvidia"),
						   .parent = strdup("0000:01:00.0"),
						   .uuid = strdup("GPU-a"),
						   .classes = BIT(NVIDIA) | BIT(DRM) };
	ret->nodes[0] = (struct rf_accelerator_node){ .major = 195,
						      .classes = BIT(NVIDIA),
						      .gpu_instance = RF_MIG_NONE,
						      .compute_instance = RF_MIG_NONE,
						      .interface = RF_INTERFACE_NVIDIA };
}

static void string_change(char **s)
{
	free(*s);
	*s = strdup("other");
}

static void uuid_drop(struct rf_accelerators *a)
{
	free(a->devices[0].uuid);
	a->devices[0].uuid = NULL;
}

static void name_change(struct rf_accelerators *a)
{
	string_change(&a->devices[0].name);
}

static void driver_change(struct rf_accelerators *a)
{
	string_change(&a->devices[0].driver);
}

static void parent_change(struct rf_accelerators *a)
{
	string_change(&a->devices[0].parent);
}

static void uuid_change(struct rf_accelerators *a)
{
	string_change(&a->devices[0].uuid);
}

static void classes_change(struct rf_accelerators *a)
{
	a->devices[0].classes ^= BIT(DRM);
}

static void index_change(struct rf_accelerators *a)
{
	a->devices[0].index[RF_ACCELERATOR_INFINIBAND]++;
}

static void device_drop(struct rf_accelerators *a)
{
	free(a->devices[0].name);
	free(a->devices[0].driver);
	free(a->devices[0].parent);
	free(a->devices[0].uuid);
	a->n_devices = 0;
}

static void node_drop(struct rf_accelerators *a)
{
	a->n_nodes = 0;
}

static void major_change(struct rf_accelerators *a)
{
	a->nodes[0].major++;
}

static void minor_change(struct rf_accelerators *a)
{
	a->nodes[0].minor++;
}

static void part_change(struct rf_accelerators *a)
{
	a->nodes[0].part = RF_PART_SHARED;
}

static void device_change(struct rf_accelerators *a)
{
	a->nodes[0].device = RF_ACCELERATOR_NONE;
}

static void node_classes_change(struct rf_accelerators *a)
{
	a->nodes[0].classes |= BIT(DRM);
}

static void gpu_instance_change(struct rf_accelerators *a)
{
	a->nodes[0].gpu_instance = 0;
}

static void compute_instance_change(struct rf_accelerators *a)
{
	a->nodes[0].compute_instance = 0;
}

static void interface_change(struct rf_accelerators *a)
{
	a->nodes[0].interface = RF_INTERFACE_DRM;
}

static void whatever_differs_is_noticed(void **state)
{
	static const struct {
		const char *what;
		void (*change)(struct rf_accelerators *a);
	} rows[] = {
		{ "name", name_change },
		{ "driver", driver_change },
		{ "parent", parent_change },
		{ "uuid", uuid_change },
		{ "no uuid", uuid_drop },
		{ "classes", classes_change },
		{ "index", index_change },
		{ "no device", device_drop },
		{ "no node", node_drop },
		{ "major", major_change },
		{ "minor", minor_change },
		{ "part", part_change },
		{ "device of a node", device_change },
		{ "classes of a node", node_classes_change },
		{ "GPU instance", gpu_instance_change },
		{ "compute instance", compute_instance_change },
		{ "interface", interface_change },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rf_accelerators a, b;

		sample(&a);
		sample(&b);
		assert_true(rf_accelerators_equal(&a, &b));
		rows[i].change(&b);
		if (rf_accelerators_equal(&a, &b) || rf_accelerators_equal(&b, &a))
			fail_msg("another %s is not noticed", rows[i].what);
		rf_accelerators_fini(&a);
		rf_accelerators_fini(&b);
	}
}

static void devices_without_a_uuid_are_equal(void **state)
{
	struct rf_accelerators a, b;

	(void)state;
	sample(&a);
	sample(&b);
	uuid_drop(&a);
	uuid_drop(&b);
	assert_true(rf_accelerators_equal(&a, &b));
	rf_accelerators_fini(&a);
	rf_accelerators_fini(&b);
}

static void what_is_finished_is_empty_and_may_be_finished_again(void **state)
{
	static const struct rf_accelerators none;
	struct rf_accelerators a = { 0 };

	(void)state;
	rf_accelerators_fini(&a);
	assert_true(rf_accelerators_equal(&a, &none));
	sample(&a);
	rf_accelerators_fini(&a);
	assert_memory_equal(&a, &none, sizeof(a));
	rf_accelerators_fini(&a);
}

static void every_class_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < RF_ACCELERATOR_CLASS_COUNT; i++)
		assert_non_null(rf_accelerator_class_names[i]);
	assert_null(rf_accelerator_class_names[RF_ACCELERATOR_CLASS_COUNT]);
	assert_string_equal(rf_accelerator_class_names[RF_ACCELERATOR_INFINIBAND], "infiniband");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_node_is_found_by_its_numbers),
		cmocka_unit_test(a_minor_that_is_not_listed_has_its_majors_node),
		cmocka_unit_test(any_minor_is_the_majors_node_and_not_the_first_listed),
		cmocka_unit_test(what_is_not_there_is_no_accelerators),
		cmocka_unit_test(whatever_differs_is_noticed),
		cmocka_unit_test(devices_without_a_uuid_are_equal),
		cmocka_unit_test(what_is_finished_is_empty_and_may_be_finished_again),
		cmocka_unit_test(every_class_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
