// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon and its child keep the same book: a child that is started has the
 * daemon's, and is told what changes. The daemon never waits for it: one that
 * does not read is killed, and the next has the book.
 */
#include "user/daemon/thaw.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "ringfence/call_map.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"

struct rf_thaw_note {
	uint64_t until_ns; /* 0: it is not frozen */
	char path[RF_THAW_PATH];
};
static_assert(sizeof(struct rf_thaw_note) <= PIPE_BUF, "a note may be cut");

static int book_keep(struct rf_thaw_note *book, const struct rf_thaw_note *note)
{
	struct rf_thaw_note *place = NULL;

	for (size_t i = 0; i < RF_THAW_MAX; i++) {
		if (book[i].until_ns && rf_streq(book[i].path, note->path))
			book[i].until_ns = 0;
		if (!book[i].until_ns)
			place = &book[i];
	}
	if (!note->until_ns)
		return 0;
	if (!place)
		return -ENOSPC;
	*place = *note;
	return 0;
}

/* ---- the child: no memory is asked for, and nothing is logged ---- */

static void book_thaw(int root, struct rf_thaw_note *book, uint64_t now)
{
	for (size_t i = 0; i < RF_THAW_MAX; i++) {
		if (!book[i].until_ns || now < book[i].until_ns + RF_CALL_THAW_GRACE_NS)
			continue;
		(void)rf_fs_write_control(root, book[i].path, "0");
		book[i].until_ns = 0;
	}
}

/* Milliseconds until something is to be thawed, for poll(). */
static int book_due(const struct rf_thaw_note *book, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < RF_THAW_MAX; i++)
		if (book[i].until_ns)
			next = MIN(next, book[i].until_ns + RF_CALL_THAW_GRACE_NS);
	if (next == UINT64_MAX)
		return -1;
	return next > now ? (int)MIN((next - now) / RF_NSEC_PER_MSEC + 1, (uint64_t)INT_MAX) : 0;
}

/* What was said is heard before anything is thawed: it may have been thawed, and frozen again. */
static _Noreturn void child_run(int pipe, int root, struct rf_thaw_note *book)
{
	static struct rf_thaw_note note;
	struct pollfd in = { .fd = pipe, .events = POLLIN };
	int r;

	for (;;) {
		r = poll(&in, 1, book_due(book, rf_clock_monotonic()));
		if (r == 0)
			book_thaw(root, book, rf_clock_monotonic());
		if (r == 0 || (r < 0 && errno == EINTR))
			continue;
		if (r < 0 || read(pipe, &note, sizeof(note)) != sizeof(note))
			break;
		(void)book_keep(book, &note);
	}
	book_thaw(root, book, UINT64_MAX);
	_exit(0);
}

/* It holds nothing of the daemon open. */
static _Noreturn void child_begin(int pipe, int root, struct rf_thaw_note *book)
{
	unsigned int low = (unsigned int)MIN(pipe, root), high = (unsigned int)MAX(pipe, root);

	(void)prctl(PR_SET_NAME, "ringfence-thaw");
	if (low > STDERR_FILENO + 1)
		(void)syscall(SYS_close_range, STDERR_FILENO + 1, low - 1, 0);
	if (high > low + 1)
		(void)syscall(SYS_close_range, low + 1, high - 1, 0);
	(void)syscall(SYS_close_range, high + 1, ~0U, 0);
	child_run(pipe, root, book);
}

/* ---- the daemon ---- */

/* All signals are blocked in the child from its begin: it outlives the watchdog's, which goes to all of a service. */
static pid_t child_fork(struct rf_thaw *t, int in)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, &before) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		child_begin(in, t->root, t->book);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static int child_start(struct rf_thaw *t)
{
	_cleanup_close_ int in = -1, out = -1;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	in = ends[0];
	out = ends[1];
	if (fcntl(out, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	/* As it is, it has room for 16 notes. */
	(void)fcntl(out, F_SETPIPE_SZ, RF_THAW_MAX * PIPE_BUF);
	pid = child_fork(t, in);
	if (pid < 0)
		return -errno;
	t->pipe = TAKE_FD(out);
	t->pid = pid;
	return 0;
}

/* One that was stopped, too, is gone then. */
static void child_kill(struct rf_thaw *t)
{
	rf_closep(&t->pipe);
	(void)kill(t->pid, SIGKILL);
	(void)TEMP_FAILURE_RETRY(waitpid(t->pid, NULL, 0));
}

int rf_thaw_start(struct rf_thaw *t, int root)
{
	*t = (struct rf_thaw){ .root = root, .pipe = -1, .book = calloc(RF_THAW_MAX, sizeof(*t->book)) };
	return t->book ? 0 : -ENOMEM;
}

int rf_thaw_note(struct rf_thaw *t, const char *path, uint64_t until_ns)
{
	struct rf_thaw_note note = { .until_ns = until_ns };
	int r;

	memcpy(note.path, path, strnlen(path, sizeof(note.path) - 1));
	r = book_keep(t->book, &note);
	if (r < 0 || (t->pipe < 0 && !until_ns))
		return r;
	if (t->pipe >= 0) {
		if (write(t->pipe, &note, sizeof(note)) == sizeof(note))
			return 0;
		child_kill(t);
	}
	r = child_start(t);
	if (r < 0) {
		note.until_ns = 0;
		(void)book_keep(t->book, &note);
	}
	return r;
}

void rf_thaw_forget(struct rf_thaw *t, const char *path)
{
	(void)rf_thaw_note(t, path, 0);
}

void rf_thaw_stop(struct rf_thaw *t)
{
	if (t->pipe >= 0) {
		rf_closep(&t->pipe);
		/* Should somebody have stopped it. */
		(void)kill(t->pid, SIGCONT);
		(void)TEMP_FAILURE_RETRY(waitpid(t->pid, NULL, 0));
	}
	free(t->book);
	*t = (struct rf_thaw){ .pipe = -1 };
}
