// SPDX-License-Identifier: GPL-2.0-or-later
/* ADDR:PORT/PROTO, or ADDR/icmp/TYPE/CODE, as a user writes it. */
#include "user/cli/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "ringfence/policy_map.h"
#include "user/model/icmp.h"

static int wrong(struct rf_strbuf *error, const char *what)
{
	rf_strbuf_addf(error, "%s; write ADDR:PORT/PROTO, as in 192.0.2.1:443/tcp or [2001:db8::1]:53/udp", what);
	return -EINVAL;
}

/* "echo-request", "3/4": what follows "icmp/". Without it the message is the one that ping sends. */
static int parse_icmp(char *text, struct rf_endpoint *e, struct rf_strbuf *error)
{
	unsigned int protocol = rf_streq(e->protocol, "icmp") ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	char *slash = text ? strchr(text, '/') : NULL;
	uint8_t type, code = 0;

	if (slash)
		*slash = '\0';
	if (rf_icmp_type_parse(protocol, text ? text : "echo-request", &type) < 0 ||
	    (slash && rf_icmp_code_parse(protocol, type, slash + 1, &code) < 0)) {
		rf_strbuf_addf(error,
			       "%s has no such %s; write ADDR/%s/TYPE or ADDR/%s/TYPE/CODE with numbers or names: ",
			       e->protocol, slash ? "type and code" : "type", e->protocol, e->protocol);
		rf_icmp_types_list(error, protocol);
		return -EINVAL;
	}
	e->port = RF_ICMP_PORT(type, code);
	return 0;
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
	char copy[128], *slash, *message = NULL, *address, *port;
	bool icmp;

	if (strlen(text) >= sizeof(copy))
		return wrong(error, "that is too long for an endpoint");
	memcpy(copy, text, strlen(text) + 1);
	slash = strchr(copy, '/');
	if (slash) {
		*slash = '\0';
		message = rf_strprefix(slash + 1, "icmp") ? strchr(slash + 1, '/') : NULL;
		if (message)
			*message++ = '\0';
		if (parse_protocol(slash + 1, &e) < 0)
			return wrong(error, "the protocol is none of tcp, udp, sctp, icmp, icmpv6");
	}
	icmp = rf_strprefix(e.protocol, "icmp");
	if (split(copy, &address, &port) < 0 || !is_address(address) || strlen(address) >= sizeof(e.address))
		return wrong(error, "there is no IPv4 or IPv6 address in it");
	if (icmp && port)
		return wrong(error, "ICMP has no ports");
	if (icmp && parse_icmp(message, &e, error) < 0)
		return -EINVAL;
	if (!icmp && !port)
		return wrong(error, "the port is missing");
	if (port && parse_port(port, &e.port) < 0)
		return wrong(error, "the port is no number from 0 to 65535");
	memcpy(e.address, address, strlen(address) + 1);
	*ret = e;
	return 0;
}
