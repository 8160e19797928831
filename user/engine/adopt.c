// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A daemon that finds maps of its own ABI takes over what they hold. The keys
 * of the tries are walked once, so that every rule set in force is known by id
 * and digest: an image that compiles to the same digest is already in place,
 * and the rest is removed after the first flip like any unused set.
 */
#include <errno.h>

#include "user/engine/internal.h"

static int keys_append(struct rf_trie_keys *keys, const void *key, size_t size)
{
	/* Capacity is the next power of two, so that no count of it is kept. */
	if ((keys->n & (keys->n - 1)) == 0) {
		void *grown = reallocarray(keys->keys, keys->n ? keys->n * 2 : 1, size);

		if (!grown)
			return -ENOMEM;
		keys->keys = grown;
	}
	memcpy((char *)keys->keys + keys->n * size, key, size);
	keys->n++;
	return 0;
}

static int offset_adopt(struct rf_engine *e, struct rf_installed *in, uint32_t offset)
{
	int r;

	if ((in->n_offsets & (in->n_offsets - 1)) == 0) {
		uint32_t *grown = reallocarray(in->offsets, in->n_offsets ? in->n_offsets * 2 : 1, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		in->offsets = grown;
	}
	r = rf_words_adopt(e->words, offset, in->words);
	if (r < 0)
		return r;
	in->offsets[in->n_offsets++] = offset;
	return 0;
}

static int rulesets_adopt(struct rf_engine *e)
{
	int fd = rf_engine_map_fd(e, "rf_ruleset_map");

	for (uint32_t id = 1; id < RF_MAX_RULESETS; id++) {
		struct rf_installed *in;
		struct rf_ruleset value;
		int r;

		if (bpf_map_lookup_elem(fd, &id, &value) < 0)
			return -errno;
		if (!value.words)
			continue;
		in = calloc(1, sizeof(*in));
		if (!in)
			return -ENOMEM;
		in->id = id;
		in->digest = value.digest;
		in->words = value.words;
		e->rulesets[id] = in;
		e->n_rulesets++;
		e->ruleset_cursor = id + 1 < RF_MAX_RULESETS ? id + 1 : 1;
		r = offset_adopt(e, in, value.allow_set);
		if (r >= 0)
			r = offset_adopt(e, in, value.any_peer_set);
		if (r >= 0)
			r = offset_adopt(e, in, value.any_port_set);
		if (r >= 0)
			r = rf_hashmap_set(e->by_digest, &in->digest, sizeof(in->digest), in);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Every key of @map goes to the rule set it names; keys of none are what a daemon died writing, and go. */
static int trie_adopt(struct rf_engine *e, const char *map, size_t key_size, size_t keys_member)
{
	struct rf_trie_keys orphans = { 0 };
	char key[64], *previous = NULL;
	int fd = rf_engine_map_fd(e, map), r = 0;

	while (r >= 0 && bpf_map_get_next_key(fd, previous, key) == 0) {
		uint32_t ruleset, offset;
		struct rf_installed *in;

		previous = key;
		memcpy(&ruleset, key + sizeof(uint32_t), sizeof(ruleset));
		in = ruleset < RF_MAX_RULESETS ? e->rulesets[ruleset] : NULL;
		if (!in || bpf_map_lookup_elem(fd, key, &offset) < 0) {
			r = keys_append(&orphans, key, key_size);
			continue;
		}
		r = keys_append((struct rf_trie_keys *)((char *)in + keys_member), key, key_size);
		if (r >= 0)
			r = offset_adopt(e, in, offset);
	}
	for (uint32_t i = 0; i < orphans.n; i++)
		bpf_map_delete_elem(fd, (char *)orphans.keys + i * key_size);
	free(orphans.keys);
	return r;
}

static struct rf_installed_devices *devices_of(struct rf_engine *e, uint32_t set)
{
	struct rf_installed_devices *in;

	for (size_t i = 0; i < e->n_devices; i++)
		if (e->devices[i]->id == set)
			return e->devices[i];
	if (e->n_devices == e->devices_capacity) {
		size_t capacity = e->devices_capacity ? e->devices_capacity * 2 : 64;
		struct rf_installed_devices **devices = reallocarray(e->devices, capacity, sizeof(*devices));

		if (!devices)
			return NULL;
		e->devices = devices;
		e->devices_capacity = capacity;
	}
	in = calloc(1, sizeof(*in));
	if (!in)
		return NULL;
	in->id = set;
	if (set >= e->device_cursor)
		e->device_cursor = set + 1;
	e->devices[e->n_devices++] = in;
	return in;
}

static int devices_adopt(struct rf_engine *e)
{
	int fd = rf_engine_map_fd(e, "rf_device_map");
	struct rf_device_key key, *previous = NULL;

	while (bpf_map_get_next_key(fd, previous, &key) == 0) {
		struct rf_installed_devices *in = devices_of(e, key.set);
		struct rf_trie_keys keys;
		int r;

		if (!in)
			return -ENOMEM;
		keys = (struct rf_trie_keys){ in->keys, in->n_keys };
		r = keys_append(&keys, &key, sizeof(key));
		in->keys = keys.keys;
		in->n_keys = keys.n;
		if (r < 0)
			return r;
		previous = &key;
	}
	return 0;
}

int rf_engine_adopt(struct rf_engine *e, char **ret_error)
{
	int r = rulesets_adopt(e);

	if (r >= 0)
		r = trie_adopt(e, "rf_peer4_map", sizeof(struct rf_peer4_key), offsetof(struct rf_installed, peers4));
	if (r >= 0)
		r = trie_adopt(e, "rf_peer6_map", sizeof(struct rf_peer6_key), offsetof(struct rf_installed, peers6));
	if (r >= 0)
		r = trie_adopt(e, "rf_port_map", sizeof(struct rf_port_key), offsetof(struct rf_installed, ports));
	if (r >= 0)
		r = rf_names_adopt(e);
	if (r >= 0)
		r = rf_members_adopt(e);
	if (r >= 0)
		rf_names_prune(e);
	if (r >= 0)
		r = rf_tenants_adopt(e);
	if (r >= 0)
		r = devices_adopt(e);
	if (r >= 0)
		r = rf_files_adopt(e);
	if (r >= 0)
		r = rf_execs_adopt(e);
	if (r < 0)
		return rf_engine_format_error(ret_error, r,
					      "the pinned maps below %s hold what this version cannot read; "
					      "\"ringfence detach\" removes them (and all enforcement)",
					      e->bpffs);
	return 0;
}
