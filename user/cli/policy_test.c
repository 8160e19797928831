// SPDX-License-Identifier: GPL-2.0-or-later
/* ringfence policy test: the verdict on a flow that was never sent, or a program that was not run, and the rule. */
#include "user/cli/cli.h"
#include "user/cli/endpoint.h"

static int print_verdict(struct rf_cli *cli, const struct rf_jin *root)
{
	const char *verdict = rf_jin_string(root, "verdict", "?"), *text = rf_jin_string(root, "text", "");
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	bool deny = rf_streq(verdict, "deny");
	enum rf_color c = RF_COLOR_YELLOW;
	int status;

	if (rf_streq(verdict, "allow"))
		c = RF_COLOR_GREEN;
	else if (deny)
		c = RF_COLOR_RED;
	rf_render_color(&out, c, cli->color);
	rf_render_escape(&out, verdict, false);
	rf_render_color(&out, RF_COLOR_NONE, cli->color);
	/* the sentence begins with the verdict, which has been written in its colour */
	if (rf_strprefix(text, verdict))
		text += strlen(verdict);
	else if (*text)
		rf_strbuf_adds(&out, ": ");
	rf_render_escape(&out, text, true);
	if (out.len && out.data[out.len - 1] != '\n')
		rf_strbuf_adds(&out, "\n");
	status = rf_cli_print(cli, &out);
	return status == RF_EXIT_OK && deny ? RF_EXIT_DENY : status;
}

static int print_reply(struct rf_cli *cli, const struct rf_reply *reply, bool json)
{
	int status;

	if (!json)
		return print_verdict(cli, reply->root);
	status = rf_cli_print_json(cli, reply->line.data, reply->line.len);
	return status == RF_EXIT_OK && rf_streq(rf_jin_string(reply->root, "verdict", ""), "deny") ? RF_EXIT_DENY :
												     status;
}

static int program_test(struct rf_cli *cli, const char *workload, const char *program, bool interpreter, bool json)
{
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	struct rf_json j;

	if (program[0] != '/')
		return rf_cli_usage(cli, "\"%s\" is no absolute path", program);
	rf_cli_request(&j, &request, "policy-test-program");
	rf_json_string(&j, "workload", workload);
	rf_json_string(&j, "program", program);
	rf_json_bool(&j, "interpreter", interpreter);
	if (rf_cli_call(cli, &j, &request, NULL, NULL, RF_CLI_TIMEOUT_MS, &reply) < 0)
		return RF_EXIT_FAILURE;
	return print_reply(cli, &reply, json);
}

int rf_command_policy_test(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT, error = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	const char *workload = NULL, *to = NULL, *from = NULL, *peer = NULL, *name = NULL, *program = NULL,
		   *interpreter = NULL;
	bool json = false;
	const struct rf_option options[] = {
		{ "workload", 'w', "NAME", "full name of the workload: tenant/namespace/name", RF_OPTION_STRING,
		  &workload, 0, 0 },
		{ "to", 0, "ENDPOINT", "the workload sends to this", RF_OPTION_STRING, &to, 0, 0 },
		{ "from", 0, "ENDPOINT", "this sends to the workload", RF_OPTION_STRING, &from, 0, 0 },
		{ "peer", 0, "NAME", "the workload at the other end, where addresses do not tell it", RF_OPTION_STRING,
		  &peer, 0, 0 },
		{ "name", 0, "DNS", "the name that the address was an answer to", RF_OPTION_STRING, &name, 0, 0 },
		{ "exec", 0, "PATH", "the workload runs this program: by the rules of paths and labels",
		  RF_OPTION_STRING, &program, 0, 0 },
		{ "interpreter", 0, "PATH", "a script that it runs names this after its #!", RF_OPTION_STRING,
		  &interpreter, 0, 0 },
		{ "json", 0, NULL, "print the daemon's reply as it is, one line of JSON", RF_OPTION_FLAG, &json, 0, 0 },
	};
	struct rf_endpoint e;
	struct rf_json j;
	int n, status;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 0, 0, &n, &status))
		return status;
	if (!workload)
		return rf_cli_usage(cli, "--workload is missing");
	if (!!to + !!from + !!program + !!interpreter != 1)
		return rf_cli_usage(cli, "give either --to or --from, or --exec, or --interpreter");
	if (program || interpreter)
		return program_test(cli, workload, program ? program : interpreter, interpreter, json);
	if (rf_endpoint_parse(to ? to : from, &e, &error) < 0)
		return rf_cli_usage(cli, "\"%s\": %s", to ? to : from, rf_strbuf_str(&error));
	rf_cli_request(&j, &request, "policy-test");
	rf_json_string(&j, "workload", workload);
	rf_json_string(&j, "direction", to ? "egress" : "ingress");
	rf_json_string(&j, "address", e.address);
	rf_json_u64(&j, "port", e.port);
	rf_json_string(&j, "protocol", e.protocol);
	if (peer)
		rf_json_string(&j, "peer", peer);
	if (name)
		rf_json_string(&j, "name", name);
	if (rf_cli_call(cli, &j, &request, NULL, NULL, RF_CLI_TIMEOUT_MS, &reply) < 0)
		return RF_EXIT_FAILURE;
	return print_reply(cli, &reply, json);
}
