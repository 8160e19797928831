/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The self-test of what keeps workloads apart: the probe acts on a child and on things of its own. */
#ifndef RF_ENGINE_FIRE_ISOLATION_H
#define RF_ENGINE_FIRE_ISOLATION_H

/* In the self-test's child. What it makes is gone when it returns. */
void rf_fire_isolation(void);

#endif
