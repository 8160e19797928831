// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows and subjects of the flow history: finding, merging, and forgetting whoever is over the limit. */
#include "user/store/flow_table.h"

#include <errno.h>

#include "user/lib/strbuf.h"
#include "user/model/identity_json.h"

static void row_free(struct rf_flow_row *row)
{
	free(row->flow.peer);
	free(row->flow.name);
	free(row);
}

static void subject_free(void *p)
{
	struct rf_flow_subject *subject = p;

	if (!subject)
		return;
	free(subject->workload);
	free(subject->below);
	free(subject->identity);
	free(subject);
}

int rf_flow_history_new(size_t max, const char *path, struct rf_flow_history **ret)
{
	_cleanup_flow_history_ struct rf_flow_history *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->max = max;
	h->next_flow = h->next_subject = 1;
	h->path = strdup(path);
	r = h->path ? rf_hashmap_new(NULL, &h->flows) : -ENOMEM;
	if (r >= 0)
		r = rf_hashmap_new(subject_free, &h->subjects);
	if (r >= 0)
		r = rf_hashmap_new(NULL, &h->by_id);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(h);
	return 0;
}

void rf_flow_history_free(struct rf_flow_history *h)
{
	struct rf_flow_row *next;

	if (!h)
		return;
	for (struct rf_flow_row *row = h->oldest; row; row = next) {
		next = row->after;
		row_free(row);
	}
	rf_db_close(h->db);
	rf_hashmap_free(h->flows);
	rf_hashmap_free(h->by_id);
	rf_hashmap_free(h->subjects);
	free(h->gone_flows.list);
	free(h->gone_subjects.list);
	free(h->path);
	free(h);
}

void rf_flow_id_note(struct rf_flow_history *h, struct rf_flow_ids *ids, uint64_t id)
{
	if ((ids->n & (ids->n - 1)) == 0) {
		uint64_t *grown = reallocarray(ids->list, ids->n ? ids->n * 2 : 1, sizeof(*grown));

		if (!grown) {
			h->rewrite = true;
			return;
		}
		ids->list = grown;
	}
	ids->list[ids->n++] = id;
}

/* ---- the list ---- */

static void list_remove(struct rf_flow_history *h, struct rf_flow_row *row)
{
	if (h->unwritten == row)
		h->unwritten = row->after;
	if (row->before)
		row->before->after = row->after;
	else
		h->oldest = row->after;
	if (row->after)
		row->after->before = row->before;
	else
		h->newest = row->before;
	row->before = row->after = NULL;
}

static void list_append(struct rf_flow_history *h, struct rf_flow_row *row)
{
	row->before = h->newest;
	if (h->newest)
		h->newest->after = row;
	else
		h->oldest = row;
	h->newest = row;
	if (row->dirty && !h->unwritten)
		h->unwritten = row;
}

/* ---- subjects ---- */

static int subject_key(struct rf_strbuf *key, const char *workload, const char *below)
{
	rf_strbuf_addf(key, "%s\n%s", workload, below);
	return rf_strbuf_error(key);
}

int rf_flow_subject_new(struct rf_flow_history *h, const struct rf_flow_subject *fields, struct rf_flow_subject **ret)
{
	_cleanup_strbuf_ struct rf_strbuf key = RF_STRBUF_INIT;
	struct rf_flow_subject *subject = calloc(1, sizeof(*subject));
	int r = subject ? subject_key(&key, fields->workload, fields->below) : -ENOMEM;

	if (r >= 0) {
		subject->id = fields->id;
		subject->cgroup_id = fields->cgroup_id;
		subject->workload = strdup(fields->workload);
		subject->below = strdup(fields->below);
		subject->identity = strdup(fields->identity);
		r = subject->workload && subject->below && subject->identity ? 0 : -ENOMEM;
	}
	if (r >= 0)
		r = rf_hashmap_put(h->by_id, &fields->id, sizeof(fields->id), subject);
	if (r >= 0) {
		r = rf_hashmap_put(h->subjects, rf_strbuf_str(&key), key.len, subject);
		if (r < 0)
			rf_hashmap_take(h->by_id, &fields->id, sizeof(fields->id));
	}
	if (r < 0) {
		subject_free(subject);
		return r;
	}
	*ret = subject;
	return 0;
}

static char *identity_text(const struct rf_identity *identity)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	struct rf_json j;

	rf_json_init(&j, &text);
	rf_identity_json(&j, NULL, identity);
	return rf_strbuf_take(&text);
}

static int subject_get(struct rf_flow_history *h, const struct rf_flow_seen *seen, struct rf_flow_subject **ret)
{
	_cleanup_strbuf_ struct rf_strbuf key = RF_STRBUF_INIT;
	_cleanup_free_ char *identity = NULL;
	struct rf_flow_subject *subject;
	int r = subject_key(&key, seen->workload, seen->below);

	if (r < 0)
		return r;
	subject = rf_hashmap_get(h->subjects, rf_strbuf_str(&key), key.len);
	if (!subject && !seen->identity)
		return -ENOENT;
	if (seen->identity && (!subject || subject->cgroup_id != seen->cgroup_id)) {
		identity = identity_text(seen->identity);
		if (!identity)
			return -ENOMEM;
	}
	if (!subject) {
		r = rf_flow_subject_new(h,
					&(struct rf_flow_subject){ .id = h->next_subject,
								   .workload = (char *)seen->workload,
								   .below = (char *)seen->below,
								   .identity = identity,
								   .cgroup_id = seen->cgroup_id },
					&subject);
		if (r < 0)
			return r;
		subject->changed = true;
		h->next_subject++;
	} else if (identity) {
		/* The workload was started again: it is who it is now. */
		subject->changed |= !rf_streq(subject->identity, identity);
		free(subject->identity);
		subject->identity = TAKE_PTR(identity);
		subject->cgroup_id = seen->cgroup_id;
	}
	*ret = subject;
	return 0;
}

void rf_flow_subject_put(struct rf_flow_history *h, struct rf_flow_subject *subject)
{
	_cleanup_strbuf_ struct rf_strbuf key = RF_STRBUF_INIT;
	uint64_t id = subject->id;

	if (subject->flows || subject_key(&key, subject->workload, subject->below) < 0)
		return;
	if (subject->stored)
		rf_flow_id_note(h, &h->gone_subjects, id);
	rf_hashmap_take(h->by_id, &id, sizeof(id));
	rf_hashmap_remove(h->subjects, rf_strbuf_str(&key), key.len);
}

/* ---- rows ---- */

static void row_unlink(struct rf_flow_history *h, struct rf_flow_row *row)
{
	struct rf_flow_row *first = rf_hashmap_get(h->flows, &row->flow.key, sizeof(row->flow.key));

	if (first == row && row->other) {
		/* Replacing a value needs no memory. */
		(void)rf_hashmap_set(h->flows, &row->flow.key, sizeof(row->flow.key), row->other);
	} else if (first == row) {
		rf_hashmap_take(h->flows, &row->flow.key, sizeof(row->flow.key));
	} else {
		while (first->other != row)
			first = first->other;
		first->other = row->other;
	}
	list_remove(h, row);
	h->rows--;
}

void rf_flow_row_forget(struct rf_flow_history *h, struct rf_flow_row *row)
{
	struct rf_flow_subject *subject = row->flow.subject;

	row_unlink(h, row);
	if (row->stored)
		rf_flow_id_note(h, &h->gone_flows, row->flow.id);
	row_free(row);
	subject->flows--;
	rf_flow_subject_put(h, subject);
}

/* The row of this peer. One whose peer was not known is anybody's, and so is an event that does not know it. */
static struct rf_flow_row *row_find(struct rf_flow_history *h, const struct rf_flow_key *key, const char *peer)
{
	struct rf_flow_row *first = rf_hashmap_get(h->flows, key, sizeof(*key)), *nobodys = NULL;

	if (!peer)
		return first;
	for (struct rf_flow_row *row = first; row; row = row->other) {
		if (row->flow.peer && rf_streq(row->flow.peer, peer))
			return row;
		if (!row->flow.peer)
			nobodys = row;
	}
	return nobodys;
}

static int text_replace(char **to, const char *from)
{
	char *copy;

	if (!from || (*to && rf_streq(*to, from)))
		return 0;
	copy = strdup(from);
	if (!copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

int rf_flow_row_new(struct rf_flow_history *h, const struct rf_flow *from, struct rf_flow_subject *subject, bool stored)
{
	struct rf_flow_row *row = calloc(1, sizeof(*row));

	if (!row)
		return -ENOMEM;
	row->flow = *from;
	row->flow.peer = row->flow.name = NULL;
	row->flow.subject = subject;
	row->flow.key.subject = subject->id;
	row->stored = stored;
	row->dirty = !stored;
	row->other = rf_hashmap_get(h->flows, &row->flow.key, sizeof(row->flow.key));
	if (text_replace(&row->flow.peer, from->peer) < 0 || text_replace(&row->flow.name, from->name) < 0 ||
	    rf_hashmap_set(h->flows, &row->flow.key, sizeof(row->flow.key), row) < 0) {
		row_free(row);
		return -ENOMEM;
	}
	subject->flows++;
	h->rows++;
	list_append(h, row);
	while (h->rows > h->max) {
		h->dropped++;
		rf_flow_row_forget(h, h->oldest);
	}
	return 0;
}

static int row_update(struct rf_flow_history *h, struct rf_flow_row *row, const struct rf_flow_seen *seen)
{
	struct rf_flow *flow = &row->flow;
	int r = text_replace(&flow->peer, seen->peer);

	if (r >= 0)
		r = text_replace(&flow->name, seen->name);
	/* The lanes are read one after another: what comes later may have been earlier. */
	if (seen->time_ns >= flow->last_ns) {
		flow->verdict = seen->verdict;
		flow->last_ns = seen->time_ns;
	}
	flow->first_ns = MIN(flow->first_ns, seen->time_ns);
	flow->times += seen->times;
	flow->tx_bytes += seen->tx_bytes;
	flow->rx_bytes += seen->rx_bytes;
	list_remove(h, row);
	row->dirty = true;
	list_append(h, row);
	return r;
}

static int history_add(struct rf_flow_history *h, const struct rf_flow_seen *seen)
{
	struct rf_flow_subject *subject;
	struct rf_flow_key key = seen->key;
	struct rf_flow_row *row;
	int r = subject_get(h, seen, &subject);

	if (r < 0)
		return r;
	key.subject = subject->id;
	row = row_find(h, &key, seen->peer);
	if (row)
		return row_update(h, row, seen);
	r = rf_flow_row_new(h,
			    &(struct rf_flow){ .id = h->next_flow,
					       .key = key,
					       .verdict = seen->verdict,
					       .peer = (char *)seen->peer,
					       .name = (char *)seen->name,
					       .times = seen->times ? seen->times : 1,
					       .tx_bytes = seen->tx_bytes,
					       .rx_bytes = seen->rx_bytes,
					       .first_ns = seen->time_ns,
					       .last_ns = seen->time_ns },
			    subject, false);
	if (r < 0)
		rf_flow_subject_put(h, subject);
	else
		h->next_flow++;
	return r;
}

int rf_flow_history_add(struct rf_flow_history *h, const struct rf_flow_seen *seen)
{
	int r = history_add(h, seen);

	h->lost += r < 0;
	return r;
}
