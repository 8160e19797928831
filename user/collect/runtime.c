// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looks for the files and hands their text to the readers. Every file is opened
 * below a root with openat2(): no symbolic link, no "..", and for files in a
 * user's home no other mount, so that a user can neither lead us elsewhere nor
 * make us wait on a file system of their own.
 */
#include "user/collect/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "user/collect/runtime_json.h"
#include "user/lib/util.h"

#define BUNDLES "io.containerd.runtime.v2.task"

const struct rf_runtime_paths rf_runtime_paths_default = {
	.containerd = {
		"/run/containerd/" BUNDLES,
		"/run/k3s/containerd/" BUNDLES, /* k3s, RKE2 */
		"/run/k0s/containerd/" BUNDLES,
		"/var/snap/microk8s/common/run/containerd/" BUNDLES,
		"/run/docker/containerd/daemon/" BUNDLES, /* dockerd without a system containerd */
	},
	.storage = {
		"/run/containers/storage/overlay-containers",
		"/var/lib/containers/storage/overlay-containers",
	},
	.docker = "/var/lib/docker/containers",
	.pod_logs = "/var/log/pods",
	.passwd = "/etc/passwd",
};

struct lookup {
	struct rf_identity *id;
	const struct rf_runtime_paths *paths;
	struct rf_cgroup_origin origin;
	int error;   /* the first */
	bool proven; /* a bundle named this cgroup */
};

static bool is_missing(int r)
{
	return r == -ENOENT || r == -ENOTDIR;
}

/* Remembers the first error; true when it ends the lookup. */
static bool lookup_failed(struct lookup *l, int r)
{
	if (r && !l->error)
		l->error = r;
	if (r == -ENOMEM)
		l->error = r;
	return r == -ENOMEM;
}

static int open_below(int root_fd, const char *name, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | resolve,
	};
	int fd = syscall(SYS_openat2, root_fd, name, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int read_all(int fd, size_t max, char **ret_data, size_t *ret_len)
{
	_cleanup_free_ char *data = NULL;
	size_t len = 0, capacity = 16384;
	char *bigger;
	ssize_t n;

	data = malloc(capacity);
	if (!data)
		return -ENOMEM;
	for (;;) {
		n = read(fd, data + len, capacity - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += n;
		if (len > max)
			return -EFBIG;
		if (len < capacity)
			continue;
		bigger = realloc(data, capacity * 2);
		if (!bigger)
			return -ENOMEM;
		data = bigger;
		capacity *= 2;
	}
	*ret_data = TAKE_PTR(data);
	*ret_len = len;
	return 0;
}

/* @uid: whose file it must be, or NULL. */
static int read_below(const char *root, const char *name, size_t max, const uint32_t *uid, char **ret_data,
		      size_t *ret_len)
{
	_cleanup_close_ int root_fd = -1, fd = -1;
	struct stat st;

	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -errno;
	fd = open_below(root_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, uid ? RESOLVE_NO_XDEV : 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (uid && st.st_uid != *uid)
		return -EPERM;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	return read_all(fd, max, ret_data, ret_len);
}

/* 1: a bundle was there and spoke of this container. */
static int merge_bundle(struct lookup *l, const char *root, const char *name, const uint32_t *uid, char **ret_sandbox)
{
	_cleanup_free_ char *text = NULL, *sandbox = NULL;
	size_t len;
	int r;

	r = read_below(root, name, RF_RUNTIME_BUNDLE_MAX, uid, &text, &len);
	if (is_missing(r))
		return 0;
	if (!r)
		r = rf_runtime_oci_merge(l->id, &l->origin, text, len, &sandbox);
	if (r)
		return r;
	*ret_sandbox = TAKE_PTR(sandbox);
	return 1;
}

static int set_runtime(struct rf_identity *id, const char *runtime, enum rf_manager manager)
{
	if (id->manager == RF_MANAGER_OTHER)
		id->manager = manager;
	if (id->runtime)
		return 0;
	id->runtime = strdup(runtime);
	return id->runtime ? 0 : -ENOMEM;
}

/* The directory above the container's own: a containerd namespace, where ctr and nerdctl make the cgroups. */
static size_t parent_name(const struct lookup *l, char *buf, size_t size)
{
	const char *path = l->id->path, *begin;
	size_t end = l->origin.container_begin, n;

	if (end < 3)
		return 0;
	end--; /* the '/' between */
	begin = memrchr(path, '/', end);
	n = path + end - begin - 1;
	if (!n || n >= size)
		return 0;
	memcpy(buf, begin + 1, n);
	buf[n] = '\0';
	return n;
}

static bool try_containerd(struct lookup *l, const char *ns, const char *runtime, enum rf_manager manager)
{
	_cleanup_free_ char *sandbox = NULL;
	char name[NAME_MAX + 128];
	int r;

	if (l->id->runtime && !rf_streq(l->id->runtime, runtime))
		return false;
	snprintf(name, sizeof(name), "%s/%s/config.json", ns, l->id->container_id);
	for (size_t i = 0; i < ARRAY_SIZE(l->paths->containerd); i++) {
		if (!l->paths->containerd[i])
			continue;
		r = merge_bundle(l, l->paths->containerd[i], name, NULL, &sandbox);
		if (r == 1) {
			l->proven = true;
			lookup_failed(l, set_runtime(l->id, runtime, manager));
			return true;
		}
		if (lookup_failed(l, r))
			return true;
	}
	return false;
}

static void lookup_containerd(struct lookup *l)
{
	char parent[NAME_MAX + 1];

	if (l->id->manager == RF_MANAGER_KUBERNETES) {
		if (!try_containerd(l, "k8s.io", "containerd", RF_MANAGER_CONTAINERD))
			try_containerd(l, "moby", "docker", RF_MANAGER_DOCKER);
		return;
	}
	if (try_containerd(l, "moby", "docker", RF_MANAGER_DOCKER) ||
	    try_containerd(l, "default", "containerd", RF_MANAGER_CONTAINERD) ||
	    try_containerd(l, "k8s.io", "containerd", RF_MANAGER_CONTAINERD))
		return;
	if (parent_name(l, parent, sizeof(parent)) && !rf_streq(parent, "moby"))
		try_containerd(l, parent, "containerd", RF_MANAGER_CONTAINERD);
}

static void lookup_docker(struct lookup *l, const char *root, const char *below, const uint32_t *uid)
{
	_cleanup_free_ char *text = NULL;
	char name[256];
	size_t len;
	int r;

	snprintf(name, sizeof(name), "%s%s/config.v2.json", below, l->id->container_id);
	r = read_below(root, name, RF_RUNTIME_BUNDLE_MAX, uid, &text, &len);
	if (is_missing(r))
		return;
	if (!r)
		r = rf_runtime_docker_merge(l->id, text, len);
	if (!r)
		r = set_runtime(l->id, "docker", RF_MANAGER_DOCKER);
	lookup_failed(l, r);
}

/* The pod's labels are told by its sandbox alone. */
static bool merge_sandbox(struct lookup *l, const char *root, const char *sandbox)
{
	_cleanup_free_ char *text = NULL;
	char name[256];
	size_t len;
	int r;

	snprintf(name, sizeof(name), "%s/userdata/config.json", sandbox);
	r = read_below(root, name, RF_RUNTIME_BUNDLE_MAX, NULL, &text, &len);
	if (is_missing(r))
		return false;
	lookup_failed(l, r ? r : rf_runtime_sandbox_merge(l->id, text, len));
	return true;
}

/* Names and images of podman's containers; the volatile list holds those started with --rm. */
static void merge_storage_list(struct lookup *l, const char *root, const char *below, const uint32_t *uid)
{
	static const char *const lists[] = { "containers.json", "volatile-containers.json" };

	for (size_t i = 0; i < ARRAY_SIZE(lists) && !l->id->container_name; i++) {
		_cleanup_free_ char *text = NULL;
		char name[256];
		size_t len;
		int r;

		snprintf(name, sizeof(name), "%s%s", below, lists[i]);
		r = read_below(root, name, RF_RUNTIME_STORAGE_MAX, uid, &text, &len);
		if (is_missing(r))
			continue;
		if (lookup_failed(l, r ? r : rf_runtime_storage_merge(l->id, text, len)))
			return;
	}
}

static void lookup_storage(struct lookup *l)
{
	_cleanup_free_ char *sandbox = NULL;
	char name[256];
	bool found = false;
	int r;

	snprintf(name, sizeof(name), "%s/userdata/config.json", l->id->container_id);
	for (size_t i = 0; i < ARRAY_SIZE(l->paths->storage) && !found; i++) {
		if (!l->paths->storage[i])
			continue;
		r = merge_bundle(l, l->paths->storage[i], name, NULL, &sandbox);
		found = r == 1;
		if (lookup_failed(l, found ? 0 : r))
			return;
	}
	if (!found)
		return;
	l->proven = true;
	for (size_t i = 0; i < ARRAY_SIZE(l->paths->storage); i++) {
		if (!l->paths->storage[i])
			continue;
		if (sandbox && merge_sandbox(l, l->paths->storage[i], sandbox))
			break;
		if (!sandbox && rf_streq(l->id->runtime, "podman"))
			merge_storage_list(l, l->paths->storage[i], "", NULL);
	}
}

/* The home directory as the local file tells it: NSS could wait on a network. NULL: not told. */
static int find_home(const char *passwd, uint32_t uid, char **ret_home)
{
	_cleanup_fclose_ FILE *f = fopen(passwd, "re");
	struct passwd *entry;

	if (!f)
		return -errno;
	while ((entry = fgetpwent(f))) {
		if (entry->pw_uid != uid || entry->pw_dir[0] != '/')
			continue;
		*ret_home = strdup(entry->pw_dir);
		return *ret_home ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

static void lookup_rootless(struct lookup *l)
{
	static const char storage[] = ".local/share/containers/storage/overlay-containers/";
	_cleanup_free_ char *home = NULL, *sandbox = NULL;
	const uint32_t *uid = &l->origin.uid;
	char name[256];
	int r;

	if (!l->paths->passwd || !l->id->runtime)
		return;
	r = find_home(l->paths->passwd, *uid, &home);
	if (is_missing(r) || lookup_failed(l, r))
		return;
	if (rf_streq(l->id->runtime, "docker")) {
		lookup_docker(l, home, ".local/share/docker/containers/", uid);
	} else if (rf_streq(l->id->runtime, "podman")) {
		snprintf(name, sizeof(name), "%s%s/userdata/config.json", storage, l->id->container_id);
		r = merge_bundle(l, home, name, uid, &sandbox);
		if (r == 1)
			merge_storage_list(l, home, storage, uid);
		else
			lookup_failed(l, r);
	}
}

/* <namespace>_<name>_<uid>; neither of the first two can hold a '_'. */
static int merge_pod_logs(struct rf_identity *id, const char *entry, size_t uid_at)
{
	const char *sep = strchr(entry, '_');

	if (!sep || sep == entry || sep + 1 >= entry + uid_at || memchr(sep + 1, '_', entry + uid_at - sep - 1))
		return 0;
	id->pod_name = strndup(sep + 1, entry + uid_at - sep - 1);
	if (!id->pod_name)
		return -ENOMEM;
	if (!id->namespace)
		id->namespace = strndup(entry, sep - entry);
	return id->namespace ? 0 : -ENOMEM;
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static void lookup_pod_logs(struct lookup *l)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	size_t uid_len = strlen(l->id->pod_uid), len;
	struct dirent *entry;

	if (!l->paths->pod_logs)
		return;
	dir = opendir(l->paths->pod_logs);
	if (!dir) {
		lookup_failed(l, is_missing(-errno) ? 0 : -errno);
		return;
	}
	for (size_t i = 0; i < RF_RUNTIME_POD_LOGS_MAX && !l->id->pod_name; i++) {
		entry = readdir(dir);
		if (!entry)
			return;
		len = strlen(entry->d_name);
		if (len <= uid_len + 1 || entry->d_name[len - uid_len - 1] != '_' ||
		    memcmp(entry->d_name + len - uid_len, l->id->pod_uid, uid_len) != 0)
			continue;
		if (lookup_failed(l, merge_pod_logs(l->id, entry->d_name, len - uid_len - 1)))
			return;
	}
}

static bool may_be(const struct lookup *l, const char *runtime)
{
	return l->id->runtime && rf_streq(l->id->runtime, runtime);
}

/* Docker's own file does not name the cgroup: a bundle must have, or only the host's manager can have made it. */
static bool docker_believed(const struct lookup *l)
{
	if (!l->paths->docker || (l->id->runtime && !may_be(l, "docker")))
		return false;
	return l->proven || (!l->origin.delegated && l->error != -ESTALE && l->error != -ENOMEM);
}

int rf_runtime_enrich(struct rf_identity *id, const struct rf_runtime_paths *paths)
{
	struct lookup l = { .id = id, .paths = paths ? paths : &rf_runtime_paths_default };
	bool kubernetes = id->manager == RF_MANAGER_KUBERNETES;
	bool container = rf_runtime_id_valid(id->container_id);
	int r;

	r = rf_cgroup_path_origin(id->path, &l.origin);
	if (r)
		return r;
	/* Another node's files, or a user's own, tell of these: not ours. */
	if (l.origin.nested || (l.origin.user && kubernetes))
		return 0;
	if (l.origin.user) {
		if (container)
			lookup_rootless(&l);
		return l.error;
	}

	if (container) {
		if (may_be(&l, "cri-o") || may_be(&l, "podman"))
			lookup_storage(&l);
		else
			lookup_containerd(&l);
		if (docker_believed(&l))
			lookup_docker(&l, l.paths->docker, "", NULL);
	}
	if (kubernetes && id->pod_uid && !id->pod_name && !l.origin.delegated && l.error != -ENOMEM)
		lookup_pod_logs(&l);
	return l.error;
}
