// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The readers of runtime files, over an identity of each kind. The first byte chooses; what the path told stays, what
 * is merged is sorted, and a text that speaks of another cgroup merges nothing.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>

#include "user/collect/cgroup_path.h"
#include "user/collect/runtime_json.h"
#include "user/lib/util.h"

#define ID  "3f4e8b1c0d5a697887a6b5c4d3e2f1009f8e7d6c5b4a39281706f5e4d3c2b1a0"
#define POD "/kubepods/pod8a2f1c34-5b6d-4e7f-9a01-bc23de45f678/"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {
	(POD ID),
	("/system.slice/docker-" ID ".scope"),
	("/system.slice/a.service/libpod-payload-" ID),
	"/kubepods/burstable",
};

static void check_labels(const struct rf_label *labels, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert(labels[i].key && labels[i].value);
		assert(!i || strcmp(labels[i - 1].key, labels[i].key) <= 0);
	}
}

static int merge(unsigned int reader, struct rf_identity *id, const char *text, size_t len)
{
	_cleanup_free_ char *sandbox = NULL;
	struct rf_cgroup_origin origin;
	int r;

	assert(!rf_cgroup_path_origin(id->path, &origin));
	switch (reader) {
	case 0:
		r = rf_runtime_oci_merge(id, &origin, text, len, &sandbox);
		assert(!sandbox || (rf_runtime_id_valid(sandbox) && r != -ESTALE));
		return r;
	case 1:
		return rf_runtime_sandbox_merge(id, text, len);
	case 2:
		return rf_runtime_docker_merge(id, text, len);
	default:
		return rf_runtime_storage_merge(id, text, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_identity_ struct rf_identity *id = NULL;
	int r;

	if (!size)
		return 0;
	assert(!rf_cgroup_path_parse(paths[data[0] >> 2 & 3], &id));
	if (data[0] & 16)
		assert((id->container_name = strdup("known")));
	r = merge(data[0] & 3, id, (const char *)data + 1, size - 1);
	assert(r == 0 || r == -EBADMSG || r == -ESTALE);
	assert(rf_streq(id->path, paths[data[0] >> 2 & 3]));
	assert(!(data[0] & 16) || rf_streq(id->container_name, "known"));
	assert(!id->pod_name || *id->pod_name);
	if (r == -ESTALE)
		assert(!id->image && !id->pod_name && !id->n_labels && !id->n_annotations);
	check_labels(id->labels, id->n_labels);
	check_labels(id->annotations, id->n_annotations);
	return 0;
}
