// SPDX-License-Identifier: GPL-2.0-or-later
/* What the engine contributes to a snapshot. Reading it costs no walk of anything. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "user/engine/guard.h"
#include "user/engine/rate.h"
#include "user/lib/fs.h"

#include "ringfence.skel.h"

/* A "name:\tvalue" line of an fdinfo; RF_UNKNOWN when it has none. */
static uint64_t fdinfo_value(int fd, const char *name)
{
	_cleanup_free_ char *text = NULL;
	const char *at;
	char path[64];
	size_t len;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (rf_fs_read(AT_FDCWD, path, 65536, &text, &len) < 0)
		return RF_UNKNOWN;
	at = strstr(text, name);
	return at ? strtoull(at + strlen(name), NULL, 10) : RF_UNKNOWN;
}

static void hook_row_fill(const struct rf_engine *e, enum rf_hook hook, struct rf_hook_row *row)
{
	const struct rf_hook_state *state = &e->hooks[hook];
	struct bpf_program *program = bpf_object__find_program_by_name(e->skeleton->obj, rf_hook_table[hook].program);
	int n = libbpf_num_possible_cpus(), fd;
	_cleanup_free_ struct rf_hook_stats *stats = calloc(n > 0 ? n : 1, sizeof(*stats));
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info), key = hook;

	*row = (struct rf_hook_row){
		.hook = hook,
		.wanted = rf_hook_table[hook].when_asked ?
				  state->link != NULL :
				  !rf_hook_table[hook].on_demand || rf_rate_is_attached(e, hook),
		.attached = state->link != NULL || rf_rate_is_attached(e, hook),
		.self_test = state->self_test > 0 ? "ok" :
			     state->self_test < 0 ? "failed" :
						    "not run",
		.why = state->why[0] ? strdup(state->why) : NULL,
		.repairs = state->repairs,
		.run_count = RF_UNKNOWN,
		.run_ns = RF_UNKNOWN,
	};
	if (stats && n > 0 && bpf_map_lookup_elem(rf_engine_map_fd(e, "rf_hook_map"), &key, stats) == 0) {
		for (int i = 0; i < n; i++) {
			row->probe_hits += stats[i].probe_hits;
			row->errors += stats[i].errors;
		}
	}
	/* The program that the link runs may be an adopted one. */
	fd = state->program_id ? bpf_prog_get_fd_by_id(state->program_id) : -1;
	if (bpf_obj_get_info_by_fd(fd >= 0 ? fd : bpf_program__fd(program), &info, &size) == 0) {
		row->recursion_misses = info.recursion_misses;
		if (info.run_cnt) {
			row->run_count = info.run_cnt;
			row->run_ns = info.run_time_ns;
		}
	}
	if (fd >= 0)
		close(fd);
}

static uint64_t map_entries(const struct rf_engine *e, const char *name)
{
	if (rf_streq(name, "rf_ruleset_map"))
		return e->n_rulesets;
	if (rf_streq(name, "rf_set_map"))
		return rf_words_used(e->words);
	if (rf_streq(name, "rf_workload_map") || rf_streq(name, "rf_stats_map"))
		return e->n_workloads;
	if (rf_streq(name, "rf_member_map"))
		return e->n_members;
	if (rf_streq(name, "rf_address_map"))
		return e->n_addresses;
	return RF_UNKNOWN;
}

/* As the kernel accounts it. */
static uint64_t map_bytes(const struct rf_engine *e, const struct bpf_map *map)
{
	const struct rf_chunks *chunks = rf_engine_chunks(e, bpf_map__name(map));
	uint64_t bytes = fdinfo_value(bpf_map__fd(map), "memlock:"), sum = bytes == RF_UNKNOWN ? 0 : bytes;

	for (uint32_t i = 0; chunks && i < chunks->n; i++) {
		if (rf_chunks_fd(chunks, i) < 0)
			continue;
		bytes = fdinfo_value(rf_chunks_fd(chunks, i), "memlock:");
		sum += bytes == RF_UNKNOWN ? 0 : bytes;
	}
	return sum;
}

static uint64_t map_capacity(const struct rf_engine *e, const struct bpf_map *map)
{
	const struct rf_chunks *chunks = rf_engine_chunks(e, bpf_map__name(map));

	return (uint64_t)bpf_map__max_entries(map) * (chunks ? chunks->entries : 1);
}

/* Keys are counted only where it is cheap: what we installed is known without asking the kernel. */
static void maps_fill(const struct rf_engine *e, struct rf_snapshot *s)
{
	uint64_t peers4 = 0, peers6 = 0, ports = 0, devices = 0;
	struct bpf_map *map;

	for (uint32_t id = 1; id < RF_MAX_RULESETS; id++) {
		if (!e->rulesets[id])
			continue;
		peers4 += e->rulesets[id]->peers4.n;
		peers6 += e->rulesets[id]->peers6.n;
		ports += e->rulesets[id]->ports.n;
	}
	for (size_t i = 0; i < e->n_devices; i++)
		devices += e->devices[i]->n_keys;

	bpf_object__for_each_map(map, e->skeleton->obj) {
		const char *name = rf_engine_map_name(map);
		struct rf_map_row *row;

		if (!name || s->n_maps == ARRAY_SIZE(s->maps))
			continue;
		row = &s->maps[s->n_maps++];
		*row = (struct rf_map_row){ .name = name,
					    .entries = map_entries(e, name),
					    .max_entries = map_capacity(e, map),
					    .bytes = map_bytes(e, map) };
		if (rf_streq(name, "rf_peer4_map"))
			row->entries = peers4;
		else if (rf_streq(name, "rf_peer6_map"))
			row->entries = peers6;
		else if (rf_streq(name, "rf_port_map"))
			row->entries = ports;
		else if (rf_streq(name, "rf_device_map"))
			row->entries = devices;
		else if (rf_streq(name, "rf_cgroup_map"))
			row->entries = s->n_cgroups;
		s->bpf_bytes += row->bytes;
	}
}

static void lanes_fill(const struct rf_engine *e, struct rf_snapshot *s)
{
	static const uint64_t size[RF_LANES] = { RF_RING_TELEMETRY, RF_RING_AUDIT, RF_RING_IDENTITY };

	for (int lane = 0; lane < RF_LANES; lane++) {
		s->lanes[lane] = (struct rf_lane_row){
			.lane = lane,
			.submitted = e->lanes[lane].submitted,
			.shed = e->lanes[lane].shed,
			.lost = e->lanes[lane].lost,
			.gaps = e->readers[lane].gaps.total_gaps,
			.ring_bytes = size[lane],
			.ring_used = 0, /* read to the end on every pass */
		};
	}
}

static void errors_fill(const struct rf_engine *e, struct rf_snapshot *s)
{
	int n = libbpf_num_possible_cpus(), fd = rf_engine_map_fd(e, "rf_error_map");
	_cleanup_free_ uint64_t *values = calloc(n > 0 ? n : 1, sizeof(*values));

	for (uint32_t error = 0; values && n > 0 && error < RF_ERROR_COUNT; error++) {
		if (bpf_map_lookup_elem(fd, &error, values) < 0)
			continue;
		for (int i = 0; i < n; i++)
			s->errors[error] += values[i];
	}
}

/* What is denied of these is denied as long as somebody asks for it. */
static char *asked_why(const struct rf_engine *e, enum rf_feature feature, enum rf_support support)
{
	char *why;

	if (support == RF_SUPPORT_BEST_EFFORT)
		return strdup("tracing by a parent, perf or keys are not seen: a hook did not run in the self-test "
			      "(see hooks)");
	if (support != RF_SUPPORT_UNAVAILABLE)
		return strdup("the hooks ran in the self-test; attached while a policy asks for them");
	if (feature == RF_FEATURE_LINEAGE)
		return strdup(e->traces_run ? "a hook did not run in the self-test (see hooks)" : e->trace_why);
	if (feature == RF_FEATURE_NETWORK_RAW || feature == RF_FEATURE_KERNEL_SYSCTL || e->lsm_runs)
		return strdup("a hook did not run in the self-test (see hooks)");
	return asprintf(&why, "needs BPF LSM: %s", e->lsm_why) < 0 ? NULL : why;
}

static char *guard_why(const struct rf_engine *e, enum rf_support support)
{
	struct rf_guard_row row = { 0 };
	char *why;

	(void)rf_engine_guard_get(e, &row);
	if (row.locked && row.open_s)
		return asprintf(&why, "locked, and open for %" PRIu64 " s", row.open_s) < 0 ? NULL : why;
	if (row.locked)
		return strdup("locked");
	if (support != RF_SUPPORT_UNAVAILABLE)
		return strdup("not locked; the hooks ran in the self-test");
	if (e->lsm_runs)
		return strdup("a hook did not run in the self-test (see hooks)");
	return asprintf(&why, "needs BPF LSM: %s", e->lsm_why) < 0 ? NULL : why;
}

static char *process_why(const struct rf_engine *e, enum rf_support support)
{
	char *why;

	if (support == RF_SUPPORT_ENFORCED)
		return strdup("the hooks ran in the self-test; attached while a policy asks for them");
	if (support == RF_SUPPORT_UNAVAILABLE)
		return strdup("a hook did not run in the self-test (see hooks)");
	return asprintf(&why,
			"what may not run is killed as it starts, libraries and scripts are not seen; denying needs "
			"BPF LSM: %s",
			e->lsm_why) < 0 ?
		       NULL :
		       why;
}

static char *module_why(const struct rf_engine *e)
{
	char *why;

	if (!e->module_present || !e->links_held)
		return strdup(e->module_why);
	return asprintf(&why, "%s holds %u links", e->module_why, e->links_held) < 0 ? NULL : why;
}

char *rf_engine_support_why(const struct rf_engine *e, enum rf_feature feature)
{
	enum rf_support support = rf_engine_support(e, feature);

	if (feature == RF_FEATURE_BPF_LSM)
		return strdup(e->lsm_why);
	if (feature == RF_FEATURE_MODULE)
		return module_why(e);
	if (feature == RF_FEATURE_ACCELERATOR_ACCOUNTING)
		return strdup(e->accel_why);
	if (feature == RF_FEATURE_ACCELERATOR_CALLS)
		return strdup(rf_calls_why(e));
	if (feature == RF_FEATURE_ACCELERATOR_QUOTAS)
		return strdup(rf_quotas_why(e));
	if (feature == RF_FEATURE_ACCELERATOR_MEMORY)
		return strdup(rf_quotas_memory_why(e));
	if (feature == RF_FEATURE_PROCESS)
		return process_why(e, support);
	if (feature == RF_FEATURE_GUARD)
		return guard_why(e, support);
	if (feature == RF_FEATURE_NETWORK_RAW || feature == RF_FEATURE_NETWORK_SOCKETS ||
	    feature == RF_FEATURE_ISOLATION || feature == RF_FEATURE_KERNEL || feature == RF_FEATURE_KERNEL_SYSCTL ||
	    feature == RF_FEATURE_FILES || feature == RF_FEATURE_LINEAGE || feature == RF_FEATURE_ACCELERATOR_IOCTLS)
		return asked_why(e, feature, support);
	if (support != RF_SUPPORT_UNAVAILABLE) {
		if (feature == RF_FEATURE_NETWORK_RATES || feature == RF_FEATURE_NETWORK_RULE_RATES)
			return rf_rate_why(e);
		if (feature == RF_FEATURE_DEVICES)
			return strdup("open and mknod; descriptors passed in are not seen at level 0");
		if (feature == RF_FEATURE_ACCELERATORS)
			return strdup(e->lsm_runs ?
					      "open and mknod; what is done with open ones, see accelerator-ioctls" :
					      "open and mknod; descriptors passed in are not seen at level 0");
		return strdup("the hooks ran in the self-test");
	}
	switch (feature) {
	case RF_FEATURE_RESOURCES:
	case RF_FEATURE_ANOMALY:
	case RF_FEATURE_RESPOND:
		return strdup("this version does not enforce it yet");
	default:
		return strdup("a hook is not attached or did not run in the self-test (see hooks)");
	}
}

int rf_engine_snapshot(struct rf_engine *e, struct rf_snapshot *s)
{
	uint64_t run_ns = 0;
	bool run_known = false;

	s->level = rf_level(e);
	s->root = strdup(e->cgroup_root);
	s->bpffs = strdup(e->bpffs);
	if (!s->root || !s->bpffs)
		return -ENOMEM;
	s->adopted = e->maps_adopted;
	s->generation = rf_engine_generation(e);
	s->rulesets = e->n_rulesets;
	s->policies = e->n_policies;
	for (int feature = 0; feature < RF_FEATURE_COUNT; feature++) {
		enum rf_support support = rf_engine_support(e, feature);

		s->features[s->n_features++] = (struct rf_feature_row){ .feature = feature,
									.support = support,
									.why = rf_engine_support_why(e, feature) };
	}
	for (int hook = 0; hook < RF_HOOK_COUNT; hook++) {
		struct rf_hook_row *row = &s->hooks[s->n_hooks];

		if (!rf_hook_table[hook].program)
			continue;
		hook_row_fill(e, hook, row);
		if (row->run_ns != RF_UNKNOWN) {
			run_ns += row->run_ns;
			run_known = true;
		}
		s->n_hooks++;
	}
	s->bpf_run_ns = run_known ? run_ns : RF_UNKNOWN;
	lanes_fill(e, s);
	errors_fill(e, s);
	maps_fill(e, s);
	(void)rf_engine_guard_get(e, &s->guard);
	for (size_t i = 0; i < s->n_workloads; i++) {
		struct rf_workload_row *row = &s->workloads[i];

		memcpy(row->counter, e->stats[row->id].counter, sizeof(row->counter));
		row->account = rf_engine_accounts(e, row->id);
	}
	return 0;
}
