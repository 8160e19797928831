// SPDX-License-Identifier: GPL-2.0-or-later
/* Life and default names of identities. */
#include "user/model/identity.h"

#include <assert.h>

#include "user/lib/strbuf.h"

#define SHORT_ID 12 /* characters of a container's id that people use */

static const char *const manager_names[] = {
	[RF_MANAGER_OTHER] = "other",	[RF_MANAGER_SYSTEMD] = "systemd", [RF_MANAGER_KUBERNETES] = "kubernetes",
	[RF_MANAGER_DOCKER] = "docker", [RF_MANAGER_PODMAN] = "podman",	  [RF_MANAGER_CONTAINERD] = "containerd",
	[RF_MANAGER_CRIO] = "cri-o",	[RF_MANAGER_SLURM] = "slurm",
};
static_assert(ARRAY_SIZE(manager_names) == RF_MANAGERS, "a manager has no name");

static void free_labels(struct rf_label *labels, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(labels[i].key);
		free(labels[i].value);
	}
	free(labels);
}

void rf_identity_free(struct rf_identity *id)
{
	if (!id)
		return;
	free(id->path);
	free(id->unit);
	free(id->slice);
	free(id->runtime);
	free(id->container_id);
	free(id->container_name);
	free(id->image);
	free(id->pod_uid);
	free(id->pod_name);
	free(id->namespace);
	free(id->qos);
	free(id->slurm_job);
	free(id->slurm_step);
	free(id->slurm_user);
	free(id->slurm_task);
	free_labels(id->labels, id->n_labels);
	free_labels(id->annotations, id->n_annotations);
	free(id);
}

const char *rf_manager_name(enum rf_manager m)
{
	return (unsigned int)m < RF_MANAGERS ? manager_names[m] : "unknown";
}

const char *rf_labels_get(const struct rf_label *labels, size_t n, const char *key)
{
	/* Sorted by key; a handful of entries is not worth a binary search that trusts it. */
	for (size_t i = 0; i < n; i++)
		if (rf_streq(labels[i].key, key))
			return labels[i].value;
	return NULL;
}

static void add_container(struct rf_strbuf *out, const struct rf_identity *id)
{
	if (id->container_name)
		rf_strbuf_addf(out, "/%s", id->container_name);
	else if (id->container_id)
		rf_strbuf_addf(out, "/%.*s", SHORT_ID, id->container_id);
}

static void add_unit(struct rf_strbuf *out, const char *unit)
{
	const char *suffix = strrchr(unit, '.');
	size_t len = strlen(unit);

	if (suffix && suffix != unit && (rf_streq(suffix, ".service") || rf_streq(suffix, ".scope")))
		len = suffix - unit;
	rf_strbuf_add(out, unit, len);
}

static void add_last_component(struct rf_strbuf *out, const char *path)
{
	size_t len = strlen(path), start;

	while (len && path[len - 1] == '/')
		len--;
	for (start = len; start && path[start - 1] != '/'; start--)
		;
	if (len)
		rf_strbuf_add(out, path + start, len - start);
	else
		rf_strbuf_adds(out, "root");
}

/*
 * A Slurm job goes before its unit, and a container before its scope: all jobs of a host share "slurmstepd.scope", and
 * a scope's name only repeats the container's id.
 */
char *rf_identity_default_name(const struct rf_identity *id)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	if (id->pod_name || id->pod_uid) {
		rf_strbuf_adds(&out, id->pod_name ?: id->pod_uid);
		add_container(&out, id);
	} else if (id->slurm_job) {
		rf_strbuf_addf(&out, "slurm-%s", id->slurm_job);
		if (id->slurm_step)
			rf_strbuf_addf(&out, ".%s", id->slurm_step);
	} else if (id->container_name) {
		rf_strbuf_adds(&out, id->container_name);
	} else if (id->unit) {
		add_unit(&out, id->unit);
	} else {
		add_last_component(&out, id->path ?: "");
	}
	return rf_strbuf_take(&out);
}
