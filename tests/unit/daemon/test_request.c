// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests of the control protocol: what each command takes, every limit at the limit and one past it. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ringfence/event.h"
#include "user/daemon/request.h"
#include "user/lib/strbuf.h"

static struct rf_request parsed(const char *line)
{
	struct rf_request request = RF_REQUEST_INIT;
	char *error = NULL;
	int r = rf_request_parse(line, strlen(line), &request, &error);

	if (r < 0)
		print_error("%s\n  refused: %s\n", line, error);
	assert_int_equal(r, 0);
	assert_null(error);
	return request;
}

/* Refused with @r and a sentence that holds @part; the output is untouched. */
static void refused_n(const char *line, size_t len, int expected, const char *part)
{
	struct rf_request request = { .command = RF_COMMAND_COUNT, .limit = 12345 };
	char *error = NULL;
	int r = rf_request_parse(line, len, &request, &error);

	assert_int_equal(r, expected);
	assert_non_null(error);
	if (!strstr(error, part))
		fail_msg("\"%s\" does not say \"%s\"", error, part);
	assert_int_equal(error[strlen(error) - 1] == '.' || error[strlen(error) - 1] == ')', true);
	assert_int_equal(request.command, RF_COMMAND_COUNT);
	assert_int_equal(request.limit, 12345);
	assert_null(request.workload);
	free(error);
}

static void refused(const char *line, int expected, const char *part)
{
	refused_n(line, strlen(line), expected, part);
}

static void every_command_without_members_is_taken(void **state)
{
	static const struct {
		const char *line;
		enum rf_command command;
	} cases[] = {
		{ "{\"v\":1,\"cmd\":\"status\"}", RF_COMMAND_STATUS },
		{ "{\"v\":1,\"cmd\":\"workloads\"}", RF_COMMAND_WORKLOADS },
		{ "{\"v\":1,\"cmd\":\"events\"}", RF_COMMAND_EVENTS },
		{ "{\"v\":1,\"cmd\":\"policies\"}", RF_COMMAND_POLICIES },
		{ "{\"v\":1,\"cmd\":\"confirm\"}", RF_COMMAND_CONFIRM },
		{ "{\"v\":1,\"cmd\":\"rollback\"}", RF_COMMAND_ROLLBACK },
		{ "{\"v\":1,\"cmd\":\"reload\"}", RF_COMMAND_RELOAD },
		{ " {\"cmd\":\"detach\", \"v\":1} ", RF_COMMAND_DETACH },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_request_ struct rf_request r = parsed(cases[i].line);

		assert_int_equal(r.command, cases[i].command);
	}
}

static void names_of_commands_are_total(void **state)
{
	(void)state;
	assert_string_equal(rf_command_name(RF_COMMAND_STATUS), "status");
	assert_string_equal(rf_command_name(RF_COMMAND_DETACH), "detach");
	assert_null(rf_command_name(RF_COMMAND_COUNT));
	assert_null(rf_command_name((enum rf_command) - 1));
}

static void what_is_no_json_object_is_refused(void **state)
{
	(void)state;
	refused("", -EBADMSG, "JSON");
	refused("{", -EBADMSG, "JSON");
	refused("{\"v\":1,\"cmd\":\"status\"} x", -EBADMSG, "JSON");
	refused("[1]", -EBADMSG, "no JSON object");
	refused("\"status\"", -EBADMSG, "no JSON object");
}

static void a_nul_byte_is_refused_and_an_escaped_backslash_is_not(void **state)
{
	static const char raw[] = "{\"v\":1,\"cmd\":\"status\0\"}";

	(void)state;
	refused_n(raw, sizeof(raw) - 1, -EBADMSG, "NUL");
	refused("{\"v\":1,\"cmd\":\"apply\",\"paths\":[\"/a\\u0000b\"]}", -EBADMSG, "NUL");
	refused("{\"v\":1,\"cmd\":\"apply\",\"paths\":[\"/a\\\\\\u0000b\"]}", -EBADMSG, "NUL");

	_cleanup_request_ struct rf_request r = parsed("{\"v\":1,\"cmd\":\"apply\",\"paths\":[\"/a\\\\u0000b\"]}");

	assert_string_equal(r.paths[0], "/a\\u0000b");
}

static void another_version_is_refused(void **state)
{
	(void)state;
	refused("{\"cmd\":\"status\"}", -EPROTO, "version");
	refused("{\"v\":\"1\",\"cmd\":\"status\"}", -EPROTO, "version");
	refused("{\"v\":1.5,\"cmd\":\"status\"}", -EPROTO, "version");
	refused("{\"v\":0,\"cmd\":\"status\"}", -EPROTO, "version 0");
	refused("{\"v\":2,\"cmd\":\"status\"}", -EPROTO, "version 2");
	/* The version is judged before the command: a newer client may know more of them. */
	refused("{\"v\":2,\"cmd\":\"fly\"}", -EPROTO, "version 2");
}

static void an_unknown_or_missing_command_is_refused(void **state)
{
	(void)state;
	refused("{\"v\":1}", -EINVAL, "no command");
	refused("{\"v\":1,\"cmd\":7}", -EINVAL, "no command");
	refused("{\"v\":1,\"cmd\":\"fly\"}", -EOPNOTSUPP, "\"fly\"");
	refused("{\"v\":1,\"cmd\":\"\"}", -EOPNOTSUPP, "no command");
}

static void a_member_of_another_command_is_refused(void **state)
{
	(void)state;
	refused("{\"v\":1,\"cmd\":\"status\",\"force\":true}", -EINVAL, "\"status\" takes no \"force\"");
	refused("{\"v\":1,\"cmd\":\"reload\",\"paths\":[\"/a\"]}", -EINVAL, "takes no \"paths\"");
	refused("{\"v\":1,\"cmd\":\"apply\",\"paths\":[\"/a\"],\"confirms\":60}", -EINVAL, "takes no \"confirms\"");
	/* even a null one: the client meant something by it */
	refused("{\"v\":1,\"cmd\":\"status\",\"force\":null}", -EINVAL, "takes no \"force\"");
}

static void events_default_to_everything(void **state)
{
	(void)state;
	_cleanup_request_ struct rf_request r = parsed("{\"v\":1,\"cmd\":\"events\",\"kinds\":[],\"workload\":null}");

	assert_false(r.follow);
	assert_false(r.json);
	assert_null(r.workload);
	assert_int_equal(r.limit, RF_EVENT_HISTORY);
	assert_int_equal(r.verdicts, (1u << RF_ALLOW) | (1u << RF_DENY) | (1u << RF_WOULD_DENY));
	assert_int_equal(r.kinds & (1u << RF_EVENT_NONE), 0);
	for (unsigned int kind = RF_EVENT_EXEC; kind < RF_EVENT_KINDS; kind++)
		assert_true(r.kinds & (1u << kind));
	assert_int_equal(r.kinds >> RF_EVENT_KINDS, 0);
}

static void events_are_filtered_by_every_member(void **state)
{
	(void)state;
	_cleanup_request_ struct rf_request r =
		parsed("{\"v\":1,\"cmd\":\"events\",\"follow\":true,\"format\":\"json\",\"limit\":7,"
		       "\"kinds\":[\"exec\",\"flow-deny\"],\"verdicts\":[\"deny\"],\"workload\":\"acme/*/web\"}");

	assert_true(r.follow);
	assert_true(r.json);
	assert_int_equal(r.limit, 7);
	assert_int_equal(r.kinds, (1u << RF_EVENT_EXEC) | (1u << RF_EVENT_FLOW_DENY));
	assert_int_equal(r.verdicts, 1u << RF_DENY);
	assert_string_equal(r.workload, "acme/*/web");
}

static void wrong_filters_are_refused(void **state)
{
	(void)state;
	refused("{\"v\":1,\"cmd\":\"events\",\"follow\":1}", -EINVAL, "true or false");
	refused("{\"v\":1,\"cmd\":\"events\",\"follow\":\"yes\"}", -EINVAL, "true or false");
	refused("{\"v\":1,\"cmd\":\"events\",\"format\":\"xml\"}", -EINVAL, "\"text\" or \"json\"");
	refused("{\"v\":1,\"cmd\":\"events\",\"format\":true}", -EINVAL, "must be a string");
	refused("{\"v\":1,\"cmd\":\"events\",\"kinds\":\"exec\"}", -EINVAL, "array");
	refused("{\"v\":1,\"cmd\":\"events\",\"kinds\":[1]}", -EINVAL, "array of names");
	refused("{\"v\":1,\"cmd\":\"events\",\"kinds\":[null]}", -EINVAL, "array of names");
	refused("{\"v\":1,\"cmd\":\"events\",\"kinds\":[\"execute\"]}", -EINVAL, "\"execute\"");
	refused("{\"v\":1,\"cmd\":\"events\",\"verdicts\":[\"no\"]}", -EINVAL, "verdict called \"no\"");
	refused("{\"v\":1,\"cmd\":\"events\",\"workload\":\"[a\"}", -EINVAL, "glob");
	refused("{\"v\":1,\"cmd\":\"events\",\"workload\":\"\"}", -EINVAL, "empty");
}

static void the_limit_of_the_history_is_checked_at_both_ends(void **state)
{
	char line[128];

	(void)state;
	for (int n = 0; n <= RF_EVENT_HISTORY; n += RF_EVENT_HISTORY) {
		snprintf(line, sizeof(line), "{\"v\":1,\"cmd\":\"events\",\"limit\":%d}", n);
		_cleanup_request_ struct rf_request r = parsed(line);

		assert_int_equal(r.limit, n);
	}
	snprintf(line, sizeof(line), "{\"v\":1,\"cmd\":\"events\",\"limit\":%d}", RF_EVENT_HISTORY + 1);
	refused(line, -EINVAL, "from 0 to");
	refused("{\"v\":1,\"cmd\":\"events\",\"limit\":-1}", -EINVAL, "-1");
	refused("{\"v\":1,\"cmd\":\"events\",\"limit\":1.5}", -EINVAL, "whole number");
	refused("{\"v\":1,\"cmd\":\"events\",\"limit\":\"5\"}", -EINVAL, "whole number");
	/* json-c before 0.18 takes it for the greatest number there is, later ones for no JSON. */
	snprintf(line, sizeof(line), "{\"v\":1,\"cmd\":\"events\",\"limit\":99999999999999999999}");
	_cleanup_free_ char *error = NULL;
	struct rf_request r = { .command = RF_COMMAND_COUNT };

	assert_in_range(-rf_request_parse(line, strlen(line), &r, &error), EINVAL, EBADMSG);
	assert_int_equal(r.command, RF_COMMAND_COUNT);
}

static void policy_show_needs_a_workload(void **state)
{
	(void)state;
	_cleanup_request_ struct rf_request r =
		parsed("{\"v\":1,\"cmd\":\"policy-show\",\"workload\":\"a/b/[c\"}"); /* a name, no glob */

	assert_int_equal(r.command, RF_COMMAND_POLICY_SHOW);
	assert_string_equal(r.workload, "a/b/[c");
	refused("{\"v\":1,\"cmd\":\"policy-show\"}", -EINVAL, "needs \"workload\"");
	refused("{\"v\":1,\"cmd\":\"policy-show\",\"workload\":null}", -EINVAL, "needs \"workload\"");
}

static void policy_test_takes_both_families(void **state)
{
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	static const uint8_t v4[16] = { 192, 0, 2, 1 };

	(void)state;
	_cleanup_request_ struct rf_request a =
		parsed("{\"v\":1,\"cmd\":\"policy-test\",\"workload\":\"a/b/c\",\"direction\":\"egress\","
		       "\"address\":\"192.0.2.1\",\"port\":443,\"protocol\":\"tcp\"}");
	_cleanup_request_ struct rf_request b =
		parsed("{\"v\":1,\"cmd\":\"policy-test\",\"workload\":\"a/b/c\",\"direction\":\"ingress\","
		       "\"address\":\"2001:db8::1\",\"port\":0,\"protocol\":\"icmpv6\"}");

	assert_int_equal(a.direction, RF_EGRESS);
	assert_int_equal(a.family, AF_INET);
	assert_memory_equal(a.address, v4, 16);
	assert_int_equal(a.port, 443);
	assert_int_equal(a.protocol, IPPROTO_TCP);
	assert_int_equal(b.direction, RF_INGRESS);
	assert_int_equal(b.family, AF_INET6);
	assert_memory_equal(b.address, v6, 16);
	assert_int_equal(b.protocol, IPPROTO_ICMPV6);
}

static void policy_diff_takes_paths_and_what_is_in_force(void **state)
{
	_cleanup_request_ struct rf_request a =
		parsed("{\"v\":1,\"cmd\":\"policy-diff\",\"old\":\"current\",\"new\":\"/a\"}");
	_cleanup_request_ struct rf_request b =
		parsed("{\"v\":1,\"cmd\":\"policy-diff\",\"old\":\"/a\",\"new\":\"current\",\"since_s\":86400,"
		       "\"workload\":\"*/web\",\"all\":true,\"overlay\":true}");

	(void)state;
	assert_int_equal(a.command, RF_COMMAND_POLICY_DIFF);
	assert_null(a.old);
	assert_string_equal(a.new, "/a");
	assert_int_equal(a.since_s, RF_FLOW_HISTORY_S);
	assert_null(a.workload);
	assert_false(a.all);
	assert_false(a.overlay);
	assert_string_equal(b.old, "/a");
	assert_null(b.new);
	assert_int_equal(b.since_s, 86400);
	assert_string_equal(b.workload, "*/web");
	assert_true(b.all);
	assert_true(b.overlay);
}

static void a_wrong_policy_diff_is_refused(void **state)
{
	static const struct {
		const char *members, *part;
	} cases[] = {
		{ "\"old\":\"/a\"", "needs \"new\"" },
		{ "\"new\":\"/a\"", "needs \"old\"" },
		{ "\"old\":\"a\",\"new\":\"/a\"", "must be \"current\" or an absolute path" },
		{ "\"old\":\"\",\"new\":\"/a\"", "empty" },
		{ "\"old\":[],\"new\":\"/a\"", "must be a string" },
		{ "\"old\":\"/a\",\"new\":\"/a\",\"since_s\":0", "from 1 to 86400" },
		{ "\"old\":\"/a\",\"new\":\"/a\",\"since_s\":86401", "from 1 to 86400" },
		{ "\"old\":\"/a\",\"new\":\"/a\",\"workload\":\"[\"", "no valid glob" },
		{ "\"old\":\"/a\",\"new\":\"/a\",\"all\":1", "true or false" },
		{ "\"old\":\"/a\",\"new\":\"/a\",\"overlay\":\"yes\"", "true or false" },
		{ "\"old\":\"/a\",\"new\":\"/a\",\"force\":true", "takes no \"force\"" },
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(line, sizeof(line), "{\"v\":1,\"cmd\":\"policy-diff\",%s}", cases[i].members);
		refused(line, -EINVAL, cases[i].part);
	}
}

static void a_wrong_policy_test_is_refused(void **state)
{
	static const struct {
		const char *direction, *address, *port, *protocol, *part;
	} cases[] = {
		{ "\"out\"", "\"::1\"", "1", "\"tcp\"", "\"egress\" or \"ingress\"" },
		{ "\"egress\"", "\"example.org\"", "1", "\"tcp\"", "neither an IPv4 nor an IPv6" },
		{ "\"egress\"", "\"10.0.0.0/8\"", "1", "\"tcp\"", "neither" },
		{ "\"egress\"", "\"::1\"", "65536", "\"tcp\"", "65535" },
		{ "\"egress\"", "\"::1\"", "-1", "\"tcp\"", "65535" },
		{ "\"egress\"", "\"::1\"", "\"80\"", "\"tcp\"", "whole number" },
		{ "\"egress\"", "\"::1\"", "80", "\"ipx\"", "\"ipx\"" },
		{ "\"egress\"", "\"::1\"", "80", "6", "must be a string" },
		{ "null", "\"::1\"", "80", "\"udp\"", "needs \"direction\"" },
		{ "\"egress\"", "null", "80", "\"udp\"", "needs \"address\"" },
		{ "\"egress\"", "\"::1\"", "null", "\"udp\"", "needs \"port\"" },
		{ "\"egress\"", "\"::1\"", "80", "null", "needs \"protocol\"" },
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(line, sizeof(line),
			 "{\"v\":1,\"cmd\":\"policy-test\",\"workload\":\"a\",\"direction\":%s,\"address\":%s,"
			 "\"port\":%s,\"protocol\":%s}",
			 cases[i].direction, cases[i].address, cases[i].port, cases[i].protocol);
		refused(line, -EINVAL, cases[i].part);
	}
}

static void the_highest_port_is_taken(void **state)
{
	(void)state;
	_cleanup_request_ struct rf_request r =
		parsed("{\"v\":1,\"cmd\":\"policy-test\",\"workload\":\"a\",\"direction\":\"egress\","
		       "\"address\":\"::1\",\"port\":65535,\"protocol\":\"sctp\"}");

	assert_int_equal(r.port, 65535);
}

static void a_program_is_an_absolute_path(void **state)
{
	(void)state;
	_cleanup_request_ struct rf_request r =
		parsed("{\"v\":1,\"cmd\":\"policy-test-program\",\"workload\":\"a\",\"program\":\"/bin/x\"}");
	_cleanup_request_ struct rf_request interpreter =
		parsed("{\"v\":1,\"cmd\":\"policy-test-program\",\"workload\":\"a\",\"program\":\"/bin/x\","
		       "\"interpreter\":true}");

	assert_string_equal(r.program, "/bin/x");
	assert_false(r.interpreter);
	assert_true(interpreter.interpreter);
	refused("{\"v\":1,\"cmd\":\"policy-test-program\",\"workload\":\"a\",\"program\":\"bin/x\"}", -EINVAL,
		"absolute path");
	refused("{\"v\":1,\"cmd\":\"policy-test-program\",\"workload\":\"a\"}", -EINVAL, "needs \"program\"");
}

static void apply_takes_its_flags(void **state)
{
	(void)state;
	_cleanup_request_ struct rf_request r =
		parsed("{\"v\":1,\"cmd\":\"apply\",\"paths\":[\"/etc/a.yaml\",\"/etc/b\"],\"confirm_s\":60,"
		       "\"replace\":true,\"force\":false}");
	_cleanup_request_ struct rf_request bare = parsed("{\"v\":1,\"cmd\":\"apply\",\"paths\":[\"/a\"]}");
	_cleanup_request_ struct rf_request reload = parsed("{\"v\":1,\"cmd\":\"reload\",\"force\":true}");

	assert_int_equal(r.n_paths, 2);
	assert_string_equal(r.paths[0], "/etc/a.yaml");
	assert_string_equal(r.paths[1], "/etc/b");
	assert_int_equal(r.confirm_s, 60);
	assert_true(r.replace);
	assert_false(r.force);
	assert_int_equal(bare.confirm_s, 0);
	assert_false(bare.replace);
	assert_true(reload.force);
}

static void confirm_is_checked_at_both_limits(void **state)
{
	static const int good[] = { RF_CONFIRM_MIN_S, RF_CONFIRM_MAX_S };
	static const int bad[] = { RF_CONFIRM_MIN_S - 1, RF_CONFIRM_MAX_S + 1 };
	char line[128];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		snprintf(line, sizeof(line), "{\"v\":1,\"cmd\":\"apply\",\"paths\":[\"/a\"],\"confirm_s\":%d}",
			 good[i]);
		_cleanup_request_ struct rf_request r = parsed(line);

		assert_int_equal(r.confirm_s, good[i]);
		snprintf(line, sizeof(line), "{\"v\":1,\"cmd\":\"apply\",\"paths\":[\"/a\"],\"confirm_s\":%d}", bad[i]);
		refused(line, -EINVAL, "from 1 to 86400");
	}
}

static void wrong_paths_are_refused(void **state)
{
	(void)state;
	refused("{\"v\":1,\"cmd\":\"apply\"}", -EINVAL, "needs \"paths\"");
	refused("{\"v\":1,\"cmd\":\"apply\",\"paths\":[]}", -EINVAL, "at least one");
	refused("{\"v\":1,\"cmd\":\"apply\",\"paths\":\"/a\"}", -EINVAL, "array");
	refused("{\"v\":1,\"cmd\":\"apply\",\"paths\":[\"/a\",\"b\"]}", -EINVAL, "\"b\" is no absolute path");
	refused("{\"v\":1,\"cmd\":\"apply\",\"paths\":[\"\"]}", -EINVAL, "empty");
	refused("{\"v\":1,\"cmd\":\"apply\",\"paths\":[7]}", -EINVAL, "must be a string");
	/* the first is already stored when the second is refused: nothing may leak */
	refused("{\"v\":1,\"cmd\":\"apply\",\"paths\":[\"/a\",null]}", -EINVAL, "must be a string");
}

static char *apply_of(size_t n, size_t length)
{
	struct rf_strbuf b = RF_STRBUF_INIT;

	rf_strbuf_adds(&b, "{\"v\":1,\"cmd\":\"apply\",\"paths\":[");
	for (size_t i = 0; i < n; i++) {
		rf_strbuf_adds(&b, i ? ",\"/" : "\"/");
		for (size_t k = 1; k < length; k++)
			rf_strbuf_addc(&b, 'a');
		rf_strbuf_addc(&b, '"');
	}
	rf_strbuf_adds(&b, "]}");
	return rf_strbuf_take(&b);
}

static void the_number_and_length_of_paths_is_limited(void **state)
{
	(void)state;
	_cleanup_free_ char *most = apply_of(RF_POLICY_FILES_MAX, 2);
	_cleanup_free_ char *too_many = apply_of(RF_POLICY_FILES_MAX + 1, 2);
	_cleanup_free_ char *longest = apply_of(1, RF_STRING_MAX);
	_cleanup_free_ char *too_long = apply_of(1, RF_STRING_MAX + 1);
	_cleanup_request_ struct rf_request a = parsed(most);
	_cleanup_request_ struct rf_request b = parsed(longest);

	assert_int_equal(a.n_paths, RF_POLICY_FILES_MAX);
	assert_int_equal(strlen(b.paths[0]), RF_STRING_MAX);
	refused(too_many, -EINVAL, "16384 are allowed");
	refused(too_long, -EINVAL, "longer than 4096");
}

static void the_length_of_a_line_is_limited(void **state)
{
	static const char text[] = "{\"v\":1,\"cmd\":\"status\"}";
	_cleanup_free_ char *line = malloc(RF_CONTROL_LINE_MAX + 2);
	struct rf_request r = RF_REQUEST_INIT;
	char *error = NULL;

	(void)state;
	assert_non_null(line);
	memset(line, ' ', RF_CONTROL_LINE_MAX + 1);
	line[RF_CONTROL_LINE_MAX + 1] = '\0';
	memcpy(line, text, sizeof(text) - 1);
	assert_int_equal(rf_request_parse(line, RF_CONTROL_LINE_MAX, &r, &error), 0);
	assert_int_equal(r.command, RF_COMMAND_STATUS);
	refused_n(line, RF_CONTROL_LINE_MAX + 1, -EMSGSIZE, "longer than");
}

static void a_repeated_member_does_not_leak(void **state)
{
	(void)state;
	_cleanup_request_ struct rf_request r =
		parsed("{\"v\":1,\"cmd\":\"apply\",\"paths\":[\"/a\"],\"paths\":[\"/b\",\"/c\"]}");

	assert_true(r.n_paths >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_without_members_is_taken),
		cmocka_unit_test(names_of_commands_are_total),
		cmocka_unit_test(what_is_no_json_object_is_refused),
		cmocka_unit_test(a_nul_byte_is_refused_and_an_escaped_backslash_is_not),
		cmocka_unit_test(another_version_is_refused),
		cmocka_unit_test(an_unknown_or_missing_command_is_refused),
		cmocka_unit_test(a_member_of_another_command_is_refused),
		cmocka_unit_test(events_default_to_everything),
		cmocka_unit_test(events_are_filtered_by_every_member),
		cmocka_unit_test(wrong_filters_are_refused),
		cmocka_unit_test(the_limit_of_the_history_is_checked_at_both_ends),
		cmocka_unit_test(policy_show_needs_a_workload),
		cmocka_unit_test(policy_test_takes_both_families),
		cmocka_unit_test(a_wrong_policy_test_is_refused),
		cmocka_unit_test(policy_diff_takes_paths_and_what_is_in_force),
		cmocka_unit_test(a_wrong_policy_diff_is_refused),
		cmocka_unit_test(the_highest_port_is_taken),
		cmocka_unit_test(a_program_is_an_absolute_path),
		cmocka_unit_test(apply_takes_its_flags),
		cmocka_unit_test(confirm_is_checked_at_both_limits),
		cmocka_unit_test(wrong_paths_are_refused),
		cmocka_unit_test(the_number_and_length_of_paths_is_limited),
		cmocka_unit_test(the_length_of_a_line_is_limited),
		cmocka_unit_test(a_repeated_member_does_not_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
