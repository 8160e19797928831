/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the text and the JSON form of an event share. Private to user/model. */
#ifndef RF_MODEL_EVENT_TEXT_H
#define RF_MODEL_EVENT_TEXT_H

#include "user/model/event.h"

/* Longest text of an address, NUL included. */
#define RF_ADDRESS_MAX 46

/* Does the path of an event go on past what was kept? One that just fits is not told apart from one that was cut. */
static inline bool rf_event_path_cut(size_t len)
{
	return len >= RF_PATH_MAX - 1;
}

/* An address of @family in network order as text. */
const char *rf_event_address(unsigned int family, const __u8 addr[16], char buffer[static RF_ADDRESS_MAX]);
const char *rf_event_direction_name(unsigned int direction); /* "egress", "ingress" */
const char *rf_event_tier_name(unsigned int tier);	     /* "enforce", "audit" */

#endif
