// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages of ICMP and ICMPv6, from where a workload stands.
 *
 *	icmp_probe send raw|ping ADDR TYPE CODE		one message: "sent", or "denied" (EPERM)
 *	icmp_probe ping raw|ping ADDR [BYTES]		an echo request and its reply: "allowed", "denied", "timeout"
 *	icmp_probe later ADDR				a fragment that is not the first: "sent" or "denied"
 *	icmp_probe ping raw|ping ADDR [BYTES]	echo request and reply: "allowed", "denied", "timeout"
 *
 * Waits for an answer RF_WAIT_MS at most.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BYTES_MAX 8192

struct peer {
	struct sockaddr_storage address;
	socklen_t len;
	bool v6;
};

static bool peer_parse(const char *text, struct peer *ret)
{
	struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)&ret->address;
	struct sockaddr_in *a4 = (struct sockaddr_in *)&ret->address;

	memset(ret, 0, sizeof(*ret));
	ret->v6 = inet_pton(AF_INET6, text, &a6->sin6_addr) == 1;
	if (ret->v6) {
		a6->sin6_family = AF_INET6;
		ret->len = sizeof(*a6);
		return true;
	}
	a4->sin_family = AF_INET;
	ret->len = sizeof(*a4);
	return inet_pton(AF_INET, text, &a4->sin_addr) == 1;
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

static int socket_make(const char *kind, bool v6)
{
	return socket(v6 ? AF_INET6 : AF_INET, strcmp(kind, "ping") == 0 ? SOCK_DGRAM : SOCK_RAW,
		      v6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP);
}

/* 0 or an errno. */
static int message_send(int fd, const struct peer *to, unsigned int type, unsigned int code, size_t bytes)
{
	static uint8_t message[BYTES_MAX];
	struct icmphdr header = { .type = type,
				  .code = code,
				  .un.echo = { .id = htons(getpid() & 0xffff), .sequence = htons(1) } };

	memcpy(message, &header, sizeof(header));
	if (!to->v6) {
		header.checksum = checksum(message, bytes);
		memcpy(message, &header, sizeof(header));
	}
	return sendto(fd, message, bytes, 0, (const struct sockaddr *)&to->address, to->len) < 0 ? errno : 0;
}

static int sent_print(int error)
{
	puts(!error ? "sent" : error == EPERM ? "denied" : strerror(error));
	return 0;
}

static int wait_ms(void)
{
	const char *text = getenv("RF_WAIT_MS");

	return text ? atoi(text) : 500;
}

/* The next message; false: none in time. A raw socket of IPv4 gets the IP header with it, all others do not. */
static bool message_get(int fd, bool header, int timeout_ms, struct icmphdr *ret)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static uint8_t buffer[BYTES_MAX + 60];
	ssize_t n, skip;

	if (poll(&p, 1, timeout_ms) != 1)
		return false;
	n = recv(fd, buffer, sizeof(buffer), 0);
	skip = header && n > 0 ? (buffer[0] & 15) * 4 : 0;
	if (n < skip + (ssize_t)sizeof(*ret))
		return false;
	memcpy(ret, buffer + skip, sizeof(*ret));
	return true;
}

static int ping(const char *kind, const struct peer *to, size_t bytes)
{
	int fd = socket_make(kind, to->v6), r;
	bool raw = strcmp(kind, "raw") == 0;
	struct icmphdr reply;

	if (fd < 0) {
		perror("socket");
		return 1;
	}
	r = message_send(fd, to, to->v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO, 0, bytes);
	if (r) {
		puts(r == EPERM ? "denied" : strerror(r));
		return 0;
	}
	/* A raw socket sees the request on loopback as well. */
	while (message_get(fd, raw && !to->v6, wait_ms(), &reply)) {
		if (reply.type == (to->v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY)) {
			puts("allowed");
			return 0;
		}
	}
	puts("timeout");
	return 0;
}

static int later4(const struct peer *to)
{
	const struct sockaddr_in *a = (const struct sockaddr_in *)&to->address;
	struct {
		struct iphdr ip;
		uint8_t data[8];
	} packet = { .ip = { .ihl = 5,
			     .version = 4,
			     .ttl = 64,
			     .tot_len = htons(sizeof(packet)),
			     .id = htons(getpid() & 0xffff),
			     .frag_off = htons(185),
			     .protocol = IPPROTO_ICMP,
			     .daddr = a->sin_addr.s_addr },
		     /* What would be an echo request if it were the first. */
		     .data = { ICMP_ECHO, 0 } };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	return sendto(fd, &packet, sizeof(packet), 0, (const struct sockaddr *)a, sizeof(*a)) < 0 ? errno : 0;
}

static int later6(const struct peer *to)
{
	const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)&to->address;
	struct {
		struct ip6_hdr ip;
		struct ip6_frag fragment;
		uint8_t data[8];
	} packet = { .ip = { .ip6_flow = htonl(6u << 28),
			     .ip6_plen = htons(sizeof(packet.fragment) + sizeof(packet.data)),
			     .ip6_nxt = IPPROTO_FRAGMENT,
			     .ip6_hlim = 64,
			     .ip6_src = a->sin6_addr,
			     .ip6_dst = a->sin6_addr },
		     .fragment = { .ip6f_nxt = IPPROTO_ICMPV6,
				   .ip6f_offlg = htons(185 << 3),
				   .ip6f_ident = htonl(getpid()) },
		     .data = { ICMP6_ECHO_REQUEST, 0 } };
	int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);

	return sendto(fd, &packet, sizeof(packet), 0, (const struct sockaddr *)a, sizeof(*a)) < 0 ? errno : 0;
}

static int hear(const struct peer *from, int count)
{
	int fd = socket_make("raw", from->v6);
	struct icmphdr message;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&from->address, from->len) < 0) {
		perror("socket");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	alarm(100);
	while (count-- && message_get(fd, !from->v6, -1, &message)) {
		printf("%u/%u\n", message.type, message.code);
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct peer peer;
	int fd;

	if (argc == 6 && strcmp(argv[1], "send") == 0 && peer_parse(argv[3], &peer)) {
		fd = socket_make(argv[2], peer.v6);
		return sent_print(
			fd < 0 ? errno : message_send(fd, &peer, atoi(argv[4]), atoi(argv[5]), sizeof(struct icmphdr)));
	}
	if (argc >= 4 && strcmp(argv[1], "ping") == 0 && peer_parse(argv[3], &peer))
		return ping(argv[2], &peer,
			    argc > 4 ? (size_t)atoi(argv[4]) & (BYTES_MAX - 2) : sizeof(struct icmphdr));
	if (argc == 3 && strcmp(argv[1], "later") == 0 && peer_parse(argv[2], &peer))
		return sent_print(peer.v6 ? later6(&peer) : later4(&peer));
	if (argc == 4 && strcmp(argv[1], "hear") == 0 && peer_parse(argv[2], &peer))
		return hear(&peer, atoi(argv[3]));
	return 2;
}
