/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which addresses a country has, from a database file in MaxMind's format. The
 * one owner of libmaxminddb. Asked when policies are compiled, never for a
 * packet: what comes out goes into LPM maps.
 *
 * A country is what a record has as country.iso_code, or, only in a record
 * without "country", as registered_country.iso_code. IPv4 is what lies under
 * ::/96, where the library looks as well; the copies of it that a database
 * offers elsewhere (::ffff:0:0/96, 2002::/16, 2001::/32) are left out.
 */
#ifndef RF_COLLECT_GEO_H
#define RF_COLLECT_GEO_H

#include <stddef.h>
#include <stdint.h>

#include "ringfence/limits.h"
#include "user/lib/cleanup.h"
#include "user/model/policy.h"

#define RF_GEO_FILE_MAX	    (512 * 1024 * 1024)		    /* bytes; city databases have about a tenth of it */
#define RF_GEO_PREFIXES_MAX (RF_MAX_PEERS4 + RF_MAX_PEERS6) /* of one answer: more fit into no map */

struct rf_geo;

/*
 * Reads and checks all of @path, and keeps a copy of its own: a file that is replaced or cut short later changes
 * nothing. -ENOENT and what else open() says; -EINVAL: no regular file, not in MaxMind's format, damaged, or without a
 * country in any record; -EFBIG past RF_GEO_FILE_MAX. @ret_error says what, where, and what to do.
 */
int rf_geo_open(const char *path, struct rf_geo **ret, char **ret_error);
void rf_geo_free(struct rf_geo *g);
RF_DEFINE_CLEANUP(struct rf_geo, rf_geo_free)
#define _cleanup_geo_ _cleanup_(rf_geo_freep)

/* When the database was made, in seconds since the epoch: how stale it is. */
uint64_t rf_geo_built(const struct rf_geo *g);
/* "GeoLite2-Country"; as the file has it, so that any bytes may be in it. */
const char *rf_geo_type(const struct rf_geo *g);
/*
 * Every prefix of the countries (ISO 3166-1 alpha-2, upper case): IPv4 as AF_INET and first, each family by address,
 * none inside another, siblings joined. -ENOENT: the database has no @countries[*@ret_unknown] at all; -E2BIG past
 * RF_GEO_PREFIXES_MAX. The caller frees @ret, which is NULL for no countries.
 */
int rf_geo_countries(struct rf_geo *g, const char (*countries)[3], size_t n_countries, struct rf_cidr **ret,
		     size_t *ret_n, size_t *ret_unknown);

#endif
