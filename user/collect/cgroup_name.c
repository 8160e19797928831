// SPDX-License-Identifier: GPL-2.0-or-later
/* What one directory's name says by itself; whether it may be believed is the walk's business (cgroup_path.c). */
#include "user/collect/cgroup_name.h"

#include <ctype.h>
#include <stdlib.h>

#include "user/lib/util.h"

#define CONTAINER_ID_LEN 64
#define POD_UID_MAX	 64

static bool is_container_id(struct rf_span a)
{
	if (a.n != CONTAINER_ID_LEN)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (!isdigit((unsigned char)a.s[i]) && (a.s[i] < 'a' || a.s[i] > 'f'))
			return false;
	}
	return true;
}

bool rf_cgroup_name_is_pod_uid(struct rf_span a)
{
	if (!a.n || a.n > POD_UID_MAX)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (!isalnum((unsigned char)a.s[i]) && a.s[i] != '-' && a.s[i] != '_')
			return false;
	}
	return true;
}

const char *rf_cgroup_name_qos(struct rf_span a)
{
	if (rf_span_eq(a, "burstable"))
		return "burstable";
	if (rf_span_eq(a, "besteffort"))
		return "besteffort";
	return NULL;
}

/* Who puts what before the id. "conmon" names the monitor beside a container: no workload. */
static const struct rf_cgroup_runtime prefixes[] = {
	{ "docker-", "docker", RF_MANAGER_DOCKER, false },
	{ "cri-containerd-", "containerd", RF_MANAGER_CONTAINERD, false },
	{ "crio-conmon-", NULL, RF_MANAGER_SYSTEMD, true },
	{ "crio-", "cri-o", RF_MANAGER_CRIO, false },
	{ "libpod-conmon-", NULL, RF_MANAGER_SYSTEMD, true },
	{ "libpod-payload-", "podman", RF_MANAGER_PODMAN, false },
	{ "libpod-", "podman", RF_MANAGER_PODMAN, false },
	{ "nerdctl-", "containerd", RF_MANAGER_CONTAINERD, false },
};

/* Where a bare id stands below a directory that tells the runtime. */
static const struct rf_cgroup_runtime parents[] = {
	{ "docker", "docker", RF_MANAGER_DOCKER, false },
	{ "k8s.io", "containerd", RF_MANAGER_CONTAINERD, false },
	{ "default", "containerd", RF_MANAGER_CONTAINERD, false },
};

static const struct rf_cgroup_runtime unknown_runtime = { "", NULL, RF_MANAGER_OTHER, false };

const struct rf_cgroup_runtime *rf_cgroup_name_container(struct rf_span name, struct rf_span previous,
							 struct rf_span *ret_id)
{
	struct rf_span id;

	rf_span_cut_suffix(name, ".scope", &name);
	if (is_container_id(name)) {
		*ret_id = name;
		for (size_t i = 0; previous.s && i < ARRAY_SIZE(parents); i++) {
			if (rf_span_eq(previous, parents[i].name))
				return &parents[i];
		}
		return &unknown_runtime;
	}
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (!rf_span_cut_prefix(name, prefixes[i].name, &id) || !is_container_id(id))
			continue;
		*ret_id = id;
		return &prefixes[i];
	}
	return NULL;
}

bool rf_cgroup_name_is_unit(struct rf_span c)
{
	static const char *const suffixes[] = { ".service", ".scope", ".mount", ".swap", ".socket" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (rf_span_has_suffix(c, suffixes[i]))
			return true;
	}
	return false;
}

/* systemd puts one '_' before a name that the kernel could want for a file of its own. */
struct rf_span rf_cgroup_name_unit(struct rf_span c)
{
	if (c.n > 1 && c.s[0] == '_')
		return (struct rf_span){ c.s + 1, c.n - 1 };
	return c;
}

/*
 * "kubepods.slice", "kubelet-kubepods-burstable.slice", "kubepods-burstable-pod<uid>.slice", and "kubepods" of the
 * cgroupfs driver. The uid has '_' for '-' in a slice, so that the last '-' always stands before "pod".
 */
bool rf_cgroup_name_kube(struct rf_span c, struct rf_kube_slice *ret)
{
	struct rf_span rest, tail, uid;
	const char *qos = NULL;
	struct rf_span pod = { NULL, 0 };
	const char *dash;

	if (rf_span_eq(c, "kubepods")) {
		*ret = (struct rf_kube_slice){ 0 };
		return true;
	}
	if (!rf_span_cut_suffix(c, ".slice", &rest))
		return false;

	for (int part = 0; part < 3; part++) {
		dash = memrchr(rest.s, '-', rest.n);
		tail = dash ? (struct rf_span){ dash + 1, (size_t)(rest.s + rest.n - dash - 1) } : rest;
		if (rf_span_eq(tail, "kubepods")) {
			ret->qos = pod.s && !qos ? "guaranteed" : qos;
			ret->pod_uid = pod;
			return true;
		}
		if (!dash)
			return false;
		if (part == 0 && rf_span_cut_prefix(tail, "pod", &uid) && rf_cgroup_name_is_pod_uid(uid))
			pod = uid;
		else if (!qos && rf_cgroup_name_qos(tail))
			qos = rf_cgroup_name_qos(tail);
		else
			return false;
		rest.n = dash - rest.s;
	}
	return false;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *rf_systemd_unescape(const char *s, size_t len)
{
	char *out = malloc(len + 1);
	size_t n = 0;
	int high, low;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		out[n++] = s[i];
		if (s[i] != '\\' || len - i < 4 || s[i + 1] != 'x')
			continue;
		high = hex(s[i + 2]);
		low = hex(s[i + 3]);
		/* No manager escapes a control byte or a '/' in a name that it means to be read. */
		if (high < 2 || low < 0 || (high << 4 | low) == '/')
			continue;
		out[n - 1] = high << 4 | low;
		i += 3;
	}
	out[n] = '\0';
	return out;
}
