// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loop that freezes and thaws. The kernel's programs write into a row until
 * when its workload should not go on; here that is looked at often while
 * something works, and seldom otherwise.
 */
#include "user/daemon/freeze.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/lib/clock.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"

#define BUSY_NS	  (20 * 1000 * 1000ULL)
#define IDLE_NS	  (200 * 1000 * 1000ULL)
#define NOBODY_NS RF_NSEC_PER_SEC
#define RECENT_NS (2 * RF_NSEC_PER_SEC)
#define LEAST_NS  (2 * 1000 * 1000ULL) /* less is not worth two writes */

struct rf_frozen {
	uint32_t workload;
	uint64_t at_ns, until_ns;
	char path[RF_THAW_PATH];
};

static bool is_frozen(int root, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	return rf_fs_read(root, path, 64, &text, &len) == 0 && len && text[0] == '1';
}

/* Its cgroup.freeze, below the root's descriptor. */
static int freeze_path(const struct rf_freeze *f, const struct rf_cgroup *c, char ret[static RF_THAW_PATH])
{
	int n = snprintf(ret, RF_THAW_PATH, ".%s/cgroup.freeze", c->path + strlen(f->registry->prefix));

	return n < 0 || n >= RF_THAW_PATH ? -ENAMETOOLONG : 0;
}

static int freeze(struct rf_freeze *f, const struct rf_workload *w, struct rf_accel_use *row, uint64_t until_ns,
		  uint64_t now)
{
	const struct rf_cgroup *c = rf_registry_cgroup_of(f->registry, w);
	int root = rf_engine_root_fd(f->registry->engine), r;
	struct rf_frozen *list, *frozen;

	if (!c)
		return -ENOENT;
	list = reallocarray(f->list, f->n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	f->list = list;
	frozen = &list[f->n];
	*frozen = (struct rf_frozen){ .workload = w->id, .at_ns = now, .until_ns = until_ns };
	r = freeze_path(f, c, frozen->path);
	if (r < 0)
		return r;
	/* Somebody else has frozen it: so it is theirs to thaw. */
	if (is_frozen(root, frozen->path))
		return 0;
	r = rf_thaw_note(&f->thaw, frozen->path, until_ns);
	if (r < 0)
		return r;
	/* For the next daemon, should this one be killed together with its child. */
	__atomic_store_n(&row->frozen_at_ns, now, __ATOMIC_RELEASE);
	r = rf_fs_write_control(root, frozen->path, "1");
	if (r < 0) {
		__atomic_store_n(&row->frozen_at_ns, 0, __ATOMIC_RELAXED);
		rf_thaw_forget(&f->thaw, frozen->path);
		return r;
	}
	f->n++;
	f->freezes++;
	return 0;
}

/* How long it was frozen is written down before it can look, and no part of that twice. */
static void frozen_count(struct rf_accel_use *row, uint64_t at_ns, uint64_t now)
{
	__atomic_fetch_add(&row->frozen_ns, now > at_ns ? now - at_ns : 0, __ATOMIC_RELAXED);
	__atomic_store_n(&row->frozen_at_ns, now, __ATOMIC_RELEASE);
}

static void thaw(struct rf_freeze *f, size_t at)
{
	struct rf_frozen frozen = f->list[at];
	struct rf_accel_use *row = rf_engine_call_row(f->registry->engine, frozen.workload);

	f->list[at] = f->list[--f->n];
	/* Where this comes late, the child has thawed it. */
	if (row)
		frozen_count(row, frozen.at_ns, MIN(rf_clock_monotonic(), frozen.until_ns + RF_CALL_THAW_GRACE_NS));
	(void)rf_fs_write_control(rf_engine_root_fd(f->registry->engine), frozen.path, "0");
	if (row)
		__atomic_store_n(&row->frozen_at_ns, 0, __ATOMIC_RELEASE);
	rf_thaw_forget(&f->thaw, frozen.path);
}

static bool is_limited(const struct rf_workload *w)
{
	return w && !w->retired && w->image && w->image->calls && w->image->quotas;
}

static bool has_frozen(const struct rf_freeze *f, uint32_t workload)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].workload == workload)
			return true;
	return false;
}

/* Those whose time has come, and those that nobody limits any more. Returns when the next is due. */
static uint64_t thaw_due(struct rf_freeze *f, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < f->n;) {
		const struct rf_frozen *frozen = &f->list[i];

		if (now >= frozen->until_ns || !is_limited(f->registry->by_id[frozen->workload])) {
			thaw(f, i);
			continue;
		}
		next = MIN(next, frozen->until_ns);
		i++;
	}
	return next;
}

/* True: it works, or did a moment ago. */
static bool workload_look(struct rf_freeze *f, const struct rf_workload *w, uint64_t now, uint64_t *next)
{
	struct rf_accel_use *row = rf_engine_call_row(f->registry->engine, w->id);
	uint64_t until = row ? __atomic_load_n(&row->hold_until_ns, __ATOMIC_RELAXED) : 0;
	int r;

	if (!row)
		return false;
	if (has_frozen(f, w->id))
		return true;
	if (until > now + LEAST_NS) {
		until = MIN(until, now + RF_CALL_FREEZE_MAX_NS);
		r = freeze(f, w, row, until, now);
		if (r < 0 && !f->failures++)
			rf_warn("%s is over its quota of accelerators and cannot be frozen: %s", w->name, strerror(-r));
		*next = MIN(*next, until);
	}
	return __atomic_load_n(&row->under_way, __ATOMIC_RELAXED) || until + RECENT_NS > now;
}

static int step(sd_event_source *source, uint64_t usec, void *arg)
{
	struct rf_freeze *f = arg;
	uint64_t now = rf_clock_monotonic(), next = thaw_due(f, now), wait = NOBODY_NS;

	(void)usec;
	for (uint32_t id = RF_WORKLOAD_FIRST; id < RF_MAX_WORKLOADS; id++) {
		const struct rf_workload *w = f->registry->by_id[id];

		if (is_limited(w))
			wait = MIN(wait, workload_look(f, w, now, &next) ? BUSY_NS : IDLE_NS);
	}
	if (next != UINT64_MAX)
		wait = MIN(wait, next > now ? next - now : 0);
	(void)sd_event_source_set_time_relative(source, wait / RF_NSEC_PER_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* The kernel goes by the same workload for what is above it, so that it was not this one that was frozen. */
static bool is_below_own(const struct rf_registry *r, const struct rf_cgroup *c)
{
	const struct rf_cgroup *parent = rf_hashmap_get64(r->cgroups, c->parent_id);

	return parent && parent->workload == c->workload;
}

/* What a daemon that was killed together with its child has left, whether or not a policy still limits it. */
static void left_thaw(struct rf_freeze *f)
{
	int root = rf_engine_root_fd(f->registry->engine);
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	uint64_t now = rf_clock_monotonic();
	void *value;

	while (rf_hashmap_next(f->registry->cgroups, &it, NULL, NULL, &value)) {
		const struct rf_cgroup *c = value;
		struct rf_accel_use *row = rf_engine_call_row(f->registry->engine, c->workload);
		char path[RF_THAW_PATH];

		if (c->workload < RF_WORKLOAD_FIRST || !row || !row->frozen_at_ns || is_below_own(f->registry, c) ||
		    freeze_path(f, c, path) < 0)
			continue;
		if (is_frozen(root, path)) {
			frozen_count(row, row->frozen_at_ns, now);
			(void)rf_fs_write_control(root, path, "0");
		} else {
			/* The child has thawed it, at the latest then. */
			frozen_count(row, row->frozen_at_ns, MIN(now, row->frozen_at_ns + RF_CALL_FROZEN_MAX_NS));
		}
		__atomic_store_n(&row->frozen_at_ns, 0, __ATOMIC_RELEASE);
	}
}

int rf_freeze_start(struct rf_freeze *f, sd_event *event, struct rf_registry *r)
{
	int error = rf_thaw_start(&f->thaw, rf_engine_root_fd(r->engine));

	if (error < 0)
		return error;
	f->registry = r;
	left_thaw(f);
	return sd_event_add_time_relative(event, &f->timer, CLOCK_MONOTONIC, 0, 1000, step, f);
}

void rf_freeze_look(struct rf_freeze *f)
{
	if (f->timer)
		(void)sd_event_source_set_time_relative(f->timer, 0);
}

void rf_freeze_stop(struct rf_freeze *f)
{
	if (!f->registry)
		return;
	while (f->n)
		thaw(f, f->n - 1);
	sd_event_source_disable_unref(f->timer);
	rf_thaw_stop(&f->thaw);
	free(f->list);
	*f = (struct rf_freeze){ 0 };
}
