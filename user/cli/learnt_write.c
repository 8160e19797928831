// SPDX-License-Identifier: GPL-2.0-or-later
/* The two policies of learning: the one that watches, and the one that allows what was seen. */
#include <inttypes.h>

#include "ringfence/kernel_map.h"
#include "ringfence/limits.h"
#include "user/cli/learnt_facts.h"
#include "user/model/kernel.h"
#include "user/model/label.h"

static const struct {
	const char *word;
	uint32_t sections; /* any of these can judge it */
} interfaces[] = {
#define X(id, word, help)                                                                                            \
	{ word,                                                                                                      \
	  1u << RF_LEARNT_KERNEL | (RF_KERNEL_##id == RF_KERNEL_SYSCTL || RF_KERNEL_##id == RF_KERNEL_CORE_PATTERN ? \
					    1u << RF_LEARNT_SYSCTL :                                                 \
					    0) },
	RF_KERNEL_KINDS(X)
#undef X
};

/* What was not used, of all that the host can judge; all of it where @l is NULL. */
static void interfaces_write(const struct rf_learnt *l, const struct rf_learnt_subject *s, struct rf_strbuf *out)
{
	const char *comma = "";

	rf_strbuf_adds(out, "    deny: [");
	for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
		if (!(s->sections & interfaces[i].sections) || rf_learnt_find(l, RF_FACT_INTERFACE, interfaces[i].word))
			continue;
		rf_strbuf_addf(out, "%s%s", comma, interfaces[i].word);
		comma = ", ";
	}
	rf_strbuf_adds(out, "]\n");
}

/* The same of system calls. */
static void syscalls_write(const struct rf_learnt *l, struct rf_strbuf *out)
{
	const char *comma = "";

	rf_strbuf_adds(out, "    syscalls:\n      deny: [");
	for (size_t i = 0; rf_syscall_names[i]; i++) {
		if (rf_learnt_find(l, RF_FACT_SYSCALL, rf_syscall_names[i]))
			continue;
		rf_strbuf_addf(out, "%s%s", comma, rf_syscall_names[i]);
		comma = ", ";
	}
	rf_strbuf_adds(out, "]\n");
}

static void select_write(const struct rf_learnt_subject *s, struct rf_strbuf *out, bool exact)
{
	rf_strbuf_adds(out, "  select:\n");
	if (s->unit && !exact) {
		rf_strbuf_adds(out, "    - systemd: ");
		rf_learnt_quote(out, s->unit);
	} else {
		rf_strbuf_adds(out, "    - cgroup: ");
		rf_learnt_quote(out, s->cgroup);
	}
	if (s->image && !exact) {
		rf_strbuf_adds(out, " # of this container alone; of all from its image: container: {image: ");
		rf_learnt_quote(out, s->image);
		rf_strbuf_addc(out, '}');
	}
	rf_strbuf_addc(out, '\n');
}

static void head_write(const struct rf_learnt_subject *s, const char *suffix, struct rf_strbuf *out)
{
	rf_strbuf_adds(out, "apiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata:\n  name: ");
	rf_strbuf_addf(out, "%s%s\n  tenant: %s\n  namespace: %s\nspec:\n", s->name, suffix, s->tenant, s->namespace);
}

void rf_learnt_watcher(const struct rf_learnt_subject *s, struct rf_strbuf *out)
{
	head_write(s, "-learning", out);
	rf_strbuf_adds(out, "  mode: audit\n  priority: 0\n");
	select_write(s, out, true);
	if (s->sections & (1u << RF_LEARNT_RAW | 1u << RF_LEARNT_SOCKETS))
		rf_strbuf_adds(out, "  network:\n    sockets:\n");
	if (s->sections & 1u << RF_LEARNT_SOCKETS)
		rf_strbuf_adds(out, "      deny: [raw, packet, vsock]\n      netlink: []\n");
	else if (s->sections & 1u << RF_LEARNT_RAW)
		rf_strbuf_adds(out, "      deny: [raw]\n");
	if (s->sections & 1u << RF_LEARNT_DEVICES)
		rf_strbuf_adds(out, "  devices:\n    default: deny\n"
				    "    rules: [{action: deny, type: char, major: \"*\"},"
				    " {action: deny, type: block, major: \"*\"}]\n");
	if (s->sections & 1u << RF_LEARNT_PROCESS)
		/* The default is not asked of what a rule of another policy allows. */
		rf_strbuf_adds(out, "  process: {default: deny, exec: [{action: deny, path: \"/**\"}], drift: deny,"
				    " memfd: deny}\n");
	if (s->sections & (1u << RF_LEARNT_KERNEL | 1u << RF_LEARNT_SYSCTL)) {
		rf_strbuf_adds(out, "  kernel:\n");
		interfaces_write(NULL, s, out);
	}
	if (s->sections & 1u << RF_LEARNT_KERNEL) {
		rf_strbuf_adds(out, "    capabilities: {allow: []}\n");
		syscalls_write(NULL, out);
	}
	if (s->sections & 1u << RF_LEARNT_FILES && s->n_labels)
		rf_strbuf_adds(out, "  files:\n    rules:\n");
	for (size_t i = 0; s->sections & 1u << RF_LEARNT_FILES && i < s->n_labels; i++) {
		rf_strbuf_adds(out, "      - {action: deny, label: ");
		rf_learnt_quote(out, s->labels[i]);
		rf_strbuf_adds(out, "}\n");
	}
	rf_strbuf_adds(out, "  telemetry:\n    events: [connect, accept]\n    flows: {sample: 1, idle: 1s}\n");
}

/* One rule a port. */
static int flows_write(const struct rf_learnt *l, enum rf_learnt_kind kind, struct rf_strbuf *out)
{
	const char *direction = kind == RF_FACT_EGRESS ? "egress" : "ingress",
		   *side = kind == RF_FACT_EGRESS ? "to" : "from";
	_cleanup_free_ struct rf_learnt_fact **facts = NULL;
	size_t n = 0, last;
	int r = rf_learnt_sorted(l, kind, &facts, &n);

	if (r < 0)
		return r;
	rf_strbuf_addf(out, "    %s:\n      default: deny\n", direction);
	rf_strbuf_adds(out, n ? "      rules:\n" : "      rules: [] # none was seen\n");
	for (size_t i = 0; i < n; i = last) {
		size_t addresses = 0;
		uint64_t times = 0;

		for (last = i; last < n && rf_streq(facts[last]->port, facts[i]->port); last++) {
			addresses += facts[last]->address;
			times += facts[last]->times;
		}
		rf_strbuf_addf(out, "        - ports: [%s] # %" PRIu64 " flows\n          %s:\n", facts[i]->port, times,
			       side);
		if (addresses > RF_LEARNT_ADDRESSES)
			rf_strbuf_addf(out, "            - {world: true} # %zu addresses\n", addresses);
		for (size_t k = i; k < last; k++)
			if (!facts[k]->address || addresses <= RF_LEARNT_ADDRESSES)
				rf_strbuf_addf(out, "            - %s\n", facts[k]->peer);
	}
	return 0;
}

/* The names of @kind between brackets, with @key before them. */
static int names_write(const struct rf_learnt *l, enum rf_learnt_kind kind, const char *key, struct rf_strbuf *out)
{
	_cleanup_free_ struct rf_learnt_fact **facts = NULL;
	size_t n = 0;
	int r = rf_learnt_sorted(l, kind, &facts, &n);

	if (r < 0)
		return r;
	rf_strbuf_addf(out, "%s: [", key);
	for (size_t i = 0; i < n; i++)
		rf_strbuf_addf(out, "%s%s", i ? ", " : "", facts[i]->peer);
	rf_strbuf_adds(out, "]\n");
	return 0;
}

static int sockets_write(const struct rf_learnt *l, const struct rf_learnt_subject *s, struct rf_strbuf *out)
{
	static const char *const kinds[] = { "raw", "packet", "vsock" };
	size_t known = s->sections & 1u << RF_LEARNT_SOCKETS ? ARRAY_SIZE(kinds) : 1;
	const char *comma = "";

	if (!(s->sections & (1u << RF_LEARNT_RAW | 1u << RF_LEARNT_SOCKETS)))
		return 0;
	rf_strbuf_adds(out, "    sockets:\n      deny: [");
	for (size_t i = 0; i < known; i++) {
		if (rf_learnt_find(l, RF_FACT_SOCKET, kinds[i]))
			continue;
		rf_strbuf_addf(out, "%s%s", comma, kinds[i]);
		comma = ", ";
	}
	rf_strbuf_adds(out, "]\n");
	return s->sections & 1u << RF_LEARNT_SOCKETS ? names_write(l, RF_FACT_NETLINK, "      netlink", out) : 0;
}

static int devices_write(const struct rf_learnt *l, struct rf_strbuf *out)
{
	_cleanup_free_ struct rf_learnt_fact **facts = NULL;
	size_t n = 0;
	int r = rf_learnt_sorted(l, RF_FACT_DEVICE, &facts, &n);

	if (r < 0)
		return r;
	rf_strbuf_adds(out, "  devices:\n    default: deny\n");
	rf_strbuf_adds(out, n ? "    rules:\n" : "    rules: [] # none was seen\n");
	for (size_t i = 0; i < n; i++) {
		rf_strbuf_addf(out, "      - {%s, access: ", facts[i]->peer);
		for (int bit = 0; bit < 3; bit++)
			if (facts[i]->access & 1u << bit)
				rf_strbuf_addc(out, "rwm"[bit]);
		rf_strbuf_addf(out, "} # %" PRIu64 " times\n", facts[i]->times);
	}
	return 0;
}

static int process_write(const struct rf_learnt *l, struct rf_strbuf *out)
{
	_cleanup_free_ struct rf_learnt_fact **facts = NULL;
	size_t n = 0;
	int r = rf_learnt_sorted(l, RF_FACT_PROGRAM, &facts, &n);

	if (r < 0)
		return r;
	rf_strbuf_adds(out, "  process:\n    default: deny\n");
	rf_strbuf_addf(out, "    drift: %s\n    memfd: %s\n",
		       rf_learnt_find(l, RF_FACT_PROCESS, "drift") ? "allow" : "deny",
		       rf_learnt_find(l, RF_FACT_PROCESS, "memfd") ? "allow" : "deny");
	rf_strbuf_adds(out, n ? "    exec:\n" : "    exec: [] # none was seen\n");
	for (size_t i = 0; i < n && i < RF_MAX_RULES; i++) {
		rf_strbuf_adds(out, "      - path: ");
		rf_learnt_quote(out, facts[i]->peer);
		rf_strbuf_addf(out, " # %" PRIu64 " times\n", facts[i]->times);
	}
	if (n > RF_MAX_RULES)
		rf_strbuf_addf(out, "      # %zu more: name their directories, as in /usr/bin/**\n", n - RF_MAX_RULES);
	return 0;
}

static int kernel_write(const struct rf_learnt *l, const struct rf_learnt_subject *s, struct rf_strbuf *out)
{
	int r;

	rf_strbuf_adds(out, "  kernel:\n");
	interfaces_write(l, s, out);
	if (!(s->sections & 1u << RF_LEARNT_KERNEL))
		return 0;
	rf_strbuf_adds(out, "    capabilities:\n");
	r = names_write(l, RF_FACT_CAPABILITY, "      allow", out);
	if (r >= 0)
		syscalls_write(l, out);
	return r;
}

/* What a label was used for, and then no more of it. */
static void files_write(const struct rf_learnt *l, const struct rf_learnt_subject *s, struct rf_strbuf *out)
{
	if (!s->n_labels)
		return;
	if (!(s->sections & 1u << RF_LEARNT_FILES)) {
		rf_strbuf_adds(out,
			       "  # files: not learnt. Without BPF LSM this host cannot see which labels are used.\n");
		return;
	}
	rf_strbuf_adds(out, "  # By labels, which are documents of their own: \"policy check\" wants those, too.\n"
			    "  # A file that has none may be used.\n"
			    "  files:\n    rules:\n");
	for (size_t i = 0; i < s->n_labels; i++) {
		const struct rf_learnt_fact *f = rf_learnt_find(l, RF_FACT_LABEL, s->labels[i]);
		bool used = f && f->access;
		char access[RF_FILE_ACCESS_TEXT];

		if (used) {
			rf_strbuf_adds(out, "      - {label: ");
			rf_learnt_quote(out, s->labels[i]);
			rf_strbuf_addf(out, ", access: [%s]} # %" PRIu64 " times\n",
				       rf_file_access_text(f->access, access), f->times);
		}
		rf_strbuf_adds(out, "      - {action: deny, label: ");
		rf_learnt_quote(out, s->labels[i]);
		rf_strbuf_adds(out, used ? "}\n" : "} # was not used\n");
	}
	if (s->n_more_labels)
		rf_strbuf_addf(out, "      # %zu more labels were not looked at, and are not denied\n",
			       s->n_more_labels);
}

int rf_learnt_write(const struct rf_learnt *l, const struct rf_learnt_subject *s, struct rf_strbuf *out)
{
	int r = 0;

	rf_strbuf_addf(out, "# Learnt from what %s/%s/%s did in %u s. What it did not do then is denied.\n", s->tenant,
		       s->namespace, s->name, s->time_s);
	if (l->lost)
		rf_strbuf_addf(out, "# %" PRIu64 " events were lost: something may be missing. Learn again.\n",
			       l->lost);
	if (l->beyond)
		rf_strbuf_addf(out, "# %" PRIu64 " things were left out: more than %d of a kind.\n", l->beyond,
			       RF_LEARNT_MAX);
	head_write(s, "-learnt", out);
	select_write(s, out, false);
	if (s->sections & 1u << RF_LEARNT_NETWORK) {
		rf_strbuf_adds(out, "  network:\n");
		r = flows_write(l, RF_FACT_EGRESS, out);
		if (r >= 0)
			r = flows_write(l, RF_FACT_INGRESS, out);
		if (r >= 0)
			r = sockets_write(l, s, out);
	}
	if (r >= 0 && s->sections & 1u << RF_LEARNT_DEVICES)
		r = devices_write(l, out);
	if (r >= 0 && s->sections & 1u << RF_LEARNT_PROCESS)
		r = process_write(l, out);
	if (r >= 0 && s->sections & (1u << RF_LEARNT_KERNEL | 1u << RF_LEARNT_SYSCTL))
		r = kernel_write(l, s, out);
	if (r < 0)
		return r;
	files_write(l, s, out);
	return rf_strbuf_error(out);
}
