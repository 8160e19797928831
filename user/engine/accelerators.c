// SPDX-License-Identifier: GPL-2.0-or-later
/* Tells the kernel which device nodes are accelerators', and what their ioctls are. */
#include <errno.h>

#include "user/engine/internal.h"
#include "user/model/accelerator_ioctl.h"

static int interfaces_write(struct rf_engine *e)
{
	int fd = rf_engine_map_fd(e, "rf_accel_interface_map"), r = 0;

	for (uint32_t interface = 0; r >= 0 && interface < RF_INTERFACE_COUNT; interface++) {
		struct rf_accel_ioctls ioctls;

		rf_accel_ioctls_of(interface, &ioctls);
		r = bpf_map_update_elem(fd, &interface, &ioctls, BPF_ANY);
	}
	return r;
}

static bool is_there(const struct rf_accelerators *a, const struct rf_accel_node_key *key)
{
	const struct rf_accelerator_node *n = rf_accelerators_find(a, key->major, key->minor);

	return n && n->minor == key->minor;
}

/* A key goes on to the next before it is deleted: one that is gone would begin anew. */
static void nodes_trim(int fd, const struct rf_accelerators *a)
{
	struct rf_accel_node_key key, next;
	int r = bpf_map_get_next_key(fd, NULL, &key);

	while (r == 0) {
		r = bpf_map_get_next_key(fd, &key, &next);
		if (!is_there(a, &key))
			bpf_map_delete_elem(fd, &key);
		key = next;
	}
}

static struct rf_accel_device_key device_key(const char *parent)
{
	struct rf_accel_device_key key = { 0 };

	/* As the kernel's copy of it is cut. */
	snprintf(key.name, sizeof(key.name), "%s", parent);
	return key;
}

uint32_t rf_engine_accel_device(const struct rf_engine *e, const char *parent)
{
	struct rf_accel_device_key key = device_key(parent);
	uint32_t number;

	return bpf_map_lookup_elem(rf_engine_map_fd(e, "rf_accel_device_map"), &key, &number) < 0 ?
		       RF_ACCEL_DEVICE_NONE :
		       number;
}

/* The highest that has been given: also by a daemon before this one. */
static uint32_t devices_last(int fd)
{
	struct rf_accel_device_key key, *previous = NULL;
	uint32_t last = RF_ACCEL_DEVICE_NONE, number;

	while (bpf_map_get_next_key(fd, previous, &key) == 0) {
		if (bpf_map_lookup_elem(fd, &key, &number) == 0)
			last = MAX(last, number);
		previous = &key;
	}
	return last;
}

/* A device that comes back is the same; past the limit it is none of its own. */
static void devices_number(struct rf_engine *e, const struct rf_accelerators *a)
{
	int fd = rf_engine_map_fd(e, "rf_accel_device_map");

	e->accel_devices = devices_last(fd);
	for (size_t i = 0; i < a->n_devices; i++) {
		struct rf_accel_device_key key = device_key(a->devices[i].parent);
		uint32_t number = e->accel_devices + 1;

		if (bpf_map_update_elem(fd, &key, &number, BPF_NOEXIST) == 0)
			e->accel_devices = number;
	}
}

int rf_engine_accelerators_set(struct rf_engine *e, const struct rf_accelerators *a)
{
	int fd = rf_engine_map_fd(e, "rf_accel_node_map"), r = interfaces_write(e);
	uint64_t majors[RF_ACCEL_MAJORS / 64] = { 0 };

	devices_number(e, a);
	for (size_t i = 0; r >= 0 && i < a->n_nodes; i++) {
		const struct rf_accel_node_key key = { a->nodes[i].major, a->nodes[i].minor };
		struct rf_accel_node value = { .interface = a->nodes[i].interface };

		if (a->nodes[i].part == RF_PART_DEVICE)
			value.device = rf_engine_accel_device(e, a->devices[a->nodes[i].device].parent);

		if (key.major < RF_ACCEL_MAJORS)
			majors[key.major / 64] |= 1ULL << key.major % 64;
		r = bpf_map_update_elem(fd, &key, &value, BPF_ANY);
	}
	/* Those that are known are judged from here on; a major that is not asked after is no accelerator's. */
	for (size_t i = 0; i < ARRAY_SIZE(majors); i++)
		__atomic_store_n(&e->config->accel_majors[i], majors[i], __ATOMIC_RELAXED);
	nodes_trim(fd, a);
	return r;
}
