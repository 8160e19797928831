/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host's files tell of a cgroup: who started it and what it is called.
 * Filled first from the path alone (pure), then from files on disk (runtime
 * bundles). Strings are owned; NULL is "not known".
 */
#ifndef RF_MODEL_IDENTITY_H
#define RF_MODEL_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "user/lib/cleanup.h"

/* Who made the cgroup. */
enum rf_manager {
	RF_MANAGER_OTHER,
	RF_MANAGER_SYSTEMD,    /* a unit that is no container */
	RF_MANAGER_KUBERNETES, /* below kubepods */
	RF_MANAGER_DOCKER,
	RF_MANAGER_PODMAN,
	RF_MANAGER_CONTAINERD, /* containerd or CRI-O outside Kubernetes */
	RF_MANAGER_CRIO,
	RF_MANAGER_SLURM,
	RF_MANAGERS
};

struct rf_label {
	char *key;
	char *value;
};

struct rf_identity {
	enum rf_manager manager;
	char *path;	    /* below the cgroup v2 root, starts with '/' */
	char *unit;	    /* innermost systemd unit that is no slice: "nginx.service", "docker-<id>.scope" */
	char *slice;	    /* innermost "*.slice" */
	char *runtime;	    /* "containerd", "cri-o", "docker", "podman" */
	char *container_id; /* 64 hex */
	char *container_name;
	char *image;
	char *pod_uid; /* with dashes, except static pods: 32 hex */
	char *pod_name;
	char *namespace; /* Kubernetes */
	char *qos;	 /* "guaranteed", "burstable", "besteffort" */
	char *slurm_job;
	char *slurm_step;
	char *slurm_user; /* uid as text where the path tells it */
	char *slurm_task;
	struct rf_label *labels; /* Kubernetes pod labels, sorted by key */
	size_t n_labels;
	bool labels_known;	      /* some file tells them; else what is not in @labels may still be there */
	struct rf_label *annotations; /* OCI annotations, sorted by key */
	size_t n_annotations;
};

void rf_identity_free(struct rf_identity *id);
RF_DEFINE_CLEANUP(struct rf_identity, rf_identity_free)
#define _cleanup_identity_ _cleanup_(rf_identity_freep)

const char *rf_manager_name(enum rf_manager m);
/* The value of a label or annotation; NULL when absent. */
const char *rf_labels_get(const struct rf_label *labels, size_t n, const char *key);
/*
 * The name shown outside when a policy does not give one: pod/container, unit without ".service"/".scope",
 * "slurm-<job>.<step>", else the last component of the path. Caller frees; NULL: out of memory.
 */
char *rf_identity_default_name(const struct rf_identity *id);

#endif
