// SPDX-License-Identifier: GPL-2.0-or-later
/* GPUs as NVIDIA's driver tells of them in procfs: with majors of their own, and instances. */
#include "tests/unit/collect/accelerator_tree.h"

static void nvidias_gpu_is_one_device_with_and_without_a_node_of_drm(void **state)
{
	struct host *h = *state;
	const struct rf_accelerator *with, *without;

	gpu(h, 0, "0000:65:00.0", "nvidia");
	nvidia_gpu(h, "0000:65:00.0", 1, "GPU-b");
	nvidia_gpu(h, "0000:17:00.0", 0, "GPU-a");
	put(h, "proc/devices", "Character devices:\n195 nvidia\n195 nvidiactl\n226 drm\n");
	look(h);
	assert_int_equal(h->found.n_devices, 2);
	with = device_of(h, "0000:65:00.0");
	without = device_of(h, "0000:17:00.0");
	assert_string_equal(with->name, "nvidia1");
	assert_string_equal(with->uuid, "GPU-b");
	assert_string_equal(with->driver, "nvidia");
	assert_int_equal(with->classes, BIT(NVIDIA) | BIT(DRM));
	assert_index(with, RF_ACCELERATOR_NVIDIA, 1);
	assert_index(with, RF_ACCELERATOR_DRM, 0);
	assert_string_equal(without->name, "nvidia0");
	assert_string_equal(without->uuid, "GPU-a");
	assert_int_equal(without->classes, BIT(NVIDIA));
	assert_index(without, RF_ACCELERATOR_NVIDIA, 0);
	assert_index(without, RF_ACCELERATOR_DRM, NONE);
	assert_node(h, 195, 1, "0000:65:00.0", RF_INTERFACE_NVIDIA);
	assert_node(h, 226, 128, "0000:65:00.0", RF_INTERFACE_DRM);
	assert_node(h, 195, 0, "0000:17:00.0", RF_INTERFACE_NVIDIA);
	assert_other_node(h, 195, 254, RF_PART_SHARED, BIT(NVIDIA), RF_INTERFACE_NVIDIA);
	assert_other_node(h, 195, 255, RF_PART_SHARED, BIT(NVIDIA), RF_INTERFACE_NVIDIA);
	assert_other_node(h, 195, ANY, RF_PART_UNKNOWN, BIT(NVIDIA), RF_INTERFACE_NVIDIA);
}

static void what_nvidias_gpus_share_is_found_by_the_majors_of_today(void **state)
{
	struct host *h = *state;

	nvidia_gpu(h, "0000:17:00.0", 0, "GPU-a");
	put(h, "proc/devices",
	    "Character devices:\n195 nvidia-frontend\n234 nvidia-caps-imex-channels\n235 nvidia-caps\n"
	    "236 nvidia-nvswitch\n237 nvidia-nvlink\n509 nvidia-uvm\n\nBlock devices:\n");
	look(h);
	assert_other_node(h, 195, 255, RF_PART_SHARED, BIT(NVIDIA), RF_INTERFACE_NVIDIA);
	assert_other_node(h, 234, ANY, RF_PART_SHARED, BIT(NVIDIA), RF_INTERFACE_UNKNOWN);
	assert_other_node(h, 235, ANY, RF_PART_UNKNOWN, BIT(NVIDIA), RF_INTERFACE_UNKNOWN);
	assert_other_node(h, 236, ANY, RF_PART_SHARED, BIT(NVIDIA), RF_INTERFACE_UNKNOWN);
	assert_other_node(h, 237, ANY, RF_PART_SHARED, BIT(NVIDIA), RF_INTERFACE_UNKNOWN);
	assert_other_node(h, 509, ANY, RF_PART_SHARED, BIT(NVIDIA), RF_INTERFACE_NVIDIA_UVM);
	put(h, "proc/devices", "Character devices:\n195 nvidia\n511 nvidia-uvm\n");
	look(h);
	assert_other_node(h, 511, ANY, RF_PART_SHARED, BIT(NVIDIA), RF_INTERFACE_NVIDIA_UVM);
	assert_null(rf_accelerators_find(&h->found, 509, 0));
}

static void an_instance_of_mig_has_its_gpu_and_its_numbers(void **state)
{
	static const struct {
		uint32_t minor;
		const char *parent;
		int32_t gi, ci;
	} rows[] = {
		{ 12, "0000:17:00.0", 1, RF_MIG_NONE },	  { 13, "0000:17:00.0", 1, 0 },	  { 14, "0000:17:00.0", 1, 11 },
		{ 156, "0000:65:00.0", 10, RF_MIG_NONE }, { 157, "0000:65:00.0", 10, 0 },
	};
	struct host *h = *state;

	nvidia_gpu(h, "0000:65:00.0", 1, "GPU-b");
	nvidia_gpu(h, "0000:17:00.0", 0, "GPU-a");
	put(h, "proc/devices", "Character devices:\n195 nvidia\n240 nvidia-caps\n");
	capability(h, "mig/config", 1);
	capability(h, "mig/monitor", 2);
	capability(h, "gpu0/mig/gi1", 12);
	capability(h, "gpu0/mig/gi1/ci0", 13);
	capability(h, "gpu0/mig/gi1/ci11", 14);
	capability(h, "gpu1/mig/gi10", 156);
	capability(h, "gpu1/mig/gi10/ci0", 157);
	capability(h, "gpu7/mig/gi1", 200); /* of no GPU */
	look(h);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_node(h, 240, rows[i].minor, rows[i].parent, RF_INTERFACE_UNKNOWN);
		assert_int_equal(node_of(h, 240, rows[i].minor)->gpu_instance, rows[i].gi);
		assert_int_equal(node_of(h, 240, rows[i].minor)->compute_instance, rows[i].ci);
	}
	assert_other_node(h, 240, ANY, RF_PART_UNKNOWN, BIT(NVIDIA), RF_INTERFACE_UNKNOWN);
	assert_int_equal(rf_accelerators_find(&h->found, 240, 1)->minor, ANY);
	assert_int_equal(rf_accelerators_find(&h->found, 240, 200)->minor, ANY);
	assert_int_equal(node_of(h, 195, 0)->gpu_instance, RF_MIG_NONE);
	assert_int_equal(h->found.n_devices, 2);
}

static void a_gpu_whose_information_is_garbled_is_no_other_one(void **state)
{
	struct host *h = *state;

	gpu(h, 0, "0000:17:00.0", "nvidia");
	gpu(h, 1, "0000:65:00.0", "nvidia");
	nvidia_gpu(h, "0000:17:00.0", 0, "GPU-a");
	put(h, "proc/driver/nvidia/gpus/0000:65:00.0/information", "Device Minor:");
	look(h);
	assert_index(device_of(h, "0000:17:00.0"), RF_ACCELERATOR_NVIDIA, 0);
	assert_index(device_of(h, "0000:65:00.0"), RF_ACCELERATOR_NVIDIA, NONE);
	assert_string_equal(device_of(h, "0000:65:00.0")->name, "dri/renderD129");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nvidias_gpu_is_one_device_with_and_without_a_node_of_drm),
		TEST(what_nvidias_gpus_share_is_found_by_the_majors_of_today),
		TEST(an_instance_of_mig_has_its_gpu_and_its_numbers),
		TEST(a_gpu_whose_information_is_garbled_is_no_other_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
