/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What container runtimes write beside a container, merged into an identity.
 * Pure: text in, facts out. A fact that is already known is never replaced, so
 * that the path, which the host's manager made, always wins over a file.
 *
 * All return 0; -EBADMSG: malformed (what could be read was merged); -ESTALE:
 * the text speaks of another container or cgroup, nothing merged; -ENOMEM.
 */
#ifndef RF_COLLECT_RUNTIME_JSON_H
#define RF_COLLECT_RUNTIME_JSON_H

#include "user/collect/cgroup_path.h"
#include "user/model/identity.h"

/*
 * config.json of an OCI bundle. Its linux.cgroupsPath must lead to the container's directory in id->path; it may be
 * absent only where @origin says that nobody but the host's manager can have made that directory.
 * @ret_sandbox: the id of the pod's sandbox (64 hex, caller frees), NULL where none is told or it is this container.
 */
int rf_runtime_oci_merge(struct rf_identity *id, const struct rf_cgroup_origin *origin, const char *text, size_t len,
			 char **ret_sandbox);
/* config.json of a CRI-O sandbox: the pod's labels. */
int rf_runtime_sandbox_merge(struct rf_identity *id, const char *text, size_t len);
/* Docker's config.v2.json. */
int rf_runtime_docker_merge(struct rf_identity *id, const char *text, size_t len);
/* containers.json of containers/storage: the name and image of the one with this id. */
int rf_runtime_storage_merge(struct rf_identity *id, const char *text, size_t len);

/* 64 lower-case hex digits: also what makes an id safe as one component of a file name. */
bool rf_runtime_id_valid(const char *id);
/* Does linux.cgroupsPath ("/a/b", or systemd's "slice:prefix:name") lead to the container's directory in @path? */
bool rf_runtime_cgroup_matches(const char *cgroups_path, const char *path, const struct rf_cgroup_origin *origin);

#endif
