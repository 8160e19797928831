// SPDX-License-Identifier: GPL-2.0-or-later
/* Network rules to rule sets: random policies and flows near their edges, by the image and by a slow reference. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "user/policy/compile.h"

/* In this translation unit, so that the build needs no rule for them. */
#include "tests/unit/policy/random_policy.c"
#include "tests/unit/policy/reference.c"

/* Is the rule that the image names the one that decided? */
static bool named(const struct rf_rule_ref *ref, const struct reference_answer *want)
{
	char name[64];

	snprintf(name, sizeof(name), "t/ns/%s", want->policy->name);
	return rf_streq(ref->policy, name) && rf_streq(ref->file, want->policy->file) && ref->line == want->line &&
	       ref->mode == want->policy->mode && ref->action == (want->allow ? RF_ACTION_ALLOW : RF_ACTION_DENY);
}

/* Both directions and tiers of one set of policies, by both ways. Returns the number of comparisons. */
static unsigned int policies_compared(struct random *r, unsigned int flows)
{
	const struct rf_policy *policies[4];
	struct arena a = { NULL };
	struct rf_diags diags = RF_DIAGS_INIT;
	size_t n = random_policies(&a, r, policies, 4);
	unsigned int compared = 0;

	for (int direction = 0; direction < RF_DIRECTIONS; direction++) {
		struct rf_ruleset_image *image[RF_TIERS];

		for (int tier = 0; tier < RF_TIERS; tier++)
			assert_int_equal(rf_ruleset_compile(policies, n, direction, tier, &diags, &image[tier]), 0);
		for (unsigned int i = 0; i < flows; i++) {
			struct reference_flow flow = random_flow(r, policies, n, direction);

			struct rf_peer_view *view = random_view(&a, r);

			if (view && random_one_in(r, 3))
				view->name = random_host(&a, r);
			flow.peer = view;
			for (int tier = 0; tier < RF_TIERS; tier++) {
				struct reference_answer want = reference_network(policies, n, direction, tier, &flow);
				uint32_t rule = 0;
				bool allow = rf_ruleset_evaluate_peer(image[tier], flow.family, flow.addr,
								      flow.protocol, flow.port, flow.peer, &rule);

				if (want.present != !!image[tier] || allow != want.allow ||
				    (want.present && (rule != want.rule || !named(&image[tier]->refs[rule], &want)))) {
					char text[INET6_ADDRSTRLEN];

					inet_ntop(flow.family, flow.addr, text, sizeof(text));
					fail_msg("direction %d tier %d %s protocol %u port %u: rule %u %s, not %u %s",
						 direction, tier, text, flow.protocol, flow.port, rule,
						 allow ? "allows" : "denies", want.rule,
						 want.allow ? "allows" : "denies");
				}
				/* A tier without an opinion costs nothing and is no test. */
				compared += want.present;
			}
		}
		for (int tier = 0; tier < RF_TIERS; tier++)
			rf_ruleset_image_free(image[tier]);
	}
	assert_int_equal(diags.n, 0);
	arena_free(&a);
	return compared;
}

static void the_image_answers_as_the_rules_do_one_by_one(void **state)
{
	struct random r = { random_seed("network rules") };
	unsigned int compared = 0, sets = 0;

	(void)state;
	while (compared < 400000) {
		compared += policies_compared(&r, 100);
		sets++;
	}
	printf("# %u answers of %u policy sets are the same\n", compared, sets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_image_answers_as_the_rules_do_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
