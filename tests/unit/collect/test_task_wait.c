// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What threads wait for, of a child in a network namespace of its own, with an
 * address that is not loopback.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "user/collect/task_wait.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"
#include "user/lib/util.h"

#define ADDRESS	   "192.0.2.1"
#define PATIENCE   (10 * RF_NSEC_PER_SEC)
#define NO_NETWORK 77

#define WAITS { .given = { 32768, 60999 }, .room = RF_TASK_WAIT_ROOM }

enum doing {
	OPENED,
	ACCEPTED,
	LOOPBACK,
	DATAGRAMS,
	SENDS,
	POLLS,
	PIPE,
	BESIDE_ONE_THAT_RUNS,
	BESIDE_ONE_THAT_SLEEPS,
	ITS_CHILD,
	ITS_CHILD_RUNS
};

static void loopback_up(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct sockaddr_in *address = (struct sockaddr_in *)&r.ifr_addr;
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		_exit(NO_NETWORK);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &r) < 0)
		_exit(NO_NETWORK);
	strcpy(r.ifr_name, "lo:1");
	*address = (struct sockaddr_in){ .sin_family = AF_INET };
	inet_pton(AF_INET, ADDRESS, &address->sin_addr);
	if (ioctl(fd, SIOCSIFADDR, &r) < 0)
		_exit(NO_NETWORK);
	close(fd);
}

/* Both ends of a connection to @to. */
static void connection(int type, const char *to, int ret[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, type, 0);

	inet_pton(AF_INET, to, &address.sin_addr);
	ret[0] = socket(AF_INET, type, 0);
	if (bind(fd, (struct sockaddr *)&address, len) < 0 || (type == SOCK_STREAM && listen(fd, 1) < 0) ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
	    connect(ret[0], (struct sockaddr *)&address, len) < 0)
		_exit(1);
	ret[1] = type == SOCK_STREAM ? accept(fd, NULL, NULL) : fd;
}

static void *runs(void *arg)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
	return arg;
}

static void *sleeps(void *arg)
{
	pause();
	return arg;
}

static void child(enum doing doing)
{
	static char data[1 << 16];
	int ends[2], other[2];
	struct pollfd wait;
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	loopback_up();
	connection(doing == DATAGRAMS ? SOCK_DGRAM : SOCK_STREAM, doing == LOOPBACK ? "127.0.0.1" : ADDRESS, ends);
	wait = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	if (doing == ITS_CHILD || doing == ITS_CHILD_RUNS) {
		pid_t loader = fork();

		if (loader) {
			(void)waitpid(loader, NULL, 0);
			_exit(1);
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (doing == ITS_CHILD_RUNS)
			(void)runs(NULL);
	}
	if (doing == BESIDE_ONE_THAT_RUNS)
		pthread_create(&thread, NULL, runs, NULL);
	else if (doing == BESIDE_ONE_THAT_SLEEPS)
		pthread_create(&thread, NULL, sleeps, NULL);
	if (doing == PIPE && pipe(other) == 0)
		(void)!read(other[0], data, 1);
	else if (doing == POLLS)
		(void)ppoll(&wait, 1, NULL, NULL);
	while (doing == SENDS)
		(void)!write(ends[0], data, sizeof(data));
	if (doing == BESIDE_ONE_THAT_SLEEPS)
		(void)!read(ends[0], data, 1);
	(void)!recv(ends[doing == ACCEPTED], data, 1, 0);
	_exit(1);
}

/* Waits for the first thread to sleep in @call, which it then does for good. False: it has ended before. */
static bool sleeps_in(pid_t pid, long call)
{
	uint64_t begin = rf_clock_monotonic();
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	while (rf_clock_monotonic() - begin < PATIENCE) {
		_cleanup_free_ char *text = NULL;
		struct rf_task_call now;
		size_t len;
		int status;

		if (waitpid(pid, &status, WNOHANG) == pid) {
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == NO_NETWORK);
			return false;
		}
		if (rf_fs_read(AT_FDCWD, path, 4096, &text, &len) == 0 && rf_task_call_parse(text, len, &now) == 0 &&
		    now.number == call)
			return true;
		(void)poll(NULL, 0, 1);
	}
	fail_msg("it does not sleep in call %ld", call);
	return false;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The child, asleep in @call. */
static pid_t begin(enum doing doing, long call)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		child(doing);
	if (!sleeps_in(pid, call)) {
		print_message("no network namespace of one's own can be had here\n");
		skip();
	}
	return pid;
}

static enum rf_task_wait look(pid_t pid)
{
	enum rf_task_wait wait = 99;
	struct rf_task_waits waits = WAITS;

	assert_int_equal(rf_task_wait_look(&waits, pid, &wait), 0);
	assert_true(waits.room < RF_TASK_WAIT_ROOM);
	return wait;
}

static void assert_waits(enum doing doing, long call, enum rf_task_wait wait)
{
	pid_t pid = begin(doing, call);
	uint64_t since = rf_clock_monotonic();
	enum rf_task_wait now;

	/* It may have run once more, or its other thread not have gone to sleep yet. */
	do
		now = look(pid);
	while (now == RF_TASK_WAIT_RUNS && wait != now && rf_clock_monotonic() - since < PATIENCE);
	assert_int_equal(now, wait);
	end(pid);
}

static void who_receives_on_what_it_opened_waits_for_the_network(void **state)
{
	(void)state;
	assert_waits(OPENED, SYS_recvfrom, RF_TASK_WAIT_NETWORK);
	assert_waits(DATAGRAMS, SYS_recvfrom, RF_TASK_WAIT_NETWORK);
	assert_waits(SENDS, SYS_write, RF_TASK_WAIT_NETWORK);
	assert_waits(BESIDE_ONE_THAT_SLEEPS, SYS_read, RF_TASK_WAIT_NETWORK);
}

static void who_receives_on_what_was_opened_to_it_waits_for_its_users(void **state)
{
	(void)state;
	assert_waits(ACCEPTED, SYS_recvfrom, RF_TASK_WAIT_OTHER);
}

static void what_its_child_waits_for_it_waits_for(void **state)
{
	(void)state;
	assert_waits(ITS_CHILD, SYS_wait4, RF_TASK_WAIT_NETWORK);
	assert_waits(ITS_CHILD_RUNS, SYS_wait4, RF_TASK_WAIT_RUNS);
}

static void loopback_a_pipe_and_poll_are_not_the_network(void **state)
{
	(void)state;
	assert_waits(LOOPBACK, SYS_recvfrom, RF_TASK_WAIT_OTHER);
	assert_waits(PIPE, SYS_read, RF_TASK_WAIT_OTHER);
	assert_waits(POLLS, SYS_ppoll, RF_TASK_WAIT_OTHER);
}

static void who_has_a_thread_that_runs_does_not_wait(void **state)
{
	(void)state;
	assert_waits(BESIDE_ONE_THAT_RUNS, SYS_recvfrom, RF_TASK_WAIT_RUNS);
}

static void who_is_stopped_waits_for_no_network(void **state)
{
	pid_t pid = begin(OPENED, SYS_recvfrom);
	int status;

	(void)state;
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_int_equal(look(pid), RF_TASK_WAIT_OTHER);
	end(pid);
}

static void without_room_nothing_is_told(void **state)
{
	pid_t pid = begin(OPENED, SYS_recvfrom);
	struct rf_task_waits waits = WAITS;
	enum rf_task_wait wait = 99;

	(void)state;
	for (size_t room = RF_TASK_WAIT_FILE - 1; room < RF_TASK_WAIT_FILE + 2; room++) {
		waits.room = room;
		assert_int_equal(rf_task_wait_look(&waits, pid, &wait), -ENOBUFS);
		assert_int_equal(waits.room, 0);
	}
	end(pid);
	waits.room = RF_TASK_WAIT_ROOM;
	assert_int_equal(rf_task_wait_look(&waits, pid, &wait), -ESRCH);
	assert_int_equal(wait, 99);
}

static void a_socket_that_was_seen_is_not_looked_up_again(void **state)
{
	pid_t pid = begin(OPENED, SYS_recvfrom);
	struct rf_task_waits waits = WAITS;
	enum rf_task_wait wait = 99;

	(void)state;
	assert_int_equal(rf_task_wait_look(&waits, pid, &wait), 0);
	waits.room = RF_TASK_WAIT_TABLE;
	assert_int_equal(rf_task_wait_look(&waits, pid, &wait), 0);
	assert_int_equal(wait, RF_TASK_WAIT_NETWORK);
	/* Forgotten, there is no room to ask again. */
	memset(waits.seen, 0, sizeof(waits.seen));
	waits.room = RF_TASK_WAIT_TABLE;
	assert_int_equal(rf_task_wait_look(&waits, pid, &wait), -ENOBUFS);
	end(pid);
}

static int parse(const char *text, struct rf_task_call *ret)
{
	return rf_task_call_parse(text, strlen(text), ret);
}

static void a_call_is_told_with_its_descriptor(void **state)
{
	struct rf_task_call call;

	(void)state;
	assert_int_equal(parse("45 0x7 0x7ffc0 0x1 0x0 0x0 0x0 0x7ffe00001000 0x7f0012345678\n", &call), 0);
	assert_false(call.runs);
	assert_int_equal(call.number, 45);
	assert_int_equal(call.fd, 7);
	assert_int_equal(parse("running\n", &call), 0);
	assert_true(call.runs);
	assert_int_equal(parse("-1 0x7ffe00001000 0x7f0012345678\n", &call), 0);
	assert_false(call.runs);
	assert_int_equal(call.number, -1);
}

static void of_a_task_of_32_bits_no_call_is_told(void **state)
{
	struct rf_task_call call;

	(void)state;
	assert_int_equal(parse("3 0x7 0xffc0 0x1 0x0 0x0 0x0 0xffffd000 0xf7fc4579\n", &call), 0);
	assert_int_equal(call.number, -1);
	assert_int_equal(parse("3 0x7 0xffc0 0x1 0x0 0x0 0x0 0x100000000 0x401000\n", &call), 0);
	assert_int_equal(call.number, 3);
}

static void what_is_no_such_line_is_refused(void **state)
{
	static const char *const bad[] = { "",
					   "\n",
					   "runs\n",
					   "45\n",
					   "-1\n",
					   "-2 0x7 0x1 0x1 0x0 0x0 0x0 0x7ffe00001000 0x7f0012345678\n",
					   "x 0x7 0x1 0x1 0x0 0x0 0x0 0x7ffe00001000 0x7f0012345678\n",
					   "45 0x7 0x1 0x1 0x0 0x0 0x7ffe00001000 0x7f0012345678\n",
					   "45 7 1 1 0 0 0 0x7ffe00001000 0x7f0012345678\n" };
	struct rf_task_call call = { .number = 5 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i], &call), -EBADMSG);
	assert_int_equal(call.number, 5);
}

static void children_are_told_one_after_the_other(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} rows[] = { { "", 0 },	       { " ", 0 },	  { "12", 0 },		 { "12 ", 1 },
		     { "12 345 ", 2 }, { "12 34", 1 },	  { "12 x ", 1 },	 { "0 12 ", 0 },
		     { "-1 ", 0 },     { "4194305 ", 0 }, { "99999999999 ", 0 }, { "12  13 ", 1 } };
	pid_t pids[3] = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(rf_task_children_parse(rows[i].text, strlen(rows[i].text), pids, 3), rows[i].n);
	assert_int_equal(rf_task_children_parse("12 345 6 7 ", 11, pids, 3), 3);
	assert_int_equal(pids[0], 12);
	assert_int_equal(pids[1], 345);
	assert_int_equal(pids[2], 6);
}

static void calls_that_wait_on_sockets_are_known(void **state)
{
	struct rf_task_call call = { .number = SYS_connect };

	(void)state;
	assert_true(rf_task_call_is_socket(&call));
	call.number = SYS_accept;
	assert_false(rf_task_call_is_socket(&call));
	call.number = -1;
	assert_false(rf_task_call_is_socket(&call));
}

static void what_a_function_is_for_is_in_its_name(void **state)
{
	(void)state;
	assert_true(rf_task_sleeps_for_files("rpc_wait_bit_killable"));
	assert_true(rf_task_sleeps_for_files("nfs_wait_bit_killable"));
	assert_false(rf_task_sleeps_for_files("wait_woken"));
	assert_false(rf_task_sleeps_for_files("0"));
	assert_true(rf_task_is_stopped("do_freezer_trap"));
	assert_false(rf_task_is_stopped("wait_woken"));
	assert_false(rf_task_is_stopped(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_receives_on_what_it_opened_waits_for_the_network),
		cmocka_unit_test(who_receives_on_what_was_opened_to_it_waits_for_its_users),
		cmocka_unit_test(what_its_child_waits_for_it_waits_for),
		cmocka_unit_test(loopback_a_pipe_and_poll_are_not_the_network),
		cmocka_unit_test(children_are_told_one_after_the_other),
		cmocka_unit_test(who_has_a_thread_that_runs_does_not_wait),
		cmocka_unit_test(who_is_stopped_waits_for_no_network),
		cmocka_unit_test(without_room_nothing_is_told),
		cmocka_unit_test(a_socket_that_was_seen_is_not_looked_up_again),
		cmocka_unit_test(a_call_is_told_with_its_descriptor),
		cmocka_unit_test(of_a_task_of_32_bits_no_call_is_told),
		cmocka_unit_test(what_is_no_such_line_is_refused),
		cmocka_unit_test(calls_that_wait_on_sockets_are_known),
		cmocka_unit_test(what_a_function_is_for_is_in_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
