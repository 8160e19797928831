/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which functions of which libraries hand work to an accelerator, and how each
 * is told to the programs that are attached to them. Names as the vendors'
 * documentation has them: CUDA driver and runtime API, HIP, OpenCL.
 */
#ifndef RF_MODEL_CALLS_H
#define RF_MODEL_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ringfence/call_map.h"

const char *rf_call_kind_name(unsigned int kind); /* "launch" */

/*
 * The cookie of the function @name; 0: it is none of ours. Versions and variants of a function are that function:
 * cuLaunchKernel_ptsz, cuMemcpyHtoD_v2, cudaMemcpy_ptds.
 */
uint64_t rf_call_cookie(const char *name);
/* Each name as it stands in the list, without versions; a negative value of @fn ends it. */
int rf_call_names_each(int (*fn)(const char *name, uint64_t cookie, void *arg), void *arg);

/* What @path is by its name: may it be one of those libraries? */
bool rf_call_is_library(const char *path);
/* Is it one that the program that maps it may have another of linked into itself? */
bool rf_call_is_driver(const char *path);

#endif
