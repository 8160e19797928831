/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ADDR:PORT/PROTO, or ADDR/icmp/TYPE/CODE, as a user writes it. Pure. */
#ifndef RF_CLI_ENDPOINT_H
#define RF_CLI_ENDPOINT_H

#include <stdint.h>

#include "user/lib/strbuf.h"

struct rf_endpoint {
	char address[64]; /* as written, a valid IPv4 or IPv6 address */
	uint16_t port;	  /* RF_ICMP_PORT() for ICMP */
	char protocol[8]; /* "tcp", "udp", "sctp", "icmp", "icmpv6" */
};

/*
 * "192.0.2.1:443/tcp", "[2001:db8::1]:53/udp", "192.0.2.1/icmp/echo-request", "[2001:db8::1]/icmpv6/1/4" (brackets may
 * be left out where no port follows). Without "/PROTO" it is TCP; ICMP without a type is an echo request, and without a
 * code has code 0. -EINVAL with what is wrong in @error.
 */
int rf_endpoint_parse(const char *text, struct rf_endpoint *ret, struct rf_strbuf *error);

#endif
