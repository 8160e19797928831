// SPDX-License-Identifier: GPL-2.0-or-later
/* Gap detection; invariant: open gaps are disjoint, ascending and below @next. */
#include "user/engine/gap.h"

#include <string.h>

void rf_gaps_init(struct rf_gaps *g, uint64_t last)
{
	memset(g, 0, sizeof(*g));
	g->next = last + 1;
}

static void gap_remove(struct rf_gaps *g, unsigned int i)
{
	g->n_open--;
	memmove(&g->open[i], &g->open[i + 1], (g->n_open - i) * sizeof(g->open[0]));
}

static void gap_close(struct rf_gaps *g, unsigned int i, rf_gap_fn fn, void *arg)
{
	struct rf_gap gap = g->open[i];

	g->total_gaps++;
	g->total_lost += gap.last - gap.first + 1;
	gap_remove(g, i);
	fn(&gap, arg);
}

/* A number below @next: fills part of an open gap, or comes too late. */
static void gap_fill(struct rf_gaps *g, uint64_t sequence)
{
	for (unsigned int i = 0; i < g->n_open; i++) {
		struct rf_gap *gap = &g->open[i];

		if (sequence < gap->first || sequence > gap->last)
			continue;
		if (gap->first == gap->last) {
			gap_remove(g, i);
		} else if (sequence == gap->first) {
			gap->first++;
		} else if (sequence == gap->last) {
			gap->last--;
		} else if (g->n_open < RF_GAP_OPEN_MAX) {
			memmove(&g->open[i + 1], &g->open[i], (g->n_open - i) * sizeof(g->open[0]));
			g->n_open++;
			g->open[i].last = sequence - 1;
			g->open[i + 1].first = sequence + 1;
		}
		return;
	}
	g->late++;
}

void rf_gaps_feed(struct rf_gaps *g, uint64_t sequence, uint64_t time_ns, rf_gap_fn fn, void *arg)
{
	if (sequence < g->next) {
		gap_fill(g, sequence);
		return;
	}
	if (sequence > g->next) {
		if (g->n_open == RF_GAP_OPEN_MAX)
			gap_close(g, 0, fn, arg);
		g->open[g->n_open++] = (struct rf_gap){ .first = g->next,
							.last = sequence - 1,
							.after_time_ns = g->last_time_ns,
							.before_time_ns = time_ns };
	}
	g->next = sequence + 1;
	g->last_time_ns = time_ns;
	while (g->n_open && g->open[0].last + RF_GAP_WINDOW < sequence)
		gap_close(g, 0, fn, arg);
}

/* What was given out before the last flush and has not come by this one went missing, and nothing came after it. */
static void tail_close(struct rf_gaps *g, uint64_t now_ns, rf_gap_fn fn, void *arg)
{
	struct rf_gap gap = {
		.first = g->next, .last = g->given_out, .after_time_ns = g->last_time_ns, .before_time_ns = now_ns
	};

	if (g->given_out < g->next)
		return;
	g->total_gaps++;
	g->total_lost += gap.last - gap.first + 1;
	g->next = gap.last + 1;
	fn(&gap, arg);
}

void rf_gaps_flush(struct rf_gaps *g, uint64_t given_out, uint64_t now_ns, rf_gap_fn fn, void *arg)
{
	for (unsigned int i = 0; i < g->n_open;) {
		if (g->open[i].age++ == 0)
			i++;
		else
			gap_close(g, i, fn, arg);
	}
	tail_close(g, now_ns, fn, arg);
	g->given_out = given_out;
}
