// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking for accelerators.
 *
 *   /sys/class/drm/{card,renderD}N        dev, device -> what it is a device of
 *   /sys/class/accel/accelN               likewise
 *   /sys/class/habanalabs/hlN             likewise, before that driver moved to accel
 *   /sys/class/infiniband_verbs/uverbsN   likewise
 *   /sys/class/kfd/kfd                    dev
 *   /proc/driver/nvidia/gpus/PCI/information      Device Minor, GPU UUID
 *   /proc/driver/nvidia/capabilities/gpuN/mig/giG[/ciC]/access      DeviceFileMinor
 *   /proc/devices                         majors that are an accelerator's alone, the dynamic ones among them
 */
#include "user/collect/accelerator_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "user/lib/fs.h"
#include "user/lib/strbuf.h"
#include "user/model/accelerator_ioctl.h"

#define FILE_MAX    65536
#define NAMES_MAX   4096
#define RENDER_BASE 128 /* the minor of renderD128, the first */

#define BIT(class) (1u << RF_ACCELERATOR_##class)

struct scan {
	const char *sys, *proc;
	struct rf_accelerators *found;
};

static char *text_read(const char *path)
{
	char *text;
	size_t len;

	return rf_fs_read(AT_FDCWD, path, FILE_MAX, &text, &len) < 0 ? NULL : text;
}

/* The last component of what the link leads to; "" where there is none. */
static char *link_name(const char *directory, const char *link)
{
	_cleanup_strbuf_ struct rf_strbuf path = RF_STRBUF_INIT;
	_cleanup_free_ char *real = NULL;
	const char *slash;

	rf_strbuf_addf(&path, "%s/%s", directory, link);
	if (rf_strbuf_error(&path) < 0)
		return NULL;
	real = realpath(rf_strbuf_str(&path), NULL);
	slash = real ? strrchr(real, '/') : NULL;
	return strdup(slash ? slash + 1 : "");
}

/* The number after @prefix, with nothing behind it: card0, not card0-DP-1. */
static bool name_number(const char *name, const char *prefix, uint32_t *ret)
{
	size_t n = strlen(prefix);
	char *end;

	if (strncmp(name, prefix, n) != 0 || name[n] < '0' || name[n] > '9')
		return false;
	*ret = strtoul(name + n, &end, 10);
	return !*end;
}

static int node_add(struct scan *s, const struct rf_accelerator_node *node)
{
	struct rf_accelerators *a = s->found;
	struct rf_accelerator_node *nodes;

	for (size_t i = 0; i < a->n_nodes; i++)
		if (a->nodes[i].major == node->major && a->nodes[i].minor == node->minor)
			return 0;
	nodes = reallocarray(a->nodes, a->n_nodes + 1, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	a->nodes = nodes;
	nodes[a->n_nodes++] = *node;
	return 0;
}

/* The device of that parent, made where there is none yet. NULL: no memory. */
static struct rf_accelerator *device_get(struct scan *s, const char *parent)
{
	struct rf_accelerators *a = s->found;
	struct rf_accelerator *devices;

	for (size_t i = 0; i < a->n_devices; i++)
		if (rf_streq(a->devices[i].parent, parent))
			return &a->devices[i];
	devices = reallocarray(a->devices, a->n_devices + 1, sizeof(*devices));
	if (!devices)
		return NULL;
	a->devices = devices;
	devices[a->n_devices] = (struct rf_accelerator){ .parent = strdup(parent) };
	for (int i = 0; i < RF_ACCELERATOR_CLASS_COUNT; i++)
		devices[a->n_devices].index[i] = RF_ACCELERATOR_NONE;
	return devices[a->n_devices].parent ? &devices[a->n_devices++] : NULL;
}

static int string_set(char **to, const char *value)
{
	if (*to)
		return 0;
	*to = strdup(value);
	return *to ? 0 : -ENOMEM;
}

static uint32_t class_of_driver(const char *driver)
{
	if (rf_streq(driver, "nvidia") || rf_streq(driver, "nvidia-drm") || rf_streq(driver, "nouveau"))
		return BIT(NVIDIA);
	if (rf_streq(driver, "amdgpu") || rf_streq(driver, "radeon") || rf_streq(driver, "amdxdna"))
		return BIT(AMD);
	if (rf_streq(driver, "i915") || rf_streq(driver, "xe") || rf_streq(driver, "intel_vpu"))
		return BIT(INTEL);
	if (rf_streq(driver, "habanalabs"))
		return BIT(HABANALABS);
	return 0;
}

/* A class of sysfs whose nodes are named after their number. */
struct sys_class {
	const char *directory, *prefix, *node; /* below @sys, and below /dev */
	uint32_t class;			       /* one bit */
	bool numbers; /* the number is the device's in the class: else it is a second node of one that has another */
	uint32_t base;
};

static const struct sys_class sys_classes[] = {
	{ "class/drm", "renderD", "dri/", BIT(DRM), true, RENDER_BASE },
	{ "class/drm", "card", "dri/", BIT(DRM), false, 0 },
	{ "class/accel", "accel", "accel/", BIT(ACCEL), true, 0 },
	{ "class/habanalabs", "hl", "", BIT(HABANALABS), true, 0 },
	{ "class/infiniband_verbs", "uverbs", "infiniband/", BIT(INFINIBAND), true, 0 },
};

static int sys_node_add(struct scan *s, const struct sys_class *c, const char *name, uint32_t number)
{
	char path[PATH_MAX], node_name[NAME_MAX];
	_cleanup_free_ char *dev = NULL, *parent = NULL, *driver = NULL;
	struct rf_accelerator_node node = { .part = RF_PART_DEVICE,
					    .classes = c->class,
					    .gpu_instance = RF_MIG_NONE,
					    .compute_instance = RF_MIG_NONE };
	struct rf_accelerator *device;

	snprintf(path, sizeof(path), "%s/%s/%s/dev", s->sys, c->directory, name);
	dev = text_read(path);
	if (!dev || sscanf(dev, "%u:%u", &node.major, &node.minor) != 2)
		return 0;
	snprintf(path, sizeof(path), "%s/%s/%s", s->sys, c->directory, name);
	parent = link_name(path, "device");
	driver = link_name(path, "device/driver");
	if (!parent || !driver)
		return -ENOMEM;
	device = device_get(s, *parent ? parent : name);
	snprintf(node_name, sizeof(node_name), "%s%s", c->node, name);
	if (!device || string_set(&device->name, node_name) < 0 || string_set(&device->driver, driver) < 0)
		return -ENOMEM;
	node.classes |= class_of_driver(driver);
	device->classes |= node.classes;
	if (c->numbers)
		for (int i = 0; i < RF_ACCELERATOR_CLASS_COUNT; i++)
			if (c->class == 1u << i)
				device->index[i] = number >= c->base ? number - c->base : number;
	/* Whose driver has moved to accel, and its numbers with it. */
	if (c->numbers && node.classes & BIT(HABANALABS))
		device->index[RF_ACCELERATOR_HABANALABS] = number;
	node.device = device - s->found->devices;
	node.interface = c->class & BIT(INFINIBAND) ? RF_INTERFACE_INFINIBAND :
			 c->class & BIT(HABANALABS) ? RF_INTERFACE_HABANALABS_OLD :
						      rf_accel_interface_of_driver(driver);
	return node_add(s, &node);
}

static int sys_class_scan(struct scan *s, const struct sys_class *c)
{
	char path[PATH_MAX];
	char **names;
	size_t n;
	int r = 0;

	snprintf(path, sizeof(path), "%s/%s", s->sys, c->directory);
	if (rf_fs_list(AT_FDCWD, path, NAMES_MAX, &names, &n) < 0)
		return 0;
	for (size_t i = 0; r >= 0 && i < n; i++) {
		uint32_t number;

		if (name_number(names[i], c->prefix, &number))
			r = sys_node_add(s, c, names[i], number);
	}
	rf_fs_names_free(names, n);
	return r;
}

static int kfd_scan(struct scan *s)
{
	struct rf_accelerator_node node = { .part = RF_PART_SHARED,
					    .device = RF_ACCELERATOR_NONE,
					    .classes = BIT(AMD),
					    .gpu_instance = RF_MIG_NONE,
					    .compute_instance = RF_MIG_NONE,
					    .interface = RF_INTERFACE_KFD };
	_cleanup_free_ char *dev = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/class/kfd/kfd/dev", s->sys);
	dev = text_read(path);
	if (!dev || sscanf(dev, "%u:%u", &node.major, &node.minor) != 2)
		return 0;
	return node_add(s, &node);
}

/* "Key:   value": the value, up to the end of its line. NULL: none, or no memory. */
static char *info_value(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	if (!at)
		return NULL;
	at += strlen(key);
	at += strspn(at, ": \t");
	return strndup(at, strcspn(at, "\n"));
}

#define NVIDIA_MAJOR 195

static int nvidia_gpu_add(struct scan *s, const char *pci)
{
	struct rf_accelerator_node node = { .major = NVIDIA_MAJOR,
					    .part = RF_PART_DEVICE,
					    .classes = BIT(NVIDIA),
					    .gpu_instance = RF_MIG_NONE,
					    .compute_instance = RF_MIG_NONE,
					    .interface = RF_INTERFACE_NVIDIA };
	_cleanup_free_ char *text = NULL, *minor = NULL, *uuid = NULL;
	struct rf_accelerator *device;
	char path[PATH_MAX], name[32];

	snprintf(path, sizeof(path), "%s/driver/nvidia/gpus/%s/information", s->proc, pci);
	text = text_read(path);
	minor = text ? info_value(text, "Device Minor") : NULL;
	if (!minor || sscanf(minor, "%u", &node.minor) != 1)
		return 0;
	uuid = info_value(text, "GPU UUID");
	device = device_get(s, pci);
	if (!device)
		return -ENOMEM;
	/* Its node of the DRM subsystem, where there is one, is not what it is known by. */
	snprintf(name, sizeof(name), "nvidia%u", node.minor);
	free(device->name);
	device->name = NULL;
	if (string_set(&device->name, name) < 0 || string_set(&device->driver, "nvidia") < 0 ||
	    (uuid && string_set(&device->uuid, uuid) < 0))
		return -ENOMEM;
	device->classes |= BIT(NVIDIA);
	device->index[RF_ACCELERATOR_NVIDIA] = node.minor;
	node.device = device - s->found->devices;
	return node_add(s, &node);
}

static const struct rf_accelerator *nvidia_by_index(const struct scan *s, uint32_t index)
{
	for (size_t i = 0; i < s->found->n_devices; i++)
		if (s->found->devices[i].classes & BIT(NVIDIA) &&
		    s->found->devices[i].index[RF_ACCELERATOR_NVIDIA] == index)
			return &s->found->devices[i];
	return NULL;
}

/* @directory: .../capabilities/gpu0/mig/gi1, or ci0 below it. */
static int capability_add(struct scan *s, const char *directory, uint32_t major, uint32_t gpu, int32_t gi, int32_t ci)
{
	const struct rf_accelerator *device = nvidia_by_index(s, gpu);
	struct rf_accelerator_node node = { .major = major,
					    .part = RF_PART_DEVICE,
					    .classes = BIT(NVIDIA),
					    .gpu_instance = gi,
					    .compute_instance = ci };
	_cleanup_free_ char *text = NULL, *minor = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/access", directory);
	text = text_read(path);
	minor = text ? info_value(text, "DeviceFileMinor") : NULL;
	if (!device || !minor || sscanf(minor, "%u", &node.minor) != 1)
		return 0;
	node.device = device - s->found->devices;
	return node_add(s, &node);
}

/* Calls @each for every "prefixN" of @directory. */
static int numbered_each(struct scan *s, const char *directory, const char *prefix,
			 int (*each)(struct scan *s, const char *path, uint32_t number, const uint32_t *above),
			 const uint32_t *above)
{
	char **names;
	size_t n;
	int r = 0;

	if (rf_fs_list(AT_FDCWD, directory, NAMES_MAX, &names, &n) < 0)
		return 0;
	for (size_t i = 0; r >= 0 && i < n; i++) {
		char path[PATH_MAX];
		uint32_t number;

		if (!name_number(names[i], prefix, &number))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", directory, names[i]) < (int)sizeof(path))
			r = each(s, path, number, above);
	}
	rf_fs_names_free(names, n);
	return r;
}

/* @above: the major, the GPU, the GPU instance. */
static int compute_instance_add(struct scan *s, const char *path, uint32_t number, const uint32_t *above)
{
	return capability_add(s, path, above[0], above[1], above[2], number);
}

static int gpu_instance_add(struct scan *s, const char *path, uint32_t number, const uint32_t *above)
{
	const uint32_t here[] = { above[0], above[1], number };
	int r = capability_add(s, path, above[0], above[1], number, RF_MIG_NONE);

	return r < 0 ? r : numbered_each(s, path, "ci", compute_instance_add, here);
}

static int gpu_capabilities_add(struct scan *s, const char *path, uint32_t number, const uint32_t *above)
{
	const uint32_t here[] = { above[0], number };
	char mig[PATH_MAX];

	if (snprintf(mig, sizeof(mig), "%s/mig", path) >= (int)sizeof(mig))
		return 0;
	return numbered_each(s, mig, "gi", gpu_instance_add, here);
}

static int nvidia_scan(struct scan *s)
{
	char path[PATH_MAX];
	char **names;
	size_t n;
	int r = 0;

	snprintf(path, sizeof(path), "%s/driver/nvidia/gpus", s->proc);
	if (rf_fs_list(AT_FDCWD, path, NAMES_MAX, &names, &n) < 0)
		return 0;
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = nvidia_gpu_add(s, names[i]);
	rf_fs_names_free(names, n);
	return r;
}

/* Majors that are an accelerator's alone: whatever node of them appears is one. */
static const struct {
	const char *name; /* in /proc/devices */
	uint32_t class;
	enum rf_accelerator_part part;
	enum rf_accel_interface interface;
} majors[] = {
	{ "drm", BIT(DRM), RF_PART_UNKNOWN, RF_INTERFACE_DRM },
	{ "accel", BIT(ACCEL), RF_PART_UNKNOWN, RF_INTERFACE_DRM },
	{ "habanalabs", BIT(HABANALABS), RF_PART_UNKNOWN, RF_INTERFACE_HABANALABS_OLD },
	{ "infiniband_verbs", BIT(INFINIBAND), RF_PART_UNKNOWN, RF_INTERFACE_INFINIBAND },
	{ "kfd", BIT(AMD), RF_PART_SHARED, RF_INTERFACE_KFD },
	{ "nvidia", BIT(NVIDIA), RF_PART_UNKNOWN, RF_INTERFACE_NVIDIA },
	{ "nvidia-frontend", BIT(NVIDIA), RF_PART_UNKNOWN, RF_INTERFACE_NVIDIA },
	{ "nvidia-uvm", BIT(NVIDIA), RF_PART_SHARED, RF_INTERFACE_NVIDIA_UVM },
	{ "nvidia-caps", BIT(NVIDIA), RF_PART_UNKNOWN, RF_INTERFACE_UNKNOWN },
	{ "nvidia-caps-imex-channels", BIT(NVIDIA), RF_PART_SHARED, RF_INTERFACE_UNKNOWN },
	{ "nvidia-nvswitch", BIT(NVIDIA), RF_PART_SHARED, RF_INTERFACE_UNKNOWN },
	{ "nvidia-nvlink", BIT(NVIDIA), RF_PART_SHARED, RF_INTERFACE_UNKNOWN },
};

static int major_add(struct scan *s, uint32_t major, const char *name)
{
	static const uint32_t shared_minors[] = { 254, 255 }; /* nvidia-modeset, nvidiactl */
	struct rf_accelerator_node node = { .major = major,
					    .minor = RF_DEVICE_ANY,
					    .device = RF_ACCELERATOR_NONE,
					    .gpu_instance = RF_MIG_NONE,
					    .compute_instance = RF_MIG_NONE };
	size_t i = 0;
	int r;

	while (i < ARRAY_SIZE(majors) && !rf_streq(majors[i].name, name))
		i++;
	if (i == ARRAY_SIZE(majors))
		return 0;
	node.classes = majors[i].class;
	node.part = majors[i].part;
	node.interface = majors[i].interface;
	r = node_add(s, &node);
	for (size_t k = 0; r >= 0 && major == NVIDIA_MAJOR && k < ARRAY_SIZE(shared_minors); k++) {
		node.part = RF_PART_SHARED;
		node.minor = shared_minors[k];
		r = node_add(s, &node);
	}
	if (r >= 0 && rf_streq(name, "nvidia-caps")) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/driver/nvidia/capabilities", s->proc);
		r = numbered_each(s, path, "gpu", gpu_capabilities_add, &major);
	}
	return r;
}

/* "Character devices:", lines of a number and a name, then "Block devices:". */
static int majors_scan(struct scan *s)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX], *save = NULL;
	int r = 0;

	snprintf(path, sizeof(path), "%s/devices", s->proc);
	text = text_read(path);
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; r >= 0 && line;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned int major;
		char name[64];

		if (rf_streq(line, "Block devices:"))
			break;
		if (sscanf(line, "%u %63s", &major, name) == 2)
			r = major_add(s, major, name);
	}
	return r;
}

static int device_compare(const void *a, const void *b)
{
	const struct rf_accelerator *x = a, *y = b;

	return strcmp(x->parent, y->parent);
}

static int node_compare(const void *a, const void *b)
{
	const struct rf_accelerator_node *x = a, *y = b;

	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	return x->minor == y->minor ? 0 : x->minor < y->minor ? -1 : 1;
}

/* By parent, which for PCI is the order of slots; nodes follow their device. */
static int sort(struct rf_accelerators *a)
{
	_cleanup_free_ char **parents = NULL;

	if (!a->n_devices)
		goto nodes;
	parents = calloc(a->n_devices, sizeof(*parents));
	if (!parents)
		return -ENOMEM;
	for (size_t i = 0; i < a->n_devices; i++)
		parents[i] = a->devices[i].parent;
	qsort(a->devices, a->n_devices, sizeof(*a->devices), device_compare);
	for (size_t i = 0; i < a->n_nodes; i++)
		for (uint32_t k = 0; a->nodes[i].part == RF_PART_DEVICE && k < a->n_devices; k++)
			if (a->devices[k].parent == parents[a->nodes[i].device]) {
				a->nodes[i].device = k;
				break;
			}
nodes:
	if (a->n_nodes)
		qsort(a->nodes, a->n_nodes, sizeof(*a->nodes), node_compare);
	return 0;
}

/* Those that no number of the kernel's tells: in the order of their slots. */
static void vendors_number(struct rf_accelerators *a)
{
	static const enum rf_accelerator_class classes[] = { RF_ACCELERATOR_AMD, RF_ACCELERATOR_INTEL };

	for (size_t c = 0; c < ARRAY_SIZE(classes); c++) {
		uint32_t next = 0;

		for (size_t i = 0; i < a->n_devices; i++)
			if (a->devices[i].classes & 1u << classes[c])
				a->devices[i].index[classes[c]] = next++;
	}
}

int rf_accelerators_scan(const char *sys, const char *proc, struct rf_accelerators *ret)
{
	struct rf_accelerators found = { 0 };
	struct scan s = { sys, proc, &found };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(sys_classes); i++)
		r = sys_class_scan(&s, &sys_classes[i]);
	if (r >= 0)
		r = kfd_scan(&s);
	if (r >= 0)
		r = nvidia_scan(&s);
	if (r >= 0)
		r = majors_scan(&s);
	if (r >= 0)
		r = sort(&found);
	if (r < 0) {
		rf_accelerators_fini(&found);
		return r;
	}
	vendors_number(&found);
	*ret = found;
	return 0;
}
