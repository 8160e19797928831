/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that systemd, container runtimes and the kubelet give to cgroup directories, one at a time. Pure. */
#ifndef RF_COLLECT_CGROUP_NAME_H
#define RF_COLLECT_CGROUP_NAME_H

#include "user/lib/span.h"
#include "user/model/identity.h"

struct rf_cgroup_runtime {
	const char *name;    /* what stands before the id, or the directory above it */
	const char *runtime; /* NULL: not told */
	enum rf_manager manager;
	bool monitor; /* conmon, beside its container: no workload */
};

/* The directory of a container or of its monitor, and its id; NULL: neither. @previous: the directory above. */
const struct rf_cgroup_runtime *rf_cgroup_name_container(struct rf_span name, struct rf_span previous,
							 struct rf_span *ret_id);

struct rf_kube_slice {
	const char *qos;	/* NULL: above the classes of service */
	struct rf_span pod_uid; /* with '_' for '-' */
};

bool rf_cgroup_name_kube(struct rf_span c, struct rf_kube_slice *ret);
/* "burstable" or "besteffort"; NULL. */
const char *rf_cgroup_name_qos(struct rf_span c);
bool rf_cgroup_name_is_pod_uid(struct rf_span c);

/* A systemd unit that is no slice, and its name as systemctl shows it. */
bool rf_cgroup_name_is_unit(struct rf_span c);
struct rf_span rf_cgroup_name_unit(struct rf_span c);
/* "\x2d" back to "-" in a new string. What is no escape stays, and so do control bytes and '/'. NULL: out of memory. */
char *rf_systemd_unescape(const char *s, size_t len);

#endif
