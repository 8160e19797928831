/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a workload has exchanged with each class of peers, as the kernel counts
 * it (include/ringfence/account_map.h), and the sums that a line has room for.
 */
#ifndef RF_MODEL_ACCOUNT_H
#define RF_MODEL_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "ringfence/account_map.h"

/* X(enum suffix, key): over all peers, of what passed: allowed, or denied in audit mode alone. */
#define RF_ACCOUNT_SUMS(X)            \
	X(CONNECT, "connect")         \
	X(ACCEPT, "accept")           \
	X(TX_BYTES, "tx_bytes")       \
	X(RX_BYTES, "rx_bytes")       \
	X(TX_PACKETS, "tx_packets")   \
	X(RX_PACKETS, "rx_packets")   \
	X(RETRANSMITS, "retransmits") \
	X(RTT_US, "rtt_us")           \
	X(RTT_SAMPLES, "rtt_samples") \
	X(DNS_QUERIES, "dns_queries") \
	X(DNS_ANSWERS, "dns_answers") \
	X(DNS_REFUSED, "dns_refused")

enum rf_account_sum {
#define X(id, key) RF_SUM_##id,
	RF_ACCOUNT_SUMS(X)
#undef X
		RF_SUM_COUNT
};

const char *rf_account_sum_key(enum rf_account_sum sum); /* "tx_bytes" */
/* @rows: RF_PEER_CLASSES of them, NULL: nothing was counted. */
uint64_t rf_account_sum(const struct rf_account *rows, enum rf_account_sum sum);
/* Adds every count of @row to @to. */
void rf_account_add(struct rf_account *to, const struct rf_account *row);
/* Has anything been exchanged with this class of peers? */
bool rf_account_used(const struct rf_account *row);

#endif
