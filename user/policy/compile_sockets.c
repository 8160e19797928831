// SPDX-License-Identifier: GPL-2.0-or-later
/* Merging and compiling sockets, and telling them. */
#include "user/policy/compile_sockets.h"

#include <errno.h>

#include "user/model/sockets.h"
#include "user/policy/rule_refs.h"

static enum rf_socket_kind kind_of(unsigned int rule)
{
	return rule < RF_SOCKET_NETLINK ? (enum rf_socket_kind)rule : RF_SOCKET_NETLINK;
}

static bool is_denied(const struct rf_socket_limits *limits, unsigned int rule)
{
	unsigned int family = rule - RF_SOCKET_NETLINK;

	if (!(limits->deny & 1u << kind_of(rule)))
		return false;
	return rule < RF_SOCKET_NETLINK || family >= RF_NETLINK_FAMILIES || !(limits->netlink & 1u << family);
}

/* The audited tier has something to say where a policy in mode audit has the section. */
static struct rf_socket_limits tier_merge(const struct rf_policy *const *policies, size_t n, enum rf_tier tier)
{
	struct rf_socket_limits all = { .netlink = UINT32_MAX };
	bool audit = false;

	for (size_t i = 0; i < n; i++) {
		const struct rf_socket_limits *limits = &policies[i]->sockets.limits;

		if (!limits->deny || !rf_tier_takes(tier, policies[i]))
			continue;
		audit |= policies[i]->mode == RF_MODE_AUDIT;
		all.deny |= limits->deny;
		if (limits->deny & 1u << RF_SOCKET_NETLINK)
			all.netlink &= limits->netlink;
	}
	if (!all.deny || (tier == RF_TIER_AUDIT && !audit))
		return (struct rf_socket_limits){ 0 };
	if (!(all.deny & 1u << RF_SOCKET_NETLINK))
		all.netlink = 0;
	return all;
}

/* The first that denies what @rule stands for. */
static const struct rf_policy *denier(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
				      unsigned int rule)
{
	for (size_t i = 0; i < n; i++)
		if (rf_tier_takes(tier, policies[i]) && is_denied(&policies[i]->sockets.limits, rule))
			return policies[i];
	return NULL;
}

static int refs_make(const struct rf_policy *const *policies, size_t n, struct rf_sockets_image *image)
{
	char names[RF_SOCKET_RULES][RF_SOCKET_RULE_NAME];
	struct rf_rule_source sources[RF_TIERS * RF_SOCKET_RULES];
	const struct rf_rule_ref **places[RF_TIERS * RF_SOCKET_RULES];
	size_t count = 0;
	int r;

	for (int tier = 0; tier < RF_TIERS; tier++) {
		for (unsigned int rule = 0; rule < RF_SOCKET_RULES; rule++) {
			const struct rf_policy *p;

			if (!is_denied(&image->limits[tier], rule))
				continue;
			p = denier(policies, n, tier, rule);
			places[count] = &image->ref[tier][rule];
			sources[count++] = (struct rf_rule_source){ p, rf_socket_rule_name(rule, names[rule]),
								    p->sockets.mark[kind_of(rule)].line,
								    RF_ACTION_DENY };
		}
	}
	r = rf_rule_refs_new(sources, count, &image->refs);
	for (size_t i = 0; r >= 0 && i < count; i++)
		*places[i] = &image->refs[i];
	return r;
}

int rf_sockets_compile(const struct rf_policy *const *policies, size_t n, struct rf_sockets_image **ret_image)
{
	_cleanup_sockets_image_ struct rf_sockets_image *image = calloc(1, sizeof(*image));
	uint32_t deny = 0;
	int r;

	if (!image)
		return -ENOMEM;
	for (int tier = 0; tier < RF_TIERS; tier++) {
		image->limits[tier] = tier_merge(policies, n, tier);
		deny |= image->limits[tier].deny;
	}
	if (!deny) {
		*ret_image = NULL;
		return 0;
	}
	r = refs_make(policies, n, image);
	if (r < 0)
		return r;
	*ret_image = TAKE_PTR(image);
	return 0;
}

void rf_sockets_image_free(struct rf_sockets_image *image)
{
	if (!image)
		return;
	free(image->refs);
	free(image);
}

const struct rf_rule_ref *rf_sockets_ref(const struct rf_sockets_image *image, enum rf_tier tier, uint16_t rule)
{
	if (!image || (unsigned int)tier >= RF_TIERS || rule >= RF_SOCKET_RULES)
		return NULL;
	return image->ref[tier][rule];
}

static void netlink_show(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
			 const struct rf_socket_limits *limits, struct rf_strbuf *out)
{
	const char *comma = "";

	rf_strbuf_adds(out, limits->netlink ? "allow of netlink only" : "deny netlink");
	for (size_t i = 0; rf_netlink_names[i]; i++)
		if (limits->netlink & 1u << rf_netlink_parse(rf_netlink_names[i]))
			rf_strbuf_addf(out, " %s", rf_netlink_names[i]);
	rf_strbuf_adds(out, "  (");
	for (size_t i = 0; i < n; i++) {
		const struct rf_policy *p = policies[i];

		if (!rf_tier_takes(tier, p) || !(p->sockets.limits.deny & 1u << RF_SOCKET_NETLINK))
			continue;
		rf_strbuf_addf(out, "%s%s, %s:%u", comma, p->name, p->file, p->sockets.mark[RF_SOCKET_NETLINK].line);
		comma = "; ";
	}
	rf_strbuf_adds(out, ")\n");
}

/* What only reports is shown where it is more than what is enforced. */
static void kind_show(const struct rf_policy *const *policies, size_t n, enum rf_tier tier, enum rf_socket_kind kind,
		      const struct rf_socket_limits limits[RF_TIERS], struct rf_strbuf *out)
{
	bool enforced = limits[RF_TIER_ENFORCE].deny & 1u << kind;
	const struct rf_policy *p;

	if (!(limits[tier].deny & 1u << kind))
		return;
	if (tier == RF_TIER_AUDIT && enforced &&
	    (kind != RF_SOCKET_NETLINK || limits[RF_TIER_ENFORCE].netlink == limits[RF_TIER_AUDIT].netlink))
		return;
	rf_strbuf_adds(out, tier == RF_TIER_AUDIT ? "  in audit, " : "  ");
	if (kind == RF_SOCKET_NETLINK) {
		netlink_show(policies, n, tier, &limits[tier], out);
		return;
	}
	p = denier(policies, n, tier, kind);
	rf_strbuf_addf(out, "deny %s  (%s, %s:%u)\n", rf_socket_kind_names[kind], p->name, p->file,
		       p->sockets.mark[kind].line);
}

void rf_sockets_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out)
{
	struct rf_socket_limits limits[RF_TIERS];

	for (int tier = 0; tier < RF_TIERS; tier++)
		limits[tier] = tier_merge(policies, n, tier);
	if (!limits[RF_TIER_ENFORCE].deny && !limits[RF_TIER_AUDIT].deny) {
		rf_strbuf_adds(out, "\nsockets: no policy speaks of them: all allowed\n");
		return;
	}
	rf_strbuf_adds(out, "\nsockets:\n");
	for (int kind = 0; kind < RF_SOCKET_KINDS; kind++)
		for (int tier = 0; tier < RF_TIERS; tier++)
			kind_show(policies, n, tier, kind, limits, out);
}
