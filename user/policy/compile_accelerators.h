/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accelerator rules on the devices of a host: what they say of one device node.
 * compile_device.c folds it into the device sets.
 */
#ifndef RF_POLICY_COMPILE_ACCELERATORS_H
#define RF_POLICY_COMPILE_ACCELERATORS_H

#include "user/lib/strbuf.h"
#include "user/model/policy.h"

/* Of the policies of a tier that have the section, in merge order. */
struct rf_accelerator_rules {
	const struct rf_accelerator_rule **rules; /* borrowed */
	uint32_t n;
	enum rf_action dflt;
	const struct rf_accelerators *known; /* NULL: none are */
};

/*
 * The RF_DEVICE_* bits that @r allows on the node; @ret_rule: for each bit the rule that decided, or
 * RF_RULE_ACCELERATOR_DEFAULT. False: it is no accelerator's, and they have nothing to say.
 */
bool rf_accelerator_judge(const struct rf_accelerator_rules *r, uint32_t major, uint32_t minor, uint16_t *ret_allow,
			  uint16_t ret_rule[RF_DEVICE_BITS]);

/* True: @rule matches no accelerator that is known, and @ret has what it is about: "class amd, index 3". */
bool rf_accelerator_rule_is_idle(const struct rf_accelerator_rule *rule, const struct rf_accelerators *known,
				 struct rf_strbuf *ret);

#endif
