// SPDX-License-Identifier: GPL-2.0-or-later
/* Which functions are ours, under which names, and which files have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "user/lib/util.h"
#include "user/model/calls.h"

static void versions_and_variants_are_the_same_function(void **state)
{
	static const char *const same[] = { "cuMemcpyHtoD", "cuMemcpyHtoD_v2", "cuMemcpyHtoD_v2_ptds",
					    "cuMemcpyHtoD_ptds" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		assert_int_equal(rf_call_cookie(same[i]), rf_call_cookie("cuMemcpyHtoD"));
	assert_int_not_equal(rf_call_cookie("cuMemcpyHtoD"), rf_call_cookie("cuMemcpyHtoDAsync_v2"));
}

static void what_only_begins_like_one_is_none(void **state)
{
	static const char *const none[] = { "",
					    "cu",
					    "cuLaunchKernels",
					    "cuLaunchHostFunc",
					    "cuMemcpy_v",
					    "cuMemcpy_vv",
					    "cuMemcpy_v2x",
					    "cuMemcpyHtoA",
					    "cudaMallocx",
					    "xcuLaunchKernel",
					    "cuGetProcAddressx" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(rf_call_cookie(none[i]), 0);
}

static void a_cookie_says_what_the_call_is(void **state)
{
	uint64_t copy = rf_call_cookie("cudaMemcpy"), query = rf_call_cookie("cuStreamQuery");

	(void)state;
	assert_int_equal(RF_CALL_KIND(rf_call_cookie("hipLaunchKernel")), RF_CALL_LAUNCH);
	assert_int_equal(RF_CALL_KIND(rf_call_cookie("cudaGraphLaunch_ptsz")), RF_CALL_GRAPH);
	assert_int_equal(RF_CALL_KIND(copy), RF_CALL_COPY);
	assert_int_equal(RF_CALL_SIZE(copy), 3);
	assert_true(copy & RF_CALL_BLOCKS);
	assert_false(rf_call_cookie("cudaMemcpyAsync") & RF_CALL_BLOCKS);
	assert_int_equal(RF_CALL_KIND(query), RF_CALL_SYNC);
	assert_true(query & RF_CALL_POLLS);
	assert_true(rf_call_cookie("clCreateBuffer") & RF_CALL_POINTER);
	assert_true(rf_call_cookie("cuGetProcAddress_v2") & RF_CALL_RESOLVES);
}

static int check_name(const char *name, uint64_t cookie, void *arg)
{
	assert_true(strlen(name) < RF_CALL_NAME);
	assert_true(cookie & RF_CALL_GIVEN);
	assert_int_equal(rf_call_cookie(name), cookie);
	assert_true(RF_CALL_KIND(cookie) < RF_CALL_KINDS);
	assert_true(RF_CALL_SIZE(cookie) <= 5);
	++*(int *)arg;
	return 0;
}

static void every_name_is_found_fits_and_is_there_once(void **state)
{
	int n = 0;

	(void)state;
	assert_int_equal(rf_call_names_each(check_name, &n), 0);
	assert_true(n > 80 && n <= RF_MAX_CALL_NAMES);
}

static void libraries_are_told_by_their_files_names(void **state)
{
	static const char *const yes[] = { "/usr/lib/x86_64-linux-gnu/libcuda.so.550.54.15",
					   "libcuda.so",
					   "/opt/rocm/lib/libamdhip64.so.6",
					   "/usr/lib/libOpenCL.so.1",
					   "/v/nvidia/cuda_runtime/lib/libcudart.so.12",
					   "/v/torch/lib/libcudart-d0da41ae.so.11.0",
					   "/t/libcuda.so.1 (deleted)" };
	static const char *const no[] = { "",
					  "/",
					  "/usr/lib/libcudnn.so.9",
					  "/usr/lib/libc.so.6",
					  "/tmp/libcuda.txt",
					  "/libcuda.so.1/x",
					  "/usr/lib/libcudadebugger.so.1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_true(rf_call_is_library(yes[i]));
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_false(rf_call_is_library(no[i]));
	assert_true(rf_call_is_driver("/usr/lib/libcuda.so.1"));
	assert_false(rf_call_is_driver("/usr/lib/libcudart.so.12"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_and_variants_are_the_same_function),
		cmocka_unit_test(what_only_begins_like_one_is_none),
		cmocka_unit_test(a_cookie_says_what_the_call_is),
		cmocka_unit_test(every_name_is_found_fits_and_is_there_once),
		cmocka_unit_test(libraries_are_told_by_their_files_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
