/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where an engine of a test has its pins and its cgroups; nothing is left of it. */
#ifndef RF_TEST_PLACE_H
#define RF_TEST_PLACE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/collect/mountinfo.h"
#include "user/engine/engine.h"
#include "user/lib/cleanup.h"

struct place {
	char directory[64], bpffs[80], root[256];
};

/* In a mount namespace of its own. -1: it was told why, where that is known. */
static int place_make(struct place *p, const char *name, struct rf_engine **ret)
{
	_cleanup_free_ char *mount_point = NULL, *error = NULL;
	struct rf_engine_options options = { .bpffs = p->bpffs, .cgroup_root = p->root };

	if (rf_cgroup2_mount_find(&mount_point) < 0)
		return -1;
	snprintf(p->directory, sizeof(p->directory), "/tmp/rf-%s-XXXXXX", name);
	if (!mkdtemp(p->directory))
		return -1;
	snprintf(p->bpffs, sizeof(p->bpffs), "%s/bpf", p->directory);
	snprintf(p->root, sizeof(p->root), "%.200s/rf-%s-%d", mount_point, name, getpid());
	if (mkdir(p->root, 0700) < 0)
		return -1;
	if (rf_engine_new(&options, ret, &error) == 0)
		return 0;
	fprintf(stderr, "%s\n", error ? error : "no engine");
	return -1;
}

static void place_remove(const struct place *p, struct rf_engine *engine)
{
	if (engine)
		rf_engine_detach(engine);
	rf_engine_free(engine);
	rmdir(p->root);
	rmdir(p->bpffs);
	rmdir(p->directory);
}

#endif
