// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DNS names of policies: each has a number, under which the kernel remembers
 * what answers said. A number is not used again while a daemon lives: what was
 * learnt under it must not come to mean another name.
 */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>

#include "user/engine/internal.h"
#include "user/lib/clock.h"

#include "ringfence.skel.h"

static int name_fd(const struct rf_engine *e)
{
	return bpf_map__fd(e->skeleton->maps.rf_name_map);
}

/* "*.Example.com" -> 1 '*' 7 "example" 3 "com" 0. The parser has checked it. */
static int wire_of(const char *name, uint8_t wire[static RF_NAME_KEY])
{
	size_t at = 0;

	memset(wire, 0, RF_NAME_KEY);
	while (*name) {
		size_t len = strcspn(name, ".");

		if (!len || len > 63 || at + 1 + len >= RF_NAME_KEY - 1)
			return -EINVAL;
		wire[at++] = len;
		for (size_t i = 0; i < len; i++)
			wire[at++] = tolower((unsigned char)name[i]);
		name += len;
		name += *name == '.';
	}
	return 0;
}

/* The other way. */
static void text_of(const uint8_t wire[static RF_NAME_KEY], char text[static RF_NAME_KEY])
{
	size_t at = 0, len;

	while ((len = wire[at]) && at + 1 + len < RF_NAME_KEY) {
		memcpy(text + at, wire + at + 1, len);
		at += len;
		text[at++] = '.';
	}
	text[at ? at - 1 : 0] = '\0';
}

static int name_note(struct rf_engine *e, const uint8_t wire[static RF_NAME_KEY], uint32_t id)
{
	struct rf_engine_name *name = calloc(1, sizeof(*name));
	int r;

	if (!name)
		return -ENOMEM;
	name->id = id;
	memcpy(name->wire, wire, RF_NAME_KEY);
	r = rf_hashmap_put(e->names_by, &id, sizeof(id), name);
	if (r == 0) {
		r = rf_hashmap_put(e->names, wire, RF_NAME_KEY, name);
		if (r < 0)
			rf_hashmap_take(e->names_by, &id, sizeof(id));
	}
	if (r < 0)
		free(name);
	else if (id >= e->name_cursor)
		e->name_cursor = id + 1;
	return r;
}

int rf_name_get(struct rf_engine *e, const char *text, uint32_t *ret_id)
{
	uint8_t wire[RF_NAME_KEY];
	struct rf_engine_name *name;
	uint32_t id;
	int r = wire_of(text, wire);

	if (r < 0)
		return r;
	name = rf_hashmap_get(e->names, wire, RF_NAME_KEY);
	if (!name) {
		id = e->name_cursor;
		if (id >= RF_PEER_NAME - 2)
			return -ENOSPC;
		r = name_note(e, wire, id);
		if (r < 0)
			return r;
		name = rf_hashmap_get(e->names, wire, RF_NAME_KEY);
		if (bpf_map_update_elem(name_fd(e), wire, &id, BPF_ANY) < 0) {
			r = errno == E2BIG ? -ENOSPC : -errno;
			rf_hashmap_take(e->names_by, &id, sizeof(id));
			rf_hashmap_remove(e->names, wire, RF_NAME_KEY);
			return r;
		}
	}
	*ret_id = name->id;
	return 0;
}

int rf_names_need(struct rf_engine *e)
{
	int r = rf_chunks_need(&e->learnt, 0);

	if (r == 0)
		r = rf_chunks_need(&e->queries, 0);
	return r == 0 ? rf_chunks_need(&e->dns_streams, 0) : r;
}

void rf_name_ref(struct rf_engine *e, uint32_t id)
{
	struct rf_engine_name *name = rf_hashmap_get(e->names_by, &id, sizeof(id));

	if (name)
		name->refs++;
}

static void name_remove(struct rf_engine *e, struct rf_engine_name *name)
{
	uint8_t wire[RF_NAME_KEY];
	uint32_t id = name->id;

	memcpy(wire, name->wire, sizeof(wire));
	bpf_map_delete_elem(name_fd(e), wire);
	rf_hashmap_take(e->names_by, &id, sizeof(id));
	rf_hashmap_remove(e->names, wire, RF_NAME_KEY);
}

void rf_name_put(struct rf_engine *e, uint32_t id)
{
	struct rf_engine_name *name = rf_hashmap_get(e->names_by, &id, sizeof(id));

	if (name && --name->refs == 0)
		name_remove(e, name);
}

int rf_names_adopt(struct rf_engine *e)
{
	uint8_t wire[RF_NAME_KEY];
	void *previous = NULL;
	int r = 0;

	while (r == 0 && bpf_map_get_next_key(name_fd(e), previous, wire) == 0) {
		uint32_t id;

		if (bpf_map_lookup_elem(name_fd(e), wire, &id) == 0)
			r = name_note(e, wire, id);
		previous = wire;
	}
	return r;
}

void rf_names_prune(struct rf_engine *e)
{
	struct rf_engine_name *unused;

	do {
		struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
		void *value;

		unused = NULL;
		while (!unused && rf_hashmap_next(e->names, &it, NULL, NULL, &value))
			if (!((struct rf_engine_name *)value)->refs)
				unused = value;
		if (unused)
			name_remove(e, unused);
	} while (unused);
}

static bool is_default(const struct rf_dns_image *dns)
{
	return !dns->n_resolvers && dns->min_ttl_s == RF_DNS_MIN_TTL_S && dns->max_ttl_s == RF_DNS_MAX_TTL_S;
}

static void resolver_fill(const struct rf_cidr *cidr, struct rf_dns_resolver *ret)
{
	uint8_t mask[16] = { 0 };

	for (unsigned int bit = 0; bit < cidr->prefix; bit++)
		mask[bit / 8] |= 0x80 >> bit % 8;
	ret->family = cidr->family;
	memcpy(ret->addr, cidr->addr, cidr->family == AF_INET6 ? 16 : 4);
	memcpy(ret->mask, mask, sizeof(ret->mask));
}

int rf_dns_write(struct rf_engine *e, uint32_t workload, uint32_t bank, const struct rf_dns_image *dns)
{
	int fd = bpf_map__fd(e->skeleton->maps.rf_dns_map);
	struct rf_dns_key key = { .workload = workload, .bank = bank };
	struct rf_dns_config config;

	if (is_default(dns)) {
		if (e->dns_set[workload] & 1u << bank)
			bpf_map_delete_elem(fd, &key);
		e->dns_set[workload] &= ~(1u << bank);
		return 0;
	}
	memset(&config, 0, sizeof(config));
	config.min_ttl_s = dns->min_ttl_s;
	config.max_ttl_s = dns->max_ttl_s;
	config.n_resolvers = dns->n_resolvers;
	for (uint32_t i = 0; i < dns->n_resolvers; i++)
		resolver_fill(&dns->resolvers[i], &config.resolver[i]);
	if (bpf_map_update_elem(fd, &key, &config, BPF_ANY) < 0)
		return -errno;
	e->dns_set[workload] |= 1u << bank;
	return 0;
}

int rf_dns_keep(struct rf_engine *e, uint32_t workload, uint32_t bank)
{
	int fd = bpf_map__fd(e->skeleton->maps.rf_dns_map);
	struct rf_dns_key from = { .workload = workload, .bank = !bank }, to = { .workload = workload, .bank = bank };
	struct rf_dns_config config;

	if (bpf_map_lookup_elem(fd, &from, &config) < 0) {
		if (errno != ENOENT)
			return -errno;
		bpf_map_delete_elem(fd, &to);
		e->dns_set[workload] &= ~(1u << bank);
		return 0;
	}
	if (bpf_map_update_elem(fd, &to, &config, BPF_ANY) < 0)
		return -errno;
	e->dns_set[workload] |= 1u << bank;
	return 0;
}

bool rf_engine_learnt_name(const struct rf_engine *e, uint32_t owner, uint8_t family, const uint8_t *addr,
			   char ret[static RF_NAME_KEY])
{
	struct rf_learnt_key key = { .owner = owner, .family = family };
	uint64_t now = rf_clock_monotonic();
	int fd = rf_chunks_fd(&e->learnt, 0);
	struct rf_learnt learnt;
	bool found = false;

	if (!rf_hashmap_size(e->names) || fd < 0)
		return false;
	memcpy(key.addr, addr, family == AF_INET6 ? 16 : 4);
	if (bpf_map_lookup_elem(fd, &key, &learnt) < 0)
		return false;
	for (unsigned int i = 0; i < RF_LEARNT_NAMES; i++) {
		const struct rf_engine_name *name =
			rf_hashmap_get(e->names_by, &learnt.name[i], sizeof(learnt.name[i]));

		if (!name || learnt.until_ns[i] <= now || (found && name->wire[1] == '*'))
			continue;
		text_of(name->wire, ret);
		found = true;
	}
	return found;
}
