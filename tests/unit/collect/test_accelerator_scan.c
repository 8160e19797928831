// SPDX-License-Identifier: GPL-2.0-or-later
/* Accelerators of made up hosts, NVIDIA's aside: what is found, how it is numbered, and what is none. */
#include "tests/unit/collect/accelerator_tree.h"

static void a_host_without_any_has_none(void **state)
{
	struct host *h = *state;

	look(h);
	assert_int_equal(h->found.n_devices + h->found.n_nodes, 0);
	put(h, "sys/class/net/x", "");
	put(h, "proc/devices", "Character devices:\n  1 mem\n 10 misc\n\nBlock devices:\n  8 sd\n");
	look(h);
	assert_int_equal(h->found.n_devices + h->found.n_nodes, 0);
}

static void the_two_nodes_of_a_gpu_are_one_device_and_kfd_is_shared(void **state)
{
	struct host *h = *state;
	const struct rf_accelerator *d;

	gpu(h, 0, "0000:03:00.0", "amdgpu");
	put(h, "sys/class/kfd/kfd/dev", "511:0\n");
	put(h, "proc/devices", "Character devices:\n226 drm\n511 kfd\n");
	look(h);
	assert_int_equal(h->found.n_devices, 1);
	assert_int_equal(h->found.n_nodes, 5);
	d = &h->found.devices[0];
	assert_string_equal(d->name, "dri/renderD128");
	assert_string_equal(d->driver, "amdgpu");
	assert_string_equal(d->parent, "0000:03:00.0");
	assert_null(d->uuid);
	assert_int_equal(d->classes, BIT(AMD) | BIT(DRM));
	assert_index(d, RF_ACCELERATOR_AMD, 0);
	assert_index(d, RF_ACCELERATOR_DRM, 0);
	assert_node(h, 226, 0, "0000:03:00.0", RF_INTERFACE_AMDGPU);
	assert_node(h, 226, 128, "0000:03:00.0", RF_INTERFACE_AMDGPU);
	assert_other_node(h, 226, ANY, RF_PART_UNKNOWN, BIT(DRM), RF_INTERFACE_DRM);
	assert_other_node(h, 511, 0, RF_PART_SHARED, BIT(AMD), RF_INTERFACE_KFD);
	assert_other_node(h, 511, ANY, RF_PART_SHARED, BIT(AMD), RF_INTERFACE_KFD);
}

static void the_order_of_addresses_numbers_what_the_kernel_does_not(void **state)
{
	struct host *h = *state;

	gpu(h, 0, "0000:65:00.0", "xe");
	gpu(h, 1, "0000:03:00.0", "i915");
	gpu(h, 2, "0000:04:00.0", "amdgpu");
	sys_node(h, "accel", "accel0", "261:0\n", "0000:00:0b.0", "intel_vpu");
	look(h);
	assert_int_equal(h->found.n_devices, 4);
	assert_index(device_of(h, "0000:00:0b.0"), RF_ACCELERATOR_INTEL, 0);
	assert_index(device_of(h, "0000:03:00.0"), RF_ACCELERATOR_INTEL, 1);
	assert_index(device_of(h, "0000:65:00.0"), RF_ACCELERATOR_INTEL, 2);
	assert_index(device_of(h, "0000:65:00.0"), RF_ACCELERATOR_DRM, 0);
	assert_index(device_of(h, "0000:03:00.0"), RF_ACCELERATOR_DRM, 1);
	assert_index(device_of(h, "0000:04:00.0"), RF_ACCELERATOR_AMD, 0);
	assert_index(device_of(h, "0000:00:0b.0"), RF_ACCELERATOR_ACCEL, 0);
	/* Found in the order of names, sorted by address: each node is still its device's. */
	assert_node(h, 226, 128, "0000:65:00.0", RF_INTERFACE_XE);
	assert_node(h, 226, 1, "0000:03:00.0", RF_INTERFACE_I915);
	assert_node(h, 226, 130, "0000:04:00.0", RF_INTERFACE_AMDGPU);
	assert_node(h, 261, 0, "0000:00:0b.0", RF_INTERFACE_IVPU);
}

static void a_device_has_a_number_only_in_classes_that_give_it_one(void **state)
{
	struct host *h = *state;

	/* A display without a render node, and GPUs of NVIDIA's without its driver. */
	sys_node(h, "drm", "card0", "226:0\n", "0000:02:00.0", "ast");
	gpu(h, 1, "0000:17:00.0", "nouveau");
	gpu(h, 2, "0000:65:00.0", "nouveau");
	look(h);
	assert_int_equal(h->found.n_devices, 3);
	assert_index(device_of(h, "0000:02:00.0"), RF_ACCELERATOR_DRM, NONE);
	assert_index(device_of(h, "0000:17:00.0"), RF_ACCELERATOR_DRM, 1);
	assert_index(device_of(h, "0000:17:00.0"), RF_ACCELERATOR_NVIDIA, NONE);
	assert_index(device_of(h, "0000:65:00.0"), RF_ACCELERATOR_NVIDIA, NONE);
	assert_index(device_of(h, "0000:65:00.0"), RF_ACCELERATOR_INFINIBAND, NONE);
}

static void habanalabs_are_found_before_and_after_they_moved_to_accel(void **state)
{
	struct host *h = *state;
	const struct rf_accelerator *d;

	sys_node(h, "habanalabs", "hl0", "236:0\n", "0000:33:00.0", "habanalabs");
	sys_node(h, "habanalabs", "hl_controlD0", "236:1\n", "0000:33:00.0", "habanalabs");
	put(h, "proc/devices", "Character devices:\n236 habanalabs\n261 accel\n");
	sys_node(h, "accel", "accel1", "261:1\n", "0000:34:00.0", "habanalabs");
	sys_node(h, "accel", "accel2", "261:2\n", "0000:35:00.0", "habanalabs");
	look(h);
	assert_int_equal(h->found.n_devices, 3);
	d = device_of(h, "0000:33:00.0");
	assert_string_equal(d->name, "hl0");
	assert_int_equal(d->classes, BIT(HABANALABS));
	assert_index(d, RF_ACCELERATOR_HABANALABS, 0);
	assert_node(h, 236, 0, "0000:33:00.0", RF_INTERFACE_HABANALABS_OLD);
	assert_int_equal(rf_accelerators_find(&h->found, 236, 1)->minor, ANY);
	assert_int_equal(rf_accelerators_find(&h->found, 236, 1)->interface, RF_INTERFACE_HABANALABS_OLD);
	d = device_of(h, "0000:34:00.0");
	assert_string_equal(d->name, "accel/accel1");
	assert_int_equal(d->classes, BIT(HABANALABS) | BIT(ACCEL));
	assert_index(d, RF_ACCELERATOR_ACCEL, 1);
	assert_index(d, RF_ACCELERATOR_HABANALABS, 1);
	assert_index(device_of(h, "0000:35:00.0"), RF_ACCELERATOR_HABANALABS, 2);
	assert_node(h, 261, 1, "0000:34:00.0", RF_INTERFACE_HABANALABS);
	assert_other_node(h, 261, ANY, RF_PART_UNKNOWN, BIT(ACCEL), RF_INTERFACE_DRM);
}

static void verbs_have_the_number_of_their_node(void **state)
{
	struct host *h = *state;
	const struct rf_accelerator *d;

	sys_node(h, "infiniband_verbs", "uverbs3", "231:195\n", "0000:98:00.0", "mlx5_core");
	put(h, "sys/class/infiniband_verbs/abi_version", "6\n");
	put(h, "proc/devices", "Character devices:\n231 infiniband_verbs\n");
	look(h);
	assert_int_equal(h->found.n_devices, 1);
	d = &h->found.devices[0];
	assert_string_equal(d->name, "infiniband/uverbs3");
	assert_int_equal(d->classes, BIT(INFINIBAND));
	assert_index(d, RF_ACCELERATOR_INFINIBAND, 3);
	assert_node(h, 231, 195, "0000:98:00.0", RF_INTERFACE_INFINIBAND);
	assert_other_node(h, 231, ANY, RF_PART_UNKNOWN, BIT(INFINIBAND), RF_INTERFACE_INFINIBAND);
}

static void what_is_a_device_of_nothing_is_known_by_its_own_name(void **state)
{
	struct host *h = *state;

	put(h, "sys/class/infiniband_verbs/uverbs0/dev", "231:192\n");
	put(h, "sys/class/infiniband_verbs/uverbs1/dev", "231:193\n");
	look(h);
	assert_int_equal(h->found.n_devices, 2);
	assert_node(h, 231, 192, "uverbs0", RF_INTERFACE_INFINIBAND);
	assert_node(h, 231, 193, "uverbs1", RF_INTERFACE_INFINIBAND);
	assert_string_equal(h->found.devices[0].driver, "");
}

static void connectors_and_other_names_are_no_nodes(void **state)
{
	struct host *h = *state;

	gpu(h, 0, "0000:03:00.0", "amdgpu");
	sys_node(h, "drm", "card0-DP-1", "226:1\n", "0000:04:00.0", "amdgpu");
	sys_node(h, "drm", "controlD64", "226:64\n", "0000:05:00.0", "amdgpu");
	sys_node(h, "drm", "renderD", "226:200\n", "0000:06:00.0", "amdgpu");
	put(h, "sys/class/drm/version", "drm 1.1.0 20060810\n");
	look(h);
	assert_int_equal(h->found.n_devices, 1);
	assert_int_equal(h->found.n_nodes, 2);
}

static void a_block_device_of_the_same_name_is_none(void **state)
{
	struct host *h = *state;

	put(h, "proc/devices", "Character devices:\n  1 mem\n\nBlock devices:\n226 drm\n195 nvidia\n");
	look(h);
	assert_int_equal(h->found.n_nodes, 0);
	put(h, "proc/devices", "Character devices:\n226 drm\n\nBlock devices:\n195 nvidia\n");
	look(h);
	assert_int_equal(h->found.n_nodes, 1);
}

static void what_cannot_be_read_is_not_there(void **state)
{
	struct host *h = *state;

	sys_node(h, "drm", "renderD128", NULL, "0000:03:00.0", "amdgpu");
	sys_node(h, "drm", "renderD129", "", "0000:04:00.0", "amdgpu");
	sys_node(h, "drm", "renderD130", "226\n", "0000:05:00.0", "amdgpu");
	sys_node(h, "accel", "accel0", "x:y\n", "0000:06:00.0", "intel_vpu");
	put(h, "sys/class/kfd/kfd/dev", ":\n");
	put(h, "proc/driver/nvidia/gpus/0000:17:00.0/information", "");
	put(h, "proc/driver/nvidia/gpus/0000:18:00.0/information", "Device Minor");
	put(h, "proc/driver/nvidia/gpus/0000:19:00.0/information", "Device Minor: \t none\n");
	put(h, "proc/driver/nvidia/gpus/0000:1a:00.0/power", "Runtime D3 status: Disabled\n");
	put(h, "proc/driver/nvidia/capabilities/gpu0/mig/gi1/access", "");
	put(h, "proc/devices", "Character devices:\nnvidia 195\ndrm\n\n 226\n");
	look(h);
	assert_int_equal(h->found.n_devices, 0);
	assert_int_equal(h->found.n_nodes, 0);
	/* And none of it hides what can be. */
	gpu(h, 3, "0000:07:00.0", "amdgpu");
	nvidia_gpu(h, "0000:1b:00.0", 0, "GPU-a");
	put(h, "proc/devices", "Character devices:\ngarbage\n240 nvidia-caps\n");
	look(h);
	assert_int_equal(h->found.n_devices, 2);
	assert_int_equal(h->found.n_nodes, 4);
}

static void a_second_look_at_the_same_host_sees_the_same(void **state)
{
	struct host *h = *state;
	struct rf_accelerators again;

	gpu(h, 0, "0000:65:00.0", "nvidia");
	gpu(h, 1, "0000:03:00.0", "amdgpu");
	nvidia_gpu(h, "0000:65:00.0", 0, "GPU-b");
	put(h, "proc/devices", "Character devices:\n195 nvidia\n226 drm\n");
	look(h);
	assert_int_equal(rf_accelerators_scan(h->sys, h->proc, &again), 0);
	assert_true(rf_accelerators_equal(&h->found, &again));
	rf_accelerators_fini(&again);
	gpu(h, 2, "0000:04:00.0", "amdgpu");
	assert_int_equal(rf_accelerators_scan(h->sys, h->proc, &again), 0);
	assert_false(rf_accelerators_equal(&h->found, &again));
	rf_accelerators_fini(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_host_without_any_has_none),
		TEST(the_two_nodes_of_a_gpu_are_one_device_and_kfd_is_shared),
		TEST(the_order_of_addresses_numbers_what_the_kernel_does_not),
		TEST(a_device_has_a_number_only_in_classes_that_give_it_one),
		TEST(habanalabs_are_found_before_and_after_they_moved_to_accel),
		TEST(verbs_have_the_number_of_their_node),
		TEST(what_is_a_device_of_nothing_is_known_by_its_own_name),
		TEST(connectors_and_other_names_are_no_nodes),
		TEST(a_block_device_of_the_same_name_is_none),
		TEST(what_cannot_be_read_is_not_there),
		TEST(a_second_look_at_the_same_host_sees_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
