// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One flow, judged from where a workload stands: what did the kernel say?
 *
 *	net_probe serve SECONDS tcp/ADDR/PORT|udp/ADDR/PORT...	echoes; says "ready"; tcp46: ADDR is IPv6, and
 *					IPv4 may come too
 *	net_probe [options] tcp|udp|icmp ADDR [PORT]
 *	net_probe [options] stream ADDR PORT	connects, then for each line read: one exchange of as many bytes as it
 *					says (any other line: one), of "info" what TCP tells of the connection, and of
 *					"shut" the end of it, when the other side's has come too
 *	net_probe [options] many N ADDR PORT	N connections that stay open, prints how many of each; then, for each
 *					line read, "open", "close" or "reset", one more or one less
 *	net_probe hold tcp|udp ADDR PROGRAM...	runs PROGRAM with a new socket as descriptor 9
 *
 *	-w MS	wait for an answer at most so long (RF_WAIT_MS, 500)
 *	-n N	N attempts, print how many of each
 *	-l	attempts until SIGTERM, print how many of each
 *	-c	a datagram socket that is connected
 *	-f	use descriptor 9
 *	-s PORT	bind to PORT first
 *
 * A single attempt prints its outcome and exits with 0 allowed, 3 denied
 * (EPERM), 4 timeout, 5 refused, 6 anything else; 2 is a wrong use.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HELD_FD	     9
#define FDS_MAX	     512
#define EXCHANGE_MAX 30000

enum outcome { ALLOWED, DENIED, TIMEOUT, REFUSED, OTHER, OUTCOMES };

static const char *const outcome_names[OUTCOMES] = { "allowed", "denied", "timeout", "refused", "other" };
static const int outcome_status[OUTCOMES] = { 0, 3, 4, 5, 6 };

struct options {
	int wait_ms;
	unsigned long count;
	bool loop, connected, held;
	unsigned int source;
};

static volatile sig_atomic_t ended;

static void end(int signo)
{
	(void)signo;
	ended = 1;
}

static enum outcome outcome_of(int error)
{
	switch (error) {
	case 0:
		return ALLOWED;
	case EPERM:
		return DENIED;
	case EAGAIN:
	case ETIMEDOUT:
		return TIMEOUT;
	case ECONNREFUSED:
		return REFUSED;
	default:
		if (!ended)
			fprintf(stderr, "net_probe: %s\n", strerror(error));
		return OTHER;
	}
}

static bool address_parse(const char *text, unsigned int port, struct sockaddr_storage *ret, socklen_t *ret_len)
{
	struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *a4 = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &a4->sin_addr) == 1) {
		a4->sin_family = AF_INET;
		a4->sin_port = htons(port);
		*ret_len = sizeof(*a4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &a6->sin6_addr) == 1) {
		a6->sin6_family = AF_INET6;
		a6->sin6_port = htons(port);
		*ret_len = sizeof(*a6);
		return true;
	}
	fprintf(stderr, "net_probe: no address: %s\n", text);
	return false;
}

/* Waits for @events; 0 or an errno. */
static int await(int fd, short events, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r;

	do {
		r = poll(&p, 1, wait_ms);
	} while (r < 0 && errno == EINTR && !ended);
	return r < 0 ? errno : r == 0 ? ETIMEDOUT : 0;
}

/* @n bytes there and back. */
static int exchange_bytes(int fd, size_t n, int wait_ms)
{
	char buffer[EXCHANGE_MAX] = { 'x' };
	ssize_t got;
	int r;

	if (send(fd, buffer, n, MSG_NOSIGNAL) != (ssize_t)n)
		return errno ? errno : EIO;
	while (n) {
		r = await(fd, POLLIN, wait_ms);
		if (r)
			return r;
		got = recv(fd, buffer, n, MSG_DONTWAIT);
		if (got <= 0)
			return got == 0 ? ECONNRESET : errno;
		n -= got;
	}
	return 0;
}

static int exchange(int fd, int wait_ms)
{
	return exchange_bytes(fd, 1, wait_ms);
}

static int tcp_connect(int fd, const struct sockaddr_storage *to, socklen_t len, int wait_ms)
{
	socklen_t size = sizeof(int);
	int error = 0;

	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)to, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	error = await(fd, POLLOUT, wait_ms);
	if (error)
		return error;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return errno;
	return error;
}

static int tcp_try(int fd, const struct sockaddr_storage *to, socklen_t len, const struct options *o)
{
	/* Closed by a reset: thousands of attempts must not use up the ports. */
	const struct linger linger = { .l_onoff = 1 };
	int r = tcp_connect(fd, to, len, o->wait_ms);

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return r ? r : exchange(fd, o->wait_ms);
}

static int udp_try(int fd, const struct sockaddr_storage *to, socklen_t len, const struct options *o)
{
	char c = 'x';
	int r;

	if (o->connected) {
		if (connect(fd, (const struct sockaddr *)to, len) < 0)
			return errno;
		return exchange(fd, o->wait_ms);
	}
	if (sendto(fd, &c, 1, 0, (const struct sockaddr *)to, len) != 1)
		return errno;
	r = await(fd, POLLIN, o->wait_ms);
	if (r)
		return r;
	return recv(fd, &c, 1, MSG_DONTWAIT) == 1 ? 0 : errno;
}

static uint16_t checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* An echo request and its own reply; loopback shows us the request as well. */
static int icmp_try(int fd, const struct sockaddr_storage *to, socklen_t len, const struct options *o)
{
	bool v6 = to->ss_family == AF_INET6;
	struct icmphdr request = { .type = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
				   .un.echo = { .id = htons(getpid() & 0xffff), .sequence = htons(1) } };

	request.checksum = v6 ? 0 : checksum(&request, sizeof(request));
	if (sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)to, len) < 0)
		return errno;
	for (;;) {
		uint8_t buffer[1500];
		struct icmphdr reply;
		ssize_t n;
		int r = await(fd, POLLIN, o->wait_ms);

		if (r)
			return r;
		n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (n < 0)
			return errno;
		if (n < (ssize_t)(sizeof(reply) + (v6 ? 0 : 20)))
			continue;
		memcpy(&reply, buffer + (v6 ? 0 : (buffer[0] & 15) * 4), sizeof(reply));
		if (reply.type == (v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) && reply.un.echo.id == request.un.echo.id)
			return 0;
	}
}

static int socket_make(const char *kind, int family, const struct options *o)
{
	struct sockaddr_storage from;
	int fd, one = 1;
	socklen_t len;

	if (o->held)
		return dup(HELD_FD);
	if (strcmp(kind, "icmp") == 0)
		return socket(family, SOCK_RAW, family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	fd = socket(family, strcmp(kind, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM, 0);
	if (fd < 0 || !o->source)
		return fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!address_parse(family == AF_INET6 ? "::" : "0.0.0.0", o->source, &from, &len) ||
	    bind(fd, (struct sockaddr *)&from, len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static enum outcome attempt(const char *kind, const struct sockaddr_storage *to, socklen_t len, const struct options *o)
{
	int fd = socket_make(kind, to->ss_family, o), r;

	if (fd < 0)
		return outcome_of(errno);
	if (strcmp(kind, "udp") == 0)
		r = udp_try(fd, to, len, o);
	else if (strcmp(kind, "icmp") == 0)
		r = icmp_try(fd, to, len, o);
	else
		r = tcp_try(fd, to, len, o);
	close(fd);
	return outcome_of(r);
}

static void counts_print(const unsigned long counts[OUTCOMES])
{
	for (int i = 0; i < OUTCOMES; i++)
		printf("%s=%lu%c", outcome_names[i], counts[i], i + 1 < OUTCOMES ? ' ' : '\n');
	fflush(stdout);
}

static int attempts(const char *kind, const struct sockaddr_storage *to, socklen_t len, const struct options *o)
{
	unsigned long counts[OUTCOMES] = { 0 };

	if (!o->count && !o->loop) {
		enum outcome outcome = attempt(kind, to, len, o);

		puts(outcome_names[outcome]);
		return outcome_status[outcome];
	}
	for (unsigned long i = 0; !ended && (o->loop || i < o->count); i++) {
		enum outcome outcome = attempt(kind, to, len, o);

		/* What the end interrupted has no outcome. */
		if (ended && (outcome == OTHER || outcome == TIMEOUT))
			break;
		counts[outcome]++;
	}
	counts_print(counts);
	return 0;
}

static void info_print(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	(void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	printf("retransmits=%u rtt_us=%u\n", info.tcpi_total_retrans, info.tcpi_rtt);
}

static const char *shut(int fd, int wait_ms)
{
	char c;

	if (shutdown(fd, SHUT_WR) < 0 || await(fd, POLLIN, wait_ms) || recv(fd, &c, 1, MSG_DONTWAIT) != 0)
		return "not shut";
	return "shut";
}

static int stream(const struct sockaddr_storage *to, socklen_t len, const struct options *o)
{
	int fd = socket_make("tcp", to->ss_family, o), r, one = 1;
	char line[64];

	if (fd < 0)
		return 1;
	r = tcp_connect(fd, to, len, o->wait_ms);
	puts(r ? outcome_names[outcome_of(r)] : "connected");
	fflush(stdout);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (!r && fgets(line, sizeof(line), stdin)) {
		unsigned long bytes = strtoul(line, NULL, 10);
		char stale[256];

		/* Answers to what was sent again late are not the answer to this. */
		while (recv(fd, stale, sizeof(stale), MSG_DONTWAIT) > 0)
			;
		if (strcmp(line, "info\n") == 0)
			info_print(fd);
		else if (strcmp(line, "shut\n") == 0)
			puts(shut(fd, o->wait_ms));
		else
			puts(outcome_names[outcome_of(
				exchange_bytes(fd, bytes && bytes <= EXCHANGE_MAX ? bytes : 1, o->wait_ms))]);
		fflush(stdout);
	}
	close(fd);
	return 0;
}

/* One more that stays open, at the end of @fds. */
static enum outcome many_open(const struct sockaddr_storage *to, socklen_t len, const struct options *o, int *fds,
			      size_t *n)
{
	int fd = socket_make("tcp", to->ss_family, o), r;

	if (fd < 0)
		return outcome_of(errno);
	r = tcp_connect(fd, to, len, o->wait_ms);
	if (!r)
		r = exchange(fd, o->wait_ms);
	if (r || *n == FDS_MAX)
		close(fd);
	else
		fds[(*n)++] = fd;
	return outcome_of(r);
}

static int many(unsigned long wanted, const struct sockaddr_storage *to, socklen_t len, const struct options *o)
{
	const struct linger linger = { .l_onoff = 1 };
	unsigned long counts[OUTCOMES] = { 0 };
	int fds[FDS_MAX];
	char line[64];
	size_t n = 0;

	while (wanted--)
		counts[many_open(to, len, o, fds, &n)]++;
	counts_print(counts);
	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "open\n") == 0) {
			puts(outcome_names[many_open(to, len, o, fds, &n)]);
		} else if (n) {
			if (strcmp(line, "reset\n") == 0)
				(void)setsockopt(fds[n - 1], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
			close(fds[--n]);
			puts("closed");
		}
		fflush(stdout);
	}
	return 0;
}

/* Listens for @spec, "tcp/ADDR/PORT". */
static int listener_make(const char *spec, bool *ret_udp)
{
	char copy[128], *addr, *port;
	struct sockaddr_storage a;
	socklen_t len;
	int fd, one = 1, only;

	snprintf(copy, sizeof(copy), "%s", spec);
	addr = strchr(copy, '/');
	port = strrchr(copy, '/');
	if (!addr || port == addr)
		return -1;
	*addr++ = '\0';
	*port++ = '\0';
	*ret_udp = strcmp(copy, "udp") == 0;
	only = strcmp(copy, "tcp46") != 0;
	if (!address_parse(addr, atoi(port), &a, &len))
		return -1;
	fd = socket(a.ss_family, *ret_udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (a.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	if (bind(fd, (struct sockaddr *)&a, len) < 0 || (!*ret_udp && listen(fd, 1024) < 0)) {
		perror(spec);
		return -1;
	}
	return fd;
}

static void datagram_echo(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char buffer[2048];
	ssize_t n = recvfrom(fd, buffer, sizeof(buffer), MSG_DONTWAIT, (struct sockaddr *)&from, &len);

	if (n >= 0)
		(void)!sendto(fd, buffer, n, MSG_DONTWAIT, (struct sockaddr *)&from, len);
}

static int serve(int seconds, int n_specs, char **specs)
{
	struct pollfd fds[FDS_MAX];
	bool udp[FDS_MAX];
	int n = 0, n_listeners;

	for (; n < n_specs && n < FDS_MAX; n++) {
		fds[n] = (struct pollfd){ .fd = listener_make(specs[n], &udp[n]), .events = POLLIN };
		if (fds[n].fd < 0)
			return 1;
	}
	n_listeners = n;
	puts("ready");
	fflush(stdout);
	alarm(seconds);
	while (!ended && poll(fds, n, -1) >= 0) {
		for (int i = 0; i < n_listeners; i++) {
			int fd;

			if (!fds[i].revents)
				continue;
			if (udp[i]) {
				datagram_echo(fds[i].fd);
				continue;
			}
			fd = accept4(fds[i].fd, NULL, NULL, SOCK_NONBLOCK);
			if (fd >= 0 && n < FDS_MAX)
				fds[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
			else if (fd >= 0)
				close(fd);
		}
		for (int i = n_listeners; i < n; i++) {
			char buffer[2048];
			ssize_t got;

			if (!fds[i].revents)
				continue;
			got = recv(fds[i].fd, buffer, sizeof(buffer), MSG_DONTWAIT);
			if (got > 0) {
				(void)!send(fds[i].fd, buffer, got, MSG_NOSIGNAL | MSG_DONTWAIT);
			} else if (got == 0 || errno != EAGAIN) {
				close(fds[i].fd);
				fds[i--] = fds[--n];
			}
		}
	}
	return 0;
}

static int hold(const char *kind, const char *addr, char **program)
{
	const struct options none = { 0 };
	struct sockaddr_storage a;
	socklen_t len;
	int fd;

	if (!address_parse(addr, 0, &a, &len))
		return 2;
	fd = socket_make(kind, a.ss_family, &none);
	if (fd < 0 || dup2(fd, HELD_FD) < 0)
		return 1;
	execvp(program[0], program);
	perror(program[0]);
	return 1;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = end };
	const char *wait_text = getenv("RF_WAIT_MS");
	struct options o = { .wait_ms = wait_text ? atoi(wait_text) : 500 };
	struct sockaddr_storage to;
	socklen_t len;
	int option;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	while ((option = getopt(argc, argv, "+w:n:s:lcf")) != -1) {
		switch (option) {
		case 'w':
			o.wait_ms = atoi(optarg);
			break;
		case 'n':
			o.count = strtoul(optarg, NULL, 10);
			break;
		case 's':
			o.source = atoi(optarg);
			break;
		case 'l':
			o.loop = true;
			break;
		case 'c':
			o.connected = true;
			break;
		case 'f':
			o.held = true;
			break;
		default:
			return 2;
		}
	}
	argv += optind;
	argc -= optind;
	if (argc >= 3 && strcmp(argv[0], "serve") == 0)
		return serve(atoi(argv[1]), argc - 2, argv + 2);
	if (argc >= 4 && strcmp(argv[0], "hold") == 0)
		return hold(argv[1], argv[2], argv + 3);
	if (argc >= 4 && strcmp(argv[0], "many") == 0)
		return address_parse(argv[2], atoi(argv[3]), &to, &len) ? many(atoi(argv[1]), &to, len, &o) : 2;
	if (argc < 2 || !address_parse(argv[1], argc > 2 ? atoi(argv[2]) : 0, &to, &len))
		return 2;
	if (strcmp(argv[0], "stream") == 0)
		return stream(&to, len, &o);
	return attempts(argv[0], &to, len, &o);
}
