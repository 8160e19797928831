// SPDX-License-Identifier: GPL-2.0-or-later
/* By libelf, which checks what it reads against the file's size. Read, not mapped: who owns the file may cut it. */
#include "user/collect/elf_functions.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/vfs.h>

#include "user/lib/cleanup.h"
#include "user/lib/util.h"

#ifdef __x86_64__
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

#define SEGMENTS_MAX 64

struct segments {
	GElf_Phdr list[SEGMENTS_MAX];
	size_t n;
};

static int header_check(Elf *elf)
{
	GElf_Ehdr header;

	if (elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS64 || !gelf_getehdr(elf, &header))
		return -ENOEXEC;
	return header.e_machine == MACHINE ? 0 : -ENOEXEC;
}

static int segments_read(Elf *elf, struct segments *s)
{
	size_t n;

	s->n = 0;
	if (elf_getphdrnum(elf, &n) < 0)
		return -ENOEXEC;
	for (size_t i = 0; i < n && s->n < SEGMENTS_MAX; i++) {
		if (!gelf_getphdr(elf, (int)i, &s->list[s->n]))
			return -ENOEXEC;
		if (s->list[s->n].p_type == PT_LOAD && s->list[s->n].p_flags & PF_X)
			s->n++;
	}
	return 0;
}

/* Where in the file the code at that address is; false: in no segment that is executed. */
static bool offset_of(const struct segments *s, uint64_t address, uint64_t *ret)
{
	for (size_t i = 0; i < s->n; i++) {
		const GElf_Phdr *p = &s->list[i];

		if (address < p->p_vaddr || address - p->p_vaddr >= p->p_filesz)
			continue;
		*ret = address - p->p_vaddr + p->p_offset;
		return true;
	}
	return false;
}

static int table_walk(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, const struct segments *s,
		      rf_elf_function_fn fn, void *arg)
{
	Elf_Scn *strings = elf_getscn(elf, header->sh_link);
	GElf_Shdr strings_header;
	Elf_Data *data;
	int r = 0;

	if (!strings || !gelf_getshdr(strings, &strings_header) || !header->sh_entsize)
		return -ENOEXEC;
	if (header->sh_size > RF_ELF_SYMBOLS_MAX || strings_header.sh_size > RF_ELF_SYMBOLS_MAX)
		return -EFBIG;
	data = elf_getdata(section, NULL);
	if (!data)
		return -ENOEXEC;
	for (size_t i = 0; r >= 0 && i < header->sh_size / header->sh_entsize; i++) {
		const char *name;
		uint64_t offset;
		GElf_Sym symbol;

		if (!gelf_getsym(data, (int)i, &symbol))
			break;
		if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF ||
		    !offset_of(s, symbol.st_value, &offset))
			continue;
		name = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (name)
			r = fn(name, offset, arg);
	}
	return r;
}

static int tables_walk(Elf *elf, rf_elf_function_fn fn, void *arg)
{
	Elf_Scn *section = NULL;
	struct segments s;
	int r = segments_read(elf, &s);

	while (r >= 0 && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		if (!gelf_getshdr(section, &header))
			return -ENOEXEC;
		if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)
			r = table_walk(elf, section, &header, &s, fn, arg);
	}
	return r;
}

int rf_elf_functions(int fd, rf_elf_function_fn fn, void *arg)
{
	struct statfs fs;
	Elf *elf;
	int r;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type == FUSE_SUPER_MAGIC)
		return -ELOOP;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return -ENOEXEC;
	r = header_check(elf);
	if (r >= 0)
		r = tables_walk(elf, fn, arg);
	elf_end(elf);
	return r;
}
