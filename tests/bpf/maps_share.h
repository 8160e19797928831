/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program of a test is given the maps that an engine has pinned. */
#ifndef RF_TEST_MAPS_SHARE_H
#define RF_TEST_MAPS_SHARE_H

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "ringfence/abi.h"
#include "user/lib/util.h"

/* The names are those of rf_engine_map_name(). */
static int maps_share(struct bpf_object *object, const char *bpffs)
{
	char path[256];
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		const char *name = bpf_map__name(map);

		if (rf_strprefix(name, ".data."))
			name += strlen(".data.");
		if (!rf_strprefix(name, "rf_"))
			continue;
		snprintf(path, sizeof(path), "%s/maps_%u/%s", bpffs, RF_MAP_ABI, name);
		/* Of level 1: no verdict of the network asks it, and a host without cannot make it. */
		if (access(path, F_OK) < 0 && bpf_map__type(map) == BPF_MAP_TYPE_INODE_STORAGE) {
			(void)bpf_map__set_autocreate(map, false);
			continue;
		}
		/* Without a pin the program would get an empty map of its own. */
		if (access(path, F_OK) < 0 || bpf_map__set_pin_path(map, path) < 0)
			return -ENOENT;
	}
	return 0;
}

#endif
