// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One walk over the components, from the root down. The level says what is
 * still believed below the component just read; it only ever gets stricter.
 */
#include "user/collect/cgroup_path.h"

#include <errno.h>
#include <limits.h>

#include "user/collect/cgroup_name.h"
#include "user/lib/util.h"

enum level {
	LEVEL_OPEN,	 /* slices and plain directories so far: everything is believed */
	LEVEL_UNIT,	 /* inside a unit: containers, pods */
	LEVEL_CONTAINER, /* inside a container: pods of a node that it may hold */
	LEVEL_KUBE,	 /* inside kubepods: what the kubelet makes */
	LEVEL_JOBS,	 /* inside Slurm's tree */
	LEVEL_FINAL,
};

struct walk {
	enum level level;
	enum rf_manager manager;
	struct rf_cgroup_origin origin;
	struct rf_span unit, slice, container_id, container_name, pod_uid, job, step, user, task;
	const char *runtime;
	const char *qos;
	struct rf_span previous;
};

/* True for a directory of the kubelet's own tree; keeps what it tells. */
static bool parse_kube(struct walk *w, struct rf_span c)
{
	struct rf_kube_slice k = { 0 };

	if (!rf_cgroup_name_kube(c, &k))
		return false;
	if (rf_span_has_suffix(c, ".slice"))
		w->slice = c;
	if (k.qos)
		w->qos = k.qos;
	if (k.pod_uid.s)
		w->pod_uid = k.pod_uid;
	return true;
}

static void enter_container(struct walk *w, const char *path, struct rf_span c)
{
	w->origin.delegated = w->unit.s != NULL;
	w->origin.container_begin = c.s - path;
	w->origin.container_end = c.s - path + c.n;
	w->level = LEVEL_CONTAINER;
}

/* A kubelet's tree begins: whatever held it is only its node. */
static void enter_kube(struct walk *w)
{
	w->origin.nested = w->level == LEVEL_CONTAINER;
	w->origin.delegated = w->unit.s != NULL;
	w->origin.container_begin = 0;
	w->origin.container_end = 0;
	w->unit = w->container_id = w->container_name = (struct rf_span){ NULL, 0 };
	w->runtime = NULL;
	w->manager = RF_MANAGER_KUBERNETES;
	w->level = LEVEL_KUBE;
}

static void walk_kube(struct walk *w, const char *path, struct rf_span c)
{
	const struct rf_cgroup_runtime *p;
	struct rf_span uid, id;

	if (!w->pod_uid.s && parse_kube(w, c))
		return;
	if (!w->pod_uid.s && !w->qos && rf_cgroup_name_qos(c)) {
		w->qos = rf_cgroup_name_qos(c);
		return;
	}
	if (!w->pod_uid.s && rf_span_cut_prefix(c, "pod", &uid) && rf_cgroup_name_is_pod_uid(uid)) {
		w->pod_uid = uid;
		w->qos = w->qos ? w->qos : "guaranteed";
		return;
	}

	w->level = LEVEL_FINAL;
	p = w->pod_uid.s ? rf_cgroup_name_container(c, w->previous, &id) : NULL;
	if (p && p->monitor) {
		/* The host's, though it stands in the pod: a policy for the pod is not for it. */
		w->manager = rf_cgroup_name_is_unit(c) ? RF_MANAGER_SYSTEMD : RF_MANAGER_OTHER;
		w->pod_uid = (struct rf_span){ NULL, 0 };
		w->qos = NULL;
	} else if (p) {
		w->container_id = id;
		w->runtime = p->runtime;
		w->origin.container_begin = c.s - path;
		w->origin.container_end = c.s - path + c.n;
	} else if (!rf_cgroup_name_is_unit(c)) {
		return;
	}
	if (rf_cgroup_name_is_unit(c))
		w->unit = rf_cgroup_name_unit(c);
}

/* job_N/step_M/user/task_K; the directories beside "user" hold slurmstepd itself. */
static void walk_jobs(struct walk *w, struct rf_span c)
{
	struct rf_span rest;

	if (!w->job.s && !w->user.s && rf_span_cut_prefix(c, "uid_", &rest) && rf_span_is_number(rest))
		w->user = rest;
	else if (!w->job.s && rf_span_cut_prefix(c, "job_", &rest))
		w->job = rest;
	else if (w->job.s && !w->step.s && rf_span_cut_prefix(c, "step_", &rest))
		w->step = rest;
	else if (w->step.s && !w->task.s && rf_span_cut_prefix(c, "task_", &rest))
		w->task = rest;
	else if (!w->step.s || w->task.s || !rf_span_eq(c, "user"))
		w->level = LEVEL_FINAL;
}

static bool is_slurm_root(const struct walk *w, const char *path, struct rf_span c)
{
	struct rf_span node;

	if (w->level != LEVEL_OPEN || w->unit.s)
		return false;
	if (rf_span_eq(c, "slurmstepd.scope") || rf_span_has_suffix(c, "_slurmstepd.scope"))
		return true;
	/* The tree of cgroup v1, kept by some sites in a hybrid mount. */
	return c.s == path + 1 && (rf_span_eq(c, "slurm") || rf_span_cut_prefix(c, "slurm_", &node));
}

/* True for a machine or system container, whose inside is its own. */
static bool parse_machine(struct walk *w, const char *path, struct rf_span c)
{
	struct rf_span rest, name, ignored;

	if (w->previous.s == path + 1 && rf_span_eq(w->previous, "lxc")) {
		w->container_name = c;
		w->runtime = "lxc";
		return true;
	}
	if (rf_span_cut_prefix(c, "lxc.payload.", &name)) {
		w->container_name = name;
		w->runtime = "lxc";
		return true;
	}
	if (w->level != LEVEL_OPEN)
		return false;
	if (rf_span_cut_prefix(c, "systemd-nspawn@", &rest) && rf_span_cut_suffix(rest, ".service", &name)) {
		w->container_name = name;
		w->runtime = "nspawn";
		return true;
	}
	if (rf_span_cut_prefix(c, "machine-", &rest) && rf_span_cut_suffix(rest, ".scope", &name)) {
		/* A virtual machine is a unit and no container; libvirt's containers say "lxc". */
		if (rf_span_cut_prefix(name, "qemu\\x2d", &ignored))
			return true;
		w->container_name = name;
		w->runtime = rf_span_cut_prefix(name, "lxc\\x2d", &ignored) ? "lxc" : "nspawn";
		return true;
	}
	return false;
}

/* The user manager: units go on below it, made by that user. */
static bool parse_user_manager(struct walk *w, struct rf_span c)
{
	struct rf_span rest, uid;
	unsigned long long n = 0;

	if (w->unit.s || !rf_span_cut_prefix(c, "user@", &rest) || !rf_span_cut_suffix(rest, ".service", &uid) ||
	    !rf_span_is_number(uid))
		return false;
	for (size_t i = 0; i < uid.n; i++)
		n = n * 10 + (uid.s[i] - '0');
	if (n >= UINT32_MAX)
		return false;
	w->origin.user = n != 0;
	w->origin.uid = n;
	return true;
}

static void walk_component(struct walk *w, const char *path, struct rf_span c)
{
	const struct rf_cgroup_runtime *p;
	struct rf_span id;
	bool open = w->level == LEVEL_OPEN;

	if (w->level == LEVEL_KUBE) {
		walk_kube(w, path, c);
		return;
	}
	if (w->level == LEVEL_JOBS) {
		walk_jobs(w, c);
		return;
	}
	if (w->level == LEVEL_FINAL)
		return;
	if (parse_kube(w, c)) {
		enter_kube(w);
		return;
	}
	if (w->level == LEVEL_CONTAINER)
		return;

	p = rf_cgroup_name_container(c, w->previous, &id);
	if (p && !p->monitor) {
		enter_container(w, path, c);
		w->container_id = id;
		w->runtime = p->runtime;
		w->manager = p->manager;
		if (open && rf_cgroup_name_is_unit(c))
			w->unit = rf_cgroup_name_unit(c);
		return;
	}
	if (is_slurm_root(w, path, c)) {
		w->level = LEVEL_JOBS;
		w->manager = RF_MANAGER_SLURM;
		if (rf_cgroup_name_is_unit(c))
			w->unit = c;
		return;
	}
	if (parse_machine(w, path, c)) {
		enter_container(w, path, c);
		if (open && rf_cgroup_name_is_unit(c)) {
			w->unit = rf_cgroup_name_unit(c);
			w->manager = RF_MANAGER_SYSTEMD;
		} else {
			w->manager = RF_MANAGER_OTHER;
		}
		return;
	}
	if (!open)
		return;
	if (rf_span_has_suffix(c, ".slice")) {
		w->slice = c;
		w->manager = RF_MANAGER_SYSTEMD;
	} else if (rf_cgroup_name_is_unit(c)) {
		w->manager = RF_MANAGER_SYSTEMD;
		if (!parse_user_manager(w, c))
			w->level = LEVEL_UNIT;
		w->unit = rf_cgroup_name_unit(c);
	}
}

static int walk_path(const char *path, struct walk *w)
{
	const char *p = path, *end;
	struct rf_span c;

	if (*p != '/')
		return -EINVAL;
	if (strnlen(path, PATH_MAX) >= PATH_MAX)
		return -ENAMETOOLONG;
	while (*p && p[1]) {
		end = strchrnul(p + 1, '/');
		c = (struct rf_span){ p + 1, (size_t)(end - p - 1) };
		if (!c.n || rf_span_eq(c, ".") || rf_span_eq(c, "..") || (*end && !end[1]))
			return -EINVAL;
		walk_component(w, path, c);
		w->previous = c;
		p = end;
	}
	return 0;
}

static int copy(struct rf_span from, char **to)
{
	if (!from.s)
		return 0;
	*to = strndup(from.s, from.n);
	return *to ? 0 : -ENOMEM;
}

static int copy_text(const char *from, char **to)
{
	return from ? copy((struct rf_span){ from, strlen(from) }, to) : 0;
}

int rf_cgroup_path_parse(const char *path, struct rf_identity **ret)
{
	_cleanup_identity_ struct rf_identity *id = NULL;
	struct walk w = { .manager = RF_MANAGER_OTHER };
	int r;

	r = walk_path(path, &w);
	if (r)
		return r;
	id = calloc(1, sizeof(*id));
	if (!id)
		return -ENOMEM;

	id->manager = w.manager;
	if (copy_text(path, &id->path) || copy(w.unit, &id->unit) || copy(w.slice, &id->slice) ||
	    copy_text(w.runtime, &id->runtime) || copy(w.container_id, &id->container_id) ||
	    copy(w.pod_uid, &id->pod_uid) || copy_text(w.qos, &id->qos) || copy(w.job, &id->slurm_job) ||
	    copy(w.step, &id->slurm_step) || copy(w.user, &id->slurm_user) || copy(w.task, &id->slurm_task))
		return -ENOMEM;
	for (char *p = id->pod_uid; p && *p; p++) {
		if (*p == '_')
			*p = '-';
	}
	if (w.container_name.s) {
		id->container_name = rf_systemd_unescape(w.container_name.s, w.container_name.n);
		if (!id->container_name)
			return -ENOMEM;
	}
	*ret = TAKE_PTR(id);
	return 0;
}

int rf_cgroup_path_origin(const char *path, struct rf_cgroup_origin *ret)
{
	struct walk w = { .manager = RF_MANAGER_OTHER };
	int r;

	r = walk_path(path, &w);
	if (r)
		return r;
	*ret = w.origin;
	return 0;
}
