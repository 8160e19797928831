// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The database is read again for every apply that wants it if the file is
 * another one. One that cannot be read leaves the one that could in memory:
 * a policy that is in force does not lose its countries to a broken download.
 */
#include "user/daemon/geo.h"

#include <errno.h>

#include "ringfence/workload_map.h"
#include "user/lib/clock.h"
#include "user/lib/log.h"

static void list_unref(void *list)
{
	rf_cidr_list_unref(list);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* 0: @state has what is at @path now. Else it is as before, and @ret_error says why. */
static int database_open(struct rf_geo_state *state, const char *path, char **ret_error)
{
	struct rf_hashmap *countries = NULL;
	struct rf_geo *geo = NULL;
	struct stat st;
	int r;

	memset(&st, 0, sizeof(st));
	if (stat(path, &st) == 0 && state->geo && same_file(&st, &state->file))
		return 0;
	state->tried = st;
	r = rf_geo_open(path, &geo, ret_error);
	if (r >= 0)
		r = rf_hashmap_new(list_unref, &countries);
	if (r < 0) {
		rf_geo_free(geo);
		return r;
	}
	rf_geo_state_fini(state);
	*state = (struct rf_geo_state){ .geo = geo, .file = st, .tried = st, .countries = countries };
	return 0;
}

/* "DE,FR" was checked by the parser. */
static size_t countries_split(const char *text, char (*ret)[3])
{
	size_t n = 0;

	for (; n < RF_MAX_COUNTRIES; text += 3) {
		memcpy(ret[n], text, 2);
		ret[n++][2] = '\0';
		if (!text[2])
			break;
	}
	return n;
}

/* @ret_unknown: the country that the database does not have, with -ENOENT. */
static int country_get(struct rf_geo_state *state, const char *text, struct rf_cidr_list **ret, char ret_unknown[3])
{
	struct rf_cidr_list *known = rf_hashmap_gets(state->countries, text);
	char countries[RF_MAX_COUNTRIES][3];
	_cleanup_free_ struct rf_cidr *list = NULL;
	size_t n, unknown = 0;
	int r;

	if (known) {
		*ret = rf_cidr_list_ref(known);
		return 0;
	}
	r = rf_geo_countries(state->geo, (const char(*)[3])countries, countries_split(text, countries), &list, &n,
			     &unknown);
	if (r == -ENOENT)
		memcpy(ret_unknown, countries[unknown], 3);
	if (r < 0)
		return r;
	known = rf_cidr_list_new(list, n);
	if (!known)
		return -ENOMEM;
	r = rf_hashmap_put(state->countries, text, strlen(text), known);
	if (r < 0) {
		rf_cidr_list_unref(known);
		return r;
	}
	*ret = rf_cidr_list_ref(known);
	return 0;
}

struct resolve {
	struct rf_geo_state *state;
	const char *path;
	const struct rf_sources *sources;
	struct rf_diags *diags;
	char *error; /* why there is no database; NULL: there is one */
	int result;
};

/* One diagnostic: an error, or a warning where the policy says that it can do without. */
static void tell(struct resolve *v, const struct rf_policy *p, const struct rf_peer *peer, const char *what)
{
	const struct rf_source *source = rf_sources_find(v->sources, p->file);

	rf_diags_add(v->diags, p->geo_skip ? RF_SEVERITY_WARNING : RF_SEVERITY_ERROR, p->file, peer->mark, 0,
		     source ? source->text : NULL, source ? source->len : 0,
		     p->geo_skip ? "network.geo.ifUnavailable: skip is set: the peer matches nobody" :
				   "ringfenced --geo-database FILE names it; network.geo.ifUnavailable: skip does "
				   "without",
		     "policy %s chooses peers by country: %s", p->name, what);
	if (!p->geo_skip)
		v->result = -EINVAL;
}

/* Why the database must not be used for @p; false: it may. */
static bool is_unfit(const struct resolve *v, const struct rf_policy *p, struct rf_strbuf *why)
{
	uint64_t now = rf_clock_real() / RF_NSEC_PER_SEC, built;

	if (v->error) {
		rf_strbuf_adds(why, v->error);
		return true;
	}
	built = rf_geo_built(v->state->geo);
	if (!p->geo_max_age_ns || now < built || now - built <= p->geo_max_age_ns / RF_NSEC_PER_SEC)
		return false;
	rf_strbuf_addf(why, "%s is %llu days old, and maxAge is %llu days", v->path,
		       (unsigned long long)((now - built) / 86400),
		       (unsigned long long)(p->geo_max_age_ns / RF_NSEC_PER_SEC / 86400));
	return true;
}

static int policy_resolve(struct resolve *v, struct rf_policy *p)
{
	_cleanup_strbuf_ struct rf_strbuf why = RF_STRBUF_INIT;
	bool unfit = is_unfit(v, p, &why), told = false;

	for (int direction = 0; direction < RF_DIRECTIONS; direction++) {
		for (size_t i = 0; i < p->network[direction].n_rules; i++) {
			struct rf_network_rule *rule = &p->network[direction].rules[i];

			for (size_t k = 0; k < rule->n_peers; k++) {
				struct rf_peer *peer = &rule->peers[k];
				struct rf_cidr_list *list = NULL;
				char unknown[3];
				int r;

				if (peer->kind != RF_PEER_COUNTRY)
					continue;
				v->state->wanted = true;
				r = unfit ? 0 : country_get(v->state, peer->text, &list, unknown);
				if (r < 0 && r != -ENOENT)
					return r;
				if (r == -ENOENT) {
					_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

					rf_strbuf_addf(&text, "%s has no country %s", v->path, unknown);
					tell(v, p, peer, rf_strbuf_str(&text));
				} else if (unfit && !told) {
					tell(v, p, peer, rf_strbuf_str(&why));
					told = true;
				}
				rf_cidr_list_unref(peer->country);
				peer->country = list;
			}
		}
	}
	return 0;
}

static bool has_country(const struct rf_policy *p)
{
	for (size_t i = 0; i < p->n_requirements; i++)
		if (p->requirements[i].feature == RF_FEATURE_NETWORK_COUNTRIES)
			return true;
	return false;
}

int rf_geo_resolve(struct rf_geo_state *state, const char *path, struct rf_policy_set *set,
		   const struct rf_sources *sources, struct rf_diags *diags)
{
	struct resolve v = { .state = state, .path = path, .sources = sources, .diags = diags };
	bool opened = false;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < set->n; i++) {
		if (!has_country(set->policies[i]))
			continue;
		if (!opened) {
			/* A broken file is told; what was read before it still serves. */
			r = database_open(state, path, &v.error);
			if (r < 0 && state->geo) {
				rf_err("%s; the database that was read before is still used", v.error);
				free(v.error);
				v.error = NULL;
			}
			if (r < 0 && !state->geo && !v.error)
				return r;
			opened = true;
		}
		r = policy_resolve(&v, set->policies[i]);
	}
	free(v.error);
	if (!opened)
		rf_geo_state_fini(state);
	return r < 0 ? r : v.result;
}

bool rf_geo_changed(const struct rf_geo_state *state, const char *path)
{
	struct stat st;

	return state->wanted && stat(path, &st) == 0 && !same_file(&st, &state->tried);
}

void rf_geo_state_fini(struct rf_geo_state *state)
{
	rf_geo_free(state->geo);
	rf_hashmap_free(state->countries);
	*state = (struct rf_geo_state){ 0 };
}
