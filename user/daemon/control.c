// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket: one request line, answer lines, close; a follower of
 * events stays. A client that does not read is not waited for: past
 * OUT_MAX bytes it loses events, and is told how many.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "user/daemon/app.h"
#include "user/daemon/commands.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"

#define OUT_MAX		     (4 * 1024 * 1024)
#define REQUEST_TIMEOUT_USEC (10 * 1000000ULL)

struct rf_client {
	struct rf_control *control;
	struct rf_client *next;
	int fd;
	sd_event_source *io, *timeout;
	struct rf_strbuf in, out;
	size_t sent;
	bool closing; /* close when all is sent */
	bool following;
	struct rf_request request; /* of a follower */
	uint64_t missed;
};

struct rf_control {
	struct rf_app *app;
	int fd;
	char *path;
	sd_event_source *accept;
	struct rf_client *clients;
	unsigned int n;
};

static void telemetry_update(struct rf_control *c)
{
	uint32_t kinds = 0;

	for (const struct rf_client *client = c->clients; client; client = client->next)
		if (client->following)
			kinds |= client->request.kinds;
	rf_engine_telemetry_set(c->app->engine, kinds);
}

static void client_free(struct rf_client *client)
{
	struct rf_control *c = client->control;

	for (struct rf_client **at = &c->clients; *at; at = &(*at)->next) {
		if (*at == client) {
			*at = client->next;
			break;
		}
	}
	c->n--;
	sd_event_source_disable_unref(client->io);
	sd_event_source_disable_unref(client->timeout);
	close(client->fd);
	rf_strbuf_fini(&client->in);
	rf_strbuf_fini(&client->out);
	rf_request_fini(&client->request);
	if (client->following) {
		client->following = false;
		telemetry_update(c);
	}
	free(client);
}

/* Sends what the socket takes; false when the client is gone. */
static bool client_flush(struct rf_client *client)
{
	while (client->sent < client->out.len) {
		ssize_t n = send(client->fd, client->out.data + client->sent, client->out.len - client->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			sd_event_source_set_io_events(client->io, EPOLLOUT | EPOLLIN);
			return true;
		}
		if (n < 0) {
			client_free(client);
			return false;
		}
		client->sent += n;
	}
	rf_strbuf_reset(&client->out);
	client->sent = 0;
	sd_event_source_set_io_events(client->io, EPOLLIN);
	if (client->closing) {
		client_free(client);
		return false;
	}
	return true;
}

void rf_command_event_line(struct rf_strbuf *out, const struct rf_record *record, bool json)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	struct rf_json j;

	if (json) {
		rf_event_json(&text, &record->event.header, &record->names);
		rf_strbuf_addf(out, "{\"event\":%s}\n", rf_strbuf_str(&text));
		return;
	}
	rf_event_text(&text, &record->event.header, &record->names);
	rf_json_init(&j, out);
	rf_json_object(&j, NULL);
	rf_json_string(&j, "line", rf_strbuf_str(&text));
	rf_json_object_end(&j);
	rf_strbuf_addc(out, '\n');
}

static void request_run(struct rf_client *client, const char *line, size_t len)
{
	_cleanup_request_ struct rf_request request = RF_REQUEST_INIT;
	_cleanup_free_ char *error = NULL;
	int r = rf_request_parse(line, len, &request, &error);

	client->timeout = sd_event_source_disable_unref(client->timeout);
	if (r < 0) {
		rf_command_fail(&client->out, r, error ? error : strerror(-r), NULL);
		client->closing = true;
		return;
	}
	rf_command_run(client->control->app, &request, &client->out);
	if (request.command == RF_COMMAND_EVENTS && request.follow) {
		client->request = request;
		request = (struct rf_request)RF_REQUEST_INIT;
		client->following = true;
		telemetry_update(client->control);
	} else {
		client->closing = true;
	}
}

static int client_io(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct rf_client *client = arg;
	char buffer[16384];
	ssize_t n;

	(void)source;
	if (events & EPOLLOUT && !client_flush(client))
		return 0;
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return 0;
	n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		client_free(client);
		return 0;
	}
	/* One request a connection: what comes after it is not read. */
	if (client->following || client->closing)
		return 0;
	rf_strbuf_add(&client->in, buffer, n);
	if (rf_strbuf_error(&client->in) < 0) {
		client_free(client);
		return 0;
	}
	for (size_t i = client->in.len - n; i < client->in.len; i++) {
		if (client->in.data[i] == '\n') {
			request_run(client, client->in.data, i);
			client_flush(client);
			return 0;
		}
	}
	if (client->in.len > RF_CONTROL_LINE_MAX) {
		rf_command_fail(&client->out, -EMSGSIZE, "the request is longer than one megabyte", NULL);
		client->closing = true;
		client_flush(client);
	}
	return 0;
}

static int client_timeout(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	client_free(arg);
	return 0;
}

static int accept_io(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct rf_control *c = arg;
	_cleanup_close_ int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct rf_client *client;

	(void)source;
	(void)events;
	if (client_fd < 0)
		return 0;
	if (c->n == RF_CONTROL_CLIENTS_MAX) {
		static const char busy[] = "{\"ok\":false,\"errno\":11,\"error\":\"too many clients\"}\n";

		(void)!send(client_fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		return 0;
	}
	client = calloc(1, sizeof(*client));
	if (!client)
		return 0;
	client->control = c;
	client->request = (struct rf_request)RF_REQUEST_INIT;
	if (sd_event_add_io(c->app->event, &client->io, client_fd, EPOLLIN, client_io, client) < 0 ||
	    sd_event_add_time_relative(c->app->event, &client->timeout, CLOCK_MONOTONIC, REQUEST_TIMEOUT_USEC, 0,
				       client_timeout, client) < 0) {
		sd_event_source_disable_unref(client->io);
		free(client);
		return 0;
	}
	client->fd = TAKE_FD(client_fd);
	client->next = c->clients;
	c->clients = client;
	c->n++;
	return 0;
}

/* A socket that nobody listens on is what a killed daemon left; one that answers belongs to another. */
static int socket_claim(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return -EADDRINUSE;
	if (errno == ECONNREFUSED)
		unlink(path);
	return 0;
}

int rf_control_start(struct rf_app *app, struct rf_control **ret)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = app->options.socket, *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash && slash != path ? strndup(path, slash - path) : NULL;
	struct rf_control *c;
	mode_t mask;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	if (dir) {
		r = rf_fs_mkdir_p(dir, 0755);
		if (r < 0)
			return r;
	}
	r = socket_claim(path);
	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->app = app;
	c->path = strdup(path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Made with its mode: there is no moment in which others could connect. */
	mask = umask(0177);
	r = c->fd < 0 || bind(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(c->fd, 64) < 0 ?
		    -errno :
		    0;
	umask(mask);
	if (r >= 0)
		r = sd_event_add_io(app->event, &c->accept, c->fd, EPOLLIN, accept_io, c);
	if (r < 0) {
		rf_control_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void rf_control_free(struct rf_control *c)
{
	if (!c)
		return;
	while (c->clients) {
		/* Last words, such as the answer to detach. */
		c->clients->closing = true;
		if (client_flush(c->clients))
			client_free(c->clients);
	}
	sd_event_source_disable_unref(c->accept);
	if (c->fd >= 0) {
		close(c->fd);
		unlink(c->path);
	}
	free(c->path);
	free(c);
}

void rf_control_event(struct rf_control *c, const struct rf_record *record)
{
	struct rf_client *next;

	for (struct rf_client *client = c->clients; client; client = next) {
		const struct rf_filter filter = { client->request.kinds, client->request.verdicts,
						  client->request.workload };

		next = client->next;
		if (!client->following || !rf_record_matches(record, &filter))
			continue;
		if (client->out.len - client->sent > OUT_MAX) {
			client->missed++;
			continue;
		}
		if (client->missed) {
			rf_strbuf_addf(&client->out, "{\"missed\":%llu}\n", (unsigned long long)client->missed);
			client->missed = 0;
		}
		rf_command_event_line(&client->out, record, client->request.json);
		client_flush(client);
	}
}
