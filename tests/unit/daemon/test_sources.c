// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that did not change are not parsed again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/daemon/sources.h"
#include "user/lib/strbuf.h"

static void add(struct rf_sources *s, const char *name, const char *path, const char *text)
{
	s->list = reallocarray(s->list, s->n + 1, sizeof(*s->list));
	assert_non_null(s->list);
	s->list[s->n++] = (struct rf_source){
		.name = strdup(name), .path = strdup(path), .text = strdup(text), .len = strlen(text)
	};
}

static char *document(const char *name, int priority)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_strbuf_addf(&text,
		       "---\napiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: %s}\n"
		       "spec:\n  priority: %d\n  select: [{cgroup: /x}]\n  network: {egress: {default: deny}}\n",
		       name, priority);
	return rf_strbuf_take(&text);
}

static void add_document(struct rf_sources *s, const char *file, const char *name, int priority)
{
	_cleanup_free_ char *text = document(name, priority);
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "/p/%s", file) > 0);
	add(s, file, path, text);
}

static struct rf_policy_set *parse(const struct rf_sources *s, const struct rf_sources *old,
				   const struct rf_policy_set *old_set)
{
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;
	struct rf_policy_set *set = NULL;

	assert_int_equal(rf_sources_parse(s, old, old_set, &set, &diags), 0);
	assert_int_equal(diags.n, 0);
	return set;
}

static const struct rf_policy *named(const struct rf_policy_set *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++)
		if (rf_streq(set->policies[i]->name, name))
			return set->policies[i];
	return NULL;
}

static void what_did_not_change_is_shared(void **state)
{
	_cleanup_sources_ struct rf_sources old = RF_SOURCES_INIT, new = RF_SOURCES_INIT;
	_cleanup_policy_set_ struct rf_policy_set *before = NULL, *after = NULL;

	(void)state;
	add_document(&old, "a.yaml", "same", 5);
	add_document(&old, "b.yaml", "changed", 6);
	add_document(&old, "c.yaml", "gone", 7);
	before = parse(&old, &new, NULL);
	assert_int_equal(before->n, 3);

	add_document(&new, "a.yaml", "same", 5);
	add_document(&new, "b.yaml", "changed", 4);
	add_document(&new, "d.yaml", "fresh", 8);
	after = parse(&new, &old, before);
	assert_int_equal(after->n, 3);
	assert_ptr_equal(named(after, "same"), named(before, "same"));
	assert_ptr_not_equal(named(after, "changed"), named(before, "changed"));
	assert_int_equal(named(after, "changed")->priority, 4);
	assert_string_equal(after->policies[0]->name, "changed"); /* in merge order, wherever they came from */
	assert_null(named(after, "gone"));
	assert_non_null(named(after, "fresh"));

	/* Either may go first. */
	rf_policy_set_free(before);
	before = NULL;
	assert_string_equal(named(after, "same")->name, "same");
}

static void a_file_read_from_elsewhere_is_parsed(void **state)
{
	_cleanup_sources_ struct rf_sources old = RF_SOURCES_INIT, new = RF_SOURCES_INIT;
	_cleanup_policy_set_ struct rf_policy_set *before = NULL, *after = NULL;
	_cleanup_free_ char *text = document("a", 5);

	(void)state;
	add(&old, "a.yaml", "/p/a.yaml", text);
	add(&new, "a.yaml", "/q/a.yaml", text);
	before = parse(&old, &new, NULL);
	after = parse(&new, &old, before);
	assert_string_equal(after->policies[0]->file, "/q/a.yaml");
}

static void a_broken_file_leaves_the_old_set_whole(void **state)
{
	_cleanup_sources_ struct rf_sources old = RF_SOURCES_INIT, new = RF_SOURCES_INIT;
	_cleanup_policy_set_ struct rf_policy_set *before = NULL, *after = NULL;
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;

	(void)state;
	add_document(&old, "a.yaml", "a", 5);
	before = parse(&old, &new, NULL);
	add_document(&new, "a.yaml", "a", 5);
	add(&new, "b.yaml", "/p/b.yaml", "kind: [\n");
	assert_int_equal(rf_sources_parse(&new, &old, before, &after, &diags), -EINVAL);
	assert_null(after);
	assert_true(diags.n_errors > 0);
	assert_int_equal(before->policies[0]->shared, 0);
	assert_string_equal(before->policies[0]->name, "a");
}

static void a_name_that_a_shared_file_has_is_still_refused_twice(void **state)
{
	_cleanup_sources_ struct rf_sources old = RF_SOURCES_INIT, new = RF_SOURCES_INIT;
	_cleanup_policy_set_ struct rf_policy_set *before = NULL, *after = NULL;
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;

	(void)state;
	add_document(&old, "a.yaml", "a", 5);
	before = parse(&old, &new, NULL);
	add_document(&new, "a.yaml", "a", 5);
	add_document(&new, "b.yaml", "a", 9);
	assert_int_equal(rf_sources_parse(&new, &old, before, &after, &diags), -EINVAL);
	assert_int_equal(diags.n_errors, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_did_not_change_is_shared),
		cmocka_unit_test(a_file_read_from_elsewhere_is_parsed),
		cmocka_unit_test(a_broken_file_leaves_the_old_set_whole),
		cmocka_unit_test(a_name_that_a_shared_file_has_is_still_refused_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
