// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What compiling costs: every workload has its own rules, so that nothing is
 * shared and each image is new. Prints one line. Only rf_ruleset_compile() is
 * timed; compile.sh counts its instructions.
 *
 *	bench_compile [WORKLOADS [RULES]]
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "user/policy/compile.h"

#define WORKLOADS 10000
#define RULES	  100

struct rules {
	struct rf_policy policy;
	struct rf_network_rule rule[RF_MAX_RULES];
	struct rf_peer peer[RF_MAX_RULES];
	struct rf_cidr except[RF_MAX_RULES];
	struct rf_port_match port[RF_MAX_RULES];
	char name[RF_MAX_RULES][16];
};

/* Addresses are spread over the whole space by a multiplicative hash, so that workloads have little in common. */
static void rules_fill(struct rules *all, uint32_t workload, uint32_t n)
{
	struct rf_network_direction *egress = &all->policy.network[RF_EGRESS];

	egress->present = true;
	egress->default_action = RF_ACTION_DENY;
	egress->rules = all->rule;
	egress->n_rules = n;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t address = htonl((workload * RF_MAX_RULES + i) * 2654435761u);
		uint8_t prefix = i % 4 == 0 ? 16 + i % 9 : 32;

		all->peer[i] = (struct rf_peer){ .kind = RF_PEER_CIDR };
		all->peer[i].cidr.family = AF_INET;
		all->peer[i].cidr.prefix = prefix;
		address &= htonl(UINT32_MAX << (32 - prefix));
		memcpy(all->peer[i].cidr.addr, &address, sizeof(address));
		if (i % 8 == 0) {
			all->except[i] = all->peer[i].cidr;
			all->except[i].prefix = prefix + 4;
			all->peer[i].excepts = &all->except[i];
			all->peer[i].n_excepts = 1;
		}
		all->port[i] = (struct rf_port_match){ IPPROTO_TCP, 1000 + i, i % 10 ? 1000 + i : 2000 + i };
		snprintf(all->name[i], sizeof(all->name[i]), "egress[%u]", i);
		all->rule[i] = (struct rf_network_rule){
			.name = all->name[i],
			.action = i % 3 ? RF_ACTION_ALLOW : RF_ACTION_DENY,
			.peers = &all->peer[i],
			.n_peers = 1,
			.ports = &all->port[i],
			.n_ports = 1,
		};
	}
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned long workloads = argc > 1 ? strtoul(argv[1], NULL, 10) : WORKLOADS;
	unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : RULES;
	char file[] = "bench.yaml", name[] = "bench", dflt[] = "default";
	struct rf_ruleset_image **images;
	struct rf_diags diags = RF_DIAGS_INIT;
	static struct rules rules;
	uint64_t total = 0;

	if (!workloads || workloads > RF_MAX_WORKLOADS || !n || n > RF_MAX_RULES) {
		fprintf(stderr, "usage: bench_compile [WORKLOADS [RULES]]\n");
		return 2;
	}
	images = calloc(workloads, sizeof(struct rf_ruleset_image *));
	if (!images)
		return 1;
	rules.policy.file = file;
	rules.policy.name = name;
	rules.policy.tenant = rules.policy.namespace = dflt;
	for (unsigned long i = 0; i < workloads; i++) {
		const struct rf_policy *policies[] = { &rules.policy };
		uint64_t start;

		rules_fill(&rules, i, n);
		start = now_ns();
		/* All images are kept, as the daemon keeps them. */
		if (rf_ruleset_compile(policies, 1, RF_EGRESS, RF_TIER_ENFORCE, &diags, &images[i]) < 0)
			return 1;
		total += now_ns() - start;
	}
	printf("compile: %lu workloads of %lu rules in %.3f s, %.1f ns a rule\n", workloads, n, total / 1e9,
	       (double)total / workloads / n);
	for (unsigned long i = 0; i < workloads; i++)
		rf_ruleset_image_free(images[i]);
	free(images);
	rf_diags_fini(&diags);
	return 0;
}
