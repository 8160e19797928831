// SPDX-License-Identifier: GPL-2.0-or-later
/* File rules of several policies: which zones there are, what is denied in each, the tiers, and whose it is. */
#include "tests/unit/policy/parsed.h"
#include "user/policy/compile_files.h"

struct compiled {
	struct parsed parsed;
	struct rf_files_image *image;
	struct rf_strbuf shown;
};

static void compiled_fini(struct compiled *c)
{
	rf_files_image_free(c->image);
	parsed_fini(&c->parsed);
	rf_strbuf_fini(&c->shown);
}

#define _cleanup_compiled_ __attribute__((cleanup(compiled_fini)))
#define BIT(access)	   (1u << RF_FILE_##access)
#define AUDIT		   "  mode: audit\n"
#define RULES(what)	   "  files: {rules: [" what "]}\n"
#define LABEL(name, what)  "---\napiVersion: ringfence/v1\nkind: Label\nmetadata: {name: " name "}\nspec: {" what "}\n"
#define LABEL_OF(tenant, name, what)                                                                   \
	"---\napiVersion: ringfence/v1\nkind: Label\nmetadata: {name: " name ", tenant: " tenant "}\n" \
	"spec: {" what "}\n"

/* On this host /way leads to /data, and all else to itself. */
static char *resolve(const char *path, void *arg)
{
	char *other;

	(void)arg;
	if (strncmp(path, "/way", 4) == 0)
		return asprintf(&other, "/data%s", path + 4) < 0 ? NULL : other;
	return strdup(path);
}

static struct compiled compiled_from(const char *text)
{
	struct compiled c = { .parsed = parsed_text(text), .shown = RF_STRBUF_INIT };
	const struct rf_policy *const *policies;
	struct rf_policy_set *set = c.parsed.set;

	assert_right(&c.parsed);
	policies = (const struct rf_policy *const *)set->policies;
	assert_int_equal(rf_zones_make(set, resolve, NULL, &c.parsed.diags, &set->zones), 0);
	assert_int_equal(rf_files_compile(policies, set->n, set->zones, &c.parsed.diags, &c.image), 0);
	rf_files_show(policies, set->n, &c.shown);
	return c;
}

static uint32_t zone_of(const struct compiled *c, const char *path)
{
	const struct rf_zones *zones = c->parsed.set->zones;

	for (uint32_t i = 0; i < zones->n; i++)
		if (strcmp(zones->list[i].path, path) == 0)
			return i + 1;
	fail_msg("there is no zone %s", path);
	return 0;
}

static uint32_t denied(const struct compiled *c, enum rf_tier tier, const char *path)
{
	uint32_t zone = zone_of(c, path);

	for (uint32_t i = 0; c->image && i < c->image->set[tier].n; i++)
		if (c->image->set[tier].entries[i].zone == zone)
			return c->image->set[tier].entries[i].deny;
	return 0;
}

static void assert_whose(const struct compiled *c, enum rf_tier tier, const char *path, uint32_t access,
			 const char *policy, const char *rule, uint32_t line)
{
	const struct rf_rule_ref *ref = rf_files_ref(c->image, tier, zone_of(c, path), access);

	assert_non_null(ref);
	assert_string_equal(ref->policy, policy);
	assert_string_equal(ref->rule, rule);
	assert_int_equal(ref->line, line);
}

static void without_rules_there_is_no_image(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD "  files: {}\n");
	_cleanup_compiled_ struct compiled label = compiled_from(HEAD LABEL("l", "paths: [/a]"));
	_cleanup_compiled_ struct compiled allow = compiled_from(HEAD RULES("{path: /a}"));

	(void)state;
	assert_null(c.parsed.set->zones);
	assert_null(c.image);
	assert_null(label.image);
	assert_null(allow.image);
	assert_null(rf_files_ref(NULL, RF_TIER_ENFORCE, 1, RF_FILE_ALL));
}

static void the_first_rule_that_names_an_access_decides_it(void **state)
{
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD RULES(
		"{label: l, access: [read, exec]}, {name: no, action: deny, label: l, access: [read, write]},"
		"{name: rest, action: deny, label: l}") LABEL("l", "paths: [/data]"));

	(void)state;
	assert_int_equal(denied(&c, RF_TIER_ENFORCE, "/data"), RF_FILE_ALL & ~(BIT(READ) | BIT(EXEC)));
	assert_int_equal(c.image->set[RF_TIER_AUDIT].n, 0);
	assert_whose(&c, RF_TIER_ENFORCE, "/data", BIT(WRITE), "t/default/x", "no", 7);
	assert_whose(&c, RF_TIER_ENFORCE, "/data", BIT(MOUNT), "t/default/x", "rest", 7);
	assert_null(rf_files_ref(c.image, RF_TIER_ENFORCE, zone_of(&c, "/data"), BIT(READ)));
	assert_null(rf_files_ref(c.image, RF_TIER_ENFORCE, 99, BIT(WRITE)));
	assert_string_equal(rf_strbuf_str(&c.shown), "\nfiles:\n"
						     "    1. allow label l read, exec  (files[0], t.yaml:7)\n"
						     "    2. deny  label l read, write  (no, t.yaml:7)\n"
						     "    3. deny  label l any  (rest, t.yaml:7)\n"
						     "  else allow, but what a label keeps to another tenant\n");
}

static void the_innermost_label_counts_and_paths_reach_inwards(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD RULES("{path: /data/in/free/**}, {action: deny, label: outer, access: [read]},"
					 "{action: deny, path: /data/in, access: [write]}")
				      LABEL("outer", "paths: [/data]") LABEL("inner", "paths: [/data/in]"));

	(void)state;
	assert_int_equal(c.parsed.set->zones->n, 3);
	assert_int_equal(denied(&c, RF_TIER_ENFORCE, "/data"), BIT(READ));
	assert_int_equal(denied(&c, RF_TIER_ENFORCE, "/data/in"), BIT(WRITE));
	assert_int_equal(denied(&c, RF_TIER_ENFORCE, "/data/in/free"), 0);
}

static void a_path_that_leads_elsewhere_is_that_place(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD RULES("{path: /data/x, access: [read]}, {action: deny, label: l, access: [read]}")
				      LABEL("l", "paths: [/way]"));

	(void)state;
	assert_int_equal(denied(&c, RF_TIER_ENFORCE, "/data"), BIT(READ));
	assert_int_equal(denied(&c, RF_TIER_ENFORCE, "/data/x"), 0);
}

static void a_name_that_begins_alike_is_not_below(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD RULES("{action: deny, path: /data, access: [read]}, {path: /database}"));

	(void)state;
	assert_int_equal(denied(&c, RF_TIER_ENFORCE, "/data"), BIT(READ));
	assert_int_equal(denied(&c, RF_TIER_ENFORCE, "/database"), 0);
}

static void everything_is_below_the_root(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD RULES("{path: /etc}, {action: deny, path: /, access: [write]}"));

	(void)state;
	assert_int_equal(denied(&c, RF_TIER_ENFORCE, "/"), BIT(WRITE));
	assert_int_equal(denied(&c, RF_TIER_ENFORCE, "/etc"), 0);
}

static void audit_reports_what_all_would_deny(void **state)
{
	_cleanup_compiled_ struct compiled c =
		compiled_from(HEAD RULES("{action: deny, path: /a, access: [read]}") "---\n" HEAD_OF("y")
				      AUDIT RULES("{action: deny, path: /a, access: [write]}"));

	(void)state;
	assert_int_equal(denied(&c, RF_TIER_ENFORCE, "/a"), BIT(READ));
	assert_int_equal(denied(&c, RF_TIER_AUDIT, "/a"), BIT(READ) | BIT(WRITE));
	assert_whose(&c, RF_TIER_AUDIT, "/a", BIT(WRITE), "t/default/y", "files[0]", 16);
}

static void a_private_label_denies_other_tenants_what_they_have_no_rule_for(void **state)
{
	_cleanup_compiled_ struct compiled other = compiled_from(HEAD LABEL_OF("u", "l", "paths: [/a]"));
	_cleanup_compiled_ struct compiled own = compiled_from(HEAD LABEL_OF("t", "l", "paths: [/a]"));
	_cleanup_compiled_ struct compiled shared =
		compiled_from(HEAD LABEL_OF("u", "l", "paths: [/a], access: policy"));
	_cleanup_compiled_ struct compiled opened =
		compiled_from(HEAD RULES("{label: l, access: [read]}") LABEL_OF("u", "l", "paths: [/a]"));
	_cleanup_compiled_ struct compiled audit = compiled_from(HEAD AUDIT LABEL_OF("u", "l", "paths: [/a]"));

	(void)state;
	assert_int_equal(denied(&other, RF_TIER_ENFORCE, "/a"), RF_FILE_ALL);
	assert_whose(&other, RF_TIER_ENFORCE, "/a", BIT(READ), "u/label/l", "access: tenant", 8);
	assert_null(own.image);
	assert_null(shared.image);
	assert_int_equal(denied(&opened, RF_TIER_ENFORCE, "/a"), RF_FILE_ALL & ~BIT(READ));
	assert_int_equal(denied(&audit, RF_TIER_ENFORCE, "/a"), 0);
	assert_int_equal(denied(&audit, RF_TIER_AUDIT, "/a"), RF_FILE_ALL);
}

static void sets_are_equal_by_what_they_deny(void **state)
{
	_cleanup_compiled_ struct compiled a = compiled_from(HEAD RULES("{action: deny, path: /a, access: [read]}"));
	_cleanup_compiled_ struct compiled b =
		compiled_from(HEAD RULES("{name: other, action: deny, path: /b, access: [read]}"));
	_cleanup_compiled_ struct compiled c = compiled_from(HEAD RULES("{action: deny, path: /a, access: [write]}"));

	(void)state;
	/* The numbers of zones are what the kernel knows. */
	assert_true(rf_file_set_equal(&a.image->set[0], &b.image->set[0]));
	assert_false(rf_file_set_equal(&a.image->set[0], &c.image->set[0]));
	assert_false(rf_file_set_equal(&a.image->set[0], &a.image->set[1]));
}

static void two_labels_on_one_path_are_refused(void **state)
{
	_cleanup_parsed_ struct parsed p = parsed_text(HEAD LABEL("l", "paths: [/data]") LABEL("m", "paths: [/way]"));
	struct rf_zones *zones = NULL;

	(void)state;
	assert_right(&p);
	assert_int_equal(rf_zones_make(p.set, resolve, NULL, &p.diags, &zones), -EEXIST);
	assert_null(zones);
	assert_int_equal(p.diags.n_errors, 1);
}

/* @n rules of a path each, on one policy. */
static int compiled_of_many(unsigned int n, struct rf_diags *diags)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	_cleanup_files_image_ struct rf_files_image *image = NULL;
	_cleanup_parsed_ struct parsed p = { 0 };
	int r;

	/* Two policies: one alone may not have more than the limit. */
	for (unsigned int i = 0; i < n; i++)
		rf_strbuf_addf(&text, "%s    - {action: deny, path: /p%u}\n",
			       i == 0			  ? HEAD "  files:\n    rules:\n" :
			       i == RF_MAX_FILE_RULES / 2 ? "---\n" HEAD_OF("y") "  files:\n    rules:\n" :
							    "",
			       i);
	p = parsed_text(rf_strbuf_str(&text));
	assert_right(&p);
	assert_int_equal(rf_zones_make(p.set, resolve, NULL, diags, &p.set->zones), 0);
	r = rf_files_compile((const struct rf_policy *const *)p.set->policies, p.set->n, p.set->zones, diags, &image);
	return r;
}

static void one_workload_has_as_many_rules_as_the_limit_says(void **state)
{
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;

	(void)state;
	assert_int_equal(compiled_of_many(RF_MAX_FILE_RULES, &diags), 0);
	assert_int_equal(compiled_of_many(RF_MAX_FILE_RULES + 1, &diags), -E2BIG);
	assert_int_equal(diags.n_errors, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rules_there_is_no_image),
		cmocka_unit_test(the_first_rule_that_names_an_access_decides_it),
		cmocka_unit_test(the_innermost_label_counts_and_paths_reach_inwards),
		cmocka_unit_test(a_path_that_leads_elsewhere_is_that_place),
		cmocka_unit_test(a_name_that_begins_alike_is_not_below),
		cmocka_unit_test(everything_is_below_the_root),
		cmocka_unit_test(audit_reports_what_all_would_deny),
		cmocka_unit_test(a_private_label_denies_other_tenants_what_they_have_no_rule_for),
		cmocka_unit_test(sets_are_equal_by_what_they_deny),
		cmocka_unit_test(two_labels_on_one_path_are_refused),
		cmocka_unit_test(one_workload_has_as_many_rules_as_the_limit_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
