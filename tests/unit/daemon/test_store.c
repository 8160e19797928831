// SPDX-License-Identifier: GPL-2.0-or-later
/* Bundles of policy texts, and the generations that are kept of them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "user/daemon/store.h"
#include "user/lib/fs.h"
#include "user/lib/strbuf.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/rf-store-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return rf_fs_remove_tree(dir);
}

static void file_write(const char *name, const char *text)
{
	_cleanup_strbuf_ struct rf_strbuf path = RF_STRBUF_INIT;

	rf_strbuf_addf(&path, "%s/in/%s", dir, name);
	assert_int_equal(rf_fs_write_atomic(AT_FDCWD, rf_strbuf_str(&path), text, strlen(text), 0600), 0);
}

static void bundle_read(struct rf_sources *s)
{
	_cleanup_strbuf_ struct rf_strbuf path = RF_STRBUF_INIT;

	rf_strbuf_addf(&path, "%s/in", dir);
	assert_int_equal(rf_fs_mkdir_p(rf_strbuf_str(&path), 0700), 0);
	assert_int_equal(rf_sources_read_dir(s, rf_strbuf_str(&path), NULL), 0);
}

static void generation_add(const char *text)
{
	_cleanup_sources_ struct rf_sources s = RF_SOURCES_INIT;
	_cleanup_sources_ struct rf_sources first = RF_SOURCES_INIT;

	bundle_read(&first);
	file_write("a.yaml", text);
	bundle_read(&s);
	assert_int_equal(rf_store_add(dir, &s), 0);
}

static void assert_generation(unsigned int back, const char *text)
{
	_cleanup_sources_ struct rf_sources s = RF_SOURCES_INIT;

	assert_int_equal(rf_store_load(dir, back, &s), 0);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.list[0].text, text);
}

static void only_policy_files_are_read_in_order_of_name(void **state)
{
	_cleanup_sources_ struct rf_sources none = RF_SOURCES_INIT, s = RF_SOURCES_INIT;

	(void)state;
	bundle_read(&none);
	assert_int_equal(none.n, 0);
	file_write("b.yml", "b");
	file_write("a.yaml", "a");
	file_write(".hidden.yaml", "no");
	file_write("a.yaml~", "no");
	file_write("yaml", "no");
	bundle_read(&s);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.list[0].name, "a.yaml");
	assert_string_equal(s.list[1].name, "b.yml");
}

static void the_hash_tells_texts_and_names_apart(void **state)
{
	_cleanup_sources_ struct rf_sources none = RF_SOURCES_INIT, a = RF_SOURCES_INIT, b = RF_SOURCES_INIT,
					    same = RF_SOURCES_INIT;

	(void)state;
	bundle_read(&none);
	file_write("a.yaml", "one");
	bundle_read(&a);
	assert_int_equal(rf_sources_copy(&same, &a), 0);
	file_write("a.yaml", "two");
	bundle_read(&b);
	assert_int_equal(rf_sources_hash(&a), rf_sources_hash(&same));
	assert_int_not_equal(rf_sources_hash(&a), rf_sources_hash(&b));
	assert_int_not_equal(rf_sources_hash(&a), rf_sources_hash(&none));
}

static void the_newest_generation_and_the_one_before_are_found(void **state)
{
	_cleanup_sources_ struct rf_sources s = RF_SOURCES_INIT;

	(void)state;
	assert_int_equal(rf_store_load(dir, 0, &s), -ENOENT);
	generation_add("one");
	generation_add("two");
	generation_add("two"); /* the same again is no generation of its own */
	assert_generation(0, "two");
	assert_generation(1, "one");
	assert_int_equal(rf_store_load(dir, 2, &s), -ENOENT);
	assert_int_equal(rf_store_drop_newest(dir), 0);
	assert_generation(0, "one");
}

static void as_many_as_promised_are_kept_and_no_more(void **state)
{
	_cleanup_sources_ struct rf_sources s = RF_SOURCES_INIT;
	char text[16];

	(void)state;
	for (int i = 0; i < RF_STORE_KEEP + 3; i++) {
		snprintf(text, sizeof(text), "%d", i);
		generation_add(text);
	}
	snprintf(text, sizeof(text), "%d", 3);
	assert_generation(RF_STORE_KEEP - 1, text);
	assert_int_equal(rf_store_load(dir, RF_STORE_KEEP, &s), -ENOENT);
}

static void a_hold_is_for_one_content_until_it_is_cleared(void **state)
{
	(void)state;
	assert_false(rf_store_held(dir, 7));
	assert_int_equal(rf_store_hold_set(dir, 7), 0);
	assert_true(rf_store_held(dir, 7));
	assert_false(rf_store_held(dir, 8));
	rf_store_hold_clear(dir);
	assert_false(rf_store_held(dir, 7));
}

static void writing_a_bundle_removes_what_is_not_in_it_and_no_other_file(void **state)
{
	_cleanup_sources_ struct rf_sources none = RF_SOURCES_INIT, s = RF_SOURCES_INIT, back = RF_SOURCES_INIT;
	_cleanup_strbuf_ struct rf_strbuf in = RF_STRBUF_INIT, note = RF_STRBUF_INIT;
	struct stat st;

	(void)state;
	bundle_read(&none);
	file_write("a.yaml", "a");
	bundle_read(&s);
	file_write("b.yaml", "b");
	file_write("README", "kept");
	rf_strbuf_addf(&in, "%s/in", dir);
	rf_strbuf_addf(&note, "%s/in/README", dir);
	assert_int_equal(rf_sources_write_dir(&s, rf_strbuf_str(&in)), 0);
	bundle_read(&back);
	assert_int_equal(back.n, 1);
	assert_string_equal(back.list[0].name, "a.yaml");
	assert_int_equal(stat(rf_strbuf_str(&note), &st), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_policy_files_are_read_in_order_of_name, setup, teardown),
		cmocka_unit_test_setup_teardown(the_hash_tells_texts_and_names_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(the_newest_generation_and_the_one_before_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(as_many_as_promised_are_kept_and_no_more, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hold_is_for_one_content_until_it_is_cleared, setup, teardown),
		cmocka_unit_test_setup_teardown(writing_a_bundle_removes_what_is_not_in_it_and_no_other_file, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
