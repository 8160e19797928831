/* SPDX-License-Identifier: GPL-2.0-only */
/* What somebody has taken of an accelerator. */
#ifndef RF_BPF_ACCEL_H
#define RF_BPF_ACCEL_H

#include "identity.bpf.h"

/* What two programs see within this is the same. */
#define RF_ACCEL_TWICE_NS 1000000

/* Of the nodes of a major; 0: none of them is an accelerator's. */
static __always_inline __u32 rf_accel_slot_of(__u32 major)
{
	return major < RF_ACCEL_MAJORS ? RF_READ_ONCE(rf_config.accel_slot[major % RF_ACCEL_MAJORS]) : 0;
}

/* NULL: it is none of ours. */
static __always_inline struct rf_accel_node *rf_accel_node(__u32 major, __u32 minor, __u32 slot)
{
	struct rf_accel_node_key key = { .major = major, .minor = minor };
	struct rf_accel_node *found;
	__u32 at;

	if (rf_likely(slot <= RF_ACCEL_SLOTS && key.minor < RF_ACCEL_SLOT_NODES)) {
		at = RF_ACCEL_SLOT_AT(slot, key.minor);
		found = bpf_map_lookup_elem(&rf_accel_slot_map, &at);
		if (found && found->listed)
			return found;
	}
	found = bpf_map_lookup_elem(&rf_accel_node_map, &key);
	if (!found) {
		key.minor = RF_DEVICE_ANY;
		found = bpf_map_lookup_elem(&rf_accel_node_map, &key);
	}
	return found;
}

/* NULL: none. */
static __always_inline struct rf_accel_use *rf_accel_use_at(__u32 at)
{
	return at ? bpf_map_lookup_elem(&rf_accel_use_map, &at) : NULL;
}

/*
 * The place of its row; 0: it has none. With @take one is made of a free place, unless there is none. Two that make the
 * same at a time meet at the first free place.
 */
RF_GLOBAL __u32 rf_accel_use_search(__u64 whose, bool take)
{
	for (int way = 0; way < RF_ACCEL_USE_WAYS; way++) {
		__u32 at = RF_ACCEL_USE_AT(whose, way);
		struct rf_accel_use *use = rf_accel_use_at(at);

		if (use && RF_READ_ONCE(use->whose) == whose)
			return at;
	}
	for (int way = 0; take && way < RF_ACCEL_USE_WAYS; way++) {
		__u32 at = RF_ACCEL_USE_AT(whose, way);
		struct rf_accel_use *use = rf_accel_use_at(at);
		__u64 there;

		if (!use)
			continue;
		there = __sync_val_compare_and_swap(&use->whose, 0, whose);
		if (!there || there == whose)
			return at;
	}
	return 0;
}

/* Its row, made where there is none yet; NULL: no room, which is counted. */
static __always_inline struct rf_accel_use *rf_accel_use(__u32 owner, __u32 device, enum rf_hook hook, __u32 *ret_at)
{
	__u64 whose = RF_ACCEL_WHOSE(owner, device);
	__u32 at = RF_ACCEL_USE_AT(whose, 0);
	struct rf_accel_use *use = rf_accel_use_at(at);

	if (rf_unlikely(!use || RF_READ_ONCE(use->whose) != whose)) {
		at = rf_accel_use_search(whose, true);
		use = rf_accel_use_at(at);
		if (!use)
			rf_error(hook, RF_ERROR_ACCEL_FULL);
	}
	*ret_at = at;
	return use;
}

/* Of what this row's owner is in; NULL: nothing. */
static __always_inline struct rf_accel_use *rf_accel_above(const struct rf_accel_use *use)
{
	return rf_accel_use_at(RF_READ_ONCE(use->parent));
}

#endif
