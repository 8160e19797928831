/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A made up host: its accelerators in sysfs and procfs, in a temporary directory, and what is seen of them. */
#ifndef RF_TEST_ACCELERATOR_TREE_H
#define RF_TEST_ACCELERATOR_TREE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/collect/accelerator_scan.h"
#include "user/lib/fs.h"

#define BIT(class) (1u << RF_ACCELERATOR_##class)
#define ANY	   RF_DEVICE_ANY
#define NONE	   RF_ACCELERATOR_NONE

struct host {
	char dir[64], sys[80], proc[80];
	struct rf_accelerators found;
};

static inline int setup(void **state)
{
	struct host *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	strcpy(h->dir, "/tmp/rf-accelerators-XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	snprintf(h->sys, sizeof(h->sys), "%s/sys", h->dir);
	snprintf(h->proc, sizeof(h->proc), "%s/proc", h->dir);
	*state = h;
	return 0;
}

static inline int teardown(void **state)
{
	struct host *h = *state;

	rf_accelerators_fini(&h->found);
	assert_int_equal(rf_fs_remove_tree(h->dir), 0);
	free(h);
	return 0;
}

static inline void parents_make(const char *path)
{
	char part[512];

	snprintf(part, sizeof(part), "%s", path);
	*strrchr(part, '/') = '\0';
	assert_int_equal(rf_fs_mkdir_p(part, 0755), 0);
}

/* @name below the host's directory: "proc/devices". */
static inline void put(const struct host *h, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", h->dir, name);
	parents_make(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void link_make(const struct host *h, const char *to, const char *name)
{
	char path[512], target[512];

	snprintf(target, sizeof(target), "%s/%s", h->dir, to);
	assert_int_equal(rf_fs_mkdir_p(target, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s", h->dir, name);
	parents_make(path);
	if (symlink(target, path))
		assert_int_equal(errno, EEXIST);
}

/* A node of a class, as sysfs has it: a link to the device, which has one to its driver. */
static inline void sys_node(const struct host *h, const char *class, const char *name, const char *dev,
			    const char *parent, const char *driver)
{
	char device[256], to[300], from[300];

	snprintf(device, sizeof(device), "sys/devices/pci/%s/%s", parent, name);
	snprintf(from, sizeof(from), "sys/class/%s/%s", class, name);
	link_make(h, device, from);
	snprintf(to, sizeof(to), "sys/devices/pci/%s", parent);
	snprintf(from, sizeof(from), "%s/device", device);
	link_make(h, to, from);
	if (driver) {
		snprintf(to, sizeof(to), "sys/bus/pci/drivers/%s", driver);
		snprintf(from, sizeof(from), "sys/devices/pci/%s/driver", parent);
		link_make(h, to, from);
	}
	snprintf(from, sizeof(from), "%s/dev", device);
	if (dev)
		put(h, from, dev);
}

/* A GPU with both of its nodes: card @n and renderD(128 + @n). */
static inline void gpu(const struct host *h, unsigned int n, const char *parent, const char *driver)
{
	char name[32], dev[32];

	snprintf(name, sizeof(name), "card%u", n);
	snprintf(dev, sizeof(dev), "226:%u\n", n);
	sys_node(h, "drm", name, dev, parent, driver);
	snprintf(name, sizeof(name), "renderD%u", 128 + n);
	snprintf(dev, sizeof(dev), "226:%u\n", 128 + n);
	sys_node(h, "drm", name, dev, parent, driver);
}

static inline void nvidia_gpu(const struct host *h, const char *pci, unsigned int minor, const char *uuid)
{
	char name[256], text[512];

	snprintf(name, sizeof(name), "proc/driver/nvidia/gpus/%s/information", pci);
	snprintf(text, sizeof(text),
		 "Model: \t\t NVIDIA H200\nIRQ:   \t\t 130\nGPU UUID: \t %s\nVideo BIOS: \t 96.00\n"
		 "Bus Type: \t PCIe\nBus Location: \t %s\nDevice Minor: \t %u\nGPU Excluded:\t No\n",
		 uuid, pci, minor);
	put(h, name, text);
}

/* @path below gpus of capabilities: "gpu0/mig/gi1/ci0". */
static inline void capability(const struct host *h, const char *path, unsigned int minor)
{
	char name[256], text[128];

	snprintf(name, sizeof(name), "proc/driver/nvidia/capabilities/%s/access", path);
	snprintf(text, sizeof(text), "DeviceFileMinor: %u\nDeviceFileMode: 292\nDeviceFileModify: 1\n", minor);
	put(h, name, text);
}

static inline void look(struct host *h)
{
	rf_accelerators_fini(&h->found);
	assert_int_equal(rf_accelerators_scan(h->sys, h->proc, &h->found), 0);
	for (size_t i = 1; i < h->found.n_devices; i++)
		assert_true(strcmp(h->found.devices[i - 1].parent, h->found.devices[i].parent) < 0);
	for (size_t i = 0; i < h->found.n_nodes; i++) {
		const struct rf_accelerator_node *n = &h->found.nodes[i];

		if (i)
			assert_true(n[-1].major < n->major || (n[-1].major == n->major && n[-1].minor < n->minor));
		if (n->part == RF_PART_DEVICE)
			assert_true(n->device < h->found.n_devices);
		else
			assert_int_equal(n->device, NONE);
	}
}

static inline const struct rf_accelerator *device_of(const struct host *h, const char *parent)
{
	for (size_t i = 0; i < h->found.n_devices; i++)
		if (rf_streq(h->found.devices[i].parent, parent))
			return &h->found.devices[i];
	fail_msg("there is no device %s", parent);
	return NULL;
}

static inline const struct rf_accelerator_node *node_of(const struct host *h, uint32_t major, uint32_t minor)
{
	const struct rf_accelerator_node *n = rf_accelerators_find(&h->found, major, minor);

	if (!n || n->minor != minor)
		fail_msg("there is no node %u:%u", major, minor);
	return n;
}

static inline void assert_node(const struct host *h, uint32_t major, uint32_t minor, const char *parent,
			       enum rf_accel_interface interface)
{
	const struct rf_accelerator_node *n = node_of(h, major, minor);

	assert_int_equal(n->part, RF_PART_DEVICE);
	assert_string_equal(h->found.devices[n->device].parent, parent);
	assert_int_equal(n->interface, interface);
}

static inline void assert_other_node(const struct host *h, uint32_t major, uint32_t minor,
				     enum rf_accelerator_part part, uint32_t classes, enum rf_accel_interface interface)
{
	const struct rf_accelerator_node *n = node_of(h, major, minor);

	assert_int_equal(n->part, part);
	assert_int_equal(n->classes, classes);
	assert_int_equal(n->interface, interface);
}

static inline void assert_index(const struct rf_accelerator *d, enum rf_accelerator_class class, uint32_t want)
{
	if (d->index[class] != want)
		fail_msg("%s is number %u of %s, not %u", d->parent, d->index[class], rf_accelerator_class_names[class],
			 want);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
