// SPDX-License-Identifier: GPL-2.0-or-later
/* ringfence policy: a table of subcommands of its own. check, explain and reference need no daemon. */
#include "user/cli/cli.h"

static const struct rf_command commands[] = {
	{ "policy check", "PATH...", "check policy files or directories, without the daemon",
	  "Every error is shown with its place. A directory stands for its *.yaml and *.yml files.\n"
	  "What this host cannot enforce is found by \"ringfence apply\", not here.",
	  rf_command_policy_check },
	{ "policy explain", "[FIELD]", "what a field of a policy means, as in spec.network.egress",
	  "\"NetworkPolicy\" before it names a field of Kubernetes' own: NetworkPolicy.spec.podSelector.",
	  rf_command_policy_explain },
	{ "policy reference", NULL, "every field of a policy, as markdown", NULL, rf_command_policy_reference },
	{ "policy list", NULL, "the policies in force", NULL, rf_command_policy_list },
	{ "policy show", "WORKLOAD", "what is in force for a workload, and why", NULL, rf_command_policy_show },
	{ "policy test", "--workload NAME --to|--from ENDPOINT|--exec PATH",
	  "ask for a verdict, without sending or running anything",
	  "ENDPOINT is ADDR:PORT/PROTO: 192.0.2.1:443/tcp, [2001:db8::1]:53/udp, 192.0.2.1/icmp/echo-request.\n"
	  "With --from the port is the workload's own. PATH is a program, by the rules of paths and labels.\n"
	  "Exits 0 when it would pass, 3 when it would be denied.",
	  rf_command_policy_test },
	{ "policy diff", "OLD NEW", "which flows of the last day would be judged differently",
	  "OLD and NEW are files or directories of policies; \"current\" or \"-\" is what is in force. Neither is put\n"
	  "in force: every recorded flow is judged by both, and those are shown whose verdict is not the same.\n"
	  "Exits 0 when no verdict changes, 1 when one does, 2 in case of trouble.",
	  rf_command_policy_diff },
	{ "policy learn", "WORKLOAD", "write the policy that allows what a workload does now, and no more",
	  "For a time, flows, device nodes and sockets that it uses are told by a policy in mode audit, which is\n"
	  "removed at the end. Nothing is denied meanwhile. Read the policy before you apply it.",
	  rf_command_policy_learn },
};

static int overview(const struct rf_cli *cli)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	rf_strbuf_adds(&out, "usage: ringfence policy COMMAND [OPTION]...\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		rf_strbuf_addf(&out, "  %-10s  %s\n", commands[i].name + strlen("policy "), commands[i].summary);
	return rf_cli_print(cli, &out);
}

int rf_command_policy(struct rf_cli *cli, int argc, char **argv)
{
	if (argc < 1)
		return rf_cli_usage(cli, "which of check, explain, reference, list, show, test, diff, learn?");
	if (rf_streq(argv[0], "--help") || rf_streq(argv[0], "-h"))
		return overview(cli);
	return rf_cli_dispatch(cli, commands, ARRAY_SIZE(commands), "policy ", argc, argv);
}
