/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a selector choose this identity? Pure. */
#ifndef RF_MODEL_SELECTOR_H
#define RF_MODEL_SELECTOR_H

#include <stdbool.h>

#include "user/model/policy.h"

bool rf_selector_match(const struct rf_selector *s, const struct rf_identity *id);
bool rf_policy_selects(const struct rf_policy *p, const struct rf_identity *id);

/*
 * Glob: '*' any run, '?' one byte, "[a-z]" and "[!a-z]" classes, '\' quotes.
 * With @separator ('/' or 0), '*', '?' and classes do not match it, and "**" does.
 * Linear-time backtracking bound: at most O(len(pattern) * len(text)).
 */
bool rf_glob_match(const char *pattern, const char *text, char separator);
/* NULL when valid, else what is wrong (static text). */
const char *rf_glob_check(const char *pattern);

#endif
