// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes rule sets and device sets into the maps, beside whatever is in force,
 * and takes them out again. Nothing here changes a verdict: an id that no bank
 * names is never looked up.
 */
#include <errno.h>
#include <netinet/in.h>

#include "user/engine/internal.h"

#define BATCH_MAX 4096

void rf_installed_free(struct rf_installed *installed)
{
	if (!installed)
		return;
	free(installed->peers4.keys);
	free(installed->peers6.keys);
	free(installed->ports.keys);
	free(installed->offsets);
	rf_hashmap_free(installed->members);
	rf_image_unref(installed->owner);
	free(installed);
}

void rf_installed_devices_free(struct rf_installed_devices *installed)
{
	if (!installed)
		return;
	free(installed->keys);
	rf_image_unref(installed->owner);
	free(installed);
}

RF_DEFINE_CLEANUP(struct rf_installed_devices, rf_installed_devices_free)

/* Removes keys one batch at a time; what is already gone does not matter. */
static void keys_delete(int fd, const struct rf_trie_keys *keys, size_t key_size)
{
	for (uint32_t i = 0; i < keys->n;) {
		uint32_t count = MIN(keys->n - i, (uint32_t)BATCH_MAX);
		const char *at = (const char *)keys->keys + i * key_size;

		if (bpf_map_delete_batch(fd, at, &count, NULL) < 0) {
			/* @count were done; the next one failed: skip it. */
			bpf_map_delete_elem(fd, at + count * key_size);
			count++;
		}
		i += count;
	}
}

static int keys_insert(int fd, const struct rf_trie_keys *keys, const uint32_t *values, size_t key_size)
{
	for (uint32_t i = 0; i < keys->n;) {
		uint32_t count = MIN(keys->n - i, (uint32_t)BATCH_MAX);
		int r;

		r = bpf_map_update_batch(fd, (const char *)keys->keys + i * key_size, values + i, &count, NULL);
		if (r < 0)
			return r;
		i += count;
	}
	return 0;
}

static int ruleset_id_new(struct rf_engine *e, uint32_t *ret)
{
	for (uint32_t i = 0; i < RF_MAX_RULESETS - 1; i++) {
		uint32_t id = e->ruleset_cursor;

		e->ruleset_cursor = id + 1 < RF_MAX_RULESETS ? id + 1 : 1;
		if (!e->rulesets[id]) {
			*ret = id;
			return 0;
		}
	}
	return -ENOSPC;
}

/* Offset in the map of each vector of the image. */
static int sets_get(struct rf_engine *e, struct rf_installed *in, const struct rf_ruleset_image *image,
		    uint32_t *offsets)
{
	for (uint32_t i = 0; i < image->n_sets; i++) {
		int r = rf_words_get(e->words, image->sets + (size_t)i * image->words, image->words, &offsets[i]);

		if (r < 0)
			return r;
		in->offsets[in->n_offsets++] = offsets[i];
	}
	return 0;
}

static int peers_write(struct rf_engine *e, struct rf_installed *in, const struct rf_ruleset_image *image,
		       const uint32_t *offsets, bool ipv6)
{
	uint32_t n = ipv6 ? image->n_peers6 : image->n_peers4;
	const struct rf_peer_entry *peers = ipv6 ? image->peers6 : image->peers4;
	size_t key_size = ipv6 ? sizeof(struct rf_peer6_key) : sizeof(struct rf_peer4_key);
	struct rf_trie_keys *keys = ipv6 ? &in->peers6 : &in->peers4;
	_cleanup_free_ uint32_t *values = NULL;

	if (!n)
		return 0;
	values = calloc(n, sizeof(*values));
	keys->keys = calloc(n, key_size);
	if (!values || !keys->keys)
		return -ENOMEM;
	keys->n = n;
	for (uint32_t i = 0; i < n; i++) {
		values[i] = offsets[peers[i].set];
		if (ipv6) {
			struct rf_peer6_key *key = (struct rf_peer6_key *)keys->keys + i;

			key->prefixlen = 32 + peers[i].prefix;
			key->ruleset = in->id;
			memcpy(key->addr, peers[i].addr, sizeof(key->addr));
		} else {
			struct rf_peer4_key *key = (struct rf_peer4_key *)keys->keys + i;

			key->prefixlen = 32 + peers[i].prefix;
			key->ruleset = in->id;
			memcpy(key->addr, peers[i].addr, sizeof(key->addr));
		}
	}
	return keys_insert(rf_engine_map_fd(e, ipv6 ? "rf_peer6_map" : "rf_peer4_map"), keys, values, key_size);
}

static int ports_write(struct rf_engine *e, struct rf_installed *in, const struct rf_ruleset_image *image,
		       const uint32_t *offsets)
{
	_cleanup_free_ uint32_t *values = NULL;
	struct rf_port_key *keys;

	if (!image->n_ports)
		return 0;
	values = calloc(image->n_ports, sizeof(*values));
	keys = in->ports.keys = calloc(image->n_ports, sizeof(*keys));
	if (!values || !keys)
		return -ENOMEM;
	in->ports.n = image->n_ports;
	for (uint32_t i = 0; i < image->n_ports; i++) {
		const struct rf_port_entry *port = &image->ports[i];

		values[i] = offsets[port->set];
		keys[i].prefixlen = port->prefixlen;
		keys[i].ruleset = in->id;
		keys[i].protocol = port->protocol;
		keys[i].port[0] = port->port >> 8;
		keys[i].port[1] = port->port & 0xff;
	}
	return keys_insert(rf_engine_map_fd(e, "rf_port_map"), &in->ports, values, sizeof(*keys));
}

void rf_uninstall_ruleset(struct rf_engine *e, struct rf_installed *in)
{
	const struct rf_ruleset empty = { 0 };

	keys_delete(rf_engine_map_fd(e, "rf_peer4_map"), &in->peers4, sizeof(struct rf_peer4_key));
	keys_delete(rf_engine_map_fd(e, "rf_peer6_map"), &in->peers6, sizeof(struct rf_peer6_key));
	keys_delete(rf_engine_map_fd(e, "rf_port_map"), &in->ports, sizeof(struct rf_port_key));
	bpf_map_update_elem(rf_engine_map_fd(e, "rf_ruleset_map"), &in->id, &empty, BPF_ANY);
	rf_members_remove(e, in);
	for (uint32_t i = 0; i < in->n_offsets; i++)
		rf_words_put(e->words, in->offsets[i]);
	if (rf_hashmap_get64(e->by_digest, in->digest) == in)
		rf_hashmap_take(e->by_digest, &in->digest, sizeof(in->digest));
	if (in->image && in->image->asks_peers)
		e->n_asking--;
	if (e->rulesets[in->id] == in) {
		e->rulesets[in->id] = NULL;
		e->n_rulesets--;
	}
	rf_installed_free(in);
}

static int ruleset_write(struct rf_engine *e, struct rf_installed *in, const struct rf_ruleset_image *image,
			 char **ret_error)
{
	_cleanup_free_ uint32_t *offsets = calloc(image->n_sets, sizeof(*offsets));
	struct rf_ruleset value;
	int r;

	in->offsets = calloc(image->n_sets, sizeof(*in->offsets));
	if (!offsets || !in->offsets)
		return -ENOMEM;
	r = sets_get(e, in, image, offsets);
	if (r < 0)
		return rf_engine_format_error(ret_error, r, "the map of rule vectors is full (%u of %u words in use)",
					      rf_words_used(e->words), RF_MAX_SET_WORDS);
	r = peers_write(e, in, image, offsets, false);
	if (r < 0)
		return rf_engine_format_error(ret_error, r, "cannot write %u IPv4 prefixes (the map holds %u)",
					      image->n_peers4, RF_MAX_PEERS4);
	r = peers_write(e, in, image, offsets, true);
	if (r < 0)
		return rf_engine_format_error(ret_error, r, "cannot write %u IPv6 prefixes (the map holds %u)",
					      image->n_peers6, RF_MAX_PEERS6);
	r = ports_write(e, in, image, offsets);
	if (r < 0)
		return rf_engine_format_error(ret_error, r, "cannot write %u port prefixes (the map holds %u)",
					      image->n_ports, RF_MAX_PORTS);
	value = (struct rf_ruleset){
		.words = image->words,
		.allow_set = offsets[image->allow_set],
		.default_allow = image->default_allow,
		.any_peer_set = offsets[image->any_peer_set],
		.any_port_set = offsets[image->any_port_set],
		.flags = (image->asks_peers ? RF_RULESET_PEERS : 0) | (image->asks_names ? RF_RULESET_NAMES : 0),
		.digest = image->digest,
	};
	r = bpf_map_update_elem(rf_engine_map_fd(e, "rf_ruleset_map"), &in->id, &value, BPF_ANY);
	if (r < 0)
		return rf_engine_format_error(ret_error, r, "cannot write rule set %u", in->id);
	return 0;
}

int rf_install_ruleset(struct rf_engine *e, struct rf_image *owner, const struct rf_ruleset_image *image,
		       struct rf_installed **ret, char **ret_error)
{
	struct rf_installed *in = rf_hashmap_get64(e->by_digest, image->digest);
	int r;

	/*
	 * The same content under the same digest, or what an earlier daemon wrote for it: nothing to write. Where it
	 * knows peers as they will not be after the flip, it goes on for this generation and the next has its own.
	 */
	if (in && (!in->image || in->image == image || rf_ruleset_image_equal(in->image, image)) &&
	    (in->used == e->applies || rf_members_current(e, in, image))) {
		if (!in->image) {
			in->image = image;
			in->unpruned = true;
			in->owner = rf_image_ref(owner);
			e->n_asking += image->asks_peers;
			r = rf_members_write(e, in, ret_error);
			if (r < 0)
				return r;
		}
		*ret = in;
		return 0;
	}
	in = calloc(1, sizeof(*in));
	if (!in)
		return -ENOMEM;
	in->digest = image->digest;
	in->words = image->words;
	r = ruleset_id_new(e, &in->id);
	if (r < 0) {
		free(in);
		return rf_engine_format_error(ret_error, r, "more than %u rule sets", RF_MAX_RULESETS - 1);
	}
	e->rulesets[in->id] = in;
	e->n_rulesets++;
	in->image = image;
	in->owner = rf_image_ref(owner);
	e->n_asking += image->asks_peers;
	r = ruleset_write(e, in, image, ret_error);
	if (r == 0)
		r = rf_members_write(e, in, ret_error);
	if (r == 0)
		r = rf_hashmap_set(e->by_digest, &in->digest, sizeof(in->digest), in);
	if (r < 0) {
		rf_uninstall_ruleset(e, in);
		return r;
	}
	*ret = in;
	return 0;
}

static struct rf_installed_devices *devices_find(struct rf_engine *e, const struct rf_device_image *image)
{
	for (size_t i = 0; i < e->n_devices; i++) {
		struct rf_installed_devices *in = e->devices[i];

		if (in->image && in->image->digest == image->digest && rf_device_image_equal(in->image, image))
			return in;
	}
	return NULL;
}

static bool device_id_taken(const struct rf_engine *e, uint32_t id)
{
	for (size_t i = 0; i < e->n_devices; i++)
		if (e->devices[i]->id == id)
			return true;
	return false;
}

void rf_uninstall_devices(struct rf_engine *e, struct rf_installed_devices *in)
{
	int fd = rf_engine_map_fd(e, "rf_device_map");

	for (uint32_t i = 0; i < in->n_keys; i++)
		bpf_map_delete_elem(fd, &in->keys[i]);
	for (size_t i = 0; i < e->n_devices; i++) {
		if (e->devices[i] == in) {
			e->devices[i] = e->devices[--e->n_devices];
			break;
		}
	}
	rf_installed_devices_free(in);
}

int rf_install_devices(struct rf_engine *e, struct rf_image *owner, const struct rf_device_image *image,
		       struct rf_installed_devices **ret, char **ret_error)
{
	_cleanup_(rf_installed_devices_freep) struct rf_installed_devices *in = NULL;
	struct rf_installed_devices *found = devices_find(e, image);
	int fd = rf_engine_map_fd(e, "rf_device_map");

	if (found) {
		*ret = found;
		return 0;
	}
	if (e->n_devices == e->devices_capacity) {
		size_t capacity = e->devices_capacity ? e->devices_capacity * 2 : 64;
		struct rf_installed_devices **devices = reallocarray(e->devices, capacity, sizeof(*devices));

		if (!devices)
			return -ENOMEM;
		e->devices = devices;
		e->devices_capacity = capacity;
	}
	in = calloc(1, sizeof(*in));
	if (!in)
		return -ENOMEM;
	in->keys = calloc(image->n_entries, sizeof(*in->keys));
	if (!in->keys)
		return -ENOMEM;
	do {
		in->id = e->device_cursor++;
	} while (in->id == 0 || device_id_taken(e, in->id));
	for (uint32_t i = 0; i < image->n_entries; i++) {
		const struct rf_device_entry *entry = &image->entries[i];
		struct rf_device_value value = { .allow = entry->allow };
		int r;

		memcpy(value.rule, entry->rule, sizeof(value.rule));
		in->keys[i] = (struct rf_device_key){
			.set = in->id, .type = entry->type, .major = entry->major, .minor = entry->minor
		};
		r = bpf_map_update_elem(fd, &in->keys[i], &value, BPF_ANY);
		if (r < 0) {
			while (in->n_keys)
				bpf_map_delete_elem(fd, &in->keys[--in->n_keys]);
			return rf_engine_format_error(ret_error, r, "cannot write %u device entries (the map holds %u)",
						      image->n_entries, RF_MAX_DEVICE_ENTRIES);
		}
		in->n_keys++;
	}
	in->image = image;
	in->owner = rf_image_ref(owner);
	*ret = e->devices[e->n_devices++] = TAKE_PTR(in);
	return 0;
}
