/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cgroup's path to an identity. Pure: no file is read.
 *
 * Names are believed from the root down, and only as far as they were given by
 * who runs the host: below a container, a job step or a service that was given
 * its subtree, directories are named by the workload itself, and a tenant may
 * call one "nginx.service". So the first container or unit on the way decides;
 * what follows is kept in @path alone. Two things do go on further:
 *  - user@UID.service has units of its own below it;
 *  - any container may hold a Kubernetes node (kind, k3d), whose pods are told
 *    apart, yet never looked up in this host's files (rf_cgroup_origin.nested).
 */
#ifndef RF_COLLECT_CGROUP_PATH_H
#define RF_COLLECT_CGROUP_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/model/identity.h"

/*
 * @path is below the cgroup v2 root and starts with '/'. -EINVAL when it does not, or holds an empty, "." or ".."
 * component; -ENAMETOOLONG past PATH_MAX; -ENOMEM. A path that tells nothing is an RF_MANAGER_OTHER.
 */
int rf_cgroup_path_parse(const char *path, struct rf_identity **ret);

/* How far the path proves what it says. */
struct rf_cgroup_origin {
	bool nested;	/* inside another container: this host's runtime files do not speak of it */
	bool delegated; /* below a unit, which may have made the directory itself */
	bool user;	/* below user@<uid>.service, uid not 0: made by that user */
	uint32_t uid;
	size_t container_begin; /* the container's own directory within the path: [begin, end); 0, 0: none */
	size_t container_end;
};

/* Errors as above. */
int rf_cgroup_path_origin(const char *path, struct rf_cgroup_origin *ret);

#endif
