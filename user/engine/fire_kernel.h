/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The self-test's part that asks for the kernel's surface. */
#ifndef RF_ENGINE_FIRE_KERNEL_H
#define RF_ENGINE_FIRE_KERNEL_H

/* In the child that is in the self-test's cgroup. Nothing of the host is changed: each request is one that the kernel
 * refuses after it has asked its hooks, or is undone with a namespace of its own. */
void rf_kernel_fire(void);

#endif
