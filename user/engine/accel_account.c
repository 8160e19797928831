// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accounting of accelerators: the object of programs on the DRM subsystem's
 * modules, loaded as far as those are there, again when another of them has
 * come; and the rows that it fills.
 *
 * Its links are pinned like the others, so that counting goes on without a
 * daemon. The next one attaches its own before it takes their places: what both
 * see is counted once (bpf/accel_drm.bpf.c).
 */
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <sys/stat.h>

#include "user/engine/internal.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"

/* Knows the types of the maps from the above. */
#include "accel_drm.skel.h"

/* Whose types are asked: modules, a bit each in what was there at the last load; and the kernel. */
enum { IN_SCHEDULER, IN_DRM, MODULES, IN_KERNEL = MODULES };

#define END_FUNCTION "drm_sched_fence_finished"
#define HOLDERS	     "rf_accel_holders"

static const char *const modules[MODULES] = { [IN_SCHEDULER] = "gpu_sched", [IN_DRM] = "drm" };

/* What each program needs: a tracepoint's or a function's name there. */
enum need {
	TRACEPOINT,
	TRACEPOINT_OF_END, /* of no need where the function is */
	FUNCTION,
	FUNCTION_TWIN /* where tracepoints are preempted in */
};

#define PREEMPTED_IN "btf_trace_drm_sched_job_queue"

static const struct {
	const char *program;
	unsigned int in;
	const char *name;
	enum need what;
} needs[] = {
	{ "rf_accel_job_queued", IN_SCHEDULER, "btf_trace_drm_sched_job", TRACEPOINT },
	{ "rf_accel_job_queue", IN_SCHEDULER, "btf_trace_drm_sched_job_queue", TRACEPOINT },
	{ "rf_accel_job_ended", IN_SCHEDULER, "btf_trace_drm_sched_process_job", TRACEPOINT_OF_END },
	{ "rf_accel_job_done", IN_SCHEDULER, "btf_trace_drm_sched_job_done", TRACEPOINT_OF_END },
	{ "rf_accel_job_finished", IN_SCHEDULER, END_FUNCTION, FUNCTION },
	{ "rf_accel_twin_queue", IN_SCHEDULER, PREEMPTED_IN, TRACEPOINT },
	{ "rf_accel_twin_finished", IN_SCHEDULER, END_FUNCTION, FUNCTION_TWIN },
	{ "rf_accel_object_made", IN_DRM, "drm_gem_private_object_init", FUNCTION },
	{ "rf_accel_object_gone", IN_DRM, "drm_gem_object_release", FUNCTION },
	{ "rf_accel_object_freed", IN_DRM, "drm_gem_object_free", FUNCTION },
	{ "rf_accel_opened", IN_KERNEL, "chrdev_open", FUNCTION },
	{ "rf_accel_closed", IN_DRM, "drm_release", FUNCTION },
	{ "rf_accel_closed_noglobal", IN_DRM, "drm_release_noglobal", FUNCTION },
	/* Of use only where the former two are. */
	{ HOLDERS, IN_DRM, "drm_release", FUNCTION },
};

#define SCHEDULER (1u << IN_SCHEDULER)

/* No device works on one job, or keeps it waiting, for so long. */
#define JOB_GIVEN_UP_NS (3600 * RF_NSEC_PER_SEC)
#define SWEEP_TICKS	60

static unsigned int modules_there(void)
{
	unsigned int there = 0;

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		char path[64];
		struct stat st;

		snprintf(path, sizeof(path), "/sys/kernel/btf/%s", modules[i]);
		if (stat(path, &st) == 0)
			there |= 1u << i;
	}
	return there;
}

/* The types of each; NULL where it is not there. The kernel's are some megabytes: they are read once for all. */
struct types {
	struct btf *of[MODULES + 1];
};

static void types_load(struct types *t)
{
	t->of[IN_KERNEL] = btf__load_vmlinux_btf();
	for (unsigned int i = 0; i < MODULES; i++)
		t->of[i] = t->of[IN_KERNEL] ? btf__load_module_btf(modules[i], t->of[IN_KERNEL]) : NULL;
}

/* Those of modules lean on the kernel's, which come last. */
static void types_free(struct types *t)
{
	for (unsigned int i = 0; i <= MODULES; i++)
		btf__free(t->of[i]);
}

static bool has_name(const struct btf *btf, const char *name, bool function)
{
	return btf && btf__find_by_name_kind(btf, name, function ? BTF_KIND_FUNC : BTF_KIND_TYPEDEF) > 0;
}

static int programs_attach(struct rf_engine *e, struct bpf_object *object, unsigned int *ret_n)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		char path[RF_PATH_SIZE], fresh[RF_PATH_SIZE];
		struct bpf_link *link;
		int r;

		if (!bpf_program__autoload(program) || rf_streq(bpf_program__name(program), HOLDERS))
			continue;
		link = bpf_program__attach(program);
		if (!link)
			return -errno;
		snprintf(path, sizeof(path), "%.3800s/links/%s", e->bpffs, bpf_program__name(program));
		snprintf(fresh, sizeof(fresh), "%.3800s/links/%s_new", e->bpffs, bpf_program__name(program));
		unlink(fresh);
		r = bpf_obj_pin(bpf_link__fd(link), fresh);
		if (r == 0 && rename(fresh, path) < 0)
			r = -errno;
		/* The pin keeps it. */
		bpf_link__destroy(link);
		if (r < 0)
			return r;
		++*ret_n;
	}
	return 0;
}

/* It runs when it is asked, accel_clients.c. */
static void holders_keep(struct rf_engine *e, const struct bpf_program *program)
{
	if (e->accel_holders >= 0)
		close(e->accel_holders);
	e->accel_holders = bpf_program__autoload(program) ? fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 3) : -1;
}

static int object_load(struct rf_engine *e, unsigned int *ret_n)
{
	struct accel_drm_bpf *object = accel_drm_bpf__open();
	unsigned int wanted = 0;
	struct types types;
	bool finished;
	int r;

	if (!object)
		return -errno;
	types_load(&types);
	finished = e->traces_run && has_name(types.of[IN_SCHEDULER], END_FUNCTION, true);
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		bool function = needs[i].what == FUNCTION || needs[i].what == FUNCTION_TWIN,
		     there = (e->traces_run || !function) && has_name(types.of[needs[i].in], needs[i].name, function);

		if (finished && needs[i].what == TRACEPOINT_OF_END)
			there = false;
		if (needs[i].what == FUNCTION_TWIN && !has_name(types.of[IN_SCHEDULER], PREEMPTED_IN, false))
			there = false;
		bpf_program__set_autoload(bpf_object__find_program_by_name(object->obj, needs[i].program), there);
		wanted += there;
	}
	types_free(&types);
	r = wanted ? rf_engine_maps_share(e, object->obj) : 0;
	if (r >= 0 && wanted)
		r = accel_drm_bpf__load(object);
	if (r >= 0 && wanted)
		r = programs_attach(e, object->obj, ret_n);
	if (r >= 0)
		holders_keep(e, object->progs.rf_accel_holders);
	accel_drm_bpf__destroy(object);
	return r;
}

/* Nobody else ends it from here on; false: somebody has. */
static bool job_claim(struct rf_accel_job *job, __u64 queued)
{
	return __atomic_compare_exchange_n(&job->queued_ns, &queued, RF_ACCEL_JOB_SWEPT, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

/* Of one that was claimed; a program may have the place before we are through. */
static void job_free(struct rf_engine *e, struct rf_accel_job *job)
{
	struct rf_accel_job *home = &e->accel_jobs[RF_ACCEL_JOB_AT(job->fence, 0)];
	__u64 swept = RF_ACCEL_JOB_SWEPT;

	if (home != job)
		__atomic_fetch_sub(&home->beyond, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&job->fence, 0, __ATOMIC_RELEASE);
	__atomic_compare_exchange_n(&job->queued_ns, &swept, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* One job of the row less is under way, and of those above it. */
static void job_forget(struct rf_engine *e, const struct rf_accel_job *job)
{
	uint32_t at = job->use;

	for (int level = 0; at && at < RF_MAX_ACCEL_USES && level < RF_ACCEL_LEVELS; level++) {
		__atomic_fetch_sub(&e->accel_uses[at].under_way, 1, __ATOMIC_RELAXED);
		at = e->accel_uses[at].parent;
	}
}

/*
 * Rows of jobs that were given up before they ran: nothing tells of that. The next job at their address takes them
 * over. One without a time is being made, or has just ended; one that is claimed was by a daemon that died in it.
 */
static void jobs_sweep(struct rf_engine *e)
{
	uint64_t now = rf_clock_monotonic();

	for (uint32_t i = 0; i < RF_MAX_ACCEL_JOBS; i++) {
		struct rf_accel_job *job = &e->accel_jobs[i];
		uint64_t queued = __atomic_load_n(&job->queued_ns, __ATOMIC_ACQUIRE);

		if (!__atomic_load_n(&job->fence, __ATOMIC_ACQUIRE) || !queued)
			continue;
		if (queued != RF_ACCEL_JOB_SWEPT) {
			if ((int64_t)(now - queued) <= (int64_t)JOB_GIVEN_UP_NS || !job_claim(job, queued))
				continue;
			job_forget(e, job);
		}
		job_free(e, job);
	}
}

void rf_engine_accelerators_sweep(struct rf_engine *e)
{
	if (e->accel_programs && ++e->accel_ticks % SWEEP_TICKS == 0)
		jobs_sweep(e);
}

int rf_engine_accelerators_account(struct rf_engine *e)
{
	unsigned int there = modules_there(), n = 0;
	int r;

	if (e->accel_looked && e->accel_modules == there)
		return 0;
	rf_engine_libbpf_forget();
	r = object_load(e, &n);
	e->accel_looked = true;
	e->accel_modules = there;
	e->accel_programs = r < 0 ? 0 : n;
	if (r < 0)
		snprintf(e->accel_why, sizeof(e->accel_why), "the programs cannot be attached: %s", strerror(-r));
	else if (!(there & SCHEDULER))
		snprintf(e->accel_why, sizeof(e->accel_why), "no driver that uses the DRM scheduler is loaded%s",
			 rf_engine_accel_files_known(e) ? ": memory, open files and their fdinfo alone" : "");
	else if (!e->traces_run)
		snprintf(e->accel_why, sizeof(e->accel_why), "device time alone, no fdinfo: %.100s", e->trace_why);
	else
		snprintf(e->accel_why, sizeof(e->accel_why), "device time, memory and open files of DRM drivers%s",
			 rf_engine_accel_files_known(e) ? ", and their fdinfo" : "");
	return r;
}

/* Of what was not seen by a program: its twin may have seen it. */
static uint64_t program_skips(const struct rf_engine *e, const char *name)
{
	struct bpf_link_info link_info = { 0 };
	struct bpf_prog_info info = { 0 };
	_cleanup_close_ int link = -1, program = -1;
	uint32_t len = sizeof(link_info);
	char path[RF_PATH_SIZE];

	snprintf(path, sizeof(path), "%.3800s/links/%s", e->bpffs, name);
	link = bpf_obj_get(path);
	if (link < 0 || bpf_obj_get_info_by_fd(link, &link_info, &len) < 0)
		return 0;
	program = bpf_prog_get_fd_by_id(link_info.prog_id);
	len = sizeof(info);
	return program < 0 || bpf_obj_get_info_by_fd(program, &info, &len) < 0 ? 0 : info.recursion_misses;
}

uint64_t rf_engine_accel_skips(const struct rf_engine *e)
{
	uint64_t sum = 0;

	for (size_t i = 0; e->accel_programs && i < ARRAY_SIZE(needs); i++)
		if (!rf_streq(needs[i].program, HOLDERS))
			sum += program_skips(e, needs[i].program);
	return sum;
}

enum rf_support rf_accel_account_support(const struct rf_engine *e)
{
	if (!e->accel_programs)
		return RF_SUPPORT_UNAVAILABLE;
	return e->accel_modules & SCHEDULER && e->traces_run ? RF_SUPPORT_ENFORCED : RF_SUPPORT_BEST_EFFORT;
}

int rf_engine_accel_uses_each(const struct rf_engine *e, rf_accel_use_fn fn, void *arg)
{
	int r = 0;

	for (uint32_t at = 1; r >= 0 && at < RF_MAX_ACCEL_USES; at++)
		if (__atomic_load_n(&e->accel_uses[at].whose, __ATOMIC_ACQUIRE))
			r = fn(&e->accel_uses[at], arg);
	return r;
}

/* Rows of rf_accel_use_map that are somebody else's from now on. */
struct gone {
	struct rf_engine *engine;
	bool use[RF_MAX_ACCEL_USES];
	int fd;
};

/* What the last workload of that number has left open is not the next one's when it ends. */
static void jobs_drop(struct rf_engine *e, const struct gone *gone)
{
	for (uint32_t i = 0; i < RF_MAX_ACCEL_JOBS; i++) {
		struct rf_accel_job *job = &e->accel_jobs[i];
		uint64_t queued = __atomic_load_n(&job->queued_ns, __ATOMIC_ACQUIRE);

		if (__atomic_load_n(&job->fence, __ATOMIC_ACQUIRE) && queued > RF_ACCEL_JOB_SWEPT &&
		    gone->use[job->use % RF_MAX_ACCEL_USES] && job_claim(job, queued))
			job_free(e, job);
	}
}

static void owned_drop_one(uint64_t address, const void *value, void *arg)
{
	const struct gone *gone = arg;
	union {
		uint32_t use;
		struct rf_accel_object object;
		struct rf_accel_file file;
	} now;

	/* By now it may be another's. */
	if (gone->use[*(const uint32_t *)value % RF_MAX_ACCEL_USES] &&
	    bpf_map_lookup_elem(gone->fd, &address, &now) == 0 && gone->use[now.use % RF_MAX_ACCEL_USES])
		bpf_map_delete_elem(gone->fd, &address);
}

/* Likewise. What cannot be looked through stays until its address is another's. */
static void owned_drop(struct gone *gone, const char *map, size_t value_size)
{
	gone->fd = rf_engine_map_fd(gone->engine, map);
	(void)rf_accel_rows_each(gone->fd, value_size, owned_drop_one, gone);
}

/* What it has now of the device is not its namespace's any more, nor its tenant's. */
static void above_reduce(struct rf_engine *e, const struct rf_accel_use *use)
{
	uint32_t at = use->parent;

	for (int level = RF_ACCEL_NAMESPACE; at && at < RF_MAX_ACCEL_USES && level < RF_ACCEL_LEVELS; level++) {
		struct rf_accel_use *above = &e->accel_uses[at];

		__atomic_fetch_sub(&above->bytes, use->bytes, __ATOMIC_RELAXED);
		__atomic_fetch_sub(&above->files, use->files, __ATOMIC_RELAXED);
		__atomic_fetch_sub(&above->under_way, use->under_way, __ATOMIC_RELAXED);
		at = above->parent;
	}
}

/* Its place in rf_accel_active_map the programs empty when they look: from here only all of a device can be written. */
static void use_free(struct rf_engine *e, uint32_t at)
{
	struct rf_accel_use *use = &e->accel_uses[at];

	memset((char *)use + sizeof(use->whose), 0, sizeof(*use) - sizeof(use->whose));
	__atomic_store_n(&use->whose, 0, __ATOMIC_RELEASE);
}

/* A namespace's or a tenant's without anything of its own now. */
static bool is_empty_group(const struct rf_accel_use *use)
{
	uint32_t level = RF_ACCEL_OWNER_LEVEL(RF_ACCEL_WHOSE_OWNER(use->whose));

	return use->whose && (level == RF_ACCEL_NAMESPACE || level == RF_ACCEL_TENANT) && !use->under_way &&
	       !use->files && !use->bytes;
}

void rf_accel_groups_sweep(struct rf_engine *e, bool (*is_wanted)(const struct rf_engine *e, uint32_t owner))
{
	_cleanup_free_ bool *referred = calloc(RF_MAX_ACCEL_USES, sizeof(*referred));
	uint32_t taken = 0;

	for (uint32_t at = 1; referred && at < RF_MAX_ACCEL_USES; at++) {
		const struct rf_accel_use *use = &e->accel_uses[at];

		taken += use->whose != 0;
		referred[use->parent % RF_MAX_ACCEL_USES] = true;
		referred[use->group % RF_MAX_ACCEL_USES] = true;
	}
	/* While there is room, what was counted may stay. */
	if (taken < RF_MAX_ACCEL_USES / 2)
		return;
	for (uint32_t at = 1; at < RF_MAX_ACCEL_USES; at++)
		if (!referred[at] && is_empty_group(&e->accel_uses[at]) &&
		    !is_wanted(e, RF_ACCEL_WHOSE_OWNER(e->accel_uses[at].whose)))
			use_free(e, at);
}

static uint32_t use_search(const struct rf_engine *e, uint64_t whose)
{
	for (int way = 0; way < RF_ACCEL_USE_WAYS; way++) {
		uint32_t at = RF_ACCEL_USE_AT(whose, way);

		if (at && __atomic_load_n(&e->accel_uses[at].whose, __ATOMIC_ACQUIRE) == whose)
			return at;
	}
	return 0;
}

uint32_t rf_accel_use_find(const struct rf_engine *e, uint32_t workload, uint32_t device)
{
	return use_search(e, RF_ACCEL_WHOSE(RF_ACCEL_OWNER(RF_ACCEL_WORKLOAD, workload), device));
}

void rf_engine_accel_energy_add(struct rf_engine *e, uint64_t whose, uint64_t microjoules)
{
	uint32_t at = use_search(e, whose);

	for (int level = 0; at && at < RF_MAX_ACCEL_USES && level < RF_ACCEL_LEVELS; level++) {
		__atomic_fetch_add(&e->accel_uses[at].energy_uj, microjoules, __ATOMIC_RELAXED);
		at = e->accel_uses[at].parent;
	}
}

#define MEMORY_OVER_S 5

void rf_engine_accel_memory_over(struct rf_engine *e, uint32_t workload, uint32_t device)
{
	const uint32_t devices[] = { device, RF_ACCEL_DEVICE_NONE, RF_ACCEL_DEVICE_LIBRARY };
	uint32_t until = (uint32_t)(rf_clock_monotonic() / RF_NSEC_PER_SEC) + MEMORY_OVER_S;

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		uint32_t at = rf_accel_use_find(e, workload, devices[i]);

		if (at && __atomic_load_n(&e->accel_uses[at].memory_over_s, __ATOMIC_RELAXED) != RF_ACCEL_OVER_MANY)
			__atomic_store_n(&e->accel_uses[at].memory_over_s, until, __ATOMIC_RELAXED);
	}
}

/* A pass over each table, however many devices it has used: a new container waits for this. */
void rf_accel_uses_reset(struct rf_engine *e, uint32_t workload)
{
	_cleanup_free_ struct gone *gone = NULL;
	uint32_t of[RF_ACCEL_DEVICE_LIBRARY + 1], n = 0;

	for (uint32_t device = 0; device <= RF_ACCEL_DEVICE_LIBRARY; device++) {
		/* Numbers are given from the lowest on. */
		if (device > e->accel_devices && device != RF_ACCEL_DEVICE_LIBRARY)
			continue;
		of[n] = rf_accel_use_find(e, workload, device);
		n += of[n] != 0;
	}
	gone = n ? calloc(1, sizeof(*gone)) : NULL;
	if (gone) {
		gone->engine = e;
		for (uint32_t i = 0; i < n; i++)
			gone->use[of[i]] = true;
		jobs_drop(e, gone);
		owned_drop(gone, "rf_accel_object_map", sizeof(struct rf_accel_object));
		owned_drop(gone, "rf_accel_file_map", sizeof(struct rf_accel_file));
		__atomic_fetch_add(&e->config->accel_files, 1, __ATOMIC_RELAXED);
	}
	for (uint32_t i = 0; i < n; i++) {
		above_reduce(e, &e->accel_uses[of[i]]);
		use_free(e, of[i]);
	}
}
