/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accelerators that a workload holds and does not use: what its counters were
 * from look to look says since when, and where its own processes wait says
 * why. Pure: the caller brings samples, and keeps the state.
 */
#ifndef RF_DETECT_ACCELERATOR_HOLD_H
#define RF_DETECT_ACCELERATOR_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "user/lib/clock.h"
#include "user/model/snapshot.h"

/* Loading a model, a checkpoint or a compilation takes minutes at times: not what is meant. */
#define RF_HOLD_IDLE_NS		(300 * RF_NSEC_PER_SEC)
/* Shorter, and a single slow batch would be told. */
#define RF_HOLD_WINDOW_NS	(60 * RF_NSEC_PER_SEC)
/* Of the window: of the device less than half, while processes stood still for more than a third. */
#define RF_HOLD_BUSY_PERCENT	50
#define RF_HOLD_STALLED_PERCENT 33
/* Of looks in a window; fewer are chance. */
#define RF_HOLD_NETWORK_WAITS	4

/* At one time, of one workload and device. What is not known is RF_UNKNOWN. */
struct rf_hold_sample {
	uint64_t now_ns;
	uint64_t files;				/* open */
	uint64_t holders;			/* of them that some process has */
	uint64_t under_way;			/* jobs */
	uint64_t work;				/* whatever grows with it: jobs, time, cycles */
	uint64_t busy_ns;			/* device time */
	uint64_t cpu_stalled_ns, io_stalled_ns; /* that some task of the workload waited for a processor, for IO */
	uint64_t network_looks,
		network_waits; /* times its processes were looked at so far, and waited for the network */
};

/* X(enum suffix, name, what it means) */
#define RF_HOLD_FINDINGS(X)                                                             \
	X(NONE, "", "")                                                                 \
	X(IDLE, "idle", "held, and nothing done")                                       \
	X(NO_PROCESS, "no-process", "held by no process, and nothing done")             \
	X(CPU, "waits-for-cpu", "its processes wait for processors more than it works") \
	X(IO, "waits-for-io", "its processes wait for IO more than it works")           \
	X(NETWORK, "waits-for-network", "its processes wait for other hosts more than it works")

enum rf_hold_finding {
#define X(id, name, help) RF_HOLD_##id,
	RF_HOLD_FINDINGS(X)
#undef X
		RF_HOLD_FINDING_COUNT
};

struct rf_hold {
	struct rf_hold_sample window; /* at its beginning */
	uint64_t work;
	uint64_t work_ns;	      /* when work was seen last, or the device was opened */
	enum rf_hold_finding starved; /* of the last window */
	enum rf_hold_finding finding;
	uint64_t since_ns; /* of the finding */
	bool begun;
};

/* The first sample begins; one without open files ends what was. */
void rf_hold_step(struct rf_hold *h, const struct rf_hold_sample *s);
/* For how long it has been held without work; 0 while there is, or where it is not held. */
uint64_t rf_hold_idle_ns(const struct rf_hold *h, uint64_t now_ns);
const char *rf_hold_finding_name(enum rf_hold_finding f); /* "idle"; "" */

#endif
