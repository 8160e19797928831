// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking for libraries. A process that maps another file has another size, so
 * one read of /proc/<pid>/stat tells most of the time that there is nothing
 * new; only then its mappings are read. Works without BPF LSM, and finds what
 * was mapped before anybody asked.
 */
#include "user/daemon/libraries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "user/daemon/library.h"
#include "user/daemon/process.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"
#include "user/model/calls.h"

#define LOOKS_A_TICK	 500			/* processes: some milliseconds */
#define TICK_NS		 (20 * 1000 * 1000ULL)	/* then the rest waits for the next */
#define REST		 20			/* times as long as it took, its mappings are not read again */
#define UNREAD_NS	 (100 * 1000 * 1000ULL) /* the least that one took which failed */
#define UNREAD_TOLD	 2u			/* failures before one that is told */
#define UNREAD_MAX	 8u			/* then the rest is doubled no more */
#define ROUND_MAX	 65536			/* processes */
#define PROCESS_FILES	 8
#define KEEP_ROUNDS	 5 /* that a library nobody maps is kept: a job that starts again finds it probed */
#define CGROUP_PROCS_MAX (4 * 1024 * 1024)

struct process {
	struct rf_process_stat stat;
	uint64_t seen;	     /* round */
	uint64_t again_ns;   /* its mappings are not read before */
	unsigned int unread; /* times in a row that they could not be */
	struct {
		uint64_t device, inode;
	} files[PROCESS_FILES];
	size_t n;
	bool keeps; /* its mappings from being read: it was told */
};

/* ---- processes ---- */

static void process_note(struct process *p, struct rf_library *library, uint64_t round)
{
	if (!library)
		return;
	library->seen = round;
	for (size_t i = 0; i < p->n; i++)
		if (p->files[i].device == library->device && p->files[i].inode == library->inode)
			return;
	if (p->n == PROCESS_FILES)
		return;
	p->files[p->n].device = library->device;
	p->files[p->n++].inode = library->inode;
}

/* A runtime may be linked into the program itself, whose symbols tell as far as there are some. */
static void program_look(struct rf_library_look *look, struct process *p)
{
	_cleanup_close_ int at = -1, fd = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", look->process.pid);
	at = open(path, O_PATH | O_CLOEXEC);
	fd = rf_library_file_open(look, at, 0, path);
	if (fd >= 0)
		process_note(p, rf_library_get(look, fd, path), look->l->round);
}

/* Files that were opened already: a file has many mappings, and a program may have very many of one. */
struct opened {
	struct {
		uint64_t inode;
		uint32_t device;
	} list[PROCESS_FILES];
	size_t n;
};

static bool opened_add(struct opened *o, const struct rf_process_map *map)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->list[i].inode == map->inode && o->list[i].device == map->device)
			return false;
	if (o->n == PROCESS_FILES)
		return false;
	o->list[o->n].inode = map->inode;
	o->list[o->n++].device = map->device;
	return true;
}

static int library_look(struct rf_library_look *look, const struct rf_process_map *map, const char *path,
			struct process *p)
{
	_cleanup_close_ int fd = rf_library_mapped_open(look, map, path);

	if (fd >= 0)
		process_note(p, rf_library_get(look, fd, path), look->l->round);
	return fd == -EAGAIN ? fd : 0;
}

/* A negative errno: what it has mapped is not known. */
static int maps_look(struct rf_library_look *look, struct process *p)
{
	_cleanup_free_ char *text = NULL;
	struct opened opened = { .n = 0 };
	struct rf_process_map map;
	bool has_driver = false;
	struct rf_span rest;
	size_t len;
	int r = rf_library_reader_maps(&look->l->reader, look->process.pid, &text, &len);

	if (r == -ETIMEDOUT && p->unread == UNREAD_TOLD && !p->keeps) {
		rf_notice("process %d keeps what it has mapped from being read: it is tried again, more and more "
			  "seldom",
			  look->process.pid);
		p->keeps = true;
	}
	if (r < 0)
		return r;
	p->n = 0;
	rest = (struct rf_span){ text, len };
	while (rf_process_maps_next(&rest, &map)) {
		_cleanup_free_ char *path = map.executable && map.path.n ? strndup(map.path.s, map.path.n) : NULL;

		if (!path || *path != '/' || !rf_call_is_library(path) || !opened_add(&opened, &map))
			continue;
		if (library_look(look, &map, path, p) < 0)
			r = -EAGAIN;
		has_driver |= rf_call_is_driver(path);
	}
	if (has_driver)
		program_look(look, p);
	return r;
}

/*
 * Who begins a program, or maps something, on a busy host may keep them from being read for a moment; who does so all
 * the time is asked more and more seldom, and a workload that has a thousand of them delays the others once a round.
 */
static void process_read(struct rf_library_look *look, struct process *p, uint64_t begin)
{
	uint32_t workload = look->process.workload;
	uint64_t took;

	p->unread = maps_look(look, p) < 0 ? MIN(p->unread + 1, UNREAD_MAX) : 0;
	took = rf_clock_monotonic() - begin;
	if (p->unread && took >= UNREAD_NS)
		look->l->late[workload / 8] |= (uint8_t)(1u << workload % 8);
	p->again_ns = begin + REST * (p->unread ? MAX(took, UNREAD_NS) << (p->unread - 1) : took);
}

static bool is_late(const struct rf_libraries *l, uint32_t workload)
{
	return l->late[workload / 8] & 1u << workload % 8;
}

static void process_look(struct rf_library_look *look)
{
	uint64_t key = (uint64_t)look->process.pid, begin = rf_clock_monotonic();
	struct rf_libraries *l = look->l;
	struct process *p = rf_hashmap_get64(l->processes, key);
	struct rf_process_stat now;

	if (rf_process_stat_read((uint32_t)look->process.pid, &now) < 0)
		return;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p || rf_hashmap_put(l->processes, &key, sizeof(key), p) < 0) {
			free(p);
			return;
		}
	}
	if (p->stat.start_ns != now.start_ns)
		*p = (struct process){ 0 };
	if (begin >= p->again_ns && (p->stat.size != now.size || p->unread) && !is_late(l, look->process.workload)) {
		p->stat = now;
		process_read(look, p, begin);
	}
	p->seen = l->round;
	for (size_t i = 0; i < p->n; i++) {
		struct rf_library *library = rf_library_find(l, p->files[i].device, p->files[i].inode);

		if (library)
			library->seen = l->round;
	}
}

/* ---- rounds ---- */

static bool is_asked(const struct rf_registry *r)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	while (r->images && rf_hashmap_next(r->images, &it, NULL, NULL, &value))
		if (((const struct rf_image *)value)->calls)
			return true;
	return false;
}

static void pids_add(struct rf_libraries *l, const struct rf_registry *r, const struct rf_cgroup *c)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	size_t len;

	if (asprintf(&path, ".%s/cgroup.procs", c->path + strlen(r->prefix)) < 0) {
		path = NULL;
		return;
	}
	if (rf_fs_read(rf_engine_root_fd(r->engine), path, CGROUP_PROCS_MAX, &text, &len) < 0)
		return;
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line && l->n_pids < ROUND_MAX;
	     line = strtok_r(NULL, "\n", &save)) {
		/* The next power of two is the capacity. */
		if ((l->n_pids & (l->n_pids - 1)) == 0) {
			struct rf_library_process *grown =
				reallocarray(l->pids, l->n_pids ? 2 * l->n_pids : 1, sizeof(*grown));

			if (!grown)
				return;
			l->pids = grown;
		}
		l->pids[l->n_pids++] = (struct rf_library_process){ (pid_t)atoi(line), c->workload };
	}
}

static void round_begin(struct rf_libraries *l, const struct rf_registry *r)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	l->round++;
	l->n_pids = l->at = 0;
	memset(l->late, 0, sizeof(l->late));
	while (is_asked(r) && rf_hashmap_next(r->cgroups, &it, NULL, NULL, &value)) {
		const struct rf_cgroup *c = value;
		const struct rf_workload *w = c->workload < RF_MAX_WORKLOADS ? r->by_id[c->workload] : NULL;

		if (w && w->image && w->image->calls)
			pids_add(l, r, c);
	}
}

static void processes_trim(struct rf_libraries *l)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	const void *key;
	size_t len;
	void *value;

	while (rf_hashmap_next(l->processes, &it, &key, &len, &value))
		if (((const struct process *)value)->seen != l->round)
			rf_hashmap_remove(l->processes, key, len);
}

static int site_forget(const struct rf_call_site_key *key, const struct rf_call_site *site, void *arg)
{
	(void)key;
	return rf_library_is_told_of(arg, site) ? RF_CALL_SITE_WRONG : RF_CALL_SITE_OPEN;
}

static void round_end(struct rf_libraries *l, struct rf_engine *e)
{
	processes_trim(l);
	for (size_t i = 0; i < l->n;) {
		if (l->round - l->list[i].seen <= KEEP_ROUNDS) {
			i++;
			continue;
		}
		rf_engine_calls_detach(e, l->list[i].name);
		(void)rf_engine_call_sites_each(e, site_forget, &l->list[i]);
		l->list[i] = l->list[--l->n];
		l->full_told = false;
	}
	if (!l->settled)
		rf_engine_calls_settle(e);
	l->settled = true;
}

void rf_libraries_tick(struct rf_libraries *l, struct rf_registry *r)
{
	struct rf_library_look look = { .l = l, .e = r->engine, .until_ns = rf_clock_monotonic() + TICK_NS };

	if (!l->processes && rf_hashmap_new(free, &l->processes) < 0)
		return;
	if (l->at == l->n_pids)
		round_begin(l, r);
	for (size_t i = 0; i < LOOKS_A_TICK && l->at < l->n_pids && rf_clock_monotonic() < look.until_ns; i++) {
		look.process = l->pids[l->at++];
		process_look(&look);
	}
	look.until_ns = rf_clock_monotonic() + TICK_NS;
	rf_library_sites_look(&look);
	rf_engine_calls_sweep(r->engine);
	rf_library_files_forget(&l->files);
	if (l->at == l->n_pids)
		round_end(l, r->engine);
}

void rf_libraries_stop(struct rf_libraries *l)
{
	free(l->list);
	free(l->pids);
	rf_hashmap_free(l->processes);
	rf_library_files_forget(&l->files);
	rf_library_reader_stop(&l->reader);
	*l = (struct rf_libraries){ 0 };
}
