/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes MaxMind databases for tests: small ones, by MaxMind-DB-spec.md 2.0, independent of libmaxminddb. */
#ifndef RF_TESTS_COLLECT_MMDB_WRITE_H
#define RF_TESTS_COLLECT_MMDB_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/model/policy.h"

struct mmdb_network {
	struct rf_cidr cidr;
	char country[3];    /* "": the record has no country */
	char registered[3]; /* "": nor a registered_country */
};

struct mmdb_options {
	unsigned int record_size; /* 24, 28, 32 */
	unsigned int ip_version;  /* 4, 6 */
	bool aliases;		  /* ::ffff:0:0/96, 2001::/32 and 2002::/16 lead to ::/96, as MaxMind does it */
	uint64_t build_epoch;
	const char *type;
};

extern const struct mmdb_options mmdb_options_default; /* 28 bits, IPv6, with aliases */

/* In any order: of two networks that overlap the longer prefix has the address, of two equal ones the later. */
int mmdb_make(const struct mmdb_options *options, const struct mmdb_network *networks, size_t n, uint8_t **ret_data,
	      size_t *ret_size);
int mmdb_write(const char *path, const struct mmdb_options *options, const struct mmdb_network *networks, size_t n);
/* "10.0.0.0/8=DE"; "=DE/FR" for a registered country besides, "=/FR" for that alone, "=" for a record without any. */
int mmdb_network_parse(const char *text, struct mmdb_network *ret);

#endif
