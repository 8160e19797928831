// SPDX-License-Identifier: GPL-2.0-or-later
/* ringfence events: the daemon's history, then what comes. The daemon filters; one line here is one event. */
#include <stdio.h>

#include "ringfence/limits.h"
#include "user/cli/cli.h"

static int count_member(const char *key, const struct rf_jin *value, void *arg)
{
	size_t *n = arg;

	(void)key;
	(void)value;
	++*n;
	return 0;
}

/* {"event":{...}} -> {...}, so that what is printed is one JSON object an event. Anything else stays whole. */
static void unwrap(const struct rf_jin *line, const char **text, size_t *len)
{
	static const char head[] = "{\"event\":";
	size_t members = 0;

	rf_jin_each(line, count_member, &members);
	if (members != 1 || *len <= sizeof(head) || !rf_strprefix(*text, head) || (*text)[*len - 1] != '}')
		return;
	*text += sizeof(head) - 1;
	*len -= sizeof(head);
}

static int print_line(struct rf_cli *cli, const struct rf_jin *line, const char *text, size_t len, void *arg)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	const char *s = rf_jin_string(line, "line", NULL);
	const bool *json = arg;
	int status;

	if (*json) {
		unwrap(line, &text, &len);
		status = rf_cli_print_json(cli, text, len);
	} else if (s) {
		rf_render_escape(&out, s, false);
		rf_strbuf_adds(&out, "\n");
		status = rf_cli_print(cli, &out);
	} else {
		return 0; /* a kind of line that a later daemon may send */
	}
	/* ends a follower whose reader is gone even where SIGPIPE does not */
	return status != RF_EXIT_OK || ferror(stdout) ? -1 : 0;
}

static void add_list(struct rf_json *j, const char *key, const struct rf_list *list)
{
	if (!list->n)
		return;
	rf_json_array(j, key);
	for (size_t i = 0; i < list->n; i++)
		rf_json_string(j, NULL, list->values[i]);
	rf_json_array_end(j);
}

int rf_command_events(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	struct rf_list kinds = { .n = 0 }, verdicts = { .n = 0 };
	const char *workload = NULL;
	unsigned int limit = RF_EVENT_HISTORY;
	bool follow = false, json = false;
	const struct rf_option options[] = {
		{ "follow", 'f', NULL, "go on with what comes", RF_OPTION_FLAG, &follow, 0, 0 },
		{ "json", 0, NULL, "one JSON object a line", RF_OPTION_FLAG, &json, 0, 0 },
		{ "kind", 'k', "KIND", "only this kind (exec, flow-deny, ...); may be repeated", RF_OPTION_LIST, &kinds,
		  0, 0 },
		{ "verdict", 0, "VERDICT", "only allow, deny or would-deny; may be repeated", RF_OPTION_LIST, &verdicts,
		  0, 0 },
		{ "workload", 'w', "GLOB", "only workloads whose full name matches", RF_OPTION_STRING, &workload, 0,
		  0 },
		{ "number", 'n', "N", "at most the last N of the history", RF_OPTION_NUMBER, &limit, 0,
		  RF_EVENT_HISTORY },
	};
	struct rf_json j;
	int n, status;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 0, 0, &n, &status))
		return status;
	rf_cli_request(&j, &request, "events");
	rf_json_bool(&j, "follow", follow);
	rf_json_string(&j, "format", json ? "json" : "text");
	add_list(&j, "kinds", &kinds);
	add_list(&j, "verdicts", &verdicts);
	if (workload)
		rf_json_string(&j, "workload", workload);
	rf_json_u64(&j, "limit", limit);
	if (follow)
		setvbuf(stdout, NULL, _IOLBF, 0);
	if (rf_cli_call(cli, &j, &request, print_line, &json, follow ? -1 : RF_CLI_TIMEOUT_MS, &reply) < 0)
		return RF_EXIT_FAILURE;
	return RF_EXIT_OK;
}
