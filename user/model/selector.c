// SPDX-License-Identifier: GPL-2.0-or-later
/* Does a selector choose this identity? All that the selector says must hold. */
#include "user/model/selector.h"

#include "user/lib/util.h"

/* A pattern that is not given says nothing; one that is given never matches what is not known. */
static bool matches(const char *pattern, const char *text, char separator)
{
	return !pattern || (text && rf_glob_match(pattern, text, separator));
}

static bool has_labels(const struct rf_label *wanted, size_t n_wanted, const struct rf_label *labels, size_t n)
{
	for (size_t i = 0; i < n_wanted; i++) {
		const char *value = rf_labels_get(labels, n, wanted[i].key);

		if (!value || (wanted[i].value && !rf_streq(value, wanted[i].value)))
			return false;
	}
	return true;
}

static bool is_container(const struct rf_identity *id)
{
	return id->container_id || id->container_name || id->runtime;
}

static bool container_matches(const struct rf_selector *s, const struct rf_identity *id)
{
	if (s->runtime && (!id->runtime || !rf_streq(s->runtime, id->runtime)))
		return false;
	return is_container(id) && matches(s->image, id->image, 0) &&
	       matches(s->container_name, id->container_name, 0) &&
	       has_labels(s->annotations, s->n_annotations, id->annotations, id->n_annotations);
}

/* A pod or what is inside one: the slices above the pods are Kubernetes', but no workload. */
static bool kubernetes_matches(const struct rf_selector *s, const struct rf_identity *id)
{
	return (id->pod_uid || id->pod_name) && matches(s->k8s_namespace, id->namespace, 0) &&
	       matches(s->k8s_pod, id->pod_name, 0) && matches(s->k8s_container, id->container_name, 0) &&
	       has_labels(s->k8s_labels, s->n_k8s_labels, id->labels, id->n_labels) &&
	       (!s->k8s_expressions.n ||
		(id->labels_known && rf_label_matches_hold(&s->k8s_expressions, id->labels, id->n_labels)));
}

static bool slurm_matches(const struct rf_selector *s, const struct rf_identity *id)
{
	return id->slurm_job && matches(s->slurm_job, id->slurm_job, 0) && matches(s->slurm_user, id->slurm_user, 0);
}

bool rf_selector_match(const struct rf_selector *s, const struct rf_identity *id)
{
	bool container = s->container || s->runtime || s->image || s->container_name || s->n_annotations;
	bool kubernetes = s->kubernetes || s->k8s_namespace || s->k8s_pod || s->k8s_container || s->n_k8s_labels;
	bool slurm = s->slurm || s->slurm_job || s->slurm_user;

	/* A selector that says nothing selects nothing: the other reading would put the whole host under a policy. */
	if (!s->cgroup && !s->systemd && !container && !kubernetes && !slurm)
		return false;
	return matches(s->cgroup, id->path, '/') && matches(s->systemd, id->unit, 0) &&
	       (!container || container_matches(s, id)) && (!kubernetes || kubernetes_matches(s, id)) &&
	       (!slurm || slurm_matches(s, id));
}

bool rf_policy_selects(const struct rf_policy *p, const struct rf_identity *id)
{
	for (size_t i = 0; i < p->n_selectors; i++)
		if (rf_selector_match(&p->selectors[i], id))
			return true;
	return false;
}
