// SPDX-License-Identifier: GPL-2.0-or-later
/* The names are IANA's; what people write besides them comes after, and is understood but never shown. */
#include "user/model/icmp.h"

#include <errno.h>
#include <netinet/in.h>
#include <strings.h>

#include "ringfence/policy_map.h"

struct number_name {
	uint8_t protocol;
	int16_t type;
	int16_t code; /* -1: the name is of the type */
	const char *name;
};

#define TYPE4(type, name)	{ IPPROTO_ICMP, type, -1, name }
#define CODE4(type, code, name) { IPPROTO_ICMP, type, code, name }
#define TYPE6(type, name)	{ IPPROTO_ICMPV6, type, -1, name }
#define CODE6(type, code, name) { IPPROTO_ICMPV6, type, code, name }

static const struct number_name names[] = {
	TYPE4(0, "echo-reply"),
	TYPE4(3, "destination-unreachable"),
	CODE4(3, 0, "net-unreachable"),
	CODE4(3, 1, "host-unreachable"),
	CODE4(3, 2, "protocol-unreachable"),
	CODE4(3, 3, "port-unreachable"),
	CODE4(3, 4, "fragmentation-needed"),
	CODE4(3, 5, "source-route-failed"),
	CODE4(3, 6, "destination-network-unknown"),
	CODE4(3, 7, "destination-host-unknown"),
	CODE4(3, 9, "network-prohibited"),
	CODE4(3, 10, "host-prohibited"),
	CODE4(3, 13, "communication-prohibited"),
	TYPE4(4, "source-quench"),
	TYPE4(5, "redirect"),
	CODE4(5, 0, "network-redirect"),
	CODE4(5, 1, "host-redirect"),
	TYPE4(8, "echo-request"),
	TYPE4(9, "router-advertisement"),
	TYPE4(10, "router-solicitation"),
	TYPE4(11, "time-exceeded"),
	CODE4(11, 0, "ttl-exceeded"),
	CODE4(11, 1, "reassembly-time-exceeded"),
	TYPE4(12, "parameter-problem"),
	TYPE4(13, "timestamp"),
	TYPE4(14, "timestamp-reply"),
	TYPE4(42, "extended-echo-request"),
	TYPE4(43, "extended-echo-reply"),
	TYPE6(1, "destination-unreachable"),
	CODE6(1, 0, "no-route"),
	CODE6(1, 1, "communication-prohibited"),
	CODE6(1, 2, "beyond-scope"),
	CODE6(1, 3, "address-unreachable"),
	CODE6(1, 4, "port-unreachable"),
	CODE6(1, 5, "source-policy-failed"),
	CODE6(1, 6, "reject-route"),
	TYPE6(2, "packet-too-big"),
	TYPE6(3, "time-exceeded"),
	CODE6(3, 0, "hop-limit-exceeded"),
	CODE6(3, 1, "reassembly-time-exceeded"),
	TYPE6(4, "parameter-problem"),
	CODE6(4, 0, "erroneous-header"),
	CODE6(4, 1, "unrecognized-next-header"),
	CODE6(4, 2, "unrecognized-option"),
	TYPE6(128, "echo-request"),
	TYPE6(129, "echo-reply"),
	TYPE6(130, "multicast-listener-query"),
	TYPE6(131, "multicast-listener-report"),
	TYPE6(132, "multicast-listener-done"),
	TYPE6(133, "router-solicitation"),
	TYPE6(134, "router-advertisement"),
	TYPE6(135, "neighbor-solicitation"),
	TYPE6(136, "neighbor-advertisement"),
	TYPE6(137, "redirect"),
	TYPE6(143, "multicast-listener-report-v2"),
	TYPE6(160, "extended-echo-request"),
	TYPE6(161, "extended-echo-reply"),
};

static const struct number_name also[] = {
	TYPE4(8, "echo"),
	TYPE4(13, "timestamp-request"),
	TYPE6(135, "neighbour-solicitation"),
	TYPE6(136, "neighbour-advertisement"),
};

bool rf_protocol_is_icmp(unsigned int protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* A type (@type -1) or a code of @type by its name; -1: it has none. */
static int number_find(const struct number_name *table, size_t n, unsigned int protocol, int type, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		const struct number_name *row = &table[i];

		if (row->protocol != protocol || (type < 0) != (row->code < 0) || (type >= 0 && row->type != type))
			continue;
		if (strcasecmp(row->name, name) == 0)
			return type < 0 ? row->type : row->code;
	}
	return -1;
}

static const char *name_find(unsigned int protocol, int type, int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].protocol == protocol && names[i].type == type && names[i].code == code)
			return names[i].name;
	return NULL;
}

/* Decimal without leading zeros, as everywhere in the language. */
static int number_parse(const char *text, unsigned int max, uint8_t *ret)
{
	unsigned int value = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (const char *s = text; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		if (value <= max)
			value = value * 10 + (unsigned int)(*s - '0');
	}
	if (value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

static int parse(unsigned int protocol, int type, const char *text, unsigned int max, uint8_t *ret)
{
	int found = number_find(names, ARRAY_SIZE(names), protocol, type, text);

	if (found < 0)
		found = number_find(also, ARRAY_SIZE(also), protocol, type, text);
	if (found < 0)
		return number_parse(text, max, ret);
	*ret = found;
	return 0;
}

int rf_icmp_type_parse(unsigned int protocol, const char *text, uint8_t *ret)
{
	return parse(protocol, -1, text, RF_ICMP_TYPE_MAX, ret);
}

int rf_icmp_code_parse(unsigned int protocol, uint8_t type, const char *text, uint8_t *ret)
{
	return parse(protocol, type, text, UINT8_MAX, ret);
}

static void list(struct rf_strbuf *out, unsigned int protocol, int type)
{
	const char *separator = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].protocol != protocol || (type < 0) != (names[i].code < 0) ||
		    (type >= 0 && names[i].type != type))
			continue;
		rf_strbuf_addf(out, "%s%s", separator, names[i].name);
		separator = ", ";
	}
}

void rf_icmp_types_list(struct rf_strbuf *out, unsigned int protocol)
{
	list(out, protocol, -1);
}

void rf_icmp_codes_list(struct rf_strbuf *out, unsigned int protocol, uint8_t type)
{
	list(out, protocol, type);
}

static void add_part(struct rf_strbuf *out, const char *name, unsigned int number)
{
	if (name)
		rf_strbuf_addf(out, "/%s", name);
	else
		rf_strbuf_addf(out, "/%u", number);
}

void rf_icmp_add(struct rf_strbuf *out, unsigned int protocol, uint16_t first, uint16_t last)
{
	unsigned int type = first >> 8, code = first & UINT8_MAX;
	const char *name;

	if (first == RF_ICMP_UNREAD)
		return;
	add_part(out, name_find(protocol, type, -1), type);
	if (first != last)
		return;
	name = name_find(protocol, type, code);
	if (code || name)
		add_part(out, name, code);
}
