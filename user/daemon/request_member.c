// SPDX-License-Identifier: GPL-2.0-or-later
/* How each member of a request is read: its type, its limits, and the sentence where it is wrong. */
#include "user/daemon/request_member.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

#include "user/model/event.h"
#include "user/model/selector.h"

int rf_request_fail(struct rf_request_parser *p, int r, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text)
		return -ENOMEM;
	free(p->error);
	p->error = text;
	return r;
}

/* The reader's getters are total: two defaults that both come back as they were say "not of this type". */
static bool read_bool(const struct rf_jin *root, const char *key, bool *ret)
{
	bool value = rf_jin_bool(root, key, false);

	if (value != rf_jin_bool(root, key, true))
		return false;
	*ret = value;
	return true;
}

bool rf_request_read_i64(const struct rf_jin *value, int64_t *ret)
{
	int64_t number = rf_jin_as_i64(value, 0);

	if (number != rf_jin_as_i64(value, 1))
		return false;
	*ret = number;
	return true;
}

static int parse_bool(struct rf_request_parser *p, const char *key, bool *ret)
{
	if (!read_bool(p->root, key, ret))
		return rf_request_fail(p, -EINVAL, "\"%s\" must be true or false.", key);
	return 0;
}

static int parse_number(struct rf_request_parser *p, const char *key, const struct rf_jin *value, int64_t min,
			int64_t max, int64_t *ret)
{
	int64_t number;

	if (!rf_request_read_i64(value, &number))
		return rf_request_fail(p, -EINVAL, "\"%s\" must be a whole number.", key);
	if (number < min || number > max)
		return rf_request_fail(p, -EINVAL, "\"%s\" is %" PRId64 "; it must be from %" PRId64 " to %" PRId64 ".",
				       key, number, min, max);
	*ret = number;
	return 0;
}

/* NULL: *ret_error is what to return. */
static const char *read_string(struct rf_request_parser *p, const char *key, const struct rf_jin *value, int *ret_error)
{
	const char *s = rf_jin_as_string(value, NULL);

	if (s && *s && strlen(s) <= RF_STRING_MAX)
		return s;
	if (!s)
		*ret_error = rf_request_fail(p, -EINVAL, "\"%s\" must be a string.", key);
	else if (!*s)
		*ret_error = rf_request_fail(p, -EINVAL, "\"%s\" is empty.", key);
	else
		*ret_error = rf_request_fail(p, -EINVAL, "\"%s\" is longer than %d bytes.", key, RF_STRING_MAX);
	return NULL;
}

static int parse_follow(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	(void)value;
	return parse_bool(p, key, &p->request.follow);
}

static int parse_replace(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	(void)value;
	return parse_bool(p, key, &p->request.replace);
}

static int parse_force(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	(void)value;
	return parse_bool(p, key, &p->request.force);
}

static int parse_format(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	int r;
	const char *s = read_string(p, key, value, &r);

	if (!s)
		return r;
	if (!rf_streq(s, "text") && !rf_streq(s, "json"))
		return rf_request_fail(p, -EINVAL, "\"%s\" must be \"text\" or \"json\", not \"%.*s\".", key,
				       RF_REQUEST_QUOTED, s);
	p->request.json = rf_streq(s, "json");
	return 0;
}

/* An array of names -> a mask; an empty array is as good as none. */
static int parse_names(struct rf_request_parser *p, const char *key, const struct rf_jin *value,
		       int (*lookup)(const char *), const char *what, uint32_t *mask)
{
	uint32_t found = 0;

	if (!rf_jin_is_array(value))
		return rf_request_fail(p, -EINVAL, "\"%s\" must be an array of names.", key);
	for (size_t i = 0; i < rf_jin_len(value); i++) {
		const char *name = rf_jin_as_string(rf_jin_at(value, i), NULL);
		int n;

		if (!name)
			return rf_request_fail(p, -EINVAL, "\"%s\" must be an array of names.", key);
		n = lookup(name);
		if (n < 0)
			return rf_request_fail(p, -EINVAL, "There is no %s \"%.*s\".", what, RF_REQUEST_QUOTED, name);
		found |= 1u << n;
	}
	if (found)
		*mask = found;
	return 0;
}

static int kind_lookup(const char *name)
{
	int kind = rf_event_kind_parse(name);

	/* RF_EVENT_NONE has a name in no stream. */
	return kind <= RF_EVENT_NONE || kind >= RF_EVENT_KINDS ? -EINVAL : kind;
}

static int parse_kinds(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	return parse_names(p, key, value, kind_lookup, "kind of event called", &p->request.kinds);
}

static int parse_verdicts(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	return parse_names(p, key, value, rf_verdict_parse, "verdict called", &p->request.verdicts);
}

static int parse_limit(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	int64_t n;
	int r = parse_number(p, key, value, 0, RF_EVENT_HISTORY, &n);

	if (r < 0)
		return r;
	p->request.limit = (uint32_t)n;
	return 0;
}

static int parse_workload(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	int r;
	const char *s = read_string(p, key, value, &r), *wrong;

	if (!s)
		return r;
	if (p->request.command == RF_COMMAND_EVENTS || p->request.command == RF_COMMAND_POLICY_DIFF) {
		wrong = rf_glob_check(s);
		if (wrong)
			return rf_request_fail(p, -EINVAL, "\"%s\" is no valid glob: %s.", key, wrong);
	}
	free(p->request.workload);
	p->request.workload = strdup(s);
	return p->request.workload ? 0 : -ENOMEM;
}

static int parse_direction(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	int r;
	const char *s = read_string(p, key, value, &r);

	if (!s)
		return r;
	if (!rf_streq(s, "egress") && !rf_streq(s, "ingress"))
		return rf_request_fail(p, -EINVAL, "\"%s\" must be \"egress\" or \"ingress\", not \"%.*s\".", key,
				       RF_REQUEST_QUOTED, s);
	p->request.direction = rf_streq(s, "egress") ? RF_EGRESS : RF_INGRESS;
	return 0;
}

static int parse_address(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	int r;
	const char *s = read_string(p, key, value, &r);

	if (!s)
		return r;
	memset(p->request.address, 0, sizeof(p->request.address));
	if (inet_pton(AF_INET, s, p->request.address) == 1)
		p->request.family = AF_INET;
	else if (inet_pton(AF_INET6, s, p->request.address) == 1)
		p->request.family = AF_INET6;
	else
		return rf_request_fail(p, -EINVAL, "\"%.*s\" is neither an IPv4 nor an IPv6 address.",
				       RF_REQUEST_QUOTED, s);
	return 0;
}

static int parse_port(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	int64_t n;
	int r = parse_number(p, key, value, 0, UINT16_MAX, &n);

	if (r < 0)
		return r;
	p->request.port = (uint16_t)n;
	return 0;
}

static int parse_protocol(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	static const struct {
		const char *name;
		uint8_t number;
	} protocols[] = {
		{ "tcp", IPPROTO_TCP },	  { "udp", IPPROTO_UDP },	{ "sctp", IPPROTO_SCTP },
		{ "icmp", IPPROTO_ICMP }, { "icmpv6", IPPROTO_ICMPV6 },
	};
	int r;
	const char *s = read_string(p, key, value, &r);

	if (!s)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (rf_streq(s, protocols[i].name)) {
			p->request.protocol = protocols[i].number;
			return 0;
		}
	}
	return rf_request_fail(p, -EINVAL, "\"%s\" must be tcp, udp, sctp, icmp or icmpv6, not \"%.*s\".", key,
			       RF_REQUEST_QUOTED, s);
}

static int parse_text(struct rf_request_parser *p, const char *key, const struct rf_jin *value, char **ret)
{
	int r;
	const char *s = read_string(p, key, value, &r);

	if (!s)
		return r;
	if (!*s)
		return rf_request_fail(p, -EINVAL, "\"%s\" is empty.", key);
	free(*ret);
	*ret = strdup(s);
	return *ret ? 0 : -ENOMEM;
}

static int parse_peer(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	return parse_text(p, key, value, &p->request.peer);
}

static int parse_name(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	return parse_text(p, key, value, &p->request.name);
}

void rf_request_paths_free(struct rf_request *r)
{
	for (size_t i = 0; i < r->n_paths; i++)
		free(r->paths[i]);
	free(r->paths);
	r->paths = NULL;
	r->n_paths = 0;
}

static int parse_paths(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	size_t n;

	if (!rf_jin_is_array(value))
		return rf_request_fail(p, -EINVAL, "\"%s\" must be an array of absolute paths.", key);
	n = rf_jin_len(value);
	if (!n)
		return rf_request_fail(p, -EINVAL, "\"%s\" is empty: name at least one file or directory.", key);
	if (n > RF_POLICY_FILES_MAX)
		return rf_request_fail(p, -EINVAL, "\"%s\" has %zu entries; %d are allowed.", key, n,
				       RF_POLICY_FILES_MAX);
	rf_request_paths_free(&p->request);
	p->request.paths = calloc(n, sizeof(char *));
	if (!p->request.paths)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int r;
		const char *s = read_string(p, key, rf_jin_at(value, i), &r);

		if (!s)
			return r;
		if (*s != '/')
			return rf_request_fail(p, -EINVAL, "\"%.*s\" is no absolute path.", RF_REQUEST_QUOTED, s);
		p->request.paths[i] = strdup(s);
		if (!p->request.paths[i])
			return -ENOMEM;
		p->request.n_paths++;
	}
	return 0;
}

static int parse_confirm_s(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	int64_t n;
	int r = parse_number(p, key, value, RF_CONFIRM_MIN_S, RF_CONFIRM_MAX_S, &n);

	if (r < 0)
		return r;
	p->request.confirm_s = (uint32_t)n;
	return 0;
}

/* "current", or an absolute path. */
static int parse_side(struct rf_request_parser *p, const char *key, const struct rf_jin *value, char **ret)
{
	int r;
	const char *s = read_string(p, key, value, &r);

	if (!s)
		return r;
	if (*s != '/' && !rf_streq(s, RF_POLICY_CURRENT))
		return rf_request_fail(p, -EINVAL,
				       "\"%s\" must be \"" RF_POLICY_CURRENT "\" or an absolute path, not \"%.*s\".",
				       key, RF_REQUEST_QUOTED, s);
	free(*ret);
	*ret = *s == '/' ? strdup(s) : NULL;
	return *s == '/' && !*ret ? -ENOMEM : 0;
}

static int parse_old(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	return parse_side(p, key, value, &p->request.old);
}

static int parse_new(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	return parse_side(p, key, value, &p->request.new);
}

static int parse_since_s(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	int64_t n;
	int r = parse_number(p, key, value, 1, RF_FLOW_HISTORY_S, &n);

	if (r < 0)
		return r;
	p->request.since_s = (uint32_t)n;
	return 0;
}

static int parse_for_s(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	int64_t n;
	int r = parse_number(p, key, value, 1, RF_UNLOCK_MAX_S, &n);

	if (r < 0)
		return r;
	p->request.for_s = (uint32_t)n;
	return 0;
}

static int parse_token(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	return parse_text(p, key, value, &p->request.token);
}

static int parse_all(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	(void)value;
	return parse_bool(p, key, &p->request.all);
}

static int parse_overlay(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	(void)value;
	return parse_bool(p, key, &p->request.overlay);
}

static int parse_program(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	int r = parse_text(p, key, value, &p->request.program);

	if (r == 0 && (p->request.program[0] != '/' || strlen(p->request.program) >= RF_EXEC_PATH_MAX))
		return rf_request_fail(p, -EINVAL, "\"%s\" must be an absolute path of at most %d bytes.", key,
				       RF_EXEC_PATH_MAX - 1);
	return r;
}

static int parse_interpreter(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	(void)value;
	return parse_bool(p, key, &p->request.interpreter);
}

static int parse_subject(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	return parse_text(p, key, value, &p->request.subject);
}

/* "v" and "cmd" were read before the others. */
static int parse_nothing(struct rf_request_parser *p, const char *key, const struct rf_jin *value)
{
	(void)p;
	(void)key;
	(void)value;
	return 0;
}

const struct rf_member_row rf_members[] = {
#define X(id, name, fn) [RF_MEMBER_##id] = { name, fn },
	RF_MEMBERS(X)
#undef X
};
