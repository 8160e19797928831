// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Symbols by libelf, which checks what it reads against the file's size: so it
 * is told of files alone whose tables are small, for a file may be as large as
 * its owner says. Read, not mapped: who owns the file may cut it.
 */
#include "user/collect/elf_functions.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "user/lib/cleanup.h"

#ifdef __x86_64__
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

int rf_elf_header_read(int fd, Elf64_Ehdr *ret)
{
	if (pread(fd, ret, sizeof(*ret), 0) != sizeof(*ret) || memcmp(ret->e_ident, ELFMAG, SELFMAG) != 0 ||
	    ret->e_ident[EI_CLASS] != ELFCLASS64 || ret->e_ident[EI_DATA] != ELFDATA2LSB || ret->e_machine != MACHINE ||
	    ret->e_phentsize != sizeof(Elf64_Phdr))
		return -ENOEXEC;
	/* None, where the count stands elsewhere, and may be anything. */
	if (ret->e_shoff && (!ret->e_shnum || ret->e_shentsize != sizeof(Elf64_Shdr)))
		return -ENOEXEC;
	return ret->e_phnum > RF_ELF_SEGMENTS || ret->e_shnum > RF_ELF_SECTIONS_MAX ? -EFBIG : 0;
}

int rf_elf_segments_read(int fd, const Elf64_Ehdr *header, struct rf_elf_segments *ret)
{
	size_t size = header->e_phnum * sizeof(*ret->list);

	ret->n = header->e_phnum;
	return pread(fd, ret->list, size, (off_t)header->e_phoff) == (ssize_t)size ? 0 : -ENOEXEC;
}

const Elf64_Phdr *rf_elf_segment_at(const struct rf_elf_segments *s, uint64_t address, uint32_t flags)
{
	for (size_t i = 0; i < s->n; i++) {
		const Elf64_Phdr *p = &s->list[i];

		if (p->p_type == PT_LOAD && (p->p_flags & flags) == flags && address >= p->p_vaddr &&
		    address - p->p_vaddr < p->p_filesz)
			return p;
	}
	return NULL;
}

/* Its contents; with those of a table of names the last byte ends a name. */
static const Elf_Data *section_read(Elf_Scn *section, const GElf_Shdr *header, bool names)
{
	const Elf_Data *data = header->sh_flags & SHF_COMPRESSED ? NULL : elf_getdata(section, NULL);

	if (!data || !data->d_buf || !data->d_size)
		return NULL;
	return names && ((const char *)data->d_buf)[data->d_size - 1] ? NULL : data;
}

static int symbols_walk(const Elf_Data *symbols, const Elf_Data *names, const struct rf_elf_segments *s,
			rf_elf_function_fn fn, void *arg)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < symbols->d_size / sizeof(Elf64_Sym); i++) {
		const Elf64_Sym *symbol = (const Elf64_Sym *)symbols->d_buf + i;
		const Elf64_Phdr *code;

		if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF ||
		    symbol->st_name >= names->d_size)
			continue;
		code = rf_elf_segment_at(s, symbol->st_value, PF_X);
		if (code)
			r = fn((const char *)names->d_buf + symbol->st_name,
			       symbol->st_value - code->p_vaddr + code->p_offset, arg);
	}
	return r;
}

static int table_walk(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, const struct rf_elf_segments *s,
		      rf_elf_function_fn fn, void *arg)
{
	Elf_Scn *strings = elf_getscn(elf, header->sh_link);
	const Elf_Data *symbols, *names;
	GElf_Shdr strings_header;

	if (!strings || !gelf_getshdr(strings, &strings_header) || header->sh_entsize != sizeof(Elf64_Sym) ||
	    strings_header.sh_type != SHT_STRTAB)
		return -ENOEXEC;
	if (header->sh_size > RF_ELF_SYMBOLS_MAX || strings_header.sh_size > RF_ELF_STRINGS_MAX)
		return -EFBIG;
	symbols = section_read(section, header, false);
	names = section_read(strings, &strings_header, true);
	return symbols && names ? symbols_walk(symbols, names, s, fn, arg) : -ENOEXEC;
}

static int tables_walk(Elf *elf, const struct rf_elf_segments *s, rf_elf_function_fn fn, void *arg)
{
	static const uint32_t types[] = { SHT_SYMTAB, SHT_DYNSYM };
	bool seen[ARRAY_SIZE(types)] = { false };
	Elf_Scn *section = NULL;
	int r = 0;

	while (r >= 0 && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		if (!gelf_getshdr(section, &header))
			return -ENOEXEC;
		for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(types); i++) {
			if (header.sh_type != types[i] || seen[i])
				continue;
			seen[i] = true;
			r = table_walk(elf, section, &header, s, fn, arg);
		}
	}
	return r;
}

int rf_elf_functions(int fd, rf_elf_function_fn fn, void *arg)
{
	struct rf_elf_segments segments;
	Elf64_Ehdr header;
	Elf *elf;
	int r = rf_elf_header_read(fd, &header);

	if (r >= 0)
		r = rf_elf_segments_read(fd, &header, &segments);
	if (r < 0)
		return r;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return -ENOEXEC;
	/* It was read again: it may be another by now. */
	if (elf_kind(elf) == ELF_K_ELF && gelf_getclass(elf) == ELFCLASS64)
		r = tables_walk(elf, &segments, fn, arg);
	else
		r = -ENOEXEC;
	elf_end(elf);
	return r;
}
