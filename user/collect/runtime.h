/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this host's files tell of a container that a path names: the OCI bundle
 * of containerd, CRI-O or podman, Docker's config.v2.json, the kubelet's log
 * directory. No daemon is asked and nothing is waited for.
 *
 * A bundle counts only when it names the very cgroup that we look at, so that
 * a directory made below a delegated cgroup cannot borrow another container's
 * name. What a rootless container's files tell was written by that user.
 */
#ifndef RF_COLLECT_RUNTIME_H
#define RF_COLLECT_RUNTIME_H

#include "user/model/identity.h"

#define RF_RUNTIME_BUNDLE_MAX	(4 * 1024 * 1024)  /* bytes of a config.json or config.v2.json */
#define RF_RUNTIME_STORAGE_MAX	(16 * 1024 * 1024) /* bytes of a containers.json, which lists all containers */
#define RF_RUNTIME_POD_LOGS_MAX 65536		   /* entries of /var/log/pods looked through */

#define RF_RUNTIME_CONTAINERD_ROOTS 6

/* Where to look; NULL: nowhere. Symbolic links are followed up to and including these, never below them. */
struct rf_runtime_paths {
	const char *containerd[RF_RUNTIME_CONTAINERD_ROOTS]; /* <root>/<containerd namespace>/<id>/config.json */
	const char *storage[2];				     /* <root>/<id>/userdata/config.json: CRI-O, podman */
	const char *docker;				     /* <root>/<id>/config.v2.json */
	const char *pod_logs;				     /* <root>/<namespace>_<name>_<uid> */
	const char *passwd; /* home directories, for rootless containers; a file, never the name service */
};

extern const struct rf_runtime_paths rf_runtime_paths_default;

/*
 * Fills what @id does not know yet; what it knows is never changed. @paths NULL: the defaults. A file that is missing
 * is no error. Otherwise the first thing that was wrong, with what was known kept: -EBADMSG malformed; -EFBIG too
 * large; -ELOOP a symbolic link; -ESTALE the files speak of another cgroup; -EPERM not the user's own file; or another
 * errno.
 */
int rf_runtime_enrich(struct rf_identity *id, const struct rf_runtime_paths *paths);

#endif
