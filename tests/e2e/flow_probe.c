// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unusual flows between two ends: what the sender was told, and what arrived.
 *
 *	flow_probe [options] send tcp|mptcp|sctp|udp TO PORT [AT]	AT: where the receiver is bound
 *	flow_probe [options] datagrams STEP...			one socket, many peers
 *		send=ADDR/PORT connect=ADDR/PORT send disconnect answer=ADDR/PORT renew wait
 *	flow_probe [options] passed tcp|udp|connected|listener TO PORT	made by -c, used by -u
 *	flow_probe [options] inherited TO PORT		a listener of -c, accepted from by a child in -u
 *	flow_probe [options] fastopen send|connect|deferred TO PORT
 *	flow_probe [options] full TO PORT		a listener that has no room
 *	flow_probe [options] kept TO PORT		sockets that stay; told on stdin what to try
 *
 * The options are told in flow_end.h. Prints what the call said (an error's
 * name or "sent"), then whether it was received or lost, then how many packets
 * came by where that is looked at.
 */
#include "tests/e2e/flow_end.h"

#include <sys/wait.h>

#define PEERS_MAX 8

/* ---- one flow ---- */

/* Connects and sends; what it said in the end. */
static const char *stream_try(int fd, const struct address *to)
{
	const char *word = said(connect(fd, (const struct sockaddr *)&to->sa, to->len));
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	if (strcmp(word, "sent") != 0)
		return word;
	fence();
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error)
		return strerrorname_np(error);
	if (poll(&p, 1, 0) == 1 && send(fd, MARK, MARK_LEN, MSG_NOSIGNAL) < 0)
		return strerrorname_np(errno);
	fence();
	return word;
}

static int case_send(int argc, char **argv)
{
	bool datagram = argc > 2 && strcmp(argv[0], "udp") == 0;
	static char payload[65536];
	struct address to, at;
	int rx = -1, tx, early, error = 0;
	socklen_t len = sizeof(error);
	const char *word;

	if (argc < 3)
		return 2;
	to = address_of(argv[1], argv[2]);
	at = argc > 3 ? address_of(argv[3], argv[2]) : to;
	fence_make(&to);
	enter_net(opt.receiver_net);
	if (opt.size > MARK_LEN)
		capture_start();
	enter_cgroup(opt.receiver);
	if (!opt.nobody)
		rx = datagram ? bound("udp", &at) : listener_of(argv[0], &at, 16);
	enter_net(opt.sender_net);
	enter_cgroup(opt.sender);
	tx = socket_of(argv[0], to.sa.ss_family);
	if (!datagram) {
		word = stream_try(tx, &to);
	} else {
		/* Connected, it is told what an unreachable port answers. */
		if (opt.nobody && connect(tx, (const struct sockaddr *)&to.sa, to.len) < 0)
			die("connect");
		payload_fill(payload, opt.size);
		word = said(sendto(tx, payload, opt.size, 0, (const struct sockaddr *)&to.sa, to.len));
		fence();
		if (getsockopt(tx, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error)
			word = strerrorname_np(error);
	}
	if (opt.nobody) {
		puts(word);
		return 0;
	}
	printf("%s %s", word, arrival(datagram ? received(rx) : accepted(rx)));
	if (capture >= 0)
		printf(" %d packets", captured(&early));
	putchar('\n');
	return 0;
}

/* ---- one datagram socket, many peers ---- */

struct peer {
	struct address address;
	int fd;
};

static struct peer *peer_of(struct peer *peers, const char *step)
{
	const char *pair = strchr(step, '=');
	struct address a;

	if (!pair)
		return NULL;
	a = address_of_pair(pair + 1);
	for (int i = 0; i < PEERS_MAX; i++) {
		if (!peers[i].address.len)
			peers[i] = (struct peer){ .address = a, .fd = bound("udp", &a) };
		if (peers[i].address.len == a.len && memcmp(&peers[i].address.sa, &a.sa, a.len) == 0)
			return &peers[i];
	}
	die("too many peers");
}

static int case_datagrams(int argc, char **argv)
{
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	struct peer peers[PEERS_MAX] = { 0 }, *peer, *connected = NULL;
	struct address own;
	const char *word;
	int fd, c;

	/* The peers are made where nobody is judged. */
	for (int i = 0; i < argc; i++)
		(void)peer_of(peers, argv[i]);
	fence_make(&peers[0].address);
	own = peers[0].address;
	port_set(&own, 0);
	enter_cgroup(opt.sender);
	fd = bound("udp", &own);
	if (getsockname(fd, (struct sockaddr *)&own.sa, &own.len) < 0)
		die("getsockname");
	for (int i = 0; i < argc; i++) {
		peer = peer_of(peers, argv[i]);
		if (strncmp(argv[i], "connect=", 8) == 0) {
			if (connect(fd, (struct sockaddr *)&peer->address.sa, peer->address.len) < 0)
				die("%s", argv[i]);
			connected = peer;
			continue;
		}
		if (strcmp(argv[i], "renew") == 0) {
			close(fd);
			fd = bound("udp", &own);
			continue;
		}
		if (strcmp(argv[i], "wait") == 0) {
			fflush(stdout);
			while ((c = getchar()) != '\n')
				if (c == EOF)
					die("nobody says when to go on");
			continue;
		}
		if (strcmp(argv[i], "disconnect") == 0) {
			if (connect(fd, &unspecified, sizeof(unspecified)) < 0)
				die("%s", argv[i]);
			/* The address that connect() took goes with it, the port stays. */
			connected = NULL;
			continue;
		}
		if (strncmp(argv[i], "answer=", 7) == 0)
			word = said(sendto(peer->fd, MARK, MARK_LEN, 0, (struct sockaddr *)&own.sa, own.len));
		else if (peer)
			word = said(
				sendto(fd, MARK, MARK_LEN, 0, (struct sockaddr *)&peer->address.sa, peer->address.len));
		else if (connected)
			word = said(send(fd, MARK, MARK_LEN, 0));
		else
			return 2;
		fence();
		printf("%s %s\n", word, arrival(received(argv[i][0] == 'a' ? fd : (peer ?: connected)->fd)));
	}
	return 0;
}

/* ---- sockets that change hands ---- */

static void descriptor_send(int channel, int fd)
{
	char c = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec io = { .iov_base = &c, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(channel, &message, 0) != 1)
		die("sendmsg");
}

static int descriptor_receive(int channel)
{
	char c, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec io = { .iov_base = &c, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	int fd;

	if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message))
		die("no descriptor was passed");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static int case_passed(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[0] : "", *kind = strcmp(what, "udp") == 0 ? "udp" : "tcp";
	bool listener = strcmp(what, "listener") == 0;
	int channel[2], rx = -1, tx = -1, fd;
	const char *word;
	struct address to;

	if (argc < 3)
		return 2;
	to = address_of(argv[1], argv[2]);
	fence_make(&to);
	if (listener)
		tx = socket_of("tcp", to.sa.ss_family);
	else
		rx = kind[0] == 'u' ? bound("udp", &to) : listener_of("tcp", &to, 16);
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, channel) < 0)
		die("socketpair");
	if (fork() == 0) {
		enter_cgroup(opt.sender);
		fd = listener ? listener_of("tcp", &to, 16) : socket_of(kind, to.sa.ss_family);
		if (strcmp(what, "connected") == 0)
			(void)!connect(fd, (struct sockaddr *)&to.sa, to.len);
		descriptor_send(channel[1], fd);
		_exit(0);
	}
	enter_cgroup(opt.user);
	fd = descriptor_receive(channel[0]);
	if (listener) {
		word = stream_try(tx, &to);
		printf("%s %s\n", word, arrival(accepted(fd)));
		return 0;
	}
	if (kind[0] == 'u')
		word = said(sendto(fd, MARK, MARK_LEN, 0, (struct sockaddr *)&to.sa, to.len));
	else if (strcmp(what, "connected") == 0)
		word = said(send(fd, MARK, MARK_LEN, MSG_NOSIGNAL));
	else
		word = stream_try(fd, &to);
	fence();
	printf("%s %s\n", word, arrival(kind[0] == 'u' ? received(rx) : accepted(rx)));
	return 0;
}

static int case_inherited(int argc, char **argv)
{
	int ready[2], over[2], listener, tx, status;
	struct address to;
	const char *word;
	pid_t child;
	char c = 0;

	if (argc < 2 || pipe2(ready, O_CLOEXEC) < 0 || pipe2(over, O_CLOEXEC) < 0)
		return 2;
	to = address_of(argv[0], argv[1]);
	fence_make(&to);
	tx = socket_of("tcp", to.sa.ss_family);
	enter_cgroup(opt.sender);
	listener = listener_of("tcp", &to, 16);
	child = fork();
	if (child == 0) {
		enter_cgroup(opt.user);
		(void)!write(ready[1], &c, 1);
		(void)!read(over[0], &c, 1);
		_exit(accepted(listener) ? 0 : 1);
	}
	close(listener);
	(void)!read(ready[0], &c, 1);
	word = stream_try(tx, &to);
	(void)!write(over[1], &c, 1);
	if (waitpid(child, &status, 0) < 0)
		die("waitpid");
	printf("%s %s\n", word, arrival(WIFEXITED(status) && WEXITSTATUS(status) == 0));
	return 0;
}

/* ---- TCP fast open ---- */

/* Without a handshake before: the first write is in the SYN. */
static const char *fastopen_try(int fd, const struct address *to, bool by_connect, bool wait)
{
	int one = 1;
	char c;

	if (!by_connect)
		return said(
			sendto(fd, MARK, MARK_LEN, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&to->sa, to->len));
	if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)) < 0)
		die("TCP_FASTOPEN_CONNECT");
	if (connect(fd, (struct sockaddr *)&to->sa, to->len) < 0 && errno != EINPROGRESS)
		return strerrorname_np(errno);
	if (wait) {
		puts("connected");
		fflush(stdout);
		(void)!read(STDIN_FILENO, &c, 1);
	}
	return said(send(fd, MARK, MARK_LEN, MSG_NOSIGNAL));
}

static int case_fastopen(int argc, char **argv)
{
	bool deferred = argc > 2 && strcmp(argv[0], "deferred") == 0;
	int listener, tx, early, queue = 16;
	struct address to;
	const char *word;

	if (argc < 3)
		return 2;
	to = address_of(argv[1], argv[2]);
	fence_make(&to);
	/* Somebody has the cookie already: it is kept for the address, whoever asks. An unjudged listener gives it. */
	enter_net(opt.receiver_net);
	listener = listener_of("tcp", &to, 16);
	(void)setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	enter_net(opt.sender_net);
	tx = socket_of("tcp", to.sa.ss_family);
	(void)fastopen_try(tx, &to, false, false);
	fence();
	close(tx);
	close(listener);
	fence();

	enter_net(opt.receiver_net);
	capture_start();
	enter_cgroup(opt.receiver);
	listener = listener_of("tcp", &to, 16);
	if (setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)) < 0)
		die("TCP_FASTOPEN");
	enter_net(opt.sender_net);
	enter_cgroup(opt.sender);
	tx = socket_of("tcp", to.sa.ss_family);
	word = fastopen_try(tx, &to, argv[0][0] != 's', deferred);
	fence();
	printf("%s %s", word, arrival(accepted(listener)));
	(void)captured(&early);
	printf(" %d early\n", early);
	return 0;
}

/* ---- a listener without room ---- */

static int case_full(int argc, char **argv)
{
	struct address to;
	int tx;

	if (argc < 2)
		return 2;
	to = address_of(argv[0], argv[1]);
	fence_make(&to);
	(void)listener_of("tcp", &to, 0);
	for (int i = 0; i < 4; i++) {
		(void)!connect(socket_of("tcp", to.sa.ss_family), (struct sockaddr *)&to.sa, to.len);
		fence();
	}
	enter_cgroup(opt.sender);
	tx = socket_of("tcp", to.sa.ss_family);
	if (connect(tx, (struct sockaddr *)&to.sa, to.len) < 0)
		puts(strerrorname_np(errno));
	else
		puts("connected");
	return 0;
}

/* ---- sockets that are there when a policy comes ---- */

/* One record through @tx; has it come out of @rx? */
static void record_try(int tx, int rx)
{
	static unsigned int number;
	char record[32], buffer[4096];
	bool found = false;
	const char *word;
	ssize_t n;
	int len;

	len = snprintf(record, sizeof(record), "record-%u.", ++number);
	word = said(send(tx, record, len, MSG_NOSIGNAL));
	fence();
	while ((n = recv(rx, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
		found |= memmem(buffer, n, record, len) != NULL;
	printf("%s %s\n", word, arrival(found));
}

/* Connected and accepted; the end that connected is returned. */
static int pair_make(int tx, int listener, const struct address *to, int *ret_accepted)
{
	if (connect(tx, (const struct sockaddr *)&to->sa, to->len) < 0 && errno != EINPROGRESS)
		die("connect");
	fence();
	*ret_accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (*ret_accepted < 0)
		die("accept");
	return tx;
}

/*
 * On stdin, one a line: out, the connection that the workload opened; in, the one that it accepted; udp, its connected
 * socket; listener, a new connection to it; unlisten, the listener goes; relisten, one comes where "out" comes from;
 * reset, the peer of "out" resets it. "out" comes from PORT + 2, "in" to PORT + 1.
 */
static int case_kept(int argc, char **argv)
{
	const struct linger linger = { .l_onoff = 1 };
	int listener, tx, out, out_peer, in, in_peer, udp, udp_peer, own, fresh[PEERS_MAX], n_fresh = 0;
	struct address to, own_at, from;
	char line[64], port[16];

	if (argc < 2)
		return 2;
	to = address_of(argv[0], argv[1]);
	snprintf(port, sizeof(port), "%d", atoi(argv[1]) + 1);
	own_at = address_of(argv[0], port);
	snprintf(port, sizeof(port), "%d", atoi(argv[1]) + 2);
	from = address_of(argv[0], port);
	fence_make(&to);
	listener = listener_of("tcp", &to, 16);
	udp_peer = bound("udp", &to);
	tx = socket_of("tcp", to.sa.ss_family);
	for (int i = 0; i < PEERS_MAX; i++)
		fresh[i] = socket_of("tcp", to.sa.ss_family);

	enter_cgroup(opt.sender);
	out = pair_make(bound("tcp", &from), listener, &to, &out_peer);
	udp = socket_of("udp", to.sa.ss_family);
	if (connect(udp, (struct sockaddr *)&to.sa, to.len) < 0)
		die("connect");
	own = listener_of("tcp", &own_at, 16);
	in_peer = pair_make(tx, own, &own_at, &in);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "out") == 0) {
			record_try(out, out_peer);
		} else if (strcmp(line, "in") == 0) {
			record_try(in_peer, in);
		} else if (strcmp(line, "udp") == 0) {
			record_try(udp, udp_peer);
		} else if (strcmp(line, "listener") == 0 && n_fresh < PEERS_MAX) {
			const char *word = stream_try(fresh[n_fresh++], &own_at);

			printf("%s %s\n", word, arrival(accepted(own)));
		} else if (strcmp(line, "unlisten") == 0) {
			close(own);
			puts("gone");
		} else if (strcmp(line, "relisten") == 0) {
			(void)listener_of("tcp", &from, 1);
			puts("listens");
		} else if (strcmp(line, "reset") == 0) {
			(void)setsockopt(out_peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
			close(out_peer);
			fence();
			puts(recv(out, line, sizeof(line), 0) < 0 ? strerrorname_np(errno) : "closed");
		} else {
			puts("what?");
		}
		fflush(stdout);
	}
	return 0;
}

static const struct flow_case cases[] = {
	{ "send", case_send },		 { "datagrams", case_datagrams }, { "passed", case_passed },
	{ "inherited", case_inherited }, { "fastopen", case_fastopen },	  { "full", case_full },
	{ "kept", case_kept },
};

int main(int argc, char **argv)
{
	return cases_run(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
