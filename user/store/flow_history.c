// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The flow history and its file. The file is read once; after that a file that
 * was lost on the way and is back is written anew from memory.
 */
#include "user/store/flow_history.h"

#include <errno.h>

#include "user/model/identity_json.h"
#include "user/store/flow_table.h"

#define DAY_NS (RF_FLOW_HISTORY_S * 1000000000ULL)

static int load_subject(const struct rf_flow_subject *from, void *arg)
{
	struct rf_flow_history *h = arg;
	struct rf_flow_subject *subject;
	int r = rf_flow_subject_new(h, from, &subject);

	h->next_subject = MAX(h->next_subject, from->id + 1);
	if (r == -EEXIST) {
		h->refused++;
		rf_flow_id_note(h, &h->gone_subjects, from->id);
		return 0;
	}
	if (r >= 0)
		subject->stored = true;
	return r;
}

static int load_flow(const struct rf_flow *from, void *arg)
{
	struct rf_flow_history *h = arg;
	struct rf_flow_subject *subject = rf_hashmap_get64(h->by_id, from->key.subject);
	struct rf_flow flow = *from;

	h->next_flow = MAX(h->next_flow, from->id + 1);
	if (!subject) {
		h->refused++;
		rf_flow_id_note(h, &h->gone_flows, from->id);
		return 0;
	}
	/* A clock that was wrong must not make a row that never goes. */
	flow.last_ns = MIN(flow.last_ns, h->now_ns);
	flow.first_ns = MIN(flow.first_ns, flow.last_ns);
	return rf_flow_row_new(h, &flow, subject, true);
}

/* What was seen before the file could be read is added to what is in it, as if it were seen now. */
static int add_again(struct rf_flow_history *to, const struct rf_flow *flow)
{
	_cleanup_identity_ struct rf_identity *identity = NULL;
	const struct rf_flow_subject *subject = flow->subject;
	int r = rf_identity_from_json(subject->identity, strlen(subject->identity), &identity);

	if (r < 0)
		return r;
	return rf_flow_history_add(to, &(struct rf_flow_seen){ .workload = subject->workload,
							       .below = subject->below,
							       .cgroup_id = subject->cgroup_id,
							       .identity = identity,
							       .key = flow->key,
							       .verdict = flow->verdict,
							       .peer = flow->peer,
							       .name = flow->name,
							       .time_ns = flow->last_ns,
							       .times = flow->times,
							       .tx_bytes = flow->tx_bytes,
							       .rx_bytes = flow->rx_bytes });
}

static void subjects_prune(struct rf_flow_history *h)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	while (rf_hashmap_next(h->subjects, &it, NULL, NULL, &value))
		rf_flow_subject_put(h, value);
}

static int history_load(struct rf_flow_history *h, uint64_t now_ns, char **ret_error)
{
	_cleanup_flow_history_ struct rf_flow_history *fresh = NULL;
	struct rf_flow_history old;
	int r = rf_flow_history_new(h->max, h->path, &fresh);

	if (r < 0)
		return r;
	fresh->now_ns = now_ns;
	r = rf_flow_db_read(h->db, &(struct rf_flow_db_reader){ load_subject, load_flow, fresh }, &fresh->refused,
			    ret_error);
	for (const struct rf_flow_row *row = h->oldest; r >= 0 && row; row = row->after)
		r = add_again(fresh, &row->flow);
	if (r < 0)
		return r;
	subjects_prune(fresh);
	fresh->db = TAKE_PTR(h->db);
	fresh->loaded = true;
	fresh->dropped += h->dropped;
	fresh->lost += h->lost;
	/* Content for content: whoever holds @h goes on holding it. */
	old = *h;
	*h = *fresh;
	*fresh = old;
	return 0;
}

static void all_unwritten(struct rf_flow_history *h)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	for (struct rf_flow_row *row = h->oldest; row; row = row->after)
		row->dirty = true;
	h->unwritten = h->oldest;
	while (rf_hashmap_next(h->subjects, &it, NULL, NULL, &value))
		((struct rf_flow_subject *)value)->changed = true;
}

static int file_ready(struct rf_flow_history *h, uint64_t now_ns, char **ret_error)
{
	int r;

	if (h->db)
		return 0;
	r = rf_flow_db_open(h->path, &h->db, ret_error);
	if (r < 0)
		return r;
	if (h->loaded) {
		/* It was lost on the way: whatever it holds, memory is the truth. */
		h->rewrite = true;
		return 0;
	}
	r = history_load(h, now_ns, ret_error);
	if (r < 0) {
		rf_db_close(h->db);
		h->db = NULL;
	}
	return r;
}

static int write_gone(struct rf_flow_history *h, char **ret_error)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < h->gone_flows.n; i++)
		r = rf_flow_db_drop(h->db, h->gone_flows.list[i], ret_error);
	for (size_t i = 0; r >= 0 && i < h->gone_subjects.n; i++)
		r = rf_flow_db_drop_subject(h->db, h->gone_subjects.list[i], ret_error);
	return r;
}

/* The end of the transaction. What it marks as written is marked back by all_unwritten() if it fails. */
static int write_rows(struct rf_flow_history *h, char **ret_error)
{
	struct rf_flow_row *end = h->unwritten;
	int r = 0;

	for (size_t n = 0; r >= 0 && end && n < RF_FLOW_HISTORY_BATCH; n++, end = end->after) {
		struct rf_flow_subject *subject = end->flow.subject;

		if (subject->changed)
			r = rf_flow_db_put_subject(h->db, subject, ret_error);
		if (r >= 0) {
			subject->changed = false;
			subject->stored = true;
			r = rf_flow_db_put(h->db, &end->flow, ret_error);
		}
	}
	if (r >= 0)
		r = rf_db_commit(h->db, ret_error);
	if (r < 0)
		return r;
	for (; h->unwritten != end; h->unwritten = h->unwritten->after) {
		h->unwritten->dirty = false;
		h->unwritten->stored = true;
	}
	h->gone_flows.n = h->gone_subjects.n = 0;
	return end ? 1 : 0;
}

static int file_write(struct rf_flow_history *h, char **ret_error)
{
	int r;

	if (h->rewrite)
		all_unwritten(h);
	else if (!h->unwritten && !h->gone_flows.n && !h->gone_subjects.n)
		return 0;
	r = rf_db_begin(h->db, ret_error);
	if (r >= 0)
		r = h->rewrite ? rf_flow_db_clear(h->db, ret_error) : write_gone(h, ret_error);
	if (r >= 0)
		r = write_rows(h, ret_error);
	if (r >= 0)
		h->rewrite = false;
	return r;
}

int rf_flow_history_sync(struct rf_flow_history *h, uint64_t now_ns, char **ret_error)
{
	int r = file_ready(h, now_ns, ret_error);

	while (h->oldest && h->oldest->flow.last_ns + DAY_NS < now_ns)
		rf_flow_row_forget(h, h->oldest);
	if (r < 0)
		return r;
	r = file_write(h, ret_error);
	if (r < 0) {
		rf_db_close(h->db);
		h->db = NULL;
	}
	return r;
}

void rf_flow_history_each(const struct rf_flow_history *h, void (*fn)(const struct rf_flow *flow, void *arg), void *arg)
{
	for (const struct rf_flow_row *row = h->oldest; row; row = row->after)
		fn(&row->flow, arg);
}

void rf_flow_history_subjects(const struct rf_flow_history *h,
			      void (*fn)(const struct rf_flow_subject *subject, void *arg), void *arg)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	while (rf_hashmap_next(h->subjects, &it, NULL, NULL, &value))
		fn(value, arg);
}

void rf_flow_history_stats(const struct rf_flow_history *h, struct rf_flow_history_stats *ret)
{
	*ret = (struct rf_flow_history_stats){ .rows = h->rows,
					       .max = h->max,
					       .dropped = h->dropped,
					       .refused = h->refused,
					       .lost = h->lost,
					       .bytes = h->db ? rf_db_bytes(h->db) : 0,
					       .stored = h->db != NULL };
}
