/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two ends of a flow in one process, because a socket belongs to the
 * cgroup and the network namespace that it was made in.
 *
 * What did not arrive is known without waiting for it: all runs on one
 * processor, whose queue keeps the order, and a datagram that nobody judges
 * (the fence) is sent behind.
 *
 *	-c, -r, -u CGROUP	of the sender, the receiver, the user: below $RF_CGROUP, else "plain"
 *	-n, -m FILE	network namespace of the sender, the receiver
 *	-s BYTES	of a datagram
 *	-x		nobody receives
 *
 * Only tests/e2e/flow_*.c include it, each a program of its own.
 */
#ifndef RF_TEST_FLOW_END_H
#define RF_TEST_FLOW_END_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define MARK	     "rf-flow!" /* what every payload is made of */
#define MARK_LEN     8
#define MARK_ID	     0x5200 /* the IPv4 identification, or IPv6 flow label, of what is crafted */
#define MARK_ID_MASK 0xff00 /* the rest is our own: what an earlier run left in a reassembly queue is not ours */
#define FENCE_LEN    9	    /* UDP with one byte; nothing that is crafted is as long */
#define FENCE_ROUNDS 8	    /* more than a handshake and its data have packets one after the other */
#define STATUS_SKIP  4

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

struct options {
	const char *sender, *receiver, *user;
	const char *sender_net, *receiver_net;
	size_t size;
	bool nobody;
};

static struct options opt = { .sender = "plain", .receiver = "plain", .user = "plain", .size = MARK_LEN };
static int home_net, fence_tx, fence_rx, capture = -1;

__attribute__((format(printf, 1, 2), noreturn)) static inline void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(": %s\n", strerror(error));
	exit(1);
}

/* ---- places ---- */

static inline void enter_cgroup(const char *name)
{
	const char *base = getenv("RF_CGROUP");
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/cgroup.procs", base ? base : "", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die("entering %s", path);
	close(fd);
}

static inline void enter_net(const char *file)
{
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : home_net;

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die("entering %s", file ? file : "our own network namespace");
	if (file)
		close(fd);
}

static inline struct address address_of(const char *text, const char *port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	struct address a = { 0 };

	if (getaddrinfo(text, port, &hints, &found) != 0)
		die("no address: %s port %s", text, port);
	memcpy(&a.sa, found->ai_addr, found->ai_addrlen);
	a.len = found->ai_addrlen;
	freeaddrinfo(found);
	return a;
}

/* "ADDR/PORT" */
static inline struct address address_of_pair(const char *pair)
{
	char copy[128], *port;

	snprintf(copy, sizeof(copy), "%s", pair);
	port = strrchr(copy, '/');
	if (!port)
		die("no ADDR/PORT: %s", pair);
	*port++ = '\0';
	return address_of(copy, port);
}

static inline void port_set(struct address *a, unsigned int port)
{
	((struct sockaddr_in *)&a->sa)->sin_port = htons(port); /* at the same place in both families */
}

/* ---- sockets ---- */

static inline int socket_of(const char *kind, int family)
{
	bool datagram = strcmp(kind, "udp") == 0;
	int protocol = 0, fd, one = 1;

	if (strcmp(kind, "sctp") == 0)
		protocol = IPPROTO_SCTP;
	else if (strcmp(kind, "mptcp") == 0)
		protocol = IPPROTO_MPTCP;
	fd = socket(family, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd < 0 && protocol) {
		puts("unsupported");
		exit(STATUS_SKIP);
	}
	if (fd < 0)
		die("socket %s", kind);
	/* Not for datagrams: two of them could have the same port, and one would get what is meant for the other. */
	if (!datagram)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

static inline int bound(const char *kind, const struct address *at)
{
	int fd = socket_of(kind, at->sa.ss_family);

	if (bind(fd, (const struct sockaddr *)&at->sa, at->len) < 0)
		die("bind %s", kind);
	return fd;
}

static inline int listener_of(const char *kind, const struct address *at, int backlog)
{
	/* A plain TCP listener answers MPTCP as well: the flow falls back. */
	int fd = bound(strcmp(kind, "mptcp") == 0 ? "tcp" : kind, at);

	if (listen(fd, backlog) < 0)
		die("listen");
	return fd;
}

static inline const char *said(int result)
{
	return result >= 0 || errno == EINPROGRESS ? "sent" : strerrorname_np(errno);
}

/* ---- the fence ---- */

/* Unjudged, from the sender's to the receiver's namespace; called before any workload is entered. */
static inline void fence_make(const struct address *to)
{
	struct address at = *to;

	port_set(&at, 0);
	enter_net(opt.receiver_net);
	fence_rx = bound("udp", &at);
	if (getsockname(fence_rx, (struct sockaddr *)&at.sa, &at.len) < 0)
		die("fence");
	enter_net(opt.sender_net);
	fence_tx = socket_of("udp", at.sa.ss_family);
	if (connect(fence_tx, (const struct sockaddr *)&at.sa, at.len) < 0)
		die("fence");
}

/* What was sent before has arrived, or will not. */
static inline void fence(void)
{
	const char *slow = getenv("RF_SLOW");
	struct pollfd p = { .fd = fence_rx, .events = POLLIN };
	char c = 'f';

	for (int i = 0; i < FENCE_ROUNDS; i++)
		if (send(fence_tx, &c, 1, 0) != 1 || poll(&p, 1, 1000 * (slow ? atoi(slow) : 1)) != 1 ||
		    recv(fence_rx, &c, 1, 0) != 1)
			die("the fence did not pass");
}

/* ---- what arrived ---- */

static inline bool received(int fd)
{
	static char buffer[65536];
	bool found = false;
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
		found |= memmem(buffer, n, MARK, MARK_LEN) != NULL;
	return found;
}

static inline bool accepted(int listener)
{
	/* Closed by a reset: what waits at this port would answer for it when the next claim wants it refused. */
	const struct linger linger = { .l_onoff = 1 };
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	bool found = fd >= 0 && received(fd);

	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		close(fd);
	}
	return found;
}

static inline const char *arrival(bool found)
{
	return found ? "received" : "lost";
}

/* Every packet at the receiver's end, called in its namespace. */
static inline void capture_start(void)
{
	/* On loopback it is seen once as it leaves and once as it comes. */
	int one = 1;

	capture = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (capture < 0)
		die("capture");
	(void)setsockopt(capture, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
}

/* How many of ours came by; *@ret_early: how many had the payload in a TCP SYN. */
static inline int captured(int *ret_early)
{
	uint8_t packet[4096];
	int count = 0;
	ssize_t n;

	*ret_early = 0;
	while ((n = recv(capture, packet, sizeof(packet), 0)) > 0) {
		bool v6 = packet[0] >> 4 == 6, payload = memmem(packet, n, MARK, MARK_LEN) != NULL;
		unsigned int id = v6 ? (packet[2] << 8 | packet[3]) : (packet[4] << 8 | packet[5]);
		size_t transport = v6 ? 40 : (packet[0] & 15) * 4;

		/* The fence may have an identification that looks like ours. */
		if (packet[v6 ? 6 : 9] == IPPROTO_UDP && (size_t)n == transport + FENCE_LEN)
			continue;
		if (!payload && (id & MARK_ID_MASK) != MARK_ID)
			continue;
		count++;
		if (payload && packet[v6 ? 6 : 9] == IPPROTO_TCP && (size_t)n > transport + 13)
			*ret_early += packet[transport + 13] >> 1 & 1;
	}
	return count;
}

static inline void payload_fill(char *buffer, size_t size)
{
	for (size_t i = 0; i < size; i++)
		buffer[i] = MARK[i % MARK_LEN];
}

/* ---- how it is called ---- */

struct flow_case {
	const char *name;
	int (*run)(int argc, char **argv);
};

static inline bool options_parse(int argc, char **argv)
{
	cpu_set_t here;
	int option;

	while ((option = getopt(argc, argv, "+c:r:u:n:m:s:x")) != -1) {
		switch (option) {
		case 'c':
			opt.sender = optarg;
			break;
		case 'r':
			opt.receiver = optarg;
			break;
		case 'u':
			opt.user = optarg;
			break;
		case 'n':
			opt.sender_net = optarg;
			break;
		case 'm':
			opt.receiver_net = optarg;
			break;
		case 's':
			opt.size = strtoul(optarg, NULL, 10);
			if (opt.size < MARK_LEN || opt.size > 65000)
				return false;
			break;
		case 'x':
			opt.nobody = true;
			break;
		default:
			return false;
		}
	}
	/* One queue for all that is sent, see fence(). */
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	home_net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home_net < 0 || sched_setaffinity(0, sizeof(here), &here) < 0)
		die("the processor and the namespace");
	return true;
}

/* The case that the first argument after the options names; 2 is a wrong use. */
static inline int cases_run(const struct flow_case *cases, size_t n, int argc, char **argv)
{
	if (!options_parse(argc, argv))
		return 2;
	for (size_t i = 0; optind < argc && i < n; i++)
		if (strcmp(argv[optind], cases[i].name) == 0)
			return cases[i].run(argc - optind - 1, argv + optind + 1);
	return 2;
}

#endif
