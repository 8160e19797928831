/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks in nanoseconds, and times as text. */
#ifndef RF_LIB_CLOCK_H
#define RF_LIB_CLOCK_H

#include <stdint.h>

#include "user/lib/strbuf.h"

#define RF_NSEC_PER_SEC	 1000000000ULL
#define RF_NSEC_PER_MSEC 1000000ULL
#define RF_NSEC_PER_USEC 1000ULL

uint64_t rf_clock_boot(void);	   /* CLOCK_BOOTTIME, the clock of events */
uint64_t rf_clock_monotonic(void); /* CLOCK_MONOTONIC */
uint64_t rf_clock_real(void);	   /* CLOCK_REALTIME */
uint64_t rf_clock_boot_to_real(uint64_t boot_ns);

/* RFC 3339 in UTC with milliseconds: 2026-11-21T04:30:48.123Z. */
void rf_clock_format(struct rf_strbuf *out, uint64_t real_ns);

/*
 * "500ms", "60s", "10m", "1h", "7d"; a bare number is refused. -EINVAL, or
 * -ERANGE past @max_ns; @ret_ns untouched.
 */
int rf_duration_parse(const char *s, uint64_t max_ns, uint64_t *ret_ns);

#endif
