/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prefixes of IPv4 addresses, IPv6 addresses and (protocol, port) in one form:
 * up to 128 bits, first bit highest, bits past the length zero. Ordered by
 * (bits, length), so that a prefix comes right before all that lies inside it.
 */
#ifndef RF_POLICY_PREFIX_H
#define RF_POLICY_PREFIX_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define RF_PREFIX_MAX 128

struct rf_prefix {
	uint64_t high;
	uint64_t low;
	uint8_t length;
};

static inline struct rf_prefix rf_prefix_mask(struct rf_prefix p, uint8_t length)
{
	p.high &= length == 0 ? 0 : length >= 64 ? UINT64_MAX : UINT64_MAX << (64 - length);
	p.low &= length <= 64 ? 0 : length >= 128 ? UINT64_MAX : UINT64_MAX << (128 - length);
	p.length = length;
	return p;
}

/* @addr in network order, 4 or 16 bytes by @family. */
static inline struct rf_prefix rf_prefix_address(uint8_t family, const uint8_t *addr, uint8_t length)
{
	struct rf_prefix p = { 0 };
	uint32_t word;

	if (family == AF_INET6) {
		memcpy(&p.high, addr, 8);
		memcpy(&p.low, addr + 8, 8);
		p.high = be64toh(p.high);
		p.low = be64toh(p.low);
	} else {
		memcpy(&word, addr, 4);
		p.high = (uint64_t)be32toh(word) << 32;
	}
	return rf_prefix_mask(p, length);
}

/* The first @length bits of the protocol's 8 and the port's 16. */
static inline struct rf_prefix rf_prefix_port(uint8_t protocol, uint16_t port, uint8_t length)
{
	struct rf_prefix p = { .high = (uint64_t)protocol << 56 | (uint64_t)port << 40 };

	return rf_prefix_mask(p, length);
}

static inline int rf_prefix_compare(const struct rf_prefix *a, const struct rf_prefix *b)
{
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return (int)a->length - (int)b->length;
}

/* Leading bits that two prefixes share, up to the shorter one's length. */
static inline uint8_t rf_prefix_common(const struct rf_prefix *a, const struct rf_prefix *b)
{
	uint64_t high = a->high ^ b->high, low = a->low ^ b->low;
	uint8_t limit = a->length < b->length ? a->length : b->length;
	int common = high ? __builtin_clzll(high) : low ? 64 + __builtin_clzll(low) : RF_PREFIX_MAX;

	return common < limit ? common : limit;
}

static inline bool rf_prefix_contains(const struct rf_prefix *outer, const struct rf_prefix *inner)
{
	return outer->length <= inner->length && rf_prefix_common(outer, inner) == outer->length;
}

#endif
