// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel against the compiler: random policies are put in force by the
 * engine, and random flows near the edges of their rules are really opened. What
 * the kernel lets through must be what rf_ruleset_evaluate() says of the image.
 *
 * A network namespace where every address is the host's own makes any peer
 * reachable. Loopback delivers before send() returns, so what is not there by
 * then was denied; what is expected is waited for.
 *
 * Each workload has one process, which stays in its cgroup: to move one there
 * and back takes the kernel longer than a hundred flows. It opens what goes out.
 * What comes in is sent from here, outside of all workloads, to sockets that it
 * made: a socket belongs to the cgroup that it was made in.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/bpf/place.h"
#include "user/engine/engine.h"
#include "user/lib/fs.h"

/* In this translation unit, so that the build needs no rule for them. */
#include "tests/unit/policy/random_policy.c"

#define PAIRS	  20000
#define WORKLOADS 10
#define FLOWS	  50 /* of a workload, before its policies change; fewer than descriptors in a message */
#define WAIT_MS	  2000

/* A flow that is asked, and what came of it. */
struct pair {
	struct reference_flow flow;
	uint8_t direction;
	bool want;
	int got; /* 1 passed, 0 was denied, negative: something else happened */
	uint32_t rule;
};

/* Shared by the process of a workload and us. */
struct batch {
	uint32_t n;
	struct pair pairs[FLOWS];
};

struct host {
	struct rf_engine *engine;
	struct place place;
	struct {
		char path[300];
		struct rf_image *image;
		struct batch *batch;
		int worker; /* a socket to its process */
	} workload[WORKLOADS];
	unsigned int pairs, allowed, differences, no_pairs;
	unsigned int kinds[RF_DIRECTIONS][2][3]; /* pairs by direction, UDP or TCP, and IPv4, IPv6, mapped */
};

static int workload_enter(const struct host *h, unsigned int i)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;

	if (asprintf(&path, "%s/cgroup.procs", h->workload[i].path) < 0)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, "0", 1) != 1 ? -errno : 0;
}

static bool is_mapped(const struct reference_flow *flow)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return flow->family == AF_INET6 && memcmp(flow->addr, mapped, sizeof(mapped)) == 0;
}

/* Only what a socket can be asked for: unicast, and no address that the kernel takes for another. */
static bool is_possible(const struct reference_flow *flow)
{
	const uint8_t *v4 = is_mapped(flow) ? flow->addr + 12 : flow->addr;

	if (!flow->port || (flow->protocol != IPPROTO_TCP && flow->protocol != IPPROTO_UDP))
		return false;
	if (flow->family == AF_INET || is_mapped(flow))
		return v4[0] != 0 && v4[0] < 224;
	return flow->addr[0] >= 0x20 && flow->addr[0] < 0xfe;
}

static socklen_t address_fill(const struct reference_flow *flow, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *a4 = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	ret->ss_family = flow->family;
	if (flow->family == AF_INET6) {
		a6->sin6_port = htons(flow->port);
		memcpy(&a6->sin6_addr, flow->addr, 16);
		return sizeof(*a6);
	}
	a4->sin_port = htons(flow->port);
	memcpy(&a4->sin_addr, flow->addr, 4);
	return sizeof(*a4);
}

static bool arrives(int fd, short events, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, wait_ms) == 1;
}

static bool is_bound_to(int fd, uint16_t port)
{
	struct sockaddr_in6 a = { 0 }; /* the port of an IPv4 address lies at the same place */
	socklen_t len = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &len) == 0 && ntohs(a.sin6_port) == port;
}

/* 1 passes, 0 is denied, negative: something else happened. */
static int egress_try(const struct reference_flow *flow)
{
	bool tcp = flow->protocol == IPPROTO_TCP;
	_cleanup_close_ int fd = socket(flow->family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0);
	struct sockaddr_storage to;
	socklen_t len = address_fill(flow, &to);

	if (fd < 0)
		return -errno;
	if (!tcp) {
		if (sendto(fd, "x", 1, 0, (struct sockaddr *)&to, len) == 1)
			return 1;
		return errno == EPERM ? 0 : -errno;
	}
	if (connect(fd, (struct sockaddr *)&to, len) == 0)
		return 1;
	if (errno == EPERM)
		return 0;
	if (errno != EINPROGRESS && errno != ECONNREFUSED)
		return -errno;
	/* Every address is ours: from the peer's own port it would meet itself, and be judged on the way in as well. */
	if (errno == EINPROGRESS && is_bound_to(fd, flow->port))
		return -EADDRINUSE;
	/* connect() let it through: the packets must pass as well, and nobody listens there. */
	return errno == ECONNREFUSED || arrives(fd, POLLIN, WAIT_MS) ? 1 : -ETIMEDOUT;
}

static bool is_v6(const struct reference_flow *flow)
{
	return flow->family == AF_INET6 && !is_mapped(flow);
}

/* A socket that sends from the address of @from, whosever that is. */
static int sender_make(const struct reference_flow *from, bool tcp)
{
	int v6 = is_v6(from), fd = socket(v6 ? AF_INET6 : AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0);
	struct reference_flow at = { .family = v6 ? AF_INET6 : AF_INET };
	static const uint8_t loopback_broadcast[4] = { 127, 255, 255, 255 };
	const struct linger linger = { .l_onoff = 1 };
	struct sockaddr_storage address;
	int one = 1, r = 0;
	socklen_t len;

	/* Bound to a broadcast address a socket sends from another. */
	if (!v6 && memcmp(is_mapped(from) ? from->addr + 12 : from->addr, loopback_broadcast, 4) == 0)
		r = -EADDRNOTAVAIL;
	if (fd < 0)
		return -errno;
	memcpy(at.addr, is_mapped(from) ? from->addr + 12 : from->addr, v6 ? 16 : 4);
	len = address_fill(&at, &address);
	(void)setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_FREEBIND : IP_FREEBIND, &one, sizeof(one));
	if (r == 0 && (bind(fd, (struct sockaddr *)&address, len) < 0 ||
		       (tcp && setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0)))
		r = -errno;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

/* From that peer to our port, where @fd is. A flow of the family AF_INET6 is seen by an IPv6 socket, mapped or not. */
static int ingress_try(int fd, const struct pair *pair)
{
	const struct reference_flow *flow = &pair->flow;
	struct reference_flow any = { .family = flow->family, .port = flow->port };
	struct reference_flow to = { .family = is_v6(flow) ? AF_INET6 : AF_INET, .port = flow->port };
	bool tcp = flow->protocol == IPPROTO_TCP;
	int wait_ms = pair->want ? WAIT_MS : 0;
	_cleanup_close_ int sender = -1;
	struct sockaddr_storage address;
	socklen_t len = address_fill(&any, &address);
	int one = 1;

	/* Not for datagrams: two of them could have the same port. */
	if (tcp)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, len) < 0 || (tcp && listen(fd, 1) < 0))
		return -errno;
	sender = sender_make(flow, tcp);
	if (sender < 0)
		return sender;
	inet_pton(to.family, is_v6(flow) ? "fd00:aaaa::1" : "10.255.255.254", to.addr);
	len = address_fill(&to, &address);
	if (!tcp && sendto(sender, "x", 1, 0, (struct sockaddr *)&address, len) != 1)
		return -errno;
	if (tcp && connect(sender, (struct sockaddr *)&address, len) < 0 && errno != EINPROGRESS)
		return -errno;
	return arrives(fd, POLLIN, wait_ms);
}

/* ---- the process of a workload ---- */

static int socket_for(const struct pair *pair)
{
	return socket(pair->flow.family,
		      (pair->flow.protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC,
		      0);
}

/* A message of one byte, with @n descriptors. */
static int descriptors_send(int channel, const int *fds, size_t n)
{
	union {
		char bytes[CMSG_SPACE(FLOWS * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), fds, n * sizeof(int));
	}
	return sendmsg(channel, &message, 0) == 1 ? 0 : -errno;
}

/* The @n descriptors that must come. */
static int descriptors_receive(int channel, int *fds, size_t n)
{
	union {
		char bytes[CMSG_SPACE(FLOWS * sizeof(int))];
		struct cmsghdr align;
	} control;
	char c;
	struct iovec iov = { &c, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *header;

	if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1)
		return -EIO;
	header = CMSG_FIRSTHDR(&message);
	if (!n)
		return header ? -EIO : 0;
	if (!header || header->cmsg_len != CMSG_LEN(n * sizeof(int)))
		return -EIO;
	memcpy(fds, CMSG_DATA(header), n * sizeof(int));
	return 0;
}

/* For each byte that comes: opens what goes out, and sends sockets for what comes in, in the order of the pairs. */
static void worker_run(int channel, struct batch *batch)
{
	char c;

	while (recv(channel, &c, 1, 0) == 1) {
		int fds[FLOWS];
		size_t n = 0;

		for (uint32_t i = 0; i < batch->n; i++) {
			struct pair *pair = &batch->pairs[i];

			if (pair->direction == RF_EGRESS)
				pair->got = egress_try(&pair->flow);
			else
				fds[n++] = socket_for(pair);
		}
		if (descriptors_send(channel, fds, n) < 0)
			_exit(1);
		while (n)
			close(fds[--n]);
	}
	_exit(0);
}

static int worker_start(struct host *h, unsigned int i)
{
	int channel[2];
	pid_t pid;

	h->workload[i].batch =
		mmap(NULL, sizeof(struct batch), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (h->workload[i].batch == MAP_FAILED || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		/* Ours of the workers before it: they must see the end of it when we close them. */
		for (unsigned int other = 0; other < i; other++)
			close(h->workload[other].worker);
		close(channel[0]);
		if (workload_enter(h, i) < 0)
			_exit(1);
		worker_run(channel[1], h->workload[i].batch);
	}
	close(channel[1]);
	h->workload[i].worker = channel[0];
	return 0;
}

/* ---- pairs ---- */

static void pair_compare(struct host *h, unsigned int i, const struct pair *pair)
{
	const struct reference_flow *flow = &pair->flow;
	char text[INET6_ADDRSTRLEN];

	/* Somebody's port, or an address that this host routes otherwise: no pair. */
	if (pair->got < 0 && pair->got != -ETIMEDOUT) {
		h->no_pairs++;
		return;
	}
	h->pairs++;
	h->kinds[pair->direction][flow->protocol == IPPROTO_TCP][flow->family == AF_INET ? 0 :
								 is_mapped(flow)	 ? 2 :
											   1]++;
	h->allowed += pair->want;
	if (pair->got == pair->want)
		return;
	h->differences++;
	inet_ntop(flow->family, flow->addr, text, sizeof(text));
	print_message("# workload %u: %s protocol %u %s port %u: the image %s (rule %u), the kernel %s\n", i,
		      pair->direction == RF_EGRESS ? "to" : "from", flow->protocol, text, flow->port,
		      pair->want ? "allows" : "denies", pair->rule,
		      pair->got < 0 ? strerror(-pair->got) :
		      pair->got	    ? "allows" :
				      "denies");
}

static void pair_make(const struct host *h, unsigned int i, struct random *r, const struct rf_policy **policies,
		      size_t n, struct pair *pair)
{
	struct reference_flow *flow = &pair->flow;
	const uint8_t *v4;
	bool loopback;

	pair->direction = random_one_in(r, 2) ? RF_INGRESS : RF_EGRESS;
	do {
		*flow = random_flow(r, policies, n, pair->direction);
	} while (!is_possible(flow));
	v4 = is_mapped(flow) ? flow->addr + 12 : flow->addr;
	loopback = !is_v6(flow) && v4[0] == 127;
	/* Nobody has told the kernel of any address, and no workload has a socket at the other end. */
	const struct rf_peer_view view = { .place = loopback ? RF_PLACE_HOST : RF_PLACE_WORLD };

	pair->want = rf_ruleset_evaluate_peer(h->workload[i].image->ruleset[pair->direction][RF_TIER_ENFORCE],
					      flow->family, flow->addr, flow->protocol, flow->port, &view, &pair->rule);
}

/* The processes open what goes out at the same time. Until all have, nobody may listen: it would answer. */
static void workload_ask(struct host *h, unsigned int i, struct random *r, const struct rf_policy **policies, size_t n)
{
	struct batch *batch = h->workload[i].batch;

	for (batch->n = 0; batch->n < FLOWS; batch->n++)
		pair_make(h, i, r, policies, n, &batch->pairs[batch->n]);
	assert_int_equal(send(h->workload[i].worker, "x", 1, MSG_NOSIGNAL), 1);
}

/* Its process is done. The sockets for what comes in are in @fds. */
static void workload_done(struct host *h, unsigned int i, int fds[FLOWS])
{
	struct batch *batch = h->workload[i].batch;
	size_t n = 0;

	for (uint32_t p = 0; p < batch->n; p++)
		n += batch->pairs[p].direction == RF_INGRESS;
	assert_int_equal(descriptors_receive(h->workload[i].worker, fds, n), 0);
}

static void workload_call(struct host *h, unsigned int i, const int fds[FLOWS])
{
	struct batch *batch = h->workload[i].batch;
	size_t n = 0;

	for (uint32_t p = 0; p < batch->n; p++) {
		struct pair *pair = &batch->pairs[p];

		if (pair->direction == RF_INGRESS) {
			pair->got = ingress_try(fds[n], pair);
			close(fds[n++]);
		}
		pair_compare(h, i, pair);
	}
}

static int resolve_none(const char *path, uint32_t *ret_type, uint32_t *ret_major, uint32_t *ret_minor, void *arg)
{
	(void)path;
	(void)ret_type;
	(void)ret_major;
	(void)ret_minor;
	(void)arg;
	return -ENOENT;
}

/* New policies for all workloads, in force at once; then flows of each. */
static void round_run(struct host *h, struct random *r, bool fresh)
{
	struct rf_assignment assignments[WORKLOADS];
	const struct rf_policy *policies[WORKLOADS][4];
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;
	struct rf_image *before[WORKLOADS];
	struct arena arena = { NULL };
	int fds[WORKLOADS][FLOWS];
	size_t n[WORKLOADS];
	char *error = NULL;

	for (unsigned int i = 0; i < WORKLOADS; i++) {
		before[i] = h->workload[i].image;
		n[i] = random_policies(&arena, r, policies[i], 4);
		assert_int_equal(rf_image_compile(policies[i], n[i], NULL,
						  &(const struct rf_device_host){ .resolve = resolve_none }, &diags,
						  &h->workload[i].image),
				 0);
		assignments[i] = (struct rf_assignment){ .workload = RF_WORKLOAD_FIRST + i,
							 .peer = RF_WORKLOAD_FIRST + i,
							 .fresh = fresh,
							 .image = h->workload[i].image };
	}
	if (rf_engine_apply(h->engine, assignments, WORKLOADS, WORKLOADS, NULL, NULL, &error) < 0)
		fail_msg("%s", error ? error : "apply failed");
	for (unsigned int i = 0; i < WORKLOADS; i++)
		rf_image_unref(before[i]);
	for (unsigned int i = 0; i < WORKLOADS; i++)
		workload_ask(h, i, r, policies[i], n[i]);
	for (unsigned int i = 0; i < WORKLOADS; i++)
		workload_done(h, i, fds[i]);
	for (unsigned int i = 0; i < WORKLOADS; i++)
		workload_call(h, i, fds[i]);
	arena_free(&arena);
}

static void the_kernel_decides_as_the_image_does(void **state)
{
	static const char *const direction_names[RF_DIRECTIONS] = { [RF_EGRESS] = "out", [RF_INGRESS] = "in" };
	struct random r = { random_seed("verdicts") };
	struct host *h = *state;

	for (bool fresh = true; h->pairs < PAIRS; fresh = false)
		round_run(h, &r, fresh);
	print_message("# %u pairs on live sockets, %u of them allowed, %u differences; %u could not be asked\n",
		      h->pairs, h->allowed, h->differences, h->no_pairs);
	for (int d = 0; d < RF_DIRECTIONS; d++) {
		for (int tcp = 0; tcp < 2; tcp++) {
			const unsigned int *n = h->kinds[d][tcp];

			print_message("# %s %s: %u over IPv4, %u over IPv6, %u mapped\n", tcp ? "TCP" : "UDP",
				      direction_names[d], n[0], n[1], n[2]);
			for (int kind = 0; kind < 3; kind++)
				assert_true(n[kind] > PAIRS / 1000);
		}
	}
	assert_int_equal(h->differences, 0);
	/* Otherwise this proved nothing. */
	assert_in_range(h->allowed, h->pairs / 10, h->pairs - h->pairs / 10);
	assert_true(h->no_pairs < h->pairs / 10);
}

/* Every address of a namespace of our own is this host's. */
static int network_make(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	return system("PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && ip route add local default dev lo && "
		      "ip -6 route add local default dev lo") == 0 ?
		       0 :
		       -EIO;
}

static int host_make(void **state)
{
	_cleanup_free_ char *error = NULL;
	struct host *h = calloc(1, sizeof(*h));

	*state = h;
	if (!h || network_make() < 0 || place_make(&h->place, "verdict", &h->engine) < 0)
		return -1;
	if (rf_engine_attach_identity(h->engine, &error) < 0 || rf_engine_attach_verdicts(h->engine, &error) < 0) {
		print_error("%s\n", error ? error : "no engine");
		return -1;
	}
	for (unsigned int i = 0; i < WORKLOADS; i++) {
		unsigned long long id;

		snprintf(h->workload[i].path, sizeof(h->workload[i].path), "%s/w%u", h->place.root, i);
		if (mkdir(h->workload[i].path, 0700) < 0 || rf_fs_cgroup_id(AT_FDCWD, h->workload[i].path, &id) < 0 ||
		    rf_engine_cgroup_set(h->engine, id, RF_WORKLOAD_FIRST + i) < 0 || worker_start(h, i) < 0)
			return -1;
	}
	return 0;
}

static int host_end(void **state)
{
	struct host *h = *state;

	for (unsigned int i = 0; i < WORKLOADS; i++)
		if (h->workload[i].worker > 0)
			close(h->workload[i].worker);
	while (wait(NULL) > 0)
		;
	for (unsigned int i = 0; i < WORKLOADS; i++)
		rmdir(h->workload[i].path);
	place_remove(&h->place, h->engine);
	for (unsigned int i = 0; i < WORKLOADS; i++)
		rf_image_unref(h->workload[i].image);
	free(h);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_decides_as_the_image_does),
	};

	if (getuid() != 0) {
		puts("1..0 # SKIP loading BPF programs needs root");
		return 4;
	}
	return cmocka_run_group_tests(tests, host_make, host_end);
}
