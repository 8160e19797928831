// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cgroup paths and mountinfo. Whatever the path, what is below a container cannot change who it is; and every part of
 * an identity is one component's own text, safe in a file name.
 */
#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>

#include "user/collect/cgroup_path.h"
#include "user/collect/mountinfo.h"
#include "user/collect/runtime_json.h"
#include "user/lib/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_component(const char *s)
{
	assert(!s || (*s && !strchr(s, '/')));
}

static void check_same(const char *a, const char *b)
{
	assert(a ? b && rf_streq(a, b) : !b);
}

static void check_child(const struct rf_identity *id)
{
	static const char *const children[] = { "nginx.service", "system.slice", "user@0.service", "job_1", "x" };

	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		_cleanup_identity_ struct rf_identity *child = NULL;
		_cleanup_free_ char *path = NULL;

		assert(asprintf(&path, "%s/%s", id->path, children[i]) > 0);
		if (rf_cgroup_path_parse(path, &child))
			continue; /* too long now */
		assert(child->manager == id->manager);
		check_same(child->unit, id->unit);
		check_same(child->slice, id->slice);
		check_same(child->container_id, id->container_id);
		check_same(child->pod_uid, id->pod_uid);
	}
}

static void try_path(const char *path)
{
	_cleanup_identity_ struct rf_identity *id = NULL;
	struct rf_cgroup_origin origin = { 0 };
	int r = rf_cgroup_path_parse(path, &id);

	assert(rf_cgroup_path_origin(path, &origin) == r);
	if (r) {
		assert(!id);
		return;
	}
	check_same(id->path, path);
	check_component(id->unit);
	check_component(id->slice);
	check_component(id->pod_uid);
	check_component(id->slurm_job);
	check_component(id->slurm_step);
	check_component(id->slurm_user);
	check_component(id->slurm_task);
	assert(!id->pod_uid || !strchr(id->pod_uid, '_'));
	assert(!id->pod_uid || id->manager == RF_MANAGER_KUBERNETES);
	assert(origin.container_begin <= origin.container_end && origin.container_end <= strlen(path));
	assert(!origin.nested || id->manager == RF_MANAGER_KUBERNETES);
	if (!id->container_id)
		return;
	assert(rf_runtime_id_valid(id->container_id));
	assert(origin.container_begin && path[origin.container_begin - 1] == '/');
	check_child(id);

	_cleanup_free_ char *own = strndup(path, origin.container_end);

	assert(own);
	if (!strchr(own, ':'))
		assert(rf_runtime_cgroup_matches(own, path, &origin));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1), *mount = NULL;

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	try_path(text);
	if (!rf_cgroup2_mount_parse((const char *)data, size, &mount))
		assert(mount[0] == '/');
	return 0;
}
