// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of the kernel's log that tell of an error of NVIDIA's, and those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "user/collect/xid.h"
#include "user/lib/util.h"

static void every_form_of_an_error_is_known(void **state)
{
	static const struct {
		const char *line, *parent;
		uint32_t code, pid, gi, ci;
		const char *comm, *text;
	} cases[] = {
		{ "NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, name=python, GPU has fallen off the bus.", "0000:3b:00.0",
		  79, 1234, RF_XID_INSTANCE, RF_XID_INSTANCE, "python", "GPU has fallen off the bus." },
		{ "NVRM: Xid (PCI:0000:01:00): 79, pid=1122, GPU has fallen off the bus.", "0000:01:00.0", 79, 1122,
		  RF_XID_INSTANCE, RF_XID_INSTANCE, "", "GPU has fallen off the bus." },
		{ "NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.", "0000:01:00.0", 79, 0, RF_XID_INSTANCE,
		  RF_XID_INSTANCE, "", "GPU has fallen off the bus." },
		{ "NVRM: Xid (0000:03:00): 14, Channel 00000001", "0000:03:00.0", 14, 0, RF_XID_INSTANCE,
		  RF_XID_INSTANCE, "", "Channel 00000001" },
		{ "NVRM: Xid (PCI:0000:cb:00): 13, pid='<unknown>', name=<unknown>, Graphics Exception", "0000:cb:00.0",
		  13, 0, RF_XID_INSTANCE, RF_XID_INSTANCE, "", "Graphics Exception" },
		{ "NVRM: Xid (PCI:0000:01:00 GPU-I:05): 94, pid=7194, Contained: CE User Channel (0x9).",
		  "0000:01:00.0", 94, 7194, 5, RF_XID_INSTANCE, "", "Contained: CE User Channel (0x9)." },
		{ "NVRM: Xid (PCI:0000:3b:00 GPU-I:01 GPU-CI:02): 13, pid=9, name=a, Graphics Exception",
		  "0000:3b:00.0", 13, 9, 1, 2, "a", "Graphics Exception" },
		{ "NVRM: Xid (PCI:0019:01:00): 149, NETIR Fatal XC0 i0 Link -1 (0x000fe406)", "0019:01:00.0", 149, 0,
		  RF_XID_INSTANCE, RF_XID_INSTANCE, "", "NETIR Fatal XC0 i0 Link -1 (0x000fe406)" },
		{ "NVRM: Xid (PCI:0000:83:00): 48", "0000:83:00.0", 48, 0, RF_XID_INSTANCE, RF_XID_INSTANCE, "", "" },
		{ "NVRM: Xid (PCI:10000:c1:1f.7): 43, pid=1, name=x", "10000:c1:1f.7", 43, 1, RF_XID_INSTANCE,
		  RF_XID_INSTANCE, "x", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rf_xid x;

		if (rf_xid_parse(cases[i].line, strlen(cases[i].line), &x))
			fail_msg("not known: %s", cases[i].line);
		assert_string_equal(x.parent, cases[i].parent);
		assert_int_equal(x.code, cases[i].code);
		assert_int_equal(x.pid, cases[i].pid);
		assert_int_equal(x.gpu_instance, cases[i].gi);
		assert_int_equal(x.compute_instance, cases[i].ci);
		assert_string_equal(x.comm, cases[i].comm);
		assert_string_equal(x.text, cases[i].text);
	}
}

static void another_line_is_none(void **state)
{
	static const char *const lines[] = {
		"",
		"NVRM: Xid",
		"NVRM: Xid (PCI:0000:3b:00): ",
		"NVRM: Xid (PCI:0000:3b:00): x",
		"NVRM: Xid (PCI:0000:3b:00): 99999, pid=1",
		"NVRM: Xid (PCI:0000:3b:00): 79 pid=1",
		"NVRM: Xid (PCI:0000:3b:00 GPU-I:x): 79, pid=1",
		"NVRM: Xid (PCI:0000:3b): 79, pid=1",
		"NVRM: Xid (PCI:0000:3bb:00): 79, pid=1",
		"NVRM: Xid (PCI:0000:3b:40): 79, pid=1",
		"NVRM: Xid (PCI:fffffffff:3b:00): 79, pid=1",
		"x NVRM: Xid (PCI:0000:3b:00): 79, pid=1",
		"NVRM: GPU at PCI:0000:3b:00: GPU-efbdfde9-5798-a6e7-4c46-12518fa15375",
		"nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Non-fatal, Link 46",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct rf_xid x;

		if (rf_xid_parse(lines[i], strlen(lines[i]), &x) != -ENOENT)
			fail_msg("taken for one: %s", lines[i]);
	}
}

/* Names are the processes' own choice. */
static void what_a_process_calls_itself_changes_nothing_else(void **state)
{
	static const struct {
		const char *line;
		uint32_t pid;
		const char *comm;
	} cases[] = {
		{ "NVRM: Xid (PCI:0000:3b:00): 79, pid=1, name=pid=2, name=b, x", 1, "pid=2" },
		{ "NVRM: Xid (PCI:0000:3b:00): 79, pid=1, name=a\x1b[2J\x80, x", 1, "a?[2J?" },
		{ "NVRM: Xid (PCI:0000:3b:00): 79, pid=1, name=a name that is far too long, x", 1, "a name that is " },
		{ "NVRM: Xid (PCI:0000:3b:00): 79, pid=4294967296, name=x, y", 0, "x" },
		{ "NVRM: Xid (PCI:0000:3b:00): 79, pid=12abc, name=x", 0, "" },
		{ "NVRM: Xid (PCI:0000:3b:00): 79, pid=", 0, "" },
		{ "NVRM: Xid (PCI:0000:3b:00): 79, pid=1, name=", 1, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rf_xid x;

		assert_int_equal(rf_xid_parse(cases[i].line, strlen(cases[i].line), &x), 0);
		assert_int_equal(x.pid, cases[i].pid);
		assert_string_equal(x.comm, cases[i].comm);
	}
}

static int kmsg(const char *record, struct rf_kmsg *ret)
{
	return rf_kmsg_parse(record, strlen(record), ret);
}

static void a_record_is_a_number_and_a_line(void **state)
{
	struct rf_kmsg k;

	(void)state;
	assert_int_equal(kmsg("4,4242,98765,-;NVRM: x\n SUBSYSTEM=pci\n", &k), 0);
	assert_int_equal(k.sequence, 4242);
	assert_int_equal(k.len, 7);
	assert_memory_equal(k.text, "NVRM: x", 7);
	assert_int_equal(kmsg("0,0,0,c,more;", &k), 0);
	assert_int_equal(k.len, 0);
	assert_int_equal(kmsg("x,1,1,-;y", &k), -EBADMSG);
	assert_int_equal(kmsg("4,,1,-;y", &k), -EBADMSG);
	assert_int_equal(kmsg("4,1,1,-", &k), -EBADMSG);
	assert_int_equal(kmsg("", &k), -EBADMSG);
}

/* What somebody writes to /dev/kmsg has a facility that is not the kernel's. */
static void what_is_not_the_kernels_own_is_left_out(void **state)
{
	struct rf_kmsg k;

	(void)state;
	assert_int_equal(kmsg("12,1,1,-;NVRM: Xid (PCI:0000:3b:00): 79, pid=1", &k), -ENOENT);
	assert_int_equal(kmsg("7,1,1,-;x", &k), 0);
	assert_int_equal(kmsg("8,1,1,-;x", &k), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_an_error_is_known),
		cmocka_unit_test(another_line_is_none),
		cmocka_unit_test(what_a_process_calls_itself_changes_nothing_else),
		cmocka_unit_test(a_record_is_a_number_and_a_line),
		cmocka_unit_test(what_is_not_the_kernels_own_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
