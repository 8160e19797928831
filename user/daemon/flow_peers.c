// SPDX-License-Identifier: GPL-2.0-or-later
/* The peers of recorded flows, by the names that rules know them by. */
#include "user/daemon/flow_peers.h"

#include <errno.h>
#include <sys/socket.h>

#include "user/daemon/peers.h"
#include "user/lib/inet.h"
#include "user/lib/strbuf.h"
#include "user/model/identity_json.h"

/* Somebody who may be gone: everything is its own. */
struct known {
	char *name; /* tenant/namespace/name */
	char *tenant, *namespace, *workload;
	struct rf_identity *identity;
	struct rf_peer_view view;
};

struct rf_flow_peers {
	const struct rf_registry *registry;
	struct rf_hashmap *known; /* name -> struct known */
	int error;
};

static void known_free(void *p)
{
	struct known *k = p;

	if (!k)
		return;
	free(k->name);
	free(k->tenant);
	free(k->namespace);
	free(k->workload);
	rf_identity_free(k->identity);
	free(k);
}

/* As in rf_peer_tell(): a workload is known by its own name, one in a pod by the pod's. */
static struct known *known_new(const char *full_name, const char *identity)
{
	const char *namespace = strchr(full_name, '/'), *workload = namespace ? strchr(namespace + 1, '/') : NULL;
	struct known *k = calloc(1, sizeof(*k));

	if (!k || !workload || rf_identity_from_json(identity, strlen(identity), &k->identity) < 0) {
		known_free(k);
		return NULL;
	}
	k->tenant = strndup(full_name, namespace - full_name);
	k->namespace = strndup(namespace + 1, workload - namespace - 1);
	k->workload = strdup(k->identity->pod_name ? k->identity->pod_name : workload + 1);
	if (!k->tenant || !k->namespace || !k->workload ||
	    asprintf(&k->name, "%s/%s/%s", k->tenant, k->namespace, k->workload) < 0) {
		k->name = NULL;
		known_free(k);
		return NULL;
	}
	k->view = (struct rf_peer_view){ .place = RF_PLACE_WORKLOAD,
					 .facts = { k->tenant, k->namespace, k->workload, k->identity } };
	return k;
}

static void subject_know(const struct rf_flow_subject *subject, void *arg)
{
	struct rf_flow_peers *p = arg;
	struct known *k;

	if (*subject->below)
		return;
	k = known_new(subject->workload, subject->identity);
	/* Of the containers of one pod the first will do: as a peer they are one. */
	if (k && rf_hashmap_put(p->known, k->name, strlen(k->name), k) < 0)
		known_free(k);
}

static void workload_know(struct rf_flow_peers *p, const struct rf_workload *w)
{
	const struct rf_peer_view *view = rf_engine_peer_get(p->registry->engine, w->peer);
	_cleanup_strbuf_ struct rf_strbuf name = RF_STRBUF_INIT;
	struct known *k;

	if (!view || view->place != RF_PLACE_WORKLOAD || !view->facts.tenant)
		return;
	rf_strbuf_addf(&name, "%s/%s/%s", view->facts.tenant, view->facts.namespace, view->facts.workload);
	k = calloc(1, sizeof(*k));
	if (k)
		k->view = *view;
	if (!k || rf_strbuf_error(&name) || rf_hashmap_put(p->known, rf_strbuf_str(&name), name.len, k) < 0)
		known_free(k);
}

int rf_flow_peers_new(const struct rf_registry *r, const struct rf_flow_history *h, struct rf_flow_peers **ret)
{
	_cleanup_flow_peers_ struct rf_flow_peers *p = calloc(1, sizeof(*p));

	if (!p || rf_hashmap_new(known_free, &p->known) < 0)
		return -ENOMEM;
	p->registry = r;
	/* Those that are there go first: they are as they are now. */
	for (uint32_t id = RF_WORKLOAD_FIRST; id < RF_MAX_WORKLOADS; id++)
		if (r->by_id[id] && !r->by_id[id]->retired)
			workload_know(p, r->by_id[id]);
	rf_flow_history_subjects(h, subject_know, p);
	*ret = TAKE_PTR(p);
	return 0;
}

void rf_flow_peers_free(struct rf_flow_peers *p)
{
	if (!p)
		return;
	rf_hashmap_free(p->known);
	free(p);
}

static bool same(const char *a, const char *b)
{
	return a && b && rf_streq(a, b);
}

/* Is it the workload itself, or its pod? */
static bool is_own(const struct rf_flow *flow, const struct rf_identity *own, const struct rf_peer_view *view)
{
	const struct rf_identity *peer = view->facts.identity;

	if (flow->peer && rf_streq(flow->peer, flow->subject->workload))
		return true;
	return view->place == RF_PLACE_WORKLOAD && peer && same(peer->pod_name, own->pod_name) &&
	       same(peer->namespace, own->namespace);
}

void rf_flow_peer_view(const struct rf_flow_peers *p, const struct rf_flow *flow, const struct rf_identity *own,
		       struct rf_peer_view *ret)
{
	const struct known *k = flow->peer ? rf_hashmap_gets(p->known, flow->peer) : NULL;
	const struct rf_peer_view *view = k ? &k->view : NULL;
	uint32_t id;

	if (!view) {
		id = rf_inet_is_loopback(flow->key.family, flow->key.address) ?
			     RF_PEER_HOST_ID :
			     rf_peers_owner(p->registry, flow->key.family, flow->key.address);
		view = rf_engine_peer_get(p->registry->engine, id == RF_PEER_NONE_ID ? RF_PEER_WORLD_ID : id);
	}
	*ret = view ? *view : (struct rf_peer_view){ .place = RF_PLACE_UNKNOWN };
	ret->self = is_own(flow, own, ret);
	ret->name = flow->name;
}
