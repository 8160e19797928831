// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Quotas of accelerators in the maps. A workload's image has what its policies
 * give to it and to its namespace and tenant; here those of all workloads meet:
 * a namespace has the strictest of each value, and a share that is a limit is
 * one of all shares. Written beside those in force, as everything that a bank
 * names is.
 */
#include <errno.h>

#include "user/engine/internal.h"
#include "user/lib/clock.h"

/* So that a job of any length can be charged: one in sixteen thousand. */
#define TIME_PER_NS_MAX (1u << 24)

struct row {
	struct rf_accelerator_quota spec;
	uint32_t flags;
	uint32_t owner;
	uint32_t group;	 /* owner of the row that it shares in */
	uint64_t shares; /* of those that share in this one */
	double fraction; /* of the device, as long as all want it */
	bool fraction_is_set;
};

static struct row *row_find(const struct rf_hashmap *table, uint32_t owner)
{
	return rf_hashmap_get(table, &owner, sizeof(owner));
}

/* @table's row of @owner with @spec merged in. */
static int row_add(struct rf_hashmap *table, uint32_t owner, const struct rf_accelerator_quota *spec, uint32_t flags)
{
	struct row *row = row_find(table, owner);
	int r;

	if (!row) {
		row = calloc(1, sizeof(*row));
		if (!row)
			return -ENOMEM;
		row->owner = owner;
		r = rf_hashmap_put(table, &owner, sizeof(owner), row);
		if (r < 0) {
			free(row);
			return r;
		}
	}
	/* What only reports has nothing to say beside what is enforced. */
	if (row->flags && (flags ^ row->flags) & RF_QUOTA_AUDIT) {
		if (flags & RF_QUOTA_AUDIT)
			return 0;
		row->spec = (struct rf_accelerator_quota){ 0 };
		row->flags = 0;
	}
	rf_quota_merge(&row->spec, spec);
	/* The strictest: to wait only where all say so. */
	row->flags = row->flags ? ((row->flags | flags) & ~RF_QUOTA_WAIT) | (row->flags & flags & RF_QUOTA_WAIT) :
				  flags;
	return 0;
}

static uint32_t owner_of(enum rf_accel_level level, uint32_t workload, const struct rf_workload_bank *bank)
{
	uint32_t number = level == RF_ACCEL_WORKLOAD  ? workload :
			  level == RF_ACCEL_NAMESPACE ? bank->namespace :
							bank->tenant;

	return number ? RF_ACCEL_OWNER(level, number) : 0;
}

static int quotas_add(struct rf_hashmap *table, const struct rf_assignment *a, const struct rf_workload_bank *bank)
{
	const struct rf_quotas_image *image = a->image ? a->image->quotas : NULL;
	int r = 0;

	for (int level = 0; image && r >= 0 && level < RF_ACCEL_LEVELS; level++) {
		uint32_t owner = owner_of(level, a->workload, bank);

		if (owner && image->flags[level])
			r = row_add(table, owner, &image->quota[level], image->flags[level]);
	}
	return r;
}

/* As the programs have it: the next above that has a share, or the device. */
static uint32_t group_of(const struct rf_hashmap *table, enum rf_accel_level level, uint32_t workload,
			 const struct rf_workload_bank *bank)
{
	for (int above = level + 1; above < RF_ACCEL_LEVELS; above++) {
		const struct row *row = row_find(table, owner_of(above, workload, bank));

		if (row && row->spec.share)
			return row->owner;
	}
	return RF_ACCEL_OWNER(RF_ACCEL_WHOLE, 0);
}

static void groups_set(const struct rf_hashmap *table, uint32_t workload, const struct rf_workload_bank *bank)
{
	for (int level = 0; level < RF_ACCEL_LEVELS; level++) {
		struct row *row = row_find(table, owner_of(level, workload, bank));

		if (row)
			row->group = group_of(table, level, workload, bank);
	}
}

/* The shares of all that are in force, and of each what it is of those. */
static uint64_t shares_sum(const struct rf_hashmap *table)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	uint64_t whole = 0;
	void *value;

	while (rf_hashmap_next(table, &it, NULL, NULL, &value)) {
		struct row *row = value, *group = row_find(table, row->group);

		row->fraction_is_set = false;
		if (!group)
			whole += row->spec.share;
	}
	it = (struct rf_hashmap_iter)RF_HASHMAP_ITER_INIT;
	while (rf_hashmap_next(table, &it, NULL, NULL, &value))
		((struct row *)value)->shares = 0;
	it = (struct rf_hashmap_iter)RF_HASHMAP_ITER_INIT;
	while (rf_hashmap_next(table, &it, NULL, NULL, &value)) {
		struct row *row = value, *group = row_find(table, row->group);

		if (group)
			group->shares += row->spec.share;
	}
	return whole;
}

/* Of at most three levels. */
static double fraction_of(const struct rf_hashmap *table, struct row *row, uint64_t whole)
{
	struct row *group = row_find(table, row->group);
	uint64_t all = group ? group->shares : whole;

	if (!row->fraction_is_set) {
		row->fraction = row->spec.share && all ? (double)row->spec.share / (double)all : 1;
		if (group)
			row->fraction *= fraction_of(table, group, whole);
		row->fraction_is_set = true;
	}
	return row->fraction;
}

static struct rf_accel_quota kernel_form(const struct rf_hashmap *table, struct row *row, uint64_t whole,
					 uint64_t window_from)
{
	const struct rf_accelerator_quota *q = &row->spec;
	struct rf_accel_quota k = {
		.flags = row->flags,
		.weight = q->share,
		.burst_ns = q->burst_ns ? q->burst_ns : RF_ACCEL_BURST_NS,
		.virtual_per_ns = q->share ? RF_VIRTUAL_PER_NS(q->share) : 0,
		.time_per_ns = q->percent ? 1024 * 100 / q->percent : 0,
		.submit_ns = q->submissions ? RF_NSEC_PER_SEC / q->submissions : 0,
		.memory = q->memory,
		.budget_ns = q->budget.time_ns,
		.budget_uj = q->budget.joules * 1000000,
		.window_ns = q->budget.window_ns,
		.window_from_ns = window_from,
		.contexts = q->contexts,
	};

	if (q->budget.window_ns && q->budget.when_spent != RF_SPENT_DENY)
		k.flags |= q->budget.when_spent == RF_SPENT_SLOW ? RF_QUOTA_SLOW : RF_QUOTA_REPORT;
	k.burst_virtual = RF_VIRTUAL(k.burst_ns, k.virtual_per_ns);
	if (q->not_conserving) {
		double times = 1024 / fraction_of(table, row, whole);

		k.time_per_ns = MAX(k.time_per_ns, times < TIME_PER_NS_MAX ? (uint32_t)times : TIME_PER_NS_MAX);
	}
	return k;
}

static int full(int r, char **ret_error)
{
	return rf_engine_format_error(ret_error, r, "cannot write to rf_accel_quota_map");
}

static int table_write(struct rf_engine *e, const struct rf_hashmap *table, uint32_t bank, char **ret_error)
{
	int fd = rf_engine_map_fd(e, "rf_accel_quota_map"), r = 0;
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	uint64_t whole = shares_sum(table), window_from = RF_ACCEL_WINDOW_FROM(rf_clock_monotonic(), rf_clock_real());
	void *value;

	while (r >= 0 && rf_hashmap_next(table, &it, NULL, NULL, &value)) {
		struct row *row = value;
		struct rf_accel_quota quota = kernel_form(table, row, whole, window_from);

		r = bpf_map_update_elem(fd, &(struct rf_accel_quota_key){ row->owner, bank }, &quota, BPF_ANY);
	}
	return r < 0 ? full(r, ret_error) : 0;
}

/* What a workload that nobody knows any more has in force goes on, unless @table speaks of it. */
static int keep(struct rf_engine *e, const struct rf_hashmap *table, uint32_t owner, uint32_t bank, char **ret_error)
{
	int fd = rf_engine_map_fd(e, "rf_accel_quota_map"), r;
	struct rf_accel_quota quota;

	if (!owner || row_find(table, owner) ||
	    bpf_map_lookup_elem(fd, &(struct rf_accel_quota_key){ owner, !bank }, &quota) < 0)
		return 0;
	r = bpf_map_update_elem(fd, &(struct rf_accel_quota_key){ owner, bank }, &quota, BPF_ANY);
	return r < 0 ? full(r, ret_error) : 0;
}

/* Of the bank that is not in force. */
static void bank_clear(struct rf_engine *e, uint32_t bank)
{
	int fd = rf_engine_map_fd(e, "rf_accel_quota_map");
	struct rf_accel_quota_key key, next;
	int r = bpf_map_get_next_key(fd, NULL, &key);

	while (r == 0) {
		r = bpf_map_get_next_key(fd, &key, &next);
		if (key.bank == bank)
			bpf_map_delete_elem(fd, &key);
		key = next;
	}
}

int rf_quotas_stage(struct rf_engine *e, const struct rf_assignment *assignments, size_t n,
		    const struct rf_workload_bank *banks, uint32_t bank, char **ret_error)
{
	_cleanup_hashmap_ struct rf_hashmap *table = NULL;
	int r = rf_hashmap_new(free, &table);

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = quotas_add(table, &assignments[i], &banks[assignments[i].workload]);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		groups_set(table, assignments[i].workload, &banks[assignments[i].workload]);
	bank_clear(e, bank);
	r = table_write(e, table, bank, ret_error);
	for (size_t i = 0; i < n; i++)
		for (int level = 0; r >= 0 && !assignments[i].image && level < RF_ACCEL_LEVELS; level++)
			r = keep(e, table, owner_of(level, assignments[i].workload, &banks[assignments[i].workload]),
				 bank, ret_error);
	if (r < 0)
		return r;
	rf_hashmap_free(e->quotas_staged);
	e->quotas_staged = TAKE_PTR(table);
	return 0;
}

static bool has_quota(const struct rf_engine *e, uint32_t owner)
{
	return e->quotas && row_find(e->quotas, owner);
}

void rf_quotas_commit(struct rf_engine *e)
{
	rf_hashmap_free(e->quotas);
	e->quotas = TAKE_PTR(e->quotas_staged);
	rf_accel_groups_sweep(e, has_quota);
}

int rf_quotas_assign(struct rf_engine *e, const struct rf_assignment *a, const struct rf_workload_bank *bank,
		     char **ret_error)
{
	uint32_t owner = RF_ACCEL_OWNER(RF_ACCEL_WORKLOAD, a->workload);
	int fd = rf_engine_map_fd(e, "rf_accel_quota_map"), r = 0;

	/* Of an earlier owner of the number. */
	for (uint32_t which = 0; which < 2; which++)
		bpf_map_delete_elem(fd, &(struct rf_accel_quota_key){ owner, which });
	if (e->quotas)
		rf_hashmap_remove(e->quotas, &owner, sizeof(owner));
	if (!a->image->quotas)
		return 0;
	if (!e->quotas)
		r = rf_hashmap_new(free, &e->quotas);
	if (r >= 0)
		r = quotas_add(e->quotas, a, bank);
	if (r < 0)
		return r;
	groups_set(e->quotas, a->workload, bank);
	/* All of them: a share more may make others less. */
	for (uint32_t which = 0; r >= 0 && which < 2; which++)
		r = table_write(e, e->quotas, which, ret_error);
	return r;
}

void rf_quotas_free(struct rf_engine *e)
{
	rf_hashmap_free(e->quotas);
	rf_hashmap_free(e->quotas_staged);
}

/* The module as it was when the programs were loaded: a later one is not what they call. */
enum rf_support rf_quotas_support(const struct rf_engine *e)
{
	return rf_asked_support(e, RF_SECTION_ACCELERATORS, UINT64_MAX);
}

const char *rf_quotas_why(const struct rf_engine *e)
{
	if (rf_quotas_support(e) == RF_SUPPORT_UNAVAILABLE)
		return "ioctls are not seen without BPF LSM";
	if (!e->module_present)
		return "submissions that are over fail with EAGAIN: without ringfence.ko nobody can be made to wait";
	if (!(e->accel_modules))
		return "no driver that tells of jobs or buffers is loaded: submissions a second alone";
	return "submissions that are over wait";
}

void rf_engine_memory_kept(struct rf_engine *e, enum rf_support support, const char *why)
{
	e->memory_support = support;
	e->memory_why = why;
}

enum rf_support rf_quotas_memory_support(const struct rf_engine *e)
{
	return MAX(rf_quotas_support(e), e->memory_support);
}

const char *rf_quotas_memory_why(const struct rf_engine *e)
{
	if (e->memory_why)
		return e->memory_why;
	if (rf_quotas_support(e) == RF_SUPPORT_UNAVAILABLE)
		return "ioctls are not seen without BPF LSM, and neither dmem nor a driver limits memory here";
	return "ioctls that allocate are asked";
}
