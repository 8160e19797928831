// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nothing here waits for what the process does: /proc tells it without the
 * locks of its sockets. Between two reads a thread may have moved on; a look
 * is a sample, and many of them make a finding.
 */
#include "user/collect/task_wait.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "user/lib/fs.h"

#define LINE_MAX_BYTES 512
#define PID_LIMIT      (1 << 22) /* PID_MAX_LIMIT of the kernel */

struct look {
	int task; /* /proc/PID/task/TID, of the thread that is looked at */
	struct rf_task_waits *waits;
	enum rf_task_wait wait;
};

struct children {
	pid_t pids[RF_TASK_WAIT_CHILDREN];
	size_t n;
};

RF_DEFINE_CLEANUP(DIR, closedir)

int rf_task_call_parse(const char *text, size_t len, struct rf_task_call *ret)
{
	char line[LINE_MAX_BYTES];
	uint64_t fd, stack;
	long number;
	int end = 0;

	if (!len || len >= sizeof(line) || memchr(text, '\0', len))
		return -EBADMSG;
	memcpy(line, text, len);
	line[len] = '\0';
	if (rf_streq(line, "running\n")) {
		*ret = (struct rf_task_call){ .runs = true, .number = -1 };
		return 0;
	}
	if (rf_strprefix(line, "-1 0x")) {
		*ret = (struct rf_task_call){ .number = -1 };
		return 0;
	}
	if (sscanf(line,
		   "%9ld 0x%16" SCNx64 " 0x%*16[0-9a-f] 0x%*16[0-9a-f] 0x%*16[0-9a-f] 0x%*16[0-9a-f] "
		   "0x%*16[0-9a-f] 0x%16" SCNx64 " 0x%*16[0-9a-f]%n",
		   &number, &fd, &stack, &end) != 3 ||
	    !end || number < 0)
		return -EBADMSG;
	/* A 32-bit task has its stack there, and other numbers. */
	*ret = (struct rf_task_call){ .number = stack > UINT32_MAX ? number : -1, .fd = (uint32_t)fd };
	return 0;
}

bool rf_task_call_is_socket(const struct rf_task_call *call)
{
	static const long calls[] = { SYS_read,	  SYS_readv,  SYS_recvfrom, SYS_recvmsg,  SYS_recvmmsg, SYS_write,
				      SYS_writev, SYS_sendto, SYS_sendmsg,  SYS_sendmmsg, SYS_connect };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (call->number == calls[i])
			return true;
	return false;
}

size_t rf_task_children_parse(const char *text, size_t len, pid_t *ret, size_t max)
{
	size_t n = 0;
	pid_t pid = 0;

	for (size_t i = 0; i < len && n < max; i++) {
		if (text[i] >= '0' && text[i] <= '9' && pid <= PID_LIMIT) {
			pid = pid * 10 + (text[i] - '0');
			continue;
		}
		/* A number without the space behind it was cut off. */
		if (text[i] != ' ' || !pid || pid > PID_LIMIT)
			break;
		ret[n++] = pid;
		pid = 0;
	}
	return n;
}

bool rf_task_sleeps_for_files(const char *function)
{
	return rf_strprefix(function, "rpc_") || rf_strprefix(function, "nfs");
}

/* It still stands in the call that it was stopped or frozen in. */
bool rf_task_is_stopped(const char *function)
{
	static const char *const stops[] = { "do_signal_stop", "do_freezer_trap", "get_signal",
					     "do_jobctl_trap", "ptrace_stop",	  "__refrigerator" };

	for (size_t i = 0; i < ARRAY_SIZE(stops); i++)
		if (rf_strprefix(function, stops[i]))
			return true;
	return false;
}

static int room_take(struct rf_task_waits *w, size_t n)
{
	if (w->room < n) {
		w->room = 0;
		return -ENOBUFS;
	}
	w->room -= n;
	return 0;
}

static int file_read(struct look *l, const char *path, size_t cost, size_t max, char **ret, size_t *ret_len)
{
	int r = room_take(l->waits, cost);

	if (r < 0)
		return r;
	max = MIN(max, l->waits->room);
	r = rf_fs_read(l->task, path, max, ret, ret_len);
	if (r == 0 || r == -EFBIG)
		l->waits->room -= r == 0 ? *ret_len : max;
	return r == -EFBIG && !l->waits->room ? -ENOBUFS : r;
}

static int line_read(struct look *l, const char *path, char **ret, size_t *ret_len)
{
	return file_read(l, path, RF_TASK_WAIT_FILE, LINE_MAX_BYTES, ret, ret_len);
}

/* 0: @fd is no socket. */
static int socket_inode(struct look *l, uint32_t fd, uint64_t *ret)
{
	char path[32], target[64];
	ssize_t n;
	int r = room_take(l->waits, RF_TASK_WAIT_FILE);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "fd/%" PRIu32, fd);
	n = readlinkat(l->task, path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (sscanf(target, "socket:[%19" SCNu64 "]", ret) != 1)
		*ret = 0;
	return 0;
}

/* 1 or 0, as rf_socket_table_opened(); 0 for what is in none. */
static int tables_ask(struct look *l, uint64_t inode)
{
	static const char *const tables[] = { "net/tcp", "net/tcp6", "net/udp", "net/udp6" };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		_cleanup_free_ char *text = NULL;
		size_t len;
		int r = file_read(l, tables[i], RF_TASK_WAIT_TABLE, RF_TASK_WAIT_TABLE_MAX, &text, &len);

		/* Without IPv6 two are not there. */
		if (r == -ENOENT)
			continue;
		r = r < 0 ? r : rf_socket_table_opened((struct rf_span){ text, len }, inode, &l->waits->given);
		if (r != -ENOENT)
			return r;
	}
	return 0;
}

static int is_opened(struct look *l, uint32_t fd)
{
	uint64_t inode = 0;
	size_t at;
	int r = socket_inode(l, fd, &inode);

	if (r < 0 || !inode)
		return r;
	at = inode % RF_TASK_WAIT_SEEN;
	if (l->waits->seen[at].inode == inode)
		return l->waits->seen[at].opened;
	r = tables_ask(l, inode);
	if (r >= 0) {
		l->waits->seen[at].inode = inode;
		l->waits->seen[at].opened = r;
	}
	return r;
}

/* Of one that does not run. 1: it waits for the network. */
static int thread_waits(struct look *l, const struct rf_task_call *call)
{
	_cleanup_free_ char *function = NULL;
	size_t len;
	int r = line_read(l, "wchan", &function, &len);

	if (r < 0)
		return r;
	if (rf_task_sleeps_for_files(function))
		return 1;
	if (!rf_task_call_is_socket(call) || rf_task_is_stopped(function))
		return 0;
	return is_opened(l, call->fd);
}

static int thread_look(struct look *l)
{
	_cleanup_free_ char *text = NULL;
	struct rf_task_call call;
	size_t len;
	int r = line_read(l, "syscall", &text, &len);

	r = r < 0 ? r : rf_task_call_parse(text, len, &call);
	if (r < 0)
		return r;
	if (call.runs) {
		l->wait = RF_TASK_WAIT_RUNS;
		return 0;
	}
	/* Of the others it matters alone whether one runs. */
	if (l->wait == RF_TASK_WAIT_NETWORK)
		return 0;
	r = thread_waits(l, &call);
	if (r > 0)
		l->wait = RF_TASK_WAIT_NETWORK;
	return MIN(r, 0);
}

static int threads_look(struct look *l, DIR *tasks)
{
	const struct dirent *entry;
	int threads = 0;

	while (l->wait != RF_TASK_WAIT_RUNS && threads < RF_TASK_WAIT_THREADS && (entry = readdir(tasks))) {
		_cleanup_close_ int task = -1;
		int r;

		if (entry->d_name[0] == '.')
			continue;
		threads++;
		task = openat(dirfd(tasks), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		l->task = task;
		r = task < 0 ? -errno : thread_look(l);
		/* One thread may end meanwhile. */
		if (r < 0 && r != -ESRCH && r != -ENOENT)
			return r;
	}
	return threads ? 0 : -ESRCH;
}

/* None where the kernel does not tell them. */
static int children_read(struct look *l, int tasks, pid_t pid, struct children *ret)
{
	char path[32], text[LINE_MAX_BYTES];
	_cleanup_close_ int fd = -1;
	ssize_t n;
	int r = room_take(l->waits, RF_TASK_WAIT_FILE);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%d/children", pid);
	fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	ret->n = rf_task_children_parse(text, n < 0 ? 0 : (size_t)n, ret->pids, ARRAY_SIZE(ret->pids));
	return 0;
}

/* NULL for @ret_children: they do not matter. */
static int process_look(struct look *l, pid_t pid, struct children *ret_children)
{
	_cleanup_(closedirp) DIR *tasks = NULL;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return errno == ENOENT ? -ESRCH : -errno;
	r = threads_look(l, tasks);
	return r < 0 || !ret_children ? r : children_read(l, dirfd(tasks), pid, ret_children);
}

int rf_task_wait_look(struct rf_task_waits *waits, pid_t pid, enum rf_task_wait *ret)
{
	struct look l = { .waits = waits, .wait = RF_TASK_WAIT_OTHER };
	struct children children = { .n = 0 };
	int r = process_look(&l, pid, &children);

	for (size_t i = 0; r >= 0 && i < children.n && l.wait != RF_TASK_WAIT_RUNS; i++) {
		r = process_look(&l, children.pids[i], NULL);
		/* It may have ended. */
		if (r == -ESRCH)
			r = 0;
	}
	if (r >= 0)
		*ret = l.wait;
	return MIN(r, 0);
}
