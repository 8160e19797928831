// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sockets of every kind, from inside a workload.
 *
 *	socket_probe make KIND			makes one of the kinds below and closes it
 *	socket_probe hold KIND			makes one, says "ready", and sends with it once a line comes in
 *	socket_probe moved KIND CGROUP		makes one, enters that directory's cgroup, and connects
 *	socket_probe listen HOW ADDRESS		a Unix listener; says "ready" and answers until it is killed
 *	socket_probe reach HOW ADDRESS		connects to one, or sends to it
 *
 * KIND is tcp, udp, unix, raw, raw6, packet, oldpacket, xdp, vsock or netlink:FAMILY (a number); HOW is stream,
 * seqpacket, dgram or, to reach a datagram socket without connect(), send. ADDRESS is a path, or @NAME.
 *
 * Prints allowed, denied (EPERM), unsupported or the error, with the exit status 0, 3 or 6.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int say(int error)
{
	const char *word = error == 0	  ? "allowed" :
			   error == EPERM ? "denied" :
			   error == EAFNOSUPPORT || error == EPROTONOSUPPORT || error == ESOCKTNOSUPPORT ?
					    "unsupported" :
					    strerror(error);

	puts(word);
	fflush(stdout);
	return error == 0 ? 0 : error == EPERM ? 3 : 6;
}

/* A descriptor, or -errno. */
static int make(const char *kind)
{
	static const struct {
		const char *name;
		int family, type, protocol;
	} kinds[] = {
		{ "tcp", AF_INET, SOCK_STREAM, 0 },
		{ "udp", AF_INET, SOCK_DGRAM, 0 },
		{ "unix", AF_UNIX, SOCK_STREAM, 0 },
		{ "raw", AF_INET, SOCK_RAW, IPPROTO_ICMP },
		{ "raw6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6 },
		{ "packet", AF_PACKET, SOCK_DGRAM, 0 },
		{ "oldpacket", AF_INET, SOCK_PACKET, 0 },
		{ "xdp", AF_XDP, SOCK_RAW, 0 },
		{ "vsock", AF_VSOCK, SOCK_STREAM, 0 },
	};
	int fd;

	if (strncmp(kind, "netlink:", 8) == 0) {
		fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, atoi(kind + 8));
		return fd < 0 ? -errno : fd;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].name, kind) != 0)
			continue;
		fd = socket(kinds[i].family, kinds[i].type | SOCK_CLOEXEC, kinds[i].protocol);
		return fd < 0 ? -errno : fd;
	}
	fprintf(stderr, "socket_probe: no kind \"%s\"\n", kind);
	exit(2);
}

/* What is open already is not judged again: an echo request to the host itself. */
static int hold(const char *kind)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct icmphdr echo = { .type = ICMP_ECHO, .checksum = htons(0xf7ff) };
	int fd = make(kind);
	char line[8];

	if (fd < 0)
		return say(-fd);
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 2;
	return say(sendto(fd, &echo, sizeof(echo), 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0);
}

static int moved(const char *kind, const char *cgroup)
{
	struct sockaddr_vm to = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL, .svm_port = 4711 };
	int fd = make(kind), procs;
	char path[4096];

	if (fd < 0)
		return say(-fd);
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	procs = open(path, O_WRONLY | O_CLOEXEC);
	if (procs < 0 || write(procs, "0", 1) != 1) {
		perror(path);
		return 2;
	}
	return say(connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0);
}

static int type_of(const char *how)
{
	return strcmp(how, "stream") == 0 ? SOCK_STREAM : strcmp(how, "seqpacket") == 0 ? SOCK_SEQPACKET : SOCK_DGRAM;
}

static socklen_t address_of(const char *text, struct sockaddr_un *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	snprintf(ret->sun_path, sizeof(ret->sun_path), "%s", text);
	if (*text != '@')
		return sizeof(*ret);
	ret->sun_path[0] = '\0';
	return offsetof(struct sockaddr_un, sun_path) + strlen(text);
}

static int listen_at(const char *how, const char *text)
{
	struct sockaddr_un address;
	socklen_t len = address_of(text, &address);
	int type = type_of(how), fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	char byte;

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || (type != SOCK_DGRAM && listen(fd, 8) < 0))
		return say(errno);
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (type == SOCK_DGRAM)
			(void)!recv(fd, &byte, 1, 0);
		else
			close(accept(fd, NULL, NULL));
	}
}

static int reach(const char *how, const char *text)
{
	struct sockaddr_un address;
	socklen_t len = address_of(text, &address);
	int fd = socket(AF_UNIX, type_of(how) | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return say(errno);
	if (strcmp(how, "send") == 0)
		return say(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, len) < 0 ? errno : 0);
	if (connect(fd, (struct sockaddr *)&address, len) < 0)
		return say(errno);
	return say(strcmp(how, "dgram") == 0 && send(fd, "x", 1, 0) < 0 ? errno : 0);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc == 3 && strcmp(argv[1], "make") == 0) {
		fd = make(argv[2]);
		return say(fd < 0 ? -fd : 0);
	}
	if (argc == 3 && strcmp(argv[1], "hold") == 0)
		return hold(argv[2]);
	if (argc == 4 && strcmp(argv[1], "moved") == 0)
		return moved(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "listen") == 0)
		return listen_at(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "reach") == 0)
		return reach(argv[2], argv[3]);
	fputs("usage: socket_probe make|hold|moved|listen|reach ...\n", stderr);
	return 2;
}
