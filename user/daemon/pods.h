/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pods that no policy selects may use no accelerator, unless the daemon was
 * told otherwise: they are all one workload of the kernel's, RF_WORKLOAD_PODS,
 * with a policy of its own that says no more than this. On a host without
 * accelerators they are nobody's, as ever.
 */
#ifndef RF_DAEMON_PODS_H
#define RF_DAEMON_PODS_H

#include "user/daemon/registry.h"

#define RF_PODS_NAME "(pods-without-a-policy)" /* in place of a workload's */

/* Is that so here, with the accelerators that there are now? */
bool rf_pods_are_closed(const struct rf_registry *r);
/* What is in force for them, of the host's accelerators now; its rules are named "built-in". */
int rf_pods_compile(const struct rf_registry *r, struct rf_image **ret);

#endif
