// SPDX-License-Identifier: GPL-2.0-or-later
/* A process of no workload of ours is remembered as such, and charged to nobody. */
#include "user/daemon/kfd.h"

#include <errno.h>

#include "user/collect/kfd.h"
#include "user/daemon/process.h"
#include "user/lib/clock.h"

#define LOOK_TICKS 5
#define SUMS_MAX   RF_KFD_MAX

struct key {
	uint32_t pid, device;
};

struct process {
	uint64_t whose; /* 0: nobody's */
	uint64_t sdma_us, evicted_ms;
	unsigned int round;
};

/* NULL: no room. */
static struct rf_kfd_sum *sum_get(struct rf_kfd_watch *w, uint64_t whose, uint64_t cgroup_id)
{
	struct rf_kfd_sum *sum = rf_hashmap_get64(w->sums, whose);

	if (sum)
		return sum;
	sum = rf_hashmap_size(w->sums) < SUMS_MAX ? calloc(1, sizeof(*sum)) : NULL;
	if (!sum)
		return NULL;
	sum->whose = whose;
	sum->cgroup_id = cgroup_id;
	if (rf_hashmap_put(w->sums, &whose, sizeof(whose), sum) == 0)
		return sum;
	free(sum);
	return NULL;
}

static struct process *process_get(struct rf_kfd_watch *w, const struct rf_registry *r, const struct rf_kfd_use *use,
				   uint32_t device)
{
	struct key key = { use->pid, device };
	struct process *p = rf_hashmap_get(w->processes, &key, sizeof(key));
	struct rf_gpu_identity who;

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	if (rf_process_identify(r, use->pid, &who) == 0 && who.workload != RF_WORKLOAD_NONE &&
	    !r->by_id[who.workload]->retired) {
		p->whose = RF_ACCEL_WHOSE(RF_ACCEL_OWNER(RF_ACCEL_WORKLOAD, who.workload), device);
		(void)sum_get(w, p->whose, who.cgroup);
	}
	if (rf_hashmap_put(w->processes, &key, sizeof(key), p) == 0)
		return p;
	free(p);
	return NULL;
}

static void use_charge(struct rf_kfd_watch *w, struct process *p, const struct rf_kfd_use *use)
{
	struct rf_kfd_sum *sum = p->whose ? rf_hashmap_get64(w->sums, p->whose) : NULL;

	p->round = w->ticks;
	if (sum) {
		sum->kfd.processes++;
		sum->kfd.bytes += use->vram;
		sum->kfd.compute_units += use->compute_units;
		sum->kfd.sdma_ns += rf_counter_grown(use->sdma_us, p->sdma_us) * RF_NSEC_PER_USEC;
		sum->kfd.evicted_ns += rf_counter_grown(use->evicted_ms, p->evicted_ms) * RF_NSEC_PER_MSEC;
	}
	p->sdma_us = use->sdma_us;
	p->evicted_ms = use->evicted_ms;
}

/* What there is now begins anew, and a workload that is gone takes its sums along. */
static void sums_begin(struct rf_kfd_watch *w, const struct rf_registry *r)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	while (rf_hashmap_next(w->sums, &it, NULL, NULL, &value)) {
		struct rf_kfd_sum *sum = value;
		uint64_t whose = sum->whose;
		const struct rf_workload *workload = r->by_id[RF_ACCEL_OWNER_NUMBER(RF_ACCEL_WHOSE_OWNER(whose))];

		sum->kfd.processes = sum->kfd.bytes = sum->kfd.compute_units = 0;
		if (!workload || workload->cgroup_id != sum->cgroup_id)
			(void)rf_hashmap_remove(w->sums, &whose, sizeof(whose));
	}
}

static void gone_forget(struct rf_kfd_watch *w)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	const void *key;
	void *value;
	size_t len;

	while (rf_hashmap_next(w->processes, &it, &key, &len, &value)) {
		struct key gone = *(const struct key *)key;

		if (((struct process *)value)->round != w->ticks)
			(void)rf_hashmap_remove(w->processes, &gone, sizeof(gone));
	}
}

void rf_kfd_tick(struct rf_kfd_watch *w, const struct rf_registry *r, const char *sys)
{
	struct rf_kfd found;

	if (++w->ticks % LOOK_TICKS || !r->accelerators)
		return;
	if ((!w->processes && rf_hashmap_new(free, &w->processes) < 0) ||
	    (!w->sums && rf_hashmap_new(free, &w->sums) < 0) || rf_kfd_scan(sys, r->accelerators, &found) < 0)
		return;
	sums_begin(w, r);
	for (size_t i = 0; i < found.n; i++) {
		const struct rf_kfd_use *use = &found.uses[i];
		const char *parent = r->accelerators->devices[use->device].parent;
		struct process *p = process_get(w, r, use, rf_engine_accel_device(r->engine, parent));

		if (p)
			use_charge(w, p, use);
	}
	gone_forget(w);
	rf_kfd_fini(&found);
}

void rf_kfd_end(struct rf_kfd_watch *w)
{
	rf_hashmap_free(w->processes);
	rf_hashmap_free(w->sums);
	*w = (struct rf_kfd_watch){ 0 };
}
