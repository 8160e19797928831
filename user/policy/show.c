// SPDX-License-Identifier: GPL-2.0-or-later
/* The merged view: policies in order, then each section's rules as one numbered list. */
#include "user/policy/show.h"

#include <errno.h>
#include <netinet/in.h>

#include "ringfence/event.h"
#include "ringfence/policy_map.h"
#include "ringfence/workload_map.h"
#include "user/model/accelerator_ioctl.h"
#include "user/model/event.h"
#include "user/model/icmp.h"
#include "user/model/programs.h"
#include "user/policy/check.h"
#include "user/policy/compile_isolation.h"
#include "user/policy/compile_files.h"
#include "user/policy/compile_quotas.h"
#include "user/policy/compile_rates.h"
#include "user/policy/compile_kernel.h"
#include "user/policy/compile_sockets.h"

static void peers_show(const struct rf_network_rule *rule, struct rf_strbuf *out)
{
	char text[64];

	if (!rule->n_peers)
		rf_strbuf_adds(out, "any peer");
	for (size_t i = 0; i < rule->n_peers; i++) {
		const struct rf_peer *peer = &rule->peers[i];

		rf_strbuf_adds(out, i ? ", " : "");
		if (peer->kind != RF_PEER_CIDR) {
			rf_strbuf_adds(out, peer->text ? peer->text : peer->kind == RF_PEER_HOST ? "host" : "world");
			continue;
		}
		rf_cidr_format(&peer->cidr, text);
		rf_strbuf_adds(out, text);
		for (size_t k = 0; k < peer->n_excepts; k++) {
			rf_cidr_format(&peer->excepts[k], text);
			rf_strbuf_addf(out, "%s%s", k ? ", " : " except ", text);
		}
	}
}

static void ports_show(const struct rf_network_rule *rule, struct rf_strbuf *out)
{
	char name[8];

	for (size_t i = 0; i < rule->n_ports; i++) {
		const struct rf_port_match *port = &rule->ports[i];

		rf_strbuf_addf(out, "%s%s", i ? ", " : " ",
			       port->protocol ? rf_protocol_name(port->protocol, name) : "any");
		if (port->first == 0 && port->last == 65535)
			continue;
		if (rf_protocol_is_icmp(port->protocol)) {
			rf_icmp_add(out, port->protocol, port->first, port->last);
			continue;
		}
		rf_strbuf_addf(out, "/%u", port->first);
		if (port->last != port->first)
			rf_strbuf_addf(out, "-%u", port->last);
	}
}

static void rate_show(const struct rf_network_rule *rule, struct rf_strbuf *out)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	if (rule->rate)
		rf_rule_rate_show(rule->rate, &text);
	if (text.len)
		rf_strbuf_addf(out, "       each way at most %s\n", rf_strbuf_str(&text));
}

/* Where a policy's section says what is done where no rule matches. */
struct origin {
	const struct rf_policy *policy;
	enum rf_action action;
	struct rf_mark mark;
};

/* What the compiler makes of the defaults: of those who speak, the first that denies, else the first. */
static void origin_take(struct origin *o, const struct rf_policy *p, enum rf_action action, struct rf_mark mark)
{
	if (!o->policy || (action == RF_ACTION_DENY && o->action != RF_ACTION_DENY))
		*o = (struct origin){ p, action, mark };
}

static void origin_show(const struct origin *o, struct rf_strbuf *out)
{
	rf_strbuf_addf(out, "else %s  (default of %s, %s:%u)\n", rf_action_name(o->action), o->policy->name,
		       o->policy->file, o->mark.line);
}

/*
 * Policies in mode audit have no part in what is denied: they are reported upon, together with the enforced ones. So a
 * section has one default that decides, and another that is only reported where a policy of it is in audit.
 */
static void defaults_show(const struct origin *enforced, const struct origin *all, bool audited, struct rf_strbuf *out)
{
	rf_strbuf_adds(out, "  ");
	if (enforced->policy)
		origin_show(enforced, out);
	else
		rf_strbuf_adds(out, "else allow  (no policy in mode enforce speaks of it)\n");
	if (audited) {
		rf_strbuf_adds(out, "  in audit, ");
		origin_show(all, out);
	}
}

static void direction_show(const struct rf_policy *const *policies, size_t n, enum rf_direction direction,
			   struct rf_strbuf *out)
{
	struct origin enforced = { 0 }, all = { 0 };
	unsigned int number = 0;
	bool audited = false;

	for (size_t i = 0; i < n; i++) {
		const struct rf_network_direction *d = &policies[i]->network[direction];

		if (!d->present)
			continue;
		origin_take(&all, policies[i], d->default_action, d->mark);
		if (policies[i]->mode == RF_MODE_AUDIT)
			audited = true;
		else
			origin_take(&enforced, policies[i], d->default_action, d->mark);
	}
	rf_strbuf_addf(out, "\n%s:", direction == RF_EGRESS ? "egress" : "ingress");
	if (!all.policy) {
		rf_strbuf_adds(out, " no policy speaks of it: all allowed\n");
		return;
	}
	rf_strbuf_addc(out, '\n');
	for (size_t i = 0; i < n; i++) {
		const struct rf_policy *p = policies[i];

		for (size_t k = 0; k < p->network[direction].n_rules; k++) {
			const struct rf_network_rule *rule = &p->network[direction].rules[k];

			rf_strbuf_addf(out, "  %3u. %-5s ", ++number, rf_action_name(rule->action));
			peers_show(rule, out);
			ports_show(rule, out);
			rf_strbuf_addf(out, "  (%s%s, %s:%u)\n", rule->name, p->mode == RF_MODE_AUDIT ? ", audit" : "",
				       p->file, rule->mark.line);
			rate_show(rule, out);
		}
	}
	defaults_show(&enforced, &all, audited, out);
}

static void number_show(struct rf_strbuf *out, uint32_t number)
{
	if (number == RF_DEVICE_ANY)
		rf_strbuf_addc(out, '*');
	else
		rf_strbuf_addf(out, "%u", number);
}

static void devices_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out)
{
	struct origin enforced = { 0 }, all = { 0 };
	unsigned int number = 0;
	bool audited = false;

	for (size_t i = 0; i < n; i++) {
		const struct rf_devices *d = &policies[i]->devices;

		if (!d->present)
			continue;
		origin_take(&all, policies[i], d->default_action, d->mark);
		if (policies[i]->mode == RF_MODE_AUDIT)
			audited = true;
		else
			origin_take(&enforced, policies[i], d->default_action, d->mark);
	}
	rf_strbuf_adds(out, "\ndevices:");
	if (!all.policy) {
		rf_strbuf_adds(out, " no policy speaks of them: all allowed\n");
		return;
	}
	rf_strbuf_addc(out, '\n');
	for (size_t i = 0; i < n; i++) {
		const struct rf_policy *p = policies[i];

		for (size_t k = 0; k < p->devices.n_rules; k++) {
			const struct rf_device_rule *rule = &p->devices.rules[k];

			rf_strbuf_addf(out, "  %3u. %-5s ", ++number, rf_action_name(rule->action));
			if (rule->path) {
				rf_strbuf_adds(out, rule->path);
			} else {
				rf_strbuf_adds(out, rule->type == 1 ? "block " : "char ");
				number_show(out, rule->major);
				rf_strbuf_addc(out, ':');
				number_show(out, rule->minor);
			}
			rf_strbuf_addf(out, " %s%s%s  (%s%s, %s:%u)\n", rule->access & RF_DEVICE_READ ? "r" : "",
				       rule->access & RF_DEVICE_WRITE ? "w" : "",
				       rule->access & RF_DEVICE_MKNOD ? "m" : "", rule->name,
				       p->mode == RF_MODE_AUDIT ? ", audit" : "", p->file, rule->mark.line);
		}
	}
	defaults_show(&enforced, &all, audited, out);
}

static void accelerator_show(struct rf_strbuf *out, const struct rf_accelerator_rule *rule)
{
	bool any = rule->class == RF_ACCELERATOR_CLASS_COUNT && !rule->pci && !rule->uuid;

	rf_strbuf_adds(out, any					      ? "any" :
			    rule->class == RF_ACCELERATOR_CLASS_COUNT ? "" :
									rf_accelerator_class_names[rule->class]);
	if (rule->index != RF_ACCELERATOR_ANY)
		rf_strbuf_addf(out, " %d", rule->index);
	if (rule->pci)
		rf_strbuf_addf(out, "%s%s", out->data[out->len - 1] == ' ' ? "" : " ", rule->pci);
	if (rule->uuid)
		rf_strbuf_addf(out, "%s%s", out->data[out->len - 1] == ' ' ? "" : " ", rule->uuid);
	if (rule->gpu_instance != RF_MIG_NONE)
		rf_strbuf_addf(out, " MIG %d", rule->gpu_instance);
	if (rule->compute_instance != RF_MIG_NONE)
		rf_strbuf_addf(out, "/%d", rule->compute_instance);
	for (int class = RF_ACCEL_SUBMIT; class < RF_ACCEL_CLASSES; class ++)
		if (rule->operations & RF_ACCEL_BIT(class))
			rf_strbuf_addf(out, " %s", rf_accel_class_names[class]);
}

/* Without a word where no policy has any: most hosts have no accelerator. */
static void accelerators_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out)
{
	struct origin enforced = { 0 }, all = { 0 };
	unsigned int number = 0;
	bool audited = false;

	for (size_t i = 0; i < n; i++) {
		const struct rf_accelerator_section *a = &policies[i]->accelerators;

		if (!a->present)
			continue;
		origin_take(&all, policies[i], a->default_action, a->mark);
		if (policies[i]->mode == RF_MODE_AUDIT)
			audited = true;
		else
			origin_take(&enforced, policies[i], a->default_action, a->mark);
	}
	if (!all.policy)
		return;
	rf_strbuf_adds(out, "\naccelerators:\n");
	for (size_t i = 0; i < n; i++) {
		const struct rf_policy *p = policies[i];

		for (size_t k = 0; k < p->accelerators.n_rules; k++) {
			const struct rf_accelerator_rule *rule = &p->accelerators.rules[k];

			rf_strbuf_addf(out, "  %3u. %-5s ", ++number, rf_action_name(rule->action));
			accelerator_show(out, rule);
			rf_strbuf_addf(out, "  (%s%s, %s:%u)\n", rule->name, p->mode == RF_MODE_AUDIT ? ", audit" : "",
				       p->file, rule->mark.line);
		}
	}
	defaults_show(&enforced, &all, audited, out);
}

/* What is denied, or only told of, besides the rules. */
static void limit_show(const struct rf_policy *const *policies, size_t n, enum rf_exec_reason which,
		       struct rf_strbuf *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct rf_policy *p = policies[i];
		bool deny = p->process.limits[which].deny;

		if (deny || p->process.limits[which].report)
			rf_strbuf_addf(out, "  %s %s  (%s%s, %s:%u)\n", deny ? "deny" : "report",
				       rf_exec_reason_name(which), p->name, p->mode == RF_MODE_AUDIT ? ", audit" : "",
				       p->file, p->process.limits[which].mark.line);
	}
}

static void process_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out)
{
	struct origin enforced = { 0 }, all = { 0 };
	bool audited = false, limits = false;
	unsigned int number = 0;

	for (size_t i = 0; i < n; i++) {
		const struct rf_process *process = &policies[i]->process;

		for (int which = 0; which < RF_EXEC_LIMITS; which++)
			limits |= process->limits[which].deny || process->limits[which].report;
		if (!process->present)
			continue;
		origin_take(&all, policies[i], process->default_action, process->mark);
		if (policies[i]->mode == RF_MODE_AUDIT)
			audited = true;
		else
			origin_take(&enforced, policies[i], process->default_action, process->mark);
	}
	rf_strbuf_adds(out, "\nprograms:");
	if (!all.policy && !limits) {
		rf_strbuf_adds(out, " no policy speaks of them: all may run\n");
		return;
	}
	rf_strbuf_addc(out, '\n');
	for (int which = 0; which < RF_EXEC_LIMITS; which++)
		limit_show(policies, n, which, out);
	for (size_t i = 0; i < n; i++) {
		const struct rf_policy *p = policies[i];

		for (size_t k = 0; k < p->process.n_rules; k++) {
			const struct rf_exec_rule *rule = &p->process.rules[k];

			rf_strbuf_addf(out, "  %3u. %-5s %s%s  (%s%s, %s:%u)\n", ++number, rf_action_name(rule->action),
				       rule->label	 ? "label " :
				       rule->interpreter ? "interpreter " :
							   "",
				       rule->label ? rule->label : rule->pattern, rule->name,
				       p->mode == RF_MODE_AUDIT ? ", audit" : "", p->file, rule->mark.line);
		}
	}
	if (all.policy)
		defaults_show(&enforced, &all, audited, out);
}

static void telemetry_show(const struct rf_policy *const *policies, size_t n, struct rf_strbuf *out)
{
	struct rf_flow_sampling flows;
	uint32_t mask = 0;
	bool any = false;

	rf_flow_sampling_compile(policies, n, &flows);
	for (size_t i = 0; i < n; i++)
		mask |= policies[i]->telemetry;
	rf_strbuf_adds(out, "\ntelemetry:");
	for (unsigned int kind = 0; kind < RF_EVENT_KINDS; kind++) {
		if (!(mask & 1u << kind))
			continue;
		rf_strbuf_addf(out, "%s %s", any ? "," : "", rf_event_kind_name(kind));
		any = true;
	}
	if (flows.sample)
		rf_strbuf_addf(out, "%s flows (1 in %u, idle after %us)", any ? "," : "", flows.sample, flows.idle_s);
	rf_strbuf_adds(out, any || flows.sample ? "\n" : " denials only\n");
}

int rf_policy_show(const struct rf_policy *const *policies, size_t n, const char *workload, struct rf_strbuf *out)
{
	rf_strbuf_addf(out,
		       "workload %s\n\npolicies, in order of precedence (priority, then tenant, namespace, name):\n",
		       workload);
	for (size_t i = 0; i < n; i++)
		rf_strbuf_addf(out, "  %3zu. %s/%s/%s  priority %d, %s  (%s:%u)\n", i + 1, policies[i]->tenant,
			       policies[i]->namespace, policies[i]->name, policies[i]->priority,
			       rf_mode_name(policies[i]->mode), policies[i]->file, policies[i]->mark.line);
	direction_show(policies, n, RF_EGRESS, out);
	direction_show(policies, n, RF_INGRESS, out);
	rf_rates_show(policies, n, out);
	rf_quotas_show(policies, n, out);
	rf_sockets_show(policies, n, out);
	rf_isolation_show(policies, n, out);
	rf_kernel_show(policies, n, out);
	devices_show(policies, n, out);
	accelerators_show(policies, n, out);
	rf_files_show(policies, n, out);
	process_show(policies, n, out);
	telemetry_show(policies, n, out);
	return rf_strbuf_error(out);
}
