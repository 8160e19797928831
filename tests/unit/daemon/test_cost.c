// SPDX-License-Identifier: GPL-2.0-or-later
/* What the daemon and its children take: this program and its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/daemon/cost.h"
#include "user/lib/clock.h"

#define BURN_NS	     (300 * RF_NSEC_PER_MSEC)
#define MEMORY_BYTES (8 << 20)

static void burn(void)
{
	struct timespec now;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	while (now.tv_sec == 0 && now.tv_nsec < (long)BURN_NS);
}

static void what_this_process_takes_is_its_own(void **state)
{
	struct rf_snapshot before = { 0 }, after = { 0 };

	(void)state;
	rf_cost_fill(&before);
	burn();
	rf_cost_fill(&after);
	assert_true(after.cpu_s >= before.cpu_s && after.cpu_s >= 0.29);
	assert_true(after.rss_bytes > 4096 && after.rss_bytes != RF_UNKNOWN);
	assert_true(after.open_fds >= 3);
	assert_true(after.children_cpu_s < 0.1);
	assert_true(after.children_rss_bytes == 0 || after.children_rss_bytes == RF_UNKNOWN);
}

static void a_child_counts_while_it_lives_and_its_time_afterwards(void **state)
{
	struct rf_snapshot none = { 0 }, alive = { 0 }, ended = { 0 };
	int ready[2], end[2];
	char byte = 0;
	pid_t child;

	(void)state;
	rf_cost_fill(&none);
	if (none.children_rss_bytes == RF_UNKNOWN) /* without CONFIG_PROC_CHILDREN */
		skip();
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	child = fork();
	if (!child) {
		volatile char *memory = malloc(MEMORY_BYTES);

		close(end[1]);
		for (size_t i = 0; memory && i < MEMORY_BYTES; i += 4096)
			memory[i] = 1;
		burn();
		_exit(write(ready[1], &byte, 1) != 1 || read(end[0], &byte, 1) != 0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	rf_cost_fill(&alive);
	assert_true(alive.children_cpu_s - none.children_cpu_s >= 0.25);
	assert_true(alive.children_rss_bytes >= MEMORY_BYTES);
	close(end[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	rf_cost_fill(&ended);
	assert_true(ended.children_cpu_s >= alive.children_cpu_s);
	assert_true(ended.children_rss_bytes == 0);
	close(end[0]);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_this_process_takes_is_its_own),
		cmocka_unit_test(a_child_counts_while_it_lives_and_its_time_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
