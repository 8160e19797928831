// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose a process is that NVML tells of, also when it has ended and when its id has been given to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "ringfence/limits.h"
#include "ringfence/workload_map.h"
#include "user/daemon/gpu_join.h"
#include "user/lib/clock.h"
#include "user/lib/util.h"

#define S      RF_NSEC_PER_SEC
#define NONE   RF_GPU_INSTANCE_NONE
#define DEVICE "0000:3b:00.0"
#define OFFSET (1000000 * S) /* from CLOCK_BOOTTIME to CLOCK_REALTIME */

/* The processes of this host. */
struct host {
	struct {
		uint32_t pid;
		struct rf_gpu_identity who;
	} list[4];
	bool everybody; /* every id is a process of workload 2 */
};

static int identify(uint32_t pid, struct rf_gpu_identity *ret, void *arg)
{
	const struct host *host = arg;

	for (size_t i = 0; i < ARRAY_SIZE(host->list); i++) {
		if (host->list[i].pid != pid)
			continue;
		*ret = host->list[i].who;
		return 0;
	}
	*ret = (struct rf_gpu_identity){ .start_ns = S, .workload = 2, .cgroup = 200 };
	return host->everybody ? 0 : -ESRCH;
}

static struct rf_gpu_join *join_of(struct host *host)
{
	struct rf_gpu_join *j = NULL;

	assert_int_equal(rf_gpu_join_new(identify, host, &j), 0);
	return j;
}

static void tell_instance(struct rf_gpu_join *j, uint32_t pid, uint64_t at_ns, uint64_t busy_ns, uint64_t bytes,
			  uint32_t gi, uint32_t ci)
{
	struct rf_gpu_process_message m = { .parent = DEVICE,
					    .pid = pid,
					    .gpu_instance = gi,
					    .compute_instance = ci,
					    .present = 1,
					    .sampled_ns = at_ns,
					    .bytes = bytes,
					    .busy_ns = busy_ns };

	rf_gpu_join_process(j, &m);
}

static void tell(struct rf_gpu_join *j, uint32_t pid, uint64_t at_ns, uint64_t busy_ns, uint64_t bytes)
{
	tell_instance(j, pid, at_ns, busy_ns, bytes, NONE, NONE);
}

static void rest(struct rf_gpu_join *j, uint32_t pid, uint64_t at_ns, uint64_t busy_ns)
{
	struct rf_gpu_process_message m = { .parent = DEVICE,
					    .pid = pid,
					    .gpu_instance = NONE,
					    .compute_instance = NONE,
					    .sampled_ns = at_ns,
					    .bytes = RF_GPU_UNKNOWN,
					    .busy_ns = busy_ns };

	rf_gpu_join_process(j, &m);
}

static void ended(struct rf_gpu_join *j, uint32_t pid, uint64_t began_ns, uint64_t busy_ns, uint64_t peak)
{
	struct rf_gpu_ended_message m = {
		.parent = DEVICE, .pid = pid, .started_ns = began_ns + OFFSET, .busy_ns = busy_ns, .bytes_peak = peak
	};

	rf_gpu_join_ended(j, &m, OFFSET, 5 * S);
}

struct wanted {
	uint32_t workload, gi;
	struct rf_gpu_use sum;
	size_t rows;
};

static void take(const struct rf_gpu_use *use, void *arg)
{
	struct wanted *w = arg;

	if (use->workload != w->workload || (w->gi != NONE && use->gpu_instance != w->gi))
		return;
	w->sum.busy_ns += use->busy_ns;
	w->sum.energy_uj += use->energy_uj;
	w->sum.bytes += use->bytes;
	w->sum.bytes_peak += use->bytes_peak;
	w->sum.processes += use->processes;
	w->rows++;
}

static struct rf_gpu_use sum_of(const struct rf_gpu_join *j, uint32_t workload)
{
	struct wanted w = { .workload = workload, .gi = NONE };

	rf_gpu_join_each(j, take, &w);
	return w.sum;
}

static uint64_t unjoined(const struct rf_gpu_join *j)
{
	struct rf_gpu_join_stats stats;

	rf_gpu_join_stats(j, &stats);
	return stats.unjoined;
}

static void a_process_is_its_workloads_and_what_is_on_the_device_is_summed(void **state)
{
	struct host host = { .list = { { 10, { 1 * S, 2, 200 } },
				       { 11, { 2 * S, 2, 200 } },
				       { 12, { 2 * S, 3, 300 } },
				       { 13, { 2 * S, RF_WORKLOAD_NONE, 0 } } } };
	_cleanup_(rf_gpu_join_freep) struct rf_gpu_join *j = join_of(&host);

	(void)state;
	for (uint64_t at = 10; at < 13; at++) {
		tell(j, 10, at * S, S / 2, 100);
		tell(j, 11, at * S, S / 4, at == 11 ? 900 : 50);
		tell(j, 12, at * S, 0, RF_GPU_UNKNOWN);
		tell(j, 13, at * S, S, 7);
		rf_gpu_join_round(j);
	}
	assert_int_equal(sum_of(j, 2).busy_ns, 3 * (S / 2 + S / 4));
	assert_int_equal(sum_of(j, 2).bytes, 150);
	assert_int_equal(sum_of(j, 2).bytes_peak, 1000);
	assert_int_equal(sum_of(j, 2).processes, 2);
	assert_int_equal(sum_of(j, 3).processes, 1);
	assert_int_equal(sum_of(j, 3).bytes, 0);
	/* Nobody's is nobody's, and known. */
	assert_int_equal(sum_of(j, RF_WORKLOAD_NONE).busy_ns, 0);
	assert_int_equal(unjoined(j), 0);
	/* One left the device. */
	tell(j, 11, 13 * S, 0, 50);
	rf_gpu_join_round(j);
	assert_int_equal(sum_of(j, 2).bytes, 50);
	assert_int_equal(sum_of(j, 2).processes, 1);
	/* Nobody tells any more. */
	rf_gpu_join_lost(j);
	assert_int_equal(sum_of(j, 2).bytes, 0);
	assert_int_equal(sum_of(j, 2).bytes_peak, 1000);
	assert_int_equal(sum_of(j, 2).busy_ns, 3 * (S / 2 + S / 4));
}

static void what_is_told_of_one_that_has_ended_is_still_its_workloads(void **state)
{
	struct host host = { .list = { { 10, { 1 * S, 2, 200 } } } };
	_cleanup_(rf_gpu_join_freep) struct rf_gpu_join *j = join_of(&host);

	(void)state;
	tell(j, 10, 10 * S, S, 100);
	rf_gpu_join_round(j);
	host.list[0].pid = 0;
	rest(j, 10, 11 * S, S / 2);
	rf_gpu_join_round(j);
	assert_int_equal(sum_of(j, 2).busy_ns, S + S / 2);
	assert_int_equal(sum_of(j, 2).processes, 0);
	assert_int_equal(rf_gpu_join_workload(j, 10), 2);
	/* Until it is forgotten. */
	for (int i = 0; i < 12; i++)
		rf_gpu_join_round(j);
	assert_int_equal(rf_gpu_join_workload(j, 10), RF_WORKLOAD_NONE);
	rest(j, 10, 30 * S, S);
	assert_int_equal(sum_of(j, 2).busy_ns, S + S / 2);
	assert_int_equal(unjoined(j), 1);
}

static void the_same_id_with_another_start_is_another_process(void **state)
{
	struct host host = { .list = { { 10, { 1 * S, 2, 200 } } } };
	_cleanup_(rf_gpu_join_freep) struct rf_gpu_join *j = join_of(&host);

	(void)state;
	tell(j, 10, 10 * S, S, 100);
	rf_gpu_join_round(j);
	host.list[0].who = (struct rf_gpu_identity){ 12 * S, 3, 300 };
	/* Sampled before the second began: the first's. */
	tell(j, 10, 11 * S, S / 2, 100);
	/* The rest comes after the id was given away. */
	rest(j, 10, 13 * S, S / 8);
	rf_gpu_join_round(j);
	tell(j, 10, 14 * S, S / 4, 700);
	rf_gpu_join_round(j);
	assert_int_equal(sum_of(j, 2).busy_ns, S + S / 2 + S / 8);
	assert_int_equal(sum_of(j, 3).busy_ns, S / 4);
	assert_int_equal(sum_of(j, 2).processes, 0);
	assert_int_equal(sum_of(j, 3).bytes, 700);
	assert_int_equal(rf_gpu_join_workload(j, 10), 3);
}

static void one_that_came_and_went_unseen_is_known_by_its_end(void **state)
{
	struct host host = { 0 };
	_cleanup_(rf_gpu_join_freep) struct rf_gpu_join *j = join_of(&host);
	const struct rf_gpu_identity first = { 10 * S, 2, 200 }, second = { 20 * S, 3, 300 };

	(void)state;
	rf_gpu_join_exited(j, 10, &first, 12 * S);
	rf_gpu_join_exited(j, 10, &second, 22 * S);
	ended(j, 10, 11 * S, S, 500);
	assert_int_equal(sum_of(j, 2).busy_ns, S);
	assert_int_equal(sum_of(j, 2).bytes_peak, 500);
	assert_int_equal(sum_of(j, 3).busy_ns, 0);
	rest(j, 10, 21 * S, S / 2);
	assert_int_equal(sum_of(j, 3).busy_ns, S / 2);
	/* Between the two nobody had the id. */
	ended(j, 10, 15 * S, S, 500);
	assert_int_equal(unjoined(j), 1);
	assert_int_equal(sum_of(j, 2).busy_ns, S);
}

static void what_accounting_tells_after_the_end_is_charged_as_far_as_it_was_not(void **state)
{
	struct host host = {
		.list = { { 10, { 6 * S, 2, 200 } }, { 11, { 6 * S, 2, 200 } }, { 12, { 1 * S, 2, 200 } } }
	};
	_cleanup_(rf_gpu_join_freep) struct rf_gpu_join *j = join_of(&host);

	(void)state;
	tell(j, 10, 10 * S, S, 100);
	rf_gpu_join_round(j);
	ended(j, 10, 7 * S, 3 * S, 900);
	assert_int_equal(sum_of(j, 2).busy_ns, 3 * S);
	assert_int_equal(sum_of(j, 2).bytes_peak, 900);
	/* It said less than the samples did. */
	tell(j, 11, 10 * S, S, 100);
	ended(j, 11, 7 * S, S / 2, RF_GPU_UNKNOWN);
	assert_int_equal(sum_of(j, 2).busy_ns, 4 * S);
	/* Twice is once. */
	tell(j, 11, 12 * S, S, 100);
	ended(j, 11, 11 * S, S, 100);
	assert_int_equal(sum_of(j, 2).busy_ns, 5 * S);
	/* What it used before anybody counted is not charged at its end; this one has used it for long. */
	ended(j, 12, 2 * S, 1000 * S, 100);
	assert_int_equal(sum_of(j, 2).busy_ns, 5 * S);
	ended(j, 12, 6 * S, RF_GPU_UNKNOWN, 100);
	assert_int_equal(sum_of(j, 2).busy_ns, 5 * S);
}

static void instances_of_mig_are_apart(void **state)
{
	struct host host = { .list = { { 10, { 1 * S, 2, 200 } } } };
	_cleanup_(rf_gpu_join_freep) struct rf_gpu_join *j = join_of(&host);
	struct wanted w = { .workload = 2, .gi = 1 };

	(void)state;
	tell_instance(j, 10, 10 * S, 0, 100, 1, 0);
	tell_instance(j, 10, 10 * S, 0, 30, 2, 0);
	rf_gpu_join_round(j);
	assert_int_equal(sum_of(j, 2).bytes, 130);
	rf_gpu_join_each(j, take, &w);
	assert_int_equal(w.rows, 1);
	assert_int_equal(w.sum.bytes, 100);
}

static bool is_3(uint32_t workload, uint64_t cgroup, void *arg)
{
	(void)arg;
	return workload == 3 && cgroup == 300;
}

static void what_a_workload_had_goes_with_it(void **state)
{
	struct host host = {
		.list = { { 10, { 1 * S, 2, 200 } }, { 11, { 1 * S, 3, 300 } }, { 12, { 1 * S, 3, 301 } } }
	};
	_cleanup_(rf_gpu_join_freep) struct rf_gpu_join *j = join_of(&host);
	struct rf_gpu_join_stats stats;

	(void)state;
	for (uint32_t pid = 10; pid < 13; pid++)
		tell(j, pid, 10 * S, S, 100);
	rf_gpu_join_sweep(j, is_3, NULL);
	rf_gpu_join_stats(j, &stats);
	assert_int_equal(stats.uses, 1);
	assert_int_equal(sum_of(j, 3).busy_ns, S);
}

static void there_is_room_for_so_many_and_what_is_more_is_counted(void **state)
{
	struct host host = { .everybody = true };
	_cleanup_(rf_gpu_join_freep) struct rf_gpu_join *j = join_of(&host);
	struct rf_gpu_join_stats stats;

	(void)state;
	for (uint32_t pid = 1; pid <= RF_MAX_GPU_PROCESSES; pid++)
		tell(j, pid, 10 * S, 1, 1);
	rf_gpu_join_stats(j, &stats);
	assert_int_equal(stats.full, 0);
	assert_int_equal(stats.contexts, RF_MAX_GPU_PROCESSES);
	tell(j, RF_MAX_GPU_PROCESSES + 1, 10 * S, 1, 1);
	rf_gpu_join_stats(j, &stats);
	assert_int_equal(stats.full, 1);
	assert_int_equal(stats.contexts, RF_MAX_GPU_PROCESSES);
	assert_int_equal(sum_of(j, 2).busy_ns, RF_MAX_GPU_PROCESSES);
	/* And nothing is left behind. */
	for (int i = 0; i < 12; i++)
		rf_gpu_join_round(j);
	rf_gpu_join_stats(j, &stats);
	assert_int_equal(stats.contexts, 0);
}

struct parts {
	uint64_t uj[8]; /* by workload */
};

static void part_take(const struct rf_gpu_use *use, uint64_t microjoules, void *arg)
{
	struct parts *parts = arg;

	assert_in_range(use->workload, 0, ARRAY_SIZE(parts->uj) - 1);
	parts->uj[use->workload] += microjoules;
}

static void energy_is_of_who_worked_and_what_nobody_worked_for_is_nobodys(void **state)
{
	struct host host = { .list = { { 10, { 1 * S, 2, 200 } }, { 12, { 2 * S, 3, 300 } } } };
	_cleanup_(rf_gpu_join_freep) struct rf_gpu_join *j = join_of(&host);
	struct parts parts = { 0 };

	(void)state;
	tell(j, 10, 10 * S, S / 2, 1);
	tell(j, 12, 10 * S, S / 4, 1);
	rf_gpu_join_round(j);
	rf_gpu_join_energy(j, "0000:00:00.0", 100, S, part_take, &parts);
	assert_int_equal(parts.uj[2] + parts.uj[3], 0);
	rf_gpu_join_energy(j, DEVICE, 100, S, part_take, &parts);
	assert_int_equal(parts.uj[2], 50000000);
	assert_int_equal(parts.uj[3], 25000000);
	/* Nothing has been done since. */
	rf_gpu_join_energy(j, DEVICE, 100, S, part_take, &parts);
	assert_int_equal(parts.uj[2], 50000000);
	/* More work than time, of two processes at a time: all of it is shared out, and no more. */
	tell(j, 10, 12 * S, 3 * S, 1);
	tell(j, 12, 12 * S, S, 1);
	rf_gpu_join_energy(j, DEVICE, 100, 2 * S, part_take, &parts);
	assert_int_equal(parts.uj[2], 125000000);
	assert_int_equal(parts.uj[3], 50000000);
	assert_int_equal(sum_of(j, 2).energy_uj, 125000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_is_its_workloads_and_what_is_on_the_device_is_summed),
		cmocka_unit_test(what_is_told_of_one_that_has_ended_is_still_its_workloads),
		cmocka_unit_test(the_same_id_with_another_start_is_another_process),
		cmocka_unit_test(one_that_came_and_went_unseen_is_known_by_its_end),
		cmocka_unit_test(what_accounting_tells_after_the_end_is_charged_as_far_as_it_was_not),
		cmocka_unit_test(instances_of_mig_are_apart),
		cmocka_unit_test(what_a_workload_had_goes_with_it),
		cmocka_unit_test(energy_is_of_who_worked_and_what_nobody_worked_for_is_nobodys),
		cmocka_unit_test(there_is_room_for_so_many_and_what_is_more_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
