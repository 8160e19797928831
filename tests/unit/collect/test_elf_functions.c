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

#ifdef __x86_64__
/* As the compiler moves away what is seldom run: the stack is that of the function it belongs to. */
__asm__(".pushsection .text\n"
	".type rf_part_of_this_test, @function\n"
	".globl rf_part_of_this_test\n"
	"rf_part_of_this_test:\n"
	".cfi_startproc\n"
	".cfi_def_cfa_offset 32\n"
	"nop\n"
	"ret\n"
	".cfi_endproc\n"
	".size rf_part_of_this_test, . - rf_part_of_this_test\n"
	".popsection\n");
extern const char rf_part_of_this_test[];
#endif

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

static uint64_t offset_in(int fd, const char *name)
{
	struct find f = { .name = name };

	assert_int_equal(rf_elf_functions(fd, take, &f), 0);
	assert_int_equal(f.n, 1);
	return f.offset;
}

static void where_a_function_begins_is_known(void **state)
{
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint64_t begins = offset_in(fd, "rf_function_of_this_test");

	(void)state;
	assert_int_equal(rf_elf_is_function(fd, begins), 1);
	assert_int_equal(rf_elf_is_function(fd, begins + 1), 0);
	assert_int_equal(rf_elf_is_function(fd, begins - 1), 0);
	assert_int_equal(rf_elf_is_function(fd, offset_in(fd, "main")), 1);
	assert_int_equal(rf_elf_is_function(fd, 0), 0);
	assert_int_equal(rf_elf_is_function(fd, UINT64_MAX), 0);
#ifdef __x86_64__
	assert_int_equal(*rf_part_of_this_test, (char)0x90);
	assert_int_equal(rf_elf_is_function(fd, offset_in(fd, "rf_part_of_this_test")), 0);
#endif
}

struct made {
	Elf64_Ehdr header;
	Elf64_Shdr sections[4];
	Elf64_Phdr code;
	Elf64_Sym symbol;
	char names[8];
};

/* Two tables of one function each, and the names of both. */
static struct made made(void)
{
	struct made m = { .header = { .e_type = ET_DYN,
				      .e_version = EV_CURRENT,
				      .e_machine = EM_X86_64,
				      .e_ehsize = sizeof(Elf64_Ehdr),
				      .e_phentsize = sizeof(Elf64_Phdr),
				      .e_phnum = 1,
				      .e_phoff = offsetof(struct made, code),
				      .e_shentsize = sizeof(Elf64_Shdr),
				      .e_shnum = 4,
				      .e_shoff = offsetof(struct made, sections) },
			  .code = { .p_type = PT_LOAD, .p_flags = PF_X, .p_filesz = sizeof(struct made) },
			  .symbol = { .st_name = 1, .st_info = STT_FUNC, .st_shndx = 1, .st_value = 8 },
			  .names = "\0name" };

	memcpy(m.header.e_ident,
	       (unsigned char[EI_NIDENT]){ ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
	       EI_NIDENT);
	m.sections[1] = m.sections[2] = (Elf64_Shdr){ .sh_type = SHT_SYMTAB,
						      .sh_link = 3,
						      .sh_entsize = sizeof(Elf64_Sym),
						      .sh_offset = offsetof(struct made, symbol),
						      .sh_size = sizeof(Elf64_Sym) };
	m.sections[3] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
				      .sh_offset = offsetof(struct made, names),
				      .sh_size = sizeof(m.names) };
	return m;
}

static int functions_of(const struct made *m, int *ret_n)
{
	_cleanup_close_ int fd = file_of(m, sizeof(*m));
	struct find f = { .name = "name" };
	int r = rf_elf_functions(fd, take, &f);

	*ret_n = f.n;
	return r;
}

static void one_table_of_a_kind_is_read_however_many_there_are(void **state)
{
	struct made m = made();
	int n;

	(void)state;
	assert_int_equal(functions_of(&m, &n), 0);
	assert_int_equal(n, 1);
	m.sections[2].sh_type = SHT_DYNSYM;
	assert_int_equal(functions_of(&m, &n), 0);
	assert_int_equal(n, 2);
}

static void what_would_take_long_is_refused(void **state)
{
	struct made m;
	int n;

	(void)state;
	m = made();
	m.names[7] = 'x'; /* no end: each name would be searched for one */
	assert_int_equal(functions_of(&m, &n), -ENOEXEC);
	m = made();
	m.sections[3].sh_flags = SHF_COMPRESSED;
	assert_int_equal(functions_of(&m, &n), -ENOEXEC);
	m = made();
	m.sections[1].sh_entsize = 1;
	assert_int_equal(functions_of(&m, &n), -ENOEXEC);
	m = made();
	m.sections[1].sh_size = RF_ELF_SYMBOLS_MAX + 1;
	assert_int_equal(functions_of(&m, &n), -EFBIG);
	m = made();
	m.sections[3].sh_size = RF_ELF_STRINGS_MAX + 1;
	assert_int_equal(functions_of(&m, &n), -EFBIG);
	m = made();
	m.header.e_shnum = RF_ELF_SECTIONS_MAX + 1;
	assert_int_equal(functions_of(&m, &n), -EFBIG);
	m = made();
	m.header.e_shnum = 0; /* the count is in the first section, and any */
	m.sections[0].sh_size = 1ULL << 40;
	assert_int_equal(functions_of(&m, &n), -ENOEXEC);
	m = made();
	m.header.e_phnum = PN_XNUM;
	assert_int_equal(functions_of(&m, &n), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_function_is_found_where_its_code_is),
		cmocka_unit_test(what_is_defined_elsewhere_is_not_told),
		cmocka_unit_test(where_a_function_begins_is_known),
		cmocka_unit_test(one_table_of_a_kind_is_read_however_many_there_are),
		cmocka_unit_test(what_would_take_long_is_refused),
		cmocka_unit_test(what_is_no_program_of_this_machine_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
