// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holding links: a pin in bpffs can be removed and the daemon killed, and what
 * they kept attached goes with them. A reference here keeps it, until a daemon
 * that has attached its own lets go of those of the last.
 *
 * It does not stand against BPF_LINK_DETACH and BPF_LINK_UPDATE: whoever has a
 * link's descriptor may do those, and the guard's programs say who gets one.
 * Bound: RF_MAX_HELD_LINKS.
 */
#include <linux/bpf.h>
#include <linux/err.h>
#include <linux/mutex.h>

#include "ringfence/limits.h"
#include "compat.h"
#include "module.h"

static struct rf_held {
	struct bpf_link *link;
	u64 owner;
} rf_held[RF_MAX_HELD_LINKS]; /* the first rf_n_held are taken */
static u32 rf_n_held;
static DEFINE_MUTEX(rf_held_lock);

int rf_hold_link(int fd, u64 owner)
{
	struct bpf_link *link;
	int r = 0;
	u32 i;

	link = bpf_link_get_from_fd(fd);
	if (IS_ERR(link))
		return PTR_ERR(link);

	mutex_lock(&rf_held_lock);
	for (i = 0; i < rf_n_held && rf_held[i].link != link; i++)
		;
	if (i < rf_n_held) {
		rf_held[i].owner = owner;
		bpf_link_put(link);
	} else if (i < RF_MAX_HELD_LINKS) {
		rf_held[rf_n_held++] = (struct rf_held){ link, owner };
	} else {
		bpf_link_put(link);
		r = -ENOSPC;
	}
	mutex_unlock(&rf_held_lock);
	return r;
}

void rf_hold_release(u64 keep, u32 *ret_released, u32 *ret_held)
{
	u32 kept = 0, i;

	mutex_lock(&rf_held_lock);
	for (i = 0; i < rf_n_held; i++) {
		if (keep && rf_held[i].owner == keep)
			rf_held[kept++] = rf_held[i];
		else
			bpf_link_put(rf_held[i].link); /* the last reference detaches */
	}
	*ret_released = rf_n_held - kept;
	*ret_held = rf_n_held = kept;
	mutex_unlock(&rf_held_lock);
}

RF_IMPORT_BPF_INTERNAL;
