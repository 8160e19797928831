// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the lock protects is written down before the word "locked" is: from
 * then on nobody but us can change it. Hooks are attached all the time that a
 * daemon with --lock lives, and pinned, so that its end opens nothing.
 */
#include "user/engine/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "user/engine/rate.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"

#include "ringfence.skel.h"

#define CLAIM_PIN "guard_claim"

static int claim_run(int fd, const uint8_t token[static RF_GUARD_TOKEN], uint64_t open_ns)
{
	struct rf_guard_claim claim = { .open_ns = open_ns };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &claim, .ctx_size_in = sizeof(claim));
	int r;

	memcpy(claim.token, token, sizeof(claim.token));
	r = bpf_prog_test_run_opts(fd, &opts);
	explicit_bzero(&claim, sizeof(claim));
	if (r < 0)
		return r;
	return opts.retval ? -EACCES : 1;
}

int rf_guard_claim(const char *bpffs, const uint8_t token[static RF_GUARD_TOKEN], uint64_t open_ns)
{
	_cleanup_close_ int fd = -1;
	char path[RF_PATH_SIZE];

	snprintf(path, sizeof(path), "%.3900s/" CLAIM_PIN, bpffs);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return claim_run(fd, token, open_ns);
}

static int guard_read(const struct rf_engine *e, struct rf_guard *ret)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(rf_engine_map_fd(e, "rf_guard_map"), &zero, ret) < 0 ? -errno : 0;
}

static int guard_write(const struct rf_engine *e, const struct rf_guard *guard)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(rf_engine_map_fd(e, "rf_guard_map"), &zero, guard, BPF_ANY) < 0 ? -errno : 0;
}

static int object_add(const struct rf_engine *e, enum rf_guard_kind kind, uint32_t id)
{
	uint64_t key = RF_GUARD_OBJECT(kind, id);
	uint32_t one = 1;

	if (!id)
		return 0;
	return bpf_map_update_elem(rf_engine_map_fd(e, "rf_guard_object_map"), &key, &one, BPF_ANY) < 0 ? -errno : 0;
}

static uint32_t id_of(int fd, enum rf_guard_kind kind)
{
	union {
		struct bpf_map_info map;
		struct bpf_prog_info program;
		struct bpf_link_info link;
	} info = { 0 };
	uint32_t size = kind == RF_GUARD_IS_MAP	    ? sizeof(info.map) :
			kind == RF_GUARD_IS_PROGRAM ? sizeof(info.program) :
						      sizeof(info.link);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return 0;
	return kind == RF_GUARD_IS_MAP ? info.map.id : kind == RF_GUARD_IS_PROGRAM ? info.program.id : info.link.id;
}

static int chunks_add(const struct rf_engine *e, const struct rf_chunks *chunks)
{
	int r = 0;

	for (uint32_t i = 0; chunks && r >= 0 && i < chunks->n; i++)
		r = object_add(e, RF_GUARD_IS_MAP, id_of(rf_chunks_fd(chunks, i), RF_GUARD_IS_MAP));
	return r;
}

/* Ids are not used again soon: what is gone may stay. */
static int objects_write(const struct rf_engine *e)
{
	struct bpf_program *program;
	struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map, e->skeleton->obj) {
		if (r >= 0 && rf_engine_map_name(map))
			r = object_add(e, RF_GUARD_IS_MAP, id_of(bpf_map__fd(map), RF_GUARD_IS_MAP));
		if (r >= 0)
			r = chunks_add(e, rf_engine_chunks(e, bpf_map__name(map)));
	}
	bpf_object__for_each_program(program, e->skeleton->obj) {
		if (r >= 0)
			r = object_add(e, RF_GUARD_IS_PROGRAM, id_of(bpf_program__fd(program), RF_GUARD_IS_PROGRAM));
	}
	for (int hook = 0; r >= 0 && hook < RF_HOOK_COUNT; hook++) {
		if (!e->hooks[hook].link)
			continue;
		r = object_add(e, RF_GUARD_IS_LINK, id_of(bpf_link__fd(e->hooks[hook].link), RF_GUARD_IS_LINK));
		/* Of an adopted link it is not the one that was loaded. */
		if (r >= 0)
			r = object_add(e, RF_GUARD_IS_PROGRAM, e->hooks[hook].program_id);
	}
	for (size_t i = 0; r >= 0 && i < rf_rate_links_count(e); i++)
		r = object_add(e, RF_GUARD_IS_LINK, id_of(rf_rate_link_fd(e, i), RF_GUARD_IS_LINK));
	return r;
}

/* Ours, "0::/a/b" below the mount of cgroup v2, and each above it. */
static int cgroups_find(const char *mount, struct rf_guard *guard)
{
	_cleanup_free_ char *text = NULL, *path = NULL;
	size_t len, depth = 0;
	char *line, *end;
	int r = rf_fs_read(AT_FDCWD, "/proc/self/cgroup", 65536, &text, &len);

	if (r < 0)
		return r;
	line = rf_strprefix(text, "0::") ? text : strstr(text, "\n0::");
	if (!line)
		return -ENOENT;
	line = strchr(line, '/');
	line[strcspn(line, "\n")] = '\0';
	if (asprintf(&path, "%s%s", mount, rf_streq(line, "/") ? "" : line) < 0)
		return -ENOMEM;
	memset(guard->ancestors, 0, sizeof(guard->ancestors));
	do {
		unsigned long long id;

		r = rf_fs_cgroup_id(AT_FDCWD, path, &id);
		if (r < 0)
			return r;
		if (!depth)
			guard->cgroup = id;
		guard->ancestors[depth++] = id;
		end = strlen(path) > strlen(mount) ? strrchr(path, '/') : NULL;
		if (end)
			*end = '\0';
	} while (end && depth < RF_GUARD_ANCESTORS);
	return 0;
}

static int places_find(const struct rf_engine *e, struct rf_guard *guard)
{
	struct stat st;

	if (stat(e->bpffs, &st) < 0)
		return -errno;
	guard->directory = st.st_ino;
	guard->device = rf_fs_kernel_device(st.st_dev);
	if (stat("/proc/self/ns/mnt", &st) < 0)
		return -errno;
	guard->mount_ns = (uint32_t)st.st_ino;
	return 0;
}

static int claim_pin(struct rf_engine *e)
{
	char path[RF_PATH_SIZE];
	int fd = bpf_program__fd(e->skeleton->progs.rf_guard_claim);

	snprintf(path, sizeof(path), "%.3900s/" CLAIM_PIN, e->bpffs);
	unlink(path);
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

int rf_engine_lock(struct rf_engine *e, const char *cgroup_mount, const uint8_t token[static RF_GUARD_TOKEN],
		   char **ret_error)
{
	int claim = bpf_program__fd(e->skeleton->progs.rf_guard_claim);
	struct rf_guard guard;
	int r;

	if (!rf_level(e))
		return rf_engine_format_error(ret_error, -ENOTSUP, "the lock needs BPF LSM (%s)", e->lsm_why);
	r = guard_read(e, &guard);
	if (r >= 0)
		r = objects_write(e);
	if (r >= 0)
		r = claim_pin(e);
	if (r >= 0)
		r = cgroups_find(cgroup_mount, &guard);
	if (r >= 0)
		r = places_find(e, &guard);
	if (r < 0)
		return rf_engine_format_error(ret_error, r, "cannot lock");
	memcpy(guard.token, token, sizeof(guard.token));
	guard.claim = id_of(claim, RF_GUARD_IS_PROGRAM);
	guard.secret = id_of(rf_engine_map_fd(e, "rf_guard_map"), RF_GUARD_IS_MAP);
	r = guard_write(e, &guard);
	/* The kernel says who we are: it knows when this process began. */
	if (r >= 0)
		r = claim_run(claim, token, 0);
	if (r >= 0)
		r = guard_read(e, &guard);
	if (r >= 0) {
		guard.locked = 1;
		r = guard_write(e, &guard);
	}
	explicit_bzero(guard.token, sizeof(guard.token));
	return r < 0 ? rf_engine_format_error(ret_error, r, "cannot lock") : 0;
}

int rf_engine_lock_open(struct rf_engine *e, uint64_t open_ns)
{
	struct rf_guard guard;
	int r = guard_read(e, &guard);

	if (r < 0)
		return r;
	if (!guard.locked)
		return -ENOENT;
	guard.open_until = open_ns ? rf_clock_boot() + open_ns : 0;
	r = guard_write(e, &guard);
	explicit_bzero(guard.token, sizeof(guard.token));
	return r;
}

int rf_engine_unlock(struct rf_engine *e)
{
	struct rf_guard guard = { 0 };
	char path[RF_PATH_SIZE];

	snprintf(path, sizeof(path), "%.3900s/" CLAIM_PIN, e->bpffs);
	unlink(path);
	return guard_write(e, &guard);
}

int rf_engine_guard_get(const struct rf_engine *e, struct rf_guard_row *ret)
{
	uint64_t now = rf_clock_boot();
	struct rf_guard guard;
	int r = guard_read(e, &guard);

	if (r < 0)
		return r;
	ret->locked = guard.locked;
	ret->open_s = guard.open_until > now ? (guard.open_until - now) / RF_NSEC_PER_SEC + 1 : 0;
	memcpy(ret->refused, guard.refused, sizeof(ret->refused));
	explicit_bzero(&guard, sizeof(guard));
	return 0;
}
