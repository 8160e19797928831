// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loop that freezes and thaws. The kernel's programs write into a row until
 * when its workload should not go on; here that is looked at often while
 * something works, and seldom otherwise.
 */
#include "user/daemon/freeze.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "user/lib/clock.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"

#define BUSY_NS	   (20 * 1000 * 1000ULL)
#define IDLE_NS	   (200 * 1000 * 1000ULL)
#define NOBODY_NS  RF_NSEC_PER_SEC
#define RECENT_NS  (2 * RF_NSEC_PER_SEC)
#define LEAST_NS   (2 * 1000 * 1000ULL) /* less is not worth two writes */
#define FROZEN_MAX 256

/* So that a note of it fits into a pipe's one write. */
#define FREEZE_PATH (PATH_MAX - 8)

struct rf_frozen {
	uint32_t workload;
	uint64_t at_ns, until_ns;
	char path[FREEZE_PATH];
};

/* ---- the child that thaws ---- */

/* One write, which a pipe takes as a whole. */
struct note {
	bool frozen;
	char path[FREEZE_PATH];
};
static_assert(sizeof(struct note) <= PIPE_BUF, "a note may be cut");

/* In the child: no memory is asked for, and nothing is logged. */
static void child_run(int pipe, int root) __attribute__((noreturn));
static void child_run(int pipe, int root)
{
	static struct note notes[FROZEN_MAX], note;

	while (TEMP_FAILURE_RETRY(read(pipe, &note, sizeof(note))) == sizeof(note)) {
		size_t place = FROZEN_MAX;

		for (size_t i = 0; i < FROZEN_MAX; i++) {
			if (notes[i].frozen && rf_streq(notes[i].path, note.path))
				notes[i].frozen = false;
			if (!notes[i].frozen)
				place = i;
		}
		if (note.frozen && place < FROZEN_MAX)
			notes[place] = note;
	}
	for (size_t i = 0; i < FROZEN_MAX; i++)
		if (notes[i].frozen)
			(void)rf_fs_write_control(root, notes[i].path, "0");
	_exit(0);
}

static int guard_start(struct rf_freeze *f)
{
	int root = rf_engine_root_fd(f->registry->engine), ends[2];
	pid_t pid;

	if (f->guard >= 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return -errno;
	}
	if (pid == 0) {
		/* It outlives whatever ends the daemon, and holds nothing of it open. */
		(void)prctl(PR_SET_NAME, "ringfence-thaw");
		signal(SIGTERM, SIG_IGN);
		signal(SIGINT, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		if (dup2(ends[0], 3) < 0 || dup2(root, 4) < 0)
			_exit(1);
		(void)syscall(SYS_close_range, 5, ~0U, 0);
		child_run(3, 4);
	}
	close(ends[0]);
	f->guard = ends[1];
	f->guard_pid = pid;
	return 0;
}

static int guard_tell(struct rf_freeze *f, const char *path, bool frozen)
{
	struct note note = { .frozen = frozen };

	memcpy(note.path, path, strnlen(path, sizeof(note.path) - 1));
	return write(f->guard, &note, sizeof(note)) == sizeof(note) ? 0 : -errno;
}

/* ---- freezing ---- */

static bool is_frozen(int root, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	return rf_fs_read(root, path, 64, &text, &len) == 0 && len && text[0] == '1';
}

/* Its cgroup.freeze, below the root's descriptor. */
static int freeze_path(const struct rf_freeze *f, const struct rf_cgroup *c, char ret[static FREEZE_PATH])
{
	int n = snprintf(ret, FREEZE_PATH, ".%s/cgroup.freeze", c->path + strlen(f->registry->prefix));

	return n < 0 || n >= FREEZE_PATH ? -ENAMETOOLONG : 0;
}

static int freeze(struct rf_freeze *f, const struct rf_workload *w, struct rf_accel_use *row, uint64_t until_ns,
		  uint64_t now)
{
	const struct rf_cgroup *c = rf_registry_cgroup_of(f->registry, w);
	int root = rf_engine_root_fd(f->registry->engine), r;
	struct rf_frozen *list, *frozen;

	if (!c || f->n == FROZEN_MAX)
		return -ENOSPC;
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
	r = guard_start(f);
	if (r >= 0)
		r = guard_tell(f, frozen->path, true);
	if (r >= 0)
		r = rf_fs_write_control(root, frozen->path, "1");
	if (r < 0)
		return r;
	__atomic_store_n(&row->frozen_at_ns, now, __ATOMIC_RELAXED);
	f->n++;
	f->freezes++;
	return 0;
}

/* What it was frozen is written down before it can look. */
static void thaw(struct rf_freeze *f, size_t at)
{
	struct rf_frozen frozen = f->list[at];
	struct rf_accel_use *row = rf_engine_call_row(f->registry->engine, frozen.workload);

	f->list[at] = f->list[--f->n];
	if (row) {
		__atomic_fetch_add(&row->frozen_ns, rf_clock_monotonic() - frozen.at_ns, __ATOMIC_RELAXED);
		__atomic_store_n(&row->frozen_at_ns, 0, __ATOMIC_RELAXED);
	}
	(void)rf_fs_write_control(rf_engine_root_fd(f->registry->engine), frozen.path, "0");
	(void)guard_tell(f, frozen.path, false);
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

/* What a daemon that was killed together with its child has left. */
static void left_thaw(struct rf_freeze *f)
{
	for (uint32_t id = RF_WORKLOAD_FIRST; id < RF_MAX_WORKLOADS; id++) {
		const struct rf_workload *w = f->registry->by_id[id];
		const struct rf_cgroup *c = w ? rf_registry_cgroup_of(f->registry, w) : NULL;
		struct rf_accel_use *row = c ? rf_engine_call_row(f->registry->engine, id) : NULL;
		char path[FREEZE_PATH];

		if (!row || !row->frozen_at_ns)
			continue;
		__atomic_fetch_add(&row->frozen_ns, rf_clock_monotonic() - row->frozen_at_ns, __ATOMIC_RELAXED);
		__atomic_store_n(&row->frozen_at_ns, 0, __ATOMIC_RELAXED);
		if (freeze_path(f, c, path) >= 0)
			(void)rf_fs_write_control(rf_engine_root_fd(f->registry->engine), path, "0");
	}
}

int rf_freeze_start(struct rf_freeze *f, sd_event *event, struct rf_registry *r)
{
	f->registry = r;
	f->guard = -1;
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
	if (f->guard >= 0) {
		close(f->guard);
		(void)waitpid(f->guard_pid, NULL, 0);
	}
	free(f->list);
	*f = (struct rf_freeze){ .guard = -1 };
}
