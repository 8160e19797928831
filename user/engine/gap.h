/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the gaps in a lane's sequence. Pure.
 *
 * CPUs may put neighbouring numbers on the ring in the wrong order, so a jump
 * is not yet a loss: it stays open until RF_GAP_WINDOW later numbers have come
 * or the lane has been quiet for a flush, and shrinks when a late one arrives.
 * Numbers that were given out and that nothing came after are missed at a flush.
 */
#ifndef RF_ENGINE_GAP_H
#define RF_ENGINE_GAP_H

#include <stdint.h>

#define RF_GAP_WINDOW	512 /* more than there are CPUs to be late on one number each */
#define RF_GAP_OPEN_MAX 64

struct rf_gap {
	uint64_t first, last;	/* missing numbers, both included */
	uint64_t after_time_ns; /* of the event before the gap; 0: none */
	uint64_t before_time_ns;
	unsigned int age; /* flushes survived */
};

struct rf_gaps {
	uint64_t next; /* one past the highest number seen; 0: nothing seen yet */
	uint64_t last_time_ns;
	uint64_t given_out;		     /* the highest number that anything had at the last flush */
	struct rf_gap open[RF_GAP_OPEN_MAX]; /* ascending */
	unsigned int n_open;
	uint64_t total_gaps, total_lost, late; /* late: came after its gap was written down */
};

typedef void (*rf_gap_fn)(const struct rf_gap *gap, void *arg);

/* Start after number @last, which is taken as seen (0: from the first). */
void rf_gaps_init(struct rf_gaps *g, uint64_t last);
void rf_gaps_feed(struct rf_gaps *g, uint64_t sequence, uint64_t time_ns, rf_gap_fn fn, void *arg);
/*
 * Call about once a second, when the ring was read empty: gaps that survived one flush are written down. @given_out is
 * the highest number that the kernel has given to anything.
 */
void rf_gaps_flush(struct rf_gaps *g, uint64_t given_out, uint64_t now_ns, rf_gap_fn fn, void *arg);

#endif
