/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy reference, Documentation/policy-reference.md, from the schema. */
#ifndef RF_POLICY_REFERENCE_H
#define RF_POLICY_REFERENCE_H

#include "user/lib/strbuf.h"

int rf_policy_reference(struct rf_strbuf *out);

#endif
