/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which accelerators a host has, from sysfs and procfs alone: no node is opened,
 * so that none is woken.
 */
#ifndef RF_COLLECT_ACCELERATOR_SCAN_H
#define RF_COLLECT_ACCELERATOR_SCAN_H

#include "user/model/accelerator.h"

/* @sys, @proc: "/sys" and "/proc". What cannot be read is not there; -ENOMEM alone is an error. */
int rf_accelerators_scan(const char *sys, const char *proc, struct rf_accelerators *ret);

#endif
