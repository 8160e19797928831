/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An identity as JSON and back, for what must know a workload after its cgroup is gone. */
#ifndef RF_MODEL_IDENTITY_JSON_H
#define RF_MODEL_IDENTITY_JSON_H

#include "user/lib/json.h"
#include "user/model/identity.h"

/* One object. What is not known is left out. */
void rf_identity_json(struct rf_json *j, const char *key, const struct rf_identity *id);
/* Members that are not known are passed over. -EBADMSG: no object, or one without a path; -ENOMEM. */
int rf_identity_from_json(const char *text, size_t len, struct rf_identity **ret);

#endif
