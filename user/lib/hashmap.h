/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hash map with keys of bytes (copied) and pointer values (borrowed, or owned
 * when made with @free_value). Seeded SipHash-1-3 or like, so that keys chosen
 * by a tenant cannot make it slow. Iteration order is unspecified; removing
 * the entry just returned by the iterator is allowed.
 */
#ifndef RF_LIB_HASHMAP_H
#define RF_LIB_HASHMAP_H

#include <stdint.h>

#include "user/lib/cleanup.h"
#include "user/lib/util.h"

struct rf_hashmap;

struct rf_hashmap_iter {
	size_t position;
};

#define RF_HASHMAP_ITER_INIT { 0 }

int rf_hashmap_new(void (*free_value)(void *), struct rf_hashmap **ret);
void rf_hashmap_free(struct rf_hashmap *m);
RF_DEFINE_CLEANUP(struct rf_hashmap, rf_hashmap_free)
#define _cleanup_hashmap_ _cleanup_(rf_hashmap_freep)

size_t rf_hashmap_size(const struct rf_hashmap *m);
/* 0 inserted, -EEXIST (nothing changed, @value still the caller's), -ENOMEM (likewise). */
int rf_hashmap_put(struct rf_hashmap *m, const void *key, size_t len, void *value);
/* Inserts or replaces (the old value is freed when owned). */
int rf_hashmap_set(struct rf_hashmap *m, const void *key, size_t len, void *value);
void *rf_hashmap_get(const struct rf_hashmap *m, const void *key, size_t len);
/* Takes the value out without freeing it; NULL when absent. */
void *rf_hashmap_take(struct rf_hashmap *m, const void *key, size_t len);
/* Removes and frees the value when owned; false when absent. */
bool rf_hashmap_remove(struct rf_hashmap *m, const void *key, size_t len);
/* @ret_key and @ret_len may be NULL. */
bool rf_hashmap_next(const struct rf_hashmap *m, struct rf_hashmap_iter *it, const void **ret_key, size_t *ret_len,
		     void **ret_value);

static inline void *rf_hashmap_gets(const struct rf_hashmap *m, const char *key)
{
	return rf_hashmap_get(m, key, strlen(key));
}

static inline void *rf_hashmap_get64(const struct rf_hashmap *m, uint64_t key)
{
	return rf_hashmap_get(m, &key, sizeof(key));
}

#endif
