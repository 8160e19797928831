// SPDX-License-Identifier: GPL-2.0-or-later
/* Which policies a recorded cgroup would have, what they say of a flow, and what is a change. */
#include "tests/unit/policy/parsed.h"

#include <netinet/in.h>

#include "user/daemon/policy_diff.h"
#include "user/daemon/shadow.h"

#define POLICY(name, cgroup, spec)                                                          \
	"---\napiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: " name "}\n" \
	"spec:\n  select:\n    - cgroup: \"" cgroup "\"\n" spec
#define DENY_ALL "  network: {egress: {default: deny}}\n"
#define HTTPS                                                                                  \
	"  network: {egress: {default: deny, rules: [{name: https, to: [{cidr: 10.0.0.0/8}], " \
	"ports: [{protocol: TCP, port: 443}]}]}}\n"

static const uint8_t ten[16] = { 10, 0, 0, 1 };

struct fixture {
	struct parsed parsed;
	struct rf_shadow *shadow;
};

static void fixture_fini(struct fixture *f)
{
	rf_shadow_free(f->shadow);
	parsed_fini(&f->parsed);
}

static struct fixture fixture_of(const char *text, const char *prefix, const struct rf_hashmap *live)
{
	struct fixture f = { parsed_text(text), NULL };

	assert_right(&f.parsed);
	assert_int_equal(rf_shadow_new(f.parsed.set, prefix, live, &f.shadow), 0);
	return f;
}

static const struct rf_image *image_of(struct fixture *f, const char *path)
{
	const struct rf_identity id = { .path = (char *)path };
	const struct rf_image *image;

	assert_int_equal(rf_shadow_image(f->shadow, &id, &f->parsed.diags, &image), 0);
	return image;
}

static struct rf_flow_answer ask(const struct rf_image *image, uint16_t port)
{
	return rf_image_judge(image, &(struct rf_flow_query){ .direction = RF_EGRESS,
							      .family = AF_INET,
							      .protocol = IPPROTO_TCP,
							      .port = port,
							      .address = ten });
}

static void a_cgroup_has_its_own_policies_and_its_ancestors(void **state)
{
	__attribute__((cleanup(fixture_fini))) struct fixture f =
		fixture_of(POLICY("a", "/top/a", HTTPS) POLICY("b", "/top/a/b", DENY_ALL), "", NULL);
	const struct rf_image *image;

	(void)state;
	assert_null(image_of(&f, "/top"));
	assert_null(image_of(&f, "/top/ab"));
	assert_int_equal(image_of(&f, "/top/a")->n_policies, 1);
	image = image_of(&f, "/top/a/b");
	assert_int_equal(image->n_policies, 2);
	/* What is below has the same ones, and one image is enough. */
	assert_ptr_equal(image_of(&f, "/top/a/b/c/d"), image);
	assert_ptr_equal(image_of(&f, "/top/a/x"), image_of(&f, "/top/a"));
}

static void above_the_attach_point_nothing_is_selected(void **state)
{
	__attribute__((cleanup(fixture_fini))) struct fixture f =
		fixture_of(POLICY("top", "/top", DENY_ALL) POLICY("a", "/top/a", HTTPS), "/top", NULL);

	(void)state;
	assert_int_equal(image_of(&f, "/top/a")->n_policies, 1);
	assert_int_equal(image_of(&f, "/top/a/b")->n_policies, 1);
}

static void an_ancestor_that_is_there_is_who_it_is(void **state)
{
	_cleanup_hashmap_ struct rf_hashmap *live = NULL;
	struct rf_identity container = { .path = (char *)"/x/y", .runtime = (char *)"podman" };
	const char *text = "---\napiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: c}\n"
			   "spec:\n  select:\n    - container: {runtime: podman}\n" DENY_ALL;

	(void)state;
	assert_int_equal(rf_hashmap_new(NULL, &live), 0);
	assert_int_equal(rf_hashmap_put(live, container.path, strlen(container.path), &container), 0);
	__attribute__((cleanup(fixture_fini))) struct fixture with = fixture_of(text, "", live);
	__attribute__((cleanup(fixture_fini))) struct fixture without = fixture_of(text, "", NULL);

	assert_non_null(image_of(&with, "/x/y/z"));
	assert_null(image_of(&without, "/x/y/z"));
}

static void an_answer_names_the_rule(void **state)
{
	__attribute__((cleanup(fixture_fini))) struct fixture f = fixture_of(POLICY("a", "/a", HTTPS), "", NULL);
	struct rf_flow_answer answer = ask(image_of(&f, "/a"), 443);

	(void)state;
	assert_int_equal(answer.verdict, RF_ALLOW);
	assert_string_equal(answer.ref->rule, "https");
	answer = ask(image_of(&f, "/a"), 80);
	assert_int_equal(answer.verdict, RF_DENY);
	assert_string_equal(answer.ref->rule, "default");
	assert_string_equal(answer.ref->policy, "default/default/a");
	/* Without a policy, and in a direction that none speaks of, everything passes. */
	answer = ask(NULL, 80);
	assert_int_equal(answer.verdict, RF_ALLOW);
	assert_null(answer.ref);
	answer = rf_image_judge(image_of(&f, "/a"), &(struct rf_flow_query){ .direction = RF_INGRESS,
									     .family = AF_INET,
									     .protocol = IPPROTO_TCP,
									     .port = 80,
									     .address = ten });
	assert_int_equal(answer.verdict, RF_ALLOW);
	assert_null(answer.ref);
}

static void mode_audit_reports_what_enforcement_lets_pass(void **state)
{
	__attribute__((cleanup(fixture_fini))) struct fixture f = fixture_of(
		POLICY("audit", "/a", "  mode: audit\n" HTTPS) POLICY("enforce", "/a/b", "  priority: 1\n" DENY_ALL),
		"", NULL);

	(void)state;
	assert_int_equal(ask(image_of(&f, "/a"), 443).verdict, RF_ALLOW);
	assert_int_equal(ask(image_of(&f, "/a"), 80).verdict, RF_WOULD_DENY);
	assert_int_equal(ask(image_of(&f, "/a"), 80).tier, RF_TIER_AUDIT);
	assert_int_equal(ask(image_of(&f, "/a/b"), 80).verdict, RF_DENY);
}

static void every_pair_of_verdicts_is_a_change_or_none(void **state)
{
	static const enum rf_flow_change want[RF_VERDICTS][RF_VERDICTS] = {
		[RF_ALLOW] = { [RF_ALLOW] = RF_CHANGE_NONE,
			       [RF_DENY] = RF_CHANGE_DENIED,
			       [RF_WOULD_DENY] = RF_CHANGE_REPORTED },
		[RF_DENY] = { [RF_ALLOW] = RF_CHANGE_ALLOWED,
			      [RF_DENY] = RF_CHANGE_NONE,
			      [RF_WOULD_DENY] = RF_CHANGE_ALLOWED },
		[RF_WOULD_DENY] = { [RF_ALLOW] = RF_CHANGE_UNREPORTED,
				    [RF_DENY] = RF_CHANGE_DENIED,
				    [RF_WOULD_DENY] = RF_CHANGE_NONE },
	};

	(void)state;
	for (unsigned int old = 0; old < RF_VERDICTS; old++)
		for (unsigned int new = 0; new < RF_VERDICTS; new ++)
			assert_int_equal(rf_flow_change(old, new), want[old][new]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cgroup_has_its_own_policies_and_its_ancestors),
		cmocka_unit_test(above_the_attach_point_nothing_is_selected),
		cmocka_unit_test(an_ancestor_that_is_there_is_who_it_is),
		cmocka_unit_test(an_answer_names_the_rule),
		cmocka_unit_test(mode_audit_reports_what_enforcement_lets_pass),
		cmocka_unit_test(every_pair_of_verdicts_is_a_change_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
