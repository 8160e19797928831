// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets that no honest socket sends, made by hand and sent by root.
 *
 *	flow_craft [options] ipv4 KIND TO PORT	see craft4()
 *	flow_craft [options] ipv6 CHAIN TO PORT	see craft6()
 *
 * The options are told in flow_end.h. Prints what each packet's sendto() said
 * (an error's name or "sent"), how many packets came to the receiver's end,
 * and whether its socket received the datagram.
 */
#include "tests/e2e/flow_end.h"

#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>

#define SOURCE_PORT 7990

static uint32_t sum(uint32_t start, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		start += i & 1 ? p[i] : p[i] << 8;
	return start;
}

static uint16_t folded(uint32_t value)
{
	while (value >> 16)
		value = (value & 0xffff) + (value >> 16);
	return htons(~value);
}

static uint16_t mark_id(void)
{
	return MARK_ID | (getpid() & ~MARK_ID_MASK & 0xffff);
}

/* Our address towards @to. */
static struct address source_of(const struct address *to)
{
	struct address a = { .len = sizeof(a.sa) };
	int fd = socket_of("udp", to->sa.ss_family);

	if (connect(fd, (const struct sockaddr *)&to->sa, to->len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a.sa, &a.len) < 0)
		die("no way there");
	close(fd);
	return a;
}

/* A UDP header and twice the mark; 0 as checksum is none, which IPv4 allows. */
static size_t udp_make(uint8_t *ret, uint16_t port)
{
	struct udphdr udp = { .source = htons(SOURCE_PORT), .dest = port, .len = htons(8 + 2 * MARK_LEN) };

	memcpy(ret, &udp, 8);
	payload_fill((char *)ret + 8, 2 * MARK_LEN);
	return 8 + 2 * MARK_LEN;
}

static size_t tcp_make(uint8_t *ret, uint16_t port, uint8_t flags, const struct in_addr *source,
		       const struct in_addr *destination)
{
	struct tcphdr tcp = { .source = htons(SOURCE_PORT), .dest = port, .doff = 5, .window = htons(1024) };
	uint16_t check;
	uint32_t pseudo;

	tcp.seq = htonl(1);
	tcp.ack_seq = htonl(1);
	memcpy(ret, &tcp, 20);
	ret[13] = flags;
	payload_fill((char *)ret + 20, MARK_LEN);
	pseudo = sum(sum(IPPROTO_TCP + 20 + MARK_LEN, source, 4), destination, 4);
	check = folded(sum(pseudo, ret, 20 + MARK_LEN));
	memcpy(ret + 16, &check, 2);
	return 20 + MARK_LEN;
}

struct craft {
	struct address to, source;
	int raw, rx;
	uint16_t port;
	in_addr_t daddr; /* of IPv4; @to may be a device's address */
};

static void craft_begin(struct craft *c, char **argv, int protocol)
{
	struct address at;

	c->to = address_of(argv[1], argv[2]);
	c->port = ((struct sockaddr_in *)&c->to.sa)->sin_port;
	c->daddr = ((struct sockaddr_in *)&c->to.sa)->sin_addr.s_addr;
	fence_make(&c->to);
	enter_net(opt.receiver_net);
	capture_start();
	at = c->to;
	c->rx = bound("udp", &at);
	enter_net(opt.sender_net);
	c->source = source_of(&c->to);
	port_set(&c->to, 0); /* a raw IPv6 socket wants none */
	enter_cgroup(opt.sender);
	c->raw = socket(c->to.sa.ss_family, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (c->raw < 0)
		die("raw socket");
}

static void craft_send(const struct craft *c, const void *packet, size_t len)
{
	printf("%s ", said(sendto(c->raw, packet, len, 0, (const struct sockaddr *)&c->to.sa, c->to.len)));
}

static int craft_end(const struct craft *c)
{
	int early, count;

	fence();
	count = captured(&early);
	printf("%d packets %s\n", count, arrival(received(c->rx)));
	return 0;
}

/* @offset in bytes; @options bytes of NOP before what is transported. */
static void send4(const struct craft *c, uint8_t protocol, unsigned int options, unsigned int offset, bool more,
		  const uint8_t *body, size_t len)
{
	struct iphdr ip = { .version = 4, .ihl = 5 + options / 4, .ttl = 64, .protocol = protocol };
	uint8_t packet[256];

	ip.id = htons(mark_id());
	ip.frag_off = htons(offset / 8 | (more ? IP_MF : 0));
	ip.tot_len = htons(20 + options + len);
	ip.saddr = ((const struct sockaddr_in *)&c->source.sa)->sin_addr.s_addr;
	ip.daddr = c->daddr;
	memset(packet, 1, sizeof(packet));
	/* A raw socket makes it itself; a packet socket does not. */
	if (!options)
		ip.check = folded(sum(0, &ip, 20));
	memcpy(packet, &ip, 20);
	memcpy(packet + 20 + options, body, len);
	craft_send(c, packet, 20 + options + len);
}

/*
 * KIND: udp, and protocol-udp where the kernel makes the IP header; options; fragments, later-fragment alone;
 * short-udp and short-tcp, first fragments that end before the ports or the flags; tcp-FLAGS, and listening-FLAGS
 * from a port that the sender listens at; packet, udp through a packet socket.
 */
static int craft4(int argc, char **argv)
{
	static const struct {
		const char *name;
		uint8_t flags;
	} tcp[] = { { "tcp-syn", 2 }, { "tcp-ack", 16 }, { "tcp-synack", 18 }, { "listening-ack", 16 } };
	struct sockaddr_ll link = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_halen = ETH_ALEN };
	const struct in_addr *source, *destination;
	const char *kind = argv[0];
	struct address own;
	uint8_t body[128];
	struct craft c;
	size_t len;
	int one = 1;

	if (argc < 3)
		return 2;
	craft_begin(&c, argv, strcmp(kind, "udp") == 0 ? IPPROTO_RAW : IPPROTO_UDP);
	source = &((const struct sockaddr_in *)&c.source.sa)->sin_addr;
	destination = &((const struct sockaddr_in *)&c.to.sa)->sin_addr;
	len = udp_make(body, c.port);
	if (strcmp(kind, "packet") == 0) {
		link.sll_ifindex = if_nametoindex("eth0");
		memset(link.sll_addr, 0xff, ETH_ALEN);
		memcpy(&c.to.sa, &link, sizeof(link));
		c.to.len = sizeof(link);
		c.raw = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		send4(&c, IPPROTO_UDP, 0, 0, false, body, len);
		return craft_end(&c);
	}
	if (strcmp(kind, "protocol-udp") == 0) {
		craft_send(&c, body, len);
		return craft_end(&c);
	}
	if (setsockopt(c.raw, IPPROTO_IP, IP_HDRINCL, &one, sizeof(one)) < 0)
		die("IP_HDRINCL");
	if (strcmp(kind, "udp") == 0) {
		send4(&c, IPPROTO_UDP, 0, 0, false, body, len);
	} else if (strcmp(kind, "options") == 0) {
		send4(&c, IPPROTO_UDP, 8, 0, false, body, len);
	} else if (strcmp(kind, "fragments") == 0) {
		send4(&c, IPPROTO_UDP, 0, 0, true, body, 16);
		send4(&c, IPPROTO_UDP, 0, 16, false, body + 16, len - 16);
	} else if (strcmp(kind, "later-fragment") == 0) {
		send4(&c, IPPROTO_UDP, 0, 16, false, body + 16, len - 16);
	} else if (strcmp(kind, "short-udp") == 0) {
		send4(&c, IPPROTO_UDP, 0, 0, true, body, 2);
	} else if (strcmp(kind, "short-tcp") == 0) {
		(void)tcp_make(body, c.port, 2, source, destination);
		send4(&c, IPPROTO_TCP, 0, 0, true, body, 8);
	}
	for (size_t i = 0; i < sizeof(tcp) / sizeof(tcp[0]); i++) {
		if (strcmp(kind, tcp[i].name) != 0)
			continue;
		own = c.source;
		port_set(&own, SOURCE_PORT);
		if (kind[0] == 'l')
			(void)listener_of("tcp", &own, 1);
		len = tcp_make(body, c.port, tcp[i].flags, source, destination);
		send4(&c, IPPROTO_TCP, 0, 0, false, body, len);
	}
	return craft_end(&c);
}

struct chain {
	uint8_t bytes[512];
	size_t len;
	uint8_t first, *next;
};

/* Appends a header of @len bytes, whose first names what follows. */
static uint8_t *chain_add(struct chain *chain, uint8_t protocol, size_t len)
{
	uint8_t *header = chain->bytes + chain->len;

	*chain->next = protocol;
	chain->next = header;
	chain->len += len;
	return header;
}

/*
 * CHAIN, a letter for each header before UDP: h hop-by-hop, d destination options, r routing, a authentication,
 * f a fragment header of a whole packet; F as the last but one of two fragments, the second of which follows; L the
 * second alone; X a first fragment that ends in the header behind it.
 */
static int craft6(int argc, char **argv)
{
	struct chain chain = { .next = &chain.first };
	const struct in6_addr *source, *destination;
	uint8_t packet[640], *header, udp[64];
	uint8_t *fragment = NULL;
	struct ip6_hdr ip = { 0 };
	struct craft c;
	size_t len, part;
	uint32_t fragment_id;
	uint16_t check;
	char how = 0;

	if (argc < 3)
		return 2;
	craft_begin(&c, argv, IPPROTO_RAW);
	source = &((const struct sockaddr_in6 *)&c.source.sa)->sin6_addr;
	destination = &((const struct sockaddr_in6 *)&c.to.sa)->sin6_addr;
	for (const char *p = argv[0]; *p; p++) {
		switch (*p) {
		case 'h':
		case 'd':
			header = chain_add(&chain, *p == 'h' ? IPPROTO_HOPOPTS : IPPROTO_DSTOPTS, 8);
			header[2] = 1; /* PadN over the rest */
			header[3] = 4;
			break;
		case 'r': /* of a kind that none forwards by: no segment is left */
			header = chain_add(&chain, IPPROTO_ROUTING, 8);
			header[2] = 253;
			break;
		case 'a':
			header = chain_add(&chain, IPPROTO_AH, 16);
			header[1] = 2;
			break;
		case 'f':
		case 'F':
		case 'L':
		case 'X':
			fragment = chain_add(&chain, IPPROTO_FRAGMENT, 8);
			fragment_id = getpid();
			memcpy(fragment + 4, &fragment_id, 4);
			how = *p;
			break;
		default:
			return 2;
		}
	}
	*chain.next = how == 'X' ? IPPROTO_DSTOPTS : IPPROTO_UDP;
	len = udp_make(udp, c.port);
	check = folded(sum(sum(sum(IPPROTO_UDP + len, source, 16), destination, 16), udp, len));
	memcpy(udp + 6, &check, 2);

	ip.ip6_flow = htonl(0x60000000 | mark_id());
	ip.ip6_nxt = chain.first;
	ip.ip6_hlim = 64;
	ip.ip6_src = *source;
	ip.ip6_dst = *destination;
	/* The first part, or all of it. */
	part = how == 'F' ? 16 : how == 'X' ? 0 : len;
	if (fragment && (how == 'F' || how == 'X'))
		fragment[3] = 1;
	if (how != 'L') {
		ip.ip6_plen = htons(chain.len + part);
		memcpy(packet, &ip, 40);
		memcpy(packet + 40, chain.bytes, chain.len);
		memcpy(packet + 40 + chain.len, udp, part);
		craft_send(&c, packet, 40 + chain.len + part);
	}
	if (fragment && (how == 'F' || how == 'L')) {
		fragment[3] = 16;
		ip.ip6_plen = htons(chain.len + len - 16);
		memcpy(packet, &ip, 40);
		memcpy(packet + 40, chain.bytes, chain.len);
		memcpy(packet + 40 + chain.len, udp + 16, len - 16);
		craft_send(&c, packet, 40 + chain.len + len - 16);
	}
	return craft_end(&c);
}

static const struct flow_case cases[] = { { "ipv4", craft4 }, { "ipv6", craft6 } };

int main(int argc, char **argv)
{
	return cases_run(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
