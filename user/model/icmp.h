/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types and codes of ICMP and ICMPv6: numbers, and the names of IANA's registries in lower case with '-'. Where rules,
 * flows and events have a port, those of ICMP have RF_ICMP_PORT(type, code). Pure.
 */
#ifndef RF_MODEL_ICMP_H
#define RF_MODEL_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include "user/lib/strbuf.h"

bool rf_protocol_is_icmp(unsigned int protocol);

/*
 * A number, or a name that @protocol has, upper or lower case. 0; -EINVAL: neither; -ERANGE: a number that is none of
 * a type (0 to RF_ICMP_TYPE_MAX) or code (0 to 255). Codes have names under the types that have several.
 */
int rf_icmp_type_parse(unsigned int protocol, const char *text, uint8_t *ret);
int rf_icmp_code_parse(unsigned int protocol, uint8_t type, const char *text, uint8_t *ret);

/* "echo-reply, destination-unreachable, ...": the names of types, or of the codes of a type (there may be none). */
void rf_icmp_types_list(struct rf_strbuf *out, unsigned int protocol);
void rf_icmp_codes_list(struct rf_strbuf *out, unsigned int protocol, uint8_t type);

/*
 * Adds "/echo-request", "/destination-unreachable/fragmentation-needed", "/200/1"; of a range of one type "/3", or its
 * name; nothing where @first is RF_ICMP_UNREAD. A code 0 is left out where the type has no names for codes.
 */
void rf_icmp_add(struct rf_strbuf *out, unsigned int protocol, uint16_t first, uint16_t last);

#endif
