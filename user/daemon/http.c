// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libmicrohttpd in external epoll mode. The listening socket is made here, so
 * that its errors are known by their number; the library only accepts on it.
 *
 * Nothing here has a use for a request's body. The library closes a
 * connection that is answered at the first call for a request, so a request
 * with a body, or one that is refused, is answered there, and the others at
 * the second, which keeps the connection open for the next.
 */
#include "user/daemon/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "user/lib/clock.h"

static const char index_text[] = "Ringfence\n"
				 "\n"
				 "/metrics  Prometheus text 0.0.4, or OpenMetrics 1.0 when the Accept header asks\n"
				 "/healthz  200 ok, or 503 and what is wrong\n";

struct cached {
	struct MHD_Response *response;
	uint64_t made_ns;
};

struct rf_http {
	struct MHD_Daemon *daemon;
	struct rf_http_handler handler;
	int fd; /* the library's epoll set, and its own */
	uint16_t port;
	struct cached cache[RF_METRICS_FORMATS];
};

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* 0..65535, digits alone; -EINVAL. */
static int parse_port(const char *s, uint16_t *ret_port)
{
	uint32_t port = 0;

	if (!*s || strlen(s) > 5)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		port = port * 10 + (uint32_t)(*s - '0');
	}
	if (port > 65535)
		return -EINVAL;
	*ret_port = (uint16_t)port;
	return 0;
}

static int parse_listen(const char *listen, union address *ret_address)
{
	char host[INET6_ADDRSTRLEN] = "127.0.0.1";
	union address address = { 0 };
	const char *colon, *port = listen;
	bool bracket = false;
	uint16_t number;
	int r;

	if (!listen)
		return -EINVAL;
	colon = strrchr(listen, ':');
	if (colon) {
		size_t len = (size_t)(colon - listen);

		port = colon + 1;
		bracket = len >= 2 && listen[0] == '[' && colon[-1] == ']';
		if (bracket) {
			listen++;
			len -= 2;
		}
		if (len >= sizeof(host))
			return -EINVAL;
		if (len && (bracket || len != strlen("localhost") || !rf_strprefix(listen, "localhost"))) {
			memcpy(host, listen, len);
			host[len] = '\0';
		}
	}
	r = parse_port(port, &number);
	if (r)
		return r;
	if (bracket) {
		address.in6.sin6_family = AF_INET6;
		address.in6.sin6_port = htons(number);
		if (inet_pton(AF_INET6, host, &address.in6.sin6_addr) != 1)
			return -EINVAL;
	} else {
		address.in.sin_family = AF_INET;
		address.in.sin_port = htons(number);
		if (inet_pton(AF_INET, host, &address.in.sin_addr) != 1)
			return -EINVAL;
	}
	*ret_address = address;
	return 0;
}

static int open_socket(const union address *address, int *ret_fd, uint16_t *ret_port)
{
	socklen_t len = address->any.sa_family == AF_INET6 ? sizeof(address->in6) : sizeof(address->in);
	union address bound = { 0 };
	socklen_t bound_len = sizeof(bound);
	_cleanup_close_ int fd = -1;
	int one = 1;

	fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* A restart must not wait for the old connections' TIME_WAIT; a live listener still gives EADDRINUSE. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		return -errno;
	if (bind(fd, &address->any, len))
		return -errno;
	if (listen(fd, RF_HTTP_CONNECTIONS_MAX))
		return -errno;
	if (getsockname(fd, &bound.any, &bound_len))
		return -errno;
	*ret_port = ntohs(bound.any.sa_family == AF_INET6 ? bound.in6.sin6_port : bound.in.sin_port);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Takes @body over, also on failure. */
static struct MHD_Response *make_response(struct rf_strbuf *body, const char *type)
{
	size_t len = body->len;
	char *data = rf_strbuf_take(body);
	struct MHD_Response *response;

	if (!data)
		return NULL;
	response = MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(data);
		return NULL;
	}
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) != MHD_YES) {
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}

/* MHD_NO makes the library close the connection, which is all that is left to do without memory. */
static enum MHD_Result reply(struct MHD_Connection *connection, unsigned int status, const char *allow,
			     struct rf_strbuf *body)
{
	struct MHD_Response *response = make_response(body, "text/plain; charset=utf-8");
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	if (allow && MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow) != MHD_YES) {
		MHD_destroy_response(response);
		return MHD_NO;
	}
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result reply_text(struct MHD_Connection *connection, unsigned int status, const char *allow,
				  const char *text)
{
	_cleanup_strbuf_ struct rf_strbuf body = RF_STRBUF_INIT;

	rf_strbuf_adds(&body, text);
	return reply(connection, status, allow, &body);
}

static enum MHD_Result reply_health(struct rf_http *h, struct MHD_Connection *connection)
{
	_cleanup_strbuf_ struct rf_strbuf reason = RF_STRBUF_INIT;

	if (!h->handler.health(&reason, h->handler.arg))
		return reply_text(connection, MHD_HTTP_OK, NULL, "ok\n");
	if (!reason.len)
		rf_strbuf_adds(&reason, "not healthy");
	rf_strbuf_addc(&reason, '\n');
	return reply(connection, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, &reason);
}

static void cache_drop(struct cached *c)
{
	if (c->response)
		MHD_destroy_response(c->response); /* connections that still send it hold their own reference */
	c->response = NULL;
}

/* For how long it may still be sent. */
static uint64_t cache_left(const struct rf_http *h, const struct cached *c, uint64_t now)
{
	uint64_t age = now - c->made_ns;

	return age < h->handler.metrics_max_age_ns ? h->handler.metrics_max_age_ns - age : 0;
}

/* A large host's exposition is tens of megabytes, not to be kept until the next scrape. */
static void cache_expire(struct rf_http *h)
{
	uint64_t now = rf_clock_monotonic();

	for (unsigned int f = 0; f < RF_METRICS_FORMATS; f++)
		if (h->cache[f].response && !cache_left(h, &h->cache[f], now))
			cache_drop(&h->cache[f]);
}

static enum MHD_Result reply_metrics(struct rf_http *h, struct MHD_Connection *connection)
{
	_cleanup_strbuf_ struct rf_strbuf body = RF_STRBUF_INIT;
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	enum rf_metrics_format format = rf_metrics_negotiate(accept);
	struct cached *c = &h->cache[format];
	uint64_t now = rf_clock_monotonic();
	int r;

	if (c->response && cache_left(h, c, now))
		return MHD_queue_response(connection, MHD_HTTP_OK, c->response);
	cache_drop(c);
	r = h->handler.metrics(format, &body, h->handler.arg);
	if (r)
		return reply_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL, "the metrics could not be read\n");
	c->response = make_response(&body, rf_metrics_content_type(format));
	if (!c->response)
		return MHD_NO;
	if (MHD_add_response_header(c->response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT) != MHD_YES) {
		cache_drop(c);
		return MHD_NO;
	}
	c->made_ns = now;
	return MHD_queue_response(connection, MHD_HTTP_OK, c->response);
}

static bool has_body(struct MHD_Connection *connection)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH) ||
	       MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version, const char *data, size_t *data_len, void **state)
{
	struct rf_http *h = arg;
	bool metrics = rf_streq(url, "/metrics"), health = rf_streq(url, "/healthz");

	(void)version;
	(void)data;
	(void)data_len;
	if (!metrics && !health && !rf_streq(url, "/"))
		return reply_text(connection, MHD_HTTP_NOT_FOUND, NULL, "not found\n");
	if (!rf_streq(method, MHD_HTTP_METHOD_GET) && !rf_streq(method, MHD_HTTP_METHOD_HEAD))
		return reply_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET, HEAD", "only GET and HEAD\n");
	if (!*state && !has_body(connection)) {
		*state = h; /* any address: the first call is over */
		return MHD_YES;
	}
	if (metrics)
		return reply_metrics(h, connection);
	if (health)
		return reply_health(h, connection);
	return reply_text(connection, MHD_HTTP_OK, NULL, index_text);
}

int rf_http_start(const char *listen, const struct rf_http_handler *handler, struct rf_http **ret)
{
	_cleanup_http_ struct rf_http *h = NULL;
	_cleanup_close_ int fd = -1;
	const union MHD_DaemonInfo *info;
	union address address;
	int r;

	r = parse_listen(listen, &address);
	if (r)
		return r;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->handler = *handler;
	r = open_socket(&address, &fd, &h->port);
	if (r)
		return r;
	/* From here the library owns the socket, also where it fails. */
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, TAKE_FD(fd),
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned int)RF_HTTP_CONNECTIONS_MAX,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)RF_HTTP_CONNECTION_MEMORY,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)RF_HTTP_IDLE_S, MHD_OPTION_END);
	if (!h->daemon)
		return -ENOMEM;
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -EOPNOTSUPP;
	h->fd = info->epoll_fd;
	*ret = TAKE_PTR(h);
	return 0;
}

void rf_http_free(struct rf_http *h)
{
	if (!h)
		return;
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	for (unsigned int f = 0; f < RF_METRICS_FORMATS; f++)
		cache_drop(&h->cache[f]);
	free(h);
}

int rf_http_fd(const struct rf_http *h)
{
	return h->fd;
}

static bool at_limit(const struct rf_http *h)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info && info->num_connections >= RF_HTTP_CONNECTIONS_MAX;
}

int rf_http_run(struct rf_http *h)
{
	bool was_full = at_limit(h);

	if (MHD_run(h->daemon) != MHD_YES)
		return -EIO;
	/*
	 * At the limit the library takes the listening socket out of its epoll set, and puts it back at the start of
	 * the run after the one that closed a connection. Nothing would cause that run while clients only wait to be
	 * accepted.
	 */
	if (was_full && !at_limit(h) && MHD_run(h->daemon) != MHD_YES)
		return -EIO;
	cache_expire(h);
	return 0;
}

uint64_t rf_http_timeout_ns(struct rf_http *h)
{
	uint64_t timeout = RF_HTTP_TIMEOUT_NONE, now = rf_clock_monotonic();
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES && ms < RF_HTTP_TIMEOUT_NONE / RF_NSEC_PER_MSEC)
		timeout = ms * RF_NSEC_PER_MSEC;
	for (unsigned int f = 0; f < RF_METRICS_FORMATS; f++)
		if (h->cache[f].response)
			timeout = MIN(timeout, cache_left(h, &h->cache[f], now));
	return timeout;
}

uint16_t rf_http_port(const struct rf_http *h)
{
	return h->port;
}
