// SPDX-License-Identifier: GPL-2.0-or-later
/* Life of the engine: bpffs, maps, the skeleton, and cgroup entries. */
#include "user/engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "user/engine/rate.h"
#include "user/lib/fs.h"

#include "ringfence.skel.h"

int rf_engine_format_error(char **ret_error, int r, const char *fmt, ...)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;
	va_list ap;

	if (!ret_error || *ret_error)
		return r;
	va_start(ap, fmt);
	rf_strbuf_vaddf(&b, fmt, ap);
	va_end(ap);
	rf_strbuf_addf(&b, ": %s", strerror(-r));
	*ret_error = rf_strbuf_take(&b);
	return r;
}

int rf_engine_map_fd(const struct rf_engine *e, const char *name)
{
	return bpf_object__find_map_fd_by_name(e->skeleton->obj, name);
}

int rf_engine_maps_share(const struct rf_engine *e, struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		const char *name = bpf_map__name(map), *section = strrchr(name, '.');
		int fd = rf_engine_map_fd(e, name), r = 0;

		/* Its constants are its own. */
		if (fd >= 0)
			r = bpf_map__reuse_fd(map, fd);
		else if (!section || !rf_streq(section, ".rodata"))
			r = bpf_map__set_autocreate(map, false);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

/* The pins need a bpffs: the usual place is mounted there, any other is made one of its own. */
static int bpffs_prepare(struct rf_engine *e, char **ret_error)
{
	const char *mountpoint = rf_strprefix(e->bpffs, "/sys/fs/bpf/") ? "/sys/fs/bpf" : e->bpffs;
	int r;

	if (!rf_streq(mountpoint, "/sys/fs/bpf")) {
		r = rf_fs_mkdir_p(mountpoint, 0700);
		if (r < 0)
			return rf_engine_format_error(ret_error, r, "cannot make %s", mountpoint);
	}
	if (!is_bpffs(mountpoint) && mount("bpf", mountpoint, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return rf_engine_format_error(ret_error, -errno, "cannot mount a bpf file system on %s", mountpoint);
	r = rf_fs_mkdir_p(e->bpffs, 0700);
	if (r < 0)
		return rf_engine_format_error(ret_error, r, "cannot make %s", e->bpffs);
	return 0;
}

static int root_open(struct rf_engine *e, char **ret_error)
{
	unsigned long long id;
	struct statfs fs;
	int r;

	e->root_fd = open(e->cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->root_fd < 0)
		return rf_engine_format_error(ret_error, -errno, "cannot open the cgroup %s", e->cgroup_root);
	if (fstatfs(e->root_fd, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return rf_engine_format_error(ret_error, -EINVAL,
					      "%s is no cgroup v2 directory; mount one: mount -t cgroup2 none DIR",
					      e->cgroup_root);
	r = rf_fs_cgroup_id(AT_FDCWD, e->cgroup_root, &id);
	if (r < 0)
		return rf_engine_format_error(ret_error, r, "cannot read the id of cgroup %s", e->cgroup_root);
	e->root_id = id;
	return 0;
}

/*
 * What a map is called in pins, status and metrics, NULL for one that libbpf made for itself. A variable in a section
 * of its own is a map called ".data.rf_NAME"; a bpffs takes no dots.
 */
const char *rf_engine_map_name(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	if (rf_strprefix(name, ".data."))
		name += strlen(".data.");
	return rf_strprefix(name, "rf_") ? name : NULL;
}

/* Every map is pinned, and taken from its pin where there is one. */
static int maps_pin(struct rf_engine *e, char **ret_error)
{
	char dir[RF_PATH_SIZE], path[RF_PATH_SIZE];
	struct bpf_map *map;
	struct stat st;
	int r;

	snprintf(dir, sizeof(dir), "%.3800s/maps_%u", e->bpffs, RF_MAP_ABI);
	r = rf_fs_mkdir_p(dir, 0700);
	if (r < 0)
		return rf_engine_format_error(ret_error, r, "cannot make %s", dir);
	snprintf(path, sizeof(path), "%.3900s/rf_config", dir);
	e->maps_adopted = stat(path, &st) == 0;
	bpf_object__for_each_map(map, e->skeleton->obj) {
		const char *name = rf_engine_map_name(map);

		if (!name)
			continue;
		snprintf(path, sizeof(path), "%.3900s/%s", dir, name);
		r = bpf_map__set_pin_path(map, path);
		if (r < 0)
			return rf_engine_format_error(ret_error, r, "cannot pin %s", path);
	}
	return 0;
}

static void *map_mmap(const struct rf_engine *e, const char *name, size_t size, bool writable)
{
	void *p = mmap(NULL, size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, rf_engine_map_fd(e, name), 0);

	return p == MAP_FAILED ? NULL : p;
}

#define WORKLOADS_SIZE	    (sizeof(struct rf_workload_entry) * RF_MAX_WORKLOADS)
#define STATS_SIZE	    (sizeof(struct rf_workload_stats) * RF_MAX_WORKLOADS)
#define LABELS_SIZE	    (sizeof(uint64_t) * (RF_LABEL_AT(1, RF_MAX_ZONES) + 1))
#define LINEAGE_STATES_SIZE (sizeof(struct rf_lineage_state) * RF_MAX_WORKLOADS)
#define ACCEL_JOBS_SIZE	    (sizeof(struct rf_accel_job) * RF_MAX_ACCEL_JOBS)
#define ACCEL_USES_SIZE	    (sizeof(struct rf_accel_use) * RF_MAX_ACCEL_USES)

static int maps_map(struct rf_engine *e, char **ret_error)
{
	e->config = map_mmap(e, ".data.rf_config", sizeof(*e->config), true);
	e->workloads = map_mmap(e, "rf_workload_map", WORKLOADS_SIZE, true);
	e->stats = map_mmap(e, "rf_stats_map", STATS_SIZE, true);
	e->lanes = map_mmap(e, "rf_lane_map", sizeof(*e->lanes) * RF_LANES, true);
	e->labels = map_mmap(e, "rf_label_map", LABELS_SIZE, true);
	e->lineage_states = map_mmap(e, "rf_lineage_state_map", LINEAGE_STATES_SIZE, true);
	e->accel_jobs = map_mmap(e, "rf_accel_job_map", ACCEL_JOBS_SIZE, true);
	e->accel_uses = map_mmap(e, "rf_accel_use_map", ACCEL_USES_SIZE, true);
	if (!e->config || !e->workloads || !e->stats || !e->lanes || !e->labels || !e->lineage_states ||
	    !e->accel_jobs || !e->accel_uses)
		return rf_engine_format_error(ret_error, -errno, "cannot map the BPF maps into memory");
	return 0;
}

static const struct chunks_row {
	const char *map;
	size_t at; /* in struct rf_engine */
} chunks_table[] = {
	{ "rf_account_map", offsetof(struct rf_engine, accounts) },
	{ "rf_set_map", offsetof(struct rf_engine, set_words) },
	{ "rf_rate_flow_map", offsetof(struct rf_engine, rate_flows) },
	{ "rf_learnt_map", offsetof(struct rf_engine, learnt) },
	{ "rf_query_map", offsetof(struct rf_engine, queries) },
	{ "rf_dns_stream_map", offsetof(struct rf_engine, dns_streams) },
};

struct rf_chunks *rf_engine_chunks(const struct rf_engine *e, const char *map)
{
	for (size_t i = 0; i < ARRAY_SIZE(chunks_table); i++)
		if (rf_streq(chunks_table[i].map, map))
			return (struct rf_chunks *)((char *)e + chunks_table[i].at);
	return NULL;
}

static void chunks_declare(struct rf_engine *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(chunks_table); i++)
		rf_chunks_declare(rf_engine_chunks(e, chunks_table[i].map),
				  bpf_object__find_map_by_name(e->skeleton->obj, chunks_table[i].map));
}

static int chunks_open(struct rf_engine *e, char **ret_error)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(chunks_table); i++) {
		r = rf_chunks_open(rf_engine_chunks(e, chunks_table[i].map));
		if (r < 0)
			return rf_engine_format_error(ret_error, r, "cannot map %s into memory", chunks_table[i].map);
	}
	/* The self-test's workload. */
	r = rf_chunks_need(&e->accounts, RF_ACCOUNT(RF_WORKLOAD_PROBE, RF_PEER_CLASSES - 1));
	return r < 0 ? rf_engine_format_error(ret_error, r, "cannot make a chunk of rf_account_map") : 0;
}

static int sync_make(struct rf_engine *e, char **ret_error)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);

	e->sync_inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "rf_sync_inner", 4, 4, 1, NULL);
	if (e->sync_inner >= 0) {
		opts.inner_map_fd = e->sync_inner;
		e->sync_outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "rf_sync", 4, 4, 1, &opts);
	}
	if (e->sync_inner < 0 || e->sync_outer < 0)
		return rf_engine_format_error(ret_error, -errno, "cannot make an array of maps");
	return 0;
}

static int words_need(void *arg, uint32_t word)
{
	struct rf_engine *e = arg;

	return rf_chunks_need(&e->set_words, word);
}

static int tables_make(struct rf_engine *e)
{
	int r;

	e->rulesets = calloc(RF_MAX_RULESETS, sizeof(*e->rulesets));
	if (!e->rulesets)
		return -ENOMEM;
	e->ruleset_cursor = 1;
	e->device_cursor = 1;
	e->file_cursor = 1;
	r = rf_words_new((uint64_t *)e->set_words.memory, RF_MAX_SET_WORDS, RF_SET_CHUNK, words_need, e, &e->words);
	if (r < 0)
		return r;
	/* What an earlier daemon left is deleted or overwritten like what we wrote. */
	e->dns_set = malloc(RF_MAX_WORKLOADS);
	if (!e->dns_set)
		return -ENOMEM;
	memset(e->dns_set, e->maps_adopted ? 0xff : 0, RF_MAX_WORKLOADS);
	e->name_cursor = 1;
	r = rf_hashmap_new(rf_engine_peer_free, &e->peers);
	if (r >= 0)
		r = rf_hashmap_new(free, &e->names);
	if (r >= 0)
		r = rf_hashmap_new(NULL, &e->names_by);
	if (r >= 0)
		r = rf_hashmap_new(free, &e->tenants);
	if (r < 0)
		return r;
	return rf_hashmap_new(NULL, &e->by_digest);
}

/*
 * The end of what libbpf said last: the verifier's reason is there. libbpf has one print function a process and gives
 * it no argument, which is why this is not in the engine; it is written while loading alone.
 */
static char libbpf_words[1024];

static int libbpf_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	size_t keep, len;

	if (level == LIBBPF_DEBUG)
		return 0;
	rf_strbuf_vaddf(&text, fmt, ap);
	len = MIN(text.len, sizeof(libbpf_words) - 1);
	keep = MIN(strlen(libbpf_words), sizeof(libbpf_words) - 1 - len);
	memmove(libbpf_words, libbpf_words + strlen(libbpf_words) - keep, keep);
	memcpy(libbpf_words + keep, rf_strbuf_str(&text) + text.len - len, len);
	libbpf_words[keep + len] = '\0';
	return 0;
}

void rf_engine_libbpf_forget(void)
{
	libbpf_words[0] = '\0';
}

const char *rf_engine_libbpf_words(void)
{
	return libbpf_words;
}

static int skeleton_load(struct rf_engine *e, char **ret_error)
{
	int r;

	rf_level_probe(e);
	e->skeleton = ringfence_bpf__open();
	if (!e->skeleton)
		return rf_engine_format_error(ret_error, -errno, "cannot read the built-in BPF object");
	r = maps_pin(e, ret_error);
	if (r < 0)
		return r;
	r = rf_level_choose(e);
	if (r < 0)
		return r;
	chunks_declare(e);
	r = ringfence_bpf__load(e->skeleton);
	if (r == -EPERM)
		return rf_engine_format_error(
			ret_error, r,
			"the kernel refused the BPF programs (root with CAP_BPF, CAP_NET_ADMIN and "
			"CAP_PERFMON is needed)");
	if (r < 0)
		return rf_engine_format_error(ret_error, r,
					      "the kernel refused the BPF programs; libbpf's last words:\n%s\n"
					      "ringfenced",
					      libbpf_words);
	return 0;
}

int rf_engine_new(const struct rf_engine_options *options, struct rf_engine **ret, char **ret_error)
{
	_cleanup_(rf_engine_freep) struct rf_engine *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->root_fd = e->sync_inner = e->sync_outer = e->ring_fd = e->accel_holders = -1;
	rf_leaving_init(&e->leaving);
	rf_engine_libbpf_forget();
	if (!options->verbose)
		libbpf_set_print(libbpf_print);
	snprintf(e->bpffs, sizeof(e->bpffs), "%s", options->bpffs);
	snprintf(e->cgroup_root, sizeof(e->cgroup_root), "%s", options->cgroup_root);
	r = root_open(e, ret_error);
	if (r >= 0)
		r = bpffs_prepare(e, ret_error);
	if (r >= 0)
		r = skeleton_load(e, ret_error);
	if (r >= 0)
		r = maps_map(e, ret_error);
	if (r >= 0)
		r = rf_lineage_open(e);
	if (r >= 0)
		r = chunks_open(e, ret_error);
	if (r >= 0)
		r = sync_make(e, ret_error);
	if (r >= 0)
		r = tables_make(e);
	if (r >= 0 && e->maps_adopted)
		r = rf_engine_adopt(e, ret_error);
	if (r < 0)
		return r;
	e->config->share_rate = options->share_rate ? options->share_rate : RF_SHARE_RATE;
	e->config->share_burst = options->share_burst ? options->share_burst : RF_SHARE_BURST;
	e->config->root_cgroup = e->root_id;
	e->config->telemetry = 0;
	*ret = TAKE_PTR(e);
	return 0;
}

static void map_munmap(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

void rf_engine_free(struct rf_engine *e)
{
	if (!e)
		return;
	if (e->ring_fd >= 0)
		close(e->ring_fd);
	for (int lane = 0; lane < RF_LANES; lane++)
		ring_buffer__free(e->readers[lane].ring);
	rf_engine_links_free(e);
	for (uint32_t id = 0; e->rulesets && id < RF_MAX_RULESETS; id++)
		rf_installed_free(e->rulesets[id]);
	free(e->rulesets);
	for (size_t i = 0; i < e->n_devices; i++)
		rf_installed_devices_free(e->devices[i]);
	rf_execs_free(e);
	free(e->devices);
	rf_files_free(e);
	rf_hashmap_free(e->by_digest);
	rf_hashmap_free(e->peers);
	rf_hashmap_free(e->names_by);
	rf_hashmap_free(e->names);
	rf_hashmap_free(e->tenants);
	free(e->dns_set);
	rf_words_free(e->words);
	map_munmap(e->config, sizeof(*e->config));
	map_munmap(e->workloads, WORKLOADS_SIZE);
	map_munmap(e->stats, STATS_SIZE);
	map_munmap(e->labels, LABELS_SIZE);
	map_munmap(e->lineage_states, LINEAGE_STATES_SIZE);
	map_munmap(e->accel_jobs, ACCEL_JOBS_SIZE);
	map_munmap(e->accel_uses, ACCEL_USES_SIZE);
	rf_quotas_free(e);
	rf_calls_free(e);
	map_munmap(e->lanes, sizeof(*e->lanes) * RF_LANES);
	for (size_t i = 0; i < ARRAY_SIZE(chunks_table); i++)
		rf_chunks_close(rf_engine_chunks(e, chunks_table[i].map));
	if (e->sync_outer >= 0)
		close(e->sync_outer);
	if (e->sync_inner >= 0)
		close(e->sync_inner);
	if (e->root_fd >= 0)
		close(e->root_fd);
	if (e->accel_holders >= 0)
		close(e->accel_holders);
	ringfence_bpf__destroy(e->skeleton);
	free(e);
}

bool rf_engine_adopted(const struct rf_engine *e)
{
	return e->maps_adopted;
}

int rf_engine_root_fd(const struct rf_engine *e)
{
	return e->root_fd;
}

int rf_engine_cgroup_set(struct rf_engine *e, uint64_t cgroup_id, uint32_t workload)
{
	struct rf_cgroup_entry entry = { .workload = workload };

	if (bpf_map_update_elem(bpf_map__fd(e->skeleton->maps.rf_cgroup_map), &cgroup_id, &entry, BPF_ANY) < 0)
		return -errno;
	/* Sockets of the cgroup may be known under what it was before. */
	rf_engine_caches_drop(e);
	return 0;
}

int rf_engine_cgroup_delete(struct rf_engine *e, uint64_t cgroup_id)
{
	int fd = bpf_map__fd(e->skeleton->maps.rf_cgroup_map);

	if (bpf_map_delete_elem(fd, &cgroup_id) < 0)
		return errno == ENOENT ? 0 : -errno;
	rf_engine_caches_drop(e);
	return 0;
}

uint32_t rf_engine_cgroup_get(struct rf_engine *e, uint64_t cgroup_id)
{
	struct rf_cgroup_entry entry;
	int fd = bpf_map__fd(e->skeleton->maps.rf_cgroup_map);

	return bpf_map_lookup_elem(fd, &cgroup_id, &entry) < 0 ? RF_WORKLOAD_NONE : entry.workload;
}

int rf_engine_cgroup_each(struct rf_engine *e, void (*fn)(uint64_t id, uint32_t workload, void *arg), void *arg)
{
	int fd = bpf_map__fd(e->skeleton->maps.rf_cgroup_map);
	uint64_t key, *previous = NULL;

	while (bpf_map_get_next_key(fd, previous, &key) == 0) {
		fn(key, rf_engine_cgroup_get(e, key), arg);
		previous = &key;
	}
	return 0;
}

struct rf_account *rf_engine_accounts(const struct rf_engine *e, uint32_t workload)
{
	return (struct rf_account *)e->accounts.memory + RF_ACCOUNT(workload, 0);
}

int rf_engine_stats_reset(struct rf_engine *e, uint32_t workload)
{
	int r;

	if (workload >= RF_MAX_WORKLOADS)
		return -ERANGE;
	/* They may lie in two chunks. */
	r = rf_chunks_need(&e->accounts, RF_ACCOUNT(workload, 0));
	if (r == 0)
		r = rf_chunks_need(&e->accounts, RF_ACCOUNT(workload, RF_PEER_CLASSES - 1));
	if (r < 0)
		return r;
	memset(&e->stats[workload], 0, sizeof(e->stats[workload]));
	memset(rf_engine_accounts(e, workload), 0, sizeof(struct rf_account) * RF_PEER_CLASSES);
	rf_rate_reset(e, workload);
	rf_lineage_reset(e, workload);
	rf_accel_uses_reset(e, workload);
	rf_calls_reset(e, workload);
	return 0;
}

void rf_engine_telemetry_set(struct rf_engine *e, uint32_t kinds)
{
	__atomic_store_n(&e->config->telemetry, kinds, __ATOMIC_RELAXED);
}
