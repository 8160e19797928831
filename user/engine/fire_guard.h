/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hooks of the lock, fired by the self-test's child on things of its own. See fire.h. */
#ifndef RF_ENGINE_FIRE_GUARD_H
#define RF_ENGINE_FIRE_GUARD_H

void rf_fire_guard(int cgroup_fd);

#endif
