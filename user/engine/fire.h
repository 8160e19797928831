/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every hook must be reached once by the self-test's child, harmlessly: a denial of the host's own, or a missing right,
 * is no failure, and what is not reached is told of as not running.
 */
#ifndef RF_ENGINE_FIRE_H
#define RF_ENGINE_FIRE_H

/* In the child, whose cgroup is open at @cgroup_fd. Ends the process. */
_Noreturn void rf_self_test_fire(int cgroup_fd);

#endif
