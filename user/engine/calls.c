// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Probes on functions of libraries: the object of their programs, loaded with
 * the first library, and two links a function, pinned in a directory of the
 * file's below one of this daemon's. The next daemon attaches its own before it
 * removes those; what both see is counted once (bpf/calls.bpf.c).
 *
 * A link is a perf event's: on every kernel, and one a function. libbpf would
 * disable the event with the link's descriptor, where the pin is to keep it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "user/engine/internal.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"
#include "user/model/calls.h"

/* Knows the types of the maps from the above. */
#include "calls.skel.h"

#define PMU "/sys/bus/event_source/devices/uprobe/"

struct rf_calls {
	struct calls_bpf *object;
	char dir[RF_PATH_SIZE]; /* of this daemon's pins */
	char why[256];		/* it failed; "": it did not */
};

static int pmu_type(void)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = rf_fs_read(AT_FDCWD, PMU "type", 64, &text, &len);

	return r < 0 ? r : atoi(text);
}

static int name_add(const char *name, uint64_t cookie, void *arg)
{
	struct rf_call_name key = { 0 };

	snprintf(key.name, sizeof(key.name), "%s", name);
	return bpf_map_update_elem(*(int *)arg, &key, &cookie, BPF_ANY);
}

static int object_load(struct rf_engine *e, struct calls_bpf **ret)
{
	int names = rf_engine_map_fd(e, "rf_call_name_map"), r;
	struct calls_bpf *object = calls_bpf__open();

	if (!object)
		return -errno;
	object->rodata->rf_probe_waits = e->module_waits_probes;
	r = rf_engine_maps_share(e, object->obj);
	if (r >= 0)
		r = calls_bpf__load(object);
	if (r >= 0)
		r = rf_call_names_each(name_add, &names);
	if (r < 0) {
		calls_bpf__destroy(object);
		return r;
	}
	*ret = object;
	return 0;
}

static int calls_open(struct rf_engine *e, char **ret_error)
{
	struct rf_calls *calls = e->calls;
	int r;

	if (calls && calls->object)
		return 0;
	if (!calls)
		calls = e->calls = calloc(1, sizeof(*calls));
	if (!calls)
		return -ENOMEM;
	snprintf(calls->dir, sizeof(calls->dir), "%.3800s/links/calls_%d_%llu", e->bpffs, getpid(),
		 (unsigned long long)rf_clock_boot());
	r = rf_fs_mkdir_p(calls->dir, 0700);
	if (r >= 0)
		r = object_load(e, &calls->object);
	if (r < 0) {
		snprintf(calls->why, sizeof(calls->why), "the programs on libraries cannot be loaded: %s",
			 strerror(-r));
		return rf_engine_format_error(ret_error, r, "the programs on libraries cannot be loaded");
	}
	return 0;
}

void rf_calls_free(struct rf_engine *e)
{
	if (e->calls)
		calls_bpf__destroy(e->calls->object);
	free(e->calls);
}

/* ---- links ---- */

static int event_open(int type, int fd, uint64_t offset, bool returns)
{
	char path[32];
	struct perf_event_attr attr = { .type = type, .size = sizeof(attr), .config = returns };
	long event;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	attr.uprobe_path = (uint64_t)(uintptr_t)path;
	attr.probe_offset = offset;
	event = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return event < 0 ? -errno : (int)event;
}

static int probe_attach(struct rf_engine *e, int type, int fd, const struct rf_call_probe *probe, bool returns,
			const char *dir)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .perf_event.bpf_cookie = probe->cookie);
	const struct bpf_program *program = returns ? e->calls->object->progs.rf_call_end :
						      e->calls->object->progs.rf_call_begin;
	_cleanup_close_ int event = -1, link = -1;
	char path[RF_PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "%.3900s/%llx_%s", dir, (unsigned long long)probe->offset,
		 returns ? "end" : "begin");
	if (stat(path, &st) == 0)
		return 0;
	event = event_open(type, fd, probe->offset, returns);
	if (event < 0)
		return event;
	link = bpf_link_create(bpf_program__fd(program), event, BPF_PERF_EVENT, &opts);
	if (link < 0)
		return link;
	return bpf_obj_pin(link, path);
}

static void library_dir(const struct rf_engine *e, const char *name, char ret[RF_PATH_SIZE])
{
	snprintf(ret, RF_PATH_SIZE, "%.3800s/%.100s", e->calls->dir, name);
}

int rf_engine_calls_attach(struct rf_engine *e, const char *name, int fd, const struct rf_call_probe *probes, size_t n,
			   char **ret_error)
{
	char dir[RF_PATH_SIZE];
	int type = pmu_type(), r;

	if (type < 0)
		return rf_engine_format_error(ret_error, type, "this kernel has no uprobes");
	r = calls_open(e, ret_error);
	if (r < 0)
		return r;
	library_dir(e, name, dir);
	r = rf_fs_mkdir_p(dir, 0700);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		/* Where it returns first: a call that was seen to begin is seen to end. */
		r = probe_attach(e, type, fd, &probes[i], true, dir);
		if (r >= 0)
			r = probe_attach(e, type, fd, &probes[i], false, dir);
	}
	return r < 0 ? rf_engine_format_error(ret_error, r, "cannot probe a function") : 0;
}

void rf_engine_calls_detach(struct rf_engine *e, const char *name)
{
	char dir[RF_PATH_SIZE];

	if (!e->calls)
		return;
	library_dir(e, name, dir);
	rf_fs_remove_tree(dir);
}

void rf_engine_calls_settle(struct rf_engine *e)
{
	char dir[RF_PATH_SIZE], path[RF_PATH_SIZE];
	char **names;
	size_t n;

	snprintf(dir, sizeof(dir), "%.3800s/links", e->bpffs);
	if (rf_fs_list(AT_FDCWD, dir, 65536, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%.3800s/%.200s", dir, names[i]);
		if (rf_strprefix(names[i], "calls_") && !(e->calls && rf_streq(path, e->calls->dir)))
			rf_fs_remove_tree(path);
	}
	rf_fs_names_free(names, n);
}

/* ---- maps ---- */

static void site_answer(int fd, const struct rf_call_site_key *key, struct rf_call_site *site, enum rf_call_site_is is)
{
	if (is == RF_CALL_SITE_LATE && ++site->tries >= RF_CALL_SITE_TRIES)
		is = RF_CALL_SITE_WRONG;
	if (is == RF_CALL_SITE_WRONG)
		(void)bpf_map_delete_elem(fd, key);
	if (is != RF_CALL_SITE_LATE && (is != RF_CALL_SITE_RIGHT || site->seen))
		return;
	site->seen = is == RF_CALL_SITE_RIGHT;
	(void)bpf_map_update_elem(fd, key, site, BPF_EXIST);
}

/* All at once: they are few, and a walk by keys begins anew with each that goes. */
int rf_engine_call_sites_each(struct rf_engine *e, rf_call_site_fn fn, void *arg)
{
	_cleanup_free_ struct rf_call_site_key *keys = calloc(RF_MAX_CALL_SITES, sizeof(*keys));
	_cleanup_free_ struct rf_call_site *sites = calloc(RF_MAX_CALL_SITES, sizeof(*sites));
	int fd = rf_engine_map_fd(e, "rf_call_site_map"), r;
	uint32_t cursor, n = RF_MAX_CALL_SITES;

	if (!keys || !sites)
		return -ENOMEM;
	r = bpf_map_lookup_batch(fd, NULL, &cursor, keys, sites, &n, NULL);
	if (r < 0 && errno != ENOENT)
		return -errno;
	for (uint32_t i = 0; i < n; i++) {
		r = fn(&keys[i], &sites[i], arg);
		if (r < 0)
			return r;
		site_answer(fd, &keys[i], &sites[i], r);
	}
	return 0;
}

int rf_engine_call_uses_each(const struct rf_engine *e, rf_call_use_fn fn, void *arg)
{
	int fd = rf_engine_map_fd(e, "rf_call_map"), r = 0;
	struct rf_call_key key, *previous = NULL;
	struct rf_call_use use;

	while (r >= 0 && bpf_map_get_next_key(fd, previous, &key) == 0) {
		previous = &key;
		if (bpf_map_lookup_elem(fd, &key, &use) == 0)
			r = fn(&key, &use, arg);
	}
	return r;
}

void rf_calls_reset(struct rf_engine *e, uint32_t workload)
{
	int fd = rf_engine_map_fd(e, "rf_call_map");

	for (uint32_t kind = 0; kind < RF_CALL_KINDS; kind++)
		(void)bpf_map_delete_elem(fd, &(struct rf_call_key){ workload, kind });
}

/* It works no more: nor do those above its row for it. */
static void process_end(struct rf_engine *e, const struct rf_call_process *process)
{
	uint32_t at = process->begun_ns ? process->use : 0;

	for (int level = 0; at && at < RF_MAX_ACCEL_USES && level < RF_ACCEL_LEVELS; level++) {
		__atomic_fetch_sub(&e->accel_uses[at].under_way, 1, __ATOMIC_RELAXED);
		at = e->accel_uses[at].parent;
	}
}

void rf_engine_calls_sweep(struct rf_engine *e)
{
	int fd = rf_engine_map_fd(e, "rf_call_process_map"), r;
	struct rf_call_process process;
	uint32_t tgid, next;

	if (!e->calls)
		return;
	r = bpf_map_get_next_key(fd, NULL, &tgid);
	while (r == 0) {
		r = bpf_map_get_next_key(fd, &tgid, &next);
		if (kill((pid_t)tgid, 0) < 0 && errno == ESRCH && bpf_map_lookup_elem(fd, &tgid, &process) == 0 &&
		    bpf_map_delete_elem(fd, &tgid) == 0)
			process_end(e, &process);
		tgid = next;
	}
}

struct rf_accel_use *rf_engine_call_row(const struct rf_engine *e, uint32_t workload)
{
	uint32_t at = rf_accel_use_find(e, workload, RF_ACCEL_DEVICE_LIBRARY);

	return at ? &e->accel_uses[at] : NULL;
}

/* ---- support ---- */

enum rf_support rf_calls_support(const struct rf_engine *e)
{
	if (pmu_type() < 0 || (e->calls && *e->calls->why))
		return RF_SUPPORT_UNAVAILABLE;
	return e->module_waits_probes ? RF_SUPPORT_ENFORCED : RF_SUPPORT_BEST_EFFORT;
}

const char *rf_calls_why(const struct rf_engine *e)
{
	if (pmu_type() < 0)
		return "this kernel has no uprobes";
	if (e->calls && *e->calls->why)
		return e->calls->why;
	if (e->module_waits_probes)
		return "launches that are over wait";
	if (e->module_present)
		return "this kernel's probes cannot call ringfence.ko: a workload that is over is frozen";
	return "without ringfence.ko a workload that is over is frozen";
}
