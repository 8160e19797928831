// SPDX-License-Identifier: GPL-2.0-or-later
/* Facts are lines of the policy to be: a set of strings a kind, each with how often it was seen. */
#include "user/cli/learnt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "ringfence/kernel_map.h"
#include "ringfence/limits.h"
#include "user/lib/hashmap.h"

enum fact_kind {
	FACT_EGRESS,
	FACT_INGRESS,
	FACT_DEVICE,
	FACT_SOCKET,
	FACT_NETLINK,
	FACT_PROGRAM,	 /* paths */
	FACT_PROCESS,	 /* "drift", "memfd" */
	FACT_INTERFACE,	 /* words of kernel.deny */
	FACT_CAPABILITY, /* "CAP_..." */
	FACTS
};

struct fact {
	char *peer; /* of flows: the peer as YAML; else what was used */
	char *port; /* of flows: protocol and port as YAML; else NULL */
	bool address;
	uint64_t times;
	unsigned int access; /* of devices: ACCESS_* */
};

struct rf_learnt {
	struct rf_hashmap *facts[FACTS];
	uint64_t beyond, lost;
};

enum { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_MKNOD = 4 };

static void fact_free(void *p)
{
	struct fact *f = p;

	if (f) {
		free(f->peer);
		free(f->port);
	}
	free(f);
}

void rf_learnt_free(struct rf_learnt *l)
{
	if (!l)
		return;
	for (int kind = 0; kind < FACTS; kind++)
		rf_hashmap_free(l->facts[kind]);
	free(l);
}

int rf_learnt_new(struct rf_learnt **ret)
{
	_cleanup_learnt_ struct rf_learnt *l = calloc(1, sizeof(*l));
	int r = l ? 0 : -ENOMEM;

	for (int kind = 0; r >= 0 && kind < FACTS; kind++)
		r = rf_hashmap_new(fact_free, &l->facts[kind]);
	if (r >= 0)
		*ret = TAKE_PTR(l);
	return r;
}

void rf_learnt_lost(struct rf_learnt *l, uint64_t n)
{
	l->lost += n;
}

bool rf_learnt_is_empty(const struct rf_learnt *l)
{
	for (int kind = 0; kind < FACTS; kind++)
		if (rf_hashmap_size(l->facts[kind]))
			return false;
	return true;
}

/* NULL in *ret: there are too many. */
static int fact_get(struct rf_learnt *l, enum fact_kind kind, const char *peer, const char *port, struct fact **ret)
{
	_cleanup_strbuf_ struct rf_strbuf key = RF_STRBUF_INIT;
	struct fact *f;
	int r;

	rf_strbuf_addf(&key, "%s\n%s", peer, port ? port : "");
	r = rf_strbuf_error(&key);
	if (r < 0)
		return r;
	*ret = rf_hashmap_get(l->facts[kind], key.data, key.len);
	if (*ret)
		return 0;
	if (rf_hashmap_size(l->facts[kind]) >= RF_LEARNT_MAX) {
		l->beyond++;
		return 0;
	}
	f = calloc(1, sizeof(*f));
	if (f) {
		f->peer = strdup(peer);
		f->port = port ? strdup(port) : NULL;
	}
	if (!f || !f->peer || (port && !f->port) || rf_hashmap_put(l->facts[kind], key.data, key.len, f) < 0) {
		fact_free(f);
		return -ENOMEM;
	}
	*ret = f;
	return 0;
}

/* In double quotes; what could end them, or is no plain character, is escaped as YAML has it. */
static void quote(struct rf_strbuf *out, const char *text)
{
	rf_strbuf_addc(out, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			rf_strbuf_addf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			rf_strbuf_addf(out, "\\x%02x", c);
		else
			rf_strbuf_addc(out, (char)c);
	}
	rf_strbuf_addc(out, '"');
}

/* "tenant/namespace/name" */
static bool workload_peer(struct rf_strbuf *out, const char *workload)
{
	const char *first = strchr(workload, '/'), *second = first ? strchr(first + 1, '/') : NULL;
	_cleanup_free_ char *tenant = NULL, *namespace = NULL;

	if (!second)
		return false;
	tenant = strndup(workload, (size_t)(first - workload));
	namespace = strndup(first + 1, (size_t)(second - first - 1));
	if (!tenant || !namespace)
		return false;
	rf_strbuf_adds(out, "{tenant: ");
	quote(out, tenant);
	rf_strbuf_adds(out, ", namespace: ");
	quote(out, namespace);
	rf_strbuf_adds(out, ", workload: ");
	quote(out, second + 1);
	rf_strbuf_addc(out, '}');
	return true;
}

/* Who the peer is says more than where it is. True: it is told by its address alone. */
static bool peer_write(struct rf_strbuf *out, const struct rf_jin *peer, bool egress)
{
	const char *address = rf_jin_string(peer, "address", ""), *name = rf_jin_string(peer, "name", NULL);
	const char *workload = rf_jin_string(peer, "workload", NULL), *place = rf_jin_string(peer, "place", "");

	if (workload && workload_peer(out, workload))
		return false;
	if (name && egress) {
		rf_strbuf_adds(out, "{dns: ");
		quote(out, name);
		rf_strbuf_addc(out, '}');
		return false;
	}
	if (rf_streq(place, "host")) {
		rf_strbuf_adds(out, "{host: true}");
		return false;
	}
	rf_strbuf_addf(out, "{cidr: \"%s/%d\"}", address, strchr(address, ':') ? 128 : 32);
	return true;
}

static const char *protocol_word(const char *protocol)
{
	static const char *const words[][2] = { { "tcp", "TCP" },   { "udp", "UDP" },	    { "sctp", "SCTP" },
						{ "icmp", "ICMP" }, { "icmpv6", "ICMPv6" }, { "icmp6", "ICMPv6" } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(protocol, words[i][0]) == 0)
			return words[i][1];
	return NULL;
}

int rf_learnt_flow(struct rf_learnt *l, const struct rf_jin *flow)
{
	_cleanup_strbuf_ struct rf_strbuf peer = RF_STRBUF_INIT, port = RF_STRBUF_INIT;
	bool egress = rf_streq(rf_jin_string(flow, "direction", ""), "egress"), address;
	const char *protocol = protocol_word(rf_jin_string(flow, "protocol", ""));
	int64_t number = rf_jin_i64(flow, "port", 0);
	struct fact *f;
	int r;

	if (!rf_jin_get(flow, "peer") || rf_streq(rf_jin_string(flow, "recorded", ""), "deny"))
		return 0;
	address = peer_write(&peer, rf_jin_get(flow, "peer"), egress);
	if (!protocol)
		rf_strbuf_adds(&port, "{protocol: any}");
	else if (number > 0 && number < 65536 && !rf_strprefix(protocol, "ICMP"))
		rf_strbuf_addf(&port, "{protocol: %s, port: %" PRId64 "}", protocol, number);
	else
		rf_strbuf_addf(&port, "{protocol: %s}", protocol);
	r = rf_strbuf_error(&peer);
	if (r >= 0)
		r = rf_strbuf_error(&port);
	if (r >= 0)
		r = fact_get(l, egress ? FACT_EGRESS : FACT_INGRESS, rf_strbuf_str(&peer), rf_strbuf_str(&port), &f);
	if (r < 0 || !f)
		return r;
	f->address = address;
	f->times += (uint64_t)rf_jin_i64(flow, "times", 1);
	return 0;
}

static unsigned int access_of(const struct rf_jin *words)
{
	static const char *const names[] = { "read", "write", "mknod" };
	unsigned int access = 0;

	for (size_t i = 0; i < rf_jin_len(words); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			if (rf_streq(rf_jin_as_string(rf_jin_at(words, i), ""), names[k]))
				access |= 1u << k;
	return access;
}

/* The node's path: udev's links lead to it, or it is in /dev itself. NULL: not found, or out of memory. */
static char *device_path(mode_t type, int64_t major_number, int64_t minor_number)
{
	char path[280], *found;
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	snprintf(path, sizeof(path), "/dev/%s/%" PRId64 ":%" PRId64, type == S_IFBLK ? "block" : "char", major_number,
		 minor_number);
	found = realpath(path, NULL);
	dir = found ? NULL : opendir("/dev");
	while (dir && !found && (entry = readdir(dir))) {
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || (st.st_mode & S_IFMT) != type ||
		    major(st.st_rdev) != major_number || minor(st.st_rdev) != minor_number)
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		found = strdup(path);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* By its path: numbers may be others after the next boot. */
static void device_write(struct rf_strbuf *out, const char *type, int64_t major_number, int64_t minor_number)
{
	_cleanup_free_ char *path =
		device_path(rf_streq(type, "block") ? S_IFBLK : S_IFCHR, major_number, minor_number);

	if (path) {
		rf_strbuf_adds(out, "path: ");
		quote(out, path);
	} else {
		rf_strbuf_addf(out, "type: %s, major: %" PRId64 ", minor: %" PRId64, type, major_number, minor_number);
	}
}

static int device_learn(struct rf_learnt *l, const struct rf_jin *event)
{
	_cleanup_strbuf_ struct rf_strbuf device = RF_STRBUF_INIT;
	struct fact *f;
	int r;

	device_write(&device, rf_jin_string(event, "type", "char"), rf_jin_i64(event, "major", 0),
		     rf_jin_i64(event, "minor", 0));
	r = rf_strbuf_error(&device);
	if (r >= 0)
		r = fact_get(l, FACT_DEVICE, rf_strbuf_str(&device), NULL, &f);
	if (r < 0 || !f)
		return r;
	f->access |= access_of(rf_jin_get(event, "access"));
	f->times++;
	return 0;
}

/* rule: "sockets.deny[raw]", or of a netlink family "sockets.netlink". */
static int socket_learn(struct rf_learnt *l, const struct rf_jin *event)
{
	const char *rule = rf_jin_string(event, "rule", ""), *netlink = rf_jin_string(event, "netlink", NULL);
	static const char head[] = "sockets.deny[";
	_cleanup_free_ char *kind = NULL;
	struct fact *f = NULL;
	int r = 0;

	if (netlink) {
		r = fact_get(l, FACT_NETLINK, netlink, NULL, &f);
	} else if (rf_strprefix(rule, head)) {
		kind = strndup(rule + sizeof(head) - 1, strcspn(rule + sizeof(head) - 1, "]"));
		r = kind ? fact_get(l, FACT_SOCKET, kind, NULL, &f) : -ENOMEM;
	}
	if (r >= 0 && f)
		f->times++;
	return r;
}

static int name_learn(struct rf_learnt *l, enum fact_kind kind, const char *name)
{
	struct fact *f = NULL;
	int r = name ? fact_get(l, kind, name, NULL, &f) : 0;

	if (r >= 0 && f)
		f->times++;
	return r;
}

/* Of a library only that it did not come with the image: rules speak of what is executed. */
static int program_learn(struct rf_learnt *l, const struct rf_jin *event)
{
	const char *path = rf_jin_string(event, "path", NULL), *reason = rf_jin_string(event, "reason", "");
	int r = 0;

	if (rf_streq(reason, "drift") || rf_streq(reason, "memfd"))
		r = name_learn(l, FACT_PROCESS, reason);
	if (r < 0 || rf_streq(rf_jin_string(event, "role", ""), "library"))
		return r;
	/* What has no path, or one that is not known to its end, no rule can name. */
	if (!path || path[0] != '/' || rf_jin_bool(event, "path_cut", false) || strlen(path) >= RF_EXEC_TEXT_MAX) {
		l->beyond += !rf_streq(reason, "memfd");
		return 0;
	}
	return name_learn(l, FACT_PROGRAM, path);
}

static int kernel_learn(struct rf_learnt *l, const struct rf_jin *event)
{
	int r = name_learn(l, FACT_INTERFACE, rf_jin_string(event, "interface", NULL));

	return r < 0 ? r : name_learn(l, FACT_CAPABILITY, rf_jin_string(event, "capability", NULL));
}

int rf_learnt_event(struct rf_learnt *l, const struct rf_jin *event)
{
	const char *kind = rf_jin_string(event, "kind", "");

	if (rf_streq(kind, "gap")) {
		l->lost += (uint64_t)rf_jin_i64(event, "lost", 0);
		return 0;
	}
	if (!rf_streq(rf_jin_string(event, "verdict", ""), "would-deny"))
		return 0;
	if (rf_streq(kind, "device-deny"))
		return device_learn(l, event);
	if (rf_streq(kind, "socket-deny"))
		return socket_learn(l, event);
	if (rf_streq(kind, "exec-deny"))
		return program_learn(l, event);
	if (rf_streq(kind, "kernel-deny"))
		return kernel_learn(l, event);
	return 0;
}

/* ---- writing ---- */

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

static bool was_used(const struct rf_learnt *l, enum fact_kind kind, const char *name)
{
	_cleanup_strbuf_ struct rf_strbuf key = RF_STRBUF_INIT;

	rf_strbuf_addf(&key, "%s\n", name);
	return l && rf_hashmap_get(l->facts[kind], rf_strbuf_str(&key), key.len);
}

/* What was not used, of all that the host can judge; all of it where @l is NULL. */
static void interfaces_write(const struct rf_learnt *l, const struct rf_learnt_subject *s, struct rf_strbuf *out)
{
	const char *comma = "";

	rf_strbuf_adds(out, "    deny: [");
	for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
		if (!(s->sections & interfaces[i].sections) || was_used(l, FACT_INTERFACE, interfaces[i].word))
			continue;
		rf_strbuf_addf(out, "%s%s", comma, interfaces[i].word);
		comma = ", ";
	}
	rf_strbuf_adds(out, "]\n");
}

static int fact_compare(const void *a, const void *b)
{
	const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;
	int r = strcmp(x->port ? x->port : "", y->port ? y->port : "");

	return r ? r : strcmp(x->peer, y->peer);
}

/* By port, then by peer; the caller frees the array, not what is in it. */
static struct fact **facts_sorted(const struct rf_learnt *l, enum fact_kind kind, size_t *ret_n)
{
	struct fact **facts = calloc(rf_hashmap_size(l->facts[kind]) + 1, sizeof(struct fact *));
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;
	size_t n = 0;

	while (facts && rf_hashmap_next(l->facts[kind], &it, NULL, NULL, &value))
		facts[n++] = value;
	if (n)
		qsort(facts, n, sizeof(struct fact *), fact_compare);
	*ret_n = n;
	return facts;
}

static void select_write(const struct rf_learnt_subject *s, struct rf_strbuf *out, bool exact)
{
	rf_strbuf_adds(out, "  select:\n");
	if (s->unit && !exact) {
		rf_strbuf_adds(out, "    - systemd: ");
		quote(out, s->unit);
	} else {
		rf_strbuf_adds(out, "    - cgroup: ");
		quote(out, s->cgroup);
	}
	if (s->image && !exact) {
		rf_strbuf_adds(out, " # of this container alone; of all from its image: container: {image: ");
		quote(out, s->image);
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
		rf_strbuf_adds(out, "  process: {default: deny, drift: deny, memfd: deny}\n");
	if (s->sections & (1u << RF_LEARNT_KERNEL | 1u << RF_LEARNT_SYSCTL)) {
		rf_strbuf_adds(out, "  kernel:\n");
		interfaces_write(NULL, s, out);
	}
	if (s->sections & 1u << RF_LEARNT_KERNEL)
		rf_strbuf_adds(out, "    capabilities: {allow: []}\n");
	rf_strbuf_adds(out, "  telemetry:\n    events: [connect, accept]\n    flows: {sample: 1, idle: 1s}\n");
}

/* One rule a port. */
static void flows_write(const struct rf_learnt *l, enum fact_kind kind, struct rf_strbuf *out)
{
	const char *direction = kind == FACT_EGRESS ? "egress" : "ingress", *side = kind == FACT_EGRESS ? "to" : "from";
	size_t n, last;
	_cleanup_free_ struct fact **facts = facts_sorted(l, kind, &n);

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
}

static void sockets_write(const struct rf_learnt *l, const struct rf_learnt_subject *s, struct rf_strbuf *out)
{
	static const char *const kinds[] = { "raw", "packet", "vsock" };
	size_t n, known = s->sections & 1u << RF_LEARNT_SOCKETS ? ARRAY_SIZE(kinds) : 1;
	const char *comma = "";

	if (!(s->sections & (1u << RF_LEARNT_RAW | 1u << RF_LEARNT_SOCKETS)))
		return;
	rf_strbuf_adds(out, "    sockets:\n      deny: [");
	for (size_t i = 0; i < known; i++) {
		if (was_used(l, FACT_SOCKET, kinds[i]))
			continue;
		rf_strbuf_addf(out, "%s%s", comma, kinds[i]);
		comma = ", ";
	}
	rf_strbuf_adds(out, "]\n");
	if (s->sections & 1u << RF_LEARNT_SOCKETS) {
		_cleanup_free_ struct fact **facts = facts_sorted(l, FACT_NETLINK, &n);

		rf_strbuf_adds(out, "      netlink: [");
		for (size_t i = 0; i < n; i++)
			rf_strbuf_addf(out, "%s%s", i ? ", " : "", facts[i]->peer);
		rf_strbuf_adds(out, "]\n");
	}
}

static void devices_write(const struct rf_learnt *l, struct rf_strbuf *out)
{
	size_t n;
	_cleanup_free_ struct fact **facts = facts_sorted(l, FACT_DEVICE, &n);

	rf_strbuf_adds(out, "  devices:\n    default: deny\n");
	rf_strbuf_adds(out, n ? "    rules:\n" : "    rules: [] # none was seen\n");
	for (size_t i = 0; i < n; i++) {
		rf_strbuf_addf(out, "      - {%s, access: ", facts[i]->peer);
		for (int bit = 0; bit < 3; bit++)
			if (facts[i]->access & 1u << bit)
				rf_strbuf_addc(out, "rwm"[bit]);
		rf_strbuf_addf(out, "} # %" PRIu64 " times\n", facts[i]->times);
	}
}

static void process_write(const struct rf_learnt *l, struct rf_strbuf *out)
{
	size_t n;
	_cleanup_free_ struct fact **facts = facts_sorted(l, FACT_PROGRAM, &n);

	rf_strbuf_adds(out, "  process:\n    default: deny\n");
	rf_strbuf_addf(out, "    drift: %s\n    memfd: %s\n", was_used(l, FACT_PROCESS, "drift") ? "allow" : "deny",
		       was_used(l, FACT_PROCESS, "memfd") ? "allow" : "deny");
	rf_strbuf_adds(out, n ? "    exec:\n" : "    exec: [] # none was seen\n");
	for (size_t i = 0; i < n && i < RF_MAX_RULES; i++) {
		rf_strbuf_adds(out, "      - path: ");
		quote(out, facts[i]->peer);
		rf_strbuf_addf(out, " # %" PRIu64 " times\n", facts[i]->times);
	}
	if (n > RF_MAX_RULES)
		rf_strbuf_addf(out, "      # %zu more: name their directories, as in /usr/bin/**\n", n - RF_MAX_RULES);
}

static void kernel_write(const struct rf_learnt *l, const struct rf_learnt_subject *s, struct rf_strbuf *out)
{
	size_t n;
	_cleanup_free_ struct fact **facts = facts_sorted(l, FACT_CAPABILITY, &n);

	rf_strbuf_adds(out, "  kernel:\n");
	interfaces_write(l, s, out);
	if (!(s->sections & 1u << RF_LEARNT_KERNEL))
		return;
	rf_strbuf_adds(out, "    capabilities:\n      allow: [");
	for (size_t i = 0; i < n; i++)
		rf_strbuf_addf(out, "%s%s", i ? ", " : "", facts[i]->peer);
	rf_strbuf_adds(out, "]\n");
}

void rf_learnt_write(const struct rf_learnt *l, const struct rf_learnt_subject *s, struct rf_strbuf *out)
{
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
		flows_write(l, FACT_EGRESS, out);
		flows_write(l, FACT_INGRESS, out);
		sockets_write(l, s, out);
	}
	if (s->sections & 1u << RF_LEARNT_DEVICES)
		devices_write(l, out);
	if (s->sections & 1u << RF_LEARNT_PROCESS)
		process_write(l, out);
	if (s->sections & (1u << RF_LEARNT_KERNEL | 1u << RF_LEARNT_SYSCTL))
		kernel_write(l, s, out);
}
