// SPDX-License-Identifier: GPL-2.0-or-later
/* Two rings of records, merged by order of arrival when read. */
#include "user/daemon/history.h"

#include <errno.h>

#include "user/lib/cleanup.h"
#include "user/model/selector.h"

struct record_ring {
	struct rf_record *slot[RF_EVENT_HISTORY];
	uint64_t count; /* ever added */
};

struct rf_history {
	struct record_ring telemetry, audit;
	uint64_t order;
};

int rf_history_new(struct rf_history **ret)
{
	struct rf_history *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	*ret = h;
	return 0;
}

void rf_history_free(struct rf_history *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < RF_EVENT_HISTORY; i++) {
		free(h->telemetry.slot[i]);
		free(h->audit.slot[i]);
	}
	free(h);
}

static const char *string_put(char **at, const char *s)
{
	char *start = *at;
	size_t len;

	if (!s)
		return NULL;
	len = strlen(s) + 1;
	memcpy(start, s, len);
	*at += len;
	return start;
}

static size_t string_size(const char *s)
{
	return s ? strlen(s) + 1 : 0;
}

/* A record is cut to its event's size: most are far smaller than the largest kind. */
static struct rf_record *record_new(const struct rf_event_header *event, const struct rf_event_names *names)
{
	size_t fixed = offsetof(struct rf_record, event) + event->size;
	struct rf_record *record;
	char *at;

	record = malloc(MAX(fixed, offsetof(struct rf_record, event) + sizeof(struct rf_event_header)) +
			string_size(names->workload) + string_size(names->policy) + string_size(names->rule) +
			string_size(names->file) + string_size(names->peer) + string_size(names->label) +
			string_size(names->device));
	if (!record)
		return NULL;
	memcpy(record->event.bytes, event, event->size);
	at = (char *)record + fixed;
	record->names.workload = string_put(&at, names->workload);
	record->names.policy = string_put(&at, names->policy);
	record->names.rule = string_put(&at, names->rule);
	record->names.file = string_put(&at, names->file);
	record->names.line = names->line;
	record->names.peer = string_put(&at, names->peer);
	record->names.label = string_put(&at, names->label);
	record->names.device = string_put(&at, names->device);
	return record;
}

const struct rf_record *rf_history_add(struct rf_history *h, const struct rf_event_header *event,
				       const struct rf_event_names *names)
{
	struct record_ring *ring = event->lane == RF_LANE_AUDIT ? &h->audit : &h->telemetry;
	struct rf_record *record = record_new(event, names);
	size_t slot = ring->count % RF_EVENT_HISTORY;

	if (!record)
		return NULL;
	record->order = h->order++;
	free(ring->slot[slot]);
	ring->slot[slot] = record;
	ring->count++;
	return record;
}

bool rf_record_matches(const struct rf_record *record, const struct rf_filter *filter)
{
	if (!(filter->kinds >> record->event.header.kind & 1) ||
	    !(filter->verdicts >> record->event.header.verdict & 1))
		return false;
	if (!filter->workload)
		return true;
	return record->names.workload && rf_glob_match(filter->workload, record->names.workload, 0);
}

struct cursor {
	const struct record_ring *ring;
	uint64_t at; /* one past the next to look at, going back */
};

static const struct rf_record *cursor_peek(struct cursor *c, const struct rf_filter *filter)
{
	uint64_t oldest = c->ring->count > RF_EVENT_HISTORY ? c->ring->count - RF_EVENT_HISTORY : 0;

	while (c->at > oldest) {
		const struct rf_record *record = c->ring->slot[(c->at - 1) % RF_EVENT_HISTORY];

		if (rf_record_matches(record, filter))
			return record;
		c->at--;
	}
	return NULL;
}

void rf_history_each(const struct rf_history *h, const struct rf_filter *filter, size_t limit,
		     void (*fn)(const struct rf_record *record, void *arg), void *arg)
{
	struct cursor a = { &h->telemetry, h->telemetry.count }, b = { &h->audit, h->audit.count };
	_cleanup_free_ const struct rf_record **chosen = NULL;
	size_t n = 0;

	if (limit > 2 * RF_EVENT_HISTORY)
		limit = 2 * RF_EVENT_HISTORY;
	chosen = calloc(limit ? limit : 1, sizeof(*chosen));
	while (chosen && n < limit) {
		const struct rf_record *x = cursor_peek(&a, filter), *y = cursor_peek(&b, filter);

		if (!x && !y)
			break;
		if (!y || (x && x->order > y->order)) {
			chosen[n++] = x;
			a.at--;
		} else {
			chosen[n++] = y;
			b.at--;
		}
	}
	while (n)
		fn(chosen[--n], arg);
}
