// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A flow is counted once: by its denial, by its start where the policy asks for
 * flows, else by its connect or accept. Its end adds the bytes.
 */
#include "user/daemon/flows.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "user/daemon/peers.h"
#include "user/daemon/trouble.h"
#include "user/lib/clock.h"
#include "user/lib/inet.h"
#include "user/lib/strbuf.h"

#define WRITE_TICKS 30

static void key_fill(struct rf_flow_key *key, uint8_t family, uint8_t protocol, uint8_t direction, uint16_t local_port,
		     uint16_t remote_port, const uint8_t remote[16])
{
	const uint8_t *mapped = rf_inet_mapped(family, remote);

	key->direction = direction;
	key->protocol = protocol;
	key->port = direction == RF_EGRESS ? remote_port : local_port;
	key->family = family;
	memcpy(key->address, remote, family == AF_INET6 ? 16 : 4);
	if (mapped) {
		key->family = AF_INET;
		memset(key->address, 0, sizeof(key->address));
		memcpy(key->address, mapped, 4);
	}
}

static void flow_read(const struct rf_event_flow *e, struct rf_flow_seen *seen)
{
	key_fill(&seen->key, e->family, e->protocol, e->direction, e->local_port, e->remote_port, e->remote);
	seen->times = 1;
}

static void record_read(const struct rf_event_flow_record *e, struct rf_flow_seen *seen)
{
	key_fill(&seen->key, e->family, e->protocol, e->direction, e->local_port, e->remote_port, e->remote);
	/* A denial of it is an event of its own, which counts; the end counts for nobody but a start that was lost. */
	seen->times = e->header.kind == RF_EVENT_FLOW_START && e->header.verdict == RF_ALLOW;
	if (e->header.kind == RF_EVENT_FLOW_START)
		return;
	seen->tx_bytes = e->tx_bytes;
	seen->rx_bytes = e->rx_bytes;
}

bool rf_flow_seen_from(const struct rf_event_header *event, bool records, struct rf_flow_seen *ret)
{
	*ret = (struct rf_flow_seen){ .verdict = event->verdict };
	switch ((enum rf_event_kind)event->kind) {
	case RF_EVENT_CONNECT:
	case RF_EVENT_ACCEPT:
		if (records)
			return false;
		flow_read((const struct rf_event_flow *)event, ret);
		return true;
	case RF_EVENT_FLOW_DENY:
		flow_read((const struct rf_event_flow *)event, ret);
		return true;
	case RF_EVENT_FLOW_START:
	case RF_EVENT_FLOW_END:
		record_read((const struct rf_event_flow_record *)event, ret);
		return true;
	default:
		return false;
	}
}

/* As rules know the peer: tenant/namespace/name, namespace/name of a pod that no policy selects. */
static bool peer_name(const struct rf_registry *r, const struct rf_flow_key *key, struct rf_strbuf *out)
{
	const struct rf_peer_view *peer = rf_engine_peer_get(r->engine, rf_peers_owner(r, key->family, key->address));
	const struct rf_peer_facts *facts = peer ? &peer->facts : NULL;

	if (!peer || peer->place != RF_PLACE_WORKLOAD)
		return false;
	if (facts->tenant)
		rf_strbuf_addf(out, "%s/%s/%s", facts->tenant, facts->namespace, facts->workload);
	else if (facts->identity && facts->identity->pod_name)
		rf_strbuf_addf(out, "%s/%s", facts->identity->namespace ? facts->identity->namespace : "",
			       facts->identity->pod_name);
	return out->len > 0;
}

static bool is_below(const char *path, const char *root)
{
	size_t len = strlen(root);

	return !strncmp(path, root, len) && (path[len] == '/' || !path[len]);
}

/* Where some flows alone are logged, a connection counts by the event that all of them have. */
static bool is_told_otherwise(const struct rf_image *image, const struct rf_flow_key *key)
{
	enum rf_event_kind kind = key->direction == RF_EGRESS ? RF_EVENT_CONNECT : RF_EVENT_ACCEPT;

	return image && image->flows.sample > 1 && key->protocol == IPPROTO_TCP && image->telemetry & 1u << kind;
}

void rf_flows_event(struct rf_flows *f, struct rf_registry *r, const struct rf_event_header *event)
{
	const struct rf_workload *w = event->workload < RF_MAX_WORKLOADS ? r->by_id[event->workload] : NULL;
	_cleanup_strbuf_ struct rf_strbuf peer = RF_STRBUF_INIT;
	const struct rf_cgroup *cgroup, *root;
	char name[RF_NAME_KEY];
	struct rf_flow_seen seen;

	if (!f->history || !w || !w->name || !rf_flow_seen_from(event, w->image && w->image->flows.sample == 1, &seen))
		return;
	if (event->kind == RF_EVENT_FLOW_START && is_told_otherwise(w->image, &seen.key))
		seen.times = 0;
	cgroup = rf_hashmap_get64(r->cgroups, event->cgroup_id);
	root = rf_registry_cgroup_of(r, w);
	seen.workload = w->name;
	seen.below = "";
	if (cgroup && root && is_below(cgroup->path, root->path))
		seen.below = cgroup->path + strlen(root->path);
	else
		cgroup = root;
	seen.cgroup_id = cgroup ? cgroup->id : 0;
	seen.identity = cgroup ? cgroup->identity : NULL;
	seen.time_ns = rf_clock_boot_to_real(event->time_ns);
	if (peer_name(r, &seen.key, &peer) && !rf_strbuf_error(&peer))
		seen.peer = rf_strbuf_str(&peer);
	if (seen.key.direction == RF_EGRESS &&
	    rf_engine_learnt_name(r->engine, (uint32_t)w->cgroup_id, seen.key.family, seen.key.address, name))
		seen.name = name;
	(void)rf_flow_history_add(f->history, &seen); /* it counts what it could not take */
}

static void trouble_tell(struct rf_flows *f, int r, char *error)
{
	rf_trouble_tell(&f->trouble, r, error, "flows are recorded in memory alone and will not outlive this daemon",
			"flows are recorded in", f->path);
}

static void sync_now(struct rf_flows *f)
{
	char *error = NULL;
	int r = rf_flow_history_sync(f->history, rf_clock_real(), &error);

	f->more = r > 0;
	trouble_tell(f, r, error);
}

int rf_flows_start(struct rf_flows *f, const char *state_dir)
{
	int r;

	if (asprintf(&f->path, "%s/flows.db", state_dir) < 0) {
		f->path = NULL;
		return -ENOMEM;
	}
	r = rf_flow_history_new(RF_MAX_FLOW_HISTORY, f->path, &f->history);
	if (r < 0)
		return r;
	sync_now(f);
	return 0;
}

void rf_flows_tick(struct rf_flows *f)
{
	if (!f->history || (++f->ticks % WRITE_TICKS && !f->more))
		return;
	sync_now(f);
}

void rf_flows_end(struct rf_flows *f)
{
	if (f->history) {
		do
			sync_now(f);
		while (f->more);
	}
	rf_flow_history_free(f->history);
	free(f->path);
	free(f->trouble);
	*f = (struct rf_flows){ 0 };
}
