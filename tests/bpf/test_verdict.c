// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel against the compiler: random policies are put in force by the
 * engine, and random flows near the edges of their rules are really opened. What
 * the kernel lets through must be what rf_ruleset_evaluate() says of the image.
 *
 * A network namespace where every address is the host's own makes any peer
 * reachable. Loopback delivers before send() returns, so a datagram that is not
 * there by then was denied; one that is expected is waited for.
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
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/collect/mountinfo.h"
#include "user/engine/engine.h"
#include "user/lib/fs.h"

/* In this translation unit, so that the build needs no rule for them. */
#include "tests/unit/policy/random_policy.c"

#define PAIRS	  5000
#define WORKLOADS 10
#define FLOWS	  20 /* of a workload, before its policies change */
#define WAIT_MS	  2000

struct host {
	struct rf_engine *engine;
	char directory[64], bpffs[80], root[256];
	int outside; /* cgroup.procs of where we come from */
	struct {
		char path[300];
		struct rf_image *image;
	} workload[WORKLOADS];
	unsigned int pairs, allowed, differences;
};

static int control_write(int fd)
{
	return pwrite(fd, "0", 1, 0) == 1 ? 0 : -errno;
}

static int workload_enter(const struct host *h, unsigned int i)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;

	if (asprintf(&path, "%s/cgroup.procs", h->workload[i].path) < 0)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : control_write(fd);
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

/* A socket outside of all workloads that may claim any source address. */
static int sender_make(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd >= 0)
		(void)setsockopt(fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
				 family == AF_INET6 ? IPV6_FREEBIND : IP_FREEBIND, &one, sizeof(one));
	return fd;
}

static int datagram_send(int fd, const struct reference_flow *from)
{
	bool v6 = from->family == AF_INET6 && !is_mapped(from);
	struct reference_flow to = { .family = v6 ? AF_INET6 : AF_INET, .port = from->port };
	struct in6_pktinfo info6 = { .ipi6_ifindex = 0 };
	struct in_pktinfo info4 = { .ipi_ifindex = 0 };
	char control[CMSG_SPACE(sizeof(info6))] = { 0 };
	struct iovec iov = { "x", 1 };
	struct sockaddr_storage address;
	struct msghdr message = { .msg_name = &address,
				  .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = v6 ? CMSG_SPACE(sizeof(info6)) : CMSG_SPACE(sizeof(info4)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	inet_pton(to.family, v6 ? "fd00:aaaa::1" : "10.255.255.254", to.addr);
	message.msg_namelen = address_fill(&to, &address);
	memcpy(&info6.ipi6_addr, from->addr, 16);
	memcpy(&info4.ipi_spec_dst, is_mapped(from) ? from->addr + 12 : from->addr, 4);
	c->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	c->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
	c->cmsg_len = v6 ? CMSG_LEN(sizeof(info6)) : CMSG_LEN(sizeof(info4));
	if (v6)
		memcpy(CMSG_DATA(c), &info6, sizeof(info6));
	else
		memcpy(CMSG_DATA(c), &info4, sizeof(info4));
	return sendmsg(fd, &message, 0) == 1 ? 0 : -errno;
}

/* A datagram from that peer to our port. @flow of the family AF_INET6 is seen by an IPv6 socket, mapped or not. */
static int ingress_try(const int senders[2], const struct reference_flow *flow, bool expected)
{
	_cleanup_close_ int fd = socket(flow->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct reference_flow any = { .family = flow->family, .port = flow->port };
	struct sockaddr_storage at;
	socklen_t len = address_fill(&any, &at);
	bool v6 = flow->family == AF_INET6 && !is_mapped(flow);
	int r;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0)
		return -errno;
	r = datagram_send(senders[v6], flow);
	if (r < 0)
		return r;
	return arrives(fd, POLLIN, expected ? WAIT_MS : 0);
}

static void pair_compare(struct host *h, unsigned int i, const int senders[2], enum rf_direction direction,
			 const struct reference_flow *flow)
{
	const struct rf_ruleset_image *image = h->workload[i].image->ruleset[direction][RF_TIER_ENFORCE];
	char text[INET6_ADDRSTRLEN];
	const uint8_t *v4 = is_mapped(flow) ? flow->addr + 12 : flow->addr;
	bool loopback = (flow->family == AF_INET || is_mapped(flow)) && v4[0] == 127;
	/* Nobody has told the kernel of any address, and no workload has a socket at the other end. */
	const struct rf_peer_view view = { .place = loopback ? RF_PLACE_HOST : RF_PLACE_WORLD };
	uint32_t rule = 0;
	bool want = rf_ruleset_evaluate_peer(image, flow->family, flow->addr, flow->protocol, flow->port, &view, &rule);
	int got = direction == RF_EGRESS ? egress_try(flow) : ingress_try(senders, flow, want);

	/* Somebody's port, or an address that this host routes otherwise: no pair. */
	if (got < 0 && got != -ETIMEDOUT) {
		print_message("# not a pair: %s\n", strerror(-got));
		return;
	}
	h->pairs++;
	h->allowed += want;
	if (got == want)
		return;
	h->differences++;
	inet_ntop(flow->family, flow->addr, text, sizeof(text));
	print_message("# workload %u: %s protocol %u %s port %u: the image %s (rule %u), the kernel %s\n", i,
		      direction == RF_EGRESS ? "to" : "from", flow->protocol, text, flow->port,
		      want ? "allows" : "denies", rule,
		      got < 0 ? strerror(-got) :
		      got     ? "allows" :
				"denies");
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
static void round_run(struct host *h, struct random *r, const int senders[2], bool fresh)
{
	struct rf_assignment assignments[WORKLOADS];
	const struct rf_policy *policies[WORKLOADS][4];
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;
	struct rf_image *before[WORKLOADS];
	struct arena arena = { NULL };
	size_t n[WORKLOADS];
	char *error = NULL;

	for (unsigned int i = 0; i < WORKLOADS; i++) {
		before[i] = h->workload[i].image;
		n[i] = random_policies(&arena, r, policies[i], 4);
		assert_int_equal(rf_image_compile(policies[i], n[i], resolve_none, NULL, &diags, &h->workload[i].image),
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
	for (unsigned int i = 0; i < WORKLOADS; i++) {
		assert_int_equal(workload_enter(h, i), 0);
		for (unsigned int done = 0; done < FLOWS;) {
			enum rf_direction direction = random_one_in(r, 3) ? RF_INGRESS : RF_EGRESS;
			struct reference_flow flow = random_flow(r, policies[i], n[i], direction);

			if (direction == RF_INGRESS)
				flow.protocol = IPPROTO_UDP;
			if (!is_possible(&flow))
				continue;
			done++;
			pair_compare(h, i, senders, direction, &flow);
		}
		assert_int_equal(control_write(h->outside), 0);
	}
	arena_free(&arena);
}

static void the_kernel_decides_as_the_image_does(void **state)
{
	struct random r = { random_seed("verdicts") };
	struct host *h = *state;
	const int senders[2] = { sender_make(AF_INET), sender_make(AF_INET6) };

	assert_true(senders[0] >= 0 && senders[1] >= 0);
	round_run(h, &r, senders, true);
	while (h->pairs < PAIRS)
		round_run(h, &r, senders, false);
	close(senders[0]);
	close(senders[1]);
	print_message("# %u pairs, %u of them allowed, %u differences\n", h->pairs, h->allowed, h->differences);
	assert_int_equal(h->differences, 0);
	/* Otherwise this proved nothing. */
	assert_in_range(h->allowed, h->pairs / 10, h->pairs - h->pairs / 10);
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

static int outside_open(const char *mount)
{
	_cleanup_free_ char *text = NULL, *path = NULL;
	size_t len;
	int fd;

	if (rf_fs_read(AT_FDCWD, "/proc/self/cgroup", 65536, &text, &len) < 0)
		return -EIO;
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!rf_strprefix(line, "0::"))
			continue;
		if (asprintf(&path, "%s%s/cgroup.procs", mount, line + 3) < 0)
			return -ENOMEM;
		fd = open(path, O_WRONLY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}

static int host_make(void **state)
{
	_cleanup_free_ char *mount = NULL, *error = NULL;
	struct rf_engine_options options = { 0 };
	struct host *h = calloc(1, sizeof(*h));

	*state = h;
	if (!h || network_make() < 0 || rf_cgroup2_mount_find(&mount) < 0)
		return -1;
	h->outside = outside_open(mount);
	snprintf(h->directory, sizeof(h->directory), "/tmp/rf-verdict-XXXXXX");
	if (h->outside < 0 || !mkdtemp(h->directory))
		return -1;
	snprintf(h->bpffs, sizeof(h->bpffs), "%s/bpf", h->directory);
	snprintf(h->root, sizeof(h->root), "%.200s/rf-verdict-%d", mount, getpid());
	if (mkdir(h->root, 0700) < 0)
		return -1;
	options.bpffs = h->bpffs;
	options.cgroup_root = h->root;
	if (rf_engine_new(&options, &h->engine, &error) < 0 || rf_engine_attach_identity(h->engine, &error) < 0 ||
	    rf_engine_attach_verdicts(h->engine, &error) < 0) {
		print_error("%s\n", error ? error : "no engine");
		return -1;
	}
	for (unsigned int i = 0; i < WORKLOADS; i++) {
		unsigned long long id;

		snprintf(h->workload[i].path, sizeof(h->workload[i].path), "%s/w%u", h->root, i);
		if (mkdir(h->workload[i].path, 0700) < 0 || rf_fs_cgroup_id(AT_FDCWD, h->workload[i].path, &id) < 0 ||
		    rf_engine_cgroup_set(h->engine, id, RF_WORKLOAD_FIRST + i) < 0)
			return -1;
	}
	return 0;
}

static int host_end(void **state)
{
	struct host *h = *state;

	if (h->outside >= 0)
		(void)control_write(h->outside);
	if (h->engine)
		rf_engine_detach(h->engine);
	rf_engine_free(h->engine);
	for (unsigned int i = 0; i < WORKLOADS; i++) {
		rf_image_unref(h->workload[i].image);
		rmdir(h->workload[i].path);
	}
	rmdir(h->root);
	rmdir(h->bpffs);
	rmdir(h->directory);
	close(h->outside);
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
