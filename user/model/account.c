// SPDX-License-Identifier: GPL-2.0-or-later
/* Sums of accounts. A row is nothing but counters, which is what the loops over it rely on. */
#include "user/model/account.h"

#include <assert.h>

#include "user/lib/util.h"

#define ROW_COUNTERS (sizeof(struct rf_account) / sizeof(__u64))
static_assert(sizeof(struct rf_account) == sizeof(__u64) * (RF_VERDICTS * RF_DIRECTIONS * 3 + 6),
	      "a row has something beside its counters");

static const char *const sum_keys[] = {
#define X(id, key) [RF_SUM_##id] = key,
	RF_ACCOUNT_SUMS(X)
#undef X
};

const char *rf_account_sum_key(enum rf_account_sum sum)
{
	return (unsigned int)sum < RF_SUM_COUNT ? sum_keys[sum] : "unknown";
}

/* Of what passed. @member: of struct rf_traffic. */
#define PASSED(row, direction, member) \
	((row)->traffic[RF_ALLOW][direction].member + (row)->traffic[RF_WOULD_DENY][direction].member)

static uint64_t row_value(const struct rf_account *row, enum rf_account_sum sum)
{
	switch (sum) {
	case RF_SUM_CONNECT:
		return PASSED(row, RF_EGRESS, connections);
	case RF_SUM_ACCEPT:
		return PASSED(row, RF_INGRESS, connections);
	case RF_SUM_TX_BYTES:
		return PASSED(row, RF_EGRESS, bytes);
	case RF_SUM_RX_BYTES:
		return PASSED(row, RF_INGRESS, bytes);
	case RF_SUM_TX_PACKETS:
		return PASSED(row, RF_EGRESS, packets);
	case RF_SUM_RX_PACKETS:
		return PASSED(row, RF_INGRESS, packets);
	case RF_SUM_RETRANSMITS:
		return row->retransmits;
	case RF_SUM_RTT_US:
		return row->rtt_us;
	case RF_SUM_RTT_SAMPLES:
		return row->rtt_samples;
	case RF_SUM_DNS_QUERIES:
		return row->dns_queries;
	case RF_SUM_DNS_ANSWERS:
		return row->dns_answers;
	case RF_SUM_DNS_REFUSED:
		return row->dns_refused;
	case RF_SUM_COUNT:
		break;
	}
	return 0;
}

uint64_t rf_account_sum(const struct rf_account *rows, enum rf_account_sum sum)
{
	uint64_t total = 0;

	for (unsigned int class = 0; rows && class < RF_PEER_CLASSES; class ++)
		total += row_value(&rows[class], sum);
	return total;
}

void rf_account_add(struct rf_account *to, const struct rf_account *row)
{
	__u64 *sum = (__u64 *)to;
	const __u64 *value = (const __u64 *)row;

	for (size_t i = 0; i < ROW_COUNTERS; i++)
		sum[i] += value[i];
}

bool rf_account_used(const struct rf_account *row)
{
	const __u64 *value = (const __u64 *)row;

	for (size_t i = 0; i < ROW_COUNTERS; i++)
		if (value[i])
			return true;
	return false;
}
