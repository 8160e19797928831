// SPDX-License-Identifier: GPL-2.0-or-later
/* A child ends with the daemon, however that ends; its own signals are the daemon's to send. */
#include "user/daemon/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "user/lib/cleanup.h"

#define SOCKET 3
#define KEEP   4

int rf_child_reap(struct rf_child *c)
{
	if (!c->killed)
		return 0;
	if (waitpid(c->pid, NULL, WNOHANG) == 0)
		return -EBUSY;
	*c = (struct rf_child){ 0 };
	return 0;
}

/* False: it could not be moved. */
static bool descriptor_move(int fd, int to)
{
	return fd < 0 ? close(to) == 0 || errno == EBADF : dup2(fd, to) >= 0;
}

static _Noreturn void child_begin(int socket, const char *name, int keep, pid_t parent, rf_child_fn fn, void *arg)
{
	(void)prctl(PR_SET_NAME, name);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* Either may be where the other should go. */
	socket = fcntl(socket, F_DUPFD, 64);
	if (keep >= 0)
		keep = fcntl(keep, F_DUPFD, 64);
	if (socket < 0 || !descriptor_move(socket, SOCKET) || !descriptor_move(keep, KEEP))
		_exit(1);
	(void)syscall(SYS_close_range, KEEP + 1, ~0U, 0);
	fn(SOCKET, keep < 0 ? -1 : KEEP, arg);
	_exit(0);
}

int rf_child_start(struct rf_child *c, const char *name, int keep, rf_child_fn fn, void *arg)
{
	_cleanup_close_ int own = -1, its = -1;
	pid_t parent = getpid(), pid;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	own = ends[0];
	its = ends[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child_begin(its, name, keep, parent, fn, arg);
	*c = (struct rf_child){ .pid = pid, .socket = TAKE_FD(own) };
	return 0;
}

void rf_child_kill(struct rf_child *c)
{
	(void)kill(c->pid, SIGKILL);
	close(c->socket);
	c->killed = true;
}

void rf_child_stop(struct rf_child *c)
{
	if (c->pid && !c->killed)
		rf_child_kill(c);
	/* It goes with the daemon, should it have to wait still. */
	if (c->pid)
		(void)waitpid(c->pid, NULL, WNOHANG);
	*c = (struct rf_child){ 0 };
}
