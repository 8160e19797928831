// SPDX-License-Identifier: GPL-2.0-or-later
/* Policies: the order in which they are merged, and that all of one is freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "user/lib/util.h"
#include "user/model/policy.h"

static struct rf_policy policy(int32_t priority, const char *tenant, const char *namespace, const char *name)
{
	/* Borrowed literals: never freed. */
	return (struct rf_policy){
		.priority = priority,
		.tenant = (char *)tenant,
		.namespace = (char *)namespace,
		.name = (char *)name,
	};
}

static void the_order_is_priority_tenant_namespace_name(void **state)
{
	struct rf_policy in_order[] = {
		policy(0, "z", "z", "z"),   policy(100, "a", "z", "z"), policy(100, "b", "a", "z"),
		policy(100, "b", "b", "a"), policy(100, "b", "b", "b"), policy(1000, "a", "a", "a"),
	};
	struct rf_policy *list[ARRAY_SIZE(in_order)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(in_order); i++)
		list[i] = &in_order[ARRAY_SIZE(in_order) - 1 - i];
	qsort(list, ARRAY_SIZE(list), sizeof(list[0]), rf_policy_compare);
	for (size_t i = 0; i < ARRAY_SIZE(in_order); i++)
		assert_ptr_equal(list[i], &in_order[i]);
}

static void the_same_name_compares_equal_and_the_order_is_antisymmetric(void **state)
{
	struct rf_policy a = policy(5, "t", "n", "x"), b = policy(5, "t", "n", "x"), c = policy(5, "t", "n", "y");
	const struct rf_policy *pa = &a, *pb = &b, *pc = &c;

	(void)state;
	assert_int_equal(rf_policy_compare(&pa, &pb), 0);
	assert_true(rf_policy_compare(&pa, &pc) < 0);
	assert_true(rf_policy_compare(&pc, &pa) > 0);
}

static void priorities_do_not_wrap(void **state)
{
	struct rf_policy low = policy(INT32_MIN, "t", "n", "x"), high = policy(INT32_MAX, "t", "n", "x");
	const struct rf_policy *pl = &low, *ph = &high;

	(void)state;
	assert_true(rf_policy_compare(&pl, &ph) < 0);
	assert_true(rf_policy_compare(&ph, &pl) > 0);
}

static struct rf_label *one_label(size_t *ret_n)
{
	struct rf_label *label = calloc(1, sizeof(*label));

	label->key = strdup("k");
	*ret_n = 1;
	return label;
}

static struct rf_selector *one_selector(void)
{
	struct rf_selector *s = calloc(1, sizeof(*s));

	s->cgroup = strdup("x");
	s->systemd = strdup("x");
	s->runtime = strdup("x");
	s->image = strdup("x");
	s->container_name = strdup("x");
	s->annotations = one_label(&s->n_annotations);
	s->k8s_namespace = strdup("x");
	s->k8s_pod = strdup("x");
	s->k8s_container = strdup("x");
	s->k8s_labels = one_label(&s->n_k8s_labels);
	s->slurm_job = strdup("x");
	s->slurm_user = strdup("x");
	return s;
}

static struct rf_network_rule *one_network_rule(void)
{
	struct rf_network_rule *rule = calloc(1, sizeof(*rule));

	rule->name = strdup("x");
	rule->peers = calloc(1, sizeof(*rule->peers));
	rule->n_peers = 1;
	rule->peers[0].excepts = calloc(1, sizeof(*rule->peers[0].excepts));
	rule->peers[0].n_excepts = 1;
	rule->peers[0].text = strdup("x");
	rule->ports = calloc(1, sizeof(*rule->ports));
	rule->n_ports = 1;
	return rule;
}

static void everything_owned_is_freed(void **state)
{
	struct rf_policy_set *set = calloc(1, sizeof(*set));
	struct rf_policy *p = calloc(1, sizeof(*p));

	(void)state;
	/* The address sanitizer tells what was forgotten. */
	p->file = strdup("x");
	p->name = strdup("x");
	p->tenant = strdup("x");
	p->namespace = strdup("x");
	p->workload_name = strdup("x");
	p->selectors = one_selector();
	p->n_selectors = 1;
	for (size_t i = 0; i < ARRAY_SIZE(p->network); i++) {
		p->network[i].rules = one_network_rule();
		p->network[i].n_rules = 1;
	}
	p->devices.rules = calloc(1, sizeof(*p->devices.rules));
	p->devices.n_rules = 1;
	p->devices.rules[0].name = strdup("x");
	p->devices.rules[0].path = strdup("x");
	p->requirements = calloc(1, sizeof(*p->requirements));
	p->n_requirements = 1;
	set->policies = calloc(1, sizeof(struct rf_policy *));
	set->policies[0] = p;
	set->n = 1;
	rf_policy_set_free(set);
	rf_policy_set_free(NULL);
	rf_policy_free(NULL);
	rf_policy_free(calloc(1, sizeof(*p)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_is_priority_tenant_namespace_name),
		cmocka_unit_test(the_same_name_compares_equal_and_the_order_is_antisymmetric),
		cmocka_unit_test(priorities_do_not_wrap),
		cmocka_unit_test(everything_owned_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
