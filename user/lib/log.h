/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logging for the daemon and the command line. Libraries return errors and do
 * not log. Lines go to stderr, with a "<N>" priority prefix when stderr is the
 * journal (JOURNAL_STREAM is set).
 */
#ifndef RF_LIB_LOG_H
#define RF_LIB_LOG_H

#include "user/lib/util.h"

enum rf_log_level { RF_LOG_ERR = 3, RF_LOG_WARNING = 4, RF_LOG_NOTICE = 5, RF_LOG_INFO = 6, RF_LOG_DEBUG = 7 };

/* Lines above @max are dropped; RF_LOG_INFO at start. */
void rf_log_set_level(enum rf_log_level max);
/* "err", "warning", "notice", "info", "debug"; -EINVAL otherwise, @ret_level untouched. */
int rf_log_level_parse(const char *name, enum rf_log_level *ret_level);

void rf_log(enum rf_log_level level, const char *fmt, ...) RF_PRINTF(2, 3);

#define rf_err(...)    rf_log(RF_LOG_ERR, __VA_ARGS__)
#define rf_warn(...)   rf_log(RF_LOG_WARNING, __VA_ARGS__)
#define rf_notice(...) rf_log(RF_LOG_NOTICE, __VA_ARGS__)
#define rf_info(...)   rf_log(RF_LOG_INFO, __VA_ARGS__)
#define rf_debug(...)  rf_log(RF_LOG_DEBUG, __VA_ARGS__)

/* Logs at err with ": strerror(-r)" appended and returns r (a negative errno). */
int rf_err_r(int r, const char *fmt, ...) RF_PRINTF(2, 3);

#endif
