// SPDX-License-Identifier: GPL-2.0-or-later
/* Facts are lines of the policy to be: a set of strings a kind, each with how often it was seen. */
#include "user/cli/learnt_facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "ringfence/limits.h"
#include "user/model/label.h"

static void fact_free(void *p)
{
	struct rf_learnt_fact *f = p;

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
	for (int kind = 0; kind < RF_FACTS; kind++)
		rf_hashmap_free(l->facts[kind]);
	free(l);
}

int rf_learnt_new(struct rf_learnt **ret)
{
	_cleanup_learnt_ struct rf_learnt *l = calloc(1, sizeof(*l));
	int r = l ? 0 : -ENOMEM;

	for (int kind = 0; r >= 0 && kind < RF_FACTS; kind++)
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
	for (int kind = 0; kind < RF_FACTS; kind++)
		if (rf_hashmap_size(l->facts[kind]))
			return false;
	return true;
}

/* NULL in *ret: there are too many. */
static int fact_get(struct rf_learnt *l, enum rf_learnt_kind kind, const char *peer, const char *port,
		    struct rf_learnt_fact **ret)
{
	_cleanup_strbuf_ struct rf_strbuf key = RF_STRBUF_INIT;
	struct rf_learnt_fact *f;
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

void rf_learnt_quote(struct rf_strbuf *out, const char *text)
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
	rf_learnt_quote(out, tenant);
	rf_strbuf_adds(out, ", namespace: ");
	rf_learnt_quote(out, namespace);
	rf_strbuf_adds(out, ", workload: ");
	rf_learnt_quote(out, second + 1);
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
		rf_learnt_quote(out, name);
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
	struct rf_learnt_fact *f;
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
		r = fact_get(l, egress ? RF_FACT_EGRESS : RF_FACT_INGRESS, rf_strbuf_str(&peer), rf_strbuf_str(&port),
			     &f);
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
		rf_learnt_quote(out, path);
	} else {
		rf_strbuf_addf(out, "type: %s, major: %" PRId64 ", minor: %" PRId64, type, major_number, minor_number);
	}
}

static int device_learn(struct rf_learnt *l, const struct rf_jin *event)
{
	_cleanup_strbuf_ struct rf_strbuf device = RF_STRBUF_INIT;
	struct rf_learnt_fact *f;
	int r;

	device_write(&device, rf_jin_string(event, "type", "char"), rf_jin_i64(event, "major", 0),
		     rf_jin_i64(event, "minor", 0));
	r = rf_strbuf_error(&device);
	if (r >= 0)
		r = fact_get(l, RF_FACT_DEVICE, rf_strbuf_str(&device), NULL, &f);
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
	struct rf_learnt_fact *f = NULL;
	int r = 0;

	if (netlink) {
		r = fact_get(l, RF_FACT_NETLINK, netlink, NULL, &f);
	} else if (rf_strprefix(rule, head)) {
		kind = strndup(rule + sizeof(head) - 1, strcspn(rule + sizeof(head) - 1, "]"));
		r = kind ? fact_get(l, RF_FACT_SOCKET, kind, NULL, &f) : -ENOMEM;
	}
	if (r >= 0 && f)
		f->times++;
	return r;
}

static int name_learn(struct rf_learnt *l, enum rf_learnt_kind kind, const char *name)
{
	struct rf_learnt_fact *f = NULL;
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
		r = name_learn(l, RF_FACT_PROCESS, reason);
	if (r < 0 || rf_streq(rf_jin_string(event, "role", ""), "library"))
		return r;
	/* What has no path, or one that is not known to its end, no rule can name. */
	if (!path || path[0] != '/' || rf_jin_bool(event, "path_cut", false) || strlen(path) >= RF_EXEC_TEXT_MAX) {
		l->beyond += !rf_streq(reason, "memfd");
		return 0;
	}
	return name_learn(l, RF_FACT_PROGRAM, path);
}

static int kernel_learn(struct rf_learnt *l, const struct rf_jin *event)
{
	int r = name_learn(l, RF_FACT_INTERFACE, rf_jin_string(event, "interface", NULL));

	if (r >= 0)
		r = name_learn(l, RF_FACT_CAPABILITY, rf_jin_string(event, "capability", NULL));
	return r < 0 ? r : name_learn(l, RF_FACT_SYSCALL, rf_jin_string(event, "syscall", NULL));
}

/* By "denied", which is all that was needed: what leaves a label needs every access. */
static int file_learn(struct rf_learnt *l, const struct rf_jin *event)
{
	const char *label = rf_jin_string(event, "label", NULL);
	const struct rf_jin *words = rf_jin_get(event, "denied");
	struct rf_learnt_fact *f;
	int r;

	/* What has no place among directories is denied to whoever has rules. */
	if (!label) {
		l->beyond++;
		return 0;
	}
	/* A rule of another policy that names a path. */
	if (label[0] == '/')
		return 0;
	r = fact_get(l, RF_FACT_LABEL, label, NULL, &f);
	if (r < 0 || !f)
		return r;
	for (size_t i = 0; i < rf_jin_len(words); i++) {
		int bit = rf_file_access_parse(rf_jin_as_string(rf_jin_at(words, i), ""));

		if (bit >= 0)
			f->access |= 1u << bit;
	}
	f->times++;
	return 0;
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
	if (rf_streq(kind, "file-deny"))
		return file_learn(l, event);
	return 0;
}

const struct rf_learnt_fact *rf_learnt_find(const struct rf_learnt *l, enum rf_learnt_kind kind, const char *name)
{
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;

	/* Without memory for a key: that a thing was not seen must never be for the lack of it. */
	while (l && rf_hashmap_next(l->facts[kind], &it, NULL, NULL, &value)) {
		const struct rf_learnt_fact *f = value;

		if (rf_streq(f->peer, name))
			return f;
	}
	return NULL;
}

static int fact_compare(const void *a, const void *b)
{
	const struct rf_learnt_fact *x = *(const struct rf_learnt_fact *const *)a,
				    *y = *(const struct rf_learnt_fact *const *)b;
	int r = strcmp(x->port ? x->port : "", y->port ? y->port : "");

	return r ? r : strcmp(x->peer, y->peer);
}

int rf_learnt_sorted(const struct rf_learnt *l, enum rf_learnt_kind kind, struct rf_learnt_fact ***ret, size_t *ret_n)
{
	struct rf_learnt_fact **facts = calloc(rf_hashmap_size(l->facts[kind]) + 1, sizeof(struct rf_learnt_fact *));
	struct rf_hashmap_iter it = RF_HASHMAP_ITER_INIT;
	void *value;
	size_t n = 0;

	if (!facts)
		return -ENOMEM;
	while (rf_hashmap_next(l->facts[kind], &it, NULL, NULL, &value))
		facts[n++] = value;
	if (n)
		qsort(facts, n, sizeof(struct rf_learnt_fact *), fact_compare);
	*ret = facts;
	*ret_n = n;
	return 0;
}
