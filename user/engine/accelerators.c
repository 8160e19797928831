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

/* The slot that @major has, or the next that is free; RF_ACCEL_SLOT_NONE: there is none. */
static uint8_t slot_of(const uint8_t slots[RF_ACCEL_MAJORS], uint32_t major)
{
	bool taken[RF_ACCEL_SLOTS + 1] = { 0 };

	if (slots[major])
		return slots[major];
	for (uint32_t i = 0; i < RF_ACCEL_MAJORS; i++)
		if (slots[i] && slots[i] <= RF_ACCEL_SLOTS)
			taken[slots[i]] = true;
	for (uint8_t slot = 1; slot <= RF_ACCEL_SLOTS; slot++)
		if (!taken[slot])
			return slot;
	return RF_ACCEL_SLOT_NONE;
}

/* What is not in @a leaves the array; a major without nodes gives its slot up first. */
static void slots_trim(struct rf_engine *e, const struct rf_accelerators *a, const uint8_t wanted[RF_ACCEL_MAJORS])
{
	int fd = rf_engine_map_fd(e, "rf_accel_slot_map");

	for (uint32_t major = 0; major < RF_ACCEL_MAJORS; major++) {
		uint8_t slot = e->config->accel_slot[major];

		__atomic_store_n(&e->config->accel_slot[major], wanted[major], __ATOMIC_RELAXED);
		for (uint32_t minor = 0; slot && slot <= RF_ACCEL_SLOTS && minor < RF_ACCEL_SLOT_NODES; minor++) {
			const struct rf_accel_node_key key = { major, minor };
			const struct rf_accel_node none = { 0 };
			uint32_t at = RF_ACCEL_SLOT_AT(slot, minor);

			if (!is_there(a, &key))
				bpf_map_update_elem(fd, &at, &none, BPF_ANY);
		}
	}
}

static int node_write(struct rf_engine *e, const struct rf_accelerators *a, const struct rf_accelerator_node *node,
		      uint8_t slot)
{
	const struct rf_accel_node_key key = { node->major, node->minor };
	struct rf_accel_node value = { .interface = node->interface, .listed = 1 };
	uint32_t at = RF_ACCEL_SLOT_AT(slot, node->minor);
	int r;

	if (node->part == RF_PART_DEVICE)
		value.device = rf_engine_accel_device(e, a->devices[node->device].parent);
	r = bpf_map_update_elem(rf_engine_map_fd(e, "rf_accel_node_map"), &key, &value, BPF_ANY);
	if (r < 0 || !slot || slot > RF_ACCEL_SLOTS || node->minor >= RF_ACCEL_SLOT_NODES)
		return r;
	return bpf_map_update_elem(rf_engine_map_fd(e, "rf_accel_slot_map"), &at, &value, BPF_ANY);
}

/* An address may be another device's by now. */
static void addresses_forget(const struct rf_engine *e)
{
	const struct rf_accel_address none = { 0 };
	int fd = rf_engine_map_fd(e, "rf_accel_address_map");

	for (uint32_t at = 0; at < RF_ACCEL_ADDRESSES; at++)
		bpf_map_update_elem(fd, &at, &none, BPF_ANY);
}

int rf_engine_accelerators_set(struct rf_engine *e, const struct rf_accelerators *a)
{
	uint8_t slots[RF_ACCEL_MAJORS], wanted[RF_ACCEL_MAJORS] = { 0 };
	int r = interfaces_write(e);

	memcpy(slots, e->config->accel_slot, sizeof(slots));
	devices_number(e, a);
	for (size_t i = 0; r >= 0 && i < a->n_nodes; i++) {
		uint32_t major = a->nodes[i].major;
		uint8_t slot = 0;

		if (major < RF_ACCEL_MAJORS)
			slot = slots[major] = wanted[major] = slot_of(slots, major);
		r = node_write(e, a, &a->nodes[i], slot);
	}
	slots_trim(e, a, wanted);
	nodes_trim(rf_engine_map_fd(e, "rf_accel_node_map"), a);
	addresses_forget(e);
	return r;
}
