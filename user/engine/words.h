/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The allocator of rf_set_map: runs of 64-bit words, shared by content. Most
 * vectors of most rule sets are alike (one bit, or a few), which is what keeps
 * 10,000 workloads x 100 rules in a few megabytes. The map has memory as far
 * as the runs reach, a chunk at a time.
 */
#ifndef RF_ENGINE_WORDS_H
#define RF_ENGINE_WORDS_H

#include <stdint.h>

#include "user/lib/cleanup.h"

struct rf_words;

/* The chunk of @word is about to be written to. 0 or a negative errno. */
typedef int (*rf_words_need_fn)(void *arg, uint32_t word);

/*
 * @map: the mapped array of @n words, in chunks of @chunk; a run lies in one. Its first RF_RULE_WORDS are zero and
 * never given out.
 */
int rf_words_new(uint64_t *map, uint32_t n, uint32_t chunk, rf_words_need_fn need, void *arg, struct rf_words **ret);
void rf_words_free(struct rf_words *w);
RF_DEFINE_CLEANUP(struct rf_words, rf_words_free)

/* A reference to a run with this content, written if it is new. -ENOSPC, -ENOMEM. */
int rf_words_get(struct rf_words *w, const uint64_t *content, uint32_t len, uint32_t *ret_offset);
/* A reference to a run that is already there (adopted). */
int rf_words_adopt(struct rf_words *w, uint32_t offset, uint32_t len);
void rf_words_put(struct rf_words *w, uint32_t offset);
uint32_t rf_words_used(const struct rf_words *w);

#endif
