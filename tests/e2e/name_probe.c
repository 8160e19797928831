// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names, as a workload meets them.
 *
 *	name_probe [-n COUNT] [-p PORT] [-t] [-6] SERVER NAME	resolve, then connect at once to what was answered;
 *								%a in NAME is replaced by the number of the attempt
 *	name_probe ask SERVER NAME [held]			one question; any datagram is an answer. held: by
 *descriptor 9 name_probe lie ADDRESS HOW				a resolver that gives 10.66.0.1 for every name,
 *but HOW: well, id (another id), name (another question), late (a second answer), cut (a record that ends early)
 *	name_probe serve ADDRESS HOW				a resolver over TCP that gives 10.66.1.N for
 *hN.example.com, in segments as HOW says (below); two questions are answered in one name_probe stream SERVER NAME HOW
 *resolve over TCP, the question in segments as HOW says, then connect; HOW may be "both": NAME is asked for behind
 *another one
 *
 * HOW: whole, length (its two bytes alone), half, bytes (each byte alone), long (5000 bytes, in two segments).
 *
 * connect() is to a port where nobody listens: "refused" is the proof that it was allowed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <resolv.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/nameser.h>

#define DNS_PORT   53
#define HELD_FD	   9
#define TIMEOUT_MS 2000

struct options {
	unsigned int count;
	uint16_t port;
	bool tcp, ipv6;
	const char *server, *name;
};

static int resolver_init(const struct options *o, struct __res_state *state)
{
	memset(state, 0, sizeof(*state));
	if (res_ninit(state) < 0)
		return -EIO;
	state->nscount = 1;
	state->nsaddr_list[0] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	if (inet_pton(AF_INET, o->server, &state->nsaddr_list[0].sin_addr) != 1)
		return -EINVAL;
	state->retrans = 1;
	state->retry = 2;
	state->options &= ~(RES_DNSRCH | RES_DEFNAMES);
	if (o->tcp)
		state->options |= RES_USEVC;
	return 0;
}

/* The first address of an answer; 0, or -ENOENT. */
static int address_get(const unsigned char *answer, int len, bool ipv6, struct sockaddr_storage *ret,
		       socklen_t *ret_len)
{
	ns_msg message;
	ns_rr record;

	if (ns_initparse(answer, len, &message) < 0)
		return -ENOENT;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		if (ns_parserr(&message, ns_s_an, i, &record) < 0)
			return -ENOENT;
		memset(ret, 0, sizeof(*ret));
		if (!ipv6 && ns_rr_type(record) == ns_t_a) {
			struct sockaddr_in *a = (struct sockaddr_in *)ret;

			a->sin_family = AF_INET;
			memcpy(&a->sin_addr, ns_rr_rdata(record), 4);
			*ret_len = sizeof(*a);
			return 0;
		}
		if (ipv6 && ns_rr_type(record) == ns_t_aaaa) {
			struct sockaddr_in6 *a = (struct sockaddr_in6 *)ret;

			a->sin6_family = AF_INET6;
			memcpy(&a->sin6_addr, ns_rr_rdata(record), 16);
			*ret_len = sizeof(*a);
			return 0;
		}
	}
	return -ENOENT;
}

/* 1 allowed, 0 denied, negative: something else. */
static int connect_try(struct sockaddr_storage *to, socklen_t len, uint16_t port)
{
	int fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	if (to->ss_family == AF_INET)
		((struct sockaddr_in *)to)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)to)->sin6_port = htons(port);
	r = connect(fd, (struct sockaddr *)to, len) == 0 ? 0 : -errno;
	close(fd);
	if (r == 0 || r == -ECONNREFUSED)
		return 1;
	return r == -EPERM ? 0 : r;
}

static void name_fill(const char *pattern, unsigned int i, char *name, size_t size)
{
	const char *at = strstr(pattern, "%a");

	if (!at)
		snprintf(name, size, "%s", pattern);
	else
		snprintf(name, size, "%.*s%u-%u%s", (int)(at - pattern), pattern, i >> 8, i & 255, at + 2);
}

static int resolve_and_connect(const struct options *o)
{
	unsigned int resolved = 0, allowed = 0, denied = 0, other = 0;
	struct __res_state state;

	if (resolver_init(o, &state) < 0)
		return 2;
	for (unsigned int i = 0; i < o->count; i++) {
		unsigned char answer[4096];
		struct sockaddr_storage to;
		char name[256];
		socklen_t len;
		int n, r;

		name_fill(o->name, i, name, sizeof(name));
		n = res_nquery(&state, name, ns_c_in, o->ipv6 ? ns_t_aaaa : ns_t_a, answer, sizeof(answer));
		if (n < 0 || address_get(answer, n, o->ipv6, &to, &len) < 0)
			continue;
		resolved++;
		r = connect_try(&to, len, o->port);
		allowed += r > 0;
		denied += r == 0;
		other += r < 0;
	}
	res_nclose(&state);
	if (o->count > 1)
		printf("resolved=%u allowed=%u denied=%u other=%u\n", resolved, allowed, denied, other);
	else
		puts(!resolved ? "unresolved" : allowed ? "allowed" : denied ? "denied" : "other");
	return 0;
}

static int question_make(const char *name, unsigned char *message, size_t size)
{
	struct __res_state state;
	int n;

	memset(&state, 0, sizeof(state));
	if (res_ninit(&state) < 0)
		return -1;
	n = res_nmkquery(&state, ns_o_query, name, ns_c_in, ns_t_a, NULL, 0, NULL, message, size);
	res_nclose(&state);
	return n;
}

static int ask(const char *server, const char *name, bool held)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	int fd = held ? HELD_FD : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned char message[512];
	int n = question_make(name, message, sizeof(message)), answers = 0;

	inet_pton(AF_INET, server, &to.sin_addr);
	if (n < 0 || sendto(fd, message, n, 0, (struct sockaddr *)&to, sizeof(to)) != n) {
		puts(errno == EPERM ? "denied" : "failed");
		return 0;
	}
	/* A second one may follow at once. */
	while (poll(&p, 1, answers ? 100 : TIMEOUT_MS) == 1 && recv(fd, message, sizeof(message), 0) > 0)
		answers++;
	printf("answers=%d\n", answers);
	return 0;
}

/* The question of @message with an answer behind it; its length. */
static int lie_make(unsigned char *message, int len, const char *how)
{
	static const unsigned char record[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 10, 66, 0, 1 };
	int end = 12;

	while (end < len && message[end])
		end += message[end] + 1;
	end += 5;
	if (end > len)
		return 0;
	message[2] = 0x84;
	message[3] = 0;
	memset(message + 6, 0, 6);
	message[7] = 1;
	memcpy(message + end, record, sizeof(record));
	if (!strcmp(how, "id"))
		message[1] ^= 1;
	else if (!strcmp(how, "name"))
		message[13] ^= 1;
	else if (!strcmp(how, "cut"))
		return end + (int)sizeof(record) - 2;
	return end + (int)sizeof(record);
}

static int lie(const char *address, const char *how)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) }, from;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, address, &at.sin_addr);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror("bind");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		unsigned char message[512 + 64];
		socklen_t len = sizeof(from);
		int n = recvfrom(fd, message, 512, 0, (struct sockaddr *)&from, &len);

		if (n < 12)
			continue;
		n = lie_make(message, n, how);
		(void)!sendto(fd, message, n, 0, (struct sockaddr *)&from, len);
		/* The question was answered: another answer to it must teach nothing. */
		if (!strcmp(how, "late")) {
			message[n - 1] = 2;
			(void)!sendto(fd, message, n, 0, (struct sockaddr *)&from, len);
		}
	}
}

/* ---- over TCP, in segments ---- */

#define LONG_LEN 5000

/* Each send() is a segment: there is no delay, and loopback has acknowledged before it returns. */
static int segments_send(int fd, const unsigned char *bytes, size_t n, const char *how)
{
	size_t step = n, first = !strcmp(how, "length") ? 2 : !strcmp(how, "half") || !strcmp(how, "long") ? n / 2 : 0;
	int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (!strcmp(how, "bytes"))
		step = 1;
	for (size_t at = 0, len; at < n; at += len) {
		len = at < first ? first - at : step < n - at ? step : n - at;
		if (send(fd, bytes + at, len, MSG_NOSIGNAL) != (ssize_t)len)
			return -errno;
	}
	return 0;
}

static int bytes_receive(int fd, unsigned char *to, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (size_t at = 0; at < n;) {
		ssize_t got = poll(&p, 1, 10 * TIMEOUT_MS) == 1 ? recv(fd, to + at, n - at, 0) : -1;

		if (got <= 0)
			return -EIO;
		at += got;
	}
	return 0;
}

/* Its length, or -EIO. */
static int message_receive(int fd, unsigned char *message, size_t size)
{
	unsigned char length[2];
	int len;

	if (bytes_receive(fd, length, 2) < 0)
		return -EIO;
	len = length[0] << 8 | length[1];
	return (size_t)len > size || bytes_receive(fd, message, len) < 0 ? -EIO : len;
}

static size_t message_put(unsigned char *to, const unsigned char *message, size_t len)
{
	to[0] = len >> 8;
	to[1] = len & 0xff;
	memcpy(to + 2, message, len);
	return len + 2;
}

/* "h7.example.com" has the address 10.66.1.7. */
static size_t answer_put(unsigned char *to, unsigned char *question, int len, const char *how)
{
	unsigned char message[LONG_LEN] = { 0 };
	int n;

	memcpy(message, question, len);
	n = lie_make(message, len, "well");
	message[n - 2] = 1;
	message[n - 1] = atoi((const char *)message + 14);
	if (strcmp(how, "long"))
		return message_put(to, message, n);
	/* A record of no type that anybody reads, in the additional section. */
	message[11] = 1;
	message[n + 1] = 0xff;
	message[n + 2] = 1;
	message[n + 4] = 1;
	message[n + 9] = (LONG_LEN - n - 11) >> 8;
	message[n + 10] = (LONG_LEN - n - 11) & 0xff;
	return message_put(to, message, LONG_LEN);
}

static void questions_answer(int fd, const char *how)
{
	unsigned char question[512], answers[2 * (LONG_LEN + 2)];
	size_t n = 0;
	int len;

	while ((len = message_receive(fd, question, sizeof(question))) > 12) {
		/* The first of two waits for the second. */
		n += answer_put(answers + n, question, len, how);
		if (!memcmp(question + 12, "\5first", 6))
			continue;
		segments_send(fd, answers, n, how);
		n = 0;
	}
}

static int serve(const char *address, const char *how)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	inet_pton(AF_INET, address, &at.sin_addr);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 16) < 0) {
		perror("bind");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0)
			continue;
		questions_answer(client, how);
		close(client);
	}
}

static const char *streamed(const char *server, const char *name, const char *how)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), len, answers = 1;
	unsigned char message[8192], sent[1100];
	struct sockaddr_storage found;
	socklen_t found_len;
	size_t n = 0;

	inet_pton(AF_INET, server, &to.sin_addr);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return strerror(errno);
	if (!strcmp(how, "both")) {
		answers = 2;
		len = question_make("first.example.com", message, 512);
		n = message_put(sent, message, len);
	}
	len = question_make(name, message, 512);
	if (len < 0)
		return "no question";
	n += message_put(sent + n, message, len);
	if (segments_send(fd, sent, n, how) < 0)
		return "not sent";
	while (answers--) {
		len = message_receive(fd, message, sizeof(message));
		if (len < 0)
			return "no answer";
	}
	close(fd);
	if (address_get(message, len, false, &found, &found_len) < 0)
		return "unresolved";
	return connect_try(&found, found_len, 7999) > 0 ? "allowed" : "denied";
}

int main(int argc, char **argv)
{
	struct options o = { .count = 1, .port = 7999 };
	int option;

	signal(SIGPIPE, SIG_IGN);
	if ((argc == 4 || argc == 5) && !strcmp(argv[1], "ask"))
		return ask(argv[2], argv[3], argc == 5);
	if (argc == 4 && !strcmp(argv[1], "lie"))
		return lie(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "serve"))
		return serve(argv[2], argv[3]);
	if (argc == 5 && !strcmp(argv[1], "stream")) {
		puts(streamed(argv[2], argv[3], argv[4]));
		return 0;
	}
	while ((option = getopt(argc, argv, "n:p:t6")) != -1) {
		switch (option) {
		case 'n':
			o.count = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			o.port = strtoul(optarg, NULL, 10);
			break;
		case 't':
			o.tcp = true;
			break;
		case '6':
			o.ipv6 = true;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2)
		return 2;
	o.server = argv[optind];
	o.name = argv[optind + 1];
	return resolve_and_connect(&o);
}
