// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Planning: for each cgroup, parents first, the policies that select it are
 * added to those of its parent. One image is compiled for each distinct
 * combination.
 */
#include "user/daemon/plan.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "user/daemon/asked.h"
#include "user/daemon/peers.h"
#include "user/daemon/pods.h"
#include "user/daemon/rates.h"
#include "user/daemon/selection.h"
#include "user/lib/log.h"

static void tables_install(struct rf_registry *r, struct rf_tables *t)
{
	rf_plan_tables_free(r);
	r->images = t->images;
	r->by_cgroup_path = t->by_path;
	r->general = t->general;
	r->n_general = t->n_general;
	memset(t, 0, sizeof(*t));
}

void rf_plan_tables_free(struct rf_registry *r)
{
	struct rf_tables t = { r->images, r->by_cgroup_path, r->general, r->n_general };

	rf_tables_fini(&t);
	r->images = r->by_cgroup_path = NULL;
	r->general = NULL;
	r->n_general = 0;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void cgroup_plan_reset(struct rf_cgroup *c)
{
	if (c->owns_policies)
		free(c->policies);
	c->policies = NULL;
	c->n_policies = 0;
	c->owns_policies = false;
	c->is_root = false;
	c->image = NULL;
}

/* Fills the plan of @c from its parent's (NULL: the attach point). */
static int cgroup_plan(const struct rf_policy_set *set, const struct rf_tables *t, struct rf_cgroup *c,
		       const struct rf_cgroup *parent)
{
	_cleanup_free_ uint32_t *list = NULL;
	size_t n = 0, unique = 0, inherited = parent ? parent->n_policies : 0;
	int r = 0;

	cgroup_plan_reset(c);
	for (size_t i = 0; r >= 0 && i < inherited; i++)
		r = rf_index_append(&list, &n, parent->policies[i]);
	if (r >= 0)
		r = rf_tables_select(set, t, c, &list, &n);
	if (r < 0)
		return r;
	if (n)
		qsort(list, n, sizeof(*list), compare_u32);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || list[i] != list[i - 1])
			list[unique++] = list[i];
	if (unique == inherited) {
		c->policies = parent ? parent->policies : NULL;
		c->n_policies = inherited;
		c->image = parent ? parent->image : NULL;
		return 0;
	}
	c->policies = TAKE_PTR(list);
	c->n_policies = unique;
	c->owns_policies = true;
	c->is_root = true;
	return 0;
}

static int device_resolve(const char *path, uint32_t *ret_type, uint32_t *ret_major, uint32_t *ret_minor, void *arg)
{
	struct stat st;

	(void)arg;
	if (stat(path, &st) < 0 || (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)))
		return -ENOENT;
	*ret_type = S_ISBLK(st.st_mode) ? 1 : 2;
	*ret_major = major(st.st_rdev);
	*ret_minor = minor(st.st_rdev);
	return 0;
}

/* The image of @c's combination of policies, compiled once. */
static int image_get(const struct rf_registry *r, const struct rf_policy_set *set, struct rf_tables *t,
		     struct rf_cgroup *c, struct rf_diags *diags)
{
	const struct rf_device_host host = { .resolve = device_resolve, .accelerators = r->accelerators };
	size_t key_len = c->n_policies * sizeof(*c->policies);
	struct rf_image *image = rf_hashmap_get(t->images, c->policies, key_len);
	_cleanup_free_ const struct rf_policy **policies = NULL;
	int error;

	if (!image) {
		policies = calloc(c->n_policies, sizeof(*policies));
		if (!policies)
			return -ENOMEM;
		for (size_t i = 0; i < c->n_policies; i++)
			policies[i] = set->policies[c->policies[i]];
		error = rf_image_compile(policies, c->n_policies, set->zones, &host, diags, &image);
		if (error < 0)
			return error;
		error = rf_hashmap_put(t->images, c->policies, key_len, image);
		if (error < 0) {
			rf_image_unref(image);
			return error;
		}
	}
	c->image = image;
	return 0;
}

static int compare_depth(const void *a, const void *b)
{
	const struct rf_cgroup *x = *(struct rf_cgroup *const *)a, *y = *(struct rf_cgroup *const *)b;

	return x->depth != y->depth ? (x->depth < y->depth ? -1 : 1) : strcmp(x->path, y->path);
}

static int cgroups_sorted(struct rf_registry *r, struct rf_cgroup ***ret, size_t *ret_n)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	size_t n = rf_hashmap_size(r->cgroups), i = 0;
	struct rf_cgroup **list = calloc(n ? n : 1, sizeof(*list));
	void *value;

	if (!list)
		return -ENOMEM;
	while (i < n && rf_hashmap_next(r->cgroups, &it, NULL, NULL, &value))
		list[i++] = value;
	qsort(list, i, sizeof(*list), compare_depth);
	*ret = list;
	*ret_n = i;
	return 0;
}

/*
 * The stable outside name: the last policy that gives one decides the tenant, namespace and name (the most specific
 * selection); two workloads of one name get the cgroup's id appended.
 */
static int workload_name(struct rf_registry *r, struct rf_workload *w, const struct rf_cgroup *c,
			 const struct rf_policy_set *set)
{
	_cleanup_strbuf_ struct rf_strbuf full = RF_STRBUF_INIT;
	const struct rf_policy *first = set->policies[c->policies[0]];
	const char *name = NULL, *namespace = first->namespace;
	_cleanup_free_ char *derived = NULL;
	struct rf_workload *other;

	for (size_t i = 0; i < c->n_policies && !name; i++)
		name = set->policies[c->policies[i]]->workload_name;
	if (!name) {
		derived = rf_identity_default_name(c->identity);
		name = derived;
	}
	if (!name)
		return -ENOMEM;
	if (c->identity->namespace)
	namespace = c->identity->namespace;
	rf_strbuf_addf(&full, "%s/%s/%s", first->tenant, namespace, name);
	if (rf_strbuf_error(&full) < 0)
		return -ENOMEM;
	if (w->name && rf_streq(w->name, rf_strbuf_str(&full)))
		return 0;
	other = rf_registry_by_name(r, rf_strbuf_str(&full));
	if (other && other != w)
		rf_strbuf_addf(&full, "~%llu", (unsigned long long)c->id);
	free(w->name);
	free(w->tenant);
	free(w->namespace);
	free(w->short_name);
	w->name = rf_strbuf_take(&full);
	w->tenant = strdup(first->tenant);
	w->namespace = strdup(namespace);
	w->short_name = w->name && w->tenant && w->namespace ?
				strdup(w->name + strlen(w->tenant) + strlen(w->namespace) + 2) :
				NULL;
	return w->short_name ? 0 : -ENOMEM;
}

/* The workload that @c is in; NULL: none. */
static const struct rf_workload *workload_of(const struct rf_registry *r, const struct rf_cgroup *c)
{
	while (c && !c->root_of)
		c = rf_hashmap_get64(r->cgroups, c->parent_id);
	return c ? c->root_of : NULL;
}

static uint32_t effective_workload(const struct rf_registry *r, const struct rf_cgroup *c)
{
	const struct rf_workload *w = workload_of(r, c);

	if (w)
		return w->id;
	return c->identity->pod_uid && rf_pods_are_closed(r) ? RF_WORKLOAD_PODS : RF_WORKLOAD_NONE;
}

/* Tells the kernel what @c belongs to, when it does not know. */
static int cgroup_sync(struct rf_registry *r, struct rf_cgroup *c)
{
	uint32_t workload = effective_workload(r, c);
	int error;

	c->workload = rf_engine_cgroup_get(r->engine, c->id);
	if (c->workload == workload)
		return 0;
	error = workload == RF_WORKLOAD_NONE ? rf_engine_cgroup_delete(r->engine, c->id) :
					       rf_engine_cgroup_set(r->engine, c->id, workload);
	if (error >= 0)
		c->workload = workload;
	return error;
}

/* The same without asking the kernel what it knows: of thousands of cgroups an apply changes few. */
static int cgroup_tell(struct rf_registry *r, struct rf_cgroup *c)
{
	return effective_workload(r, c) == c->workload ? 0 : cgroup_sync(r, c);
}

int rf_plan_sync(struct rf_registry *r, struct rf_cgroup *c)
{
	return r->set ? cgroup_sync(r, c) : 0;
}

struct apply {
	struct rf_registry *registry;
	struct rf_cgroup **cgroups;
	size_t n;
	int error;
};

/*
 * Before the flip, only workloads that are new get their cgroups: their rules are in both banks already. Those that
 * move between live workloads follow after it. And whose each address is must be known if the new rules ask.
 */
static void before_flip(void *arg)
{
	struct apply *apply = arg;

	rf_peers_refresh(apply->registry, true);
	for (size_t i = 0; i < apply->n; i++) {
		const struct rf_workload *w = workload_of(apply->registry, apply->cgroups[i]);

		if (w && w->fresh && cgroup_tell(apply->registry, apply->cgroups[i]) < 0)
			apply->error = -ENOSPC;
	}
}

/* Gives every planned root a workload; @undo_from marks those that are new, for a failed apply. */
static int workloads_assign(struct rf_registry *r, const struct rf_policy_set *set, struct rf_cgroup **cgroups,
			    size_t n, struct rf_assignment *assignments, size_t *ret_n, char **ret_error)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		struct rf_cgroup *c = cgroups[i];
		struct rf_workload *w = c->root_of;
		int error;

		if (!c->is_root)
			continue;
		if (!w)
			w = rf_workload_adopt(r, c);
		if (!w) {
			error = rf_workload_new(r, c, &w);
			if (error == -ENOSPC && !*ret_error &&
			    asprintf(ret_error, "more than %d workloads", RF_MAX_WORKLOADS - RF_WORKLOAD_FIRST) < 0)
				return -ENOMEM;
			if (error < 0)
				return error;
		}
		c->root_of = w;
		error = workload_name(r, w, c, set);
		if (error < 0)
			return error;
		w->peer = rf_peer_id(r, c, w->id);
		error = rf_peer_tell(r, c, w, ret_error);
		if (error < 0)
			return error;
		assignments[count++] = (struct rf_assignment){
			.workload = w->id,
			.peer = w->peer,
			.owner = w->cgroup_id,
			.tenant = w->tenant,
			.namespace = w->namespace,
			.fresh = w->fresh,
			.image = c->image,
		};
	}
	*ret_n = count;
	return 0;
}

/*
 * Workloads that end with this apply. The kernel has their ids until after the flip, and of a removed cgroup as long as
 * its sockets live: they must not be without rules in the new generation. The first are under what their cgroups will
 * be under, the others under what was last in force for them.
 */
static size_t endings_assign(const struct rf_registry *r, struct rf_cgroup **cgroups, struct rf_workload *const *before,
			     size_t n, struct rf_assignment *assignments)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (before[i] && !cgroups[i]->is_root && cgroups[i]->image)
			assignments[count++] = (struct rf_assignment){ .workload = before[i]->id,
								       .peer = before[i]->peer,
								       .owner = before[i]->cgroup_id,
								       .tenant = before[i]->tenant,
								       .namespace = before[i]->namespace,
								       .image = cgroups[i]->image };
		else if (!before[i] && !cgroups[i]->is_root && cgroups[i]->image &&
			 rf_workload_is_left_over(r, cgroups[i]->workload))
			assignments[count++] = (struct rf_assignment){ .workload = cgroups[i]->workload,
								       .peer = rf_owner_peer(r, cgroups[i]),
								       .owner = cgroups[i]->id,
								       .image = cgroups[i]->image };
	for (uint32_t id = RF_WORKLOAD_FIRST; id < RF_MAX_WORKLOADS; id++)
		if (r->by_id[id] && r->by_id[id]->retired)
			assignments[count++] = (struct rf_assignment){ .workload = id,
								       .peer = r->by_id[id]->peer,
								       .owner = r->by_id[id]->cgroup_id,
								       .tenant = r->by_id[id]->tenant,
								       .namespace = r->by_id[id]->namespace,
								       .image = r->by_id[id]->image };
	return count;
}

/* Which cgroups were roots before, so that a failed apply leaves them so. */
static void roots_restore(struct rf_registry *r, struct rf_cgroup **cgroups, struct rf_workload *const *before,
			  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rf_workload *w = cgroups[i]->root_of;

		if (w && w != before[i])
			rf_workload_drop(r, w);
		cgroups[i]->root_of = before[i];
	}
}

/* The plan of every cgroup under @set, images compiled. */
static int plan_all(struct rf_registry *r, const struct rf_policy_set *set, struct rf_tables *t,
		    struct rf_cgroup **cgroups, size_t n, struct rf_diags *diags)
{
	int error = 0;

	for (size_t i = 0; i < n; i++)
		cgroup_plan_reset(cgroups[i]);
	for (size_t i = 0; set && error >= 0 && i < n; i++) {
		error = cgroup_plan(set, t, cgroups[i], rf_hashmap_get64(r->cgroups, cgroups[i]->parent_id));
		if (error >= 0 && cgroups[i]->is_root)
			error = image_get(r, set, t, cgroups[i], diags);
	}
	return error;
}

static bool selects_by_label(const struct rf_policy_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		for (size_t k = 0; k < set->policies[i]->n_selectors; k++)
			if (set->policies[i]->selectors[k].n_k8s_labels ||
			    set->policies[i]->selectors[k].k8s_expressions.n)
				return true;
	return false;
}

static bool labels_unknown(const struct rf_identity *id)
{
	return id->pod_uid && id->container_id && !id->labels_known;
}

/* A policy that cannot see whom it is meant for must not look as if it protected them. */
static void unknown_labels_warn(const struct rf_policy_set *set, struct rf_cgroup *const *cgroups, size_t n)
{
	const struct rf_cgroup *first = NULL;
	size_t unknown = 0;

	if (!selects_by_label(set))
		return;
	for (size_t i = 0; i < n; i++) {
		if (!labels_unknown(cgroups[i]->identity))
			continue;
		first = first ? first : cgroups[i];
		unknown++;
	}
	if (first)
		rf_warn("no file tells the labels of %zu containers of pods (%s is one): policies that select by label "
			"do not apply to them",
			unknown, first->path);
}

/* Likewise of one that comes later; the first since the last apply speaks for all, a host may start thousands. */
static void unknown_labels_warn_one(struct rf_registry *r, const struct rf_cgroup *c)
{
	if (r->labels_told || !labels_unknown(c->identity) || !selects_by_label(r->set))
		return;
	r->labels_told = true;
	rf_warn("no file tells the labels of a new container of a pod (%s): policies that select by label do not apply "
		"to it, nor to others like it that follow",
		c->path);
}

/* After a refused set: cgroups go back to the plan of the one in force, whose images are all compiled. */
static void plan_restore(struct rf_registry *r, struct rf_cgroup **cgroups, size_t n)
{
	struct rf_tables t = { r->images, r->by_cgroup_path, r->general, r->n_general };
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;

	if (plan_all(r, r->set, &t, cgroups, n, &diags) < 0)
		rf_err("out of memory: new cgroups are not classified until the next change of policy");
}

static int registry_apply(struct rf_registry *r, struct rf_policy_set *set, struct rf_cgroup **cgroups, size_t n,
			  rf_registry_check_fn check, void *arg, struct rf_diags *diags, char **ret_error)
{
	_cleanup_(rf_tables_fini) struct rf_tables t = { 0 };
	_cleanup_free_ struct rf_assignment *assignments = NULL;
	_cleanup_free_ struct rf_workload **before = NULL;
	_cleanup_image_ struct rf_image *pods = NULL;
	struct apply apply = { .registry = r };
	size_t n_assignments = 0;
	int error;

	error = rf_tables_make(set, &t);
	if (error >= 0)
		error = plan_all(r, set, &t, cgroups, n, diags);
	if (error < 0)
		return error;
	if (check) {
		error = check(r, set, arg, ret_error);
		if (error < 0)
			return error;
	}

	before = calloc(n ? n : 1, sizeof(*before));
	assignments = calloc(n + r->n_workloads + 2, sizeof(*assignments));
	if (!before || !assignments)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		before[i] = cgroups[i]->root_of;
	/* A cgroup that is no root any more gives up its workload after the flip; until then it is kept in @before. */
	for (size_t i = 0; i < n; i++)
		if (!cgroups[i]->is_root)
			cgroups[i]->root_of = NULL;
	rf_engine_peers_hold(r->engine);
	error = workloads_assign(r, set, cgroups, n, assignments, &n_assignments, ret_error);
	if (error >= 0)
		n_assignments += endings_assign(r, cgroups, before, n, assignments + n_assignments);
	if (error >= 0 && rf_pods_are_closed(r)) {
		error = rf_pods_compile(r, &pods);
		assignments[n_assignments++] = (struct rf_assignment){ .workload = RF_WORKLOAD_PODS, .image = pods };
	}
	apply.cgroups = cgroups;
	apply.n = n;
	if (error >= 0)
		error = rf_rates_attach(r, cgroups, n, ret_error);
	if (error >= 0)
		error = rf_asked_attach(r, set, cgroups, n, ret_error);
	if (error >= 0)
		error = rf_engine_apply(r->engine, assignments, n_assignments, set->n, before_flip, &apply, ret_error);
	if (error < 0) {
		rf_engine_peers_cancel(r->engine);
		roots_restore(r, cgroups, before, n);
		for (size_t i = 0; i < n; i++)
			(void)cgroup_sync(r, cgroups[i]);
		return error;
	}
	for (size_t i = 0; i < n; i++) {
		struct rf_cgroup *c = cgroups[i];

		if (c->is_root) {
			rf_image_unref(c->root_of->image);
			c->root_of->image = rf_image_ref(c->image);
			c->root_of->fresh = false;
		}
		if (cgroup_tell(r, c) < 0)
			apply.error = -ENOSPC;
		if (before[i] && !c->root_of)
			rf_workload_drop(r, before[i]);
	}
	if (apply.error < 0)
		rf_err("the map of cgroups is full (%d): some cgroups are not managed", RF_MAX_CGROUPS);
	memset(r->left_over, 0, sizeof(r->left_over));
	rf_engine_rates_trim(r->engine);
	rf_engine_hooks_trim(r->engine);
	unknown_labels_warn(set, cgroups, n);
	tables_install(r, &t);
	rf_policy_set_free(r->set);
	r->set = set;
	r->labels_told = false;
	return 0;
}

int rf_registry_apply(struct rf_registry *r, struct rf_policy_set *set, rf_registry_check_fn check, void *arg,
		      struct rf_diags *diags, char **ret_error)
{
	_cleanup_free_ struct rf_cgroup **cgroups = NULL;
	size_t n;
	int error = cgroups_sorted(r, &cgroups, &n);

	if (error < 0)
		return error;
	error = registry_apply(r, set, cgroups, n, check, arg, diags, ret_error);
	if (error < 0)
		plan_restore(r, cgroups, n);
	return error;
}

int rf_plan_one(struct rf_registry *r, struct rf_cgroup *c, char **ret_error)
{
	struct rf_tables t = { r->images, r->by_cgroup_path, r->general, r->n_general };
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;
	struct rf_workload *w;
	int error;

	if (!r->set)
		return 0;
	unknown_labels_warn_one(r, c);
	error = cgroup_plan(r->set, &t, c, rf_hashmap_get64(r->cgroups, c->parent_id));
	if (error < 0 || !c->is_root)
		return error < 0 ? error : cgroup_sync(r, c);
	error = image_get(r, r->set, &t, c, &diags);
	if (error < 0)
		return error;
	w = rf_workload_adopt(r, c);
	if (!w) {
		error = rf_workload_new(r, c, &w);
		if (error < 0)
			return error;
	}
	error = workload_name(r, w, c, r->set);
	if (error >= 0) {
		w->peer = rf_peer_id(r, c, w->id);
		error = rf_peer_tell(r, c, w, ret_error);
	}
	if (error >= 0)
		error = rf_rates_attach_one(r, c, ret_error);
	if (error >= 0)
		error = rf_asked_attach_one(r, c, ret_error);
	if (error >= 0)
		error = rf_engine_assign(r->engine,
					 &(struct rf_assignment){ .workload = w->id,
								  .peer = w->peer,
								  .owner = w->cgroup_id,
								  .tenant = w->tenant,
								  .namespace = w->namespace,
								  .fresh = true,
								  .image = c->image },
					 ret_error);
	if (error < 0) {
		rf_workload_drop(r, w);
		return error;
	}
	w->image = rf_image_ref(c->image);
	w->fresh = false;
	c->root_of = w;
	return cgroup_sync(r, c);
}

const struct rf_image *rf_registry_planned_image(struct rf_registry *r, const char *path)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	while (rf_hashmap_next(r->cgroups, &it, NULL, NULL, &value)) {
		const struct rf_cgroup *c = value;

		if (rf_streq(c->path, path))
			return c->image;
	}
	return NULL;
}
