// SPDX-License-Identifier: GPL-2.0-or-later
/* Life and order of policies. */
#include "user/model/policy.h"

#include <errno.h>

#include "user/lib/util.h"

static void free_labels(struct rf_label *labels, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(labels[i].key);
		free(labels[i].value);
	}
	free(labels);
}

static void fini_selector(struct rf_selector *s)
{
	free(s->cgroup);
	free(s->systemd);
	free(s->runtime);
	free(s->image);
	free(s->container_name);
	free_labels(s->annotations, s->n_annotations);
	free(s->k8s_namespace);
	free(s->k8s_pod);
	free(s->k8s_container);
	free_labels(s->k8s_labels, s->n_k8s_labels);
	rf_label_matches_fini(&s->k8s_expressions);
	free(s->slurm_job);
	free(s->slurm_user);
}

struct rf_cidr_list *rf_cidr_list_new(const struct rf_cidr *list, size_t n)
{
	struct rf_cidr_list *l = malloc(sizeof(*l) + n * sizeof(*list));

	if (!l)
		return NULL;
	l->refs = 1;
	l->n = n;
	if (n)
		memcpy(l->list, list, n * sizeof(*list));
	return l;
}

struct rf_cidr_list *rf_cidr_list_ref(struct rf_cidr_list *list)
{
	list->refs++;
	return list;
}

void rf_cidr_list_unref(struct rf_cidr_list *list)
{
	if (list && --list->refs == 0)
		free(list);
}

static void fini_network_rule(struct rf_network_rule *rule)
{
	for (size_t i = 0; i < rule->n_peers; i++) {
		free(rule->peers[i].excepts);
		free(rule->peers[i].text);
		rf_cidr_list_unref(rule->peers[i].country);
		rf_peer_selector_fini(&rule->peers[i].selector);
	}
	free(rule->peers);
	free(rule->ports);
	free(rule->rate);
	free(rule->name);
}

static void fini_network(struct rf_network_direction *network)
{
	for (size_t i = 0; i < network->n_rules; i++)
		fini_network_rule(&network->rules[i]);
	free(network->rules);
}

static void fini_devices(struct rf_devices *devices)
{
	for (size_t i = 0; i < devices->n_rules; i++) {
		free(devices->rules[i].name);
		free(devices->rules[i].path);
	}
	free(devices->rules);
}

static void fini_accelerators(struct rf_accelerator_section *accelerators)
{
	for (size_t i = 0; i < accelerators->n_rules; i++) {
		free(accelerators->rules[i].name);
		free(accelerators->rules[i].pci);
		free(accelerators->rules[i].uuid);
	}
	free(accelerators->rules);
}

static void fini_files(struct rf_files *files)
{
	for (size_t i = 0; i < files->n_rules; i++) {
		free(files->rules[i].name);
		free(files->rules[i].label);
		free(files->rules[i].path);
	}
	free(files->rules);
}

static void fini_process(struct rf_process *process)
{
	for (size_t i = 0; i < process->n_rules; i++) {
		free(process->rules[i].name);
		free(process->rules[i].label);
		free(process->rules[i].pattern);
	}
	free(process->rules);
}

struct rf_policy *rf_policy_share(struct rf_policy *p)
{
	p->shared++;
	return p;
}

void rf_policy_free(struct rf_policy *p)
{
	if (!p)
		return;
	if (p->shared) {
		p->shared--;
		return;
	}
	for (size_t i = 0; i < p->n_selectors; i++)
		fini_selector(&p->selectors[i]);
	free(p->selectors);
	for (size_t i = 0; i < ARRAY_SIZE(p->network); i++)
		fini_network(&p->network[i]);
	free(p->dns.resolvers);
	fini_devices(&p->devices);
	fini_accelerators(&p->accelerators);
	free(p->kernel);
	fini_files(&p->files);
	fini_process(&p->process);
	free(p->requirements);
	free(p->file);
	free(p->name);
	free(p->tenant);
	free(p->namespace);
	free(p->workload_name);
	free(p);
}

/* Grows when @n is a power of two. */
int rf_policy_set_add(struct rf_policy_set *s, struct rf_policy *p)
{
	if ((s->n & (s->n - 1)) == 0) {
		struct rf_policy **grown = reallocarray(s->policies, s->n ? s->n * 2 : 1, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->policies = grown;
	}
	s->policies[s->n++] = p;
	return 0;
}

int rf_policy_set_add_label(struct rf_policy_set *s, struct rf_file_label *l)
{
	if ((s->n_labels & (s->n_labels - 1)) == 0) {
		struct rf_file_label **grown =
			reallocarray(s->labels, s->n_labels ? s->n_labels * 2 : 1, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->labels = grown;
	}
	s->labels[s->n_labels++] = l;
	return 0;
}

void rf_policy_set_free(struct rf_policy_set *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		rf_policy_free(s->policies[i]);
	free(s->policies);
	for (size_t i = 0; i < s->n_labels; i++)
		rf_file_label_free(s->labels[i]);
	free(s->labels);
	rf_zones_free(s->zones);
	free(s);
}

int rf_policy_compare(const void *a, const void *b)
{
	const struct rf_policy *p = *(const struct rf_policy *const *)a;
	const struct rf_policy *q = *(const struct rf_policy *const *)b;
	int r;

	if (p->priority != q->priority)
		return p->priority < q->priority ? -1 : 1;
	r = strcmp(p->tenant, q->tenant);
	if (r == 0)
		r = strcmp(p->namespace, q->namespace);
	return r ?: strcmp(p->name, q->name);
}
