// SPDX-License-Identifier: GPL-2.0-or-later
/* YAML to nodes: marks, what the strict subset refuses, and every limit at it and one past. */
#include "tests/unit/policy/parsed.h"
#include "user/policy/yaml.h"

struct read {
	int r;
	struct rf_documents documents;
	struct rf_diags diags;
	struct rf_strbuf said;
};

static void read_fini(struct read *read)
{
	rf_documents_fini(&read->documents);
	rf_diags_fini(&read->diags);
	rf_strbuf_fini(&read->said);
}

#define _cleanup_read_ __attribute__((cleanup(read_fini)))

static struct read read_bytes(const char *text, size_t len)
{
	struct read read = { .diags = RF_DIAGS_INIT, .said = RF_STRBUF_INIT };

	read.r = rf_yaml_parse("t.yaml", text, len, &read.documents, &read.diags);
	rf_diags_print(&read.diags, &read.said, false);
	return read;
}

static struct read read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void assert_read(const char *text)
{
	_cleanup_read_ struct read read = read_text(text);

	if (read.r)
		fail_msg("refused: %s", rf_strbuf_str(&read.said));
	assert_int_equal(read.diags.n_errors, 0);
}

static void assert_refused(const char *text, const char *said)
{
	_cleanup_read_ struct read read = read_text(text);

	assert_int_equal(read.r, -EINVAL);
	assert_int_equal(read.documents.n, 0);
	if (!strstr(rf_strbuf_str(&read.said), said))
		fail_msg("\"%s\" is not said in: %s", said, rf_strbuf_str(&read.said));
}

/* @open, @middle @n times, @close. */
static char *repeated(const char *open, const char *middle, size_t n, const char *close)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;
	char *text;

	rf_strbuf_adds(&b, open);
	for (size_t i = 0; i < n; i++)
		rf_strbuf_adds(&b, middle);
	rf_strbuf_adds(&b, close);
	text = rf_strbuf_take(&b);
	assert_non_null(text);
	return text;
}

static void a_node_knows_its_place(void **state)
{
	_cleanup_read_ struct read read = read_text("a: 1\nlist:\n  - x\n  - {deep: yes}\n");
	const struct rf_node *list, *deep;

	(void)state;
	assert_int_equal(read.r, 0);
	assert_int_equal(read.documents.n, 1);
	list = rf_node_get(read.documents.list[0], "list");
	assert_int_equal(list->kind, RF_NODE_SEQUENCE);
	assert_int_equal(list->n, 2);
	assert_int_equal(list->items[0]->mark.line, 3);
	assert_int_equal(list->items[0]->mark.column, 5);
	deep = rf_node_get(list->items[1], "deep");
	assert_string_equal(deep->text, "yes");
	assert_int_equal(deep->mark.line, 4);
	assert_int_equal(deep->mark.column, 12);
	assert_int_equal(deep->length, 3);
	assert_null(rf_node_get(read.documents.list[0], "absent"));
}

static void a_quoted_null_is_a_string(void **state)
{
	_cleanup_read_ struct read read = read_text("a: null\nb: ~\nc:\nd: 'null'\ne: \"\"\n");
	const struct rf_node *root = read.documents.list[0];

	(void)state;
	assert_int_equal(read.r, 0);
	assert_true(rf_node_is_null(rf_node_get(root, "a")));
	assert_true(rf_node_is_null(rf_node_get(root, "b")));
	assert_true(rf_node_is_null(rf_node_get(root, "c")));
	assert_false(rf_node_is_null(rf_node_get(root, "d")));
	assert_false(rf_node_is_null(rf_node_get(root, "e")));
}

static void empty_documents_are_left_out(void **state)
{
	_cleanup_read_ struct read none = read_text(""), comment = read_text("# only this\n"),
				   two = read_text("---\n---\na: 1\n---\n# nothing\n---\nb: 2\n...\n");

	(void)state;
	assert_int_equal(none.r, 0);
	assert_int_equal(none.documents.n, 0);
	assert_int_equal(comment.r, 0);
	assert_int_equal(comment.documents.n, 0);
	assert_int_equal(two.r, 0);
	assert_int_equal(two.documents.n, 2);
}

static void what_a_reader_would_have_to_resolve_is_refused(void **state)
{
	(void)state;
	assert_refused("a: &x 1\n", "anchors are not allowed");
	assert_refused("a: &x [1]\n", "anchors are not allowed");
	assert_refused("a: &x {b: 1}\n", "anchors are not allowed");
	assert_refused("a: *x\n", "aliases are not allowed");
	assert_refused("a: !!str 1\n", "tags are not allowed");
	assert_refused("a: !x [1]\n", "tags are not allowed");
	assert_refused("<<: {a: 1}\n", "merge keys are not allowed");
	assert_read("a: '&x'\nb: '*x'\nc: '!x'\n");
	assert_read("'<<': {a: 1}\n");
}

static void a_key_is_a_word_and_there_once(void **state)
{
	(void)state;
	assert_refused("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: error: key \"a\" is there twice");
	assert_refused("a: 1\n'a': 3\n", "it is also on line 1");
	assert_refused("? [a]\n: 1\n", "a key must be a plain word");
	assert_refused("? {a: b}\n: 1\n", "a key must be a plain word");
	assert_read("a: {k: 1}\nb: {k: 1}\n");
}

static void every_key_that_is_there_twice_is_told(void **state)
{
	_cleanup_read_ struct read read = read_text("a: 1\na: 2\nb: {c: 1, c: 2}\n");

	(void)state;
	assert_int_equal(read.r, -EINVAL);
	assert_int_equal(read.diags.n_errors, 2);
}

static void broken_yaml_is_told_with_its_place(void **state)
{
	(void)state;
	assert_refused("a: [1\n", "not valid YAML");
	assert_refused("a:\n\t- 1\n", "t.yaml:2:1: error: not valid YAML");
	assert_refused("a: 'x\n", "not valid YAML");
	assert_refused("a: 1\n b: 2\n", "not valid YAML");
	assert_refused("a: \xff\n", "not valid YAML");
}

static void another_encoding_is_not_chosen_by_a_mark(void **state)
{
	_cleanup_read_ struct read wide = read_bytes("\xff\xfe"
						     "a\0:\0 \0"
						     "1\0",
						     10);

	(void)state;
	assert_int_equal(wide.r, -EINVAL);
}

static void a_nul_is_refused_wherever_it_is(void **state)
{
	_cleanup_read_ struct read bare = read_bytes("a: 1\0\nb: 2\n", 11), comment = read_bytes("# \0\na: 1\n", 9),
				   escaped = read_text("a: \"x\\0y\"\n");

	(void)state;
	assert_int_equal(bare.r, -EINVAL);
	assert_int_equal(comment.r, -EINVAL);
	assert_int_equal(escaped.r, -EINVAL);
}

static void a_line_ends_where_an_editor_shows_it(void **state)
{
	(void)state;
	assert_refused("a: 1 # x\rmode: audit\n", "t.yaml:1:9: error: a carriage return without a line feed");
	assert_refused("a: 1\r", "a carriage return without a line feed");
	assert_refused("a: 1 # x\xc2\x85mode: audit\n", "t.yaml:1:9: error: U+0085");
	assert_refused("# 1\na: 1 # \xc3\xa9\xe2\x80\xa8mode: audit\n", "t.yaml:2:9: error: U+2028");
	assert_refused("a: 1 # x\xe2\x80\xa9mode: audit\n", "t.yaml:1:9: error: U+2029");
	assert_read("a: 1\r\nb: 2\r\n");
	assert_read("a: \"x\\r\\N\\L\\P\"\n");
	assert_read("a: \xc3\x85 \xe2\x82\xac \xe2\x80\xa7\n");
}

static void bytes_that_are_no_text_are_told_with_their_place(void **state)
{
	(void)state;
	assert_refused("a: 1\nb: \x01\n", "t.yaml:2:4: error: not valid YAML");
	assert_refused("a: 1\nb: \xc3\xa9\xff\n", "t.yaml:2:5: error: not valid YAML");
}

static void nesting_ends_at_its_limit(void **state)
{
	_cleanup_free_ char *open = repeated("", "[", RF_YAML_DEPTH_MAX, ""),
			    *close = repeated("", "]", RF_YAML_DEPTH_MAX, ""), *at = repeated(open, "", 0, close),
			    *past = repeated("[", open, 1, "");
	_cleanup_free_ char *far = repeated("", "[", 100000, "");

	(void)state;
	assert_read(at);
	assert_refused(past, "nested deeper than 32 levels");
	assert_refused(far, "nested deeper than 32 levels");
}

static void a_scalar_ends_at_its_limit(void **state)
{
	_cleanup_free_ char *at = repeated("a: ", "x", RF_STRING_MAX, "\n"),
			    *past = repeated("a: ", "x", RF_STRING_MAX + 1, "\n"),
			    *key = repeated("'", "x", RF_STRING_MAX + 1, "': 1\n");

	(void)state;
	assert_read(at);
	assert_refused(past, "a value of more than 4096 bytes");
	assert_refused(key, "a value of more than 4096 bytes");
}

static void a_mapping_ends_at_its_limit(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf b = RF_STRBUF_INIT;

	(void)state;
	for (int i = 0; i < RF_MAX_KEYS; i++)
		rf_strbuf_addf(&b, "k%d: 1\n", i);
	assert_read(rf_strbuf_str(&b));
	rf_strbuf_adds(&b, "one: more\n");
	assert_refused(rf_strbuf_str(&b), "more than 1024 keys in one mapping");
}

static void a_file_ends_at_its_limit(void **state)
{
	_cleanup_free_ char *text = malloc(RF_POLICY_FILE_MAX + 1);

	(void)state;
	assert_non_null(text);
	/* A line break at every 64th byte: long lines are slow to scan. */
	for (size_t i = 0; i <= RF_POLICY_FILE_MAX; i++)
		text[i] = i % 64 == 63 ? '\n' : i % 64 ? 'x' : '#';
	_cleanup_read_ struct read at = read_bytes(text, RF_POLICY_FILE_MAX),
				   past = read_bytes(text, RF_POLICY_FILE_MAX + 1);

	assert_int_equal(at.r, 0);
	assert_int_equal(past.r, -EINVAL);
	assert_non_null(strstr(rf_strbuf_str(&past.said), "the file is larger than 16777216 bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_knows_its_place),
		cmocka_unit_test(a_quoted_null_is_a_string),
		cmocka_unit_test(empty_documents_are_left_out),
		cmocka_unit_test(what_a_reader_would_have_to_resolve_is_refused),
		cmocka_unit_test(a_key_is_a_word_and_there_once),
		cmocka_unit_test(every_key_that_is_there_twice_is_told),
		cmocka_unit_test(broken_yaml_is_told_with_its_place),
		cmocka_unit_test(another_encoding_is_not_chosen_by_a_mark),
		cmocka_unit_test(a_nul_is_refused_wherever_it_is),
		cmocka_unit_test(a_line_ends_where_an_editor_shows_it),
		cmocka_unit_test(bytes_that_are_no_text_are_told_with_their_place),
		cmocka_unit_test(nesting_ends_at_its_limit),
		cmocka_unit_test(a_scalar_ends_at_its_limit),
		cmocka_unit_test(a_mapping_ends_at_its_limit),
		cmocka_unit_test(a_file_ends_at_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
