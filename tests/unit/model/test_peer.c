// SPDX-License-Identifier: GPL-2.0-or-later
/* Label requirements and peer selectors, each that matches beside one that does not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/lib/util.h"
#include "user/model/peer.h"

static char KEY_APP[] = "app", VALUE_WEB[] = "web", KEY_TIER[] = "tier", VALUE_FRONT[] = "front";
static char POD[] = "web-0", NAMESPACE[] = "shop", OTHER[] = "bank";

static const struct rf_label labels[] = { { KEY_APP, VALUE_WEB }, { KEY_TIER, VALUE_FRONT } };

static bool holds(const char *key, enum rf_label_operator operator, const char * const * values, size_t n_values,
		  size_t n_labels)
{
	struct rf_label_matches m = { 0 };
	bool result;

	assert_int_equal(rf_label_matches_add(&m, key, operator, values, n_values), 0);
	result = rf_label_matches_hold(&m, labels, n_labels);
	rf_label_matches_fini(&m);
	return result;
}

static void a_requirement_is_what_kubernetes_says(void **state)
{
	static const char *const some[] = { "api", "web" }, *const others[] = { "api" };

	(void)state;
	assert_true(holds("app", RF_LABEL_IN, some, 2, 2));
	assert_false(holds("app", RF_LABEL_IN, others, 1, 2));
	assert_false(holds("app", RF_LABEL_IN, some, 2, 0));
	assert_true(holds("app", RF_LABEL_NOT_IN, others, 1, 2));
	assert_false(holds("app", RF_LABEL_NOT_IN, some, 2, 2));
	assert_true(holds("app", RF_LABEL_NOT_IN, some, 2, 0));
	assert_true(holds("tier", RF_LABEL_EXISTS, NULL, 0, 2));
	assert_false(holds("tier", RF_LABEL_EXISTS, NULL, 0, 1));
	assert_true(holds("tier", RF_LABEL_ABSENT, NULL, 0, 1));
	assert_false(holds("tier", RF_LABEL_ABSENT, NULL, 0, 2));
}

static void all_requirements_must_hold(void **state)
{
	static const char *const web[] = { "web" }, *const back[] = { "back" };
	struct rf_label_matches m = { 0 };

	(void)state;
	assert_true(rf_label_matches_hold(&m, NULL, 0));
	assert_int_equal(rf_label_matches_add(&m, "app", RF_LABEL_IN, web, 1), 0);
	assert_true(rf_label_matches_hold(&m, labels, 2));
	assert_int_equal(rf_label_matches_add(&m, "tier", RF_LABEL_IN, back, 1), 0);
	assert_false(rf_label_matches_hold(&m, labels, 2));
	rf_label_matches_fini(&m);
}

static void a_selector_knows_its_own(void **state)
{
	struct rf_identity pod = { .pod_name = POD,
				   .namespace = NAMESPACE,
				   .labels = (struct rf_label *)labels,
				   .n_labels = ARRAY_SIZE(labels),
				   .labels_known = true };
	struct rf_identity elsewhere = pod, service = { .unit = POD };
	const struct rf_peer_facts mine = { "acme", "shop", "web-0", &pod },
				   stranger = { NULL, NULL, NULL, &elsewhere },
				   unit = { "acme", "shop", "web", &service }, unknown = { 0 };
	static const char *const shop[] = { "shop" }, *const web[] = { "web" };
	struct rf_identity untold = { .pod_name = POD, .namespace = NAMESPACE };
	const struct rf_peer_facts labelless = { "acme", "shop", "web-0", &untold };
	struct rf_peer_selector any = { 0 }, tenant = { .tenant = strdup("ac*") }, pods = { .pods = true }, copy;

	(void)state;
	elsewhere.namespace = OTHER;
	assert_true(rf_peer_selector_match(&any, &unknown));
	assert_true(rf_peer_selector_match(&tenant, &mine));
	assert_true(rf_peer_selector_match(&tenant, &unit));
	assert_false(rf_peer_selector_match(&tenant, &stranger));
	assert_false(rf_peer_selector_match(&tenant, &unknown));
	assert_true(rf_peer_selector_match(&pods, &mine));
	assert_true(rf_peer_selector_match(&pods, &stranger));
	assert_false(rf_peer_selector_match(&pods, &unit));
	assert_false(rf_peer_selector_match(&pods, &unknown));
	assert_int_equal(rf_label_matches_add(&pods.namespace_labels, RF_NAMESPACE_NAME_LABEL, RF_LABEL_IN, shop, 1),
			 0);
	assert_int_equal(rf_label_matches_add(&pods.labels, "app", RF_LABEL_IN, web, 1), 0);
	assert_true(rf_peer_selector_match(&pods, &mine));
	assert_false(rf_peer_selector_match(&pods, &stranger));
	/* Labels that no file tells may be there or not: neither is held against or for anybody. */
	assert_false(rf_peer_selector_match(&pods, &labelless));
	assert_int_equal(rf_label_matches_add(&any.labels, "app", RF_LABEL_ABSENT, NULL, 0), 0);
	assert_false(rf_peer_selector_match(&any, &labelless));
	untold.labels_known = true;
	assert_true(rf_peer_selector_match(&any, &labelless));
	rf_peer_selector_fini(&any);
	assert_int_equal(rf_peer_selector_copy(&copy, &pods), 0);
	assert_true(rf_peer_selector_equal(&copy, &pods));
	assert_false(rf_peer_selector_equal(&copy, &tenant));
	assert_true(rf_peer_selector_match(&copy, &mine));
	rf_peer_selector_fini(&copy);
	rf_peer_selector_fini(&pods);
	rf_peer_selector_fini(&tenant);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_requirement_is_what_kubernetes_says),
		cmocka_unit_test(all_requirements_must_hold),
		cmocka_unit_test(a_selector_knows_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
