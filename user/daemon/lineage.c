// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of the kernel into the file. */
#include "user/daemon/lineage.h"

#include <errno.h>

#include "user/daemon/trouble.h"
#include "user/lib/clock.h"
#include "user/model/label.h"

#define TAKE_TICKS 5

static void trouble_tell(struct rf_lineage *l, int r, char *error)
{
	rf_trouble_tell(&l->trouble, r, error, "lineage is not kept, and what the kernel has no room for is lost",
			"lineage is kept in", l->path);
}

struct taking {
	struct rf_lineage *lineage;
	struct rf_registry *registry;
	uint32_t fill;
	char *error;
};

/* Before the first rows that name them; those that are in force no more stay, for there are rows of them. */
static int labels_put(struct taking *t)
{
	const struct rf_policy_set *set = t->registry->set;
	uint32_t generation = rf_engine_generation(t->registry->engine) + 1;
	int r;

	if (t->lineage->labels == generation || !set)
		return 0;
	r = rf_db_begin(t->lineage->db, &t->error);
	for (size_t i = 0; r >= 0 && i < set->n_labels; i++) {
		const struct rf_file_label *label = set->labels[i];

		r = rf_lineage_db_label(t->lineage->db,
					&(struct rf_lineage_label){ rf_file_label_id(label->name), label->name,
								    label->kind, label->tenant },
					&t->error);
	}
	if (r >= 0)
		r = rf_db_commit(t->lineage->db, &t->error);
	if (r >= 0)
		t->lineage->labels = generation;
	return r;
}

static int take_begin(uint32_t fill, void *arg)
{
	struct taking *t = arg;

	t->fill = fill;
	return rf_lineage_db_begin(t->lineage->db, fill, &t->error);
}

static int take_row(const struct rf_lineage_key *key, const struct rf_lineage_value *value, void *arg)
{
	struct taking *t = arg;
	const struct rf_workload *w = value->workload < RF_MAX_WORKLOADS ? t->registry->by_id[value->workload] : NULL;
	char process[RF_LINEAGE_PROCESS + 1] = "";

	if (value->workload == RF_WORKLOAD_PROBE)
		return 0;
	if (!w || !w->name) {
		t->lineage->lost++;
		return 0;
	}
	memcpy(process, key->process, RF_LINEAGE_PROCESS);
	return rf_lineage_db_add(t->lineage->db,
				 &(struct rf_lineage_touch){ .workload = w->name,
							     .label = key->label,
							     .path = value->path,
							     .process = process,
							     .tgid = value->tgid,
							     .uid = value->uid,
							     .read_bytes = value->read_bytes,
							     .write_bytes = value->write_bytes,
							     .map_bytes = value->map_bytes,
							     .share_bytes = value->share_bytes,
							     .changes = value->changes,
							     .first_ns = rf_clock_boot_to_real(value->first_ns),
							     .last_ns = rf_clock_boot_to_real(value->last_ns) },
				 &t->error);
}

static int take_end(void *arg)
{
	struct taking *t = arg;

	return rf_lineage_db_end(t->lineage->db, t->fill, RF_MAX_LINEAGE, &t->error);
}

void rf_lineage_sync(struct rf_lineage *l, struct rf_registry *registry)
{
	struct taking taking = { .lineage = l, .registry = registry };
	const struct rf_lineage_taker taker = { take_begin, take_row, take_end, &taking };
	int r = 0;

	if (!l->db)
		r = rf_lineage_db_open(l->path, &l->db, &taking.error);
	if (r >= 0)
		r = labels_put(&taking);
	if (r >= 0)
		r = rf_engine_lineage_take(registry->engine, &taker);
	if (r >= 0)
		r = rf_lineage_db_stats(l->db, &l->stats, &taking.error);
	if (r < 0) {
		rf_db_close(l->db);
		l->db = NULL;
		l->labels = 0;
	}
	trouble_tell(l, r, taking.error);
}

int rf_lineage_start(struct rf_lineage *l, const char *state_dir)
{
	char *error = NULL;
	int r;

	if (asprintf(&l->path, "%s/lineage.db", state_dir) < 0) {
		l->path = NULL;
		return -ENOMEM;
	}
	r = rf_lineage_db_open(l->path, &l->db, &error);
	trouble_tell(l, r, error);
	return 0;
}

/* Rows that name a workload that is going must be taken while its id is its own. */
static bool somebody_goes(const struct rf_registry *r)
{
	for (uint32_t id = RF_WORKLOAD_FIRST; id < RF_MAX_WORKLOADS; id++)
		if (r->by_id[id] && r->by_id[id]->retired)
			return true;
	return false;
}

void rf_lineage_tick(struct rf_lineage *l, struct rf_registry *r)
{
	if (++l->ticks % TAKE_TICKS == 0 || somebody_goes(r))
		rf_lineage_sync(l, r);
}

void rf_lineage_end(struct rf_lineage *l, struct rf_registry *r)
{
	if (l->db && r)
		rf_lineage_sync(l, r);
	rf_db_close(l->db);
	free(l->path);
	free(l->trouble);
	*l = (struct rf_lineage){ 0 };
}
