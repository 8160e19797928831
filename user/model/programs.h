/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of what is said of programs: as events show them. Total. */
#ifndef RF_MODEL_PROGRAMS_H
#define RF_MODEL_PROGRAMS_H

#include "ringfence/exec_map.h"

const char *rf_exec_role_name(unsigned int role);     /* "program", "interpreter", "library"; "unknown" */
const char *rf_exec_reason_name(unsigned int reason); /* "memfd", "drift", "rule", "default", "unreadable"; "unknown" */

#endif
