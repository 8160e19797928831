/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses are whose, told to the kernel while some policy chooses peers by what they are. */
#ifndef RF_DAEMON_PEERS_H
#define RF_DAEMON_PEERS_H

#include "user/daemon/registry.h"

/* Who this cgroup's workload is as a peer: the pod it is in, else the workload. */
uint32_t rf_peer_id(const struct rf_registry *r, const struct rf_cgroup *c, uint32_t workload);
/* The same of the workload that @c belongs to as planned; without one, of its pod. */
uint32_t rf_owner_peer(const struct rf_registry *r, const struct rf_cgroup *c);
/* Tells the engine what @w is. */
int rf_peer_tell(struct rf_registry *r, const struct rf_cgroup *c, const struct rf_workload *w, char **ret_error);

/* Looks who has which address now. @all: now, else when it is time (see peers.c). */
void rf_peers_refresh(struct rf_registry *r, bool all);

/*
 * The same now, whether a rule set asks or not: for one who asks what a peer would be. What no rule set asks for is
 * forgotten with the next refresh.
 */
void rf_peers_look(struct rf_registry *r);
/* Who was last seen to have the address, without asking the kernel; RF_PEER_NONE_ID: nobody. */
uint32_t rf_peers_owner(const struct rf_registry *r, uint8_t family, const uint8_t address[16]);

#endif
