/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control command "policy-diff": what two policy sets say of the flows
 * that were recorded, and where they do not say the same. Neither is put in
 * force.
 */
#ifndef RF_DAEMON_POLICY_DIFF_H
#define RF_DAEMON_POLICY_DIFF_H

#include "user/daemon/app.h"
#include "user/daemon/request.h"

/* In the order in which they are told. */
enum rf_flow_change {
	RF_CHANGE_DENIED,     /* passed, and would be denied */
	RF_CHANGE_ALLOWED,    /* was denied, and would pass */
	RF_CHANGE_REPORTED,   /* passed, and would be reported by a policy in mode audit */
	RF_CHANGE_UNREPORTED, /* was reported by one, and would just pass */
	RF_CHANGE_NONE,
	RF_CHANGES
};

enum rf_flow_change rf_flow_change(enum rf_verdict old, enum rf_verdict new);

void rf_policy_diff_run(struct rf_app *app, const struct rf_request *request, struct rf_strbuf *out);

#endif
