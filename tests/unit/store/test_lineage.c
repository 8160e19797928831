// SPDX-License-Identifier: GPL-2.0-or-later
/* The lineage in its file, and the graph that is found in it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/lib/fs.h"
#include "user/store/lineage_graph.h"

#define RAW    1
#define CORPUS 2
#define MODEL  3

static char dir[64], path[96];
static struct rf_db *db;
static uint32_t fill;

static int setup(void **state)
{
	_cleanup_free_ char *error = NULL;

	(void)state;
	strcpy(dir, "/tmp/rf-lineage-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/lineage.db", dir);
	fill = 0;
	return rf_lineage_db_open(path, &db, &error);
}

static int teardown(void **state)
{
	(void)state;
	rf_db_close(db);
	db = NULL;
	return rf_fs_remove_tree(dir);
}

static void add_all(const struct rf_lineage_touch *touches, size_t n, uint64_t max)
{
	char *error = NULL;

	fill++;
	assert_int_equal(rf_lineage_db_begin(db, fill, &error), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(rf_lineage_db_add(db, &touches[i], &error), 0);
	assert_int_equal(rf_lineage_db_end(db, fill, max, &error), 0);
	assert_null(error);
}

static struct rf_lineage_touch reads(const char *workload, uint64_t label, uint64_t first, uint64_t last)
{
	return (struct rf_lineage_touch){ .workload = workload,
					  .label = label,
					  .path = "",
					  .process = "reader",
					  .tgid = 7,
					  .read_bytes = 10,
					  .first_ns = first,
					  .last_ns = last };
}

static struct rf_lineage_touch writes(const char *workload, uint64_t label, const char *file, uint64_t first,
				      uint64_t last)
{
	return (struct rf_lineage_touch){ .workload = workload,
					  .label = label,
					  .path = file,
					  .process = "writer",
					  .tgid = 8,
					  .write_bytes = 20,
					  .first_ns = first,
					  .last_ns = last };
}

static struct rf_lineage_graph graph_of(uint64_t label, const char *workload)
{
	struct rf_lineage_graph graph = { 0 };
	char *error = NULL;

	assert_int_equal(rf_lineage_graph_make(db, label, workload, &graph, &error), 0);
	assert_null(error);
	return graph;
}

/* "u1 a w2; d2 b r1;": side, depth, workload, read or written, label or file. */
static void assert_graph(uint64_t label, const char *workload, const char *expected)
{
	struct rf_lineage_graph graph = graph_of(label, workload);
	char text[4096] = "";

	for (size_t i = 0; i < graph.n; i++) {
		const struct rf_lineage_edge *e = &graph.edges[i];
		size_t at = strlen(text);

		at += snprintf(text + at, sizeof(text) - at, "%c%u %s %c", e->side == RF_LINEAGE_UPSTREAM ? 'u' : 'd',
			       e->depth, e->workload, e->writes ? 'w' : 'r');
		if (e->label)
			snprintf(text + at, sizeof(text) - at, "%d;", (int)e->label);
		else
			snprintf(text + at, sizeof(text) - at, "%s;", e->paths[0]);
	}
	assert_string_equal(text, expected);
	rf_lineage_graph_fini(&graph);
}

static void data_is_followed_both_ways(void **state)
{
	const struct rf_lineage_touch touches[] = {
		reads("load", RAW, 10, 20),	writes("load", CORPUS, "/c/1", 11, 21),
		reads("train", CORPUS, 30, 40), writes("train", MODEL, "/m/1", 31, 41),
		reads("serve", MODEL, 50, 60),	writes("serve", 0, "/log", 51, 61),
	};

	(void)state;
	add_all(touches, ARRAY_SIZE(touches), 100);
	assert_graph(RAW, NULL, "d1 load r1;d2 load w2;d3 train r2;d4 train w3;d5 serve r3;d6 serve w/log;");
	assert_graph(MODEL, NULL, "u1 train w3;u2 train r2;u3 load w2;u4 load r1;d1 serve r3;d2 serve w/log;");
	assert_graph(0, "train", "u1 train r2;u2 load w2;u3 load r1;d1 train w3;d2 serve r3;d3 serve w/log;");
	assert_graph(0, "nobody", "");
}

static void what_was_written_before_it_was_read_is_no_part_of_it(void **state)
{
	const struct rf_lineage_touch touches[] = {
		/* Wrote the model, and only then read the data. */
		writes("train", MODEL, "/m/1", 10, 20),
		reads("train", RAW, 30, 40),
		/* Read the model before anybody who had read the data wrote to it. */
		reads("other", MODEL, 5, 9),
		writes("other", 0, "/x", 5, 50),
	};

	(void)state;
	add_all(touches, ARRAY_SIZE(touches), 100);
	assert_graph(RAW, NULL, "d1 train r1;");
	assert_graph(MODEL, NULL, "u1 train w3;d1 other r3;d2 other w/x;");
	add_all((struct rf_lineage_touch[]){ writes("train", MODEL, "/m/2", 35, 35) }, 1, 100);
	assert_graph(RAW, NULL, "d1 train r1;d2 train w3;");
}

/* Two ways to the same place: the earlier one counts, though it is the longer. */
static void the_earliest_way_counts(void **state)
{
	const struct rf_lineage_touch touches[] = {
		reads("fast", RAW, 10, 10),    writes("fast", CORPUS, "/c", 11, 11),
		reads("hop", CORPUS, 12, 12),  writes("hop", MODEL, "/m", 13, 13),
		reads("slow", RAW, 90, 90),    writes("slow", MODEL, "/m", 91, 91),
		reads("early", MODEL, 20, 20),
	};

	(void)state;
	add_all(touches, ARRAY_SIZE(touches), 100);
	assert_graph(RAW, NULL, "d1 fast r1;d1 slow r1;d2 fast w2;d2 slow w3;d3 hop r2;d4 hop w3;d5 early r3;");
}

static void data_that_goes_round_ends(void **state)
{
	const struct rf_lineage_touch touches[] = { reads("a", RAW, 1, 100), writes("a", CORPUS, "/c", 1, 100),
						    reads("b", CORPUS, 1, 100), writes("b", RAW, "/r", 1, 100) };

	(void)state;
	add_all(touches, ARRAY_SIZE(touches), 100);
	assert_graph(RAW, NULL, "u1 b w1;u2 b r2;u3 a w2;u4 a r1;d1 a r1;d2 a w2;d3 b r2;d4 b w1;");
}

static void touches_add_up(void **state)
{
	struct rf_lineage_touch one = reads("w", RAW, 20, 30), two = reads("w", RAW, 10, 40);
	struct rf_lineage_graph graph;

	(void)state;
	two.tgid = 9;
	add_all(&one, 1, 100);
	add_all(&two, 1, 100);
	two.process = "another";
	add_all(&two, 1, 100);
	graph = graph_of(RAW, NULL);
	assert_int_equal(graph.n, 1);
	assert_int_equal(graph.edges[0].bytes, 30);
	assert_int_equal(graph.edges[0].first_ns, 10);
	assert_int_equal(graph.edges[0].last_ns, 40);
	assert_int_equal(graph.edges[0].n_processes, 2);
	rf_lineage_graph_fini(&graph);
}

static void the_same_rows_are_not_taken_twice(void **state)
{
	struct rf_lineage_touch one = reads("w", RAW, 1, 2);
	char *error = NULL;

	(void)state;
	add_all(&one, 1, 100);
	/* Another daemon, which does not know that the last one got so far. */
	rf_db_close(db);
	assert_int_equal(rf_lineage_db_open(path, &db, &error), 0);
	assert_int_equal(rf_lineage_db_begin(db, fill, &error), 1);
	assert_int_equal(rf_lineage_db_begin(db, fill + 1, &error), 0);
	assert_int_equal(rf_lineage_db_end(db, fill + 1, 100, &error), 0);
}

static void the_oldest_rows_go_and_are_counted(void **state)
{
	struct rf_lineage_db_stats stats;
	struct rf_lineage_touch t;
	char *error = NULL, file[32];

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		snprintf(file, sizeof(file), "/f%u", i);
		t = writes("w", 0, file, i, i);
		add_all(&t, 1, 4);
	}
	assert_int_equal(rf_lineage_db_stats(db, &stats, &error), 0);
	assert_int_equal(stats.rows, 4);
	assert_int_equal(stats.dropped, 6);
	assert_graph(0, "w", "d1 w w/f6;d1 w w/f7;d1 w w/f8;d1 w w/f9;");
}

static void a_graph_has_a_limit_and_counts_what_is_past_it(void **state)
{
	struct rf_lineage_graph graph;
	struct rf_lineage_touch t;
	char *error = NULL, file[32];

	(void)state;
	assert_int_equal(rf_lineage_db_begin(db, 1, &error), 0);
	for (unsigned int i = 0; i < RF_LINEAGE_EDGES + 5; i++) {
		snprintf(file, sizeof(file), "/f%u", i);
		t = writes("w", 0, file, i, i);
		assert_int_equal(rf_lineage_db_add(db, &t, &error), 0);
	}
	assert_int_equal(rf_lineage_db_end(db, 1, 100000, &error), 0);
	graph = graph_of(0, "w");
	assert_int_equal(graph.n, RF_LINEAGE_EDGES);
	assert_int_equal(graph.left_out, 5);
	rf_lineage_graph_fini(&graph);
}

static int label_check(const struct rf_lineage_label *label, void *arg)
{
	char *text = arg;

	sprintf(text + strlen(text), "%s %s %s;", label->name, label->kind, label->tenant ? label->tenant : "-");
	return 0;
}

static void labels_are_known_by_their_last_words(void **state)
{
	char text[256] = "", *error = NULL;

	(void)state;
	assert_int_equal(rf_db_begin(db, &error), 0);
	assert_int_equal(rf_lineage_db_label(db, &(struct rf_lineage_label){ 5, "z", "model", NULL }, &error), 0);
	assert_int_equal(rf_lineage_db_label(db, &(struct rf_lineage_label){ 6, "a", "dataset", "red" }, &error), 0);
	assert_int_equal(rf_lineage_db_label(db, &(struct rf_lineage_label){ 5, "z", "secret", "blue" }, &error), 0);
	assert_int_equal(rf_db_commit(db, &error), 0);
	assert_int_equal(rf_lineage_db_labels(db, label_check, text, &error), 0);
	assert_string_equal(text, "a dataset red;z secret blue;");
}

static int count(const struct rf_lineage_touch *touch, void *arg)
{
	(void)touch;
	++*(int *)arg;
	return 0;
}

static void rows_that_make_no_sense_are_passed_over(void **state)
{
	struct rf_lineage_touch one = reads("w", RAW, 1, 2);
	char *error = NULL;
	int n = 0;

	(void)state;
	add_all(&one, 1, 100);
	assert_int_equal(
		rf_db_run(db,
			  "INSERT INTO touch (workload, label, path, process, read) VALUES ('w', 1, 'x', 'p', -1);"
			  "INSERT INTO touch (workload, label) VALUES (x'00', 1)",
			  &error),
		0);
	assert_int_equal(rf_lineage_db_of_label(db, RAW, count, &n, &error), 0);
	assert_int_equal(n, 1);
}

static void a_file_that_is_broken_says_what_to_do(void **state)
{
	static const char text[] = "this is no database, though it is long enough to be looked at as if it were one";
	char *error = NULL;

	(void)state;
	rf_db_close(db);
	db = NULL;
	assert_int_equal(rf_fs_remove_tree(dir), 0);
	assert_int_equal(rf_fs_mkdir_p(dir, 0700), 0);
	assert_int_equal(rf_fs_write_atomic(AT_FDCWD, path, text, sizeof(text), 0600), 0);
	assert_int_equal(rf_lineage_db_open(path, &db, &error), -EUCLEAN);
	assert_non_null(strstr(error, "remove it, and the lineage begins anew"));
	assert_null(db);
	free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(data_is_followed_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_written_before_it_was_read_is_no_part_of_it, setup, teardown),
		cmocka_unit_test_setup_teardown(the_earliest_way_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(data_that_goes_round_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(touches_add_up, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_rows_are_not_taken_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(the_oldest_rows_go_and_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_graph_has_a_limit_and_counts_what_is_past_it, setup, teardown),
		cmocka_unit_test_setup_teardown(labels_are_known_by_their_last_words, setup, teardown),
		cmocka_unit_test_setup_teardown(rows_that_make_no_sense_are_passed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_is_broken_says_what_to_do, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
