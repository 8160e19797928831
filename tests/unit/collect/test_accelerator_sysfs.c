// SPDX-License-Identifier: GPL-2.0-or-later
/* What devices say of themselves in a made up sysfs. */
#include <math.h>

#include "tests/unit/collect/accelerator_tree.h"
#include "user/collect/accelerator_sysfs.h"

#define GPU "sys/devices/pci/0000:03:00.0/"

/* Of the first device that the scan finds. */
static struct rf_accel_health read_first(struct host *h)
{
	struct rf_accel_health health;

	look(h);
	assert_true(h->found.n_devices > 0);
	assert_int_equal(rf_accelerator_sysfs_read(h->sys, &h->found.devices[0], &health), 0);
	assert_string_equal(health.parent, h->found.devices[0].parent);
	return health;
}

static void is(const struct rf_accel_health *h, enum rf_health_reading reading, double value)
{
	if (isnan(value) ? !isnan(h->value[reading]) : fabs(h->value[reading] - value) > 1e-6)
		fail_msg("reading %d is %g, not %g", reading, h->value[reading], value);
}

/* These are known, and no others. */
static void only(const struct rf_accel_health *h, const int *known, size_t n)
{
	for (int i = 0; i < RF_HEALTH_COUNT; i++) {
		bool wanted = false;

		for (size_t k = 0; k < n; k++)
			wanted |= known[k] == i;
		if (wanted == isnan(h->value[i]))
			fail_msg("reading %d is %g", i, h->value[i]);
	}
}

static void amdgpu_tells_most(void **state)
{
	struct host *h = *state;
	struct rf_accel_health got;

	gpu(h, 0, "0000:03:00.0", "amdgpu");
	put(h, GPU "power/runtime_status", "active\n");
	put(h, GPU "hwmon/hwmon3/temp1_input", "90000\n");
	put(h, GPU "hwmon/hwmon3/temp1_label", "junction\n");
	put(h, GPU "hwmon/hwmon3/temp2_input", "61000\n");
	put(h, GPU "hwmon/hwmon3/temp2_label", "edge\n");
	put(h, GPU "hwmon/hwmon3/temp3_input", "72500\n");
	put(h, GPU "hwmon/hwmon3/temp3_label", "mem\n");
	put(h, GPU "hwmon/hwmon3/power1_average", "215000000\n");
	put(h, GPU "hwmon/hwmon3/power1_cap", "300000000\n");
	put(h, GPU "hwmon/hwmon3/freq1_input", "1700000000\n");
	put(h, GPU "hwmon/hwmon3/freq2_input", "900000000\n");
	put(h, GPU "gpu_busy_percent", "42\n");
	put(h, GPU "mem_busy_percent", "7\n");
	put(h, GPU "mem_info_vram_total", "68702699520\n");
	put(h, GPU "mem_info_vram_used", "1048576\n");
	put(h, GPU "pcie_replay_count", "3\n");
	put(h, GPU "ras/umc_err_count", "ue: 1\nce: 20\nde: 9\n");
	put(h, GPU "ras/gfx_err_count", "ue: 2\nce: 5\n");
	put(h, GPU "ras/sdma_err_count", "Query currently inaccessible\n");
	put(h, GPU "ras/features", "feature mask: 0x3\n");
	put(h, GPU "current_link_speed", "16.0 GT/s PCIe\n");
	put(h, GPU "max_link_speed", "32.0 GT/s PCIe\n");
	put(h, GPU "current_link_width", "8\n");
	put(h, GPU "max_link_width", "16\n");
	put(h, GPU "aer_dev_correctable", "RxErr 4\nBadTLP 1\nTOTAL_ERR_COR 5\n");
	put(h, GPU "aer_dev_nonfatal", "DLP 0\nTOTAL_ERR_NONFATAL 2\n");
	put(h, GPU "aer_dev_fatal", "DLP 0\nTOTAL_ERR_FATAL 1\n");
	got = read_first(h);
	is(&got, RF_HEALTH_SUSPENDED, 0);
	is(&got, RF_HEALTH_TEMPERATURE, 61);
	is(&got, RF_HEALTH_MEMORY_TEMPERATURE, 72.5);
	is(&got, RF_HEALTH_POWER, 215);
	is(&got, RF_HEALTH_POWER_LIMIT, 300);
	is(&got, RF_HEALTH_CLOCK, 1.7e9);
	is(&got, RF_HEALTH_MEMORY_CLOCK, 9e8);
	is(&got, RF_HEALTH_UTILIZATION, 0.42);
	is(&got, RF_HEALTH_MEMORY_UTILIZATION, 0.07);
	is(&got, RF_HEALTH_MEMORY_SIZE, 68702699520);
	is(&got, RF_HEALTH_MEMORY_USED, 1048576);
	is(&got, RF_HEALTH_PCIE_REPLAYS, 3);
	is(&got, RF_HEALTH_ECC_UNCORRECTED, 3);
	is(&got, RF_HEALTH_ECC_CORRECTED, 25);
	is(&got, RF_HEALTH_PCIE_GENERATION, 4);
	is(&got, RF_HEALTH_PCIE_GENERATION_MAX, 5);
	is(&got, RF_HEALTH_PCIE_WIDTH, 8);
	is(&got, RF_HEALTH_PCIE_WIDTH_MAX, 16);
	is(&got, RF_HEALTH_PCIE_ERRORS, 8);
	is(&got, RF_HEALTH_ENERGY, NAN);
}

static void xe_tells_energy_and_its_own_labels(void **state)
{
	static const int known[] = { RF_HEALTH_TEMPERATURE, RF_HEALTH_MEMORY_TEMPERATURE, RF_HEALTH_ENERGY,
				     RF_HEALTH_POWER_LIMIT };
	struct host *h = *state;
	struct rf_accel_health got;

	gpu(h, 0, "0000:03:00.0", "xe");
	put(h, GPU "hwmon/hwmon1/temp2_input", "50000\n");
	put(h, GPU "hwmon/hwmon1/temp2_label", "pkg\n");
	put(h, GPU "hwmon/hwmon1/temp3_input", "44000\n");
	put(h, GPU "hwmon/hwmon1/temp3_label", "vram\n");
	put(h, GPU "hwmon/hwmon1/energy1_input", "123456789\n");
	put(h, GPU "hwmon/hwmon1/power1_max", "190000000\n");
	/* Another driver's names are not looked at. */
	put(h, GPU "gpu_busy_percent", "99\n");
	got = read_first(h);
	is(&got, RF_HEALTH_TEMPERATURE, 50);
	is(&got, RF_HEALTH_MEMORY_TEMPERATURE, 44);
	is(&got, RF_HEALTH_ENERGY, 123.456789);
	is(&got, RF_HEALTH_POWER_LIMIT, 190);
	only(&got, known, ARRAY_SIZE(known));
}

static void a_device_that_sleeps_is_not_woken(void **state)
{
	static const int known[] = { RF_HEALTH_SUSPENDED };
	struct host *h = *state;
	struct rf_accel_health got;

	gpu(h, 0, "0000:03:00.0", "amdgpu");
	put(h, GPU "power/runtime_status", "suspended\n");
	put(h, GPU "hwmon/hwmon3/temp1_input", "90000\n");
	put(h, GPU "current_link_width", "8\n");
	got = read_first(h);
	is(&got, RF_HEALTH_SUSPENDED, 1);
	only(&got, known, ARRAY_SIZE(known));
	put(h, GPU "power/runtime_status", "suspending\n");
	got = read_first(h);
	is(&got, RF_HEALTH_SUSPENDED, 1);
	/* Also of a kernel without power management. */
	put(h, GPU "power/runtime_status", "unsupported\n");
	got = read_first(h);
	is(&got, RF_HEALTH_TEMPERATURE, 90);
	is(&got, RF_HEALTH_SUSPENDED, NAN);
}

static void habanalabs_tells_its_clock(void **state)
{
	struct host *h = *state;
	struct rf_accel_health got;

	sys_node(h, "accel", "accel0", "261:0\n", "0000:07:00.0", "habanalabs");
	put(h, "sys/devices/pci/0000:07:00.0/clk_cur_freq_mhz", "1650\n");
	put(h, "sys/devices/pci/0000:07:00.0/max_power", "600000\n");
	got = read_first(h);
	is(&got, RF_HEALTH_CLOCK, 1.65e9);
	is(&got, RF_HEALTH_POWER_LIMIT, 600);
}

static void what_makes_no_sense_is_unknown(void **state)
{
	static const char *const bad[] = { "", "\n", "x\n", "12x\n", "0x10\n", "nan\n", "--5\n", " 5\n", "5 6\n" };
	struct host *h = *state;

	gpu(h, 0, "0000:03:00.0", "amdgpu");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct rf_accel_health got;
		char text[64];

		put(h, GPU "hwmon/hwmon3/temp1_input", bad[i]);
		put(h, GPU "hwmon/hwmon3/power1_average", bad[i]);
		put(h, GPU "gpu_busy_percent", bad[i]);
		put(h, GPU "current_link_width", i ? bad[i] : "255\n");
		put(h, GPU "max_link_width", i ? bad[i] : "0\n");
		put(h, GPU "current_link_speed", i ? bad[i] : "Unknown\n");
		put(h, GPU "max_link_speed", i ? bad[i] : "7.0 GT/s PCIe\n");
		snprintf(text, sizeof(text), "ue: %s", bad[i]);
		put(h, GPU "ras/umc_err_count", text);
		snprintf(text, sizeof(text), "TOTAL_ERR_COR %s", bad[i]);
		put(h, GPU "aer_dev_correctable", text);
		got = read_first(h);
		only(&got, NULL, 0);
	}
}

static void nvidias_own_driver_is_left_to_others(void **state)
{
	struct host *h = *state;
	struct rf_accel_health got;

	nvidia_gpu(h, "0000:01:00.0", 0, "GPU-1");
	gpu(h, 0, "0000:01:00.0", "nvidia");
	look(h);
	assert_int_equal(rf_accelerator_sysfs_read(h->sys, &h->found.devices[0], &got), -ENOENT);
}

static void one_that_is_gone_is_not_there(void **state)
{
	struct host *h = *state;
	struct rf_accel_health got;
	char path[200];

	gpu(h, 0, "0000:03:00.0", "amdgpu");
	look(h);
	snprintf(path, sizeof(path), "%s/class/drm", h->sys);
	assert_int_equal(rf_fs_remove_tree(path), 0);
	assert_int_equal(rf_accelerator_sysfs_read(h->sys, &h->found.devices[0], &got), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(amdgpu_tells_most),
		TEST(xe_tells_energy_and_its_own_labels),
		TEST(a_device_that_sleeps_is_not_woken),
		TEST(habanalabs_tells_its_clock),
		TEST(what_makes_no_sense_is_unknown),
		TEST(nvidias_own_driver_is_left_to_others),
		TEST(one_that_is_gone_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
