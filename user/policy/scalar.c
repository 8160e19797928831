// SPDX-License-Identifier: GPL-2.0-or-later
/* Scalars of the language. Total functions over any text. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>

#include "user/policy/check.h"

int rf_scalar_integer(const char *text, int64_t *ret)
{
	long long value;
	char *end;

	/* Decimal only: no octal, no leading zeros, no spaces. */
	if (!(text[0] >= '0' && text[0] <= '9') && !(text[0] == '-' && text[1] >= '0' && text[1] <= '9'))
		return -EINVAL;
	if (text[0] == '0' && text[1])
		return -EINVAL;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || *end)
		return -EINVAL;
	*ret = value;
	return 0;
}

int rf_scalar_boolean(const char *text, bool *ret)
{
	if (!rf_streq(text, "true") && !rf_streq(text, "false"))
		return -EINVAL;
	*ret = text[0] == 't';
	return 0;
}

static int quantity_scale(const char *suffix, uint64_t *ret_times, uint64_t *ret_over)
{
	static const struct {
		const char *suffix;
		uint64_t times, over;
	} scales[] = {
		{ "", 1, 1 },
		{ "m", 1, 1000 },
		{ "k", 1000, 1 },
		{ "M", 1000000, 1 },
		{ "G", 1000000000, 1 },
		{ "T", 1000000000000, 1 },
		{ "Ki", 1ULL << 10, 1 },
		{ "Mi", 1ULL << 20, 1 },
		{ "Gi", 1ULL << 30, 1 },
		{ "Ti", 1ULL << 40, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(scales); i++) {
		if (!rf_streq(suffix, scales[i].suffix))
			continue;
		*ret_times = scales[i].times;
		*ret_over = scales[i].over;
		return 0;
	}
	return -EINVAL;
}

int rf_scalar_quantity(const char *text, uint64_t *ret)
{
	size_t whole = strspn(text, "0123456789"), fraction = 0;
	uint64_t times, over, divisor = 1;
	unsigned __int128 value = 0;
	const char *suffix = text + whole;

	if (!whole)
		return -EINVAL;
	if (*suffix == '.') {
		fraction = strspn(suffix + 1, "0123456789");
		suffix += fraction + 1;
		if (!fraction)
			return -EINVAL;
	}
	if (quantity_scale(suffix, &times, &over) < 0)
		return -EINVAL;
	if (whole > 15 || fraction > 9)
		return -ERANGE;
	for (const char *s = text; s < suffix; s++) {
		if (*s == '.')
			continue;
		value = value * 10 + (*s - '0');
		if (s > text + whole)
			divisor *= 10;
	}
	value = value * times / over / divisor;
	if (value > UINT64_MAX)
		return -ERANGE;
	*ret = value;
	return 0;
}

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* Clears what lies past the prefix; true when something did. */
static bool host_bits_clear(uint8_t *addr, unsigned int bytes, unsigned int prefix)
{
	bool found = false;

	for (unsigned int i = 0; i < bytes; i++) {
		unsigned int bits = prefix > i * 8 ? MIN(prefix - i * 8, 8u) : 0;
		uint8_t mask = bits ? 0xff << (8 - bits) : 0;

		found |= addr[i] & ~mask;
		addr[i] &= mask;
	}
	return found;
}

int rf_scalar_cidr(const char *text, struct rf_cidr *ret)
{
	struct rf_cidr cidr = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };
	unsigned int bits = cidr.family == AF_INET ? 32 : 128;
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	int64_t prefix = bits;
	bool host_bits;
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(cidr.family, address, cidr.addr) != 1)
		return -EINVAL;
	if (slash && (rf_scalar_integer(slash + 1, &prefix) < 0 || prefix < 0 || prefix > bits))
		return -EINVAL;
	cidr.prefix = prefix;
	host_bits = host_bits_clear(cidr.addr, bits / 8, prefix);
	/* ::ffff:a.b.c.d is the IPv4 address: packets are judged as IPv4. */
	if (cidr.family == AF_INET6 && prefix >= 96 && memcmp(cidr.addr, mapped_prefix, 12) == 0) {
		cidr.family = AF_INET;
		cidr.prefix -= 96;
		memmove(cidr.addr, cidr.addr + 12, 4);
		memset(cidr.addr + 4, 0, 12);
	}
	if (host_bits) {
		*ret = cidr;
		return -ERANGE;
	}
	*ret = cidr;
	return 0;
}

void rf_cidr_format(const struct rf_cidr *cidr, char text[static 64])
{
	char address[INET6_ADDRSTRLEN] = "?";

	inet_ntop(cidr->family, cidr->addr, address, sizeof(address));
	snprintf(text, 64, "%s/%u", address, cidr->prefix);
}

bool rf_cidr_contains(const struct rf_cidr *outer, const struct rf_cidr *inner)
{
	struct rf_cidr cut = *inner;

	if (outer->family != inner->family || outer->prefix > inner->prefix)
		return false;
	host_bits_clear(cut.addr, 16, outer->prefix);
	return memcmp(cut.addr, outer->addr, 16) == 0;
}
