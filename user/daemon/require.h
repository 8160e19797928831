/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does this host have what each policy asks for? */
#ifndef RF_DAEMON_REQUIRE_H
#define RF_DAEMON_REQUIRE_H

#include "user/daemon/sources.h"
#include "user/engine/engine.h"
#include "user/policy/diag.h"

/*
 * -EOPNOTSUPP with a diagnostic for each section that this host cannot enforce. A policy with ifUnsupported: audit is
 * put in mode audit as a whole instead, with a warning: half of a policy may allow what the other half was there to
 * deny.
 */
int rf_require_check(const struct rf_engine *e, struct rf_policy_set *set, const struct rf_sources *sources,
		     struct rf_diags *diags);

/*
 * A warning for each rule of accelerators that matches none of @known: devices come and go, and it may be a slip; and
 * for each quota of which NVIDIA's driver keeps nothing but the memory.
 */
void rf_require_accelerators(const struct rf_accelerators *known, const struct rf_policy_set *set,
			     const struct rf_sources *sources, struct rf_diags *diags);

#endif
