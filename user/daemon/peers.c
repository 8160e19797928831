// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses of the host are its interfaces'; those of a workload or pod with a
 * network namespace of its own are read from the files of a process in it. A
 * new cgroup has neither at once: for SOON_TICKS seconds after one came,
 * everything is looked at every second, then every SELDOM_TICKS.
 *
 * Where no rule asks who a peer is, addresses are for accounting alone, and
 * nobody waits for them: everything is looked at SELDOM_TICKS after a change, and
 * every ACCOUNT_TICKS.
 *
 * Until its address is known a pod is the world's to others: rules that allow by
 * what a peer is do not let it in yet.
 */
#include "user/daemon/peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include "user/collect/net_address.h"
#include "user/lib/log.h"

#define SOON_TICKS    5
#define SELDOM_TICKS  10
#define ACCOUNT_TICKS 60

/* An address, who has it and in which namespace it was seen. */
struct claim {
	struct rf_net_address address;
	uint32_t peer;
	uint64_t namespace;
	uint64_t pass; /* the last one that saw it */
	bool disputed; /* told once */
};

struct refresh {
	struct rf_registry *registry;
	struct rf_hashmap *namespaces; /* those seen in this pass */
	struct rf_net_addresses addresses;
	uint64_t host_namespace;
	bool incomplete; /* a process went away while it was looked at: what this pass did not see may be there */
};

static const struct rf_cgroup *pod_of(const struct rf_registry *r, const struct rf_cgroup *c)
{
	const struct rf_cgroup *pod = NULL;

	for (; c && c->identity->pod_uid; c = rf_hashmap_get64(r->cgroups, c->parent_id))
		pod = c;
	return pod;
}

uint32_t rf_peer_id(const struct rf_registry *r, const struct rf_cgroup *c, uint32_t workload)
{
	const struct rf_cgroup *pod = pod_of(r, c);

	return pod ? RF_PEER_POD | (uint32_t)pod->id : workload;
}

int rf_peer_tell(struct rf_registry *r, const struct rf_cgroup *c, const struct rf_workload *w, char **ret_error)
{
	const struct rf_identity *id = c->identity;
	const struct rf_peer_facts facts = { w->tenant, w->namespace, id->pod_name ? id->pod_name : w->short_name, id };

	return rf_engine_peer_set(r->engine, w->peer, &facts, ret_error);
}

/* Seen in another namespace a moment ago, of somebody who is still there: a pod that is gone leaves its address. */
static bool is_disputed(const struct rf_registry *r, const struct claim *claim, uint64_t namespace)
{
	return claim->namespace != namespace && claim->pass + 1 >= r->pass &&
	       rf_engine_peer_get(r->engine, claim->peer);
}

static void address_claim(struct refresh *f, const struct rf_net_address *address, uint32_t peer, uint64_t namespace)
{
	struct rf_registry *r = f->registry;
	struct claim *claim = rf_hashmap_get(r->addresses, address, sizeof(*address));
	char text[INET6_ADDRSTRLEN];
	int error;

	if (claim && is_disputed(r, claim, namespace)) {
		/* Two namespaces say that it is theirs: whoever came first keeps it as long as it is seen there. */
		if (!claim->disputed)
			rf_warn("address %s is in two network namespaces; rules by workload know its first owner alone",
				inet_ntop(address->family, address->addr, text, sizeof(text)));
		claim->disputed = true;
		return;
	}
	if (!claim) {
		claim = calloc(1, sizeof(*claim));
		if (!claim || rf_hashmap_put(r->addresses, address, sizeof(*address), claim) < 0) {
			free(claim);
			return;
		}
		claim->address = *address;
		claim->peer = RF_PEER_NONE_ID;
	}
	claim->pass = r->pass;
	claim->namespace = namespace;
	if (claim->peer == peer)
		return;
	error = rf_engine_address_set(r->engine, address->family, address->addr, peer);
	if (error < 0)
		rf_err_r(error, "cannot tell the kernel whose address %s is (the map holds %d)",
			 inet_ntop(address->family, address->addr, text, sizeof(text)), RF_MAX_ADDRESSES);
	else
		claim->peer = peer;
}

static void host_claim(struct refresh *f)
{
	struct ifaddrs *list = NULL;

	if (getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		struct rf_net_address address = { 0 };

		if (!i->ifa_addr || (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
			continue;
		address.family = i->ifa_addr->sa_family;
		if (address.family == AF_INET)
			memcpy(address.addr, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, 4);
		else
			memcpy(address.addr, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, 16);
		address_claim(f, &address, RF_PEER_HOST_ID, f->host_namespace);
	}
	freeifaddrs(list);
}

uint32_t rf_owner_peer(const struct rf_registry *r, const struct rf_cgroup *c)
{
	const struct rf_cgroup *root = c;

	while (root && !root->root_of)
		root = rf_hashmap_get64(r->cgroups, root->parent_id);
	return root ? root->root_of->peer : rf_peer_id(r, c, RF_PEER_NONE_ID);
}

/* A pod that no policy selects is known by what its files say. */
static void stranger_tell(struct refresh *f, const struct rf_cgroup *c, uint32_t peer)
{
	const struct rf_peer_facts facts = { .identity = c->identity };
	_cleanup_free_ char *error = NULL;

	if (!(peer & RF_PEER_POD))
		return;
	for (const struct rf_cgroup *root = c; root; root = rf_hashmap_get64(f->registry->cgroups, root->parent_id))
		if (root->root_of)
			return;
	if (rf_engine_peer_get(f->registry->engine, peer) && !c->identity->pod_name)
		return;
	if (rf_engine_peer_set(f->registry->engine, peer, &facts, &error) < 0)
		rf_err("%s", error ? error : "out of memory");
}

static void cgroup_claim(struct refresh *f, const struct rf_cgroup *c)
{
	struct rf_registry *r = f->registry;
	uint32_t peer = rf_owner_peer(r, c);
	_cleanup_close_ int fd = -1;
	uint64_t namespace;
	int pid;

	if (peer == RF_PEER_NONE_ID)
		return;
	fd = openat(rf_engine_root_fd(r->engine), c->path + strlen(r->prefix) + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || rf_cgroup_first_process(fd, &pid) < 0)
		return;
	if (rf_net_namespace_read(pid, &namespace) < 0) {
		f->incomplete = true;
		return;
	}
	stranger_tell(f, c, peer);
	if (namespace == f->host_namespace ||
	    rf_hashmap_put(f->namespaces, &namespace, sizeof(namespace), f) == -EEXIST)
		return;
	if (rf_net_addresses_read(pid, &f->addresses) < 0) {
		f->incomplete = true;
		return;
	}
	for (size_t i = 0; i < f->addresses.n; i++)
		address_claim(f, &f->addresses.list[i], peer, namespace);
}

/* What no pass has seen any more, and what an earlier daemon left in the map. */
struct stale {
	struct rf_registry *registry;
	struct rf_net_address *list;
	size_t n;
};

static void stale_note(const struct rf_address_key *key, uint32_t peer, void *arg)
{
	struct stale *stale = arg;
	struct rf_net_address address = { .family = key->family };
	const struct claim *claim;

	(void)peer;
	memcpy(address.addr, key->addr, sizeof(address.addr));
	claim = rf_hashmap_get(stale->registry->addresses, &address, sizeof(address));
	if (claim && claim->pass == stale->registry->pass)
		return;
	if ((stale->n & (stale->n - 1)) == 0) {
		struct rf_net_address *grown = reallocarray(stale->list, stale->n ? stale->n * 2 : 1, sizeof(*grown));

		if (!grown)
			return;
		stale->list = grown;
	}
	stale->list[stale->n++] = address;
}

static void stale_drop(struct rf_registry *r)
{
	struct stale stale = { .registry = r };

	rf_engine_address_each(r->engine, stale_note, &stale);
	for (size_t i = 0; i < stale.n; i++) {
		rf_engine_address_drop(r->engine, stale.list[i].family, stale.list[i].addr);
		rf_hashmap_remove(r->addresses, &stale.list[i], sizeof(stale.list[i]));
	}
	free(stale.list);
}

static bool is_time(struct rf_registry *r)
{
	r->ticks++;
	if (rf_engine_wants_peers(r->engine)) {
		if (!r->soon)
			return r->ticks % SELDOM_TICKS == 0;
		r->soon--;
		return true;
	}
	if (r->ticks % ACCOUNT_TICKS != 0 && (!r->soon || r->ticks % SELDOM_TICKS != 0))
		return false;
	r->soon = 0;
	return true;
}

void rf_peers_look(struct rf_registry *r)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	_cleanup_hashmap_ struct rf_hashmap *namespaces = NULL;
	_cleanup_free_ struct refresh *f = NULL;
	void *value;

	f = calloc(1, sizeof(*f));
	if (!f || rf_hashmap_new(NULL, &namespaces) < 0 || rf_net_namespace_read(getpid(), &f->host_namespace) < 0)
		return;
	f->registry = r;
	f->namespaces = namespaces;
	r->pass++;
	host_claim(f);
	while (rf_hashmap_next(r->cgroups, &it, NULL, NULL, &value))
		cgroup_claim(f, value);
	if (f->incomplete)
		r->soon = MAX(r->soon, 1u);
	else
		stale_drop(r);
}

void rf_peers_refresh(struct rf_registry *r, bool all)
{
	if (all || r->cgroups_changed)
		r->soon = SOON_TICKS;
	r->cgroups_changed = false;
	if (all || is_time(r))
		rf_peers_look(r);
}

uint32_t rf_peers_owner(const struct rf_registry *r, uint8_t family, const uint8_t address[16])
{
	struct rf_net_address key = { .family = family };
	const struct claim *claim;

	memcpy(key.addr, address, family == AF_INET6 ? 16 : 4);
	claim = rf_hashmap_get(r->addresses, &key, sizeof(key));
	return claim ? claim->peer : RF_PEER_NONE_ID;
}
