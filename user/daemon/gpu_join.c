// SPDX-License-Identifier: GPL-2.0-or-later
/* Two tables: a process on a device, and what a workload has taken of one. */
#include "user/daemon/gpu_join.h"

#include <errno.h>
#include <string.h>

#include "ringfence/limits.h"
#include "ringfence/workload_map.h"
#include "user/lib/clock.h"
#include "user/lib/hashmap.h"
#include "user/lib/util.h"

#define FORGET_ROUNDS 10   /* what the driver's accounting has to say of one comes within a round or two */
#define EXITS	      4096 /* of the last processes of workloads */
/* Start times come in ticks, and the two clocks are not read at once. */
#define TICK_NS	      (20 * RF_NSEC_PER_MSEC)

struct context_key {
	char parent[RF_ACCEL_DEVICE_NAME];
	uint32_t pid, gpu_instance, compute_instance;
};

struct context {
	struct context_key key;
	struct rf_gpu_identity who;
	uint64_t charged_ns; /* since it began to use the device, as far as it is known */
	uint64_t bytes;
	uint64_t round; /* that told of it last */
	bool present;	/* in that */
};

struct use_key {
	char parent[RF_ACCEL_DEVICE_NAME];
	uint64_t cgroup;
	uint32_t workload, gpu_instance, compute_instance, pad;
};

struct exited {
	struct rf_gpu_identity who;
	uint64_t end_ns;
	uint32_t pid;
};

struct rf_gpu_join {
	rf_gpu_identify_fn identify;
	void *arg;
	struct rf_hashmap *contexts, *uses;
	uint64_t round;
	struct exited exits[EXITS];
	uint64_t n_exits; /* ever */
	uint64_t unjoined, full;
};

int rf_gpu_join_new(rf_gpu_identify_fn identify, void *arg, struct rf_gpu_join **ret)
{
	_cleanup_(rf_gpu_join_freep) struct rf_gpu_join *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return -ENOMEM;
	j->identify = identify;
	j->arg = arg;
	r = rf_hashmap_new(free, &j->contexts);
	if (r >= 0)
		r = rf_hashmap_new(free, &j->uses);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(j);
	return 0;
}

void rf_gpu_join_free(struct rf_gpu_join *j)
{
	if (!j)
		return;
	rf_hashmap_free(j->contexts);
	rf_hashmap_free(j->uses);
	free(j);
}

static struct rf_gpu_use *use_of(struct rf_gpu_join *j, const struct rf_gpu_identity *who, const struct context_key *of)
{
	struct use_key key = { .cgroup = who->cgroup,
			       .workload = who->workload,
			       .gpu_instance = of->gpu_instance,
			       .compute_instance = of->compute_instance };
	struct rf_gpu_use *use;

	memcpy(key.parent, of->parent, sizeof(key.parent));
	use = rf_hashmap_get(j->uses, &key, sizeof(key));
	if (use)
		return use;
	use = rf_hashmap_size(j->uses) < RF_MAX_GPU_USES ? calloc(1, sizeof(*use)) : NULL;
	if (!use)
		return NULL;
	*use = (struct rf_gpu_use){ .gpu_instance = of->gpu_instance,
				    .compute_instance = of->compute_instance,
				    .workload = who->workload,
				    .cgroup = who->cgroup };
	memcpy(use->parent, of->parent, sizeof(use->parent));
	if (rf_hashmap_put(j->uses, &key, sizeof(key), use) >= 0)
		return use;
	free(use);
	return NULL;
}

static void charge(struct rf_gpu_join *j, const struct rf_gpu_identity *who, const struct context_key *key,
		   uint64_t busy_ns, uint64_t bytes_peak)
{
	struct rf_gpu_use *use;

	if (who->workload == RF_WORKLOAD_NONE)
		return;
	use = use_of(j, who, key);
	if (!use) {
		j->full++;
		return;
	}
	use->busy_ns += busy_ns;
	use->bytes_peak = MAX(use->bytes_peak, bytes_peak);
}

/* The last of that id that lived at @at_ns. */
static const struct exited *exited_find(const struct rf_gpu_join *j, uint32_t pid, uint64_t at_ns)
{
	for (uint64_t i = j->n_exits; i && i + EXITS > j->n_exits; i--) {
		const struct exited *e = &j->exits[(i - 1) % EXITS];

		if (e->pid == pid && e->who.start_ns <= at_ns + TICK_NS && at_ns <= e->end_ns + TICK_NS)
			return e;
	}
	return NULL;
}

static struct context *context_new(struct rf_gpu_join *j, const struct context_key *key)
{
	struct context *c = rf_hashmap_size(j->contexts) < RF_MAX_GPU_PROCESSES ? calloc(1, sizeof(*c)) : NULL;

	if (c)
		c->key = *key;
	if (c && rf_hashmap_put(j->contexts, key, sizeof(*key), c) >= 0)
		return c;
	free(c);
	j->full++;
	return NULL;
}

/* Who has the id now and had it at @at_ns already. */
static bool identify(struct rf_gpu_join *j, uint32_t pid, uint64_t at_ns, struct rf_gpu_identity *ret)
{
	return j->identify(pid, ret, j->arg) >= 0 && ret->start_ns <= at_ns;
}

/*
 * Whose the message is; NULL: nobody's that is known. The @rest of what a process has taken comes when it is not there
 * any more: it is that of the one that was, though the id may have been given to another.
 */
static struct context *context_find(struct rf_gpu_join *j, const struct context_key *key, uint64_t at_ns, bool rest)
{
	struct context *c = rf_hashmap_get(j->contexts, key, sizeof(*key));
	struct rf_gpu_identity who;

	if (c && rest)
		return c;
	if (identify(j, key->pid, at_ns, &who)) {
		if (!c)
			c = context_new(j, key);
		/* Another process than the one that had the id. */
		if (c && c->who.start_ns != who.start_ns)
			*c = (struct context){ .key = *key };
		if (c)
			c->who = who;
		return c;
	}
	if (!c) {
		const struct exited *e = exited_find(j, key->pid, at_ns);

		c = e ? context_new(j, key) : NULL;
		if (c)
			c->who = e->who;
		if (!e)
			j->unjoined++;
	}
	return c;
}

void rf_gpu_join_process(struct rf_gpu_join *j, const struct rf_gpu_process_message *m)
{
	struct context_key key = { .pid = m->pid,
				   .gpu_instance = m->gpu_instance,
				   .compute_instance = m->compute_instance };
	struct context *c;

	memcpy(key.parent, m->parent, sizeof(key.parent));
	c = context_find(j, &key, m->sampled_ns, !m->present);
	if (!c)
		return;
	c->charged_ns += m->busy_ns;
	c->bytes = m->bytes == RF_GPU_UNKNOWN ? 0 : m->bytes;
	c->present = m->present;
	c->round = j->round;
	charge(j, &c->who, &key, m->busy_ns, 0);
}

void rf_gpu_join_ended(struct rf_gpu_join *j, const struct rf_gpu_ended_message *m, uint64_t real_to_boot_ns,
		       uint64_t known_ns)
{
	struct context_key key = { .pid = m->pid,
				   .gpu_instance = RF_GPU_INSTANCE_NONE,
				   .compute_instance = RF_GPU_INSTANCE_NONE };
	uint64_t began_ns = m->started_ns > real_to_boot_ns ? m->started_ns - real_to_boot_ns : 0;
	uint64_t busy_ns = m->busy_ns == RF_GPU_UNKNOWN ? 0 : m->busy_ns;
	uint64_t peak = m->bytes_peak == RF_GPU_UNKNOWN ? 0 : m->bytes_peak;
	struct context *c;
	struct rf_gpu_identity who;
	const struct exited *e;

	memcpy(key.parent, m->parent, sizeof(key.parent));
	c = rf_hashmap_get(j->contexts, &key, sizeof(key));
	/* What the device was used for before anybody counted is not charged now. */
	if (began_ns < known_ns)
		busy_ns = 0;
	if (c && c->who.start_ns <= began_ns + TICK_NS) {
		charge(j, &c->who, &key, busy_ns > c->charged_ns ? busy_ns - c->charged_ns : 0, peak);
		c->charged_ns = 0;
	} else if (identify(j, m->pid, began_ns + TICK_NS, &who)) {
		charge(j, &who, &key, busy_ns, peak);
	} else if ((e = exited_find(j, m->pid, began_ns))) {
		charge(j, &e->who, &key, busy_ns, peak);
	} else {
		j->unjoined++;
	}
}

static void present_clear(struct rf_gpu_join *j)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	while (rf_hashmap_next(j->uses, &it, NULL, NULL, &value)) {
		struct rf_gpu_use *use = value;

		use->bytes = 0;
		use->processes = 0;
	}
}

static void contexts_forget(struct rf_gpu_join *j)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	while (rf_hashmap_next(j->contexts, &it, NULL, NULL, &value)) {
		const struct context *c = value;
		const struct context_key key = c->key;

		if (j->round - c->round > FORGET_ROUNDS)
			rf_hashmap_remove(j->contexts, &key, sizeof(key));
	}
}

void rf_gpu_join_round(struct rf_gpu_join *j)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	present_clear(j);
	while (rf_hashmap_next(j->contexts, &it, NULL, NULL, &value)) {
		const struct context *c = value;
		struct rf_gpu_use *use;

		if (!c->present || c->round != j->round || c->who.workload == RF_WORKLOAD_NONE)
			continue;
		use = use_of(j, &c->who, &c->key);
		if (!use)
			continue;
		use->processes++;
		use->bytes += c->bytes;
		use->bytes_peak = MAX(use->bytes_peak, use->bytes);
	}
	j->round++;
	contexts_forget(j);
}

void rf_gpu_join_lost(struct rf_gpu_join *j)
{
	present_clear(j);
	j->round++;
}

void rf_gpu_join_exited(struct rf_gpu_join *j, uint32_t pid, const struct rf_gpu_identity *who, uint64_t end_ns)
{
	j->exits[j->n_exits++ % EXITS] = (struct exited){ *who, end_ns, pid };
}

void rf_gpu_join_sweep(struct rf_gpu_join *j, rf_gpu_alive_fn alive, void *arg)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	const void *at;
	void *value;
	size_t len;

	while (rf_hashmap_next(j->uses, &it, &at, &len, &value)) {
		const struct rf_gpu_use *use = value;
		struct use_key key;

		memcpy(&key, at, sizeof(key));
		if (!alive(use->workload, use->cgroup, arg))
			rf_hashmap_remove(j->uses, &key, sizeof(key));
	}
}

uint64_t rf_gpu_energy_part(double joules, uint64_t busy_ns, uint64_t all_ns, uint64_t elapsed_ns)
{
	uint64_t whole = MAX(elapsed_ns, all_ns);

	return whole ? (uint64_t)(joules * 1e6 * (double)busy_ns / (double)whole) : 0;
}

void rf_gpu_join_energy(struct rf_gpu_join *j, const char *parent, double joules, uint64_t elapsed_ns,
			rf_gpu_energy_fn fn, void *arg)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	uint64_t all_ns = 0;
	void *value;

	if (joules <= 0)
		return;
	while (rf_hashmap_next(j->uses, &it, NULL, NULL, &value)) {
		const struct rf_gpu_use *use = value;

		if (rf_streq(use->parent, parent))
			all_ns += use->busy_ns - use->shared_ns;
	}
	it = (struct rf_hashmap_iter){ 0 };
	while (rf_hashmap_next(j->uses, &it, NULL, NULL, &value)) {
		struct rf_gpu_use *use = value;
		uint64_t part;

		if (!rf_streq(use->parent, parent) || use->busy_ns == use->shared_ns)
			continue;
		part = rf_gpu_energy_part(joules, use->busy_ns - use->shared_ns, all_ns, elapsed_ns);
		use->shared_ns = use->busy_ns;
		use->energy_uj += part;
		fn(use, part, arg);
	}
}

uint32_t rf_gpu_join_workload(const struct rf_gpu_join *j, uint32_t pid)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	const struct context *last = NULL;
	void *value;

	while (rf_hashmap_next(j->contexts, &it, NULL, NULL, &value)) {
		const struct context *c = value;

		if (c->key.pid == pid && (!last || c->round > last->round))
			last = c;
	}
	if (last)
		return last->who.workload;
	for (uint64_t i = j->n_exits; i && i + EXITS > j->n_exits; i--)
		if (j->exits[(i - 1) % EXITS].pid == pid)
			return j->exits[(i - 1) % EXITS].who.workload;
	return RF_WORKLOAD_NONE;
}

void rf_gpu_join_each(const struct rf_gpu_join *j, void (*fn)(const struct rf_gpu_use *use, void *arg), void *arg)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	while (rf_hashmap_next(j->uses, &it, NULL, NULL, &value))
		fn(value, arg);
}

void rf_gpu_join_stats(const struct rf_gpu_join *j, struct rf_gpu_join_stats *ret)
{
	*ret = (struct rf_gpu_join_stats){ .unjoined = j->unjoined,
					   .full = j->full,
					   .contexts = rf_hashmap_size(j->contexts),
					   .uses = rf_hashmap_size(j->uses) };
}
