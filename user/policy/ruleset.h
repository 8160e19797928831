/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the compiler and the image share, and nobody else needs. */
#ifndef RF_POLICY_RULESET_H
#define RF_POLICY_RULESET_H

#include "user/policy/compile.h"

uint64_t rf_ruleset_image_digest(const struct rf_ruleset_image *image); /* never 0 */

#endif
