// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes with compute queues, in a made up sysfs. */
#include "tests/unit/collect/accelerator_tree.h"
#include "user/collect/kfd.h"

#define KFD "sys/class/kfd/kfd/"

/* Two GPUs, told by their identifiers, and the node of a processor. */
static void topology(struct host *h)
{
	gpu(h, 0, "0000:03:00.0", "amdgpu");
	gpu(h, 1, "0000:83:00.0", "amdgpu");
	put(h, KFD "topology/nodes/0/gpu_id", "0\n");
	put(h, KFD "topology/nodes/0/properties", "cpu_cores_count 64\ndrm_render_minor 0\n");
	put(h, KFD "topology/nodes/1/gpu_id", "51234\n");
	put(h, KFD "topology/nodes/1/properties", "simd_count 416\nlocation_id 768\ndrm_render_minor 128\n");
	put(h, KFD "topology/nodes/2/gpu_id", "4099\n");
	put(h, KFD "topology/nodes/2/properties", "drm_render_minor 129\nunique_id 1\n");
}

static struct rf_kfd scan(struct host *h)
{
	struct rf_kfd k;

	look(h);
	assert_int_equal(rf_kfd_scan(h->sys, &h->found, &k), 0);
	return k;
}

static void a_process_is_told_of_each_gpu(void **state)
{
	struct host *h = *state;
	struct rf_kfd k;

	topology(h);
	put(h, KFD "proc/700/pasid", "32769\n");
	put(h, KFD "proc/700/vram_51234", "1073741824\n");
	put(h, KFD "proc/700/sdma_51234", "250000\n");
	put(h, KFD "proc/700/stats_51234/evicted_ms", "12\n");
	put(h, KFD "proc/700/stats_51234/cu_occupancy", "104\n");
	put(h, KFD "proc/700/vram_4099", "4096\n");
	put(h, KFD "proc/65/vram_4099", "8192\n");
	k = scan(h);
	assert_int_equal(k.n, 3);
	assert_int_equal(k.left_out, 0);
	assert_int_equal(k.uses[0].pid, 65);
	assert_string_equal(h->found.devices[k.uses[0].device].parent, "0000:83:00.0");
	assert_int_equal(k.uses[0].vram, 8192);
	assert_int_equal(k.uses[1].pid, 700);
	assert_string_equal(h->found.devices[k.uses[1].device].parent, "0000:03:00.0");
	assert_int_equal(k.uses[1].vram, 1073741824);
	assert_int_equal(k.uses[1].sdma_us, 250000);
	assert_int_equal(k.uses[1].evicted_ms, 12);
	assert_int_equal(k.uses[1].compute_units, 104);
	assert_int_equal(k.uses[2].vram, 4096);
	assert_int_equal(k.uses[2].sdma_us + k.uses[2].evicted_ms + k.uses[2].compute_units, 0);
	rf_kfd_fini(&k);
}

static void a_gpu_that_is_not_known_is_counted(void **state)
{
	struct host *h = *state;
	struct rf_kfd k;

	topology(h);
	put(h, KFD "proc/700/vram_1", "4096\n");
	put(h, KFD "proc/700/vram_x", "4096\n");
	put(h, KFD "proc/700/vram_51234x", "4096\n");
	k = scan(h);
	assert_int_equal(k.n, 0);
	assert_int_equal(k.left_out, 3);
	rf_kfd_fini(&k);
}

static void what_makes_no_sense_is_nothing(void **state)
{
	struct host *h = *state;
	struct rf_kfd k;

	topology(h);
	put(h, KFD "proc/0/vram_51234", "1\n");
	put(h, KFD "proc/-1/vram_51234", "1\n");
	put(h, KFD "proc/99999999999/vram_51234", "1\n");
	put(h, KFD "proc/self/vram_51234", "1\n");
	put(h, KFD "proc/7/vram_51234", "-1\n");
	put(h, KFD "proc/7/sdma_51234", "18446744073709551616\n");
	k = scan(h);
	assert_int_equal(k.n, 1);
	assert_int_equal(k.uses[0].pid, 7);
	assert_int_equal(k.uses[0].vram + k.uses[0].sdma_us, 0);
	rf_kfd_fini(&k);
}

static void a_host_without_it_has_none(void **state)
{
	struct host *h = *state;
	struct rf_kfd k = scan(h);

	assert_int_equal(k.n, 0);
	assert_null(k.uses);
	rf_kfd_fini(&k);
}

static void past_the_limit_is_counted(void **state)
{
	struct host *h = *state;
	struct rf_kfd k;
	char path[128];

	topology(h);
	for (int i = 1; i <= 2049; i++) {
		snprintf(path, sizeof(path), KFD "proc/%d/vram_51234", i);
		put(h, path, "1\n");
		snprintf(path, sizeof(path), KFD "proc/%d/vram_4099", i);
		put(h, path, "1\n");
	}
	k = scan(h);
	assert_int_equal(k.n, RF_KFD_MAX);
	assert_int_equal(k.left_out, 2 * 2049 - RF_KFD_MAX);
	rf_kfd_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_process_is_told_of_each_gpu),  TEST(a_gpu_that_is_not_known_is_counted),
		TEST(what_makes_no_sense_is_nothing), TEST(a_host_without_it_has_none),
		TEST(past_the_limit_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
