// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *   kfd/topology/nodes/N/gpu_id               0 for a processor
 *   kfd/topology/nodes/N/properties           lines "name value"; drm_render_minor
 *   kfd/proc/PID/vram_GPUID                   bytes
 *   kfd/proc/PID/sdma_GPUID                   microseconds
 *   kfd/proc/PID/stats_GPUID/evicted_ms
 *   kfd/proc/PID/stats_GPUID/cu_occupancy     not of every GPU
 */
#include "user/collect/kfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/collect/flat_keyed.h"
#include "user/lib/fs.h"

#define FILE_MAX  16384
#define NAMES_MAX 4096
#define DRM_MAJOR 226
#define GPUS_MAX  256

struct gpu {
	uint32_t id, device;
};

struct scan {
	const struct rf_accelerators *accelerators;
	struct gpu gpus[GPUS_MAX];
	size_t n_gpus;
	struct rf_kfd *found;
};

/* 0 where it is not told. */
static uint64_t number_read(int dir, const char *path)
{
	_cleanup_free_ char *text = NULL;
	uint64_t value = 0;
	size_t len;

	if (rf_fs_read(dir, path, FILE_MAX, &text, &len) == 0)
		(void)rf_line_u64(text, &value);
	return value;
}

static bool property_read(int dir, const char *path, const char *name, uint64_t *ret)
{
	_cleanup_free_ char *text = NULL;
	const char *value;
	size_t len;

	if (rf_fs_read(dir, path, FILE_MAX, &text, &len) < 0)
		return false;
	value = rf_flat_keyed_find(text, name);
	return value && rf_line_u64(value, ret) == 0;
}

static void gpu_add(struct scan *s, int nodes, const char *name)
{
	const struct rf_accelerator_node *node;
	char path[300];
	uint64_t id, minor;

	snprintf(path, sizeof(path), "%.255s/gpu_id", name);
	id = number_read(nodes, path);
	snprintf(path, sizeof(path), "%.255s/properties", name);
	if (!id || id > UINT32_MAX || !property_read(nodes, path, "drm_render_minor", &minor) || s->n_gpus == GPUS_MAX)
		return;
	node = rf_accelerators_find(s->accelerators, DRM_MAJOR, minor);
	if (node && node->minor == minor && node->part == RF_PART_DEVICE)
		s->gpus[s->n_gpus++] = (struct gpu){ id, node->device };
}

/* One of a process on a GPU: every one has a file of its memory. */
static int use_add(struct scan *s, int process, uint32_t pid, const char *id_text)
{
	struct rf_kfd *k = s->found;
	struct rf_kfd_use use = { .pid = pid, .device = RF_ACCELERATOR_NONE };
	char path[64];
	uint64_t id;

	for (size_t i = 0; rf_line_u64(id_text, &id) == 0 && i < s->n_gpus; i++)
		if (s->gpus[i].id == id)
			use.device = s->gpus[i].device;
	if (use.device == RF_ACCELERATOR_NONE || k->n == RF_KFD_MAX) {
		k->left_out++;
		return 0;
	}
	if (!k->uses) {
		k->uses = calloc(RF_KFD_MAX, sizeof(*k->uses));
		if (!k->uses)
			return -ENOMEM;
	}
	snprintf(path, sizeof(path), "vram_%.20s", id_text);
	use.vram = number_read(process, path);
	snprintf(path, sizeof(path), "sdma_%.20s", id_text);
	use.sdma_us = number_read(process, path);
	snprintf(path, sizeof(path), "stats_%.20s/evicted_ms", id_text);
	use.evicted_ms = number_read(process, path);
	snprintf(path, sizeof(path), "stats_%.20s/cu_occupancy", id_text);
	use.compute_units = number_read(process, path);
	k->uses[k->n++] = use;
	return 0;
}

static int process_add(struct scan *s, int processes, const char *name)
{
	_cleanup_close_ int process = -1;
	uint64_t pid;
	char **names;
	size_t n;
	int r = 0;

	if (rf_line_u64(name, &pid) < 0 || !pid || pid > INT32_MAX)
		return 0;
	process = openat(processes, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process < 0 || rf_fs_list(process, ".", NAMES_MAX, &names, &n) < 0)
		return 0;
	for (size_t i = 0; r >= 0 && i < n; i++)
		if (rf_strprefix(names[i], "vram_"))
			r = use_add(s, process, pid, names[i] + strlen("vram_"));
	rf_fs_names_free(names, n);
	return r;
}

static int use_compare(const void *a, const void *b)
{
	const struct rf_kfd_use *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->device > y->device) - (x->device < y->device);
}

/* Every entry of @sys/@path, and the directory itself. */
static int each(struct scan *s, const char *sys, const char *path, int (*fn)(struct scan *s, int dir, const char *name))
{
	_cleanup_close_ int dir = -1;
	char full[4096];
	char **names;
	size_t n;
	int r = 0;

	snprintf(full, sizeof(full), "%.3000s/class/kfd/kfd/%s", sys, path);
	dir = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || rf_fs_list(dir, ".", NAMES_MAX, &names, &n) < 0)
		return 0;
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = fn(s, dir, names[i]);
	rf_fs_names_free(names, n);
	return r;
}

static int node_take(struct scan *s, int dir, const char *name)
{
	gpu_add(s, dir, name);
	return 0;
}

int rf_kfd_scan(const char *sys, const struct rf_accelerators *a, struct rf_kfd *ret)
{
	struct rf_kfd found = { 0 };
	struct scan s = { .accelerators = a, .found = &found };
	int r = each(&s, sys, "topology/nodes", node_take);

	if (r >= 0)
		r = each(&s, sys, "proc", process_add);
	if (r < 0) {
		rf_kfd_fini(&found);
		return r;
	}
	if (found.n)
		qsort(found.uses, found.n, sizeof(*found.uses), use_compare);
	*ret = found;
	return 0;
}

void rf_kfd_fini(struct rf_kfd *k)
{
	free(k->uses);
	*k = (struct rf_kfd){ 0 };
}
