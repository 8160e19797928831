// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands of the control protocol; include/ringfence/control.h has the shapes. */
#include "user/daemon/commands.h"

#include <arpa/inet.h>
#include <errno.h>

#include "user/daemon/policy_diff.h"
#include "user/export/accelerators_json.h"
#include "user/export/status_json.h"
#include "user/lib/clock.h"
#include "user/lib/inet.h"
#include "user/lib/log.h"
#include "user/model/programs.h"
#include "user/policy/show.h"

static void line_begin(struct rf_json *j, struct rf_strbuf *out)
{
	rf_json_init(j, out);
	rf_json_object(j, NULL);
	rf_json_bool(j, "ok", true);
}

static void line_end(struct rf_json *j)
{
	rf_json_object_end(j);
	rf_strbuf_addc(j->out, '\n');
}

void rf_command_fail(struct rf_strbuf *out, int error, const char *text, const char *diags)
{
	struct rf_json j;

	rf_json_init(&j, out);
	rf_json_object(&j, NULL);
	rf_json_bool(&j, "ok", false);
	rf_json_i64(&j, "errno", -error);
	rf_json_string(&j, "error", text);
	if (diags)
		rf_json_string(&j, "diags", diags);
	rf_json_object_end(&j);
	rf_strbuf_addc(out, '\n');
}

static void done(struct rf_strbuf *out)
{
	struct rf_json j;

	line_begin(&j, out);
	line_end(&j);
}

static void snapshot_run(struct rf_app *app, enum rf_command command, struct rf_strbuf *out)
{
	_cleanup_(rf_snapshot_fini) struct rf_snapshot s = { 0 };
	int r = rf_app_snapshot(app, command == RF_COMMAND_WORKLOADS, &s);
	struct rf_json j;

	if (r < 0) {
		rf_command_fail(out, r, strerror(-r), NULL);
		return;
	}
	line_begin(&j, out);
	if (command == RF_COMMAND_WORKLOADS)
		rf_workloads_json(&s, &j);
	else if (command == RF_COMMAND_ACCELERATORS)
		rf_accelerators_json(&s, &j);
	else
		rf_status_json(&s, &j, "status");
	line_end(&j);
}

struct event_writer {
	struct rf_strbuf *out;
	bool json;
};

static void event_write(const struct rf_record *record, void *arg)
{
	struct event_writer *writer = arg;

	rf_command_event_line(writer->out, record, writer->json);
}

static void events_run(struct rf_app *app, const struct rf_request *request, struct rf_strbuf *out)
{
	const struct rf_filter filter = { request->kinds, request->verdicts, request->workload };
	struct event_writer writer = { out, request->json };

	rf_history_each(app->history, &filter, request->limit, event_write, &writer);
	if (!request->follow)
		done(out);
}

static size_t policy_workloads(const struct rf_app *app, const char *name)
{
	size_t count = 0;

	for (uint32_t id = RF_WORKLOAD_FIRST; id < RF_MAX_WORKLOADS; id++) {
		const struct rf_workload *w = app->registry->by_id[id];

		for (size_t i = 0; w && w->image && i < w->image->n_policies; i++)
			count += rf_streq(w->image->policies[i], name);
	}
	return count;
}

static void policies_run(struct rf_app *app, struct rf_strbuf *out)
{
	const struct rf_policy_set *set = app->registry->set;
	struct rf_json j;

	line_begin(&j, out);
	rf_json_array(&j, "policies");
	for (size_t i = 0; set && i < set->n; i++) {
		const struct rf_policy *p = set->policies[i];
		_cleanup_strbuf_ struct rf_strbuf name = RF_STRBUF_INIT;

		rf_strbuf_addf(&name, "%s/%s/%s", p->tenant, p->namespace, p->name);
		rf_json_object(&j, NULL);
		rf_json_string(&j, "name", rf_strbuf_str(&name));
		rf_json_string(&j, "file", p->file);
		rf_json_u64(&j, "line", p->mark.line);
		rf_json_string(&j, "mode", rf_mode_name(p->mode));
		rf_json_i64(&j, "priority", p->priority);
		rf_json_u64(&j, "workloads", policy_workloads(app, rf_strbuf_str(&name)));
		rf_json_object_end(&j);
	}
	rf_json_array_end(&j);
	rf_json_array(&j, "labels");
	for (size_t i = 0; set && i < set->n_labels; i++) {
		const struct rf_file_label *label = set->labels[i];

		rf_json_object(&j, NULL);
		rf_json_string(&j, "name", label->name);
		rf_json_string(&j, "tenant", label->tenant);
		rf_json_string(&j, "kind", label->kind);
		rf_json_string(&j, "file", label->file);
		rf_json_u64(&j, "line", label->line);
		rf_json_object_end(&j);
	}
	rf_json_array_end(&j);
	line_end(&j);
}

static struct rf_workload *workload_find(struct rf_app *app, const char *name, struct rf_strbuf *out)
{
	struct rf_workload *w = rf_registry_by_name(app->registry, name);
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	if (w && w->image)
		return w;
	rf_strbuf_addf(&text, "there is no workload \"%s\" (ringfence workloads lists them)", name);
	rf_command_fail(out, -ENOENT, rf_strbuf_str(&text), NULL);
	return NULL;
}

/* The set is in merge order, and an image names its policies in that order. */
static size_t policies_of(const struct rf_app *app, const struct rf_image *image, const struct rf_policy **list)
{
	const struct rf_policy_set *set = app->registry->set;
	size_t n = 0;

	for (size_t i = 0; set && i < set->n && n < image->n_policies; i++) {
		_cleanup_strbuf_ struct rf_strbuf name = RF_STRBUF_INIT;
		const struct rf_policy *p = set->policies[i];

		rf_strbuf_addf(&name, "%s/%s/%s", p->tenant, p->namespace, p->name);
		if (rf_streq(rf_strbuf_str(&name), image->policies[n]))
			list[n++] = p;
	}
	return n;
}

static void policy_show_run(struct rf_app *app, const struct rf_request *request, struct rf_strbuf *out)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	struct rf_workload *w = workload_find(app, request->workload, out);
	_cleanup_free_ const struct rf_policy **list = NULL;
	struct rf_json j;
	size_t n;

	if (!w)
		return;
	list = calloc(w->image->n_policies + 1, sizeof(*list));
	if (!list) {
		rf_command_fail(out, -ENOMEM, "out of memory", NULL);
		return;
	}
	n = policies_of(app, w->image, list);
	rf_policy_show(list, n, w->name, &text);
	line_begin(&j, out);
	rf_json_string(&j, "text", rf_strbuf_str(&text));
	rf_json_array(&j, "policies");
	for (size_t i = 0; i < w->image->n_policies; i++)
		rf_json_string(&j, NULL, w->image->policies[i]);
	rf_json_array_end(&j);
	line_end(&j);
}

/*
 * Who the request means by its address, as the kernel would find out; behind the host's addresses the kernel asks the
 * socket, of which there is none here: it is the host then, unless the request names a workload. -ENOENT.
 */
static int peer_find(struct rf_app *app, const struct rf_request *request, const struct rf_workload *w,
		     struct rf_peer_view *ret, const char **ret_who, struct rf_strbuf *out)
{
	uint32_t id = rf_engine_address_get(app->engine, request->family, request->address);
	const struct rf_workload *other = NULL;
	const struct rf_peer_view *known;

	if (request->peer) {
		other = workload_find(app, request->peer, out);
		if (!other)
			return -ENOENT;
		id = other->peer;
	} else if (rf_inet_is_loopback(request->family, request->address)) {
		id = RF_PEER_HOST_ID;
	}
	*ret = (struct rf_peer_view){ .place = RF_PLACE_UNKNOWN };
	known = rf_engine_peer_get(app->engine, id);
	if (known)
		*ret = *known;
	ret->self = id == w->peer;
	ret->name = request->name;
	*ret_who = other				  ? other->name :
		   id == RF_PEER_HOST_ID		  ? "the host" :
		   id == RF_PEER_WORLD_ID		  ? "the world" :
		   ret->facts.workload			  ? ret->facts.workload :
		   known && ret->facts.identity->pod_name ? ret->facts.identity->pod_name :
							    "nobody known";
	return 0;
}

/* By the rules alone, and of labels by the path as the host has it: of the file itself nothing is asked. */
static void policy_test_program_run(struct rf_app *app, const struct rf_request *request, struct rf_strbuf *out)
{
	struct rf_workload *w = workload_find(app, request->workload, out);
	enum rf_exec_role role = request->interpreter ? RF_EXEC_INTERPRETER : RF_EXEC_PROGRAM;
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	const struct rf_policy_set *set = app->registry->set;
	const struct rf_process_image *process;
	const struct rf_rule_ref *ref = NULL;
	enum rf_verdict verdict = RF_ALLOW;
	struct rf_json j;
	uint32_t zone;

	if (!w)
		return;
	zone = rf_zone_around(set ? set->zones : NULL, request->program);
	process = w->image ? w->image->process : NULL;
	for (int tier = RF_TIER_ENFORCE; process && tier < RF_TIERS && verdict == RF_ALLOW; tier++) {
		const struct rf_exec_image *exec = process->exec[tier];
		uint32_t rule;
		bool allowed = rf_exec_evaluate(exec, role, request->program, zone, &rule);

		/* What is allowed names the rule that is enforced; of the others only what they would deny matters. */
		if (exec && (tier == RF_TIER_ENFORCE || !allowed))
			ref = &exec->refs[rule];
		if (!allowed)
			verdict = tier == RF_TIER_ENFORCE ? RF_DENY : RF_WOULD_DENY;
	}
	rf_strbuf_addf(&text, "%s", rf_verdict_name(verdict));
	if (ref)
		rf_strbuf_addf(&text, ": policy %s, rule \"%s\" (%s:%u)", ref->policy, ref->rule, ref->file, ref->line);
	else
		rf_strbuf_adds(&text, ": no policy of this workload speaks of programs");
	line_begin(&j, out);
	rf_json_string(&j, "verdict", rf_verdict_name(verdict));
	rf_json_string(&j, "role", rf_exec_role_name(role));
	rf_json_string(&j, "policy", ref ? ref->policy : NULL);
	rf_json_string(&j, "rule", ref ? ref->rule : NULL);
	rf_json_string(&j, "file", ref ? ref->file : NULL);
	rf_json_u64(&j, "line", ref ? ref->line : 0);
	rf_json_string(&j, "text", rf_strbuf_str(&text));
	line_end(&j);
}

static void policy_test_run(struct rf_app *app, const struct rf_request *request, struct rf_strbuf *out)
{
	struct rf_workload *w = workload_find(app, request->workload, out);
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	const struct rf_rule_ref *ref;
	struct rf_flow_answer answer;
	struct rf_peer_view peer;
	const char *who, *verdict;
	struct rf_json j;

	if (!w || peer_find(app, request, w, &peer, &who, out) < 0)
		return;
	answer = rf_image_judge(w->image, &(struct rf_flow_query){ .direction = request->direction,
								   .family = request->family,
								   .protocol = request->protocol,
								   .port = request->port,
								   .address = request->address,
								   .peer = &peer });
	ref = answer.ref;
	verdict = rf_verdict_name(answer.verdict);
	rf_strbuf_addf(&text, "%s", verdict);
	if (ref)
		rf_strbuf_addf(&text, ": policy %s, rule \"%s\" (%s:%u)", ref->policy, ref->rule, ref->file, ref->line);
	else
		rf_strbuf_adds(&text, ": no policy of this workload speaks of this direction");
	if (answer.limits)
		rf_strbuf_addf(&text, "; %seach way at most %s, with all that the rule allows",
			       answer.limits->tier == RF_TIER_AUDIT ? "in audit, " : "", answer.limits->text);
	if (answer.asks_peers)
		rf_strbuf_addf(&text, "; the peer is %s", who);
	line_begin(&j, out);
	rf_json_string(&j, "verdict", verdict);
	rf_json_string(&j, "tier", answer.tier == RF_TIER_AUDIT ? "audit" : "enforce");
	rf_json_string(&j, "peer", who);
	rf_json_string(&j, "policy", ref ? ref->policy : NULL);
	rf_json_string(&j, "rule", ref ? ref->rule : NULL);
	rf_json_string(&j, "file", ref ? ref->file : NULL);
	rf_json_u64(&j, "line", ref ? ref->line : 0);
	rf_json_string(&j, "rate", answer.limits ? answer.limits->text : NULL);
	rf_json_string(&j, "text", rf_strbuf_str(&text));
	line_end(&j);
}

static void applied(struct rf_app *app, struct rf_strbuf *out, const char *text)
{
	struct rf_json j;

	line_begin(&j, out);
	rf_json_object(&j, "applied");
	rf_json_u64(&j, "generation", rf_engine_generation(app->engine));
	rf_json_u64(&j, "policies", app->registry->set ? app->registry->set->n : 0);
	rf_json_u64(&j, "workloads", app->registry->n_workloads);
	if (app->confirm_timer)
		/* Rounded: the second that was just begun is not over. */
		rf_json_u64(&j, "confirm_s",
			    (app->confirm_deadline_ns - rf_clock_monotonic() + RF_NSEC_PER_SEC / 2) / RF_NSEC_PER_SEC);
	else
		rf_json_null(&j, "confirm_s");
	rf_json_object_end(&j);
	if (text && *text)
		rf_json_string(&j, "diags", text);
	line_end(&j);
}

static void apply_answer(struct rf_app *app, int r, const char *text, const char *failed, struct rf_strbuf *out)
{
	if (r < 0)
		rf_command_fail(out, r, failed, text);
	else
		applied(app, out, text);
}

static void lock_answer(int r, struct rf_strbuf *out)
{
	if (r >= 0)
		done(out);
	else
		rf_command_fail(out, r,
				r == -ENOENT ? "nothing is locked: ringfenced was not started with --lock" :
				r == -EACCES ? "that is not the token of the lock" :
					       strerror(-r),
				NULL);
}

void rf_command_run(struct rf_app *app, const struct rf_request *request, struct rf_strbuf *out)
{
	static const char stays[] = "not applied; what was in force stays in force";
	_cleanup_free_ char *text = NULL;
	struct rf_json j;
	int r;

	switch (request->command) {
	case RF_COMMAND_STATUS:
		snapshot_run(app, request->command, out);
		return;
	case RF_COMMAND_WORKLOADS:
	case RF_COMMAND_ACCELERATORS:
		snapshot_run(app, request->command, out);
		return;
	case RF_COMMAND_EVENTS:
		events_run(app, request, out);
		return;
	case RF_COMMAND_POLICIES:
		policies_run(app, out);
		return;
	case RF_COMMAND_POLICY_SHOW:
		policy_show_run(app, request, out);
		return;
	case RF_COMMAND_POLICY_TEST:
		policy_test_run(app, request, out);
		return;
	case RF_COMMAND_POLICY_TEST_PROGRAM:
		policy_test_program_run(app, request, out);
		return;
	case RF_COMMAND_APPLY:
		r = rf_app_apply_paths(app, request->paths, request->n_paths, request->confirm_s, request->replace,
				       request->force, &text);
		apply_answer(app, r, text, stays, out);
		return;
	case RF_COMMAND_CONFIRM:
		r = rf_app_confirm(app, &text);
		if (r < 0)
			rf_command_fail(out, r, text ? text : strerror(-r), NULL);
		else
			done(out);
		return;
	case RF_COMMAND_ROLLBACK:
		r = rf_app_rollback(app, &text);
		apply_answer(app, r, text, "not rolled back", out);
		return;
	case RF_COMMAND_RELOAD:
		r = rf_app_reload(app, request->force, &text);
		apply_answer(app, r, text, stays, out);
		return;
	case RF_COMMAND_UNLOCK:
		r = rf_app_lock_open(app, request->token, request->for_s);
		lock_answer(r, out);
		return;
	case RF_COMMAND_LOCK:
		lock_answer(rf_app_lock_close(app), out);
		return;
	case RF_COMMAND_DETACH:
		if (rf_app_is_locked(app)) {
			rf_command_fail(out, -EPERM, "locked: \"ringfence unlock\" comes first", NULL);
			return;
		}
		r = rf_engine_detach(app->engine);
		rf_notice("detached: nothing is enforced any more");
		line_begin(&j, out);
		rf_json_i64(&j, "removed", r);
		line_end(&j);
		app->exiting = true;
		sd_event_exit(app->event, 0);
		return;
	case RF_COMMAND_POLICY_DIFF:
		rf_policy_diff_run(app, request, out);
		return;
	case RF_COMMAND_LINEAGE:
		rf_lineage_run(&app->lineage, app->registry, request->subject, out);
		return;
	case RF_COMMAND_COUNT:
		break;
	}
	rf_command_fail(out, -EOPNOTSUPP, "unknown command", NULL);
}
