// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking for libraries. A process that maps another file has another size, so
 * one read of /proc/<pid>/stat tells most of the time that there is nothing
 * new; only then its mappings are read. Works without BPF LSM, and finds what
 * was mapped before anybody asked.
 *
 * A library is known by its device and inode: one file that ten containers have
 * is probed once, and one that is replaced under its name is another.
 *
 * The file, its name, and what a program says that it was told are the
 * workload's, and a probe is met by all that have the file mapped. So it is put
 * where a function begins alone, and what was told counts for who told it.
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
#include "user/lib/clock.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"
#include "user/model/calls.h"

#define LOOKS_A_TICK	 500		       /* processes: some milliseconds */
#define TICK_NS		 (20 * 1000 * 1000ULL) /* then the rest waits for the next */
#define REST		 20		       /* times as long as it took, its mappings are not read again */
#define ROUND_MAX	 65536		       /* processes */
#define PROCESS_FILES	 8
#define WORKLOAD_FILES	 (RF_MAX_CALL_LIBRARIES / 8)
#define KEEP_ROUNDS	 5 /* that a library nobody maps is kept: a job that starts again finds it probed */
#define CGROUP_PROCS_MAX (4 * 1024 * 1024)

struct rf_library {
	uint64_t device, inode;
	uint64_t told_inode; /* as sites have it, and its device; 0: there was none yet */
	uint32_t told_device;
	uint32_t workload; /* who had it first */
	uint64_t seen;	   /* round */
	char name[48];
	bool failed; /* told, and not tried again */
};

struct rf_library_process {
	pid_t pid;
	uint32_t workload;
};

struct process {
	struct rf_process_stat stat;
	uint64_t seen;	   /* round */
	uint64_t again_ns; /* its mappings are not read before */
	struct {
		uint64_t device, inode;
	} files[PROCESS_FILES];
	size_t n;
};

struct probes {
	struct rf_call_probe list[RF_MAX_CALL_PROBES];
	size_t n;
	const struct rf_library *library; /* of which they are */
	int fd;
};

/* What is looked at now. */
struct look {
	struct rf_libraries *l;
	struct rf_engine *e;
	struct rf_library_process process;
	uint64_t until_ns;
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

static bool is_told_of(const struct rf_library *library, const struct rf_call_site *site)
{
	if (site->inode == library->told_inode && site->device == library->told_device)
		return true;
	return site->inode == library->inode && site->device == kernel_device(library->device);
}

/* What programs were told under a daemon before this one, which has found it right: they do not ask again. */
static int known_site_take(const struct rf_call_site_key *key, const struct rf_call_site *site, void *arg)
{
	struct probes *p = arg;

	if (!site->seen || !is_told_of(p->library, site))
		return RF_CALL_SITE_OPEN;
	if (rf_elf_is_function(p->fd, site->offset) <= 0)
		return RF_CALL_SITE_WRONG;
	probe_add(p, site->offset, RF_CALL_AT(key->place));
	return RF_CALL_SITE_RIGHT;
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

/* One may not take the room of all. */
static bool has_room(struct rf_libraries *l, uint32_t workload)
{
	size_t own = 0;

	for (size_t i = 0; i < l->n; i++)
		own += l->list[i].workload == workload;
	if (l->n < RF_MAX_CALL_LIBRARIES && own < WORKLOAD_FILES)
		return true;
	if (!l->full_told)
		rf_warn("libraries of accelerators: more than %d are in use, or %d of one workload; the rest is not "
			"counted",
			RF_MAX_CALL_LIBRARIES, WORKLOAD_FILES);
	l->full_told = true;
	return false;
}

/* NULL: there is no room, or no memory. */
static struct rf_library *library_add(struct rf_libraries *l, uint32_t workload, const struct stat *st)
{
	struct rf_library *list = has_room(l, workload) ? reallocarray(l->list, l->n + 1, sizeof(*list)) : NULL;

	if (!list)
		return NULL;
	l->list = list;
	list[l->n] = (struct rf_library){
		.device = st->st_dev, .inode = st->st_ino, .workload = workload, .seen = l->round
	};
	snprintf(list[l->n].name, sizeof(list[l->n].name), "%llx-%llx", (unsigned long long)st->st_dev,
		 (unsigned long long)st->st_ino);
	return &list[l->n++];
}

/* The library that @fd is, probed; NULL: it is no file that can be. */
static struct rf_library *library_get(struct look *look, int fd, const char *path)
{
	_cleanup_free_ struct probes *p = NULL;
	struct rf_library *library;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return NULL;
	library = library_find(look->l, st.st_dev, st.st_ino);
	if (library)
		return library;
	p = calloc(1, sizeof(*p));
	library = p ? library_add(look->l, look->process.workload, &st) : NULL;
	if (!library)
		return NULL;
	p->library = library;
	p->fd = fd;
	r = rf_elf_functions(fd, function_take, p);
	if (r >= 0)
		(void)rf_engine_call_sites_each(look->e, known_site_take, p);
	if (r < 0)
		library_fail(library, path, r == -EFBIG ? "it has more symbols than are read" : strerror(-r));
	else
		probes_attach(look->e, library, fd, path, p);
	if (!library->failed && p->n)
		rf_notice("%zu functions of %s are probed", p->n, path);
	return library;
}

/* Once for each file system; @device as mappings have it. */
static void refusal_tell(struct rf_libraries *l, uint32_t device, const char *path, const char *why)
{
	for (size_t i = 0; i < MIN(l->n_refused, ARRAY_SIZE(l->refused)); i++)
		if (l->refused[i] == device)
			return;
	l->refused[l->n_refused++ % ARRAY_SIZE(l->refused)] = device;
	rf_warn("calls of %s are not counted: %s", path, why);
}

/* Of what @at is, which has O_PATH; @device is 0 where it is not known. -1: it cannot be read, or is not. */
static int file_open(struct look *look, int at, uint32_t device, const char *path)
{
	const char *why = NULL;
	int fd = at < 0 ? at : rf_library_open(&look->l->files, look->process.pid, at, &why);

	if (fd == -ENOTSUP)
		refusal_tell(look->l, device, path, why);
	return fd < 0 ? -1 : fd;
}

static int mapped_open(struct look *look, const struct rf_process_map *map, const char *path)
{
	_cleanup_close_ int at = rf_library_reader_open(&look->l->reader, look->process.pid, map);

	return file_open(look, at, map->device, path);
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
static void program_look(struct look *look, struct process *p)
{
	_cleanup_close_ int at = -1, fd = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", look->process.pid);
	at = open(path, O_PATH | O_CLOEXEC);
	fd = file_open(look, at, 0, path);
	if (fd >= 0)
		process_note(p, library_get(look, fd, path), look->l->round);
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

static void library_look(struct look *look, const struct rf_process_map *map, const char *path, struct process *p)
{
	_cleanup_close_ int fd = mapped_open(look, map, path);

	if (fd >= 0)
		process_note(p, library_get(look, fd, path), look->l->round);
}

static void maps_look(struct look *look, struct process *p)
{
	_cleanup_free_ char *text = NULL;
	struct opened opened = { .n = 0 };
	struct rf_process_map map;
	bool has_driver = false;
	struct rf_span rest;
	size_t len;

	if (rf_library_reader_maps(&look->l->reader, look->process.pid, &text, &len) < 0)
		return;
	p->n = 0;
	rest = (struct rf_span){ text, len };
	while (rf_process_maps_next(&rest, &map)) {
		_cleanup_free_ char *path = map.executable && map.path.n ? strndup(map.path.s, map.path.n) : NULL;

		if (!path || *path != '/' || !rf_call_is_library(path) || !opened_add(&opened, &map))
			continue;
		library_look(look, &map, path, p);
		has_driver |= rf_call_is_driver(path);
	}
	if (has_driver)
		program_look(look, p);
}

static void process_look(struct look *look)
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
	if (p->stat.start_ns != now.start_ns || (p->stat.size != now.size && begin >= p->again_ns)) {
		p->stat = now;
		maps_look(look, p);
		p->again_ns = begin + REST * (rf_clock_monotonic() - begin);
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
	return is_told_of(arg, site) ? RF_CALL_SITE_WRONG : RF_CALL_SITE_OPEN;
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

/* ---- what programs were told where functions are ---- */

struct sites {
	struct look look;
	/* Mappings of the process that was asked for last. */
	pid_t pid;
	char *text;
	size_t len;
	uint16_t right[RF_MAX_WORKLOADS]; /* how many of each there are */
};

static int site_count(const struct rf_call_site_key *key, const struct rf_call_site *site, void *arg)
{
	struct sites *s = arg;

	if (key->workload < RF_MAX_WORKLOADS)
		s->right[key->workload] += site->seen;
	return RF_CALL_SITE_OPEN;
}

/* What the process has at that address; false: nothing that is executed. */
static bool site_find(struct sites *s, const struct rf_call_site *site, struct rf_process_map *ret)
{
	struct rf_span rest;

	if (s->pid != (pid_t)site->tgid) {
		rf_freep(&s->text);
		s->pid = (pid_t)site->tgid;
		if (rf_library_reader_maps(&s->look.l->reader, s->pid, &s->text, &s->len) < 0)
			s->text = NULL;
	}
	rest = (struct rf_span){ s->text, s->text ? s->len : 0 };
	while (rf_process_maps_next(&rest, ret))
		if (site->address >= ret->start && site->address < ret->end)
			return ret->executable;
	return false;
}

/* In a library that is probed already, for its name: a program may lead to any file, where it likes. */
static enum rf_call_site_is site_judge(struct sites *s, const struct rf_call_site_key *key,
				       const struct rf_call_site *site)
{
	struct probes p = { .n = 1 };
	struct rf_library *library;
	struct rf_process_map map;
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (!site_find(s, site, &map))
		return RF_CALL_SITE_WRONG;
	s->look.process = (struct rf_library_process){ s->pid, key->workload };
	fd = mapped_open(&s->look, &map, "what cuGetProcAddress() gave");
	if (fd < 0 || fstat(fd, &st) < 0)
		return RF_CALL_SITE_WRONG;
	library = library_find(s->look.l, st.st_dev, st.st_ino);
	p.list[0] = (struct rf_call_probe){ site->address - map.start + map.offset, RF_CALL_AT(key->place) };
	/* It may have mapped something else there since it was told. */
	if (!library || p.list[0].offset != site->offset || rf_elf_is_function(fd, site->offset) <= 0)
		return RF_CALL_SITE_WRONG;
	library->seen = s->look.l->round;
	library->told_inode = site->inode;
	library->told_device = site->device;
	probes_attach(s->look.e, library, fd, library->name, &p);
	return RF_CALL_SITE_RIGHT;
}

static int site_look(const struct rf_call_site_key *key, const struct rf_call_site *site, void *arg)
{
	struct sites *s = arg;
	enum rf_call_site_is is;

	if (site->seen)
		return RF_CALL_SITE_RIGHT;
	if (rf_clock_monotonic() >= s->look.until_ns)
		return -ECANCELED;
	if (key->workload >= RF_MAX_WORKLOADS || s->right[key->workload] >= RF_MAX_CALL_PROBES)
		return RF_CALL_SITE_WRONG;
	is = site_judge(s, key, site);
	s->right[key->workload] += is == RF_CALL_SITE_RIGHT;
	return is;
}

static void sites_look(struct look *look)
{
	struct sites *s = look->l->n ? calloc(1, sizeof(*s)) : NULL;

	if (!s)
		return;
	s->look = *look;
	if (rf_engine_call_sites_each(look->e, site_count, s) == 0)
		(void)rf_engine_call_sites_each(look->e, site_look, s);
	free(s->text);
	free(s);
}

void rf_libraries_tick(struct rf_libraries *l, struct rf_registry *r)
{
	struct look look = { .l = l, .e = r->engine, .until_ns = rf_clock_monotonic() + TICK_NS };

	if (!l->processes && rf_hashmap_new(free, &l->processes) < 0)
		return;
	if (l->at == l->n_pids)
		round_begin(l, r);
	for (size_t i = 0; i < LOOKS_A_TICK && l->at < l->n_pids && rf_clock_monotonic() < look.until_ns; i++) {
		look.process = l->pids[l->at++];
		process_look(&look);
	}
	look.until_ns = rf_clock_monotonic() + TICK_NS;
	sites_look(&look);
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
