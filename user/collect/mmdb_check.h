/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of a MaxMind database file, walked before libmaxminddb walks them.
 * What that library takes on trust (1.7.1, of Debian 12): it skips a value with
 * one call a level, so that a nested one overflows the stack; it expands arrays
 * of pointers to arrays of pointers; it reads past a file that ends with the
 * metadata marker; it computes the size of the tree in 32 bits; it leaks what it
 * had when the metadata turn out wrong. What passes here makes it do none of
 * these.
 *
 * Pure: bytes in, 0 or -EBADMSG out. The format is MaxMind-DB-spec.md, 2.0.
 */
#ifndef RF_COLLECT_MMDB_CHECK_H
#define RF_COLLECT_MMDB_CHECK_H

#include <stddef.h>
#include <stdint.h>

#define RF_MMDB_MARKER		    "\xab\xcd\xefMaxMind.com"
#define RF_MMDB_METADATA_MAX	    (128 * 1024) /* bytes at the end of the file, marker included: the format's limit */
#define RF_MMDB_METADATA_VALUES_MAX 4096	 /* pointers followed; real ones have about 40 */
#define RF_MMDB_DEPTH_MAX	    32		 /* of maps and arrays in each other; real records have 5 */

/* What pointers count from: the data section, or the metadata. */
struct rf_mmdb_section {
	const uint8_t *data;
	size_t size;
};

/* Where the metadata begin in @tail, the last RF_MMDB_METADATA_MAX bytes of a file (or all of it). */
int rf_mmdb_find_metadata(const uint8_t *tail, size_t size, size_t *ret_offset);
/*
 * The whole section is one map, bounded in depth and expansion, and what the library copies of it are strings.
 * @ret_tree_size: the bytes that the tree takes by it, 0 where it does not tell.
 */
int rf_mmdb_check_metadata(const struct rf_mmdb_section *s, uint64_t *ret_tree_size);
/*
 * The value at @offset, or the one that a pointer there names; pointers inside it are not followed, as the library does
 * not while it skips. Takes one of @budget for every value.
 */
int rf_mmdb_check_value(const struct rf_mmdb_section *s, size_t offset, uint64_t *budget);

#endif
