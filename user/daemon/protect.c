// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two checks of a plan before it is put in force: does this host have what
 * each policy needs, and does the plan leave the host's own management alone?
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "user/daemon/app.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"

/* Whose loss would leave nobody to undo the policy. */
static const char *const protected_names[] = { "systemd", "sshd",	"kubelet", "containerd", "dockerd",
					       "crio",	  "ringfenced", "agetty",  "login",	 "slurmd" };

static bool name_is_protected(const char *comm)
{
	for (size_t i = 0; i < ARRAY_SIZE(protected_names); i++)
		if (rf_streq(comm, protected_names[i]))
			return true;
	return false;
}

/* The v2 line of /proc/PID/cgroup, "0::/path". */
static char *cgroup_of(int proc_fd, const char *pid)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	size_t len;

	snprintf(path, sizeof(path), "%.32s/cgroup", pid);
	if (rf_fs_read(proc_fd, path, 65536, &text, &len) < 0)
		return NULL;
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (rf_strprefix(line, "0::"))
			return strdup(line + 3);
	return NULL;
}

/* Nobody need have asked for isolation, but only where the host has it is anything denied. */
static bool image_isolates(const struct rf_registry *r, const struct rf_image *image)
{
	const struct rf_isolation_limits *limits = image->isolation ? &image->isolation->limits[RF_TIER_ENFORCE] : NULL;

	return limits &&
	       (limits->deny[RF_BETWEEN_TENANTS] | limits->deny[RF_BETWEEN_NAMESPACES] |
		limits->deny[RF_BETWEEN_WORKLOADS]) &&
	       rf_engine_support(r->engine, RF_FEATURE_ISOLATION) != RF_SUPPORT_UNAVAILABLE;
}

static bool image_enforces(const struct rf_registry *r, const struct rf_image *image)
{
	return image && (image->ruleset[RF_EGRESS][RF_TIER_ENFORCE] || image->ruleset[RF_INGRESS][RF_TIER_ENFORCE] ||
			 image->device[RF_TIER_ENFORCE] || image_isolates(r, image));
}

/* A process in another pid namespace is a container's own, whatever it is called. */
static bool same_pid_namespace(int proc_fd, const char *pid)
{
	char path[64], theirs[64] = "", ours[64] = "";

	snprintf(path, sizeof(path), "%.32s/ns/pid", pid);
	if (readlinkat(proc_fd, path, theirs, sizeof(theirs) - 1) < 0 ||
	    readlinkat(proc_fd, "self/ns/pid", ours, sizeof(ours) - 1) < 0)
		return false;
	return rf_streq(theirs, ours);
}

static int process_check(struct rf_registry *r, int proc_fd, const char *pid, char **ret_error)
{
	_cleanup_free_ char *comm = NULL, *path = NULL;
	const struct rf_image *image;
	char name[64];
	size_t len;

	snprintf(name, sizeof(name), "%.32s/comm", pid);
	if (rf_fs_read(proc_fd, name, 64, &comm, &len) < 0)
		return 0;
	comm[strcspn(comm, "\n")] = '\0';
	if (!name_is_protected(comm) || !same_pid_namespace(proc_fd, pid))
		return 0;
	path = cgroup_of(proc_fd, pid);
	if (!path)
		return 0;
	image = rf_registry_planned_image(r, path);
	if (!image_enforces(r, image))
		return 0;
	if (asprintf(ret_error,
		     "policy %s would be enforced on %s (pid %s, cgroup %s), which manages this host; select less, use "
		     "mode: audit, or force it",
		     image->policies[0], comm, pid, path) < 0)
		return -ENOMEM;
	return -EPERM;
}

static int management_check(struct rf_registry *r, char **ret_error)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int error = 0;

	if (!proc)
		return 0;
	while (error == 0 && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			error = process_check(r, dirfd(proc), entry->d_name, ret_error);
	closedir(proc);
	return error;
}

int rf_app_protect(struct rf_registry *r, const struct rf_policy_set *set, void *arg, char **ret_error)
{
	const bool *force = arg;

	(void)set;
	return *force ? 0 : management_check(r, ret_error);
}
