// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A library is known by its device and inode: one file that ten containers have
 * is probed once, and one that is replaced under its name is another.
 *
 * The file, its name, and what a program says that it was told are the
 * workload's, and a probe is met by all that have the file mapped. So it is put
 * where a function begins alone, and what was told counts for who told it.
 */
#include "user/daemon/library.h"

#include <errno.h>
#include <sys/stat.h>

#include "user/collect/elf_functions.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"
#include "user/model/calls.h"

#define WORKLOAD_FILES (RF_MAX_CALL_LIBRARIES / 8)

struct probes {
	struct rf_call_probe list[RF_MAX_CALL_PROBES];
	size_t n;
	const struct rf_library *library; /* of which they are */
	int fd;
};

struct rf_library *rf_library_find(const struct rf_libraries *l, uint64_t device, uint64_t inode)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].device == device && l->list[i].inode == inode)
			return &l->list[i];
	return NULL;
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

bool rf_library_is_told_of(const struct rf_library *library, const struct rf_call_site *site)
{
	if (site->inode == library->told_inode && site->device == library->told_device)
		return true;
	return site->inode == library->inode && site->device == rf_fs_kernel_device(library->device);
}

/* What programs were told under a daemon before this one, which has found it right: they do not ask again. */
static int known_site_take(const struct rf_call_site_key *key, const struct rf_call_site *site, void *arg)
{
	struct probes *p = arg;

	if (!site->seen || !rf_library_is_told_of(p->library, site))
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

void rf_library_probe(struct rf_library_look *look, struct rf_library *library, int fd,
		      const struct rf_call_probe *probe)
{
	struct probes p = { .list = { *probe }, .n = 1 };

	probes_attach(look->e, library, fd, library->name, &p);
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

struct rf_library *rf_library_get(struct rf_library_look *look, int fd, const char *path)
{
	_cleanup_free_ struct probes *p = NULL;
	struct rf_library *library;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return NULL;
	library = rf_library_find(look->l, st.st_dev, st.st_ino);
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

int rf_library_file_open(struct rf_library_look *look, int at, uint32_t device, const char *path)
{
	const char *why = NULL;
	int fd = at < 0 ? at : rf_library_open(&look->l->files, look->process.pid, at, &why);

	if (fd == -ENOTSUP)
		refusal_tell(look->l, device, path, why);
	return fd < 0 ? -1 : fd;
}

int rf_library_mapped_open(struct rf_library_look *look, const struct rf_process_map *map, const char *path)
{
	_cleanup_close_ int at = rf_library_reader_open(&look->l->reader, look->process.pid, map);

	if (at == -ETIMEDOUT || at == -EBUSY)
		return -EAGAIN;
	return rf_library_file_open(look, at, map->device, path);
}
