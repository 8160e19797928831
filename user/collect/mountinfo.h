/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where cgroup v2 is mounted; and every mount, with its file system. */
#ifndef RF_COLLECT_MOUNTINFO_H
#define RF_COLLECT_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Pure, over the text of /proc/<pid>/mountinfo: a cgroup2 mount of the whole hierarchy that no other mount covers;
 * /sys/fs/cgroup is preferred, then /sys/fs/cgroup/unified, then the first. -ENOENT: none. A line that is not one is
 * passed over. Caller frees.
 */
int rf_cgroup2_mount_parse(const char *text, size_t len, char **ret);
/* The same for this process. */
int rf_cgroup2_mount_find(char **ret);

struct rf_mounts {
	struct rf_mount_point {
		uint64_t id;
		uint32_t device; /* major << 20 | minor: of the super block, whatever stat() says */
		char *point;
		char type[16]; /* of the file system, cut */
	} *list;
	size_t n;
};

int rf_mounts_parse(const char *text, size_t len, struct rf_mounts *ret);
int rf_mounts_read(pid_t pid, struct rf_mounts *ret); /* of that process; 0: of this one */
void rf_mounts_fini(struct rf_mounts *m);
/* The type of the file system with that device; NULL: it is not mounted there. */
const char *rf_mounts_type(const struct rf_mounts *m, uint32_t device);
/* Nobody but the kernel and a disk of this host makes those wait who read a file of it. An overlay's layers may. */
bool rf_mount_is_local(const char *type);
/* NULL: no mount of that id; -ENOENT. */
const struct rf_mount_point *rf_mounts_find(const struct rf_mounts *m, uint64_t id);
int rf_mounts_device(const struct rf_mounts *m, uint64_t id, uint32_t *ret);

#endif
