// SPDX-License-Identifier: GPL-2.0-or-later
/* Snapshots: names of counters and errors, and that nothing is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ctype.h>

#include "user/lib/util.h"
#include "user/model/snapshot.h"

static void a_counters_key_is_its_name_in_lower_case(void **state)
{
	static const char *const suffixes[] = {
#define X(id, name, labels, help) #id,
		RF_COUNTERS(X)
#undef X
	};

	(void)state;
	for (enum rf_counter c = 0; c < RF_COUNTER_COUNT; c++) {
		const char *key = rf_counter_key(c);

		assert_int_equal(strlen(key), strlen(suffixes[c]));
		for (size_t i = 0; key[i]; i++)
			assert_int_equal(key[i], tolower(suffixes[c][i]));
	}
	assert_string_equal(rf_counter_key(RF_COUNTER_EGRESS_DENY), "egress_deny");
	assert_string_equal(rf_counter_key(RF_COUNTER_COUNT), "unknown");
}

static void every_error_has_a_name_and_help(void **state)
{
	(void)state;
	for (enum rf_error e = 0; e < RF_ERROR_COUNT; e++)
		assert_true(*rf_error_name(e) && *rf_error_help(e));
	assert_string_equal(rf_error_name(RF_ERROR_PATH_READ), "path_read");
	assert_string_equal(rf_error_name(RF_ERROR_COUNT), "unknown");
	assert_string_equal(rf_error_help(RF_ERROR_COUNT), "unknown");
}

static void everything_owned_is_freed(void **state)
{
	struct rf_snapshot *s = calloc(1, sizeof(*s));
	struct rf_workload_row *w = calloc(1, sizeof(*w));

	(void)state;
	/* The address sanitizer tells what was forgotten. */
	s->root = strdup("x");
	s->bpffs = strdup("x");
	s->last_error = strdup("x");
	s->features[RF_FEATURE_COUNT - 1].why = strdup("x");
	s->hooks[RF_HOOK_COUNT - 1].why = strdup("x");
	w->name = strdup("x");
	w->tenant = strdup("x");
	w->namespace = strdup("x");
	w->short_name = strdup("x");
	w->path = strdup("x");
	w->policies = calloc(1, sizeof(char *));
	w->policies[0] = strdup("x");
	w->n_policies = 1;
	s->workloads = w;
	s->n_workloads = 1;
	rf_snapshot_fini(s);
	assert_int_equal(s->n_workloads, 0);
	/* Twice is as good as once. */
	rf_snapshot_fini(s);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counters_key_is_its_name_in_lower_case),
		cmocka_unit_test(every_error_has_a_name_and_help),
		cmocka_unit_test(everything_owned_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
