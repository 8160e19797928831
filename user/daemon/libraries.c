// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking for libraries. A process that maps another file has another size, so
 * one read of /proc/<pid>/stat tells most of the time that there is nothing
 * new; only then its mappings are read. Works without BPF LSM, and finds what
 * was mapped before anybody asked.
 *
 * A library is known by its device and inode: one file that ten containers have
 * is probed once, and one that is replaced under its name is another.
 */
#include "user/daemon/libraries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "user/collect/elf_functions.h"
#include "user/collect/process_maps.h"
#include "user/daemon/process.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"
#include "user/model/calls.h"

#define LOOKS_A_TICK	 500   /* processes: some milliseconds */
#define ROUND_MAX	 65536 /* processes */
#define PROCESS_FILES	 8
#define KEEP_ROUNDS	 5 /* that a library nobody maps is kept: a job that starts again finds it probed */
#define MAPS_MAX	 (16 * 1024 * 1024)
#define CGROUP_PROCS_MAX (4 * 1024 * 1024)

struct rf_library {
	uint64_t device, inode;
	uint64_t seen; /* round */
	char name[48];
	bool failed; /* told, and not tried again */
};

struct process {
	struct rf_process_stat stat;
	uint64_t seen; /* round */
	struct {
		uint64_t device, inode;
	} files[PROCESS_FILES];
	size_t n;
};

struct probes {
	struct rf_call_probe list[RF_MAX_CALL_PROBES];
	size_t n;
	const struct rf_library *library; /* of which they are */
};

static struct rf_library *library_find(const struct rf_libraries *l, uint64_t device, uint64_t inode)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].device == device && l->list[i].inode == inode)
			return &l->list[i];
	return NULL;
}

/* As the kernel's own device numbers are. */
static uint32_t kernel_device(uint64_t device)
{
	return major(device) << 20 | minor(device);
}

static void probe_add(struct probes *p, uint64_t offset, uint64_t cookie)
{
	/* Two names of one function are one probe. */
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].offset == offset)
			return;
	if (p->n < RF_MAX_CALL_PROBES)
		p->list[p->n++] = (struct rf_call_probe){ offset, cookie };
}

static int function_take(const char *name, uint64_t offset, void *arg)
{
	uint64_t cookie = rf_call_cookie(name);

	if (cookie)
		probe_add(arg, offset, cookie);
	return 0;
}

/* What programs were told under a daemon before this one: they do not ask again. */
static int known_site_take(const struct rf_call_site_key *key, const struct rf_call_site *site, void *arg)
{
	struct probes *p = arg;

	if (key->inode == p->library->inode && key->device == kernel_device(p->library->device))
		probe_add(p, key->offset, site->cookie);
	return 0;
}

static void library_fail(struct rf_library *library, const char *path, const char *why)
{
	if (!library->failed)
		rf_warn("calls of %s are not counted: %s", path, why);
	library->failed = true;
}

static void probes_attach(struct rf_engine *e, struct rf_library *library, int fd, const char *path,
			  const struct probes *p)
{
	_cleanup_free_ char *error = NULL;
	int r;

	if (library->failed || !p->n)
		return;
	r = rf_engine_calls_attach(e, library->name, fd, p->list, p->n, &error);
	if (r < 0)
		library_fail(library, path, error ? error : strerror(-r));
}

/* NULL: there is no room, or no memory. */
static struct rf_library *library_add(struct rf_libraries *l, const struct stat *st)
{
	struct rf_library *list;

	if (l->n == RF_MAX_CALL_LIBRARIES) {
		if (!l->full_told)
			rf_warn("more than %d libraries of accelerators are in use: the rest is not counted",
				RF_MAX_CALL_LIBRARIES);
		l->full_told = true;
		return NULL;
	}
	list = reallocarray(l->list, l->n + 1, sizeof(*list));
	if (!list)
		return NULL;
	l->list = list;
	list[l->n] = (struct rf_library){ .device = st->st_dev, .inode = st->st_ino };
	snprintf(list[l->n].name, sizeof(list[l->n].name), "%llx-%llx", (unsigned long long)st->st_dev,
		 (unsigned long long)st->st_ino);
	return &list[l->n++];
}

/* The library that @fd is, probed; NULL: it is no file that can be. */
static struct rf_library *library_get(struct rf_libraries *l, struct rf_engine *e, int fd, const char *path)
{
	_cleanup_free_ struct probes *p = NULL;
	struct rf_library *library;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	library = library_find(l, st.st_dev, st.st_ino);
	if (library)
		return library;
	p = calloc(1, sizeof(*p));
	library = p ? library_add(l, &st) : NULL;
	if (!library)
		return NULL;
	p->library = library;
	r = rf_elf_functions(fd, function_take, p);
	if (r >= 0)
		(void)rf_engine_call_sites_each(e, known_site_take, p);
	if (r < 0)
		library_fail(library, path,
			     r == -ELOOP ? "it lies in a file system that a program serves (FUSE)" : strerror(-r));
	else
		probes_attach(e, library, fd, path, p);
	if (!library->failed && p->n)
		rf_notice("%zu functions of %s are probed", p->n, path);
	return library;
}

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
static void program_look(struct rf_libraries *l, struct rf_engine *e, pid_t pid, struct process *p)
{
	_cleanup_close_ int fd = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		process_note(p, library_get(l, e, fd, path), l->round);
}

static int maps_read(pid_t pid, char **ret, size_t *ret_len)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	return rf_fs_read(AT_FDCWD, path, MAPS_MAX, ret, ret_len);
}

static void maps_look(struct rf_libraries *l, struct rf_engine *e, pid_t pid, struct process *p)
{
	_cleanup_free_ char *text = NULL;
	struct rf_process_map map;
	bool has_driver = false;
	struct rf_span rest;
	size_t len;

	if (maps_read(pid, &text, &len) < 0)
		return;
	p->n = 0;
	rest = (struct rf_span){ text, len };
	while (rf_process_maps_next(&rest, &map)) {
		_cleanup_free_ char *path = map.executable && map.path.n ? strndup(map.path.s, map.path.n) : NULL;
		_cleanup_close_ int fd = -1;

		if (!path || *path != '/' || !rf_call_is_library(path))
			continue;
		fd = rf_process_map_open(pid, &map);
		if (fd < 0)
			continue;
		process_note(p, library_get(l, e, fd, path), l->round);
		has_driver |= rf_call_is_driver(path);
	}
	if (has_driver)
		program_look(l, e, pid, p);
}

static void process_look(struct rf_libraries *l, struct rf_engine *e, pid_t pid)
{
	uint64_t key = (uint64_t)pid;
	struct process *p = rf_hashmap_get64(l->processes, key);
	struct rf_process_stat now;

	if (rf_process_stat_read((uint32_t)pid, &now) < 0)
		return;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p || rf_hashmap_put(l->processes, &key, sizeof(key), p) < 0) {
			free(p);
			return;
		}
	}
	if (p->stat.start_ns != now.start_ns || p->stat.size != now.size) {
		p->stat = now;
		maps_look(l, e, pid, p);
	}
	p->seen = l->round;
	for (size_t i = 0; i < p->n; i++) {
		struct rf_library *library = library_find(l, p->files[i].device, p->files[i].inode);

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
			pid_t *grown = reallocarray(l->pids, l->n_pids ? 2 * l->n_pids : 1, sizeof(*grown));

			if (!grown)
				return;
			l->pids = grown;
		}
		l->pids[l->n_pids++] = (pid_t)atoi(line);
	}
}

static void round_begin(struct rf_libraries *l, const struct rf_registry *r)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	l->round++;
	l->n_pids = l->at = 0;
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

static void round_end(struct rf_libraries *l, struct rf_engine *e)
{
	processes_trim(l);
	for (size_t i = 0; i < l->n;) {
		if (l->round - l->list[i].seen <= KEEP_ROUNDS) {
			i++;
			continue;
		}
		rf_engine_calls_detach(e, l->list[i].name);
		rf_engine_call_sites_delete(e, kernel_device(l->list[i].device), l->list[i].inode);
		l->list[i] = l->list[--l->n];
		l->full_told = false;
	}
	if (!l->settled)
		rf_engine_calls_settle(e);
	l->settled = true;
}

/* ---- what programs were told where functions are ---- */

struct sites {
	struct rf_libraries *l;
	struct rf_engine *e;
};

static int site_look(const struct rf_call_site_key *key, const struct rf_call_site *site, void *arg)
{
	const struct sites *s = arg;
	_cleanup_free_ char *text = NULL;
	struct rf_process_map map;
	struct rf_span rest;
	size_t len;

	(void)key;
	if (site->seen || maps_read((pid_t)site->tgid, &text, &len) < 0)
		return 1;
	rest = (struct rf_span){ text, len };
	while (rf_process_maps_next(&rest, &map)) {
		struct probes p = { .list = { { site->address - map.start + map.offset, site->cookie } }, .n = 1 };
		struct rf_library *library;
		_cleanup_close_ int fd = -1;

		if (site->address < map.start || site->address >= map.end)
			continue;
		fd = map.executable ? rf_process_map_open((pid_t)site->tgid, &map) : -1;
		library = fd >= 0 ? library_get(s->l, s->e, fd, "a library that cuGetProcAddress() led to") : NULL;
		if (!library)
			return 1;
		library->seen = s->l->round;
		probes_attach(s->e, library, fd, library->name, &p);
		return 1;
	}
	return 1;
}

void rf_libraries_tick(struct rf_libraries *l, struct rf_registry *r)
{
	struct sites sites = { l, r->engine };

	if (!l->processes && rf_hashmap_new(free, &l->processes) < 0)
		return;
	if (l->at == l->n_pids)
		round_begin(l, r);
	for (size_t i = 0; i < LOOKS_A_TICK && l->at < l->n_pids; i++)
		process_look(l, r->engine, l->pids[l->at++]);
	if (l->n)
		(void)rf_engine_call_sites_each(r->engine, site_look, &sites);
	rf_engine_calls_sweep(r->engine);
	if (l->at == l->n_pids)
		round_end(l, r->engine);
}

void rf_libraries_stop(struct rf_libraries *l)
{
	free(l->list);
	free(l->pids);
	rf_hashmap_free(l->processes);
	*l = (struct rf_libraries){ 0 };
}
