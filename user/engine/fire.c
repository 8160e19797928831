// SPDX-License-Identifier: GPL-2.0-or-later
/* What fires the hooks of the host in the self-test: by the child that is in its cgroup, in a network of its own. */
#include "user/engine/fire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "user/engine/fire_accel.h"
#include "user/engine/fire_guard.h"
#include "user/engine/fire_isolation.h"
#include "user/engine/fire_kernel.h"
#include "user/engine/fire_file.h"
#include "user/engine/fire_exec.h"
#include "user/lib/cleanup.h"

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)ioctl(fd, SIOCSIFFLAGS, &request);
}

/* One connection over loopback; fires connect, and both packet hooks. */
static void connection_fire(int family)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&a4 : (struct sockaddr *)&a6;
	socklen_t len = family == AF_INET ? sizeof(a4) : sizeof(a6);
	_cleanup_close_ int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_close_ int client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0 || client < 0 || bind(listener, address, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, address, &len) < 0)
		return;
	(void)!connect(client, address, len);
}

/* A connection and a datagram between Unix sockets, whose names the kernel gives. */
static void unix_fire(int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(address);
	_cleanup_close_ int server = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	_cleanup_close_ int client = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (server < 0 || client < 0 || bind(server, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0 ||
	    (type == SOCK_STREAM && listen(server, 1) < 0) ||
	    getsockname(server, (struct sockaddr *)&address, &len) < 0)
		return;
	(void)!connect(client, (struct sockaddr *)&address, len);
}

void rf_self_test_fire(int cgroup_fd)
{
	if (unshare(CLONE_NEWNET) == 0)
		loopback_up();
	connection_fire(AF_INET);
	connection_fire(AF_INET6);
	unix_fire(SOCK_STREAM);
	unix_fire(SOCK_DGRAM);
	rf_fire_isolation();
	rf_kernel_fire();
	rf_self_test_fire_accelerators();
	rf_fire_guard(cgroup_fd);
	rf_self_test_fire_files();
	if (mkdirat(cgroup_fd, "child", 0700) == 0)
		(void)unlinkat(cgroup_fd, "child", AT_REMOVEDIR);
	rf_self_test_fire_exec();
	_exit(0);
}
