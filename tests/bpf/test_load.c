// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects that are loaded when they are first needed, which a daemon that starts says nothing of: every kernel must
 * take them. Old ones count more of the stack, and of calls of calls there are eight at most.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/libbpf.h>

#include "user/engine/internal.h"
/* Knows the types of the maps from the above. */
#include "calls.skel.h"

static char verifier_log[16 << 20];

/* What the verifier says last is why. */
static __attribute__((format(printf, 2, 0))) int print_end(enum libbpf_print_level level, const char *format,
							   va_list args)
{
	const char *text = verifier_log, *end;

	vsnprintf(verifier_log, sizeof(verifier_log), format, args);
	if (level != LIBBPF_WARN)
		return 0;
	if (strlen(text) > 800)
		text += strlen(text) - 800;
	for (; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		print_message("# %.*s\n", (int)(end - text), text);
	}
	return 0;
}

static void programs_on_libraries_are_taken(void **state)
{
	struct calls_bpf *object = calls_bpf__open();
	int r;

	(void)state;
	assert_non_null(object);
	r = calls_bpf__load(object);
	calls_bpf__destroy(object);
	assert_int_equal(r, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_on_libraries_are_taken),
	};

	if (getuid() != 0) {
		puts("1..0 # SKIP loading BPF programs needs root");
		return 4;
	}
	libbpf_set_print(print_end);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
