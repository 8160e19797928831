// SPDX-License-Identifier: GPL-2.0-or-later
/* Merging and compiling rates, and telling them. */
#include "user/policy/compile_rates.h"

#include <errno.h>
#include <inttypes.h>

#include "user/policy/rule_refs.h"

#define NSEC	     1000000000ULL
/* An ordinary packet, and how many of them make one as large as segmentation offload does. */
#define PACKET_BYTES 1500
#define PACKETS_MIN  45

/* The policy whose value wins, NULL: none has it. */
struct winner {
	const struct rf_policy *policy;
	uint64_t value;
	uint32_t line;
};

static struct winner strictest(const struct rf_policy *const *policies, size_t n, unsigned int kind, enum rf_mode mode)
{
	struct winner w = { NULL, 0, 0 };

	for (size_t i = 0; i < n; i++) {
		const struct rf_policy *p = policies[i];

		if (p->mode == mode && p->rates.of[kind].given && (!w.policy || p->rates.of[kind].value < w.value))
			w = (struct winner){ p, p->rates.of[kind].value, p->rates.of[kind].mark.line };
	}
	return w;
}

/* What only reports has nothing to say where as much is enforced. */
static struct winner winner_of(const struct rf_policy *const *policies, size_t n, unsigned int kind, enum rf_tier tier)
{
	struct winner enforced = strictest(policies, n, kind, RF_MODE_ENFORCE), audited;

	if (tier == RF_TIER_ENFORCE)
		return enforced;
	audited = strictest(policies, n, kind, RF_MODE_AUDIT);
	if (audited.policy && enforced.policy && enforced.value <= audited.value)
		audited.policy = NULL;
	return audited;
}

/* A bucket is never smaller than one large packet. */
static uint64_t burst_ns(uint64_t burst, uint64_t least, uint64_t per_second, enum rf_direction direction)
{
	unsigned __int128 ns;

	if (!burst)
		burst = per_second * (direction == RF_EGRESS ? RF_RATE_BURST_EGRESS_MS : RF_RATE_BURST_INGRESS_MS) /
			1000;
	if (burst < least)
		burst = least;
	ns = (unsigned __int128)burst * NSEC / per_second;
	return ns > UINT32_MAX * NSEC ? UINT32_MAX * NSEC : (uint64_t)ns;
}

void rf_rate_limit_make(struct rf_rate_limit limit[RF_RATE_UNITS], enum rf_direction direction, uint64_t bytes,
			uint64_t packets, uint64_t burst)
{
	if (bytes)
		limit[RF_RATE_BYTES] =
			(struct rf_rate_limit){ bytes, burst_ns(burst, RF_RATE_BURST_MIN, bytes, direction) };
	if (packets)
		limit[RF_RATE_PACKETS] = (struct rf_rate_limit){ packets, burst_ns(burst / PACKET_BYTES, PACKETS_MIN,
										   packets, direction) };
}

static void way_compile(const struct rf_policy *const *policies, size_t n, enum rf_direction direction,
			enum rf_tier tier, struct rf_rates_image *image)
{
	struct rf_rate_limit *limit = image->limits.limit[direction][tier];
	struct winner bytes = winner_of(policies, n, RF_RATE_KIND(direction, RF_RATE_KIND_BYTES), tier),
		      packets = winner_of(policies, n, RF_RATE_KIND(direction, RF_RATE_KIND_PACKETS), tier),
		      burst = strictest(policies, n, RF_RATE_KIND(direction, RF_RATE_KIND_BURST), RF_MODE_ENFORCE);

	if (tier == RF_TIER_AUDIT) {
		struct winner audited =
			strictest(policies, n, RF_RATE_KIND(direction, RF_RATE_KIND_BURST), RF_MODE_AUDIT);

		if (audited.policy && (!burst.policy || audited.value < burst.value))
			burst = audited;
	}
	rf_rate_limit_make(limit, direction, bytes.value, packets.value, burst.value);
	image->shaped |= bytes.policy || packets.policy;
}

static int refs_make(struct rf_rates_image *image, const struct winner *open, const struct winner *rate)
{
	struct rf_rule_source sources[2 * RF_TIERS];
	const struct rf_rule_ref **places[2 * RF_TIERS];
	size_t n = 0;
	int r;

	for (int tier = 0; tier < RF_TIERS; tier++) {
		if (open[tier].policy) {
			places[n] = &image->connections_ref[tier];
			sources[n++] = (struct rf_rule_source){ open[tier].policy, "connections", open[tier].line,
								RF_ACTION_DENY };
		}
		if (rate[tier].policy) {
			places[n] = &image->connection_rate_ref[tier];
			sources[n++] = (struct rf_rule_source){ rate[tier].policy, "connectionsPerSecond",
								rate[tier].line, RF_ACTION_DENY };
		}
	}
	image->connections = n > 0;
	if (!n)
		return 0;
	r = rf_rule_refs_new(sources, n, &image->refs);
	for (size_t i = 0; r >= 0 && i < n; i++)
		*places[i] = &image->refs[i];
	return r;
}

int rf_rates_compile(const struct rf_policy *const *policies, size_t n, struct rf_diags *diags,
		     struct rf_rates_image **ret_image)
{
	_cleanup_rates_image_ struct rf_rates_image *image = calloc(1, sizeof(*image));
	struct winner open[RF_TIERS], rate[RF_TIERS];
	int r;

	if (!image)
		return -ENOMEM;
	for (int tier = 0; tier < RF_TIERS; tier++) {
		for (int direction = 0; direction < RF_DIRECTIONS; direction++)
			way_compile(policies, n, direction, tier, image);
		open[tier] = winner_of(policies, n, RF_RATE_KIND_CONNECTIONS, tier);
		rate[tier] = winner_of(policies, n, RF_RATE_KIND_CONNECTION_RATE, tier);
		image->limits.connections[tier] = open[tier].policy ? open[tier].value : RF_CONNECTIONS_ANY;
		image->limits.connections_per_second[tier] = rate[tier].policy ? rate[tier].value : 0;
	}
	r = refs_make(image, open, rate);
	if (r < 0)
		return r;
	r = rf_rule_rates_compile(policies, n, diags, image);
	if (r < 0)
		return r;
	*ret_image = image->shaped || image->connections || image->n_rules ? TAKE_PTR(image) : NULL;
	return 0;
}

void rf_rates_image_free(struct rf_rates_image *image)
{
	if (!image)
		return;
	rf_rule_rates_fini(image);
	free(image->refs);
	free(image);
}

const struct rf_rule_ref *rf_rates_ref(const struct rf_rates_image *image, enum rf_tier tier, uint16_t rule)
{
	if (!image || (unsigned int)tier >= RF_TIERS)
		return NULL;
	if (rule == RF_RULE_CONNECTIONS)
		return image->connections_ref[tier];
	return rule == RF_RULE_CONNECTION_RATE ? image->connection_rate_ref[tier] : NULL;
}

static const struct {
	const char *name;
	unsigned int kind;
} shown[] = {
	{ "egress bytesPerSecond", RF_RATE_KIND(RF_EGRESS, RF_RATE_KIND_BYTES) },
	{ "egress packetsPerSecond", RF_RATE_KIND(RF_EGRESS, RF_RATE_KIND_PACKETS) },
	{ "egress burst", RF_RATE_KIND(RF_EGRESS, RF_RATE_KIND_BURST) },
	{ "ingress bytesPerSecond", RF_RATE_KIND(RF_INGRESS, RF_RATE_KIND_BYTES) },
	{ "ingress packetsPerSecond", RF_RATE_KIND(RF_INGRESS, RF_RATE_KIND_PACKETS) },
	{ "ingress burst", RF_RATE_KIND(RF_INGRESS, RF_RATE_KIND_BURST) },
	{ "connectionsPerSecond", RF_RATE_KIND_CONNECTION_RATE },
	{ "connections", RF_RATE_KIND_CONNECTIONS },
};

void rf_rates_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out)
{
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		for (int tier = 0; tier < RF_TIERS; tier++) {
			struct winner w = winner_of(policies, n, shown[i].kind, tier);

			if (!w.policy)
				continue;
			rf_strbuf_adds(out, any ? "" : "\nrates:\n");
			any = true;
			rf_strbuf_addf(out, "  %s%s %" PRIu64 "  (%s, %s:%u)\n",
				       tier == RF_TIER_AUDIT ? "in audit, " : "", shown[i].name, w.value,
				       w.policy->name, w.policy->file, w.line);
		}
	}
	if (!any)
		rf_strbuf_adds(out, "\nrates: no policy limits the workload as a whole\n");
}
