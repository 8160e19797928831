/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who the peer of a recorded flow was: by the name that was recorded with it,
 * also when it is gone since, else whoever has its address now.
 */
#ifndef RF_DAEMON_FLOW_PEERS_H
#define RF_DAEMON_FLOW_PEERS_H

#include "user/daemon/registry.h"
#include "user/store/flow_history.h"

struct rf_flow_peers;

/* What the registry and the history know of peers now; valid as long as neither changes. */
int rf_flow_peers_new(const struct rf_registry *r, const struct rf_flow_history *h, struct rf_flow_peers **ret);
void rf_flow_peers_free(struct rf_flow_peers *p);
RF_DEFINE_CLEANUP(struct rf_flow_peers, rf_flow_peers_free)
#define _cleanup_flow_peers_ _cleanup_(rf_flow_peers_freep)

/*
 * @own: the identity of the flow's workload. Behind the host's own addresses the kernel asks the socket at the other
 * end, which is gone: it is the host then.
 */
void rf_flow_peer_view(const struct rf_flow_peers *p, const struct rf_flow *flow, const struct rf_identity *own,
		       struct rf_peer_view *ret);

#endif
