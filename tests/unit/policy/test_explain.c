// SPDX-License-Identifier: GPL-2.0-or-later
/* What is told of a field, and that every field of the schema has something to be told. */
#include "tests/unit/policy/parsed.h"
#include "user/policy/explain.h"
#include "user/policy/reference.h"
#include "user/policy/schema.h"

static void assert_explained(const char *field, int r, const char *said)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	assert_int_equal(rf_policy_explain(field, &out), r);
	if (!strstr(rf_strbuf_str(&out), said))
		fail_msg("\"%s\" is not said in: %s", said, rf_strbuf_str(&out));
}

static void a_field_is_told_with_type_default_and_values(void **state)
{
	(void)state;
	assert_explained("spec.mode", 0, "spec.mode <word>");
	assert_explained("spec.mode", 0, "One of: enforce, audit");
	assert_explained("spec.mode", 0, "Default: enforce");
	assert_explained("spec.priority", 0, "From 0 to 1000.");
	assert_explained("spec.select", 0, "<list of mappings> required");
	assert_explained("spec.select", 0, "At most 64 entries.");
	assert_explained("spec.network.egress.rules.to.cidr", 0, "<CIDR>");
	assert_explained("spec.network.egress.rules.to.cidr", 0, "Example: cidr: 10.0.0.0/8");
	assert_explained("spec.devices", 0, "Needs the host feature \"devices\"");
}

static void what_is_not_enforced_yet_is_told_so(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf enforced = RF_STRBUF_INIT, page = RF_STRBUF_INIT;

	(void)state;
	assert_explained("spec.respond", 0, "Checked, but not enforced by this version.");
	assert_explained("spec.resources", 0, "Checked, but not enforced by this version.");
	assert_int_equal(rf_policy_explain("spec.devices", &enforced), 0);
	assert_null(strstr(rf_strbuf_str(&enforced), "not enforced"));
	assert_int_equal(rf_policy_reference(&page), 0);
	assert_non_null(strstr(rf_strbuf_str(&page), "Needs `resources`. **Not enforced yet.** |"));
	assert_non_null(strstr(rf_strbuf_str(&page), "Needs `devices`. |"));
}

static void an_object_is_told_with_its_fields(void **state)
{
	(void)state;
	assert_explained("", 0, "apiVersion <word> required");
	assert_explained("spec.network", 0, "ingress <mapping>");
	assert_explained("spec.network.egress.rules", 0, "    to <list of mappings>");
	assert_explained("spec.network.ingress.rules", 0, "    from <list of mappings>");
}

static void an_index_may_be_given(void **state)
{
	(void)state;
	assert_explained("spec.network.egress.rules[3].ports[0].port", 0, "<integer>");
}

static void a_wrong_name_is_answered_with_the_nearest(void **state)
{
	(void)state;
	assert_explained("spec.netwrok", -ENOENT, "no field \"netwrok\" in spec; did you mean \"network\"?");
	assert_explained("spce", -ENOENT, "no field \"spce\" in a document; did you mean \"spec\"?");
	assert_explained("spec.network.egress.rules.too", -ENOENT, "did you mean \"to\"?");
	assert_explained("spec.mode.x", -ENOENT, "no field \"x\" in mode");
	assert_explained("spec..mode", -ENOENT, "no field \"\" in spec");
	assert_explained("zzzzzzzzzz", -ENOENT, "no field \"zzzzzzzzzz\" in a document\n");
}

static void a_name_of_any_length_is_answered(void **state)
{
	char name[4096];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_explained(name, -ENOENT, "no field \"aaa");
}

/* Whatever the schema declares must be complete, or the parser and the pages have nothing to go by. */
static void check_field(const struct rf_field *f, const char *path, const char *page)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT, row = RF_STRBUF_INIT;

	if (rf_policy_explain(path, &out))
		fail_msg("%s cannot be explained", path);
	if (!f->text || !*f->text || f->text[strlen(f->text) - 1] != '.')
		fail_msg("%s has no sentence", path);
	if (f->type == RF_TYPE_INTEGER && f->min >= f->max)
		fail_msg("%s has no range", path);
	if ((f->type == RF_TYPE_ENUM) != !!f->values)
		fail_msg("%s: values go with words", path);
	if ((f->type == RF_TYPE_OBJECT) != !!f->children)
		fail_msg("%s: fields go with mappings", path);
	if (f->list && f->max < 1)
		fail_msg("%s has no limit", path);
	if (f->values && f->dflt && !f->list && !rf_nearest(f->values, f->dflt))
		fail_msg("%s: its default is no value of it", path);
	if (*f->key && !f->ignored) {
		rf_strbuf_addf(&row, "| `%s` | %s", f->key, rf_type_name(f));
		if (!strstr(page, rf_strbuf_str(&row)))
			fail_msg("%s is not on the reference page", path);
	}
	for (const struct rf_field *child = f->children; child && child->key; child++) {
		_cleanup_strbuf_ struct rf_strbuf at = RF_STRBUF_INIT;

		rf_strbuf_addf(&at, "%s%s%s", path, *path ? "." : "", child->key);
		check_field(child, rf_strbuf_str(&at), page);
	}
}

static void every_field_is_complete_explained_and_on_the_page(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf page = RF_STRBUF_INIT;

	(void)state;
	assert_int_equal(rf_policy_reference(&page), 0);
	check_field(&rf_schema, "", rf_strbuf_str(&page));
	check_field(&rf_schema_kubernetes, "NetworkPolicy", rf_strbuf_str(&page));
}

static void a_kind_of_document_may_come_first(void **state)
{
	(void)state;
	assert_explained("NetworkPolicy", 0, "NetworkPolicy <mapping>");
	assert_explained("networkpolicy.spec.podSelector", 0, "matchExpressions <list of mappings>");
	assert_explained("NetworkPolicy.spec.ingress[0].from.ipBlock.cidr", 0, "<CIDR> required");
	assert_explained("NetworkPolicy.metadata.uid", 0, "<anything>");
	assert_explained("WorkloadPolicy.spec.mode", 0, "<word>");
	assert_explained("NetworkPolicy.spce", -ENOENT, "no field \"spce\" in a NetworkPolicy; did you mean \"spec\"?");
	assert_explained("NetworkPolicies", -ENOENT, "no field \"NetworkPolicies\" in a document");
	assert_explained("", 0, "ringfence policy explain NetworkPolicy");
}

static void every_section_of_the_language_is_there(void **state)
{
	static const char *const sections[] = { "network",	"devices",   "process", "files",   "kernel",
						"accelerators", "resources", "anomaly", "respond", "telemetry" };
	const struct rf_field *spec = rf_field_child(&rf_schema, "spec");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		assert_non_null(rf_field_child(spec, sections[i]));
	assert_null(rf_field_child(spec, "nonsense"));
}

static void the_nearest_word_is_near(void **state)
{
	static const char *const words[] = { "enforce", "audit", NULL };

	(void)state;
	assert_string_equal(rf_nearest(words, "enfroce"), "enforce");
	assert_string_equal(rf_nearest(words, "AUDIT"), "audit");
	assert_string_equal(rf_nearest((const char *const[]){ "TCP", "UDP", NULL }, "tpc"), "TCP");
	assert_string_equal(rf_nearest(words, "enf"), "enforce");
	assert_null(rf_nearest(words, "banana"));
	assert_null(rf_nearest(words, ""));
	assert_null(rf_nearest(NULL, "audit"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_is_told_with_type_default_and_values),
		cmocka_unit_test(what_is_not_enforced_yet_is_told_so),
		cmocka_unit_test(an_object_is_told_with_its_fields),
		cmocka_unit_test(an_index_may_be_given),
		cmocka_unit_test(a_wrong_name_is_answered_with_the_nearest),
		cmocka_unit_test(a_name_of_any_length_is_answered),
		cmocka_unit_test(every_field_is_complete_explained_and_on_the_page),
		cmocka_unit_test(a_kind_of_document_may_come_first),
		cmocka_unit_test(every_section_of_the_language_is_there),
		cmocka_unit_test(the_nearest_word_is_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
