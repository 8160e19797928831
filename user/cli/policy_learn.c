// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ringfence policy learn: for a time, a policy in mode audit says what it would
 * deny, which is everything; of that and of the flows a policy is written. It is
 * applied unconfirmed, so that it goes even where this process is killed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "user/cli/cli.h"
#include "user/cli/client.h"
#include "user/cli/learnt.h"
#include "user/lib/clock.h"

#define SETTLE_S 3 /* until the flows of the last moments have ended by being idle, and are told */

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

struct subject {
	struct rf_learnt_subject names;
	struct rf_strbuf full; /* tenant, namespace and name, each ended by a NUL */
	const char *glob;
};

static const struct rf_jin *workload_find(const struct rf_jin *root, const char *name)
{
	const struct rf_jin *list = rf_jin_get(root, "workloads");

	for (size_t i = 0; i < rf_jin_len(list); i++)
		if (rf_streq(rf_jin_string(rf_jin_at(list, i), "name", ""), name))
			return rf_jin_at(list, i);
	return NULL;
}

/* "tenant/namespace/name" of the daemon's own, so three parts it is. */
static int subject_fill(struct subject *s, const struct rf_jin *workload)
{
	const struct rf_jin *identity = rf_jin_get(workload, "identity");
	const char *name = rf_jin_string(workload, "name", "");
	char *first, *second;

	rf_strbuf_adds(&s->full, name);
	if (rf_strbuf_error(&s->full))
		return -ENOMEM;
	first = s->full.data ? strchr(s->full.data, '/') : NULL;
	second = first ? strchr(first + 1, '/') : NULL;
	if (!second)
		return -EINVAL;
	*first = *second = '\0';
	s->glob = name;
	s->names.tenant = s->full.data;
	s->names.namespace = first + 1;
	s->names.name = second + 1;
	s->names.cgroup = rf_jin_string(workload, "path", "/");
	s->names.unit = rf_jin_string(identity, "unit", NULL);
	s->names.image = rf_jin_string(identity, "image", NULL);
	return 0;
}

static uint32_t sections_of(const struct rf_jin *status)
{
	static const struct {
		const char *feature;
		enum rf_learnt_section section;
	} rows[] = {
		{ "network-egress", RF_LEARNT_NETWORK },  { "network-raw-sockets", RF_LEARNT_RAW },
		{ "network-sockets", RF_LEARNT_SOCKETS }, { "devices", RF_LEARNT_DEVICES },
		{ "process", RF_LEARNT_PROCESS },	  { "kernel-surface", RF_LEARNT_KERNEL },
		{ "kernel-sysctl", RF_LEARNT_SYSCTL },	  { "files", RF_LEARNT_FILES },
	};
	const struct rf_jin *features = rf_jin_get(rf_jin_get(status, "status"), "features");
	uint32_t sections = 0;

	for (size_t i = 0; i < rf_jin_len(features); i++)
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
			if (rf_streq(rf_jin_string(rf_jin_at(features, i), "name", ""), rows[k].feature) &&
			    !rf_streq(rf_jin_string(rf_jin_at(features, i), "support", ""), "unavailable"))
				sections |= 1u << rows[k].section;
	return sections;
}

/* Those that are in force, by name. @reply keeps them. */
static int labels_fill(struct rf_learnt_subject *s, const struct rf_jin *reply)
{
	const struct rf_jin *labels = rf_jin_get(reply, "labels");
	size_t n = rf_jin_len(labels);

	s->labels = calloc(n + 1, sizeof(*s->labels));
	if (!s->labels)
		return -ENOMEM;
	s->n_labels = MIN(n, (size_t)RF_LEARNT_LABELS);
	s->n_more_labels = n - s->n_labels;
	for (size_t i = 0; i < s->n_labels; i++)
		s->labels[i] = rf_jin_string(rf_jin_at(labels, i), "name", "");
	return 0;
}

/* The daemon reads the file itself. */
static int watcher_apply(struct rf_cli *cli, const struct rf_learnt_subject *s, unsigned int time_s, bool force)
{
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT, text = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	char directory[] = "/tmp/ringfence-learn-XXXXXX", path[64];
	struct rf_json j;
	FILE *f;
	int r;

	rf_learnt_watcher(s, &text);
	r = rf_strbuf_error(&text);
	if (r < 0) {
		rf_cli_error(cli, "out of memory");
		return r;
	}
	if (!mkdtemp(directory)) {
		r = -errno;
		rf_cli_error(cli, "cannot make a directory in /tmp: %s", strerror(-r));
		return r;
	}
	snprintf(path, sizeof(path), "%s/ringfence-learn.yaml", directory);
	f = fopen(path, "we");
	if (!f || fputs(rf_strbuf_str(&text), f) == EOF || fclose(f) == EOF) {
		rf_cli_error(cli, "cannot write %s: %s", path, strerror(errno));
		r = -EIO;
	} else {
		rf_cli_request(&j, &request, "apply");
		rf_json_array(&j, "paths");
		rf_json_string(&j, NULL, path);
		rf_json_array_end(&j);
		rf_json_u64(&j, "confirm_s", MIN(time_s + 60, (unsigned int)RF_CONFIRM_MAX_S));
		rf_json_bool(&j, "force", force);
		r = rf_cli_call(cli, &j, &request, NULL, NULL, RF_CLI_TIMEOUT_MS, &reply);
	}
	unlink(path);
	rmdir(directory);
	return r;
}

static int watcher_remove(struct rf_cli *cli)
{
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;

	return rf_cli_ask(cli, "rollback", &reply);
}

static int events_open(struct rf_cli *cli, const char *glob, struct rf_client *client)
{
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT;
	struct rf_json j;
	int r;

	rf_cli_request(&j, &request, "events");
	rf_json_bool(&j, "follow", true);
	rf_json_string(&j, "format", "json");
	rf_json_string(&j, "workload", glob);
	rf_json_u64(&j, "limit", 0);
	rf_json_object_end(&j);
	r = rf_strbuf_error(&request);
	if (r >= 0)
		r = rf_client_connect(client, rf_client_socket(cli->socket));
	if (r >= 0)
		r = rf_client_send(client, request.data, request.len);
	if (r < 0)
		rf_cli_error(cli, "cannot follow the events: %s", strerror(-r));
	return r;
}

/* Until the time is over or somebody says stop. */
static int events_read(struct rf_cli *cli, struct rf_client *client, struct rf_learnt *l, unsigned int time_s)
{
	uint64_t end = rf_clock_monotonic() + time_s * RF_NSEC_PER_SEC, now;

	while (!stopped && (now = rf_clock_monotonic()) < end) {
		_cleanup_jin_ struct rf_jin *line = NULL;
		const char *text;
		size_t len;
		int r = rf_client_next(client, (int)MIN((end - now) / RF_NSEC_PER_MSEC + 1, 500ULL), &text, &len);

		if (r == -ETIMEDOUT)
			continue;
		if (r <= 0) {
			rf_cli_error(cli, "ringfenced hung up while its events were followed");
			return r < 0 ? r : -EPROTO;
		}
		if (rf_jin_parse(text, len, &line, NULL) < 0)
			continue;
		r = rf_learnt_event(l, rf_jin_get(line, "event"));
		if (r < 0)
			return r;
	}
	return 0;
}

static int flow_take(struct rf_cli *cli, const struct rf_jin *line, const char *text, size_t len, void *arg)
{
	(void)cli;
	(void)text;
	(void)len;
	return rf_learnt_flow(arg, line);
}

static int flows_read(struct rf_cli *cli, const char *glob, uint64_t since_s, struct rf_learnt *l)
{
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	struct rf_json j;

	rf_cli_request(&j, &request, "policy-diff");
	rf_json_string(&j, "old", RF_POLICY_CURRENT);
	rf_json_string(&j, "new", RF_POLICY_CURRENT);
	rf_json_u64(&j, "since_s", since_s);
	rf_json_string(&j, "workload", glob);
	rf_json_bool(&j, "all", true);
	return rf_cli_call(cli, &j, &request, flow_take, l, RF_CLI_TIMEOUT_MS, &reply);
}

static int output_write(struct rf_cli *cli, const char *path, const struct rf_strbuf *text)
{
	FILE *f;

	if (!path)
		return rf_cli_print(cli, text);
	f = fopen(path, "we");
	if (!f || fputs(rf_strbuf_str(text), f) == EOF || fclose(f) == EOF) {
		rf_cli_error(cli, "cannot write %s: %s", path, strerror(errno));
		return RF_EXIT_FAILURE;
	}
	return RF_EXIT_OK;
}

static int learn(struct rf_cli *cli, struct subject *s, unsigned int time_s, bool force, struct rf_learnt *l)
{
	_cleanup_client_ struct rf_client client = RF_CLIENT_INIT;
	uint64_t begun = rf_clock_monotonic();
	int r;

	r = events_open(cli, s->glob, &client);
	if (r >= 0)
		r = watcher_apply(cli, &s->names, time_s, force);
	if (r < 0)
		return r;
	fprintf(stderr, "learning what %s does for %u s (Ctrl-C ends it early)\n", s->glob, time_s);
	r = events_read(cli, &client, l, time_s);
	s->names.time_s = (unsigned int)((rf_clock_monotonic() - begun) / RF_NSEC_PER_SEC);
	stopped = 0;
	if (r >= 0)
		r = events_read(cli, &client, l, SETTLE_S);
	if (r >= 0)
		r = flows_read(cli, s->glob, (rf_clock_monotonic() - begun) / RF_NSEC_PER_SEC + 1, l);
	if (watcher_remove(cli) < 0 && r >= 0)
		r = -EIO;
	return r;
}

int rf_command_policy_learn(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	_cleanup_reply_ struct rf_reply workloads = RF_REPLY_INIT, status = RF_REPLY_INIT, policies = RF_REPLY_INIT;
	_cleanup_learnt_ struct rf_learnt *l = NULL;
	struct sigaction action = { .sa_handler = stop };
	struct subject s = { .full = RF_STRBUF_INIT };
	const struct rf_jin *workload;
	const char *path = NULL;
	unsigned int time_s = 600;
	bool force = false;
	const struct rf_option options[] = {
		{ "for", 0, "TIME", "how long to look (10s, 10m, 1h; 10m)", RF_OPTION_DURATION, &time_s, 1,
		  RF_CONFIRM_MAX_S - 60 },
		{ "output", 'o', "FILE", "write the policy there, not to standard output", RF_OPTION_STRING, &path, 0,
		  0 },
		{ "force", 0, NULL, "even a workload that the host's own management is in", RF_OPTION_FLAG, &force, 0,
		  0 },
	};
	int n, exit_status, r;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 1, 1, &n, &exit_status))
		return exit_status;
	if (rf_cli_ask(cli, "workloads", &workloads) < 0)
		return RF_EXIT_FAILURE;
	workload = workload_find(workloads.root, argv[0]);
	if (!workload || subject_fill(&s, workload) < 0) {
		rf_cli_error(cli,
			     "there is no workload %s (\"ringfence workloads\" lists them; one that no policy selects"
			     " yet needs one that only selects it)",
			     argv[0]);
		rf_strbuf_fini(&s.full);
		return RF_EXIT_FAILURE;
	}
	r = rf_cli_ask(cli, "status", &status);
	if (r >= 0)
		r = rf_cli_ask(cli, "policies", &policies);
	if (r >= 0)
		r = rf_learnt_new(&l);
	if (r >= 0)
		r = labels_fill(&s.names, policies.root);
	if (r >= 0) {
		s.names.sections = sections_of(status.root);
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		r = learn(cli, &s, time_s, force, l);
	}
	if (r >= 0) {
		r = rf_learnt_write(l, &s.names, &out);
		if (r < 0)
			rf_cli_error(cli, "out of memory: the policy cannot be written");
		else if (rf_learnt_is_empty(l))
			fprintf(stderr, "nothing was seen of %s: its policy denies everything\n", s.glob);
	}
	rf_strbuf_fini(&s.full);
	free(s.names.labels);
	return r < 0 ? RF_EXIT_FAILURE : output_write(cli, path, &out);
}
