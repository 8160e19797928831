/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon and its children (ringfence-gpu, and those of its own) take of the host. */
#ifndef RF_DAEMON_COST_H
#define RF_DAEMON_COST_H

#include "user/model/snapshot.h"

/* cpu_s, rss_bytes, open_fds and those of the children; RF_UNKNOWN and NaN where the kernel does not tell. */
void rf_cost_fill(struct rf_snapshot *s);

#endif
