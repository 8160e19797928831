// SPDX-License-Identifier: GPL-2.0-or-later
/* Starting a helper with nothing of the daemon's but stderr. */
#include "user/daemon/gpu_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "user/lib/util.h"

/* In the child: only what may be called between fork and exec. */
static _Noreturn void run(char *const argv[], char *const environment[], int in, int out)
{
	sigset_t none;

	if (in < 0)
		in = open("/dev/null", O_RDONLY);
	sigemptyset(&none);
	if (in >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0) {
		(void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
		execve(argv[0], argv, environment);
	}
	_exit(127);
}

int rf_helper_start(char *const argv[], int stdin_fd, pid_t *ret_pid, int *ret_fd)
{
	_cleanup_close_ int in = -1, out = -1;
	_cleanup_free_ char *journal = NULL;
	const char *stream = getenv("JOURNAL_STREAM"); /* with which it knows how to log */
	char *environment[2] = { NULL, NULL };
	int fds[2];
	pid_t pid;

	if (stream && asprintf(&journal, "JOURNAL_STREAM=%s", stream) < 0)
		return -ENOMEM;
	environment[0] = journal;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in = fds[0];
	out = fds[1];
	if (fcntl(in, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		run(argv, environment, stdin_fd, out);
	*ret_pid = pid;
	*ret_fd = TAKE_FD(in);
	return 0;
}

bool rf_helper_ended(pid_t pid, int *ret_status)
{
	pid_t r;

	do
		r = waitpid(pid, ret_status, WNOHANG);
	while (r < 0 && errno == EINTR);
	/* Somebody else waited for it: it has ended, and how is not known. */
	if (r < 0)
		*ret_status = 0;
	return r != 0;
}

char *rf_helper_find(const char *name)
{
	static const char *const places[] = { "", "../libexec/ringfence/" };
	char own[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (n <= 0)
		return NULL;
	own[n] = '\0';
	slash = strrchr(own, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s%s", own, places[i], name) < 0)
			return NULL;
		if (access(path, X_OK) == 0)
			return TAKE_PTR(path);
	}
	return NULL;
}
