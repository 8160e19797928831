// SPDX-License-Identifier: GPL-2.0-or-later
/* The graph as a person reads it, and as Graphviz does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/cli/lineage.h"

#define TIMES                                                                           \
	"\"first\":\"2026-11-21T04:30:48.123Z\",\"last\":\"2026-11-21T05:30:48.123Z\"," \
	"\"processes\":[{\"name\":\"python3\",\"pid\":12,\"uid\":1000}],\"process_count\":3,"
#define LABEL(name, kind) "\"label\":{\"name\":\"" name "\",\"kind\":\"" kind "\",\"tenant\":null},"
#define EDGE(side, workload, access, label, files)                                                                    \
	"{\"edge\":{\"side\":\"" side "\",\"depth\":1,\"workload\":\"" workload "\",\"access\":\"" access "\"," label \
	"\"bytes\":2048,\"mapped_bytes\":0,\"renames\":0," TIMES "\"files\":[" files "],\"file_count\":2}}"

#define CORPUS	   LABEL("corpus", "dataset")
#define NET	   LABEL("net", "model")
#define LOADED	   EDGE("upstream", "t/n/load", "write", CORPUS, "\"/c/1\",\"/c/2\"")
#define READ	   EDGE("downstream", "t/n/train", "read", CORPUS, "")
#define WROTE	   EDGE("downstream", "t/n/train", "write", NET, "\"/m/1\"")
#define LOGGED	   EDGE("downstream", "t/n/train", "write", "\"label\":null,", "\"/log\"")
#define READ_AGAIN EDGE("downstream", "t/n/train", "read", NET, "")

static const char round_trip[] = "[" LOADED "," READ "," WROTE "," LOGGED "," READ_AGAIN "]";

static const char corpus[] = "{\"label\":{\"name\":\"corpus\",\"kind\":\"dataset\",\"tenant\":\"red\"}}";

static void assert_text(const char *edges, const char *subject, unsigned int width, const char *expected)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	_cleanup_jin_ struct rf_jin *list = NULL, *root = NULL;

	assert_int_equal(rf_jin_parse(edges, strlen(edges), &list, NULL), 0);
	assert_int_equal(rf_jin_parse(subject, strlen(subject), &root, NULL), 0);
	rf_lineage_text(list, root, width, &out);
	assert_string_equal(rf_strbuf_str(&out), expected);
}

static void each_step_is_below_the_one_before(void **state)
{
	(void)state;
	assert_text(
		round_trip, corpus, 0,
		"dataset corpus (tenant red)\n"
		"\n"
		"comes from:\n"
		"  written by t/n/load\n"
		"      2.0 KiB written; 2026-11-21 04:30:48 to 05:30:48; python3 (pid 12, uid 1000) and 2 more\n"
		"      files: /c/1, /c/2\n"
		"\n"
		"goes to:\n"
		"  read by t/n/train\n"
		"      2.0 KiB read; 2026-11-21 04:30:48 to 05:30:48; python3 (pid 12, uid 1000) and 2 more\n"
		"    wrote model net\n"
		"        2.0 KiB written; 2026-11-21 04:30:48 to 05:30:48; python3 (pid 12, uid 1000) and 2 more\n"
		"        files: /m/1 and 1 more\n"
		"      read by t/n/train (see above)\n"
		"          2.0 KiB read; 2026-11-21 04:30:48 to 05:30:48; python3 (pid 12, uid 1000) and 2 more\n"
		"    wrote file /log\n"
		"        2.0 KiB written; 2026-11-21 04:30:48 to 05:30:48; python3 (pid 12, uid 1000) and 2 more\n");
}

static void nothing_is_said_to_be_nothing(void **state)
{
	(void)state;
	assert_text("[]", "{\"workload\":\"t/n/w\"}", 80,
		    "workload t/n/w\n\ncomes from:\n  nothing that was seen\n\ngoes to:\n  nowhere that was seen\n");
}

static void lines_end_where_the_terminal_does(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	_cleanup_jin_ struct rf_jin *list = NULL, *root = NULL;

	(void)state;
	assert_int_equal(rf_jin_parse(round_trip, strlen(round_trip), &list, NULL), 0);
	assert_int_equal(rf_jin_parse(corpus, strlen(corpus), &root, NULL), 0);
	rf_lineage_text(list, root, 60, &out);
	for (const char *line = rf_strbuf_str(&out); *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 60);
}

static void names_do_not_drive_the_terminal_or_the_graph(void **state)
{
	static const char edges[] =
		"[" EDGE("downstream", "t/n/\\u001b[2Jx", "write", "\"label\":null,", "\"/a\\\"];x[\\\\\"") "]";
	static const char escape[] = "{\"workload\":\"t/n/\\u001b[2Jx\"}";
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT, dot = RF_STRBUF_INIT;
	_cleanup_jin_ struct rf_jin *list = NULL, *root = NULL;

	(void)state;
	assert_int_equal(rf_jin_parse(edges, strlen(edges), &list, NULL), 0);
	assert_int_equal(rf_jin_parse(escape, strlen(escape), &root, NULL), 0);
	rf_lineage_text(list, root, 80, &text);
	assert_null(strchr(rf_strbuf_str(&text), '\033'));
	rf_lineage_dot(list, root, &dot);
	assert_null(strchr(rf_strbuf_str(&dot), '\033'));
	assert_non_null(strstr(rf_strbuf_str(&dot), "\"file:/a\\\"];x[\\\\\" [shape=note"));
}

static void a_drawing_goes_the_way_of_the_data(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	_cleanup_jin_ struct rf_jin *list = NULL, *root = NULL;

	(void)state;
	assert_int_equal(rf_jin_parse(round_trip, strlen(round_trip), &list, NULL), 0);
	assert_int_equal(rf_jin_parse(corpus, strlen(corpus), &root, NULL), 0);
	rf_lineage_dot(list, root, &out);
	assert_non_null(strstr(rf_strbuf_str(&out), "strict digraph lineage {\n  rankdir=LR;\n"));
	assert_non_null(strstr(rf_strbuf_str(&out),
			       "  \"workload:t/n/load\" -> \"dataset:corpus\" [label=\"2.0 KiB written\"];\n"));
	assert_non_null(strstr(rf_strbuf_str(&out),
			       "  \"dataset:corpus\" -> \"workload:t/n/train\" [label=\"2.0 KiB read\"];\n"));
	assert_non_null(strstr(rf_strbuf_str(&out), "\"dataset:corpus\" [shape=cylinder, style=bold, "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_is_below_the_one_before),
		cmocka_unit_test(nothing_is_said_to_be_nothing),
		cmocka_unit_test(lines_end_where_the_terminal_does),
		cmocka_unit_test(names_do_not_drive_the_terminal_or_the_graph),
		cmocka_unit_test(a_drawing_goes_the_way_of_the_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
