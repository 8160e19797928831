// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is counted of accelerators when something is seen twice, or its end is
 * not seen, or there is no room for it: the programs' own code at addresses that
 * are made up, and the engine that sweeps behind it.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "tests/bpf/accel_run.h"
#include "tests/bpf/maps_share.h"
#include "tests/bpf/place.h"
#include "user/engine/internal.h"
#include "user/lib/clock.h"

#include "tests/bpf/accel_run.skel.h"

#define ONE    (RF_WORKLOAD_FIRST + 1)
#define OTHER  (RF_WORKLOAD_FIRST + 2)
#define DEVICE 1
#define AT     0xffff888100000000ULL

struct host {
	struct rf_engine *engine;
	struct accel_run_bpf *skeleton;
	struct place place;
};

static void run(struct host *h, struct accel_step step)
{
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet));

	step.workload = step.workload ? step.workload : ONE;
	step.device = step.device ? step.device : DEVICE;
	step.address = step.address ? step.address : AT;
	step.count = step.count ? step.count : 1;
	h->skeleton->bss->accel_step = step;
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(h->skeleton->progs.accel_run), &options), 0);
	assert_int_equal(options.retval, 1);
}

#define RUN(h, what_, ...) run(h, (struct accel_step){ .what = what_, __VA_ARGS__ })

static struct rf_accel_use *row(const struct host *h, uint32_t workload)
{
	struct rf_accel_use *use = rf_engine_accel_use(h->engine, rf_accel_use_find(h->engine, workload, DEVICE));

	assert_non_null(use);
	return use;
}

static int map(const struct host *h, const char *name)
{
	return rf_engine_map_fd(h->engine, name);
}

static uint64_t short_of_room(const struct host *h)
{
	struct rf_snapshot snapshot = { 0 };
	uint64_t n;

	assert_int_equal(rf_engine_snapshot(h->engine, &snapshot), 0);
	n = snapshot.errors[RF_ERROR_ACCEL_FULL];
	rf_snapshot_fini(&snapshot);
	return n;
}

static int begin(void **state)
{
	struct host *h = *state;

	h->engine->accel_devices = 2;
	(void)rf_engine_stats_reset(h->engine, ONE);
	(void)rf_engine_stats_reset(h->engine, OTHER);
	return 0;
}

static void a_file_whose_end_was_missed_is_ended_by_the_next_at_its_address(void **state)
{
	struct host *h = *state;

	RUN(h, ACCEL_OPENED, .tgid = 1);
	RUN(h, ACCEL_OPENED, .workload = OTHER, .tgid = 2);
	assert_int_equal(row(h, ONE)->opens, 1);
	assert_int_equal(row(h, ONE)->files, 0);
	assert_int_equal(row(h, ONE)->held_ns, 0);
	assert_int_equal(row(h, OTHER)->opens, 1);
	assert_int_equal(row(h, OTHER)->files, 1);
	RUN(h, ACCEL_CLOSED);
	assert_int_equal(row(h, OTHER)->files, 0);
	assert_true(row(h, OTHER)->held_ns > 0);
	RUN(h, ACCEL_CLOSED);
	assert_int_equal(row(h, OTHER)->files, 0);
}

static void an_opening_that_two_see_is_one(void **state)
{
	struct host *h = *state;

	bool in_time = false;

	/* Where it takes longer than two of us are apart, it is tried again. */
	for (int i = 0; i < 100 && !in_time; i++) {
		uint64_t began = rf_clock_monotonic();

		RUN(h, ACCEL_OPENED, .tgid = 1, .address = AT + i * ACCEL_STRIDE);
		RUN(h, ACCEL_OPENED, .tgid = 1, .address = AT + i * ACCEL_STRIDE);
		in_time = rf_clock_monotonic() - began < 1000000;
		if (in_time)
			assert_int_equal(row(h, ONE)->opens, 2 * i + 1);
		assert_int_equal(row(h, ONE)->files, 1);
		RUN(h, ACCEL_CLOSED, .address = AT + i * ACCEL_STRIDE);
		assert_int_equal(row(h, ONE)->files, 0);
	}
	assert_true(in_time);
}

static void the_same_opener_again_at_the_address_is_another_file(void **state)
{
	struct host *h = *state;
	struct rf_accel_file file;
	uint64_t address = AT, before;

	RUN(h, ACCEL_OPENED, .tgid = 1);
	assert_int_equal(bpf_map_lookup_elem(map(h, "rf_accel_file_map"), &address, &file), 0);
	before = file.opened_ns -= 2000000;
	assert_int_equal(bpf_map_update_elem(map(h, "rf_accel_file_map"), &address, &file, BPF_EXIST), 0);
	RUN(h, ACCEL_OPENED, .tgid = 1);
	assert_int_equal(row(h, ONE)->opens, 2);
	assert_int_equal(row(h, ONE)->files, 1);
	assert_int_equal(bpf_map_lookup_elem(map(h, "rf_accel_file_map"), &address, &file), 0);
	assert_true(file.opened_ns > before);
	RUN(h, ACCEL_CLOSED);
}

static void a_buffer_whose_end_was_missed_is_ended_by_the_next_at_its_address(void **state)
{
	struct host *h = *state;

	RUN(h, ACCEL_MADE, .size = 4096);
	RUN(h, ACCEL_MADE, .size = 4096);
	assert_int_equal(row(h, ONE)->bytes, 4096);
	RUN(h, ACCEL_MADE, .size = 12288);
	assert_int_equal(row(h, ONE)->bytes, 12288);
	RUN(h, ACCEL_MADE, .workload = OTHER, .size = 8192);
	assert_int_equal(row(h, ONE)->bytes, 0);
	assert_int_equal(row(h, ONE)->objects, 0);
	assert_int_equal(row(h, OTHER)->bytes, 8192);
	assert_int_equal(row(h, OTHER)->objects, 1);
	RUN(h, ACCEL_GONE);
	RUN(h, ACCEL_GONE);
	assert_int_equal(row(h, OTHER)->bytes, 0);
	assert_int_equal(row(h, OTHER)->objects, 0);
}

static void of_who_has_no_quota_so_many_buffers_are_counted_and_no_more(void **state)
{
	struct host *h = *state;
	uint64_t before = short_of_room(h);

	RUN(h, ACCEL_MADE, .size = 4096, .count = RF_MAX_ACCEL_OBJECTS_EACH);
	assert_int_equal(short_of_room(h), before);
	assert_int_equal(row(h, ONE)->objects, RF_MAX_ACCEL_OBJECTS_EACH);
	RUN(h, ACCEL_MADE, .size = 4096, .address = AT - ACCEL_STRIDE);
	assert_int_equal(short_of_room(h), before + 1);
	assert_int_equal(row(h, ONE)->bytes, 4096ULL * RF_MAX_ACCEL_OBJECTS_EACH);
	RUN(h, ACCEL_MADE, .workload = OTHER, .size = 4096, .address = AT - ACCEL_STRIDE);
	assert_int_equal(row(h, OTHER)->bytes, 4096);
	RUN(h, ACCEL_GONE, .count = RF_MAX_ACCEL_OBJECTS_EACH, .address = AT - ACCEL_STRIDE);
	assert_int_equal(row(h, ONE)->objects, 1);
	assert_int_equal(row(h, OTHER)->objects, 0);
}

static void a_quota_of_memory_is_over_with_so_many_buffers_and_not_with_one_less(void **state)
{
	struct host *h = *state;
	struct rf_accel_use *use;

	RUN(h, ACCEL_MADE, .size = 4096);
	use = row(h, ONE);
	use->quota.memory = 1ULL << 40;
	RUN(h, ACCEL_MADE, .size = 4096, .count = RF_MAX_ACCEL_OBJECTS_EACH - 1);
	assert_int_equal(use->objects, RF_MAX_ACCEL_OBJECTS_EACH - 1);
	assert_int_equal(use->memory_over_s, 0);
	RUN(h, ACCEL_MADE, .size = 4096, .address = AT - ACCEL_STRIDE);
	assert_int_equal(use->memory_over_s, RF_ACCEL_OVER_MANY);
	rf_engine_accel_memory_over(h->engine, ONE, DEVICE);
	assert_int_equal(use->memory_over_s, RF_ACCEL_OVER_MANY);
	/* One that came all the same, as several at a time may. */
	RUN(h, ACCEL_MADE, .size = 4096, .address = AT - 2 * ACCEL_STRIDE);
	assert_int_equal(use->bytes, 4096ULL * (RF_MAX_ACCEL_OBJECTS_EACH + 1));
	RUN(h, ACCEL_GONE);
	assert_int_equal(use->memory_over_s, RF_ACCEL_OVER_MANY);
	RUN(h, ACCEL_GONE, .address = AT + ACCEL_STRIDE);
	assert_int_equal(use->memory_over_s, 0);
}

#define FILL 4096

/* All places, and the last call finds no room. */
static void others_fill(int fd, bool fill)
{
	static struct rf_accel_object objects[FILL];
	static uint64_t addresses[FILL];

	for (uint64_t done = 0; done < RF_MAX_ACCEL_OBJECTS; done += FILL) {
		uint32_t n = FILL;
		int r;

		for (uint64_t i = 0; i < FILL; i++) {
			addresses[i] = AT + (1ULL << 40) + (done + i) * ACCEL_STRIDE;
			objects[i] = (struct rf_accel_object){ .use = 1, .bytes = 4096 };
		}
		r = fill ? bpf_map_update_batch(fd, addresses, objects, &n, NULL) :
			   bpf_map_delete_batch(fd, addresses, &n, NULL);
		/* One place was taken before. */
		assert_true(r == 0 || done + FILL == RF_MAX_ACCEL_OBJECTS);
	}
}

static void a_quota_of_memory_is_over_for_a_while_when_there_is_no_room(void **state)
{
	struct host *h = *state;
	uint64_t before = short_of_room(h), now = rf_clock_monotonic() / RF_NSEC_PER_SEC;

	RUN(h, ACCEL_MADE, .size = 4096);
	others_fill(map(h, "rf_accel_object_map"), true);
	RUN(h, ACCEL_MADE, .size = 4096, .address = AT - ACCEL_STRIDE);
	others_fill(map(h, "rf_accel_object_map"), false);
	assert_int_equal(short_of_room(h), before + 1);
	assert_int_equal(row(h, ONE)->bytes, 4096);
	assert_true(row(h, ONE)->memory_over_s >= now + RF_ACCEL_OVER_UNCOUNTED_S);
	assert_int_not_equal(row(h, ONE)->memory_over_s, RF_ACCEL_OVER_MANY);
}

/* Of another fence whose first place is that of the one at AT. */
static uint64_t same_place(void)
{
	uint64_t fence = AT + ACCEL_STRIDE;

	while (RF_ACCEL_JOB_AT(fence, 0) != RF_ACCEL_JOB_AT(AT, 0))
		fence += ACCEL_STRIDE;
	return fence;
}

static void a_job_that_two_see_is_one_also_when_a_place_before_it_comes_free(void **state)
{
	struct host *h = *state;
	struct rf_accel_job *home = &h->engine->accel_jobs[RF_ACCEL_JOB_AT(AT, 0)];
	uint64_t other = same_place();
	bool in_time = false;

	/* Where it takes longer than two of us are apart, it is tried again. */
	for (int i = 0; i < 100 && !in_time; i++) {
		uint64_t began;

		RUN(h, ACCEL_QUEUED);
		began = rf_clock_monotonic();
		RUN(h, ACCEL_QUEUED, .address = other);
		assert_int_equal(row(h, ONE)->under_way, 2);
		assert_int_equal(home->beyond, 1);
		RUN(h, ACCEL_ENDED);
		RUN(h, ACCEL_QUEUED, .address = other);
		in_time = rf_clock_monotonic() - began < 1000000;
		assert_int_equal(row(h, ONE)->under_way, 1);
		assert_int_equal(home->fence, 0);
		RUN(h, ACCEL_ENDED, .address = other);
		RUN(h, ACCEL_ENDED, .address = other);
		assert_int_equal(row(h, ONE)->under_way, 0);
		assert_int_equal(home->beyond, 0);
	}
	assert_true(in_time);
}

static void sweep(struct host *h)
{
	h->engine->accel_programs = 1;
	for (int i = 0; i < 60; i++)
		rf_engine_accelerators_sweep(h->engine);
	h->engine->accel_programs = 0;
}

static void a_job_that_is_being_made_or_ended_is_not_swept(void **state)
{
	struct host *h = *state;
	struct rf_accel_job *home = &h->engine->accel_jobs[RF_ACCEL_JOB_AT(AT, 0)];
	uint64_t queued;

	RUN(h, ACCEL_QUEUED);
	queued = home->queued_ns;
	home->queued_ns = 0;
	sweep(h);
	assert_int_equal(home->fence, AT);
	assert_int_equal(row(h, ONE)->under_way, 1);
	home->queued_ns = queued;
	sweep(h);
	assert_int_equal(home->fence, AT);
	RUN(h, ACCEL_ENDED);
	assert_int_equal(row(h, ONE)->under_way, 0);
	assert_int_equal(row(h, ONE)->jobs, 1);
}

static void a_job_of_an_hour_ago_is_swept_once(void **state)
{
	struct host *h = *state;
	struct rf_accel_job *home = &h->engine->accel_jobs[RF_ACCEL_JOB_AT(AT, 0)];
	uint64_t other = same_place();

	RUN(h, ACCEL_QUEUED);
	RUN(h, ACCEL_QUEUED, .address = other);
	for (int way = 0; way < RF_ACCEL_JOB_WAYS; way++) {
		struct rf_accel_job *job = &h->engine->accel_jobs[RF_ACCEL_JOB_AT(AT, way)];

		if (job->fence)
			job->queued_ns -= 3601 * RF_NSEC_PER_SEC;
	}
	sweep(h);
	assert_int_equal(home->fence, 0);
	assert_int_equal(home->queued_ns, 0);
	assert_int_equal(home->beyond, 0);
	assert_int_equal(row(h, ONE)->under_way, 0);
	RUN(h, ACCEL_ENDED);
	assert_int_equal(row(h, ONE)->under_way, 0);
	assert_int_equal(row(h, ONE)->jobs, 0);
}

static void a_job_in_a_place_that_is_swept_now_is_charged_as_one_without_a_place(void **state)
{
	struct host *h = *state;
	struct rf_accel_job *home = &h->engine->accel_jobs[RF_ACCEL_JOB_AT(AT, 0)];
	uint64_t before = short_of_room(h);

	RUN(h, ACCEL_QUEUED);
	home->queued_ns = RF_ACCEL_JOB_SWEPT;
	RUN(h, ACCEL_QUEUED);
	assert_int_equal(short_of_room(h), before + 1);
	assert_int_equal(row(h, ONE)->under_way, 1);
	RUN(h, ACCEL_ENDED);
	assert_int_equal(row(h, ONE)->under_way, 1);
	/* The end has taken the mark out, as if the daemon had not died. */
	assert_int_equal(home->fence, AT);
	home->queued_ns = RF_ACCEL_JOB_SWEPT;
	sweep(h);
	assert_int_equal(home->fence, 0);
	assert_int_equal(home->queued_ns, 0);
}

static void so_many_jobs_are_followed_and_the_next_is_charged_what_is_thought_of_it(void **state)
{
	struct host *h = *state;
	uint64_t before = short_of_room(h);
	struct rf_accel_use *use;

	RUN(h, ACCEL_QUEUED);
	use = row(h, ONE);
	use->estimate_ns = 1000000;
	use->quota.time_per_ns = 1024;
	RUN(h, ACCEL_QUEUED, .address = AT + ACCEL_STRIDE, .count = RF_MAX_ACCEL_JOBS_EACH - 1);
	assert_int_equal(short_of_room(h), before);
	assert_int_equal(use->under_way, RF_MAX_ACCEL_JOBS_EACH);
	assert_int_equal(use->busy_ns, 0);
	use->time_paid_ns = rf_clock_monotonic() + 3600 * RF_NSEC_PER_SEC;
	before = use->time_paid_ns;
	RUN(h, ACCEL_QUEUED, .address = AT - ACCEL_STRIDE);
	assert_int_equal(use->under_way, RF_MAX_ACCEL_JOBS_EACH);
	assert_int_equal(use->busy_ns, 1000000);
	assert_int_equal(use->time_paid_ns, before + 1000000);
	RUN(h, ACCEL_QUEUED, .address = AT - ACCEL_STRIDE, .workload = OTHER);
	assert_int_equal(row(h, OTHER)->under_way, 1);
	RUN(h, ACCEL_ENDED, .address = AT - ACCEL_STRIDE, .count = RF_MAX_ACCEL_JOBS_EACH + 1);
	assert_int_equal(use->under_way, 0);
	assert_int_equal(use->jobs, RF_MAX_ACCEL_JOBS_EACH);
	assert_int_equal(row(h, OTHER)->under_way, 0);
}

static void who_comes_next_has_nothing_of_the_last_on_any_device(void **state)
{
	struct host *h = *state;
	uint64_t address = AT, key;

	for (uint32_t device = 1; device <= 2; device++) {
		RUN(h, ACCEL_MADE, .device = device, .size = 4096, .count = 3000, .address = AT + (device << 24));
		RUN(h, ACCEL_OPENED, .device = device, .count = 3000, .address = AT + (device << 24));
		RUN(h, ACCEL_QUEUED, .device = device, .count = 100, .address = AT + (device << 24));
	}
	RUN(h, ACCEL_MADE, .workload = OTHER, .size = 4096);
	RUN(h, ACCEL_OPENED, .workload = OTHER);
	RUN(h, ACCEL_QUEUED, .workload = OTHER);
	assert_int_equal(rf_engine_stats_reset(h->engine, ONE), 0);
	assert_int_equal(rf_accel_use_find(h->engine, ONE, 1), 0);
	assert_int_equal(rf_accel_use_find(h->engine, ONE, 2), 0);
	/* The other's is the only one left. */
	assert_int_equal(bpf_map_get_next_key(map(h, "rf_accel_object_map"), NULL, &key), 0);
	assert_int_equal(key, AT);
	assert_true(bpf_map_get_next_key(map(h, "rf_accel_object_map"), &address, &key) < 0);
	assert_int_equal(bpf_map_get_next_key(map(h, "rf_accel_file_map"), NULL, &key), 0);
	assert_int_equal(key, AT);
	assert_true(bpf_map_get_next_key(map(h, "rf_accel_file_map"), &address, &key) < 0);
	for (uint32_t i = 0; i < RF_MAX_ACCEL_JOBS; i++) {
		assert_true(h->engine->accel_jobs[i].fence == 0 || h->engine->accel_jobs[i].fence == AT);
		assert_int_equal(h->engine->accel_jobs[i].beyond, 0);
	}
	assert_int_equal(row(h, OTHER)->under_way, 1);
	/* What ends now was nobody's that is there. */
	RUN(h, ACCEL_MADE, .size = 4096, .address = AT + ACCEL_STRIDE);
	RUN(h, ACCEL_GONE, .count = 3000, .address = AT + (1 << 24));
	RUN(h, ACCEL_ENDED, .count = 100, .address = AT + (1 << 24));
	assert_int_equal(row(h, ONE)->bytes, 4096);
	assert_int_equal(row(h, ONE)->under_way, 0);
}

/* ---- an engine and the program that shares its maps ---- */

static int host_make(void **state)
{
	struct host *h = calloc(1, sizeof(*h));

	*state = h;
	if (!h || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    place_make(&h->place, "accel-run", &h->engine) < 0)
		return -1;
	h->skeleton = accel_run_bpf__open();
	if (!h->skeleton || maps_share(h->skeleton->obj, h->place.bpffs) < 0 || accel_run_bpf__load(h->skeleton) < 0) {
		print_error("the program with the accounting does not load\n");
		return -1;
	}
	return 0;
}

static int host_end(void **state)
{
	struct host *h = *state;

	accel_run_bpf__destroy(h->skeleton);
	place_remove(&h->place, h->engine);
	free(h);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_whose_end_was_missed_is_ended_by_the_next_at_its_address),
		TEST(an_opening_that_two_see_is_one),
		TEST(the_same_opener_again_at_the_address_is_another_file),
		TEST(a_buffer_whose_end_was_missed_is_ended_by_the_next_at_its_address),
		TEST(of_who_has_no_quota_so_many_buffers_are_counted_and_no_more),
		TEST(a_quota_of_memory_is_over_with_so_many_buffers_and_not_with_one_less),
		TEST(a_quota_of_memory_is_over_for_a_while_when_there_is_no_room),
		TEST(a_job_that_two_see_is_one_also_when_a_place_before_it_comes_free),
		TEST(a_job_that_is_being_made_or_ended_is_not_swept),
		TEST(a_job_of_an_hour_ago_is_swept_once),
		TEST(a_job_in_a_place_that_is_swept_now_is_charged_as_one_without_a_place),
		TEST(so_many_jobs_are_followed_and_the_next_is_charged_what_is_thought_of_it),
		TEST(who_comes_next_has_nothing_of_the_last_on_any_device),
	};

	if (getuid() != 0) {
		puts("1..0 # SKIP loading BPF programs needs root");
		return 4;
	}
	return cmocka_run_group_tests(tests, host_make, host_end);
}
