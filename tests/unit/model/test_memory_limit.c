// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits of device memory: what files say, who keeps one, and whose it is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "user/lib/util.h"
#include "user/model/memory_limit.h"

#define GIB	 (1ULL << 30)
#define NO_LIMIT RF_MEMORY_MAX

static int parse(const char *text, struct rf_dmem *ret)
{
	return rf_dmem_parse(text, strlen(text), ret);
}

static void regions_are_read_with_their_bytes(void **state)
{
	struct rf_dmem d;

	(void)state;
	assert_int_equal(parse("drm/0000:03:00.0/vram0 12550144\ndrm/0000:03:00.0/stolen max\n", &d), 0);
	assert_int_equal(d.n, 2);
	assert_true(rf_dmem_find(&d, "drm/0000:03:00.0/vram0")->bytes == 12550144);
	assert_true(rf_dmem_find(&d, "drm/0000:03:00.0/stolen")->bytes == NO_LIMIT);
	assert_null(rf_dmem_find(&d, "drm/0000:03:00.0/vram"));
	assert_int_equal(parse("", &d), 0);
	assert_int_equal(d.n, 0);
}

static void what_is_no_such_file_is_refused(void **state)
{
	static const char *const bad[] = { "a",		  "a \n",     "a x\n",
					   "a 1x\n",	  "a -1\n",   "a 1 2\n",
					   "a maximum\n", "\x01 1\n", "a 18446744073709551615\n" };
	struct rf_dmem d = { .n = 7 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i], &d), -EBADMSG);
	assert_int_equal(d.n, 7);
}

/* As many as fit, one more, and a name at its limit and past it. */
static void bounds_are_kept(void **state)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	char name[RF_DMEM_NAME + 8];
	static struct rf_dmem d;

	(void)state;
	for (int i = 0; i < RF_DMEM_REGIONS; i++)
		rf_strbuf_addf(&text, "r%d 1\n", i);
	assert_int_equal(parse(rf_strbuf_str(&text), &d), 0);
	assert_int_equal(d.n, RF_DMEM_REGIONS);
	rf_strbuf_adds(&text, "more 1\n");
	assert_int_equal(parse(rf_strbuf_str(&text), &d), -E2BIG);
	memset(name, 'n', sizeof(name));
	snprintf(name + RF_DMEM_NAME - 1, 8, " 1\n");
	assert_int_equal(parse(name, &d), 0);
	memset(name, 'n', RF_DMEM_NAME);
	snprintf(name + RF_DMEM_NAME, 8, " 1\n");
	assert_int_equal(parse(name, &d), -EBADMSG);
}

static void only_memory_of_the_device_is_its_own(void **state)
{
	(void)state;
	assert_true(rf_dmem_is_vram("drm/0000:03:00.0/vram0", "0000:03:00.0"));
	assert_true(rf_dmem_is_vram("drm/0000:03:00.0/vram", "0000:03:00.0"));
	assert_false(rf_dmem_is_vram("drm/0000:03:00.0/gtt", "0000:03:00.0"));
	assert_false(rf_dmem_is_vram("drm/0000:03:00.0/stolen", "0000:03:00.0"));
	assert_false(rf_dmem_is_vram("drm/0000:03:00.1/vram0", "0000:03:00.0"));
	assert_false(rf_dmem_is_vram("drm/0000:03:00.01/vram0", "0000:03:00.0"));
	assert_false(rf_dmem_is_vram("vram0", "0000:03:00.0"));
	assert_false(rf_dmem_is_vram("drm//vram0", ""));
}

static void the_best_that_can_keeps_it(void **state)
{
	(void)state;
	assert_int_equal(rf_memory_method_choose(0), RF_MEMORY_NONE);
	assert_int_equal(rf_memory_method_choose(1u << RF_MEMORY_IOCTL | 1u << RF_MEMORY_DMEM), RF_MEMORY_DMEM);
	assert_int_equal(rf_memory_method_choose(1u << RF_MEMORY_NVML | 1u << RF_MEMORY_DETECT), RF_MEMORY_NVML);
	assert_int_equal(rf_memory_method_choose(1u << RF_MEMORY_DETECT), RF_MEMORY_DETECT);
	assert_string_equal(rf_memory_method_name(RF_MEMORY_DMEM), "dmem");
	assert_string_equal(rf_memory_method_name(RF_MEMORY_METHOD_COUNT), "unknown");
}

/* As the kernel would: returns what is in force after the step. */
static uint64_t step(struct rf_memory_claim *c, uint64_t wanted, uint64_t present)
{
	uint64_t write = 4711;

	return rf_memory_claim_step(c, wanted, present, &write) ? write : present;
}

static struct rf_memory_claim nobodys(void)
{
	return (struct rf_memory_claim){ "r", NO_LIMIT, NO_LIMIT, NO_LIMIT };
}

static void a_limit_is_set_follows_and_goes(void **state)
{
	struct rf_memory_claim c = nobodys();
	uint64_t write;

	(void)state;
	assert_true(step(&c, 8 * GIB, NO_LIMIT) == 8 * GIB);
	assert_false(rf_memory_claim_step(&c, 8 * GIB, 8 * GIB, &write));
	assert_true(step(&c, 4 * GIB, 8 * GIB) == 4 * GIB);
	assert_true(step(&c, 16 * GIB, 4 * GIB) == 16 * GIB);
	assert_true(step(&c, NO_LIMIT, 16 * GIB) == NO_LIMIT);
	assert_true(c.asked == NO_LIMIT);
}

static void what_was_there_comes_back(void **state)
{
	struct rf_memory_claim c = nobodys();

	(void)state;
	assert_true(step(&c, 8 * GIB, 20 * GIB) == 8 * GIB);
	assert_true(step(&c, NO_LIMIT, 8 * GIB) == 20 * GIB);
	/* A quota that is no stricter gives it back, too. */
	assert_true(step(&c, 8 * GIB, 20 * GIB) == 8 * GIB);
	assert_true(step(&c, 30 * GIB, 8 * GIB) == 20 * GIB);
	assert_true(c.asked == NO_LIMIT);
}

static void a_lower_one_of_somebody_elses_is_left(void **state)
{
	struct rf_memory_claim c = nobodys();

	(void)state;
	assert_true(step(&c, 8 * GIB, 2 * GIB) == 2 * GIB);
	assert_true(c.asked == NO_LIMIT);
	assert_true(step(&c, NO_LIMIT, 2 * GIB) == 2 * GIB);
	/* Lowered while ours was in force: it stays when ours goes. */
	assert_true(step(&c, 8 * GIB, NO_LIMIT) == 8 * GIB);
	assert_true(step(&c, 8 * GIB, 3 * GIB) == 3 * GIB);
	assert_true(step(&c, NO_LIMIT, 3 * GIB) == 3 * GIB);
}

static void one_that_was_raised_is_set_again(void **state)
{
	struct rf_memory_claim c = nobodys();

	(void)state;
	assert_true(step(&c, 8 * GIB, NO_LIMIT) == 8 * GIB);
	assert_true(step(&c, 8 * GIB, 12 * GIB) == 8 * GIB);
	assert_true(step(&c, NO_LIMIT, 8 * GIB) == 12 * GIB);
}

static void one_that_is_just_what_is_wanted_is_somebody_elses(void **state)
{
	struct rf_memory_claim c = nobodys();

	(void)state;
	assert_true(step(&c, 8 * GIB, 8 * GIB) == 8 * GIB);
	assert_true(c.asked == NO_LIMIT);
	assert_true(step(&c, NO_LIMIT, 8 * GIB) == 8 * GIB);
	/* Likewise one that became that while ours was another. */
	assert_true(step(&c, 4 * GIB, NO_LIMIT) == 4 * GIB);
	assert_true(step(&c, 8 * GIB, 8 * GIB) == 8 * GIB);
	assert_true(step(&c, NO_LIMIT, 8 * GIB) == 8 * GIB);
}

static void where_it_is_written_down_late_it_is_ours(void **state)
{
	struct rf_memory_claim c = nobodys();

	(void)state;
	rf_memory_claim_adopt(&c, 8 * GIB, 8 * GIB);
	assert_true(step(&c, 8 * GIB, 8 * GIB) == 8 * GIB);
	assert_true(step(&c, NO_LIMIT, 8 * GIB) == NO_LIMIT);
	/* None but that. */
	rf_memory_claim_adopt(&c, 8 * GIB, 9 * GIB);
	assert_true(c.asked == NO_LIMIT);
	rf_memory_claim_adopt(&c, NO_LIMIT, NO_LIMIT);
	assert_true(c.asked == NO_LIMIT);
	/* What is known of ours stays known. */
	assert_true(step(&c, 8 * GIB, 20 * GIB) == 8 * GIB);
	rf_memory_claim_adopt(&c, 8 * GIB, 8 * GIB);
	assert_true(step(&c, NO_LIMIT, 8 * GIB) == 20 * GIB);
}

static void one_that_was_rounded_stays_ours(void **state)
{
	struct rf_memory_claim c = nobodys();
	uint64_t write;

	(void)state;
	assert_true(rf_memory_claim_step(&c, 1000000, NO_LIMIT, &write));
	c.ours = 1 << 20;
	assert_false(rf_memory_claim_step(&c, 1000000, 1 << 20, &write));
	assert_true(step(&c, NO_LIMIT, 1 << 20) == NO_LIMIT);
}

static void claims_are_read_as_they_were_written(void **state)
{
	struct rf_memory_claims claims = { NULL, 0 }, again;
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	(void)state;
	*rf_memory_claims_get(&claims, "0000:3b:00.0") = (struct rf_memory_claim){ "0000:3b:00.0", 5, 6, NO_LIMIT };
	(void)rf_memory_claims_get(&claims, "nobodys");
	rf_memory_claims_format(&claims, &text);
	assert_string_equal(rf_strbuf_str(&text), "0000:3b:00.0 5 6 max\n");
	assert_int_equal(rf_memory_claims_parse(rf_strbuf_str(&text), text.len, &again), 0);
	assert_int_equal(again.n, 1);
	assert_true(again.list[0].asked == 5 && again.list[0].ours == 6 && again.list[0].before == NO_LIMIT);
	rf_memory_claims_fini(&again);
	assert_int_equal(rf_memory_claims_parse("a 1 2\n", 6, &again), -EBADMSG);
	assert_int_equal(rf_memory_claims_parse("a 1 2 3 4\n", 10, &again), -EBADMSG);
	rf_memory_claims_fini(&claims);
}

static void a_request_is_read_as_it_was_written(void **state)
{
	const struct rf_memory_claim claim = { "0000:3b:00.0", 5, 6, NO_LIMIT };
	static struct rf_memory_request r;
	_cleanup_strbuf_ struct rf_strbuf line = RF_STRBUF_INIT;

	(void)state;
	rf_memory_request_format(&claim, 8 * GIB, "/sys/fs/cgroup/with space", &line);
	assert_int_equal(rf_memory_request_parse(rf_strbuf_str(&line), line.len, &r), 0);
	assert_string_equal(r.path, "/sys/fs/cgroup/with space");
	assert_string_equal(r.claim.name, "0000:3b:00.0");
	assert_true(r.claim.asked == 5 && r.claim.ours == 6 && r.claim.before == NO_LIMIT && r.wanted == 8 * GIB);
}

static void what_is_no_request_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "a", "a 1 2 3 4", "a 1 2 3 4 ", "a 1 2 3 4 b", "a 1 2 3 x /b", "a 1 2 3 4 /b\nc"
	};
	struct rf_memory_request r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(rf_memory_request_parse(bad[i], strlen(bad[i]), &r), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions_are_read_with_their_bytes),
		cmocka_unit_test(what_is_no_such_file_is_refused),
		cmocka_unit_test(bounds_are_kept),
		cmocka_unit_test(only_memory_of_the_device_is_its_own),
		cmocka_unit_test(the_best_that_can_keeps_it),
		cmocka_unit_test(a_limit_is_set_follows_and_goes),
		cmocka_unit_test(what_was_there_comes_back),
		cmocka_unit_test(a_lower_one_of_somebody_elses_is_left),
		cmocka_unit_test(one_that_was_raised_is_set_again),
		cmocka_unit_test(one_that_is_just_what_is_wanted_is_somebody_elses),
		cmocka_unit_test(where_it_is_written_down_late_it_is_ours),
		cmocka_unit_test(one_that_was_rounded_stays_ours),
		cmocka_unit_test(claims_are_read_as_they_were_written),
		cmocka_unit_test(a_request_is_read_as_it_was_written),
		cmocka_unit_test(what_is_no_request_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
