// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading what devices say of themselves, below /sys/class/CLASS/NAME/device:
 *
 *   power/runtime_status                      "suspended": any other read would wake it
 *   hwmon/hwmonN/tempI_{input,label}          millidegrees; edge, junction, mem (amdgpu), pkg, vram (xe)
 *   hwmon/hwmonN/power1_{average,input,cap,max}, energy1_input      microwatts, microjoules
 *   hwmon/hwmonN/freq{1,2}_input              hertz; processors and memory (amdgpu)
 *   {current,max}_link_{speed,width}, aer_dev_{correctable,nonfatal,fatal}      PCI
 *   {gpu,mem}_busy_percent, mem_info_vram_{total,used}, pcie_replay_count       amdgpu
 *   ras/BLOCK_err_count                       amdgpu: "ue: N" and "ce: N"
 *   clk_cur_freq_mhz, max_power               habanalabs: MHz, milliwatts
 *
 * In the kernel's Documentation: hwmon/sysfs-interface.rst, gpu/amdgpu,
 * ABI/testing/sysfs-bus-pci*, ABI/testing/sysfs-driver-habanalabs.
 */
#include "user/collect/accelerator_sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/fs.h"

#define FILE_MAX  16384
#define NAMES_MAX 4096
#define TEMPS_MAX 16

/* -1: it is not there, or cannot be read now. */
static int text_read(int dir, const char *file, char **ret)
{
	size_t len;

	return rf_fs_read(dir, file, FILE_MAX, ret, &len) < 0 ? -1 : 0;
}

/* A number in decimal, and nothing behind it on its line; RF_HEALTH_UNKNOWN where there is none. */
static double number_of(const char *text)
{
	char *end;
	double value;

	/* strtod() would take much more for one. */
	if (text[strspn(text, "-")] < '0' || text[strspn(text, "-")] > '9')
		return RF_HEALTH_UNKNOWN;
	value = strtoll(text, &end, 10);
	return *end == '\n' || !*end ? value : RF_HEALTH_UNKNOWN;
}

static double number_read(int dir, const char *file)
{
	_cleanup_free_ char *text = NULL;

	return text_read(dir, file, &text) < 0 ? RF_HEALTH_UNKNOWN : number_of(text);
}

static void scaled_set(struct rf_accel_health *h, enum rf_health_reading reading, double value, double times)
{
	if (rf_health_is_known(value))
		h->value[reading] = value * times;
}

static void sum_add(struct rf_accel_health *h, enum rf_health_reading reading, double value)
{
	if (!rf_health_is_known(value))
		return;
	h->value[reading] = value + (rf_health_is_known(h->value[reading]) ? h->value[reading] : 0);
}

/* The number behind "@key" at the start of a line. */
static double keyed(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL)
		if (!strncmp(line, key, n))
			return number_of(line + n);
	return RF_HEALTH_UNKNOWN;
}

static double keyed_read(int dir, const char *file, const char *key)
{
	_cleanup_free_ char *text = NULL;

	return text_read(dir, file, &text) < 0 ? RF_HEALTH_UNKNOWN : keyed(text, key);
}

/* ---- hwmon ---- */

/* Which sensor stands for the device: a device has the first of these that it has. */
static int rank_of(const char *label)
{
	static const char *const labels[] = { "edge\n", "pkg\n", "", "junction\n" };

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (rf_streq(label, labels[i]))
			return (int)i;
	return ARRAY_SIZE(labels);
}

static void temperatures_read(int dir, struct rf_accel_health *h, int *best)
{
	for (int i = 1; i <= TEMPS_MAX; i++) {
		_cleanup_free_ char *label = NULL;
		char file[32];
		double value;
		int rank;

		snprintf(file, sizeof(file), "temp%d_input", i);
		value = number_read(dir, file);
		if (!rf_health_is_known(value))
			continue;
		snprintf(file, sizeof(file), "temp%d_label", i);
		(void)text_read(dir, file, &label);
		if (label && (rf_streq(label, "mem\n") || rf_streq(label, "vram\n"))) {
			h->value[RF_HEALTH_MEMORY_TEMPERATURE] = value / 1000;
			continue;
		}
		rank = rank_of(label ? label : "");
		if (rank >= *best)
			continue;
		*best = rank;
		h->value[RF_HEALTH_TEMPERATURE] = value / 1000;
	}
}

static void hwmon_read(int dir, struct rf_accel_health *h, int *best)
{
	temperatures_read(dir, h, best);
	scaled_set(h, RF_HEALTH_POWER, number_read(dir, "power1_input"), 1e-6);
	scaled_set(h, RF_HEALTH_POWER, number_read(dir, "power1_average"), 1e-6);
	scaled_set(h, RF_HEALTH_POWER_LIMIT, number_read(dir, "power1_max"), 1e-6);
	scaled_set(h, RF_HEALTH_POWER_LIMIT, number_read(dir, "power1_cap"), 1e-6);
	scaled_set(h, RF_HEALTH_ENERGY, number_read(dir, "energy1_input"), 1e-6);
	scaled_set(h, RF_HEALTH_CLOCK, number_read(dir, "freq1_input"), 1);
	scaled_set(h, RF_HEALTH_MEMORY_CLOCK, number_read(dir, "freq2_input"), 1);
}

static void hwmons_read(int device, struct rf_accel_health *h)
{
	char **names;
	int best = INT32_MAX;
	size_t n;

	if (rf_fs_list(device, "hwmon", NAMES_MAX, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		_cleanup_close_ int dir = -1;
		char path[300];

		snprintf(path, sizeof(path), "hwmon/%.255s", names[i]);
		dir = openat(device, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir >= 0)
			hwmon_read(dir, h, &best);
	}
	rf_fs_names_free(names, n);
}

/* ---- PCI ---- */

/* "16.0 GT/s PCIe"; in tenths of a GT/s. */
static double generation_read(int device, const char *file)
{
	static const unsigned int tenths[] = { 25, 50, 80, 160, 320, 640, 1280 };
	_cleanup_free_ char *text = NULL;
	unsigned int whole, tenth;

	if (text_read(device, file, &text) < 0 || sscanf(text, "%4u.%1u GT/s", &whole, &tenth) != 2)
		return RF_HEALTH_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(tenths); i++)
		if (tenths[i] == whole * 10 + tenth)
			return i + 1;
	return RF_HEALTH_UNKNOWN;
}

/* A link that is down, or that nobody knows, has 0 or 255 lanes. */
static double width_read(int device, const char *file)
{
	double lanes = number_read(device, file);

	return lanes > 0 && lanes < 255 ? lanes : RF_HEALTH_UNKNOWN;
}

static void pci_read(int device, struct rf_accel_health *h)
{
	h->value[RF_HEALTH_PCIE_GENERATION] = generation_read(device, "current_link_speed");
	h->value[RF_HEALTH_PCIE_GENERATION_MAX] = generation_read(device, "max_link_speed");
	h->value[RF_HEALTH_PCIE_WIDTH] = width_read(device, "current_link_width");
	h->value[RF_HEALTH_PCIE_WIDTH_MAX] = width_read(device, "max_link_width");
	sum_add(h, RF_HEALTH_PCIE_ERRORS, keyed_read(device, "aer_dev_correctable", "TOTAL_ERR_COR "));
	sum_add(h, RF_HEALTH_PCIE_ERRORS, keyed_read(device, "aer_dev_nonfatal", "TOTAL_ERR_NONFATAL "));
	sum_add(h, RF_HEALTH_PCIE_ERRORS, keyed_read(device, "aer_dev_fatal", "TOTAL_ERR_FATAL "));
}

/* ---- drivers ---- */

/* Of all blocks of the device that count errors. */
static void ras_read(int device, struct rf_accel_health *h)
{
	char **names;
	size_t n;

	if (rf_fs_list(device, "ras", NAMES_MAX, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *text = NULL;
		size_t len = strlen(names[i]);
		char path[300];

		if (len < 10 || !rf_streq(names[i] + len - 10, "_err_count"))
			continue;
		snprintf(path, sizeof(path), "ras/%.255s", names[i]);
		if (text_read(device, path, &text) < 0)
			continue;
		sum_add(h, RF_HEALTH_ECC_UNCORRECTED, keyed(text, "ue: "));
		sum_add(h, RF_HEALTH_ECC_CORRECTED, keyed(text, "ce: "));
	}
	rf_fs_names_free(names, n);
}

static void amdgpu_read(int device, struct rf_accel_health *h)
{
	scaled_set(h, RF_HEALTH_UTILIZATION, number_read(device, "gpu_busy_percent"), 0.01);
	scaled_set(h, RF_HEALTH_MEMORY_UTILIZATION, number_read(device, "mem_busy_percent"), 0.01);
	scaled_set(h, RF_HEALTH_MEMORY_SIZE, number_read(device, "mem_info_vram_total"), 1);
	scaled_set(h, RF_HEALTH_MEMORY_USED, number_read(device, "mem_info_vram_used"), 1);
	scaled_set(h, RF_HEALTH_PCIE_REPLAYS, number_read(device, "pcie_replay_count"), 1);
	ras_read(device, h);
}

static void habanalabs_read(int device, struct rf_accel_health *h)
{
	scaled_set(h, RF_HEALTH_CLOCK, number_read(device, "clk_cur_freq_mhz"), 1e6);
	scaled_set(h, RF_HEALTH_POWER_LIMIT, number_read(device, "max_power"), 1e-3);
}

static const struct {
	const char *driver;
	void (*read)(int device, struct rf_accel_health *h);
} drivers[] = {
	{ "amdgpu", amdgpu_read },
	{ "habanalabs", habanalabs_read },
	{ "habanalabs_cn", habanalabs_read },
};

/* "dri/renderD128" -> class/drm/renderD128/device. -1: it is of none of these classes, or gone. */
static int device_open(const char *sys, const char *name)
{
	static const struct {
		const char *prefix, *class;
		bool keeps; /* the prefix is a part of the name */
	} classes[] = {
		{ "dri/", "drm", false },
		{ "accel/", "accel", false },
		{ "infiniband/", "infiniband_verbs", false },
		{ "hl", "habanalabs", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		char path[4096];

		if (!rf_strprefix(name, classes[i].prefix))
			continue;
		snprintf(path, sizeof(path), "%.3000s/class/%s/%.255s/device", sys, classes[i].class,
			 name + (classes[i].keeps ? 0 : strlen(classes[i].prefix)));
		return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return -1;
}

/* Where power is not managed at run time, it is not told. */
static double asleep_read(int device)
{
	_cleanup_free_ char *text = NULL;

	if (text_read(device, "power/runtime_status", &text) < 0 || rf_streq(text, "unsupported\n"))
		return RF_HEALTH_UNKNOWN;
	return rf_strprefix(text, "suspend");
}

int rf_accelerator_sysfs_read(const char *sys, const struct rf_accelerator *a, struct rf_accel_health *ret)
{
	_cleanup_close_ int device = rf_streq(a->driver, "nvidia") ? -1 : device_open(sys, a->name);

	if (device < 0)
		return -ENOENT;
	rf_accel_health_init(ret);
	snprintf(ret->parent, sizeof(ret->parent), "%s", a->parent);
	ret->value[RF_HEALTH_SUSPENDED] = asleep_read(device);
	if (ret->value[RF_HEALTH_SUSPENDED] > 0)
		return 0;
	hwmons_read(device, ret);
	pci_read(device, ret);
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (rf_streq(a->driver, drivers[i].driver))
			drivers[i].read(device, ret);
	return 0;
}
