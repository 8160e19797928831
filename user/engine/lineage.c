// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of the lineage out of the kernel: include/ringfence/lineage_map.h has how the two banks go. */
#include <errno.h>
#include <sys/random.h>

#include "user/engine/internal.h"

int rf_lineage_open(struct rf_engine *e)
{
	/* One fill of a bank is never taken for another, of maps that were there before these. */
	if (!e->maps_adopted && getrandom(&e->config->lineage, sizeof(e->config->lineage), 0) < 0)
		return -errno;
	return 0;
}

/* In the bank that is put in force next. */
void rf_engine_labels_stage(struct rf_engine *e, const uint64_t *labels, uint32_t n)
{
	uint64_t *bank = &e->labels[RF_LABEL_AT(!(rf_engine_generation(e) & 1), 0)];

	for (uint32_t zone = 0; zone <= RF_MAX_ZONES; zone++)
		bank[zone] = zone > 0 && zone <= n ? labels[zone - 1] : RF_LABEL_NONE;
}

/* Of the bank with @fill. @fn may delete: the key of the next is fetched before. */
static int rows_each(struct rf_engine *e, uint32_t fill,
		     int (*fn)(struct rf_engine *, const struct rf_lineage_key *, const struct rf_lineage_taker *),
		     const struct rf_lineage_taker *taker)
{
	int fd = rf_engine_map_fd(e, "rf_lineage_map"), r = 0;
	struct rf_lineage_key key, next;
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	while (more && r >= 0) {
		key = next;
		more = bpf_map_get_next_key(fd, &key, &next) == 0;
		if (key.bank == (fill & 1))
			r = fn(e, &key, taker);
	}
	return r;
}

static int row_tell(struct rf_engine *e, const struct rf_lineage_key *key, const struct rf_lineage_taker *taker)
{
	struct rf_lineage_value value;

	if (bpf_map_lookup_elem(rf_engine_map_fd(e, "rf_lineage_map"), key, &value) < 0)
		return 0;
	value.path[sizeof(value.path) - 1] = '\0';
	return taker->row(key, &value, taker->arg);
}

static int row_delete(struct rf_engine *e, const struct rf_lineage_key *key, const struct rf_lineage_taker *taker)
{
	int fd = rf_engine_map_fd(e, "rf_lineage_map");
	struct rf_lineage_value value;

	(void)taker;
	if (bpf_map_lookup_and_delete_elem(fd, key, &value) == 0 && value.workload < RF_MAX_WORKLOADS)
		__atomic_store_n(&e->lineage_states[value.workload].rows[key->bank], 0, __ATOMIC_RELAXED);
	return 0;
}

static int row_count(struct rf_engine *e, const struct rf_lineage_key *key, const struct rf_lineage_taker *taker)
{
	(void)e;
	(void)key;
	(void)taker;
	return -EEXIST;
}

static int bank_take(struct rf_engine *e, uint32_t fill, const struct rf_lineage_taker *taker)
{
	int r;

	if (rows_each(e, fill, row_count, taker) == 0)
		return 0;
	r = taker->begin(fill, taker->arg);
	if (r == 0)
		r = rows_each(e, fill, row_tell, taker);
	if (r == 0)
		r = taker->end(taker->arg);
	/* 1: an earlier daemon took them, and died before they were deleted. */
	return r < 0 ? r : rows_each(e, fill, row_delete, taker);
}

int rf_engine_lineage_take(struct rf_engine *e, const struct rf_lineage_taker *taker)
{
	uint32_t fill = __atomic_load_n(&e->config->lineage, __ATOMIC_RELAXED);
	int r = bank_take(e, fill - 1, taker); /* what could not be taken the last time */

	if (r < 0 || rows_each(e, fill, row_count, taker) == 0)
		return r;
	__atomic_store_n(&e->config->lineage, fill + 1, __ATOMIC_SEQ_CST);
	rf_engine_programs_wait(e);
	return bank_take(e, fill, taker);
}

void rf_lineage_reset(struct rf_engine *e, uint32_t workload)
{
	e->lineage_states[workload] = (struct rf_lineage_state){ 0 };
}
