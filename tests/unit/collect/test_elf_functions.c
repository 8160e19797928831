// SPDX-License-Identifier: GPL-2.0-or-later
/* Functions of ELF files: of this program itself, and of what is none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/collect/elf_functions.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"

__attribute__((noinline, used)) int rf_function_of_this_test(int x);
__attribute__((noinline, used)) int rf_function_of_this_test(int x)
{
	__asm__ volatile("" : "+r"(x));
	return x + 1;
}

struct find {
	const char *name;
	uint64_t offset;
	int n;
};

static int take(const char *name, uint64_t offset, void *arg)
{
	struct find *f = arg;

	if (!rf_streq(name, f->name))
		return 0;
	f->offset = offset;
	f->n++;
	return 0;
}

static int stop(const char *name, uint64_t offset, void *arg)
{
	(void)name;
	(void)offset;
	(void)arg;
	return -ECANCELED;
}

static void a_function_is_found_where_its_code_is(void **state)
{
	struct find f = { .name = "rf_function_of_this_test" };
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	unsigned char code[8];

	(void)state;
	assert_int_equal(rf_elf_functions(fd, take, &f), 0);
	assert_int_equal(f.n, 1);
	assert_int_equal(pread(fd, code, sizeof(code), (off_t)f.offset), sizeof(code));
	assert_memory_equal(code, (const void *)(uintptr_t)rf_function_of_this_test, sizeof(code));
	assert_int_equal(rf_elf_functions(fd, stop, NULL), -ECANCELED);
}

static void what_is_defined_elsewhere_is_not_told(void **state)
{
	struct find f = { .name = "pread" };
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(rf_elf_functions(fd, take, &f), 0);
	assert_int_equal(f.n, 0);
}

static int file_of(const void *data, size_t len)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);

	assert_int_equal(write(fd, data, len), len);
	return fd;
}

static void what_is_no_program_of_this_machine_is_refused(void **state)
{
	_cleanup_close_ int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), empty = file_of("", 0),
			    text = file_of("#!/bin/sh\n", 10), other = -1, cut = -1;
	unsigned char head[4096];

	(void)state;
	assert_int_equal(rf_elf_functions(empty, take, NULL), -ENOEXEC);
	assert_int_equal(rf_elf_functions(text, take, NULL), -ENOEXEC);
	assert_int_equal(pread(exe, head, sizeof(head), 0), sizeof(head));
	head[18] = 0xf3; /* RISC-V */
	head[19] = 0;
	other = file_of(head, sizeof(head));
	assert_int_equal(rf_elf_functions(other, take, NULL), -ENOEXEC);
	/* Its tables lie behind its end. */
	assert_int_equal(pread(exe, head, sizeof(head), 0), sizeof(head));
	cut = file_of(head, sizeof(head));
	assert_true(rf_elf_functions(cut, stop, NULL) <= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_function_is_found_where_its_code_is),
		cmocka_unit_test(what_is_defined_elsewhere_is_not_told),
		cmocka_unit_test(what_is_no_program_of_this_machine_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
