// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both sides take the road of an apply as far as the images (read, parse, what
 * this host can do, countries), and leave it there.
 */
#include "user/daemon/policy_diff.h"

#include <arpa/inet.h>
#include <errno.h>

#include "user/daemon/commands.h"
#include "user/daemon/flow_peers.h"
#include "user/daemon/peers.h"
#include "user/daemon/require.h"
#include "user/daemon/shadow.h"
#include "user/lib/clock.h"
#include "user/model/identity_json.h"
#include "user/model/selector.h"

struct side {
	struct rf_policy_set *own;	 /* NULL: what is in force */
	const struct rf_policy_set *set; /* sorted */
	struct rf_sources sources;
	struct rf_geo_state geo;
	struct rf_diags diags;
	struct rf_shadow *shadow;
};

/* A subject as both sides see it. */
struct judged {
	struct rf_identity *identity; /* NULL: it cannot be read */
	const struct rf_image *old, *new;
};

struct result {
	const struct rf_flow *flow;
	struct rf_flow_answer old, new;
	enum rf_flow_change change;
	enum rf_peer_place place;
};

struct diff {
	struct rf_app *app;
	const struct rf_request *request;
	uint64_t now_ns;
	struct side old, new;
	struct rf_hashmap *live;     /* path -> struct rf_identity */
	struct rf_hashmap *subjects; /* id of a subject -> struct judged */
	struct rf_flow_peers *peers;
	struct result *results;
	size_t n, flows, left_out;
	size_t counts[RF_CHANGES];
	int error;
};

enum rf_flow_change rf_flow_change(enum rf_verdict old, enum rf_verdict new)
{
	if ((old == RF_DENY) != (new == RF_DENY))
		return new == RF_DENY ? RF_CHANGE_DENIED : RF_CHANGE_ALLOWED;
	if (old == new)
		return RF_CHANGE_NONE;
	return new == RF_WOULD_DENY ? RF_CHANGE_REPORTED : RF_CHANGE_UNREPORTED;
}

static void side_fini(struct side *s)
{
	rf_shadow_free(s->shadow);
	rf_policy_set_free(s->own);
	rf_sources_fini(&s->sources);
	rf_geo_state_fini(&s->geo);
	rf_diags_fini(&s->diags);
}

static void judged_free(void *p)
{
	struct judged *j = p;

	if (j)
		rf_identity_free(j->identity);
	free(j);
}

static void diff_fini(struct diff *d)
{
	free(d->results);
	rf_flow_peers_free(d->peers);
	rf_hashmap_free(d->subjects);
	side_fini(&d->old);
	side_fini(&d->new);
	rf_hashmap_free(d->live);
}

/* @path NULL: what is in force. @below: what it is laid over, NULL: nothing. */
static int side_read(struct rf_app *app, const char *path, const struct rf_sources *below, struct side *s,
		     char **ret_error)
{
	int r = 0;

	if (!path) {
		s->set = app->registry->set;
		if (s->set)
			return rf_sources_copy(&s->sources, &app->sources);
		*ret_error = strdup("what is in force was left by an earlier ringfenced, and its files are not known");
		return -ENOENT;
	}
	if (below)
		r = rf_sources_copy(&s->sources, below);
	if (r >= 0)
		r = rf_sources_overlay(&s->sources, path, ret_error);
	/* All is parsed anew: what is looked up for it must not change what is in force. */
	if (r >= 0)
		r = rf_sources_parse(&s->sources, NULL, NULL, &s->own, &s->diags);
	if (r >= 0)
		r = rf_require_check(app->engine, s->own, &s->sources, &s->diags);
	if (r >= 0)
		rf_require_accelerators(&app->accelerators.known, s->own, &s->sources, &s->diags);
	if (r >= 0)
		r = rf_geo_resolve(&s->geo, app->options.geo_database, s->own, &s->sources, &s->diags);
	s->set = s->own;
	return r;
}

static bool asks_peers(const struct rf_policy_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		for (int direction = 0; direction < RF_DIRECTIONS; direction++)
			for (size_t k = 0; k < set->policies[i]->network[direction].n_rules; k++) {
				const struct rf_network_rule *rule = &set->policies[i]->network[direction].rules[k];

				for (size_t p = 0; p < rule->n_peers; p++)
					if (rule->peers[p].kind >= RF_PEER_WORKLOAD)
						return true;
			}
	return false;
}

static int live_fill(struct diff *d)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;
	int r = rf_hashmap_new(NULL, &d->live);

	while (r >= 0 && rf_hashmap_next(d->app->registry->cgroups, &it, NULL, NULL, &value)) {
		const struct rf_cgroup *c = value;

		r = rf_hashmap_set(d->live, c->path, strlen(c->path), c->identity);
	}
	return r;
}

static int judged_get(struct diff *d, const struct rf_flow_subject *subject, const struct judged **ret)
{
	struct judged *j = rf_hashmap_get64(d->subjects, subject->id);
	int r = 0;

	if (!j) {
		j = calloc(1, sizeof(*j));
		r = j ? rf_hashmap_put(d->subjects, &subject->id, sizeof(subject->id), j) : -ENOMEM;
		if (r < 0) {
			free(j);
			return r;
		}
		r = rf_identity_from_json(subject->identity, strlen(subject->identity), &j->identity);
		if (r == -EBADMSG)
			r = 0;
		if (j->identity)
			r = rf_shadow_image(d->old.shadow, j->identity, &d->old.diags, &j->old);
		if (j->identity && r >= 0)
			r = rf_shadow_image(d->new.shadow, j->identity, &d->new.diags, &j->new);
	}
	*ret = j;
	return r;
}

static void flow_judge(const struct rf_flow *flow, void *arg)
{
	struct diff *d = arg;
	struct result *result = &d->results[d->n];
	const struct judged *j;
	struct rf_peer_view peer;
	struct rf_flow_query query = { .direction = flow->key.direction,
				       .family = flow->key.family,
				       .protocol = flow->key.protocol,
				       .port = flow->key.port,
				       .address = flow->key.address,
				       .peer = &peer };

	if (d->error < 0 || flow->last_ns + d->request->since_s * RF_NSEC_PER_SEC < d->now_ns)
		return;
	if (d->request->workload && !rf_glob_match(d->request->workload, flow->subject->workload, 0))
		return;
	d->error = judged_get(d, flow->subject, &j);
	if (d->error < 0)
		return;
	if (!j->identity) {
		d->left_out++;
		return;
	}
	rf_flow_peer_view(d->peers, flow, j->identity, &peer);
	*result = (struct result){ .flow = flow,
				   .old = rf_image_judge(j->old, &query),
				   .new = rf_image_judge(j->new, &query),
				   .place = peer.place };
	result->change = rf_flow_change(result->old.verdict, result->new.verdict);
	d->flows++;
	d->counts[result->change]++;
	if (d->request->all || result->change != RF_CHANGE_NONE)
		d->n++;
}

static int result_compare(const void *a, const void *b)
{
	const struct result *x = a, *y = b;
	int r;

	if (x->change != y->change)
		return x->change < y->change ? -1 : 1;
	if (x->flow->times != y->flow->times)
		return x->flow->times > y->flow->times ? -1 : 1;
	r = strcmp(x->flow->subject->workload, y->flow->subject->workload);
	return r ? r : memcmp(&x->flow->key, &y->flow->key, sizeof(x->flow->key));
}

static void answer_json(struct rf_json *j, const char *key, const struct rf_flow_answer *answer)
{
	const struct rf_rule_ref *ref = answer->ref;

	rf_json_object(j, key);
	rf_json_string(j, "verdict", rf_verdict_name(answer->verdict));
	rf_json_string(j, "policy", ref ? ref->policy : NULL);
	rf_json_string(j, "rule", ref ? ref->rule : NULL);
	rf_json_string(j, "file", ref ? ref->file : NULL);
	rf_json_u64(j, "line", ref ? ref->line : 0);
	rf_json_object_end(j);
}

static void result_json(struct rf_strbuf *out, const struct diff *d, const struct result *result)
{
	static const char *const changes[] = {
		[RF_CHANGE_DENIED] = "newly-denied",	 [RF_CHANGE_ALLOWED] = "newly-allowed",
		[RF_CHANGE_REPORTED] = "newly-reported", [RF_CHANGE_UNREPORTED] = "no-longer-reported",
		[RF_CHANGE_NONE] = "unchanged",
	};
	static const char *const places[] = {
		[RF_PLACE_UNKNOWN] = "unknown",
		[RF_PLACE_WORLD] = "world",
		[RF_PLACE_HOST] = "host",
		[RF_PLACE_WORKLOAD] = "workload",
	};
	const struct rf_flow *flow = result->flow;
	char address[INET6_ADDRSTRLEN] = "", protocol[8];
	struct rf_json j;

	rf_json_init(&j, out);
	rf_json_object(&j, NULL);
	rf_json_string(&j, "change", changes[result->change]);
	rf_json_string(&j, "workload", flow->subject->workload);
	rf_json_string(&j, "below", flow->subject->below);
	rf_json_string(&j, "direction", flow->key.direction == RF_EGRESS ? "egress" : "ingress");
	rf_json_string(&j, "protocol", rf_protocol_name(flow->key.protocol, protocol));
	rf_json_u64(&j, "port", flow->key.port);
	rf_json_object(&j, "peer");
	rf_json_string(&j, "address", inet_ntop(flow->key.family, flow->key.address, address, sizeof(address)));
	rf_json_string(&j, "place", places[result->place]);
	rf_json_string(&j, "workload", flow->peer);
	rf_json_string(&j, "name", flow->name);
	rf_json_object_end(&j);
	rf_json_string(&j, "recorded", rf_verdict_name(flow->verdict));
	answer_json(&j, "old", &result->old);
	answer_json(&j, "new", &result->new);
	rf_json_u64(&j, "times", flow->times);
	rf_json_u64(&j, "tx_bytes", flow->tx_bytes);
	rf_json_u64(&j, "rx_bytes", flow->rx_bytes);
	rf_json_time(&j, "first", flow->first_ns);
	rf_json_time(&j, "last", flow->last_ns);
	rf_json_u64(&j, "last_s", flow->last_ns < d->now_ns ? (d->now_ns - flow->last_ns) / RF_NSEC_PER_SEC : 0);
	rf_json_object_end(&j);
	rf_strbuf_addc(out, '\n');
}

static bool has_policy(const struct rf_policy_set *set, const struct rf_policy *p)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct rf_policy *other = set->policies[i];

		if (rf_streq(other->name, p->name) && rf_streq(other->namespace, p->namespace) &&
		    rf_streq(other->tenant, p->tenant))
			return true;
	}
	return false;
}

static size_t policies_missing(const struct diff *d)
{
	size_t missing = 0;

	/* Of sets so large nobody forgets a file by mistake. */
	if (d->old.set->n > 4096)
		return 0;
	for (size_t i = 0; i < d->old.set->n; i++)
		missing += !has_policy(d->new.set, d->old.set->policies[i]);
	return missing;
}

/* Else nothing is known of a workload's flows but what was denied. */
static bool tells_flows(const struct rf_image *image)
{
	return image->flows.sample || image->telemetry & (1u << RF_EVENT_CONNECT | 1u << RF_EVENT_ACCEPT);
}

static size_t workloads_silent(const struct rf_registry *r)
{
	size_t silent = 0;

	for (uint32_t id = RF_WORKLOAD_FIRST; id < RF_MAX_WORKLOADS; id++) {
		const struct rf_workload *w = r->by_id[id];

		silent += w && !w->retired && w->image && !tells_flows(w->image);
	}
	return silent;
}

static void summary_json(struct rf_strbuf *out, const struct diff *d)
{
	_cleanup_strbuf_ struct rf_strbuf warnings = RF_STRBUF_INIT;
	struct rf_flow_history_stats stats;
	struct rf_json j;

	rf_flow_history_stats(d->app->flows.history, &stats);
	rf_json_init(&j, out);
	rf_json_object(&j, NULL);
	rf_json_bool(&j, "ok", true);
	rf_json_object(&j, "summary");
	rf_json_u64(&j, "since_s", d->request->since_s);
	rf_json_u64(&j, "flows", d->flows);
	rf_json_u64(&j, "newly_denied", d->counts[RF_CHANGE_DENIED]);
	rf_json_u64(&j, "newly_allowed", d->counts[RF_CHANGE_ALLOWED]);
	rf_json_u64(&j, "newly_reported", d->counts[RF_CHANGE_REPORTED]);
	rf_json_u64(&j, "no_longer_reported", d->counts[RF_CHANGE_UNREPORTED]);
	rf_json_u64(&j, "unchanged", d->counts[RF_CHANGE_NONE]);
	rf_json_u64(&j, "left_out", d->left_out);
	rf_json_u64(&j, "policies_missing", policies_missing(d));
	rf_json_u64(&j, "workloads", d->app->registry->n_workloads);
	rf_json_u64(&j, "workloads_silent", workloads_silent(d->app->registry));
	rf_json_u64(&j, "dropped", stats.dropped);
	rf_json_bool(&j, "stored", stats.stored);
	rf_json_object_end(&j);
	if (d->old.diags.n)
		rf_diags_print(&d->old.diags, &warnings, false);
	if (d->new.diags.n)
		rf_diags_print(&d->new.diags, &warnings, false);
	if (warnings.len)
		rf_json_string(&j, "diags", rf_strbuf_str(&warnings));
	rf_json_object_end(&j);
	rf_strbuf_addc(out, '\n');
}

static int diff_judge(struct diff *d)
{
	const struct rf_flow_history *history = d->app->flows.history;
	struct rf_registry *registry = d->app->registry;
	struct rf_flow_history_stats stats;
	int r;

	if (!rf_engine_wants_peers(d->app->engine) && (asks_peers(d->old.set) || asks_peers(d->new.set)))
		rf_peers_look(registry);
	rf_flow_history_stats(history, &stats);
	/* One more than there can be: the last one is written before it is counted. */
	d->results = calloc(stats.rows + 1, sizeof(*d->results));
	if (!d->results)
		return -ENOMEM;
	r = live_fill(d);
	if (r >= 0)
		r = rf_hashmap_new(judged_free, &d->subjects);
	if (r >= 0)
		r = rf_shadow_new(d->old.set, registry->prefix, d->live, &d->old.shadow);
	if (r >= 0)
		r = rf_shadow_new(d->new.set, registry->prefix, d->live, &d->new.shadow);
	if (r >= 0)
		r = rf_flow_peers_new(registry, history, &d->peers);
	if (r < 0)
		return r;
	rf_flow_history_each(history, flow_judge, d);
	if (d->error >= 0 && d->n)
		qsort(d->results, d->n, sizeof(*d->results), result_compare);
	return d->error;
}

/* Of the side that is wrong, what is wrong with it. */
static void refuse(struct rf_strbuf *out, int r, const char *which, const struct side *side, const char *error)
{
	_cleanup_strbuf_ struct rf_strbuf diags = RF_STRBUF_INIT, text = RF_STRBUF_INIT;

	if (side->diags.n)
		rf_diags_print(&side->diags, &diags, false);
	if (error)
		rf_strbuf_addf(&text, "%s: %s", which, error);
	else if (side->diags.n_errors)
		rf_strbuf_addf(&text, "%s has %zu error%s; nothing was compared", which, side->diags.n_errors,
			       side->diags.n_errors == 1 ? "" : "s");
	else
		rf_strbuf_addf(&text, "%s: %s", which, strerror(-r));
	rf_command_fail(out, r, rf_strbuf_str(&text), diags.len ? rf_strbuf_str(&diags) : NULL);
}

void rf_policy_diff_run(struct rf_app *app, const struct rf_request *request, struct rf_strbuf *out)
{
	_cleanup_(diff_fini) struct diff d = { .app = app, .request = request, .now_ns = rf_clock_real() };
	_cleanup_free_ char *error = NULL;
	int r;

	r = side_read(app, request->old, NULL, &d.old, &error);
	if (r < 0) {
		refuse(out, r, "OLD", &d.old, error);
		return;
	}
	r = side_read(app, request->new, request->overlay ? &d.old.sources : NULL, &d.new, &error);
	if (r < 0) {
		refuse(out, r, "NEW", &d.new, error);
		return;
	}
	r = diff_judge(&d);
	if (r < 0) {
		/* A set that compiles for nobody's sake may still be too large for a workload. */
		if (d.old.diags.n_errors || d.new.diags.n_errors)
			refuse(out, r, d.old.diags.n_errors ? "OLD" : "NEW", d.old.diags.n_errors ? &d.old : &d.new,
			       NULL);
		else
			rf_command_fail(out, r, strerror(-r), NULL);
		return;
	}
	for (size_t i = 0; i < d.n; i++)
		result_json(out, &d, &d.results[i]);
	summary_json(out, &d);
}
