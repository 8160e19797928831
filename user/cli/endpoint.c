// SPDX-License-Identifier: GPL-2.0-or-later
/* ADDR:PORT/PROTO as a user writes it. */
#include "user/cli/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>

static int wrong(struct rf_strbuf *error, const char *what)
{
	rf_strbuf_addf(error, "%s; write ADDR:PORT/PROTO, as in 192.0.2.1:443/tcp or [2001:db8::1]:53/udp", what);
	return -EINVAL;
}

static int parse_protocol(const char *text, struct rf_endpoint *e)
{
	static const char *const names[] = { "tcp", "udp", "sctp", "icmp", "icmpv6" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (rf_streq(text, names[i])) {
			memcpy(e->protocol, names[i], strlen(names[i]) + 1);
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_port(const char *text, uint16_t *ret)
{
	unsigned long n = 0;

	if (!*text || strlen(text) > 5)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		n = n * 10 + (unsigned long)(*text - '0');
	}
	if (n > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)n;
	return 0;
}

static bool is_address(const char *text)
{
	unsigned char address[16];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* Splits "ADDR", "ADDR:PORT", "[ADDR]", "[ADDR]:PORT" in place. *ret_port NULL: none. */
static int split(char *text, char **ret_address, char **ret_port)
{
	char *colon = strrchr(text, ':'), *bracket;

	*ret_port = NULL;
	if (*text == '[') {
		bracket = strchr(text, ']');
		if (!bracket || (bracket[1] && bracket[1] != ':'))
			return -EINVAL;
		*bracket = '\0';
		*ret_address = text + 1;
		if (bracket[1])
			*ret_port = bracket + 2;
		return 0;
	}
	*ret_address = text;
	/* more than one colon: a bare IPv6 address */
	if (colon && strchr(text, ':') == colon) {
		*colon = '\0';
		*ret_port = colon + 1;
	}
	return 0;
}

int rf_endpoint_parse(const char *text, struct rf_endpoint *ret, struct rf_strbuf *error)
{
	struct rf_endpoint e = { .protocol = "tcp" };
	char copy[128], *slash, *address, *port;
	bool icmp;

	if (strlen(text) >= sizeof(copy))
		return wrong(error, "that is too long for an endpoint");
	memcpy(copy, text, strlen(text) + 1);
	slash = strchr(copy, '/');
	if (slash) {
		*slash = '\0';
		if (parse_protocol(slash + 1, &e) < 0)
			return wrong(error, "the protocol is none of tcp, udp, sctp, icmp, icmpv6");
	}
	icmp = rf_strprefix(e.protocol, "icmp");
	if (split(copy, &address, &port) < 0 || !is_address(address) || strlen(address) >= sizeof(e.address))
		return wrong(error, "there is no IPv4 or IPv6 address in it");
	if (icmp && port)
		return wrong(error, "ICMP has no ports");
	if (!icmp && !port)
		return wrong(error, "the port is missing");
	if (port && parse_port(port, &e.port) < 0)
		return wrong(error, "the port is no number from 0 to 65535");
	memcpy(e.address, address, strlen(address) + 1);
	*ret = e;
	return 0;
}
