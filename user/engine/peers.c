// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peers by what they are: for every rule set that chooses so, and every peer,
 * the vector of the rules that match. Peers come and go while policies stay, so
 * these entries are the one part of a rule set that changes after it is in
 * force; each change is one map entry, and empties the caches.
 */
#include <errno.h>
#include <netinet/in.h>

#include "user/engine/internal.h"

#include "ringfence.skel.h"

/* Peers that are always there. */
static const struct {
	uint32_t id;
	struct rf_peer_view view;
} constant_peers[] = {
	{ RF_PEER_HOST_ID, { .place = RF_PLACE_HOST } },
	{ RF_PEER_WORLD_ID, { .place = RF_PLACE_WORLD } },
	{ RF_PEER_SELF_ID, { .self = true } },
};

static int member_fd(const struct rf_engine *e)
{
	return bpf_map__fd(e->skeleton->maps.rf_member_map);
}

static int address_fd(const struct rf_engine *e)
{
	return bpf_map__fd(e->skeleton->maps.rf_address_map);
}

static bool is_name(uint32_t peer)
{
	return (peer & (RF_PEER_POD | RF_PEER_NAME)) == RF_PEER_NAME && peer != RF_PEER_SELF_ID &&
	       peer != RF_PEER_WORLD_ID;
}

static void member_remove(struct rf_engine *e, struct rf_installed *in, uint32_t peer)
{
	struct rf_member_key key = { .ruleset = in->id, .peer = peer };
	_cleanup_free_ struct rf_member *member = in->members ? rf_hashmap_take(in->members, &peer, sizeof(peer)) :
								NULL;

	if (!member)
		return;
	bpf_map_delete_elem(member_fd(e), &key);
	rf_words_put(e->words, member->offset);
	e->n_members--;
	if (is_name(peer))
		rf_name_put(e, peer & ~RF_PEER_NAME);
}

/* Remembers an entry that is in the map and holds a reference to its words. */
static int member_note(struct rf_engine *e, struct rf_installed *in, uint32_t peer, uint32_t offset)
{
	struct rf_member *member = NULL;
	int r = 0;

	if (!in->members)
		r = rf_hashmap_new(free, &in->members);
	if (r == 0) {
		member = calloc(1, sizeof(*member));
		r = member ? 0 : -ENOMEM;
	}
	if (r == 0) {
		*member = (struct rf_member){ peer, offset };
		r = rf_hashmap_put(in->members, &peer, sizeof(peer), member);
	}
	if (r < 0) {
		free(member);
		return r;
	}
	e->n_members++;
	if (is_name(peer))
		rf_name_ref(e, peer & ~RF_PEER_NAME);
	return 0;
}

/* Makes @rules those of @peer in @in. */
static int member_set(struct rf_engine *e, struct rf_installed *in, uint32_t peer, const uint64_t *rules)
{
	struct rf_member_key key = { .ruleset = in->id, .peer = peer };
	struct rf_member *member = in->members ? rf_hashmap_get(in->members, &peer, sizeof(peer)) : NULL;
	uint32_t offset, old;
	int r;

	r = rf_words_get(e->words, rules, in->words, &offset);
	if (r < 0)
		return r;
	if (bpf_map_update_elem(member_fd(e), &key, &offset, BPF_ANY) < 0) {
		r = -errno;
		rf_words_put(e->words, offset);
		return r == -E2BIG ? -ENOSPC : r;
	}
	if (member) {
		old = member->offset;
		member->offset = offset;
		rf_words_put(e->words, old);
		return 0;
	}
	r = member_note(e, in, peer, offset);
	if (r < 0) {
		bpf_map_delete_elem(member_fd(e), &key);
		rf_words_put(e->words, offset);
	}
	return r;
}

/* Makes the entry of @peer in @in what its image says. */
static int member_write(struct rf_engine *e, struct rf_installed *in, uint32_t peer, const struct rf_peer_view *view)
{
	uint64_t rules[RF_RULE_WORDS];

	if (rf_ruleset_members(in->image, view, rules))
		return member_set(e, in, peer, rules);
	member_remove(e, in, peer);
	return 0;
}

static int names_write(struct rf_engine *e, struct rf_installed *in)
{
	for (uint32_t i = 0; i < in->image->n_classes; i++) {
		const struct rf_peer_class *class = &in->image->classes[i];
		uint32_t id;
		int r;

		if (class->kind != RF_PEER_DNS)
			continue;
		r = rf_name_get(e, class->name, &id);
		if (r == 0)
			r = member_set(e, in, RF_PEER_NAME | id,
				       in->image->sets + (size_t)class->set * in->image->words);
		if (r < 0)
			return r;
	}
	return 0;
}

static void address_count(const struct rf_address_key *key, uint32_t peer, void *arg)
{
	size_t *n = arg;

	(void)key;
	(void)peer;
	*n += 1;
}

static int members_error(struct rf_engine *e, int r, char **ret_error)
{
	return rf_engine_format_error(ret_error, r, "cannot write a peer of a rule set (%zu entries, the map holds %d)",
				      e->n_members, RF_MAX_MEMBERS);
}

/* Of entries that an earlier daemon left, those of peers that are no more go: once everybody who is there was told. */
static void members_prune(struct rf_engine *e, struct rf_installed *in)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	_cleanup_free_ uint32_t *gone = NULL;
	size_t n = 0;
	void *value;

	in->unpruned = false;
	if (!in->members)
		return;
	gone = calloc(rf_hashmap_size(in->members) + 1, sizeof(*gone));
	while (gone && rf_hashmap_next(in->members, &it, NULL, NULL, &value)) {
		const struct rf_member *member = value;
		/* The same content has the same names. */
		bool constant = is_name(member->peer);

		for (size_t i = 0; i < ARRAY_SIZE(constant_peers); i++)
			constant |= constant_peers[i].id == member->peer;
		if (!constant && !rf_hashmap_get(e->peers, &member->peer, sizeof(member->peer)))
			gone[n++] = member->peer;
	}
	for (size_t i = 0; i < n; i++)
		member_remove(e, in, gone[i]);
}

bool rf_members_current(struct rf_engine *e, const struct rf_installed *in, const struct rf_ruleset_image *image)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	uint64_t rules[RF_RULE_WORDS];
	uint32_t offset, known;
	void *value;

	while (image->asks_peers && rf_hashmap_next(e->peers, &it, NULL, NULL, &value)) {
		const struct rf_engine_peer *peer = value;
		const struct rf_member *member =
			in->members ? rf_hashmap_get(in->members, &peer->id, sizeof(peer->id)) : NULL;

		if (in->image && !peer->former)
			continue;
		known = member ? member->offset : 0;
		offset = 0;
		if (rf_ruleset_members(image, &peer->view, rules)) {
			if (rf_words_get(e->words, rules, in->words, &offset) < 0)
				return false;
			rf_words_put(e->words, offset);
		}
		if (offset != known)
			return false;
	}
	return true;
}

int rf_members_write(struct rf_engine *e, struct rf_installed *in, char **ret_error)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;
	int r = 0;

	if (!in->image->n_classes)
		return 0;
	r = names_write(e, in);
	if (!in->image->asks_peers)
		return r < 0 ? members_error(e, r, ret_error) : 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(constant_peers); i++)
		r = member_write(e, in, constant_peers[i].id, &constant_peers[i].view);
	while (r == 0 && rf_hashmap_next(e->peers, &it, NULL, NULL, &value)) {
		const struct rf_engine_peer *peer = value;

		r = member_write(e, in, peer->id, &peer->view);
	}
	return r < 0 ? members_error(e, r, ret_error) : 0;
}

void rf_members_remove(struct rf_engine *e, struct rf_installed *in)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	while (in->members && rf_hashmap_next(in->members, &it, NULL, NULL, &value)) {
		const struct rf_member *member = value;
		struct rf_member_key key = { .ruleset = in->id, .peer = member->peer };

		bpf_map_delete_elem(member_fd(e), &key);
		rf_words_put(e->words, member->offset);
		e->n_members--;
		if (is_name(member->peer))
			rf_name_put(e, member->peer & ~RF_PEER_NAME);
	}
	rf_hashmap_free(in->members);
	in->members = NULL;
}

/* What a daemon before us wrote; entries of no rule set are what it died writing, and go. */
int rf_members_adopt(struct rf_engine *e)
{
	struct rf_member_key key, next, *previous = NULL;
	int fd = member_fd(e), r = 0;

	/* The next key is asked for before an entry goes: the walk must not begin again. */
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	rf_engine_address_each(e, address_count, &e->n_addresses);
	while (r == 0 && more) {
		struct rf_installed *in;
		uint32_t offset;

		key = next;
		previous = &key;
		more = bpf_map_get_next_key(fd, previous, &next) == 0;
		in = key.ruleset < RF_MAX_RULESETS ? e->rulesets[key.ruleset] : NULL;
		if (!in || bpf_map_lookup_elem(fd, &key, &offset) < 0) {
			bpf_map_delete_elem(fd, &key);
			continue;
		}
		r = rf_words_adopt(e->words, offset, in->words);
		if (r == 0)
			r = member_note(e, in, key.peer, offset);
	}
	return r;
}

void rf_engine_peer_free(void *p)
{
	struct rf_engine_peer *peer = p;

	if (!peer)
		return;
	rf_engine_peer_free(peer->former);
	for (size_t i = 0; i < peer->identity.n_labels; i++) {
		free(peer->identity.labels[i].key);
		free(peer->identity.labels[i].value);
	}
	free(peer->identity.labels);
	free(peer->identity.namespace);
	free(peer->identity.pod_name);
	free(peer->tenant);
	free(peer->namespace);
	free(peer->workload);
	free(peer);
}

static int copy(char **to, const char *from)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

static int identity_copy(struct rf_identity *to, const struct rf_identity *from)
{
	/* That it is a pod is all that matters of which. */
	int r = copy(&to->pod_name, from->pod_name ? from->pod_name : from->pod_uid);

	if (r == 0)
		r = copy(&to->namespace, from->namespace);
	to->labels_known = from->labels_known;
	if (r == 0 && from->n_labels) {
		to->labels = calloc(from->n_labels, sizeof(*to->labels));
		r = to->labels ? 0 : -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < from->n_labels; i++) {
		to->n_labels = i + 1;
		r = copy(&to->labels[i].key, from->labels[i].key);
		if (r == 0)
			r = copy(&to->labels[i].value, from->labels[i].value);
	}
	return r;
}

static int peer_new(uint32_t id, const struct rf_peer_facts *facts, struct rf_engine_peer **ret)
{
	struct rf_engine_peer *peer = calloc(1, sizeof(*peer));
	int r;

	if (!peer)
		return -ENOMEM;
	peer->id = id;
	r = copy(&peer->tenant, facts->tenant);
	if (r == 0)
		r = copy(&peer->namespace, facts->namespace);
	if (r == 0)
		r = copy(&peer->workload, facts->workload);
	if (r == 0 && facts->identity)
		r = identity_copy(&peer->identity, facts->identity);
	if (r < 0) {
		rf_engine_peer_free(peer);
		return r;
	}
	peer->view = (struct rf_peer_view){
		.place = RF_PLACE_WORKLOAD,
		.facts = { peer->tenant, peer->namespace, peer->workload, &peer->identity },
	};
	*ret = peer;
	return 0;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && rf_streq(a, b));
}

static bool same_facts(const struct rf_engine_peer *a, const struct rf_engine_peer *b)
{
	const struct rf_identity *i = &a->identity, *k = &b->identity;

	if (!same(a->tenant, b->tenant) || !same(a->namespace, b->namespace) || !same(a->workload, b->workload) ||
	    !same(i->pod_name, k->pod_name) || !same(i->namespace, k->namespace) || i->n_labels != k->n_labels ||
	    i->labels_known != k->labels_known)
		return false;
	for (size_t n = 0; n < i->n_labels; n++)
		if (!same(i->labels[n].key, k->labels[n].key) || !same(i->labels[n].value, k->labels[n].value))
			return false;
	return true;
}

/* What a peer is, exchanged; its place in the table stays. */
static void peer_swap(struct rf_engine_peer *a, struct rf_engine_peer *b)
{
	struct rf_engine_peer was = *a;

	*a = *b;
	*b = was;
	a->view.facts.identity = &a->identity;
	b->view.facts.identity = &b->identity;
}

/* Makes @known what @next is, and takes @next. */
static void peer_hold(struct rf_engine_peer *known, struct rf_engine_peer *next)
{
	struct rf_engine_peer *former = known->former;

	known->former = NULL;
	peer_swap(known, next);
	/* Changed twice before the flip: what lies between was never in force. */
	if (former)
		rf_engine_peer_free(next);
	known->former = former ? former : next;
}

void rf_engine_peers_hold(struct rf_engine *e)
{
	e->peers_held = true;
}

void rf_engine_peers_cancel(struct rf_engine *e)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	e->peers_held = false;
	while (rf_hashmap_next(e->peers, &it, NULL, NULL, &value)) {
		struct rf_engine_peer *peer = value, *former = peer->former;

		if (!former)
			continue;
		peer->former = NULL;
		peer_swap(peer, former);
		rf_engine_peer_free(former);
	}
}

/*
 * After the flip. Rule sets of the new generation know what was held; others that are still there are for sockets of
 * cgroups that are gone. They learn it here, as far as there is room: to whom they were closed they stay closed.
 */
void rf_members_commit(struct rf_engine *e)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	bool changed = false;
	void *value;

	for (uint32_t i = 1; i < RF_MAX_RULESETS; i++)
		if (e->rulesets[i] && e->rulesets[i]->unpruned)
			members_prune(e, e->rulesets[i]);
	while (rf_hashmap_next(e->peers, &it, NULL, NULL, &value)) {
		struct rf_engine_peer *peer = value;

		if (!peer->former)
			continue;
		rf_engine_peer_free(TAKE_PTR(peer->former));
		for (uint32_t i = 1; i < RF_MAX_RULESETS; i++)
			if (e->rulesets[i] && e->rulesets[i]->image && e->rulesets[i]->image->asks_peers)
				(void)member_write(e, e->rulesets[i], peer->id, &peer->view);
		changed = true;
	}
	if (changed)
		rf_engine_caches_drop(e);
}

int rf_engine_peer_set(struct rf_engine *e, uint32_t id, const struct rf_peer_facts *facts, char **ret_error)
{
	struct rf_engine_peer *known = rf_hashmap_get(e->peers, &id, sizeof(id)), *peer = NULL;
	int r = peer_new(id, facts, &peer);

	if (r < 0)
		return r;
	if (known && same_facts(known, peer)) {
		rf_engine_peer_free(peer);
		return 0;
	}
	if (known && e->peers_held) {
		peer_hold(known, peer);
		return 0;
	}
	rf_hashmap_remove(e->peers, &id, sizeof(id));
	r = rf_hashmap_put(e->peers, &id, sizeof(id), peer);
	if (r < 0) {
		rf_engine_peer_free(peer);
		return r;
	}
	for (uint32_t i = 1; r == 0 && i < RF_MAX_RULESETS; i++)
		if (e->rulesets[i] && e->rulesets[i]->image && e->rulesets[i]->image->asks_peers)
			r = member_write(e, e->rulesets[i], id, &peer->view);
	rf_engine_caches_drop(e);
	return r < 0 ? members_error(e, r, ret_error) : 0;
}

void rf_engine_peer_drop(struct rf_engine *e, uint32_t id)
{
	if (!rf_hashmap_remove(e->peers, &id, sizeof(id)))
		return;
	for (uint32_t i = 1; i < RF_MAX_RULESETS; i++)
		if (e->rulesets[i])
			member_remove(e, e->rulesets[i], id);
	rf_engine_caches_drop(e);
}

const struct rf_peer_view *rf_engine_peer_get(const struct rf_engine *e, uint32_t id)
{
	const struct rf_engine_peer *peer = rf_hashmap_get(e->peers, &id, sizeof(id));

	for (size_t i = 0; i < ARRAY_SIZE(constant_peers); i++)
		if (constant_peers[i].id == id)
			return &constant_peers[i].view;
	return peer ? &peer->view : NULL;
}

bool rf_engine_wants_peers(const struct rf_engine *e)
{
	return e->n_asking > 0;
}

static struct rf_address_key address_key(uint8_t family, const uint8_t *addr)
{
	struct rf_address_key key = { .family = family };

	memcpy(key.addr, addr, family == AF_INET6 ? 16 : 4);
	return key;
}

int rf_engine_address_set(struct rf_engine *e, uint8_t family, const uint8_t *addr, uint32_t peer)
{
	struct rf_address_key key = address_key(family, addr);
	uint32_t old;
	bool known = bpf_map_lookup_elem(address_fd(e), &key, &old) == 0;

	if (known && old == peer)
		return 0;
	if (bpf_map_update_elem(address_fd(e), &key, &peer, BPF_ANY) < 0)
		return errno == E2BIG ? -ENOSPC : -errno;
	e->n_addresses += !known;
	rf_engine_caches_drop(e);
	return 0;
}

void rf_engine_address_drop(struct rf_engine *e, uint8_t family, const uint8_t *addr)
{
	struct rf_address_key key = address_key(family, addr);

	if (bpf_map_delete_elem(address_fd(e), &key) < 0)
		return;
	e->n_addresses--;
	rf_engine_caches_drop(e);
}

uint32_t rf_engine_address_get(const struct rf_engine *e, uint8_t family, const uint8_t *addr)
{
	struct rf_address_key key = address_key(family, addr);
	uint32_t peer;

	return bpf_map_lookup_elem(address_fd(e), &key, &peer) < 0 ? RF_PEER_WORLD_ID : peer;
}

void rf_engine_address_each(const struct rf_engine *e,
			    void (*fn)(const struct rf_address_key *key, uint32_t peer, void *arg), void *arg)
{
	struct rf_address_key key, *previous = NULL;
	uint32_t peer;

	while (bpf_map_get_next_key(address_fd(e), previous, &key) == 0) {
		if (bpf_map_lookup_elem(address_fd(e), &key, &peer) == 0)
			fn(&key, peer, arg);
		previous = &key;
	}
}
