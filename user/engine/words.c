// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Words of rf_set_map. A bitmap says which are taken; a run is found by its
 * content (length and words) or by its offset. Next fit: the cursor moves on,
 * so that a freed run is not reused at once; but before the map takes more
 * memory, all of what it has is looked through.
 */
#include "user/engine/words.h"

#include <errno.h>
#include <string.h>

#include "ringfence/limits.h"
#include "user/lib/hashmap.h"
#include "user/lib/util.h"

struct word_run {
	uint32_t offset, len, refs;
};

struct rf_words {
	uint64_t *map;
	uint64_t *taken; /* bitmap */
	uint32_t n, used, cursor;
	uint32_t chunk, reach; /* words below @reach have memory */
	rf_words_need_fn need;
	void *arg;
	struct rf_hashmap *by_content; /* owns the runs */
	struct rf_hashmap *by_offset;
};

int rf_words_new(uint64_t *map, uint32_t n, uint32_t chunk, rf_words_need_fn need, void *arg, struct rf_words **ret)
{
	_cleanup_(rf_words_freep) struct rf_words *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->map = map;
	w->n = n;
	w->chunk = chunk;
	w->need = need;
	w->arg = arg;
	r = need(arg, 0);
	if (r < 0)
		return r;
	w->reach = MIN(n, chunk);
	w->taken = calloc((n + 63) / 64, sizeof(*w->taken));
	if (!w->taken)
		return -ENOMEM;
	for (uint32_t i = 0; i < RF_RULE_WORDS; i++)
		w->taken[i / 64] |= 1ULL << (i % 64);
	w->cursor = w->used = RF_RULE_WORDS;
	r = rf_hashmap_new(free, &w->by_content);
	if (r < 0)
		return r;
	r = rf_hashmap_new(NULL, &w->by_offset);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(w);
	return 0;
}

void rf_words_free(struct rf_words *w)
{
	if (!w)
		return;
	rf_hashmap_free(w->by_offset);
	rf_hashmap_free(w->by_content);
	free(w->taken);
	free(w);
}

static bool word_taken(const struct rf_words *w, uint32_t i)
{
	return w->taken[i / 64] >> (i % 64) & 1;
}

static void run_mark(struct rf_words *w, uint32_t offset, uint32_t len, bool taken)
{
	for (uint32_t i = offset; i < offset + len; i++) {
		if (taken)
			w->taken[i / 64] |= 1ULL << (i % 64);
		else
			w->taken[i / 64] &= ~(1ULL << (i % 64));
	}
	w->used = taken ? w->used + len : w->used - len;
}

static bool run_search(struct rf_words *w, uint32_t from, uint32_t to, uint32_t len, uint32_t *ret)
{
	uint32_t run = 0;

	for (uint32_t i = from; i < to; i++) {
		if (i % w->chunk == 0)
			run = 0;
		run = word_taken(w, i) ? 0 : run + 1;
		if (run == len) {
			*ret = i + 1 - len;
			w->cursor = i + 1;
			return true;
		}
	}
	return false;
}

static int run_find(struct rf_words *w, uint32_t len, uint32_t *ret)
{
	if (run_search(w, w->cursor, w->reach, len, ret) || run_search(w, 0, w->reach, len, ret))
		return 0;
	while (w->reach < w->n) {
		uint32_t from = w->reach;
		int r = w->need(w->arg, from);

		if (r < 0)
			return r;
		w->reach = MIN(w->n, from + w->chunk);
		if (run_search(w, from, w->reach, len, ret))
			return 0;
	}
	return -ENOSPC;
}

static int run_insert(struct rf_words *w, uint32_t offset, uint32_t len)
{
	_cleanup_free_ struct word_run *run = malloc(sizeof(*run));
	int r;

	if (!run)
		return -ENOMEM;
	*run = (struct word_run){ .offset = offset, .len = len, .refs = 1 };
	r = rf_hashmap_put(w->by_offset, &offset, sizeof(offset), run);
	if (r < 0)
		return r;
	r = rf_hashmap_put(w->by_content, &w->map[offset], len * sizeof(uint64_t), run);
	if (r < 0) {
		rf_hashmap_take(w->by_offset, &offset, sizeof(offset));
		return r;
	}
	TAKE_PTR(run);
	run_mark(w, offset, len, true);
	return 0;
}

int rf_words_get(struct rf_words *w, const uint64_t *content, uint32_t len, uint32_t *ret_offset)
{
	struct word_run *run = rf_hashmap_get(w->by_content, content, len * sizeof(*content));
	uint32_t offset;
	int r;

	if (run) {
		run->refs++;
		*ret_offset = run->offset;
		return 0;
	}
	r = run_find(w, len, &offset);
	if (r < 0)
		return r;
	memcpy(&w->map[offset], content, len * sizeof(*content));
	r = run_insert(w, offset, len);
	if (r < 0)
		return r;
	*ret_offset = offset;
	return 0;
}

int rf_words_adopt(struct rf_words *w, uint32_t offset, uint32_t len)
{
	struct word_run *run = rf_hashmap_get(w->by_offset, &offset, sizeof(offset));
	uint32_t end;
	int r;

	if (offset < RF_RULE_WORDS || len == 0 || offset > w->n || len > w->n - offset ||
	    offset / w->chunk != (offset + len - 1) / w->chunk)
		return -EINVAL;
	r = w->need(w->arg, offset);
	if (r < 0)
		return r;
	end = (offset / w->chunk + 1) * w->chunk;
	if (w->reach < end)
		w->reach = MIN(w->n, end);
	if (run) {
		if (run->len != len)
			return -EINVAL;
		run->refs++;
		return 0;
	}
	r = run_insert(w, offset, len);
	/* The same content twice: two daemons' work. Keep the words out of use; they are not shared. */
	if (r == -EEXIST)
		run_mark(w, offset, len, true);
	return r == -EEXIST ? 0 : r;
}

void rf_words_put(struct rf_words *w, uint32_t offset)
{
	struct word_run *run = rf_hashmap_get(w->by_offset, &offset, sizeof(offset));

	if (!run || --run->refs)
		return;
	rf_hashmap_take(w->by_offset, &offset, sizeof(offset));
	run_mark(w, run->offset, run->len, false);
	rf_hashmap_remove(w->by_content, &w->map[run->offset], run->len * sizeof(uint64_t));
}

uint32_t rf_words_used(const struct rf_words *w)
{
	return w->used;
}
